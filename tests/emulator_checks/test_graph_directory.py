# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph: roles by every view, groups, organisation, applications, batches, and the 401."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.emulator import graph
from tests.emulator.graph.roles import BUILT_IN
from tests.emulator.wire import Request
from tests.emulator.world import TokenProblem

from .small_cloud import ADMIN_ID, APP_ID, APP_OBJECT_ID, GROUP_ID, MEMBER_ID, OUTER_GROUP_ID, TENANT_ID, SmallCloud, make_cloud

ROLES = "/roleManagement/directory"
ROLE_CAST = "microsoft.graph.directoryRole"


@pytest.fixture
def cloud() -> SmallCloud:
    return make_cloud()


def nest(cloud: SmallCloud) -> None:
    """The member is in the inner group, which is in the outer one, which holds a role."""
    cloud.tenant.collection("groups").change(GROUP_ID, _members=[MEMBER_ID])
    cloud.tenant.collection("groups").change(OUTER_GROUP_ID, _members=[GROUP_ID])
    cloud.give_role("Helpdesk Administrator", OUTER_GROUP_ID)


def test_each_view_of_roles_hides_something(cloud: SmallCloud):
    nest(cloud)
    cloud.give_role("License Administrator", MEMBER_ID, scope="/administrativeUnits/x")
    assert cloud.get(f"/users/{MEMBER_ID}/memberOf/{ROLE_CAST}").values == []
    through = cloud.get(f"/users/{MEMBER_ID}/transitiveMemberOf/{ROLE_CAST}").values
    assert [(role["@odata.type"], role["displayName"]) for role in through] == [("#microsoft.graph.directoryRole", "Helpdesk Administrator")]
    assert through[0]["id"] != through[0]["roleTemplateId"]
    scoped = cloud.get(f"{ROLES}/roleAssignments?$filter=principalId%20eq%20'{MEMBER_ID}'&$expand=roleDefinition").values
    assert [(entry["directoryScopeId"], entry["roleDefinition"]["displayName"]) for entry in scoped] == [("/administrativeUnits/x", "License Administrator")]
    types = [entry["@odata.type"] for entry in cloud.get(f"/users/{MEMBER_ID}/transitiveMemberOf").values]
    assert types == ["#microsoft.graph.directoryRole", "#microsoft.graph.group", "#microsoft.graph.group"]


def test_a_cast_with_options_is_an_advanced_query(cloud: SmallCloud):
    url = f"/users/{ADMIN_ID}/memberOf/{ROLE_CAST}"
    assert cloud.get(url).values[0]["displayName"] == "Global Administrator"
    assert cloud.get(f"{url}?$select=displayName").error["code"] == "Request_UnsupportedQuery"
    shown = cloud.get(f"{url}?$select=displayName&$count=true", consistencylevel="eventual")
    assert (shown.body["@odata.count"], shown.values[0]["displayName"]) == (1, "Global Administrator")


def test_too_little_permission_hides_what_a_member_is(cloud: SmallCloud):
    shown = cloud.as_app("User.Read.All").get(f"/users/{ADMIN_ID}/memberOf").values[0]
    assert shown["@odata.type"] == "#microsoft.graph.directoryRole"
    assert shown["id"]
    assert (shown["displayName"], shown["roleTemplateId"]) == (None, None)


def test_member_ids_are_listed_and_checked(cloud: SmallCloud):
    nest(cloud)
    assert cloud.post(f"/users/{MEMBER_ID}/getMemberGroups", {"securityEnabledOnly": False}).values == [GROUP_ID, OUTER_GROUP_ID]
    assert len(cloud.post(f"/users/{MEMBER_ID}/getMemberObjects", {"securityEnabledOnly": False}).values) == 3
    assert cloud.post(f"/users/{MEMBER_ID}/checkMemberGroups", {"groupIds": [OUTER_GROUP_ID, ADMIN_ID]}).values == [OUTER_GROUP_ID]
    assert [entry["id"] for entry in cloud.get(f"/groups/{OUTER_GROUP_ID}/members").values] == [GROUP_ID]
    assert [entry["id"] for entry in cloud.get(f"/groups/{OUTER_GROUP_ID}/transitiveMembers").values] == [GROUP_ID, MEMBER_ID]


