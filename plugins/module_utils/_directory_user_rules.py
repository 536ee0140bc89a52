# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Entra ID accepts as a user's names, password and country: checked before anything is sent. Pure functions.

This file is private to the collection.
"""

from __future__ import annotations

import re

from ._errors import InvalidOption

_LOCAL_PART = re.compile(r"[A-Za-z0-9'.\-_!#^~]+")
_DOMAIN = re.compile(r"(?=.{1,48}$)([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,}")
_NICKNAME = re.compile(r"[^\s@()\\\[\]\";:<>,]{1,64}", re.ASCII)
_NOT_IN_NICKNAME = re.compile(r"[^A-Za-z0-9.\-_]")
_PASSWORD_LENGTHS = range(8, 257)
_PASSWORD_CLASSES = ("[a-z]", "[A-Z]", "[0-9]", "[^A-Za-z0-9]")


def check_user_principal_name(name: str) -> None:
    """Letters, digits and a few signs before the ``@``, a domain behind it."""
    option = "user_principal_name"
    local, at, domain = name.rpartition("@")
    if not at or not local:
        raise InvalidOption(option, f"'{name}' is not a user principal name.", "Write it as name@domain, such as marketplace-leads@contoso.com.")
    if not _LOCAL_PART.fullmatch(local):
        strange = sorted(set(_LOCAL_PART.sub("", local)))
        raise InvalidOption(option, f"'{name}' contains {' '.join(strange)!r} before the @.", "Use letters without accents, digits and ' . - _ ! # ^ ~ only.")
    if local.endswith("."):
        raise InvalidOption(option, f"'{name}' has a dot right before the @.", "Take the dot away.")
    if len(local) > 64:
        raise InvalidOption(option, f"'{name}' has {len(local)} characters before the @; 64 are allowed.", "Choose a shorter name.")
    if not _DOMAIN.fullmatch(domain):
        raise InvalidOption(option, f"'{domain}' is not a domain of at most 48 characters.", "Use one of the tenant's verified domains.")


def check_password(password: str) -> None:
    """The rules of Entra ID that can be known beforehand; its list of banned passwords cannot."""
    if len(password) not in _PASSWORD_LENGTHS:
        raise InvalidOption("password", f"has {len(password)} characters; 8 to 256 are allowed.")
    if not password.isascii():
        raise InvalidOption("password", "contains characters outside ASCII, which Entra ID does not take.")
    if sum(bool(re.search(kind, password)) for kind in _PASSWORD_CLASSES) < 3:
        raise InvalidOption("password", "is too simple.", "Mix at least three of lower case letters, upper case letters, digits and symbols.")


def password_lengths() -> range:
    """How many characters a password may have."""
    return _PASSWORD_LENGTHS


def check_mail_nickname(nickname: str) -> None:
    """The part before the ``@`` of a mail address, even for a user without a mailbox."""
    if not _NICKNAME.fullmatch(nickname) or not nickname.isascii():
        raise InvalidOption("mail_nickname", f"'{nickname}' is not allowed.", 'Use up to 64 ASCII characters without blanks and @ ( ) \\ [ ] " ; : < > ,')


def check_display_name(name: str) -> None:
    """Up to 256 characters, and not nothing."""
    if not 1 <= len(name.strip()) <= 256:
        raise InvalidOption("display_name", "must have 1 to 256 characters.")


def country(code: str) -> str:
    """A country's two-letter code, in capitals."""
    if not re.fullmatch("[A-Za-z]{2}", code):
        raise InvalidOption("usage_location", f"'{code}' is not a two-letter country code.", "Use the ISO 3166-1 alpha-2 code, such as DE or US.")
    return code.upper()


def default_mail_nickname(user_principal_name: str) -> str:
    """The name before the ``@``, without what a nickname must not contain."""
    return _NOT_IN_NICKNAME.sub("", local_part(user_principal_name)) or "user"


def local_part(user_principal_name: str) -> str:
    """What stands before the ``@``."""
    return user_principal_name.rpartition("@")[0]


def policy_tokens(policies: str | None) -> frozenset[str]:
    """``passwordPolicies`` as lower-case words; order, case and blanks do not matter, and ``None`` is no policy."""
    return frozenset(token.strip().lower() for token in (policies or "").split(",")) - {"", "none"}
