#!/usr/bin/python
# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A person or an application of the directory as a user of an organisation."""

from __future__ import annotations

DOCUMENTATION = r"""
module: crm_user
short_description: Bring a person or an application into a Dynamics 365 organisation
version_added: 0.1.0
author:
  - leadops.dynamics365 contributors (@leadops)
description:
  - Makes sure that an account or an application of Microsoft Entra ID is a user (system user) of an organisation, enabled or disabled, in the
    wanted business unit and access mode.
  - An organisation takes licensed accounts in by itself, but in its own time, which can be hours. This module forces it,
    through the Power Platform admin API or, where the automation may not use that, by assigning a role to the account's object id,
    and waits until the user is there.
  - If the user does not turn up, the module says why, as far as that can be found out; licence and service plans, disabled or deleted account,
    security group of the environment (the account's membership is looked up), missing database, administration mode or state of the environment.
  - An application becomes an application user, which needs no licence. A soft-deleted row of the same application is purged before.
  - Needs read access to users in the organisation (System Administrator has it and all that follows), C(User.Read.All) of Microsoft Graph, and for
    the admin API an application that is registered as management application (C(New-PowerAppManagementApp), once per tenant). Application users
    take C(prvCreateUser) and, to see whether the application has a service principal, C(Application.Read.All); disabling takes C(prvDisableUser),
    moving C(prvReparentUser). With C(GroupMember.Read.All) the membership in the environment's security group is looked up.
  - Never creates the account or the application, never changes licences, and changes nothing of a user that is not said.
options:
  user:
    description:
      - The account of a person, by user principal name or object id. Exactly one of this and O(application_id) is needed.
    type: str
  application_id:
    description:
      - The application (client) id of an application. It needs a service principal in the tenant.
    type: str
  state:
    description:
      - V(present) brings the user in. V(absent) deletes an application user for good, its row in the recycle bin included.
      - V(absent) is only for O(application_id). Who is a user as a person follows from licence and security group; O(enabled=false) keeps a
        person out meanwhile.
    type: str
    default: present
    choices: [present, absent]
  enabled:
    description:
      - Whether the user may use the organisation. A person who is not in the organisation is not brought in to be disabled.
    type: bool
    default: true
  business_unit:
    description:
      - The user's business unit, by name or id. Left as it is if not said; who is new comes into the root business unit.
    type: str
  move_business_unit:
    description:
      - Whether a user who is in another business unit is moved.
      - Moving takes all directly held security roles away, unless the organisation's setting C(DoNotRemoveRolesOnChangeBusinessUnit) is on; a
        warning names them. Without this option the task fails instead.
    type: bool
    default: false
  access_mode:
    description:
      - How the user may use the organisation. An application user is always V(non_interactive). Left as it is if not said.
    type: str
    choices: [read_write, non_interactive]
  sync_role:
    description:
      - A security role, by name or id, that brings the user in when the automation may not use the admin API.
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
      application_id:
        description: The application id of an application that an earlier task would register.
        type: str
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

- name: An application user in a business unit
  leadops.dynamics365.crm_user:
    url: https://contoso.crm4.dynamics.com
    application_id: 66666666-7777-8888-9999-000000000000
    business_unit: Sales EMEA

- name: Move a person, who loses the roles of the former business unit
  leadops.dynamics365.crm_user:
    url: https://contoso.crm4.dynamics.com
    user: alex@contoso.onmicrosoft.com
    business_unit: Sales EMEA
    move_business_unit: true

- name: Remove an application user
  leadops.dynamics365.crm_user:
    url: https://contoso.crm4.dynamics.com
    application_id: 66666666-7777-8888-9999-000000000000
    state: absent
"""

