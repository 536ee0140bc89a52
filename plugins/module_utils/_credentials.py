# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of credentials, and what msal takes for each.

This file is private to the collection.
"""

from __future__ import annotations

import re
import typing as t
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ._errors import InvalidOption

with suppress(ImportError):  # _task tells the user; until then the names only have to exist
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA1


@dataclass(frozen=True)
class ClientSecret:
    """An application that knows a secret."""

    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class ClientCertificate:
    """An application that holds a private key: a PEM file with key and certificate, or a PFX file."""

    client_id: str
    path: str
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class WorkloadIdentity:
    """An application that trusts another issuer's token, which is read from a file at each sign-in."""

    client_id: str
    token_file: str


@dataclass(frozen=True)
class ManagedIdentity:
    """The identity of the Azure machine that this runs on; ``client_id`` names a user-assigned one."""

    client_id: str | None = None


@dataclass(frozen=True)
class UserPassword:
    """A person's or service account's name and password. Does not work where MFA is demanded."""

    client_id: str
    username: str
    password: str = field(repr=False)
    client_secret: str | None = field(default=None, repr=False)


Credentials: t.TypeAlias = "ClientSecret | ClientCertificate | WorkloadIdentity | ManagedIdentity | UserPassword"


def client_credential(credentials: ClientSecret | ClientCertificate | WorkloadIdentity) -> str | dict[str, t.Any]:
    """The form that msal wants. Files are read at each sign-in; raises InvalidOption if they cannot be used."""
    if isinstance(credentials, ClientSecret):
        return credentials.secret
    if isinstance(credentials, WorkloadIdentity):
        return {"client_assertion": lambda: _read(credentials.token_file, "auth.federated_token_file").decode().strip()}
    content = _read(credentials.path, "auth.certificate_path")
    if b"-----BEGIN" not in content:
        return {"private_key_pfx_path": credentials.path, "passphrase": credentials.password}
    return _pem_credential(content, credentials)


def _pem_credential(content: bytes, credentials: ClientCertificate) -> dict[str, t.Any]:
    if b"PRIVATE KEY-----" not in content:
        raise InvalidOption("auth.certificate_path", f"{credentials.path} holds no private key.", "Give a PEM file with the key and the certificate.")
    try:
        certificate = x509.load_pem_x509_certificate(content)
    except ValueError as error:
        raise InvalidOption(
            "auth.certificate_path", f"{credentials.path} holds no readable certificate.", "Give a PEM file with the key and the certificate."
        ) from error
    key = re.search(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", content, re.DOTALL)
    credential: dict[str, t.Any] = {
        "private_key": key.group(0).decode() if key else "",
        # Entra ID finds a registered certificate by its SHA-1 thumbprint; nothing is trusted because of it
        "thumbprint": certificate.fingerprint(SHA1()).hex(),  # noqa: S303
    }
    if credentials.password:
        credential["passphrase"] = credentials.password
    return credential


def _read(path: str, option: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InvalidOption(option, f"{path} cannot be read: {error.strerror}.") from error
