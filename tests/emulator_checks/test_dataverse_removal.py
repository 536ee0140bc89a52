# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dataverse: uninstalling solutions, and what keeps them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.emulator.package import ROLE_ID, ROLE_NAME, UNIQUE_NAME, Variant

from .dataverse_org import Client, organisation
from .solution_requests import BASE, DEPENDENT, component_ids, history, imported, operation, remove, run_through, solution


@pytest.fixture
def client() -> Client:
    return organisation()


@pytest.fixture
def related(client: Client) -> Client:
    imported(client, BASE)
    imported(client, DEPENDENT)
    return client


def test_dependencies_come_with_the_dependent_solution(client: Client) -> None:
    imported(client, BASE)
    path = "RetrieveDependenciesForUninstall(SolutionUniqueName='Base')"
    assert client.get(path).rows == []
    imported(client, DEPENDENT)
    (row,) = client.get(path).rows
    assert (row["requiredcomponenttype"], row["dependentcomponenttype"], row["dependencytype"]) == (1, 1, 2)
    assert row["requiredcomponentobjectid"] in component_ids(client, "Base")
    assert {row["dependentcomponentobjectid"]} == component_ids(client, "Dependent")
    assert client.get("RetrieveDependenciesForUninstall(SolutionUniqueName='Nothing')").code == "0x80040217"
    assert client.get("RetrieveDependenciesForUninstall(SolutionUniqueName='Dependent')").rows == []


@pytest.mark.parametrize("status", [400, 405])
def test_blockers_refuse(related: Client, status: int) -> None:
    related.behave(uninstall_refusal_status=status)
    refused = remove(related, "Base")
    assert (refused.status, refused.code) == (status, "0x8004f01d")
    first, required, dependent, kind = refused.message.split("\n")
    assert first == "Solution dependencies exist, cannot uninstall. DependencyCount : 1"
    assert required.startswith("RequiredComponentObject details: Type: Entity, ObjectName: base_thing, Id: ")
    assert dependent.startswith("DependentComponentObject details: Type: Entity, ObjectName: dep_thing, Id: ")
    assert kind == "DependencyType: Published"
    assert related.post("UninstallSolutionAsync", {"SolutionUniqueName": "Base"}).code == "0x8004f01d"
    assert solution(related, "Base") is not None
    assert remove(related, "Dependent").status == 204
    assert remove(related, "Base").status == 204
    assert solution(related, "Base") is None
    assert history(related, "Base") == [(0, 1, True), (1, 1, True)]


def test_blockers_may_fail_the_job_instead(related: Client) -> None:
    related.behave(uninstall_async_refusal="job")
    operation_id = related.post("UninstallSolutionAsync", {"SolutionUniqueName": "Base"}).body["AsyncOperationId"]
    related.world.advance(101)
    row = operation(related, operation_id)
    assert (row["statuscode"], row["errorcode"]) == (31, 0x8004F01D - (1 << 32))
    assert row["message"].startswith("Solution dependencies exist")
    assert solution(related, "Base") is not None
    assert history(related, "Base")[-1] == (1, 1, False)


def test_uninstalling_as_a_system_job(client: Client) -> None:
    imported(client, Variant())
    answer = client.post("UninstallSolutionAsync", {"SolutionUniqueName": UNIQUE_NAME})
    assert set(answer.body) == {"@odata.context", "AsyncOperationId"}
    client.world.advance(50)
    row = operation(client, answer.body["AsyncOperationId"])
    assert (row["statuscode"], row["messagename"], row["operationtype"]) == (20, "UninstallSolutionAsync", 54)
    assert solution(client, UNIQUE_NAME) is not None
    client.world.advance(51)
    assert operation(client, answer.body["AsyncOperationId"])["statuscode"] == 30
    assert solution(client, UNIQUE_NAME) is None
    assert not [role for role in client.org.rows("role") if role["name"] == ROLE_NAME]
    assert client.post("UninstallSolutionAsync", {"SolutionUniqueName": UNIQUE_NAME}).code == "0x80040217"
    assert client.post("UninstallSolutionAsync", {"Colour": "red"}).status == 400
    client.behave(missing_actions=["UninstallSolutionAsync"])
    assert client.post("UninstallSolutionAsync", {"SolutionUniqueName": UNIQUE_NAME}).code == "0x80060888"


def test_a_removal_that_the_gateway_does_not_wait_for(client: Client) -> None:
    imported(client, Variant())
    client.tenant.change(timing={**client.tenant.document["timing"], "uninstall": 300.0})
    answer = remove(client, UNIQUE_NAME)
    assert (answer.status, answer.body) == (504, None)
    assert "html" in answer.headers["content-type"]
    assert solution(client, UNIQUE_NAME) is not None
    again = remove(client, UNIQUE_NAME)
    assert (again.status, again.code) == (429, "0x80071151")
    assert "[Uninstall] because there is a previous [Uninstall]" in again.message
    client.world.advance(301)
    assert solution(client, UNIQUE_NAME) is None
    assert client.get(f"roles({ROLE_ID})").status == 404


def test_an_unmanaged_solution_leaves_its_components(client: Client) -> None:
    imported(client, Variant(managed=False))
    assert remove(client, UNIQUE_NAME).status == 204
    assert solution(client, UNIQUE_NAME) is None
    assert client.get(f"roles({ROLE_ID})").status == 200


def test_a_component_of_two_solutions_stays_with_the_other(client: Client) -> None:
    imported(client, Variant())
    imported(client, Variant(unique_name="Second"))
    assert remove(client, UNIQUE_NAME).status == 204
    assert client.get(f"roles({ROLE_ID})").body["solutionid"] == solution(client, "Second")["solutionid"]
    assert remove(client, "Second").status == 204
    assert client.get(f"roles({ROLE_ID})").status == 404


def test_patches(client: Client) -> None:
    patch = replace(BASE, unique_name="Base_Patch", version="1.0.1.0", parent="Base")
    imported_row, _unused = run_through(client, patch)
    assert imported_row["errorcode"] == 0x80048540 - (1 << 32)
    imported(client, BASE)
    imported(client, patch)
    assert solution(client, "Base_Patch")["_parentsolutionid_value"] == solution(client, "Base")["solutionid"]
    assert run_through(client, patch)[0]["errorcode"] == 0x8004F042 - (1 << 32)
    refused = remove(client, "Base")
    assert (refused.code, refused.message) == ("0x80048538", "Cannot modify solution because it has the following patches: Base_Patch.")
    imported(client, replace(BASE, version="2.0"), "StageAndUpgradeAsync")
    assert solution(client, "Base_Patch") is None
    assert client.post("CloneAsPatch", {"ParentSolutionUniqueName": "Base"}).status == 501
