# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``EntityDefinitions(…)/Attributes``: the columns of the tables that the emulator plays, choices with their options."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

from .. import odata
from ..wire import Response
from .choices import choices
from .context import Context
from .errors import bad_query, fault, no_such_property, no_such_segment
from .present import JSON_TYPE
from .resource import Segment, is_guid, parse_arguments, parse_literal
from .table import Table, logical_name

_NAMESPACE = uuid.UUID("c0ad4fb4-7f61-4a0e-9a53-6b9a27fe1d02")
_CAST = re.compile(r"Microsoft\.Dynamics\.CRM\.(\w+)AttributeMetadata")
_WITH_OPTIONS = frozenset({"Picklist", "State", "Status"})

# What the Web API's type of a column does not tell.
_MEMOS = frozenset(
    "address1_composite address2_composite businesscard data friendlymessage message rootexecutioncontext upgradeinfo qualificationcomments".split()
)
_MONEY = frozenset("budgetamount budgetamount_base estimatedamount estimatedamount_base revenue revenue_base".split())
_BY_EDM = {
    "Int32": "Integer",
    "Int64": "BigInt",
    "DateTimeOffset": "DateTime",
    "Date": "DateTime",
    "Guid": "Uniqueidentifier",
    "Binary": "Virtual",
    "BooleanManagedProperty": "ManagedProperty",
}
_CLASSES = {"Virtual": "Image", "Uniqueidentifier": "UniqueIdentifier", "Customer": "Lookup", "Owner": "Lookup"}


def _attribute_type(table: Table, column: str) -> str:
    name, edm = logical_name(column), table.columns[column]
    if column.startswith("_"):
        return {"ownerid": "Owner", "customerid": "Customer"}.get(name, "Lookup")
    if edm == "Int32" and choices(table.logical, name):
        return {"statecode": "State", "statuscode": "Status"}.get(name, "Picklist")
    if name in _MEMOS or (table.logical, name) == ("lead", "description"):
        return "Memo"
    return "Money" if name in _MONEY else _BY_EDM.get(edm, edm)


def attribute_rows(table: Table) -> list[dict[str, Any]]:
    """Show every column of a table."""
    rows = []
    for column in sorted(table.columns, key=logical_name):
        name, kind = logical_name(column), _attribute_type(table, column)
        rows.append(
            {
                "@odata.type": f"#Microsoft.Dynamics.CRM.{_CLASSES.get(kind, kind)}AttributeMetadata",
                "MetadataId": str(uuid.uuid5(_NAMESPACE, f"{table.logical}.{name}")),
                "LogicalName": name,
                "EntityLogicalName": table.logical,
                "AttributeType": kind,
                "IsPrimaryId": name == table.key,
                "IsPrimaryName": name == table.primary_name,
            }
        )
    return rows


def _label(text: str) -> dict[str, Any]:
    shown = {"Label": text, "LanguageCode": 1033, "IsManaged": True, "MetadataId": str(uuid.uuid5(_NAMESPACE, text)), "HasChanged": None}
    return {"LocalizedLabels": [shown] if text else [], "UserLocalizedLabel": shown if text else None}


def _option_set(table: Table, row: dict[str, Any], query: odata.Query) -> dict[str, Any]:
    options = [{"Value": value, "Label": _label(text)} for value, text in choices(table.logical, row["LogicalName"]).items()]
    whole = {"MetadataId": str(uuid.uuid5(_NAMESPACE, row["MetadataId"])), "IsGlobal": False, "OptionSetType": row["AttributeType"], "Options": options}
    return _chosen(whole, query, lambda name: no_such_property(name, "OptionSetMetadata"))


def _chosen(row: dict[str, Any], query: odata.Query, unknown: Callable[[str], Exception]) -> dict[str, Any]:
    for name in query.select:
        if name not in row:
            raise unknown(name)
    if not query.select:
        return row
    kept: dict[str, Any] = {name: row[name] for name in ("@odata.type", "MetadataId") if name in row}
    return {**kept, **{name: row[name] for name in query.select}}


def attributes(context: Context, table: Table, segments: list[Segment]) -> Response:
    """Answer ``…/Attributes``, one of them, and the casts to one kind of column."""
    first, rest = segments[0], segments[1:]
    cast = _CAST.fullmatch(rest[0].name) if rest else None
    if rest and (cast is None or rest[0].arguments is not None):
        raise no_such_segment(rest[0].name)
    if len(rest) > 1:
        raise context.not_emulated()
    query = odata.parse_query(context.query)
    rows = attribute_rows(table)
    if cast is not None:
        rows = [row for row in rows if row["@odata.type"] == f"#{cast[0]}"]
    if query.expand and (cast is None or cast[1] not in _WITH_OPTIONS or [item.name for item in query.expand] != ["OptionSet"]):
        raise context.not_emulated("$expand on Attributes other than the OptionSet of choices")

    def shown(row: dict[str, Any]) -> dict[str, Any]:
        # A column has many more properties, and the emulator does not know them.
        chosen = _chosen(row, query, lambda name: context.not_emulated(f"the property {name} of columns"))
        return {**chosen, **{item.name: _option_set(table, row, item.query) for item in query.expand}}

    address = f"{context.api}/$metadata#EntityDefinitions('{table.logical}')/Attributes{f'/{cast[0]}' if cast else ''}"
    if first.arguments is not None:
        row = _one(rows, first.arguments)
        return Response.of_json(200, {"@odata.context": f"{address}/$entity", **shown(row)}, JSON_TYPE)
    if query.filter is not None:
        try:
            rows = [row for row in rows if odata.matches(query.filter, row)]
        except odata.UnknownPropertyError as problem:
            raise context.not_emulated(f"the property {problem.name} of columns") from problem
    return Response.of_json(200, {"@odata.context": address, "value": [shown(row) for row in rows]}, JSON_TYPE)


def _one(rows: list[dict[str, Any]], arguments: str) -> dict[str, Any]:
    key = {"MetadataId": arguments.lower()} if is_guid(arguments) else {name: parse_literal(value) for name, value in parse_arguments(arguments).items()}
    if set(key) not in ({"MetadataId"}, {"LogicalName"}):
        raise bad_query("Bad Request - Error in query syntax.")
    ((name, value),) = key.items()
    found = next((row for row in rows if row[name] == value), None)
    if found is None:
        raise fault(404, "0x80060888", f"Could not find an attribute with specified name: '{value}'.")
    return found


def keys(context: Context, table: Table) -> Response:
    """Answer ``…/Keys``: the alternate keys."""
    rows = [
        {
            "MetadataId": str(uuid.uuid5(_NAMESPACE, f"{table.logical}/{'/'.join(columns)}")),
            "LogicalName": "_".join(columns),
            "SchemaName": "_".join(columns),
            "EntityLogicalName": table.logical,
            "KeyAttributes": list(columns),
            "EntityKeyIndexStatus": "Active",
        }
        for columns in table.alternate_keys
    ]
    return Response.of_json(200, {"@odata.context": f"{context.api}/$metadata#EntityDefinitions('{table.logical}')/Keys", "value": rows}, JSON_TYPE)
