# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security roles to look at: found by names, patterns and ids, with what they give and who holds them.

This file is private to the collection.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Mapping, Sequence

from ._dataverse import STRONG, Dataverse
from ._depth import Depth
from ._odata import Row, any_of, is_guid, literal, query
from ._privileges import INHERITANCE, read_held, with_names
from ._roles import RoleRow, read_role_rows
from ._rows import flag, lower, needed, needed_id, number, text


def is_pattern(reference: str) -> bool:
    """Whether a reference is to be compared here and not by the service."""
    return "*" in reference or "?" in reference


def fits(role: RoleRow, reference: str) -> bool:
    """Whether a reference means a role."""
    if is_guid(reference):
        return reference.lower() in (role.id, role.root_id)
    if role.name.casefold() == reference.casefold():
        return True
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", reference.casefold()))
    return is_pattern(reference) and re.fullmatch("".join(parts), role.name.casefold(), re.DOTALL) is not None


def find_roles(dataverse: Dataverse, references: Sequence[str], unit_id: str | None) -> list[RoleRow]:
    """The roles that any reference means, in one request: the originals, or the copies in a business unit. A role meant by its own id is always among them."""
    rows = read_role_rows(dataverse, _condition(references, unit_id), doing="list the roles")
    found = {role.id: role for role in rows if not references or any(fits(role, reference) for reference in references)}
    return sorted(found.values(), key=lambda role: (role.name.casefold(), role.id))


def _condition(references: Sequence[str], unit_id: str | None) -> str:
    place = f"_businessunitid_value eq {unit_id}" if unit_id else "_parentroleid_value eq null"
    ids = [reference.lower() for reference in references if is_guid(reference)]
    names = [literal(reference) for reference in references if not is_guid(reference)]
    own = f" or {any_of('roleid', ids)}" if ids else ""
    if not references or any(is_pattern(reference) for reference in references):
        return f"({place}){own}" if own else place
    roles = " or ".join([any_of("name", names)] * bool(names) + [any_of("_parentrootroleid_value", ids)] * bool(ids))
    return f"({roles}) and {place}{own}"


def read_unit_names(dataverse: Dataverse) -> dict[str, str]:
    """The names of the business units."""
    rows = dataverse.rows("businessunits" + query(select="businessunitid,name"), doing="list the business units")
    return {needed_id(row, "businessunitid"): needed(row, "name") for row in rows}


def told_role(role: RoleRow, units: Mapping[str, str]) -> dict[str, t.Any]:
    """The form in a module's result."""
    words = {number: word for word, number in INHERITANCE.items()}
    return {
        **role.to_result(),
        "business_unit": units.get(role.business_unit_id or ""),
        "root_id": role.root_id,
        "is_root": role.id == role.root_id,
        "member_privilege_inheritance": words.get(role.inheritance),
        "role_template_id": role.template_id or None,
    }


def told_privileges(dataverse: Dataverse, role: RoleRow) -> list[dict[str, t.Any]]:
    """What a role gives."""
    held = with_names(dataverse, read_held(dataverse, role.id))
    return [{"name": item.name, "id": item.id, "depth": Depth(item.depth).label} for item in sorted(held, key=lambda item: item.name)]


def read_holding(dataverse: Dataverse, role: RoleRow) -> dict[str, list[dict[str, t.Any]]]:
    """The users and teams that hold a role; of an original, those who hold any copy."""
    which = f"_parentrootroleid_value eq {role.root_id}" if role.id == role.root_id else f"roleid eq {role.id}"
    # Soft deletion came with version 9; older organisations do not know its column
    deleted = ",deletedstate" if dataverse.api_version.startswith("v9") else ""
    columns = f"systemuserid,domainname,applicationid,isdisabled,_businessunitid_value{deleted}"
    users = _holding(dataverse, "systemusers", columns, f"systemuserroles_association/any(r:r/{which})")
    teams = _holding(dataverse, "teams", "teamid,name,_businessunitid_value", f"teamroles_association/any(r:r/{which})")
    return {
        "users": [
            {
                "system_user_id": needed_id(row, "systemuserid"),
                "user_principal_name": text(row, "domainname"),
                "application_id": lower(row, "applicationid"),
                "disabled": flag(row, "isdisabled"),
                "business_unit_id": lower(row, "_businessunitid_value"),
            }
            for row in users
            if not number(row, "deletedstate")
        ],
        "teams": [{"team_id": needed_id(row, "teamid"), "name": needed(row, "name"), "business_unit_id": lower(row, "_businessunitid_value")} for row in teams],
    }


def _holding(dataverse: Dataverse, table: str, columns: str, condition: str) -> Iterable[Row]:
    return dataverse.rows(table + query(select=columns, filter=condition), doing="read who holds the role", headers=STRONG)
