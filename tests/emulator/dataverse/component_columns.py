# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The columns of the tables around solutions whose rows a package brings or an operation leaves."""

from __future__ import annotations

from collections.abc import Mapping

_OWNED = (
    "_createdby_value _createdonbehalfby_value _modifiedby_value _modifiedonbehalfby_value _ownerid_value _owningbusinessunit_value _owningteam_value "
    "_owninguser_value componentidunique solutionid"
)
_TIMES = "createdon modifiedon overwritetime"
_STATES = "componentstate importsequencenumber statecode statuscode timezoneruleversionnumber utcconversiontimezonecode"

COMPONENT_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "connectionreference": {
        "Boolean": "ismanaged",
        "BooleanManagedProperty": "iscustomizable",
        "DateTimeOffset": _TIMES,
        "Guid": f"{_OWNED} _customconnectorid_value connectionreferenceid",
        "Int32": f"{_STATES} promptingbehavior",
        "Int64": "versionnumber",
        "String": (
            "connectionid connectionparametersetconfig connectionreferencedisplayname connectionreferencelogicalname connectorid description statuscodereason"
        ),
    },
    "environmentvariabledefinition": {
        "Boolean": "ismanaged isrequired",
        "BooleanManagedProperty": "iscustomizable",
        "DateTimeOffset": _TIMES,
        "Guid": f"{_OWNED} _parentdefinitionid_value environmentvariabledefinitionid",
        "Int32": f"{_STATES} secretstore type",
        "Int64": "versionnumber",
        "String": "apiid connectionreferenceid defaultvalue description displayname hint introducedversion parameterkey schemaname valueschema",
    },
    "environmentvariablevalue": {
        "Boolean": "ismanaged",
        "BooleanManagedProperty": "iscustomizable",
        "DateTimeOffset": _TIMES,
        "Guid": f"{_OWNED} _environmentvariabledefinitionid_value environmentvariablevalueid environmentvariablevalueidunique",
        "Int32": _STATES,
        "Int64": "versionnumber",
        "String": "introducedversion schemaname value",
    },
    "stagesolutionupload": {
        "DateTimeOffset": "createdon modifiedon",
        "Guid": "_createdby_value _modifiedby_value _ownerid_value _owningbusinessunit_value _owninguser_value stagesolutionuploadid",
        "Int32": "statecode statuscode",
        "Int64": "versionnumber",
        "String": "name solutionuniquename",
    },
}
