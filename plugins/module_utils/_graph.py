# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph v1.0 of one tenant: typed calls, no decisions.

This file is private to the collection.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ._api import Api, read_error
from ._clouds import Cloud
from ._errors import ServiceRefused
from ._http import Answer, Http, Verdict, judge
from ._identity import Identity
from ._odata import Row, is_guid, query, segment

CONCURRENCY = "Directory_ConcurrencyViolation"
ADVANCED = {"ConsistencyLevel": "eventual"}
"""Graph wants this, with ``$count=true``, for queries that its default store cannot answer."""


class Graph(Api):
    """The directory of one tenant."""

    service = "graph"
    title = "Microsoft Graph"

    def __init__(self, cloud: Cloud, identity: Identity, http: Http) -> None:
        super().__init__(f"{cloud.graph}/v1.0", cloud.graph, identity, http)

    def verdict(self, answer: Answer) -> Verdict:
        """Parallel writes to one tenant or object are turned down without effect, as 409 or 503."""
        if answer.status in (409, 503) and read_error(answer)[0] == CONCURRENCY:
            return Verdict.REJECTED
        return judge(answer)

    def user(self, reference: str, select: str, *, doing: str) -> Row | None:
        """A user by object id or user principal name, or None."""
        # The plain path form refuses names that begin with a dollar sign, the key form takes any
        key = reference if is_guid(reference) else "('" + segment(reference.replace("'", "''")).replace("@", "%40") + "')"
        path = f"users/{key}" if is_guid(reference) else f"users{key}"
        return self.find(path + query(select=select), doing=doing)


def is_conflict(error: Exception, target: str = "") -> bool:
    """Whether Graph says that the object exists already (for users a 400, for service principals a 409)."""
    if not isinstance(error, ServiceRefused):
        return False
    return "already exists" in error.message and target in error.message


@contextlib.contextmanager
def needing(permission: str, purpose: str) -> Iterator[None]:
    """Name the permission to ask for when Graph refuses what is sent within."""
    try:
        yield
    except ServiceRefused as error:
        if error.status == 403:
            error.next_step = f"Grant the automation's application {permission} (Microsoft Graph), which {purpose} needs, and run again."
        raise
