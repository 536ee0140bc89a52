# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""crm_role_assignment on a scripted wire."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.leadops.dynamics365.plugins.modules import crm_role_assignment as module
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import DATAVERSE, Expected, run

UPN = "lead-writer@contoso.onmicrosoft.com"
OBJECT = "87d349ed-0000-4000-8000-000000000005"
USER = "ad3b5737-0000-4000-8000-000000000004"
ROOT_UNIT = "1360fdcb-0000-4000-8000-000000000003"
CHILD_UNIT = "1360fdcb-0000-4000-8000-0000000000c3"
ROOT = "b1f0c7ae-0000-4000-8000-000000000001"
COPY = "b1f0c7ae-0000-4000-8000-0000000000c1"
NAME = "Marketplace O'Writer"
ROLE_COLUMNS = "roleid,name,_businessunitid_value,_parentrootroleid_value"
USER_COLUMNS = "systemuserid,domainname,azureactivedirectoryobjectid,applicationid,isdisabled,accessmode,_businessunitid_value,deletedstate"
EXPAND = f"systemuserroles_association($select={ROLE_COLUMNS})"
ARGS = {"users": [UPN], "roles": [NAME]}


def role(role_id: str = COPY, unit: str = CHILD_UNIT, name: str = NAME, root: str = ROOT) -> dict[str, t.Any]:
    return {"roleid": role_id, "name": name, "_businessunitid_value": unit, "_parentrootroleid_value": root}


def user(*roles: dict[str, t.Any], **changes: t.Any) -> dict[str, t.Any]:
    row = {
        "systemuserid": USER,
        "domainname": UPN,
        "azureactivedirectoryobjectid": OBJECT,
        "applicationid": None,
        "isdisabled": False,
        "deletedstate": 0,
        "_businessunitid_value": CHILD_UNIT,
        "systemuserroles_association": list(roles),
    }
    return {**row, **changes}


def users(*rows: dict[str, t.Any], condition: str = f"domainname eq '{UPN}'") -> Expected:
    return Expected("GET", f"{DATAVERSE}/systemusers?$select={USER_COLUMNS}&$filter={condition}&$expand={EXPAND}", answer={"value": list(rows)})


def roles(condition: str, *rows: dict[str, t.Any]) -> Expected:
    return Expected("GET", f"{DATAVERSE}/roles?$select={ROLE_COLUMNS}&$filter={condition}", answer={"value": list(rows)})


BY_NAME = f"(name eq 'Marketplace O''Writer') and (_businessunitid_value eq {CHILD_UNIT})"


def assign(role_id: str = COPY, status: int = 204, answer: t.Any = None) -> Expected:
    path = f"{DATAVERSE}/systemusers({USER})/systemuserroles_association/$ref"
    return Expected("POST", path, status, answer, body={"@odata.id": f"{DATAVERSE}/roles({role_id})"})


def remove(role_id: str = COPY, status: int = 204, answer: t.Any = None) -> Expected:
    return Expected("DELETE", f"{DATAVERSE}/systemusers({USER})/systemuserroles_association({role_id})/$ref", status, answer)


def shown(*held: dict[str, t.Any]) -> Expected:
    url = f"{DATAVERSE}/systemusers?$select=systemuserid&$filter=systemuserid eq {USER}&$expand={EXPAND}"
    return Expected("GET", url, answer={"value": [{"systemuserid": USER, "systemuserroles_association": list(held)}]})


def test_a_user_who_holds_the_role_costs_one_request():
    ended = run(module, ARGS, users(user(role())))
    assert not ended.failed
    assert ended.result["changed"] is False
    assert ended.result["assignments"] == [
        {"user": UPN, "system_user_id": USER, "role": NAME, "role_id": COPY, "business_unit_id": CHILD_UNIT, "state": "present"}
    ]


def test_the_copy_of_the_users_unit_is_assigned_and_read_back():
    ended = run(module, ARGS, users(user()), roles(BY_NAME, role()), assign(), shown(), shown(role()))
    assert not ended.failed
    assert ended.result["changed"] is True
    assert ended.result["diff"]["before"] == {UPN: []}
    assert ended.result["diff"]["after"] == {UPN: [NAME]}
    assert ended.clock.slept


def test_a_copy_of_another_unit_does_not_count():
    other = role(ROOT, ROOT_UNIT)
    ended = run(module, ARGS, users(user(other)), roles(BY_NAME, role()), assign(), shown(other, role()))
    assert ended.result["assignments"][0]["role_id"] == COPY


