# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads that lag behind writes, and writes that collide."""

from __future__ import annotations

from tests.emulator.launcher import RunningEmulator


def test_a_write_shows_only_after_a_while():
    with RunningEmulator() as emulator:
        url = f"{emulator.tenant('contoso')['org_url']}/api/data/v9.2"
        token = emulator.token("contoso", emulator.tenant("contoso")["org_url"])
        emulator.control("PATCH", "tenants/contoso", {"behaviour": {"read_lag": 60}})
        team = next(row for row in emulator.documents("contoso", "teams") if row["name"] == "contoso")
        address = f"{url}/teams({team['teamid']})"
        for name in ("first", "second"):
            emulator.call("PATCH", address, token, json={"name": name}).raise_for_status()
        created = emulator.call(
            "POST", f"{url}/teams", token, json={"name": "new", "businessunitid@odata.bind": f"/businessunits({team['_businessunitid_value']})"}
        )
        born = created.headers["odata-entityid"]

        def names() -> set[str]:
            return {row["name"] for row in emulator.call("GET", f"{url}/teams?$select=name", token).json()["value"]}

        assert "contoso" in names()
        assert not {"first", "second", "new"} & names()
        assert emulator.call("GET", born, token).status_code == 404
        # Only reads are behind: the document is there, and a second write finds it
        assert "second" in {row["name"] for row in emulator.documents("contoso", "teams")}
        assert emulator.call("PATCH", born, token, json={"name": "newer"}, headers={"If-Match": "*"}).ok
        emulator.control("POST", "time", {"advance": 61})
        assert {"second", "newer"} <= names()
        assert "contoso" not in names()
        lead = emulator.call("POST", f"{url}/leads", token, json={"lastname": "gone"}).headers["odata-entityid"]
        emulator.control("POST", "time", {"advance": 61})
        assert emulator.call("DELETE", lead, token).ok
        assert emulator.call("GET", lead, token).json()["lastname"] == "gone"
        assert emulator.call("DELETE", lead, token).status_code == 404
        emulator.control("POST", "time", {"advance": 61})
        assert emulator.call("GET", lead, token).status_code == 404


def test_writes_collide_in_each_service_s_own_words():
    with RunningEmulator() as emulator:
        about = emulator.tenant("contoso")
        environment = f"{emulator.power_platform}/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments/{about['environment_id']}"
        teams = f"{about['org_url']}/api/data/v9.2/teams"
        add_user = f"{environment}/addUser?api-version=2023-06-01"
        for service, status, code, address, resource in (
            ("dataverse", 500, "0x80044150", teams, about["org_url"]),
            ("power_platform", 409, "OperationNotStartable", add_user, "https://service.powerapps.com/"),
        ):
            emulator.control("POST", "faults", {"kind": "concurrency", "service": service, "count": 1})
            answer = emulator.call("POST", address, emulator.token("contoso", resource), json={})
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
            assert emulator.control("GET", "faults")["value"] == []
