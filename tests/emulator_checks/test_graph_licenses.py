# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph licences: seats, plans, groups, and all-or-nothing changes."""

from __future__ import annotations

from typing import Any

import pytest

from .small_cloud import (
    ADDON,
    CRM_PLAN,
    CRMPLAN2,
    FLOW_PLAN,
    FULL,
    GROUP_ID,
    MEMBER_ID,
    SALES,
    SALES_PLAN,
    STORAGE,
    TENANT_ID,
    Answer,
    SmallCloud,
    make_cloud,
)

UNKNOWN = "0118a350-71fc-4ec3-8f0c-6a1cb8867561"


@pytest.fixture
def cloud() -> SmallCloud:
    return make_cloud()


def assign(cloud: SmallCloud, *add: str | tuple[str, list[str]], remove: tuple[str, ...] = ()) -> Answer:
    entries = [entry if isinstance(entry, tuple) else (entry, []) for entry in add]
    body = {"addLicenses": [{"skuId": sku_id, "disabledPlans": plans} for sku_id, plans in entries], "removeLicenses": list(remove)}
    return cloud.post(f"/users/{MEMBER_ID}/assignLicense", body)


def consumed(cloud: SmallCloud, sku_id: str) -> int:
    return int(cloud.tenant.collection("subscribedSkus")[sku_id]["consumedUnits"])


def held(cloud: SmallCloud) -> Any:
    return cloud.get(f"/users/{MEMBER_ID}?$select=assignedLicenses").body["assignedLicenses"]


def test_subscriptions_take_select_and_nothing_else(cloud: SmallCloud):
    found = cloud.get("/subscribedSkus")
    assert found.values[0]["id"] == f"{TENANT_ID}_{CRMPLAN2}"
    assert "_excludes" not in str(found.body)
    assert cloud.get("/subscribedSkus?$select=skuId,consumedUnits").values[0] == {"skuId": CRMPLAN2, "consumedUnits": 0}
    assert cloud.get("/subscribedSkus?$filter=skuPartNumber%20eq%20'CRMPLAN2'").status == 400
    assert cloud.get("/subscribedSkus?$top=1").status == 400


def test_an_assigned_licence_takes_a_seat_and_shows_everywhere(cloud: SmallCloud):
    cloud.time(license_propagation=60.0)
    answer = assign(cloud, (CRMPLAN2, [FLOW_PLAN]))
    assert answer.status == 200
    assert "assignedLicenses" not in answer.body
    assert consumed(cloud, CRMPLAN2) == 1
    assert held(cloud) == [{"disabledPlans": [FLOW_PLAN], "skuId": CRMPLAN2}]
    shown = cloud.get(f"/users/{MEMBER_ID}?$select=licenseAssignmentStates,assignedPlans").body
    assert [(state["skuId"], state["assignedByGroup"], state["state"], state["error"]) for state in shown["licenseAssignmentStates"]] == [
        (CRMPLAN2, None, "Active", "None")
    ]
    assert [(plan["servicePlanId"], plan["service"]) for plan in shown["assignedPlans"]] == [(CRM_PLAN, "CRM")]
    plans = cloud.get(f"/users/{MEMBER_ID}/licenseDetails").values[0]["servicePlans"]
    assert [plan["provisioningStatus"] for plan in plans] == ["PendingProvisioning", "Disabled"]
    cloud.world.advance(61)
    assert cloud.get(f"/users/{MEMBER_ID}/licenseDetails").values[0]["servicePlans"][0]["provisioningStatus"] == "Success"
    assert cloud.tenant.collection("users")[MEMBER_ID]["_licensed_at"] <= cloud.world.now() - 60


