# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The applications that sign in, and how they prove who they are."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from dataclasses import dataclass
from urllib.parse import unquote

from ..hosts import Service
from ..keys import KeyRing
from ..store import Document
from ..wire import Request
from ..world import Tenant, World
from .assertions import check_assertion
from .errors import SignInError

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_EVERYTHING = {
    "graph": ["User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.AccessAsUser.All"],
    "dataverse": ["user_impersonation"],
    "power_platform": ["user_impersonation", "User"],
    "partner_center": ["user_impersonation"],
}
# Microsoft's own public clients, which every tenant knows without a registration.
_FIRST_PARTY: dict[str, tuple[str, dict[str, list[str]]]] = {
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46": ("Microsoft Azure CLI", _EVERYTHING),
    "1950a258-227b-4e31-a9cf-717495945fc2": ("Microsoft Azure PowerShell", _EVERYTHING),
    "51f81489-12ee-4a9e-aaae-a2591f45987d": ("Dynamics 365 Example Client Application", {"dataverse": ["user_impersonation"]}),
}


@dataclass(frozen=True)
class Client:
    """An application, seen from the tenant that it signs in to."""

    app_id: str
    name: str
    public: bool
    application: Document
    principal: Document | None
    """Its service principal in the tenant; None for Microsoft's own clients."""
    delegated: dict[str, list[str]]
    """Delegated permissions that the tenant has consented to, by service."""

    def consented(self, service: Service) -> list[str]:
        """The delegated permissions for one service."""
        return list(self.delegated.get(service, ()))


def find_client(world: World, tenant: Tenant, app_id: str) -> Client:
    """The client of this id, if it can sign in to the tenant at all."""
    wanted = app_id.lower()
    if wanted in _FIRST_PARTY:
        name, delegated = _FIRST_PARTY[wanted]
        return Client(wanted, name, public=True, application={}, principal=None, delegated=delegated)
    application = tenant.collection("applications").get(wanted)
    principal = next((one for one in tenant.collection("servicePrincipals").values() if one["appId"] == wanted), None)
    if application is None and principal is not None:
        application = next((found for home in world.tenants() if (found := home.collection("applications").get(wanted)) is not None), None)
    if application is None:
        raise SignInError(
            700016,
            f"Application with identifier '{app_id}' was not found in the directory '{tenant.document.get('display_name', tenant.name)}'. "
            "This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. "
            "You may have sent your authentication request to the wrong tenant.",
        )
    if principal is None:
        raise SignInError(7000229, f"The client application {wanted} is missing service principal in the tenant {tenant.id}.")
    if not principal.get("accountEnabled", True):
        raise SignInError(7000112, f"Application '{wanted}'({application['displayName']}) is disabled.")
    public = bool(application.get("_public_client") or application.get("isFallbackPublicClient"))
    return Client(wanted, application["displayName"], public, application, principal, principal.get("_delegated", {}))


def authenticate_client(world: World, keys: KeyRing, tenant: Tenant, client: Client, request: Request, form: dict[str, str]) -> None:
    """Check the credential that the request carries for its client."""
    secret = form.get("client_secret") or _basic_secret(request, client.app_id)
    assertion = form.get("client_assertion")
    if not secret and not assertion:
        if client.public and form.get("grant_type") != "client_credentials":
            return
        raise SignInError(7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
    if client.public and not client.application.get("_secrets") and not client.application.get("_certificates"):
        raise SignInError(700025, "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.")
    if assertion:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise SignInError(900144, "The request body must contain the following parameter: 'client_assertion_type'.")
        check_assertion(keys, tenant, client.application, client.app_id, request, assertion)
    else:
        _check_secret(world, client, secret)


def _check_secret(world: World, client: Client, secret: str) -> None:
    match = next((one for one in client.application.get("_secrets", ()) if one["value"] == secret), None)
    now = world.now()
    if match is None or match.get("_works_from", 0) > now:
        raise SignInError(
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
            f"not the client secret ID, for a secret added to app '{client.app_id}'.",
        )
    ends = match.get("endDateTime")
    if ends and dt.datetime.fromisoformat(ends).timestamp() <= now:
        raise SignInError(
            7000222,
            f"The provided client secret keys for app '{client.app_id}' are expired. "
            "Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials.",
        )


def _basic_secret(request: Request, app_id: str) -> str:
    scheme, _unused, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        user, _unused, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return unquote(secret) if unquote(user).lower() == app_id else ""
