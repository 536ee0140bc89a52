# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a solution's life on a scripted wire."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from ansible_collections.leadops.dynamics365.plugins.modules import crm_solution as module
from ansible_collections.leadops.dynamics365.tests.unit.plugins.solution_zip import ROLE_ID
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import DATAVERSE, Expected, FakeClock, Run, run

NAME = "ContosoLeads"
HOLDING = "ContosoLeads_Upgrade"
MESSAGES = "messagename eq 'ImportSolutionAsync' or messagename eq 'StageAndUpgradeAsync'"
OPERATION = "310799b8-dc6c-ee11-9ae7-000d3aaae21d"
SOLUTION_ID = "86928ed8-0000-4000-8000-000000000001"
STAGED_ID = "96928ed8-0000-4000-8000-000000000001"
FOREIGN = "410799b8-dc6c-ee11-9ae7-000d3aaae21d"
JOB = "1b1fa80d-aa0f-4291-b60c-b0745304ce24"
NOW = datetime.fromtimestamp(FakeClock().now(), UTC).isoformat()
LOCK = {"error": {"code": "0x80071151", "message": "Cannot start another [Import] because there is a previous [PublishAll] running at this moment."}}
MODERN = {"organization_version": "9.2.24014.00186"}


def solutions(version: str = "", *, managed: bool = True, holding: str = "", names: tuple[str, ...] = (NAME,), root: str = DATAVERSE) -> Expected:
    row = {"solutionid": SOLUTION_ID, "uniquename": NAME, "friendlyname": "x", "version": version, "ismanaged": managed}
    wanted = " or ".join(f"uniquename eq '{name}'" for name in (NAME, HOLDING, *names[1:]))
    url = f"{root}/solutions?$select=solutionid,uniquename,friendlyname,version,ismanaged&$filter={wanted}&$expand=publisherid($select=uniquename)"
    staged = {**row, "solutionid": STAGED_ID, "uniquename": HOLDING, "version": holding}
    rows = [*([row] if version else []), *([staged] if holding else [])]
    return Expected("GET", url, answer={"value": [{**found, "publisherid": {"uniquename": "contoso"}} for found in rows]})


def patches(*names: str) -> Expected:
    url = f"{DATAVERSE}/solutions?$select=solutionid,uniquename,friendlyname,version,ismanaged&$filter=_parentsolutionid_value eq {SOLUTION_ID}"
    rows = [{"solutionid": STAGED_ID, "uniquename": name, "friendlyname": name, "version": "0.9.1", "ismanaged": True} for name in names]
    return Expected("GET", url, answer={"value": rows})


def operations(*rows: tuple[str, int, int]) -> Expected:
    values = [{"asyncoperationid": name, "statecode": state, "statuscode": status, "createdon": NOW} for name, state, status in rows]
    url = f"{DATAVERSE}/asyncoperations?$select=asyncoperationid,statecode,statuscode,createdon&$filter={MESSAGES}"
    return Expected("GET", f"{url}&$orderby=createdon desc&$top=20", answer={"value": values})


def jobs(*rows: dict[str, t.Any], root: str = DATAVERSE) -> Expected:
    url = f"{root}/importjobs?$select=importjobid,solutionname,progress,createdon,startedon,completedon&$orderby=createdon desc&$top=20"
    return Expected("GET", url, answer={"value": [{"createdon": NOW, "completedon": None, "importjobid": JOB, **row} for row in rows]})


def history(*statuses: int, status: int = 200) -> Expected:
    url = f"{DATAVERSE}/msdyn_solutionhistories?$select=msdyn_name,msdyn_status,msdyn_starttime&$filter=msdyn_name eq '{NAME}' or msdyn_name eq '{HOLDING}'"
    answer = {"value": [{"msdyn_name": NAME, "msdyn_status": value} for value in statuses]}
    return Expected("GET", f"{url}&$orderby=msdyn_starttime desc&$top=5", status, answer)


def start(status: int = 200, answer: t.Any = None, *, verb: str = "ImportSolutionAsync", extra: dict[str, t.Any] | None = None, **more: t.Any) -> Expected:
    def right(body: t.Any) -> bool:
        expected = extra or {}
        usual = {"OverwriteUnmanagedCustomizations", "PublishWorkflows"} | (set() if "SolutionParameters" in expected else {"CustomizationFile"})
        return set(body) == usual | set(expected) and {name: body[name] for name in expected} == expected

    ids = {"ImportJobKey": JOB, "AsyncOperationId": OPERATION}
    return Expected("POST", f"{DATAVERSE}/{verb}", status, answer or ids, body=right, **more)


def polled(state: int, status: int, **values: t.Any) -> Expected:
    url = f"{DATAVERSE}/asyncoperations({OPERATION})?$select=statecode,statuscode,message,friendlymessage,errorcode,startedon,completedon"
    return Expected("GET", url, answer={"statecode": state, "statuscode": status, **values})


def job(status: int = 200, root: str = DATAVERSE, job_id: str = JOB, **values: t.Any) -> Expected:
    url = f"{root}/importjobs({job_id})?$select=importjobid,solutionname,progress,startedon,completedon,data"
    row = {"importjobid": job_id, "solutionname": NAME, "progress": 73.08, "completedon": NOW, "data": "", **values}
    return Expected("GET", url, status, row if status == 200 else {"error": {"code": "0x80040217", "message": "importjob Does Not Exist"}})


def progress(value: float | None) -> Expected:
    missing = {"error": {"code": "0x80040217", "message": "Does Not Exist"}}
    return Expected("GET", f"{DATAVERSE}/importjobs({JOB})?$select=progress", 404 if value is None else 200, missing if value is None else {"progress": value})


def roles(*names: str, root: str = DATAVERSE) -> Expected:
    url = f"{root}/roles?$select=roleid,name&$filter=_parentroleid_value eq null and (name eq 'Lead Writer')"
    return Expected("GET", url, answer={"value": [{"roleid": ROLE_ID, "name": name} for name in names]})


def verified(version: str = "1.0.0.0") -> tuple[Expected, ...]:
    return solutions(version), roles("Lead Writer")


def import_of(package: str, *script: Expected, check: bool = False, **args: t.Any) -> Run:
    return run(module, {"path": package, **MODERN, **args}, *script, check=check)
