# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Graph call: who asks what of which tenant, and how an answer to it is written."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from ..odata import Query, parse_query
from ..store import Collection, Document
from ..wire import Request, Response
from ..world import Caller, Tenant, World
from .errors import bad_request

_JSON_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
_DIAGNOSTIC = {"ServerInfo": {"DataCenter": "Emulator", "Slice": "E", "Ring": "4", "ScaleUnit": "003", "RoleInstance": "EM00000001"}}
_NOT_JSON = "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."
_KEY_FORM = re.compile(r"^([A-Za-z]+)\((.*)\)$")
_QUOTED = re.compile(r"^'(.*)'$", re.DOTALL)
_NAMED_KEY = re.compile(r"^([A-Za-z]+)='(.*)'$", re.DOTALL)
_DIRECTORY_SETS = frozenset({"users", "groups", "applications", "servicePrincipals", "directoryRoles"})


@dataclass(frozen=True)
class Call:
    """A request with its caller and tenant; handlers take this and the path's parameters."""

    world: World
    tenant: Tenant
    caller: Caller
    request: Request

    def collection(self, kind: str) -> Collection:
        """Documents of one kind in the caller's tenant."""
        return self.tenant.collection(kind)

    @property
    def root(self) -> str:
        """Where links and contexts start."""
        return f"{self.request.base_url}/v1.0"

    @cached_property
    def query(self) -> Query:
        """The query options."""
        query = parse_query(self.request.query, dollar_optional=True)
        for name in query.others:
            if name.startswith("$") and name not in ("$search", "$format"):
                raise bad_request(f"The query parameter '{name}' is not supported.", "BadRequest")
        return query

    @property
    def eventual(self) -> bool:
        """Whether the caller accepts answers from the advanced query index."""
        return self.request.headers.get("consistencylevel", "").lower() == "eventual"

    @property
    def advanced(self) -> bool:
        """Whether advanced query options may be used."""
        return self.eventual and self.query.count

    def body(self) -> Document:
        """The JSON object in the body; 400 when there is none."""
        if not self.request.body:
            raise bad_request("Empty Payload. JSON content expected.", "BadRequest")
        content_type = self.request.headers.get("content-type", "")
        if "json" not in content_type.lower():
            raise bad_request("Write requests (excluding DELETE) must contain the Content-Type header declaration.", "RequestBodyRead")
        return self.optional_body()

    def optional_body(self) -> Document:
        """The JSON object in the body, or an empty one."""
        if not self.request.body.strip():
            return {}
        try:
            document = self.request.json()
        except ValueError:
            raise bad_request(_NOT_JSON, "BadRequest") from None
        if not isinstance(document, dict):
            raise bad_request(_NOT_JSON, "BadRequest")
        return document

    def time(self) -> str:
        """Now, as Graph writes a time."""
        return timestamp(self.world.now())

    def seconds(self, name: str) -> float:
        """How long something takes in this tenant."""
        return float(self.tenant.timing.get(name, 0.0))

    def switch(self, name: str, default: Any = None) -> Any:
        """One of the tenant's behaviour switches."""
        return self.tenant.behaviour.get(name, default)


def timestamp(seconds: float) -> str:
    """Seconds since the epoch as Graph writes a time."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def standard_headers(request: Request, resource_units: int = 1) -> dict[str, str]:
    """What every answer carries."""
    return {
        "cache-control": "no-cache",
        "request-id": request.request_id,
        "client-request-id": request.headers.get("client-request-id", request.request_id),
        "x-ms-ags-diagnostic": json.dumps(_DIAGNOSTIC, separators=(",", ":")),
        "x-ms-resource-unit": str(resource_units),
        "strict-transport-security": "max-age=31536000",
        "vary": "Accept-Encoding",
    }


def answer(status: int, document: Any, **headers: str) -> Response:
    """A JSON answer; the common headers are added at the top."""
    response = Response.of_json(status, document, _JSON_TYPE, **headers)
    response.headers["odata-version"] = "4.0"
    return response


def no_content() -> Response:
    """204."""
    return Response(204)


def segments(request: Request) -> list[str]:
    """The path below the version, decoded, with key forms (``users('x')``) written as two segments."""
    found: list[str] = []
    for raw in request.raw_path.split("/")[2:]:
        if not raw:
            continue
        text = unquote(raw)
        match = _KEY_FORM.match(text)
        if match and match[1] in _DIRECTORY_SETS:
            found += [match[1], _key(match[2])]
            continue
        if found and found[-1] == "users" and text.startswith("$") and text != "$count":
            raise bad_request(f"Resource not found for the segment '{text}'.", "BadRequest")
        # ``graph`` is the published alias of the namespace, which the generated clients write.
        found.append(f"microsoft.{text}" if text.startswith("graph.") else text)
    return found


def _key(text: str) -> str:
    quoted = _QUOTED.match(text)
    if quoted:
        return quoted[1].replace("''", "'")
    named = _NAMED_KEY.match(text)
    if named:
        return f"{named[1]}={named[2].replace(chr(39) * 2, chr(39))}"
    raise bad_request("The key segment is not valid: a string key must be enclosed in single quotes.", "BadRequest")
