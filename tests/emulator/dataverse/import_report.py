# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an import tells about itself: the XML of the job row, and the formatted result."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from .solutions import Problem

_TICKS_BEFORE_1970 = 621_355_968_000_000_000


def ticks(seconds: float) -> int:
    """Count a moment in .NET ticks."""
    return _TICKS_BEFORE_1970 + int(seconds * 10_000_000)


def job_data(package: Mapping[str, Any], progress: float, started: float, moment: float, problem: Problem | None, *, done: bool) -> str:
    """Write the ``data`` of an import job."""
    attributes = {"start": str(ticks(started)), "stop": str(ticks(moment)), "progress": f"{progress:g}", "processed": str(done).lower()}
    if done:
        attributes["succeeded"] = "success" if problem is None else "failure"
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
        _result(manifest, moment, problem)
    for name in ("entities", "optionSets", "nodes"):
        ET.SubElement(root, name)
    succeeded = done and problem is None
    roles = ET.SubElement(root, "securityroles")
    for role in package["roles"]:
        item = ET.SubElement(roles, "securityrole", id=f"{{{role['id']}}}", LocalizedName=role["name"], processed=str(succeeded).lower())
        if succeeded:
            _result(item, moment, None)
    components = ET.SubElement(root, "rootComponents")
    for _unused in package["root_components"]:
        item = ET.SubElement(components, "rootComponent", processed=str(succeeded).lower())
        if succeeded:
            _result(item, moment, None)
    return ET.tostring(root, encoding="unicode")


def _result(parent: ET.Element, moment: float, problem: Problem | None) -> None:
    ET.SubElement(
        parent,
        "result",
        result="success" if problem is None else "failure",
        errorcode="0" if problem is None else problem.code,
        errortext="" if problem is None else problem.detail,
        datetime=time.strftime("%H:%M:%S", time.gmtime(moment)) + ".00",
        datetimeticks=str(ticks(moment)),
    )


def formatted(rows: list[tuple[str, str, str, str, str]]) -> str:
    """Write the import's result as the spreadsheet that clients offer for download."""
    header = ("ItemType", "Name", "Status", "ErrorCode", "ErrorText")
    lines = "".join("<Row>" + "".join(f'<Cell><Data ss:Type="String">{escape(cell)}</Data></Cell>' for cell in row) + "</Row>" for row in (header, *rows))
    return (
        '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="Solution"><Table>' + lines + "</Table></Worksheet></Workbook>"
    )
