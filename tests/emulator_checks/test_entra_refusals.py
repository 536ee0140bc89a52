# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The refusals of the token endpoint: number, status, OAuth error, and the body's shape."""

from __future__ import annotations

import re
from typing import Any

import msal
import pytest

from tests.emulator.launcher import RunningEmulator

GRAPH_SCOPE = "https://graph.microsoft.com/.default"


def post(emulator: RunningEmulator, tenant: str = "", **form: str) -> tuple[int, dict[str, Any]]:
    segment = tenant or emulator.tenant("contoso")["tenant_id"]
    response = emulator.session.post(f"{emulator.authority}/{segment}/oauth2/v2.0/token", data={name: value for name, value in form.items() if value})
    return response.status_code, response.json()


def application_form(emulator: RunningEmulator, **changes: str) -> dict[str, str]:
    about = emulator.tenant("contoso")
    form = {"grant_type": "client_credentials", "client_id": about["client_id"], "client_secret": about["client_secret"], "scope": GRAPH_SCOPE}
    return {**form, **changes}


def person_form(emulator: RunningEmulator, **changes: str) -> dict[str, str]:
    about = emulator.tenant("contoso")
    form = {
        "grant_type": "password",
        "client_id": about["public_client_id"],
        "username": about["admin_username"],
        "password": about["admin_password"],
        "scope": GRAPH_SCOPE,
    }
    return {**form, **changes}


def change_admin(emulator: RunningEmulator, **values: object) -> None:
    name = emulator.tenant("contoso")["admin_username"]
    (admin,) = (user for user in emulator.documents("contoso", "users") if user["userPrincipalName"] == name)
    emulator.control("PATCH", f"tenants/contoso/documents/users/{admin['id']}", values)


@pytest.mark.parametrize(
    ("changes", "status", "error", "code"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": ""}, 401, "invalid_client", 7000218),
        ({"client_id": "11111111-2222-3333-4444-555555555555"}, 400, "unauthorized_client", 700016),
        ({"client_id": ""}, 400, "invalid_request", 900144),
        ({"grant_type": "magic"}, 400, "unsupported_grant_type", 70003),
        ({"scope": ""}, 400, "invalid_request", 900144),
        ({"scope": "User.Read"}, 400, "invalid_scope", 1002012),
        ({"scope": "https://unknown.example/.default"}, 400, "invalid_resource", 500011),
        ({"scope": "https://nobody.crm4.dynamics.com/.default"}, 400, "invalid_resource", 500011),
        ({"scope": "https://fabrikam.crm4.dynamics.com/.default"}, 400, "invalid_resource", 500011),
        ({"scope": "https://contoso.crm.dynamics.com/.default"}, 400, "invalid_resource", 500011),
    ],
)
def test_application(emulator: RunningEmulator, changes: dict[str, str], status: int, error: str, code: int) -> None:
    got, body = post(emulator, **application_form(emulator, **changes))
    assert (got, body["error"], body["error_codes"]) == (status, error, [code])


def test_body(emulator: RunningEmulator) -> None:
    url = f"{emulator.authority}/{emulator.tenant('contoso')['tenant_id']}/oauth2/v2.0/token"
    headers = {"client-request-id": "0f0e0d0c-0000-0000-0000-000000000001", "return-client-request-id": "true"}
    response = emulator.session.post(url, data=application_form(emulator, client_secret="wrong"), headers=headers)
    body = response.json()
    client_id = emulator.tenant("contoso")["client_id"]
    text = (
        "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
        f"not the client secret ID, for a secret added to app '{client_id}'. Trace ID: {body['trace_id']} "
        f"Correlation ID: {headers['client-request-id']} Timestamp: {body['timestamp']}"
    )
    assert body["error_description"] == text
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", body["timestamp"])
    assert body["error_uri"].endswith("/error?code=7000215")
    assert (response.headers["Cache-Control"], response.headers["client-request-id"]) == ("no-store, no-cache", headers["client-request-id"])
    assert response.headers["x-ms-request-id"] == body["trace_id"]


def test_tenant_that_does_not_exist(emulator: RunningEmulator) -> None:
    tenant = emulator.tenant("lucerne")["tenant_id"]
    status, body = post(emulator, tenant, **application_form(emulator))
    assert (status, body["error"], body["error_codes"]) == (400, "invalid_request", [90002])
    found = emulator.session.get(f"{emulator.authority}/{tenant}/v2.0/.well-known/openid-configuration")
    assert (found.status_code, found.json()["error"], found.json()["error_codes"]) == (400, "invalid_tenant", [90002])
    with pytest.raises(ValueError, match="authority configuration"):
        msal.ConfidentialClientApplication(
            "x", client_credential="x", authority=f"{emulator.authority}/{tenant}", http_client=emulator.session, instance_discovery=False
        )
    assert post(emulator, "not-a-tenant", **application_form(emulator))[1]["error_codes"] == [900023]


