# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users and teams of an organisation with the security roles that they hold directly, and users' roles that come through teams.

Roles that come to a user through teams are only shown: a team can lose them at any time.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ._dataverse import STRONG, Dataverse
from ._odata import Row, is_guid, literal, query
from ._roles import COPY_COLUMNS, RoleCopy, copy_from_row
from ._rows import flag, listed, lower, needed, needed_id, number, text
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

    def title_of(self, role: RoleCopy) -> str:
        """A role's name; of copies in different business units, the name alone says nothing."""
        return role.name if self.business_unit_id in ("", role.business_unit_id) else f"{role.name} (of another business unit)"

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
    rows = list({needed_id(row, "systemuserid"): row for row in rows}.values())
    return [row for row in rows if not number(row, "deletedstate")], [row for row in rows if number(row, "deletedstate")]


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
    return list({needed_id(row, "teamid"): row for row in rows}.values())


def read_holders(dataverse: Dataverse, holders: Iterable[Principal]) -> dict[str, frozenset[str]]:
    """The ids of the roles that each of the users and teams holds."""
    found: dict[str, frozenset[str]] = {}
    known = {holder.system_user_id: holder for holder in holders}.values()
    users = [holder.system_user_id for holder in known if holder.team_type is None]
    teams = [holder.system_user_id for holder in known if holder.team_type is not None]
    for table, key, ids, navigation in (("systemusers", "systemuserid", users, _NAVIGATION), ("teams", "teamid", teams, _TEAM_NAVIGATION)):
        rows = _read(dataverse, table, key, [f"{key} eq {holder_id}" for holder_id in ids], navigation)
        found.update({needed_id(row, key): frozenset(role.id for role in _roles(dataverse, row, navigation)) for row in rows})
    return found


def read_team_roles(dataverse: Dataverse, user: Principal) -> list[TeamRole]:
    """The roles that a user has through the teams that it is a member of."""
    expand = f"{_TEAM_NAVIGATION}($select={COPY_COLUMNS})"
    path = f"systemusers({user.system_user_id})/teammembership_association" + query(select="teamid,name", expand=expand)
    found = []
    for row in dataverse.rows(path, doing=f"read the teams of {user.name}", headers=STRONG):
        found += [TeamRole(user.name, needed(row, "name"), needed_id(row, "teamid"), copy) for copy in _roles(dataverse, row, _TEAM_NAVIGATION)]
    return found


def principal(dataverse: Dataverse, row: Row) -> Principal:
    """A user from its row."""
    return Principal(
        name=text(row, "domainname") or text(row, "applicationid") or needed(row, "systemuserid"),
        system_user_id=needed_id(row, "systemuserid"),
        business_unit_id=lower(row, "_businessunitid_value") or "",
        disabled=flag(row, "isdisabled"),
        held=tuple(_roles(dataverse, row, _NAVIGATION)),
        access_mode=ACCESS_MODES.get(number(row, "accessmode") or 0, "unknown"),
    )


def team_principal(dataverse: Dataverse, row: Row) -> Principal:
    """A team from its row."""
    return Principal(
        name=needed(row, "name"),
        system_user_id=needed_id(row, "teamid"),
        business_unit_id=lower(row, "_businessunitid_value") or "",
        disabled=False,
        held=tuple(_roles(dataverse, row, _TEAM_NAVIGATION)),
        team_type=number(row, "teamtype") or 0,
    )


def rows_meant(rows: Iterable[Row], reference: str) -> list[Row]:
    """The rows that a reference means. Of several users the only enabled one is meant: stubs and earlier accounts of the same name are disabled."""
    wanted = reference.casefold()
    columns = ("azureactivedirectoryobjectid", "applicationid", "systemuserid", "teamid") if is_guid(reference) else ("domainname", "name")
    found = [row for row in rows if wanted in (str(row.get(column) or "").casefold() for column in columns)]
    enabled = [row for row in found if not row.get("isdisabled")]
    return enabled if len(enabled) == 1 else found


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


def _read(dataverse: Dataverse, table: str, columns: str, conditions: Sequence[str], navigation: str) -> list[Row]:
    rows: list[Row] = []
    for start in range(0, len(conditions), _PER_REQUEST):
        condition = " or ".join(conditions[start : start + _PER_REQUEST])
        path = table + query(select=columns, filter=condition, expand=f"{navigation}($select={COPY_COLUMNS})")
        what = "users" if table == "systemusers" else "teams"
        rows += dataverse.rows(path, doing=f"look for the {what} and their roles", headers=STRONG)
    return rows


def _condition(reference: str) -> str:
    if not is_guid(reference):
        return f"domainname eq {literal(reference)}"
    return " or ".join(f"{column} eq {reference.lower()}" for column in ("azureactivedirectoryobjectid", "applicationid", "systemuserid"))


def _roles(dataverse: Dataverse, row: Row, navigation: str) -> list[RoleCopy]:
    """The expanded roles. Older servers leave them out of a list and give only the address to read them from, newer ones page long lists."""
    rows = list(listed(row, navigation))
    link = text(row, f"{navigation}@odata.nextLink")
    if link and (not rows or "skiptoken" in link):
        rows += dataverse.rows(link, doing="read the roles", headers=STRONG)
    return list({role.id: role for role in map(copy_from_row, rows)}.values())
