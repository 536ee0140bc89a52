# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shared OData query code."""

from __future__ import annotations

import pytest

from tests.emulator import odata

ROWS = [
    {
        "id": "8D2AA266-8fee-43a4-85e7-2aa1aaab5259",
        "name": "O'Bryan",
        "age": 3,
        "on": True,
        "when": "2024-01-31T00:00:00Z",
        "nothing": None,
        "tags": ["a", "b"],
        "allowed": 1,
    },
    {
        "id": "8d2aa266-8fee-43a4-85e7-2aa1aaab525a",
        "name": "ann",
        "age": 40,
        "on": False,
        "when": "2025-01-31T10:00:00Z",
        "nothing": "x",
        "tags": [],
        "allowed": 2,
    },
]


def names(text: str, **options: bool) -> list[str]:
    expression = odata.parse_filter(text)
    return [row["name"] for row in ROWS if odata.matches(expression, row, **options)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name eq 'o''bryan'", ["O'Bryan"]),
        ("name ne 'ANN'", ["O'Bryan"]),
        ("id eq 8d2aa266-8fee-43a4-85e7-2aa1aaab5259", ["O'Bryan"]),
        ("id eq '8d2aa266-8fee-43a4-85e7-2aa1aaab525A'", ["ann"]),
        ("age gt 3", ["ann"]),
        ("age ge 3 and on eq true", ["O'Bryan"]),
        ("on eq true or age eq 40", ["O'Bryan", "ann"]),
        ("not (on eq true)", ["ann"]),
        ("not contains(name,'ann')", ["O'Bryan"]),
        ("startswith(name,'AN')", ["ann"]),
        ("endswith(name,'yan')", ["O'Bryan"]),
        ("when lt 2024-06-01T00:00:00Z", ["O'Bryan"]),
        ("when gt 2024-06-01", ["ann"]),
        ("nothing eq null", ["O'Bryan"]),
        ("nothing ne null", ["ann"]),
        ("name in ('ann')", ["ann"]),
        ("name in ('ann', 'o''bryan')", ["O'Bryan", "ann"]),
        ("tags/any(t:t eq 'B')", ["O'Bryan"]),
        ("tags/any()", ["O'Bryan"]),
        ("tags/all(t:t eq 'z')", ["ann"]),
        ("allowed eq 2", ["ann"]),
        ('Microsoft.Dynamics.CRM.In(PropertyName=\'name\',PropertyValues=["ANN","x"])', ["ann"]),
        ("Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=[\"o'bryan\"])", ["O'Bryan"]),
    ],
)
def test_filter(text: str, expected: list[str]) -> None:
    assert names(text) == expected


def test_wildcards_are_a_choice() -> None:
    assert names("contains(name,'o%n')") == []
    assert names("contains(name,'o%n')", wildcards=True) == ["O'Bryan"]
    assert names("startswith(name,'[a-c]n_')", wildcards=True) == ["ann"]


@pytest.mark.parametrize("text", ["name eq 'O'Bryan'", "name eq 'x", "name eq", "eq 3", "name", "age eq 'x'", "length(name) eq 2", "a eq 1)"])
def test_bad_filters(text: str) -> None:
    with pytest.raises((odata.QuerySyntaxError, odata.UnknownPropertyError)):
        names(text)


def test_unterminated_literal_is_named() -> None:
    with pytest.raises(odata.QuerySyntaxError, match="unterminated literal at position"):
        odata.parse_filter("lastname eq 'O'Bryan'")


def test_unknown_property() -> None:
    with pytest.raises(odata.UnknownPropertyError) as caught:
        names("colour eq 'x'")
    assert caught.value.name == "colour"


def test_paths_start_at_the_row() -> None:
    expression = odata.parse_filter("roles/any(r:r/bu/name eq 'x' and r/id ne null) or contains(a/b,'c')")
    assert set(odata.property_paths(expression)) == {("roles",), ("roles", "bu", "name"), ("roles", "id"), ("a", "b")}


def test_query_options() -> None:
    query = odata.parse_query("$select=a,b&$filter=name%20eq%20'x%26y'&$orderby=a%20desc,b&$top=5&$count=true&@p=%5B%22x%22%5D")
    assert query.select == ("a", "b")
    assert query.filter is not None
    assert query.filter.text == "name eq 'x&y'"
    assert query.orderby == (odata.OrderBy(("a",), descending=True), odata.OrderBy(("b",)))
    assert (query.top, query.count, query.others) == (5, True, {"@p": '["x"]'})


def test_nested_expand() -> None:
    (roles, unit) = odata.parse_query("$expand=roles($select=a,b;$filter=name eq 'x;y,(';$expand=bu($select=c);$orderby=a),unit").expand
    assert roles.name == "roles"
    assert roles.query.select == ("a", "b")
    assert roles.query.filter is not None
    assert roles.query.filter.text == "name eq 'x;y,('"
    assert roles.query.expand[0].query.select == ("c",)
    assert (unit.name, unit.query) == ("unit", odata.Query())


@pytest.mark.parametrize(
    "raw", ["$top=-1", "$top=x", "$count=maybe", "$orderby=a b", "$expand=a($select=b", "$select=a&$select=b", "$select=a,,b", "$expand=a(foo=1)"]
)
def test_bad_options(raw: str) -> None:
    with pytest.raises(odata.QuerySyntaxError):
        odata.parse_query(raw)


def test_dollar_may_be_left_out_where_allowed() -> None:
    assert odata.parse_query("select=a", dollar_optional=True).select == ("a",)
    assert odata.parse_query("select=a").others == {"select": "a"}


def test_sort_and_pages() -> None:
    rows = [{"a": None}, {"a": "b"}, {"a": "A"}]
    assert [row["a"] for row in odata.sort(rows, (odata.OrderBy(("a",)),))] == [None, "A", "b"]
    assert [row["a"] for row in odata.sort(rows, (odata.OrderBy(("a",), descending=True),))] == ["b", "A", None]
    assert odata.cut(rows, 0, 2) == (rows[:2], 2)
    assert odata.cut(rows, 2, 2) == (rows[2:], None)
    assert odata.decode_token(odata.encode_token({"start": 2})) == {"start": 2}
    with pytest.raises(odata.QuerySyntaxError):
        odata.decode_token("%%")
