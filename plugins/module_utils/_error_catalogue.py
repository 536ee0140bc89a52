# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the services' errors mean and what to do about them: data by service, no I/O.

An entry is chosen by the error's code, by its text, or by both; the first that fits wins, so what is told by its text
stands before what is told by its code alone. Codes are compared without regard to case, because Dataverse mixes it.
Sources: Microsoft's lists of Web service error codes and of AADSTS codes, and public issues. The page
docs/docsite/rst/error_catalogue.rst is made from this (make error-page).

This file is private to the collection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ._dataverse_component_errors import DATAVERSE_COMPONENTS, DATAVERSE_OTHERWISE
from ._dataverse_errors import DATAVERSE
from ._dataverse_security_errors import DATAVERSE_SECURITY
from ._dataverse_solution_errors import DATAVERSE_SOLUTIONS
from ._entra_errors import ENTRA
from ._error_entries import Entry
from ._graph_errors import GRAPH
from ._partner_center_errors import PARTNER_CENTER
from ._power_platform_errors import POWER_PLATFORM

CATALOGUE: tuple[Entry, ...] = (
    *ENTRA,
    *DATAVERSE_SECURITY,
    *DATAVERSE_SOLUTIONS,
    *DATAVERSE_COMPONENTS,
    *DATAVERSE,
    *DATAVERSE_OTHERWISE,
    *GRAPH,
    *POWER_PLATFORM,
    *PARTNER_CENTER,
)

_BY_SERVICE: dict[str, list[tuple[frozenset[str], Entry]]] = {}
for _entry in CATALOGUE:
    _BY_SERVICE.setdefault(_entry.service, []).append((frozenset(known.lower() for known in _entry.codes), _entry))

_LONGEST = 400
"""As much of a service's own text is quoted."""


@dataclass(frozen=True)
class Explanation:
    """An entry with the words of one error filled in."""

    name: str
    meaning: str
    next_step: str


def explain(service: str, code: str, text: str) -> Explanation | None:
    """What is known about an error, or None."""
    code = code.lower()
    for known_codes, entry in _BY_SERVICE.get(service, ()):
        if known_codes and code not in known_codes:
            continue
        match = _find(entry.pattern, text if known_codes else f"{code} {text}")
        if match is None:
            continue
        words = {"message": _plain(text).rstrip(".") or "nothing more", **_words(match)}
        found = ((_find(pattern, text), sentence) for pattern, sentence in entry.details)
        told = [sentence.format(**_words(detail)) for detail, sentence in found if detail is not None]
        return Explanation(entry.name, " ".join((entry.meaning.format(**words), *told)), entry.next_step.format(**words))
    return None


def _find(pattern: str, text: str) -> re.Match[str] | None:
    return re.search(pattern, text, re.IGNORECASE | re.DOTALL)


def _words(match: re.Match[str]) -> dict[str, str]:
    return {name: _plain(value or "") for name, value in match.groupdict().items()}


def _plain(text: str) -> str:
    """One line, without the quotation marks of JSON lists, and not endless."""
    line = " ".join(text.replace('","', ", ").replace('"', "").split())
    return line if len(line) <= _LONGEST else line[:_LONGEST] + " …"
