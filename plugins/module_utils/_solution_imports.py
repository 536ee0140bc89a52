# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports of one solution in one organisation: recognise one that runs, find one whose start was not answered, follow it.

The organisation runs one import after another, so at most one is in progress. A system job does not say which solution
it imports; the import job does, but comes late; the solution history does too, where the caller may read it.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ._dataverse import IMPORT_TIMED_OUT, Dataverse
from ._errors import AnswerNotUnderstood, OutcomeUnknown, ServiceRefused, TaskError, WaitedTooLong
from ._http import Clock
from ._odata import Row, any_of, literal, query
from ._plan import Json
from ._progress import Progress, span
from ._rows import decimal, needed, number, text
from ._solution_activity import BUSY, IN_PROGRESS, moment_of
from ._solution_import_results import completed
from ._solutions import HOLDING
from ._wait import until

MESSAGES = ("'ImportSolutionAsync'", "'StageAndUpgradeAsync'")
"""The names of system jobs that import."""
JOB_ID_IN_USE = frozenset({"0x80071152", "0x80071155"})
"""An import with this ``ImportJobId`` is there already."""
ROW_PATIENCE = 60
"""Seconds until a record that was promised must be there."""


@dataclass(frozen=True)
class ImportJob:
    """The handle of an import: enough to follow it from anywhere."""

    id: str
    """Of the import job; empty if only the system job is known."""
    async_operation_id: str = ""
    """Of the system job; empty for a synchronous import."""
    planned: bool = False

    def to_result(self) -> Json:
        """The form in a module's result and in its option."""
        return {"id": self.id, "async_operation_id": self.async_operation_id, "planned": self.planned}

    def described(self) -> str:
        """How a person finds it."""
        return f"system job {self.async_operation_id}" if self.async_operation_id else f"import job {self.id}"

    def text(self) -> str:
        """Both ids as one, in the place of the id that a write yields."""
        return f"{self.async_operation_id}/{self.id}"

    @classmethod
    def from_text(cls, text: str) -> ImportJob:
        """The reverse of ``text``."""
        operation, _unused, job = text.partition("/")
        return cls(job, operation)

    @classmethod
    def from_answer(cls, document: Json) -> ImportJob:
        """Read what ``ImportSolutionAsync`` answers; an answer without ids is as good as none."""
        operation_id = text(document, "AsyncOperationId")
        if not operation_id:
            raise OutcomeUnknown(why="the organisation's answer to the start of the import names no system job.", next_step="Run again.")
        return cls(text(document, "ImportJobKey") or "", operation_id)


@dataclass(frozen=True)
class Look:
    """What is going on."""

    ours: ImportJob | None = None
    other: str = ""
    """Another import that runs, or one of which it is not known what it imports."""
    known: frozenset[str] = frozenset()
    """The newest system jobs, to tell a later one from."""
    lately: bool = False
    """An import ended of late: perhaps since the installed solutions were read."""


