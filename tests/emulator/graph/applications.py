# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``/applications``: registrations."""

from __future__ import annotations

from typing import Any

from ..store import Document
from ..wire import Response
from . import credentials
from .call import Call, answer, no_content
from .errors import bad_request, denied, not_found
from .objects import APPLICATION, APPLICATION_WRITABLE, FEDERATED_CREDENTIAL
from .permissions import CREATE_APPLICATIONS, READ_APPLICATIONS, READ_APPLICATIONS_FULLY, WRITE_ANY_APPLICATION, WRITE_APPLICATIONS, require
from .queries import many, one
from .replication import is_visible, note_write, visible_from

_AUDIENCES = frozenset({"AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"})
_BY_APP_ID = "appId="
_BY_UNIQUE_NAME = "uniqueName="
_FEDERATED_MAXIMUM = 20
_NAME_MAXIMUM = 120


def find(call: Call, reference: str, *, reading: bool) -> Document:
    """The application with this object id, or by an alternate key (``appId=…``)."""
    applications = call.collection("applications")
    if reference.startswith(_BY_APP_ID):
        found = applications.get(reference.removeprefix(_BY_APP_ID).lower())
    elif reference.startswith(_BY_UNIQUE_NAME):
        found = next((entry for entry in applications.values() if entry.get("uniqueName") == reference.removeprefix(_BY_UNIQUE_NAME)), None)
    else:
        found = next((entry for entry in applications.values() if entry["id"] == reference.lower()), None)
    if found is None or (reading and not is_visible(call, found)):
        raise not_found(reference.removeprefix(_BY_APP_ID).removeprefix(_BY_UNIQUE_NAME))
    return found


def find_own(call: Call, reference: str) -> Document:
    """The application for a write; with an ``OwnedBy`` permission only the caller's own."""
    require(call, WRITE_APPLICATIONS)
    found = find(call, reference, reading=False)
    if call.caller.kind == "app" and not call.caller.roles & WRITE_ANY_APPLICATION and call.caller.object_id not in found.get("_owners", ()):
        raise denied()
    return found


def _present(document: Document, *, with_keys: bool = False) -> Document:
    return {**document, **credentials.shown(document, with_keys=with_keys)}


def list_all(call: Call) -> Response:
    """``GET /applications``."""
    require(call, READ_APPLICATIONS)
    now = call.world.now()
    found = [entry for entry in call.collection("applications").values() if float(entry.get("_visible_from") or 0.0) <= now]
    if call.caller.kind == "app" and not call.caller.roles & READ_APPLICATIONS_FULLY:
        found = [entry for entry in found if call.caller.object_id in entry.get("_owners", ())]
    return many(call, APPLICATION, map(_present, found))


def read(call: Call, reference: str) -> Response:
    """``GET /applications/{id}``."""
    require(call, READ_APPLICATIONS)
    found = find(call, reference, reading=True)
    if call.caller.kind == "app" and not call.caller.roles & READ_APPLICATIONS_FULLY and call.caller.object_id not in found.get("_owners", ()):
        raise denied()
    return one(call, APPLICATION, _present(found, with_keys="keyCredentials" in call.query.select))


def _check(body: Document) -> None:
    for name in body:
        if name == "passwordCredentials":
            raise bad_request("New password credentials must be generated with service actions.", "CannotUpdatePasswordCredentials")
        if name not in APPLICATION.properties:
            raise bad_request(f"Invalid property '{name}'.")
        if name not in APPLICATION_WRITABLE:
            raise bad_request(f"Property '{name}' is read-only and cannot be set.")
    if "displayName" in body and (not isinstance(body["displayName"], str) or not body["displayName"]):
        raise bad_request("Invalid value specified for property 'displayName' of resource 'Application'.")
    if body.get("signInAudience", "AzureADMyOrg") not in _AUDIENCES:
        raise bad_request("Invalid value specified for property 'signInAudience' of resource 'Application'.")


def create(call: Call) -> Response:
    """``POST /applications``; several may have the same name."""
    require(call, CREATE_APPLICATIONS)
    body = {name: value for name, value in call.body().items() if not name.startswith("@odata.")}
    _check(body)
    if "displayName" not in body:
        raise bad_request("A value is required for property 'displayName' of resource 'Application'.")
    document: Document = {
        **APPLICATION.properties,
        "signInAudience": "AzureADandPersonalMicrosoftAccount",
        **body,
        "id": call.world.new_id(),
        "appId": call.world.new_id(),
        "createdDateTime": call.time(),
        "publisherDomain": call.tenant.domain,
        "_secrets": [],
        "_certificates": [],
        "_federated": [],
        "_public_client": bool(body.get("isFallbackPublicClient")),
        "_owners": [call.caller.object_id],
        "_visible_from": visible_from(call),
    }
    if "keyCredentials" in body:
        document |= credentials.with_certificates(call, document, body["keyCredentials"])
    call.collection("applications")[document["appId"]] = document
    location = f"https://graph.microsoft.com/v2/{call.tenant.id}/directoryObjects/{document['id']}/Microsoft.DirectoryServices.Application"
    return one(call, APPLICATION, _present(document), 201, location=location)


