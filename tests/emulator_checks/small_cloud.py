# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One small tenant in memory, and callers who ask a service directly: no server, no token."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from tests.emulator import graph
from tests.emulator.graph.roles import BUILT_IN
from tests.emulator.store import Document, Store
from tests.emulator.wire import Request, Response
from tests.emulator.world import Caller, Tenant, World

TENANT_ID = "11111111-1111-4111-8111-111111111111"
ADMIN_ID = "a0000000-0000-4000-8000-000000000001"
MEMBER_ID = "a0000000-0000-4000-8000-000000000002"
SYNCED_ID = "a0000000-0000-4000-8000-000000000003"
APP_OBJECT_ID = "b0000000-0000-4000-8000-000000000001"
APP_ID = "c0000000-0000-4000-8000-000000000001"
CRMPLAN2 = "906af65a-2970-46d5-9b58-4e9aa50f0657"
SALES = "1e1a282c-9c54-43a2-9310-98ef728faace"
FULL = "d17b27af-3f49-4822-99f9-56a661538792"
ADDON = "245e6bf9-411e-481e-8611-5c08595e2988"
STORAGE = "328dc228-00bc-48c6-8b09-1fbc8bc3435d"
CRM_PLAN = "bf36ca64-95c6-4918-9275-eb9f4ce2c04f"
FLOW_PLAN = "7e6d7d78-73de-46ba-83b1-6d25117334ba"
SALES_PLAN = "2da8e897-7791-486b-b08f-cc63c8129df7"
GROUP_ID = "d0000000-0000-4000-8000-000000000001"
OUTER_GROUP_ID = "d0000000-0000-4000-8000-000000000002"
EVERYTHING = (
    "User.ReadWrite.All Directory.Read.All Application.ReadWrite.All RoleManagement.ReadWrite.Directory LicenseAssignment.ReadWrite.All Policy.Read.All"
)

Handler = Callable[[World, Tenant, Caller, Request], Response]


