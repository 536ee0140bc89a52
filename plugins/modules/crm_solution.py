#!/usr/bin/python
# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A solution, installed from its package."""

from __future__ import annotations

DOCUMENTATION = r"""
module: crm_solution
short_description: Install, upgrade or remove a solution in a Dynamics 365 organisation
version_added: 0.1.0
author:
  - leadops.dynamics365 contributors (@leadops)
description:
  - Imports a solution package, unless the organisation has its version already. Name, version, roles and dependencies are read from the
    package itself. What an import has to be, an installation, an update or an upgrade, follows from what is installed; see O(mode).
  - Follows the import to its end, judges it by what the organisation reports and reads back the solution and its roles. An import that the
    organisation accepted and that failed later is a failure here.
  - Never starts an import twice. An import of the same solution that runs already, from an earlier task, a killed run or another machine, is
    followed instead, also if the solution can be seen already; if the answer to the start was lost, the module looks before it does anything else.
  - Unless an option allows it, never goes back to a lower version, never turns a managed solution into an unmanaged one or the reverse, and
    never touches an upgrade that was left half-way, except where it is half of what is wanted (see O(stranded_upgrade)). Such packages,
    packages whose declared dependencies are not installed, patches whose solution is not there, and files that are no sound package are
    refused before anything is written.
  - Removes a solution only with O(state=absent), and only if nothing in the organisation needs it; otherwise it names what does.
  - The caller needs the privileges to import customizations and solutions; the role System Administrator or System Customizer has them,
    and packages with roles, and removals, want System Administrator.
options:
  path:
    description:
      - The solution's zip on this machine. It is streamed to the organisation and never in memory as a whole.
      - What a package says about itself, and no option of the task, is kept under the package's checksum beside the files of O(source_url), so
        that all tenants of a run read it once.
      - With O(state=present), exactly one of O(path) and O(source_url) is required.
    type: path
  source_url:
    description:
      - An C(https) URL of the solution's zip; O(checksum) is required with it.
      - The file is kept under its checksum in E(XDG_CACHE_HOME) or C(~/.cache), so that all tenants of a run, and later runs, download it once.
        A download that broke off is continued, also by the next run. That happens in check mode too. Files that were not used for
        thirty days are removed.
      - The URL is shown in logs. If it holds a signature, download the file in a task of your own and give O(path).
    type: str
  checksum:
    description:
      - What the zip must be, as V(sha256:) and 64 hexadecimal digits. With O(path) it may be left out.
    type: str
  name:
    description:
      - The unique name of the solution that O(state=absent) removes. A package may be given instead.
      - With a package, its solution must have this name.
    type: str
  state:
    description:
      - With V(present), the solution is there in the package's version. A higher version that is installed causes an error, unless O(version)
        accepts it.
      - With V(absent), the solution is not there. Removing a managed solution removes its components B(and their data). Removing an unmanaged one
        leaves its components. Whether O(wait) is set makes no difference.
    type: str
    choices: [present, absent]
    default: present
  mode:
    description:
      - How a higher version comes in. If the solution is not installed, it is installed, whatever the mode.
      - V(auto) upgrades a managed solution and updates an unmanaged one.
      - V(update) leaves components in place that the new version does not have any more.
      - V(upgrade) removes components that the new version does not have any more, B(with their data). For managed packages only.
        It is one call where the organisation has it, from version 9.2.21013.131 on; older ones get the two calls V(stage) and its application.
      - V(stage) brings the new version in beside the old one, as the solution C(<name>_Upgrade), and leaves it so. A later task with
        O(stranded_upgrade=apply) finishes it.
      - A patch is always installed or updated; an upgrade of its solution takes it up.
    type: str
    choices: [auto, update, upgrade, stage]
    default: auto
  version:
    description:
      - What the version must be, such as V(1.2.0.0) or V(>=1.2) or V(>=1.2,<2). Missing parts count as zero.
      - A package of another version is refused before the first request. If a higher version than the package's is installed and
        fulfils this, there is nothing to do.
    type: str
  allow_downgrade:
    description:
      - Whether a package of a lower version than the installed one is imported, as an update. Data can be lost, and organisations may refuse it.
    type: bool
    default: false
  stranded_upgrade:
    description:
      - What to do about an upgrade that was staged and never applied, which is the solution C(<name>_Upgrade). It blocks all further imports of
        the solution.
      - V(fail) explains it. If the wanted version is there all the same, it is only a warning.
      - V(apply) finishes it, and then goes on to the package's version if that is higher. V(discard) removes what was staged.
      - An upgrade that is at work is not stranded; it is followed.
      - Organisations older than 9.2.21013 upgrade in two calls, and a run can be interrupted between them. What is staged there in the package's
        own version, by whomever, is the first half of what O(mode=auto) and O(mode=upgrade) want; V(fail) then makes the second call.
    type: str
    choices: [fail, apply, discard]
    default: fail
  connection_references:
    description:
      - Which connections the connection references of the package use.
      - They go with the import. If no import is needed, or the package does not have them, they are set on the organisation's rows.
    type: list
    elements: dict
    default: []
    suboptions:
      logical_name:
        description: The logical name of the connection reference.
        type: str
        required: true
      connection_id:
        description: The id of the connection, which must be there and shared with the caller.
        type: str
        required: true
      connector_id:
        description: The id of the connector; left out, it is the one that the package names.
        type: str
  environment_variables:
    description:
      - Values of environment variables by their schema names. They go the same way as O(connection_references).
      - The values are kept out of the result and of the diff, but not out of Ansible's record of the options. Secrets belong in a key vault.
    type: dict
    default: {}
  publish:
    description:
      - Whether all customizations are published after an import.
      - V(auto) does it for unmanaged packages, which need it, and not for managed ones, which come in published. V(always) does it for both.
      - Nothing is published if nothing was imported. But if the solution's last import ended within a day and no publication was started since,
        an earlier run was interrupted between the two, and this one publishes. Only the system jobs of publications tell; if they cannot be read,
        there is a warning instead.
      - A task with O(wait=false) does not publish; the task that waits for the import does.
    type: str
    choices: [auto, always, never]
    default: auto
  validate:
    description:
      - Whether the organisation validates the package before the import (C(StageSolution)). What is refused then was not imported in part.
      - The package is uploaded for it, which is a write, so check mode does not do it and says so.
      - Organisations older than 9.1.16547 do not have it.
    type: bool
    default: false
  convert_to_managed:
    description:
      - Whether a managed package may replace the unmanaged solution of its name. There is no way back.
    type: bool
    default: false
  skip_product_update_dependencies:
    description:
      - Whether the organisation skips the check of dependencies that are marked as product updates.
    type: bool
    default: false
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
      - Seconds to wait for the end of the import, of a removal, of the application of a staged upgrade, and of a publication, each on its own.
      - What is not done by then goes on in the organisation. The task fails with its id (RV(import_job) or RV(system_job)), and the next run finds
        and follows it.
      - While a task waits, it shows every now and then where things stand and since when nothing has moved. Imports have a percentage, the others only
        a state. A task that does not run inside of Ansible's own process, such as one with C(async), shows nothing.
    type: int
    default: 3600
  poll_interval:
    description:
      - The longest pause between two looks at the import, in seconds. The first looks follow each other faster.
    type: int
    default: 10
  lock_timeout:
    description:
      - Seconds to wait until another import, publication or removal in the organisation is done, so that this one can start.
      - What is waited for is shown, with its start, its owner and its system job as far as the caller may read them.
    type: int
    default: 1800
  import_job:
    description:
      - The RV(import_job) of an earlier task with O(wait=false). That import is followed to its end and verified. No import is started, so the
        task reports no change, unless O(publish) applies, or values are to be set.
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
  - module: leadops.dynamics365.crm_solution_info
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

- name: Upgrade, with the connection and the value that the solution needs
  leadops.dynamics365.crm_solution:
    url: https://contoso.crm4.dynamics.com
    path: files/ContosoLeads_1_1_0_0_managed.zip
    version: ">=1.1,<2"
    connection_references:
      - logical_name: contoso_outlook
        connection_id: 7a1e5a2f4c8d4b0e9b0f2d3c4b5a6978
    environment_variables:
      contoso_MailboxAddress: leads@contoso.com

- name: Finish an upgrade that somebody left half-way
  leadops.dynamics365.crm_solution:
    url: https://contoso.crm4.dynamics.com
    path: files/ContosoLeads_1_1_0_0_managed.zip
    stranded_upgrade: apply

- name: Remove a solution, its components and their data
  leadops.dynamics365.crm_solution:
    url: https://contoso.crm4.dynamics.com
    name: ContosoLeads
    state: absent
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
      description: The version of the package. With O(state=absent), the one that was installed; V(null) if none was.
      type: str
      sample: 1.0.0.0
    installed_version:
      description: The version that is installed at the end of the task; V(null) if none is. With O(wait=false) and in check mode, the one before.
      type: str
      sample: 1.0.0.0
    managed:
      description: Whether the package is managed. With O(state=absent), whether the solution was.
      type: bool
      sample: true
    solution_id:
      description: The id of the installed solution; V(null) if none is.
      type: str
      sample: 86928ed8-df37-4ce2-add5-47030a833bff
action:
  description:
    - V(install), V(update), V(upgrade) or V(stage) if the package's version was not there, V(none) if it was; V(uninstall) for a removal.
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
    customizable:
      description: Whether an organisation may change the role, by the package's word; V(null) if it does not say.
      type: bool
      sample: true
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
pending_upgrade:
  description: The upgrade that is staged and not applied; V(null) if there is none.
  returned: success, and if the task failed because of it
  type: dict
  contains:
    unique_name:
      description: The unique name of the staged solution.
      type: str
      sample: ContosoLeads_Upgrade
    version:
      description: Its version.
      type: str
      sample: 1.1.0.0
    solution_id:
      description: Its id.
      type: str
      sample: 96928ed8-df37-4ce2-add5-47030a833bff
needs_values:
  description:
    - The package's connection references and environment variables for which neither the package, nor the options, nor the organisation has a value.
    - V(null) if the package has none of them, or if it could not be read.
  returned: success and O(state=present)
  type: dict
  contains:
    connection_references:
      description: Logical names.
      type: list
      elements: str
      sample: [contoso_outlook]
    environment_variables:
      description: Schema names.
      type: list
      elements: str
      sample: [contoso_MailboxAddress]
blockers:
  description: What keeps the solution from being removed, in the order in which to remove it. Empty if the removal is possible.
  returned: success, and if O(state=absent) failed because of them
  type: list
  elements: dict
  contains:
    solution:
      description: The unique name of the solution; V(Active) stands for unmanaged customizations.
      type: str
      sample: ContosoReports
    friendly_name:
      description: The name that people see.
      type: str
      sample: Contoso Reports
    version:
      description: Its version.
      type: str
      sample: 2.0.0.0
    managed:
      description: Whether it is managed.
      type: bool
      sample: true
    patch:
      description: Whether it is a patch of the solution.
      type: bool
      sample: false
    components:
      description: Its components that need something of the solution.
      type: list
      elements: dict
      contains:
        id:
          description: The component's id.
          type: str
          sample: 1a2b3c4d-0000-4000-8000-000000000001
        type:
          description: What kind of component it is.
          type: str
          sample: security role
        needs:
          description: The id of the component that it needs.
          type: str
          sample: 1a2b3c4d-0000-4000-8000-000000000002
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
missing_dependencies:
  description: The solutions that the package needs and that are not there, or not in the version that it needs.
  returned: if the task failed because of them
  type: list
  elements: dict
  contains:
    solution:
      description: The unique name of the solution; V(Active) stands for unmanaged customizations where the package was made.
      type: str
      sample: msdynce_Sales
    version:
      description: The version that is needed; empty if it is not told.
      type: str
      sample: 9.0.4.0
    installed_version:
      description: The version that is installed; V(null) if none is.
      type: str
      sample: 9.0.3.0
    components:
      description: What is needed of it.
      type: list
      elements: str
      sample: [Lead]
system_job:
  description: The removal, application of an upgrade, or publication that still runs, or that ran and failed.
  returned: if the task failed because of it, and it has a system job
  type: dict
  contains:
    id:
      description: The id of the system job.
      type: str
      sample: 310799b8-dc6c-ee11-9ae7-000d3aaae21d
    summary:
      description: What it does.
      type: str
      sample: uninstall ContosoLeads 1.0.0.0 (managed; with its components and their data)
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

import re
from functools import partial

from ..module_utils._connection import CONNECTION_OPTIONS, ORGANIZATION_OPTIONS
from ..module_utils._errors import InvalidOption
from ..module_utils._http import open_session, tls_context
from ..module_utils._measured_file import measure
from ..module_utils._odata import is_guid
from ..module_utils._package_cache import load_package
from ..module_utils._package_download import check_url, fetch_package, parse_checksum
from ..module_utils._solution_absent import plan_removal, remove
from ..module_utils._solution_activity import Activity
from ..module_utils._solution_delivery import SolutionDelivery
from ..module_utils._solution_imports import ImportJob
from ..module_utils._solution_package import SolutionPackage
from ..module_utils._solution_present import Presence
from ..module_utils._solution_rules import Rules, check_constraint
from ..module_utils._solution_settings import Wanted
from ..module_utils._solution_turns import Patience, Turns
from ..module_utils._solution_versions import version_parts
from ..module_utils._solution_writes import ImportSettings
from ..module_utils._solutions import imports_asynchronously
from ..module_utils._task import ModuleSpec, Outcome, Task, run_module

SPEC = ModuleSpec(
    options={
        **CONNECTION_OPTIONS,
        **ORGANIZATION_OPTIONS,
        "path": {"type": "path"},
        "source_url": {"type": "str"},
        "checksum": {"type": "str"},
        "name": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "mode": {"type": "str", "choices": ["auto", "update", "upgrade", "stage"], "default": "auto"},
        "version": {"type": "str"},
        "allow_downgrade": {"type": "bool", "default": False},
        "stranded_upgrade": {"type": "str", "choices": ["fail", "apply", "discard"], "default": "fail"},
        "connection_references": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "logical_name": {"type": "str", "required": True},
                "connection_id": {"type": "str", "required": True},
                "connector_id": {"type": "str"},
            },
        },
        "environment_variables": {"type": "dict", "default": {}},
        "publish": {"type": "str", "choices": ["auto", "always", "never"], "default": "auto"},
        "validate": {"type": "bool", "default": False},
        "convert_to_managed": {"type": "bool", "default": False},
        "skip_product_update_dependencies": {"type": "bool", "default": False},
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
    required_one_of=[["path", "source_url", "name"]],
    required_if=[["state", "present", ["path", "source_url"], True]],
)


def reconcile(task: Task) -> Outcome:
    """Bring the package's version in, or take the solution out."""
    given = _given_job(task)
    _check_numbers(task)
    package = _package(task)
    if task.params["state"] == "absent":
        return _absent(task, package.unique_name if package else _name(task))
    if package is None:
        raise InvalidOption("path", "is missing.", "Give the solution's package in path or source_url.")
    wanted = Wanted.of(task.params["connection_references"], task.params["environment_variables"])
    return Presence(task, _delivery(task, package), wanted, task.params["publish"]).reconcile(given)


