# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error catalogue: what services were seen to answer is explained, and no entry is out of reach."""

from __future__ import annotations

import re
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils._api import read_error
from ansible_collections.leadops.dynamics365.plugins.module_utils._error_catalogue import CATALOGUE, explain
from ansible_collections.leadops.dynamics365.plugins.module_utils._http import Answer
from ansible_collections.leadops.dynamics365.plugins.module_utils._identity import _refusal
from ansible_collections.leadops.dynamics365.tests.tools.write_error_page import PAGE, page
from ansible_collections.leadops.dynamics365.tests.unit.plugins.seen_errors import CLAIMS, ID, OTHER, SEEN

SERVICES = sorted({entry.service for entry in CATALOGUE})
KNOWN_CODES = sorted({code for entry in CATALOGUE for code in entry.codes})


@pytest.mark.parametrize(("service", "name", "code", "text", "words"), SEEN)
def test_what_was_seen_is_explained_with_its_own_words(service: str, name: str, code: str, text: str, words: str):
    known = explain(service, code, text)
    assert known is not None
    assert known.name == name
    told = f"{known.meaning} {known.next_step}"
    assert [word for word in words.split() if word not in told] == []
    assert not re.search(r"\{(?!a budget)|  |\s$", told)
    assert known.meaning.endswith(".")
    assert known.next_step.endswith(".")


def test_every_entry_is_reached():
    assert {tuple(row[:2]) for row in SEEN} == {(entry.service, entry.name) for entry in CATALOGUE}


def test_every_code_reaches_its_entry_unless_the_entry_needs_a_text():
    missed = [
        (entry.name, code)
        for entry in CATALOGUE
        for code in entry.codes
        if not entry.pattern and ((known := explain(entry.service, code, "")) is None or known.name != entry.name)
    ]
    assert missed == []


def test_a_code_without_text_belongs_to_one_entry():
    owners = Counter((entry.service, code) for entry in CATALOGUE if not entry.pattern for code in entry.codes)
    assert [owner for owner, count in owners.items() if count > 1] == []


def test_names_are_unique():
    assert [name for name, count in Counter(entry.name for entry in CATALOGUE).items() if count > 1] == []


def test_every_sentence_uses_only_words_that_its_pattern_has():
    for entry in CATALOGUE:
        groups = re.compile(entry.pattern).groupindex.keys() | {"message"}
        assert _fields(entry.meaning) | _fields(entry.next_step) <= groups, entry.name
        for pattern, sentence in entry.details:
            assert _fields(sentence) <= re.compile(pattern).groupindex.keys(), entry.name


def _fields(sentence: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in string.Formatter().parse(sentence) if name is not None}


@given(service=st.sampled_from([*SERVICES, "other"]), code=st.one_of(st.sampled_from(KNOWN_CODES), st.text()), text=st.text())
def test_no_text_breaks_an_explanation(service: str, code: str, text: str):
    known = explain(service, code, text)
    assert known is None or (known.meaning and known.next_step)


@given(case=st.sampled_from(SEEN), before=st.text(max_size=20), after=st.text(max_size=20))
def test_what_stands_around_a_known_text_does_not_break_it(case: tuple[str, str, str, str, str], before: str, after: str):
    service, _name, code, text, _words = case
    assert explain(service, code, f"{before} {text} {after}") is not None


def test_a_long_text_is_cut():
    known = explain("dataverse", "0x80040265", "no " * 1000)
    assert known is not None
    assert len(known.meaning) < 600


def test_unknown_errors_are_left_alone():
    assert explain("dataverse", "0x8FFFFFFF", "Something new") is None
    assert explain("graph", "0x80072560", "") is None


def test_the_policy_is_named_from_the_claims_of_the_answer():
    error = _refusal({"error": "invalid_grant", "error_description": "AADSTS53003: Blocked. Trace ID: t", "claims": CLAIMS}, "https://graph.example")
    assert error.catalogue == "conditional-access"
    assert ID in error.why


def test_several_policies_are_all_named():
    claims = CLAIMS.replace(f'"{ID}"', f'"{ID}","{OTHER}"')
    known = explain("entra", "AADSTS53003", claims)
    assert known is not None
    assert f"{ID}, {OTHER}" in known.meaning


def test_the_body_of_privileged_identity_management_is_read():
    body = b'{"errorCode":"PermissionScopeNotGranted","message":"missing permission scope A.Read.","instanceAnnotations":[]}'
    assert read_error(Answer(403, {}, body)) == ("PermissionScopeNotGranted", "missing permission scope A.Read.")


def test_a_plain_sentence_is_read_and_a_page_is_not():
    assert read_error(Answer(503, {}, b"Async operations are currently disabled for this organization")) == (
        "",
        "Async operations are currently disabled for this organization",
    )
    assert read_error(Answer(502, {}, b"<html>Bad gateway</html>")) == ("", "")
    assert read_error(Answer(503, {}, b"")) == ("", "")


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make error-page"


def test_the_page_has_every_entry_and_code():
    text = page().lower()
    assert [entry.name for entry in CATALOGUE if f"\n{entry.name}\n^" not in text] == []
    assert [code for code in KNOWN_CODES if f"``{code.lower()}``" not in text] == []
