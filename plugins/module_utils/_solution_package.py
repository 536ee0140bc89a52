# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A solution package: the zip file that an import takes, read without unpacking it.

Everything that later steps need is in two of its files: who the solution is and what it needs in ``solution.xml``,
which roles it brings in ``customizations.xml``. A file that is no sound package is refused before anything is sent.

This file is private to the collection.
"""

from __future__ import annotations

import base64
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ._errors import InvalidOption
from ._package_customizations import CustomizationsCollector, PackageConnection, PackageRole, PackageVariable
from ._safe_xml import Element, RefusedXml, read_xml, stream_xml
from ._solution_versions import compare_versions, version_parts

MEGABYTE = 1024 * 1024
MAX_PACKAGE = 256 * MEGABYTE
"""The services take far less; the limit only keeps a wrong file from filling the memory."""
MAX_UNPACKED = 2048 * MEGABYTE
MAX_ENTRIES = 50_000
MAX_MANIFEST = 16 * MEGABYTE
MAX_CUSTOMIZATIONS = 512 * MEGABYTE
MAX_RATIO = 200
"""Unpacked to packed size. Customizations, which are XML, reach some thirty."""

MANIFEST = "solution.xml"
CUSTOMIZATIONS = "customizations.xml"
CONTENT_TYPES = "[content_types].xml"
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
    content: bytes = field(default=b"", repr=False)

    @cached_property
    def customization_file(self) -> str:
        """The whole zip in the form that an import's body wants; made once, and only when it is sent."""
        return base64.b64encode(self.content).decode()


def read_package(path: str, option: str = "path") -> SolutionPackage:
    """Read the zip at ``path``; raises InvalidOption, naming ``option``, for everything that is no sound solution package."""
    reader = _Reader(path, option)
    try:
        state = Path(path).stat()
        if not stat.S_ISREG(state.st_mode):
            raise reader.refused("is not a file")
        if state.st_size > MAX_PACKAGE:
            raise reader.refused(f"is larger than {MAX_PACKAGE // MEGABYTE} MB, which no organisation takes")
        with Path(path).open("rb") as file:
            content = file.read(MAX_PACKAGE + 1)
            file.seek(0)
            if not content.startswith(b"PK"):
                raise reader.refused("is not a zip file")
            with zipfile.ZipFile(file) as archive:
                return reader.package(archive, content)
    except OSError as error:
        raise InvalidOption(option, f"'{path}' cannot be read ({error.strerror or error}).") from error
    except RefusedXml as error:
        raise reader.refused(f"holds a file that {error}") from error
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise reader.refused(f"is damaged or was not copied completely ({error})", "Copy or download it again.") from error
    except (NotImplementedError, RuntimeError) as error:
        raise reader.refused(f"uses a way of packing that solution packages do not have ({error})") from error


