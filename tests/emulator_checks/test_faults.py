# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults: what they look like, whom they hit, that they replay, and that a lost answer has had its effect."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.emulator.faults import Faults, parse_spec
from tests.emulator.launcher import RunningEmulator
from tests.emulator.store import Store
from tests.emulator.world import World


def organization(emulator: RunningEmulator, tenant: str = "contoso") -> requests.Response:
    return emulator.call("GET", f"{emulator.graph}/v1.0/organization", emulator.token(tenant, emulator.graph))


def create_user(emulator: RunningEmulator, name: str) -> requests.Response:
    body = {
        "displayName": name,
        "mailNickname": name,
        "userPrincipalName": f"{name}@contoso.onmicrosoft.com",
        "accountEnabled": True,
        "passwordProfile": {"password": "Not-a-real-1-secret"},
    }
    return emulator.call("POST", f"{emulator.graph}/v1.0/users", emulator.token("contoso", emulator.graph), json=body)


def user_names(emulator: RunningEmulator) -> list[str]:
    return [user["displayName"] for user in emulator.documents("contoso", "users")]


def arrange(emulator: RunningEmulator, **rule: object) -> None:
    emulator.control("POST", "faults", rule)


def test_count_tenant_method_and_path_limit_a_fault(emulator: RunningEmulator) -> None:
    arrange(emulator, kind="unavailable", tenant="contoso", service="graph", method="GET", path=r"/organization", count=2)
    assert organization(emulator, "fabrikam").status_code == 200
    assert emulator.call("GET", f"{emulator.graph}/v1.0/users", emulator.token("contoso", emulator.graph)).status_code == 200
    assert [organization(emulator).status_code for _unused in range(3)] == [503, 503, 200]
    assert emulator.control("GET", "faults")["value"] == []


def test_graph_throttling(emulator: RunningEmulator) -> None:
    arrange(emulator, kind="throttle", service="graph", retry_after=2.128, count=1)
    answer = organization(emulator)
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()["error"]["code"]) == (429, "2.128", "TooManyRequests")
    arrange(emulator, kind="throttle", service="graph", retry_after="none", count=1)
    assert "Retry-After" not in organization(emulator).headers
    arrange(emulator, kind="throttle", service="graph", count=40)
    assert {organization(emulator).headers.get("Retry-After") for _unused in range(40)} == {"1", "1.128", None}


def test_dataverse_throttling(emulator: RunningEmulator) -> None:
    url = emulator.tenant("contoso")["org_url"]
    arrange(emulator, kind="throttle", service="dataverse", count=40)
    answers = [emulator.call("GET", f"{url}/api/data/v9.2/WhoAmI", emulator.token("contoso", url)) for _unused in range(40)]
    assert {answer.json()["error"]["code"] for answer in answers} == {"0x80072322", "0x80072321", "0x80072326"}
    assert {answer.headers["Retry-After"] for answer in answers} == {"1"}
    arrange(emulator, kind="throttle", service="dataverse", code="0x80072326", count=1)
    assert emulator.call("GET", f"{url}/api/data/v9.2/WhoAmI", emulator.token("contoso", url)).json()["error"]["code"] == "0x80072326"


def test_gateway_answers_are_no_json(emulator: RunningEmulator) -> None:
    arrange(emulator, kind="gateway", service="graph", count=20)
    answers = [organization(emulator) for _unused in range(20)]
    assert {answer.status_code for answer in answers} == {502, 504}
    assert all(answer.headers["content-type"].startswith("text/html") for answer in answers)


def test_concurrency_hits_writes_to_graph_only(emulator: RunningEmulator) -> None:
    arrange(emulator, kind="concurrency", count=1)
    assert organization(emulator).status_code == 200
    answer = create_user(emulator, "busy")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "Directory_ConcurrencyViolation")
    assert create_user(emulator, "busy").status_code == 201


@pytest.mark.parametrize(("kind", "effect"), [("drop-before", False), ("drop-after", True)])
def test_a_cut_connection(emulator: RunningEmulator, kind: str, effect: bool) -> None:  # noqa: FBT001
    arrange(emulator, kind=kind, service="graph", method="POST", path="/users", count=1)
    with pytest.raises(requests.ConnectionError):
        create_user(emulator, "lost")
    assert ("lost" in user_names(emulator)) is effect
    (record,) = emulator.request_log(service="graph", writes=1)
    assert (record["fault"], record["effect"], record["status"]) == (kind, effect, 201 if effect else None)
    assert create_user(emulator, "lost").status_code == (400 if effect else 201)


def test_the_nth_request_that_fits_is_hit(emulator: RunningEmulator) -> None:
    arrange(emulator, kind="unavailable", tenant="contoso", path="/organization", nth=3)
    arrange(emulator, kind="throttle", tenant="contoso", path="/organization", nth=2)
    assert emulator.call("GET", f"{emulator.graph}/v1.0/users", emulator.token("contoso", emulator.graph)).status_code == 200
    assert [organization(emulator).status_code for _unused in range(4)] == [200, 429, 503, 200]
    assert emulator.control("GET", "faults")["value"] == []


