# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What crm_solution tells of what lasts long, and how it follows it: removals, applications of upgrades, publications, locks."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.leadops.dynamics365.plugins.modules import crm_solution as module
from ansible_collections.leadops.dynamics365.tests.unit.plugins.solution_wire import (
    FOREIGN,
    HOLDING,
    JOB,
    LOCK,
    MODERN,
    NAME,
    OPERATION,
    SOLUTION_ID,
    entry,
    import_of,
    job,
    long_polled,
    operations,
    patches,
    polled,
    result,
    roles,
    running,
    solutions,
    start,
    system_jobs,
)
from ansible_collections.leadops.dynamics365.tests.unit.plugins.solution_zip import manifest, write_package
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import DATAVERSE, Expected, Run, run

PROMOTE, UNINSTALL, PUBLISH = "DeleteAndPromoteAsync", "UninstallSolutionAsync", "PublishAllXmlAsync"
CUT = {"status": 504, "answer": b"<html>504 Gateway Time-out</html>"}
NO_ACTION = {"error": {"code": "0x80060888", "message": "Resource not found for the segment 'UninstallSolutionAsync'."}}
OLD = {"organization_version": "9.1.0.643"}
OVER = long_polled(3, 30)
AT_WORK = long_polled(2, 20)


@pytest.fixture
def package(tmp_path: Path) -> str:
    return write_package(tmp_path)


@pytest.fixture
def unmanaged(tmp_path: Path) -> str:
    directory = tmp_path / "unmanaged"
    directory.mkdir()
    return write_package(directory, manifest(managed="0"))


def sent(action: str, body: dict[str, t.Any], *, status: int = 200, answer: t.Any = None) -> Expected:
    return Expected("POST", f"{DATAVERSE}/{action}", status, answer or {"AsyncOperationId": OPERATION}, body=body)


def deleted(*, status: int = 204, answer: t.Any = None) -> Expected:
    return Expected("DELETE", f"{DATAVERSE}/solutions({SOLUTION_ID})", status, answer)


def gone(*, there: bool = False) -> Expected:
    missing = {"error": {"code": "0x80040217", "message": "solution Does Not Exist"}}
    url = f"{DATAVERSE}/solutions({SOLUTION_ID})?$select=solutionid"
    return Expected("GET", url, 200 if there else 404, {"solutionid": SOLUTION_ID} if there else missing)


REMOVABLE = (
    solutions("1.0"),
    Expected("GET", f"{DATAVERSE}/RetrieveDependenciesForUninstall(SolutionUniqueName='{NAME}')", answer={"value": []}),
    patches(),
)
UNINSTALLED = sent(UNINSTALL, {"SolutionUniqueName": NAME})


def removal(*script: Expected, **args: t.Any) -> Run:
    return run(module, {"name": NAME, "state": "absent", **MODERN, **args}, *REMOVABLE, *script)


def test_a_removal_tells_its_state_and_makes_no_percentage_up():
    looks = [AT_WORK for _unused in range(7)]
    ended = removal(system_jobs(UNINSTALL), UNINSTALLED, long_polled(0, 0), *looks, OVER, gone())
    assert ended.result["changed"] is True
    assert f"in progress, last movement 15 s ago, 16 s so far (system job {OPERATION})" in ended.progress[0]
    assert "in progress, last movement 25 s ago, 26 s so far" in ended.progress[1]
    assert OPERATION not in ended.progress[1]
    assert not any("%" in line for line in ended.progress)


def test_a_removal_that_goes_on_is_told_with_its_job_and_found_by_the_next_run():
    looks = [AT_WORK for _unused in range(8)]
    ended = removal(system_jobs(UNINSTALL), UNINSTALLED, *looks, wait_timeout=30)
    assert ended.failed
    assert ended.result["error"]["kind"] == "WaitedTooLong"
    assert f"the system job {OPERATION} still runs after 30 s (in progress, last movement" in ended.result["msg"]
    assert ended.result["system_job"]["id"] == OPERATION
    assert ended.result["changed"] is True
    again = removal(system_jobs(UNINSTALL, (OPERATION, 2, 20)), AT_WORK, OVER, gone())
    assert again.result["changed"] is False
    assert again.result["action"] == "none"
    assert any(OPERATION in line and "runs already" in line for line in again.progress)


