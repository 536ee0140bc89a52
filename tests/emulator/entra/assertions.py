# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Client assertions: signed with a registered certificate, or with the key of a trusted outside issuer."""

from __future__ import annotations

import base64
import binascii
import time
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.types import Options

from ..hosts import place_of
from ..keys import KeyRing
from ..store import Document
from ..wire import Request
from ..world import Tenant
from .errors import SignInError

TEST_ISSUER = "https://issuer.emulator.test"
EXCHANGE_AUDIENCE = "api://AzureADTokenExchange"
_CLOCK_SKEW = 300
_NO_RECORD = "No matching federated identity record found for presented assertion"
_UNCHECKED: Options = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False}


def check_assertion(keys: KeyRing, tenant: Tenant, application: Document, app_id: str, request: Request, assertion: str) -> None:
    """Accept the assertion or raise what is wrong with it."""
    try:
        header = jwt.get_unverified_header(assertion)
        claims: dict[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise SignInError(50027, f"JWT token is invalid or malformed. {error}") from error
    if str(claims.get("iss", "")).lower() == app_id:
        _check_certificate(application, app_id, header, assertion)
        _check_audience(tenant, request, claims)
        if str(claims.get("sub", "")).lower() != app_id:
            raise SignInError(700023, "Client assertion subject claim does not match the client identifier.")
    else:
        _check_federated(keys, application, claims, assertion)
    _check_times(claims)


def mint_federated_token(keys: KeyRing, subject: str, *, issuer: str = TEST_ISSUER, audience: str = EXCHANGE_AUDIENCE, lifetime: float = 3600) -> str:
    """A token such as a cluster or a pipeline would hand to its workload."""
    now = time.time()
    claims = {"iss": issuer, "sub": subject, "aud": audience, "iat": int(now), "nbf": int(now), "exp": int(now + lifetime)}
    return jwt.encode(claims, keys.issuer_key, "RS256", headers={"kid": "emulator-issuer"})


def _check_certificate(application: Document, app_id: str, header: dict[str, Any], assertion: str) -> None:
    sha1, sha256 = _decoded(header.get("x5t")), _decoded(header.get("x5t#S256"))
    shown = (sha1 or sha256).hex().upper()
    for entry in application.get("_certificates", ()):
        certificate = x509.load_pem_x509_certificate(entry["pem"].encode())
        if sha256 != certificate.fingerprint(hashes.SHA256()) and sha1 != certificate.fingerprint(hashes.SHA1()):  # noqa: S303
            continue
        key = certificate.public_key()
        if certificate.not_valid_after_utc.timestamp() < time.time():
            raise _unregistered("The key used is expired.", shown, app_id)
        if not isinstance(key, RSAPublicKey) or not _is_signed(assertion, key, ["RS256", "PS256"]):
            raise _unregistered("The key was found, but use of the key to verify the signature failed.", shown, app_id)
        return
    raise _unregistered("The key was not found.", shown, app_id)


def _unregistered(reason: str, thumbprint: str, app_id: str) -> SignInError:
    return SignInError(
        700027,
        "The certificate with identifier used to sign the client assertion is not registered on application. "
        f"[Reason - {reason}, Thumbprint of key used by client: '{thumbprint}', Configured keys for app Id '{app_id}' can be seen in Microsoft Graph.]",
    )


def _check_audience(tenant: Tenant, request: Request, claims: dict[str, Any]) -> None:
    wanted = urlsplit(str(claims.get("aud", "")))
    place = place_of(wanted.hostname or "")
    same_host = f"{wanted.scheme}://{wanted.netloc}" == request.base_url or (place is not None and place.service == "entra")
    segment, _unused, rest = wanted.path.lstrip("/").partition("/")
    known_names = {tenant.id, tenant.domain, *tenant.document["verified_domains"], "organizations", "common"}
    if not (same_host and segment.lower() in known_names and rest in ("oauth2/v2.0/token", "oauth2/token", "v2.0")):
        raise SignInError(700023, f"Client assertion audience claim does not match Realm issuer. Audience: '{claims.get('aud')}'.")


def _check_federated(keys: KeyRing, application: Document, claims: dict[str, Any], assertion: str) -> None:
    issuer, subject, audience = str(claims.get("iss")), str(claims.get("sub")), claims.get("aud")
    trusted = [one for one in application.get("_federated", ()) if one["issuer"] == issuer]
    if not trusted:
        raise SignInError(
            70021,
            f"{_NO_RECORD}. Assertion Issuer: '{issuer}'. Assertion Subject: '{subject}'. Assertion Audience: '{audience}'.",
        )
    trusted = [one for one in trusted if one["subject"] == subject]
    if not trusted:
        raise SignInError(700213, f"{_NO_RECORD} subject '{subject}'. The comparison is case-sensitive.")
    if not any(audience in one["audiences"] for one in trusted):
        raise SignInError(700212, f"{_NO_RECORD} audience '{audience}'. The comparison is case-sensitive.")
    if not _is_signed(assertion, keys.issuer_key.public_key(), ["RS256"]):
        raise SignInError(50027, "JWT token is invalid or malformed. The signature does not match the issuer's key.")


def _check_times(claims: dict[str, Any]) -> None:
    # Assertions are made by the client's clock, which knows nothing of an advanced emulator; msal writes floats.
    now = time.time()
    try:
        begins, ends = float(claims.get("nbf", claims.get("iat", 0))), float(claims["exp"])
    except (KeyError, TypeError, ValueError) as error:
        raise SignInError(50027, "JWT token is invalid or malformed. It has no valid 'exp' claim.") from error
    if not begins - _CLOCK_SKEW <= now < ends + _CLOCK_SKEW:
        times = [time.strftime("%Y-%m-%dT%H:%M:%S.0000000Z", time.gmtime(value)) for value in (now, begins, ends)]
        raise SignInError(
            700024,
            f"Client assertion is not within its valid time range. Current time: {times[0]}, assertion valid from {times[1]}, "
            f"expiry time of assertion {times[2]}.",
        )


def _is_signed(assertion: str, key: RSAPublicKey, algorithms: list[str]) -> bool:
    try:
        jwt.decode(assertion, key, algorithms, options=_UNCHECKED)
    except jwt.InvalidTokenError:
        return False
    return True


def _decoded(text: object) -> bytes:
    try:
        return base64.urlsafe_b64decode(f"{text}==") if text else b""
    except (binascii.Error, ValueError):
        return b""
