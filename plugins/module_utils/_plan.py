# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run is going to change, as data: the one source of ``changed``, ``diff``, check mode and the writes.

A subject's ``plan`` function is pure and returns a ``Plan``; ``carry_out`` is the only place that sends what
a plan holds. So check mode cannot disagree with a real run.

This file is private to the collection.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ._errors import TaskError

Json = dict[str, t.Any]


@dataclass(frozen=True)
class Write:
    """One request that changes something."""

    service: str
    """``graph``, ``dataverse`` or ``power_platform``."""
    method: str
    path: str
    """Below the service's root. ``{name}`` stands for an id that an earlier write of the plan yields."""
    summary: str
    """For people, as in "assign the product CRMPLAN2"."""
    body: Json | Callable[[], Json] | None = field(default=None, repr=False)
    """A callable builds a large body only when it is sent."""
    yields: str = ""
    """The name under which later writes know the id of what this one creates."""
    repeatable: bool = True
    """Sending it twice does no harm."""
    id_from: Callable[[Json], str] | None = field(default=None, repr=False)
    """Takes the yielded id from the answer's document, where the service tells it there and not in the usual place."""

    def to_result(self, known: Mapping[str, str]) -> dict[str, str]:
        """The form in a module's result; never the body, which may hold a secret."""
        return {"service": self.service, "method": self.method, "path": fill(self.path, known), "summary": self.summary}


@dataclass(frozen=True)
class Plan:
    """The way from ``before`` to ``after``."""

    before: Json
    after: Json
    writes: tuple[Write, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything is to be written."""
        return bool(self.writes)


class Sender(t.Protocol):
    """A service that can send a write and tells the id of what it created, if any."""

    def write(self, write: Write, path: str) -> str: ...


class Resolve(t.Protocol):
    """Looks whether a write that failed is there all the same.

    Answers the id that it yielded, ``""`` if it yields none, or None if the failure stands.
    """

    def __call__(self, write: Write, error: TaskError, /) -> str | None: ...


def let_it_stand(_write: Write, _error: TaskError, /) -> str | None:
    """Resolve nothing: every failure stands."""
    return None


def fill(path: str, known: Mapping[str, str]) -> str:
    """Put the known ids in; what is not known yet keeps its name in braces."""
    return re.sub(r"\{(\w+)\}", lambda match: known.get(match.group(1), match.group(0)), path)


def carry_out(
    writes: tuple[Write, ...],
    senders: Mapping[str, Sender],
    *,
    resolve: Resolve = let_it_stand,
    on_done: Callable[[Write], None] = lambda _write: None,
) -> dict[str, str]:
    """Send the writes in order; return the ids that they yielded.

    ``resolve`` is asked when a write fails: it looks whether the change is there all the same (an answer was lost,
    or another run was faster) and returns the id (or ``""``), or None if the failure stands. An error names the writes that were done.
    """
    known: dict[str, str] = {}
    done: list[str] = []
    for write in writes:
        try:
            try:
                created = senders[write.service].write(write, fill(write.path, known))
            except TaskError as error:
                found = resolve(write, error)
                if found is None:
                    raise
                created = found
        except TaskError as error:  # the failure itself, or what came of looking
            error.doing = error.doing or write.summary
            error.done = [*done, *error.done]
            raise
        if write.yields and created:
            known[write.yields] = created
        done.append(write.summary)
        on_done(write)
    return known
