# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an environment looks: the one with the organisation, and the tenant's default one, which has no database."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..store import Document
from ..wire import Request
from ..world import Tenant
from .errors import refusal

SCOPE = "/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments"
_LOCATIONS = {
    "crm": ("unitedstates", "westus"),
    "crm4": ("europe", "westeurope"),
    "crm11": ("unitedkingdom", "uksouth"),
    "crm16": ("germany", "germanywestcentral"),
}
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_CREATED = "2024-01-15T08:00:00.0000000Z"


def has_database(tenant: Tenant) -> bool:
    """Whether the tenant's environment has an organisation."""
    return bool(tenant.features.get("database", True))


def default_id(tenant: Tenant) -> str:
    """The id of the default environment: not a bare GUID."""
    return f"Default-{tenant.id}"


def organization_urls(tenant: Tenant, request: Request) -> tuple[str, str]:
    """The organisation's address and that of its API, on the same kind of host as the client used for this service."""
    address = urlsplit(request.base_url)
    org_name = str(tenant.document["org_name"])
    if address.hostname in _LOCAL_HOSTS:
        root = f"{address.scheme}://{address.netloc}/org/{org_name}"
        return f"{root}/", root
    return f"https://{tenant.organization_host}/", f"https://{org_name}.api.{tenant.document['region']}"


def all_of(tenant: Tenant, request: Request) -> list[Document]:
    """Every environment of the tenant."""
    return [_default(tenant), _with_organization(tenant, request)]


def find(tenant: Tenant, request: Request, environment_id: str) -> Document:
    """The environment of this id, or the service's 404."""
    for environment in all_of(tenant, request):
        if environment["name"].lower() == environment_id.lower():
            return environment
    raise refusal(request, 404, "EnvironmentNotFound", f"The environment '{environment_id}' could not be found in the tenant '{tenant.id}'.")


def _environment(tenant: Tenant, name: str, display_name: str, sku: str, *, default: bool) -> Document:
    location, region = _LOCATIONS.get(str(tenant.document["region"]).partition(".")[0], ("europe", "westeurope"))
    return {
        "id": f"{SCOPE}/{name}",
        "type": "Microsoft.BusinessAppPlatform/scopes/environments",
        "location": location,
        "name": name,
        "properties": {
            "tenantId": tenant.id,
            "azureRegion": region,
            "displayName": display_name,
            "createdTime": _CREATED,
            "createdBy": {"id": "SYSTEM", "displayName": "SYSTEM", "type": "NotSpecified"},
            "provisioningState": "Succeeded",
            "creationType": "DefaultTenant" if default else "User",
            "environmentSku": sku,
            "isDefault": default,
            "runtimeEndpoints": {
                "microsoft.BusinessAppPlatform": f"https://{location}.api.bap.microsoft.com",
                "microsoft.CommonDataModel": f"https://{location}.api.cds.microsoft.com",
                "microsoft.PowerApps": f"https://{location}.api.powerapps.com",
            },
            "databaseType": "None",
            "trialScenarioType": "None",
            "retentionPeriod": "P7D",
            "states": {
                "management": {"id": "Ready"},
                "runtime": {"runtimeReasonCode": "NotSpecified", "requestedBy": {"displayName": "SYSTEM", "type": "NotSpecified"}, "id": "Enabled"},
            },
            "updateCadence": {"id": "Frequent"},
            "protectionStatus": {"keyManagedBy": "Microsoft"},
            "connectedGroups": [],
            "governanceConfiguration": {"protectionLevel": "Basic"},
        },
    }


def _default(tenant: Tenant) -> Document:
    name = str(tenant.document.get("display_name") or tenant.name)
    return _environment(tenant, default_id(tenant), f"{name} (default)", "Default", default=True)


def _with_organization(tenant: Tenant, request: Request) -> Document:
    document = tenant.document
    display_name = str(document.get("display_name") or tenant.name)
    environment = _environment(tenant, str(document["environment_id"]), display_name, "Production", default=False)
    properties = environment["properties"]
    if tenant.features.get("administration_mode", False):
        properties["states"]["runtime"] |= {"id": "AdminMode"}
    if not has_database(tenant):
        return environment
    instance_url, api_url = organization_urls(tenant, request)
    linked = {
        "resourceId": document["org_id"],
        "friendlyName": display_name,
        "uniqueName": f"unq{str(document['org_id']).replace('-', '')[:20]}",
        "domainName": document["org_name"],
        "version": document["org_version"],
        "instanceUrl": instance_url,
        "instanceApiUrl": api_url,
        "baseLanguage": 1033,
        "instanceState": "Ready",
        "createdTime": _CREATED,
        "backgroundOperationsState": "Enabled",
        "scaleGroup": "EURCRMLIVESG705",
        "platformSku": "Standard",
        "schemaType": "Standard",
    }
    if document.get("security_group_id"):
        linked["securityGroupId"] = document["security_group_id"]
    properties |= {"databaseType": "CommonDataService", "linkedEnvironmentMetadata": linked}
    return environment
