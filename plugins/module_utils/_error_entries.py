# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of an entry of the error catalogue.

This file is private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One known failure.

    The named groups of ``pattern`` can stand in braces in both sentences; so can ``message``, the service's own text.
    """

    name: str
    service: str
    meaning: str
    next_step: str
    codes: tuple[str, ...] = ()
    """Compared without regard to case. None: the pattern alone decides."""
    pattern: str = ""
    """Looked for in the text, and where there are no codes also in the code; without regard to case."""
    details: tuple[tuple[str, str], ...] = ()
    """Patterns, each with the sentence that its named groups add to the meaning where the text has them."""


def codes(*known: str) -> tuple[str, ...]:
    """The codes of an entry."""
    return known
