# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a solution needs and does not find: the solutions that would bring it. Pure functions.

A package declares it in its manifest; a failed import tells it again, as XML behind the text of an error, or as a list of
solutions in words.

This file is private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import unescape

from ._plan import Json
from ._solution_package import ALWAYS_THERE, Dependency
from ._solution_versions import compare_versions

_REQUIRED = re.compile(r"<Required\s([^>]*)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_QUOTED = re.compile(r'"([A-Za-z_]\w*) \(([0-9.]+)\)"')
_LISTED = re.compile(r"following solutions? before (?:installing|importing)", re.IGNORECASE)
_SOLUTION = re.compile(r"\s*(\S[^(]*?)\s*(?:\(\s*([0-9.]+)\s*\))?\s*")


def read_missing(texts: Iterable[str]) -> tuple[Dependency, ...]:
    """The solutions that the texts of errors say are missing, each once, with the components that are needed of it."""
    found: dict[str, tuple[str, str, list[str]]] = {}
    for text in texts:
        plain = unescape(text) if "&lt;" in text else text
        for match in _REQUIRED.finditer(plain):
            given = {name.lower(): unescape(double or single) for name, double, single in _ATTRIBUTE.findall(match[1])}
            name, version = _solution(given.get("solution") or "")
            component = given.get("displayname") or given.get("schemaname") or given.get("id") or ""
            parent = given.get("parentdisplayname") or given.get("parentschemaname") or ""
            _add(found, name, version, f"{parent}.{component}" if parent and component else component)
        for name, version in _QUOTED.findall(plain) if _LISTED.search(plain) else ():
            _add(found, name, version, "")
    return tuple(Dependency(name, version, tuple(components)) for name, version, components in found.values())


def unmet(dependencies: Iterable[Dependency], installed: Mapping[str, str]) -> list[Dependency]:
    """Those that are not installed or too old; ``installed`` are versions by unique name in lower case."""
    return [
        dependency
        for dependency in dependencies
        if (there := installed.get(dependency.solution.lower())) is None or (dependency.version and compare_versions(there, dependency.version, 3) < 0)
    ]


def told(missing: Iterable[Dependency], installed: Mapping[str, str]) -> list[str]:
    """For people: each with what there is of it."""
    shown = []
    for dependency in missing:
        there = installed.get(dependency.solution.lower())
        if dependency.solution.lower() in ALWAYS_THERE:
            shown.append(f"{', '.join(dependency.components) or 'components'}, of no solution in the organisation where the package was made")
        elif there is None:
            shown.append(f"{dependency}, which is not installed")
        elif dependency.version and compare_versions(there, dependency.version, 3) < 0:
            shown.append(f"{dependency}, of which {there} is installed")
        else:
            shown.append(f"{dependency}, of which {there} is installed and lacks it")
    return shown


def to_result(missing: Iterable[Dependency], installed: Mapping[str, str]) -> list[Json]:
    """The form in a module's result."""
    return [
        {
            "solution": dependency.solution,
            "version": dependency.version,
            "installed_version": installed.get(dependency.solution.lower()),
            "components": list(dependency.components),
        }
        for dependency in missing
    ]


def _solution(text: str) -> tuple[str, str]:
    """``Name (1.2.3.4)`` in its parts."""
    match = _SOLUTION.fullmatch(text)
    return (match[1], match[2] or "") if match else ("Active", "")


def _add(found: dict[str, tuple[str, str, list[str]]], name: str, version: str, component: str) -> None:
    there = found.setdefault(name.lower(), (name, version, []))
    if version and (not there[1] or compare_versions(version, there[1]) > 0):
        there = found[name.lower()] = (name, version, there[2])
    if component and component not in there[2]:
        there[2].append(component)
