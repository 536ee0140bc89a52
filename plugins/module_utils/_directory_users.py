# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of the directory (Entra ID): find one, compare it with what is wanted, plan what makes it so.

A password can be written but never read, so it is part of a plan only where the caller says so.
How a plan's writes are brought through is in ``_directory_user_writes``.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ._directory_user_fields import FIELDS, Field
from ._directory_user_rules import default_mail_nickname, local_part
from ._errors import NotPossible
from ._graph import ADVANCED, Graph, needing
from ._licenses import LicenseChange, Product, names_of, shown_plans
from ._odata import Row, literal, query
from ._plan import Json, Plan, Write
from ._rows import listed, lower, needed, needed_id, text

PLANNED_ID = "00000000-0000-0000-0000-000000000000"
"""The id of a user that check mode only plans."""
NOT_SHOWN = "(not shown)"
_SELECT = (
    "id,userPrincipalName,displayName,givenName,surname,mailNickname,accountEnabled,usageLocation,passwordPolicies,"
    "jobTitle,department,companyName,officeLocation,mobilePhone,businessPhones,streetAddress,city,state,postalCode,country,preferredLanguage,otherMails,"
    "assignedLicenses,licenseAssignmentStates,userType,onPremisesSyncEnabled"
)


@dataclass(frozen=True)
class WantedUser:
    """What the options say."""

    user_principal_name: str
    values: Mapping[str, t.Any]
    """By option; what is not said is not in it."""
    password: str | None = field(default=None, repr=False)
    force_change_password: bool = False
    country_from: str = ""
    """Which value of the tenant the usage location is, if it is one: ``tenant_default`` or ``tenant_country``."""

    def with_defaults(self, **values: t.Any) -> WantedUser:
        """Fill in what was not said."""
        return replace(self, values={**{option: value for option, value in values.items() if value is not None}, **self.values})

    def with_country(self, tenant: TenantDefaults) -> WantedUser:
        """The tenant's country, unless another one is said."""
        if "usage_location" in self.values or tenant.country is None:
            return self
        return replace(self.with_defaults(usage_location=tenant.country), country_from=tenant.country_from)

    def for_creation(self, tenant: TenantDefaults) -> WantedUser:
        """A new user needs some names, and a country before any licence."""
        names = self.with_defaults(display_name=local_part(self.user_principal_name), mail_nickname=default_mail_nickname(self.user_principal_name))
        return names.with_country(tenant)

    def password_profile(self) -> Json:
        """The password as Graph takes it. Left out, the second member would mean a change at the first sign-in."""
        return {"password": self.password, "forceChangePasswordNextSignIn": self.force_change_password}


@dataclass(frozen=True)
class TenantDefaults:
    """What the tenant says about new users."""

    country: str | None
    domains: Mapping[str, bool]
    """Verified domains, and whether they are federated."""
    country_from: str = ""
    """``tenant_default`` or ``tenant_country``."""


def read_user(graph: Graph, reference: str) -> Row | None:
    """A user with everything that is compared, by id or user principal name."""
    with needing("User.Read.All (User.ReadWrite.All to change users)", "reading a user"):
        row = graph.user(reference, _SELECT, doing=f"look for the user {reference} in the directory")
    return None if row is None else _complete(row)


def _complete(row: Row) -> Row:
    """The same row, which has at least what everything here stands on."""
    return {**row, "id": needed(row, "id"), "userPrincipalName": needed(row, "userPrincipalName")}


def read_deleted_user(graph: Graph, user_principal_name: str) -> Row | None:
    """The one that was deleted last among the soft-deleted users who had this name."""
    found = read_deleted_users(graph, user_principal_name, purpose="looking for a deleted user (deleted_user=ignore goes without it)")
    return max(found, key=lambda row: str(row.get("deletedDateTime") or ""), default=None)


