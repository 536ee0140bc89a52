# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""crm_solution after a run that was killed half-way: what it left is recognised and brought to its end."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.leadops.dynamics365.tests.unit.plugins.solution_wire import (
    DATAVERSE,
    FOREIGN,
    GOOD,
    HOLDING,
    JOB,
    NAME,
    NOW,
    OPERATION,
    import_of,
    job,
    jobs,
    long_polled,
    operations,
    polled,
    result,
    solutions,
    system_jobs,
    verified,
)
from ansible_collections.leadops.dynamics365.tests.unit.plugins.solution_zip import manifest, write_package
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import Expected, Run

OLD = {"organization_version": "9.1.0.643"}
PUBLISH = "PublishAllXmlAsync"
PROMOTED = Expected("POST", f"{DATAVERSE}/DeleteAndPromote", body={"UniqueName": NAME})
NO_HISTORY = Expected(
    "GET",
    f"{DATAVERSE}/msdyn_solutionhistories?$select=msdyn_solutionhistoryid,msdyn_status,msdyn_result,msdyn_errorcode,msdyn_exceptionmessage"
    f"&$filter=msdyn_name eq '{NAME}'&$orderby=msdyn_starttime desc&$top=1",
    answer={"value": []},
)


@pytest.fixture
def package(tmp_path: Path) -> str:
    return write_package(tmp_path)


@pytest.fixture
def unmanaged(tmp_path: Path) -> str:
    return write_package(tmp_path, manifest(managed="0"))


def seen(when: str = NOW, **more: t.Any) -> Expected:
    """The wanted version is there, written at this moment."""
    found = solutions("1.0", **more)
    for row in found.answer["value"]:
        row["modifiedon"] = when
    return found


def paths(ended: Run) -> list[str]:
    return [f"{write['method']} {write['path']}" for write in ended.result["writes"]]


RUNS = (jobs({"solutionname": NAME}), operations((OPERATION, 2, 20)), jobs({"solutionname": NAME}))


def test_an_import_whose_solution_can_be_seen_already_is_followed(package: str):
    check = import_of(package, seen(), *RUNS, check=True)
    assert (check.result["changed"], check.result["import_job"]["async_operation_id"]) == (False, OPERATION)
    ended = import_of(package, seen(), *RUNS, polled(3, 30), job(), *verified("1.0"))
    assert not ended.failed, ended.result
    assert (ended.result["changed"], ended.result["import_job"]["async_operation_id"]) == (False, OPERATION)
    started = import_of(package, seen(), *RUNS, wait=False)
    assert started.result["import_job"]["id"] == JOB


def test_its_failure_is_told(package: str):
    ended = import_of(package, seen(), *RUNS, polled(3, 31, message="It broke."), job(data=""), result())
    assert ended.failed
    assert "It broke" in ended.result["msg"]


@pytest.mark.parametrize(
    "script",
    [
        (seen(), jobs({"solutionname": NAME, "completedon": NOW})),
        (seen(), jobs({"solutionname": NAME}), operations((OPERATION, 3, 31))),
        (seen(), jobs(), operations()),
        (seen("2020-01-01T00:00:00Z"),),
    ],
    ids=["ended", "failed without a trace in the import job", "no record", "long ago"],
)
def test_nothing_is_followed_where_nothing_runs(package: str, script: tuple[Expected, ...]):
    ended = import_of(package, *script)
    assert not ended.failed, ended.result
    assert not ended.result["changed"]


@pytest.mark.parametrize("mode", ["auto", "upgrade"])
def test_an_upgrade_of_two_calls_is_finished(package: str, mode: str):
    left = (solutions("0.9", holding="1.0"), jobs())
    check = import_of(package, *left, jobs(), check=True, mode=mode, **OLD)
    assert paths(check) == ["POST DeleteAndPromote"]
    real = import_of(package, *left, NO_HISTORY, PROMOTED, solutions("1.0"), solutions("1.0"), mode=mode, **OLD)
    assert not real.failed, real.result
    assert real.result["writes"] == check.result["writes"]
    assert real.result["diff"] == check.result["diff"]
    assert real.result["pending_upgrade"] is None


