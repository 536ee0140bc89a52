# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""o365_user through ``ansible-playbook``: every starting state times every wanted state, one tenant each.

One run with ``--check --diff``, one that is real, one more for all that changed. What is right is worked out by a model of a few
lines, and looked up past the services; what was sent is counted against a table.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.demo import playbook
from tests.emulator.launcher import RunningEmulator

from .directory import NO_FLOW, NOTHING_OFF, NOWHERE, PASSWORD, Directory, State
from .fleet import Json, normal

BOTH = {"CRMPLAN2": NOTHING_OFF, "DYN365_ENTERPRISE_PLAN1": NOTHING_OFF}
STARTS = {
    "nowhere": NOWHERE,
    "plain": State(department="Sales"),
    "disabled": State(enabled=False),
    "licensed": State(direct={"CRMPLAN2": NOTHING_OFF}),
    "licensed, a plan off": State(direct={"CRMPLAN2": NO_FLOW}),
    "licensed with another product": State(direct={"DYN365_ENTERPRISE_PLAN1": NOTHING_OFF}),
    "licensed through a group": State(group={"CRMPLAN2": NOTHING_OFF}),
    "licensed both ways": State(direct={"CRMPLAN2": NO_FLOW, "DYN365_ENTERPRISE_PLAN1": NOTHING_OFF}, group={"CRMPLAN2": NO_FLOW}),
    "administrator": State(roles=frozenset({"assigned", "eligible"})),
    "administrator through a group": State(roles=frozenset({"assigned", "group"})),
    "deleted": State("deleted", department="Sales"),
    "deleted, disabled, licensed": State("deleted", enabled=False, direct=BOTH),
    "deleted, licensed through a group": State("deleted", direct={"CRMPLAN2": NO_FLOW}, group={"DYN365_ENTERPRISE_PLAN1": NOTHING_OFF}),
    "deleted administrator": State("deleted", direct=BOTH, roles=frozenset({"assigned", "eligible"})),
}
WANTS: dict[str, Json] = {
    "present": {},
    "attributes": {"department": "Service", "admin_roles": "ignore"},
    "attribute cleared": {"department": "", "admin_roles": "ignore"},
    "licensed": {"licenses": ["CRMPLAN2"]},
    "licensed, exactly": {"licenses": ["CRMPLAN2"], "license_mode": "exact", "admin_roles": "ignore"},
    "no product": {"licenses": [], "license_mode": "exact"},
    "a plan off": {"licenses": ["CRMPLAN2"], "disabled_plans": {"CRMPLAN2": ["FLOW_DYN_APPS"]}},
    "all plans on": {"licenses": ["CRMPLAN2"], "disabled_plans": {"CRMPLAN2": []}},
    "no roles": {"admin_roles": "remove"},
    "restored": {"deleted_user": "restore"},
    "restored, exactly": {"deleted_user": "restore", "licenses": ["crmplan2"], "license_mode": "exact", "admin_roles": "remove"},
    "a made-up password": {"password_file": "passwords/{host}"},
    "disabled": {"state": "disabled"},
    "absent": {"state": "absent"},
    "purged": {"state": "absent", "purge": True},
}


@dataclass(frozen=True)
class End:
    """What is right."""

    state: State
    error: str = ""
    """A part of what the failure says."""


def after(start: State, wanted: Json) -> End:
    """The right end."""
    if wanted.get("state") == "absent":
        return End(NOWHERE if wanted.get("purge") or start.where == "nowhere" else replace(start, where="deleted"))
    if wanted.get("state") == "disabled":
        return End(replace(start, enabled=False) if start.where == "live" else start)
    if start.where == "deleted" and wanted.get("deleted_user", "fail") == "fail":
        return End(start, "deleted_user=restore")
    # A deleted user's roles are known only when it is back
    found = replace(start, where="live")
    roles, treatment = start.roles, wanted.get("admin_roles", "forbid")
    if treatment == "remove":
        if "group" in roles:
            return End(found, "through the group Operators")
        roles = frozenset()
    if roles and treatment == "forbid":
        return End(found, "User Administrator")
    direct = licenses_after(start, wanted)
    if isinstance(direct, str):
        return End(start, direct)
    department = wanted["department"] or None if "department" in wanted else start.department
    return End(replace(found, enabled=True, department=department, direct=direct, roles=roles))


