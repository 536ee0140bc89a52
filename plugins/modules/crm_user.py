#!/usr/bin/python
# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A person of the directory as a user of an organisation."""

from __future__ import annotations

DOCUMENTATION = r"""
module: crm_user
short_description: Bring a person of the directory into a Dynamics 365 organisation
version_added: 0.1.0
author:
  - leadops.dynamics365 contributors (@leadops)
description:
  - Makes sure that an account of Microsoft Entra ID is an enabled user (system user) of an organisation, and waits until it is.
  - An organisation takes licensed accounts in by itself, but in its own time, which can be hours. This module forces it,
    through the Power Platform admin API or, where the automation may not use that, by assigning a role to the account's object id.
  - If the user does not turn up, the module says why, as far as that can be found out; licence, disabled account, security group
    of the environment, state of the environment.
  - Needs read access to users in the organisation (System Administrator has it), C(User.Read.All) of Microsoft Graph, and for the admin API
    an application that is registered as management application (C(New-PowerAppManagementApp), once per tenant).
  - Never creates the account, never changes its licences, and never touches a user that is there and enabled.
options:
  user:
    description:
      - The account, by user principal name or object id.
    type: str
    required: true
  sync_role:
    description:
      - Name of a security role that brings the user in when the automation may not use the admin API.
      - The user holds the role from then on, so name one that it is to have anyway.
    type: str
  environment_id:
    description:
      - The environment's id, RV(leadops.dynamics365.crm_organization_info#module:organization.environment_id). Read from the organisation if left out.
    type: str
  wait_timeout:
    description:
      - Seconds to wait until the user is there.
    type: int
    default: 900
  planned_users:
    description:
      - Users that an earlier task would create, as returned in RV(leadops.dynamics365.o365_user#module:user). Only used in check mode.
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: The object id, or a placeholder.
        type: str
      user_principal_name:
        description: The user principal name.
        type: str
        required: true
  planned_roles:
    description:
      - Roles that an earlier task would bring, as returned in RV(leadops.dynamics365.crm_solution#module:roles). Only used in check mode, for O(sync_role).
    type: list
    elements: dict
    default: []
extends_documentation_fragment:
  - leadops.dynamics365._connection
  - leadops.dynamics365._connection.organization
  - leadops.dynamics365._attributes
  - leadops.dynamics365._attributes.full
  - leadops.dynamics365._attributes.api
seealso:
  - module: leadops.dynamics365.o365_user
  - module: leadops.dynamics365.crm_role_assignment
"""

EXAMPLES = r"""
- name: Bring the service account into the organisation
  leadops.dynamics365.crm_user:
    url: https://contoso.crm4.dynamics.com
    user: lead-writer@contoso.onmicrosoft.com

- name: The same where the automation has no right to the admin API
  leadops.dynamics365.crm_user:
    url: https://contoso.crm4.dynamics.com
    user: lead-writer@contoso.onmicrosoft.com
    sync_role: Microsoft Marketplace Lead Writer
    wait_timeout: 1800
"""

RETURN = r"""
user:
  description: The user in the organisation. In check mode, the ids of a user that is not there yet are V(00000000-0000-0000-0000-000000000000).
  returned: success
  type: dict
  contains:
    system_user_id:
      description: The user's id in the organisation.
      type: str
      sample: ad3b5737-0000-4000-8000-000000000004
    user_principal_name:
      description: The user principal name.
      type: str
      sample: lead-writer@contoso.onmicrosoft.com
    object_id:
      description: The id in the directory.
      type: str
      sample: 87d349ed-0000-4000-8000-000000000005
    application_id:
      description: The application's id if this is an application user, else V(null).
      type: str
      sample: null
    full_name:
      description: The name.
      type: str
      sample: Marketplace Leads
    disabled:
      description: Whether the user is disabled.
      type: bool
      sample: false
    access_mode:
      description: How the user may use the organisation.
      type: str
      sample: read_write
    business_unit_id:
      description: The user's business unit.
      type: str
      sample: 1360fdcb-0000-4000-8000-000000000003
    roles:
      description: The role that would bring the user in and that it would hold from then on, for the tasks that follow.
      returned: in check mode, if the user is planned
      type: list
      elements: str
      sample: []
planned:
  description: Whether the user is only planned, which happens in check mode.
  returned: success
  type: bool
  sample: false
"""

import typing as t

from ..module_utils._connection import CONNECTION_OPTIONS, ORGANIZATION_OPTIONS
from ..module_utils._errors import NotPossible, ServiceRefused, WaitedTooLong
from ..module_utils._odata import literal, query
from ..module_utils._organizations import environment_id
from ..module_utils._plan import Plan
from ..module_utils._system_users import (
    PLANNED_ID,
    DirectoryUser,
    Environment,
    SystemUser,
    find_directory_user,
    find_system_user,
    plan_sync,
    read_environment,
    why_missing,
)
from ..module_utils._task import ModuleSpec, Outcome, Task, run_module
from ..module_utils._wait import until

SPEC = ModuleSpec(
    options={
        **CONNECTION_OPTIONS,
        **ORGANIZATION_OPTIONS,
        "user": {"type": "str", "required": True},
        "sync_role": {"type": "str"},
        "environment_id": {"type": "str"},
        "wait_timeout": {"type": "int", "default": 900},
        "planned_users": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {"id": {"type": "str"}, "user_principal_name": {"type": "str", "required": True}},
        },
        "planned_roles": {"type": "list", "elements": "dict", "default": []},
    },
)


