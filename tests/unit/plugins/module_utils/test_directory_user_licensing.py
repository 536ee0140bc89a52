# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The licence options of one user: laws over all states and wishes, and what each option says when it is wrong."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils._directory_user_licensing import LicenseOptions, Licensing, plan_licensing, returning
from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import InvalidOption, NotPossible, TaskError
from ansible_collections.leadops.dynamics365.plugins.module_utils._graph import Graph
from ansible_collections.leadops.dynamics365.plugins.module_utils._licenses import disabled_plans, held_licenses, read_products
from ansible_collections.leadops.dynamics365.plugins.module_utils._odata import Row

UPN = "leads@contoso.com"
GROUPS = ("5d1f0e5c-0000-4000-8000-0000000000aa", "5d1f0e5c-0000-4000-8000-0000000000bb")
PLANS = {f"PLAN_{letter}": f"00000000-0000-4000-9000-00000000000{letter}" for letter in "abc"}
SKUS = {f"PRODUCT_{number}": f"00000000-0000-4000-8000-00000000000{number}" for number in range(4)}


def sku(name: str, *, enabled: int = 5, consumed: int = 0, **more: t.Any) -> Row:
    plans = [{"servicePlanId": plan_id, "servicePlanName": plan} for plan, plan_id in PLANS.items()]
    units = {"enabled": enabled, "warning": more.pop("warning", 0), "suspended": more.pop("suspended", 0)}
    return {"skuId": SKUS[name], "skuPartNumber": name, "consumedUnits": consumed, "prepaidUnits": units, "servicePlans": plans, **more}


class Tenant(Graph):
    """Answers the one question that planning asks."""

    def __init__(self, *skus: Row) -> None:
        self.skus = skus or tuple(sku(name) for name in SKUS)
        self.asked = 0

    def rows(self, _path: str, **_options: t.Any) -> Iterator[Row]:
        self.asked += 1
        return iter(self.skus)


def user(direct: dict[str, set[str]], group: dict[str, set[str]]) -> Row:
    """A user's row as the directory shows it."""
    ways = [(name, plans, None) for name, plans in direct.items()] + [(name, plans, GROUPS[0]) for name, plans in group.items()]
    states = [{"skuId": SKUS[name], "assignedByGroup": by, "state": "Active", "disabledPlans": [PLANS[plan] for plan in plans]} for name, plans, by in ways]
    off = {name: [PLANS[plan] for plan in set.intersection(*(plans for other, plans, _by in ways if other == name))] for name, _plans, _by in ways}
    return {"assignedLicenses": [{"skuId": SKUS[name], "disabledPlans": plans} for name, plans in off.items()], "licenseAssignmentStates": states}


def options(references: list[str] | None = None, *, exact: bool = False, disabled: dict[str, t.Any] | None = None) -> LicenseOptions:
    return LicenseOptions.of({"licenses": references, "license_mode": "exact" if exact else "add", "disabled_plans": disabled})


def planned(tenant: Tenant, wish: LicenseOptions, row: Row) -> Licensing:
    return plan_licensing(tenant, wish, row, UPN, lambda _text: None)


def written(row: Row, licensing: Licensing) -> Row:
    """The row after the call, as the service works it out: the call's body is all that is looked at."""
    body = licensing.change.body()
    added = {entry["skuId"]: entry["disabledPlans"] for entry in body["addLicenses"]}
    gone = {*added, *body["removeLicenses"]}
    states = [state for state in row["licenseAssignmentStates"] if state["assignedByGroup"] or state["skuId"] not in gone]
    states += [{"skuId": sku_id, "assignedByGroup": None, "state": "Active", "disabledPlans": plans} for sku_id, plans in added.items()]
    held: dict[str, set[str]] = {}
    for state in states:
        held[state["skuId"]] = held.get(state["skuId"], set(state["disabledPlans"])) & set(state["disabledPlans"])
    return {"assignedLicenses": [{"skuId": sku_id, "disabledPlans": sorted(plans)} for sku_id, plans in held.items()], "licenseAssignmentStates": states}


