# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in for the published lead solution: built from readable sources, the same bytes every time.

``build`` also makes the variants that tests need: another version, unmanaged, another publisher, a missing dependency, an unknown privilege.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from .components import ROLE_ID, ROLE_NAME, add_customizations, add_manifest, component_files

__all__ = ["ROLE_ID", "ROLE_NAME", "UNIQUE_NAME", "Variant", "build"]

SOURCE = Path(__file__).parent / "source"
FILES = ("[Content_Types].xml", "solution.xml", "customizations.xml")
UNIQUE_NAME = "MicrosoftMarketplacesLeadIntegrationSolution"
_TIMESTAMP = (2013, 11, 1, 0, 0, 0)


@dataclass(frozen=True)
class Variant:
    """How a package differs from the stand-in."""

    version: str = "1.0.0.0"
    managed: bool = True
    publisher: str = "leadopsstandin"
    unique_name: str = UNIQUE_NAME
    missing_dependency: str | None = None
    """The solution that is said to be missing, such as ``ContosoBase (2.0.0.0)``."""
    extra_privilege: str | None = None
    """One more privilege in the role; an unknown one makes the import fail."""
    without: tuple[str, ...] = ()
    """Files to leave out."""
    role: bool = True
    """Whether the stand-in's role is in it."""
    locked_role: bool | None = False
    """Whether organisations may not change that role; None leaves it unsaid."""
    more_roles: tuple[str, ...] = ()
    """Names of further roles, each with the right to read leads."""
    tables: tuple[str, ...] = ()
    """Schema names of tables that are said to be in it."""
    needs: tuple[tuple[str, str], ...] = ()
    """Dependencies on tables of other solutions: the table's schema name, and the solution as ``Name (1.2.3.4)``."""
    connection_references: tuple[tuple[str, str], ...] = ()
    """Logical name and connector id."""
    environment_variables: tuple[tuple[str, str | None], ...] = ()
    """Schema name and default value."""
    environment_values: tuple[tuple[str, str], ...] = ()
    """Values that the package itself brings: schema name and value."""
    parent: str | None = None
    """Makes it a patch of this solution."""


def build(variant: Variant = Variant()) -> bytes:
    """Build the zip."""
    contents = {name: _content(name, variant) for name in FILES if name not in variant.without}
    contents.update(component_files(variant.environment_variables, variant.environment_values))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name, _TIMESTAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def _content(name: str, variant: Variant) -> bytes:
    original = (SOURCE / name).read_bytes()
    if name == "solution.xml":
        return _solution(original, variant)
    if name == "customizations.xml" and _adds(variant):
        root = ET.fromstring(original)  # noqa: S314 (our own file)
        if variant.extra_privilege is not None:
            ET.SubElement(_found(root, "Roles/Role/RolePrivileges"), "RolePrivilege", name=variant.extra_privilege, level="Global")
        if variant.locked_role:
            _found(root, "Roles/Role/IsCustomizable").text = "0"
        elif variant.locked_role is None:
            role = _found(root, "Roles/Role")
            role.remove(_found(role, "IsCustomizable"))
        add_customizations(root, role=variant.role, more_roles=variant.more_roles, connection_references=variant.connection_references)
        return _written(root)
    return original


def _adds(variant: Variant) -> bool:
    other_role = variant.extra_privilege is not None or variant.locked_role is not False or not variant.role
    return other_role or bool(variant.more_roles or variant.connection_references)


def _solution(original: bytes, variant: Variant) -> bytes:
    root = ET.fromstring(original)  # noqa: S314 (our own file)
    manifest = _found(root, "SolutionManifest")
    _found(manifest, "UniqueName").text = variant.unique_name
    _found(manifest, "Version").text = variant.version
    _found(manifest, "Managed").text = "1" if variant.managed else "0"
    _found(manifest, "Publisher/UniqueName").text = variant.publisher
    if variant.missing_dependency is not None:
        item = ET.SubElement(_found(manifest, "MissingDependencies"), "MissingDependency")
        ET.SubElement(item, "Required", type="1", schemaName="contoso_base", displayName="Base", solution=variant.missing_dependency)
        ET.SubElement(item, "Dependent", type="20", displayName=ROLE_NAME, id=f"{{{ROLE_ID}}}")
    add_manifest(manifest, role=variant.role, more_roles=variant.more_roles, tables=variant.tables, needs=variant.needs, parent=variant.parent)
    return _written(root)


def _found(root: ET.Element, path: str) -> ET.Element:
    element = root.find(path)
    if element is None:
        raise LookupError(path)
    return element


def _written(root: ET.Element) -> bytes:
    text = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return bytes(text)
