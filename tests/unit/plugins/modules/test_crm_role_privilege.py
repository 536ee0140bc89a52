# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""crm_role_privilege on a scripted wire."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.leadops.dynamics365.plugins.modules import crm_role_privilege as module
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import DATAVERSE, Expected, run

ROLE_ID = "b1f0c7ae-0000-4000-8000-000000000001"
COPY_ID = "b1f0c7ae-0000-4000-8000-0000000000c0"
UNIT = "1360fdcb-0000-4000-8000-000000000003"
NAME = "Marketplace O'Writer"
COLUMNS = "roleid,name,_businessunitid_value,_parentrootroleid_value,_roletemplateid_value,ismanaged,iscustomizable,isinherited"
READ = "e84acc8f-0c61-43e3-a716-20964a483bdf"
WRITE = "4440769e-8d79-41fc-ae45-cd65480ffdba"
SETTINGS = "8d2aa266-8fee-43a4-85e7-2aa1aaab5259"
PRIVILEGES = {
    "prvReadAsyncOperation": (READ, "basic local deep global"),
    "prvWriteAsyncOperation": (WRITE, "basic local deep global"),
    "prvCreateUserEntityUISettings": (SETTINGS, "basic"),
    "prvReadSharePointData": ("5a5a5a5a-0000-4000-8000-000000000001", "global"),
}
ARGS = {
    "role": NAME,
    "privileges": [{"name": "prvReadAsyncOperation", "depth": "organization"}, {"name": "prvwriteasyncoperation", "depth": "global"}],
}


def role_row(**changes: t.Any) -> dict[str, t.Any]:
    row = {
        "roleid": ROLE_ID,
        "name": NAME,
        "_businessunitid_value": UNIT,
        "_parentrootroleid_value": ROLE_ID,
        "_roletemplateid_value": None,
        "ismanaged": True,
        "iscustomizable": {"Value": True, "CanBeChanged": True},
        "isinherited": 0,
    }
    return {**row, **changes}


def by_name(*rows: dict[str, t.Any]) -> Expected:
    condition = "name eq 'Marketplace O''Writer' and _parentroleid_value eq null"
    return Expected("GET", f"{DATAVERSE}/roles?$select={COLUMNS}&$filter={condition}", answer={"value": list(rows)})


def by_id(role_id: str, *rows: dict[str, t.Any]) -> Expected:
    return Expected("GET", f"{DATAVERSE}/roles?$select={COLUMNS}&$filter=roleid eq {role_id}", answer={"value": list(rows)})


def held(*, names: bool = True, **depths: str) -> Expected:
    rows = [
        {"PrivilegeId": PRIVILEGES[name][0], "Depth": depth, "BusinessUnitId": UNIT, "PrivilegeName": name if names else None} for name, depth in depths.items()
    ]
    return Expected("GET", f"{DATAVERSE}/RetrieveRolePrivilegesRole(RoleId={ROLE_ID})", answer={"RolePrivileges": rows})


def lookup(*names: str, asked: tuple[str, ...] | None = None) -> Expected:
    columns = "privilegeid,name,canbebasic,canbelocal,canbedeep,canbeglobal"
    condition = " or ".join(f"name eq '{name}'" for name in asked or names)
    known = {name.lower(): name for name in PRIVILEGES}
    rows = [
        {
            "privilegeid": PRIVILEGES[known[name.lower()]][0],
            "name": known[name.lower()],
            **{f"canbe{depth}": depth in PRIVILEGES[known[name.lower()]][1] for depth in ("basic", "local", "deep", "global")},
        }
        for name in names
    ]
    return Expected("GET", f"{DATAVERSE}/privileges?$select={columns}&$filter={condition}", answer={"value": rows})


def add(**depths: str) -> Expected:
    body = {"Privileges": [{"PrivilegeId": PRIVILEGES[name][0], "Depth": depth} for name, depth in depths.items()]}
    return Expected("POST", f"{DATAVERSE}/roles({ROLE_ID})/Microsoft.Dynamics.CRM.AddPrivilegesRole", 204, body=body)


