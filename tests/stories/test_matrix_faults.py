# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every write of ``crm_user``, ``crm_role_assignment`` and ``crm_role_privilege``, hit by every fault that a service knows, in real playbooks.

Whatever hits it: no error, the right end state, nothing there twice, and a second run finds nothing to do. The same where two playbooks
run at the same time on the same tenants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

import pytest

from .fleet import Json, normal
from .matrix import Bench
from .organization_rows import STRANGE, alex, application, give, held_names, held_privileges, role, set_privileges, team, upn
from .playbook_matrix import QUICK, Cell, Matrix, Seen
from .test_matrix_crm_role_privilege import COMPANION, LOCKED, OWN_SETTINGS, READ, WRITE
from .test_matrix_crm_user import PEOPLE

FAULTS: dict[str, Json] = {
    "429-wait": {"kind": "throttle", "retry_after": 1},
    "429": {"kind": "throttle", "retry_after": "none"},
    "503-wait": {"kind": "unavailable", "retry_after": 1},
    "503": {"kind": "unavailable", "retry_after": "none"},
    "504-done": {"kind": "gateway-after"},
    "dropped": {"kind": "drop-before"},
    "dropped-done": {"kind": "drop-after"},
    "collision": {"kind": "concurrency"},
}
LAG = "lag"
"""No fault, but all writes show in reads only after a while."""
LAG_SECONDS = 1.0
Check = Callable[[Bench], None]


@dataclass(frozen=True)
class Hit:
    """A starting state, a task, and the write of that task that is hit."""

    module: str
    arrange: Callable[[Bench], Json]
    where: Json
    """``method`` and ``path`` of the write, and ``nth``, as the emulator's faults take them."""
    check: Check
    """The end state."""
    tenant: Json | None = None

    @property
    def service(self) -> str:
        return str(self.where.get("service", "dataverse"))


def _person(start: str, **options: object) -> Callable[[Bench], Json]:
    def arrange(bench: Bench) -> Json:
        PEOPLE[start](bench)
        return {"user": upn(bench), "sync_role": "Environment Maker", "wait_timeout": 30, **options}

    return arrange


def _app(*, start: Json | None = None, **options: object) -> Callable[[Bench], Json]:
    def arrange(bench: Bench) -> Json:
        if start is not None:
            application(bench, **start)
        return {"application_id": bench.about["public_client_id"], **options}

    return arrange


def _alex_is(*, roles: tuple[str, ...] = (), **columns: object) -> Check:
    def check(bench: Bench) -> None:
        person = bench.row("users", userPrincipalName=upn(bench))["id"]
        (row,) = [row for row in bench.rows("systemusers") if row["azureactivedirectoryobjectid"] == person]
        assert {name: row[name] for name in columns} == columns
        assert held_names(bench, row) == sorted(roles)

    return check


def _apps_are(number: int) -> Check:
    def check(bench: Bench) -> None:
        rows = [row for row in bench.rows("systemusers") if row["applicationid"] == bench.about["public_client_id"]]
        assert [(row["isdisabled"], row["deletedstate"]) for row in rows] == [(False, 0)] * number

    return check


def _assignment(held: tuple[str, ...], *, of_team: bool = False, **options: object) -> Callable[[Bench], Json]:
    def arrange(bench: Bench) -> Json:
        role(bench, STRANGE)
        holder = team(bench, STRANGE) if of_team else alex(bench)
        for name in held:
            give(bench, holder, name)
        return {**({"teams": [STRANGE]} if of_team else {"users": [upn(bench)]}), **options}

    return arrange


def _holds(*names: str, of_team: bool = False) -> Check:
    def check(bench: Bench) -> None:
        assert held_names(bench, bench.row("teams", name=STRANGE) if of_team else alex(bench)) == sorted(names)

    return check


def _privilege(held: dict[str, str], *items: Json, **options: object) -> Callable[[Bench], Json]:
    def arrange(bench: Bench) -> Json:
        set_privileges(bench, role(bench, STRANGE), held)
        return {"role": STRANGE, "privileges": list(items), **options}

    return arrange


