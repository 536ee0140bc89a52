# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A package is read once for all, and what is kept of it is believed only if it is sound and ours."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils import _package_cache as subject
from ansible_collections.leadops.dynamics365.plugins.module_utils import _private_cache as cache
from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import InvalidOption
from ansible_collections.leadops.dynamics365.plugins.module_utils._measured_file import MeasuredFile, measure
from ansible_collections.leadops.dynamics365.plugins.module_utils._package_cache import load_package
from ansible_collections.leadops.dynamics365.plugins.module_utils._private_cache import cache_directory, locked, tidy
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_package import SolutionPackage, read_package
from ansible_collections.leadops.dynamics365.tests.unit.plugins.solution_zip import CUSTOMIZATIONS, manifest, packed, sound_files

REFERENCE = '<connectionreferences><connectionreference connectionreferencelogicalname="c_mail"><connectorid>/apis/mail</connectorid>'
RICH = {
    **sound_files(
        manifest(dependencies=("Sales (9.0.1.2)", "Base")),
        CUSTOMIZATIONS.replace("</ImportExportXml>", f"{REFERENCE}</connectionreference></connectionreferences></ImportExportXml>"),
    ),
    "environmentvariabledefinitions/c_a/environmentvariabledefinition.xml": '<environmentvariabledefinition schemaname="c_A"/>',
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "cache"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the packages that were really read."""
    paths: list[str] = []
    original = subject.parse_package

    def counted(file: MeasuredFile, option: str) -> SolutionPackage:
        paths.append(file.path)
        return original(file, option)

    monkeypatch.setattr(subject, "parse_package", counted)
    return paths


def package_file(directory: Path, files: dict[str, str | bytes] | None = None, name: str = "package.zip") -> MeasuredFile:
    path = directory / name
    path.write_bytes(packed(files or RICH))
    return measure(str(path))


def entry(home: Path) -> Path:
    (found,) = home.glob("*.json")
    return found


def test_the_second_tenant_gets_the_same_without_reading(tmp_path: Path, home: Path, parsed: list[str]):
    file = package_file(tmp_path)
    first = load_package(file, "path", home)
    assert first == load_package(file, "path", home) == read_package(file.path)
    assert first.roles
    assert first.dependencies
    assert first.connection_references
    assert first.environment_variables
    assert len(parsed) == 1
    assert entry(home).stat().st_mode & 0o777 == 0o600


def test_the_same_bytes_at_another_place_are_the_same_package(tmp_path: Path, home: Path, parsed: list[str]):
    load_package(package_file(tmp_path), "path", home)
    other = package_file(tmp_path, name="other.zip")
    package = load_package(other, "path", home)
    assert (package.path, package.customization_file) == (other.path, other)
    assert len(parsed) == 1


def test_changed_bytes_are_another_package_even_with_the_same_times(tmp_path: Path, home: Path):
    file = package_file(tmp_path)
    state = Path(file.path).stat()
    assert load_package(file, "path", home).version == "1.0.0.0"
    changed = package_file(tmp_path, sound_files(manifest(version="1.0.0.1")))
    os.utime(file.path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert load_package(changed, "path", home).version == "1.0.0.1"


def test_other_fields_or_another_way_of_reading_are_not_mixed_up(tmp_path: Path, home: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch):
    file = package_file(tmp_path)
    load_package(file, "path", home)
    monkeypatch.setattr(subject, "READING", subject.READING + 1)
    load_package(file, "path", home)
    assert len(parsed) == 2


@given(st.data())
def test_a_damaged_entry_is_not_believed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject):
    home = tmp_path_factory.mktemp("cache")
    file = package_file(home)
    package = load_package(file, "path", home)
    content = bytearray(entry(home).read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[place] ^= data.draw(st.integers(1, 255))
    else:
        del content[place:]
    entry(home).write_bytes(bytes(content))
    assert subject._read(home, file) is None
    assert load_package(file, "path", home) == package
    assert subject._read(home, file) == package


def test_a_sound_entry_of_a_strange_form_is_not_believed(tmp_path: Path, home: Path, parsed: list[str]):
    file = package_file(tmp_path)
    load_package(file, "path", home)
    for content in (b"[]", b'{"roles": 1}', b"null", b'"x"'):
        entry(home).write_bytes(subject.hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
        assert load_package(file, "path", home).roles
    assert len(parsed) == 5


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o666])
def test_an_entry_that_others_can_touch_is_not_believed(tmp_path: Path, home: Path, parsed: list[str], mode: int):
    file = package_file(tmp_path)
    load_package(file, "path", home)
    entry(home).chmod(mode)
    load_package(file, "path", home)
    assert len(parsed) == 2
    assert entry(home).stat().st_mode & 0o777 == 0o600


def test_an_entry_of_somebody_else_or_behind_a_link_is_not_believed(tmp_path: Path, home: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch):
    file = package_file(tmp_path)
    load_package(file, "path", home)
    moved = entry(home).rename(tmp_path / "moved.json")
    (home / moved.with_name(subject._entry(home, file).name).name).symlink_to(moved)
    load_package(file, "path", home)
    assert len(parsed) == 2
    assert not entry(home).is_symlink()
    monkeypatch.setattr(cache.os, "geteuid", lambda: 12345)
    load_package(file, "path", home)
    assert len(parsed) == 3


def test_a_refusal_is_not_kept_and_keeps_its_words(tmp_path: Path, home: Path):
    file = package_file(tmp_path, {"readme.txt": "x"})
    for option in ("path", "source_url"):
        with pytest.raises(InvalidOption, match=f"{option}: .*not of a solution"):
            load_package(file, option, home)
    assert not list(home.glob("*.json"))


def test_without_a_place_to_write_packages_are_read_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = package_file(tmp_path)
    nowhere = tmp_path / "file"
    nowhere.touch()
    assert load_package(file, "path", nowhere / "cache").unique_name == "ContosoLeads"
    monkeypatch.setenv("XDG_CACHE_HOME", str(nowhere))
    monkeypatch.setattr(cache.tempfile, "gettempdir", lambda: str(nowhere))
    assert load_package(file, "path").unique_name == "ContosoLeads"


def test_a_package_that_changes_while_it_is_read_is_not_kept(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch):
    file = package_file(tmp_path)
    original = subject.parse_package

    def replaced(given: MeasuredFile, option: str) -> SolutionPackage:
        package_file(tmp_path, sound_files(manifest(version="2.0")))
        return original(given, option)

    monkeypatch.setattr(subject, "parse_package", replaced)
    with pytest.raises(InvalidOption, match="was changed while it was read"):
        load_package(file, "path", home)
    assert not list(home.glob("*.json"))


def test_nothing_of_a_task_is_kept(tmp_path: Path, home: Path):
    package = load_package(package_file(tmp_path), "path", home)
    assert str(tmp_path).encode() not in entry(home).read_bytes()
    assert subject._sealed(package) == subject._sealed(replace(package, path="elsewhere", customization_file=MeasuredFile("elsewhere", 1, "2")))


PROGRAM = """
import sys
from pathlib import Path
from ansible_collections.leadops.dynamics365.plugins.module_utils import _package_cache as cache
from ansible_collections.leadops.dynamics365.plugins.module_utils._measured_file import measure
original = cache.parse_package
def counted(*arguments):
    with open(sys.argv[3], "a") as log:
        log.write("read\\n")
    return original(*arguments)
cache.parse_package = counted
cache.load_package(measure(sys.argv[1]), "path", Path(sys.argv[2]))
"""


def test_workers_that_start_together_read_once(tmp_path: Path, home: Path):
    file, log = package_file(tmp_path), tmp_path / "log"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    workers = [subprocess.Popen([sys.executable, "-c", PROGRAM, file.path, str(home), str(log)], env=environment) for _unused in range(6)]
    assert [worker.wait(60) for worker in workers] == [0] * 6
    assert log.read_text().splitlines() == ["read"]


def test_who_waited_takes_what_the_first_one_found(tmp_path: Path, home: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch):
    file, original = package_file(tmp_path), subject.locked

    @contextmanager
    def waited(path: Path) -> Iterator[None]:
        monkeypatch.setattr(subject, "locked", original)
        load_package(file, "path", home)  # as another worker does meanwhile
        with original(path):
            yield

    monkeypatch.setattr(subject, "locked", waited)
    assert load_package(file, "path", home).roles
    assert len(parsed) == 1


def aged(path: Path, seconds: float, content: bytes = b"") -> Path:
    path.write_bytes(content)
    os.utime(path, (time.time() - seconds,) * 2)
    return path


def test_what_is_old_goes_and_foreign_files_stay(home: Path):
    digest = "a" * 64
    names = (*(f"{digest}{end}" for end in (".zip", ".lock", ".part", ".0a1b2c3d.json")), ".partial-x")
    old = [aged(home / name, cache.MAX_AGE + 60) for name in names]
    stays = [aged(home / f"{'b' * 64}.zip", 60), aged(home / "notes.txt", cache.MAX_AGE * 2), aged(home / f"{'c' * 64}.zip", cache.MAX_AGE - 60)]
    tidy(home)
    assert [path.exists() for path in old] == [False] * 5
    assert [path.exists() for path in stays] == [True] * 3


def test_what_is_too_much_goes_from_the_oldest_but_not_what_is_in_use(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cache, "MAX_FILES", 3)
    day = cache.IN_USE
    files = [aged(home / f"{number:064x}.zip", day * 2.5 - number * day) for number in range(6)]
    tidy(home)
    assert [path.exists() for path in files] == [False, False, True, True, True, True]
    monkeypatch.setattr(cache, "MAX_FILES", 100)
    monkeypatch.setattr(cache, "MAX_BYTES", 10)
    aged(files[0], day * 9, b"x" * 11)
    tidy(home)
    assert [path.exists() for path in files] == [False, False, True, True, True, True]


def test_a_lock_that_is_held_is_not_removed(home: Path):
    path = home / f"{'d' * 64}.lock"
    with locked(path):
        os.utime(path, (0, 0))
        tidy(home)
        assert path.exists()
    os.utime(path, (0, 0))
    tidy(home)
    assert not path.exists()
    with locked(path):
        assert path.exists()


def test_use_keeps_a_file_young(tmp_path: Path, home: Path):
    file = package_file(tmp_path)
    load_package(file, "path", home)
    os.utime(entry(home), (0, 0))
    load_package(file, "path", home)
    assert entry(home).stat().st_mtime > time.time() - 60


def test_a_directory_that_others_can_write_to_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    mine = cache_directory()
    assert mine.parent == tmp_path
    assert mine.stat().st_mode & 0o777 == 0o700
    mine.chmod(0o777)
    monkeypatch.setattr(cache.tempfile, "gettempdir", lambda: str(tmp_path / "elsewhere"))
    assert cache_directory().parent == tmp_path / "elsewhere"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_directory() == tmp_path / "home/.cache/leadops.dynamics365"
