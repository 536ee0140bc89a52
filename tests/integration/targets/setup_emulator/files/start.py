# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start an emulator that ends when the ansible-playbook above this process does; print its ready line.

Standard input is the text of a tenants file, or nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> int:
    """Leave a guardian behind that holds the emulator, and pass on what it says."""
    # ansible-test runs a copy of the targets that lies somewhere below the collection
    root = next(parent for parent in Path(__file__).resolve().parents if (parent / "tests/emulator/__main__.py").is_file())
    tenants = sys.stdin.read().strip()
    playbook = find_playbook()
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        os.setsid()
        guard(root, tenants, playbook, writer)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as told:
        text = told.read()
    if not text.startswith("{"):
        sys.stderr.write(text)
        return 1
    print(json.dumps({"emulator": json.loads(text), "collection_root": str(root)}))
    return 0


def guard(root: Path, tenants: str, playbook: int, writer: int) -> None:
    """Run the emulator until the playbook has ended."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    with tempfile.TemporaryDirectory(prefix="emulator-") as directory:
        arguments = []
        if tenants:
            file = Path(directory, "tenants.json")
            file.write_text(tenants, encoding="utf-8")
            arguments = ["--tenants", str(file)]
        errors = Path(directory, "errors")
        with errors.open("w", encoding="utf-8") as standard_error:
            emulator = subprocess.Popen(
                [sys.executable, "-m", "tests.emulator", *arguments],
                cwd=root,
                stdout=subprocess.PIPE,
                stderr=standard_error,
                text=True,
                encoding="utf-8",
            )
        line = emulator.stdout.readline() if emulator.stdout else ""
        with os.fdopen(writer, "w", encoding="utf-8") as told:
            told.write(line or f"The emulator did not start: {errors.read_text(encoding='utf-8')}")
        while line and is_running(playbook) and emulator.poll() is None:
            time.sleep(0.3)  # nothing can be waited for: it is not a child
        emulator.terminate()
        emulator.wait()


def find_playbook() -> int:
    """The process id of the outermost ansible-playbook above this process."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,command="], check=True, capture_output=True, text=True).stdout
    fields = (line.split(None, 2) for line in listed.splitlines())
    processes = {int(field[0]): (int(field[1]), field[2]) for field in fields if len(field) == 3}
    found, pid = 0, os.getpid()
    while pid in processes:
        parent, command = processes[pid]
        if "ansible-playbook" in command:
            found = pid
        pid = parent
    if not found:
        raise SystemExit("There is no ansible-playbook above this process.")
    return found


def is_running(pid: int) -> bool:
    """Whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
