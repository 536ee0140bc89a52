# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collections as answers: filter, order, pages, counts, and which of that the directory's default store cannot do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from odata_query import ast

from ..odata import Filter, UnknownPropertyError, cut, decode_token, encode_token, matches, property_paths, sort, without_token
from ..store import Document
from ..wire import Response, not_emulated
from .call import Call, answer
from .errors import bad_request, unsupported_query
from .objects import ResourceType

_MAXIMUM_PAGE = 999


def context(call: Call, resource: ResourceType, *, single: bool = False, name: str = "") -> str:
    """The ``@odata.context`` of an answer."""
    selected = f"({','.join(call.query.select)})" if call.query.select else ""
    return f"{call.root}/$metadata#{name or resource.entity_set}{selected}{'/$entity' if single else ''}"


def one(call: Call, resource: ResourceType, document: Document, status: int = 200, *, type_name: str = "", **headers: str) -> Response:
    """One object; ``type_name`` is written when the URL does not tell the type."""
    _refuse_collection_options(call)
    resource.check(call.query.select)
    body: Document = {"@odata.context": context(call, resource, single=True, name="directoryObjects" if type_name else "")}
    if type_name:
        body["@odata.type"] = f"#microsoft.graph.{type_name}"
    response = answer(status, {**body, **resource.project(document, call.query.select)}, **headers)
    response.headers["x-ms-resource-unit"] = _units(call, resource) if call.request.method == "GET" else "1"
    return response


def many(
    call: Call,
    resource: ResourceType,
    documents: Iterable[Document],
    shape: Callable[[Document], Document] | None = None,
    *,
    name: str = "",
) -> Response:
    """A collection, with every query option; ``shape`` replaces the projection for mixed types."""
    found = selected(call, resource, documents)
    size = _page_size(call, resource)
    state = decode_token(call.query.skiptoken) if call.query.skiptoken is not None else {}
    start = state.get("start", 0)
    page, following = cut(found, start, size)
    resource.check(call.query.select)
    body: Document = {"@odata.context": context(call, resource, name=name)}
    if call.advanced and start == 0:
        body["@odata.count"] = len(found)
    if following is not None:
        body["@odata.nextLink"] = _next_link(call, following)
    body["value"] = [shape(document) if shape else resource.project(document, call.query.select) for document in page]
    response = answer(200, body)
    response.headers["x-ms-resource-unit"] = _units(call, resource)
    return response


def count(call: Call, resource: ResourceType, documents: Iterable[Document]) -> Response:
    """``/$count``: a plain number, and only from the advanced index."""
    if not call.eventual:
        raise unsupported_query("$count is not currently supported.")
    number = len(selected(call, resource, documents, advanced=True))
    return Response(200, str(number).encode(), {"content-type": "text/plain", "odata-version": "4.0"})


def selected(call: Call, resource: ResourceType, documents: Iterable[Document], *, advanced: bool | None = None, expanded: bool = False) -> list[Document]:
    """The documents that pass ``$filter``, in the order of ``$orderby``; ``expanded`` when the caller sees to ``$expand``."""
    allowed = call.advanced if advanced is None else advanced
    query = call.query
    if query.expand and not expanded:
        raise not_emulated("graph", call.request, f"$expand={query.expand[0].name}")
    if "$search" in query.others:
        if not allowed:
            raise unsupported_query("The query parameter $search needs the request header 'ConsistencyLevel: eventual'.")
        raise not_emulated("graph", call.request, "$search")
    if query.skip is not None:
        raise bad_request("'$skip' is not supported by the service.")
    lookup = _lookup_for(resource)
    found = list(documents)
    if query.filter is not None:
        _check_filter(query.filter, resource, allowed=allowed)
        expression = query.filter
        found = [document for document in found if matches(expression, document, lookup)]
    if query.orderby:
        if query.filter is not None and not allowed:
            raise unsupported_query("Sorting not supported for current query.")
        for item in query.orderby:
            _check_property(item.path[0], resource)
        found = sort(found, query.orderby, lookup)
    return found


