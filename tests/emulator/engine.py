# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request from its arrival to its answer, without the network: routing, sign-in, faults, the service, the log."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from . import dataverse, entra, fault_answers, graph, partner_center, power_platform
from .entra import managed_identity, tokens
from .faults import Faults, Hit
from .keys import KeyRing
from .request_log import RequestLog, describe
from .routing import Route
from .wire import Json, Request, Response, ServiceError
from .world import Caller, Tenant, TokenProblem, World


class _Service(Protocol):
    def handle(self, world: World, tenant: Tenant, caller: Caller, request: Request, /) -> Response: ...

    def unauthorized(self, world: World, tenant: Tenant | None, problem: TokenProblem, request: Request, /) -> Response: ...


_SERVICES: Mapping[str, _Service] = {
    "dataverse": dataverse,
    "graph": graph,
    "power_platform": power_platform,
    "partner_center": partner_center,
}
# Faults that leave the request itself alone, and spoil only its way there or back.
_HARMLESS = ("slow", "drop-after", "gateway-after", "hang-before", "hang-after")


@dataclass(frozen=True)
class Arrival:
    """A request whose sender and tenant are known."""

    route: Route
    request: Request
    tenant: Tenant | None
    caller: Caller | TokenProblem | None
    hit: Hit | None
    started: float


class Engine:
    """The services behind the server."""

    def __init__(self, world: World, keys: KeyRing, faults: Faults, log: RequestLog) -> None:
        self.world = world
        self.keys = keys
        self.faults = faults
        self.log = log

    def arrive(self, route: Route, request: Request) -> Arrival:
        """Find out whose request it is and whether a fault hits it."""
        tenant, caller = self._identify(route, request)
        path = request.raw_path + (f"?{request.query}" if request.query else "")
        hit = self.faults.decide(tenant, route.target, request.method, path)
        return Arrival(route, request, tenant, caller, hit, time.monotonic())

    def answer(self, arrival: Arrival) -> Response:
        """Let the fault or the service answer, record it, and make the effects last."""
        before = self.world.store.changes
        response = self._faulty_answer(arrival)
        if response is None:
            response = self._service_answer(arrival)
            if arrival.hit is not None and arrival.hit.rule.kind == "gateway-after":
                response = fault_answers.answer(arrival.hit, arrival.route.target, arrival.request, self.world.now())
        self._record(arrival, response.status, effect=self.world.store.changes > before)
        return response

    def drop(self, arrival: Arrival) -> None:
        """Record a request whose connection is cut before it had any effect."""
        self._record(arrival, None, effect=False)

    def _identify(self, route: Route, request: Request) -> tuple[Tenant | None, Caller | TokenProblem | None]:
        if route.target == "entra":
            segment = request.path.lstrip("/").partition("/")[0]
            return self.world.tenant(segment), None
        if route.target == "control" or route.target == "managed_identity":  # noqa: PLR1714 (mypy narrows only this way)
            return None, None
        owner = self._organization_owner(route) if route.target == "dataverse" else None
        if route.target == "dataverse" and owner is None:
            return None, None
        caller = tokens.authenticate(self.world, self.keys, request.headers.get("authorization", ""), route.target, owner)
        if isinstance(caller, Caller):
            return owner or self.world.tenant(caller.tenant_id), caller
        return owner, caller

    def _organization_owner(self, route: Route) -> Tenant | None:
        owner = self.world.tenant_of_org(route.org_name)
        if owner is None or route.org_suffix not in ("", owner.document["region"]):
            return None
        return owner

    def _faulty_answer(self, arrival: Arrival) -> Response | None:
        hit, target = arrival.hit, arrival.route.target
        if hit is None or hit.rule.kind in _HARMLESS:
            return None
        if hit.rule.kind != "expire-token":
            return fault_answers.answer(hit, target, arrival.request, self.world.now())
        if not isinstance(arrival.caller, Caller):
            return None
        tokens.revoke(self.world, self.keys, arrival.request.headers["authorization"])
        return _SERVICES[target].unauthorized(self.world, arrival.tenant, TokenProblem("expired"), arrival.request)

    def _service_answer(self, arrival: Arrival) -> Response:
        try:
            # A refusal that a service raises, and a defect, undo what the request had changed until then.
            with self.world.store.atomic():
                return self._dispatch(arrival)
        except ServiceError as error:
            if error.response.status == 501:
                _say(f"not emulated: {arrival.route.target} {arrival.request.method} {arrival.request.raw_path}")
            return error.response
        except Exception:  # noqa: BLE001 (a defect in a service must not end the emulator)
            _say(f"defect at {arrival.route.target} {arrival.request.method} {arrival.request.raw_path}\n{traceback.format_exc()}")
            return Response.of_json(500, {"error": {"code": "EmulatorDefect", "message": "The emulator failed; its standard error has the traceback."}})

    def _dispatch(self, arrival: Arrival) -> Response:
        target, request = arrival.route.target, arrival.request
        if target == "entra":
            return entra.handle(self.world, self.keys, request)
        if target == "managed_identity":
            return managed_identity.handle(self.world, self.keys, request)
        if arrival.caller is None:
            return Response(404, b"There is no such organization.", {"content-type": "text/plain"})
        service = _SERVICES[target]
        if isinstance(arrival.caller, TokenProblem):
            return service.unauthorized(self.world, arrival.tenant, arrival.caller, request)
        if arrival.tenant is None:
            raise RuntimeError("A caller without a tenant.")
        return service.handle(self.world, arrival.tenant, arrival.caller, request)

    def _record(self, arrival: Arrival, status: int | None, *, effect: bool) -> None:
        now = self.world.now()
        record: Json = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
            **describe(arrival.request, arrival.route.target, arrival.tenant, arrival.caller),
            "status": status,
            "fault": arrival.hit.rule.kind if arrival.hit else None,
            "duration_ms": round((time.monotonic() - arrival.started) * 1000, 1),
            "effect": effect and arrival.request.method not in ("GET", "HEAD"),
        }
        self.log.add(record)
        self.world.store.commit()


def _say(text: str) -> None:
    sys.stderr.write(f"emulator: {text}\n")
    sys.stderr.flush()
