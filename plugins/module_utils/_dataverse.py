# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dataverse Web API of one organisation: typed calls, no decisions.

Facts are from Microsoft's Web API guide unless a comment says otherwise.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from ._api import Api, read_error
from ._errors import InvalidOption
from ._http import Answer, Http, Verdict, judge
from ._identity import Identity
from ._odata import Row, last_guid

SOLUTION_LOCK = frozenset({"0x80071151", "0x8004f061", "0x8004f062", "0x8004f063", "0x8004f064", "0x8004f067"})
"""Codes of "another import, publish or removal is running"; the first comes with the status of throttling, 429."""
IMPORT_TIMED_OUT = "0x80048543"
"""The request was cut; the import probably goes on."""
DUPLICATE = frozenset({"0x80040237", "0x80060892"})
NOT_FOUND = frozenset({"0x80040217", "0x80060891"})

STRONG: Mapping[str, str] = {"Consistency": "Strong"}
"""Read past the server's caches, which can hold old permissions for half a minute."""


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
        """The customization lock, whatever its status, can last for many minutes: that wait is the subject's. And a refused import says why with HTTP 500."""
        if answer.status in (429, 500, 503):
            code = read_error(answer)[0].lower()
            if code in SOLUTION_LOCK or (code.startswith("0x80048") and code != IMPORT_TIMED_OUT):
                return Verdict.FINAL
        return judge(answer)

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
        privileges = self.get(path, doing=doing, headers=STRONG).get("RolePrivileges", [])
        return list(privileges)

    def held_privileges(self, system_user_id: str, names: list[str], *, doing: str) -> list[Row]:
        """Which of the named privileges a user holds, teams included; some forty names fit into one call."""
        asked = quote("[" + ",".join(f'"{name}"' for name in names) + "]", safe="")
        path = f"systemusers({system_user_id})/Microsoft.Dynamics.CRM.RetrieveUserSetOfPrivilegesByNames(PrivilegeNames=@p)?@p={asked}"
        return list(self.get(path, doing=doing).get("RolePrivileges", []))