def _role_is(depths: dict[str, str], name: str = STRANGE, inherited: int = 1) -> Check:
    def check(bench: Bench) -> None:
        (row,) = [row for row in bench.rows("roles") if row["name"] == name and row["_parentroleid_value"] is None]
        assert held_privileges(bench, row["roleid"]) == depths
        assert row["isinherited"] == inherited

    return check


def _companion(_bench: Bench) -> Json:
    return {"role": LOCKED, "privileges": [{"name": READ, "depth": "organization"}], "locked_role": "companion"}


CLOSED: Json = {"features": {"power_platform_admin": False}}
BOTH = (STRANGE, "Delegate")
POST, PATCH, DELETE = ({"method": method} for method in ("POST", "PATCH", "DELETE"))
READ_GLOBALLY = {"name": READ, "depth": "organization"}
HITS: dict[str, Hit] = {
    "bring-in": Hit("crm_user", _person("missing"), {**POST, "service": "power_platform", "path": "addUser"}, _alex_is(isdisabled=False)),
    "bring-in-by-role": Hit("crm_user", _person("missing"), {**POST, "path": r"\$ref"}, _alex_is(roles=("Environment Maker",)), CLOSED),
    "enable": Hit("crm_user", _person("disabled"), {**PATCH, "path": "systemusers"}, _alex_is(isdisabled=False), CLOSED),
    "change": Hit("crm_user", _person("there", access_mode="non_interactive"), {**PATCH, "path": "systemusers"}, _alex_is(accessmode=4)),
    "application": Hit("crm_user", _app(), {**POST, "path": "systemusers"}, _apps_are(1)),
    "application-purge": Hit("crm_user", _app(start={"isdisabled": True, "deletedstate": 1}), {**DELETE, "path": "systemusers"}, _apps_are(1)),
    "application-disable": Hit("crm_user", _app(start={}, state="absent"), {**PATCH, "path": "systemusers"}, _apps_are(0)),
    "application-delete": Hit("crm_user", _app(start={}, state="absent"), {**DELETE, "path": "systemusers", "nth": 1}, _apps_are(0)),
    "application-gone": Hit("crm_user", _app(start={}, state="absent"), {**DELETE, "path": "systemusers", "nth": 2}, _apps_are(0)),
    "assign": Hit("crm_role_assignment", _assignment((), roles=BOTH), {**POST, "path": r"\$ref", "nth": 2}, _holds(*BOTH)),
    "take": Hit("crm_role_assignment", _assignment(BOTH, roles=BOTH, state="absent"), {**DELETE, "path": r"\$ref", "nth": 1}, _holds()),
    "assign-team": Hit("crm_role_assignment", _assignment((), of_team=True, roles=BOTH), {**POST, "path": "teams", "nth": 1}, _holds(*BOTH, of_team=True)),
    "take-team": Hit("crm_role_assignment", _assignment(BOTH, of_team=True, roles=[], exact=True), {**DELETE, "path": "teams", "nth": 2}, _holds(of_team=True)),
    "give": Hit("crm_role_privilege", _privilege({READ: "Basic"}, READ_GLOBALLY), {**POST, "path": "AddPrivilegesRole"}, _role_is({READ: "Global"})),
    "replace": Hit(
        "crm_role_privilege", _privilege({WRITE: "Basic"}, READ_GLOBALLY, exact=True), {**POST, "path": "ReplacePrivilegesRole"}, _role_is({READ: "Global"})
    ),
    "remove": Hit(
        "crm_role_privilege",
        _privilege({READ: "Basic", WRITE: "Local", OWN_SETTINGS: "Basic"}, {"name": READ}, {"name": WRITE}, state="absent"),
        {**POST, "path": "RemovePrivilegeRole", "nth": 2},
        _role_is({OWN_SETTINGS: "Basic"}),
    ),
    "inherit": Hit(
        "crm_role_privilege",
        _privilege({}, READ_GLOBALLY, member_privilege_inheritance="team_only"),
        {**PATCH, "path": "roles"},
        _role_is({READ: "Global"}, inherited=0),
    ),
    "companion": Hit("crm_role_privilege", _companion, {**POST, "path": "roles$"}, _role_is({READ: "Global"}, COMPANION)),
    "companion-give": Hit("crm_role_privilege", _companion, {**POST, "path": "AddPrivilegesRole"}, _role_is({READ: "Global"}, COMPANION)),
}
HARD: Json = {"second_assignment": "duplicate", "remove_unheld": "not_found"}
"""The second of two equal writes is refused."""
KEYS = [(name, fault) for name in HITS for fault in (*FAULTS, LAG)]


