# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dataverse Web API of one organisation: sign-in, version, limits, headers, and then the operation."""

from __future__ import annotations

import json
import re

from .. import odata
from ..hosts import authority_for
from ..store import Document
from ..wire import Request, Response, ServiceError
from ..world import Caller, Tenant, TokenProblem, World
from .batch import run_batch
from .context import Context, Preferences
from .dispatch import run
from .errors import bad_query, fault, no_such_property
from .organization import Organization
from .read_lag import consistent
from .security import Access
from .solution_jobs import advance_imports
from .throttling import COOKIE, Allowance, limits_of, measured, server_of
from .users import advance_users, enter

_ROOT = re.compile(r"/api/data/v(\d+)\.(\d+)(/.*)?")
_BATCH = re.compile(r"/(\$|%24)batch/?")


def handle(world: World, tenant: Tenant, caller: Caller, request: Request) -> Response:
    """Answer a request whose token is good."""
    org = Organization(world, tenant)
    allowance: Allowance | None = None
    server = server_of(org, request)
    try:
        api, path = _address(org, request)
        advance_users(org)
        advance_imports(org)
        with measured(org, caller.object_id, server, request) as allowance:
            response = _answer(org, caller, request, api, path)
    except ServiceError as refusal:
        response = refusal.response
    return _finished(org, request, response, server, allowance)


def unauthorized(_world: World, tenant: Tenant | None, _problem: TokenProblem, request: Request) -> Response:
    """Answer a request without a good token: 401, with where to get one. The body is not recorded; it is empty."""
    owner = tenant.id if tenant is not None else "common"
    challenge = f"Bearer authorization_uri={authority_for(request.base_url)}/{owner}/oauth2/authorize, resource_id={request.base_url}/"
    return Response(401, b"", {"www-authenticate": challenge, "req_id": request.request_id, "x-ms-service-request-id": request.request_id})


def _address(org: Organization, request: Request) -> tuple[str, str]:
    """Take the API's root and the rest out of the path; an organisation serves its own major version, up to its minor one."""
    found = _ROOT.fullmatch(request.raw_path)
    major, minor = org.version[:2]
    if found is None or int(found[1]) != major or int(found[2]) > minor:
        status = int(org.switch("unknown_version_status", 404))
        raise fault(status, "0x80060888", f"There is no Web API at '{request.path}' in an organization of version {major}.{minor}.")
    return f"{request.base_url}/api/data/v{found[1]}.{found[2]}", found[3] or "/"


def _answer(org: Organization, caller: Caller, request: Request, api: str, path: str) -> Response:
    access = _enter(org, caller, request)
    headers = dict(request.headers)
    if "mscrm.solutionuniquename" in headers:
        raise _context(org, access, request, api, path).not_emulated("MSCRM.SolutionUniqueName")
    if headers.get("mscrm.bypasscustompluginexecution", "").lower() == "true":
        access.require("prvBypassCustomPlugins")
    context = _context(org, access, request, api, path)
    if _BATCH.fullmatch(path):
        return run_batch(context, _run)
    with consistent(org, request.method):
        return _run(context)


def _context(org: Organization, access: Access, request: Request, api: str, path: str) -> Context:
    headers = dict(request.headers)
    prefer = Preferences.of(headers.get("prefer", ""))
    return Context(org, access, request, prefer, api, request.method, path, request.query, headers, request.body)


def _run(context: Context) -> Response:
    """Run one operation and turn what is wrong with its query into Dataverse's words."""
    try:
        response = run(context)
    except odata.UnknownPropertyError as problem:
        raise no_such_property(problem.name, problem.type_name) from problem
    except odata.QuerySyntaxError as problem:
        raise bad_query(problem.message) from problem
    if response.status < 300 and context.prefer.applied:
        response.headers["preference-applied"] = context.prefer.applied
    return response


def _enter(org: Organization, caller: Caller, request: Request) -> Access:
    """Find out who calls, and on whose behalf."""
    user = enter(org, caller.object_id)
    if user is None:
        raise fault(403, "0x80072560", "The user is not a member of the organization.")
    if user["isdisabled"]:
        # Both this code and 0x80072560 are reported for a disabled caller.
        code = str(org.switch("disabled_caller_code", "0x80040225"))
        raise fault(403, code, "The specified user is either disabled or is not a member of any business unit.")
    if caller.kind == "user" and user["accessmode"] == 0 and not user["islicensed"]:
        raise fault(403, "0x8004d24b", "The user has not been assigned any License")
    strong = request.headers.get("consistency", "").lower() == "strong"
    access = Access(org, user, strong=strong)
    other = _impersonated(org, request)
    if other is None:
        return access
    access.require("prvActOnBehalfOfAnotherUser")
    return Access(org, other, strong=strong, on_behalf_of=access)


def _impersonated(org: Organization, request: Request) -> Document | None:
    object_id = request.headers.get("callerobjectid", "").strip().lower()
    user_id = request.headers.get("mscrmcallerid", "").strip().lower()
    if not object_id and not user_id:
        return None
    found = enter(org, object_id) if object_id else org.row("systemuser", user_id)
    if found is None or found["isdisabled"]:
        raise fault(403, "0x80072560", "The user is not a member of the organization.")
    return found


def _finished(org: Organization, request: Request, response: Response, server: int, allowance: Allowance | None) -> Response:
    """Add the headers of every answer, and what annotations the client wants in an error."""
    if response.status >= 400 and response.status != 501:
        response = _annotated(org, request, response)
    headers = {
        "odata-version": "4.0",
        "x-ms-service-request-id": request.request_id,
        "req_id": request.request_id,
        "set-cookie": f"{COOKIE}={server}; Path=/; HttpOnly; Secure; SameSite=None",
    }
    if allowance is not None:
        headers["x-ms-ratelimit-burst-remaining-xrm-requests"] = str(allowance.requests)
        headers["x-ms-ratelimit-time-remaining-xrm-requests"] = f"{allowance.execution_ms:.2f}"
    if limits_of(org).servers > 1:
        headers["x-ms-dop-hint"] = "4"
    response.headers = {**headers, **response.headers}
    return response


def _annotated(org: Organization, request: Request, response: Response) -> Response:
    """Complete an error: annotations on demand, the inner error that version 8 sends."""
    wanted = Preferences.of(request.headers.get("prefer", "")).annotations
    old = org.version[0] == 8
    if not response.headers.get("content-type", "").startswith("application/json") or not (wanted == "*" or old):
        return response
    body = json.loads(response.body)
    error = body["error"]
    if old:
        error["innererror"] = {"message": error["message"], "type": "System.ServiceModel.FaultException", "stacktrace": ""}
    if wanted == "*":
        error["@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus"] = "0"
        error["@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode"] = "-2146233088"
        error["@Microsoft.PowerApps.CDS.HelpLink"] = "http://go.microsoft.com/fwlink/?LinkID=398563"
        error["@Microsoft.PowerApps.CDS.TraceText"] = f"\r\n[emulator: {request.request_id}]\r\n"
        error["@Microsoft.PowerApps.CDS.InnerError.Message"] = error["message"]
    return Response(response.status, json.dumps(body).encode(), response.headers)
