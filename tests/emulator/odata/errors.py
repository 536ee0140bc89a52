# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with a query. Each service turns these into its own error bodies."""

from __future__ import annotations


class QuerySyntaxError(Exception):
    """The query option cannot be read."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnsupportedQueryError(QuerySyntaxError):
    """The query is well formed, and uses something that the services do not offer."""


class UnknownPropertyError(Exception):
    """A name in the query is no property of the type it is looked up on; a ``Lookup`` raises it."""

    def __init__(self, name: str, type_name: str = "") -> None:
        super().__init__(f"{type_name}.{name}" if type_name else name)
        self.name = name
        self.type_name = type_name