def test_a_removal_without_movement_is_pointed_out_once():
    looks = [AT_WORK for _unused in range(75)]
    ended = removal(system_jobs(UNINSTALL), UNINSTALLED, *looks, wait_timeout=700)
    stalls = [line for line in ended.progress if "no movement for 10 min" in line]
    assert len(stalls) == 1
    assert "tells no percentage of this" in stalls[0]
    assert len(ended.progress) < 30


@pytest.mark.parametrize(
    ("row", "kind", "told"),
    [
        (
            {"message": "Solution dependencies exist, cannot uninstall. DependencyCount : 2", "errorcode": -2147160035},
            "solution-in-use",
            "depend on the solution",
        ),
        ({"message": "Something new.", "errorcode": None}, "", "it ran and failed: Something new."),
        ({}, "", "does not say why"),
    ],
)
def test_a_removal_that_fails_in_its_job_tells_why(row: dict[str, t.Any], kind: str, told: str):
    again = REMOVABLE[1:]  # blockers that came meanwhile are looked for
    ended = removal(system_jobs(UNINSTALL), UNINSTALLED, long_polled(3, 31, **row), gone(there=True), *again)
    assert ended.failed
    assert ended.result["error"]["catalogue"] == kind
    assert told in ended.result["msg"]
    assert ended.result["system_job"]["id"] == OPERATION


def test_a_job_that_was_cancelled_is_no_success():
    ended = removal(system_jobs(UNINSTALL), UNINSTALLED, long_polled(3, 32), gone(there=True), *REMOVABLE[1:])
    assert "somebody cancelled it" in ended.result["msg"]


def test_a_job_that_only_met_a_lock_is_started_again():
    number = int.from_bytes(bytes.fromhex("80071151"), "big", signed=True)
    met = long_polled(3, 31, message="Cannot start another [Uninstall] because there is a previous [Import] running at this moment.", errorcode=number)
    ended = removal(system_jobs(UNINSTALL), UNINSTALLED, met, gone(there=True), *running("ImportSolutionAsync", name="Other"), UNINSTALLED, OVER, gone())
    assert not ended.failed, ended.result
    assert any("What runs is an import of Other" in line for line in ended.progress)


def test_an_organisation_without_the_asynchronous_action_gets_the_other():
    ended = removal(
        system_jobs(UNINSTALL), sent(UNINSTALL, {"SolutionUniqueName": NAME}, status=404, answer=NO_ACTION), gone(there=True), entry(NAME), deleted(), gone()
    )
    assert not ended.failed, ended.result
    assert [write["path"] for write in ended.result["writes"]] == [f"solutions({SOLUTION_ID})"]


def test_a_cut_removal_is_followed_by_the_history():
    began = (entry(NAME, 1), deleted(**CUT))
    looks = [gone(there=True) for _unused in range(3)]
    busy = [step for _unused in range(8) for step in (gone(there=True), entry(NAME, 0, msdyn_solutionhistoryid="newer"))]
    ended = removal(*began, *looks, *busy, gone(), **OLD)
    assert not ended.failed, ended.result
    assert any("in progress, by the solution history" in line for line in ended.progress)
    # It ends, and badly: the reason is in the history
    bad = {"msdyn_solutionhistoryid": "newer", "msdyn_result": False, "msdyn_errorcode": -2147160035, "msdyn_exceptionmessage": "Solution dependencies exist."}
    failed = removal(*began, *looks, gone(there=True), entry(NAME, 1, **bad), gone(there=True), *REMOVABLE[1:], **OLD)
    assert failed.result["error"]["catalogue"] == "solution-in-use"


def test_an_application_that_is_at_work_is_no_stranded_upgrade(package: str):
    there = (solutions("0.9", holding="1.0.0.0"), operations(), system_jobs(PROMOTE, (OPERATION, 2, 20)))
    check = import_of(package, *there, operations(), check=True)
    assert not check.failed, check.result
    assert check.result["writes"] == []
    after = (system_jobs(PROMOTE, (OPERATION, 2, 20)), AT_WORK, OVER, solutions("1.0.0.0"), solutions("1.0.0.0"))
    ended = import_of(package, *there, *after)
    assert not ended.failed, ended.result
    assert ended.result["changed"] is False
    assert ended.result["solution"]["installed_version"] == "1.0.0.0"
    still = solutions("0.9", holding="1.0.0.0")
    failed = import_of(package, *there, system_jobs(PROMOTE, (OPERATION, 2, 20)), long_polled(3, 31), still)
    assert "Its application ran, and failed" in failed.result["msg"]


