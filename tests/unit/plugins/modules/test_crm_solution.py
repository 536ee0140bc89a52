# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""crm_solution on a scripted wire."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import requests

from ansible_collections.leadops.dynamics365.plugins.modules import crm_solution as module
from ansible_collections.leadops.dynamics365.tests.unit.plugins.solution_wire import (
    FOREIGN,
    HOLDING,
    JOB,
    LOCK,
    NAME,
    NOW,
    OPERATION,
    history,
    import_of,
    job,
    jobs,
    operations,
    patches,
    polled,
    progress,
    result,
    roles,
    running,
    solutions,
    start,
    verified,
)
from ansible_collections.leadops.dynamics365.tests.unit.plugins.solution_zip import ROLE_ID, manifest, write_package
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import DATAVERSE, ORGANIZATION, Expected, run


@pytest.fixture
def package(tmp_path: Path) -> str:
    return write_package(tmp_path)


def test_the_same_version_costs_one_request(package: str):
    ended = import_of(package, solutions("1.0"))
    assert not ended.failed
    assert ended.result["changed"] is False
    assert ended.result["action"] == "none"
    assert ended.result["import_job"] is None
    assert ended.result["solution"]["installed_version"] == "1.0"
    assert ended.result["roles"] == [
        {
            "name": "Lead Writer",
            "id": ROLE_ID,
            "customizable": None,
            "privileges": [{"name": "prvCreateLead", "depth": "organization"}, {"name": "prvReadLead", "depth": "user"}],
        }
    ]


def test_an_install_is_followed_and_verified(package: str):
    begun = (solutions(), operations((FOREIGN, 3, 30)), solutions(), start())
    ended = import_of(package, *begun, polled(0, 0), polled(2, 20), polled(3, 30), job(data="<broken"), result(), *verified())
    assert not ended.failed, ended.result
    assert ended.result["changed"] is True
    assert ended.result["action"] == "install"
    assert ended.result["import_job"] == {"id": JOB, "async_operation_id": OPERATION, "planned": False}
    assert ended.result["writes"] == [
        {"service": "dataverse", "method": "POST", "path": "ImportSolutionAsync", "summary": "install ContosoLeads 1.0.0.0 (managed)"}
    ]
    assert ended.result["diff"]["before"] == {}
    assert ended.result["diff"]["after"] == {"unique_name": NAME, "version": "1.0.0.0", "managed": True}
    assert ended.clock.slept == [0.5, 1.0]


def test_check_mode_predicts_the_writes_without_making_them(package: str):
    ended = import_of(package, solutions("0.9"), operations(), patches(), check=True)
    assert ended.result["changed"] is True
    assert ended.result["action"] == "upgrade"
    assert ended.result["planned"] is True
    assert ended.result["import_job"] == {"id": "", "async_operation_id": "", "planned": True}
    real = import_of(package, solutions("0.9"), patches(), operations(), start(verb="StageAndUpgradeAsync"), polled(3, 30), job(), *verified())
    assert real.result["writes"] == ended.result["writes"]
    assert real.result["diff"] == ended.result["diff"]


def test_a_planned_import_is_not_planned_again(package: str):
    ended = import_of(package, solutions(), check=True, import_job={"planned": True})
    assert ended.result["changed"] is False
    assert ended.result["planned"] is True
    assert ended.result["writes"] == []


def test_a_started_import_is_finished_by_its_handle(package: str):
    begun = import_of(package, solutions(), operations(), start(), wait=False)
    assert begun.result["changed"] is True
    assert begun.result["solution"]["installed_version"] is None
    ended = import_of(package, polled(2, 20), polled(3, 30), job(), *verified(), import_job=begun.result["import_job"])
    assert ended.result["changed"] is False
    assert ended.result["solution"]["installed_version"] == "1.0.0.0"


