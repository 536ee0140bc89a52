# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tenants of different kinds: what each has, lacks, or does badly at the start."""

from __future__ import annotations

from . import dataverse
from .dataverse.organization import Organization
from .dataverse.roles import set_privileges
from .dataverse.users import add_person
from .keys import KeyRing
from .package import ROLE_NAME
from .store import Document
from .tenant_documents import SKUS, derived_id, derived_secret, override, tenant_document, write_directory, write_user
from .tenants_file import Spec
from .world import Tenant, World

# What the tenant document of each kind has otherwise than a fresh one.
_CHANGES: dict[str, Spec] = {
    "org_8_2": {"org_version": "8.2.2.112"},
    "org_older": {"org_version": "8.1.0.512"},
    "role_not_customizable": {"behaviour": {"lead_role_customizable": False}},
    "no_rights": {"app_roles": ["Basic User"]},
    "throttled": {
        "timing": {"latency": 0.1},
        "faults": [
            {"kind": "throttle", "service": "graph", "count": 3},
            {"kind": "throttle", "service": "dataverse", "count": 3},
            {"kind": "unavailable", "service": "dataverse", "method": "GET", "count": 2},
            {"kind": "throttle", "probability": 0.03},
            {"kind": "unavailable", "method": "GET", "probability": 0.03},
        ],
    },
}

# What the published instruction adds to the solution's role.
_EXTRA_PRIVILEGES = {
    "prvCreateUserEntityUISettings": "Basic",
    "prvReadUserEntityUISettings": "Basic",
    "prvWriteUserEntityUISettings": "Basic",
    "prvReadAsyncOperation": "Global",
    "prvWriteAsyncOperation": "Global",
    "prvAppendToAsyncOperation": "Global",
}


def create(world: World, keys: KeyRing, spec: Spec) -> Tenant:
    """Add a tenant with everything that its kind begins with."""
    kind = spec.get("kind", "fresh")
    document = tenant_document(spec)
    document = override(override(document, _CHANGES.get(kind, {})), {key: value for key, value in spec.items() if key not in ("name", "kind")})
    if kind == "wrong_tenant_id":
        document["announced_tenant_id"] = derived_id(spec["name"], "mistyped tenant")
    world.tenant_documents[document["tenant_id"]] = document
    tenant = Tenant(world, document["tenant_id"])
    write_directory(tenant, keys)
    dataverse.seed_organization(world, tenant)
    if kind in _STATES:
        _STATES[kind](world, tenant)
    return tenant


def _service_user(tenant: Tenant, sku_name: str = "") -> Document:
    upn = tenant.document["service_account"]
    return write_user(tenant, upn, "Marketplace Lead Writer", derived_secret(tenant.name, "service account", 20), sku_name)


def _done(world: World, tenant: Tenant) -> None:
    dataverse.install_stand_in(world, tenant)
    org = Organization(world, tenant)
    row = add_person(org, _service_user(tenant, "CRMPLAN2"))
    role = next(one for one in org.rows("role") if one["name"] == ROLE_NAME and one["_parentroleid_value"] is None)
    wanted = {org.catalogue.by_name[name.lower()].id: depth for name, depth in _EXTRA_PRIVILEGES.items()}
    set_privileges(org, role, {**role["_privileges"], **wanted})
    link = {"systemuserid": row["systemuserid"], "roleid": role["roleid"]}
    tenant.collection("systemuserroles")[f"{link['systemuserid']}:{link['roleid']}"] = link


def _half_done(_world: World, tenant: Tenant) -> None:
    _service_user(tenant)


def _no_seats(_world: World, tenant: Tenant) -> None:
    skus = tenant.collection("subscribedSkus")
    sku_id = SKUS["CRMPLAN2"][0]
    skus.change(sku_id, consumedUnits=skus[sku_id]["prepaidUnits"]["enabled"])


def _other_business_unit(world: World, tenant: Tenant) -> None:
    org = Organization(world, tenant)
    child = next(unit for unit in org.rows("businessunit") if unit["_parentbusinessunitid_value"] is not None)
    add_person(org, _service_user(tenant, "CRMPLAN2"), _businessunitid_value=child["businessunitid"])


def _no_rights(_world: World, tenant: Tenant) -> None:
    principals = tenant.collection("servicePrincipals")
    automation = next(one for one in principals.values() if one["appId"] == tenant.document["client_id"])
    principals.change(automation["id"], _roles=[], _management_application=False)


_STATES = {
    "done": _done,
    "half_done": _half_done,
    "no_seats": _no_seats,
    "other_business_unit": _other_business_unit,
    "no_rights": _no_rights,
}
