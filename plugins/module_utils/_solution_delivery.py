# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a solution package into an organisation: start its import or attach to one that runs, follow it.

This file is private to the collection.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from ._dataverse import IMPORT_TIMED_OUT, Dataverse, is_lock
from ._errors import InvalidOption, OutcomeUnknown, ServiceRefused, TaskError, WaitedTooLong
from ._http import Clock
from ._odata import Row
from ._plan import Plan, Write
from ._rows import text
from ._solution_activity import Activity, LockWait
from ._solution_import_failures import failure
from ._solution_import_reports import is_wanted, read_report, supplemented
from ._solution_import_results import FAILED, ImportEnd, hex_code, judge_import
from ._solution_imports import ImportJob, Imports, Look
from ._solution_package import SolutionPackage
from ._solution_rules import Action, Rules, route
from ._solution_turns import CarryOut, Patience
from ._solution_validation import Validation
from ._solution_writes import IMPORT, ImportSettings, import_write
from ._solutions import Standing, read_standing

NO_RULES = Rules()
MAX_UNANSWERED = 4
"""So many starts may go unanswered, and provably without effect, before that is an error."""


@dataclass(frozen=True)
class Started:
    """An import that runs, or ran."""

    job: ImportJob
    action: Action | None = None
    """What the import does, or is taken to do if it was started elsewhere; None if that does not matter any more."""
    writes: tuple[Write, ...] = ()
    """What this run wrote to start it; none if it was started elsewhere."""
    assumed: bool = False
    """The start was not answered; this is the import that was found."""

    @property
    def waits_for_apply(self) -> bool:
        """A synchronous upgrade has only brought the package in beside the old one."""
        return self.action is Action.UPGRADE and not self.job.async_operation_id


def begun(write: Write) -> str:
    """What was done by a write, as long as it is not known whether an import that it started works."""
    return f"{write.summary} (started)" if write.yields == IMPORT else write.summary


