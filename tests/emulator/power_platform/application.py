# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The front door of the admin API: who may enter, and which call a path is."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, unquote

from ..graph.directory import roles_held
from ..graph.roles import BUILT_IN
from ..wire import Request, Response, not_emulated
from ..world import Caller, Tenant, TokenProblem, World, authority_for
from . import people
from .environments import all_of, find
from .errors import refusal, standard_headers

_PROVIDER = "/providers/Microsoft.BusinessAppPlatform/"
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
_ADMINISTRATORS = frozenset(BUILT_IN[name] for name in ("Global Administrator", "Power Platform Administrator", "Dynamics 365 Administrator"))
_ENVIRONMENT = re.compile(r"scopes/admin/environments/([^/]+)(?:/([A-Za-z]+))?")

EnvironmentCall = Callable[[World, Tenant, Request, str], Response]
_CALLS: dict[tuple[str, str], EnvironmentCall] = {
    ("POST", "addUser"): people.add_user,
    ("POST", "addAppUser"): people.add_application_user,
    ("POST", "modifyRoleAssignments"): people.modify_roles,
    ("GET", "roleAssignments"): lambda _world, tenant, request, environment_id: people.list_roles(tenant, request, environment_id),
}


def handle(world: World, tenant: Tenant, caller: Caller, request: Request) -> Response:
    """Answer one call of somebody whose token is good."""
    response = _dispatch(world, tenant, caller, request)
    response.headers = {**standard_headers(request), **response.headers}
    return response


def _dispatch(world: World, tenant: Tenant, caller: Caller, request: Request) -> Response:
    if not request.path.lower().startswith(_PROVIDER.lower()):
        raise not_emulated("power_platform", request)
    path = request.path[len(_PROVIDER) :].strip("/")
    _check_version(request)
    if path.partition("/")[0] == "adminApplications":
        return _admin_applications(tenant, caller, request, path)
    _check_access(tenant, caller, request)
    if path == "scopes/admin/environments" and request.method == "GET":
        if "$filter" in unquote(request.query):
            raise not_emulated("power_platform", request, "$filter on environments")
        return Response.of_json(200, {"value": all_of(tenant, request)})
    if path.startswith("lifecycleOperations/") and request.method == "GET":
        return _lifecycle_operation(tenant, request, path.partition("/")[2])
    match = _ENVIRONMENT.fullmatch(path)
    if match is None:
        raise not_emulated("power_platform", request)
    environment_id, action = match[1], match[2]
    if action is None and request.method == "GET":
        return Response.of_json(200, find(tenant, request, environment_id))
    call = _CALLS.get((request.method, action or ""))
    if call is None:
        raise not_emulated("power_platform", request)
    return call(world, tenant, request, environment_id)


def _check_version(request: Request) -> None:
    given = parse_qs(request.query).get("api-version", [""])[0]
    if not given:
        raise refusal(request, 400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
    if not _VERSION.fullmatch(given):
        raise refusal(request, 400, "InvalidApiVersionParameter", f"The api-version '{given}' is invalid.")


def _check_access(tenant: Tenant, caller: Caller, request: Request) -> None:
    if caller.kind == "user":
        if not roles_held(tenant, caller.object_id) & _ADMINISTRATORS:
            raise _forbidden(tenant, caller, request, "The user with object id")
        return
    principal = tenant.collection("servicePrincipals").get(caller.object_id, {})
    if not principal.get("_management_application") or not tenant.features.get("power_platform_admin", True):
        raise _forbidden(tenant, caller, request, "The service principal with id")


def _forbidden(tenant: Tenant, caller: Caller, request: Request, who: str) -> Exception:
    message = (
        f"{who} '{caller.object_id}' for application {caller.app_id} does not have permission to access the path "
        f"'{request.base_url}{request.path}' in tenant {tenant.id}."
    )
    return refusal(request, 403, "Forbidden", message)


def _admin_applications(tenant: Tenant, caller: Caller, request: Request, path: str) -> Response:
    """The management applications; only a human administrator may register one, and nobody registers himself."""
    if caller.kind != "user":
        raise _forbidden(tenant, caller, request, "The service principal with id")
    _check_access(tenant, caller, request)
    principals = tenant.collection("servicePrincipals")
    app_id = path.partition("/")[2].lower()
    if request.method == "GET" and not app_id:
        return Response.of_json(200, {"value": [{"applicationId": entry["appId"]} for entry in principals.values() if entry.get("_management_application")]})
    found = next((entry for entry in principals.values() if entry["appId"] == app_id), None)
    if request.method not in ("GET", "PUT") or not app_id:
        raise not_emulated("power_platform", request)
    if found is None or (request.method == "GET" and not found.get("_management_application")):
        raise refusal(request, 404, "ApplicationNotFound", f"The application '{app_id}' could not be found in the tenant.")
    if request.method == "PUT":
        principals.change(found["id"], _management_application=True)
    return Response.of_json(200, {"applicationId": app_id})


def _lifecycle_operation(tenant: Tenant, request: Request, operation_id: str) -> Response:
    found = tenant.collection("lifecycleOperations").get(operation_id)
    if found is None:
        raise refusal(request, 404, "LifecycleOperationNotFound", f"The lifecycle operation '{operation_id}' could not be found.")
    return Response.of_json(200, {name: value for name, value in found.items() if not name.startswith("_")})


def unauthorized(world: World, tenant: Tenant | None, problem: TokenProblem, request: Request) -> Response:
    """401 for a token that is missing or no good."""
    del world, tenant
    texts = {
        "missing": "The authentication header is missing.",
        "expired": "The access token has expired.",
        "wrong_audience": "The access token has been obtained for a wrong audience or resource.",
    }
    message = f"Authentication failed. {texts.get(problem.reason, 'The access token is invalid.')}"
    challenge = f'Bearer authorization_uri="{authority_for(request.base_url)}/common"'
    return refusal(request, 401, "AuthenticationFailed", message, www_authenticate=challenge).response
