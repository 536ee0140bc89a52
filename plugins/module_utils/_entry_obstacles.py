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
from ._odata import Row, is_guid, literal, query, segment
from ._power_platform import PowerPlatform
from ._rows import flag, inner, listed, lower, needed, needed_id, text

_PLANS_SHOWN = 6


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
    group_name: str = ""
    """The security group as ``group_title`` tells it, once it was asked for."""

    @property
    def group_title(self) -> str:
        """The security group, for people."""
        return self.group_name or self.security_group_id or ""


def find_directory_user(graph: Graph, reference: str) -> DirectoryUser | None:
    """The person in Entra ID."""
    row = graph.user(reference, "id,userPrincipalName,accountEnabled,assignedLicenses", doing=f"look for the user {reference} in the directory")
    if row is None:
        return None
    enabled = flag(row, "accountEnabled") if text(row, "accountEnabled") else None
    return DirectoryUser(needed_id(row, "id"), needed(row, "userPrincipalName"), enabled, bool(listed(row, "assignedLicenses")))


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
        return any(lower(row, "id") == group_id.lower() for row in groups)
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
    return environment_from(environment_id, row)


def environment_from(environment_id: str, row: Row) -> Environment:
    """An environment as the admin API gives it. One without a database has no linked metadata; one that is just made may lack its states."""
    properties = inner(row, "properties")
    linked = inner(properties, "linkedEnvironmentMetadata")
    return Environment(
        environment_id,
        text(linked, "securityGroupId") or None,
        text(linked, "instanceState") or "Ready",
        has_database=bool(linked),
        administration_mode=lower(inner(inner(properties, "states"), "runtime"), "id") == "adminmode",
    )


def group_title(graph: Graph, group_id: str) -> str:
    """A group's name and id, or the id alone if the caller may not read groups."""
    try:
        row = graph.find(f"groups/{segment(group_id)}" + query(select="displayName"), doing="read the security group")
    except ServiceRefused as error:
        if error.status in (401, 403):
            return group_id
        raise
    name = text(row, "displayName") if row else ""
    return f"{name} ({group_id})" if name else group_id


def read_licenses(graph: Graph, person: DirectoryUser) -> tuple[list[str], list[str]] | None:
    """The part numbers of the account's products, and their service plans that are switched on; None if the caller may not read that."""
    try:
        rows = list(graph.rows(f"users/{person.object_id}/licenseDetails", doing="read the licences of the account"))
    except ServiceRefused as error:
        if error.status in (401, 403, 404):
            return None
        raise
    plans = [plan for row in rows for plan in listed(row, "servicePlans")]
    on = {needed(plan, "servicePlanName") for plan in plans if text(plan, "provisioningStatus") != "Disabled" and text(plan, "appliesTo") != "Company"}
    return sorted(needed(row, "skuPartNumber") for row in rows), sorted(on)


def certain_obstacle(person: DirectoryUser, environment: Environment | None) -> tuple[str, str]:
    """What makes it impossible that the account comes in, and what to do; two empty texts if nothing is known to."""
    if person.enabled is False:
        return "the account is disabled in the directory.", "Enable it first (o365_user does)."
    if person.licensed is False:
        return (
            "the account has no licence, and an environment takes only licensed users.",
            "Assign a Dynamics 365 or Power Apps licence first (o365_user does).",
        )
    if environment is not None and not environment.has_database:
        return (
            f"the environment {environment.id} has no Dataverse database, so it has no users.",
            "Correct environment_id, or add a database to the environment.",
        )
    if environment is not None and environment.security_group_id and person.in_security_group is False:
        return (
            f"the environment takes only direct members of the security group {environment.group_title}, and the account is none.",
            "Make the account a member of this group; members of groups inside it do not count.",
        )
    return "", ""


def lasting_obstacle(person: DirectoryUser, environment: Environment | None) -> tuple[str, str]:
    """What is most likely to keep an account out that waiting did not bring in, and what to do; two empty texts if nothing is known to."""
    if environment is None:
        return "", ""
    if environment.administration_mode:
        return (
            "The environment is in administration mode, which keeps everybody but administrators out.",
            "Switch administration mode off in the Power Platform admin centre, or wait until whoever switched it on has done so, and run again.",
        )
    if environment.state != "Ready":
        return f"The environment is in the state {environment.state}.", "Wait until it is Ready, and run again."
    if environment.security_group_id and person.in_security_group is None:
        return (
            f"The environment takes only direct members of the security group {environment.group_title}; whether the account is one could not be read.",
            "See that it is one, or grant the automation's application GroupMember.Read.All (Microsoft Graph) to have that looked up, and run again.",
        )
    return "", ""


def license_obstacle(licenses: tuple[list[str], list[str]] | None) -> tuple[str, str]:
    """Why an environment says that a licensed account has no licence, and what to do."""
    products, plans = licenses or ([], [])
    if products and not plans:
        return (
            f"All service plans of its licences ({', '.join(products)}) are switched off, and one that brings Dataverse must be on.",
            "Switch that on (disabled_plans of o365_user), and run again.",
        )
    shown = ", ".join(plans[:_PLANS_SHOWN]) + f" and {len(plans) - _PLANS_SHOWN} more" * (len(plans) > _PLANS_SHOWN)
    told = f" Of its licences ({', '.join(products)}) these service plans are on: {shown}." if plans else ""
    return (
        f"The environment says that the account has no licence for it; a new one can take some minutes until it is known.{told}",
        "If none of its service plans brings Dataverse, assign a product that has one (o365_user). Otherwise run again later.",
    )
