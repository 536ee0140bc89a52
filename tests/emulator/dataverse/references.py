# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Associate and disassociate rows: ``…/$ref``."""

from __future__ import annotations

from typing import Any

from .. import odata
from ..store import Document
from ..wire import Response
from . import writing
from .context import Context
from .errors import bad_payload, no_such_segment, wrong_verb
from .resource import RowKey, Segment, id_in_address, require_row
from .roles import assign, unassign
from .rows import row_of
from .table import Navigation, Table
from .tables import TABLES
from .users import person_for

_ASSIGNMENTS = {("systemuser", "systemuserroles"), ("team", "teamroles"), ("role", "systemuserroles"), ("role", "teamroles")}


def reference(context: Context, table: Table, row: Document, navigation: Navigation, segment: Segment, tail: list[str]) -> Response:
    """Associate and disassociate: ``…/$ref``."""
    if tail != ["$ref"]:
        raise wrong_verb(context.method, segment.name)
    if navigation.association == "members":
        return _membership(context, table, row, navigation, segment)
    if (table.logical, navigation.association) not in _ASSIGNMENTS:
        raise context.not_emulated()
    other = _other_end(context, navigation, segment)
    principal, role = (other, row) if table.logical == "role" else (row, other)
    if context.method == "POST":
        assign(context, navigation.association, principal, role)
    elif context.method == "DELETE":
        unassign(context, navigation.association, principal, role)
    else:
        raise wrong_verb(context.method, "$ref")
    return Response(204)


def _membership(context: Context, table: Table, row: Document, navigation: Navigation, segment: Segment) -> Response:
    other = _other_end(context, navigation, segment)
    team, user = (row, other) if table.logical == "team" else (other, row)
    context.access.require_on(TABLES["team"], "Write", team)
    members = [member for member in team.get("_members", []) if member != user["systemuserid"]]
    if context.method == "POST":
        members.append(user["systemuserid"])
    elif context.method != "DELETE":
        raise wrong_verb(context.method, "$ref")
    context.org.put("team", {**team, "_members": members})
    return Response(204)


def _other_end(context: Context, navigation: Navigation, segment: Segment) -> Document:
    """Find the row that a reference names: in the body, in the path, or in ``$id``."""
    target = TABLES[navigation.table]
    if context.method == "POST":
        address: Any = writing.resolve_reference(context, context.json("$ref").get("@odata.id"))
        if not isinstance(address, str) or not address.startswith(("https://", "http://")):
            raise bad_payload("$ref", "The property '@odata.id' must be an absolute address of a row.")
    elif segment.arguments is not None:
        address = f"{target.entity_set}({segment.arguments})"
    else:
        address = odata.parse_query(context.query).others.get("$id", "")
    row_id = id_in_address(address)
    if row_id is None or f"{target.entity_set}({row_id})" not in address.lower():
        raise no_such_segment(str(address).rpartition("/")[2] or "$ref")
    row = row_of(context.org, target, row_id)
    if row is None:
        raise no_such_segment(f"{target.entity_set}({row_id})")
    return row


def assign_creating_user(context: Context, table: Table, key: RowKey) -> Response:
    """Give a role through the alternate key: a user that the organisation does not know yet is created on the way."""
    navigation = table.navigation("systemuserroles_association")
    if navigation is None:
        raise no_such_segment("systemuserroles_association")
    object_id = key.alternate.get("azureactivedirectoryobjectid") if table.logical == "systemuser" else None
    row = person_for(context.org, str(object_id)) if object_id is not None else None
    row = row or require_row(context.org, table, key)
    return reference(context, table, row, navigation, Segment("systemuserroles_association"), ["$ref"])
