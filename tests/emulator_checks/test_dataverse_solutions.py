# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dataverse: solution packages, from staging to removal."""

from __future__ import annotations

import base64
from xml.etree import ElementTree as ET

import pytest

from tests.emulator.dataverse import install_stand_in
from tests.emulator.package import ROLE_ID, ROLE_NAME, UNIQUE_NAME, Variant, build

from .dataverse_org import API, PERSON_ID, Client, organisation
from .solution_requests import begin, body, operation, run_through

# Every member of recorded answers of the real service.
OPERATION = (
    "statecode asyncoperationid timezoneruleversionnumber createdon completedon depth messagename _ownerid_value name correlationid parentpluginexecutionid "
    "iswaitingforevent correlationupdatedtime hostid retainjobhistory _modifiedby_value statuscode operationtype modifiedon sequence _modifiedonbehalfby_value "
    "retrycount executiontimespan _createdonbehalfby_value _createdby_value startedon _owningbusinessunit_value dependencytoken _owninguser_value subtype "
    "expanderstarttime datablobid_name postponeuntil datablobid workload primaryentitytype data recurrencestarttime _regardingobjectid_value "
    "_workflowactivationid_value _owningextensionid_value requestid utcconversiontimezonecode callerorigin rootexecutioncontext recurrencepattern "
    "friendlymessage errorcode workflowstagename breadcrumbid message _owningteam_value"
).split()
SOLUTION = (
    "@odata.etag installedon solutionpackageversion _configurationpageid_value solutionid modifiedon uniquename isapimanaged _publisherid_value ismanaged "
    "isvisible thumbprint pinpointpublisherid version _modifiedonbehalfby_value _parentsolutionid_value pinpointassetid pinpointsolutionid friendlyname "
    "_organizationid_value versionnumber templatesuffix upgradeinfo _createdonbehalfby_value _modifiedby_value createdon updatedon description solutiontype "
    "pinpointsolutiondefaultlocale _createdby_value"
).split()
DETAILS = (
    "SolutionUniqueName SolutionFriendlyName SolutionDescription PublisherUniqueName PublisherFriendlyName PreviousSolutionUniqueName "
    "PreviousSolutionFriendlyName PreviousPublisherUniqueName PreviousPublisherFriendlyName IsPatchSolution IsManaged PreviousIsManaged SolutionVersion "
    "PreviousSolutionVersion PreviousPatchSolutionsNames IsPrerequisitesExport HasPendingUpgrade"
).split()


@pytest.fixture
def client() -> Client:
    return organisation()


def test_the_package_is_the_same_every_time() -> None:
    assert build() == build()
    assert build(Variant(version="1.0.0.1")) != build()


def test_an_import_from_start_to_end(client: Client) -> None:
    answer = client.post("ImportSolutionAsync", body())
    assert answer.status == 200
    assert set(answer.body) == {"@odata.context", "ImportJobKey", "AsyncOperationId"}
    assert answer.body["@odata.context"] == f"{API}/$metadata#Microsoft.Dynamics.CRM.ImportSolutionAsyncResponse"
    operation_id, job_id = answer.body["AsyncOperationId"], answer.body["ImportJobKey"]
    row = operation(client, operation_id)
    assert set(OPERATION) <= set(row)
    assert (row["statecode"], row["statuscode"], row["completedon"]) == (0, 0, None)
    early = client.get(f"importjobs({job_id})")
    assert (early.status, early.code, early.message) == (404, "0x80040217", f"Entity 'importjob' With Id = {job_id} Does Not Exist")
    client.world.advance(20)
    assert (operation(client, operation_id)["statecode"], operation(client, operation_id)["statuscode"]) == (2, 20)
    progress = client.get(f"importjobs({job_id})?$select=progress,data,solutionname").body
    assert 0 < progress["progress"] < 50
    assert client.get(f"solutions?$filter=uniquename%20eq%20'{UNIQUE_NAME}'").rows == []
    client.world.advance(81)
    row = operation(client, operation_id)
    assert (row["statecode"], row["statuscode"], row["message"], row["errorcode"]) == (3, 30, None, None)
    assert row["completedon"] is not None
    assert (row["operationtype"], row["messagename"]) == (54, "ImportSolutionAsync")
    job = client.get(f"importjobs({job_id})").body
    assert progress["progress"] < job["progress"] < 100
    manifest = ET.fromstring(job["data"]).find(  # noqa: S314 (our own)
        "solutionManifests/solutionManifest"
    )
    assert manifest is not None
    assert manifest.findtext("UniqueName") == UNIQUE_NAME
    result = manifest.find("result")
    assert result is not None
    assert (result.get("result"), result.get("errorcode")) == ("success", "0")