def licenses_after(start: State, wanted: Json) -> dict[str, frozenset[str]] | str:
    """The products that are held directly in the end."""
    direct = dict(start.direct)
    named = [part_number.upper() for part_number in wanted.get("licenses", ())]
    for part_number in named:
        if part_number not in direct and part_number not in start.group:
            direct[part_number] = NOTHING_OFF
    if wanted.get("license_mode") == "exact":
        direct = {part_number: plans for part_number, plans in direct.items() if part_number in named}
    for part_number, names in wanted.get("disabled_plans", {}).items():
        off = NO_FLOW if names else NOTHING_OFF
        ways = [way[part_number] for way in (direct, start.group) if part_number in way]
        if part_number in start.group and off - start.group[part_number]:
            return "through a group"
        if not ways or frozenset.intersection(*ways) != off:
            direct[part_number] = off
    return direct


@dataclass(frozen=True)
class Cell:
    """One starting state and one wanted state, with a tenant of their own."""

    host: str
    start: str
    want: str

    @property
    def right(self) -> End:
        return after(STARTS[self.start], WANTS[self.want])

    def __str__(self) -> str:
        return f"{self.start} -> {self.want}"


def differs(start: str, want: str) -> bool:
    """Whether a cell can tell something: what a deleted user had matters only where it comes back or goes for good."""
    return STARTS[start].where != "deleted" or start == "deleted" or "deleted_user" in WANTS[want] or "purge" in WANTS[want]


CELLS = [Cell(f"from{row}to{column}", start, want) for row, start in enumerate(STARTS) for column, want in enumerate(WANTS) if differs(start, want)]
OPTIONS = ("auth", "user_principal_name", *sorted({name for wanted in WANTS.values() for name in wanted} | {"password"}))
PLAY = [
    {
        "hosts": "all",
        "gather_facts": False,
        "connection": "local",
        "tasks": [
            {
                "name": "Have the user as wanted",
                "leadops.dynamics365.o365_user": {name: f"{{{{ wanted.{name} | default(omit) }}}}" for name in OPTIONS},
                "register": "result",
                "ignore_errors": True,
            },
            {
                "name": "Keep the results",
                "leadops.dynamics365.controller_file": {
                    "path": "{{ results }}",
                    "content": "{{ dict(ansible_play_hosts_all | zip(ansible_play_hosts_all | map('extract', hostvars, 'result'))) | to_json }}",
                },
                "run_once": True,
                "check_mode": False,
                "diff": False,
            },
        ],
    }
]


