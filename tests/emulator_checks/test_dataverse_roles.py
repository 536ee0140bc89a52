# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dataverse: roles, their copies and privileges, and their assignment."""

from __future__ import annotations

import pytest

from .dataverse_org import API, OTHER_APP_ID, OTHER_APP_OBJECT_ID, PERSON_ID, UNLICENSED_ID, Answer, Client, organisation

# Every member of a role in a recorded answer of the real service.
RECORDED = (
    "@odata.etag overwritetime organizationid isinherited solutionid roleidunique ismanaged roleid componentstate modifiedon _modifiedby_value "
    "_parentrootroleid_value createdon versionnumber _businessunitid_value name _createdby_value _parentroleid_value overriddencreatedon "
    "importsequencenumber _modifiedonbehalfby_value _roletemplateid_value _createdonbehalfby_value iscustomizable canbedeleted"
).split()


@pytest.fixture
def client() -> Client:
    return organisation()


def change(client: Client, role_id: str, action: str, *items: tuple[str, str]) -> Answer:
    privileges = [{"PrivilegeId": client.privilege(name), "Depth": depth} for name, depth in items]
    return client.post(f"roles({role_id})/Microsoft.Dynamics.CRM.{action}", {"Privileges": privileges})


def held(client: Client, role_id: str) -> dict[str, str]:
    answer = client.get(f"RetrieveRolePrivilegesRole(RoleId={role_id})")
    return {item["PrivilegeName"]: item["Depth"] for item in answer.body["RolePrivileges"]}


BASELINE = dict.fromkeys(("prvReadSharePointData", "prvWriteSharePointData", "prvCreateSharePointData", "prvReadSharePointDocument"), "Global")


def test_shape_of_a_role(client: Client) -> None:
    answer = client.get(f"roles({client.role('Environment Maker')['roleid']})")
    assert set(RECORDED) <= set(answer.body)
    assert answer.body["roleid"] == "d58407f2-48d5-e711-a82c-000d3a37c848"
    assert answer.body["iscustomizable"] == {"Value": True, "CanBeChanged": True, "ManagedPropertyLogicalName": "iscustomizableanddeletable"}
    assert not any(name.startswith("_") and not name.endswith("_value") for name in answer.body)


def test_every_role_has_a_copy_in_every_unit(client: Client) -> None:
    for name in ("System Administrator", "System Customizer", "Basic User", "Environment Maker", "Support User", "Delegate", "Knowledge Manager"):
        root, copy = client.role(name), client.role(name, client.child_unit)
        assert root["_parentroleid_value"] is None
        assert root["_parentrootroleid_value"] == root["roleid"]
        assert copy["_parentroleid_value"] == copy["_parentrootroleid_value"] == root["roleid"] != copy["roleid"]
    assert client.role("Basic User")["iscustomizable"]["Value"] is False


def test_a_new_unit_gets_copies_of_copies(client: Client) -> None:
    made = client.post("businessunits", {"name": "Deeper", "parentbusinessunitid@odata.bind": f"/businessunits({client.child_unit})"})
    copy, parent, root = client.role("Basic User", made.id), client.role("Basic User", client.child_unit), client.role("Basic User")
    assert (copy["_parentroleid_value"], copy["_parentrootroleid_value"]) == (parent["roleid"], root["roleid"])


def test_add_replace_remove(client: Client) -> None:
    role_id = client.make_role("Own", {"prvReadLead": "Basic"})
    assert held(client, role_id) == {**BASELINE, "prvReadLead": "Basic"}
    assert change(client, role_id, "AddPrivilegesRole", ("prvReadLead", "Global"), ("prvWriteLead", "1")).status == 204
    assert held(client, role_id) == {**BASELINE, "prvReadLead": "Global", "prvWriteLead": "Local"}
    assert held(client, client.role("Own", client.child_unit)["roleid"])["prvReadLead"] == "Global"
    assert change(client, role_id, "ReplacePrivilegesRole", ("prvCreateLead", "Deep")).status == 204
    assert held(client, role_id) == {**BASELINE, "prvCreateLead": "Deep"}
    address = f"roles({role_id})/Microsoft.Dynamics.CRM.RemovePrivilegeRole"
    reference = {"@odata.type": "Microsoft.Dynamics.CRM.privilege", "privilegeid": client.privilege("prvCreateLead")}
    assert client.post(address, {"Privilege": reference}).status == 204
    assert client.post(address, {"Privilege": {"privilegeid": client.privilege("prvReadSharePointData")}}).status == 204
    assert held(client, role_id) == BASELINE
    by_id = {"PrivilegeId": client.privilege("prvCreateLead")}
    assert client.post(address, by_id).status == 400
    client.behave(remove_privilege_by_id=True)
    assert client.post(address, by_id).status == 204


