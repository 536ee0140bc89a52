# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One organisation in memory, and callers who ask the Dataverse service directly: no server, no token."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from tests.emulator import dataverse
from tests.emulator.dataverse.organization import Organization
from tests.emulator.store import Document, Store
from tests.emulator.wire import Request, Response
from tests.emulator.world import Caller, Tenant, World

TENANT_ID = "11111111-1111-4111-8111-111111111111"
ADMIN_ID = "a0000000-0000-4000-8000-000000000001"
PERSON_ID = "a0000000-0000-4000-8000-000000000002"
UNLICENSED_ID = "a0000000-0000-4000-8000-000000000003"
APP_ID = "c0000000-0000-4000-8000-000000000001"
APP_OBJECT_ID = "b0000000-0000-4000-8000-000000000001"
OTHER_APP_ID = "c0000000-0000-4000-8000-000000000002"
OTHER_APP_OBJECT_ID = "b0000000-0000-4000-8000-000000000002"
SKU_ID = "906af65a-2970-46d5-9b58-4e9aa50f0657"
PLAN_ID = "bf36ca64-95c6-4918-9275-eb9f4ce2c04f"
HOST = "https://contoso.crm4.dynamics.com"
API = f"{HOST}/api/data/v9.2"


@dataclass(frozen=True)
class Answer:
    """A response, read."""

    status: int
    body: Any
    headers: dict[str, str]
    text: str

    @property
    def code(self) -> str:
        """The error's code."""
        return str(self.body["error"]["code"])

    @property
    def message(self) -> str:
        """The error's text."""
        return str(self.body["error"]["message"])

    @property
    def rows(self) -> list[Any]:
        """The members of a collection."""
        found: list[Any] = self.body["value"]
        return found

    @property
    def id(self) -> str:
        """The id in OData-EntityId."""
        return self.headers["odata-entityid"].rpartition("(")[2].rstrip(")")


@dataclass(frozen=True)
class Client:
    """The organisation, seen by one caller."""

    world: World
    tenant: Tenant
    caller: Caller
    version: str = "v9.2"

    @property
    def org(self) -> Organization:
        return Organization(self.world, self.tenant)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send one request; ``path`` is below the API's root and may carry a query."""
        raw_path, _unused, query = path.partition("?")
        full = raw_path if raw_path.startswith("/api/") else f"/api/data/{self.version}/{raw_path}"
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        if body is not None:
            sent.setdefault("content-type", "application/json")
        request = Request(method, unquote(full), full, query, sent, content, HOST, "99999999-0000-4000-8000-000000000000")
        return read(dataverse.handle(self.world, self.tenant, self.caller, request))

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.ask("POST", path, {} if body is None else body, **headers)

    def as_caller(self, object_id: str, kind: str = "user") -> Client:
        """The same organisation, seen by somebody else."""
        return replace(self, caller=replace(self.caller, object_id=object_id, kind="app" if kind == "app" else "user"))

    def behave(self, **switches: Any) -> None:
        """Set behaviour switches of the tenant."""
        self.tenant.change(behaviour={**self.tenant.document["behaviour"], **switches})

    def feature(self, **switches: bool) -> None:
        """Set features of the tenant."""
        self.tenant.change(features={**self.tenant.document["features"], **switches})

    def role(self, name: str, unit: str | None = None) -> Document:
        """Find a role in a business unit, by default the root one."""
        wanted = unit or self.org.root_unit["businessunitid"]
        return next(role for role in self.org.rows("role") if role["name"] == name and role["_businessunitid_value"] == wanted)

    def user(self, object_id: str) -> Document:
        """Find a system user by the object id."""
        return next(row for row in self.org.rows("systemuser") if row["azureactivedirectoryobjectid"] == object_id)

    @property
    def child_unit(self) -> str:
        """The id of the child business unit."""
        return str(next(unit["businessunitid"] for unit in self.org.rows("businessunit") if unit["_parentbusinessunitid_value"]))

    def make_role(self, name: str, privileges: dict[str, str], unit: str | None = None) -> str:
        """Create a role with privileges by name and depth."""
        made = self.post("roles", {"name": name, "businessunitid@odata.bind": f"/businessunits({unit or self.org.root_unit['businessunitid']})"})
        assert made.status == 204, made.text
        items = [{"PrivilegeId": self.privilege(key), "Depth": depth} for key, depth in privileges.items()]
        added = self.post(f"roles({made.id})/Microsoft.Dynamics.CRM.AddPrivilegesRole", {"Privileges": items})
        assert added.status == 204, added.text
        return made.id

    def privilege(self, name: str) -> str:
        """The id of a privilege."""
        found = self.org.catalogue.named(name)
        assert found is not None, name
        return found.id

    def give(self, object_id: str, role_id: str) -> Answer:
        """Assign a role to a user."""
        user_id = self.user(object_id)["systemuserid"]
        return self.post(f"systemusers({user_id})/systemuserroles_association/$ref", {"@odata.id": f"{API}/roles({role_id})"})

    def with_role(self, privileges: dict[str, str]) -> Client:
        """See the organisation as the licensed person, holding one role with these privileges and nothing else."""
        assert self.give(PERSON_ID, self.make_role("Test role", privileges)).status == 204
        return self.as_caller(PERSON_ID)


