# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""crm_solution_info on a scripted wire."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.leadops.dynamics365.plugins.modules import crm_solution_info as module
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import DATAVERSE, Expected, run

COLUMNS = "solutionid,uniquename,friendlyname,description,version,ismanaged,isvisible,installedon,updatedon,_parentsolutionid_value"
HISTORY = "msdyn_name,msdyn_status,msdyn_starttime,msdyn_endtime,msdyn_operation,msdyn_suboperation,msdyn_solutionversion,msdyn_result,msdyn_exceptionmessage"


def row(name: str, version: str = "1.0", **values: t.Any) -> dict[str, t.Any]:
    publisher = {"uniquename": "contoso", "friendlyname": "Contoso", "customizationprefix": "con"}
    return {"solutionid": f"id-{name}", "uniquename": name, "version": version, "ismanaged": True, "isvisible": True, "publisherid": publisher, **values}


def listed(condition: str, *rows: dict[str, t.Any]) -> Expected:
    chosen = f"&$filter={condition}" if condition else ""
    url = f"{DATAVERSE}/solutions?$select={COLUMNS}{chosen}&$expand=publisherid($select=uniquename,friendlyname,customizationprefix)"
    return Expected("GET", url, answer={"value": list(rows)})


@pytest.mark.parametrize(
    ("args", "condition"),
    [
        ({}, "isvisible eq true"),
        ({"managed": False}, "isvisible eq true and ismanaged eq false"),
        ({"hidden": True}, ""),
        ({"name": ["A"], "managed": True}, "(uniquename eq 'A' or uniquename eq 'A_Upgrade') and ismanaged eq true"),
    ],
)
def test_the_list_is_filtered_by_the_service(args: dict[str, t.Any], condition: str):
    ended = run(module, args, listed(condition, row("b"), row("A")))
    assert [found["unique_name"] for found in ended.result["solutions"]] == ["A", "b"]
    assert ended.result["changed"] is False
    assert ended.result["writes"] == []


def test_a_staged_upgrade_and_a_patch_are_told_with_their_solution():
    patch = row("A_Patch_1a2b3c4d", _parentsolutionid_value="id-A")
    ended = run(module, {}, listed("isvisible eq true", row("A"), row("A_Upgrade", "1.1"), patch, row("Lonely_Upgrade")))
    base, found, lonely = ended.result["solutions"]
    assert base["pending_upgrade"] == {"unique_name": "A_Upgrade", "version": "1.1", "solution_id": "id-A_Upgrade"}
    assert base["publisher"] == {"unique_name": "contoso", "friendly_name": "Contoso", "prefix": "con"}
    assert found["patch_of"] == "A"
    assert lonely["unique_name"] == "Lonely_Upgrade"


def history(status: int, *rows: dict[str, t.Any]) -> Expected:
    url = f"{DATAVERSE}/msdyn_solutionhistories?$select={HISTORY}&$filter=msdyn_name eq 'A' or msdyn_name eq 'A_Upgrade'"
    error = {"error": {"code": "0x80040220", "message": "no"}}
    return Expected("GET", f"{url}&$orderby=msdyn_starttime desc&$top=50", status, {"value": list(rows)} if status == 200 else error)


def test_history_components_and_dependents_are_read_on_request():
    components = f"{DATAVERSE}/solutioncomponents?$select=objectid,componenttype,rootcomponentbehavior&$filter=_solutionid_value eq id-A"
    ended = run(
        module,
        {"name": ["A"], "gather": ["history", "components", "dependents"]},
        listed("(uniquename eq 'A' or uniquename eq 'A_Upgrade')", row("A")),
        history(200, {"msdyn_name": "A", "msdyn_operation": 0, "msdyn_status": 1, "msdyn_result": True}),
        Expected("GET", components, answer={"value": [{"objectid": "r", "componenttype": 20}, {"objectid": "x", "componenttype": 4711}]}),
        Expected("GET", f"{DATAVERSE}/RetrieveDependenciesForUninstall(SolutionUniqueName='A')", answer={"value": []}),
        Expected(
            "GET",
            f"{DATAVERSE}/solutions?$select=solutionid,uniquename,friendlyname,version,ismanaged,modifiedon&$filter=_parentsolutionid_value eq id-A",
            answer={"value": []},
        ),
    )
    found = ended.result["solutions"][0]
    assert (found["history"][0]["operation"], found["history"][0]["status"], found["history"][0]["succeeded"]) == ("import", "completed", True)
    assert found["components"] == [{"id": "r", "type": "security role"}, {"id": "x", "type": "component type 4711"}]
    assert found["dependents"] == []


def test_a_closed_history_is_a_warning():
    ended = run(module, {"name": ["A"], "gather": ["history"]}, listed("(uniquename eq 'A' or uniquename eq 'A_Upgrade')", row("A")), history(403))
    assert ended.result["solutions"][0]["history"] is None
    assert "history" in ended.result["warnings"][0]
