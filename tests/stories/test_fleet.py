# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fifty tenants: converge, stay as they are, and say nothing in a third run that only looks."""

from __future__ import annotations

from .conftest import MakeFleet


def test_fifty_tenants_converge(make_fleet: MakeFleet):
    fleet = make_fleet(fleet={"count": 50})
    names = {tenant["name"] for tenant in fleet.emulator.tenants}
    assert len(names) == 50

    first = fleet.run()
    assert first.code == 0, first.output[-3000:]
    assert first.outcomes() == dict.fromkeys(names, "done")
    assert all(fleet.is_complete(name) for name in names)
    assert len(set(fleet.passwords().values())) == 50

    seen = fleet.last_request()
    second = fleet.run()
    assert second.code == 0
    assert second.recap() == dict.fromkeys(names, (0, 0))

    third = fleet.run("--check", "--diff")
    assert third.code == 0
    assert third.recap() == dict.fromkeys(names, (0, 0))
    assert "+++" not in third.output
    assert "changed: [" not in third.output
    assert fleet.writes(since=seen) == []
