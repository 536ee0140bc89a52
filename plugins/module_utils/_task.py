# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module run is: options, check mode, warnings, progress, secrets, and one way to end.

``perform`` runs a module's ``reconcile`` and gives the result; both ways of running a module use it, so nothing can
depend on the way. ``run_module`` is the ordinary way; the other is ``plugin_utils/_in_worker.py``.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ._connection import Connection
from ._errors import TaskError
from ._http import REQUESTS_ERROR, Clock
from ._identity import MSAL_ERROR, MemoryTokenStore, TokenStore
from ._plan import Json, Plan, Resolve, carry_out, let_it_stand


@dataclass(frozen=True)
class ModuleSpec:
    """The options of a module, as ``AnsibleModule`` and ``ArgumentSpecValidator`` want them."""

    options: dict[str, t.Any]
    mutually_exclusive: list[list[str]] = field(default_factory=list)
    required_together: list[list[str]] = field(default_factory=list)
    required_one_of: list[list[str]] = field(default_factory=list)
    required_if: list[t.Any] = field(default_factory=list)

    def rules(self) -> dict[str, t.Any]:
        """Everything but the options."""
        return {
            "mutually_exclusive": self.mutually_exclusive,
            "required_together": self.required_together,
            "required_one_of": self.required_one_of,
            "required_if": self.required_if,
        }


@dataclass(frozen=True)
class Outcome:
    """How a run ended well."""

    facts: Json
    """The documented result keys of the module."""
    plan: Plan
    known: Mapping[str, str] = field(default_factory=dict)
    """The ids that the plan's writes yielded."""


@dataclass
class Task:
    """One run of one module, as ``reconcile`` sees it."""

    params: Mapping[str, t.Any]
    check_mode: bool
    connection: Connection
    clock: Clock
    progress: Callable[[str], None]
    """Tell a waiting person where things stand."""
    warnings: list[str] = field(default_factory=list)
    mask: Callable[[str], None] = lambda _secret: None
    """Keep a secret that came up during the run out of all output."""

    def warn(self, text: str) -> None:
        """A full sentence for the user."""
        self.warnings.append(text)

    def carry_out(self, plan: Plan, resolve: Resolve = let_it_stand) -> dict[str, str]:
        """Send the plan's writes, unless in check mode. The one place that asks about check mode."""
        if self.check_mode or not plan.writes:
            return {}
        return carry_out(plan.writes, self.connection.senders(), resolve=resolve)


Reconcile = Callable[[Task], Outcome]


@dataclass(frozen=True)
class Ended:
    """A finished run, good or bad, in the form of a module's result."""

    failed: bool
    result: dict[str, t.Any]


def perform(
    reconcile: Reconcile,
    params: Mapping[str, t.Any],
    *,
    check_mode: bool,
    diff_mode: bool,
    store: TokenStore,
    clock: Clock | None = None,
    on_secret: Callable[[str], None],
    progress: Callable[[str], None] = lambda _text: None,
) -> Ended:
    """Run ``reconcile``; every failure that the collection knows becomes a failed result."""
    missing = missing_library()
    if missing:
        return Ended(failed=True, result=missing)
    where = _where(params)
    clock = clock or Clock()
    task: Task | None = None
    try:
        connection = Connection(params, store=store, clock=clock, on_secret=on_secret, read_only=check_mode)
        task = Task(params, check_mode, connection, clock, progress, mask=on_secret)
        outcome = reconcile(task)
    except TaskError as error:
        return Ended(failed=True, result={**error.to_fail_json(where), **_warnings(task)})
    plan = outcome.plan
    result: dict[str, t.Any] = {
        **outcome.facts,
        "changed": plan.changed,
        "writes": [write.to_result(outcome.known) for write in plan.writes],
        **_warnings(task),
    }
    if diff_mode and plan.changed:
        result["diff"] = {"before_header": where, "after_header": where, "before": plan.before, "after": plan.after}
    return Ended(failed=False, result=result)


def run_module(spec: ModuleSpec, reconcile: Reconcile) -> None:
    """The ordinary way: in a process of its own, started by Ansible."""
    module = AnsibleModule(spec.options, supports_check_mode=True, **spec.rules())
    ended = perform(
        reconcile,
        module.params,
        check_mode=module.check_mode,
        diff_mode=module._diff,
        store=MemoryTokenStore(),
        on_secret=module.no_log_values.add,
    )
    result = dict(ended.result)
    for text in result.pop("warnings", ()):
        module.warn(text)  # as a part of the result, Ansible calls them deprecated
    if ended.failed:
        module.fail_json(**result)
    module.exit_json(**result)


def missing_library() -> dict[str, t.Any]:
    """A failed result if ``requests`` or ``msal`` cannot be imported, else nothing."""
    for name, problem in (("requests", REQUESTS_ERROR), ("msal", MSAL_ERROR)):
        if problem:
            return {"msg": missing_required_lib(name), "exception": problem}
    return {}


def _warnings(task: Task | None) -> dict[str, list[str]]:
    return {"warnings": task.warnings} if task is not None and task.warnings else {}


def _where(params: Mapping[str, t.Any]) -> str:
    """The tenant, as a person names it: the organisation's address, or the directory's id."""
    url = str(params.get("url") or "")
    return url.removeprefix("https://").rstrip("/") or f"tenant {params['auth'].get('tenant_id') or 'unknown'}"