@pytest.mark.parametrize(
    ("staged", "options"),
    [("1.0", {"mode": "update"}), ("0.9.5", {}), ("1.1", {})],
    ids=["an update was asked for", "lower", "higher"],
)
def test_a_staged_upgrade_that_is_not_half_of_what_is_wanted_stays(package: str, staged: str, options: dict[str, t.Any]):
    ended = import_of(package, solutions("0.9", holding=staged), jobs(), **{**OLD, **options})
    assert ended.failed
    assert "was staged and never applied" in ended.result["msg"]


def test_a_first_half_that_still_runs_is_followed_and_finished(package: str):
    row = f"{DATAVERSE}/importjobs({JOB})?$select=importjobid,solutionname,progress,startedon,completedon"
    runs = jobs({"solutionname": NAME})
    over = (Expected("GET", row, answer={"solutionname": NAME, "completedon": "x"}), Expected("GET", f"{row},data", answer={"completedon": "x", "data": GOOD}))
    ended = import_of(package, solutions("0.9"), no_patches(), runs, *over, NO_HISTORY, PROMOTED, solutions("1.0"), *verified("1.0"), **OLD)
    assert not ended.failed, ended.result
    assert paths(ended) == ["POST DeleteAndPromote"]


def no_patches() -> Expected:
    row = solutions("1.0").answer["value"][0]
    columns = "solutionid,uniquename,friendlyname,version,ismanaged,modifiedon"
    return Expected("GET", f"{DATAVERSE}/solutions?$select={columns}&$filter=_parentsolutionid_value eq {row['solutionid']}", answer={"value": []})


def test_a_publication_that_still_runs_is_waited_for(unmanaged: str):
    read = (solutions("1.0.0.0", managed=False), jobs({"solutionname": NAME, "completedon": NOW}), system_jobs(PUBLISH, (FOREIGN, 2, 20)))
    check = import_of(unmanaged, *read, check=True)
    assert not check.result["changed"]
    ended = import_of(unmanaged, *read, long_polled(2, 20, FOREIGN), long_polled(3, 30, FOREIGN))
    assert not ended.failed, ended.result
    assert not ended.result["changed"]


def test_a_publication_that_ran_and_failed_is_made_up_for(unmanaged: str):
    read = (solutions("1.0.0.0", managed=False), jobs({"solutionname": NAME, "completedon": NOW}), system_jobs(PUBLISH, (FOREIGN, 2, 20)))
    made = (system_jobs(PUBLISH), Expected("POST", f"{DATAVERSE}/{PUBLISH}", answer={"AsyncOperationId": OPERATION}, body={}), long_polled(3, 30))
    ended = import_of(unmanaged, *read, long_polled(3, 31, FOREIGN, message="x"), *made)
    assert paths(ended) == [f"POST {PUBLISH}"]


def test_where_publications_leave_no_record_that_is_said(unmanaged: str):
    ended = import_of(unmanaged, solutions("1.0.0.0", managed=False), jobs({"solutionname": NAME, "completedon": NOW}), **OLD)
    assert not ended.result["changed"]
    assert "does not tell whether all customizations were published" in ended.result["warnings"][0]


def test_what_came_while_a_stranded_upgrade_was_discarded_is_not_imported_again(package: str):
    action = "UninstallSolutionAsync"
    discard = (system_jobs(action), Expected("POST", f"{DATAVERSE}/{action}", answer={"AsyncOperationId": OPERATION}, body={"SolutionUniqueName": HOLDING}))
    begun = (solutions("0.9", holding="0.9.5"), operations(), system_jobs("DeleteAndPromoteAsync"), *discard)
    ended = import_of(package, *begun, long_polled(3, 30), solutions("1.0"), solutions("1.0"), solutions("1.0"), stranded_upgrade="discard")
    assert not ended.failed, ended.result
    assert paths(ended) == [f"POST {action}"]
    assert (ended.result["diff"]["before"]["version"], ended.result["diff"]["after"]["version"]) == ("0.9", "1.0")


@pytest.mark.parametrize(
    ("looked", "options"), [(operations((FOREIGN, 3, 30)), {}), (jobs({"solutionname": NAME, "completedon": NOW}), OLD)], ids=["asynchronous", "synchronous"]
)
def test_an_import_that_ended_since_the_solutions_were_read_is_not_made_again(package: str, looked: Expected, options: dict[str, t.Any]):
    ended = import_of(package, solutions(), looked, solutions("1.0"), solutions("1.0"), **options)
    assert not ended.failed, ended.result
    assert not ended.result["changed"]
