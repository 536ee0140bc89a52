# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A companion: an own role that carries what a locked role lacks, to be assigned beside it. What roles give adds up.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Sequence
from dataclasses import dataclass

from ._business_units import root_unit
from ._dataverse import Dataverse
from ._errors import NotPossible
from ._plan import Plan, Write
from ._privilege_writes import plan
from ._privileges import Change, Held, is_baseline, label, read_held
from ._roles import PlannedRole, RoleRow, read_root_role

_LONGEST_NAME = 100
_ID = "companion_role_id"
ROLE_EXISTS = "0x80041403"


@dataclass(frozen=True)
class Companion:
    """The role as it is; without ``role`` it is still to be created."""

    name: str
    role: RoleRow | None
    held: Sequence[Held]

    @property
    def path_id(self) -> str:
        """The id for a path, or its placeholder."""
        return self.role.id if self.role else "{" + _ID + "}"

    def to_result(self, known: t.Mapping[str, str], changes: Sequence[Change], unit_id: str | None) -> dict[str, t.Any]:
        """The form in a module's result, which crm_role_assignment takes in planned_roles."""
        after = {item.name: item.depth for item in self.held if item.name and not is_baseline(item.name)}
        for change in changes:
            after.pop(change.name, None)
            if change.after is not None:
                after[change.name] = change.after
        return {
            "name": self.name,
            "id": self.role.id if self.role else known.get(_ID),
            "business_unit_id": self.role.business_unit_id if self.role else unit_id,
            "privileges": [{"name": name, "depth": label(depth)} for name, depth in sorted(after.items())],
        }


def default_name(role_name: str) -> str:
    """The companion's name where none is given."""
    ending = " (additional privileges)"
    return role_name[: _LONGEST_NAME - len(ending)] + ending


def read_companion(dataverse: Dataverse, name: str, beside: RoleRow | PlannedRole) -> Companion:
    """The companion of a role; raises if the name belongs to a role that is no own one."""
    role = read_root_role(dataverse, name)
    if role is None:
        return Companion(name, None, ())
    if role.id == beside.id or role.managed or not role.customizable:
        what = "the locked role itself" if role.id == beside.id else "a role of a managed solution" if role.managed else "a role that may not be changed"
        raise NotPossible(
            doing=f"use the role {name} beside {beside.name}", why=f"it is {what}.", next_step="Name another role in companion_role, or rename that one."
        )
    return Companion(role.name, role, read_held(dataverse, role.id))


def plan_companion(dataverse: Dataverse, companion: Companion, changes: Sequence[Change]) -> tuple[Plan, str | None]:
    """Create the companion in the root business unit if it is missing, and give it the privileges; also the unit's id, if it was needed."""
    steps = plan(companion.path_id, companion.name, changes)
    if companion.role is not None or not steps.writes:
        return steps, None
    unit = root_unit(dataverse)
    body = {"name": companion.name, "isinherited": 1, "businessunitid@odata.bind": f"/businessunits({unit.id})"}
    create = Write("dataverse", "POST", "roles", f"create the role {companion.name} in the root business unit", body, yields=_ID)
    return Plan({}, steps.after, (create, *steps.writes)), unit.id
