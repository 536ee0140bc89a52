# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may call what: the permissions that a call accepts, and the directory roles that a signed-in person needs."""

from __future__ import annotations

from dataclasses import dataclass

from .call import Call
from .directory import is_protected, roles_held
from .errors import denied
from .roles import BUILT_IN, PROTECTED_TARGET_ADMINS


@dataclass(frozen=True)
class Permission:
    """What one call accepts."""

    permissions: frozenset[str]
    """Application permissions (delegated ones carry the same names)."""
    roles: frozenset[str] | None = None
    """Directory roles, one of which a signed-in person must hold; None means that every member may."""
    also_self: bool = False
    """Whether a signed-in person may do it to their own object."""


def _one_of(names: str, *roles: str, also_self: bool = False) -> Permission:
    return Permission(frozenset(names.split()), frozenset(BUILT_IN[role] for role in roles) or None, also_self)


_ON_BEHALF = frozenset({"Directory.AccessAsUser.All"})
"""The scope that lets an application do whatever the person may."""
_OWN_PROFILE = frozenset({"User.Read"})

_USER_ADMINS = ("Global Administrator", "User Administrator")
_APP_ADMINS = ("Global Administrator", "Application Administrator", "Cloud Application Administrator")
_ROLE_READERS = (
    "Global Administrator", "Global Reader", "Privileged Role Administrator", "Directory Readers", "User Administrator", "Security Reader",
)  # fmt: skip
_ROLE_ADMINS = ("Global Administrator", "Privileged Role Administrator")

READ_USERS = _one_of("User.ReadBasic.All User.Read.All User.ReadWrite.All Directory.Read.All Directory.ReadWrite.All", also_self=True)
READ_USERS_FULLY = frozenset({"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"})
CREATE_USERS = _one_of("User.ReadWrite.All Directory.ReadWrite.All", *_USER_ADMINS)
UPDATE_USERS = _one_of(
    "User.ReadWrite.All Directory.ReadWrite.All User.EnableDisableAccount.All User-PasswordProfile.ReadWrite.All User-Mail.ReadWrite.All "
    "User-Phone.ReadWrite.All",
    *_USER_ADMINS,
    "Password Administrator",
    "Helpdesk Administrator",
    "Authentication Administrator",
    "Privileged Authentication Administrator",
    "License Administrator",
)
DELETE_USERS = _one_of("User.DeleteRestore.All User.ReadWrite.All", *_USER_ADMINS)
READ_DELETED_USERS = _one_of("User.Read.All User.ReadWrite.All User.DeleteRestore.All Directory.Read.All Directory.ReadWrite.All", *_USER_ADMINS)

READ_SKUS = _one_of(
    "LicenseAssignment.Read.All LicenseAssignment.ReadWrite.All Organization.Read.All Organization.ReadWrite.All Directory.Read.All Directory.ReadWrite.All"
)
ASSIGN_LICENSES = _one_of("LicenseAssignment.ReadWrite.All User.ReadWrite.All Directory.ReadWrite.All", *_USER_ADMINS, "License Administrator")
READ_LICENSE_DETAILS = _one_of(
    "LicenseAssignment.Read.All LicenseAssignment.ReadWrite.All User.Read.All User.ReadWrite.All Directory.Read.All Directory.ReadWrite.All",
    also_self=True,
)
REPROCESS_LICENSES = _one_of("User.ReadWrite.All Directory.ReadWrite.All LicenseAssignment.ReadWrite.All", *_USER_ADMINS, "License Administrator")

READ_ORGANIZATION = _one_of("Organization.Read.All Organization.ReadWrite.All Directory.Read.All Directory.ReadWrite.All User.Read")
READ_DOMAINS = _one_of("Domain.Read.All Domain.ReadWrite.All Directory.Read.All Directory.ReadWrite.All")
READ_GROUPS = _one_of("GroupMember.Read.All Group.Read.All Group.ReadWrite.All GroupMember.ReadWrite.All Directory.Read.All Directory.ReadWrite.All")
READ_MEMBER_OF = _one_of(
    "GroupMember.ReadBasic.All GroupMember.Read.All Group.Read.All User.Read.All User.ReadWrite.All Directory.Read.All Directory.ReadWrite.All",
    also_self=True,
)
READ_ROLES = _one_of(
    "RoleManagement.Read.Directory RoleManagement.ReadWrite.Directory Directory.Read.All Directory.ReadWrite.All RoleManagement.Read.All", *_ROLE_READERS
)
WRITE_ROLES = _one_of("RoleManagement.ReadWrite.Directory", *_ROLE_ADMINS)
READ_ELIGIBILITY = _one_of(
    "RoleEligibilitySchedule.Read.Directory RoleEligibilitySchedule.ReadWrite.Directory RoleManagement.Read.Directory RoleManagement.Read.All "
    "RoleManagement.ReadWrite.Directory",
    *_ROLE_READERS,
)
READ_ASSIGNMENT_SCHEDULE = _one_of(
    "RoleAssignmentSchedule.Read.Directory RoleAssignmentSchedule.ReadWrite.Directory RoleManagement.Read.Directory RoleManagement.Read.All "
    "RoleManagement.ReadWrite.Directory",
    *_ROLE_READERS,
)
REMOVE_ELIGIBILITY = _one_of(
    "RoleEligibilitySchedule.ReadWrite.Directory RoleEligibilitySchedule.Remove.Directory RoleManagement.ReadWrite.Directory", *_ROLE_ADMINS
)
REMOVE_ASSIGNMENT_SCHEDULE = _one_of(
    "RoleAssignmentSchedule.ReadWrite.Directory RoleAssignmentSchedule.Remove.Directory RoleManagement.ReadWrite.Directory", *_ROLE_ADMINS
)

READ_APPLICATIONS = _one_of("Application.Read.All Application.ReadWrite.All Application.ReadWrite.OwnedBy Directory.Read.All Directory.ReadWrite.All")
READ_APPLICATIONS_FULLY = frozenset({"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"})
CREATE_APPLICATIONS = _one_of(
    "AppRegistration.Create Application.ReadWrite.OwnedBy Application.ReadWrite.All Directory.ReadWrite.All", *_APP_ADMINS, "Application Developer"
)
WRITE_APPLICATIONS = _one_of("Application.ReadWrite.OwnedBy Application.ReadWrite.All Directory.ReadWrite.All", *_APP_ADMINS)
WRITE_ANY_APPLICATION = frozenset({"Application.ReadWrite.All", "Directory.ReadWrite.All"})
READ_SECURITY_DEFAULTS = _one_of("Policy.Read.All", "Global Administrator", "Global Reader", "Security Administrator", "Conditional Access Administrator")


def require(call: Call, permission: Permission, own_id: str | None = None) -> None:
    """Raise 403 unless the caller may make this call; ``own_id`` is the object that it is about."""
    if call.caller.kind == "app":
        if not call.caller.roles & permission.permissions:
            raise denied()
        return
    own = permission.also_self and own_id is not None and own_id == call.caller.object_id
    accepted = permission.permissions | _ON_BEHALF | (_OWN_PROFILE if own else frozenset())
    if not call.caller.scopes & accepted:
        raise denied()
    if own:
        return
    if permission.roles is not None and not roles_held(call.tenant, call.caller.object_id) & permission.roles:
        raise denied()


def check_target(call: Call, object_id: str) -> None:
    """Sensitive changes to an administrator need a role above it."""
    if is_protected(call.tenant, object_id) and not roles_held(call.tenant, call.caller.object_id) & PROTECTED_TARGET_ADMINS:
        raise denied()
