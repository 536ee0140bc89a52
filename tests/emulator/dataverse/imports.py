# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports that run by themselves: their rows change as time passes, looked at from one request to the next."""

from __future__ import annotations

from typing import Any

from ..store import Document
from ..wire import ServiceError
from .errors import fault
from .import_report import job_data
from .organization import Organization, empty_row, time_text
from .solutions import Problem, apply, problem_of, write_history

# A whole import is recorded to end at this progress, one that misses a dependency at the other.
_PROGRESS_AT_END = 73.08
_PROGRESS_AT_FAILURE = 14.8
_EARLY = 0.25
_WAITING = 0.08


def running(org: Organization) -> Document | None:
    """Find the import that runs now."""
    return next((job for job in org.tenant.collection("imports").values() if not job["done"]), None)


def require_unlocked(org: Organization, operation: str) -> None:
    """Refuse a second operation on solutions while one runs."""
    lock = locked(org, operation)
    if lock is not None:
        raise lock


def locked(org: Organization, operation: str) -> ServiceError | None:
    """Make the refusal of an operation that has to wait for a running import."""
    if running(org) is None:
        return None
    problem = lock_problem(operation)
    # Whether Retry-After comes with it is not confirmed.
    wait = org.switch("lock_retry_after", None)
    return fault(429, problem.code, problem.message, **({} if wait is None else {"retry_after": str(wait)}))


def lock_problem(operation: str) -> Problem:
    """Describe the lock that a running import holds."""
    text = f"Cannot start another [{operation}] because there is a previous [Import] running at this moment."
    return Problem("0x80071151", f"{text} Use Solution History for more details.")


def start(
    org: Organization,
    package: dict[str, Any],
    caller: Document,
    message: str,
    *,
    overwrite: bool,
    problem: Problem | None,
    job_id: str | None,
) -> Document:
    """Begin an import; the rows that clients poll follow from it."""
    now = org.world.now()
    duration = float(org.tenant.timing.get("import", 3.0))
    job: Document = {
        "asyncoperationid": org.world.new_id(),
        "importjobid": job_id or org.world.new_id(),
        "package": package,
        "message": message,
        "caller": caller["systemuserid"],
        "overwrite": overwrite,
        "started": now,
        "duration": duration,
        "problem": None if problem is None else {"code": problem.code, "message": problem.message, "missing": problem.missing},
        "done": False,
        "history": write_history(org, package, 0, msdyn_status=0),
    }
    org.tenant.collection("imports")[job["asyncoperationid"]] = job
    org.put("asyncoperation", _operation_row(org, job, caller))
    return job


def _operation_row(org: Organization, job: Document, caller: Document) -> Document:
    system = next((row["systemuserid"] for row in org.rows("systemuser") if row.get("_special") == "SYSTEM"), None)
    created = time_text(job["started"])
    return empty_row(
        "asyncoperation",
        {
            "asyncoperationid": job["asyncoperationid"],
            "name": "ImportSolution",
            "messagename": job["message"],
            "operationtype": 54,
            "subtype": 1,
            "depth": 1,
            "statecode": 0,
            "statuscode": 0,
            "createdon": created,
            "startedon": created,
            "expanderstarttime": created,
            "correlationupdatedtime": created,
            "correlationid": org.world.new_id(),
            "parentpluginexecutionid": "00000000-0000-0000-0000-000000000000",
            "iswaitingforevent": False,
            "retainjobhistory": False,
            "retrycount": 0,
            "timezoneruleversionnumber": 0,
            "sequence": org.next_version(),
            "hostid": "EMU001.MSCRMAsyncService",
            "dependencytoken": f"SolutionOperation_{{{org.id}}}",
            "_ownerid_value": caller["systemuserid"],
            "_owninguser_value": caller["systemuserid"],
            "_owningbusinessunit_value": caller["_businessunitid_value"],
            "_createdby_value": system,
            "_modifiedby_value": system,
            "_createdonbehalfby_value": caller["systemuserid"],
            "_modifiedonbehalfby_value": caller["systemuserid"],
        },
    )


def advance_imports(org: Organization) -> None:
    """Bring the running import to where it is by now."""
    for job in list(org.tenant.collection("imports").values()):
        if not job["done"]:
            _advance(org, job)


def _advance(org: Organization, job: Document) -> None:
    elapsed = org.world.now() - job["started"]
    duration = job["duration"]
    if org.switch("import_stalls", default=False):
        elapsed = min(elapsed, duration / 2)
    problem = None if job["problem"] is None else Problem(**job["problem"])
    early = bool(problem) or _told_to_fail(org, early=True) is not None
    ends_after = duration * (_EARLY if early else 1.0)
    row = org.row("asyncoperation", job["asyncoperationid"])
    if elapsed >= duration * _WAITING and row is not None and row["statuscode"] == 0:
        org.put("asyncoperation", {**row, "statecode": 2, "statuscode": 20})
    if elapsed >= ends_after:
        _finish(org, job, problem or _told_to_fail(org, early=early), job["started"] + ends_after)
    elif elapsed >= float(org.tenant.timing.get("job_row", 0)):
        _show_progress(org, job, round(_PROGRESS_AT_END * elapsed / duration, 2))


