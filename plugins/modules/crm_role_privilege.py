#!/usr/bin/python
# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The privileges of a security role."""

from __future__ import annotations

DOCUMENTATION = r"""
module: crm_role_privilege
short_description: Give privileges to a security role of a Dynamics 365 organisation
version_added: 0.1.0
author:
  - leadops.dynamics365 contributors (@leadops)
description:
  - Makes sure that a security role holds the listed privileges, each at the wanted depth (access level), or does not hold them.
  - All that is missing is added in one call. Privileges that are not listed are left alone.
  - A privilege that does not exist, and a depth that the privilege does not allow, are refused before anything is written; the error names
    what exists and what is allowed. With O(state=absent), a privilege that does not exist counts as not held.
  - Only the role of the root business unit can be edited, and changes there reach all copies. O(role) may name any copy; the root is found.
  - A role that came with a managed solution can be changed if the solution allows it. The change lies above the solution, and a later upgrade
    of the solution can take it back, so run this after the import.
  - Needs read access to roles and privileges, and C(prvWriteRole); System Administrator has all of it.
  - Never deletes a role, creates none but the companion of a locked one (O(locked_role=companion), which takes C(prvCreateRole)), and never
    assigns one; see M(leadops.dynamics365.crm_role_assignment).
options:
  role:
    description:
      - The security role, by name or id. If several roles have the name, the task fails and lists their ids.
    type: str
    required: true
  privileges:
    description:
      - The privileges. Each item is either O(privileges[].name), or O(privileges[].table) with O(privileges[].access).
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - The privilege's own name, such as V(prvReadLead).
        type: str
      table:
        description:
          - The logical name of a table, such as V(lead).
        type: str
      access:
        description:
          - What may be done with rows of the table.
        type: list
        elements: str
        choices: [create, read, write, delete, append, append_to, assign, share]
      depth:
        description:
          - How far the privilege reaches. The role editor's V(user), V(business_unit), V(parent_child) and V(organization) are the
            API's V(basic), V(local), V(deep) and V(global).
          - Required with O(state=present).
        type: str
        choices: [user, business_unit, parent_child, organization, basic, local, deep, global]
  state:
    description:
      - V(present) gives the privileges to the role, V(absent) takes them away at any depth.
      - Some basic privileges belong to every role, and the service does not take them away.
    type: str
    default: present
    choices: [present, absent]
  allow_lower:
    description:
      - Whether a privilege that is held at a greater depth than O(privileges[].depth) is set to the lesser one.
    type: bool
    default: false
  exact:
    description:
      - Whether privileges that the role holds and that are not listed are taken away. The few that belong to every role stay.
      - Only with O(state=present). Depths that are held beyond what is listed follow O(allow_lower).
    type: bool
    default: false
  locked_role:
    description:
      - What to do if the solution that brought the role has locked it. V(fail) explains it. V(companion) gives what the role lacks to an own
        role in the root business unit, which is created if it is missing and is to be assigned beside; see RV(companion_role).
      - Only what is missing can be carried by a companion. Taking away, lowering, O(exact) with something to take away, and
        O(member_privilege_inheritance) still fail.
      - In check mode a role that is only planned counts as locked if its package says so (C(customizable) in O(planned_roles)).
    type: str
    default: fail
    choices: [fail, companion]
  companion_role:
    description:
      - The name of the companion. The name of O(role) with V((additional privileges\)) appended if not said. Never a role of a managed solution.
    type: str
  member_privilege_inheritance:
    description:
      - What the members of a team get from the role when the team holds it. V(team_only) gives access to what the team owns,
        V(direct_user_and_team) gives each member the access as if the role were their own.
      - Left as it is if not said.
    type: str
    choices: [team_only, direct_user_and_team]
  planned_roles:
    description:
      - Roles that an earlier task would bring, as returned in RV(leadops.dynamics365.crm_solution#module:roles), items with C(name), C(id),
        C(customizable) and C(privileges).
      - Only used in check mode, and only if O(role) does not exist yet.
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
  - module: leadops.dynamics365.crm_role_assignment
  - module: leadops.dynamics365.crm_solution
"""

