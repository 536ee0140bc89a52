# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documents that every tenant begins with: itself, its directory and its licences.

Ids and secrets follow from the tenant's name, so that every start makes the same ones.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid

from .entra.assertions import EXCHANGE_AUDIENCE, TEST_ISSUER
from .graph.objects import APPLICATION, GROUP, SERVICE_PRINCIPAL, USER
from .hosts import cloud_of_region
from .keys import KeyRing
from .store import Document
from .tenants_file import MERGED, Spec
from .world import Tenant

_NAMESPACE = uuid.UUID("5b8a3c1e-7d04-4f6b-9c52-0e1f2a3b4c5d")
_SECRET_KEY = b"made-up secrets of the emulator, worth nothing"
_CREATED = "2024-01-15T08:00:00Z"
_SECRET_ENDS = "2036-01-01T00:00:00Z"
_GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"

AUTOMATION_ROLES = [
    "User.ReadWrite.All",
    "LicenseAssignment.ReadWrite.All",
    "Organization.Read.All",
    "RoleManagement.Read.Directory",
    "Directory.Read.All",
    "Domain.Read.All",
]
_DELEGATED = {
    "graph": ["User.Read", "User.ReadWrite.All", "Directory.Read.All", "Directory.AccessAsUser.All", "Organization.Read.All", "RoleManagement.Read.Directory"],
    "dataverse": ["user_impersonation"],
    "power_platform": ["User", "user_impersonation"],
    "partner_center": ["user_impersonation"],
}
_PLANS = {
    "CRMPLAN2": "bf36ca64-95c6-4918-9275-eb9f4ce2c04f",
    "FLOW_DYN_APPS": "7e6d7d78-73de-46ba-83b1-6d25117334ba",
    "POWERAPPS_DYN_APPS": "874fc546-6efe-4d22-90b8-5c4e7aa59f4b",
    "EXCHANGE_S_FOUNDATION": "113feb6c-3fe4-4440-bddc-54d774bf0318",
    "DYN365_ENTERPRISE_P1": "d56f3deb-50d8-465a-bedb-f079817ccac1",
    "POWERAPPS_DYN_P2": "0b03f40b-c404-40c3-8651-2aceb74365fa",
    "FLOW_DYN_P2": "b650d915-9886-424b-a08d-633cede56f57",
    "CRMSTORAGE": "77866113-0f3e-4e6e-9666-b1e25c6f99b0",
}
SKUS = {
    "CRMPLAN2": ("906af65a-2970-46d5-9b58-4e9aa50f0657", ("CRMPLAN2", "FLOW_DYN_APPS", "POWERAPPS_DYN_APPS", "EXCHANGE_S_FOUNDATION"), 25),
    "DYN365_ENTERPRISE_PLAN1": ("ea126fc5-a19e-42e2-a731-da9d437bffcf", ("DYN365_ENTERPRISE_P1", "POWERAPPS_DYN_P2", "FLOW_DYN_P2"), 10),
    "CRMSTORAGE": ("328dc228-00bc-48c6-8b09-1fbc8bc3435d", ("CRMSTORAGE",), 5),
}
_COMPANY_SKUS = ("CRMSTORAGE",)


def derived_id(name: str, what: str) -> str:
    """The GUID of one thing in the tenant of this name."""
    return str(uuid.uuid5(_NAMESPACE, f"{name}/{what}"))


def derived_secret(name: str, what: str, length: int = 40) -> str:
    """A secret that looks random and satisfies password rules."""
    digest = hmac.new(_SECRET_KEY, f"{name}/{what}".encode(), hashlib.sha256).digest()
    return "aQ8~" + base64.urlsafe_b64encode(digest).decode().rstrip("=")[: length - 4]