def read_deleted_users(graph: Graph, user_principal_name: str, *, purpose: str) -> list[Row]:
    """All soft-deleted users who had this name, which is theirs again in these rows."""
    # A deleted user's name has its id without hyphens in front, so that the name is free again
    condition = f"endsWith(userPrincipalName,{literal(user_principal_name)})"
    path = "directory/deletedItems/microsoft.graph.user" + query(select=f"{_SELECT},deletedDateTime", filter=condition, count="true")
    with needing("User.Read.All", purpose):
        rows = list(graph.rows(path, doing=f"look for a deleted user {user_principal_name}", headers=ADVANCED))
    mine = [row for row in rows if lower(row, "userPrincipalName") == (needed(row, "id").replace("-", "") + user_principal_name).lower()]
    return [{**row, "userPrincipalName": user_principal_name} for row in mine]


def read_tenant_defaults(graph: Graph) -> TenantDefaults:
    """The tenant's country and domains."""
    with needing("Organization.Read.All (or User.Read.All)", "creating a user"):
        path = "organization" + query(select="id,countryLetterCode,defaultUsageLocation,verifiedDomains")
        row = next(graph.rows(path, doing="read the tenant's country and domains"), {})
    domains = {needed_id(entry, "name"): text(entry, "type") == "Federated" for entry in listed(row, "verifiedDomains")}
    default, letters = text(row, "defaultUsageLocation"), text(row, "countryLetterCode")
    return TenantDefaults(default or letters, domains, "tenant_default" if default else "tenant_country")


def check_domain(user_principal_name: str, tenant: TenantDefaults) -> None:
    """A new user's domain must be verified, and its passwords must be kept by Entra ID."""
    domain = user_principal_name.rpartition("@")[2].lower()
    doing = f"create the user {user_principal_name}"
    if domain not in tenant.domains:
        raise NotPossible(
            doing=doing, why=f"{domain} is not a verified domain of this tenant.", next_step=f"Use one of {', '.join(sorted(tenant.domains)) or 'none'}."
        )
    if tenant.domains[domain]:
        usable = [name for name, federated in sorted(tenant.domains.items()) if not federated]
        raise NotPossible(
            doing=doing,
            why=f"the domain {domain} is federated: its users and passwords come from elsewhere.",
            next_step=f"Use a domain whose passwords Entra ID keeps: {', '.join(usable) or 'the tenant has none'}.",
        )


def check_manageable(user: Row) -> None:
    """Guests and synchronised users have their home elsewhere."""
    name = needed(user, "userPrincipalName")
    if user.get("userType") == "Guest" or "#EXT#" in name.upper():
        raise NotPossible(
            doing=f"manage the user {name}", why="it is a guest, whose home is another tenant.", next_step="Use an account that belongs to this tenant."
        )
    if user.get("onPremisesSyncEnabled"):
        raise NotPossible(
            doing=f"manage the user {name}",
            why="it is synchronised from an on-premises directory, and changes there would be overwritten.",
            next_step="Change it there, or use an account that exists in the cloud only.",
        )


def differences(user: Row, wanted: WantedUser) -> tuple[Field, ...]:
    """The fields whose value is not the wanted one."""
    return tuple(entry for entry in FIELDS if entry.option in wanted.values and entry.read(user.get(entry.property)) != wanted.values[entry.option])


def plan_creation(wanted: WantedUser, licenses: LicenseChange, products: tuple[Product, ...]) -> Plan:
    """One request for the user with everything, one for all licences."""
    name = wanted.user_principal_name
    body = {"userPrincipalName": name, **_properties({}, wanted, FIELDS), "passwordProfile": wanted.password_profile()}
    create = Write("graph", "POST", "users", f"create the user {name}", body=body, yields="user_id", repeatable=False)
    after = {
        "state": "present",
        "user_principal_name": name,
        **{entry.option: wanted.values[entry.option] for entry in FIELDS if entry.option in wanted.values},
        "password": NOT_SHOWN,
        **({"licenses": names_of(licenses.add, products)} if licenses else {}),
        **({"disabled_plans": shown_plans(licenses.plans, products)} if licenses.plans else {}),
    }
    return Plan({"state": "absent"}, after, (create, *_license_writes("{user_id}", name, licenses, products)))


