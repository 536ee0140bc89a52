# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of every request, for tests that assert on what was sent and what was not."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from .wire import Json, Request
from .world import Caller, Tenant, TokenProblem, World

_READS = ("GET", "HEAD", "OPTIONS")
# Graph's reads that are sent as POST.
_READING_ACTIONS = re.compile(r"/(getMember(Objects|Groups)|checkMember(Objects|Groups)|getByIds|getAvailableExtensionProperties|validateProperties)\b")
_BATCH_LINE = re.compile(rb"^(GET|POST|PATCH|PUT|DELETE) (\S+) HTTP/1\.[01]\r?$", re.MULTILINE)


class RequestLog:
    """Numbered records; kept with the rest of the state."""

    def __init__(self, world: World) -> None:
        self._records = world.store.collection("", "requests")
        self._last = max(map(int, self._records), default=0)

    def add(self, record: Json) -> None:
        """Append a record and give it its number."""
        self._last += 1
        self._records[str(self._last)] = {"seq": self._last, **record}

    def clear(self) -> None:
        """Forget the records; the numbers go on."""
        for key in self._records:
            del self._records[key]

    def select(self, *, tenant: str = "", service: str = "", writes: bool = False, since: int = 0) -> list[Json]:
        """The records after number ``since`` that fit."""
        return [
            record
            for record in self._records.values()
            if record["seq"] > since and tenant in ("", record["tenant"]) and service in ("", record["service"]) and (not writes or _is_write(record))
        ]


def describe(request: Request, service: str, tenant: Tenant | None, caller: Caller | TokenProblem | None) -> Json:
    """What is recorded about a request before it is answered: nothing that could hold a secret."""
    record: Json = {
        "tenant": tenant.name if tenant else "",
        "service": service,
        "method": request.method,
        "path": request.raw_path + (f"?{request.query}" if request.query else ""),
        "request_id": request.request_id,
        "caller": _shown_caller(request, service, caller),
    }
    if service != "entra" and request.method not in _READS:
        if request.path.endswith("/$batch"):
            record["parts"] = _batch_parts(request)
        else:
            record["keys"] = _top_level_keys(request)
    return record


def _is_write(record: Json) -> bool:
    if record["service"] in ("entra", "managed_identity", "proxy") or record["method"] in _READS:
        return False
    if "parts" in record:
        return any(_changes(part["method"], part["path"]) for part in record["parts"])
    return _changes(record["method"], record["path"])


def _changes(method: str, path: str) -> bool:
    return method not in _READS and not _READING_ACTIONS.search(path)


def _shown_caller(request: Request, service: str, caller: Caller | TokenProblem | None) -> Json:
    if isinstance(caller, Caller):
        return {"kind": caller.kind, "app_id": caller.app_id, "object_id": caller.object_id}
    if isinstance(caller, TokenProblem):
        return {"kind": "unknown", "reason": caller.reason}
    if service == "entra" and request.method == "POST":
        form = dict(parse_qsl(request.body.decode(errors="replace")))
        return {"kind": "client", "app_id": form.get("client_id", ""), "grant_type": form.get("grant_type", "")}
    return {"kind": "none"}


def _top_level_keys(request: Request) -> list[str]:
    try:
        body = request.json() if request.body else None
    except ValueError:
        return []
    return sorted(body) if isinstance(body, dict) else []


def _batch_parts(request: Request) -> list[Json]:
    if "json" in request.headers.get("content-type", ""):
        try:
            parts: list[dict[str, Any]] = request.json()["requests"]
            return [{"method": str(part["method"]).upper(), "path": str(part["url"])} for part in parts]
        except (ValueError, LookupError, TypeError):
            return []
    return [{"method": method.decode(), "path": path.decode(errors="replace")} for method, path in _BATCH_LINE.findall(request.body)]
