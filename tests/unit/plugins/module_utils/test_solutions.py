# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a package makes of an organisation, and how the end of an import is judged."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import NotPossible
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_import_failures import failure
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_import_results import hex_code, judge_import, read_import_data
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_imports import ImportJob
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_package import Dependency, SolutionPackage
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_rules import Action, decide
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_writes import ImportSettings, import_write
from ansible_collections.leadops.dynamics365.plugins.module_utils._solutions import InstalledSolution, check_dependencies

PACKAGE = SolutionPackage("p.zip", "ContosoLeads", "Contoso Leads", "1.2", managed=True, publisher="contoso")
THERE = InstalledSolution("86928ed8-df37-4ce2-add5-47030a833bff", "ContosoLeads", "Contoso Leads", "1.2.0.0", managed=True, publisher="Contoso")

VERSIONS = st.lists(st.integers(0, 30000), min_size=2, max_size=4).map(lambda parts: ".".join(map(str, parts)))


@pytest.mark.parametrize(
    ("installed", "action"),
    [(None, Action.INSTALL), (THERE, Action.NONE), (replace(THERE, version="1.1.9999"), Action.UPGRADE), (replace(THERE, version="0.10"), Action.UPGRADE)],
)
def test_the_action_follows_from_the_versions(installed: InstalledSolution | None, action: Action):
    assert decide(PACKAGE, installed) is action


@pytest.mark.parametrize(
    ("installed", "reason"),
    [
        (replace(THERE, version="1.10"), "higher than the package's"),
        (replace(THERE, managed=False), "installed as unmanaged"),
        (replace(THERE, managed=False, version="1.0"), "installed as unmanaged"),
        (replace(THERE, publisher="fabrikam", version="1.0"), "from the publisher fabrikam"),
    ],
)
def test_what_an_import_must_not_do_is_refused(installed: InstalledSolution, reason: str):
    with pytest.raises(NotPossible, match=reason):
        decide(PACKAGE, installed)


@given(VERSIONS, VERSIONS)
def test_after_the_import_there_is_nothing_to_do(given_version: str, installed_version: str):
    package = replace(PACKAGE, version=given_version)
    installed = replace(THERE, version=installed_version)
    try:
        action = decide(package, installed)
    except NotPossible:
        assert decide(replace(package, version=installed_version), replace(installed, version=given_version)) is Action.UPGRADE
        return
    assert decide(package, replace(installed, version=given_version)) is Action.NONE
    assert action in (Action.NONE, Action.UPGRADE)


def test_the_body_of_an_import_is_made_when_it_is_sent():
    write = import_write(PACKAGE, None, Action.INSTALL, ImportSettings(), id_from=lambda _answer: "")
    assert callable(write.body)
    assert write.body() == {"OverwriteUnmanagedCustomizations": False, "PublishWorkflows": True, "CustomizationFile": PACKAGE.customization_file}
    assert write.repeatable is False


def test_missing_and_old_dependencies_are_named_together():
    package = replace(PACKAGE, dependencies=(Dependency("Sales", "9.1.5.7", ("Lead",)), Dependency("Base", ""), Dependency("Old", "2.0.0.9")))
    installed = {"old": replace(THERE, unique_name="Old", version="2.0.0.1"), "sales": replace(THERE, unique_name="Sales", version="9.1.4.999")}
    with pytest.raises(NotPossible) as caught:
        check_dependencies(package, installed)
    assert caught.value.why == "the package needs Sales 9.1.5.7 (for Lead), of which 9.1.4.999 is installed; Base, which is not installed."
    check_dependencies(package, {**installed, "base": THERE, "sales": replace(THERE, version="9.1.5.0")})


def document(**results: str) -> str:
    def result(name: str) -> str:
        return f'<result result="{results.get(name, "success")}" errorcode="0x80044182" errortext="{name} is wrong" />'

    return (
        f'<importexportxml progress="80" processed="true"><solutionManifests><solutionManifest LocalizedName="Contoso">{result("manifest")}</solutionManifest>'
        f'</solutionManifests><entities><entity LocalizedName="Account" id="account">{result("entity")}</entity></entities></importexportxml>'
    )


SUCCEEDED: dict[str, t.Any] = {"statecode": 3, "statuscode": 30, "message": None, "errorcode": None}


def test_progress_below_a_hundred_is_no_failure():
    end = judge_import(SUCCEEDED, {"progress": 73.08, "solutionname": "ContosoLeads", "data": document()})
    assert end.succeeded
    assert end.components == ()
    assert end.solution_name == "ContosoLeads"


def test_a_failed_component_beside_a_good_manifest_is_only_told():
    end = judge_import(SUCCEEDED, {"data": document(entity="failure")})
    assert end.succeeded
    assert [item.to_result() for item in end.components] == [
        {"name": "Account", "type": "entity", "result": "failure", "code": "0x80044182", "text": "entity is wrong"}
    ]


def test_a_failed_manifest_is_a_failure_whatever_the_job_says():
    end = judge_import(SUCCEEDED, {"data": document(manifest="failure")})
    assert not end.succeeded
    assert end.code == "0x80044182"


def test_a_failure_without_an_import_job_is_told_by_the_system_job():
    end = judge_import({"statecode": 3, "statuscode": 31, "message": "no luck", "errorcode": -2147188685}, None)
    assert not end.succeeded
    assert end.code.lower() == "0x80048033"
    assert "no luck." in failure(end, "import it", {}).why


def test_a_lock_inside_the_job_is_recognised_and_a_cancelled_job_is_no_success():
    number = int.from_bytes(bytes.fromhex("80071151"), "big", signed=True)
    assert judge_import({"statuscode": 31, "errorcode": number}, None).locked_out
    canceled = judge_import({"statuscode": 32}, None)
    assert not canceled.succeeded
    assert "cancelled" in failure(canceled, "import it", {}).why


def test_the_xml_behind_a_text_is_left_out():
    text = "The following solution cannot be imported: X. Some dependencies are missing.<MissingDependencies><a/></MissingDependencies>"
    error = failure(judge_import({"statuscode": 31, "message": text, "errorcode": -2147188707}, None), "import it", {"import_job": {}})
    assert "<" not in str(error)
    assert error.to_fail_json("here")["import_job"] == {}


def test_unreadable_data_is_no_verdict():
    for data in ("", "<broken", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'):
        components, manifest = read_import_data(data)
        assert manifest is None
        assert [(item.type, item.result) for item in components] == ([("report", "warning")] if data else [])


def test_error_numbers_become_codes():
    assert hex_code(-2147188707) == "0x8004801D"
    assert hex_code(None) == ""
    assert hex_code(0) == ""


@given(st.uuids(), st.uuids())
def test_a_handle_survives_its_text(one: t.Any, other: t.Any):
    for job in (ImportJob(str(one), str(other)), ImportJob(str(one)), ImportJob("", str(other))):
        assert ImportJob.from_text(job.text()) == job
