# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's answers have the members and types that real services were recorded with.

The types that our readers stand on are listed here; ``LEADOPS_RECORDED=<directory>`` compares with all recordings below a directory.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.emulator import dataverse, power_platform
from tests.emulator.wire import Response, ServiceError

from .dataverse_org import organisation
from .small_cloud import make_cloud
from .solution_requests import body, run_through

Json = dict[str, Any]
_GIVEN = os.environ.get("LEADOPS_RECORDED", "")
FILES = sorted(Path(_GIVEN).rglob("*.json")) if _GIVEN else []
TYPES: dict[str, dict[str, str]] = {
    "solution": {
        **dict.fromkeys(("solutionid", "uniquename", "friendlyname", "version", "installedon", "modifiedon", "_publisherid_value"), "str"),
        **dict.fromkeys(("ismanaged", "isvisible", "isapimanaged"), "bool"),
        **dict.fromkeys(("versionnumber",), "int"),
        "publisherid": "dict",
    },
    "user": {
        **dict.fromkeys(("systemuserid", "domainname", "azureactivedirectoryobjectid", "fullname", "_businessunitid_value"), "str"),
        **dict.fromkeys(("isdisabled", "islicensed", "setupuser"), "bool"),
        **dict.fromkeys(("accessmode", "deletedstate", "userlicensetype", "caltype"), "int"),
        "systemuserroles_association": "list",
    },
    "role": {
        **dict.fromkeys(("roleid", "name", "_businessunitid_value", "_parentrootroleid_value", "overwritetime"), "str"),
        **dict.fromkeys(("iscustomizable", "canbedeleted"), "dict"),
        "ismanaged": "bool",
        "isinherited": "int",
        "componentstate": "int",
    },
    "system job": {
        **dict.fromkeys(("asyncoperationid", "createdon", "completedon", "startedon", "messagename", "name", "dependencytoken"), "str"),
        **dict.fromkeys(("statecode", "statuscode", "operationtype", "depth", "retrycount"), "int"),
        "executiontimespan": "float",
    },
    "import job": {**dict.fromkeys(("importjobid", "solutionname", "data", "startedon", "completedon"), "str"), "progress": "float"},
    "import start": dict.fromkeys(("ImportJobKey", "AsyncOperationId"), "str"),
    "stage": {"StageSolutionResults": "dict"},
    "import result": {"SolutionOperationResult": "dict"},
    "caller": dict.fromkeys(("UserId", "BusinessUnitId", "OrganizationId"), "str"),
    "role privileges": {"RolePrivileges": "list"},
    "privilege": {
        **dict.fromkeys(("privilegeid", "name"), "str"),
        **dict.fromkeys(("canbebasic", "canbelocal", "canbedeep", "canbeglobal", "canbeentityreference", "canbeparententityreference"), "bool"),
        "accessright": "int",
    },
    "environment": {**dict.fromkeys(("id", "name", "location", "type"), "str"), "properties": "dict"},
}
MEMBERS: dict[str, tuple[str, ...]] = {
    "stage": ("StageSolutionResults",),
    "import result": ("SolutionOperationResult",),
    "import start": ("ImportJobKey", "AsyncOperationId"),
    "role privileges": ("RolePrivileges",),
    "caller": ("UserId", "BusinessUnitId", "OrganizationId"),
    "system job": ("asyncoperationid", "statecode"),
    "import job": ("importjobid",),
    "user": ("systemuserid", "ownerid"),
    "role": ("roleid", "roleidunique"),
    "solution": ("solutionid", "isapimanaged"),
    "privilege": ("privilegeid", "accessright"),
    "environment": ("location", "properties"),
}


