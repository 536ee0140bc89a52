# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""crm_solution beyond a plain import: upgrade, staging, removal, settings and publication, on a scripted wire."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import requests

from ansible_collections.leadops.dynamics365.plugins.modules import crm_solution as module
from ansible_collections.leadops.dynamics365.tests.unit.plugins.solution_wire import (
    COLUMNS,
    FOREIGN,
    GOOD,
    HOLDING,
    JOB,
    LOCK,
    MODERN,
    NAME,
    NOW,
    OPERATION,
    SOLUTION_ID,
    STAGED_ID,
    entry,
    import_of,
    job,
    jobs,
    long_polled,
    operations,
    patches,
    polled,
    roles,
    running,
    solutions,
    start,
    system_jobs,
    verified,
)
from ansible_collections.leadops.dynamics365.tests.unit.plugins.solution_zip import CUSTOMIZATIONS, manifest, packed, sound_files, write_package
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import DATAVERSE, Expected, Run, run

BROKEN = requests.ConnectionError("Connection aborted.")
DONE = (polled(3, 30), job())


@pytest.fixture
def package(tmp_path: Path) -> str:
    return write_package(tmp_path)


@pytest.fixture
def unmanaged(tmp_path: Path) -> str:
    return write_package(tmp_path, manifest(managed="0"))


@pytest.fixture
def connected(tmp_path: Path) -> str:
    """A package with a connection reference and two environment variables, one of which has a default."""
    reference = '<connectionreference connectionreferencelogicalname="c_mail"><connectorid>/apis/mail</connectorid></connectionreference>'
    custom = CUSTOMIZATIONS.replace("</ImportExportXml>", f"<connectionreferences>{reference}</connectionreferences></ImportExportXml>")
    path = tmp_path / "connected.zip"
    files = {
        **sound_files(customizations=custom),
        "environmentvariabledefinitions/c_Box/environmentvariabledefinition.xml": '<environmentvariabledefinition schemaname="c_Box" />',
        "environmentvariabledefinitions/c_Set/environmentvariabledefinition.xml": '<environmentvariabledefinition schemaname="c_Set">'
        "<defaultvalue>x</defaultvalue></environmentvariabledefinition>",
    }
    path.write_bytes(packed(files))
    return str(path)


def test_a_system_job_that_timed_out_is_not_the_end_of_the_import(package: str):
    cut = polled(3, 31, message="The operation timed out.", errorcode=int.from_bytes(bytes.fromhex("80048543"), "big", signed=True))
    url = f"{DATAVERSE}/importjobs({JOB})?$select=importjobid,solutionname,progress,startedon,completedon"
    working, over = (Expected("GET", url, answer={"solutionname": NAME, "progress": 60.0, "completedon": done}) for done in (None, "x"))
    ended = import_of(package, solutions(), operations(), start(), cut, working, over, job(), *verified())
    assert not ended.failed, ended.result
    assert any("goes on" in line for line in ended.progress)


def test_a_start_that_timed_out_is_looked_for(package: str):
    error = {"error": {"code": "0x80048543", "message": "The operation timed out."}}
    looked = (operations((OPERATION, 2, 20)), jobs({"solutionname": NAME}))
    ended = import_of(package, solutions(), operations(), start(400, error), *looked, *DONE, *verified())
    assert not ended.failed, ended.result


PROMOTE, UNINSTALL, PUBLISH = "DeleteAndPromoteAsync", "UninstallSolutionAsync", "PublishAllXmlAsync"


def long_write(action: str, body: dict[str, t.Any], *, status: int = 200, answer: t.Any = None, **more: t.Any) -> tuple[Expected, Expected]:
    """Nothing of the kind runs, and it is started."""
    return system_jobs(action), Expected("POST", f"{DATAVERSE}/{action}", status, answer or {"AsyncOperationId": OPERATION}, body=body, **more)


