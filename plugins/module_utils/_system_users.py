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
from ._rows import flag, inner, lower, needed_id, number, text

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
    business_unit: str | None = None
    """The unit's name."""

    @property
    def is_stub(self) -> bool:
        """Whether the row stands for nobody: an import of data leaves such rows, and the service never enables them."""
        return self.disabled and not self.object_id and not self.application_id

    def to_result(self) -> dict[str, t.Any]:
        """The form in a module's result."""
        return dict(vars(self))


def from_row(row: Row) -> SystemUser:
    """A row as the Web API gives it."""
    return SystemUser(
        system_user_id=needed_id(row, "systemuserid"),
        user_principal_name=text(row, "domainname"),
        object_id=lower(row, "azureactivedirectoryobjectid"),
        application_id=lower(row, "applicationid"),
        full_name=text(row, "fullname"),
        disabled=flag(row, "isdisabled"),
        access_mode=ACCESS_MODES.get(number(row, "accessmode") or 0, "unknown"),
        business_unit_id=lower(row, "_businessunitid_value"),
        business_unit=text(inner(row, "businessunitid"), "name"),
    )


def find_system_user(dataverse: Dataverse, reference: str) -> SystemUser | None:
    """A user by object id or user principal name. A row that is being deleted does not count, nor does a stub of the same name."""
    column = f"azureactivedirectoryobjectid eq {reference}" if is_guid(reference) else f"domainname eq {literal(reference)}"
    living, _unused = _read(dataverse, column, doing=f"look for the user {reference} in the organisation")
    return min((user for user in living if not user.is_stub), key=lambda user: user.disabled, default=None)


def read_application_rows(dataverse: Dataverse, application_id: str) -> tuple[list[SystemUser], list[SystemUser]]:
    """The rows of an application: the living, and the soft-deleted, which stand in the way of a new one."""
    return _read(dataverse, f"applicationid eq {application_id}", doing=f"look for the application {application_id} in the organisation")


def _read(dataverse: Dataverse, condition: str, *, doing: str) -> tuple[list[SystemUser], list[SystemUser]]:
    """The living rows that fit a filter, and the soft-deleted."""
    # Soft deletion came with version 9; older organisations do not know its column
    columns = _COLUMNS + (",deletedstate" if dataverse.api_version.startswith("v9") else "")
    path = "systemusers" + query(select=columns, filter=condition, expand="businessunitid($select=name)")
    rows = list(dataverse.rows(path, doing=doing, headers=STRONG))
    return [from_row(row) for row in rows if not number(row, "deletedstate")], [from_row(row) for row in rows if number(row, "deletedstate")]


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