def test_check_mode_predicts_the_same_write():
    ended = run(module, ARGS, users(user()), roles(BY_NAME, role()), check=True)
    assert ended.result["writes"][0]["path"] == f"systemusers({USER})/systemuserroles_association/$ref"
    assert ended.result["planned"] is False


@pytest.mark.parametrize("status", [400, 412])
def test_another_run_was_faster(status: int):
    taken = assign(status=status, answer={"error": {"code": "0x80040237", "message": "A record with matching key values already exists."}})
    assert not run(module, ARGS, users(user()), roles(BY_NAME, role()), taken, shown(role())).failed


def test_any_other_refusal_stands():
    refused = assign(status=403, answer={"error": {"code": "0x80041409", "message": "The user belongs to a different business unit"}})
    assert run(module, ARGS, users(user()), roles(BY_NAME, role()), refused).failed


def test_what_never_shows_is_an_error():
    ended = run(module, ARGS, users(user()), roles(BY_NAME, role()), assign(), *[shown() for _unused in range(14)])
    assert ended.failed
    assert ended.result["error"]["kind"] == "WaitedTooLong"
    assert ended.result["changed"] is True


def test_a_user_by_any_id_in_one_filter():
    condition = f"azureactivedirectoryobjectid eq {OBJECT} or applicationid eq {OBJECT} or systemuserid eq {OBJECT}"
    ended = run(module, {**ARGS, "users": [OBJECT.upper()]}, users(user(role()), condition=condition))
    assert ended.result["changed"] is False
    assert ended.result["assignments"][0]["user"] == UPN


def test_the_root_id_stands_for_all_copies():
    condition = f"(_parentrootroleid_value eq {ROOT}) and (_businessunitid_value eq {CHILD_UNIT}) or roleid eq {ROOT}"
    found = roles(condition, role(), role(ROOT, ROOT_UNIT))
    ended = run(module, {**ARGS, "roles": [ROOT]}, users(user()), found, assign(), shown(role()))
    assert ended.result["assignments"][0]["role"] == NAME


def test_the_id_of_any_copy_leads_to_the_users_copy():
    stranger = "b1f0c7ae-0000-4000-8000-0000000000d1"
    condition = f"(_parentrootroleid_value eq {stranger}) and (_businessunitid_value eq {CHILD_UNIT}) or roleid eq {stranger}"
    first = roles(condition, role(stranger, "1360fdcb-0000-4000-8000-0000000000d3"))
    second = roles(f"_parentrootroleid_value eq {ROOT}", role(), role(ROOT, ROOT_UNIT))
    ended = run(module, {**ARGS, "roles": [stranger]}, users(user()), first, second, assign(), shown(role()))
    assert ended.result["assignments"][0]["role_id"] == COPY


def test_two_roles_of_one_name_in_the_unit_are_listed():
    twin = "b1f0c7ae-0000-4000-8000-0000000000e1"
    ended = run(module, ARGS, users(user()), roles(BY_NAME, role(), role(twin, root=twin)))
    assert ended.failed
    assert COPY in ended.result["msg"]
    assert twin in ended.result["msg"]


ANYWHERE = "name eq 'Marketplace O''Writer'"


def settings(xml: str) -> Expected:
    return Expected("GET", f"{DATAVERSE}/organizations?$select=orgdborgsettings", answer={"value": [{"orgdborgsettings": xml}]})


def test_a_role_without_a_copy_in_the_unit_is_taken_from_another_where_that_is_allowed():
    only = role(ROOT, ROOT_UNIT)
    xml = "<OrgSettings><EnableOwnershipAcrossBusinessUnits>true</EnableOwnershipAcrossBusinessUnits></OrgSettings>"
    ended = run(module, ARGS, users(user()), roles(BY_NAME), roles(ANYWHERE, only), settings(xml), assign(ROOT), shown(only))
    assert ended.result["assignments"][0]["business_unit_id"] == ROOT_UNIT


def test_a_role_without_a_copy_in_the_unit_is_an_error_where_it_is_not_allowed():
    ended = run(module, ARGS, users(user()), roles(BY_NAME), roles(ANYWHERE, role(ROOT, ROOT_UNIT)), settings("<OrgSettings/>"))
    assert ended.failed
    assert ROOT_UNIT in ended.result["msg"]


def test_a_role_that_does_not_exist():
    names = Expected("GET", f"{DATAVERSE}/roles?$select=name&$filter=_parentroleid_value eq null", answer={"value": [{"name": "Marketplace Writer"}]})
    ended = run(module, ARGS, users(user()), roles(BY_NAME), roles(ANYWHERE), names)
    assert ended.failed
    assert "Marketplace Writer" in ended.result["msg"]


