# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dataverse: addresses, versions, headers, conditions, paging, errors."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.emulator.dataverse import unauthorized
from tests.emulator.wire import Request
from tests.emulator.world import TokenProblem

from .dataverse_org import ADMIN_ID, API, HOST, PERSON_ID, TENANT_ID, UNLICENSED_ID, Client, organisation, read


@pytest.fixture
def client() -> Client:
    return organisation()


def test_who_am_i(client: Client) -> None:
    answer = client.get("WhoAmI")
    assert answer.status == 200
    assert set(answer.body) == {"@odata.context", "BusinessUnitId", "UserId", "OrganizationId"}
    assert answer.body["@odata.context"] == f"{API}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse"
    assert answer.headers["odata-version"] == "4.0"
    assert answer.headers["content-type"] == "application/json; odata.metadata=minimal"
    assert answer.headers["x-ms-service-request-id"] == "99999999-0000-4000-8000-000000000000"
    assert answer.headers["set-cookie"].startswith("ARRAffinity=0;")


@pytest.mark.parametrize(
    ("org_version", "served", "refused"), [("9.2.24014.00186", ["v9.0", "v9.1", "v9.2"], ["v8.2", "v9.3"]), ("8.2.2.112", ["v8.0", "v8.2"], ["v9.0", "v8.3"])]
)
def test_versions_in_the_address(org_version: str, served: list[str], refused: list[str]) -> None:
    client = organisation(org_version=org_version)
    for version in served:
        answer = client.get(f"/api/data/{version}/WhoAmI")
        assert answer.status == 200
        assert f"/api/data/{version}/$metadata" in answer.body["@odata.context"]
    for version in refused:
        assert client.get(f"/api/data/{version}/WhoAmI").status == 404


def test_newer_operations_need_a_newer_organisation() -> None:
    old = organisation(org_version="8.2.2.112")
    answer = old.post("/api/data/v8.2/ImportSolutionAsync", {})
    assert (answer.status, answer.code) == (404, "0x80060888")
    assert set(answer.body["error"]["innererror"]) == {"message", "type", "stacktrace"}


def test_unauthorized_names_authority_and_audience(client: Client) -> None:
    request = Request("GET", "/api/data/v9.2/WhoAmI", "/api/data/v9.2/WhoAmI", "", {}, b"", HOST, "id")
    answer = read(unauthorized(client.world, client.tenant, TokenProblem("missing"), request))
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == (
        f"Bearer authorization_uri=https://login.microsoftonline.com/{TENANT_ID}/oauth2/authorize, resource_id={HOST}/"
    )


def test_callers_who_are_no_members_or_disabled(client: Client) -> None:
    stranger = client.as_caller("dddddddd-0000-4000-8000-000000000001").get("WhoAmI")
    assert (stranger.status, stranger.body) == (403, {"error": {"code": "0x80072560", "message": "The user is not a member of the organization."}})
    assert client.as_caller(UNLICENSED_ID).get("WhoAmI").code == "0x80072560"
    person = client.as_caller(PERSON_ID)
    assert person.get("WhoAmI").status == 200
    disabled = client.ask("PATCH", f"systemusers({client.user(PERSON_ID)['systemuserid']})", {"isdisabled": True})
    assert disabled.status == 204
    assert (person.get("WhoAmI").status, person.get("WhoAmI").code) == (403, "0x80040225")


@pytest.mark.parametrize(
    ("path", "status", "code", "text"),
    [
        ("rolez", 404, "0x80060888", "Resource not found for the segment 'rolez'."),
        ("roles?$skip=1", 400, "0x80060888", "Skip Clause is not supported in CRM"),
        ("roles?$select=colour", 400, "0x80060888", "Could not find a property named 'colour' on type 'Microsoft.Dynamics.CRM.role'."),
        (
            "roles?$filter=businessunitid/colour%20eq%201",
            400,
            "0x80060888",
            "Could not find a property named 'colour' on type 'Microsoft.Dynamics.CRM.businessunit'.",
        ),
        ("roles?$filter=name%20eq%20'O'Bryan'", 400, "0x80060888", "There is an unterminated literal at position"),
        ("roles(00000000-0000-0000-0000-000000000000)", 400, "0x80040203", "Expected non-empty Guid."),
        ("roles(11111111-2222-4333-8444-555555555555)", 404, "0x80040217", "Entity 'role' With Id = 11111111-2222-4333-8444-555555555555 Does Not Exist"),
        ("roles(nonsense)", 400, "0x80060888", "Bad Request - Error in query syntax."),
        ("roles(name='x')", 400, "0x80060888", "not a key"),
        ("systemusers(azureactivedirectoryobjectid=11111111-2222-4333-8444-555555555555)", 404, "0x80060891", "key"),
        ("RetrieveRolePrivilegesRole(RoleId=00000000-0000-0000-0000-000000000000)", 404, "0x80040217", "Entity 'role' With Id = 00000000"),
    ],
)
def test_refused_addresses(client: Client, path: str, status: int, code: str, text: str) -> None:
    answer = client.get(path)
    assert (answer.status, answer.code) == (status, code)
    assert text in answer.message


