# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read XML that others wrote, without a document type: no entities, hence no expansion and no outside files.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from xml.parsers import expat

Element = ET.Element

MAX_TOKEN = 8 * 1024 * 1024
"""Bytes of one tag or comment. The parser keeps it whole, and older ones scan it again with each piece that comes."""
MAX_TREE = 500_000
"""Tags of a document that becomes a tree."""
MAX_STREAM = 40_000_000
"""Tags of a document that goes by."""


class RefusedXml(ValueError):
    """The document is not well formed, or is made to do harm."""


class Target(t.Protocol):
    """What is told of the document's elements while they are read."""

    def start(self, tag: str, attrib: dict[str, str], /) -> t.Any: ...

    def end(self, tag: str, /) -> t.Any: ...

    def data(self, data: str, /) -> t.Any: ...


def stream_xml(chunks: Iterable[bytes], target: Target, max_tags: int = MAX_STREAM) -> None:
    """Tell ``target`` of all elements; a large document is never in memory as a whole."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = target.start, target.end, target.data
    try:
        _feed(parser, chunks, max_tags)
    except RefusedXml:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise RefusedXml(f"is not well-formed XML ({error})") from error


def _feed(parser: expat.XMLParserType, chunks: Iterable[bytes], max_tags: int) -> None:
    read = 0
    for chunk in chunks:
        read += len(chunk)
        max_tags -= chunk.count(b"<")
        if max_tags < 0:
            raise RefusedXml("has more tags than any solution has")
        parser.Parse(chunk, False)  # noqa: FBT003  the C function knows no names
        if read - parser.CurrentByteIndex > MAX_TOKEN:
            raise RefusedXml(f"has a tag or a comment of more than {MAX_TOKEN // 1024 // 1024} MB")
    parser.Parse(b"", True)  # noqa: FBT003


def read_xml(chunks: Iterable[bytes]) -> Element:
    """The whole document as a tree."""
    tree = ET.TreeBuilder()
    stream_xml(chunks, t.cast("Target", tree), MAX_TREE)
    return tree.close()


def _refuse_doctype(_name: str, _system: str | None, _public: str | None, _internal: bool) -> None:  # noqa: FBT001
    """Before any entity of it is read."""
    raise RefusedXml("declares a document type, which can hide hostile entities")
