# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One synchronous, possibly long write on solutions: wait for its turn, survive a lost answer, see its effect.

Removals, the second half of an upgrade and publications have no job to follow. Their effect can be read, and sending one
again is answered with the lock while the first still runs, so nothing is done twice.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ._dataverse import IMPORT_TIMED_OUT, SOLUTION_LOCK
from ._errors import NotPossible, OutcomeUnknown, ServiceRefused, TaskError, WaitedTooLong
from ._http import Clock
from ._plan import Plan, Write
from ._wait import until

CarryOut = Callable[..., dict[str, str]]

VISIBLE_WITHIN = 30
"""Seconds until what was written can be read everywhere."""
REPORT_EVERY = 10


@dataclass(frozen=True)
class Patience:
    """How long to wait for what, in seconds."""

    import_end: float
    lock: float
    poll: float


@dataclass(frozen=True)
class Turns:
    """Writes that take their turn after other customizations of the organisation."""

    clock: Clock
    tell: Callable[[str], None]
    patience: Patience
    send: CarryOut

    def take(self, write: Write, reached: Callable[[], bool] | None = None) -> bool:
        """Send the write until its effect is there; whether it was this run that did it.

        ``reached`` looks for the effect; without it, an answer has to do.
        """
        begun = told = self.clock.now()
        deadline, in_doubt, pause = begun + self.patience.lock, False, 0.5
        while True:
            error = self._sent(write)
            if error is None:
                self._see(write, reached)
                return True
            if isinstance(error, OutcomeUnknown) and not in_doubt:
                in_doubt, deadline, pause = True, begun + self.patience.import_end, 0.5
                self.tell(f"{write.summary}: the answer was lost; looking for the effect")
            if isinstance(error, OutcomeUnknown) and reached and self._appears(error, reached, deadline):
                return True
            if reached and reached():
                return in_doubt
            if not isinstance(error, OutcomeUnknown) and not locked(error):
                raise error
            if self.clock.now() + pause > deadline:
                raise self._too_long(write, error, begun) if in_doubt else error
            if self.clock.now() - told >= REPORT_EVERY or told == begun:
                told = self.clock.now()
                self.tell(f"waiting to {write.summary}: {getattr(error, 'message', '') or error.why} ({told - begun:.0f} s so far)")
            self.clock.sleep(pause)
            pause = min(pause * 2, self.patience.poll)

    def _sent(self, write: Write) -> TaskError | None:
        try:
            self.send(Plan({}, {}, (write,)))
        except (OutcomeUnknown, ServiceRefused) as error:
            return error
        return None

    def _appears(self, error: TaskError, reached: Callable[[], bool], deadline: float) -> bool:
        # A gateway that ran out of time left the service at work; a broken connection mostly ended the matter
        working = error.status == 504 or "Timeout" in type(error.__cause__).__name__
        seconds = min(60 if working else 15, max(0, deadline - self.clock.now()))
        return bool(until(self.clock, lambda: reached() or None, seconds=seconds, first=0.5, longest=self.patience.poll))

    def _see(self, write: Write, reached: Callable[[], bool] | None) -> None:
        if reached and not until(self.clock, lambda: reached() or None, seconds=VISIBLE_WITHIN):
            raise NotPossible(
                doing=write.summary,
                why="the organisation reports success, but the effect cannot be seen.",
                next_step="Look at the organisation's Solution history, then run again.",
            )

    def _too_long(self, write: Write, error: TaskError, begun: float) -> WaitedTooLong:
        return WaitedTooLong(
            doing=write.summary,
            why=f"it was sent, and {self.clock.now() - begun:.0f} seconds later its effect is not there. The organisation says: "
            f"{getattr(error, 'message', '') or error.why}",
            next_step="It probably goes on in the organisation (Solution history shows it). Run again: what is done by then is not done twice. "
            "Raise wait_timeout if it needs that long.",
            service="dataverse",
        )


def locked(error: TaskError) -> bool:
    """Whether the organisation is busy with another import, publication or removal."""
    return isinstance(error, ServiceRefused) and error.code.lower() in {*SOLUTION_LOCK, IMPORT_TIMED_OUT}
