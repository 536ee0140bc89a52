# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``/servicePrincipals``: applications as members of this tenant, and the permissions they hold."""

from __future__ import annotations

import uuid

from ..store import Document
from ..wire import Response
from .call import Call, no_content
from .errors import GraphError, bad_request, denied, not_found
from .objects import APP_ROLE_ASSIGNMENT, SERVICE_PRINCIPAL, SERVICE_PRINCIPAL_WRITABLE
from .permissions import READ_APPLICATIONS, WRITE_ANY_APPLICATION, WRITE_APPLICATIONS, require
from .queries import many, one
from .replication import is_visible, note_write, visible_from

_BY_APP_ID = "appId="
GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
DATAVERSE_APP_ID = "00000007-0000-0000-c000-000000000000"
_KNOWN_ROLE_IDS = {"User-PasswordProfile.ReadWrite.All": "cc117bb9-00cf-4eb8-b580-ea2a878fe8f7"}
_PERMISSIONS = (
    "Application.Read.All Application.ReadWrite.All Application.ReadWrite.OwnedBy AppRoleAssignment.ReadWrite.All Directory.Read.All "
    "Directory.ReadWrite.All Domain.Read.All Group.Read.All GroupMember.Read.All LicenseAssignment.Read.All LicenseAssignment.ReadWrite.All "
    "Organization.Read.All Policy.Read.All RoleEligibilitySchedule.Read.Directory RoleManagement.Read.Directory RoleManagement.ReadWrite.Directory "
    "User.DeleteRestore.All User.EnableDisableAccount.All User.Read.All User.ReadBasic.All User.ReadWrite.All User-PasswordProfile.ReadWrite.All"
).split()


def _role_id(permission: str) -> str:
    return _KNOWN_ROLE_IDS.get(permission) or str(uuid.uuid5(uuid.NAMESPACE_URL, f"graph/{permission}"))


def _app_role(permission: str) -> Document:
    return {
        "allowedMemberTypes": ["Application"],
        "description": permission,
        "displayName": permission,
        "id": _role_id(permission),
        "isEnabled": True,
        "origin": "Application",
        "value": permission,
    }


_SCOPE = {"id": "78ce3f0f-a1ce-49c2-8cde-64b5c0896db4", "isEnabled": True, "type": "User", "value": "user_impersonation"}
_MICROSOFT: dict[str, Document] = {
    GRAPH_APP_ID: {"displayName": "Microsoft Graph", "appRoles": [_app_role(name) for name in _PERMISSIONS]},
    DATAVERSE_APP_ID: {"displayName": "Dataverse", "oauth2PermissionScopes": [_SCOPE]},
}


def _all(call: Call) -> list[Document]:
    """The tenant's own, and Microsoft's resources, which every tenant has with their permissions."""
    found = [{**entry, **_MICROSOFT.get(entry["appId"], {})} for entry in call.collection("servicePrincipals").values()]
    stored = {entry["appId"] for entry in found}
    missing = (app_id for app_id in _MICROSOFT if app_id not in stored)
    return [*found, *({"id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{call.tenant.id}/{app_id}")), "appId": app_id, **_MICROSOFT[app_id]} for app_id in missing)]


def find(call: Call, reference: str, *, reading: bool) -> Document:
    """The service principal with this id, or by ``appId=…``."""
    if reference.startswith(_BY_APP_ID):
        wanted = reference.removeprefix(_BY_APP_ID).lower()
        found = next((entry for entry in _all(call) if entry["appId"] == wanted), None)
    else:
        found = next((entry for entry in _all(call) if entry["id"] == reference.lower()), None)
    if found is None or (reading and not is_visible(call, found)):
        raise not_found(reference.removeprefix(_BY_APP_ID))
    return found


def list_all(call: Call) -> Response:
    """``GET /servicePrincipals``."""
    require(call, READ_APPLICATIONS)
    now = call.world.now()
    return many(call, SERVICE_PRINCIPAL, map(_present, (entry for entry in _all(call) if float(entry.get("_visible_from") or 0.0) <= now)))


def read(call: Call, reference: str) -> Response:
    """``GET /servicePrincipals/{id}``."""
    require(call, READ_APPLICATIONS)
    return one(call, SERVICE_PRINCIPAL, _present(find(call, reference, reading=True)))


def _present(document: Document) -> Document:
    name = document.get("displayName")
    return {"appDisplayName": name, "servicePrincipalNames": [document["appId"]], **document}


