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
COLUMNS = "solutionid,uniquename,friendlyname,version,ismanaged,modifiedon"
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
    url = f"{root}/solutions?$select={COLUMNS}&$filter={wanted}&$expand=publisherid($select=uniquename)"
    staged = {**row, "solutionid": STAGED_ID, "uniquename": HOLDING, "version": holding}
    rows = [*([row] if version else []), *([staged] if holding else [])]
    return Expected("GET", url, answer={"value": [{**found, "publisherid": {"uniquename": "contoso"}} for found in rows]})


def patches(*names: str) -> Expected:
    url = f"{DATAVERSE}/solutions?$select={COLUMNS}&$filter=_parentsolutionid_value eq {SOLUTION_ID}"
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


_RESULT = '<result result="success" errorcode="0" errortext="" />'
GOOD = (
    f'<importexportxml succeeded="success"><solutionManifests><solutionManifest id="{NAME}">{_RESULT}</solutionManifest></solutionManifests></importexportxml>'
)
"""The report of an import in which everything went well."""


def job(status: int = 200, root: str = DATAVERSE, job_id: str = JOB, **values: t.Any) -> Expected:
    url = f"{root}/importjobs({job_id})?$select=importjobid,solutionname,progress,startedon,completedon,data"
    row = {"importjobid": job_id, "solutionname": NAME, "progress": 73.08, "completedon": NOW, "data": GOOD, **values}
    return Expected("GET", url, status, row if status == 200 else {"error": {"code": "0x80040217", "message": "importjob Does Not Exist"}})


def progress(value: float | None) -> Expected:
    missing = {"error": {"code": "0x80040217", "message": "Does Not Exist"}}
    return Expected("GET", f"{DATAVERSE}/importjobs({JOB})?$select=progress", 404 if value is None else 200, missing if value is None else {"progress": value})


def roles(*names: str, root: str = DATAVERSE) -> Expected:
    url = f"{root}/roles?$select=roleid,name&$filter=_parentroleid_value eq null and (name eq 'Lead Writer')"
    return Expected("GET", url, answer={"value": [{"roleid": ROLE_ID, "name": name} for name in names]})


def verified(version: str = "1.0.0.0") -> tuple[Expected, ...]:
    return solutions(version), roles("Lead Writer")


def result(status: str = "", *, sheet: str = "", job_id: str = JOB, **members: t.Any) -> Expected:
    """The organisation's own result of an import; it knows none without a status."""
    told = {"SolutionOperationResult": {"FormattedResults": sheet, "Type": "Import", "Status": status, "WarningMessages": [], "ErrorMessages": [], **members}}
    unknown = {"error": {"code": "0x80044252", "message": "The requested importjob does not exist."}}
    return Expected("GET", f"{DATAVERSE}/RetrieveSolutionImportResult(ImportJobId={job_id})", 200 if status else 400, told if status else unknown)


RUNNING_KINDS = ("ImportSolutionAsync", "StageAndUpgradeAsync", "DeleteAndPromoteAsync", "UninstallSolutionAsync", "PublishAllXmlAsync")


def running(message: str = "", *, name: str = "", owner: str = "Jane Doe", state: int = 2, status: int = 20) -> tuple[Expected, ...]:
    """What a waiting run reads to tell what it waits for: the system jobs, and the history."""
    kinds = " or ".join(f"messagename eq '{kind}'" for kind in RUNNING_KINDS)
    columns = "asyncoperationid,messagename,statecode,statuscode,createdon,_ownerid_value"
    label = "_ownerid_value@OData.Community.Display.V1.FormattedValue"
    row = {"asyncoperationid": FOREIGN, "messagename": message, "statecode": state, "statuscode": status, "createdon": NOW, label: owner}
    entry = {"msdyn_name": name, "msdyn_status": 0, "msdyn_starttime": NOW, "msdyn_operation": 1}
    return (
        Expected(
            "GET",
            f"{DATAVERSE}/asyncoperations?$select={columns}&$filter=statecode ne 3 and ({kinds})&$orderby=createdon desc&$top=5",
            answer={"value": [row] if message else []},
        ),
        Expected(
            "GET",
            f"{DATAVERSE}/msdyn_solutionhistories?$select=msdyn_name,msdyn_status,msdyn_starttime,msdyn_operation&$orderby=msdyn_starttime desc&$top=5",
            answer={"value": [entry] if name else []},
        ),
    )


def system_jobs(message: str, *rows: tuple[str, int, int], status: int = 200) -> Expected:
    """The newest system jobs of one kind."""
    values = [{"asyncoperationid": name, "statecode": state, "statuscode": reason, "createdon": NOW} for name, state, reason in rows]
    url = f"{DATAVERSE}/asyncoperations?$select=asyncoperationid,statecode,statuscode,createdon&$filter=messagename eq '{message}'"
    return Expected("GET", f"{url}&$orderby=createdon desc&$top=5", status, {"value": values})


def entry(name: str, status: int | None = None, **members: t.Any) -> Expected:
    """The newest entry of the history about one solution."""
    columns = "msdyn_solutionhistoryid,msdyn_status,msdyn_result,msdyn_errorcode,msdyn_exceptionmessage"
    url = f"{DATAVERSE}/msdyn_solutionhistories?$select={columns}&$filter=msdyn_name eq '{name}'&$orderby=msdyn_starttime desc&$top=1"
    return Expected("GET", url, answer={"value": [] if status is None else [{"msdyn_solutionhistoryid": "new", "msdyn_status": status, **members}]})


def long_polled(state: int, status: int, job_id: str = OPERATION, **values: t.Any) -> Expected:
    """A look at the system job of a removal and the like."""
    url = f"{DATAVERSE}/asyncoperations({job_id})?$select=statecode,statuscode,message,friendlymessage,errorcode,startedon,completedon"
    return Expected("GET", url, answer={"statecode": state, "statuscode": status, **values})


def import_of(package: str, *script: Expected, check: bool = False, **args: t.Any) -> Run:
    return run(module, {"path": package, **MODERN, **args}, *script, check=check)
