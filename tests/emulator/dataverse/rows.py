# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows as they are stored or made up, and the way from one row to the rows related to it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from .. import odata
from ..store import Document
from .errors import no_such_property, no_such_row
from .organization import Organization, empty_row
from .privileges import MASKS
from .security import is_administrator_role, role_privileges, teams_of
from .table import Navigation, Table
from .tables import TABLES

_NAMESPACE = uuid.UUID("0f2ff1b8-7e0c-45f2-9d3e-3a4de0f0ab11")


def rows_of(org: Organization, table: Table) -> Iterable[Document]:
    """Iterate over the rows of a table that exist and can be seen by now."""
    match table.logical:
        case "privilege":
            return [privilege.row() for privilege in org.catalogue.privileges]
        case "organization":
            return [_organization(org)]
        case "roleprivileges":
            return [row for role in org.rows("role") for row in role_privilege_rows(org, role)]
        case "systemuserroles":
            return [_user_role_row(link) for link in org.tenant.collection("systemuserroles").values()]
    now = org.world.now()
    return [row for row in org.rows(table.logical) if row.get("_visible_from", 0) <= now]


def row_of(org: Organization, table: Table, row_id: str) -> Document | None:
    """Find the row with an id."""
    if table.logical == "privilege":
        found = org.catalogue.by_id.get(row_id)
        return None if found is None else found.row()
    if table.logical in ("organization", "roleprivileges", "systemuserroles"):
        return next((row for row in rows_of(org, table) if row[table.key] == row_id), None)
    row = org.row(table.logical, row_id)
    return None if row is None or row.get("_visible_from", 0) > org.world.now() else row


def existing_row(org: Organization, table: Table, row_id: str) -> Document:
    """Find the row with an id, or refuse."""
    row = row_of(org, table, row_id)
    if row is None:
        raise no_such_row(table.logical, row_id)
    return row


def _organization(org: Organization) -> Document:
    document = org.tenant.document
    setting = "<EnableOwnershipAcrossBusinessUnits>true</EnableOwnershipAcrossBusinessUnits>" if org.tenant.features.get("modern_business_units") else ""
    if org.switch("keep_roles_on_unit_change", default=False):
        setting += "<DoNotRemoveRolesOnChangeBusinessUnit>true</DoNotRemoveRolesOnChangeBusinessUnit>"
    return empty_row(
        "organization",
        {
            "organizationid": org.id,
            "name": document["org_name"],
            "orgdborgsettings": f"<OrgSettings>{setting}</OrgSettings>",
            "maxuploadfilesize": 5242880,
            "languagecode": 1033,
            "localeid": 1033,
            "isauditenabled": False,
            "isdisabled": False,
            "schemanameprefix": "new",
            "versionnumber": 900001,
            "createdon": org.root_unit["createdon"],
            "modifiedon": org.root_unit["createdon"],
        },
    )


def role_privilege_rows(org: Organization, role: Document) -> list[Document]:
    """Make a role's rows in the table that joins roles and privileges."""
    return [
        {
            "roleprivilegeid": str(uuid.uuid5(_NAMESPACE, role["roleid"] + privilege_id)),
            "roleid": role["roleid"],
            "privilegeid": privilege_id,
            "privilegedepthmask": MASKS[depth],
            "versionnumber": role["versionnumber"],
        }
        for privilege_id, depth in role_privileges(org, role).items()
    ]


def _user_role_row(link: Document) -> Document:
    row_id = str(uuid.uuid5(_NAMESPACE, link["systemuserid"] + link["roleid"]))
    return {"systemuserroleid": row_id, "systemuserid": link["systemuserid"], "roleid": link["roleid"], "versionnumber": 900002}


def related_row(org: Organization, navigation: Navigation, row: Document) -> tuple[Table, Document] | None:
    """Follow a single navigation property."""
    target = row.get(navigation.lookup)
    tables = ("systemuser", "team") if navigation.table == "principal" else (navigation.table,)
    for name in tables if target is not None else ():
        found = row_of(org, TABLES[name], str(target))
        if found is not None:
            return TABLES[name], found
    return None


def related_rows(org: Organization, navigation: Navigation, table: Table, row: Document) -> list[Document]:
    """Follow a navigation property to its many rows."""
    target = TABLES[navigation.table]
    if not navigation.association:
        return [other for other in rows_of(org, target) if other.get(navigation.lookup) == row[table.key]]
    match navigation.association:
        case "members" if table.logical == "systemuser":
            return [team for team_id in teams_of(org, row) if (team := row_of(org, target, team_id)) is not None]
        case "members":
            return [user for user in rows_of(org, target) if row["teamid"] in teams_of(org, user)]
        case "roleprivileges" if table.logical == "role":
            return [org.catalogue.by_id[privilege_id].row() for privilege_id in role_privileges(org, row)]
        case "roleprivileges":
            return [role for role in rows_of(org, target) if is_administrator_role(org, role) or row["privilegeid"] in role_privileges(org, role)]
        case kind:
            links = org.tenant.collection(kind).values()
            ids = [link[target.key] for link in links if link[table.key] == row[table.key]]
            return [found for row_id in ids if (found := row_of(org, target, row_id)) is not None]


class Reader:
    """What names in a query mean: columns of a row, or the rows that a navigation property leads to."""

    def __init__(self, org: Organization) -> None:
        self._org = org

    def view(self, table: Table, row: Document) -> Document:
        """Make a row that remembers its table, as the lookup needs it."""
        return {**row, "@table": table.logical}

    def lookup(self, row: Document, name: str) -> Any:
        """Look a name up on a view."""
        table = TABLES[row["@table"]]
        if name in table.columns:
            return row.get(name)
        navigation = table.navigation(name)
        if navigation is None:
            raise odata.UnknownPropertyError(name, table.logical)
        if navigation.many:
            return [self.view(TABLES[navigation.table], other) for other in related_rows(self._org, navigation, table, row)]
        found = related_row(self._org, navigation, row)
        return None if found is None else self.view(*found)


def check_path(table: Table, path: tuple[str, ...]) -> None:
    """Refuse a property path that leads nowhere."""
    for position, name in enumerate(path):
        if name in table.columns and position == len(path) - 1:
            return
        navigation = table.navigation(name)
        if navigation is None:
            raise no_such_property(name, table.logical)
        table = TABLES["systemuser" if navigation.table == "principal" else navigation.table]
