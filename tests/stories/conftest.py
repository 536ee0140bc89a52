# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Emulators for the stories, and directories for their operators."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.emulator.launcher import RunningEmulator

from .fleet import Fleet, Json
from .solution_paths import Quiet, quiet_runs

MakeFleet = Callable[..., Fleet]

QUICK = {"import": 1.0, "forced_sync": 0.3, "license_propagation": 0.3, "job_row": 0.1}
"""Seconds that things take in tenants that are not about waiting."""


@pytest.fixture
def make_fleet(tmp_path: Path) -> Iterator[MakeFleet]:
    """Starts an emulator with these tenants, or its own, and gives the operator a directory."""
    running: list[RunningEmulator] = []

    def make(*tenants: Json, fleet: Json | None = None, arguments: tuple[str, ...] = (), forks: int = 20, suffix: str = ".json", **variables: object) -> Fleet:
        more = arguments
        if tenants or fleet:
            file = tmp_path / "emulated.json"
            quick = [{"timing": QUICK, **tenant} for tenant in tenants]
            file.write_text(json.dumps({"tenants": quick, **({"fleet": {"timing": QUICK, **fleet}} if fleet else {})}), encoding="utf-8")
            more = ("--tenants", str(file), *arguments)
        emulator = RunningEmulator(*more)
        running.append(emulator)
        directory = tmp_path / "operator"
        directory.mkdir()
        return Fleet(emulator, directory, forks=forks, suffix=suffix, **variables)

    yield make
    for emulator in running:
        emulator.stop()
        errors = emulator.errors()
        assert "defect at" not in errors, errors


@pytest.fixture(scope="session")
def quiet_ways(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Quiet]:
    """The requests and the end of each way of crm_solution when nothing disturbs it."""
    return quiet_runs(tmp_path_factory.mktemp("quiet"))
