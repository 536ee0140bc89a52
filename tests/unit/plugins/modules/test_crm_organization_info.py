# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""crm_organization_info on a scripted wire."""

from __future__ import annotations

from ansible_collections.leadops.dynamics365.plugins.modules import crm_organization_info as module
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import DATAVERSE, ORGANIZATION, TENANT, Expected, run

IDS = {
    "UserId": "AAAAAAAA-0000-4000-8000-000000000001",
    "BusinessUnitId": "bbbbbbbb-0000-4000-8000-000000000002",
    "OrganizationId": "cccccccc-0000-4000-8000-000000000003",
}
DETAIL_URL = f"{DATAVERSE}/RetrieveCurrentOrganization(AccessType=@p)?@p=Microsoft.Dynamics.CRM.EndpointAccessType'Default'"
UNITS_URL = f"{DATAVERSE}/businessunits?$select=businessunitid,name&$filter=parentbusinessunitid eq null"
UNITS = {"value": [{"businessunitid": IDS["BusinessUnitId"], "name": "contoso"}]}


def who_am_i() -> Expected:
    return Expected("GET", f"{DATAVERSE}/WhoAmI", answer=IDS)


def detail(**members: str) -> Expected:
    return Expected(
        "GET", DETAIL_URL, answer={"Detail": {"OrganizationVersion": "9.2.1.1", "FriendlyName": "Contoso", "EnvironmentId": "e", "TenantId": TENANT, **members}}
    )


def test_reads_the_organisation_in_three_requests():
    ended = run(module, {}, who_am_i(), detail(), Expected("GET", UNITS_URL, answer=UNITS))
    assert not ended.failed
    assert ended.result["changed"] is False
    assert ended.result["organization"]["version"] == "9.2.1.1"
    assert ended.result["organization"]["root_business_unit_id"] == IDS["BusinessUnitId"]
    assert ended.result["caller"]["system_user_id"] == IDS["UserId"].lower()
    assert ended.wire.sign_ins == 1


def test_an_older_organisation_is_spoken_to_in_its_own_version():
    old = f"{ORGANIZATION}/api/data/v8.2"
    ended = run(
        module,
        {},
        Expected("GET", f"{DATAVERSE}/WhoAmI", 404, b"<html/>"),
        Expected("GET", f"{old}/WhoAmI", answer=IDS),
        Expected("GET", DETAIL_URL.replace(DATAVERSE, old), 404, {"error": {"code": "0x80060888", "message": "Resource not found"}}),
        Expected("GET", f"{old}/RetrieveVersion", answer={"Version": "8.2.2.112"}),
        Expected("GET", UNITS_URL.replace(DATAVERSE, old), answer=UNITS),
    )
    assert not ended.failed
    assert ended.result["organization"]["api_version"] == "v8.2"
    assert ended.result["organization"]["version"] == "8.2.2.112"


def test_another_tenants_organisation_is_refused():
    ended = run(module, {}, who_am_i(), detail(TenantId="dddddddd-0000-4000-8000-000000000004"), Expected("GET", UNITS_URL, answer=UNITS))
    assert ended.failed
    assert "belongs to the tenant dddddddd" in ended.result["msg"]


def test_an_organisation_that_is_too_old_is_refused():
    ended = run(module, {"minimum_version": "9.10"}, who_am_i(), detail(), Expected("GET", UNITS_URL, answer=UNITS))
    assert ended.failed
    assert "9.2.1.1" in ended.result["msg"]


def test_missing_privileges_are_named():
    function = "Microsoft.Dynamics.CRM.RetrieveUserSetOfPrivilegesByNames(PrivilegeNames=@p)"
    asked = f'{DATAVERSE}/systemusers({IDS["UserId"].lower()})/{function}?@p=["prvWriteRole","prvReadLead"]'
    ended = run(
        module,
        {"required_privileges": ["prvWriteRole", "prvReadLead"]},
        who_am_i(),
        detail(),
        Expected("GET", UNITS_URL, answer=UNITS),
        Expected("GET", asked, answer={"RolePrivileges": [{"PrivilegeName": "prvreadlead", "Depth": "Global"}]}),
    )
    assert ended.failed
    assert "prvWriteRole" in ended.result["msg"]
    assert "prvReadLead" not in ended.result["msg"]


def test_a_page_of_the_organisation_is_no_url_of_it():
    ended = run(module, {"url": f"{ORGANIZATION}/main.aspx?appid=1"})
    assert ended.failed
    assert ended.result["msg"].startswith("contoso.crm4.dynamics.com/main.aspx?appid=1: url:")


def test_a_caller_who_is_no_member_is_told_what_to_do():
    refusal = {"error": {"code": "0x80072560", "message": "The user is not a member of the organization."}}
    ended = run(module, {}, Expected("GET", f"{DATAVERSE}/WhoAmI", 403, refusal, headers={"x-ms-service-request-id": "r-1"}))
    assert ended.failed
    assert ended.result["error"]["catalogue"] == "not-a-member"
    assert "application user" in ended.result["msg"]
    assert "r-1" in ended.result["msg"]