EXAMPLES = r"""
- name: Let a role read the leads of its own business unit
  leadops.dynamics365.crm_role_privilege:
    url: https://contoso.crm4.dynamics.com
    role: Campaign Reader
    privileges:
      - name: prvReadLead
        depth: business_unit

- name: What the marketplace lead writer needs besides its solution
  leadops.dynamics365.crm_role_privilege:
    url: https://contoso.crm4.dynamics.com
    role: Microsoft Marketplace Lead Writer
    privileges:
      - table: userentityuisettings
        access: [create, read, write]
        depth: user
      - table: asyncoperation
        access: [read, write, append_to]
        depth: organization
    planned_roles: "{{ solution.roles }}"

- name: Where the role is locked, let an own role carry what it lacks, and assign both
  leadops.dynamics365.crm_role_privilege:
    url: https://contoso.crm4.dynamics.com
    role: Microsoft Marketplace Lead Writer
    privileges:
      - name: prvReadAsyncOperation
        depth: organization
    locked_role: companion
  register: extra

- name: Assign the role and its companion
  leadops.dynamics365.crm_role_assignment:
    url: https://contoso.crm4.dynamics.com
    users: [lead-writer@contoso.onmicrosoft.com]
    roles: "{{ ['Microsoft Marketplace Lead Writer'] + ([extra.companion_role.name] if extra.companion_role else []) }}"
    planned_roles: "{{ [extra.companion_role] if extra.companion_role else [] }}"

- name: Let a role hold nothing but this
  leadops.dynamics365.crm_role_privilege:
    url: https://contoso.crm4.dynamics.com
    role: Campaign Reader
    privileges:
      - table: lead
        access: [read, append]
        depth: business_unit
    exact: true
    allow_lower: true

- name: Take a privilege away
  leadops.dynamics365.crm_role_privilege:
    url: https://contoso.crm4.dynamics.com
    role: Campaign Reader
    privileges:
      - name: prvReadLead
    state: absent
"""

RETURN = r"""
role:
  description: The role in the root business unit. What a planned role does not tell is V(null).
  returned: success
  type: dict
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
      description: The root business unit.
      type: str
      sample: 1360fdcb-0000-4000-8000-000000000003
    managed:
      description: Whether a managed solution brought the role.
      type: bool
      sample: true
    customizable:
      description: Whether the role may be changed in this organisation. Of a planned role, what its package says.
      type: bool
      sample: true
privileges:
  description: The listed privileges, each once, and those that O(exact) took away. What a companion carries counts as held.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The privilege's name.
      type: str
      sample: prvReadAsyncOperation
    id:
      description: The privilege's id; V(null) if it was not needed.
      type: str
      sample: e84acc8f-0c61-43e3-a716-20964a483bdf
    depth:
      description: The depth at which the role holds it after the task, in the role editor's words; V(null) if it does not.
      type: str
      sample: organization
    before:
      description: The depth before the task, V(null) if the role did not hold it.
      type: str
      sample: null
companion_role:
  description: The own role that carries what the locked role lacks; V(null) if none is needed. It fits into C(planned_roles) of other modules.
  returned: success
  type: dict
  contains:
    name:
      description: The name.
      type: str
      sample: Microsoft Marketplace Lead Writer (additional privileges)
    id:
      description: The id in the root business unit; V(null) in check mode as long as it does not exist.
      type: str
      sample: b1f0c7ae-0000-4000-8000-000000000002
    business_unit_id:
      description: The root business unit.
      type: str
      sample: 1360fdcb-0000-4000-8000-000000000003
    privileges:
      description: What it holds after the task, as name and depth, without what every role holds.
      type: list
      elements: dict
      sample: [{name: prvReadAsyncOperation, depth: organization}]
planned:
  description: Whether the role itself is only planned, which happens in check mode.
  returned: success
  type: bool
  sample: false
"""

import typing as t

from ..module_utils._companion_roles import ROLE_EXISTS, default_name, plan_companion, read_companion
from ..module_utils._connection import CONNECTION_OPTIONS, ORGANIZATION_OPTIONS
from ..module_utils._dataverse import Dataverse
from ..module_utils._depth import CHOICES, parse_depth
from ..module_utils._errors import InvalidOption, ServiceRefused, TaskError, WaitedTooLong
from ..module_utils._plan import Plan, Write
from ..module_utils._privilege_writes import carry_out, is_removal, plan, removed_id
from ..module_utils._privileges import (
    ACCESS,
    INHERITANCE,
    Change,
    Held,
    Privilege,
    Wanted,
    beyond,
    compare,
    is_baseline,
    label,
    not_customizable,
    read_held,
    read_privileges,
    read_table_privileges,
    refuse_contradictions,
    refuse_depth,
    unknown_privilege,
    with_names,
)
from ..module_utils._roles import PlannedRole, RoleRow, find_planned, planned_roles, read_root_role, role_missing
from ..module_utils._task import ModuleSpec, Outcome, Task, run_module
from ..module_utils._wait import until

