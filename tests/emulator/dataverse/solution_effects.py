# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operation on solutions does to the organisation when its time has come."""

from __future__ import annotations

from ..store import Document
from .organization import Organization
from .solution_problems import HOLDING_SUFFIX, Problem, installed
from .solution_removal import promote, removal_problem, remove
from .solutions import apply


def take_effect(org: Organization, job: Document) -> Problem | str | None:
    """Carry an operation out: the solution's id, or what went wrong."""
    package, caller = job["package"], job["caller"]
    match job["kind"]:
        case "Hold":
            return str(apply(org, package, caller, overwrite=job["overwrite"], holding=True)["solutionid"])
        case "Upgrade" if installed(org, package["unique_name"] + HOLDING_SUFFIX) is not None:
            return _promoted(org, job, org.switch("upgrade_fails", None))
        case "Import" | "Upgrade":
            return str(apply(org, package, caller, overwrite=job["overwrite"])["solutionid"])
        case "Promote":
            return _promoted(org, job, None)
        case "Uninstall":
            return _uninstall(org, package["unique_name"])
    return None


def _promoted(org: Organization, job: Document, told: object) -> Problem | str:
    """Apply an upgrade; the switch ``upgrade_fails`` lets the second half fail, which leaves the holding solution."""
    if told:
        inner = told if isinstance(told, str) else "The upgrade could not be applied"
        return Problem("0x8004f046", f"Solution Upgrade action failed after import as holding. InnerException is: {inner}.")
    outcome = promote(org, job["package"]["unique_name"], job["caller"], overwrite=job["overwrite"])
    return outcome if isinstance(outcome, Problem) else str(outcome["solutionid"])


def _uninstall(org: Organization, name: str) -> Problem | None:
    solution = installed(org, name)
    if solution is None:
        return None
    problem = removal_problem(org, solution)
    if problem is None:
        remove(org, solution)
    return problem
