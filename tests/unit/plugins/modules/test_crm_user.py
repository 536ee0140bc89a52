# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""crm_user on a scripted wire."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.leadops.dynamics365.plugins.modules import crm_user as module
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import AUTH, DATAVERSE, GRAPH, Expected, run

UPN = "lead-writer@contoso.onmicrosoft.com"
OBJECT = "87d349ed-0000-4000-8000-000000000005"
ENVIRONMENT = "0f0e0d0c-0000-4000-8000-000000000002"
COLUMNS = "systemuserid,domainname,fullname,azureactivedirectoryobjectid,applicationid,isdisabled,accessmode,_businessunitid_value,deletedstate"
EXPAND = "$expand=businessunitid($select=name)"
ROW = {
    "systemuserid": "ad3b5737-0000-4000-8000-000000000004",
    "domainname": UPN,
    "azureactivedirectoryobjectid": OBJECT,
    "isdisabled": False,
    "accessmode": 0,
    "_businessunitid_value": "1360fdcb-0000-4000-8000-000000000003",
    "businessunitid": {"name": "contoso"},
    "deletedstate": 0,
}
BAP = f"https://api.bap.microsoft.com/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments/{ENVIRONMENT}"
ARGS = {"user": UPN, "environment_id": ENVIRONMENT}


def by_name(*rows: dict[str, t.Any]) -> Expected:
    return Expected("GET", f"{DATAVERSE}/systemusers?$select={COLUMNS}&$filter=domainname eq '{UPN}'&{EXPAND}", answer={"value": list(rows)})


def by_object_id(*rows: dict[str, t.Any]) -> Expected:
    return Expected("GET", f"{DATAVERSE}/systemusers?$select={COLUMNS}&$filter=azureactivedirectoryobjectid eq {OBJECT}&{EXPAND}", answer={"value": list(rows)})


def directory(**changes: t.Any) -> Expected:
    person = {"id": OBJECT, "userPrincipalName": UPN, "accountEnabled": True, "assignedLicenses": [{"skuId": "s"}], **changes}
    return Expected("GET", f"{GRAPH}/users('{UPN}')?$select=id,userPrincipalName,accountEnabled,assignedLicenses", answer=person)


def recycle_bin(*rows: dict[str, t.Any]) -> Expected:
    condition = f"endswith(userPrincipalName,'{UPN}')"
    url = f"{GRAPH}/directory/deletedItems/microsoft.graph.user?$select=id&$filter={condition}&$count=true"
    return Expected("GET", url, answer={"value": list(rows)})


def groups(status: int, *ids: str) -> Expected:
    answer = {"value": [{"id": group} for group in ids]} if status == 200 else {"error": {"code": "Authorization_RequestDenied", "message": "no"}}
    return Expected("GET", f"{GRAPH}/users/{OBJECT}/memberOf?$select=id", status, answer)


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
    ended = run(module, planned, by_name(), missing, recycle_bin())
    assert ended.failed
    assert "no such user" in ended.result["msg"]


def test_a_deleted_account_is_called_deleted():
    missing = Expected("GET", directory().url, 404, {"error": {"code": "Request_ResourceNotFound", "message": "Resource does not exist"}})
    ended = run(module, ARGS, by_name(), missing, recycle_bin({"id": OBJECT}))
    assert ended.failed
    assert "was deleted" in ended.result["msg"]
    assert "Restore" in ended.result["error"]["next_step"]


ROLE_COLUMNS = "roleid,name,_businessunitid_value,_parentrootroleid_value,_roletemplateid_value,ismanaged,iscustomizable,isinherited"
ROLES = f"{DATAVERSE}/roles?$select={ROLE_COLUMNS}"


def test_without_the_admin_api_the_role_brings_the_user_in():
    closed = Expected("GET", environment().url, 403, {"error": {"code": "Forbidden", "message": "does not have permission to access the path"}})
    role = "aa000000-0000-4000-8000-000000000001"
    row = {"roleid": role, "name": "Lead Writer", "_parentrootroleid_value": role, "iscustomizable": {"Value": True}}
    roles = Expected("GET", f"{ROLES}&$filter=name eq 'Lead Writer' and _parentroleid_value eq null", answer={"value": [row]})
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


