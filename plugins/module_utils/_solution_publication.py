# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an import that is over still lacks its publication, because the run that imported was interrupted.

Nothing in an organisation says whether its customizations are published. What tells of it are the system jobs of publications; a
publication without one leaves no trace. So this looks only at imports that ended of late, and says what it cannot know.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from ._solution_activity import moment_of
from ._solution_delivery import SolutionDelivery
from ._solution_import_results import CANCELED, FAILED, SUCCEEDED
from ._solution_imports import ImportJob
from ._solution_turns import LongWrite, Turns

NOT_DONE = frozenset({FAILED, CANCELED})
OF_LATE = timedelta(days=1)


def is_recent(moment: datetime, now: float) -> bool:
    """Whether an interrupted run may have left something undone after that moment."""
    return moment > datetime.fromtimestamp(now, UTC) - OF_LATE


def is_owed(delivery: SolutionDelivery, turns: Turns, publication: LongWrite, warn: Callable[[str], None], *, check_mode: bool) -> bool:
    """Whether nothing was published since the solution's last import. A publication that runs is waited for, except in check mode."""
    ended = moment_of(delivery.imports().job(ImportJob("")) or {}, "completedon")
    if ended is None or not is_recent(ended, delivery.clock.now()):
        return False
    jobs = delivery.activity.jobs(publication.message) if publication.message else None
    if jobs is None:
        warn(
            f"{delivery.package.unique_name} was imported of late, and this organisation does not tell whether all customizations were "
            "published since. If the run that imported it was interrupted, publish them once."
        )
        return False
    since = [job for job in jobs if (moment_of(job) or ended) >= ended]
    running = delivery.activity.running(since)
    for job in running:
        row = None if check_mode else turns.follow(publication, str(job.get("asyncoperationid")))
        if check_mode or (row and row.get("statuscode") == SUCCEEDED):
            return False
    return not any(job.get("statuscode") not in NOT_DONE for job in since if job not in running)
