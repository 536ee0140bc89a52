# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""o365_user on a scripted wire: passwords that the module makes up and keeps in a file."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import requests

from ansible_collections.leadops.dynamics365.plugins.modules import o365_user as module
from ansible_collections.leadops.dynamics365.tests.unit.plugins.directory_user_wire import (
    CONFLICT,
    CREATION,
    DENIED,
    ID,
    NOT_FOUND,
    ROW,
    SECRET,
    UPN,
    by_id,
    by_name,
    deleted,
    error,
    no_roles,
    organization,
    why,
)
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import GRAPH, Expected, Run, run

TOO_WEAK = error("Request_BadRequest", "The specified password does not comply with password complexity requirements. Please provide a different password.")
ALWAYS = {"update_password": "always", "admin_roles": "ignore"}


class Script:
    """Requests that carry a password, which must be in the file already when they are sent."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "leads"
        self.args: dict[str, t.Any] = {"user_principal_name": UPN, "password_file": str(self.path)}
        self.sent: list[str] = []

    def create(self, status: int = 201, answer: t.Any = None, raises: Exception | None = None) -> Expected:
        return Expected("POST", f"{GRAPH}/users", status, answer or {"id": ID}, body=lambda body: self._accepts(body, CREATION), raises=raises)

    def change(self, status: int = 204, answer: t.Any = None) -> Expected:
        return Expected("PATCH", f"{GRAPH}/users/{ID}", status, answer, body=lambda body: self._accepts(body, {"passwordProfile": None}))

    def _accepts(self, body: dict[str, t.Any], wanted: dict[str, t.Any]) -> bool:
        password = body["passwordProfile"]["password"]
        assert self.path.read_text(encoding="utf-8") == f"{password}\n", "the password was sent before it was kept"
        self.sent.append(password)
        profile = {"password": password, "forceChangePasswordNextSignIn": False}
        return body == {**wanted, "passwordProfile": profile}

    def unseen(self, ended: Run) -> bool:
        return not any(password in json.dumps([ended.result, ended.progress]) for password in self.sent)


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


def test_a_new_users_password_is_kept_before_it_is_sent_and_shown_nowhere(script: Script):
    ended = run(module, script.args, by_name(), deleted(), organization(), script.create(), by_id(ROW))
    assert not ended.failed
    assert (ended.result["created"], ended.result["password_set"], ended.result["password_generated"]) == (True, True, True)
    assert [len(password) for password in script.sent] == [32]
    assert script.unseen(ended)
    assert script.path.stat().st_mode & 0o777 == 0o600


def test_check_mode_foresees_it_without_making_any(script: Script):
    predicted = run(module, script.args, by_name(), deleted(), organization(), check=True)
    assert not list(script.path.parent.iterdir())
    real = run(module, script.args, by_name(), deleted(), organization(), script.create(), by_id(ROW))
    different = {"user", "planned", "writes"}
    assert {key: value for key, value in predicted.result.items() if key not in different} == {k: v for k, v in real.result.items() if k not in different}
    assert predicted.result["writes"] == real.result["writes"]


def test_a_kept_password_is_used_again(script: Script):
    script.path.write_text(f"{SECRET}\n", encoding="utf-8")
    script.path.chmod(0o644)
    ended = run(module, script.args, by_name(), deleted(), organization(), script.create(), by_id(ROW))
    assert (ended.result["password_set"], ended.result["password_generated"], script.sent) == (True, False, [SECRET])
    assert "Other users of this machine" in ended.result["warnings"][0]
    assert script.unseen(ended)


def test_an_existing_user_needs_no_password_and_no_file_is_made(script: Script):
    ended = run(module, script.args, by_name(ROW), *no_roles())
    assert (ended.result["changed"], ended.result["password_set"], ended.result["password_generated"]) == (False, False, False)
    assert not script.path.exists()
    assert not run(module, {**script.args, "state": "disabled"}, by_name({**ROW, "accountEnabled": False})).failed
    assert not script.path.exists()


def test_what_is_refused_beforehand_makes_no_file(script: Script):
    args = {**script.args, "user_principal_name": "leads@other.example"}
    by_other_name = Expected("GET", by_name().url.replace(UPN, "leads@other.example"), 404, NOT_FOUND)
    none = Expected("GET", deleted().url.replace(UPN, "leads@other.example"), answer={"value": []})
    assert "not a verified domain" in why(run(module, args, by_other_name, none, organization()))
    assert not script.path.exists()


@pytest.mark.parametrize(("content", "said"), [("short", "has 5 characters"), ("$ANSIBLE_VAULT;1.1;AES256\n61", "encrypted")])
@pytest.mark.parametrize("check", [True, False])
def test_a_file_that_cannot_be_used_is_told_before_the_first_request(script: Script, content: str, said: str, check: bool):  # noqa: FBT001
    script.path.write_text(content, encoding="utf-8")
    assert said in why(run(module, script.args, check=check))


def test_a_lost_answer_keeps_the_password_that_was_sent(script: Script):
    lost = (script.create(raises=requests.ConnectionError("reset")), by_name(), script.create(), by_id(ROW))
    ended = run(module, script.args, by_name(), deleted(), organization(), *lost)
    assert not ended.failed
    assert len(script.sent) == 2
    assert len(set(script.sent)) == 1


def test_a_refused_one_is_made_anew(script: Script):
    weak = script.create(400, TOO_WEAK)
    ended = run(module, script.args, by_name(), deleted(), organization(), weak, weak, script.create(), by_id(ROW))
    assert not ended.failed
    assert len(set(script.sent)) == 3
    assert script.unseen(ended)


def test_a_service_that_refuses_every_password_is_not_asked_for_ever(script: Script):
    weak = script.create(400, TOO_WEAK)
    ended = run(module, script.args, by_name(), deleted(), organization(), *[weak] * 4)
    assert "password policy" in why(ended)
    assert ended.result["changed"] is False


def test_what_happens_to_the_second_one_is_resolved_as_ever(script: Script):
    second = (script.create(400, TOO_WEAK), script.create(503, error("UnknownError")), by_name(ROW), by_id(ROW))
    ended = run(module, script.args, by_name(), deleted(), organization(), *second)
    assert (ended.failed, ended.result["created"]) == (False, True)
    script.path.unlink()
    denied = (script.create(400, TOO_WEAK), script.create(403, DENIED))
    assert "User.ReadWrite.All" in why(run(module, script.args, by_name(), deleted(), organization(), *denied))


def test_a_refused_one_that_was_there_already_stays(script: Script):
    script.path.write_text(f"{SECRET}\n", encoding="utf-8")
    ended = run(module, script.args, by_name(), deleted(), organization(), script.create(400, TOO_WEAK))
    assert "Delete the file to have another one made" in why(ended)
    assert script.path.read_text(encoding="utf-8") == f"{SECRET}\n"


def test_a_faster_run_has_its_own_password_unless_the_file_is_shared(script: Script):
    joined = (script.create(400, CONFLICT), by_name(ROW), *no_roles(), by_id(ROW))
    ended = run(module, script.args, by_name(), deleted(), organization(), *joined)
    assert (ended.result["password_set"], ended.result["password_generated"]) == (False, False)
    assert str(script.path) in ended.result["warnings"][0]
    assert script.path.exists(), "the other run may have read its password from there"


def test_with_always_the_file_is_what_the_password_shall_be(script: Script):
    args = {**script.args, **ALWAYS}
    predicted = run(module, args, by_name(ROW), check=True)
    assert (predicted.result["changed"], predicted.result["password_generated"], script.path.exists()) == (True, True, False)
    ended = run(module, args, by_name(ROW), script.change(400, TOO_WEAK), script.change(), by_id(ROW))
    assert (ended.result["changed"], ended.result["password_set"], ended.result["password_generated"]) == (True, True, True)
    ended = run(module, args, by_name(ROW), script.change(), by_id(ROW))
    assert (ended.result["password_set"], ended.result["password_generated"]) == (True, False)
    assert script.sent[-1] == script.sent[-2] != script.sent[0]
    assert script.unseen(ended)


def test_password_and_file_exclude_each_other_and_the_length_has_limits(script: Script):
    with pytest.raises(AssertionError, match="mutually exclusive"):
        run(module, {**script.args, "password": SECRET})
    assert "password_length" in why(run(module, {**script.args, "password_length": 7}))
