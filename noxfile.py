# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates that depend on the ansible-core release: sanity, units, integration, stories, matrices.

``nox --list`` shows them; ``nox -s sanity-2.19`` runs one, and what follows ``--`` goes to its command. The rest of the
checks do not depend on the release and are lines of ``make lint``.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nox

ROOT = Path(__file__).parent
GET_PIP = ROOT / "tests/tools/get_pip.py"
REQUIREMENTS = ("meta/ee-requirements.txt", "tests/emulator/requirements.txt")


@dataclass(frozen=True)
class Core:
    """An ansible-core release, the Pythons to run it on (the first that is found is taken), and its gates by default."""

    release: str
    pythons: tuple[str, ...]
    gates: tuple[str, ...]

    @property
    def requirement(self) -> str:
        """What pip installs for it: the newest patch of the release."""
        return f"ansible-core~={self.release}.0"


MATRICES = ("test_matrix_*.py", "test_directory_*.py", "test_solution_*.py")
"""The stories that go through many states, options and faults of one module: as long as all others together."""
EVERY_RELEASE = ("tests/stories/test_kinds.py",)
"""The stories that show whether role, playbook and callback work with a release."""

# What depends on the release runs on the oldest and the newest, on the oldest and the newest Python; what takes long runs on one of them.
CORES = (
    Core("2.19", ("3.11", "3.12", "3.13"), ("sanity", "units", "integration", "stories")),
    Core("2.20", ("3.12", "3.13", "3.14"), ("units",)),
    Core("2.21", ("3.13", "3.12", "3.14"), ("sanity", "units", "stories", "matrices", "emulator")),
)

nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = True


@functools.cache
def interpreters() -> dict[str, str]:
    """Version -> path of each real Python here."""
    found = subprocess.run(["sh", ROOT / "tests/tools/find_pythons"], check=True, capture_output=True, text=True).stdout
    return dict(line.split(" ", 1) for line in found.splitlines())


def path_without_shims() -> str:
    """Return PATH without pyenv's shims: ansible-test takes any name on PATH for an interpreter that runs."""
    return os.pathsep.join(entry for entry in os.environ["PATH"].split(os.pathsep) if Path(entry).name != "shims")


@contextmanager
def collection_copy(session: nox.Session) -> Iterator[Path]:
    """Copy what git knows, or would add, to a path that ansible-test accepts: .../ansible_collections/NAMESPACE/NAME."""
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    with tempfile.TemporaryDirectory(prefix="leadops-") as directory:
        collection = Path(directory, "ansible_collections/leadops/dynamics365")
        for name in filter(None, listed.split("\0")):
            source, target = ROOT / name, collection / name
            if source.is_symlink() or source.is_file():  # a file deleted but not yet staged is still listed
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target, follow_symlinks=False)
        with session.chdir(collection):
            yield collection


def ansible_test_home(session: nox.Session) -> Path:
    """Make the home directory that ansible-test sees: its own caches with our get-pip in them, the user's settings of pip.

    Each session has one of its own, because sessions run side by side.
    """
    home = ROOT / f".nox/home-{session.name}"
    cache = home / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    for pip_release in ("24_2", "25_2"):  # the ones that ansible-core 2.19 to 2.22 ask for
        shutil.copy(GET_PIP, cache / f"get_pip_{pip_release}.py")
    for name in (".config/pip", ".pip", ".cache/pip"):
        own, link = Path.home() / name, home / name
        if own.is_dir() and not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(own)
    return home


def ansible_test(session: nox.Session, core: Core, python: str, kind: str) -> None:
    """Run ``ansible-test KIND``, which makes the virtual environments that it needs."""
    session.install("-qq", core.requirement)
    with collection_copy(session):
        session.run(
            *("ansible-test", kind, "--venv", "--python", python, "--color", "no"),
            *session.posargs,
            env={"HOME": str(ansible_test_home(session)), "PATH": os.pathsep.join([*session.bin_paths, path_without_shims()])},
        )


def plain_pytest(session: nox.Session, core: Core, tests: str, *chosen: str) -> None:
    """Run tests below a directory with plain pytest, all or those chosen: whole playbooks, or the emulator's own checks."""
    own = Path(tests, "requirements.txt")
    requirements = [*REQUIREMENTS, *([str(own)] if (ROOT / own).exists() else [])]
    session.install("-qq", core.requirement, "pytest", "hypothesis", *(f"--requirement={ROOT / name}" for name in requirements))
    with collection_copy(session) as collection:
        tree = str(collection.parents[2])
        session.run(
            *("python", "-m", "pytest"),
            *(session.posargs or chosen or [tests]),
            env={"ANSIBLE_COLLECTIONS_PATH": tree, "PYTHONPATH": tree},
        )


def matrices() -> list[str]:
    """The files of the matrices."""
    return sorted(f"tests/stories/{path.name}" for pattern in MATRICES for path in (ROOT / "tests/stories").glob(pattern))


def add_sessions(core: Core, python: str) -> None:
    """Add the gates of one release."""

    def add(kind: str, gate: Callable[[nox.Session], None]) -> None:
        gate.__doc__ = f"{kind} on ansible-core {core.release} and Python {python}"
        nox.session(gate, name=f"{kind}-{core.release}", python=interpreters()[python], tags=[kind], default=kind in core.gates)

    add("sanity", lambda session: ansible_test(session, core, python, "sanity"))
    add("units", lambda session: ansible_test(session, core, python, "units"))
    add("integration", lambda session: ansible_test(session, core, python, "integration"))
    stories = EVERY_RELEASE if core is CORES[0] else ("tests/stories", *(f"--ignore={name}" for name in matrices()))
    add("stories", lambda session: plain_pytest(session, core, "tests/stories", *stories))
    add("matrices", lambda session: plain_pytest(session, core, "tests/stories", *matrices()))
    add("emulator", lambda session: plain_pytest(session, core, "tests/emulator_checks"))


for release in CORES:
    available = next((version for version in release.pythons if version in interpreters()), None)
    if available:
        add_sessions(release, available)