def tenant_document(spec: Spec) -> Document:
    """The tenant itself."""
    name = spec["name"]
    domain = f"{name}.onmicrosoft.com"
    document: Document = {
        "name": name,
        "kind": spec.get("kind", "fresh"),
        "display_name": spec.get("display_name", name.replace("-", " ").title()),
        "tenant_id": derived_id(name, "tenant"),
        "announced_tenant_id": derived_id(name, "tenant"),
        "domain": domain,
        "verified_domains": [domain, f"{name}.example"],
        "country": "DE",
        "org_id": derived_id(name, "organization"),
        "environment_id": derived_id(name, "environment"),
        "org_name": name,
        "region": "crm4.dynamics.com",
        "org_version": "9.2.24014.00186",
        "client_id": derived_id(name, "automation"),
        "client_secret": derived_secret(name, "automation"),
        "public_client_id": derived_id(name, "public client"),
        "admin_username": f"admin@{domain}",
        "admin_password": derived_secret(name, "admin", 20),
        "service_account": f"lead-writer@{domain}",
        "identity_header": derived_secret(name, "managed identity"),
        "federated_subject": f"system:serviceaccount:automation:{name}",
        "security_group_id": None,
        "features": {"pim": False, "security_defaults": False, "modern_business_units": False, "sales_app": True, "power_platform_admin": True},
        "timing": {
            "import": 3.0,
            "forced_sync": 1.0,
            "natural_sync": 600.0,
            "license_propagation": 1.0,
            "read_lag": 0.0,
            "job_row": 0.3,
            "latency": 0.0,
            "token_lifetime": 3599,
        },
        "behaviour": {},
        "app_roles": ["System Administrator"],
        "seats": {},
        "faults": [],
    }
    return override(document, spec)


def override(document: Document, values: Spec) -> Document:
    """The document with members replaced; switches are replaced one by one."""
    taken = {key: value for key, value in values.items() if key not in ("name", "kind")}
    merged = {key: {**document[key], **value} if key in (*MERGED, "seats") else value for key, value in taken.items()}
    return {**document, **merged}


def write_directory(tenant: Tenant, keys: KeyRing) -> None:
    """Put the users, applications, groups and licences of a new tenant in place."""
    name, document = tenant.name, tenant.document
    for sku_name in SKUS:
        _write_sku(tenant, sku_name)
    admin = write_user(tenant, document["admin_username"], "Admin Istrator", document["admin_password"], "DYN365_ENTERPRISE_PLAN1")
    staff = write_user(tenant, f"alex@{tenant.domain}", "Alex Wilber", derived_secret(name, "alex", 20), "CRMPLAN2")
    tenant.collection("directoryRoleAssignments")[derived_id(name, "admin role")] = {
        "id": derived_id(name, "admin role"),
        "principalId": admin["id"],
        "roleDefinitionId": _GLOBAL_ADMINISTRATOR,
        "directoryScopeId": "/",
    }
    group_id = derived_id(name, "all staff")
    group = {"id": group_id, "displayName": "All Staff", "mailNickname": "allstaff", "createdDateTime": _CREATED, "isAssignableToRole": None}
    tenant.collection("groups")[group_id] = {**GROUP.properties, **group, "_members": [admin["id"], staff["id"]], "_licenses": []}
    _write_automation(tenant, keys)
    _write_public_client(tenant)
    for display_name, app_id in (("Microsoft Graph", "00000003-0000-0000-c000-000000000000"), ("Dataverse", "00000007-0000-0000-c000-000000000000")):
        _write_principal(tenant, app_id, display_name)


def write_user(tenant: Tenant, upn: str, display_name: str, password: str, sku_name: str = "") -> Document:
    """Put one user in place, with a licence if one is named."""
    given, _unused, surname = display_name.partition(" ")
    user: Document = {
        **USER.properties,
        "id": derived_id(tenant.name, f"user {upn}"),
        "displayName": display_name,
        "givenName": given,
        "surname": surname or None,
        "userPrincipalName": upn,
        "mailNickname": upn.partition("@")[0],
        "accountEnabled": True,
        "usageLocation": tenant.document["country"],
        "userType": "Member",
        "createdDateTime": _CREATED,
        "lastPasswordChangeDateTime": _CREATED,
        "signInSessionsValidFromDateTime": _CREATED,
        "identities": [{"signInType": "userPrincipalName", "issuer": tenant.domain, "issuerAssignedId": upn}],
        "passwordPolicies": "DisablePasswordExpiration",
        "passwordProfile": {"forceChangePasswordNextSignIn": False, "forceChangePasswordNextSignInWithMfa": False},
        "_password": password,
        "_wrong_passwords": 0,
        "_mfa": False,
        "_created": 0.0,
        "_visible_from": 0.0,
    }
    if sku_name:
        sku_id = SKUS[sku_name][0]
        state: Document = {"skuId": sku_id, "disabledPlans": [], "assignedByGroup": None, "state": "Active", "error": "None", "lastUpdatedDateTime": _CREATED}
        user.update({"assignedLicenses": [{"skuId": sku_id, "disabledPlans": []}], "licenseAssignmentStates": [state], "_licensed_at": 0.0})
        skus = tenant.collection("subscribedSkus")
        skus.change(sku_id, consumedUnits=skus[sku_id]["consumedUnits"] + 1)
    tenant.collection("users")[user["id"]] = user
    return user