def test_the_same_again_changes_nothing_and_other_plans_replace(cloud: SmallCloud):
    assign(cloud, CRMPLAN2)
    before = cloud.tenant.collection("users")[MEMBER_ID]
    assert assign(cloud, CRMPLAN2).status == 200
    assert cloud.tenant.collection("users")[MEMBER_ID] is before
    assert assign(cloud, (CRMPLAN2, [FLOW_PLAN])).status == 200
    assert held(cloud) == [{"disabledPlans": [FLOW_PLAN], "skuId": CRMPLAN2}]
    assert consumed(cloud, CRMPLAN2) == 1


@pytest.mark.parametrize(
    ("add", "remove", "message"),
    [
        ([FULL], (), f"Subscription with SKU {FULL} does not have any available licenses."),
        ([STORAGE], (), f"License {STORAGE} cannot be assigned to a user"),
        ([UNKNOWN], (), f"License {UNKNOWN} does not correspond to a valid company License."),
        ([(CRMPLAN2, [UNKNOWN])], (), f"Service plan {UNKNOWN} is not part of the license {CRMPLAN2}."),
        ([CRMPLAN2, SALES], (), f"License assignment failed because service plans {SALES_PLAN}, {CRM_PLAN} are mutually exclusive."),
        ([ADDON], (), f"License assignment failed because service plan 3ae52229-572e-414f-937c-ff35a87d4f29 depends on the service plan(s) {SALES_PLAN}"),
        ([], (CRMPLAN2,), "User does not have a corresponding license."),
        ([CRMPLAN2, FULL], (), f"Subscription with SKU {FULL} does not have any available licenses."),
    ],
)
def test_a_refused_assignment_leaves_everything_as_it_was(cloud: SmallCloud, add: list[Any], remove: tuple[str, ...], message: str):
    before = {key: entry["consumedUnits"] for key, entry in cloud.tenant.collection("subscribedSkus").items()}
    refused = assign(cloud, *add, remove=remove)
    assert (refused.status, refused.error["code"], refused.error["message"]) == (400, "Request_BadRequest", message)
    assert held(cloud) == []
    assert {key: entry["consumedUnits"] for key, entry in cloud.tenant.collection("subscribedSkus").items()} == before


def test_a_usage_location_comes_first(cloud: SmallCloud):
    cloud.tenant.collection("users").change(MEMBER_ID, usageLocation=None)
    assert assign(cloud, CRMPLAN2).error["message"] == "License assignment cannot be done for user with invalid usage location."


def test_a_changed_usage_location_arrives_late(cloud: SmallCloud):
    cloud.time(usage_location_lag=20.0)
    cloud.patch(f"/users/{MEMBER_ID}", {"usageLocation": "FR"})
    assert "usage location" in assign(cloud, CRMPLAN2).error["message"]
    cloud.world.advance(21)
    assert assign(cloud, CRMPLAN2).status == 200


@pytest.mark.parametrize("body", [{"addLicenses": []}, {"removeLicenses": []}, {}, {"addLicenses": [], "removeLicenses": [], "more": 1}])
def test_both_lists_must_be_sent(cloud: SmallCloud, body: dict[str, Any]):
    assert cloud.post(f"/users/{MEMBER_ID}/assignLicense", body).status == 400


def test_exclusive_plans_are_swapped_in_one_call(cloud: SmallCloud):
    assign(cloud, CRMPLAN2)
    assert assign(cloud, SALES).status == 400
    assert assign(cloud, SALES, remove=(CRMPLAN2,)).status == 200
    assert (consumed(cloud, CRMPLAN2), consumed(cloud, SALES)) == (0, 2)
    assert assign(cloud, ADDON).status == 200
    assert "depends on" in assign(cloud, remove=(SALES,)).error["message"]


