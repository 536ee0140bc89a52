# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning which roles users are given and lose."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils._plan import Plan
from ansible_collections.leadops.dynamics365.plugins.module_utils._role_assignments import (
    Assignment,
    beyond,
    plan_absent,
    plan_present,
)
from ansible_collections.leadops.dynamics365.plugins.module_utils._role_holders import (
    Principal,
    held_copies,
    held_copy,
    rows_meant,
)
from ansible_collections.leadops.dynamics365.plugins.module_utils._roles import RoleCopy

UNITS = ["unit1", "unit2"]
ROLES = ["Reader", "Writer", "Guest"]
COPIES = {(name, unit): RoleCopy(f"{name}-{unit}", name, unit, f"{name}-unit1") for name in ROLES for unit in UNITS}

users = st.builds(
    lambda number, unit, held: Principal(f"u{number}@contoso.com", f"id{number}", unit, disabled=False, held=tuple(COPIES[key] for key in sorted(held))),
    st.integers(0, 3),
    st.sampled_from(UNITS),
    st.sets(st.sampled_from(sorted(COPIES))),
)
crowds = st.lists(users, min_size=1, max_size=3, unique_by=lambda user: user.system_user_id)
choices = st.lists(st.sampled_from(ROLES), min_size=1, max_size=4)


def address(role_id: str) -> str:
    return f"https://contoso/roles({role_id})"


def applied(user: Principal, steps: Plan) -> Principal:
    """The user after the plan's writes."""
    held = {copy.id: copy for copy in user.held}
    for write in steps.writes:
        if f"({user.system_user_id})" not in write.path:
            continue
        if write.method == "POST":
            assert isinstance(write.body, dict)
            role_id = write.body["@odata.id"].removeprefix("https://contoso/roles(").rstrip(")")
            assert role_id not in held, "assigned twice"
            held[role_id] = next(copy for copy in COPIES.values() if copy.id == role_id)
        else:
            found = re.search(r"_association\((.+)\)/\$ref", write.path)
            assert found
            del held[found[1]]
    return replace(user, held=tuple(held.values()))


@given(crowds, choices)
def test_present_converges_in_the_users_own_unit(crowd: list[Principal], roles: list[str]):
    def wanted(people: list[Principal]) -> list[Assignment]:
        return [Assignment(user, role, COPIES[role, user.business_unit_id]) for user in people for role in roles]

    steps = plan_present(wanted(crowd), address)
    after = [applied(user, steps) for user in crowd]
    assert not plan_present(wanted(after), address).changed
    assert all(held_copy(user, role) == COPIES[role, user.business_unit_id] for user in after for role in roles)


@given(crowds, choices)
def test_absent_takes_every_copy_and_nothing_else(crowd: list[Principal], roles: list[str]):
    steps = plan_absent([Assignment(user, copy.name, copy) for user in crowd for role in roles for copy in held_copies(user, role, "")])
    for user in crowd:
        left = applied(user, steps).held
        assert left == tuple(copy for copy in user.held if copy.name not in roles)


@given(crowds, st.lists(st.sampled_from(ROLES), max_size=3))
def test_exact_leaves_the_wanted_copies_and_nothing_else(crowd: list[Principal], roles: list[str]):
    wanted = [Assignment(user, role, COPIES[role, user.business_unit_id]) for user in crowd for role in roles]
    steps = plan_present(wanted, address, beyond(wanted, crowd))
    methods = [write.method for write in steps.writes]
    assert methods == sorted(methods, reverse=True), "nobody is without roles meanwhile"
    for user in crowd:
        assert set(applied(user, steps).held) == {COPIES[role, user.business_unit_id] for role in roles}


@given(crowds, choices, st.booleans())
def test_whatever_is_written_is_seen_in_the_difference(crowd: list[Principal], roles: list[str], present: bool):  # noqa: FBT001 (hypothesis gives it so)
    assignments = [Assignment(user, role, COPIES[role, user.business_unit_id]) for user in crowd for role in roles]
    steps = plan_present(assignments, address, beyond(assignments, crowd)) if present else plan_absent(assignments)
    assert (steps.before != steps.after) is steps.changed
    assert len({(write.path, str(write.body)) for write in steps.writes}) == len(steps.writes), "one request for each"


def test_the_diff_names_all_roles_of_each_user():
    user = Principal("u@contoso.com", "id", "unit1", disabled=False, held=(COPIES["Writer", "unit1"],))
    steps = plan_present([Assignment(user, "Reader", COPIES["Reader", "unit1"])], address)
    assert steps.before == {"u@contoso.com": ["Writer"]}
    assert steps.after == {"u@contoso.com": ["Reader", "Writer"]}


def test_a_copy_of_another_unit_is_not_the_one_that_is_wanted():
    user = Principal("u@contoso.com", "id", "unit2", disabled=False, held=(COPIES["Reader", "unit1"],))
    assert held_copy(user, "Reader") is None
    assert held_copy(user, COPIES["Reader", "unit1"].id.lower()) is None  # ids are compared in lower case, as services give them


def test_the_diff_tells_copies_of_one_role_apart():
    user = Principal("u@contoso.com", "id", "unit2", disabled=False, held=(COPIES["Reader", "unit1"],))
    wanted = [Assignment(user, "Reader", COPIES["Reader", "unit2"])]
    steps = plan_present(wanted, address, beyond(wanted, [user]))
    assert (steps.before, steps.after) == ({"u@contoso.com": ["Reader (of another business unit)"]}, {"u@contoso.com": ["Reader"]})
    assert steps.writes[1].summary == "take the role Reader (of another business unit) from u@contoso.com"


def test_of_several_users_the_only_enabled_one_is_meant():
    stub, person = {"systemuserid": "1", "domainname": "a@contoso.com", "isdisabled": True}, {"systemuserid": "2", "domainname": "A@contoso.com"}
    assert rows_meant([stub, person], "a@contoso.com") == [person]
    assert rows_meant([stub, {**person, "isdisabled": True}], "a@contoso.com") == [stub, {**person, "isdisabled": True}]
    assert rows_meant([person, person], "a@contoso.com") == [person, person]


def test_references():
    rows = [
        {"systemuserid": "1", "domainname": "A@contoso.com", "azureactivedirectoryobjectid": "11111111-0000-4000-8000-000000000001"},
        {"systemuserid": "2", "domainname": "b@contoso.com", "applicationid": "22222222-0000-4000-8000-000000000002"},
    ]
    assert [row["systemuserid"] for row in rows_meant(rows, "a@CONTOSO.com")] == ["1"]
    assert [row["systemuserid"] for row in rows_meant(rows, "22222222-0000-4000-8000-000000000002")] == ["2"]
    assert rows_meant(rows, "11111111-0000-4000-8000-00000000000f") == []
