# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers in their recorded shapes are read without loss, also in the variations that were seen."""

from __future__ import annotations

import codecs
import gzip
import json
import typing as t

import pytest

from ansible_collections.leadops.dynamics365.plugins.module_utils._entry_obstacles import read_environment
from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import AnswerNotUnderstood, NotPossible, OutcomeUnknown
from ansible_collections.leadops.dynamics365.plugins.module_utils._http import Answer
from ansible_collections.leadops.dynamics365.plugins.module_utils._licenses import _product, held_licenses
from ansible_collections.leadops.dynamics365.plugins.module_utils._organizations import who_am_i
from ansible_collections.leadops.dynamics365.plugins.module_utils._plan import Write
from ansible_collections.leadops.dynamics365.plugins.module_utils._privileges import read_held
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_activity import moment_of
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_import_reports import read_report
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_import_results import hex_code, judge_import, read_import_data
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_validation import problems
from ansible_collections.leadops.dynamics365.plugins.module_utils._solutions import InstalledSolution, read_solutions
from ansible_collections.leadops.dynamics365.plugins.module_utils._system_users import find_system_user
from ansible_collections.leadops.dynamics365.tests.unit.plugins import recorded_shapes as shapes
from ansible_collections.leadops.dynamics365.tests.unit.plugins.given_answers import as_bytes, dataverse, graph, power_platform
from ansible_collections.leadops.dynamics365.tests.unit.plugins.recorded_claims import kind_of, lost_facts

PAGE = b"<!DOCTYPE html><html><head><title>Sign in &amp; go</title></head><body/></html>"
ROWS: list[tuple[str, dict[str, t.Any]]] = [
    ("solution", shapes.SOLUTION),
    ("user", shapes.USER),
    ("role", shapes.ROLE),
    ("system job", shapes.SYSTEM_JOB),
    ("system job", {**shapes.SYSTEM_JOB, "statuscode": 31, "errorcode": -2147188707, "message": "It failed."}),
    ("environment", shapes.ENVIRONMENT),
    ("environment", shapes.NO_DATABASE),
    ("caller", shapes.CALLER),
    ("import start", shapes.START),
    ("stage", shapes.STAGED),
    ("stage", shapes.STAGE_FAILED),
    ("import result", shapes.IMPORT_RESULT),
    ("role privileges", shapes.ROLE_PRIVILEGES),
    ("privilege", shapes.PRIVILEGE),
    ("import job", {"importjobid": shapes.A, "data": shapes.GOOD_DATA}),
    ("import job", {"importjobid": shapes.A, "data": shapes.BAD_PART}),
]


@pytest.mark.parametrize(("kind", "row"), ROWS)
def test_a_recorded_shape_is_read_without_loss(kind: str, row: dict[str, t.Any]):
    assert kind_of(row) == kind
    assert lost_facts(kind, row) == []


def test_the_comparison_sees_a_loss():
    assert lost_facts("privilege", {**shapes.PRIVILEGE, "canbeglobal": "false"}) != []  # a text that says no counts as yes for the comparison only


@pytest.mark.parametrize(
    "packed",
    [lambda body: codecs.BOM_UTF8 + body, gzip.compress, lambda body: body.decode().encode("utf-16"), lambda body: b"\r\n" + body + b"\n"],
    ids=["byte order mark", "gzip without a header", "utf-16", "white space"],
)
def test_the_packing_of_an_answer_does_not_matter(packed: t.Callable[[bytes], bytes]):
    found = read_solutions(dataverse(packed(as_bytes({"value": [shapes.SOLUTION]}))), ["NorthwindLeads"])
    assert found["northwindleads"].version == "2.0.246"


def test_numbers_as_texts_flags_as_texts_and_names_in_other_case_are_read():
    row = {"SolutionId": shapes.A, "UniqueName": "N", "Version": "1.0", "IsManaged": "false", "PublisherId": {"UniqueName": "nw"}}
    assert InstalledSolution.from_row(row) == InstalledSolution(shapes.A, "N", "", "1.0", managed=False, publisher="nw")
    user = find_system_user(dataverse({"value": [{**shapes.USER, "accessmode": "4", "isdisabled": "False", "deletedstate": "0"}]}), "lea@northwind.example")
    assert user is not None
    assert (user.access_mode, user.disabled) == ("non_interactive", False)
    assert judge_import({**shapes.SYSTEM_JOB, "statecode": "3", "statuscode": "30"}, {"data": shapes.GOOD_DATA}).succeeded
    assert [held.depth.label for held in read_held(dataverse({"RolePrivileges": [{"Depth": 3, "PrivilegeId": shapes.A}]}), shapes.B)] == ["organization"]


def test_an_error_of_a_job_is_known_in_every_spelling():
    assert hex_code(-2147188707) == hex_code("-2147188707") == hex_code("2147778589") == "0x8004801D"
    assert hex_code("0x8004801d") == "0x8004801d"
    assert [hex_code(nothing) for nothing in (None, 0, "0", "0x0", "", "none", [], 1.5)] == [""] * 8
    end = judge_import({**shapes.SYSTEM_JOB, "statuscode": 31, "message": "It failed (0x80048033)."}, None)
    assert end.code == "0x80048033"
    locked = judge_import(
        {**shapes.SYSTEM_JOB, "statuscode": 31, "message": "Cannot start another [Import] because there is a previous [Import] running."}, None
    )
    assert locked.locked_out


