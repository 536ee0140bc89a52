# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real host names that the emulator answers for, by cloud."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

Service = Literal["entra", "graph", "dataverse", "power_platform", "partner_center"]

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Cloud:
    """One national cloud."""

    name: str
    logins: tuple[str, ...]
    """Sign-in hosts; the first is the preferred one."""
    graph: str
    organization_suffixes: tuple[str, ...]
    power_platform: tuple[str, ...]
    """Admin API hosts: BAP and the Power Platform API."""
    power_apps_resource: str
    """Audience of tokens for BAP, without a trailing slash."""
    partner_center: tuple[str, ...] = ()


CLOUDS = (
    Cloud(
        "public",
        ("login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"),
        "graph.microsoft.com",
        tuple(f"crm{number}.dynamics.com" for number in ("", *range(2, 23)) if number != 9),
        ("api.bap.microsoft.com", "api.powerplatform.com", "europe.api.bap.microsoft.com"),
        "https://service.powerapps.com",
        ("api.partnercenter.microsoft.com", "api.partner.microsoft.com"),
    ),
    Cloud(
        "gcc",
        ("login.microsoftonline.com",),
        "graph.microsoft.com",
        ("crm9.dynamics.com",),
        ("gov.api.bap.microsoft.us", "api.gov.powerplatform.microsoft.us"),
        "https://service.powerapps.us",
    ),
    Cloud(
        "gcc_high",
        ("login.microsoftonline.us", "login.usgovcloudapi.net"),
        "graph.microsoft.us",
        ("crm.microsoftdynamics.us",),
        ("high.api.bap.microsoft.us", "api.high.powerplatform.microsoft.us"),
        "https://high.service.apps.appsplatform.us",
    ),
    Cloud(
        "dod",
        ("login.microsoftonline.us",),
        "dod-graph.microsoft.us",
        ("crm.appsplatform.us",),
        ("api.bap.appsplatform.us", "api.appsplatform.us"),
        "https://service.apps.appsplatform.us",
    ),
    Cloud(
        "china",
        ("login.partner.microsoftonline.cn", "login.chinacloudapi.cn"),
        "microsoftgraph.chinacloudapi.cn",
        ("crm.dynamics.cn",),
        ("api.bap.partner.microsoftonline.cn", "api.powerplatform.partner.microsoftonline.cn"),
        "https://service.powerapps.cn",
    ),
)

_SUFFIXES = {suffix: cloud for cloud in CLOUDS for suffix in cloud.organization_suffixes}
_ORGANIZATION = re.compile(rf"(?P<name>[a-z0-9][a-z0-9-]*)(?P<api>\.api)?\.(?P<suffix>{'|'.join(map(re.escape, _SUFFIXES))})")


@dataclass(frozen=True)
class Place:
    """What a real host name stands for."""

    service: Service
    cloud: Cloud
    org_name: str = ""
    org_suffix: str = ""


def _fixed_places() -> dict[str, Place]:
    places: dict[str, Place] = {}
    for cloud in CLOUDS:
        for host in cloud.logins:
            places.setdefault(host, Place("entra", cloud))
        places.setdefault(cloud.graph, Place("graph", cloud))
        for host in cloud.power_platform:
            places.setdefault(host, Place("power_platform", cloud))
        for host in cloud.partner_center:
            places.setdefault(host, Place("partner_center", cloud))
    return places


_PLACES = _fixed_places()


def place_of(host: str) -> Place | None:
    """What the emulator plays under this host name (without a port), if anything."""
    name = host.lower().rstrip(".")
    found = _PLACES.get(name)
    if found is not None:
        return found
    match = _ORGANIZATION.fullmatch(name)
    if match is None or match["name"] == "globaldisco":
        return None
    return Place("dataverse", _SUFFIXES[match["suffix"]], match["name"], match["suffix"])


def cloud_of_region(region: str) -> Cloud:
    """The cloud that an organisation's host suffix belongs to."""
    return _SUFFIXES[region]


def certificate_names() -> list[str]:
    """Every name that the server's certificate must be valid for."""
    wildcards = [name for suffix in _SUFFIXES for name in (f"*.{suffix}", f"*.api.{suffix}")]
    return [*LOCAL_HOSTS, *_PLACES, *wildcards]


def authority_for(base_url: str) -> str:
    """The sign-in host that belongs to the way a client addressed a service (``Request.base_url``), without a trailing slash."""
    parts = urlsplit(base_url)
    place = place_of(parts.hostname or "")
    return f"{parts.scheme}://{parts.netloc}" if place is None else f"https://{place.cloud.logins[0]}"
