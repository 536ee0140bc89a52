# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft's own Python clients, unmodified: by URL, and by the real host names through the proxy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msal
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientSecretCredential, ManagedIdentityCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.assigned_license import AssignedLicense
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.password_profile import PasswordProfile
from msgraph.generated.models.user import User
from msgraph.generated.users.item.assign_license.assign_license_post_request_body import AssignLicensePostRequestBody
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem
from msgraph_core.tasks.page_iterator import PageIterator
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError, MetadataError

from tests.emulator.launcher import RunningEmulator

GRAPH_SCOPE = "https://graph.microsoft.com/.default"
UserQuery = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters


@dataclass(frozen=True)
class Way:
    """How clients reach the emulator."""

    emulator: RunningEmulator
    real_names: bool

    @property
    def tenant(self) -> dict[str, Any]:
        return self.emulator.tenant("contoso")

    @property
    def org_url(self) -> str:
        return "https://contoso.crm4.dynamics.com" if self.real_names else str(self.tenant["org_url"])

    @property
    def authority(self) -> dict[str, Any]:
        """What azure-identity has to be told."""
        return {} if self.real_names else {"authority": self.emulator.authority, "disable_instance_discovery": True}

    def credential(self, **changes: str) -> ClientSecretCredential:
        about = {name: self.tenant[name] for name in ("tenant_id", "client_id", "client_secret")} | changes
        return ClientSecretCredential(**about, **self.authority)

    def graph(self) -> GraphServiceClient:
        if self.real_names:
            return GraphServiceClient(self.credential())
        provider = AzureIdentityAuthenticationProvider(self.credential(), scopes=[GRAPH_SCOPE], allowed_hosts=["localhost"])
        adapter = GraphRequestAdapter(provider)
        adapter.base_url = f"{self.emulator.graph}/v1.0"
        return GraphServiceClient(request_adapter=adapter)


@pytest.fixture(params=[False, True], ids=["by-url", "by-real-name"])
def way(request: pytest.FixtureRequest, emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> Way:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, emulator.ca)
    if request.param:
        monkeypatch.setenv("HTTPS_PROXY", emulator.proxy)
    return Way(emulator, request.param)


@pytest.fixture
def dataverse(way: Way) -> DataverseClient:
    return DataverseClient(way.org_url, way.credential())


