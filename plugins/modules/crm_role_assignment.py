#!/usr/bin/python
# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The security roles of an organisation's users and teams."""

from __future__ import annotations

DOCUMENTATION = r"""
module: crm_role_assignment
short_description: Assign security roles to users and teams of a Dynamics 365 organisation
version_added: 0.1.0
author:
  - leadops.dynamics365 contributors (@leadops)
description:
  - Makes sure that users of an organisation (system users) and teams hold the listed security roles directly, or do not.
  - A role exists once in each business unit. The copy in the user's or team's own business unit is assigned; the organisation's setting that lets users
    hold roles of any unit is only used if the user's own unit has no copy.
  - Only what is missing is written, and read back. Roles that are not listed are left alone, unless O(exact=true).
  - A role that a user has through a team counts as not held, because the team can lose it; O(show_held_through_teams) shows such roles.
  - Needs read access to users and roles, and C(prvAssignRole); System Administrator has all of it.
  - Never creates a user, a team or a role, and never changes who is a member of a team.
  - A person who is not in the organisation yet is brought in by M(leadops.dynamics365.crm_user).
options:
  users:
    description:
      - The users, by user principal name, object id in the directory, application id, or system user id.
      - At least one user or one of O(teams) is needed.
    type: list
    elements: str
    default: []
  teams:
    description:
      - The teams, by name, by the team's id, or by the id of the directory group that the team stands for.
      - Access teams cannot hold roles, and teams of a directory group cannot hold roles that give team privileges only.
    type: list
    elements: str
    default: []
  roles:
    description:
      - The security roles, by name or id. The id may be that of any copy. If several roles of a business unit have the name,
        the task fails and lists their ids.
      - May be empty with O(exact=true), to take all directly held roles away.
    type: list
    elements: str
    required: true
  exact:
    description:
      - Whether roles that are held directly and not listed are taken away, copies of listed roles in other business units included.
      - Only with O(state=present). What a user has through teams is not touched.
    type: bool
    default: false
  show_held_through_teams:
    description:
      - Whether RV(held_through_teams) is read, which costs one request for each user.
    type: bool
    default: false
  state:
    description:
      - V(present) assigns the roles, V(absent) takes them away, whichever copies the users hold.
      - With V(absent), a role that does not exist is as good as one that nobody holds; a user that does not exist causes a warning.
    type: str
    default: present
    choices: [present, absent]
  planned_users:
    description:
      - Users that an earlier task would bring, as returned in RV(leadops.dynamics365.o365_user#module:user) or
        RV(leadops.dynamics365.crm_user#module:user). Items with C(user_principal_name), and any of C(id), C(object_id) and C(application_id);
        C(roles) may list the names of roles that the earlier task would assign already.
      - Only used in check mode, for users that are not in the organisation yet, or are disabled there.
    type: list
    elements: dict
    default: []
  planned_roles:
    description:
      - Roles that an earlier task would bring, as returned in RV(leadops.dynamics365.crm_solution#module:roles), items with C(name) and C(id).
      - Only used in check mode, for roles that do not exist yet.
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
  - module: leadops.dynamics365.crm_role_privilege
  - module: leadops.dynamics365.crm_user
"""

EXAMPLES = r"""
- name: Assign a role to a user
  leadops.dynamics365.crm_role_assignment:
    url: https://contoso.crm4.dynamics.com
    users: [lead-writer@contoso.onmicrosoft.com]
    roles: [Microsoft Marketplace Lead Writer]

- name: Assign it in check mode too, before the user and the solution are there
  leadops.dynamics365.crm_role_assignment:
    url: https://contoso.crm4.dynamics.com
    users: ["{{ service_account.user.user_principal_name }}"]
    roles: [Microsoft Marketplace Lead Writer]
    planned_users: ["{{ service_account.user }}"]
    planned_roles: "{{ solution.roles }}"

- name: Let a user hold exactly one role, and see what comes through teams
  leadops.dynamics365.crm_role_assignment:
    url: https://contoso.crm4.dynamics.com
    users: [lead-writer@contoso.onmicrosoft.com]
    roles: [Microsoft Marketplace Lead Writer]
    exact: true
    show_held_through_teams: true

- name: Assign a role to a team and to the team of a directory group
  leadops.dynamics365.crm_role_assignment:
    url: https://contoso.crm4.dynamics.com
    teams: [Inside Sales, 5f0d6a0e-0000-4000-8000-000000000007]
    roles: [Basic User]

- name: Take two roles from an application
  leadops.dynamics365.crm_role_assignment:
    url: https://contoso.crm4.dynamics.com
    users: [66666666-7777-8888-9999-000000000000]
    roles: [Basic User, System Customizer]
    state: absent
"""

