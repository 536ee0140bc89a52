# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``EntityDefinitions``: the part of the metadata that clients ask for."""

from __future__ import annotations

import re
import uuid
from typing import Any

from .. import odata
from ..wire import Response
from .attributes import attributes, keys
from .context import Context
from .errors import bad_query, fault, no_such_property, no_such_segment, wrong_verb
from .organization import Organization
from .present import JSON_TYPE
from .privileges import Entity
from .resource import Segment, is_guid, parse_arguments, parse_literal
from .tables import TABLES

_NAMESPACE = uuid.UUID("f3b2a6de-6c0b-4d5e-8d7c-1d0f6a2b9c01")
_SUBPATHS = frozenset({"Attributes", "Keys", "OneToManyRelationships", "ManyToOneRelationships", "ManyToManyRelationships"})


def entity_definition(org: Organization, entity: Entity) -> dict[str, Any]:
    """Show the metadata of one table."""
    table = TABLES.get(entity.logical)
    label_id = str(uuid.uuid5(_NAMESPACE, f"{entity.logical}/label"))
    label = {"Label": entity.display, "LanguageCode": 1033, "IsManaged": True, "MetadataId": label_id, "HasChanged": None}
    return {
        "MetadataId": str(uuid.uuid5(_NAMESPACE, entity.logical)),
        "LogicalName": entity.logical,
        "SchemaName": entity.schema,
        "EntitySetName": entity.entity_set,
        "LogicalCollectionName": entity.entity_set,
        "CollectionSchemaName": entity.schema,
        "ObjectTypeCode": entity.object_type_code,
        "OwnershipType": entity.ownership,
        "PrimaryIdAttribute": table.key if table else f"{entity.logical}id",
        "PrimaryNameAttribute": table.primary_name if table else "name",
        "IsCustomEntity": entity.object_type_code >= 10000,
        "IsManaged": True,
        "IsActivity": False,
        "IsIntersect": False,
        "IsPrivate": False,
        "IsCustomizable": {"Value": True, "CanBeChanged": False, "ManagedPropertyLogicalName": "iscustomizable"},
        "DisplayName": {"LocalizedLabels": [label], "UserLocalizedLabel": label},
        "Privileges": [privilege.metadata() for privilege in org.catalogue.of_entity(entity.logical)],
        "HasChanged": None,
    }


def definitions(context: Context, segments: list[Segment]) -> Response:
    """Answer ``EntityDefinitions`` and ``EntityDefinitions(LogicalName='…')``."""
    if context.method != "GET":
        raise context.not_emulated() if context.method in ("POST", "PUT", "DELETE") else wrong_verb(context.method, segments[0].name)
    context.access.require("prvReadEntity")
    if len(segments) > 1:
        return _below(context, segments)
    query = odata.parse_query(context.query)
    if query.expand:
        raise context.not_emulated("$expand on EntityDefinitions")
    names = ",".join(query.select)
    address = f"{context.api}/$metadata#EntityDefinitions" + (f"({names})" if names else "")
    arguments = segments[0].arguments
    if arguments is not None:
        shown = _chosen(entity_definition(context.org, _entity(context.org, arguments)), query)
        return Response.of_json(200, {"@odata.context": f"{address}/$entity", **shown}, JSON_TYPE)
    rows = [entity_definition(context.org, entity) for entity in context.org.catalogue.entities.values()]
    try:
        kept = [row for row in rows if query.filter is None or odata.matches(query.filter, row)]
    except odata.UnknownPropertyError as problem:
        raise no_such_property(problem.name, "EntityMetadata") from problem
    return Response.of_json(200, {"@odata.context": address, "value": [_chosen(row, query) for row in kept]}, JSON_TYPE)


def _below(context: Context, segments: list[Segment]) -> Response:
    if segments[0].arguments is None or segments[1].name not in _SUBPATHS:
        raise no_such_segment(segments[1].name)
    table = TABLES.get(_entity(context.org, segments[0].arguments).logical)
    if table is None:
        raise context.not_emulated()
    if segments[1].name == "Attributes":
        return attributes(context, table, segments[1:])
    if segments[1:] == [Segment("Keys")]:
        return keys(context, table)
    raise context.not_emulated()


def _entity(org: Organization, arguments: str) -> Entity:
    entities = org.catalogue.entities
    if is_guid(arguments.strip("'")):
        wanted = arguments.strip("'").lower()
        name = next((logical for logical in entities if str(uuid.uuid5(_NAMESPACE, logical)) == wanted), "")
    else:
        key = {column: parse_literal(value) for column, value in parse_arguments(arguments).items()}
        if set(key) != {"LogicalName"} or not re.fullmatch(r"\w+", str(key["LogicalName"])):
            raise bad_query("Bad Request - Error in query syntax.")
        name = str(key["LogicalName"])
    if name not in entities:
        # The status and code of an unknown table are not recorded for this address.
        raise fault(404, "0x80041102", f"The entity with a name = '{name or arguments}' with namemapping = 'Logical' was not found in the MetadataCache.")
    return entities[name]


def _chosen(row: dict[str, Any], query: odata.Query) -> dict[str, Any]:
    for name in query.select:
        if name not in row:
            raise no_such_property(name, "EntityMetadata")
    return odata.project(row, dict.fromkeys(("MetadataId", *query.select))) if query.select else row
