# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Privileges of a security role: which exist, how deep they may reach, which a role holds, and how to change that.

Every role carries a few privileges that the service never takes away, so "the declared ones are held" is the
only comparison that comes to an end.

This file is private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ._candidates import did_you_mean
from ._dataverse import Dataverse
from ._depth import Depth, parse_depth
from ._errors import InvalidOption, NotPossible, ServiceRefused
from ._odata import Row, any_of, literal, query
from ._rows import flag, listed, needed, needed_id, text

ACCESS: Mapping[str, str] = {
    "create": "Create",
    "read": "Read",
    "write": "Write",
    "delete": "Delete",
    "append": "Append",
    "append_to": "AppendTo",
    "assign": "Assign",
    "share": "Share",
}
"""The access rights of a table: option value and the metadata's ``PrivilegeType``."""

INHERITANCE: Mapping[str, int] = {"team_only": 0, "direct_user_and_team": 1}
"""The member's privilege inheritance: option value and the column ``isinherited``."""

_BASELINE = re.compile(r"prv(Create|Read|Write)SharePoint(Data|Document)", re.IGNORECASE)

_NAMES_PER_REQUEST = 50  # keeps the URL below what gateways accept


@dataclass(frozen=True)
class Privilege:
    """A privilege that exists in the organisation."""

    id: str
    name: str
    allowed: frozenset[Depth]


@dataclass(frozen=True)
class Held:
    """A privilege that a role has."""

    id: str
    name: str
    depth: Depth


@dataclass(frozen=True)
class Wanted:
    """A privilege that a role is to have. ``depth`` None: at no depth, that is not at all."""

    name: str
    depth: Depth | None
    option: str
    """Where the user wrote it, such as ``privileges[2]``."""


@dataclass(frozen=True)
class Change:
    """One wanted privilege against what the role holds."""

    name: str
    id: str
    before: Depth | None
    after: Depth | None

    @property
    def needed(self) -> bool:
        """Whether anything is to be done."""
        return self.before != self.after


def read_held(dataverse: Dataverse, role_id: str) -> list[Held]:
    """What a role holds. A row whose depth is none of the four (a record filter) counts as not held."""
    return list(_held(dataverse.role_privileges(role_id, doing="read the privileges of the role")))


def _held(rows: Iterable[Row]) -> Iterator[Held]:
    for row in rows:
        try:
            depth = parse_depth(needed(row, "Depth"))
        except ValueError:
            continue
        # Organisations on premises leave the name out
        yield Held(needed_id(row, "PrivilegeId"), text(row, "PrivilegeName") or "", depth)


def is_baseline(name: str) -> bool:
    """Whether a privilege belongs to every role, so that the service never takes it away."""
    return _BASELINE.fullmatch(name) is not None


def with_names(dataverse: Dataverse, held: Sequence[Held]) -> list[Held]:
    """What is held, with the names that an organisation on premises leaves out."""
    nameless = [item.id for item in held if not item.name]
    names = {item.id: item.name for item in _read_privileges(dataverse, "privilegeid", nameless)}
    return [replace(item, name=item.name or names.get(item.id, "")) for item in held]


def read_privileges(dataverse: Dataverse, names: Sequence[str]) -> list[Privilege]:
    """The privileges of these names that exist."""
    return _read_privileges(dataverse, "name", [literal(name) for name in names])


def _read_privileges(dataverse: Dataverse, column: str, values: Sequence[str]) -> list[Privilege]:
    columns = "privilegeid,name,canbebasic,canbelocal,canbedeep,canbeglobal"
    found: list[Privilege] = []
    for start in range(0, len(values), _NAMES_PER_REQUEST):
        condition = any_of(column, values[start : start + _NAMES_PER_REQUEST])
        path = "privileges" + query(select=columns, filter=condition)
        found += [privilege_from_row(row) for row in dataverse.rows(path, doing="look for the privileges")]
    return found


def privilege_from_row(row: Row) -> Privilege:
    """A row of the table ``privileges``, or an item of a table's metadata, whose members are in camel case."""
    allowed = frozenset(depth for depth in Depth if flag(row, f"canbe{depth.name.lower()}"))
    return Privilege(needed_id(row, "privilegeid"), needed(row, "name"), allowed)


def read_table_privileges(dataverse: Dataverse, table: str, option: str) -> dict[str, Privilege]:
    """The privileges of a table by access right."""
    path = f"EntityDefinitions(LogicalName={literal(table)})" + query(select="LogicalName,Privileges")
    try:
        definition = dataverse.find(path, doing=f"look for the table {table}")
    except ServiceRefused as error:
        # The code of an unknown name in metadata requests comes with 400 as well as with 404
        if error.code.lower() not in ("0x80041102", "0x80060888", "0x80040217"):
            raise
        definition = None
    if definition is None:
        raise InvalidOption(
            f"{option}.table",
            f"this organisation has no table with the logical name {table}. {did_you_mean(table, _table_names(dataverse))}",
            "Correct the name, or install the app that brings the table.",
        )
    rights = {service: word for word, service in ACCESS.items()}
    privileges = listed(definition, "Privileges")
    return {rights[kind]: privilege_from_row(row) for row in privileges if (kind := text(row, "PrivilegeType") or "") in rights}


