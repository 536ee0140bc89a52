# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No password, secret or token is in anything that a run says or leaves behind."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from .conftest import MakeFleet
from .fleet import VAULT_PASSWORD

TOKEN = re.compile(rb"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}")


@pytest.mark.parametrize("in_worker", ["true", "false"])
def test_no_secret_gets_out(make_fleet: MakeFleet, tmp_path: Path, in_worker: str):
    tenants = [{"name": "contoso"}, {"name": "wingtip", "kind": "role_not_customizable"}, {"name": "margies", "kind": "no_rights"}]
    # The ordinary way takes ten times as long, so it gets less to do
    fleet = make_fleet(*(tenants if in_worker == "true" else tenants[:1]), suffix=".yml")
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    extra = {
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log"),
        "ANSIBLE_LOCAL_TEMP": str(temporary),
        "ANSIBLE_NOCOLOR": "1",
    }
    options = ("-vvvvv", "--diff", "-e", f"leadops_dynamics365_in_worker={in_worker}")
    outputs = [fleet.run(*options, *more, extra=extra).output for more in ((("--check",), (), ()) if in_worker == "true" else ((),))]

    passwords = fleet.passwords()
    assert "contoso" in passwords
    secrets = {VAULT_PASSWORD, *passwords.values()}
    secrets |= {tenant[name] for tenant in fleet.emulator.tenants for name in ("client_secret", "admin_password")}
    given = {fleet.vault_password, tmp_path / "emulated.json"}
    said = {"output": "\n".join(outputs).encode()}
    said |= {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink() and path not in given}
    assert str(tmp_path / "ansible.log") in said
    assert sum(map(len, said.values())) > 50_000
    leaks = [(where, secret[:4] + "…") for where, text in said.items() for secret in secrets if secret.encode() in text]
    assert leaks == []
    assert [where for where, text in said.items() if TOKEN.search(text)] == []
    assert os.environ["HOME"] != str(home)
