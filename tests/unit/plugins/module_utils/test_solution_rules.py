# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One verb for each state of the package, of what is installed and of the options."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import InvalidOption, NotPossible
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_package import SolutionPackage
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_rules import (
    Action,
    Pending,
    Route,
    Rules,
    check_constraint,
    check_parent,
    decide,
    route,
    satisfies,
)
from ansible_collections.leadops.dynamics365.plugins.module_utils._solutions import InstalledSolution, Standing

PACKAGE = SolutionPackage("p.zip", "ContosoLeads", "Contoso Leads", "1.2", managed=True, publisher="contoso")
UNMANAGED = replace(PACKAGE, managed=False)
PATCH = replace(PACKAGE, unique_name="ContosoLeads_Patch_1a2b3c4d", version="1.1.5", parent="ContosoLeads")
THERE = InstalledSolution("id", "ContosoLeads", "Contoso Leads", "1.1", managed=True, publisher="Contoso")
HOLDING = replace(THERE, unique_name="ContosoLeads_Upgrade", version="1.2.0.0")


def there(version: str, *, managed: bool = True) -> InstalledSolution:
    return replace(THERE, version=version, managed=managed)


@pytest.mark.parametrize(
    ("package", "installed", "rules", "action"),
    [
        *[(PACKAGE, None, Rules(mode), Action.INSTALL) for mode in ("auto", "update", "upgrade", "stage")],
        *[(PACKAGE, there("1.2.0"), Rules(mode), Action.NONE) for mode in ("auto", "update", "upgrade", "stage")],
        (PACKAGE, there("1.1"), Rules("auto"), Action.UPGRADE),
        (PACKAGE, there("1.1"), Rules("update"), Action.UPDATE),
        (PACKAGE, there("1.1"), Rules("upgrade"), Action.UPGRADE),
        (PACKAGE, there("1.1"), Rules("stage"), Action.STAGE),
        (UNMANAGED, None, Rules("auto"), Action.INSTALL),
        (UNMANAGED, there("1.1", managed=False), Rules("auto"), Action.UPDATE),
        (UNMANAGED, there("1.2", managed=False), Rules("auto"), Action.NONE),
        (PATCH, None, Rules("auto"), Action.INSTALL),
        (PATCH, there("1.1.4"), Rules("auto"), Action.UPDATE),
        (PACKAGE, there("1.3"), Rules(allow_downgrade=True), Action.UPDATE),
        (PACKAGE, there("1.3"), Rules(version=">=1.2"), Action.NONE),
        (PACKAGE, there("1.2", managed=False), Rules(convert_to_managed=True), Action.UPDATE),
        (PACKAGE, there("1.1", managed=False), Rules(convert_to_managed=True), Action.UPDATE),
    ],
)
def test_the_verb(package: SolutionPackage, installed: InstalledSolution | None, rules: Rules, action: Action):
    assert decide(package, installed, rules) is action


@pytest.mark.parametrize(
    ("package", "installed", "rules", "reason"),
    [
        (PACKAGE, there("1.3"), Rules(), "going back can lose data"),
        (PACKAGE, there("1.3"), Rules(version="1.2"), "going back can lose data"),
        (PACKAGE, there("1.3"), Rules("upgrade", allow_downgrade=True), "an upgrade only goes up"),
        (PACKAGE, there("1.3"), Rules("stage", allow_downgrade=True), "an upgrade only goes up"),
        (PACKAGE, there("1.1", managed=False), Rules(), "installed as unmanaged, and the package is managed"),
        (UNMANAGED, there("1.1"), Rules(convert_to_managed=True), "installed as managed, and the package is unmanaged"),
        (PACKAGE, there("1.3", managed=False), Rules(convert_to_managed=True), "going back can lose data"),
        (UNMANAGED, None, Rules("upgrade"), "can only be updated"),
        (UNMANAGED, there("1.1", managed=False), Rules("stage"), "can only be updated"),
        (PATCH, None, Rules("stage"), "patch of ContosoLeads"),
        (replace(PACKAGE, publisher="fabrikam"), there("1.1"), Rules(), "from the publisher Contoso"),
    ],
)
def test_a_refusal(package: SolutionPackage, installed: InstalledSolution | None, rules: Rules, reason: str):
    with pytest.raises(NotPossible, match=reason):
        decide(package, installed, rules)


