# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults at each request of each way of ``crm_solution``: every run ends well, in the same state, with one import, and a second run changes nothing.

Each case is a tenant of one playbook run. ``SEEDS=200`` in the environment tries so many seeds of faults by chance, ``SEED=7`` that one.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from .fleet import Json
from .solution_paths import AS_MODULE, BY_NAME, WAYS, Case, Lane, Quiet, Way, problems_of

READ_FAULTS: dict[str, Json] = {
    "drop-before": {},
    "unavailable": {"retry_after": "none"},
    "throttle": {"retry_after": 1},
    "gateway": {"status": 504},
}
WRITE_FAULTS: dict[str, Json] = {
    **{kind: READ_FAULTS[kind] for kind in ("drop-before", "unavailable", "throttle")},
    "drop-after": {},
    "gateway-after": {},
    "hang-after": {},
}
BY_CHANCE: list[Json] = [
    {"kind": "throttle", "probability": 0.05, "retry_after": 1},
    {"kind": "unavailable", "probability": 0.04, "retry_after": 1},
    {"kind": "drop-before", "probability": 0.04},
    {"kind": "drop-after", "probability": 0.04},
    {"kind": "gateway-after", "probability": 0.04},
]
SEEDS = [int(os.environ["SEED"])] if "SEED" in os.environ else list(range(1, 1 + int(os.environ.get("SEEDS", "2"))))
PAIRS = [tuple(SEEDS[first : first + 2]) for first in range(0, len(SEEDS), 2)]
"""Two at a time: most of it is waiting."""
REPLAYED = ("upgrade-old", "settings", "update")
LIKE_OTHERS = ("install-publish", "discard", "remove", "apply-upgrade")
"""Ways whose requests are also those of others."""
PATIENCE_MATTERS = ("install", "unmanaged", "upgrade-old", "remove-staged", "settings")
"""Ways on which the client itself gives up waiting for an answer."""
IMPATIENT = {"timeout": 6}
UNHURRIED: Json = {"timing": {"import": 8.0, "sync_import": 8.0, "promote": 5.0, "uninstall": 5.0, "publish": 5.0}}
"""What is looked at again and again runs long enough for that."""


_LOOK = re.compile(r"/(asyncoperations\\\(|importjobs\\\(|msdyn_solutionhistories)")
LOOKS = 2
"""So many looks at the same thing meet a fault."""


@pytest.fixture
def lanes() -> Iterator[list[Lane]]:
    """Ends the emulators that a story started."""
    started: list[Lane] = []
    yield started
    for lane in started:
        lane.stop()


def test_a_fault_at_every_request(tmp_path: Path, lanes: list[Lane], quiet_ways: Mapping[str, Quiet]):
    lane = Lane(tmp_path / "faults", cases(quiet_ways))
    lanes.append(lane)
    ended = lane.run()
    problems = problems_of(lane, ended, quiet_ways)
    assert not problems, "\n".join(problems)
    missed = not_reached(lane)
    assert not missed, f"These requests did not come: {missed}"
    again = lane.run()
    assert again.unchanged(), (again.failures, {host: count for host, count in again.changed.items() if count})


def not_reached(lane: Lane) -> list[Json]:
    """The faults that hit nothing. On a slow machine one look at what runs may do, so it is enough that some tenant met each of them there."""
    waiting = lane.waiting_rules()
    idle = {(rule["tenant"], rule["path"], rule["nth"]) for rule in waiting}
    met = {(rule["kind"], rule["path"]) for case in lane.cases for rule in case.rules if (rule["tenant"], rule["path"], rule["nth"]) not in idle}
    return [rule for rule in waiting if not (_LOOK.search(rule["path"]) or rule["nth"] > 1) or (rule["kind"], rule["path"]) not in met]


@pytest.mark.parametrize("seeds", PAIRS, ids=str)
def test_faults_by_chance(tmp_path: Path, lanes: list[Lane], quiet_ways: Mapping[str, Quiet], seeds: tuple[int, ...]):
    ways = [way for way in WAYS if way.name not in LIKE_OTHERS]
    running = [(seed, *by_chance(tmp_path / str(seed), lanes, seed, ways)) for seed in seeds]
    # The first seed once more, for some of the tenants
    replay, processes = by_chance(tmp_path / "replay", lanes, seeds[0], [BY_NAME[name] for name in REPLAYED])
    for seed, lane, begun in running:
        problems = problems_of(lane, lane.ended(begun), quiet_ways)
        assert not problems, "\n".join([f"SEED={seed} replays this:", *problems])
    replay.ended(processes)
    assert_same_faults(faults_of(replay), faults_of(running[0][1]))
    for seed, lane, _begun in running:
        lane.emulator.control("DELETE", "faults")
        again = lane.run()
        assert again.unchanged(), (f"SEED={seed} replays this", again.failures, {host: count for host, count in again.changed.items() if count})


def assert_same_faults(one: Mapping[str, list[str | None]], other: Mapping[str, list[str | None]]) -> None:
    """How often a running operation is looked at depends on the machine; which of a tenant's requests are hit does not."""
    assert any(fault for faults in one.values() for fault in faults)
    for tenant, faults in one.items():
        common = min(len(faults), len(other[tenant]))
        assert common > 5
        assert faults[:common] == other[tenant][:common], tenant


def by_chance(directory: Path, lanes: list[Lane], seed: int, ways: Iterable[Way]) -> tuple[Lane, list[subprocess.Popen[bytes]]]:
    """Begin to take the ways, with faults as the seed has it."""
    lane = Lane(directory, [Case(way.name, way, told=f"faults by chance, seed {seed}") for way in ways], "--seed", str(seed))
    lanes.append(lane)
    lane.add({"service": "dataverse", **rule} for rule in BY_CHANCE)
    return lane, lane.begin()


def faults_of(lane: Lane) -> dict[str, list[str | None]]:
    """What hit each tenant's requests, in order."""
    return {case.tenant: [record["fault"] for record in lane.log(case.tenant)] for case in lane.cases}


def cases(quiet: Mapping[str, Quiet]) -> list[Case]:
    """A tenant for each write and fault; and for each way and fault one whose reads all meet it, each once. Some tasks run as modules of their own."""
    found: list[Case] = []
    for way in (way for way in WAYS if way.name not in LIKE_OTHERS):
        steps = quiet[way.name].steps
        for kind, members in WRITE_FAULTS.items():
            impatient = kind == "hang-after"
            for step in steps if not impatient or way.name in PATIENCE_MATTERS else ():
                if step.writes:
                    tenant = f"t{len(found) + 1}-{way.name}"
                    rule = step.rule(kind, tenant, **members)
                    found.append(Case(tenant, way, (rule,), f"{kind} at {step}", variables=IMPATIENT if impatient else {}))
        for kind, members in READ_FAULTS.items():
            tenant = f"t{len(found) + 1}-{way.name}"
            # A read that failed is sent again, so the n-th of its kind comes as number 2n - 1
            rules = tuple({**step.rule(kind, tenant, **members), "nth": 2 * step.nth - 1} for step in steps if not step.writes and step.nth <= LOOKS)
            found.append(Case(tenant, way, rules, f"{kind} at every read", UNHURRIED))
    return [replace(case, variables={**case.variables, **AS_MODULE}) if number % 25 == 0 else case for number, case in enumerate(found)]