def test_a_sync_role_is_planned_or_missing():
    closed = Expected("GET", environment().url, 403, {"error": {"code": "Forbidden", "message": "does not have permission to access the path"}})
    none = Expected("GET", f"{ROLES}&$filter=name eq 'lead writer' and _parentroleid_value eq null", answer={"value": []})
    args = {**ARGS, "sync_role": "lead writer", "planned_roles": [{"name": "Lead Writer", "id": "AA000000-0000-4000-8000-000000000001"}]}
    ended = run(module, args, by_name(), directory(), closed, none, check=True)
    assert ended.result["user"]["roles"] == ["Lead Writer"]
    names = Expected("GET", f"{DATAVERSE}/roles?$select=name&$filter=_parentroleid_value eq null", answer={"value": [{"name": "Lead Writers"}]})
    ended = run(module, args, by_name(), directory(), closed, none, names)
    assert "no role with the name lead writer" in ended.result["msg"]
    assert "Lead Writers" in ended.result["msg"]


def test_what_cannot_succeed_is_not_begun():
    for change, reason in (({"assignedLicenses": []}, "no licence"), ({"accountEnabled": False}, "disabled in the directory")):
        ended = run(module, ARGS, by_name(), directory(**change), environment())
        assert ended.failed
        assert reason in ended.result["msg"]


def test_a_timeout_names_the_likely_reason():
    looks = [by_object_id()] * 20
    ended = run(module, {**ARGS, "wait_timeout": 30}, by_name(), directory(), environment(securityGroupId="grp"), groups(403), add_user(), *looks)
    assert ended.failed
    assert ended.result["error"]["kind"] == "WaitedTooLong"
    assert "security group grp" in ended.result["msg"]
    assert "could not be read" in ended.result["msg"]


GROUP = "https://graph.microsoft.com/v1.0/groups/grp?$select=displayName"


def details(status: int = 200, **plans: str) -> Expected:
    listed = [{"servicePlanName": name, "provisioningStatus": state, "appliesTo": "User"} for name, state in plans.items()]
    tenant_wide = {"servicePlanName": "EXCHANGE", "provisioningStatus": "Success", "appliesTo": "Company"}
    rows = [{"skuPartNumber": "CRMPLAN2", "servicePlans": [*listed, tenant_wide]}]
    return Expected("GET", f"https://graph.microsoft.com/v1.0/users/{OBJECT}/licenseDetails", status, {"value": rows} if status == 200 else {"error": {}})


def test_who_is_not_in_the_security_group_is_told_at_once():
    for name, told in ((Expected("GET", GROUP, answer={"displayName": "Sales"}), "Sales (grp)"), (Expected("GET", GROUP, 403, {"error": {}}), "grp")):
        ended = run(module, ARGS, by_name(), directory(), environment(securityGroupId="grp"), groups(200, "another"), name)
        assert ended.failed
        assert f"direct members of the security group {told}, and" in ended.result["msg"]
    ended = run(module, ARGS, by_name(), directory(), environment(securityGroupId="grp"), groups(200, "GRP"), check=True)
    assert ended.result["changed"] is True


def test_a_licence_that_the_environment_does_not_take_is_looked_into():
    refused = add_user()
    refused.status, refused.answer = 400, {"error": {"code": "userNotLicensed", "message": "does not have a license"}}
    args, start = {**ARGS, "wait_timeout": 1}, (by_name(), directory(), environment(), refused, refused)
    for licences, told in (
        (details(A="Success", B="Disabled"), "(CRMPLAN2) these service plans are on: A."),
        (details(A="Disabled"), "(CRMPLAN2) are switched off"),
        (details(**{f"P{number}": "Success" for number in range(9)}), "P5 and 3 more."),
        (details(403), "a new one can take some minutes"),
    ):
        ended = run(module, args, *start, licences)
        assert told in ended.result["msg"]
        assert "o365_user" in ended.result["error"]["next_step"]


