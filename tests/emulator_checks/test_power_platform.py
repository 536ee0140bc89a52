# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Power Platform admin API and Partner Center: who may enter, what environments look like, how people are let in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.emulator import dataverse, partner_center, power_platform
from tests.emulator.dataverse.organization import Organization
from tests.emulator.dataverse.roles import administrators
from tests.emulator.wire import Response, ServiceError

from .small_cloud import ADMIN_ID, APP_ID, APP_OBJECT_ID, CRMPLAN2, GROUP_ID, MEMBER_ID, TENANT_ID, SmallCloud, make_cloud

ROOT = "/providers/Microsoft.BusinessAppPlatform"
ENVIRONMENTS = f"{ROOT}/scopes/admin/environments"
ENVIRONMENT_ID = "f0000000-0000-4000-8000-000000000002"
VERSION = "api-version=2023-06-01"


def catching(handle: Any) -> Any:
    """The service with its refusals as responses, which is what the server makes of them."""

    def answer(*arguments: Any) -> Response:
        try:
            response: Response = handle(*arguments)
        except ServiceError as refused:
            return refused.response
        return response

    return answer


@pytest.fixture
def cloud() -> SmallCloud:
    return replace(make_cloud(), handler=catching(power_platform.handle), base_url="https://localhost:8443/powerplatform")


@pytest.fixture
def organized(cloud: SmallCloud) -> SmallCloud:
    """The same with a Dataverse organisation in it."""
    cloud.tenant.change(features={**cloud.tenant.features, "modern_business_units": False, "sales_app": True})
    dataverse.seed_organization(cloud.world, cloud.tenant)
    return cloud


def license_member(cloud: SmallCloud, **more: Any) -> None:
    entry = {"skuId": CRMPLAN2, "disabledPlans": []}
    cloud.tenant.collection("users").change(MEMBER_ID, assignedLicenses=[entry], _licensed_at=cloud.world.now(), **more)


def add_user(cloud: SmallCloud, object_id: str = MEMBER_ID) -> Any:
    return cloud.call("POST", f"{ENVIRONMENTS}/{ENVIRONMENT_ID}/addUser?{VERSION}", {"objectId": object_id})


def row_of(cloud: SmallCloud, object_id: str) -> Any:
    rows = cloud.tenant.collection("systemusers").values()
    return next((row for row in rows if row.get("azureactivedirectoryobjectid") == object_id), None)


def test_environments_have_the_recorded_shape(cloud: SmallCloud):
    found = cloud.call("GET", f"{ENVIRONMENTS}?{VERSION}")
    default, own = found.values
    assert default["name"] == f"Default-{TENANT_ID}"
    assert default["properties"]["isDefault"] is True
    assert "linkedEnvironmentMetadata" not in default["properties"]
    linked = own["properties"]["linkedEnvironmentMetadata"]
    assert (own["name"], own["location"], own["properties"]["databaseType"]) == (ENVIRONMENT_ID, "europe", "CommonDataService")
    assert linked["resourceId"] == cloud.tenant.document["org_id"]
    assert (linked["instanceUrl"], linked["instanceApiUrl"]) == ("https://localhost:8443/org/contoso/", "https://localhost:8443/org/contoso")
    assert "securityGroupId" not in linked
    assert own["properties"]["states"]["runtime"]["id"] == "Enabled"


def test_real_host_names_lead_to_real_host_names(cloud: SmallCloud):
    real = replace(cloud, base_url="https://api.bap.microsoft.com")
    linked = real.call("GET", f"{ENVIRONMENTS}/{ENVIRONMENT_ID}?{VERSION}").body["properties"]["linkedEnvironmentMetadata"]
    assert (linked["instanceUrl"], linked["instanceApiUrl"]) == ("https://contoso.crm4.dynamics.com/", "https://contoso.api.crm4.dynamics.com")


def test_group_administration_mode_and_missing_database_show(cloud: SmallCloud):
    cloud.tenant.change(security_group_id=GROUP_ID, features={**cloud.tenant.features, "administration_mode": True})
    properties = cloud.call("GET", f"{ENVIRONMENTS}/{ENVIRONMENT_ID}?{VERSION}").body["properties"]
    assert properties["linkedEnvironmentMetadata"]["securityGroupId"] == GROUP_ID
    assert properties["states"]["runtime"]["id"] == "AdminMode"
    cloud.tenant.change(features={**cloud.tenant.features, "database": False})
    assert "linkedEnvironmentMetadata" not in cloud.call("GET", f"{ENVIRONMENTS}/{ENVIRONMENT_ID}?{VERSION}").body["properties"]
    assert add_user(cloud).status == 400


def test_an_unknown_environment_and_a_missing_version_are_told(cloud: SmallCloud):
    absent = cloud.call("GET", f"{ENVIRONMENTS}/nothing?{VERSION}")
    assert (absent.status, absent.error["code"]) == (404, "EnvironmentNotFound")
    assert cloud.call("GET", ENVIRONMENTS).error["code"] == "MissingApiVersionParameter"


def test_an_application_must_be_registered_by_a_person(cloud: SmallCloud):
    cloud.tenant.collection("servicePrincipals").change(APP_OBJECT_ID, _management_application=False)
    refused = cloud.call("GET", f"{ENVIRONMENTS}?{VERSION}")
    assert refused.status == 403
    assert "does not have permission to access the path" in refused.error["message"]
    url = f"{ROOT}/adminApplications/{APP_ID}?api-version=2020-10-01"
    assert cloud.call("PUT", url, {}).status == 403
    assert cloud.as_user(MEMBER_ID).call("PUT", url, {}).status == 403
    human = cloud.as_user(ADMIN_ID)
    assert human.call("PUT", url, {}).body == {"applicationId": APP_ID}
    assert human.call("GET", f"{ROOT}/adminApplications?api-version=2020-10-01").values == [{"applicationId": APP_ID}]
    assert cloud.call("GET", f"{ENVIRONMENTS}?{VERSION}").status == 200


