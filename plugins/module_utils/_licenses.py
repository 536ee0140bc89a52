# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Licences of a user: which products the tenant has, what the user holds and how, what is to be added and removed.

A user can hold a product directly and through groups at once. What a group brings counts as held and is never
removed here, because the service allows that at the group only.

This file is private to the collection.
"""

from __future__ import annotations

import difflib
import typing as t
from collections.abc import Iterable
from dataclasses import dataclass

from ._errors import NotPossible
from ._graph import Graph, needing
from ._odata import Row, is_guid, query

_USABLE = frozenset({"Enabled", "Warning"})


@dataclass(frozen=True)
class Product:
    """A subscribed SKU of the tenant."""

    sku_id: str
    part_number: str
    for_users: bool
    status: str
    units: int
    """Bought units that can be assigned; those in the grace period after an expired payment (warning) still can."""
    consumed: int

    @property
    def seats(self) -> int:
        """How many users more can have it."""
        return self.units - self.consumed if self.status in _USABLE else 0


@dataclass(frozen=True)
class License:
    """One way in which a user holds a product."""

    sku_id: str
    source: str
    """``direct`` or ``group``."""

    def to_result(self, products: Iterable[Product]) -> dict[str, t.Any]:
        """The form in a module's result."""
        return {"sku_id": self.sku_id, "sku_part_number": part_number(self.sku_id, products), "source": self.source}


@dataclass(frozen=True)
class LicenseChange:
    """What one call to assignLicense changes, as SKU ids."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.add or self.remove)

    def body(self) -> Row:
        """The body of the call; both members must be there."""
        return {"addLicenses": [{"skuId": sku_id, "disabledPlans": []} for sku_id in self.add], "removeLicenses": list(self.remove)}

    def applied(self, held: tuple[License, ...]) -> tuple[License, ...]:
        """What the user holds afterwards."""
        kept = [entry for entry in held if entry.source != "direct" or entry.sku_id not in self.remove]
        return (*kept, *(License(sku_id, "direct") for sku_id in self.add))


def read_products(graph: Graph) -> tuple[Product, ...]:
    """The products of the tenant, in one request."""
    path = "subscribedSkus" + query(select="skuId,skuPartNumber,appliesTo,capabilityStatus,consumedUnits,prepaidUnits")
    with needing("LicenseAssignment.Read.All or Organization.Read.All", "the option licenses"):
        return tuple(_product(row) for row in graph.rows(path, doing="read the products of the tenant"))


def _product(row: Row) -> Product:
    units = row.get("prepaidUnits") or {}
    return Product(
        sku_id=row["skuId"].lower(),
        part_number=row["skuPartNumber"],
        for_users=row.get("appliesTo", "User") == "User",
        status=row.get("capabilityStatus", "Enabled"),
        units=int(units.get("enabled") or 0) + int(units.get("warning") or 0),
        consumed=int(row.get("consumedUnits") or 0),
    )


def held_licenses(user: Row) -> tuple[License, ...]:
    """What a user's row says that the user holds, each way once. A way that the service could not honour does not count."""
    effective = [entry["skuId"].lower() for entry in user.get("assignedLicenses") or ()]
    ways = {
        (state["skuId"].lower(), "group" if state.get("assignedByGroup") else "direct")
        for state in user.get("licenseAssignmentStates") or ()
        if state.get("state", "Active") == "Active"
    }
    found = []
    for sku_id in effective:
        # The states can lag behind; without one, nothing but a direct assignment is known
        sources = [source for source in ("direct", "group") if (sku_id, source) in ways] or ["direct"]
        found += [License(sku_id, source) for source in sources]
    return tuple(found)


def products_needed(wanted: Iterable[str], held: tuple[License, ...], *, exact: bool) -> bool:
    """Whether the tenant's products must be read: not if all is wanted by id and held."""
    ids = {entry.sku_id for entry in held}
    named = [reference.strip().lower() for reference in wanted]
    superfluous = exact and any(entry.source == "direct" and entry.sku_id not in named for entry in held)
    return superfluous or any(reference not in ids for reference in named)


def resolve_products(wanted: Iterable[str], products: tuple[Product, ...]) -> tuple[Product, ...]:
    """The products that part numbers and ids name, each once."""
    found: dict[str, Product] = {}
    for number, reference in enumerate(wanted):
        key = reference.strip()
        matching = [product for product in products if key.lower() == product.sku_id or key.upper() == product.part_number.upper()]
        if not matching:
            raise NotPossible(
                doing="choose the licences",
                why=f"licenses[{number}]: this tenant has no product {'with the id' if is_guid(key) else 'with the part number'} {key}.",
                next_step=_candidates(key, products),
            )
        found.setdefault(matching[0].sku_id, matching[0])
    return tuple(found.values())


def _candidates(reference: str, products: tuple[Product, ...]) -> str:
    names = {product.part_number.upper(): product.part_number for product in products if product.for_users}
    if not names:
        return "Buy the product first; the tenant has none that a user can hold."
    close = difflib.get_close_matches(reference.upper(), list(names), n=5, cutoff=0.5)
    if close:
        return f"Did you mean {', '.join(names[name] for name in close)}? The tenant has {', '.join(sorted(names.values()))}."
    return f"Buy it, or name one that the tenant has: {', '.join(sorted(names.values()))}."


def check_available(products: Iterable[Product], user_principal_name: str) -> None:
    """Refuse what cannot be given to one more user."""
    for product in products:
        doing = f"assign the product {product.part_number} to {user_principal_name}"
        if not product.for_users:
            raise NotPossible(
                doing=doing, why="it belongs to the tenant as a whole and cannot be held by a user.", next_step="Name a product for users in licenses."
            )
        if product.status not in _USABLE:
            raise NotPossible(
                doing=doing, why=f"the tenant's subscription is in the state {product.status}.", next_step="Renew it, or name another product in licenses."
            )
        if product.seats < 1:
            raise NotPossible(
                doing=doing,
                why=f"no seat is left: {product.consumed} of {product.units} are in use.",
                next_step="Buy or free a seat, or name another product in licenses.",
            )


def plan_licenses(held: tuple[License, ...], wanted: Iterable[str], *, exact: bool) -> LicenseChange:
    """What is missing, and with ``exact`` what is too much; both as SKU ids."""
    ids = list(dict.fromkeys(wanted))
    mine = {entry.sku_id for entry in held}
    superfluous = [entry.sku_id for entry in held if exact and entry.source == "direct" and entry.sku_id not in ids]
    return LicenseChange(tuple(sku_id for sku_id in ids if sku_id not in mine), tuple(superfluous))


def part_number(sku_id: str, products: Iterable[Product]) -> str | None:
    """The name of a product, if the products were read."""
    return next((product.part_number for product in products if product.sku_id == sku_id), None)


def names_of(sku_ids: Iterable[str], products: Iterable[Product]) -> list[str]:
    """For people: part numbers where they are known, else ids; sorted."""
    known = tuple(products)
    return sorted({part_number(sku_id, known) or sku_id for sku_id in sku_ids})
