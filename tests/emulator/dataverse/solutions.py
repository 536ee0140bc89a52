# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a package does to an organisation: whether it may come in, and what is there afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

from ..store import Document
from .organization import Organization, empty_row, version_numbers
from .privileges import DEPTHS, table_of_unknown
from .roles import baseline, copies_of, create_role, same_name
from .security import root_role
from .solution_package import read

HOLDING_SUFFIX = "_Upgrade"
RESTRICTED = frozenset({"active", "default", "system", "basic"})


@dataclass(frozen=True)
class Problem:
    """Why a package is refused."""

    code: str
    message: str
    missing: list[dict[str, Any]] = field(default_factory=list)
    """The missing dependencies, as the package declares them."""

    @property
    def number(self) -> int:
        """The code as the signed number that job rows show."""
        value = int(self.code, 16)
        return value - (1 << 32) if value >= 1 << 31 else value

    @property
    def detail(self) -> str:
        """The message, with the missing dependencies as XML behind it."""
        return self.message + _missing_xml(self.missing) if self.missing else self.message


def _missing_xml(missing: list[dict[str, Any]]) -> str:
    root = ET.Element("MissingDependencies")
    for item in missing:
        entry = ET.SubElement(root, "MissingDependency")
        ET.SubElement(entry, "Required", item["required"])
        ET.SubElement(entry, "Dependent", item["dependent"])
    return " " + ET.tostring(root, encoding="unicode")


def installed(org: Organization, unique_name: str) -> Document | None:
    """Find an installed solution."""
    return next((row for row in org.rows("solution") if row["uniquename"].lower() == unique_name.lower()), None)


def problem_of(org: Organization, package: Mapping[str, Any], *, upgrade: bool) -> Problem | None:
    """Find what keeps a package from being imported."""
    return (
        _identity_problem(org, package, upgrade=upgrade)
        or _dependency_problem(org, package)
        or next((problem for role in package["roles"] if (problem := _role_problem(org, package, role)) is not None), None)
    )


def _identity_problem(org: Organization, package: Mapping[str, Any], *, upgrade: bool) -> Problem | None:
    name = package["unique_name"]
    if name.lower() in RESTRICTED:
        return Problem("0x8004f007", "Solution ID provided is restricted and cannot be imported.")
    if installed(org, name + HOLDING_SUFFIX) is not None:
        return Problem("0x80048539", f"Holding solution {name}{HOLDING_SUFFIX} already exists.")
    current = installed(org, name)
    if current is None:
        return None
    if package["managed"] and not current["ismanaged"]:
        return Problem(
            "0x80048040",
            "The solution is already installed on this system as an unmanaged solution and the package supplied is attempting to install it in managed mode. "
            "Import can only update solutions when the modes match. Uninstall the current solution and try again.",
        )
    if current["ismanaged"] and not package["managed"]:
        return Problem(
            "0x80048041",
            "The solution is already installed on this system as a managed solution and the package supplied is attempting to install it in unmanaged mode. "
            "Import can only update solutions when the modes match. Uninstall the current solution and try again.",
        )
    publisher = org.row("publisher", current["_publisherid_value"]) or {"uniquename": ""}
    if publisher["uniquename"].lower() != package["publisher"]["unique_name"].lower():
        change = f"from {publisher['uniquename']} to {package['publisher']['unique_name']}"
        return Problem("0x8004801c", f"The following managed solution cannot be imported: {name}. The publisher name cannot be changed {change}.")
    return _version_problem(org, package, current, upgrade=upgrade)


def _version_problem(org: Organization, package: Mapping[str, Any], current: Document, *, upgrade: bool) -> Problem | None:
    new, old = version_numbers(package["version"]), version_numbers(current["version"])
    # Whether an update to a lower version is taken is not confirmed.
    if (upgrade and new <= old) or (not upgrade and new < old and org.switch("lower_version_update", "refuse") == "refuse"):
        return Problem("0x80048541", "The import solution must have a higher version than the existing solution it is upgrading.")
    return None


def _dependency_problem(org: Organization, package: Mapping[str, Any]) -> Problem | None:
    missing = [item for item in package["missing_dependencies"] if not _is_met(org, item["required"].get("solution", ""))]
    if not missing:
        return None
    return Problem("0x8004801d", f"The following solution cannot be imported: {package['unique_name']}. Some dependencies are missing.", missing)