@pytest.mark.parametrize(
    ("installed", "holding", "rules", "way"),
    [
        (THERE, None, Rules(), Route(Pending.NONE, Action.UPGRADE)),
        (THERE, HOLDING, Rules("stage"), Route(Pending.NONE, Action.NONE)),
        (THERE, HOLDING, Rules(stranded_upgrade="apply"), Route(Pending.APPLY, Action.NONE)),
        (THERE, HOLDING, Rules(stranded_upgrade="discard"), Route(Pending.DISCARD, Action.UPGRADE)),
        (THERE, replace(HOLDING, version="1.1.9"), Rules(stranded_upgrade="apply"), Route(Pending.APPLY, Action.UPGRADE)),
        (THERE, replace(HOLDING, version="1.1.9"), Rules("stage", stranded_upgrade="discard"), Route(Pending.DISCARD, Action.STAGE)),
        (there("1.2"), replace(HOLDING, version="1.3"), Rules(), Route(Pending.NONE, Action.NONE)),
        (there("1.2"), replace(HOLDING, version="1.3"), Rules(stranded_upgrade="discard"), Route(Pending.DISCARD, Action.NONE)),
    ],
)
def test_the_way_past_a_staged_upgrade(installed: InstalledSolution, holding: InstalledSolution | None, rules: Rules, way: Route):
    assert route(PACKAGE, Standing(installed, holding), rules) == way


@pytest.mark.parametrize(
    ("holding", "rules", "reason"),
    [
        (HOLDING, Rules(), r"an upgrade of it to 1\.2\.0\.0 was staged and never applied"),
        (replace(HOLDING, version="1.1.9"), Rules("stage"), "blocks every further import"),
        (replace(HOLDING, version="1.3"), Rules(stranded_upgrade="apply"), r"higher than the package's 1\.2"),
    ],
)
def test_a_stranded_upgrade_is_explained(holding: InstalledSolution, rules: Rules, reason: str):
    with pytest.raises(NotPossible, match=reason) as caught:
        route(PACKAGE, Standing(THERE, holding), rules)
    assert caught.value.facts["pending_upgrade"]["unique_name"] == "ContosoLeads_Upgrade"
    assert "stranded_upgrade" in caught.value.next_step


def test_a_patch_needs_its_solution_in_the_version_that_it_was_made_for():
    check_parent(PACKAGE, None)
    check_parent(PATCH, there("1.1.0.0"))
    with pytest.raises(NotPossible, match="which is not installed"):
        check_parent(PATCH, None)
    with pytest.raises(NotPossible, match=r"of which 1\.0 is installed"):
        check_parent(PATCH, there("1.0"))


@pytest.mark.parametrize(
    ("constraint", "fitting", "unfit"),
    [
        ("1.2", ("1.2", "1.2.0.0"), ("1.2.1", "1.1")),
        ("==1.2.0", ("1.2",), ("1.3",)),
        (">=1.2", ("1.2", "1.10"), ("1.1.9",)),
        (">= 1.2, <2", ("1.9.9.9",), ("2.0", "1.1")),
        ("!=1.2", ("1.3",), ("1.2.0.0",)),
        (">1,<=1.5", ("1.5.0", "1.0.0.1"), ("1.0", "1.5.0.1")),
    ],
)
def test_a_version_fulfils_a_constraint(constraint: str, fitting: tuple[str, ...], unfit: tuple[str, ...]):
    assert all(satisfies(version, constraint) for version in fitting)
    assert not any(satisfies(version, constraint) for version in unfit)


@pytest.mark.parametrize("constraint", ["new", ">=", "1.2,", "~1.2", ">=1.2 <2", ">=2"])
def test_a_constraint_that_is_wrong_or_not_fulfilled_names_its_option(constraint: str):
    with pytest.raises(InvalidOption, match=r"^version: "):
        check_constraint(constraint, "1.2")


VERSIONS = st.lists(st.integers(0, 5), min_size=2, max_size=4).map(lambda parts: ".".join(map(str, parts)))
RULES = st.builds(
    Rules,
    mode=st.sampled_from(["auto", "update", "upgrade"]),
    allow_downgrade=st.booleans(),
    convert_to_managed=st.booleans(),
    stranded_upgrade=st.sampled_from(["fail", "apply", "discard"]),
)


@given(VERSIONS, VERSIONS, VERSIONS | st.none(), st.booleans(), RULES)
def test_after_the_way_there_is_nothing_more_to_do(package: str, installed: str, holding: str | None, managed: bool, rules: Rules):  # noqa: FBT001
    wanted = replace(PACKAGE, version=package)
    standing = Standing(there(installed, managed=managed), replace(HOLDING, version=holding) if holding else None)
    try:
        way = route(wanted, standing, rules)
    except NotPossible:
        return
    if way == Route(Pending.NONE, Action.NONE):
        return
    after = Standing(there(package) if way.action is not Action.NONE else standing.installed)
    if way.pending is Pending.APPLY and way.action is Action.NONE:
        after = Standing(standing.holding.applied(standing.installed) if standing.holding else None)
    assert route(wanted, after, rules) == Route(Pending.NONE, Action.NONE)
