# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON batching: up to twenty calls in one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from ..wire import Request, Response
from .call import Call, answer
from .errors import GraphError, bad_request

_MAXIMUM = 20
_METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})
Dispatch = Callable[[Request], Response]


def run(call: Call, dispatch: Dispatch) -> Response:
    """``POST /$batch``: every part on its own, in an order that respects ``dependsOn``."""
    parts = _read(call.body())
    statuses: dict[str, int] = {}
    responses = []
    waiting = dict(parts)
    while waiting:
        ready = next((key for key, part in waiting.items() if all(other.lower() in statuses for other in part.get("dependsOn") or ())), None)
        if ready is None:
            raise bad_request("Invalid batch payload format: the dependencies form a circle.", "BadRequest")
        part = waiting.pop(ready)
        result = _run_part(call, part, statuses, dispatch)
        statuses[ready] = result["status"]
        responses.append(result)
    return answer(200, {"responses": responses})


def _read(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    requests = body.get("requests")
    if not isinstance(requests, list) or not requests:
        raise bad_request("Invalid batch payload format.", "BadRequest")
    if len(requests) > _MAXIMUM:
        raise bad_request(f"Number of batch request steps exceeds the maximum value of {_MAXIMUM}.", "MaximumValueExceeded")
    parts: dict[str, dict[str, Any]] = {}
    for part in requests:
        valid = isinstance(part, dict) and isinstance(part.get("id"), str) and isinstance(part.get("url"), str)
        if not valid or str(part.get("method", "")).upper() not in _METHODS:
            raise bad_request("Invalid batch payload format.", "BadRequest")
        if part["id"].lower() in parts:
            raise bad_request(f"Duplicate request id '{part['id']}'.", "BadRequest")
        names = {str(name).lower() for name in part.get("headers") or {}}
        if part.get("body") is not None and "content-type" not in names:
            raise bad_request(f"Write request id : {part['id']} does not contain Content-Type header or body.", "BadRequest")
        parts[part["id"].lower()] = part
    for part in parts.values():
        for other in part.get("dependsOn") or ():
            if str(other).lower() not in parts:
                raise bad_request(f"Request '{part['id']}' depends on the unknown request '{other}'.", "BadRequest")
    return parts


def _run_part(call: Call, part: dict[str, Any], statuses: dict[str, int], dispatch: Dispatch) -> dict[str, Any]:
    failed = [other for other in part.get("dependsOn") or () if statuses[str(other).lower()] >= 400]
    if failed:
        error = GraphError(424, "FailedDependency", f"The request depends on the request '{failed[0]}', which failed.")
        return _refused(call, part, error)
    if "://" in part["url"]:
        # Addresses are relative to the version; some releases of Microsoft's own client send the host with them, and get this.
        error = bad_request(f"Resource not found for the segment '{part['url'].partition('/')[0]}'.", "BadRequest")
        return _refused(call, part, error)
    response = dispatch(_request(call, part))
    result: dict[str, Any] = {"id": part["id"], "status": response.status, "headers": _headers(response)}
    if response.body:
        is_json = "json" in response.headers.get("content-type", "")
        result["body"] = json.loads(response.body) if is_json else response.body.decode()
    return result


def _refused(call: Call, part: dict[str, Any], error: GraphError) -> dict[str, Any]:
    request_id = call.request.request_id
    return {"id": part["id"], "status": error.status, "headers": {}, "body": error.document(request_id, request_id, call.time().rstrip("Z"))}


def _headers(response: Response) -> dict[str, str]:
    names = {"content-type": "Content-Type", "cache-control": "Cache-Control", "location": "Location", "retry-after": "Retry-After"}
    return {names[name]: value for name, value in response.headers.items() if name in names}


def _request(call: Call, part: dict[str, Any]) -> Request:
    raw_path, _unused, query = str(part["url"]).partition("?")
    raw_path = "/v1.0/" + raw_path.lstrip("/")
    headers = {str(name).lower(): str(value) for name, value in (part.get("headers") or {}).items()}
    body = part.get("body")
    return Request(
        method=str(part["method"]).upper(),
        path=unquote(raw_path),
        raw_path=raw_path,
        query=query,
        headers={"client-request-id": call.request.headers.get("client-request-id", call.request.request_id), **headers},
        body=b"" if body is None else json.dumps(body).encode(),
        base_url=call.request.base_url,
        request_id=call.request.request_id,
    )
