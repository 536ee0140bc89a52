# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning for users of the directory."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils._directory_users import (
    FIELDS,
    NOT_SHOWN,
    PLANNED_ID,
    TenantDefaults,
    WantedUser,
    check_domain,
    check_manageable,
    differences,
    foreseen,
    plan_creation,
    plan_deletion,
    plan_update,
)
from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import NotPossible
from ansible_collections.leadops.dynamics365.plugins.module_utils._licenses import LicenseChange

UPN = "leads@contoso.com"
ROW: dict[str, t.Any] = {
    "id": "87d349ed-0000-4000-8000-000000000005",
    "userPrincipalName": UPN,
    "displayName": "Leads",
    "givenName": None,
    "surname": "Old",
    "mailNickname": "leads",
    "accountEnabled": True,
    "usageLocation": None,
    "passwordPolicies": "DisableStrongPassword",
    "userType": "Member",
}
SECRET = "Abcdefg-12345"
TENANT = TenantDefaults("DE", {}, "tenant_country")
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "display_name": st.sampled_from(["Leads", "Other"]),
        "given_name": st.sampled_from(["", "Ada"]),
        "surname": st.sampled_from(["", "Huber"]),
        "mail_nickname": st.sampled_from(["leads", "x"]),
        "account_enabled": st.booleans(),
        "usage_location": st.sampled_from(["DE", "AT"]),
        "password_never_expires": st.booleans(),
    },
)
POLICIES = st.sampled_from([None, "None", "DisablePasswordExpiration", "DisableStrongPassword", "disablestrongpassword,  disablepasswordexpiration"])


@given(VALUES, POLICIES)
def test_planning_on_the_foreseen_state_gives_nothing(values: dict[str, t.Any], policies: str | None):
    user, wanted = {**ROW, "passwordPolicies": policies}, WantedUser(UPN, values)
    after = foreseen(user, wanted)
    plan = plan_update(user, wanted, LicenseChange(), ())
    assert not plan_update(after, wanted, LicenseChange(), ()).changed
    assert plan.changed == (plan.before != plan.after)
    assert ("strong" in (policies or "").lower()) == ("strong" in (after["passwordPolicies"] or "").lower())
    assert len(plan.writes) <= 1


@given(VALUES)
def test_a_created_user_is_as_wanted(values: dict[str, t.Any]):
    wanted = WantedUser(UPN, values, SECRET).for_creation(TENANT)
    (create,) = plan_creation(wanted, LicenseChange(), ()).writes
    assert isinstance(create.body, dict)
    assert not differences(create.body, wanted)
    assert foreseen({}, wanted)["id"] == PLANNED_ID


def test_a_creation_holds_everything_in_one_request():
    wanted = WantedUser(UPN, {"account_enabled": True, "password_never_expires": True}, SECRET).for_creation(TENANT)
    plan = plan_creation(wanted, LicenseChange(("s1",)), ())
    create, assign = plan.writes
    assert create.body == {
        "userPrincipalName": UPN,
        "displayName": "leads",
        "mailNickname": "leads",
        "accountEnabled": True,
        "usageLocation": "DE",
        "passwordPolicies": "DisablePasswordExpiration",
        "passwordProfile": {"password": SECRET, "forceChangePasswordNextSignIn": False},
    }
    assert (create.repeatable, create.yields, assign.path) == (False, "user_id", "users/{user_id}/assignLicense")
    assert plan.after["password"] == NOT_SHOWN
    assert SECRET not in repr(plan)


def test_what_is_given_beats_the_defaults():
    wanted = WantedUser(UPN, {"display_name": "X", "usage_location": "AT"}).for_creation(TENANT)
    assert (wanted.values["display_name"], wanted.values["usage_location"]) == ("X", "AT")
    assert "usage_location" not in WantedUser(UPN, {}).for_creation(TenantDefaults(None, {})).values


def test_an_update_sends_what_differs_and_nothing_else():
    wanted = WantedUser(UPN, {"display_name": "Leads", "surname": "", "password_never_expires": True})
    plan = plan_update(ROW, wanted, LicenseChange(), ())
    (write,) = plan.writes
    assert write.body == {"surname": None, "passwordPolicies": "DisablePasswordExpiration, DisableStrongPassword"}
    assert plan.before == {"surname": "Old", "password_never_expires": False}
    assert plan.after == {"surname": "", "password_never_expires": True}
    assert "surname, password never expires" in write.summary


def test_a_password_is_set_and_not_shown():
    plan = plan_update(ROW, WantedUser(UPN, {}, SECRET, force_change_password=True), LicenseChange(), ())
    (write,) = plan.writes
    assert write.body == {"passwordProfile": {"password": SECRET, "forceChangePasswordNextSignIn": True}}
    assert (plan.before, plan.after) == ({}, {"password": NOT_SHOWN})
    assert SECRET not in repr(plan)


def test_licences_change_in_one_call_after_the_country():
    plan = plan_update(ROW, WantedUser(UPN, {"usage_location": "DE"}), LicenseChange(("new",), ("old",)), (), ("old", "kept"))
    assert [write.method for write in plan.writes] == ["PATCH", "POST"]
    assert plan.writes[1].summary == f"assign new to {UPN} and take old from {UPN}"
    assert (plan.before["licenses"], plan.after["licenses"]) == (["kept", "old"], ["kept", "new"])


def test_a_deletion_is_one_request():
    assert [(write.method, write.path) for write in plan_deletion(ROW).writes] == [("DELETE", f"users/{ROW['id']}")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"userType": "Guest"}, "guest"), ({"userPrincipalName": "a_b.com#EXT#@contoso.com"}, "guest"), ({"onPremisesSyncEnabled": True}, "synchronised")],
)
def test_users_who_live_elsewhere_are_refused(changes: dict[str, t.Any], said: str):
    check_manageable(ROW)
    with pytest.raises(NotPossible, match=said):
        check_manageable({**ROW, **changes})


def test_the_domain_must_be_verified_and_keep_passwords():
    tenant = TenantDefaults("DE", {"contoso.com": False, "federated.com": True})
    check_domain("leads@CONTOSO.com", tenant)
    with pytest.raises(NotPossible, match=r"not a verified domain.*contoso\.com"):
        check_domain("leads@other.com", tenant)
    with pytest.raises(NotPossible, match="federated"):
        check_domain("leads@federated.com", tenant)


def test_each_field_has_an_option_and_a_property_of_its_own():
    assert len({entry.option for entry in FIELDS}) == len({entry.property for entry in FIELDS}) == len(FIELDS)
