# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Error bodies in every form that was seen: code, text and request id are read, and whether to send again is judged."""

from __future__ import annotations

import codecs
import gzip
import json
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils._error_bodies import ErrorBody, read_body
from ansible_collections.leadops.dynamics365.plugins.module_utils._http import Verdict
from ansible_collections.leadops.dynamics365.plugins.module_utils._identity import _refusal
from ansible_collections.leadops.dynamics365.tests.unit.plugins.given_answers import REQUEST_ID, SERVICES, as_bytes, refusal_of

TRACE = "9a8b7c6d-5e4f-4a3b-8c2d-1e0f9a8b7c6d"
CODED = {"error": {"code": "0x80040217", "message": "Entity 'role' With Id = x Does Not Exist"}}
SHAPES: list[tuple[str, t.Any, tuple[str, str, str]]] = [
    ("OData 4", {"error": {"code": "0x8", "message": "No."}}, ("0x8", "No.", "")),
    ("inner error", {"error": {"code": "Bad", "message": "No.", "innerError": {"request-id": TRACE, "date": "2026-01-22T09:07:22"}}}, ("Bad", "No.", TRACE)),
    ("old inner error", {"error": {"code": "", "message": "No.", "innererror": {"message": "Because.", "stacktrace": "at X"}}}, ("", "No. Because.", "")),
    ("inner code", {"error": {"message": "No.", "innererror": {"code": "Deep", "requestId": TRACE}}}, ("Deep", "No.", TRACE)),
    (
        "details",
        {"error": {"code": "Bad", "message": "No.", "details": [{"code": "D", "message": "No."}, {"message": "Also this."}]}},
        ("Bad", "No. Also this.", ""),
    ),
    ("null message", {"error": {"code": "userNotLicensed", "message": None}}, ("userNotLicensed", "", "")),
    ("number", {"error": {"code": -2147220969, "message": "No."}}, ("0x80040217", "No.", "")),
    ("number as text", {"error": {"code": "-2147220969", "message": "No."}}, ("0x80040217", "No.", "")),
    ("plain number", {"error": {"code": 429, "message": "Later."}}, ("429", "Later.", "")),
    ("annotations", {"error": {"code": "0x8", "message": "No.", "@Microsoft.PowerApps.CDS.TraceText": "x"}}, ("0x8", "No.", "")),
    ("OData 3", {"odata.error": {"code": "0x8", "message": {"lang": "en-US", "value": "No."}}}, ("0x8", "No.", "")),
    ("OData 3 verbose", {"error": {"code": "", "message": {"lang": "en-US", "value": "No (0x80040203)."}}}, ("0x80040203", "No (0x80040203).", "")),
    ("ASP.NET", {"Message": "An error has occurred.", "ExceptionMessage": "No table."}, ("", "An error has occurred. No table.", "")),
    ("ASP.NET with a code", {"ErrorCode": -2147220969, "Message": "No."}, ("0x80040217", "No.", "")),
    ("upper case", {"Error": {"Code": "C", "Message": "No."}}, ("C", "No.", "")),
    ("privileged identity", {"errorCode": "Denied", "message": "No.", "instanceAnnotations": []}, ("Denied", "No.", "")),
    ("Partner Center", {"code": 2000, "description": "No.", "data": [], "source": "P"}, ("2000", "No.", "")),
    ("problem details", {"type": "about:blank", "title": "Bad", "status": 400, "detail": "No."}, ("", "No. Bad", "")),
    ("list of errors", {"errors": [{"code": "E", "message": "No."}]}, ("E", "No.", "")),
    ("list", [CODED], ("0x80040217", "Entity 'role' With Id = x Does Not Exist", "")),
    (
        "OAuth",
        {"error": "invalid_grant", "error_description": f"AADSTS50076: More. Trace ID: {TRACE}", "trace_id": TRACE},
        ("AADSTS50076", f"AADSTS50076: More. Trace ID: {TRACE}", TRACE),
    ),
    ("OAuth without a code", {"error": "invalid_request", "error_description": "No."}, ("invalid_request", "No.", "")),
    ("bare sentence in an object", {"error": "ambiguous"}, ("", "ambiguous", "")),
    ("text in JSON", "No table.", ("", "No table.", "")),
    ("sentence", b"Async operations are currently disabled for this organization", ("", "Async operations are currently disabled for this organization", "")),
    ("nothing", b"", ("", "", "")),
    ("null", None, ("", "", "")),
    ("empty object", {}, ("", "", "")),
    ("byte order mark", codecs.BOM_UTF8 + as_bytes({"error": {"code": "C", "message": "No."}}), ("C", "No.", "")),
    ("gzip", gzip.compress(as_bytes({"error": {"code": "C", "message": "No."}})), ("C", "No.", "")),
    ("broken gzip", gzip.compress(b"x")[:6], None),
    ("cut off", as_bytes({"error": {"code": "0x80048033", "message": 'A "long" text'}})[:-6], ("0x80048033", 'A "long" t', "")),
    ("XML", b'<?xml version="1.0"?><error xmlns="urn:m"><code>C</code><message xml:lang="en">No &amp; no.</message></error>', ("C", "No & no.", "")),
    ("prefixed XML", b'<m:error xmlns:m="urn:m"><m:code>C</m:code><m:message>No.</m:message></m:error>', ("C", "No.", "")),
]  # fmt: skip


