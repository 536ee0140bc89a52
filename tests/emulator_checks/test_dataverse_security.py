# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dataverse: who may read and write what."""

from __future__ import annotations

import re

import pytest

from .dataverse_org import ADMIN_ID, API, PERSON_ID, Client, organisation

LEAD_RIGHTS = ("prvCreateLead", "prvReadLead", "prvWriteLead", "prvDeleteLead", "prvAssignLead")


@pytest.fixture
def client() -> Client:
    return organisation()


def rights(depth: str, *names: str) -> dict[str, str]:
    return dict.fromkeys(names or LEAD_RIGHTS, depth)


def test_a_missing_privilege_is_named(client: Client) -> None:
    weak = client.with_role({"prvReadUser": "Global"})
    answer = weak.post("leads", {"subject": "A"})
    assert (answer.status, answer.code) == (403, "0x80040220")
    user = client.user(PERSON_ID)
    pattern = (
        r"Principal user \(Id=(\S+), type=8, roleCount=1, privilegeCount=5, accessMode='0 Read-Write', AADObjectId='(\S+)', "
        r"MetadataCachePrivilegesCount=\d+, businessUnitId=(\S+)\), is missing prvCreateLead privilege \(Id=a41f965b-2619-4c73-8625-da31945cccc7\) "
        r"on OTC=4 for entity 'lead' \(LocalizedName='Lead'\)\."
    )
    found = re.match(pattern, answer.message)
    assert found is not None, answer.message
    assert found.groups() == (user["systemuserid"], PERSON_ID, user["_businessunitid_value"])


def test_nobody_without_a_role_may_do_anything_but_say_who_they_are(client: Client) -> None:
    person = client.as_caller(PERSON_ID)
    assert person.get("WhoAmI").status == 200
    answer = person.get("leads")
    assert answer.status == 403
    assert "has not been assigned any roles. They need a role with the prvReadLead privilege." in answer.message
    assert person.get(f"RetrieveRolePrivilegesRole(RoleId={client.role('Delegate')['roleid']})").status == 403


def test_basic_depth_reaches_own_rows_only(client: Client) -> None:
    other = client.post("leads", {"subject": "of the application"}).id
    person = client.with_role(rights("Basic"))
    own = person.post("leads", {"subject": "own"}).id
    assert [row["leadid"] for row in person.get("leads?$select=subject").rows] == [own]
    refused = person.get(f"leads({other})")
    assert (refused.status, refused.code) == (403, "0x80048306")
    caller = client.user(PERSON_ID)["systemuserid"]
    owner = client.get("WhoAmI").body["UserId"]
    assert refused.message.startswith(f"SecLib::AccessCheckEx failed. Returned hr = -2147187962, ObjectID: {other}, OwnerId: {owner},  OwnerIdType: 8 and ")
    assert f"CallingUser: {caller}. ObjectTypeCode: 4" in refused.message
    client.behave(access_check_code="0x80040220")
    assert person.ask("PATCH", f"leads({other})", {"subject": "mine"}).code == "0x80040220"
    assert person.ask("DELETE", f"leads({other})").status == 403
    assert person.ask("DELETE", f"leads({own})").status == 204


@pytest.mark.parametrize(
    ("depth", "seen"), [("Basic", {"own"}), ("Local", {"own", "root"}), ("Deep", {"own", "root", "child"}), ("Global", {"own", "root", "child"})]
)
def test_depth_counts_from_the_business_unit(client: Client, depth: str, seen: set[str]) -> None:
    person = client.with_role(rights(depth))
    admin = client.user(ADMIN_ID)["systemuserid"]
    assert client.as_caller(ADMIN_ID).post("leads", {"subject": "root"}).status == 204
    assert client.ask("PATCH", f"systemusers({admin})", {"businessunitid@odata.bind": f"/businessunits({client.child_unit})"}).status == 204
    assert client.give(ADMIN_ID, client.role("System Administrator", client.child_unit)["roleid"]).status == 204
    assert client.as_caller(ADMIN_ID).post("leads", {"subject": "child"}).status == 204
    assert person.post("leads", {"subject": "own"}).status == 204
    assert {row["subject"] for row in person.get("leads?$select=subject").rows} == seen


