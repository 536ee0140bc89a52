# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients ask for beyond plain queries: FetchXML, bulk messages, single properties, columns, and CSDL."""

from __future__ import annotations

from urllib.parse import quote, unquote
from xml.etree import ElementTree as ET

import pytest

from .dataverse_org import Answer, Client, organisation

NOBODY = "00000000-0000-4000-8000-000000000099"


def add(client: Client, **columns: object) -> str:
    return client.post("leads", {"subject": "test", **columns}).id


def read_xml(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 (the emulator wrote it)


def fetch(client: Client, inner: str, attributes: str = "", **headers: str) -> Answer:
    xml = f"<fetch {attributes}><entity name='lead'>{inner}</entity></fetch>"
    return client.ask("GET", f"leads?fetchXml={quote(xml)}", **headers)


@pytest.fixture
def client() -> Client:
    return organisation()


@pytest.fixture
def people(client: Client) -> Client:
    for name, number in (("Adams", 5), ("Brown", 12), ("Clark", None)):
        add(client, lastname=name, numberofemployees=number, confirminterest=name == "Brown")
    return client


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("attribute='lastname' operator='eq' value='adams'", "Adams"),
        ("attribute='lastname' operator='ne' value='Adams'", "Brown Clark"),
        ("attribute='lastname' operator='like' value='%r%'", "Brown Clark"),
        ("attribute='lastname' operator='like' value='_lark'", "Clark"),
        ("attribute='lastname' operator='not-like' value='A%'", "Brown Clark"),
        ("attribute='lastname' operator='begins-with' value='b'", "Brown"),
        ("attribute='lastname' operator='ends-with' value='k'", "Clark"),
        ("attribute='numberofemployees' operator='gt' value='5'", "Brown"),
        ("attribute='numberofemployees' operator='le' value='12'", "Adams Brown"),
        ("attribute='numberofemployees' operator='ne' value='5'", "Brown Clark"),
        ("attribute='numberofemployees' operator='null'", "Clark"),
        ("attribute='confirminterest' operator='eq' value='1'", "Brown"),
        ("attribute='ownerid' operator='eq-userid'", "Adams Brown Clark"),
    ],
)
def test_fetch_conditions(people: Client, condition: str, found: str) -> None:
    answer = fetch(people, f"<attribute name='lastname'/><order attribute='lastname'/><filter><condition {condition}/></filter>")
    assert " ".join(row["lastname"] for row in answer.rows) == found


def test_fetch_filters_nest_and_leave_nulls_out(people: Client) -> None:
    either = "<condition attribute='lastname' operator='in'><value>Clark</value><value>Adams</value></condition>"
    inner = f"<filter type='or'><filter>{either}<condition attribute='numberofemployees' operator='null'/></filter>"
    inner += "<condition attribute='numberofemployees' operator='eq' value='12'/></filter><order attribute='lastname' descending='true'/>"
    answer = fetch(people, f"<attribute name='lastname'/><attribute name='numberofemployees'/>{inner}")
    assert [(row["lastname"], row.get("numberofemployees", "none")) for row in answer.rows] == [("Clark", "none"), ("Brown", 12)]
    assert "numberofemployees" not in answer.rows[0]


def test_fetch_pages(people: Client) -> None:
    inner = "<attribute name='lastname'/><order attribute='lastname'/>"
    first = fetch(people, inner, "count='2' returntotalrecordcount='true'", prefer='odata.include-annotations="Microsoft.Dynamics.CRM.*"')
    assert (first.body["@Microsoft.Dynamics.CRM.morerecords"], first.body["@Microsoft.Dynamics.CRM.totalrecordcount"]) == (True, 3)
    cookie = read_xml(first.body["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"])
    assert cookie.get("pagenumber") == "2"
    inside = unquote(unquote(cookie.get("pagingcookie", "")))
    assert read_xml(inside)[0].get("last") == f"{{{first.rows[-1]['leadid'].upper()}}}"
    written = inside.replace("<", "&lt;").replace('"', "&quot;")
    second = fetch(people, inner, f'count="2" page="2" paging-cookie="{written}"')
    assert [row["lastname"] for row in second.rows] == ["Clark"]
    assert "@Microsoft.Dynamics.CRM.morerecords" not in second.body
    assert [row["lastname"] for row in fetch(people, inner, "top='1'").rows] == ["Adams"]


def test_fetch_refusals(people: Client) -> None:
    joined = fetch(people, "<link-entity name='account' from='accountid' to='accountid'/>")
    assert (joined.status, joined.code) == (501, "NotEmulated")
    assert fetch(people, "<filter><condition attribute='createdon' operator='today'/></filter>").status == 501
    assert (fetch(people, "<attribute name='nope'/>").status, fetch(people, "<attribute name='nope'/>").code) == (400, "0x80041103")
    assert fetch(people, "<attribute").code == "0x80040201"
    assert fetch(people, "", "count='2' page='2' paging-cookie='rubbish'").message == "Malformed XML in the Paging Cookie"


