# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The zip around a solution, opened with distrust: nothing is unpacked to disk, and nothing that it claims is believed.

This file is private to the collection.
"""

from __future__ import annotations

import copy
import io
import stat
import struct
import typing as t
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ._errors import InvalidOption
from ._measured_file import MEGABYTE, MeasuredFile, open_regular
from ._safe_xml import Element, RefusedXml, read_xml

MAX_DIRECTORY = 8 * MEGABYTE
"""Of the zip's list of its files, which Python's reader loads as a whole."""
MAX_ENTRIES = 50_000
MAX_UNPACKED = 2048 * MEGABYTE
MAX_RATIO = 200
"""Unpacked to packed size. Customizations, which are XML, reach some thirty."""
LONGEST = 500
"""Of what a package says, so much is quoted."""
PIECE = 64 * 1024
LOCAL_HEADER = 30
"""The least that stands before the content of each file."""

MANIFEST = "solution.xml"
CUSTOMIZATIONS = "customizations.xml"
CONTENT_TYPES = "[content_types].xml"
PUBLISHED = "Give the solution's zip as its publisher offers it."


class _TooMuch(OSError):
    """The reader was about to load more than any package needs."""


class _CarefulFile(io.BufferedReader):
    """A file that is never read in large pieces, whatever sizes its content names."""

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = MAX_DIRECTORY + 1 if size is None or size < 0 else size
        if wanted > MAX_DIRECTORY + 1 or len(content := super().read(wanted)) > MAX_DIRECTORY:
            raise _TooMuch
        return content


class PackageZip:
    """The files of a package by their names in lower case and with forward slashes."""

    def __init__(self, archive: zipfile.ZipFile, file: MeasuredFile, option: str) -> None:
        """Use ``open_package``."""
        self._archive = archive
        self._file = file
        self._option = option
        self._entries = self._sound_entries(archive.infolist())

    def refused(self, why: str, next_step: str = PUBLISHED) -> InvalidOption:
        """The error that says why this is no sound package."""
        return refused(self._file, self._option, why, next_step)

    def names(self, prefix: str) -> list[str]:
        """What lies below a folder."""
        return [name for name in self._entries if name.startswith(prefix)]

    def tree(self, name: str, limit: int) -> Element:
        """An XML file as a tree."""
        found: list[Element] = []
        self.read(name, limit, lambda chunks: found.append(read_xml(chunks)))
        return found[0]

    def read(self, name: str, limit: int, reader: Callable[[Iterator[bytes]], None]) -> None:
        """Give an XML file to ``reader``, piece by piece."""
        try:
            reader(self._chunks(self._entries[name], limit))
        except RefusedXml as error:
            raise self.refused(f"holds a {name} that {error}") from error

    def _chunks(self, entry: zipfile.ZipInfo, limit: int) -> Iterator[bytes]:
        """The content of one file to its real end, which is not always where the zip says it is."""
        claimed, size = entry.file_size, 0
        unbelieved = copy.copy(entry)
        unbelieved.file_size = limit + 2 * PIECE  # the reader stops there and complains of a wrong checksum
        with self._archive.open(unbelieved) as file:
            while chunk := file.read(PIECE):
                size += len(chunk)
                if size > limit:
                    raise self.refused(f"holds a {entry.filename} of more than {limit // MEGABYTE} MB")
                yield chunk
        if size != claimed:
            raise self.refused(f"says that its {entry.filename} has {claimed} bytes, and it has {size}")

    def _sound_entries(self, entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
        """All files, after a look at what the zip claims of each."""
        if len(entries) > MAX_ENTRIES:
            raise self.refused(f"holds more than {MAX_ENTRIES} files")
        unpacked, packed = sum(entry.file_size for entry in entries), self._file.size
        if unpacked > MAX_UNPACKED or (unpacked > 64 * MEGABYTE and unpacked > MAX_RATIO * packed):
            raise self.refused(f"claims to hold {unpacked // MEGABYTE} MB in {max(1, packed // 1024)} KB: it looks like a zip bomb")
        found: dict[str, list[zipfile.ZipInfo]] = {}
        for entry in entries:
            self._check_entry(entry)
            if not entry.is_dir():
                found.setdefault(entry.filename.replace("\\", "/").lower(), []).append(entry)
        self._check_places(entries)
        for name in (MANIFEST, CUSTOMIZATIONS, CONTENT_TYPES):
            self._check_there(name, found)
        for name, same in found.items():
            if len(same) > 1:
                raise self.refused(f"holds {len(same)} files named {name}, so it is not clear which one an import would take")
        return {name: same[0] for name, same in found.items()}

    def _check_entry(self, entry: zipfile.ZipInfo) -> None:
        name = entry.orig_filename
        parts = name.replace("\\", "/").split("/")
        if ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0]:
            raise self.refused(f"holds a file with the path '{name}', which leads out of the package")
        if any(ord(character) < 32 for character in name):
            raise self.refused(f"holds a file with the name {name!r}, which has control characters")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise self.refused(f"holds '{name}', which is a symbolic link")
        if entry.flag_bits & 0x1:
            raise self.refused("is encrypted", "Give the package without a password.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self.refused(f"is packed in a way that no solution package is (method {entry.compress_type})")

    def _check_places(self, entries: list[zipfile.ZipInfo]) -> None:
        """Files that share bytes are how a small zip becomes an enormous content."""
        end = 0
        for entry in sorted(entries, key=lambda entry: entry.header_offset):
            if entry.header_offset < end:
                raise self.refused(f"holds a file {entry.filename} that overlaps with another one: it looks like a zip bomb")
            end = entry.header_offset + LOCAL_HEADER + entry.compress_size

    def _check_there(self, name: str, found: dict[str, list[zipfile.ZipInfo]]) -> None:
        if name in found:
            return
        if folder := next((other for other in found if other.endswith(f"/{name}")), ""):
            raise self.refused(f"has no {name} at its root, but in the folder {folder.rpartition('/')[0]}", "Zip the content of that folder, not the folder.")
        if inner := next((other for other in found if other.endswith(".zip")), ""):
            raise self.refused(f"has no {name} but holds another zip, {inner}", "Take the solution's zip out of this one.")
        raise self.refused(f"has no {name}: it is a zip, but not of a solution")


def refused(file: MeasuredFile, option: str, why: str, next_step: str = PUBLISHED) -> InvalidOption:
    """The error that names the file and says why it is no sound package."""
    shown = "".join(character if character.isprintable() else "?" for character in why[:LONGEST])
    return InvalidOption(option, f"'{file.path}' {shown}{' …' if len(why) > LONGEST else ''}.", next_step)


@contextmanager
def open_package(file: MeasuredFile, option: str) -> Iterator[PackageZip]:
    """The package, open; whatever goes wrong with it until it is closed becomes an InvalidOption."""
    try:
        with open_regular(file.path) as plain, _CarefulFile(io.FileIO(plain.fileno(), closefd=False)) as content:
            if content.read(2) != b"PK":
                raise refused(file, option, "is not a zip file" if file.size else "is empty")
            with zipfile.ZipFile(t.cast("t.IO[bytes]", content)) as archive:
                yield PackageZip(archive, file, option)
    except _TooMuch as error:
        raise refused(file, option, f"has, or claims to have, a list of files of more than {MAX_DIRECTORY // MEGABYTE} MB") from error
    except OSError as error:
        raise InvalidOption(option, f"'{file.path}' cannot be read ({error.strerror or error}).") from error
    except (zipfile.BadZipFile, EOFError, zlib.error, struct.error, ValueError, OverflowError) as error:
        raise refused(file, option, f"is damaged or was not copied completely ({error})", "Copy or download it again.") from error
    except (NotImplementedError, RuntimeError) as error:
        raise refused(file, option, f"uses a way of packing that solution packages do not have ({error})") from error
