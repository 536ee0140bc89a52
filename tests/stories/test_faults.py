# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services that throttle, are busy and drop connections, and a run that is killed: in the end everything is there once."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from tests.demo import playbook

from .conftest import MakeFleet
from .fleet import Fleet

FAULTS = "throttle:0.04:retry_after=1,unavailable:0.04:retry_after=1,drop-before:0.03,drop-after:0.03"


@pytest.mark.parametrize("seed", ["1", "2"])
def test_faults_leave_one_of_everything(make_fleet: MakeFleet, seed: str):
    fleet = make_fleet(fleet={"count": 6}, arguments=("--faults", FAULTS, "--seed", seed))
    names = [tenant["name"] for tenant in fleet.emulator.tenants]
    run = fleet.run()
    assert any(record["fault"] for record in fleet.emulator.request_log())
    assert run.code == 0, run.output[-4000:]
    assert [name for name in names if not fleet.is_complete(name)] == []
    assert fleet.run().outcomes() == dict.fromkeys(names, "unchanged")


@pytest.mark.parametrize("writes", [1, 4, 7])
def test_killed_and_run_again(make_fleet: MakeFleet, writes: int):
    fleet = make_fleet({"name": "contoso", "timing": {"import": 3.0}}, {"name": "tailspin", "kind": "org_8_2"})
    kill_after(fleet, writes)
    run = fleet.run()
    assert run.code == 0, run.output[-4000:]
    for name in ("contoso", "tailspin"):
        assert fleet.is_complete(name)
        tenant = fleet.emulator.tenant(name)
        assert fleet.emulator.user_token(name, tenant["org_url"], tenant["service_account"], fleet.passwords()[name])


def kill_after(fleet: Fleet, writes: int) -> None:
    """Run the playbook and kill it, workers and all, once so many writes have been sent."""
    process = subprocess.Popen(
        playbook.command(*fleet.arguments()),
        cwd=fleet.directory,
        env=playbook.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while len(fleet.writes()) < writes:
        assert process.poll() is None, "The run ended before it could be killed."
        assert time.monotonic() < until, "The writes did not come."
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
