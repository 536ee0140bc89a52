# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creating, changing and deleting rows."""

from __future__ import annotations

import re
from typing import Any

from .. import odata
from ..store import Document
from ..wire import Response
from . import principals, role_rows
from .component_rows import by_name, remove_row, value_of
from .context import Context
from .errors import bad_payload, bad_query, duplicate_row, fault, no_such_row, wrong_verb
from .organization import empty_row
from .present import JSON_TYPE, single_response
from .resource import id_in_address, is_guid
from .rows import row_of
from .security import Access
from .solution_jobs import cancel
from .solution_maintenance import delete_solution
from .solutions import publisher_row, solution_row
from .table import Navigation, Table
from .tables import TABLES

_NEVER_WRITTEN = frozenset(
    "createdon modifiedon versionnumber organizationid ismanaged componentstate overwritetime roleidunique fullname yomifullname "
    "iscustomizable canbedeleted islicensed deletedstate azurestate ownerid installedon updatedon isapimanaged".split()
)
_TYPES: dict[str, tuple[type, ...]] = {
    "String": (str,),
    "Guid": (str,),
    "DateTimeOffset": (str,),
    "Date": (str,),
    "Int32": (int,),
    "Int64": (int,),
    "Boolean": (bool,),
    "Double": (int, float),
    "Decimal": (int, float),
    "Binary": (str,),
    "BooleanManagedProperty": (dict,),
}


def read_values(context: Context, table: Table, body: dict[str, Any]) -> Document:
    """Take the columns out of a body, lookups by ``@odata.bind`` included."""
    values: Document = {}
    for name, value in body.items():
        if name.endswith("@odata.bind"):
            navigation = table.navigation(name.removesuffix("@odata.bind"))
            if navigation is None or navigation.many:
                raise _unknown(table, name.removesuffix("@odata.bind"))
            values[navigation.lookup] = _bound_id(context, navigation, value)
        elif "@" in name:
            continue
        elif name in table.columns:
            if name.startswith("_") and name.endswith("_value"):
                raise bad_query("CRM do not support direct update of Entity Reference properties, Use Navigation properties instead.")
            _check_value(table, name, value)
            if name not in _NEVER_WRITTEN:
                values[name] = value
        elif table.navigation(name) is not None:
            raise context.not_emulated(f"related rows inside the body ({name})")
        else:
            raise _unknown(table, name)
    return values


def _unknown(table: Table, name: str) -> Exception:
    text = f"The property '{name}' does not exist on type 'Microsoft.Dynamics.CRM.{table.logical}'."
    return bad_payload(table.entity_set, f"{text} Make sure to only use property names that are defined by the type.")


def _check_value(table: Table, name: str, value: Any) -> None:
    if value is None:
        return
    edm = table.columns[name]
    flag_as_number = isinstance(value, bool) and edm != "Boolean"
    if flag_as_number or not isinstance(value, _TYPES[edm]) or (edm == "Guid" and not is_guid(str(value))):
        raise bad_payload(table.entity_set, f"Cannot convert the literal '{value}' to the expected type 'Edm.{edm}'.")
    limit = table.lengths.get(name)
    if limit is not None and isinstance(value, str) and len(value) > limit:
        text = f"The length of the '{name}' attribute of the '{table.logical}' entity exceeded the maximum allowed length of '{limit}'."
        raise fault(400, "0x80044331", f"A validation error occurred.  {text}")


def resolve_reference(context: Context, address: Any) -> str | None:
    """Put the address of a row made earlier in the change set in place of ``$1``."""
    if isinstance(address, str) and re.fullmatch(r"/?\$\w+", address):
        return context.references.get(address.lstrip("/$"))
    return address if isinstance(address, str) else None


def _bound_id(context: Context, navigation: Navigation, value: Any) -> str | None:
    if value is None:
        return None
    address = resolve_reference(context, value)
    row_id = id_in_address(address)
    if address is None or row_id is None:
        raise bad_payload(navigation.table, f"The value '{value}' of {navigation.name}@odata.bind is not the address of a row.")
    names = ("systemuser", "team") if navigation.table == "principal" else (navigation.table,)
    table = next((TABLES[name] for name in names if f"{TABLES[name].entity_set}(" in address), None)
    if table is None:
        raise bad_payload(navigation.table, f"A resource of another type than '{navigation.table}' was bound to {navigation.name}.")
    if row_of(context.org, table, row_id) is None:
        raise no_such_row(table.logical, row_id)
    return row_id


