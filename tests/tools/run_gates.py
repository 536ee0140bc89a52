# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the gates of all ansible-core releases side by side, and show what each printed once it has ended."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).parents[2]


def releases() -> list[list[str]]:
    """The default sessions of nox, grouped by the release at the end of their names."""
    listed = subprocess.run([sys.executable, "-m", "nox", "--list"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    names = [line.split()[1] for line in listed.splitlines() if line.startswith("* ")]
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.rsplit("-", 1)[1], []).append(name)
    # What is short runs after the newest release, which has less to do than the oldest
    oldest, *others = groups.values()
    return [oldest, [name for group in reversed(others) for name in group]] if others else [oldest]


def run(sessions: Sequence[str]) -> tuple[int, str, float]:
    """Run some sessions one after the other; answers exit status, output and seconds."""
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        ended = subprocess.run(
            [sys.executable, "-m", "nox", "--session", *sessions], cwd=ROOT, check=False, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        output.seek(0)
        return ended.returncode, output.read(), time.monotonic() - begun


def main() -> int:
    """Exit status 1 if any session failed."""
    groups = releases()
    failed = False
    with ThreadPoolExecutor(len(groups)) as pool:
        running = {pool.submit(run, group): group for group in groups}
        print("Running side by side:", *(" ".join(group) for group in groups), sep="\n  ", flush=True)
        for future in as_completed(running):
            status, output, seconds = future.result()
            print(output, flush=True)
            print(f"{' '.join(running[future])}: {'failed' if status else 'successful'} in {seconds / 60:.1f} minutes", flush=True)
            failed = failed or bool(status)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
