# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``/users``: create, read, change, delete."""

from __future__ import annotations

import re
from typing import Any

from ..store import Document
from ..wire import Response, not_emulated
from . import licenses
from .call import Call, no_content
from .deleted_items import mangled_name
from .directory import roles_held
from .errors import bad_request, denied, not_found
from .objects import USER, USER_BASIC
from .permissions import (
    CREATE_USERS,
    DELETE_USERS,
    READ_USERS,
    READ_USERS_FULLY,
    UPDATE_USERS,
    check_target,
    require,
)
from .queries import count as count_answer
from .queries import many, one
from .replication import is_visible, note_write, visible_from
from .roles import LICENSE_ADMINS, LIMITED_PASSWORD_ADMINS, PASSWORD_ADMINS, USER_ADMINS
from .user_rules import check_name, check_nickname, check_password, check_properties, is_federated

_GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_GUID_LIKE = re.compile(r"[0-9a-fA-F-]{30,40}")
_SENSITIVE = frozenset({"accountEnabled", "businessPhones", "mobilePhone", "onPremisesImmutableId", "otherMails", "passwordProfile", "userPrincipalName"})
_CLOUD_MANAGED = frozenset({"usageLocation", "passwordPolicies", "preferredDataLocation"})
_NARROW = {
    "accountEnabled": frozenset({"User.EnableDisableAccount.All", "User.Read.All"}),
    "passwordProfile": frozenset({"User-PasswordProfile.ReadWrite.All"}),
    "otherMails": frozenset({"User-Mail.ReadWrite.All"}),
    "businessPhones": frozenset({"User-Phone.ReadWrite.All"}),
    "mobilePhone": frozenset({"User-Phone.ReadWrite.All"}),
}
"""What suffices for one property; all of a set are needed."""
_BROAD = frozenset({"User.ReadWrite.All", "Directory.ReadWrite.All"})
_SYNCED = "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration."


def find(call: Call, reference: str, *, reading: bool) -> Document:
    """The user with this id or name; a reader may not see a new one yet."""
    users = call.collection("users")
    if _GUID.fullmatch(reference):
        user = users.get(reference.lower())
    elif _GUID_LIKE.fullmatch(reference):
        raise bad_request(f"Invalid object identifier '{reference}'.")
    else:
        user = next((found for found in users.values() if found["userPrincipalName"].lower() == reference.lower()), None)
    if user is None or (reading and not is_visible(call, user)):
        raise not_found(reference)
    return user


def present(call: Call, user: Document) -> Document:
    """The user with everything that is worked out from other objects."""
    profile: Any = None
    if call.switch("password_profile_on_read", "null") != "null":
        profile = {**(user.get("passwordProfile") or {}), "password": None}
    return {**user, **licenses.properties(call, user), "passwordProfile": profile}


def create(call: Call) -> Response:
    """``POST /users``."""
    require(call, CREATE_USERS)
    body = {name: value for name, value in call.body().items() if not name.startswith("@odata.")}
    check_properties(body)
    for name in ("accountEnabled", "displayName", "mailNickname", "userPrincipalName"):
        if body.get(name) is None:
            raise bad_request(f"A value is required for property '{name}' of resource 'User'.")
    profile = body.pop("passwordProfile", None) or {}
    if profile.get("password") is None:
        raise bad_request("A password must be specified to create a new user.")
    upn = body["userPrincipalName"]
    check_name(call, upn)
    if is_federated(call, upn) and not body.get("onPremisesImmutableId"):
        raise bad_request("A value is required for property 'onPremisesImmutableId' of resource 'User'.")
    check_nickname(call, body["mailNickname"])
    check_password(call, profile["password"], upn, body.get("passwordPolicies"))
    now = call.time()
    user: Document = {
        **USER.properties,
        **body,
        "id": call.world.new_id(),
        "createdDateTime": now,
        "lastPasswordChangeDateTime": now,
        "signInSessionsValidFromDateTime": now,
        "identities": [{"signInType": "userPrincipalName", "issuer": call.tenant.domain, "issuerAssignedId": upn}],
        "passwordProfile": _flags(call, profile, {}),
        "_password": profile["password"],
        "_wrong_passwords": 0,
        "_mfa": False,
        "_created": call.world.now(),
        "_visible_from": visible_from(call),
    }
    call.collection("users")[user["id"]] = user
    location = f"https://graph.microsoft.com/v2/{call.tenant.id}/directoryObjects/{user['id']}/Microsoft.DirectoryServices.User"
    return one(call, USER, present(call, user), 201, location=location)


def _flags(call: Call, profile: Document, before: Document) -> Document:
    default = before.get("forceChangePasswordNextSignIn", call.switch("force_change_default", default=True))
    return {
        "forceChangePasswordNextSignIn": profile.get("forceChangePasswordNextSignIn", default),
        "forceChangePasswordNextSignInWithMfa": profile.get("forceChangePasswordNextSignInWithMfa", before.get("forceChangePasswordNextSignInWithMfa", False)),
    }


def list_all(call: Call) -> Response:
    """``GET /users``."""
    require(call, READ_USERS)
    _check_basic(call, call.query.select)
    return many(call, USER, _visible(call))


def count(call: Call) -> Response:
    """``GET /users/$count``."""
    require(call, READ_USERS)
    return count_answer(call, USER, _visible(call))


