# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on purpose: which requests they hit.

Whether the n-th request of a tenant to a service is hit depends on the seed, the tenant, the service and n only, so that a run
replays whatever other tenants do at the same time.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, get_args

from .hosts import Service
from .wire import Json
from .world import Tenant, World

KINDS = (
    *("throttle", "unavailable", "gateway", "gateway-after", "drop-before", "drop-after"),
    *("hang-before", "hang-after", "slow", "expire-token", "concurrency"),
)
_WRITES = ("POST", "PATCH", "PUT", "DELETE")


class BadFaultError(ValueError):
    """A fault that cannot be understood."""


@dataclass(frozen=True)
class Rule:
    """One kind of fault and the requests that it may hit."""

    kind: str
    probability: float = 1.0
    service: str = ""
    """Only this service. Without it all but ``entra``, whose answers clients remember for a minute."""
    tenant: str = ""
    method: str = ""
    path: str = ""
    """Regular expression, searched in path and query."""
    after: str = ""
    """Regular expression, searched in method and path: it hits nothing until such a request of the tenant has come."""
    nth: int | None = None
    """Of a tenant's requests that fit, it hits only the one of this number, counted from 1."""
    count: int | None = None
    """How many requests it hits before it is used up; with ``nth``, one."""
    retry_after: str | float | None = None
    """Value of the header, or ``none`` to leave it out; by default whole, decimal and missing values take turns."""
    seconds: float = 3.0
    """How long ``slow`` takes, and how long after the client has gone ``hang-before`` has its effect."""
    status: int | None = None
    code: str = ""
    """Dataverse: the service protection code of ``throttle``."""

    def matches(self, tenant: str, service: str, method: str, path: str) -> bool:
        """Whether the rule is about such a request at all."""
        if self.kind == "concurrency" and (service not in (self.service, "graph") or method not in _WRITES):
            return False
        if service != self.service if self.service else service == "entra":
            return False
        if self.tenant not in ("", tenant) or self.method.upper() not in ("", method):
            return False
        return not self.path or re.search(self.path, path) is not None


@dataclass(frozen=True)
class Hit:
    """A request that a rule applies to."""

    rule: Rule
    turn: int
    """A number that depends on the request alone; chooses between the variants of an answer."""


def parse_rule(document: Json) -> Rule:
    """A rule from its JSON form."""
    known = {field.name for field in fields(Rule)}
    unknown = set(document) - known
    if unknown:
        raise BadFaultError(f"Unknown member of a fault: {', '.join(sorted(unknown))}. Known are {', '.join(sorted(known))}.")
    try:
        rule = Rule(**document)
        re.compile(rule.path)
        re.compile(rule.after)
        valid = rule.kind in KINDS and 0 <= float(rule.probability) <= 1 and rule.service in ("", *get_args(Service)) and (rule.nth is None or rule.nth > 0)
    except (TypeError, ValueError, re.error) as error:
        raise BadFaultError(f"Not a fault: {json.dumps(document)}: {error}") from error
    if not valid:
        raise BadFaultError(
            f"Not a fault: {json.dumps(document)}. Kinds are {', '.join(KINDS)}; services are {', '.join(get_args(Service))}; "
            "a probability lies between 0 and 1, and nth is at least 1."
        )
    return replace(rule, count=1) if rule.nth is not None and rule.count is None else rule


def parse_spec(text: str) -> list[Rule]:
    """Rules from the command line: JSON, or ``kind:probability[:name=value…],…``."""
    stripped = text.strip()
    if stripped.startswith(("[", "{")):
        try:
            loaded = json.loads(stripped)
        except ValueError as error:
            raise BadFaultError(f"The faults are not valid JSON: {error}") from error
        return [parse_rule(one) for one in (loaded if isinstance(loaded, list) else [loaded])]
    return [_parse_word(word.strip()) for word in stripped.split(",") if word.strip()]