def _cell(name: str, fault: str) -> Cell:
    hit = HITS[name]

    def arrange(bench: Bench) -> Json:
        options = hit.arrange(bench)
        if fault == LAG:
            bench.emulator.control("PATCH", f"tenants/{bench.tenant}", {"behaviour": {"read_lag": LAG_SECONDS}})
        else:
            # Last, so that it does not hit what has made the starting state
            rule = {"service": hit.service, "count": 1, **hit.where, **FAULTS[fault]}
            bench.emulator.control("PATCH", f"tenants/{bench.tenant}", {"faults": [rule]})
        return options

    return Cell(f"{name}-{fault}", hit.module, arrange, {"behaviour": HARD, **(hit.tenant or {})})


CELLS = {key: _cell(*key) for key in KEYS}


@dataclass(frozen=True)
class Faulty:
    """All cells after two runs."""

    matrix: Matrix
    first: dict[str, Seen]
    second: dict[str, Seen]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    with Matrix([*CELLS.values()], tmp_path_factory.mktemp("faults"), forks=30) as matrix:
        start = matrix.last_request()
        (first,) = matrix.run()
        between = matrix.last_request()
        (second,) = matrix.run()
        yield Faulty(matrix, matrix.seen(first, start, between), matrix.seen(second, between))


@pytest.mark.parametrize(("name", "fault"), KEYS)
def test_a_fault_does_not_show(ended: Faulty, name: str, fault: str):
    cell = CELLS[name, fault].name
    first, second = ended.first[cell], ended.second[cell]
    assert not first.result["failed"], first.result["msg"]
    hits = [record for record in first.requests if record["fault"]]
    assert len(hits) == (fault != LAG), "the fault has to hit once"
    if fault.endswith("-done"):
        # What does no harm twice, such as setting columns, is sent a second time when the answer was lost
        assert [write for write, _unused in groupby(first.writes)] == [write for write, _unused in groupby(first.told)]
    else:
        assert first.writes == first.told
    HITS[name].check(ended.matrix.benches[cell])
    assert not second.result["failed"], second.result["msg"]
    assert (second.result["changed"], second.writes) == (False, [])
    if fault in ("429", "429-wait", "503", "503-wait", "collision", "dropped"):
        # What has not been done is sent again once, and nothing is asked meanwhile
        told = [normal(write) for write in first.result["writes"]]
        assert len([record for record in first.requests if record["method"] != "GET"]) == len(told) + 1


def _slow_cell(name: str) -> Cell:
    hit = HITS[name]
    # Slow, so that both runs have looked before either writes
    timing = {**QUICK, "latency": 0.3}
    return Cell(name, hit.module, hit.arrange, {"behaviour": HARD, "timing": timing, **(hit.tenant or {})})


@dataclass(frozen=True)
class Together:
    """All cells after two runs at the same time and one more."""

    matrix: Matrix
    runs: list[dict[str, Json]]
    last: dict[str, Seen]


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Together]:
    with Matrix([_slow_cell(name) for name in HITS], tmp_path_factory.mktemp("together"), forks=len(HITS)) as matrix:
        runs = matrix.run(at_once=2)
        since = matrix.last_request()
        yield Together(matrix, runs, matrix.seen(matrix.run()[0], since))


@pytest.mark.parametrize("name", HITS)
def test_two_runs_at_once_make_one_of_each(together: Together, name: str):
    for run in together.runs:
        assert not run[name]["failed"], run[name]["msg"]
    assert any(run[name]["changed"] for run in together.runs)
    HITS[name].check(together.matrix.benches[name])
    last = together.last[name]
    assert (last.result["failed"], last.result["changed"], last.writes) == (False, False, [])


def test_the_runs_were_at_once(together: Together):
    assert any(all(run[name]["changed"] for run in together.runs) for name in HITS)
