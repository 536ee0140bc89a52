# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages that want to do harm: each is refused with one error that names the file and the reason, soon and in little memory."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils import _package_customizations as customizations
from ansible_collections.leadops.dynamics365.plugins.module_utils import _package_zip as subject
from ansible_collections.leadops.dynamics365.plugins.module_utils import _solution_package as reading
from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import InvalidOption
from ansible_collections.leadops.dynamics365.plugins.module_utils._measured_file import measure
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_package import read_package
from ansible_collections.leadops.dynamics365.tests.unit.plugins.solution_zip import CUSTOMIZATIONS, manifest, packed, sound_files

MEGABYTE = 1024 * 1024
MEMORY = 400 * MEGABYTE
SECONDS = 20
DIRECTORY_ENTRY = b"PK\x01\x02"
LOCAL_ENTRY = b"PK\x03\x04"


def refused(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "package.zip"
    path.write_bytes(content)
    begun = time.process_time()
    with pytest.raises(InvalidOption) as caught:
        read_package(str(path))
    assert time.process_time() - begun < SECONDS
    assert str(path) in caught.value.why
    assert len(caught.value.why) < 1000
    return caught.value.why


def archive_of(fill: Callable[[zipfile.ZipFile], None], files: dict[str, str | bytes] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (sound_files() if files is None else files).items():
            archive.writestr(name, content)
        fill(archive)
    return buffer.getvalue()


def patched(content: bytes, name: str, *, directory: dict[int, tuple[str, int]] | None = None, local: dict[int, tuple[str, int]] | None = None) -> bytes:
    """The zip with other values in the two headers of one file: offset -> (format, value)."""
    changed = bytearray(content)
    for signature, head, changes in ((DIRECTORY_ENTRY, 46, directory), (LOCAL_ENTRY, 30, local)):
        at = changed.index(signature)
        while bytes(changed[at + head : at + head + len(name)]) != name.encode():
            at = changed.index(signature, at + 4)
        for offset, (form, value) in (changes or {}).items():
            struct.pack_into(form, changed, at + offset, value)
    return bytes(changed)


WHOLE = packed(sound_files())


@pytest.mark.parametrize("name", ["SOLUTION.XML", "WebResources/a.js", "webresources\\A.js"])
def test_names_that_differ_in_case_only(tmp_path: Path, name: str):
    def twice(archive: zipfile.ZipFile) -> None:
        archive.writestr("WebResources/A.js", "1")
        archive.writestr(name, "2")

    assert "2 files named" in refused(tmp_path, archive_of(twice))


def test_the_same_name_twice(tmp_path: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = archive_of(lambda archive: archive.writestr("solution.xml", manifest(version="9.9")))
    assert "2 files named solution.xml" in refused(tmp_path, content)


@pytest.mark.parametrize("name", ["/etc/passwd", "\\\\server\\share", "..\\evil.dll", "a/../../evil", "C:\\evil.dll", "c:evil.dll", ".."])
def test_names_that_lead_out(tmp_path: Path, name: str):
    assert "leads out of the package" in refused(tmp_path, packed({**sound_files(), name: "x"}))


def test_names_with_a_hidden_end(tmp_path: Path):
    content = packed({**{name: text for name, text in sound_files().items() if name != "solution.xml"}, "solution.xml!.txt": manifest()})
    assert "control characters" in refused(tmp_path, content.replace(b"solution.xml!.txt", b"solution.xml\0.txt"))


def test_names_that_are_no_text(tmp_path: Path):
    content = packed({**sound_files(), "caf\u00e9": "x"})
    assert "damaged" in refused(tmp_path, content.replace("caf\u00e9".encode(), b"caf\xff\xfe"))


def test_names_do_not_reach_the_terminal_as_they_are(tmp_path: Path):
    why = refused(tmp_path, packed({**sound_files(manifest(name="x\n\u202eevil" * 500))}))
    assert why.isprintable()


def test_symbolic_links(tmp_path: Path):
    def link(archive: zipfile.ZipFile) -> None:
        entry = zipfile.ZipInfo("WebResources/link")
        entry.create_system, entry.external_attr = 3, 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")

    assert "symbolic link" in refused(tmp_path, archive_of(link))


def test_a_zip_inside_is_left_alone(tmp_path: Path):
    path = tmp_path / "package.zip"
    path.write_bytes(packed({**sound_files(), "CanvasApps/app.msapp": packed({"solution.xml": "<x/>"}), "inner.zip": packed({"a": b"\0" * MEGABYTE})}))
    assert read_package(str(path)).unique_name == "ContosoLeads"


@pytest.mark.parametrize("method", [1, 6, 9, 12, 14, 93, 98, 99])
@pytest.mark.parametrize("name", ["solution.xml", "[Content_Types].xml"])
def test_other_ways_of_packing(tmp_path: Path, method: int, name: str):
    content = patched(WHOLE, name, directory={10: ("<H", method)}, local={8: ("<H", method)})
    assert f"packed in a way that no solution package is (method {method})" in refused(tmp_path, content)


@pytest.mark.parametrize("flags", [0x1, 0x41, 0x2001])
def test_encryption(tmp_path: Path, flags: int):
    assert "is encrypted" in refused(tmp_path, patched(WHOLE, "customizations.xml", directory={8: ("<H", flags)}, local={6: ("<H", flags)}))


def test_encryption_that_only_the_file_itself_tells(tmp_path: Path):
    scrambled = bytearray(patched(WHOLE, "solution.xml", local={6: ("<H", 1)}))
    at = scrambled.index(b"solution.xml") + len("solution.xml")
    scrambled[at : at + 40] = bytes(255 - value for value in scrambled[at : at + 40])
    assert refused(tmp_path, bytes(scrambled))


def test_a_manifest_that_is_longer_than_it_says(tmp_path: Path):
    """The checksum fits the short form, so a reader that believes the length sees another document than one that does not."""
    short, long = manifest().encode(), manifest().encode() + b"<!-- and more -->"
    content = packed(sound_files(long))
    lie = {24: ("<I", len(short)), 16: ("<I", zlib.crc32(short))}
    why = refused(tmp_path, patched(content, "solution.xml", directory=lie, local={22: lie[24], 14: lie[16]}))
    assert "damaged" in why
    honest_sum = patched(content, "solution.xml", directory={24: lie[24]}, local={22: lie[24]})
    assert f"says that its solution.xml has {len(short)} bytes, and it has {len(long)}" in refused(tmp_path, honest_sum)


def test_a_claim_of_little_before_a_flood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "MAX_CUSTOMIZATIONS", 2 * MEGABYTE)
    flood = packed(sound_files(customizations=CUSTOMIZATIONS + " " * (60 * MEGABYTE)))
    content = patched(flood, "customizations.xml", directory={24: ("<I", 100)}, local={22: ("<I", 100)})
    assert "of more than 2 MB" in refused(tmp_path, content)


@pytest.mark.parametrize("claim", [0xFFFFFFF0, 0xFFFFFFFF, 0xFFFFFFFE])
def test_four_gigabytes(tmp_path: Path, claim: int):
    assert refused(tmp_path, patched(WHOLE, "customizations.xml", directory={24: ("<I", claim)}))


def test_a_number_of_files_without_end(tmp_path: Path):
    def many(archive: zipfile.ZipFile) -> None:
        for number in range(subject.MAX_ENTRIES):
            archive.writestr(f"{number:x}", b"", zipfile.ZIP_STORED)

    assert f"more than {subject.MAX_ENTRIES} files" in refused(tmp_path, archive_of(many))


def test_a_list_of_files_that_fills_the_memory(tmp_path: Path):
    """The count at the end says one, and Python's reader would believe the length."""
    entries = struct.pack("<4s4B4HL2L5H2L", DIRECTORY_ENTRY, 20, 3, 20, 0, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    listing = entries * 1_000_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(listing), 0, 0)
    path = tmp_path / "package.zip"
    path.write_bytes(listing + end)
    assert "list of files of more than" in _in_little_memory(path)


def _in_little_memory(path: Path) -> str:
    """The refusal, told by a process that may not use more than ``MEMORY``."""
    program = (
        f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))\n"
        "import sys; from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_package import read_package\n"
        "try: read_package(sys.argv[1])\nexcept Exception as error: print(type(error).__name__, error)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout.startswith("InvalidOption"), ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.parametrize("size", [0xFFFFFFFF, 2**40, 2**62, 2**63 - 1, 2**64 - 1])
@pytest.mark.parametrize("field", [24, 32, 40, 48])
def test_claims_in_the_64_bit_form(tmp_path: Path, size: int, field: int):
    """Number of files, length and place of their list, each beyond all measure."""
    at = WHOLE.rindex(b"PK\x05\x06")
    listing = WHOLE.index(DIRECTORY_ENTRY)
    record = bytearray(struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 3, 3, at - listing, listing))
    struct.pack_into("<Q", record, field, size)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path = tmp_path / "package.zip"
    path.write_bytes(WHOLE[:at] + bytes(record) + locator + end)
    if field in (24, 32):  # the counts are only hints: the list itself is read
        assert read_package(str(path)).unique_name == "ContosoLeads"
    else:
        assert _in_little_memory(path)


