# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a document pass a filter? Strings compare without regard to case, as the services do."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from odata_query import ast

from .errors import QuerySyntaxError, UnknownPropertyError, UnsupportedQueryError
from .filters import Filter

Document = dict[str, Any]
Lookup = Callable[[Document, str], Any]
"""The value of a column, the document behind a single navigation property, or the documents behind a collection."""

_ORDERS: Mapping[type[ast._Comparator], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def plain_lookup(document: Document, name: str) -> Any:
    """Look only at the document itself; a name that it lacks is unknown."""
    if name not in document:
        raise UnknownPropertyError(name)
    return document[name]


def matches(expression: Filter, document: Document, lookup: Lookup = plain_lookup, *, wildcards: bool = False) -> bool:
    """Whether the document passes; ``wildcards`` gives ``% _ [ ]`` the meaning they have in SQL."""
    value = _Evaluation(lookup, wildcards=wildcards).value(expression.tree, document, {})
    if not isinstance(value, bool):
        raise QuerySyntaxError("The $filter expression must evaluate to a single boolean value.")
    return value


def property_paths(expression: Filter) -> Iterator[tuple[str, ...]]:
    """Every property path in a filter, so that unknown names are found even where no document is looked at.

    A path inside a lambda starts with the path of its collection.
    """
    return _paths(expression.tree, {})


def _paths(node: Any, variables: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    match node:
        case ast.Identifier() | ast.Attribute():
            yield _path(node, variables)
        case ast.CollectionLambda():
            collection = _path(node.owner, variables)
            yield collection
            if node.lambda_ is not None:
                yield from _paths(node.lambda_.expression, {**variables, node.lambda_.identifier.name: collection})
        case ast.Compare() | ast.BoolOp() | ast.BinOp():
            yield from _paths(node.left, variables)
            yield from _paths(node.right, variables)
        case ast.UnaryOp():
            yield from _paths(node.operand, variables)
        case ast.Call():
            for argument in node.args:
                if not isinstance(argument, ast.NamedParam):
                    yield from _paths(argument, variables)
                elif argument.name.name == "PropertyName" and isinstance(argument.param, ast.String):
                    yield tuple(argument.param.val.split("/"))


def _path(node: ast._Node, variables: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    if isinstance(node, ast.Attribute):
        return (*_path(node.owner, variables), node.attr)
    if isinstance(node, ast.Identifier):
        return variables.get(_full_name(node), (_full_name(node),))
    raise UnsupportedQueryError("Only property paths can be filtered on.")


def _full_name(identifier: ast.Identifier) -> str:
    return ".".join((*identifier.namespace, identifier.name))


class _Evaluation:
    """One walk through the tree for one document."""

    def __init__(self, lookup: Lookup, *, wildcards: bool) -> None:
        self._lookup = lookup
        self._wildcards = wildcards

    def value(self, node: ast._Node, document: Document, variables: Mapping[str, Any]) -> Any:
        match node:
            case ast.List():
                return [self.value(item, document, variables) for item in node.val]
            case ast._Literal():
                return node.py_val
            case ast.Identifier():
                name = _full_name(node)
                return variables[name] if name in variables else self._lookup(document, name)
            case ast.Attribute():
                owner = self.value(node.owner, document, variables)
                if owner is None:
                    return None
                if isinstance(owner, dict):
                    return self._lookup(owner, node.attr)
                raise QuerySyntaxError(f"The path to '{node.attr}' does not go through a single-valued property.")
            case ast.BoolOp():
                left = self.truth(node.left, document, variables)
                if isinstance(node.op, ast.And):
                    return left and self.truth(node.right, document, variables)
                return left or self.truth(node.right, document, variables)
            case ast.UnaryOp(op=ast.Not()):
                return not self.truth(node.operand, document, variables)
            case ast.Compare():
                left, right = self.value(node.left, document, variables), self.value(node.right, document, variables)
                return _compare(node.comparator, left, right)
            case ast.CollectionLambda():
                return self._lambda(node, document, variables)
            case ast.Call():
                return self._call(node, document, variables)
        raise UnsupportedQueryError(f"{type(node).__name__} expressions are not supported in $filter.")

    def truth(self, node: ast._Node, document: Document, variables: Mapping[str, Any]) -> bool:
        value = self.value(node, document, variables)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise QuerySyntaxError("The operand of a logical operator must be a boolean value.")
        return value

    def _lambda(self, node: ast.CollectionLambda, document: Document, variables: Mapping[str, Any]) -> bool:
        items = self.value(node.owner, document, variables) or []
        if not isinstance(items, list):
            raise QuerySyntaxError("any and all need a collection.")
        if node.lambda_ is None:
            return bool(items)
        name, inner = node.lambda_.identifier.name, node.lambda_.expression
        verdicts = (self.truth(inner, document, {**variables, name: item}) for item in items)
        return any(verdicts) if isinstance(node.operator, ast.Any) else all(verdicts)

    def _call(self, node: ast.Call, document: Document, variables: Mapping[str, Any]) -> bool:
        name = _full_name(node.func)
        if name.lower() in ("contains", "startswith", "endswith"):
            haystack, needle = (self.value(argument, document, variables) for argument in node.args)
            return _contains(name.lower(), haystack, needle, wildcards=self._wildcards)
        if name in ("Microsoft.Dynamics.CRM.In", "Microsoft.Dynamics.CRM.NotIn"):
            named = {argument.name.name: argument.param for argument in node.args if isinstance(argument, ast.NamedParam)}
            if set(named) != {"PropertyName", "PropertyValues"}:
                raise QuerySyntaxError(f"The parameters of {name} are PropertyName and PropertyValues.")
            value: Any = document
            for step in str(self.value(named["PropertyName"], document, variables)).split("/"):
                value = None if value is None else self._lookup(value, step)
            listed = self.value(named["PropertyValues"], document, variables)
            return any(_loosely_equal(value, item) for item in listed) is name.endswith(".In")
        raise UnsupportedQueryError(f"The function {name} is not supported in $filter.")


def _loosely_equal(value: Any, wanted: Any) -> bool:
    """The services' own query functions take every value as text."""
    return value is not None and str(value).lower() == str(wanted).lower()


def _contains(function: str, haystack: Any, needle: Any, *, wildcards: bool) -> bool:
    if haystack is None or needle is None:
        return False
    if not isinstance(haystack, str) or not isinstance(needle, str):
        raise QuerySyntaxError(f"No function signature for the function with name '{function}' matches the specified arguments.")
    pattern = _like(needle) if wildcards else re.escape(needle)
    start, end = {"contains": ("", ""), "startswith": (r"\A", ""), "endswith": ("", r"\Z")}[function]
    return re.search(start + pattern + end, haystack, re.IGNORECASE | re.DOTALL) is not None


def like(text: str, pattern: str) -> bool:
    """Whether a whole text is like a pattern of SQL's LIKE."""
    return re.fullmatch(_like(pattern), text, re.IGNORECASE | re.DOTALL) is not None


def _like(pattern: str) -> str:
    """A regular expression for a pattern of SQL's LIKE."""
    pieces = re.split(r"(%|_|\[[^\]]+\])", pattern)
    return "".join({"%": ".*", "_": "."}.get(piece) or (piece if re.fullmatch(r"\[[^\]]+\]", piece) else re.escape(piece)) for piece in pieces)


def _compare(comparator: ast._Comparator, left: Any, right: Any) -> bool:
    if isinstance(comparator, ast.In):
        return any(_compare(ast.Eq(), left, item) for item in right)
    if left is None or right is None:
        same = left is None and right is None
        return same if isinstance(comparator, ast.Eq) else not same if isinstance(comparator, ast.NotEq) else False
    first, second = _comparable(left, right)
    if isinstance(comparator, ast.Eq):
        return bool(first == second)
    if isinstance(comparator, ast.NotEq):
        return bool(first != second)
    return _ORDERS[type(comparator)](first, second)


def _comparable(left: Any, right: Any) -> tuple[Any, Any]:
    """Both sides in one Python type; documents keep ids and times as text."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, (datetime, date)) and isinstance(other, (str, datetime, date)):
            return _moment(left), _moment(right)
        if isinstance(one, UUID) and isinstance(other, (str, UUID)):
            return str(left).lower(), str(right).lower()
    if isinstance(left, str) and isinstance(right, str):
        return left.lower(), right.lower()
    if isinstance(left, bool) is isinstance(right, bool) and isinstance(left, (bool, int, float)) and isinstance(right, (bool, int, float)):
        return left, right
    raise QuerySyntaxError(
        f"A binary operator with incompatible types was detected. Found operand types '{_edm_type(left)}' and '{_edm_type(right)}' for operator kind 'Equal'."
    )


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime.combine(value, time())
    else:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as problem:
            raise QuerySyntaxError(f"'{value}' is not a date.") from problem
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _edm_type(value: Any) -> str:
    names = {bool: "Edm.Boolean", int: "Edm.Int32", float: "Edm.Double", str: "Edm.String", UUID: "Edm.Guid", datetime: "Edm.DateTimeOffset", date: "Edm.Date"}
    return names.get(type(value), "Edm.ComplexType")