BOTH = {"prvReadAsyncOperation": "Global", "prvWriteAsyncOperation": "Global"}


def test_a_role_that_is_right_costs_two_requests():
    ended = run(module, ARGS, by_name(role_row()), held(**BOTH))
    assert not ended.failed
    assert ended.result["changed"] is False
    assert "diff" not in ended.result
    assert ended.result["role"] == {"id": ROLE_ID, "name": NAME, "business_unit_id": UNIT, "managed": True, "customizable": True}
    assert ended.result["privileges"][1] == {"name": "prvWriteAsyncOperation", "id": WRITE, "depth": "organization", "before": "organization"}


def test_all_that_is_missing_is_added_in_one_call_and_read_back():
    ended = run(
        module,
        ARGS,
        by_name(role_row()),
        held(prvReadAsyncOperation="Basic"),
        lookup("prvReadAsyncOperation", "prvwriteasyncoperation"),
        add(**BOTH),
        held(prvReadAsyncOperation="Basic"),  # a cache that has not heard yet
        held(**BOTH),
    )
    assert not ended.failed
    assert ended.result["diff"]["before"] == {"role": NAME, "prvReadAsyncOperation": "user"}
    assert ended.result["diff"]["after"] == {"role": NAME, "prvReadAsyncOperation": "organization", "prvWriteAsyncOperation": "organization"}
    assert ended.clock.slept


def test_check_mode_predicts_the_same_write():
    ended = run(module, ARGS, by_name(role_row()), held(), lookup("prvReadAsyncOperation", "prvwriteasyncoperation"), check=True)
    assert ended.result["changed"] is True
    assert [write["path"] for write in ended.result["writes"]] == [f"roles({ROLE_ID})/Microsoft.Dynamics.CRM.AddPrivilegesRole"]


def test_a_change_that_never_shows_is_an_error():
    never = [held() for _unused in range(14)]
    ended = run(module, ARGS, by_name(role_row()), held(), lookup("prvReadAsyncOperation", "prvwriteasyncoperation"), add(**BOTH), *never)
    assert ended.failed
    assert ended.result["error"]["kind"] == "WaitedTooLong"
    assert ended.result["changed"] is True


def test_the_root_is_found_from_a_copy():
    copy = role_row(roleid=COPY_ID)
    ended = run(module, {**ARGS, "role": COPY_ID}, by_id(COPY_ID, copy), by_id(ROLE_ID, role_row()), held(**BOTH))
    assert ended.result["role"]["id"] == ROLE_ID


def test_two_roles_of_one_name_are_listed():
    ended = run(module, ARGS, by_name(role_row(), role_row(roleid=COPY_ID, _parentrootroleid_value=COPY_ID)))
    assert ended.failed
    assert ROLE_ID in ended.result["msg"]
    assert COPY_ID in ended.result["msg"]


def names_of_roles() -> Expected:
    answer = {"value": [{"name": "Marketplace OWriter"}, {"name": "Basic User"}]}
    return Expected("GET", f"{DATAVERSE}/roles?$select=name&$filter=_parentroleid_value eq null", answer=answer)


@pytest.mark.parametrize("check", [False, True])
def test_a_missing_role_is_an_error_with_names_that_look_alike(*, check: bool):
    ended = run(module, ARGS, by_name(), names_of_roles(), check=check)
    assert ended.failed
    assert "Marketplace OWriter" in ended.result["msg"]


PLANNED = [{"name": NAME, "id": ROLE_ID.upper(), "privileges": [{"name": "prvReadAsyncOperation", "depth": "Basic"}]}]


def test_a_planned_role_counts_in_check_mode():
    ended = run(module, {**ARGS, "planned_roles": PLANNED}, by_name(), lookup("prvReadAsyncOperation", "prvwriteasyncoperation"), check=True)
    assert not ended.failed
    assert ended.result["planned"] is True
    assert ended.result["writes"][0]["path"] == f"roles({ROLE_ID})/Microsoft.Dynamics.CRM.AddPrivilegesRole"
    assert ended.result["diff"]["before"] == {"role": NAME, "prvReadAsyncOperation": "user"}


