# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes that every module declares.

This file is private to the collection.
"""

from __future__ import annotations


class ModuleDocFragment:
    """What ``check_mode`` and the like mean; each module says how far it supports them."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in C(check_mode) and tell what it would change, without changing anything.
  diff_mode:
    description: Returns what was, or in check mode would be, changed when in diff mode.
  idempotent:
    description: A second run with the same options changes nothing.
"""

    FULL = r"""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
"""

    INFO = r"""
attributes:
  check_mode:
    support: full
    details: This module never changes anything.
  diff_mode:
    support: N/A
    details: This module never changes anything.
  idempotent:
    support: full
    details: This module never changes anything.
"""

    API = r"""
attributes:
  action_group:
    description: Use C(group/leadops.dynamics365.api) in C(module_defaults) to set the connection options once.
    support: full
    membership:
      - leadops.dynamics365.api
"""
