# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One JSON API behind a bearer token: what Dataverse, Graph and the admin API have in common.

This file is private to the collection.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator, Mapping

from ._error_bodies import read_body, read_json
from ._error_catalogue import explain
from ._errors import AnswerNotUnderstood, OutcomeUnknown, ServiceRefused, TaskError
from ._http import Answer, Call, Http, Verdict, judge
from ._identity import Identity
from ._json_body import json_body
from ._odata import Row, pages
from ._plan import Write

_LONGEST = 600
"""As much of a service's own text is quoted."""


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

    def may_pass(self, answer: Answer) -> bool:
        """Whether the same request can succeed at another time, as far as the answer tells."""
        return self.verdict(answer) is not Verdict.FINAL

    def get(self, path: str, *, doing: str, headers: Mapping[str, str] | None = None) -> Row:
        """Read one document. What is no document must not pass for an empty one, which would say that nothing is there."""
        answer = self.send("GET", path, doing=doing, headers=headers)
        document = read_json(answer.body)
        if isinstance(document, dict):
            return document
        raise AnswerNotUnderstood(**self._no_document(answer, doing))

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
        try:
            yield from pages(lambda url: self.get(url, doing=doing, headers=headers), path)
        except AnswerNotUnderstood as error:
            error.doing, error.service = error.doing or doing, error.service or self.service
            raise

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
        content = None if body is None else json_body(body)
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
        if answer.body.lstrip()[:1] == b"<":
            raise OutcomeUnknown(**self._no_document(answer, write.summary))
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
        told = read_body(answer.body)
        code, message = told.code, told.message or _challenge(answer)
        known = explain(self.service, code, message)
        if known is not None:
            why = known.meaning
        elif message:
            why = f"{self.title} refused: {_shown(message)}."
        elif told.page:
            why = f"{self.title} answered HTTP {answer.status} with a web page ({told.page}), which comes from a gateway or proxy before it."
        else:
            why = f"{self.title} answered HTTP {answer.status} without an explanation."
        return ServiceRefused(
            doing=doing,
            why=why,
            next_step=known.next_step if known else _by_status(answer, code, self.service),
            service=self.service,
            code=code,
            status=answer.status,
            request_id=answer.request_id or told.request_id or answer.sent_id,
            catalogue=known.name if known else "",
            retryable=self.may_pass(answer),
            message=message,
        )

    def _no_document(self, answer: Answer, doing: str) -> dict[str, t.Any]:
        told = read_body(answer.body)
        what = f"with a web page ({told.page})" if told.page else "with something else than JSON" if answer.body else "with nothing"
        return {
            "doing": doing,
            "why": f"{self.title} was asked, and the answer came {what}. A proxy or gateway on the way may have given it.",
            "next_step": "Check the URL and the proxy settings of this machine, then run again.",
            "service": self.service,
            "status": answer.status,
            "request_id": answer.request_id or answer.sent_id,
        }


def read_error(answer: Answer) -> tuple[str, str]:
    """The code and the text of an error body, whatever form it has."""
    told = read_body(answer.body)
    return told.code, told.message


def _challenge(answer: Answer) -> str:
    """A refused token is often explained in a header only."""
    found = re.search(r'error_description="([^"]+)"', answer.headers.get("www-authenticate", ""))
    return found.group(1) if found else ""


def _shown(message: str) -> str:
    """One line, not endless."""
    line = " ".join(message.split()).rstrip(".")
    return line if len(line) <= _LONGEST else line[:_LONGEST] + " …"


def _by_status(answer: Answer, code: str, service: str) -> str:
    """What can be said without knowing the error."""
    status = answer.status
    if status < 400:
        return f"The address leads elsewhere ({answer.headers.get('location') or 'it is not said where'}). Correct the URL."
    if status == 401:
        return "Check that the URL belongs to this tenant and that the chosen cloud is right."
    if status == 403:
        return "Give the automation's identity the permission that the module's documentation names."
    if status in (408, 429, 500, 502, 503, 504):
        return "The service is busy or down. Run again later; what is done already stays done."
    if not code:
        return "Check the URL and the options; if they are right, give the request id to Microsoft support."
    known = " Microsoft lists it among the Web service error codes of Dataverse." if service == "dataverse" and code.lower().startswith("0x8") else ""
    return f"Look up the code {code}.{known} If that does not help, give the request id to Microsoft support."