@pytest.mark.parametrize(("body", "told"), [shape[1:] for shape in SHAPES], ids=[shape[0] for shape in SHAPES])
def test_every_form_is_read(body: t.Any, told: tuple[str, str, str] | None):
    read = read_body(as_bytes(body))
    assert told is None or (read.code, read.message, read.request_id) == told


def test_a_page_is_told_as_one():
    assert read_body(b"<html><head><title>502 Bad\n Gateway</title></head></html>") == ErrorBody(page="502 Bad\n Gateway")
    error, verdict = refusal_of("dataverse", 502, b"<!DOCTYPE html><html><body>x</body></html>")
    assert "web page" in error.why
    assert (error.code, error.message, error.retryable, verdict) == ("", "", True, Verdict.UNSURE)


@pytest.mark.parametrize("name", SERVICES)
def test_a_request_id_is_told_wherever_it_is(name: str):
    body = {"error": {"code": "C", "message": "No.", "innerError": {"request-id": TRACE}}}
    assert refusal_of(name, 400, body)[0].request_id == REQUEST_ID
    assert refusal_of(name, 400, body, x_other="1")[0].request_id == TRACE
    assert refusal_of(name, 400, CODED, x_other="1")[0].request_id == "sent"


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 405, 409, 412, 413, 415, 429, 500, 501, 502, 503, 504])
def test_an_unknown_error_is_told_with_code_text_id_and_an_advice(name: str, status: int):
    error, _unused = refusal_of(name, status, {"error": {"code": "0x8FFFFFFF", "message": "The moon is full."}})
    told = str(error)
    assert all(word in told for word in ("0x8FFFFFFF", "The moon is full.", f"HTTP {status}", REQUEST_ID, "What to do: "))
    assert error.to_fail_json("here")["error"]["message"] == "The moon is full."


def test_a_refused_token_is_explained_from_the_header():
    error, _unused = refusal_of("dataverse", 401, b"", www_authenticate='Bearer error="invalid_token", error_description="Error validating token!"')
    assert "Error validating token!" in error.why


def test_a_redirection_says_where_to():
    error, _unused = refusal_of("dataverse", 302, b"", location="https://login.microsoftonline.com/x")
    assert "https://login.microsoftonline.com/x" in error.next_step


