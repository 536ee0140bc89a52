# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users, roles and privileges: starting states times wanted states, through the modules' real code.

Each case: check mode sends nothing, the run sends what check mode foretold, an independent reader sees the wanted state, and a second run
changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.emulator.launcher import RunningEmulator

from .fleet import Json
from .matrix import Bench

TIMING = {"import": 1.0, "forced_sync": 0.05, "license_propagation": 0.0, "natural_sync": 600.0, "read_lag": 0.0}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    file: Path = tmp_path_factory.mktemp("matrix") / "emulated.json"
    file.write_text(json.dumps({"tenants": [{"name": "contoso", "timing": TIMING}]}), encoding="utf-8")
    with RunningEmulator("--tenants", str(file)) as emulator:
        yield Bench(emulator, "contoso")
        assert "defect at" not in emulator.errors(), emulator.errors()


@pytest.fixture
def bench(running: Bench) -> Bench:
    running.begin()
    return running


def unit(bench: Bench, name: str) -> Json:
    return bench.row("businessunits", name=name)


def alex(bench: Bench) -> Json:
    """The person who is in the organisation from the start."""
    return bench.row("systemusers", domainname=f"alex@{bench.about['domain']}")


# --- crm_user: people ---

Prepare = Callable[[Bench], None]


def _there(_bench: Bench) -> None:
    """Alex is an enabled user."""


def _disabled(bench: Bench) -> None:
    bench.store("systemusers", alex(bench)["systemuserid"], isdisabled=True)


def _in_child_unit(bench: Bench) -> None:
    bench.store("systemusers", alex(bench)["systemuserid"], _businessunitid_value=unit(bench, "Sales EMEA")["businessunitid"])


def _missing(bench: Bench) -> None:
    """The row is gone, and the security group keeps the background synchronisation from making another before the module does."""
    bench.emulator.control("PATCH", f"tenants/{bench.tenant}", {"security_group_id": bench.rows("groups")[0]["id"]})
    bench.emulator.control("DELETE", f"tenants/{bench.tenant}/documents/systemusers/{alex(bench)['systemuserid']}")


def _soft_deleted(bench: Bench) -> None:
    _missing_row = alex(bench)
    bench.emulator.control("PATCH", f"tenants/{bench.tenant}", {"security_group_id": bench.rows("groups")[0]["id"]})
    bench.store("systemusers", _missing_row["systemuserid"], isdisabled=True, deletedstate=1)


STARTS: dict[str, Prepare] = {"there": _there, "disabled": _disabled, "child unit": _in_child_unit, "missing": _missing, "soft-deleted": _soft_deleted}
WANTED: dict[str, Json] = {
    "present": {},
    "disabled": {"enabled": False},
    "non-interactive": {"access_mode": "non_interactive"},
    "in Sales": {"business_unit": "Sales EMEA", "move_business_unit": True},
    "all": {"business_unit": "Sales EMEA", "move_business_unit": True, "access_mode": "non_interactive"},
}


@pytest.mark.parametrize("way_in", ["admin_api", "role"])
@pytest.mark.parametrize("wanted", WANTED)
@pytest.mark.parametrize("start", STARTS)
def test_people(bench: Bench, start: str, wanted: str, way_in: str) -> None:
    bench.begin(features={"power_platform_admin": way_in == "admin_api"})
    STARTS[start](bench)
    args = WANTED[wanted]
    upn = f"alex@{bench.about['domain']}"
    ended = bench.converge("crm_user", user=upn, sync_role="Environment Maker", wait_timeout=20, **args)
    assert not ended["failed"], ended["msg"]
    rows = [row for row in bench.rows("systemusers") if row["domainname"] == upn and not row["deletedstate"]]
    if start in ("missing", "soft-deleted") and wanted == "disabled":
        assert rows == []
        assert ended["user"] is None
        return
    (row,) = rows
    assert row["isdisabled"] is (wanted == "disabled")
    assert row["accessmode"] == (4 if "access_mode" in args else 0)
    expected = "Sales EMEA" if "business_unit" in args or start == "child unit" else bench.about["name"]
    assert row["_businessunitid_value"] == unit(bench, expected)["businessunitid"]
    assert ended["user"]["system_user_id"] == row["systemuserid"]


