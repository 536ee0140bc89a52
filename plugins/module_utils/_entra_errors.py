# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Entra ID answers when it refuses a sign-in.

This file is private to the collection.
"""

from __future__ import annotations

from ._error_entries import Entry, codes

_TRY_APPLICATION = (
    "Sign in as an application instead (client secret, certificate or federated credential), "
    "which policies for people do not touch, or ask a Conditional Access Administrator to exclude this account."
)

ENTRA: tuple[Entry, ...] = (
    # The tenant and the application
    Entry(
        "tenant-not-found",
        "entra",
        "Entra ID knows no tenant with this id or domain in this cloud, or the tenant is gone.",
        "Correct tenant_id, or choose the cloud that the tenant lives in.",
        codes("AADSTS90002", "AADSTS900023", "AADSTS90038", "AADSTS900382", "AADSTS900432", "AADSTS5000224"),
        details=((r"Tenant '(?P<tenant>[^']+)' not found", "It was asked for {tenant}."),),
    ),
    Entry(
        "application-not-in-tenant",
        "entra",
        "The application is not known in this tenant: it was never consented to there, or client_id or tenant_id is wrong.",
        "Have an administrator of the tenant grant admin consent to the application, or correct client_id and tenant_id.",
        codes("AADSTS700016"),
        details=((r"identifier '(?P<application>[^']+)' was not found in the directory '(?P<tenant>[^']+)'", "Application {application}, tenant {tenant}."),),
    ),
    Entry(
        "application-disabled",
        "entra",
        "The application is disabled in this tenant.",
        "Enable its enterprise application (service principal) in the tenant.",
        codes("AADSTS7000112"),
    ),
    Entry(
        "partner-not-consented",
        "entra",
        "The application is not authorised in the customer's tenant for delegated partner access.",
        "Have the application consented to in that tenant, by its administrator or through the partner's consent request.",
        codes("AADSTS90099"),
    ),
    Entry(
        "partner-access-missing",
        "entra",
        "The account comes from another tenant and has no standing in this one.",
        "Put it into the security group that the partner relationship (GDAP) covers, or sign in to this tenant with an application or account of its own.",
        codes("AADSTS50020", "AADSTS50177", "AADSTS51004", "AADSTS530034"),
    ),
    Entry(
        "consent-missing",
        "entra",
        "The application lacks consent for what it asks.",
        "Have an administrator of the tenant grant admin consent to the application.",
        codes("AADSTS65001"),
    ),
    Entry(
        "application-permission-not-registered",
        "entra",
        "The application's registration does not list the service that a token was asked for.",
        "Add the service's permission to the registration (Dynamics CRM: user_impersonation) and have consent granted again.",
        codes("AADSTS650057"),
    ),
    Entry(
        "resource-not-in-tenant",
        "entra",
        "The tenant does not contain the service that a token was asked for.",
        "Check that url belongs to this tenant, that tenant_id is the id of the organisation's own tenant, and that it has a Dynamics 365 subscription.",
        codes("AADSTS500011", "AADSTS650052"),
        details=((r"resource principal named (?P<resource>\S+) was not found", "It was asked for {resource}."),),
    ),
    # Its credentials
    Entry(
        "client-secret-wrong",
        "entra",
        "The client secret is not valid for this application.",
        "Give the secret's value, not its id. A secret that was made less than a minute ago may need that minute.",
        codes("AADSTS7000215"),
        details=((r"added to app '(?P<application>[^']+)'", "Application {application}."),),
    ),
    Entry(
        "client-secret-expired",
        "entra",
        "The client secret has expired.",
        "Create a new secret for the application and put it where this run reads it.",
        codes("AADSTS7000222"),
        details=((r"keys for app '(?P<application>[^']+)'", "Application {application}."),),
    ),
    Entry(
        "certificate-not-registered",
        "entra",
        "The certificate is not registered with the application, or its signature does not verify.",
        "Upload the public certificate to the application registration, and check that certificate_path holds its private key.",
        codes("AADSTS700027"),
        details=((r"Thumbprint of key used by client: '(?P<thumbprint>[0-9A-F]+)'", "The certificate's thumbprint is {thumbprint}."),),
    ),
    Entry(
        "assertion-outside-validity",
        "entra",
        "The signed assertion is not valid at this time.",
        "Check this machine's clock; a federated token may have expired and must be issued anew.",
        codes("AADSTS700024"),
    ),
    Entry(
        "assertion-malformed",
        "entra",
        "The assertion cannot be read, or names another audience, issuer or subject than the application's.",
        "Check that federated_token_file holds a token of the trusted issuer, made for this use.",
        codes("AADSTS50027", "AADSTS700023", "AADSTS700212", "AADSTS7000229"),
    ),
    Entry(
        "federated-credential-mismatch",
        "entra",
        "No federated credential of the application matches the token's issuer, subject and audience (compared to the letter).",
        "Compare the three values with the federated credential in the application registration. A new one needs some minutes.",
        codes("AADSTS70021", "AADSTS700213", "AADSTS7002137", "AADSTS7002138"),
        details=(
            (r"Assertion Issuer:? '(?P<issuer>[^']*)'", "The token's issuer is {issuer}."),
            (r"Assertion Subject:? '(?P<subject>[^']*)'", "Its subject is {subject}."),
            (r"Assertion Audience:? '(?P<audience>[^']*)'", "Its audience is {audience}."),
        ),
    ),
    Entry(
        "not-a-public-client",
        "entra",
        "The application does not allow sign-in with a user name and password alone.",
        "Allow public client flows in the application registration, or give a client_secret as well.",
        codes("AADSTS7000218"),
    ),
    Entry(
        "public-client-with-credential",
        "entra",
        "The application is registered as a public client and may not prove itself with a secret or a certificate.",
        "Leave out client_secret or certificate_path, or register the application as a confidential client.",
        codes("AADSTS700025"),
    ),
    # The account
    Entry(
        "user-not-found",
        "entra",
        "The tenant has no account of this name.",
        "Check the user name and tenant_id. A user that was just created needs some minutes; guests and personal accounts cannot sign in with a password here.",
        codes("AADSTS50034"),
    ),
    Entry(
        "user-password-wrong",
        "entra",
        "The user name or the password is wrong.",
        "Correct them before the next run: repeated failures lock the account.",
        codes("AADSTS50126"),
    ),
    Entry(
        "user-without-password",
        "entra",
        "The tenant holds no password for this account: it is passwordless, federated, or synchronised without its password.",
        "Sign in as an application, or use an account that lives in the tenant.",
        codes("AADSTS50056"),
    ),
    Entry(
        "user-locked",
        "entra",
        "The account is locked after too many wrong sign-ins, or the sign-in came from a blocked address.",
        "Find what still uses an old password, wait some minutes, then try again.",
        codes("AADSTS50053"),
    ),
    Entry(
        "user-password-expired",
        "entra",
        "The password has expired, or must be changed at the next sign-in.",
        "Set a new password that does not expire and need not be changed (o365_user does both); one that is synchronised is set on premises.",
        codes("AADSTS50055", "AADSTS50144"),
    ),
    Entry("user-disabled", "entra", "The account is disabled.", "Enable the account.", codes("AADSTS50057")),
    Entry(
        "user-not-assigned",
        "entra",
        "The application admits assigned users only, and this account is not assigned to it.",
        "Assign the account to the enterprise application, or switch off its demand for assignment.",
        codes("AADSTS50105"),
    ),
    Entry(
        "sign-in-expired",
        "entra",
        "What was kept of an earlier sign-in is no longer valid.",
        "Run again; if it stays, correct the password, which was changed or reset.",
        codes("AADSTS50173", "AADSTS70043", "AADSTS700082", "AADSTS70008"),
    ),
    Entry(
        "interactive-only",
        "entra",
        "Entra ID wants a person at a browser for this sign-in.",
        _TRY_APPLICATION,
        codes("AADSTS50058", "AADSTS70016"),
    ),
    # Policies
    Entry(
        "mfa-required",
        "entra",
        "The tenant demands multi-factor authentication of this account.",
        _TRY_APPLICATION,
        codes("AADSTS50072", "AADSTS50074", "AADSTS50076", "AADSTS50078", "AADSTS50079"),
    ),
    Entry(
        "external-challenge",
        "entra",
        "The tenant demands a further step of this account, such as terms of use or another vendor's multi-factor authentication.",
        _TRY_APPLICATION,
        codes("AADSTS50158"),
    ),
    Entry(
        "security-defaults",
        "entra",
        "The tenant's security defaults block this sign-in.",
        "Sign in as an application instead: security defaults leave applications alone.",
        codes("AADSTS530035"),
    ),
    Entry(
        "conditional-access",
        "entra",
        "A Conditional Access policy blocks this sign-in.",
        _TRY_APPLICATION,
        codes("AADSTS53000", "AADSTS53001", "AADSTS53002", "AADSTS53003", "AADSTS53004"),
        # The ids stand in the claims of the answer
        details=((r'capolids.*?"values"\s*:\s*\[\s*(?P<policies>"[^"]+"(?:\s*,\s*"[^"]+")*)', "Id of the policy: {policies}."),),
    ),
    # The request
    Entry(
        "sign-in-loop",
        "entra",
        "Entra ID saw the same sign-in too often in a short time.",
        "Wait some minutes, and run fewer processes with this identity at once.",
        codes("AADSTS50196"),
    ),
    Entry(
        "sign-in-request-malformed",
        "entra",
        "Entra ID could not read the sign-in request.",
        "Check tenant_id, client_id and url for stray characters; if they are right, report this as a bug of the collection.",
        codes("AADSTS900144", "AADSTS90014", "AADSTS9002313", "AADSTS70011", "AADSTS70003"),
    ),
    Entry(
        "authority-not-usable",
        "entra",
        "This sign-in host or tenant path does not serve such sign-ins.",
        "Give the tenant's own id or domain in tenant_id (not common or consumers), and choose the cloud that it lives in.",
        codes("AADSTS9001023", "AADSTS50049"),
    ),
    Entry(
        "entra-busy",
        "entra",
        "Entra ID was not able to answer, and repeating did not help.",
        "Run again later; what is done already stays done.",
        codes("AADSTS90033", "AADSTS90024", "AADSTS90055", "AADSTS90090", "AADSTS50033", "AADSTS50087", "AADSTS90006", "temporarily_unavailable"),
    ),
)