def create(call: Call) -> Response:
    """``POST /servicePrincipals``."""
    require(call, WRITE_APPLICATIONS)
    body = {name: value for name, value in call.body().items() if not name.startswith("@odata.")}
    _check(body)
    app_id = str(body.get("appId") or "").lower()
    if not app_id:
        raise bad_request("A value is required for property 'appId' of resource 'ServicePrincipal'.")
    if any(entry["appId"] == app_id for entry in _all(call)):
        message = f"The service principal cannot be created, updated, or restored because the service principal name {app_id} is already in use."
        detail = {"code": "ObjectConflict", "message": message, "target": "servicePrincipalNames"}
        raise GraphError(409, "Request_MultipleObjectsWithSameKeyValue", message, (detail,))
    application = call.collection("applications").get(app_id)
    if application is None:
        application = next((found for home in call.world.tenants() if (found := home.collection("applications").get(app_id)) is not None), None)
        if application is not None and application.get("signInAudience") == "AzureADMyOrg":
            application = None
        if application is not None and call.caller.kind == "app" and not call.caller.roles & WRITE_ANY_APPLICATION:
            message = "When using this permission, the backing application of the service principal being created must in the local tenant"
            raise GraphError(403, "Authorization_RequestDenied", message)
    if application is None or float(application.get("_visible_from") or 0.0) > call.world.now():
        raise bad_request(f"The appId '{app_id}' of the service principal does not reference a valid application object.")
    document: Document = {
        **SERVICE_PRINCIPAL.properties,
        **body,
        "id": call.world.new_id(),
        "appId": app_id,
        "displayName": application["displayName"],
        "appDisplayName": application["displayName"],
        "appOwnerOrganizationId": call.tenant.id,
        "servicePrincipalNames": [app_id],
        "signInAudience": application.get("signInAudience"),
        "createdDateTime": call.time(),
        "_roles": [],
        "_management_application": False,
        "_owners": [call.caller.object_id],
        "_visible_from": visible_from(call),
    }
    call.collection("servicePrincipals")[document["id"]] = document
    return one(call, SERVICE_PRINCIPAL, _present(document), 201)


def _check(body: Document) -> None:
    for name in body:
        if name not in SERVICE_PRINCIPAL.properties:
            raise bad_request(f"Invalid property '{name}'.")
        if name not in SERVICE_PRINCIPAL_WRITABLE:
            raise bad_request(f"Property '{name}' is read-only and cannot be set.")


def _find_own(call: Call, reference: str) -> Document:
    require(call, WRITE_APPLICATIONS)
    found = find(call, reference, reading=False)
    if call.caller.kind == "app" and not call.caller.roles & WRITE_ANY_APPLICATION and call.caller.object_id not in found.get("_owners", ()):
        raise denied()
    if found["id"] not in call.collection("servicePrincipals"):
        raise denied()
    return found


def update(call: Call, reference: str) -> Response:
    """``PATCH /servicePrincipals/{id}``."""
    found = _find_own(call, reference)
    body = {name: value for name, value in call.body().items() if not name.startswith("@odata.")}
    _check(body)
    note_write(call, found["id"])
    call.collection("servicePrincipals").change(found["id"], **body)
    return no_content()


def delete(call: Call, reference: str) -> Response:
    """``DELETE /servicePrincipals/{id}``: into the recycle bin."""
    found = _find_own(call, reference)
    del call.collection("servicePrincipals")[found["id"]]
    call.collection("deletedServicePrincipals")[found["id"]] = {**found, "deletedDateTime": call.time()}
    return no_content()


def app_role_assignments(call: Call, reference: str) -> Response:
    """``GET /servicePrincipals/{id}/appRoleAssignments``: the granted application permissions."""
    require(call, READ_APPLICATIONS)
    found = find(call, reference, reading=True)
    graph = next((entry for entry in _all(call) if entry["appId"] == GRAPH_APP_ID), None)
    assignments = [
        {
            "id": uuid.uuid5(uuid.NAMESPACE_OID, found["id"] + permission).hex,
            "appRoleId": _role_id(permission),
            "createdDateTime": found.get("createdDateTime"),
            "principalDisplayName": found.get("displayName"),
            "principalId": found["id"],
            "principalType": "ServicePrincipal",
            "resourceDisplayName": "Microsoft Graph",
            "resourceId": None if graph is None else graph["id"],
        }
        for permission in found.get("_roles", ())
    ]
    return many(call, APP_ROLE_ASSIGNMENT, assignments, name=f"servicePrincipals('{found['id']}')/appRoleAssignments")
