# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one family of errors: each knows what failed, why, and what to do next.

    TaskError                 everything below; has a fail_json form
    ├── InvalidOption         what the user wrote cannot work; raised before the first request
    ├── NotPossible           the state of the tenant forbids what is wanted
    ├── SignInRefused         Entra ID gave no token
    ├── ServiceRefused        a service answered, with an error
    ├── AnswerNotUnderstood   a service answered, and not in the form that is known
    ├── OutcomeUnknown        a write was sent and its answer was lost: look before repeating
    ├── NotReachable          no service could be talked to
    └── WaitedTooLong         something is still going on after the time that the user allowed

Raised anywhere, caught in one place (``_task.run``).

This file is private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_LONGEST_MESSAGE = 2000


@dataclass
class TaskError(Exception):
    """A failure, told so that the reader knows what to do."""

    why: str
    """Plain words, one or more full sentences."""
    next_step: str = ""
    """What to change, or which permission to ask for."""
    doing: str = ""
    """What was being done, as in "could not <doing>"."""
    service: str = ""
    code: str = ""
    status: int | None = None
    request_id: str = ""
    catalogue: str = ""
    """The entry of the error catalogue that explained it."""
    retryable: bool = False
    done: list[str] = field(default_factory=list)
    """Summaries of the writes that this task had made before it failed."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Result keys that are true in spite of the failure, such as the id of what is still running."""

    def __str__(self) -> str:
        return self.text("")

    def text(self, where: str) -> str:
        """The whole message; ``where`` names the tenant."""
        head = f"could not {self.doing}: " if self.doing else ""
        parts = [f"{where}: {head}{self.why}" if where else f"{head}{self.why}"]
        if self.next_step:
            parts.append(f"What to do: {self.next_step}")
        if self.done:
            parts.append(f"Already done by this task: {'; '.join(self.done)}.")
        traces = [f"{name} {value}" for name, value in (("code", self.code), ("HTTP", self.status), ("request id", self.request_id)) if value]
        if traces:
            parts.append(f"[{self.service + ': ' if self.service else ''}{', '.join(traces)}]")
        return " ".join(parts)

    def to_fail_json(self, where: str) -> dict[str, Any]:
        """The keyword arguments of ``fail_json``."""
        return {
            **self.facts,
            "msg": self.text(where),
            "changed": bool(self.done),
            "error": {
                "kind": type(self).__name__,
                "where": where,
                "doing": self.doing,
                "why": self.why,
                "next_step": self.next_step,
                "message": str(getattr(self, "message", ""))[:_LONGEST_MESSAGE],
                "service": self.service,
                "code": self.code,
                "status": self.status,
                "request_id": self.request_id,
                "catalogue": self.catalogue,
                "retryable": self.retryable,
                "done": list(self.done),
            },
        }


class InvalidOption(TaskError):
    """An option's value cannot work. Raised before anything is sent."""

    def __init__(self, option: str, why: str, next_step: str = "") -> None:
        """``option`` is the path as the user wrote it, such as ``privileges[2].depth``."""
        super().__init__(why=f"{option}: {why}", next_step=next_step)


class NotPossible(TaskError):
    """What is wanted contradicts what is there."""


class SignInRefused(TaskError):
    """Entra ID refused a token."""


class ServiceRefused(TaskError):
    """A service answered with an error."""

    def __init__(self, *, message: str = "", **values: Any) -> None:
        """``message`` is the service's own text, kept for callers that must recognise it."""
        super().__init__(**values)
        self.message = message


class AnswerNotUnderstood(TaskError):
    """An answer without what must be in it, or not from the service at all."""


class OutcomeUnknown(TaskError):
    """A write that must not be repeated blindly was sent, and no answer came."""


class NotReachable(TaskError):
    """No answer at all: name, route, TLS or time-out."""


class WaitedTooLong(TaskError):
    """The allowed time is over and the service is not done."""
