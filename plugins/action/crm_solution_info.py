# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module of the same name inside the worker; see ``plugin_utils/_in_worker.py``."""

from __future__ import annotations

import typing as t

from ..modules import crm_solution_info as module
from ..plugin_utils._in_worker import InWorkerAction


class ActionModule(InWorkerAction):
    """The action of ``crm_solution_info``."""

    module: t.ClassVar = module
