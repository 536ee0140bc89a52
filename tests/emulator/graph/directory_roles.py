# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directory roles: the activated ones, their templates, and the assignments of unified RBAC."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable

from ..store import Document
from ..wire import Response, not_emulated
from ..world import Tenant
from .call import Call, answer, no_content
from .directory import TENANT_SCOPE, assignments_of, find_object
from .errors import bad_request, not_found
from .objects import DIRECTORY_OBJECT, DIRECTORY_ROLE, DIRECTORY_ROLE_TEMPLATE, ROLE_ASSIGNMENT, ROLE_DEFINITION
from .permissions import READ_ROLES, WRITE_ROLES, require
from .queries import context, many, one, selected
from .roles import BUILT_IN, NAMES

_BY_TEMPLATE = "roleTemplateId="


def description(name: str) -> str:
    """A built-in role in one sentence."""
    return f"Built-in role {name}."


def role_object(tenant: Tenant, template_id: str) -> Document:
    """An activated built-in role; its id differs from tenant to tenant."""
    name = NAMES[template_id]
    role_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{tenant.id}/{template_id}"))
    return {"id": role_id, "deletedDateTime": None, "description": description(name), "displayName": name, "roleTemplateId": template_id}


def active_roles(tenant: Tenant, principals: Iterable[str] | None = None) -> list[str]:
    """The built-in roles, by template, that these principals hold for the whole tenant; of all principals without any given."""
    found = tenant.collection("directoryRoleAssignments").values() if principals is None else assignments_of(tenant, *principals)
    held = (entry["roleDefinitionId"] for entry in found if entry.get("directoryScopeId", TENANT_SCOPE) == TENANT_SCOPE)
    return [template for template in dict.fromkeys(held) if template in NAMES]


def _activated(call: Call) -> list[Document]:
    templates = dict.fromkeys([BUILT_IN["Global Administrator"], *active_roles(call.tenant)])
    return [role_object(call.tenant, template) for template in templates]


def list_roles(call: Call) -> Response:
    """``GET /directoryRoles``: those that somebody has used."""
    require(call, READ_ROLES)
    return many(call, DIRECTORY_ROLE, _activated(call))


def _find_role(call: Call, reference: str) -> Document:
    if reference.startswith(_BY_TEMPLATE):
        wanted = reference.removeprefix(_BY_TEMPLATE).lower()
        found = next((role for role in _activated(call) if role["roleTemplateId"] == wanted), None)
    else:
        found = next((role for role in _activated(call) if role["id"] == reference.lower()), None)
    if found is None:
        raise not_found(reference)
    return found


def read_role(call: Call, reference: str) -> Response:
    """``GET /directoryRoles/{id}``."""
    require(call, READ_ROLES)
    return one(call, DIRECTORY_ROLE, _find_role(call, reference))


def role_members(call: Call, reference: str) -> Response:
    """``GET /directoryRoles/{id}/members``."""
    require(call, READ_ROLES)
    template = _find_role(call, reference)["roleTemplateId"]
    assigned = [entry["principalId"] for entry in call.collection("directoryRoleAssignments").values() if entry["roleDefinitionId"] == template]
    found = [entry for entry in (find_object(call.tenant, principal) for principal in assigned) if entry is not None]
    documents = [{"@odata.type": f"#microsoft.graph.{name}", **_brief(document)} for name, document in found]
    return many(call, DIRECTORY_OBJECT, documents, lambda document: document)


def _brief(document: Document) -> Document:
    return {name: document.get(name) for name in ("id", "displayName", "userPrincipalName") if name in document}


def remove_member(call: Call, reference: str, member_id: str) -> Response:
    """``DELETE /directoryRoles/{id}/members/{id}/$ref``."""
    require(call, WRITE_ROLES)
    template = _find_role(call, reference)["roleTemplateId"]
    assignments = call.collection("directoryRoleAssignments")
    found = [key for key, entry in assignments.items() if entry["roleDefinitionId"] == template and entry["principalId"] == member_id.lower()]
    if not found:
        raise not_found(member_id)
    for key in found:
        check_removal(call, assignments[key])
        del assignments[key]
    return no_content()


def check_removal(call: Call, entry: Document) -> None:
    """Nobody takes the role Global Administrator from themselves, or from the last who has it."""
    role = BUILT_IN["Global Administrator"]
    if entry["roleDefinitionId"] != role or entry.get("directoryScopeId", TENANT_SCOPE) != TENANT_SCOPE:
        return
    if entry["principalId"] == call.caller.object_id:
        raise bad_request("Removing self from Global Administrator built-in role is not allowed")
    others = (found for found in call.collection("directoryRoleAssignments").values() if found["roleDefinitionId"] == role)
    # That the last one stays is documented for PIM; the text is unconfirmed.
    if call.switch("last_global_administrator_stays", default=True) and all(found["principalId"] == entry["principalId"] for found in others):
        raise bad_request("The last Global Administrator of the organization cannot be removed.")


def list_templates(call: Call) -> Response:
    """``GET /directoryRoleTemplates``."""
    require(call, READ_ROLES)
    return many(call, DIRECTORY_ROLE_TEMPLATE, [_template(name) for name in BUILT_IN])


def read_template(call: Call, template_id: str) -> Response:
    """``GET /directoryRoleTemplates/{id}``."""
    require(call, READ_ROLES)
    if template_id not in NAMES:
        raise not_found(template_id)
    return one(call, DIRECTORY_ROLE_TEMPLATE, _template(NAMES[template_id]))


