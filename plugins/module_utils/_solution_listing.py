# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an organisation tells about its solutions: the list, and on request their past, content and dependents.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ._dataverse import Dataverse
from ._errors import AnswerNotUnderstood, ServiceRefused
from ._odata import Row, any_of, literal, query
from ._plan import Json
from ._rows import flag, inner, needed, needed_id, number, text
from ._solution_blockers import component_type, read_blockers
from ._solutions import HOLDING, InstalledSolution

COLUMNS = "solutionid,uniquename,friendlyname,description,version,ismanaged,isvisible,installedon,updatedon,_parentsolutionid_value"
PUBLISHER = "publisherid($select=uniquename,friendlyname,customizationprefix)"
HISTORY = "msdyn_name,msdyn_status,msdyn_starttime,msdyn_endtime,msdyn_operation,msdyn_suboperation,msdyn_solutionversion,msdyn_result,msdyn_exceptionmessage"
STATUS = {0: "started", 1: "completed", 2: "queued"}
OPERATIONS = {0: "import", 1: "uninstall", 2: "export"}
MOST_HISTORY = 50


def read_list(api: Dataverse, names: list[str], *, managed: bool | None, hidden: bool) -> list[Row]:
    """The rows of the wanted solutions, by name; staged upgrades come along with their solutions."""
    conditions: list[str] = []
    if names:
        wanted = [literal(name) for name in names] + [literal(f"{name}{HOLDING}") for name in names]
        conditions.append(f"({any_of('uniquename', wanted)})")
    elif not hidden:
        conditions.append("isvisible eq true")
    if managed is not None:
        conditions.append(f"ismanaged eq {str(managed).lower()}")
    path = "solutions" + query(select=COLUMNS, filter=" and ".join(conditions) or None, expand=PUBLISHER)
    return sorted(api.rows(path, doing="read the installed solutions"), key=lambda row: needed_id(row, "uniquename"))


def describe(rows: Iterable[Row]) -> list[Json]:
    """The form in the module's result; a staged upgrade is told with its solution."""
    listed = list(rows)
    by_id = {needed_id(row, "solutionid"): needed(row, "uniquename") for row in listed}
    by_name = {needed_id(row, "uniquename"): row for row in listed}
    found: list[Json] = []
    for row in listed:
        name = needed(row, "uniquename")
        base = by_name.get(name[: -len(HOLDING)].lower()) if name.lower().endswith(HOLDING.lower()) else None
        if base is not None:
            continue
        holding = by_name.get(f"{name}{HOLDING}".lower())
        publisher = inner(row, "publisherid")
        parent = text(row, "_parentsolutionid_value") or ""
        found.append(
            {
                "unique_name": name,
                "friendly_name": text(row, "friendlyname") or "",
                "description": text(row, "description") or "",
                "solution_id": needed(row, "solutionid"),
                "version": needed(row, "version"),
                "managed": flag(row, "ismanaged"),
                "visible": flag(row, "isvisible"),
                "installed_on": text(row, "installedon"),
                "updated_on": text(row, "updatedon"),
                "publisher": {
                    "unique_name": text(publisher, "uniquename") or "",
                    "friendly_name": text(publisher, "friendlyname") or "",
                    "prefix": text(publisher, "customizationprefix") or "",
                },
                "patch_of": by_id.get(parent.lower(), parent) or None,
                "pending_upgrade": InstalledSolution.from_row(holding).to_pending() if holding else None,
            }
        )
    return found


def read_history(api: Dataverse, name: str) -> list[Json] | None:
    """What was done with a solution, the newest first; None where the caller may not read it."""
    names = any_of("msdyn_name", [literal(name), literal(f"{name}{HOLDING}")])
    path = "msdyn_solutionhistories" + query(select=HISTORY, filter=names, orderby="msdyn_starttime desc", top=MOST_HISTORY)
    rows = _if_allowed(lambda: list(api.rows(path, doing=f"read the history of {name}")))
    if rows is None:
        return None
    return [
        {
            "name": text(row, "msdyn_name"),
            "operation": OPERATIONS.get(number(row, "msdyn_operation") or 0, text(row, "msdyn_operation")) if text(row, "msdyn_operation") else None,
            "version": text(row, "msdyn_solutionversion"),
            "status": STATUS.get(number(row, "msdyn_status") or 0, text(row, "msdyn_status")) if text(row, "msdyn_status") else None,
            "succeeded": flag(row, "msdyn_result") if text(row, "msdyn_result") else None,
            "started_on": text(row, "msdyn_starttime"),
            "ended_on": text(row, "msdyn_endtime"),
            "message": text(row, "msdyn_exceptionmessage") or "",
        }
        for row in rows
    ]


def read_components(api: Dataverse, solution_id: str) -> list[Json]:
    """What a solution holds."""
    path = "solutioncomponents" + query(select="objectid,componenttype,rootcomponentbehavior", filter=f"_solutionid_value eq {solution_id}")
    rows = api.rows(path, doing="read the components of the solution")
    return [{"id": needed(row, "objectid"), "type": component_type(number(row, "componenttype"))} for row in rows]


def read_dependents(api: Dataverse, solution: Json) -> list[Json]:
    """What would keep the solution from being removed, in the order in which to remove it."""
    there = InstalledSolution(solution["solution_id"], solution["unique_name"], solution["friendly_name"], solution["version"], solution["managed"])
    return [blocker.to_result() for blocker in read_blockers(api, there)]


def _if_allowed(read: Callable[[], list[Row]]) -> list[Row] | None:
    """The history is a virtual table that many callers may not read, and that not every organisation answers for."""
    try:
        return read()
    except (AnswerNotUnderstood, ServiceRefused):
        return None
