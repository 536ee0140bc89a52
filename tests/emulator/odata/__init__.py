# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OData query options over plain dict documents, for every service that speaks OData.

``parse_query`` reads the raw query string; ``matches``, ``sort`` and ``cut`` apply the parts. What a name means is
the service's business: it passes a ``Lookup``, which gives a column's value or follows a navigation property.
"""

from __future__ import annotations

from .errors import QuerySyntaxError, UnknownPropertyError, UnsupportedQueryError
from .evaluate import Lookup, like, matches, plain_lookup, property_paths
from .filters import Filter, parse_filter
from .options import Expand, OrderBy, Query, parse_query, split_outside
from .shape import cut, decode_token, encode_token, project, sort, without_token

__all__ = [
    "Expand",
    "Filter",
    "Lookup",
    "OrderBy",
    "Query",
    "QuerySyntaxError",
    "UnknownPropertyError",
    "UnsupportedQueryError",
    "cut",
    "decode_token",
    "encode_token",
    "like",
    "matches",
    "parse_filter",
    "parse_query",
    "plain_lookup",
    "project",
    "property_paths",
    "sort",
    "split_outside",
    "without_token",
]
