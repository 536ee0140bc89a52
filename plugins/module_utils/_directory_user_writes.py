# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing the writes for a directory user through: lost answers, other runs, and a directory that lags behind itself.

The directory is many replicas. For up to a minute, a user that was just created or restored may not be found, its
country may not be known to the licence service, and what was written may not be readable.

This file is private to the collection.
"""

from __future__ import annotations

import contextlib
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ._directory_roles import is_role_write
from ._directory_users import WantedUser, differences, read_user
from ._errors import NotPossible, OutcomeUnknown, ServiceRefused, TaskError, WaitedTooLong
from ._graph import Graph, is_conflict
from ._http import Clock
from ._licenses import LicenseChange, disabled_plans, held_licenses, read_products
from ._odata import Row, query
from ._password_files import PasswordFile
from ._plan import Plan, Write, fill
from ._service_plans import explain_refusal, is_about_plans
from ._wait import until

_MINUTE = 60.0
_DELETED = "directory/deletedItems/"
_WEAK = "password-too-weak"
_MOST_PASSWORDS = 3
_ROLE_NOT_HELD = "RoleAssignmentDoesNotExist"


@dataclass
class UserWrites:
    """The one user that a task writes to."""

    graph: Graph
    clock: Clock
    plan: Plan
    wanted: WantedUser
    licenses: LicenseChange
    check_found: Callable[[Row], None]
    """Refuses a user that turned up meanwhile and must not be used."""
    user_id: str = ""
    """Empty until a user that is to be created is there."""
    fresh: bool = False
    """Created or restored by this task: parts of the directory may not know the user yet."""
    password_file: PasswordFile | None = None
    """Where the password came from, if not from an option."""
    found_instead: Row | None = None
    """The user whom somebody else created at the same moment."""

    def resolve(self, write: Write, error: TaskError) -> str | None:
        """What ``carry_out`` asks when a write fails."""
        found = self._resolve(write, error)
        if found is None and error.status == 403:
            error.next_step = _permission(write)
        return found

    def _resolve(self, write: Write, error: TaskError) -> str | None:
        if error.catalogue == _WEAK and self.password_file is not None:
            return self._with_another_password(write, error, self.password_file)
        if write.path == "users":
            return self._resolve_creation(write, error)
        if write.method == "DELETE":
            if write.path.startswith(_DELETED) and _is_missing(error):
                return self._purged(write)
            return "" if _is_missing(error) else None
        if is_role_write(write):
            return "" if error.code == _ROLE_NOT_HELD else None
        if write.path.endswith("/restore"):
            _explain_restoration(error, self.wanted.user_principal_name)
            return "" if _is_missing(error) and self._is_there() else None
        if self._is_lag(error):
            return self._again(write)
        if write.path.endswith("/assignLicense") and error.status == 400 and isinstance(error, ServiceRefused):
            user = self._current()
            if self._as_wanted(user):
                return ""  # another run made the same change first
            self._explain_licensing(error, user)
        return None

    def _with_another_password(self, write: Write, error: TaskError, kept: PasswordFile) -> str | None:
        """What the service's list of banned passwords holds is not known, so a generated one may be unlucky; never twice in a row."""
        path = fill(write.path, {"user_id": self.user_id})
        for _attempt in range(_MOST_PASSWORDS):
            password = kept.another()
            if password is None:
                error.next_step = f"The password is the one in {kept.path}. Delete the file to have another one made, or put a better one there."
                return None
            self.wanted = replace(self.wanted, password=password)
            body = write.body if isinstance(write.body, dict) else {}
            again = replace(write, body={**body, "passwordProfile": self.wanted.password_profile()})
            try:
                return self.graph.write(again, path)
            except TaskError as refusal:
                if refusal.catalogue == _WEAK:
                    continue
                found = self.resolve(again, refusal)
                if found is None:
                    raise
                return found
        return None

    def _explain_licensing(self, error: ServiceRefused, user: Row) -> None:
        if is_about_plans(error.message):
            with contextlib.suppress(TaskError):
                explain_refusal(error, self.licenses, held_licenses(user), read_products(self.graph, plans=True))

    def _purged(self, write: Write) -> str:
        """One that this task has just deleted may need a moment until it is in the recycle bin; one that is not there after that is gone."""
        deleted_now = f"users/{write.path.removeprefix(_DELETED)}" in {other.path for other in self.plan.writes}

        def attempt() -> str | None:
            try:
                return self.graph.write(write, write.path)
            except ServiceRefused as again:
                if not _is_missing(again):
                    raise
                return None

        return (until(self.clock, attempt, seconds=_MINUTE, first=1) or "") if deleted_now else ""

    def read_back(self, known_id: str) -> Row:
        """The user, once all that was written can be read."""
        self.user_id = known_id or self.user_id
        with self.all_done():
            found = until(self.clock, self._look, seconds=_MINUTE)
            if found is None:
                raise self._too_long("the directory accepted all changes but does not show them")
        return found

    def wait_until_gone(self) -> None:
        """After a deletion."""
        purged = [write.path for write in self.plan.writes if write.path.startswith(_DELETED)]

        def look() -> bool | None:
            if self.user_id and read_user(self.graph, self.user_id) is not None:
                return None
            while purged and self.graph.find(purged[0] + query(select="id"), doing="look whether the deleted user is gone") is None:
                del purged[0]
            return None if purged else True

        with self.all_done():
            if until(self.clock, look, seconds=_MINUTE) is None:
                raise self._too_long("the directory accepted the deletion but still shows the user")

    @contextlib.contextmanager
    def all_done(self) -> Iterator[None]:
        """What fails within fails after all writes, and must say so."""
        try:
            yield
        except TaskError as error:
            error.done = [*(write.summary for write in self.plan.writes), *error.done]
            raise

    def _too_long(self, what: str) -> WaitedTooLong:
        return WaitedTooLong(
            doing=f"read {self.wanted.user_principal_name} back",
            why=f"{what} after {_MINUTE:.0f} seconds.",
            next_step="Run again in some minutes; what is there will be looked at first.",
            service="graph",
        )

    def _is_there(self) -> bool:
        return until(self.clock, lambda: read_user(self.graph, self.user_id), seconds=_MINUTE) is not None

    def _look(self) -> Row | None:
        user = read_user(self.graph, self.user_id)
        return user if self._as_wanted(user) else None

    def _as_wanted(self, user: Row | None) -> t.TypeGuard[Row]:
        if user is None or differences(user, self.wanted):
            return False
        held = held_licenses(user)
        direct = {entry.sku_id for entry in held if entry.source == "direct"}
        off = disabled_plans(held)
        planned = all(off.get(sku_id) == plans for sku_id, plans in self.licenses.plans.items())
        return planned and off.keys() >= {*self.licenses.add} and direct.isdisjoint(self.licenses.remove)

    def _resolve_creation(self, write: Write, error: TaskError) -> str | None:
        """The name is unique in the directory, so looking and sending again can never make a second user."""
        if is_conflict(error, "mailNickname"):
            error.next_step = "Another object has this mail nickname. Choose another one with mail_nickname."
        conflict = is_conflict(error, "userPrincipalName")
        if not conflict and not isinstance(error, OutcomeUnknown):
            return None
        found: Row | None = None

        def look() -> str | None:
            nonlocal found, conflict
            found = read_user(self.graph, self.wanted.user_principal_name)
            if found is not None:
                return str(found["id"])
            if conflict:
                return None
            try:
                return self.graph.write(write, write.path)
            except (OutcomeUnknown, ServiceRefused) as again:
                if not is_conflict(again, "userPrincipalName") and not isinstance(again, OutcomeUnknown):
                    raise
            return None

        user_id = until(self.clock, look, seconds=_MINUTE, first=1)
        if found is not None:
            self._adopt(found, ours=isinstance(error, OutcomeUnknown))
        self.user_id = user_id or ""
        return user_id

    def _adopt(self, user: Row, *, ours: bool) -> None:
        """Go on with a user that is there after all, unless it is not the one that this task would have created."""
        different = differences(user, self.wanted)
        if different:
            raise NotPossible(
                doing=f"create the user {self.wanted.user_principal_name}",
                why=f"somebody else created one of this name at the same moment, with another {', '.join(entry.option for entry in different)}.",
                next_step="Look at the user. Running again changes it into what the options say.",
                service="graph",
            )
        if not ours:
            self.found_instead = user
            self.check_found(user)

    def _is_lag(self, error: TaskError) -> bool:
        """Whether the refusal only means that a part of the directory does not know yet what this task has written."""
        if _is_missing(error):
            return self.fresh
        country_is_new = self.fresh or any(isinstance(write.body, dict) and "usageLocation" in write.body for write in self.plan.writes)
        return isinstance(error, ServiceRefused) and "invalid usage location" in error.message and country_is_new

    def _again(self, write: Write) -> str | None:
        path = fill(write.path, {"user_id": self.user_id or self._current()["id"]})

        def attempt() -> str | None:
            try:
                return self.graph.write(write, path)
            except ServiceRefused as again:
                if not self._is_lag(again):
                    raise
                return None

        return until(self.clock, attempt, seconds=_MINUTE, first=1)

    def _current(self) -> Row:
        """The user as it is now; one that was just created is looked for by its name, because its id was not kept."""
        reference = self.user_id or self.wanted.user_principal_name
        found = until(self.clock, lambda: read_user(self.graph, reference), seconds=_MINUTE)
        if found is None:
            raise self._too_long("the directory does not show the user")
        self.user_id = str(found["id"])
        return found


