# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dataverse: ``$batch`` and service protection."""

from __future__ import annotations

import json

import pytest

from .dataverse_org import API, Answer, Client, organisation


@pytest.fixture
def client() -> Client:
    return organisation()


def part(method: str, address: str, body: object = None, content_id: str = "", **headers: str) -> str:
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    lines += [f"Content-ID: {content_id}"] if content_id else []
    lines += ["", f"{method} {address} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    lines += ["Content-Type: application/json", "", json.dumps(body)] if body is not None else ["", ""]
    return "\r\n".join(lines)


def change_set(*parts: str) -> str:
    inner = "".join(f"--changeset_1\r\n{one}\r\n" for one in parts)
    return f'Content-Type: multipart/mixed; boundary="changeset_1"\r\n\r\n{inner}--changeset_1--\r\n'


def send(client: Client, *parts: str, **headers: str) -> Answer:
    body = "".join(f"--batch_1\r\n{one}\r\n" for one in parts) + "--batch_1--\r\n"
    return client.ask("POST", "$batch", body.encode(), content_type='multipart/mixed; boundary="batch_1"', **headers)


def statuses(answer: Answer) -> list[int]:
    return [int(line.split()[1]) for line in answer.text.split("\r\n") if line.startswith("HTTP/1.1 ")]


def test_requests_in_a_row(client: Client) -> None:
    answer = send(
        client,
        part("POST", "/api/data/v9.2/leads", {"subject": "A"}),
        part("GET", f"{API}/leads?$select=subject", Accept="application/json"),
        part("POST", "leads?$select=subject", {"subject": "B"}, Prefer="return=representation"),
    )
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("multipart/mixed; boundary=batchresponse_")
    assert statuses(answer) == [204, 200, 201]
    assert f"OData-EntityId: {API}/leads(" in answer.text
    assert "Content-Type: application/json; odata.metadata=minimal; odata.streaming=true" in answer.text
    assert "REQ_ID: " in answer.text
    assert answer.text.endswith("--\r\n")


def test_a_batch_stops_at_the_first_failure(client: Client) -> None:
    parts = (part("POST", "leads", {"subject": "A"}), part("GET", "rolez"), part("POST", "leads", {"subject": "B"}))
    stopped = send(client, *parts)
    assert (stopped.status, statuses(stopped)) == (404, [204, 404])
    assert "0x80060888" in stopped.text
    assert [row["subject"] for row in client.get("leads").rows] == ["A"]
    continued = send(client, *parts, prefer="odata.continue-on-error")
    assert (continued.status, statuses(continued)) == (200, [204, 404, 204])


def test_a_change_set_happens_as_a_whole(client: Client) -> None:
    made = send(
        client,
        change_set(
            part("POST", "leads", {"subject": "A"}, "1"),
            part("PATCH", "$1", {"subject": "B"}, "2"),
            part("POST", f"{API}/leads", {"subject": "C"}, "3"),
        ),
    )
    assert (made.status, statuses(made)) == (200, [204, 204, 204])
    assert "Content-ID: 2" in made.text
    assert "changesetresponse_" in made.text
    assert sorted(row["subject"] for row in client.get("leads").rows) == ["B", "C"]
    failed = send(client, change_set(part("POST", "leads", {"subject": "D"}, "1"), part("POST", "leads", {"colour": "x"}, "2")))
    assert (failed.status, statuses(failed)) == (400, [400])
    assert len(client.get("leads").rows) == 2


def test_references_to_rows_made_before(client: Client) -> None:
    root = client.org.root_unit["businessunitid"]
    user = client.get("WhoAmI").body["UserId"]
    made = send(
        client,
        change_set(
            part("POST", "roles", {"name": "Batched", "businessunitid@odata.bind": f"/businessunits({root})"}, "1"),
            part("POST", f"systemusers({user})/systemuserroles_association/$ref", {"@odata.id": "$1"}, "2"),
        ),
    )
    assert statuses(made) == [204, 204]
    assert "Batched" in [row["name"] for row in client.get(f"systemusers({user})/systemuserroles_association").rows]


@pytest.mark.parametrize(
    ("parts", "headers"),
    [
        ([change_set(part("GET", "leads", None, "1"))], {}),
        ([change_set(part("POST", "leads", {"subject": "A"}))], {}),
        ([part("POST", "$batch", {})], {}),
        ([part("GET", "/elsewhere/leads")], {}),
        ([], {}),
        ([part("GET", "WhoAmI")] * 1001, {}),
    ],
)
def test_bad_batches(client: Client, parts: list[str], headers: dict[str, str]) -> None:
    assert send(client, *parts, **headers).status == 400
    assert client.get("leads").rows == []


def test_a_batch_must_be_multipart_with_crlf(client: Client) -> None:
    assert client.ask("POST", "$batch", b"x", content_type="application/json").status == 400
    text = f"--b\n{part('GET', 'WhoAmI')}\n--b--".replace("\r\n", "\n")
    assert client.ask("POST", "$batch", text.encode(), content_type="multipart/mixed; boundary=b").status == 400
    assert client.get("%24batch").status == 400


def test_request_limit_in_a_sliding_window(client: Client) -> None:
    client.behave(limits={"requests": 3, "window": 60})
    left = [int(client.get("WhoAmI").headers["x-ms-ratelimit-burst-remaining-xrm-requests"]) for _unused in range(3)]
    assert left == [2, 1, 0]
    refused = client.get("WhoAmI")
    assert (refused.status, refused.code) == (429, "0x80072322")
    assert refused.message == "Number of requests exceeded the limit of 3 over time window of 60 seconds."
    waits = [int(refused.headers["retry-after"]), int(client.get("WhoAmI").headers["retry-after"])]
    assert waits[0] in (60, 61)
    assert waits[1] > waits[0]
    client.world.advance(61)
    assert client.get("WhoAmI").status == 200


def test_a_batch_counts_once(client: Client) -> None:
    client.behave(limits={"requests": 2, "window": 60})
    assert send(client, *[part("GET", "WhoAmI")] * 10).status == 200
    assert client.get("WhoAmI").status == 200
    assert client.get("WhoAmI").status == 429


def test_execution_time_and_concurrency(client: Client) -> None:
    client.behave(limits={"execution_ms": 1000}, request_cost_ms=600)
    assert [client.get("WhoAmI").status for _unused in range(3)] == [200, 200, 429]
    assert client.get("WhoAmI").code == "0x80072321"
    other = organisation()
    refused = other.get("WhoAmI", x_emulator_in_flight="53")
    assert (refused.status, refused.code, refused.headers["retry-after"]) == (429, "0x80072326", "1")
    assert refused.message == "Number of concurrent requests exceeded the limit of 52."


def test_limits_are_per_server(client: Client) -> None:
    client.behave(limits={"requests": 1, "servers": 2})
    assert client.get("WhoAmI", cookie="ARRAffinity=0").headers["set-cookie"].startswith("ARRAffinity=0;")
    assert client.get("WhoAmI", cookie="ARRAffinity=0").status == 429
    assert client.get("WhoAmI", cookie="ARRAffinity=1").status == 200
    assert client.get("WhoAmI", cookie="ARRAffinity=1").status == 429