def promote(**more: t.Any) -> tuple[Expected, ...]:
    return long_write(PROMOTE, {"UniqueName": NAME}, **more)


def delete(name: str = NAME, **more: t.Any) -> tuple[Expected, ...]:
    return long_write(UNINSTALL, {"SolutionUniqueName": name}, **more)


OVER = long_polled(3, 30)


def gone(solution_id: str = SOLUTION_ID, *, there: bool = False) -> Expected:
    url = f"{DATAVERSE}/solutions({solution_id})?$select=solutionid"
    missing = {"error": {"code": "0x80040217", "message": "solution Does Not Exist"}}
    return Expected("GET", url, 200 if there else 404, {"solutionid": solution_id} if there else missing)


def dependents(*ids: str, name: str = NAME) -> Expected:
    rows = [{"dependentcomponentobjectid": found, "dependentcomponenttype": 20, "requiredcomponentobjectid": "r"} for found in ids]
    return Expected("GET", f"{DATAVERSE}/RetrieveDependenciesForUninstall(SolutionUniqueName='{name}')", answer={"value": rows})


def publish(**more: t.Any) -> tuple[Expected, ...]:
    return long_write(PUBLISH, {}, **more)


def removal(*script: Expected, check: bool = False, **args: t.Any) -> Run:
    return run(module, {"name": NAME, "state": "absent", **MODERN, **args}, *script, check=check)


REMOVABLE = (solutions("1.0"), dependents(), patches())


def paths(ended: Run) -> list[str]:
    return [f"{write['method']} {write['path']}" for write in ended.result["writes"]]


@pytest.mark.parametrize(
    ("installed", "options", "read", "predicted", "executed", "action"),
    [
        ("0.9", {"mode": "update"}, (), (), (start(), *DONE, *verified()), "update"),
        ("0.9", {}, (patches(),), (), (start(verb="StageAndUpgradeAsync"), *DONE, *verified()), "upgrade"),
        ("0.9", {"mode": "stage"}, (patches(),), (), (start(extra={"HoldingSolution": True}), *DONE, solutions("0.9", holding="1.0.0.0")), "stage"),
        ("", {"mode": "stage"}, (), (), (start(), *DONE, *verified()), "install"),
        ("2.0", {"allow_downgrade": True}, (), (), (start(), *DONE, *verified()), "update"),
        ("0.9", {"mode": "update", "publish": "always"}, (), (), (start(), *DONE, *verified(), *publish(), OVER), "update"),
        (
            "0.9",
            {"skip_product_update_dependencies": True, "mode": "upgrade"},
            (patches(),),
            (),
            (start(verb="StageAndUpgradeAsync", extra={"SkipProductUpdateDependencies": True}), *DONE, *verified()),
            "upgrade",
        ),
    ],
)
def test_the_verb_its_requests_and_its_prediction(
    package: str,
    installed: str,
    options: dict[str, t.Any],
    read: tuple[Expected, ...],
    predicted: tuple[Expected, ...],
    executed: tuple[Expected, ...],
    action: str,
):
    check = import_of(package, solutions(installed), operations(), *read, *predicted, check=True, **options)
    real = import_of(package, solutions(installed), *read, operations(), *executed, **options)
    assert not real.failed, real.result
    assert real.result["action"] == check.result["action"] == action
    assert real.result["writes"] == check.result["writes"] != []
    assert real.result["diff"] == check.result["diff"]


def test_a_staged_upgrade_is_there_the_second_time(package: str):
    ended = import_of(package, solutions("0.9", holding="1.0.0.0"), operations(), system_jobs(PROMOTE), mode="stage")
    assert ended.result["changed"] is False
    assert ended.result["pending_upgrade"] == {"unique_name": HOLDING, "version": "1.0.0.0", "solution_id": STAGED_ID}