SPEC = ModuleSpec(
    options={
        **CONNECTION_OPTIONS,
        **ORGANIZATION_OPTIONS,
        "role": {"type": "str", "required": True},
        "privileges": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "name": {"type": "str"},
                "table": {"type": "str"},
                "access": {"type": "list", "elements": "str", "choices": list(ACCESS)},
                "depth": {"type": "str", "choices": CHOICES},
            },
        },
        "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
        "allow_lower": {"type": "bool", "default": False},
        "exact": {"type": "bool", "default": False},
        "locked_role": {"type": "str", "default": "fail", "choices": ["fail", "companion"]},
        "companion_role": {"type": "str"},
        "member_privilege_inheritance": {"type": "str", "choices": list(INHERITANCE)},
        "planned_roles": {"type": "list", "elements": "dict", "default": []},
    },
)

_SECONDS_UNTIL_SHOWN = 60
"""The service's caches forget within half a minute."""

_AT_MOST = 5
"""Names that an error lists of many."""


def reconcile(task: Task) -> Outcome:
    """Read the role and what it holds, compare, change what differs, read back."""
    named = _named(task.params)
    planned = planned_roles(task.params["planned_roles"])
    dataverse = task.connection.dataverse
    role = _find_role(task, planned)
    wanted, known = _with_tables(dataverse, task.params, named)
    if isinstance(role, PlannedRole):
        held, path_id, inheritance = [Held("", name, depth) for name, depth in role.privileges.items()], role.id or "{role_id}", 0
    else:
        held, path_id, inheritance = read_held(dataverse, role.id), role.id, role.inheritance
    if task.params["exact"]:
        held = with_names(dataverse, held)
    changes, known = _compare(task, wanted, held, known)
    surplus = beyond(wanted, held) if task.params["exact"] else []
    said = task.params["member_privilege_inheritance"]
    steps = plan(path_id, role.name, changes, (inheritance, INHERITANCE[said]) if said else (None, None), surplus)
    if _is_locked(role):
        accompanied = task.params["locked_role"] == "companion" and not _is_system_administrator(role)
        beyond_companion = _beyond_companion([*changes, *surplus], steps) if accompanied else []
        if steps.changed and (not accompanied or beyond_companion):
            raise not_customizable(role.name, system_administrator=_is_system_administrator(role), beyond_companion=beyond_companion)
        if accompanied and (steps.changed or task.params["state"] == "absent"):
            return _beside(task, role, wanted, changes, known)
    elif isinstance(role, PlannedRole) and role.customizable is None and task.params["locked_role"] == "companion" and steps.changed:
        task.warn(f"The package does not say whether the role {role.name} may be changed. Where it may not, the run makes a companion instead.")
    carry_out(task.carry_out, steps, lambda write, _error: _already_gone(dataverse, path_id, write))
    if steps.changed and not task.check_mode:
        _read_back(task, path_id, [*changes, *surplus], steps)
    return Outcome({**_facts(role, [*changes, *surplus]), "companion_role": None}, steps)


def _is_locked(role: RoleRow | PlannedRole) -> bool:
    """Whether the service will not change the role. A planned one is locked if its package says so."""
    return role.customizable is False or _is_system_administrator(role)


def _is_system_administrator(role: RoleRow | PlannedRole) -> bool:
    return isinstance(role, RoleRow) and role.is_system_administrator


def _beyond_companion(changes: list[Change], steps: Plan) -> list[str]:
    """What of it cannot be done by a role beside the locked one, which only adds."""
    taken = [change.name for change in changes if change.before is not None and change.after is None]
    lowered = [change.name for change in changes if change.before is not None and change.after is not None and change.after < change.before]
    return [
        *([f"take away {_some(taken)}"] * bool(taken)),
        *([f"lower {_some(lowered)}"] * bool(lowered)),
        *(["set the member's privilege inheritance"] * any(write.method == "PATCH" for write in steps.writes)),
    ]


