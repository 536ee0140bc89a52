# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator as a program: its command line, its life, its state directory."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.emulator.launcher import RunningEmulator

REPOSITORY = Path(__file__).resolve().parents[2]
ONE_TENANT = {"tenants": [{"name": "solo"}]}


def write(path: Path, content: object) -> str:
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def refused(*arguments: str) -> str:
    """Start it where it cannot start; answers what it says."""
    ended = subprocess.run([sys.executable, "-m", "tests.emulator", *arguments], cwd=REPOSITORY, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    return ended.stderr


def test_the_ready_line_has_what_the_contract_names(emulator: RunningEmulator) -> None:
    assert emulator.ready["ready"] is True
    assert {"authority", "graph", "power_platform", "partner_center", "control", "ca", "proxy", "tenants"} <= set(emulator.ready)
    promised = "name tenant_id org_url org_id domain client_id client_secret admin_username admin_password"
    assert all(set(promised.split()) <= set(tenant) for tenant in emulator.tenants)
    assert len(emulator.tenants) == 11


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(tmp_path: Path, number: int) -> None:
    with RunningEmulator("--tenants", write(tmp_path / "one.json", ONE_TENANT)) as running:
        state = Path(running.ca).parent
        assert running.control("GET", "time")["offset"] == 0
        # The session keeps its connection open, which must not hold the emulator back.
        running.process.send_signal(number)
        assert running.process.wait(timeout=10) == 0
        assert not state.exists()
        assert running.errors() == ""


@pytest.mark.parametrize("end", ["terminate", "kill"])
def test_a_restart_finds_everything(tmp_path: Path, end: str) -> None:
    arguments = ("--tenants", write(tmp_path / "one.json", ONE_TENANT), "--state", str(tmp_path / "state"))
    url = "/v1.0/users"
    with RunningEmulator(*arguments) as first:
        token = first.token("solo", "https://graph.microsoft.com")
        body = {
            "displayName": "Kept",
            "mailNickname": "kept",
            "userPrincipalName": "kept@solo.onmicrosoft.com",
            "accountEnabled": True,
            "passwordProfile": {"password": "Not-a-real-1-secret"},
        }
        assert first.call("POST", first.graph + url, token, json=body).status_code == 201
        first.control("POST", "time", {"advance": 100})
        first.control("POST", "faults", {"kind": "throttle", "service": "graph", "count": 3, "path": "/never"})
        log, ca, about = first.request_log(), Path(first.ca).read_bytes(), first.tenant("solo")
        if end == "kill":
            first.kill()
        else:
            assert first.stop() == 0
    with RunningEmulator(*arguments) as second:
        names = [user["userPrincipalName"] for user in second.call("GET", second.graph + url, token).json()["value"]]
        assert "kept@solo.onmicrosoft.com" in names
        assert second.control("GET", "time")["offset"] == 100
        assert [one["count"] for one in second.control("GET", "faults")["value"]] == [3]
        assert second.request_log()[: len(log)] == log
        assert Path(second.ca).read_bytes() == ca
        same = ("tenant_id", "org_id", "client_id", "client_secret", "admin_password")
        assert {name: about[name] for name in same} == {name: second.tenant("solo")[name] for name in same}


def test_a_kept_state_goes_on_without_its_tenants_file(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "state"))
    for arguments in (("--tenants", write(tmp_path / "one.json", ONE_TENANT), *state), state):
        with RunningEmulator(*arguments) as running:
            assert [tenant["name"] for tenant in running.tenants] == ["solo"]
            running.control("POST", "reset")
            assert [tenant["name"] for tenant in running.control("GET", "tenants")["value"]] == ["solo"]


def test_ids_are_not_handed_out_twice_over_a_restart(tmp_path: Path) -> None:
    arguments = ("--tenants", write(tmp_path / "one.json", ONE_TENANT), "--state", str(tmp_path / "state"))
    ids = []
    for _unused in range(2):
        with RunningEmulator(*arguments) as running:
            ids += running.control("POST", "faults", [{"kind": "slow"}, {"kind": "slow"}])["ids"]
    assert len(set(ids)) == 4


def test_a_path_with_other_letters_inside_a_collection_tree(tmp_path: Path) -> None:
    root = tmp_path / "größe 你好" / "ansible_collections" / "leadops" / "dynamics365"
    shutil.copytree(REPOSITORY / "tests" / "emulator", root / "tests" / "emulator", ignore=shutil.ignore_patterns("__pycache__"))
    tenants = write(root / "mandanten.json", ONE_TENANT)
    command = [sys.executable, "-m", "tests.emulator", "--tenants", tenants, "--state", str(root / "zustand")]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        with requests.Session() as session:
            session.trust_env = False
            session.verify = ready["ca"]
            assert session.get(f"{ready['control']}/time").status_code == 200
        process.terminate()
        assert process.wait(timeout=10) == 0


def test_yaml_tenants_and_fleet(tmp_path: Path) -> None:
    path = tmp_path / "tenants.yml"
    path.write_text(
        "tenants:\n  - {name: special, org_version: 9.1.0.1, timing: {import: 9}, seats: {CRMPLAN2: 2}}\nfleet: {count: 3, prefix: many, country: FR}\n",
        encoding="utf-8",
    )
    with RunningEmulator("--tenants", str(path)) as running:
        assert [tenant["name"] for tenant in running.tenants] == ["special", "many01", "many02", "many03"]
        special = running.control("GET", "tenants/special")
        assert (special["org_version"], special["timing"]["import"], special["timing"]["forced_sync"]) == ("9.1.0.1", 9, 1.0)
        assert running.control("GET", "tenants/many02")["country"] == "FR"
        seats = {sku["skuPartNumber"]: sku["prepaidUnits"]["enabled"] for sku in running.documents("special", "subscribedSkus")}
        assert seats["CRMPLAN2"] == 2


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ({"tenants": [{"name": "Bad Name"}]}, "lower-case"),
        ({"tenants": [{"name": "a", "kind": "odd"}]}, "unknown kind"),
        ({"tenants": [{"name": "a", "colour": "red"}]}, "colour"),
        ({"tenants": [{"name": "a"}, {"name": "a"}]}, "more than once"),
        ({"fleet": {"count": "many"}}, "whole number"),
        ({"tenants": []}, "names no tenant"),
        ([], "must be a mapping"),
    ],
)
def test_a_wrong_tenants_file_is_explained(tmp_path: Path, content: object, part: str) -> None:
    assert part in refused("--tenants", write(tmp_path / "wrong.json", content))


def test_other_wrong_options_are_explained(tmp_path: Path) -> None:
    assert "cannot be read" in refused("--tenants", str(tmp_path / "missing.json"))
    assert "Kinds are" in refused("--faults", "flood:0.5")
    assert "must be a number" in refused("--faults", "throttle:often")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "cannot start" in refused("--port", str(taken.getsockname()[1]))


def test_missing_packages_are_named(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nfound = u.find_spec\nu.find_spec = lambda name, *more: None if name == 'trustme' else found(name, *more)\n",
        encoding="utf-8",
    )
    ended = subprocess.run(
        [sys.executable, "-m", "tests.emulator"], cwd=REPOSITORY, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 2
    assert "missing: trustme" in ended.stderr
    assert "requirements.txt" in ended.stderr
