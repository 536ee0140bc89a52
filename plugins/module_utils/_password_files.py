# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A password that is generated here, and the file that keeps it.

The file is complete before the password is sent anywhere, so that no interruption can lose the password of an account
that exists; and it is the only place where the password can be read, since results are printed and logged.

This file is private to the collection.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import string
import tempfile
import typing as t
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ._directory_user_rules import check_password, password_lengths
from ._errors import InvalidOption, NotPossible

_SYMBOLS = "-_.+=~!?"
_ALPHABET = string.ascii_letters + string.digits + _SYMBOLS
_CLASSES = (string.ascii_lowercase, string.ascii_uppercase, string.digits, _SYMBOLS)
_SHORTEST_WORD = 3
_LONGEST_FILE = 4096
_OPTION = "password_file"


def generate_password(length: int, avoid: tuple[str, ...] = ()) -> str:
    """Random characters of all four kinds, in which none of the words in ``avoid`` occurs, in whatever case.

    What does not fit is drawn anew as a whole, so that all passwords that fit stay equally likely.
    """
    while True:
        drawn = "".join(secrets.choice(_ALPHABET) for _position in range(length))
        if all(set(drawn) & set(kind) for kind in _CLASSES) and not any(word in drawn.lower() for word in avoid):
            return drawn


def words_to_avoid(*names: str) -> tuple[str, ...]:
    """The parts of a user's names that its password must not contain."""
    parts = {part for name in names for part in [name.rpartition("@")[0], *re.split(r"[^a-z0-9]+", name.lower())]}
    return tuple(sorted(part.lower() for part in parts if len(part) >= _SHORTEST_WORD))


@dataclass
class PasswordFile:
    """One file with one password: read if it is there, else made when the password is needed."""

    path: Path
    length: int
    avoid: tuple[str, ...]
    mask: Callable[[str], None]
    """Told each password the moment it is known, so that no output can show it."""
    generated: bool = False
    """Whether this run has made the password up."""

    def check(self) -> None:
        """Before the first request: whether the password that is kept can be used, or one could be kept."""
        lengths = password_lengths()
        if self.length not in lengths:
            raise InvalidOption("password_length", f"is {self.length}; {lengths[0]} to {lengths[-1]} are allowed.")
        if self.exists():
            self._read()
            return
        directory = next(parent for parent in self.path.absolute().parents if parent.exists())
        if not directory.is_dir() or not os.access(directory, os.W_OK | os.X_OK):
            raise InvalidOption(_OPTION, f"{self.path} cannot be made: {directory} is not a directory that may be written to.", "Choose another place.")

    def exists(self) -> bool:
        """Whether a password is kept already."""
        return self.path.exists() or self.path.is_symlink()

    def password(self) -> str:
        """The password that is kept. One that is made up is in the file before it is returned."""
        if not self.exists():
            self._keep(self.path.hardlink_to)
        return self._read()

    def another(self) -> str | None:
        """Instead of one that the service refused; None if it is not this run's to replace."""
        if not self.generated:
            return None
        self._keep(lambda temporary: temporary.replace(self.path))
        return self._read()

    def readable_by_others(self) -> bool:
        """Whether somebody else on this machine may read the file."""
        return self.exists() and bool(stat.S_IMODE(self.path.stat().st_mode) & (stat.S_IRGRP | stat.S_IROTH))

    def _keep(self, put: Callable[[Path], t.Any]) -> None:
        """Write beside the file and put it in place at once: nobody sees half of it, and of two runs that make it, one does."""
        made = generate_password(self.length, self.avoid)
        self.mask(made)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")  # 0600
            temporary = Path(name)
            try:
                with os.fdopen(handle, "w", encoding="ascii") as file:
                    file.write(f"{made}\n")
                    file.flush()
                    os.fsync(file.fileno())
                put(temporary)
                self.generated = True
            finally:
                temporary.unlink(missing_ok=True)
        except FileExistsError:
            return  # another run was faster, and its password counts
        except OSError as error:
            raise NotPossible(
                doing=f"keep a new password in {self.path}",
                why=f"{error.strerror or error}.",
                next_step="Choose another place with password_file. No account has this password.",
            ) from error

    def _read(self) -> str:
        try:
            with self.path.open(encoding="utf-8") as file:
                text = file.read(_LONGEST_FILE)
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidOption(_OPTION, f"{self.path} cannot be read as text ({error}).", "It must hold the password in one line.") from error
        password = text.removesuffix("\n").removesuffix("\r")
        if password:
            self.mask(password)
        if password.startswith("$ANSIBLE_VAULT;"):
            raise InvalidOption(_OPTION, f"{self.path} is encrypted, and a module cannot decrypt it.", "Give its content as password, by a lookup.")
        if "\n" in password:
            raise InvalidOption(_OPTION, f"{self.path} has several lines.", "It must hold the password in one line, and nothing else.")
        try:
            check_password(password)
        except InvalidOption as error:
            raise InvalidOption(_OPTION, f"the password in {self.path} {error.why.partition(': ')[2]}", error.next_step) from None
        return password
