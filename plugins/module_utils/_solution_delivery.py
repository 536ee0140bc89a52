# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a solution package into an organisation: start its import or attach to one that runs, follow it, verify the end.

This file is private to the collection.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ._dataverse import SOLUTION_LOCK, Dataverse
from ._errors import InvalidOption, NotPossible, OutcomeUnknown, ServiceRefused, TaskError, WaitedTooLong
from ._http import Clock
from ._plan import Json, Plan, Write
from ._solution_import_results import ImportEnd, failure, judge_import
from ._solution_imports import ImportJob, Imports, Look
from ._solution_package import SolutionPackage
from ._solution_versions import compare_versions
from ._solutions import Action, ImportSettings, InstalledSolution, decide, plan_import, read_solutions, role_ids
from ._wait import until

MAX_UNANSWERED = 2
"""So many starts may go unanswered, and provably without effect, before that is an error."""
VISIBLE_WITHIN = 30
"""Seconds until what an import wrote can be read everywhere."""

Resolve = Callable[[Write, TaskError], str | None]
CarryOut = Callable[[Plan, Resolve], dict[str, str]]


@dataclass(frozen=True)
class Patience:
    """How long to wait for what, in seconds."""

    import_end: float
    lock: float
    poll: float


@dataclass(frozen=True)
class Started:
    """An import that runs, or ran."""

    job: ImportJob
    plan: Plan | None = None
    """What this run wrote to start it; None if it was started elsewhere."""
    assumed: bool = False
    """The start was not answered; this is the import that was found."""


@dataclass(frozen=True)
class Verified:
    """What is there after an import."""

    solution: InstalledSolution
    role_ids: Mapping[str, str]
    end: ImportEnd


