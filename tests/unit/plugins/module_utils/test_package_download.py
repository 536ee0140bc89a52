# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloading a package once, and only the right one, from a real https server."""

from __future__ import annotations

import gzip
import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import requests

from ansible_collections.leadops.dynamics365.plugins.module_utils import _package_download as subject
from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import InvalidOption, NotPossible, NotReachable
from ansible_collections.leadops.dynamics365.plugins.module_utils._http import open_session, tls_context
from ansible_collections.leadops.dynamics365.plugins.module_utils._measured_file import measure
from ansible_collections.leadops.dynamics365.plugins.module_utils._package_download import PIECE, check_url, fetch_package, parse_checksum
from ansible_collections.leadops.dynamics365.tests.unit.plugins.https_server import HttpsServer, answer, parts, proxy, serve
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import FakeClock

CONTENT = b"PK" + hashlib.shake_128(b"a package").digest(5_000_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
OTHER = b"PK" + hashlib.shake_128(b"another").digest(5_000_000)


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpsServer]:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serve(tmp_path_factory.mktemp("server")) as running:
        yield running


def session(server: HttpsServer) -> requests.Session:
    return open_session(tls_context(str(server.ca), validate=True))


def fetch(server: HttpsServer, directory: Path, clock: FakeClock | None = None, url: str = "") -> bytes:
    file = fetch_package(url or f"{server.url}?signature=not-a-real-one", DIGEST, session(server), clock or FakeClock(), directory)
    content = Path(file.path).read_bytes()
    assert (file.size, file.digest) == (len(content), DIGEST)
    return content


def ranges(server: HttpsServer) -> list[str]:
    return [asked.get("Range", "") for asked in server.asked]


def left(directory: Path) -> list[str]:
    return sorted(path.suffix for path in directory.iterdir() if path.suffix != ".lock")


def test_the_second_tenant_finds_the_file(server: HttpsServer, tmp_path: Path):
    server.plays = [answer(200, CONTENT)]
    assert fetch(server, tmp_path) == CONTENT
    assert fetch(server, tmp_path) == CONTENT
    assert len(server.asked) == 1
    assert left(tmp_path) == [".zip"]
    assert next(tmp_path.glob("*.zip")).stat().st_mode & 0o777 == 0o600


PROGRAM = """
import sys
from pathlib import Path
from ansible_collections.leadops.dynamics365.plugins.module_utils._http import Clock, open_session, tls_context
from ansible_collections.leadops.dynamics365.plugins.module_utils._package_download import fetch_package
url, ca, digest, directory = sys.argv[1:]
fetch_package(url, digest, open_session(tls_context(ca, validate=True)), Clock(), Path(directory))
"""


def worker(server: HttpsServer, directory: Path) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-c", PROGRAM, server.url, str(server.ca), DIGEST, str(directory)]
    return subprocess.Popen(arguments, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})


def test_workers_that_start_together_download_once(server: HttpsServer, tmp_path: Path):
    server.plays = [answer(200, CONTENT)]
    workers = [worker(server, tmp_path) for _unused in range(4)]
    assert [one.wait(60) for one in workers] == [0] * 4
    assert len(server.asked) == 1