@pytest.mark.parametrize(
    ("privilege", "depth"),
    [("prvReadUserEntityUISettings", "Global"), ("prvReadSolution", "Basic"), ("prvReadUserSettings", "Basic"), ("prvImportCustomization", "Local")],
)
def test_depth_that_a_privilege_does_not_have(client: Client, privilege: str, depth: str) -> None:
    answer = change(client, client.make_role("Own", {}), "AddPrivilegesRole", (privilege, depth))
    assert (answer.status, answer.code, answer.message) == (400, "0x8004140b", "Invalid privilege depth.")


def test_bad_privilege_bodies(client: Client) -> None:
    address = f"roles({client.make_role('Own', {})})/Microsoft.Dynamics.CRM.AddPrivilegesRole"
    privilege = client.privilege("prvReadLead")
    assert client.post(address, {"Privileges": [{"Depth": "Basic"}]}).code == "0x80041408"
    assert client.post(address, {"Privileges": [{"PrivilegeId": "11111111-2222-4333-8444-555555555555", "Depth": "Basic"}]}).code == "0x80048058"
    assert client.post(address, {"Privileges": [{"PrivilegeId": privilege, "Depth": "Everything"}]}).code == "0x80048d19"
    assert client.post(address, {"Privileges": [{"PrivilegeId": privilege, "Depth": 3}]}).code == "0x80048d19"
    assert client.post(address, {"Privilege": []}).code == "0x80048d19"
    assert client.post("roles(11111111-2222-4333-8444-555555555555)/Microsoft.Dynamics.CRM.AddPrivilegesRole", {"Privileges": []}).status == 404


def test_roles_that_cannot_be_edited(client: Client) -> None:
    item = ("prvReadLead", "Basic")
    copy = change(client, client.role("Delegate", client.child_unit)["roleid"], "AddPrivilegesRole", item)
    assert (copy.status, copy.code, copy.message) == (400, "0x80044152", "Inherited roles cannot be modified.")
    assert change(client, client.role("System Administrator")["roleid"], "AddPrivilegesRole", item).code == "0x80041d31"
    assert change(client, client.role("Support User")["roleid"], "AddPrivilegesRole", item).code == "0x80041d43"
    fixed = change(client, client.role("Basic User")["roleid"], "AddPrivilegesRole", item)
    assert (fixed.status, fixed.code) == (403, "0x8004f026")
    client.behave(not_customizable_code="0x80044444", not_customizable_status=400)
    switched = change(client, client.role("Basic User")["roleid"], "AddPrivilegesRole", item)
    assert (switched.status, switched.code) == (400, "0x80044444")
    assert change(client, client.role("Environment Maker")["roleid"], "AddPrivilegesRole", item).status == 204


def test_create_rename_delete(client: Client) -> None:
    role_id = client.make_role("Own", {})
    root = client.org.root_unit["businessunitid"]
    twin = client.post("roles", {"name": "OWN", "businessunitid@odata.bind": f"/businessunits({root})"})
    assert twin.code == "0x80041403"
    assert client.post("roles", {"name": "Other"}).code == "0x80041406"
    assert client.ask("PATCH", f"roles({role_id})", {"name": "Renamed", "isinherited": 0}).status == 204
    copy = client.role("Renamed", client.child_unit)
    assert copy["isinherited"] == 0
    assert client.ask("PATCH", f"roles({copy['roleid']})", {"isinherited": 1}).code == "0x80044152"
    assert client.ask("DELETE", f"roles({copy['roleid']})").code == "0x8004140c"
    assert client.ask("DELETE", f"roles({client.role('System Administrator')['roleid']})").code == "0x80041d2e"
    assert client.ask("DELETE", f"roles({client.role('Environment Maker')['roleid']})").code == "0x8004f032"
    assert client.ask("DELETE", f"roles({role_id})").status == 204
    assert not [role for role in client.org.rows("role") if role["name"] == "Renamed"]


def test_assign_and_remove(client: Client) -> None:
    role_id, user = client.make_role("Own", {}), client.user(PERSON_ID)["systemuserid"]
    assert client.give(PERSON_ID, role_id).status == 204
    assert client.give(PERSON_ID, role_id).status == 204
    client.behave(second_assignment="duplicate")
    again = client.give(PERSON_ID, role_id)
    assert (again.status, again.code) == (412, "0x80040237")
    shown = client.get(f"systemusers({user})?$select=fullname&$expand=systemuserroles_association($select=name)")
    assert [role["name"] for role in shown.body["systemuserroles_association"]] == ["Own"]
    address = f"systemusers({user})/systemuserroles_association"
    assert client.ask("DELETE", f"{address}/$ref?$id={API}/roles({role_id})").status == 204
    assert client.get(address).rows == []
    assert client.ask("DELETE", f"{address}({role_id})/$ref").status == 204
    client.behave(remove_unheld="not_found")
    assert client.ask("DELETE", f"{address}({role_id})/$ref").status == 404