@pytest.mark.parametrize("check", [False, True])
def test_a_user_who_is_not_there(*, check: bool):
    ended = run(module, ARGS, users(), check=check)
    assert ended.failed
    assert "crm_user" in ended.result["error"]["next_step"]


def test_soft_deleted_rows_do_not_count_but_are_told():
    ghost = user(systemuserid="ad3b5737-0000-4000-8000-0000000000f4", deletedstate=1)
    ended = run(module, ARGS, users(ghost, user(role())))
    assert not ended.failed
    assert "0000000000f4" in ended.result["warnings"][0]


def test_of_several_users_the_only_enabled_one_is_meant():
    stub = user(systemuserid="ad3b5737-0000-4000-8000-0000000000f4", azureactivedirectoryobjectid=None, isdisabled=True)
    ended = run(module, ARGS, users(stub, user(role())))
    assert [item["system_user_id"] for item in ended.result["assignments"]] == [USER]


@pytest.mark.parametrize("disabled", [False, True])
def test_users_who_are_alike_are_ambiguous(*, disabled: bool):
    twins = (user(role(), isdisabled=disabled), user(systemuserid="ad3b5737-0000-4000-8000-0000000000f4", isdisabled=disabled))
    ended = run(module, ARGS, users(*twins))
    assert ended.failed
    assert ("0000000000f4 (disabled)" if disabled else "0000000000f4.") in ended.result["msg"]


@pytest.mark.parametrize("check", [False, True])
def test_a_disabled_user_is_not_given_roles(*, check: bool):
    ended = run(module, ARGS, users(user(isdisabled=True)), roles(BY_NAME, role()), check=check)
    assert ended.failed
    assert "disabled" in ended.result["msg"]


def test_a_disabled_user_who_would_be_enabled_by_then():
    args = {**ARGS, "planned_users": [{"user_principal_name": UPN}]}
    assert not run(module, args, users(user(isdisabled=True)), roles(BY_NAME, role()), check=True).failed


def test_a_disabled_user_who_holds_the_role_is_a_warning():
    ended = run(module, ARGS, users(user(role(), isdisabled=True)))
    assert ended.result["changed"] is False
    assert "disabled" in ended.result["warnings"][0]


PLANNED_USERS = [{"id": "00000000-0000-0000-0000-000000000000", "user_principal_name": UPN.upper(), "display_name": "whatever else the task returned"}]
PLANNED_ROLES = [{"name": NAME, "id": ROOT, "privileges": [{"name": "prvReadLead", "depth": "organization"}]}]
ROOTS = "(name eq 'Marketplace O''Writer') and (_parentroleid_value eq null)"


def test_a_planned_user_and_a_planned_role():
    args = {**ARGS, "planned_users": PLANNED_USERS, "planned_roles": PLANNED_ROLES}
    ended = run(module, args, users(), roles(ROOTS), check=True)
    assert not ended.failed
    assert ended.result["planned"] is True
    assert ended.result["writes"][0]["path"] == "systemusers({system_user_id})/systemuserroles_association/$ref"
    assert ended.result["assignments"][0]["role_id"] is None


def test_a_planned_user_and_a_role_that_is_there():
    args = {**ARGS, "planned_users": PLANNED_USERS}
    ended = run(module, args, users(), roles(ROOTS, role(ROOT, ROOT_UNIT)), check=True)
    assert ended.result["changed"] is True


def test_a_planned_user_who_will_hold_the_role_already():
    args = {**ARGS, "planned_users": [{**PLANNED_USERS[0], "roles": [NAME]}], "planned_roles": PLANNED_ROLES}
    ended = run(module, args, users(), roles(ROOTS), check=True)
    assert ended.result["changed"] is False


def test_a_user_who_is_there_and_a_planned_role():
    ended = run(module, {**ARGS, "planned_roles": PLANNED_ROLES}, users(user()), roles(BY_NAME), check=True)
    assert ended.result["writes"][0]["path"] == f"systemusers({USER})/systemuserroles_association/$ref"


def test_what_is_planned_does_not_count_in_a_real_run():
    assert run(module, {**ARGS, "planned_users": PLANNED_USERS, "planned_roles": PLANNED_ROLES}, users()).failed


ABSENT = {**ARGS, "state": "absent"}


def test_absent_takes_away_every_copy():
    other = role(ROOT, ROOT_UNIT)
    keep = role("b1f0c7ae-0000-4000-8000-0000000000f1", name="Basic User", root="b1f0c7ae-0000-4000-8000-0000000000f0")
    ended = run(module, ABSENT, users(user(role(), other, keep)), remove(COPY), remove(ROOT), shown(keep))
    assert ended.result["changed"] is True
    assert ended.result["diff"]["after"] == {UPN: ["Basic User"]}


