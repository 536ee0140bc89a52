# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a row as services really give them: missing, null, numbers as text, names in another case. Pure functions.

What a reader needs and does not find is told as ``AnswerNotUnderstood``, never as an exception of Python's.

This file is private to the collection.
"""

from __future__ import annotations

import contextlib
import typing as t
from collections.abc import Iterator, Mapping

from ._errors import AnswerNotUnderstood
from ._odata import Row

_SHOWN = 8
"""So many of the names that are there are told."""


def value_of(row: Mapping[str, t.Any], name: str) -> t.Any:
    """The value, or None; the name is compared without regard to case if it is not there exactly so."""
    if name in row:
        return row[name]
    folded = name.lower()
    return next((value for key, value in row.items() if str(key).lower() == folded), None)


def text(row: Mapping[str, t.Any], name: str) -> str | None:
    """A text; None where it is missing or null."""
    value = value_of(row, name)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    raise _wrong(row, name, "a text")


def needed(row: Mapping[str, t.Any], name: str) -> str:
    """A text that must be there."""
    value = text(row, name)
    if not value:
        raise _wrong(row, name, "a text")
    return value


def lower(row: Mapping[str, t.Any], name: str) -> str | None:
    """An id, in lower case as ids are compared; None where it is missing, null or empty."""
    return (text(row, name) or "").lower() or None


def needed_id(row: Mapping[str, t.Any], name: str) -> str:
    """An id that must be there, in lower case."""
    return needed(row, name).lower()


def number(row: Mapping[str, t.Any], name: str) -> int | None:
    """A whole number, also one that is written as text or with a fraction of nothing; None where it is missing or null."""
    value = value_of(row, name)
    if value is None or value == "":
        return None
    if isinstance(value, int | float | str):
        with contextlib.suppress(ValueError, OverflowError):
            return int(value)
    raise _wrong(row, name, "a whole number")


def decimal(row: Mapping[str, t.Any], name: str) -> float | None:
    """A number, perhaps with a fraction, also as text; None where it is missing or null."""
    value = value_of(row, name)
    if value is None or value == "":
        return None
    if isinstance(value, int | float | str):
        with contextlib.suppress(ValueError):
            return float(value)
    raise _wrong(row, name, "a number")


def flag(row: Mapping[str, t.Any], name: str, *, default: bool = False) -> bool:
    """Yes or no, also as text, as 0 or 1, or as a managed property, whose ``Value`` it is."""
    value = value_of(row, name)
    if isinstance(value, dict):
        return flag(value, "Value", default=default)
    if value is None or value == "":
        return default
    if isinstance(value, bool | int | float):
        return bool(value)
    if isinstance(value, str) and value.strip().lower() in ("true", "false", "1", "0"):
        return value.strip().lower() in ("true", "1")
    raise _wrong(row, name, "true or false")


def inner(row: Mapping[str, t.Any], name: str) -> Row:
    """An object inside; an empty one where it is missing or null."""
    value = value_of(row, name)
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise _wrong(row, name, "an object")


def listed(row: Mapping[str, t.Any], name: str) -> list[Row]:
    """A list of objects; an empty one where it is missing or null."""
    value = value_of(row, name)
    if value is None:
        return []
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    raise _wrong(row, name, "a list of objects")


def texts(row: Mapping[str, t.Any], name: str) -> Iterator[str]:
    """A list of texts; nothing where it is missing or null."""
    value = value_of(row, name)
    if value is not None and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        raise _wrong(row, name, "a list of texts")
    yield from value or ()


def _wrong(row: Mapping[str, t.Any], name: str, form: str) -> AnswerNotUnderstood:
    """Values are not told: they can be confidential."""
    names = [str(key) for key in row if not str(key).startswith("@")]
    shown = f"{', '.join(names[:_SHOWN])}{' …' if len(names) > _SHOWN else ''}" or "nothing"
    there = value_of(row, name)
    problem = f"'{name}' is {'empty' if there in (None, '') else 'not ' + form}" if there is not None else f"there is no '{name}'"
    return AnswerNotUnderstood(
        why=f"the service's answer is not complete or has an unknown form: {problem} in a row with {shown}.",
        next_step="Run again. If it stays, look whether a proxy changes answers on the way; else report it as a bug of the collection.",
    )