RETURN = r"""
assignments:
  description: Each user and team with each role. With O(state=absent) and for what O(exact) took away, only the roles that were taken away.
  returned: success
  type: list
  elements: dict
  contains:
    user:
      description: The user principal name, or the application id of a user that has none.
      returned: for a user
      type: str
      sample: lead-writer@contoso.onmicrosoft.com
    system_user_id:
      description: The user's id in the organisation; V(null) for a planned user.
      returned: for a user
      type: str
      sample: ad3b5737-0000-4000-8000-000000000004
    team:
      description: The team's name.
      returned: for a team
      type: str
      sample: Inside Sales
    team_id:
      description: The team's id.
      returned: for a team
      type: str
      sample: c41b3f1e-0000-4000-8000-000000000009
    role:
      description: The role's name.
      type: str
      sample: Microsoft Marketplace Lead Writer
    role_id:
      description: The id of the copy; V(null) as long as it is not known which that will be.
      type: str
      sample: b1f0c7ae-0000-4000-8000-000000000001
    business_unit_id:
      description: The business unit of the copy; V(null) for a planned user.
      type: str
      sample: 1360fdcb-0000-4000-8000-000000000003
    state:
      description: V(present) or V(absent), as it is after the task.
      type: str
      sample: present
held_through_teams:
  description: The roles that the users have through teams that they are members of.
  returned: with O(show_held_through_teams=true)
  type: list
  elements: dict
  contains:
    user:
      description: The user.
      type: str
      sample: lead-writer@contoso.onmicrosoft.com
    role:
      description: The role's name.
      type: str
      sample: Basic User
    role_id:
      description: The id of the copy that the team holds.
      type: str
      sample: b1f0c7ae-0000-4000-8000-000000000001
    business_unit_id:
      description: The business unit of that copy.
      type: str
      sample: 1360fdcb-0000-4000-8000-000000000003
    team:
      description: The team's name.
      type: str
      sample: Inside Sales
    team_id:
      description: The team's id.
      type: str
      sample: c41b3f1e-0000-4000-8000-000000000009
planned:
  description: Whether a user or a role is only planned, which happens in check mode.
  returned: success
  type: bool
  sample: false
"""

import typing as t
from dataclasses import replace

from ..module_utils._candidates import did_you_mean
from ..module_utils._connection import CONNECTION_OPTIONS, ORGANIZATION_OPTIONS
from ..module_utils._dataverse import DUPLICATE
from ..module_utils._errors import InvalidOption, NotPossible, ServiceRefused, TaskError, WaitedTooLong
from ..module_utils._odata import any_of, is_guid, query
from ..module_utils._plan import Plan, Write
from ..module_utils._role_assignments import (
    Assignment,
    PlannedUser,
    beyond,
    plan_absent,
    plan_present,
    planned_users,
)
from ..module_utils._role_copies import CopyFinder
from ..module_utils._role_holders import (
    ACCESS_TEAM,
    Principal,
    held_copies,
    held_copy,
    principal,
    read_holders,
    read_team_roles,
    read_teams,
    read_users,
    rows_meant,
    team_principal,
)
from ..module_utils._roles import find_planned, planned_roles, read_role_rows, read_root_role
from ..module_utils._rows import needed, number
from ..module_utils._task import ModuleSpec, Outcome, Task, run_module
from ..module_utils._wait import until

