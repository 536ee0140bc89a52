# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: privileges through roles, their depth, and the two ways of being refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..store import Document
from ..wire import ServiceError
from .errors import fault
from .organization import Organization
from .privileges import MASKS, Privilege
from .table import Table

SYSTEM_ADMINISTRATOR = "627090ff-40a3-4053-8790-584edc5be201"
"""The template that every organisation's System Administrator role is made from."""

_ACCESS_MODES = ("0 Read-Write", "1 Administrative", "2 Read", "3 Support User", "4 Non-interactive", "5 Delegated Admin")


@dataclass(frozen=True)
class Grant:
    """One role that a user holds, directly or through a team."""

    role_id: str
    privileges: Mapping[str, str] | None
    """Depth by privilege id; None stands for every privilege (System Administrator)."""
    unit: str
    """The business unit that depths are counted from: the role copy's own."""
    team: str | None
    """The team that the role comes through."""
    team_only: bool
    """The role gives a team's members nothing of their own, only what the team owns (``isinherited`` 0)."""

    def depth(self, privilege: Privilege) -> str | None:
        """Tell how deep the role gives a privilege."""
        return privilege.highest if self.privileges is None else self.privileges.get(privilege.id)


class Access:
    """What one user may do in an organisation, now."""

    def __init__(self, org: Organization, user: Document, *, strong: bool = True, on_behalf_of: Access | None = None) -> None:
        self.org = org
        self.user = user
        self.impersonator = on_behalf_of
        """The user who really calls; both need every privilege."""
        self.grants = _grants(org, user, strong=strong)

    @property
    def user_id(self) -> str:
        """The user's id."""
        return str(self.user["systemuserid"])

    def depths(self, privilege: Privilege) -> Iterator[tuple[str, Grant]]:
        """Iterate over the depths at which a privilege is held, and through what."""
        for grant in self.grants:
            depth = grant.depth(privilege)
            if depth is not None:
                yield depth, grant

    def deepest(self, privilege: Privilege) -> str | None:
        """Tell the greatest depth at which a privilege is held."""
        return max((depth for depth, _unused in self.depths(privilege)), key=MASKS.__getitem__, default=None)

    def holds(self, name: str) -> bool:
        """Whether the privilege is held at any depth."""
        privilege = self.org.catalogue.named(name)
        return privilege is not None and self.deepest(privilege) is not None

    def require(self, name: str) -> None:
        """Refuse the request unless the caller, and who calls on their behalf, hold a privilege."""
        privilege = self.org.catalogue.named(name)
        if privilege is None:
            raise LookupError(f"the catalogue of this organisation has no privilege {name}")
        if self.deepest(privilege) is None:
            raise self.lacks(privilege)
        if self.impersonator is not None:
            self.impersonator.require(name)

    def require_on(self, table: Table, right: str, row: Document) -> None:
        """Refuse the request unless a right reaches one row."""
        if not table.stem:
            return
        self.require(f"prv{right}{table.stem}")
        if not self.reaches(table, right, row):
            raise self._out_of_reach(table, right, row)

    def reaches(self, table: Table, right: str, row: Document) -> bool:
        """Whether a held right is deep enough for a row."""
        privilege = self.org.catalogue.named(f"prv{right}{table.stem}") if table.stem else None
        if privilege is None:
            return True
        unit, owner = _place(table, row)
        reached = any(self._within(depth, grant, table, unit, owner) for depth, grant in self.depths(privilege))
        return reached and (self.impersonator is None or self.impersonator.reaches(table, right, row))

    def _within(self, depth: str, grant: Grant, table: Table, unit: str | None, owner: str | None) -> bool:
        if depth == "Global" or table.ownership in ("organization", "none"):
            return True
        if owner is not None and (owner == grant.team or (not grant.team_only and (owner == self.user_id or owner in teams_of(self.org, self.user)))):
            return True
        if depth == "Deep":
            return unit is not None and grant.unit in unit_and_ancestors(self.org, unit)
        return depth == "Local" and unit == grant.unit

    def lacks(self, privilege: Privilege) -> ServiceError:
        """Make the refusal for a privilege that the user does not hold."""
        user = self.user
        if not self.grants:
            # The code that comes with this text is not confirmed.
            code = str(self.org.switch("no_role_code", "0x80042f09"))
            text = f"The user with id {self.user_id} has not been assigned any roles. They need a role with the {privilege.name} privilege."
            return fault(403, code, f"RetrievePrivilegeForUser: {text}")
        held = {known.id for known in self.org.catalogue.privileges if self.deepest(known) is not None}
        entity = privilege.entity
        return fault(
            403,
            "0x80040220",
            f"Principal user (Id={self.user_id}, type=8, roleCount={len(self.grants)}, privilegeCount={len(held)}, "
            f"accessMode='{_ACCESS_MODES[user.get('accessmode') or 0]}', AADObjectId='{user.get('azureactivedirectoryobjectid') or ''}', "
            f"MetadataCachePrivilegesCount={len(self.org.catalogue.privileges)}, businessUnitId={user.get('_businessunitid_value')}), "
            f"is missing {privilege.name} privilege (Id={privilege.id}) on OTC={entity.object_type_code if entity else 0} "
            f"for entity '{entity.logical if entity else ''}' (LocalizedName='{entity.display if entity else ''}'). context.Caller={self.user_id}",
        )

    def _out_of_reach(self, table: Table, right: str, row: Document) -> ServiceError:
        unit, owner = _place(table, row)
        # Both codes have been seen with this text.
        code = str(self.org.switch("access_check_code", "0x80048306"))
        return fault(
            403,
            code,
            f"SecLib::AccessCheckEx failed. Returned hr = -2147187962, ObjectID: {row[table.key]}, OwnerId: {owner},  OwnerIdType: 8 "
            f"and CallingUser: {self.user_id}. ObjectTypeCode: {table.object_type_code}, objectBusinessUnitId: {unit}, AccessRights: {right}Access ",
        )


