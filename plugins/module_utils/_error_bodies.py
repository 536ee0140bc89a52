# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an error's body says, in whatever form it comes. Pure functions that take any bytes.

Seen: OData 4 (``error``), OData 3 (``odata.error``, the message an object), ASP.NET (``Message``), the forms of the
admin API, of Partner Center, of Entra ID and of Graph's privileged identity management, problem details, lists of
errors, XML, plain sentences, gateways' pages, nothing, and all of that cut off in the middle.

This file is private to the collection.
"""

from __future__ import annotations

import html
import json
import re
import typing as t
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

_LONGEST = 20_000
_HEX_CODE = re.compile(r"0x8[0-9a-f]{7}\b", re.IGNORECASE)
_AADSTS = re.compile(r"\bAADSTS\d+")
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_MEMBER = r'"{name}"\s*:\s*(?:"((?:[^"\\]|\\.)*)|(-?\d+))'
_ELEMENT = r"<(?:\w+:)?{name}\b[^>]*>([^<]*)"
_ENVELOPES = ("error", "odata.error", "errors", "errordetails")
_CODES = ("code", "errorcode", "error_code", "suberrorcode", "@microsoft.powerapps.cds.errordetails.suberrorcode")
_MESSAGES = (
    "message",
    "error_description",
    "errormessage",
    "description",
    "detail",
    "title",
    "exceptionmessage",
    "@microsoft.powerapps.cds.innererror.message",
)
_REQUEST_IDS = ("request-id", "requestid", "trace_id", "correlation_id", "correlationid", "activityid", "client-request-id")
_INNER = ("innererror", "internalexception", "innerexception", "details")


@dataclass(frozen=True)
class ErrorBody:
    """What was told; all empty if nothing was."""

    code: str = ""
    message: str = ""
    request_id: str = ""
    page: str = ""
    """The title of a page that stands where the service's answer should be."""


def plain_bytes(body: bytes) -> bytes:
    """The content of a body that is packed although no header says so."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        return zlib.decompressobj(wbits=31).decompress(body, 64 << 20)
    except zlib.error:
        return body


def read_json(body: bytes) -> t.Any:
    """The document, whatever its encoding and with or without a byte order mark; None if it is none."""
    try:
        return json.loads(plain_bytes(body))
    except (ValueError, RecursionError):
        return None


def read_body(body: bytes) -> ErrorBody:
    """Read the body of an error."""
    document = read_json(body)
    if isinstance(document, str):
        return _completed(ErrorBody(message=_line(document)))
    if document is not None:
        return _completed(_from_document(document, depth=0))
    content = _decoded(plain_bytes(body)).strip()
    if content == "null":
        return ErrorBody()
    if content[:1] in ("{", "["):  # cut off
        return _completed(ErrorBody(_found(_MEMBER, ("code", "errorCode"), content), _unescaped(_found(_MEMBER, ("message", "Message"), content))))
    if content.startswith("<"):
        title = _TITLE.search(content)
        if title or "<html" in content[:500].lower():
            return ErrorBody(page=_line(html.unescape(title.group(1))) if title else "without a title")
        return _completed(ErrorBody(_found(_ELEMENT, ("code",), content), html.unescape(_line(_found(_ELEMENT, ("message",), content)))))
    return _completed(ErrorBody(message=_line(content)[:500]))


def _from_document(document: t.Any, depth: int) -> ErrorBody:
    if isinstance(document, list):
        return next((told for told in (_from_document(item, depth + 1) for item in document[:10]) if told.code or told.message), ErrorBody())
    if not isinstance(document, dict) or depth > 5:
        return ErrorBody()
    members = {str(key).lower(): value for key, value in document.items()}
    for envelope in _ENVELOPES:
        if isinstance(members.get(envelope), dict | list):
            told = _from_document(members[envelope], depth + 1)
            if told.code or told.message:
                return ErrorBody(told.code, told.message, told.request_id or _first(members, _REQUEST_IDS))
    within = [_from_document(item, depth + 1) for name in _INNER for item in _items(members.get(name))]
    code = _first(members, _CODES) or next((told.code for told in within if told.code), "")
    parts = [*_all(members, _MESSAGES), *(told.message for told in within if told.message)]
    if isinstance(members.get("error"), str):  # the form of OAuth, or a bare sentence
        code, parts = (code or _told_code(parts[0]) or members["error"], parts) if parts else (code, [members["error"].strip()])
    request_id = _first(members, _REQUEST_IDS) or next((told.request_id for told in within if told.request_id), "")
    return ErrorBody(code, _joined(parts), request_id)


def _completed(told: ErrorBody) -> ErrorBody:
    """With the code that stands in the text only."""
    return replace(told, code=told.code or _told_code(told.message))


def _told_code(message: str) -> str:
    known = _AADSTS.search(message) or _HEX_CODE.search(message)
    return known.group(0) if known else ""


def _items(value: t.Any) -> list[t.Any]:
    return value[:10] if isinstance(value, list) else [value]


def _first(members: dict[str, t.Any], names: tuple[str, ...]) -> str:
    return next((_code(members[name]) for name in names if _code(members.get(name))), "")


def _all(members: dict[str, t.Any], names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        value = members.get(name)
        if isinstance(value, dict):  # OData 3: with its language
            value = next((inner for key, inner in value.items() if str(key).lower() == "value"), None)
        if isinstance(value, str) and value.strip():
            yield _line(value)


def _code(value: t.Any) -> str:
    """As text; a signed number is one of the codes that are otherwise written in hexadecimal."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    word = str(value).strip()
    number = int(word) if re.fullmatch(r"-?\d{9,10}", word) else 0
    return f"0x{number & 0xFFFFFFFF:08X}" if -0x80000000 <= number < 0 or 0x80000000 <= number <= 0xFFFFFFFF else word


def _joined(parts: list[str]) -> str:
    """One text; what another part holds already is left out."""
    kept: list[str] = []
    for part in parts:
        if part and not any(part.rstrip(".") in other for other in kept):
            kept = [other for other in kept if other.rstrip(".") not in part] + [part]
    return " ".join(kept)[:_LONGEST]


def _found(pattern: str, names: tuple[str, ...], content: str) -> str:
    for name in names:
        match = re.search(pattern.format(name=name), content[:_LONGEST])
        if match and (value := next((group for group in match.groups() if group), "")):
            return _code(value)
    return ""


def _unescaped(value: str) -> str:
    try:
        return _line(json.loads(f'"{value}"'))
    except ValueError:
        return _line(value)


def _decoded(body: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if body.startswith(mark):
            return body.decode(encoding, "replace")
    return body.decode("utf-8", "replace")


def _line(value: str) -> str:
    return value.strip()[:_LONGEST]
