# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which admin roles of the directory a user holds: directly, through groups, or for the asking (PIM).

No single view shows all. ``transitiveMemberOf`` tells the groups, and built-in roles that come through them; the
unified role assignments of the user and of each group that may hold roles tell the rest (custom roles, roles within
an administrative unit); the eligibility schedule tells who may activate one. Three requests for a user in no such group.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from dataclasses import dataclass, field

from ._errors import NotPossible, ServiceRefused, WaitedTooLong
from ._graph import Graph, needing
from ._http import Clock
from ._odata import Row, literal, query, segment
from ._plan import Write
from ._rows import inner, needed, text
from ._wait import until

_NOT_ADMINISTRATIVE = frozenset({"88d8e3e3-8f55-4a1e-953a-9b9898b8876b"})
"""Directory Readers: no more than every member may by default."""
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
_ASSIGNMENTS = "roleManagement/directory/roleAssignments"
_ELIGIBLE = "roleManagement/directory/roleEligibilityScheduleInstances"
_ELIGIBILITY_REQUESTS = "roleManagement/directory/roleEligibilityScheduleRequests"
_DEFINITIONS = "roleManagement/directory/roleDefinitions"
_NO_PIM = "AadPremiumLicenseRequired"
_MEMBERSHIPS_PERMISSION = "User.Read.All (or Directory.Read.All)"
_ROLES_PERMISSION = "RoleManagement.Read.Directory"


@dataclass(frozen=True)
class HeldRole:
    """One role, held in one way."""

    id: str
    """Of the role's definition; for built-in roles the same in every tenant."""
    name: str
    how: str
    """``assigned``, or ``eligible`` for one that can be activated."""
    group: str | None
    """The group that it comes through; empty where it is not known which."""
    scope: str
    """``/`` for the whole tenant."""
    assignment_id: str = field(default="", compare=False)
    """Empty for one that is not assigned, or whose assignment is not shown."""

    def to_result(self) -> dict[str, t.Any]:
        """The form in a module's result."""
        return {name: value for name, value in vars(self).items() if name != "assignment_id"}

    def __str__(self) -> str:
        words = [self.name]
        if self.how == "eligible":
            words.append("(eligible, can be activated)")
        if self.group is not None:
            words.append(f"through the group {self.group}" if self.group else "through a group")
        if self.scope != "/":
            words.append(f"for {self.scope}")
        return " ".join(words)


@dataclass(frozen=True)
class _Principal:
    """The user, or a group that the user is in."""

    id: str
    group: str | None


def read_admin_roles(graph: Graph, clock: Clock, user_id: str, user_principal_name: str) -> tuple[HeldRole, ...]:
    """All admin roles of a user. Raises if any view may not be read, because then nothing is proved."""
    doing = f"prove that {user_principal_name} holds no admin role"
    purpose = "the proof that there is no admin role (admin_roles=ignore goes without it)"
    with needing(_MEMBERSHIPS_PERMISSION, purpose):
        memberships = _memberships(graph, clock, user_id, doing)
    principals = [
        _Principal(user_id, None),
        *(_Principal(needed(row, "id"), text(row, "displayName") or needed(row, "id")) for row in memberships if _may_hold_roles(row)),
    ]
    found: list[HeldRole] = []
    for principal in principals:
        with needing(_ROLES_PERMISSION, purpose):
            found += _assigned(graph, principal, doing)
    known = {role.id for role in found}
    found += [role for role in map(_from_membership, filter(_is_role, memberships)) if role.id not in known]
    for principal in principals:
        with needing(f"RoleEligibilitySchedule.Read.Directory or {_ROLES_PERMISSION}", purpose):
            eligible = _eligible(graph, principal, doing)
        if eligible is None:
            break
        found += eligible
    return tuple(dict.fromkeys(role for role in found if role.id not in _NOT_ADMINISTRATIVE))


def forbid_admin_roles(roles: tuple[HeldRole, ...], user_principal_name: str) -> None:
    """Refuse to go on with an administrator's account."""
    if roles:
        raise NotPossible(
            doing=f"use {user_principal_name} as an account without admin roles",
            why=f"it holds {len(roles)} in the directory: {'; '.join(map(str, roles))}.",
            next_step="Take the roles from it, or choose another account. With admin_roles=ignore they do not matter.",
        )


def plan_role_removal(roles: tuple[HeldRole, ...], user_id: str, user_principal_name: str) -> tuple[Write, ...]:
    """Take all roles from a user, the active ones first. Those that come through a group belong to the group, so they are an error."""
    foreign = [role for role in roles if role.group is not None or (role.how == "assigned" and not role.assignment_id)]
    if foreign:
        raise NotPossible(
            doing=f"take the admin roles from {user_principal_name}",
            why=f"it does not hold all of them itself: {'; '.join(map(str, foreign))}.",
            next_step="Take the account out of the group, or the role from the group; that changes more than this user, so it is not done here.",
        )
    ordered = sorted(roles, key=lambda role: role.how != "assigned")
    return tuple(_removal(role, user_id, user_principal_name) for role in ordered)


