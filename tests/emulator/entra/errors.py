# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusals of the token endpoint."""

from __future__ import annotations

import time
from typing import Any

from ..wire import Request, Response

# HTTP status and OAuth error of each AADSTS number that the emulator answers.
_KINDS: dict[int, tuple[int, str]] = {
    28000: (400, "invalid_scope"),
    50027: (400, "invalid_request"),
    50034: (400, "invalid_grant"),
    50049: (400, "invalid_instance"),
    50053: (400, "invalid_grant"),
    50055: (400, "invalid_grant"),
    50056: (400, "invalid_grant"),
    50057: (400, "invalid_grant"),
    50076: (400, "invalid_grant"),
    50079: (400, "invalid_grant"),
    50126: (400, "invalid_grant"),
    50173: (400, "invalid_grant"),
    53003: (400, "invalid_grant"),
    65001: (400, "invalid_grant"),
    70003: (400, "unsupported_grant_type"),
    70011: (400, "invalid_scope"),
    70021: (400, "invalid_request"),
    90002: (400, "invalid_request"),
    500011: (400, "invalid_resource"),
    700016: (400, "unauthorized_client"),
    700023: (401, "invalid_client"),
    700024: (401, "invalid_client"),
    700025: (401, "invalid_client"),
    700027: (401, "invalid_client"),
    700082: (400, "invalid_grant"),
    700212: (400, "invalid_request"),
    700213: (400, "invalid_request"),
    900023: (400, "invalid_request"),
    900144: (400, "invalid_request"),
    1002012: (400, "invalid_scope"),
    7000112: (400, "unauthorized_client"),
    7000215: (401, "invalid_client"),
    7000218: (401, "invalid_client"),
    7000222: (401, "invalid_client"),
    7000229: (401, "invalid_client"),
    9001023: (400, "invalid_request"),
    9002313: (400, "invalid_request"),
}


class SignInError(Exception):
    """One AADSTS refusal."""

    def __init__(self, code: int, text: str, *, error: str = "", suberror: str = "", claims: str = "") -> None:
        super().__init__(f"AADSTS{code}: {text}")
        self.code = code
        self.status, kind = _KINDS[code]
        self.error = error or kind
        self.suberror = suberror
        self.claims = claims

    def response(self, request: Request, now: float) -> Response:
        """The answer as the real endpoint words it."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(now))
        correlation = request.headers.get("client-request-id", request.request_id)
        body: dict[str, Any] = {
            "error": self.error,
            "error_description": f"{self} Trace ID: {request.request_id} Correlation ID: {correlation} Timestamp: {stamp}",
            "error_codes": [self.code],
            "timestamp": stamp,
            "trace_id": request.request_id,
            "correlation_id": correlation,
            "error_uri": f"{request.base_url}/error?code={self.code}",
        }
        if self.suberror:
            body["suberror"] = self.suberror
        if self.claims:
            body["claims"] = self.claims
        return answer(request, self.status, body, telemetry=f"1,{self.code},0,,")


def answer(request: Request, status: int, body: Any, telemetry: str = "1,0,0,,") -> Response:
    """A JSON answer with the headers of the token endpoint."""
    headers = {
        "Cache-Control": "no-store, no-cache",
        "Pragma": "no-cache",
        "Expires": "-1",
        "x-ms-request-id": request.request_id,
        "x-ms-ests-server": "2.1.0 - EMULATOR",
        "x-ms-clitelem": telemetry,
    }
    if request.headers.get("return-client-request-id", "").lower() == "true" and "client-request-id" in request.headers:
        headers["client-request-id"] = request.headers["client-request-id"]
    return Response.of_json(status, body, "application/json; charset=utf-8", **headers)
