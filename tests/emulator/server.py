# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTPS server: from ASGI to the engine and back, with delays and cut connections."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import signal
import socket
import uuid
from collections.abc import Callable, Iterator

import uvicorn
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.types import Receive, Scope, Send

from .control import Control
from .engine import Arrival, Engine
from .routing import Route, route
from .tls import TlsFiles
from .wire import Request, Response

_GRACE_SECONDS = 2


class Server:
    """One listening emulator."""

    def __init__(self, engine: Engine, control: Control, files: TlsFiles, latency: float) -> None:
        self._engine = engine
        self._control = control
        self._latency = latency
        config = uvicorn.Config(
            self._application,
            http="httptools" if importlib.util.find_spec("httptools") else "h11",
            ws="none",
            lifespan="off",
            interface="asgi3",
            ssl_certfile=files.server,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        self._uvicorn = _QuietServer(config)

    async def run(self, sockets: list[socket.socket], on_ready: Callable[[], None]) -> None:
        """Serve until SIGTERM or SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        self._uvicorn.on_ready = on_ready
        await self._uvicorn.serve(sockets=sockets)

    def _stop(self) -> None:
        self._uvicorn.should_exit = True

    async def _application(self, scope: Scope, receive: Receive, send: Send) -> None:
        http = HttpRequest(scope, receive)
        found = route(http.headers.get("host", ""), scope["raw_path"].decode("ascii", "replace"))
        if found is None:
            text = f"The emulator plays nothing at https://{http.headers.get('host', '')}{http.url.path}.".encode()
            await HttpResponse(text, 404, media_type="text/plain")(scope, receive, send)
            return
        request = await _read(http, found)
        response = self._control.handle(request) if found.target == "control" else await self._answer(found, request, receive)
        if response is None:
            await self._cut(scope, receive)
            return
        await HttpResponse(response.body, response.status, response.headers)(scope, receive, send)

    async def _answer(self, found: Route, request: Request, receive: Receive) -> Response | None:
        """The answer, or None when the connection is to be cut instead."""
        arrival = self._engine.arrive(found, request)
        await asyncio.sleep(self._delay(arrival))
        kind = arrival.hit.rule.kind if arrival.hit else ""
        if kind == "drop-before":
            self._engine.drop(arrival)
            return None
        if kind == "hang-before" and arrival.hit:
            await _gone(receive)
            await asyncio.sleep(arrival.hit.rule.seconds)
        response = self._engine.answer(arrival)
        if kind == "hang-after":
            await _gone(receive)
        return None if kind in ("drop-after", "hang-before", "hang-after") else response

    def _delay(self, arrival: Arrival) -> float:
        own = float(arrival.tenant.timing.get("latency", 0)) if arrival.tenant else 0.0
        slow = arrival.hit.rule.seconds if arrival.hit and arrival.hit.rule.kind == "slow" else 0.0
        return self._latency + own + slow

    async def _cut(self, scope: Scope, receive: Receive) -> None:
        for transport in _transports(self._uvicorn, scope["client"]):
            transport.abort()
        await _gone(receive)


class _QuietServer(uvicorn.Server):
    """Tells when it listens, and leaves signals to its owner (uvicorn would end the process with the signal's status)."""

    on_ready: Callable[[], None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and self.on_ready:
            self.on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in self.servers:
            listener.close()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_GRACE_SECONDS)
        # A polite TLS end waits for the other side, and an idle client would let it wait for long.
        for transport in _transports(self):
            transport.abort()
        await super().shutdown(sockets=sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _gone(receive: Receive) -> None:
    """Wait until the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _transports(server: uvicorn.Server, client: object = None) -> list[asyncio.Transport]:
    """The open connections, or those of one client address."""
    found = []
    for connection in list(server.server_state.connections):
        transport = getattr(connection, "transport", None)
        if isinstance(transport, asyncio.Transport) and client in (None, getattr(connection, "client", None)):
            found.append(transport)
    return found


def listen(port: int) -> list[socket.socket]:
    """Sockets for localhost on one port, in both address families where the machine has them; 0 picks a free port."""
    first = socket.create_server(("127.0.0.1", port), backlog=512)
    sockets = [first]
    with contextlib.suppress(OSError):
        sockets.append(socket.create_server(("::1", first.getsockname()[1]), family=socket.AF_INET6, backlog=512))
    for one in sockets:
        # Accepted connections inherit it; asyncio sets it only on sockets that name their protocol.
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sockets


async def _read(http: HttpRequest, found: Route) -> Request:
    return Request(
        method=http.method,
        path=found.path,
        raw_path=found.raw_path,
        query=http.url.query,
        headers={name.lower(): value for name, value in http.headers.items()},
        body=await http.body(),
        base_url=found.base_url,
        request_id=str(uuid.uuid4()),
    )