def update(call: Call, reference: str) -> Response:
    """``PATCH /applications/{id}``."""
    found = find_own(call, reference)
    body = {name: value for name, value in call.body().items() if not name.startswith("@odata.")}
    _check(body)
    for kind, where in (("appRoles", body.get("appRoles")), ("oauth2PermissionScopes", (body.get("api") or {}).get("oauth2PermissionScopes"))):
        if where is not None:
            _check_permissions_removed(found, kind, where)
    if "keyCredentials" in body:
        body |= credentials.with_certificates(call, found, body["keyCredentials"])
    if "api" in body:
        body["api"] = {**(found.get("api") or {}), **body["api"]}
    if "isFallbackPublicClient" in body:
        body["_public_client"] = bool(body["isFallbackPublicClient"])
    note_write(call, found["id"])
    call.collection("applications").change(found["appId"], **body)
    return no_content()


def _check_permissions_removed(found: Document, kind: str, wanted: list[dict[str, Any]]) -> None:
    before = found.get("appRoles") if kind == "appRoles" else (found.get("api") or {}).get("oauth2PermissionScopes")
    kept = {entry.get("id") for entry in wanted}
    if any(entry.get("isEnabled") and entry["id"] not in kept for entry in before or ()):
        raise bad_request("Permission (scope or role) cannot be deleted or updated unless disabled first.", "CannotDeleteOrUpdateEnabledEntitlement")


def delete(call: Call, reference: str) -> Response:
    """``DELETE /applications/{id}``: the service principal of its home goes too."""
    found = find_own(call, reference)
    applications, principals = call.collection("applications"), call.collection("servicePrincipals")
    del applications[found["appId"]]
    call.collection("deletedApplications")[found["appId"]] = {**found, "deletedDateTime": call.time()}
    for key, principal in principals.items():
        if principal["appId"] == found["appId"]:
            del principals[key]
            call.collection("deletedServicePrincipals")[key] = {**principal, "deletedDateTime": call.time()}
    return no_content()


def add_password(call: Call, reference: str) -> Response:
    """``POST /applications/{id}/addPassword``: the one time that the secret is shown."""
    found = find_own(call, reference)
    wish = call.optional_body().get("passwordCredential") or {}
    note_write(call, found["id"])
    secret, shown = credentials.new_secret(call, wish)
    call.collection("applications").change(found["appId"], _secrets=[*found.get("_secrets", ()), secret])
    return answer(200, {"@odata.context": f"{call.root}/$metadata#microsoft.graph.passwordCredential", **shown})


def remove_password(call: Call, reference: str) -> Response:
    """``POST /applications/{id}/removePassword``."""
    found = find_own(call, reference)
    key_id = call.body().get("keyId")
    kept = [secret for secret in found.get("_secrets", ()) if secret["keyId"] != key_id]
    if len(kept) == len(found.get("_secrets", ())):
        raise bad_request("No password credential found with keyId.")
    note_write(call, found["id"])
    call.collection("applications").change(found["appId"], _secrets=kept)
    return no_content()


def _federated(found: Document) -> list[Document]:
    entries = enumerate(found.get("_federated", ()))
    return [{"id": f"{found['id']}-{number}", "name": f"credential-{number}", "description": None, **entry} for number, entry in entries]


def list_federated(call: Call, reference: str) -> Response:
    """``GET /applications/{id}/federatedIdentityCredentials``."""
    require(call, READ_APPLICATIONS)
    found = find(call, reference, reading=True)
    return many(call, FEDERATED_CREDENTIAL, _federated(found), name=f"applications('{found['id']}')/federatedIdentityCredentials")


def create_federated(call: Call, reference: str) -> Response:
    """``POST /applications/{id}/federatedIdentityCredentials``."""
    found = find_own(call, reference)
    body = call.body()
    for name in ("name", "issuer", "subject"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise bad_request(f"A value is required for property '{name}' of resource 'FederatedIdentityCredential'.")
    audiences = body.get("audiences")
    if not isinstance(audiences, list) or len(audiences) != 1 or len(body["name"]) > _NAME_MAXIMUM:
        raise bad_request("Invalid value specified for property 'audiences' of resource 'FederatedIdentityCredential'.")
    existing = _federated(found)
    if len(existing) >= _FEDERATED_MAXIMUM:
        raise bad_request(f"The application has {_FEDERATED_MAXIMUM} federated identity credentials already.")
    if any(entry["name"] == body["name"] or (entry["issuer"], entry["subject"]) == (body["issuer"], body["subject"]) for entry in existing):
        message = "FederatedIdentityCredential with the same name, or the same issuer and subject, already exists."
        raise bad_request(message, "Request_MultipleObjectsWithSameKeyValue")
    entry = {
        "id": call.world.new_id(),
        "name": body["name"],
        "issuer": body["issuer"],
        "subject": body["subject"],
        "audiences": audiences,
        "description": body.get("description"),
    }
    call.collection("applications").change(found["appId"], _federated=[*found.get("_federated", ()), entry])
    return one(call, FEDERATED_CREDENTIAL, entry, 201)


def delete_federated(call: Call, reference: str, credential: str) -> Response:
    """``DELETE /applications/{id}/federatedIdentityCredentials/{id or name}``."""
    found = find_own(call, reference)
    existing = _federated(found)
    kept = [entry for entry in existing if credential not in (entry["id"], entry["name"])]
    if len(kept) == len(existing):
        raise not_found(credential)
    call.collection("applications").change(found["appId"], _federated=kept)
    return no_content()
