# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get a solution package from an https URL once for all tenants of a run, and for the runs after it.

Files are kept under the name of their SHA-256 in a directory of the user's own, so what is found there is known to be
the right file, whoever asked for it first. A lock makes fifty workers that start together download once.

This file is private to the collection.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import stat
import tempfile
import typing as t
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from ._errors import InvalidOption, NotPossible, NotReachable
from ._http import Clock
from ._solution_package import MAX_PACKAGE, MEGABYTE

with suppress(ImportError):  # _task tells the user
    import requests

DEADLINE = 900
"""Seconds for one download with its repetitions."""
ATTEMPTS = 3


def parse_checksum(text: str) -> str:
    """The hexadecimal SHA-256 of ``sha256:<hex>``; raises InvalidOption."""
    match = re.fullmatch(r"sha256:([0-9a-f]{64})", text.strip().lower())
    if match is None:
        raise InvalidOption("checksum", f"'{text}' is not of the form sha256:<64 hexadecimal digits>.")
    return match.group(1)


def verify_file(path: str, digest: str) -> None:
    """Compare a local file with its checksum; raises InvalidOption."""
    try:
        found = _digest(Path(path))
    except OSError as error:
        raise InvalidOption("path", f"'{path}' cannot be read ({error.strerror or error}).") from error
    if found != digest:
        raise InvalidOption("checksum", f"'{path}' has the SHA-256 {found}, not {digest}.", "Take the package from its publisher again.")


def check_url(url: str) -> None:
    """Only https; raises InvalidOption."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise InvalidOption("source_url", f"'{url}' is not an https URL.")
    if parts.username or parts.password:
        raise InvalidOption("source_url", "holds a user name or a password, which would be shown in logs.")


def fetch_package(url: str, digest: str, session: requests.Session, clock: Clock, directory: Path | None = None) -> str:
    """The path of the file with this digest, downloaded unless it is there already."""
    home = directory or cache_directory()
    target = home / f"{digest}.zip"
    try:
        with _lock(home / f"{digest}.lock"):
            if not _is_there(target, digest):
                _download(url, digest, target, session, clock)
    except OSError as error:
        raise NotPossible(
            doing="keep the downloaded package",
            why=f"'{home}' cannot be written ({error.strerror or error}).",
            next_step="Make room there, set XDG_CACHE_HOME, or download the package yourself and give path.",
        ) from error
    return str(target)


def cache_directory() -> Path:
    """A directory that belongs to this user alone."""
    problem: OSError | None = None
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    for candidate in (Path(base).expanduser() / "leadops.dynamics365", Path(tempfile.gettempdir()) / f"leadops.dynamics365-{os.geteuid()}"):
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
def _lock(path: Path) -> Iterator[None]:
    """Held by one process at a time; the system takes it away from a process that dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_there(path: Path, digest: str) -> bool:
    try:
        return _digest(path) == digest
    except OSError:
        return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(url: str, digest: str, target: Path, session: requests.Session, clock: Clock) -> None:
    deadline = clock.now() + DEADLINE
    problem = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            clock.sleep(2.0**attempt)
        try:
            with session.get(url, stream=True, timeout=(10, 60), headers={"Accept-Encoding": "identity"}) as response:
                if response.status_code < 500 and response.status_code not in (200, 408, 429):
                    raise InvalidOption(
                        "source_url", f"{_shown(url)} answered HTTP {response.status_code}.", "Correct the URL, or download the file and give path."
                    )
                if response.status_code == 200:
                    _store(response.iter_content(256 * 1024), url, digest, target, clock, deadline)
                    return
                problem = f"HTTP {response.status_code}"
        except requests.exceptions.InvalidSchema as error:
            raise InvalidOption("source_url", f"{_shown(url)} leads to an address that is not https.") from error
        except requests.RequestException as error:
            problem = type(error).__name__
    raise NotReachable(
        doing="download the solution package",
        why=f"{_shown(url)} could not be read ({problem}); tried {ATTEMPTS} times.",
        next_step="Check the URL and the network, or download the file and give path.",
        retryable=True,
    )


def _store(chunks: Iterable[bytes], url: str, digest: str, target: Path, clock: Clock, deadline: float) -> None:
    """Write to a file beside the target and move it into place when it is whole and right."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".partial-")
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            found = _copy(chunks, file, url, clock, deadline)
        _compare(found, digest, url)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _copy(chunks: Iterable[bytes], file: t.IO[bytes], url: str, clock: Clock, deadline: float) -> str:
    """The SHA-256 of what was written. Neither size nor time are without limit."""
    found, size = hashlib.sha256(), 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_PACKAGE:
            raise InvalidOption("source_url", f"{_shown(url)} sends more than {MAX_PACKAGE // MEGABYTE} MB, which is no solution package.")
        if clock.now() > deadline:
            raise NotReachable(
                doing="download the solution package",
                why=f"{_shown(url)} did not finish in {DEADLINE} seconds.",
                next_step="Download the file and give path.",
            )
        found.update(chunk)
        file.write(chunk)
    return found.hexdigest()


def _compare(found: str, digest: str, url: str) -> None:
    if found != digest:
        raise InvalidOption(
            "checksum",
            f"{_shown(url)} sent a file with the SHA-256 {found}, not {digest}.",
            "The file was changed or replaced: have its publisher confirm the checksum before you correct it.",
        )


def _shown(url: str) -> str:
    """The URL without its query, which may hold a signature."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
