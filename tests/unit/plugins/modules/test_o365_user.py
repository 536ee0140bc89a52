# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""o365_user on a scripted wire."""

from __future__ import annotations

import json
import typing as t

import pytest
import requests

from ansible_collections.leadops.dynamics365.plugins.module_utils._directory_users import PLANNED_ID
from ansible_collections.leadops.dynamics365.plugins.modules import o365_user as module
from ansible_collections.leadops.dynamics365.tests.unit.plugins.directory_user_wire import (
    ARGS,
    CONFLICT,
    DENIED,
    ID,
    LICENSED,
    NOT_FOUND,
    PRODUCT_COLUMNS,
    ROW,
    SECRET,
    SKU,
    UPN,
    WITH_LICENSE,
    assign,
    assigned,
    by_id,
    by_name,
    create,
    deleted,
    eligible,
    error,
    memberships,
    no_pim,
    no_roles,
    organization,
    patch,
    products,
    why,
)
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import GRAPH, Expected, run


def test_a_new_user_is_two_writes_and_is_read_back():
    ended = run(module, WITH_LICENSE, by_name(), deleted(), organization(), products(), create(), assign(), by_id({**ROW, **LICENSED}))
    assert not ended.failed
    result = ended.result
    assert [(write["method"], write["path"]) for write in result["writes"]] == [("POST", "users"), ("POST", f"users/{ID}/assignLicense")]
    assert (result["changed"], result["created"], result["planned"], result["password_set"]) == (True, True, False, True)
    assert result["user"]["licenses"] == [{"sku_id": SKU, "sku_part_number": "CRMPLAN2", "source": "direct"}]
    assert result["user"]["admin_roles"] == []
    assert result["diff"]["before"] == {"state": "absent"}
    assert SECRET not in json.dumps(result)


def test_check_mode_foresees_the_same_writes():
    ended = run(module, WITH_LICENSE, by_name(), deleted(), organization(), products(), check=True)
    assert [(write["method"], write["path"]) for write in ended.result["writes"]] == [("POST", "users"), ("POST", "users/{user_id}/assignLicense")]
    assert (ended.result["changed"], ended.result["created"], ended.result["planned"]) == (True, True, True)
    assert ended.result["user"]["id"] == PLANNED_ID
    assert ended.result["user"]["licenses"][0]["sku_part_number"] == "CRMPLAN2"
    assert ended.result["diff"]["after"]["password"] == "(not shown)"


def test_a_second_run_costs_five_reads_and_changes_nothing():
    ended = run(module, WITH_LICENSE, by_name({**ROW, **LICENSED}), *no_roles(), products(consumed=5))
    assert not ended.failed
    assert (ended.result["changed"], ended.result["password_set"], ended.result["writes"]) == (False, False, [])
    assert "diff" not in ended.result


def test_a_licence_by_id_that_is_held_needs_no_products():
    ended = run(module, {**ARGS, "licenses": [SKU], "admin_roles": "ignore"}, by_name({**ROW, **LICENSED}))
    assert ended.result["changed"] is False
    assert ended.result["user"]["licenses"][0]["sku_part_number"] is None
    assert ended.result["user"]["admin_roles"] is None


def test_an_update_is_one_request_and_waits_until_it_can_be_read():
    args = {**ARGS, "display_name": "Marketplace Leads", "admin_roles": "ignore"}
    after = {**ROW, "displayName": "Marketplace Leads"}
    ended = run(module, args, by_name(ROW), patch({"displayName": "Marketplace Leads"}), by_id(ROW), by_id(), by_id(after))
    assert ended.result["diff"]["after"] == {"display_name": "Marketplace Leads"}
    assert ended.result["user"]["display_name"] == "Marketplace Leads"
    assert len(ended.clock.slept) == 2


def test_what_never_becomes_readable_fails_and_tells_what_was_done():
    never = [by_id() for _unused in range(20)]
    ended = run(module, {**ARGS, "account_enabled": False, "admin_roles": "ignore"}, by_name(ROW), patch({"accountEnabled": False}), *never)
    assert ended.failed
    assert ended.result["error"]["kind"] == "WaitedTooLong"
    assert ended.result["error"]["done"]
    assert 60 <= sum(ended.clock.slept) <= 61


