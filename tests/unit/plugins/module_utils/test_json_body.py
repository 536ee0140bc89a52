# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies with a file in them: the right bytes, in little memory, and again from the start when a request is repeated."""

from __future__ import annotations

import base64
import json
import os
import socket
import tracemalloc
import typing as t
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import NotPossible
from ansible_collections.leadops.dynamics365.plugins.module_utils._http import Call, Http, open_session, tls_context
from ansible_collections.leadops.dynamics365.plugins.module_utils._json_body import StreamedBody, json_body
from ansible_collections.leadops.dynamics365.plugins.module_utils._measured_file import CHUNK, MeasuredFile, measure
from ansible_collections.leadops.dynamics365.tests.unit.plugins.https_server import answer, serve
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import FakeClock


def measured(directory: Path, content: bytes) -> MeasuredFile:
    path = directory / "package.zip"
    path.write_bytes(content)
    return measure(str(path))


def streamed(document: dict[str, t.Any]) -> StreamedBody:
    body = json_body(document)
    assert isinstance(body, StreamedBody)
    return body


@given(st.binary(max_size=20), st.integers(0, 2), st.dictionaries(st.text(), st.none() | st.booleans() | st.text(), max_size=3))
def test_it_is_the_document(tmp_path_factory: pytest.TempPathFactory, end: bytes, pieces: int, others: dict[str, t.Any]):
    content = b"x" * (CHUNK * pieces) + end
    body = streamed({**others, "File\u00e9": measured(tmp_path_factory.getbasetemp(), content)})
    sent = b"".join(body)
    assert len(body) == len(sent)
    assert json.loads(sent) == {**others, "File\u00e9": base64.b64encode(content).decode()}
    assert b"".join(body) == sent


def test_other_documents_are_plain_json():
    assert json_body({"a": [1]}) == b'{"a": [1]}'
    assert json_body([]) == b"[]"


def test_no_part_of_the_document_is_shown(tmp_path: Path):
    assert "secret" not in repr(streamed({"File": measured(tmp_path, b"x"), "Value": "secret"}))


def test_a_large_file_is_never_in_memory(tmp_path: Path):
    body = streamed({"File": measured(tmp_path, os.urandom(30_000_000))})
    tracemalloc.start()
    size = sum(len(piece) for piece in body)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == len(body) > 40_000_000
    assert peak < 3_000_000


@pytest.mark.parametrize("now", [b"y" * 500_000, b"x" * 499_999, b"x" * 500_001, b""])
def test_a_file_that_changed_is_not_sent_to_its_end(tmp_path: Path, now: bytes):
    body = streamed({"File": measured(tmp_path, b"x" * 500_000)})
    assert len(b"".join(body)) == len(body)
    (tmp_path / "package.zip").write_bytes(now)
    sent = []
    if now[:500_000] == b"x" * 500_000:
        assert len(b"".join(body)) == len(body)  # what was appended is not sent
        return
    with pytest.raises(NotPossible, match="was changed"):
        sent.extend(body)
    assert sum(map(len, sent)) < len(body)


def test_a_file_that_vanished_is_told(tmp_path: Path):
    body = streamed({"File": measured(tmp_path, b"x")})
    (tmp_path / "package.zip").unlink()
    with pytest.raises(NotPossible, match="cannot be read any more"):
        list(body)


def test_a_repeated_request_has_the_whole_body_again(tmp_path: Path):
    document = {"File": measured(tmp_path, os.urandom(3_000_000)), "Other": True}
    body = streamed(document)

    def drop(handler: BaseHTTPRequestHandler) -> None:
        handler.connection.shutdown(socket.SHUT_RDWR)
        handler.close_connection = True

    with serve(tmp_path) as server:
        http = Http(open_session(tls_context(str(server.ca), validate=True)), clock=FakeClock())
        server.plays = [answer(429, headers={"Retry-After": "1"}), answer(503), drop, answer(200, b"{}")]
        assert http.send(Call("POST", server.url, body=body)).status == 200
        assert [asked["Content-Length"] for asked in server.asked] == [str(len(body))] * 4
        assert "Transfer-Encoding" not in server.asked[0]
        assert server.received == [b"".join(body)] * 4


def test_a_server_never_has_the_whole_body_of_a_file_that_changed(tmp_path: Path):
    body = streamed({"File": measured(tmp_path, os.urandom(3_000_000))})
    (tmp_path / "package.zip").write_bytes(os.urandom(3_000_000))
    with serve(tmp_path) as server:
        http = Http(open_session(tls_context(str(server.ca), validate=True)), clock=FakeClock())
        server.plays = [answer(200, b"{}")]
        with pytest.raises(NotPossible, match="was changed"):
            http.send(Call("POST", server.url, body=body, repeatable=False))
        http._session.close()
    assert not server.received or len(server.received[0]) < len(body)
