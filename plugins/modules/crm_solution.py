#!/usr/bin/python
# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A solution, installed from its package."""

from __future__ import annotations

DOCUMENTATION = r"""
module: crm_solution
short_description: Install or update a solution from its zip in a Dynamics 365 organisation
version_added: 0.1.0
author:
  - leadops.dynamics365 contributors (@leadops)
description:
  - Imports a solution package, unless the organisation has its version already. Name, version, roles and dependencies are read from the
    package itself.
  - Follows the import to its end, judges it by what the organisation reports and reads back the solution and its roles. An import that the
    organisation accepted and that failed later is a failure here.
  - Never starts an import twice. An import of the same solution that runs already, from an earlier task, a killed run or another machine, is
    followed instead; if the answer to the start was lost, the module looks before it does anything else.
  - Never goes back to a lower version, never turns a managed solution into an unmanaged one or the reverse, and never removes anything.
    Such packages, packages whose declared dependencies are not installed, and files that are no sound package are refused before anything
    is written.
  - The caller needs the privileges to import customizations and solutions; the role System Administrator or System Customizer has them,
    and packages with roles want System Administrator.
options:
  path:
    description:
      - The solution's zip on this machine.
      - Exactly one of O(path) and O(source_url) is required.
    type: path
  source_url:
    description:
      - An C(https) URL of the solution's zip; O(checksum) is required with it.
      - The file is kept under its checksum in E(XDG_CACHE_HOME) or C(~/.cache), so that all tenants of a run, and later runs, download it once.
        That happens in check mode too.
      - The URL is shown in logs. If it holds a signature, download the file in a task of your own and give O(path).
    type: str
  checksum:
    description:
      - What the zip must be, as V(sha256:) and 64 hexadecimal digits. With O(path) it may be left out.
    type: str
  state:
    description:
      - The solution is there in the package's version or a higher version causes an error.
    type: str
    choices: [present]
    default: present
  overwrite_unmanaged_customizations:
    description:
      - Whether the import replaces customizations that people made to the solution's components. They are lost then.
    type: bool
    default: false
  publish_workflows:
    description:
      - Whether processes and plug-in steps of the solution are activated.
    type: bool
    default: true
  wait:
    description:
      - Whether to wait for the end of the import. With V(false) the task ends when the import has been started, and RV(import_job) is what a
        later task needs to wait for it.
      - Organisations older than 9.2.21013 can only import while the caller waits; there the start itself takes its time.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait for the end of the import. The import goes on when they are over, and the next run follows it.
    type: int
    default: 3600
  poll_interval:
    description:
      - The longest pause between two looks at the import, in seconds. The first looks follow each other faster.
    type: int
    default: 10
  lock_timeout:
    description:
      - Seconds to wait until another import, publication or removal in the organisation is done, so that this import can start.
    type: int
    default: 1800
  import_job:
    description:
      - The RV(import_job) of an earlier task with O(wait=false). That import is followed to its end and verified. Nothing is started, so the
        task reports no change.
      - If it was only planned, in check mode, this task plans nothing more. V(null) is the same as leaving the option out.
    type: dict
    suboptions:
      id:
        description: The id of the import job.
        type: str
        default: ""
      async_operation_id:
        description: The id of the system job.
        type: str
        default: ""
      planned:
        description: Whether the import was only planned. It is ignored outside check mode.
        type: bool
        default: false
  organization_version:
    description:
      - The organisation's version, as RV(leadops.dynamics365.crm_organization_info#module:organization.version) tells it. It saves a request
        when an import is needed.
    type: str
extends_documentation_fragment:
  - leadops.dynamics365._connection
  - leadops.dynamics365._connection.organization
  - leadops.dynamics365._attributes
  - leadops.dynamics365._attributes.full
  - leadops.dynamics365._attributes.api
seealso:
  - module: leadops.dynamics365.crm_organization_info
  - module: leadops.dynamics365.crm_role_assignment
"""