def test_what_an_import_leaves(client: Client) -> None:
    run_through(client)
    (solution,) = client.get(f"solutions?$filter=uniquename%20eq%20'{UNIQUE_NAME.lower()}'&$expand=publisherid($select=uniquename)").rows
    assert set(SOLUTION) <= set(solution)
    assert (solution["version"], solution["ismanaged"], solution["updatedon"]) == ("1.0.0.0", True, None)
    assert solution["publisherid"]["uniquename"] == "leadopsstandin"
    root, copy = client.role(ROLE_NAME), client.role(ROLE_NAME, client.child_unit)
    assert root["roleid"] == ROLE_ID
    assert copy["_parentrootroleid_value"] == ROLE_ID
    assert root["ismanaged"] is True
    assert root["iscustomizable"]["Value"] is True
    items = client.get(f"RetrieveRolePrivilegesRole(RoleId={ROLE_ID})").body["RolePrivileges"]
    assert {"prvCreateLead": "Global", "prvReadSolution": "Global"}.items() <= {item["PrivilegeName"]: item["Depth"] for item in items}.items()
    components = client.get(f"solutioncomponents?$filter=_solutionid_value%20eq%20{solution['solutionid']}").rows
    assert [(row["componenttype"], row["objectid"]) for row in components] == [(20, ROLE_ID)]
    (history,) = client.get(f"msdyn_solutionhistories?$filter=msdyn_name%20eq%20'{UNIQUE_NAME}'").rows
    assert (history["msdyn_status"], history["msdyn_result"]) == (1, True)


def test_the_finished_state_is_the_same_as_the_seeded_one(client: Client) -> None:
    seeded = organisation()
    install_stand_in(seeded.world, seeded.tenant)
    run_through(client)
    for one in (client, seeded):
        assert one.role(ROLE_NAME)["_privileges"] == client.role(ROLE_NAME)["_privileges"]
        assert len(one.get(f"solutions?$filter=uniquename%20eq%20'{UNIQUE_NAME}'").rows) == 1


def test_result_of_an_import(client: Client) -> None:
    operation_id, job_id = begin(client)
    unknown = client.get(f"RetrieveSolutionImportResult(ImportJobId={operation_id})")
    assert (unknown.status, unknown.code) == (400, "0x80044252")
    client.world.advance(101)
    result = client.get(f"RetrieveSolutionImportResult(ImportJobId={job_id})").body["SolutionOperationResult"]
    assert set(result) == {"FormattedResults", "Type", "Status", "WarningMessages", "ErrorMessages", "ActionLink"}
    assert (result["Type"], result["Status"], result["ErrorMessages"]) == ("Import", "Passed", [])


def test_the_lock(client: Client) -> None:
    begin(client)
    solution = client.get("solutions?$filter=uniquename%20eq%20'msdynce_Sales'").rows[0]["solutionid"]
    for answer, name in (
        (client.post("ImportSolutionAsync", body()), "Import"),
        (client.post("PublishAllXml"), "PublishAll"),
        (client.ask("DELETE", f"solutions({solution})"), "Uninstall"),
    ):
        assert (answer.status, answer.code) == (429, "0x80071151")
        assert answer.message.startswith(f"Cannot start another [{name}] because there is a previous [Import] running at this moment.")
        assert "retry-after" not in answer.headers
    client.behave(lock_retry_after=7)
    assert client.post("PublishAllXml").headers["retry-after"] == "7"
    client.world.advance(101)
    assert client.post("PublishAllXml").status == 204