def test_a_publication_that_no_gateway_waits_for_is_no_failure(unmanaged: str):
    publication = Expected("POST", f"{DATAVERSE}/PublishAllXml", **CUT, body={})
    busy = {"error": {"code": "0x80071151", "message": "Cannot start another [PublishAll] because there is a previous [PublishAll] running at this moment."}}
    locked = Expected("POST", f"{DATAVERSE}/PublishAllXml", 429, busy, body={})
    missing = sent(PUBLISH, {}, status=404, answer=NO_ACTION)
    imported = (
        solutions(),
        operations(),
        start(),
        polled(3, 30),
        job(),
        solutions("1.0.0.0", managed=False),
        roles("Lead Writer"),
        system_jobs(PUBLISH),
        missing,
    )
    ended = import_of(unmanaged, *imported, publication, locked, *running(), publication)
    assert not ended.failed, ended.result
    assert "longer than the gateway allows" in ended.result["warnings"][-1]
    # Nobody saw it at work: then it is not known
    unknown = import_of(unmanaged, *imported, publication, publication)
    assert unknown.failed
    assert "The import itself is done" in unknown.result["msg"]


def test_every_wait_for_the_lock_has_a_bound_and_says_what_it_waited_for(package: str, unmanaged: str):
    what = f"a removal of Other (since 08:00:00 UTC, started by Jane Doe, system job {FOREIGN})"
    seen = running(UNINSTALL, name="Other")
    locked = {"status": 429, "answer": LOCK}
    brought = (solutions(), operations(), start(), polled(3, 30), job(), solutions("1.0.0.0", managed=False), roles("Lead Writer"), system_jobs(PUBLISH))
    held = solutions("0.9", holding="1.0.0.0")
    cases = {
        "import": import_of(package, solutions(), operations(), start(429, LOCK), *seen, operations(), solutions(), start(429, LOCK), lock_timeout=1),
        "publication": import_of(unmanaged, *brought, sent(PUBLISH, {}, **locked), *seen, sent(PUBLISH, {}, **locked), lock_timeout=1),
        "application": import_of(
            package,
            *(held, operations(), system_jobs(PROMOTE), system_jobs(PROMOTE)),
            *(sent(PROMOTE, {"UniqueName": NAME}, **locked), held, *seen, sent(PROMOTE, {"UniqueName": NAME}, **locked), held),
            lock_timeout=1,
            stranded_upgrade="apply",
        ),
        "discard": import_of(
            package,
            *(held, operations(), system_jobs(PROMOTE), system_jobs(UNINSTALL)),
            *(sent(UNINSTALL, {"SolutionUniqueName": HOLDING}, **locked), held, *seen, sent(UNINSTALL, {"SolutionUniqueName": HOLDING}, **locked), held),
            lock_timeout=1,
            stranded_upgrade="discard",
        ),
        "removal": removal(
            system_jobs(UNINSTALL),
            *(sent(UNINSTALL, {"SolutionUniqueName": NAME}, **locked), gone(there=True), *seen),
            *(sent(UNINSTALL, {"SolutionUniqueName": NAME}, **locked), gone(there=True), *REMOVABLE[1:]),
            lock_timeout=1,
        ),
    }
    for name, ended in cases.items():
        assert ended.failed, name
        assert ended.result["error"]["catalogue"] == "solution-lock", name
        assert f"for {what}; lock_timeout allows 1 s" in ended.result["msg"], name
        assert any(f"What runs is {what}" in line and "1 s at most" in line for line in ended.progress), name


def test_what_nobody_may_read_is_left_out_of_the_line(package: str):
    steps = running()
    refused = [Expected("GET", step.url, 403, {"error": {"code": "0x80040220", "message": "missing prvRead"}}) for step in steps]
    ended = import_of(package, solutions(), operations(), start(429, LOCK), *refused, operations(), solutions(), start(429, LOCK), lock_timeout=1)
    assert ended.progress[0].startswith(
        f"waiting to import {NAME}: Cannot start another [Import] because there is a previous [PublishAll] running at this moment. 0 s"
    )


