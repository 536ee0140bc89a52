# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One JSON API behind a bearer token: what Dataverse, Graph and the admin API have in common.

This file is private to the collection.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator, Mapping

from ._error_catalogue import explain
from ._errors import ServiceRefused, TaskError
from ._http import Answer, Call, Http, Verdict, judge
from ._identity import Identity
from ._odata import Row, pages
from ._plan import Write


class Api:
    """Sends requests below ``root`` with a token for ``audience``, and turns refusals into errors."""

    service = ""
    title = ""

    read_only = False
    """Set in check mode: a last guard behind the plan, so that nothing can be written by mistake."""

    def __init__(self, root: str, audience: str, identity: Identity, http: Http) -> None:
        """``root`` is the URL that every path is appended to, without a trailing slash."""
        self.root = root
        self.audience = audience
        self._identity = identity
        self._http = http
        self._token = ""

    def headers(self) -> dict[str, str]:
        """What the service wants with every request."""
        return {"Accept": "application/json"}

    def verdict(self, answer: Answer) -> Verdict:
        """Whether an answer is worth sending again."""
        return judge(answer)

    def get(self, path: str, *, doing: str, headers: Mapping[str, str] | None = None) -> Row:
        """Read one document."""
        return self.send("GET", path, doing=doing, headers=headers).json()

    def find(self, path: str, *, doing: str, headers: Mapping[str, str] | None = None) -> Row | None:
        """Read one document, or None where there is none."""
        try:
            return self.get(path, doing=doing, headers=headers)
        except ServiceRefused as error:
            if error.status == 404:
                return None
            raise

    def rows(self, path: str, *, doing: str, headers: Mapping[str, str] | None = None) -> Iterator[Row]:
        """Read a collection, page by page."""
        return pages(lambda url: self.get(url, doing=doing, headers=headers), path)

    def send(
        self,
        method: str,
        path: str,
        body: t.Any = None,
        *,
        doing: str,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> Answer:
        """Send one request; raises ``ServiceRefused`` for any answer that is not a success."""
        if self.read_only and method != "GET":
            raise AssertionError(f"check mode must not send {method} {path}")
        url = path if path.startswith("https://") else f"{self.root}/{path}"
        content = None if body is None else json.dumps(body).encode()
        wanted = {**self.headers(), **({"Content-Type": "application/json"} if body is not None else {}), **(headers or {})}
        try:
            answer = self._authorized(Call(method, url, wanted, content, repeatable))
        except TaskError as error:
            error.doing = error.doing or doing
            error.service = error.service or self.service
            raise
        if answer.status >= 300:
            raise self.refusal(answer, doing)
        return answer

    def write(self, write: Write, path: str) -> str:
        """Send one write of a plan; returns the id of what it created, or ``""``."""
        body = write.body() if callable(write.body) else write.body
        answer = self.send(write.method, path, body, doing=write.summary, repeatable=write.repeatable)
        return write.id_from(answer.json()) if write.id_from else self.created_id(answer)

    def created_id(self, answer: Answer) -> str:
        """The id of what a write created."""
        return str(answer.json().get("id", ""))

    def token_claims(self) -> dict[str, t.Any]:
        """What the access token says of the caller; only for advice."""
        return self._identity.token(self.audience).claims()

    def _authorized(self, call: Call) -> Answer:
        self._token = self._token or self._identity.token(self.audience).value
        for last in (False, True):
            headers = {**call.headers, "Authorization": f"Bearer {self._token}"}
            answer = self._http.send(Call(call.method, call.url, headers, call.body, call.repeatable), self.verdict)
            if answer.status != 401 or last:
                break
            self._token = self._identity.token(self.audience, refused=self._token).value
        return answer

    def refusal(self, answer: Answer, doing: str) -> ServiceRefused:
        """The error that an answer tells of."""
        code, message = read_error(answer)
        known = explain(self.service, code, message)
        if known is None and not message:
            why = f"{self.title} answered HTTP {answer.status} without an explanation."
        elif known is None:
            why = f"{self.title} refused: {message.rstrip('.')}."
        else:
            why = known.meaning
        return ServiceRefused(
            doing=doing,
            why=why,
            next_step=known.next_step if known else _by_status(answer.status),
            service=self.service,
            code=code,
            status=answer.status,
            request_id=answer.request_id,
            catalogue=known.name if known else "",
            retryable=answer.status in (429, 500, 502, 503, 504),
            message=message,
        )


def read_error(answer: Answer) -> tuple[str, str]:
    """The code and the text of an error body, whatever form it has."""
    document = answer.json()
    error = document.get("error")
    if isinstance(error, dict):
        return str(error.get("code") or ""), str(error.get("message") or "")
    if "errorCode" in document:  # Graph's privileged identity management has its own form
        return str(document["errorCode"] or ""), str(document.get("message") or "")
    if not document and answer.body[:1] not in (b"", b"<", b"{", b"["):  # a sentence without any form; not a gateway's page
        return "", answer.body[:500].decode("utf-8", "replace").strip()
    return "", error if isinstance(error, str) else ""


def _by_status(status: int) -> str:
    """What can be said without knowing the error."""
    if status == 401:
        return "Check that the URL belongs to this tenant and that the chosen cloud is right."
    if status == 403:
        return "Give the automation's identity the permission that the module's documentation names."
    if status in (429, 500, 502, 503, 504):
        return "The service is busy or down. Run again later; what is done already stays done."
    return ""
