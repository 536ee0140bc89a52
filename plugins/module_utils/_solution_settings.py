# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections for connection references, and values for environment variables, by their names.

With an import they travel as its component parameters; without one they are written to their tables.

This file is private to the collection.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ._dataverse import Dataverse
from ._errors import InvalidOption, NotPossible
from ._odata import Row, any_of, literal, query
from ._plan import Json, Write
from ._rows import needed, needed_id
from ._solution_package import SolutionPackage
from ._solutions import FIRST_READ

NAMESPACE = "Microsoft.Dynamics.CRM"
VALUE_IDS = uuid.UUID("3d0c0b1e-6a53-4a0e-9a43-5a2f6b8f4c11")
"""The ids of new values are made from this and the id of what they are a value of."""


@dataclass(frozen=True)
class Connection:
    """Which connection a connection reference is to use."""

    logical_name: str
    connection_id: str
    connector_id: str = ""


@dataclass(frozen=True)
class Wanted:
    """What the user gives."""

    connections: tuple[Connection, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, connections: Iterable[Mapping[str, str]], variables: Mapping[str, object]) -> Wanted:
        """Read the options; raises InvalidOption for a name that is given twice."""
        given = tuple(Connection(item["logical_name"], item["connection_id"], item.get("connector_id") or "") for item in connections)
        names = [item.logical_name.lower() for item in given]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise InvalidOption(f"connection_references[{index}].logical_name", f"'{given[index].logical_name}' is there twice.")
        return cls(given, tuple((name, _text(value)) for name, value in variables.items()))

    def __bool__(self) -> bool:
        """Whether anything is given."""
        return bool(self.connections or self.variables)


@dataclass(frozen=True)
class Found:
    """What the organisation has, by name in lower case."""

    connections: Mapping[str, Row] = field(default_factory=dict)
    definitions: Mapping[str, Row] = field(default_factory=dict)
    values: Mapping[str, Row] = field(default_factory=dict)


@dataclass(frozen=True)
class SettingsPlan:
    """What is to be done about them."""

    parameters: tuple[Json, ...] = ()
    """For the import."""
    writes: tuple[Write, ...] = ()
    """For what no import brings."""
    before: Json = field(default_factory=dict)
    after: Json = field(default_factory=dict)


def names_of(package: SolutionPackage, wanted: Wanted) -> tuple[list[str], list[str]]:
    """All connection references and environment variables that matter."""
    references = [*(item.logical_name for item in package.connection_references), *(item.logical_name for item in wanted.connections)]
    connections = {name.lower(): name for name in references}
    variables = {name.lower(): name for name in (*(item.schema_name for item in package.environment_variables), *(name for name, _value in wanted.variables))}
    return list(connections.values()), list(variables.values())


def read_found(api: Dataverse, connections: list[str], variables: list[str]) -> Found:
    """What the organisation has of these."""
    columns = "connectionreferenceid,connectionreferencelogicalname,connectorid,connectionid"
    references = _rows(api, "connectionreferences", columns, "connectionreferencelogicalname", [literal(name) for name in connections])
    columns = "environmentvariabledefinitionid,schemaname,defaultvalue"
    definitions = _rows(api, "environmentvariabledefinitions", columns, "schemaname", [literal(name) for name in variables])
    by_id = {needed_id(row, "environmentvariabledefinitionid"): needed_id(row, "schemaname") for row in definitions}
    columns = "environmentvariablevalueid,value,_environmentvariabledefinitionid_value"
    values = _rows(api, "environmentvariablevalues", columns, "_environmentvariabledefinitionid_value", list(by_id))
    return Found(
        {needed_id(row, "connectionreferencelogicalname"): row for row in references},
        {needed_id(row, "schemaname"): row for row in definitions},
        {by_id[key]: row for row in values if (key := needed_id(row, "_environmentvariabledefinitionid_value")) in by_id},
    )


