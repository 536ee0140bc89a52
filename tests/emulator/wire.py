# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What passes between the server and the services: one request in, one response out.

A service is a plain callable ``handle(request) -> Response``. It may raise ``ServiceError`` from
any depth; the server sends the response that the error carries.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One HTTP request, as the service behind the server's routing sees it."""

    method: str
    path: str
    """Below the service's root, percent-decoded, starting with a slash."""
    raw_path: str
    """The same part of the URL as it was sent, still percent-encoded."""
    query: str
    """The raw query string, without the question mark."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    base_url: str
    """The service's root as this client addressed it, without a trailing slash: the start of every link in an answer."""
    request_id: str
    """The id that the server gives this request; services repeat it in headers and error bodies."""

    def json(self) -> Any:
        """The body as JSON; raises ValueError when it is not."""
        return json.loads(self.body.decode("utf-8-sig"))


@dataclass
class Response:
    """One HTTP answer."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, status: int, document: Any, content_type: str = "application/json", **headers: str) -> Response:
        """An answer with a JSON body; underscores in header keywords become hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, json.dumps(document).encode(), {"content-type": content_type, **named})


class ServiceError(Exception):
    """A refusal, complete with the response that the real service would send."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"HTTP {response.status}")
        self.response = response


Handler = Callable[[Request], Response]


def not_emulated(service: str, request: Request, what: str = "") -> ServiceError:
    """A loud refusal of something the emulator does not play, so that no test passes by accident."""
    subject = what or f"{request.method} {request.path}"
    return ServiceError(Response.of_json(501, {"error": {"code": "NotEmulated", "message": f"{service}: {subject} is not emulated"}}))