@pytest.mark.parametrize(
    ("first", "second", "action", "code"),
    [
        (None, Variant(missing_dependency="ContosoBase (2.0.0.0)"), "ImportSolutionAsync", "0x8004801d"),
        (None, Variant(missing_dependency="ProductivityToolsAnchor (99.0)"), "ImportSolutionAsync", "0x8004801d"),
        (None, Variant(extra_privilege="prvReadNonsense"), "ImportSolutionAsync", "0x80048058"),
        (None, Variant(extra_privilege="prvReadUserEntityUISettings"), "ImportSolutionAsync", "0x8004140b"),
        (Variant(managed=False), Variant(), "ImportSolutionAsync", "0x80048040"),
        (Variant(), Variant(managed=False), "ImportSolutionAsync", "0x80048041"),
        (Variant(), Variant(publisher="somebodyelse"), "ImportSolutionAsync", "0x8004801c"),
        (Variant(), Variant(), "StageAndUpgradeAsync", "0x80048541"),
        (Variant(version="2.0"), Variant(version="1.9.9.9"), "ImportSolutionAsync", "0x80048541"),
    ],
)
def test_imports_that_fail_in_the_job(client: Client, first: Variant | None, second: Variant, action: str, code: str) -> None:
    if first is not None:
        assert run_through(client, first)[0]["statuscode"] == 30
    before = client.get("solutions?$select=uniquename,version").rows
    row, job = run_through(client, second, action)
    assert (row["statecode"], row["statuscode"]) == (3, 31)
    assert row["errorcode"] == int(code, 16) - (1 << 32)
    assert row["message"]
    assert job.body["progress"] < 100
    assert f'errorcode="{code}"' in job.body["data"]
    assert [solution["version"] for solution in client.get("solutions?$select=uniquename,version").rows] == [solution["version"] for solution in before]
    job_id = job.body["importjobid"]
    assert client.get(f"RetrieveSolutionImportResult(ImportJobId={job_id})").body["SolutionOperationResult"]["Status"] == "Failed"


def test_a_declared_dependency_that_is_met(client: Client) -> None:
    assert run_through(client, Variant(missing_dependency="ProductivityToolsAnchor (9.2.1.9999)"))[0]["statuscode"] == 30


def test_without_the_sales_app_there_is_no_lead_table() -> None:
    client = organisation(features={"sales_app": False})
    assert client.get("leads").code == "0x80060888"
    assert client.get("privileges?$filter=name%20eq%20'prvReadLead'").rows == []
    row, job = run_through(client)
    assert row["errorcode"] == 0x8004801D - (1 << 32)
    assert "<MissingDependencies>" in row["message"]
    assert "schemaName=&quot;lead&quot;" in job.body["data"]


def test_update_and_upgrade(client: Client) -> None:
    run_through(client)
    again, _unused = run_through(client)
    assert again["statuscode"] == 30
    upgraded, _unused = run_through(client, Variant(version="1.0.0.1"), "StageAndUpgradeAsync")
    assert (upgraded["statuscode"], upgraded["messagename"]) == (30, "StageAndUpgradeAsync")
    (solution,) = client.get(f"solutions?$filter=uniquename%20eq%20'{UNIQUE_NAME}'").rows
    assert solution["version"] == "1.0.0.1"
    assert solution["updatedon"] is not None
    assert len([role for role in client.org.rows("role") if role["name"] == ROLE_NAME]) == 2


@pytest.mark.parametrize("overwrite", [True, False])
def test_overwriting_takes_changes_of_the_role_back(client: Client, overwrite: bool) -> None:  # noqa: FBT001
    run_through(client)
    item = {"PrivilegeId": client.privilege("prvReadAsyncOperation"), "Depth": "Global"}
    assert client.post(f"roles({ROLE_ID})/Microsoft.Dynamics.CRM.AddPrivilegesRole", {"Privileges": [item]}).status == 204
    run_through(client, OverwriteUnmanagedCustomizations=overwrite)
    assert (item["PrivilegeId"] in client.role(ROLE_NAME)["_privileges"]) is not overwrite


