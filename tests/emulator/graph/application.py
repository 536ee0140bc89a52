# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The front door of Graph: which call a path is, and the envelope around every answer."""

from __future__ import annotations

from collections.abc import Callable

from ..odata import QuerySyntaxError, UnknownPropertyError, UnsupportedQueryError
from ..wire import Request, Response, not_emulated
from ..world import Caller, Tenant, TokenProblem, World, authority_for
from . import (
    applications,
    batch,
    deleted_items,
    directory_roles,
    license_calls,
    memberships,
    organization,
    privileged_access,
    service_principals,
    users,
)
from .call import Call, answer, segments, standard_headers, timestamp
from .errors import GraphError

Handler = Callable[..., Response]
_ROLE_CAST = "microsoft.graph.directoryRole"
_GROUP_CAST = "microsoft.graph.group"
_RBAC = "roleManagement/directory"

# ``*`` is one segment, handed to the handler; more exact lines come first.
_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "me", users.me),
    ("POST", "users", users.create),
    ("GET", "users", users.list_all),
    ("GET", "users/$count", users.count),
    ("GET", "users/*", users.read),
    ("PATCH", "users/*", users.update),
    ("DELETE", "users/*", users.delete),
    ("POST", "users/*/assignLicense", license_calls.assign),
    ("POST", "users/*/reprocessLicenseAssignment", license_calls.reprocess),
    ("GET", "users/*/licenseDetails", license_calls.details),
    ("GET", "users/*/memberOf", memberships.member_of),
    ("GET", f"users/*/memberOf/{_ROLE_CAST}", lambda call, user: memberships.member_of(call, user, "directoryRole")),
    ("GET", f"users/*/memberOf/{_GROUP_CAST}", lambda call, user: memberships.member_of(call, user, "group")),
    ("GET", "users/*/transitiveMemberOf", memberships.transitive_member_of),
    ("GET", f"users/*/transitiveMemberOf/{_ROLE_CAST}", lambda call, user: memberships.transitive_member_of(call, user, "directoryRole")),
    ("GET", f"users/*/transitiveMemberOf/{_GROUP_CAST}", lambda call, user: memberships.transitive_member_of(call, user, "group")),
    ("POST", "users/*/restore", users.restore),
    ("POST", "users/*/getMemberGroups", memberships.get_member_groups),
    ("POST", "users/*/getMemberObjects", memberships.get_member_objects),
    ("POST", "users/*/checkMemberGroups", memberships.check_member_groups),
    ("POST", "users/*/checkMemberObjects", memberships.check_member_objects),
    ("GET", "directoryObjects/*", memberships.directory_object),
    ("GET", "directory/deletedItems", deleted_items.list_without_cast),
    *(
        ("GET", f"directory/deletedItems/microsoft.graph.{name}", lambda call, name=name: deleted_items.list_of_type(call, name))
        for name in ("user", "group", "application", "servicePrincipal")
    ),
    ("GET", "directory/deletedItems/*", deleted_items.read),
    ("POST", "directory/deletedItems/*/restore", deleted_items.restore),
    ("DELETE", "directory/deletedItems/*", deleted_items.purge),
    ("GET", "subscribedSkus", license_calls.list_skus),
    ("GET", "subscribedSkus/*", license_calls.read_sku),
    ("GET", "organization", organization.list_organizations),
    ("GET", "organization/*", organization.read_organization),
    ("GET", "domains", organization.list_domains),
    ("GET", "domains/*", organization.read_domain),
    ("GET", "policies/identitySecurityDefaultsEnforcementPolicy", organization.security_defaults),
    ("GET", "groups", memberships.list_groups),
    ("GET", "groups/*", memberships.read_group),
    ("GET", "groups/*/members", memberships.members),
    ("GET", "groups/*/transitiveMembers", memberships.transitive_members),
    ("GET", "directoryRoles", directory_roles.list_roles),
    ("GET", "directoryRoles/*", directory_roles.read_role),
    ("GET", "directoryRoles/*/members", directory_roles.role_members),
    ("DELETE", "directoryRoles/*/members/*/$ref", directory_roles.remove_member),
    ("GET", "directoryRoleTemplates", directory_roles.list_templates),
    ("GET", "directoryRoleTemplates/*", directory_roles.read_template),
    ("GET", f"{_RBAC}/roleDefinitions", directory_roles.list_definitions),
    ("GET", f"{_RBAC}/roleDefinitions/*", directory_roles.read_definition),
    ("GET", f"{_RBAC}/roleAssignments", directory_roles.list_assignments),
    ("POST", f"{_RBAC}/roleAssignments", directory_roles.create_assignment),
    ("GET", f"{_RBAC}/roleAssignments/*", directory_roles.read_assignment),
    ("DELETE", f"{_RBAC}/roleAssignments/*", directory_roles.delete_assignment),
    ("GET", f"{_RBAC}/roleEligibilityScheduleInstances", privileged_access.list_eligible),
    ("GET", f"{_RBAC}/roleAssignmentScheduleInstances", privileged_access.list_assigned),
    ("POST", f"{_RBAC}/roleEligibilityScheduleRequests", privileged_access.request_eligibility),
    ("POST", f"{_RBAC}/roleAssignmentScheduleRequests", privileged_access.request_assignment),
    ("POST", "applications", applications.create),
    ("GET", "applications", applications.list_all),
    ("GET", "applications/*", applications.read),
    ("PATCH", "applications/*", applications.update),
    ("DELETE", "applications/*", applications.delete),
    ("POST", "applications/*/addPassword", applications.add_password),
    ("POST", "applications/*/removePassword", applications.remove_password),
    ("GET", "applications/*/federatedIdentityCredentials", applications.list_federated),
    ("POST", "applications/*/federatedIdentityCredentials", applications.create_federated),
    ("DELETE", "applications/*/federatedIdentityCredentials/*", applications.delete_federated),
    ("POST", "servicePrincipals", service_principals.create),
    ("GET", "servicePrincipals", service_principals.list_all),
    ("GET", "servicePrincipals/*", service_principals.read),
    ("PATCH", "servicePrincipals/*", service_principals.update),
    ("DELETE", "servicePrincipals/*", service_principals.delete),
    ("GET", "servicePrincipals/*/appRoleAssignments", service_principals.app_role_assignments),
    ("GET", "servicePrincipals/*/memberOf", memberships.service_principal_member_of),
    ("GET", f"servicePrincipals/*/memberOf/{_ROLE_CAST}", lambda call, own: memberships.service_principal_member_of(call, own, "directoryRole")),
    ("GET", "servicePrincipals/*/transitiveMemberOf", memberships.service_principal_transitive_member_of),
    (
        "GET",
        f"servicePrincipals/*/transitiveMemberOf/{_ROLE_CAST}",
        lambda call, own: memberships.service_principal_transitive_member_of(call, own, "directoryRole"),
    ),
)


