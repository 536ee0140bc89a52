# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dataverse: holding solutions and upgrades."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.emulator.package import Variant

from .dataverse_org import Client, organisation
from .solution_requests import BASE, DEPENDENT, begin, body, component_ids, history, imported, operation, remove, run_through, solution

ONE = replace(BASE, more_roles=("Stays", "Goes"))
TWO = replace(BASE, version="2.0.0.0", more_roles=("Stays", "Comes"))
JOB_ID = "33333333-3333-4333-8333-333333333333"


@pytest.fixture
def client() -> Client:
    client = organisation()
    imported(client, ONE)
    return client


def roles(client: Client) -> set[str]:
    return {role["name"] for role in client.org.rows("role")} & {"Stays", "Goes", "Comes"}


def test_holding_and_promoting(client: Client) -> None:
    imported(client, TWO, HoldingSolution=True)
    held = solution(client, "Base_Upgrade")
    assert (held["version"], solution(client, "Base")["version"]) == ("2.0.0.0", "1.0.0.0")
    assert roles(client) == {"Stays", "Goes", "Comes"}
    answer = client.post("DeleteAndPromote", {"UniqueName": "Base"})
    assert answer.body["SolutionId"] == solution(client, "Base")["solutionid"]
    assert (solution(client, "Base")["version"], solution(client, "Base_Upgrade")) == ("2.0.0.0", None)
    assert roles(client) == {"Stays", "Comes"}
    assert history(client, "Base_Upgrade") == [(0, 1, True)]
    assert history(client, "Base") == [(0, 1, True), (0, 1, True)]


@pytest.mark.parametrize(("switch", "name"), [("package", "Base"), ("upgrade", "Base_Upgrade")])
def test_the_name_in_the_record_of_a_held_import(client: Client, switch: str, name: str) -> None:
    client.behave(holding_job_name=switch)
    assert run_through(client, TWO, HoldingSolution=True)[1].body["solutionname"] == name


def test_promoting_as_a_system_job(client: Client) -> None:
    client.behave(promoted_solution_id="new")
    imported(client, TWO, HoldingSolution=True)
    held = solution(client, "Base_Upgrade")["solutionid"]
    operation_id = client.post("DeleteAndPromoteAsync", {"UniqueName": "base"}).body["AsyncOperationId"]
    client.world.advance(50)
    assert operation(client, operation_id)["statuscode"] == 20
    assert "previous [Upgrade] running" in client.post("PublishAllXml").message
    client.world.advance(51)
    assert operation(client, operation_id)["statuscode"] == 30
    assert solution(client, "Base")["solutionid"] == held
    assert len(component_ids(client, "Base")) == 4


def test_refusals_of_promoting(client: Client) -> None:
    nothing = client.post("DeleteAndPromote", {"UniqueName": "Base"})
    assert (nothing.status, nothing.code) == (400, "0x8004853b")
    assert nothing.message == '"The Base solution doesn\u2019t have an upgrade that is ready to be applied."'
    imported(client, TWO, HoldingSolution=True)
    assert client.post("DeleteAndPromoteAsync", {"UniqueName": "Base_Upgrade"}).code == "0x8004853c"
    assert remove(client, "Base").status == 204
    assert client.post("DeleteAndPromote", {"UniqueName": "Base"}).code == "0x8004f083"


@pytest.mark.parametrize("version", ["1.0", "0.9.9.9"])
def test_only_a_higher_version_can_be_held(client: Client, version: str) -> None:
    row, _unused = run_through(client, replace(TWO, version=version), HoldingSolution=True)
    assert row["errorcode"] == 0x80048541 - (1 << 32)
    client.behave(holding_version_rule="none")
    imported(client, replace(TWO, version="1.0"), HoldingSolution=True)


def test_a_holding_solution_stands_in_the_way(client: Client) -> None:
    imported(client, TWO, HoldingSolution=True)
    for action, members in (("ImportSolutionAsync", {"HoldingSolution": True}), ("StageAndUpgradeAsync", {}), ("ImportSolutionAsync", {})):
        row, _unused = run_through(client, replace(TWO, version="3.0"), action, **members)
        assert row["message"] == "Solution manifest import: FAILURE: Holding solution Base_Upgrade already exists."
    assert remove(client, "Base_Upgrade").status == 204
    assert (roles(client), solution(client, "Base")["version"]) == ({"Stays", "Goes"}, "1.0.0.0")
    imported(client, TWO, "StageAndUpgradeAsync")


def test_holding_without_an_old_version() -> None:
    client = organisation()
    row, _unused = run_through(client, TWO, HoldingSolution=True)
    assert row["errorcode"] == 0x8004F083 - (1 << 32)
    client.behave(holding_without_base="install")
    imported(client, TWO, HoldingSolution=True)
    assert solution(client, "Base_Upgrade") is not None


