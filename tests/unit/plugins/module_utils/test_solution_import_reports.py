# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second source about an import's end: what it adds, and what it must not decide."""

from __future__ import annotations

import pytest

from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_import_reports import ImportReport, is_wanted, read_sheet, supplemented
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_import_results import ComponentResult, ImportEnd, judge_import

FAILED_PART = ComponentResult("Lead", "entity", "failure", "0x80044182", "A column is missing.")
WARNED_PART = ComponentResult("Mail", "connectionreference", "warning", "", "No connection.")
GOOD = ImportEnd(succeeded=True)
BAD = ImportEnd(succeeded=False, code="0x80048033", message="It failed.")
JOB = {"data": "<importexportxml/>"}


@pytest.mark.parametrize(
    ("end", "job", "wanted"),
    [
        (GOOD, JOB, False),
        (GOOD, {"data": ""}, True),
        (GOOD, {"data": None}, True),
        (judge_import({"statuscode": 30}, {"data": "<importexportxml><solutionMan"}), {"data": "<importexportxml><solutionMan"}, True),
        (BAD, JOB, True),
        (ImportEnd(succeeded=False, components=(FAILED_PART,)), JOB, False),
    ],
)
def test_it_is_asked_only_where_the_first_leaves_something_open(end: ImportEnd, job: dict[str, str], wanted: bool):  # noqa: FBT001
    assert is_wanted(end, job) is wanted


@pytest.mark.parametrize(
    ("end", "report", "succeeded", "parts"),
    [
        (GOOD, ImportReport(), True, ()),
        (GOOD, ImportReport(components=(WARNED_PART,), warnings=("Mail: No connection.",)), True, (WARNED_PART,)),
        (GOOD, ImportReport(warnings=("Something is odd.",)), True, (ComponentResult("", "solution", "warning", "", "Something is odd."),)),
        # Failed components alone do no harm, whatever the status says
        (GOOD, ImportReport(failed=True, components=(FAILED_PART,), errors=("Lead: A column is missing.",)), True, (FAILED_PART,)),
        (GOOD, ImportReport(failed=True), False, ()),
        (GOOD, ImportReport(failed=True, errors=("The import failed.",)), False, ()),
        (BAD, ImportReport(components=(FAILED_PART,)), False, (FAILED_PART,)),
        (BAD, ImportReport(), False, ()),
        (ImportEnd(succeeded=True, components=(FAILED_PART,)), ImportReport(components=(FAILED_PART,)), True, (FAILED_PART,)),
    ],
)
def test_it_completes_the_end(end: ImportEnd, report: ImportReport, succeeded: bool, parts: tuple[ComponentResult, ...]):  # noqa: FBT001
    whole = supplemented(end, report)
    assert whole.succeeded is succeeded
    assert whole.components == parts
    assert whole.message == (end.message or ("The import failed." if report.errors and not succeeded else ""))


def test_the_sheet_is_read_by_the_names_of_its_columns_in_any_language():
    space = "urn:schemas-microsoft-com:office:spreadsheet"
    row = (
        '<Row><Cell name="ItemType"><Data>Formular</Data></Cell><Cell name="Name"><Data>lead</Data></Cell><Cell name="Status"><Data>{}</Data></Cell>'
        '<Cell name="ErrorCode"><Data>{}</Data></Cell><Cell name="ErrorText"><Data>{}</Data></Cell></Row>'
    )
    rows = row.format("Fehler", "0x80044182", "Es fehlt etwas.") + row.format("Verarbeitet", "0", "") + row.format("Warning", "", "Take care.")
    sheet = f'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="{space}" xmlns:ss="{space}"><Table>{rows}</Table></Workbook>'
    assert read_sheet(sheet) == (
        ComponentResult("lead", "Formular", "failure", "0x80044182", "Es fehlt etwas."),
        ComponentResult("lead", "Formular", "warning", "", "Take care."),
    )


@pytest.mark.parametrize("document", ["", "   ", "<broken", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'])
def test_a_sheet_that_cannot_be_read_adds_nothing(document: str):
    assert read_sheet(document) == ()
