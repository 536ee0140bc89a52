# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The retry rule of ``_http``, with a clock that does not really wait."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import NotReachable, OutcomeUnknown
from ansible_collections.leadops.dynamics365.plugins.module_utils._http import Answer, Call, Http, Verdict, open_session, pause, retry_after, tls_context
from ansible_collections.leadops.dynamics365.tests.unit.plugins.https_server import answer, serve
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import Expected, FakeClock, Wire

URL = "https://contoso.crm4.dynamics.com/api/data/v9.2/WhoAmI"


def http(*script: Expected, retry_timeout: float = 300) -> tuple[Http, FakeClock, Wire]:
    wire = Wire(*script)
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", wire)
    clock = FakeClock()
    return Http(session, clock=clock, jitter=lambda: 1.0, retry_timeout=retry_timeout), clock, wire


def test_a_throttled_request_waits_as_long_as_the_service_says_even_a_fraction():
    sender, clock, wire = http(Expected("POST", URL, 429, headers={"Retry-After": "2.128"}), Expected("POST", URL, 204))
    assert sender.send(Call("POST", URL, repeatable=False)).status == 204
    assert clock.slept == [2.128]
    wire.finished()


def test_a_pause_beyond_the_deadline_is_not_begun():
    sender, clock, _wire = http(Expected("GET", URL, 429, headers={"Retry-After": "600"}), retry_timeout=300)
    assert sender.send(Call("GET", URL)).status == 429
    assert clock.slept == []


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_what_may_have_happened_is_repeated_only_if_that_does_no_harm(status: int):
    sender, clock, wire = http(Expected("GET", URL, status, b"<html>busy</html>"), Expected("GET", URL, 200, {}))
    assert sender.send(Call("GET", URL)).status == 200
    assert clock.slept == [1.0]
    wire.finished()
    sender, clock, wire = http(Expected("POST", URL, status, b"<html>busy</html>"))
    with pytest.raises(OutcomeUnknown) as caught:
        sender.send(Call("POST", URL, repeatable=False))
    assert caught.value.status == status
    assert clock.slept == []


def test_a_dropped_connection_leaves_the_outcome_unknown():
    sender, _clock, _wire = http(Expected("POST", URL, raises=requests.ConnectionError("('Connection aborted.', RemoteDisconnected())")))
    with pytest.raises(OutcomeUnknown):
        sender.send(Call("POST", URL, repeatable=False))


def test_a_connection_that_was_never_made_did_nothing():
    refused = requests.ConnectionError("HTTPSConnectionPool: Max retries exceeded (Caused by NewConnectionError('refused'))")
    sender, _clock, wire = http(Expected("POST", URL, raises=refused), Expected("POST", URL, 204))
    assert sender.send(Call("POST", URL, repeatable=False)).status == 204
    wire.finished()


def test_a_service_that_stays_away_is_named():
    down = [Expected("GET", URL, raises=requests.ConnectionError("NewConnectionError"))] * 20
    sender, clock, _wire = http(*down, retry_timeout=60)
    with pytest.raises(NotReachable) as caught:
        sender.send(Call("GET", URL))
    assert "contoso.crm4.dynamics.com" in caught.value.why
    assert sum(clock.slept) <= 60


def test_a_certificate_that_is_not_trusted_is_not_tried_again():
    sender, clock, _wire = http(Expected("GET", URL, raises=requests.exceptions.SSLError("certificate verify failed")))
    with pytest.raises(NotReachable) as caught:
        sender.send(Call("GET", URL))
    assert "ca_path" in caught.value.next_step
    assert clock.slept == []


def test_a_connection_that_is_cut_says_nothing_about_certificates():
    cut = requests.exceptions.SSLError("EOF occurred in violation of protocol (_ssl.c:2427)")
    sender, _clock, _wire = http(Expected("GET", URL, raises=cut), Expected("GET", URL))
    assert sender.send(Call("GET", URL)).status == 200
    sender, _clock, _wire = http(Expected("POST", URL, raises=cut))
    with pytest.raises(OutcomeUnknown):
        sender.send(Call("POST", URL, repeatable=False))


def test_a_redirection_to_no_address_is_told(tmp_path: Path):
    with serve(tmp_path) as server:
        sender = Http(open_session(tls_context(str(server.ca), validate=True)), clock=FakeClock())
        server.plays = [answer(302, headers={"Location": "//[none"})]
        with pytest.raises(NotReachable, match="an address that is none"):
            sender.send(Call("GET", server.url))


def test_a_service_can_know_better_than_the_status():
    sender, clock, _wire = http(Expected("POST", URL, 429, {"error": {"code": "0x80071151"}}))
    answer = sender.send(Call("POST", URL), lambda _answer: Verdict.FINAL)
    assert answer.status == 429
    assert clock.slept == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("2.5", 2.5), ("Thu, 01 Jan 1970 00:01:40 GMT", 40), ("soon", None), ("", None), ("-3", 0)],
)
def test_retry_after_can_be_a_number_or_a_date(header: str, seconds: float | None):
    assert retry_after({"retry-after": header}, now=60) == seconds


@given(st.integers(0, 60), st.floats(0, 1))
def test_pauses_grow_up_to_a_minute_and_are_never_negative(attempt: int, jitter: float):
    assert 0 < pause(attempt, None, jitter) <= 60
    assert pause(attempt, None, 1.0) <= pause(attempt + 1, None, 1.0)


def test_a_body_that_is_no_json_object_is_an_empty_one():
    assert Answer(502, {}, b"<html>").json() == {}
    assert Answer(200, {}, b"[1]").json() == {}
    assert Answer(200, {}, b'\xef\xbb\xbf{"a": 1}').json() == {"a": 1}
