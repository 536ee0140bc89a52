# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a privilege of a security role reaches: one value, many spellings.

The Web API answers with the member's name, solution files hold the same word, the role editor shows a
label, and some clients send the number. Source: the reference of the PrivilegeDepth enumeration.

This file is private to the collection.
"""

from __future__ import annotations

from enum import IntEnum


class Depth(IntEnum):
    """Ordered: a higher depth includes the lower ones."""

    BASIC = 0
    LOCAL = 1
    DEEP = 2
    GLOBAL = 3

    @property
    def api_name(self) -> str:
        """The word of the Web API and of solution files."""
        return self.name.capitalize()

    @property
    def label(self) -> str:
        """The word that people know from the role editor, as an option value."""
        return _LABELS[self]


_LABELS = {
    Depth.BASIC: "user",
    Depth.LOCAL: "business_unit",
    Depth.DEEP: "parent_child",
    Depth.GLOBAL: "organization",
}

CHOICES: list[str] = [*_LABELS.values(), *(depth.name.lower() for depth in Depth)]
"""What an option accepts: people's words first, then the API's."""


def parse_depth(text: str | int) -> Depth:
    """Read any spelling; raises ValueError for a word that is none of them."""
    if isinstance(text, int) or text.isdigit():
        return Depth(int(text))
    word = text.lower()
    for depth, label in _LABELS.items():
        if word in (label, depth.name.lower()):
            return depth
    raise ValueError(f"'{text}' is not a privilege depth; use one of {', '.join(CHOICES)}.")