def test_secret_that_has_expired_or_is_too_new(emulator: RunningEmulator) -> None:
    about = emulator.tenant("contoso")
    path = f"tenants/contoso/documents/applications/{about['client_id']}"
    secret = {"keyId": "1", "value": about["client_secret"], "displayName": "x", "endDateTime": "2024-01-01T00:00:00Z", "_works_from": 0}
    emulator.control("PATCH", path, {"_secrets": [secret]})
    status, body = post(emulator, **application_form(emulator))
    assert (status, body["error"], body["error_codes"]) == (401, "invalid_client", [7000222])
    soon = emulator.control("GET", "time")["now"] + 60
    emulator.control("PATCH", path, {"_secrets": [{**secret, "endDateTime": "2036-01-01T00:00:00Z", "_works_from": soon}]})
    assert post(emulator, **application_form(emulator))[1]["error_codes"] == [7000215]
    emulator.control("POST", "time", {"advance": 61})
    assert post(emulator, **application_form(emulator))[0] == 200


def test_disabled_application(emulator: RunningEmulator) -> None:
    client_id = emulator.tenant("contoso")["client_id"]
    (principal,) = (one for one in emulator.documents("contoso", "servicePrincipals") if one["appId"] == client_id)
    emulator.control("PATCH", f"tenants/contoso/documents/servicePrincipals/{principal['id']}", {"accountEnabled": False})
    assert post(emulator, **application_form(emulator))[1]["error_codes"] == [7000112]


@pytest.mark.parametrize(
    ("changes", "status", "error", "suberror", "code"),
    [
        ({"password": "wrong"}, 400, "invalid_grant", None, 50126),
        ({"username": "nobody@contoso.onmicrosoft.com"}, 400, "invalid_grant", None, 50034),
        ({"client_id": "{client_id}"}, 401, "invalid_client", None, 7000218),
        ({"scope": "https://graph.microsoft.com/Mail.Send"}, 400, "invalid_grant", "consent_required", 65001),
        ({"client_id": "51f81489-12ee-4a9e-aaae-a2591f45987d"}, 400, "invalid_grant", "consent_required", 65001),
        ({"client_secret": "unasked"}, 401, "invalid_client", None, 700025),
    ],
)
def test_person(emulator: RunningEmulator, changes: dict[str, str], status: int, error: str, suberror: str | None, code: int) -> None:
    about = emulator.tenant("contoso")
    changed = {name: value.format(**about) for name, value in changes.items()}
    got, body = post(emulator, **person_form(emulator, **changed))
    assert (got, body["error"], body.get("suberror"), body["error_codes"]) == (status, error, suberror, [code])


@pytest.mark.parametrize(
    ("values", "suberror", "code"),
    [
        ({"accountEnabled": False}, None, 50057),
        ({"passwordProfile": {"forceChangePasswordNextSignIn": True}}, "user_password_expired", 50055),
        ({"_password": None}, None, 50056),
        ({"_mfa": True}, "basic_action", 50076),
        ({"_visible_from": 4e9}, None, 50034),
    ],
)
def test_account(emulator: RunningEmulator, values: dict[str, object], suberror: str | None, code: int) -> None:
    change_admin(emulator, **values)
    status, body = post(emulator, **person_form(emulator))
    assert (status, body["error"], body.get("suberror"), body["error_codes"]) == (400, "invalid_grant", suberror, [code])


@pytest.mark.parametrize(
    ("change", "code"),
    [({"features": {"security_defaults": True}}, 50079), ({"behaviour": {"conditional_access_policy_id": "policy-1"}}, 53003)],
)
def test_tenant_policies_bind_people_only(emulator: RunningEmulator, change: dict[str, object], code: int) -> None:
    emulator.control("PATCH", "tenants/contoso", change)
    body = post(emulator, **person_form(emulator))[1]
    assert body["error_codes"] == [code]
    assert ("policy-1" in body.get("claims", "")) is (code == 53003)
    assert post(emulator, **application_form(emulator))[0] == 200


def test_lockout_after_ten_wrong_passwords(emulator: RunningEmulator) -> None:
    codes = [post(emulator, **person_form(emulator, password="wrong"))[1]["error_codes"][0] for _unused in range(11)]
    assert codes == [50126] * 10 + [50053]
    assert post(emulator, **person_form(emulator))[1]["error_codes"] == [50053]
    emulator.control("POST", "time", {"advance": 61})
    assert post(emulator, **person_form(emulator))[0] == 200


def test_device_code_is_refused_loudly(emulator: RunningEmulator) -> None:
    about = emulator.tenant("contoso")
    url = f"{emulator.authority}/{about['tenant_id']}/oauth2/v2.0/devicecode"
    assert emulator.session.post(url, data={"client_id": about["public_client_id"], "scope": GRAPH_SCOPE}).status_code == 501


def test_instance_discovery(emulator: RunningEmulator) -> None:
    url = f"{emulator.authority}/common/discovery/instance"

    def ask(host: str) -> dict[str, Any]:
        query = {"api-version": "1.1", "authorization_endpoint": f"https://{host}/common/oauth2/authorize"}
        answer: dict[str, Any] = emulator.session.get(url, params=query).json()
        return answer

    known = ask("login.microsoftonline.com")
    assert known["tenant_discovery_endpoint"] == "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration"
    assert any("login.windows.net" in entry["aliases"] for entry in known["metadata"])
    assert ask("login.evil.example")["error"] == "invalid_instance"