def test_a_planned_role_without_id_keeps_its_place():
    planned = [{"name": NAME, "privileges": []}]
    ended = run(module, {**ARGS, "planned_roles": planned}, by_name(), lookup("prvReadAsyncOperation", "prvwriteasyncoperation"), check=True)
    assert ended.result["writes"][0]["path"] == "roles({role_id})/Microsoft.Dynamics.CRM.AddPrivilegesRole"


def test_a_planned_role_does_not_count_in_a_real_run():
    assert run(module, {**ARGS, "planned_roles": PLANNED}, by_name(), names_of_roles()).failed


def test_a_depth_that_is_not_allowed_stops_before_any_write():
    args = {"role": NAME, "privileges": [ARGS["privileges"][0], {"name": "prvCreateUserEntityUISettings", "depth": "organization"}]}
    ended = run(module, args, by_name(role_row()), held(), lookup("prvReadAsyncOperation", "prvCreateUserEntityUISettings"))
    assert ended.failed
    assert "privileges[1].depth" in ended.result["msg"]
    assert "allows user" in ended.result["msg"]


def test_an_unknown_privilege_is_named_with_its_neighbours():
    args = {"role": NAME, "privileges": [{"name": "prvReadAsyncOperatoin", "depth": "user"}]}
    everything = Expected("GET", f"{DATAVERSE}/privileges?$select=name", answer={"value": [{"name": name} for name in PRIVILEGES]})
    ended = run(module, args, by_name(role_row()), held(), lookup(asked=("prvReadAsyncOperatoin",)), everything)
    assert ended.failed
    assert "privileges[0].name" in ended.result["msg"]
    assert "prvReadAsyncOperation" in ended.result["msg"]


def test_a_higher_depth_is_not_lowered_unasked():
    args = {"role": NAME, "privileges": [{"name": "prvReadAsyncOperation", "depth": "user"}]}
    ended = run(module, args, by_name(role_row()), held(prvReadAsyncOperation="Global"))
    assert ended.result["changed"] is False
    assert ended.result["privileges"][0]["depth"] == "organization"


def test_a_higher_depth_is_lowered_when_told():
    args = {"role": NAME, "privileges": [{"name": "prvReadAsyncOperation", "depth": "user"}], "allow_lower": True}
    ended = run(
        module,
        args,
        by_name(role_row()),
        held(prvReadAsyncOperation="Global"),
        lookup("prvReadAsyncOperation"),
        add(prvReadAsyncOperation="Basic"),
        held(prvReadAsyncOperation="Basic"),
    )
    assert ended.result["changed"] is True


LOCKED = {"iscustomizable": {"Value": False, "CanBeChanged": False}}


def test_a_locked_role_that_is_right_is_fine():
    assert not run(module, ARGS, by_name(role_row(**LOCKED)), held(**BOTH)).failed


@pytest.mark.parametrize("check", [False, True])
def test_a_locked_role_that_would_have_to_change_is_explained(*, check: bool):
    lock = by_name(role_row(**LOCKED))
    ended = run(module, ARGS, lock, held(), lookup("prvReadAsyncOperation", "prvwriteasyncoperation"), check=check)
    assert ended.failed
    assert "iscustomizable" in ended.result["msg"]
    assert "beside" in ended.result["error"]["next_step"]
    # Whoever uses the role has another name for the option
    assert "lead_management_locked_role" in ended.result["error"]["next_step"]


def test_system_administrator_cannot_be_lowered():
    administrator = role_row(_roletemplateid_value="627090FF-40A3-4053-8790-584EDC5BE201")
    args = {"role": NAME, "privileges": [{"name": "prvReadAsyncOperation", "depth": "user"}], "allow_lower": True}
    ended = run(module, args, by_name(administrator), held(prvReadAsyncOperation="Global"), lookup("prvReadAsyncOperation"))
    assert ended.failed
    assert "System Administrator" in ended.result["msg"]


