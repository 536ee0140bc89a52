# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options about licences mean for one user: resolved, checked against the tenant's products, and planned.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ._errors import InvalidOption
from ._graph import Graph
from ._licenses import (
    License,
    LicenseChange,
    Product,
    check_available,
    held_licenses,
    part_number,
    plan_licenses,
    products_needed,
    read_products,
    resolve_products,
    warnings_about,
)
from ._odata import Row
from ._plan import Json
from ._rows import listed, needed_id
from ._service_plans import check_disabled_plans, check_disabled_plans_form, check_noted_problems, resolve_disabled_plans

_STAYS = "It comes through a group, and can only be taken from the group, or the user out of it."


@dataclass(frozen=True)
class LicenseOptions:
    """What the options say."""

    references: tuple[str, ...] | None
    """Part numbers and ids; None where nothing is said."""
    exact: bool
    disabled: Mapping[str, list[str]]

    @classmethod
    def of(cls, params: Mapping[str, t.Any]) -> LicenseOptions:
        """From a module's options; raises InvalidOption for a form that cannot mean anything."""
        references = params["licenses"]
        for number, reference in enumerate(references or ()):
            if not reference.strip():
                raise InvalidOption(f"licenses[{number}]", "is empty.", "Name a product by its part number or id.")
        check_disabled_plans_form(params["disabled_plans"] or {})
        exact = params["license_mode"] == "exact" and references is not None
        return cls(None if references is None else tuple(references), exact, params["disabled_plans"] or {})

    def __bool__(self) -> bool:
        return self.references is not None or bool(self.disabled)


@dataclass(frozen=True)
class Licensing:
    """What is to become of the licences of one user."""

    products: tuple[Product, ...] = ()
    """Empty if they did not have to be read."""
    held: tuple[License, ...] = ()
    change: LicenseChange = field(default_factory=LicenseChange)
    kept: tuple[License, ...] = ()
    """What a group brings and the options do not want."""

    def kept_result(self) -> list[Json]:
        """What stays in spite of license_mode=exact."""
        return [
            {"sku_id": entry.sku_id, "sku_part_number": part_number(entry.sku_id, self.products), "group_ids": list(entry.groups), "why": _STAYS}
            for entry in self.kept
        ]


def plan_licensing(
    graph: Graph,
    options: LicenseOptions,
    user: Row,
    user_principal_name: str,
    warn: Callable[[str], None],
    products: tuple[Product, ...] = (),
) -> Licensing:
    """Which licences are to be added, changed and removed; fails if that is known to be impossible. ``products`` are those that were read already."""
    held = held_licenses(user)
    named = options.references or ()
    if not products:
        if not options.disabled and (options.references is None or not products_needed(named, held, exact=options.exact)):
            return Licensing(held=held, kept=_kept(held, [name.strip().lower() for name in named], options))
        products = read_products(graph, plans=bool(options.disabled))
    ids = [product.sku_id for product in resolve_products(named, products)]
    disabled = resolve_disabled_plans(options.disabled, products)
    check_disabled_plans(disabled, held, ids, products, exact=options.exact)
    change = plan_licenses(held, ids, exact=options.exact, disabled=disabled)
    seatless = {entry.sku_id for entry in held}
    check_available((product for product in products if product.sku_id in change.add and product.sku_id not in seatless), user_principal_name)
    check_noted_problems(user, change, products, user_principal_name)
    for text in warnings_about(products, user, ids, user_principal_name):
        warn(text)
    return Licensing(products, held, change, _kept(held, ids, options))


def _kept(held: tuple[License, ...], ids: list[str], options: LicenseOptions) -> tuple[License, ...]:
    return tuple(entry for entry in held if options.exact and entry.source == "group" and entry.sku_id not in ids)


def returning(user: Row, products: tuple[Product, ...]) -> Row:
    """A deleted user's row with those of its licences that will come back when it is restored: each needs a free seat."""
    seats = {product.sku_id: product.seats for product in products}

    def comes_back(entry: Row) -> bool:
        return not products or seats.get(needed_id(entry, "skuId"), 0) > 0

    return {**user, **{name: [entry for entry in listed(user, name) if comes_back(entry)] for name in ("assignedLicenses", "licenseAssignmentStates")}}