def _is_missing(error: TaskError) -> bool:
    return isinstance(error, ServiceRefused) and error.status == 404


def _explain_restoration(error: TaskError, user_principal_name: str) -> None:
    """What stands in the way of a deleted user who is to come back."""
    if is_conflict(error):
        error.why = f"Something of the deleted user belongs to another object now. {error.why}"
        error.next_step = (
            f"If another user has the name {user_principal_name} now, run again: that user is managed then. Otherwise rename the other object, restore "
            "the user under another name (newUserPrincipalName in Microsoft Graph's restore call), or choose deleted_user=ignore to create a new user."
        )


def _permission(write: Write) -> str:
    """Which permission a refused write needs."""
    if is_role_write(write):
        return (
            "Grant the automation's application RoleManagement.ReadWrite.Directory (Microsoft Graph; for roles that can be activated "
            "RoleEligibilitySchedule.Remove.Directory is enough), or have a Privileged Role Administrator take the roles away."
        )
    if write.path.endswith("/assignLicense"):
        return "Grant the automation's application LicenseAssignment.ReadWrite.All or User.ReadWrite.All (Microsoft Graph), and run again."
    if write.method == "DELETE" or write.path.endswith("/restore"):
        return "Grant the automation's application User.DeleteRestore.All or User.ReadWrite.All (Microsoft Graph), and run again."
    if write.method == "PATCH" and isinstance(write.body, dict) and "passwordProfile" in write.body:
        return (
            "To set an existing user's password, an application needs User.ReadWrite.All or User-PasswordProfile.ReadWrite.All and, besides, "
            "the Entra role User Administrator (Privileged Authentication Administrator if the user holds an admin role). "
            "Assign the role to its service principal, or leave update_password at on_create."
        )
    return (
        "Grant the automation's application User.ReadWrite.All (Microsoft Graph), and run again. "
        "A user who holds an admin role can only be changed by a higher one."
    )