LOCK = "Cannot start another [Import] because there is a previous [Import] running at this moment."
JUDGED: list[tuple[str, int, str, str, Verdict, bool]] = [
    ("dataverse", 429, "0x80072322", "Number of requests exceeded the limit", Verdict.REJECTED, True),
    ("dataverse", 429, "0x80072321", "", Verdict.REJECTED, True),
    ("dataverse", 503, "", "Async operations are currently disabled for this organization", Verdict.REJECTED, True),
    ("dataverse", 429, "0x80071151", LOCK, Verdict.FINAL, True),
    ("dataverse", 400, "0x80071151", LOCK, Verdict.FINAL, True),
    ("dataverse", 500, "0x80040216", LOCK, Verdict.FINAL, True),
    ("dataverse", 503, "0x8004Ed47", "", Verdict.FINAL, True),
    ("dataverse", 500, "0x80048543", "The operation timed out.", Verdict.UNSURE, True),
    ("dataverse", 500, "0x80044151", "SQL timeout", Verdict.UNSURE, True),
    ("dataverse", 500, "0x80040216", "An unexpected error occurred.", Verdict.UNSURE, True),
    ("dataverse", 500, "", "", Verdict.UNSURE, True),
    ("dataverse", 408, "", "", Verdict.UNSURE, True),
    ("dataverse", 500, "0x8004801d", "Some dependencies are missing.", Verdict.FINAL, False),
    ("dataverse", 500, "0x8004f01d", "Solution dependencies exist, cannot uninstall.", Verdict.FINAL, False),
    ("dataverse", 500, "0x80040265", "A plug-in says no.", Verdict.FINAL, False),
    ("dataverse", 500, "0x80040220", "is missing prvReadLead privilege", Verdict.FINAL, False),
    ("dataverse", 403, "0x80072560", "The user is not a member of the organization.", Verdict.FINAL, False),
    ("graph", 409, "Directory_ConcurrencyViolation", "", Verdict.REJECTED, True),
    ("graph", 503, "Directory_ConcurrencyViolation", "", Verdict.REJECTED, True),
    ("graph", 429, "TooManyRequests", "Please retry again later.", Verdict.REJECTED, True),
    ("graph", 404, "Request_ResourceNotFound", "", Verdict.FINAL, False),
    ("power_platform", 409, "OperationNotStartable", "", Verdict.FINAL, True),
]


@pytest.mark.parametrize(("name", "status", "code", "message", "expected", "passes"), JUDGED)
def test_what_passes_is_told_from_what_lasts(name: str, status: int, code: str, message: str, expected: Verdict, *, passes: bool):
    error, verdict = refusal_of(name, status, {"error": {"code": code, "message": message}})
    assert (verdict, error.retryable) == (expected, passes)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["error", "Error", "code", "message", "innererror", "details", "x"]), inner),
)


@settings(deadline=None)
@given(name=st.sampled_from(SERVICES), status=st.sampled_from([400, 403, 409, 429, 500, 503]), body=_JSON)
def test_any_json_makes_an_error_of_ours(name: str, status: int, body: t.Any):
    error, _unused = refusal_of(name, status, json.dumps(body).encode())
    assert REQUEST_ID in str(error)
    assert error.next_step


@settings(deadline=None)
@given(name=st.sampled_from(SERVICES), body=st.binary() | st.sampled_from([b"[" * 100_000, b"{" + b'"error":{' * 5000, b"\x1f\x8b", b"\xff\xfe{"]))
def test_any_bytes_make_an_error_of_ours(name: str, body: bytes):
    error, _unused = refusal_of(name, 400, body)
    assert REQUEST_ID in str(error)
    assert error.to_fail_json("here")["error"]["kind"] == "ServiceRefused"


@settings(deadline=None)
@given(result=st.dictionaries(st.sampled_from(["error", "error_description", "claims", "trace_id", "correlation_id", "suberror"]), _JSON))
def test_any_answer_of_the_sign_in_makes_an_error_of_ours(result: dict[str, t.Any]):
    error = _refusal(result, "https://graph.example")
    assert error.why
    assert error.next_step
