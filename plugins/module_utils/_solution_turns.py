# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One long write on solutions that is no import: wait for its turn, follow it, survive a lost answer, see its effect.

Removals, the application of a staged upgrade and publications have two forms. The asynchronous one answers with a system
job, which is followed and found again by a later run. The synchronous one is for organisations without the other; a
gateway cuts it when it takes long, and then its effect and the solution history are what is left to look at. Nothing is
sent again before it is certain, or nearly, that nothing is at work.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ._dataverse import IMPORT_TIMED_OUT
from ._errors import NotPossible, OutcomeUnknown, ServiceRefused, TaskError, WaitedTooLong
from ._odata import Row
from ._plan import Plan, Write
from ._progress import Progress, span
from ._solution_activity import BUSY, IN_PROGRESS, Activity, LockWait
from ._solution_import_results import COMPLETED, SUCCEEDED
from ._solution_refusals import ended_badly, locked, no_such_action
from ._wait import until

CarryOut = Callable[..., dict[str, str]]

JOB = "job"
"""The name of the id that an asynchronous write yields."""
VISIBLE_WITHIN = 30
"""Seconds until what was written can be read everywhere."""
LOCK_NAMES = {"PublishAllXml": "PublishAll", "PublishAllXmlAsync": "PublishAll"}
"""What the lock's text calls the writes of which the effect cannot be read."""
ROW_PATIENCE = 60
"""Seconds until a system job that was promised must be there."""
MAX_UNANSWERED = 2
"""So often a publication is sent that gets no answer: nothing shows whether it took place."""


@dataclass(frozen=True)
class Patience:
    """How long to wait for what, in seconds."""

    import_end: float
    lock: float
    poll: float


@dataclass(frozen=True)
class LongWrite:
    """A write that may take minutes."""

    write: Write
    solution: str = ""
    """The unique name under which the history tells of it; empty for a publication."""
    synchronous: Write | None = None
    """The same for an organisation that does not have the asynchronous action; None if ``write`` is the synchronous form."""
    reached: Callable[[], bool] | None = field(default=None, repr=False)
    """Looks for the effect; without it, an answer or a system job has to do."""

    @property
    def message(self) -> str:
        """The name of its system jobs; empty for the synchronous form."""
        return self.write.path if self.write.yields == JOB else ""


@dataclass(frozen=True)
class Turns:
    """Writes that take their turn after other customizations of the organisation."""

    activity: Activity
    tell: Callable[[str], None]
    patience: Patience
    send: CarryOut
    warn: Callable[[str], None] = lambda _text: None

    def take(self, long: LongWrite) -> Write | None:
        """See the write's effect; the write that brought it, or None if somebody else did."""
        known = self.join(long)
        if known is None:
            return None
        return _Turn(self, long, known).take()

    def at_work(self, long: LongWrite) -> bool:
        """Whether a system job of this kind runs."""
        return bool(self.activity.running((self.activity.jobs(long.message) if long.message else None) or []))

    def join(self, long: LongWrite) -> frozenset[str] | None:
        """Follow what is at work already, from an earlier run or another machine; None if the effect is there then, else the jobs that are known."""
        rows = (self.activity.jobs(long.message) if long.message else None) or []
        for row in self.activity.running(rows):
            job_id = str(row.get("asyncoperationid"))
            self.tell(f"{long.write.summary}: the system job {job_id}, which does such a thing, runs already; it is followed first")
            self.follow(long, job_id)
            if long.reached and long.reached():
                return None
        return frozenset(str(row.get("asyncoperationid")) for row in rows)

    def follow(self, long: LongWrite, job_id: str) -> Row | None:
        """Wait for the end of a system job; None if there is no such row. Raises WaitedTooLong."""
        clock, summary = self.activity.clock, long.write.summary
        report = Progress(clock, self.tell, summary, f"system job {job_id}")
        begun, pause = clock.now(), 0.5
        while True:
            row = self.activity.job(job_id)
            if row is not None and row.get("statecode") == COMPLETED:
                return row
            if row is None and report.elapsed >= ROW_PATIENCE:
                return None
            report.at("in progress" if (row or {}).get("statuscode") in IN_PROGRESS else "waiting for its turn")
            left = begun + self.patience.import_end - clock.now()
            if left <= 0:
                raise WaitedTooLong(
                    doing=summary,
                    why=f"the system job {job_id} still runs after {span(report.elapsed)} ({report.standing}).",
                    next_step="Run again: it is found and followed to its end, not started again. Raise wait_timeout if it needs that long.",
                    service="dataverse",
                    facts={"system_job": {"id": job_id, "summary": summary}},
                )
            clock.sleep(min(pause, left))
            pause = min(pause * 2, self.patience.poll)


