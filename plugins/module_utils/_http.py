# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talk HTTPS: one session, TLS, retries, throttling, deadlines, request ids. Knows nothing of any service.

The retry rule, for every call of the collection:

* 429 says that nothing was done: any request is sent again after ``Retry-After`` (seconds, perhaps with a
  fraction, or a date), or after an exponential pause.
* 408, 500, 502, 503, 504 and a broken connection may hide a success: a request is sent again only if repeating
  it does no harm (``repeatable``); otherwise ``OutcomeUnknown`` is raised and the caller looks.
* A pause that would pass the deadline is not begun: the error is raised instead.

This file is private to the collection.
"""

from __future__ import annotations

import random
import ssl
import time
import traceback
import typing as t
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from functools import lru_cache

from ._error_bodies import read_json
from ._errors import NotReachable, OutcomeUnknown

try:
    import requests
    from requests.adapters import HTTPAdapter
    from requests.utils import get_environ_proxies

    REQUESTS_ERROR: str | None = None
except ImportError:  # _task tells the user; until then the names only have to exist
    HTTPAdapter = object  # type: ignore[assignment,misc]
    REQUESTS_ERROR = traceback.format_exc()


_REQUEST_IDS = ("x-ms-service-request-id", "request-id", "x-ms-request-id", "req_id", "x-ms-correlation-request-id", "x-ms-correlation-id", "ms-requestid")


class Verdict(Enum):
    """What an answer means for sending again."""

    FINAL = "act on it"
    REJECTED = "nothing was done: send again"
    UNSURE = "it may have been done: send again only what does no harm twice"


class Clock:
    """The passing of time; tests put their own in its place."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)


class Streamed(t.Protocol):
    """A body that is made while it is sent; each iteration gives it from its start, so it can be sent again."""

    def __len__(self) -> int: ...

    def __iter__(self) -> t.Iterator[bytes]: ...


@dataclass(frozen=True)
class Call:
    """One request to send."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Streamed | None = field(default=None, repr=False)
    repeatable: bool = True
    """Sending it twice does no harm."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    sent_id: str = ""
    """The id that the request itself had."""

    def json(self) -> dict[str, t.Any]:
        """The body if it is a JSON object, else an empty one: gateways answer HTML or nothing."""
        document = read_json(self.body) if self.body else {}
        return document if isinstance(document, dict) else {}

    @property
    def request_id(self) -> str:
        """The id under which the service knows this request."""
        return next((self.headers[name] for name in _REQUEST_IDS if self.headers.get(name)), "")