def test_an_older_organisation_upgrades_in_two_calls(package: str):
    old = {"organization_version": "9.1.0.643"}
    read = solutions("0.9")
    check = import_of(package, read, jobs(), patches(), check=True, **old)
    assert paths(check) == ["POST ImportSolution", "POST DeleteAndPromote"]
    sent: list[dict[str, t.Any]] = []

    def keep(body: t.Any) -> bool:
        sent.append(body)
        return body["HoldingSolution"] is True

    class Late(Expected):
        @property
        def url(self) -> str:
            return f"{DATAVERSE}/importjobs({sent[0]['ImportJobId']}){self.rest}"

        @url.setter
        def url(self, rest: str) -> None:
            self.rest = rest

    select = "?$select=importjobid,solutionname,progress,startedon,completedon,data"
    importing = Expected("POST", f"{DATAVERSE}/ImportSolution", 204, body=keep)
    looked = Late("GET", select, answer={"solutionname": HOLDING, "completedon": "x", "data": GOOD})
    promoted = Expected("POST", f"{DATAVERSE}/DeleteAndPromote", 200, {"SolutionId": STAGED_ID}, body={"UniqueName": NAME})
    real = import_of(package, read, patches(), jobs(), importing, looked, entry(NAME), promoted, solutions("1.0.0.0"), *verified(), **old)
    assert not real.failed, real.result
    assert real.result["writes"] == check.result["writes"]


def test_a_running_upgrade_is_followed_even_if_its_staged_half_is_there(package: str):
    read = solutions("0.9", holding="1.0.0.0")
    running = (operations((OPERATION, 2, 20)), jobs({"solutionname": HOLDING}))
    ended = import_of(package, read, *running, patches(), *running, *DONE, *verified())
    assert not ended.failed, ended.result
    assert ended.result["changed"] is False
    assert ended.result["solution"]["installed_version"] == "1.0.0.0"


def test_a_failed_upgrade_tells_of_what_it_left(package: str):
    ended = import_of(
        package,
        solutions("0.9"),
        patches(),
        operations(),
        start(verb="StageAndUpgradeAsync"),
        polled(3, 31, message="no luck"),
        job(404),
        solutions("0.9", holding="1.0.0.0"),
    )
    assert ended.failed
    assert "left half-way" in ended.result["msg"]
    assert ended.result["pending_upgrade"]["version"] == "1.0.0.0"


@pytest.mark.parametrize(
    ("holding", "choice", "before", "middle", "after", "writes"),
    [
        ("1.0.0.0", "apply", (*promote(), OVER), (solutions("1.0.0.0"), solutions("1.0.0.0")), (), ["POST DeleteAndPromoteAsync"]),
        (
            "0.9.5",
            "apply",
            (*promote(), OVER),
            (solutions("0.9.5"), solutions("0.9.5")),
            (patches(), operations(), start(verb="StageAndUpgradeAsync"), *DONE, *verified()),
            ["POST DeleteAndPromoteAsync", "POST StageAndUpgradeAsync"],
        ),
        (
            "0.9.5",
            "discard",
            (*delete(HOLDING), OVER),
            (solutions("0.9"), solutions("0.9")),
            (patches(), operations(), start(verb="StageAndUpgradeAsync"), *DONE, *verified()),
            ["POST UninstallSolutionAsync", "POST StageAndUpgradeAsync"],
        ),
    ],
)
def test_a_stranded_upgrade_is_applied_or_discarded(
    package: str, holding: str, choice: str, before: tuple[Expected, ...], middle: tuple[Expected, ...], after: tuple[Expected, ...], writes: list[str]
):
    read = (solutions("0.9", holding=holding), operations(), system_jobs(PROMOTE))
    planned = (operations(), *([patches()] if after else []))
    check = import_of(package, *read, *planned, check=True, stranded_upgrade=choice)
    assert paths(check) == writes
    real = import_of(package, *read, *before, *middle, *after, stranded_upgrade=choice)
    assert not real.failed, real.result
    assert real.result["writes"] == check.result["writes"]
    assert real.result["diff"] == check.result["diff"]


