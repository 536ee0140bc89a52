# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph through the server, with a real sign-in: the life of one service account."""

from __future__ import annotations

from tests.emulator.launcher import RunningEmulator

PASSWORD = "Zx7!fresh-value"


def test_a_service_account_from_its_creation_to_its_end(emulator: RunningEmulator):
    tenant = emulator.tenant("contoso")
    upn = f"lead-writer@{tenant['domain']}"
    token = emulator.token("contoso", "https://graph.microsoft.com")
    root = f"{emulator.graph}/v1.0"
    wish = {
        "accountEnabled": True,
        "displayName": "Lead Writer",
        "mailNickname": "lead-writer",
        "userPrincipalName": upn,
        "usageLocation": "DE",
        "passwordPolicies": "DisablePasswordExpiration",
        "passwordProfile": {"password": PASSWORD, "forceChangePasswordNextSignIn": False},
    }
    made = emulator.call("POST", f"{root}/users", token, json=wish)
    assert made.status_code == 201
    user_id = made.json()["id"]
    skus = {sku["skuPartNumber"]: sku for sku in emulator.call("GET", f"{root}/subscribedSkus", token).json()["value"]}
    change = {"addLicenses": [{"skuId": skus["CRMPLAN2"]["skuId"], "disabledPlans": []}], "removeLicenses": []}
    assert emulator.call("POST", f"{root}/users/{upn}/assignLicense", token, json=change).status_code == 200
    details = emulator.call("GET", f"{root}/users/{user_id}/licenseDetails", token).json()["value"]
    assert [entry["skuPartNumber"] for entry in details] == ["CRMPLAN2"]
    # The account signs in with the password that it was created with, and holds no directory role.
    own = emulator.user_token("contoso", "https://graph.microsoft.com", upn, PASSWORD)
    assert emulator.call("GET", f"{root}/me", own).json()["id"] == user_id
    assert emulator.call("GET", f"{root}/users/{user_id}/transitiveMemberOf/microsoft.graph.directoryRole", token).json()["value"] == []
    assert emulator.call("PATCH", f"{root}/users/{user_id}", own, json={"department": "x"}).status_code == 403
    assert emulator.call("DELETE", f"{root}/users/{user_id}", token).status_code == 204
    assert emulator.call("GET", f"{root}/users/{user_id}", token).status_code == 404
    after = {sku["skuPartNumber"]: sku for sku in emulator.call("GET", f"{root}/subscribedSkus", token).json()["value"]}
    assert after["CRMPLAN2"]["consumedUnits"] == skus["CRMPLAN2"]["consumedUnits"]