def test_references_must_be_right(client: Client) -> None:
    address = f"systemusers({client.user(PERSON_ID)['systemuserid']})/systemuserroles_association/$ref"
    unknown = client.post(address, {"@odata.id": f"{API}/roles(11111111-2222-4333-8444-555555555555)"})
    assert (unknown.status, unknown.code) == (404, "0x80060888")
    assert "11111111-2222-4333-8444-555555555555" in unknown.message
    relative = client.post(address, {"@odata.id": f"/roles({client.role('Delegate')['roleid']})"})
    assert (relative.status, relative.code) == (400, "0x80048d19")


def test_role_of_another_unit(client: Client) -> None:
    copy = client.role("Delegate", client.child_unit)["roleid"]
    refused = client.give(PERSON_ID, copy)
    assert (refused.status, refused.code) == (403, "0x80041409")
    assert f"roleId={copy} and rolebusinessUnit={client.child_unit}." in refused.message
    client.behave(unit_mismatch_status=400)
    assert client.give(PERSON_ID, copy).status == 400
    client.feature(modern_business_units=True)
    assert client.give(PERSON_ID, copy).status == 204
    settings = client.get("organizations?$select=orgdborgsettings").rows[0]["orgdborgsettings"]
    assert "<EnableOwnershipAcrossBusinessUnits>true<" in settings


def test_disabled_and_special_users(client: Client) -> None:
    role_id = client.role("Delegate")["roleid"]
    user = client.user(PERSON_ID)["systemuserid"]
    assert client.ask("PATCH", f"systemusers({user})", {"isdisabled": True}).status == 204
    refused = client.give(PERSON_ID, role_id)
    assert (refused.status, refused.code) == (400, "0x80040225")
    system = next(row["systemuserid"] for row in client.org.rows("systemuser") if row["fullname"] == "SYSTEM")
    assert client.post(f"systemusers({system})/systemuserroles_association/$ref", {"@odata.id": f"{API}/roles({role_id})"}).code == "0x80041d33"


def test_nobody_gives_more_than_they_hold(client: Client) -> None:
    rights = {"prvReadRole": "Global", "prvAssignRole": "Global", "prvReadUser": "Global", "prvReadLead": "Basic"}
    wider = client.make_role("Wider", {"prvReadLead": "Global"})
    narrow = client.make_role("Narrow", {"prvReadLead": "Basic"})
    weak = client.with_role(rights)
    assert weak.give(PERSON_ID, narrow).status == 204
    refused = weak.give(PERSON_ID, wider)
    assert refused.code == "0x80040220"
    assert "prvReadLead" in refused.message


def test_last_administrator(client: Client) -> None:
    role_id = client.role("System Administrator")["roleid"]
    people = client.get("systemusers?$select=fullname&$filter=systemuserroles_association/any(r:r/name%20eq%20'System%20Administrator')").rows
    first, second = (f"systemusers({row['systemuserid']})/systemuserroles_association({role_id})/$ref" for row in people)
    me = client.get("WhoAmI").body["UserId"]
    mine, other = (first, second) if me in first else (second, first)
    assert client.ask("DELETE", other).status == 204
    assert client.ask("DELETE", mine).code == "0x80041d30"


def test_assigning_through_the_object_id_creates_the_user(client: Client) -> None:
    address = f"systemusers(azureactivedirectoryobjectid={UNLICENSED_ID})/systemuserroles_association/$ref"
    assert client.get(f"systemusers?$filter=azureactivedirectoryobjectid%20eq%20{UNLICENSED_ID}").rows == []
    assert client.post(address, {"@odata.id": f"{API}/roles({client.role('Delegate')['roleid']})"}).status == 204
    (row,) = client.get(f"systemusers?$filter=azureactivedirectoryobjectid%20eq%20{UNLICENSED_ID}").rows
    assert (row["islicensed"], row["domainname"]) == (False, "lee@contoso.onmicrosoft.com")
    nobody = "systemusers(azureactivedirectoryobjectid=11111111-2222-4333-8444-555555555555)/systemuserroles_association/$ref"
    assert client.post(nobody, {"@odata.id": f"{API}/roles({client.role('Delegate')['roleid']})"}).status == 404


