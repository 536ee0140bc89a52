# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local token endpoints that Azure gives to its own machines.

A managed identity is played by the tenant's automation app: its token has the same rights.
"""

from __future__ import annotations

from urllib.parse import parse_qs, unquote

from ..hosts import CLOUDS
from ..keys import KeyRing
from ..wire import Request, Response, not_emulated
from ..world import Tenant, World
from .errors import SignInError, answer
from .resources import resource_in_tenant
from .token_endpoint import application_token


def handle(world: World, keys: KeyRing, request: Request) -> Response:
    """Answer the App Service form (``/msi/token``) or the virtual machine form (``/metadata/…``, ``/imds/<tenant>/metadata/…``)."""
    query = {name: values[0] for name, values in parse_qs(request.query).items()}
    segments = request.path.strip("/").split("/")
    if segments == ["msi", "token"]:
        tenant = _tenant_with_header(world, request.headers.get("x-identity-header", ""))
    elif segments[-4:] == ["metadata", "identity", "oauth2", "token"]:
        if request.headers.get("metadata", "").lower() != "true":
            return _refusal(request, "bad_request_102", "Required metadata header not specified")
        tenant = world.tenant(unquote(segments[1])) if segments[0] == "imds" else _tenant_of_client(world, query.get("client_id", ""))
    else:
        raise not_emulated("managed identity", request)
    if tenant is None:
        return _refusal(request, "invalid_request", "Identity not found")
    wanted = query.get("client_id") or tenant.document["client_id"]
    principal = next((one for one in tenant.collection("servicePrincipals").values() if one["appId"] == wanted), None)
    if principal is None:
        return _refusal(request, "invalid_request", "Identity not found")
    try:
        resource = resource_in_tenant(world, tenant, query.get("resource", ""))
    except SignInError as error:
        return _refusal(request, error.error, str(error))
    body = application_token(world, keys, tenant, f"https://{CLOUDS[0].logins[0]}", resource, principal)
    numbers = {"expires_in": str(body["expires_in"]), "expires_on": str(int(world.now()) + int(body["expires_in"])), "not_before": str(int(world.now()))}
    return answer(request, 200, {**body, **numbers, "resource": query["resource"], "client_id": wanted})


def _tenant_with_header(world: World, header: str) -> Tenant | None:
    return next((tenant for tenant in world.tenants() if header and tenant.document.get("identity_header") == header), None)


def _tenant_of_client(world: World, app_id: str) -> Tenant | None:
    return next((tenant for tenant in world.tenants() if app_id in ("", tenant.document["client_id"])), None)


def _refusal(request: Request, error: str, text: str) -> Response:
    return answer(request, 400, {"error": error, "error_description": text})
