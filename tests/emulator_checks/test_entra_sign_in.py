# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unmodified msal signs in by every flow; the tokens open the services that they are for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jwt
import msal
import pytest
import requests

from tests.emulator.launcher import RunningEmulator

GRAPH = "https://graph.microsoft.com"


def confidential(emulator: RunningEmulator, credential: object, tenant: str = "contoso") -> msal.ConfidentialClientApplication:
    about = emulator.tenant(tenant)
    return msal.ConfidentialClientApplication(
        about["client_id"],
        client_credential=credential,
        authority=f"{emulator.authority}/{about['tenant_id']}",
        http_client=emulator.session,
        instance_discovery=False,
    )


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def through_proxy(emulator: RunningEmulator) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.verify = emulator.ca
    session.proxies = {"https": emulator.proxy}
    return session


@pytest.mark.parametrize("resource", [GRAPH, "{graph}", "{org_url}", "{real_org_url}", "https://service.powerapps.com", "{power_platform}", "{partner_center}"])
def test_secret(emulator: RunningEmulator, resource: str) -> None:
    tenant = emulator.tenant("contoso")
    wanted = resource.format(**{**emulator.ready, **tenant})
    result = confidential(emulator, tenant["client_secret"]).acquire_token_for_client([f"{wanted}/.default"])
    claims = claims_of(result["access_token"])
    assert claims["aud"].rstrip("/") == wanted
    assert (claims["tid"], claims["appid"], claims["idtyp"]) == (tenant["tenant_id"], tenant["client_id"], "app")
    assert result["expires_in"] == 3599 == claims["exp"] - claims["iat"]
    assert ("User.ReadWrite.All" in claims.get("roles", [])) is (resource in (GRAPH, "{graph}"))


def certificate_forms(emulator: RunningEmulator) -> dict[str, dict[str, object]]:
    files = emulator.client_certificate
    pem = Path(files["pem"]).read_text(encoding="ascii")
    public = pem[pem.index("-----BEGIN CERTIFICATE") :]
    return {
        "PEM and thumbprint, RS256": {"private_key": pem, "thumbprint": files["thumbprint"]},
        "PEM and certificate, PS256": {"private_key": pem, "public_certificate": public},
        "PFX, PS256": {"private_key_pfx_path": files["pfx"], "passphrase": files["pfx_passphrase"]},
    }


@pytest.mark.parametrize("form", ["PEM and thumbprint, RS256", "PEM and certificate, PS256", "PFX, PS256"])
def test_certificate(emulator: RunningEmulator, form: str) -> None:
    result = confidential(emulator, certificate_forms(emulator)[form]).acquire_token_for_client([f"{GRAPH}/.default"])
    assert "access_token" in result, result


def test_certificate_that_is_not_registered(emulator: RunningEmulator) -> None:
    client_id = emulator.tenant("contoso")["client_id"]
    emulator.control("PATCH", f"tenants/contoso/documents/applications/{client_id}", {"_certificates": []})
    result = confidential(emulator, certificate_forms(emulator)["PFX, PS256"]).acquire_token_for_client([f"{GRAPH}/.default"])
    assert (result["error"], result["error_codes"]) == ("invalid_client", [700027])


def test_assertion_for_another_audience(emulator: RunningEmulator) -> None:
    # Signed with the right key, but made for another tenant's token endpoint.
    files, about = emulator.client_certificate, emulator.tenant("contoso")
    key = Path(files["pem"]).read_text(encoding="ascii")
    audience = f"{emulator.authority}/{emulator.tenant('fabrikam')['tenant_id']}/oauth2/v2.0/token"
    stolen = jwt.encode(
        {"iss": about["client_id"], "sub": about["client_id"], "aud": audience, "exp": 4e9},
        key[: key.index("-----BEGIN CERTIFICATE")],
        "RS256",
        headers={"x5t": jwt.utils.base64url_encode(bytes.fromhex(files["thumbprint"])).decode()},
    )
    result = confidential(emulator, {"client_assertion": lambda: stolen}).acquire_token_for_client([f"{GRAPH}/.default"])
    assert result["error_codes"] == [700023]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({}, None),
        ({"subject": "someone else"}, 700213),
        ({"issuer": "https://other.example"}, 70021),
        ({"audience": "api://other"}, 700212),
        ({"lifetime": -900}, 700024),
    ],
)
def test_federated_token(emulator: RunningEmulator, options: dict[str, object], code: int | None) -> None:
    assertion = emulator.control("POST", "tenants/contoso/federated_token", options)["token"]
    result = confidential(emulator, {"client_assertion": lambda: assertion}).acquire_token_for_client([f"{GRAPH}/.default"])
    assert result.get("error_codes") == (None if code is None else [code])


def test_federated_token_with_a_foreign_signature(emulator: RunningEmulator) -> None:
    assertion = emulator.control("POST", "tenants/contoso/federated_token")["token"]
    forged = assertion.rpartition(".")[0] + "." + "A" * 342
    result = confidential(emulator, {"client_assertion": lambda: forged}).acquire_token_for_client([f"{GRAPH}/.default"])
    assert result["error_codes"] == [50027]