def table(*rights: str) -> Expected:
    rows = [
        {
            "Name": f"prv{right}AsyncOperation",
            "PrivilegeId": PRIVILEGES[f"prv{right}AsyncOperation"][0],
            "PrivilegeType": right,
            **{f"CanBe{depth}": True for depth in ("Basic", "Local", "Deep", "Global")},
        }
        for right in rights
    ]
    url = f"{DATAVERSE}/EntityDefinitions(LogicalName='asyncoperation')?$select=LogicalName,Privileges"
    return Expected("GET", url, answer={"LogicalName": "asyncoperation", "Privileges": rows})


TABLE_ARGS = {"role": NAME, "privileges": [{"table": "asyncoperation", "access": ["read", "write"], "depth": "organization"}]}


def test_a_table_with_access_rights_needs_no_second_lookup():
    ended = run(module, TABLE_ARGS, by_name(role_row()), table("Read", "Write"), held(), add(**BOTH), held(**BOTH))
    assert not ended.failed
    assert [item["name"] for item in ended.result["privileges"]] == list(BOTH)


def test_an_access_right_that_the_table_lacks():
    ended = run(module, TABLE_ARGS, by_name(role_row()), table("Read"))
    assert ended.failed
    assert "privileges[0].access" in ended.result["msg"]


@pytest.mark.parametrize(("status", "code"), [(404, "0x80060888"), (400, "0x80041102")])
def test_a_table_that_does_not_exist(status: int, code: str):
    missing = table()
    missing.status, missing.answer = status, {"error": {"code": code, "message": "not found"}}
    tables = Expected("GET", f"{DATAVERSE}/EntityDefinitions?$select=LogicalName", answer={"value": [{"LogicalName": "asyncoperations"}]})
    ended = run(module, TABLE_ARGS, by_name(role_row()), missing, tables)
    assert ended.failed
    assert "privileges[0].table" in ended.result["msg"]
    assert "The nearest name is asyncoperations." in ended.result["msg"]


def test_an_organisation_that_leaves_names_out():
    ended = run(
        module,
        ARGS,
        by_name(role_row()),
        held(names=False, **BOTH),
        lookup("prvReadAsyncOperation", "prvwriteasyncoperation"),
    )
    assert ended.result["changed"] is False


def remove(status: int = 204, answer: t.Any = None) -> Expected:
    body = {"Privilege": {"@odata.type": "Microsoft.Dynamics.CRM.privilege", "privilegeid": READ}}
    return Expected("POST", f"{DATAVERSE}/roles({ROLE_ID})/Microsoft.Dynamics.CRM.RemovePrivilegeRole", status, answer, body=body)


ABSENT = {"role": NAME, "privileges": [{"name": "prvReadAsyncOperation"}, {"name": "prvNoSuch"}], "state": "absent"}


def test_absent_takes_away_what_is_held():
    ended = run(module, ABSENT, by_name(role_row()), held(prvReadAsyncOperation="Deep"), remove(), held())
    assert ended.result["changed"] is True
    assert ended.result["diff"]["before"] == {"role": NAME, "prvReadAsyncOperation": "parent_child"}
    assert ended.result["diff"]["after"] == {"role": NAME}


def test_a_refused_removal_of_what_is_gone_is_done():
    refusal = remove(400, {"error": {"code": "0x80040203", "message": "not there"}})
    ended = run(module, ABSENT, by_name(role_row()), held(prvReadAsyncOperation="Deep"), refusal, held(), held())
    assert not ended.failed


def test_a_refused_removal_of_what_is_still_there_fails():
    refusal = remove(403, {"error": {"code": "0x80040220", "message": "no"}})
    assert run(module, ABSENT, by_name(role_row()), held(prvReadAsyncOperation="Deep"), refusal, held(prvReadAsyncOperation="Deep")).failed


