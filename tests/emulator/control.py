# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's own API: request log, reset, faults, tenants, documents, time."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs

from .entra.assertions import EXCHANGE_AUDIENCE, TEST_ISSUER, mint_federated_token
from .faults import BadFaultError, Faults, parse_rule
from .keys import KeyRing
from .request_log import RequestLog
from .wire import Json, Request, Response
from .world import Tenant, World

_CHANGEABLE = ("features", "timing", "behaviour")


class Control:
    """Answers ``/control/…``; trusts whoever can reach it."""

    def __init__(self, world: World, keys: KeyRing, faults: Faults, log: RequestLog, *, reset: Callable[[], None], describe: Callable[[Tenant], Json]) -> None:
        self._world = world
        self._keys = keys
        self._faults = faults
        self._log = log
        self._reset = reset
        self._describe = describe

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        try:
            response = self._dispatch(request, request.path.strip("/").split("/"))
        except _RefusedError as refusal:
            response = Response.of_json(refusal.status, {"error": str(refusal)})
        except (BadFaultError, KeyError, TypeError, ValueError) as error:
            response = Response.of_json(400, {"error": f"{type(error).__name__}: {error}"})
        self._world.store.commit()
        return response

    def _dispatch(self, request: Request, path: list[str]) -> Response:
        match (request.method, *path):
            case ("GET", "requests"):
                return self._requests(request)
            case ("DELETE", "requests"):
                self._log.clear()
            case ("POST", "reset"):
                self._reset()
            case ("GET", "faults"):
                return Response.of_json(200, {"value": self._faults.shown()})
            case ("POST", "faults"):
                body = request.json()
                rules = [parse_rule(one) for one in (body if isinstance(body, list) else [body])]
                return Response.of_json(201, {"ids": [self._faults.add(rule) for rule in rules]})
            case ("DELETE", "faults"):
                self._faults.remove()
            case ("DELETE", "faults", key):
                self._faults.remove(key)
            case ("GET", "time"):
                return Response.of_json(200, {"now": self._world.now(), "offset": self._world.clock_offset})
            case ("POST", "time"):
                self._world.advance(float(request.json()["advance"]))
                return Response.of_json(200, {"now": self._world.now(), "offset": self._world.clock_offset})
            case ("GET", "tenants"):
                return Response.of_json(200, {"value": [self._describe(tenant) for tenant in self._world.tenants()]})
            case (method, "tenants", name, *rest):
                return self._of_tenant(request, method, self._tenant(name), rest)
            case _unused:
                raise _RefusedError(404, f"The control API has no {request.method} {request.path}.")
        return Response(204)

    def _of_tenant(self, request: Request, method: str, tenant: Tenant, rest: list[str]) -> Response:
        match (method, *rest):
            case ("GET",):
                return Response.of_json(200, tenant.document)
            case ("PATCH",):
                self._change(tenant, request.json())
                return Response.of_json(200, tenant.document)
            case ("POST", "federated_token"):
                return Response.of_json(200, {"token": self._federated_token(tenant, request.json() if request.body else {})})
            case ("GET", kind):
                return Response.of_json(200, {"value": list(tenant.collection(kind).values())})
            case ("GET", kind, key):
                if key not in tenant.collection(kind):
                    raise _RefusedError(404, f"{tenant.name} has no {kind} {key}.")
                return Response.of_json(200, tenant.collection(kind)[key])
            case ("POST" | "PUT", "documents", kind, key):
                tenant.collection(kind)[key] = dict(request.json())
            case ("PATCH", "documents", kind, key):
                tenant.collection(kind).change(key, **request.json())
            case ("DELETE", "documents", kind, key):
                del tenant.collection(kind)[key]
            case _unused:
                raise _RefusedError(404, f"The control API has no {request.method} {request.path}.")
        return Response(204)

    def _requests(self, request: Request) -> Response:
        query = {name: values[-1] for name, values in parse_qs(request.query).items()}
        unknown = set(query) - {"tenant", "service", "writes", "since"}
        if unknown:
            raise _RefusedError(400, f"Requests cannot be selected by {', '.join(sorted(unknown))}.")
        writes = query.get("writes", "0") not in ("0", "false")
        found = self._log.select(tenant=query.get("tenant", ""), service=query.get("service", ""), writes=writes, since=int(query.get("since", "0")))
        return Response.of_json(200, {"value": found})

    def _change(self, tenant: Tenant, changes: Json) -> None:
        merged = {name: {**tenant.document[name], **value} if name in _CHANGEABLE else value for name, value in changes.items()}
        unknown = set(merged) - set(tenant.document) - {"faults"}
        if unknown:
            raise _RefusedError(400, f"A tenant has no {', '.join(sorted(unknown))}.")
        tenant.change(**merged)

    def _federated_token(self, tenant: Tenant, options: Json) -> str:
        return mint_federated_token(
            self._keys,
            str(options.get("subject", tenant.document["federated_subject"])),
            issuer=str(options.get("issuer", TEST_ISSUER)),
            audience=str(options.get("audience", EXCHANGE_AUDIENCE)),
            lifetime=float(options.get("lifetime", 3600)),
        )

    def _tenant(self, name: str) -> Tenant:
        tenant = self._world.tenant(name)
        if tenant is None:
            raise _RefusedError(404, f"There is no tenant {name}.")
        return tenant


class _RefusedError(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