def _write_sku(tenant: Tenant, sku_name: str) -> None:
    sku_id, plans, seats = SKUS[sku_name]
    target = "Company" if sku_name in _COMPANY_SKUS else "User"
    tenant.collection("subscribedSkus")[sku_id] = {
        "id": f"{tenant.id}_{sku_id}",
        "accountId": tenant.id,
        "accountName": tenant.document["display_name"],
        "appliesTo": target,
        "capabilityStatus": "Enabled",
        "consumedUnits": 0,
        "prepaidUnits": {"enabled": tenant.document["seats"].get(sku_name, seats), "suspended": 0, "warning": 0, "lockedOut": 0},
        "skuId": sku_id,
        "skuPartNumber": sku_name,
        "subscriptionIds": [derived_id(tenant.name, f"subscription {sku_name}")],
        "servicePlans": [
            {
                "servicePlanId": _PLANS[plan],
                "servicePlanName": plan,
                "provisioningStatus": "Success",
                "appliesTo": "Company" if plan == "EXCHANGE_S_FOUNDATION" else target,
            }
            for plan in plans
        ],
    }


def _write_automation(tenant: Tenant, keys: KeyRing) -> None:
    document, certificate = tenant.document, keys.client_certificate
    secret_id = derived_id(tenant.name, "automation secret")
    shown = {"keyId": secret_id, "displayName": "automation", "startDateTime": _CREATED, "endDateTime": _SECRET_ENDS, "hint": document["client_secret"][:3]}
    application = {
        "displayName": "Lead automation",
        "signInAudience": "AzureADMyOrg",
        "passwordCredentials": [{**shown, "customKeyIdentifier": None, "secretText": None}],
        "_secrets": [{"keyId": secret_id, "value": document["client_secret"], "displayName": "automation", "endDateTime": _SECRET_ENDS, "_works_from": 0.0}],
        "_certificates": [{"thumbprint": certificate.thumbprint, "pem": certificate.certificate_pem}],
        "_federated": [{"issuer": TEST_ISSUER, "subject": document["federated_subject"], "audiences": [EXCHANGE_AUDIENCE]}],
        "_public_client": False,
    }
    _write_application(tenant, document["client_id"], application)
    _write_principal(tenant, document["client_id"], "Lead automation", _roles=AUTOMATION_ROLES, _management_application=True, _delegated=_DELEGATED)


def _write_public_client(tenant: Tenant) -> None:
    application = {
        "displayName": "Lead automation sign-in",
        "signInAudience": "AzureADMyOrg",
        "isFallbackPublicClient": True,
        "_secrets": [],
        "_certificates": [],
        "_federated": [],
        "_public_client": True,
    }
    _write_application(tenant, tenant.document["public_client_id"], application)
    _write_principal(tenant, tenant.document["public_client_id"], "Lead automation sign-in", _delegated=_DELEGATED)


def _write_application(tenant: Tenant, app_id: str, values: Document) -> None:
    fixed = {"id": derived_id(tenant.name, f"application {app_id}"), "appId": app_id, "createdDateTime": _CREATED, "publisherDomain": tenant.domain}
    tenant.collection("applications")[app_id] = {**APPLICATION.properties, **fixed, **values}


def _write_principal(tenant: Tenant, app_id: str, display_name: str, **values: object) -> None:
    principal_id = derived_id(tenant.name, f"principal {app_id}")
    fixed = {
        "id": principal_id,
        "appId": app_id,
        "displayName": display_name,
        "appDisplayName": display_name,
        "accountEnabled": True,
        "createdDateTime": _CREATED,
        "servicePrincipalNames": [app_id],
        "_roles": [],
        "_management_application": False,
    }
    tenant.collection("servicePrincipals")[principal_id] = {**SERVICE_PRINCIPAL.properties, **fixed, **values}


def login_host(document: Document) -> str:
    """The real sign-in host of the tenant's cloud."""
    return cloud_of_region(document["region"]).logins[0]
