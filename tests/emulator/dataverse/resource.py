# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The path of a request, in segments, keys and parameters."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from .. import odata
from ..store import Document
from .context import Context
from .errors import bad_query, fault, no_such_key, no_such_property, no_such_row
from .organization import Organization
from .rows import row_of, rows_of
from .table import Table

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_LAST_GUID = re.compile(rf"({_GUID.pattern})(?!.*{_GUID.pattern})", re.IGNORECASE)
_EMPTY_GUID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Segment:
    """One part of a path: a name, perhaps with something in parentheses."""

    name: str
    arguments: str | None = None


def is_guid(text: str) -> bool:
    """Whether a text is a GUID in its usual form."""
    return _GUID.fullmatch(text) is not None


def parse_path(raw: str) -> list[Segment]:
    """Cut a path, still percent-encoded, into segments."""
    segments = []
    try:
        pieces = odata.split_outside(raw.replace("%27", "'").replace("%28", "(").replace("%29", ")").strip("/"), "/")
    except odata.QuerySyntaxError as problem:
        raise bad_query("Bad Request - Error in query syntax.") from problem
    for piece in pieces:
        text = unquote(piece)
        name, bracket, rest = text.partition("(")
        if bracket and not rest.endswith(")"):
            raise bad_query("Bad Request - Error in query syntax.")
        segments.append(Segment(name, rest[:-1] if bracket else None))
    return segments


def parse_literal(text: str) -> Any:
    """Read a literal of a key or parameter: text, number, boolean, GUID, enumeration member, or JSON."""
    text = text.strip()
    if text.startswith("'") and text.endswith("'") and len(text) > 1:
        return text[1:-1].replace("''", "'")
    if is_guid(text):
        return text.lower()
    member = re.fullmatch(r"Microsoft\.Dynamics\.CRM\.\w+'([^']*)'", text)
    if member is not None:
        return member[1]
    try:
        return json.loads(text)
    except ValueError as problem:
        raise bad_query(f"Unrecognized literal '{text}'.") from problem


def parse_arguments(text: str) -> dict[str, str]:
    """Read ``name=value`` pairs; the values stay text."""
    try:
        pairs = odata.split_outside(text, ",") if text.strip() else []
    except odata.QuerySyntaxError as problem:
        raise bad_query("Bad Request - Error in query syntax.") from problem
    arguments = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise bad_query("Bad Request - Error in query syntax.")
        arguments[name.strip()] = value.strip()
    return arguments


def function_parameters(segment: Segment, context: Context) -> dict[str, Any]:
    """Read the parameters of a function call, inline or through aliases in the query."""
    aliases = odata.parse_query(context.query).others
    found = {}
    for name, text in parse_arguments(segment.arguments or "").items():
        if text.startswith("@"):
            if text not in aliases:
                raise bad_query(f"The parameter alias '{text}' has no value.")
            text = aliases[text]  # noqa: PLW2901 (the alias stands for its value)
        found[name] = parse_literal(text)
    return found


@dataclass(frozen=True)
class RowKey:
    """What a row is addressed by: its id, or the columns of an alternate key."""

    id: str | None
    alternate: dict[str, Any]


def parse_key(table: Table, arguments: str) -> RowKey:
    """Read the key of a row."""
    text = arguments.strip()
    if "=" not in text:
        value = text.strip("'")
        if not is_guid(value):
            raise bad_query("Bad Request - Error in query syntax.")
        return _by_id(value.lower())
    columns = {name: parse_literal(value) for name, value in parse_arguments(text).items()}
    if set(columns) == {table.key}:
        return _by_id(str(columns[table.key]))
    for name in columns:
        if name not in table.columns:
            raise no_such_property(name, table.logical)
    if tuple(sorted(columns)) not in {tuple(sorted(key)) for key in table.alternate_keys}:
        raise bad_query(f"The specified key properties are not a key defined for the {table.logical} entity.")
    return RowKey(None, columns)


def _by_id(row_id: str) -> RowKey:
    if row_id == _EMPTY_GUID:
        raise fault(400, "0x80040203", "Expected non-empty Guid.")
    return RowKey(row_id, {})


def find_row(org: Organization, table: Table, key: RowKey) -> Document | None:
    """Find the row with a key."""
    if key.id is None:
        return next((row for row in rows_of(org, table) if all(_same(row.get(name), value) for name, value in key.alternate.items())), None)
    return row_of(org, table, key.id)


def _same(stored: Any, wanted: Any) -> bool:
    return str(stored).lower() == str(wanted).lower() if isinstance(stored, str) else stored == wanted


def require_row(org: Organization, table: Table, key: RowKey) -> Document:
    """Find the row with a key, or refuse."""
    row = find_row(org, table, key)
    if row is None:
        raise no_such_key(table.logical) if key.id is None else no_such_row(table.logical, key.id)
    return row


def id_in_address(address: Any) -> str | None:
    """Take the last GUID out of the address of a row."""
    found = _LAST_GUID.search(address) if isinstance(address, str) else None
    return None if found is None else found[1].lower()
