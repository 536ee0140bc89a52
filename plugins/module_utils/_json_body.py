# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of a request: JSON, in which a file can stand as a value without ever being in memory.

This file is private to the collection.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass, field

from ._measured_file import MeasuredFile


@dataclass(frozen=True)
class StreamedBody:
    """Bytes that are made while they are sent. Iterating again gives them again from the start, so a request can be repeated."""

    head: bytes = field(repr=False)
    file: MeasuredFile
    tail: bytes = field(repr=False)

    def __len__(self) -> int:
        return len(self.head) + self.file.encoded_size + len(self.tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self.head
        yield from self.file.encoded()
        yield self.tail


def json_body(document: t.Any) -> bytes | StreamedBody:
    """The document as JSON. A MeasuredFile among the values of an object becomes the base64 form of its content."""
    files = {name: value for name, value in document.items() if isinstance(value, MeasuredFile)} if isinstance(document, dict) else {}
    if not files:
        return json.dumps(document).encode()
    ((name, file),) = files.items()
    others = json.dumps({other: value for other, value in document.items() if other != name})
    tail = f'", {others[1:]}' if len(document) > 1 else '"}'
    return StreamedBody(f'{{{json.dumps(name)}: "'.encode(), file, tail.encode())
