# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What our readers claim to read of each kind of answer, and a comparison that names what they lose.

An answer's kind is known by its members, so that recordings of any origin can be put in.
"""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Callable, Iterator

from ansible_collections.leadops.dynamics365.plugins.module_utils import _solution_import_results as results
from ansible_collections.leadops.dynamics365.plugins.module_utils._entry_obstacles import environment_from
from ansible_collections.leadops.dynamics365.plugins.module_utils._organizations import who_am_i
from ansible_collections.leadops.dynamics365.plugins.module_utils._privileges import privilege_from_row, read_held
from ansible_collections.leadops.dynamics365.plugins.module_utils._role_holders import principal
from ansible_collections.leadops.dynamics365.plugins.module_utils._roles import role_from_row
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_import_reports import read_report
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_imports import ImportJob
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_listing import describe
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_validation import problems, remarks
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_writes import upload_id
from ansible_collections.leadops.dynamics365.plugins.module_utils._solutions import InstalledSolution
from ansible_collections.leadops.dynamics365.plugins.module_utils._system_users import ACCESS_MODES, from_row
from ansible_collections.leadops.dynamics365.tests.unit.plugins.given_answers import dataverse

Json = dict[str, t.Any]
Facts = Iterator[tuple[str, t.Any, t.Any]]
"""What is claimed, as the answer has it, as the reader tells it."""

_MEMBERS: dict[str, tuple[str, ...]] = {
    "stage": ("StageSolutionResults",),
    "import result": ("SolutionOperationResult",),
    "import start": ("ImportJobKey", "AsyncOperationId"),
    "role privileges": ("RolePrivileges",),
    "caller": ("UserId", "BusinessUnitId", "OrganizationId"),
    "system job": ("asyncoperationid", "statecode"),
    "import job": ("importjobid",),
    "user": ("systemuserid", "domainname"),
    "role": ("roleid", "name"),
    "solution": ("solutionid", "uniquename"),
    "privilege": ("privilegeid", "canbebasic"),
    "environment": ("location", "properties"),
}


def kind_of(document: t.Any) -> str:
    """What an answer is about; empty if we read nothing of its kind."""
    if not isinstance(document, dict):
        return ""
    return next((kind for kind, members in _MEMBERS.items() if all(member in document for member in members)), "")


def rows_of(document: t.Any) -> list[Json]:
    """The rows of a collection, or the document itself."""
    if isinstance(document, dict) and isinstance(document.get("value"), list):
        return [row for row in document["value"] if isinstance(row, dict)]
    return [document] if isinstance(document, dict) else []


def lost_facts(kind: str, row: Json) -> list[str]:
    """Which claimed facts of an answer the reader does not tell, or tells otherwise."""
    return [f"{name}: {there!r} became {told!r}" for name, there, told in _READERS[kind](row) if _plain(there) != _plain(told)]


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, str) and re.fullmatch(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", value):
        return value.lower()
    return value or None if isinstance(value, str) else value


def _solution(row: Json) -> Facts:
    publisher = row.get("publisherid") or {}
    read = InstalledSolution.from_row(row)
    yield from (("solutionid", row["solutionid"], read.solution_id), ("uniquename", row["uniquename"], read.unique_name))
    yield from (("friendlyname", row.get("friendlyname"), read.friendly_name), ("version", row["version"], read.version))
    yield from (("ismanaged", row["ismanaged"], read.managed), ("publisher", publisher.get("uniquename"), read.publisher))
    told = describe([row])[0]
    for name, key in (("description", "description"), ("installedon", "installed_on"), ("updatedon", "updated_on"), ("version", "version")):
        yield name, row.get(name), told[key]
    yield "isvisible", row.get("isvisible", False), told["visible"]
    yield "_parentsolutionid_value", row.get("_parentsolutionid_value"), told["patch_of"]
    for name, key in (("uniquename", "unique_name"), ("friendlyname", "friendly_name"), ("customizationprefix", "prefix")):
        yield f"publisherid.{name}", publisher.get(name), told["publisher"][key]


def _user(row: Json) -> Facts:
    read = from_row(row)
    columns = {"systemuserid": "system_user_id", "domainname": "user_principal_name", "azureactivedirectoryobjectid": "object_id", "fullname": "full_name"}
    for name, attribute in {**columns, "applicationid": "application_id", "_businessunitid_value": "business_unit_id"}.items():
        yield name, row.get(name), getattr(read, attribute)
    yield "isdisabled", row.get("isdisabled", False), read.disabled
    yield "accessmode", ACCESS_MODES.get(row.get("accessmode") or 0), read.access_mode
    roles = row.get("systemuserroles_association") or []
    held = principal(dataverse({}), row).held
    yield (
        "roles",
        [(_plain(role["roleid"]), role["name"], _plain(role.get("_businessunitid_value", ""))) for role in roles],
        [(role.id, role.name, role.business_unit_id or None) for role in held],
    )


def _role(row: Json) -> Facts:
    read = role_from_row(row)
    for name, told in (("roleid", read.id), ("name", read.name), ("_businessunitid_value", read.business_unit_id), ("ismanaged", read.managed)):
        yield name, row.get(name), told
    yield "_parentrootroleid_value", row.get("_parentrootroleid_value") or row["roleid"], read.root_id
    yield "iscustomizable", (row.get("iscustomizable") or {"Value": True})["Value"], read.customizable
    yield "isinherited", row.get("isinherited") or 0, read.inheritance
    yield "_roletemplateid_value", row.get("_roletemplateid_value"), read.template_id


def _environment(row: Json) -> Facts:
    linked = row["properties"].get("linkedEnvironmentMetadata")
    read = environment_from(row["name"], row)
    yield "linkedEnvironmentMetadata", linked is not None, read.has_database
    yield "securityGroupId", (linked or {}).get("securityGroupId"), read.security_group_id
    yield "instanceState", (linked or {}).get("instanceState", "Ready"), read.state
    yield "states.runtime", row["properties"]["states"]["runtime"]["id"] == "AdminMode", read.administration_mode


def _caller(row: Json) -> Facts:
    _unused, caller, organization_id = who_am_i(dataverse(row))
    yield from (("UserId", row["UserId"], caller.system_user_id), ("BusinessUnitId", row["BusinessUnitId"], caller.business_unit_id))
    yield "OrganizationId", row["OrganizationId"], organization_id


def _start(row: Json) -> Facts:
    job = ImportJob.from_answer(row)
    yield from (("ImportJobKey", row["ImportJobKey"], job.id), ("AsyncOperationId", row["AsyncOperationId"], job.async_operation_id))
    yield "as text", job, ImportJob.from_text(job.text())


def _stage(row: Json) -> Facts:
    staged = row["StageSolutionResults"]
    told = problems(staged)
    yield "StageSolutionUploadId", staged["StageSolutionUploadId"], upload_id(staged)
    yield "StageSolutionStatus", staged["StageSolutionStatus"] == "Passed", told == ""
    for found in staged.get("SolutionValidationResults") or []:
        if told:
            yield "Message", True, found["Message"] in " ".join([told, *remarks(staged)])
    for missing in staged.get("MissingDependencies") or []:
        if told:
            yield "RequiredSolutionName", True, missing["RequiredSolutionName"] in told


def _system_job(row: Json) -> Facts:
    end = results.judge_import(row, None)
    yield "statecode", row["statecode"] == results.COMPLETED, results.completed(row)
    if results.completed(row):
        yield "statuscode", row["statuscode"] == results.SUCCEEDED, end.succeeded
    if not end.succeeded:
        yield "message", row.get("message") or row.get("friendlymessage"), end.message
        yield "errorcode", (row.get("errorcode") or 0) & 0xFFFFFFFF, int(end.code or "0", 16)


def _import_job(row: Json) -> Facts:
    data = row.get("data") or ""
    components, _unused = results.read_import_data(data)
    told = " ".join(json.dumps(component.to_result()) for component in components)
    for result in re.findall(r"<result\b[^>]*>", data):
        members = dict(re.findall(r'(\w+)="([^"]*)"', result))
        if members.get("result") in ("failure", "warning"):
            yield "errorcode", True, members["errorcode"] in ("0", "") or members["errorcode"] in told
            yield "errortext", True, members["errortext"].partition("&")[0][:100] in told


def _import_result(row: Json) -> Facts:
    result = row["SolutionOperationResult"]
    report = read_report(dataverse(row), "00000000-0000-0000-0000-000000000001")
    yield "the report", True, report is not None
    if report is not None:
        yield "Status", result["Status"] == "Failed", report.failed
        yield from (("ErrorMessages", tuple(result["ErrorMessages"]), report.errors), ("WarningMessages", tuple(result["WarningMessages"]), report.warnings))
        told = {item.text for item in report.components}
        for error in re.findall(r'name="ErrorText"><Data[^>]*>([^<]+)<', result.get("FormattedResults") or ""):
            yield "ErrorText", True, error in told


def _role_privileges(row: Json) -> Facts:
    held = read_held(dataverse(row), "00000000-0000-0000-0000-000000000001")
    yield (
        "RolePrivileges",
        [(_plain(item["PrivilegeId"]), item.get("PrivilegeName", ""), item["Depth"]) for item in row["RolePrivileges"]],
        [(item.id, item.name, item.depth.api_name) for item in held],
    )


def _privilege(row: Json) -> Facts:
    read = privilege_from_row(row)
    yield from (("privilegeid", row["privilegeid"], read.id), ("name", row["name"], read.name))
    yield "depths", {depth for depth in ("basic", "local", "deep", "global") if row.get(f"canbe{depth}")}, {depth.name.lower() for depth in read.allowed}


_READERS: dict[str, Callable[[Json], Facts]] = {
    "solution": _solution,
    "user": _user,
    "role": _role,
    "environment": _environment,
    "caller": _caller,
    "import start": _start,
    "stage": _stage,
    "system job": _system_job,
    "import job": _import_job,
    "import result": _import_result,
    "role privileges": _role_privileges,
    "privilege": _privilege,
}
