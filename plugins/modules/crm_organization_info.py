#!/usr/bin/python
# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who an organisation is and whether the caller may work there."""

from __future__ import annotations

DOCUMENTATION = r"""
module: crm_organization_info
short_description: Read which Dynamics 365 organisation this is, and check that work can begin there
version_added: 0.1.0
author:
  - leadops.dynamics365 contributors (@leadops)
description:
  - Signs in, and reads the organisation's id, version, tenant and environment, and who the caller is there.
  - Checks on request that the organisation is new enough and that the caller holds what later tasks need, so that a run
    can stop before anything is written. The role P(leadops.dynamics365.lead_management#role) begins with it.
  - Needs nothing but membership in the organisation, that is an application user or a licensed user.
  - Never writes anything.
options:
  minimum_version:
    description:
      - Fail if the organisation is older than this. Missing parts count as zero.
    type: str
  required_privileges:
    description:
      - Names of security privileges, such as V(prvImportCustomization), that the caller must hold, through roles of its own or of a team.
      - Fails with the names of those that are missing. Organisations that do not answer the question cause a warning.
    type: list
    elements: str
    default: []
  required_graph_permissions:
    description:
      - Application permissions of Microsoft Graph that the caller must have been granted, such as V(User.ReadWrite.All).
      - Alternatives are joined with V(|); one of them is enough.
      - They are read from the access token. A token that does not tell, such as a person's, causes a warning.
    type: list
    elements: str
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
- name: Look at an organisation
  leadops.dynamics365.crm_organization_info:
    url: https://contoso.crm4.dynamics.com
    auth:
      tenant_id: 11111111-2222-3333-4444-555555555555
      client_id: 66666666-7777-8888-9999-000000000000
      client_secret: "{{ automation_client_secret }}"
  register: contoso

- name: Stop unless this run can do its work there
  leadops.dynamics365.crm_organization_info:
    url: https://contoso.crm4.dynamics.com
    minimum_version: "8.2"
    required_privileges:
      - prvImportCustomization
      - prvWriteRole
    required_graph_permissions:
      - User.ReadWrite.All|Directory.ReadWrite.All
"""

RETURN = r"""
organization:
  description: The organisation. A member that the organisation does not tell is V(null).
  returned: success
  type: dict
  contains:
    id:
      description: The organisation's id.
      type: str
      sample: 97793ec4-0000-4000-8000-000000000001
    url:
      description: The organisation's root, without a trailing slash.
      type: str
      sample: https://contoso.crm4.dynamics.com
    api_version:
      description: The version of the Web API that the organisation speaks, for O(api_version) of the other modules.
      type: str
      sample: v9.2
    version:
      description: The organisation's version.
      type: str
      sample: 9.2.24014.00186
    name:
      description: The name that people see.
      type: str
      sample: Contoso
    unique_name:
      description: The database's unique name.
      type: str
      sample: unq97793ec4
    tenant_id:
      description: The directory that the organisation belongs to.
      type: str
      sample: 11111111-2222-3333-4444-555555555555
    environment_id:
      description: The environment's id in the Power Platform admin API. It is not the organisation's id.
      type: str
      sample: 0f0e0d0c-0000-4000-8000-000000000002
    root_business_unit_id:
      description: The id of the root business unit.
      type: str
      sample: 1360fdcb-0000-4000-8000-000000000003
caller:
  description: Who the automation is in this organisation.
  returned: success
  type: dict
  contains:
    system_user_id:
      description: The caller's system user.
      type: str
      sample: ad3b5737-0000-4000-8000-000000000004
    business_unit_id:
      description: The caller's business unit.
      type: str
      sample: 1360fdcb-0000-4000-8000-000000000003
"""

from ..module_utils._connection import CONNECTION_OPTIONS, ORGANIZATION_OPTIONS
from ..module_utils._errors import NotPossible
from ..module_utils._odata import is_guid
from ..module_utils._organizations import Organization, missing_permissions, missing_privileges, read_organization, who_am_i
from ..module_utils._plan import Plan
from ..module_utils._solution_versions import compare_versions
from ..module_utils._task import ModuleSpec, Outcome, Task, run_module

SPEC = ModuleSpec(
    options={
        **CONNECTION_OPTIONS,
        **ORGANIZATION_OPTIONS,
        "minimum_version": {"type": "str"},
        "required_privileges": {"type": "list", "elements": "str", "default": []},
        "required_graph_permissions": {"type": "list", "elements": "str", "default": []},
    },
)


def reconcile(task: Task) -> Outcome:
    """Read, then compare with what is demanded."""
    dataverse, caller, organization_id = who_am_i(task.connection.dataverse)
    organization = read_organization(dataverse, organization_id)
    _right_tenant(organization, task.connection.tenant_id)
    _new_enough(organization, task.params["minimum_version"])
    if wanted := task.params["required_privileges"]:
        lacking = missing_privileges(dataverse, caller, wanted)
        if lacking:
            raise NotPossible(
                doing="begin work in the organisation",
                why=f"the caller lacks {_listed(lacking)} there.",
                next_step="Give the automation's system user a role that holds them; System Administrator does.",
            )
        if lacking is None:
            task.warn("The organisation does not tell which privileges the caller holds, so required_privileges was not checked.")
    if wanted := task.params["required_graph_permissions"]:
        lacking = missing_permissions(task.connection.graph.token_claims(), wanted)
        if lacking:
            raise NotPossible(
                doing="begin work in the directory",
                why=f"the automation's application has not been granted {_listed([entry.replace('|', ' or ') for entry in lacking])} of Microsoft Graph.",
                next_step="Add the application permissions to the app registration, have an administrator of the tenant grant consent, and run again.",
            )
        if lacking is None:
            task.warn("The access token does not tell which permissions were granted, so required_graph_permissions was not checked.")
    facts = {
        "organization": organization.to_result(),
        "caller": {"system_user_id": caller.system_user_id, "business_unit_id": caller.business_unit_id},
    }
    return Outcome(facts, Plan({}, {}))


def _right_tenant(organization: Organization, tenant_id: str) -> None:
    if organization.tenant_id and is_guid(tenant_id) and organization.tenant_id != tenant_id.lower():
        raise NotPossible(
            doing="begin work in the organisation",
            why=f"it belongs to the tenant {organization.tenant_id}, not to {tenant_id}.",
            next_step="Correct url or auth.tenant_id.",
        )


def _new_enough(organization: Organization, minimum: str | None) -> None:
    if minimum and compare_versions(organization.version, minimum) < 0:
        raise NotPossible(
            doing="begin work in the organisation",
            why=f"it has version {organization.version}, and {minimum} is the least that is wanted.",
            next_step="Update the organisation, or lower minimum_version.",
        )


def _listed(names: list[str]) -> str:
    return ", ".join(names)


def main() -> None:
    """Run as an ordinary module."""
    run_module(SPEC, reconcile)


if __name__ == "__main__":
    main()
