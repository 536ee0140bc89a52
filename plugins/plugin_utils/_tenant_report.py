# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run did in each tenant, as a table for people and as JSON for programs.

Nothing here knows Ansible; the callback ``lead_management_summary`` feeds it.

This file is private to the collection.
"""

from __future__ import annotations

import textwrap
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

WIDTH = 100


@dataclass(frozen=True)
class Failure:
    """Why a tenant's run ended early."""

    step: str
    """The task."""
    why: str
    next_step: str
    done: tuple[str, ...]
    """What the failed task had written before."""
    details: Mapping[str, t.Any]
    """The module's ``error`` result, for programs."""

    def trace(self) -> str:
        """What the service's support asks for, if a service refused."""
        named = (("code", "code"), ("HTTP", "status"), ("request id", "request_id"))
        given = [f"{name} {self.details[key]}" for name, key in named if self.details.get(key)]
        return f"Service: {self.details.get('service')}, {', '.join(given)}." if given else ""

    def to_json(self) -> dict[str, t.Any]:
        """The form in the report."""
        return {"step": self.step, "why": self.why, "next_step": self.next_step, "done": list(self.done), "error": dict(self.details)}


@dataclass
class Tenant:
    """One inventory host."""

    name: str
    changes: list[dict[str, t.Any]] = field(default_factory=list)
    """The writes that tasks made, or in check mode would make, in order; each with its ``step``."""
    failure: Failure | None = None

    def outcome(self, *, check_mode: bool) -> str:
        """One word or two."""
        if self.failure:
            return "failed"
        if self.changes:
            return "would change" if check_mode else "done"
        return "unchanged"

    def note(self, step: str, result: Mapping[str, t.Any]) -> None:
        """Take in the result of a task that went well. What it kept on the controller is no change to the tenant."""
        if result.get("changed"):
            self.changes += [{"step": step, **write} for write in result.get("writes", [])]

    def note_failure(self, step: str, result: Mapping[str, t.Any]) -> None:
        """Take in the result of the task that failed."""
        self.failure = failure(step, result)

    def to_json(self, *, check_mode: bool) -> dict[str, t.Any]:
        """The form in the report."""
        return {
            "outcome": self.outcome(check_mode=check_mode),
            "changes": self.changes,
            "failure": self.failure.to_json() if self.failure else None,
        }


def failure(step: str, result: Mapping[str, t.Any]) -> Failure:
    """The failure that a result tells; modules of this collection tell more than others."""
    error = result.get("error")
    if isinstance(error, Mapping) and error.get("why"):
        doing = f"Could not {error['doing']}: " if error.get("doing") else ""
        return Failure(step, doing + str(error["why"]), str(error.get("next_step", "")), tuple(error.get("done", ())), error)
    told = str(result.get("msg") or "The task gave no reason.").removeprefix("Task failed: ").removeprefix("Action failed: ")
    return Failure(step, _one_line(told), "", (), {})


def report(tenants: Iterable[Tenant], *, check_mode: bool) -> dict[str, t.Any]:
    """Everything, for programs. It holds no time, so runs can be compared."""
    return {
        "check_mode": check_mode,
        "tenants": {tenant.name: tenant.to_json(check_mode=check_mode) for tenant in sorted(tenants, key=lambda one: one.name)},
    }


def table(tenants: Iterable[Tenant], *, check_mode: bool) -> list[tuple[str, str]]:
    """The lines for people, each with the outcome of its tenant; failures come last, where the eye ends."""
    rows = sorted(tenants, key=lambda one: (one.failure is not None, one.name))
    if not rows:
        return []
    name_width = min(max(len(one.name) for one in rows), 32) + 2
    indent = name_width + len("would change") + 2
    lines: list[tuple[str, str]] = []
    for tenant in rows:
        outcome = tenant.outcome(check_mode=check_mode)
        first, *others = _described(tenant, check_mode=check_mode) or [""]
        head = f"{tenant.name:<{name_width}}{outcome.upper() if tenant.failure else outcome:<{indent - name_width}}"
        lines += [(outcome, line) for line in _wrapped(head, first, indent)]
        lines += [(outcome, line) for text in others for line in _wrapped(" " * indent, text, indent)]
    counts: dict[str, int] = {}
    for tenant in rows:
        outcome = tenant.outcome(check_mode=check_mode)
        counts[outcome] = counts.get(outcome, 0) + 1
    total = f"{len(rows)} tenant{'s' if len(rows) != 1 else ''}: " + ", ".join(f"{number} {outcome}" for outcome, number in counts.items()) + "."
    return [*lines, ("", ""), ("", total)]


def _described(tenant: Tenant, *, check_mode: bool) -> list[str]:
    """Sentences about a tenant."""
    done = [str(change["summary"]) for change in tenant.changes] + list(tenant.failure.done if tenant.failure else ())
    if not tenant.failure:
        return ["; ".join(done)] if done else []
    told = [tenant.failure.why]
    if tenant.failure.next_step:
        told.append(f"What to do: {tenant.failure.next_step}")
    if trace := tenant.failure.trace():
        told.append(trace)
    if done:
        told.append(f"{'Would be done' if check_mode else 'Done'} before that: {'; '.join(done)}.")
    return told


def _wrapped(head: str, text: str, indent: int) -> list[str]:
    # A long tenant name pushes its text to the next line
    lines = textwrap.wrap(text, WIDTH - indent, break_long_words=False, break_on_hyphens=False) or [""]
    if len(head) > indent:
        return [head.rstrip(), *(" " * indent + line for line in lines if line)]
    return [(head + lines[0]).rstrip(), *(" " * indent + line for line in lines[1:])]


def _one_line(text: str) -> str:
    return textwrap.shorten(" ".join(text.split()), 600, placeholder=" …")