def test_application_user_gets_its_role(client: Client) -> None:
    root = client.org.root_unit["businessunitid"]
    body = {"applicationid": OTHER_APP_ID, "accessmode": 4, "businessunitid@odata.bind": f"/businessunits({root})"}
    made = client.post("systemusers", body)
    assert made.status == 204
    assert client.post("systemusers", body).status == 412
    assert client.post("systemusers", {**body, "applicationid": "c0000000-0000-4000-8000-00000000dead"}).code == "0x80041d49"
    assert client.post("systemusers", {"applicationid": OTHER_APP_ID}).code == "0x800404a7"
    other = client.as_caller(OTHER_APP_OBJECT_ID, "app")
    assert other.get("WhoAmI").status == 200
    assert other.get("leads").status == 403
    assert client.give(OTHER_APP_OBJECT_ID, client.make_role("Own", {"prvReadLead": "Global"})).status == 204
    assert other.get("leads").status == 200
    address = f"systemusers({made.id})"
    assert client.ask("PATCH", address, {"isdisabled": True}).code == "0x80041d48"
    assert client.ask("DELETE", address).code == "0x80048356"
    assert client.ask("PATCH", address, {"isdisabled": True, "applicationid": OTHER_APP_ID}).status == 204
    assert client.ask("DELETE", address).status == 204
    assert client.get(f"{address}?$select=deletedstate").body["deletedstate"] == 1
    assert client.ask("DELETE", address).status == 204
    assert client.get(address).status == 404


def test_teams(client: Client) -> None:
    user = client.user(PERSON_ID)["systemuserid"]
    made = client.post("teams", {"name": "Writers", "businessunitid@odata.bind": f"/businessunits({client.org.root_unit['businessunitid']})"})
    role_id = client.make_role("Own", {"prvReadLead": "Global", "prvReadUser": "Global"})
    assert client.post(f"teams({made.id})/teamroles_association/$ref", {"@odata.id": f"{API}/roles({role_id})"}).status == 204
    assert client.as_caller(PERSON_ID).get("leads").status == 403
    assert client.post(f"teams({made.id})/teammembership_association/$ref", {"@odata.id": f"{API}/systemusers({user})"}).status == 204
    assert client.as_caller(PERSON_ID).get("leads").status == 200
    named = client.get(
        f"systemusers({user})/Microsoft.Dynamics.CRM.RetrieveUserSetOfPrivilegesByNames(PrivilegeNames=@p)?@p=[%22prvReadLead%22,%22prvWriteLead%22]"
    )
    assert [(item["PrivilegeName"], item["Depth"]) for item in named.body["RolePrivileges"]] == [("prvReadLead", "Global")]
    every = client.get(f"systemusers({user})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()")
    assert {item["PrivilegeName"]: item["Depth"] for item in every.body["RolePrivileges"]}["prvReadLead"] == "Basic"
    roles = client.get(f"RetrieveAadUserRoles(DirectoryObjectId={PERSON_ID})?$select=_parentrootroleid_value,name")
    assert [row["name"] for row in roles.rows] == ["Own"]
    assert client.get(f"RetrieveAadUserPrivileges(DirectoryObjectId={PERSON_ID})").body["RolePrivileges"]


def test_join_tables_and_metadata(client: Client) -> None:
    role_id = client.make_role("Own", {"prvReadLead": "Deep"})
    rows = client.get(f"roleprivilegescollection?$select=privilegeid,privilegedepthmask&$filter=roleid%20eq%20{role_id}").rows
    assert {row["privilegeid"]: row["privilegedepthmask"] for row in rows}[client.privilege("prvReadLead")] == 4
    (row,) = client.get("privileges?$filter=name%20eq%20'PRVREADUSERENTITYUISETTINGS'").rows
    assert row["privilegeid"] == "8d2aa266-8fee-43a4-85e7-2aa1aaab525a"
    assert (row["accessright"], row["canbebasic"], row["canbelocal"], row["canbedeep"], row["canbeglobal"]) == (1, True, False, False, False)
    table = client.get("EntityDefinitions(LogicalName='userentityuisettings')?$select=LogicalName,EntitySetName,Privileges").body
    assert table["EntitySetName"] == "userentityuisettingsset"
    assert {item["PrivilegeType"] for item in table["Privileges"]} == {"Create", "Read", "Write", "Delete", "Share"}
    assert set(table["Privileges"][0]) == {
        *("CanBeBasic", "CanBeLocal", "CanBeDeep", "CanBeGlobal", "CanBeEntityReference", "CanBeParentEntityReference", "CanBeRecordFilter"),
        *("Name", "PrivilegeId", "PrivilegeType"),
    }
    assert client.get("EntityDefinitions(LogicalName='nonsense')").status == 404
    assert [row["LogicalName"] for row in client.get("EntityDefinitions?$select=LogicalName&$filter=LogicalName%20eq%20'lead'").rows] == ["lead"]