RETURN = r"""
user:
  description:
    - The user in the organisation. In check mode, the ids of a user that is not there yet are V(00000000-0000-0000-0000-000000000000).
    - V(null) with O(state=absent), and for a person who is not in the organisation with O(enabled=false).
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
    business_unit:
      description: The name of the business unit.
      type: str
      sample: contoso
    roles:
      description: The role that would bring the user in and that it would hold from then on, for the tasks that follow.
      returned: in check mode, if the user is planned
      type: list
      elements: str
      sample: []
roles_lost:
  description: The names of the roles that the user lost, or in check mode would lose, by moving to another business unit.
  returned: success
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
from dataclasses import replace

from ..module_utils._business_units import find_unit, organization_setting, root_unit
from ..module_utils._connection import CONNECTION_OPTIONS, ORGANIZATION_OPTIONS
from ..module_utils._dataverse import DUPLICATE, NOT_FOUND
from ..module_utils._entry_obstacles import (
    DirectoryUser,
    Environment,
    certain_obstacle,
    find_directory_user,
    group_title,
    is_member,
    lasting_obstacle,
    license_obstacle,
    read_environment,
    read_licenses,
    service_principal_exists,
    was_deleted,
)
from ..module_utils._errors import InvalidOption, NotPossible, ServiceRefused, TaskError, WaitedTooLong
from ..module_utils._odata import is_guid
from ..module_utils._organizations import environment_id
from ..module_utils._plan import Plan, Write
from ..module_utils._roles import PlannedRole, RoleRow, find_planned, planned_roles, read_root_role, role_missing
from ..module_utils._system_user_changes import (
    WantedUser,
    is_moved,
    plan_application,
    plan_changes,
    plan_removal,
    read_direct_roles,
)
from ..module_utils._system_users import (
    PLANNED_ID,
    SystemUser,
    find_system_user,
    plan_sync,
    read_application_rows,
)
from ..module_utils._task import ModuleSpec, Outcome, Task, run_module
from ..module_utils._wait import until

SPEC = ModuleSpec(
    options={
        **CONNECTION_OPTIONS,
        **ORGANIZATION_OPTIONS,
        "user": {"type": "str"},
        "application_id": {"type": "str"},
        "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
        "enabled": {"type": "bool", "default": True},
        "business_unit": {"type": "str"},
        "move_business_unit": {"type": "bool", "default": False},
        "access_mode": {"type": "str", "choices": ["read_write", "non_interactive"]},
        "sync_role": {"type": "str"},
        "environment_id": {"type": "str"},
        "wait_timeout": {"type": "int", "default": 900},
        "planned_users": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {"id": {"type": "str"}, "user_principal_name": {"type": "str"}, "application_id": {"type": "str"}},
        },
        "planned_roles": {"type": "list", "elements": "dict", "default": []},
    },
    required_one_of=[["user", "application_id"]],
    mutually_exclusive=[["user", "application_id"]],
)

_SECONDS_UNTIL_SHOWN = 60
"""The service's caches forget within half a minute."""
_NOT_REGISTERED = "0x80041d49"
_PASSING = {
    "user-not-licensed": "the environment knows the licence of {}",
    "environment-busy": "the environment is done with something else, to take in {}",
}
"""Refusals of the admin API that pass by themselves, and what is waited for."""


def reconcile(task: Task) -> Outcome:
    """Look, and make what differs so: by changing the user who is there, or by bringing in who is not."""
    _check_options(task.params)
    if task.params["application_id"]:
        return _application(task)
    dataverse = task.connection.dataverse
    current = find_system_user(dataverse, task.params["user"])
    wanted = _wanted(task)
    if current is None and not wanted.enabled:
        return _outcome(None, Plan({}, {}), [])
    if current is None or (current.disabled and wanted.enabled):
        return _bring_in(task, current, wanted)
    return _change(task, current, wanted)


def _check_options(params: t.Mapping[str, t.Any]) -> None:
    application = params["application_id"]
    if application is None and params["state"] == "absent":
        why = "absent is for application users; whether a person is a user follows from licence and security group."
        raise InvalidOption("state", why, "Take the licence away (o365_user), or set enabled to false.")
    if application is None:
        return
    if not is_guid(application):
        raise InvalidOption("application_id", f"'{application}' is not the id of an application.", "Give the application (client) id, not its name.")
    if params["access_mode"] == "read_write":
        raise InvalidOption("access_mode", "an application user is always non_interactive.", "Leave access_mode out.")
    own = str(params["auth"].get("client_id") or "").lower()
    if application.lower() == own and (params["state"] == "absent" or not params["enabled"]):
        raise InvalidOption("application_id", "this is the application that the automation itself signs in with.", "Name another application.")


def _wanted(task: Task) -> WantedUser:
    unit = task.params["business_unit"]
    return WantedUser(task.params["enabled"], task.params["access_mode"], find_unit(task.connection.dataverse, unit.strip(), "business_unit") if unit else None)