EXAMPLES = r"""
- name: Install or update a solution
  leadops.dynamics365.crm_solution:
    url: https://contoso.crm4.dynamics.com
    path: files/ContosoLeads_1_0_0_0_managed.zip
    auth:
      tenant_id: 11111111-2222-3333-4444-555555555555
      client_id: 66666666-7777-8888-9999-000000000000
      client_secret: "{{ automation_client_secret }}"

- name: Take the package from a web server
  leadops.dynamics365.crm_solution:
    url: https://contoso.crm4.dynamics.com
    source_url: https://downloads.example.com/ContosoLeads_1_0_0_0_managed.zip
    checksum: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08

- name: Start the import
  leadops.dynamics365.crm_solution:
    url: https://contoso.crm4.dynamics.com
    path: files/ContosoLeads_1_0_0_0_managed.zip
    wait: false
  register: started

- name: Wait for its end, after other work
  leadops.dynamics365.crm_solution:
    url: https://contoso.crm4.dynamics.com
    path: files/ContosoLeads_1_0_0_0_managed.zip
    import_job: "{{ started.import_job }}"
"""

RETURN = r"""
solution:
  description: The package's solution, and what of it is there.
  returned: success
  type: dict
  contains:
    unique_name:
      description: Its unique name, from the package.
      type: str
      sample: ContosoLeads
    friendly_name:
      description: The name that people see.
      type: str
      sample: Contoso Leads
    version:
      description: The version of the package.
      type: str
      sample: 1.0.0.0
    installed_version:
      description: The version that is installed at the end of the task; V(null) if none is. With O(wait=false) and in check mode, the one before.
      type: str
      sample: 1.0.0.0
    managed:
      description: Whether the package is managed.
      type: bool
      sample: true
    solution_id:
      description: The id of the installed solution; V(null) if none is.
      type: str
      sample: 86928ed8-df37-4ce2-add5-47030a833bff
action:
  description:
    - V(install) or V(update) if the package's version was not there, V(none) if it was.
    - If the task followed an import that was started elsewhere with O(import_job), V(none).
  returned: success
  type: str
  sample: install
import_job:
  description: The import that was started or followed, in the form of O(import_job); V(null) if there was none.
  returned: success, and if the task failed while an import ran
  type: dict
  contains:
    id:
      description: The id of the import job.
      type: str
      sample: 1b1fa80d-aa0f-4291-b60c-b0745304ce24
    async_operation_id:
      description: The id of the system job; empty for a synchronous import.
      type: str
      sample: 310799b8-dc6c-ee11-9ae7-000d3aaae21d
    planned:
      description: Whether the import is only planned (check mode).
      type: bool
      sample: false
roles:
  description: The security roles that the package brings, in the form of the option C(planned_roles) of other modules.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The role's name.
      type: str
      sample: Microsoft Marketplace Lead Writer
    id:
      description: The role's id in the root business unit.
      type: str
      sample: 4931681d-8163-e811-a965-000d3a11fe32
    privileges:
      description: The privileges that the role has in the package.
      type: list
      elements: dict
      contains:
        name:
          description: The privilege's name.
          type: str
          sample: prvCreateLead
        depth:
          description: How far it reaches.
          type: str
          sample: organization
planned:
  description: Whether the solution is not there yet because this is check mode.
  returned: success
  type: bool
  sample: false
components:
  description: The components for which the import reported a failure or a warning. An import can succeed in spite of them.
  returned: when the end of an import was read, also if it failed
  type: list
  elements: dict
  contains:
    name:
      description: The component's name.
      type: str
      sample: account
    type:
      description: What kind of component it is, in the words of the import's log.
      type: str
      sample: entity
    result:
      description: V(failure) or V(warning).
      type: str
      sample: warning
    code:
      description: The error code.
      type: str
      sample: "0x80044182"
    text:
      description: What the organisation says.
      type: str
      sample: Attribute cwx_foo is missing.
writes:
  description: The requests that changed something, or in check mode would.
  returned: success
  type: list
  elements: dict
  contains:
    service:
      description: The service.
      type: str
      sample: dataverse
    method:
      description: The HTTP method.
      type: str
      sample: POST
    path:
      description: The path below the service's root.
      type: str
      sample: ImportSolutionAsync
    summary:
      description: What it does.
      type: str
      sample: install ContosoLeads 1.0.0.0 (managed)
"""

