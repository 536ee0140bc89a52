# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""o365_user: every starting state times every wanted state, and a directory that lags, is busy, or has several runs at once.

What is right is worked out by a model of a few lines here, and looked up past the services. The module runs as a whole in
this process; its clock is the emulator's, so that waiting costs nothing. Runs at once go through ``ansible-playbook``.
"""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.leadops.dynamics365.plugins.module_utils._http import Clock
from ansible_collections.leadops.dynamics365.plugins.module_utils._identity import MemoryTokenStore
from ansible_collections.leadops.dynamics365.plugins.module_utils._task import perform
from ansible_collections.leadops.dynamics365.plugins.modules import o365_user
from tests.demo import playbook
from tests.emulator.launcher import RunningEmulator

from .fleet import Json, normal

SKUS = {"CRMPLAN2": "906af65a-2970-46d5-9b58-4e9aa50f0657", "DYN365_ENTERPRISE_PLAN1": "ea126fc5-a19e-42e2-a731-da9d437bffcf"}
PART_NUMBERS = {sku_id: part_number for part_number, sku_id in SKUS.items()}
FLOW = "7e6d7d78-73de-46ba-83b1-6d25117334ba"
ROLE = "fe930be7-5e62-47db-91af-98c3a49a38b1"
PASSWORD = "Not-A-Real-Secret-1"
NOTHING_OFF: frozenset[str] = frozenset()
NO_FLOW = frozenset({FLOW})


@dataclass(frozen=True)
class State:
    """What matters about one user."""

    where: str = "live"
    """``live``, ``deleted`` or ``nowhere``."""
    enabled: bool = True
    department: str | None = None
    direct: dict[str, frozenset[str]] = field(default_factory=dict)
    """Products held directly, with the plans that are off."""
    group: dict[str, frozenset[str]] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    """``assigned``, ``eligible`` and ``group``."""


NOWHERE = State("nowhere")
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
    "disabled": {"state": "disabled"},
    "absent": {"state": "absent"},
    "purged": {"state": "absent", "purge": True},
}


def after(start: State, wanted: Json) -> State | str:
    """The right end, or a part of the right error."""
    if wanted.get("state") == "absent":
        return NOWHERE if wanted.get("purge") or start.where == "nowhere" else replace(start, where="deleted")
    if wanted.get("state") == "disabled":
        return replace(start, enabled=False) if start.where == "live" else start
    if start.where == "deleted" and wanted.get("deleted_user", "fail") == "fail":
        return "deleted_user=restore"
    roles, treatment = start.roles, wanted.get("admin_roles", "forbid")
    if treatment == "remove":
        if "group" in roles:
            return "through the group Operators"
        roles = frozenset()
    if roles and treatment == "forbid":
        return "User Administrator"
    direct = licenses_after(start, wanted)
    if isinstance(direct, str):
        return direct
    department = wanted["department"] or None if "department" in wanted else start.department
    return replace(start, where="live", enabled=True, department=department, direct=direct, roles=roles)


def licenses_after(start: State, wanted: Json) -> dict[str, frozenset[str]] | str:
    """The products that are held directly in the end."""
    direct = dict(start.direct)
    for part_number in wanted.get("licenses", ()):
        if part_number not in direct and part_number not in start.group:
            direct[part_number] = NOTHING_OFF
    if wanted.get("license_mode") == "exact":
        direct = {part_number: plans for part_number, plans in direct.items() if part_number in wanted["licenses"]}
    for part_number, names in wanted.get("disabled_plans", {}).items():
        off = NO_FLOW if names else NOTHING_OFF
        ways = [way[part_number] for way in (direct, start.group) if part_number in way]
        if part_number in start.group and off - start.group[part_number]:
            return "through a group"
        if not ways or frozenset.intersection(*ways) != off:
            direct[part_number] = off
    return direct


class EmulatedClock(Clock):
    """Sleeping lets the emulator's time pass."""

    def __init__(self, emulator: RunningEmulator) -> None:
        self.emulator = emulator
        self.slept = 0.0

    def now(self) -> float:
        return super().now() + self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.emulator.control("POST", "time", {"advance": seconds})


