# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Business units: the tree that an organisation's users, teams and roles belong to.

This file is private to the collection.
"""

from __future__ import annotations

import html
from dataclasses import dataclass

from ._candidates import did_you_mean
from ._dataverse import Dataverse
from ._errors import AnswerNotUnderstood, InvalidOption
from ._odata import is_guid, literal, query
from ._rows import needed, needed_id, text


@dataclass(frozen=True)
class BusinessUnit:
    """One unit."""

    id: str
    name: str
    is_root: bool


def find_unit(dataverse: Dataverse, reference: str, option: str) -> BusinessUnit:
    """The unit of a name or id; raises InvalidOption if there is none or the name is not unique."""
    found = _read(dataverse, f"businessunitid eq {reference.lower()}" if is_guid(reference) else f"name eq {literal(reference)}")
    exact = [unit for unit in found if unit.name == reference] or found
    if len(exact) > 1:
        listed = ", ".join(unit.id for unit in exact)
        raise InvalidOption(option, f"{len(exact)} business units have the name {reference}: {listed}.", "Give the id of the one that you mean.")
    if not exact:
        names = [needed(row, "name") for row in dataverse.rows("businessunits" + query(select="name"), doing="list the business units")]
        raise InvalidOption(option, f"this organisation has no business unit {reference}. {did_you_mean(reference, names)}", "Correct the name or id.")
    return exact[0]


def root_unit(dataverse: Dataverse) -> BusinessUnit:
    """The unit at the top."""
    roots = _read(dataverse, "parentbusinessunitid eq null")
    if not roots:
        raise AnswerNotUnderstood(
            why="the organisation shows no root business unit, which every organisation has.",
            next_step="Give the caller's system user a role that may read business units (System Administrator), and run again.",
            doing="look for the root business unit",
            service="dataverse",
        )
    return roots[0]


def organization_setting(dataverse: Dataverse, name: str) -> bool:
    """Whether one of the settings in the column ``orgdborgsettings`` is on."""
    rows = list(dataverse.rows("organizations" + query(select="orgdborgsettings"), doing="read the organisation's settings"))
    settings = html.unescape(text(rows[0], "orgdborgsettings") or "") if rows else ""
    return f"<{name}>true<" in settings


def _read(dataverse: Dataverse, condition: str) -> list[BusinessUnit]:
    path = "businessunits" + query(select="businessunitid,name,_parentbusinessunitid_value", filter=condition)
    rows = dataverse.rows(path, doing="look for the business unit")
    return [BusinessUnit(needed_id(row, "businessunitid"), needed(row, "name"), not text(row, "_parentbusinessunitid_value")) for row in rows]
