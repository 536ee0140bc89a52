# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run lint and the gates of all ansible-core releases, two at a time, and show what each printed as soon as it has ended."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).parents[2]
AT_ONCE = 2
"""More would make tests that measure time fail on a machine of two cores."""
LONGEST_FIRST = ("matrices", "stories", "integration", "sanity", "emulator", "units")
"""So that no long gate begins when all others have ended."""


def gates() -> dict[str, list[str]]:
    """The commands by the name of the gate: lint, of which people wait for the result, then the sessions of nox, the longest first."""
    listed = subprocess.run([sys.executable, "-m", "nox", "--list"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    names = [line.split()[1] for line in listed.splitlines() if line.startswith("* ")]
    names.sort(key=lambda name: LONGEST_FIRST.index(name.rsplit("-", 1)[0]))
    return {"lint": ["make", "--keep-going", "lint"], **{name: [sys.executable, "-m", "nox", "--session", name] for name in names}}


def run(command: list[str]) -> tuple[int, str, float]:
    """Run a gate; answers exit status, output and seconds."""
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        ended = subprocess.run(command, cwd=ROOT, check=False, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        output.seek(0)
        return ended.returncode, output.read(), time.monotonic() - begun


def main() -> int:
    """Exit status 1 if any session failed."""
    names = gates()
    print(f"{len(names)} gates, {AT_ONCE} at a time: {' '.join(names)}", flush=True)
    ended: list[str] = []
    failed = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {pool.submit(run, command): name for name, command in names.items()}
        for future in as_completed(running):
            status, output, seconds = future.result()
            failed += bool(status)
            ended.append(f"{running[future]}: {'failed' if status else 'successful'} in {seconds / 60:.1f} minutes")
            print(output, f"[{len(ended)} of {len(names)}] {ended[-1]}", sep="\n", flush=True)
    print("", "All gates:", *(f"  {line}" for line in ended), sep="\n", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