class Directory:
    """One tenant: arranged and read past the services, and changed by the module."""

    def __init__(self, emulator: RunningEmulator, name: str) -> None:
        self.emulator = emulator
        self.name = name
        self.about = emulator.tenant(name)
        self.store = MemoryTokenStore()
        self.slept = 0.0
        self._last = 0
        self.template = next(user for user in emulator.documents(name, "users") if user["displayName"] == "Alex Wilber")

    def run(self, params: Json, *, check: bool = False) -> Json:
        """The module's result, as either way of running it would give it."""
        given = {
            "auth": {key: self.about[key] for key in ("tenant_id", "client_id", "client_secret")} if "auth" not in params else params["auth"],
            "endpoints": {"authority": self.emulator.authority, "graph": self.emulator.graph},
            "ca_path": self.emulator.ca,
            "password": PASSWORD,
            **params,
        }
        module: types.ModuleType = o365_user
        validated = ArgumentSpecValidator(module.SPEC.options, **module.SPEC.rules()).validate(given)
        assert not validated.error_messages, validated.error_messages
        clock = EmulatedClock(self.emulator)
        ended = perform(
            module.reconcile,
            validated.validated_parameters,
            check_mode=check,
            diff_mode=True,
            store=self.store,
            clock=clock,
            on_secret=lambda _secret: None,
        )
        self.slept += clock.slept
        return {"failed": ended.failed, **ended.result}

    def put(self, kind: str, key: str, document: Json) -> None:
        self.emulator.control("PUT", f"tenants/{self.name}/documents/{kind}/{key}", document)

    def arrange(self, number: int, start: State) -> str:
        """Make a user in the starting state; answers the name."""
        upn = f"user{number}@{self.about['domain']}"
        user_id, group_id = f"a0000000-0000-4000-8000-{number:012}", f"b0000000-0000-4000-8000-{number:012}"
        if start.where == "nowhere":
            return upn
        ways = [(SKUS[part], plans, None) for part, plans in start.direct.items()] + [(SKUS[part], plans, group_id) for part, plans in start.group.items()]
        states = [
            {"skuId": sku, "disabledPlans": sorted(plans), "assignedByGroup": group, "state": "Active", "error": "None", "lastUpdatedDateTime": None}
            for sku, plans, group in ways
        ]
        user = {
            **self.template,
            "id": user_id,
            "userPrincipalName": upn,
            "displayName": f"user{number}",
            "mailNickname": f"user{number}",
            "accountEnabled": start.enabled,
            "department": start.department,
            "licenseAssignmentStates": states,
            "assignedLicenses": [{"skuId": sku, "disabledPlans": sorted(plans)} for sku, plans, group in ways if group is None],
        }
        if start.where == "deleted":
            self.put("deletedUsers", user_id, {**user, "userPrincipalName": user_id.replace("-", "") + upn, "deletedDateTime": "2026-11-01T00:00:00Z"})
            return upn
        self.put("users", user_id, user)
        if start.group or "group" in start.roles:
            licenses = [{"skuId": SKUS[part], "disabledPlans": sorted(plans)} for part, plans in start.group.items()]
            about = {"displayName": "Operators", "isAssignableToRole": "group" in start.roles, "_members": [user_id], "_licenses": licenses}
            self.put("groups", group_id, {"id": group_id, **about})
        for way, kind in (("assigned", "directoryRoleAssignments"), ("eligible", "directoryRoleEligibilities"), ("group", "directoryRoleAssignments")):
            if way in start.roles:
                holder = group_id if way == "group" else user_id
                key = f"{way}-{holder}"
                self.put(kind, key, {"id": key, "principalId": holder, "roleDefinitionId": ROLE, "directoryScopeId": "/"})
        return upn

    def state(self, upn: str) -> State:
        """What is there now, once."""
        live = [user for user in self.emulator.documents(self.name, "users") if user["userPrincipalName"].lower() == upn.lower()]
        gone = [user for user in self.emulator.documents(self.name, "deletedUsers") if user["userPrincipalName"][32:].lower() == upn.lower()]
        assert len(live) + len(gone) <= 1
        if not live and not gone:
            return NOWHERE
        (user,) = live or gone
        groups = [group for group in self.emulator.documents(self.name, "groups") if user["id"] in group["_members"]]
        holders = {user["id"]: "assigned", **{group["id"]: "group" for group in groups}}
        roles = {holders[row["principalId"]] for row in self.emulator.documents(self.name, "directoryRoleAssignments") if row["principalId"] in holders}
        roles |= {"eligible" for row in self.emulator.documents(self.name, "directoryRoleEligibilities") if row["principalId"] == user["id"]}
        return State(
            where="live" if live else "deleted",
            enabled=user["accountEnabled"],
            department=user["department"],
            direct=_plans(user["assignedLicenses"]),
            group=_plans(entry for group in groups for entry in group.get("_licenses") or ()),
            roles=frozenset(roles),
        )

    def requests(self, since: int) -> list[Json]:
        return self.emulator.request_log(tenant=self.name, service="graph", since=since)

    def last(self) -> int:
        self._last = max((record["seq"] for record in self.emulator.request_log(tenant=self.name, since=self._last)), default=self._last)
        return self._last


def _plans(entries: Iterator[Json] | list[Json]) -> dict[str, frozenset[str]]:
    return {PART_NUMBERS[entry["skuId"]]: frozenset(entry["disabledPlans"]) for entry in entries}


