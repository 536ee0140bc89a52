# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph's refusals: status, code and text, raised from any depth and put into the envelope at the top."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Details = tuple[dict[str, str], ...]


@dataclass
class GraphError(Exception):
    """One refusal of the service."""

    status: int
    code: str
    message: str
    details: Details = ()
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    """Instead of the usual envelope, where a workload has its own."""

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.message}"

    def document(self, request_id: str, client_request_id: str, date: str) -> dict[str, Any]:
        """The error body; ``date`` is UTC without a zone, as the service writes it."""
        if self.body is not None:
            return self.body
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details:
            error["details"] = list(self.details)
        error["innerError"] = {"date": date, "request-id": request_id, "client-request-id": client_request_id}
        return {"error": error}


def bad_request(message: str, code: str = "Request_BadRequest") -> GraphError:
    """400 with the directory's usual code."""
    return GraphError(400, code, message)


def conflict(prop: str, status: int = 400) -> GraphError:
    """The value of a unique property is taken."""
    message = f"Another object with the same value for property {prop} already exists."
    return GraphError(status, "Request_BadRequest", message, ({"code": "ObjectConflict", "message": message, "target": prop},))


def invalid_value(prop: str, resource: str) -> GraphError:
    """A property's value has the wrong form."""
    return bad_request(f"Invalid value specified for property '{prop}' of resource '{resource}'.")


def unsupported_query(message: str) -> GraphError:
    """400 for a query that the directory cannot serve."""
    return GraphError(400, "Request_UnsupportedQuery", message)


def not_found(reference: str) -> GraphError:
    """404 that names what stood in the URL."""
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{reference}' does not exist or one of its queried reference-property objects are not present.",
    )


def denied() -> GraphError:
    """403: the permission is missing, or the caller's role, or the target is protected."""
    return GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def concurrency_violation(status: int) -> GraphError:
    """Two writes met; 409 or 503, both have been seen."""
    message = "Error due to concurrent requests being made to the tenant. Please wait briefly and retry."
    return GraphError(status, "Directory_ConcurrencyViolation", message)


def premium_license_required() -> GraphError:
    """PIM in a tenant that has no P2."""
    return GraphError(400, "AadPremiumLicenseRequired", "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.")


def scope_not_granted() -> GraphError:
    """403 of the PIM endpoints, whose body differs from all others."""
    message = "Authorization failed due to missing permission scope RoleManagement.Read.Directory."
    return GraphError(403, "UnknownError", message, body={"errorCode": "PermissionScopeNotGranted", "message": message, "instanceAnnotations": []})
