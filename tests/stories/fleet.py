# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of emulated tenants, an operator's directory, and what became of both."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.demo import inventory, playbook
from tests.emulator.launcher import RunningEmulator

Json = dict[str, Any]

VAULT_PASSWORD = "stories-vault-password-91f3"
_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\{\w+\}", re.IGNORECASE)
_ROOTS = re.compile(r"^/(?:api/data/)?(?:v[0-9.]+/)?")
_RECAP = re.compile(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """An ended ``ansible-playbook``."""

    code: int
    output: str
    report: Json

    def outcomes(self) -> dict[str, str]:
        """How each tenant ended."""
        return {name: tenant["outcome"] for name, tenant in self.report.get("tenants", {}).items()}

    def changes(self, tenant: str) -> list[Json]:
        """What was, or would be, written."""
        changes: list[Json] = self.report["tenants"][tenant]["changes"]
        return changes

    def recap(self) -> dict[str, tuple[int, int]]:
        """Changed and failed tasks of each host, from Ansible's own recap."""
        return {host: (int(changed), int(unreachable) + int(failed)) for host, changed, unreachable, failed in _RECAP.findall(self.output)}


class Fleet:
    """The operator's directory with inventory, package and vault password, beside a running emulator."""

    def __init__(self, emulator: RunningEmulator, directory: Path, *, forks: int = 20, suffix: str = ".json", **variables: object) -> None:
        self.emulator = emulator
        self.directory = directory
        self.inventory = directory / f"tenants{suffix}"
        self.vault_password = directory / "vault-password"
        self.vault_password.write_text(VAULT_PASSWORD + "\n", encoding="utf-8")
        inventory.write(self.inventory, emulator.ready, package(directory), self.vault_password, **variables)
        (directory / "ansible.cfg").write_text(f"[defaults]\nforks = {forks}\n", encoding="utf-8")

    def arguments(self, *more: str) -> list[str]:
        """What follows the playbook on the command line."""
        return ["-i", str(self.inventory), "--vault-password-file", str(self.vault_password), *more]

    def run(self, *more: str, name: str = playbook.ONBOARD, extra: dict[str, str] | None = None) -> Run:
        """Run the playbook to its end."""
        report = self.directory / "lead_management" / ("report-check.json" if "--check" in more else "report.json")
        report.unlink(missing_ok=True)
        ended = playbook.run(self.directory, *self.arguments(*more), playbook=name, extra=extra)
        assert "Traceback" not in ended.stdout, ended.stdout
        return Run(ended.returncode, ended.stdout, json.loads(report.read_text(encoding="utf-8")) if report.exists() else {})

    def passwords(self) -> dict[str, str]:
        """The generated passwords that are kept."""
        return {
            path.stem: inventory.decrypt(path.read_text(encoding="utf-8"), VAULT_PASSWORD).partition(": ")[2].strip()
            for path in (self.directory / "lead_management/passwords").glob("*.yml")
        }

    def writes(self, tenant: str = "", since: int = 0) -> list[tuple[str, str, str]]:
        """The writes that had an effect, in order, in the form of ``normal``."""
        query: dict[str, str | int] = {"writes": 1, "since": since, **({"tenant": tenant} if tenant else {})}
        return [normal(record) for record in self.emulator.request_log(**query) if record["effect"]]

    def last_request(self) -> int:
        """The number of the newest request."""
        return max((record["seq"] for record in self.emulator.request_log()), default=0)

    def accounts(self, tenant: str) -> list[Json]:
        """The service accounts in the directory: one, or something went wrong."""
        wanted = self.emulator.tenant(tenant)["service_account"].lower()
        return [user for user in self.emulator.documents(tenant, "users") if user["userPrincipalName"].lower() == wanted]

    def is_complete(self, tenant: str) -> bool:
        """Whether everything is there once: solution, licensed account, one import, one role assignment."""
        accounts = self.accounts(tenant)
        if len(accounts) != 1 or not accounts[0]["assignedLicenses"]:
            return False
        users = [row for row in self.emulator.documents(tenant, "systemusers") if row.get("azureactivedirectoryobjectid") == accounts[0]["id"]]
        roles = {row["roleid"]: row for row in self.emulator.documents(tenant, "roles")}
        held = [
            roles[row["roleid"]]["name"]
            for row in self.emulator.documents(tenant, "systemuserroles")
            if users and row["systemuserid"] == users[0]["systemuserid"]
        ]
        jobs = self.emulator.documents(tenant, "importjobs")
        return len(users) == 1 and held.count("Microsoft Marketplace Lead Writer") == 1 and len(jobs) == 1


def normal(write: Json) -> tuple[str, str, str]:
    """A write without ids: as the report tells it, or as the request log does."""
    path = _ROOTS.sub("", write["path"]).split("?")[0]
    return write["service"], write["method"], _ID.sub("<id>", path)


def package(directory: Path) -> Path:
    """A stand-in for the solution's zip."""
    path = directory / "solution.zip"
    subprocess.run([sys.executable, "-m", "tests.emulator.package", "--output", str(path)], cwd=playbook.ROOT, check=True, stdout=subprocess.DEVNULL)
    return path
