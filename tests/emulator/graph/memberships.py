# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups, and what an object is a member of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..store import Document
from ..wire import Response
from . import users
from .call import Call, answer
from .directory import all_groups, all_members, direct_groups, find_object
from .directory_roles import active_roles, role_object
from .errors import bad_request, not_found, unsupported_query
from .objects import APPLICATION, DIRECTORY_OBJECT, DIRECTORY_ROLE, GROUP, SERVICE_PRINCIPAL, USER, ResourceType
from .permissions import READ_GROUPS, READ_MEMBER_OF, READ_ROLES, require
from .queries import many, one

_TYPES: dict[str, ResourceType] = {
    "user": USER,
    "group": GROUP,
    "directoryRole": DIRECTORY_ROLE,
    "servicePrincipal": SERVICE_PRINCIPAL,
    "application": APPLICATION,
}
# A selection on mixed types may name a property of any of them.
_PROPERTIES: dict[str, Any] = {name: value for resource in _TYPES.values() for name, value in resource.properties.items()}
_MIXED = ResourceType(DIRECTORY_OBJECT.name, DIRECTORY_OBJECT.entity_set, _PROPERTIES, read_units=2)
_NEEDED: dict[str, frozenset[str]] = {
    "group": frozenset({"Group.Read.All", "Group.ReadWrite.All", "GroupMember.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"}),
    "directoryRole": frozenset(
        {"Directory.Read.All", "Directory.ReadWrite.All", "RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory", "RoleManagement.Read.All"}
    ),
    "user": frozenset({"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}),
    "servicePrincipal": frozenset({"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}),
}


def list_groups(call: Call) -> Response:
    """``GET /groups``."""
    require(call, READ_GROUPS)
    return many(call, GROUP, map(_group, call.collection("groups").values()))


def read_group(call: Call, group_id: str) -> Response:
    """``GET /groups/{id}``."""
    require(call, READ_GROUPS)
    return one(call, GROUP, _group(_find_group(call, group_id)))


def _find_group(call: Call, group_id: str) -> Document:
    group = call.collection("groups").get(group_id.lower())
    if group is None:
        raise not_found(group_id)
    return group


def _group(group: Document) -> Document:
    licenses = [{"disabledPlans": list(entry.get("disabledPlans", ())), "skuId": entry["skuId"]} for entry in group.get("_licenses", ())]
    return {**group, "assignedLicenses": licenses}


def members(call: Call, group_id: str) -> Response:
    """``GET /groups/{id}/members``."""
    require(call, READ_GROUPS)
    return _objects(call, _typed(call, _find_group(call, group_id).get("_members", ())))


def transitive_members(call: Call, group_id: str) -> Response:
    """``GET /groups/{id}/transitiveMembers``."""
    require(call, READ_GROUPS)
    return _objects(call, _typed(call, all_members(call.tenant, _find_group(call, group_id))))


def _typed(call: Call, ids: Iterable[str]) -> list[Document]:
    found = (find_object(call.tenant, object_id) for object_id in ids)
    return [_with_type(call, *entry) for entry in found if entry is not None]


def _with_type(call: Call, type_name: str, document: Document) -> Document:
    shown = users.present(call, document) if type_name == "user" else document
    return {**shown, "_type": type_name}


def _objects(call: Call, found: list[Document], cast: str = "") -> Response:
    """Mixed directory objects, each with its type; without the right to read one only its id is told."""
    if cast:
        query = call.query
        others = query.select or query.filter or query.orderby or query.top is not None or "$search" in query.others
        if others and not call.advanced:
            raise unsupported_query("The specified filter to the reference property query is currently not supported.")
        found = [document for document in found if document["_type"] == cast]
    elif (call.query.filter or call.query.orderby) and not call.advanced:
        raise unsupported_query("The specified filter to the reference property query is currently not supported.")
    resource = _TYPES[cast] if cast else _MIXED
    return many(call, resource, found, lambda document: _shape(call, document), name=resource.entity_set if cast else "directoryObjects")


def _shape(call: Call, document: Document) -> Document:
    type_name = document["_type"]
    resource = _TYPES[type_name]
    head = {"@odata.type": f"#microsoft.graph.{type_name}"}
    select = tuple(name for name in call.query.select if name in resource.properties)
    needed = _NEEDED.get(type_name)
    if call.caller.kind == "app" and needed is not None and not call.caller.roles & needed:
        return {**head, **{name: document["id"] if name == "id" else None for name in select or resource.shown or resource.properties}}
    return {**head, **resource.project(document, select)}


def member_of(call: Call, reference: str, cast: str = "") -> Response:
    """``GET /users/{id}/memberOf``, with or without a type."""
    user = _member(call, reference)
    groups = direct_groups(call.tenant, user["id"])
    return _objects(call, _memberships(call, groups, [user["id"]]), cast)


def transitive_member_of(call: Call, reference: str, cast: str = "") -> Response:
    """``GET /users/{id}/transitiveMemberOf``: also what comes through groups."""
    user = _member(call, reference)
    groups = all_groups(call.tenant, user["id"])
    return _objects(call, _memberships(call, groups, [user["id"], *(group["id"] for group in groups)]), cast)


def _member(call: Call, reference: str) -> Document:
    user = users.find(call, reference, reading=True)
    require(call, READ_MEMBER_OF, user["id"])
    return user


def _memberships(call: Call, groups: Iterable[Document], principals: list[str]) -> list[Document]:
    roles = [{**role_object(call.tenant, template), "_type": "directoryRole"} for template in active_roles(call.tenant, principals)]
    return [*roles, *({**_group(group), "_type": "group"} for group in groups)]


def service_principal_member_of(call: Call, object_id: str, cast: str = "") -> Response:
    """``GET /servicePrincipals/{id}/memberOf``."""
    require(call, READ_MEMBER_OF)
    if object_id not in call.collection("servicePrincipals"):
        raise not_found(object_id)
    return _objects(call, _memberships(call, direct_groups(call.tenant, object_id), [object_id]), cast)


def service_principal_transitive_member_of(call: Call, object_id: str, cast: str = "") -> Response:
    """``GET /servicePrincipals/{id}/transitiveMemberOf``."""
    require(call, READ_MEMBER_OF)
    if object_id not in call.collection("servicePrincipals"):
        raise not_found(object_id)
    groups = all_groups(call.tenant, object_id)
    return _objects(call, _memberships(call, groups, [object_id, *(group["id"] for group in groups)]), cast)


def _ids(call: Call, ids: Iterable[str]) -> Response:
    return answer(200, {"@odata.context": f"{call.root}/$metadata#Collection(Edm.String)", "value": list(ids)})


def get_member_groups(call: Call, reference: str) -> Response:
    """``POST …/getMemberGroups``."""
    user = _member(call, reference)
    _boolean(call.body(), "securityEnabledOnly")
    return _ids(call, (group["id"] for group in all_groups(call.tenant, user["id"])))


def get_member_objects(call: Call, reference: str) -> Response:
    """``POST …/getMemberObjects``: groups and directory roles."""
    user = _member(call, reference)
    _boolean(call.body(), "securityEnabledOnly")
    return _ids(call, _all_ids(call, user["id"]))


def _all_ids(call: Call, object_id: str) -> list[str]:
    groups = [group["id"] for group in all_groups(call.tenant, object_id)]
    return [*groups, *(role_object(call.tenant, template)["id"] for template in active_roles(call.tenant, [object_id, *groups]))]


def _boolean(body: Document, name: str) -> None:
    if not isinstance(body.get(name), bool):
        raise bad_request(f"The parameter '{name}' is required and must be a boolean.")


def check_member_groups(call: Call, reference: str) -> Response:
    """``POST …/checkMemberGroups``."""
    return _check(call, reference, "groupIds", lambda object_id: [group["id"] for group in all_groups(call.tenant, object_id)])


def check_member_objects(call: Call, reference: str) -> Response:
    """``POST …/checkMemberObjects``."""
    return _check(call, reference, "ids", lambda object_id: _all_ids(call, object_id))


def _check(call: Call, reference: str, parameter: str, held: Callable[[str], list[str]]) -> Response:
    user = _member(call, reference)
    wanted = call.body().get(parameter)
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= 20:
        raise bad_request(f"The parameter '{parameter}' is required and must hold 1 to 20 ids.")
    mine = set(held(user["id"]))
    return _ids(call, (entry for entry in wanted if entry in mine))


def directory_object(call: Call, object_id: str) -> Response:
    """``GET /directoryObjects/{id}``."""
    require(call, READ_ROLES)
    found = find_object(call.tenant, object_id.lower())
    if found is None:
        raise not_found(object_id)
    type_name, document = found
    return one(call, _TYPES[type_name], _with_type(call, type_name, document), type_name=type_name)
