# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a package may come in: what the organisation refuses, with code and text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

from ..store import Document
from .component_rows import unconnected
from .organization import Organization, version_numbers
from .privileges import DEPTHS, table_of_unknown
from .roles import same_name

HOLDING_SUFFIX = "_Upgrade"
BASE_MISSING = "0x8004f083"
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


def problem_of(org: Organization, package: Mapping[str, Any], *, upgrade: bool = False, holding: bool = False) -> Problem | None:
    """Find what keeps a package from being imported: as an update, as an upgrade, or to be held beside the old version."""
    return (
        _identity_problem(org, package, upgrade=upgrade or (holding and org.switch("holding_version_rule", "higher") == "higher"))
        or (_base_problem(org, package) if holding else None)
        or _patch_problem(org, package)
        or _connection_problem(org, package)
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


def _base_problem(org: Organization, package: Mapping[str, Any]) -> Problem | None:
    """What happens to a holding solution without an old version is not confirmed."""
    if installed(org, package["unique_name"]) is not None or org.switch("holding_without_base", "refuse") == "install":
        return None
    return Problem(BASE_MISSING, f"The solution {package['unique_name']} cannot be held for an upgrade because no earlier version is installed.")


def _patch_problem(org: Organization, package: Mapping[str, Any]) -> Problem | None:
    parent = package.get("parent")
    if parent is None:
        return None
    if installed(org, parent) is None:
        text = f"You can't import the patch ({package['unique_name']}) for the solution ({parent}) because the solution isn't present."
        return Problem("0x80048540", f"{text} The operation has been canceled.")
    current = installed(org, package["unique_name"])
    if current is not None and version_numbers(current["version"]) == version_numbers(package["version"]):
        return Problem("0x8004f042", f"Solution patch with version {current['version']} already exists. Updating patch is not supported.")
    return None


def _connection_problem(org: Organization, package: Mapping[str, Any]) -> Problem | None:
    """An import through the API is said to leave references without a connection; a refusal is a switch."""
    if org.switch("missing_connection", "ok") != "refuse":
        return None
    missing = unconnected(org, package)
    return Problem("0x80048033", f"These connection references need a connection: {', '.join(missing)}.") if missing else None


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
