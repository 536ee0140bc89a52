# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting states times wanted states, all of them driven through a few real ``ansible-playbook`` processes.

A ``Cell`` is one starting state and one wanted state: it gets an emulated tenant of its own and is one host of the inventory. ``Matrix``
starts one emulator for all cells, lets each ``arrange`` its tenant, and runs one playbook with one task per host. How to use it:

    CELLS = [Cell("absent-to-present", "crm_user", arrange), …]     # arrange(bench) prepares the tenant, answers the module's options

    @pytest.fixture(scope="module")
    def ended(tmp_path_factory):
        with Matrix(CELLS, tmp_path_factory.mktemp("matrix")) as matrix:
            yield matrix.converge()                                 # --check --diff, then real, then real again: three processes

    @pytest.mark.parametrize("cell", CELLS, ids=str)
    def test_cell(ended, cell):
        one = ended[cell.name]                                      # one.check, one.real, one.again: result and request log of each
        one.prove()                                                 # what holds for every cell, see there
        assert one.bench.rows("systemusers") …                      # the end state, read past the services
        assert one.counts == (5, 7, 3)                              # requests of the three runs, sign-in left out; see also request_table

Where three runs are not what is wanted: ``matrix.run("--check")`` is one process, ``matrix.run(at_once=2)`` two at the same time (one dictionary
of results for each), ``matrix.fault("cell", {"kind": …})`` sets a tenant's faults, ``matrix.seen(results, since)`` adds the request log.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.demo import playbook
from tests.emulator.launcher import RunningEmulator

from .fleet import Json, normal
from .matrix import Bench

QUICK = {"import": 1.0, "forced_sync": 0.0, "license_propagation": 0.0, "natural_sync": 600.0, "read_lag": 0.0}
"""So that a wait is over at the first look, and the number of requests is always the same."""
_SETTINGS = {
    "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).with_name("callbacks")),
    "ANSIBLE_CALLBACKS_ENABLED": "host_results",
    "ANSIBLE_INJECT_FACT_VARS": "false",  # else Ansible warns of options that come from one variable
}
SERVICES = ("dataverse", "graph", "power_platform", "partner_center")

Written = tuple[str, str, str]
_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{\w+\}|@odata")


@dataclass(frozen=True)
class Cell:
    """One starting state, and one task that is run on it."""

    name: str
    """Of the host and the tenant: lower-case letters, digits and hyphens."""
    module: str
    arrange: Callable[[Bench], Json] = field(repr=False)
    """Brings the tenant into the starting state; answers the module's options (without those of the connection)."""
    tenant: Json = field(default_factory=dict, repr=False)
    """Members of the emulated tenant, such as ``features``, ``behaviour`` or ``kind``."""
    in_worker: bool = True
    """False: the module runs the ordinary way, in a Python of its own."""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Seen:
    """What became of a cell in one run."""

    result: Json
    """As the module answered; ``failed`` is always there."""
    requests: list[Json]
    """The request log, without sign-in."""

    @property
    def writes(self) -> list[Written]:
        """The writes that had an effect, in order, in the form of ``fleet.normal``."""
        return [normal(record) for record in self.requests if record["effect"]]

    @property
    def told(self) -> list[Written]:
        """The writes that the module says it made, or would make."""
        return [normal(write) for write in self.result.get("writes", [])]


