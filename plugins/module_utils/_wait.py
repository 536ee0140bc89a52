# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for something, with a bound.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable

from ._http import Clock

T = t.TypeVar("T")


def until(clock: Clock, look: Callable[[], T | None], *, seconds: float = 60, first: float = 0.25, longest: float = 8) -> T | None:
    """Look again and again until there is something; None when ``seconds`` are over. The pauses double from ``first`` up to ``longest``."""
    deadline = clock.now() + seconds
    pause = first
    while (found := look()) is None:
        left = deadline - clock.now()
        if left <= 0:
            return None
        clock.sleep(min(pause, left))
        pause = min(pause * 2, longest)
    return found
