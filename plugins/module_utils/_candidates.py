# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user may have meant: near names for the errors that say "there is no such thing". Pure functions.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def closest(wanted: str, names: Iterable[str], *, at_most: int = 5) -> list[str]:
    """The names most like the wanted one, best first, without regard to case."""
    by_folded = {name.casefold(): name for name in names}
    return [by_folded[folded] for folded in get_close_matches(wanted.casefold(), by_folded, n=at_most, cutoff=0.5)]


def did_you_mean(wanted: str, names: Iterable[str]) -> str:
    """A sentence that lists the nearest names, or says that nothing is near."""
    near = closest(wanted, names)
    if not near:
        return "No name is like it."
    return f"The nearest name is {near[0]}." if len(near) == 1 else f"The nearest names are {', '.join(near)}."