def _template(name: str) -> Document:
    return {"id": BUILT_IN[name], "deletedDateTime": None, "description": description(name), "displayName": name}


def definition(call: Call, role_id: str) -> Document | None:
    """A role definition, built-in or the tenant's own."""
    if role_id in NAMES:
        name = NAMES[role_id]
        return {"id": role_id, "templateId": role_id, "displayName": name, "description": description(name), "version": "1"}
    return call.collection("roleDefinitions").get(role_id)


def list_definitions(call: Call) -> Response:
    """``GET /roleManagement/directory/roleDefinitions``."""
    require(call, READ_ROLES)
    built_in = [definition(call, role_id) for role_id in NAMES]
    return many(call, ROLE_DEFINITION, [found for found in [*built_in, *call.collection("roleDefinitions").values()] if found is not None])


def read_definition(call: Call, role_id: str) -> Response:
    """``GET /roleManagement/directory/roleDefinitions/{id}``."""
    require(call, READ_ROLES)
    found = definition(call, role_id)
    if found is None:
        raise not_found(role_id)
    return one(call, ROLE_DEFINITION, found)


def opaque_id(document_id: str) -> str:
    """An assignment's id as the service shows it: not a GUID."""
    return base64.urlsafe_b64encode(document_id.encode()).decode().rstrip("=") + "-1"


def _assignment(document: Document) -> Document:
    scope = document.get("directoryScopeId", TENANT_SCOPE)
    return {**document, "id": opaque_id(document["id"]), "resourceScope": scope, "directoryScopeId": scope}


def list_assignments(call: Call) -> Response:
    """``GET /roleManagement/directory/roleAssignments``, optionally with the definition or the principal in it."""
    require(call, READ_ROLES)
    gone = call.collection("deletedUsers")
    documents = [_assignment(entry) for entry in call.collection("directoryRoleAssignments").values() if entry["principalId"] not in gone]
    wanted = {item.name for item in call.query.expand}
    if not wanted:
        return many(call, ROLE_ASSIGNMENT, documents)
    if not wanted <= {"roleDefinition", "principal"}:
        raise not_emulated("graph", call.request, f"$expand={', '.join(sorted(wanted))}")
    if call.query.top is not None or call.query.skiptoken is not None:
        raise not_emulated("graph", call.request, "$expand together with paging")
    found = selected(call, ROLE_ASSIGNMENT, documents, expanded=True)
    suffix = "(" + ",".join(f"{name}()" for name in sorted(wanted)) + ")"
    values = [{**ROLE_ASSIGNMENT.project(entry, call.query.select), **_expanded(call, entry, wanted)} for entry in found]
    return answer(200, {"@odata.context": context(call, ROLE_ASSIGNMENT) + suffix, "value": values})


def _expanded(call: Call, entry: Document, wanted: set[str]) -> Document:
    result: Document = {}
    if "roleDefinition" in wanted:
        found = definition(call, entry["roleDefinitionId"])
        result["roleDefinition"] = None if found is None else ROLE_DEFINITION.project(found, ())
    if "principal" in wanted:
        principal = find_object(call.tenant, entry["principalId"])
        result["principal"] = None if principal is None else {"@odata.type": f"#microsoft.graph.{principal[0]}", **_brief(principal[1])}
    return result


def _find_assignment(call: Call, opaque: str) -> str:
    found = next((key for key in call.collection("directoryRoleAssignments") if opaque_id(key) == opaque), None)
    if found is None:
        raise not_found(opaque)
    return found


def read_assignment(call: Call, opaque: str) -> Response:
    """``GET /roleManagement/directory/roleAssignments/{id}``."""
    require(call, READ_ROLES)
    return one(call, ROLE_ASSIGNMENT, _assignment(call.collection("directoryRoleAssignments")[_find_assignment(call, opaque)]))


def create_assignment(call: Call) -> Response:
    """``POST /roleManagement/directory/roleAssignments``."""
    require(call, WRITE_ROLES)
    body = {name: value for name, value in call.body().items() if not name.startswith("@odata.")}
    for name in ("principalId", "roleDefinitionId", "directoryScopeId"):
        if not isinstance(body.get(name), str):
            raise bad_request(f"A value is required for property '{name}' of resource 'RoleAssignment'.")
    if find_object(call.tenant, body["principalId"]) is None:
        raise not_found(body["principalId"])
    if definition(call, body["roleDefinitionId"]) is None:
        raise not_found(body["roleDefinitionId"])
    principal = call.collection("groups").get(body["principalId"])
    if principal is not None and not principal.get("isAssignableToRole"):
        raise bad_request("Assigning a role to a group requires the group to be created with isAssignableToRole set to true.")
    members = ("principalId", "roleDefinitionId", "directoryScopeId")
    assignments = call.collection("directoryRoleAssignments")
    if any(all(entry.get(name, TENANT_SCOPE) == body[name] for name in members) for entry in assignments.values()):
        raise bad_request("A conflicting object with one or more of the specified property values is present in the directory.")
    document = {"id": call.world.new_id(), **{name: body[name] for name in members}}
    assignments[document["id"]] = document
    return one(call, ROLE_ASSIGNMENT, _assignment(document), 201)


def delete_assignment(call: Call, opaque: str) -> Response:
    """``DELETE /roleManagement/directory/roleAssignments/{id}``."""
    require(call, WRITE_ROLES)
    assignments = call.collection("directoryRoleAssignments")
    key = _find_assignment(call, opaque)
    check_removal(call, assignments[key])
    del assignments[key]
    return no_content()
