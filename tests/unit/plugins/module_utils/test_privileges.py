# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing and planning the privileges of a role."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils._candidates import closest, did_you_mean
from ansible_collections.leadops.dynamics365.plugins.module_utils._depth import Depth
from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import InvalidOption
from ansible_collections.leadops.dynamics365.plugins.module_utils._plan import Plan
from ansible_collections.leadops.dynamics365.plugins.module_utils._privilege_writes import plan
from ansible_collections.leadops.dynamics365.plugins.module_utils._privileges import (
    Held,
    Privilege,
    Wanted,
    beyond,
    compare,
    privilege_from_row,
    refuse_contradictions,
    refuse_depth,
)

NAMES = [f"prvRead{letter}" for letter in "ABCDE"]
IDS = {name: f"id-{name}" for name in NAMES}
KNOWN = [Privilege(IDS[name], name, frozenset(Depth)) for name in NAMES]

depths = st.sampled_from(list(Depth))
holdings = st.dictionaries(st.sampled_from(NAMES), depths).map(lambda held: [Held(IDS[name], name, depth) for name, depth in held.items()])
wishes = st.dictionaries(st.sampled_from(NAMES), st.none() | depths).map(
    lambda wanted: [Wanted(name, depth, f"privileges[{index}]") for index, (name, depth) in enumerate(wanted.items())]
)


def applied(held: list[Held], steps: Plan) -> list[Held]:
    """What a role holds after the plan's writes."""
    names = {item: name for name, item in IDS.items()}
    depths_by_id = {item.id: item.depth for item in held}
    for write in steps.writes:
        assert isinstance(write.body, dict)
        for added in write.body.get("Privileges", []):
            depths_by_id[added["PrivilegeId"]] = Depth[added["Depth"].upper()]
        if "Privilege" in write.body:
            del depths_by_id[write.body["Privilege"]["privilegeid"]]
    return [Held(item, names[item], depth) for item, depth in depths_by_id.items()]


@given(held=holdings, wanted=wishes, allow_lower=st.booleans())
def test_after_the_writes_nothing_is_left_to_do(held: list[Held], wanted: list[Wanted], *, allow_lower: bool):
    steps = plan("r", "Role", compare(wanted, held, KNOWN, allow_lower=allow_lower))
    again = plan("r", "Role", compare(wanted, applied(held, steps), KNOWN, allow_lower=allow_lower))
    assert not again.changed
    assert again.before == again.after == steps.after


@given(holdings, wishes)
def test_nothing_is_lowered_unasked(held: list[Held], wanted: list[Wanted]):
    after = {item.id: item.depth for item in applied(held, plan("r", "Role", compare(wanted, held, KNOWN, allow_lower=False)))}
    unwanted = {item.name for item in wanted if item.depth is None}
    assert all(after[item.id] >= item.depth for item in held if item.name not in unwanted)


@given(holdings, wishes)
def test_additions_are_one_call(held: list[Held], wanted: list[Wanted]):
    steps = plan("r", "Role", compare(wanted, held, KNOWN, allow_lower=True))
    assert sum(write.path.endswith("AddPrivilegesRole") for write in steps.writes) <= 1


inheritances = st.sampled_from([(None, None), (0, 0), (0, 1), (1, 0), (1, 1)])


@given(held=holdings, wanted=wishes, allow_lower=st.booleans(), inheritance=inheritances)
def test_exact_leaves_the_wanted_ones_and_nothing_else(
    held: list[Held], wanted: list[Wanted], inheritance: tuple[int | None, int | None], *, allow_lower: bool
):
    wanted = [item for item in wanted if item.depth is not None]
    changes, surplus = compare(wanted, held, KNOWN, allow_lower=allow_lower), beyond(wanted, held)
    steps = plan("r", "Role", changes, inheritance, surplus)
    expected = {change.id: change.after for change in changes}
    replacing = [write for write in steps.writes if write.path.endswith("ReplacePrivilegesRole")]
    assert len(replacing) == bool(surplus), "one call, and none if there is nothing to take away"
    after = applied([] if replacing else held, steps)
    assert {item.id: item.depth for item in after} == expected
    assert len(steps.writes) <= 2, "one for the privileges, one for the inheritance"