def test_absent_again_costs_one_request():
    ended = run(module, ABSENT, users(user()))
    assert ended.result["changed"] is False
    assert ended.result["assignments"] == []


def test_absent_when_another_run_was_faster():
    gone = remove(status=404, answer={"error": {"code": "0x80040217", "message": "not associated"}})
    assert not run(module, ABSENT, users(user(role())), gone, shown()).failed


def test_absent_of_a_user_who_is_not_there_is_a_warning():
    ended = run(module, ABSENT, users())
    assert ended.result["changed"] is False
    assert UPN in ended.result["warnings"][0]


def test_several_users_and_roles_are_read_together():
    second = user(
        role("b2f0c7ae-0000-4000-8000-0000000000c2", name="Other", root="b2f0c7ae-0000-4000-8000-000000000002"), systemuserid=ROOT, domainname="b@contoso.com"
    )
    condition = f"(name eq 'Other' or name eq 'Marketplace O''Writer') and (_businessunitid_value eq {CHILD_UNIT})"
    args = {"users": [UPN, "b@contoso.com", UPN.upper()], "roles": [NAME, "Other"]}
    both = f"domainname eq '{UPN}' or domainname eq 'b@contoso.com'"
    ended = run(module, args, users(user(role()), second, condition=both), roles(condition, role(), second["systemuserroles_association"][0]), check=True)
    assert [write["summary"] for write in ended.result["writes"]] == [f"assign the role Other to {UPN}", f"assign the role {NAME} to b@contoso.com"]


def test_an_old_server_gives_an_address_in_place_of_the_roles():
    link = f"{DATAVERSE}/systemusers({USER})/systemuserroles_association?$select={ROLE_COLUMNS}"
    row = user(**{"systemuserroles_association@odata.nextLink": link})
    ended = run(module, ARGS, users(row), Expected("GET", link, answer={"value": [role()]}))
    assert ended.result["changed"] is False


@pytest.mark.parametrize(("args", "option"), [({"users": []}, "users"), ({"roles": [NAME, " "]}, "roles[1]")])
def test_options_are_checked_before_the_first_request(args: dict[str, t.Any], option: str):
    ended = run(module, {**ARGS, **args})
    assert ended.failed
    assert f"{option}: is empty" in ended.result["msg"]


TEAM = "c41b3f1e-0000-4000-8000-000000000009"
GROUP = "5f0d6a0e-0000-4000-8000-000000000007"
TEAM_COLUMNS = "teamid,name,teamtype,azureactivedirectoryobjectid,_businessunitid_value"
TEAM_EXPAND = f"teamroles_association($select={ROLE_COLUMNS})"


def team(*held: dict[str, t.Any], **changes: t.Any) -> dict[str, t.Any]:
    row = {"teamid": TEAM, "name": "R&D / O'Team", "teamtype": 0, "azureactivedirectoryobjectid": None, "_businessunitid_value": CHILD_UNIT}
    return {**row, "teamroles_association": list(held), **changes}


def teams(*rows: dict[str, t.Any], condition: str = "name eq 'R&D / O''Team'") -> Expected:
    return Expected("GET", f"{DATAVERSE}/teams?$select={TEAM_COLUMNS}&$filter={condition}&$expand={TEAM_EXPAND}", answer={"value": list(rows)})


TEAM_ARGS = {"teams": ["R&D / O'Team"], "roles": [NAME]}


def test_a_team_is_given_the_copy_of_its_unit():
    assign_team = Expected("POST", f"{DATAVERSE}/teams({TEAM})/teamroles_association/$ref", 204, body={"@odata.id": f"{DATAVERSE}/roles({COPY})"})
    shown_team = Expected(
        "GET", f"{DATAVERSE}/teams?$select=teamid&$filter=teamid eq {TEAM}&$expand={TEAM_EXPAND}", answer={"value": [{**team(role()), "teamid": TEAM}]}
    )
    ended = run(module, TEAM_ARGS, teams(team()), roles(BY_NAME, role()), assign_team, shown_team)
    assert not ended.failed, ended.result
    assert ended.result["assignments"][0]["team"] == "R&D / O'Team"
    assert ended.result["diff"]["after"] == {"team R&D / O'Team": [NAME]}
    assert run(module, TEAM_ARGS, teams(team(role()))).result["changed"] is False


