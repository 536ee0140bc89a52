# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""FetchXML: one table, its columns, conditions, order and pages. Joins and aggregates are refused loudly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from .. import odata
from ..store import Document
from ..wire import Response
from .context import PAGE_SIZE, Context
from .errors import bad_query, fault
from .present import JSON_TYPE, context_address, entity
from .table import Table

_MOST_BYTES = 32768
_ANNOTATION = "Microsoft.Dynamics.CRM."
_FETCH = frozenset("version mapping count page paging-cookie top returntotalrecordcount no-lock output-format distinct".split())


def _same(value: Any, wanted: str) -> bool:
    return _text_of(value) == wanted.strip("{}").lower()


def _text_of(value: Any) -> str:
    """A value as FetchXML writes it; booleans are 0 and 1."""
    return str(int(value) if isinstance(value, bool) else value).lower()


def _order(value: Any, wanted: str) -> int:
    if isinstance(value, (int, float)):
        return (value > float(wanted)) - (value < float(wanted))
    text, other = str(value).lower(), wanted.lower()
    return (text > other) - (text < other)


_TESTS: Mapping[str, Callable[[Any, str], bool]] = MappingProxyType(
    {
        "eq": _same,
        "lt": lambda value, wanted: _order(value, wanted) < 0,
        "le": lambda value, wanted: _order(value, wanted) <= 0,
        "gt": lambda value, wanted: _order(value, wanted) > 0,
        "ge": lambda value, wanted: _order(value, wanted) >= 0,
        "like": lambda value, wanted: odata.like(str(value), wanted),
        "begins-with": lambda value, wanted: odata.like(str(value), f"{wanted}%"),
        "ends-with": lambda value, wanted: odata.like(str(value), f"%{wanted}"),
    }
)
_OPPOSITES = MappingProxyType({"ne": "eq", "neq": "eq", "not-like": "like", "not-begin-with": "begins-with", "not-end-with": "ends-with"})


def _column(table: Table, name: str) -> str:
    found = table.by_logical_name.get(name)
    if found is None:
        raise fault(400, "0x80041103", f"'{table.display}' entity doesn't contain attribute with Name = '{name}' and NameMapping = 'Logical'.")
    return found


def _holds(context: Context, table: Table, condition: ET.Element, row: Document) -> bool:
    column, operator, wanted = _column(table, condition.get("attribute", "")), condition.get("operator", ""), condition.get("value", "")
    value = row.get(column)
    if condition.get("entityname") is not None or condition.get("valueof") is not None:
        raise context.not_emulated("FetchXML conditions on other tables or columns")
    match operator:
        case "null" | "not-null":
            return (value is None) is (operator == "null")
        case "in" | "not-in":
            listed = [item.text or "" for item in condition.findall("value")]
            return (value is not None and any(_same(value, item) for item in listed)) is (operator == "in")
        case "eq-userid" | "ne-userid":
            return (value == context.access.user_id) is (operator == "eq-userid")
    test = _TESTS.get(_OPPOSITES.get(operator, operator))
    if test is None:
        raise context.not_emulated(f"the FetchXML operator {operator}")
    # Null differs from every value, unlike in SQL; no public source of the reference says so or not.
    return (value is not None and test(value, wanted)) is (operator not in _OPPOSITES)


def _passes(context: Context, table: Table, group: ET.Element, row: Document) -> bool:
    verdicts = [_passes(context, table, part, row) if part.tag == "filter" else _holds(context, table, part, row) for part in group]
    return any(verdicts) if group.get("type") == "or" and verdicts else all(verdicts)