def _some(names: list[str]) -> str:
    """Names as a person can still read them."""
    return ", ".join(names[:_AT_MOST]) + f" and {len(names) - _AT_MOST} more" * (len(names) > _AT_MOST)


def _beside(task: Task, role: RoleRow | PlannedRole, wanted: list[Wanted], changes: list[Change], known: list[Privilege]) -> Outcome:
    """Let the companion carry what the locked role lacks."""
    dataverse = task.connection.dataverse
    companion = read_companion(dataverse, (task.params["companion_role"] or default_name(role.name)).strip(), role)
    present = task.params["state"] == "present"
    lacking = {change.name.casefold() for change in changes if change.needed or not present}
    ids = [Privilege(change.id, change.name, frozenset()) for change in changes if change.id]
    asked = [item for item in wanted if item.name.casefold() in lacking]
    carried = compare(asked, companion.held, [*known, *ids], allow_lower=task.params["allow_lower"])
    steps, unit_id = plan_companion(dataverse, companion, carried)

    def resolve(write: Write, error: TaskError) -> str | None:
        if write.path == "roles":
            if not isinstance(error, ServiceRefused) or error.code.lower() != ROLE_EXISTS:
                return None
            found = until(task.clock, lambda: read_root_role(dataverse, companion.name), seconds=_SECONDS_UNTIL_SHOWN)
            return found.id if found else None
        return _already_gone(dataverse, companion.path_id, write)

    ids_made = carry_out(task.carry_out, steps, resolve)
    told = companion.to_result(ids_made, carried, unit_id) if companion.role or steps.changed else None
    if steps.changed and not task.check_mode and told is not None:
        _read_back(task, told["id"], carried, steps)
    both = {change.name: change for change in [*changes, *carried]}
    return Outcome({**_facts(role, list(both.values())), "companion_role": told}, steps, ids_made)


def _named(params: t.Mapping[str, t.Any]) -> list[Wanted]:
    """The items that name a privilege; also checks the form of all items."""
    if params["exact"] and params["state"] == "absent":
        raise InvalidOption("exact", "belongs to state present.", "Leave it out, or list with state present what is to stay.")
    if params["companion_role"] and params["locked_role"] != "companion":
        raise InvalidOption("companion_role", "is only used with locked_role: companion.", "Set locked_role to companion, or leave companion_role out.")
    wanted = []
    for index, item in enumerate(params["privileges"]):
        option = f"privileges[{index}]"
        if bool(item["name"]) == bool(item["table"]):
            raise InvalidOption(option, "needs either name, or table with access.")
        if bool(item["table"]) != bool(item["access"]):
            raise InvalidOption(f"{option}.access", "belongs to table: give both, or a name alone.")
        if params["state"] == "present" and not item["depth"]:
            raise InvalidOption(f"{option}.depth", "is missing.", f"Give one of {', '.join(CHOICES)}.")
        if item["name"]:
            wanted.append(_wanted(params, item, item["name"].strip(), option))
    refuse_contradictions(wanted)
    return wanted


def _wanted(params: t.Mapping[str, t.Any], item: t.Mapping[str, t.Any], name: str, option: str) -> Wanted:
    return Wanted(name, parse_depth(item["depth"]) if params["state"] == "present" else None, option)


def _find_role(task: Task, planned: list[PlannedRole]) -> RoleRow | PlannedRole:
    reference = task.params["role"].strip()
    role = read_root_role(task.connection.dataverse, reference)
    brought = find_planned(planned, reference) if task.check_mode else None
    if role is None and brought is None:
        raise role_missing(task.connection.dataverse, reference, doing=f"change the privileges of the role {reference}")
    return role or t.cast("PlannedRole", brought)


def _with_tables(dataverse: Dataverse, params: t.Mapping[str, t.Any], named: list[Wanted]) -> tuple[list[Wanted], list[Privilege]]:
    """The named privileges and those that follow from tables and access rights; the latter also as they exist."""
    wanted, found = list(named), []
    tables: dict[str, dict[str, Privilege]] = {}
    for index, item in enumerate(params["privileges"]):
        option, table = f"privileges[{index}]", item["table"]
        if not table:
            continue
        if table not in tables:
            tables[table] = read_table_privileges(dataverse, table, option)
        for access in item["access"]:
            privilege = tables[table].get(access)
            if privilege is None:
                why = f"the table {table} has no privilege to {access}; it has {', '.join(tables[table]) or 'none'}."
                raise InvalidOption(f"{option}.access", why, "Leave it out.")
            choice = _wanted(params, item, privilege.name, option)
            refuse_depth(choice, privilege)
            wanted.append(choice)
            found.append(privilege)
    refuse_contradictions(wanted)
    return wanted, found


