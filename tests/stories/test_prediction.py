# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode on tenants where nothing is yet: no write is sent, and exactly those are foretold that the run then makes."""

from __future__ import annotations

import pytest

from .conftest import MakeFleet
from .fleet import normal

CONVERGING = ("fresh", "done", "half_done", "org_8_2", "org_older", "other_business_unit")


@pytest.mark.parametrize("way_in", ["admin_api", "role"])
def test_check_mode_foretells_the_writes(make_fleet: MakeFleet, way_in: str):
    features = {"power_platform_admin": way_in == "admin_api"}
    tenants = [{"name": kind.replace("_", "-"), "kind": kind, "features": features} for kind in CONVERGING]
    fleet = make_fleet(*tenants)
    names = {tenant["name"] for tenant in fleet.emulator.tenants}

    check = fleet.run("--check", "--diff")
    assert check.code == 0, check.output[-3000:]
    assert fleet.writes() == []
    assert not (fleet.directory / "lead_management/passwords").exists()
    assert not list((fleet.directory / "lead_management").glob("*.md"))

    real = fleet.run()
    assert real.code == 0, real.output[-3000:]
    for name in names:
        foretold = [normal(change) for change in check.changes(name)]
        assert foretold == [normal(change) for change in real.changes(name)], name
        # Steps of one tenant follow each other, so even the order is the same
        assert foretold == fleet.writes(name), name
    assert check.changes("done") == []


def test_steps_one_by_one(make_fleet: MakeFleet):
    fleet = make_fleet({"name": "contoso"})
    for step in ("solution", "identity", "organization_user", "role_privileges", "role_assignment", "hand_off"):
        run = fleet.run("--tags", step)
        assert run.code == 0, f"{step}: {run.output}"
        assert run.recap()["contoso"][0] > 0, f"{step} changed nothing"
    assert fleet.is_complete("contoso")
    assert fleet.run("--tags", "hand_off").recap() == {"contoso": (0, 0)}
    assert fleet.run().recap() == {"contoso": (0, 0)}
