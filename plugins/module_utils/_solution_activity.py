# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is going on with solutions in an organisation: its system jobs and its solution history.

A system job has an id, a state and an owner, but does not say which solution it is about. The history names the solution
and knows what runs without a system job too; many callers may not read it. Neither is needed for anything but to explain
and to follow: what cannot be read is left out.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ._dataverse import Dataverse
from ._errors import AnswerNotUnderstood, ServiceRefused, TaskError
from ._http import Clock
from ._odata import Row, any_of, literal, query
from ._progress import report_every, span
from ._solution_import_results import COMPLETED

IN_PROGRESS = frozenset({20, 21, 22})
"""Of ``statuscode``; what is not completed and not among them waits for its turn."""
BUSY = frozenset({0, 2})
"""Of ``msdyn_status`` in the solution history."""
KINDS: Mapping[str, str] = {
    "ImportSolutionAsync": "an import",
    "StageAndUpgradeAsync": "an upgrade",
    "DeleteAndPromoteAsync": "the application of a staged upgrade",
    "UninstallSolutionAsync": "a removal",
    "PublishAllXmlAsync": "a publication of all customizations",
}
"""By the names of system jobs; they run one after another."""
HISTORY_KINDS = {0: "an import", 1: "a removal"}
LABEL = "OData.Community.Display.V1.FormattedValue"
LABELS = {"Prefer": f'odata.include-annotations="{LABEL}"'}
NEWEST = 5


@dataclass(frozen=True)
class Activity:
    """The operations on solutions of one organisation."""

    api: Dataverse
    clock: Clock

    def jobs(self, message: str) -> list[Row] | None:
        """The newest system jobs of one kind, the newest first; None if they cannot be read."""
        path = "asyncoperations" + query(
            select="asyncoperationid,statecode,statuscode,createdon", filter=f"messagename eq {literal(message)}", orderby="createdon desc", top=NEWEST
        )
        return self._readable(lambda: list(self.api.rows(path, doing="look for what is running")))

    def job(self, job_id: str) -> Row | None:
        """A system job; None if it is not there (yet, or any more), or cannot be read."""
        path = f"asyncoperations({job_id})" + query(select="statecode,statuscode,message,friendlymessage,errorcode,startedon,completedon")
        try:
            return self.api.find(path, doing="read the system job")
        except ServiceRefused as error:
            if error.status in (400, 403):
                return None
            raise

    def history(self, name: str) -> Row | None:
        """The newest entry about a solution, whatever was done with it; None if there is none or it cannot be read."""
        path = "msdyn_solutionhistories" + query(
            select="msdyn_solutionhistoryid,msdyn_status,msdyn_result,msdyn_errorcode,msdyn_exceptionmessage",
            filter=f"msdyn_name eq {literal(name)}",
            orderby="msdyn_starttime desc",
            top=1,
        )
        rows = self._readable(lambda: list(self.api.rows(path, doing="read the solution history")))
        return rows[0] if rows else None

    def described(self) -> str:
        """What runs at this moment: what, since when, started by whom, as far as that can be read. Empty if nothing can."""
        job, entry = self._running_job(), self._running_entry()
        if job is None and entry is None:
            return ""
        job, entry = job or {}, entry or {}
        kind = KINDS.get(str(job.get("messagename")), "") or HISTORY_KINDS.get(entry.get("msdyn_operation", -1), "an operation")
        name = "" if job.get("messagename") == "PublishAllXmlAsync" else str(entry.get("msdyn_name") or "")
        who = job.get(f"_ownerid_value@{LABEL}")
        details = [
            f"since {shown_time(moment)}" if (moment := moment_of(job) or moment_of(entry, "msdyn_starttime")) else "",
            f"started by {who}" if who else "",
            f"system job {job.get('asyncoperationid')}" if job else "",
        ]
        told = ", ".join(detail for detail in details if detail)
        return f"{kind}{f' of {name}' if name else ''}{f' ({told})' if told else ''}"

    def running(self, rows: list[Row]) -> list[Row]:
        """Those that are not completed; what was begun yesterday and never ended is a wreck."""
        return [row for row in rows if row.get("statecode") != COMPLETED and self._recent(moment_of(row))]

    def _running_job(self) -> Row | None:
        path = "asyncoperations" + query(
            select="asyncoperationid,messagename,statecode,statuscode,createdon,_ownerid_value",
            filter=f"statecode ne {COMPLETED} and ({any_of('messagename', [literal(name) for name in KINDS])})",
            orderby="createdon desc",
            top=NEWEST,
        )
        rows = self.running(self._readable(lambda: list(self.api.rows(path, doing="look for what is running", headers=LABELS))) or [])
        return next((row for row in rows if row.get("statuscode") in IN_PROGRESS), rows[-1] if rows else None)

    def _running_entry(self) -> Row | None:
        path = "msdyn_solutionhistories" + query(select="msdyn_name,msdyn_status,msdyn_starttime,msdyn_operation", orderby="msdyn_starttime desc", top=NEWEST)
        rows = self._readable(lambda: list(self.api.rows(path, doing="read the solution history"))) or []
        return next((row for row in rows if row.get("msdyn_status") in BUSY and self._recent(moment_of(row, "msdyn_starttime"))), None)

    def _recent(self, moment: datetime | None) -> bool:
        return moment is None or moment > datetime.fromtimestamp(self.clock.now(), UTC) - timedelta(days=1)

    @staticmethod
    def _readable(read: Callable[[], list[Row]]) -> list[Row] | None:
        try:
            return read()
        except (AnswerNotUnderstood, ServiceRefused):
            return None


class LockWait:
    """Waiting until other customizations of the organisation are done: tells for what, not too often."""

    def __init__(self, activity: Activity, tell: Callable[[str], None], doing: str, limit: float) -> None:
        """``doing`` is what waits, as in "import ContosoLeads"; ``limit`` is in seconds."""
        self._activity, self._tell, self._doing, self._limit = activity, tell, doing, max(0.0, limit)
        self._begun = activity.clock.now()
        self._told: float | None = None
        self._seen = ""

    def told(self, error: TaskError) -> None:
        """Tell what stands in the way, if it is time."""
        now = self._activity.clock.now()
        if self._told is not None and now - self._told < report_every(now - self._begun):
            return
        self._told, self._seen = now, self._activity.described()
        said = (getattr(error, "message", "") or error.why).strip().rstrip(".")
        what = f" What runs is {self._seen}." if self._seen else ""
        self._tell(f"waiting to {self._doing}: {said}.{what} {span(now - self._begun)} so far, {span(self._limit)} at most")

    def over(self, error: TaskError) -> TaskError:
        """The same error, which now says how long was waited, and for what."""
        waited = self._activity.clock.now() - self._begun
        self._seen = self._seen or ("" if self._told is not None else self._activity.described())
        what = f" for {self._seen}" if self._seen else ""
        error.why = f"{error.why.rstrip()} This task waited {span(waited)}{what}; lock_timeout allows {span(self._limit)}."
        return error


def moment_of(row: Row, column: str = "") -> datetime | None:
    """When it began."""
    text = str(row.get(column) if column else row.get("createdon") or row.get("startedon") or "")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def shown_time(moment: datetime) -> str:
    """A moment of today, or nearly."""
    return moment.astimezone(UTC).strftime("%H:%M:%S UTC")