@dataclass(frozen=True)
class Converged:
    """A cell after its three runs."""

    cell: Cell
    bench: Bench
    options: Json
    """What the module was told, without the connection."""
    check: Seen
    real: Seen
    again: Seen

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many requests each run sent, sign-in left out."""
        return len(self.check.requests), len(self.real.requests), len(self.again.requests)

    def prove(self) -> None:
        """Check mode writes nothing and foretells what is sent and what differs; the second run finds nothing to do; a refused task writes nothing."""
        check, real, again = self.check, self.real, self.again
        assert [record for record in check.requests if record["method"] != "GET" and record["effect"]] == [], "check mode wrote"
        assert check.result["failed"] is real.result["failed"], (check.result.get("msg"), real.result.get("msg"))
        if real.result["failed"]:
            assert real.writes == [], "a refused task wrote"
            assert check.result["msg"] == real.result["msg"]
            return
        assert check.told == real.told == real.writes
        assert check.result["changed"] is real.result["changed"] is bool(real.told)
        assert not again.result["failed"], again.result["msg"]
        assert (again.result["changed"], again.told, again.writes) == (False, [], [])
        assert check.result.get("diff") == real.result.get("diff")
        if real.result["changed"]:
            assert_readable(real.result["diff"], self.options)


class Matrix:
    """An emulator with one tenant for each cell, and an operator's directory with an inventory of them."""

    def __init__(self, cells: Sequence[Cell], directory: Path, *, forks: int = 16, arguments: Sequence[str] = ()) -> None:
        self.cells = list(cells)
        assert len({cell.name for cell in cells}) == len(cells), "two cells have one name"
        self.directory = directory
        self._runs = 0
        file = directory / "emulated.json"
        tenants = [{"name": cell.name, "timing": QUICK, **cell.tenant} for cell in cells]
        file.write_text(json.dumps({"tenants": tenants}), encoding="utf-8")
        self.emulator = RunningEmulator("--tenants", str(file), *arguments)
        try:
            self.benches = {cell.name: Bench(self.emulator, cell.name) for cell in cells}
            self.options = {cell.name: cell.arrange(self.benches[cell.name]) for cell in cells}
            self._write(forks)
        except BaseException:
            self.emulator.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.emulator.stop()
        errors = self.emulator.errors()
        assert "defect at" not in errors, errors

    def converge(self) -> dict[str, Converged]:
        """Run with ``--check --diff``, for real, and for real again (both with ``--diff``)."""
        seen = []
        for arguments in (("--check", "--diff"), ("--diff",), ("--diff",)):
            since = self.last_request()
            seen.append(self.seen(self.run(*arguments)[0], since))
        return {cell.name: Converged(cell, self.benches[cell.name], self.options[cell.name], *(phase[cell.name] for phase in seen)) for cell in self.cells}

    def run(self, *arguments: str, at_once: int = 1) -> list[dict[str, Json]]:
        """Run the playbook to its end, in several processes at once if wanted; answers each one's results by cell."""
        started = []
        for _unused in range(at_once):
            self._runs += 1
            kept, output = self.directory / f"results-{self._runs}.jsonl", self.directory / f"output-{self._runs}.txt"
            with output.open("w", encoding="utf-8") as stream:
                process = subprocess.Popen(
                    playbook.command("-i", "inventory.json", *arguments, playbook="matrix.yml"),
                    cwd=self.directory,
                    env=playbook.environment(**_SETTINGS, HOST_RESULTS=str(kept)),
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                )
            started.append((process, kept, output))
        ended = []
        for process, kept, output in started:
            process.wait()
            text = output.read_text(encoding="utf-8")
            assert "Traceback" not in text, text
            assert "DEPRECATION" not in text, text
            assert process.returncode in (0, 2), text  # 2: a host failed
            for cell in self.cells:
                assert self.emulator.tenant(cell.name)["client_secret"] not in text
            lines = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
            results = {line["host"]: line["result"] for line in lines}
            assert set(results) == {cell.name for cell in self.cells}, text
            assert (process.returncode == 2) is any(result["failed"] for result in results.values()), text
            ended.append(results)
        return ended

    def seen(self, results: dict[str, Json], since: int, until: int | None = None) -> dict[str, Seen]:
        """The results with each tenant's requests after the request of that number, up to the other one."""
        by_tenant: dict[str, list[Json]] = {cell.name: [] for cell in self.cells}
        for record in self.emulator.request_log(since=since):
            if record["service"] in SERVICES and record["tenant"] in by_tenant and (until is None or record["seq"] <= until):
                by_tenant[record["tenant"]].append(record)
        return {name: Seen(result, by_tenant[name]) for name, result in results.items()}

    def last_request(self) -> int:
        """The number of the newest request."""
        return max((record["seq"] for record in self.emulator.request_log()), default=0)

    def fault(self, cell: str, *faults: Json) -> None:
        """Let these faults, and no others, be in force in a cell's tenant."""
        self.emulator.control("PATCH", f"tenants/{cell}", {"faults": list(faults)})

    def _write(self, forks: int) -> None:
        """The inventory, a play for each module, and a configuration."""
        groups: dict[str, dict[str, Json]] = {}
        for cell in self.cells:
            about = self.emulator.tenant(cell.name)
            connection = {
                "auth": {name: about[name] for name in ("tenant_id", "client_id", "client_secret")},
                "endpoints": {name: getattr(self.emulator, name) for name in ("authority", "graph", "power_platform")},
                "ca_path": self.emulator.ca,
                **({"url": about["org_url"]} if cell.module.startswith("crm_") else {}),
            }
            variables: Json = {"options": {**connection, **self.options[cell.name]}, **({} if cell.in_worker else {"leadops_dynamics365_in_worker": False})}
            groups.setdefault(cell.module, {})[cell.name] = variables
        common = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        inventory = {"all": {"vars": common, "children": {module: {"hosts": hosts} for module, hosts in groups.items()}}}
        (self.directory / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
        plays = [
            {
                "hosts": module,
                "gather_facts": False,
                "tasks": [{"name": f"Run {module}", f"leadops.dynamics365.{module}": {}, "args": "{{ options }}"}],
            }
            for module in groups
        ]
        (self.directory / "matrix.yml").write_text(json.dumps(plays), encoding="utf-8")
        (self.directory / "ansible.cfg").write_text(f"[defaults]\nforks = {forks}\n", encoding="utf-8")


def request_table(ended: Mapping[str, Converged], names: Mapping[tuple[str, str], str]) -> str:
    """How many requests the three runs of each cell sent; ``names`` tells the cell of a starting (left) and a wanted state (top)."""
    starts, wanted = (list(dict.fromkeys(key[place] for key in names)) for place in (0, 1))
    width = max(map(len, starts)) + 2
    lines = ["".join([" " * width, *(f"{one:<12}" for one in wanted)])]
    lines += [f"{start:<{width}}" + "".join(f"{_shown(ended, names.get((start, one))):<12}" for one in wanted) for start in starts]
    return "\n" + "\n".join(line.rstrip() for line in lines) + "\n"


def _shown(ended: Mapping[str, Converged], name: str | None) -> str:
    return "/".join(map(str, ended[name].counts)) if name else "-"


def assert_readable(diff: Json, said: Json) -> None:
    """A diff says whose it is, shows both sides, and speaks of names: an id is in it only if the operator gave that id himself."""
    assert diff["before_header"] == diff["after_header"] != ""
    sides = json.dumps([diff["before"], diff["after"]])
    assert diff["before"] != diff["after"], sides
    own = {found.lower() for found in _GUID.findall(json.dumps(said))}
    assert {found.lower() for found in _GUID.findall(sides)} <= own, f"ids without a name: {sides}"
    assert not _PLACEHOLDER.search(sides), f"a placeholder: {sides}"