def start_emulator(path: Path, *names: str) -> RunningEmulator:
    seats = {"CRMPLAN2": 1000, "DYN365_ENTERPRISE_PLAN1": 1000}
    timing = {"license_propagation": 0.0}
    path.write_text(json.dumps({"tenants": [{"name": name, "seats": seats, "timing": timing, "features": {"pim": True}} for name in names]}), encoding="utf-8")
    return RunningEmulator("--tenants", str(path))


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    with start_emulator(tmp_path_factory.mktemp("matrix") / "tenants.json", *(f"from{number}" for number in range(len(STARTS))), "busy", "shared") as running:
        yield running
        errors = running.errors()
    assert "defect at" not in errors, errors


@pytest.mark.parametrize("start", STARTS)
def test_every_wanted_state_is_reached_once_and_as_predicted(emulator: RunningEmulator, start: str):
    """One row of the matrix; the cells of a row have a tenant of their own, and each a user."""
    directory = Directory(emulator, f"from{list(STARTS).index(start)}")
    administrator = {"method": "username_password", "client_id": directory.about["public_client_id"], "tenant_id": directory.about["tenant_id"]}
    administrator |= {"username": directory.about["admin_username"], "password": directory.about["admin_password"]}
    for number, (name, wanted) in enumerate(WANTS.items()):
        where = f"{start} -> {name}"
        begun, right = STARTS[start], after(STARTS[start], wanted)
        upn = directory.arrange(number, begun)
        params = {"user_principal_name": upn, **wanted}
        if begun.roles:
            # Administrators, and roles, can be changed by administrators only
            params["auth"] = administrator
        first = directory.last()
        predicted = directory.run(params, check=True)
        assert [record for record in directory.requests(first) if record["method"] != "GET"] == [], where
        assert directory.state(upn) == begun, where
        first = directory.last()
        real = directory.run(params)
        if isinstance(right, str):
            assert real["failed"], where
            assert right in real["msg"], where
            assert predicted["msg"] == real["msg"], where
            assert directory.state(upn) == begun, where
            assert not [record for record in directory.requests(first) if record["method"] != "GET"], where
            continue
        assert not real["failed"], f"{where}: {real}"
        assert directory.state(upn) == right, where
        assert real["changed"] is (right != begun), where
        assert_predicted(predicted, real, directory.requests(first), where)
        first = directory.last()
        again = directory.run(params)
        assert (again["failed"], again["changed"], again["writes"]) == (False, False, []), f"{where}: {again}"
        assert len(directory.requests(first)) <= MOST_READS, where


MOST_READS = 7
"""The user, its groups, the roles and eligible roles of it and of one group, and the products."""
MOST_WRITES = 3


def assert_predicted(predicted: Json, real: Json, log: list[Json], where: str) -> None:
    """Check mode foresaw the writes, they were sent in that order and no others, and the diff and the user are the same."""
    told = [normal(write) for write in real["writes"]]
    sent = [normal(record) for record in log if record["method"] != "GET"]
    assert [normal(write) for write in predicted["writes"]] == told == sent, where
    assert len(told) <= MOST_WRITES, where
    assert predicted["changed"] == real["changed"], where
    assert predicted.get("diff") == real.get("diff"), where
    assert ("diff" in real) is real["changed"], where
    unknown = {"id"} if predicted["planned"] else set()
    if any("/restore" in write["path"] for write in real["writes"]):
        # The roles of a deleted user cannot be read
        assert (predicted["user"]["admin_roles"], real["user"]["admin_roles"]) == (None, []), where
        unknown.add("admin_roles")
    shown = [user and {name: value for name, value in user.items() if name not in unknown} for user in (predicted["user"], real["user"])]
    assert shown[0] == shown[1], where


