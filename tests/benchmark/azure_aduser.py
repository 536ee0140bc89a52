# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""o365_user and azure.azcollection.azure_rm_aduser, side by side: ``python -m tests.benchmark.azure_aduser``.

Both make the same users with the same attributes in the same emulator. The other module speaks to the real host names, through
the emulator's proxy. It needs the PyPI package ``ansible`` and azure.azcollection's requirements, in a Python of its own:

    python -m venv build/aduser/venv
    build/aduser/venv/bin/pip install "ansible==12.*"
    build/aduser/venv/bin/pip install -r build/aduser/venv/lib/python3*/site-packages/ansible_collections/azure/azcollection/requirements.txt

The figures to quote are the ratios of one run: CPU time of everything that ansible-playbook started, and requests, per user. What
ansible-playbook itself costs, measured with a task that does nothing, is told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..demo.playbook import ROOT, environment
from ..emulator.launcher import RunningEmulator

Json = dict[str, Any]

PASSWORD = "Not-A-Real-Secret-1"
TENANT = "contoso"
USER_ADMINISTRATOR = "fe930be7-5e62-47db-91af-98c3a49a38b1"


@dataclass(frozen=True)
class Contender:
    """A module, how it is told the job, and the Python that runs it."""

    name: str
    python: Path
    task: Json
    environment: dict[str, str]
    secret: str
    """The option that holds the password."""


@dataclass(frozen=True)
class Outcome:
    """What one run cost and did."""

    code: int
    changed: int
    cpu: float
    requests: int
    writes: int
    output: str


