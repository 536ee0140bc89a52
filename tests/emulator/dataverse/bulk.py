# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``CreateMultiple``, ``UpdateMultiple`` and ``UpsertMultiple``: many rows of one table, all or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ..store import Document
from ..wire import Response
from . import writing
from .context import Context
from .errors import bad_payload, bad_query
from .present import JSON_TYPE
from .resource import RowKey, find_row, is_guid, parse_key, parse_path, require_row
from .table import Table

_PLAYED = frozenset({"account", "contact", "lead"})


def run_bulk(context: Context, table: Table, message: str) -> Response:
    """Answer one of the messages, bound to the set; the request's transaction takes everything back when one row fails."""
    if table.logical not in _PLAYED:
        raise context.not_emulated(f"{message} for {table.logical}")
    targets = context.json(message).get("Targets")
    if not isinstance(targets, list) or not targets or not all(isinstance(target, dict) for target in targets):
        raise bad_payload(message, "The parameter Targets must be a collection of rows.")
    for target in targets:
        if str(target.get("@odata.type", "")).removeprefix("#") != f"Microsoft.Dynamics.CRM.{table.logical}":
            raise bad_payload(message, f"Every item of Targets needs the @odata.type Microsoft.Dynamics.CRM.{table.logical}.")
    rows = [_WRITES[message](context, table, target) for target in targets]
    if message != "CreateMultiple":
        return Response(204)
    address = f"{context.api}/$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse"
    return Response.of_json(200, {"@odata.context": address, "Ids": [row[table.key] for row in rows]}, JSON_TYPE)


def _key(table: Table, target: dict[str, Any]) -> RowKey:
    """Find out which row an item means: by its key column, or by its address in ``@odata.id``."""
    if "@odata.id" in target:
        segment = parse_path(str(target["@odata.id"]))[-1]
        if segment.name != table.entity_set or segment.arguments is None:
            raise bad_query("Bad Request - Error in query syntax.")
        return parse_key(table, segment.arguments)
    if not is_guid(str(target.get(table.key))):
        raise bad_payload(table.entity_set, f"An item of Targets has neither {table.key} nor @odata.id.")
    return RowKey(str(target[table.key]).lower(), {})


def _update(context: Context, table: Table, target: dict[str, Any]) -> Document:
    return writing.update(context, table, require_row(context.org, table, _key(table, target)), target)


def _upsert(context: Context, table: Table, target: dict[str, Any]) -> Document:
    key = _key(table, target)
    row = find_row(context.org, table, key)
    if row is not None:
        return writing.update(context, table, row, target)
    return writing.create(context, table, target, {table.key: key.id} if key.id is not None else key.alternate)


_WRITES: Mapping[str, Callable[[Context, Table, dict[str, Any]], Document]] = MappingProxyType(
    {"CreateMultiple": writing.create, "UpdateMultiple": _update, "UpsertMultiple": _upsert}
)
MESSAGES = frozenset(_WRITES)
