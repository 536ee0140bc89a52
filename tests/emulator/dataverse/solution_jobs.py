# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on solutions that run by themselves: their rows change as time passes, looked at from one request to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ..store import Document
from .imports import hide_early_solution, show_end, show_progress, show_solution_early
from .organization import Organization, time_text
from .solution_effects import take_effect
from .solution_problems import HOLDING_SUFFIX, Problem, installed
from .solutions import write_history
from .system_jobs import operation_row

Kind = Literal["Import", "Hold", "Upgrade", "Promote", "Uninstall", "PublishAll"]
IMPORTS = frozenset({"Import", "Hold", "Upgrade"})
_STEMS: Mapping[str, str] = {"Promote": "promote", "Uninstall": "uninstall", "PublishAll": "publish"}
_EARLY = 0.25
_WAITING = 0.08
_HELD = 0.6


def stem(kind: str) -> str:
    """What the names of an operation's switches and times start with."""
    return _STEMS.get(kind, "import")


def start(
    org: Organization,
    kind: Kind,
    message: str,
    package: Mapping[str, Any],
    caller: Document,
    *,
    duration: float,
    problem: Problem | None = None,
    overwrite: bool = False,
    job_id: str | None = None,
    system_job: bool = True,
    locked_out: bool = False,
) -> Document:
    """Begin an operation; the rows that clients poll follow from it."""
    job: Document = {
        "asyncoperationid": org.world.new_id(),
        "importjobid": (job_id or org.world.new_id()) if kind in IMPORTS else None,
        "kind": kind,
        "package": dict(package),
        "message": message,
        "caller": caller["systemuserid"],
        "overwrite": overwrite,
        "started": org.world.now(),
        "duration": duration,
        "problem": None if problem is None else {"code": problem.code, "message": problem.message, "missing": problem.missing},
        "done": False,
        "locked_out": locked_out,
        "history": None if kind == "PublishAll" or locked_out else _history(org, kind, package),
    }
    org.tenant.collection("imports")[job["asyncoperationid"]] = job
    if system_job:
        org.put("asyncoperation", operation_row(org, job, caller))
    return job


def _history(org: Organization, kind: Kind, package: Mapping[str, Any]) -> str:
    """Begin the history row; the numbers of the operations and their kinds are not confirmed."""
    name, there = package["unique_name"], installed(org, package["unique_name"]) is not None
    if kind == "Uninstall":
        return write_history(org, package, 1, msdyn_status=0, msdyn_suboperation=0)
    if kind == "Promote":
        return write_history(org, package, 0, msdyn_status=0, msdyn_suboperation=2)
    if kind == "Hold" or (kind == "Upgrade" and there):
        return write_history(org, {**package, "unique_name": name + HOLDING_SUFFIX}, 0, msdyn_status=0, msdyn_suboperation=1)
    return write_history(org, package, 0, msdyn_status=0, msdyn_suboperation=3 if there else 1)


def advance_imports(org: Organization) -> None:
    """Bring the operations that run to where they are by now."""
    for job in list(org.tenant.collection("imports").values()):
        if not job["done"]:
            _advance(org, job)


def _advance(org: Organization, job: Document) -> None:
    elapsed = org.world.now() - job["started"]
    duration = job["duration"]
    if org.switch(f"{stem(job['kind'])}_stalls", default=False):
        elapsed = min(elapsed, duration / 2)
    problem = None if job["problem"] is None else Problem(**job["problem"])
    early = bool(problem) or told_to_fail(org, job, early=True) is not None
    ends_after = duration * (_EARLY if early else 1.0)
    row = org.row("asyncoperation", job["asyncoperationid"])
    if elapsed >= duration * _WAITING and row is not None and row["statuscode"] == 0:
        org.put("asyncoperation", {**row, "statecode": 2, "statuscode": 20})
    if elapsed >= ends_after:
        _finish(org, job, problem or told_to_fail(org, job, early=early), job["started"] + ends_after)
    elif job["kind"] in IMPORTS and not job["locked_out"] and elapsed >= float(org.tenant.timing.get("job_row", 0)):
        _advance_import(org, job, elapsed, fails=early)


def _advance_import(org: Organization, job: Document, elapsed: float, *, fails: bool) -> None:
    show_progress(org, job, elapsed)
    if job["kind"] == "Import" and not fails and org.switch("solution_row_early", default=False):
        show_solution_early(org, job)
    if job["kind"] == "Upgrade" and not fails and elapsed >= job["duration"] * _HELD and not job.get("held"):
        _hold(org, job)
    if org.switch("import_timeout", None) == "job" and elapsed >= job["duration"] / 2:
        row = org.row("asyncoperation", job["asyncoperationid"])
        if row is not None and row["statecode"] != 3:
            org.put("asyncoperation", {**row, **_failed(timeout_problem(), ""), "completedon": org.now_text()})