def test_an_environment_without_a_database_and_one_in_administration_mode():
    ended = run(module, ARGS, by_name(), directory(), Expected("GET", environment().url, answer={"properties": {}}))
    assert ended.failed
    assert "no Dataverse database" in ended.result["msg"]
    closed = environment()
    closed.answer["properties"]["states"] = {"runtime": {"id": "AdminMode"}}
    ended = run(module, {**ARGS, "wait_timeout": 1}, by_name(), directory(), closed, add_user(), *[by_object_id()] * 3)
    assert "administration mode" in ended.result["msg"]
    assert "admin centre" in ended.result["error"]["next_step"]
    foreseen = run(module, ARGS, by_name(), directory(), closed, check=True)
    assert "administration mode" in " ".join(foreseen.result["warnings"])


UNIT = "1360fdcb-0000-4000-8000-000000000003"
OTHER_UNIT = "1360fdcb-0000-4000-8000-0000000000c3"
USER_PATH = f"{DATAVERSE}/systemusers({ROW['systemuserid']})"
APPLICATION = "66666666-7777-8888-9999-000000000000"
APP_ROW = {**ROW, "domainname": f"{APPLICATION}@contoso", "applicationid": APPLICATION, "accessmode": 4}


def units(condition: str, unit: str = OTHER_UNIT, parent: str | None = UNIT) -> Expected:
    row = {"businessunitid": unit, "name": "Sales EMEA", "_parentbusinessunitid_value": parent}
    url = f"{DATAVERSE}/businessunits?$select=businessunitid,name,_parentbusinessunitid_value&$filter={condition}"
    return Expected("GET", url, answer={"value": [row]})


def direct_roles(*names: str) -> Expected:
    return Expected("GET", f"{USER_PATH}/systemuserroles_association?$select=name", answer={"value": [{"name": name} for name in names]})


def settings(xml: str = "<OrgSettings/>") -> Expected:
    return Expected("GET", f"{DATAVERSE}/organizations?$select=orgdborgsettings", answer={"value": [{"orgdborgsettings": xml}]})


MOVE = {**ARGS, "business_unit": "Sales EMEA", "move_business_unit": True}
IN_SALES = units("name eq 'Sales EMEA'")


def test_moving_is_opt_in_and_names_the_roles_that_are_lost():
    ended = run(module, {**MOVE, "move_business_unit": False}, by_name(ROW), IN_SALES, direct_roles("Basic User"), settings())
    assert ended.failed
    assert "Basic User" in ended.result["msg"]
    assert "move_business_unit" in ended.result["error"]["next_step"]

    patch = Expected("PATCH", USER_PATH, 204, body={"businessunitid@odata.bind": f"/businessunits({OTHER_UNIT})"})
    moved = {**ROW, "_businessunitid_value": OTHER_UNIT}
    ended = run(module, MOVE, by_name(ROW), IN_SALES, direct_roles("Basic User"), settings(), patch, by_object_id(ROW), by_object_id(moved))
    assert ended.result["roles_lost"] == ["Basic User"]
    assert "Basic User" in ended.result["warnings"][0]
    assert ended.result["user"]["business_unit_id"] == OTHER_UNIT


def test_where_the_organisation_keeps_roles_none_are_lost():
    keeps = settings("<OrgSettings><DoNotRemoveRolesOnChangeBusinessUnit>true</DoNotRemoveRolesOnChangeBusinessUnit></OrgSettings>")
    ended = run(module, MOVE, by_name(ROW), IN_SALES, direct_roles("Basic User"), keeps, check=True)
    assert ended.result["roles_lost"] == []
    assert "warnings" not in ended.result


def test_disabled_and_access_mode_in_one_request():
    args = {**ARGS, "enabled": False, "access_mode": "non_interactive"}
    patch = Expected("PATCH", USER_PATH, 204, body={"isdisabled": True, "accessmode": 4})
    ended = run(module, args, by_name(ROW), patch, by_object_id({**ROW, "isdisabled": True, "accessmode": 4}))
    assert ended.result["diff"]["before"] == {"user_principal_name": UPN, "enabled": True, "access_mode": "read_write"}
    assert run(module, args, by_name({**ROW, "isdisabled": True, "accessmode": 4})).result["changed"] is False
    nobody = run(module, args, by_name())
    assert (nobody.result["changed"], nobody.result["user"]) == (False, None)