@dataclass(frozen=True)
class SolutionDelivery:
    """One package on its way into one organisation."""

    api: Dataverse
    clock: Clock
    tell: Callable[[str], None]
    package: SolutionPackage
    settings: ImportSettings
    patience: Patience

    def imports(self, import_job_id: str = "") -> Imports:
        """The imports of this package's solution; with an id of our own, synchronous ones."""
        return Imports(self.api, self.clock, self.tell, self.package.unique_name, self.patience.poll, import_job_id)

    def plan(self, installed: InstalledSolution | None, import_job_id: str) -> Plan:
        """The import as a write."""
        if not import_job_id:
            return plan_import(self.package, installed, self.settings, import_job_id="", id_from=lambda answer: ImportJob.from_answer(answer).text())
        return plan_import(self.package, installed, self.settings, import_job_id=import_job_id, id_from=lambda _answer: ImportJob(import_job_id).text())

    def start(self, installed: InstalledSolution | None, import_job_id: str, carry_out: CarryOut, deadline: float) -> Started | None:
        """Start the import, or find the one that runs. Waits for other customizations until ``deadline``. None if the solution came meanwhile."""
        pause, waited, unanswered = 0.5, False, 0
        while True:
            imports = self.imports(import_job_id)
            look = imports.look()
            if look.ours:
                self.tell(f"an import of {self.package.unique_name} runs already; it is not started a second time")
                return Started(look.ours)
            if waited and decide(self.package, installed := self.read()) is Action.NONE:
                return None
            tried = self._another_runs(look.other) if look.other else self._start_once(imports, look, self.plan(installed, import_job_id), carry_out)
            if isinstance(tried, Started):
                return tried
            if tried.status == 404:
                import_job_id = str(uuid.uuid4())  # an older organisation: only the synchronous import
                continue
            unanswered += isinstance(tried, OutcomeUnknown)
            if unanswered >= MAX_UNANSWERED or self.clock.now() + pause > deadline:
                raise tried
            if not isinstance(tried, OutcomeUnknown):
                self.tell(f"waiting to import {self.package.unique_name}: {getattr(tried, 'message', '') or tried.why}")
            self.clock.sleep(pause)
            pause, waited = min(pause * 2, self.patience.poll), True

    def _start_once(self, imports: Imports, before: Look, plan: Plan, carry_out: CarryOut) -> Started | TaskError:
        """The started import, or the error after which another try is right; any other error is raised."""
        found: list[str] = []

        def resolve(_write: Write, error: TaskError) -> str | None:
            text = imports.resolve(before, error)
            found.extend([text] if text else [])
            return text

        try:
            known = carry_out(plan, resolve)
        except OutcomeUnknown as error:
            return error
        except ServiceRefused as error:
            if error.code.lower() in SOLUTION_LOCK or (error.status == 404 and not imports.import_job_id):
                return error
            raise self._with_components(error, imports.import_job_id) from error
        return Started(ImportJob.from_text(known["import"]), plan, assumed=bool(found))

    def finish(self, started: Started) -> ImportEnd:
        """Follow the import to its end and judge it; a failed import is told in the result, not raised."""
        imports = self.imports()
        try:
            # A synchronous import that was answered is over
            over = started.plan is not None and not started.assumed and not started.job.async_operation_id
            row = None if over else imports.follow(started.job, self.patience.import_end)
            job = imports.job(started.job, with_data=True)
            return ImportEnd(succeeded=True) if over and job is None else judge_import(row, job)
        except TaskError as error:
            error.facts.setdefault("import_job", started.job.to_result())
            if started.plan:
                error.done = [write.summary for write in started.plan.writes]
            raise

    def concerns_another(self, end: ImportEnd) -> bool:
        """Whether the import was of another solution than this one."""
        return bool(end.solution_name) and end.solution_name.lower() != self.package.unique_name.lower()

    def follow_given(self, job: ImportJob) -> Verified:
        """Follow the import that an earlier task started, and verify."""
        end = self.finish(Started(job))
        if self.concerns_another(end):
            raise InvalidOption("import_job", f"is an import of the solution {end.solution_name}, not of {self.package.unique_name}.")
        return self.verify(end, job)

    def bring(self, installed: InstalledSolution | None, import_job_id: str, carry_out: CarryOut) -> tuple[Started, Verified] | None:
        """Start, follow, verify; start again if the import only met a lock. None if the solution came meanwhile."""
        deadline = self.clock.now() + self.patience.lock
        while started := self.start(installed, import_job_id, carry_out, deadline):
            end = self.finish(started)
            retry = end.locked_out and self.clock.now() + self.patience.poll < deadline
            if not retry and not (started.assumed and self.concerns_another(end)):
                return started, self.verify(end, started.job)
            self.tell(f"the import of {self.package.unique_name} met another customization; starting it again")
            self.clock.sleep(self.patience.poll)
        return None

    def read(self) -> InstalledSolution | None:
        """The installed solution."""
        return read_solutions(self.api, [self.package.unique_name]).get(self.package.unique_name.lower())

    def verify(self, end: ImportEnd, job: ImportJob) -> Verified:
        """Raise if the import failed; else read back the solution and its roles."""
        doing = f"import the solution {self.package.unique_name} {self.package.version}"
        facts: Json = {"import_job": job.to_result()}
        if not end.succeeded:
            raise failure(end, doing, facts)
        solution: InstalledSolution | None = None
        roles: Mapping[str, str] = {}

        def look() -> Verified | None:
            nonlocal solution, roles
            solution = self.read()
            if solution is None or compare_versions(solution.version, self.package.version) < 0:
                return None
            roles = role_ids(self.api, self.package)
            return Verified(solution, roles, end) if len(roles) == len(self.package.roles) else None

        verified = until(self.clock, look, seconds=VISIBLE_WITHIN)
        if verified:
            return verified
        if solution is None or compare_versions(solution.version, self.package.version) < 0:
            there = f"version {solution.version} of it" if solution else "no such solution"
            why = f"the organisation reports success, but shows {there}."
        else:
            missing = ", ".join(role.name for role in self.package.roles if role.id not in roles)
            why = f"the organisation reports success, but these roles of the package are not there: {missing}."
        raise NotPossible(doing=doing, why=why, next_step="Look at the organisation's Solution history, then run again.", facts=facts)

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
        end = judge_import({"message": error.message}, self.imports().job(job, with_data=True))
        told = failure(end, error.doing, {"import_job": job.to_result()})
        told.code, told.status, told.request_id = end.code or error.code, error.status, error.request_id
        return told if end.components else error
