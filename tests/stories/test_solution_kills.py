# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``ansible-playbook`` is killed at each step of each way of ``crm_solution``. Run again, it ends as if nothing had been, with one import.

Each case is a tenant of one playbook run. Its request hangs, and when all hang, everything is killed at once.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from .fleet import Json
from .solution_paths import AS_MODULE, BY_NAME, TIMING, WAYS, Case, Lane, Quiet, Step, Way, problems_of

POLLS = 2
"""So many looks at each running operation are killed."""
PATIENCE = 6
"""Seconds for which the workers wait for an answer that does not come."""
LONG = 200.0
"""Seconds that an operation takes which is to run still when the playbook is run again."""
_POLL = re.compile(r"/(asyncoperations|importjobs)\(")


@pytest.fixture
def lanes() -> Iterator[list[Lane]]:
    """Ends the emulators that a story started."""
    started: list[Lane] = []
    yield started
    for lane in started:
        lane.stop()


def test_killed_at_every_step_and_run_again(tmp_path: Path, lanes: list[Lane], quiet_ways: Mapping[str, Quiet]):
    lane = Lane(tmp_path / "killed", cases(quiet_ways))
    lanes.append(lane)
    kill(begin_and_wait(lane))
    again = lane.begin()
    overlooked = let_time_pass(lane, again, [case.tenant for case in lane.cases if "timing" in case.organization])
    ended = lane.ended(again)
    problems = problems_of(lane, ended, quiet_ways, lost=unknowable(lane.cases))
    assert not problems, "\n".join(problems)
    assert not overlooked, f"These ended although something was still running: {overlooked}"
    assert "does not tell whether all customizations were published" in " ".join(ended.output.split())
    third = lane.run()
    assert third.unchanged(), (third.failures, {host: count for host, count in third.changed.items() if count})


def test_workers_that_outlive_their_playbook(tmp_path: Path, lanes: list[Lane], quiet_ways: Mapping[str, Quiet]):
    lane = Lane(tmp_path / "outlived", unanswered_writes(quiet_ways))
    lanes.append(lane)
    processes = begin_and_wait(lane)
    # Ansible puts its workers into sessions of their own: they go on with their tasks, beside those of the next run
    workers = [number for process in processes for number in descendants(process.pid)]
    for process in processes:
        process.kill()
        process.wait()
    ended = lane.run()
    wait_for_silence(lane)
    for number in living(workers):  # nobody reads their results any more, so they may wait for ever to tell them
        os.kill(number, signal.SIGKILL)
    problems = problems_of(lane, ended, quiet_ways)
    assert not problems, "\n".join(problems)
    third = lane.run()
    assert third.unchanged(), (third.failures, {host: count for host, count in third.changed.items() if count})


def unanswered_writes(quiet: Mapping[str, Quiet]) -> list[Case]:
    """A tenant for each write of some ways; whoever sent the write waits some seconds for its answer, then looks."""
    found: list[Case] = []
    for name in ("install", "install-old", "unmanaged", "upgrade", "upgrade-old", "stage-apply", "discard-upgrade", "remove", "settings"):
        for step in quiet[name].steps:
            if step.writes:
                tenant = f"t{len(found) + 1}-{name}"
                found.append(Case(tenant, BY_NAME[name], (step.rule("hang-after", tenant),), f"{step} outlives the playbook", variables={"timeout": PATIENCE}))
    return found


