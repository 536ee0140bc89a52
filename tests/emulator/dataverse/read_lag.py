# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads that lag behind: with the switch ``read_lag``, what a request has written shows in others' reads only after so many seconds.

Writes always work on what is really there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from ..store import Change
from ..world import World
from .organization import Organization

# What recent requests changed, by tenant: the time when it begins to show, and the documents before.
_RECENT: WeakKeyDictionary[World, dict[str, list[tuple[float, list[Change]]]]] = WeakKeyDictionary()


@contextmanager
def consistent(org: Organization, method: str) -> Iterator[None]:
    """Run a request: undo what it changed if it is refused, and let it see what it would see."""
    store, lag = org.world.store, float(org.switch("read_lag", 0))
    recent = _RECENT.setdefault(org.world, {}).setdefault(org.tenant.id, []) if lag else []
    if method != "GET":
        with store.atomic() as changes:
            yield
        recent.append((org.world.now() + lag, list(changes)))
        return
    now = org.world.now()
    hidden = [
        (collection, key, collection.show(key, before)) for until, changes in reversed(recent) if until > now for collection, key, before in reversed(changes)
    ]
    try:
        with store.atomic():
            yield
    finally:
        for collection, key, document in reversed(hidden):
            collection.show(key, document)
