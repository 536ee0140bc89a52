# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``crm_role_info`` through real ``ansible-playbook``: what is told of which roles, with how many requests, and nothing written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .fleet import Json
from .matrix import Bench
from .organization_rows import BASELINE, CHILD_UNIT, STRANGE, alex, change_alex, give, role, set_privileges, unit, upn
from .playbook_matrix import Cell, Converged, Matrix

READ = "prvReadAsyncOperation"


def _arrange(bench: Bench) -> str:
    """A role of a strange name that alex holds in the child unit, and the root unit's team in the root unit."""
    role_id = role(bench, STRANGE)
    set_privileges(bench, role_id, {READ: "Local"})
    change_alex(bench, _businessunitid_value=unit(bench, CHILD_UNIT))
    give(bench, alex(bench), STRANGE)
    give(bench, bench.row("teams", name=bench.about["name"]), STRANGE)
    return role_id


def _everything(_bench: Bench) -> Json:
    return {}


def _some(bench: Bench) -> Json:
    _arrange(bench)
    return {"roles": [STRANGE, "system *", "No Such Role"], "privileges": True, "holders": True}


def _copies(bench: Bench) -> Json:
    return {"roles": [_arrange(bench)], "business_unit": CHILD_UNIT, "holders": True}


CELLS = [
    Cell("everything", "crm_role_info", _everything),
    Cell("some", "crm_role_info", _some),
    Cell("copies", "crm_role_info", _copies),
    Cell("ordinary-some", "crm_role_info", _some, in_worker=False),
]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Converged]]:
    with Matrix(CELLS, tmp_path_factory.mktemp("matrix")) as matrix:
        yield matrix.converge()


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_nothing_is_written(ended: dict[str, Converged], cell: Cell):
    one = ended[cell.name]
    one.prove()
    assert not one.real.result["failed"], one.real.result["msg"]
    assert not one.real.result["changed"]
    assert len(set(one.counts)) == 1
    # All roles are one request, the names of all business units another, and a unit that is named one more;
    # then each role's privileges are one, and so are its users and its teams
    assert one.counts[0] == {"everything": 2, "some": 2 + 3 * 3, "ordinary-some": 2 + 3 * 3, "copies": 3 + 2 * 2}[cell.name]


def test_everything(ended: dict[str, Converged]):
    one = ended["everything"]
    told = one.real.result["roles"]
    assert {item["id"] for item in told} == {row["roleid"] for row in one.bench.rows("roles") if row["_parentroleid_value"] is None}
    assert "privileges" not in told[0]


@pytest.mark.parametrize("name", ["some", "ordinary-some"])
def test_some(ended: dict[str, Converged], name: str):
    one = ended[name]
    result = one.real.result
    assert [item["name"] for item in result["roles"]] == [STRANGE, "System Administrator", "System Customizer"]
    assert result["missing"] == ["No Such Role"]
    strange = result["roles"][0]
    assert (strange["managed"], strange["customizable"], strange["is_root"]) == (False, True, True)
    assert {item["name"]: item["depth"] for item in strange["privileges"] if item["name"] not in BASELINE} == {READ: "business_unit"}
    assert [user["user_principal_name"] for user in strange["users"]] == [upn(one.bench)]
    assert [team["name"] for team in strange["teams"]] == [one.bench.about["name"]]


def test_copies(ended: dict[str, Converged]):
    told = ended["copies"].real.result["roles"]
    copies = [item for item in told if not item["is_root"]]
    assert [(item["business_unit"], len(item["users"]), len(item["teams"])) for item in copies] == [(CHILD_UNIT, 1, 0)]