def test_a_role_is_assigned_once_and_removed(cloud: SmallCloud):
    wish = {"principalId": MEMBER_ID, "roleDefinitionId": BUILT_IN["User Administrator"], "directoryScopeId": "/"}
    made = cloud.post(f"{ROLES}/roleAssignments", wish)
    assert made.status == 201
    assert cloud.post(f"{ROLES}/roleAssignments", wish).status == 400
    assert cloud.get(f"{ROLES}/roleAssignments?$filter=principalId%20eq%20'{MEMBER_ID}'").values == [
        {"id": made.body["id"], "principalId": MEMBER_ID, "roleDefinitionId": wish["roleDefinitionId"], "resourceScope": "/", "directoryScopeId": "/"}
    ]
    assert cloud.as_app("RoleManagement.Read.Directory").delete(f"{ROLES}/roleAssignments/{made.body['id']}").status == 403
    assert cloud.delete(f"{ROLES}/roleAssignments/{made.body['id']}").status == 204
    assert cloud.delete(f"{ROLES}/roleAssignments/{made.body['id']}").status == 404


def test_a_member_is_taken_out_of_a_role_by_its_template(cloud: SmallCloud):
    template = BUILT_IN["Global Administrator"]
    assert [entry["id"] for entry in cloud.get(f"/directoryRoles/roleTemplateId={template}/members").values] == [ADMIN_ID]
    cloud.give_role("Global Administrator", MEMBER_ID)
    assert cloud.delete(f"/directoryRoles/roleTemplateId={template}/members/{ADMIN_ID}/$ref").status == 204
    assert cloud.get(f"/users/{ADMIN_ID}/memberOf/{ROLE_CAST}").values == []
    assert len(cloud.get("/directoryRoleTemplates").values) == len(BUILT_IN)
    assert cloud.get(f"{ROLES}/roleDefinitions/{template}").body["isBuiltIn"] is True


def test_a_global_administrator_remains(cloud: SmallCloud):
    (entry,) = cloud.get(f"{ROLES}/roleAssignments?$filter=roleDefinitionId%20eq%20'{BUILT_IN['Global Administrator']}'").values
    url = f"{ROLES}/roleAssignments/{entry['id']}"
    assert "Removing self from Global Administrator" in cloud.as_user(ADMIN_ID).delete(url).error["message"]
    assert "last Global Administrator" in cloud.delete(url).error["message"]
    cloud.give_role("Global Administrator", MEMBER_ID)
    assert cloud.delete(url).status == 204


def test_eligibility_needs_the_licence_and_its_own_permission(cloud: SmallCloud):
    entry = {"id": "e1", "principalId": MEMBER_ID, "roleDefinitionId": BUILT_IN["Global Administrator"], "directoryScopeId": "/"}
    cloud.tenant.collection("directoryRoleEligibilities")["e1"] = entry
    url = f"{ROLES}/roleEligibilityScheduleInstances?$filter=principalId%20eq%20'{MEMBER_ID}'"
    found = cloud.get(url).values[0]
    assert (found["memberType"], found["roleDefinitionId"]) == ("Direct", entry["roleDefinitionId"])
    refused = cloud.as_app("User.Read.All").get(url)
    assert (refused.status, refused.body["errorCode"]) == (403, "PermissionScopeNotGranted")
    wish = {**entry, "action": "adminRemove", "justification": "cleanup"}
    removed = cloud.post(f"{ROLES}/roleEligibilityScheduleRequests", {name: value for name, value in wish.items() if name != "id"})
    assert (removed.status, removed.body["status"]) == (201, "Revoked")
    assert cloud.get(url).values == []
    cloud.tenant.change(features={"pim": False})
    without = cloud.get(url)
    assert (without.status, without.error["code"]) == (400, "AadPremiumLicenseRequired")


