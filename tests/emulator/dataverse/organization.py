# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every part of the Dataverse service passes around."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..store import Document
from ..world import Tenant, World
from .privileges import Catalogue, catalogue
from .table import Table
from .tables import TABLES


@dataclass(frozen=True)
class Organization:
    """A tenant's organisation, with what several parts need to know about it."""

    world: World
    tenant: Tenant

    @property
    def id(self) -> str:
        """The organisation's id."""
        return str(self.tenant.document["org_id"])

    @property
    def version(self) -> tuple[int, ...]:
        """The organisation's version as numbers."""
        return version_numbers(self.tenant.document["org_version"])

    @property
    def catalogue(self) -> Catalogue:
        """The privileges that exist here."""
        return catalogue(frozenset(name for name, on in self.tenant.features.items() if on))

    @property
    def root_unit(self) -> Document:
        """The root business unit."""
        return next(unit for unit in self.rows("businessunit") if unit.get("_parentbusinessunitid_value") is None)

    def switch(self, name: str, default: Any) -> Any:
        """Read one of the tenant's behaviour switches."""
        return self.tenant.behaviour.get(name, default)

    def has_table(self, table: Table) -> bool:
        """Whether the table exists here."""
        return not table.feature or bool(self.tenant.features.get(table.feature))

    def rows(self, table: str) -> Iterable[Document]:
        """Iterate over the stored rows of a table."""
        return self.tenant.collection(collection_of(table)).values()

    def row(self, table: str, row_id: str | None) -> Document | None:
        """Find a stored row."""
        return None if row_id is None else self.tenant.collection(collection_of(table)).get(row_id)

    def put(self, table: str, row: Document) -> Document:
        """Store a row under its key with the next version number and the present as its time of change."""
        stored = {**row, "modifiedon": self.now_text(), "versionnumber": self.next_version()}
        if "createdon" in TABLES[table].columns and stored.get("createdon") is None:
            stored["createdon"] = stored["modifiedon"]
        if "modifiedon" not in TABLES[table].columns:
            del stored["modifiedon"]
        self.tenant.collection(collection_of(table))[stored[TABLES[table].key]] = stored
        return stored

    def remove(self, table: str, row_id: str) -> None:
        """Delete a stored row."""
        del self.tenant.collection(collection_of(table))[row_id]

    def next_version(self) -> int:
        """Draw the organisation's next row version."""
        counters = self.tenant.collection("counters")
        number = int(counters.get("versionnumber", {"value": 1_000_000})["value"]) + 1
        counters["versionnumber"] = {"value": number}
        return number

    def now_text(self) -> str:
        """Write the present as Dataverse does."""
        return time_text(self.world.now())


def collection_of(table: str) -> str:
    """Name the collection that keeps a table's rows."""
    return TABLES[table].entity_set


def time_text(seconds: float) -> str:
    """Write a moment as Dataverse does: UTC, whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def version_numbers(text: str) -> tuple[int, ...]:
    """Read a dotted version into four or more numbers."""
    numbers = tuple(int(part) for part in text.strip().split("."))
    return numbers + (0,) * (4 - len(numbers))


def empty_row(table: str, values: Mapping[str, Any]) -> Document:
    """Make a row with every column of the table, null where no value is given."""
    return {**dict.fromkeys(TABLES[table].columns), **values}
