# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell a waiting person where something long stands: its state, a percentage if there is one, elapsed time, last movement.

Nothing is made up: what a service does not tell is not shown. Lines come every few seconds at first and seldom later.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable

from ._http import Clock

STALLED_AFTER = 600
"""Seconds without any movement after which that is pointed out, once."""


class Progress:
    """The progress of one thing, such as "import of ContosoLeads"."""

    def __init__(self, clock: Clock, tell: Callable[[str], None], what: str, handle: str = "") -> None:
        """``handle`` is how somebody else finds it, such as "system job <id>"; it is told once."""
        self._clock, self._tell, self._what, self._handle = clock, tell, what, handle
        self._start = self._moved = self._told = clock.now()
        self._seen: tuple[str, float | None] = ("", None)
        self._warned = False
        self.standing = "it has not begun"

    @property
    def elapsed(self) -> float:
        """Seconds since the waiting began."""
        return self._clock.now() - self._start

    def at(self, state: str, percent: float | None = None) -> None:
        """Take note of where it stands, and tell it if it is time; without a percentage, the last one that was seen is kept."""
        now = self._clock.now()
        seen = (state, percent if percent is not None else self._seen[1])
        if seen != self._seen:
            self._seen, self._moved = seen, now
        shown = state if seen[1] is None else f"{state}, {seen[1]:.0f} %"
        self.standing = f"{shown}, last movement {span(now - self._moved)} ago"
        if now - self._moved >= STALLED_AFTER and not self._warned:
            self._warned = True
            missing = "" if seen[1] is not None else " The organisation tells no percentage of this, so it may as well be at work."
            self._tell(f"{self._what}: no movement for {span(STALLED_AFTER)}; it may be stalled, but it is not failed.{missing}")
        if now - self._told >= report_every(now - self._start):
            self._told = now
            handle, self._handle = f" ({self._handle})" if self._handle else "", ""
            self._tell(f"{self._what}: {self.standing}, {span(now - self._start)} so far{handle}")


def report_every(elapsed: float) -> int:
    """Seconds between two lines: an hour of waiting is no reason for hundreds of them."""
    return 10 if elapsed < 60 else 30 if elapsed < 600 else 60


def span(seconds: float) -> str:
    """A duration as people say it."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