def test_a_disabled_user_is_enabled_directly_where_the_admin_api_is_closed():
    closed = Expected("GET", environment().url, 403, {"error": {"code": "Forbidden", "message": "does not have permission to access the path"}})
    patch = Expected("PATCH", USER_PATH, 204, body={"isdisabled": False})
    ended = run(module, ARGS, by_name({**ROW, "isdisabled": True}), directory(), closed, patch, by_object_id(ROW))
    assert ended.result["changed"] is True


def applications(*rows: dict[str, t.Any]) -> Expected:
    return Expected("GET", f"{DATAVERSE}/systemusers?$select={COLUMNS}&$filter=applicationid eq {APPLICATION}&{EXPAND}", answer={"value": list(rows)})


def service_principal(status: int = 200) -> Expected:
    answer = {"id": "sp"} if status == 200 else {"error": {"code": "Request_ResourceNotFound", "message": "Resource does not exist"}}
    return Expected("GET", f"{GRAPH}/servicePrincipals(appId='{APPLICATION}')?$select=id", status, answer)


def create(status: int = 204, answer: t.Any = None) -> Expected:
    body = {"applicationid": APPLICATION, "accessmode": 4, "isdisabled": False, "businessunitid@odata.bind": f"/businessunits({UNIT})"}
    return Expected("POST", f"{DATAVERSE}/systemusers", status, answer, body, {"OData-EntityId": USER_PATH})


ROOT_UNIT = units("parentbusinessunitid eq null", UNIT, None)


def test_an_application_user_is_created_in_the_root_unit_and_then_left_alone():
    args = {"application_id": APPLICATION.upper()}
    ended = run(module, args, applications(), service_principal(), ROOT_UNIT, create(), applications(), applications(APP_ROW))
    assert ended.result["user"]["access_mode"] == "non_interactive"
    predicted = run(module, args, applications(), service_principal(), ROOT_UNIT, check=True)
    assert predicted.result["writes"] == ended.result["writes"]
    assert run(module, args, applications(APP_ROW)).result["changed"] is False


def test_a_soft_deleted_row_of_the_application_is_purged_first():
    deleted = {**APP_ROW, "isdisabled": True, "deletedstate": 1}
    purge = Expected("DELETE", USER_PATH, 204)
    ended = run(module, {"application_id": APPLICATION}, applications(deleted), service_principal(), ROOT_UNIT, purge, create(), applications(APP_ROW))
    assert [write["method"] for write in ended.result["writes"]] == ["DELETE", "POST"]


def test_an_application_without_a_service_principal():
    args = {"application_id": APPLICATION}
    ended = run(module, args, applications(), service_principal(404))
    assert ended.failed
    assert "no service principal" in ended.result["msg"]
    planned = {**args, "planned_users": [{"application_id": APPLICATION}]}
    assert run(module, planned, applications(), ROOT_UNIT, check=True).result["planned"] is True
    unknown = create(400, {"error": {"code": "0x80041D49", "message": "not registered"}})
    ended = run(module, args, applications(), service_principal(), ROOT_UNIT, unknown, create(), applications(APP_ROW))
    assert not ended.failed
    ended = run(module, {**args, "wait_timeout": 1}, applications(), service_principal(403), ROOT_UNIT, unknown, unknown)
    assert "no service principal" in ended.result["msg"]


def test_another_run_that_created_it_faster():
    taken = create(412, {"error": {"code": "0x80040237", "message": "exists"}})
    ended = run(module, {"application_id": APPLICATION}, applications(), service_principal(), ROOT_UNIT, taken, applications(APP_ROW), applications(APP_ROW))
    assert not ended.failed, ended.result