def reconcile(task: Task) -> Outcome:
    """Look; if the user is not there, force the synchronisation and wait for its end."""
    current = find_system_user(task.connection.dataverse, task.params["user"])
    if current is not None and not current.disabled:
        return Outcome({"user": current.to_result(), "planned": False}, Plan({}, {}))
    person = _person(task)
    environment = _environment(task)
    role = _role_reference(task) if environment is None else None
    plan = plan_sync(current, person, environment, role)
    _refuse_hopeless(person, environment)
    if task.check_mode:
        return Outcome({"user": _planned(person, [task.params["sync_role"]] if role else []), "planned": True}, plan)
    _force(task, plan, person, environment)
    user = _wait_for(task, person, environment)
    return Outcome({"user": user.to_result(), "planned": False}, plan)


def _person(task: Task) -> DirectoryUser:
    reference = task.params["user"]
    person = find_directory_user(task.connection.graph, reference)
    for planned in task.params["planned_users"] if task.check_mode else []:
        if reference.lower() in (planned["user_principal_name"].lower(), str(planned["id"]).lower()):
            # An earlier task would enable and license it
            return DirectoryUser(person.object_id if person else PLANNED_ID, planned["user_principal_name"])
    if person is not None:
        return person
    raise NotPossible(
        doing=f"bring {reference} into the organisation",
        why="the directory of this tenant knows no such user.",
        next_step="Create it first (o365_user does), or correct the name.",
    )


def _environment(task: Task) -> Environment | None:
    known = task.params["environment_id"] or environment_id(task.connection.dataverse)
    return read_environment(task.connection.power_platform, known) if known else None


def _role_reference(task: Task) -> str | None:
    """The address of the role that brings the user in where the admin API is closed to the automation."""
    name = task.params["sync_role"]
    if not name:
        return None
    dataverse = task.connection.dataverse
    path = "roles" + query(select="roleid,name", filter=f"name eq {literal(name)} and _parentroleid_value eq null")
    found = [row["roleid"].lower() for row in dataverse.rows(path, doing=f"look for the role {name}")]
    if not found and task.check_mode:
        found = [str(role.get("id") or "{role_id}") for role in task.params["planned_roles"] if str(role.get("name", "")).lower() == name.lower()]
    if len(found) != 1:
        raise NotPossible(
            doing=f"bring {task.params['user']} into the organisation",
            why=f"{len(found) or 'no'} role{'s' if len(found) > 1 else ''} of the root business unit {'have' if len(found) > 1 else 'has'} the name {name}.",
            next_step="Correct sync_role.",
        )
    return dataverse.role_reference(found[0])


def _refuse_hopeless(person: DirectoryUser, environment: Environment | None) -> None:
    """What cannot succeed is not begun."""
    if person.enabled is False or person.licensed is False:
        raise NotPossible(
            doing=f"bring {person.user_principal_name} into the organisation",
            why=why_missing(person, environment),
            next_step="Correct that with o365_user first.",
        )


def _force(task: Task, plan: Plan, person: DirectoryUser, environment: Environment | None) -> None:
    """Ask for the synchronisation; a new licence takes a while until the admin API knows it."""

    def ask() -> bool | None:
        try:
            task.carry_out(plan)
        except ServiceRefused as error:
            if error.catalogue != "user-not-licensed":
                raise
            task.progress(f"waiting until the environment knows the licence of {person.user_principal_name}")
            return None
        return True

    if until(task.clock, ask, seconds=task.params["wait_timeout"], first=1, longest=10) is None:
        raise _too_long(task, person, environment)


def _wait_for(task: Task, person: DirectoryUser, environment: Environment | None) -> SystemUser:
    task.progress(f"waiting until {person.user_principal_name} is a user of the organisation")

    def look() -> SystemUser | None:
        user = find_system_user(task.connection.dataverse, person.object_id)
        return user if user is not None and not user.disabled else None

    user = until(task.clock, look, seconds=task.params["wait_timeout"], first=0.5, longest=10)
    if user is None:
        raise _too_long(task, person, environment)
    return user


def _too_long(task: Task, person: DirectoryUser, environment: Environment | None) -> WaitedTooLong:
    return WaitedTooLong(
        doing=f"bring {person.user_principal_name} into the organisation",
        why=f"it was not there after {task.params['wait_timeout']} seconds. {why_missing(person, environment)}",
        next_step="Correct that, or run again later: the synchronisation goes on by itself, and the run continues where it stopped.",
        retryable=True,
    )


def _planned(person: DirectoryUser, roles: list[str]) -> dict[str, t.Any]:
    """The result for a user that only a real run brings in, with the role that would do it."""
    user = SystemUser(
        system_user_id=PLANNED_ID,
        user_principal_name=person.user_principal_name,
        object_id=person.object_id,
        application_id=None,
        full_name=None,
        disabled=False,
        access_mode="read_write",
        business_unit_id=None,
    )
    return {**user.to_result(), "roles": roles}


def main() -> None:
    """Run as an ordinary module."""
    run_module(SPEC, reconcile)


if __name__ == "__main__":
    main()
