# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get a solution package from an https URL once for all tenants of a run, and for the runs after it.

Files are kept under the name of their SHA-256, so what is found there is known to be the right file, whoever asked for it
first. A lock makes fifty workers that start together download once. What a broken download left is continued, by the next
attempt and by the next run; the checksum of the whole tells in the end whether it was a part of the right file, so a
server's own marks of versions are not needed for that.

This file is private to the collection.
"""

from __future__ import annotations

import os
import re
import typing as t
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from ._errors import InvalidOption, NotPossible, NotReachable, TaskError
from ._http import Clock, retry_after, untrusted
from ._measured_file import MAX_PACKAGE, MEGABYTE, MeasuredFile, measure
from ._private_cache import cache_directory, is_private, locked, note_use, tidy

with suppress(ImportError):  # _task tells the user
    import requests
    from requests.utils import get_environ_proxies

DEADLINE = 900
"""Seconds for one download with its repetitions."""
ATTEMPTS = 3
"""So many in a row may bring nothing."""
REDIRECTIONS = 10
PIECE = 64 * 1024
BROUGHT = MEGABYTE
"""An attempt that brought less is a failed one."""


def parse_checksum(text: str) -> str:
    """The hexadecimal SHA-256 of ``sha256:<hex>``; raises InvalidOption."""
    match = re.fullmatch(r"sha256:([0-9a-f]{64})", text.strip().lower())
    if match is None:
        raise InvalidOption("checksum", f"'{text}' is not of the form sha256:<64 hexadecimal digits>.")
    return match.group(1)


def check_url(url: str) -> None:
    """Only https; raises InvalidOption."""
    if not _is_https(url):
        raise InvalidOption("source_url", f"'{url}' is not an https URL.")
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise InvalidOption("source_url", "holds a user name or a password, which would be shown in logs.")


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname)


def fetch_package(url: str, digest: str, session: requests.Session, clock: Clock, directory: Path | None = None) -> MeasuredFile:
    """The file with this digest, downloaded unless it is there already."""
    home = directory or cache_directory()
    target = home / f"{digest}.zip"
    if found := _kept(target, digest):
        return found
    try:
        with locked(home / f"{digest}.lock"):
            found = _kept(target, digest)
            if found is None:
                _Download(url, digest, home / f"{digest}.part", session, clock).finish().replace(target)
                tidy(home)
    except OSError as error:
        raise NotPossible(
            doing="keep the downloaded package",
            why=f"'{home}' cannot be written ({error.strerror or error}).",
            next_step="Make room there, set XDG_CACHE_HOME, or download the package yourself and give path.",
        ) from error
    return found or MeasuredFile(str(target), target.stat().st_size, digest)


def _kept(path: Path, digest: str) -> MeasuredFile | None:
    """The file, if it is there and as it should be."""
    if not is_private(path):
        return None
    try:
        found = measure(str(path))
    except TaskError:
        return None
    note_use(path)
    return found if found.digest == digest else None


def _reason(error: requests.RequestException) -> str:
    """The innermost one, without the names of the libraries' objects around it."""
    inner = getattr(error.args[0], "reason", error) if error.args else error
    return str(inner).rsplit(">: ", 1)[-1].rsplit(": ", 1)[-1].strip("()'\"") or type(error).__name__


