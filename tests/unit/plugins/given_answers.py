# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services whose answers are given beforehand, below the real clients: what a reader makes of an answer, without a wire."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from ansible_collections.leadops.dynamics365.plugins.module_utils._api import Api
from ansible_collections.leadops.dynamics365.plugins.module_utils._clouds import CLOUDS
from ansible_collections.leadops.dynamics365.plugins.module_utils._dataverse import Dataverse
from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import ServiceRefused
from ansible_collections.leadops.dynamics365.plugins.module_utils._graph import Graph
from ansible_collections.leadops.dynamics365.plugins.module_utils._http import Answer, Call, Http, Verdict, judge
from ansible_collections.leadops.dynamics365.plugins.module_utils._identity import Identity, Token
from ansible_collections.leadops.dynamics365.plugins.module_utils._power_platform import PowerPlatform

REQUEST_ID = "5d1f0c3e-0b7a-4c57-9d52-3e8f1a2b4c6d"
SERVICES = ("dataverse", "graph", "power_platform")
_CLOUD = next(iter(CLOUDS.values()))


class _Nobody(Identity):
    """Has a token without asking anybody."""

    def __init__(self) -> None:
        pass

    def token(self, audience: str, *, refused: str | None = None) -> Token:
        del audience, refused
        return Token("made-up.token.value", 2e9)


@dataclass
class Given(Http):
    """Answers every call with the same bytes, or with what a function makes of the call; keeps what was asked."""

    answer: bytes | Callable[[Call], bytes]
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"x-ms-service-request-id": REQUEST_ID})
    asked: list[Call] = field(default_factory=list)

    def send(self, call: Call, verdict: Callable[[Answer], Verdict] = judge) -> Answer:
        del verdict
        self.asked.append(call)
        return Answer(self.status, self.headers, self.answer(call) if callable(self.answer) else self.answer, "sent")

    def columns(self) -> dict[str, set[str]]:
        """What was selected, by the set or table that was asked."""
        found: dict[str, set[str]] = {}
        for call in self.asked:
            parts = urlsplit(call.url)
            selected = parse_qs(parts.query).get("$select", [""])[0]
            name = parts.path.split("/v9.2/")[-1].split("/v1.0/")[-1].split("(")[0]
            found.setdefault(name, set()).update(filter(None, selected.split(",")))
        return found


def as_bytes(document: t.Any) -> bytes:
    """A document as a service would send it; bytes as they are."""
    return document if isinstance(document, bytes) else json.dumps(document).encode()


def dataverse(answer: t.Any, **given: t.Any) -> Dataverse:
    """An organisation that answers so."""
    return Dataverse("https://contoso.crm4.dynamics.com", _Nobody(), Given(answer if callable(answer) else as_bytes(answer), **given))


def graph(answer: t.Any, **given: t.Any) -> Graph:
    """A directory that answers so."""
    return Graph(_CLOUD, _Nobody(), Given(answer if callable(answer) else as_bytes(answer), **given))


def power_platform(answer: t.Any, **given: t.Any) -> PowerPlatform:
    """An admin API that answers so."""
    return PowerPlatform(_CLOUD, _Nobody(), Given(answer if callable(answer) else as_bytes(answer), **given))


def service(name: str, answer: t.Any, **given: t.Any) -> Api:
    """One of ``SERVICES``."""
    makers: dict[str, Callable[..., Api]] = {"dataverse": dataverse, "graph": graph, "power_platform": power_platform}
    return makers[name](answer, **given)


def refusal_of(name: str, status: int, body: t.Any, **headers: str) -> tuple[ServiceRefused, Verdict]:
    """What a service's client makes of an error, and whether it would send the request again."""
    client = service(name, b"")
    given = {"x-ms-service-request-id": REQUEST_ID} if not headers else {key.replace("_", "-"): value for key, value in headers.items() if value}
    answer = Answer(status, given, as_bytes(body), "sent")
    return client.refusal(answer, "do something"), client.verdict(answer)