@dataclass(frozen=True)
class Imports:
    """The imports of the solution ``name``."""

    api: Dataverse
    clock: Clock
    tell: Callable[[str], None]
    name: str
    poll_interval: float
    import_job_id: str = ""
    """Our own id for the import job of a synchronous import; empty if imports are asynchronous."""

    def look(self) -> Look:
        """See whether an import of this solution, or of another one, is running."""
        if self.import_job_id:
            ours = [job for job in self._jobs() if self._is_ours(job) and self._recent(job)]
            open_jobs = [job for job in ours if not job.get("completedon")]
            return Look(ours=ImportJob(needed(open_jobs[0], "importjobid")) if open_jobs else None, lately=bool(ours))
        operations = self._operations()
        known = frozenset(needed(row, "asyncoperationid") for row in operations)
        running = [row for row in operations if not completed(row) and self._recent(row)]
        if not running:
            return Look(known=known, lately=any(self._recent(row) for row in operations))
        job = self._ours_of(running)
        return Look(job, "" if job else f"the system job {needed(running[0], 'asyncoperationid')}", known)

    def resolve(self, before: Look, error: TaskError) -> str | None:
        """After a start without an answer: the handle of the import if it did start."""
        if self.import_job_id and isinstance(error, ServiceRefused) and error.code.lower() in JOB_ID_IN_USE:
            return ImportJob(self.import_job_id).text()
        timed_out = isinstance(error, ServiceRefused) and error.code.lower() == IMPORT_TIMED_OUT
        if not isinstance(error, OutcomeUnknown) and not timed_out:
            return None
        self.tell(f"the answer to the start of the import of {self.name} was lost; looking whether it runs")
        # A gateway that ran out of time left the service at work; a broken connection mostly ended the matter
        working = timed_out or error.status == 504 or "Timeout" in type(error.__cause__).__name__
        found = until(self.clock, lambda: self._started_since(before), seconds=60 if working else 15, first=0.5, longest=5)
        return found.text() if found else None

    def follow(self, job: ImportJob, wait_timeout: float) -> Row | None:
        """Wait for the end; the system job's row, or None if there is only an import job. Raises WaitedTooLong."""
        report = Progress(self.clock, self.tell, f"import of {self.name}", job.described())
        deadline = self.clock.now() + wait_timeout
        give_up = self.clock.now() + min(ROW_PATIENCE, wait_timeout)
        pause = 0.5
        operation_id = job.async_operation_id
        while True:
            row = self._operation(operation_id) if operation_id else self.job(job)
            if row is not None and (completed(row) if operation_id else row.get("completedon")):
                return row if operation_id else None
            if row is None and self.clock.now() >= give_up:
                if not (operation_id and job.id):
                    raise self._lost(job)
                operation_id = ""  # finished system jobs may be cleared away; the import job stays
                give_up += ROW_PATIENCE
                continue
            # Reading the progress is only worth a request when the wait is long
            progress = self._progress(job) if pause >= min(4, self.poll_interval) and job.id else None
            report.at("waiting for its turn" if row is None or row.get("statecode") in (0, 1) else "in progress", progress)
            left = deadline - self.clock.now()
            if left <= 0:
                raise WaitedTooLong(
                    doing=f"wait for the import of {self.name}",
                    why=f"it still runs after {span(wait_timeout)} ({report.standing}); {job.described()}.",
                    next_step="Run again: the import is found and followed to its end. Raise wait_timeout if it needs that long.",
                    service="dataverse",
                    facts={"import_job": job.to_result()},
                )
            self.clock.sleep(min(pause, left))
            pause = min(pause * 2, self.poll_interval)

    def job(self, job: ImportJob, *, with_data: bool = False) -> Row | None:
        """The import job's row, or None if it does not exist (yet, or at all)."""
        if not job.id:
            return next((row for row in self._jobs(with_data=with_data) if self._is_ours(row)), None)
        select = "importjobid,solutionname,progress,startedon,completedon" + (",data" if with_data else "")
        return self._find(f"importjobs({job.id})" + query(select=select), "read the import job")

    def _started_since(self, before: Look) -> ImportJob | None:
        if self.import_job_id:
            job = ImportJob(self.import_job_id)
            return job if self.job(job) else None
        new = [row for row in self._operations() if needed(row, "asyncoperationid") not in before.known]
        ours = self._ours_of(new) if new else None
        if ours or not new:
            return ours
        # A single new system job that nothing speaks against is ours; its end will show
        foreign = any(not self._is_ours(job) and _after(job, new[0]) for job in self._jobs())
        return ImportJob("", needed(new[0], "asyncoperationid")) if len(new) == 1 and not foreign else None

    def _ours_of(self, operations: list[Row]) -> ImportJob | None:
        """Which of these system jobs imports our solution, if that can be told. The newest comes first."""
        for job in self._jobs():
            if not self._is_ours(job):
                continue
            before = [row for row in operations if _after(job, row) and bool(text(job, "completedon")) == completed(row)]
            if before:
                chosen = next((row for row in before if number(row, "statuscode") in IN_PROGRESS), before[0])
                return ImportJob(needed(job, "importjobid"), needed(chosen, "asyncoperationid"))
        running = [row for row in operations if not completed(row)]
        if running and self._history_says_busy():
            chosen = next((row for row in running if number(row, "statuscode") in IN_PROGRESS), running[0])
            return ImportJob("", needed(chosen, "asyncoperationid"))
        return None

    def _history_says_busy(self) -> bool:
        path = "msdyn_solutionhistories" + query(
            select="msdyn_name,msdyn_status,msdyn_starttime", filter=self._history_names(), orderby="msdyn_starttime desc", top=5
        )
        try:
            rows = list(self.api.rows(path, doing="read the solution history"))
        except (AnswerNotUnderstood, ServiceRefused):  # a virtual table that many callers may not read
            return False
        newest = {(text(row, "msdyn_name") or self.name).lower(): row for row in reversed(rows)}
        return any(number(row, "msdyn_status") in BUSY for row in newest.values())

    def _history_names(self) -> str:
        return any_of("msdyn_name", [literal(self.name), literal(f"{self.name}{HOLDING}")])

    def _operations(self) -> list[Row]:
        path = "asyncoperations" + query(
            select="asyncoperationid,statecode,statuscode,createdon", filter=any_of("messagename", MESSAGES), orderby="createdon desc", top=20
        )
        return list(self.api.rows(path, doing="look for running imports"))

    def _jobs(self, *, with_data: bool = False) -> list[Row]:
        select = "importjobid,solutionname,progress,createdon,startedon,completedon" + (",data" if with_data else "")
        path = "importjobs" + query(select=select, orderby="createdon desc", top=1 if with_data else 20, filter=self._own_filter() if with_data else None)
        return list(self.api.rows(path, doing="look for running imports"))

    def _own_filter(self) -> str:
        return any_of("solutionname", [literal(self.name), literal(f"{self.name}{HOLDING}")])

    def _operation(self, operation_id: str) -> Row | None:
        select = "statecode,statuscode,message,friendlymessage,errorcode,startedon,completedon"
        return self._find(f"asyncoperations({operation_id})" + query(select=select), "read the system job of the import")

    def _progress(self, job: ImportJob) -> float | None:
        row = self._find(f"importjobs({job.id})" + query(select="progress"), "read the import's progress")
        return None if row is None else decimal(row, "progress")

    def _find(self, path: str, doing: str) -> Row | None:
        """A record that may not be there yet; the service says so with 404, and sometimes with 400."""
        try:
            return self.api.find(path, doing=doing)
        except ServiceRefused as error:
            if error.code.lower() == "0x80040217":
                return None
            raise

    def means_ours(self, solution_name: str) -> bool:
        """Whether this is the solution's name, or that of its staged upgrade."""
        return solution_name.lower() in (self.name.lower(), f"{self.name}{HOLDING}".lower())

    def _is_ours(self, job: Row) -> bool:
        return self.means_ours(text(job, "solutionname") or "")

    def _recent(self, row: Row) -> bool:
        """What was begun yesterday and never ended is a wreck, not an import."""
        begun = moment_of(row)
        return begun is None or begun > datetime.fromtimestamp(self.clock.now(), UTC) - timedelta(days=1)

    def _lost(self, job: ImportJob) -> TaskError:
        return OutcomeUnknown(
            doing=f"follow the import of {self.name}",
            why="the organisation knows neither its system job nor its import job.",
            next_step="Look at the organisation's Solution history, then run again without import_job.",
            service="dataverse",
            facts={"import_job": job.to_result()},
        )


def _after(job: Row, operation: Row) -> bool:
    """Whether the import job can belong to the system job; times are cut to seconds."""
    later, earlier = moment_of(job), moment_of(operation)
    return later is None or earlier is None or later >= earlier - timedelta(seconds=1)
