# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking solutions away: what depends on them, what goes with them, and how an upgrade takes the place of the old version."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..store import Document
from .component_rows import COMPONENT_TYPES, remove_row
from .organization import Organization
from .roles import delete_role_tree
from .solution_problems import BASE_MISSING, HOLDING_SUFFIX, Problem, installed
from .solutions import apply, components_of, object_id

_NAMESPACE = uuid.UUID("2c9c1c3e-52f1-4f53-a1d3-2f4be7a0d6c4")
_NAMES = {"1": "Entity", "2": "Attribute", "9": "OptionSet", "20": "Role", "26": "SavedQuery", "29": "Workflow", "61": "WebResource", "91": "PluginAssembly"}
_NOTHING = "00000000-0000-0000-0000-000000000000"


def dependencies_on(org: Organization, solution: Document, within: Collection[str] | None = None) -> Iterator[tuple[Mapping[str, Any], Document]]:
    """Iterate over what other installed solutions declared to need of this one (of the components ``within``), and who does."""
    if not solution["ismanaged"]:
        return
    own = {solution["uniquename"].lower(), solution["uniquename"].lower() + HOLDING_SUFFIX.lower()}
    for other in org.rows("solution"):
        for item in other.get("_requires", ()) if other["uniquename"].lower() not in own else ():
            name = item["required"].get("solution", "").partition(" (")[0]
            if name.lower() == solution["uniquename"].lower() and (within is None or object_id(org, item["required"]) in within):
                yield item, other


def dependency_row(org: Organization, item: Mapping[str, Any], solution: Document, other: Document) -> Document:
    """Make the row of ``dependencies`` for one dependency."""
    required, dependent = object_id(org, item["required"]), object_id(org, item["dependent"])
    return {
        "dependencyid": str(uuid.uuid5(_NAMESPACE, f"{required}:{dependent}")),
        "dependencytype": 2,
        "requiredcomponenttype": int(item["required"].get("type", "0")),
        "requiredcomponentobjectid": required,
        "requiredcomponentparentid": _NOTHING,
        "requiredcomponentbasesolutionid": solution["solutionid"],
        "requiredcomponentintroducedversion": None,
        "_requiredcomponentnodeid_value": str(uuid.uuid5(_NAMESPACE, required)),
        "dependentcomponenttype": int(item["dependent"].get("type", "0")),
        "dependentcomponentobjectid": dependent,
        "dependentcomponentparentid": _NOTHING,
        "dependentcomponentbasesolutionid": other["solutionid"],
        "_dependentcomponentnodeid_value": str(uuid.uuid5(_NAMESPACE, dependent)),
        "versionnumber": other["versionnumber"],
    }


def removal_problem(org: Organization, solution: Document, within: Collection[str] | None = None) -> Problem | None:
    """Find what keeps a solution, or some of its components, from being removed."""
    if within is None:
        patches = [row["uniquename"] for row in org.rows("solution") if row["_parentsolutionid_value"] == solution["solutionid"]]
        if patches:
            return Problem("0x80048538", f"Cannot modify solution because it has the following patches: {', '.join(patches)}.")
    found = [item for item, _unused in dependencies_on(org, solution, within)]
    if not found:
        return None
    lines = [f"Solution dependencies exist, cannot uninstall. DependencyCount : {len(found)}"]
    for item in found:
        required, dependent = item["required"], item["dependent"]
        lines.append(f"RequiredComponentObject details: {_described(org, required)}")
        lines.append(f"DependentComponentObject details: {_described(org, dependent)}")
        lines.append("DependencyType: Published")
    return Problem("0x8004f01d", "\n".join(lines))


def _described(org: Organization, attributes: Mapping[str, str]) -> str:
    name = attributes.get("displayName") or attributes.get("schemaName")
    kind = _NAMES.get(attributes.get("type", ""), attributes.get("type", ""))
    return f"Type: {kind}, {f'ObjectName: {name}, ' if name else ''}Id: {object_id(org, attributes)}"


def remove(org: Organization, solution: Document) -> None:
    """Take a solution away: a managed one takes its components along, an unmanaged one leaves them."""
    for component in components_of(org, solution):
        _remove_component(org, component, managed=solution["ismanaged"])
    org.remove("solution", solution["solutionid"])


def _remove_component(org: Organization, component: Document, *, managed: bool) -> None:
    org.remove("solutioncomponent", component["solutioncomponentid"])
    key = component["objectid"]
    holder = next((row for row in org.rows("solutioncomponent") if row["objectid"] == key), None)
    if not managed:
        return
    role = org.row("role", key) if component["componenttype"] == 20 else None
    table = next((name for name, number in COMPONENT_TYPES.items() if number == component["componenttype"]), None)
    if holder is not None:
        # Another solution has it too: it stays, as that one's.
        for name in ("role", table) if role is not None else (table,):
            row = org.row(name, key) if name else None
            if name and row is not None:
                org.put(name, {**row, "solutionid": holder["_solutionid_value"]})
    elif role is not None:
        delete_role_tree(org, role)
    elif table is not None:
        remove_row(org, table, key)


def promotion_problem(org: Organization, name: str) -> Problem | None:
    """Find what keeps the upgrade of a solution from being applied, before anything is done."""
    if installed(org, name + HOLDING_SUFFIX) is None:
        if name.lower().endswith(HOLDING_SUFFIX.lower()) and installed(org, name) is not None:
            return Problem("0x8004853c", '"To use this action, you must first select the old solution and then try again."')
        return Problem("0x8004853b", f'"The {name} solution doesn\u2019t have an upgrade that is ready to be applied."')
    if installed(org, name) is None:
        return Problem(BASE_MISSING, f"The upgrade of {name} cannot be applied because the solution that it upgrades is missing.")
    return None


def promote(org: Organization, name: str, caller_id: str, *, overwrite: bool) -> Problem | Document:
    """Put a holding solution in the place of the old version; old components that it lacks go."""
    problem = promotion_problem(org, name)
    old, new = installed(org, name), installed(org, name + HOLDING_SUFFIX)
    if problem is not None or old is None or new is None:
        return problem or Problem("0x8004853b", name)
    kept = {row["objectid"] for row in components_of(org, new)}
    gone = [row for row in components_of(org, old) if row["objectid"] not in kept]
    problem = removal_problem(org, old, {row["objectid"] for row in gone})
    if problem is not None:
        return Problem("0x8004f046", f"Solution Upgrade action failed after import as holding. InnerException is: {problem.message}.")
    solution = apply(org, new["_package"], caller_id, overwrite=overwrite)
    for component in gone:
        _remove_component(org, component, managed=old["ismanaged"])
    for patch in [row for row in org.rows("solution") if row["_parentsolutionid_value"] == old["solutionid"]]:
        remove(org, patch)
    remove(org, new)
    if org.switch("promoted_solution_id", "old") == "new":
        solution = _renumbered(org, solution, new["solutionid"])
    return solution


def _renumbered(org: Organization, solution: Document, row_id: str) -> Document:
    """Give the upgraded solution the id of the holding one; which of both it has is not confirmed."""
    for component in components_of(org, solution):
        org.put("solutioncomponent", {**component, "_solutionid_value": row_id})
        for table in ("role", *COMPONENT_TYPES):
            row = org.row(table, component["objectid"])
            if row is not None:
                org.put(table, {**row, "solutionid": row_id})
    org.remove("solution", solution["solutionid"])
    return org.put("solution", {**solution, "solutionid": row_id})