def test_files_on_top_of_each_other(tmp_path: Path):
    """A thousand names for one piece of content, as in the bombs that unpack to terabytes."""
    content = archive_of(lambda archive: archive.writestr("WebResources/a", os.urandom(10_000), zipfile.ZIP_STORED))
    entry = content.index(DIRECTORY_ENTRY, content.index(DIRECTORY_ENTRY) + 1)
    while content[entry + 46 : entry + 60] != b"WebResources/a":
        entry = content.index(DIRECTORY_ENTRY, entry + 1)
    end = content.rindex(b"PK\x05\x06")
    one = content[entry:end]
    copies = b"".join(one[:46] + f"Web{number:011}".encode() + one[60:] for number in range(1000))
    listing = content[content.index(DIRECTORY_ENTRY) : entry] + copies
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1003, 1003, len(listing), content.index(DIRECTORY_ENTRY), 0)
    why = refused(tmp_path, content[: content.index(DIRECTORY_ENTRY)] + listing + tail)
    assert "overlaps with another one" in why


def test_a_file_that_holds_the_next_one(tmp_path: Path):
    longer = len(packed({"solution.xml": manifest()}))
    assert "overlaps" in refused(tmp_path, patched(WHOLE, "solution.xml", directory={20: ("<I", longer)}))


