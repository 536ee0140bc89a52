# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RetrieveSolutionImportResult: the verdict on an import, component by component."""

from __future__ import annotations

from typing import Any

from ..wire import Response
from .context import Context
from .errors import fault
from .import_report import components, formatted
from .imports import told_results
from .solution_calls import reply

_STATUS = {"success": "Processed", "failure": "Failure", "warning": "Warning"}


def import_result(context: Context, parameters: dict[str, Any]) -> Response:
    """Tell how an import went."""
    org = context.org
    context.access.require("prvReadImportJob")
    job_id = str(parameters.get("ImportJobId", "")).lower()
    job = next((item for item in org.tenant.collection("imports").values() if item["importjobid"] == job_id), None)
    row = org.row("importjob", job_id)
    if job is None or row is None:
        raise fault(400, "0x80044252", "The requested importjob does not exist.")
    failed = bool(job["done"]) and job.get("solution_id") is None
    message = (org.row("asyncoperation", job["asyncoperationid"]) or {}).get("friendlymessage") or ("The import failed." if failed else "")
    parts = components(job["package"], told_results(org, job["package"]))
    lines = []
    for part in parts:
        processed = job["done"] and not (failed and part.result == "success")
        status = _STATUS.get(part.result, part.result) if processed else "Unprocessed"
        told_of = {"ErrorCode": part.code if part.code != "0" else "", "ErrorText": part.text} if processed else {}
        lines.append({"ItemType": part.element, "Id": part.id, "Name": part.id, "LocalizedName": part.name, "Status": status, **told_of})
    told = {kind: [f"{part.name}: {part.text}" for part in parts if job["done"] and part.result == kind] for kind in ("warning", "failure")}
    return reply(
        context,
        "RetrieveSolutionImportResult",
        SolutionOperationResult={
            "FormattedResults": formatted(lines),
            "Type": "Import",
            # Whether failed components alone make it Failed is not confirmed.
            "Status": ("Failed" if failed or (told["failure"] and org.switch("partial_result", "Passed") == "Failed") else "Passed")
            if job["done"]
            else "Unknown",
            "WarningMessages": told["warning"],
            "ErrorMessages": [*([message] if failed else []), *told["failure"]],
            "ActionLink": {"Label": None, "Target": None},
        },
    )
