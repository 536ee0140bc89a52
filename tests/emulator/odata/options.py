# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The query string of an OData request, read into values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from .errors import QuerySyntaxError
from .filters import Filter, parse_filter

_SYSTEM = frozenset({"$select", "$filter", "$orderby", "$top", "$skip", "$count", "$expand", "$skiptoken"})


@dataclass(frozen=True)
class OrderBy:
    """One item of ``$orderby``: a property, or a path through single navigation properties."""

    path: tuple[str, ...]
    descending: bool = False


@dataclass(frozen=True)
class Query:
    """The query options of a request, or those inside the parentheses of an ``$expand`` item."""

    select: tuple[str, ...] = ()
    filter: Filter | None = None
    orderby: tuple[OrderBy, ...] = ()
    top: int | None = None
    skip: int | None = None
    count: bool = False
    expand: tuple[Expand, ...] = ()
    skiptoken: str | None = None
    others: Mapping[str, str] = field(default_factory=dict)
    """Everything else, decoded: ``$search``, ``api-version``, parameter aliases such as ``@p``."""


@dataclass(frozen=True)
class Expand:
    """One item of ``$expand``."""

    name: str
    query: Query


def parse_query(raw: str, *, dollar_optional: bool = False) -> Query:
    """Read a raw query string. ``dollar_optional`` takes ``select=…`` for ``$select=…``, as Graph does."""
    options: dict[str, str] = {}
    for part in raw.split("&"):
        if not part:
            continue
        raw_name, _unused, raw_value = part.partition("=")
        name, value = unquote_plus(raw_name), unquote_plus(raw_value)
        if dollar_optional and f"${name.lower()}" in _SYSTEM:
            name = f"${name}"
        _add(options, name, value)
    return _query(options)


def _add(options: dict[str, str], name: str, value: str) -> None:
    key = name.strip().lower() if name.strip().startswith("$") else name
    if key in options and key.startswith("$"):
        raise QuerySyntaxError(f"Query option '{key}' was specified more than once, but it must be specified at most once.")
    options[key] = value


def _query(options: Mapping[str, str]) -> Query:
    return Query(
        select=_names(options.get("$select", "")),
        filter=parse_filter(options["$filter"]) if "$filter" in options else None,
        orderby=_orderby(options.get("$orderby", "")),
        top=_whole_number(options, "$top"),
        skip=_whole_number(options, "$skip"),
        count=_boolean(options, "$count"),
        expand=_expand(options.get("$expand", "")),
        skiptoken=options.get("$skiptoken"),
        others={name: value for name, value in options.items() if name not in _SYSTEM},
    )


def split_outside(text: str, separator: str) -> list[str]:
    """Split at separators that are neither in quotes nor inside parentheses."""
    parts: list[str] = []
    depth, quoted, start = 0, False, 0
    for position, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif not quoted and character == "(":
            depth += 1
        elif not quoted and character == ")":
            depth -= 1
        elif not quoted and depth == 0 and character == separator:
            parts.append(text[start:position])
            start = position + 1
    if quoted or depth:
        raise QuerySyntaxError(f"Found an unbalanced bracket or quote in '{text}'.")
    return [*parts, text[start:]]


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if names == ("",):
        return ()
    if not all(names) or any(" " in name for name in names):
        raise QuerySyntaxError(f"Term '{text}' is not valid in a $select or $expand expression.")
    return names


def _orderby(text: str) -> tuple[OrderBy, ...]:
    items = []
    for item in text.split(",") if text.strip() else ():
        words = item.split()
        if not words or len(words) > 2 or (len(words) == 2 and words[1].lower() not in ("asc", "desc")):
            raise QuerySyntaxError(f"Syntax error at position 0 in '{text}'.")
        items.append(OrderBy(tuple(words[0].split("/")), descending=len(words) == 2 and words[1].lower() == "desc"))
    return tuple(items)


def _expand(text: str) -> tuple[Expand, ...]:
    items = []
    for raw_item in split_outside(text, ",") if text.strip() else ():
        item = raw_item.strip()
        name, bracket, rest = item.partition("(")
        if not name or (bracket and not rest.endswith(")")):
            raise QuerySyntaxError(f"Term '{text}' is not valid in a $select or $expand expression.")
        options: dict[str, str] = {}
        for option in split_outside(rest[:-1], ";") if bracket else ():
            if option.strip():
                option_name, _unused, value = option.strip().partition("=")
                _add(options, option_name, value)
        unknown = [option for option in options if option not in _SYSTEM and option != "$levels"]
        if unknown:
            raise QuerySyntaxError(f"Term '{unknown[0]}' is not valid in a $select or $expand expression.")
        items.append(Expand(name.strip(), _query(options)))
    return tuple(items)


def _whole_number(options: Mapping[str, str], name: str) -> int | None:
    if name not in options:
        return None
    value = options[name].strip()
    if not value.isascii() or not value.isdigit():
        raise QuerySyntaxError(f"Invalid value '{value}' for {name} query option found. The {name} query option requires a non-negative integer value.")
    return int(value)


def _boolean(options: Mapping[str, str], name: str) -> bool:
    value = options.get(name, "false").strip().lower()
    if value not in ("true", "false"):
        raise QuerySyntaxError(f"Invalid value '{value}' for {name} query option found. Valid values are 'true' and 'false'.")
    return value == "true"
