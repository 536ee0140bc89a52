# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security roles: the root role, which can be edited, and its copies in the business units, which are assigned.

A role of the root business unit is copied into every unit below it. All copies have the root's name and point to
it; a name alone therefore says nothing of which copy is meant.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ._candidates import did_you_mean
from ._dataverse import STRONG, Dataverse
from ._depth import Depth, parse_depth
from ._errors import InvalidOption, NotPossible
from ._odata import Row, any_of, is_guid, literal, query
from ._rows import flag, lower, needed, needed_id, number

_COLUMNS = "roleid,name,_businessunitid_value,_parentrootroleid_value,_roletemplateid_value,ismanaged,iscustomizable,isinherited"
COPY_COLUMNS = "roleid,name,_businessunitid_value,_parentrootroleid_value"
_SYSTEM_ADMINISTRATOR = "627090ff-40a3-4053-8790-584edc5be201"
"""The template that every organisation's role System Administrator is made from."""


@dataclass(frozen=True)
class RoleRow:
    """A root role, as one edits it."""

    id: str
    name: str
    business_unit_id: str | None
    root_id: str
    managed: bool
    customizable: bool
    inheritance: int
    """``isinherited``: 0 gives a team's members what the team owns only, 1 gives them the access as their own."""
    template_id: str = ""

    @property
    def is_system_administrator(self) -> bool:
        """Whether this is the role that always holds everything."""
        return self.template_id == _SYSTEM_ADMINISTRATOR

    def to_result(self) -> dict[str, t.Any]:
        """The form in a module's result."""
        return {
            "id": self.id,
            "name": self.name,
            "business_unit_id": self.business_unit_id,
            "managed": self.managed,
            "customizable": self.customizable,
        }


@dataclass(frozen=True)
class RoleCopy:
    """A role in one business unit, as one assigns it. A root is its own copy."""

    id: str
    name: str
    business_unit_id: str
    root_id: str


@dataclass(frozen=True)
class PlannedRole:
    """A role that an earlier task would bring, in check mode."""

    name: str
    id: str
    """The id in the package, which is the id in the root business unit; ``""`` if it is not known."""
    privileges: Mapping[str, Depth]
    customizable: bool | None = None
    """Whether it may be changed once it is there; None if the package does not say."""


AnyRole = t.TypeVar("AnyRole", RoleRow, RoleCopy)


def role_from_row(row: Row) -> RoleRow:
    """A row as the Web API gives it."""
    return RoleRow(
        id=needed_id(row, "roleid"),
        name=needed(row, "name"),
        business_unit_id=lower(row, "_businessunitid_value"),
        root_id=_root_id(row),
        managed=flag(row, "ismanaged"),
        customizable=flag(row, "iscustomizable", default=True),
        inheritance=number(row, "isinherited") or 0,
        template_id=lower(row, "_roletemplateid_value") or "",
    )


def copy_from_row(row: Row) -> RoleCopy:
    """A row as the Web API gives it, with ``COPY_COLUMNS``."""
    return RoleCopy(needed_id(row, "roleid"), needed(row, "name"), lower(row, "_businessunitid_value") or "", _root_id(row))


def read_root_role(dataverse: Dataverse, reference: str) -> RoleRow | None:
    """The root role of a name, or of the id of the root or any copy."""
    doing = f"look for the role {reference}"
    if not is_guid(reference):
        found = read_role_rows(dataverse, f"name eq {literal(reference)} and _parentroleid_value eq null", doing)
    else:
        found = read_role_rows(dataverse, f"roleid eq {reference.lower()}", doing)
        if found and found[0].root_id != found[0].id:
            found = read_role_rows(dataverse, f"roleid eq {found[0].root_id}", doing)
    return the_one(found, reference)