import uuid

from ..module_utils._connection import CONNECTION_OPTIONS, ORGANIZATION_OPTIONS
from ..module_utils._errors import InvalidOption
from ..module_utils._http import open_session, tls_context
from ..module_utils._odata import is_guid
from ..module_utils._package_download import check_url, fetch_package, parse_checksum, verify_file
from ..module_utils._plan import Json, Plan
from ..module_utils._solution_delivery import Patience, SolutionDelivery, Started, Verified
from ..module_utils._solution_imports import ImportJob
from ..module_utils._solution_package import SolutionPackage, read_package
from ..module_utils._solution_versions import version_parts
from ..module_utils._solutions import Action, ImportSettings, InstalledSolution, check_dependencies, decide, imports_asynchronously, read_solutions, state
from ..module_utils._task import ModuleSpec, Outcome, Task, run_module

SPEC = ModuleSpec(
    options={
        **CONNECTION_OPTIONS,
        **ORGANIZATION_OPTIONS,
        "path": {"type": "path"},
        "source_url": {"type": "str"},
        "checksum": {"type": "str"},
        "state": {"type": "str", "choices": ["present"], "default": "present"},
        "overwrite_unmanaged_customizations": {"type": "bool", "default": False},
        "publish_workflows": {"type": "bool", "default": True},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 3600},
        "poll_interval": {"type": "int", "default": 10},
        "lock_timeout": {"type": "int", "default": 1800},
        "import_job": {
            "type": "dict",
            "options": {
                "id": {"type": "str", "default": ""},
                "async_operation_id": {"type": "str", "default": ""},
                "planned": {"type": "bool", "default": False},
            },
        },
        "organization_version": {"type": "str"},
    },
    mutually_exclusive=[["path", "source_url"]],
    required_one_of=[["path", "source_url"]],
)


def reconcile(task: Task) -> Outcome:
    """Bring the package's version in, unless it is there."""
    given = _given_job(task)
    _check_numbers(task)
    delivery = _delivery(task)
    package = delivery.package
    if given and not given.planned:
        verified = delivery.follow_given(given)
        return _outcome(package, Action.NONE, verified.solution, _unchanged(verified.solution), given, verified)
    needed = [package.unique_name, *(dependency.solution for dependency in package.dependencies)]
    solutions = read_solutions(delivery.api, needed)
    installed = solutions.get(package.unique_name.lower())
    action = decide(package, installed)
    if action is Action.NONE:
        return _outcome(package, action, installed, _unchanged(installed), None)
    check_dependencies(package, solutions)
    asynchronous = imports_asynchronously(delivery.api, task.params["api_version"], task.params["organization_version"])
    own_id = "" if asynchronous else str(uuid.uuid4())
    if task.check_mode:
        return _planned(delivery, action, installed, own_id, given)
    if not task.params["wait"]:
        deadline = task.clock.now() + delivery.patience.lock
        started = delivery.start(installed, own_id, task.carry_out, deadline)
        return _begun(delivery, action, installed, started)
    brought = delivery.bring(installed, own_id, task.carry_out)
    if brought is None:  # somebody else's import ended while this one waited for its turn
        there = delivery.read()
        return _outcome(package, Action.NONE, there, _unchanged(there), None)
    return _brought(task, package, action, *brought)


def _planned(delivery: SolutionDelivery, action: Action, installed: InstalledSolution | None, own_id: str, given: ImportJob | None) -> Outcome:
    """What a run would do. An import that was planned before, or that runs already, is not planned again."""
    running = None if given else delivery.imports(own_id).look().ours
    plan = _unchanged(installed) if given or running else delivery.plan(installed, own_id)
    return _outcome(delivery.package, action, installed, plan, running or ImportJob("", planned=True), planned=True)