def test_the_tenant_describes_itself(cloud: SmallCloud):
    shown = cloud.get("/organization").values[0]
    assert (shown["id"], shown["countryLetterCode"], shown["tenantType"]) == (TENANT_ID, "DE", "AAD")
    assert [domain["name"] for domain in shown["verifiedDomains"]] == ["contoso.onmicrosoft.com", "contoso.com"]
    assert [domain["name"] for domain in shown["verifiedDomains"] if domain["isInitial"]] == ["contoso.onmicrosoft.com"]
    assert cloud.as_app("Domain.Read.All").get("/domains/contoso.com").body["isVerified"] is True
    assert cloud.get("/policies/identitySecurityDefaultsEnforcementPolicy").body["isEnabled"] is False


def test_an_application_is_registered_twice_under_one_name(cloud: SmallCloud):
    first = cloud.post("/applications", {"displayName": "Leads", "signInAudience": "AzureADMyOrg"})
    second = cloud.post("/applications", {"displayName": "Leads"})
    assert (first.status, second.status) == (201, 201)
    assert second.body["signInAudience"] == "AzureADandPersonalMicrosoftAccount"
    assert len(cloud.get("/applications?$filter=displayName%20eq%20'Leads'").values) == 2
    assert cloud.get(f"/applications(appId='{first.body['appId']}')").body["id"] == first.body["id"]
    assert cloud.patch(f"/applications/{first.body['id']}", {"passwordCredentials": []}).status == 400
    assert cloud.patch(f"/applications/{first.body['id']}", {"notes": "x"}).status == 204


def test_a_secret_is_shown_once(cloud: SmallCloud):
    made = cloud.post("/applications", {"displayName": "Leads"}).body
    secret = cloud.post(f"/applications/{made['id']}/addPassword", {"passwordCredential": {"displayName": "ansible"}}).body
    assert secret["secretText"].startswith(secret["hint"])
    shown = cloud.get(f"/applications/{made['id']}").body["passwordCredentials"]
    assert [(entry["keyId"], entry["secretText"], entry["displayName"]) for entry in shown] == [(secret["keyId"], None, "ansible")]
    assert secret["secretText"] not in str(cloud.get("/applications").body)
    assert cloud.post(f"/applications/{made['id']}/removePassword", {"keyId": "0"}).status == 400
    assert cloud.post(f"/applications/{made['id']}/removePassword", {"keyId": secret["keyId"]}).status == 204
    assert cloud.get(f"/applications/{made['id']}").body["passwordCredentials"] == []


def certificate() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "leads")])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    signed = builder.not_valid_before(begin).not_valid_after(begin + timedelta(days=365)).sign(key, hashes.SHA256())
    return base64.b64encode(signed.public_bytes(serialization.Encoding.DER)).decode()


def test_certificates_are_replaced_as_a_whole(cloud: SmallCloud):
    made = cloud.post("/applications", {"displayName": "Leads"}).body
    url = f"/applications/{made['id']}"

    def entry() -> dict[str, Any]:
        return {"type": "AsymmetricX509Cert", "usage": "Verify", "key": certificate()}

    assert cloud.patch(url, {"keyCredentials": [entry()]}).status == 204
    first = cloud.get(url).body["keyCredentials"][0]
    assert (first["key"], first["displayName"]) == (None, "CN=leads")
    assert cloud.get(f"{url}?$select=keyCredentials").body["keyCredentials"][0]["key"]
    assert cloud.patch(url, {"keyCredentials": [first, entry()]}).status == 204
    assert len(cloud.get(url).body["keyCredentials"]) == 2
    assert cloud.patch(url, {"keyCredentials": [entry()]}).status == 204
    assert first["keyId"] not in [key["keyId"] for key in cloud.get(url).body["keyCredentials"]]
    assert cloud.patch(url, {"keyCredentials": [{**entry(), "key": "bm9uc2Vuc2U="}]}).status == 400


