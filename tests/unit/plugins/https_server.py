# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real https server on this machine that plays what it is told, one request after the other."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme

Play = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class HttpsServer:
    """Where it listens, who signed its certificate, what it will play, and what it was asked."""

    url: str
    ca: Path
    plays: list[Play] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    """Bodies."""


@contextmanager
def serve(directory: Path) -> Iterator[HttpsServer]:
    """Run until the end of the block."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(directory / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with _running(server):
        server.state = HttpsServer(f"https://localhost:{server.server_port}/package.zip", directory / "ca.pem")
        yield server.state


@contextmanager
def proxy() -> Iterator[tuple[str, list[str]]]:
    """A proxy that only tunnels: its URL, and the targets it was asked for."""
    with _running(_Proxy(("127.0.0.1", 0), _Tunnel)) as server:
        yield f"http://127.0.0.1:{server.server_port}", server.targets


def answer(status: int, content: bytes = b"", *, cut: int | None = None, headers: dict[str, str] | None = None) -> Play:
    """One answer; with ``cut``, the connection ends after so many of its bytes."""

    def play(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content[:cut])
        handler.close_connection = True

    return play


def parts(content: bytes, *, cut: int | None = None) -> Play:
    """A server that knows ranges."""

    def play(handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range")
        if not wanted:
            return answer(200, content, cut=cut)(handler)
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(content):
            return answer(416, headers={"Content-Range": f"bytes */{len(content)}"})(handler)
        return answer(206, content[start:], cut=cut, headers={"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"})(handler)

    return play


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    state: HttpsServer

    def handle_error(self, *_unused: t.Any) -> None:
        """Clients that go away are part of the play."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        state = self.server.state
        state.asked.append({**dict(self.headers), "path": self.path})
        state.plays.pop(0)(self)

    def do_POST(self) -> None:
        self.server.state.received.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.do_GET()

    def log_message(self, *_unused: t.Any) -> None:
        """Be silent."""


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *arguments: t.Any) -> None:
        super().__init__(*arguments)
        self.targets: list[str] = []


class _Tunnel(BaseHTTPRequestHandler):
    server: _Proxy

    def do_CONNECT(self) -> None:
        self.server.targets.append(self.path)
        host, _colon, port = self.path.partition(":")
        with socket.create_connection((host, int(port))) as upstream:
            self.send_response(200)
            self.end_headers()
            ends = {self.connection: upstream, upstream: self.connection}
            while ready := select.select(list(ends), [], [], 30)[0]:
                for end in ready:
                    data = end.recv(65536)
                    if not data:
                        return
                    ends[end].sendall(data)

    def log_message(self, *_unused: t.Any) -> None:
        """Be silent."""


_Any = t.TypeVar("_Any", bound=ThreadingHTTPServer)


@contextmanager
def _running(server: _Any) -> Iterator[_Any]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