@pytest.mark.parametrize("keeps", [False, True])
def test_moving_says_what_becomes_of_the_roles(bench: Bench, *, keeps: bool) -> None:
    bench.begin(behaviour={"keep_roles_on_unit_change": keeps})
    user = alex(bench)
    role = bench.row("roles", name="Environment Maker", _parentroleid_value=None)
    bench.run("crm_role_assignment", users=[user["systemuserid"]], roles=[role["roleid"]])
    args = {"user": user["domainname"], "business_unit": "Sales EMEA"}
    refused = bench.converge("crm_user", **args)
    assert "move_business_unit" in refused["msg"]
    ended = bench.converge("crm_user", move_business_unit=True, **args)
    assert ended["roles_lost"] == ([] if keeps else ["Environment Maker"])
    assert any(link["systemuserid"] == user["systemuserid"] for link in bench.rows("systemuserroles")) is keeps


def _no_group(bench: Bench) -> None:
    _missing(bench)
    group = bench.rows("groups")[0]
    bench.store("groups", group["id"], _members=[])


def _blocked(bench: Bench) -> None:
    _missing(bench)
    bench.store("users", alex_in_directory(bench)["id"], accountEnabled=False)


def _unlicensed(bench: Bench) -> None:
    _missing(bench)
    bench.store("users", alex_in_directory(bench)["id"], assignedLicenses=[], licenseAssignmentStates=[])


def _without_database(bench: Bench) -> None:
    _missing(bench)
    bench.emulator.control("PATCH", f"tenants/{bench.tenant}", {"features": {"database": False}})


def alex_in_directory(bench: Bench) -> Json:
    return bench.row("users", userPrincipalName=f"alex@{bench.about['domain']}")


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [(_no_group, "security group"), (_blocked, "disabled in the directory"), (_unlicensed, "no licence"), (_without_database, "no Dataverse database")],
)
def test_what_cannot_succeed_is_told_at_once(bench: Bench, prepare: Prepare, reason: str) -> None:
    prepare(bench)
    about = bench.about
    ended = bench.converge("crm_user", user=f"alex@{about['domain']}", environment_id=about["environment_id"], wait_timeout=5)
    assert ended["failed"]
    assert reason in ended["msg"]


def test_a_deleted_account_is_called_deleted(bench: Bench) -> None:
    _missing(bench)
    person = alex_in_directory(bench)
    graph = bench.emulator.graph
    bench.emulator.call("DELETE", f"{graph}/v1.0/users/{person['id']}", bench.emulator.token("contoso", graph)).raise_for_status()
    for reference in (person["userPrincipalName"], person["id"]):
        assert "was deleted" in bench.run("crm_user", user=reference)["msg"]


# --- crm_user: applications ---


def _no_application(_bench: Bench) -> None:
    """The application has no row."""


def _application(bench: Bench, **columns: object) -> None:
    root = unit(bench, bench.about["name"])["businessunitid"]
    user_id = bench.post("systemusers", {"applicationid": bench.about["public_client_id"], "businessunitid@odata.bind": f"/businessunits({root})"})
    bench.store("systemusers", user_id, **columns)


APPLICATION_STARTS: dict[str, Prepare] = {
    "none": _no_application,
    "there": lambda bench: _application(bench, isdisabled=False),
    "disabled": lambda bench: _application(bench, isdisabled=True),
    "soft-deleted": lambda bench: _application(bench, isdisabled=True, deletedstate=1),
}
APPLICATION_WANTED: dict[str, Json] = {
    "present": {},
    "disabled": {"enabled": False},
    "in Sales": {"business_unit": "Sales EMEA", "move_business_unit": True},
    "absent": {"state": "absent"},
}