def judge(answer: Answer) -> Verdict:
    """The verdict by the status alone; services know more (see ``_dataverse`` and ``_graph``)."""
    if answer.status == 429:
        return Verdict.REJECTED
    if answer.status in (408, 500, 502, 503, 504):
        return Verdict.UNSURE
    return Verdict.FINAL


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait according to the service, or None if it does not say."""
    value = headers.get("retry-after")
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.fromtimestamp(now, UTC)).total_seconds())


def pause(attempt: int, said: float | None, jitter: float) -> float:
    """Seconds before attempt number ``attempt + 1``; ``jitter`` is a random number from 0 to 1."""
    if said is not None:
        return said
    return float(min(60.0, 2.0**attempt) * (0.5 + jitter / 2))


@lru_cache(maxsize=8)
def tls_context(ca_path: str | None, *, validate: bool) -> ssl.SSLContext:
    """A context that workers inherit: parsing a CA bundle costs more than ten handshakes."""
    if not validate:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    return ssl.create_default_context(cafile=ca_path)


class _SharedContextAdapter(HTTPAdapter):
    """An adapter that uses the given context, whatever ``verify`` or the environment say."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)

    def proxy_manager_for(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        return super().proxy_manager_for(*args, ssl_context=self._context, **kwargs)

    def cert_verify(self, conn: t.Any, url: str, verify: t.Any, cert: t.Any) -> None:
        """The context holds the CA certificates already."""


def open_session(context: ssl.SSLContext) -> requests.Session:
    """A session that verifies with ``context`` and takes nothing but the proxies from the environment."""
    session = requests.Session()
    session.trust_env = False  # REQUESTS_CA_BUNDLE would beat the context
    session.verify = context.verify_mode is not ssl.CERT_NONE
    session.mount("https://", _SharedContextAdapter(context))
    return session


class Http:
    """Sends calls and retries them by the rule above."""

    def __init__(
        self,
        session: requests.Session,
        *,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        timeout: float = 60,
        retry_timeout: float = 300,
    ) -> None:
        """``timeout``: seconds for one answer; ``retry_timeout``: seconds for one call with all its retries."""
        self._session = session
        self._clock = clock or Clock()
        self._jitter = jitter
        self._timeout = timeout
        self._retry_timeout = retry_timeout

    def send(self, call: Call, verdict: Callable[[Answer], Verdict] = judge) -> Answer:
        """Send until there is an answer to act on, or no time left."""
        deadline = self._clock.now() + self._retry_timeout
        attempt = 0
        while True:
            headers = {"client-request-id": str(uuid.uuid4()), **call.headers}
            problem: Exception | None = None
            answer: Answer | None = None
            try:
                answer = self._once(call, headers)
            except requests.RequestException as error:
                if untrusted(error):
                    raise NotReachable(
                        why=f"the TLS certificate of {_host(call.url)} was not accepted ({_short(error)}).",
                        next_step="Give the CA that signed it in ca_path, or correct the URL.",
                    ) from error
                problem = error
            except ValueError as error:  # requests reads where a redirection leads, although it does not go there
                raise NotReachable(why=f"{_host(call.url)} sends the request on to an address that is none.", next_step="Correct the URL.") from error
            judged = verdict(answer) if answer is not None else Verdict.UNSURE
            if answer is not None and judged is Verdict.FINAL:
                return answer
            said = retry_after(answer.headers, self._clock.now()) if answer is not None else None
            never_sent = isinstance(problem, requests.ConnectTimeout) or _refused(problem)
            if judged is Verdict.UNSURE and not (never_sent or call.repeatable):
                raise OutcomeUnknown(
                    why=f"{_host(call.url)} gave no usable answer ({_what(answer, problem)}), so it is not known whether the request took effect.",
                    next_step="Run again: what is there will be looked at first.",
                    status=answer.status if answer else None,
                    request_id=(answer.request_id if answer else "") or headers["client-request-id"],
                ) from problem
            wait = pause(attempt, said, self._jitter())
            if self._clock.now() + wait > deadline:
                if answer is not None:
                    return answer
                raise NotReachable(
                    why=f"{_host(call.url)} could not be reached ({_what(answer, problem)}); tried {attempt + 1} times in {self._retry_timeout:.0f} seconds.",
                    next_step="Check the URL, the network and the proxy settings of this machine, then run again.",
                    retryable=True,
                ) from problem
            self._clock.sleep(wait)
            attempt += 1

    def _once(self, call: Call, headers: dict[str, str]) -> Answer:
        response = self._session.request(
            call.method,
            call.url,
            headers=headers,
            data=call.body,
            timeout=(10, self._timeout),
            allow_redirects=False,
            proxies=t.cast("t.Any", get_environ_proxies(call.url)),
        )
        return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, response.content, headers["client-request-id"])


def _host(url: str) -> str:
    return url.split("/")[2]


def _short(error: Exception) -> str:
    """The innermost reason, without the object addresses that requests wraps around it."""
    reason: t.Any = error
    while getattr(reason, "args", None) and isinstance(reason.args[-1], Exception):
        reason = reason.args[-1]
    reason = getattr(reason, "reason", reason)
    return str(reason).rsplit(">: ", 1)[-1].strip("()'\"")


def untrusted(error: Exception) -> bool:
    """Whether TLS failed over a certificate. Other failures of TLS are those of a connection; up to Python 3.12 one that is cut is among them."""
    return isinstance(error, requests.exceptions.SSLError) and "certificate" in _short(error).lower()


def _refused(problem: Exception | None) -> bool:
    """The connection was never made, so nothing can have happened."""
    text = str(problem)
    return problem is not None and any(sign in text for sign in ("NewConnectionError", "NameResolutionError", "ProxyError", "Failed to establish"))


def _what(answer: Answer | None, problem: Exception | None) -> str:
    if answer is not None:
        return f"HTTP {answer.status}"
    return _short(problem) if problem is not None else "no answer"
