#!/usr/bin/python
# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which security roles there are, what they give, and who holds them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: crm_role_info
short_description: Read the security roles of a Dynamics 365 organisation
version_added: 0.1.0
author:
  - leadops.dynamics365 contributors (@leadops)
description:
  - Lists security roles with their business unit, whether a managed solution brought them, whether they may be changed, and what the members of
    a team get from them. On request with their privileges and with the users and teams that hold them.
  - A role exists once in each business unit below the one it was made in. Without O(business_unit), the originals are listed, which are those
    that can be edited.
  - Needs read access to roles and business units, and with O(holders) to users and teams.
  - Writes nothing.
options:
  roles:
    description:
      - The roles, by name, by pattern (V(*) stands for any text, V(?) for one character), or by id. Upper and lower case do not matter.
      - An id finds the very role, and with O(business_unit) also its copy there.
      - All roles if left out.
    type: list
    elements: str
    default: []
  business_unit:
    description:
      - The business unit whose copies are listed, by name or id.
    type: str
  privileges:
    description:
      - Whether the privileges with their depths are read, which costs one request for each role.
    type: bool
    default: false
  holders:
    description:
      - Whether the users and teams that hold the role directly are read, which costs two requests for each role.
      - Of an original, those who hold any of its copies are listed too.
    type: bool
    default: false
extends_documentation_fragment:
  - leadops.dynamics365._connection
  - leadops.dynamics365._connection.organization
  - leadops.dynamics365._attributes
  - leadops.dynamics365._attributes.full
  - leadops.dynamics365._attributes.api
seealso:
  - module: leadops.dynamics365.crm_role_privilege
  - module: leadops.dynamics365.crm_role_assignment
"""

EXAMPLES = r"""
- name: List all roles
  leadops.dynamics365.crm_role_info:
    url: https://contoso.crm4.dynamics.com

- name: Who holds the marketplace role, and what it gives
  leadops.dynamics365.crm_role_info:
    url: https://contoso.crm4.dynamics.com
    roles: ["Microsoft Marketplace*"]
    privileges: true
    holders: true
  register: marketplace
"""

RETURN = r"""
roles:
  description: The roles, ordered by name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The role's id.
      type: str
      sample: b1f0c7ae-0000-4000-8000-000000000001
    name:
      description: The role's name.
      type: str
      sample: Microsoft Marketplace Lead Writer
    business_unit_id:
      description: The business unit that the role belongs to.
      type: str
      sample: 1360fdcb-0000-4000-8000-000000000003
    business_unit:
      description: That unit's name.
      type: str
      sample: contoso
    root_id:
      description: The id of the original.
      type: str
      sample: b1f0c7ae-0000-4000-8000-000000000001
    is_root:
      description: Whether this is the original, which can be edited.
      type: bool
      sample: true
    managed:
      description: Whether a managed solution brought the role.
      type: bool
      sample: true
    customizable:
      description: Whether the role may be changed in this organisation.
      type: bool
      sample: true
    member_privilege_inheritance:
      description: What the members of a team get from the role, V(team_only) or V(direct_user_and_team).
      type: str
      sample: direct_user_and_team
    role_template_id:
      description: The template that the role was made from; the same in all organisations. V(null) for most roles.
      type: str
      sample: null
    privileges:
      description: What the role gives, with C(name), C(id) and C(depth), ordered by name.
      returned: with O(privileges=true)
      type: list
      elements: dict
      sample: [{name: prvReadLead, id: a8ecac53-09e8-4a13-b598-8d8c87bc3d33, depth: organization}]
    users:
      description: The users that hold the role directly.
      returned: with O(holders=true)
      type: list
      elements: dict
      contains:
        system_user_id:
          description: The user's id in the organisation.
          type: str
          sample: ad3b5737-0000-4000-8000-000000000004
        user_principal_name:
          description: The user principal name.
          type: str
          sample: lead-writer@contoso.onmicrosoft.com
        application_id:
          description: The application's id if this is an application user, else V(null).
          type: str
          sample: null
        disabled:
          description: Whether the user is disabled.
          type: bool
          sample: false
        business_unit_id:
          description: The user's business unit.
          type: str
          sample: 1360fdcb-0000-4000-8000-000000000003
    teams:
      description: The teams that hold the role.
      returned: with O(holders=true)
      type: list
      elements: dict
      contains:
        team_id:
          description: The team's id.
          type: str
          sample: c41b3f1e-0000-4000-8000-000000000009
        name:
          description: The team's name.
          type: str
          sample: Inside Sales
        business_unit_id:
          description: The team's business unit.
          type: str
          sample: 1360fdcb-0000-4000-8000-000000000003
missing:
  description: The items of O(roles) that no role fits.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ..module_utils._business_units import find_unit
from ..module_utils._connection import CONNECTION_OPTIONS, ORGANIZATION_OPTIONS
from ..module_utils._errors import InvalidOption
from ..module_utils._plan import Plan
from ..module_utils._role_list import find_roles, fits, read_holding, read_unit_names, told_privileges, told_role
from ..module_utils._task import ModuleSpec, Outcome, Task, run_module

SPEC = ModuleSpec(
    options={
        **CONNECTION_OPTIONS,
        **ORGANIZATION_OPTIONS,
        "roles": {"type": "list", "elements": "str", "default": []},
        "business_unit": {"type": "str"},
        "privileges": {"type": "bool", "default": False},
        "holders": {"type": "bool", "default": False},
    },
)


def reconcile(task: Task) -> Outcome:
    """Read; nothing is ever planned."""
    references = [str(text).strip() for text in task.params["roles"]]
    for index, reference in enumerate(references):
        if not reference:
            raise InvalidOption(f"roles[{index}]", "is empty.")
    dataverse = task.connection.dataverse
    unit = task.params["business_unit"]
    unit_id = find_unit(dataverse, unit.strip(), "business_unit").id if unit else None
    rows = find_roles(dataverse, references, unit_id)
    units = read_unit_names(dataverse) if rows else {}
    roles = []
    for role in rows:
        told = told_role(role, units)
        if task.params["privileges"]:
            told["privileges"] = told_privileges(dataverse, role)
        if task.params["holders"]:
            told |= read_holding(dataverse, role)
        roles.append(told)
    missing = [reference for reference in references if not any(fits(role, reference) for role in rows)]
    return Outcome({"roles": roles, "missing": missing}, Plan({}, {}))


def main() -> None:
    """Run as an ordinary module."""
    run_module(SPEC, reconcile)


if __name__ == "__main__":
    main()
