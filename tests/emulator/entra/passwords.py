# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Password sign-in of people: everything that can be wrong with an account."""

from __future__ import annotations

import datetime as dt
import json

from ..hosts import Service
from ..store import Document
from ..world import Tenant, World
from .clients import Client
from .errors import SignInError

_TRIES_BEFORE_LOCKOUT = 10
_LOCKOUT_SECONDS = 60
_RESOURCE_APP_IDS: dict[Service, str] = {
    "graph": "00000003-0000-0000-c000-000000000000",
    "dataverse": "00000007-0000-0000-c000-000000000000",
    "power_platform": "475226c6-020e-4fb2-8a90-7a972cbfc1d4",
    "partner_center": "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd",
}


def find_user(world: World, tenant: Tenant, name: str) -> Document:
    """The user with this user principal name."""
    wanted, now = name.lower(), world.now()
    for user in tenant.collection("users").values():
        if str(user["userPrincipalName"]).lower() == wanted and user.get("_visible_from", 0) <= now:
            return user
    raise SignInError(
        50034,
        f"The user account {{EmailHidden}} does not exist in the {tenant.id} directory. "
        "To sign into this application, the account must be added to the directory.",
    )


def check_password(world: World, tenant: Tenant, user: Document, password: str) -> None:
    """Compare the password; wrong ones are counted and lock the account for a while."""
    users = tenant.collection("users")
    if user.get("_locked_until", 0) > world.now():
        raise SignInError(50053, "You've tried to sign in too many times with an incorrect user ID or password.")
    if not user.get("_password"):
        raise SignInError(50056, "Invalid or missing password: password does not exist in the directory for this user.")
    if user["_password"] != password:
        wrong = int(user.get("_wrong_passwords", 0)) + 1
        locks = wrong % _TRIES_BEFORE_LOCKOUT == 0
        users.change(user["id"], _wrong_passwords=wrong, **({"_locked_until": world.now() + _LOCKOUT_SECONDS} if locks else {}))
        raise SignInError(50126, "Error validating credentials due to invalid username or password.")
    if user.get("_wrong_passwords"):
        users.change(user["id"], _wrong_passwords=0)


def check_account(world: World, tenant: Tenant, user: Document, service: Service) -> None:
    """Refuse accounts that have the right password but may not use it this way."""
    if not user.get("accountEnabled", True):
        raise SignInError(50057, "The user account is disabled.")
    profile = user.get("passwordProfile") or {}
    if profile.get("forceChangePasswordNextSignIn") or _has_expired(world, tenant, user):
        raise SignInError(50055, "The password is expired.", suberror="user_password_expired")
    reason = "Due to a configuration change made by your administrator, or because you moved to a new location, you must"
    if user.get("_mfa"):
        raise SignInError(50076, f"{reason} use multi-factor authentication to access '{_RESOURCE_APP_IDS[service]}'.", suberror="basic_action")
    if tenant.features.get("security_defaults"):
        raise SignInError(50079, f"{reason} enroll in multi-factor authentication to access '{_RESOURCE_APP_IDS[service]}'.", suberror="basic_action")
    policy = tenant.behaviour.get("conditional_access_policy_id")
    if policy:
        raise SignInError(
            53003,
            "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
            suberror="message_only",
            claims=json.dumps({"access_token": {"capolids": {"essential": True, "values": [policy]}}}),
        )


def granted_scopes(client: Client, service: Service, permissions: list[str]) -> list[str]:
    """The delegated permissions of the token; all that were asked for must have been consented to."""
    consented = client.consented(service)
    asked = [one for one in permissions if one != ".default"]
    if not consented or not set(asked) <= set(consented):
        raise SignInError(
            65001,
            f"The user or administrator has not consented to use the application with ID '{client.app_id}' named '{client.name}'. "
            "Send an interactive authorization request for this user and resource.",
            suberror="consent_required",
        )
    return consented


def _has_expired(world: World, tenant: Tenant, user: Document) -> bool:
    days = tenant.behaviour.get("password_validity_days")
    changed = user.get("lastPasswordChangeDateTime")
    if not days or not changed or "DisablePasswordExpiration" in (user.get("passwordPolicies") or ""):
        return False
    return dt.datetime.fromisoformat(changed).timestamp() + float(days) * 86400 < world.now()
