# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request inside the Dataverse service: who sends it, how, and what it prefers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..wire import Request, ServiceError, not_emulated
from .errors import bad_payload, bad_query, fault
from .organization import Organization
from .security import Access

PAGE_SIZE = 5000


@dataclass(frozen=True)
class Preferences:
    """The Prefer header."""

    representation: bool = False
    page_size: int | None = None
    annotations: str = ""
    continue_on_error: bool = False
    track_changes: bool = False

    @classmethod
    def of(cls, header: str) -> Preferences:
        """Read the header; what is not known is ignored, as the standard says."""
        representation = continue_on_error = track_changes = False
        page_size, annotations = None, ""
        for item in _items(header):
            name, _unused, value = item.partition("=")
            value = value.strip().strip('"')
            match name.strip().lower():
                case "return":
                    representation = value.lower() == "representation"
                case "odata.maxpagesize" | "maxpagesize":
                    page_size = _page_size(value)
                case "odata.include-annotations" | "include-annotations":
                    annotations = value
                case "odata.continue-on-error" | "continue-on-error":
                    continue_on_error = value.lower() != "false"
                case "odata.track-changes" | "track-changes":
                    track_changes = True
        return cls(representation, page_size, annotations, continue_on_error, track_changes)

    @property
    def applied(self) -> str:
        """What the answer's Preference-Applied says."""
        parts = []
        if self.representation:
            parts.append("return=representation")
        if self.page_size is not None:
            parts.append(f"odata.maxpagesize={self.page_size}")
        if self.annotations:
            parts.append(f'odata.include-annotations="{self.annotations}"')
        return ", ".join(parts)

    def wants(self, annotation: str) -> bool:
        """Whether an annotation was asked for."""
        for pattern in self.annotations.split(","):
            wanted = pattern.strip()
            if wanted in ("*", annotation) or (wanted.endswith("*") and annotation.startswith(wanted[:-1])):
                return True
        return False


def _items(header: str) -> list[str]:
    """Split at the commas outside quotes."""
    items, quoted, item = [], False, ""
    for character in header:
        if character == '"':
            quoted = not quoted
        if character in ",;" and not quoted:
            items.append(item)
            item = ""
        else:
            item += character
    return [*items, item]


def _page_size(value: str) -> int:
    if not value.isdigit() or int(value) < 1:
        raise bad_query(f"The value '{value}' of the odata.maxpagesize preference is not a positive integer.")
    return min(int(value), PAGE_SIZE)


@dataclass(frozen=True)
class Context:
    """A request with everything that its handling needs."""

    org: Organization
    access: Access
    request: Request
    prefer: Preferences
    api: str
    """The Web API's root with the version, such as ``https://contoso.crm4.dynamics.com/api/data/v9.2``."""
    method: str
    path: str
    """Below the API's root, still percent-encoded."""
    query: str
    headers: dict[str, str]
    body: bytes
    references: dict[str, str] = field(default_factory=dict)
    """Inside a change set: the addresses of the rows made so far, by Content-ID."""

    def json(self, subject: str) -> dict[str, Any]:
        """Read the body as a JSON object."""
        content_type = self.headers.get("content-type", "")
        if self.body.strip() and content_type.split(";")[0].strip().lower() != "application/json":
            raise fault(
                415,
                "0x80060888",
                "A supported MIME type could not be found that matches the content type of the response. None of the supported type(s) "
                f"'application/json;odata.metadata=minimal, application/json' matches the content type '{content_type}'.",
            )
        try:
            document = Request(self.method, self.path, self.path, self.query, self.headers, self.body, self.api, self.request.request_id).json()
        except ValueError as problem:
            raise bad_payload(subject, "Invalid JSON. A token was not recognized in the JSON content.") from problem
        if not isinstance(document, dict):
            raise bad_payload(subject, "The payload is not a JSON object.")
        return document

    def not_emulated(self, what: str = "") -> ServiceError:
        """Make the loud refusal of something that the emulator does not play."""
        return not_emulated("dataverse", self.request, what or f"{self.method} {self.path}")
