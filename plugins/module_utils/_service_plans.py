# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service plans of licences: which are to be off, what stands against that, and what the service's refusals mean.

Which plans exclude or need each other cannot be read anywhere. What can be known beforehand is what the service has
noted about a group's licence of the same product; for the rest its refusal is translated into products and plans.

This file is private to the collection.
"""

from __future__ import annotations

import difflib
import re
import typing as t
from collections.abc import Iterable, Mapping

from ._errors import InvalidOption, NotPossible, ServiceRefused
from ._licenses import License, LicenseChange, Product, ServicePlan, disabled_plans, part_number, plan_names, product_candidates
from ._odata import Row
from ._rows import listed, needed_id, text

_EXCLUSIVE = re.compile(r"service plans (?P<plans>[0-9a-f, -]+?) are mutually exclusive", re.IGNORECASE)
_DEPENDS = re.compile(r"service plan (?P<plan>[0-9a-f-]{36}) depends on the service plan\(s\) (?P<needed>[0-9a-f-]{36}(?:, ?[0-9a-f-]{36})*)", re.IGNORECASE)
_NOTED = {
    "MutuallyExclusiveViolation": "one of its service plans excludes one that the user has",
    "DependencyViolation": "one of its service plans needs one that the user does not have",
    "ProhibitedInUsageLocationViolation": "it may not be used in the user's country",
}


def check_disabled_plans_form(option: Mapping[str, t.Any]) -> None:
    """Before the first request: each product has a list of names."""
    for product, plans in option.items():
        path = f"disabled_plans.{product}"
        if not str(product).strip():
            raise InvalidOption("disabled_plans", "has a product without a name.", "Name it by its part number or id.")
        if not isinstance(plans, list) or not all(isinstance(plan, str) and plan.strip() for plan in plans):
            raise InvalidOption(path, "is not a list of service plans.", "List their names or ids; an empty list switches all on.")


def resolve_disabled_plans(option: Mapping[str, list[str]], products: tuple[Product, ...]) -> dict[str, frozenset[str]]:
    """The option as ids, by product."""
    found: dict[str, frozenset[str]] = {}
    for reference, plans in option.items():
        key = str(reference).strip()
        product = next((product for product in products if key.lower() == product.sku_id or key.upper() == product.part_number.upper()), None)
        if product is None:
            raise NotPossible(
                doing="choose the service plans", why=f"disabled_plans: this tenant has no product {key}.", next_step=product_candidates(key, products)
            )
        if product.sku_id in found:
            raise InvalidOption(f"disabled_plans.{key}", f"{product.part_number} is there twice, by part number and by id.", "Name it once.")
        found[product.sku_id] = frozenset(_plan(plan, product).plan_id for plan in plans)
    return found


def _plan(reference: str, product: Product) -> ServicePlan:
    key = reference.strip()
    for plan in product.plans:
        if key.lower() == plan.plan_id or key.upper() == plan.name.upper():
            return plan
    names = {plan.name.upper(): plan.name for plan in product.plans}
    close = difflib.get_close_matches(key.upper(), list(names), n=3, cutoff=0.5)
    meant = f"Did you mean {', '.join(names[name] for name in close)}? " if close else ""
    raise NotPossible(
        doing="choose the service plans",
        why=f"disabled_plans.{product.part_number}: the product has no service plan {key}.",
        next_step=f"{meant}It has {', '.join(sorted(names.values())) or 'none'}.",
    )


def check_disabled_plans(
    disabled: Mapping[str, frozenset[str]], held: tuple[License, ...], wanted: Iterable[str], products: tuple[Product, ...], *, exact: bool
) -> None:
    """Refuse plans of products that the user will not have, and those that a group switches on."""
    named = {*wanted}
    stays = named | {entry.sku_id for entry in held if entry.source == "group" or not exact}
    through_groups = disabled_plans(entry for entry in held if entry.source == "group")
    for sku_id, plans in disabled.items():
        name = part_number(sku_id, products) or sku_id
        if sku_id not in stays:
            raise InvalidOption(f"disabled_plans.{name}", "the user will not have this product.", "Name it in licenses as well.")
        for entry in held:
            beyond = plans - entry.disabled
            if entry.sku_id == sku_id and entry.source == "group" and beyond:
                groups, on = ", ".join(entry.groups) or "unknown", ", ".join(plan_names(sku_id, beyond, products))
                raise NotPossible(
                    doing=f"switch off service plans of {name}",
                    why=f"the licence comes through a group ({groups}), which switches {on} on.",
                    next_step="Switch the plans off in the group's licence, or take the user out of the group.",
                )
        if exact and sku_id not in named and through_groups[sku_id] != plans:
            left = ", ".join(plan_names(sku_id, through_groups[sku_id] - plans, products))
            raise InvalidOption(
                f"disabled_plans.{name}",
                f"of this product license_mode=exact leaves only what a group brings, and that leaves {left} off.",
                "Name the product in licenses as well, so that a direct licence switches the plans on.",
            )


def check_noted_problems(user: Row, change: LicenseChange, products: tuple[Product, ...], user_principal_name: str) -> None:
    """Refuse what the service has tried already for a group of the user, and found impossible, if nothing about it changes now."""
    if change.remove or change.plans or len(change.add) != 1:
        return
    for state in listed(user, "licenseAssignmentStates"):
        noted = _NOTED.get(text(state, "error") or "")
        if text(state, "state") == "Error" and noted and needed_id(state, "skuId") == change.add[0]:
            name = part_number(change.add[0], products) or change.add[0]
            raise NotPossible(
                doing=f"assign the product {name} to {user_principal_name}",
                why=f"{noted}: the service found that for the group {state.get('assignedByGroup')}, which is to bring the product "
                f"({state.get('lastUpdatedDateTime') or 'time unknown'}).",
                next_step="Take the other product away in the same task (license_mode=exact), switch the plan off with disabled_plans, or add the product that "
                "is missing. If that was done meanwhile, have the user's licences reprocessed.",
            )


def explain_refusal(error: ServiceRefused, change: LicenseChange, held: tuple[License, ...], products: tuple[Product, ...]) -> None:
    """Say in products and plans what the service says in ids."""
    after = change.applied(held)
    off = disabled_plans(after)
    mine = [product for product in products if product.sku_id in off]
    exclusive, depends = _EXCLUSIVE.search(error.message), _DEPENDS.search(error.message)
    if exclusive:
        plans = [_described(plan, mine) for plan in _ids(exclusive["plans"])]
        error.why = f"The service plans {' and '.join(plans)} exclude each other."
        error.next_step = (
            "Keep one of the products (with license_mode=exact the other is taken away in the same call), or switch one of the plans off with disabled_plans."
        )
    elif depends:
        needed = _ids(depends["needed"])
        bringing = sorted(
            f"{product.part_number} ({product.seats} seats left)"
            for product in products
            if product.for_users and any(plan.plan_id in needed for plan in product.plans)
        )
        error.why = (
            f"The service plan {_described(depends['plan'], mine)} needs {' and '.join(_described(plan, products) for plan in needed)}, which would be off."
        )
        error.next_step = (
            f"Have the plan switched on by a product that brings it ({', '.join(bringing) or 'this tenant has none'}), "
            "or switch the one that needs it off with disabled_plans."
        )


def is_about_plans(message: str) -> bool:
    """Whether a refusal tells of plans that exclude or need each other."""
    return bool(_EXCLUSIVE.search(message) or _DEPENDS.search(message))


def _ids(text: str) -> list[str]:
    return [part.strip().lower() for part in text.split(",")]


def _described(plan_id: str, products: Iterable[Product]) -> str:
    bringing = [(plan.name, product.part_number) for product in products for plan in product.plans if plan.plan_id == plan_id.lower()]
    if not bringing:
        return plan_id
    return f"{bringing[0][0]} (of {', '.join(sorted({part for _name, part in bringing}))})"
