# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One operation: from a path to the rows, functions and actions behind it."""

from __future__ import annotations

from .. import odata
from ..store import Document
from ..wire import Response
from . import writing
from .bulk import MESSAGES, run_bulk
from .context import Context
from .csdl import metadata_document
from .errors import bad_query, concurrency_mismatch, fault, no_such_row, no_such_segment, wrong_verb
from .fetchxml import fetch_rows
from .metadata import definitions
from .operations import NAMESPACE, is_operation, run_operation
from .present import JSON_TYPE, check_query, etag, list_response, single_response
from .references import assign_creating_user, reference
from .resource import RowKey, Segment, find_row, parse_key, parse_path, require_row
from .rows import related_row, related_rows, rows_of
from .table import Navigation, Table
from .tables import SETS, TABLES
from .unplayed import UNPLAYED_SETS


def run(context: Context) -> Response:
    """Answer one request below the API's root."""
    segments = parse_path(context.path)
    first = segments[0]
    if not first.name:
        return _service_document(context)
    if first.name == "$metadata":
        if "xml" not in context.headers.get("accept", "xml") and "*/*" not in context.headers.get("accept", ""):
            raise _no_such_type()
        return metadata_document(context)
    _check_accept(context)
    if first.name == "EntityDefinitions":
        return definitions(context, segments)
    table = SETS.get(first.name)
    if table is not None and context.org.has_table(table):
        return _in_set(context, table, segments)
    if is_operation(first.name):
        if len(segments) > 1:
            raise context.not_emulated()
        return run_operation(context, first)
    if table is None and first.name in UNPLAYED_SETS:
        raise context.not_emulated()
    raise no_such_segment(first.name, int(context.org.switch("unknown_segment_status", 404)))


def _no_such_type() -> Exception:
    return fault(415, "0x80060888", "A supported MIME type could not be found that matches the acceptable MIME types for the request.")


def _check_accept(context: Context) -> None:
    accepted = context.headers.get("accept", "*/*").lower()
    if not any(kind in accepted for kind in ("json", "*/*", "application/*", "multipart/mixed", "text/plain")):
        raise _no_such_type()


def _service_document(context: Context) -> Response:
    names = [table.entity_set for table in TABLES.values() if context.org.has_table(table)]
    value = [{"name": name, "kind": "EntitySet", "url": name} for name in names]
    return Response.of_json(200, {"@odata.context": f"{context.api}/$metadata", "value": value}, JSON_TYPE)


def _in_set(context: Context, table: Table, segments: list[Segment]) -> Response:
    first, rest = segments[0], segments[1:]
    if table.logical == "msdyn_solutionhistory":
        _check_history(context, first)
    if first.arguments is None:
        if not rest:
            return _collection(context, table)
        if rest == [Segment("$count")]:
            return _count(context, table, list(rows_of(context.org, table)))
        message = rest[0].name.removeprefix(NAMESPACE)
        if message in MESSAGES and rest == [Segment(NAMESPACE + message)] and context.method == "POST":
            return run_bulk(context, table, message)
        raise no_such_segment(rest[0].name) if not is_operation(rest[0].name) else context.not_emulated()
    key = parse_key(table, first.arguments)
    if not rest:
        return _row(context, table, key)
    if rest[0].name == "systemuserroles_association" and rest[1:] == [Segment("$ref")] and context.method == "POST":
        return assign_creating_user(context, table, key)
    row = require_row(context.org, table, key)
    if is_operation(rest[0].name):
        return run_operation(context, rest[0], table.logical, row)
    navigation = table.navigation(rest[0].name)
    if navigation is not None:
        return _below(context, table, row, navigation, rest)
    return _property(context, table, row, rest)


def _check_history(context: Context, segment: Segment) -> None:
    """The history is a virtual table: reading it can be refused, and not every organisation has it."""
    state = context.org.switch("solution_history", "ok")
    if state == "missing":
        raise no_such_segment(segment.name)
    privilege = context.org.catalogue.named("prvReadmsdyn_solutionhistory")
    if state == "refused" and privilege is not None:
        raise context.access.lacks(privilege)


def _readable(context: Context, table: Table, rows: list[Document]) -> list[Document]:
    """Keep the rows that the caller may read; without any right to read, refuse."""
    if table.stem:
        context.access.require(f"prvRead{table.stem}")
    return [row for row in rows if context.access.reaches(table, "Read", row)]


def _query(context: Context, table: Table) -> odata.Query:
    query = odata.parse_query(context.query)
    unknown = [name for name in query.others if name.startswith("$")]
    if unknown:
        raise bad_query(f"The query parameter '{unknown[0]}' is not supported.")
    if {"fetchXml", "savedQuery", "userQuery", "sql"} & set(query.others):
        raise context.not_emulated("FetchXML on related rows, saved queries, and SQL")
    check_query(table, query)
    return query