def test_managed_identity_of_app_service(emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = emulator.tenant("contoso")
    monkeypatch.setenv("IDENTITY_ENDPOINT", emulator.managed_identity)
    monkeypatch.setenv("IDENTITY_HEADER", tenant["identity_header"])
    client = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=emulator.session)
    result = client.acquire_token_for_client(resource=tenant["org_url"])
    assert claims_of(result["access_token"])["appid"] == tenant["client_id"]


def test_managed_identity_of_a_virtual_machine(emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", f"{emulator.authority}/imds/fabrikam")
    client = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=emulator.session)
    result = client.acquire_token_for_client(resource=GRAPH)
    assert claims_of(result["access_token"])["tid"] == emulator.tenant("fabrikam")["tenant_id"]
    refused = emulator.session.get(f"{emulator.authority}/metadata/identity/oauth2/token", params={"resource": GRAPH})
    assert refused.status_code == 400


def test_password_and_refresh_with_the_real_host_names(emulator: RunningEmulator) -> None:
    tenant = emulator.tenant("contoso")
    client = msal.PublicClientApplication(
        tenant["public_client_id"],
        authority=f"https://login.microsoftonline.com/{tenant['tenant_id']}",
        http_client=through_proxy(emulator),
    )
    scopes = [f"{tenant['real_org_url']}/user_impersonation"]
    with pytest.warns(DeprecationWarning, match=r".*"):
        first = client.acquire_token_by_username_password(tenant["admin_username"], tenant["admin_password"], scopes)
    claims = claims_of(first["access_token"])
    assert (claims["scp"], claims["idtyp"], claims["upn"]) == ("user_impersonation", "user", tenant["admin_username"])
    (account,) = client.get_accounts()
    again = client.acquire_token_silent(scopes, account, force_refresh=True)
    assert again["access_token"] != first["access_token"]
    realms = [one["path"] for one in emulator.request_log(service="entra") if "userrealm" in one["path"]]
    assert realms == [f"/common/userrealm/{tenant['admin_username']}?api-version=1.0"]


def test_organizations_finds_the_tenant_by_the_user_name(emulator: RunningEmulator) -> None:
    tenant = emulator.tenant("contoso")
    form = {
        "grant_type": "password",
        "client_id": tenant["public_client_id"],
        "username": tenant["admin_username"],
        "password": tenant["admin_password"],
        "scope": f"{GRAPH}/User.Read offline_access openid",
    }
    url = f"{emulator.authority}/organizations/oauth2/v2.0/token"
    first = emulator.session.post(url, data=form).json()
    assert claims_of(first["access_token"])["tid"] == tenant["tenant_id"]
    refresh = {"grant_type": "refresh_token", "client_id": form["client_id"], "refresh_token": first["refresh_token"], "scope": f"{tenant['org_url']}/.default"}
    assert emulator.session.post(url, data=refresh).json()["scope"] == f"{tenant['org_url']}/user_impersonation"
    (admin,) = (user for user in emulator.documents("contoso", "users") if user["userPrincipalName"] == tenant["admin_username"])
    emulator.control("PATCH", f"tenants/contoso/documents/users/{admin['id']}", {"_password": "Another-1-password"})
    assert emulator.session.post(url, data=refresh).json()["error_codes"] == [50173]


def test_tokens_do_not_open_other_services(emulator: RunningEmulator) -> None:
    org_url = emulator.tenant("contoso")["org_url"]
    graph_token, org_token = emulator.token("contoso", emulator.graph), emulator.token("contoso", org_url)
    assert emulator.call("GET", f"{emulator.graph}/v1.0/organization", graph_token).status_code == 200
    assert emulator.call("GET", f"{emulator.graph}/v1.0/organization", org_token).status_code == 401
    other = emulator.tenant("fabrikam")["org_url"]
    assert emulator.call("GET", f"{other}/api/data/v9.2/WhoAmI", org_token).status_code == 401
    assert emulator.session.get(f"{org_url}/api/data/v9.2/WhoAmI").status_code == 401


def test_tokens_expire_by_the_emulators_clock(emulator: RunningEmulator) -> None:
    emulator.control("PATCH", "tenants/contoso", {"timing": {"token_lifetime": 60}})
    token = emulator.token("contoso", emulator.graph)
    url = f"{emulator.graph}/v1.0/organization"
    assert emulator.call("GET", url, token).status_code == 200
    emulator.control("POST", "time", {"advance": 61})
    assert emulator.call("GET", url, token).status_code == 401


def test_national_cloud(emulator: RunningEmulator) -> None:
    session = through_proxy(emulator)
    emulator.control("PATCH", "tenants/contoso", {"region": "crm.dynamics.cn"})
    tenant = emulator.tenant("contoso")
    form = {
        "grant_type": "client_credentials",
        "client_id": tenant["client_id"],
        "client_secret": tenant["client_secret"],
        "scope": "https://contoso.crm.dynamics.cn/.default",
    }
    path = f"{tenant['tenant_id']}/oauth2/v2.0/token"
    assert session.post(f"https://login.partner.microsoftonline.cn/{path}", data=form).status_code == 200
    assert session.post(f"https://login.microsoftonline.com/{path}", data=form).json()["error_codes"] == [90002]