NAMES = st.sampled_from(sorted(SKUS))
OFF = st.sets(st.sampled_from(sorted(PLANS)))
HELD = st.dictionaries(NAMES, OFF)
REFERENCES = st.none() | st.lists(NAMES.flatmap(lambda name: st.sampled_from([name, name.lower(), SKUS[name], SKUS[name].upper()])), max_size=4)
DISABLED = st.dictionaries(NAMES, OFF.map(sorted), max_size=2)


@given(HELD, HELD, REFERENCES, st.booleans(), DISABLED)
def test_one_call_reaches_what_was_foreseen_and_then_there_is_nothing_to_do(
    direct: dict[str, set[str]],
    group: dict[str, set[str]],
    references: list[str] | None,
    exact: bool,  # noqa: FBT001
    disabled: dict[str, list[str]],
):
    row, wish = user(direct, group), options(references, exact=exact, disabled=disabled)
    try:
        licensing = planned(Tenant(), wish, row)
    except TaskError:
        assume(False)  # noqa: FBT003
        return
    after = written(row, licensing)
    foreseen = licensing.change.applied(licensing.held)
    assert sorted(held_licenses(after), key=str) == sorted(foreseen, key=str)
    assert not planned(Tenant(), wish, after).change
    off = disabled_plans(foreseen)
    assert off.keys() >= {SKUS.get(name.upper(), name.lower()) for name in references or ()}
    assert all(off[SKUS[name]] == {PLANS[plan] for plan in plans} for name, plans in disabled.items())
    assert {entry for entry in licensing.held if entry.source == "group"} <= set(foreseen)


@given(HELD, HELD)
def test_nothing_said_is_nothing_done_and_nothing_read(direct: dict[str, set[str]], group: dict[str, set[str]]):
    tenant = Tenant()
    assert not planned(tenant, options(), user(direct, group)).change
    assert not options()
    assert tenant.asked == 0


@given(HELD, st.dictionaries(NAMES, st.integers(0, 2)))
def test_what_comes_back_is_what_has_a_seat(direct: dict[str, set[str]], seats: dict[str, int]):
    row = user(direct, {})
    products = read_products(Tenant(*(sku(name, enabled=number) for name, number in seats.items())))
    back = {entry.sku_id for entry in held_licenses(returning(row, products))}
    assert back == {SKUS[name] for name in direct if seats.get(name, 0 if seats else 1)}
    assert returning(row, ()) == row


@pytest.mark.parametrize(
    ("product", "said"),
    [
        (sku("PRODUCT_1", consumed=5), "no seat is left: 5 of 5 are in use"),
        (sku("PRODUCT_1", enabled=0), "no seat is left: 0 of 0 are in use"),
        (sku("PRODUCT_1", enabled=0, suspended=25, capabilityStatus="Suspended"), "in the state Suspended"),
        (sku("PRODUCT_1", enabled=5, suspended=25, consumed=5), "no seat is left: 5 of 5 are in use, 25 more are suspended"),
        (sku("PRODUCT_1", capabilityStatus="LockedOut"), "in the state LockedOut"),
        (sku("PRODUCT_1", appliesTo="Company"), "cannot be held by a user"),
    ],
)
@pytest.mark.parametrize("reference", ["PRODUCT_1", "product_1", SKUS["PRODUCT_1"], SKUS["PRODUCT_1"].upper()])
def test_what_no_further_user_can_have_is_refused_by_name(product: Row, said: str, reference: str):
    tenant = Tenant(sku("PRODUCT_0"), product)
    with pytest.raises(NotPossible, match=r"PRODUCT_1") as caught:
        planned(tenant, options(["PRODUCT_0", reference]), user({}, {}))
    assert said in caught.value.why
    assert caught.value.next_step