def timeout_problem() -> Problem:
    """Describe an operation that ran out of time while an import goes on."""
    text = "The operation timed out. This may be because a solution is currently being imported into this environment."
    hint = "Please try again after the solution import is completed. Solutions should be imported outside of working hours if possible."
    return Problem("0x80048543", f"{text} {hint}")


def _hold(org: Organization, job: Document) -> Document:
    """Half of an upgrade: the new version is beside the old one, and the history goes on with the old name."""
    package = job["package"]
    if installed(org, package["unique_name"]) is None:
        return org.tenant.collection("imports").change(job["asyncoperationid"], held=True)
    take_effect(org, {**job, "kind": "Hold"})
    holding = installed(org, package["unique_name"] + HOLDING_SUFFIX) or {}
    _end_history(org, job, org.world.now(), None, holding.get("solutionid"))
    history = write_history(org, package, 0, msdyn_status=0, msdyn_suboperation=2)
    return org.tenant.collection("imports").change(job["asyncoperationid"], held=True, history=history)


def told_to_fail(org: Organization, job: Document, *, early: bool) -> Problem | None:
    """Read the switch ``import_fails`` (or that of another operation): a message, or message, code and whether it fails before the job row exists."""
    told = org.switch(f"{stem(job['kind'])}_fails", None)
    if not told:
        return None
    details = told if isinstance(told, dict) else {"message": str(told)}
    if bool(details.get("early")) is not early:
        return None
    return Problem(str(details.get("code", "0x80048033")), str(details["message"]))


def _finish(org: Organization, job: Document, problem: Problem | None, moment: float) -> Problem | None:
    early = problem is not None and told_to_fail(org, job, early=True) is not None
    solution_id = None
    if problem is None and job["kind"] == "Upgrade" and not job.get("held"):
        job = _hold(org, job)
    if problem is None:
        outcome = take_effect(org, job)
        problem, solution_id = (outcome, None) if isinstance(outcome, Problem) else (None, outcome)
    if problem is not None:
        hide_early_solution(org, job)
    if job["kind"] in IMPORTS and not early and not job["locked_out"]:
        show_end(org, job, problem, moment, solution_id)
    row = org.row("asyncoperation", job["asyncoperationid"])
    if row is not None and row["statecode"] != 3:
        prefix = "Solution manifest import: FAILURE: " if job["kind"] in IMPORTS and not job["locked_out"] else ""
        ended = {"statecode": 3, "statuscode": 30} if problem is None else _failed(problem, "" if problem.code == "0x8004f046" else prefix)
        org.put("asyncoperation", {**row, **ended, "completedon": time_text(moment), "executiontimespan": round(moment - job["started"], 3)})
    _close(org, job, moment, problem, solution_id)
    return problem


def _failed(problem: Problem, prefix: str) -> Document:
    text = prefix + problem.detail
    return {"statecode": 3, "statuscode": 31, "message": text, "friendlymessage": problem.message, "errorcode": problem.number}


def _close(org: Organization, job: Document, moment: float, problem: Problem | None, solution_id: str | None) -> None:
    org.tenant.collection("imports").change(job["asyncoperationid"], done=True, solution_id=solution_id)
    _end_history(org, job, moment, problem, solution_id)


def _end_history(org: Organization, job: Document, moment: float, problem: Problem | None, solution_id: str | None) -> None:
    history = org.row("msdyn_solutionhistory", job["history"])
    if history is not None:
        ended = {"msdyn_status": 1, "msdyn_endtime": time_text(moment), "msdyn_result": problem is None, "msdyn_solutionid": solution_id}
        failed = {} if problem is None else {"msdyn_errorcode": problem.number, "msdyn_exceptionmessage": problem.message}
        org.put("msdyn_solutionhistory", {**history, **ended, **failed})


def finish_now(org: Organization, job: Document) -> Problem | None:
    """Run an operation to its end at once (the synchronous form), and tell what went wrong."""
    problem = (None if job["problem"] is None else Problem(**job["problem"])) or told_to_fail(org, job, early=False) or told_to_fail(org, job, early=True)
    return _finish(org, job, problem, org.world.now())


def cancel(org: Organization, operation: Document) -> Document:
    """End a running operation without its effect; an upgrade that has got half-way leaves its first half."""
    job = org.tenant.collection("imports").get(operation["asyncoperationid"])
    if job is not None and not job["done"]:
        hide_early_solution(org, job)
        _close(org, job, org.world.now(), Problem("0x80048033", "The job was canceled."), None)
    return org.put("asyncoperation", {**operation, "statecode": 3, "statuscode": 32, "completedon": org.now_text()})