class Comparison:
    """One emulator, and both modules against it."""

    def __init__(self, emulator: RunningEmulator, directory: Path, users: int, other: Path) -> None:
        self.emulator = emulator
        self.directory = directory
        self.users = users
        about = emulator.tenant(TENANT)
        common = {"display_name": "{{ item }}", "mail_nickname": "{{ item }}", "account_enabled": True, "usage_location": "DE", "given_name": "Ada"}
        upn = f"{{{{ item }}}}@{about['domain']}"
        ours: Json = {
            "auth": {"tenant_id": about["tenant_id"], "client_id": about["client_id"], "client_secret": about["client_secret"]},
            "endpoints": {"authority": emulator.authority, "graph": emulator.graph},
            "ca_path": emulator.ca,
            "user_principal_name": upn,
            "admin_roles": "ignore",
            **common,
        }
        theirs: Json = {
            "tenant": about["tenant_id"],
            "client_id": about["client_id"],
            "secret": about["client_secret"],
            "subscription_id": "00000000-0000-0000-0000-000000000001",
            "user_principal_name": upn,
            **common,
        }
        through_proxy = {"HTTPS_PROXY": emulator.proxy, **dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"), emulator.ca)}
        self.ours = Contender("leadops.dynamics365.o365_user", Path(sys.executable), ours, environment(), "password")
        clean = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY") and not name.startswith(("ANSIBLE_", "AZURE_"))}
        self.theirs = Contender("azure.azcollection.azure_rm_aduser", other, theirs, {**clean, **through_proxy}, "password_profile")

    def run(
        self, who: Contender, prefix: str, *arguments: str, password: str | None = PASSWORD, module: str = "", task: Json | None = None, **more: Any
    ) -> Outcome:
        """One playbook with one task, looped over the users."""
        options = {**who.task, **({who.secret: password} if password else {}), **more} if task is None else task
        names = [f"{prefix}{number}" for number in range(self.users)]
        play = {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": str(who.python)},
            "tasks": [{"name": "Have the users", module or who.name: options, "loop": names}],
        }
        path = self.directory / "play.yml"
        path.write_text(json.dumps([play]), encoding="utf-8")
        self.emulator.control("DELETE", "requests")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [str(who.python.with_name("ansible-playbook")), "-i", "localhost,", str(path), *arguments]
        ended = subprocess.run(command, cwd=self.directory, env=who.environment, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        log = self.emulator.request_log()
        effective = [record for record in log if record["service"] == "graph" and record["method"] != "GET" and record["effect"]]
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Outcome(ended.returncode, ended.stdout.count("changed: [localhost] => "), cpu, len(log), len(effective), ended.stdout)

    def appoint(self) -> None:
        """Make the automation's application a User Administrator, which may set passwords of existing users."""
        client_id = self.emulator.tenant(TENANT)["client_id"]
        principal = next(row["id"] for row in self.emulator.documents(TENANT, "servicePrincipals") if row["appId"] == client_id)
        row = {"id": "benchmark", "principalId": principal, "roleDefinitionId": USER_ADMINISTRATOR, "directoryScopeId": "/"}
        self.emulator.control("PUT", f"tenants/{TENANT}/documents/directoryRoleAssignments/benchmark", row)

    def floor(self, who: Contender) -> float:
        """What Ansible itself costs with this Python and loop."""
        return self.run(who, "none", module="ansible.builtin.assert", task={"that": True}).cpu


def main() -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark.azure_aduser", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--users", type=int, default=4, help="how many users each makes (default 4)")
    parser.add_argument("--python", type=Path, default=ROOT / "build/aduser/venv/bin/python", help="the Python with azure.azcollection")
    options = parser.parse_args()
    if not options.python.exists():
        parser.error(f"{options.python} does not exist; see the top of this file.")
    with tempfile.TemporaryDirectory() as directory, RunningEmulator() as emulator:
        comparison = Comparison(emulator, Path(directory), options.users, options.python.absolute())
        _report(comparison)
    return 0


def _report(comparison: Comparison) -> None:
    users = comparison.users
    print(f"{users} users each; per user: CPU seconds beyond Ansible's own, requests (sign-in included), writes that had an effect")
    print(f"{'':<34}{'o365_user':>36}{'azure_rm_aduser':>36}{'requests':>13}")
    both = (comparison.ours, comparison.theirs)
    floors = [comparison.floor(who) for who in both]
    steps: dict[str, Any] = {
        "check mode, nothing there": lambda who: comparison.run(who, "checked", "--check"),
        "create": lambda who: comparison.run(who, who.secret.replace("_", "")),
        "the same again": lambda who: comparison.run(who, who.secret.replace("_", "")),
        "the same, no password": lambda who: comparison.run(who, who.secret.replace("_", ""), password=None),
        "change, in check mode": lambda who: comparison.run(who, who.secret.replace("_", ""), "--check", password=None, given_name="Eva"),
        "change": lambda who: comparison.run(who, who.secret.replace("_", ""), password=None, given_name="Eva"),
        "clear an attribute": lambda who: comparison.run(who, who.secret.replace("_", ""), password=None, given_name=""),
    }
    spent = [0.0, 0.0]
    for title, step in steps.items():
        _add(spent, _compare(title, [step(who) for who in both], floors, users))
    comparison.appoint()
    _add(spent, _compare("change, as User Administrator", [comparison.run(who, who.secret.replace("_", "")) for who in both], floors, users))
    _add(spent, _compare("the same again, as the same", [comparison.run(who, who.secret.replace("_", "")) for who in both], floors, users))
    print(f"CPU of all steps beyond Ansible's own: {spent[1] / spent[0]:.0f} times as much")


def _add(spent: list[float], more: list[float]) -> None:
    spent[:] = [before + seconds for before, seconds in zip(spent, more, strict=True)]


def _compare(title: str, done: list[Outcome], floors: list[float], users: int) -> list[float]:
    cpu = [max(0.001, (outcome.cpu - floor) / users) for outcome, floor in zip(done, floors, strict=True)]
    cells = "".join(f"{_cell(outcome, seconds, users):>36}" for outcome, seconds in zip(done, cpu, strict=True))
    ratio = f"{done[1].requests / done[0].requests:>13.1f}" if done[0].requests else f"{'':>13}"
    print(f"{title:<34}{cells}{ratio}", flush=True)
    for outcome in done:
        if outcome.code:
            print("    " + next((line for line in outcome.output.splitlines() if "[ERROR]" in line), outcome.output[-300:])[:200])
    return cpu


def _cell(outcome: Outcome, cpu: float, users: int) -> str:
    ended = "failed" if outcome.code else f"{outcome.changed}/{users} changed"
    return f"{ended}, {cpu:.2f} s, {outcome.requests / users:.1f} r, {outcome.writes / users:.1f} w"


if __name__ == "__main__":
    sys.exit(main())
