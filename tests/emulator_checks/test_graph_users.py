# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph users: create, read, change, delete, restore."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.emulator.wire import ServiceError

from .small_cloud import ADMIN_ID, CRMPLAN2, GROUP_ID, MEMBER_ID, OUTER_GROUP_ID, SYNCED_ID, TENANT_ID, Answer, SmallCloud, make_cloud

UPN = "crm-service@contoso.onmicrosoft.com"
NEW: dict[str, Any] = {
    "accountEnabled": True,
    "displayName": "CRM Service",
    "mailNickname": "crm-service",
    "userPrincipalName": UPN,
    "passwordProfile": {"forceChangePasswordNextSignIn": False, "password": "Zx7!fresh-value"},
    "usageLocation": "DE",
    "passwordPolicies": "DisablePasswordExpiration",
}


@pytest.fixture
def cloud() -> SmallCloud:
    return make_cloud()


def create(cloud: SmallCloud, **changes: Any) -> Answer:
    return cloud.post("/users", {name: value for name, value in {**NEW, **changes}.items() if value is not None})


def test_a_created_user_shows_the_default_properties_with_nulls(cloud: SmallCloud):
    made = create(cloud)
    assert made.status == 201
    assert made.body["@odata.context"] == "https://localhost:8443/graph/v1.0/$metadata#users/$entity"
    assert set(made.body) == {
        "@odata.context", "id", "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
        "preferredLanguage", "surname", "userPrincipalName",
    }  # fmt: skip
    assert made.body["mail"] is None
    assert made.headers["location"].startswith(f"https://graph.microsoft.com/v2/{TENANT_ID}/directoryObjects/{made.body['id']}/")
    assert made.headers["odata-version"] == "4.0"
    kept = cloud.tenant.collection("users")[made.body["id"]]
    assert kept["_password"] == "Zx7!fresh-value"
    assert kept["passwordProfile"]["forceChangePasswordNextSignIn"] is False


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"displayName": None}, "A value is required for property 'displayName' of resource 'User'."),
        ({"passwordProfile": None}, "A password must be specified to create a new user."),
        ({"userPrincipalName": "x@elsewhere.example"}, "The domain portion of the userPrincipalName property is invalid."),
        ({"userPrincipalName": "ümlaut@contoso.com"}, "Invalid value specified for property 'userPrincipalName'"),
        ({"userPrincipalName": "dot.@contoso.com"}, "Invalid value specified for property 'userPrincipalName'"),
        ({"mailNickname": "has blank"}, "Invalid value specified for property 'mailNickname'"),
        ({"usageLocation": "XX"}, "Invalid value specified for property 'usageLocation' of resource 'User'."),
        ({"passwordProfile": {"password": "alllowercase"}}, "The specified password does not comply with password complexity requirements."),
        ({"passwordProfile": {"password": "Ab1!"}}, "The specified password does not comply"),
        ({"passwordProfile": {"password": "Ünicode-123"}}, "The specified password does not comply"),
        ({"passwordProfile": {"password": "P@ssw0rd1"}}, "The specified password does not comply"),
        ({"colour": "red"}, "Property 'colour' does not exist"),
        ({"assignedLicenses": []}, "Property 'assignedLicenses' is read-only"),
        ({"accountEnabled": "yes"}, "Edm.Boolean"),
    ],
)
def test_a_user_that_breaks_a_rule_is_refused(cloud: SmallCloud, changes: dict[str, Any], message: str):
    refused = create(cloud, **changes)
    assert (refused.status, refused.error["code"]) == (400, "Request_BadRequest")
    assert message in refused.error["message"]
    assert len(cloud.tenant.collection("users")) == 3


def test_a_taken_name_is_told_with_details_and_request_ids(cloud: SmallCloud):
    create(cloud)
    again = cloud.post("/users", {**NEW, "userPrincipalName": UPN.upper(), "mailNickname": "other"}, client_request_id="mine")
    assert again.status == 400
    assert again.error["details"][0]["code"] == "ObjectConflict"
    assert again.error["details"][0]["target"] == "userPrincipalName"
    assert again.error["message"] == "Another object with the same value for property userPrincipalName already exists."
    assert again.error["innerError"]["client-request-id"] == "mine"
    assert again.error["innerError"]["request-id"] == again.headers["request-id"]
    assert "Z" not in again.error["innerError"]["date"]


