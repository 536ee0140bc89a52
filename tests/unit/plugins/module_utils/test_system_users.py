# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning how users come into an organisation, change and leave it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils._business_units import BusinessUnit
from ansible_collections.leadops.dynamics365.plugins.module_utils._entry_obstacles import DirectoryUser, Environment
from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import NotPossible
from ansible_collections.leadops.dynamics365.plugins.module_utils._plan import Plan
from ansible_collections.leadops.dynamics365.plugins.module_utils._system_user_changes import (
    ACCESS_MODE_NUMBERS,
    WantedUser,
    plan_application,
    plan_changes,
    plan_removal,
)
from ansible_collections.leadops.dynamics365.plugins.module_utils._system_users import ACCESS_MODES, SystemUser, from_row, plan_sync

UNITS = [BusinessUnit("unit1", "Contoso", is_root=True), BusinessUnit("unit2", "Sales", is_root=False)]
NAMES = {unit.id: unit.name for unit in UNITS}
APPLICATION = "66666666-0000-4000-8000-000000000000"
PERSON = DirectoryUser("87d349ed-0000-4000-8000-000000000005", "a@contoso.com")


def _user(number: int, mode: str, unit: str, *, disabled: bool, application: bool) -> SystemUser:
    names = (None, None, APPLICATION) if application else (PERSON.user_principal_name, PERSON.object_id, None)
    return SystemUser(f"id{number}", *names, "A", disabled, mode, unit, NAMES[unit])


def users(*, application: st.SearchStrategy[bool]) -> st.SearchStrategy[SystemUser]:
    return st.builds(
        _user,
        st.integers(1, 9),
        st.sampled_from(sorted(ACCESS_MODES.values())),
        st.sampled_from(sorted(NAMES)),
        disabled=st.booleans(),
        application=application,
    )


anybody = users(application=st.booleans())
applications = st.lists(users(application=st.just(value=True)), max_size=3, unique_by=lambda user: user.system_user_id)
wishes = st.builds(WantedUser, st.booleans(), st.none() | st.sampled_from(sorted(ACCESS_MODE_NUMBERS)), st.none() | st.sampled_from(UNITS))


def applied(user: SystemUser, steps: Plan) -> SystemUser:
    """The user after the plan's writes; what is not written stays."""
    for write in steps.writes:
        assert (write.method, write.path) == ("PATCH", f"systemusers({user.system_user_id})")
        assert isinstance(write.body, dict)
        body = dict(write.body)
        # Of an application user, the service takes the state only together with the application id
        assert ("applicationid" in body) is (bool(user.application_id) and "isdisabled" in body)
        if body.pop("applicationid", user.application_id) != user.application_id:
            raise AssertionError("another application")
        user = replace(user, disabled=body.pop("isdisabled", user.disabled))
        if "accessmode" in body:
            user = replace(user, access_mode=ACCESS_MODES[body.pop("accessmode")])
        if "businessunitid@odata.bind" in body:
            unit = body.pop("businessunitid@odata.bind").removeprefix("/businessunits(").rstrip(")")
            user = replace(user, business_unit_id=unit, business_unit=NAMES[unit])
        assert body == {}
    return user


@given(anybody, wishes)
def test_after_one_request_nothing_differs(user: SystemUser, wanted: WantedUser):
    steps = plan_changes(user, wanted)
    assert len(steps.writes) <= 1
    after = applied(user, steps)
    assert not wanted.differs(after)
    assert after.disabled is not wanted.enabled
    assert plan_changes(after, wanted).before == plan_changes(after, wanted).after == steps.after


@given(anybody, wishes)
def test_what_is_not_said_stays_and_what_differs_is_seen(user: SystemUser, wanted: WantedUser):
    steps = plan_changes(user, wanted)
    after = applied(user, steps)
    assert wanted.access_mode is not None or after.access_mode == user.access_mode
    assert wanted.unit is not None or after.business_unit_id == user.business_unit_id
    assert (steps.before != steps.after) is steps.changed
    # A person reads names: ids are in no difference
    assert not {"unit1", "unit2", user.system_user_id} & {str(value) for value in (*steps.before.values(), *steps.after.values())}


@given(anybody, wishes)
def test_an_earlier_write_that_enables_is_not_repeated(user: SystemUser, wanted: WantedUser):
    steps = plan_changes(user, wanted, also_enable=False)
    assert not any(isinstance(write.body, dict) and write.body.get("isdisabled") is False for write in steps.writes)


@given(applications, applications)
def test_a_removed_application_leaves_nothing(living: list[SystemUser], deleted: list[SystemUser]):
    deleted = [replace(user, system_user_id=f"deleted-{user.system_user_id}", disabled=True) for user in deleted]
    state = {user.system_user_id: ("disabled" if user.disabled else "enabled") for user in living} | {user.system_user_id: "deleted" for user in deleted}
    steps = plan_removal(living, deleted, soft_deletion=True)
    for write in steps.writes:
        key = write.path.removeprefix("systemusers(").rstrip(")")
        if write.method == "PATCH":
            assert state[key] == "enabled"
            state[key] = "disabled"
        else:
            # The service deletes only who is disabled, first into the recycle bin and then for good
            assert state[key] in ("disabled", "deleted")
            state[key] = {"disabled": "deleted", "deleted": "gone"}[state[key]]
    assert set(state.values()) <= {"gone"}
    assert (steps.before != steps.after) is steps.changed is bool(living or deleted)


@given(applications, st.booleans())
def test_a_new_application_is_created_last(deleted: list[SystemUser], enabled: bool):  # noqa: FBT001 (hypothesis gives it so)
    steps = plan_application(APPLICATION, UNITS[0], deleted, enabled=enabled)
    assert [write.method for write in steps.writes] == ["DELETE"] * len(deleted) + ["POST"]
    assert steps.after == {"application_id": APPLICATION, "enabled": enabled, "business_unit": "Contoso"}


@given(st.none() | users(application=st.just(value=False)), st.booleans(), st.none() | st.just("https://contoso/roles(r)"))
def test_who_is_enabled_needs_nothing_and_others_one_request(current: SystemUser | None, admin_api: bool, role: str | None):  # noqa: FBT001 (hypothesis)
    environment = Environment("env", None, "Ready") if admin_api else None
    if current is None and not admin_api and role is None:
        with pytest.raises(NotPossible):
            plan_sync(current, PERSON, environment, role)
        return
    steps = plan_sync(current, PERSON, environment, role)
    assert len(steps.writes) == (current is None or current.disabled)
    assert (steps.before != steps.after) is steps.changed


def test_stubs_and_others():
    row = {"systemuserid": "1", "domainname": "a@contoso.com", "isdisabled": True, "accessmode": 0}
    assert from_row(row).is_stub
    assert not from_row({**row, "isdisabled": False}).is_stub
    assert not from_row({**row, "azureactivedirectoryobjectid": PERSON.object_id}).is_stub
    assert not from_row({**row, "applicationid": APPLICATION}).is_stub
    assert from_row({**row, "businessunitid": {"name": "Sales"}}).business_unit == "Sales"