@pytest.mark.parametrize("left_out", ["solution.xml", "customizations.xml", "[Content_Types].xml"])
def test_bad_packages(client: Client, left_out: str) -> None:
    answer = client.post("ImportSolutionAsync", body(Variant(without=(left_out,))))
    assert (answer.status, answer.code) == (400, "0x80048060")


def test_bad_bodies(client: Client) -> None:
    assert client.post("ImportSolutionAsync", body(CustomizationFile="%%%")).code == "0x80048d19"
    assert client.post("ImportSolutionAsync", body(CustomizationFile=base64.b64encode(b"no zip").decode())).code == "0x80048060"
    assert client.post("ImportSolutionAsync", body(Colour="red")).status == 400
    assert client.post("ImportSolutionAsync", body(CustomizationFile=None)).code == "0x8004f066"
    without = body()
    del without["PublishWorkflows"]
    assert client.post("ImportSolutionAsync", without).status == 400
    assert client.post("ImportSolutionAsync", body(HoldingSolution="yes")).status == 400


def test_import_job_id(client: Client) -> None:
    job_id = "33333333-3333-4333-8333-333333333333"
    assert client.post("ImportSolutionAsync", body(ImportJobId=job_id)).status == 400
    client.behave(reject_import_job_id=False)
    assert begin(client, ImportJobId=job_id)[1] == job_id
    client.world.advance(101)
    assert client.post("ImportSolutionAsync", body(ImportJobId=job_id)).code == "0x80071152"


def test_synchronous_import(client: Client) -> None:
    job_id = "33333333-3333-4333-8333-333333333333"
    assert client.post("ImportSolution", body()).status == 400
    assert client.post("ImportSolution", body(ImportJobId=job_id)).status == 204
    assert client.role(ROLE_NAME)["roleid"] == ROLE_ID
    assert client.get(f"importjobs({job_id})?$select=progress").status == 200
    failed_id = "33333333-3333-4333-8333-333333333334"
    failed = client.post("ImportSolution", body(Variant(publisher="other"), ImportJobId=failed_id))
    assert (failed.status, failed.code) == (400, "0x8004801c")
    assert 'result="failure"' in client.get(f"importjobs({failed_id})").body["data"]


def test_on_an_8_2_organisation_only_the_synchronous_form_exists() -> None:
    client = organisation(org_version="8.2.2.112")
    job_id = "33333333-3333-4333-8333-333333333333"
    assert client.post("/api/data/v8.2/ImportSolution", body(ImportJobId=job_id)).status == 204
    assert client.get(f"/api/data/v8.2/RetrieveSolutionImportResult(ImportJobId={job_id})").status == 404


def test_switches_that_fail_and_stall(client: Client) -> None:
    client.behave(import_fails="Something went wrong.")
    row, _unused = run_through(client)
    assert (row["statuscode"], row["friendlymessage"]) == (31, "Something went wrong.")
    client.behave(import_fails={"message": "At once.", "code": "0x8004801e", "early": True})
    row, job = run_through(client)
    assert (row["statuscode"], row["errorcode"], job.status) == (31, 0x8004801E - (1 << 32), 404)
    client.behave(import_fails=None, import_stalls=True)
    operation_id, _unused = begin(client)
    client.world.advance(10_000)
    assert operation(client, operation_id)["statuscode"] == 20
    client.behave(import_stalls=False)
    assert operation(client, operation_id)["statuscode"] == 30


def test_cancelling(client: Client) -> None:
    operation_id, _unused = begin(client)
    client.world.advance(50)
    assert client.ask("PATCH", f"asyncoperations({operation_id})", {"statecode": 3, "statuscode": 32}).status == 204
    client.world.advance(100)
    assert operation(client, operation_id)["statuscode"] == 32
    assert client.get(f"solutions?$filter=uniquename%20eq%20'{UNIQUE_NAME}'").rows == []