def _place(table: Table, row: Document) -> tuple[str | None, str | None]:
    """Find the business unit and the owner of a row."""
    if table.ownership == "user":
        return row.get("_owningbusinessunit_value"), row.get("_ownerid_value")
    if table.logical == "businessunit":
        return row["businessunitid"], None
    return row.get("_businessunitid_value"), row.get("systemuserid")


def teams_of(org: Organization, user: Document) -> list[str]:
    """List the teams that a user belongs to; membership in an Entra group's team is the group's."""
    user_id, object_id = user["systemuserid"], user.get("azureactivedirectoryobjectid")
    teams = []
    for team in org.rows("team"):
        group = org.tenant.collection("groups").get(str(team.get("azureactivedirectoryobjectid") or ""))
        if user_id in team.get("_members", ()) or (group is not None and object_id in group.get("_members", ())):
            teams.append(str(team["teamid"]))
    return teams


def unit_and_ancestors(org: Organization, unit_id: str) -> list[str]:
    """List a business unit and those above it."""
    chain: list[str] = []
    current: str | None = unit_id
    while current is not None and current not in chain:
        chain.append(current)
        current = (org.row("businessunit", current) or {}).get("_parentbusinessunitid_value")
    return chain


def root_role(org: Organization, role: Document) -> Document:
    """Find the role that a copy in a child business unit copies."""
    return org.row("role", role["_parentrootroleid_value"]) or role


def is_administrator_role(org: Organization, role: Document) -> bool:
    """Whether a role is System Administrator, or a copy of it."""
    return root_role(org, role).get("_roletemplateid_value") == SYSTEM_ADMINISTRATOR


def role_privileges(org: Organization, role: Document) -> dict[str, str]:
    """List a role's privileges: depth by privilege id."""
    if is_administrator_role(org, role):
        return {privilege.id: privilege.highest for privilege in org.catalogue.privileges}
    return dict(root_role(org, role).get("_privileges", {}))


def _grants(org: Organization, user: Document, *, strong: bool) -> list[Grant]:
    """List the grants as they are, or as a server's cache still remembers them (a switch, off by default)."""
    seconds = float(org.switch("permission_cache", 0))
    if not seconds:
        return list(_read_grants(org, user))
    cache = org.tenant.collection("permissioncache")
    key = str(user["systemuserid"])
    remembered: dict[str, Any] | None = cache.get(key)
    if strong or remembered is None or org.world.now() - remembered["taken"] >= seconds:
        remembered = {"taken": org.world.now(), "grants": [asdict(grant) for grant in _read_grants(org, user)]}
        cache[key] = remembered
    return [Grant(**grant) for grant in remembered["grants"]]


def _read_grants(org: Organization, user: Document) -> Iterator[Grant]:
    for link in org.tenant.collection("systemuserroles").values():
        if link["systemuserid"] == user["systemuserid"]:
            yield from _grant(org, link["roleid"], None)
    teams = teams_of(org, user)
    for link in org.tenant.collection("teamroles").values() if teams else ():
        if link["teamid"] in teams:
            yield from _grant(org, link["roleid"], link["teamid"])


def _grant(org: Organization, role_id: str, team: str | None) -> Iterator[Grant]:
    role = org.row("role", role_id)
    if role is not None:
        everything = is_administrator_role(org, role)
        team_only = team is not None and root_role(org, role).get("isinherited") == 0
        yield Grant(role_id, None if everything else role_privileges(org, role), role["_businessunitid_value"], team, team_only)
