# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Power Platform admin API (BAP): environments and who is in them. Typed calls, no decisions.

The API is not documented by Microsoft as a whole; the calls here are those of Microsoft's Terraform provider.

This file is private to the collection.
"""

from __future__ import annotations

from ._api import Api, read_error
from ._clouds import Cloud
from ._http import Answer, Http
from ._identity import Identity
from ._odata import Row

_ENVIRONMENTS = "providers/Microsoft.BusinessAppPlatform/scopes/admin/environments"
_VERSION = "api-version=2023-06-01"


class PowerPlatform(Api):
    """The admin API for one tenant."""

    service = "power_platform"
    title = "The Power Platform admin API"

    def __init__(self, cloud: Cloud, identity: Identity, http: Http) -> None:
        super().__init__(cloud.power_platform, cloud.power_platform_audience, identity, http)

    def may_pass(self, answer: Answer) -> bool:
        """What is being done with an environment comes to an end."""
        return read_error(answer)[0] == "OperationNotStartable" or super().may_pass(answer)

    def environment(self, environment_id: str, *, doing: str) -> Row:
        """One environment."""
        return self.get(f"{_ENVIRONMENTS}/{environment_id}?{_VERSION}", doing=doing)


def add_user_path(environment_id: str) -> str:
    """The path that forces a user of the directory into an environment; repeating it does no harm."""
    return f"{_ENVIRONMENTS}/{environment_id}/addUser?{_VERSION}"