class Matrix:
    """All cells in one emulator, and what became of them."""

    def __init__(self, emulator: RunningEmulator, directory: Path) -> None:
        self.emulator = emulator
        self.directory = directory
        self.directories = {cell.host: Directory(emulator, cell.host) for cell in CELLS}
        self.wanted: dict[str, Json] = {}
        for cell in CELLS:
            upn = self.directories[cell.host].arrange(1, STARTS[cell.start])
            wanted = {"user_principal_name": upn, "auth": self._auth(cell), **WANTS[cell.want]}
            if "password_file" in wanted:
                wanted["password_file"] = str(directory / wanted["password_file"].format(host=cell.host))
            else:
                wanted["password"] = PASSWORD
            self.wanted[cell.host] = wanted
        defaults = {"endpoints": {"authority": emulator.authority, "graph": emulator.graph}, "ca_path": emulator.ca}
        play = {**PLAY[0], "module_defaults": {"leadops.dynamics365.o365_user": defaults}, "vars": {"ansible_python_interpreter": sys.executable}}
        (directory / "play.yml").write_text(json.dumps([play]), encoding="utf-8")
        hosts = {host: {"wanted": wanted} for host, wanted in self.wanted.items()}
        (directory / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")

    def _auth(self, cell: Cell) -> Json:
        about = self.directories[cell.host].about
        if not STARTS[cell.start].roles:
            return {name: about[name] for name in ("tenant_id", "client_id", "client_secret")}
        # Administrators, and roles, can be changed by administrators only
        person = {"username": about["admin_username"], "password": about["admin_password"]}
        return {"method": "username_password", "tenant_id": about["tenant_id"], "client_id": about["public_client_id"], **person}

    def run(self, name: str, *arguments: str) -> tuple[dict[str, Json], dict[str, list[Json]], str]:
        """The results and the requests to Graph by host, and what was printed."""
        since = max((record["seq"] for record in self.emulator.request_log()), default=0)
        results = self.directory / f"{name}.json"
        run = playbook.run(self.directory, "-i", "hosts.json", "--forks", "8", "-e", f"results={results}", *arguments, playbook="play.yml")
        assert run.returncode == 0, run.stdout[-3000:]
        assert "Traceback" not in run.stdout
        log: dict[str, list[Json]] = defaultdict(list)
        for record in self.emulator.request_log(since=since, service="graph"):
            log[record["tenant"]].append(record)
        return json.loads(results.read_text(encoding="utf-8")), log, run.stdout

    def state(self, cell: Cell) -> State:
        """What is there now."""
        return self.directories[cell.host].state(self.wanted[cell.host]["user_principal_name"])


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    tenants: list[Json] = [
        {"name": name, "seats": {"CRMPLAN2": 1000, "DYN365_ENTERPRISE_PLAN1": 1000}, "timing": {"license_propagation": 0.0}, "features": {"pim": True}}
        for name in ("shared", *(cell.host for cell in CELLS))
    ]
    path = tmp_path_factory.mktemp("matrix") / "tenants.json"
    path.write_text(json.dumps({"tenants": tenants}), encoding="utf-8")
    with RunningEmulator("--tenants", str(path)) as running:
        yield running
        errors = running.errors()
    assert "defect at" not in errors, errors


def test_every_wanted_state_is_reached_once_and_as_predicted(emulator: RunningEmulator, tmp_path: Path):
    matrix = Matrix(emulator, tmp_path)
    predicted, reads, shown = matrix.run("predicted", "--check", "--diff")
    assert not [record for log in reads.values() for record in log if record["method"] != "GET"], "check mode wrote"
    assert not (tmp_path / "passwords").exists(), "check mode made a password"
    real, log, told = matrix.run("real", "--diff")
    for text in (shown, told):
        assert PASSWORD not in text
        assert not any(path.read_text(encoding="utf-8").strip() in text for path in (tmp_path / "passwords").iterdir())
    requests = {}
    for cell in CELLS:
        check_cell(cell, matrix, predicted[cell.host], real[cell.host], log[cell.host])
        requests[cell.start, cell.want] = "{}+{}".format(*count(log[cell.host]))
    changed = [cell for cell in CELLS if real[cell.host]["changed"] and not cell.right.error]
    (tmp_path / "changed").write_text("\n".join(cell.host for cell in changed), encoding="utf-8")
    again, log, _shown = matrix.run("again", "--limit", "@changed")
    for cell in changed:
        ended = again[cell.host]
        assert (ended["failed"], ended["changed"], ended["writes"]) == (False, False, []), f"{cell}: {ended}"
        assert count(log[cell.host])[1] == 0, cell
    assert table(requests) == REQUESTS.strip("\n"), table(requests)


def check_cell(cell: Cell, matrix: Matrix, predicted: Json, real: Json, log: list[Json]) -> None:
    begun, right = STARTS[cell.start], cell.right
    sent = [normal(record) for record in log if record["method"] != "GET"]
    assert matrix.state(cell) == right.state, cell
    assert (matrix.directory / "passwords" / cell.host).exists() is bool(real.get("password_generated")), cell
    assert bool(real.get("password_generated")) is (cell.want == "a made-up password" and begun.where == "nowhere"), cell
    if right.error:
        assert real["failed"], cell
        assert right.error in real["msg"], cell
        assert len(sent) == (right.state != begun), cell
        if right.state == begun:
            assert predicted["msg"] == real["msg"], cell
        return
    assert not real["failed"], f"{cell}: {real}"
    assert real["changed"] is (right.state != begun), cell
    assert [normal(write) for write in real["writes"]] == sent, cell
    assert predicted["changed"] is real["changed"], cell
    check_diff(cell, real)
    restored = right.state.where == "live" and begun.where == "deleted"
    if restored and begun.roles:
        # All but the roles, and it says so
        assert "admin roles come back" in predicted["warnings"][-1], cell
        sent = [write for write in sent if not write[2].startswith("roleManagement/")]
        for part in ("before", "after"):
            real["diff"][part].pop("admin_roles", None)
    assert [normal(write) for write in predicted["writes"]] == sent, cell
    assert predicted.get("diff") == real.get("diff"), cell
    unknown = {"id"} if predicted["planned"] else set()
    if restored:
        # The roles of a deleted user cannot be read
        assert predicted["user"]["admin_roles"] is None, cell
        unknown.add("admin_roles")
    users = [user and {name: value for name, value in user.items() if name not in unknown} for user in (predicted["user"], real["user"])]
    assert users[0] == users[1], cell


GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def check_diff(cell: Cell, real: Json) -> None:
    """Options and products by their names, and only what differs."""
    assert ("diff" in real) is real["changed"], cell
    if not real["changed"]:
        return
    before, now = real["diff"]["before"], real["diff"]["after"]
    names = {"state", "restorable", "id", "user_principal_name", "display_name", "mail_nickname", "password_never_expires"}
    assert {*before, *now} <= names | {"account_enabled", "usage_location", "password", "department", "licenses", "disabled_plans", "admin_roles"}, cell
    assert not [name for name in before if name in now and before[name] == now[name]], cell
    assert not GUID.search(json.dumps([{**before, "id": "", "restorable": ""}, now])), cell


def count(log: list[Json]) -> tuple[int, int]:
    """Reads and writes."""
    writes = sum(record["method"] != "GET" for record in log)
    return len(log) - writes, writes


def table(requests: dict[tuple[str, str], str]) -> str:
    """One line for each starting state, one column for each wanted state: reads+writes."""
    return "\n".join(" ".join(requests.get((start, want), "---") for want in WANTS) + f"  {start}" for start in STARTS)


REQUESTS = """
4+1 4+1 4+1 5+2 5+2 4+1 5+2 5+2 4+1 4+1 5+2 4+1 1+0 1+0 2+0  nowhere
4+0 2+1 2+1 6+1 3+1 4+0 6+1 6+1 4+0 4+0 6+1 4+0 2+1 2+1 4+2  plain
5+1 2+1 2+1 6+2 3+2 5+1 6+2 6+2 5+1 5+1 6+2 5+1 1+0 2+1 4+2  disabled
4+0 2+1 1+0 5+0 2+0 6+1 6+1 5+0 4+0 4+0 5+0 4+0 2+1 2+1 4+2  licensed
4+0 2+1 1+0 5+0 2+0 6+1 5+0 6+1 4+0 4+0 5+0 4+0 2+1 2+1 4+2  licensed, a plan off
4+0 2+1 1+0 6+1 3+1 6+1 6+1 6+1 4+0 4+0 6+1 4+0 2+1 2+1 4+2  licensed with another product
4+0 2+1 1+0 5+0 2+0 4+0 5+0 5+0 4+0 4+0 5+0 4+0 2+1 2+1 4+2  licensed through a group
4+0 2+1 1+0 5+0 3+1 6+1 5+0 6+1 4+0 4+0 6+1 4+0 2+1 2+1 4+2  licensed both ways
5+0 2+1 1+0 5+0 3+1 5+0 5+0 5+0 9+2 5+0 10+3 5+0 2+1 2+1 4+2  administrator
6+0 2+1 1+0 6+0 3+1 6+0 6+0 6+0 6+0 6+0 6+0 6+0 2+1 2+1 4+2  administrator through a group
2+0 2+0 2+0 2+0 2+0 2+0 2+0 2+0 2+0 6+1 8+2 2+0 1+0 1+0 3+1  deleted
--- --- --- --- --- --- --- --- --- 7+2 8+3 --- --- --- 3+1  deleted, disabled, licensed
--- --- --- --- --- --- --- --- --- 6+1 7+1 --- --- --- 3+1  deleted, licensed through a group
--- --- --- --- --- --- --- --- --- 7+1 12+4 --- --- --- 3+1  deleted administrator
"""
"""One to find the user, three to prove that it has no roles, one for the products, one to read back: there is not much to save."""


def consumed(emulator: RunningEmulator, tenant: str) -> int:
    return next(int(sku["consumedUnits"]) for sku in emulator.documents(tenant, "subscribedSkus") if sku["skuPartNumber"] == "CRMPLAN2")


def test_two_playbooks_at_once_make_one_user_with_one_licence(emulator: RunningEmulator, tmp_path: Path):
    """Two controllers, two hosts each, all for the same account; each controller has its own password file."""
    about = emulator.tenant("shared")
    emulator.control("PATCH", "tenants/shared", {"timing": {"read_lag": 0.4, "latency": 0.05}})
    seats = consumed(emulator, "shared")
    task: dict[str, Any] = {
        "auth": {key: about[key] for key in ("tenant_id", "client_id", "client_secret")},
        "endpoints": {"authority": emulator.authority, "graph": emulator.graph},
        "ca_path": emulator.ca,
        "user_principal_name": f"shared@{about['domain']}",
        "password_file": "{{ playbook_dir }}/password",
        "licenses": ["CRMPLAN2"],
        "disabled_plans": {"CRMPLAN2": ["FLOW_DYN_APPS"]},
        "department": "Sales",
    }
    play = {"hosts": "all", "gather_facts": False, "connection": "local", "tasks": [{"name": "Have the user", "leadops.dynamics365.o365_user": task}]}
    text = json.dumps([{**play, "vars": {"ansible_python_interpreter": sys.executable}}])
    controllers = [tmp_path / "one", tmp_path / "two"]
    for controller in controllers:
        controller.mkdir()
        (controller / "play.yml").write_text(text, encoding="utf-8")

    def both() -> list[str]:
        command = playbook.command("-i", "one,two,", "--forks", "2", playbook="play.yml")
        running = [
            subprocess.Popen(
                command,
                cwd=path,
                env=playbook.environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                text=True,
            )
            for path in controllers
        ]
        printed = [process.communicate(timeout=120)[0] for process in running]
        assert [process.returncode for process in running] == [0, 0], printed
        return printed

    both()
    (user,) = [user for user in emulator.documents("shared", "users") if user["userPrincipalName"].startswith("shared@")]
    assert [entry["disabledPlans"] for entry in user["assignedLicenses"]] == [sorted(NO_FLOW)]
    assert consumed(emulator, "shared") == seats + 1
    written = [record for record in emulator.request_log(tenant="shared", service="graph", writes=1) if record["effect"]]
    assert [record["path"].rsplit("/", 1)[-1] for record in written] == ["users", "assignLicense"]
    kept = [path.read_text(encoding="utf-8").strip() for path in (controller / "password" for controller in controllers) if path.exists()]
    assert user["_password"] in kept, "the password is lost"
    last = max(record["seq"] for record in emulator.request_log(tenant="shared"))
    assert [text.count("changed=0") for text in both()] == [2, 2]
    assert not emulator.request_log(tenant="shared", service="graph", writes=1, since=last)
