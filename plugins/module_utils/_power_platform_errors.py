# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Power Platform admin API answers when it refuses a request.

This file is private to the collection.
"""

from __future__ import annotations

from ._error_entries import Entry, codes

POWER_PLATFORM: tuple[Entry, ...] = (
    Entry(
        "not-a-management-application",
        "power_platform",
        "The automation's application is not registered with the Power Platform admin API.",
        "An administrator registers it once per tenant (New-PowerAppManagementApp), or choose another way of synchronising the user.",
        pattern=r"does not have permission to access",
    ),
    Entry(
        "user-not-licensed",
        "power_platform",
        "The user has no licence yet that the environment accepts.",
        "Assign a Dynamics 365 or Power Apps licence; a new one needs some minutes to be known.",
        pattern=r"userNotLicensed|not licensed|does not have a license",
    ),
    Entry(
        "user-not-in-security-group",
        "power_platform",
        "The environment admits members of its security group only, and the user is none.",
        "Add the user to the group that the environment names, or take the group off the environment.",
        codes("userNotInSecurityGroup"),
    ),
    Entry(
        "user-not-enabled",
        "power_platform",
        "The account is disabled, so the environment does not take it in.",
        "Enable the account (o365_user).",
        codes("userNotEnabled"),
    ),
    Entry(
        "user-not-known",
        "power_platform",
        "The Power Platform does not know the user (yet).",
        "Check the object id; an account that was just created needs some minutes.",
        codes("userNotFound"),
    ),
    Entry(
        "environment-not-found",
        "power_platform",
        "The tenant has no environment with this id.",
        "Correct environment_id (crm_organization_info shows it), or tenant_id.",
        codes("EnvironmentNotFound"),
        details=((r"environment '(?P<environment>[^']+)'", "Looked for: {environment}."),),
    ),
    Entry(
        "environment-busy",
        "power_platform",
        "Something else is being done with the environment, such as a backup, copy or update.",
        "Wait until it is done (the Power Platform admin centre shows it) and run again.",
        codes("OperationNotStartable"),
    ),
    Entry(
        "capacity-missing",
        "power_platform",
        "The tenant has not enough storage capacity.",
        "Free or buy capacity (Power Platform admin centre, Licensing, Capacity).",
        codes("InsufficientCapacity_StorageDriven"),
    ),
    Entry(
        "application-not-in-power-platform",
        "power_platform",
        "The tenant has no such application.",
        "Correct the application id, or have an administrator of the tenant consent to the application.",
        codes("ApplicationNotFound"),
    ),
    Entry(
        "connections-in-use",
        "power_platform",
        "A custom connector still has connections, so it cannot be removed.",
        "Delete its connections first.",
        codes("CannotDeleteApiDueToExistingConnections"),
        details=((r"connector (?P<connector>\S+) cannot be deleted", "The connector is {connector}."),),
    ),
    Entry(
        "admin-token-refused",
        "power_platform",
        "The Power Platform admin API does not accept the access token.",
        "Check that the chosen cloud is the tenant's.",
        codes("AuthenticationFailed", "InvalidAuthenticationToken"),
    ),
    Entry(
        "admin-access-denied",
        "power_platform",
        "The automation's identity may not do this. The service says: {message}.",
        "Register its application with the Power Platform admin API, or give it the Entra role Power Platform Administrator or Dynamics 365 Administrator.",
        codes("Forbidden", "Unauthorized"),
    ),
)