def test_the_last_seat_and_seats_in_the_grace_period_can_be_taken():
    assert planned(Tenant(sku("PRODUCT_1", consumed=4)), options(["PRODUCT_1"]), user({}, {})).change.add == (SKUS["PRODUCT_1"],)
    warned: list[str] = []
    expired = Tenant(sku("PRODUCT_1", enabled=0, warning=5, capabilityStatus="Warning"))
    assert plan_licensing(expired, options(["PRODUCT_1"]), user({}, {}), UPN, warned.append).change
    assert "grace period" in warned[0]


def test_who_holds_a_full_product_keeps_it():
    full = Tenant(*(sku(name, consumed=5) for name in SKUS))
    assert not planned(full, options(["PRODUCT_1"]), user({"PRODUCT_1": set()}, {})).change
    assert not planned(full, options(["PRODUCT_1"]), user({}, {"PRODUCT_1": set()})).change
    beside = planned(full, options(disabled={"PRODUCT_1": []}), user({}, {"PRODUCT_1": {"PLAN_a"}}))
    assert beside.change.add == (SKUS["PRODUCT_1"],), "a direct licence beside a group's takes no seat"


def test_several_products_are_one_call_with_what_goes():
    row = user({"PRODUCT_0": set(), "PRODUCT_1": set()}, {})
    licensing = planned(Tenant(), options(["PRODUCT_1", "PRODUCT_2", "PRODUCT_3"], exact=True, disabled={"PRODUCT_2": ["plan_A", PLANS["PLAN_b"]]}), row)
    assert licensing.change.body() == {
        "addLicenses": [
            {"skuId": SKUS["PRODUCT_2"], "disabledPlans": [PLANS["PLAN_a"], PLANS["PLAN_b"]]},
            {"skuId": SKUS["PRODUCT_3"], "disabledPlans": []},
        ],
        "removeLicenses": [SKUS["PRODUCT_0"]],
    }


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (options(["PRODUKT_1"]), "Did you mean PRODUCT_"),
        (options(["11111111-1111-4111-8111-111111111111"]), "Buy it, or name one that the tenant has: PRODUCT_0"),
        (options(["NOTHING LIKE IT"]), "Buy it, or name one that the tenant has: PRODUCT_0"),
        (options(disabled={"PRODUCT_0": ["PLAN_X"]}), "Did you mean PLAN_"),
        (options(disabled={"PRODUCT_0": ["11111111-1111-4111-8111-111111111111"]}), "It has PLAN_a, PLAN_b, PLAN_c"),
        (options(disabled={"PRODUKT_0": ["PLAN_A"]}), "Did you mean PRODUCT_"),
    ],
)
def test_what_the_tenant_does_not_have_is_answered_with_what_it_has(wish: LicenseOptions, said: str):
    with pytest.raises(NotPossible) as caught:
        planned(Tenant(), wish, user({"PRODUCT_0": set()}, {}))
    assert said in caught.value.next_step


def test_empty_names_are_told_before_anything_is_read():
    with pytest.raises(InvalidOption, match=r"licenses\[1\]"):
        options(["PRODUCT_1", " "])
    with pytest.raises(InvalidOption, match="disabled_plans"):
        options(disabled={"PRODUCT_1": "PLAN_a"})


def test_what_a_group_could_not_bring_is_told_with_its_reason():
    warned: list[str] = []
    state = {"skuId": SKUS["PRODUCT_1"], "assignedByGroup": GROUPS[1], "state": "Error", "error": "CountViolation"}
    row = {**user({}, {}), "licenseAssignmentStates": [state]}
    change = plan_licensing(Tenant(), options(["PRODUCT_1"]), row, UPN, warned.append).change
    assert change.add == (SKUS["PRODUCT_1"],), "what a group could not bring is not held"
    assert GROUPS[1] in warned[0]
    assert "CountViolation" in warned[0]