def test_a_service_principal_exists_once(cloud: SmallCloud):
    made = cloud.post("/applications", {"displayName": "Leads"}).body
    principal = cloud.post("/servicePrincipals", {"appId": made["appId"]})
    assert principal.status == 201
    again = cloud.post("/servicePrincipals", {"appId": made["appId"]})
    assert (again.status, again.error["code"]) == (409, "Request_MultipleObjectsWithSameKeyValue")
    assert cloud.post("/servicePrincipals", {"appId": TENANT_ID}).status == 400
    assert cloud.get(f"/servicePrincipals(appId='{made['appId']}')").body["id"] == principal.body["id"]
    assert cloud.delete(f"/applications/{made['id']}").status == 204
    assert cloud.get(f"/servicePrincipals/{principal.body['id']}").status == 404
    assert [entry["id"] for entry in cloud.get("/directory/deletedItems/microsoft.graph.application").values] == [made["id"]]


def test_owned_by_reaches_the_callers_own_only(cloud: SmallCloud):
    owner = cloud.as_app("Application.ReadWrite.OwnedBy")
    own = owner.post("/applications", {"displayName": "Own"}).body
    assert owner.post(f"/applications/{own['id']}/addPassword").status == 200
    assert owner.post(f"/applications(appId='{APP_ID}')/addPassword").status == 403
    assert [entry["id"] for entry in owner.get("/applications").values] == [own["id"]]


def test_granted_permissions_point_at_the_resource(cloud: SmallCloud):
    resource = cloud.get("/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')?$select=id,appRoles").body
    granted = cloud.get(f"/servicePrincipals/{APP_OBJECT_ID}/appRoleAssignments").values
    names = {role["id"]: role["value"] for role in resource["appRoles"]}
    assert [(entry["resourceId"], names[entry["appRoleId"]]) for entry in granted] == [(resource["id"], "User.ReadWrite.All")]


def test_a_batch_runs_in_the_order_of_its_dependencies(cloud: SmallCloud):
    parts = [
        {"id": "2", "method": "GET", "url": f"/users/{MEMBER_ID}?$select=department", "dependsOn": ["1"]},
        {"id": "1", "method": "PATCH", "url": f"/users/{MEMBER_ID}", "headers": {"Content-Type": "application/json"}, "body": {"department": "Sales"}},
        {"id": "3", "method": "GET", "url": "/users/nobody@contoso.com"},
        {"id": "4", "method": "GET", "url": "/organization", "dependsOn": ["3"]},
    ]
    answer = cloud.post("/$batch", {"requests": parts})
    found = {part["id"]: part for part in answer.body["responses"]}
    assert {key: part["status"] for key, part in found.items()} == {"1": 204, "2": 200, "3": 404, "4": 424}
    assert found["2"]["body"]["department"] == "Sales"
    assert "body" not in found["1"]
    assert found["4"]["body"]["error"]["code"] == "FailedDependency"


@pytest.mark.parametrize(
    "parts",
    [
        [{"id": str(number), "method": "GET", "url": "/organization"} for number in range(21)],
        [{"id": "1", "method": "PATCH", "url": "/users/x", "body": {}}],
        [{"id": "a", "method": "GET", "url": "/x"}, {"id": "A", "method": "GET", "url": "/x"}],
        [{"id": "1", "method": "GET", "url": "/x", "dependsOn": ["9"]}],
        [],
    ],
)
def test_a_malformed_batch_is_refused_as_a_whole(cloud: SmallCloud, parts: list[dict[str, Any]]):
    assert cloud.post("/$batch", {"requests": parts}).status == 400


def test_no_token_is_a_401_that_names_the_authority(cloud: SmallCloud):
    request = Request("GET", "/v1.0/users", "/v1.0/users", "", {"client-request-id": "mine"}, b"", "https://localhost:8443/graph", "r1")
    response = graph.unauthorized(cloud.world, None, TokenProblem("missing"), request)
    assert response.status == 401
    assert 'authorization_uri="https://localhost:8443/common/oauth2/authorize"' in response.headers["www-authenticate"]
    assert response.headers["client-request-id"] == "mine"
    assert b'"InvalidAuthenticationToken"' in response.body
