# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The writes that change what a security role holds, and what to do when the service wants one in another form.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ._errors import ServiceRefused
from ._plan import Json, Plan, Resolve, Write
from ._privileges import INHERITANCE, Change, label

_ADD = "Microsoft.Dynamics.CRM.AddPrivilegesRole"
_REPLACE = "Microsoft.Dynamics.CRM.ReplacePrivilegesRole"
_REMOVE = "Microsoft.Dynamics.CRM.RemovePrivilegeRole"

CarryOut = Callable[[Plan, Resolve], dict[str, str]]


def plan(
    role_path_id: str,
    role_name: str,
    changes: Sequence[Change],
    inheritance: tuple[int | None, int | None] = (None, None),
    surplus: Sequence[Change] = (),
) -> Plan:
    """One call for all that is added or set to another depth, one call for each removal, one for the inheritance (``(before, after)``).

    With a ``surplus`` to be taken away, one call replaces the whole set.
    """
    role = f"roles({role_path_id})"
    if surplus:
        changes, kept = [*changes, *surplus], [change for change in changes if change.after is not None]
        listed = ", ".join(f"{change.name} ({label(change.after)})" for change in kept) or "nothing"
        replacing = Write("dataverse", "POST", f"{role}/{_REPLACE}", f"let the role {role_name} hold exactly {listed}", _body(kept))
    adding = [change for change in changes if change.needed and change.after is not None]
    removing = [change for change in changes if change.needed and change.after is None]
    writes: list[Write] = []
    if surplus:
        writes.append(replacing)
        adding, removing = [], []
    if adding:
        listed = ", ".join(f"{change.name} ({label(change.after)})" for change in adding)
        writes.append(Write("dataverse", "POST", f"{role}/{_ADD}", f"give the role {role_name} {listed}", _body(adding)))
    writes += [
        Write(
            "dataverse",
            "POST",
            f"{role}/{_REMOVE}",
            f"take {change.name} from the role {role_name}",
            {"Privilege": {"@odata.type": "Microsoft.Dynamics.CRM.privilege", "privilegeid": change.id}},
        )
        for change in removing
    ]
    before, after = ({"role": role_name, **_labels(changes, side)} for side in ("before", "after"))
    words = {number: word for word, number in INHERITANCE.items()}
    if inheritance[1] is not None:
        before["member_privilege_inheritance"] = words.get(inheritance[0] or 0)
        after["member_privilege_inheritance"] = words[inheritance[1]]
        if inheritance[0] != inheritance[1]:
            summary = f"set the member's privilege inheritance of the role {role_name} to {words[inheritance[1]]}"
            writes.append(Write("dataverse", "PATCH", role, summary, {"isinherited": inheritance[1]}))
    return Plan(before, after, tuple(writes))


def is_removal(write: Write) -> bool:
    """Whether a write takes one privilege away."""
    return write.path.endswith(_REMOVE)


def removed_id(write: Write) -> str:
    """The privilege that a removal is about, in either form of its body."""
    body = t.cast("Json", write.body)
    return str(body["Privilege"]["privilegeid"] if "Privilege" in body else body["PrivilegeId"])


def carry_out(send: CarryOut, steps: Plan, resolve: Resolve) -> dict[str, str]:
    """Send a plan.

    Sources disagree on the body of a removal. The documented form goes first; where the service turns it down, what is left of the plan is
    sent with the other one. A turned down request changes nothing, so the plan tells the requests that count either way.
    """
    try:
        return send(steps, resolve)
    except ServiceRefused as error:
        rest = steps.writes[len(error.done) :]
        if rest and rest[0].method == "PATCH":
            _explain_inheritance(error)
        if error.status != 400 or not rest or not is_removal(rest[0]):
            raise
        done, first = error.done, error
    other = tuple(replace(write, body={"PrivilegeId": removed_id(write)}) if is_removal(write) else write for write in rest)
    try:
        return send(Plan(steps.before, steps.after, other), resolve)
    except ServiceRefused as error:
        if not error.done:
            raise first from error
        error.done = [*done, *error.done]
        raise


def _explain_inheritance(error: ServiceRefused) -> None:
    error.why = f"the organisation does not let the member's privilege inheritance of this role be set through its API. {error.why}"
    error.next_step = "Set it in the role editor of the Power Platform admin centre, or leave member_privilege_inheritance out."


def _body(changes: Iterable[Change]) -> Json:
    return {"Privileges": [{"PrivilegeId": change.id, "Depth": change.after.api_name} for change in changes if change.after is not None]}


def _labels(changes: Iterable[Change], side: str) -> Json:
    depths = {change.name: getattr(change, side) for change in changes}
    return {name: label(depth) for name, depth in sorted(depths.items()) if depth is not None}
