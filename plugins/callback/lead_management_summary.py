# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a run over many tenants: what was done where, what failed, why, and what to do."""

from __future__ import annotations

DOCUMENTATION = r"""
name: lead_management_summary
type: aggregate
short_description: Sum up what a run did in each tenant
version_added: 0.1.0
author:
  - leadops.dynamics365 contributors (@leadops)
description:
  - Prints, after the last play, one entry for each tenant that the role P(leadops.dynamics365.lead_management#role) worked on.
    It tells whether the tenant was changed or not, or why the run failed there and what to do.
  - Writes the same as C(report.json), or in check mode C(report-check.json), into the first tenant's
    O(leadops.dynamics365.lead_management#role:main:lead_management_report_dir). Neither holds a secret.
  - The playbook C(leadops.dynamics365.onboard) brings it along. For playbooks of your own, enable it with C(callbacks_enabled) in C(ansible.cfg).
requirements:
  - enable in configuration, except with the collection's own playbooks
"""

import json
import typing as t
from pathlib import Path

from ansible import constants as C  # noqa: N812 (the name that all of Ansible uses)
from ansible.plugins.callback import CallbackBase
from ansible.template import Templar

from ..plugin_utils._tenant_report import Tenant, report, table

if t.TYPE_CHECKING:
    from ansible.executor.stats import AggregateStats
    from ansible.executor.task_result import CallbackTaskResult
    from ansible.playbook.play import Play

ROLE = "leadops.dynamics365.lead_management"
DEFAULT_DIRECTORY = "lead_management"
_COLORS = {"done": "COLOR_CHANGED", "would change": "COLOR_CHANGED", "unchanged": "COLOR_OK", "failed": "COLOR_ERROR"}
"""Which of Ansible's settings has the colour of an outcome."""


class CallbackModule(CallbackBase):
    """Collects results by tenant and tells them at the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "leadops.dynamics365.lead_management_summary"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._tenants: dict[str, Tenant] = {}
        self._check_mode = False
        self._directory = Path(DEFAULT_DIRECTORY)
        self._play: Play | None = None

    def v2_playbook_on_play_start(self, play: Play) -> None:
        """Remember the play, which knows the variables."""
        self._play = play
        self._check_mode = bool(play.check_mode)

    def v2_runner_on_ok(self, result: CallbackTaskResult) -> None:
        """A task went well."""
        self._take_in(result)

    def v2_runner_on_skipped(self, result: CallbackTaskResult) -> None:
        """A task was not needed."""
        self._take_in(result)

    def v2_runner_on_failed(self, result: CallbackTaskResult, ignore_errors: bool = False) -> None:  # noqa: FBT001, FBT002 (Ansible's signature)
        """A task failed, and with it the tenant."""
        if not ignore_errors:
            self._take_in(result, failed=True)

    def v2_runner_on_unreachable(self, result: CallbackTaskResult) -> None:
        """The connection failed, and with it the tenant."""
        self._take_in(result, failed=True)

    def v2_playbook_on_stats(self, stats: AggregateStats) -> None:  # noqa: ARG002 (Ansible's signature)
        """Tell everything."""
        if not self._tenants:
            return
        self._display.banner("LEAD MANAGEMENT")
        for outcome, line in table(self._tenants.values(), check_mode=self._check_mode):
            self._display.display(line, color=getattr(C, _COLORS[outcome]) if outcome else None)
        path = self._directory / ("report-check.json" if self._check_mode else "report.json")
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(report(self._tenants.values(), check_mode=self._check_mode), indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            self._display.warning(f"The report {path} could not be written: {error}")
            return
        self._display.display(f"The same for programs: {path}")

    def _take_in(self, result: CallbackTaskResult, *, failed: bool = False) -> None:
        role, separator, step = result.task.get_name().partition(" : ")
        name = result.host.get_name()
        if not (separator and role == ROLE) and not (failed and name in self._tenants):
            return
        if not self._tenants:
            self._directory = self._report_directory(result)
        tenant = self._tenants.setdefault(name, Tenant(name))
        if failed:
            tenant.note_failure(step or role, result.result)
        else:
            tenant.note(step, result.result)

    def _report_directory(self, result: CallbackTaskResult) -> Path:
        wanted: t.Any = None
        if self._play is not None:
            variables = self._play.get_variable_manager().get_vars(play=self._play, host=result.host)
            wanted = Templar(loader=self._play.get_loader(), variables=variables).template(variables.get("lead_management_report_dir"))
        return Path(str(wanted or DEFAULT_DIRECTORY)).expanduser()
