# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role that its solution has locked: told as it is, or, by option, a companion role that carries the privileges."""

from __future__ import annotations

import pytest

from tests.emulator.package import ROLE_ID, ROLE_NAME, Variant, build

from .conftest import MakeFleet
from .fleet import Fleet, normal

COMPANION = ("-e", "lead_management_locked_role=companion")
COMPANION_NAME = f"{ROLE_NAME} (additional privileges)"
LOCKED = ("fresh", "half-done", "other-unit")
"""Tenants whose role is locked and lacks privileges."""
NO_NEED = ("done", "older")
"""One has a role that was completed before, one an organisation too old to need more privileges."""


def make_locked(make_fleet: MakeFleet, *, admin_api: bool = True) -> Fleet:
    kinds = {"fresh": "fresh", "half-done": "half_done", "other-unit": "other_business_unit", "done": "done", "older": "org_older"}
    fleet = make_fleet(*({"name": name, "kind": kind, "features": {"power_platform_admin": admin_api}} for name, kind in kinds.items()))
    (fleet.directory / "solution.zip").write_bytes(build(Variant(locked_role=True)))
    return fleet


def roles_of_the_account(fleet: Fleet, tenant: str) -> list[str]:
    account = fleet.accounts(tenant)[0]["id"]
    user = next(row for row in fleet.emulator.documents(tenant, "systemusers") if row.get("azureactivedirectoryobjectid") == account)
    roles = {row["roleid"]: row for row in fleet.emulator.documents(tenant, "roles")}
    held = [roles[row["roleid"]] for row in fleet.emulator.documents(tenant, "systemuserroles") if row["systemuserid"] == user["systemuserid"]]
    assert {role["_businessunitid_value"] for role in held} == {user["_businessunitid_value"]}
    return sorted(role["name"] for role in held)


def assert_carried(fleet: Fleet) -> None:
    for name in LOCKED:
        assert roles_of_the_account(fleet, name) == [ROLE_NAME, COMPANION_NAME], name
        roots = [row for row in fleet.emulator.documents(name, "roles") if row["_parentroleid_value"] is None]
        locked, companion = (next(row for row in roots if row["name"] == wanted) for wanted in (ROLE_NAME, COMPANION_NAME))
        assert (locked["roleid"], locked["ismanaged"], locked["iscustomizable"]["Value"]) == (ROLE_ID, True, False)
        assert companion["ismanaged"] is False
        gained = set(companion["_privileges"]) - set(locked["_privileges"])
        assert len(gained) == 6, name
        assert COMPANION_NAME in (fleet.directory / f"lead_management/{name}.md").read_text(encoding="utf-8")
    for name in NO_NEED:
        assert roles_of_the_account(fleet, name) == [ROLE_NAME], name
        assert "additional privileges" not in (fleet.directory / f"lead_management/{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("way_in", ["admin_api", "role"])
def test_check_mode_foretells_the_companion(make_fleet: MakeFleet, way_in: str):
    fleet = make_locked(make_fleet, admin_api=way_in == "admin_api")
    check = fleet.run("--check", "--diff", *COMPANION)
    assert check.code == 0, check.output[-3000:]
    assert fleet.writes() == []

    real = fleet.run(*COMPANION)
    assert real.code == 0, real.output[-3000:]
    for name in (*LOCKED, *NO_NEED):
        foretold = [normal(change) for change in check.changes(name)]
        assert foretold == [normal(change) for change in real.changes(name)] == fleet.writes(name), name
    assert_carried(fleet)

    seen = fleet.last_request()
    again = fleet.run(*COMPANION)
    assert set(again.outcomes().values()) == {"unchanged"}
    assert fleet.writes(since=seen) == []


def test_without_the_option_it_is_told_and_the_next_run_goes_on(make_fleet: MakeFleet):
    fleet = make_locked(make_fleet)
    check = fleet.run("--check")
    real = fleet.run()
    for name in LOCKED:
        told = [run.report["tenants"][name] for run in (check, real)]
        assert [one["failure"]["next_step"] for one in told] == [told[0]["failure"]["next_step"]] * 2
        assert "lead_management_locked_role" in told[0]["failure"]["next_step"]
        assert [normal(change) for change in told[0]["changes"]] == [normal(change) for change in told[1]["changes"]], name
        assert told[1]["changes"], name

    foreseen = fleet.run("--check", *COMPANION)
    seen = fleet.last_request()
    assert fleet.run(*COMPANION).code == 0
    for name in LOCKED:
        assert [normal(change) for change in foreseen.changes(name)] == fleet.writes(name, since=seen), name
        assert len(foreseen.changes(name)) > 1, name
    assert_carried(fleet)


def test_a_package_that_does_not_say_it(make_fleet: MakeFleet):
    fleet = make_fleet({"name": "wingtip", "kind": "role_not_customizable"})
    package = fleet.directory / "solution.zip"
    package.write_bytes(build(Variant(locked_role=None)))
    check = fleet.run("--check", *COMPANION)
    assert check.code == 0
    assert "does not say whether the role" in " ".join(check.output.split())
    assert fleet.run(*COMPANION).code == 0
    assert roles_of_the_account(fleet, "wingtip") == [ROLE_NAME, COMPANION_NAME]
    assert fleet.run(*COMPANION).recap() == {"wingtip": (0, 0)}


def test_steps_one_by_one(make_fleet: MakeFleet):
    fleet = make_fleet({"name": "fresh"})
    (fleet.directory / "solution.zip").write_bytes(build(Variant(locked_role=True)))
    for step in ("solution", "identity", "organization_user", "role_privileges", "role_assignment", "hand_off"):
        run = fleet.run("--tags", step, *COMPANION)
        assert run.code == 0, f"{step}: {run.output}"
        assert run.recap()["fresh"][0] > 0, f"{step} changed nothing"
    assert roles_of_the_account(fleet, "fresh") == [ROLE_NAME, COMPANION_NAME]
    assert COMPANION_NAME in (fleet.directory / "lead_management/fresh.md").read_text(encoding="utf-8")
    assert fleet.run(*COMPANION).recap() == {"fresh": (0, 0)}
