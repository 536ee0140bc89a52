# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``crm_role_assignment`` through real ``ansible-playbook``: what a user, application or team holds, times what it is to hold.

Each cell is run with ``--check --diff``, for real, and for real again; see ``Converged.prove`` for what holds for all of them.

``REQUESTS`` tells how many requests each of the three runs sends (sign-in left out), as ``check/real/again``. They cannot be fewer:

* All users with all roles that they hold are one request, all teams another, so a run that finds nothing to do sends one.
* Where a role is lacking, one request finds all copies that are needed. If an id is given that is of a copy elsewhere, whose copies to look
  for shows only then: one more. For teams of directory groups, one request tells which of the lacking roles fit such a team.
* Taking away by name needs no look for the role: what is held says its name.
* An assignment is one request for each holder and role, for the service has no other form. One look in the end shows all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from .fleet import Json
from .matrix import Bench
from .organization_rows import CHILD_UNIT, STRANGE, alex, application, change_alex, copy_of, give, held_names, role, team, unit, upn
from .playbook_matrix import Cell, Converged, Matrix, request_table

MODERN = {"features": {"modern_business_units": True}}
FOREIGN = f"{STRANGE}*"
"""A copy of another business unit."""

HELD: dict[str, list[str]] = {
    "none": [],
    "one": [STRANGE],
    "other": ["Delegate"],
    "both": [STRANGE, "Delegate"],
    "foreign": [FOREIGN],
    "mixed": [STRANGE, FOREIGN, "Delegate"],
    "through-team": [],
}
Expected = Callable[[set[str]], set[str]]
WANTED: dict[str, tuple[Json, Expected]] = {
    "one": ({"roles": [STRANGE]}, lambda held: held | {STRANGE}),
    "two": ({"roles": [STRANGE.upper(), "Environment Maker"]}, lambda held: held | {STRANGE, "Environment Maker"}),
    "by-id": ({"roles": []}, lambda held: held | {STRANGE}),
    "exact": ({"roles": [STRANGE], "exact": True}, lambda _held: {STRANGE}),
    "exact-none": ({"roles": [], "exact": True}, lambda _held: set()),
    "absent": ({"roles": [STRANGE, "No Such Role"], "state": "absent"}, lambda held: held - {STRANGE, FOREIGN}),
}
HOLDERS = {"user": tuple(HELD), "application": ("none", "mixed"), "team": ("none", "mixed"), "group-team": ("none", "mixed")}


def _holder(bench: Bench, kind: str) -> tuple[Json, Json]:
    """The row of who is to hold roles, and the option that names it. Teams are in the child unit, and have a name like the role's."""
    if kind == "user":
        return alex(bench), {"users": [upn(bench)]}
    if kind == "application":
        row = application(bench)
        return row, {"users": [row["applicationid"]]}
    if kind == "team":
        return team(bench, STRANGE), {"teams": [STRANGE]}
    group = bench.rows("groups")[0]["id"]
    return team(bench, STRANGE, teamtype=2, azureactivedirectoryobjectid=group, membershiptype=0), {"teams": [group]}


def _cell(holder: str, start: str, wanted: str, *, in_worker: bool = True) -> Cell:
    def arrange(bench: Bench) -> Json:
        role(bench, STRANGE)
        row, named = _holder(bench, holder)
        elsewhere = unit(bench, "" if row["_businessunitid_value"] == unit(bench, CHILD_UNIT) else CHILD_UNIT)
        for name in HELD[start]:
            give(bench, row, name.rstrip("*"), unit_id=elsewhere if name == FOREIGN else "")
        if start == "through-team":
            members = bench.row("teams", name=bench.about["name"])
            bench.store("teams", members["teamid"], _members=[row["systemuserid"]])
            give(bench, members, STRANGE)
        options = WANTED[wanted][0]
        if wanted == "by-id":
            options = {"roles": [copy_of(bench, STRANGE, elsewhere)["roleid"]]}
        # Who holds the copy of the other unit is the holder of that id already
        return {**named, **options}

    way = "" if in_worker else "ordinary-"
    return Cell(f"{way}{holder}-{start}-{wanted}", "crm_role_assignment", arrange, MODERN, in_worker=in_worker)


