# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings that are kept outside of the collection, read without loss: ``LEADOPS_RECORDED=<directory>`` names them.

Every JSON document below the directory is put through the readers of its kind; lists of observed errors, of catalogue codes
and of shapes, and extracts of the services' metadata, are known by their form.
"""

from __future__ import annotations

import json
import os
import re
import typing as t
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ansible_collections.leadops.dynamics365.plugins.module_utils._error_bodies import read_json
from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import AnswerNotUnderstood
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_import_results import read_import_data
from ansible_collections.leadops.dynamics365.tests.unit.plugins.given_answers import REQUEST_ID, refusal_of
from ansible_collections.leadops.dynamics365.tests.unit.plugins.recorded_claims import kind_of, lost_facts, rows_of
from ansible_collections.leadops.dynamics365.tests.unit.plugins.recorded_columns import dataverse_columns, graph_columns

_GIVEN = os.environ.get("LEADOPS_RECORDED", "")
FILES = sorted(path for path in Path(_GIVEN).rglob("*") if path.suffix in (".json", ".xml")) if _GIVEN else []
SERVICES = {"Dataverse Web API": "dataverse", "Microsoft Graph": "graph", "Power Platform admin (BAP)": "power_platform"}
Json = dict[str, t.Any]

pytestmark = pytest.mark.skipif(not _GIVEN, reason="LEADOPS_RECORDED names no directory with recordings")


@pytest.mark.skipif(bool(_GIVEN and FILES), reason="there are recordings")
def test_the_named_directory_has_recordings():
    assert FILES, f"LEADOPS_RECORDED={_GIVEN} has neither JSON nor XML files"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(_GIVEN)))
def test_a_recording_is_read_without_loss(path: Path):
    if path.suffix == ".xml":
        check_graph_metadata(path)
        return
    content = path.read_bytes()
    document = read_json(content)
    assert document is not None, "the recording is no JSON"
    assert document == json.loads(content.decode("utf-8-sig"))
    if isinstance(document, dict) and {"tables", "operations"} <= document.keys():
        check_dataverse_metadata(document)
    elif isinstance(document, dict) and isinstance(document.get("codes"), list):
        check_catalogue(document["codes"])
    elif isinstance(document, list) and all(isinstance(entry, dict) and "http_status" in entry for entry in document):
        check_errors(document)
    else:
        lost = [f"{kind}: {fact}" for kind, row in readings(document) for fact in lost_facts(kind, row)]
        assert lost == []
        check_reports(document)


def readings(document: t.Any) -> list[tuple[str, Json]]:
    """All rows in a document that some reader claims, however deep they are."""
    found: list[tuple[str, Json]] = []
    for row in rows_of(document):
        kind = kind_of(row)
        if kind:
            found.append((kind, row))
        else:
            found += [reading for value in row.values() if isinstance(value, dict) for reading in readings(value)]
    return found


def check_reports(document: t.Any) -> None:
    """Reports of imports that stand in a document as texts."""
    if isinstance(document, dict):
        for value in document.values():
            check_reports(value)
    elif isinstance(document, str) and document.startswith("<importexportxml"):
        assert lost_facts("import job", {"data": document}) == []
        components, _unused = read_import_data(document)
        assert len(components) == len(re.findall(r'result="(?:failure|warning)"', document))


def check_errors(entries: list[Json]) -> None:
    """Every observed error yields code, text and request id, and says what to do."""
    wrong = []
    for entry in entries:
        body = entry["body"] if entry["body"] is not None else (entry["text"] or "").encode()
        error, _unused = refusal_of(SERVICES[entry["api"]], entry["http_status"] or 400, body)
        told = error.to_fail_json("here")
        expected = ((entry["body"] or {}).get("error") or {}) if isinstance(entry["body"], dict) else {}
        if (
            error.code != (expected.get("code") or "")
            or error.message != (expected.get("message") or entry["text"] or "").strip()
            or any(word not in told["msg"] for word in (error.code, REQUEST_ID))
            or not error.catalogue
            or not error.next_step
        ):
            wrong.append((entry["body"] or entry["text"], told["msg"]))
    assert wrong == []


def check_catalogue(entries: list[Json]) -> None:
    """Every code that the service can answer with is told with its text, its code, the request's id, and what to do."""
    wrong = []
    for entry in entries:
        error, _unused = refusal_of("dataverse", 400, {"error": {"code": entry["code"], "message": entry["message"]}})
        text = str(error)
        quoted = error.catalogue or " ".join(entry["message"].split()).rstrip(".")[:600] in error.why
        if entry["code"] not in text or REQUEST_ID not in text or not error.next_step or not quoted or error.message != entry["message"].strip():
            wrong.append((entry["name"], text))
    assert wrong == []


def check_dataverse_metadata(document: Json) -> None:
    """What our readers select is there under this name."""
    known = {table["entitySet"]: {column.get("property") or name for name, column in table["columns"].items()} for table in document["tables"].values()}
    asked = dataverse_columns()
    assert asked.keys() & known.keys(), "no table in common"
    missing = {f"{name}.{column}" for name in asked.keys() & known.keys() for column in asked[name] - known[name]}
    assert missing == set()


def check_graph_metadata(path: Path) -> None:
    """The same for the directory."""
    tree = ET.fromstring(path.read_bytes())  # noqa: S314  the operator's own file
    types = {item.get("Name", ""): item for item in tree.iter() if item.tag.endswith(("}EntityType", "}ComplexType"))}

    def properties(name: str) -> set[str]:
        item = types.get(name)
        if item is None:
            return set()
        own = {part.get("Name", "") for part in item if part.tag.endswith(("}Property", "}NavigationProperty"))}
        return own | properties((item.get("BaseType") or "").rpartition(".")[2])

    missing = {f"{kind}.{name}" for kind, names in graph_columns().items() if kind in types for name in names - properties(kind)}
    assert missing == set()


def test_what_is_incomplete_is_told_as_an_error_of_ours():
    with pytest.raises(AnswerNotUnderstood):
        lost_facts("solution", {"uniquename": "A"})
