# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``$filter`` text to a syntax tree, with the grammar of the odata-query package."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from odata_query import ast
from odata_query.exceptions import ODataException
from odata_query.grammar import ODataLexer, ODataParser

from .errors import QuerySyntaxError

# `x in ('a')`: the grammar takes a list of one item only with a comma after it, as Python does.
_ONE_ITEM = re.compile(r"(\sin\s*|=)\(([^(),]*)\)", re.IGNORECASE)
# startsWith and startswith are the same to the services; the grammar knows lower case only.
_FUNCTION_NAME = re.compile(r"\b(?:startswith|endswith|contains)(?=\s*\()", re.IGNORECASE)
# PropertyValues=["a","b"]: JSON inside a filter, which only Dataverse's query functions have.
_JSON_LIST = re.compile(r"=\s*\[([^\]]*)\]")
_STRING = re.compile(r"'(?:[^']|'')*'")
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


class _Lexer(ODataLexer):
    """The package's lexer takes the front of a longer name (``allowed``, ``nullable``) for a keyword."""

    tokens = ODataLexer.tokens
    ANY = r"any(?=\s*\()"  # type: ignore[assignment]
    ALL = r"all(?=\s*\()"  # type: ignore[assignment]
    NULL = r"null(?![\w.])"  # type: ignore[assignment]
    BOOLEAN = r"(?:true|false)(?![\w.])"  # type: ignore[assignment]


@dataclass(frozen=True)
class Filter:
    """One parsed ``$filter``."""

    text: str
    tree: ast._Node


def parse_filter(text: str) -> Filter:
    """Read the (decoded) value of ``$filter``."""
    literals: list[str] = []
    # The rewriting below sees numbers in place of the literals, so that no text inside quotes is touched.
    bare = "".join(_numbered(piece, literals) for piece in _pieces(text))
    bare = _JSON_LIST.sub(r"=(\1)", bare)
    bare = _ONE_ITEM.sub(r"\1(\2,)", bare)
    bare = _FUNCTION_NAME.sub(lambda found: found[0].lower(), bare)
    rewritten = re.sub(r"'(\d+)'", lambda found: literals[int(found[1])], bare)
    try:
        tree = ODataParser().parse(_Lexer().tokenize(rewritten.strip()))
    except ODataException as problem:
        raise QuerySyntaxError(_explain(problem, text)) from problem
    if tree is None:
        raise QuerySyntaxError(f"Syntax error at position 0 in '{text}'.")
    return Filter(text, tree)


def _pieces(text: str) -> Iterator[str]:
    """Cut a text into literals ('…', or "…" inside a JSON list) and what is between them."""
    position = start = 0
    while position < len(text):
        quote = text[position]
        if quote not in "'\"":
            position += 1
            continue
        yield text[start:position]
        literal = (_STRING if quote == "'" else _JSON_STRING).match(text, position)
        if literal is None:
            raise QuerySyntaxError(f"There is an unterminated literal at position {len(text)} in '{text}'.")
        yield literal[0]
        position = start = literal.end()
    yield text[start:]


def _numbered(piece: str, literals: list[str]) -> str:
    """The place holder of a literal, which is added to the list; any other piece as it is."""
    if not piece.startswith(("'", '"')):
        return piece
    literals.append(piece if piece.startswith("'") else "'" + str(json.loads(piece)).replace("'", "''") + "'")
    return f"'{len(literals) - 1}'"


def _explain(problem: ODataException, text: str) -> str:
    token = getattr(problem, "token", None)
    position = getattr(token, "index", len(text)) if token is not None else len(text)
    return f"Syntax error at position {position} in '{text}'."