def plan_update(
    user: Row,
    wanted: WantedUser,
    licenses: LicenseChange,
    products: tuple[Product, ...],
    held: tuple[str, ...] = (),
    disabled: Mapping[str, frozenset[str]] | None = None,
) -> Plan:
    """One request for all that differs, one for all licences; a password in ``wanted`` is set.

    ``held`` are the SKU ids before, ``disabled`` the service plans that were off.
    """
    name = user["userPrincipalName"]
    different = differences(user, wanted)
    body = _properties(user, wanted, different)
    before: Json = {entry.option: entry.read(user.get(entry.property)) for entry in different}
    after: Json = {entry.option: wanted.values[entry.option] for entry in different}
    if wanted.password is not None:
        body["passwordProfile"] = wanted.password_profile()
        after["password"] = NOT_SHOWN
    writes: tuple[Write, ...] = ()
    if body:
        words = ", ".join(option.replace("_", " ") for option in after)
        writes = (Write("graph", "PATCH", f"users/{user['id']}", f"change the user {name} ({words})", body=body),)
    if licenses.add or licenses.remove:
        before["licenses"] = names_of(held, products)
        after["licenses"] = names_of(({*held} | {*licenses.add}) - {*licenses.remove}, products)
    if licenses.plans:
        before["disabled_plans"] = shown_plans({sku_id: plans for sku_id, plans in (disabled or {}).items() if sku_id in licenses.plans}, products)
        after["disabled_plans"] = shown_plans(licenses.plans, products)
    return Plan(before, after, (*writes, *_license_writes(user["id"], name, licenses, products)))


def plan_restoration(user: Row) -> Plan:
    """Bring a soft-deleted user back, as it was."""
    write = Write("graph", "POST", f"directory/deletedItems/{user['id']}/restore", f"restore the deleted user {user['userPrincipalName']}", body={})
    return Plan({"state": "deleted"}, {"state": "present"}, (write,))


def plan_deletion(user: Row | None, purged: Iterable[Row] | None = None) -> Plan:
    """Into the recycle bin, where the directory keeps the user for 30 days; with ``purged`` out of it again, and earlier ones of the name as well."""
    gone = [] if purged is None else list(purged)
    before: Json = {"state": "deleted" if user is None else "present"}
    writes: list[Write] = []
    if user is not None:
        name = user["userPrincipalName"]
        before.update(user_principal_name=name, id=user["id"])
        writes.append(Write("graph", "DELETE", f"users/{user['id']}", f"delete the user {name}"))
    if gone:
        before["restorable"] = sorted(row["id"] for row in gone)
    if user is not None and purged is not None:
        gone.append(user)
    writes += [
        Write("graph", "DELETE", f"directory/deletedItems/{row['id']}", f"delete the user {row['userPrincipalName']} for good ({row['id']})") for row in gone
    ]
    after: Json = {"state": "absent", **({} if purged is None else {"restorable": []})}
    return Plan(before, after, tuple(writes)) if writes else Plan({}, {})


def foreseen(user: Row, wanted: WantedUser) -> Row:
    """The user's row after the plan; the licences are not in it."""
    return {"id": PLANNED_ID, "userPrincipalName": wanted.user_principal_name, **user, **_properties(user, wanted, differences(user, wanted))}


def _properties(user: Row, wanted: WantedUser, fields: tuple[Field, ...]) -> Json:
    return {
        entry.property: entry.write(wanted.values[entry.option], user.get(entry.property)) for entry in fields if wanted.values.get(entry.option) is not None
    }


def _license_writes(user_id: str, name: str, licenses: LicenseChange, products: tuple[Product, ...]) -> tuple[Write, ...]:
    """One call for all, because it is carried out as a whole and close calls for one user collide."""
    if not licenses:
        return ()
    parts = [
        f"{verb} {', '.join(names_of(ids, products))} {preposition} {name}"
        for verb, ids, preposition in (
            ("assign", licenses.add, "to"),
            ("change the service plans of", licenses.replanned, "for"),
            ("take", licenses.remove, "from"),
        )
        if ids
    ]
    return (Write("graph", "POST", f"users/{user_id}/assignLicense", " and ".join(parts), body=licenses.body()),)