KEYS = [(holder, start, wanted) for holder, starts in HOLDERS.items() for start in starts for wanted in WANTED]
CELLS = {key: _cell(*key) for key in KEYS}
ORDINARY = {key: _cell(*key, in_worker=False) for key in [("user", "none", "two"), ("user", "mixed", "exact"), ("team", "mixed", "absent")]}
"""A sample of them, once more the ordinary way."""
REQUESTS = """
                   one         two         by-id       exact       exact-none  absent
user none          2/4/1       2/5/1       3/5/2       2/4/1       1/1/1       1/1/1
user one           1/1/1       2/4/1       2/2/2       1/1/1       1/3/1       1/3/1
user other         2/4/1       2/5/1       3/5/2       2/5/1       1/3/1       1/1/1
user both          1/1/1       2/4/1       2/2/2       1/3/1       1/4/1       1/3/1
user foreign       2/4/1       2/5/1       1/1/1       2/5/1       1/3/1       1/3/1
user mixed         1/1/1       2/4/1       1/1/1       1/4/1       1/5/1       1/4/1
user through-team  2/4/1       2/5/1       3/5/2       2/4/1       1/1/1       1/1/1
application none   2/4/1       2/5/1       3/5/2       2/4/1       1/1/1       1/1/1
application mixed  1/1/1       2/4/1       1/1/1       1/4/1       1/5/1       1/4/1
team none          2/4/1       2/5/1       2/4/1       2/4/1       1/1/1       1/1/1
team mixed         1/1/1       2/4/1       1/1/1       1/4/1       1/5/1       1/4/1
group-team none    3/5/1       3/6/1       3/5/1       3/5/1       1/1/1       1/1/1
group-team mixed   1/1/1       3/5/1       1/1/1       1/4/1       1/5/1       1/4/1
"""


def _named(**options: object) -> Callable[[Bench], Json]:
    return lambda bench: {"users": [upn(bench)], **options}


def _twins(bench: Bench) -> list[str]:
    """Two roles of one name, which the service refuses but imports bring about."""
    first, second = role(bench, STRANGE), role(bench, "Another")
    for row in bench.rows("roles"):
        if row["_parentrootroleid_value"] == second:
            bench.store("roles", row["roleid"], name=STRANGE)
    return [first, second]


def _duplicate(bench: Bench) -> Json:
    _twins(bench)
    return {"users": [upn(bench)], "roles": [STRANGE]}


def _duplicate_by_id(bench: Bench) -> Json:
    return {"users": [upn(bench)], "roles": [_twins(bench)[1]]}


def _disabled(bench: Bench) -> Json:
    change_alex(bench, isdisabled=True)
    return {"users": [upn(bench)], "roles": ["Delegate"]}


def _disabled_holder(bench: Bench) -> Json:
    give(bench, alex(bench), "Delegate")
    return _disabled(bench)


def _beside_stub(bench: Bench) -> Json:
    columns = {"systemuserid": "0f0e0d0c-0b0a-4908-8706-050403020100", "azureactivedirectoryobjectid": None, "isdisabled": True}
    bench.put("systemusers", str(columns["systemuserid"]), {**alex(bench), **columns})
    return {"users": [upn(bench)], "roles": ["Delegate"]}


def _only_elsewhere(bench: Bench) -> Json:
    role(bench, STRANGE, CHILD_UNIT)
    return {"users": [upn(bench)], "roles": [STRANGE]}


def _administrative(bench: Bench) -> Json:
    change_alex(bench, accessmode=1)
    return {"users": [upn(bench)], "roles": ["Delegate"]}


def _twin_teams(bench: Bench) -> Json:
    team(bench, STRANGE)
    team(bench, STRANGE, "")
    return {"teams": [STRANGE], "roles": ["Delegate"]}


def _access_team(bench: Bench) -> Json:
    team(bench, "Special", teamtype=1)
    return {"teams": ["Special"], "roles": ["Delegate"]}


def _team_only(bench: Bench) -> Json:
    role(bench, STRANGE, isinherited=0)
    team(bench, "Special", teamtype=2, azureactivedirectoryobjectid=bench.rows("groups")[0]["id"], membershiptype=0)
    return {"teams": ["Special"], "roles": ["Delegate", STRANGE]}


def _through_team(bench: Bench) -> Json:
    members = bench.row("teams", name=bench.about["name"])
    bench.store("teams", members["teamid"], _members=[alex(bench)["systemuserid"]])
    give(bench, members, "Delegate")
    return {"users": [upn(bench)], "roles": ["Environment Maker"], "show_held_through_teams": True}


def _many(bench: Bench) -> Json:
    users = [upn(bench), bench.about["admin_username"]]
    return {"users": users, "teams": [bench.about["name"]], "roles": ["Environment Maker", "Delegate", "System Customizer"]}