@pytest.mark.parametrize("reference", [UPN, UPN.upper(), f"('{UPN}')", f"('{quote(UPN)}')"])
def test_a_user_is_found_by_name_in_both_forms(cloud: SmallCloud, reference: str):
    made = create(cloud)
    url = f"/users{reference}" if reference.startswith("(") else f"/users/{quote(reference)}"
    assert cloud.get(url).body["id"] == made.body["id"]


def test_a_name_with_an_apostrophe_is_doubled_in_the_key_form(cloud: SmallCloud):
    made = create(cloud, userPrincipalName="o'neil@contoso.com", mailNickname="oneil")
    assert cloud.get("/users('o''neil%40contoso.com')").body["id"] == made.body["id"]
    assert cloud.get("/users/o%27neil@contoso.com").body["id"] == made.body["id"]
    assert cloud.get("/users?$filter=userPrincipalName%20eq%20'o''neil@contoso.com'").values[0]["id"] == made.body["id"]


def test_a_name_that_starts_with_a_dollar_needs_the_key_form(cloud: SmallCloud):
    made = create(cloud, userPrincipalName="$x#y@contoso.com", mailNickname="xy")
    assert made.status == 201
    assert cloud.get("/users/%24x%23y@contoso.com").status == 400
    assert cloud.get("/users('%24x%23y@contoso.com')").body["id"] == made.body["id"]


def test_what_is_missing_is_named_as_it_stood_in_the_url(cloud: SmallCloud):
    absent = cloud.get("/users/nobody@contoso.com")
    assert (absent.status, absent.error["code"]) == (404, "Request_ResourceNotFound")
    assert absent.error["message"] == "Resource 'nobody@contoso.com' does not exist or one of its queried reference-property objects are not present."
    malformed = cloud.get("/users/a0000000-0000-4000-8000-00000000000")
    assert malformed.status == 400
    assert malformed.error["message"].startswith("Invalid object identifier")


def test_select_shows_what_was_asked_for_and_refuses_the_unknown(cloud: SmallCloud):
    shown = cloud.get(f"/users/{MEMBER_ID}?$select=id,accountEnabled,passwordProfile")
    assert shown.body == {
        "@odata.context": "https://localhost:8443/graph/v1.0/$metadata#users(id,accountEnabled,passwordProfile)/$entity",
        "id": MEMBER_ID, "accountEnabled": True, "passwordProfile": None,
    }  # fmt: skip
    assert cloud.get(f"/users/{MEMBER_ID}?$select=id,nonsense").status == 400


def test_the_password_never_comes_back(cloud: SmallCloud):
    made = create(cloud)
    cloud.behave(password_profile_on_read="profile")
    shown = cloud.get(f"/users/{made.body['id']}?$select=passwordProfile").body["passwordProfile"]
    assert shown == {"forceChangePasswordNextSignIn": False, "forceChangePasswordNextSignInWithMfa": False, "password": None}


def test_advanced_filters_need_the_header_and_the_count(cloud: SmallCloud):
    url = "/users?$filter=endsWith(userPrincipalName,'contoso.onmicrosoft.com')"
    assert cloud.get(url).error["code"] == "Request_UnsupportedQuery"
    assert cloud.get(url, consistencylevel="eventual").status == 400
    assert cloud.get(f"{url}&$count=true").status == 400
    found = cloud.get(f"{url}&$count=true", consistencylevel="eventual")
    assert found.body["@odata.count"] == 3
    assert cloud.get("/users?$filter=accountEnabled%20ne%20true").status == 400
    assert cloud.get("/users?$filter=startswith(displayName,'a')&$orderby=displayName").status == 400


def test_count_without_the_header_is_ignored_or_refused(cloud: SmallCloud):
    assert "@odata.count" not in cloud.get("/users?$count=true").body
    assert cloud.get("/users/$count").status == 400
    assert cloud.get("/users/$count", consistencylevel="eventual").body == b"3"


