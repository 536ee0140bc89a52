# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which security roles a user of an organisation holds directly, and how to change that.

The copy of the role in the user's own business unit is the one to assign. Roles that come through teams are no
part of this: a team can lose them at any time.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ._dataverse import STRONG, Dataverse
from ._errors import InvalidOption
from ._odata import Row, any_of, is_guid, literal, query
from ._plan import Json, Plan, Write
from ._roles import COPY_COLUMNS, RoleCopy, copy_from_row

_NOBODY = "00000000-0000-0000-0000-000000000000"
_NAVIGATION = "systemuserroles_association"


@dataclass(frozen=True)
class Principal:
    """A system user, with the roles that it holds."""

    name: str
    """The user principal name, or what the user was asked for by."""
    system_user_id: str
    """``""`` for a user that is only planned."""
    business_unit_id: str
    disabled: bool
    held: tuple[RoleCopy, ...]
    planned: bool = False
    expected: tuple[str, ...] = ()
    """Names of roles that a planned user will hold already."""


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

    def to_result(self, state: str) -> dict[str, t.Any]:
        """The form in a module's result."""
        return {
            "user": self.principal.name,
            "system_user_id": self.principal.system_user_id or None,
            "role": self.role_name,
            "role_id": self.copy.id if self.copy else None,
            "business_unit_id": (self.copy.business_unit_id if self.copy else self.principal.business_unit_id) or None,
            "state": state,
        }


def read_users(dataverse: Dataverse, references: Iterable[str]) -> tuple[list[Row], list[Row]]:
    """The rows that any of the references can mean, roles included, in one request: the living, and the soft-deleted."""
    conditions = [_condition(reference) for reference in references if reference != _NOBODY]
    if not conditions:
        return [], []
    columns = "systemuserid,domainname,azureactivedirectoryobjectid,applicationid,isdisabled,_businessunitid_value"
    # Soft deletion came with version 9; older organisations do not know its column
    columns += ",deletedstate" if dataverse.api_version.startswith("v9") else ""
    path = "systemusers" + query(select=columns, filter=" or ".join(conditions), expand=f"{_NAVIGATION}($select={COPY_COLUMNS})")
    rows = list(dataverse.rows(path, doing="look for the users and their roles", headers=STRONG))
    return [row for row in rows if not row.get("deletedstate")], [row for row in rows if row.get("deletedstate")]


def read_holders(dataverse: Dataverse, system_user_ids: Iterable[str]) -> dict[str, frozenset[str]]:
    """The ids of the roles that each of the users holds."""
    condition = any_of("systemuserid", system_user_ids)
    path = "systemusers" + query(select="systemuserid", filter=condition, expand=f"{_NAVIGATION}($select={COPY_COLUMNS})")
    rows = dataverse.rows(path, doing="read the roles of the users", headers=STRONG)
    return {row["systemuserid"].lower(): frozenset(role.id for role in _roles(dataverse, row)) for row in rows}


def principal(dataverse: Dataverse, row: Row) -> Principal:
    """A user from its row."""
    return Principal(
        name=row.get("domainname") or row.get("applicationid") or row["systemuserid"],
        system_user_id=row["systemuserid"].lower(),
        business_unit_id=str(row.get("_businessunitid_value") or "").lower(),
        disabled=bool(row.get("isdisabled")),
        held=tuple(_roles(dataverse, row)),
    )


def rows_meant(rows: Iterable[Row], reference: str) -> list[Row]:
    """The rows that a reference means."""
    wanted = reference.casefold()
    columns = ("azureactivedirectoryobjectid", "applicationid", "systemuserid") if is_guid(reference) else ("domainname",)
    return [row for row in rows if wanted in (str(row.get(column) or "").casefold() for column in columns)]


def planned_users(options: Iterable[Mapping[str, t.Any]]) -> list[PlannedUser]:
    """Read the option ``planned_users``."""
    found = []
    for index, option in enumerate(options):
        if not option.get("user_principal_name") and not option.get("application_id"):
            raise InvalidOption(f"planned_users[{index}].user_principal_name", "is missing.", "Pass on what o365_user or crm_user returns in user.")
        ids = frozenset(str(option[key]).lower() for key in ("object_id", "id", "application_id") if option.get(key))
        found.append(PlannedUser(str(option.get("user_principal_name") or option["application_id"]), ids, tuple(option.get("roles") or ())))
    return found


def held_copy(user: Principal, reference: str) -> RoleCopy | None:
    """The role in the user's own business unit, or the very copy whose id was given, if the user holds it."""
    wanted = reference.casefold()
    for role in user.held:
        if role.id == wanted or (role.business_unit_id == user.business_unit_id and wanted in (role.name.casefold(), role.root_id)):
            return role
    return None


def held_copies(user: Principal, reference: str, root_id: str) -> list[RoleCopy]:
    """All copies of a role that the user holds, whatever their business unit. ``root_id`` is ``""`` if it is not known."""
    wanted = reference.casefold()
    return [role for role in user.held if wanted in (role.name.casefold(), role.id, role.root_id) or (root_id and role.root_id == root_id)]


def plan_present(assignments: Sequence[Assignment], reference: Callable[[str], str]) -> Plan:
    """Assign what is not held. ``reference`` gives the address of a role."""
    missing = [item for item in _distinct(assignments) if not item.held]
    writes = tuple(
        Write(
            "dataverse",
            "POST",
            f"systemusers({item.principal.system_user_id or '{system_user_id}'})/{_NAVIGATION}/$ref",
            f"assign the role {item.role_name} to {item.principal.name}",
            {"@odata.id": reference(item.copy.id if item.copy else "{role_id}")},
        )
        for item in missing
    )
    return Plan(_names(assignments), _names(assignments, added=missing), writes)


def plan_absent(assignments: Sequence[Assignment]) -> Plan:
    """Take away what is held."""
    gone = [item for item in _distinct(assignments) if item.copy is not None and item.held]
    writes = tuple(
        Write(
            "dataverse",
            "DELETE",
            f"systemusers({item.principal.system_user_id})/{_NAVIGATION}({item.copy.id})/$ref",
            f"take the role {item.role_name} from {item.principal.name}",
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
    for user in {item.principal.name: item.principal for item in assignments}.values():
        lost = {item.copy.id for item in gone if item.copy is not None and item.principal == user}
        kept = [role.name for role in user.held if role.id not in lost] + list(user.expected)
        names[user.name] = sorted(kept + [item.role_name for item in added if item.principal == user])
    return names


def _condition(reference: str) -> str:
    if not is_guid(reference):
        return f"domainname eq {literal(reference)}"
    return " or ".join(f"{column} eq {reference.lower()}" for column in ("azureactivedirectoryobjectid", "applicationid", "systemuserid"))


def _roles(dataverse: Dataverse, row: Row) -> list[RoleCopy]:
    """The expanded roles. Older servers leave them out of a list and give only the address to read them from, newer ones page long lists."""
    rows: list[Row] = list(row.get(_NAVIGATION) or [])
    link = row.get(f"{_NAVIGATION}@odata.nextLink")
    if link and (not rows or "skiptoken" in link):
        rows += dataverse.rows(link, doing="read the roles of the users", headers=STRONG)
    return list({role.id: role for role in map(copy_from_row, rows)}.values())