@pytest.mark.parametrize("wanted", APPLICATION_WANTED)
@pytest.mark.parametrize("start", APPLICATION_STARTS)
def test_applications(bench: Bench, start: str, wanted: str) -> None:
    APPLICATION_STARTS[start](bench)
    application_id = bench.about["public_client_id"]
    ended = bench.converge("crm_user", application_id=application_id, **APPLICATION_WANTED[wanted])
    assert not ended["failed"], ended["msg"]
    rows = [row for row in bench.rows("systemusers") if row["applicationid"] == application_id]
    if wanted == "absent":
        assert rows == []
        return
    (row,) = rows
    assert (row["isdisabled"], row["accessmode"], row["deletedstate"]) == (wanted == "disabled", 4, 0)
    assert row["_businessunitid_value"] == unit(bench, "Sales EMEA" if wanted == "in Sales" else bench.about["name"])["businessunitid"]


def test_an_application_that_the_tenant_does_not_know(bench: Bench) -> None:
    assert "no service principal" in bench.converge("crm_user", application_id="66666666-7777-8888-9999-000000000000")["msg"]


# --- crm_role_assignment ---

STRANGE = "O'Brien & Söhne / Rolle #1 100% [ü] + 東京"


def make_role(bench: Bench, name: str, in_unit: str = "") -> str:
    place = unit(bench, in_unit or bench.about["name"])["businessunitid"]
    return bench.post("roles", {"name": name, "businessunitid@odata.bind": f"/businessunits({place})"})


def held_names(bench: Bench, holder: Json) -> list[str]:
    """The names of the roles that a user or team holds, with a mark on copies of another business unit."""
    kind, key = ("systemuserroles", "systemuserid") if "systemuserid" in holder else ("teamroles", "teamid")
    roles = {row["roleid"]: row for row in bench.rows("roles")}
    mine = [roles[link["roleid"]] for link in bench.rows(kind) if link[key] == holder[key]]
    return sorted(role["name"] + ("" if role["_businessunitid_value"] == holder["_businessunitid_value"] else "*") for role in mine)


def give(bench: Bench, holder: Json, name: str, *, copy_of_other_unit: bool = False) -> None:
    """Let a user or team hold a role, past the services."""
    kind, key = ("systemuserroles", "systemuserid") if "systemuserid" in holder else ("teamroles", "teamid")
    own = holder["_businessunitid_value"]
    role = next(row for row in bench.rows("roles") if row["name"] == name and (row["_businessunitid_value"] == own) is not copy_of_other_unit)
    bench.put(kind, f"{holder[key]}:{role['roleid']}", {key: holder[key], "roleid": role["roleid"]})


HELD: dict[str, list[tuple[str, bool]]] = {
    "nothing": [],
    "the role": [(STRANGE, False)],
    "another": [("Delegate", False)],
    "both and a foreign copy": [(STRANGE, False), (STRANGE, True), ("Delegate", False)],
}
ROLES_WANTED: dict[str, tuple[Json, Callable[[set[str]], set[str]]]] = {
    "one": ({"roles": [STRANGE]}, lambda held: held | {STRANGE}),
    "two": ({"roles": [STRANGE.upper(), "Environment Maker"]}, lambda held: held | {STRANGE, "Environment Maker"}),
    "exactly one": ({"roles": [STRANGE], "exact": True}, lambda _held: {STRANGE}),
    "exactly none": ({"roles": [], "exact": True}, lambda _held: set()),
    "absent": ({"roles": [STRANGE, "No Such Role"], "state": "absent"}, lambda held: held - {STRANGE, f"{STRANGE}*"}),
}


