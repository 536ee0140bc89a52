# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tenant itself: ``/organization``, ``/domains`` and its security defaults."""

from __future__ import annotations

from ..store import Document
from ..wire import Response
from .call import Call, answer
from .errors import not_found
from .objects import DOMAIN, ORGANIZATION
from .permissions import READ_DOMAINS, READ_ORGANIZATION, READ_SECURITY_DEFAULTS, require
from .queries import many, one

_DEFAULTS_ID = "00000000-0000-0000-0000-000000000005"


def _domains(call: Call) -> list[str]:
    document = call.tenant.document
    return list(dict.fromkeys([document["domain"], *document["verified_domains"]]))


def _organization(call: Call) -> Document:
    document = call.tenant.document
    return {
        "id": call.tenant.id,
        "displayName": document.get("display_name") or document["name"],
        "countryLetterCode": document["country"],
        "createdDateTime": document.get("created", "2020-01-01T00:00:00Z"),
        "tenantType": document.get("tenant_type", "AAD"),
        "verifiedDomains": [
            {
                "capabilities": "Email, OfficeCommunicationsOnline",
                "isDefault": name == _default_domain(call),
                "isInitial": name == document["domain"],
                "name": name,
                "type": "Managed",
            }
            for name in _domains(call)
        ],
    }


def _default_domain(call: Call) -> str:
    return str(call.tenant.document.get("default_domain") or call.tenant.domain)


def list_organizations(call: Call) -> Response:
    """``GET /organization``: always one."""
    require(call, READ_ORGANIZATION)
    return many(call, ORGANIZATION, [_organization(call)])


def read_organization(call: Call, tenant_id: str) -> Response:
    """``GET /organization/{id}``."""
    require(call, READ_ORGANIZATION)
    if tenant_id.lower() != call.tenant.id:
        raise not_found(tenant_id)
    return one(call, ORGANIZATION, _organization(call))


def _domain(call: Call, name: str) -> Document:
    federated = name in call.tenant.document.get("federated_domains", ())
    return {
        "id": name,
        "authenticationType": "Federated" if federated else "Managed",
        "isDefault": name == _default_domain(call),
        "isInitial": name == call.tenant.document["domain"],
        "isVerified": True,
    }


def list_domains(call: Call) -> Response:
    """``GET /domains``: verified ones, and those that wait for verification."""
    require(call, READ_DOMAINS)
    waiting = [{"id": name, "isVerified": False} for name in call.tenant.document.get("unverified_domains", ())]
    return many(call, DOMAIN, [*(_domain(call, name) for name in _domains(call)), *waiting])


def read_domain(call: Call, name: str) -> Response:
    """``GET /domains/{name}``."""
    require(call, READ_DOMAINS)
    if name.lower() in call.tenant.document.get("unverified_domains", ()):
        return one(call, DOMAIN, {"id": name.lower(), "isVerified": False})
    if name.lower() not in _domains(call):
        raise not_found(name)
    return one(call, DOMAIN, _domain(call, name.lower()))


def security_defaults(call: Call) -> Response:
    """``GET /policies/identitySecurityDefaultsEnforcementPolicy``."""
    require(call, READ_SECURITY_DEFAULTS)
    return answer(
        200,
        {
            "@odata.context": f"{call.root}/$metadata#policies/identitySecurityDefaultsEnforcementPolicy/$entity",
            "id": _DEFAULTS_ID,
            "displayName": "Security Defaults",
            "description": "Basic protection for every account of the tenant.",
            "isEnabled": bool(call.tenant.features.get("security_defaults", False)),
        },
    )
