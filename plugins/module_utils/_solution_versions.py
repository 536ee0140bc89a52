# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dotted version numbers of organisations and solutions: pure functions.

They are compared part by part as numbers, and a missing part counts as zero (``2.0.273`` equals ``2.0.273.0``).

This file is private to the collection.
"""

from __future__ import annotations

import re


def version_parts(text: str, length: int = 4) -> tuple[int, ...]:
    """The first ``length`` parts as numbers; raises ValueError for what is no dotted number."""
    if not re.fullmatch(r"\d+(\.\d+)*", text.strip()):
        raise ValueError(f"'{text}' is not a version number such as 1.0.0.0.")
    parts = [int(part) for part in text.strip().split(".")][:length]
    return tuple(parts + [0] * (length - len(parts)))


def compare_versions(one: str, other: str, length: int = 4) -> int:
    """-1, 0 or 1 as ``one`` is lower than, equal to or higher than ``other`` in the first ``length`` parts."""
    a, b = version_parts(one, length), version_parts(other, length)
    return (a > b) - (a < b)
