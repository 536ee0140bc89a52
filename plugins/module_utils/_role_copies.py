# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which copy of a role to assign to a user: the one in the user's own business unit, with few requests.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Sequence

from ._business_units import organization_setting
from ._dataverse import Dataverse
from ._errors import NotPossible
from ._odata import any_of, is_guid, literal
from ._role_holders import Principal
from ._roles import RoleCopy, read_copies, read_copies_where, role_missing, the_one


class CopyFinder:
    """Finds the copies for pairs of user and role; all that are usual are read in one request, when the first is asked for."""

    def __init__(self, dataverse: Dataverse, lacking: Sequence[tuple[Principal, str]]) -> None:
        """``lacking``: the pairs that will be asked for."""
        self._dataverse = dataverse
        self._lacking = lacking
        self._units = sorted({user.business_unit_id for user, _unused in lacking if user.business_unit_id})
        self._rows: list[RoleCopy] = []
        self._is_read = False
        self._strangers: list[str] = []

    def find(self, user: Principal, reference: str, *, required: bool) -> RoleCopy | None:
        """The copy for a user. The root role for a user that is only planned: its business unit is not known yet."""
        self._read()
        root_id = self._root_id(reference)
        # With the id of another unit's copy, it shows only now that the user holds the right one already
        held = (copy for copy in user.held if copy.root_id == root_id and copy.business_unit_id == user.business_unit_id)
        if (copy := next(held, None)) is not None:
            return copy
        own = self._own(user, reference, root_id)
        if not own and root_id and self._read_copies_of_strangers():
            own = self._own(user, reference, root_id)
        chosen = the_one(own, reference)
        if chosen is not None or not required:
            return chosen
        return self._elsewhere(user, reference, root_id)

    def _own(self, user: Principal, reference: str, root_id: str) -> list[RoleCopy]:
        rows = [row for row in self._rows if _fits(row, reference, root_id) and (user.planned or row.business_unit_id == user.business_unit_id)]
        return [row for row in rows if row.id == row.root_id] or rows[:1] if user.planned else rows

    def _read(self) -> None:
        if not self._is_read:
            self._is_read = True
            references = list(dict.fromkeys(reference for _unused, reference in self._lacking))
            planned = any(user.planned for user, _unused in self._lacking)
            self._rows = _unique(read_copies(self._dataverse, references, self._units, roots=planned))
            self._strangers = [row.root_id for row in self._rows if row.id in map(str.lower, references) and row.id != row.root_id]

    def _read_copies_of_strangers(self) -> bool:
        """Where the id of a copy was given, only then it is known whose copies to look for. Answers whether anything was read."""
        strangers, self._strangers = self._strangers, []
        if strangers:
            self._rows = _unique([*self._rows, *read_copies_where(self._dataverse, any_of("_parentrootroleid_value", strangers))])
        return bool(strangers)

    def _root_id(self, reference: str) -> str:
        return next((row.root_id for row in self._rows if row.id == reference.lower()), "")

    def _elsewhere(self, user: Principal, reference: str, root_id: str) -> RoleCopy:
        """The role where the user's business unit has no copy of it; many organisations let users hold roles of any unit."""
        doing = f"assign the role {reference} to {user.title}"
        condition = f"_parentrootroleid_value eq {root_id or reference.lower()}" if is_guid(reference) else f"name eq {literal(reference)}"
        rows = read_copies_where(self._dataverse, condition)
        if not rows:
            raise role_missing(self._dataverse, reference, doing=doing)
        if not organization_setting(self._dataverse, "EnableOwnershipAcrossBusinessUnits"):  # record ownership across business units
            units = ", ".join(sorted({row.business_unit_id for row in rows}))
            raise NotPossible(
                doing=doing,
                why=f"its business unit ({user.business_unit_id}) has no copy of the role, which exists only in {units}.",
                next_step="Move it to one of these business units, or create the role in the root business unit, from where every unit gets it.",
            )
        chosen = the_one([row for row in rows if row.id == row.root_id] or rows, reference)
        if chosen is None:
            raise role_missing(self._dataverse, reference, doing=doing)
        return chosen


def _unique(rows: Sequence[RoleCopy]) -> list[RoleCopy]:
    return list({row.id: row for row in rows}.values())


def _fits(row: RoleCopy, reference: str, root_id: str) -> bool:
    wanted = reference.casefold()
    return wanted in (row.name.casefold(), row.id, row.root_id) or (bool(root_id) and row.root_id == root_id)
