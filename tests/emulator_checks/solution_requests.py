# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests about solutions that several checks send."""

from __future__ import annotations

import base64
from typing import Any

from tests.emulator.package import Variant, build

from .dataverse_org import Answer, Client

BASE = Variant(unique_name="Base", role=False, tables=("base_thing", "base_other"))
DEPENDENT = Variant(unique_name="Dependent", role=False, tables=("dep_thing",), needs=(("base_thing", "Base (1.0.0.0)"),))


def body(variant: Variant | None = None, **members: Any) -> dict[str, Any]:
    content = base64.b64encode(build(variant or Variant())).decode()
    return {"OverwriteUnmanagedCustomizations": True, "PublishWorkflows": True, "CustomizationFile": content, **members}


def begin(client: Client, variant: Variant | None = None, action: str = "ImportSolutionAsync", **members: Any) -> tuple[str, str]:
    answer = client.post(action, body(variant, **members))
    assert answer.status == 200, answer.text
    return answer.body["AsyncOperationId"], answer.body["ImportJobKey"]


def operation(client: Client, operation_id: str) -> Any:
    return client.get(f"asyncoperations({operation_id})").body


def run_through(client: Client, variant: Variant | None = None, action: str = "ImportSolutionAsync", **members: Any) -> tuple[Any, Answer]:
    operation_id, job_id = begin(client, variant, action, **members)
    client.world.advance(101)
    return operation(client, operation_id), client.get(f"importjobs({job_id})")


def imported(client: Client, variant: Variant, action: str = "ImportSolutionAsync", **members: Any) -> Any:
    """Import to a good end; the system job's row."""
    row, _unused = run_through(client, variant, action, **members)
    assert row["statuscode"] == 30, row["message"]
    return row


def solution(client: Client, name: str) -> Any:
    """The row of a solution, or None."""
    rows = client.get(f"solutions?$filter=uniquename%20eq%20'{name}'").rows
    return rows[0] if rows else None


def component_ids(client: Client, name: str) -> set[str]:
    """The ids of a solution's components."""
    row = solution(client, name)
    return {item["objectid"] for item in client.get(f"solutioncomponents?$filter=_solutionid_value%20eq%20{row['solutionid']}").rows}


def remove(client: Client, name: str) -> Answer:
    """Delete a solution's row."""
    return client.ask("DELETE", f"solutions({solution(client, name)['solutionid']})")


def history(client: Client, name: str) -> list[tuple[int, int, bool | None]]:
    """Operation, status and result of a solution's history rows, the oldest first."""
    rows = client.get(f"msdyn_solutionhistories?$filter=msdyn_name%20eq%20'{name}'&$orderby=msdyn_starttime").rows
    return [(row["msdyn_operation"], row["msdyn_status"], row["msdyn_result"]) for row in rows]
