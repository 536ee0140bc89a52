# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A solution package: the zip file that an import takes, read without unpacking it.

Everything that later steps need is in two of its files: who the solution is and what it needs in ``solution.xml``,
which roles it brings in ``customizations.xml``. A file that is no sound package is refused before anything is sent.

This file is private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ._measured_file import MEGABYTE, MeasuredFile, measure
from ._package_customizations import CustomizationsCollector, PackageConnection, PackageRole, PackageVariable
from ._package_zip import CUSTOMIZATIONS, MANIFEST, PackageZip, open_package
from ._safe_xml import Element, stream_xml
from ._solution_versions import compare_versions, version_parts

MAX_MANIFEST = 16 * MEGABYTE
MAX_CUSTOMIZATIONS = 512 * MEGABYTE
MAX_VARIABLES = 5_000
NO_FILE = MeasuredFile("")

VARIABLES = "environmentvariabledefinitions/"
VARIABLE_DEFINITION = "environmentvariabledefinition.xml"
VARIABLE_VALUES = "environmentvariablevalues.json"

ALWAYS_THERE = frozenset({"active", "default", "system", "basic"})
"""Not solutions that somebody installs: the unmanaged layer and the platform itself."""


@dataclass(frozen=True)
class Dependency:
    """A solution that must be there first."""

    solution: str
    version: str
    """Empty if the package does not say."""
    components: tuple[str, ...] = ()

    def __str__(self) -> str:
        shown = ", ".join(self.components[:3]) + (" and more" if len(self.components) > 3 else "")
        return f"{self.solution}{' ' + self.version if self.version else ''}{f' (for {shown})' if shown else ''}"


@dataclass(frozen=True)
class SolutionPackage:
    """What a solution's zip says about itself."""

    path: str
    unique_name: str
    friendly_name: str
    version: str
    managed: bool
    publisher: str
    roles: tuple[PackageRole, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    parent: str = ""
    """Of a patch: the unique name of the solution that it patches."""
    connection_references: tuple[PackageConnection, ...] = ()
    environment_variables: tuple[PackageVariable, ...] = ()
    customization_file: MeasuredFile = NO_FILE
    """The zip itself, as an import's body wants it; it is streamed there and never in memory as a whole."""


def read_package(path: str, option: str = "path") -> SolutionPackage:
    """Read the zip at ``path``; raises InvalidOption, naming ``option``, for everything that is no sound solution package."""
    return parse_package(measure(path, option), option)


def parse_package(file: MeasuredFile, option: str) -> SolutionPackage:
    """Read a zip that was measured; raises InvalidOption."""
    with open_package(file, option) as package:
        collector = CustomizationsCollector()
        manifest = package.tree(MANIFEST, MAX_MANIFEST)
        package.read(CUSTOMIZATIONS, MAX_CUSTOMIZATIONS, lambda chunks: stream_xml(chunks, collector))
        return _described(package, file, manifest, collector)


def _variables(package: PackageZip) -> tuple[PackageVariable, ...]:
    """Each environment variable is a folder of its own; a second file in it holds a value that the package brings."""
    names = set(package.names(VARIABLES))
    definitions = [name for name in package.names(VARIABLES) if name.endswith(f"/{VARIABLE_DEFINITION}")]
    if len(definitions) > MAX_VARIABLES:
        raise package.refused(f"holds more than {MAX_VARIABLES} environment variables")
    found: list[PackageVariable] = []
    for name in definitions:
        definition = package.tree(name, MEGABYTE)
        brings_value = name.removesuffix(VARIABLE_DEFINITION) + VARIABLE_VALUES in names
        default = definition.find("defaultvalue")
        has_default = bool(default is not None and ((default.text or "").strip() or len(default)))
        found.append(PackageVariable(definition.get("schemaname") or name.split("/")[1], has_value=has_default or brings_value))
    return tuple(found)


def _described(package: PackageZip, file: MeasuredFile, root: Element, custom: CustomizationsCollector) -> SolutionPackage:
    manifest = root.find("SolutionManifest")
    if manifest is None:
        raise package.refused(f"holds a {MANIFEST} without a SolutionManifest")
    unique_name = _text(manifest, "UniqueName")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", unique_name):
        raise package.refused(f"names its solution '{unique_name}', which is no unique name")
    version = _text(manifest, "Version")
    try:
        version_parts(version)
    except ValueError as error:
        raise package.refused(f"says a wrong version: {str(error).rstrip('.')}") from error
    managed = _text(manifest, "Managed")
    if managed not in ("0", "1"):
        raise package.refused(f"does not say whether it is managed (Managed is '{managed}')", "Pack the solution again, as managed.")
    return SolutionPackage(
        path=file.path,
        unique_name=unique_name,
        friendly_name=_label(manifest, root.get("languagecode", "")) or unique_name,
        version=version,
        managed=managed == "1",
        publisher=_text(manifest, "Publisher/UniqueName"),
        roles=tuple(custom.roles),
        dependencies=_dependencies(manifest.iterfind("MissingDependencies/MissingDependency/Required"), unique_name),
        parent=_text(manifest, "ParentSolution/UniqueName") or _text(manifest, "ParentSolution") or _patched(unique_name),
        connection_references=tuple(custom.connection_references),
        environment_variables=_variables(package),
        customization_file=file,
    )


def _patched(unique_name: str) -> str:
    """The platform names a patch after its solution: ``Name_Patch_1a2b3c4d``."""
    match = re.fullmatch(r"(?P<parent>.+)_Patch_[0-9A-Fa-f]{8}", unique_name)
    return match["parent"] if match else ""


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _label(manifest: Element, language: str) -> str:
    """The name in the package's own language, else in the first one."""
    names = {name.get("languagecode", ""): name.get("description", "") for name in manifest.iterfind("LocalizedNames/LocalizedName")}
    return names.get(language) or next(iter(names.values()), "")


def _dependencies(required: Iterable[Element], own_name: str) -> tuple[Dependency, ...]:
    """One dependency for each solution, with the highest version that any component asks for."""
    found: dict[str, Dependency] = {}
    for component in required:
        match = re.fullmatch(r"\s*(?P<name>.+?)(?:\s+\((?P<version>\d+(?:\.\d+)*)\))?\s*", component.get("solution", ""))
        if match is None or match["name"].lower() in (*ALWAYS_THERE, own_name.lower()):
            continue
        key, version = match["name"].lower(), match["version"] or ""
        known = found.get(key, Dependency(match["name"], version))
        if version and (not known.version or compare_versions(version, known.version) > 0):
            known = Dependency(known.solution, version, known.components)
        label = component.get("displayName") or component.get("schemaName") or ""
        components = known.components if not label or label in known.components else (*known.components, label)
        found[key] = Dependency(known.solution, known.version, components)
    return tuple(found.values())
