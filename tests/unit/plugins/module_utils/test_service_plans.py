# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service plans: which are off, what stands against that, what a refusal means."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import InvalidOption, NotPossible, ServiceRefused
from ansible_collections.leadops.dynamics365.plugins.module_utils._licenses import (
    License,
    LicenseChange,
    Product,
    ServicePlan,
    disabled_plans,
    held_licenses,
    plan_licenses,
    shown_plans,
    warnings_about,
)
from ansible_collections.leadops.dynamics365.plugins.module_utils._service_plans import (
    check_disabled_plans,
    check_disabled_plans_form,
    check_noted_problems,
    explain_refusal,
    resolve_disabled_plans,
)

CRM = ServicePlan("bf36ca64-95c6-4918-9275-eb9f4ce2c04f", "CRMPLAN2")
FLOW = ServicePlan("7e6d7d78-73de-46ba-83b1-6d25117334ba", "FLOW_DYN_APPS")
SALE = ServicePlan("2da8e897-7791-486b-b08f-cc63c8129df7", "DYN365_ENTERPRISE_SALES")
BASIC = Product("906af65a-2970-46d5-9b58-4e9aa50f0657", "CRMPLAN2", for_users=True, status="Enabled", units=10, consumed=3, plans=(CRM, FLOW))
SALES = Product("1e1a282c-9c54-43a2-9310-98ef728faace", "DYN365_ENTERPRISE_SALES", for_users=True, status="Enabled", units=5, consumed=5, plans=(SALE,))
TENANT = (BASIC, SALES)
B, S = BASIC.sku_id, SALES.sku_id
UPN = "leads@contoso.com"

SKUS = st.sampled_from(["s1", "s2", "s3"])
PLANS = st.frozensets(st.sampled_from(["p1", "p2", "p3"]))
HELD = st.dictionaries(st.tuples(SKUS, st.sampled_from(["direct", "group"])), PLANS).map(
    lambda ways: tuple(License(*way, plans) for way, plans in sorted(ways.items()))
)


@given(HELD, st.lists(SKUS), st.booleans(), st.dictionaries(SKUS, PLANS))
def test_planning_on_the_planned_state_gives_nothing(held: tuple[License, ...], wanted: list[str], exact: bool, disabled: dict[str, frozenset[str]]):  # noqa: FBT001
    try:
        check_disabled_plans(disabled, held, wanted, (), exact=exact)
    except (InvalidOption, NotPossible):
        return
    disabled = {sku_id: plans for sku_id, plans in disabled.items() if sku_id in wanted or any(entry.sku_id == sku_id for entry in held)}
    change = plan_licenses(held, wanted, exact=exact, disabled=disabled)
    after = change.applied(held)
    assert not plan_licenses(after, wanted, exact=exact, disabled=disabled)
    assert {entry for entry in held if entry.source == "group"} <= set(after)
    off = disabled_plans(after)
    assert all(off[sku_id] == plans for sku_id, plans in disabled.items() if sku_id in off)
    named = [entry["skuId"] for entry in change.body()["addLicenses"]] + change.body()["removeLicenses"]
    assert len(named) == len(set(named)), "the service refuses a product that is named twice"


def test_unsaid_plans_stay_and_an_empty_list_switches_all_on():
    held = (License(B, "direct", frozenset({FLOW.plan_id})),)
    assert not plan_licenses(held, [B], exact=False)
    change = plan_licenses(held, [B], exact=False, disabled={B: frozenset()})
    assert change.body() == {"addLicenses": [{"skuId": B, "disabledPlans": []}], "removeLicenses": []}
    assert change.replanned == (B,)


def test_plans_are_sets_and_all_changes_are_one_call():
    held = (License(B, "direct", frozenset({"p2", "p1"})), License("old", "direct"))
    change = plan_licenses(held, [B, S], exact=True, disabled={B: frozenset({"p1", "p2"}), S: frozenset({"q"})})
    assert change.body() == {"addLicenses": [{"skuId": S, "disabledPlans": ["q"]}], "removeLicenses": ["old"]}


def test_what_a_group_leaves_off_is_switched_on_beside_it():
    held = (License(B, "group", frozenset({FLOW.plan_id}), ("g",)),)
    change = plan_licenses(held, [B], exact=True, disabled={B: frozenset()})
    assert (change.add, change.remove) == ((B,), ())
    assert disabled_plans(change.applied(held)) == {B: frozenset()}


def test_several_groups_switch_on_what_one_of_them_does():
    states = [{"skuId": B, "assignedByGroup": group, "state": "Active", "disabledPlans": plans} for group, plans in (("g", ["p1", "p2"]), ("h", ["p2"]))]
    (held,) = held_licenses({"assignedLicenses": [{"skuId": B}], "licenseAssignmentStates": states})
    assert (held.source, held.disabled, held.groups) == ("group", frozenset({"p2"}), ("g", "h"))


def test_a_licence_with_an_error_through_a_group_is_not_taken_for_a_direct_one():
    state = {"skuId": B, "assignedByGroup": "g", "state": "ActiveWithError", "disabledPlans": []}
    assert held_licenses({"assignedLicenses": [{"skuId": B}], "licenseAssignmentStates": [state]}) == (License(B, "group"),)


