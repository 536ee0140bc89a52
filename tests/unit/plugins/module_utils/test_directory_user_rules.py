# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Entra ID accepts as names, passwords and countries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils._directory_user_rules import (
    check_display_name,
    check_mail_nickname,
    check_password,
    check_user_principal_name,
    country,
    default_mail_nickname,
    policy_tokens,
)
from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import InvalidOption

ALLOWED = "ABCabc019'.-_!#^~"


@pytest.mark.parametrize("name", ["a@b.co", "o'neil@contoso.com", "x_y-z.1!#^~@contoso.onmicrosoft.com", "a" * 64 + "@contoso.com"])
def test_names_that_work(name: str):
    check_user_principal_name(name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("leads", "not a user principal name"),
        ("@contoso.com", "not a user principal name"),
        ("ledé@contoso.com", "'é'"),
        ("a b@contoso.com", "contains"),
        ("a@b@contoso.com", "contains '@'"),
        ("leads.@contoso.com", "dot right before"),
        ("a" * 65 + "@contoso.com", "65 characters"),
        ("leads@contoso", "not a domain"),
        ("leads@con_toso.com", "not a domain"),
        ("leads@" + "a" * 45 + ".com", "48 characters"),
    ],
)
def test_names_that_do_not(name: str, said: str):
    with pytest.raises(InvalidOption, match="user_principal_name") as caught:
        check_user_principal_name(name)
    assert said in caught.value.why


@pytest.mark.parametrize("password", ["abcDEF12", "abcdefg1!", "ABC def 1", "Aa1" + "x" * 253])
def test_passwords_that_work(password: str):
    check_password(password)


@pytest.mark.parametrize(("password", "said"), [("aB1!xyz", "7 characters"), ("aB1" + "x" * 254, "257"), ("abcdefgh1", "too simple"), ("abcDEFgü1", "ASCII")])
def test_passwords_that_do_not_are_never_shown(password: str, said: str):
    with pytest.raises(InvalidOption) as caught:
        check_password(password)
    assert said in caught.value.why
    assert password not in str(caught.value)


@given(st.text(alphabet=ALLOWED, min_size=1, max_size=64))
def test_a_nickname_follows_from_every_name(local: str):
    check_mail_nickname(default_mail_nickname(f"{local}@contoso.com"))


def test_nicknames_and_display_names_have_limits():
    with pytest.raises(InvalidOption, match="mail_nickname"):
        check_mail_nickname("two words")
    with pytest.raises(InvalidOption, match="display_name"):
        check_display_name(" ")
    with pytest.raises(InvalidOption, match="display_name"):
        check_display_name("x" * 257)


def test_a_country_is_two_letters_in_any_case():
    assert country("de") == "DE"
    with pytest.raises(InvalidOption, match="usage_location"):
        country("Germany")


def test_policies_are_a_set_of_words():
    assert policy_tokens("DisableStrongPassword,disablepasswordexpiration") == policy_tokens("DisablePasswordExpiration, DisableStrongPassword")
    assert policy_tokens("None") == policy_tokens(None) == frozenset()
