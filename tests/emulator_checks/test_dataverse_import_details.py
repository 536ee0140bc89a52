# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dataverse: connection references and environment variables, results per component, time-outs, early rows."""

from __future__ import annotations

import base64
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.emulator.package import ROLE_NAME, UNIQUE_NAME, Variant, build

from .dataverse_org import Client, organisation
from .solution_requests import begin, body, imported, operation, remove, run_through, solution

CONNECTOR = "/providers/Microsoft.PowerApps/apis/shared_sharepointonline"
FULL = Variant(
    connection_references=(("lo_files", CONNECTOR),),
    environment_variables=(("lo_Address", None), ("lo_Colour", "red"), ("lo_Size", None)),
    environment_values=(("lo_Size", "9"),),
)
REFERENCE = {"@odata.type": "Microsoft.Dynamics.CRM.connectionreference", "connectionreferencelogicalname": "lo_files"}
VALUE = {"@odata.type": "Microsoft.Dynamics.CRM.environmentvariablevalue", "schemaname": "lo_Address", "value": "https://example.com"}


@pytest.fixture
def client() -> Client:
    return organisation()


def reference(client: Client) -> Any:
    (row,) = client.get("connectionreferences?$filter=connectionreferencelogicalname%20eq%20'lo_files'").rows
    return row


def values(client: Client) -> dict[str, str]:
    rows = client.get("environmentvariablevalues?$expand=EnvironmentVariableDefinitionId($select=schemaname)").rows
    return {row["EnvironmentVariableDefinitionId"]["schemaname"]: row["value"] for row in rows}


def test_a_package_brings_references_and_variables(client: Client) -> None:
    imported(client, FULL)
    row = reference(client)
    assert (row["connectorid"], row["connectionid"], row["ismanaged"]) == (CONNECTOR, None, True)
    rows = client.get("environmentvariabledefinitions?$select=schemaname,defaultvalue&$orderby=schemaname").rows
    assert [(item["schemaname"], item["defaultvalue"]) for item in rows] == [("lo_Address", None), ("lo_Colour", "red"), ("lo_Size", None)]
    assert values(client) == {"lo_Size": "9"}
    assert remove(client, UNIQUE_NAME).status == 204
    assert client.get("connectionreferences").rows == client.get("environmentvariabledefinitions").rows == client.get("environmentvariablevalues").rows == []


def test_component_parameters(client: Client) -> None:
    imported(client, FULL, ComponentParameters=[{**REFERENCE, "connectionid": "abc", "connectorid": CONNECTOR}, VALUE, {**VALUE, "schemaname": "lo_Nowhere"}])
    assert reference(client)["connectionid"] == "abc"
    assert values(client) == {"lo_Address": "https://example.com", "lo_Size": "9"}
    imported(client, FULL, ComponentParameters=[{**VALUE, "schemaname": "lo_Size", "value": "10"}])
    assert (reference(client)["connectionid"], values(client)["lo_Size"]) == ("abc", "10")
    imported(client, FULL)
    assert values(client)["lo_Size"] == "10"


@pytest.mark.parametrize("bad", [[{"value": "1"}], [{"@odata.type": "Microsoft.Dynamics.CRM.lead"}], "text", [{**VALUE, "schemaname": None}]])
def test_bad_component_parameters(client: Client, bad: Any) -> None:
    assert client.post("ImportSolutionAsync", body(FULL, ComponentParameters=bad)).code == "0x80048d19"


def test_rows_can_be_changed_by_themselves(client: Client) -> None:
    imported(client, FULL)
    assert client.ask("PATCH", f"connectionreferences({reference(client)['connectionreferenceid']})", {"connectionid": "xyz"}).status == 204
    assert reference(client)["connectionid"] == "xyz"
    (definition,) = client.get("environmentvariabledefinitions?$filter=schemaname%20eq%20'lo_Address'").rows
    bound = {"EnvironmentVariableDefinitionId@odata.bind": f"/environmentvariabledefinitions({definition['environmentvariabledefinitionid']})"}
    made = client.post("environmentvariablevalues", {"value": "one", **bound})
    assert made.status == 204
    assert client.post("environmentvariablevalues", {"value": "two", **bound}).code == "0x80040237"
    assert client.post("environmentvariablevalues", {"value": "two"}).code == "0x80048d19"
    assert client.ask("PATCH", f"environmentvariablevalues({made.id})", {"value": "two"}).status == 204
    assert values(client)["lo_Address"] == "two"
    path = "environmentvariabledefinitions?$filter=schemaname%20eq%20'lo_Address'&$expand=environmentvariabledefinition_environmentvariablevalue($select=value)"
    assert client.get(path).rows[0]["environmentvariabledefinition_environmentvariablevalue"][0]["value"] == "two"
    assert client.ask("DELETE", f"environmentvariablevalues({made.id})").status == 204
    assert "lo_Address" not in values(client)
    assert client.ask("DELETE", f"environmentvariabledefinitions({definition['environmentvariabledefinitionid']})").code == "0x8004f032"
    weak = client.with_role({"prvReadconnectionreference": "Global"})
    assert weak.get("connectionreferences").status == 200
    assert weak.ask("PATCH", f"connectionreferences({reference(client)['connectionreferenceid']})", {"connectionid": "no"}).status == 403