@pytest.mark.parametrize("check", [False, True])
def test_a_stranded_upgrade_stops_everything_unless_told_otherwise(package: str, check: bool):  # noqa: FBT001
    ended = import_of(package, solutions("0.9", holding="0.9.5"), operations(), system_jobs(PROMOTE), check=check)
    assert ended.failed
    assert ended.result["pending_upgrade"]["unique_name"] == HOLDING
    warned = import_of(package, solutions("1.0", holding="1.5"), operations(), system_jobs(PROMOTE), check=check)
    assert warned.result["changed"] is False
    assert "never applied" in warned.result["warnings"][0]


def test_a_lost_answer_to_the_second_half_is_resolved_by_looking(package: str):
    still = solutions("0.9", holding="1.0.0.0")
    read = (still, operations(), system_jobs(PROMOTE))
    end = (solutions("1.0.0.0"), solutions("1.0.0.0"))
    # The job that the answer would have named is found
    found = (system_jobs(PROMOTE, (OPERATION, 2, 20)), long_polled(2, 20), OVER)
    ended = import_of(package, *read, *promote(raises=BROKEN), *found, *end, stranded_upgrade="apply")
    assert not ended.failed, ended.result
    assert paths(ended) == ["POST DeleteAndPromoteAsync"]
    # There is none for a while, so nothing was begun: it is sent again
    looks = [step for _unused in range(6) for step in (system_jobs(PROMOTE), still)]
    again = (*promote(raises=BROKEN), *looks, still, promote()[1], OVER)
    ended = import_of(package, *read, *again, *end, stranded_upgrade="apply")
    assert not ended.failed, ended.result
    assert paths(ended) == ["POST DeleteAndPromoteAsync"]


def test_what_is_not_there_costs_one_request():
    for check in (False, True):
        ended = removal(solutions(), check=check)
        assert ended.result["changed"] is False
        assert ended.result["action"] == "none"


def test_a_removal_is_predicted_made_and_seen():
    check = removal(*REMOVABLE, check=True)
    assert check.result["planned"] is True
    real = removal(*REMOVABLE, *delete(), OVER, gone(there=True), gone())
    assert not real.failed, real.result
    assert paths(check) == ["POST UninstallSolutionAsync"]
    assert real.result["writes"] == check.result["writes"]
    assert real.result["diff"] == check.result["diff"]
    assert real.result["solution"]["installed_version"] is None


def test_a_removal_waits_for_its_turn_and_survives_a_lost_answer():
    first, second = delete(status=429, answer=LOCK), delete()
    ended = removal(*REMOVABLE, *first, gone(there=True), *running("PublishAllXmlAsync"), second[1], OVER, gone())
    assert not ended.failed, ended.result
    assert any("[PublishAll]" in line and "a publication of all customizations (since" in line for line in ended.progress)
    ended = removal(*REMOVABLE, *delete(raises=BROKEN), system_jobs(UNINSTALL), gone())
    assert ended.result["changed"] is True
    somebody_else = removal(*REMOVABLE, *delete(status=404, answer={"error": {"code": "0x80040217", "message": "Does Not Exist"}}), gone())
    assert somebody_else.result["changed"] is False


def test_an_organisation_that_does_not_tell_its_version_is_asked_for_it_before_a_removal():
    version = Expected("GET", f"{DATAVERSE}/RetrieveVersion", answer={"Version": "9.1.0.643"})
    check = run(module, {"name": NAME, "state": "absent"}, *REMOVABLE, version, check=True)
    assert paths(check) == [f"DELETE solutions({SOLUTION_ID})"]


def owners(*pairs: tuple[str, str]) -> Expected:
    listed = " or ".join(f"objectid eq {component}" for component, _owner in pairs)
    rows = [{"objectid": component, "componenttype": 20, "_solutionid_value": owner} for component, owner in pairs]
    return Expected("GET", f"{DATAVERSE}/solutioncomponents?$select=objectid,componenttype,_solutionid_value&$filter={listed}", answer={"value": rows})


