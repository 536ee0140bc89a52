# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tenants of every kind in one run: each ends as it must, and none holds up or breaks another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demo import __main__ as demo
from tests.demo.expectations import BY_KIND, problems
from tests.emulator.graph.roles import BUILT_IN

from .conftest import MakeFleet
from .fleet import Fleet


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


def test_unknown_password_of_an_account_is_replaced_only_on_request(make_fleet: MakeFleet):
    fleet = make_fleet({"name": "northwind", "kind": "half_done"})
    sheet = fleet.directory / "lead_management/northwind.md"
    assert fleet.run().code == 0
    assert fleet.passwords() == {}
    assert "not known to this automation" in sheet.read_text(encoding="utf-8")

    new = ("-e", "lead_management_password=Cat-and-Dog-71", "-e", "lead_management_update_password=always")
    refused = fleet.run(*new)
    assert refused.code == 2
    assert "User Administrator" in refused.report["tenants"]["northwind"]["failure"]["next_step"]
    assert fleet.passwords() == {}

    make_user_administrator(fleet, "northwind")
    assert fleet.run(*new).code == 0
    tenant = fleet.emulator.tenant("northwind")
    assert fleet.emulator.user_token("northwind", tenant["org_url"], tenant["service_account"], "Cat-and-Dog-71")
    assert "the variable lead_management_password" in sheet.read_text(encoding="utf-8")
    assert "Cat-and-Dog-71" not in sheet.read_text(encoding="utf-8")


def make_user_administrator(fleet: Fleet, tenant: str) -> None:
    """What an application needs to set the password of an account that is already there."""
    client_id = fleet.emulator.tenant(tenant)["client_id"]
    principal = next(one["id"] for one in fleet.emulator.documents(tenant, "servicePrincipals") if one["appId"] == client_id)
    assignment = {"id": "story", "principalId": principal, "roleDefinitionId": BUILT_IN["User Administrator"], "directoryScopeId": "/"}
    fleet.emulator.control("PUT", f"tenants/{tenant}/documents/directoryRoleAssignments/story", assignment)


def test_the_demo_does_not_take_an_old_report_for_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    old = tmp_path / "lead_management/report.json"
    old.parent.mkdir()
    old.write_text('{"tenants": {}}', encoding="utf-8")
    (tmp_path / "vault-password").write_text("x\n", encoding="utf-8")
    (tmp_path / "tenants.yml").write_text("all: {}\n", encoding="utf-8")  # nobody to report about
    monkeypatch.setattr(demo, "SCRATCH", tmp_path)
    with pytest.raises(demo.NoReportError, match=r"wrote no lead_management/report\.json"):
        demo._run("First run")
