# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways that ``crm_solution`` takes, each as a tenant of one playbook run: what is there before, the tasks, and the requests of a quiet run."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.demo import playbook
from tests.emulator.launcher import RunningEmulator
from tests.emulator.package import UNIQUE_NAME, Variant, build

from .fleet import _RECAP, Json

CONNECTOR = "/providers/Microsoft.PowerApps/apis/shared_office365"
_WITH_SETTINGS = {"connection_references": (("leadops_mail", CONNECTOR),), "environment_variables": (("leadops_Box", None), ("leadops_Queue", None))}
PACKAGES = {
    "v1": Variant(),
    "v2": Variant(version="1.1.0.0"),
    "v3": Variant(version="1.2.0.0"),
    "unmanaged": Variant(managed=False),
    "settings": Variant(**_WITH_SETTINGS),
}
SETTINGS: Json = {
    "connection_references": [{"logical_name": "leadops_mail", "connection_id": "con1"}],
    "environment_variables": {"leadops_Box": "leads", "leadops_Queue": "7"},
}
OLD: Json = {"org_version": "9.1.0.643"}
OLD_AND_SLOW: Json = {**OLD, "behaviour": {"gateway_limit": 0.5}, "timing": {"sync_import": 2.0}}
"""The gateway gives up before the import and the upgrade are done."""
TIMING = {"import": 2.0, "job_row": 0.2, "promote": 1.0, "uninstall": 1.0, "publish": 1.0}
AS_MODULE: Json = {"leadops_dynamics365_in_worker": False, "ansible_python_interpreter": sys.executable}
"""Variables of a host whose tasks are to run the ordinary way."""

_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_GUID_PATTERN = "[0-9a-f-]{36}"
_ROOT_PATTERN = "/api/data/v[0-9.]+/"
_FAILED = re.compile(r"^fatal: \[([^\]]+)\]: FAILED! => (.*)$", re.MULTILINE)
_CONFIGURATION = """[defaults]
forks = {forks}
# Ansible looks for results a thousand times a second otherwise, and most of the time here is waiting
internal_poll_interval = 0.05
"""
_PLAYBOOK = """
- hosts: all
  gather_facts: false
  strategy: free
  module_defaults:
    leadops.dynamics365.crm_solution:
      url: "{{ url }}"
      auth: "{{ auth }}"
      endpoints: "{{ endpoints }}"
      ca_path: "{{ ca_path }}"
      api_version: "{{ api_version | default(omit) }}"
      timeout: "{{ timeout | default(60) }}"
      poll_interval: 1
  tasks:
    - leadops.dynamics365.crm_solution: &options
        path: "{{ step.path | default(omit) }}"
        name: "{{ step.name | default(omit) }}"
        state: "{{ step.state | default(omit) }}"
        mode: "{{ step.mode | default(omit) }}"
        wait: "{{ step.wait | default(omit) }}"
        publish: "{{ step.publish | default(omit) }}"
        validate: "{{ step.validate | default(omit) }}"
        stranded_upgrade: "{{ step.stranded_upgrade | default(omit) }}"
        connection_references: "{{ step.connection_references | default(omit) }}"
        environment_variables: "{{ step.environment_variables | default(omit) }}"
      vars:
        step: "{{ steps[0] }}"
      register: first
    - meta: end_host
      when: steps | length == 1
    - leadops.dynamics365.crm_solution:
        <<: *options
        import_job: "{{ first.import_job if step.follow | default(false) else omit }}"
      vars:
        step: "{{ steps[1] }}"
"""


@dataclass(frozen=True)
class Way:
    """One way through the module."""

    name: str
    steps: tuple[Json, ...]
    """Options of one task, or of two that follow each other; ``package`` stands for ``path``."""
    before: tuple[str, ...] = ()
    """The packages that are there already, in order; ``+`` before a name holds it beside the old one."""
    organization: Json = field(default_factory=dict)


def _way(name: str, *steps: Json, before: Iterable[str] = (), organization: Json | None = None) -> Way:
    return Way(name, steps, tuple(before), organization or {})


