# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloading a package once, and only the right one."""

from __future__ import annotations

import hashlib
import multiprocessing
import typing as t
from io import BytesIO
from pathlib import Path

import pytest
import requests
from requests.adapters import BaseAdapter

from ansible_collections.leadops.dynamics365.plugins.module_utils import _package_download as subject
from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import InvalidOption, NotReachable
from ansible_collections.leadops.dynamics365.plugins.module_utils._package_download import (
    cache_directory,
    check_url,
    fetch_package,
    parse_checksum,
    verify_file,
)
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import FakeClock

URL = "https://downloads.example.com/package.zip?signature=not-a-real-one"
CONTENT = b"PK the package"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Web(BaseAdapter):
    """Answers one download after the other, and notes each in a file that processes share."""

    def __init__(self, log: Path, *answers: int | bytes | str) -> None:
        super().__init__()
        self.log = log
        self.answers = list(answers)

    def send(self, request: requests.PreparedRequest, **_unused: t.Any) -> requests.Response:  # type: ignore[override]
        with self.log.open("a") as log:
            log.write("asked\n")
        answer = self.answers.pop(0)
        response = requests.Response()
        response.request, response.url = request, str(request.url)
        if isinstance(answer, str):
            response.status_code, response.headers["Location"] = 302, answer
        else:
            response.status_code = 200 if isinstance(answer, bytes) else answer
        response.raw = BytesIO(answer if isinstance(answer, bytes) else b"")
        return response

    def close(self) -> None:
        """Nothing is open."""


def session(log: Path, *answers: int | bytes | str) -> requests.Session:
    made = requests.Session()
    made.trust_env = False
    made.adapters.clear()
    made.mount("https://", Web(log, *answers))
    return made


def asked(log: Path) -> int:
    return len(log.read_text().splitlines())


def test_the_second_tenant_finds_the_file(tmp_path: Path):
    log = tmp_path / "log"
    web = session(log, CONTENT)
    first = fetch_package(URL, DIGEST, web, FakeClock(), tmp_path)
    assert Path(first).read_bytes() == CONTENT
    assert fetch_package(URL, DIGEST, web, FakeClock(), tmp_path) == first
    assert asked(log) == 1


def _worker(directory: str, log: str) -> None:
    fetch_package(URL, DIGEST, session(Path(log), CONTENT), FakeClock(), Path(directory))


def test_workers_that_start_together_download_once(tmp_path: Path):
    log = tmp_path / "log"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_worker, args=(str(tmp_path), str(log))) for _unused in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0] * 8
    assert asked(log) == 1


def test_a_spoiled_file_in_the_cache_is_replaced(tmp_path: Path):
    (tmp_path / f"{DIGEST}.zip").write_bytes(b"half of")
    path = fetch_package(URL, DIGEST, session(tmp_path / "log", CONTENT), FakeClock(), tmp_path)
    assert Path(path).read_bytes() == CONTENT


def test_another_file_than_promised_is_refused_and_not_kept(tmp_path: Path):
    with pytest.raises(InvalidOption, match="sent a file with the SHA-256") as caught:
        fetch_package(URL, DIGEST, session(tmp_path / "log", b"PK something else"), FakeClock(), tmp_path)
    assert "signature" not in str(caught.value)
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".zip" or path.name.startswith(".partial")]


def test_a_busy_server_is_asked_again_but_not_for_ever(tmp_path: Path):
    clock = FakeClock()
    assert fetch_package(URL, DIGEST, session(tmp_path / "log", 503, CONTENT), clock, tmp_path)
    assert clock.slept
    (tmp_path / f"{DIGEST}.zip").unlink()
    with pytest.raises(NotReachable, match="HTTP 503"):
        fetch_package(URL, DIGEST, session(tmp_path / "log", 503, 503, 503), FakeClock(), tmp_path)


def test_a_missing_file_and_a_way_to_plain_http_are_errors_of_the_url(tmp_path: Path):
    with pytest.raises(InvalidOption, match="HTTP 404"):
        fetch_package(URL, DIGEST, session(tmp_path / "log", 404), FakeClock(), tmp_path)
    with pytest.raises(InvalidOption, match="not https"):
        fetch_package(URL, DIGEST, session(tmp_path / "log", "http://downloads.example.com/package.zip"), FakeClock(), tmp_path)


def test_endless_files_are_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(subject, "MAX_PACKAGE", 5)
    with pytest.raises(InvalidOption, match="which is no solution package"):
        fetch_package(URL, DIGEST, session(tmp_path / "log", CONTENT), FakeClock(), tmp_path)


def test_a_directory_that_others_can_write_to_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    mine = cache_directory()
    assert mine.parent == tmp_path
    assert mine.stat().st_mode & 0o777 == 0o700
    mine.chmod(0o777)
    monkeypatch.setattr(subject.tempfile, "gettempdir", lambda: str(tmp_path / "elsewhere"))
    assert cache_directory().parent == tmp_path / "elsewhere"


def test_checksums_and_urls_are_checked_first(tmp_path: Path):
    assert parse_checksum(f" SHA256:{DIGEST.upper()}") == DIGEST
    for wrong in (DIGEST, "md5:abc", f"sha256:{DIGEST}0"):
        with pytest.raises(InvalidOption, match="checksum"):
            parse_checksum(wrong)
    for wrong in ("http://example.com/x.zip", "https://user:secret@example.com/x.zip", "x.zip"):
        with pytest.raises(InvalidOption) as caught:
            check_url(wrong)
        assert "secret" not in str(caught.value)
    file = tmp_path / "x.zip"
    file.write_bytes(CONTENT)
    verify_file(str(file), DIGEST)
    with pytest.raises(InvalidOption, match="has the SHA-256"):
        verify_file(str(file), DIGEST.replace(DIGEST[0], "0" if DIGEST[0] != "0" else "1"))
