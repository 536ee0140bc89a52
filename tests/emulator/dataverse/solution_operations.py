# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations on solutions: staging, importing, publishing, removing, and the report of an import."""

from __future__ import annotations

from typing import Any

from ..store import Document
from ..wire import Response
from .context import Context
from .errors import bad_payload, fault
from .import_report import formatted
from .imports import finish_now, problem_for, require_unlocked, start
from .organization import Organization
from .present import JSON_TYPE
from .resource import is_guid
from .roles import delete_role_tree
from .solution_package import decode, read
from .solutions import Problem, installed, problem_of, write_history
from .tables import TABLES

_PARAMETERS = frozenset(
    "OverwriteUnmanagedCustomizations PublishWorkflows CustomizationFile ConvertToManaged SkipProductUpdateDependencies HoldingSolution ComponentParameters "
    "SolutionParameters LayerDesiredOrder AsyncRibbonProcessing SkipQueueRibbonJob IsTemplateMode TemplateSuffix".split()
)
_COMPONENT_NAMES = {"1": "entity", "2": "attribute", "20": "role", "61": "webresource", "91": "pluginassembly"}
_RESTRICTED = ("fd140aae-4df4-11dd-bd17-0019b9312238", "fd140aaf-4df4-11dd-bd17-0019b9312238")


def _reply(context: Context, operation: str, **members: Any) -> Response:
    address = f"{context.api}/$metadata#Microsoft.Dynamics.CRM.{operation}Response"
    return Response.of_json(200, {"@odata.context": address, **members}, JSON_TYPE)


def _check_parameters(context: Context, body: dict[str, Any], operation: str, *extra: str) -> None:
    allowed = _PARAMETERS.union(extra)
    if context.org.version < (9, 1, 16547, 0):
        allowed = allowed - {"ComponentParameters", "SolutionParameters"}
    for name in body:
        if name not in allowed and not name.startswith("@"):
            raise bad_payload(operation, f"The parameter '{name}' in the request payload is not a valid parameter for the operation '{operation}'.")
    for name in ("OverwriteUnmanagedCustomizations", "PublishWorkflows"):
        if not isinstance(body.get(name), bool):
            raise bad_payload(operation, f"The required parameter '{name}' of type 'Edm.Boolean' is missing or has another type.")
    if body.get("HoldingSolution"):
        raise context.not_emulated("HoldingSolution")
    if body.get("ComponentParameters"):
        raise context.not_emulated("ComponentParameters")


def _package(context: Context, body: dict[str, Any], operation: str) -> dict[str, Any]:
    """Read the package from the body, or the staged one that it names."""
    context.access.require("prvImportCustomization")
    staged_id = (body.get("SolutionParameters") or {}).get("StageSolutionUploadId")
    if staged_id is not None:
        staged = context.org.tenant.collection("stagesolutionuploads").get(str(staged_id).lower())
        if staged is not None:
            return dict(staged["package"])
    if body.get("CustomizationFile") is None:
        raise fault(400, "0x8004f066", "Neither CustomizationFile nor a valid StageSolutionUploadId was given.")
    return read(decode(body["CustomizationFile"], operation))


def _problem(context: Context, package: dict[str, Any], *, upgrade: bool) -> Problem | None:
    may_import_roles = context.access.holds("prvCreateRole") and context.access.holds("prvWriteRole")
    return problem_for(context.org, package, upgrade=upgrade, may_import_roles=may_import_roles)


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
    require_unlocked(context.org, "Import")
    problem = _problem(context, package, upgrade=operation == "StageAndUpgradeAsync")
    overwrite = body["OverwriteUnmanagedCustomizations"]
    job = start(context.org, package, context.access.user, operation, overwrite=overwrite, problem=problem, job_id=job_id)
    return _reply(context, operation, ImportJobKey=job["importjobid"], AsyncOperationId=job["asyncoperationid"])


