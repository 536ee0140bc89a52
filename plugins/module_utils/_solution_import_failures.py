# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error that tells of a failed import: the first cause in plain words, what is missing, what failed. Pure functions.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from ._error_catalogue import Explanation, explain
from ._errors import ServiceRefused
from ._solution_import_results import ComponentResult, ImportEnd
from ._solution_missing import read_missing
from ._solution_package import Dependency

GENERIC = frozenset({"solution-import-failed"})
"""Entries of the catalogue that only repeat that the import failed."""
MANIFEST_FAILED = "Solution manifest import: FAILURE:"
"""So the texts of failed system jobs begin; it says nothing."""
SHOWN = 5
"""So many failed components are told in the message; the result has all."""


def failure(end: ImportEnd, doing: str, facts: dict[str, t.Any]) -> ServiceRefused:
    """The error that tells of a failed import."""
    known, cause = _cause(end)
    if end.canceled:
        why, next_step = "somebody cancelled the import while it ran.", "Find out who and why (Solution history shows it), then run again."
    else:
        said = _sentence(end.message) or "the organisation says only that the import failed."
        at = f" It failed at the {cause.type} {cause.name or '(no name)'}." if cause and known else ""
        why = f"the import ran and failed: {said}"
        if known and known.name not in GENERIC:
            why = f"the import ran and failed.{at} {known.meaning.strip()} The organisation says: {said}"
        next_step = known.next_step if known else "Correct what the organisation names, then run again; Solution history has the details."
    failed = [item for item in end.components if item.result == "failure" and _sentence(item.text).rstrip(".") not in end.message]
    if failed:
        shown = "; ".join(f"{item.type} {item.name or '(no name)'} ({item.code or 'no code'}): {_sentence(item.text)}" for item in failed[:SHOWN])
        why += f" Failed components: {shown}{f' … and {len(failed) - SHOWN} more.' if len(failed) > SHOWN else ''}"
    return ServiceRefused(
        doing=doing,
        why=why,
        next_step=next_step,
        service="dataverse",
        code=(cause.code if cause and known else "") or end.code,
        catalogue=known.name if known else "",
        message=end.message,
        facts={**facts, "components": [component.to_result() for component in end.components]},
    )


def missing_of(end: ImportEnd) -> tuple[Dependency, ...]:
    """The solutions that the import says are missing."""
    return read_missing([end.message, *(component.text for component in end.components)])


def _cause(end: ImportEnd) -> tuple[Explanation | None, ComponentResult | None]:
    """What is known of the first error that says more than that the import failed, and the component that it is about."""
    first: Explanation | None = None
    for code, text, component in _errors(end):
        known = explain("dataverse", code, text)
        if known and known.name not in GENERIC:
            return known, component
        first = first or (known if component is None else None)
    return first, None


def _errors(end: ImportEnd) -> Iterator[tuple[str, str, ComponentResult | None]]:
    yield end.code, end.message, None
    yield from ((item.code, item.text, item) for item in end.components if item.result == "failure" and item.code != end.code)


def _sentence(text: str) -> str:
    """Without the XML that the service appends to some texts, and not endless."""
    plain = " ".join(text.split("<", 1)[0].split()).removeprefix(MANIFEST_FAILED).lstrip()
    shown = plain if len(plain) <= 600 else plain[:600] + " …"
    return shown if not shown or shown.endswith((".", "…", "!", "?")) else shown + "."
