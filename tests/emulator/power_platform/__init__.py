# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Power Platform admin API (BAP), as far as onboarding needs it."""

from __future__ import annotations

from .application import handle, unauthorized

__all__ = ["handle", "unauthorized"]
