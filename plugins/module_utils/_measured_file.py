# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that was read and measured once, and is sent later as the same bytes that were read.

This file is private to the collection.
"""

from __future__ import annotations

import base64
import hashlib
import os
import stat
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass

from ._errors import InvalidOption, NotPossible

MEGABYTE = 1024 * 1024
MAX_PACKAGE = 256 * MEGABYTE
"""The services take far less; the limit only keeps a wrong file from filling disk and memory."""
CHUNK = 3 * 64 * 1024
"""A multiple of three: the base64 forms of such pieces, one after the other, are that of the whole."""


class NotAFile(OSError):
    """A directory, a pipe, a device."""


@dataclass(frozen=True)
class MeasuredFile:
    """A file of which size and SHA-256 are known."""

    path: str
    size: int = 0
    digest: str = ""

    @property
    def encoded_size(self) -> int:
        """The length of its base64 form."""
        return (self.size + 2) // 3 * 4

    def encoded(self) -> Iterator[bytes]:
        """Its base64 form in pieces, read anew each time. Raises before the end if the file is not the one that was measured."""
        found, left = hashlib.sha256(), self.size
        try:
            with open_regular(self.path) as file:
                while left and (chunk := file.read(min(CHUNK, left))):
                    left -= len(chunk)
                    found.update(chunk)
                    yield base64.b64encode(chunk)
        except OSError as error:
            raise NotPossible(why=f"'{self.path}' cannot be read any more ({error.strerror or error}).", next_step="Run again.") from error
        if left or found.hexdigest() != self.digest:
            raise NotPossible(why=f"'{self.path}' was changed after the task had read it, so it was not sent to its end.", next_step="Run again.")


def open_regular(path: str) -> t.BinaryIO:
    """Open a plain file. A pipe that nobody writes to or an endless device is told at once instead of waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise NotAFile("it is not a file")


def measure(path: str, option: str = "path", digest: str = "") -> MeasuredFile:
    """Read the file once, and compare it with its checksum if there is one; raises InvalidOption."""
    found, size = hashlib.sha256(), 0
    try:
        with open_regular(path) as file:
            if os.fstat(file.fileno()).st_size > MAX_PACKAGE:
                raise _too_large(path, option)
            while chunk := file.read(MEGABYTE):
                size += len(chunk)
                if size > MAX_PACKAGE:  # it grows while it is read
                    raise _too_large(path, option)
                found.update(chunk)
    except NotAFile as error:
        raise InvalidOption(option, f"'{path}' is not a file.", "Give the solution's zip as its publisher offers it.") from error
    except (OSError, ValueError) as error:
        raise InvalidOption(option, f"'{path}' cannot be read ({getattr(error, 'strerror', '') or error}).") from error
    if digest and found.hexdigest() != digest:
        raise InvalidOption("checksum", f"'{path}' has the SHA-256 {found.hexdigest()}, not {digest}.", "Take the package from its publisher again.")
    return MeasuredFile(path, size, found.hexdigest())


def _too_large(path: str, option: str) -> InvalidOption:
    return InvalidOption(option, f"'{path}' is larger than {MAX_PACKAGE // MEGABYTE} MB, which no organisation takes.")