def import_solution(context: Context, operation: str) -> Response:
    """ImportSolution: the same at once, with a failure in the answer."""
    body = context.json(operation)
    _check_parameters(context, body, operation, "ImportJobId")
    package = _package(context, body, operation)
    job_id = _job_id(context, body, operation)
    require_unlocked(context.org, "Import")
    problem = _problem(context, package, upgrade=False)
    overwrite = body["OverwriteUnmanagedCustomizations"]
    job = start(context.org, package, context.access.user, operation, overwrite=overwrite, problem=problem, job_id=job_id)
    failed = finish_now(context.org, job)
    context.org.remove("asyncoperation", job["asyncoperationid"])
    if failed is not None:
        # Returned, not raised: the job row with the details stays.
        return fault(400, failed.code, failed.detail).response
    return Response(204)


def stage_solution(context: Context, operation: str) -> Response:
    """StageSolution: upload and validate; nothing is installed."""
    body = context.json(operation)
    unknown = [name for name in body if name != "CustomizationFile" and not name.startswith("@")]
    if unknown:
        raise bad_payload(operation, f"The parameter '{unknown[0]}' in the request payload is not a valid parameter for the operation '{operation}'.")
    context.access.require("prvImportCustomization")
    package = read(decode(body.get("CustomizationFile"), operation))
    org = context.org
    upload_id = org.world.new_id()
    org.tenant.collection("stagesolutionuploads")[upload_id] = {"stagesolutionuploadid": upload_id, "package": package}
    problem = problem_of(org, package, upgrade=False)
    results = {
        "StageSolutionUploadId": upload_id,
        "StageSolutionStatus": "Passed" if problem is None else "Failed",
        "SolutionComponentsDetails": _component_details(org, package),
        "SolutionDetails": _solution_details(org, package),
        "MissingDependencies": [] if problem is None else [_missing_dependency(item) for item in problem.missing],
        "SolutionValidationResults": []
        if problem is None
        else [{"SolutionValidationResultType": "Error", "Message": problem.message, "ErrorCode": problem.number, "AdditionalInfo": ""}],
    }
    return _reply(context, operation, StageSolutionResults=results)


def _solution_details(org: Organization, package: dict[str, Any]) -> dict[str, Any]:
    previous = installed(org, package["unique_name"])
    publisher = None if previous is None else org.row("publisher", previous["_publisherid_value"])
    return {
        "SolutionUniqueName": package["unique_name"],
        "SolutionFriendlyName": package["friendly_name"],
        "SolutionDescription": package["description"],
        "PublisherUniqueName": package["publisher"]["unique_name"],
        "PublisherFriendlyName": package["publisher"]["friendly_name"],
        "PreviousSolutionUniqueName": previous and previous["uniquename"],
        "PreviousSolutionFriendlyName": previous and previous["friendlyname"],
        "PreviousPublisherUniqueName": publisher and publisher["uniquename"],
        "PreviousPublisherFriendlyName": publisher and publisher["friendlyname"],
        "IsPatchSolution": False,
        "IsManaged": package["managed"],
        "PreviousIsManaged": bool(previous and previous["ismanaged"]),
        "SolutionVersion": package["version"],
        "PreviousSolutionVersion": previous and previous["version"],
        "PreviousPatchSolutionsNames": [],
        "IsPrerequisitesExport": False,
        "HasPendingUpgrade": False,
    }


def _component_details(org: Organization, package: dict[str, Any]) -> list[dict[str, Any]]:
    def detail(name: str, kind: str, present: str, attributes: dict[str, str]) -> dict[str, Any]:
        shown = {"Count": len(attributes), "Keys": list(attributes), "Values": list(attributes.values())}
        return {"ComponentName": name, "ComponentTypeName": kind, "IsPresentInOrg": present, "Attributes": shown}

    naming = {"localizedname": package["friendly_name"], "description": package["description"]}
    found = [detail(package["friendly_name"], "solution", "Unknown", naming)]
    roles = (detail(role["name"], "role", str(org.row("role", role["id"]) is not None), {"name": role["name"]}) for role in package["roles"])
    return [*found, *roles]


