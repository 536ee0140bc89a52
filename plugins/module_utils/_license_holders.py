# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds which licence, and how: for reports, where each way of a licence and its errors matter. Reads only.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator

from ._graph import Graph, needing
from ._licenses import Product, part_number, plan_names
from ._odata import Row, is_guid, literal, query
from ._rows import flag, listed, needed_id, text, texts

_SELECT = "id,userPrincipalName,displayName,accountEnabled,usageLocation,assignedLicenses,licenseAssignmentStates"
_AT_ONCE = 15
"""So many values a filter may list."""


def read_holders(graph: Graph, references: Iterable[str]) -> dict[str, Row | None]:
    """Users by the id or user principal name that was given; None where there is none. One request for each 15."""
    given = list(dict.fromkeys(reference.strip() for reference in references))
    rows: dict[str, Row] = {}
    with needing("User.Read.All", "reading the licences of users"):
        for column, values in (("id", filter(is_guid, given)), ("userPrincipalName", (name for name in given if not is_guid(name)))):
            for some in _slices(list(values)):
                condition = f"{column} in ({', '.join(map(literal, some))})"
                path = "users" + query(select=_SELECT, filter=condition)
                rows.update({needed_id(row, column): row for row in graph.rows(path, doing="read the licences of users")})
    return {reference: rows.get(reference.lower()) for reference in given}


def _slices(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]


def product_report(product: Product, *, plans: bool) -> dict[str, t.Any]:
    """A product as ``o365_license_info`` shows it."""
    units = product.prepaid
    found: dict[str, t.Any] = {
        "sku_id": product.sku_id,
        "sku_part_number": product.part_number,
        "applies_to": "user" if product.for_users else "company",
        "status": product.status,
        "enabled": units.get("enabled", 0),
        "warning": units.get("warning", 0),
        "suspended": units.get("suspended", 0),
        "locked_out": units.get("lockedOut", 0),
        "consumed": product.consumed,
        "available": max(0, product.seats) if product.for_users else 0,
    }
    if plans:
        found["service_plans"] = [
            {"id": plan.plan_id, "name": plan.name, "applies_to": "user" if plan.for_users else "company", "status": plan.status} for plan in product.plans
        ]
    return found


def holder_report(reference: str, user: Row | None, products: tuple[Product, ...]) -> dict[str, t.Any]:
    """A user as ``o365_license_info`` shows it."""
    row = user or {}
    return {
        "name": reference,
        "found": user is not None,
        "id": text(row, "id"),
        "user_principal_name": text(row, "userPrincipalName"),
        "display_name": text(row, "displayName"),
        "account_enabled": flag(row, "accountEnabled") if text(row, "accountEnabled") else None,
        "usage_location": text(row, "usageLocation"),
        "licenses": sorted(_ways(row, products), key=lambda way: (way["sku_part_number"] or way["sku_id"], way["source"], way["group_id"] or "")),
    }


def _ways(user: Row, products: tuple[Product, ...]) -> Iterator[dict[str, t.Any]]:
    states = list(listed(user, "licenseAssignmentStates"))
    known = {needed_id(state, "skuId") for state in states}
    # The states can lag behind the licences
    states += [entry for entry in listed(user, "assignedLicenses") if needed_id(entry, "skuId") not in known]
    for state in states:
        sku_id, group, problem = needed_id(state, "skuId"), text(state, "assignedByGroup"), text(state, "error")
        yield {
            "sku_id": sku_id,
            "sku_part_number": part_number(sku_id, products),
            "source": "group" if group else "direct",
            "group_id": group,
            "state": text(state, "state") or "Active",
            "error": None if problem in (None, "None") else problem,
            "disabled_plans": plan_names(sku_id, (plan.lower() for plan in texts(state, "disabledPlans")), products),
        }