SPEC = ModuleSpec(
    options={
        **CONNECTION_OPTIONS,
        **ORGANIZATION_OPTIONS,
        "users": {"type": "list", "elements": "str", "default": []},
        "teams": {"type": "list", "elements": "str", "default": []},
        "roles": {"type": "list", "elements": "str", "required": True},
        "exact": {"type": "bool", "default": False},
        "show_held_through_teams": {"type": "bool", "default": False},
        "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
        "planned_users": {"type": "list", "elements": "dict", "default": []},
        "planned_roles": {"type": "list", "elements": "dict", "default": []},
    },
)

_SECONDS_UNTIL_SHOWN = 60
"""The service's caches forget within half a minute."""


def reconcile(task: Task) -> Outcome:
    """Read the users and teams with their roles, find the right copies of what is missing, write, read back."""
    _check_options(task.params)
    dataverse = task.connection.dataverse
    users, teams, roles = (_listed(task.params, option) for option in ("users", "teams", "roles"))
    principals = _principals(task, users, planned_users(task.params["planned_users"])) + _teams(task, teams)
    state = task.params["state"]
    surplus: list[Assignment] = []
    if state == "present":
        assignments = _wanted(task, principals, roles)
        surplus = beyond(assignments, principals) if task.params["exact"] else []
        plan = plan_present(assignments, dataverse.role_reference, surplus)
        _refuse_team_only(task, assignments)
    else:
        assignments = _unwanted(task, principals, roles)
        plan = plan_absent(assignments)
    _refuse_disabled(task, assignments, surplus, plan)
    _warn_of_access_modes(task, principals)
    task.carry_out(plan, _already_done)
    if plan.changed and not task.check_mode:
        _read_back(task, assignments, surplus, plan)
    planned = any(item.principal.planned or (item.copy is None) for item in assignments)
    told = [item.to_result(state) for item in assignments] + [item.to_result("absent") for item in surplus]
    return Outcome({"assignments": told, **_held_through_teams(task, principals), "planned": planned}, plan)


def _check_options(params: t.Mapping[str, t.Any]) -> None:
    if not params["users"] and not params["teams"]:
        raise InvalidOption("users", "is empty.", "Name at least one user, or one of teams.")
    if not params["roles"] and not params["exact"]:
        raise InvalidOption("roles", "is empty.", "Name at least one.")
    if params["exact"] and params["state"] == "absent":
        raise InvalidOption("exact", "belongs to state present.", "Leave it out, or list with state present what is to stay.")


def _listed(params: t.Mapping[str, t.Any], option: str) -> list[str]:
    """The items of a list, each once, in their order."""
    texts = [str(text).strip() for text in params[option]]
    for index, text in enumerate(texts):
        if not text:
            raise InvalidOption(f"{option}[{index}]", "is empty.")
    unique: dict[str, str] = {}
    for text in texts:
        unique.setdefault(text.casefold(), text)
    return list(unique.values())


def _teams(task: Task, references: list[str]) -> list[Principal]:
    """The teams that are meant, in their order."""
    dataverse = task.connection.dataverse
    rows = read_teams(dataverse, references)
    found = []
    for index, reference in enumerate(references):
        meant = rows_meant(rows, reference)
        if len(meant) > 1:
            listed = ", ".join(f"{row['teamid']} (business unit {row.get('_businessunitid_value')})" for row in meant)
            raise NotPossible(
                doing=f"choose the team {reference}",
                why=f"{len(meant)} teams fit teams[{index}]: {listed}.",
                next_step="Give the team's id of the one that you mean.",
            )
        if meant and number(meant[0], "teamtype") == ACCESS_TEAM and task.params["state"] == "present":
            why = "it is an access team, which shares single records and cannot hold roles."
            raise NotPossible(doing=f"assign roles to the team {reference}", why=why, next_step="Name an owner team, or the team of a directory group.")
        if meant:
            found.append(team_principal(dataverse, meant[0]))
        elif task.params["state"] == "present":
            names = [needed(row, "name") for row in dataverse.rows("teams" + query(select="name"), doing="list the teams")]
            raise NotPossible(
                doing=f"find the team {reference}",
                why=f"this organisation has no such team. {did_you_mean(reference, names)}",
                next_step="Correct the name, or create the team first.",
            )
        else:
            task.warn(f"The team {reference} does not exist in this organisation, so it holds no roles.")
    return found


