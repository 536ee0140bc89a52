# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dataverse: people come and go with their licences."""

from __future__ import annotations

import pytest

from tests.emulator.dataverse import NotEnabled, NotFound, NotInSecurityGroup, NotLicensed, force_sync

from .dataverse_org import PERSON_ID, SKU_ID, UNLICENSED_ID, Client, organisation

# Every member of a recorded row of the real service that is not an address column.
RECORDED = (
    "@odata.etag ownerid userpuid accessmode azurestate internalemailaddress organizationid azureactivedirectoryobjectid caltype yomifullname applicationiduri "
    "incomingemaildeliverymethod displayinserviceviews firstname setupuser isdisabled fullname invitestatuscode isemailaddressapprovedbyo365admin lastname "
    "issyncwithdirectory userlicensetype islicensed _businessunitid_value deletedstate applicationid systemuserid windowsliveid domainname isintegrationuser "
    "createdon modifiedon disabledreason versionnumber _queueid_value _defaultmailbox_value _calendarid_value _positionid_value _territoryid_value "
    "_parentsystemuserid_value identityid title jobtitle traversedpath stageid processid"
).split()


@pytest.fixture
def client() -> Client:
    return organisation()


def found(client: Client, object_id: str) -> list[dict[str, object]]:
    return client.get(f"systemusers?$filter=azureactivedirectoryobjectid%20eq%20{object_id}").rows


def license_now(client: Client, object_id: str) -> None:
    license_ = {"skuId": SKU_ID, "disabledPlans": []}
    client.tenant.collection("users").change(object_id, assignedLicenses=[license_], _licensed_at=client.world.now())


def test_shape_of_a_user(client: Client) -> None:
    (row,) = found(client, PERSON_ID)
    assert set(RECORDED) <= set(row)
    assert (row["firstname"], row["lastname"], row["fullname"]) == ("#", "Alex", "# Alex")
    assert (row["userlicensetype"], row["caltype"], row["islicensed"], row["accessmode"]) == (38, 7, True, 0)
    assert row["ownerid"] == row["systemuserid"]


def test_a_licence_brings_a_person_in_after_a_while(client: Client) -> None:
    assert found(client, UNLICENSED_ID) == []
    license_now(client, UNLICENSED_ID)
    client.world.advance(599)
    assert found(client, UNLICENSED_ID) == []
    client.world.advance(2)
    assert len(found(client, UNLICENSED_ID)) == 1


def test_a_licence_without_the_plan_does_not(client: Client) -> None:
    sku = client.tenant.collection("subscribedSkus")[SKU_ID]
    license_ = {"skuId": SKU_ID, "disabledPlans": [sku["servicePlans"][0]["servicePlanId"]]}
    client.tenant.collection("users").change(UNLICENSED_ID, assignedLicenses=[license_])
    assert found(client, UNLICENSED_ID) == []


def test_forcing(client: Client) -> None:
    with pytest.raises(NotFound):
        force_sync(client.world, client.tenant, "11111111-2222-4333-8444-555555555555")
    with pytest.raises(NotLicensed):
        force_sync(client.world, client.tenant, UNLICENSED_ID)
    license_now(client, UNLICENSED_ID)
    with pytest.raises(NotLicensed):
        force_sync(client.world, client.tenant, UNLICENSED_ID)
    client.world.advance(31)
    force_sync(client.world, client.tenant, UNLICENSED_ID)
    force_sync(client.world, client.tenant, UNLICENSED_ID)
    assert found(client, UNLICENSED_ID) == []
    assert client.as_caller(UNLICENSED_ID).get("WhoAmI").status == 403
    client.world.advance(11)
    assert len(found(client, UNLICENSED_ID)) == 1
    assert client.as_caller(UNLICENSED_ID).get("WhoAmI").status == 200


def test_a_blocked_person_is_disabled_and_comes_back(client: Client) -> None:
    users = client.tenant.collection("users")
    users.change(PERSON_ID, accountEnabled=False)
    with pytest.raises(NotEnabled):
        force_sync(client.world, client.tenant, PERSON_ID)
    assert found(client, PERSON_ID)[0]["isdisabled"] is False
    client.world.advance(601)
    assert found(client, PERSON_ID)[0]["isdisabled"] is True
    users.change(PERSON_ID, accountEnabled=True)
    assert found(client, PERSON_ID)[0]["isdisabled"] is True
    force_sync(client.world, client.tenant, PERSON_ID)
    assert found(client, PERSON_ID)[0]["isdisabled"] is False


def test_a_blocked_person_comes_back_by_itself(client: Client) -> None:
    users = client.tenant.collection("users")
    users.change(PERSON_ID, accountEnabled=False)
    found(client, PERSON_ID)
    client.world.advance(601)
    found(client, PERSON_ID)
    users.change(PERSON_ID, accountEnabled=True)
    found(client, PERSON_ID)
    client.world.advance(601)
    assert found(client, PERSON_ID)[0]["isdisabled"] is False


def test_a_security_group_limits_who_comes_in() -> None:
    group_id = "d0000000-0000-4000-8000-000000000001"
    client = organisation(security_group_id=group_id)
    client.tenant.collection("groups")[group_id] = {"id": group_id, "_members": [], "_licenses": []}
    assert found(client, PERSON_ID) == []
    with pytest.raises(NotInSecurityGroup):
        force_sync(client.world, client.tenant, PERSON_ID)
    client.tenant.collection("groups").change(group_id, _members=[PERSON_ID])
    assert found(client, PERSON_ID) == []
    assert client.as_caller(PERSON_ID).get("WhoAmI").status == 200
    assert len(found(client, PERSON_ID)) == 1


def test_limits_of_changes(client: Client) -> None:
    row = found(client, PERSON_ID)[0]
    address = f"systemusers({row['systemuserid']})"
    assert client.ask("PATCH", address, {"azureactivedirectoryobjectid": UNLICENSED_ID}).code == "0x80041d4f"
    assert client.ask("DELETE", address).code == "0x80048356"
    assert client.ask("PATCH", address, {"title": "Seller", "createdon": "2000-01-01T00:00:00Z"}).status == 204
    changed = found(client, PERSON_ID)[0]
    assert (changed["title"], changed["createdon"]) == ("Seller", row["createdon"])
    assert changed["versionnumber"] > row["versionnumber"]  # type: ignore[operator]
    assert client.post("systemusers", {"domainname": "x"}).status == 501


@pytest.mark.parametrize("keeps", [False, True])
def test_moving_a_user_takes_the_roles_away_unless_the_organisation_keeps_them(client: Client, *, keeps: bool) -> None:
    client.behave(keep_roles_on_unit_change=keeps)
    user = found(client, PERSON_ID)[0]["systemuserid"]
    client.give(PERSON_ID, client.role("Basic User")["roleid"])
    assert client.ask("PATCH", f"systemusers({user})", {"businessunitid@odata.bind": f"/businessunits({client.child_unit})"}).status == 204
    assert len(client.get(f"systemusers({user})/systemuserroles_association").rows) == int(keeps)
    settings = client.get("organizations?$select=orgdborgsettings").rows[0]["orgdborgsettings"]
    assert ("DoNotRemoveRolesOnChangeBusinessUnit>true" in settings) is keeps