def test_who_waited_takes_what_the_first_one_got(server: HttpsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    server.plays, original = [answer(200, CONTENT)], subject.locked

    @contextmanager
    def waited(path: Path) -> Iterator[None]:
        monkeypatch.setattr(subject, "locked", original)
        fetch(server, tmp_path)  # as another worker does meanwhile
        with original(path):
            yield

    monkeypatch.setattr(subject, "locked", waited)
    assert fetch(server, tmp_path) == CONTENT
    assert len(server.asked) == 1


def test_what_a_killed_run_received_is_continued_by_the_next(server: HttpsServer, tmp_path: Path):
    half, gone = 3_000_000, threading.Event()

    def stall(handler: BaseHTTPRequestHandler) -> None:
        answer(200, CONTENT, cut=half)(handler)
        handler.wfile.flush()
        gone.wait(60)

    server.plays = [stall, parts(CONTENT)]
    killed = worker(server, tmp_path)
    part = tmp_path / f"{DIGEST}.part"
    enough, deadline = half - 200_000, time.monotonic() + 60
    while not (part.exists() and part.stat().st_size >= enough):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    gone.set()
    held = part.stat().st_size
    assert fetch(server, tmp_path) == CONTENT
    assert ranges(server) == ["", f"bytes={held}-"]
    assert left(tmp_path) == [".zip"]


def test_a_run_that_was_killed_when_all_was_there_asks_nothing(server: HttpsServer, tmp_path: Path):
    part = tmp_path / f"{DIGEST}.part"
    part.write_bytes(CONTENT)
    part.chmod(0o600)
    assert fetch(server, tmp_path) == CONTENT
    assert server.asked == []


def test_a_dropped_connection_is_continued(server: HttpsServer, tmp_path: Path):
    server.plays = [parts(CONTENT, cut=30 * PIECE), parts(CONTENT, cut=20 * PIECE), answer(503), parts(CONTENT)]
    clock = FakeClock()
    assert fetch(server, tmp_path, clock) == CONTENT
    assert ranges(server) == ["", f"bytes={30 * PIECE}-", f"bytes={50 * PIECE}-", f"bytes={50 * PIECE}-"]
    assert clock.slept


def test_drops_that_bring_something_are_not_counted_but_others_are(server: HttpsServer, tmp_path: Path):
    server.plays = [parts(CONTENT, cut=17 * PIECE)] * 4 + [parts(CONTENT)]
    assert fetch(server, tmp_path) == CONTENT
    next(tmp_path.glob("*.zip")).unlink()
    server.plays = [parts(CONTENT, cut=PIECE)] * 4
    with pytest.raises(NotReachable, match=r"ended after 196608 of 5000002 bytes") as caught:
        fetch(server, tmp_path)
    assert caught.value.retryable
    assert (tmp_path / f"{DIGEST}.part").stat().st_size == 3 * PIECE


def test_a_server_that_knows_no_parts_sends_all_again(server: HttpsServer, tmp_path: Path):
    server.plays = [answer(200, CONTENT, cut=30 * PIECE), answer(200, CONTENT)]
    assert fetch(server, tmp_path) == CONTENT
    assert ranges(server) == ["", f"bytes={30 * PIECE}-"]


@pytest.mark.parametrize("told", ["bytes 5-9/10", "bytes 0-4/x", "", "bytes " + "9" * 5000 + "-1/1"])
def test_a_part_from_another_place_is_not_taken(server: HttpsServer, tmp_path: Path, told: str):
    server.plays = [parts(CONTENT, cut=30 * PIECE), answer(206, CONTENT[5:], headers={"Content-Range": told}), parts(CONTENT)]
    assert fetch(server, tmp_path) == CONTENT
    assert ranges(server) == ["", f"bytes={30 * PIECE}-", ""]


def test_a_part_of_another_file_is_thrown_away(server: HttpsServer, tmp_path: Path):
    for held in (OTHER[:2_000_000], OTHER + OTHER):  # the second is longer than the file: HTTP 416
        part = tmp_path / f"{DIGEST}.part"
        part.write_bytes(held)
        part.chmod(0o600)
        server.plays, server.asked[:] = [parts(CONTENT), parts(CONTENT)], []
        assert fetch(server, tmp_path) == CONTENT
        assert ranges(server) == [f"bytes={len(held)}-", ""]
        next(tmp_path.glob("*.zip")).unlink()


def test_what_was_there_does_not_show_behind_a_shorter_file(server: HttpsServer, tmp_path: Path):
    part = tmp_path / f"{DIGEST}.part"
    part.write_bytes(OTHER + OTHER)
    part.chmod(0o600)
    server.plays = [answer(200, CONTENT)]
    assert fetch(server, tmp_path) == CONTENT


def test_a_part_that_somebody_else_could_write_is_not_continued(server: HttpsServer, tmp_path: Path):
    part = tmp_path / f"{DIGEST}.part"
    part.write_bytes(CONTENT[:1000])
    part.chmod(0o666)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"not ours")
    (tmp_path / f"{DIGEST}.zip").symlink_to(elsewhere)
    server.plays = [parts(CONTENT)]
    assert fetch(server, tmp_path) == CONTENT
    assert ranges(server) == [""]
    assert elsewhere.read_bytes() == b"not ours"


def test_a_spoiled_file_in_the_cache_is_replaced(server: HttpsServer, tmp_path: Path):
    spoiled = tmp_path / f"{DIGEST}.zip"
    spoiled.write_bytes(b"half of")
    spoiled.chmod(0o600)
    server.plays = [answer(200, CONTENT)]
    assert fetch(server, tmp_path) == CONTENT


def test_another_file_than_promised_is_refused_and_not_kept(server: HttpsServer, tmp_path: Path):
    server.plays = [answer(200, OTHER)]
    with pytest.raises(InvalidOption, match="sent a file with the SHA-256") as caught:
        fetch(server, tmp_path)
    assert "signature" not in str(caught.value)
    assert left(tmp_path) == []


def test_a_busy_server_is_asked_again_but_not_for_ever(server: HttpsServer, tmp_path: Path):
    clock = FakeClock()
    server.plays = [answer(429, headers={"Retry-After": "7"}), answer(200, CONTENT)]
    assert fetch(server, tmp_path, clock) == CONTENT
    assert clock.slept == [7]
    next(tmp_path.glob("*.zip")).unlink()
    server.plays = [answer(503)] * 3
    with pytest.raises(NotReachable, match="HTTP 503"):
        fetch(server, tmp_path)
    server.plays = [answer(503, headers={"Retry-After": "86400"})]
    with pytest.raises(NotReachable, match="did not finish in 900 seconds"):
        fetch(server, tmp_path)


def test_time_is_not_without_end(server: HttpsServer, tmp_path: Path):
    class Running(FakeClock):
        def now(self) -> float:
            self.time += 60
            return self.time

    server.plays = [answer(200, CONTENT)]
    with pytest.raises(NotReachable, match="what was received is kept"):
        fetch(server, tmp_path, Running())
    assert left(tmp_path) == [".part"]


