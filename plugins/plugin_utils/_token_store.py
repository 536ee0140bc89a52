# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens that the workers of one run share.

The store is an unlinked memory file, made before Ansible forks its workers: every worker inherits the same
open file, it has no name on any disk, and it is gone when the run ends. Each key owns one slot of the file;
a byte-range lock on the slot lets one worker sign in while the others wait for its token.

This file is private to the collection.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import struct
import tempfile
from collections.abc import Iterator

from ..module_utils._identity import Token

_SLOTS = 4096
"""Three audiences for each of a thousand tenants, and room."""
_SIZE = 16 * 1024
"""Bytes of one slot: the largest access tokens (many groups or roles) stay well below."""
_LENGTH = struct.Struct("<I")


class SharedTokenStore:
    """A token store in a file that only the processes of this run can reach."""

    def __init__(self) -> None:
        """Make the file. Call this before the workers are forked."""
        if hasattr(os, "memfd_create"):
            self._file = os.memfd_create("leadops.dynamics365")
        else:
            with tempfile.TemporaryFile() as file:
                self._file = os.dup(file.fileno())

    @contextlib.contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Hold the key's slot alone."""
        start = self._start(key)
        fcntl.lockf(self._file, fcntl.LOCK_EX, 1, start)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, start)

    def get(self, key: str) -> Token | None:
        """The token, if the slot holds one for this key."""
        start = self._start(key)
        head = os.pread(self._file, _LENGTH.size, start)
        if len(head) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack(head)
        if not length:
            return None
        kept = json.loads(os.pread(self._file, length, start + _LENGTH.size))
        return Token(kept["token"], kept["expires"]) if kept["key"] == key else None

    def put(self, key: str, token: Token) -> None:
        """Keep a token; two keys that share a slot displace each other, which costs a sign-in and nothing else."""
        content = json.dumps({"key": key, "token": token.value, "expires": token.expires}).encode()
        if len(content) + _LENGTH.size <= _SIZE:
            os.pwrite(self._file, _LENGTH.pack(len(content)) + content, self._start(key))

    @staticmethod
    def _start(key: str) -> int:
        return int(key[:8], 16) % _SLOTS * _SIZE
