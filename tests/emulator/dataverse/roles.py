# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security roles: copies in every business unit, their privileges, and who is given them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..store import Document
from .context import Context
from .errors import duplicate_row, fault
from .organization import Organization, empty_row
from .privileges import BASELINE, MASKS
from .security import Access, is_administrator_role, role_privileges, root_role
from .tables import TABLES

SUPPORT_USER = "2d101bb3-5ced-4122-83f1-94d5efde4e3b"
SYSTEM_CUSTOMIZER = "119f245c-3cc8-4b62-b31c-d1a046ced15d"
SYSTEM_ADMINISTRATOR = "627090ff-40a3-4053-8790-584edc5be201"
ACTIVE_SOLUTION = "fd140aae-4df4-11dd-bd17-0019b9312238"


def baseline(org: Organization) -> dict[str, str]:
    """List the privileges that every role holds, whatever is done to it."""
    found = (org.catalogue.named(name) for name in BASELINE)
    return {privilege.id: "Global" for privilege in found if privilege is not None}


def create_role(
    org: Organization,
    name: str,
    unit_id: str,
    privileges: Mapping[str, str],
    *,
    role_id: str | None = None,
    solution_id: str = ACTIVE_SOLUTION,
    managed: bool = False,
    customizable: bool = True,
    **columns: Any,
) -> Document:
    """Create a role in a business unit, and its copies in every unit below."""
    root_id = role_id or org.world.new_id()
    root = empty_row(
        "role",
        {
            "roleid": root_id,
            "roleidunique": org.world.new_id(),
            "name": name,
            "_businessunitid_value": unit_id,
            "_parentrootroleid_value": root_id,
            "organizationid": org.id,
            "solutionid": solution_id,
            "ismanaged": managed,
            "isinherited": 1,
            "isautoassigned": 0,
            "componentstate": 0,
            "overwritetime": "1900-01-01T00:00:00Z",
            "iscustomizable": {"Value": customizable, "CanBeChanged": True, "ManagedPropertyLogicalName": "iscustomizableanddeletable"},
            "canbedeleted": {"Value": True, "CanBeChanged": True, "ManagedPropertyLogicalName": "canbedeleted"},
            **columns,
        },
    )
    stored = org.put("role", {**root, "_privileges": {**privileges, **baseline(org)}})
    _copy_below(org, stored, unit_id)
    return stored


def _copy_below(org: Organization, parent: Document, unit_id: str) -> None:
    for unit in list(org.rows("businessunit")):
        if unit.get("_parentbusinessunitid_value") == unit_id:
            _copy_below(org, copy_into(org, parent, unit["businessunitid"]), unit["businessunitid"])


def copy_into(org: Organization, parent: Document, unit_id: str) -> Document:
    """Create one copy of a role in a child business unit."""
    copy = {name: value for name, value in parent.items() if name in TABLES["role"].columns}
    own = {"roleid": org.world.new_id(), "roleidunique": org.world.new_id(), "_businessunitid_value": unit_id, "_parentroleid_value": parent["roleid"]}
    return org.put("role", {**copy, **own})


def copies_of(org: Organization, root: Document) -> list[Document]:
    """List a root role and all its copies."""
    return [role for role in org.rows("role") if role["_parentrootroleid_value"] == root["roleid"]]


def delete_role_tree(org: Organization, root: Document) -> None:
    """Remove a role with its copies, from everybody who holds one."""
    for role in copies_of(org, root):
        for kind in ("systemuserroles", "teamroles"):
            links = org.tenant.collection(kind)
            for key in [key for key, link in links.items() if link["roleid"] == role["roleid"]]:
                del links[key]
        org.remove("role", role["roleid"])


def require_editable(context: Context, role: Document) -> None:
    """Refuse changes of copies, of the special roles, and of roles that may not be customized."""
    org = context.org
    context.access.require_on(TABLES["role"], "Write", role)
    if role["_parentrootroleid_value"] != role["roleid"]:
        raise fault(400, "0x80044152", "Inherited roles cannot be modified.")
    if is_administrator_role(org, role):
        raise fault(400, "0x80041d31", "The System Administrator Role cannot be modified.")
    if role.get("_roletemplateid_value") == SUPPORT_USER:
        raise fault(400, "0x80041d43", "The Support User Role cannot be modified.")
    if not role["iscustomizable"]["Value"]:
        # Not confirmed for roles: this is what other managed components answer.
        code = str(org.switch("not_customizable_code", "0x8004f026"))
        raise fault(
            int(org.switch("not_customizable_status", 403)),
            code,
            f"The evaluation of the current component(name=Role, id={role['roleid']}) in the current operation (Update) failed during managed property "
            "evaluation of condition: Managed Property Name: iscustomizableanddeletable; Component Name: Role; Attribute Name: iscustomizable;",
        )


def set_privileges(org: Organization, role: Document, privileges: Mapping[str, str]) -> None:
    """Store a root role's privileges; the baseline stays."""
    org.put("role", {**role, "_privileges": {**privileges, **baseline(org)}})


def role_privilege_items(org: Organization, role: Document) -> list[dict[str, Any]]:
    """Show a role's privileges as RetrieveRolePrivilegesRole does."""
    return [privilege_item(org, privilege_id, depth, role["_businessunitid_value"]) for privilege_id, depth in role_privileges(org, role).items()]