def read(response: Response) -> Answer:
    text = response.body.decode()
    body = json.loads(text) if "json" in response.headers.get("content-type", "") and text else None
    return Answer(response.status, body, response.headers, text)


def organisation(**members: Any) -> Client:
    """Make a tenant with its organisation; the automation's application calls."""
    world = World(Store())
    world.tenant_documents[TENANT_ID] = {
        "name": "contoso",
        "tenant_id": TENANT_ID,
        "domain": "contoso.onmicrosoft.com",
        "verified_domains": ["contoso.onmicrosoft.com"],
        "country": "DE",
        "org_id": "99c0f0aa-0000-4000-8000-000000000001",
        "environment_id": "99c0f0aa-0000-4000-8000-000000000002",
        "org_name": "contoso",
        "region": "crm4.dynamics.com",
        "org_version": "9.2.24014.00186",
        "client_id": APP_ID,
        "admin_username": "admin@contoso.onmicrosoft.com",
        "features": {"sales_app": True, "modern_business_units": False},
        "timing": {"import": 100.0, "forced_sync": 10.0, "natural_sync": 600.0, "license_propagation": 30.0, "job_row": 5.0},
        "behaviour": {},
        "security_group_id": None,
        **members,
    }
    tenant = Tenant(world, TENANT_ID)
    tenant.collection("subscribedSkus")[SKU_ID] = {
        "skuId": SKU_ID,
        "servicePlans": [{"servicePlanId": PLAN_ID, "servicePlanName": "CRMPLAN2", "appliesTo": "User"}],
    }
    for object_id, name, licensed in ((ADMIN_ID, "admin", True), (PERSON_ID, "alex", True), (UNLICENSED_ID, "lee", False)):
        tenant.collection("users")[object_id] = {
            "id": object_id,
            "userPrincipalName": f"{name}@contoso.onmicrosoft.com",
            "displayName": name.title(),
            "givenName": None,
            "surname": None,
            "mail": None,
            "accountEnabled": True,
            "assignedLicenses": [{"skuId": SKU_ID, "disabledPlans": []}] if licensed else [],
        }
    for app_id, object_id in ((APP_ID, APP_OBJECT_ID), (OTHER_APP_ID, OTHER_APP_OBJECT_ID)):
        tenant.collection("servicePrincipals")[object_id] = {"id": object_id, "appId": app_id, "displayName": f"App {app_id[-1]}"}
    dataverse.seed_organization(world, tenant)
    return Client(world, tenant, Caller(TENANT_ID, APP_OBJECT_ID, APP_ID, "app", frozenset(), frozenset(), HOST))
