# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock: one operation on solutions at a time."""

from __future__ import annotations

from ..store import Document
from .errors import fault
from .organization import Organization
from .solution_problems import Problem

_CODE = "0x80071151"
_LOCK_NAMES = {"Uninstall": "Uninstall", "PublishAll": "PublishAll", "Promote": "Upgrade"}


def lock_name(kind: str) -> str:
    """What texts call an operation; how they call the application of an upgrade is not confirmed."""
    return _LOCK_NAMES.get(kind, "Import")


def running(org: Organization) -> Document | None:
    """Find the operation that runs now."""
    return next((job for job in org.tenant.collection("imports").values() if not job["done"] and not job.get("locked_out")), None)


def require_unlocked(org: Organization, operation: str) -> None:
    """Refuse a second operation on solutions while one runs."""
    problem = lock_problem(org, operation)
    if problem is not None:
        # Whether Retry-After comes with it is not confirmed; the status has been seen to differ.
        wait = org.switch("lock_retry_after", None)
        headers = {} if wait is None else {"retry_after": str(wait)}
        raise fault(int(org.switch("lock_status", 429)), problem.code, problem.message, **headers)


def lock_problem(org: Organization, operation: str) -> Problem | None:
    """Describe the lock that a running operation holds."""
    job = running(org)
    if job is None:
        return None
    other = lock_name(job["kind"])
    code = str(org.switch("lock_code", _CODE)).lower()
    if code == _CODE:
        text = f"Cannot start another [{operation}] because there is a previous [{other}] running at this moment."
    else:
        text = f"Cannot start the requested operation [{operation}] because there is another [{other}] running at this moment."
    hint = " Use Solution History for more details." if org.switch("lock_hint", default=True) else ""
    return Problem(code, text + hint)