@dataclass(frozen=True)
class Answer:
    """A response, read."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def error(self) -> Document:
        """The error in the body."""
        found: Document = self.body["error"]
        return found

    @property
    def values(self) -> list[Any]:
        """The members of a collection."""
        found: list[Any] = self.body["value"]
        return found


@dataclass(frozen=True)
class SmallCloud:
    """The world with its tenant, seen by one caller."""

    world: World
    tenant: Tenant
    caller: Caller
    handler: Handler = graph.handle
    base_url: str = "https://localhost:8443/graph"

    def as_app(self, permissions: str) -> SmallCloud:
        """The same world, seen by an application with these permissions."""
        return replace(self, caller=replace(self.caller, roles=frozenset(permissions.split())))

    def as_user(self, object_id: str, scopes: str = "Directory.AccessAsUser.All") -> SmallCloud:
        """The same world, seen by a person."""
        return replace(self, caller=replace(self.caller, kind="user", object_id=object_id, roles=frozenset(), scopes=frozenset(scopes.split())))

    def give_role(self, role: str, principal: str = APP_OBJECT_ID, scope: str = "/") -> None:
        """Assign a built-in directory role."""
        key = self.world.new_id()
        entry = {"id": key, "principalId": principal, "roleDefinitionId": BUILT_IN[role], "directoryScopeId": scope}
        self.tenant.collection("directoryRoleAssignments")[key] = entry

    def behave(self, **switches: Any) -> None:
        """Set behaviour switches."""
        self.tenant.change(behaviour={**self.tenant.behaviour, **switches})

    def time(self, **seconds: float) -> None:
        """Set durations."""
        self.tenant.change(timing={**self.tenant.timing, **seconds})

    def call(self, method: str, url: str, body: Any = None, **headers: str) -> Answer:
        """One request; underscores in header keywords become hyphens."""
        raw_path, _unused, query = url.partition("?")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            named.setdefault("content-type", "application/json")
        request = Request(
            method=method,
            path=unquote(raw_path),
            raw_path=raw_path,
            query=query,
            headers=named,
            body=b"" if body is None else json.dumps(body).encode(),
            base_url=self.base_url,
            request_id="e0000000-0000-4000-8000-000000000001",
        )
        response = self.handler(self.world, self.tenant, self.caller, request)
        is_json = "json" in response.headers.get("content-type", "")
        return Answer(response.status, json.loads(response.body) if is_json and response.body else response.body, response.headers)

    def get(self, url: str, **headers: str) -> Answer:
        """GET below the version."""
        return self.call("GET", f"/v1.0{url}", None, **headers)

    def post(self, url: str, body: Any = None, **headers: str) -> Answer:
        """POST below the version."""
        return self.call("POST", f"/v1.0{url}", body, **headers)

    def patch(self, url: str, body: Any) -> Answer:
        """PATCH below the version."""
        return self.call("PATCH", f"/v1.0{url}", body)

    def delete(self, url: str) -> Answer:
        """DELETE below the version."""
        return self.call("DELETE", f"/v1.0{url}")


def sku(sku_id: str, name: str, plans: list[Document], enabled: int = 5, consumed: int = 0, **more: Any) -> Document:
    """A subscription."""
    return {
        "skuId": sku_id,
        "skuPartNumber": name,
        "appliesTo": "User",
        "capabilityStatus": "Enabled",
        "consumedUnits": consumed,
        "prepaidUnits": {"enabled": enabled, "suspended": 0, "warning": 0, "lockedOut": 0},
        "subscriptionIds": [],
        "servicePlans": plans,
        **more,
    }


def plan(plan_id: str, name: str, **more: Any) -> Document:
    """A service plan."""
    return {"servicePlanId": plan_id, "servicePlanName": name, "provisioningStatus": "Success", "appliesTo": "User", **more}


def user(object_id: str, name: str, **more: Any) -> Document:
    """A person."""
    return {
        "id": object_id,
        "userPrincipalName": f"{name}@contoso.onmicrosoft.com",
        "mailNickname": name,
        "displayName": name.title(),
        "accountEnabled": True,
        "usageLocation": "DE",
        "createdDateTime": "2026-01-01T00:00:00Z",
        **more,
    }


def make_cloud() -> SmallCloud:
    """A tenant with an administrator, a member, a synchronised user, four kinds of subscription and two groups."""
    world = World(Store())
    world.tenant_documents[TENANT_ID] = {
        "name": "contoso",
        "tenant_id": TENANT_ID,
        "domain": "contoso.onmicrosoft.com",
        "verified_domains": ["contoso.onmicrosoft.com", "contoso.com"],
        "country": "DE",
        "org_id": "f0000000-0000-4000-8000-000000000001",
        "environment_id": "f0000000-0000-4000-8000-000000000002",
        "org_name": "contoso",
        "region": "crm4.dynamics.com",
        "org_version": "9.2.24014.00186",
        "client_id": APP_ID,
        "features": {"pim": True, "security_defaults": False},
        "timing": {},
        "behaviour": {},
        "security_group_id": None,
    }
    tenant = Tenant(world, TENANT_ID)
    for person in (
        user(ADMIN_ID, "admin"),
        user(MEMBER_ID, "member"),
        user(SYNCED_ID, "synced", onPremisesSyncEnabled=True),
    ):
        tenant.collection("users")[person["id"]] = person
    subscriptions = (
        sku(CRMPLAN2, "CRMPLAN2", [plan(CRM_PLAN, "CRMPLAN2"), plan(FLOW_PLAN, "FLOW_DYN_APPS")]),
        sku(SALES, "DYN365_ENTERPRISE_SALES", [plan(SALES_PLAN, "DYN365_ENTERPRISE_SALES", _excludes=[CRM_PLAN])], enabled=2, consumed=1),
        sku(FULL, "CRMSTANDARD", [plan("f9646fb2-e3b2-4309-95de-dc4833737456", "CRMSTANDARD")], enabled=3, consumed=3),
        sku(ADDON, "D365_SALES_PRO_ATTACH", [plan("3ae52229-572e-414f-937c-ff35a87d4f29", "ATTACH", _needs=[SALES_PLAN])]),
        sku(STORAGE, "CRMSTORAGE", [], appliesTo="Company"),
    )
    for subscription in subscriptions:
        tenant.collection("subscribedSkus")[subscription["skuId"]] = subscription
    tenant.collection("groups")[GROUP_ID] = {"id": GROUP_ID, "displayName": "Inner", "isAssignableToRole": False, "_members": [], "_licenses": []}
    outer = {"id": OUTER_GROUP_ID, "displayName": "Outer", "isAssignableToRole": True, "_members": [], "_licenses": []}
    tenant.collection("groups")[OUTER_GROUP_ID] = outer
    tenant.collection("servicePrincipals")[APP_OBJECT_ID] = {
        "id": APP_OBJECT_ID,
        "appId": APP_ID,
        "displayName": "Automation",
        "accountEnabled": True,
        "_roles": ["User.ReadWrite.All"],
        "_management_application": True,
    }
    tenant.collection("applications")[APP_ID] = {
        "id": "b0000000-0000-4000-8000-000000000002",
        "appId": APP_ID,
        "displayName": "Automation",
        "_secrets": [{"keyId": "k", "value": "abcdef", "displayName": "first"}],
    }
    caller = Caller(
        tenant_id=TENANT_ID,
        object_id=APP_OBJECT_ID,
        app_id=APP_ID,
        kind="app",
        roles=frozenset(EVERYTHING.split()),
        scopes=frozenset(),
        audience="https://graph.microsoft.com",
    )
    cloud = SmallCloud(world, tenant, caller)
    cloud.give_role("Global Administrator", ADMIN_ID)
    return cloud