def test_bound_form_of_an_unbound_function_is_absent(client: Client) -> None:
    role = client.role("Basic User")["roleid"]
    assert client.get(f"RetrieveRolePrivilegesRole(RoleId={role})").status == 200
    assert client.get(f"RetrieveRolePrivilegesRole(RoleId=@p)?@p={role}").status == 200
    assert client.get(f"roles({role})/Microsoft.Dynamics.CRM.RetrieveRolePrivilegesRole()").status == 404
    assert client.post("AddPrivilegesRole", {"Privileges": []}).status == 404


def test_wrong_verbs_types_and_bodies(client: Client) -> None:
    assert client.post("WhoAmI").status == 405
    assert client.post("privileges", {"name": "x"}).status == 405
    assert client.ask("GET", "$metadata", accept="application/json").status == 415
    assert client.ask("GET", "roles", accept="text/html").status == 415
    assert client.ask("POST", "leads", b"x", content_type="text/plain").status == 415
    assert client.ask("POST", "leads", b"{", content_type="application/json").code == "0x80048d19"
    unknown = client.post("leads", {"colour": "red"})
    assert (unknown.status, unknown.code) == (400, "0x80048d19")
    assert "'colour' does not exist on type 'Microsoft.Dynamics.CRM.lead'" in unknown.message
    assert client.post("leads", {"subject": 3}).code == "0x80048d19"
    assert client.post("leads", {"subject": "x" * 301}).code == "0x80044331"


def test_what_is_missing_is_loud(client: Client) -> None:
    for path in ("opportunities", "leads?sql=x", "RetrievePrivilegeSet()", "EntityDefinitions(LogicalName='lead')/OneToManyRelationships"):
        answer = client.get(path)
        assert (answer.status, answer.code) == (501, "NotEmulated"), path


def test_error_annotations_on_demand(client: Client) -> None:
    plain, annotated = client.get("rolez"), client.get("rolez", prefer='odata.include-annotations="*"')
    assert set(plain.body["error"]) == {"code", "message"}
    assert "@Microsoft.PowerApps.CDS.TraceText" in annotated.body["error"]
    assert all(isinstance(value, str) for value in annotated.body["error"].values())


def test_create_read_update_delete(client: Client) -> None:
    made = client.post("leads", {"subject": "A", "firstname": "Ada", "lastname": "L"})
    assert (made.status, made.text) == (204, "")
    assert made.headers["odata-entityid"] == f"{API}/leads({made.id})"
    got = client.get(f"leads({made.id})?$select=fullname")
    assert got.body["fullname"] == "Ada L"
    assert set(got.body) == {"@odata.context", "@odata.etag", "fullname", "leadid"}
    assert got.body["@odata.context"] == f"{API}/$metadata#leads(fullname)/$entity"
    assert client.ask("PATCH", f"leads({made.id})", {"subject": "B"}).status == 204
    assert client.ask("DELETE", f"leads({made.id})").status == 204
    again = client.ask("DELETE", f"leads({made.id})")
    assert (again.status, again.code, again.message) == (404, "0x80040217", f"Entity 'lead' With Id = {made.id} Does Not Exist")


def test_representation(client: Client) -> None:
    made = client.post("leads?$select=subject", {"subject": "A"}, prefer="return=representation")
    assert made.status == 201
    assert made.body["subject"] == "A"
    assert made.headers["preference-applied"] == "return=representation"
    assert made.body["@odata.etag"].startswith('W/"')
    changed = client.ask("PATCH", f"leads({made.body['leadid']})", {"subject": "B"}, prefer="return=representation")
    assert (changed.status, changed.body["subject"]) == (200, "B")


