# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there after an import: read back, and told in a module's result.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ._errors import NotPossible, ServiceRefused, TaskError
from ._plan import Json
from ._solution_delivery import SolutionDelivery
from ._solution_import_failures import failure, missing_of
from ._solution_import_results import ImportEnd
from ._solution_imports import ImportJob
from ._solution_missing import to_result, told
from ._solution_package import ALWAYS_THERE, SolutionPackage
from ._solution_rules import Action
from ._solution_turns import VISIBLE_WITHIN
from ._solution_versions import compare_versions
from ._solutions import Standing, read_solutions, role_ids, state
from ._wait import until


@dataclass(frozen=True)
class Verified:
    """What is there after an import."""

    standing: Standing
    end: ImportEnd
    role_ids: Mapping[str, str] = field(default_factory=dict)


def verify(delivery: SolutionDelivery, end: ImportEnd, job: ImportJob, action: Action | None) -> Verified:
    """Raise if the import failed; else read back what it promised: the solution and its roles, or the staged upgrade."""
    package = delivery.package
    doing = f"import the solution {package.unique_name} {package.version}"
    facts: Json = {"import_job": job.to_result()}
    if not end.succeeded:
        error = explained(delivery, failure(end, doing, facts), end)
        holding = delivery.read().holding if package.managed and action in (Action.UPGRADE, Action.STAGE) else None
        if holding:
            error.why += f" The upgrade was left half-way: {holding.unique_name} {holding.version} is there and blocks further imports."
            error.next_step += " Then run again with stranded_upgrade set to discard, or to apply if only the second half failed."
            error.facts["pending_upgrade"] = holding.to_pending()
        raise error
    standing = Standing()
    roles: Mapping[str, str] = {}

    def look() -> Verified | None:
        nonlocal standing, roles
        standing = delivery.read()
        if not arrived(package, standing, action, exact=delivery.rules.allow_downgrade):
            return None
        if action is Action.STAGE:
            return Verified(standing, end)
        roles = role_ids(delivery.api, package)
        return Verified(standing, end, roles) if len(roles) == len(package.roles) else None

    verified = until(delivery.clock, look, seconds=VISIBLE_WITHIN)
    if verified:
        return verified
    next_step = "Look at the organisation's Solution history, then run again."
    there = standing.installed
    if arrived(package, standing, action, exact=delivery.rules.allow_downgrade):
        missing = ", ".join(role.name for role in package.roles if role.id not in roles)
        why = f"the organisation reports success, but these roles of the package are not there: {missing}."
    elif action is Action.UPGRADE and standing.holding:
        why = f"the organisation reports success, but the upgrade was left half-way: {standing.holding.unique_name} {standing.holding.version} is still there."
        next_step = "Run again with stranded_upgrade set to apply."
        facts["pending_upgrade"] = standing.holding.to_pending()
    else:
        shown = f"version {there.version} of it" if there else "no such solution"
        why = f"the organisation reports success, but shows {'no staged upgrade of it' if action is Action.STAGE else shown}."
    raise NotPossible(doing=doing, why=why, next_step=next_step, facts=facts)


def explained(delivery: SolutionDelivery, error: ServiceRefused, end: ImportEnd) -> ServiceRefused:
    """The error with the solutions that the import says are missing, and what there is of them."""
    missing = missing_of(end)
    if not missing:
        return error
    try:
        installed = {name: there.version for name, there in read_solutions(delivery.api, [dependency.solution for dependency in missing]).items()}
    except TaskError:  # the failure is told all the same
        return error
    error.why += f" It needs {'; '.join(told(missing, installed))}."
    wanted = [str(replace(dependency, components=())) for dependency in missing if dependency.solution.lower() not in ALWAYS_THERE]
    if wanted:
        error.next_step = f"Install or update these first: {', '.join(wanted)}. Then run again."
    error.facts["missing_dependencies"] = to_result(missing, installed)
    return error


def arrived(package: SolutionPackage, standing: Standing, action: Action | None, *, exact: bool = False) -> bool:
    """Whether the package's version is where the action was to bring it."""
    there = standing.holding if action is Action.STAGE else standing.installed
    if there is None or there.managed != package.managed or (action is Action.UPGRADE and standing.holding is not None):
        return False
    order = compare_versions(there.version, package.version)
    return order == 0 if exact else order >= 0


def shown(standing: Standing) -> Json:
    """What a diff shows."""
    installed = standing.installed.state() if standing.installed else {}
    return {**installed, **({"pending_upgrade": standing.holding.version} if standing.holding else {})}


def shown_after(package: SolutionPackage, standing: Standing, action: Action) -> Json:
    """What a diff shows when the action is done; ``standing`` is what is there once a stranded upgrade is out of the way."""
    if action is Action.NONE:
        return shown(standing)
    if action is Action.STAGE:
        return {**shown(Standing(standing.installed)), "pending_upgrade": package.version}
    return state(package)


def facts_of(
    package: SolutionPackage, action: Action, standing: Standing, job: ImportJob | None, verified: Verified | None = None, *, planned: bool = False
) -> Json:
    """The module's result."""
    installed = standing.installed
    facts: Json = {
        "solution": {
            "friendly_name": package.friendly_name,
            **state(package),
            "installed_version": installed.version if installed else None,
            "solution_id": installed.solution_id if installed else None,
        },
        "action": action.value,
        "import_job": job.to_result() if job else None,
        "roles": [role.to_result(verified.role_ids.get(role.id, "") if verified else "") for role in package.roles],
        "planned": planned,
        "pending_upgrade": standing.holding.to_pending() if standing.holding else None,
    }
    if verified:
        facts["components"] = [component.to_result() for component in verified.end.components]
    return facts
