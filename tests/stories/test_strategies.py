# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role does not care how Ansible goes through hosts, nor where its modules run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .conftest import MakeFleet
from .fleet import normal

PLAYBOOK = """
- name: Onboard
  hosts: all
  connection: local
  gather_facts: false
  strategy: {strategy}
  vars:
    ansible_python_interpreter: "{{{{ ansible_playbook_python }}}}"
  roles:
    - leadops.dynamics365.lead_management
"""


@pytest.mark.parametrize("strategy", ["linear", "host_pinned"])
def test_strategy(make_fleet: MakeFleet, tmp_path: Path, strategy: str):
    fleet = make_fleet({"name": "contoso"}, {"name": "fabrikam", "kind": "done"}, {"name": "margies", "kind": "no_rights"})
    mine = tmp_path / "mine.yml"
    mine.write_text(PLAYBOOK.format(strategy=strategy), encoding="utf-8")
    enabled = {"ANSIBLE_CALLBACKS_ENABLED": "leadops.dynamics365.lead_management_summary"}
    run = fleet.run(name=str(mine), extra=enabled)
    assert run.outcomes() == {"contoso": "done", "fabrikam": "unchanged", "margies": "failed"}
    assert run.output.count("LEAD MANAGEMENT") == 1
    assert fleet.run(name=str(mine), extra=enabled).outcomes() == {"contoso": "unchanged", "fabrikam": "unchanged", "margies": "failed"}


def test_ordinary_modules_do_the_same(make_fleet: MakeFleet):
    fleet = make_fleet({"name": "contoso"}, {"name": "woodgrove", "kind": "no_seats"})
    ordinary = fleet.run("-e", "leadops_dynamics365_in_worker=false")
    assert ordinary.outcomes() == {"contoso": "done", "woodgrove": "failed"}
    assert fleet.is_complete("contoso")
    assert fleet.run().outcomes() == {"contoso": "unchanged", "woodgrove": "failed"}

    fleet.emulator.control("POST", "reset")
    for left in (fleet.directory / "lead_management").rglob("contoso.*"):
        left.unlink()
    in_worker = fleet.run()
    for name in ("contoso", "woodgrove"):
        assert [normal(change) for change in in_worker.changes(name)] == [normal(change) for change in ordinary.changes(name)]
    told = [run.report["tenants"]["woodgrove"]["failure"] for run in (ordinary, in_worker)]
    assert told[0]["why"] == told[1]["why"]
    assert told[0]["next_step"] == told[1]["next_step"]


MISSPELT = """
- name: An option that is none
  hosts: all
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  tasks:
    - name: Misspell it
      leadops.dynamics365.crm_role_info:
        url: "{{ lead_management_url }}"
        rolse: []
"""


@pytest.mark.parametrize("in_worker", ["true", "false"])
def test_a_misspelt_option_is_named(make_fleet: MakeFleet, tmp_path: Path, in_worker: str):
    fleet = make_fleet({"name": "contoso"})
    mine = tmp_path / "mine.yml"
    mine.write_text(MISSPELT, encoding="utf-8")
    run = fleet.run("-e", f"leadops_dynamics365_in_worker={in_worker}", name=str(mine))
    assert "Unsupported parameters for (leadops.dynamics365.crm_role_info) module: rolse. Supported parameters include: " in run.output
    assert run.code == 2


BESIDE = """
- name: A package beside the playbook
  hosts: all
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  tasks:
    - name: Import it
      leadops.dynamics365.crm_solution:
        path: files/solution.zip
        url: "{{ lead_management_url }}"
        auth: "{{ lead_management_auth | combine({'tenant_id': lead_management_tenant_id}) }}"
        endpoints: "{{ lead_management_endpoints }}"
        ca_path: ca.pem
"""


@pytest.mark.parametrize("in_worker", ["true", "false"])
def test_relative_paths(make_fleet: MakeFleet, in_worker: str):
    """Those of the role begin where the run was started, those of a task beside the playbook, as Ansible's own modules have it."""
    fleet = make_fleet({"name": "contoso"}, lead_management_solution_path="solution.zip", lead_management_ca_path="ca.pem")
    way = ("--check", "-e", f"leadops_dynamics365_in_worker={in_worker}")
    shutil.copy(fleet.emulator.ca, fleet.directory / "ca.pem")
    assert fleet.run(*way).outcomes() == {"contoso": "would change"}

    plays = fleet.directory / "plays"
    (plays / "files").mkdir(parents=True)
    (fleet.directory / "solution.zip").rename(plays / "files/solution.zip")
    (fleet.directory / "ca.pem").rename(plays / "ca.pem")
    mine = plays / "mine.yml"
    mine.write_text(BESIDE, encoding="utf-8")
    run = fleet.run(*way, name=str(mine))
    assert (run.code, run.recap()) == (0, {"contoso": (1, 0)}), run.output
