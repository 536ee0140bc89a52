# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recycle bin: ``/directory/deletedItems``."""

from __future__ import annotations

from ..store import Document
from ..wire import Response
from . import licenses
from .call import Call, no_content
from .errors import bad_request, not_found, unsupported_query
from .objects import APPLICATION, GROUP, SERVICE_PRINCIPAL, USER, ResourceType
from .permissions import (
    CREATE_APPLICATIONS,
    DELETE_USERS,
    READ_APPLICATIONS,
    READ_DELETED_USERS,
    READ_GROUPS,
    WRITE_APPLICATIONS,
    Permission,
    check_target,
    require,
)
from .queries import many, one
from .replication import visible_from
from .user_rules import check_name

_TYPES: dict[str, tuple[str, ResourceType, Permission]] = {
    "user": ("deletedUsers", USER, READ_DELETED_USERS),
    "group": ("deletedGroups", GROUP, READ_GROUPS),
    "application": ("deletedApplications", APPLICATION, READ_APPLICATIONS),
    "servicePrincipal": ("deletedServicePrincipals", SERVICE_PRINCIPAL, READ_APPLICATIONS),
}
_LIVE = {"application": "applications", "servicePrincipal": "servicePrincipals"}


def mangled_name(object_id: str, upn: str) -> str:
    """The name of a deleted user: the old one behind the object's id, so that it is free again."""
    return object_id.replace("-", "") + upn


def original_name(user: Document) -> str:
    """The name that a deleted user had."""
    mark = user["id"].replace("-", "")
    name = str(user["userPrincipalName"])
    return name.removeprefix(mark)


def list_without_cast(_call: Call) -> Response:
    """``GET /directory/deletedItems``: refused without a type."""
    raise unsupported_query("Searches against this resource are not supported. Only specific instances can be queried.")


def list_of_type(call: Call, type_name: str) -> Response:
    """``GET /directory/deletedItems/microsoft.graph.{type}``."""
    kind, resource, permission = _TYPES[type_name]
    require(call, permission)
    return many(call, resource, [_shown(call, document) for document in call.collection(kind).values()])


def _shown(call: Call, document: Document) -> Document:
    if "assignedLicenses" not in document:
        return document
    # Whether a deleted user still shows the licences that it gave back is unconfirmed.
    shown = call.switch("deleted_user_shows_licenses", default=True)
    properties = licenses.properties(call, document)
    return {**document, **(properties if shown else {name: [] for name in properties})}


def read(call: Call, object_id: str) -> Response:
    """``GET /directory/deletedItems/{id}``."""
    type_name, document = _find(call, object_id)
    _kind, resource, permission = _TYPES[type_name]
    require(call, permission)
    return one(call, resource, _shown(call, document), type_name=type_name)


def _find(call: Call, object_id: str) -> tuple[str, Document]:
    for type_name, (kind, _resource, _permission) in _TYPES.items():
        document = next((found for found in call.collection(kind).values() if found["id"] == object_id.lower()), None)
        if document is not None:
            return type_name, document
    raise not_found(object_id)


def restore(call: Call, object_id: str) -> Response:
    """``POST /directory/deletedItems/{id}/restore``."""
    type_name, document = _find(call, object_id)
    require(call, DELETE_USERS if type_name == "user" else CREATE_APPLICATIONS)
    options = call.optional_body()
    unknown = [name for name in options if name not in ("autoReconcileProxyConflict", "newUserPrincipalName")]
    if unknown:
        raise bad_request(f"The parameter '{unknown[0]}' in the request payload is not a valid parameter for the operation 'restore'.")
    if type_name == "user":
        return _restore_user(call, document, options)
    if type_name not in _LIVE:
        raise bad_request("Restoring this type of object is not supported.")
    resource = _TYPES[type_name][1]
    restored = {**document, "deletedDateTime": None}
    key = document["appId"] if type_name == "application" else document["id"]
    call.collection(_LIVE[type_name])[key] = restored
    del call.collection(_TYPES[type_name][0])[key]
    return one(call, resource, restored, type_name=type_name)


def _restore_user(call: Call, document: Document, options: Document) -> Response:
    check_target(call, document["id"])
    upn = options.get("newUserPrincipalName") or original_name(document)
    check_name(call, upn, document["id"])
    proxies = list(document.get("proxyAddresses") or ())
    if options.get("autoReconcileProxyConflict"):
        taken = {address.lower() for user in call.collection("users").values() for address in user.get("proxyAddresses") or ()}
        proxies = [address for address in proxies if address.lower() not in taken]
    restored = licenses.reclaim(call, {**document, "userPrincipalName": upn, "deletedDateTime": None, "proxyAddresses": proxies})
    # Readers see a restored user as late as a new one
    restored["_visible_from"] = visible_from(call)
    del call.collection("deletedUsers")[document["id"]]
    call.collection("users")[document["id"]] = restored
    return one(call, USER, restored, type_name="user")


def purge(call: Call, object_id: str) -> Response:
    """``DELETE /directory/deletedItems/{id}``: for good."""
    type_name, document = _find(call, object_id)
    require(call, DELETE_USERS if type_name == "user" else WRITE_APPLICATIONS)
    key = document["appId"] if type_name == "application" else document["id"]
    del call.collection(_TYPES[type_name][0])[key]
    return no_content()
