# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dataverse's refusals: status, code and text as the service sends them."""

from __future__ import annotations

from ..wire import Response, ServiceError

QUERY_CODE = "0x80060888"
"""What the OData layer answers with, whatever its trouble."""


def fault(status: int, code: str, message: str, **headers: str) -> ServiceError:
    """Make a refusal; underscores in header keywords become hyphens."""
    return ServiceError(Response.of_json(status, {"error": {"code": code, "message": message}}, **headers))


def bad_query(message: str) -> ServiceError:
    """Refuse a query, path or parameter that the OData layer cannot take."""
    return fault(400, QUERY_CODE, message)


def no_such_segment(segment: str, status: int = 404) -> ServiceError:
    """Refuse a name in the path that is no set, property, function or action."""
    return fault(status, QUERY_CODE, f"Resource not found for the segment '{segment}'.")


def no_such_property(name: str, table: str) -> ServiceError:
    """Refuse a column that the table does not have."""
    return bad_query(f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'.")


def no_such_row(table: str, row_id: str) -> ServiceError:
    """Refuse an id that no row has."""
    return fault(404, "0x80040217", f"Entity '{table}' With Id = {row_id} Does Not Exist")


def no_such_key(table: str) -> ServiceError:
    """Refuse an alternate key that no row has."""
    return fault(404, "0x80060891", f"A record with the specified key values does not exist in {table} entity")


def bad_payload(entity_set: str, inner: str) -> ServiceError:
    """Refuse a body that is not what the set or operation takes."""
    text = f"Error identified in Payload provided by the user for Entity :'{entity_set}'  ---->  InnerException : Microsoft.OData.ODataException: {inner}"
    return fault(400, "0x80048d19", text)


def wrong_verb(method: str, segment: str) -> ServiceError:
    """Refuse a verb that the segment does not have."""
    return fault(405, QUERY_CODE, f"The segment '{segment}' does not support operation {method}.")


def concurrency_mismatch() -> ServiceError:
    """Refuse a write whose If-Match is out of date."""
    return fault(412, "0x80060882", "The version of the existing record doesn't match the RowVersion property provided.")


def duplicate_row(message: str = "A record with matching key values already exists.") -> ServiceError:
    """Refuse a second row of the same key."""
    return fault(412, "0x80040237", message)