def test_the_handle_of_another_solution_is_refused(package: str):
    ended = import_of(package, polled(3, 30), job(solutionname="Other"), import_job={"id": JOB, "async_operation_id": OPERATION})
    assert ended.failed
    assert "an import of the solution Other" in ended.result["msg"]


def test_a_running_import_of_the_same_solution_is_followed_instead(package: str):
    ended = import_of(package, solutions(), operations((OPERATION, 2, 20)), jobs({"solutionname": NAME}), polled(3, 30), job(), *verified())
    assert ended.result["changed"] is False
    assert "diff" not in ended.result
    planned = import_of(package, solutions(), operations((OPERATION, 2, 20)), jobs({"solutionname": NAME}), check=True)
    assert planned.result["changed"] is False
    assert planned.result["planned"] is True
    assert planned.result["import_job"]["async_operation_id"] == OPERATION


def test_the_history_tells_before_the_import_job_does(package: str):
    by_name = "/importjobs?$select=importjobid,solutionname,progress,createdon,startedon,completedon,data"
    found = Expected(
        "GET", f"{DATAVERSE}{by_name}&$orderby=createdon desc&$top=1&$filter=solutionname eq '{NAME}' or solutionname eq '{HOLDING}'", answer={"value": []}
    )
    ended = import_of(package, solutions(), operations((OPERATION, 0, 0)), jobs(), history(0), polled(3, 30), found, *verified())
    assert ended.result["changed"] is False


def test_an_import_of_another_solution_is_waited_for(package: str):
    ended = import_of(
        package,
        solutions(),
        operations((FOREIGN, 2, 20)),
        jobs({"solutionname": "Other"}),
        history(status=403),
        *running("StageAndUpgradeAsync", name="Other"),
        operations((FOREIGN, 3, 30)),
        solutions(),
        start(),
        polled(3, 30),
        job(),
        *verified(),
    )
    assert ended.result["changed"] is True
    assert any(f"an upgrade of Other (since 08:00:00 UTC, started by Jane Doe, system job {FOREIGN})" in line for line in ended.progress), ended.progress


def test_a_solution_that_came_while_waiting_is_not_imported_again(package: str):
    ended = import_of(
        package,
        solutions(),
        operations((FOREIGN, 2, 20)),
        jobs(),
        history(1),
        *running("ImportSolutionAsync"),
        operations((FOREIGN, 3, 30)),
        solutions("1.0.0.0"),
        solutions("1.0.0.0"),
    )
    assert ended.result["changed"] is False
    assert ended.result["action"] == "none"


@pytest.mark.parametrize("status", [429, 400, 500])
def test_the_lock_is_waited_for_whatever_its_status(package: str, status: int):
    done = (polled(3, 30), job(), *verified())
    ended = import_of(package, solutions(), operations(), start(status, LOCK), *running(), operations(), solutions(), start(), *done)
    assert not ended.failed, ended.result
    assert any("[PublishAll]" in line for line in ended.progress)


def test_the_lock_is_not_waited_for_without_end(package: str):
    ended = import_of(package, solutions(), operations(), start(429, LOCK), *running("ImportSolutionAsync"), lock_timeout=0)
    assert ended.failed
    assert ended.result["error"]["catalogue"] == "solution-lock"
    assert f"system job {FOREIGN}); lock_timeout allows 0 s" in ended.result["msg"]
    assert ended.result["changed"] is False


def test_a_lock_inside_the_job_starts_the_import_again(package: str):
    number = int.from_bytes(bytes.fromhex("80071151"), "big", signed=True)
    ended = import_of(
        package,
        solutions(),
        operations(),
        start(),
        polled(3, 31, message="locked", errorcode=number),
        job(404),
        operations((OPERATION, 3, 31)),
        solutions(),
        start(),
        polled(3, 30),
        job(),
        *verified(),
    )
    assert not ended.failed, ended.result


