# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is to know of a table: key, columns, navigation properties, ownership."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from .columns import COLUMNS

Ownership = Literal["user", "business", "organization", "none"]


def logical_name(column: str) -> str:
    """Name the column that a property shows: a lookup's property has its name in between ``_`` and ``_value``."""
    return column[1:].removesuffix("_value") if column.startswith("_") else column


@dataclass(frozen=True)
class Navigation:
    """A navigation property: one row behind a lookup, or many."""

    name: str
    table: str
    """Logical name of the table it leads to; ``principal`` for an owner, which is a user or a team."""
    lookup: str = ""
    """For a single one: the lookup's property on this table. For a collection of children: the property on the other table."""
    many: bool = False
    association: str = ""
    """For a many-to-many relation: the collection that keeps it (see ``relations``)."""


@dataclass(frozen=True)
class Table:
    """One table."""

    logical: str
    entity_set: str
    key: str
    primary_name: str
    stem: str
    """What privilege names are made of: ``prvRead`` + stem. Empty: nobody needs a privilege to read it."""
    ownership: Ownership
    object_type_code: int
    display: str
    navigations: tuple[Navigation, ...] = ()
    feature: str = ""
    """The tenant's feature without which the table does not exist."""
    writable: bool = True
    """False: the service itself refuses POST, PATCH and DELETE."""
    alternate_keys: tuple[tuple[str, ...], ...] = ()
    lengths: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def columns(self) -> Mapping[str, str]:
        """Type by property name."""
        return {name: edm for edm, names in COLUMNS[self.logical].items() for name in names.split()}

    @cached_property
    def by_logical_name(self) -> Mapping[str, str]:
        """Property name by the column's logical name."""
        return {logical_name(name): name for name in self.columns}

    def navigation(self, name: str) -> Navigation | None:
        """Find a navigation property."""
        return next((item for item in self.navigations if item.name == name), None)
