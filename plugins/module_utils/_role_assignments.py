# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which security roles a user or team of an organisation holds directly, and how to change that.

The copy of the role in the holder's own business unit is the one to assign. Roles that come to a user through teams
are only shown: a team can lose them at any time.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ._dataverse import STRONG, Dataverse
from ._errors import InvalidOption
from ._odata import Row, is_guid, literal, query
from ._plan import Json, Plan, Write
from ._roles import COPY_COLUMNS, RoleCopy, copy_from_row
from ._system_users import ACCESS_MODES

_NOBODY = "00000000-0000-0000-0000-000000000000"
_NAVIGATION = "systemuserroles_association"
_TEAM_NAVIGATION = "teamroles_association"
_PER_REQUEST = 20  # keeps the URL below what gateways accept
_GROUP_TEAMS = (2, 3)
"""Team types that stand for a security group and an Office group of the directory."""
ACCESS_TEAM = 1


@dataclass(frozen=True)
class Principal:
    """A system user or a team, with the roles that it holds."""

    name: str
    """The user principal name or the team's name, or what the user was asked for by."""
    system_user_id: str
    """Of a team, its own id; ``""`` for a user that is only planned."""
    business_unit_id: str
    disabled: bool
    held: tuple[RoleCopy, ...]
    planned: bool = False
    expected: tuple[str, ...] = ()
    """Names of roles that a planned user will hold already."""
    team_type: int | None = None
    """None for a user."""
    access_mode: str = "read_write"

    @property
    def title(self) -> str:
        """The name in a sentence, and the key in a diff."""
        return self.name if self.team_type is None else f"team {self.name}"

    @property
    def is_group_team(self) -> bool:
        """Whether the members of a directory group are the team's members."""
        return self.team_type in _GROUP_TEAMS

    @property
    def roles_path(self) -> str:
        """The address of the roles that are held."""
        if self.team_type is None:
            return f"systemusers({self.system_user_id or '{system_user_id}'})/{_NAVIGATION}"
        return f"teams({self.system_user_id})/{_TEAM_NAVIGATION}"


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
        holder = ("user", "system_user_id") if self.principal.team_type is None else ("team", "team_id")
        return {
            holder[0]: self.principal.name,
            holder[1]: self.principal.system_user_id or None,
            "role": self.role_name,
            "role_id": self.copy.id if self.copy else None,
            "business_unit_id": (self.copy.business_unit_id if self.copy else self.principal.business_unit_id) or None,
            "state": state,
        }


@dataclass(frozen=True)
class TeamRole:
    """A role that a user has through a team."""

    user: str
    team: str
    team_id: str
    copy: RoleCopy

    def to_result(self) -> dict[str, t.Any]:
        """The form in a module's result."""
        role = {"role": self.copy.name, "role_id": self.copy.id, "business_unit_id": self.copy.business_unit_id or None}
        return {"user": self.user, **role, "team": self.team, "team_id": self.team_id}


def read_users(dataverse: Dataverse, references: Iterable[str]) -> tuple[list[Row], list[Row]]:
    """The rows that any of the references can mean, roles included, in few requests: the living, and the soft-deleted."""
    columns = "systemuserid,domainname,azureactivedirectoryobjectid,applicationid,isdisabled,accessmode,_businessunitid_value"
    # Soft deletion came with version 9; older organisations do not know its column
    columns += ",deletedstate" if dataverse.api_version.startswith("v9") else ""
    conditions = [_condition(reference) for reference in references if reference != _NOBODY]
    rows = _read(dataverse, "systemusers", columns, conditions, _NAVIGATION)
    rows = list({row["systemuserid"]: row for row in rows}.values())
    return [row for row in rows if not row.get("deletedstate")], [row for row in rows if row.get("deletedstate")]


def read_teams(dataverse: Dataverse, references: Iterable[str]) -> list[Row]:
    """The teams that any of the references can mean, roles included."""
    conditions = [
        " or ".join(f"{column} eq {reference.lower()}" for column in ("teamid", "azureactivedirectoryobjectid"))
        if is_guid(reference)
        else f"name eq {literal(reference)}"
        for reference in references
    ]
    columns = "teamid,name,teamtype,azureactivedirectoryobjectid,_businessunitid_value"
    rows = _read(dataverse, "teams", columns, conditions, _TEAM_NAVIGATION)
    return list({row["teamid"]: row for row in rows}.values())


