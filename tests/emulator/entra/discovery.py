# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metadata that clients read before they sign in."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ..hosts import LOCAL_HOSTS, cloud_of_region, place_of
from ..keys import KeyRing
from ..wire import Request, Response
from ..world import Tenant, World
from .errors import SignInError, answer

_ALIAS_GROUPS = (
    ("login.microsoftonline.com", "login.windows.net", ("login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net")),
    ("login.partner.microsoftonline.cn", "login.partner.microsoftonline.cn", ("login.partner.microsoftonline.cn", "login.chinacloudapi.cn")),
    ("login.microsoftonline.de", "login.microsoftonline.de", ("login.microsoftonline.de",)),
    ("login.microsoftonline.us", "login.microsoftonline.us", ("login.microsoftonline.us", "login.usgovcloudapi.net")),
    ("login-us.microsoftonline.com", "login-us.microsoftonline.com", ("login-us.microsoftonline.com",)),
)


def openid_configuration(request: Request, tenant: Tenant | None, segment: str) -> Response:
    """The configuration of one tenant (``tenant``), or of ``common`` and ``organizations`` (``segment``)."""
    base = request.base_url
    path = segment if tenant is None else tenant.id
    place = place_of(urlsplit(base).hostname or "")
    document = {
        "token_endpoint": f"{base}/{path}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{base}/{path}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{base}/{'{tenantid}' if tenant is None else tenant.id}/v2.0",
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
        "authorization_endpoint": f"{base}/{path}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/{path}/oauth2/v2.0/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{base}/{path}/oauth2/v2.0/logout",
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "name", "preferred_username", "oid", "tid"],
        "tenant_region_scope": None if tenant is None else "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com" if place is None else place.cloud.graph,
        "rbac_url": "https://pas.windows.net",
    }
    return answer(request, 200, document)


def instance_discovery(request: Request) -> Response:
    """Whether an authority is a known one, and by which names it goes."""
    query = parse_qs(request.query)
    endpoint = urlsplit(query.get("authorization_endpoint", [""])[0])
    host = endpoint.hostname or ""
    known = any(host in aliases for _unused, _unused, aliases in _ALIAS_GROUPS)
    if not known and host not in LOCAL_HOSTS:
        raise SignInError(50049, "Unknown or invalid instance.")
    authority = f"{endpoint.scheme}://{endpoint.netloc}"
    segment = endpoint.path.lstrip("/").partition("/")[0] or "common"
    document = {
        "tenant_discovery_endpoint": f"{authority}/{segment}/v2.0/.well-known/openid-configuration",
        "api-version": query.get("api-version", ["1.1"])[0],
        "metadata": [
            {"preferred_network": network, "preferred_cache": cache, "aliases": list(aliases)}
            for network, cache, aliases in (*_ALIAS_GROUPS, *([] if known else [(endpoint.netloc, endpoint.netloc, (endpoint.netloc,))]))
        ],
    }
    return answer(request, 200, document)


def user_realm(world: World, request: Request, user_name: str) -> Response:
    """How users of a domain prove their password: here always by the cloud itself."""
    domain = user_name.rpartition("@")[2].lower()
    document: dict[str, Any] = {"ver": "1.0", "account_type": "Unknown"}
    if "." in domain and world.tenant(domain) is not None:
        document = {
            "ver": "1.0",
            "account_type": "Managed",
            "domain_name": domain,
            "cloud_instance_name": "microsoftonline.com",
            "cloud_audience_urn": "urn:federation:MicrosoftOnline",
        }
    return answer(request, 200, document)


def signing_keys(request: Request, keys: KeyRing) -> Response:
    """The JWKS."""
    numbers = keys.signing_key.public_key().public_numbers()
    key = {"kty": "RSA", "use": "sig", "kid": keys.key_id, "n": _encoded(numbers.n), "e": _encoded(numbers.e)}
    return answer(request, 200, {"keys": [key]})


def lives_in_cloud(tenant: Tenant, request: Request) -> bool:
    """Whether the tenant is known at the sign-in host that was addressed (tenants do not cross clouds)."""
    place = place_of(urlsplit(request.base_url).hostname or "")
    return place is None or place.cloud.logins[0] == cloud_of_region(tenant.document["region"]).logins[0]


def _encoded(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode().rstrip("=")
