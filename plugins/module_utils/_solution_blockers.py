# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a solution from being uninstalled: other solutions whose components need its components, and its patches.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ._dataverse import Dataverse
from ._errors import NotPossible, ServiceRefused
from ._odata import Row, literal, query
from ._plan import Json
from ._rows import lower, needed, needed_id, number
from ._solution_package import ALWAYS_THERE
from ._solutions import COLUMNS, FIRST_READ, InstalledSolution, read_patches

MOST_SOLUTIONS = 40
"""So many solutions are looked at for the order of removal."""
UNMANAGED_LAYER = "Active"

COMPONENT_TYPES: Mapping[int, str] = {
    1: "table",
    2: "column",
    9: "choice",
    10: "relationship",
    20: "security role",
    24: "form",
    26: "view",
    29: "process",
    59: "chart",
    60: "form",
    61: "web resource",
    62: "site map",
    66: "custom control",
    80: "model-driven app",
    90: "plug-in type",
    91: "plug-in assembly",
    92: "plug-in step",
    300: "canvas app",
    371: "connector",
    380: "environment variable",
    381: "environment variable value",
}
"""The platform's numbers for what operators meet most; the rest is shown as its number."""


@dataclass(frozen=True)
class Component:
    """A component that needs one of the solution's."""

    id: str
    type: int | None
    needs: str = ""
    """The id of the component that it needs."""

    def to_result(self) -> Json:
        """The form in a module's result."""
        return {"id": self.id, "type": component_type(self.type), "needs": self.needs}


@dataclass(frozen=True)
class Blocker:
    """A solution that must go, or let go, first."""

    unique_name: str
    friendly_name: str
    version: str
    managed: bool
    patch: bool = False
    components: tuple[Component, ...] = ()
    needed_by: frozenset[str] = frozenset()
    """The solutions that stand in the way of removing this one, in lower case."""

    def to_result(self) -> Json:
        """The form in a module's result."""
        return {
            "solution": self.unique_name,
            "friendly_name": self.friendly_name,
            "version": self.version,
            "managed": self.managed,
            "patch": self.patch,
            "components": [component.to_result() for component in self.components],
        }


def component_type(kind: int | None) -> str:
    """The kind of a component, in words where we have them."""
    return "component" if kind is None else COMPONENT_TYPES.get(kind, f"component type {kind}")


def read_dependents(api: Dataverse, unique_name: str) -> list[Component]:
    """The components elsewhere that need a component of the solution."""
    path = f"RetrieveDependenciesForUninstall(SolutionUniqueName={literal(unique_name)})"
    rows = api.rows(path, doing=f"read what depends on {unique_name}")
    found = (
        Component(needed_id(row, "dependentcomponentobjectid"), number(row, "dependentcomponenttype"), lower(row, "requiredcomponentobjectid") or "")
        for row in rows
    )
    return list(dict.fromkeys(found))


def read_blockers(api: Dataverse, solution: InstalledSolution) -> list[Blocker]:
    """All solutions that stand in the way, in the order in which to remove them."""
    found: dict[str, Blocker] = {}
    waiting = [solution]
    while waiting and len(found) < MOST_SOLUTIONS:
        looked_at = waiting.pop(0)
        direct = _direct(api, looked_at, without={looked_at.unique_name.lower()})
        for blocker, owner in direct:
            key = blocker.unique_name.lower()
            if key not in found:
                found[key] = blocker
                if owner is not None and key != solution.unique_name.lower():
                    waiting.append(owner)
            elif looked_at is solution:
                found[key] = replace(found[key], components=blocker.components)
        if looked_at is not solution:
            key = looked_at.unique_name.lower()
            found[key] = replace(found[key], needed_by=frozenset(blocker.unique_name.lower() for blocker, _owner in direct))
    found.pop(solution.unique_name.lower(), None)
    return removal_order(found.values())


def removal_order(blockers: Iterable[Blocker]) -> list[Blocker]:
    """What nothing else needs comes first; a circle is left in the order of names."""
    left = {blocker.unique_name.lower(): blocker for blocker in sorted(blockers, key=lambda item: (not item.patch, item.unique_name.lower()))}
    ordered: list[Blocker] = []
    while left:
        free = [key for key, blocker in left.items() if not (blocker.needed_by - {key}) & left.keys()]
        ordered += [left.pop(key) for key in free or [next(iter(left))]]
    return ordered


