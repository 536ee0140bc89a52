# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible loads this because it lies beside the playbooks: with them, the summary needs not be enabled."""

from __future__ import annotations

from ansible import constants as C  # noqa: N812 (the name that all of Ansible uses)

from ansible_collections.leadops.dynamics365.plugins.callback import lead_management_summary


class CallbackModule(lead_management_summary.CallbackModule):
    """The callback of the collection."""

    CALLBACK_NEEDS_ENABLED = False

    def __init__(self) -> None:
        super().__init__()
        # Who has enabled it is not told everything twice
        self.disabled = lead_management_summary.CallbackModule.CALLBACK_NAME in (C.CALLBACKS_ENABLED or ())
