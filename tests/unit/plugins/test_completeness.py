# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module has all that a module of this collection must have."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
PACKAGE = "ansible_collections.leadops.dynamics365.plugins"
ALL = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
MODULES = [name for name in ALL if hasattr(importlib.import_module(f"{PACKAGE}.modules.{name}"), "SPEC")]
"""The rest are actions that work on the controller and speak with no service."""


@pytest.mark.parametrize("name", ALL)
def test_a_module_has_its_action_and_target(name: str):
    for needed in (f"plugins/action/{name}.py", f"tests/integration/targets/{name}/tasks/main.yml"):
        assert (ROOT / needed).is_file(), f"{needed} is missing"


@pytest.mark.parametrize("name", MODULES)
def test_a_module_has_tests_on_a_scripted_wire(name: str):
    assert "wire import" in (ROOT / f"tests/unit/plugins/modules/test_{name}.py").read_text()


@pytest.mark.parametrize("name", MODULES)
def test_the_action_runs_the_module_of_its_name(name: str):
    action = importlib.import_module(f"{PACKAGE}.action.{name}").ActionModule
    assert action.module is importlib.import_module(f"{PACKAGE}.modules.{name}")
    assert callable(action.module.reconcile)


def test_the_action_group_holds_all_modules_and_nothing_else():
    groups = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]
    assert sorted(groups["api"]) == MODULES


@pytest.mark.parametrize("name", MODULES)
def test_check_mode_is_documented_and_the_first_example_is_the_smallest(name: str):
    module = importlib.import_module(f"{PACKAGE}.modules.{name}")
    assert "leadops.dynamics365._attributes.api" in yaml.safe_load(module.DOCUMENTATION)["extends_documentation_fragment"]
    examples = yaml.safe_load(module.EXAMPLES)
    sizes = [len(str(example)) for example in examples]
    assert sizes[0] <= max(sizes)
    assert all(example["name"][0].isupper() for example in examples)
