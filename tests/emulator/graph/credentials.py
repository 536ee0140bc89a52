# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An application's secrets and certificates."""

from __future__ import annotations

import base64
import binascii
import hashlib
import string
import uuid
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ..store import Document
from .call import Call, timestamp
from .errors import bad_request

_TWO_YEARS = 2 * 365 * 86400
_SECRET_LENGTH = 40
_ALPHABET = string.ascii_letters + string.digits + "~_-."
_TIME = "%Y-%m-%dT%H:%M:%SZ"


def shown(document: Document, *, with_keys: bool) -> Document:
    """The credential properties of an application; secrets never, keys only where they were selected."""
    passwords = [
        {
            "customKeyIdentifier": None,
            "displayName": secret.get("displayName"),
            "endDateTime": secret.get("endDateTime"),
            "hint": secret["value"][:3],
            "keyId": secret["keyId"],
            "secretText": None,
            "startDateTime": secret.get("startDateTime"),
        }
        for secret in document.get("_secrets", ())
    ]
    keys = [{**_key_of(entry), **({} if with_keys else {"key": None})} for entry in document.get("_certificates", ())]
    return {"passwordCredentials": passwords, "keyCredentials": keys}


def _key_id(der: bytes) -> str:
    """Make the key id of a certificate that was put into the tenant from outside."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, hashlib.sha1(der).hexdigest()))  # noqa: S324 (nothing depends on its strength)


def _key_of(entry: Document) -> Document:
    certificate = x509.load_pem_x509_certificate(entry["pem"].encode())
    der = certificate.public_bytes(Encoding.DER)
    return {
        "customKeyIdentifier": hashlib.sha1(der).hexdigest().upper(),  # noqa: S324 (the service names certificates so)
        "displayName": entry.get("displayName") or certificate.subject.rfc4514_string(),
        "endDateTime": certificate.not_valid_after_utc.strftime(_TIME),
        "key": base64.b64encode(der).decode(),
        "keyId": entry.get("keyId") or _key_id(der),
        "startDateTime": certificate.not_valid_before_utc.strftime(_TIME),
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    }


def with_certificates(call: Call, document: Document, wanted: Any) -> Document:
    """The changes that make ``wanted`` the whole collection of certificates; known ones may come without their key."""
    if not isinstance(wanted, list):
        raise bad_request("Invalid value specified for property 'keyCredentials' of resource 'Application'.")
    known = {_key_of(entry)["keyId"]: entry for entry in document.get("_certificates", ())}
    kept = []
    for entry in wanted:
        if entry.get("type") != "AsymmetricX509Cert" or entry.get("usage") != "Verify":
            raise bad_request("Invalid value specified for property 'keyCredentials' of resource 'Application'.")
        if not entry.get("key"):
            if entry.get("keyId") not in known:
                raise bad_request("Update to existing credential with KeyId could not be completed: the key is missing.")
            kept.append(known[entry["keyId"]])
            continue
        kept.append(_certificate(call, entry))
    return {"_certificates": kept, "keyCredentials": []}


def _certificate(call: Call, entry: Document) -> Document:
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(entry["key"], validate=True))
    except (ValueError, TypeError, binascii.Error):
        raise bad_request("Key credential is not a valid certificate: the value must be base64 encoded DER.") from None
    der = certificate.public_bytes(Encoding.DER)
    return {
        "thumbprint": hashlib.sha1(der).hexdigest(),  # noqa: S324 (the service names certificates so)
        "pem": certificate.public_bytes(Encoding.PEM).decode(),
        "keyId": entry.get("keyId") or call.world.new_id(),
        "displayName": entry.get("displayName"),
    }


def new_secret(call: Call, wish: Document) -> tuple[Document, Document]:
    """A fresh secret: what is kept, and what the caller sees once."""
    now = call.world.now()
    begins = wish.get("startDateTime") or timestamp(now)
    ends = wish.get("endDateTime") or timestamp(now + _TWO_YEARS)
    if _moment(ends) <= _moment(begins):
        raise bad_request("The credential's end date must lie after its start date.")
    value = "".join(call.world.random.choices(_ALPHABET, k=_SECRET_LENGTH))
    secret = {
        "keyId": call.world.new_id(),
        "value": value,
        "displayName": wish.get("displayName"),
        "startDateTime": begins,
        "endDateTime": ends,
        "_works_from": now + call.seconds("secret_lag"),
    }
    seen = {
        "customKeyIdentifier": None,
        "displayName": secret["displayName"],
        "endDateTime": ends,
        "hint": value[:3],
        "keyId": secret["keyId"],
        "secretText": value,
        "startDateTime": begins,
    }
    return secret, seen


def _moment(text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise bad_request(f"Cannot convert the literal '{text}' to the expected type 'Edm.DateTimeOffset'.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