@pytest.mark.parametrize("holder", ["user", "application", "team", "group team"])
@pytest.mark.parametrize("wanted", ROLES_WANTED)
@pytest.mark.parametrize("start", HELD)
def test_assignments(bench: Bench, start: str, wanted: str, holder: str) -> None:
    bench.begin(features={"modern_business_units": True})
    make_role(bench, STRANGE)
    if holder == "user":
        row = alex(bench)
        named: Json = {"users": [row["domainname"]]}
    elif holder == "application":
        _application(bench, isdisabled=False)
        row = bench.row("systemusers", applicationid=bench.about["public_client_id"])
        named = {"users": [row["applicationid"]]}
    else:
        place = {"businessunitid@odata.bind": f"/businessunits({unit(bench, 'Sales EMEA')['businessunitid']})"}
        group = bench.rows("groups")[0]["id"]
        kind: Json = {"teamtype": 2, "azureactivedirectoryobjectid": group, "membershiptype": 0} if holder == "group team" else {}
        row = bench.row("teams", teamid=bench.post("teams", {"name": STRANGE, **place, **kind}))
        named = {"teams": [group if kind else STRANGE]}
    for name, foreign in HELD[start]:
        give(bench, row, name, copy_of_other_unit=foreign)
    before = set(held_names(bench, row))
    args, expected = ROLES_WANTED[wanted]
    ended = bench.converge("crm_role_assignment", **named, **args)
    assert not ended["failed"], ended["msg"]
    assert set(held_names(bench, row)) == expected(before)
    assert len(held_names(bench, row)) == len(expected(before))


@pytest.mark.parametrize("team_type", [1, 2])
def test_teams_that_cannot_hold_a_role_are_refused_before_any_write(bench: Bench, team_type: int) -> None:
    place = {"businessunitid@odata.bind": f"/businessunits({unit(bench, 'Sales EMEA')['businessunitid']})"}
    bench.post("teams", {"name": "Special", "teamtype": team_type, **place})
    ended = bench.converge("crm_role_assignment", teams=["Special"], roles=["Environment Maker", "Knowledge Manager"])
    assert ("access team" if team_type == 1 else "team privileges only") in ended["msg"]


def test_roles_through_teams_are_shown(bench: Bench) -> None:
    person = alex(bench)
    team = bench.row("teams", name=bench.about["name"])
    bench.store("teams", team["teamid"], _members=[person["systemuserid"]])
    give(bench, team, "Delegate")
    ended = bench.converge("crm_role_assignment", users=[person["domainname"]], roles=["Environment Maker"], show_held_through_teams=True)
    assert [(item["role"], item["team"]) for item in ended["held_through_teams"]] == [("Delegate", team["name"])]


def test_many_users_teams_and_roles_in_one_call(bench: Bench) -> None:
    names = ["Environment Maker", "Delegate", "System Customizer"]
    users = [alex(bench)["domainname"], bench.about["admin_username"]]
    bench.converge("crm_role_assignment", users=users, teams=[bench.about["name"]], roles=names)
    for user in users:
        assert set(names) <= set(held_names(bench, bench.row("systemusers", domainname=user)))
    assert held_names(bench, bench.row("teams", name=bench.about["name"])) == sorted(names)


def test_a_disabled_user_is_recognised(bench: Bench) -> None:
    _disabled(bench)
    assert "disabled" in bench.converge("crm_role_assignment", users=[alex(bench)["domainname"]], roles=["Delegate"])["msg"]


# --- crm_role_privilege ---

READ, WRITE, OWN_SETTINGS = "prvReadAsyncOperation", "prvWriteAsyncOperation", "prvCreateUserEntityUISettings"
BASELINE = {"prvReadSharePointData", "prvWriteSharePointData", "prvCreateSharePointData", "prvReadSharePointDocument"}


def held_privileges(bench: Bench, role_id: str) -> dict[str, str]:
    """Depth by name, without what every role holds."""
    url = bench.about["org_url"]
    answer = bench.emulator.call(
        "GET", f"{url}/api/data/v9.2/RetrieveRolePrivilegesRole(RoleId={role_id})", bench.emulator.token(bench.tenant, url), headers={"Consistency": "Strong"}
    )
    return {item["PrivilegeName"]: item["Depth"] for item in answer.json()["RolePrivileges"] if item["PrivilegeName"] not in BASELINE}