def owning(*rows: tuple[str, str]) -> Expected:
    listed = " or ".join(f"solutionid eq {row_id}" for row_id, _name in rows)
    values = [{"solutionid": row_id, "uniquename": name, "friendlyname": name, "version": "2.0", "ismanaged": True} for row_id, name in rows]
    return Expected("GET", f"{DATAVERSE}/solutions?$select={COLUMNS}&$filter={listed}", answer={"value": values})


def no_patches(solution_id: str) -> Expected:
    return Expected("GET", f"{DATAVERSE}/solutions?$select={COLUMNS}&$filter=_parentsolutionid_value eq {solution_id}", answer={"value": []})


@pytest.mark.parametrize("check", [False, True])
def test_blockers_are_named_in_the_order_of_their_removal(check: bool):  # noqa: FBT001
    ended = removal(
        solutions("1.0"),
        dependents("c1", "c2", "c3"),
        owners(("c1", "s1"), ("c2", "s2"), ("c3", "s0")),
        owning(("s1", "First"), ("s2", "Second"), ("s0", "Active")),
        patches(f"{NAME}_Patch_1a2b3c4d"),
        # First is needed by Second, so Second goes before it
        *(dependents("c4", name="First"), owners(("c4", "s2")), owning(("s2", "Second")), no_patches("s1")),
        *(dependents(name="Second"), no_patches("s2")),
        *(dependents(name=f"{NAME}_Patch_1a2b3c4d"), no_patches(STAGED_ID)),
        check=check,
    )
    assert ended.failed
    names = [found["solution"] for found in ended.result["blockers"]]
    assert names.index("Second") < names.index("First")
    assert set(names) == {"First", "Second", "Active", f"{NAME}_Patch_1a2b3c4d"}
    assert "unmanaged customizations (security role: 1)" in ended.result["msg"]


def test_a_staged_upgrade_is_removed_with_its_solution_only_on_demand():
    there = solutions("1.0", holding="1.1")
    assert "stranded_upgrade" in removal(there).result["msg"]
    assert "stranded_upgrade" in removal(stranded_upgrade="apply").result["msg"]
    both = (*delete(HOLDING), OVER, gone(STAGED_ID), *delete(), OVER, gone())
    ended = removal(there, dependents(), patches(), *both, stranded_upgrade="discard")
    assert not ended.failed, ended.result
    assert paths(ended) == ["POST UninstallSolutionAsync", "POST UninstallSolutionAsync"]


def test_an_unmanaged_import_is_published_by_the_task_that_waits(unmanaged: str):
    check = import_of(unmanaged, solutions(), operations(), check=True)
    assert paths(check) == ["POST ImportSolutionAsync", "POST PublishAllXmlAsync"]
    there = (solutions("1.0.0.0", managed=False), roles("Lead Writer"))
    locked = (*publish(status=429, answer=LOCK), *running("PublishAllXmlAsync"), publish()[1], OVER)
    real = import_of(unmanaged, solutions(), operations(), start(), *DONE, *there, *locked)
    assert not real.failed, real.result
    assert real.result["writes"] == check.result["writes"]
    begun = import_of(unmanaged, solutions(), operations(), start(), wait=False)
    assert paths(begun) == ["POST ImportSolutionAsync"]
    ended = import_of(unmanaged, *DONE, *there, *publish(), OVER, import_job={"id": JOB, "async_operation_id": OPERATION})
    assert paths(ended) == ["POST PublishAllXmlAsync"]
    never = import_of(unmanaged, solutions(), operations(), start(), *DONE, *there, publish="never")
    assert paths(never) == ["POST ImportSolutionAsync"]