def privilege_item(org: Organization, privilege_id: str, depth: str, unit_id: str) -> dict[str, Any]:
    """Make one RolePrivilege."""
    known = org.catalogue.by_id.get(privilege_id)
    return {
        "Depth": depth,
        "PrivilegeId": privilege_id,
        "BusinessUnitId": unit_id,
        "PrivilegeName": known.name if known else None,
        "RecordFilterId": "00000000-0000-0000-0000-000000000000",
        "RecordFilterUniqueName": "",
    }


def assign(context: Context, kind: str, principal: Document, role: Document) -> None:
    """Give a role to a user (``systemuserroles``) or a team (``teamroles``)."""
    org, access = context.org, context.access
    table = TABLES["systemuser" if kind == "systemuserroles" else "team"]
    for name in ("prvReadRole", "prvAssignRole", f"prvRead{table.stem}"):
        access.require(name)
    _check_principal(org, kind, principal, role)
    _check_unit(org, kind, principal, role)
    _check_no_more_than_own(access, role)
    links = org.tenant.collection(kind)
    key = f"{principal[table.key]}:{role['roleid']}"
    if key in links:
        # Reports differ about a second assignment.
        if org.switch("second_assignment", "ok") == "duplicate":
            raise duplicate_row()
        return
    links[key] = {table.key: principal[table.key], "roleid": role["roleid"]}


def _check_principal(org: Organization, kind: str, principal: Document, role: Document) -> None:
    if kind == "systemuserroles":
        if principal.get("_special"):
            raise fault(400, "0x80041d33", "The special system user cannot be modified.")
        if principal["isdisabled"] and not org.switch("roles_of_disabled_users", default=False):
            message = "The specified user is either disabled or is not a member of any business unit."
            raise fault(int(org.switch("disabled_user_status", 400)), "0x80040225", message)
        if root_role(org, role).get("_roletemplateid_value") == SUPPORT_USER:
            raise fault(400, "0x80041d44", "The Support User Role cannot be assigned to a user.")
        return
    if principal.get("teamtype") == 1:
        raise fault(400, "0x80048331", "Cannot assign roles or profiles to an access team.")
    if principal.get("teamtype") in (2, 3) and root_role(org, role)["isinherited"] == 0:
        raise fault(400, "0x80048350", "A role with team privileges only cannot be assigned to a group team.")


def _check_unit(org: Organization, kind: str, principal: Document, role: Document) -> None:
    """Classic organisations: the role copy must be the one of the principal's own business unit."""
    unit, role_unit = principal["_businessunitid_value"], role["_businessunitid_value"]
    if unit == role_unit or org.tenant.features.get("modern_business_units"):
        return
    status = int(org.switch("unit_mismatch_status", 403))
    if kind == "systemuserroles":
        text = f"The user with id={principal['systemuserid']} belongs to a different business unit={unit} than the role with roleId={role['roleid']}"
        raise fault(status, "0x80041409", f"{text} and rolebusinessUnit={role_unit}.")
    text = f"The team with id={principal['teamid']} belongs to a different business unit={unit} than the role with roleId={role['roleid']}"
    raise fault(status, "0x8004140d", f"{text} and roleBusinessUnit={role_unit}.")


def _check_no_more_than_own(access: Access, role: Document) -> None:
    """Nobody can hand out more than they hold themselves."""
    org = access.org
    always = baseline(org)
    for privilege_id, depth in role_privileges(org, role).items():
        privilege = org.catalogue.by_id.get(privilege_id)
        if privilege is None or privilege_id in always:
            continue
        held = access.deepest(privilege)
        if held is None or MASKS[held] < MASKS[depth]:
            raise access.lacks(privilege)


def unassign(context: Context, kind: str, principal: Document, role: Document) -> None:
    """Take a role from a user or a team."""
    org, access = context.org, context.access
    table = TABLES["systemuser" if kind == "systemuserroles" else "team"]
    for name in ("prvReadRole", "prvAssignRole", f"prvRead{table.stem}"):
        access.require(name)
    links = org.tenant.collection(kind)
    key = f"{principal[table.key]}:{role['roleid']}"
    if key not in links:
        if org.switch("remove_unheld", "ok") == "not_found":
            raise fault(404, "0x80040217", f"The role with Id = {role['roleid']} is not associated with {table.logical} Id = {principal[table.key]}")
        return
    if kind == "systemuserroles" and is_administrator_role(org, role) and administrators(org) == {principal["systemuserid"]}:
        message = "A user cannot be removed from the System Administrator Role if they are the only user that has the role."
        raise fault(400, "0x80041d30", message)
    del links[key]


def administrators(org: Organization) -> set[str]:
    """List the enabled users who hold System Administrator themselves."""
    found: set[str] = set()
    for link in org.tenant.collection("systemuserroles").values():
        role, user = org.row("role", link["roleid"]), org.row("systemuser", link["systemuserid"])
        if role and user and is_administrator_role(org, role) and not user["isdisabled"] and not user.get("_special"):
            found.add(link["systemuserid"])
    return found


def same_name(org: Organization, name: str, unit_id: str, ignore: Iterable[str] = ()) -> Document | None:
    """Find a role of that name in a business unit."""
    skipped = set(ignore)
    matching = (role for role in org.rows("role") if role["name"].lower() == name.lower() and role["_businessunitid_value"] == unit_id)
    return next((role for role in matching if role["roleid"] not in skipped), None)


def name_taken(role: Document) -> Exception:
    """Refuse a second role of the same name."""
    text = f"A role with the specified name '{role['name']}' already exists on business unit {role['_businessunitid_value']}"
    return fault(400, "0x80041403", f"{text} and Solution Id {role['solutionid']}. Role id: {role['roleid']}")