def _outcome(user: SystemUser | None, plan: Plan, lost: list[str], *, planned: bool = False, roles: list[str] | None = None) -> Outcome:
    told = user.to_result() if user is not None else None
    if told is not None and roles is not None:
        told["roles"] = roles
    return Outcome({"user": told, "roles_lost": lost, "planned": planned}, plan)


def _change(task: Task, current: SystemUser, wanted: WantedUser) -> Outcome:
    """One request for all that differs, and a look whether it is so."""
    plan = plan_changes(current, wanted)
    lost = _lost_roles(task, current, wanted)
    task.carry_out(plan)
    user = current
    if plan.changed and not task.check_mode:
        user = _wait_until_so(task, current.application_id or current.object_id or task.params["user"], wanted, application=bool(current.application_id))
    return _outcome(user, plan, lost)


def _lost_roles(task: Task, current: SystemUser, wanted: WantedUser) -> list[str]:
    """The roles that a move takes away; raises if moving is not allowed."""
    if not is_moved(current, wanted) or wanted.unit is None:
        return []
    dataverse = task.connection.dataverse
    held = read_direct_roles(dataverse, current.system_user_id)
    kept = not held or organization_setting(dataverse, "DoNotRemoveRolesOnChangeBusinessUnit")
    loss = "It would keep its roles." if kept else f"It would lose the roles that it holds directly: {', '.join(held)}."
    name = current.user_principal_name or current.application_id
    if not task.params["move_business_unit"]:
        raise NotPossible(
            doing=f"put {name} into the business unit {wanted.unit.name}",
            why=f"it is in the business unit {current.business_unit or current.business_unit_id}, and moving was not asked for. {loss}",
            next_step="Set move_business_unit to true if it is to be moved, and assign its roles afterwards (crm_role_assignment).",
        )
    if kept:
        return []
    task.warn(f"Moving {name} to the business unit {wanted.unit.name} takes the directly held roles away: {', '.join(held)}.")
    return held


def _application(task: Task) -> Outcome:
    """An application as a user: created, changed or removed."""
    dataverse = task.connection.dataverse
    application_id = task.params["application_id"].lower()
    living, deleted = read_application_rows(dataverse, application_id)
    if task.params["state"] == "absent":
        plan = plan_removal(living, deleted, soft_deletion=dataverse.api_version.startswith("v9"))
        task.carry_out(plan, _gone)
        return _outcome(None, plan, [])
    wanted = replace(_wanted(task), access_mode=None)
    if living:
        return _change(task, living[0], wanted)
    _refuse_without_service_principal(task, application_id)
    unit = wanted.unit or root_unit(dataverse)
    plan = plan_application(application_id, unit, deleted, enabled=wanted.enabled)
    if task.check_mode:
        planned = SystemUser(PLANNED_ID, None, None, application_id, None, not wanted.enabled, "non_interactive", unit.id, unit.name)
        return _outcome(planned, plan, [], planned=True)
    _create(task, plan, application_id)
    return _outcome(_wait_until_so(task, application_id, replace(wanted, unit=unit), application=True), plan, [])


def _refuse_without_service_principal(task: Task, application_id: str) -> None:
    if task.check_mode and any(str(item["application_id"]).lower() == application_id for item in task.params["planned_users"]):
        return
    if service_principal_exists(task.connection.graph, application_id) is False:
        raise _not_registered(application_id)


def _not_registered(application_id: str) -> NotPossible:
    return NotPossible(
        doing=f"create the application user {application_id}",
        why="the application has no service principal in this tenant, so the organisation does not know it.",
        next_step="Register the application in the tenant or have an administrator consent to it. application_id is its client id, not an object id.",
        code=_NOT_REGISTERED,
    )


def _create(task: Task, plan: Plan, application_id: str) -> None:
    """Create the row; a service principal that was made a moment ago takes a while until the organisation knows it."""

    def resolve(write: Write, error: TaskError) -> str | None:
        if write.method == "DELETE":
            return _gone(write, error)
        if not isinstance(error, ServiceRefused) or error.code.lower() not in DUPLICATE:
            return None
        rows = until(task.clock, lambda: read_application_rows(task.connection.dataverse, application_id)[0] or None, seconds=_SECONDS_UNTIL_SHOWN)
        return rows[0].system_user_id if rows else None

    def create() -> bool | None:
        try:
            task.carry_out(plan, resolve)
        except ServiceRefused as error:
            if error.code.lower() != _NOT_REGISTERED:
                raise
            task.progress(f"waiting until the organisation knows the service principal of {application_id}")
            return None
        return True

    if until(task.clock, create, seconds=min(task.params["wait_timeout"], _SECONDS_UNTIL_SHOWN), first=1, longest=10) is None:
        raise _not_registered(application_id)


