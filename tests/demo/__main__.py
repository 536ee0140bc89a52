# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: start the emulator, onboard its tenants with the real command, do it again, say whether all ended as it must."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from ..emulator.launcher import RunningEmulator
from . import inventory
from .expectations import BY_KIND, Json, problems
from .playbook import ONBOARD, ROOT, run

SCRATCH = ROOT / "build/demo"
PID_FILE = SCRATCH / "emulator.pid"
SHOWN_COMMAND = f"ansible-playbook {ONBOARD} -i tenants.yml --vault-password-file vault-password"


def main() -> int:
    """Run the demo; answers its exit status."""
    keep = os.environ.get("KEEP", "") not in ("", "0")
    _stop_earlier()
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    emulator = RunningEmulator("--state", str(SCRATCH / "emulator"))
    try:
        PID_FILE.write_text(str(emulator.process.pid), encoding="utf-8")
        wrong = _onboard(emulator)
        if keep:
            _how_to_use(emulator)
    except NoReportError as error:
        keep = False
        _say(f"{error.args[0]}: it could not be told how the tenants ended", error.args[1])
        return 2
    except BaseException:
        keep = False
        raise
    finally:
        if not keep:
            emulator.stop()
            PID_FILE.unlink(missing_ok=True)
    return 1 if wrong else 0


def _onboard(emulator: RunningEmulator) -> list[str]:
    package, vault_password = SCRATCH / "solution.zip", SCRATCH / "vault-password"
    subprocess.run([sys.executable, "-m", "tests.emulator.package", "--output", str(package)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    vault_password.touch(mode=0o600)
    vault_password.write_text(secrets.token_urlsafe(24) + "\n", encoding="utf-8")
    inventory.write(SCRATCH / "tenants.yml", emulator.ready, package, vault_password)
    (SCRATCH / "ansible.cfg").write_text("[defaults]\nforks = 20\ndisplay_skipped_hosts = false\n", encoding="utf-8")
    kinds = {tenant["name"]: tenant["kind"] for tenant in emulator.tenants}
    where = SCRATCH.relative_to(ROOT)

    _say(
        f"{len(kinds)} tenants of different kinds, in {where}/tenants.yml",
        *(f"  {name:<16}{BY_KIND[kind].means}" for name, kind in kinds.items()),
    )
    first = _run("First run")
    second = _run("Second run: nothing may change")

    wrong = problems(kinds, first, second)
    sheets = sorted((SCRATCH / "lead_management").glob("*.md"))
    if wrong:
        _say("Not everything ended as it must", *wrong)
    else:
        failed = sum(tenant["outcome"] == "failed" for tenant in first["tenants"].values())
        _say(
            "Everything ended as it must",
            f"{len(kinds) - failed} tenants are set up, and the second run changed nothing in them. {failed} could not be, each for the reason",
            "told above, and without holding up the others.",
            f"{len(sheets)} hand-off sheets: {where}/lead_management/*.md",
        )
    return wrong


class NoReportError(Exception):
    """A run ended without its report."""


def _run(title: str) -> Json:
    _say(title, f"$ {SHOWN_COMMAND}")
    path = SCRATCH / "lead_management/report.json"
    path.unlink(missing_ok=True)  # That of an earlier run says nothing of this one
    begun = time.monotonic()
    ended = run(SCRATCH, "-i", "tenants.yml", "--vault-password-file", "vault-password", show=True)
    print(f"({time.monotonic() - begun:.0f} seconds)", flush=True)
    if not path.exists():
        told = f"ansible-playbook ended with status {ended.returncode} and wrote no {path.relative_to(SCRATCH)}. Its output above says why."
        raise NoReportError(title, told)
    report: Json = json.loads(path.read_text(encoding="utf-8"))
    return report


def _how_to_use(emulator: RunningEmulator) -> None:
    _say(
        f"The emulator goes on running as process {emulator.process.pid}; end it with: kill {emulator.process.pid}",
        "Its tenants are in the inventory of the demo. Point a playbook of your own at them:",
        f"  cd {SCRATCH}",
        f"  export ANSIBLE_COLLECTIONS_PATH={ROOT / 'build/collections'} PATH={Path(sys.executable).parent}:$PATH",
        f"  {SHOWN_COMMAND.replace(ONBOARD, 'my_playbook.yml')}",
        "Modules need these options, which the inventory holds as lead_management_endpoints and lead_management_ca_path:",
        f"  endpoints: {json.dumps({name: emulator.ready[name] for name in ('authority', 'graph', 'power_platform', 'partner_center')})}",
        f"  ca_path: {emulator.ca}",
        f"Requests, faults and a fresh start: {emulator.control_url}/ (see tests/emulator/README.md)",
    )


def _stop_earlier() -> None:
    """End the emulator that an earlier demo left running on request."""
    try:
        pid = int(PID_FILE.read_text(encoding="utf-8"))
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return
    if b"tests.emulator" in command:
        os.kill(pid, signal.SIGTERM)


def _say(title: str, *lines: str) -> None:
    print("\n".join(["", f"=== {title}", *lines]), flush=True)


if __name__ == "__main__":
    sys.exit(main())
