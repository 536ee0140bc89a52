# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests of o365_user on a scripted wire, with the answers that the directory gives."""

from __future__ import annotations

import typing as t

from ansible_collections.leadops.dynamics365.plugins.module_utils._directory_users import _SELECT
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import GRAPH, Expected, Run

UPN = "leads@contoso.com"
ID = "87d349ed-0000-4000-8000-000000000005"
SKU = "906af65a-2970-46d5-9b58-4e9aa50f0657"
SECRET = "Abcdefg-12345"
PRODUCT_COLUMNS = "skuId,skuPartNumber,appliesTo,capabilityStatus,consumedUnits,prepaidUnits"
ROW: dict[str, t.Any] = {
    "id": ID,
    "userPrincipalName": UPN,
    "displayName": "leads",
    "givenName": None,
    "surname": None,
    "mailNickname": "leads",
    "accountEnabled": True,
    "usageLocation": "DE",
    "passwordPolicies": "DisablePasswordExpiration",
    "assignedLicenses": [],
    "licenseAssignmentStates": [],
    "userType": "Member",
    "onPremisesSyncEnabled": None,
}
LICENSED = {"assignedLicenses": [{"skuId": SKU, "disabledPlans": []}], "licenseAssignmentStates": [{"skuId": SKU, "assignedByGroup": None, "state": "Active"}]}
CREATION = {
    "userPrincipalName": UPN,
    "displayName": "leads",
    "mailNickname": "leads",
    "accountEnabled": True,
    "usageLocation": "DE",
    "passwordPolicies": "DisablePasswordExpiration",
    "passwordProfile": {"password": SECRET, "forceChangePasswordNextSignIn": False},
}
ASSIGNMENT = {"addLicenses": [{"skuId": SKU, "disabledPlans": []}], "removeLicenses": []}
ARGS = {"user_principal_name": UPN, "password": SECRET}
WITH_LICENSE = {**ARGS, "licenses": ["CRMPLAN2"]}


def error(code: str, message: str = "no") -> dict[str, t.Any]:
    return {"error": {"code": code, "message": message}}


NOT_FOUND = error("Request_ResourceNotFound", "Resource does not exist or one of its queried reference-property objects are not present.")
DENIED = error("Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
CONFLICT = error("Request_BadRequest", "Another object with the same value for property userPrincipalName already exists.")


def by_name(row: dict[str, t.Any] | None = None) -> Expected:
    return Expected("GET", f"{GRAPH}/users('{UPN}')?$select={_SELECT}", 200 if row else 404, row or NOT_FOUND)


def by_id(row: dict[str, t.Any] | None = None) -> Expected:
    return Expected("GET", f"{GRAPH}/users/{ID}?$select={_SELECT}", 200 if row else 404, row or NOT_FOUND)


def deleted(*rows: dict[str, t.Any]) -> Expected:
    path = f"directory/deletedItems/microsoft.graph.user?$select={_SELECT},deletedDateTime&$filter=endsWith(userPrincipalName,'{UPN}')&$count=true"
    return Expected("GET", f"{GRAPH}/{path}", answer={"value": list(rows)})


def organization(country: str | None = "DE", **more: t.Any) -> Expected:
    answer = {"countryLetterCode": country, "verifiedDomains": [{"name": "contoso.com", "type": "Managed"}], **more}
    return Expected("GET", f"{GRAPH}/organization?$select=id,countryLetterCode,defaultUsageLocation,verifiedDomains", answer={"value": [answer]})


def products(consumed: int = 1) -> Expected:
    row = {"skuId": SKU, "skuPartNumber": "CRMPLAN2", "appliesTo": "User", "capabilityStatus": "Enabled", "consumedUnits": consumed}
    return Expected("GET", f"{GRAPH}/subscribedSkus?$select={PRODUCT_COLUMNS}", answer={"value": [{**row, "prepaidUnits": {"enabled": 5}}]})


def memberships(*rows: dict[str, t.Any], status: int = 200) -> Expected:
    return Expected("GET", f"{GRAPH}/users/{ID}/transitiveMemberOf", status, {"value": list(rows)} if status == 200 else DENIED)


def assigned(*rows: dict[str, t.Any], principal: str = ID, status: int = 200) -> Expected:
    path = f"roleManagement/directory/roleAssignments?$filter=principalId eq '{principal}'&$expand=roleDefinition"
    return Expected("GET", f"{GRAPH}/{path}", status, {"value": list(rows)} if status == 200 else DENIED)


def eligible(*rows: dict[str, t.Any], principal: str = ID) -> Expected:
    return Expected(
        "GET", f"{GRAPH}/roleManagement/directory/roleEligibilityScheduleInstances?$filter=principalId eq '{principal}'", answer={"value": list(rows)}
    )


def no_pim() -> Expected:
    return Expected("GET", eligible().url, 400, error("AadPremiumLicenseRequired", "The tenant needs a licence."))


def no_roles() -> tuple[Expected, ...]:
    return memberships(), assigned(), no_pim()


def create(status: int = 201, answer: t.Any = None, raises: Exception | None = None) -> Expected:
    return Expected("POST", f"{GRAPH}/users", status, answer or {"id": ID}, body=CREATION, raises=raises)


def assign(status: int = 200, answer: t.Any = None) -> Expected:
    return Expected("POST", f"{GRAPH}/users/{ID}/assignLicense", status, answer or {"id": ID}, body=ASSIGNMENT)


def patch(body: dict[str, t.Any], status: int = 204, answer: t.Any = None) -> Expected:
    return Expected("PATCH", f"{GRAPH}/users/{ID}", status, answer, body=body)


def why(ended: Run) -> str:
    assert ended.failed, ended.result
    ended.wire.finished()
    return str(ended.result["msg"])
