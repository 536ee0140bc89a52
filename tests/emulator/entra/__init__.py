# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entra ID: metadata and token endpoints of every tenant."""

from __future__ import annotations

import re

from ..keys import KeyRing
from ..wire import Request, Response, not_emulated
from ..world import Tenant, World
from . import discovery
from .errors import SignInError
from .token_endpoint import TokenCall, grant, read_form
from .tokens import read_refresh_token

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SHARED = ("common", "organizations", "consumers")


def handle(world: World, keys: KeyRing, request: Request) -> Response:
    """Answer one request to a sign-in host."""
    try:
        return _dispatch(world, keys, request)
    except SignInError as error:
        # Returned, not raised: counted wrong passwords must stay.
        return error.response(request, world.now())


def _dispatch(world: World, keys: KeyRing, request: Request) -> Response:
    segment, _unused, rest = request.path.lstrip("/").partition("/")
    if request.method == "GET":
        if rest == "discovery/instance":
            return discovery.instance_discovery(request)
        if rest.startswith("userrealm/"):
            return discovery.user_realm(world, request, rest.removeprefix("userrealm/"))
        if rest in ("discovery/v2.0/keys", "discovery/keys"):
            return discovery.signing_keys(request, keys)
        if rest in ("v2.0/.well-known/openid-configuration", ".well-known/openid-configuration"):
            tenant = None if segment in _SHARED else _tenant(world, request, segment, "invalid_tenant")
            return discovery.openid_configuration(request, tenant, segment)
    if request.method == "POST" and rest in ("oauth2/v2.0/token", "oauth2/token"):
        form = read_form(request)
        tenant = _shared_tenant(world, keys, segment, form) if segment in _SHARED else _tenant(world, request, segment, "")
        return grant(TokenCall(world, keys, tenant, request, form, v1=rest == "oauth2/token"))
    raise not_emulated("entra", request)


def _tenant(world: World, request: Request, reference: str, error: str) -> Tenant:
    if not _GUID.fullmatch(reference) and "." not in reference:
        text = f"Specified tenant identifier '{reference}' is neither a valid DNS name, nor a valid external domain."
        raise SignInError(900023, text, error=error)
    tenant = world.tenant(reference)
    if tenant is None or not discovery.lives_in_cloud(tenant, request):
        raise SignInError(
            90002,
            f"Tenant '{reference}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. "
            "Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.",
            error=error,
        )
    return tenant


def _shared_tenant(world: World, keys: KeyRing, segment: str, form: dict[str, str]) -> Tenant:
    """The tenant behind ``organizations``, which only a user name or a refresh token can tell."""
    if segment != "organizations" or form.get("grant_type") == "client_credentials":
        raise SignInError(
            9001023,
            f"The grant type is not supported over the /{segment} endpoint. Please use the /organizations or a tenant-specific endpoint.",
        )
    if form.get("grant_type") == "refresh_token":
        claims = read_refresh_token(keys, form.get("refresh_token", ""))
        home = world.tenant(claims["tid"]) if claims else None
        if home is None:
            raise SignInError(9002313, "Invalid request. Request is malformed or invalid.", error="invalid_grant")
        return home
    domain = form.get("username", "").rpartition("@")[2].lower()
    tenant = world.tenant(domain) if "." in domain else None
    if tenant is None:
        raise SignInError(50034, "The user account {EmailHidden} does not exist in the organizations directory.")
    return tenant