def test_from_the_child_unit_local_does_not_reach_the_root(client: Client) -> None:
    assert client.post("leads", {"subject": "root"}).status == 204
    role_id = client.make_role("Local reader", rights("Local"))
    user = client.user(PERSON_ID)["systemuserid"]
    assert client.ask("PATCH", f"systemusers({user})", {"businessunitid@odata.bind": f"/businessunits({client.child_unit})"}).status == 204
    assert client.give(PERSON_ID, role_id).status == 403
    assert client.give(PERSON_ID, client.role("Local reader", client.child_unit)["roleid"]).status == 204
    assert client.as_caller(PERSON_ID).get("leads").rows == []


def test_changing_the_unit_drops_the_roles(client: Client) -> None:
    person = client.with_role(rights("Global"))
    assert person.get("leads").status == 200
    user = client.user(PERSON_ID)["systemuserid"]
    assert client.ask("PATCH", f"systemusers({user})", {"businessunitid@odata.bind": f"/businessunits({client.child_unit})"}).status == 204
    assert person.get("leads").status == 403


def test_owner_needs_to_read(client: Client) -> None:
    person = client.with_role({"prvCreateLead": "Basic"})
    assert person.post("leads", {"subject": "A"}).code == "0x80040299"
    owner = client.user(PERSON_ID)["systemuserid"]
    bound = client.post("leads", {"subject": "A", "ownerid@odata.bind": f"/systemusers({owner})"})
    assert (bound.status, bound.code) == (403, "0x80040299")


@pytest.mark.parametrize(
    ("method", "path", "body", "missing"),
    [
        ("POST", "roles", {"name": "x"}, "prvCreateRole"),
        ("POST", "businessunits", {"name": "x"}, "prvCreateBusinessUnit"),
        ("POST", "systemusers", {"applicationid": "c0000000-0000-4000-8000-000000000002"}, "prvCreateUser"),
        ("GET", "solutions", None, "prvReadSolution"),
        ("GET", "asyncoperations", None, "prvReadAsyncOperation"),
        ("GET", "importjobs", None, "prvReadImportJob"),
        ("GET", "EntityDefinitions", None, "prvReadEntity"),
    ],
)
def test_each_table_asks_for_its_privilege(client: Client, method: str, path: str, body: object, missing: str) -> None:
    answer = client.with_role({"prvReadUser": "Global"}).ask(method, path, body)
    assert (answer.status, answer.code) == (403, "0x80040220")
    assert f"is missing {missing} privilege" in answer.message


def test_changing_roles_takes_rights(client: Client) -> None:
    role = client.make_role("Target", {})
    weak = client.with_role({"prvReadRole": "Global", "prvReadUser": "Global"})
    change = weak.post(f"roles({role})/Microsoft.Dynamics.CRM.AddPrivilegesRole", {"Privileges": []})
    assert "is missing prvWriteRole privilege" in change.message
    user = client.user(ADMIN_ID)["systemuserid"]
    assign = weak.post(f"systemusers({user})/systemuserroles_association/$ref", {"@odata.id": f"{API}/roles({role})"})
    assert "is missing prvAssignRole privilege" in assign.message


def test_permissions_may_be_stale_for_a_while(client: Client) -> None:
    client.behave(permission_cache=30)
    person = client.with_role({"prvReadUser": "Global"})
    assert person.get("leads").status == 403
    assert client.give(PERSON_ID, client.make_role("Reader", {"prvReadLead": "Global"})).status == 204
    assert person.get("leads").status == 403
    assert person.get("leads", consistency="Strong").status == 200
    assert person.get("leads").status == 200
    client.world.advance(31)
    assert person.get("leads").status == 200


def test_the_automation_may_be_given_less() -> None:
    client = organisation(app_roles=["Basic User"])
    assert client.get("WhoAmI").status == 200
    assert client.post("PublishAllXml").status == 403
    assert client.as_caller(ADMIN_ID).post("PublishAllXml").status == 204
