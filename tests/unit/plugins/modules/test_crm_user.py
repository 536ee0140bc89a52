# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""crm_user on a scripted wire."""

from __future__ import annotations

import typing as t

from ansible_collections.leadops.dynamics365.plugins.modules import crm_user as module
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import DATAVERSE, GRAPH, Expected, run

UPN = "lead-writer@contoso.onmicrosoft.com"
OBJECT = "87d349ed-0000-4000-8000-000000000005"
ENVIRONMENT = "0f0e0d0c-0000-4000-8000-000000000002"
COLUMNS = "systemuserid,domainname,fullname,azureactivedirectoryobjectid,applicationid,isdisabled,accessmode,_businessunitid_value,deletedstate"
ROW = {
    "systemuserid": "ad3b5737-0000-4000-8000-000000000004",
    "domainname": UPN,
    "azureactivedirectoryobjectid": OBJECT,
    "isdisabled": False,
    "accessmode": 0,
    "_businessunitid_value": "1360fdcb-0000-4000-8000-000000000003",
    "deletedstate": 0,
}
BAP = f"https://api.bap.microsoft.com/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments/{ENVIRONMENT}"
ARGS = {"user": UPN, "environment_id": ENVIRONMENT}


def by_name(*rows: dict[str, t.Any]) -> Expected:
    return Expected("GET", f"{DATAVERSE}/systemusers?$select={COLUMNS}&$filter=domainname eq '{UPN}'", answer={"value": list(rows)})


def by_object_id(*rows: dict[str, t.Any]) -> Expected:
    return Expected("GET", f"{DATAVERSE}/systemusers?$select={COLUMNS}&$filter=azureactivedirectoryobjectid eq {OBJECT}", answer={"value": list(rows)})


def directory(**changes: t.Any) -> Expected:
    person = {"id": OBJECT, "userPrincipalName": UPN, "accountEnabled": True, "assignedLicenses": [{"skuId": "s"}], **changes}
    return Expected("GET", f"{GRAPH}/users('{UPN}')?$select=id,userPrincipalName,accountEnabled,assignedLicenses", answer=person)


def environment(**linked: t.Any) -> Expected:
    return Expected("GET", f"{BAP}?api-version=2023-06-01", answer={"properties": {"linkedEnvironmentMetadata": {"instanceState": "Ready", **linked}}})


def add_user(status: int = 200, answer: t.Any = None) -> Expected:
    return Expected("POST", f"{BAP}/addUser?api-version=2023-06-01", status, answer, body={"objectId": OBJECT})


def test_a_user_who_is_there_costs_one_request():
    ended = run(module, ARGS, by_name(ROW))
    assert not ended.failed
    assert ended.result["changed"] is False
    assert ended.result["user"]["system_user_id"] == ROW["systemuserid"]


def test_a_row_that_is_being_deleted_is_no_user():
    ended = run(module, ARGS, by_name({**ROW, "deletedstate": 1}), directory(), environment(), check=True)
    assert ended.result["changed"] is True


def test_a_missing_user_is_forced_in_and_waited_for_even_while_the_licence_is_new():
    not_yet = {"error": {"code": "userNotLicensed", "message": "userNotLicensed: the user has no licence."}}
    ended = run(module, ARGS, by_name(), directory(), environment(), add_user(403, not_yet), add_user(), by_object_id(), by_object_id(ROW))
    assert not ended.failed, ended.result
    assert [write["path"].rsplit("/", 1)[-1] for write in ended.result["writes"]] == ["addUser?api-version=2023-06-01"]
    assert ended.clock.slept == [1, 0.5]
    assert any("licence" in line for line in ended.progress)


def test_check_mode_predicts_the_same_write_and_sends_none():
    ended = run(module, ARGS, by_name(), directory(), environment(), check=True)
    assert ended.result["planned"] is True
    assert [write["method"] for write in ended.result["writes"]] == ["POST"]


def test_check_mode_knows_a_planned_user():
    missing = Expected("GET", directory().url, 404, {"error": {"code": "Request_ResourceNotFound", "message": "Resource does not exist"}})
    planned = {**ARGS, "planned_users": [{"user_principal_name": UPN, "id": None}]}
    assert run(module, planned, by_name(), missing, environment(), check=True).result["planned"] is True
    ended = run(module, planned, by_name(), missing)
    assert ended.failed
    assert "no such user" in ended.result["msg"]


def test_without_the_admin_api_the_role_brings_the_user_in():
    closed = Expected("GET", environment().url, 403, {"error": {"code": "Forbidden", "message": "does not have permission to access the path"}})
    role = "aa000000-0000-4000-8000-000000000001"
    roles = Expected(
        "GET", f"{DATAVERSE}/roles?$select=roleid,name&$filter=name eq 'Lead Writer' and _parentroleid_value eq null", answer={"value": [{"roleid": role}]}
    )
    assign = Expected(
        "POST",
        f"{DATAVERSE}/systemusers(azureactivedirectoryobjectid={OBJECT})/systemuserroles_association/$ref",
        204,
        body={"@odata.id": f"{DATAVERSE}/roles({role})"},
    )
    ended = run(module, {**ARGS, "sync_role": "Lead Writer"}, by_name(), directory(), closed, roles, assign, by_object_id(ROW))
    assert not ended.failed, ended.result
    ended = run(module, {**ARGS, "sync_role": "Lead Writer"}, by_name(), directory(), closed, roles, check=True)
    assert ended.result["user"]["roles"] == ["Lead Writer"]
    assert ended.result["writes"][0]["path"].startswith(f"systemusers(azureactivedirectoryobjectid={OBJECT})")
    ended = run(module, ARGS, by_name(), directory(), closed)
    assert ended.failed
    assert "New-PowerAppManagementApp" in ended.result["msg"]


def test_what_cannot_succeed_is_not_begun():
    for change, reason in (({"assignedLicenses": []}, "no licence"), ({"accountEnabled": False}, "disabled in the directory")):
        ended = run(module, ARGS, by_name(), directory(**change), environment())
        assert ended.failed
        assert reason in ended.result["msg"]


def test_a_timeout_names_the_likely_reason():
    looks = [by_object_id()] * 20
    ended = run(module, {**ARGS, "wait_timeout": 30}, by_name(), directory(), environment(securityGroupId="grp"), add_user(), *looks)
    assert ended.failed
    assert ended.result["error"]["kind"] == "WaitedTooLong"
    assert "security group grp" in ended.result["msg"]
