# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the directory accepts as a user: names, domains, passwords, values."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..store import Document
from .call import Call
from .countries import COUNTRIES
from .errors import GraphError, bad_request, conflict, invalid_value
from .objects import USER, USER_WRITABLE

_UPN = re.compile(r"[A-Za-z0-9'.\-_!#^~$]{1,64}")
_DOMAIN_MAXIMUM = 48
_NICKNAME = re.compile(r"[^\s@()\\\[\]\";:<>,]{1,64}")
_NAME_MAXIMUM = 256
_PASSWORD_LENGTH = range(8, 257)
_PASSWORD_CLASSES = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]"), re.compile("[^A-Za-z0-9]"))
_BANNED = frozenset({"password1", "password1!", "passw0rd", "p@ssw0rd", "p@ssword1", "p@ssw0rd1", "welcome1", "welcome1!", "qwerty123", "summer2026!"})
_POLICIES = frozenset({"none", "disablepasswordexpiration", "disablestrongpassword"})
_SHORTEST_NAME = 4
_COMPLEXITY = "The specified password does not comply with password complexity requirements. Please provide a different password."
_DOMAIN = "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization."


def check_properties(changes: Document) -> None:
    """Refuse unknown and read-only properties, and values of the wrong type."""
    for name, value in changes.items():
        if name.startswith("@odata."):
            continue
        if name not in USER.properties:
            raise bad_request(f"Property '{name}' does not exist as a declared property or extension property.")
        if name not in USER_WRITABLE:
            raise bad_request(f"Property '{name}' is read-only and cannot be set.")
        _CHECKS.get(name, _text)(name, value)


def check_name(call: Call, upn: str, own_id: str | None = None) -> None:
    """A user principal name must be well formed, in a verified domain, and free."""
    local, at, domain = upn.rpartition("@")
    if not at or not _UPN.fullmatch(local) or local.endswith(".") or len(domain) > _DOMAIN_MAXIMUM:
        raise invalid_value("userPrincipalName", "User")
    document = call.tenant.document
    if domain.lower() not in {name.lower() for name in (document["domain"], *document["verified_domains"])}:
        raise bad_request(_DOMAIN)
    if any(user["userPrincipalName"].lower() == upn.lower() for user in call.collection("users").values() if user["id"] != own_id):
        raise conflict("userPrincipalName")


def check_nickname(call: Call, nickname: str, own_id: str | None = None) -> None:
    """A mail nickname must be free."""
    if not call.switch("unique_mail_nickname", default=True):
        return
    taken = (user.get("mailNickname") or "" for user in call.collection("users").values() if user["id"] != own_id)
    if nickname.lower() in (name.lower() for name in taken):
        raise conflict("mailNickname")


def is_federated(call: Call, upn: str) -> bool:
    """Whether the domain of the name signs in elsewhere."""
    return upn.rpartition("@")[2].lower() in call.tenant.document.get("federated_domains", ())


def check_password(call: Call, password: Any, upn: str, policies: str | None) -> None:
    """The complexity rules for cloud accounts."""
    if not isinstance(password, str):
        raise bad_request(_COMPLEXITY)
    weak = len(password) not in _PASSWORD_LENGTH or not password.isascii() or password.lower() in _BANNED
    if "disablestrongpassword" not in policy_tokens(policies):
        weak |= sum(bool(pattern.search(password)) for pattern in _PASSWORD_CLASSES) < len(_PASSWORD_CLASSES) - 1
    name = upn.partition("@")[0].lower()
    if not call.switch("password_may_contain_name", default=False) and len(name) >= _SHORTEST_NAME:
        weak |= name in password.lower()
    if weak:
        raise bad_request(_COMPLEXITY)


def policy_tokens(policies: str | None) -> frozenset[str]:
    """``passwordPolicies`` as a set of lower-case tokens."""
    return frozenset(token.strip().lower() for token in (policies or "").split(",") if token.strip())


def _wrong_type(name: str, expected: str) -> GraphError:
    return bad_request(f"Cannot convert a value to target type '{expected}' because of conflict between input format string/number and parameter '{name}'.")


def _text(name: str, value: Any) -> None:
    if value is not None and not isinstance(value, str):
        raise _wrong_type(name, "Edm.String")
    # An empty string is no value: the directory wants null instead.
    if value == "" or (isinstance(value, str) and len(value) > _NAME_MAXIMUM):
        raise invalid_value(name, "User")


def _texts(name: str, value: Any) -> None:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _wrong_type(name, "Collection(Edm.String)")


def _truth(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise _wrong_type(name, "Edm.Boolean")


def _required_text(name: str, value: Any) -> None:
    _text(name, value)
    if value is None:
        raise invalid_value(name, "User")


def _nickname(name: str, value: Any) -> None:
    _required_text(name, value)
    if not _NICKNAME.fullmatch(value) or not value.isascii():
        raise invalid_value(name, "User")


def _country(name: str, value: Any) -> None:
    _required_text(name, value)
    if value not in COUNTRIES:
        raise invalid_value(name, "User")


def _policies(name: str, value: Any) -> None:
    _text(name, value)
    if policy_tokens(value) - _POLICIES:
        raise invalid_value(name, "User")


def _profile(name: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise _wrong_type(name, "microsoft.graph.passwordProfile")
    for member in value:
        if member.startswith("@odata."):
            continue
        if member not in ("password", "forceChangePasswordNextSignIn", "forceChangePasswordNextSignInWithMfa"):
            raise bad_request(f"The property '{member}' does not exist on type 'microsoft.graph.passwordProfile'.")
        if member != "password":
            _truth(member, value[member])


def _object(name: str, value: Any) -> None:
    if value is not None and not isinstance(value, dict):
        raise _wrong_type(name, f"microsoft.graph.{name}")


def _user_type(name: str, value: Any) -> None:
    if value not in ("Member", "Guest"):
        raise invalid_value(name, "User")


_CHECKS: dict[str, Callable[[str, Any], None]] = {
    "accountEnabled": _truth,
    "showInAddressList": _truth,
    "businessPhones": _texts,
    "otherMails": _texts,
    "displayName": _required_text,
    "userPrincipalName": _required_text,
    "mailNickname": _nickname,
    "usageLocation": _country,
    "passwordPolicies": _policies,
    "passwordProfile": _profile,
    "onPremisesExtensionAttributes": _object,
    "employeeOrgData": _object,
    "userType": _user_type,
}
