# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service protection: how much one user may ask of one web server in a sliding window."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from ..wire import Request, ServiceError
from ..world import World
from .errors import fault
from .organization import Organization

COOKIE = "ARRAffinity"


@dataclass(frozen=True)
class Limits:
    """The limits of an organisation; ``behaviour.limits`` replaces any of them."""

    requests: int = 6000
    execution_ms: int = 1_200_000
    concurrency: int = 52
    window: float = 300.0
    servers: int = 1


@dataclass
class _Meter:
    """What one user has used up on one server: moments and milliseconds of the requests in the window."""

    used: deque[tuple[float, float]] = field(default_factory=deque)
    spent: float = 0.0
    refused: int = 0

    def forget(self, before: float) -> None:
        while self.used and self.used[0][0] <= before:
            self.spent -= self.used.popleft()[1]


# Kept outside the store on purpose: a restarted web server does not remember either, and every request would be a write.
_METERS: WeakKeyDictionary[World, dict[tuple[str, str, int], _Meter]] = WeakKeyDictionary()


def limits_of(org: Organization) -> Limits:
    """Read the limits that hold for an organisation."""
    return Limits(**org.switch("limits", {}))


def server_of(org: Organization, request: Request) -> int:
    """Choose the web server: the one of the affinity cookie, or any."""
    servers = limits_of(org).servers
    for cookie in request.headers.get("cookie", "").split(";"):
        name, _unused, value = cookie.strip().partition("=")
        if name == COOKIE and value.isdigit() and int(value) < servers:
            return int(value)
    return org.world.random.randrange(servers) if servers > 1 else 0


@dataclass(frozen=True)
class Allowance:
    """What is left after a request."""

    requests: int
    execution_ms: float


@contextmanager
def measured(org: Organization, user_id: str, server: int, request: Request) -> Iterator[Allowance]:
    """Refuse a request beyond a limit, and count what an accepted one costs."""
    limits = limits_of(org)
    meter = _METERS.setdefault(org.world, {}).setdefault((org.id, user_id, server), _Meter())
    now = org.world.now()
    meter.forget(now - limits.window)
    refusal = _refusal(limits, meter, now, request)
    if refusal is not None:
        meter.refused += 1
        raise refusal
    meter.refused = 0
    started = time.perf_counter()
    try:
        yield Allowance(limits.requests - len(meter.used) - 1, max(0.0, limits.execution_ms - meter.spent) / 1000)
    finally:
        cost = float(org.switch("request_cost_ms", 0)) or (time.perf_counter() - started) * 1000
        meter.used.append((now, cost))
        meter.spent += cost


def _refusal(limits: Limits, meter: _Meter, now: float, request: Request) -> ServiceError | None:
    # The emulator answers one request at a time; the server in front may say how many are under way.
    in_flight = request.headers.get("x-emulator-in-flight", "1")
    if in_flight.isdigit() and int(in_flight) > limits.concurrency:
        return fault(429, "0x80072326", f"Number of concurrent requests exceeded the limit of {limits.concurrency}.", retry_after="1")
    window = f"{limits.window:g} seconds"
    if len(meter.used) >= limits.requests:
        text = f"Number of requests exceeded the limit of {limits.requests} over time window of {window}."
        return fault(429, "0x80072322", text, retry_after=_wait(limits, meter, now))
    if meter.spent >= limits.execution_ms:
        text = f"Combined execution time of incoming requests exceeded limit of {limits.execution_ms:,} milliseconds over time window of {window}."
        hint = "Decrease number of concurrent requests or reduce the duration of requests and try again later."
        return fault(429, "0x80072321", f"{text} {hint}", retry_after=_wait(limits, meter, now))
    return None


def _wait(limits: Limits, meter: _Meter, now: float) -> str:
    """Tell when the oldest request leaves the window; who keeps asking is told to wait longer."""
    return str(math.ceil(meter.used[0][0] + limits.window - now) + meter.refused)