def test_absent_disables_deletes_and_purges():
    args = {"application_id": APPLICATION, "state": "absent"}
    disable = Expected("PATCH", USER_PATH, 204, body={"isdisabled": True, "applicationid": APPLICATION})
    gone = Expected("DELETE", USER_PATH, 404, {"error": {"code": "0x80040217", "message": "Does Not Exist"}})
    ended = run(module, args, applications(APP_ROW), disable, Expected("DELETE", USER_PATH, 204), gone)
    assert (ended.failed, ended.result["user"]) == (False, None)
    assert run(module, args, applications(APP_ROW), check=True).result["writes"] == ended.result["writes"]
    assert run(module, args, applications()).result["changed"] is False


def test_an_application_is_disabled_together_with_its_id():
    args = {"application_id": APPLICATION, "enabled": False}
    disable = Expected("PATCH", USER_PATH, 204, body={"isdisabled": True, "applicationid": APPLICATION})
    assert not run(module, args, applications(APP_ROW), disable, applications({**APP_ROW, "isdisabled": True})).failed


@pytest.mark.parametrize(
    ("args", "option"),
    [
        ({"user": UPN, "state": "absent"}, "state"),
        ({"application_id": "my app"}, "application_id"),
        ({"application_id": APPLICATION, "access_mode": "read_write"}, "access_mode"),
        ({"application_id": AUTH["client_id"], "enabled": False}, "application_id"),
        ({"application_id": AUTH["client_id"], "state": "absent"}, "application_id"),
    ],
)
def test_options_are_checked_before_the_first_request(args: dict[str, t.Any], option: str):
    ended = run(module, args)
    assert ended.failed
    assert f"{option}: " in ended.result["msg"]


def test_a_stub_of_the_same_name_is_no_user():
    stub = {**ROW, "azureactivedirectoryobjectid": None, "isdisabled": True}
    ended = run(module, ARGS, by_name(stub), directory(), environment(), check=True)
    assert [write["path"].rsplit("/", 1)[-1] for write in ended.result["writes"]] == ["addUser?api-version=2023-06-01"]
    assert ended.result["diff"]["before"] == {}
    assert run(module, {**ARGS, "enabled": False}, by_name(stub)).result["user"] is None


def test_the_row_of_an_earlier_account_of_the_same_name_is_left_alone():
    namesake = {**ROW, "azureactivedirectoryobjectid": "0f0e0d0c-0000-4000-8000-0000000000aa", "isdisabled": True}
    ended = run(module, ARGS, by_name(namesake), directory(), environment(), add_user(), by_object_id(ROW))
    assert ended.result["user"]["object_id"] == OBJECT
    assert ended.result["diff"]["before"] == {}


def test_an_environment_that_is_busy_is_waited_for():
    busy = {"error": {"code": "OperationNotStartable", "message": "Another lifecycle operation is active."}}
    ended = run(module, ARGS, by_name(), directory(), environment(), add_user(409, busy), add_user(), by_object_id(ROW))
    assert not ended.failed, ended.result
    assert any("busy" in line or "something else" in line for line in ended.progress)
    late = run(module, {**ARGS, "wait_timeout": 0}, by_name(), directory(), environment(), add_user(409, busy))
    assert "backup, copy or update" in late.result["msg"]


def test_the_difference_names_the_business_units():
    units = f"{DATAVERSE}/businessunits?$select=businessunitid,name,_parentbusinessunitid_value&$filter=name eq 'Sales EMEA'"
    unit = {"businessunitid": "ae7bf8d1-0000-4000-8000-000000000009", "name": "Sales EMEA", "_parentbusinessunitid_value": ROW["_businessunitid_value"]}
    roles = Expected("GET", f"{DATAVERSE}/systemusers({ROW['systemuserid']})/systemuserroles_association?$select=name", answer={"value": []})
    args = {**ARGS, "business_unit": "Sales EMEA", "move_business_unit": True}
    ended = run(module, args, by_name(ROW), Expected("GET", units, answer={"value": [unit]}), roles, check=True)
    assert (ended.result["diff"]["before"]["business_unit"], ended.result["diff"]["after"]["business_unit"]) == ("contoso", "Sales EMEA")