def test_a_missing_connection(client: Client) -> None:
    client.behave(missing_connection="refuse")
    row, _unused = run_through(client, FULL)
    assert (row["statuscode"], "lo_files" in row["message"]) == (31, True)
    client.behave(missing_connection="warning")
    _unused, job = run_through(client, FULL)
    assert 'result="warning"' in job.body["data"]
    client.behave(missing_connection="refuse")
    imported(client, FULL, ComponentParameters=[{**REFERENCE, "connectionid": "abc"}])
    imported(client, FULL)


def test_results_per_component(client: Client) -> None:
    told = [
        {"name": ROLE_NAME, "result": "warning", "text": "Look."},
        {"name": "lo_files", "result": "failure", "code": "0x80044182", "text": "No."},
        {"name": "A flow", "type": "workflow", "result": "failure", "text": "Off."},
    ]
    client.behave(component_results=told)
    row, job = run_through(client, FULL)
    assert row["statuscode"] == 30
    root = ET.fromstring(job.body["data"])  # noqa: S314 (our own)
    assert root.get("succeeded") == "warning"
    found = {item.get("id"): (item.tag, result.get("result"), result.get("errorcode")) for item in root.iter() if (result := item.find("result")) is not None}
    assert found["lo_files"] == ("connectionreference", "failure", "0x80044182")
    assert found["A flow"] == ("workflow", "failure", "0x80048033")
    assert found["lo_Colour"] == ("environmentvariabledefinition", "success", "0")
    assert found[UNIQUE_NAME][1] == "success"
    path = f"RetrieveSolutionImportResult(ImportJobId={job.body['importjobid']})"
    result = client.get(path).body["SolutionOperationResult"]
    assert (result["Status"], result["WarningMessages"]) == ("Passed", [f"{ROLE_NAME}: Look."])
    assert result["ErrorMessages"] == ["lo_files: No.", "A flow: Off."]
    assert "0x80044182" in result["FormattedResults"]
    client.behave(partial_result="Failed")
    assert client.get(path).body["SolutionOperationResult"]["Status"] == "Failed"


def test_the_sheet_of_the_result_has_the_columns_of_the_recording(client: Client) -> None:
    client.behave(component_results=[{"name": "lo_files", "result": "failure", "code": "0x80044182", "text": "No."}])
    _unused, job = run_through(client, FULL)
    path = f"RetrieveSolutionImportResult(ImportJobId={job.body['importjobid']})"
    root = ET.fromstring(client.get(path).body["SolutionOperationResult"]["FormattedResults"])  # noqa: S314 (our own)
    space = "{urn:schemas-microsoft-com:office:spreadsheet}"
    rows = [{cell.get("name"): cell.findtext(f"{space}Data") for cell in row} for row in root.iter(f"{space}Row")]
    columns = ["Time", "ItemType", "Id", "Name", "LocalizedName", "OriginalName", "Description", "Status", "ErrorCode", "ErrorText"]
    assert all(list(row) == columns for row in rows[1:])
    assert [(row["ItemType"], row["ErrorCode"], row["ErrorText"]) for row in rows[1:] if row["ErrorText"]] == [("connectionreference", "0x80044182", "No.")]


def test_the_data_of_an_import_can_be_missing_or_cut_off(client: Client) -> None:
    client.behave(job_data="none")
    row, job = run_through(client, FULL)
    assert (row["statuscode"], job.body["data"]) == (30, "")
    path = f"RetrieveSolutionImportResult(ImportJobId={job.body['importjobid']})"
    assert client.get(path).body["SolutionOperationResult"]["Status"] == "Passed"
    client.behave(job_data="broken")
    _unused, job = run_through(client, FULL)
    assert job.body["data"].startswith("<importexportxml")
    with pytest.raises(ET.ParseError):
        ET.fromstring(job.body["data"])  # noqa: S314 (our own)


def test_components_of_a_failed_import(client: Client) -> None:
    client.behave(component_results=[{"name": ROLE_NAME, "text": "Broken."}], import_fails="All broken.")
    row, job = run_through(client, FULL)
    assert row["statuscode"] == 31
    assert 'succeeded="failure"' in job.body["data"]
    result = client.get(f"RetrieveSolutionImportResult(ImportJobId={job.body['importjobid']})").body["SolutionOperationResult"]
    assert (result["Status"], result["ErrorMessages"]) == ("Failed", ["All broken.", f"{ROLE_NAME}: Broken."])


