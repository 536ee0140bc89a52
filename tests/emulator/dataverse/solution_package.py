# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a solution package: the zip that is imported."""

from __future__ import annotations

import base64
import binascii
import io
import json
import re
import zipfile
from typing import Any
from xml.etree import ElementTree as ET

from ..wire import ServiceError
from .errors import bad_payload, fault

_DEFINITION = re.compile(r"environmentvariabledefinitions/([^/]+)/environmentvariabledefinition\.xml")
_REQUIRED = ("solution.xml", "customizations.xml", "[Content_Types].xml")


def bad_zip() -> ServiceError:
    """Refuse a file that is no solution package."""
    text = "The solution file is invalid. The compressed file must contain the following files at its root:"
    old = "Customization files exported from previous versions of Microsoft Dynamics 365 are not supported."
    return fault(400, "0x80048060", f"{text} solution.xml, customizations.xml, and [Content_Types].xml. {old}")


def decode(text: Any, operation: str) -> bytes:
    """Decode the base64 of a CustomizationFile."""
    if not isinstance(text, str):
        raise bad_payload(operation, "Cannot convert a value to the expected type 'Edm.Binary'.")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise bad_payload(operation, "Cannot convert a value to the expected type 'Edm.Binary'.") from problem


def read(content: bytes) -> dict[str, Any]:
    """Read a package into a plain document that can be stored."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if not set(_REQUIRED) <= set(archive.namelist()):
                raise bad_zip()
            solution, customizations, types = (_xml(archive.read(name)) for name in _REQUIRED)
            variables = [_variable(archive, found[1]) for name in archive.namelist() if (found := _DEFINITION.fullmatch(name))]
    except (zipfile.BadZipFile, OSError, RuntimeError) as problem:
        raise bad_zip() from problem
    if not types.tag.endswith("}Types"):
        raise bad_zip()
    manifest = solution.find("SolutionManifest")
    if manifest is None or not manifest.findtext("UniqueName") or not manifest.findtext("Version"):
        raise fault(400, "0x8004801a", "The import file is invalid. XSD validation failed: SolutionManifest needs UniqueName and Version.")
    return {
        "unique_name": manifest.findtext("UniqueName"),
        "version": manifest.findtext("Version"),
        "managed": manifest.findtext("Managed") == "1",
        "friendly_name": _localized(manifest, "LocalizedNames/LocalizedName") or manifest.findtext("UniqueName"),
        "description": _localized(manifest, "Descriptions/Description"),
        "package_version": solution.get("SolutionPackageVersion", "9.2"),
        "publisher": _publisher(manifest),
        "parent": manifest.findtext("ParentSolution/UniqueName"),
        "root_components": [dict(item.attrib) for item in manifest.findall("RootComponents/RootComponent")],
        "missing_dependencies": [_dependency(item) for item in manifest.findall("MissingDependencies/MissingDependency")],
        "roles": [_role(item) for item in customizations.findall("Roles/Role")],
        "entities": [name for item in customizations.findall("Entities/Entity") if (name := item.findtext("Name"))],
        "connection_references": [_reference(item) for item in customizations.findall("connectionreferences/connectionreference")],
        "environment_variables": variables,
    }


def _xml(content: bytes) -> ET.Element:
    try:
        return ET.fromstring(content)  # noqa: S314 (the tests' own files)
    except ET.ParseError as problem:
        raise fault(400, "0x80048013", f"The import file is not well formed: {problem}") from problem


def _localized(manifest: ET.Element, path: str) -> str:
    found = manifest.find(path)
    return "" if found is None else found.get("description", "")


def _publisher(manifest: ET.Element) -> dict[str, Any]:
    publisher = manifest.find("Publisher")
    if publisher is None or not publisher.findtext("UniqueName"):
        raise fault(400, "0x8004801a", "The import file is invalid. XSD validation failed: Publisher needs UniqueName.")
    prefix = publisher.findtext("CustomizationOptionValuePrefix") or "10000"
    return {
        "unique_name": publisher.findtext("UniqueName"),
        "friendly_name": _localized(publisher, "LocalizedNames/LocalizedName") or publisher.findtext("UniqueName"),
        "description": _localized(publisher, "Descriptions/Description"),
        "prefix": publisher.findtext("CustomizationPrefix"),
        "option_prefix": int(prefix),
    }


def _dependency(item: ET.Element) -> dict[str, Any]:
    required, dependent = item.find("Required"), item.find("Dependent")
    return {"required": {} if required is None else dict(required.attrib), "dependent": {} if dependent is None else dict(dependent.attrib)}


def _role(item: ET.Element) -> dict[str, Any]:
    return {
        "id": (item.get("id") or "").strip("{}").lower(),
        "name": item.get("name", ""),
        "inherited": int(item.get("isinherited", "1")),
        "customizable": (item.findtext("IsCustomizable") or "1") == "1",
        "privileges": {entry.get("name", ""): entry.get("level", "") for entry in item.findall("RolePrivileges/RolePrivilege")},
    }


def _reference(item: ET.Element) -> dict[str, Any]:
    return {
        "name": item.get("connectionreferencelogicalname", ""),
        "display_name": item.findtext("connectionreferencedisplayname") or "",
        "description": item.findtext("description") or "",
        "connector": item.findtext("connectorid") or "",
    }


def _variable(archive: zipfile.ZipFile, folder: str) -> dict[str, Any]:
    path = f"environmentvariabledefinitions/{folder}"
    definition = _xml(archive.read(f"{path}/environmentvariabledefinition.xml"))
    label = definition.find("displayname")
    value = None
    if f"{path}/environmentvariablevalues.json" in archive.namelist():
        document = json.loads(archive.read(f"{path}/environmentvariablevalues.json").decode("utf-8-sig"))
        value = document["environmentvariablevalues"]["environmentvariablevalue"]
    return {
        "name": definition.get("schemaname", ""),
        "display_name": (None if label is None else label.get("default")) or definition.get("schemaname", ""),
        "type": int(definition.findtext("type") or "100000000"),
        "default": definition.findtext("defaultvalue"),
        "required": definition.findtext("isrequired") == "1",
        "value": None if value is None else {"id": value.get("@environmentvariablevalueid"), "value": value.get("value")},
    }