def test_dates_have_any_precision():
    seconds = moment_of({"createdon": "2026-02-15T08:02:36Z"})
    assert moment_of({"createdon": "2026-02-15T08:02:36.0000001Z"}) == moment_of({"createdon": "2026-02-15T08:02:36"}) == seconds
    assert moment_of({"createdon": "/Date(1)/"}) is None


@pytest.mark.parametrize(
    "data",
    [
        "\ufeff" + shapes.BAD_PART,
        '<?xml version="1.0" encoding="utf-16"?>' + shapes.BAD_PART,
        shapes.BAD_PART.replace("<importexportxml ", '<importexportxml xmlns="urn:example:imports" '),
        shapes.BAD_PART.replace("<", "<x:").replace("<x:/", "</x:").replace("<x:importexportxml ", '<x:importexportxml xmlns:x="urn:example:imports" '),
        shapes.BAD_PART.replace('"failure"', '"Failure"'),
    ],
    ids=["byte order mark", "declared utf-16", "namespace", "prefix", "case"],
)
def test_the_form_of_an_import_s_report_does_not_matter(data: str):
    components, manifest = read_import_data(data)
    assert manifest is None
    assert [(item.type, item.name, item.result, item.code) for item in components] == [
        ("entity", "Account", "failure", "0x80044182"),
        ("entity", "Account", "warning", ""),
    ]


def test_what_stands_before_the_break_of_a_report_counts_and_the_break_is_told():
    components, manifest = read_import_data(shapes.BAD_PART[: shapes.BAD_PART.index("</entity>")])
    assert [(item.type, item.result) for item in components] == [("entity", "failure"), ("entity", "warning"), ("report", "warning")]
    assert manifest is None
    failed = shapes.BAD_PART.replace('result="success" errorcode="0" errortext=""', 'result="failure" errorcode="-2147188707" errortext="No."')
    _unused, manifest = read_import_data(failed[: failed.index("<entities>")])
    assert manifest is not None
    assert (manifest.code, manifest.text) == ("0x8004801D", "No.")


def test_a_validation_tells_code_text_addition_and_what_is_missing():
    told = problems(shapes.STAGE_FAILED["StageSolutionResults"])
    assert told == "A part is broken. It is part 7. (0x8004801D); entity nw_base of NorthwindBase is missing"


def test_a_sheet_of_results_is_read():
    report = read_report(dataverse(shapes.IMPORT_RESULT), shapes.A)
    assert report is not None
    assert [(item.type, item.name, item.result, item.code, item.text) for item in report.components] == [
        ("Workflow", "Flow", "failure", "0x80045016", "May not publish.")
    ]
    assert report.warnings == ("One thing was skipped.",)


def test_licences_are_read_with_what_is_null_or_missing():
    product = _product({"skuId": shapes.UPPER, "skuPartNumber": "CRMPLAN2", "prepaidUnits": {"enabled": 3, "warning": None}, "servicePlans": None})
    assert (product.sku_id, product.units, product.consumed, product.status) == (shapes.A, 3, 0, "Enabled")
    user = {
        "assignedLicenses": [{"skuId": shapes.UPPER, "disabledPlans": None}],
        "licenseAssignmentStates": [{"skuId": shapes.A, "assignedByGroup": None, "state": None, "error": None, "disabledPlans": [shapes.UPPER]}],
    }
    assert [(held.source, held.disabled) for held in held_licenses(user)] == [("direct", frozenset({shapes.A}))]


@pytest.mark.parametrize("body", [PAGE, b"", b"true", b"[]", b"\x1f\x8b\x00", b'{"value": [{"solu'])
def test_what_is_no_document_is_not_an_empty_list(body: bytes):
    with pytest.raises(AnswerNotUnderstood) as caught:
        read_solutions(dataverse(body), ["NorthwindLeads"])
    assert caught.value.service == "dataverse"
    assert caught.value.request_id
    assert caught.value.doing


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": [None]}, {"value": {}}, {"error": {"code": "1"}}])
def test_a_document_without_a_list_is_not_an_empty_list(body: dict[str, t.Any]):
    with pytest.raises(AnswerNotUnderstood, match="list"):
        read_solutions(dataverse(body), ["NorthwindLeads"])


def test_the_title_of_a_page_in_place_of_an_answer_is_told():
    with pytest.raises(AnswerNotUnderstood, match="Sign in & go"):
        dataverse(PAGE).get("solutions", doing="read")
    with pytest.raises(NotPossible, match="not as a Dynamics 365 organisation"):
        who_am_i(dataverse(PAGE))


def test_a_page_in_place_of_the_answer_to_a_write_leaves_the_outcome_unknown():
    with pytest.raises(OutcomeUnknown, match="web page"):
        graph(PAGE).write(Write("graph", "POST", "users", "create the user", body={}), "users")


def test_an_environment_without_a_database_or_states_is_read():
    environment = read_environment(power_platform(json.dumps({"name": "x", "properties": {"states": None}}).encode()), "x")
    assert environment is not None
    assert (environment.has_database, environment.administration_mode, environment.state) == (False, False, "Ready")


def test_an_answer_s_id_is_found_under_each_of_its_names():
    names = ("x-ms-service-request-id", "request-id", "x-ms-request-id", "req_id", "x-ms-correlation-request-id", "x-ms-correlation-id", "ms-requestid")
    assert [Answer(200, {name: "the id"}, b"").request_id for name in names] == ["the id"] * len(names)