def _lookup_for(resource: ResourceType) -> Callable[[Document, str], Any]:
    def lookup(document: Document, name: str) -> Any:
        # A nested value (an assigned licence, an identity) has no type table: its members are what it holds.
        if name in document:
            return document[name]
        return resource.properties.get(name)

    return lookup


def _check_filter(expression: Filter, resource: ResourceType, *, allowed: bool) -> None:
    for path in property_paths(expression):
        _check_property(path[0], resource)
    for node, prop in _clauses(expression.tree):
        if isinstance(node, ast.Call) and node.func.full_name().lower() == "contains":
            raise unsupported_query(_clause_text(prop, resource))
        if not allowed and _is_advanced(node):
            raise unsupported_query(_clause_text(prop, resource))


def _check_property(name: str, resource: ResourceType) -> None:
    if name not in resource.properties:
        raise UnknownPropertyError(name, f"microsoft.graph.{resource.name}")
    if resource.filterable is not None and name not in resource.filterable:
        raise unsupported_query(_clause_text(name, resource))


def _clause_text(prop: str, resource: ResourceType) -> str:
    name = resource.name[:1].upper() + resource.name[1:]
    return f"Unsupported or invalid query filter clause specified for property '{prop}' of resource '{name}'."


def _is_advanced(node: ast._Node) -> bool:
    if isinstance(node, ast.Call):
        return str(node.func.full_name()).lower() == "endswith"
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not)
    return isinstance(node, ast.Compare) and isinstance(node.comparator, ast.NotEq)


def _clauses(node: Any, prop: str = "") -> Iterable[tuple[ast._Node, str]]:
    """Every node of a filter with the first property below it."""
    match node:
        case ast.Compare() | ast.BoolOp():
            yield node, _first_property(node) or prop
            yield from _clauses(node.left, prop)
            yield from _clauses(node.right, prop)
        case ast.UnaryOp():
            yield node, _first_property(node) or prop
            yield from _clauses(node.operand, prop)
        case ast.Call():
            yield node, _first_property(node) or prop
        case ast.CollectionLambda():
            owner = _first_property(node.owner)
            if node.lambda_ is not None:
                yield from _clauses(node.lambda_.expression, owner)


def _first_property(node: Any) -> str:
    match node:
        case ast.Identifier():
            return str(node.full_name())
        case ast.Attribute():
            return _first_property(node.owner)
        case ast.Compare() | ast.BoolOp():
            return _first_property(node.left) or _first_property(node.right)
        case ast.UnaryOp():
            return _first_property(node.operand)
        case ast.CollectionLambda():
            return _first_property(node.owner)
        case ast.Call():
            return next((name for name in map(_first_property, node.args) if name), "")
    return ""


def _page_size(call: Call, resource: ResourceType) -> int:
    top = call.query.top
    if top is None:
        return int(call.switch("page_size", resource.page_size))
    if not 1 <= top <= _MAXIMUM_PAGE:
        raise bad_request(f"Invalid page size specified: '{top}'. Must be between 1 and {_MAXIMUM_PAGE} inclusive.")
    return top


def _next_link(call: Call, start: int) -> str:
    # The rest of the URL is repeated as it came, so that following the link asks the same question.
    query = "&".join([*without_token(call.request.query), f"$skiptoken={encode_token({'start': start})}"])
    return f"{call.request.base_url}{call.request.raw_path}?{query}"


def _refuse_collection_options(call: Call) -> None:
    query = call.query
    if query.expand:
        raise not_emulated("graph", call.request, f"$expand={query.expand[0].name}")
    given = [name for name, present in (("$filter", query.filter), ("$orderby", query.orderby), ("$top", query.top), ("$skip", query.skip)) if present]
    if given:
        raise bad_request(f"The query specified in the URI is not valid. Query option '{given[0]}' cannot be applied to the requested resource.", "BadRequest")


def _units(call: Call, resource: ResourceType) -> str:
    units = resource.read_units - bool(call.query.select) - (call.query.top is not None and call.query.top < 20)
    return str(max(1, units))
