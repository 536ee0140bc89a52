# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""o365_user on a scripted wire: a deleted user comes back with what it had, and is made as wanted in the same run."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.leadops.dynamics365.plugins.modules import o365_user as module
from ansible_collections.leadops.dynamics365.tests.unit.plugins.directory_user_wire import (
    ARGS,
    ID,
    LICENSED,
    NOT_FOUND,
    PRODUCT_COLUMNS,
    ROW,
    SECRET,
    SKU,
    UPN,
    assign,
    assigned,
    by_id,
    by_name,
    deleted,
    memberships,
    no_pim,
    no_roles,
    patch,
    why,
)
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import GRAPH, Expected, Run, run

OTHER = "ea126fc5-a19e-42e2-a731-da9d437bffcf"
GROUP = "5d1f0e5c-0000-4000-8000-0000000000aa"
RESTORE = {**ARGS, "deleted_user": "restore"}
EXACTLY = {**RESTORE, "licenses": ["CRMPLAN2"], "license_mode": "exact"}
BOTH = {
    "assignedLicenses": [{"skuId": SKU, "disabledPlans": []}, {"skuId": OTHER, "disabledPlans": []}],
    "licenseAssignmentStates": [{"skuId": sku, "assignedByGroup": None, "state": "Active"} for sku in (SKU, OTHER)],
}
ADMINISTRATOR = {"id": "Zm9v-1", "roleDefinitionId": "d2", "directoryScopeId": "/", "roleDefinition": {"displayName": "User Administrator"}}
FORESEEN = ("id", "user_principal_name", "display_name", "account_enabled", "usage_location", "password_policies", "licenses", "disabled_plans")


def gone(**changes: t.Any) -> dict[str, t.Any]:
    return {**ROW, "userPrincipalName": ID.replace("-", "") + UPN, "deletedDateTime": "2026-11-01T00:00:00Z", **changes}


def restore() -> Expected:
    return Expected("POST", f"{GRAPH}/directory/deletedItems/{ID}/restore", answer={"id": ID}, body={})


def take(*removed: str, added: tuple[str, ...] = ()) -> Expected:
    body = {"addLicenses": [{"skuId": sku, "disabledPlans": []} for sku in added], "removeLicenses": list(removed)}
    return Expected("POST", f"{GRAPH}/users/{ID}/assignLicense", answer={"id": ID}, body=body)


def tenant(seats: int = 5) -> Expected:
    row = {"appliesTo": "User", "capabilityStatus": "Enabled", "consumedUnits": 0}
    rows = [
        {**row, "skuId": sku, "skuPartNumber": name, "prepaidUnits": {"enabled": number}}
        for sku, name, number in ((SKU, "CRMPLAN2", seats), (OTHER, "DYN365_ENTERPRISE_PLAN1", 5))
    ]
    return Expected("GET", f"{GRAPH}/subscribedSkus?$select={PRODUCT_COLUMNS}", answer={"value": rows})


def agree(predicted: Run, real: Run) -> None:
    """Check mode foresaw it all."""
    assert not real.failed, real.result
    assert predicted.result["writes"] == real.result["writes"]
    assert predicted.result["diff"] == real.result["diff"]
    assert [predicted.result["user"][name] for name in FORESEEN] == [real.result["user"][name] for name in FORESEEN]
    assert predicted.result["user"]["admin_roles"] is None
    assert "known only after it is restored" in predicted.result["warnings"][-1]


def test_what_comes_back_and_is_not_wanted_goes_in_the_same_run():
    predicted = run(module, EXACTLY, by_name(), deleted(gone(**BOTH)), tenant(), check=True)
    after = {**ROW, **LICENSED}
    real = run(module, EXACTLY, by_name(), deleted(gone(**BOTH)), tenant(), restore(), by_id({**ROW, **BOTH}), *no_roles(), take(OTHER), by_id(after))
    agree(predicted, real)
    assert real.result["diff"]["before"] == {"state": "deleted", "licenses": ["CRMPLAN2", "DYN365_ENTERPRISE_PLAN1"]}
    assert real.result["diff"]["after"] == {"state": "present", "licenses": ["CRMPLAN2"]}
    assert (real.result["created"], real.result["password_set"]) == (False, False)
    assert "old password" in real.result["warnings"][0]
    assert not run(module, EXACTLY, by_name(after), *no_roles(), tenant()).result["changed"]


def test_licences_that_are_slow_to_come_back_are_waited_for_where_they_must_go():
    script = (restore(), by_id(ROW), by_id({**ROW, **LICENSED}), by_id({**ROW, **BOTH}), *no_roles(), take(OTHER), by_id({**ROW, **LICENSED}))
    real = run(module, EXACTLY, by_name(), deleted(gone(**BOTH)), tenant(), *script)
    assert not real.failed
    assert real.clock.slept
    never = [by_id({**ROW, **LICENSED})] * 10
    real = run(module, EXACTLY, by_name(), deleted(gone(**BOTH)), tenant(), restore(), *never, *no_roles())
    assert (real.failed, sum(real.clock.slept), [write["method"] for write in real.result["writes"]]) == (False, 30, ["POST"])


def test_a_directory_that_hides_the_licences_of_deleted_users_is_looked_at_afterwards():
    predicted = run(module, EXACTLY, by_name(), deleted(gone()), tenant(), check=True)
    assert [write["path"].rsplit("/", 1)[-1] for write in predicted.result["writes"]] == ["restore", "assignLicense"]
    assert "known only after it is restored" in predicted.result["warnings"][-1]
    script = (restore(), by_id({**ROW, **BOTH}), *no_roles(), take(OTHER), by_id({**ROW, **LICENSED}))
    real = run(module, EXACTLY, by_name(), deleted(gone()), tenant(), *script)
    assert real.result["user"]["licenses"] == [{"sku_id": SKU, "sku_part_number": "CRMPLAN2", "source": "direct"}]


