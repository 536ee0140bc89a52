# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure whole playbook runs against the emulator: ``make bench ARGS="--tenants 40"``.

Machines differ and are noisy, so the figures to quote are the ratios of one run: a module inside the worker against the same
module the ordinary way, in CPU time of everything that ansible-playbook started, and the requests that each tenant costs.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ..demo import inventory
from ..demo.playbook import ONBOARD, ROOT, run
from ..emulator.launcher import RunningEmulator

TIMES = 8
TASK = {
    "name": "Read the organisation",
    "leadops.dynamics365.crm_organization_info": {
        "url": "{{ lead_management_url }}",
        "auth": "{{ lead_management_auth | combine({'tenant_id': lead_management_tenant_id}) }}",
        "endpoints": "{{ lead_management_endpoints }}",
        "ca_path": "{{ lead_management_ca_path }}",
    },
}
PLAY = {
    "hosts": "all",
    "gather_facts": False,
    "connection": "local",
    "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
    "tasks": [TASK] * TIMES,
}


@dataclass(frozen=True)
class Cost:
    """What one run of ansible-playbook took, in seconds, and the requests of the median tenant."""

    wall: float
    cpu: float
    requests: float


class Bench:
    """One emulator with a fleet, and runs against it."""

    def __init__(self, scratch: Path, tenants: int) -> None:
        self.scratch = scratch
        fleet = scratch / "fleet.json"
        fleet.write_text(json.dumps({"tenants": [], "fleet": {"count": tenants, "kind": "fresh", "prefix": "tenant"}}), encoding="utf-8")
        self.emulator = RunningEmulator("--tenants", str(fleet))
        package, vault_password = scratch / "solution.zip", scratch / "vault-password"
        subprocess.run([sys.executable, "-m", "tests.emulator.package", "--output", str(package)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        vault_password.write_text("benchmark\n", encoding="utf-8")
        inventory.write(scratch / "tenants.json", self.emulator.ready, package, vault_password)
        (scratch / "modules.yml").write_text(json.dumps([PLAY]), encoding="utf-8")
        self.names = [tenant["name"] for tenant in self.emulator.tenants]

    def measure(self, *arguments: str, playbook: str | None = None, hosts: int | None = None) -> Cost:
        """Run, and take the difference of what all finished children have used."""
        hosts = hosts or len(self.names)
        self.emulator.control("DELETE", "requests")
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        limit = ",".join(self.names[:hosts])
        ended = run(self.scratch, "-i", "tenants.json", "--forks", "20", "--limit", limit, *arguments, playbook=playbook or ONBOARD)
        wall = time.monotonic() - begun
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if ended.returncode:
            raise SystemExit(f"The measured run failed:\n{ended.stdout[-3000:]}")
        entries = self.emulator.request_log()
        counts = [sum(1 for entry in entries if entry["tenant"] == name) for name in self.names[:hosts]]
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Cost(wall, cpu, statistics.median(counts))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark", description=__doc__.splitlines()[0])
    parser.add_argument("--tenants", type=int, default=40, help="how many tenants the fleet has (default 40)")
    parser.add_argument("--hosts", type=int, default=6, help="how many of them the comparison of the two ways uses (default 6)")
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="leadops-bench-"))
    try:
        bench = Bench(scratch, options.tenants)
        try:
            _report(bench, options.hosts)
        finally:
            bench.emulator.stop()
    finally:
        shutil.rmtree(scratch)
    return 0


def _report(bench: Bench, hosts: int) -> None:
    tenants = len(bench.names)
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, {tenants} tenants, 20 forks; wall and CPU in seconds")
    print(f"{'onboard':<34}{'wall':>8}{'CPU':>8}{'CPU per tenant':>16}{'requests per tenant':>21}")
    runs = {"check mode, fresh": ("--check",), "first run": (), "second run": (), "check mode and diff, converged": ("--check", "--diff")}
    for title, arguments in runs.items():
        cost = bench.measure(*arguments)
        print(f"{title:<34}{cost.wall:>8.1f}{cost.cpu:>8.1f}{cost.cpu / tenants:>16.2f}{cost.requests:>21.0f}", flush=True)

    modules = hosts * TIMES
    print(f"\n{f'one module, {modules} times on {hosts} hosts':<34}{'wall':>8}{'CPU':>8}{'CPU per module':>16}")
    playbook = str(bench.scratch / "modules.yml")
    spent = {}
    for title, in_worker in (("in the worker", "true"), ("ordinary", "false")):
        way = f"leadops_dynamics365_in_worker={in_worker}"
        start = bench.measure("-e", way, "--tags", "none", playbook=playbook, hosts=hosts)  # what Ansible takes before the first task
        cost = bench.measure("-e", way, playbook=playbook, hosts=hosts)
        spent[title] = (cost.cpu - start.cpu) / modules
        print(f"{title:<34}{cost.wall:>8.1f}{cost.cpu:>8.1f}{spent[title]:>16.3f}", flush=True)
    print(f"{'ratio, ordinary to worker':<50}{spent['ordinary'] / spent['in the worker']:>16.1f}")


if __name__ == "__main__":
    sys.exit(main())