def _gone(write: Write, error: TaskError) -> str | None:
    """What is gone already needs no deletion, and need not be disabled for it."""
    gone = write.method in ("DELETE", "PATCH") and isinstance(error, ServiceRefused) and (error.status == 404 or error.code.lower() in NOT_FOUND)
    return "" if gone else None


def _wait_until_so(task: Task, reference: str, wanted: WantedUser, *, application: bool) -> SystemUser:
    """Read back until the service shows what was written."""
    dataverse = task.connection.dataverse

    def look() -> SystemUser | None:
        user = next(iter(read_application_rows(dataverse, reference)[0]), None) if application else find_system_user(dataverse, reference)
        return user if user is not None and not wanted.differs(user) else None

    user = until(task.clock, look, seconds=_SECONDS_UNTIL_SHOWN)
    if user is None:
        raise WaitedTooLong(
            doing=f"confirm the change of the user {reference}",
            why=f"the organisation accepted the change, but does not show it after {_SECONDS_UNTIL_SHOWN} seconds.",
            next_step="Run again: what is there will be looked at first.",
            service="dataverse",
            retryable=True,
        )
    return user


def _bring_in(task: Task, current: SystemUser | None, wanted: WantedUser) -> Outcome:
    """Force the synchronisation, wait for its end, then change what the new user is not yet."""
    person = _person(task)
    if current is not None and PLANNED_ID != person.object_id != current.object_id:
        current = None  # the row of an earlier account of the same name
    environment = _environment(task)
    role = _sync_role(task) if environment is None and current is None else None
    sync = plan_sync(current, person, environment, task.connection.dataverse.role_reference(role.id or "{role_id}") if role else None)
    person = _hopeful(task, person, environment)
    changes, lost = _changes_after(task, current, person, wanted)
    if task.check_mode:
        doubtful, _unused = lasting_obstacle(person, environment)
        if doubtful:
            task.warn(f"{person.user_principal_name} may not come into the organisation. {doubtful}")
        roles = [role.name] if role and not changes.changed else []
        planned = current or replace(_newcomer(person, None), system_user_id=PLANNED_ID)
        unit_id = wanted.unit.id if wanted.unit else planned.business_unit_id
        unit_name = wanted.unit.name if wanted.unit else planned.business_unit
        planned = replace(planned, disabled=False, access_mode=wanted.access_mode or planned.access_mode, business_unit_id=unit_id, business_unit=unit_name)
        return _outcome(planned, _joined(sync, changes), lost, planned=True, roles=roles)
    _force(task, sync, person, environment)
    user = _wait_for(task, person, environment)
    changes = plan_changes(user, wanted)
    if changes.changed:
        task.carry_out(changes)
        user = _wait_until_so(task, person.object_id, wanted, application=False)
    return _outcome(user, _joined(sync, changes), lost)


def _changes_after(task: Task, current: SystemUser | None, person: DirectoryUser, wanted: WantedUser) -> tuple[Plan, list[str]]:
    """What is left to change when the person is in, and the roles that it costs. Who is new is in the root business unit, without roles."""
    if current is not None:
        return plan_changes(replace(current, disabled=False), wanted), _lost_roles(task, current, wanted)
    root = wanted.unit.id if wanted.unit and wanted.unit.is_root else None
    return plan_changes(_newcomer(person, root), wanted), []


def _joined(sync: Plan, changes: Plan) -> Plan:
    return Plan(sync.before, {**changes.after, **sync.after}, (*sync.writes, *changes.writes))


def _newcomer(person: DirectoryUser, unit_id: str | None) -> SystemUser:
    return SystemUser(
        "{system_user_id}", person.user_principal_name, person.object_id, None, None, disabled=False, access_mode="read_write", business_unit_id=unit_id
    )


