# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``/v1/customers``: every tenant of the emulator is a customer of whoever asks.

The continuation token travels in a header, and ``links.next`` says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

from ..odata import QuerySyntaxError, decode_token, encode_token
from ..store import Document
from ..wire import Request, Response, ServiceError, not_emulated
from ..world import Caller, Tenant, TokenProblem, World, authority_for

_JSON_TYPE = "application/json; charset=utf-8"
_CONTINUATION = "MS-ContinuationToken"
_DEFAULT_SIZE = 100
_MAXIMUM_SIZE = 500


def handle(world: World, tenant: Tenant, caller: Caller, request: Request) -> Response:
    """Answer one call of somebody whose token is good."""
    if caller.kind == "user" and tenant.behaviour.get("partner_center_demands_mfa", True):
        # Tokens of people must prove a second factor, which no password sign-in does.
        raise _refusal(request, 401, "900421", "MFA required.")
    parts = request.path.strip("/").split("/")
    if request.method != "GET" or parts[:2] != ["v1", "customers"]:
        raise not_emulated("partner_center", request)
    customers = [_customer(one) for one in world.tenants()]
    if len(parts) == 2:
        response = _list(request, customers)
    elif len(parts) == 3:
        response = _one(request, customers, parts[2])
    else:
        raise not_emulated("partner_center", request)
    response.headers |= _headers(request)
    return response


def _headers(request: Request) -> dict[str, str]:
    return {
        "ms-requestid": request.headers.get("ms-requestid", request.request_id),
        "ms-correlationid": request.headers.get("ms-correlationid", request.request_id),
    }


def _refusal(request: Request, status: int, code: str, description: str) -> ServiceError:
    response = Response.of_json(status, {"code": code, "description": description, "data": [], "source": "PartnerFD"}, _JSON_TYPE)
    response.headers |= _headers(request)
    return ServiceError(response)


def _link(uri: str, headers: Sequence[Document] = ()) -> Document:
    return {"uri": uri, "method": "GET", "headers": list(headers)}


def _customer(tenant: Tenant) -> Document:
    path = f"/customers/{tenant.id}"
    return {
        "id": tenant.id,
        "companyProfile": {
            "tenantId": tenant.id,
            "domain": tenant.domain,
            "companyName": str(tenant.document.get("display_name") or tenant.name),
            "links": {"self": _link(f"{path}/profiles/company")},
            "attributes": {"objectType": "CustomerCompanyProfile"},
        },
        "relationshipToPartner": "reseller",
        "links": {"self": _link(path)},
        "attributes": {"objectType": "Customer"},
    }


def _list(request: Request, customers: list[Document]) -> Response:
    query = parse_qs(request.query)
    if "filter" in query:
        raise not_emulated("partner_center", request, "the customer filter")
    size = _size(request, query.get("size", [str(_DEFAULT_SIZE)])[0])
    token = request.headers.get(_CONTINUATION.lower())
    seeking = query.get("seekOperation", [""])[0]
    if seeking and seeking != "Next":
        raise not_emulated("partner_center", request, f"seekOperation={seeking}")
    if bool(seeking) is not bool(token):
        raise _refusal(request, 400, "2000", "A seek operation and a continuation token belong together.")
    start = _start(request, token) if token else 0
    end = start + size
    links: dict[str, Any] = {"self": _link(f"/customers?{request.query}" if request.query else "/customers")}
    if end < len(customers):
        header = {"key": _CONTINUATION, "value": encode_token({"start": end})}
        links["next"] = _link(f"/customers?size={size}&seekOperation=Next", [header])
    body = {"totalCount": len(customers), "items": customers[start:end], "links": links, "attributes": {"objectType": "Collection"}}
    return Response.of_json(200, body, _JSON_TYPE)


def _size(request: Request, text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= _MAXIMUM_SIZE:
        raise _refusal(request, 400, "2000", f"The page size must lie between 1 and {_MAXIMUM_SIZE}.")
    return int(text)


def _start(request: Request, token: str) -> int:
    try:
        return int(decode_token(token)["start"])
    except (QuerySyntaxError, KeyError, ValueError):
        raise _refusal(request, 400, "2000", "The continuation token is not valid.") from None


def _one(request: Request, customers: list[Document], customer_id: str) -> Response:
    found = next((customer for customer in customers if customer["id"] == customer_id.lower()), None)
    if found is None:
        raise _refusal(request, 404, "600001", "The customer could not be found.")
    return Response.of_json(200, found, _JSON_TYPE)


def unauthorized(world: World, tenant: Tenant | None, problem: TokenProblem, request: Request) -> Response:
    """401 for a token that is missing or no good."""
    del world, tenant
    response = _refusal(request, 401, "1001", f"Unauthorized request: the access token is {problem.reason.replace('_', ' ')}.").response
    response.headers["www-authenticate"] = f'Bearer authorization_uri="{authority_for(request.base_url)}/common/oauth2/authorize"'
    return response
