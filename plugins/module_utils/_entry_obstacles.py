# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an account of the directory is not (yet) a user of an organisation: what Entra ID and the admin API tell.

An environment takes accounts in that are enabled, licensed and, if it has a security group, direct members of that.

This file is private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass

from ._errors import ServiceRefused
from ._graph import ADVANCED, Graph
from ._odata import is_guid, literal, query, segment
from ._power_platform import PowerPlatform


@dataclass(frozen=True)
class DirectoryUser:
    """What Entra ID knows of the person; everything but the id is None for a user that is only planned."""

    object_id: str
    user_principal_name: str
    enabled: bool | None = None
    licensed: bool | None = None
    in_security_group: bool | None = None
    """Whether they are a direct member of the environment's security group, where there is one and it could be read."""


@dataclass(frozen=True)
class Environment:
    """What the admin API says of the environment that matters for its users."""

    id: str
    security_group_id: str | None
    state: str
    has_database: bool = True
    administration_mode: bool = False
    """Only administrators may enter."""


def find_directory_user(graph: Graph, reference: str) -> DirectoryUser | None:
    """The person in Entra ID."""
    row = graph.user(reference, "id,userPrincipalName,accountEnabled,assignedLicenses", doing=f"look for the user {reference} in the directory")
    if row is None:
        return None
    return DirectoryUser(row["id"].lower(), row["userPrincipalName"], row.get("accountEnabled"), bool(row.get("assignedLicenses")))


def was_deleted(graph: Graph, reference: str) -> bool | None:
    """Whether the account is among the soft-deleted ones; None if the caller may not look there."""
    if is_guid(reference):
        path, headers = "directory/deletedItems/microsoft.graph.user" + query(select="id", filter=f"id eq {literal(reference)}"), None
    else:
        # A deleted account's name has its id in front
        path = "directory/deletedItems/microsoft.graph.user" + query(select="id", filter=f"endswith(userPrincipalName,{literal(reference)})", count="true")
        headers = ADVANCED
    try:
        return any(True for _unused in graph.rows(path, doing="look among the deleted users", headers=headers))
    except ServiceRefused as error:
        if error.status in (400, 403, 404):
            return None
        raise


def is_member(graph: Graph, person: DirectoryUser, group_id: str) -> bool | None:
    """Whether the account is a direct member of a group (nested ones do not count); None if the caller may not read that."""
    try:
        groups = graph.rows(f"users/{person.object_id}/memberOf" + query(select="id"), doing="read the groups of the account")
        return any(str(row.get("id")).lower() == group_id.lower() for row in groups)
    except ServiceRefused as error:
        if error.status in (403, 404):
            return None
        raise


def service_principal_exists(graph: Graph, application_id: str) -> bool | None:
    """Whether the application has a service principal in the tenant; None if the caller may not read that."""
    try:
        path = f"servicePrincipals(appId='{segment(application_id)}')" + query(select="id")
        return graph.find(path, doing=f"look for the service principal of {application_id}") is not None
    except ServiceRefused as error:
        if error.status in (401, 403):
            return None
        raise


def read_environment(power_platform: PowerPlatform, environment_id: str) -> Environment | None:
    """The environment, or None if the caller may not use the admin API."""
    try:
        row = power_platform.environment(environment_id, doing="read the environment")
    except ServiceRefused as error:
        if error.status in (401, 403):
            return None
        raise
    properties = row.get("properties", {})
    linked = properties.get("linkedEnvironmentMetadata")
    runtime = str(properties.get("states", {}).get("runtime", {}).get("id") or "")
    return Environment(
        environment_id,
        (linked or {}).get("securityGroupId"),
        str((linked or {}).get("instanceState") or "Ready"),
        has_database=linked is not None,
        administration_mode=runtime.lower() == "adminmode",
    )


def certain_obstacle(person: DirectoryUser, environment: Environment | None) -> tuple[str, str]:
    """What makes it impossible that the account comes in, and what to do; two empty texts if nothing is known to."""
    if person.enabled is False:
        return "The account is disabled in the directory.", "Enable it first (o365_user does)."
    if person.licensed is False:
        return (
            "The account has no licence, and an environment takes only licensed users.",
            "Assign a Dynamics 365 or Power Apps licence first (o365_user does).",
        )
    if environment is not None and not environment.has_database:
        return (
            f"The environment {environment.id} has no Dataverse database, so it has no users.",
            "Correct environment_id, or add a database to the environment.",
        )
    if environment is not None and environment.security_group_id and person.in_security_group is False:
        group = environment.security_group_id
        return (
            f"The environment takes only direct members of the security group {group}, and the account is none.",
            f"Make the account a member of the group {group}; members of groups inside it do not count.",
        )
    return "", ""


def likely_reason(person: DirectoryUser, environment: Environment | None) -> str:
    """The most likely reason why an account does not turn up, in a sentence."""
    certain, _unused = certain_obstacle(person, environment)
    if certain:
        return certain
    if environment is not None and environment.administration_mode:
        return "The environment is in administration mode, which keeps everybody but administrators out."
    if environment is not None and environment.state != "Ready":
        return f"The environment is in the state {environment.state}."
    if environment is not None and environment.security_group_id and person.in_security_group is None:
        return f"The environment takes only members of the security group {environment.security_group_id}; whether the account is one could not be read."
    return "A new licence can take some minutes until the environment knows it."