def test_a_group_licence_is_inherited_and_cannot_be_taken_from_the_user(cloud: SmallCloud):
    cloud.tenant.collection("groups").change(GROUP_ID, _members=[MEMBER_ID], _licenses=[{"skuId": CRMPLAN2, "disabledPlans": [FLOW_PLAN]}])
    assert held(cloud) == [{"disabledPlans": [FLOW_PLAN], "skuId": CRMPLAN2}]
    states = cloud.get(f"/users/{MEMBER_ID}?$select=licenseAssignmentStates").body["licenseAssignmentStates"]
    assert [state["assignedByGroup"] for state in states] == [GROUP_ID]
    refused = assign(cloud, remove=(CRMPLAN2,))
    assert refused.error["message"] == "User license is inherited from a group membership and it cannot be removed directly from the user."
    assert assign(cloud, CRMPLAN2).status == 200
    assert held(cloud) == [{"disabledPlans": [], "skuId": CRMPLAN2}]
    assert consumed(cloud, CRMPLAN2) == 0
    assert assign(cloud, remove=(CRMPLAN2,)).status == 200
    assert held(cloud) == [{"disabledPlans": [FLOW_PLAN], "skuId": CRMPLAN2}]


def test_reprocessing_retries_a_group_licence_that_had_no_seat(cloud: SmallCloud):
    cloud.tenant.collection("groups").change(GROUP_ID, _members=[MEMBER_ID], _licenses=[{"skuId": FULL, "disabledPlans": []}])
    state = {"skuId": FULL, "disabledPlans": [], "assignedByGroup": GROUP_ID, "state": "Error", "error": "CountViolation", "lastUpdatedDateTime": None}
    cloud.tenant.collection("users").change(MEMBER_ID, licenseAssignmentStates=[state])
    assert cloud.post(f"/users/{MEMBER_ID}/reprocessLicenseAssignment").status == 200
    assert held(cloud) == []
    cloud.tenant.collection("subscribedSkus").change(FULL, consumedUnits=2)
    assert cloud.post(f"/users/{MEMBER_ID}/reprocessLicenseAssignment").status == 200
    assert held(cloud) == [{"disabledPlans": [], "skuId": FULL}]
    assert consumed(cloud, FULL) == 3


def test_deleting_releases_the_seats_and_restoring_takes_them_again(cloud: SmallCloud):
    assign(cloud, CRMPLAN2)
    cloud.delete(f"/users/{MEMBER_ID}")
    assert consumed(cloud, CRMPLAN2) == 0
    cloud.post(f"/directory/deletedItems/{MEMBER_ID}/restore")
    assert consumed(cloud, CRMPLAN2) == 1
    assert held(cloud) == [{"disabledPlans": [], "skuId": CRMPLAN2}]
    cloud.delete(f"/users/{MEMBER_ID}")
    cloud.tenant.collection("subscribedSkus").change(CRMPLAN2, consumedUnits=5)
    cloud.post(f"/directory/deletedItems/{MEMBER_ID}/restore")
    assert held(cloud) == []


def test_units_in_warning_count_unless_switched_off(cloud: SmallCloud):
    sku = cloud.tenant.collection("subscribedSkus")[FULL]
    cloud.tenant.collection("subscribedSkus").change(FULL, capabilityStatus="Warning", prepaidUnits={**sku["prepaidUnits"], "warning": 1})
    cloud.behave(warning_units_assignable=False)
    assert assign(cloud, FULL).status == 400
    cloud.behave(warning_units_assignable=True)
    assert assign(cloud, FULL).status == 200


def test_a_suspended_subscription_has_no_seat(cloud: SmallCloud):
    cloud.tenant.collection("subscribedSkus").change(CRMPLAN2, capabilityStatus="Suspended")
    assert "available licenses" in assign(cloud, CRMPLAN2).error["message"]


def test_licences_have_their_own_permission(cloud: SmallCloud):
    body: dict[str, Any] = {"addLicenses": [], "removeLicenses": []}
    url = f"/users/{MEMBER_ID}/assignLicense"
    assert cloud.as_app("LicenseAssignment.ReadWrite.All").post(url, body).status == 200
    assert cloud.as_app("User.Read.All").post(url, body).status == 403
    assert cloud.as_app("Organization.Read.All").get("/subscribedSkus").status == 200
    assert cloud.as_app("User.Read.All").get("/subscribedSkus").status == 403