def create(context: Context, table: Table, body: dict[str, Any], key: Document | None = None) -> Document:
    """Create a row from a body; ``key`` holds the key columns of an upsert's address."""
    if not table.writable:
        raise wrong_verb("POST", table.entity_set)
    values = {**read_values(context, table, body), **(key or {})}
    row_id = values.get(table.key)
    if row_id is not None and context.org.row(table.logical, row_id) is not None:
        raise duplicate_row()
    match table.logical:
        case "role":
            return role_rows.create(context, values)
        case "systemuser":
            return principals.create_user(context, values)
        case "team":
            return principals.create_team(context, values)
        case "businessunit":
            return principals.create_unit(context, values)
        case "publisher" | "solution":
            return _create_component(context, table, values)
        case "lead" | "account" | "contact":
            return _create_owned(context, table, values)
        case "connectionreference" | "environmentvariabledefinition" | "environmentvariablevalue":
            return _create_owned(context, table, _component_values(context, table, values))
    raise context.not_emulated()


def _create_component(context: Context, table: Table, values: Document) -> Document:
    context.access.require(f"prvCreate{table.stem}")
    name = values.get("uniquename")
    if not name or not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise fault(400, "0x8004f002", "Invalid character specified for solution unique name.")
    if any(row["uniquename"].lower() == name.lower() for row in context.org.rows(table.logical)):
        raise fault(400, "0x8004f023", f"The solution unique name '{name}' is already being used and cannot be used again.")
    audit = {"_createdby_value": context.access.user_id, "_modifiedby_value": context.access.user_id}
    if table.logical == "publisher":
        return context.org.put("publisher", publisher_row(context.org, **values, **audit))
    if values.get("_publisherid_value") is None:
        raise bad_payload("solutions", "The property 'publisherid' is required.")
    return context.org.put("solution", solution_row(context.org, **{"version": "1.0", "ismanaged": False, **values, **audit}))


def _create_owned(context: Context, table: Table, values: Document) -> Document:
    org, access = context.org, context.access
    access.require(f"prvCreate{table.stem}")
    owner_id = values.pop("_ownerid_value", None) or access.user_id
    owner = org.row("systemuser", owner_id)
    team = org.row("team", owner_id) if owner is None else None
    unit = (owner or team or {}).get("_businessunitid_value")
    fixed = {
        table.key: org.world.new_id(),
        "statecode": 0,
        "statuscode": 1,
        "_ownerid_value": owner_id,
        "_owninguser_value": None if owner is None else owner_id,
        "_owningteam_value": None if team is None else owner_id,
        "_owningbusinessunit_value": unit,
        "_createdby_value": access.user_id,
        "_modifiedby_value": access.user_id,
    }
    row = _with_full_name(empty_row(table.logical, {**fixed, **{name: value for name, value in values.items() if name != table.key or value}}))
    access.require_on(table, "Create", row)
    if owner_id != access.user_id:
        access.require(f"prvAssign{table.stem}")
    if owner is not None and not Access(org, owner).holds(f"prvRead{table.stem}"):
        text = f"The target principal (id={owner_id}, type=8) does not have the prvRead{table.stem} privilege that owning the row takes."
        raise fault(403, "0x80040299", text)
    return org.put(table.logical, row)


def _component_values(context: Context, table: Table, values: Document) -> Document:
    """Complete a connection reference or (the value of) an environment variable, or refuse a second one of the same name."""
    org, fixed = context.org, {"ismanaged": False, "componentstate": 0, "solutionid": "fd140aae-4df4-11dd-bd17-0019b9312238"}
    column = {"connectionreference": "connectionreferencelogicalname", "environmentvariabledefinition": "schemaname"}.get(table.logical)
    if column is not None:
        if not values.get(column):
            raise bad_payload(table.entity_set, f"The property '{column}' is required.")
        if by_name(org, table.logical, column, str(values[column])) is not None:
            raise duplicate_row()
        return {**fixed, **values}
    definition = org.row("environmentvariabledefinition", values.get("_environmentvariabledefinitionid_value"))
    if definition is None:
        raise bad_payload(table.entity_set, "The property 'EnvironmentVariableDefinitionId' is required.")
    if value_of(org, definition["environmentvariabledefinitionid"]) is not None:
        raise duplicate_row()
    return {**fixed, "schemaname": definition["schemaname"], **values}