def wait_for_silence(lane: Lane) -> None:
    """Wait until the workers have long been answered, or have given up waiting, and send nothing any more."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < PATIENCE + 2:
        newest = max(record["seq"] for record in lane.emulator.request_log(since=max(last - 1, 0)))
        if newest != last:
            last, since = newest, time.monotonic()
        time.sleep(0.5)


def begin_and_wait(lane: Lane) -> list[subprocess.Popen[bytes]]:
    """Start the playbook; all requests that faults are for have come when this returns."""
    processes = lane.begin()
    until = time.monotonic() + 90
    while waiting := lane.waiting_rules():
        assert all(process.poll() is None for process in processes), f"The run ended before it could be killed; not reached: {waiting}"
        assert time.monotonic() < until, f"These requests did not come: {waiting}"
        time.sleep(0.5)
    return processes


def unknowable(cases: Iterable[Case]) -> set[str]:
    """Where a publication cannot be made up for: the import is over, and an old organisation keeps no record of publications. There the user is told."""
    return {case.tenant for case in cases if case.way.name == "unmanaged-old"}


def cases(quiet: Mapping[str, Quiet]) -> list[Case]:
    """A tenant for each kill; some tasks run as modules of their own."""
    found: list[Case] = []
    for way, told, (step, kind, seconds), organization in kills(quiet):
        tenant = f"t{len(found) + 1}-{way.name}"
        rule = step.rule(kind, tenant, seconds=seconds)
        found.append(Case(tenant, way, (rule,), told, organization, AS_MODULE if len(found) % 20 == 0 else {}))
    return found


def kills(quiet: Mapping[str, Quiet]) -> Iterator[tuple[Way, str, tuple[Step, str, float], Json]]:
    """Each write: before its effect, after it, after its answer. And looks at what runs."""
    for way in WAYS:
        steps, write, polls = quiet[way.name].steps, "", 0
        for step, following in zip(steps, (*steps[1:], None), strict=True):
            if step.writes:
                write, polls = step.pattern, 0
                yield way, f"killed before {step} had its effect", (step, "hang-before", 0.2), {}
                yield way, f"killed before the answer of {step}", (step, "hang-after", 0), {}
                if following and not (following.writes or following.polls):
                    yield way, f"killed after {step}", (following, "hang-before", 0), {}
            elif step.polls and write and polls < POLLS:
                polls += 1
                yield way, f"killed at {step}", (step, "hang-before", 0), {"timing": long(write)}
    for name in ("install", "unmanaged", "install-slow"):
        poll = [step for step in quiet[name].steps if step.polls][0]  # noqa: RUF015 - pylint takes next() for an end of this generator
        early = {"timing": long("Import"), "behaviour": {"solution_row_early": True}}
        yield BY_NAME[name], "killed while the solution is seen before its import has ended", (poll, "hang-before", 0), early


def long(write: str) -> Json:
    """What a write starts takes so long that it outlives the playbook."""
    names = {"Promote": "promote", "Publish": "publish", "Uninstall": "uninstall", "solutions": "uninstall"}
    found = next((timing for sign, timing in names.items() if sign in write), None)
    return {found: LONG} if found else {"import": LONG, "sync_import": LONG}


def let_time_pass(lane: Lane, processes: list[subprocess.Popen[bytes]], tenants: list[str]) -> set[str]:
    """Wait until the second run looks at all that the first left running; then let that come to its end. Answers what it did not look at."""
    seen = max(record["seq"] for record in lane.emulator.request_log())
    left = set(tenants)
    until = time.monotonic() + 90
    while left and any(process.poll() is None for process in processes):
        assert time.monotonic() < until, f"Nothing looked at what runs in {left}"
        time.sleep(0.5)
        for record in lane.emulator.request_log(since=seen, service="dataverse"):
            seen = record["seq"]
            if record["method"] == "GET" and _POLL.search(record["path"]):
                left.discard(record["tenant"])
    for tenant in tenants:
        lane.emulator.control("PATCH", f"tenants/{tenant}", {"timing": TIMING})
    lane.emulator.control("POST", "time", {"advance": 2 * LONG})
    return left


def kill(processes: list[subprocess.Popen[bytes]]) -> None:
    """Kill them and all their workers, which Ansible puts into sessions of their own."""
    for number in [number for process in processes for number in (process.pid, *descendants(process.pid))]:
        os.kill(number, signal.SIGKILL)
    for process in processes:
        process.wait()


def descendants(ancestor: int) -> list[int]:
    """The numbers of all processes that a process has started."""
    children: dict[int, list[int]] = {}
    for pid, parent, _state in all_processes():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    left = [ancestor]
    while left:
        new = children.get(left.pop(), [])
        found += new
        left += new
    return found


def living(numbers: list[int]) -> list[int]:
    """Those of the processes that have not ended."""
    return [pid for pid, _parent, state in all_processes() if pid in numbers and not state.startswith("Z")]


def all_processes() -> list[tuple[int, int, str]]:
    """Number, parent and state of every process."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], check=True, capture_output=True, text=True).stdout
    return [(int(pid), int(parent), state) for pid, parent, state in (line.split(maxsplit=2) for line in listed.splitlines())]