def test_pages_are_followed_by_their_links(cloud: SmallCloud):
    first = cloud.get("/users?$top=2&$select=id&$count=true", consistencylevel="eventual")
    assert first.body["@odata.count"] == 3
    link = first.body["@odata.nextLink"]
    assert link.startswith("https://localhost:8443/graph/v1.0/users?")
    second = cloud.call("GET", link.removeprefix("https://localhost:8443/graph"), None, consistencylevel="eventual")
    assert [entry["id"] for entry in first.values + second.values] == [ADMIN_ID, MEMBER_ID, SYNCED_ID]
    assert "@odata.nextLink" not in second.body
    assert "@odata.count" not in second.body
    assert cloud.get("/users?$top=1000").status == 400


def test_a_change_answers_204_and_keeps_the_rest(cloud: SmallCloud):
    assert cloud.patch(f"/users/{MEMBER_ID}", {"department": "Sales", "usageLocation": "FR"}).status == 204
    kept = cloud.tenant.collection("users")[MEMBER_ID]
    assert (kept["department"], kept["usageLocation"], kept["displayName"]) == ("Sales", "FR", "Member")
    assert cloud.patch(f"/users/{MEMBER_ID}", {"usageLocation": None}).status == 400
    assert cloud.patch(f"/users/{MEMBER_ID}", {"department": ""}).status == 400
    assert cloud.patch(f"/users/{MEMBER_ID}", {"userPrincipalName": "admin@contoso.onmicrosoft.com"}).error["details"][0]["code"] == "ObjectConflict"


def test_an_application_needs_a_directory_role_to_set_a_password(cloud: SmallCloud):
    change = {"passwordProfile": {"password": "Another-1-value", "forceChangePasswordNextSignIn": False}}
    refused = cloud.patch(f"/users/{MEMBER_ID}", change)
    assert (refused.status, refused.error["code"]) == (403, "Authorization_RequestDenied")
    assert refused.error["message"] == "Insufficient privileges to complete the operation."
    cloud.give_role("User Administrator")
    assert cloud.patch(f"/users/{MEMBER_ID}", change).status == 204
    assert cloud.tenant.collection("users")[MEMBER_ID]["_password"] == "Another-1-value"
    assert cloud.as_app("Directory.ReadWrite.All").patch(f"/users/{MEMBER_ID}", change).status == 403
    assert cloud.as_app("User-PasswordProfile.ReadWrite.All").patch(f"/users/{MEMBER_ID}", change).status == 204


def test_whether_a_password_administrator_suffices_is_a_switch(cloud: SmallCloud):
    change = {"passwordProfile": {"password": "Another-1-value"}}
    cloud.give_role("Password Administrator")
    assert cloud.patch(f"/users/{MEMBER_ID}", change).status == 403
    cloud.behave(password_administrator_suffices=True)
    assert cloud.patch(f"/users/{MEMBER_ID}", change).status == 204


def test_an_administrator_is_protected(cloud: SmallCloud):
    assert cloud.patch(f"/users/{ADMIN_ID}", {"accountEnabled": False}).status == 403
    assert cloud.patch(f"/users/{ADMIN_ID}", {"department": "IT"}).status == 204
    assert cloud.delete(f"/users/{ADMIN_ID}").status == 403
    cloud.tenant.collection("groups").change(OUTER_GROUP_ID, _members=[MEMBER_ID])
    assert cloud.patch(f"/users/{MEMBER_ID}", {"accountEnabled": False}).status == 403
    cloud.give_role("Privileged Authentication Administrator")
    assert cloud.patch(f"/users/{ADMIN_ID}", {"accountEnabled": False}).status == 204


def test_a_synchronised_user_is_changed_on_premises(cloud: SmallCloud):
    refused = cloud.patch(f"/users/{SYNCED_ID}", {"displayName": "Other"})
    assert refused.status == 400
    assert "on-premises" in refused.error["message"]
    assert cloud.patch(f"/users/{SYNCED_ID}", {"usageLocation": "FR"}).status == 204