def test_a_wanted_licence_that_cannot_come_back_is_known_before_anything_is_written():
    for check in (True, False):
        assert "no seat is left" in why(run(module, EXACTLY, by_name(), deleted(gone(**BOTH)), tenant(0), check=check))


def test_service_plans_are_set_on_what_came_back():
    flow = "7e6d7d78-73de-46ba-83b1-6d25117334ba"
    args = {**RESTORE, "admin_roles": "ignore", "licenses": ["CRMPLAN2"], "disabled_plans": {"CRMPLAN2": ["FLOW_DYN_APPS"]}}
    rows = [{**row, "servicePlans": [{"servicePlanId": flow, "servicePlanName": "FLOW_DYN_APPS"}]} for row in tenant().answer["value"]]
    skus = Expected("GET", f"{GRAPH}/subscribedSkus?$select={PRODUCT_COLUMNS},servicePlans", answer={"value": rows})
    off = {"skuId": SKU, "disabledPlans": [flow]}
    call = Expected("POST", f"{GRAPH}/users/{ID}/assignLicense", answer={"id": ID}, body={"addLicenses": [off], "removeLicenses": []})
    after = {**ROW, "assignedLicenses": [off], "licenseAssignmentStates": [{**off, "assignedByGroup": None, "state": "Active"}]}
    predicted = run(module, args, by_name(), deleted(gone(**LICENSED)), skus, check=True)
    real = run(module, args, by_name(), deleted(gone(**LICENSED)), skus, restore(), by_id({**ROW, **LICENSED}), call, by_id(after))
    assert predicted.result["writes"] == real.result["writes"]
    assert predicted.result["diff"] == real.result["diff"]
    assert real.result["diff"]["before"] == {"state": "deleted", "disabled_plans": {"CRMPLAN2": []}}


def test_what_a_group_brings_back_stays_and_is_told():
    state = {"skuId": OTHER, "assignedByGroup": GROUP, "state": "Active"}
    row = {"assignedLicenses": [{"skuId": OTHER}], "licenseAssignmentStates": [state]}
    args = {**RESTORE, "licenses": [], "license_mode": "exact"}
    predicted = run(module, args, by_name(), deleted(gone(**row)), tenant(), check=True)
    real = run(module, args, by_name(), deleted(gone(**row)), tenant(), restore(), by_id({**ROW, **row}), *no_roles())
    agree(predicted, real)
    assert real.result["kept_licenses"] == predicted.result["kept_licenses"]
    assert real.result["kept_licenses"][0]["group_ids"] == [GROUP]


def test_blocked_sign_in_is_lifted_and_a_part_of_the_directory_that_does_not_know_is_waited_for():
    enable = {"accountEnabled": True}
    blocked = {**ROW, "accountEnabled": False}
    script = (restore(), by_id(), by_id(blocked), *no_roles(), patch(enable, 404, NOT_FOUND), patch(enable), assign(404, NOT_FOUND), assign())
    args = {**RESTORE, "licenses": ["CRMPLAN2"]}
    real = run(module, args, by_name(), deleted(gone(accountEnabled=False)), tenant(), *script, by_id({**ROW, **LICENSED}))
    agree(run(module, args, by_name(), deleted(gone(accountEnabled=False)), tenant(), check=True), real)
    assert real.result["diff"]["before"]["account_enabled"] is False


def test_roles_that_come_back_stop_the_run_before_anything_else_is_changed():
    roles = (memberships(), assigned(ADMINISTRATOR), no_pim())
    ended = run(module, EXACTLY, by_name(), deleted(gone(**BOTH)), tenant(), restore(), by_id({**ROW, **BOTH}), *roles)
    assert "User Administrator" in why(ended)
    assert ended.result["error"]["done"] == [f"restore the deleted user {UPN}"]
    assert ended.result["changed"] is True


def test_roles_that_come_back_are_taken_in_the_same_run():
    roles = (memberships(), assigned(ADMINISTRATOR), no_pim())
    removal = Expected("DELETE", f"{GRAPH}/roleManagement/directory/roleAssignments/Zm9v-1", 204)
    args = {**RESTORE, "admin_roles": "remove"}
    ended = run(module, args, by_name(), deleted(gone()), restore(), by_id(ROW), *roles, removal, by_id(ROW), *no_roles())
    assert not ended.failed
    assert [write["method"] for write in ended.result["writes"]] == ["POST", "DELETE"]
    assert ended.result["user"]["admin_roles"] == []


def test_a_failure_after_the_restoration_says_what_was_done():
    lost = Expected("POST", f"{GRAPH}/users/{ID}/assignLicense", 403, NOT_FOUND, body=take(OTHER).body)
    ended = run(module, EXACTLY, by_name(), deleted(gone(**BOTH)), tenant(), restore(), by_id({**ROW, **BOTH}), *no_roles(), lost)
    assert f"Already done by this task: restore the deleted user {UPN}" in why(ended)


@pytest.mark.parametrize("check", [True, False])
def test_the_old_password_counts_unless_told(check: bool):  # noqa: FBT001
    new = patch({"passwordProfile": {"password": SECRET, "forceChangePasswordNextSignIn": False}})
    args = {**RESTORE, "admin_roles": "ignore", "update_password": "always"}
    script = () if check else (restore(), by_id(ROW), new, by_id(ROW))
    ended = run(module, args, by_name(), deleted(gone()), *script, check=check)
    assert (ended.failed, ended.result["password_set"]) == (False, True)
    assert [write["method"] for write in ended.result["writes"]] == ["POST", "PATCH"]
    assert not any("old password" in text for text in ended.result.get("warnings", ()))
