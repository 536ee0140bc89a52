# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a package says about itself, read once for all tenants of a run and for later runs.

It is kept under the SHA-256 of the package's bytes, so a changed package is another one, and whoever asks for the same
bytes gets the same answer. It holds nothing but what is in the package: no option of a task, so no connection and no value.
The cache only saves time: whatever is wrong with it, the package is read again.

This file is private to the collection.
"""

from __future__ import annotations

import hashlib
import json
import typing as t
from contextlib import suppress
from dataclasses import asdict, fields, replace
from pathlib import Path

from ._errors import InvalidOption, TaskError
from ._measured_file import MeasuredFile, measure
from ._package_customizations import PackageConnection, PackageRole, PackageVariable, RolePrivilege
from ._private_cache import cache_directory, is_private, locked, note_use, tidy, write_private
from ._solution_package import NO_FILE, Dependency, SolutionPackage, parse_package

READING = 1
"""To be raised when a change makes ``parse_package`` find other things in the same bytes."""
KINDS = (SolutionPackage, Dependency, PackageRole, RolePrivilege, PackageConnection, PackageVariable)
MAX_ENTRY = 128 * 1024 * 1024


def load_package(file: MeasuredFile, option: str, directory: Path | None = None) -> SolutionPackage:
    """The package, from the cache if it was read before; raises InvalidOption like ``parse_package``."""
    try:
        home = directory or cache_directory()
        return _read(home, file) or _parse_once(home, file, option)
    except (OSError, TaskError) as error:
        if isinstance(error, InvalidOption):
            raise
        return parse_package(file, option)  # no place for a cache


def _parse_once(home: Path, file: MeasuredFile, option: str) -> SolutionPackage:
    """The first worker reads; those that came at the same time wait and take what it found."""
    with locked(home / f"{file.digest}.lock"):
        if known := _read(home, file):
            return known
        package = parse_package(file, option)
        if measure(file.path, option).digest != file.digest:
            raise InvalidOption(option, f"'{file.path}' was changed while it was read.", "Run again when nothing writes to it.")
        with suppress(OSError):
            write_private(_entry(home, file), _sealed(package))
            tidy(home)
        return package


def _read(home: Path, file: MeasuredFile) -> SolutionPackage | None:
    """What is kept of it, or None if there is nothing that can be believed."""
    path = _entry(home, file)
    try:
        if not is_private(path) or path.stat().st_size > MAX_ENTRY:
            return None
        seal, _line, content = path.read_bytes().partition(b"\n")
        if seal.decode("ascii") != hashlib.sha256(content).hexdigest():
            return None
        package = _rebuilt(json.loads(content))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    note_use(path)
    return replace(package, path=file.path, customization_file=file)


def _entry(home: Path, file: MeasuredFile) -> Path:
    """Other fields, or another way of reading, make it another file."""
    shape = repr([READING, *([kind.__name__, *(field.name for field in fields(kind))] for kind in KINDS)])
    return home / f"{file.digest}.{hashlib.sha256(shape.encode()).hexdigest()[:8]}.json"


def _sealed(package: SolutionPackage) -> bytes:
    """With its own checksum, so that damage is seen."""
    content = json.dumps(asdict(replace(package, path="", customization_file=NO_FILE))).encode()
    return hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def _rebuilt(kept: dict[str, t.Any]) -> SolutionPackage:
    return SolutionPackage(
        **{
            **kept,
            "customization_file": NO_FILE,
            "roles": tuple(PackageRole(**{**role, "privileges": tuple(RolePrivilege(**held) for held in role["privileges"])}) for role in kept["roles"]),
            "dependencies": tuple(Dependency(**{**row, "components": tuple(row["components"])}) for row in kept["dependencies"]),
            "connection_references": tuple(PackageConnection(**row) for row in kept["connection_references"]),
            "environment_variables": tuple(PackageVariable(**row) for row in kept["environment_variables"]),
        }
    )
