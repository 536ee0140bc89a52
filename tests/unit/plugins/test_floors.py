# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The floors of module_utils: a file uses those below it, and only the top speaks with Ansible."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

FILES = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in Path(__file__).parents[3].glob("plugins/module_utils/*.py")}
PURE = ("_clouds", "_depth", "_errors", "_error_entries", "_odata", "_rows", "_error_bodies", "_solution_versions", "_candidates")
"""Facts and pure functions."""


def imports(tree: ast.Module) -> set[str]:
    """The neighbours that a file imports, ``from ._x import y``."""
    return {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module}


def test_no_circles():
    order = list(TopologicalSorter({name: imports(tree) for name, tree in FILES.items()}).static_order())
    assert order.index("_errors") < order.index("_http") < order.index("_dataverse") < order.index("_task")


def test_only_the_top_floor_knows_modules():
    importers = {
        name for name, tree in FILES.items() for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "ansible.module_utils.basic"
    }
    assert importers == {"_task"}


def test_facts_and_pure_functions_stand_on_nothing_but_each_other():
    for name in PURE:
        assert imports(FILES[name]) <= set(PURE), name


def test_subjects_take_services_and_not_the_task():
    users = {name for name, tree in FILES.items() if imports(tree) & {"_task", "_connection"}}
    # The top floor itself, and the long half of one module's reconcile
    assert users == {"_task", "_solution_present"}
