# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the real ``ansible-playbook`` as an operator would."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ONBOARD = "leadops.dynamics365.onboard"


def command(*arguments: str, playbook: str = ONBOARD) -> list[str]:
    """The command line, with the ``ansible-playbook`` of this Python."""
    return [str(Path(sys.executable).with_name("ansible-playbook")), playbook, *arguments]


def environment(**more: str) -> dict[str, str]:
    """The environment for it: this checkout's collection, and nothing of the user's that would change what is tried here."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "AZURE_"))}
    collections = os.environ.get("ANSIBLE_COLLECTIONS_PATH") or str(ROOT / "build/collections")
    return {**kept, "ANSIBLE_COLLECTIONS_PATH": collections, "NO_PROXY": "localhost,127.0.0.1", "no_proxy": "localhost,127.0.0.1", **more}


def run(
    directory: Path, *arguments: str, show: bool = False, playbook: str = ONBOARD, extra: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it in a directory, where the report and the passwords go; ``show`` passes its output on instead of keeping it."""
    return subprocess.run(
        command(*arguments, playbook=playbook),
        cwd=directory,
        env=environment(**(extra or {})),
        check=False,
        text=True,
        encoding="utf-8",
        stdout=None if show else subprocess.PIPE,
        stderr=None if show else subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    )