def test_bulk_messages_are_all_or_nothing(client: Client) -> None:
    kind = {"@odata.type": "Microsoft.Dynamics.CRM.lead"}
    names = [{**kind, "lastname": name, "subject": "bulk"} for name in ("One", "Two")]
    made = client.post("leads/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": names})
    assert (made.status, len(made.body["Ids"])) == (200, 2)
    one, two = made.body["Ids"]
    changes = [{**kind, "leadid": one, "firstname": "A"}, {**kind, "leadid": NOBODY, "firstname": "B"}]
    assert client.post("leads/Microsoft.Dynamics.CRM.UpdateMultiple", {"Targets": changes}).status == 404
    assert client.get(f"leads({one})").body["firstname"] is None
    changes[1]["leadid"] = two
    assert client.post("leads/Microsoft.Dynamics.CRM.UpdateMultiple", {"Targets": changes}).status == 204
    wanted = [{**kind, "@odata.id": f"leads({key})", "lastname": "Upserted"} for key in (one, NOBODY)]
    assert client.post("leads/Microsoft.Dynamics.CRM.UpsertMultiple", {"Targets": wanted}).status == 204
    rows = client.get("leads?$select=fullname&$orderby=fullname").rows
    assert [row["fullname"] for row in rows] == ["A Upserted", "B Two", "Upserted"]
    assert client.post("leads/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": [{"lastname": "No type"}]}).status == 400
    assert client.post("leads/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": [*names, {**kind, "nope": 1}]}).status == 400
    assert len(client.get("leads").rows) == 3


def test_single_properties_are_written_and_cleared(client: Client) -> None:
    one = add(client, lastname="One")
    assert client.ask("PUT", f"leads({one})/firstname", {"value": "Ann"}).status == 204
    assert client.get(f"leads({one})/fullname").body["value"] == "Ann One"
    assert client.ask("DELETE", f"leads({one})/firstname").status == 204
    assert client.get(f"leads({one})/fullname").body["value"] == "One"


def test_a_batch_takes_addresses_with_spaces(client: Client) -> None:
    add(client, lastname="Spaced")
    part = f"GET {client.get('').body['@odata.context'].removesuffix('$metadata')}leads?$select=lastname&$filter=lastname eq 'Spaced' HTTP/1.1"
    text = f"--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{part}\r\n\r\n\r\n--b--\r\n"
    answer = client.ask("POST", "$batch", text.encode(), **{"content-type": "multipart/mixed; boundary=b"})
    assert answer.status == 200
    assert '"lastname": "Spaced"' in answer.text


def test_columns_and_their_choices(client: Client) -> None:
    base = "EntityDefinitions(LogicalName='lead')/Attributes"
    found = client.get(f"{base}/Microsoft.Dynamics.CRM.StateAttributeMetadata?$select=LogicalName&$expand=OptionSet($select=Options)").rows
    assert [row["LogicalName"] for row in found] == ["statecode"]
    assert [option["Label"]["UserLocalizedLabel"]["Label"] for option in found[0]["OptionSet"]["Options"]] == ["Open", "Qualified", "Disqualified"]
    assert client.get(f"{base}(LogicalName='lastname')").body["@odata.type"] == "#Microsoft.Dynamics.CRM.StringAttributeMetadata"
    assert client.get(f"{base}(LogicalName='nope')").status == 404
    assert client.get(f"{base}?$filter=AttributeType eq 'Money'&$select=LogicalName").rows[0]["LogicalName"] == "budgetamount"
    assert client.get(f"{base}?$select=SchemaName").status == 501


def test_csdl_names_what_is_played(client: Client) -> None:
    edm = "{http://docs.oasis-open.org/odata/ns/edm}"
    answer = client.ask("GET", "$metadata", accept="application/xml")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/xml")
    root = read_xml(answer.text)
    kinds = {kind.get("Name"): kind for kind in root.iter(f"{edm}EntityType")}
    properties = {item.get("Name"): item.get("Type") for item in kinds["lead"].iter(f"{edm}Property")}
    assert (properties["leadid"], properties["_ownerid_value"], properties["revenue"]) == ("Edm.Guid", "Edm.Guid", "Edm.Decimal")
    targets = [str(item.get("Type")).removeprefix("Collection(").rstrip(")") for item in root.iter(f"{edm}NavigationProperty")]
    assert {target.removeprefix("mscrm.") for target in targets} <= set(kinds)
    sets = {item.get("Name") for item in root.iter(f"{edm}EntitySet")}
    assert sets == {item["name"] for item in client.get("").rows}
    assert client.ask("GET", "$metadata", accept="application/json").status == 415