@pytest.mark.parametrize(
    ("imported", "published", "owed"),
    [
        ({"completedon": NOW}, (system_jobs(PUBLISH),), True),
        ({"completedon": NOW}, (system_jobs(PUBLISH, (FOREIGN, 3, 31)),), True),
        ({"completedon": NOW}, (system_jobs(PUBLISH, (FOREIGN, 3, 30)),), False),
        ({"completedon": NOW}, (system_jobs(PUBLISH, status=403),), False),
        ({"completedon": "2020-01-01T00:00:00Z"}, (), False),
        ({"completedon": NOW, "solutionname": "Other"}, (), False),
    ],
    ids=["never", "failed", "done", "unreadable", "long ago", "another"],
)
def test_a_publication_that_an_earlier_run_did_not_get_to_is_made(unmanaged: str, imported: dict[str, t.Any], published: tuple[Expected, ...], owed: bool):  # noqa: FBT001
    read = (solutions("1.0.0.0", managed=False), jobs({"solutionname": NAME, **imported}), *published)
    check = import_of(unmanaged, *read, check=True)
    assert paths(check) == (["POST PublishAllXmlAsync"] if owed else [])
    real = import_of(unmanaged, *read, *((*publish(), OVER) if owed else ()))
    assert not real.failed, real.result
    assert real.result["writes"] == check.result["writes"]
    assert real.result["action"] == "none"


def stage(status: str, **results: t.Any) -> Expected:
    answer = {"StageSolutionResults": {"StageSolutionUploadId": STAGED_ID, "StageSolutionStatus": status, **results}}
    return Expected("POST", f"{DATAVERSE}/StageSolution", answer=answer, body=lambda body: set(body) == {"CustomizationFile"})


def test_a_package_is_validated_by_the_organisation_on_demand(package: str):
    check = import_of(package, solutions(), operations(), check=True, validate=True)
    assert paths(check) == ["POST StageSolution", "POST ImportSolutionAsync"]
    assert "did not validate" in check.result["warnings"][0]
    uploaded = start(extra={"SolutionParameters": {"StageSolutionUploadId": STAGED_ID}})
    real = import_of(package, solutions(), operations(), stage("Passed"), uploaded, *DONE, *verified(), validate=True)
    assert not real.failed, real.result
    assert real.result["writes"] == check.result["writes"]
    problem = {"SolutionValidationResultType": "Error", "Message": "Bad thing", "ErrorCode": -2147188707}
    refused = import_of(package, solutions(), operations(), stage("Failed", SolutionValidationResults=[problem]), validate=True)
    assert refused.failed
    assert "Bad thing (0x8004801D)" in refused.result["msg"]
    assert refused.result["changed"] is True


def test_a_patch_needs_its_solution(tmp_path: Path):
    name = f"{NAME}_Patch_1a2b3c4d"
    patch = write_package(tmp_path, manifest(name=name, version="1.0.5"))
    listed = f"uniquename eq '{name}' or uniquename eq '{name}_Upgrade' or uniquename eq '{NAME}'"
    url = f"{DATAVERSE}/solutions?$select={COLUMNS}&$filter={listed}&$expand=publisherid($select=uniquename)"
    ended = run(module, {"path": patch, **MODERN}, Expected("GET", url, answer={"value": []}), check=True)
    assert ended.failed
    assert f"a patch of {NAME}, which is not installed" in ended.result["msg"]


