# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Solution packages: what is read from them, and which are refused."""

from __future__ import annotations

import base64
import io
import os
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils import _solution_package as subject
from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import InvalidOption
from ansible_collections.leadops.dynamics365.plugins.module_utils._package_customizations import RolePrivilege
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_package import Dependency, read_package
from ansible_collections.leadops.dynamics365.tests.unit.plugins.solution_zip import CUSTOMIZATIONS, ROLE_ID, manifest, packed, sound_files

EXTERNAL = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
LAUGHS = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'


def stored(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "package.zip"
    path.write_bytes(content)
    return str(path)


def refused(tmp_path: Path, content: bytes) -> str:
    with pytest.raises(InvalidOption) as caught:
        read_package(stored(tmp_path, content))
    return caught.value.why


def test_everything_later_steps_need_is_read(tmp_path: Path):
    content = packed(sound_files(manifest(dependencies=("Sales (9.0.1.2)", "sales (9.2.0.0)", "Active", "System (6.1.0.0)", "ContosoLeads (1.0)", "Base"))))
    package = read_package(stored(tmp_path, content))
    assert (package.unique_name, package.friendly_name, package.version, package.managed) == ("ContosoLeads", "Contoso Leads", "1.0.0.0", True)
    assert package.publisher == "contoso"
    assert package.dependencies == (Dependency("Sales", "9.2.0.0", ("Lead",)), Dependency("Base", "", ("Lead",)))
    assert [(role.name, role.id) for role in package.roles] == [("Lead Writer", ROLE_ID)]
    assert package.roles[0].privileges == (RolePrivilege("prvCreateLead", "organization"), RolePrivilege("prvReadLead", "user"))
    assert base64.b64decode(b"".join(package.customization_file.encoded())) == content


@pytest.mark.parametrize(
    ("element", "customizable"), [("", None), ("<IsCustomizable>0</IsCustomizable>", False), ("<IsCustomizable> 1 </IsCustomizable>", True)]
)
@pytest.mark.parametrize("first", [True, False])
def test_whether_a_role_may_be_changed_is_read(tmp_path: Path, element: str, *, customizable: bool | None, first: bool):
    begin, end = ("<RolePrivileges>", "</RolePrivileges>")
    spot, told = (begin, element + begin) if first else (end, end + element)
    package = read_package(stored(tmp_path, packed(sound_files(customizations=CUSTOMIZATIONS.replace(spot, told)))))
    assert package.roles[0].customizable is customizable
    assert package.roles[0].to_result()["customizable"] is customizable
    assert len(package.roles[0].privileges) == 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_are_no_obstacle(tmp_path: Path, encoding: str):
    text = manifest().replace("utf-8", "utf-16" if encoding == "utf-16" else "utf-8")
    assert read_package(stored(tmp_path, packed(sound_files(text.encode(encoding))))).unique_name == "ContosoLeads"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"readme.txt": "x"}, "not of a solution"),
        ({"inner/solution.xml": "x"}, "in the folder inner"),
        ({"deploy/Real_managed.zip": "x"}, "holds another zip"),
        ({**sound_files(), "Solution.XML": manifest()}, "2 files named solution.xml"),
        ({**sound_files(), "../evil.xml": "x"}, "leads out of the package"),
        ({**sound_files(), "/evil.xml": "x"}, "leads out of the package"),
        ({**sound_files(), "a/..\\..\\evil.xml": "x"}, "leads out of the package"),
        ({name: text for name, text in sound_files().items() if name != "customizations.xml"}, "has no customizations.xml"),
        ({name: text for name, text in sound_files().items() if name != "[Content_Types].xml"}, "has no [content_types].xml"),
        (sound_files("<ImportExportXml/>"), "without a SolutionManifest"),
        (sound_files("<ImportExportXml><Solution"), "not well-formed"),
        (sound_files(EXTERNAL + b"<a>&x;</a>"), "document type"),
        (sound_files(LAUGHS + b"<a>&b;</a>"), "document type"),
        (sound_files((EXTERNAL + b"<a/>").decode().encode("utf-16")), "document type"),
        (sound_files(customizations=EXTERNAL + CUSTOMIZATIONS.encode()), "document type"),
        (sound_files(manifest(name="No Good")), "no unique name"),
        (sound_files(manifest(version="1.x")), "wrong version"),
        (sound_files(manifest(managed="2")), "whether it is managed"),
    ],
)
def test_wrong_and_hostile_packages_are_refused(tmp_path: Path, files: dict[str, str | bytes], reason: str):
    assert reason in refused(tmp_path, packed(files))