WAYS = (
    _way("install", {"package": "v1"}),
    _way("install-old", {"package": "v1"}, organization=OLD),
    _way("install-settings", {"package": "settings", **SETTINGS}),
    _way("install-validated", {"package": "v1", "validate": True}),
    _way("install-publish", {"package": "v1", "publish": "always"}),
    _way("unmanaged", {"package": "unmanaged"}),
    _way("unmanaged-old", {"package": "unmanaged"}, organization=OLD),
    _way("start-follow", {"package": "v1", "wait": False}, {"package": "v1", "follow": True}),
    _way("update", {"package": "v2", "mode": "update"}, before=["v1"]),
    _way("upgrade", {"package": "v2"}, before=["v1"]),
    _way("upgrade-old", {"package": "v2"}, before=["v1"], organization=OLD),
    _way("stage-apply", {"package": "v2", "mode": "stage"}, {"package": "v2", "stranded_upgrade": "apply"}, before=["v1"]),
    _way("discard", {"package": "v1", "stranded_upgrade": "discard"}, before=["v1", "+v2"]),
    _way("discard-upgrade", {"package": "v3", "stranded_upgrade": "discard"}, before=["v1", "+v2"]),
    _way("apply-upgrade", {"package": "v3", "stranded_upgrade": "apply"}, before=["v1", "+v2"]),
    _way("remove", {"name": UNIQUE_NAME, "state": "absent"}, before=["v1"]),
    _way("remove-staged", {"name": UNIQUE_NAME, "state": "absent", "stranded_upgrade": "discard"}, before=["v1", "+v2"]),
    _way("settings", {"package": "settings", **SETTINGS}, before=["settings"]),
    _way("install-slow", {"package": "v1"}, organization=OLD_AND_SLOW),
    _way("upgrade-slow", {"package": "v2"}, before=["v1"], organization=OLD_AND_SLOW),
)
BY_NAME = {way.name: way for way in WAYS}


@dataclass(frozen=True)
class Step:
    """One request of a way: the ``nth`` of those that look like it since the write before it."""

    method: str
    pattern: str
    nth: int
    after: str = ""

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"

    @property
    def polls(self) -> bool:
        """Whether it looks at an operation that runs."""
        return re.search(r"/(asyncoperations|importjobs)\\\(", self.pattern) is not None and not self.pattern.endswith("data$")

    def __str__(self) -> str:
        """For messages."""
        after = f" after {_shown(self.after)}" if self.after else ""
        return f"{self.method} {_shown(self.pattern)} (number {self.nth}{after})"

    def rule(self, kind: str, tenant: str, **more: object) -> Json:
        """A fault that hits it."""
        where = {"service": "dataverse", "method": self.method, "path": self.pattern, "nth": self.nth, "after": self.after}
        return {"kind": kind, "tenant": tenant, **where, **more}


def _shown(pattern: str) -> str:
    return re.sub(r"\\(.)", r"\1", pattern.replace(_ROOT_PATTERN, "").removesuffix("$").replace(_GUID_PATTERN, "<id>"))[:70]


def steps_of(log: Iterable[Json]) -> tuple[Step, ...]:
    """The requests to the organisation, in order."""
    looks: list[tuple[str, str]] = []
    steps: list[Step] = []
    begun, after = 0, ""
    for record in log:
        path = str(record["path"])
        parts = _GUID.split(path[path.index("/api/data/") :].split("/", 4)[4])
        look = (str(record["method"]), _ROOT_PATTERN + _GUID_PATTERN.join(re.escape(part) for part in parts) + "$")
        steps.append(Step(*look, looks[begun:].count(look) + 1, after))
        looks.append(look)
        if steps[-1].writes:
            # The fault begins to count after the first request that looks like this
            begun, after = looks.index(look) + 1, " .*".join(look)
    return tuple(steps)


@dataclass(frozen=True)
class Case:
    """A tenant that takes a way while something happens to it."""

    tenant: str
    way: Way
    rules: tuple[Json, ...] = ()
    """Faults that wait for it."""
    told: str = ""
    organization: Json = field(default_factory=dict)
    """What is otherwise in its organisation."""
    variables: Json = field(default_factory=dict)

    def __str__(self) -> str:
        """For messages."""
        return f"{self.tenant}: {self.told}"

    def conditions(self) -> Json:
        """Behaviour and times of its organisation."""
        own, more = self.way.organization, self.organization
        merged = {name: {**own.get(name, {}), **more.get(name, {})} for name in ("behaviour", "timing")}
        return {**merged, "timing": {**TIMING, **merged["timing"]}}


