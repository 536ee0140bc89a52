# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dataverse: one operation on solutions at a time, and what becomes of the second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from .dataverse_org import Answer, Client, organisation
from .solution_requests import BASE, DEPENDENT, body, imported, operation, remove

JOB_ID = "33333333-3333-4333-8333-333333333333"
STARTS: Mapping[str, Callable[[Client], Answer]] = {
    "Import": lambda client: client.post("ImportSolutionAsync", body(DEPENDENT)),
    "Upgrade": lambda client: client.post("DeleteAndPromoteAsync", {"UniqueName": "Base"}),
    "Uninstall": lambda client: client.post("UninstallSolutionAsync", {"SolutionUniqueName": "Base"}),
    "PublishAll": lambda client: client.post("PublishAllXmlAsync"),
}
SECONDS: Mapping[str, Callable[[Client], Answer]] = {
    **STARTS,
    "Import ": lambda client: client.post("StageAndUpgradeAsync", body(DEPENDENT)),
    "Import  ": lambda client: client.post("ImportSolution", body(DEPENDENT, ImportJobId=JOB_ID)),
    "Upgrade ": lambda client: client.post("DeleteAndPromote", {"UniqueName": "Base"}),
    "Uninstall ": lambda client: remove(client, "Base"),
    "PublishAll ": lambda client: client.post("PublishAllXml"),
}


@pytest.fixture
def client() -> Client:
    client = organisation()
    imported(client, BASE)
    imported(client, replace(BASE, version="2.0"), HoldingSolution=True)
    return client


@pytest.mark.parametrize("first", STARTS)
@pytest.mark.parametrize("second", SECONDS)
def test_every_operation_holds_every_other_up(client: Client, first: str, second: str) -> None:
    started = STARTS[first](client)
    assert started.status == 200, started.text
    refused = SECONDS[second](client)
    assert (refused.status, refused.code) == (429, "0x80071151")
    text = f"Cannot start another [{second.strip()}] because there is a previous [{first}] running at this moment. Use Solution History for more details."
    assert refused.message == text
    client.world.advance(101)
    assert client.post("PublishAllXml").status == 204
    assert operation(client, started.body["AsyncOperationId"])["statuscode"] == 30


@pytest.mark.parametrize("status", [400, 500])
def test_status_and_text_of_the_lock(client: Client, status: int) -> None:
    client.behave(lock_status=status, lock_hint=False)
    STARTS["PublishAll"](client)
    refused = STARTS["Import"](client)
    text = "Cannot start another [Import] because there is a previous [PublishAll] running at this moment."
    assert (refused.status, refused.message) == (status, text)
    client.behave(lock_code="0x8004F061")
    other = remove(client, "Base")
    assert other.code == "0x8004f061"
    assert other.message == "Cannot start the requested operation [Uninstall] because there is another [PublishAll] running at this moment."


def test_the_lock_may_fail_the_job_instead(client: Client) -> None:
    client.behave(lock_in_job=True)
    first = STARTS["PublishAll"](client).body["AsyncOperationId"]
    promoting = STARTS["Upgrade"](client).body["AsyncOperationId"]
    second = STARTS["Import"](client).body
    client.world.advance(30)
    row = operation(client, second["AsyncOperationId"])
    assert (row["statuscode"], row["errorcode"]) == (31, 0x80071151 - (1 << 32))
    assert row["message"].startswith("Cannot start another [Import] because there is a previous [PublishAll] running")
    assert operation(client, promoting)["message"].startswith("Cannot start another [Upgrade]")
    assert client.get(f"importjobs({second['ImportJobKey']})").status == 404
    client.world.advance(71)
    assert operation(client, first)["statuscode"] == 30
    again = STARTS["Import"](client).body["AsyncOperationId"]
    client.world.advance(101)
    assert operation(client, again)["statuscode"] == 30


def test_publishing_takes_time(client: Client) -> None:
    client.tenant.change(timing={**client.tenant.document["timing"], "publish": 121.0})
    assert client.post("PublishAllXml").status == 504
    assert client.post("PublishAllXml").code == "0x80071151"
    client.behave(gateway_limit=1000)
    client.world.advance(122)
    assert client.post("PublishAllXml").status == 204
    client.behave(publish_fails={"message": "No.", "code": "0x80040216"})
    failed = client.post("PublishAllXml")
    assert (failed.status, failed.code) == (400, "0x80040216")
    client.behave(publish_fails=None, publish_stalls=True, missing_actions=["DeleteAndPromoteAsync"])
    operation_id = client.post("PublishAllXmlAsync").body["AsyncOperationId"]
    client.world.advance(10_000)
    assert operation(client, operation_id)["statuscode"] == 20
    client.behave(publish_stalls=False)
    assert operation(client, operation_id)["statuscode"] == 30
    assert client.post("DeleteAndPromoteAsync", {"UniqueName": "Base"}).code == "0x80060888"


def test_own_operation_types(client: Client) -> None:
    client.behave(operation_types="own")
    started = {name: start(client).body["AsyncOperationId"] for name, start in (("Uninstall", STARTS["Uninstall"]),)}
    assert operation(client, started["Uninstall"])["operationtype"] == 208