def test_a_lost_answer_is_resolved_by_looking(package: str):
    broken = requests.ConnectionError("Connection aborted.")
    ended = import_of(
        package,
        solutions(),
        operations((FOREIGN, 3, 30)),
        solutions(),
        start(raises=broken),
        operations((OPERATION, 2, 20), (FOREIGN, 3, 30)),
        jobs({"solutionname": NAME}),
        polled(3, 30),
        job(),
        *verified(),
    )
    assert not ended.failed, ended.result
    assert ended.result["changed"] is True


def test_a_start_that_had_no_effect_is_made_again_but_not_for_ever(package: str):
    broken = requests.ConnectionError("Connection aborted.")
    looks = [operations() for _unused in range(7)]
    script = [solutions(), operations(), start(raises=broken), *looks, operations(), solutions(), start(), polled(3, 30), job(), *verified()]
    ended = import_of(package, *script)
    assert not ended.failed, ended.result
    again = [operations(), solutions(), start(raises=broken), *looks]
    ended = import_of(package, solutions(), operations(), start(raises=broken), *looks, *again * 3)
    assert ended.failed
    assert ended.result["error"]["kind"] == "OutcomeUnknown"


def test_a_failed_import_is_a_failure_with_its_components(package: str):
    data = (
        '<importexportxml succeeded="failure"><solutionManifests><solutionManifest LocalizedName="Leads"><result result="failure" errorcode="0x8004801D" '
        'errortext="Some dependencies are missing." /></solutionManifest></solutionManifests></importexportxml>'
    )
    ended = import_of(package, solutions(), operations(), start(), polled(3, 31, message="It failed.", errorcode=-2147188685), job(data=data, progress=14.8))
    assert ended.failed
    assert ended.result["error"]["code"] == "0x8004801D"
    assert ended.result["error"]["catalogue"] == "missing-dependencies"
    assert ended.result["components"][0]["type"] == "solutionManifest"
    assert ended.result["import_job"]["id"] == JOB
    assert "It failed." in ended.result["msg"]


def test_success_without_the_solution_or_its_role_is_a_failure(package: str):
    begun = (solutions(), operations(), start(), polled(3, 30), job())
    ended = import_of(package, *begun, *[solutions("0.9") for _unused in range(20)])
    assert ended.failed
    assert "version 0.9" in ended.result["msg"]
    ended = import_of(package, *begun, *[step for _unused in range(20) for step in (solutions("1.0.0.0"), roles())])
    assert ended.failed
    assert "these roles of the package are not there: Lead Writer" in ended.result["msg"]


def test_a_timeout_says_what_still_runs(package: str):
    ended = import_of(
        package,
        solutions(),
        operations(),
        start(),
        *[polled(2, 20) for _unused in range(3)],
        *[polled(2, 20), progress(None)],
        *[polled(2, 20), progress(12.0)],
        *[step for _unused in range(3) for step in (polled(2, 20), progress(45.0))],
        wait_timeout=30,
    )
    assert ended.failed
    assert ended.result["error"]["kind"] == "WaitedTooLong"
    assert ended.result["import_job"] == {"id": JOB, "async_operation_id": OPERATION, "planned": False}
    assert ended.result["changed"] is True
    assert "45 %" in ended.result["msg"]
    assert any("45 %" in line for line in ended.progress)


def test_a_stalled_import_is_pointed_out_once(package: str):
    polls = [step for _unused in range(80) for step in (polled(2, 20), progress(45.0))]
    ended = import_of(package, solutions(), operations(), start(), *[polled(2, 20) for _unused in range(3)], *polls, wait_timeout=700)
    assert ended.failed
    assert sum("stalled" in line for line in ended.progress) == 1


def test_the_organisation_is_asked_for_its_version_only_when_an_import_is_needed(package: str):
    version = Expected("GET", f"{DATAVERSE}/RetrieveVersion", answer={"Version": "9.2.24014.00186"})
    ended = run(module, {"path": package}, solutions(), version, operations(), check=True)
    assert ended.result["writes"][0]["path"] == "ImportSolutionAsync"
    version = Expected("GET", f"{DATAVERSE}/RetrieveVersion", answer={"Version": "9.1.0.643"})
    ended = run(module, {"path": package}, solutions(), version, jobs(), check=True)
    assert ended.result["writes"][0]["path"] == "ImportSolution"