def test_the_other_form_of_a_removal_is_tried_when_the_first_is_turned_down():
    other = Expected("POST", remove().url, 204, body={"PrivilegeId": READ})
    bad = remove(400, {"error": {"code": "0x0", "message": "The parameter 'Privilege' is not a valid parameter"}})
    still = held(prvReadAsyncOperation="Deep")
    ended = run(module, ABSENT, by_name(role_row()), still, bad, still, other, held())
    assert not ended.failed, ended.result
    assert ended.result["writes"] == run(module, ABSENT, by_name(role_row()), still, check=True).result["writes"]
    refused = Expected("POST", remove().url, 400, {"error": {"code": "0x0", "message": "no such form either"}}, body={"PrivilegeId": READ})
    ended = run(module, ABSENT, by_name(role_row()), still, bad, still, refused, still)
    assert "'Privilege'" in ended.result["msg"]


def test_what_every_role_holds_is_not_taken_away():
    args = {**ABSENT, "privileges": [{"name": "prvReadSharePointData"}]}
    ended = run(module, args, by_name(role_row()), held())
    assert ended.result["changed"] is False
    assert "belongs to every role" in ended.result["warnings"][0]


EXACT = {**ARGS, "exact": True}


def exactly(**depths: str) -> Expected:
    body = {"Privileges": [{"PrivilegeId": PRIVILEGES[name][0], "Depth": depth} for name, depth in depths.items()]}
    return Expected("POST", f"{DATAVERSE}/roles({ROLE_ID})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole", 204, body=body)


def test_exact_replaces_the_set_in_one_call_and_ignores_what_every_role_holds():
    before = held(prvReadAsyncOperation="Global", prvCreateUserEntityUISettings="Basic", prvReadSharePointData="Global")
    after = held(prvReadSharePointData="Global", **BOTH)
    ended = run(module, EXACT, by_name(role_row()), before, lookup("prvwriteasyncoperation"), exactly(**BOTH), before, after)
    assert not ended.failed, ended.result
    assert ended.result["diff"]["after"] == {"role": NAME, "prvReadAsyncOperation": "organization", "prvWriteAsyncOperation": "organization"}
    assert ended.result["privileges"][-1] == {"name": "prvCreateUserEntityUISettings", "id": SETTINGS, "depth": None, "before": "user"}
    assert run(module, EXACT, by_name(role_row()), after).result["changed"] is False


def test_exact_where_names_are_left_out():
    columns = "privilegeid,name,canbebasic,canbelocal,canbedeep,canbeglobal"
    ids = " or ".join(f"privilegeid eq {PRIVILEGES[name][0]}" for name in BOTH)
    rows = [{"privilegeid": PRIVILEGES[name][0], "name": name} for name in BOTH]
    names = Expected("GET", f"{DATAVERSE}/privileges?$select={columns}&$filter={ids}", answer={"value": rows})
    assert run(module, EXACT, by_name(role_row()), held(names=False, **BOTH), names).result["changed"] is False


COMPANION = {**ARGS, "locked_role": "companion", "companion_role": "Extra & more"}
COMPANION_ID = "b1f0c7ae-0000-4000-8000-0000000000e1"


def companion(*rows: dict[str, t.Any]) -> Expected:
    condition = "name eq 'Extra & more' and _parentroleid_value eq null"
    return Expected("GET", f"{DATAVERSE}/roles?$select={COLUMNS}&$filter={condition}", answer={"value": list(rows)})


COMPANION_ROW = role_row(roleid=COMPANION_ID, name="Extra & more", ismanaged=False, _parentrootroleid_value=COMPANION_ID)


def on_companion(expected: Expected) -> Expected:
    expected.url = expected.url.replace(ROLE_ID, COMPANION_ID)
    return expected


UNITS = Expected(
    "GET",
    f"{DATAVERSE}/businessunits?$select=businessunitid,name,_parentbusinessunitid_value&$filter=parentbusinessunitid eq null",
    answer={"value": [{"businessunitid": UNIT, "name": "Root"}]},
)


