# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CONNECT proxy that leads clients of the real host names to the emulator.

With ``HTTPS_PROXY`` and the emulator's CA, an unmodified client believes that it talks to the real services.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable

from .hosts import LOCAL_HOSTS, place_of
from .world import World

_CHUNK = 1 << 16
_MAX_HEADER = 1 << 14


class Proxy:
    """Accepts CONNECT for hosts that the emulator plays, and refuses all others."""

    def __init__(self, world: World, port: int, record_refusal: Callable[[str], None]) -> None:
        self._world = world
        self._port = port
        self._record_refusal = record_refusal
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, listener: socket.socket) -> asyncio.Server:
        """Serve on a bound socket."""
        return await asyncio.start_server(self._serve, sock=listener, limit=_MAX_HEADER)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await self._connect(reader, writer)
        writer.close()

    def close(self) -> None:
        """Cut every open tunnel."""
        for task in self._tasks:
            task.cancel()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, *_unused = [*head.split(b"\r\n", 1)[0].decode("ascii", "replace").split(" "), "", ""]
        if method != "CONNECT" or not self._plays(target):
            sys.stderr.write(f"emulator: the proxy refused {method} {target}\n")
            self._record_refusal(f"{method} {target}")
            writer.write(b"HTTP/1.1 403 Not emulated\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            # Whichever side ends first ends both: HTTPS has no half-open connections worth keeping.
            relays = [asyncio.create_task(_relay(reader, inner_writer)), asyncio.create_task(_relay(inner_reader, writer))]
            await asyncio.wait(relays, return_when=asyncio.FIRST_COMPLETED)
            for relay in relays:
                relay.cancel()
        finally:
            inner_writer.close()

    def _plays(self, target: str) -> bool:
        host, _unused, port = target.rpartition(":")
        if host.strip("[]") in LOCAL_HOSTS:
            return port == str(self._port)
        place = place_of(host)
        if place is None or port != "443":
            return False
        if place.service != "dataverse":
            return True
        # The real name server would not know an organization that does not exist.
        owner = self._world.tenant_of_org(place.org_name)
        return owner is not None and owner.document["region"] == place.org_suffix


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