def _with_full_name(row: Document) -> Document:
    if "lastname" not in row:
        return row
    return {**row, "fullname": " ".join(part for part in (row.get("firstname"), row.get("lastname")) if part) or None}


def update(context: Context, table: Table, row: Document, body: dict[str, Any]) -> Document:
    """Change a row."""
    if not table.writable:
        raise wrong_verb("PATCH", table.entity_set)
    values = read_values(context, table, body)
    if values.get(table.key, row[table.key]) != row[table.key]:
        raise bad_query(f"The key '{table.key}' in the body is not the one in the address.")
    match table.logical:
        case "role":
            return role_rows.update(context, row, values)
        case "systemuser":
            return principals.update_user(context, row, values)
        case "asyncoperation":
            return _cancel(context, table, row, values)
        case "solution" if row["ismanaged"]:
            raise fault(400, "0x8004f024", f"Cannot update solution '{row['uniquename']}' because it is a managed solution.")
        case "lead" | "account" | "contact" if "_ownerid_value" in values:
            raise context.not_emulated("changing the owner")
        case "lead" | "account" | "contact" | "team" | "publisher" | "solution" | "connectionreference":
            context.access.require_on(table, "Write", row)
            return context.org.put(table.logical, _with_full_name({**row, **values, "_modifiedby_value": context.access.user_id}))
        case "environmentvariabledefinition" | "environmentvariablevalue":
            context.access.require_on(table, "Write", row)
            return context.org.put(table.logical, _with_full_name({**row, **values, "_modifiedby_value": context.access.user_id}))
    raise context.not_emulated()


def _cancel(context: Context, table: Table, row: Document, values: Document) -> Document:
    """A job can be cancelled; other changes are not played."""
    context.access.require_on(table, "Write", row)
    if {name: value for name, value in values.items() if name != table.key} != {"statecode": 3, "statuscode": 32} or row["statecode"] == 3:
        raise context.not_emulated("a change of a system job other than cancelling a running one")
    return cancel(context.org, row)


def delete(context: Context, table: Table, row: Document) -> Response:
    """Delete a row."""
    if not table.writable:
        raise wrong_verb("DELETE", table.entity_set)
    match table.logical:
        case "role":
            role_rows.delete(context, row)
        case "systemuser":
            principals.delete_user(context, row)
        case "solution":
            return delete_solution(context, row)
        case "asyncoperation" if row["statecode"] != 3:
            raise fault(400, "0x80040339", "A running system job cannot be deleted.")
        case "connectionreference" | "environmentvariabledefinition" if row["ismanaged"]:
            text = f"The 'Delete' operation on the current component(name='{table.logical}', id='{row[table.key]}') failed during managed property evaluation."
            raise fault(400, "0x8004f032", text)
        case "lead" | "account" | "contact" | "asyncoperation" | "importjob" | "stagesolutionupload" | "environmentvariablevalue":
            context.access.require_on(table, "Delete", row)
            context.org.remove(table.logical, row[table.key])
        case "connectionreference" | "environmentvariabledefinition":
            context.access.require_on(table, "Delete", row)
            remove_row(context.org, table.logical, row[table.key])
        case _unused:
            raise context.not_emulated()
    return Response(204)


def saved_response(context: Context, table: Table, row: Document, *, created: bool) -> Response:
    """Answer a POST or PATCH that went well: the row if it was asked for, its address otherwise."""
    address = f"{context.api}/{table.entity_set}({row[table.key]})"
    if not context.prefer.representation:
        return Response(204, b"", {"odata-entityid": address, **({"location": address} if created else {})})
    query = odata.parse_query(context.query)
    response = single_response(context, table, row, query, 201 if created else 200)
    response.headers.update({"content-type": JSON_TYPE, "odata-entityid": address, **({"location": address} if created else {})})
    return response
