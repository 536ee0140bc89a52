# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access, refresh and identity tokens: issuing and checking."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import jwt
from jwt.types import Options

from ..hosts import Service
from ..keys import KeyRing
from ..store import Document
from ..world import Caller, Tenant, TokenProblem, World
from .resources import Resource, find_resource

_ALGORITHM = "RS256"
_UNCHECKED: Options = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
_REFRESH_LIFETIME = 90 * 86400


def issue_access_token(world: World, keys: KeyRing, tenant: Tenant, authority: str, resource: Resource, claims: dict[str, Any]) -> tuple[str, int]:
    """Sign a token for the resource; answers it with its lifetime."""
    now = int(world.now())
    lifetime = int(tenant.timing.get("token_lifetime", 3599))
    payload = {
        "aud": resource.audience,
        "iss": f"{authority}/{tenant.id}/v2.0",
        "iat": now,
        "nbf": now,
        "exp": now + lifetime,
        "tid": tenant.id,
        "uti": world.new_id(),
        "ver": "2.0",
        **claims,
    }
    return _sign(keys, payload), lifetime


def issue_refresh_token(world: World, keys: KeyRing, tenant: Tenant, app_id: str, user: Document) -> str:
    """A refresh token that dies with the password it was got with."""
    payload = {"use": "refresh", "tid": tenant.id, "appid": app_id, "oid": user["id"], "pwd": _password_mark(user), "exp": int(world.now()) + _REFRESH_LIFETIME}
    return _sign(keys, payload)


def read_refresh_token(keys: KeyRing, token: str) -> dict[str, Any] | None:
    """The claims of a refresh token issued here, or None."""
    claims = _verified(keys, token)
    return claims if claims is not None and claims.get("use") == "refresh" else None


def password_unchanged(claims: dict[str, Any], user: Document) -> bool:
    """Whether the user still has the password that the refresh token was got with."""
    return bool(claims["pwd"] == _password_mark(user))


def issue_id_token(world: World, keys: KeyRing, tenant: Tenant, authority: str, app_id: str, user: Document) -> str:
    """The OpenID Connect token about the user."""
    now = int(world.now())
    payload = {
        "aud": app_id,
        "iss": f"{authority}/{tenant.id}/v2.0",
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "name": user.get("displayName"),
        "oid": user["id"],
        "sub": user["id"],
        "tid": tenant.id,
        "preferred_username": user["userPrincipalName"],
        "ver": "2.0",
    }
    return _sign(keys, payload)


def client_info(tenant: Tenant, user: Document) -> str:
    """What msal makes its account id from."""
    text = json.dumps({"uid": user["id"], "utid": tenant.id})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def authenticate(world: World, keys: KeyRing, authorization: str, service: Service, tenant: Tenant | None) -> Caller | TokenProblem:
    """Who sends this ``Authorization`` header to the service (``tenant``: the owner of the addressed organisation)."""
    scheme, _unused, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return TokenProblem("missing")
    claims = _verified(keys, token.strip())
    if claims is None or "aud" not in claims:
        return TokenProblem("malformed")
    if claims["exp"] <= world.now() or claims["uti"] in world.store.collection("", "revoked_tokens"):
        return TokenProblem("expired")
    resource = find_resource(world, claims["aud"])
    if resource is None or resource.service != service:
        return TokenProblem("wrong_audience", claims["aud"])
    if tenant is not None and (resource.tenant_id != tenant.id or claims["tid"] != tenant.id):
        return TokenProblem("wrong_audience" if resource.tenant_id != tenant.id else "wrong_tenant", claims["aud"])
    if claims["tid"] not in world.tenant_documents:
        return TokenProblem("wrong_tenant", claims["tid"])
    return Caller(
        tenant_id=claims["tid"],
        object_id=claims["oid"],
        app_id=claims["appid"],
        kind="app" if claims["idtyp"] == "app" else "user",
        roles=frozenset(claims.get("roles", ())),
        scopes=frozenset(str(claims.get("scp", "")).split()),
        audience=claims["aud"],
    )


def revoke(world: World, keys: KeyRing, authorization: str) -> None:
    """Let a token count as expired from now on."""
    claims = _verified(keys, authorization.partition(" ")[2].strip())
    if claims is not None and "uti" in claims:
        world.store.collection("", "revoked_tokens")[claims["uti"]] = {"revoked": world.now()}


def _sign(keys: KeyRing, payload: dict[str, Any]) -> str:
    return jwt.encode(payload, keys.signing_key, _ALGORITHM, headers={"kid": keys.key_id})


def _verified(keys: KeyRing, token: str) -> dict[str, Any] | None:
    # Times are judged by the emulator's clock, not by PyJWT's.
    try:
        claims: dict[str, Any] = jwt.decode(token, keys.signing_key.public_key(), [_ALGORITHM], options=_UNCHECKED)
    except jwt.InvalidTokenError:
        return None
    return claims


def _password_mark(user: Document) -> str:
    return hashlib.sha256(f"{user['id']}:{user.get('_password')}".encode()).hexdigest()[:16]