def _parse_word(word: str) -> Rule:
    kind, *rest = word.split(":")
    document: dict[str, Any] = {"kind": kind}
    for part in rest:
        name, equals, value = part.partition("=")
        if not equals:
            name, value = "probability", part
        convert = {"probability": float, "seconds": float, "count": int, "status": int, "nth": int}.get(name, str)
        try:
            document[name] = convert(value)
        except ValueError as error:
            raise BadFaultError(f"Not a fault: {word}: {name} must be a number.") from error
    return parse_rule(document)


class Faults:
    """All rules in force: from the command line, from the tenants, and added while running."""

    def __init__(self, world: World, seed: int, rules: list[Rule]) -> None:
        self._world = world
        self._seed = seed
        self._fixed = rules
        self._added = world.store.collection("", "faults")
        self._requests: dict[tuple[str, str], int] = {}
        self._used: dict[str, int] = {}
        self._fitting: dict[tuple[str, str], int] = {}
        self._begun: set[tuple[str, str]] = set()

    def decide(self, tenant: Tenant | None, service: str, method: str, path: str) -> Hit | None:
        """Count the request, and say which fault hits it."""
        name = tenant.name if tenant else ""
        number = self._requests[name, service] = self._requests.get((name, service), 0) + 1
        own = tenant.document.get("faults", []) if tenant else []
        candidates = [
            *((f"added:{key}", parse_rule(one)) for key, one in self._added.items() if one.get("tenant", "") in ("", name)),
            *((f"tenant:{name}:{index}", parse_rule(one)) for index, one in enumerate(own)),
            *((f"fixed:{index}", rule) for index, rule in enumerate(self._fixed)),
        ]
        # Each rule watches the requests that it is about, whatever else hits them.
        fitting = [
            (key, rule)
            for key, rule in candidates
            if self._has_begun(key, name, rule, f"{method} {path}") and rule.matches(name, service, method, path) and self._has_come(key, name, rule)
        ]
        for key, rule in fitting:
            digest = hashlib.sha256(f"{self._seed}|{name}|{service}|{number}|{key.partition(':')[0]}|{rule.kind}".encode()).digest()
            if int.from_bytes(digest[:8], "big") / 2**64 < rule.probability and self._use(key, rule):
                return Hit(rule, digest[8])
        return None

    def _has_begun(self, key: str, tenant: str, rule: Rule, request: str) -> bool:
        if not rule.after or (key, tenant) in self._begun:
            return True
        if re.search(rule.after, request):
            self._begun.add((key, tenant))
        return False

    def _has_come(self, key: str, tenant: str, rule: Rule) -> bool:
        if rule.nth is None:
            return True
        count = self._fitting[key, tenant] = self._fitting.get((key, tenant), 0) + 1
        return count == rule.nth

    def add(self, rule: Rule) -> str:
        """Put a rule in force; answers its id."""
        key = self._world.new_id()
        self._added[key] = {name: value for name, value in asdict(rule).items() if value is not None}
        return key

    def remove(self, key: str | None = None) -> None:
        """Take back one added rule, or all of them."""
        for one in self._added if key is None else [key]:
            if one in self._added:
                del self._added[one]

    def forget(self) -> None:
        """Count requests from the beginning again, as after a start."""
        self._requests.clear()
        self._used.clear()
        self._fitting.clear()
        self._begun.clear()

    def shown(self) -> list[Json]:
        """The added rules and those of the command line."""
        return [*({"id": key, **one} for key, one in self._added.items()), *({"id": None, **asdict(rule)} for rule in self._fixed)]

    def _use(self, key: str, rule: Rule) -> bool:
        if rule.count is None:
            return True
        origin, _unused, added_key = key.partition(":")
        if origin == "added":
            # What is left is kept on disk, so that a restarted emulator does not begin again.
            if rule.count > 1:
                self._added.change(added_key, count=rule.count - 1)
            else:
                del self._added[added_key]
            return rule.count > 0
        self._used[key] = self._used.get(key, 0) + 1
        return self._used[key] <= rule.count
