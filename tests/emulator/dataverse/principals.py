# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client may do to rows of ``systemusers``, ``teams`` and ``businessunits``."""

from __future__ import annotations

from ..store import Document
from .context import Context
from .errors import duplicate_row, fault
from .organization import Organization, empty_row
from .roles import administrators, copy_into
from .tables import TABLES
from .users import add_application

_USER_CHANGES = (
    "isdisabled accessmode firstname lastname middlename internalemailaddress title jobtitle mobilephone homephone address1_telephone1 "
    "address1_city address1_country preferredaddresscode _businessunitid_value _parentsystemuserid_value"
).split()


def create_user(context: Context, values: Document) -> Document:
    """Create an application user; people come from the directory."""
    org = context.org
    context.access.require("prvCreateUser")
    application_id = values.get("applicationid")
    if application_id is None:
        raise context.not_emulated("POST systemusers without applicationid")
    if values.get("_businessunitid_value") is None:
        raise fault(400, "0x800404a7", "The businessunitid is missing or invalid.")
    if any(row.get("applicationid") == application_id for row in org.rows("systemuser")):
        raise duplicate_row()
    principals = org.tenant.collection("servicePrincipals").values()
    principal = next((item for item in principals if item["appId"] == application_id), None)
    if principal is None:
        message = "The application is not registered with this deployment: no service principal was found in the tenant."
        raise fault(400, "0x80041d49", message)
    given = {name: values[name] for name in ("_businessunitid_value", "isdisabled", "systemuserid", "firstname", "lastname") if values.get(name) is not None}
    return add_application(org, principal, **given)


def update_user(context: Context, user: Document, values: Document) -> Document:
    """Change a system user."""
    org = context.org
    context.access.require_on(TABLES["systemuser"], "Write", user)
    if user.get("_special"):
        raise fault(400, "0x80041d33", "The special system user cannot be modified.")
    if values.get("azureactivedirectoryobjectid", user["azureactivedirectoryobjectid"]) != user["azureactivedirectoryobjectid"]:
        raise fault(400, "0x80041d4f", "The object id of a user cannot be changed.")
    changes = {name: values[name] for name in _USER_CHANGES if name in values}
    _check_disabling(context, user, values, changes)
    if user.get("applicationid") and changes.get("accessmode", 4) != 4:
        raise fault(400, "0x80040d40", "The access mode of an application user cannot be changed.")
    moved = changes.get("_businessunitid_value", user["_businessunitid_value"]) != user["_businessunitid_value"]
    if moved and not org.switch("keep_roles_on_unit_change", default=False):
        _drop_roles(org, user)
    merged = {**user, **changes}
    merged["fullname"] = " ".join(part for part in (merged["firstname"], merged["lastname"]) if part)
    return org.put("systemuser", merged)


def _check_disabling(context: Context, user: Document, values: Document, changes: Document) -> None:
    disabled = changes.get("isdisabled")
    if disabled is None or disabled == user["isdisabled"]:
        return
    context.access.require("prvDisableUser")
    if user.get("deletedstate"):
        raise fault(400, "0x80048357", "A deleted user cannot be enabled.")
    if user.get("applicationid") and values.get("applicationid") != user["applicationid"]:
        raise fault(400, "0x80041d48", "The application user cannot be updated without its application id.")
    if disabled and administrators(context.org) == {user["systemuserid"]}:
        raise fault(400, "0x80041d2f", "A user cannot be disabled if they are the only user that has the System Administrator Role.")
    if not disabled and not user.get("applicationid") and not user["islicensed"]:
        raise fault(400, "0x8004d24c", "Cannot enable an unlicensed user")


def _drop_roles(org: Organization, user: Document) -> None:
    links = org.tenant.collection("systemuserroles")
    for key in [key for key, link in links.items() if link["systemuserid"] == user["systemuserid"]]:
        del links[key]


def delete_user(context: Context, user: Document) -> None:
    """Delete a disabled user: first only marked as deleted, then gone."""
    org = context.org
    context.access.require("prvDisableUser")
    if user.get("_special"):
        raise fault(400, "0x80048358", "The SYSTEM user cannot be deleted.")
    if not user["isdisabled"]:
        raise fault(400, "0x80048356", "Only a disabled user can be deleted.")
    _drop_roles(org, user)
    if user["deletedstate"]:
        org.remove("systemuser", user["systemuserid"])
    else:
        org.put("systemuser", {**user, "deletedstate": 1})


def create_team(context: Context, values: Document) -> Document:
    """Create a team: an owner team, or the team of an Entra group."""
    org = context.org
    context.access.require("prvCreateTeam")
    if not values.get("name"):
        raise fault(400, "0x80040203", "The name of a team is missing.")
    if any(
        row.get("azureactivedirectoryobjectid") == values.get("azureactivedirectoryobjectid") and row["membershiptype"] == values.get("membershiptype", 0)
        for row in org.rows("team")
        if values.get("azureactivedirectoryobjectid")
    ):
        raise duplicate_row()
    team_id = values.get("teamid") or org.world.new_id()
    fixed = {
        "teamid": team_id,
        "ownerid": team_id,
        "organizationid": org.id,
        "teamtype": 0,
        "membershiptype": 0,
        "isdefault": False,
        "systemmanaged": False,
        "_businessunitid_value": context.access.user["_businessunitid_value"],
        "_administratorid_value": context.access.user_id,
        "_createdby_value": context.access.user_id,
        "_modifiedby_value": context.access.user_id,
    }
    return org.put("team", {**empty_row("team", {**fixed, **values}), "_members": []})


def create_unit(context: Context, values: Document) -> Document:
    """Create a child business unit; every role of its parent gets a copy there."""
    org = context.org
    context.access.require("prvCreateBusinessUnit")
    if not values.get("name"):
        raise fault(400, "0x80040203", "The name of a business unit is missing.")
    parent = values.get("_parentbusinessunitid_value") or org.root_unit["businessunitid"]
    return add_unit(org, values["name"], parent, businessunitid=values.get("businessunitid"))


def add_unit(org: Organization, name: str, parent: str, businessunitid: str | None = None) -> Document:
    """Put a child business unit in place, with its default team and its copies of the roles."""
    unit_id = businessunitid or org.world.new_id()
    fixed = {"businessunitid": unit_id, "name": name, "_parentbusinessunitid_value": parent, "_organizationid_value": org.id, "isdisabled": False}
    unit = org.put("businessunit", empty_row("businessunit", {**fixed, "inheritancemask": 1023, "workflowsuspended": False}))
    add_default_team(org, unit)
    for role in [role for role in org.rows("role") if role["_businessunitid_value"] == parent]:
        copy_into(org, role, unit_id)
    return unit


def add_default_team(org: Organization, unit: Document) -> None:
    """Put the team of a business unit in place."""
    team_id = org.world.new_id()
    fixed = {"teamid": team_id, "ownerid": team_id, "organizationid": org.id, "name": unit["name"], "teamtype": 0, "membershiptype": 0, "isdefault": True}
    row = {**fixed, "systemmanaged": False, "_businessunitid_value": unit["businessunitid"]}
    org.put("team", {**empty_row("team", row), "_members": []})