def old_job(body: list[dict[str, t.Any]], root: str) -> Expected:
    """The import job under the id that the module made up: known only when it has been sent."""

    class Late(Expected):
        @property
        def url(self) -> str:
            return f"{root}/importjobs({body[0]['ImportJobId']})?$select=importjobid,solutionname,progress,startedon,completedon{self.columns}"

        @url.setter
        def url(self, value: str) -> None:
            self.columns = value

    return Late("GET", ",data", answer={"solutionname": NAME, "progress": 100.0, "completedon": NOW, "data": ""})


@pytest.mark.parametrize("cut", [False, True])
def test_an_old_organisation_imports_while_we_wait_and_a_cut_is_survived(package: str, cut: bool):  # noqa: FBT001
    root = f"{ORGANIZATION}/api/data/v8.2"
    sent: list[dict[str, t.Any]] = []

    def keep(body: t.Any) -> bool:
        sent.append(body)
        return "ImportJobId" in body

    post = Expected("POST", f"{root}/ImportSolution", 204, body=keep, raises=requests.ReadTimeout("Read timed out.") if cut else None)
    looks = [old_job(sent, root) for _unused in range(3 if cut else 1)]
    for look in looks[:-1]:
        look.url = ""
    ended = run(
        module,
        {"path": package, "api_version": "v8.2"},
        solutions(root=root),
        jobs(root=root),
        post,
        *looks,
        solutions("1.0.0.0", root=root),
        roles("Lead Writer", root=root),
    )
    assert not ended.failed, ended.result
    assert ended.result["import_job"] == {"id": sent[0]["ImportJobId"], "async_operation_id": "", "planned": False}
    assert len(sent) == 1


def test_an_organisation_without_the_asynchronous_action_gets_the_other(package: str):
    sent: list[dict[str, t.Any]] = []

    def keep(body: t.Any) -> bool:
        sent.append(body)
        return "ImportJobId" in body

    missing = {"error": {"code": "0x80060888", "message": "Resource not found for the segment 'ImportSolutionAsync'."}}
    post = Expected("POST", f"{DATAVERSE}/ImportSolution", 204, body=keep)
    ended = import_of(package, solutions(), operations(), start(404, missing), jobs(), post, old_job(sent, DATAVERSE), *verified())
    assert not ended.failed, ended.result
    assert ended.result["writes"][0]["path"] == "ImportSolution"


def test_dependencies_are_checked_before_anything_is_written(tmp_path: Path):
    package = write_package(tmp_path, manifest(dependencies=("Sales (9.1.0.0)",)))
    ended = import_of(package, solutions(names=(NAME, "Sales")))
    assert ended.failed
    assert "Sales 9.1.0.0 (for Lead), which is not installed" in ended.result["msg"]


@pytest.mark.parametrize(
    ("args", "option"),
    [
        ({"path": "/nowhere/x.zip"}, "path"),
        ({"checksum": "sha256:" + "0" * 64}, "checksum"),
        ({"poll_interval": 0}, "poll_interval"),
        ({"organization_version": "nine"}, "organization_version"),
        ({"import_job": {"id": "x"}}, "import_job.id"),
        ({"import_job": {"id": "", "planned": False}}, "import_job"),
    ],
)
def test_wrong_options_are_refused_before_the_first_request(package: str, args: dict[str, t.Any], option: str):
    ended = import_of(package, **args)
    assert ended.failed
    assert ended.result["error"]["kind"] == "InvalidOption"
    assert f": {option}: " in ended.result["msg"]


def test_a_url_needs_a_checksum():
    ended = run(module, {"source_url": "https://downloads.example.com/x.zip"})
    assert "checksum: is missing" in ended.result["msg"]