def _compare(task: Task, wanted: list[Wanted], held: list[Held], known: list[Privilege]) -> tuple[list[Change], list[Privilege]]:
    """Compare by name; look privileges up only where one seems to be missing or to have another depth. Also tells all that was looked up."""
    lower = task.params["allow_lower"]
    if task.params["state"] == "absent":
        for item in wanted:
            if is_baseline(item.name):
                task.warn(f"{item.name} belongs to every role and is not taken away.")
        wanted = [item for item in wanted if not is_baseline(item.name)]
    changes = compare(wanted, held, known, allow_lower=lower)
    nameless = any(not item.name for item in held)
    doubtful = {change.name.casefold() for change in changes if change.needed or nameless} - {privilege.name.casefold() for privilege in known}
    asked = [item for item in wanted if item.name.casefold() in doubtful and (item.depth is not None or nameless)]
    if not asked:
        return changes, known
    found = {privilege.name.casefold(): privilege for privilege in read_privileges(task.connection.dataverse, [item.name for item in asked])}
    for item in asked:
        privilege = found.get(item.name.casefold())
        if privilege is not None:
            refuse_depth(item, privilege)
        elif item.depth is not None and all(item.name.casefold() != one.name.casefold() for one in held):
            raise unknown_privilege(task.connection.dataverse, item)
    known = [*known, *found.values()]
    return compare(wanted, held, known, allow_lower=lower), known


def _already_gone(dataverse: Dataverse, role_id: str, write: Write) -> str | None:
    """Taking away what an earlier attempt took away already can be refused; what counts is that it is gone."""
    if not is_removal(write):
        return None
    gone = all(item.id != removed_id(write) for item in read_held(dataverse, role_id))
    return "" if gone else None


def _read_back(task: Task, role_id: str, changes: list[Change], steps: Plan) -> None:
    """Wait until the service shows what was written."""
    dataverse = task.connection.dataverse
    wanted = {change.id: change.after for change in changes if change.needed}
    said = task.params["member_privilege_inheritance"]
    patched = any(write.method == "PATCH" for write in steps.writes)

    def look() -> bool | None:
        if wanted:
            try:
                held = {item.id: item.depth for item in read_held(dataverse, role_id)}
            except ServiceRefused as error:
                if error.status != 404:
                    raise
                return None  # a new role can be unknown for a moment
            if any(held.get(privilege_id) != depth for privilege_id, depth in wanted.items()):
                return None
        role = read_root_role(dataverse, role_id) if patched else None
        return None if patched and (role is None or role.inheritance != INHERITANCE[said]) else True

    if until(task.clock, look, seconds=_SECONDS_UNTIL_SHOWN) is None:
        listed = ", ".join(f"{change.name} ({label(change.after) or 'not held'})" for change in changes if change.needed)
        raise WaitedTooLong(
            doing="confirm the change of the role",
            why=f"the organisation accepted the change, but after {_SECONDS_UNTIL_SHOWN} seconds it does not show all of it: {listed}.",
            next_step="Run again: what is there will be looked at first. Privileges that belong to every role cannot be taken away.",
            service="dataverse",
            done=[write.summary for write in steps.writes],
        )


def _facts(role: RoleRow | PlannedRole, changes: list[Change]) -> dict[str, t.Any]:
    if isinstance(role, PlannedRole):
        told = {"id": role.id or None, "name": role.name, "business_unit_id": None, "managed": None, "customizable": role.customizable}
    else:
        told = role.to_result()
    privileges = [{"name": change.name, "id": change.id or None, "depth": label(change.after), "before": label(change.before)} for change in changes]
    return {"role": told, "privileges": privileges, "planned": isinstance(role, PlannedRole)}


def main() -> None:
    """Run as an ordinary module."""
    run_module(SPEC, reconcile)


if __name__ == "__main__":
    main()
