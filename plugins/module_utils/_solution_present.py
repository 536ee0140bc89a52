# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A solution comes into the organisation in its package's version, with its connections and values, and is published.

The steps, of which each is left out where it is not needed: a stranded upgrade is applied or discarded; the package is
imported (or an import that runs is followed); a staged upgrade is applied; connections and values are set; publication.
Check mode lists the writes of the same steps, in the same order.

This file is private to the collection.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace

from ._errors import ServiceRefused, TaskError
from ._plan import Json, Plan, Write
from ._solution_delivery import SolutionDelivery, Started
from ._solution_import_results import ImportEnd
from ._solution_imports import ImportJob
from ._solution_outcomes import Verified, arrived, facts_of, shown, shown_after, verify
from ._solution_rules import Action, Pending, Route, check_parent, decide, route
from ._solution_settings import Found, SettingsPlan, Wanted, names_of, needs_values, plan_settings, read_found
from ._solution_turns import Turns
from ._solution_writes import apply_write, discard_write, publish_write, validate_write
from ._solutions import HOLDING, InstalledSolution, Standing, check_dependencies, imports_asynchronously, read_patches, read_solutions
from ._task import Outcome, Task


@dataclass
class Presence:
    """One run for one package."""

    task: Task
    delivery: SolutionDelivery
    wanted: Wanted
    publish: str = "auto"
    writes: list[Write] = field(default_factory=list)
    """What was, or in check mode would be, written."""
    needs: Json | None = None
    settings: SettingsPlan = field(default_factory=SettingsPlan)

    def reconcile(self, given: ImportJob | None) -> Outcome:
        """Bring the package's version in, unless it is there."""
        package = self.delivery.package
        if given and not given.planned:
            return self._finish_given(given)
        parent = [package.parent] if package.parent else []
        needed = [package.unique_name, f"{package.unique_name}{HOLDING}", *parent, *(dependency.solution for dependency in package.dependencies)]
        solutions = read_solutions(self.delivery.api, needed)
        standing = Standing.of(package.unique_name, solutions)
        way = self._route(standing)
        if way == Route(Pending.NONE, Action.NONE):
            return self._settled(standing)
        if way.action is not Action.NONE:
            check_dependencies(package, solutions)
            check_parent(package, solutions.get(package.parent.lower()))
        own_id = self._own_id()
        try:
            if self.task.check_mode:
                return self._planned(standing, way, own_id, given)
            return self._carried_out(standing, way, own_id)
        except TaskError as error:
            told = set(error.done)
            error.done = [*(write.summary for write in self.writes if write.summary not in told), *error.done]
            raise

    def _route(self, standing: Standing) -> Route:
        """An upgrade that is at work has a staged row too; only one that nothing works on is stranded."""
        if standing.holding:
            running = self.delivery.imports(self._own_id()).look().ours
            if running:
                return Route(Pending.NONE, decide(self.delivery.package, standing.installed, self.delivery.rules))
        return route(self.delivery.package, standing, self.delivery.rules)

    def _own_id(self) -> str:
        params = self.task.params
        asynchronous = imports_asynchronously(self.delivery.api, params["api_version"], params["organization_version"])
        return "" if asynchronous else str(uuid.uuid4())

    def _settled(self, standing: Standing) -> Outcome:
        """No import is needed."""
        self._read_settings(importing=False)
        if standing.holding and self.delivery.rules.mode != "stage":
            self.task.warn(
                f"An upgrade of {self.delivery.package.unique_name} to {standing.holding.version} was staged and never applied; it blocks further imports. "
                "Set stranded_upgrade to apply or discard."
            )
        self.task.carry_out(Plan({}, {}, self.settings.writes))
        self.writes += self.settings.writes
        return self._outcome(Action.NONE, standing, standing, standing, None)

    def _planned(self, standing: Standing, way: Route, own_id: str, given: ImportJob | None) -> Outcome:
        """What a run would do. An import that was planned before, or that runs already, is not planned again."""
        running = None if given else self.delivery.imports(own_id).look().ours
        following = bool(given or running)
        self._read_settings(importing=way.action is not Action.NONE, tolerate_unknown=following)
        base = self._after_pending(standing, way.pending)
        waits = self.task.params["wait"]
        if not following:
            self.writes += self._pending_writes(standing, way.pending)
        if way.action is not Action.NONE:
            if not following:
                if self.delivery.validate:
                    self.writes.append(validate_write(self.delivery.package, lambda _answer: ""))
                    self.task.warn("Check mode sends nothing, so the organisation did not validate the package (validate).")
                self.writes.append(self.delivery.write(base, way.action, own_id))
                self._warn_of_patches(standing, way.action)
            if waits:
                self.writes += self._second_half(way.action, own_id)
        if waits or way.action is Action.NONE:
            self.writes += self.settings.writes
            self.writes += self._publication() if way.action is not Action.NONE else []
        job = (running or ImportJob("", planned=True)) if way.action is not Action.NONE else None
        return self._outcome(way.action, standing, base, standing, job, planned=True)

    def _carried_out(self, standing: Standing, way: Route, own_id: str) -> Outcome:
        before = standing
        waits = self.task.params["wait"]
        self._read_settings(importing=way.action is not Action.NONE)
        standing = self._clear_pending(standing, way.pending)
        if way.action is Action.NONE:
            self._set_values()
            return self._outcome(way.action, before, standing, standing, None)
        self._warn_of_patches(standing, way.action)
        delivery = replace(self.delivery, settings=replace(self.delivery.settings, component_parameters=self.settings.parameters))
        if not waits:
            started = delivery.start(standing, way.action, own_id, self.task.carry_out, self.task.clock.now() + delivery.patience.lock)
            if started is None:
                return self._came_meanwhile()
            self.writes += started.writes
            return self._outcome(way.action, before, standing, standing, started.job)
        brought = delivery.bring(standing, way.action, own_id, self.task.carry_out)
        if brought is None:  # somebody else's import ended while this one waited for its turn
            return self._came_meanwhile()
        started, end = brought
        self.writes += started.writes
        verified = self._completed(started, end, way.action)
        return self._outcome(way.action, before, standing, verified.standing, started.job, verified)

    def _finish_given(self, job: ImportJob) -> Outcome:
        """Follow the import that an earlier task started, and do what comes after it."""
        end = self.delivery.finish_given(job)
        package, mode = self.delivery.package, self.delivery.rules.mode
        action: Action | None = None
        if not end.succeeded:
            action = None if mode == "update" else Action.UPGRADE
        elif package.managed and (mode == "stage" or not job.async_operation_id) and arrived(package, self.delivery.read(), Action.STAGE):
            action = Action.STAGE if mode == "stage" else Action.UPGRADE
        verified = self._completed(Started(job, action), end, action)
        return self._outcome(Action.NONE, verified.standing, verified.standing, verified.standing, job, verified)

    def _completed(self, started: Started, end: ImportEnd, action: Action | None) -> Verified:
        """See the import's end; apply what it staged, set values, publish."""
        if end.succeeded and started.waits_for_apply:
            for write in self._second_half(Action.UPGRADE, started.job.id):
                self._take(write, lambda: arrived(self.delivery.package, self.delivery.read(), Action.UPGRADE))
        if self.task.check_mode and self.writes:
            return Verified(self.delivery.read(), end)  # the second half is only planned
        verified = verify(self.delivery, end, started.job, action)
        if doubtful := end.components:
            told = "; ".join(f"{item.type} {item.name}: {item.text or item.code}" for item in doubtful[:5])
            name = self.delivery.package.unique_name
            self.task.warn(f"The import of {name} succeeded, but reports {len(doubtful)} components with a failure or a warning: {told}")
        if self.wanted:
            self._read_settings(importing=False)  # what the import's parameters did not bring
        self._set_values()
        for write in self._publication():
            self._take(write)
        return verified

    def _came_meanwhile(self) -> Outcome:
        there = self.delivery.read()
        if self.wanted:
            self._read_settings(importing=False)
        self._set_values()
        return self._outcome(Action.NONE, there, there, there, None)

    def _after_pending(self, standing: Standing, pending: Pending) -> Standing:
        if pending is Pending.APPLY and standing.holding:
            return Standing(standing.holding.applied(standing.installed))
        return Standing(standing.installed) if pending is Pending.DISCARD else standing

    def _pending_writes(self, standing: Standing, pending: Pending) -> list[Write]:
        if standing.holding is None or pending is Pending.NONE:
            return []
        return [apply_write(standing.holding.base_name, standing.holding.version) if pending is Pending.APPLY else discard_write(standing.holding)]

    def _clear_pending(self, standing: Standing, pending: Pending) -> Standing:
        for write in self._pending_writes(standing, pending):
            self._take(write, lambda: self.delivery.read().holding is None)
            return self.delivery.read()
        return standing

    def _second_half(self, action: Action, own_id: str) -> list[Write]:
        """An upgrade that was imported synchronously is staged, and still to be applied."""
        return [apply_write(self.delivery.package.unique_name, self.delivery.package.version)] if action is Action.UPGRADE and own_id else []

    def _publication(self) -> list[Write]:
        """Managed imports are published as they are; unmanaged ones are not."""
        needed = self.publish == "always" or (self.publish == "auto" and not self.delivery.package.managed)
        return [publish_write()] if needed else []

    def _take(self, write: Write, reached: object = None) -> None:
        turns = Turns(self.task.clock, self.task.progress, self.delivery.patience, self.task.carry_out)
        if self.task.check_mode or turns.take(write, reached):  # type: ignore[arg-type]
            self.writes.append(write)

    def _set_values(self) -> None:
        for write in self.settings.writes:
            self.task.carry_out(Plan({}, {}, (write,)))
            self.writes.append(write)

    def _read_settings(self, *, importing: bool, tolerate_unknown: bool = False) -> None:
        """Nothing is read unless the package or the options have connection references or environment variables."""
        connections, variables = names_of(self.delivery.package, self.wanted)
        if not connections and not variables:
            return
        package = self.delivery.package
        try:
            found = read_found(self.delivery.api, connections, variables)
        except ServiceRefused as error:
            if self.wanted:
                raise
            self.task.warn(f"Which connection references and environment variables have values could not be read: {error.message or error.why}")
            return
        self.needs = needs_values(package, self.wanted, found)
        missing = [*self.needs["connection_references"], *self.needs["environment_variables"]]
        if missing and importing:
            self.task.warn(f"The solution {package.unique_name} needs values for {', '.join(missing)}; see connection_references and environment_variables.")
        self.settings = (
            SettingsPlan() if tolerate_unknown and not _all_known(self.wanted, found) else plan_settings(package, self.wanted, found, importing=importing)
        )

    def _warn_of_patches(self, standing: Standing, action: Action) -> None:
        if action in (Action.UPGRADE, Action.STAGE) and isinstance(standing.installed, InstalledSolution):
            patches = [patch for patch in read_patches(self.delivery.api, standing.installed) if not patch.unique_name.endswith(HOLDING)]
            if patches:
                listed = ", ".join(f"{patch.unique_name} {patch.version}" for patch in patches)
                self.task.warn(f"{standing.installed.unique_name} has patches, which an upgrade takes up and removes: {listed}")

    def _outcome(
        self,
        action: Action,
        before: Standing,
        base: Standing,
        now: Standing,
        job: ImportJob | None,
        verified: Verified | None = None,
        *,
        planned: bool = False,
    ) -> Outcome:
        package = self.delivery.package
        facts = {**facts_of(package, action, now, job, verified, planned=planned), "needs_values": self.needs, "blockers": []}
        if not self.writes:
            return Outcome(facts, Plan(shown(now), shown(now)))
        after = shown_after(package, base, action)
        return Outcome(facts, Plan({**shown(before), **self.settings.before}, {**after, **self.settings.after}, tuple(self.writes)))


def _all_known(wanted: Wanted, found: Found) -> bool:
    return all(item.logical_name.lower() in found.connections for item in wanted.connections) and all(
        name.lower() in found.definitions for name, _value in wanted.variables
    )
