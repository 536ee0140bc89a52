# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a package brings that later steps must know: security roles, connection references, environment variables.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ._depth import parse_depth
from ._safe_xml import RefusedXml

ROLE = ["ImportExportXml", "Roles", "Role"]
CONNECTION = ["ImportExportXml", "connectionreferences", "connectionreference"]

MAX_DEPTH = 500
"""Levels of elements. Forms and site maps, the deepest, have some thirty."""
MAX_PRIVILEGES = 500_000
"""Of all roles together."""
MAX_PIECES = 1000
"""In which the parser gives one text."""


@dataclass(frozen=True)
class RolePrivilege:
    """A privilege that a role of the package holds."""

    name: str
    depth: str
    """In people's words, such as ``organization``."""


@dataclass(frozen=True)
class PackageRole:
    """A security role that the package brings; in the root business unit it keeps this id everywhere."""

    name: str
    id: str
    privileges: tuple[RolePrivilege, ...] = ()
    customizable: bool | None = None
    """Whether an organisation may change it; None if the package does not say."""

    def to_result(self, role_id: str = "") -> dict[str, t.Any]:
        """The form in a module's result and in the option ``planned_roles``."""
        privileges = [{"name": held.name, "depth": held.depth} for held in self.privileges]
        return {"name": self.name, "id": role_id or self.id, "customizable": self.customizable, "privileges": privileges}


@dataclass(frozen=True)
class PackageConnection:
    """A connection reference: a place where the organisation must name a connection."""

    logical_name: str
    connector_id: str = ""


@dataclass(frozen=True)
class PackageVariable:
    """An environment variable."""

    schema_name: str
    has_value: bool = False
    """The package brings a default or a value."""


class CustomizationsCollector:
    """Picks these parts out of ``customizations.xml``, which can be far too large for a tree."""

    def __init__(self) -> None:
        self.roles: list[PackageRole] = []
        self.connection_references: list[PackageConnection] = []
        self._path: list[str] = []
        self._role: PackageRole | None = None
        self._privileges: list[RolePrivilege] = []
        self._left = MAX_PRIVILEGES
        self._text: list[str] | None = None

    def start(self, tag: str, attrib: dict[str, str], /) -> None:
        self._path.append(tag)
        if len(self._path) > MAX_DEPTH:
            raise RefusedXml(f"has elements in more than {MAX_DEPTH} levels")
        if len(self._path) == 1 and tag != ROLE[0]:
            raise RefusedXml(f"has the root {tag[:80]} instead of {ROLE[0]}")
        if self._path == ROLE:
            self._role = PackageRole(attrib.get("name", ""), attrib.get("id", "").strip("{}").lower())
            self._privileges = []
        elif tag == "RolePrivilege" and self._role is not None and "name" in attrib:
            self._left -= 1
            if self._left < 0:
                raise RefusedXml(f"has roles with more than {MAX_PRIVILEGES} privileges")
            self._privileges.append(RolePrivilege(attrib["name"], _depth(attrib.get("level", ""))))
        elif self._path == CONNECTION and attrib.get("connectionreferencelogicalname"):
            self.connection_references.append(PackageConnection(attrib["connectionreferencelogicalname"]))
        elif (self._path == [*CONNECTION, "connectorid"] and self.connection_references) or self._path == [*ROLE, "IsCustomizable"]:
            self._text = []

    def end(self, _tag: str, /) -> None:
        if self._path == ROLE and self._role is not None:
            self.roles.append(replace(self._role, privileges=tuple(self._privileges)))
            self._role = None
        elif self._text is not None and self._role is not None:
            self._role = replace(self._role, customizable={"0": False, "1": True}.get("".join(self._text).strip()))
            self._text = None
        elif self._text is not None:
            self.connection_references[-1] = PackageConnection(self.connection_references[-1].logical_name, "".join(self._text).strip())
            self._text = None
        self._path.pop()

    def data(self, data: str, /) -> None:
        if self._text is not None:
            self._text.append(data)
            if len(self._text) > MAX_PIECES:
                raise RefusedXml(f"has an {self._path[-1]} that is too long")


def _depth(level: str) -> str:
    """The depth in people's words; a level that is new to us stays as it is written."""
    try:
        return parse_depth(level).label
    except ValueError:
        return level
