# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of one emulated tenant: users in chosen states, looked up past the services, and ``o365_user`` run in this process."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass, field

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.leadops.dynamics365.plugins.module_utils._http import Clock
from ansible_collections.leadops.dynamics365.plugins.module_utils._identity import MemoryTokenStore
from ansible_collections.leadops.dynamics365.plugins.module_utils._task import perform
from ansible_collections.leadops.dynamics365.plugins.modules import o365_user
from tests.emulator.launcher import RunningEmulator

from .fleet import Json

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
        """Make a user in the starting state; answers the name. What a deleted one was a member of counts again when it comes back."""
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
        else:
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
