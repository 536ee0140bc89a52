# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a package makes of an organisation: the rows that are there afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from ..store import Document
from .component_rows import COMPONENT_TYPES, apply_component_rows
from .organization import Organization, empty_row
from .roles import baseline, copies_of, create_role
from .security import root_role
from .solution_package import read
from .solution_problems import HOLDING_SUFFIX, installed, problem_of

_NAMESPACE = uuid.UUID("6f4c3f0e-8f5b-4a3a-9d0f-0e6a1d5c7b21")


def apply(org: Organization, package: Mapping[str, Any], caller_id: str, *, overwrite: bool, holding: bool = False) -> Document:
    """Bring a package's components in, and return the solution's row; ``holding`` keeps them beside those of the old version."""
    publisher = _publisher(org, package["publisher"])
    name = package["unique_name"] + (HOLDING_SUFFIX if holding else "")
    current = installed(org, name)
    parent = installed(org, package["parent"]) if package.get("parent") else None
    now = org.now_text()
    values: Document = {
        "uniquename": name,
        "friendlyname": package["friendly_name"],
        "description": package["description"],
        "version": package["version"],
        "ismanaged": package["managed"],
        "solutionpackageversion": package["package_version"],
        "_publisherid_value": publisher["publisherid"],
        "_parentsolutionid_value": None if parent is None else parent["solutionid"],
        "_modifiedby_value": caller_id,
        "_requires": package["missing_dependencies"],
    }
    if holding:
        values["_package"] = dict(package)
    if current is not None and not current.get("_early"):
        solution = org.put("solution", {**current, **values, "updatedon": now})
    else:
        first = current or solution_row(org, installedon=now, _createdby_value=caller_id)
        solution = org.put("solution", {**first, **values, "_early": False})
    for role in package["roles"]:
        if not holding or org.row("role", role["id"]) is None:
            _apply_role(org, package, role, solution, overwrite=overwrite)
    _apply_components(org, solution, component_ids(org, package, apply_component_rows(org, package, solution, caller_id)))
    return solution


def solution_row(org: Organization, **values: Any) -> Document:
    """Make a row of ``solutions``."""
    fixed = {"solutionid": org.world.new_id(), "isvisible": True, "isapimanaged": False, "_organizationid_value": org.id, "solutionpackageversion": "9.2"}
    return empty_row("solution", {**fixed, **values})


def _publisher(org: Organization, wanted: Mapping[str, Any]) -> Document:
    found = next((row for row in org.rows("publisher") if row["uniquename"].lower() == wanted["unique_name"].lower()), None)
    if found is not None:
        return found
    return org.put(
        "publisher",
        publisher_row(
            org,
            uniquename=wanted["unique_name"],
            friendlyname=wanted["friendly_name"],
            description=wanted["description"],
            customizationprefix=wanted["prefix"],
            customizationoptionvalueprefix=wanted["option_prefix"],
        ),
    )


def publisher_row(org: Organization, **values: Any) -> Document:
    """Make a row of ``publishers``."""
    fixed = {"publisherid": org.world.new_id(), "isreadonly": False, "_organizationid_value": org.id}
    return empty_row("publisher", {**fixed, **values})


def _apply_role(org: Organization, package: Mapping[str, Any], role: Mapping[str, Any], solution: Document, *, overwrite: bool) -> None:
    wanted = {}
    for name, level in role["privileges"].items():
        privilege = org.catalogue.named(name)
        if privilege is None:
            raise LookupError(name)
        wanted[privilege.id] = level
    customizable = role["customizable"] and bool(org.switch("lead_role_customizable", default=True))
    current = org.row("role", role["id"])
    if current is None:
        create_role(
            org,
            role["name"],
            org.root_unit["businessunitid"],
            wanted,
            role_id=role["id"],
            solution_id=solution["solutionid"],
            managed=package["managed"],
            customizable=customizable,
            isinherited=role["inherited"],
        )
        return
    root = root_role(org, current)
    # What was changed by hand is a layer above the package's; overwriting takes the layer away (not confirmed, hence the switch).
    keep = {} if overwrite and org.switch("overwrite_reverts", default=True) else root["_privileges"]
    org.put("role", {**root, "_privileges": {**wanted, **keep, **baseline(org)}})
    for copy in copies_of(org, root):
        org.put("role", {**copy, "name": role["name"]})


def object_id(org: Organization, attributes: Mapping[str, str]) -> str:
    """The id of a component that a package names: as given, or made from type and schema name, other in each organisation."""
    given = attributes.get("id", "").strip("{}").lower()
    return given or str(uuid.uuid5(_NAMESPACE, f"{org.id}:{attributes.get('type', '0')}:{attributes.get('schemaName', '').lower()}"))


def component_ids(org: Organization, package: Mapping[str, Any], rows: Mapping[str, str]) -> dict[str, Document]:
    """List a package's components by their id; ``rows`` are those that have rows of their own, with their tables."""
    named = {object_id(org, item): item for item in package["root_components"]}
    extra = {row_id: {"type": str(COMPONENT_TYPES[table])} for row_id, table in rows.items()}
    return {
        key: {
            "componenttype": int(item.get("type", "0")),
            "objectid": key,
            "rootcomponentbehavior": int(item.get("behavior", "0")),
            "ismetadata": item.get("type") == "1",
            "_schema_name": item.get("schemaName", ""),
        }
        for key, item in {**named, **extra}.items()
    }


def _apply_components(org: Organization, solution: Document, wanted: Mapping[str, Document]) -> None:
    known = {row["objectid"] for row in components_of(org, solution)}
    for key, values in wanted.items():
        if key not in known:
            fixed = {"solutioncomponentid": org.world.new_id(), "_solutionid_value": solution["solutionid"]}
            org.put("solutioncomponent", empty_row("solutioncomponent", {**fixed, **values}))


def components_of(org: Organization, solution: Document) -> list[Document]:
    """List the rows of ``solutioncomponents`` of one solution."""
    return [row for row in org.rows("solutioncomponent") if row["_solutionid_value"] == solution["solutionid"]]


def write_history(org: Organization, package: Mapping[str, Any], operation: int, **values: Any) -> str:
    """Write a row of the solution history and return its id (operation 0 import, 1 uninstall)."""
    fixed = {
        "msdyn_solutionhistoryid": org.world.new_id(),
        "msdyn_activityid": org.world.new_id(),
        "msdyn_name": package["unique_name"],
        "msdyn_solutionversion": package["version"],
        "msdyn_ismanaged": package["managed"],
        "msdyn_publishername": package["publisher"]["unique_name"],
        "msdyn_operation": operation,
        "msdyn_suboperation": 1,
        "msdyn_ispatch": bool(package.get("parent")),
        "msdyn_isoverwritecustomizations": False,
        "msdyn_starttime": org.now_text(),
    }
    row = org.put("msdyn_solutionhistory", empty_row("msdyn_solutionhistory", {**fixed, **values}))
    return str(row["msdyn_solutionhistoryid"])


def install(org: Organization, content: bytes, caller_id: str) -> Document:
    """Bring a package in at once, as after a finished import."""
    package = read(content)
    problem = problem_of(org, package)
    if problem is not None:
        raise ValueError(problem.detail)
    solution = apply(org, package, caller_id, overwrite=True)
    write_history(org, package, 0, msdyn_status=1, msdyn_result=True, msdyn_endtime=org.now_text(), msdyn_solutionid=solution["solutionid"])
    return solution
