# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dataverse Web API of one organisation: typed calls, no decisions.

Facts are from Microsoft's Web API guide unless a comment says otherwise.

This file is private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from ._api import Api, read_error
from ._errors import InvalidOption, ServiceRefused
from ._http import Answer, Http, Verdict, judge
from ._identity import Identity
from ._odata import Row, last_guid
from ._rows import listed

SOLUTION_LOCK = frozenset({"0x80071151", "0x8004f061", "0x8004f062", "0x8004f063", "0x8004f064", "0x8004f067", "0x8004ed47"})
"""Codes of "another import, publish or removal is running"; the first comes with the status of throttling, 429."""
IMPORT_TIMED_OUT = "0x80048543"
"""The request was cut; the import probably goes on."""
_LOCKED = re.compile(r"Cannot start (?:another|the requested operation) \[\w+\] because there is", re.IGNORECASE)
"""The same in words, where the code is that of a wrapper."""
_JOBS_OFF = re.compile(r"Async operations are currently disabled", re.IGNORECASE)
"""A new organisation says so for some minutes; nothing was done."""
_PASSING = frozenset(
    {
        "0x80040216",
        "0x80040224",
        "0x80044150",
        "0x80044151",
        "0x8004a001",
        "0x8006088a",
        "0x80060916",
        "0x80060917",
        "0x80072300",
        "0x80081116",
        IMPORT_TIMED_OUT,
    }
)
"""Codes of trouble that may be over at the next attempt, and behind which a success may hide."""
DUPLICATE = frozenset({"0x80040237", "0x80060892"})
NOT_FOUND = frozenset({"0x80040217", "0x80060891"})

STRONG: Mapping[str, str] = {"Consistency": "Strong"}
"""Read past the server's caches, which can hold old permissions for half a minute."""


def is_lock(code: str, message: str) -> bool:
    """Whether a refusal tells of another import, publish or removal that runs."""
    return code.lower() in SOLUTION_LOCK or _LOCKED.search(message) is not None


def organization_url(text: str) -> str:
    """The organisation's root without a trailing slash; raises InvalidOption for what is no such URL."""
    parts = urlsplit(text.strip())
    if parts.scheme != "https" or not parts.hostname:
        raise InvalidOption("url", f"'{text}' is not an https URL.", "Give the organisation's root, such as https://contoso.crm4.dynamics.com.")
    path = parts.path.rstrip("/")
    if "/api/data" in path or path.endswith(".aspx") or parts.query or parts.fragment:
        raise InvalidOption("url", f"'{text}' is a page of the organisation, not its root.", f"Give https://{parts.netloc}.")
    return f"https://{parts.netloc.lower()}{path}"


class Dataverse(Api):
    """One organisation."""

    service = "dataverse"
    title = "Dynamics 365 (Dataverse)"

    def __init__(self, url: str, identity: Identity, http: Http, api_version: str = "v9.2") -> None:
        """``url`` is the organisation's root; it is also the audience of its tokens."""
        super().__init__(f"{url}/api/data/{api_version}", url, identity, http)
        self.url = url
        self.api_version = api_version

    def headers(self) -> dict[str, str]:
        """OData 4, and no cached expansions."""
        return {"Accept": "application/json", "OData-Version": "4.0", "OData-MaxVersion": "4.0", "If-None-Match": "null"}

    def verdict(self, answer: Answer) -> Verdict:
        """The customization lock, whatever its status, can last for many minutes: that wait is the subject's. And a refusal says why even with HTTP 500."""
        judged = judge(answer)
        if judged is Verdict.FINAL:
            return judged
        code, message = read_error(answer)
        code = code.lower()
        if is_lock(code, message):
            return Verdict.FINAL
        if _JOBS_OFF.search(message):
            return Verdict.REJECTED
        if code.startswith("0x80048") and code != IMPORT_TIMED_OUT:
            return Verdict.FINAL
        return Verdict.FINAL if answer.status == 500 and code.startswith("0x8") and code not in _PASSING else judged

    def may_pass(self, answer: Answer) -> bool:
        """The lock is not waited for here, but it passes."""
        return is_lock(*read_error(answer)) or super().may_pass(answer)

    def find(self, path: str, *, doing: str, headers: Mapping[str, str] | None = None) -> Row | None:
        """One document, or None where there is none, which the service says with 404 and sometimes with 400."""
        try:
            return super().find(path, doing=doing, headers=headers)
        except ServiceRefused as error:
            if error.status == 400 and error.code.lower() in NOT_FOUND:
                return None
            raise

    def created_id(self, answer: Answer) -> str:
        """The id in the header that every creation answers with."""
        return last_guid(answer.headers.get("odata-entityid", ""))

    def at_version(self, api_version: str) -> Dataverse:
        """The same organisation, spoken to in another version of the API."""
        return Dataverse(self.url, self._identity, self._http, api_version)

    def role_reference(self, role_id: str) -> str:
        """The absolute address of a role, as the body of an association wants it."""
        return f"{self.root}/roles({role_id})"

    def role_privileges(self, role_id: str, *, doing: str) -> list[Row]:
        """The privileges of a role with their depths. The function is unbound; the bound form answers 404."""
        path = f"RetrieveRolePrivilegesRole(RoleId={role_id})"
        return listed(self.get(path, doing=doing, headers=STRONG), "RolePrivileges")

    def held_privileges(self, system_user_id: str, names: list[str], *, doing: str) -> list[Row]:
        """Which of the named privileges a user holds, teams included; some forty names fit into one call."""
        asked = quote("[" + ",".join(f'"{name}"' for name in names) + "]", safe="")
        path = f"systemusers({system_user_id})/Microsoft.Dynamics.CRM.RetrieveUserSetOfPrivilegesByNames(PrivilegeNames=@p)?@p={asked}"
        return listed(self.get(path, doing=doing), "RolePrivileges")
