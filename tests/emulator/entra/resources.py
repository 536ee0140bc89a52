# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a token can be asked for: the resources behind scopes and audiences."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from ..hosts import CLOUDS, LOCAL_HOSTS, Service, place_of
from ..world import Tenant, World
from .errors import SignInError

RESERVED_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})

_BY_APP_ID: dict[str, Service] = {
    "00000003-0000-0000-c000-000000000000": "graph",
    "475226c6-020e-4fb2-8a90-7a972cbfc1d4": "power_platform",
    "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd": "partner_center",
}
_BY_PATH: dict[str, Service] = {"/graph": "graph", "/powerplatform": "power_platform", "/partnercenter": "partner_center"}
_POWER_APPS = {cloud.power_apps_resource for cloud in CLOUDS}


@dataclass(frozen=True)
class Resource:
    """A service that tokens are issued for."""

    service: Service
    audience: str
    tenant_id: str = ""
    """The tenant that owns the organisation; empty for services that all tenants share."""


def find_resource(world: World, identifier: str) -> Resource | None:
    """What a resource URI (or the resource's application id) stands for."""
    audience = identifier.rstrip("/")
    if audience.lower() in _BY_APP_ID:
        return Resource(_BY_APP_ID[audience.lower()], audience)
    if audience.lower() in _POWER_APPS:
        return Resource("power_platform", f"{audience}/")
    parts = urlsplit(audience)
    host = (parts.hostname or "").lower()
    if parts.scheme != "https":
        return None
    if host in LOCAL_HOSTS:
        if parts.path in _BY_PATH:
            return Resource(_BY_PATH[parts.path], audience)
        return _organization(world, unquote(parts.path.removeprefix("/org/")), "", audience) if parts.path.startswith("/org/") else None
    place = place_of(host)
    if place is None or place.service == "entra" or parts.path:
        return None
    if place.service == "dataverse":
        return _organization(world, place.org_name, place.org_suffix, audience)
    return Resource(place.service, audience)


def _organization(world: World, org_name: str, suffix: str, audience: str) -> Resource | None:
    owner = world.tenant_of_org(org_name)
    if owner is None or suffix not in ("", owner.document["region"]):
        return None
    return Resource("dataverse", audience, owner.id)


def resource_of_scopes(world: World, tenant: Tenant, scopes: list[str]) -> tuple[Resource, list[str]]:
    """The one resource that the scopes name, and the permission names asked for (``.default`` among them)."""
    asked: dict[str, list[str]] = {}
    for scope in scopes:
        if scope in RESERVED_SCOPES:
            continue
        resource, slash, permission = scope.rpartition("/")
        # A scope without a resource belongs to Graph.
        asked.setdefault(resource.rstrip("/") if slash else "https://graph.microsoft.com", []).append(permission)
    if len(asked) > 1:
        raise SignInError(
            28000,
            f"Provided value for the input parameter scope is not valid because it contains more than one resource. Scope {' '.join(scopes)} is not valid.",
        )
    identifier, permissions = next(iter(asked.items()), ("https://graph.microsoft.com", []))
    return resource_in_tenant(world, tenant, identifier), permissions


def resource_in_tenant(world: World, tenant: Tenant, identifier: str) -> Resource:
    """The resource, provided that the tenant has it."""
    resource = find_resource(world, identifier)
    if resource is None or resource.tenant_id not in ("", tenant.id):
        raise SignInError(
            500011,
            f"The resource principal named {identifier} was not found in the tenant named {tenant.document.get('display_name', tenant.name)}. "
            "This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. "
            "You might have sent your authentication request to the wrong tenant.",
        )
    return resource
