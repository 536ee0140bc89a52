# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second source about an import's end: ``RetrieveSolutionImportResult``, asked where the first one says nothing.

The first is the ``data`` of the import job: every organisation has it, it comes with the row that is read anyway, and it has
each component's kind, name, code and text. The function has the same as a spreadsheet, exists only since 9.2.23034.30, and
whether failed components alone make its status "Failed" is not documented. So it does not decide against the job's data; it
completes an end of which the data is missing, broken, or without the reason. ``RetrieveFormattedImportJobResults`` is the
spreadsheet alone and would add nothing.

This file is private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ._dataverse import Dataverse
from ._errors import AnswerNotUnderstood, ServiceRefused
from ._odata import Row
from ._rows import inner, text, texts
from ._safe_xml import Element, RefusedXml, read_xml
from ._solution_import_results import ComponentResult, ImportEnd, hex_code

COLUMNS = {"itemtype": "type", "name": "name", "localizedname": "label", "status": "status", "errorcode": "code", "errortext": "text"}


@dataclass(frozen=True)
class ImportReport:
    """What the function tells."""

    failed: bool = False
    components: tuple[ComponentResult, ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def is_wanted(end: ImportEnd, job: Row) -> bool:
    """Whether the job's data leaves something open: none, only a part, or a failure that names no component."""
    incomplete = any(component.type == "report" for component in end.components)
    return not (text(job, "data") or "").strip() or incomplete or (not end.succeeded and not end.components)


def read_report(api: Dataverse, import_job_id: str) -> ImportReport | None:
    """Ask for the result of an import; None where the organisation does not tell it."""
    try:
        answer = api.get(f"RetrieveSolutionImportResult(ImportJobId={import_job_id})", doing="read the result of the import")
        result = inner(answer, "SolutionOperationResult")
        sheet = read_sheet(text(result, "FormattedResults") or "")
        return ImportReport(
            (text(result, "Status") or "").lower() == "failed", sheet, tuple(texts(result, "ErrorMessages")), tuple(texts(result, "WarningMessages"))
        )
    except (ServiceRefused, AnswerNotUnderstood):
        return None


def supplemented(end: ImportEnd, report: ImportReport) -> ImportEnd:
    """The end with what the report adds. Failed components alone do not make an import a failure."""
    added = tuple(item for item in report.components if item.type.lower() != "solution" and not any(_same(item, one) for one in end.components))
    parts = (*end.components, *added)
    known = " ".join(item.text for item in parts)
    errors = [message for message in report.errors if message not in known and not any(item.text and item.text in message for item in parts)]
    warnings = [message for message in report.warnings if message not in known and not any(item.text and item.text in message for item in parts)]
    told = (*parts, *(ComponentResult("", "solution", "warning", "", message) for message in warnings))
    whole = next((item for item in report.components if item.type.lower() == "solution" and item.result == "failure"), None)
    broken = report.failed and (bool(errors) or whole is not None or not any(item.result == "failure" for item in parts))
    reason = whole.text if whole and whole.text else next(iter(errors), "")
    if end.succeeded and not broken:
        return replace(end, components=told)
    code = end.code or (whole.code if whole else "")
    return replace(end, succeeded=False, code=code, message=end.message or reason, components=told)


def read_sheet(document: str) -> tuple[ComponentResult, ...]:
    """The rows of the spreadsheet that have an error or a warning.

    Its cells bear the names of their columns, whatever language the headings are in; the words of the status may be in that
    language too, so an error is known by its code or text.
    """
    if not document.strip():
        return ()
    try:
        root = read_xml([document.lstrip("\ufeff").encode()])
    except RefusedXml:
        return ()
    found = []
    for row in root.iter():
        if _local(row.tag) != "Row":
            continue
        cells = {COLUMNS[name]: _text(cell) for cell in row if (name := _named(cell)) in COLUMNS}
        code = hex_code(cells.get("code", ""))
        if code or cells.get("text"):
            verdict = "warning" if "warn" in cells.get("status", "").lower() else "failure"
            found.append(ComponentResult(cells.get("label") or cells.get("name", ""), cells.get("type", ""), verdict, code, cells.get("text", "")))
    return tuple(found)


def _same(one: ComponentResult, other: ComponentResult) -> bool:
    return (one.result, one.code.lower(), one.text) == (other.result, other.code.lower(), other.text)


def _named(cell: Element) -> str:
    return next((value for name, value in cell.attrib.items() if _local(name).lower() == "name"), "").lower()


def _text(cell: Element) -> str:
    return "".join(part.text or "" for part in cell.iter() if _local(part.tag) == "Data").strip()


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
