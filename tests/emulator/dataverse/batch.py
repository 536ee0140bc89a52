# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``$batch``: many requests in one, with change sets that succeed or fail as a whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import urlsplit

from ..wire import Response, ServiceError
from .context import Context, Preferences
from .errors import bad_query

MOST_REQUESTS = 1000
_NAMES = {
    "odata-version": "OData-Version",
    "odata-entityid": "OData-EntityId",
    "location": "Location",
    "content-type": "Content-Type",
    "etag": "ETag",
    "preference-applied": "Preference-Applied",
    "retry-after": "Retry-After",
}

Runner = Callable[[Context], Response]


@dataclass(frozen=True)
class _Part:
    """One part of a multipart body."""

    headers: Mapping[str, str]
    body: bytes


class _ChangeSetFailed(Exception):
    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def run_batch(context: Context, run: Runner) -> Response:
    """Answer a batch; ``run`` answers one request of it."""
    if context.method != "POST":
        raise bad_query("A batch must be sent with POST.")
    parts = _split(context.body, _boundary(context.headers.get("content-type", "")))
    if not parts:
        raise bad_query("The batch request contains no requests.")
    if sum(_count(part) for part in parts) > MOST_REQUESTS:
        raise bad_query(f"Number of requests in the batch exceeded the limit of {MOST_REQUESTS}.")
    mark = context.org.world.new_id()
    written: list[bytes] = []
    status = 200
    for part in parts:
        if part.headers.get("content-type", "").lower().startswith("multipart/mixed"):
            responses, failed = _change_set(context, part, run)
        else:
            response = _guarded(_request(context, part), run)
            responses, failed = _http(context, response, part.headers.get("content-id")), response.status if response.status >= 400 else 0
        written.append(responses)
        if failed and not context.prefer.continue_on_error:
            status = failed
            break
    boundary = f"batchresponse_{mark}"
    return Response(status, _join(written, boundary), {"content-type": f"multipart/mixed; boundary={boundary}"})


def _change_set(context: Context, part: _Part, run: Runner) -> tuple[bytes, int]:
    """Run the parts of a change set; return what to write and the status of a failure (0: none)."""
    boundary = f"changesetresponse_{context.org.world.new_id()}"
    written: list[bytes] = []
    references: dict[str, str] = {}
    try:
        with context.org.world.store.atomic():
            for inner in _split(part.body, _boundary(part.headers["content-type"])):
                response = _in_change_set(context, inner, references, run)
                if response.status >= 400:
                    raise _ChangeSetFailed(response)  # noqa: TRY301 (leaving the block is what undoes it)
                content_id = inner.headers.get("content-id", "")
                references[content_id] = response.headers.get("odata-entityid", "")
                written.append(_http(context, response, content_id))
    except _ChangeSetFailed as failure:
        return _http(context, failure.response, None), failure.response.status
    head = f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode()
    return head + _join(written, boundary), 0


def _in_change_set(context: Context, inner: _Part, references: dict[str, str], run: Runner) -> Response:
    if not inner.headers.get("content-id"):
        return bad_query("The content id of a request inside a change set is missing.").response
    request = _request(replace(context, references=references), inner)
    if request.method == "GET":
        return bad_query("An invalid HTTP method 'GET' was detected for a request in a change set.").response
    return _guarded(request, run)


def _guarded(context: Context, run: Runner) -> Response:
    try:
        with context.org.world.store.atomic():
            return run(context)
    except ServiceError as refusal:
        return refusal.response


def _boundary(content_type: str) -> str:
    found = re.search(r'multipart/mixed\s*;.*boundary="?([^";]+)"?', content_type, re.IGNORECASE)
    if found is None:
        raise bad_query("The content type of a batch must be multipart/mixed with a boundary.")
    return found[1].strip()


def _split(body: bytes, boundary: str) -> list[_Part]:
    marker = b"--" + boundary.encode()
    pieces = (b"\r\n" + body).split(b"\r\n" + marker)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise bad_query("The batch body does not end with its closing boundary, or its lines do not end with CRLF.")
    parts = []
    for piece in pieces[1:-1]:
        headers, content = _head(piece.removeprefix(b"\r\n"))
        parts.append(_Part(headers, content))
    return parts


def _head(piece: bytes) -> tuple[dict[str, str], bytes]:
    head, separator, content = piece.partition(b"\r\n\r\n")
    if not separator:
        raise bad_query("A part of the batch has no empty line after its headers.")
    headers = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _unused, value = line.partition(":")
        if name.strip():
            headers[name.strip().lower()] = value.strip()
    return headers, content


def _count(part: _Part) -> int:
    if part.headers.get("content-type", "").lower().startswith("multipart/mixed"):
        return len(_split(part.body, _boundary(part.headers["content-type"])))
    return 1


def _request(context: Context, part: _Part) -> Context:
    """Make the context of one request inside the batch."""
    if not part.headers.get("content-type", "").lower().startswith("application/http"):
        raise bad_query("The content type of a part must be application/http or multipart/mixed.")
    line, _separator, rest = part.body.lstrip(b"\r\n").partition(b"\r\n")
    text = line.decode("utf-8", "replace")
    # The address may hold spaces: it is what stands between the first and the last one.
    method, _unused, after = text.partition(" ")
    address, _unused, protocol = after.rpartition(" ")
    if not address or not protocol.startswith("HTTP/"):
        raise bad_query(f"The request line '{text}' of a part is not valid.")
    headers, body = _head(b"\r\n" + rest + (b"" if b"\r\n\r\n" in b"\r\n" + rest else b"\r\n\r\n"))
    address = _with_reference(address, context.references)
    path, query = _below_root(address, context)
    if path.strip("/").startswith("$batch"):
        raise bad_query("A batch must not contain another batch.")
    return replace(context, method=method, path=path, query=query, headers=headers, body=body, prefer=Preferences.of(headers.get("prefer", "")))


def _with_reference(address: str, references: Mapping[str, str]) -> str:
    found = re.match(r"/?\$(\w+)(?=/|$)", address)
    if found is None or found[1] not in references:
        return address
    return references[found[1]] + address[found.end() :]


def _below_root(address: str, context: Context) -> tuple[str, str]:
    parts = urlsplit(address)
    found = re.search(r"/api/data/v\d+\.\d+(/.*)?$", parts.path)
    if found is not None:
        return found[1] or "/", parts.query
    if parts.scheme or address.startswith("/"):
        raise bad_query(f"The address '{address}' of a part is not below the service's root {context.api}.")
    return "/" + parts.path, parts.query


def _http(context: Context, response: Response, content_id: str | None) -> bytes:
    """Write one answer as a part."""
    head = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id:
        head.append(f"Content-ID: {content_id}")
    headers = {"odata-version": "4.0", **response.headers}
    if response.body and headers.get("content-type", "").startswith("application/json"):
        headers["content-type"] = "application/json; odata.metadata=minimal; odata.streaming=true"
    lines = [f"{_NAMES.get(name, name)}: {value}" for name, value in headers.items()]
    status = f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"
    request_id = f"REQ_ID: {context.request.request_id}"
    return "\r\n".join([*head, "", status, request_id, *lines, "", ""]).encode() + response.body


def _join(parts: list[bytes], boundary: str) -> bytes:
    marker = f"--{boundary}".encode()
    return b"".join(marker + b"\r\n" + part + b"\r\n" for part in parts) + marker + b"--\r\n"