def _begun(delivery: SolutionDelivery, action: Action, installed: InstalledSolution | None, started: Started | None) -> Outcome:
    """An import that runs on after this task."""
    if started is None:
        there = delivery.read()
        return _outcome(delivery.package, Action.NONE, there, _unchanged(there), None)
    return _outcome(delivery.package, action, installed, started.plan or _unchanged(installed), started.job)


def _brought(task: Task, package: SolutionPackage, action: Action, started: Started, verified: Verified) -> Outcome:
    """An import that ended well."""
    doubtful = verified.end.components
    if doubtful:
        shown = "; ".join(f"{item.type} {item.name}: {item.text or item.code}" for item in doubtful[:5])
        task.warn(f"The import of {package.unique_name} succeeded, but reports {len(doubtful)} components with a failure or a warning: {shown}")
    return _outcome(package, action, verified.solution, started.plan or _unchanged(verified.solution), started.job, verified)


def _outcome(
    package: SolutionPackage,
    action: Action,
    installed: InstalledSolution | None,
    plan: Plan,
    job: ImportJob | None,
    verified: Verified | None = None,
    *,
    planned: bool = False,
) -> Outcome:
    facts: Json = {
        "solution": {
            "friendly_name": package.friendly_name,
            **state(package),
            "installed_version": installed.version if installed else None,
            "solution_id": installed.solution_id if installed else None,
        },
        "action": action.value,
        "import_job": job.to_result() if job else None,
        "roles": [role.to_result(verified.role_ids.get(role.id, "") if verified else "") for role in package.roles],
        "planned": planned,
    }
    if verified:
        facts["components"] = [component.to_result() for component in verified.end.components]
    return Outcome(facts, plan)


def _unchanged(installed: InstalledSolution | None) -> Plan:
    shown = installed.state() if installed else {}
    return Plan(shown, shown)


def _given_job(task: Task) -> ImportJob | None:
    """The import that an earlier task started, or in check mode planned."""
    given = task.params["import_job"]
    if not given:
        return None
    job = ImportJob(given["id"], given["async_operation_id"], given["planned"])
    if job.planned:
        return job if task.check_mode else None
    for name, value in (("id", job.id), ("async_operation_id", job.async_operation_id)):
        if value and not is_guid(value):
            raise InvalidOption(f"import_job.{name}", f"'{value}' is not an id.", "Give the import_job that an earlier task returned.")
    if not (job.id or job.async_operation_id):
        raise InvalidOption("import_job", "holds no id.", "Give the import_job that an earlier task returned.")
    return job


def _check_numbers(task: Task) -> None:
    for name, least in (("wait_timeout", 0), ("lock_timeout", 0), ("poll_interval", 1)):
        if task.params[name] < least:
            raise InvalidOption(name, f"{task.params[name]} is less than {least}.")
    if version := task.params["organization_version"]:
        try:
            version_parts(version)
        except ValueError as error:
            raise InvalidOption("organization_version", str(error)) from error


def _delivery(task: Task) -> SolutionDelivery:
    params = task.params
    return SolutionDelivery(
        task.connection.dataverse,
        task.clock,
        task.progress,
        _package(task),
        ImportSettings(params["overwrite_unmanaged_customizations"], params["publish_workflows"]),
        Patience(params["wait_timeout"], params["lock_timeout"], params["poll_interval"]),
    )


def _package(task: Task) -> SolutionPackage:
    """Read the package, before any request to the organisation."""
    params = task.params
    digest = parse_checksum(params["checksum"]) if params["checksum"] else ""
    if not params["source_url"]:
        if digest:
            verify_file(params["path"], digest)
        return read_package(params["path"])
    check_url(params["source_url"])
    if not digest:
        raise InvalidOption("checksum", "is missing.", "source_url needs the SHA-256 of the file, as its publisher tells it.")
    session = open_session(tls_context(params["ca_path"], validate=params["validate_certs"]))
    session.adapters.pop("http://")  # no redirection may lead to plain HTTP
    return read_package(fetch_package(params["source_url"], digest, session, task.clock), "source_url")


def main() -> None:
    """Run as an ordinary module."""
    run_module(SPEC, reconcile)


if __name__ == "__main__":
    main()
