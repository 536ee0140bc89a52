# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API, the request log and the proxy."""

from __future__ import annotations

import json

import pytest
import requests

from tests.emulator.launcher import RunningEmulator

USER = {
    "displayName": "Logged",
    "mailNickname": "logged",
    "userPrincipalName": "logged@contoso.onmicrosoft.com",
    "accountEnabled": True,
    "passwordProfile": {"password": "Not-a-real-1-secret"},
}


def proxied(emulator: RunningEmulator) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.verify = emulator.ca
    session.proxies = {"https": emulator.proxy}
    return session


def test_the_log_tells_who_did_what_and_holds_no_secret(emulator: RunningEmulator) -> None:
    about = emulator.tenant("contoso")
    token = emulator.token("contoso", emulator.graph)
    emulator.call("GET", f"{emulator.graph}/v1.0/users?$select=id", token)
    created = emulator.call("POST", f"{emulator.graph}/v1.0/users", token, json=USER)
    sign_in, read, write = emulator.request_log()
    assert sign_in["caller"] == {"kind": "client", "app_id": about["client_id"], "grant_type": "client_credentials"}
    assert (read["path"], read["status"], read["effect"], read["tenant"]) == ("/v1.0/users?$select=id", 200, False, "contoso")
    assert (write["status"], write["effect"], write["fault"], write["keys"]) == (201, True, None, sorted(USER))
    assert write["caller"]["app_id"] == about["client_id"]
    assert write["request_id"] == created.headers["request-id"]
    assert [sign_in["seq"], read["seq"]] == [write["seq"] - 2, write["seq"] - 1]
    text = json.dumps(emulator.request_log())
    for secret in (token, about["client_secret"], "Not-a-real-1-secret"):
        assert secret not in text


def test_selecting_and_clearing_the_log(emulator: RunningEmulator) -> None:
    for name in ("contoso", "fabrikam"):
        emulator.call("POST", f"{emulator.graph}/v1.0/users", emulator.token(name, emulator.graph), json={})
        emulator.call("GET", f"{emulator.graph}/v1.0/users", emulator.token(name, emulator.graph))
    log = emulator.request_log()
    assert [one["service"] for one in log] == ["entra", "graph", "graph"] * 2
    (write,) = emulator.request_log(tenant="contoso", writes=1)
    assert (write["method"], write["status"], write["effect"]) == ("POST", 400, False)
    assert emulator.request_log(since=log[-2]["seq"]) == log[-1:]
    assert len(emulator.request_log(service="entra")) == 2
    emulator.control("DELETE", "requests")
    assert emulator.request_log() == []


def test_batches_of_reads_are_no_writes(emulator: RunningEmulator) -> None:
    token = emulator.token("contoso", emulator.graph)
    read = {"id": "1", "method": "GET", "url": "/organization"}
    write = {"id": "2", "method": "POST", "url": "/users", "headers": {"Content-Type": "application/json"}, "body": USER}
    for batch in ([read], [read, write]):
        assert emulator.call("POST", f"{emulator.graph}/v1.0/$batch", token, json={"requests": batch}).status_code == 200
    (found,) = emulator.request_log(writes=1)
    assert [part["method"] for part in found["parts"]] == ["GET", "POST"]
    assert found["effect"] is True


def test_a_refused_request_leaves_nothing_behind(emulator: RunningEmulator) -> None:
    before = emulator.documents("contoso", "users")
    answer = emulator.call("POST", f"{emulator.graph}/v1.0/users", emulator.token("contoso", emulator.graph), json={**USER, "mailNickname": "a b"})
    assert answer.status_code == 400
    assert emulator.documents("contoso", "users") == before


def test_reset_brings_the_beginning_back(emulator: RunningEmulator) -> None:
    before = {kind: emulator.documents("contoso", kind) for kind in ("users", "applications", "subscribedSkus", "systemusers")}
    tenants = emulator.control("GET", "tenants")
    emulator.call("POST", f"{emulator.graph}/v1.0/users", emulator.token("contoso", emulator.graph), json=USER)
    emulator.control("POST", "faults", {"kind": "slow"})
    emulator.control("POST", "time", {"advance": 50})
    emulator.control("PATCH", "tenants/contoso", {"features": {"pim": True}})
    emulator.control("POST", "reset")
    assert {kind: [user["id"] for user in emulator.documents("contoso", "users")] for kind in ("users",)} == {"users": [user["id"] for user in before["users"]]}
    assert emulator.documents("contoso", "subscribedSkus") == before["subscribedSkus"]
    assert emulator.control("GET", "tenants") == tenants
    assert emulator.control("GET", "tenants/contoso")["features"]["pim"] is False
    assert emulator.control("GET", "faults") == {"value": []}
    assert emulator.control("GET", "time")["offset"] == 0
    assert emulator.request_log() == []