@dataclass(frozen=True)
class Quiet:
    """A way that nothing disturbed."""

    steps: tuple[Step, ...]
    picture: Json


@dataclass(frozen=True)
class Ended:
    """How a playbook run over many cases ended."""

    code: int
    output: str
    failures: dict[str, str]
    changed: dict[str, int]

    def unchanged(self) -> bool:
        """Nothing was written and nothing failed, anywhere."""
        return not self.code and not self.failures and not any(self.changed.values())


class Lane:
    """An emulator with one tenant per case, and the operator's directory beside it."""

    def __init__(self, directory: Path, cases: Iterable[Case], *arguments: str) -> None:
        self.cases = list(cases)
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        versions = [{"org_version": case.way.organization["org_version"]} if case.way.organization else {} for case in self.cases]
        tenants = [{"name": case.tenant, **version} for case, version in zip(self.cases, versions, strict=True)]
        (directory / "emulated.json").write_text(json.dumps({"tenants": tenants}), encoding="utf-8")
        self.packages = {name: build(variant) for name, variant in PACKAGES.items()}
        for name, content in self.packages.items():
            (directory / f"{name}.zip").write_bytes(content)
        self.slices = 2 if len(self.cases) > 40 else 1
        self.playbook = directory / "ways.yml"
        self.playbook.write_text(_PLAYBOOK, encoding="utf-8")
        (directory / "ansible.cfg").write_text(_CONFIGURATION.format(forks=len(self.cases) + 2), encoding="utf-8")
        self.emulator = RunningEmulator("--tenants", str(directory / "emulated.json"), *arguments)
        self._write_inventory()
        for case in self.cases:
            for name in case.way.before:
                self._import(case.tenant, name)
            self.emulator.control("PATCH", f"tenants/{case.tenant}", case.conditions())
        self.begun = max((record["seq"] for record in self.emulator.request_log()), default=0)
        self.add(rule for case in self.cases for rule in case.rules)

    def add(self, rules: Iterable[Json]) -> None:
        """Put faults in force."""
        listed = list(rules)
        if listed:
            self.emulator.control("POST", "faults", listed)

    def waiting_rules(self) -> list[Json]:
        """The faults that have not hit what they are for."""
        return [rule for rule in self.emulator.control("GET", "faults")["value"] if rule["id"]]

    def run(self) -> Ended:
        """Run the playbook to its end."""
        return self.ended(self.begin())

    def begin(self) -> list[subprocess.Popen[bytes]]:
        """Start the playbook, in slices if there are many tenants: Ansible's main process is the bottleneck then."""
        return [self._begin(number, [case.tenant for case in self.cases[number :: self.slices]]) for number in range(self.slices)]

    def _begin(self, number: int, tenants: list[str]) -> subprocess.Popen[bytes]:
        limit = self.directory / f"slice-{number}"
        limit.write_text("\n".join(tenants), encoding="utf-8")
        with self._output(number).open("wb") as output:
            return subprocess.Popen(
                playbook.command("-i", str(self.directory / "inventory.json"), "--limit", f"@{limit}", playbook=str(self.playbook)),
                cwd=self.directory,
                env=playbook.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ended(self, processes: list[subprocess.Popen[bytes]]) -> Ended:
        """Wait for the end of the playbook."""
        codes = [process.wait(timeout=300) for process in processes]
        output = "".join(self._output(number).read_text(encoding="utf-8") for number in range(self.slices))
        assert "Traceback" not in output, output[-6000:]
        failures = {host: _message(text) for host, text in _FAILED.findall(output)}
        changed = {host: int(count) for host, count, _unreachable, _failed in _RECAP.findall(output)}
        return Ended(max(codes), output, failures, changed)

    def _output(self, number: int) -> Path:
        return self.directory / f"output-{number}.txt"

    def steps(self, tenant: str) -> tuple[Step, ...]:
        """The requests that were sent to a tenant's organisation."""
        return steps_of(self.log(tenant))

    def log(self, tenant: str) -> list[Json]:
        """The records of these requests."""
        return self.emulator.request_log(tenant=tenant, service="dataverse", since=self.begun)

    def picture(self, tenant: str) -> Json:
        """What is there, and what ran to bring it there, without ids and times."""
        solutions = self.emulator.documents(tenant, "solutions")
        operations = [job for job in self.emulator.documents(tenant, "imports") if not job["locked_out"]]
        return {
            "solutions": sorted(
                (row["uniquename"], row["version"], row["ismanaged"], bool(row.get("_early"))) for row in solutions if row["uniquename"].startswith(UNIQUE_NAME)
            ),
            "operations": [f"{job['kind']} {job['package']['version']}" for job in operations if job["kind"] != "PublishAll"],
            "published": any(job["kind"] == "PublishAll" and job["done"] for job in operations),
            "connections": sorted(str(row["connectionid"]) for row in self.emulator.documents(tenant, "connectionreferences")),
            "values": sorted(str(row["value"]) for row in self.emulator.documents(tenant, "environmentvariablevalues")),
        }

    def stop(self) -> None:
        """End the emulator; a defect in it is told."""
        self.emulator.stop()
        errors = self.emulator.errors()
        assert "defect at" not in errors, errors

    def _import(self, tenant: str, name: str) -> None:
        url = self.emulator.tenant(tenant)["org_url"]
        body = {
            "OverwriteUnmanagedCustomizations": False,
            "PublishWorkflows": True,
            "ImportJobId": str(uuid.uuid4()),
            "CustomizationFile": base64.b64encode(self.packages[name.lstrip("+")]).decode(),
            **({"HoldingSolution": True} if name.startswith("+") else {}),
        }
        answer = self.emulator.call("POST", f"{url}/api/data/v9.1/ImportSolution", self.emulator.token(tenant, url), json=body)
        assert answer.ok, answer.text

    def _write_inventory(self) -> None:
        emulator = self.emulator
        common = {
            "ansible_connection": "local",
            "ca_path": emulator.ca,
            "endpoints": {name: getattr(emulator, name) for name in ("authority", "graph", "power_platform")},
        }
        hosts = {}
        for case in self.cases:
            about = emulator.tenant(case.tenant)
            hosts[case.tenant] = {
                "url": about["org_url"],
                "auth": {name: about[name] for name in ("tenant_id", "client_id", "client_secret")},
                "steps": [self._options(step) for step in case.way.steps],
                **({"api_version": "v9.1"} if case.way.organization else {}),
                **case.variables,
            }
        (self.directory / "inventory.json").write_text(json.dumps({"all": {"vars": common, "hosts": hosts}}), encoding="utf-8")

    def _options(self, step: Json) -> Json:
        package = {"path": str(self.directory / f"{step['package']}.zip")} if "package" in step else {}
        return {**{name: value for name, value in step.items() if name != "package"}, **package}


def quiet_runs(directory: Path) -> dict[str, Quiet]:
    """What each way sends and leaves when nothing disturbs it."""
    lane = Lane(directory, [Case(way.name, way) for way in WAYS])
    try:
        ended = lane.run()
        assert not ended.code, ended.failures or ended.output[-3000:]
        quiet = {way.name: Quiet(lane.steps(way.name), lane.picture(way.name)) for way in WAYS}
        again = lane.run()
        assert again.unchanged(), (again.failures, again.changed)
        return quiet
    finally:
        lane.stop()


def problems_of(lane: Lane, ended: Ended, quiet: Mapping[str, Quiet], *, lost: Container[str] = ()) -> list[str]:
    """The cases that failed, or that left something else than the undisturbed way; ``lost`` names those whose publication may be missing."""
    found = [f"{case}: {ended.failures[case.tenant]}" for case in lane.cases if case.tenant in ended.failures]
    for case in lane.cases:
        there, wanted = lane.picture(case.tenant), quiet[case.way.name].picture
        names = [name for name in wanted if name != "published" or case.tenant not in lost]
        differences = [f"{name} {there[name]} instead of {wanted[name]}" for name in names if there[name] != wanted[name]]
        if differences:
            found.append(f"{case}: {'; '.join(differences)}")
    return found if found or not ended.code else [ended.output[-3000:]]


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["msg"])
    except (ValueError, KeyError):
        return text[:500]
