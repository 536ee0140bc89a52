# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an import's records say about its end: the system job and the import job. Pure functions.

The system job's status is the verdict, together with the manifest's result: an import can be answered with success and
fail later, can end below one hundred percent and be a success, and can report failed components that do no harm.

This file is private to the collection.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ._dataverse import is_lock
from ._odata import Row
from ._rows import needed, number, text
from ._safe_xml import Element, RefusedXml, stream_xml

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_HEX_CODE = re.compile(r"\b0x8[0-9a-f]{7}\b", re.IGNORECASE)

COMPLETED = 3
SUCCEEDED, FAILED, CANCELED = 30, 31, 32


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
        return not self.succeeded and is_lock(self.code, self.message)


def completed(operation: Row) -> bool:
    """Whether a system job has come to its end."""
    needed(operation, "statecode")
    return number(operation, "statecode") == COMPLETED


def judge_import(operation: Row | None, job: Row | None) -> ImportEnd:
    """The verdict, by the completed system job (None where there is none) and the import job (None if it never came to be)."""
    job_row = job or {}
    components, manifest = read_import_data(text(job_row, "data") or "")
    status = number(operation, "statuscode") if operation is not None and needed(operation, "statuscode") else None
    succeeded = status == SUCCEEDED or (operation is None and job is not None)
    name = text(job_row, "solutionname") or ""
    if succeeded and manifest is None:
        return ImportEnd(succeeded=True, solution_name=name, components=components)
    operation = operation or {}
    message = text(operation, "message") or text(operation, "friendlymessage") or ""
    code = hex_code(operation.get("errorcode")) or next(iter(_HEX_CODE.findall(message)), "")
    if manifest is not None:
        # The wrapper's code only says that an import failed
        code, message = manifest.code or code, message or manifest.text
    return ImportEnd(succeeded=False, solution_name=name, canceled=status == CANCELED, code=code, message=message, components=components)


def read_import_data(data: str) -> tuple[tuple[ComponentResult, ...], ComponentResult | None]:
    """The components without plain success, and the manifest's failure if it failed."""
    if not data.strip():
        return (), None
    # A text has no encoding any more, whatever its declaration says
    report, problem = _Report(), ""
    try:
        stream_xml([_DECLARATION.sub("", data.lstrip("\ufeff")).encode(errors="replace")], report)
    except RefusedXml as error:
        problem = str(error)
    root = report.root
    found = () if root is None else tuple(_results(root))
    if problem:
        found = (*found, ComponentResult("", "report", "warning", "", f"the import's report {problem}; what stands behind that place is not known"))
    if root is None:
        return found, None
    manifest = next((result for result in found if result.type == "solutionManifest" and result.result == "failure"), None)
    if manifest is None and (root.get("succeeded") or "").lower() in ("failure", "false"):
        manifest = next((result for result in found if result.result == "failure"), ComponentResult("", "solution", "failure", "", ""))
    return found, manifest


def hex_code(number: t.Any) -> str:
    """A system job tells its error as a signed decimal number; everybody else writes it in hexadecimal."""
    if isinstance(number, str):
        word = number.strip()
        if re.fullmatch(r"0x[0-9a-f]+", word, re.IGNORECASE):
            return word if int(word, 16) else ""
        number = int(word) if re.fullmatch(r"-?\d+", word) else 0
    return f"0x{int(number) & 0xFFFFFFFF:08X}" if isinstance(number, int) and number else ""


class _Report:
    """The tree of a report, also of one that breaks off."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []

    def start(self, tag: str, attrib: dict[str, str], /) -> None:
        element = Element(_local(tag), {_local(name): value for name, value in attrib.items()})
        if self._open:
            self._open[-1].append(element)
        self.root = element if self.root is None else self.root
        self._open.append(element)

    def end(self, _tag: str, /) -> None:
        self._open.pop()

    def data(self, data: str, /) -> None:
        if self._open:
            self._open[-1].text = (self._open[-1].text or "") + data

    def close(self) -> None:
        """Nothing is left to do."""


def _results(root: Element) -> t.Iterator[ComponentResult]:
    for element in root.iter():
        for result in element:
            verdict = (result.get("result") or "").lower()
            if result.tag != "result" or verdict not in ("failure", "warning"):
                continue
            unique = next((child.text for child in element if child.tag == "UniqueName"), None)
            name = element.get("LocalizedName") or element.get("name") or element.get("id") or unique or ""
            yield ComponentResult(name, element.tag, verdict, _told_code(result.get("errorcode") or ""), result.get("errortext") or "")


def _told_code(word: str) -> str:
    """In hexadecimal where it is a number; nought is no code."""
    return hex_code(word) or (word if word.strip().lstrip("0xX") else "")


def _local(tag: str) -> str:
    """A name without its namespace or prefix."""
    return tag.rpartition("}")[2].rpartition(":")[2]
