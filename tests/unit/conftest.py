# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of all unit tests."""

from __future__ import annotations

from hypothesis import settings

# The same examples on every run and no time limit for one: a shared machine must not decide whether the gates are green.
settings.register_profile("gates", derandomize=True, deadline=None)
settings.load_profile("gates")
