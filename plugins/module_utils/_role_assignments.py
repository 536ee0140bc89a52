# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which security roles users and teams are to hold directly, and how to change that.

The copy of the role in the holder's own business unit is the one to assign.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ._errors import InvalidOption
from ._plan import Json, Plan, Write
from ._role_holders import Principal
from ._roles import RoleCopy


@dataclass(frozen=True)
class PlannedUser:
    """A user that an earlier task would bring, in check mode."""

    user_principal_name: str
    ids: frozenset[str]
    roles: tuple[str, ...]

    def is_meant_by(self, reference: str) -> bool:
        """Whether the user is referred to by its name or one of its ids."""
        return reference.casefold() == self.user_principal_name.casefold() or reference.lower() in self.ids


@dataclass(frozen=True)
class Assignment:
    """One role of one user."""

    principal: Principal
    role_name: str
    copy: RoleCopy | None
    """None if the copy is only planned, or will be known with the planned user's business unit."""

    @property
    def held(self) -> bool:
        """Whether it is there already."""
        if self.principal.planned:
            return self.role_name.casefold() in (name.casefold() for name in self.principal.expected)
        return self.copy is not None and any(role.id == self.copy.id for role in self.principal.held)

    @property
    def title(self) -> str:
        """The role's name in a sentence and in a diff."""
        return self.principal.title_of(self.copy) if self.copy else self.role_name

    def to_result(self, state: str) -> dict[str, t.Any]:
        """The form in a module's result."""
        holder = ("user", "system_user_id") if self.principal.team_type is None else ("team", "team_id")
        return {
            holder[0]: self.principal.name,
            holder[1]: self.principal.system_user_id or None,
            "role": self.role_name,
            "role_id": self.copy.id if self.copy else None,
            "business_unit_id": (self.copy.business_unit_id if self.copy else self.principal.business_unit_id) or None,
            "state": state,
        }


def planned_users(options: Iterable[Mapping[str, t.Any]]) -> list[PlannedUser]:
    """Read the option ``planned_users``."""
    found = []
    for index, option in enumerate(options):
        if not option.get("user_principal_name") and not option.get("application_id"):
            raise InvalidOption(f"planned_users[{index}].user_principal_name", "is missing.", "Pass on what o365_user or crm_user returns in user.")
        ids = frozenset(str(option[key]).lower() for key in ("object_id", "id", "application_id") if option.get(key))
        found.append(PlannedUser(str(option.get("user_principal_name") or option["application_id"]), ids, tuple(option.get("roles") or ())))
    return found


def beyond(assignments: Sequence[Assignment], principals: Iterable[Principal]) -> list[Assignment]:
    """What the users and teams hold directly besides the wanted assignments."""
    wanted = {(item.principal.system_user_id, item.copy.id) for item in assignments if item.copy is not None}
    unique = {holder.system_user_id: holder for holder in principals}.values()
    return [Assignment(holder, copy.name, copy) for holder in unique for copy in holder.held if (holder.system_user_id, copy.id) not in wanted]


def plan_present(assignments: Sequence[Assignment], reference: Callable[[str], str], surplus: Sequence[Assignment] = ()) -> Plan:
    """Assign what is not held, then take ``surplus`` away. ``reference`` gives the address of a role."""
    missing = [item for item in _distinct(assignments) if not item.held]
    writes = tuple(
        Write(
            "dataverse",
            "POST",
            f"{item.principal.roles_path}/$ref",
            f"assign the role {item.title} to {item.principal.title}",
            {"@odata.id": reference(item.copy.id if item.copy else "{role_id}")},
        )
        for item in missing
    )
    everything = [*assignments, *surplus]
    removals = plan_absent(surplus).writes
    return Plan(_names(everything), _names(everything, added=missing, gone=surplus), writes + removals)


def plan_absent(assignments: Sequence[Assignment]) -> Plan:
    """Take away what is held."""
    gone = [item for item in _distinct(assignments) if item.copy is not None and item.held]
    writes = tuple(
        Write(
            "dataverse",
            "DELETE",
            f"{item.principal.roles_path}({item.copy.id})/$ref",
            f"take the role {item.title} from {item.principal.title}",
        )
        for item in gone
        if item.copy is not None
    )
    return Plan(_names(assignments), _names(assignments, gone=gone), writes)


def _distinct(assignments: Iterable[Assignment]) -> list[Assignment]:
    """A user or a role that was named twice counts once."""
    found: dict[tuple[str, str], Assignment] = {}
    for item in assignments:
        user = item.principal.system_user_id or item.principal.name
        found.setdefault((user, item.copy.id if item.copy else item.role_name.casefold()), item)
    return list(found.values())


def _names(assignments: Iterable[Assignment], *, added: Sequence[Assignment] = (), gone: Sequence[Assignment] = ()) -> Json:
    """The names of the roles of each user, after adding some and taking some away."""
    names: dict[str, list[str]] = {}
    for user in {item.principal.title: item.principal for item in assignments}.values():
        lost = {item.copy.id for item in gone if item.copy is not None and item.principal == user}
        kept = [user.title_of(role) for role in user.held if role.id not in lost] + list(user.expected)
        names[user.title] = sorted(kept + [item.title for item in added if item.principal == user])
    return names