def test_names_and_ids_mean_the_same():
    assert resolve_disabled_plans({"crmplan2": ["flow_dyn_apps", CRM.plan_id.upper()]}, TENANT) == {B: frozenset({FLOW.plan_id, CRM.plan_id})}
    assert shown_plans({B: frozenset({FLOW.plan_id, CRM.plan_id})}, TENANT) == {"CRMPLAN2": ["CRMPLAN2", "FLOW_DYN_APPS"]}
    assert shown_plans({"zzz": frozenset({"p"})}, TENANT) == {"zzz": ["p"]}


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"CRMPLAN3": []}, "Did you mean CRMPLAN2?"),
        ({"CRMPLAN2": ["FLOW_DYN_APP"]}, "Did you mean FLOW_DYN_APPS?"),
        ({"DYN365_ENTERPRISE_SALES": ["FLOW_DYN_APPS"]}, "It has DYN365_ENTERPRISE_SALES"),
        ({"CRMPLAN2": [], B: []}, "Name it once"),
    ],
)
def test_what_the_tenant_does_not_have_shows_what_it_has(option: dict[str, list[str]], said: str):
    with pytest.raises((NotPossible, InvalidOption)) as caught:
        resolve_disabled_plans(option, TENANT)
    assert said in caught.value.next_step


@pytest.mark.parametrize("option", [{"": []}, {"CRMPLAN2": "FLOW_DYN_APPS"}, {"CRMPLAN2": None}, {"CRMPLAN2": [" "]}, {"CRMPLAN2": [7]}])
def test_the_form_is_checked_before_anything_is_read(option: dict[str, t.Any]):
    with pytest.raises(InvalidOption, match="disabled_plans"):
        check_disabled_plans_form(option)


def test_plans_of_a_product_that_the_user_will_not_have_are_a_mistake():
    held = (License(B, "direct"),)
    check_disabled_plans({B: frozenset()}, held, [], TENANT, exact=False)
    for exact, mine in ((True, held), (False, ())):
        with pytest.raises(InvalidOption, match="will not have"):
            check_disabled_plans({B: frozenset()}, mine, [S], TENANT, exact=exact)


def test_a_group_cannot_be_overruled():
    held = (License(B, "group", frozenset(), ("g-1",)), License(B, "direct"))
    with pytest.raises(NotPossible) as caught:
        check_disabled_plans({B: frozenset({FLOW.plan_id})}, held, [B], TENANT, exact=False)
    assert "group (g-1), which switches FLOW_DYN_APPS on" in caught.value.why


def test_what_the_service_found_impossible_for_a_group_is_not_tried_again():
    row = {"licenseAssignmentStates": [{"skuId": S.upper(), "assignedByGroup": "g-1", "state": "Error", "error": "MutuallyExclusiveViolation"}]}
    with pytest.raises(NotPossible) as caught:
        check_noted_problems(row, LicenseChange((S,)), TENANT, UPN)
    assert "excludes one that the user has" in caught.value.why
    assert "g-1" in caught.value.why
    for change in (LicenseChange((B,)), LicenseChange((S,), (B,)), LicenseChange((S, B)), LicenseChange((S,), (), {S: frozenset({"p"})}), LicenseChange()):
        check_noted_problems(row, change, TENANT, UPN)
    check_noted_problems({"licenseAssignmentStates": [{"skuId": S, "state": "Error", "error": "CountViolation"}]}, LicenseChange((S,)), TENANT, UPN)
    (text,) = warnings_about(TENANT, row, [S], UPN)
    assert "DYN365_ENTERPRISE_SALES through the group g-1, because of MutuallyExclusiveViolation" in text


@pytest.mark.parametrize(("status", "said"), [("Warning", "grace period"), ("Suspended", "in the state Suspended"), ("Enabled", "")])
def test_subscriptions_that_end_are_told(status: str, said: str):
    product = Product(B, "CRMPLAN2", for_users=True, status=status, units=1, consumed=1)
    texts = warnings_about((product,), {}, [B], UPN)
    assert said in "".join(texts)
    assert bool(texts) == bool(said)
    assert warnings_about((product,), {}, [S], UPN) == []


def test_a_refusal_names_products_and_plans():
    error = refusal(f"License assignment failed because service plans {CRM.plan_id}, {SALE.plan_id} are mutually exclusive.")
    explain_refusal(error, LicenseChange((S,)), (License(B, "direct"),), TENANT)
    assert "CRMPLAN2 (of CRMPLAN2) and DYN365_ENTERPRISE_SALES (of DYN365_ENTERPRISE_SALES) exclude each other" in error.why
    assert "license_mode=exact" in error.next_step
    error = refusal(f"License assignment failed because service plan {FLOW.plan_id} depends on the service plan(s) {SALE.plan_id}")
    explain_refusal(error, LicenseChange((B,)), (), TENANT)
    assert "FLOW_DYN_APPS (of CRMPLAN2) needs DYN365_ENTERPRISE_SALES" in error.why
    assert "DYN365_ENTERPRISE_SALES (0 seats left)" in error.next_step
    error = refusal(
        "License assignment failed because service plan 11111111-2222-3333-4444-555555555555 depends on the service plan(s) " + ", ".join([CRM.plan_id] * 2)
    )
    explain_refusal(error, LicenseChange((B,)), (), ())
    assert "11111111" in error.why
    assert "this tenant has none" in error.next_step


def refusal(message: str) -> ServiceRefused:
    return ServiceRefused(message=message, why=message, status=400)