@pytest.fixture(scope="module")
def answers() -> dict[str, Json]:
    """One answer of each kind from the emulator."""
    client = organisation()
    operation, job = run_through(client)
    staged = client.post("StageSolution", {"CustomizationFile": body()["CustomizationFile"]}).body
    user_id = client.get("WhoAmI").body["UserId"]
    role_id = client.get("roles?$top=1").rows[0]["roleid"]
    return {
        "solution": client.get("solutions?$expand=publisherid").rows[0],
        "user": client.get(f"systemusers({user_id})?$expand=systemuserroles_association($select=roleid,name,ismanaged,_businessunitid_value)").body,
        "role": client.get("roles?$top=1").rows[0],
        "system job": operation,
        "import job": job.body,
        "import start": client.post("ImportSolutionAsync", body()).body,
        "stage": staged,
        "import result": client.get(f"RetrieveSolutionImportResult(ImportJobId={job.body['importjobid']})").body,
        "caller": client.get("WhoAmI").body,
        "role privileges": client.get(f"RetrieveRolePrivilegesRole(RoleId={role_id})").body,
        "privilege": client.get("privileges?$filter=name%20eq%20'prvReadLead'").rows[0],
        "environment": environment(),
    }


def environment() -> Json:
    """An environment with an organisation, as the admin API tells it."""

    def handle(*arguments: Any) -> Response:
        try:
            return power_platform.handle(*arguments)
        except ServiceError as refused:
            return refused.response

    cloud = replace(make_cloud(), handler=handle, base_url="https://localhost:8443/powerplatform")
    cloud.tenant.change(features={**cloud.tenant.features, "modern_business_units": False, "sales_app": True})
    dataverse.seed_organization(cloud.world, cloud.tenant)
    path = "/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments?api-version=2023-06-01"
    found: Json = cloud.call("GET", path).values[-1]
    return found


@pytest.mark.parametrize("kind", TYPES)
def test_what_readers_stand_on_has_its_recorded_type(kind: str, answers: dict[str, Json]):
    answer = answers[kind]
    found = {name: type(answer[name]).__name__ if name in answer else "missing" for name in TYPES[kind]}
    assert {name: told for name, told in found.items() if told != TYPES[kind][name] and not (told == "int" and TYPES[kind][name] == "float")} == {}


@pytest.mark.skipif(not _GIVEN, reason="LEADOPS_RECORDED names no directory with recordings")
@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(_GIVEN)))
def test_the_emulator_answers_as_was_recorded(path: Path, answers: dict[str, Json]):
    document = json.loads(path.read_text(encoding="utf-8-sig"))
    rows = document["value"] if isinstance(document, dict) and isinstance(document.get("value"), list) else [document]
    differing: set[str] = set()
    for row in rows:
        kind = next((kind for kind, members in MEMBERS.items() if isinstance(row, dict) and all(name in row for name in members)), "")
        if kind:
            differing.update(differences(kind, row, answers[kind]))
    assert differing == set()


def differences(where: str, recorded: Json, played: Json) -> list[str]:
    """Members of a recording that the emulator lacks, or has with another type. Postal addresses are not played."""
    found: list[str] = []
    for name, value in recorded.items():
        at = f"{where}.{name}"
        if name not in played and (name.startswith("address") or (at.startswith("environment.") and at not in READ_OF_ENVIRONMENTS)):
            continue
        if name not in played:
            found.append(f"{at} is missing")
        elif isinstance(value, dict) and isinstance(played[name], dict):
            found += differences(at, value, played[name])
        elif None not in (value, played[name]) and not same_type(value, played[name]):
            found.append(f"{at} is {type(played[name]).__name__}, recorded as {type(value).__name__}")
    return found


READ_OF_ENVIRONMENTS = frozenset(
    {
        "environment.properties",
        "environment.properties.displayName",
        "environment.properties.linkedEnvironmentMetadata",
        "environment.properties.linkedEnvironmentMetadata.instanceState",
        "environment.properties.linkedEnvironmentMetadata.resourceId",
        "environment.properties.states",
        "environment.properties.states.runtime",
        "environment.properties.states.runtime.id",
    }
)
"""The emulator plays environments in part; of the rest only the types are compared."""


def same_type(one: object, other: object) -> bool:
    """JSON does not tell whole numbers from others."""
    numbers = (int, float)
    if isinstance(one, numbers) and isinstance(other, numbers) and not isinstance(one, bool) and not isinstance(other, bool):
        return True
    return type(one) is type(other)
