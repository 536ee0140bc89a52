# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishing, uninstalling, and applying an upgrade that is held."""

from __future__ import annotations

from typing import Any

from ..store import Document
from ..wire import Response
from .context import Context
from .errors import bad_payload, fault, no_such_row
from .organization import Organization
from .present import JSON_TYPE
from .solution_calls import only, reply, required_text, run_in_background, run_now
from .solution_lock import require_unlocked
from .solution_problems import HOLDING_SUFFIX, Problem, installed
from .solution_removal import dependencies_on, dependency_row, promotion_problem, removal_problem
from .tables import TABLES

_RESTRICTED = ("fd140aae-4df4-11dd-bd17-0019b9312238", "fd140aaf-4df4-11dd-bd17-0019b9312238")


def publish_all(context: Context, operation: str) -> Response:
    """PublishAllXml, PublishXml and PublishAllXmlAsync: nothing to see afterwards, but they need and hold the lock."""
    body = context.json(operation) if context.body.strip() else {}
    only(body, operation, "ParameterXml")
    if operation == "PublishXml" and not isinstance(body.get("ParameterXml"), str):
        raise bad_payload(operation, "The required parameter 'ParameterXml' of type 'Edm.String' is missing.")
    context.access.require("prvPublishCustomization")
    nothing: Document = {"unique_name": "", "version": "", "managed": False, "publisher": {"unique_name": ""}}
    if operation.endswith("Async"):
        job = run_in_background(context, "PublishAll", operation, nothing)
        return reply(context, operation, AsyncOperationId=job["asyncoperationid"])
    return run_now(context, "PublishAll", operation, nothing, lambda _unused: Response(204))


def uninstall_dependencies(context: Context, parameters: dict[str, Any]) -> Response:
    """RetrieveDependenciesForUninstall: who needs what of a solution."""
    context.access.require("prvReadSolution")
    name = str(parameters.get("SolutionUniqueName", ""))
    solution = installed(context.org, name)
    if solution is None:
        raise no_such_row("solution", name)
    rows = [dependency_row(context.org, item, solution, other) for item, other in dependencies_on(context.org, solution)]
    return Response.of_json(200, {"@odata.context": f"{context.api}/$metadata#dependencies", "value": rows}, JSON_TYPE)


def delete_solution(context: Context, solution: Document) -> Response:
    """DELETE of a solution's row: uninstall it before the answer."""
    package = _removable(context, solution)
    problem = removal_problem(context.org, solution)
    if problem is not None:
        raise _refusal(context.org, problem)
    return run_now(context, "Uninstall", "UninstallSolution", package, lambda _unused: Response(204))


def uninstall_solution_async(context: Context, operation: str) -> Response:
    """UninstallSolutionAsync: the same as a system job. Whether blockers refuse the call or fail the job is not confirmed."""
    body = context.json(operation)
    only(body, operation, "SolutionUniqueName")
    name = required_text(body, operation, "SolutionUniqueName")
    solution = installed(context.org, name)
    if solution is None:
        raise no_such_row("solution", name)
    package = _removable(context, solution)
    problem = removal_problem(context.org, solution)
    if problem is not None and context.org.switch("uninstall_async_refusal", "answer") == "answer":
        raise _refusal(context.org, problem)
    job = run_in_background(context, "Uninstall", operation, package, problem=problem)
    return reply(context, operation, AsyncOperationId=job["asyncoperationid"])


def _removable(context: Context, solution: Document) -> Document:
    context.access.require_on(TABLES["solution"], "Delete", solution)
    if solution["solutionid"] in _RESTRICTED:
        raise fault(400, "0x8004f005", "Attempting to delete a restricted solution.")
    if not context.org.switch("lock_in_job", default=False):
        require_unlocked(context.org, "Uninstall")
    publisher = context.org.row("publisher", solution["_publisherid_value"]) or {"uniquename": ""}
    return {
        "unique_name": solution["uniquename"],
        "version": solution["version"],
        "managed": solution["ismanaged"],
        "publisher": {"unique_name": publisher["uniquename"]},
        "parent": solution["_parentsolutionid_value"],
    }


def _refusal(org: Organization, problem: Problem) -> Exception:
    return fault(int(org.switch("uninstall_refusal_status", 400)), problem.code, problem.message)


def delete_and_promote(context: Context, operation: str) -> Response:
    """DeleteAndPromote and DeleteAndPromoteAsync: the holding solution takes the place of the old one."""
    body = context.json(operation)
    only(body, operation, "UniqueName")
    name = required_text(body, operation, "UniqueName")
    context.access.require("prvImportCustomization")
    if not (operation.endswith("Async") and context.org.switch("lock_in_job", default=False)):
        require_unlocked(context.org, "Upgrade")
    problem = promotion_problem(context.org, name)
    if problem is not None:
        raise fault(400, problem.code, problem.message)
    package = (installed(context.org, name + HOLDING_SUFFIX) or {})["_package"]
    if operation.endswith("Async"):
        job = run_in_background(context, "Promote", operation, package, overwrite=True)
        return reply(context, operation, AsyncOperationId=job["asyncoperationid"])
    return run_now(context, "Promote", operation, package, lambda job: reply(context, operation, SolutionId=job["solution_id"]), overwrite=True)