def _absent(task: Task, name: str) -> Outcome:
    api = task.connection.dataverse
    params = task.params
    asynchronous = partial(imports_asynchronously, api, params["api_version"], params["organization_version"])
    removal = plan_removal(api, name, params["stranded_upgrade"], asynchronous)
    if removal.unchecked:
        task.warn(removal.unchecked)
    if not task.check_mode:
        remove(api, removal, Turns(Activity(api, task.clock), task.progress, _patience(task), task.carry_out, task.warn))
    return Outcome(removal.facts(check_mode=task.check_mode), removal.plan())


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


def _name(task: Task) -> str:
    """The unique name that the user gives."""
    name = str(task.params["name"])
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise InvalidOption("name", f"'{name}' is no unique name of a solution.", "Give the name that crm_solution_info shows as unique_name.")
    return name


def _patience(task: Task) -> Patience:
    return Patience(task.params["wait_timeout"], task.params["lock_timeout"], task.params["poll_interval"])


def _delivery(task: Task, package: SolutionPackage) -> SolutionDelivery:
    params = task.params
    rules = Rules(params["mode"], params["version"] or "", params["allow_downgrade"], params["convert_to_managed"], params["stranded_upgrade"])
    if rules.version:
        check_constraint(rules.version, package.version)
    return SolutionDelivery(
        task.connection.dataverse,
        task.clock,
        task.progress,
        package,
        ImportSettings(
            params["overwrite_unmanaged_customizations"],
            params["publish_workflows"],
            params["convert_to_managed"] and package.managed,
            params["skip_product_update_dependencies"],
        ),
        _patience(task),
        rules,
        params["validate"],
    )


def _package(task: Task) -> SolutionPackage | None:
    """Read the package, if one is given, before any request to the organisation."""
    params = task.params
    if not (params["path"] or params["source_url"]):
        return None
    package = _read_package(task)
    if params["name"] and params["name"].lower() != package.unique_name.lower():
        raise InvalidOption("name", f"is {params['name']}, and the package holds {package.unique_name}.", "Correct one of them, or leave name out.")
    return package


def _read_package(task: Task) -> SolutionPackage:
    params = task.params
    digest = parse_checksum(params["checksum"]) if params["checksum"] else ""
    if not params["source_url"]:
        return load_package(measure(params["path"], "path", digest), "path")
    check_url(params["source_url"])
    if not digest:
        raise InvalidOption("checksum", "is missing.", "source_url needs the SHA-256 of the file, as its publisher tells it.")
    session = open_session(tls_context(params["ca_path"], validate=params["validate_certs"]))
    return load_package(fetch_package(params["source_url"], digest, session, task.clock), "source_url")


def main() -> None:
    """Run as an ordinary module."""
    run_module(SPEC, reconcile)


if __name__ == "__main__":
    main()