def check_role_removal(graph: Graph, roles: tuple[HeldRole, ...], user_id: str, user_principal_name: str, username: str) -> None:
    """Refuse to take the roles of the caller, who could not get them back, and those of the last Global Administrator.

    ``username`` is who the options sign in as, if it is a person.
    """
    doing = f"take the admin roles from {user_principal_name}"
    if user_principal_name.lower() == username.lower() or graph.token_claims().get("oid") == user_id:
        raise NotPossible(
            doing=doing,
            why=f"this is the account that the automation signs in with; it would lock itself out. It holds {'; '.join(map(str, roles))}.",
            next_step="Sign in as another administrator or as an application, or leave the roles alone with admin_roles=ignore.",
        )
    if any(role.id == GLOBAL_ADMINISTRATOR and role.how == "assigned" and role.scope == "/" for role in roles) and not _others(graph, user_id, doing):
        raise NotPossible(
            doing=doing,
            why="it is the tenant's only Global Administrator that is known, and nobody could give the role again.",
            next_step="Make another user Global Administrator first, or leave the roles alone with admin_roles=ignore.",
        )


def _others(graph: Graph, user_id: str, doing: str) -> list[Row]:
    """Who else is Global Administrator: users and groups. An application does not count, because nobody can sign in as one and repair things."""
    path = _ASSIGNMENTS + query(filter=f"roleDefinitionId eq {literal(GLOBAL_ADMINISTRATOR)}", expand="principal")
    with needing(_ROLES_PERMISSION, "looking for other Global Administrators"):
        rows = list(graph.rows(path, doing=doing))
    people = ("#microsoft.graph.user", "#microsoft.graph.group")
    return [
        row
        for row in rows
        if needed(row, "principalId") != user_id and (text(row, "directoryScopeId") or "/") == "/" and inner(row, "principal").get("@odata.type") in people
    ]


def _removal(role: HeldRole, user_id: str, user_principal_name: str) -> Write:
    summary = f"take the admin role {role} from {user_principal_name}"
    if role.how == "assigned":
        return Write("graph", "DELETE", f"{_ASSIGNMENTS}/{segment(role.assignment_id)}", summary)
    body = {
        "action": "adminRemove",
        "principalId": user_id,
        "roleDefinitionId": role.id,
        "directoryScopeId": role.scope,
        "justification": "This account must hold no administrator role.",
    }
    return Write("graph", "POST", _ELIGIBILITY_REQUESTS, summary, body=body)


def is_role_write(write: Write) -> bool:
    """Whether a write takes a role away."""
    return write.path.startswith("roleManagement/")


def wait_until_without_roles(graph: Graph, clock: Clock, user_id: str, user_principal_name: str) -> tuple[HeldRole, ...]:
    """After a removal; what is returned is what still shows."""
    left: tuple[HeldRole, ...] = ()

    def look() -> bool | None:
        nonlocal left
        left = read_admin_roles(graph, clock, user_id, user_principal_name)
        return None if left else True

    until(clock, look)
    return left


def _memberships(graph: Graph, clock: Clock, user_id: str, doing: str) -> list[Row]:
    """Groups and roles. The user has just been read, so "not found" comes from a part of the directory that does not know a new user yet."""

    def look() -> list[Row] | None:
        try:
            # Without $select: on this mixed collection it is only certain to work with a type
            return list(graph.rows(f"users/{user_id}/transitiveMemberOf", doing=doing))
        except ServiceRefused as error:
            if error.status != 404:
                raise
            return None

    found = until(clock, look)
    if found is None:
        raise WaitedTooLong(
            doing=doing, why="the directory knows the user but not what it is a member of.", next_step="Run again in some minutes.", service="graph"
        )
    return found


def _is_role(row: Row) -> bool:
    return str(row.get("@odata.type", "")).endswith(".directoryRole")


def _may_hold_roles(row: Row) -> bool:
    """Only role-assignable groups can. A group whose details are hidden from the caller is asked about as well."""
    hidden = row.get("displayName") is None
    return str(row.get("@odata.type", "")).endswith(".group") and (bool(row.get("isAssignableToRole")) or hidden)


def _from_membership(row: Row) -> HeldRole:
    role_id = text(row, "roleTemplateId") or needed(row, "id")
    return HeldRole(role_id, text(row, "displayName") or f"the role {role_id}", "assigned", "", "/")


def _assigned(graph: Graph, principal: _Principal, doing: str) -> Iterator[HeldRole]:
    path = _ASSIGNMENTS + query(filter=f"principalId eq {literal(principal.id)}", expand="roleDefinition")
    for row in graph.rows(path, doing=doing):
        role_id = needed(row, "roleDefinitionId")
        name = text(inner(row, "roleDefinition"), "displayName") or f"the role {role_id}"
        yield HeldRole(role_id, name, "assigned", principal.group, text(row, "directoryScopeId") or "/", text(row, "id") or "")


def _eligible(graph: Graph, principal: _Principal, doing: str) -> list[HeldRole] | None:
    """What the principal may activate; None in a tenant without PIM, where nobody is eligible."""
    path = _ELIGIBLE + query(filter=f"principalId eq {literal(principal.id)}")
    try:
        rows = list(graph.rows(path, doing=doing))
    except ServiceRefused as error:
        if error.code == _NO_PIM:
            return None
        raise
    return [
        HeldRole(role_id, _role_name(graph, role_id, doing), "eligible", principal.group, text(row, "directoryScopeId") or "/")
        for row in rows
        for role_id in [needed(row, "roleDefinitionId")]
    ]


def _role_name(graph: Graph, role_id: str, doing: str) -> str:
    row = graph.find(f"{_DEFINITIONS}/{role_id}{query(select='id,displayName')}", doing=doing)
    return text(row or {}, "displayName") or f"the role {role_id}"
