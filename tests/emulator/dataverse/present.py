# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows as JSON: etags, chosen columns, annotations, expanded rows, context addresses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from .. import odata
from ..store import Document
from ..wire import Response
from .choices import choices
from .context import PAGE_SIZE, Context
from .errors import bad_query, no_such_property
from .rows import Reader, check_path, related_row, related_rows
from .table import Table
from .tables import TABLES

JSON_TYPE = "application/json; odata.metadata=minimal"
_FORMATTED = "OData.Community.Display.V1.FormattedValue"
_LOGICAL_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"
_NAVIGATION = "Microsoft.Dynamics.CRM.associatednavigationproperty"


def etag(row: Document) -> str:
    """Make a row's entity tag."""
    return f'W/"{row.get("versionnumber", 0)}"'


def check_query(table: Table, query: odata.Query) -> None:
    """Refuse names that the table does not have."""
    if query.skip is not None:
        raise bad_query("Skip Clause is not supported in CRM")
    for name in query.select:
        if name not in table.columns:
            raise no_such_property(name, table.logical)
    for item in query.orderby:
        check_path(table, item.path)
    for path in odata.property_paths(query.filter) if query.filter is not None else ():
        check_path(table, path)
    for expand in query.expand:
        navigation = table.navigation(expand.name)
        if navigation is None:
            raise no_such_property(expand.name, table.logical)
        check_query(TABLES["systemuser" if navigation.table == "principal" else navigation.table], expand.query)


def narrowed(context: Context, table: Table, rows: Sequence[Document], query: odata.Query) -> list[Document]:
    """Apply $filter and $orderby."""
    reader = Reader(context.org)
    kept = [reader.view(table, row) for row in rows]
    if query.filter is not None:
        expression = query.filter
        kept = [row for row in kept if odata.matches(expression, row, reader.lookup, wildcards=True)]
    return odata.sort(kept, query.orderby, reader.lookup)


def entity(context: Context, table: Table, row: Document, query: odata.Query) -> dict[str, Any]:
    """Show one row."""
    names = (*query.select, *(() if table.key in query.select else (table.key,))) if query.select else tuple(table.columns)
    shown: dict[str, Any] = {"@odata.etag": etag(row)}
    for name in names:
        if context.prefer.annotations:
            shown.update(_annotations(context, table, row, name))
        shown[name] = row.get(name)
    for expand in query.expand:
        shown[expand.name] = _expanded(context, table, row, expand)
    return shown


def _expanded(context: Context, table: Table, row: Document, expand: odata.Expand) -> Any:
    navigation = table.navigation(expand.name)
    if navigation is None:
        raise no_such_property(expand.name, table.logical)
    if not navigation.many:
        found = related_row(context.org, navigation, row)
        if found is None or not context.access.reaches(found[0], "Read", found[1]):
            return None
        return entity(context, *found, expand.query)
    target = TABLES[navigation.table]
    if target.stem:
        context.access.require(f"prvRead{target.stem}")
    rows = [other for other in related_rows(context.org, navigation, table, row) if context.access.reaches(target, "Read", other)]
    return [entity(context, target, other, expand.query) for other in narrowed(context, target, rows, expand.query)[: expand.query.top]]


def _annotations(context: Context, table: Table, row: Document, name: str) -> dict[str, Any]:
    value = row.get(name)
    if value is None:
        return {}
    found: dict[str, Any] = {}
    navigation = next((item for item in table.navigations if item.lookup == name and not item.many), None)
    label: str | None = None
    if navigation is not None:
        target = related_row(context.org, navigation, row)
        if target is not None:
            label = target[1].get(target[0].primary_name)
            found[_LOGICAL_NAME] = target[0].logical
            found[_NAVIGATION] = navigation.name
    elif isinstance(value, bool):
        label = "Yes" if value else "No"
    elif isinstance(value, int):
        label = choices(table.logical, name).get(value) or f"{value:,}"
    elif table.columns.get(name) == "DateTimeOffset":
        label = str(value).replace("T", " ").removesuffix("Z")
    if label is not None:
        found[_FORMATTED] = label
    return {f"{name}@{key}": item for key, item in found.items() if context.prefer.wants(key)}


def context_address(context: Context, table: Table, query: odata.Query, *, single: bool = False) -> str:
    """Write the @odata.context of rows of a table."""
    names = _context_names(query)
    return f"{context.api}/$metadata#{table.entity_set}{f'({names})' if names else ''}{'/$entity' if single else ''}"


def _context_names(query: odata.Query) -> str:
    return ",".join((*query.select, *(f"{item.name}({_context_names(item.query)})" for item in query.expand)))


def single_response(context: Context, table: Table, row: Document, query: odata.Query, status: int = 200) -> Response:
    """Answer with one row."""
    body = {"@odata.context": context_address(context, table, query, single=True), **entity(context, table, row, query)}
    return Response.of_json(status, body, JSON_TYPE, etag=etag(row))


def list_response(context: Context, table: Table, rows: Sequence[Document], query: odata.Query, address: str) -> Response:
    """Answer with a page of rows; ``address`` is the collection's own URL."""
    kept = narrowed(context, table, rows, query)
    total = len(kept)
    size = context.prefer.page_size
    if size is None:
        kept = kept[: query.top]
    start, page_number = _position(query)
    page, following = odata.cut(kept, start, size or PAGE_SIZE)
    body: dict[str, Any] = {"@odata.context": context_address(context, table, query)}
    if query.count:
        body["@odata.count"] = min(total, 5000)
    if context.prefer.wants("Microsoft.Dynamics.CRM.totalrecordcount"):
        body["@Microsoft.Dynamics.CRM.totalrecordcount"] = min(total, 5000) if query.count else -1
        body["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] = query.count and total > 5000
    body["value"] = [entity(context, table, row, query) for row in page]
    if following is not None:
        body["@odata.nextLink"] = f"{address}?{_next_query(context.query, following, page_number + 1)}"
    return Response.of_json(200, body, JSON_TYPE)


def _position(query: odata.Query) -> tuple[int, int]:
    """Read where the page starts from $skiptoken, which is XML, percent-encoded twice in a URL."""
    if query.skiptoken is None:
        return 0, 1
    token = query.skiptoken
    prefix, suffix = "%3Ccookie%20pagenumber=%22", "%22%20istracking=%22False%22%20/%3E"
    number, separator, rest = token.removeprefix(prefix).partition("%22%20pagingcookie=%22")
    if not token.startswith(prefix) or not separator or not rest.endswith(suffix) or not number.isdigit():
        raise bad_query("Malformed XML in the Paging Cookie")
    try:
        state = odata.decode_token(rest.removesuffix(suffix))
        return int(state["start"]), int(number)
    except (odata.QuerySyntaxError, KeyError, ValueError) as problem:
        raise bad_query("Malformed XML in the Paging Cookie") from problem


def _next_query(raw: str, start: int, page_number: int) -> str:
    cookie = f'<cookie pagenumber="{page_number}" pagingcookie="{odata.encode_token({"start": start})}" istracking="False" />'
    return "&".join([*odata.without_token(raw), "$skiptoken=" + quote(quote(cookie, safe="=/"), safe="=/")])
