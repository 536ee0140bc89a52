# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an import's records say about its end: the system job and the import job. Pure functions.

The system job's status is the verdict, together with the manifest's result: an import can be answered with success and
fail later, can end below one hundred percent and be a success, and can report failed components that do no harm.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ._dataverse import SOLUTION_LOCK
from ._error_catalogue import explain
from ._errors import ServiceRefused
from ._odata import Row
from ._safe_xml import Element, RefusedXml, read_xml

COMPLETED = 3
SUCCEEDED, CANCELED = 30, 32


@dataclass(frozen=True)
class ComponentResult:
    """What became of one component, where it was not plain success."""

    name: str
    type: str
    result: str
    """``failure`` or ``warning``."""
    code: str
    text: str

    def to_result(self) -> dict[str, str]:
        """The form in a module's result."""
        return {"name": self.name, "type": self.type, "result": self.result, "code": self.code, "text": self.text}


@dataclass(frozen=True)
class ImportEnd:
    """How an import ended."""

    succeeded: bool
    solution_name: str = ""
    """As the import job tells it; empty if it does not."""
    canceled: bool = False
    code: str = ""
    message: str = ""
    components: tuple[ComponentResult, ...] = ()

    @property
    def locked_out(self) -> bool:
        """It failed only because something else was running: nothing was done."""
        return not self.succeeded and self.code.lower() in SOLUTION_LOCK


def judge_import(operation: Row | None, job: Row | None) -> ImportEnd:
    """The verdict, by the completed system job (None where there is none) and the import job (None if it never came to be)."""
    components, manifest = read_import_data(str((job or {}).get("data") or ""))
    succeeded = operation is None or operation.get("statuscode") == SUCCEEDED
    if operation is None and job is None:
        succeeded = False
    name = str((job or {}).get("solutionname") or "")
    if succeeded and manifest is None:
        return ImportEnd(succeeded=True, solution_name=name, components=components)
    operation = operation or {}
    message = str(operation.get("message") or operation.get("friendlymessage") or "")
    code = hex_code(operation.get("errorcode"))
    if manifest is not None:
        # The wrapper's code only says that an import failed
        code, message = manifest.code or code, message or manifest.text
    return ImportEnd(succeeded=False, solution_name=name, canceled=operation.get("statuscode") == CANCELED, code=code, message=message, components=components)


def read_import_data(data: str) -> tuple[tuple[ComponentResult, ...], ComponentResult | None]:
    """The components without plain success, and the manifest's failure if it failed."""
    if not data:
        return (), None
    try:
        root = read_xml([data.encode()])
    except RefusedXml:
        return (), None
    found = tuple(_results(root))
    manifest = next((result for result in found if result.type == "solutionManifest" and result.result == "failure"), None)
    if manifest is None and root.get("succeeded", "").lower() in ("failure", "false"):
        manifest = next((result for result in found if result.result == "failure"), ComponentResult("", "solution", "failure", "", ""))
    return found, manifest


def hex_code(number: t.Any) -> str:
    """A system job tells its error as a signed decimal number; everybody else writes it in hexadecimal."""
    return f"0x{int(number) & 0xFFFFFFFF:08X}" if isinstance(number, int) and number else ""


def failure(end: ImportEnd, doing: str, facts: dict[str, t.Any]) -> ServiceRefused:
    """The error that tells of a failed import."""
    known = explain("dataverse", end.code, end.message)
    if end.canceled:
        why, next_step = "somebody cancelled the import while it ran.", "Find out who and why (Solution history shows it), then run again."
    else:
        told = _sentence(end.message) or "the organisation says only that the import failed."
        why = f"the import ran and failed. {known.meaning.strip()} The organisation says: {told}" if known else f"the import ran and failed: {told}"
        next_step = known.next_step if known else "Correct what the organisation names, then run again; Solution history has the details."
    failed = [component for component in end.components if component.result == "failure" and component.text not in end.message]
    if failed:
        shown = "; ".join(f"{item.type} {item.name or '(no name)'} ({item.code}): {_sentence(item.text)}" for item in failed[:5])
        why += f" Failed components: {shown}{f' … and {len(failed) - 5} more.' if len(failed) > 5 else ''}"
    return ServiceRefused(
        doing=doing,
        why=why,
        next_step=next_step,
        service="dataverse",
        code=end.code,
        catalogue=known.name if known else "",
        message=end.message,
        facts={**facts, "components": [component.to_result() for component in end.components]},
    )


def _results(root: Element) -> t.Iterator[ComponentResult]:
    for element in root.iter():
        result = element.find("result")
        if result is None or result.get("result") not in ("failure", "warning"):
            continue
        code = result.get("errorcode", "")
        name = element.get("LocalizedName") or element.get("name") or element.get("id") or element.findtext("UniqueName") or ""
        yield ComponentResult(name, element.tag, result.get("result", ""), "" if code == "0" else code, result.get("errortext", "")[:1000])


def _sentence(text: str) -> str:
    """Without the XML that the service appends to some texts, and not endless."""
    plain = " ".join(text.split("<", 1)[0].split())
    shown = plain if len(plain) <= 600 else plain[:600] + " …"
    return shown if not shown or shown.endswith((".", "…", "!", "?")) else shown + "."
