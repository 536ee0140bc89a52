# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""o365_user in a directory that lags, is busy or loses answers: one user, one licence, no error.

The module runs as a whole in this process; its clock is the emulator's, so that waiting costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.emulator.launcher import RunningEmulator

from .directory import FLOW, NO_FLOW, NOTHING_OFF, NOWHERE, Directory, State
from .fleet import Json


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    path = tmp_path_factory.mktemp("faults") / "tenants.json"
    tenants = [{"name": name, "timing": {"license_propagation": 0.0}, "features": {"pim": True}} for name in ("busy", "picky")]
    path.write_text(json.dumps({"tenants": tenants}), encoding="utf-8")
    with RunningEmulator("--tenants", str(path)) as running:
        yield running
        errors = running.errors()
    assert "defect at" not in errors, errors


FAULTS: dict[str, Json] = {
    "reads lag": {"timing": {"read_lag": 7.0}},
    "the licence service lags": {"timing": {"usage_location_lag": 7.0}, "begun": {"usageLocation": None}},
    "reads flap": {"behaviour": {"flapping_reads": True}},
    "writes collide": {"faults": [{"kind": "concurrency", "method": method, "count": 2} for method in ("POST", "PATCH", "DELETE")]},
    "close writes collide": {"behaviour": {"concurrency_window": 5.0}},
    "close writes collide, told as 503": {"behaviour": {"concurrency_window": 5.0, "concurrency_status": 503}},
    "429 with Retry-After": {"faults": [{"kind": "throttle", "retry_after": 2, "count": 6}]},
    "429 without Retry-After": {"faults": [{"kind": "throttle", "retry_after": "none", "count": 6}]},
    "503 with Retry-After": {"faults": [{"kind": "unavailable", "retry_after": 2, "count": 6}]},
    "503 without Retry-After": {"faults": [{"kind": "unavailable", "retry_after": "none", "count": 6}]},
    "503 for each first write": {"faults": [{"kind": "unavailable", "method": method, "count": 1} for method in ("POST", "PATCH", "DELETE")]},
    "answers are lost": {"faults": [{"kind": "drop-after", "method": method, "count": 1} for method in ("POST", "PATCH", "DELETE")]},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_directory_in_trouble_ends_with_one_user_and_one_licence(emulator: RunningEmulator, fault: str):
    directory = Directory(emulator, "busy")
    settings = FAULTS[fault]
    emulator.control("PATCH", "tenants/busy", {name: value for name, value in settings.items() if name in ("timing", "behaviour")})
    seats = consumed(emulator)
    number = 900 + list(FAULTS).index(fault)
    upn = directory.arrange(number, State() if "begun" in settings else NOWHERE)
    if "begun" in settings:
        emulator.control("PATCH", f"tenants/busy/documents/users/a0000000-0000-4000-8000-{number:012}", settings["begun"])
    wanted = {"user_principal_name": upn, "licenses": ["CRMPLAN2"], "disabled_plans": {"CRMPLAN2": ["FLOW_DYN_APPS"]}}
    steps: list[tuple[Json, Callable[[State], bool]]] = [
        (wanted, lambda state: state.direct == {"CRMPLAN2": NO_FLOW}),
        (
            {**wanted, "department": "Sales", "disabled_plans": {"CRMPLAN2": []}},
            lambda state: (state.direct, state.department) == ({"CRMPLAN2": NOTHING_OFF}, "Sales"),
        ),
        ({"user_principal_name": upn, "state": "absent"}, lambda state: state.where == "deleted"),
        (
            {**wanted, "disabled_plans": None, "deleted_user": "restore", "licenses": [], "license_mode": "exact", "account_enabled": False},
            lambda state: (state.where, state.direct, state.enabled) == ("live", {}, False),
        ),
    ]
    try:
        for params, reached in steps:
            for rule in settings.get("faults", ()):
                emulator.control("POST", "faults", {"service": "graph", "tenant": "busy", **rule})
            ended = directory.run(params)
            emulator.control("DELETE", "faults")
            assert not ended["failed"], ended
            assert ended["changed"]
            assert reached(directory.state(upn)), directory.state(upn)
            assert consumed(emulator) == seats + bool(directory.state(upn).direct and directory.state(upn).where == "live")
            again = directory.run(params)
            assert (again["failed"], again["changed"]) == (False, False), again
    finally:
        emulator.control("DELETE", "faults")
        kept = {"timing": {"read_lag": 0.0, "usage_location_lag": 0.0}, "behaviour": {"flapping_reads": False, "concurrency_window": 0.0}}
        emulator.control("PATCH", "tenants/busy", kept)
    assert directory.slept, "nothing was in the way"


def consumed(emulator: RunningEmulator, tenant: str = "busy") -> int:
    return next(int(sku["consumedUnits"]) for sku in emulator.documents(tenant, "subscribedSkus") if sku["skuPartNumber"] == "CRMPLAN2")


ENTERPRISE = "d56f3deb-50d8-465a-bedb-f079817ccac1"
"""The main service plan of DYN365_ENTERPRISE_PLAN1."""


@pytest.fixture
def picky(emulator: RunningEmulator) -> Iterator[Directory]:
    """A tenant whose two products have plans that exclude or need each other."""
    yield Directory(emulator, "picky")
    emulator.control("POST", "reset")


def relate(directory: Directory, product: str, **relations: list[str]) -> str:
    """Give all of a product's plans but the shared one such a relation; answers the first plan's name."""
    skus = directory.emulator.documents(directory.name, "subscribedSkus")
    sku = next(sku for sku in skus if sku["skuPartNumber"] == product)
    plans = [plan if plan["servicePlanId"] == FLOW else {**plan, **relations} for plan in sku["servicePlans"]]
    directory.put("subscribedSkus", sku["skuId"], {**sku, "servicePlans": plans})
    return next(str(plan["servicePlanName"]) for plan in plans if plan["servicePlanId"] != FLOW)


def plan_of(directory: Directory, product: str) -> str:
    """The id of a plan that only this product has."""
    skus = directory.emulator.documents(directory.name, "subscribedSkus")
    sku = next(sku for sku in skus if sku["skuPartNumber"] == product)
    return next(str(plan["servicePlanId"]) for plan in sku["servicePlans"] if plan["servicePlanName"] == product or plan["servicePlanId"] == ENTERPRISE)


def test_plans_that_exclude_each_other_are_told_by_product_and_can_be_swapped(picky: Directory):
    basic = plan_of(picky, "CRMPLAN2")
    relate(picky, "DYN365_ENTERPRISE_PLAN1", _excludes=[basic])
    upn = picky.arrange(1, State(direct={"CRMPLAN2": NOTHING_OFF}))
    wanted: Json = {"user_principal_name": upn, "licenses": ["CRMPLAN2", "DYN365_ENTERPRISE_PLAN1"]}
    refused = picky.run(wanted)
    assert refused["failed"]
    assert "CRMPLAN2 (of CRMPLAN2)" in refused["msg"]
    assert "(of DYN365_ENTERPRISE_PLAN1)" in refused["msg"]
    assert "exclude each other" in refused["msg"]
    assert "disabled_plans" in refused["error"]["next_step"]
    assert picky.state(upn).direct == {"CRMPLAN2": NOTHING_OFF}
    swapped = picky.run({**wanted, "licenses": ["DYN365_ENTERPRISE_PLAN1"], "license_mode": "exact"})
    assert (swapped["failed"], list(picky.state(upn).direct)) == (False, ["DYN365_ENTERPRISE_PLAN1"])


def test_a_plan_that_needs_another_is_told_with_the_products_that_bring_it(picky: Directory):
    relate(picky, "DYN365_ENTERPRISE_PLAN1", _needs=[plan_of(picky, "CRMPLAN2")])
    upn = picky.arrange(1, State())
    wanted: Json = {"user_principal_name": upn, "licenses": ["DYN365_ENTERPRISE_PLAN1"]}
    refused = picky.run(wanted)
    assert refused["failed"]
    assert "needs CRMPLAN2 (of CRMPLAN2), which would be off" in refused["msg"]
    assert "CRMPLAN2 (24 seats left)" in refused["error"]["next_step"]
    assert picky.state(upn).direct == {}
    both = picky.run({**wanted, "licenses": ["CRMPLAN2", "DYN365_ENTERPRISE_PLAN1"]})
    assert (both["failed"], len(picky.state(upn).direct)) == (False, 2)
    broken = picky.run({**wanted, "disabled_plans": {"CRMPLAN2": ["CRMPLAN2"]}})
    assert broken["failed"]
    assert "which would be off" in broken["msg"]


def test_a_directory_that_hides_what_deleted_users_held_is_looked_at_after_the_restoration(emulator: RunningEmulator):
    directory = Directory(emulator, "busy")
    emulator.control("PATCH", "tenants/busy", {"behaviour": {"deleted_user_shows_licenses": False}})
    upn = directory.arrange(990, State("deleted", enabled=False, direct={"CRMPLAN2": NO_FLOW, "DYN365_ENTERPRISE_PLAN1": NOTHING_OFF}))
    wanted = {"user_principal_name": upn, "deleted_user": "restore", "licenses": ["CRMPLAN2"], "license_mode": "exact"}
    predicted = directory.run(wanted, check=True)
    assert "known only after it is restored" in predicted["warnings"][-1]
    ended = directory.run(wanted)
    assert not ended["failed"], ended
    assert directory.state(upn) == State(direct={"CRMPLAN2": NO_FLOW})
    assert not directory.run(wanted)["changed"]
    emulator.control("PATCH", "tenants/busy", {"behaviour": {"deleted_user_shows_licenses": True}})