def plan_settings(package: SolutionPackage, wanted: Wanted, found: Found, *, importing: bool) -> SettingsPlan:
    """Parameters for what the import brings, writes for the rest that differs; raises NotPossible for a name that nothing has."""
    brought = {item.logical_name.lower(): item for item in package.connection_references}
    variables = {item.schema_name.lower() for item in package.environment_variables}
    parameters: list[Json] = []
    writes: list[Write] = []
    before: Json = {}
    after: Json = {}
    for connection in wanted.connections:
        key = connection.logical_name.lower()
        row = found.connections.get(key)
        if importing and key in brought:
            parameters.append(
                _connection_parameter(connection, connection.connector_id or brought[key].connector_id or str((row or {}).get("connectorid") or ""))
            )
        elif row is None:
            raise _unknown("connection reference", connection.logical_name, [item.logical_name for item in package.connection_references])
        elif str(row.get("connectionid") or "") != connection.connection_id:
            writes.append(_connection_write(connection, needed(row, "connectionreferenceid")))
            before.setdefault("connection_references", {})[connection.logical_name] = row.get("connectionid")
            after.setdefault("connection_references", {})[connection.logical_name] = connection.connection_id
    for name, value in wanted.variables:
        key = name.lower()
        there = found.values.get(key)
        if importing and key in variables:
            parameters.append(_variable_parameter(name, value, str((there or {}).get("environmentvariablevalueid") or "")))
        elif key not in found.definitions:
            raise _unknown("environment variable", name, [item.schema_name for item in package.environment_variables])
        elif there is None or str(there.get("value") or "") != value:
            writes.append(_variable_write(name, value, needed(found.definitions[key], "environmentvariabledefinitionid"), there))
            # Values can be confidential: the diff shows which variables change, not to what
            before.setdefault("environment_variables", {})[name] = "no value" if there is None else "another value"
            after.setdefault("environment_variables", {})[name] = "the given value"
    return SettingsPlan(tuple(parameters), tuple(writes), before, after)


def needs_values(package: SolutionPackage, wanted: Wanted, found: Found) -> Json:
    """The package's connection references and environment variables for which there is no value anywhere."""
    given = {item.logical_name.lower() for item in wanted.connections}
    valued = {name.lower() for name, _value in wanted.variables}
    return {
        "connection_references": [
            item.logical_name
            for item in package.connection_references
            if item.logical_name.lower() not in given and not found.connections.get(item.logical_name.lower(), {}).get("connectionid")
        ],
        "environment_variables": [
            item.schema_name
            for item in package.environment_variables
            if not item.has_value
            and item.schema_name.lower() not in valued
            and item.schema_name.lower() not in found.values
            and not found.definitions.get(item.schema_name.lower(), {}).get("defaultvalue")
        ],
    }


def _connection_parameter(connection: Connection, connector_id: str) -> Json:
    return {
        "@odata.type": f"{NAMESPACE}.connectionreference",
        "connectionreferencelogicalname": connection.logical_name,
        "connectionreferencedisplayname": "",
        "description": "",
        "connectorid": connector_id,
        "connectionid": connection.connection_id,
    }


def _variable_parameter(name: str, value: str, value_id: str) -> Json:
    return {
        "@odata.type": f"{NAMESPACE}.environmentvariablevalue",
        "schemaname": name,
        "value": value,
        **({"environmentvariablevalueid": value_id} if value_id else {}),
    }


def _connection_write(connection: Connection, reference_id: str) -> Write:
    body = {"connectionid": connection.connection_id, **({"connectorid": connection.connector_id} if connection.connector_id else {})}
    return Write("dataverse", "PATCH", f"connectionreferences({reference_id})", f"connect the connection reference {connection.logical_name}", body=body)


def _variable_write(name: str, value: str, definition_id: str, there: Row | None) -> Write:
    summary = f"set the environment variable {name}"
    if there is not None:
        return Write("dataverse", "PATCH", f"environmentvariablevalues({needed(there, 'environmentvariablevalueid')})", summary, body={"value": value})
    bind = {"EnvironmentVariableDefinitionId@odata.bind": f"/environmentvariabledefinitions({definition_id})"}
    # An id of our own, the same each time: so a request whose answer was lost can be sent again, and a second run at the same moment makes no second value
    value_id = uuid.uuid5(VALUE_IDS, definition_id.lower())
    return Write("dataverse", "PATCH", f"environmentvariablevalues({value_id})", summary, body={"value": value, **bind})


def _unknown(what: str, name: str, known: list[str]) -> NotPossible:
    listed = f"The package has {', '.join(sorted(known))}." if known else "The package has none."
    return NotPossible(
        doing=f"set the {what} {name}",
        why=f"neither the package nor the organisation has a {what} of that name. {listed}",
        next_step="Correct the name.",
    )


def _rows(api: Dataverse, table: str, columns: str, column: str, values: list[str]) -> list[Row]:
    found: list[Row] = []
    for first in range(0, len(values), FIRST_READ):
        path = table + query(select=columns, filter=any_of(column, values[first : first + FIRST_READ]))
        found += api.rows(path, doing=f"read the {table}")
    return found


def _text(value: object) -> str:
    """YAML makes numbers and booleans of what the service keeps as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)