@dataclass(frozen=True)
class SolutionDelivery:
    """One package on its way into one organisation."""

    api: Dataverse
    clock: Clock
    tell: Callable[[str], None]
    package: SolutionPackage
    settings: ImportSettings
    patience: Patience
    rules: Rules = NO_RULES
    validate: bool = False

    def imports(self, import_job_id: str = "") -> Imports:
        """The imports of this package's solution; with an id of our own, synchronous ones."""
        return Imports(self.api, self.clock, self.tell, self.package.unique_name, self.patience.poll, import_job_id)

    @property
    def activity(self) -> Activity:
        """Everything that goes on with solutions in the organisation."""
        return Activity(self.api, self.clock)

    def read(self) -> Standing:
        """What is installed."""
        return read_standing(self.api, self.package.unique_name)

    def write(self, standing: Standing, action: Action, import_job_id: str, upload_id: str = "") -> Write:
        """The import as a write."""
        return import_write(
            self.package,
            standing.installed,
            action,
            self.settings,
            import_job_id=import_job_id,
            upload_id=upload_id,
            id_from=lambda answer: (ImportJob(import_job_id) if import_job_id else ImportJob.from_answer(answer)).text(),
        )

    def start(self, standing: Standing, action: Action, import_job_id: str, carry_out: CarryOut, deadline: float) -> Started | None:
        """Start the import, or find the one that runs. Waits for other customizations until ``deadline``. None if the solution came meanwhile."""
        pause, waited, unanswered = 0.5, False, 0
        waiting = LockWait(self.activity, self.tell, f"import {self.package.unique_name}", deadline - self.clock.now())
        validation = Validation(self.package, self.tell)
        while True:
            imports = self.imports(import_job_id)
            look = imports.look()
            if look.ours:
                self.tell(f"an import of {self.package.unique_name} runs already; it is not started a second time")
                return Started(look.ours, action, validation.writes)
            if waited or look.lately:
                # What was read before can be out of date, and the package must not come in twice
                standing = self.read()
                action = route(self.package, standing, self.rules, two_calls=bool(import_job_id)).action
                if action is Action.NONE:
                    return None
            if self.validate and not look.other and not validation.writes:
                validation.carry_out(carry_out)
            write = self.write(standing, action, import_job_id, validation.upload_id)
            tried = self._another_runs(look.other) if look.other else self._start_once(imports, look, write, action, carry_out)
            if isinstance(tried, Started):
                return Started(tried.job, action, (*validation.writes, *tried.writes), assumed=tried.assumed)
            if tried.status == 404:
                import_job_id = str(uuid.uuid4())  # an older organisation: only the synchronous import
                continue
            unanswered += isinstance(tried, OutcomeUnknown)
            if unanswered >= MAX_UNANSWERED or self.clock.now() + pause > deadline:
                raise tried if isinstance(tried, OutcomeUnknown) else waiting.over(tried)
            if not isinstance(tried, OutcomeUnknown):
                waiting.told(tried)
            self.clock.sleep(pause)
            pause, waited = min(pause * 2, self.patience.poll), True

    def _start_once(self, imports: Imports, before: Look, write: Write, action: Action, carry_out: CarryOut) -> Started | TaskError:
        """The started import, or the error after which another try is right; any other error is raised."""
        found: list[str] = []

        def resolve(_write: Write, error: TaskError) -> str | None:
            text = imports.resolve(before, error)
            found.extend([text] if text else [])
            return text

        try:
            known = carry_out(Plan({}, {}, (write,)), resolve)
        except OutcomeUnknown as error:
            return error
        except ServiceRefused as error:
            if is_lock(error.code, error.message) or (error.status == 404 and not imports.import_job_id):
                return error
            raise self._with_components(error, imports.import_job_id) from error
        return Started(ImportJob.from_text(known[IMPORT]), action, (write,), assumed=bool(found))

    def finish(self, started: Started) -> ImportEnd:
        """Follow the import to its end and judge it; a failed import is told in the result, not raised."""
        imports = self.imports()
        try:
            # A synchronous import that was answered is over
            over = bool(started.writes) and not started.assumed and not started.job.async_operation_id
            row = None if over else imports.follow(started.job, self.patience.import_end)
            if row and started.job.id and hex_code(row.get("errorcode")).lower() == IMPORT_TIMED_OUT:
                self.tell(f"the system job of the import of {self.package.unique_name} timed out, but the import goes on; following it by its import job")
                row = imports.follow(ImportJob(started.job.id), self.patience.import_end)
            job = imports.job(started.job, with_data=True)
            return ImportEnd(succeeded=True) if over and job is None else self._complete(judge_import(row, job), job)
        except TaskError as error:
            error.facts.setdefault("import_job", started.job.to_result())
            error.done = [*(begun(write) for write in started.writes), *error.done]
            raise

    def _complete(self, end: ImportEnd, job: Row | None) -> ImportEnd:
        """Ask the second source about the import where the first one leaves something open."""
        job_id = text(job, "importjobid") if job else None
        report = read_report(self.api, job_id) if job and job_id and is_wanted(end, job) else None
        return supplemented(end, report) if report else end

    def concerns_another(self, end: ImportEnd) -> bool:
        """Whether the import was of another solution than this one."""
        return bool(end.solution_name) and not self.imports().means_ours(end.solution_name)

    def finish_given(self, job: ImportJob) -> ImportEnd:
        """Follow the import that an earlier task started."""
        end = self.finish(Started(job))
        if self.concerns_another(end):
            raise InvalidOption("import_job", f"is an import of the solution {end.solution_name}, not of {self.package.unique_name}.")
        return end

    def bring(self, standing: Standing, action: Action, import_job_id: str, carry_out: CarryOut) -> tuple[Started, ImportEnd] | None:
        """Start and follow; start again if the import only met a lock. None if the solution came meanwhile."""
        deadline = self.clock.now() + self.patience.lock
        while started := self.start(standing, action, import_job_id, carry_out, deadline):
            end = self.finish(started)
            retry = end.locked_out and self.clock.now() + self.patience.poll < deadline
            if not retry and not (started.assumed and self.concerns_another(end)):
                return started, end
            self.tell(f"the import of {self.package.unique_name} met another customization; starting it again")
            self.clock.sleep(self.patience.poll)
        return None

    def _another_runs(self, what: str) -> TaskError:
        return WaitedTooLong(
            doing=f"start the import of {self.package.unique_name}",
            why=f"{what} imports a solution in the organisation.",
            next_step="Wait until it is done (Solution history shows it) and run again, or raise lock_timeout.",
            service="dataverse",
        )

    def _with_components(self, error: ServiceRefused, import_job_id: str) -> ServiceRefused:
        """A synchronous import that fails is refused; which component was at fault is in its import job."""
        if not import_job_id:
            return error
        job = ImportJob(import_job_id)
        row = self.imports().job(job, with_data=True)
        end = self._complete(judge_import({"statuscode": FAILED, "message": error.message}, row), row)
        told = failure(end, error.doing, {"import_job": job.to_result()})
        told.code, told.status, told.request_id = end.code or error.code, error.status, error.request_id
        return told if end.components else error
