# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refused or failed operation on solutions means: busy, unknown to this organisation, or ended with a reason.

This file is private to the collection.
"""

from __future__ import annotations

from ._dataverse import IMPORT_TIMED_OUT, NOT_FOUND, is_lock
from ._error_catalogue import explain
from ._errors import ServiceRefused, TaskError
from ._odata import Row
from ._solution_import_results import CANCELED, hex_code


def ended_badly(doing: str, row: Row, facts: Row) -> ServiceRefused:
    """The error that a completed system job, or an entry of the history, tells of."""
    message, code = str(row.get("message") or row.get("friendlymessage") or ""), hex_code(row.get("errorcode"))
    known = explain("dataverse", code, message)
    said = " ".join(message.split()).rstrip(".")
    if row.get("statuscode") == CANCELED:
        why, next_step = "somebody cancelled it while it ran.", "Find out who and why (Solution history shows it), then run again."
    elif known:
        why, next_step = f"it ran and failed. {known.meaning}", known.next_step
    else:
        why = f"it ran and failed: {said}." if said else "it ran and failed; the organisation does not say why."
        next_step = "Correct what the organisation names, then run again; Solution history has the details."
    return ServiceRefused(
        doing=doing, why=why, next_step=next_step, service="dataverse", code=code, catalogue=known.name if known else "", message=message, facts=facts
    )


def locked(error: TaskError) -> bool:
    """Whether the organisation is busy with another import, publication or removal."""
    return isinstance(error, ServiceRefused) and (is_lock(error.code, error.message) or error.code.lower() == IMPORT_TIMED_OUT)


def no_such_action(error: TaskError) -> bool:
    """An unknown name in the address; the status is not always 404, and 404 also says that the solution is not there."""
    return isinstance(error, ServiceRefused) and (error.code.lower() == "0x80060888" or (error.status == 404 and error.code.lower() not in NOT_FOUND))
