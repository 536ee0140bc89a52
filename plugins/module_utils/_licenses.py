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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ._errors import NotPossible
from ._graph import Graph, needing
from ._odata import Row, is_guid, query
from ._rows import inner, listed, needed, needed_id, number, text, texts

_USABLE = frozenset({"Enabled", "Warning"})
_COLUMNS = "skuId,skuPartNumber,appliesTo,capabilityStatus,consumedUnits,prepaidUnits"
_COUNTING = frozenset({"Active", "ActiveWithError"})


@dataclass(frozen=True)
class ServicePlan:
    """A part of a product that can be switched off for a user."""

    plan_id: str
    name: str
    for_users: bool = True
    status: str = "Success"


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
    plans: tuple[ServicePlan, ...] = ()
    """Empty unless they were asked for."""
    prepaid: Mapping[str, int] = field(default_factory=dict, compare=False)
    """The units of each state, as the service counts them."""

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
    disabled: frozenset[str] = frozenset()
    """Service plans that are off in this way; with several groups those that are off in all of them."""
    groups: tuple[str, ...] = field(default=(), compare=False)
    """The ids of the groups that bring it."""

    def to_result(self, products: Iterable[Product]) -> dict[str, t.Any]:
        """The form in a module's result."""
        found = {"sku_id": self.sku_id, "sku_part_number": part_number(self.sku_id, products), "source": self.source}
        return {**found, "group_ids": list(self.groups)} if self.groups else found


@dataclass(frozen=True)
class LicenseChange:
    """What one call to assignLicense changes, as ids."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    plans: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Of products that are added or held directly: the service plans that are off afterwards."""

    def __bool__(self) -> bool:
        return bool(self.add or self.remove or self.plans)

    @property
    def replanned(self) -> tuple[str, ...]:
        """The products that stay and change their service plans."""
        return tuple(sku_id for sku_id in self.plans if sku_id not in self.add)

    def body(self) -> Row:
        """The body of the call; both members must be there."""
        added = [{"skuId": sku_id, "disabledPlans": sorted(self.plans.get(sku_id, ()))} for sku_id in (*self.add, *self.replanned)]
        return {"addLicenses": added, "removeLicenses": list(self.remove)}

    def applied(self, held: tuple[License, ...]) -> tuple[License, ...]:
        """What the user holds afterwards."""
        kept = [entry for entry in held if entry.source != "direct" or entry.sku_id not in self.remove]
        planned = (replace(entry, disabled=self.plans.get(entry.sku_id, entry.disabled)) if entry.source == "direct" else entry for entry in kept)
        return (*planned, *(License(sku_id, "direct", self.plans.get(sku_id, frozenset())) for sku_id in self.add))


def read_products(graph: Graph, *, plans: bool = False) -> tuple[Product, ...]:
    """The products of the tenant, in one request. Their service plans make the answer long, so they come only when asked for."""
    path = "subscribedSkus" + query(select=f"{_COLUMNS},servicePlans" if plans else _COLUMNS)
    with needing("LicenseAssignment.Read.All or Organization.Read.All", "reading the tenant's products"):
        return tuple(_product(row) for row in graph.rows(path, doing="read the products of the tenant"))


def _product(row: Row) -> Product:
    prepaid = inner(row, "prepaidUnits")
    units = {state: number(prepaid, state) or 0 for state in prepaid if not state.startswith("@")}
    plans = (
        ServicePlan(
            plan_id=needed_id(plan, "servicePlanId"),
            name=text(plan, "servicePlanName") or needed_id(plan, "servicePlanId"),
            for_users=(text(plan, "appliesTo") or "User").lower() == "user",
            status=text(plan, "provisioningStatus") or "Success",
        )
        for plan in listed(row, "servicePlans")
    )
    return Product(
        sku_id=needed_id(row, "skuId"),
        part_number=text(row, "skuPartNumber") or needed_id(row, "skuId"),
        for_users=(text(row, "appliesTo") or "User").lower() == "user",
        status=text(row, "capabilityStatus") or "Enabled",
        units=units.get("enabled", 0) + units.get("warning", 0),
        consumed=number(row, "consumedUnits") or 0,
        plans=tuple(plans),
        prepaid=units,
    )


def held_licenses(user: Row) -> tuple[License, ...]:
    """What a user's row says that the user holds, each way once. A way that the service could not honour does not count."""
    found = []
    states = listed(user, "licenseAssignmentStates")
    for entry in listed(user, "assignedLicenses"):
        sku_id = needed_id(entry, "skuId")
        ways = [state for state in states if needed_id(state, "skuId") == sku_id]
        # The states can lag behind; without one, nothing but a direct assignment is known
        ways = [state for state in ways if (text(state, "state") or "Active") in _COUNTING] or ways or [entry]
        direct = [state for state in ways if not text(state, "assignedByGroup")]
        groups = [state for state in ways if text(state, "assignedByGroup")]
        if direct:
            found.append(License(sku_id, "direct", _off_in_all(direct)))
        if groups:
            found.append(License(sku_id, "group", _off_in_all(groups), tuple(needed(state, "assignedByGroup") for state in groups)))
    return tuple(found)


def _off_in_all(ways: Iterable[Row]) -> frozenset[str]:
    return frozenset.intersection(*(frozenset(plan.lower() for plan in texts(way, "disabledPlans")) for way in ways))


