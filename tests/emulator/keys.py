# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key pairs of the emulator: its token signature, its test issuer, and the certificate of the automation."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

_UNPROTECTED = serialization.NoEncryption()
_SUBJECT = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "leadops-automation")])
_VALID_FROM = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_VALID_UNTIL = dt.datetime(2046, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class ClientCertificate:
    """A certificate that every tenant's automation app accepts, as the files an operator would have."""

    pem: Path
    """Private key and certificate in one file."""
    pfx: Path
    pfx_passphrase: str
    certificate_pem: str
    thumbprint: str
    """Hex SHA-1, upper case."""


class KeyRing:
    """Keys kept in a directory; made when missing."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @cached_property
    def signing_key(self) -> RSAPrivateKey:
        """Signs the access tokens."""
        return self._load_or_make("token-key.pem")

    @cached_property
    def issuer_key(self) -> RSAPrivateKey:
        """Signs the tokens of the outside issuer that workload identities present."""
        return self._load_or_make("issuer-key.pem")

    @cached_property
    def key_id(self) -> str:
        """Names the signing key in tokens and in the JWKS."""
        public = self.signing_key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return base64.urlsafe_b64encode(hashlib.sha1(public, usedforsecurity=False).digest()).decode().rstrip("=")

    @cached_property
    def client_certificate(self) -> ClientCertificate:
        """The automation's certificate and key."""
        pem, pfx, passphrase = self._directory / "automation.pem", self._directory / "automation.pfx", "emulator"
        if not (pem.exists() and pfx.exists()):
            key = generate_private_key(65537, 2048)
            made = (
                x509.CertificateBuilder()
                .subject_name(_SUBJECT)
                .issuer_name(_SUBJECT)
                .public_key(key.public_key())
                .serial_number(x509.random_serial_number())
                .not_valid_before(_VALID_FROM)
                .not_valid_after(_VALID_UNTIL)
                .sign(key, hashes.SHA256())
            )
            encryption = serialization.BestAvailableEncryption(passphrase.encode())
            _write_private(pfx, pkcs12.serialize_key_and_certificates(b"automation", key, made, None, encryption))
            _write_private(pem, _private_pem(key) + made.public_bytes(serialization.Encoding.PEM))
        certificate = x509.load_pem_x509_certificate(pem.read_bytes())
        text = certificate.public_bytes(serialization.Encoding.PEM).decode()
        return ClientCertificate(pem, pfx, passphrase, text, certificate.fingerprint(hashes.SHA1()).hex().upper())  # noqa: S303 (Entra names certificates by SHA-1)

    def _load_or_make(self, name: str) -> RSAPrivateKey:
        path = self._directory / name
        if not path.exists():
            _write_private(path, _private_pem(generate_private_key(65537, 2048)))
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        if not isinstance(key, RSAPrivateKey):
            message = f"{path} does not hold an RSA key"
            raise TypeError(message)
        return key


def _private_pem(key: RSAPrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, _UNPROTECTED)


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