def sheet(*rows: tuple[str, str, str, str, str]) -> str:
    names = ("ItemType", "LocalizedName", "Status", "ErrorCode", "ErrorText")
    cells = ("".join(f'<Cell name="{name}"><Data ss:Type="String">{value}</Data></Cell>' for name, value in zip(names, row, strict=True)) for row in rows)
    lines = "".join(f"<Row>{row}</Row>" for row in cells)
    space = "urn:schemas-microsoft-com:office:spreadsheet"
    return f'<?xml version="1.0"?><Workbook xmlns="{space}" xmlns:ss="{space}"><Worksheet><Table>{lines}</Table></Worksheet></Workbook>'


def test_an_import_job_without_data_is_completed_by_the_result(package: str):
    told = result("Passed", sheet=sheet(("Form", "Lead", "Warning", "0x80044182", "A field is missing."), ("Entity", "Lead", "Processed", "", "")))
    ended = import_of(package, solutions(), operations(), start(), polled(3, 30), job(data=""), told, solutions("1.0.0.0"), roles("Lead Writer"))
    assert not ended.failed, ended.result
    assert ended.result["components"] == [{"name": "Lead", "type": "Form", "result": "warning", "code": "0x80044182", "text": "A field is missing."}]
    assert "A field is missing." in ended.result["warnings"][0]


def test_a_job_that_succeeded_with_a_result_that_did_not_is_a_failure(package: str):
    told = result("Failed", ErrorMessages=["The following solution cannot be imported: ContosoLeads. Some dependencies are missing."])
    ended = import_of(package, solutions(), operations(), start(), polled(3, 30), job(data=""), told)
    assert ended.failed
    assert "Some dependencies are missing." in ended.result["msg"]


def test_a_failed_import_names_its_first_cause_and_what_would_bring_what_is_missing(package: str):
    required = '&lt;Required type="1" schemaName="lead" displayName="Lead" solution="msdynce_Sales (9.0.4.0)" /&gt;'
    other = '&lt;Required type="61" schemaName="own_thing" solution="Active" /&gt;'
    dependency = "".join(
        f'&lt;MissingDependency&gt;{item}&lt;Dependent type="20" displayName="R" /&gt;&lt;/MissingDependency&gt;' for item in (required, other)
    )
    text = (
        f"The following solution cannot be imported: {NAME}. Some dependencies are missing. &lt;MissingDependencies&gt;{dependency}&lt;/MissingDependencies&gt;"
    )
    data = (
        '<importexportxml succeeded="failure"><solutionManifests><solutionManifest LocalizedName="Leads"><result result="failure" errorcode="0x80048033" '
        'errortext="Import failed." /></solutionManifest></solutionManifests><securityroles><securityrole LocalizedName="Lead Writer"><result result="failure" '
        f"errorcode=\"0x8004801D\" errortext='{text.replace(chr(39), '')}' /></securityrole></securityroles></importexportxml>"
    )
    wanted = " or ".join(f"uniquename eq '{name}'" for name in ("msdynce_Sales", "Active"))
    url = f"{DATAVERSE}/{solutions().url.split('/v9.2/')[1].split('&$filter')[0]}&$filter={wanted}&$expand=publisherid($select=uniquename)"
    row = {"solutionid": "s", "uniquename": "msdynce_Sales", "friendlyname": "Sales", "version": "9.0.3.0", "ismanaged": True}
    ended = import_of(
        package, solutions(), operations(), start(), polled(3, 31, message="It failed."), job(data=data), Expected("GET", url, answer={"value": [row]})
    )
    assert ended.failed
    assert ended.result["error"]["catalogue"] == "missing-dependencies"
    assert "It failed at the securityrole Lead Writer." in ended.result["msg"]
    assert "msdynce_Sales 9.0.4.0 (for Lead), of which 9.0.3.0 is installed" in ended.result["msg"]
    assert "own_thing, of no solution in the organisation where the package was made" in ended.result["msg"]
    assert ended.result["error"]["next_step"].startswith("Install or update these first: msdynce_Sales 9.0.4.0.")
    assert ended.result["missing_dependencies"][0] == {
        "solution": "msdynce_Sales",
        "version": "9.0.4.0",
        "installed_version": "9.0.3.0",
        "components": ["Lead"],
    }
    assert ended.result["import_job"]["id"] == JOB