def test_a_team_by_the_id_of_its_group():
    found = teams(team(role(), azureactivedirectoryobjectid=GROUP, teamtype=2), condition=f"teamid eq {GROUP} or azureactivedirectoryobjectid eq {GROUP}")
    assert run(module, {**TEAM_ARGS, "teams": [GROUP]}, found).result["changed"] is False


def test_teams_that_cannot_hold_the_role():
    assert "access team" in run(module, TEAM_ARGS, teams(team(teamtype=1))).result["msg"]
    columns = "roleid,name,_businessunitid_value,_parentrootroleid_value,_roletemplateid_value,ismanaged,iscustomizable,isinherited"
    root = Expected("GET", f"{DATAVERSE}/roles?$select={columns}&$filter=roleid eq {ROOT}", answer={"value": [{**role(ROOT, ROOT_UNIT), "isinherited": 0}]})
    ended = run(module, TEAM_ARGS, teams(team(teamtype=2)), roles(BY_NAME, role()), root, check=True)
    assert "team privileges only" in ended.result["msg"]


def test_a_team_that_does_not_exist_or_is_ambiguous():
    names = Expected("GET", f"{DATAVERSE}/teams?$select=name", answer={"value": [{"name": "R&D Team"}]})
    assert "R&D Team" in run(module, TEAM_ARGS, teams(), names).result["msg"]
    assert "does not exist" in run(module, {**TEAM_ARGS, "state": "absent"}, teams()).result["warnings"][0]
    assert GROUP in run(module, TEAM_ARGS, teams(team(), team(teamid=GROUP))).result["msg"]


OTHER = role("b1f0c7ae-0000-4000-8000-0000000000f1", name="Basic User", root="b1f0c7ae-0000-4000-8000-0000000000f0")


def test_exact_adds_before_it_takes_away():
    args = {**ARGS, "exact": True}
    ended = run(module, args, users(user(OTHER, role(ROOT, ROOT_UNIT))), roles(BY_NAME, role()), assign(), remove(OTHER["roleid"]), remove(ROOT), shown(role()))
    assert not ended.failed, ended.result
    assert ended.result["diff"]["after"] == {UPN: [NAME]}
    assert [item["state"] for item in ended.result["assignments"]] == ["present", "absent", "absent"]
    assert run(module, args, users(user(role()))).result["changed"] is False


def test_exact_with_no_roles_takes_everything_away():
    ended = run(module, {"users": [UPN], "roles": [], "exact": True}, users(user(OTHER)), check=True)
    assert [write["method"] for write in ended.result["writes"]] == ["DELETE"]


def test_exact_leaves_disabled_users_alone():
    ended = run(module, {**ARGS, "exact": True}, users(user(role(), OTHER, isdisabled=True)))
    assert ended.failed
    assert "disabled" in ended.result["msg"]


def test_roles_that_come_through_teams_are_shown_and_do_not_count():
    url = f"{DATAVERSE}/systemusers({USER})/teammembership_association?$select=teamid,name&$expand={TEAM_EXPAND}"
    through = Expected("GET", url, answer={"value": [team(role())]})
    ended = run(module, {**ARGS, "show_held_through_teams": True}, users(user()), roles(BY_NAME, role()), through, check=True)
    assert ended.result["changed"] is True
    assert ended.result["held_through_teams"] == [
        {"user": UPN, "role": NAME, "role_id": COPY, "business_unit_id": CHILD_UNIT, "team": "R&D / O'Team", "team_id": TEAM}
    ]


def test_an_access_mode_that_limits_roles_is_told():
    ended = run(module, ARGS, users(user(role(), accessmode=1)))
    assert "administrative" in ended.result["warnings"][0]


def test_many_users_are_asked_for_in_portions():
    names = [f"user{number}@contoso.com" for number in range(25)]
    rows = [user(role(), domainname=name, systemuserid=f"ad3b5737-0000-4000-8000-{number:012d}") for number, name in enumerate(names)]
    first, second = (" or ".join(f"domainname eq '{name}'" for name in part) for part in (names[:20], names[20:]))
    ended = run(module, {**ARGS, "users": names}, users(*rows[:20], condition=first), users(*rows[20:], condition=second))
    assert ended.result["changed"] is False
    assert len(ended.result["assignments"]) == 25


@pytest.mark.parametrize(
    ("args", "option"), [({"users": []}, "users"), ({"roles": []}, "roles"), ({"exact": True, "state": "absent"}, "exact"), ({"teams": [""]}, "teams[0]")]
)
def test_more_options_are_checked_before_the_first_request(args: dict[str, t.Any], option: str):
    ended = run(module, {**ARGS, **args})
    assert ended.failed
    assert ended.result["msg"].startswith(f"contoso.crm4.dynamics.com: {option}")