def read_copies(dataverse: Dataverse, references: Sequence[str], unit_ids: Sequence[str], *, roots: bool) -> list[RoleCopy]:
    """The copies of the referred roles in the units; with ``roots`` also the roots. A role that is referred to by id is among them in any case."""
    ids = [reference.lower() for reference in references if is_guid(reference)]
    names = [literal(reference) for reference in references if not is_guid(reference)]
    places = " or ".join([any_of("_businessunitid_value", unit_ids)] * bool(unit_ids) + ["_parentroleid_value eq null"] * roots)
    roles = " or ".join([any_of("name", names)] * bool(names) + [any_of("_parentrootroleid_value", ids)] * bool(ids))
    wanted = f"({roles}) and ({places})" + (f" or {any_of('roleid', ids)}" if ids else "")
    return read_copies_where(dataverse, wanted)


def read_copies_where(dataverse: Dataverse, condition: str) -> list[RoleCopy]:
    """The role rows that fit a filter."""
    path = "roles" + query(select=COPY_COLUMNS, filter=condition)
    return [copy_from_row(row) for row in dataverse.rows(path, doing="look for the roles", headers=STRONG)]


def role_missing(dataverse: Dataverse, reference: str, *, doing: str) -> NotPossible:
    """The error for a role that does not exist, with the names that look alike."""
    path = "roles" + query(select="name", filter="_parentroleid_value eq null")
    names = [needed(row, "name") for row in dataverse.rows(path, doing="list the names of the roles")]
    return NotPossible(
        doing=doing,
        why=f"this organisation has no role with the {'id' if is_guid(reference) else 'name'} {reference}. {did_you_mean(reference, names)}",
        next_step="Correct the role, or import the solution that brings it first (crm_solution does).",
    )


def the_one(found: Sequence[AnyRole], reference: str) -> AnyRole | None:
    """The only row, or the only one that is written exactly so; the service compares names without regard to case."""
    if len(found) > 1:
        exact = [role for role in found if role.name == reference]
        found = exact or found
    if len(found) > 1:
        listed = "; ".join(f"{role.id} (business unit {role.business_unit_id})" for role in sorted(found, key=lambda role: role.id))
        raise NotPossible(
            doing=f"choose the role {reference}",
            why=f"{len(found)} roles have this name: {listed}.",
            next_step="Give the id of the one that you mean.",
        )
    return found[0] if found else None


def planned_roles(options: Iterable[Mapping[str, t.Any]]) -> list[PlannedRole]:
    """Read the option ``planned_roles``."""
    found = []
    for index, option in enumerate(options):
        if not option.get("name"):
            raise InvalidOption(f"planned_roles[{index}].name", "is missing.", "Pass on what crm_solution returns in roles.")
        try:
            privileges = {str(item["name"]): parse_depth(item["depth"]) for item in option.get("privileges") or []}
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidOption(f"planned_roles[{index}].privileges", f"is not a list of name and depth ({error}).") from error
        customizable = option.get("customizable")
        if customizable not in (True, False, None):
            raise InvalidOption(f"planned_roles[{index}].customizable", f"is neither true nor false ({customizable}).")
        found.append(PlannedRole(str(option["name"]), _lower(option.get("id")), privileges, customizable))
    return found


def find_planned(planned: Iterable[PlannedRole], reference: str) -> PlannedRole | None:
    """The planned role of a name or id."""
    wanted = reference.casefold()
    return next((role for role in planned if wanted in (role.name.casefold(), role.id)), None)


def read_role_rows(dataverse: Dataverse, condition: str, doing: str) -> list[RoleRow]:
    """The roles that fit a filter, as one edits them."""
    path = "roles" + query(select=_COLUMNS, filter=condition)
    return [role_from_row(row) for row in dataverse.rows(path, doing=doing, headers=STRONG)]


def _root_id(row: Row) -> str:
    return lower(row, "_parentrootroleid_value") or needed_id(row, "roleid")


def _lower(text: str | None) -> str:
    return str(text).lower() if text else ""
