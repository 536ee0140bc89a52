# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts and token audiences of Microsoft's clouds: facts, no I/O.

Sources: Microsoft's "national cloud deployments" page for Graph, the Entra national cloud page, and the
constants of Microsoft's Terraform provider for Power Platform (2026).

This file is private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Cloud:
    """Where the services of one cloud live. URLs have no trailing slash."""

    name: str
    authority: str
    """Entra ID's token endpoints start here."""
    graph: str
    power_platform: str
    """The Power Platform admin API (BAP)."""
    power_platform_audience: str
    partner_center: str

    def with_endpoints(self, endpoints: dict[str, str | None]) -> Cloud:
        """The same cloud with some hosts replaced; a replaced Power Platform host is its own audience."""
        given = {name: url.rstrip("/") for name, url in endpoints.items() if url}
        if "power_platform" in given:
            given["power_platform_audience"] = given["power_platform"]
        return replace(self, **given)


_PUBLIC = Cloud(
    name="public",
    authority="https://login.microsoftonline.com",
    graph="https://graph.microsoft.com",
    power_platform="https://api.bap.microsoft.com",
    power_platform_audience="https://service.powerapps.com",
    partner_center="https://api.partnercenter.microsoft.com",
)

CLOUDS: dict[str, Cloud] = {
    "public": _PUBLIC,
    # GCC signs in and keeps its directory in the public cloud; only Power Platform is separate.
    "gcc": replace(
        _PUBLIC,
        name="gcc",
        power_platform="https://gov.api.bap.microsoft.us",
        power_platform_audience="https://service.powerapps.us",
    ),
    "gcc_high": Cloud(
        name="gcc_high",
        authority="https://login.microsoftonline.us",
        graph="https://graph.microsoft.us",
        power_platform="https://high.api.bap.microsoft.us",
        power_platform_audience="https://high.service.apps.appsplatform.us",
        partner_center="https://api.partnercenter.microsoft.com",
    ),
    "dod": Cloud(
        name="dod",
        authority="https://login.microsoftonline.us",
        graph="https://dod-graph.microsoft.us",
        power_platform="https://api.bap.appsplatform.us",
        power_platform_audience="https://service.apps.appsplatform.us",
        partner_center="https://api.partnercenter.microsoft.com",
    ),
    "china": Cloud(
        name="china",
        authority="https://login.partner.microsoftonline.cn",
        graph="https://microsoftgraph.chinacloudapi.cn",
        power_platform="https://api.bap.partner.microsoftonline.cn",
        power_platform_audience="https://service.powerapps.cn",
        partner_center="https://partner.partnercenterapi.microsoftonline.cn",
    ),
}
