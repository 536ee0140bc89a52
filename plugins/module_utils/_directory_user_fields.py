# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which option of a directory user is kept in which property, and how the two forms differ. Pure functions.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import dataclass

from ._directory_user_rules import policy_tokens

_NO_EXPIRY = "DisablePasswordExpiration"


def _same(raw: t.Any) -> t.Any:
    return raw


def _plain(wanted: t.Any, _raw: t.Any) -> t.Any:
    return wanted


def _text(raw: str | None) -> str:
    return raw or ""


def _text_or_null(wanted: str, _raw: t.Any) -> str | None:
    # The directory refuses an empty text: nothing is null there
    return wanted or None


def _listed(raw: list[str] | None) -> list[str]:
    return sorted(raw or ())


def _never_expires(policies: str | None) -> bool:
    return _NO_EXPIRY.lower() in policy_tokens(policies)


def _with_expiry(never: bool, policies: str | None) -> str:  # noqa: FBT001
    """The other policies stay as they are."""
    others = [token for token in (part.strip() for part in (policies or "").split(",")) if token.lower() not in ("", "none", _NO_EXPIRY.lower())]
    return ", ".join([*([_NO_EXPIRY] if never else []), *others]) or "None"


@dataclass(frozen=True)
class Field:
    """One option that is kept in one property of the user."""

    option: str
    property: str
    read: Callable[[t.Any], t.Any] = _same
    """From the property's value to the option's."""
    write: Callable[[t.Any, t.Any], t.Any] = _plain
    """From the option's value, and the property's present one, to the property's new one."""


def _contact(option: str, name: str) -> Field:
    return Field(option, name, _text, _text_or_null)


FIELDS = (
    Field("display_name", "displayName"),
    _contact("given_name", "givenName"),
    _contact("surname", "surname"),
    Field("mail_nickname", "mailNickname"),
    Field("account_enabled", "accountEnabled"),
    Field("usage_location", "usageLocation"),
    Field("password_never_expires", "passwordPolicies", _never_expires, _with_expiry),
    _contact("job_title", "jobTitle"),
    _contact("department", "department"),
    _contact("company_name", "companyName"),
    _contact("office_location", "officeLocation"),
    _contact("mobile_phone", "mobilePhone"),
    Field("business_phones", "businessPhones", _listed),
    _contact("street_address", "streetAddress"),
    _contact("city", "city"),
    _contact("state_or_province", "state"),
    _contact("postal_code", "postalCode"),
    _contact("country", "country"),
    _contact("preferred_language", "preferredLanguage"),
    Field("other_mails", "otherMails", _listed),
)
