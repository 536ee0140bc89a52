# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the services answer when a fault is injected."""

from __future__ import annotations

import time

from .faults import Hit
from .wire import Request, Response

_PROTECTION = {
    "0x80072322": "Number of requests exceeded the limit of 6000 over time window of 300 seconds.",
    "0x80072321": (
        "Combined execution time of incoming requests exceeded limit of 1,200,000  milliseconds over time window of 300 seconds. "
        "Decrease number of concurrent requests or reduce the duration of requests and try again later."
    ),
    "0x80072326": "Number of concurrent requests exceeded the limit of 52.",
}
_WAITS = ("1", "1.128", None)


def answer(hit: Hit, service: str, request: Request, now: float) -> Response:
    """The answer of a fault that is one (not of those that delay it or cut the connection)."""
    kind = hit.rule.kind
    if kind == "throttle":
        return _throttled(hit, service, request, now)
    if kind == "concurrency":
        return _collided(hit, service, request, now)
    if kind == "unavailable":
        return _page(hit.rule.status or 503, "Service Unavailable", _wait(hit))
    # Only a gateway that ran out of time has left the service at work.
    status = 504 if kind == "gateway-after" else (502, 504)[hit.turn % 2]
    return _page(hit.rule.status or status, "The gateway did not get an answer in time", None)


def _throttled(hit: Hit, service: str, request: Request, now: float) -> Response:
    status = hit.rule.status or 429
    if service == "dataverse":
        code = hit.rule.code or list(_PROTECTION)[hit.turn // 3 % 3]
        # Dataverse always says how long to wait.
        wait = _wait(hit) if hit.rule.retry_after is not None else "1"
        return _json(status, {"error": {"code": code, "message": _PROTECTION.get(code, "Too many requests.")}}, wait)
    if service == "graph":
        inner = {"code": "429", "message": "Please retry after", "status": "429", **_inner(request, now)}
        error = {"code": "TooManyRequests", "message": "Please retry again later.", "innerError": inner}
        return _json(status, {"error": error}, _wait(hit))
    if service == "entra":
        description = "AADSTS90055: Too many requests. Please wait and try again."
        return _json(status, {"error": "temporarily_unavailable", "error_description": description, "error_codes": [90055]}, _wait(hit))
    return _json(status, {"error": {"code": "TooManyRequests", "message": "Too many requests. Please wait and try again."}}, _wait(hit))


def _collided(hit: Hit, service: str, request: Request, now: float) -> Response:
    """Another write was at the same place at the same time; nothing was done."""
    if service == "dataverse":
        text = "Sql error: Transaction was deadlocked on lock resources with another process and has been chosen as the deadlock victim. SQL ErrorCode: 1205"
        return _json(hit.rule.status or 500, {"error": {"code": hit.rule.code or "0x80044150", "message": text}}, None)
    if service != "graph":
        text = "The operation could not be started, because another lifecycle operation on the environment is active."
        return _json(hit.rule.status or 409, {"error": {"code": hit.rule.code or "OperationNotStartable", "message": text}}, None)
    error = {
        "code": "Directory_ConcurrencyViolation",
        "message": "A conflicting object with one or more of the specified property values is present in the directory.",
        "innerError": _inner(request, now),
    }
    return _json(hit.rule.status or 409, {"error": error}, None)


def _wait(hit: Hit) -> str | None:
    given = hit.rule.retry_after
    if given is None:
        return _WAITS[hit.turn % 3]
    return None if given == "none" else str(given)


def _inner(request: Request, now: float) -> dict[str, str]:
    client_id = request.headers.get("client-request-id", request.request_id)
    return {"date": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)), "request-id": request.request_id, "client-request-id": client_id}


def _json(status: int, body: object, wait: str | None) -> Response:
    response = Response.of_json(status, body)
    if wait is not None:
        response.headers["Retry-After"] = wait
    return response


def _page(status: int, text: str, wait: str | None) -> Response:
    headers = {"content-type": "text/html; charset=us-ascii", **({"Retry-After": wait} if wait else {})}
    return Response(status, f"<html><head><title>{text}</title></head><body><h2>{text}</h2><p>HTTP Error {status}.</p></body></html>".encode(), headers)
