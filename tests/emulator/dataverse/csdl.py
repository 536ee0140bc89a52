# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``$metadata``: the tables that the emulator plays, as CSDL. Functions and actions are left out."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from ..wire import Response
from .context import Context
from .table import Table
from .tables import TABLES

_EDMX = "http://docs.oasis-open.org/odata/ns/edmx"
_EDM = "http://docs.oasis-open.org/odata/ns/edm"
_ALIAS = "mscrm"
ET.register_namespace("edmx", _EDMX)
ET.register_namespace("", _EDM)


def _add(parent: ET.Element, tag: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, f"{{{_EDM}}}{tag}", attributes)


def _entity_type(schema: ET.Element, table: Table) -> None:
    element = _add(schema, "EntityType", Name=table.logical, BaseType=f"{_ALIAS}.crmbaseentity")
    _add(_add(element, "Key"), "PropertyRef", Name=table.key)
    for name, edm in table.columns.items():
        kind = f"{_ALIAS}.{edm}" if edm == "BooleanManagedProperty" else f"Edm.{edm}"
        _add(element, "Property", Name=name, Type=kind)
    for navigation in table.navigations:
        target = f"{_ALIAS}.{navigation.table}"
        if navigation.many:
            _add(element, "NavigationProperty", Name=navigation.name, Type=f"Collection({target})")
            continue
        single = _add(element, "NavigationProperty", Name=navigation.name, Type=target)
        key = "ownerid" if navigation.table == "principal" else TABLES[navigation.table].key
        _add(single, "ReferentialConstraint", Property=navigation.lookup, ReferencedProperty=key)


def metadata_document(context: Context) -> Response:
    """Answer ``GET $metadata``."""
    root = ET.Element(f"{{{_EDMX}}}Edmx", Version="4.0")
    services = ET.SubElement(root, f"{{{_EDMX}}}DataServices")
    schema = _add(services, "Schema", Namespace="Microsoft.Dynamics.CRM", Alias=_ALIAS)
    _add(schema, "EntityType", Name="crmbaseentity", Abstract="true")
    principal = _add(schema, "EntityType", Name="principal", BaseType=f"{_ALIAS}.crmbaseentity")
    _add(_add(principal, "Key"), "PropertyRef", Name="ownerid")
    _add(principal, "Property", Name="ownerid", Type="Edm.Guid", Nullable="false")
    managed = _add(schema, "ComplexType", Name="BooleanManagedProperty")
    for name, kind in (("Value", "Edm.Boolean"), ("CanBeChanged", "Edm.Boolean"), ("ManagedPropertyLogicalName", "Edm.String")):
        _add(managed, "Property", Name=name, Type=kind)
    played = [table for table in TABLES.values() if context.org.has_table(table)]
    for table in played:
        _entity_type(schema, table)
    container = _add(schema, "EntityContainer", Name="System")
    for table in played:
        _add(container, "EntitySet", Name=table.entity_set, EntityType=f"Microsoft.Dynamics.CRM.{table.logical}")
    return Response(200, ET.tostring(root, encoding="utf-8", xml_declaration=True), {"content-type": "application/xml"})
