# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""System users: how people come into an organisation from the directory, and drop out of it."""

from __future__ import annotations

from typing import Any

from ..store import Document
from ..world import Tenant, World
from .organization import Organization, empty_row

_PLAN_PREFIXES = ("CRM", "DYN365_ENTERPRISE", "DYN365_SALES", "DYN365_CDS", "D365_SALES", "D365_", "POWERAPPS", "FORMS_PRO")
_NOT_FOR_USERS = ("STORAGE", "INSTANCE")


class DirectoryProblem(Exception):
    """Why a person cannot be in the organisation."""


class NotFound(DirectoryProblem):
    """The directory has no such user."""


class NotEnabled(DirectoryProblem):
    """The directory's user is blocked."""


class NotLicensed(DirectoryProblem):
    """No licence with a Dataverse service plan has arrived yet."""


class NotInSecurityGroup(DirectoryProblem):
    """The environment's security group does not contain the user."""


def check_person(org: Organization, object_id: str) -> Document:
    """Find the directory's user and make sure that they may be in the organisation."""
    person = org.tenant.collection("users").get(object_id)
    if person is None:
        raise NotFound(object_id)
    if not person.get("accountEnabled", True):
        raise NotEnabled(object_id)
    if not is_licensed(org, person):
        raise NotLicensed(object_id)
    group_id = org.tenant.document.get("security_group_id")
    if group_id and object_id not in org.tenant.collection("groups").get(group_id, {}).get("_members", ()):
        raise NotInSecurityGroup(object_id)
    return person


def is_licensed(org: Organization, person: Document) -> bool:
    """Whether a licence with a Dataverse plan has had the time to take effect."""
    since = float(person.get("_licensed_at") or 0)
    if since and org.world.now() < since + _seconds(org, "license_propagation"):
        return False
    licenses = list(person.get("assignedLicenses") or ())
    for group in org.tenant.collection("groups").values():
        if person["id"] in group.get("_members", ()):
            licenses += group.get("_licenses", ())
    return any(_opens_dataverse(org.tenant, item) for item in licenses)


def _opens_dataverse(tenant: Tenant, license_: Document) -> bool:
    sku = tenant.collection("subscribedSkus").get(license_["skuId"], {})
    disabled = license_.get("disabledPlans") or ()
    names = (plan["servicePlanName"] for plan in sku.get("servicePlans", ()) if plan["servicePlanId"] not in disabled and plan.get("appliesTo") != "Company")
    return any(name.startswith(_PLAN_PREFIXES) and not name.endswith(_NOT_FOR_USERS) for name in names)


def _seconds(org: Organization, name: str) -> float:
    return float(org.tenant.timing.get(name, 0))


def user_of_person(org: Organization, object_id: str) -> Document | None:
    """Find the system user of a person or application, visible or not."""
    return next((row for row in org.rows("systemuser") if row.get("azureactivedirectoryobjectid") == object_id and not row.get("deletedstate")), None)


def add_person(org: Organization, person: Document, *, visible_from: float = 0.0, **columns: Any) -> Document:
    """Create the system user of a person."""
    given, surname = person.get("givenName"), person.get("surname")
    first, last = (given, surname) if given and surname else ("#", person["displayName"])
    upn = person["userPrincipalName"]
    return org.put(
        "systemuser",
        user_row(
            org,
            firstname=first,
            lastname=last,
            domainname=upn,
            windowsliveid=upn,
            internalemailaddress=person.get("mail") or upn,
            azureactivedirectoryobjectid=person["id"],
            title=person.get("jobTitle"),
            _visible_from=visible_from,
            **{"islicensed": is_licensed(org, person), **columns},
        ),
    )


def user_row(org: Organization, **columns: Any) -> Document:
    """Make a system user's row with what the service fills in."""
    user_id = columns.pop("systemuserid", None) or org.world.new_id()
    first, last = columns.get("firstname"), columns.get("lastname")
    full_name = " ".join(part for part in (first, last) if part)
    fixed: Document = {
        "systemuserid": user_id,
        "ownerid": user_id,
        "fullname": full_name,
        "yomifullname": full_name,
        "organizationid": org.id,
        "_businessunitid_value": org.root_unit["businessunitid"],
        "_queueid_value": org.world.new_id(),
        "_defaultmailbox_value": org.world.new_id(),
        "_calendarid_value": org.world.new_id(),
        "isdisabled": False,
        "accessmode": 0,
        "caltype": 7,
        "userlicensetype": 38,
        "islicensed": True,
        "issyncwithdirectory": True,
        "setupuser": False,
        "isintegrationuser": False,
        "invitestatuscode": 0,
        "azurestate": 0,
        "deletedstate": 0,
        "incomingemaildeliverymethod": 2,
        "outgoingemaildeliverymethod": 2,
        "emailrouteraccessapproval": 2,
        "isemailaddressapprovedbyo365admin": False,
        "displayinserviceviews": False,
        "defaultfilterspopulated": False,
        "defaultodbfoldername": "Dynamics365",
        "preferredaddresscode": 1,
        "preferredemailcode": 1,
        "preferredphonecode": 1,
        "address1_addresstypecode": 1,
        "address1_shippingmethodcode": 1,
        "address2_addresstypecode": 1,
        "address2_shippingmethodcode": 1,
    }
    return empty_row("systemuser", {**fixed, **columns})