LAUGHS = "<!DOCTYPE lolz [<!ENTITY lol 'lol'>" + "".join(f"<!ENTITY lol{n} '{f'&lol{n - 1 or str()};' * 10}'>" for n in range(1, 10)) + "]><lolz>&lol9;</lolz>"
OUTSIDE = '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:9/evil.dtd"> %x;]><a/>'


@pytest.mark.parametrize("name", ["solution.xml", "customizations.xml", "environmentvariabledefinitions/a/environmentvariabledefinition.xml"])
@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (LAUGHS, "document type"),
        (OUTSIDE, "document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type"),
        (LAUGHS.encode("utf-16"), "document type"),
        (LAUGHS.encode("utf-8-sig"), "document type"),
        ("", "not well-formed"),
        (b"\0" * 100, "not well-formed"),
        ("<ImportExportXml>&nbsp;</ImportExportXml>", "not well-formed"),
        ('<?xml version="1.0" encoding="utf-7"?><a/>', "not well-formed"),
        ('<?xml version="1.0" encoding="hex"?><a/>', "not well-formed"),
        ('<?xml version="1.0" encoding="no-such"?><a/>', "not well-formed"),
        (b"\xff\xfe\xff", "not well-formed"),
        ("<ImportExportXml><!--" + "x" * (10 * MEGABYTE) + "--></ImportExportXml>", "a tag or a comment of more than"),
    ],
)
def test_hostile_xml(tmp_path: Path, name: str, document: str | bytes, reason: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "MEGABYTE", 16 * MEGABYTE)
    why = refused(tmp_path, packed({**sound_files(), name: document}))
    assert reason in why
    assert name in why


def test_xml_that_is_nothing_but_depth(tmp_path: Path):
    depth = 600_000
    assert "levels" in refused(tmp_path, packed(sound_files(customizations="<ImportExportXml>" + "<a>" * depth + "</a>" * depth)))
    assert "more tags than" in refused(tmp_path, packed(sound_files("<a>" * depth + "</a>" * depth)))


def test_roles_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(customizations, "MAX_PRIVILEGES", 500)
    flood = '<RolePrivilege name="a" level="Basic"/>' * 501
    custom = f'<ImportExportXml><Roles><Role name="r" id="1"><RolePrivileges>{flood}</RolePrivileges></Role></Roles></ImportExportXml>'
    assert "more than 500 privileges" in refused(tmp_path, packed(sound_files(customizations=custom)))


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (sound_files(customizations="<html/>"), "has the root html instead of ImportExportXml"),
        (sound_files("<html/>"), "without a SolutionManifest"),
        (sound_files(manifest(version="1" * 5000)), "wrong version"),
    ],
)
def test_the_wrong_document(tmp_path: Path, files: dict[str, str | bytes], reason: str):
    assert reason in refused(tmp_path, packed(files))


def test_an_empty_file(tmp_path: Path):
    assert "is empty" in refused(tmp_path, b"")
    assert "is not a zip file" in refused(tmp_path, b"P")
    assert "damaged" in refused(tmp_path, b"PK")


@pytest.mark.parametrize("digest", ["", "0" * 64])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, digest: str):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", "/dev/zero", "/dev/null"):
        with pytest.raises(InvalidOption, match="is not a file"):
            measure(str(path), "path", digest)
    for path in ("missing", "nul\0byte"):
        with pytest.raises(InvalidOption, match="cannot be read"):
            measure(str(tmp_path / path), "path", digest)
    (tmp_path / "to-pipe").symlink_to(tmp_path / "pipe")
    with pytest.raises(InvalidOption, match="is not a file"):
        measure(str(tmp_path / "to-pipe"), "path", digest)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "package.zip"
    path.write_bytes(WHOLE)

    def forbidden(*_unused: object) -> int:  # root may read everything, so the system's answer is played
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", forbidden)
    with pytest.raises(InvalidOption, match=r"package\.zip' cannot be read \(Permission denied\)"):
        read_package(str(path))


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path):
    path = tmp_path / "package.zip"
    with path.open("wb") as file:
        file.truncate(257 * MEGABYTE)
    with pytest.raises(InvalidOption, match="larger than 256 MB"):
        read_package(str(path))


LARGE_FORM = archive_of(lambda archive: archive.open("big", "w", force_zip64=True).close())


@given(st.integers(min_value=0, max_value=len(LARGE_FORM) - 1), st.binary(min_size=1, max_size=8))
def test_any_damage_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, place: int, change: bytes):
    content = bytearray(LARGE_FORM)
    content[place : place + len(change)] = change
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    path.write_bytes(bytes(content))
    with suppress(InvalidOption):
        assert read_package(str(path)).unique_name
