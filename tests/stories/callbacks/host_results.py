# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes every host's task results to the file named in HOST_RESULTS, for tests that look into them."""

from __future__ import annotations

import json
import os

from ansible.executor.task_result import CallbackTaskResult
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: host_results
type: notification
short_description: Keep every host's task results
version_added: 0.1.0
description:
  - Appends one line of JSON for each host and task to the file that the environment variable E(HOST_RESULTS) names.
"""


class CallbackModule(CallbackBase):
    """Keeps what modules answer."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "host_results"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: CallbackTaskResult) -> None:
        """Keep a success."""
        self._keep(result, failed=False)

    def v2_runner_on_failed(self, result: CallbackTaskResult, ignore_errors: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 (Ansible's signature)
        """Keep a failure."""
        self._keep(result, failed=True)

    def _keep(self, result: CallbackTaskResult, *, failed: bool) -> None:
        line = {"host": result.host.get_name(), "result": {**result.result, "failed": failed}}
        with open(os.environ["HOST_RESULTS"], "a", encoding="utf-8") as file:  # noqa: PTH123
            file.write(json.dumps(line, default=str) + "\n")
