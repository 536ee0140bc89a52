# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ordering, cutting into pages, and picking columns."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from typing import Any

from .errors import QuerySyntaxError
from .evaluate import Document, Lookup, plain_lookup
from .options import OrderBy


def sort(documents: Iterable[Document], orderby: Sequence[OrderBy], lookup: Lookup = plain_lookup) -> list[Document]:
    """The documents in the asked order; null comes first in ascending order."""
    ordered = list(documents)
    for item in reversed(orderby):
        ordered.sort(key=lambda document, path=item.path: _sort_key(document, path, lookup), reverse=item.descending)  # type: ignore[misc]
    return ordered


def _sort_key(document: Document, path: tuple[str, ...], lookup: Lookup) -> tuple[int, Any]:
    value: Any = document
    for name in path:
        value = None if value is None else lookup(value, name)
    if value is None:
        return (0, "")
    return (1, value.lower() if isinstance(value, str) else value)


def cut(documents: Sequence[Document], start: int, size: int) -> tuple[list[Document], int | None]:
    """One page, and where the next one starts (None: this was the last)."""
    end = start + size
    return list(documents[start:end]), end if end < len(documents) else None


def project(document: Document, names: Iterable[str]) -> Document:
    """Only these members; a name that the document lacks becomes null."""
    return {name: document.get(name) for name in names}


def encode_token(state: dict[str, Any]) -> str:
    """What a service puts into ``$skiptoken``: opaque, and safe in a URL."""
    return base64.urlsafe_b64encode(json.dumps(state, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_token(token: str) -> dict[str, Any]:
    """What ``encode_token`` was given."""
    try:
        state = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except ValueError as problem:
        raise QuerySyntaxError("The value of $skiptoken is not valid.") from problem
    if not isinstance(state, dict):
        raise QuerySyntaxError("The value of $skiptoken is not valid.")
    return state


def without_token(query: str) -> list[str]:
    """The parts of a raw query string, as they came, but for ``$skiptoken``: what a link to the next page repeats."""
    return [part for part in query.split("&") if part and not part.lower().startswith(("$skiptoken=", "%24skiptoken="))]
