# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DynamicsWebApi and @azure/identity on Node.js, unmodified: by URL, and by the real host names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.emulator.launcher import RunningEmulator

SOURCES = Path(__file__).parent / "javascript"
CHECKS = ["functions_and_actions", "create_read_update_delete", "upsert", "pages", "association", "batches", "metadata"]

if not (shutil.which("node") and shutil.which("npm")):
    pytest.skip("node and npm are not on the path", allow_module_level=True)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checks with the packages that they need."""
    directory = shutil.copytree(SOURCES, tmp_path_factory.mktemp("javascript") / "checks")
    command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return directory


@pytest.mark.parametrize("real_names", [False, True], ids=["by-url", "by-real-name"])
def test_dynamics_web_api(emulator: RunningEmulator, package: Path, *, real_names: bool) -> None:
    about = emulator.tenant("contoso")
    sign_in = {} if real_names else {"authorityHost": emulator.authority, "disableInstanceDiscovery": True}
    server = "https://contoso.crm4.dynamics.com/" if real_names else f"{about['org_url']}/"
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment = {
        **kept,
        "NODE_EXTRA_CA_CERTS": emulator.ca,
        "EMULATOR": json.dumps({"tenant": about, "serverUrl": server, "identity": sign_in}),
        "EMULATOR_PORT": str(urlsplit(emulator.authority).port),
    }
    preloaded = ["--import", "./real_names.mjs"] if real_names else []
    command = ["node", *preloaded, "dynamics_web_api.mjs"]
    done = subprocess.run(command, cwd=package, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == CHECKS