def _missing_dependency(item: dict[str, Any]) -> dict[str, str]:
    shown: dict[str, str] = {}
    for side in ("required", "dependent"):
        attributes, prefix = item[side], side.title() + "Component"
        shown[f"{prefix}SchemaName"] = attributes.get("schemaName", "")
        shown[f"{prefix}DisplayName"] = attributes.get("displayName", "")
        shown[f"{prefix}ParentSchemaName"] = attributes.get("parentSchemaName", "")
        shown[f"{prefix}ParentDisplayName"] = attributes.get("parentDisplayName", "")
        shown[f"{prefix}Id"] = attributes.get("id", "").strip("{}")
        shown[f"{prefix}Type"] = _COMPONENT_NAMES.get(attributes.get("type", ""), attributes.get("type", ""))
    return {**shown, "RequiredSolutionName": item["required"].get("solution", "")}


def publish_all(context: Context, operation: str) -> Response:
    """PublishAllXml and PublishXml: nothing to see afterwards, but they need the lock."""
    body = context.json(operation) if context.body.strip() else {}
    if operation == "PublishXml" and not isinstance(body.get("ParameterXml"), str):
        raise bad_payload(operation, "The required parameter 'ParameterXml' of type 'Edm.String' is missing.")
    context.access.require("prvPublishCustomization")
    require_unlocked(context.org, "PublishAll")
    return Response(204)


def import_result(context: Context, parameters: dict[str, Any]) -> Response:
    """RetrieveSolutionImportResult: the verdict on an import."""
    context.access.require("prvReadImportJob")
    job_id = str(parameters.get("ImportJobId", "")).lower()
    job = next((item for item in context.org.tenant.collection("imports").values() if item["importjobid"] == job_id), None)
    row = context.org.row("importjob", job_id)
    if job is None or row is None:
        raise fault(400, "0x80044252", "The requested importjob does not exist.")
    problem = 'result="failure"' in row["data"]
    message = (context.org.row("asyncoperation", job["asyncoperationid"]) or {}).get("friendlymessage") or ("The import failed." if problem else "")
    status = ("Failed" if problem else "Passed") if job["done"] else "Unknown"
    lines = [("Solution", row["solutionname"], "Failure" if problem else "Success" if job["done"] else "Unprocessed", "", message)]
    return _reply(
        context,
        "RetrieveSolutionImportResult",
        SolutionOperationResult={
            "FormattedResults": formatted(lines),
            "Type": "Import",
            "Status": status,
            "WarningMessages": [],
            "ErrorMessages": [message] if problem else [],
            "ActionLink": {"Label": None, "Target": None},
        },
    )


def delete_solution(context: Context, solution: Document) -> None:
    """Uninstall: a managed solution takes its components along, an unmanaged one leaves them."""
    org = context.org
    context.access.require_on(TABLES["solution"], "Delete", solution)
    if solution["solutionid"] in _RESTRICTED:
        raise fault(400, "0x8004f005", "Attempting to delete a restricted solution.")
    require_unlocked(org, "Uninstall")
    for component in [row for row in org.rows("solutioncomponent") if row["_solutionid_value"] == solution["solutionid"]]:
        role = org.row("role", component["objectid"]) if solution["ismanaged"] and component["componenttype"] == 20 else None
        if role is not None:
            delete_role_tree(org, role)
        org.remove("solutioncomponent", component["solutioncomponentid"])
    org.remove("solution", solution["solutionid"])
    publisher = org.row("publisher", solution["_publisherid_value"]) or {"uniquename": ""}
    package = {
        "unique_name": solution["uniquename"],
        "version": solution["version"],
        "managed": solution["ismanaged"],
        "publisher": {"unique_name": publisher["uniquename"]},
    }
    write_history(org, package, 1, msdyn_status=1, msdyn_result=True, msdyn_endtime=org.now_text())
