# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated passwords, and the files that keep them."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils import _password_files
from ansible_collections.leadops.dynamics365.plugins.module_utils._directory_user_rules import check_password
from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import InvalidOption, NotPossible
from ansible_collections.leadops.dynamics365.plugins.module_utils._password_files import PasswordFile, generate_password, words_to_avoid

KEPT = "Kept-Password-1"


def password_file(path: Path, *avoid: str, length: int = 20) -> tuple[PasswordFile, list[str]]:
    masked: list[str] = []
    return PasswordFile(path, length, avoid, masked.append), masked


@given(st.integers(8, 256))
def test_what_is_generated_fits_the_rules_and_is_never_the_same(length: int):
    first, second = generate_password(length), generate_password(length)
    assert len(first) == len(second) == length
    assert first != second
    for password in (first, second):
        check_password(password)
        assert all(any(test(sign) for sign in password) for test in (str.islower, str.isupper, str.isdigit, lambda sign: not sign.isalnum()))


def test_words_are_avoided_in_whatever_case(monkeypatch: pytest.MonkeyPatch):
    drawn = iter("xLEADS-12" + "xOther-12")
    monkeypatch.setattr(_password_files.secrets, "choice", lambda _alphabet: next(drawn))
    assert generate_password(9, ("leads",)) == "xOther-12"


def test_the_parts_of_names_are_avoided():
    assert words_to_avoid("O'Neil-leads.b@Contoso.onmicrosoft.com", "Ada Huber") == (
        "ada", "com", "contoso", "huber", "leads", "neil", "o'neil-leads.b", "onmicrosoft",
    )  # fmt: skip


def test_the_file_is_complete_private_and_alone(tmp_path: Path):
    path = tmp_path / "new" / "leads"
    kept, masked = password_file(path)
    kept.check()
    assert not path.parent.exists(), "looking made something"
    password = kept.password()
    assert path.read_text(encoding="utf-8") == f"{password}\n"
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)
    assert [entry.name for entry in path.parent.iterdir()] == ["leads"]
    assert (kept.generated, set(masked)) == (True, {password})
    assert not kept.readable_by_others()
    again, masked = password_file(path)
    again.check()
    assert (again.password(), again.generated, set(masked)) == (password, False, {password})


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_what_is_kept_is_used_as_it_is(tmp_path: Path, ending: str):
    path = tmp_path / "leads"
    path.write_bytes(f" {KEPT}{ending}".encode())
    kept, _masked = password_file(path)
    kept.check()
    assert kept.password() == f" {KEPT}"
    assert kept.another() is None, "a password that is not this run's was replaced"
    assert path.read_bytes() == f" {KEPT}{ending}".encode()
    path.chmod(0o640)
    assert kept.readable_by_others()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has 0 characters"),
        (b"short\n", "has 5 characters"),
        (b"no-capitals-there\n", "too simple"),
        (b"One-Line-1\nOne-Line-2\n", "several lines"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n6162\n", "is encrypted"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_what_cannot_be_a_password_is_told_and_not_shown(tmp_path: Path, content: bytes, said: str):
    path = tmp_path / "leads"
    path.write_bytes(content)
    with pytest.raises(InvalidOption, match=said) as caught:
        password_file(path)[0].check()
    assert caught.value.why.startswith("password_file: ")
    assert "One-Line" not in str(caught.value)
    assert path.read_bytes() == content


def test_a_directory_is_no_password(tmp_path: Path):
    with pytest.raises(InvalidOption, match="cannot be read"):
        password_file(tmp_path)[0].check()


@pytest.mark.parametrize("length", [7, 257])
def test_the_length_has_limits(tmp_path: Path, length: int):
    with pytest.raises(InvalidOption, match="8 to 256"):
        password_file(tmp_path / "leads", length=length)[0].check()


def test_a_place_that_cannot_be_written_is_known_beforehand(tmp_path: Path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(InvalidOption, match="not a directory"):
        password_file(tmp_path / "file" / "below" / "leads")[0].check()


def test_a_disk_that_fails_is_an_error_that_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotPossible, match="No space left"):
        password_file(tmp_path / "leads")[0].password()
    assert not list(tmp_path.iterdir())


def test_of_several_that_make_it_at_once_one_does_and_all_read_it(tmp_path: Path):
    path, start = tmp_path / "leads", threading.Barrier(8)
    runs = [password_file(path)[0] for _number in range(8)]
    found: list[str] = []

    def make(kept: PasswordFile) -> None:
        start.wait()
        found.append(kept.password())

    threads = [threading.Thread(target=make, args=(kept,)) for kept in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert set(found) == {path.read_text(encoding="utf-8").strip()}
    assert [kept.generated for kept in runs].count(True) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["leads"]


def test_a_refused_one_is_replaced_at_once(tmp_path: Path):
    kept, masked = password_file(tmp_path / "leads")
    first = kept.password()
    second = kept.another()
    assert second is not None
    assert first != second == (tmp_path / "leads").read_text(encoding="utf-8").strip()
    assert set(masked) == {first, second}
    assert stat.S_IMODE((tmp_path / "leads").stat().st_mode) == 0o600