def test_conditions(client: Client) -> None:
    made = client.post("leads", {"subject": "A"}, prefer="return=representation")
    address, tag = f"leads({made.body['leadid']})", made.body["@odata.etag"]
    assert client.get(address, if_none_match=tag).status == 304
    assert client.get(address, if_none_match="null").status == 200
    assert client.ask("PATCH", address, {"subject": "B"}, if_match=tag).status == 204
    stale = client.ask("PATCH", address, {"subject": "C"}, if_match=tag)
    assert (stale.status, stale.code) == (412, "0x80060882")
    assert client.ask("DELETE", address, if_match=tag).status == 412
    assert client.ask("PATCH", address, {"subject": "C"}, if_none_match="*").status == 412
    assert client.get(address).body["subject"] == "B"


def test_upsert(client: Client) -> None:
    address = "leads(22222222-2222-4222-8222-222222222222)"
    assert client.ask("PATCH", address, {"subject": "A"}, if_match="*").status == 404
    assert client.ask("PATCH", address, {"subject": "A"}).status == 204
    assert client.get(address).body["subject"] == "A"
    assert client.post("leads", {"leadid": "22222222-2222-4222-8222-222222222222"}).code == "0x80040237"


def test_paging_with_an_opaque_link(client: Client) -> None:
    every = {row["name"] for row in client.get("privileges?$select=name").rows}
    found: list[str] = []
    address, pages = "privileges?$select=name&$count=true&$top=1", 0
    while address:
        answer = client.get(address, prefer="odata.maxpagesize=100")
        assert answer.body["@odata.count"] == len(every)
        found += [row["name"] for row in answer.rows]
        pages += 1
        link = answer.body.get("@odata.nextLink", "")
        assert not link or ("$skiptoken=%253Ccookie" in link and link.startswith(f"{API}/privileges?"))
        parts = urlsplit(link)
        address = f"privileges?{parts.query}" if link else ""
    assert len(found) == len(every)
    assert set(found) == every
    assert pages == -(-len(every) // 100)
    assert client.get("privileges?$skiptoken=nonsense").status == 400


def test_filters_ignore_case_and_follow_lookups(client: Client) -> None:
    root = client.org.root_unit["businessunitid"]
    by_column = client.get(f"roles?$select=name&$filter=name%20eq%20'BASIC%20user'%20and%20_businessunitid_value%20eq%20{root}")
    by_path = client.get("roles?$select=name&$filter=name%20eq%20'basic%20user'%20and%20businessunitid/parentbusinessunitid%20eq%20null")
    assert [row["roleid"] for row in by_column.rows] == [row["roleid"] for row in by_path.rows] == [client.role("Basic User")["roleid"]]
    everywhere = client.get("roles?$select=name&$filter=name%20eq%20'Basic%20User'&$count=true")
    assert everywhere.body["@odata.count"] == 2
    held = client.get("systemusers?$select=fullname&$filter=systemuserroles_association/any(r:r/name%20eq%20'system%20administrator')")
    assert len(held.rows) == 2


def test_expand_and_annotations(client: Client) -> None:
    user = client.user(ADMIN_ID)["systemuserid"]
    expand = "$expand=systemuserroles_association($select=roleid,name),businessunitid($select=name)"
    answer = client.get(f"systemusers({user})?$select=fullname,_businessunitid_value&{expand}", prefer='odata.include-annotations="*"')
    assert [role["name"] for role in answer.body["systemuserroles_association"]] == ["System Administrator"]
    assert set(answer.body["systemuserroles_association"][0]) == {"@odata.etag", "roleid", "name"}
    assert answer.body["businessunitid"]["name"] == "contoso"
    assert answer.body["_businessunitid_value@OData.Community.Display.V1.FormattedValue"] == "contoso"
    assert answer.body["_businessunitid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "businessunit"
    names = client.get(f"systemusers({user})/systemuserroles_association?$select=name")
    assert names.body["@odata.context"] == f"{API}/$metadata#roles(name)"


def test_impersonation(client: Client) -> None:
    person = client.user(PERSON_ID)
    seen = client.get("WhoAmI", callerobjectid=PERSON_ID)
    assert seen.body["UserId"] == person["systemuserid"]
    refused = client.get("roles", callerobjectid=PERSON_ID)
    assert refused.status == 403
    weak = client.with_role({"prvReadRole": "Global"})
    denied = weak.get("roles", callerobjectid=ADMIN_ID)
    assert denied.code == "0x80040220"
    assert "prvActOnBehalfOfAnotherUser" in denied.message
