# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Privileged Identity Management: who may become an administrator, and taking that away."""

from __future__ import annotations

from ..store import Document
from ..wire import Response, not_emulated
from .call import Call, answer
from .directory import TENANT_SCOPE
from .directory_roles import check_removal, opaque_id
from .errors import GraphError, bad_request, premium_license_required, scope_not_granted
from .objects import ASSIGNMENT_INSTANCE, ELIGIBILITY_INSTANCE
from .permissions import READ_ASSIGNMENT_SCHEDULE, READ_ELIGIBILITY, REMOVE_ASSIGNMENT_SCHEDULE, REMOVE_ELIGIBILITY, Permission, require
from .queries import many


def _enter(call: Call, permission: Permission) -> None:
    try:
        require(call, permission)
    except GraphError:
        raise scope_not_granted() from None
    if not call.tenant.features.get("pim", False):
        raise premium_license_required()


def _instance(call: Call, document: Document) -> Document:
    return {
        **document,
        "id": opaque_id(document["id"]),
        "directoryScopeId": document.get("directoryScopeId", TENANT_SCOPE),
        "appScopeId": None,
        "startDateTime": document.get("startDateTime") or "2024-01-01T00:00:00Z",
        "endDateTime": document.get("endDateTime"),
        "memberType": "Group" if document["principalId"] in call.collection("groups") else "Direct",
    }


def list_eligible(call: Call) -> Response:
    """``GET …/roleEligibilityScheduleInstances``."""
    _enter(call, READ_ELIGIBILITY)
    found = [{**_instance(call, entry), "roleEligibilityScheduleId": entry["id"]} for entry in call.collection("directoryRoleEligibilities").values()]
    return many(call, ELIGIBILITY_INSTANCE, found)


def list_assigned(call: Call) -> Response:
    """``GET …/roleAssignmentScheduleInstances``."""
    _enter(call, READ_ASSIGNMENT_SCHEDULE)
    found = [
        {**_instance(call, entry), "roleAssignmentScheduleId": entry["id"], "roleAssignmentOriginId": opaque_id(entry["id"])}
        for entry in call.collection("directoryRoleAssignments").values()
    ]
    return many(call, ASSIGNMENT_INSTANCE, found)


def request_eligibility(call: Call) -> Response:
    """``POST …/roleEligibilityScheduleRequests``."""
    _enter(call, REMOVE_ELIGIBILITY)
    return _remove(call, "directoryRoleEligibilities", "roleEligibilityScheduleRequests")


def request_assignment(call: Call) -> Response:
    """``POST …/roleAssignmentScheduleRequests``."""
    _enter(call, REMOVE_ASSIGNMENT_SCHEDULE)
    return _remove(call, "directoryRoleAssignments", "roleAssignmentScheduleRequests")


def _remove(call: Call, kind: str, entity_set: str) -> Response:
    body = call.body()
    if body.get("action") != "adminRemove":
        raise not_emulated("graph", call.request, f"the PIM action {body.get('action')!r}")
    members = ("principalId", "roleDefinitionId", "directoryScopeId")
    for name in members:
        if not isinstance(body.get(name), str):
            raise bad_request(f"A value is required for property '{name}'.", "InvalidRequest")
    collection = call.collection(kind)
    found = next((key for key, entry in collection.items() if all(entry.get(name, TENANT_SCOPE) == body[name] for name in members)), None)
    if found is None:
        raise GraphError(400, "RoleAssignmentDoesNotExist", "The Role assignment does not exist.")
    if kind == "directoryRoleAssignments":
        check_removal(call, collection[found])
    del collection[found]
    document = {
        "@odata.context": f"{call.root}/$metadata#roleManagement/directory/{entity_set}/$entity",
        "id": call.world.new_id(),
        # Which status a removal shows is unconfirmed.
        "status": call.switch("pim_remove_status", "Revoked"),
        "createdDateTime": call.time(),
        "completedDateTime": None,
        "approvalId": None,
        "customData": None,
        "action": "adminRemove",
        **{name: body[name] for name in members},
        "appScopeId": None,
        "isValidationOnly": False,
        "targetScheduleId": found,
        "justification": body.get("justification"),
        "scheduleInfo": None,
        "ticketInfo": {"ticketNumber": None, "ticketSystem": None},
    }
    return answer(201, document)