def add_application(org: Organization, principal: Document, **columns: Any) -> Document:
    """Create the application user of a service principal."""
    values: Document = {
        "firstname": "#",
        "lastname": principal["displayName"],
        "applicationid": principal["appId"],
        "azureactivedirectoryobjectid": principal["id"],
        "applicationiduri": None,
        "internalemailaddress": f"{principal['appId']}@{org.tenant.domain}",
        "domainname": f"{principal['appId']}@{org.tenant.domain}",
        "windowsliveid": f"{principal['appId']}@{org.tenant.domain}",
        "accessmode": 4,
        "islicensed": False,
        "issyncwithdirectory": False,
        "userlicensetype": -1,
    }
    return org.put("systemuser", user_row(org, **{**values, **columns}))


def force_sync(world: World, tenant: Tenant, object_id: str) -> None:
    """Bring a person in on demand, as ``addUser`` of the admin API does; raises a ``DirectoryProblem``."""
    org = Organization(world, tenant)
    person = check_person(org, object_id)
    visible_from = world.now() + _seconds(org, "forced_sync")
    row = user_of_person(org, object_id)
    if row is None:
        add_person(org, person, visible_from=visible_from)
    elif row["isdisabled"]:
        org.put("systemuser", {**row, "isdisabled": False, "islicensed": True, "disabledreason": None, "_barred_since": None, "_back_since": None})


def person_for(org: Organization, object_id: str) -> Document | None:
    """Find the system user of a directory user, and create it at once where it is absent (role assignment through the alternate key)."""
    row = user_of_person(org, object_id)
    if row is not None:
        if row.get("_visible_from", 0) > org.world.now():
            row = org.put("systemuser", {**row, "_visible_from": 0.0})
        return row
    person = org.tenant.collection("users").get(object_id)
    return None if person is None or not person.get("accountEnabled", True) else add_person(org, person)


def enter(org: Organization, object_id: str) -> Document | None:
    """Find the system user of who calls; members of the environment's security group are created on their first call."""
    row = user_of_person(org, object_id)
    if row is None and org.tenant.document.get("security_group_id") and org.switch("first_access_creates_user", default=True):
        try:
            row = add_person(org, check_person(org, object_id))
        except DirectoryProblem:
            return None
    return None if row is None or row.get("_visible_from", 0) > org.world.now() else row


def advance_users(org: Organization) -> None:
    """Do what the background synchronisation has done by now."""
    now, delay = org.world.now(), _seconds(org, "natural_sync")
    known = (row for row in org.rows("systemuser") if not row.get("deletedstate"))
    rows = {row["azureactivedirectoryobjectid"]: row for row in known if row.get("azureactivedirectoryobjectid")}
    for person in list(org.tenant.collection("users").values()):
        row = rows.get(person["id"])
        if row is None:
            since = float(person.get("_licensed_at") or 0)
            # A group limits who is created ahead: its members come in on their first call.
            if (not since or now >= since + delay) and not org.tenant.document.get("security_group_id") and _may_enter(org, person["id"]):
                add_person(org, person)
        else:
            _follow(org, row, allowed=_may_enter(org, person["id"]), delay=delay)
    for object_id, row in rows.items():
        if row.get("applicationid") is None and object_id not in org.tenant.collection("users"):
            _follow(org, row, allowed=False, delay=delay)


def _may_enter(org: Organization, object_id: str) -> bool:
    try:
        check_person(org, object_id)
    except DirectoryProblem:
        return False
    return True


def _follow(org: Organization, row: Document, *, allowed: bool, delay: float) -> None:
    """Disable who may no longer be here, and enable who may again, each after the delay."""
    now = org.world.now()
    if row.get("_admin") or row.get("_special"):
        return
    if not allowed and not row["isdisabled"]:
        since = row.get("_barred_since")
        if since is None:
            org.tenant.collection("systemusers").change(row["systemuserid"], _barred_since=now)
            since = now
        if now >= since + delay:
            reason = "The user may no longer enter the environment."
            org.put("systemuser", {**row, "isdisabled": True, "islicensed": False, "disabledreason": reason, "_barred_since": since, "_back_since": None})
    elif allowed and row["isdisabled"] and row.get("_barred_since") is not None:
        since = row.get("_back_since")
        if since is None:
            org.tenant.collection("systemusers").change(row["systemuserid"], _back_since=now)
            since = now
        if now >= since + delay:
            org.put("systemuser", {**row, "isdisabled": False, "islicensed": True, "disabledreason": None, "_barred_since": None})
    elif allowed and not row["isdisabled"] and (row.get("_barred_since") is not None or not row["islicensed"]):
        org.put("systemuser", {**row, "islicensed": True, "_barred_since": None, "_back_since": None})
