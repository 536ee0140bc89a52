# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``crm_role_privilege`` through real ``ansible-playbook``: what a role holds, times what it is to hold.

Each cell is run with ``--check --diff``, for real, and for real again; see ``Converged.prove`` for what holds for all of them.

``REQUESTS`` tells how many requests each of the three runs sends (sign-in left out), as ``check/real/again``. They cannot be fewer:

* The role is one request, for its root and whether it may be changed; what it holds is another, for the service tells that only by a function
  of its own. A table's privileges and their allowed depths are one request for each table.
* A privilege that is named costs a look only where it is lacking or has another depth: its id and the depths that it allows.
* All that is added or set to another depth is one write; each removal is one, because the service takes one privilege at a time; where
  ``exact`` takes something away, one write replaces the whole set. The inheritance is a write of its own, to another address.
* In the end one look at the privileges, if any were written, and one at the role, if its inheritance was.
* A locked role's companion is one more look, at it, and another at what it holds, if it exists; to create it takes the root business unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from .fleet import Json
from .matrix import Bench
from .organization_rows import BASELINE, CHILD_UNIT, STRANGE, copy_of, held_privileges, role, set_privileges, unit
from .playbook_matrix import Cell, Converged, Matrix, request_table

READ, WRITE, OWN_SETTINGS = "prvReadAsyncOperation", "prvWriteAsyncOperation", "prvCreateUserEntityUISettings"
LOCKED = "Basic User"
COMPANION = "Basic User (additional privileges)"
Depths = dict[str, str]

HELD: dict[str, Depths] = {
    "nothing": {},
    "as wanted": {READ: "Local"},
    "lower": {READ: "Basic"},
    "higher": {READ: "Global"},
    "another": {WRITE: "Basic"},
    "more and higher": {READ: "Global", WRITE: "Basic", OWN_SETTINGS: "Basic"},
}


def _read(**more: object) -> Json:
    """The privilege to read system jobs, by table and access right."""
    return {"privileges": [{"table": "asyncoperation", "access": ["read"], **more}]}


def _at_least_local(held: Depths) -> Depths:
    return {**held, READ: "Global" if held.get(READ) == "Global" else "Local"}


LOCAL = {"depth": "business_unit"}
WANTED: dict[str, tuple[Json, Callable[[Depths], Depths]]] = {
    "by table": (_read(**LOCAL), _at_least_local),
    "by name": ({"privileges": [{"name": READ.lower(), "depth": "local"}]}, _at_least_local),
    "lowered": ({**_read(**LOCAL), "allow_lower": True}, lambda held: {**held, READ: "Local"}),
    "exact": ({**_read(**LOCAL), "exact": True}, lambda held: {READ: _at_least_local(held)[READ]}),
    "exactly": ({**_read(**LOCAL), "exact": True, "allow_lower": True}, lambda _held: {READ: "Local"}),
    "absent": ({**_read(), "state": "absent"}, lambda held: {name: depth for name, depth in held.items() if name != READ}),
    "inherited": ({**_read(**LOCAL), "member_privilege_inheritance": "team_only"}, _at_least_local),
}


def _cell(start: str, wanted: str, *, in_worker: bool = True, **behaviour: object) -> Cell:
    def arrange(bench: Bench) -> Json:
        set_privileges(bench, role(bench, STRANGE), HELD[start])
        return {"role": STRANGE, **WANTED[wanted][0]}

    marks = "-".join(["" if in_worker else "-ordinary", *map(str, behaviour.values())])
    name = f"{start}-{wanted}".replace(" ", "-") + marks.lower()
    return Cell(name, "crm_role_privilege", arrange, {"behaviour": behaviour}, in_worker=in_worker)


KEYS = [(start, wanted) for start in HELD for wanted in WANTED]
CELLS = {key: _cell(*key) for key in KEYS}
OTHER_FORM = {(start, form): _cell(start, "absent", remove_privilege_by_id=form) for start in ("as wanted", "more and higher") for form in (True, "only")}
"""Organisations that take a removal in the other form as well, or in no other."""
ORDINARY = {key: _cell(*key, in_worker=False) for key in [("lower", "by name"), ("more and higher", "exactly")]}
"""A sample of them, once more the ordinary way."""
REQUESTS = """
                 by table    by name     lowered     exact       exactly     absent      inherited
nothing          3/5/3       3/5/2       3/5/3       3/5/3       3/5/3       3/3/3       3/7/3
as wanted        3/3/3       2/2/2       3/3/3       3/3/3       3/3/3       3/5/3       3/5/3
lower            3/5/3       3/5/2       3/5/3       3/5/3       3/5/3       3/5/3       3/7/3
higher           3/3/3       2/2/2       3/5/3       3/3/3       3/5/3       3/5/3       3/5/3
another          3/5/3       3/5/2       3/5/3       3/5/3       3/5/3       3/3/3       3/7/3
more and higher  3/3/3       2/2/2       3/5/3       3/5/3       3/5/3       3/5/3       3/5/3
"""