PRIVILEGE_STARTS: dict[str, dict[str, str]] = {
    "nothing": {},
    "as wanted": {READ: "Local"},
    "lower": {READ: "Basic"},
    "higher and more": {READ: "Global", WRITE: "Basic", OWN_SETTINGS: "Basic"},
}
PRIVILEGES_WANTED: dict[str, tuple[Json, Callable[[dict[str, str]], dict[str, str]]]] = {
    "held": ({"depth": "business_unit"}, lambda held: {**held, READ: "Global" if held.get(READ) == "Global" else "Local"}),
    "lowered": ({"depth": "local", "allow_lower": True}, lambda held: {**held, READ: "Local"}),
    "exact": ({"depth": "business_unit", "exact": True}, lambda held: {READ: "Global" if held.get(READ) == "Global" else "Local"}),
    "exact and lowered": ({"depth": "business_unit", "exact": True, "allow_lower": True}, lambda _held: {READ: "Local"}),
    "absent": ({"state": "absent"}, lambda held: {name: depth for name, depth in held.items() if name != READ}),
    "inherited": (
        {"depth": "business_unit", "member_privilege_inheritance": "team_only"},
        lambda held: {**held, READ: "Global" if held.get(READ) == "Global" else "Local"},
    ),
}


# Only a removal has two forms
FORMS = [(wanted, by_id) for wanted in PRIVILEGES_WANTED for by_id in ("no", "also", "only") if wanted == "absent" or by_id == "no"]


@pytest.mark.parametrize(("wanted", "by_id"), FORMS)
@pytest.mark.parametrize("start", PRIVILEGE_STARTS)
def test_privileges(bench: Bench, start: str, wanted: str, by_id: str) -> None:
    bench.begin(behaviour={"remove_privilege_by_id": {"no": False, "also": True, "only": "only"}[by_id]})
    role_id = make_role(bench, STRANGE)
    if PRIVILEGE_STARTS[start]:
        listed = [{"name": name, "depth": depth.lower()} for name, depth in PRIVILEGE_STARTS[start].items()]
        assert not bench.run("crm_role_privilege", role=role_id, privileges=listed)["failed"]
    before = held_privileges(bench, role_id)
    assert before == PRIVILEGE_STARTS[start]
    options, expected = PRIVILEGES_WANTED[wanted]
    args = {name: value for name, value in options.items() if name != "depth"}
    item = {"table": "asyncoperation", "access": ["read"], **({"depth": options["depth"]} if "depth" in options else {})}
    ended = bench.converge("crm_role_privilege", role=STRANGE, privileges=[item], **args)
    assert not ended["failed"], ended["msg"]
    assert held_privileges(bench, role_id) == expected(before)
    assert bench.row("roles", roleid=role_id)["isinherited"] == (0 if wanted == "inherited" else 1)


def test_what_every_role_holds_stays(bench: Bench) -> None:
    role_id = make_role(bench, "Anything")
    ended = bench.converge("crm_role_privilege", role=role_id, privileges=[{"name": "prvReadSharePointData"}], state="absent")
    assert "belongs to every role" in ended["warnings"][0]
    assert not bench.converge("crm_role_privilege", role=role_id, privileges=[], exact=True)["changed"]


def test_a_refused_inheritance_is_told(bench: Bench) -> None:
    bench.begin(behaviour={"inheritance_fixed": True})
    make_role(bench, "Anything")
    ended = bench.run("crm_role_privilege", role="Anything", privileges=[], member_privilege_inheritance="team_only")
    assert "role editor" in ended["error"]["next_step"]


def test_a_locked_role_and_its_companion(bench: Bench) -> None:
    listed = [{"name": READ, "depth": "organization"}, {"name": OWN_SETTINGS, "depth": "user"}]
    refused = bench.converge("crm_role_privilege", role="Basic User", privileges=listed)
    assert "companion" in refused["error"]["next_step"]
    ended = bench.converge("crm_role_privilege", role="Basic User", privileges=listed, locked_role="companion")
    companion = ended["companion_role"]
    assert companion["name"] == "Basic User (additional privileges)"
    assert held_privileges(bench, companion["id"]) == {READ: "Global"}, "Basic User holds the other one itself"
    more = [{"name": READ, "depth": "organization"}, {"name": WRITE, "depth": "organization"}]
    bench.converge("crm_role_privilege", role="Basic User", privileges=more, locked_role="companion")
    assert held_privileges(bench, companion["id"]) == {READ: "Global", WRITE: "Global"}
    person = alex(bench)
    bench.converge("crm_role_assignment", users=[person["domainname"]], roles=["Basic User", companion["name"]])
    assert held_names(bench, person) == ["Basic User", companion["name"]]
    # Basic User itself holds the right to write at a lesser depth, which cannot be taken away
    assert "locked" in bench.converge("crm_role_privilege", role="Basic User", privileges=[{"name": WRITE}], state="absent", locked_role="companion")["msg"]


