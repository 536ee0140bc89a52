# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The token endpoint: one function per grant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from ..keys import KeyRing
from ..store import Document
from ..wire import Request, Response, not_emulated
from ..world import Tenant, World
from . import tokens
from .clients import Client, authenticate_client, find_client
from .errors import SignInError, answer
from .passwords import check_account, check_password, find_user, granted_scopes
from .resources import Resource, resource_in_tenant, resource_of_scopes

_DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass(frozen=True)
class TokenCall:
    """One request to the token endpoint, taken apart."""

    world: World
    keys: KeyRing
    tenant: Tenant
    request: Request
    form: dict[str, str]
    v1: bool
    """The older endpoint, which names a resource instead of scopes."""

    def needs(self, name: str) -> str:
        """A form field that must be there."""
        value = self.form.get(name, "")
        if not value:
            raise SignInError(900144, f"The request body must contain the following parameter: '{name}'.")
        return value

    def resource(self) -> tuple[Resource, list[str]]:
        """What the token is wanted for, and the permission names asked for."""
        if self.v1:
            return resource_in_tenant(self.world, self.tenant, self.needs("resource")), [".default"]
        return resource_of_scopes(self.world, self.tenant, self.needs("scope").split())


def read_form(request: Request) -> dict[str, str]:
    """The fields of a form body."""
    try:
        return dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    except UnicodeDecodeError as error:
        raise SignInError(9002313, "Invalid request. Request is malformed or invalid.") from error


def grant(call: TokenCall) -> Response:
    """Answer a token request."""
    kind = call.needs("grant_type")
    client = find_client(call.world, call.tenant, call.needs("client_id"))
    if kind == _DEVICE_CODE:
        raise not_emulated("entra", call.request, "the device code grant")
    grants = {"client_credentials": _client_credentials, "password": _password, "refresh_token": _refresh_token}
    if kind not in grants:
        raise SignInError(70003, f"The app requested an unsupported grant type '{kind}'.")
    authenticate_client(call.world, call.keys, call.tenant, client, call.request, call.form)
    return grants[kind](call, client)


def _client_credentials(call: TokenCall, client: Client) -> Response:
    scope = call.form.get("scope", "")
    if not call.v1 and (not call.needs("scope").endswith("/.default")):
        raise SignInError(
            1002012,
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value "
            "with /.default suffixed to the resource identifier (application ID URI).",
        )
    resource, _unused = call.resource()
    if client.principal is None:
        raise SignInError(7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
    return answer(call.request, 200, application_token(call.world, call.keys, call.tenant, call.request.base_url, resource, client.principal))


def application_token(world: World, keys: KeyRing, tenant: Tenant, authority: str, resource: Resource, principal: Document) -> dict[str, Any]:
    """The token answer for an application's own identity."""
    claims: dict[str, Any] = {"appid": principal["appId"], "oid": principal["id"], "sub": principal["id"], "idtyp": "app", "appidacr": "1"}
    if resource.service == "graph" and principal.get("_roles"):
        claims["roles"] = list(principal["_roles"])
    token, lifetime = tokens.issue_access_token(world, keys, tenant, authority, resource, claims)
    return {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token}


def _password(call: TokenCall, client: Client) -> Response:
    name, password = call.needs("username"), call.needs("password")
    resource, permissions = call.resource()
    user = find_user(call.world, call.tenant, name)
    check_password(call.world, call.tenant, user, password)
    check_account(call.world, call.tenant, user, resource.service)
    scopes = granted_scopes(client, resource.service, permissions)
    return _user_answer(call, client, user, resource, scopes)


def _refresh_token(call: TokenCall, client: Client) -> Response:
    claims = tokens.read_refresh_token(call.keys, call.needs("refresh_token"))
    if claims is None or claims["appid"] != client.app_id:
        raise SignInError(9002313, "Invalid request. Request is malformed or invalid.", error="invalid_grant")
    if claims["exp"] <= call.world.now():
        raise SignInError(700082, "The refresh token has expired due to inactivity.")
    user = call.tenant.collection("users").get(claims["oid"])
    if user is None:
        raise SignInError(50034, f"The user account {{EmailHidden}} does not exist in the {call.tenant.id} directory.")
    if not tokens.password_unchanged(claims, user):
        raise SignInError(
            50173,
            "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.",
        )
    resource, permissions = call.resource()
    check_account(call.world, call.tenant, user, resource.service)
    scopes = granted_scopes(client, resource.service, permissions)
    return _user_answer(call, client, user, resource, scopes)


def _user_answer(call: TokenCall, client: Client, user: Document, resource: Resource, scopes: list[str]) -> Response:
    authority = call.request.base_url
    claims = {
        "appid": client.app_id,
        "oid": user["id"],
        "sub": user["id"],
        "idtyp": "user",
        "upn": user["userPrincipalName"],
        "name": user.get("displayName"),
        "scp": " ".join(scopes),
    }
    token, lifetime = tokens.issue_access_token(call.world, call.keys, call.tenant, authority, resource, claims)
    body: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": " ".join(f"{resource.audience.rstrip('/')}/{scope}" for scope in scopes),
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": token,
    }
    asked = call.form.get("scope", "").split()
    if call.v1 or "offline_access" in asked:
        body["refresh_token"] = tokens.issue_refresh_token(call.world, call.keys, call.tenant, client.app_id, user)
    if call.v1 or "openid" in asked:
        body["id_token"] = tokens.issue_id_token(call.world, call.keys, call.tenant, authority, client.app_id, user)
    if call.form.get("client_info") == "1":
        body["client_info"] = tokens.client_info(call.tenant, user)
    return answer(call.request, 200, body)
