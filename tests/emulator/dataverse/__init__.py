# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dataverse Web API of each tenant's organisation."""

from __future__ import annotations

from .application import handle, unauthorized
from .seed import install_stand_in, seed_organization
from .users import DirectoryProblem, NotEnabled, NotFound, NotInSecurityGroup, NotLicensed, advance_users, force_sync

__all__ = [
    "DirectoryProblem",
    "NotEnabled",
    "NotFound",
    "NotInSecurityGroup",
    "NotLicensed",
    "advance_users",
    "force_sync",
    "handle",
    "install_stand_in",
    "seed_organization",
    "unauthorized",
]