def _refuse_team_only(task: Task, assignments: list[Assignment]) -> None:
    """A group's team has no rows of its own members' making, so a role with team privileges only is refused by the service."""
    lacking = [(item, item.copy.root_id) for item in assignments if item.copy is not None and not item.held and item.principal.is_group_team]
    root_ids = sorted({root_id for _unused, root_id in lacking})
    roots = read_role_rows(task.connection.dataverse, any_of("roleid", root_ids), "read the roles") if lacking else []
    team_only = {root.id for root in roots if root.inheritance == 0}
    for item, root_id in lacking:
        if root_id in team_only:
            raise NotPossible(
                doing=f"assign the role {item.role_name} to the team {item.principal.name}",
                why="the team stands for a group of the directory, and the role gives team privileges only.",
                next_step="Set member_privilege_inheritance of the role to direct_user_and_team (crm_role_privilege does), or name another role.",
            )


def _warn_of_access_modes(task: Task, principals: list[Principal]) -> None:
    """Roles are of little use in the modes that limit what a user can do."""
    for user in principals:
        if user.access_mode not in ("read_write", "non_interactive"):
            task.warn(f"The user {user.name} is in the access mode {user.access_mode}, which limits what its roles give.")


def _held_through_teams(task: Task, principals: list[Principal]) -> dict[str, t.Any]:
    if not task.params["show_held_through_teams"]:
        return {}
    users = [user for user in principals if user.team_type is None and not user.planned]
    return {"held_through_teams": [role.to_result() for user in users for role in read_team_roles(task.connection.dataverse, user)]}


def _principals(task: Task, references: list[str], planned: list[PlannedUser]) -> list[Principal]:
    """The users that are meant, in their order."""
    dataverse = task.connection.dataverse
    living, deleted = read_users(dataverse, references)
    for row in deleted:
        name = row.get("domainname") or row.get("applicationid")
        task.warn(f"The system user {row['systemuserid']} ({name}) is deleted and was left out of account; purge it if it is in the way.")
    found = []
    for index, reference in enumerate(references):
        rows = rows_meant(living, reference)
        brought = next((user for user in planned if user.is_meant_by(reference)), None) if task.check_mode else None
        if len(rows) > 1:
            listed = ", ".join(f"{row['systemuserid']}{' (disabled)' if row.get('isdisabled') else ''}" for row in rows)
            raise NotPossible(
                doing=f"choose the user {reference}",
                why=f"{len(rows)} system users fit users[{index}]: {listed}.",
                next_step="Give the system user id of the one that you mean.",
            )
        if rows:
            user = principal(dataverse, rows[0])
            # What is disabled now would be enabled by the earlier task that planned the user
            found.append(replace(user, disabled=user.disabled and brought is None))
        elif brought is not None:
            found.append(Principal(brought.user_principal_name, "", "", disabled=False, held=(), planned=True, expected=brought.roles))
        elif task.params["state"] == "present":
            raise _unknown_user(reference)
        else:
            task.warn(f"The user {reference} is not in this organisation, so it holds no roles there.")
    return found


def _unknown_user(reference: str) -> NotPossible:
    return NotPossible(
        doing=f"find the user {reference}",
        why=(
            "this organisation has no such system user. A person is taken in only with a licence, and, if the environment has a security group, "
            "as a member of it; and that can take hours unless it is forced."
        ),
        next_step="Bring the user in with crm_user first, or correct the name. An application has to be added as an application user.",
    )