CLASSIC = {"features": {"modern_business_units": False}}
REFUSED: dict[str, tuple[Callable[[Bench], Json], Json, str]] = {
    "duplicate-name": (_duplicate, {}, "2 roles have this name"),
    "disabled": (_disabled, {}, "is disabled in this organisation"),
    "only-elsewhere": (_only_elsewhere, CLASSIC, "has no copy of the role"),
    "twin-teams": (_twin_teams, {}, "2 teams fit teams[0]"),
    "access-team": (_access_team, {}, "access team"),
    "team-only": (_team_only, {}, "team privileges only"),
    "unknown-role": (_named(roles=["Delegate", "Deleghate"]), {}, "Delegate"),
    "unknown-user": (lambda _bench: {"users": ["nobody@example.com"], "roles": ["Delegate"]}, {}, "no such system user"),
}
DONE: dict[str, tuple[Callable[[Bench], Json], Json, list[str]]] = {
    "duplicate-by-id": (_duplicate_by_id, {}, [STRANGE]),
    "disabled-holder": (_disabled_holder, {}, ["Delegate"]),
    "beside-stub": (_beside_stub, {}, ["Delegate"]),
    "only-elsewhere-modern": (_only_elsewhere, MODERN, [FOREIGN]),
    "administrative": (_administrative, {}, ["Delegate"]),
    "through-team": (_through_team, {}, ["Environment Maker"]),
    "many": (_many, {}, ["Delegate", "Environment Maker", "System Customizer"]),
}
"""What alex holds in the end."""
SPECIAL = {name: Cell(name, "crm_role_assignment", arrange, tenant) for name, (arrange, tenant, _unused) in (REFUSED | DONE).items()}


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Converged]]:
    with Matrix([*CELLS.values(), *ORDINARY.values(), *SPECIAL.values()], tmp_path_factory.mktemp("matrix")) as matrix:
        yield matrix.converge()


@pytest.mark.parametrize(("holder", "start", "wanted"), KEYS)
def test_cell(ended: dict[str, Converged], holder: str, start: str, wanted: str):
    one = ended[CELLS[holder, start, wanted].name]
    one.prove()
    assert not one.real.result["failed"], one.real.result["msg"]
    held = held_names(one.bench, _row(one.bench, holder))
    before = set(HELD[start])
    expected = before if (start, wanted) in BY_FOREIGN_ID else WANTED[wanted][1](before)
    assert held == sorted(expected)


BY_FOREIGN_ID = (("foreign", "by-id"), ("mixed", "by-id"))
"""The id is of the very copy that is held, and that is what was asked for."""


def _row(bench: Bench, holder: str) -> Json:
    if holder == "user":
        return alex(bench)
    if holder == "application":
        return bench.row("systemusers", applicationid=bench.about["public_client_id"])
    return bench.row("teams", name=STRANGE)


@pytest.mark.parametrize("key", ORDINARY, ids="-".join)
def test_the_ordinary_way_is_no_other(ended: dict[str, Converged], key: tuple[str, str, str]):
    ordinary, inside = ended[ORDINARY[key].name], ended[CELLS[key].name]
    ordinary.prove()
    assert ordinary.counts == inside.counts
    assert ordinary.real.writes == inside.real.writes
    assert held_names(ordinary.bench, _row(ordinary.bench, key[0])) == held_names(inside.bench, _row(inside.bench, key[0]))


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_before_any_write(ended: dict[str, Converged], name: str):
    one = ended[name]
    one.prove()
    assert one.real.result["failed"]
    assert REFUSED[name][2] in one.real.result["msg"]
    assert one.real.result["error"]["next_step"]


@pytest.mark.parametrize("name", DONE)
def test_special_cases(ended: dict[str, Converged], name: str):
    one = ended[name]
    one.prove()
    assert not one.real.result["failed"], one.real.result["msg"]
    assert held_names(one.bench, alex(one.bench)) == DONE[name][2]


def test_what_is_told_besides(ended: dict[str, Converged]):
    assert "is disabled" in ended["disabled-holder"].real.result["warnings"][0]
    assert "administrative" in ended["administrative"].real.result["warnings"][0]
    through = ended["through-team"]
    assert [(item["role"], item["team"]) for item in through.real.result["held_through_teams"]] == [("Delegate", through.bench.about["name"])]
    many = ended["many"]
    assert held_names(many.bench, many.bench.row("teams", name="many")) == DONE["many"][2]
    # Users, teams, copies; nine assignments; users and teams again
    assert many.counts == (3, 3 + 9 + 2, 2)


def test_requests(ended: dict[str, Converged]):
    shown = request_table(ended, {(f"{holder} {start}", wanted): cell.name for (holder, start, wanted), cell in CELLS.items()})
    assert shown == REQUESTS, shown