FAULTS: dict[str, Json] = {
    "reads lag": {"timing": {"read_lag": 7.0}},
    "the licence service lags": {"timing": {"usage_location_lag": 7.0}, "begun": {"usageLocation": None}},
    "reads flap": {"behaviour": {"flapping_reads": True}},
    "writes collide": {"faults": [{"kind": "concurrency", "method": method, "count": 2} for method in ("POST", "PATCH", "DELETE")]},
    "close writes collide": {"behaviour": {"concurrency_window": 5.0}},
    "close writes collide, told as 503": {"behaviour": {"concurrency_window": 5.0, "concurrency_status": 503}},
    "429 with Retry-After": {"faults": [{"kind": "throttle", "retry_after": 2, "count": 6}]},
    "429 without Retry-After": {"faults": [{"kind": "throttle", "retry_after": "none", "count": 6}]},
    "503 with Retry-After": {"faults": [{"kind": "unavailable", "retry_after": 2, "count": 6}]},
    "503 without Retry-After": {"faults": [{"kind": "unavailable", "retry_after": "none", "count": 6}]},
    "503 for each first write": {"faults": [{"kind": "unavailable", "method": method, "count": 1} for method in ("POST", "PATCH", "DELETE")]},
    "answers are lost": {"faults": [{"kind": "drop-after", "method": method, "count": 1} for method in ("POST", "PATCH", "DELETE")]},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_directory_in_trouble_ends_with_one_user_and_one_licence(emulator: RunningEmulator, fault: str):
    directory = Directory(emulator, "busy")
    settings = FAULTS[fault]
    emulator.control("PATCH", "tenants/busy", {name: value for name, value in settings.items() if name in ("timing", "behaviour")})
    seats = consumed(emulator)
    number = 900 + list(FAULTS).index(fault)
    upn = directory.arrange(number, State() if "begun" in settings else NOWHERE)
    if "begun" in settings:
        emulator.control("PATCH", f"tenants/busy/documents/users/a0000000-0000-4000-8000-{number:012}", settings["begun"])
    wanted = {"user_principal_name": upn, "licenses": ["CRMPLAN2"], "disabled_plans": {"CRMPLAN2": ["FLOW_DYN_APPS"]}}
    steps: list[tuple[Json, Callable[[State], bool]]] = [
        (wanted, lambda state: state.direct == {"CRMPLAN2": NO_FLOW}),
        (
            {**wanted, "department": "Sales", "disabled_plans": {"CRMPLAN2": []}},
            lambda state: (state.direct, state.department) == ({"CRMPLAN2": NOTHING_OFF}, "Sales"),
        ),
        ({"user_principal_name": upn, "state": "absent"}, lambda state: state.where == "deleted"),
    ]
    try:
        for params, reached in steps:
            for rule in settings.get("faults", ()):
                emulator.control("POST", "faults", {"service": "graph", "tenant": "busy", **rule})
            ended = directory.run(params)
            emulator.control("DELETE", "faults")
            assert not ended["failed"], ended
            assert ended["changed"]
            assert reached(directory.state(upn)), directory.state(upn)
            assert consumed(emulator) == seats + (params is not steps[-1][0])
            again = directory.run(params)
            assert (again["failed"], again["changed"]) == (False, False), again
    finally:
        emulator.control("DELETE", "faults")
        kept = {"timing": {"read_lag": 0.0, "usage_location_lag": 0.0}, "behaviour": {"flapping_reads": False, "concurrency_window": 0.0}}
        emulator.control("PATCH", "tenants/busy", kept)
    assert directory.slept, "nothing was in the way"


def consumed(emulator: RunningEmulator, tenant: str = "busy") -> int:
    return next(int(sku["consumedUnits"]) for sku in emulator.documents(tenant, "subscribedSkus") if sku["skuPartNumber"] == "CRMPLAN2")


def test_four_runs_at_once_make_one_user_with_one_licence(emulator: RunningEmulator, tmp_path: Path):
    about = emulator.tenant("shared")
    emulator.control("PATCH", "tenants/shared", {"timing": {"read_lag": 0.4, "latency": 0.05}})
    seats = consumed(emulator, "shared")
    task: dict[str, Any] = {
        "auth": {key: about[key] for key in ("tenant_id", "client_id", "client_secret")},
        "endpoints": {"authority": emulator.authority, "graph": emulator.graph},
        "ca_path": emulator.ca,
        "user_principal_name": f"shared@{about['domain']}",
        "password": PASSWORD,
        "licenses": ["CRMPLAN2"],
        "disabled_plans": {"CRMPLAN2": ["FLOW_DYN_APPS"]},
        "department": "Sales",
    }
    play = {"hosts": "all", "gather_facts": False, "connection": "local", "tasks": [{"name": "Have the user", "leadops.dynamics365.o365_user": task}]}
    (tmp_path / "play.yml").write_text(json.dumps([{**play, "vars": {"ansible_python_interpreter": sys.executable}}]), encoding="utf-8")
    four = ("-i", "one,two,three,four,", "--forks", "4")
    first = playbook.run(tmp_path, *four, playbook="play.yml")
    assert first.returncode == 0, first.stdout
    (user,) = [user for user in emulator.documents("shared", "users") if user["userPrincipalName"].startswith("shared@")]
    assert _plans(user["assignedLicenses"]) == {"CRMPLAN2": NO_FLOW}
    assert consumed(emulator, "shared") == seats + 1
    creations = [
        record for record in emulator.request_log(tenant="shared", service="graph", writes=1) if record["path"].endswith("/users") and record["effect"]
    ]
    assert len(creations) == 1
    last = max(record["seq"] for record in emulator.request_log(tenant="shared"))
    second = playbook.run(tmp_path, *four, playbook="play.yml")
    assert second.returncode == 0, second.stdout
    assert second.stdout.count("changed=0") == 4, second.stdout
    assert not emulator.request_log(tenant="shared", service="graph", writes=1, since=last)