def settings(connection: str | None = None, value: str | None = None, *, there: bool = True) -> tuple[Expected, ...]:
    reference = {"connectionreferenceid": "cr", "connectionreferencelogicalname": "c_mail", "connectorid": "/apis/mail", "connectionid": connection}
    definitions = [{"environmentvariabledefinitionid": f"d{name}", "schemaname": name, "defaultvalue": None} for name in ("c_Box", "c_Set")]
    held = {"environmentvariablevalueid": "v", "value": value, "_environmentvariabledefinitionid_value": "dc_Box"}
    first = "connectionreferences?$select=connectionreferenceid,connectionreferencelogicalname,connectorid,connectionid"
    second = "environmentvariabledefinitions?$select=environmentvariabledefinitionid,schemaname,defaultvalue"
    third = "environmentvariablevalues?$select=environmentvariablevalueid,value,_environmentvariabledefinitionid_value"
    column = "_environmentvariabledefinitionid_value"
    steps = (
        Expected("GET", f"{DATAVERSE}/{first}&$filter=connectionreferencelogicalname eq 'c_mail'", answer={"value": [reference] if there else []}),
        Expected("GET", f"{DATAVERSE}/{second}&$filter=schemaname eq 'c_Box' or schemaname eq 'c_Set'", answer={"value": definitions if there else []}),
        Expected("GET", f"{DATAVERSE}/{third}&$filter={column} eq dc_box or {column} eq dc_set", answer={"value": [held] if value else []}),
    )
    return steps if there else steps[:2]


GIVEN = {"connection_references": [{"logical_name": "c_mail", "connection_id": "con1"}], "environment_variables": {"c_Box": "leads"}}
PARAMETERS = [
    {
        "@odata.type": "Microsoft.Dynamics.CRM.connectionreference",
        "connectionreferencelogicalname": "c_mail",
        "connectionreferencedisplayname": "",
        "description": "",
        "connectorid": "/apis/mail",
        "connectionid": "con1",
    },
    {"@odata.type": "Microsoft.Dynamics.CRM.environmentvariablevalue", "schemaname": "c_Box", "value": "leads"},
]


def test_values_go_with_the_import_and_are_read_back(connected: str):
    check = import_of(connected, solutions(), operations(), *settings(there=False), check=True, **GIVEN)
    assert check.result["needs_values"] == {"connection_references": [], "environment_variables": []}
    brought = start(extra={"ComponentParameters": PARAMETERS})
    real = import_of(connected, solutions(), *settings(there=False), operations(), brought, *DONE, *verified(), *settings("con1", "leads"), **GIVEN)
    assert not real.failed, real.result
    assert real.result["writes"] == check.result["writes"]


def test_values_that_are_missing_are_listed(connected: str):
    ended = import_of(connected, solutions(), operations(), *settings(there=False), check=True)
    assert ended.result["needs_values"] == {"connection_references": ["c_mail"], "environment_variables": ["c_Box"]}
    assert "c_mail, c_Box" in ended.result["warnings"][0]


def test_values_are_set_where_no_import_is_needed(connected: str):
    # The id of a new value is ours, so that a lost answer does no harm
    new = "environmentvariablevalues(697a891e-1bff-5597-b234-f5b6cfaa1a9a)"
    wanted = ["PATCH connectionreferences(cr)", f"PATCH {new}"]
    check = import_of(connected, solutions("1.0"), *settings("other"), check=True, **GIVEN)
    assert paths(check) == wanted
    binding = {"EnvironmentVariableDefinitionId@odata.bind": "/environmentvariabledefinitions(dc_Box)"}
    writes = (
        Expected("PATCH", f"{DATAVERSE}/connectionreferences(cr)", 204, body={"connectionid": "con1"}),
        Expected("PATCH", f"{DATAVERSE}/{new}", raises=BROKEN, body={"value": "leads", **binding}),
        Expected("PATCH", f"{DATAVERSE}/{new}", 204, body={"value": "leads", **binding}),
    )
    real = import_of(connected, solutions("1.0"), *settings("other"), *writes, **GIVEN)
    assert real.result["writes"] == check.result["writes"]
    assert real.result["diff"] == check.result["diff"]
    assert "leads" not in str(real.result["diff"])
    again = import_of(connected, solutions("1.0"), *settings("con1", "leads"), **GIVEN)
    assert again.result["changed"] is False
    unknown = import_of(connected, solutions("1.0"), *settings(there=False), **GIVEN)
    assert "The package has c_mail" in unknown.result["msg"]