def _collection(context: Context, table: Table) -> Response:
    if context.method == "GET":
        if context.prefer.track_changes:
            raise context.not_emulated("change tracking")
        rows = _readable(context, table, list(rows_of(context.org, table)))
        asked = odata.parse_query(context.query).others.get("fetchXml")
        if asked is not None:
            return fetch_rows(context, table, rows, asked)
        return list_response(context, table, rows, _query(context, table), f"{context.api}/{table.entity_set}")
    if context.method == "POST":
        row = writing.create(context, table, context.json(table.entity_set))
        return writing.saved_response(context, table, row, created=True)
    raise wrong_verb(context.method, table.entity_set)


def _count(context: Context, table: Table, rows: list[Document]) -> Response:
    if context.method != "GET":
        raise wrong_verb(context.method, "$count")
    return Response(200, str(min(len(_readable(context, table, rows)), 5000)).encode(), {"content-type": "text/plain"})


def _row(context: Context, table: Table, key: RowKey) -> Response:
    match context.method:
        case "GET":
            query = _query(context, table)
            row = require_row(context.org, table, key)
            context.access.require_on(table, "Read", row)
            if context.headers.get("if-none-match", "") == etag(row):
                return Response(304, b"", {"etag": etag(row)})
            return single_response(context, table, row, query)
        case "PATCH":
            return _patch(context, table, key)
        case "DELETE":
            row = require_row(context.org, table, key)
            _check_match(context, row)
            return writing.delete(context, table, row)
        case "PUT":
            raise context.not_emulated()
    raise wrong_verb(context.method, table.entity_set)


def _check_match(context: Context, row: Document) -> None:
    wanted = context.headers.get("if-match", "*")
    if wanted != "*" and wanted != etag(row):
        raise concurrency_mismatch()


def _patch(context: Context, table: Table, key: RowKey) -> Response:
    """Update, or create what is absent unless a header forbids one of the two."""
    row = find_row(context.org, table, key)
    body = context.json(table.entity_set)
    if row is None:
        if "if-match" in context.headers:
            # The status is not confirmed.
            raise fault(int(context.org.switch("absent_if_match_status", 404)), "0x80040217", _absent(table, key))
        created = writing.create(context, table, body, {table.key: key.id} if key.id is not None else key.alternate)
        return writing.saved_response(context, table, created, created=True)
    if context.headers.get("if-none-match") == "*":
        raise fault(412, "0x80040237", "A record with matching key values already exists.")
    _check_match(context, row)
    return writing.saved_response(context, table, writing.update(context, table, row, body), created=False)


def _absent(table: Table, key: RowKey) -> str:
    return f"Entity '{table.logical}' With Id = {key.id or key.alternate} Does Not Exist"


def _property(context: Context, table: Table, row: Document, rest: list[Segment]) -> Response:
    name = rest[0].name
    if name not in table.columns:
        raise no_such_segment(name)
    if context.method in ("PUT", "DELETE") and len(rest) == 1:
        value = context.json(table.entity_set).get("value") if context.method == "PUT" else None
        writing.update(context, table, row, {name: value})
        return Response(204)
    if context.method != "GET":
        raise context.not_emulated()
    context.access.require_on(table, "Read", row)
    value = row.get(name)
    if rest[1:] == [Segment("$value")]:
        return Response(204) if value is None else Response(200, str(value).encode(), {"content-type": "text/plain"})
    if rest[1:]:
        raise no_such_segment(rest[1].name)
    if value is None:
        return Response(204)
    address = f"{context.api}/$metadata#{table.entity_set}({row[table.key]})/{name}"
    return Response.of_json(200, {"@odata.context": address, "value": value}, JSON_TYPE)


def _below(context: Context, table: Table, row: Document, navigation: Navigation, rest: list[Segment]) -> Response:
    """Answer what lies behind a navigation property of a row."""
    first, tail = rest[0], [segment.name for segment in rest[1:]]
    if tail == ["$ref"] or (tail == [] and context.method != "GET"):
        return reference(context, table, row, navigation, first, tail)
    if context.method != "GET":
        raise wrong_verb(context.method, rest[-1].name)
    context.access.require_on(table, "Read", row)
    if not navigation.many:
        if tail:
            raise context.not_emulated()
        found = related_row(context.org, navigation, row)
        if found is None:
            return Response(204)
        context.access.require_on(found[0], "Read", found[1])
        return single_response(context, found[0], found[1], _query(context, found[0]))
    target = TABLES[navigation.table]
    rows = related_rows(context.org, navigation, table, row)
    if first.arguments is not None:
        key = parse_key(target, first.arguments)
        chosen = next((other for other in rows if other[target.key] == key.id), None)
        if chosen is None:
            raise no_such_row(target.logical, str(key.id))
        return single_response(context, target, chosen, _query(context, target))
    if tail == ["$count"]:
        return _count(context, target, rows)
    if tail:
        raise no_such_segment(tail[0])
    address = f"{context.api}/{table.entity_set}({row[table.key]})/{navigation.name}"
    return list_response(context, target, _readable(context, target, rows), _query(context, target), address)
