# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emulator for the checks: one process for all of them, put back to its beginning before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulator.launcher import RunningEmulator


@pytest.fixture(scope="session")
def shared_emulator() -> Iterator[RunningEmulator]:
    """One emulator with the default tenants for the whole run."""
    with RunningEmulator() as running:
        yield running
        errors = running.errors()
    assert "defect at" not in errors, errors


@pytest.fixture
def emulator(shared_emulator: RunningEmulator) -> RunningEmulator:
    """The shared emulator as after its start."""
    shared_emulator.control("POST", "reset")
    shared_emulator._tokens.clear()
    return shared_emulator