def test_a_fault_that_waits_for_another_request(emulator: RunningEmulator) -> None:
    arrange(emulator, kind="unavailable", tenant="contoso", path="/organization", after="POST .*/users$", nth=2)
    assert [organization(emulator).status_code for _unused in range(3)] == [200, 200, 200]
    assert create_user(emulator, "signal").status_code == 201
    assert [organization(emulator).status_code for _unused in range(3)] == [200, 503, 200]


def test_a_gateway_that_answers_for_a_request_with_effect(emulator: RunningEmulator) -> None:
    arrange(emulator, kind="gateway-after", service="graph", method="POST", count=1)
    answer = create_user(emulator, "behind")
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (504, "text/html")
    assert "behind" in user_names(emulator)


@pytest.mark.parametrize("kind", ["hang-before", "hang-after"])
def test_a_request_that_hangs(emulator: RunningEmulator, kind: str) -> None:
    arrange(emulator, kind=kind, service="graph", method="POST", count=1, seconds=0.2)
    headers = {"Authorization": f"Bearer {emulator.token('contoso', emulator.graph)}"}
    with pytest.raises(requests.ReadTimeout):
        emulator.session.post(f"{emulator.graph}/v1.0/users", json={"displayName": "x"}, headers=headers, timeout=0.5)
    assert len(emulator.request_log(service="graph", writes=1)) == (kind == "hang-after")
    until = time.monotonic() + 5
    while not emulator.request_log(service="graph", writes=1):
        assert time.monotonic() < until, "The request was never carried out."
    assert emulator.control("GET", "faults")["value"] == []


def test_expired_token_stays_expired(emulator: RunningEmulator) -> None:
    token = emulator.token("contoso", emulator.graph)
    arrange(emulator, kind="expire-token", service="graph", count=1)
    assert [organization(emulator).status_code for _unused in range(2)] == [401, 401]
    emulator._tokens.clear()
    assert organization(emulator).status_code == 200
    assert token != emulator.token("contoso", emulator.graph)


def test_slow(emulator: RunningEmulator) -> None:
    arrange(emulator, kind="slow", service="graph", seconds=0.4, count=1)
    durations = []
    for _unused in range(2):
        started = time.monotonic()
        organization(emulator)
        durations.append(time.monotonic() - started)
    assert durations[0] >= 0.4 > durations[1]


def test_sign_in_is_hit_only_when_named(emulator: RunningEmulator) -> None:
    arrange(emulator, kind="throttle")
    assert emulator.token("contoso", emulator.graph)
    assert organization(emulator).status_code == 429
    emulator.control("DELETE", "faults")
    emulator._tokens.clear()
    arrange(emulator, kind="throttle", service="entra", count=1)
    with pytest.raises(requests.HTTPError, match="429"):
        emulator.token("contoso", emulator.graph)


def statuses(seed: int, tmp_path: Path, *, interleaved: bool) -> dict[str, list[int | None]]:
    """Run the same requests of two tenants, one tenant after the other or in turns."""
    tenants = tmp_path / "two.json"
    tenants.write_text(json.dumps({"tenants": [{"name": "one"}, {"name": "two"}]}), encoding="utf-8")
    names = ["one", "two"] * 30 if interleaved else ["one"] * 30 + ["two"] * 30
    with RunningEmulator("--tenants", str(tenants), "--faults", "throttle:0.15,unavailable:0.1,drop-before:0.1", "--seed", str(seed)) as running:
        found: dict[str, list[int | None]] = {"one": [], "two": []}
        for name in names:
            try:
                found[name].append(organization(running, name).status_code)
            except requests.ConnectionError:
                found[name].append(None)
    return found


def test_the_same_seed_replays(tmp_path: Path) -> None:
    first = statuses(7, tmp_path, interleaved=False)
    assert first == statuses(7, tmp_path, interleaved=True)
    assert first != statuses(8, tmp_path, interleaved=False)
    assert {200, 429, 503, None} <= set(first["one"]) | set(first["two"])


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("throttle:0.05", [("throttle", 0.05, "", None)]),
        ("drop-after:service=dataverse:count=2, slow:0.5:seconds=1", [("drop-after", 1.0, "dataverse", 2), ("slow", 0.5, "", None)]),
        ('[{"kind": "gateway", "path": "a,b:c", "count": 1}]', [("gateway", 1.0, "", 1)]),
    ],
)
def test_the_two_ways_to_write_faults(spec: str, expected: list[Any]) -> None:
    assert [(rule.kind, rule.probability, rule.service, rule.count) for rule in parse_spec(spec)] == expected


def test_about_as_many_requests_are_hit_as_said() -> None:
    faults = Faults(World(Store()), 1, parse_spec("slow:0.1"))
    hits = sum(faults.decide(None, "graph", "GET", "/") is not None for _unused in range(5000))
    assert 400 < hits < 600