# --- crm_role_info ---


def test_what_roles_there_are(bench: Bench) -> None:
    role_id = make_role(bench, STRANGE)
    bench.run("crm_role_privilege", role=role_id, privileges=[{"name": READ, "depth": "business_unit"}])
    person = alex(bench)
    bench.store("systemusers", person["systemuserid"], _businessunitid_value=unit(bench, "Sales EMEA")["businessunitid"])
    person = alex(bench)
    give(bench, person, STRANGE)
    give(bench, bench.row("teams", name=bench.about["name"]), STRANGE)
    ended = bench.converge("crm_role_info", roles=[STRANGE, "system *", "No Such Role"], privileges=True, holders=True)
    assert [role["name"] for role in ended["roles"]] == [STRANGE, "System Administrator", "System Customizer"]
    assert ended["missing"] == ["No Such Role"]
    strange = ended["roles"][0]
    assert (strange["id"], strange["managed"], strange["customizable"], strange["is_root"]) == (role_id, False, True, True)
    assert {item["name"]: item["depth"] for item in strange["privileges"] if item["name"] not in BASELINE} == {READ: "business_unit"}
    assert [user["user_principal_name"] for user in strange["users"]] == [person["domainname"]]
    assert [team["name"] for team in strange["teams"]] == [bench.about["name"]]
    copy = bench.run("crm_role_info", roles=[role_id], business_unit="Sales EMEA", holders=True)["roles"]
    assert [(role["root_id"], role["is_root"], role["business_unit"], len(role["users"]), len(role["teams"])) for role in copy if not role["is_root"]] == [
        (role_id, False, "Sales EMEA", 1, 0)
    ]
    everything = bench.run("crm_role_info")["roles"]
    assert len(everything) == len([row for row in bench.rows("roles") if row["_parentroleid_value"] is None])
    assert "privileges" not in everything[0]


# --- runs at the same time, and a service that has a bad day ---


def test_four_runs_at_once_make_one_of_each(bench: Bench) -> None:
    bench.begin(behaviour={"second_assignment": "duplicate"})
    application_id = bench.about["public_client_id"]
    listed = [{"name": READ, "depth": "organization"}]
    steps: list[tuple[str, Json]] = [
        ("crm_user", {"application_id": application_id}),
        ("crm_role_privilege", {"role": "Basic User", "privileges": listed, "locked_role": "companion", "companion_role": STRANGE}),
        ("crm_role_assignment", {"users": [application_id], "roles": ["Delegate", STRANGE]}),
    ]
    for module, args in steps:
        with ThreadPoolExecutor(4) as pool:
            ended = list(pool.map(lambda _number, module=module, args=args: bench.run(module, **args), range(4)))
        assert not any(result["failed"] for result in ended), [result.get("msg") for result in ended]
    user = bench.row("systemusers", applicationid=application_id)
    assert held_names(bench, user) == ["Delegate", STRANGE]
    assert len([row for row in bench.rows("systemusers") if row["applicationid"] == application_id]) == 1
    assert len([row for row in bench.rows("roles") if row["name"] == STRANGE and row["_parentroleid_value"] is None]) == 1


@pytest.mark.parametrize("kind", ["throttle", "unavailable"])
def test_a_busy_organisation_is_waited_for(bench: Bench, kind: str) -> None:
    bench.emulator.control("POST", "faults", [{"kind": kind, "service": "dataverse", "count": 2}])
    ended = bench.run("crm_role_assignment", users=[alex(bench)["domainname"]], roles=["Delegate"])
    bench.emulator.control("DELETE", "faults")
    assert not ended["failed"], ended["msg"]
    assert held_names(bench, alex(bench)) == ["Delegate"]
