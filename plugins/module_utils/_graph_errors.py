# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Microsoft Graph answers when it refuses a request.

This file is private to the collection.
"""

from __future__ import annotations

from ._error_entries import Entry, codes

GRAPH: tuple[Entry, ...] = (
    # Applications: told by the text, since the codes are those of other troubles
    Entry(
        "application-not-visible",
        "graph",
        "The application does not exist, or is so new that the directory does not know it everywhere.",
        "Run again in a minute; an application of another tenant needs that tenant's consent first.",
        pattern=r"does not reference a valid application object|backing application of the service principal",
    ),
    Entry(
        "already-there",
        "graph",
        "What was to be created is there already.",
        "Run again: another run may have made it meanwhile.",
        pattern=r"is already in use|(?:Permission|EntitlementGrant) (?:being assigned|entry) already exists",
    ),
    # Permissions
    Entry(
        "graph-permission-named",
        "graph",
        "The automation's application lacks a permission of Microsoft Graph.",
        "Grant it {permission}, with admin consent, and run again (a new token is needed).",
        pattern=r"missing permission scopes? (?P<permission>[\w.-]+\w(?:,\s*[\w.-]+\w)*)",
    ),
    Entry(
        "graph-permission",
        "graph",
        "The automation's application may not do this in the directory, or the user is protected because of an administrator role.",
        "Grant it the application permission that the module's documentation names, with admin consent, and run again (a new token is needed). "
        "The password of an existing user also takes the Entra role User Administrator, or Privileged Authentication Administrator for administrators.",
        codes("Authorization_RequestDenied", "Forbidden", "accessDenied"),
    ),
    Entry(
        "graph-identity",
        "graph",
        "The automation's application has no service principal in this tenant.",
        "Have an administrator of the tenant grant admin consent to the application.",
        codes("Authorization_IdentityNotFound"),
    ),
    Entry(
        "graph-token",
        "graph",
        "Microsoft Graph does not accept the access token. It says: {message}.",
        "Check that the chosen cloud is the tenant's, and this machine's clock.",
        codes("InvalidAuthenticationToken"),
    ),
    # Users
    Entry(
        "user-name-taken",
        "graph",
        "Another object of the directory has the same value in {property}.",
        "Choose another value, or remove the other object.",
        pattern=r"same value for property (?P<property>\w+) already exists",
    ),
    Entry(
        "domain-not-verified",
        "graph",
        "The domain of the user name is not a verified domain of this tenant.",
        "Use one of the tenant's verified domains.",
        pattern=r"domain portion of the userPrincipalName",
    ),
    Entry(
        "password-too-weak",
        "graph",
        "The tenant's password policy refuses the password.",
        "Give a longer one with upper and lower case letters, digits and symbols, without words that are easily guessed.",
        pattern=r"password complexity|does not comply with password",
    ),
    Entry(
        "password-missing",
        "graph",
        "A new user needs a password.",
        "Give a password.",
        pattern=r"password must be specified",
    ),
    Entry(
        "user-is-synchronised",
        "graph",
        "The user comes from an on-premises directory, which alone can change it.",
        "Change it there and wait for the synchronisation, or use an account that lives in the cloud.",
        pattern=r"on-premises mastered|synchronized from|on.?premises.{0,40}(?:Directory Sync|synchroni[sz]ed)",
    ),
    # Licences
    Entry(
        "usage-location",
        "graph",
        "The user has no valid usage location, which a licence needs.",
        "Set usage_location to the two-letter code of a country where the product is sold; right after a change it may need a minute.",
        pattern=r"invalid usage location",
    ),
    Entry(
        "usage-location-prohibited",
        "graph",
        "The product must not be used in the user's country.",
        "Choose another product, or correct usage_location.",
        pattern=r"ProhibitedInUsageLocation",
    ),
    Entry(
        "no-seats",
        "graph",
        "No seat of the product is left in this tenant.",
        "Buy or free a seat, or name another product (o365_license_info shows the seats).",
        pattern=r"does not have any available licenses|LicenseQuotaExceeded",
        details=((r"with SKU (?P<sku>[0-9a-f-]{36})", "The product's SKU id is {sku}."),),
    ),
    Entry(
        "plans-exclusive",
        "graph",
        "The product contains service plans that exclude others the user has.",
        "Disable the plans, or take the other product away in the same task.",
        pattern=r"mutually exclusive",
        details=((r"service plans (?P<plans>[0-9a-f, -]+) are mutually", "The ids of the plans: {plans}."),),
    ),
    Entry(
        "plan-dependency",
        "graph",
        "A service plan of the product needs another plan that the user does not have.",
        "Assign the product that brings the other plan as well, or do not disable it.",
        pattern=r"depends on the service plan",
        details=(
            (
                r"service plan (?P<plan>[0-9a-f-]{36}) depends on the service plan\(s\) (?P<needed>[0-9a-f-]{36}(?:, ?[0-9a-f-]{36})*)",
                "Plan {plan} needs: {needed}.",
            ),
        ),
    ),
    Entry(
        "licence-inherited",
        "graph",
        "The licence comes through a group and cannot be taken from the user alone.",
        "Take the user out of the group, or the licence from the group.",
        pattern=r"inherited from a group membership",
    ),
    Entry(
        "licence-not-held",
        "graph",
        "The user does not hold the licence that was to be removed.",
        "Run again: another run may have removed it meanwhile.",
        pattern=r"does not have a corresponding license",
    ),
    Entry(
        "licence-for-companies",
        "graph",
        "The product is for the whole company and cannot be assigned to a user.",
        "Name a product for users (o365_license_info tells them apart).",
        pattern=r"License \S+ cannot be assigned to a user",
        details=((r"License (?P<sku>[0-9a-f-]{36})", "The product's SKU id is {sku}."),),
    ),
    Entry(
        "licence-not-in-tenant",
        "graph",
        "The tenant does not have this product.",
        "Name a product that the tenant has (o365_license_info lists them).",
        pattern=r"does not correspond to a valid company License",
        details=((r"License (?P<sku>[0-9a-f-]{36})", "The product's SKU id is {sku}."),),
    ),
    Entry(
        "plan-not-in-product",
        "graph",
        "The product has no such service plan.",
        "Correct the disabled plans (o365_license_info lists the plans of each product).",
        pattern=r"plan (?P<plan>\S+) is not part of",
        details=((r"plan (?P<plan>[0-9a-f-]{36})", "The plan's id is {plan}."),),
    ),
    # Directory roles
    Entry(
        "no-pim",
        "graph",
        "The tenant has no licence for Privileged Identity Management, so there are no eligible roles.",
        "Nothing, unless eligible roles were expected: they need Entra ID P2 or Entra ID Governance.",
        codes("AadPremiumLicenseRequired"),
    ),
    Entry(
        "role-not-held",
        "graph",
        "The account does not hold the role that was to be removed.",
        "Run again: another run may have removed it meanwhile.",
        codes("RoleAssignmentDoesNotExist"),
    ),
    # In general
    Entry(
        "object-missing",
        "graph",
        "The directory has no such object, or not everywhere yet.",
        "Check the id or name; what was created seconds ago may need a minute.",
        codes("Request_ResourceNotFound", "ResourceNotFound"),
        details=((r"Resource '(?P<object>[^']+)' does not exist", "Looked for: {object}."),),
    ),
    Entry(
        "value-refused-by-directory",
        "graph",
        "The directory does not accept a value. It says: {message}.",
        "Correct the value that it names.",
        codes("Request_BadRequest"),
        r"Invalid value specified|property values specified are invalid|Cannot convert",
    ),
    Entry(
        "query-not-supported",
        "graph",
        "The directory cannot answer this query. It says: {message}.",
        "Report this as a bug of the collection.",
        codes("Request_UnsupportedQuery", "BadRequest"),
    ),
    Entry(
        "directory-busy",
        "graph",
        "The directory was busy with other changes, and repeating did not help.",
        "Run fewer tasks at once against this tenant, or raise retry_timeout.",
        codes("Directory_ConcurrencyViolation", "TooManyRequests", "Request_ThrottledTemporarily"),
    ),
)
