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

Element = ET.Element


class RefusedXml(ValueError):
    """The document is not well formed, or has a document type."""


class Target(t.Protocol):
    """What is told of the document's elements while they are read."""

    def start(self, tag: str, attrib: dict[str, str], /) -> t.Any: ...

    def end(self, tag: str, /) -> t.Any: ...

    def data(self, data: str, /) -> t.Any: ...

    def doctype(self, name: str, pubid: str | None, system: str | None, /) -> None: ...

    def close(self) -> t.Any: ...


class NoDoctype:
    """The part of a target that refuses a document type, before any entity of it is read."""

    def doctype(self, _name: str, _pubid: str | None, _system: str | None) -> None:
        """Always refuse."""
        raise RefusedXml("declares a document type, which can hide hostile entities")


class _Tree(NoDoctype, ET.TreeBuilder):
    pass


def stream_xml(chunks: Iterable[bytes], target: Target) -> None:
    """Tell ``target`` of all elements; a large document is never in memory as a whole."""
    parser = ET.XMLParser(target=target)  # noqa: S314  the target refuses document types
    try:
        for chunk in chunks:
            parser.feed(chunk)
        parser.close()
    except (ET.ParseError, LookupError, UnicodeError) as error:
        raise RefusedXml(f"is not well-formed XML ({error})") from error


def read_xml(chunks: Iterable[bytes]) -> Element:
    """The whole document as a tree."""
    parser = ET.XMLParser(target=_Tree())  # noqa: S314  the target refuses document types
    try:
        for chunk in chunks:
            parser.feed(chunk)
        root: Element = parser.close()
    except (ET.ParseError, LookupError, UnicodeError) as error:
        raise RefusedXml(f"is not well-formed XML ({error})") from error
    return root