def test_a_user_without_a_country_gets_the_tenants_before_the_licence():
    script = (products(), organization(country="AT"), patch({"usageLocation": "AT"}), assign(), by_id({**ROW, **LICENSED, "usageLocation": "AT"}))
    ended = run(module, {**WITH_LICENSE, "admin_roles": "ignore"}, by_name({**ROW, "usageLocation": None}), *script)
    assert (ended.result["user"]["usage_location"], ended.result["usage_location_from"]) == ("AT", "tenant_country")


def test_a_tenant_without_a_country_needs_the_option():
    ended = run(module, WITH_LICENSE, by_name(), deleted(), organization(country=None), products())
    assert "usage_location" in why(ended)


def test_the_tenants_default_usage_location_beats_its_country():
    ended = run(module, ARGS, by_name(), deleted(), organization(country="US", defaultUsageLocation="DE"), create(), by_id(ROW))
    assert (ended.result["user"]["usage_location"], ended.result["usage_location_from"]) == ("DE", "tenant_default")
    given = {**ARGS, "usage_location": "de", "admin_roles": "ignore"}
    assert run(module, given, by_name(ROW)).result["usage_location_from"] == "option"
    assert run(module, {**ARGS, "admin_roles": "ignore"}, by_name(ROW)).result["usage_location_from"] == "user"
    assert run(module, {**ARGS, "state": "disabled"}, by_name({**ROW, "accountEnabled": False})).result["usage_location_from"] is None


def test_a_new_user_needs_a_password():
    ended = run(module, {"user_principal_name": UPN}, by_name(), deleted())
    assert "password: is missing" in why(ended)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"user_principal_name": "leads"}, "user_principal_name"),
        ({"password": "short"}, "password"),
        ({"usage_location": "X"}, "usage_location"),
        ({"licenses": [" "]}, "licenses[0]"),
    ],
)
def test_what_cannot_work_is_refused_before_the_first_request(args: dict[str, t.Any], said: str):
    assert said in why(run(module, {**ARGS, **args}))


def test_no_seat_left_is_known_before_the_user_is_created():
    ended = run(module, WITH_LICENSE, by_name(), deleted(), organization(), products(consumed=5))
    assert "5 of 5 are in use" in why(ended)
    assert ended.result["changed"] is False