def test_documents_can_be_arranged(emulator: RunningEmulator) -> None:
    emulator.control("POST", "tenants/contoso/documents/groups/g1", {"id": "g1", "displayName": "Odd"})
    assert emulator.control("GET", "tenants/contoso/groups/g1")["displayName"] == "Odd"
    emulator.control("PATCH", "tenants/contoso/documents/groups/g1", {"displayName": "Even"})
    assert any(group["displayName"] == "Even" for group in emulator.documents("contoso", "groups"))
    emulator.control("DELETE", "tenants/contoso/documents/groups/g1")
    with pytest.raises(RuntimeError, match="404"):
        emulator.control("GET", "tenants/contoso/groups/g1")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("GET", "tenants/nobody", None, 404),
        ("PATCH", "tenants/contoso", {"colour": "red"}, 400),
        ("POST", "faults", {"kind": "flood"}, 400),
        ("POST", "faults", {"kind": "slow", "path": "("}, 400),
        ("POST", "time", {}, 400),
        ("GET", "requests?colour=red", None, 400),
    ],
)
def test_the_control_api_explains_mistakes(emulator: RunningEmulator, method: str, path: str, body: object, status: int) -> None:
    answer = emulator.session.request(method, f"{emulator.control_url}/{path}", json=body)
    assert (answer.status_code, bool(answer.json()["error"])) == (status, True)


def test_unknown_addresses_are_refused(emulator: RunningEmulator) -> None:
    assert emulator.session.get(f"{emulator.authority}/nonsense").status_code == 404
    assert emulator.session.get(f"{emulator.authority}/org/nobody/api/data/v9.2/WhoAmI").status_code == 404


def test_the_proxy_leads_real_names_here(emulator: RunningEmulator) -> None:
    session = proxied(emulator)
    headers = {"Authorization": f"Bearer {emulator.token('contoso', 'https://graph.microsoft.com')}"}
    found = session.get("https://graph.microsoft.com/v1.0/users?$top=1", headers=headers)
    assert found.status_code == 200
    assert found.json()["@odata.context"].startswith("https://graph.microsoft.com/v1.0/")
    for host in ("contoso.crm4.dynamics.com", "contoso.api.crm4.dynamics.com"):
        refused = session.get(f"https://{host}/api/data/v9.2/WhoAmI")
        assert (refused.status_code, emulator.request_log()[-1]["tenant"]) == (401, "contoso")
    assert session.get("https://api.bap.microsoft.com/providers/x").status_code == 401
    assert session.get(f"{emulator.control_url}/time").status_code == 200


@pytest.mark.parametrize(
    "url", ["https://example.org/", "https://nobody.crm4.dynamics.com/", "https://contoso.crm.dynamics.com/", "https://graph.microsoft.com:8443/"]
)
def test_the_proxy_refuses_other_places(emulator: RunningEmulator, url: str) -> None:
    with pytest.raises(requests.exceptions.ProxyError):
        proxied(emulator).get(url)
    assert [(one["method"], one["status"]) for one in emulator.request_log(service="proxy")] == [("CONNECT", 403)]


def test_the_server_certificate_covers_the_real_names(emulator: RunningEmulator) -> None:
    port = emulator.authority.rpartition(":")[2]
    for host in ("[::1]", "127.0.0.1", "localhost"):
        try:
            assert emulator.session.get(f"https://{host}:{port}/control/time").status_code == 200
        except requests.exceptions.SSLError:
            raise
        except requests.ConnectionError:
            assert host == "[::1]"
    for host in ("login.microsoftonline.us", "dod-graph.microsoft.us", "api.powerplatform.com", "api.partnercenter.microsoft.com", "login.chinacloudapi.cn"):
        assert proxied(emulator).get(f"https://{host}/x/y").status_code in (401, 404, 501)
