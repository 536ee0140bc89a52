# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing users of an organisation: application users created and removed, anybody enabled, disabled, moved, or set to another access mode.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ._business_units import BusinessUnit
from ._dataverse import STRONG, Dataverse
from ._odata import query
from ._plan import Json, Plan, Write
from ._rows import needed
from ._system_users import SystemUser

ACCESS_MODE_NUMBERS = {"read_write": 0, "non_interactive": 4}


@dataclass(frozen=True)
class WantedUser:
    """How a user is to be; None is not said."""

    enabled: bool
    access_mode: str | None = None
    unit: BusinessUnit | None = None

    def differs(self, user: SystemUser) -> bool:
        """Whether a user is not so."""
        return bool(plan_changes(user, self).writes)


def plan_changes(user: SystemUser, wanted: WantedUser, *, also_enable: bool = True) -> Plan:
    """One request for everything that differs. ``also_enable`` False: an earlier write does that."""
    body: Json = {}
    before: Json = {_key(user): _name(user), "enabled": not user.disabled}
    after: Json = {_key(user): _name(user), "enabled": wanted.enabled}
    words: list[str] = []
    if user.disabled == wanted.enabled and (also_enable or not wanted.enabled):
        body["isdisabled"] = not wanted.enabled
        words.append("enable" if wanted.enabled else "disable")
        if user.application_id:
            # The service takes this of an application user only together with its application id
            body["applicationid"] = user.application_id
    if wanted.access_mode:
        before["access_mode"], after["access_mode"] = user.access_mode, wanted.access_mode
        if user.access_mode != wanted.access_mode:
            body["accessmode"] = ACCESS_MODE_NUMBERS[wanted.access_mode]
            words.append(f"set to {wanted.access_mode}")
    if wanted.unit:
        before["business_unit"], after["business_unit"] = user.business_unit or user.business_unit_id, wanted.unit.name
        if is_moved(user, wanted):
            body["businessunitid@odata.bind"] = f"/businessunits({wanted.unit.id})"
            words.append(f"move to the business unit {wanted.unit.name}")
    if not body:
        return Plan(before, after)
    summary = f"{' and '.join(words)}: {_name(user)}"
    return Plan(before, after, (Write("dataverse", "PATCH", f"systemusers({user.system_user_id})", summary, body),))


def is_moved(user: SystemUser, wanted: WantedUser) -> bool:
    """Whether the user is in another business unit than wanted."""
    return wanted.unit is not None and user.business_unit_id != wanted.unit.id


def plan_application(application_id: str, unit: BusinessUnit, deleted: Sequence[SystemUser], *, enabled: bool) -> Plan:
    """Create an application user; a soft-deleted row of the same application is purged before, because it holds the id."""
    body = {"applicationid": application_id, "accessmode": 4, "isdisabled": not enabled, "businessunitid@odata.bind": f"/businessunits({unit.id})"}
    summary = f"create the application user {application_id} in the business unit {unit.name}"
    create = Write("dataverse", "POST", "systemusers", summary, body, yields="system_user_id")
    after = {"application_id": application_id, "enabled": enabled, "business_unit": unit.name}
    return Plan({}, after, (*(_purge(row) for row in deleted), create))


def plan_removal(living: Sequence[SystemUser], deleted: Sequence[SystemUser], *, soft_deletion: bool) -> Plan:
    """Remove an application user: only a disabled one can be deleted, and the first deletion only marks the row."""
    writes: list[Write] = []
    for user in living:
        path = f"systemusers({user.system_user_id})"
        if not user.disabled:
            writes.append(Write("dataverse", "PATCH", path, f"disable: {_name(user)}", {"isdisabled": True, "applicationid": user.application_id}))
        writes.append(Write("dataverse", "DELETE", path, f"delete: {_name(user)}"))
        if soft_deletion:
            writes.append(_purge(user))
    writes += [_purge(user) for user in deleted]
    before: Json = {"application_id": _name((*living, *deleted)[0])} if writes else {}
    if living:
        before["enabled"] = not living[0].disabled
    elif deleted:
        before["deleted"] = True
    return Plan(before, {}, tuple(writes))


def read_direct_roles(dataverse: Dataverse, system_user_id: str) -> list[str]:
    """The names of the roles that a user holds directly."""
    path = f"systemusers({system_user_id})/systemuserroles_association" + query(select="name")
    return sorted(needed(row, "name") for row in dataverse.rows(path, doing="read the roles of the user", headers=STRONG))


def _purge(user: SystemUser) -> Write:
    return Write("dataverse", "DELETE", f"systemusers({user.system_user_id})", f"purge the deleted row: {_name(user)}")


def _key(user: SystemUser) -> str:
    return "application_id" if user.application_id else "user_principal_name"


def _name(user: SystemUser) -> str:
    return user.application_id or user.user_principal_name or user.system_user_id
