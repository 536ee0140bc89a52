# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""crm_role_info on a scripted wire."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.leadops.dynamics365.plugins.module_utils._role_list import fits
from ansible_collections.leadops.dynamics365.plugins.module_utils._roles import RoleRow
from ansible_collections.leadops.dynamics365.plugins.modules import crm_role_info as module
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import DATAVERSE, Expected, run

ROLE = "b1f0c7ae-0000-4000-8000-000000000001"
COPY = "b1f0c7ae-0000-4000-8000-0000000000c1"
UNIT = "1360fdcb-0000-4000-8000-000000000003"
CHILD = "1360fdcb-0000-4000-8000-0000000000c3"
COLUMNS = "roleid,name,_businessunitid_value,_parentrootroleid_value,_roletemplateid_value,ismanaged,iscustomizable,isinherited"


def row(role_id: str = ROLE, name: str = "O'Writer", unit: str = UNIT) -> dict[str, t.Any]:
    locked = {"Value": False}
    return {
        "roleid": role_id,
        "name": name,
        "_businessunitid_value": unit,
        "_parentrootroleid_value": ROLE,
        "ismanaged": True,
        "iscustomizable": locked,
        "isinherited": 1,
    }


def roles(condition: str, *rows: dict[str, t.Any]) -> Expected:
    return Expected("GET", f"{DATAVERSE}/roles?$select={COLUMNS}&$filter={condition}", answer={"value": list(rows)})


UNITS = Expected("GET", f"{DATAVERSE}/businessunits?$select=businessunitid,name", answer={"value": [{"businessunitid": UNIT, "name": "Contoso"}]})
ORIGINALS = "_parentroleid_value eq null"


def test_all_originals_in_two_requests():
    ended = run(module, {}, roles(ORIGINALS, row()), UNITS)
    assert ended.result["changed"] is False
    assert ended.result["roles"] == [
        {
            "id": ROLE,
            "name": "O'Writer",
            "business_unit_id": UNIT,
            "business_unit": "Contoso",
            "root_id": ROLE,
            "is_root": True,
            "managed": True,
            "customizable": False,
            "member_privilege_inheritance": "direct_user_and_team",
            "role_template_id": None,
        }
    ]


def test_names_and_ids_are_asked_for_and_patterns_compared_here():
    condition = f"(name eq 'O''Writer' or _parentrootroleid_value eq {ROLE}) and {ORIGINALS} or roleid eq {ROLE}"
    ended = run(module, {"roles": ["O'Writer", ROLE.upper()]}, roles(condition, row()), UNITS)
    assert ended.result["missing"] == []
    ended = run(module, {"roles": ["o*r", "z?"]}, roles(ORIGINALS, row(), row(COPY, "Other One")), UNITS)
    assert [role["name"] for role in ended.result["roles"]] == ["O'Writer"]
    assert ended.result["missing"] == ["z?"]
    assert run(module, {"roles": ["Nobody"]}, roles(f"(name eq 'Nobody') and {ORIGINALS}")).result == {
        "roles": [],
        "missing": ["Nobody"],
        "changed": False,
        "writes": [],
    }


def holders(which: str) -> tuple[Expected, Expected]:
    columns = "systemuserid,domainname,applicationid,isdisabled,_businessunitid_value,deletedstate"
    users = [{"systemuserid": "U1", "domainname": "a@contoso.com", "isdisabled": True}, {"systemuserid": "U2", "deletedstate": 1}]
    return (
        Expected("GET", f"{DATAVERSE}/systemusers?$select={columns}&$filter=systemuserroles_association/any(r:r/{which})", answer={"value": users}),
        Expected(
            "GET",
            f"{DATAVERSE}/teams?$select=teamid,name,_businessunitid_value&$filter=teamroles_association/any(r:r/{which})",
            answer={"value": [{"teamid": "T1", "name": "Sales"}]},
        ),
    )


def test_privileges_and_holders_on_request():
    held = {"RolePrivileges": [{"PrivilegeId": "P1", "PrivilegeName": "prvReadLead", "Depth": "Deep"}]}
    privileges = Expected("GET", f"{DATAVERSE}/RetrieveRolePrivilegesRole(RoleId={ROLE})", answer=held)
    ended = run(module, {"privileges": True, "holders": True}, roles(ORIGINALS, row()), UNITS, privileges, *holders(f"_parentrootroleid_value eq {ROLE}"))
    (role,) = ended.result["roles"]
    assert role["privileges"] == [{"name": "prvReadLead", "id": "p1", "depth": "parent_child"}]
    assert [(user["system_user_id"], user["disabled"]) for user in role["users"]] == [("u1", True)]
    assert role["teams"][0]["name"] == "Sales"


def test_the_copies_of_a_business_unit():
    found = {"businessunitid": CHILD, "name": "Sales", "_parentbusinessunitid_value": UNIT}
    unit = Expected(
        "GET", f"{DATAVERSE}/businessunits?$select=businessunitid,name,_parentbusinessunitid_value&$filter=name eq 'Sales'", answer={"value": [found]}
    )
    listed = roles(f"_businessunitid_value eq {CHILD}", row(COPY, unit=CHILD))
    ended = run(module, {"business_unit": "Sales", "holders": True}, unit, listed, UNITS, *holders(f"roleid eq {COPY}"), check=True)
    assert (ended.result["roles"][0]["is_root"], ended.result["roles"][0]["root_id"]) == (False, ROLE)


def test_an_empty_name_is_refused():
    assert "roles[1]: is empty" in run(module, {"roles": ["x", " "]}).result["msg"]


@pytest.mark.parametrize(
    ("reference", "fitting"),
    [("r*", True), ("*[1]*", True), ("R&D [1]?", False), ("r&d [1]", True), ("R&D", False), ("?&d*", True), (".*", False), (ROLE, True)],
)
def test_patterns(reference: str, *, fitting: bool):
    role = RoleRow(ROLE, "R&D [1]", UNIT, ROLE, managed=False, customizable=True, inheritance=0)
    assert fits(role, reference) is fitting
