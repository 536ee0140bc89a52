#!/usr/bin/python
# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The solutions of an organisation."""

from __future__ import annotations

DOCUMENTATION = r"""
module: crm_solution_info
short_description: Read the solutions of a Dynamics 365 organisation
version_added: 0.1.0
author:
  - leadops.dynamics365 contributors (@leadops)
description:
  - Lists installed solutions with their versions and publishers, and upgrades that were staged and not applied.
  - On request, tells the past of each solution, its components, and what depends on it. These cost a request or more for each solution, so
    name the solutions then.
  - The caller needs to read solutions, which every role with access to customizations allows. The history can be closed to a caller who may
    read the rest; that is a warning.
  - Never writes anything.
options:
  name:
    description:
      - Unique names of solutions. Names that are not installed are left out of the result.
      - Left out, all solutions that people see are listed.
    type: list
    elements: str
    default: []
  managed:
    description:
      - With V(true), only managed solutions, with V(false) only unmanaged ones. Left out, both.
    type: bool
  hidden:
    description:
      - Whether to list solutions that people do not see, too. Solutions in O(name) are listed in any case.
    type: bool
    default: false
  gather:
    description:
      - What to read of each solution beside its row.
      - V(history) is what was done with it, as far as the organisation remembers.
      - V(components) is what it holds.
      - V(dependents) is what would keep it from being removed, grouped by the solutions that own it, in the order in which to remove them.
    type: list
    elements: str
    choices: [history, components, dependents]
    default: []
extends_documentation_fragment:
  - leadops.dynamics365._connection
  - leadops.dynamics365._connection.organization
  - leadops.dynamics365._attributes
  - leadops.dynamics365._attributes.info
  - leadops.dynamics365._attributes.api
seealso:
  - module: leadops.dynamics365.crm_solution
"""

EXAMPLES = r"""
- name: List the solutions
  leadops.dynamics365.crm_solution_info:
    url: https://contoso.crm4.dynamics.com
    auth:
      tenant_id: 11111111-2222-3333-4444-555555555555
      client_id: 66666666-7777-8888-9999-000000000000
      client_secret: "{{ automation_client_secret }}"

- name: See what a removal of a solution would meet
  leadops.dynamics365.crm_solution_info:
    url: https://contoso.crm4.dynamics.com
    name: [ContosoLeads]
    gather: [history, dependents]
"""

RETURN = r"""
solutions:
  description: The solutions, in the order of their unique names.
  returned: success
  type: list
  elements: dict
  contains:
    unique_name:
      description: The unique name.
      type: str
      sample: ContosoLeads
    friendly_name:
      description: The name that people see.
      type: str
      sample: Contoso Leads
    description:
      description: The description.
      type: str
      sample: Leads from the marketplace
    solution_id:
      description: The id.
      type: str
      sample: 86928ed8-df37-4ce2-add5-47030a833bff
    version:
      description: The version.
      type: str
      sample: 1.0.0.0
    managed:
      description: Whether it is managed.
      type: bool
      sample: true
    visible:
      description: Whether people see it.
      type: bool
      sample: true
    installed_on:
      description: When it was installed.
      type: str
      sample: "2026-11-01T10:00:00Z"
    updated_on:
      description: When it was last updated; V(null) if never.
      type: str
      sample: "2026-11-20T10:00:00Z"
    publisher:
      description: Its publisher.
      type: dict
      contains:
        unique_name:
          description: The unique name.
          type: str
          sample: contoso
        friendly_name:
          description: The name that people see.
          type: str
          sample: Contoso
        prefix:
          description: The prefix of its components' names.
          type: str
          sample: con
    patch_of:
      description: Of a patch, the unique name of the solution that it patches, or its id if it is not in the list; else V(null).
      type: str
      sample: null
    pending_upgrade:
      description: An upgrade of it that is staged and not applied; V(null) if there is none.
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
    history:
      description: What was done with it, the newest first; V(null) if it could not be read.
      returned: O(gather) has V(history)
      type: list
      elements: dict
      contains:
        name:
          description: The unique name, which is another one for a staged upgrade.
          type: str
          sample: ContosoLeads
        operation:
          description: What was done, such as V(import) or V(uninstall); a number for what has no name here.
          type: str
          sample: import
        version:
          description: The version of the solution.
          type: str
          sample: 1.0.0.0
        status:
          description: V(started), V(queued) or V(completed).
          type: str
          sample: completed
        succeeded:
          description: How it ended.
          type: bool
          sample: true
        started_on:
          description: When it began.
          type: str
          sample: "2026-11-01T10:00:00Z"
        ended_on:
          description: When it ended.
          type: str
          sample: "2026-11-01T10:02:00Z"
        message:
          description: Why it failed.
          type: str
          sample: ""
    components:
      description: What it holds.
      returned: O(gather) has V(components)
      type: list
      elements: dict
      contains:
        id:
          description: The component's id.
          type: str
          sample: 4931681d-8163-e811-a965-000d3a11fe32
        type:
          description: What kind of component it is.
          type: str
          sample: security role
    dependents:
      description: What would keep it from being removed, in the form of RV(leadops.dynamics365.crm_solution#module:blockers).
      returned: O(gather) has V(dependents)
      type: list
      elements: dict
      sample: []
"""

from ..module_utils._connection import CONNECTION_OPTIONS, ORGANIZATION_OPTIONS
from ..module_utils._plan import Plan
from ..module_utils._solution_listing import describe, read_components, read_dependents, read_history, read_list
from ..module_utils._task import ModuleSpec, Outcome, Task, run_module

SPEC = ModuleSpec(
    options={
        **CONNECTION_OPTIONS,
        **ORGANIZATION_OPTIONS,
        "name": {"type": "list", "elements": "str", "default": []},
        "managed": {"type": "bool"},
        "hidden": {"type": "bool", "default": False},
        "gather": {"type": "list", "elements": "str", "choices": ["history", "components", "dependents"], "default": []},
    },
)


def reconcile(task: Task) -> Outcome:
    """Read."""
    api, gather = task.connection.dataverse, task.params["gather"]
    solutions = describe(read_list(api, task.params["name"], managed=task.params["managed"], hidden=task.params["hidden"]))
    for solution in solutions:
        if "history" in gather:
            solution["history"] = read_history(api, solution["unique_name"])
        if "components" in gather:
            solution["components"] = read_components(api, solution["solution_id"])
        if "dependents" in gather:
            solution["dependents"] = read_dependents(api, solution)
    if any("history" in solution and solution["history"] is None for solution in solutions):
        task.warn("The organisation does not let the caller read the solution history.")
    return Outcome({"solutions": solutions}, Plan({}, {}))


def main() -> None:
    """Run as an ordinary module."""
    run_module(SPEC, reconcile)


if __name__ == "__main__":
    main()
