# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the services share: the tenants, the clock, the ids, and who is calling.

Every service package (``dataverse``, ``graph``, ``power_platform``, ``partner_center``) exports two functions:

``handle(world: World, tenant: Tenant, caller: Caller, request: Request) -> Response``
    The bearer token was good: issued here, not expired, meant for this service. ``tenant`` is the tenant of the organisation
    that was addressed (Dataverse) or the tenant of the token (the others).

``unauthorized(world: World, tenant: Tenant | None, problem: TokenProblem, request: Request) -> Response``
    It was not. ``tenant`` is known for Dataverse only. The answer is the service's own 401.

Both may raise ``wire.ServiceError`` instead. They run synchronously, one request at a time, and the store is committed after each.
A raised ServiceError undoes what the request had changed until then; a service that must remember something about a refusal
(a counted wrong password, a failed job) returns the response instead of raising it.

``Request.base_url`` and ``Request.path`` are, for ``graph``, ``https://graph.microsoft.com`` or ``https://localhost:PORT/graph`` and
``/v1.0/…``; for ``dataverse`` the organisation's URL (``https://localhost:PORT/org/contoso``) and ``/api/data/v9.2/…``; for
``power_platform`` ``…/powerplatform`` and ``/providers/…`` or ``/appmanagement/…``; for ``partner_center`` ``…/partnercenter`` and the rest.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .hosts import authority_for
from .store import Collection, Document, Store

__all__ = ["Caller", "Tenant", "TokenProblem", "World", "authority_for"]


@dataclass(frozen=True)
class Caller:
    """Who sent a request, taken from a valid access token."""

    tenant_id: str
    object_id: str
    """The ``oid`` claim: the id of a user, or of an application's service principal."""
    app_id: str
    """The client that asked for the token; for a user this is the public client."""
    kind: Literal["app", "user"]
    roles: frozenset[str]
    """Application permissions in the token (empty for a user)."""
    scopes: frozenset[str]
    """Delegated permissions in the token (empty for an application)."""
    audience: str


@dataclass(frozen=True)
class TokenProblem:
    """Why a request has no caller."""

    reason: Literal["missing", "malformed", "expired", "wrong_audience", "wrong_tenant"]
    detail: str = ""


class Tenant:
    """A customer's tenant: a typed view on its document, always up to date."""

    def __init__(self, world: World, tenant_id: str) -> None:
        self._world = world
        self.id = tenant_id

    @property
    def document(self) -> Document:
        """The whole tenant document; change it with ``change``."""
        return self._world.tenant_documents[self.id]

    @property
    def name(self) -> str:
        """The short name, such as ``contoso``."""
        return str(self.document["name"])

    @property
    def domain(self) -> str:
        """The initial domain, such as ``contoso.onmicrosoft.com``."""
        return str(self.document["domain"])

    @property
    def organization_host(self) -> str:
        """The real host name of the organisation, such as ``contoso.crm4.dynamics.com``."""
        return f"{self.document['org_name']}.{self.document['region']}"

    @property
    def features(self) -> Mapping[str, bool]:
        """Which parts of the services this tenant has."""
        return dict(self.document["features"])

    @property
    def timing(self) -> Mapping[str, float]:
        """How many seconds things take."""
        return dict(self.document["timing"])

    @property
    def behaviour(self) -> Mapping[str, Any]:
        """Switches for what is unconfirmed or differs between real services."""
        return dict(self.document["behaviour"])

    def collection(self, kind: str) -> Collection:
        """The tenant's documents of one kind."""
        return self._world.store.collection(self.id, kind)

    def change(self, **values: Any) -> None:
        """Change members of the tenant document."""
        self._world.tenant_documents.change(self.id, **values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tenant) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)


class World:
    """Everything that exists in one emulator."""

    def __init__(self, store: Store, seed: int = 0) -> None:
        self.store = store
        self.tenant_documents = store.collection("", "tenants")
        self._state = store.collection("", "world")
        self._seed = seed
        self.begin_again()

    def begin_again(self) -> None:
        """Start the series of made-up ids that belongs to this state of the store."""
        # Counting the starts keeps a restarted emulator from handing out the ids of its first life again.
        starts = int(self._state.get("starts", {"count": 0})["count"])
        self._state["starts"] = {"count": starts + 1}
        self.random = random.Random(f"{self._seed}:{starts}")  # noqa: S311 (replayable on purpose)

    def tenants(self) -> Iterator[Tenant]:
        """Every tenant, in order of creation."""
        return (Tenant(self, tenant_id) for tenant_id in self.tenant_documents)

    def tenant(self, reference: str) -> Tenant | None:
        """The tenant with this id, verified domain or name."""
        wanted = reference.lower()
        if wanted in self.tenant_documents:
            return Tenant(self, wanted)
        for tenant_id, document in self.tenant_documents.items():
            if wanted in (document["name"], document["domain"]) or wanted in document["verified_domains"]:
                return Tenant(self, tenant_id)
        return None

    def tenant_of_org(self, org_name: str) -> Tenant | None:
        """The tenant that owns the organisation of this name (its host label)."""
        wanted = org_name.lower()
        return next((Tenant(self, key) for key, document in self.tenant_documents.items() if document["org_name"] == wanted), None)

    def now(self) -> float:
        """The emulator's time, in seconds since the epoch; tests may have advanced it."""
        return time.time() + self.clock_offset

    @property
    def clock_offset(self) -> float:
        """How far the emulator's clock is ahead."""
        return float(self._state.get("clock", {"offset": 0.0})["offset"])

    def advance(self, seconds: float) -> None:
        """Let time pass without waiting."""
        self._state["clock"] = {"offset": self.clock_offset + seconds}

    def new_id(self) -> str:
        """A GUID that nothing else has."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))
