# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans: what is written, in what order, and what an error tells about it."""

from __future__ import annotations

import pytest

from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import NotPossible, OutcomeUnknown, ServiceRefused, TaskError
from ansible_collections.leadops.dynamics365.plugins.module_utils._plan import Write, carry_out, fill

CREATE = Write("graph", "POST", "users", "create the user", body={"password": "hush"}, yields="user_id", repeatable=False)
LICENSE = Write("graph", "POST", "users/{user_id}/assignLicense", "assign the product")


class Sender:
    def __init__(self, *answers: str | Exception) -> None:
        self.answers = list(answers)
        self.paths: list[str] = []

    def write(self, write: Write, path: str) -> str:
        self.paths.append(f"{write.method} {path}")
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_later_writes_know_the_ids_of_earlier_ones():
    graph = Sender("42", "")
    assert carry_out((CREATE, LICENSE), {"graph": graph}) == {"user_id": "42"}
    assert graph.paths == ["POST users", "POST users/42/assignLicense"]


def test_a_failure_tells_what_was_done_before_it():
    graph = Sender("42", ServiceRefused(why="No seat."))
    with pytest.raises(ServiceRefused) as caught:
        carry_out((CREATE, LICENSE), {"graph": graph})
    assert caught.value.done == ["create the user"]
    assert caught.value.doing == "assign the product"
    assert caught.value.to_fail_json("contoso")["changed"] is True
    assert "Already done by this task: create the user." in str(caught.value)


def test_a_failure_that_comes_of_looking_tells_the_same():
    def resolve(_write: Write, _error: TaskError) -> str | None:
        raise NotPossible(why="Another one has it.")

    with pytest.raises(NotPossible) as caught:
        carry_out((CREATE, LICENSE), {"graph": Sender("42", OutcomeUnknown(why="No answer."))}, resolve=resolve)
    assert (caught.value.done, caught.value.doing) == (["create the user"], "assign the product")


def test_a_lost_answer_is_resolved_by_looking():
    graph = Sender(OutcomeUnknown(why="No answer."), "")
    known = carry_out((CREATE, LICENSE), {"graph": graph}, resolve=lambda write, _error: "42" if write is CREATE else None)
    assert known == {"user_id": "42"}
    assert graph.paths[-1] == "POST users/42/assignLicense"


def test_results_name_the_path_and_never_the_body():
    assert CREATE.to_result({}) == {"service": "graph", "method": "POST", "path": "users", "summary": "create the user"}
    assert "hush" not in repr(CREATE)
    assert fill(LICENSE.path, {}) == "users/{user_id}/assignLicense"