@dataclass(frozen=True)
class _Reader:
    path: str
    option: str

    def refused(self, why: str, next_step: str = "Give the solution's zip as its publisher offers it.") -> InvalidOption:
        return InvalidOption(self.option, f"'{self.path}' {why}.", next_step)

    def package(self, archive: zipfile.ZipFile, content: bytes) -> SolutionPackage:
        entries = self._sound_entries(archive.infolist(), len(content))
        manifest = read_xml(self._chunks(archive, entries[MANIFEST], MAX_MANIFEST))
        collector = CustomizationsCollector()
        stream_xml(self._chunks(archive, entries[CUSTOMIZATIONS], MAX_CUSTOMIZATIONS), collector)
        return self._described(manifest, collector, self._variables(archive), content)

    def _variables(self, archive: zipfile.ZipFile) -> tuple[PackageVariable, ...]:
        """Each environment variable is a folder of its own; a second file in it holds a value that the package brings."""
        names = {name.replace("\\", "/").lower(): name for name in archive.namelist() if name.lower().startswith(VARIABLES)}
        found: list[PackageVariable] = []
        for name, written in names.items():
            if name.endswith(f"/{VARIABLE_DEFINITION}"):
                definition = read_xml(self._chunks(archive, archive.getinfo(written), MEGABYTE))
                brings_value = name.removesuffix(VARIABLE_DEFINITION) + VARIABLE_VALUES in names
                default = definition.find("defaultvalue")
                has_default = bool(default is not None and ((default.text or "").strip() or len(default)))
                found.append(PackageVariable(definition.get("schemaname") or name.split("/")[1], has_value=has_default or brings_value))
        return tuple(found)

    def _sound_entries(self, entries: list[zipfile.ZipInfo], packed: int) -> dict[str, zipfile.ZipInfo]:
        """The files at the root that matter, after a look at all that the zip claims to hold."""
        if len(entries) > MAX_ENTRIES:
            raise self.refused(f"holds more than {MAX_ENTRIES} files")
        unpacked = sum(entry.file_size for entry in entries)
        if unpacked > MAX_UNPACKED or (unpacked > 64 * MEGABYTE and unpacked > MAX_RATIO * packed):
            raise self.refused(f"claims to hold {unpacked // MEGABYTE} MB in {max(1, packed // 1024)} KB: it looks like a zip bomb")
        found: dict[str, list[zipfile.ZipInfo]] = {}
        for entry in entries:
            if entry.flag_bits & 0x1:
                raise self.refused("is encrypted")
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise self.refused("is packed in a way that no solution package is")
            parts = entry.filename.replace("\\", "/").split("/")
            if ".." in parts or entry.filename.startswith(("/", "\\")) or ":" in parts[0]:
                raise self.refused(f"holds a file with the path '{entry.filename}', which leads out of the package")
            found.setdefault(entry.filename.lower(), []).append(entry)
        for name in (MANIFEST, CUSTOMIZATIONS, CONTENT_TYPES):
            self._exactly_one(name, found)
        return {name: found[name][0] for name in (MANIFEST, CUSTOMIZATIONS)}

    def _exactly_one(self, name: str, found: dict[str, list[zipfile.ZipInfo]]) -> None:
        count = len(found.get(name, []))
        if count > 1:
            raise self.refused(f"holds {count} files named {name}, so it is not clear which one an import would take")
        if count:
            return
        if folder := next((other for other in found if other.endswith(f"/{name}")), ""):
            raise self.refused(f"has no {name} at its root, but in the folder {folder.rpartition('/')[0]}", "Zip the content of that folder, not the folder.")
        if inner := next((other for other in found if other.endswith(".zip")), ""):
            raise self.refused(f"has no {name} but holds another zip, {inner}", "Take the solution's zip out of this one.")
        raise self.refused(f"has no {name}: it is a zip, but not of a solution")

    def _chunks(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> Iterator[bytes]:
        """The content of one file; its real size is counted, because the declared one may lie."""
        left = limit
        with archive.open(entry) as file:
            while chunk := file.read(64 * 1024):
                left -= len(chunk)
                if left < 0:
                    raise self.refused(f"holds a {entry.filename} of more than {limit // MEGABYTE} MB")
                yield chunk

    def _described(self, root: Element, custom: CustomizationsCollector, variables: tuple[PackageVariable, ...], content: bytes) -> SolutionPackage:
        manifest = root.find("SolutionManifest")
        if manifest is None:
            raise self.refused(f"holds a {MANIFEST} without a SolutionManifest")
        unique_name = _text(manifest, "UniqueName")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", unique_name):
            raise self.refused(f"names its solution '{unique_name}', which is no unique name")
        version = _text(manifest, "Version")
        try:
            version_parts(version)
        except ValueError as error:
            raise self.refused(f"says a wrong version: {str(error).rstrip('.')}") from error
        managed = _text(manifest, "Managed")
        if managed not in ("0", "1"):
            raise self.refused(f"does not say whether it is managed (Managed is '{managed}')", "Pack the solution again, as managed.")
        return SolutionPackage(
            path=self.path,
            unique_name=unique_name,
            friendly_name=_label(manifest, root.get("languagecode", "")) or unique_name,
            version=version,
            managed=managed == "1",
            publisher=_text(manifest, "Publisher/UniqueName"),
            roles=tuple(custom.roles),
            dependencies=_dependencies(manifest.iterfind("MissingDependencies/MissingDependency/Required"), unique_name),
            parent=_text(manifest, "ParentSolution/UniqueName") or _text(manifest, "ParentSolution") or _patched(unique_name),
            connection_references=tuple(custom.connection_references),
            environment_variables=variables,
            content=content,
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
