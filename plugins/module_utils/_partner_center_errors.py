# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Partner Center shows when it checks or uses a lead destination in Dynamics 365.

This file is private to the collection.
"""

from __future__ import annotations

from ._error_entries import Entry

PARTNER_CENTER: tuple[Entry, ...] = (
    Entry(
        "lead-sign-in-failed",
        "partner_center",
        "The lead service could not sign in to the organisation: the password or secret is wrong, or the account has no access or no licence.",
        "Check the credentials of the lead destination, and with crm_user and o365_user that the account is enabled and licensed.",
        pattern=r"Unable to sign in to Dynamics",
    ),
    Entry(
        "lead-column-denied",
        "partner_center",
        "The account lacks the role for leads, or a column security profile, for the column {column}.",
        "Assign the role of the lead solution (crm_role_assignment) and see that it holds prvCreateLead.",
        pattern=r"create permissions for the [`']?(?P<column>\w+)[`']? attribute",
    ),
    Entry(
        "lead-no-role",
        "partner_center",
        "The application user holds no role in the organisation.",
        "Assign the role of the lead solution (crm_role_assignment).",
        pattern=r"no roles are assigned",
    ),
    Entry(
        "lead-tenant-unknown",
        "partner_center",
        "The directory id of the lead destination names no tenant.",
        "Give the id of the tenant that the organisation belongs to.",
        pattern=r"Tenant\b.{0,80}\bnot found",
    ),
    Entry(
        "lead-application-unknown",
        "partner_center",
        "The application id of the lead destination is wrong, or the application is not in the organisation's tenant.",
        "Give the application (client) id of an application that has a service principal in that tenant.",
        pattern=r"Application with identifier.{0,80}not found in the directory",
    ),
    Entry(
        "lead-tenant-malformed",
        "partner_center",
        "The directory id of the lead destination is neither an id nor a domain name.",
        "Give the id of the tenant that the organisation belongs to.",
        pattern=r"tenant identifier.{0,80}not valid",
    ),
    Entry(
        "lead-secret-wrong",
        "partner_center",
        "The client secret of the lead destination is wrong or has expired, or is the secret's id.",
        "Give the value of a secret that is still valid.",
        pattern=r"Invalid client secret",
    ),
    Entry(
        "lead-url-wrong",
        "partner_center",
        "The URL of the lead destination leads to no organisation.",
        "Give the organisation's own address, as crm_organization_info shows it.",
        pattern=r"request channel timed out",
    ),
)