def create_companion(status: int = 204, answer: t.Any = None) -> Expected:
    body = {"name": "Extra & more", "isinherited": 1, "businessunitid@odata.bind": f"/businessunits({UNIT})"}
    return Expected("POST", f"{DATAVERSE}/roles", status, answer, body, {"OData-EntityId": f"{DATAVERSE}/roles({COMPANION_ID})"})


LOOKUP = lookup("prvwriteasyncoperation")
HALF = held(prvReadAsyncOperation="Global")
WRITES = {"prvWriteAsyncOperation": "Global"}


def test_a_companion_is_created_and_carries_what_is_lacking():
    start = (by_name(role_row(**LOCKED)), HALF, LOOKUP, companion(), UNITS)
    predicted = run(module, COMPANION, *start, check=True)
    assert predicted.result["companion_role"]["id"] is None
    assert (predicted.result["diff"]["before"], predicted.result["diff"]["after"]) == ({}, {"role": "Extra & more", "prvWriteAsyncOperation": "organization"})
    ended = run(module, COMPANION, *start, create_companion(), on_companion(add(**WRITES)), on_companion(held(**WRITES)))
    assert not ended.failed, ended.result
    sent = [write["path"].replace(COMPANION_ID, "{companion_role_id}") for write in ended.result["writes"]]
    assert sent == [write["path"] for write in predicted.result["writes"]]
    assert ended.result["companion_role"] == {
        "name": "Extra & more",
        "id": COMPANION_ID,
        "business_unit_id": UNIT,
        "privileges": [{"name": "prvWriteAsyncOperation", "depth": "organization"}],
    }
    assert [item["depth"] for item in ended.result["privileges"]] == ["organization", "organization"]


def test_a_companion_that_carries_it_already():
    ended = run(module, COMPANION, by_name(role_row(**LOCKED)), HALF, LOOKUP, companion(COMPANION_ROW), on_companion(held(**WRITES)))
    assert ended.result["changed"] is False
    assert ended.result["companion_role"]["id"] == COMPANION_ID
    assert run(module, COMPANION, by_name(role_row(**LOCKED)), held(**BOTH)).result["companion_role"] is None


def test_a_companion_that_another_run_created():
    taken = create_companion(400, {"error": {"code": "0x80041403", "message": "exists"}})
    start = (by_name(role_row(**LOCKED)), HALF, LOOKUP, companion(), UNITS)
    ended = run(module, COMPANION, *start, taken, companion(COMPANION_ROW), on_companion(add(**WRITES)), on_companion(held(**WRITES)))
    assert not ended.failed, ended.result


def test_a_companion_must_be_an_own_role():
    ended = run(module, COMPANION, by_name(role_row(**LOCKED)), HALF, LOOKUP, companion({**COMPANION_ROW, "ismanaged": True}))
    assert "managed solution" in ended.result["msg"]


def test_a_companion_cannot_lower_or_set_the_inheritance():
    low = {**COMPANION, "privileges": [{"name": "prvReadAsyncOperation", "depth": "user"}], "allow_lower": True}
    told = run(module, low, by_name(role_row(**LOCKED)), HALF, lookup("prvReadAsyncOperation")).result
    assert "it cannot lower prvReadAsyncOperation." in told["msg"]
    # Advice to set what is set already helps nobody
    assert "locked_role" not in told["msg"]
    both = {**COMPANION, "member_privilege_inheritance": "direct_user_and_team"}
    assert "it cannot set the member's privilege inheritance." in run(module, both, by_name(role_row(**LOCKED)), HALF, LOOKUP).result["msg"]
    away = {**COMPANION, "state": "absent", "privileges": [{"name": "prvReadAsyncOperation"}]}
    assert "it cannot take away prvReadAsyncOperation." in run(module, away, by_name(role_row(**LOCKED)), HALF).result["msg"]


def test_absent_takes_it_from_the_companion():
    args = {**COMPANION, "state": "absent", "privileges": [{"name": "prvReadAsyncOperation"}]}
    carried = on_companion(held(prvReadAsyncOperation="Global"))
    ended = run(module, args, by_name(role_row(**LOCKED)), held(), companion(COMPANION_ROW), carried, on_companion(remove()), on_companion(held()))
    assert not ended.failed, ended.result
    assert ended.result["changed"] is True


