# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What crm_solution does with the file it is given: refuse it before any request, get it once, send exactly its bytes."""

from __future__ import annotations

import base64
import hashlib
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.leadops.dynamics365.plugins.module_utils import _package_cache
from ansible_collections.leadops.dynamics365.plugins.modules import crm_solution as module
from ansible_collections.leadops.dynamics365.tests.unit.plugins.https_server import answer, serve
from ansible_collections.leadops.dynamics365.tests.unit.plugins.solution_wire import JOB, MODERN, OPERATION, import_of, operations, solutions
from ansible_collections.leadops.dynamics365.tests.unit.plugins.solution_zip import packed, sound_files, write_package
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import DATAVERSE, Expected, run


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_the_body_is_the_file_and_what_was_kept_of_it_holds_no_option(tmp_path: Path):
    package = write_package(tmp_path)
    sent: list[dict[str, t.Any]] = []

    def right(body: dict[str, t.Any]) -> bool:
        sent.append(body)
        return base64.b64decode(body["CustomizationFile"]) == Path(package).read_bytes()

    begun = Expected("POST", f"{DATAVERSE}/ImportSolutionAsync", answer={"ImportJobKey": JOB, "AsyncOperationId": OPERATION}, body=right)
    ended = import_of(package, solutions(), operations(), begun, wait=False, overwrite_unmanaged_customizations=True)
    assert not ended.failed, ended.result
    assert sent[0]["OverwriteUnmanagedCustomizations"] is True
    kept = list((tmp_path / "cache").rglob("*.json"))
    assert len(kept) == 1
    assert b"Overwrite" not in kept[0].read_bytes()


def test_all_tenants_share_one_download_and_one_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    content = packed(sound_files())
    readings: list[str] = []
    original = _package_cache.parse_package
    monkeypatch.setattr(_package_cache, "parse_package", lambda file, option: (readings.append(file.path), original(file, option))[1])
    with serve(tmp_path) as server:
        server.plays = [answer(200, content)]
        given = {"source_url": server.url, "checksum": f"sha256:{hashlib.sha256(content).hexdigest()}", "ca_path": str(server.ca), **MODERN}
        for _tenant in range(3):
            ended = run(module, given, solutions("1.0"))
            assert not ended.failed, ended.result
        assert len(server.asked) == len(readings) == 1


def test_what_is_no_file_is_refused_before_any_request(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for given in ({"path": str(tmp_path / "pipe")}, {"path": str(tmp_path / "pipe"), "checksum": f"sha256:{'0' * 64}"}, {"path": str(tmp_path)}):
        ended = run(module, given)
        assert ended.failed
        assert "is not a file" in ended.result["msg"]


def test_a_wrong_checksum_is_refused_before_any_request(tmp_path: Path):
    ended = run(module, {"path": write_package(tmp_path), "checksum": f"sha256:{'0' * 64}"})
    assert ended.failed
    assert "has the SHA-256" in ended.result["msg"]
