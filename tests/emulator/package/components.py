# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a variant of the package has besides the stand-in's role: more roles, tables, connection references, environment variables."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from xml.etree import ElementTree as ET

ROLE_NAME = "Microsoft Marketplace Lead Writer"
ROLE_ID = "7c3de6a5-58c1-4a55-9a8e-5f0c1d2e3b4a"
_NAMESPACE = uuid.UUID("b6a5b0a4-5a0e-4c68-9c5f-9f2a7f1f3d10")


def role_id(name: str) -> str:
    """The id of a further role, made from its name."""
    return str(uuid.uuid5(_NAMESPACE, name))


def add_customizations(root: ET.Element, *, role: bool, more_roles: Iterable[str], connection_references: Iterable[tuple[str, str]]) -> None:
    """Put roles and connection references into ``customizations.xml``."""
    roles = root.find("Roles")
    if roles is None:
        raise LookupError("Roles")
    if not role:
        for item in list(roles):
            roles.remove(item)
    for name in more_roles:
        item = ET.SubElement(roles, "Role", id=f"{{{role_id(name)}}}", name=name, isinherited="1")
        ET.SubElement(item, "IsCustomizable").text = "1"
        ET.SubElement(ET.SubElement(item, "RolePrivileges"), "RolePrivilege", name="prvReadLead", level="Global")
    references = list(connection_references)
    if references:
        parent = ET.SubElement(root, "connectionreferences")
        for name, connector in references:
            item = ET.SubElement(parent, "connectionreference", connectionreferencelogicalname=name)
            ET.SubElement(item, "connectionreferencedisplayname").text = name
            ET.SubElement(item, "connectorid").text = connector
            ET.SubElement(item, "iscustomizable").text = "1"


def add_manifest(
    manifest: ET.Element, *, role: bool, more_roles: Iterable[str], tables: Iterable[str], needs: Iterable[tuple[str, str]], parent: str | None
) -> None:
    """Put the components, the dependencies and the parent of a patch into the manifest."""
    components, missing = manifest.find("RootComponents"), manifest.find("MissingDependencies")
    if components is None or missing is None:
        raise LookupError("RootComponents")
    if not role:
        for item in list(components):
            components.remove(item)
    for name in more_roles:
        ET.SubElement(components, "RootComponent", type="20", id=f"{{{role_id(name)}}}", behavior="0")
    own = list(tables)
    for name in own:
        ET.SubElement(components, "RootComponent", type="1", schemaName=name, behavior="0")
    for table, solution in needs:
        item = ET.SubElement(missing, "MissingDependency")
        ET.SubElement(item, "Required", type="1", schemaName=table, displayName=table, solution=solution)
        if own:
            ET.SubElement(item, "Dependent", type="1", schemaName=own[0], displayName=own[0])
        else:
            ET.SubElement(item, "Dependent", type="20", displayName=ROLE_NAME, id=f"{{{ROLE_ID}}}")
    if parent is not None:
        ET.SubElement(ET.SubElement(manifest, "ParentSolution"), "UniqueName").text = parent


def component_files(variables: Iterable[tuple[str, str | None]], values: Iterable[tuple[str, str]]) -> dict[str, bytes]:
    """The files of environment variables, by their name in the zip."""
    files: dict[str, bytes] = {}
    for name, default in variables:
        root = ET.Element("environmentvariabledefinition", schemaname=name)
        if default is not None:
            ET.SubElement(root, "defaultvalue").text = default
        ET.SubElement(ET.SubElement(root, "displayname", default=name), "label", description=name, languagecode="1033")
        ET.SubElement(root, "introducedversion").text = "1.0.0.0"
        ET.SubElement(root, "isrequired").text = "0"
        ET.SubElement(root, "type").text = "100000000"
        files[f"environmentvariabledefinitions/{name}/environmentvariabledefinition.xml"] = ET.tostring(root, encoding="utf-8")
    for name, value in values:
        content = {"environmentvariablevalues": {"environmentvariablevalue": {"@environmentvariablevalueid": role_id(f"value {name}"), "value": value}}}
        files[f"environmentvariabledefinitions/{name}/environmentvariablevalues.json"] = json.dumps(content).encode()
    return files
