# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operations on solutions share: answers, and running to the end before the gateway loses patience."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..store import Document
from ..wire import Response
from .context import Context
from .errors import bad_payload, fault
from .present import JSON_TYPE
from .solution_jobs import Kind, finish_now, start, stem
from .solution_lock import lock_name, lock_problem, require_unlocked
from .solution_problems import Problem

_GATEWAY_LIMIT = 120


def reply(context: Context, operation: str, **members: Any) -> Response:
    """Answer an operation with its response's members."""
    address = f"{context.api}/$metadata#Microsoft.Dynamics.CRM.{operation}Response"
    return Response.of_json(200, {"@odata.context": address, **members}, JSON_TYPE)


def only(body: Mapping[str, Any], operation: str, *names: str) -> None:
    """Refuse parameters that an operation does not have."""
    for name in body:
        if name not in names and not name.startswith("@"):
            raise bad_payload(operation, f"The parameter '{name}' in the request payload is not a valid parameter for the operation '{operation}'.")


def required_text(body: Mapping[str, Any], operation: str, name: str) -> str:
    """Read a parameter that has to be there."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise bad_payload(operation, f"The required parameter '{name}' of type 'Edm.String' is missing or has another type.")
    return value


def seconds_of(context: Context, kind: Kind, *, in_background: bool) -> float:
    """How long an operation takes: ``timing`` tells; synchronous ones are done at once unless it does."""
    timing = context.org.tenant.timing
    if in_background:
        return float(timing.get(stem(kind), timing.get("import", 3.0)))
    return float(timing.get("sync_import" if stem(kind) == "import" else stem(kind), 0.0))


def run_now(
    context: Context,
    kind: Kind,
    message: str,
    package: Mapping[str, Any],
    answer: Callable[[Document], Response],
    *,
    problem: Problem | None = None,
    overwrite: bool = False,
    job_id: str | None = None,
) -> Response:
    """Run an operation to its end, or past the gateway's limit: then it goes on, and the gateway answers that it waited too long."""
    org = context.org
    require_unlocked(org, lock_name(kind))
    seconds = seconds_of(context, kind, in_background=False)
    user = context.access.user
    job = start(org, kind, message, package, user, duration=seconds, problem=problem, overwrite=overwrite, job_id=job_id, system_job=False)
    if seconds > float(org.switch("gateway_limit", _GATEWAY_LIMIT)):
        page = "<html><head><title>504 Gateway Time-out</title></head><body><h1>504 Gateway Time-out</h1></body></html>"
        return Response(504, page.encode(), {"content-type": "text/html"})
    failed = finish_now(org, job)
    if failed is not None:
        # Returned, not raised: the records of the failure stay.
        return fault(400, failed.code, failed.detail).response
    return answer(org.tenant.collection("imports")[job["asyncoperationid"]])


def run_in_background(
    context: Context,
    kind: Kind,
    message: str,
    package: Mapping[str, Any],
    *,
    problem: Problem | None = None,
    overwrite: bool = False,
    job_id: str | None = None,
) -> Document:
    """Start an operation as a system job; the lock refuses it here, or by a switch fails the job."""
    org = context.org
    lock = lock_problem(org, lock_name(kind)) if org.switch("lock_in_job", default=False) else None
    if lock is None:
        require_unlocked(org, lock_name(kind))
    seconds = seconds_of(context, kind, in_background=True)
    user, out = context.access.user, lock is not None
    return start(org, kind, message, package, user, duration=seconds, problem=lock or problem, overwrite=overwrite, job_id=job_id, locked_out=out)