def _told_to_fail(org: Organization, *, early: bool) -> Problem | None:
    """Read the switch ``import_fails``: a message, or message, code and whether it fails before the job row exists."""
    told = org.switch("import_fails", None)
    if not told:
        return None
    details = told if isinstance(told, dict) else {"message": str(told)}
    if bool(details.get("early")) is not early:
        return None
    return Problem(str(details.get("code", "0x80048033")), str(details["message"]))


def _show_progress(org: Organization, job: Document, progress: float) -> None:
    row = org.row("importjob", job["importjobid"])
    # Small steps are not worth a write at each poll.
    if row is None or progress - row["progress"] >= 1:
        _put_job(org, job, row, progress=progress, data=job_data(job["package"], progress, job["started"], org.world.now(), None, done=False))


def _put_job(org: Organization, job: Document, row: Document | None, **values: Any) -> None:
    fixed = {
        "importjobid": job["importjobid"],
        "name": "Customizations",
        "solutionname": job["package"]["unique_name"],
        "startedon": time_text(job["started"]),
        "createdon": time_text(job["started"]),
        "_createdby_value": job["caller"],
        "_modifiedby_value": job["caller"],
        "_organizationid_value": org.id,
        "importcontext": "ImportInstall",
        "operationcontext": "New",
    }
    org.put("importjob", {**(row or empty_row("importjob", fixed)), **values})


def _finish(org: Organization, job: Document, problem: Problem | None, moment: float) -> None:
    early = problem is not None and _told_to_fail(org, early=True) is not None
    solution_id = None
    if problem is None:
        solution_id = apply(org, job["package"], job["caller"], overwrite=job["overwrite"])["solutionid"]
    progress = _PROGRESS_AT_END if problem is None else _PROGRESS_AT_FAILURE
    if not early:
        data = job_data(job["package"], progress, job["started"], moment, problem, done=True)
        _put_job(org, job, org.row("importjob", job["importjobid"]), progress=progress, data=data, completedon=time_text(moment), solutionid=solution_id)
    row = org.row("asyncoperation", job["asyncoperationid"])
    if row is not None:
        outcome: Document = {"statecode": 3, "statuscode": 30}
        if problem is not None:
            text = f"Solution manifest import: FAILURE: {problem.detail}"
            outcome = {"statecode": 3, "statuscode": 31, "message": text, "friendlymessage": problem.message, "errorcode": problem.number}
        org.put("asyncoperation", {**row, **outcome, "completedon": time_text(moment), "executiontimespan": round(moment - job["started"], 3)})
    _close(org, job, moment, problem, solution_id)


def _close(org: Organization, job: Document, moment: float, problem: Problem | None, solution_id: str | None) -> None:
    org.tenant.collection("imports").change(job["asyncoperationid"], done=True)
    history = org.row("msdyn_solutionhistory", job["history"])
    if history is not None:
        ended = {"msdyn_status": 1, "msdyn_endtime": time_text(moment), "msdyn_result": problem is None, "msdyn_solutionid": solution_id}
        failed = {} if problem is None else {"msdyn_errorcode": problem.number, "msdyn_exceptionmessage": problem.message}
        org.put("msdyn_solutionhistory", {**history, **ended, **failed})


def finish_now(org: Organization, job: Document) -> Problem | None:
    """Run an import to its end at once (the synchronous form), and tell what went wrong."""
    problem = (None if job["problem"] is None else Problem(**job["problem"])) or _told_to_fail(org, early=False) or _told_to_fail(org, early=True)
    _finish(org, job, problem, org.world.now())
    return problem


def cancel(org: Organization, operation: Document) -> Document:
    """End a running import without its effect."""
    job = org.tenant.collection("imports").get(operation["asyncoperationid"])
    if job is not None and not job["done"]:
        _close(org, job, org.world.now(), Problem("0x80048033", "The job was canceled."), None)
    return org.put("asyncoperation", {**operation, "statecode": 3, "statuscode": 32, "completedon": org.now_text()})


def problem_for(org: Organization, package: dict[str, Any], *, upgrade: bool, may_import_roles: bool) -> Problem | None:
    """Find what will make an import fail."""
    if package["roles"] and not may_import_roles:
        return Problem("0x80048018", "You do not have the necessary privileges to import security roles.")
    return problem_of(org, package, upgrade=upgrade)