def test_the_shipped_role_may_be_closed(client: Client) -> None:
    client.behave(lead_role_customizable=False)
    run_through(client)
    assert client.role(ROLE_NAME)["iscustomizable"]["Value"] is False
    item = {"PrivilegeId": client.privilege("prvReadAsyncOperation"), "Depth": "Global"}
    assert client.post(f"roles({ROLE_ID})/Microsoft.Dynamics.CRM.AddPrivilegesRole", {"Privileges": [item]}).status == 403


def test_staging(client: Client) -> None:
    content = body()["CustomizationFile"]
    results = client.post("StageSolution", {"CustomizationFile": content}).body["StageSolutionResults"]
    assert set(results) == {
        *("StageSolutionUploadId", "StageSolutionStatus", "SolutionComponentsDetails"),
        *("SolutionDetails", "MissingDependencies", "SolutionValidationResults"),
    }
    assert set(DETAILS) == set(results["SolutionDetails"])
    assert results["StageSolutionStatus"] == "Passed"
    assert results["SolutionComponentsDetails"][1]["IsPresentInOrg"] == "False"
    assert client.get(f"solutions?$filter=uniquename%20eq%20'{UNIQUE_NAME}'").rows == []
    staged = body(SolutionParameters={"StageSolutionUploadId": results["StageSolutionUploadId"]})
    del staged["CustomizationFile"]
    assert client.post("ImportSolutionAsync", staged).status == 200
    client.world.advance(101)
    assert client.get(f"roles({ROLE_ID})").body["name"] == ROLE_NAME
    broken = base64.b64encode(build(Variant(missing_dependency="ContosoBase (2.0.0.0)"))).decode()
    refused = client.post("StageSolution", {"CustomizationFile": broken}).body["StageSolutionResults"]
    assert refused["StageSolutionStatus"] == "Failed"
    assert refused["MissingDependencies"][0]["RequiredSolutionName"] == "ContosoBase (2.0.0.0)"
    assert refused["SolutionValidationResults"][0]["ErrorCode"] == 0x8004801D - (1 << 32)


def test_removal(client: Client) -> None:
    run_through(client)
    assert client.give(PERSON_ID, ROLE_ID).status == 204
    (solution,) = client.get(f"solutions?$filter=uniquename%20eq%20'{UNIQUE_NAME}'").rows
    assert client.get(f"RetrieveDependenciesForUninstall(SolutionUniqueName='{UNIQUE_NAME}')").rows == []
    assert client.ask("DELETE", f"solutions({solution['solutionid']})").status == 204
    assert client.ask("DELETE", f"solutions({solution['solutionid']})").status == 404
    assert not [role for role in client.org.rows("role") if role["name"] == ROLE_NAME]
    assert client.get(f"systemusers({client.user(PERSON_ID)['systemuserid']})/systemuserroles_association").rows == []
    default = client.get("solutions?$filter=uniquename%20eq%20'Default'").rows[0]["solutionid"]
    assert client.ask("DELETE", f"solutions({default})").code == "0x8004f005"


def test_importing_takes_rights(client: Client) -> None:
    weak = client.with_role({"prvReadSolution": "Global"})
    refused = weak.post("ImportSolutionAsync", body())
    assert (refused.status, refused.code) == (403, "0x80040220")
    assert "is missing prvImportCustomization privilege" in refused.message
    assert weak.post("PublishAllXml").status == 403
    item = {"PrivilegeId": client.privilege("prvImportCustomization"), "Depth": "Global"}
    reading = {"PrivilegeId": client.privilege("prvReadAsyncOperation"), "Depth": "Basic"}
    assert client.post(f"roles({client.role('Test role')['roleid']})/Microsoft.Dynamics.CRM.AddPrivilegesRole", {"Privileges": [item, reading]}).status == 204
    operation_id, _unused = begin(weak)
    client.world.advance(101)
    assert operation(weak, operation_id)["errorcode"] == 0x80048018 - (1 << 32)