def test_stage_and_upgrade(client: Client) -> None:
    operation_id, job_id = begin(client, TWO, "StageAndUpgradeAsync")
    client.world.advance(50)
    assert operation(client, operation_id)["statuscode"] == 20
    assert solution(client, "Base_Upgrade") is None
    client.world.advance(20)
    assert (solution(client, "Base_Upgrade")["version"], solution(client, "Base")["version"]) == ("2.0.0.0", "1.0.0.0")
    assert history(client, "Base_Upgrade") == [(0, 1, True)]
    client.world.advance(31)
    assert operation(client, operation_id)["statuscode"] == 30
    assert client.get(f"importjobs({job_id})").body["solutionname"] == "Base"
    assert (solution(client, "Base")["version"], solution(client, "Base_Upgrade")) == ("2.0.0.0", None)
    assert roles(client) == {"Stays", "Comes"}
    assert history(client, "Base")[-1] == (0, 1, True)
    assert client.post("StageAndUpgradeAsync", body(TWO, HoldingSolution=True)).status == 400


def test_an_update_keeps_what_the_new_package_lacks(client: Client) -> None:
    imported(client, TWO)
    assert (solution(client, "Base")["version"], roles(client)) == ("2.0.0.0", {"Stays", "Goes", "Comes"})


def test_stage_and_upgrade_installs_when_nothing_is_there() -> None:
    client = organisation()
    imported(client, ONE, "StageAndUpgradeAsync")
    assert (solution(client, "Base")["version"], solution(client, "Base_Upgrade")) == ("1.0.0.0", None)
    assert history(client, "Base") == [(0, 1, True)]
    assert history(client, "Base_Upgrade") == []


def test_an_upgrade_that_fails_half_way_strands(client: Client) -> None:
    client.behave(upgrade_fails="The database was busy")
    row, job = run_through(client, TWO, "StageAndUpgradeAsync")
    assert (row["statuscode"], row["errorcode"]) == (31, 0x8004F046 - (1 << 32))
    assert row["message"] == "Solution Upgrade action failed after import as holding. InnerException is: The database was busy."
    assert 'errorcode="0x8004f046"' in job.body["data"]
    assert (solution(client, "Base")["version"], solution(client, "Base_Upgrade")["version"]) == ("1.0.0.0", "2.0.0.0")
    assert (history(client, "Base_Upgrade"), history(client, "Base")[-1]) == ([(0, 1, True)], (0, 1, False))
    assert client.post("DeleteAndPromote", {"UniqueName": "Base"}).status == 200
    assert solution(client, "Base")["version"] == "2.0.0.0"


def test_an_upgrade_cannot_take_what_others_need(client: Client) -> None:
    imported(client, DEPENDENT)
    row, _unused = run_through(client, replace(TWO, tables=("base_other",)), "StageAndUpgradeAsync")
    assert row["message"].startswith("Solution Upgrade action failed after import as holding. InnerException is: Solution dependencies exist")
    assert solution(client, "Base_Upgrade") is not None
    refused = client.post("DeleteAndPromote", {"UniqueName": "Base"})
    assert (refused.status, refused.code) == (400, "0x8004f046")
    assert remove(client, "Dependent").status == 204
    assert client.post("DeleteAndPromote", {"UniqueName": "Base"}).status == 200
    assert len(component_ids(client, "Base")) == 3


def test_an_upgrade_can_take_what_nobody_needs(client: Client) -> None:
    imported(client, DEPENDENT)
    imported(client, replace(TWO, tables=("base_thing",)), "StageAndUpgradeAsync")
    assert len(component_ids(client, "Base")) == 3


def test_a_cancelled_upgrade_strands(client: Client) -> None:
    operation_id, _unused = begin(client, TWO, "StageAndUpgradeAsync")
    client.world.advance(70)
    client.get("WhoAmI()")
    assert client.ask("PATCH", f"asyncoperations({operation_id})", {"statecode": 3, "statuscode": 32}).status == 204
    client.world.advance(100)
    assert (solution(client, "Base")["version"], solution(client, "Base_Upgrade")["version"]) == ("1.0.0.0", "2.0.0.0")


def test_the_synchronous_upgrade(client: Client) -> None:
    answer = client.post("StageAndUpgrade", body(TWO, ImportJobId=JOB_ID))
    assert answer.body["SolutionId"] == solution(client, "Base")["solutionid"]
    assert (solution(client, "Base")["version"], solution(client, "Base_Upgrade")) == ("2.0.0.0", None)


def test_a_promotion_that_the_gateway_does_not_wait_for(client: Client) -> None:
    imported(client, TWO, HoldingSolution=True)
    client.tenant.change(timing={**client.tenant.document["timing"], "promote": 200.0})
    assert client.post("DeleteAndPromote", {"UniqueName": "Base"}).status == 504
    assert solution(client, "Base")["version"] == "1.0.0.0"
    client.world.advance(201)
    assert (solution(client, "Base")["version"], solution(client, "Base_Upgrade")) == ("2.0.0.0", None)


@pytest.mark.parametrize("action", ["StageAndUpgradeAsync", "StageAndUpgrade", "DeleteAndPromoteAsync", "UninstallSolutionAsync", "ImportSolutionAsync"])
def test_old_servers_do_not_have_them(action: str) -> None:
    client = organisation(org_version="9.2.21013.130")
    assert client.post(action, body(Variant())).code == "0x80060888"
    assert client.post("ImportSolution", body(ONE, ImportJobId=JOB_ID)).status == 204