def test_roles_of_all_kinds_are_listed_before_anything_is_written():
    role = {"@odata.type": "#microsoft.graph.directoryRole", "id": "r1", "displayName": "Global Reader", "roleTemplateId": "t-reader"}
    readers = {"roleDefinitionId": "88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "directoryScopeId": "/", "roleDefinition": {"displayName": "Directory Readers"}}
    holder = {"@odata.type": "#microsoft.graph.group", "id": "g1", "displayName": "Operators", "isAssignableToRole": True}
    ordinary = {"@odata.type": "#microsoft.graph.group", "id": "g2", "displayName": "Everybody", "isAssignableToRole": None}
    hidden = {"@odata.type": "#microsoft.graph.group", "id": "g3", "displayName": None}
    custom = {"roleDefinitionId": "d1", "directoryScopeId": "/administrativeUnits/a1", "roleDefinition": {"displayName": "Our Helpdesk"}}
    script = (
        memberships(role, holder, ordinary, hidden),
        assigned(readers, custom),
        assigned({"roleDefinitionId": "d2", "directoryScopeId": "/", "roleDefinition": {"displayName": "User Administrator"}}, principal="g1"),
        assigned(principal="g3"),
        eligible({"roleDefinitionId": "d3", "directoryScopeId": "/"}),
        Expected("GET", f"{GRAPH}/roleManagement/directory/roleDefinitions/d3?$select=id,displayName", answer={"displayName": "Global Administrator"}),
        eligible(principal="g1"),
        eligible(principal="g3"),
    )
    text = why(run(module, {**ARGS, "display_name": "New"}, by_name(ROW), *script))
    assert "holds 4" in text
    for part in (
        "Our Helpdesk for /administrativeUnits/a1",
        "User Administrator through the group Operators",
        "Global Reader through a group",
        "Global Administrator (eligible, can be activated)",
    ):
        assert part in text
    assert "Directory Readers" not in text


@pytest.mark.parametrize(
    ("script", "permission"),
    [
        ((memberships(status=403),), "User.Read.All"),
        ((memberships(), assigned(status=403)), "RoleManagement.Read.Directory"),
        (
            (memberships(), assigned(), Expected("GET", eligible().url, 403, {"errorCode": "PermissionScopeNotGranted"})),
            "RoleEligibilitySchedule.Read.Directory",
        ),
    ],
)
def test_what_may_not_be_read_proves_nothing(script: tuple[Expected, ...], permission: str):
    text = why(run(module, ARGS, by_name(ROW), *script))
    assert "prove" in text
    assert permission in text
    assert "admin_roles=ignore" in text


def test_memberships_of_a_user_who_is_still_new_are_waited_for():
    not_yet = Expected("GET", memberships().url, 404, NOT_FOUND)
    assert not run(module, ARGS, by_name(ROW), not_yet, *no_roles()).failed
    assert "some minutes" in why(run(module, ARGS, by_name(ROW), *[not_yet] * 13))


@pytest.mark.parametrize("state", ["present", "disabled", "absent"])
@pytest.mark.parametrize("changes", [{"userType": "Guest"}, {"onPremisesSyncEnabled": True}])
def test_guests_and_synchronised_users_are_refused(state: str, changes: dict[str, t.Any]):
    why(run(module, {**ARGS, "state": state}, by_name({**ROW, **changes})))


def test_a_lost_answer_is_resolved_by_looking():
    ended = run(module, ARGS, by_name(), deleted(), organization(), create(raises=requests.ConnectionError("reset")), by_name(ROW), by_id(ROW))
    assert not ended.failed
    assert (ended.result["created"], ended.result["password_set"]) == (True, True)
    assert ended.result["user"]["id"] == ID


def test_an_unanswered_creation_that_never_arrived_is_sent_again():
    ended = run(module, ARGS, by_name(), deleted(), organization(), create(503, error("UnknownError")), by_name(), create(), by_id(ROW))
    assert not ended.failed
    assert ended.result["created"] is True


def test_a_faster_run_is_joined_and_its_password_told():
    script = (create(400, CONFLICT), by_name(), by_name(ROW), *no_roles(), by_id(ROW))
    ended = run(module, ARGS, by_name(), deleted(), organization(), *script)
    assert not ended.failed
    assert (ended.result["changed"], ended.result["created"], ended.result["password_set"]) == (False, False, False)
    assert "password" in ended.result["warnings"][0]


def test_a_faster_run_that_has_not_licensed_the_user_is_helped():
    script = (products(), create(400, CONFLICT), by_name(ROW), *no_roles(), assign(), by_id({**ROW, **LICENSED}))
    ended = run(module, WITH_LICENSE, by_name(), deleted(), organization(), *script)
    assert (ended.result["changed"], ended.result["created"]) == (True, False)
    assert ended.result["diff"]["before"] == {"licenses": []}
    assert [write["path"] for write in ended.result["writes"]] == [f"users/{ID}/assignLicense"]


def test_another_persons_user_of_the_same_name_is_not_overwritten():
    ended = run(module, ARGS, by_name(), deleted(), organization(), create(400, CONFLICT), by_name({**ROW, "displayName": "Somebody"}))
    assert "another display_name" in why(ended)


def test_a_taken_mail_nickname_names_the_option():
    taken = error("Request_BadRequest", "Another object with the same value for property mailNickname already exists.")
    assert "mail_nickname" in why(run(module, ARGS, by_name(), deleted(), organization(), create(400, taken)))


@pytest.mark.parametrize(
    ("status", "answer"),
    [(400, error("Request_BadRequest", "License assignment cannot be done for user with invalid usage location.")), (404, NOT_FOUND)],
)
def test_a_directory_that_lags_behind_its_own_user_is_waited_for(status: int, answer: t.Any):
    script = (create(), assign(status, answer), by_name(ROW), assign(status, answer), assign(), by_id(ROW), by_id({**ROW, **LICENSED}))
    ended = run(module, WITH_LICENSE, by_name(), deleted(), organization(), products(), *script)
    assert not ended.failed
    assert ended.clock.slept


def test_a_licence_that_another_run_gave_is_no_failure():
    none_left = error("Request_BadRequest", f"Subscription with SKU {SKU} does not have any available licenses.")
    licensed = {**ROW, **LICENSED}
    ended = run(module, {**WITH_LICENSE, "admin_roles": "ignore"}, by_name(ROW), products(), assign(400, none_left), by_id(licensed), by_id(licensed))
    assert not ended.failed


def test_a_failed_licence_says_that_the_user_was_created():
    none_left = error("Request_BadRequest", f"Subscription with SKU {SKU} does not have any available licenses.")
    script = (create(), assign(400, none_left), by_name(ROW))
    ended = run(module, WITH_LICENSE, by_name(), deleted(), organization(), products(), *script)
    assert f"Already done by this task: create the user {UPN}" in why(ended)
    assert ended.result["changed"] is True


def test_a_new_password_each_time_only_if_asked_and_a_refusal_names_the_entra_role():
    body = {"passwordProfile": {"password": SECRET, "forceChangePasswordNextSignIn": False}}
    args = {**ARGS, "update_password": "always", "admin_roles": "ignore"}
    ended = run(module, args, by_name(ROW), patch(body), by_id(ROW))
    assert (ended.result["changed"], ended.result["password_set"]) == (True, True)
    assert "User Administrator" in why(run(module, args, by_name(ROW), patch(body, 403, DENIED)))


def test_a_deleted_user_is_not_restored_unasked():
    gone = {**ROW, "userPrincipalName": ID.replace("-", "") + UPN, "deletedDateTime": "2026-11-01T00:00:00Z"}
    other = {**gone, "userPrincipalName": f"{ID.replace('-', '')}other-{UPN}"}
    text = why(run(module, ARGS, by_name(), deleted(other, gone)))
    assert "deleted_user=restore" in text
    assert "deleted_user=ignore" in text
    assert not run(module, ARGS, by_name(), deleted(other), organization(), check=True).failed


def test_disabled_changes_nothing_else():
    args = {**ARGS, "state": "disabled", "display_name": "Other", "licenses": ["CRMPLAN2"]}
    ended = run(module, args, by_name(ROW), patch({"accountEnabled": False}), by_id({**ROW, "accountEnabled": False}))
    assert ended.result["changed"] is True
    assert run(module, args, by_name({**ROW, "accountEnabled": False})).result["changed"] is False
    assert run(module, args, by_name()).result["user"] is None


def test_absent_deletes_and_waits_until_the_user_is_gone():
    delete = Expected("DELETE", f"{GRAPH}/users/{ID}", 204)
    args = {"user_principal_name": UPN, "state": "absent"}
    ended = run(module, args, by_name(ROW), delete, by_id(ROW), by_id())
    assert (ended.result["changed"], ended.result["user"]) == (True, None)
    assert run(module, args, by_name(ROW), check=True).result["changed"] is True
    assert run(module, args, by_name()).result["changed"] is False
    faster = Expected("DELETE", f"{GRAPH}/users/{ID}", 404, NOT_FOUND)
    assert not run(module, args, by_name(ROW), faster, by_id()).failed


def test_a_missing_permission_is_named():
    text = why(run(module, ARGS, Expected("GET", by_name().url, 403, DENIED)))
    assert "User.Read.All" in text
    text = why(run(module, WITH_LICENSE, by_name(), deleted(), organization(), Expected("GET", products().url, 403, DENIED)))
    assert "Organization.Read.All" in text


FLOW = "7e6d7d78-73de-46ba-83b1-6d25117334ba"
PLANS = [{"servicePlanId": FLOW, "servicePlanName": "FLOW_DYN_APPS"}, {"servicePlanId": "bf36ca64-95c6-4918-9275-eb9f4ce2c04f", "servicePlanName": "CRMPLAN2"}]
WITHOUT_FLOW = {**ARGS, "licenses": ["CRMPLAN2"], "disabled_plans": {"CRMPLAN2": ["flow_dyn_apps"]}, "admin_roles": "ignore"}


def products_with_plans() -> Expected:
    row = products().answer["value"][0]
    return Expected("GET", f"{GRAPH}/subscribedSkus?$select={PRODUCT_COLUMNS},servicePlans", answer={"value": [{**row, "servicePlans": PLANS}]})


def held(*disabled: str, group: str | None = None) -> dict[str, t.Any]:
    state = {"skuId": SKU, "assignedByGroup": group, "state": "Active", "disabledPlans": list(disabled)}
    return {**ROW, "assignedLicenses": [{"skuId": SKU, "disabledPlans": list(disabled)}], "licenseAssignmentStates": [state]}


def test_plans_of_a_held_product_are_switched_off_in_one_call_and_waited_for():
    body = {"addLicenses": [{"skuId": SKU, "disabledPlans": [FLOW]}], "removeLicenses": []}
    call = Expected("POST", f"{GRAPH}/users/{ID}/assignLicense", answer={"id": ID}, body=body)
    ended = run(module, WITHOUT_FLOW, by_name(held()), products_with_plans(), call, by_id(held()), by_id(held(FLOW)))
    assert not ended.failed
    assert ended.result["diff"]["before"] == {"disabled_plans": {"CRMPLAN2": []}}
    assert ended.result["diff"]["after"] == {"disabled_plans": {"CRMPLAN2": ["FLOW_DYN_APPS"]}}
    assert ended.result["user"]["disabled_plans"] == {"CRMPLAN2": ["FLOW_DYN_APPS"]}
    predicted = run(module, WITHOUT_FLOW, by_name(held()), products_with_plans(), check=True)
    assert predicted.result["writes"] == ended.result["writes"]
    assert predicted.result["user"] == ended.result["user"]
    assert run(module, WITHOUT_FLOW, by_name(held(FLOW)), products_with_plans()).result["changed"] is False


def test_plans_that_are_not_named_stay_off():
    ended = run(module, {**WITH_LICENSE, "admin_roles": "ignore"}, by_name(held(FLOW)), products())
    assert ended.result["changed"] is False
    assert ended.result["user"]["disabled_plans"] == {"CRMPLAN2": [FLOW]}


def test_a_new_user_gets_its_licence_with_plans_off():
    body = {"addLicenses": [{"skuId": SKU, "disabledPlans": [FLOW]}], "removeLicenses": []}
    call = Expected("POST", f"{GRAPH}/users/{ID}/assignLicense", answer={"id": ID}, body=body)
    ended = run(module, WITHOUT_FLOW, by_name(), deleted(), organization(), products_with_plans(), create(), call, by_id(held(FLOW)))
    assert ended.result["diff"]["after"]["disabled_plans"] == {"CRMPLAN2": ["FLOW_DYN_APPS"]}


@pytest.mark.parametrize("value", [{"CRMPLAN2": "FLOW_DYN_APPS"}, {"CRMPLAN2": [""]}])
def test_the_form_of_the_plans_is_checked_before_the_first_request(value: dict[str, t.Any]):
    assert "disabled_plans.CRMPLAN2" in why(run(module, {**ARGS, "disabled_plans": value}))


def test_a_plan_that_a_group_switches_on_is_refused_before_anything_is_written():
    assert "g-7" in why(run(module, WITHOUT_FLOW, by_name(held(group="g-7")), products_with_plans()))


def test_exact_says_what_stays_and_why():
    ended = run(module, {**ARGS, "licenses": [], "license_mode": "exact", "admin_roles": "ignore"}, by_name(held(group="g-7")))
    assert ended.result["changed"] is False
    (kept,) = ended.result["kept_licenses"]
    assert (kept["sku_id"], kept["group_ids"]) == (SKU, ["g-7"])
    assert "through a group" in kept["why"]
    assert ended.result["user"]["licenses"] == [{"sku_id": SKU, "sku_part_number": None, "source": "group", "group_ids": ["g-7"]}]


def test_a_plan_that_needs_another_is_told_by_name():
    needed = PLANS[1]["servicePlanId"]
    refused = error("Request_BadRequest", f"License assignment failed because service plan {FLOW} depends on the service plan(s) {needed}")
    script = (products(), assign(400, refused), by_id(ROW), products_with_plans())
    text = why(run(module, {**WITH_LICENSE, "admin_roles": "ignore"}, by_name(ROW), *script))
    assert "FLOW_DYN_APPS (of CRMPLAN2) needs CRMPLAN2 (of CRMPLAN2), which would be off" in text
    assert "CRMPLAN2 (4 seats left)" in text
    assert "disabled_plans" in text


def test_a_failure_after_a_wait_tells_what_was_done():
    lag = error("Request_BadRequest", "License assignment cannot be done for user with invalid usage location.")
    none_left = error("Request_BadRequest", f"Subscription with SKU {SKU} does not have any available licenses.")
    script = (create(), assign(400, lag), by_name(ROW), assign(400, none_left))
    ended = run(module, WITH_LICENSE, by_name(), deleted(), organization(), products(), *script)
    assert f"Already done by this task: create the user {UPN}" in why(ended)


def test_plans_that_exclude_each_other_are_told_by_name():
    refused = error("Request_BadRequest", f"License assignment failed because service plans {FLOW}, {PLANS[1]['servicePlanId']} are mutually exclusive.")
    script = (products(), assign(400, refused), by_id(ROW), products_with_plans())
    text = why(run(module, {**WITH_LICENSE, "admin_roles": "ignore"}, by_name(ROW), *script))
    assert "FLOW_DYN_APPS (of CRMPLAN2) and CRMPLAN2 (of CRMPLAN2) exclude each other" in text
    script = (products(), assign(400, refused), by_id(ROW), Expected("GET", products_with_plans().url, 403, DENIED))
    assert "exclude" in why(run(module, {**WITH_LICENSE, "admin_roles": "ignore"}, by_name(ROW), *script))


def test_attributes_are_set_cleared_and_compared_as_sets():
    args = {
        **ARGS,
        "admin_roles": "ignore",
        "job_title": "Robot",
        "department": "",
        "state_or_province": "Wien",
        "country": "Österreich",
        "business_phones": [],
        "other_mails": ["b@x.example", " a@x.example", "b@x.example"],
    }
    row = {**ROW, "department": "Sales", "jobTitle": "Robot", "businessPhones": ["1"], "otherMails": ["b@x.example"], "officeLocation": "18/2111"}
    body = {"department": None, "businessPhones": [], "state": "Wien", "country": "Österreich", "otherMails": ["a@x.example", "b@x.example"]}
    after = {**row, **body, "otherMails": ["b@x.example", "a@x.example"]}
    ended = run(module, args, by_name(row), patch(body), by_id(after))
    assert ended.result["diff"]["after"]["department"] == ""
    assert set(ended.result["diff"]["before"]) == {"department", "business_phones", "state_or_province", "country", "other_mails"}
    assert run(module, args, by_name(after)).result["changed"] is False


ADMINISTRATOR = {"id": "Zm9v-1", "roleDefinitionId": "d2", "directoryScopeId": "/", "roleDefinition": {"displayName": "User Administrator"}}
ELIGIBLE = {"roleDefinitionId": "d3", "directoryScopeId": "/administrativeUnits/a1"}
ROLE_NAME = Expected("GET", f"{GRAPH}/roleManagement/directory/roleDefinitions/d3?$select=id,displayName", answer={"displayName": "Helpdesk Administrator"})
WITHOUT_ROLES = {**ARGS, "display_name": "Leads", "admin_roles": "remove"}


def take_assignment(status: int = 204, answer: t.Any = None) -> Expected:
    return Expected("DELETE", f"{GRAPH}/roleManagement/directory/roleAssignments/Zm9v-1", status, answer)


def take_eligibility(status: int = 201, answer: t.Any = None) -> Expected:
    def accepts(body: dict[str, t.Any]) -> bool:
        wanted = {"action": "adminRemove", "principalId": ID, "roleDefinitionId": "d3", "directoryScopeId": "/administrativeUnits/a1"}
        return {**body, **wanted} == body and bool(body["justification"])

    return Expected("POST", f"{GRAPH}/roleManagement/directory/roleEligibilityScheduleRequests", status, answer or {"id": "r"}, body=accepts)


def test_roles_are_removed_before_anything_else_and_that_is_verified():
    found = (memberships(), assigned(ADMINISTRATOR), eligible(ELIGIBLE), ROLE_NAME)
    left = (memberships(), assigned(ADMINISTRATOR), eligible())
    rename = patch({"displayName": "Leads"})
    after = by_id({**ROW, "displayName": "Leads"})
    ended = run(module, WITHOUT_ROLES, by_name(ROW), *found, take_assignment(), take_eligibility(), rename, after, *left, memberships(), assigned(), eligible())
    assert not ended.failed
    assert [write["method"] for write in ended.result["writes"]] == ["DELETE", "POST", "PATCH"]
    roles = ["Helpdesk Administrator (eligible, can be activated) for /administrativeUnits/a1", "User Administrator"]
    assert (ended.result["diff"]["before"]["admin_roles"], ended.result["diff"]["after"]["admin_roles"]) == (roles, [])
    assert ended.result["user"]["admin_roles"] == []
    predicted = run(module, WITHOUT_ROLES, by_name(ROW), *found, check=True)
    assert (predicted.result["writes"], predicted.result["user"]) == (ended.result["writes"], ended.result["user"])
    assert run(module, WITHOUT_ROLES, by_name({**ROW, "displayName": "Leads"}), *no_roles()).result["changed"] is False


def test_roles_that_another_run_took_first_are_no_failure():
    found = (memberships(), assigned(ADMINISTRATOR), eligible(ELIGIBLE), ROLE_NAME)
    gone = error("RoleAssignmentDoesNotExist", "The Role assignment does not exist.")
    script = (*found, take_assignment(404, NOT_FOUND), take_eligibility(400, gone), by_id(ROW), *no_roles())
    assert not run(module, {**ARGS, "admin_roles": "remove"}, by_name(ROW), *script).failed


def test_roles_through_a_group_name_the_group_and_nothing_is_written():
    holder = {"@odata.type": "#microsoft.graph.group", "id": "g1", "displayName": "Operators", "isAssignableToRole": True}
    script = (memberships(holder), assigned(ADMINISTRATOR), assigned({**ADMINISTRATOR, "id": "x"}, principal="g1"), eligible(), eligible(principal="g1"))
    ended = run(module, WITHOUT_ROLES, by_name(ROW), *script)
    assert "through the group Operators" in why(ended)
    assert ended.result["changed"] is False


def test_a_role_that_may_not_be_taken_names_the_permission():
    found = (memberships(), assigned(ADMINISTRATOR), no_pim())
    assert "RoleManagement.ReadWrite.Directory" in why(run(module, WITHOUT_ROLES, by_name(ROW), *found, take_assignment(403, DENIED)))


def test_roles_that_still_show_after_a_minute_are_a_failure():
    found = (memberships(), assigned(ADMINISTRATOR), no_pim())
    ended = run(module, {**ARGS, "admin_roles": "remove"}, by_name(ROW), *found, take_assignment(), by_id(ROW), *found * 20)
    assert ended.failed
    assert ended.result["error"]["done"]


GONE = {**ROW, "userPrincipalName": ID.replace("-", "") + UPN, "deletedDateTime": "2026-11-01T00:00:00Z"}
PURGE = {"user_principal_name": UPN, "state": "absent", "purge": True}
BIN = f"{GRAPH}/directory/deletedItems/{ID}"


IN_BIN = Expected("GET", f"{BIN}?$select=id", 200, {"id": ID})
NOT_IN_BIN = Expected("GET", f"{BIN}?$select=id", 404, NOT_FOUND)


def test_purge_deletes_twice_and_waits_for_both():
    delete, purge = Expected("DELETE", f"{GRAPH}/users/{ID}", 204), Expected("DELETE", BIN, 204)
    not_yet = Expected("DELETE", BIN, 404, NOT_FOUND)
    ended = run(module, PURGE, by_name(ROW), deleted(), delete, not_yet, purge, by_id(), IN_BIN, by_id(), NOT_IN_BIN)
    assert not ended.failed
    assert [write["path"] for write in ended.result["writes"]] == [f"users/{ID}", f"directory/deletedItems/{ID}"]
    assert run(module, PURGE, by_name(ROW), deleted(), check=True).result["writes"] == ended.result["writes"]


def test_purge_takes_those_that_were_deleted_before():
    purge = Expected("DELETE", BIN, 204)
    ended = run(module, PURGE, by_name(), deleted(GONE), purge, NOT_IN_BIN)
    assert ended.result["diff"]["before"] == {"state": "deleted", "restorable": [ID]}
    assert ended.result["diff"]["after"] == {"state": "absent", "restorable": []}
    assert not run(module, PURGE, by_name(), deleted(GONE), Expected("DELETE", BIN, 404, NOT_FOUND), NOT_IN_BIN).failed
    assert run(module, PURGE, by_name(), deleted()).result["changed"] is False
    assert "purge" in why(run(module, {**PURGE, "state": "present"}))


@pytest.mark.parametrize("target", ["userPrincipalName", "proxyAddresses"])
def test_a_conflict_at_restoring_is_explained(target: str):
    conflict = error("Request_BadRequest", f"Another object with the same value for property {target} already exists.")
    restore = Expected("POST", f"{BIN}/restore", 400, conflict, body={})
    text = why(run(module, {**ARGS, "deleted_user": "restore"}, by_name(), deleted(GONE), restore))
    assert "newUserPrincipalName" in text
    assert "deleted_user=ignore" in text
