# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""StageSolution: a package is uploaded and looked at; nothing is installed."""

from __future__ import annotations

from typing import Any

from ..wire import Response
from .component_rows import by_name
from .context import Context
from .organization import Organization, empty_row
from .solution_calls import only, reply
from .solution_package import decode, read
from .solution_problems import HOLDING_SUFFIX, Problem, installed, problem_of

_COMPONENT_NAMES = {"1": "entity", "2": "attribute", "20": "role", "61": "webresource", "91": "pluginassembly"}


def stage_solution(context: Context, operation: str) -> Response:
    """StageSolution: upload and validate; nothing is installed."""
    body = context.json(operation)
    only(body, operation, "CustomizationFile")
    context.access.require("prvImportCustomization")
    package = read(decode(body.get("CustomizationFile"), operation))
    org = context.org
    upload = {
        "stagesolutionuploadid": org.world.new_id(),
        "name": package["unique_name"],
        "solutionuniquename": package["unique_name"],
        "statecode": 0,
        "statuscode": 1,
        "_createdby_value": context.access.user_id,
        "_ownerid_value": context.access.user_id,
        "_package": package,
    }
    row = org.put("stagesolutionupload", empty_row("stagesolutionupload", upload))
    problem = problem_of(org, package)
    validation = _validation(org, problem)
    failed = any(item["SolutionValidationResultType"] == "Error" for item in validation)
    results = {
        "StageSolutionUploadId": row["stagesolutionuploadid"],
        "StageSolutionStatus": "Failed" if failed else "Passed",
        "SolutionComponentsDetails": _component_details(org, package),
        "SolutionDetails": _solution_details(org, package),
        "MissingDependencies": [] if problem is None else [_missing_dependency(item) for item in problem.missing],
        "SolutionValidationResults": validation,
    }
    return reply(context, operation, StageSolutionResults=results)


def _validation(org: Organization, problem: Problem | None) -> list[dict[str, Any]]:
    """What keeps the package out, and what the switch ``stage_validation`` adds: items of type, message and code."""
    told = [
        (str(item.get("type", "Warning")), Problem(str(item.get("code", "0x80048033")), str(item["message"]))) for item in org.switch("stage_validation", [])
    ]
    found = [("Error", problem)] if problem is not None else []
    return [{"SolutionValidationResultType": kind, "Message": item.message, "ErrorCode": item.number, "AdditionalInfo": ""} for kind, item in (*found, *told)]


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
        "IsPatchSolution": package["parent"] is not None,
        "IsManaged": package["managed"],
        "PreviousIsManaged": bool(previous and previous["ismanaged"]),
        "SolutionVersion": package["version"],
        "PreviousSolutionVersion": previous and previous["version"],
        "PreviousPatchSolutionsNames": [] if previous is None else _patches(org, previous["solutionid"]),
        "IsPrerequisitesExport": False,
        "HasPendingUpgrade": installed(org, package["unique_name"] + HOLDING_SUFFIX) is not None,
    }


def _patches(org: Organization, parent_id: str) -> list[str]:
    return [row["uniquename"] for row in org.rows("solution") if row["_parentsolutionid_value"] == parent_id]


def _component_details(org: Organization, package: dict[str, Any]) -> list[dict[str, Any]]:
    def detail(name: str, kind: str, present: str, attributes: dict[str, str]) -> dict[str, Any]:
        shown = {"Count": len(attributes), "Keys": list(attributes), "Values": list(attributes.values())}
        return {"ComponentName": name, "ComponentTypeName": kind, "IsPresentInOrg": present, "Attributes": shown}

    naming = {"localizedname": package["friendly_name"], "description": package["description"]}
    found = [detail(package["friendly_name"], "solution", "Unknown", naming)]
    roles = (detail(role["name"], "role", str(org.row("role", role["id"]) is not None), {"name": role["name"]}) for role in package["roles"])
    shown = [*found, *roles]
    for item in package["connection_references"]:
        names = ("connectorid", "connectionreferencelogicalname", "connectionreferencedisplayname", "description")
        attributes = dict(zip(names, (item["connector"], item["name"], item["display_name"], item["description"]), strict=True))
        present = by_name(org, "connectionreference", "connectionreferencelogicalname", item["name"]) is not None
        shown.append(detail(item["name"], "connectionreference", str(present), attributes))
    for item in package["environment_variables"]:
        known = by_name(org, "environmentvariabledefinition", "schemaname", item["name"]) is not None
        shown.append(detail(item["display_name"], "EnvironmentVariableDefinition", str(known), _variable_attributes(item)))
        if item["value"] is not None:
            value = {"schemaname": item["name"], "environmentvariablevalueid": item["value"]["id"] or "", "value": item["value"]["value"]}
            shown.append(detail(item["name"], "EnvironmentVariableValue", "False", value))
    return shown


def _variable_attributes(item: dict[str, Any]) -> dict[str, str]:
    own = {"schemaname": item["name"], "displayname": item["display_name"], "description": "", "type": str(item["type"]), "defaultvalue": item["default"] or ""}
    return {**own, "isrequired": str(item["required"]).lower(), "parameterkey": "", "parentdefinitionid": "", "apiid": ""}


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