@pytest.mark.parametrize(("action", "members"), [("ImportSolutionAsync", {}), ("ImportSolution", {"ImportJobId": "33333333-3333-4333-8333-333333333333"})])
def test_an_answer_that_says_timed_out_while_the_import_goes_on(client: Client, action: str, members: dict[str, str]) -> None:
    client.behave(import_timeout="answer")
    answer = client.post(action, body(**members))
    assert (answer.status, answer.code) == (500, "0x80048543")
    client.behave(import_timeout=None)
    assert client.post("ImportSolutionAsync", body()).code == "0x80071151"
    client.world.advance(101)
    assert solution(client, UNIQUE_NAME)["version"] == "1.0.0.0"
    assert len(client.get("importjobs").rows) == 1


def test_a_system_job_that_says_timed_out_while_the_import_goes_on(client: Client) -> None:
    client.behave(import_timeout="job")
    operation_id, job_id = begin(client)
    client.world.advance(60)
    row = operation(client, operation_id)
    assert (row["statuscode"], row["errorcode"]) == (31, 0x80048543 - (1 << 32))
    assert client.post("PublishAllXml").code == "0x80071151"
    assert client.get(f"importjobs({job_id})").body["completedon"] is None
    client.world.advance(41)
    assert solution(client, UNIQUE_NAME) is not None
    assert client.get(f"importjobs({job_id})").body["completedon"] is not None
    assert operation(client, operation_id)["statuscode"] == 31


def test_a_synchronous_import_that_the_gateway_does_not_wait_for(client: Client) -> None:
    client.tenant.change(timing={**client.tenant.document["timing"], "sync_import": 200.0})
    job_id = "33333333-3333-4333-8333-333333333333"
    assert client.post("ImportSolution", body(ImportJobId=job_id)).status == 504
    client.world.advance(100)
    assert 0 < client.get(f"importjobs({job_id})").body["progress"] < 70
    client.world.advance(101)
    assert solution(client, UNIQUE_NAME) is not None


def test_the_solution_may_be_seen_early(client: Client) -> None:
    client.behave(solution_row_early=True)
    operation_id, _unused = begin(client)
    client.world.advance(30)
    assert solution(client, UNIQUE_NAME)["version"] == "1.0.0.0"
    assert not [role for role in client.org.rows("role") if role["name"] == ROLE_NAME]
    assert client.ask("PATCH", f"asyncoperations({operation_id})", {"statecode": 3, "statuscode": 32}).status == 204
    assert solution(client, UNIQUE_NAME) is None
    client.behave(import_fails="Late.")
    begin(client)
    client.world.advance(30)
    assert solution(client, UNIQUE_NAME) is not None
    client.world.advance(71)
    assert solution(client, UNIQUE_NAME) is None
    client.behave(import_fails=None)
    imported(client, Variant())
    assert solution(client, UNIQUE_NAME)["updatedon"] is None


def test_staging_leaves_a_row(client: Client) -> None:
    content = base64.b64encode(build(FULL)).decode()
    client.behave(stage_validation=[{"message": "Beware."}])
    results = client.post("StageSolution", {"CustomizationFile": content}).body["StageSolutionResults"]
    assert results["StageSolutionStatus"] == "Passed"
    assert [item["SolutionValidationResultType"] for item in results["SolutionValidationResults"]] == ["Warning"]
    kinds = [item["ComponentTypeName"] for item in results["SolutionComponentsDetails"]]
    assert kinds[-5:] == ["connectionreference", *["EnvironmentVariableDefinition"] * 3, "EnvironmentVariableValue"]
    upload = results["StageSolutionUploadId"]
    assert client.get(f"stagesolutionuploads({upload})").body["solutionuniquename"] == UNIQUE_NAME
    assert client.ask("DELETE", f"stagesolutionuploads({upload})").status == 204
    staged = body(SolutionParameters={"StageSolutionUploadId": upload})
    del staged["CustomizationFile"]
    assert client.post("ImportSolutionAsync", staged).code == "0x8004f066"
    client.behave(stage_validation=[{"message": "No.", "type": "Error"}])
    assert client.post("StageSolution", {"CustomizationFile": content}).body["StageSolutionResults"]["StageSolutionStatus"] == "Failed"


def test_the_history_may_be_closed(client: Client) -> None:
    client.behave(solution_history="refused")
    assert client.get("msdyn_solutionhistories").code == "0x80040220"
    client.behave(solution_history="missing")
    assert client.get("msdyn_solutionhistories").code == "0x80060888"
