# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A solution leaves the organisation.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ._dataverse import Dataverse
from ._errors import InvalidOption, ServiceRefused, TaskError
from ._plan import Json, Plan, Write
from ._solution_blockers import Blocker, read_blockers, refused
from ._solution_rules import Action, stranded
from ._solution_turns import LongWrite, Turns
from ._solution_writes import discard_write, remove_write
from ._solutions import InstalledSolution, Standing, read_standing


@dataclass
class Removal:
    """What was, or in check mode would be, removed."""

    name: str
    before: Standing
    blockers: list[Blocker] = field(default_factory=list)
    steps: list[LongWrite] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    unchecked: str = ""
    """What could not be looked at, as a sentence."""

    def plan(self) -> Plan:
        """The writes, and what they change."""
        there = self.before.installed
        before = {**(there.state() if there else {}), **({"pending_upgrade": self.before.holding.version} if self.before.holding else {})}
        return Plan(before, {} if self.writes else before, tuple(self.writes))

    def facts(self, *, check_mode: bool) -> Json:
        """The module's result."""
        there = self.before.installed
        gone = there is None or not check_mode
        return {
            "solution": {
                "unique_name": there.unique_name if there else self.name,
                "friendly_name": there.friendly_name if there else "",
                "version": there.version if there else None,
                "managed": there.managed if there else None,
                "installed_version": None if gone or there is None else there.version,
                "solution_id": None if gone or there is None else there.solution_id,
            },
            "action": (Action.UNINSTALL if self.writes else Action.NONE).value,
            "import_job": None,
            "roles": [],
            "planned": bool(self.writes) and check_mode,
            "pending_upgrade": self.before.holding.to_pending() if self.before.holding and check_mode else None,
            "blockers": [],
        }


def plan_removal(api: Dataverse, name: str, stranded_upgrade: str, asynchronous: Callable[[], bool]) -> Removal:
    """See what is there, and what is in the way; raises NotPossible for blockers.

    ``asynchronous`` tells whether the organisation has system jobs for removals; it is asked only if something is to be removed.
    """
    if stranded_upgrade == "apply":
        raise InvalidOption("stranded_upgrade", "is apply, which makes no sense for a solution that is to be removed.", "Set it to discard or fail.")
    standing = read_standing(api, name)
    removal = Removal(name, standing)
    if standing.holding and stranded_upgrade == "fail":
        raise stranded(standing.holding, standing.installed)
    if standing.installed is not None:
        _see_blockers(api, removal, standing.installed)
    in_background = (standing.holding or standing.installed) is not None and asynchronous()
    if there := standing.holding:
        removal.steps.append(discard_write(there, lambda one=there: _gone(api, one), asynchronous=in_background))  # type: ignore[misc]
    if there := standing.installed:
        removal.steps.append(remove_write(there, lambda one=there: _gone(api, one), asynchronous=in_background))  # type: ignore[misc]
    removal.writes = [step.write for step in removal.steps]
    return removal


def _see_blockers(api: Dataverse, removal: Removal, installed: InstalledSolution) -> None:
    try:
        blockers = read_blockers(api, installed)
    except ServiceRefused as error:
        removal.unchecked = (
            f"What depends on {removal.name} could not be read ({error.message or error.why}); the organisation itself refuses to remove what is needed."
        )
        blockers = []
    own = removal.before.holding.unique_name.lower() if removal.before.holding else ""
    blockers = [blocker for blocker in blockers if blocker.unique_name.lower() != own]
    if blockers:
        raise refused(installed, blockers)


def remove(api: Dataverse, removal: Removal, turns: Turns) -> None:
    """Remove, and see it gone. What somebody else removed meanwhile is not counted."""
    done: list[Write] = []
    left = [solution for solution in (removal.before.holding, removal.before.installed) if solution]
    for solution, step in zip(left, removal.steps, strict=True):
        try:
            if write := turns.take(step):
                done.append(write)
        except TaskError as error:
            error.done = [*(write.summary for write in done), *error.done]
            if isinstance(error, ServiceRefused) and removal.before.installed is solution:
                raise _explained(api, solution, error) from error
            raise
    removal.writes = done


def _gone(api: Dataverse, solution: InstalledSolution) -> bool:
    """Whether that very row is gone: one that came new under the same name is another."""
    return api.find(f"solutions({solution.solution_id})?$select=solutionid", doing=f"see whether {solution.unique_name} is gone") is None


def _explained(api: Dataverse, solution: InstalledSolution, error: ServiceRefused) -> TaskError:
    """A refusal because of dependencies that came meanwhile names them."""
    try:
        blockers = read_blockers(api, solution)
    except TaskError:
        return error
    return refused(solution, blockers) if blockers else error