def test_what_is_no_zip_is_refused(tmp_path: Path):
    assert "is not a zip file" in refused(tmp_path, b"<html>Not found</html>")
    with pytest.raises(InvalidOption, match="cannot be read"):
        read_package(str(tmp_path / "missing.zip"))
    with pytest.raises(InvalidOption, match="is not a file"):
        read_package(str(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidOption, match="is not a file"):
        read_package(str(tmp_path / "pipe"))


def test_an_encrypted_package_is_refused(tmp_path: Path):
    content = bytearray(packed(sound_files()))
    entry = content.index(b"PK\x01\x02")
    content[entry + 8] |= 1
    assert "is encrypted" in refused(tmp_path, bytes(content))


def test_a_bomb_is_refused_by_its_claim(tmp_path: Path):
    assert "zip bomb" in refused(tmp_path, packed({**sound_files(), "zeros": b"\0" * (65 * 1024 * 1024)}))


def test_a_claim_of_four_gigabytes_is_refused(tmp_path: Path):
    content = bytearray(packed(sound_files()))
    entry = content.index(b"PK\x01\x02")
    struct.pack_into("<I", content, entry + 24, 0xFFFFFFF0)
    assert "zip bomb" in refused(tmp_path, bytes(content))


def test_a_file_that_is_larger_than_allowed_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(subject, "MAX_MANIFEST", 100)
    assert "of more than" in refused(tmp_path, packed(sound_files()))


def test_other_ways_of_packing_are_refused(tmp_path: Path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        for name, text in sound_files().items():
            archive.writestr(name, text)
    assert "packed in a way" in refused(tmp_path, buffer.getvalue())


WHOLE = packed(sound_files())


@given(st.integers(min_value=0, max_value=len(WHOLE) - 1))
def test_a_truncated_package_is_always_refused(tmp_path_factory: pytest.TempPathFactory, length: int):
    assert refused(tmp_path_factory.getbasetemp(), WHOLE[:length])


@given(st.integers(min_value=0, max_value=len(WHOLE) - 1), st.integers(min_value=1, max_value=255))
def test_a_damaged_package_is_read_or_refused_but_never_a_crash(tmp_path_factory: pytest.TempPathFactory, place: int, change: int):
    content = bytearray(WHOLE)
    content[place] ^= change
    with suppress(InvalidOption):
        assert read_package(stored(tmp_path_factory.getbasetemp(), bytes(content))).unique_name


def test_what_needs_values_and_whom_a_patch_patches_is_read(tmp_path: Path):
    reference = '<connectionreferences><connectionreference connectionreferencelogicalname="c_mail"><connectorid>/apis/mail</connectorid>'
    custom = CUSTOMIZATIONS.replace("</ImportExportXml>", f"{reference}</connectionreference></connectionreferences></ImportExportXml>")
    definition = '<environmentvariabledefinition schemaname="{0}">{1}</environmentvariabledefinition>'
    folder = "environmentvariabledefinitions"
    files = {
        **sound_files(manifest(name="Base_Patch_1a2b3c4d"), custom),
        f"{folder}/c_a/environmentvariabledefinition.xml": definition.format("c_A", ""),
        f"{folder}/c_b/environmentvariabledefinition.xml": definition.format("c_B", "<defaultvalue>1</defaultvalue>"),
        f"{folder}/c_c/environmentvariabledefinition.xml": definition.format("c_C", "<defaultvalue />"),
        f"{folder}/c_c/environmentvariablevalues.json": "{}",
    }
    path = tmp_path / "p.zip"
    path.write_bytes(packed(files))
    package = read_package(str(path))
    assert package.parent == "Base"
    assert [(item.logical_name, item.connector_id) for item in package.connection_references] == [("c_mail", "/apis/mail")]
    assert [(item.schema_name, item.has_value) for item in package.environment_variables] == [("c_A", False), ("c_B", True), ("c_C", True)]
    named = manifest().replace("<Managed>", "<ParentSolution><UniqueName>Other</UniqueName></ParentSolution><Managed>")
    path.write_bytes(packed(sound_files(named)))
    assert read_package(str(path)).parent == "Other"
