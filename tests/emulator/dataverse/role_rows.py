# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client may do to rows of the ``roles`` table, and the actions that are bound to a role."""

from __future__ import annotations

from typing import Any

from ..store import Document
from ..wire import ServiceError
from .context import Context
from .errors import bad_payload, fault
from .organization import Organization
from .privileges import DEPTHS
from .roles import (
    SUPPORT_USER,
    SYSTEM_ADMINISTRATOR,
    SYSTEM_CUSTOMIZER,
    copies_of,
    create_role,
    delete_role_tree,
    name_taken,
    require_editable,
    same_name,
    set_privileges,
)
from .tables import TABLES


def create(context: Context, values: Document) -> Document:
    """Create a role from what a client posted."""
    org = context.org
    context.access.require("prvCreateRole")
    name, unit_id = values.get("name"), values.get("_businessunitid_value")
    if not name:
        raise fault(400, "0x80041407", "The role name was unexpectedly missing.")
    if unit_id is None:
        raise fault(400, "0x80041406", "The role's business unit ID was unexpectedly missing.")
    taken = same_name(org, name, unit_id)
    if taken is not None:
        raise name_taken(taken)
    given = {key: values[key] for key in ("description", "isinherited") if key in values}
    return create_role(org, name, unit_id, {}, role_id=values.get("roleid"), **given)


def update(context: Context, role: Document, values: Document) -> Document:
    """Change a role; its copies follow."""
    org = context.org
    require_editable(context, role)
    changes: Document = {key: values[key] for key in ("name", "description", "isinherited") if key in values}
    if "isinherited" in changes and org.switch("inheritance_fixed", default=False):
        # Whether the service lets this be changed was never recorded.
        raise fault(400, "0x80040203", "The property isinherited of a role cannot be updated.")
    if "isinherited" in changes and changes["isinherited"] not in (0, 1):
        raise fault(400, "0x80041400", "The role data is invalid.")
    copies = copies_of(org, role)
    taken = same_name(org, str(changes.get("name", role["name"])), role["_businessunitid_value"], (copy["roleid"] for copy in copies))
    if taken is not None:
        raise name_taken(taken)
    for copy in copies:
        org.put("role", {**copy, **changes})
    return org.put("role", {**role, **changes})


def delete(context: Context, role: Document) -> None:
    """Delete a role with its copies."""
    context.access.require_on(TABLES["role"], "Delete", role)
    if role["_parentrootroleid_value"] != role["roleid"]:
        raise fault(400, "0x8004140c", "Cannot delete a role that is inherited from a parent business.")
    special = {
        SYSTEM_ADMINISTRATOR: ("0x80041d2e", "The System Administrator Role cannot be deleted."),
        SYSTEM_CUSTOMIZER: ("0x80041d4a", "The System Customizer Role cannot be deleted."),
        SUPPORT_USER: ("0x80041d42", "The Support User Role cannot be deleted."),
    }
    if role.get("_roletemplateid_value") in special:
        raise fault(400, *special[role["_roletemplateid_value"]])
    if role["ismanaged"]:
        # Only the uninstallation of its solution removes a managed component.
        text = f"The 'Delete' operation on the current component(name='Role', id='{role['roleid']}') failed during managed property evaluation of condition:"
        raise fault(400, "0x8004f032", f"{text} 'Managed Property Name: iscustomizableanddeletable; Component Name: Role; Attribute Name: iscustomizable;'")
    delete_role_tree(context.org, role)


def add_privileges(context: Context, role: Document, body: dict[str, Any]) -> None:
    """AddPrivilegesRole: hold these privileges at these depths, whatever the depth was before."""
    require_editable(context, role)
    set_privileges(context.org, role, {**role["_privileges"], **_privileges(context.org, body, "AddPrivilegesRole")})


def replace_privileges(context: Context, role: Document, body: dict[str, Any]) -> None:
    """ReplacePrivilegesRole: hold exactly these privileges, and the baseline."""
    require_editable(context, role)
    set_privileges(context.org, role, _privileges(context.org, body, "ReplacePrivilegesRole"))


def remove_privilege(context: Context, role: Document, body: dict[str, Any]) -> None:
    """RemovePrivilegeRole: hold one privilege no longer."""
    require_editable(context, role)
    org = context.org
    # Public scripts send PrivilegeId; whether the service takes it, or even nothing else, is not confirmed.
    by_id = org.switch("remove_privilege_by_id", default=False)
    if by_id == "only":
        _only(body, "RemovePrivilegeRole", "PrivilegeId")
    if "PrivilegeId" in body and by_id:
        privilege_id = body["PrivilegeId"]
    else:
        _only(body, "RemovePrivilegeRole", "Privilege")
        reference = body.get("Privilege")
        privilege_id = reference.get("privilegeid") if isinstance(reference, dict) else None
    if not isinstance(privilege_id, str):
        raise fault(400, "0x80041408", "The privilege ID was unexpectedly missing.")
    if privilege_id.lower() not in org.catalogue.by_id:
        raise _no_such_privilege(privilege_id)
    set_privileges(org, role, {held: depth for held, depth in role["_privileges"].items() if held != privilege_id.lower()})


def _privileges(org: Organization, body: dict[str, Any], operation: str) -> dict[str, str]:
    _only(body, operation, "Privileges")
    items = body.get("Privileges")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise bad_payload(operation, "The parameter 'Privileges' must be a collection of Microsoft.Dynamics.CRM.RolePrivilege.")
    wanted: dict[str, str] = {}
    for item in items:
        _only(item, operation, "PrivilegeId", "Depth", "BusinessUnitId", "PrivilegeName", "RecordFilterId", "RecordFilterUniqueName")
        if not isinstance(item.get("PrivilegeId"), str):
            raise fault(400, "0x80041408", "The privilege ID was unexpectedly missing.")
        privilege = org.catalogue.by_id.get(item["PrivilegeId"].lower())
        if privilege is None:
            raise _no_such_privilege(item["PrivilegeId"])
        depth = _depth(item.get("Depth"), operation)
        if depth not in privilege.depths:
            raise fault(int(org.switch("depth_status", 400)), "0x8004140b", "Invalid privilege depth.")
        wanted[privilege.id] = depth
    return wanted


def _only(body: dict[str, Any], operation: str, *names: str) -> None:
    for name in body:
        if name not in names and not name.startswith("@"):
            raise bad_payload(operation, f"The parameter '{name}' in the request payload is not a valid parameter for the operation '{operation}'.")


def _depth(value: Any, operation: str) -> str:
    """Read a depth: its name, or its number as text."""
    if value in DEPTHS:
        return str(value)
    if isinstance(value, str) and value in ("0", "1", "2", "3"):
        return DEPTHS[int(value)]
    raise bad_payload(operation, f"Cannot convert the literal '{value}' to the expected type 'Microsoft.Dynamics.CRM.PrivilegeDepth'.")


def _no_such_privilege(privilege_id: str) -> ServiceError:
    return fault(400, "0x80048058", f"Invalid privilege: {privilege_id}")