_TWO = [{"name": READ, "depth": "organization"}, {"name": OWN_SETTINGS, "depth": "user"}]


def _locked(**options: object) -> Callable[[Bench], Json]:
    return lambda _bench: {"role": LOCKED, "privileges": _TWO, **options}


def _own(**options: object) -> Callable[[Bench], Json]:
    def arrange(bench: Bench) -> Json:
        set_privileges(bench, role(bench, STRANGE), {READ: "Basic"})
        return {"role": STRANGE, **options}

    return arrange


def _by_copy(bench: Bench) -> Json:
    role(bench, STRANGE)
    return {"role": copy_of(bench, STRANGE, unit(bench, CHILD_UNIT))["roleid"], "privileges": [{"name": READ, "depth": "local"}]}


def _with_companion(depths: Depths) -> Callable[[Bench], Json]:
    def arrange(bench: Bench) -> Json:
        set_privileges(bench, role(bench, COMPANION), depths)
        return {"role": LOCKED, "privileges": _TWO, "locked_role": "companion"}

    return arrange


def _managed_companion(bench: Bench) -> Json:
    bench.store("roles", role(bench, STRANGE), ismanaged=True)
    return {"role": LOCKED, "privileges": _TWO, "locked_role": "companion", "companion_role": STRANGE}


def _one(**item: object) -> list[Json]:
    return [dict(item)]


REFUSED: dict[str, tuple[Callable[[Bench], Json], str]] = {
    "locked": (_locked(), "locked"),
    "locked-lower": (_locked(privileges=_one(name="prvReadAccount"), state="absent", locked_role="companion"), "locked"),
    "locked-inheritance": (_locked(locked_role="companion", member_privilege_inheritance="team_only"), "locked"),
    "administrator": (_locked(role="System Administrator", privileges=_one(name="prvReadAccount"), state="absent"), "always"),
    "managed-companion": (_managed_companion, "managed solution"),
    "depth-not-allowed": (_own(privileges=_one(name="prvReadOrganization", depth="user")), "it allows organization"),
    "depth-not-allowed-by-table": (_own(privileges=_one(table="organization", access=["read"], depth="user")), "it allows organization"),
    "unknown-privilege": (_own(privileges=_one(name="prvReadAsyncOperatoin", depth="user")), READ),
    "unknown-table": (_own(privileges=_one(table="asyncoperatoin", access=["read"], depth="user")), "no table"),
    "unknown-right": (_own(privileges=_one(table="organization", access=["share"], depth="organization")), "has no privilege to share"),
    "contradiction": (_own(privileges=[{"name": READ, "depth": "user"}, {"table": "asyncoperation", "access": ["read"], "depth": "organization"}]), "twice"),
    "unknown-role": (_own(role=STRANGE[:-1], privileges=[]), STRANGE),
    "no-depth": (_own(privileges=_one(name=READ)), "privileges[0].depth"),
}
DONE: dict[str, tuple[Callable[[Bench], Json], str, Depths]] = {
    "companion": (_locked(locked_role="companion"), COMPANION, {READ: "Global"}),
    "companion-named": (_locked(locked_role="companion", companion_role=STRANGE), STRANGE, {READ: "Global"}),
    "companion-there": (_with_companion({READ: "Global"}), COMPANION, {READ: "Global"}),
    "companion-lower": (_with_companion({READ: "Local", WRITE: "Basic"}), COMPANION, {READ: "Global", WRITE: "Basic"}),
    "baseline-stays": (_own(privileges=[{"name": name} for name in BASELINE], state="absent"), STRANGE, {READ: "Basic"}),
    "by-a-copy": (_by_copy, STRANGE, {READ: "Local"}),
    "empty-exact": (_own(privileges=[], exact=True), STRANGE, {}),
    "only-inheritance": (_own(privileges=[], member_privilege_inheritance="team_only"), STRANGE, {READ: "Basic"}),
    "many-tables": (
        _own(
            privileges=[
                {"table": "asyncoperation", "access": ["read", "write", "append_to"], "depth": "organization"},
                {"table": "userentityuisettings", "access": ["create", "read", "write"], "depth": "user"},
                {"name": "prvReadAccount", "depth": "parent_child"},
            ]
        ),
        STRANGE,
        {
            **dict.fromkeys([READ, WRITE, "prvAppendToAsyncOperation"], "Global"),
            **dict.fromkeys([OWN_SETTINGS, "prvReadUserEntityUISettings", "prvWriteUserEntityUISettings"], "Basic"),
            "prvReadAccount": "Deep",
        },
    ),
}
"""The role that the writes are about, and what it holds in the end."""
SPECIAL = {name: Cell(name, "crm_role_privilege", case[0]) for name, case in (REFUSED | DONE).items()}
SPECIAL["inheritance-fixed"] = Cell(
    "inheritance-fixed", "crm_role_privilege", _own(privileges=[], member_privilege_inheritance="team_only"), {"behaviour": {"inheritance_fixed": True}}
)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Converged]]:
    cells = [*CELLS.values(), *OTHER_FORM.values(), *ORDINARY.values(), *SPECIAL.values()]
    with Matrix(cells, tmp_path_factory.mktemp("matrix")) as matrix:
        yield matrix.converge()