def read(call: Call, reference: str) -> Response:
    """``GET /users/{id or name}``."""
    user = call.collection("users").get(reference.lower()) or {"id": None, "userPrincipalName": reference}
    require(call, READ_USERS, user["id"] or _id_of_name(call, reference))
    _check_basic(call, call.query.select)
    return one(call, USER, present(call, find(call, reference, reading=True)))


def me(call: Call) -> Response:
    """``GET /me``."""
    if call.caller.kind == "app":
        raise bad_request("/me request is only valid with delegated authentication flow.", "BadRequest")
    return one(call, USER, present(call, find(call, call.caller.object_id, reading=False)))


def _id_of_name(call: Call, name: str) -> str | None:
    return next((user["id"] for user in call.collection("users").values() if user["userPrincipalName"].lower() == name.lower()), None)


def _visible(call: Call) -> list[Document]:
    now = call.world.now()
    users = [user for user in call.collection("users").values() if float(user.get("_visible_from") or 0.0) <= now]
    return [present(call, user) for user in users]


def _check_basic(call: Call, select: tuple[str, ...]) -> None:
    if call.caller.kind == "app" and not call.caller.roles & READ_USERS_FULLY and not set(select) <= USER_BASIC:
        raise denied()


def update(call: Call, reference: str) -> Response:
    """``PATCH /users/{id or name}``."""
    require(call, UPDATE_USERS)
    user = find(call, reference, reading=False)
    changes = {name: value for name, value in call.body().items() if not name.startswith("@odata.")}
    check_properties(changes)
    _check_update_rights(call, user, changes)
    if user.get("onPremisesSyncEnabled") and set(changes) - _CLOUD_MANAGED:
        raise bad_request(_SYNCED)
    upn = str(changes.get("userPrincipalName", user["userPrincipalName"]))
    if "userPrincipalName" in changes:
        check_name(call, upn, user["id"])
        changes["identities"] = [{"signInType": "userPrincipalName", "issuer": call.tenant.domain, "issuerAssignedId": upn}]
    if "usageLocation" in changes:
        changes["_located_at"] = call.world.now()
    if "mailNickname" in changes:
        check_nickname(call, changes["mailNickname"], user["id"])
    if "passwordProfile" in changes:
        profile = changes["passwordProfile"]
        changes["passwordProfile"] = _flags(call, profile, user.get("passwordProfile") or {})
        if profile.get("password") is not None:
            check_password(call, profile["password"], upn, changes.get("passwordPolicies", user.get("passwordPolicies")))
            changes |= {"_password": profile["password"], "_wrong_passwords": 0, "lastPasswordChangeDateTime": call.time()}
            # Who sets another's password without saying more leaves the user to choose a new one.
            if "forceChangePasswordNextSignIn" not in profile:
                changes["passwordProfile"]["forceChangePasswordNextSignIn"] = call.switch("force_change_default", default=True)
    note_write(call, user["id"])
    call.collection("users").change(user["id"], **changes)
    return no_content()


def _check_update_rights(call: Call, user: Document, changes: Document) -> None:
    if call.caller.kind == "app":
        _check_application(call, set(changes))
    else:
        _check_person(call, set(changes))
    if set(changes) & _SENSITIVE:
        check_target(call, user["id"])


def _check_application(call: Call, names: set[str]) -> None:
    granted = call.caller.roles
    for name in names:
        broad = frozenset({"User.ReadWrite.All"}) if name == "passwordProfile" else _BROAD
        narrow = _NARROW.get(name, frozenset({""}))
        if not granted & broad and not granted >= narrow:
            raise denied()
    # A password needs a directory role on the service principal besides the permission.
    if "passwordProfile" in names and not roles_held(call.tenant, call.caller.object_id) & _password_roles(call):
        raise denied()


def _check_person(call: Call, names: set[str]) -> None:
    held = roles_held(call.tenant, call.caller.object_id)
    for name in names:
        accepted = USER_ADMINS
        if name == "passwordProfile":
            accepted = PASSWORD_ADMINS | LIMITED_PASSWORD_ADMINS
        elif name == "usageLocation":
            accepted = USER_ADMINS | LICENSE_ADMINS
        if not held & accepted:
            raise denied()


def _password_roles(call: Call) -> frozenset[str]:
    return PASSWORD_ADMINS | LIMITED_PASSWORD_ADMINS if call.switch("password_administrator_suffices", default=False) else PASSWORD_ADMINS


def delete(call: Call, reference: str) -> Response:
    """``DELETE /users/{id or name}``: into the recycle bin, licences released."""
    require(call, DELETE_USERS)
    user = find(call, reference, reading=False)
    check_target(call, user["id"])
    if user.get("onPremisesSyncEnabled"):
        raise bad_request(_SYNCED)
    note_write(call, user["id"])
    licenses.release(call, user)
    deleted = {**user, "userPrincipalName": mangled_name(user["id"], user["userPrincipalName"]), "deletedDateTime": call.time()}
    del call.collection("users")[user["id"]]
    call.collection("deletedUsers")[user["id"]] = deleted
    return no_content()


def restore(call: Call, reference: str) -> Response:
    """``POST /users/{id}/restore``: a deleted user is not found here, only in the recycle bin."""
    require(call, DELETE_USERS)
    find(call, reference, reading=False)
    raise not_emulated("graph", call.request, "restoring a user who is not deleted")
