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

from ._errors import TaskError
from ._plan import Plan, Write
from ._solution_delivery import SolutionDelivery, Started, begun
from ._solution_import_results import ImportEnd
from ._solution_imports import ImportJob
from ._solution_outcomes import Verified, arrived, facts_of, shown, shown_after, verify
from ._solution_publication import is_owed, is_recent
from ._solution_rules import Action, Pending, Route, check_parent, decide, route, stranded
from ._solution_settings import Wanted
from ._solution_turns import LongWrite, Turns
from ._solution_values import Values
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
    values: Values = field(init=False)
    brought: bool = False
    """Whether the import was seen to have worked."""
    asynchronous: bool | None = None
    """Whether the organisation has system jobs for imports and the like; None until it was asked."""

    def __post_init__(self) -> None:
        self.values = Values(self.delivery.api, self.delivery.package, self.wanted, self.task.warn)

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
            running = self._unfinished(standing)
            return self._attached(running, standing) if running else self._settled(standing)
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
            done = (write.summary if self.brought else begun(write) for write in self.writes)
            error.done = [*(summary for summary in done if summary not in told), *error.done]
            raise

    def _route(self, standing: Standing) -> Route:
        """An upgrade that is at work has a staged row too; only one that nothing works on is stranded."""
        if standing.holding:
            running = self.delivery.imports(self._own_id()).look().ours
            if running:
                return Route(Pending.NONE, decide(self.delivery.package, standing.installed, self.delivery.rules))
            if self._is_asynchronous() and self._turns().at_work(self._applies(standing.holding)):
                return Route(Pending.FOLLOW, decide(self.delivery.package, standing.holding.applied(standing.installed), self.delivery.rules))
            return route(self.delivery.package, standing, self.delivery.rules, two_calls=not self._is_asynchronous())
        return route(self.delivery.package, standing, self.delivery.rules)

    def _unfinished(self, standing: Standing) -> ImportJob | None:
        """An import that runs although its solution can be seen already. Only what changed of late can have one, so all others cost no request."""
        changed = standing.installed.changed if standing.installed else None
        if changed is None or not is_recent(changed, self.task.clock.now()):
            return None
        job = self.delivery.imports().job(ImportJob(""))
        return None if job and job.get("completedon") else self.delivery.imports(self._own_id()).look().ours

    def _own_id(self) -> str:
        return "" if self._is_asynchronous() else str(uuid.uuid4())

    def _is_asynchronous(self) -> bool:
        if self.asynchronous is None:
            params = self.task.params
            self.asynchronous = imports_asynchronously(self.delivery.api, params["api_version"], params["organization_version"])
        return self.asynchronous

    def _settled(self, standing: Standing) -> Outcome:
        """No import is needed."""
        self.values.read(importing=False)
        if standing.holding and self.delivery.rules.mode != "stage":
            self.task.warn(
                f"An upgrade of {self.delivery.package.unique_name} to {standing.holding.version} was staged and never applied; it blocks further imports. "
                "Set stranded_upgrade to apply or discard."
            )
        self.task.carry_out(Plan({}, {}, self.values.plan.writes))
        self.writes += self.values.plan.writes
        if self._publication_is_owed():
            self._publish()
        return self._outcome(Action.NONE, standing, standing, standing, None)

    def _attached(self, job: ImportJob, standing: Standing) -> Outcome:
        """The version can be seen, but its import has not ended: follow it, whoever started it, and do what comes after."""
        self.task.progress(f"{self.delivery.package.unique_name} can be seen, but its import still runs; it is followed")
        if self.task.check_mode or not self.task.params["wait"]:
            self.values.read(importing=False, tolerate_unknown=True)
            if self.task.params["wait"]:
                self.writes += [*self.values.plan.writes, *(step.write for step in self._publication())]
            return self._outcome(Action.NONE, standing, standing, standing, job, planned=self.task.check_mode)
        verified = self._completed(Started(job), self.delivery.finish(Started(job)), None)
        return self._outcome(Action.NONE, standing, verified.standing, verified.standing, job, verified)

    def _planned(self, standing: Standing, way: Route, own_id: str, given: ImportJob | None) -> Outcome:
        """What a run would do. An import that was planned before, or that runs already, is not planned again."""
        running = None if given else self.delivery.imports(own_id).look().ours
        following = bool(given or running)
        self.values.read(importing=way.action is not Action.NONE, tolerate_unknown=following or way.pending is Pending.FINISH)
        base = self._after_pending(standing, way.pending)
        waits = self.task.params["wait"]
        if not following:
            self.writes += [step.write for step in self._pending_steps(standing, way.pending) if way.pending is not Pending.FOLLOW]
        if way.action is not Action.NONE:
            if not following:
                if self.delivery.validate:
                    self.writes.append(validate_write(self.delivery.package, lambda _answer: ""))
                    self.task.warn("Check mode sends nothing, so the organisation did not validate the package (validate).")
                self.writes.append(self.delivery.write(base, way.action, own_id))
                self._warn_of_patches(standing, way.action)
            if waits:
                self.writes += [step.write for step in self._second_half(way.action, own_id)]
        if waits or way.action is Action.NONE:
            self.writes += self.values.plan.writes
            publishes = way.action is not Action.NONE or way.pending is Pending.FINISH
            self.writes += [step.write for step in self._publication()] if publishes else []
        job = (running or ImportJob("", planned=True)) if way.action is not Action.NONE else None
        return self._outcome(way.action, standing, base, standing, job, planned=True)

    def _carried_out(self, standing: Standing, way: Route, own_id: str) -> Outcome:
        before = standing
        waits = self.task.params["wait"]
        self.values.read(importing=way.action is not Action.NONE, tolerate_unknown=way.pending is Pending.FINISH)
        standing = self._clear_pending(standing, way.pending)
        if way.action is Action.NONE:
            if way.pending is Pending.FINISH:
                self.values.read(importing=False)
            self._set_values()
            if way.pending is Pending.FINISH:
                self._publish()
            return self._outcome(way.action, before, standing, standing, None)
        if way.pending is not Pending.NONE and decide(self.delivery.package, standing.installed, self.delivery.rules) is Action.NONE:
            return self._came_meanwhile(before)  # clearing the way can take minutes, in which another run goes on
        self._warn_of_patches(standing, way.action)
        delivery = replace(self.delivery, settings=replace(self.delivery.settings, component_parameters=self.values.plan.parameters))
        if not waits:
            started = delivery.start(standing, way.action, own_id, self.task.carry_out, self.task.clock.now() + delivery.patience.lock)
            if started is None:
                return self._came_meanwhile(before)
            self.writes += started.writes
            return self._outcome(way.action, before, standing, standing, started.job)
        brought = delivery.bring(standing, way.action, own_id, self.task.carry_out)
        if brought is None:  # somebody else's import ended while this one waited for its turn
            return self._came_meanwhile(before)
        started, end = brought
        self.writes += started.writes
        verified = self._completed(started, end, way.action)
        return self._outcome(way.action, before, standing, verified.standing, started.job, verified)

    def _finish_given(self, job: ImportJob) -> Outcome:
        """Follow the import that an earlier task started, and do what comes after it."""
        end = self.delivery.finish_given(job)
        self.asynchronous = bool(job.async_operation_id)
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
            for step in self._second_half(Action.UPGRADE, started.job.id):
                self._take(step)
        if self.task.check_mode and self.writes:
            return Verified(self.delivery.read(), end)  # the second half is only planned
        verified = verify(self.delivery, end, started.job, action)
        self.brought = True
        if doubtful := end.components:
            told = "; ".join(f"{item.type} {item.name}: {item.text or item.code}" for item in doubtful[:5]) + (" …" if len(doubtful) > 5 else "")
            name = self.delivery.package.unique_name
            self.task.warn(f"The import of {name} succeeded, but reports {len(doubtful)} components with a failure or a warning: {told}")
        if self.wanted:
            self.values.read(importing=False)  # what the import's parameters did not bring
        self._set_values()
        self._publish()
        return verified

    def _came_meanwhile(self, before: Standing) -> Outcome:
        there = self.delivery.read()
        if there.holding and not self._is_asynchronous():
            there = self._clear_pending(there, route(self.delivery.package, there, self.delivery.rules, two_calls=True).pending)
        if self.wanted:
            self.values.read(importing=False)
        self._set_values()
        if self._publication_is_owed():
            self._publish()
        return self._outcome(Action.NONE, before, there, there, None)

    def _after_pending(self, standing: Standing, pending: Pending) -> Standing:
        if pending in (Pending.APPLY, Pending.FINISH, Pending.FOLLOW) and standing.holding:
            return Standing(standing.holding.applied(standing.installed))
        return Standing(standing.installed) if pending is Pending.DISCARD else standing

    def _pending_steps(self, standing: Standing, pending: Pending) -> list[LongWrite]:
        if standing.holding is None or pending is Pending.NONE:
            return []
        if pending is Pending.DISCARD:
            return [discard_write(standing.holding, lambda: self.delivery.read().holding is None, asynchronous=self._is_asynchronous())]
        return [self._applies(standing.holding)]

    def _applies(self, holding: InstalledSolution) -> LongWrite:
        return apply_write(holding.base_name, holding.version, lambda: self.delivery.read().holding is None, asynchronous=self._is_asynchronous())

    def _clear_pending(self, standing: Standing, pending: Pending) -> Standing:
        for step in self._pending_steps(standing, pending):
            if pending is not Pending.FOLLOW:
                self._take(step)
            elif self._turns().join(step) is not None:  # it failed
                raise stranded(standing.holding or InstalledSolution("", "", "", "", managed=True), standing.installed, "Its application ran, and failed.")
            return self.delivery.read()
        return standing

    def _second_half(self, action: Action, own_id: str) -> list[LongWrite]:
        """An upgrade that was imported synchronously is staged, and still to be applied; such an organisation has no system jobs for that."""
        package = self.delivery.package

        def reached() -> bool:
            return arrived(package, self.delivery.read(), Action.UPGRADE)

        return [apply_write(package.unique_name, package.version, reached, asynchronous=False)] if action is Action.UPGRADE and own_id else []

    @property
    def _publishes(self) -> bool:
        """Managed imports are published as they are; unmanaged ones are not."""
        return self.publish == "always" or (self.publish == "auto" and not self.delivery.package.managed)

    def _publication(self) -> list[LongWrite]:
        return [publish_write(asynchronous=self._is_asynchronous())] if self._publishes else []

    def _publication_is_owed(self) -> bool:
        """Whether a run that was killed between import and publication left that to this one."""
        return any(is_owed(self.delivery, self._turns(), step, self.task.warn, check_mode=self.task.check_mode) for step in self._publication())

    def _publish(self) -> None:
        for step in self._publication():
            try:
                self._take(step)
            except TaskError as error:
                error.why += " The import itself is done."
                raise

    def _take(self, step: LongWrite) -> None:
        write = step.write if self.task.check_mode else self._turns().take(step)
        self.writes += [write] if write else []

    def _turns(self) -> Turns:
        return Turns(self.delivery.activity, self.task.progress, self.delivery.patience, self.task.carry_out, self.task.warn)

    def _set_values(self) -> None:
        for write in self.values.plan.writes:
            self.task.carry_out(Plan({}, {}, (write,)))
            self.writes.append(write)

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
        facts = {**facts_of(package, action, now, job, verified, planned=planned), "needs_values": self.values.needs, "blockers": []}
        if not self.writes:
            return Outcome(facts, Plan(shown(now), shown(now)))
        after = shown_after(package, base, action)
        return Outcome(facts, Plan({**shown(before), **self.values.plan.before}, {**after, **self.values.plan.after}, tuple(self.writes)))
