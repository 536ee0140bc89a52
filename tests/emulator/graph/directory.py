# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Membership and roles: who is in which group, directly or not, and which directory roles that brings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..store import Document
from ..world import Tenant
from .roles import NOT_ADMINISTRATIVE

TENANT_SCOPE = "/"


def direct_groups(tenant: Tenant, object_id: str) -> list[Document]:
    """The groups that list the object as a member."""
    return [group for group in tenant.collection("groups").values() if object_id in group.get("_members", ())]


def all_groups(tenant: Tenant, object_id: str) -> list[Document]:
    """The groups that the object belongs to, also through other groups; nearest first."""
    found: dict[str, Document] = {}
    waiting = [object_id]
    while waiting:
        for group in direct_groups(tenant, waiting.pop(0)):
            if group["id"] not in found:
                found[group["id"]] = group
                waiting.append(group["id"])
    return list(found.values())


def all_members(tenant: Tenant, group: Document) -> list[str]:
    """The ids of everything in the group, also through other groups."""
    groups = tenant.collection("groups")
    found: dict[str, None] = {}
    waiting = list(group.get("_members", ()))
    while waiting:
        member = waiting.pop(0)
        if member not in found:
            found[member] = None
            waiting += groups[member].get("_members", ()) if member in groups else ()
    return list(found)


def assignments_of(tenant: Tenant, *principals: str) -> Iterator[Document]:
    """The active role assignments of these principals."""
    return (found for found in tenant.collection("directoryRoleAssignments").values() if found["principalId"] in principals)


def roles_held(tenant: Tenant, object_id: str) -> frozenset[str]:
    """The role definitions that the object holds actively, for the whole tenant, also through groups."""
    principals = (object_id, *(group["id"] for group in all_groups(tenant, object_id)))
    return frozenset(found["roleDefinitionId"] for found in assignments_of(tenant, *principals) if found.get("directoryScopeId", TENANT_SCOPE) == TENANT_SCOPE)


def is_protected(tenant: Tenant, object_id: str) -> bool:
    """Whether the object's sensitive properties need a higher role: it is an administrator or may become one by its group."""
    if any(group.get("isAssignableToRole") for group in all_groups(tenant, object_id)):
        return True
    return bool(roles_held(tenant, object_id) - NOT_ADMINISTRATIVE)


def find_object(tenant: Tenant, object_id: str) -> tuple[str, dict[str, Any]] | None:
    """Any directory object by id, with the name of its type."""
    for kind, type_name in (("users", "user"), ("groups", "group"), ("servicePrincipals", "servicePrincipal")):
        collection = tenant.collection(kind)
        if object_id in collection:
            return type_name, collection[object_id]
    found = next((entry for entry in tenant.collection("applications").values() if entry.get("id") == object_id), None)
    return None if found is None else ("application", found)
