# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory's replicas: new objects are invisible to readers for a while, and close writes collide."""

from __future__ import annotations

from ..store import Document
from .call import Call
from .errors import concurrency_violation

_FLAPS = 6


def visible_from(call: Call) -> float:
    """When an object that is created now reaches the readers."""
    return call.world.now() + call.seconds("read_lag")


def is_visible(call: Call, document: Document) -> bool:
    """Whether this read sees the object; with ``flapping_reads`` the first reads of a new object alternate."""
    if call.world.now() < float(document.get("_visible_from") or 0.0):
        return False
    flaps = call.switch("flapping_reads", default=False)
    if not flaps or not document.get("_visible_from"):
        return True
    reads = call.collection("graphReads")
    number = int(reads.get(document["id"], {"_number": 0})["_number"])
    limit = _FLAPS if flaps is True else int(flaps)
    if number >= limit:
        return True
    reads[document["id"]] = {"_number": number + 1}
    return number % 2 == 0


def note_write(call: Call, object_id: str) -> None:
    """Refuse a write that comes within ``concurrency_window`` seconds of another one to the same object."""
    window = float(call.switch("concurrency_window", 0.0))
    if window <= 0:
        return
    writes = call.collection("graphWrites")
    now = call.world.now()
    if now < float(writes.get(object_id, {"_until": 0.0})["_until"]):
        raise concurrency_violation(int(call.switch("concurrency_status", 409)))
    writes[object_id] = {"_until": now + window}