def test_azure_identity_signs_in(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    scope = f"{way.org_url}/.default"
    assert way.credential().get_token(scope).token
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        way.credential(client_secret="wrong").get_token(scope)
    certificate = way.emulator.client_certificate["pem"]
    assert CertificateCredential(way.tenant["tenant_id"], way.tenant["client_id"], certificate, **way.authority).get_token(scope).token
    monkeypatch.setenv("IDENTITY_ENDPOINT", way.emulator.managed_identity)
    monkeypatch.setenv("IDENTITY_HEADER", way.tenant["identity_header"])
    assert ManagedIdentityCredential().get_token(scope).token


def test_msal_signs_in_people_and_applications(way: Way) -> None:
    host = "https://login.microsoftonline.com" if way.real_names else way.emulator.authority
    authority, scopes = f"{host}/{way.tenant['tenant_id']}", [f"{way.org_url}/.default"]
    about: dict[str, Any] = {"authority": authority, "instance_discovery": None if way.real_names else False}
    application = msal.ConfidentialClientApplication(way.tenant["client_id"], client_credential=way.tenant["client_secret"], **about)
    assert "access_token" in application.acquire_token_for_client(scopes)
    pem = Path(way.emulator.client_certificate["pem"]).read_text(encoding="utf-8")
    proof = {"private_key": pem, "thumbprint": way.emulator.client_certificate["thumbprint"]}
    application = msal.ConfidentialClientApplication(way.tenant["client_id"], client_credential=proof, **about)
    assert "access_token" in application.acquire_token_for_client(scopes)
    if way.real_names:  # msal asks for the user realm on port 443
        person = msal.PublicClientApplication(way.tenant["public_client_id"], **about)
        assert "access_token" in person.acquire_token_by_username_password(way.tenant["admin_username"], way.tenant["admin_password"], scopes)
        assert "access_token" in person.acquire_token_silent(scopes, person.get_accounts()[0], force_refresh=True)


def test_dataverse_client_writes_and_reads_records(dataverse: DataverseClient) -> None:
    records = dataverse.records
    one = records.create("lead", {"lastname": "O'Neil", "subject": "test", "leadsourcecode": "Web"})
    many = records.create("lead", [{"lastname": f"Lead {number}", "subject": "test"} for number in range(4)])
    assert len({one, *many}) == 5
    records.update("lead", one, {"firstname": "Ann"})
    records.update("lead", many, {"companyname": "All of them"})
    records.update("lead", many[:2], [{"firstname": "A"}, {"firstname": "B"}])
    read = records.retrieve("lead", one, select=["fullname", "leadsourcecode"], expand=["owninguser"], include_annotations="*")
    assert read is not None
    assert (read["fullname"], read["leadsourcecode"], read["leadsourcecode@OData.Community.Display.V1.FormattedValue"]) == ("Ann O'Neil", 8, "Web")
    assert read["owninguser"]["systemuserid"]
    assert [row["fullname"] for row in records.list("lead", filter="companyname eq 'All of them'", select=["fullname"], orderby=["lastname desc"])] == [
        "Lead 3",
        "Lead 2",
        "B Lead 1",
        "A Lead 0",
    ]
    records.delete("lead", one)
    assert records.retrieve("lead", one) is None
    records.delete("lead", many, use_bulk_delete=False)
    assert list(records.list("lead")) == []
    with pytest.raises(HttpError, match="Does Not Exist"):
        records.delete("lead", one)


def test_dataverse_client_pages(dataverse: DataverseClient) -> None:
    names = [f"Lead {number}" for number in range(5)]
    dataverse.records.create("lead", [{"lastname": name, "subject": "test"} for name in names])
    pages = [[row["lastname"] for row in page] for page in dataverse.records.list_pages("lead", select=["lastname"], orderby=["lastname"], page_size=2)]
    assert pages == [names[:2], names[2:4], names[4:]]
    fetch = (
        "<fetch count='2'><entity name='lead'><attribute name='lastname'/><attribute name='firstname'/><order attribute='lastname'/>"
        "<filter><condition attribute='lastname' operator='like' value='Lead%'/><condition attribute='ownerid' operator='eq-userid'/></filter></entity></fetch>"
    )
    pages = [[row["lastname"] for row in page.records] for page in dataverse.query.fetchxml(fetch).execute_pages()]
    assert pages == [names[:2], names[2:4], names[4:]]
    built = dataverse.query.builder("lead").select("lastname").order_by("lastname", descending=True).top(1).execute()
    assert [row["lastname"] for row in built] == ["Lead 4"]


def test_dataverse_client_reads_metadata(dataverse: DataverseClient) -> None:
    table = dataverse.tables.get("Lead")
    assert table is not None
    assert (table.entity_set_name, table.primary_id_attribute, table.primary_name_attribute) == ("leads", "leadid", "fullname")
    assert "lead" in {item["LogicalName"] for item in dataverse.tables.list()}
    kinds = {column["LogicalName"]: column["AttributeType"] for column in dataverse.tables.list_columns("lead")}
    found = [kinds[name] for name in ("leadid", "lastname", "description", "leadsourcecode", "statecode", "ownerid", "createdon", "revenue")]
    assert found == ["Uniqueidentifier", "String", "Memo", "Picklist", "State", "Owner", "DateTime", "Money"]
    assert [key.key_attributes for key in dataverse.tables.get_alternate_keys("systemuser")] == [["azureactivedirectoryobjectid"]]
    assert dataverse.tables.get("no_such_table") is None
    with pytest.raises(MetadataError):
        dataverse.records.create("no_such_table", {"name": "x"})


def test_dataverse_client_sends_batches(dataverse: DataverseClient) -> None:
    one = dataverse.records.create("lead", {"lastname": "First", "subject": "test"})
    batch = dataverse.batch.new()
    batch.records.create("lead", {"lastname": "Alone", "subject": "test"})
    with batch.changeset() as changes:
        made = changes.records.create("lead", {"lastname": "Changed", "subject": "test"})
        changes.records.update("lead", made, {"firstname": "Twice"})
    batch.records.list("lead", select=["fullname"], filter="lastname eq 'Changed'")
    batch.records.delete("lead", one)
    batch.tables.get("lead")
    result = batch.execute()
    assert [item.status_code for item in result.responses] == [204, 204, 204, 200, 204, 200]
    assert [row["fullname"] for row in result.responses[3].data["value"]] == ["Twice Changed"]
    # A change set is undone as a whole, and what follows runs because the batch says so.
    batch = dataverse.batch.new()
    with batch.changeset() as changes:
        changes.records.create("lead", {"lastname": "Never", "subject": "test"})
        changes.records.delete("lead", one)
    batch.records.create("lead", {"lastname": "After", "subject": "test"})
    result = batch.execute(continue_on_error=True)
    assert [item.status_code for item in result.responses] == [404, 204]
    assert {row["lastname"] for row in dataverse.records.list("lead", select=["lastname"])} == {"Alone", "Changed", "After"}


def test_what_is_not_played_is_refused_loudly(dataverse: DataverseClient) -> None:
    one = dataverse.records.create("lead", {"lastname": "Stays", "subject": "test"})
    calls: list[Callable[[], object]] = [
        lambda: dataverse.query.sql("SELECT lastname FROM lead"),
        lambda: dataverse.records.delete("lead", [one]),
        lambda: dataverse.tables.create("new_thing", {"new_size": "int"}),
    ]
    for call in calls:
        with pytest.raises(HttpError, match="not emulated") as refused:
            call()
        assert refused.value.status_code == 501


async def make_user(graph: GraphServiceClient, way: Way, name: str) -> User:
    password = PasswordProfile(password="Long-enough-4-a-test", force_change_password_next_sign_in=False)
    principal = f"{name}@{way.tenant['domain']}"
    made = await graph.users.post(
        User(account_enabled=True, display_name=name, mail_nickname=name, user_principal_name=principal, usage_location="DE", password_profile=password)
    )
    assert made is not None
    return made


async def users_and_licenses(graph: GraphServiceClient, way: Way) -> None:
    user = graph.users.by_user_id((await make_user(graph, way, "graph-user")).id or "")
    await user.patch(User(given_name="Grace"))
    read = await user.get()
    assert read is not None
    assert (read.display_name, read.additional_data["@odata.context"].endswith("#users/$entity")) == ("graph-user", True)
    skus = await graph.subscribed_skus.get()
    assert skus is not None
    sku = next(one for one in skus.value or () if one.sku_part_number == "CRMPLAN2")
    wanted = AssignLicensePostRequestBody(add_licenses=[AssignedLicense(sku_id=sku.sku_id, disabled_plans=[])], remove_licenses=[])
    await user.assign_license.post(wanted)
    details = await user.license_details.get()
    assert details is not None
    assert [one.sku_part_number for one in details.value or ()] == ["CRMPLAN2"]
    wanted = AssignLicensePostRequestBody(add_licenses=[], remove_licenses=[sku.sku_id])
    await user.assign_license.post(wanted)
    # Every collection that the emulator plays can be read into the client's types.
    for collection in (graph.organization, graph.domains, graph.groups, graph.applications, graph.service_principals, graph.directory_roles):
        assert await collection.get() is not None
    memberships = await user.member_of.get()
    assert memberships is not None


async def paging(graph: GraphServiceClient, way: Way) -> None:
    for number in range(3):
        await make_user(graph, way, f"page-{number}")
    first = await graph.users.get(RequestConfiguration(query_parameters=UserQuery(top=2, select=["id", "displayName"])))
    assert first is not None
    assert first.odata_next_link
    names: list[str] = []
    await PageIterator(first, graph.request_adapter).iterate(lambda user: names.append(user.display_name) or True)
    assert {"page-0", "page-1", "page-2"} <= set(names)
    configuration = RequestConfiguration(query_parameters=UserQuery(filter="startswith(displayName,'page')", count=True, orderby=["displayName desc"]))
    configuration.headers.add("ConsistencyLevel", "eventual")
    found = await graph.users.get(configuration)
    assert found is not None
    assert (found.odata_count, [user.display_name for user in found.value or ()]) == (3, ["page-2", "page-1", "page-0"])


async def batching(graph: GraphServiceClient, way: Way) -> None:
    made = await make_user(graph, way, "in-a-batch")
    items = [BatchRequestItem(graph.users.by_user_id(name).to_get_request_information(), id=name) for name in (made.id or "", "nobody@nowhere.example")]

    async def statuses() -> dict[str, int]:
        content = BatchRequestContent()
        for item in items:
            content.add_request(item.id, item)
        answered = await graph.batch.post(batch_request_content=content)
        return {name: response.status for name, response in answered.responses.items()}

    # The client puts whole addresses into the batch (msgraph-sdk-python issue 1015), which the service does not take.
    assert set((await statuses()).values()) == {400}
    for item in items:
        item.url = item.url.partition("/v1.0")[2]
    assert await statuses() == {made.id: 200, "nobody@nowhere.example": 404}


async def deleted_items(graph: GraphServiceClient, way: Way) -> None:
    made = await make_user(graph, way, "deleted-user")
    user, deleted = graph.users.by_user_id(made.id or ""), graph.directory.deleted_items
    await user.delete()
    with pytest.raises(ODataError) as missing:
        await user.get()
    assert missing.value.error is not None
    assert (missing.value.response_status_code, missing.value.error.code) == (404, "Request_ResourceNotFound")
    listed = await deleted.graph_user.get()
    assert listed is not None
    assert [one.id for one in listed.value or ()] == [made.id]
    await deleted.by_directory_object_id(made.id or "").restore.post()
    assert await user.get() is not None
    await user.delete()
    await deleted.by_directory_object_id(made.id or "").delete()
    listed = await deleted.graph_user.get()
    assert listed is not None
    assert listed.value == []


@pytest.mark.parametrize("check", [users_and_licenses, paging, batching, deleted_items])
def test_msgraph_sdk(way: Way, check: Callable[[GraphServiceClient, Way], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(check(way.graph(), way))
