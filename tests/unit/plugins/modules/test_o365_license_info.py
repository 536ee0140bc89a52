# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""o365_license_info on a scripted wire."""

from __future__ import annotations

import typing as t

from ansible_collections.leadops.dynamics365.plugins.module_utils._license_holders import _SELECT
from ansible_collections.leadops.dynamics365.plugins.modules import o365_license_info as module
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import GRAPH, Expected, run

SKU = "906af65a-2970-46d5-9b58-4e9aa50f0657"
STORAGE = "328dc228-00bc-48c6-8b09-1fbc8bc3435d"
FLOW = "7e6d7d78-73de-46ba-83b1-6d25117334ba"
ID = "87d349ed-0000-4000-8000-000000000005"
COLUMNS = "skuId,skuPartNumber,appliesTo,capabilityStatus,consumedUnits,prepaidUnits"
UNITS = {"enabled": 5, "warning": 2, "suspended": 1, "lockedOut": 0}
BASIC = {"skuId": SKU.upper(), "skuPartNumber": "CRMPLAN2", "appliesTo": "User", "capabilityStatus": "Warning", "consumedUnits": 3, "prepaidUnits": UNITS}
COMPANY = {**BASIC, "skuId": STORAGE, "skuPartNumber": "CRMSTORAGE", "appliesTo": "Company", "capabilityStatus": "Enabled"}
USER = {
    "id": ID,
    "userPrincipalName": "Ada@contoso.com",
    "displayName": "Ada",
    "accountEnabled": True,
    "usageLocation": "AT",
    "assignedLicenses": [{"skuId": SKU, "disabledPlans": [FLOW]}, {"skuId": STORAGE}],
    "licenseAssignmentStates": [
        {"skuId": SKU, "assignedByGroup": "g-1", "state": "Error", "error": "CountViolation", "disabledPlans": []},
        {"skuId": SKU, "assignedByGroup": None, "state": "Active", "error": "None", "disabledPlans": [FLOW]},
    ],
}


def products(*, plans: bool = False) -> Expected:
    named = {"servicePlans": [{"servicePlanId": FLOW, "servicePlanName": "FLOW_DYN_APPS", "appliesTo": "User", "provisioningStatus": "Success"}]}
    rows = [COMPANY, {**BASIC, **(named if plans else {})}]
    return Expected("GET", f"{GRAPH}/subscribedSkus?$select={COLUMNS}{',servicePlans' if plans else ''}", answer={"value": rows})


def users(condition: str, *rows: dict[str, t.Any], status: int = 200) -> Expected:
    answer = {"value": list(rows)} if status == 200 else {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges."}}
    return Expected("GET", f"{GRAPH}/users?$select={_SELECT}&$filter={condition}", status, answer)


def test_products_are_one_request_and_seats_are_counted():
    ended = run(module, {}, products())
    assert ended.result["changed"] is False
    assert [product["sku_part_number"] for product in ended.result["products"]] == ["CRMPLAN2", "CRMSTORAGE"]
    basic, storage = ended.result["products"]
    assert basic == {
        "sku_id": SKU,
        "sku_part_number": "CRMPLAN2",
        "applies_to": "user",
        "status": "Warning",
        "enabled": 5,
        "warning": 2,
        "suspended": 1,
        "locked_out": 0,
        "consumed": 3,
        "available": 4,
    }
    assert (storage["applies_to"], storage["available"]) == ("company", 0)
    assert ended.result["users"] == []


def test_service_plans_on_request_and_only_the_named_products():
    ended = run(module, {"products": ["crmplan2"], "service_plans": True}, products(plans=True))
    (basic,) = ended.result["products"]
    assert basic["service_plans"] == [{"id": FLOW, "name": "FLOW_DYN_APPS", "applies_to": "user", "status": "Success"}]


def test_an_unknown_product_shows_the_tenants():
    ended = run(module, {"products": ["CRMPLAN3"]}, products())
    assert ended.failed
    assert "products[0]" in ended.result["msg"]
    assert "Did you mean CRMPLAN2" in ended.result["msg"]


def test_users_are_told_with_each_way_and_its_error():
    names = ["ada@contoso.com", ID.upper(), "o'neil@contoso.com"]
    script = (users(f"id in ('{ID.upper()}')", USER), users("userPrincipalName in ('ada@contoso.com', 'o''neil@contoso.com')", USER))
    ended = run(module, {"users": names, "service_plans": True}, products(plans=True), *script)
    ada, same, nobody = ended.result["users"]
    assert (ada["name"], ada["id"], same["id"], ada["licenses"]) == ("ada@contoso.com", ID, ID, same["licenses"])
    ways = [(way["sku_part_number"], way["source"], way["group_id"], way["state"], way["error"], way["disabled_plans"]) for way in ada["licenses"]]
    assert ways == [
        ("CRMPLAN2", "direct", None, "Active", None, ["FLOW_DYN_APPS"]),
        ("CRMPLAN2", "group", "g-1", "Error", "CountViolation", []),
        ("CRMSTORAGE", "direct", None, "Active", None, []),
    ]
    assert (nobody["found"], nobody["id"], nobody["licenses"]) == (False, None, [])


def test_many_users_are_few_requests():
    names = [f"u{number}@contoso.com" for number in range(16)]
    first = ", ".join(f"'{name}'" for name in names[:15])
    ended = run(module, {"users": names}, products(), users(f"userPrincipalName in ({first})"), users("userPrincipalName in ('u15@contoso.com')"))
    assert len(ended.result["users"]) == 16


def test_what_is_missing_is_named():
    ended = run(module, {"users": ["a@contoso.com"]}, products(), users("userPrincipalName in ('a@contoso.com')", status=403))
    assert "User.Read.All" in ended.result["msg"]
    assert "users[0]" in run(module, {"users": [" "]}).result["msg"]