def _table_names(dataverse: Dataverse) -> list[str]:
    return [needed(row, "LogicalName") for row in dataverse.rows("EntityDefinitions" + query(select="LogicalName"), doing="list the tables")]


def unknown_privilege(dataverse: Dataverse, wanted: Wanted) -> InvalidOption:
    """The error for a privilege that does not exist, with the names that look alike."""
    names = [needed(row, "name") for row in dataverse.rows("privileges" + query(select="name"), doing="list the names of the privileges")]
    return InvalidOption(
        f"{wanted.option}.name",
        f"this organisation has no privilege {wanted.name}. {did_you_mean(wanted.name, names)}",
        "Correct the name, or install the app that brings the privilege.",
    )


def refuse_contradictions(wanted: Iterable[Wanted]) -> None:
    """One privilege cannot have two depths."""
    first: dict[str, Wanted] = {}
    for item in wanted:
        other = first.setdefault(item.name.casefold(), item)
        if other.depth != item.depth:
            raise InvalidOption(
                f"{item.option}.depth",
                f"{item.name} is listed twice with different depths, {label(other.depth)} in {other.option} and {label(item.depth)} here.",
                "Keep one of them.",
            )


def refuse_depth(wanted: Wanted, privilege: Privilege) -> None:
    """Not every privilege can have every depth; the service's own refusal does not say which it allows."""
    if wanted.depth is None or wanted.depth in privilege.allowed:
        return
    allowed = ", ".join(depth.label for depth in sorted(privilege.allowed)) or "none"
    raise InvalidOption(
        f"{wanted.option}.depth",
        f"{privilege.name} cannot be held at the depth {wanted.depth.label}; it allows {allowed}.",
        "Choose an allowed depth.",
    )


def beyond(wanted: Iterable[Wanted], held: Iterable[Held]) -> list[Change]:
    """What is held and not wanted, but for what every role holds."""
    names = {item.name.casefold() for item in wanted}
    return [Change(item.name, item.id, item.depth, None) for item in held if item.name.casefold() not in names and not is_baseline(item.name)]


def compare(wanted: Iterable[Wanted], held: Iterable[Held], known: Iterable[Privilege], *, allow_lower: bool) -> list[Change]:
    """Each wanted privilege once, against what is held. ``known``: what was looked up so far."""
    by_name = {item.name.casefold(): item for item in held if item.name}
    by_id = {item.id: item for item in held if item.id}
    existing = {item.name.casefold(): item for item in known}
    changes: dict[str, Change] = {}
    for item in wanted:
        folded = item.name.casefold()
        exists = existing.get(folded)
        found = by_name.get(folded) or (by_id.get(exists.id) if exists else None)
        before = found.depth if found else None
        after = item.depth
        if before is not None and after is not None and before > after and not allow_lower:
            after = before
        name = exists.name if exists else found.name if found else item.name
        changes[folded] = Change(name, exists.id if exists else found.id if found else "", before, after)
    return list(changes.values())


def label(depth: Depth | None) -> str | None:
    """The depth as people know it."""
    return None if depth is None else depth.label


def not_customizable(role_name: str, *, system_administrator: bool, beyond_companion: Sequence[str] = ()) -> NotPossible:
    """The error for a role that the service will not change. ``beyond_companion``: what a companion, which was asked for, cannot do either."""
    if system_administrator:
        return NotPossible(
            doing=f"change the role {role_name}",
            why="System Administrator holds every privilege at the highest depth it allows, always, and cannot be modified.",
            next_step="Leave this role out, or name another.",
        )
    locked = "its solution has locked the role (the managed property iscustomizable is false), so nobody can change it in this organisation"
    if beyond_companion:
        return NotPossible(
            doing=f"change the role {role_name}",
            why=f"{locked}. A companion role can only add to it; it cannot {', or '.join(beyond_companion)}.",
            next_step="Leave that out, or name a role of your own in place of this one.",
        )
    return NotPossible(
        doing=f"change the role {role_name}",
        why=f"{locked}.",
        next_step=(
            "Set locked_role to companion (with the role lead_management: lead_management_locked_role). A companion, a role of your own to be assigned "
            "beside this one, then carries what is missing. What a locked role holds cannot be taken away or lowered."
        ),
    )
