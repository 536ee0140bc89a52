# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An organisation: which one it is, its version, who the caller is there, and what the caller may do.

Facts are from Microsoft's Web API guide. Not every organisation answers every member of
RetrieveCurrentOrganization, so each has a second source or may stay unknown.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from ._dataverse import Dataverse
from ._errors import AnswerNotUnderstood, NotPossible, ServiceRefused
from ._odata import query
from ._rows import inner, lower, needed_id, text

OLDER_API_VERSIONS = ("v8.2", "v8.1", "v8.0")


@dataclass(frozen=True)
class Organization:
    """What is known of an organisation; None is unknown."""

    id: str
    url: str
    api_version: str
    version: str
    name: str | None
    unique_name: str | None
    tenant_id: str | None
    environment_id: str | None
    root_business_unit_id: str

    def to_result(self) -> dict[str, t.Any]:
        """The form in a module's result."""
        return asdict(self)


@dataclass(frozen=True)
class Caller:
    """Who the automation is in the organisation."""

    system_user_id: str
    business_unit_id: str


def who_am_i(dataverse: Dataverse) -> tuple[Dataverse, Caller, str]:
    """The organisation in the version of the API that it speaks, the caller, and the organisation's id."""
    doing = "find out who the caller is"
    candidates = [dataverse, *(dataverse.at_version(version) for version in OLDER_API_VERSIONS)]
    for candidate in candidates:
        try:
            row = candidate.get("WhoAmI", doing=doing)
        except AnswerNotUnderstood:
            break
        except ServiceRefused as error:
            # An older organisation does not know the newer version's path at all
            if error.status not in (404, 501) or candidate is candidates[-1]:
                raise
            continue
        if not text(row, "OrganizationId"):
            break
        return candidate, Caller(needed_id(row, "UserId"), needed_id(row, "BusinessUnitId")), needed_id(row, "OrganizationId")
    raise NotPossible(
        doing=doing,
        why=f"{dataverse.url} answers, but not as a Dynamics 365 organisation.",
        next_step="Correct url: it is the address that the browser shows for the app, without a path.",
    )


def read_organization(dataverse: Dataverse, organization_id: str) -> Organization:
    """Everything about the organisation, in as few requests as it allows."""
    detail = _detail(dataverse)
    version = text(detail, "OrganizationVersion") or text(dataverse.get("RetrieveVersion", doing="read the organisation's version"), "Version") or ""
    path = "businessunits" + query(select="businessunitid,name", filter="parentbusinessunitid eq null")
    roots = list(dataverse.rows(path, doing="read the root business unit"))
    return Organization(
        id=organization_id,
        url=dataverse.url,
        api_version=dataverse.api_version,
        version=version,
        name=text(detail, "FriendlyName") or (text(roots[0], "name") if roots else None),
        unique_name=text(detail, "UniqueName"),
        tenant_id=lower(detail, "TenantId"),
        environment_id=text(detail, "EnvironmentId") or None,
        root_business_unit_id=needed_id(roots[0], "businessunitid") if roots else "",
    )


def missing_privileges(dataverse: Dataverse, caller: Caller, wanted: list[str]) -> list[str] | None:
    """Which of the privileges the caller lacks, or None if the organisation does not tell."""
    try:
        rows = dataverse.held_privileges(caller.system_user_id, wanted, doing="read the caller's privileges")
    except ServiceRefused as error:
        if error.status in (400, 404, 405, 501):
            return None
        raise
    held = {lower(row, "PrivilegeName") for row in rows}
    return [name for name in wanted if name.lower() not in held]


def missing_permissions(claims: dict[str, t.Any], wanted: list[str]) -> list[str] | None:
    """Which application permissions a token lacks (alternatives are joined with ``|``), or None if it does not tell."""
    if claims.get("idtyp") == "user" or "scp" in claims or not claims:
        return None
    held = {str(role).lower() for role in claims.get("roles", [])}
    return [entry for entry in wanted if not held.intersection(entry.lower().split("|"))]


def environment_id(dataverse: Dataverse) -> str | None:
    """The id of the organisation's environment in the admin API, if the organisation tells."""
    return text(_detail(dataverse), "EnvironmentId") or None


def _detail(dataverse: Dataverse) -> dict[str, t.Any]:
    path = "RetrieveCurrentOrganization(AccessType=@p)?@p=Microsoft.Dynamics.CRM.EndpointAccessType'Default'"
    try:
        return inner(dataverse.get(path, doing="read the organisation's details"), "Detail")
    except ServiceRefused as error:
        if error.status in (400, 404, 501):  # organisations before version 9
            return {}
        raise