def _is_met(org: Organization, wanted: str) -> bool:
    """Whether ``Name (1.2.3.4)`` is installed in that version or a higher one; the fourth number drifts and does not count."""
    name, _unused, version = wanted.partition(" (")
    found = installed(org, name)
    if found is None:
        return False
    return not version or version_numbers(found["version"])[:3] >= version_numbers(version.rstrip(") "))[:3]


def _role_problem(org: Organization, package: Mapping[str, Any], role: Mapping[str, Any]) -> Problem | None:
    for name, level in role["privileges"].items():
        privilege = org.catalogue.named(name)
        if privilege is None:
            entity = table_of_unknown(name)
            if entity is None:
                return Problem("0x80048058", f"Invalid privilege: {name}.")
            required = {"type": "1", "schemaName": entity.logical, "displayName": entity.display, "solution": "msdynce_Sales (9.0.0.0)"}
            dependent = {"type": "20", "displayName": role["name"], "id": f"{{{role['id']}}}"}
            text = f"The following solution cannot be imported: {package['unique_name']}. Some dependencies are missing."
            return Problem("0x8004801d", text, [{"required": required, "dependent": dependent}])
        if level not in DEPTHS or level not in privilege.depths:
            return Problem("0x8004140b", "Invalid privilege depth.")
    known = org.row("role", role["id"])
    if known is None and same_name(org, role["name"], org.root_unit["businessunitid"]) is not None:
        return Problem("0x80048017", "Cannot import security role. The role with specified role id is not updatable or role name is not unique.")
    return None


def apply(org: Organization, package: Mapping[str, Any], caller_id: str, *, overwrite: bool) -> Document:
    """Bring a package's components in, and return the solution's row."""
    publisher = _publisher(org, package["publisher"])
    current = installed(org, package["unique_name"])
    now = org.now_text()
    values: Document = {
        "uniquename": package["unique_name"],
        "friendlyname": package["friendly_name"],
        "description": package["description"],
        "version": package["version"],
        "ismanaged": package["managed"],
        "solutionpackageversion": package["package_version"],
        "_publisherid_value": publisher["publisherid"],
        "_modifiedby_value": caller_id,
    }
    if current is not None:
        solution = org.put("solution", {**current, **values, "updatedon": now})
    else:
        solution = org.put("solution", solution_row(org, **values, installedon=now, _createdby_value=caller_id))
    for role in package["roles"]:
        _apply_role(org, package, role, solution, overwrite=overwrite)
    _apply_components(org, package, solution)
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


def _apply_components(org: Organization, package: Mapping[str, Any], solution: Document) -> None:
    known = {row["objectid"] for row in org.rows("solutioncomponent") if row["_solutionid_value"] == solution["solutionid"]}
    for component in package["root_components"]:
        object_id = component.get("id", "").strip("{}").lower() or org.world.new_id()
        if object_id not in known:
            values = {
                "solutioncomponentid": org.world.new_id(),
                "componenttype": int(component.get("type", "0")),
                "objectid": object_id,
                "rootcomponentbehavior": int(component.get("behavior", "0")),
                "ismetadata": component.get("type") == "1",
                "_solutionid_value": solution["solutionid"],
            }
            org.put("solutioncomponent", empty_row("solutioncomponent", values))


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
        "msdyn_ispatch": False,
        "msdyn_isoverwritecustomizations": False,
        "msdyn_starttime": org.now_text(),
    }
    row = org.put("msdyn_solutionhistory", empty_row("msdyn_solutionhistory", {**fixed, **values}))
    return str(row["msdyn_solutionhistoryid"])


def install(org: Organization, content: bytes, caller_id: str) -> Document:
    """Bring a package in at once, as after a finished import."""
    package = read(content)
    problem = problem_of(org, package, upgrade=False)
    if problem is not None:
        raise ValueError(problem.detail)
    solution = apply(org, package, caller_id, overwrite=True)
    write_history(org, package, 0, msdyn_status=1, msdyn_result=True, msdyn_endtime=org.now_text(), msdyn_solutionid=solution["solutionid"])
    return solution