def handle(world: World, tenant: Tenant, caller: Caller, request: Request) -> Response:
    """Answer one call of somebody whose token is good."""
    call = Call(world, tenant, caller, request)
    try:
        response = _dispatch(call)
    except GraphError as error:
        response = _refusal(error, request, world.now())
    except UnknownPropertyError as error:
        message = f"Could not find a property named '{error.name}' on type '{error.type_name}'."
        response = _refusal(GraphError(400, "BadRequest", message), request, world.now())
    except UnsupportedQueryError as error:
        response = _refusal(GraphError(400, "Request_UnsupportedQuery", error.message), request, world.now())
    except QuerySyntaxError as error:
        response = _refusal(GraphError(400, "BadRequest", f"Invalid filter clause: {error.message}"), request, world.now())
    response.headers = {**standard_headers(request), **response.headers}
    return response


def _dispatch(call: Call) -> Response:
    request = call.request
    if not request.path.startswith("/v1.0/"):
        if request.path.startswith("/beta/"):
            raise not_emulated("graph", request, "the beta version")
        raise GraphError(400, "BadRequest", "Invalid version.")
    path = segments(request)
    if path == ["$batch"] and request.method == "POST":
        return batch.run(call, lambda part: handle(call.world, call.tenant, call.caller, part))
    if request.method == "POST" and path:
        path[-1] = path[-1].removeprefix("microsoft.graph.")
    for method, pattern, handler in _ROUTES:
        parameters = _match(pattern, path) if method == request.method else None
        if parameters is not None:
            return handler(call, *parameters)
    raise not_emulated("graph", request)


def _match(pattern: str, path: list[str]) -> list[str] | None:
    wanted = pattern.split("/")
    if len(wanted) != len(path) or any(part not in ("*", given) for part, given in zip(wanted, path, strict=True)):
        return None
    return [given for part, given in zip(wanted, path, strict=True) if part == "*"]


def _refusal(error: GraphError, request: Request, now: float) -> Response:
    document = error.document(request.request_id, request.headers.get("client-request-id", request.request_id), timestamp(now).rstrip("Z"))
    return answer(error.status, document, **error.headers)


_UNAUTHORIZED = {
    "missing": "Access token is empty.",
    "malformed": "IDX14100: JWT is not well formed, there are no dots (.).",
    "expired": "Lifetime validation failed, the token is expired.",
    "wrong_audience": "Access token validation failure. Invalid audience.",
    "wrong_tenant": "Access token validation failure. Invalid tenant.",
}


def unauthorized(world: World, tenant: Tenant | None, problem: TokenProblem, request: Request) -> Response:
    """401 for a token that is missing or no good."""
    del tenant
    error = GraphError(401, "InvalidAuthenticationToken", _UNAUTHORIZED[problem.reason])
    response = _refusal(error, request, world.now())
    authority = authority_for(request.base_url)
    response.headers["www-authenticate"] = (
        f'Bearer realm="", authorization_uri="{authority}/common/oauth2/authorize", client_id="{service_principals.GRAPH_APP_ID}"'
    )
    response.headers = {**standard_headers(request), **response.headers}
    return response