def _read(context: Context, table: Table, text: str) -> tuple[ET.Element, ET.Element]:
    if len(text.encode()) > _MOST_BYTES or "<!" in text:
        raise fault(400, "0x80040201", "Invalid XML.")
    try:
        fetch = ET.fromstring(text)  # noqa: S314 (without a document type there are no entities to expand)
    except ET.ParseError as problem:
        raise fault(400, "0x80040201", "Invalid XML.") from problem
    element = fetch.find("entity")
    if fetch.tag != "fetch" or element is None:
        raise fault(400, "0x80040201", "Invalid XML.")
    if element.get("name") != table.logical:
        raise bad_query(f"Invalid entity name: the fetch is for '{element.get('name')}' and the address for '{table.logical}'.")
    odd = sorted((set(fetch.keys()) - _FETCH) | ({part.tag for part in element} - {"attribute", "all-attributes", "filter", "order"}))
    if odd or fetch.get("distinct") == "true" or any(set(part.keys()) - {"name"} for part in element.findall("attribute")):
        raise context.not_emulated(f"FetchXML with {', '.join(odd) or 'distinct rows or aliases'}")
    return fetch, element


def _number(fetch: ET.Element, name: str, default: int) -> int:
    text = fetch.get(name, str(default))
    if not text.isdigit() or (name != "top" and not int(text)):
        raise bad_query(f"The value '{text}' of the fetch attribute {name} is not a positive number.")
    return int(text)


def _cookie(table: Table, page: int, rows: list[Document]) -> str:
    first, last = (f"{{{row[table.key].upper()}}}" for row in (rows[0], rows[-1]))
    inner = f"<cookie page={quoteattr(str(page))}><{table.key} last={quoteattr(last)} first={quoteattr(first)} /></cookie>"
    return f'<cookie pagenumber="{page + 1}" pagingcookie="{escape(quote(quote(inner, safe=""), safe=""))}" istracking="False" />'


def _check_cookie(text: str | None, page: int) -> None:
    if text is None or text == "":
        return
    try:
        cookie = ET.fromstring(text)  # noqa: S314 (the fetch around it was read with the same care)
    except ET.ParseError as problem:
        raise bad_query("Malformed XML in the Paging Cookie") from problem
    if cookie.tag != "cookie" or not (cookie.get("page") or "").isdigit() or page < 1:
        raise bad_query("Malformed XML in the Paging Cookie")


def fetch_rows(context: Context, table: Table, readable: list[Document], text: str) -> Response:
    """Answer ``?fetchXml=…`` over the rows that the caller may read. Nulls are left out of the rows, unlike in other queries."""
    fetch, element = _read(context, table, text)
    page, size = _number(fetch, "page", 1), min(_number(fetch, "count", PAGE_SIZE), PAGE_SIZE)
    if fetch.get("top") is not None:
        if {"page", "paging-cookie"} & set(fetch.keys()):
            raise bad_query("The top attribute can't be specified with paging attribute page")
        size = min(_number(fetch, "top", 0), PAGE_SIZE)
    _check_cookie(fetch.get("paging-cookie"), page)
    names = tuple(_column(table, part.get("name", "")) for part in element.findall("attribute")) if element.find("all-attributes") is None else ()
    orders = [odata.OrderBy((_column(table, part.get("attribute", "")),), part.get("descending") == "true") for part in element.findall("order")]
    for condition in element.iter("condition"):
        _column(table, condition.get("attribute", ""))
    kept = [row for row in readable if all(_passes(context, table, group, row) for group in element.findall("filter"))]
    kept = odata.sort(kept, orders or [odata.OrderBy((table.key,))])
    rows, following = odata.cut(kept, (page - 1) * size, size)
    query = odata.Query(select=names)
    body: dict[str, Any] = {"@odata.context": context_address(context, table, query)}
    more = following is not None and fetch.get("top") is None
    annotations: dict[str, Any] = {"morerecords": more}
    if fetch.get("returntotalrecordcount") == "true":
        annotations |= {"totalrecordcount": min(len(kept), 5000), "totalrecordcountlimitexceeded": len(kept) > 5000}
    if more:
        annotations["fetchxmlpagingcookie"] = _cookie(table, page, rows)
    body |= {f"@{_ANNOTATION}{name}": value for name, value in annotations.items() if context.prefer.wants(f"{_ANNOTATION}{name}")}
    body["value"] = [{name: value for name, value in entity(context, table, row, query).items() if value is not None} for row in rows]
    return Response.of_json(200, body, JSON_TYPE)
