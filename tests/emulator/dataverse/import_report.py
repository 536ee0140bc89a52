# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an import tells about itself: the XML of the job row, and the formatted result."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from .solution_problems import Problem

_TICKS_BEFORE_1970 = 621_355_968_000_000_000


def ticks(seconds: float) -> int:
    """Count a moment in .NET ticks."""
    return _TICKS_BEFORE_1970 + int(seconds * 10_000_000)


@dataclass(frozen=True)
class Component:
    """One component of a package, as the report shows it."""

    section: str
    """The element that lists components of its kind."""
    element: str
    id: str
    name: str
    result: str = "success"
    code: str = "0"
    text: str = ""


def components(package: Mapping[str, Any], told: Sequence[Mapping[str, Any]]) -> list[Component]:
    """List a package's components; ``told`` says what becomes of some, by name, and may name more."""
    found = [Component("securityroles", "securityrole", f"{{{role['id']}}}", role["name"]) for role in package["roles"]]
    tables = [item["schemaName"] for item in package["root_components"] if item.get("type") == "1" and item.get("schemaName")]
    found += [Component("entities", "entity", name, name) for name in tables]
    found += [Component("connectionreferences", "connectionreference", item["name"], item["display_name"]) for item in package["connection_references"]]
    variables = package["environment_variables"]
    found += [Component("environmentvariabledefinitions", "environmentvariabledefinition", item["name"], item["display_name"]) for item in variables]
    for item in told:
        name = str(item["name"])
        outcome = {"result": str(item.get("result", "failure")), "code": str(item.get("code", "0x80048033")), "text": str(item.get("text", ""))}
        if not any(name in (one.name, one.id) for one in found):
            kind = str(item.get("type", "node"))
            found.append(Component("nodes" if kind == "node" else f"{kind}s", kind, name, name))
        found = [replace(one, **outcome) if name in (one.name, one.id) else one for one in found]
    return found


def job_data(
    package: Mapping[str, Any], parts: Sequence[Component], progress: float, started: float, moment: float, problem: Problem | None, *, done: bool
) -> str:
    """Write the ``data`` of an import job."""
    attributes = {"start": str(ticks(started)), "stop": str(ticks(moment)), "progress": f"{progress:g}", "processed": str(done).lower()}
    if done:
        spoiled = any(part.result != "success" for part in parts)
        attributes["succeeded"] = "failure" if problem is not None else "warning" if spoiled else "success"
    root = ET.Element("importexportxml", attributes)
    manifests = ET.SubElement(root, "solutionManifests")
    shown = {"languagecode": "1033", "id": package["unique_name"], "LocalizedName": package["friendly_name"], "processed": str(done).lower()}
    manifest = ET.SubElement(manifests, "solutionManifest", shown)
    ET.SubElement(manifest, "UniqueName").text = package["unique_name"]
    ET.SubElement(manifest, "Version").text = package["version"]
    ET.SubElement(manifest, "Managed").text = "1" if package["managed"] else "0"
    publisher = ET.SubElement(manifest, "Publisher")
    ET.SubElement(publisher, "UniqueName").text = package["publisher"]["unique_name"]
    ET.SubElement(manifest, "results")
    if done:
        _result(manifest, moment, *(("failure", problem.code, problem.detail) if problem else ("success", "0", "")))
    succeeded = done and problem is None
    for section in dict.fromkeys(("entities", "optionSets", "nodes", "securityroles", *(part.section for part in parts))):
        parent = ET.SubElement(root, section)
        for part in parts:
            if part.section != section:
                continue
            processed = succeeded or (done and part.result != "success")
            item = ET.SubElement(parent, part.element, id=part.id, LocalizedName=part.name, processed=str(processed).lower())
            if processed:
                _result(item, moment, part.result, part.code, part.text)
    roots = ET.SubElement(root, "rootComponents")
    for _unused in package["root_components"]:
        item = ET.SubElement(roots, "rootComponent", processed=str(succeeded).lower())
        if succeeded:
            _result(item, moment, "success", "0", "")
    return ET.tostring(root, encoding="unicode")


def _result(parent: ET.Element, moment: float, result: str, code: str, text: str) -> None:
    ET.SubElement(
        parent,
        "result",
        result=result,
        errorcode=code,
        errortext=text,
        datetime=time.strftime("%H:%M:%S", time.gmtime(moment)) + ".00",
        datetimeticks=str(ticks(moment)),
    )


_COLUMNS = ("Time", "ItemType", "Id", "Name", "LocalizedName", "OriginalName", "Description", "Status", "ErrorCode", "ErrorText")
_HEADINGS = ("Date/Time", "ItemType", "Id", "Name", "Localized Name", "Original Name", "Description", "Status", "ErrorCode", "ErrorText")


def formatted(rows: Sequence[Mapping[str, str]]) -> str:
    """Write the import's result as the spreadsheet that clients offer for download: the sheet of the components, by the names of its columns."""
    heading = "".join(f'<Cell ss:StyleID="s175"><Data ss:Type="String">{escape(text)}</Data></Cell>' for text in _HEADINGS)
    lines = [f'<Row ss:AutoFitHeight="0" ss:StyleID="s133">{heading}</Row>']
    for row in rows:
        cells = (f'<Cell ss:StyleID="s137" name="{name}"><Data ss:Type="String">{escape(row.get(name, ""))}</Data></Cell>' for name in _COLUMNS)
        lines.append(f'<Row ss:AutoFitHeight="0">{"".join(cells)}</Row>')
    return (
        '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="Components" ss:Id="Components"><Table>'
        + "".join(lines)
        + "</Table></Worksheet></Workbook>"
    )