def refused(solution: InstalledSolution, blockers: list[Blocker]) -> NotPossible:
    """The refusal, with what to remove in which order."""
    told = "; ".join(_told(blocker) for blocker in blockers)
    return NotPossible(
        doing=f"uninstall the solution {solution.unique_name}",
        why=f"other things in the organisation need it: {told}.",
        next_step="Remove these first, in this order, or take their components' dependencies away, then run again.",
        facts={"blockers": [blocker.to_result() for blocker in blockers]},
    )


def _told(blocker: Blocker) -> str:
    if blocker.patch:
        return f"{blocker.unique_name} {blocker.version}, which is a patch of it"
    kinds = [component_type(component.type) for component in blocker.components]
    counted = ", ".join(f"{name}: {kinds.count(name)}" for name in dict.fromkeys(kinds))
    shown = "unmanaged customizations" if blocker.unique_name == UNMANAGED_LAYER else f"{blocker.unique_name} {blocker.version}"
    return f"{shown} ({counted})" if counted else shown


def _direct(api: Dataverse, solution: InstalledSolution, without: set[str]) -> list[tuple[Blocker, InstalledSolution | None]]:
    """The solutions that own what depends on this one, and its patches."""
    components = read_dependents(api, solution.unique_name)
    owners = _owners(api, [component.id for component in components])
    grouped: dict[str, tuple[InstalledSolution | None, list[Component]]] = {}
    for component in components:
        mine = [owner for owner in owners.get(component.id, []) if owner.unique_name.lower() not in {*ALWAYS_THERE, *without}]
        holders: list[InstalledSolution | None] = [*mine] or [None]
        for owner in holders:
            grouped.setdefault(owner.unique_name if owner else UNMANAGED_LAYER, (owner, []))[1].append(component)
    found: list[tuple[Blocker, InstalledSolution | None]] = []
    for name, (owning, held) in grouped.items():
        if owning is None:
            found.append((Blocker(name, "Unmanaged customizations", "", managed=False, components=tuple(held)), None))
        else:
            found.append((Blocker(name, owning.friendly_name, owning.version, owning.managed, components=tuple(held)), owning))
    patches = [patch for patch in read_patches(api, solution) if patch.unique_name.lower() not in without]
    found.extend((Blocker(patch.unique_name, patch.friendly_name, patch.version, patch.managed, patch=True), patch) for patch in patches)
    return found


def _owners(api: Dataverse, component_ids: list[str]) -> dict[str, list[InstalledSolution]]:
    """Which solutions each component belongs to."""
    wanted = list(dict.fromkeys(component_ids))
    rows: list[Row] = []
    try:
        for first in range(0, len(wanted), FIRST_READ):
            listed = " or ".join(f"objectid eq {name}" for name in wanted[first : first + FIRST_READ])
            path = "solutioncomponents" + query(select="objectid,componenttype,_solutionid_value", filter=listed)
            rows += api.rows(path, doing="read which solutions own the dependent components")
    except ServiceRefused as error:
        if error.status == 403:  # the blockers are known all the same; only their owners are not
            return {}
        raise
    solutions = {found.solution_id.lower(): found for found in _by_id(api, [needed(row, "_solutionid_value") for row in rows])}
    owners: dict[str, list[InstalledSolution]] = {}
    for row in rows:
        owner = solutions.get(needed_id(row, "_solutionid_value"))
        if owner is not None:
            owners.setdefault(needed_id(row, "objectid"), []).append(owner)
    return owners


def _by_id(api: Dataverse, ids: list[str]) -> list[InstalledSolution]:
    wanted = list(dict.fromkeys(ids))
    found: list[InstalledSolution] = []
    for first in range(0, len(wanted), FIRST_READ):
        listed = " or ".join(f"solutionid eq {name}" for name in wanted[first : first + FIRST_READ])
        path = "solutions" + query(select=COLUMNS, filter=listed)
        found += [InstalledSolution.from_row(row) for row in api.rows(path, doing="read the solutions that own the dependent components")]
    return found
