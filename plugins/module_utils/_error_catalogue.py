# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the services' errors mean and what to do about them: data, no I/O.

An entry is chosen by the error's code, by its text, or by both; the first that fits wins. Named groups of
the pattern can be used in the two sentences. Codes are compared without regard to case, because Dataverse
mixes it. Sources: Microsoft's lists of Web service error codes and of AADSTS codes, and public issues.

This file is private to the collection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One known failure."""

    name: str
    service: str
    meaning: str
    next_step: str
    codes: frozenset[str] = frozenset()
    pattern: str = ""


@dataclass(frozen=True)
class Explanation:
    """An entry with the words of one error filled in."""

    name: str
    meaning: str
    next_step: str


def explain(service: str, code: str, text: str) -> Explanation | None:
    """What is known about an error, or None."""
    for entry in CATALOGUE:
        if entry.service != service or (entry.codes and code.lower() not in entry.codes):
            continue
        match = re.search(entry.pattern, text, re.IGNORECASE | re.DOTALL)
        if match is None:
            continue
        words = {name: value or "" for name, value in match.groupdict().items()}
        return Explanation(entry.name, entry.meaning.format(**words), entry.next_step.format(**words))
    return None


def _codes(*codes: str) -> frozenset[str]:
    return frozenset(code.lower() for code in codes)


_TRY_APPLICATION = (
    "Sign in as an application instead (client secret, certificate or federated credential), "
    "which multi-factor policies do not touch, or exclude this account from the policy."
)

CATALOGUE: tuple[Entry, ...] = (
    # Entra ID: sign-in
    Entry(
        "tenant-not-found",
        "entra",
        "Entra ID knows no tenant with this id or domain in this cloud.",
        "Correct tenant_id, or choose the cloud that the tenant lives in.",
        _codes("AADSTS90002", "AADSTS900023", "AADSTS90038", "AADSTS900382", "AADSTS900432", "AADSTS5000224"),
    ),
    Entry(
        "application-not-in-tenant",
        "entra",
        "The application is not known in this tenant: it was never consented to there, or client_id or tenant_id is wrong.",
        "Have an administrator of the tenant grant admin consent to the application, or correct client_id and tenant_id.",
        _codes("AADSTS700016"),
    ),
    Entry(
        "application-disabled",
        "entra",
        "The application is disabled in this tenant.",
        "Enable its enterprise application (service principal) in the tenant.",
        _codes("AADSTS7000112"),
    ),
    Entry(
        "client-secret-wrong",
        "entra",
        "The client secret is not valid for this application.",
        "Give the secret's value, not its id. A secret that was made less than a minute ago may need that minute.",
        _codes("AADSTS7000215"),
    ),
    Entry(
        "client-secret-expired",
        "entra",
        "The client secret has expired.",
        "Create a new secret for the application and put it where this run reads it.",
        _codes("AADSTS7000222"),
    ),
    Entry(
        "certificate-not-registered",
        "entra",
        "The certificate is not registered with the application, or its signature does not verify.",
        "Upload the public certificate to the application registration, and check that certificate_path holds its private key.",
        _codes("AADSTS700027"),
    ),
    Entry(
        "assertion-outside-validity",
        "entra",
        "The signed assertion is not valid at this time.",
        "Check this machine's clock; a federated token may have expired and must be issued anew.",
        _codes("AADSTS700024"),
    ),
    Entry(
        "federated-credential-mismatch",
        "entra",
        "No federated credential of the application matches the token's issuer, subject and audience (compared to the letter).",
        "Compare the three values with the federated credential in the application registration.",
        _codes("AADSTS70021", "AADSTS700213", "AADSTS7002137", "AADSTS7002138"),
    ),
    Entry(
        "not-a-public-client",
        "entra",
        "The application does not allow sign-in with a user name and password alone.",
        "Allow public client flows in the application registration, or give a client_secret as well.",
        _codes("AADSTS7000218"),
    ),
    Entry(
        "resource-not-in-tenant",
        "entra",
        "The tenant does not contain the service that a token was asked for.",
        "Check that url belongs to this tenant and that tenant_id is the id of the organisation's own tenant.",
        _codes("AADSTS500011", "AADSTS650057", "AADSTS650052"),
    ),
    Entry(
        "consent-missing",
        "entra",
        "The application lacks consent for what it asks.",
        "Have an administrator of the tenant grant admin consent to the application.",
        _codes("AADSTS65001"),
    ),
    Entry(
        "user-password-wrong",
        "entra",
        "The user name or the password is wrong.",
        "Correct them before the next run: repeated failures lock the account.",
        _codes("AADSTS50126", "AADSTS50034", "AADSTS50056"),
    ),
    Entry(
        "user-locked",
        "entra",
        "The account is locked after too many wrong sign-ins.",
        "Find what still uses an old password, wait some minutes, then try again.",
        _codes("AADSTS50053"),
    ),
    Entry(
        "user-password-expired",
        "entra",
        "The password has expired, or must be changed at the next sign-in.",
        "Set a new password that does not expire and need not be changed (o365_user does both).",
        _codes("AADSTS50055", "AADSTS50144"),
    ),
    Entry("user-disabled", "entra", "The account is disabled.", "Enable the account.", _codes("AADSTS50057")),
    Entry(
        "mfa-required",
        "entra",
        "The tenant demands multi-factor authentication of this account.",
        _TRY_APPLICATION,
        _codes("AADSTS50072", "AADSTS50074", "AADSTS50076", "AADSTS50078", "AADSTS50079", "AADSTS50158", "AADSTS530035"),
    ),
    Entry(
        "conditional-access",
        "entra",
        "A Conditional Access policy blocks this sign-in.",
        _TRY_APPLICATION,
        _codes("AADSTS53000", "AADSTS53001", "AADSTS53002", "AADSTS53003", "AADSTS53004"),
    ),
    # Dataverse
    Entry(
        "not-a-member",
        "dataverse",
        "The caller signed in but is not a user of this organisation.",
        "Create an application user for the automation's application id in this environment and give it the role System Administrator. "
        "In an organisation that was created minutes ago, wait and try again.",
        _codes("0x80072560"),
    ),
    Entry(
        "caller-disabled",
        "dataverse",
        "The user is disabled, or belongs to no business unit.",
        "Enable the system user in the organisation.",
        _codes("0x80040225"),
    ),
    Entry(
        "privilege-missing",
        "dataverse",
        "The caller lacks the privilege {privilege}.",
        "Give the caller's system user a role that holds {privilege}; System Administrator holds all that this collection needs.",
        pattern=r"is missing '?(?P<privilege>prv\w+)'? privilege",
    ),
    Entry(
        "no-role",
        "dataverse",
        "The caller holds no security role in this organisation.",
        "Give the caller's system user the role System Administrator.",
        pattern=r"no roles are assigned|has not been assigned any roles",
    ),
    Entry(
        "access-denied-to-record",
        "dataverse",
        "The caller's roles do not reach this record.",
        "Give the caller's system user a role with a greater depth; System Administrator reaches everything.",
        _codes("0x80048306", "0x80040220"),
    ),
    Entry(
        "solution-lock",
        "dataverse",
        "Another import, publish or removal is running in the organisation.",
        "Wait until it is done (Solution history shows it) and run again.",
        _codes("0x80071151", "0x8004f061", "0x8004f062", "0x8004f063", "0x8004f064", "0x8004f067"),
    ),
    Entry(
        "missing-dependencies",
        "dataverse",
        "The solution needs components that the organisation does not have. {detail}",
        "Install the solutions that bring them first. The lead tables come with a Dynamics 365 app such as Sales.",
        _codes("0x8004801d", "0x80048034"),
        r"(?P<detail>Install the following solutions[^<]*)?",
    ),
    Entry(
        "installed-unmanaged",
        "dataverse",
        "The solution is installed as unmanaged, and the package is managed.",
        "Remove the unmanaged solution from the organisation first (its components stay), then run again.",
        _codes("0x80048040"),
    ),
    Entry(
        "installed-managed",
        "dataverse",
        "The solution is installed as managed, and the package is unmanaged.",
        "Use the managed package.",
        _codes("0x80048041"),
    ),
    Entry(
        "publisher-differs",
        "dataverse",
        "A solution of this name from another publisher is installed.",
        "Check that the package is the genuine one.",
        _codes("0x8004801c"),
    ),
    Entry(
        "bad-package",
        "dataverse",
        "The organisation does not accept the file as a solution.",
        "Download the package again and compare its checksum.",
        _codes("0x80048060", "0x8004802c", "0x8004801a", "0x80048013"),
    ),
    Entry(
        "depth-not-allowed",
        "dataverse",
        "A privilege does not allow the depth that was asked for.",
        "Choose a depth that the privilege allows; crm_role_privilege names them.",
        _codes("0x8004140b"),
    ),
    Entry(
        "inherited-role",
        "dataverse",
        "Only the role in the root business unit can be edited; this is a copy.",
        "Edit the root role.",
        _codes("0x80044152"),
    ),
    Entry(
        "role-in-other-business-unit",
        "dataverse",
        "The role belongs to another business unit than the user.",
        "Assign the copy of the role in the user's business unit.",
        _codes("0x80041409", "0x8004021d"),
    ),
    Entry("record-missing", "dataverse", "The record does not exist (any more).", "", _codes("0x80040217", "0x80060891")),
    Entry(
        "table-missing",
        "dataverse",
        "The organisation does not know this table or operation.",
        "Check that the Dynamics 365 app that brings it (Sales, for leads) is installed, and that api_version fits the organisation.",
        _codes("0x80060888"),
    ),
    Entry(
        "service-protection",
        "dataverse",
        "The caller sent more than the organisation's service protection limits allow.",
        "Run fewer tasks at once against this organisation, or raise retry_timeout.",
        _codes("0x80072322", "0x80072321", "0x80072326"),
    ),
    # Microsoft Graph
    Entry(
        "graph-permission",
        "graph",
        "The automation's application may not do this in the directory.",
        "Grant it the application permission that the module's documentation names, with admin consent, and run again (a new token is needed).",
        _codes("Authorization_RequestDenied"),
    ),
    Entry(
        "graph-identity",
        "graph",
        "The automation's application has no service principal in this tenant.",
        "Have an administrator of the tenant grant admin consent to the application.",
        _codes("Authorization_IdentityNotFound"),
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
        "Give a longer one with upper and lower case letters, digits and symbols.",
        pattern=r"password complexity|does not comply with password",
    ),
    Entry(
        "no-seats",
        "graph",
        "No seat of the product is left in this tenant.",
        "Buy or free a seat, or name another product.",
        pattern=r"does not have any available licenses",
    ),
    Entry(
        "usage-location",
        "graph",
        "The user has no valid usage location, which a licence needs.",
        "Set usage_location to the two-letter code of a country where the product is sold.",
        pattern=r"invalid usage location",
    ),
    Entry(
        "plans-exclusive",
        "graph",
        "The product contains service plans that exclude others the user has.",
        "Disable the plans, or take the other product away in the same task.",
        pattern=r"mutually exclusive",
    ),
    Entry(
        "plan-dependency",
        "graph",
        "The product needs a service plan that the user does not have.",
        "Assign the product that brings the plan as well.",
        pattern=r"depends on the service plan",
    ),
    # Power Platform admin
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
)
