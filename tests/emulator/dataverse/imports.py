# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of an import: the row of ``importjobs`` that shows how far it is and what became of each component."""

from __future__ import annotations

from ..store import Document
from .component_rows import unconnected
from .import_report import components, job_data
from .organization import Organization, empty_row, time_text
from .solution_problems import HOLDING_SUFFIX, Problem, installed
from .solutions import solution_row

# A whole import is recorded to end at this progress, one that misses a dependency at the other.
PROGRESS_AT_END = 73.08
PROGRESS_AT_FAILURE = 14.8


def report(org: Organization, job: Document, progress: float, moment: float, problem: Problem | None, *, done: bool) -> str:
    """Write the ``data`` of an import; the switch ``component_results`` tells of components that fail or warn, ``job_data`` spoils it."""
    parts = components(job["package"], told_results(org, job["package"]))
    whole = job_data(job["package"], parts, progress, job["started"], moment, problem, done=done)
    return {"none": "", "broken": whole[: len(whole) // 2]}.get(str(org.switch("job_data", "whole")), whole)


def told_results(org: Organization, package: Document) -> list[Document]:
    """List what is told about single components, by the switch and about references that have no connection."""
    told: list[Document] = list(org.switch("component_results", []))
    if org.switch("missing_connection", "ok") == "warning":
        text = "The connection reference has no connection."
        told += [{"name": name, "result": "warning", "text": text} for name in unconnected(org, package)]
    return told


def show_progress(org: Organization, job: Document, elapsed: float) -> None:
    """Bring the import job's row to where the import is."""
    progress = round(PROGRESS_AT_END * elapsed / job["duration"], 2)
    row = org.row("importjob", job["importjobid"])
    # Small steps are not worth a write at each poll.
    if row is None or progress - row["progress"] >= 1:
        _put(org, job, row, progress=progress, data=report(org, job, progress, org.world.now(), None, done=False))


def show_end(org: Organization, job: Document, problem: Problem | None, moment: float, solution_id: str | None) -> None:
    """Complete the import job's row."""
    progress = PROGRESS_AT_FAILURE if problem is not None and problem.code != "0x8004f046" else PROGRESS_AT_END
    data = report(org, job, progress, moment, problem, done=True)
    _put(org, job, org.row("importjob", job["importjobid"]), progress=progress, data=data, completedon=time_text(moment), solutionid=solution_id)


def _put(org: Organization, job: Document, row: Document | None, **values: object) -> None:
    # Which name the record of a held import has is not confirmed.
    suffix = HOLDING_SUFFIX if job["kind"] == "Hold" and org.switch("holding_job_name", "package") == "upgrade" else ""
    fixed = {
        "importjobid": job["importjobid"],
        "name": "Customizations",
        "solutionname": job["package"]["unique_name"] + suffix,
        "startedon": time_text(job["started"]),
        "createdon": time_text(job["started"]),
        "_createdby_value": job["caller"],
        "_modifiedby_value": job["caller"],
        "_organizationid_value": org.id,
        "importcontext": "ImportHolding" if job["kind"] == "Hold" else "ImportInstall",
        "operationcontext": "New",
    }
    org.put("importjob", {**(row or empty_row("importjob", fixed)), **values})


def show_solution_early(org: Organization, job: Document) -> None:
    """Let the row of ``solutions`` be seen while its first import still runs."""
    package = job["package"]
    if installed(org, package["unique_name"]) is None:
        names = {"uniquename": package["unique_name"], "friendlyname": package["friendly_name"], "version": package["version"]}
        org.put("solution", solution_row(org, **names, ismanaged=package["managed"], installedon=org.now_text(), _early=True))


def hide_early_solution(org: Organization, job: Document) -> None:
    """Take back a row that an import showed too early."""
    row = installed(org, job["package"]["unique_name"])
    if row is not None and row.get("_early"):
        org.remove("solution", row["solutionid"])
