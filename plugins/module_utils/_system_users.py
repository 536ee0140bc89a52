# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of an organisation (system users): find one, bring one in from the directory.

A person becomes a system user when the environment synchronises with Entra ID, which it does in its own time for
licensed, enabled members of the environment's security group. It can be forced in two ways: by the admin API, or
by assigning a role through the alternate key ``azureactivedirectoryobjectid``, which creates the row at once.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ._dataverse import STRONG, Dataverse
from ._entry_obstacles import DirectoryUser, Environment
from ._errors import NotPossible
from ._odata import Row, is_guid, literal, query
from ._plan import Plan, Write
from ._power_platform import add_user_path

PLANNED_ID = "00000000-0000-0000-0000-000000000000"
_COLUMNS = "systemuserid,domainname,fullname,azureactivedirectoryobjectid,applicationid,isdisabled,accessmode,_businessunitid_value"
ACCESS_MODES = {0: "read_write", 1: "administrative", 2: "read", 3: "support", 4: "non_interactive", 5: "delegated_admin"}


@dataclass(frozen=True)
class SystemUser:
    """One row of the table."""

    system_user_id: str
    user_principal_name: str | None
    object_id: str | None
    application_id: str | None
    full_name: str | None
    disabled: bool
    access_mode: str
    business_unit_id: str | None

    def to_result(self) -> dict[str, t.Any]:
        """The form in a module's result."""
        return dict(vars(self))


def from_row(row: Row) -> SystemUser:
    """A row as the Web API gives it."""
    return SystemUser(
        system_user_id=row["systemuserid"].lower(),
        user_principal_name=row.get("domainname"),
        object_id=_lower(row.get("azureactivedirectoryobjectid")),
        application_id=_lower(row.get("applicationid")),
        full_name=row.get("fullname"),
        disabled=bool(row.get("isdisabled")),
        access_mode=ACCESS_MODES.get(int(row.get("accessmode") or 0), "unknown"),
        business_unit_id=_lower(row.get("_businessunitid_value")),
    )


def find_system_user(dataverse: Dataverse, reference: str) -> SystemUser | None:
    """A user by object id or user principal name. A row that is being deleted does not count."""
    column = f"azureactivedirectoryobjectid eq {reference}" if is_guid(reference) else f"domainname eq {literal(reference)}"
    # Soft deletion came with version 9; older organisations do not know its column
    columns = _COLUMNS + (",deletedstate" if dataverse.api_version.startswith("v9") else "")
    rows = dataverse.rows(f"systemusers{query(select=columns, filter=column)}", doing=f"look for the user {reference} in the organisation", headers=STRONG)
    found = [from_row(row) for row in rows if not row.get("deletedstate")]
    return min(found, key=lambda user: user.disabled, default=None)


def read_application_rows(dataverse: Dataverse, application_id: str) -> tuple[list[SystemUser], list[SystemUser]]:
    """The rows of an application: the living, and the soft-deleted, which stand in the way of a new one."""
    columns = _COLUMNS + (",deletedstate" if dataverse.api_version.startswith("v9") else "")
    path = f"systemusers{query(select=columns, filter=f'applicationid eq {application_id}')}"
    rows = list(dataverse.rows(path, doing=f"look for the application {application_id} in the organisation", headers=STRONG))
    return [from_row(row) for row in rows if not row.get("deletedstate")], [from_row(row) for row in rows if row.get("deletedstate")]


def plan_sync(
    current: SystemUser | None,
    person: DirectoryUser,
    environment: Environment | None,
    role_reference: str | None,
) -> Plan:
    """How the person comes into the organisation; an enabled user that is there already needs nothing."""
    after = {"user_principal_name": person.user_principal_name, "enabled": True}
    if current is not None and not current.disabled:
        return Plan(after, after)
    before: dict[str, t.Any] = {} if current is None else {**after, "enabled": False}
    summary = f"bring {person.user_principal_name} into the organisation"
    object_id = "{object_id}" if person.object_id == PLANNED_ID else person.object_id
    if environment is not None:
        # The body is built late: a planned person has no object id yet
        write = Write("power_platform", "POST", add_user_path(environment.id), summary, body={"objectId": person.object_id})
    elif current is not None:
        # Without the admin API a row that is there is enabled directly; the service refuses that without a licence
        write = Write("dataverse", "PATCH", f"systemusers({current.system_user_id})", f"enable {person.user_principal_name}", {"isdisabled": False})
    elif role_reference is not None:
        path = f"systemusers(azureactivedirectoryobjectid={object_id})/systemuserroles_association/$ref"
        write = Write("dataverse", "POST", path, summary + ", by assigning the role that it is to hold", body={"@odata.id": role_reference})
    else:
        raise NotPossible(
            doing=summary,
            why="the automation's application may not use the Power Platform admin API, and no role was named that could bring the user in.",
            next_step="Register the application with New-PowerAppManagementApp once per tenant, or name a role in sync_role.",
        )
    return Plan(before, after, (write,))


def _lower(text: str | None) -> str | None:
    return text.lower() if text else None