def test_redirections_are_followed_to_https_only(server: HttpsServer, tmp_path: Path):
    server.plays = [answer(302, headers={"Location": "/elsewhere.zip"}), answer(307, headers={"Location": server.url}), answer(200, CONTENT)]
    assert fetch(server, tmp_path) == CONTENT
    assert [asked["path"].partition("?")[0] for asked in server.asked] == ["/package.zip", "/elsewhere.zip", "/package.zip"]
    next(tmp_path.glob("*.zip")).unlink()
    for target in ("http://localhost/package.zip", "file:///etc/passwd", "ftp://localhost/x"):
        server.plays = [answer(302, headers={"Location": target})]
        with pytest.raises(InvalidOption, match="not https"):
            fetch(server, tmp_path)
    server.plays = [answer(302, headers={"Location": "//[bad"})]
    with pytest.raises(InvalidOption, match="an address that is none"):
        fetch(server, tmp_path)
    server.plays = [answer(302, headers={"Location": server.url})] * 11
    with pytest.raises(InvalidOption, match="without an end"):
        fetch(server, tmp_path)


@pytest.mark.parametrize("status", [204, 304, 401, 403, 404, 410])
def test_what_is_no_file_is_an_error_of_the_url(server: HttpsServer, tmp_path: Path, status: int):
    server.plays = [answer(status)]
    with pytest.raises(InvalidOption, match=f"HTTP {status}"):
        fetch(server, tmp_path)


def test_the_size_is_limited_by_what_is_said_and_by_what_comes(server: HttpsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(subject, "MAX_PACKAGE", 1_000_000)
    server.plays = [answer(200, b"", headers={"Content-Length": "1000001"})]
    with pytest.raises(InvalidOption, match="which is no solution package"):
        fetch(server, tmp_path)

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        with handler.wfile as file:
            while True:
                file.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    server.plays = [endless]
    with pytest.raises(InvalidOption, match="which is no solution package"):
        fetch(server, tmp_path)
    assert left(tmp_path) == []


def test_a_server_that_packs_although_it_was_told_not_to(server: HttpsServer, tmp_path: Path):
    server.plays = [answer(200, gzip.compress(CONTENT, 1), headers={"Content-Encoding": "gzip"})]
    clock = FakeClock()
    assert fetch(server, tmp_path, clock) == CONTENT
    assert server.asked[0]["Accept-Encoding"] == "identity"
    assert clock.slept == []


def test_proxies_of_the_environment_are_used(server: HttpsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with proxy() as (url, targets):
        monkeypatch.setenv("HTTPS_PROXY", url)
        server.plays = [answer(302, headers={"Location": "/elsewhere.zip"}), answer(200, CONTENT)]
        assert fetch(server, tmp_path) == CONTENT
        assert targets[0] == f"localhost:{server.url.split(':')[2].split('/')[0]}"
        seen = len(targets)
        monkeypatch.setenv("NO_PROXY", "localhost")
        next(tmp_path.glob("*.zip")).unlink()
        server.plays = [answer(200, CONTENT)]
        assert fetch(server, tmp_path) == CONTENT
        assert len(targets) == seen


def test_a_certificate_that_is_not_trusted_is_told_at_once(server: HttpsServer, tmp_path: Path):
    clock = FakeClock()
    with pytest.raises(NotReachable, match=r"certificate of localhost:.* was not accepted"):
        fetch_package(server.url, DIGEST, open_session(tls_context(None, validate=True)), clock, tmp_path)
    assert clock.slept == []


def test_a_server_that_is_not_there_is_told_why(server: HttpsServer, tmp_path: Path):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        with pytest.raises(NotReachable, match=r"could not be read \(\[Errno 111\] Connection refused\)"):
            fetch(server, tmp_path, url=f"https://localhost:{nobody.getsockname()[1]}/x.zip")


def test_a_directory_without_room_is_named(server: HttpsServer, tmp_path: Path):
    (tmp_path / f"{DIGEST}.part").mkdir()
    server.plays = [answer(200, CONTENT)]
    with pytest.raises(NotPossible, match="cannot be written"):
        fetch(server, tmp_path)


def test_checksums_and_urls_are_checked_first(tmp_path: Path):
    assert parse_checksum(f" SHA256:{DIGEST.upper()}") == DIGEST
    for wrong in (DIGEST, "md5:abc", f"sha256:{DIGEST}0"):
        with pytest.raises(InvalidOption, match="checksum"):
            parse_checksum(wrong)
    for wrong in ("http://example.com/x.zip", "https://user:secret@example.com/x.zip", "x.zip", "https://[x", "https://"):
        with pytest.raises(InvalidOption) as caught:
            check_url(wrong)
        assert "secret" not in str(caught.value)
    file = tmp_path / "x.zip"
    file.write_bytes(CONTENT)
    assert measure(str(file), "path", DIGEST).size == len(CONTENT)
    with pytest.raises(InvalidOption, match="has the SHA-256"):
        measure(str(file), "path", "0" * 64)