def test_a_deleted_user_leaves_the_name_free_and_can_come_back(cloud: SmallCloud):
    made = create(cloud).body["id"]
    assert cloud.delete(f"/users/{made}").status == 204
    assert cloud.delete(f"/users/{made}").status == 404
    mangled = made.replace("-", "") + UPN
    shown = cloud.get(f"/directory/deletedItems/{made}")
    assert shown.body["@odata.type"] == "#microsoft.graph.user"
    assert shown.body["userPrincipalName"] == mangled
    assert cloud.get("/directory/deletedItems").error["code"] == "Request_UnsupportedQuery"
    url = f"/directory/deletedItems/microsoft.graph.user?$filter=endsWith(userPrincipalName,'{UPN}')&$count=true"
    assert cloud.get(url).status == 400
    assert [entry["id"] for entry in cloud.get(url, consistencylevel="eventual").values] == [made]
    second = create(cloud)
    assert second.status == 201
    assert cloud.post(f"/directory/deletedItems/{made}/restore").error["details"][0]["target"] == "userPrincipalName"
    back = cloud.post(f"/directory/deletedItems/{made}/restore", {"newUserPrincipalName": "old@contoso.com", "autoReconcileProxyConflict": True})
    assert (back.status, back.body["@odata.type"]) == (200, "#microsoft.graph.user")
    assert cloud.get("/users/old@contoso.com").body["id"] == made


def test_a_deleted_user_may_still_show_the_licences_it_gave_back(cloud: SmallCloud):
    added = {"addLicenses": [{"skuId": CRMPLAN2, "disabledPlans": []}], "removeLicenses": []}
    assert cloud.patch(f"/users/{MEMBER_ID}", {"usageLocation": "DE"}).status == 204
    assert cloud.post(f"/users/{MEMBER_ID}/assignLicense", added).status == 200
    assert cloud.delete(f"/users/{MEMBER_ID}").status == 204
    url = f"/directory/deletedItems/{MEMBER_ID}?$select=assignedLicenses,licenseAssignmentStates"
    assert [entry["skuId"] for entry in cloud.get(url).body["assignedLicenses"]] == [CRMPLAN2]
    cloud.behave(deleted_user_shows_licenses=False)
    assert cloud.get(url).body["assignedLicenses"] == cloud.get(url).body["licenseAssignmentStates"] == []
    assert cloud.post(f"/directory/deletedItems/{MEMBER_ID}/restore").status == 200
    assert [entry["skuId"] for entry in cloud.get(f"/users/{MEMBER_ID}?$select=assignedLicenses").body["assignedLicenses"]] == [CRMPLAN2]


def test_purge_is_for_good(cloud: SmallCloud):
    assert cloud.delete(f"/users/{MEMBER_ID}").status == 204
    assert cloud.delete(f"/directory/deletedItems/{MEMBER_ID}").status == 204
    assert cloud.get(f"/directory/deletedItems/{MEMBER_ID}").status == 404
    assert cloud.post(f"/directory/deletedItems/{MEMBER_ID}/restore").status == 404


def test_readers_see_a_new_user_late_and_writers_at_once(cloud: SmallCloud):
    cloud.time(read_lag=30.0)
    made = create(cloud).body["id"]
    assert cloud.get(f"/users/{made}").status == 404
    assert cloud.get(f"/users/{UPN}").status == 404
    assert cloud.patch(f"/users/{made}", {"department": "Sales"}).status == 204
    cloud.world.advance(31)
    assert cloud.get(f"/users/{made}").status == 200


def test_readers_see_a_restored_user_late(cloud: SmallCloud):
    cloud.time(read_lag=30.0)
    assert cloud.delete(f"/users/{MEMBER_ID}").status == 204
    assert cloud.post(f"/directory/deletedItems/{MEMBER_ID}/restore").status == 200
    assert cloud.get(f"/users/{MEMBER_ID}").status == 404
    assert cloud.patch(f"/users/{MEMBER_ID}", {"department": "Sales"}).status == 204
    cloud.world.advance(31)
    assert cloud.get(f"/users/{MEMBER_ID}").status == 200


def test_select_does_not_heed_case(cloud: SmallCloud):
    found = cloud.get(f"/users/{MEMBER_ID}?$select=ID,OnPremisesExtensionAttributes").body
    assert found["id"] == MEMBER_ID
    assert "onPremisesExtensionAttributes" in found


def test_reads_of_a_new_user_may_flap(cloud: SmallCloud):
    cloud.behave(flapping_reads=4)
    made = create(cloud).body["id"]
    assert [cloud.get(f"/users/{made}").status for _unused in range(6)] == [200, 404, 200, 404, 200, 200]
    assert cloud.get(f"/users/{MEMBER_ID}").status == 200