def _person(task: Task) -> DirectoryUser:
    reference = task.params["user"]
    person = find_directory_user(task.connection.graph, reference)
    for planned in task.params["planned_users"] if task.check_mode else []:
        if reference.lower() in (str(planned["user_principal_name"]).lower(), str(planned["id"]).lower()):
            # An earlier task would enable and license it
            return DirectoryUser(person.object_id if person else PLANNED_ID, planned["user_principal_name"] or reference)
    if person is not None:
        return person
    deleted = was_deleted(task.connection.graph, reference)
    raise NotPossible(
        doing=f"bring {reference} into the organisation",
        why="the account was deleted in the directory." if deleted else "the directory of this tenant knows no such user.",
        next_step=(
            "Restore it first (o365_user with deleted_user: restore), within 30 days of its deletion."
            if deleted
            else "Create it first (o365_user does), or correct the name."
        ),
    )


def _environment(task: Task) -> Environment | None:
    known = task.params["environment_id"] or environment_id(task.connection.dataverse)
    return read_environment(task.connection.power_platform, known) if known else None


def _sync_role(task: Task) -> RoleRow | PlannedRole | None:
    """The role that brings the user in where the admin API is closed to the automation."""
    reference = (task.params["sync_role"] or "").strip()
    if not reference:
        return None
    dataverse = task.connection.dataverse
    role = read_root_role(dataverse, reference)
    planned = find_planned(planned_roles(task.params["planned_roles"]), reference) if role is None and task.check_mode else None
    if role is None and planned is None:
        raise role_missing(dataverse, reference, doing=f"bring {task.params['user']} into the organisation with sync_role")
    return role or planned


def _hopeful(task: Task, person: DirectoryUser, environment: Environment | None) -> DirectoryUser:
    """The person, with the membership in the environment's security group. What cannot succeed is not begun."""
    if environment is not None and environment.security_group_id and person.object_id != PLANNED_ID:
        person = replace(person, in_security_group=is_member(task.connection.graph, person, environment.security_group_id))
        if person.in_security_group is False:
            environment = replace(environment, group_name=group_title(task.connection.graph, environment.security_group_id))
    why, next_step = certain_obstacle(person, environment)
    if why:
        raise NotPossible(doing=f"bring {person.user_principal_name} into the organisation", why=why, next_step=next_step)
    return person


def _force(task: Task, plan: Plan, person: DirectoryUser, environment: Environment | None) -> None:
    """Ask for the synchronisation; a new licence takes a while until the admin API knows it, and an environment may be busy."""
    refusal: list[ServiceRefused] = []

    def ask() -> bool | None:
        try:
            task.carry_out(plan, _assigned)
        except ServiceRefused as error:
            reason = _PASSING.get(error.catalogue)
            if reason is None:
                raise
            refusal.append(error)
            task.progress(f"waiting until {reason.format(person.user_principal_name)}")
            return None
        return True

    if until(task.clock, ask, seconds=task.params["wait_timeout"], first=1, longest=10) is None:
        why, next_step = lasting_obstacle(person, environment)
        if not why and refusal[-1].catalogue == "user-not-licensed":
            why, next_step = license_obstacle(read_licenses(task.connection.graph, person))
        raise _too_long(task, person, why or refusal[-1].why, next_step or refusal[-1].next_step)


def _assigned(write: Write, error: TaskError) -> str | None:
    """The role that brings the user in is held: the answer to an earlier attempt was lost, or another run was faster."""
    there = write.path.endswith("/$ref") and isinstance(error, ServiceRefused) and error.code.lower() in DUPLICATE
    return "" if there else None


def _wait_for(task: Task, person: DirectoryUser, environment: Environment | None) -> SystemUser:
    task.progress(f"waiting until {person.user_principal_name} is a user of the organisation")

    def look() -> SystemUser | None:
        user = find_system_user(task.connection.dataverse, person.object_id)
        return user if user is not None and not user.disabled else None

    user = until(task.clock, look, seconds=task.params["wait_timeout"], first=0.5, longest=10)
    if user is None:
        why, next_step = lasting_obstacle(person, environment)
        raise _too_long(
            task,
            person,
            why or "The service has taken the request on, but is not done with it.",
            next_step or "Run again later: what was begun goes on by itself, and the run continues where it stopped.",
        )
    return user


def _too_long(task: Task, person: DirectoryUser, reason: str, next_step: str) -> WaitedTooLong:
    return WaitedTooLong(
        doing=f"bring {person.user_principal_name} into the organisation",
        why=f"it was not there after {task.params['wait_timeout']} seconds. {reason}",
        next_step=next_step,
        retryable=True,
    )


def main() -> None:
    """Run as an ordinary module."""
    run_module(SPEC, reconcile)


if __name__ == "__main__":
    main()
