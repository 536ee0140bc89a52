# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The solutions that would bring what is missing, read from the texts of errors."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_import_failures import failure, missing_of
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_import_results import ComponentResult, ImportEnd
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_missing import read_missing, to_result, told
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_package import Dependency

SALES = '<Required type="1" schemaName="lead" displayName="Lead" solution="msdynce_Sales (9.0.4.0)" id="{a}" />'
COLUMN = "<Required displayName='Budget' parentDisplayName='Lead' solution='msdynce_Sales (9.0.5.0)'></Required>"
NEWER = '<Required type="20" schemaName="x" solution="Contoso_Base" />'


def xml(*required: str) -> str:
    items = "".join(f'<MissingDependency>{item}<Dependent type="20" displayName="Not this" solution="Nor this" /></MissingDependency>' for item in required)
    return f"Some dependencies are missing. <MissingDependencies>{items}</MissingDependencies>"


@pytest.mark.parametrize("form", [str, escape], ids=["plain", "escaped"])
def test_each_solution_comes_once_with_its_highest_version_and_its_components(form: Callable[[str], str]):
    found = read_missing([form(xml(SALES, NEWER)), form(xml(COLUMN, SALES))])
    assert found == (Dependency("msdynce_Sales", "9.0.5.0", ("Lead", "Lead.Budget")), Dependency("Contoso_Base", "", ("x",)))


def test_a_text_that_is_cut_off_still_tells_what_it_has():
    whole = xml(SALES, NEWER)
    assert read_missing([whole[: whole.index("Contoso_Base")]])[0].solution == "msdynce_Sales"


def test_solutions_in_words_are_read_too():
    text = 'There are missing dependencies. Install the following solutions before installing this one: "msdyn_Core (1.0.0.87)","b (2.0)".'
    assert read_missing([text]) == (Dependency("msdyn_Core", "1.0.0.87"), Dependency("b", "2.0"))
    assert read_missing(['The column "a (1.0)" is wrong.']) == ()


def test_what_there_is_of_them_is_told():
    wanted = (Dependency("Sales", "9.1.5.7", ("Lead",)), Dependency("Base", ""), Dependency("Ready", "1.0"), Dependency("Active", "", ("own",)))
    installed = {"sales": "9.1.4.0", "ready": "1.2"}
    assert told(wanted, installed) == [
        "Sales 9.1.5.7 (for Lead), of which 9.1.4.0 is installed",
        "Base, which is not installed",
        "Ready 1.0, of which 1.2 is installed and lacks it",
        "own, of no solution in the organisation where the package was made",
    ]
    assert to_result(wanted[:1], installed) == [{"solution": "Sales", "version": "9.1.5.7", "installed_version": "9.1.4.0", "components": ["Lead"]}]


@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str):
    read_missing([text, f"<Required {text}", xml(f'<Required solution="{text}" />')])


def component(code: str, text: str, name: str = "Lead") -> ComponentResult:
    return ComponentResult(name, "entity", "failure", code, text)


def test_the_first_error_that_says_more_than_that_it_failed_is_the_cause():
    parts = (component("0x80048033", "No luck."), component("0x80048058", "Invalid privilege: prvX.", "Writer"), component("0x8004801D", "More."))
    error = failure(ImportEnd(succeeded=False, code="0x80048033", message="It failed.", components=parts), "import it", {})
    assert "It failed at the entity Writer." in error.why
    assert error.code == "0x80048058"
    assert "The organisation says: It failed." in error.why
    plain = failure(ImportEnd(succeeded=False, code="0x8004801D", message="Dependencies.", components=parts), "import it", {})
    assert plain.catalogue == "missing-dependencies"
    assert "It failed at" not in plain.why
    assert failure(ImportEnd(succeeded=False, code="0x80048033", message="It failed."), "import it", {}).catalogue == "solution-import-failed"


def test_all_failed_components_are_in_the_result_and_some_in_the_message():
    parts = tuple(component("0x1", f"Text {number}", f"c{number}") for number in range(9))
    error = failure(ImportEnd(succeeded=False, message="It failed.", components=parts), "import it", {})
    assert "and 4 more" in error.why
    assert len(error.facts["components"]) == 9


def test_the_dependencies_of_components_count():
    assert missing_of(ImportEnd(succeeded=False, message="It failed.", components=(component("0x1", xml(SALES)),)))[0].solution == "msdynce_Sales"