@pytest.mark.parametrize("status", [409, 503])
def test_close_writes_to_one_user_collide(cloud: SmallCloud, status: int):
    cloud.behave(concurrency_window=5, concurrency_status=status)
    assert cloud.patch(f"/users/{MEMBER_ID}", {"department": "A"}).status == 204
    collided = cloud.patch(f"/users/{MEMBER_ID}", {"department": "B"})
    assert (collided.status, collided.error["code"]) == (status, "Directory_ConcurrencyViolation")
    assert cloud.tenant.collection("users")[MEMBER_ID]["department"] == "A"
    cloud.world.advance(6)
    assert cloud.patch(f"/users/{MEMBER_ID}", {"department": "B"}).status == 204


@pytest.mark.parametrize(
    ("permission", "method", "url", "status"),
    [
        ("Directory.ReadWrite.All", "DELETE", f"/users/{MEMBER_ID}", 403),
        ("User.DeleteRestore.All", "DELETE", f"/users/{MEMBER_ID}", 204),
        ("User.Read.All", "PATCH", f"/users/{MEMBER_ID}", 403),
        ("User.ReadBasic.All", "GET", f"/users/{MEMBER_ID}", 200),
        ("User.ReadBasic.All", "GET", f"/users/{MEMBER_ID}?$select=accountEnabled", 403),
        ("Application.Read.All", "GET", f"/users/{MEMBER_ID}", 403),
        ("User.Read.All", "GET", "/directory/deletedItems/microsoft.graph.user", 200),
        ("User.ReadBasic.All", "GET", "/directory/deletedItems/microsoft.graph.user", 403),
    ],
)
def test_each_call_has_its_permissions(cloud: SmallCloud, permission: str, method: str, url: str, status: int):
    body = {"department": "Sales"} if method == "PATCH" else None
    assert cloud.as_app(permission).call(method, f"/v1.0{url}", body).status == status


def test_a_person_needs_a_directory_role_to_write_and_a_scope_at_all(cloud: SmallCloud):
    assert cloud.as_user(MEMBER_ID).get(f"/users/{ADMIN_ID}").status == 200
    assert cloud.as_user(MEMBER_ID).patch(f"/users/{SYNCED_ID}", {"usageLocation": "FR"}).status == 403
    assert cloud.as_user(ADMIN_ID).patch(f"/users/{MEMBER_ID}", {"department": "Sales"}).status == 204
    assert cloud.as_user(ADMIN_ID, "User.Read").patch(f"/users/{MEMBER_ID}", {"department": "Sales"}).status == 403
    assert cloud.as_user(MEMBER_ID, "User.Read").get("/me").body["id"] == MEMBER_ID


def test_a_narrow_permission_changes_its_property_only(cloud: SmallCloud):
    url = f"/users/{MEMBER_ID}"
    assert cloud.as_app("User.EnableDisableAccount.All").patch(url, {"accountEnabled": False}).status == 403
    assert cloud.as_app("User.EnableDisableAccount.All User.Read.All").patch(url, {"accountEnabled": False}).status == 204
    assert cloud.as_app("User.EnableDisableAccount.All User.Read.All").patch(url, {"department": "A"}).status == 403
    cloud.give_role("License Administrator", MEMBER_ID)
    assert cloud.as_user(MEMBER_ID).patch(f"/users/{SYNCED_ID}", {"usageLocation": "FR"}).status == 204
    assert cloud.as_user(MEMBER_ID).patch(f"/users/{SYNCED_ID}", {"usageLocation": "FR", "department": "A"}).status == 403


def test_the_namespace_may_be_written_in_short(cloud: SmallCloud):
    assert cloud.delete(f"/users/{MEMBER_ID}").status == 204
    assert [entry["id"] for entry in cloud.get("/directory/deletedItems/graph.user").values] == [MEMBER_ID]
    assert cloud.get(f"/users/{ADMIN_ID}/memberOf/graph.directoryRole").values[0]["displayName"] == "Global Administrator"
    assert cloud.post(f"/users/{MEMBER_ID}/microsoft.graph.restore").status == 404


def test_what_is_not_played_is_refused_loudly(cloud: SmallCloud):
    for method, url in (("GET", f"/users/{MEMBER_ID}/messages"), ("POST", "/groups"), ("GET", f"/groups/{GROUP_ID}/owners")):
        with pytest.raises(ServiceError) as refused:
            cloud.call(method, f"/v1.0{url}", {})
        assert refused.value.response.status == 501
