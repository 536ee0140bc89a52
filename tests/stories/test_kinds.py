# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tenants of every kind in one run: each ends as it must, and none holds up or breaks another."""

from __future__ import annotations

from tests.demo.expectations import BY_KIND, problems

from .conftest import MakeFleet


def test_every_kind_ends_as_it_must(make_fleet: MakeFleet):
    fleet = make_fleet(suffix=".yml")
    kinds = {tenant["name"]: tenant["kind"] for tenant in fleet.emulator.tenants}
    assert set(kinds.values()) == set(BY_KIND)

    first = fleet.run()
    sheets = {path.name: path.read_bytes() for path in (fleet.directory / "lead_management").glob("*.md")}
    seen = fleet.last_request()
    second = fleet.run()

    assert problems(kinds, first.report, second.report) == []
    assert first.code == second.code == 2
    told = first.output.partition("LEAD MANAGEMENT")[2].splitlines()[1:]
    assert max(map(len, told)) <= 100
    assert "11 tenants: 6 done, 1 unchanged, 4 failed." in told
    assert fleet.writes(since=seen) == []
    good = {name for name, outcome in second.outcomes().items() if outcome == "unchanged"}
    assert {name.removesuffix(".md") for name in sheets} == good
    assert {path.name: path.read_bytes() for path in (fleet.directory / "lead_management").glob("*.md")} == sheets
    assert {host for host, (_changed, failed) in second.recap().items() if failed} == set(kinds) - good
    for name in good - {"fabrikam"}:
        assert fleet.is_complete(name), name
    for name in ("lucerne", "margies"):
        assert fleet.writes(name) == []


def test_a_limit_to_one_failing_tenant_is_summed_up_too(make_fleet: MakeFleet):
    fleet = make_fleet()
    run = fleet.run("--limit", "lucerne")
    assert run.code == 2
    assert run.outcomes() == {"lucerne": "failed"}
    assert "1 tenant: 1 failed." in run.output


def test_sheet_names_the_fields_and_the_kept_password_signs_in(make_fleet: MakeFleet):
    fleet = make_fleet({"name": "contoso"})
    fleet.run()
    tenant = fleet.emulator.tenant("contoso")
    sheet = (fleet.directory / "lead_management/contoso.md").read_text(encoding="utf-8")
    assert f"| Url | {tenant['org_url']} |" in sheet
    assert f"| User name | {tenant['service_account']} |" in sheet
    assert tenant["tenant_id"] in sheet
    assert "ansible-vault view lead_management/passwords/contoso.yml" in sheet
    assert fleet.passwords()["contoso"] not in sheet

    kept = fleet.directory / "lead_management/passwords/contoso.yml"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    assert fleet.emulator.user_token("contoso", tenant["org_url"], tenant["service_account"], fleet.passwords()["contoso"])