def _held(one: Converged, name: str = STRANGE) -> Depths:
    row = one.bench.row("roles", name=name, _parentroleid_value=None)
    return held_privileges(one.bench, row["roleid"])


@pytest.mark.parametrize(("start", "wanted"), KEYS)
def test_cell(ended: dict[str, Converged], start: str, wanted: str):
    one = ended[CELLS[start, wanted].name]
    one.prove()
    assert not one.real.result["failed"], one.real.result["msg"]
    assert _held(one) == WANTED[wanted][1](HELD[start])
    assert one.bench.row("roles", name=STRANGE, _parentroleid_value=None)["isinherited"] == (0 if wanted == "inherited" else 1)


@pytest.mark.parametrize("key", OTHER_FORM, ids=str)
def test_organisations_that_want_removals_in_another_form(ended: dict[str, Converged], key: tuple[str, object]):
    one = ended[OTHER_FORM[key].name]
    one.prove()
    assert _held(one) == WANTED["absent"][1](HELD[key[0]])


@pytest.mark.parametrize("key", ORDINARY, ids="-".join)
def test_the_ordinary_way_is_no_other(ended: dict[str, Converged], key: tuple[str, str]):
    ordinary, inside = ended[ORDINARY[key].name], ended[CELLS[key].name]
    ordinary.prove()
    assert ordinary.counts == inside.counts
    assert ordinary.real.result["privileges"] == inside.real.result["privileges"]
    assert _held(ordinary) == _held(inside)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_before_any_write(ended: dict[str, Converged], name: str):
    one = ended[name]
    one.prove()
    assert one.real.result["failed"]
    assert REFUSED[name][1] in one.real.result["msg"]
    assert one.real.result["error"]["next_step"]


@pytest.mark.parametrize("name", DONE)
def test_special_cases(ended: dict[str, Converged], name: str):
    one = ended[name]
    one.prove()
    assert not one.real.result["failed"], one.real.result["msg"]
    assert _held(one, DONE[name][1]) == DONE[name][2]


def test_what_is_told_besides(ended: dict[str, Converged]):
    companion = ended["companion"].real.result["companion_role"]
    assert (companion["name"], companion["privileges"]) == (COMPANION, [{"name": READ, "depth": "organization"}])
    assert ended["companion-there"].real.result["companion_role"]["name"] == COMPANION
    assert "belongs to every role" in ended["baseline-stays"].real.result["warnings"][0]
    assert "role editor" in ended["inheritance-fixed"].real.result["error"]["next_step"]
    # The copy, the role and what it holds, the name; a write; what it holds
    assert ended["by-a-copy"].counts == (4, 6, 3)
    # The role and what it holds, two tables, one name; all in one write; what it holds
    assert ended["many-tables"].counts == (5, 7, 4)
    # The role and what it holds, the names, the companion, the root unit; two writes; what the companion holds
    assert ended["companion"].counts == (5, 8, 5)


def test_requests(ended: dict[str, Converged]):
    shown = request_table(ended, {key: cell.name for key, cell in CELLS.items()})
    assert shown == REQUESTS, shown