def _wanted(task: Task, principals: list[Principal], roles: list[str]) -> list[Assignment]:
    """Each user with the right copy of each role. Copies are looked for only if a user lacks one."""
    planned = planned_roles(task.params["planned_roles"]) if task.check_mode else []
    pairs = [(user, role) for user in principals for role in roles]
    lacking = [(user, role) for user, role in pairs if held_copy(user, role) is None]
    finder = CopyFinder(task.connection.dataverse, lacking)
    assignments = []
    for user, role in pairs:
        copy = held_copy(user, role)
        if copy is None:
            brought = find_planned(planned, role)
            copy = finder.find(user, role, required=brought is None)
            if copy is None and brought is not None:
                assignments.append(Assignment(user, brought.name, None))
                continue
        name = copy.name if copy is not None else role
        # Which copy a planned user gets shows with its business unit
        assignments.append(Assignment(user, name, None if user.planned else copy))
    return assignments


def _unwanted(task: Task, principals: list[Principal], roles: list[str]) -> list[Assignment]:
    """Each user with each held copy of each role."""
    roots = {}
    for role in roles:
        # The id of a copy says nothing of the other copies; a name and a root's id do
        unclear = is_guid(role) and not any(role.lower() == held.root_id for user in principals for held in user.held)
        found = read_root_role(task.connection.dataverse, role) if unclear and any(user.held for user in principals) else None
        roots[role] = found.id if found else ""
    return [Assignment(user, copy.name, copy) for user in principals for role in roles for copy in held_copies(user, role, roots[role])]


def _refuse_disabled(task: Task, assignments: list[Assignment], surplus: list[Assignment], plan: Plan) -> None:
    """A disabled user's roles are left alone: sources disagree on whether they can be changed."""
    present = task.params["state"] == "present"
    if not plan.changed:
        disabled = {item.principal.name for item in assignments if item.principal.disabled}
        for name in sorted(disabled if present else []):
            task.warn(f"The user {name} holds the roles but is disabled in this organisation.")
        return
    needed = [(item, "assign" if present else "take away") for item in assignments if item.held is not present]
    for item, verb in [*needed, *((item, "take away") for item in surplus)]:
        if item.principal.disabled:
            raise NotPossible(
                doing=f"{verb} the role {item.role_name}",
                why=f"the user {item.principal.name} is disabled in this organisation.",
                next_step="Enable it first (crm_user does that for a licensed person), or leave it out.",
            )


def _already_done(write: Write, error: TaskError) -> str | None:
    """Another run was faster, or the answer to an earlier attempt was lost."""
    if not isinstance(error, ServiceRefused):
        return None
    done = error.code.lower() in DUPLICATE if write.method == "POST" else error.status == 404
    return "" if done else None


def _read_back(task: Task, assignments: list[Assignment], surplus: list[Assignment], plan: Plan) -> None:
    """Wait until the service shows what was written."""
    present = task.params["state"] == "present"
    expected = [(item, present) for item in assignments] + [(item, False) for item in surplus]
    touched = [
        (item.principal, item.copy.id, there)
        for item, there in expected
        if item.copy is not None and any(write.path.startswith(item.principal.roles_path) for write in plan.writes)
    ]

    def look() -> bool | None:
        held = read_holders(task.connection.dataverse, [holder for holder, _unused, _unused in touched])
        shown = all((role_id in held.get(holder.system_user_id, frozenset())) is there for holder, role_id, there in touched)
        return True if shown else None

    if until(task.clock, look, seconds=_SECONDS_UNTIL_SHOWN) is None:
        raise WaitedTooLong(
            doing="confirm the change of the roles",
            why=f"the organisation accepted the change, but does not show it after {_SECONDS_UNTIL_SHOWN} seconds.",
            next_step="Run again: what is there will be looked at first.",
            service="dataverse",
            done=[write.summary for write in plan.writes],
            retryable=True,
        )


def main() -> None:
    """Run as an ordinary module."""
    run_module(SPEC, reconcile)


if __name__ == "__main__":
    main()