@given(held=holdings, wanted=wishes, allow_lower=st.booleans(), inheritance=inheritances)
def test_whatever_is_written_is_seen_in_the_difference(
    held: list[Held], wanted: list[Wanted], inheritance: tuple[int | None, int | None], *, allow_lower: bool
):
    steps = plan("r", "Role", compare(wanted, held, KNOWN, allow_lower=allow_lower), inheritance)
    assert (steps.before != steps.after) is steps.changed
    assert any(write.method == "PATCH" for write in steps.writes) is (inheritance[0] != inheritance[1])


def test_names_compare_without_case_and_keep_the_services_spelling():
    (change,) = compare([Wanted("PRVREADA", Depth.LOCAL, "privileges[0]")], [Held("1", "prvReadA", Depth.BASIC)], [], allow_lower=False)
    assert (change.name, change.before, change.after, change.needed) == ("prvReadA", Depth.BASIC, Depth.LOCAL, True)


def test_an_organisation_that_leaves_names_out_is_compared_by_id():
    (change,) = compare([Wanted("prvReadA", Depth.LOCAL, "privileges[0]")], [Held(IDS["prvReadA"], "", Depth.LOCAL)], KNOWN, allow_lower=False)
    assert not change.needed


def test_a_planned_role_has_no_ids_to_confuse():
    wanted = [Wanted("prvReadB", Depth.LOCAL, "privileges[0]")]
    (change,) = compare(wanted, [Held("", "prvReadA", Depth.LOCAL)], [], allow_lower=False)
    assert change.before is None


def test_the_diff_is_readable():
    steps = plan(
        "r",
        "Role",
        compare([Wanted("prvReadA", Depth.GLOBAL, "o"), Wanted("prvReadB", Depth.BASIC, "o")], [Held("1", "prvReadA", Depth.LOCAL)], KNOWN, allow_lower=False),
    )
    assert steps.before == {"role": "Role", "prvReadA": "business_unit"}
    assert steps.after == {"role": "Role", "prvReadA": "organization", "prvReadB": "user"}
    assert steps.writes[0].summary == "give the role Role prvReadA (organization), prvReadB (user)"


def test_two_depths_for_one_privilege_are_refused_with_both_places():
    with pytest.raises(InvalidOption, match=r"privileges\[1\]\.depth: .*privileges\[0\]"):
        refuse_contradictions([Wanted("prvReadA", Depth.LOCAL, "privileges[0]"), Wanted("prvreada", Depth.DEEP, "privileges[1]")])


def test_the_same_twice_is_no_contradiction():
    refuse_contradictions([Wanted("prvReadA", Depth.LOCAL, "privileges[0]"), Wanted("prvreada", Depth.LOCAL, "privileges[1]")])


def test_a_depth_that_is_not_allowed_is_refused_with_those_that_are():
    privilege = Privilege("1", "prvReadUserEntityUISettings", frozenset({Depth.BASIC}))
    with pytest.raises(InvalidOption, match=r"privileges\[0\]\.depth: .* organization; it allows user\."):
        refuse_depth(Wanted(privilege.name, Depth.GLOBAL, "privileges[0]"), privilege)


@pytest.mark.parametrize(
    "row",
    [
        {"privilegeid": "AB", "name": "prvReadLead", "canbebasic": True, "canbelocal": False, "canbedeep": False, "canbeglobal": True},
        {"PrivilegeId": "AB", "Name": "prvReadLead", "CanBeBasic": True, "CanBeLocal": False, "CanBeDeep": False, "CanBeGlobal": True},
    ],
)
def test_rows_and_metadata_say_the_same(row: dict[str, object]):
    assert privilege_from_row(row) == Privilege("ab", "prvReadLead", frozenset({Depth.BASIC, Depth.GLOBAL}))


def test_near_names():
    assert closest("prvreedlead", ["prvReadLead", "prvWriteAccount"])[0] == "prvReadLead"
    assert did_you_mean("zzz", ["prvReadLead"]) == "No name is like it."
