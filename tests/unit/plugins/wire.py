# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scripted wire: the exact requests that a module must send, in order, with the answers that it gets.

The whole module runs, sign-in included; only the network and the clock are replaced. A request that was not
expected, one that differs, and one that never came are failures.
"""

from __future__ import annotations

import json
import types
import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from urllib.parse import unquote

import requests
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from requests.adapters import BaseAdapter

from ansible_collections.leadops.dynamics365.plugins.module_utils import _connection
from ansible_collections.leadops.dynamics365.plugins.module_utils._http import Clock
from ansible_collections.leadops.dynamics365.plugins.module_utils._identity import MemoryTokenStore
from ansible_collections.leadops.dynamics365.plugins.module_utils._task import perform

TENANT = "11111111-2222-3333-4444-555555555555"
ORGANIZATION = "https://contoso.crm4.dynamics.com"
DATAVERSE = f"{ORGANIZATION}/api/data/v9.2"
GRAPH = "https://graph.microsoft.com/v1.0"
AUTH = {"tenant_id": TENANT, "client_id": "99999999-2222-3333-4444-555555555555", "client_secret": "not-a-real-secret"}

Body = dict[str, t.Any] | None


@dataclass
class Expected:
    """One request and its answer. URLs are compared decoded; a dict body must be equal, a callable must accept it."""

    method: str
    url: str
    status: int = 200
    answer: t.Any = None
    body: Body | Callable[[t.Any], bool] = None
    headers: dict[str, str] = field(default_factory=dict)
    raises: Exception | None = None


class FakeClock(Clock):
    """Time that passes only when someone sleeps."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


class Wire(BaseAdapter):
    """Plays the script. Sign-in requests are answered without being listed."""

    def __init__(self, *script: Expected) -> None:
        super().__init__()
        self.script = list(script)
        self.sign_ins = 0

    def send(self, request: requests.PreparedRequest, **_options: t.Any) -> requests.Response:  # type: ignore[override]
        url = unquote(str(request.url))
        if url.startswith("https://login.microsoftonline.com/"):
            return self._sign_in(request, url)
        assert self.script, f"not expected: {request.method} {url}"
        expected = self.script.pop(0)
        assert f"{request.method} {url}" == f"{expected.method} {unquote(expected.url)}"
        body: t.Any = request.body
        sent = json.loads(body if isinstance(body, (bytes, str)) else b"".join(body)) if body else None
        if callable(expected.body):
            assert expected.body(sent), f"unexpected body of {request.method} {url}: {sent}"
        else:
            assert sent == expected.body, f"unexpected body of {request.method} {url}"
        if expected.raises:
            raise expected.raises
        return _response(request, expected.status, expected.answer, expected.headers)

    def _sign_in(self, request: requests.PreparedRequest, url: str) -> requests.Response:
        base = f"https://login.microsoftonline.com/{TENANT}"
        if request.method == "GET":
            document = {name: f"{base}/oauth2/v2.0/{name}" for name in ("authorization_endpoint", "token_endpoint", "device_authorization_endpoint")}
            return _response(request, 200, {**document, "issuer": f"{base}/v2.0"}, {})
        assert url.startswith(base)
        self.sign_ins += 1
        return _response(request, 200, {"token_type": "Bearer", "expires_in": 3599, "access_token": "made-up.token.value"}, {})

    def close(self) -> None:
        """Nothing is open."""

    def finished(self) -> None:
        """Nothing that was expected is left."""
        assert not self.script, f"never sent: {[f'{step.method} {step.url}' for step in self.script]}"


def _response(request: requests.PreparedRequest, status: int, answer: t.Any, headers: dict[str, str]) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.request = request
    response.url = str(request.url)
    content = b"" if answer is None else answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    response.raw = BytesIO(content)
    response.headers.update({"Content-Type": "application/json", **headers})
    return response


@dataclass
class Run:
    """How a module ended."""

    failed: bool
    result: dict[str, t.Any]
    clock: FakeClock
    wire: Wire
    progress: list[str]


def run(module: types.ModuleType, args: dict[str, t.Any], *script: Expected, check: bool = False, diff: bool = True) -> Run:
    """Run a module on the wire; the connection options are filled in."""
    wire = Wire(*script)
    clock = FakeClock()
    progress: list[str] = []
    given = {"auth": AUTH, **({"url": ORGANIZATION} if "url" in module.SPEC.options else {}), **args}
    validated = ArgumentSpecValidator(module.SPEC.options, **module.SPEC.rules()).validate(given)
    assert not validated.error_messages, validated.error_messages
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", wire)
    original = _connection.open_session
    _connection.open_session = lambda _context: session
    try:
        ended = perform(
            module.reconcile,
            validated.validated_parameters,
            check_mode=check,
            diff_mode=diff,
            store=MemoryTokenStore(),
            clock=clock,
            on_secret=lambda _value: None,
            progress=progress.append,
        )
    finally:
        _connection.open_session = original
    if not ended.failed:
        wire.finished()
    return Run(ended.failed, ended.result, clock, wire, progress)
