# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is let into an environment: people by force, applications as administrators, and roles where there is no database.

The service's codes for a person who cannot be added are known only for a missing licence (``userNotLicensed``);
the others are formed alike and unconfirmed.
"""

from __future__ import annotations

from typing import Any

from ..dataverse import users as dataverse_users
from ..dataverse.organization import Organization
from ..dataverse.security import is_administrator_role
from ..graph.directory import find_object
from ..store import Document
from ..wire import Request, Response, ServiceError, not_emulated
from ..world import Tenant, World
from .environments import SCOPE, find, has_database
from .errors import refusal

_ROLE_TYPE = "Microsoft.BusinessAppPlatform/scopes/environments"
_ROLES = frozenset({"EnvironmentAdmin", "EnvironmentMaker"})


def add_user(world: World, tenant: Tenant, request: Request, environment_id: str) -> Response:
    """``POST …/addUser``: 200 without a body once the person can enter."""
    _need_database(tenant, request, environment_id)
    object_id = _body(request).get("objectId")
    if not isinstance(object_id, str) or not object_id:
        raise refusal(request, 400, "InvalidRequestContent", "The request content is not valid: 'objectId' is required.")
    user = tenant.collection("users").get(object_id.lower())
    if user is None or float(user.get("_visible_from") or 0.0) > world.now():
        raise _cannot_enter(tenant, request, object_id, dataverse_users.NotFound(object_id))
    try:
        dataverse_users.force_sync(world, tenant, user["id"])
    except dataverse_users.DirectoryProblem as problem:
        raise _cannot_enter(tenant, request, object_id, problem) from problem
    return Response(200)


_PROBLEMS: dict[type[dataverse_users.DirectoryProblem], tuple[str, str]] = {
    dataverse_users.NotFound: ("userNotFound", "could not be found in the tenant."),
    dataverse_users.NotEnabled: ("userNotEnabled", "is not enabled in the directory."),
    dataverse_users.NotLicensed: ("userNotLicensed", "does not have a license for this environment."),
    dataverse_users.NotInSecurityGroup: ("userNotInSecurityGroup", "is not a member of the environment's security group."),
}


def _cannot_enter(tenant: Tenant, request: Request, object_id: str, problem: dataverse_users.DirectoryProblem) -> ServiceError:
    code, text = _PROBLEMS[type(problem)]
    # Which status these refusals have was never recorded.
    status = 404 if isinstance(problem, dataverse_users.NotFound) else int(tenant.behaviour.get("add_user_error_status", 400))
    return refusal(request, status, code, f"The user with object id '{object_id}' {text}")


def add_application_user(world: World, tenant: Tenant, request: Request, environment_id: str) -> Response:
    """``POST …/addAppUser``: the application becomes an administrator of the environment."""
    _need_database(tenant, request, environment_id)
    app_id = str(_body(request).get("servicePrincipalAppId") or "").lower()
    principal = next((entry for entry in tenant.collection("servicePrincipals").values() if entry["appId"] == app_id), None)
    if principal is None:
        raise refusal(request, 404, "ServicePrincipalNotFound", f"The service principal of application '{app_id}' could not be found in the tenant.")
    _make_administrator(Organization(world, tenant), principal)
    return Response(200)


def _make_administrator(org: Organization, principal: Document) -> None:
    row = dataverse_users.user_of_person(org, principal["id"]) or dataverse_users.add_application(org, principal)
    unit = row["_businessunitid_value"]
    role = next(one for one in org.rows("role") if one["_businessunitid_value"] == unit and is_administrator_role(org, one))
    link = {"systemuserid": row["systemuserid"], "roleid": role["roleid"]}
    org.tenant.collection("systemuserroles")[f"{link['systemuserid']}:{link['roleid']}"] = link


def _need_database(tenant: Tenant, request: Request, environment_id: str) -> None:
    environment = find(tenant, request, environment_id)
    if "linkedEnvironmentMetadata" not in environment["properties"]:
        raise refusal(request, 400, "EnvironmentDoesNotHaveDatabase", f"The environment '{environment_id}' does not have a linked database.")


def _body(request: Request) -> Document:
    try:
        body: Any = request.json() if request.body else {}
    except ValueError:
        raise refusal(request, 400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.") from None
    if not isinstance(body, dict):
        raise refusal(request, 400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.")
    return body


def list_roles(tenant: Tenant, request: Request, environment_id: str) -> Response:
    """``GET …/roleAssignments``."""
    find(tenant, request, environment_id)
    found = [entry for entry in tenant.collection("environmentRoleAssignments").values() if entry["_environment"] == environment_id]
    return Response.of_json(200, {"value": [_assignment(tenant, entry) for entry in found]})


def modify_roles(world: World, tenant: Tenant, request: Request, environment_id: str) -> Response:
    """``POST …/modifyRoleAssignments``, for an environment without a database."""
    environment = find(tenant, request, environment_id)
    if has_database(tenant) and not environment["properties"]["isDefault"]:
        raise not_emulated("power_platform", request, "role assignment in an environment with a database")
    body = _body(request)
    if set(body) - {"add", "remove"}:
        raise not_emulated("power_platform", request, f"modifyRoleAssignments with {', '.join(sorted(body))}")
    collection = tenant.collection("environmentRoleAssignments")
    added = []
    for wish in body.get("add") or ():
        role = str(wish["properties"]["roleDefinition"]["id"]).rpartition("/")[2]
        principal = str(wish["properties"]["principal"]["id"]).lower()
        if role not in _ROLES or find_object(tenant, principal) is None:
            raise refusal(request, 400, "InvalidRoleAssignment", f"The role '{role}' cannot be assigned to the principal '{principal}'.")
        entry = {"id": world.new_id(), "_environment": environment_id, "_role": role, "_principal": principal}
        collection[entry["id"]] = entry
        added.append({"roleAssignment": _assignment(tenant, entry), "httpStatus": "Created"})
    removed = []
    for wish in body.get("remove") or ():
        key = str(wish["id"]).rpartition("/")[2]
        if key not in collection:
            raise refusal(request, 404, "RoleAssignmentNotFound", f"The role assignment '{key}' could not be found.")
        removed.append({"roleAssignment": _assignment(tenant, collection[key]), "httpStatus": "OK"})
        del collection[key]
    answer = {"add": added, "remove": removed}
    return Response.of_json(200, {name: entries for name, entries in answer.items() if entries})


def _assignment(tenant: Tenant, entry: Document) -> Document:
    root = f"{SCOPE}/{entry['_environment']}"
    found = find_object(tenant, entry["_principal"])
    type_name, principal = found if found is not None else ("user", {})
    shown = {"id": entry["_principal"], "displayName": principal.get("displayName"), "type": type_name[:1].upper() + type_name[1:], "tenantId": tenant.id}
    if principal.get("userPrincipalName"):
        shown["email"] = principal["userPrincipalName"]
    return {
        "id": f"{root}/roleAssignments/{entry['id']}",
        "type": f"{_ROLE_TYPE}/roleAssignments",
        "name": entry["id"],
        "properties": {
            "scope": f"/providers/Microsoft.BusinessAppPlatform/environments/{entry['_environment']}",
            "roleDefinition": {"id": f"{root}/roleDefinitions/{entry['_role']}", "type": f"{_ROLE_TYPE}/roleDefinitions", "name": entry["_role"]},
            "principal": shown,
        },
    }
