# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OData as Dataverse and Graph speak it: literals, queries, paging. Pure functions.

This file is private to the collection.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote

from ._errors import AnswerNotUnderstood

Row = dict[str, t.Any]

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_guid(text: str) -> bool:
    """Whether the text is an id as the services write them: with hyphens, without braces."""
    return _GUID.fullmatch(text) is not None


def literal(text: str) -> str:
    """A string literal; an apostrophe inside is doubled."""
    return "'" + text.replace("'", "''") + "'"


def any_of(column: str, values: Iterable[str]) -> str:
    """A filter that fits when the column has one of the (already literal) values."""
    return " or ".join(f"{column} eq {value}" for value in values)


def query(**options: str | int | None) -> str:
    """A query string from option names without the dollar sign, percent-encoded; None is left out."""
    given = [f"${name}={quote(str(value), safe='')}" for name, value in options.items() if value is not None]
    return "?" + "&".join(given) if given else ""


def segment(text: str) -> str:
    """A value as one segment of a path."""
    return quote(text, safe="@")


def pages(get: Callable[[str], Row], url: str) -> Iterator[Row]:
    """All rows of a collection, following the next links to the letter."""
    following: str | None = url
    while following:
        page = get(following)
        rows = page.get("value")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            # Read as an empty list, it would say that nothing is there
            raise AnswerNotUnderstood(
                why="the service was asked for a list and its answer holds none.", next_step="Run again; if it stays, look whether a proxy changes answers."
            )
        yield from rows
        following = page.get("@odata.nextLink")


def last_guid(text: str) -> str:
    """The id in an ``OData-EntityId`` header: the last GUID, because a host name can hold one too."""
    found = [match.group(0) for match in _GUID.finditer(text)]
    return found[-1].lower() if found else ""
