# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which service a request is for, from its host name or, on localhost, from its path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from .hosts import Service, place_of

Target = Service | Literal["control", "managed_identity"]

_ROOTS: dict[str, Target] = {
    "graph": "graph",
    "powerplatform": "power_platform",
    "partnercenter": "partner_center",
    "control": "control",
}
_MANAGED_IDENTITY = ("msi", "imds", "metadata")
_ENTRA_SECOND_SEGMENTS = ("oauth2", "v2.0", ".well-known", "discovery", "userrealm", "login", "adminconsent", "devicelogin")


@dataclass(frozen=True)
class Route:
    """Where a request goes."""

    target: Target
    base_url: str
    raw_path: str
    """Below the service's root, still percent-encoded."""
    org_name: str = ""
    org_suffix: str = ""
    """Host suffix of the organisation; empty when it was addressed by path."""
    cloud: str = ""
    """Name of the cloud whose real host was addressed; empty on localhost."""

    @property
    def path(self) -> str:
        """Below the service's root, decoded."""
        return unquote(self.raw_path)


def route(host_header: str, raw_path: str) -> Route | None:
    """Find the service, or None when the emulator plays nothing at this address."""
    host = host_header.rpartition(":")[0] if host_header.rpartition(":")[2].isdigit() else host_header
    root = f"https://{host_header}"
    place = place_of(host.strip("[]"))
    if place is not None:
        root = f"https://{host.lower()}"
        return Route(place.service, root, raw_path or "/", place.org_name, place.org_suffix, place.cloud.name)
    first, _unused, rest = raw_path.lstrip("/").partition("/")
    if first in _ROOTS:
        return Route(_ROOTS[first], f"{root}/{first}", f"/{rest}")
    if first == "org":
        org_name, _unused, below = rest.partition("/")
        return Route("dataverse", f"{root}/org/{org_name}", f"/{below}", unquote(org_name).lower()) if org_name else None
    if first in _MANAGED_IDENTITY:
        return Route("managed_identity", root, raw_path)
    if rest.partition("/")[0] in _ENTRA_SECOND_SEGMENTS:
        return Route("entra", root, raw_path)
    return None