def disabled_plans(held: Iterable[License]) -> dict[str, frozenset[str]]:
    """By product, what is off for the user: a plan that one way switches on is on."""
    found: dict[str, frozenset[str]] = {}
    for entry in held:
        found[entry.sku_id] = found.get(entry.sku_id, entry.disabled) & entry.disabled
    return found


def products_needed(wanted: Iterable[str], held: tuple[License, ...], *, exact: bool) -> bool:
    """Whether the tenant's products must be read: not if all is wanted by id and held."""
    ids = {entry.sku_id for entry in held}
    named = [reference.strip().lower() for reference in wanted]
    superfluous = exact and any(entry.source == "direct" and entry.sku_id not in named for entry in held)
    return superfluous or any(reference not in ids for reference in named)


def resolve_products(wanted: Iterable[str], products: tuple[Product, ...], *, option: str = "licenses") -> tuple[Product, ...]:
    """The products that part numbers and ids name, each once."""
    found: dict[str, Product] = {}
    for index, reference in enumerate(wanted):
        key = reference.strip()
        matching = [product for product in products if key.lower() == product.sku_id or key.upper() == product.part_number.upper()]
        if not matching:
            raise NotPossible(
                doing=f"choose the {'licences' if option == 'licenses' else option}",
                why=f"{option}[{index}]: this tenant has no product {'with the id' if is_guid(key) else 'with the part number'} {key}.",
                next_step=product_candidates(key, products),
            )
        found.setdefault(matching[0].sku_id, matching[0])
    return tuple(found.values())


def product_candidates(reference: str, products: tuple[Product, ...]) -> str:
    """What may have been meant."""
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
                why=f"no seat is left: {product.consumed} of {product.units} are in use{_unusable(product)}.",
                next_step="Buy or free a seat, or name another product in licenses.",
            )


def _unusable(product: Product) -> str:
    lost = {"suspended": product.prepaid.get("suspended", 0), "locked out": product.prepaid.get("lockedOut", 0)}
    return "".join(f", {units} more are {state}" for state, units in lost.items() if units)


def warnings_about(products: tuple[Product, ...], user: Row, wanted: Iterable[str], user_principal_name: str) -> list[str]:
    """What is wrong with wanted products, and does not keep them from being assigned."""
    ids = frozenset(wanted)
    found = []
    for product in products:
        if product.sku_id in ids and product.status == "Warning":
            found.append(f"The tenant's subscription to {product.part_number} has expired and is in its grace period. Renew it, or its users lose it.")
        elif product.sku_id in ids and product.status not in _USABLE:
            found.append(f"{user_principal_name} holds {product.part_number}, but the tenant's subscription is in the state {product.status}. Renew it.")
    for state in listed(user, "licenseAssignmentStates"):
        sku_id = needed_id(state, "skuId")
        if sku_id in ids and text(state, "state") == "Error":
            name = part_number(sku_id, products) or sku_id
            way = f"the group {group}" if (group := text(state, "assignedByGroup")) else "a direct assignment"
            found.append(f"{user_principal_name} does not get {name} through {way}, because of {text(state, 'error') or 'an unknown problem'}.")
    return found


def plan_licenses(held: tuple[License, ...], wanted: Iterable[str], *, exact: bool, disabled: Mapping[str, frozenset[str]] | None = None) -> LicenseChange:
    """What is missing, with ``exact`` what is too much, and which service plans of ``disabled`` are not as wanted; all as ids."""
    ids = list(dict.fromkeys(wanted))
    remove = tuple(entry.sku_id for entry in held if exact and entry.source == "direct" and entry.sku_id not in ids)
    stays = [entry for entry in held if entry.source != "direct" or entry.sku_id not in remove]
    off = disabled_plans(stays)
    direct = [entry.sku_id for entry in stays if entry.source == "direct"]
    missing = [sku_id for sku_id in ids if sku_id not in off]
    plans = {sku_id: plans for sku_id, plans in (disabled or {}).items() if off.get(sku_id) != plans}
    # A direct licence beside the group's switches on what the group leaves off, and takes no seat
    beside = [sku_id for sku_id in plans if sku_id in off and sku_id not in direct]
    return LicenseChange((*missing, *beside), remove, plans)


def part_number(sku_id: str, products: Iterable[Product]) -> str | None:
    """The name of a product, if the products were read."""
    return next((product.part_number for product in products if product.sku_id == sku_id), None)


def names_of(sku_ids: Iterable[str], products: Iterable[Product]) -> list[str]:
    """For people: part numbers where they are known, else ids; sorted."""
    known = tuple(products)
    return sorted({part_number(sku_id, known) or sku_id for sku_id in sku_ids})


def plan_names(sku_id: str, plan_ids: Iterable[str], products: Iterable[Product]) -> list[str]:
    """For people: the names of a product's service plans where they are known, else ids; sorted."""
    known = {plan.plan_id: plan.name for product in products if product.sku_id == sku_id for plan in product.plans}
    return sorted(known.get(plan_id, plan_id) for plan_id in plan_ids)


def shown_plans(disabled: Mapping[str, frozenset[str]], products: Iterable[Product]) -> dict[str, list[str]]:
    """The form in results and diffs; it is that of the option ``disabled_plans``."""
    known = tuple(products)
    return {part_number(sku_id, known) or sku_id: plan_names(sku_id, plans, known) for sku_id, plans in sorted(disabled.items())}