class _Broken(Exception):
    """An attempt that another one may better; says why."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


@dataclass
class _Download:
    """One file on its way."""

    url: str
    digest: str
    part: Path
    session: requests.Session
    clock: Clock
    deadline: float = 0

    def finish(self) -> Path:
        """Continue, or begin, until the file is whole and right."""
        self.deadline = self.clock.now() + DEADLINE
        failed, problem = 0, ""
        while failed < ATTEMPTS:
            held = self._held()
            if held and self._is_right():  # killed when all was there
                return self.part
            try:
                self._attempt(held)
            except _Broken as error:
                failed = failed + 1 if self._held() - held < BROUGHT else 0
                problem = str(error)
                if failed < ATTEMPTS:
                    self._pause(error.wait if error.wait is not None else 2.0**failed)
                continue
            if self._is_right():
                return self.part
            found = measure(str(self.part), "source_url").digest
            self.part.unlink()
            if not held:
                raise InvalidOption(
                    "checksum",
                    f"{self._shown} sent a file with the SHA-256 {found}, not {self.digest}.",
                    "The file was changed or replaced: have its publisher confirm the checksum before you correct it.",
                )
        raise NotReachable(
            doing="download the solution package",
            why=f"{self._shown} could not be read ({problem}); tried {ATTEMPTS} times.",
            next_step="Check the URL, the network and the proxy settings, or download the file and give path. What was received is kept and continued.",
            retryable=True,
        )

    def _attempt(self, held: int) -> None:
        """Receive what is missing behind the first ``held`` bytes, or everything if the server knows no parts."""
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={held}-"} if held else {})}
        end: int | None = None
        try:
            with self._answer(headers) as response:
                start, end = self._extent(response, held)
                if end is not None and end > MAX_PACKAGE:
                    raise self._too_large()
                self._store(response, start)
        except requests.RequestException as error:
            raise _Broken(_reason(error) if end is None else f"the connection ended after {self._held()} of {end} bytes") from error
        if end is not None and self._held() < end:
            raise _Broken(f"the connection ended after {self._held()} of {end} bytes")

    def _answer(self, headers: dict[str, str]) -> requests.Response:
        """The answer at the end of all redirections, each of which must be to https."""
        url = self.url
        for _hop in range(REDIRECTIONS):
            try:
                response = self.session.get(
                    url, stream=True, timeout=(10, 60), headers=headers, allow_redirects=False, proxies=t.cast("t.Any", get_environ_proxies(url))
                )
            except requests.RequestException as error:
                if not untrusted(error):
                    raise
                raise NotReachable(
                    doing="download the solution package",
                    why=f"the TLS certificate of {urlsplit(url).netloc} was not accepted.",
                    next_step="Give the CA that signed it in ca_path, or correct the URL.",
                ) from error
            except ValueError as error:  # requests looks at the next address, too
                raise InvalidOption("source_url", f"{self._shown} leads to an address that is none.") from error
            if not response.is_redirect:
                return response
            response.close()
            url = urljoin(url, response.headers["Location"])
            if not _is_https(url):
                raise InvalidOption("source_url", f"{self._shown} leads to an address that is not https.")
        raise InvalidOption("source_url", f"{self._shown} leads from one address to the next, without an end.")

    def _extent(self, response: requests.Response, held: int) -> tuple[int, int | None]:
        """Where the bytes of the answer belong, and where the file ends if that is said."""
        status, coded = response.status_code, response.headers.get("Content-Encoding", "identity") != "identity"
        if status == 200:
            length = response.headers.get("Content-Length", "")
            return 0, int(length) if re.fullmatch(r"\d{1,15}", length) and not coded else None
        if status in (206, 416) and held:
            match = re.fullmatch(r"bytes (\d{1,15})-\d{1,15}/(\d{1,15}|\*)", response.headers.get("Content-Range", ""))
            if status == 206 and match and int(match[1]) == held and not coded:
                return held, int(match[2]) if match[2] != "*" else None
            self.part.unlink()  # the next attempt asks for the whole file
            raise _Broken("the server does not continue where the download broke off", wait=0)
        if status >= 500 or status in (408, 429):
            raise _Broken(f"HTTP {status}", retry_after(response.headers, self.clock.now()))
        raise InvalidOption("source_url", f"{self._shown} answered HTTP {status}.", "Correct the URL, or download the file and give path.")

    def _store(self, response: requests.Response, start: int) -> None:
        """Neither size nor time are without limit."""
        descriptor = os.open(self.part, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            file.truncate(start)
            size = file.seek(start)
            for piece in response.iter_content(PIECE):
                size += len(piece)
                if size > MAX_PACKAGE:
                    raise self._too_large()
                if self.clock.now() > self.deadline:
                    raise self._too_slow()
                file.write(piece)

    def _pause(self, seconds: float) -> None:
        if self.clock.now() + seconds > self.deadline:
            raise self._too_slow()
        self.clock.sleep(seconds)

    def _held(self) -> int:
        """Bytes of the file that an earlier attempt or run received."""
        if not is_private(self.part):
            self.part.unlink(missing_ok=True)
            return 0
        return self.part.stat().st_size

    def _is_right(self) -> bool:
        return _kept(self.part, self.digest) is not None

    def _too_large(self) -> InvalidOption:
        self.part.unlink(missing_ok=True)
        return InvalidOption("source_url", f"{self._shown} sends more than {MAX_PACKAGE // MEGABYTE} MB, which is no solution package.")

    def _too_slow(self) -> NotReachable:
        return NotReachable(
            doing="download the solution package",
            why=f"{self._shown} did not finish in {DEADLINE} seconds.",
            next_step="Run again: what was received is kept and continued. Or download the file and give path.",
            retryable=True,
        )

    @property
    def _shown(self) -> str:
        """The URL without its query, which may hold a signature."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}"
