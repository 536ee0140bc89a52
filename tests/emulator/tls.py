# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's own certificate authority and the certificate of its server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme

from .hosts import certificate_names


@dataclass(frozen=True)
class TlsFiles:
    """PEM files: what a client trusts, and what the server presents."""

    ca: Path
    server: Path


def prepare(directory: Path) -> TlsFiles:
    """Load the authority kept in the directory, or make one, and issue a server certificate.

    Clients keep the authority's file over restarts; the server's certificate is made anew each time,
    so that it always covers the names that this version answers for.
    """
    ca_file, key_file, server_file = directory / "ca.pem", directory / "ca-key.pem", directory / "server.pem"
    if ca_file.exists() and key_file.exists():
        authority = trustme.CA.from_pem(ca_file.read_bytes(), key_file.read_bytes())
    else:
        authority = trustme.CA(organization_name="leadops.dynamics365 emulator")
        authority.private_key_pem.write_to_path(key_file)
        key_file.chmod(0o600)
        authority.cert_pem.write_to_path(ca_file)
    leaf = authority.issue_cert(*certificate_names(), common_name="localhost")
    server_file.write_bytes(leaf.private_key_pem.bytes() + b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    server_file.chmod(0o600)
    return TlsFiles(ca_file, server_file)
