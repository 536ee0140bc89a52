# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of tenants: each has what it promises, seen through the services and by the independent reader."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.emulator.launcher import RunningEmulator

ROLE = "Microsoft Marketplace Lead Writer"
DEFAULT_KINDS = {
    "contoso": "fresh",
    "fabrikam": "done",
    "northwind": "half_done",
    "tailspin": "org_8_2",
    "litware": "org_older",
    "woodgrove": "no_seats",
    "adventureworks": "other_business_unit",
    "wingtip": "role_not_customizable",
    "proseware": "throttled",
    "lucerne": "wrong_tenant_id",
    "margies": "no_rights",
}


def organization(emulator: RunningEmulator, name: str, path: str, version: str = "v9.2") -> requests.Response:
    url = emulator.tenant(name)["org_url"]
    return emulator.call("GET", f"{url}/api/data/{version}/{path}", emulator.token(name, url))


def rows(emulator: RunningEmulator, name: str, path: str) -> list[dict[str, Any]]:
    answer = organization(emulator, name, path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["value"]
    return found


def service_users(emulator: RunningEmulator, name: str) -> list[dict[str, Any]]:
    upn = emulator.tenant(name)["service_account"]
    return [user for user in emulator.documents(name, "users") if user["userPrincipalName"] == upn]


def service_rows(emulator: RunningEmulator, name: str) -> list[dict[str, Any]]:
    select = "systemuserid,isdisabled,_businessunitid_value"
    upn = emulator.tenant(name)["service_account"]
    return rows(emulator, name, f"systemusers?$select={select}&$filter=domainname eq '{upn}'&$expand=systemuserroles_association($select=name)")


def seats(emulator: RunningEmulator, name: str) -> tuple[int, int]:
    (sku,) = (one for one in emulator.documents(name, "subscribedSkus") if one["skuPartNumber"] == "CRMPLAN2")
    return sku["consumedUnits"], sku["prepaidUnits"]["enabled"]


def solutions(emulator: RunningEmulator, name: str) -> list[str]:
    return [one["uniquename"] for one in emulator.documents(name, "solutions") if one.get("ismanaged")]


def test_the_default_tenants(emulator: RunningEmulator) -> None:
    assert {tenant["name"]: tenant["kind"] for tenant in emulator.tenants} == DEFAULT_KINDS


@pytest.mark.parametrize("name", [name for name, kind in DEFAULT_KINDS.items() if kind not in ("no_rights", "throttled")])
def test_the_automation_is_an_administrator(emulator: RunningEmulator, name: str) -> None:
    version = "v8.2" if name == "tailspin" else "v8.1" if name == "litware" else "v9.2"
    answer = organization(emulator, name, "WhoAmI", version)
    assert answer.status_code == 200, answer.text
    assert answer.json()["OrganizationId"] == emulator.tenant(name)["org_id"]
    app_id = emulator.tenant(name)["client_id"]
    (user,) = (one for one in emulator.documents(name, "systemusers") if one.get("applicationid") == app_id)
    held = {link["roleid"] for link in emulator.documents(name, "systemuserroles") if link["systemuserid"] == user["systemuserid"]}
    assert {role["name"] for role in emulator.documents(name, "roles") if role["roleid"] in held} == {"System Administrator"}


@pytest.mark.parametrize("name", ["contoso", "tailspin", "litware", "woodgrove", "wingtip", "proseware", "lucerne", "margies"])
def test_nothing_is_done_yet(emulator: RunningEmulator, name: str) -> None:
    assert service_users(emulator, name) == []
    assert solutions(emulator, name) == solutions(emulator, "contoso")
    assert all(role["name"] != ROLE for role in emulator.documents(name, "roles"))


def test_done(emulator: RunningEmulator) -> None:
    (user,) = service_users(emulator, "fabrikam")
    assert [license_["skuId"] for license_ in user["assignedLicenses"]] == ["906af65a-2970-46d5-9b58-4e9aa50f0657"]
    assert user["passwordPolicies"] == "DisablePasswordExpiration"
    assert seats(emulator, "fabrikam") == (2, 25)
    (row,) = service_rows(emulator, "fabrikam")
    assert [role["name"] for role in row["systemuserroles_association"]] == [ROLE]
    assert len(solutions(emulator, "fabrikam")) == len(solutions(emulator, "contoso")) + 1
    (role,) = rows(emulator, "fabrikam", f"roles?$select=roleid&$filter=name eq '{ROLE}' and _parentroleid_value eq null")
    held = organization(emulator, "fabrikam", f"RetrieveRolePrivilegesRole(RoleId={role['roleid']})").json()["RolePrivileges"]
    depths = {one["PrivilegeName"]: one["Depth"] for one in held}
    assert [depths[f"prv{right}UserEntityUISettings"] for right in ("Create", "Read", "Write")] == ["Basic"] * 3
    assert [depths[f"prv{right}AsyncOperation"] for right in ("Read", "Write", "AppendTo")] == ["Global"] * 3


def test_half_done(emulator: RunningEmulator) -> None:
    (user,) = service_users(emulator, "northwind")
    assert user["assignedLicenses"] == []
    assert service_rows(emulator, "northwind") == []
    assert solutions(emulator, "northwind") == solutions(emulator, "contoso")


@pytest.mark.parametrize(("name", "version"), [("tailspin", "8.2.2.112"), ("litware", "8.1.0.512")])
def test_older_organizations(emulator: RunningEmulator, name: str, version: str) -> None:
    answer = organization(emulator, name, "RetrieveVersion()", f"v{version[:3]}")
    assert answer.json()["Version"] == version
    assert organization(emulator, name, "RetrieveVersion()", "v9.2").status_code >= 400


def test_no_seats(emulator: RunningEmulator) -> None:
    assert seats(emulator, "woodgrove") == (25, 25)


def test_other_business_unit(emulator: RunningEmulator) -> None:
    (row,) = service_rows(emulator, "adventureworks")
    parents = {unit["businessunitid"]: unit["_parentbusinessunitid_value"] for unit in emulator.documents("adventureworks", "businessunits")}
    assert parents[row["_businessunitid_value"]] is not None


def test_role_not_customizable(emulator: RunningEmulator) -> None:
    assert emulator.control("GET", "tenants/wingtip")["behaviour"]["lead_role_customizable"] is False


def test_throttled(emulator: RunningEmulator) -> None:
    token = emulator.token("proseware", emulator.graph)
    statuses = [emulator.call("GET", f"{emulator.graph}/v1.0/organization", token).status_code for _unused in range(4)]
    assert statuses[:3] == [429] * 3
    assert organization(emulator, "proseware", "WhoAmI").status_code == 429


def test_wrong_tenant_id(emulator: RunningEmulator) -> None:
    about = emulator.tenant("lucerne")
    found = emulator.session.get(f"{emulator.authority}/{about['tenant_id']}/v2.0/.well-known/openid-configuration")
    assert found.json()["error_codes"] == [90002]
    assert emulator.control("GET", "tenants/lucerne")["tenant_id"] != about["tenant_id"]


def test_no_rights(emulator: RunningEmulator) -> None:
    answer = emulator.call("GET", f"{emulator.graph}/v1.0/users", emulator.token("margies", emulator.graph))
    assert answer.status_code == 403
    assert organization(emulator, "margies", "WhoAmI").status_code == 200
    app_id = emulator.tenant("margies")["client_id"]
    (user,) = (one for one in emulator.documents("margies", "systemusers") if one.get("applicationid") == app_id)
    held = {link["roleid"] for link in emulator.documents("margies", "systemuserroles") if link["systemuserid"] == user["systemuserid"]}
    assert {role["name"] for role in emulator.documents("margies", "roles") if role["roleid"] in held} == {"Basic User"}