@pytest.mark.parametrize("role", ["Power Platform Administrator", "Dynamics 365 Administrator"])
def test_administrators_of_the_platform_may_enter(cloud: SmallCloud, role: str):
    member = cloud.as_user(MEMBER_ID)
    assert member.call("GET", f"{ENVIRONMENTS}?{VERSION}").status == 403
    cloud.give_role(role, MEMBER_ID)
    assert member.call("GET", f"{ENVIRONMENTS}?{VERSION}").status == 200


def test_a_user_is_let_in_once_the_licence_has_arrived(organized: SmallCloud):
    organized.time(license_propagation=60.0, forced_sync=5.0)
    assert add_user(organized).error["code"] == "userNotLicensed"
    license_member(organized)
    assert add_user(organized).error["code"] == "userNotLicensed"
    assert row_of(organized, MEMBER_ID) is None
    organized.world.advance(61)
    done = add_user(organized)
    assert (done.status, done.body) == (200, b"")
    row = row_of(organized, MEMBER_ID)
    assert organized.world.now() < row["_visible_from"] <= organized.world.now() + 5
    assert add_user(organized).status == 200


def test_why_a_user_is_not_let_in(organized: SmallCloud):
    assert (add_user(organized, "a0000000-0000-4000-8000-0000000000ff").status, row_of(organized, MEMBER_ID)) == (404, None)
    organized.tenant.change(security_group_id=GROUP_ID)
    license_member(organized)
    assert add_user(organized).error["code"] == "userNotInSecurityGroup"
    organized.tenant.collection("groups").change(GROUP_ID, _members=[MEMBER_ID])
    license_member(organized, accountEnabled=False)
    assert add_user(organized).error["code"] == "userNotEnabled"
    license_member(organized, accountEnabled=True)
    assert add_user(organized).status == 200


def test_an_added_application_is_an_administrator(organized: SmallCloud):
    key = "b0000000-0000-4000-8000-000000000009"
    organized.tenant.collection("servicePrincipals")[key] = {"id": key, "appId": "c0000000-0000-4000-8000-000000000009", "displayName": "Probe"}
    url = f"{ENVIRONMENTS}/{ENVIRONMENT_ID}/addAppUser?api-version=2020-10-01"
    assert organized.call("POST", url, {"servicePrincipalAppId": "c0000000-0000-4000-8000-00000000000a"}).status == 404
    assert organized.call("POST", url, {"servicePrincipalAppId": "c0000000-0000-4000-8000-000000000009"}).status == 200
    row = row_of(organized, key)
    assert row["applicationid"] == "c0000000-0000-4000-8000-000000000009"
    assert row["systemuserid"] in administrators(Organization(organized.world, organized.tenant))


def test_roles_of_an_environment_without_a_database(cloud: SmallCloud):
    url = f"{ENVIRONMENTS}/Default-{TENANT_ID}"
    wish = {"properties": {"roleDefinition": {"id": f"{url}/roleDefinitions/EnvironmentMaker"}, "principal": {"id": MEMBER_ID, "type": "User"}}}
    added = cloud.call("POST", f"{url}/modifyRoleAssignments?api-version=2021-04-01", {"add": [wish]}).body["add"][0]
    assert added["httpStatus"] == "Created"
    assert added["roleAssignment"]["properties"]["roleDefinition"]["name"] == "EnvironmentMaker"
    listed = cloud.call("GET", f"{url}/roleAssignments?api-version=2021-04-01").values
    assert listed == [added["roleAssignment"]]
    assert cloud.call("POST", f"{url}/modifyRoleAssignments?api-version=2021-04-01", {"remove": [{"id": listed[0]["id"]}]}).status == 200
    assert cloud.call("GET", f"{url}/roleAssignments?api-version=2021-04-01").values == []
    refused = cloud.call("POST", f"{ENVIRONMENTS}/{ENVIRONMENT_ID}/modifyRoleAssignments?api-version=2021-04-01", {"add": [wish]})
    assert refused.status == 501


def test_customers_come_in_pages_whose_token_is_a_header(cloud: SmallCloud):
    partner = replace(cloud, handler=catching(partner_center.handle))
    other = "22222222-2222-4222-8222-222222222222"
    cloud.world.tenant_documents[other] = {**cloud.tenant.document, "name": "fabrikam", "tenant_id": other, "domain": "fabrikam.onmicrosoft.com"}
    first = partner.call("GET", "/v1/customers?size=1")
    assert (first.body["totalCount"], [item["id"] for item in first.body["items"]]) == (2, [TENANT_ID])
    following = first.body["links"]["next"]
    headers = {entry["key"].lower().replace("-", "_"): entry["value"] for entry in following["headers"]}
    assert partner.call("GET", f"/v1{following['uri']}").status == 400
    second = partner.call("GET", f"/v1{following['uri']}", None, **headers)
    assert [item["companyProfile"]["domain"] for item in second.body["items"]] == ["fabrikam.onmicrosoft.com"]
    assert "next" not in second.body["links"]
    assert partner.call("GET", f"/v1/customers/{other}").body["id"] == other
    assert partner.call("GET", "/v1/customers/nobody").status == 404
    assert partner.call("GET", "/v1/invoices").status == 501
    assert partner.as_user(ADMIN_ID).call("GET", "/v1/customers").status == 401