def test_a_role_that_is_not_locked_needs_no_companion():
    assert run(module, COMPANION, by_name(role_row()), held(**BOTH)).result["companion_role"] is None


PLANNED_START = (by_name(), lookup("prvReadAsyncOperation", "prvwriteasyncoperation"))


def test_a_planned_role_that_its_package_locks_has_its_companion_planned():
    args = {**COMPANION, "planned_roles": [{**PLANNED[0], "customizable": False}]}
    ended = run(module, args, *PLANNED_START, companion(), UNITS, check=True)
    assert not ended.failed, ended.result
    assert [write["path"] for write in ended.result["writes"]] == ["roles", "roles({companion_role_id})/Microsoft.Dynamics.CRM.AddPrivilegesRole"]
    assert ended.result["companion_role"]["id"] is None
    assert ended.result["role"]["customizable"] is False
    refused = run(module, {**ARGS, "planned_roles": args["planned_roles"]}, *PLANNED_START, check=True)
    assert "iscustomizable" in refused.result["msg"]


@pytest.mark.parametrize("customizable", [True, None])
def test_a_planned_role_that_its_package_does_not_lock_is_planned_to_change(*, customizable: bool | None):
    ended = run(module, {**COMPANION, "planned_roles": [{**PLANNED[0], "customizable": customizable}]}, *PLANNED_START, check=True)
    assert ended.result["companion_role"] is None
    assert [write["path"].split("/")[0] for write in ended.result["writes"]] == [f"roles({ROLE_ID})"]
    told = " ".join(ended.result.get("warnings", []))
    assert ("does not say" in told) is (customizable is None)


def test_a_refused_inheritance_is_explained():
    patch = Expected("PATCH", f"{DATAVERSE}/roles({ROLE_ID})", 400, {"error": {"code": "0x80040203", "message": "no"}}, {"isinherited": 1})
    ended = run(module, {**ARGS, "member_privilege_inheritance": "direct_user_and_team"}, by_name(role_row()), held(**BOTH), patch)
    assert ended.failed
    assert "role editor" in ended.result["error"]["next_step"]


@pytest.mark.parametrize(("args", "option"), [({"exact": True, "state": "absent"}, "exact"), ({"companion_role": "x"}, "companion_role")])
def test_options_that_do_not_go_together(args: dict[str, t.Any], option: str):
    assert f"{option}: " in run(module, {**ARGS, **args}).result["msg"]


def test_inheritance_is_set_and_read_back():
    patch = Expected("PATCH", f"{DATAVERSE}/roles({ROLE_ID})", 204, body={"isinherited": 1})
    args = {**ARGS, "member_privilege_inheritance": "direct_user_and_team"}
    ended = run(module, args, by_name(role_row()), held(**BOTH), patch, by_id(ROLE_ID, role_row(isinherited=1)))
    assert ended.result["changed"] is True
    assert ended.result["diff"]["before"]["member_privilege_inheritance"] == "team_only"


@pytest.mark.parametrize(
    ("privileges", "option"),
    [
        ([{"depth": "user"}], "privileges[0]"),
        ([{"name": "prvReadLead", "table": "lead", "access": ["read"], "depth": "user"}], "privileges[0]"),
        ([{"table": "lead", "depth": "user"}], "privileges[0].access"),
        ([{"name": "prvReadLead", "access": ["read"], "depth": "user"}], "privileges[0].access"),
        ([{"name": "prvReadLead"}], "privileges[0].depth"),
        ([{"name": "prvReadLead", "depth": "user"}, {"name": "PRVREADLEAD", "depth": "global"}], "privileges[1].depth"),
    ],
)
def test_options_are_checked_before_the_first_request(privileges: list[dict[str, t.Any]], option: str):
    ended = run(module, {"role": NAME, "privileges": privileges})
    assert ended.failed
    assert ended.result["error"]["kind"] == "InvalidOption"
    assert f"{option}: " in ended.result["msg"]