class _Turn:
    """One write on its way."""

    def __init__(self, turns: Turns, long: LongWrite, known: frozenset[str]) -> None:
        self.turns, self.long, self.known = turns, long, known
        self.activity, self.clock, self.patience = turns.activity, turns.activity.clock, turns.patience
        self.write = long.write
        self.begun = self.clock.now()
        self.deadline = self.begun + self.patience.lock
        self.in_doubt = False
        self.newest = ""
        """The history's newest entry about the solution before a synchronous write."""
        self.standing = "nothing is seen of it"
        self.own_lock = False
        """Whether the organisation was busy with such a thing after the answer was lost."""

    def take(self) -> Write | None:
        waiting = LockWait(self.activity, self.turns.tell, self.write.summary, self.patience.lock)
        pause, unanswered = 0.5, 0
        while True:
            error = self._tried()
            if error is None or (isinstance(error, OutcomeUnknown) and self._settled(error)):
                return self.write
            if self.long.reached and self.long.reached():
                return self.write if self.in_doubt else None
            if self.long.synchronous and self.write is self.long.write and no_such_action(error):
                self.write = self.long.synchronous
                continue
            if not isinstance(error, OutcomeUnknown) and not locked(error):
                raise error
            unanswered += isinstance(error, OutcomeUnknown)
            self.own_lock |= self.in_doubt and f"[{LOCK_NAMES.get(self.write.path, '-')}] running" in getattr(error, "message", "")
            if unanswered >= MAX_UNANSWERED and not self.long.reached and self.own_lock:
                self._assume()
                return self.write
            if self.clock.now() + pause > self.deadline or (unanswered >= MAX_UNANSWERED and not self.long.reached):
                raise self._too_long(error) if self.in_doubt else waiting.over(error)
            if not isinstance(error, OutcomeUnknown):
                waiting.told(error)
            self.clock.sleep(pause)
            pause = min(pause * 2, self.patience.poll)

    def _tried(self) -> TaskError | None:
        """Send it and see it through; the error if that did not work."""
        if self.write.yields != JOB and self.long.solution and not self.newest:
            self.newest = _entry_id(self.activity.history(self.long.solution))
        try:
            job_id = self.turns.send(Plan({}, {}, (self.write,))).get(JOB, "")
        except (OutcomeUnknown, ServiceRefused) as error:
            return error
        return self._followed(job_id) if job_id else self._see()

    def _followed(self, job_id: str) -> TaskError | None:
        try:
            row = self.turns.follow(self.long, job_id)
        except WaitedTooLong as late:
            late.done = [*late.done, f"{self.write.summary} (started)"]
            raise
        if row is None:  # the job cannot be read, or was cleared away: only the effect is left
            return None if self._appears(self.patience.import_end) else self._unseen(f"the system job {job_id} cannot be found")
        if row.get("statuscode") == SUCCEEDED:
            return self._see()
        error = ended_badly(self.write.summary, row, {"system_job": {"id": job_id, "summary": self.write.summary}})
        if error.code.lower() == IMPORT_TIMED_OUT:
            self._doubt("the system job timed out, but the organisation may be at work")
        elif not locked(error) and not (self.long.reached and self.long.reached()):
            raise error
        return error

    def _settled(self, error: TaskError) -> bool:
        """After a lost answer: whether it took place all the same. Raises what the organisation tells of its failure."""
        self._doubt("the answer was lost; looking for the effect")
        # A gateway that ran out of time left the service at work; a broken connection mostly ended the matter
        working = error.status == 504 or "Timeout" in type(error.__cause__).__name__
        seconds = min(60 if working else 15, max(0, self.deadline - self.clock.now()))
        if self.write.yields != JOB:
            return self._appears(seconds)
        job_id = until(self.clock, self._new_job, seconds=seconds, first=0.5, longest=self.patience.poll)
        return job_id is not None and (not job_id or self._followed(job_id) is None)

    def _new_job(self) -> str | None:
        """The job that the lost answer would have named; empty if the effect is there already."""
        rows = self.activity.jobs(self.long.message) or []
        found = next((str(row["asyncoperationid"]) for row in rows if str(row.get("asyncoperationid")) not in self.known), None)
        if found is None and self.long.reached and self.long.reached():
            return ""
        return found

    def _appears(self, seconds: float) -> bool:
        """Whether the effect appears. Goes on past ``seconds`` while the history says that the organisation is at work."""
        if not (self.long.reached or self.long.solution):
            return False
        report = Progress(self.clock, self.turns.tell, self.write.summary)
        end, pause = self.clock.now() + seconds, 0.5
        while True:
            if self.long.reached and self.long.reached():
                return True
            busy = False
            if self.long.solution and pause >= min(4, self.patience.poll):
                busy = self._history_says_busy()
                report.at("in progress, by the solution history" if busy else "not seen at work, and its effect is not there")
                self.standing = report.standing
            left = (self.deadline if busy else min(end, self.deadline)) - self.clock.now()
            if left <= 0:
                return False
            self.clock.sleep(min(pause, left))
            pause = min(pause * 2, self.patience.poll)

    def _history_says_busy(self) -> bool:
        entry = self.activity.history(self.long.solution)
        if entry is None or _entry_id(entry) == self.newest:
            return False
        if entry.get("msdyn_status") not in BUSY and entry.get("msdyn_result") is False and not (self.long.reached and self.long.reached()):
            told = {"message": entry.get("msdyn_exceptionmessage"), "errorcode": entry.get("msdyn_errorcode")}
            raise ended_badly(self.write.summary, told, {})
        return entry.get("msdyn_status") in BUSY

    def _assume(self) -> None:
        """It cannot be seen, but the first one was at work after its answer was lost, and ended: the organisation took the next one."""
        self.turns.warn(
            f"Nobody could wait for the answer to '{self.write.summary}': it takes longer than the gateway allows. The organisation was seen at work on it and "
            "then done, so it is taken as successful."
        )

    def _doubt(self, why: str) -> None:
        if not self.in_doubt:
            self.in_doubt, self.deadline = True, self.begun + self.patience.import_end
            self.turns.tell(f"{self.write.summary}: {why}")

    def _see(self) -> TaskError | None:
        reached = self.long.reached
        if reached and not until(self.clock, lambda: reached() or None, seconds=VISIBLE_WITHIN):
            raise NotPossible(
                doing=self.write.summary,
                why="the organisation reports success, but the effect cannot be seen.",
                next_step="Look at the organisation's Solution history, then run again.",
            )
        return None

    def _unseen(self, why: str) -> TaskError:
        return OutcomeUnknown(doing=self.write.summary, why=f"{why}, and its effect is not there.", next_step="Run again.", service="dataverse")

    def _too_long(self, error: TaskError) -> WaitedTooLong:
        return WaitedTooLong(
            doing=self.write.summary,
            done=[f"{self.write.summary} (sent)"],
            why=f"it was sent, and {span(self.clock.now() - self.begun)} later its effect is not there ({self.standing}). There is no system job to follow. "
            f"The last answer: {getattr(error, 'message', '') or error.why}",
            next_step="It probably goes on in the organisation (Solution history shows it). Run again: what is done by then is not done twice. "
            "Raise wait_timeout if it needs that long.",
            service="dataverse",
        )


def _entry_id(entry: Row | None) -> str:
    return str((entry or {}).get("msdyn_solutionhistoryid") or "none")
