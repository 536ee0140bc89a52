# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory of the user's own, in which the processes of a run, and later runs, share what was costly to get.

Ansible's workers are forked and can hand nothing back, so files are how one tenant's work serves the next. A file here is
believed only if it is a plain one that this user owns and nobody else can touch.

This file is private to the collection.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ._errors import NotPossible

MAX_AGE = 30 * 86400
"""Seconds after its last use when a file is removed."""
MAX_BYTES = 2 * 1024 * 1024 * 1024
MAX_FILES = 1000
IN_USE = 86400
"""What was used since then stays, whatever the bounds say: a run may still need it."""
USED = 3600
"""The time of the last use is noted this often."""
OURS = re.compile(r"[0-9a-f]{64}\.[\w.]+|\.partial-\w+")


def cache_directory() -> Path:
    """A directory that belongs to this user alone."""
    problem: OSError | None = None
    base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    base = base if base.is_absolute() else Path("~/.cache").expanduser()
    for candidate in (base / "leadops.dynamics365", Path(tempfile.gettempdir()) / f"leadops.dynamics365-{os.geteuid()}"):
        try:
            candidate.mkdir(mode=0o700, parents=True, exist_ok=True)
            state = candidate.lstat()
        except OSError as error:
            problem = error
            continue
        # Somebody else may have made the one in the temporary directory
        if stat.S_ISDIR(state.st_mode) and state.st_uid == os.geteuid() and not state.st_mode & 0o022 and os.access(candidate, os.W_OK):
            return candidate
    raise NotPossible(
        why=f"there is no directory to keep the downloaded package in ({problem or 'it belongs to somebody else'}).",
        next_step="Make ~/.cache writable, set XDG_CACHE_HOME, or download the package yourself and give path.",
    )


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Held by one process at a time; the system takes it away from a process that dies."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_still(path, descriptor):
                os.utime(descriptor)
                yield
                return
        finally:
            os.close(descriptor)


def is_private(path: Path) -> bool:
    """Whether it is a plain file of this user that nobody else can read or write."""
    try:
        state = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(state.st_mode) and state.st_uid == os.geteuid() and not state.st_mode & 0o077


def note_use(path: Path) -> None:
    """Keep the file from being removed as old."""
    with suppress(OSError):
        if path.stat().st_mtime < time.time() - USED:
            os.utime(path)


def write_private(path: Path, content: bytes) -> None:
    """Put the file there as a whole, or not at all."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".partial-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def tidy(directory: Path) -> None:
    """Remove what was not used for long, and the oldest of what is too much. Called after something was added."""
    now, kept = time.time(), []
    for path in directory.iterdir():
        with suppress(OSError):
            state = path.lstat()
            if OURS.fullmatch(path.name) and stat.S_ISREG(state.st_mode):
                kept.append((state.st_mtime, state.st_size, path))
    size, count = sum(size for _time, size, _path in kept), len(kept)
    for used, length, path in sorted(kept):
        too_much = size > MAX_BYTES or count > MAX_FILES
        if used < now - MAX_AGE or (too_much and used < now - IN_USE):
            with suppress(OSError):
                _remove(path)
            size, count = size - length, count - 1


def _remove(path: Path) -> None:
    """A lock is removed only by who holds it; who waited for it finds that it is not the lock any more."""
    if path.suffix != ".lock":
        path.unlink()
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_still(path, descriptor):
            path.unlink()
    finally:
        os.close(descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
