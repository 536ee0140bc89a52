# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations that bring packages in: importing, holding for an upgrade, upgrading."""

from __future__ import annotations

from typing import Any

from ..wire import Response
from .context import Context
from .errors import bad_payload, fault
from .resource import is_guid
from .solution_calls import only, reply, run_in_background, run_now, seconds_of
from .solution_jobs import Kind, start, timeout_problem
from .solution_lock import require_unlocked
from .solution_package import decode, read
from .solution_problems import Problem, problem_of

_PARAMETERS = frozenset(
    "OverwriteUnmanagedCustomizations PublishWorkflows CustomizationFile ConvertToManaged SkipProductUpdateDependencies HoldingSolution ComponentParameters "
    "SolutionParameters LayerDesiredOrder AsyncRibbonProcessing SkipQueueRibbonJob IsTemplateMode TemplateSuffix".split()
)
_PARAMETER_KEYS = {"connectionreference": "connectionreferencelogicalname", "environmentvariablevalue": "schemaname"}


def _check_parameters(context: Context, body: dict[str, Any], operation: str, *extra: str) -> None:
    allowed = _PARAMETERS.union(extra)
    if context.org.version < (9, 1, 16547, 0):
        allowed = allowed - {"ComponentParameters", "SolutionParameters"}
    if operation.startswith("StageAndUpgrade"):
        allowed = allowed - {"HoldingSolution"}
    only(body, operation, *allowed)
    for name in ("OverwriteUnmanagedCustomizations", "PublishWorkflows"):
        if not isinstance(body.get(name), bool):
            raise bad_payload(operation, f"The required parameter '{name}' of type 'Edm.Boolean' is missing or has another type.")
    if not isinstance(body.get("HoldingSolution", False), bool):
        raise bad_payload(operation, "Cannot convert a value to the expected type 'Edm.Boolean'.")


def _component_parameters(body: dict[str, Any], operation: str) -> list[dict[str, Any]]:
    """Check the connection references and values that come with a package."""
    items = body.get("ComponentParameters") or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise bad_payload(operation, "The parameter 'ComponentParameters' must be a collection of Microsoft.Dynamics.CRM.crmbaseentity.")
    for item in items:
        kind = str(item.get("@odata.type", "")).rpartition("Microsoft.Dynamics.CRM.")[2]
        if kind not in _PARAMETER_KEYS:
            raise bad_payload(operation, f"A type named '{item.get('@odata.type')}' could not be resolved for a component parameter.")
        if not isinstance(item.get(_PARAMETER_KEYS[kind]), str):
            raise bad_payload(operation, f"The component parameter of type '{kind}' needs the property '{_PARAMETER_KEYS[kind]}'.")
    return items


def _package(context: Context, body: dict[str, Any], operation: str) -> dict[str, Any]:
    """Read the package from the body, or the staged one that it names."""
    context.access.require("prvImportCustomization")
    parameters = _component_parameters(body, operation)
    staged_id = (body.get("SolutionParameters") or {}).get("StageSolutionUploadId")
    if staged_id is not None:
        staged = context.org.row("stagesolutionupload", str(staged_id).lower())
        if staged is not None:
            return {**staged["_package"], "parameters": parameters}
    if body.get("CustomizationFile") is None:
        raise fault(400, "0x8004f066", "Neither CustomizationFile nor a valid StageSolutionUploadId was given.")
    return {**read(decode(body["CustomizationFile"], operation)), "parameters": parameters}


def _kind(body: dict[str, Any], operation: str) -> Kind:
    if operation.startswith("StageAndUpgrade"):
        return "Upgrade"
    return "Hold" if body.get("HoldingSolution") else "Import"


def _problem(context: Context, package: dict[str, Any], kind: Kind) -> Problem | None:
    if package["roles"] and not (context.access.holds("prvCreateRole") and context.access.holds("prvWriteRole")):
        return Problem("0x80048018", "You do not have the necessary privileges to import security roles.")
    return problem_of(context.org, package, upgrade=kind == "Upgrade", holding=kind == "Hold")


def _job_id(context: Context, body: dict[str, Any], operation: str) -> str:
    job_id = body.get("ImportJobId")
    if not isinstance(job_id, str) or not is_guid(job_id):
        raise bad_payload(operation, "The required parameter 'ImportJobId' of type 'Edm.Guid' is missing or has another type.")
    wanted = job_id.lower()
    if any(job["importjobid"] == wanted and not job["done"] for job in context.org.tenant.collection("imports").values()):
        text = f"Cannot create the solution job using the supplied JobId ({wanted}) as it is already in use."
        raise fault(400, "0x80071155", f"{text} This may indicate that another solution operation is progress. Please try again later.")
    if context.org.row("importjob", wanted) is not None:
        raise fault(400, "0x80071152", "Parameter ImportJobId must be unique.")
    return wanted


def import_solution_async(context: Context, operation: str) -> Response:
    """ImportSolutionAsync and StageAndUpgradeAsync: check the file, start the job, answer 200 whatever becomes of it."""
    body = context.json(operation)
    takes_job_id = not context.org.switch("reject_import_job_id", default=True)
    _check_parameters(context, body, operation, *(("ImportJobId",) if takes_job_id else ()))
    package = _package(context, body, operation)
    job_id = _job_id(context, body, operation) if "ImportJobId" in body else None
    kind = _kind(body, operation)
    problem = _problem(context, package, kind)
    job = run_in_background(context, kind, operation, package, problem=problem, overwrite=body["OverwriteUnmanagedCustomizations"], job_id=job_id)
    if context.org.switch("import_timeout", None) == "answer":
        return _timed_out(context)
    return reply(context, operation, ImportJobKey=job["importjobid"], AsyncOperationId=job["asyncoperationid"])


def import_solution(context: Context, operation: str) -> Response:
    """ImportSolution and StageAndUpgrade: the same at once, with a failure in the answer."""
    body = context.json(operation)
    _check_parameters(context, body, operation, "ImportJobId")
    package = _package(context, body, operation)
    job_id = _job_id(context, body, operation)
    kind, overwrite = _kind(body, operation), body["OverwriteUnmanagedCustomizations"]
    problem = _problem(context, package, kind)
    if context.org.switch("import_timeout", None) == "answer":
        require_unlocked(context.org, "Import")
        seconds = seconds_of(context, kind, in_background=True)
        options = {"problem": problem, "overwrite": overwrite, "job_id": job_id, "system_job": False}
        start(context.org, kind, operation, package, context.access.user, duration=seconds, **options)
        return _timed_out(context)
    upgrade = kind == "Upgrade"
    return run_now(
        context,
        kind,
        operation,
        package,
        lambda job: reply(context, operation, SolutionId=job["solution_id"]) if upgrade else Response(204),
        problem=problem,
        overwrite=overwrite,
        job_id=job_id,
    )


def _timed_out(context: Context) -> Response:
    """Answer that the operation ran out of time, although it goes on."""
    problem = timeout_problem()
    return fault(int(context.org.switch("import_timeout_status", 500)), problem.code, problem.message).response
