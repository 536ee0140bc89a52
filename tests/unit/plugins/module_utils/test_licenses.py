# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Licences: what is held, what is wanted, what can be given."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import NotPossible
from ansible_collections.leadops.dynamics365.plugins.module_utils._licenses import (
    License,
    LicenseChange,
    Product,
    check_available,
    held_licenses,
    names_of,
    plan_licenses,
    products_needed,
    resolve_products,
)

BASIC = Product("906af65a-2970-46d5-9b58-4e9aa50f0657", "CRMPLAN2", for_users=True, status="Enabled", units=10, consumed=3)
SALES = Product("1e1a282c-9c54-43a2-9310-98ef728faace", "DYN365_ENTERPRISE_SALES", for_users=True, status="Enabled", units=5, consumed=5)
STORAGE = Product("328dc228-00bc-48c6-8b09-1fbc8bc3435d", "CRMSTORAGE", for_users=False, status="Enabled", units=1, consumed=0)
TENANT = (BASIC, SALES, STORAGE)
SKUS = st.sampled_from(["s1", "s2", "s3", "s4"])
HELD = st.sets(st.tuples(SKUS, st.sampled_from(["direct", "group"]))).map(lambda pairs: tuple(License(*pair) for pair in sorted(pairs)))


@given(HELD, st.lists(SKUS), st.booleans())
def test_planning_on_the_planned_state_gives_nothing(held: tuple[License, ...], wanted: list[str], exact: bool):  # noqa: FBT001
    change = plan_licenses(held, wanted, exact=exact)
    after = change.applied(held)
    assert not plan_licenses(after, wanted, exact=exact)
    assert {entry.sku_id for entry in after} >= set(wanted)
    assert {entry for entry in held if entry.source == "group"} <= set(after)


def test_what_a_group_brings_is_enough_and_stays():
    held = (License("s1", "group"), License("s2", "group"), License("s3", "direct"))
    assert plan_licenses(held, ["s1"], exact=True) == LicenseChange((), ("s3",))


def test_both_members_of_the_call_are_always_there():
    assert LicenseChange(("s1",)).body() == {"addLicenses": [{"skuId": "s1", "disabledPlans": []}], "removeLicenses": []}
    assert LicenseChange((), ("s1",)).body() == {"addLicenses": [], "removeLicenses": ["s1"]}


def test_each_way_of_holding_a_product_is_listed():
    row: dict[str, t.Any] = {
        "assignedLicenses": [{"skuId": "S1"}, {"skuId": "s2"}],
        "licenseAssignmentStates": [
            {"skuId": "S1", "assignedByGroup": None, "state": "Active"},
            {"skuId": "S1", "assignedByGroup": "g", "state": "Active"},
            {"skuId": "s3", "assignedByGroup": "g", "state": "Error"},
        ],
    }
    assert held_licenses(row) == (License("s1", "direct"), License("s1", "group"), License("s2", "direct"))
    assert held_licenses({}) == ()


def test_products_are_read_only_where_names_or_seats_matter():
    held = (License(BASIC.sku_id, "direct"),)
    assert not products_needed([BASIC.sku_id.upper()], held, exact=True)
    assert not products_needed([], held, exact=False)
    assert products_needed(["CRMPLAN2"], held, exact=False)
    assert products_needed([SALES.sku_id], held, exact=False)
    assert products_needed([], held, exact=True)


def test_part_numbers_and_ids_name_the_same_product():
    assert resolve_products(["crmplan2", " CRMPLAN2 ", BASIC.sku_id.upper()], TENANT) == (BASIC,)


def test_a_wrong_part_number_shows_what_the_tenant_has():
    with pytest.raises(NotPossible) as caught:
        resolve_products(["CRMPLAN2", "CRMPLAN"], TENANT)
    assert "licenses[1]" in caught.value.why
    assert "Did you mean CRMPLAN2?" in caught.value.next_step
    assert "CRMSTORAGE" not in caught.value.next_step
    with pytest.raises(NotPossible, match="the tenant has none"):
        resolve_products(["X"], (STORAGE,))


@pytest.mark.parametrize(
    ("product", "said"),
    [
        (SALES, "5 of 5 are in use"),
        (STORAGE, "cannot be held by a user"),
        (replace(BASIC, status="Suspended"), "in the state Suspended"),
    ],
)
def test_what_cannot_be_given_is_refused(product: Product, said: str):
    with pytest.raises(NotPossible, match=product.part_number) as caught:
        check_available([BASIC, product], "leads@contoso.com")
    assert said in caught.value.why


def test_a_product_in_its_grace_period_can_still_be_given():
    check_available([replace(BASIC, status="Warning")], "leads@contoso.com")


def test_unknown_products_keep_their_id():
    assert names_of(["zzz", BASIC.sku_id], TENANT) == ["CRMPLAN2", "zzz"]