def _read(dataverse: Dataverse, table: str, columns: str, conditions: Sequence[str], navigation: str) -> list[Row]:
    rows: list[Row] = []
    for start in range(0, len(conditions), _PER_REQUEST):
        condition = " or ".join(conditions[start : start + _PER_REQUEST])
        path = table + query(select=columns, filter=condition, expand=f"{navigation}($select={COPY_COLUMNS})")
        what = "users" if table == "systemusers" else "teams"
        rows += dataverse.rows(path, doing=f"look for the {what} and their roles", headers=STRONG)
    return rows


def read_holders(dataverse: Dataverse, holders: Iterable[Principal]) -> dict[str, frozenset[str]]:
    """The ids of the roles that each of the users and teams holds."""
    found: dict[str, frozenset[str]] = {}
    known = {holder.system_user_id: holder for holder in holders}.values()
    users = [holder.system_user_id for holder in known if holder.team_type is None]
    teams = [holder.system_user_id for holder in known if holder.team_type is not None]
    for table, key, ids, navigation in (("systemusers", "systemuserid", users, _NAVIGATION), ("teams", "teamid", teams, _TEAM_NAVIGATION)):
        rows = _read(dataverse, table, key, [f"{key} eq {holder_id}" for holder_id in ids], navigation)
        found.update({row[key].lower(): frozenset(role.id for role in _roles(dataverse, row, navigation)) for row in rows})
    return found


def read_team_roles(dataverse: Dataverse, user: Principal) -> list[TeamRole]:
    """The roles that a user has through the teams that it is a member of."""
    expand = f"{_TEAM_NAVIGATION}($select={COPY_COLUMNS})"
    path = f"systemusers({user.system_user_id})/teammembership_association" + query(select="teamid,name", expand=expand)
    found = []
    for row in dataverse.rows(path, doing=f"read the teams of {user.name}", headers=STRONG):
        found += [TeamRole(user.name, row["name"], row["teamid"].lower(), copy) for copy in _roles(dataverse, row, _TEAM_NAVIGATION)]
    return found


def principal(dataverse: Dataverse, row: Row) -> Principal:
    """A user from its row."""
    return Principal(
        name=row.get("domainname") or row.get("applicationid") or row["systemuserid"],
        system_user_id=row["systemuserid"].lower(),
        business_unit_id=str(row.get("_businessunitid_value") or "").lower(),
        disabled=bool(row.get("isdisabled")),
        held=tuple(_roles(dataverse, row, _NAVIGATION)),
        access_mode=ACCESS_MODES.get(int(row.get("accessmode") or 0), "unknown"),
    )


def team_principal(dataverse: Dataverse, row: Row) -> Principal:
    """A team from its row."""
    return Principal(
        name=row["name"],
        system_user_id=row["teamid"].lower(),
        business_unit_id=str(row.get("_businessunitid_value") or "").lower(),
        disabled=False,
        held=tuple(_roles(dataverse, row, _TEAM_NAVIGATION)),
        team_type=int(row.get("teamtype") or 0),
    )


def rows_meant(rows: Iterable[Row], reference: str) -> list[Row]:
    """The rows that a reference means."""
    wanted = reference.casefold()
    columns = ("azureactivedirectoryobjectid", "applicationid", "systemuserid", "teamid") if is_guid(reference) else ("domainname", "name")
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
            f"assign the role {item.role_name} to {item.principal.title}",
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
            f"take the role {item.role_name} from {item.principal.title}",
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
        kept = [role.name for role in user.held if role.id not in lost] + list(user.expected)
        names[user.title] = sorted(kept + [item.role_name for item in added if item.principal == user])
    return names


def _condition(reference: str) -> str:
    if not is_guid(reference):
        return f"domainname eq {literal(reference)}"
    return " or ".join(f"{column} eq {reference.lower()}" for column in ("azureactivedirectoryobjectid", "applicationid", "systemuserid"))


def _roles(dataverse: Dataverse, row: Row, navigation: str) -> list[RoleCopy]:
    """The expanded roles. Older servers leave them out of a list and give only the address to read them from, newer ones page long lists."""
    rows: list[Row] = list(row.get(navigation) or [])
    link = row.get(f"{navigation}@odata.nextLink")
    if link and (not rows or "skiptoken" in link):
        rows += dataverse.rows(link, doing="read the roles", headers=STRONG)
    return list({role.id: role for role in map(copy_from_row, rows)}.values())
