# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The admin API's refusals."""

from __future__ import annotations

from ..wire import Request, Response, ServiceError


def refusal(request: Request, status: int, code: str, message: str, **headers: str) -> ServiceError:
    """One error in the service's envelope."""
    response = Response.of_json(status, {"error": {"code": code, "message": message}}, "application/json; charset=utf-8", **headers)
    response.headers |= standard_headers(request)
    return ServiceError(response)


def standard_headers(request: Request) -> dict[str, str]:
    """What every answer carries."""
    return {
        "x-ms-request-id": request.request_id,
        "x-ms-correlation-request-id": request.headers.get("x-ms-correlation-request-id", request.request_id),
        "cache-control": "no-store, no-cache",
        "strict-transport-security": "max-age=31536000; includeSubDomains",
    }
