# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connection references and environment variables: what a package and the parameters of its import make of their tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..store import Document
from .organization import Organization, empty_row

COMPONENT_TYPES: Mapping[str, int] = {"environmentvariabledefinition": 380, "environmentvariablevalue": 381, "connectionreference": 10021}
"""Numbers of the kinds of components; that of connection references differs between organisations."""


def apply_component_rows(org: Organization, package: Mapping[str, Any], solution: Document, caller_id: str) -> dict[str, str]:
    """Create or renew the rows that a package brings; their ids, with the name of their table."""
    parameters = package.get("parameters", [])
    found: dict[str, str] = {}
    for reference in package.get("connection_references", []):
        row = _connection_reference(org, reference, _given(parameters, "connectionreferencelogicalname", reference["name"]), solution, caller_id)
        found[row["connectionreferenceid"]] = "connectionreference"
    for variable in package.get("environment_variables", []):
        definition = _definition(org, variable, solution, caller_id)
        found[definition["environmentvariabledefinitionid"]] = "environmentvariabledefinition"
        given = _given(parameters, "schemaname", variable["name"])
        value = {"value": given["value"], "id": given.get("environmentvariablevalueid")} if "value" in given else variable["value"]
        if value is not None:
            set_value(org, definition, value["value"], caller_id, row_id=value["id"], overwrite="value" in given)
    return found


def _given(parameters: Iterable[Mapping[str, Any]], key: str, name: str) -> Mapping[str, Any]:
    return next((item for item in parameters if str(item.get(key, "")).lower() == name.lower()), {})


def unconnected(org: Organization, package: Mapping[str, Any]) -> list[str]:
    """List the package's connection references for which there is no connection, neither given nor known."""
    connected = {row["connectionreferencelogicalname"].lower() for row in org.rows("connectionreference") if row["connectionid"]}
    given = {str(item.get("connectionreferencelogicalname", "")).lower() for item in package.get("parameters", []) if item.get("connectionid")}
    return [item["name"] for item in package.get("connection_references", []) if item["name"].lower() not in connected | given]


def by_name(org: Organization, table: str, column: str, name: str) -> Document | None:
    """Find a row by its logical or schema name."""
    return next((row for row in org.rows(table) if str(row[column] or "").lower() == name.lower()), None)


def _connection_reference(org: Organization, wanted: Mapping[str, Any], given: Mapping[str, Any], solution: Document, caller_id: str) -> Document:
    current = by_name(org, "connectionreference", "connectionreferencelogicalname", wanted["name"])
    row = current or _new(org, "connectionreference", solution, caller_id, connectionreferencelogicalname=wanted["name"])
    values = {
        "connectionreferencedisplayname": given.get("connectionreferencedisplayname") or wanted["display_name"],
        "description": given.get("description") or wanted["description"] or None,
        "connectorid": given.get("connectorid") or wanted["connector"],
        "connectionid": given.get("connectionid") or row["connectionid"],
    }
    return org.put("connectionreference", {**row, **values})


def _definition(org: Organization, wanted: Mapping[str, Any], solution: Document, caller_id: str) -> Document:
    current = by_name(org, "environmentvariabledefinition", "schemaname", wanted["name"])
    row = current or _new(org, "environmentvariabledefinition", solution, caller_id, schemaname=wanted["name"])
    values = {"displayname": wanted["display_name"], "type": wanted["type"], "defaultvalue": wanted["default"], "isrequired": wanted["required"]}
    return org.put("environmentvariabledefinition", {**row, **values})


def set_value(org: Organization, definition: Document, value: str, caller_id: str, *, row_id: str | None = None, overwrite: bool = True) -> Document:
    """Give an environment variable a value; a value that is there already stays unless it is to be overwritten."""
    definition_id = definition["environmentvariabledefinitionid"]
    current = value_of(org, definition_id)
    if current is not None:
        return org.put("environmentvariablevalue", {**current, "value": value}) if overwrite else current
    row = _new(org, "environmentvariablevalue", None, caller_id, schemaname=definition["schemaname"])
    known = {} if row_id is None or org.row("environmentvariablevalue", row_id) else {"environmentvariablevalueid": row_id}
    return org.put("environmentvariablevalue", {**row, **known, "value": value, "_environmentvariabledefinitionid_value": definition_id})


def value_of(org: Organization, definition_id: str) -> Document | None:
    """Find the value of an environment variable."""
    return next((row for row in org.rows("environmentvariablevalue") if row["_environmentvariabledefinitionid_value"] == definition_id), None)


def _new(org: Organization, table: str, solution: Document | None, caller_id: str, **values: Any) -> Document:
    owner = org.row("systemuser", caller_id) or {}
    fixed = {
        f"{table}id": org.world.new_id(),
        "statecode": 0,
        "statuscode": 1,
        "componentstate": 0,
        "ismanaged": bool(solution and solution["ismanaged"]),
        "iscustomizable": {"Value": True, "CanBeChanged": True, "ManagedPropertyLogicalName": "iscustomizableanddeletable"},
        "solutionid": "fd140aae-4df4-11dd-bd17-0019b9312238" if solution is None else solution["solutionid"],
        "_ownerid_value": caller_id,
        "_owninguser_value": caller_id,
        "_owningbusinessunit_value": owner.get("_businessunitid_value"),
        "_createdby_value": caller_id,
        "_modifiedby_value": caller_id,
    }
    return empty_row(table, {**fixed, **values})


def remove_row(org: Organization, table: str, row_id: str) -> None:
    """Delete such a row; a definition takes its value along."""
    if org.row(table, row_id) is None:
        return
    value = value_of(org, row_id) if table == "environmentvariabledefinition" else None
    if value is not None:
        org.remove("environmentvariablevalue", value["environmentvariablevalueid"])
    org.remove(table, row_id)
