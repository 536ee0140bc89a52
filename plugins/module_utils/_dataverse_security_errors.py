# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Dataverse answers about users, roles and privileges.

This file is private to the collection.
"""

from __future__ import annotations

from ._error_entries import Entry, codes

DATAVERSE_SECURITY: tuple[Entry, ...] = (
    # The caller, told by the text: the codes of these vary
    Entry(
        "privilege-missing",
        "dataverse",
        "None of the caller's roles holds the privilege {privilege}.",
        "Give the caller's system user a role that holds {privilege}; System Administrator holds all that this collection needs.",
        pattern=r"is missing '?(?P<privilege>prv\w+)'? privilege",
        details=(
            (r"for entity '(?P<table>\w+)'", "The table is {table}."),
            (r"\(Id=(?P<caller>[0-9a-f-]{36})", "The caller's id in the organisation is {caller}."),
            (r"roleCount=(?P<roles>\d+)", "Number of its roles: {roles}."),
        ),
    ),
    Entry(
        "no-role",
        "dataverse",
        "The user or team holds no security role in this organisation.",
        "Give it one; the automation's own system user needs the role System Administrator.",
        pattern=r"no roles are assigned|has not been assigned any roles|have not assigned roles to this user",
        details=(
            (r"user with id (?P<caller>[0-9a-f-]{36})", "The user's id is {caller}."),
            (r"need a role with the (?P<privilege>prv\w+) privilege", "It asked for something that needs the privilege {privilege}."),
        ),
    ),
    Entry(
        "access-denied-to-record",
        "dataverse",
        "The caller's roles hold the privilege, but do not reach this record.",
        "Give the caller's system user a role with a greater depth, or share the record with it; System Administrator reaches everything.",
        pattern=r"AccessCheckEx failed",
        details=(
            (r"AccessRights: (?P<right>\w+)", "The missing right is {right}."),
            (r"ObjectID: (?P<record>[0-9a-f-]{36})", "The record's id is {record}."),
        ),
    ),
    Entry(
        "column-security",
        "dataverse",
        "The caller may not use a column that is protected by column security.",
        "Have a column security profile that allows it given to the caller, or take the protection off the column.",
        codes("0x8004f502", "0x8004f507", "0x8004f50d"),
    ),
    # The caller, told by the code
    Entry(
        "access-denied",
        "dataverse",
        "The caller's roles do not allow this. The organisation says: {message}.",
        "Give the caller's system user the missing privilege; System Administrator holds all that this collection needs.",
        codes("0x80040220", "0x80048306", "0x80040204", "0x80048405", "0x80154b50", "0x80048345"),
    ),
    Entry(
        "not-a-member",
        "dataverse",
        "The caller signed in but is not a user of this organisation.",
        "Create an application user for the automation's application id in this environment and give it the role System Administrator. "
        "In an organisation that was created minutes ago, wait and try again.",
        codes("0x80072560"),
    ),
    Entry(
        "user-disabled-or-homeless",
        "dataverse",
        "The user (the caller, or the one that a role goes to) is disabled, or belongs to no business unit.",
        "Enable the system user in the organisation; a person also needs an enabled account and a licence.",
        codes("0x80040225"),
    ),
    Entry(
        "administration-mode",
        "dataverse",
        "The environment is in administration mode, which lets only administrators and customizers in.",
        "Switch administration mode off in the Power Platform admin centre, or give the caller the role System Administrator.",
        codes("0x8004a113"),
    ),
    Entry(
        "access-mode-too-narrow",
        "dataverse",
        "The caller's access mode does not allow what was asked.",
        "Set the access mode of the caller's system user to Read-Write or Non-interactive.",
        codes("0x80044502"),
    ),
    Entry(
        "caller-not-administrator",
        "dataverse",
        "Only a System Administrator may do this.",
        "Give the caller's system user the role System Administrator.",
        codes("0x800608f8", "0x80048d2f"),
    ),
    Entry(
        "impersonation-denied",
        "dataverse",
        "The caller may not act for another user, or this privilege cannot be given or taken.",
        "Acting for others needs the privilege prvActOnBehalfOfAnotherUser, which comes with System Administrator or the role Delegate.",
        codes("0x8004a110", "0x8004ed43", "0x80061116", "0x80044309"),
    ),
    Entry(
        "token-refused",
        "dataverse",
        "The organisation does not accept the access token.",
        "Check that url belongs to this tenant and that the chosen cloud is right.",
        codes("0x80044302"),
    ),
    Entry(
        "user-without-licence",
        "dataverse",
        "The user has no licence that this organisation accepts.",
        "Assign a Dynamics 365 or Power Apps licence (o365_user does); a new one needs some minutes to be known. Applications need none.",
        codes("0x8004d24b", "0x8004d24c", "0x80050304", "0x80041d66"),
    ),
    # Other people's rights
    Entry(
        "owner-lacks-privilege",
        "dataverse",
        "The user or team that the record is meant for lacks a privilege on its table. The organisation says: {message}.",
        "Give that user or team a role with Read on the table before the record.",
        codes("0x80040231", "0x80040299", "0x80048342"),
    ),
    Entry(
        "last-administrator",
        "dataverse",
        "The organisation would be left without an enabled System Administrator.",
        "Give another user the role System Administrator first.",
        codes("0x80041d30", "0x80041d2f", "0x80041d38", "0x80040d39"),
    ),
    Entry(
        "tenant-administrator",
        "dataverse",
        "The user is an administrator of the tenant, whose place in the organisation cannot be changed here.",
        "Take the Global, Dynamics 365 or Power Platform Administrator role from the account first (o365_user: admin_roles).",
        codes("0x80041d64", "0x80041d65"),
    ),
    Entry(
        "special-user",
        "dataverse",
        "SYSTEM, INTEGRATION and support users cannot be changed.",
        "Choose another user.",
        codes("0x80041d33", "0x80048358", "0x80041d51"),
    ),
    Entry(
        "application-unknown",
        "dataverse",
        "The tenant has no service principal for this application id.",
        "Have an administrator of the tenant consent to the application, then make the application user.",
        codes("0x80041d49"),
    ),
    Entry(
        "application-user-fixed",
        "dataverse",
        "This property of an application user cannot be changed in this way.",
        "Leave access mode and identity of application users as they are.",
        codes("0x80041d48", "0x80040d40"),
    ),
    Entry(
        "user-identity-fixed",
        "dataverse",
        "A system user cannot be tied to another account, or its state comes from the directory alone.",
        "Change the account in Entra ID and synchronise it (crm_user), or use a new system user.",
        codes("0x80041d4f", "0x80048360", "0x80041d4c", "0x80041d4d"),
    ),
    Entry(
        "user-deleted",
        "dataverse",
        "The system user is deleted, and a deleted one cannot be enabled.",
        "Restore the account in Entra ID, or have the deleted row purged so that a new one can be made.",
        codes("0x80048357"),
    ),
    Entry(
        "user-not-disabled",
        "dataverse",
        "Only a disabled system user can be deleted.",
        "Disable the user first.",
        codes("0x80048356"),
    ),
    Entry(
        "user-owns-records",
        "dataverse",
        "The system user owns records, so it cannot be deleted.",
        "Assign the records to another user first, or leave the user disabled.",
        codes("0x80048610"),
    ),
    # Roles and privileges
    Entry(
        "depth-not-allowed",
        "dataverse",
        "A privilege does not allow the depth that was asked for.",
        "Choose a depth that the privilege allows; crm_role_privilege names them.",
        codes("0x8004140b", "0x800404bb"),
    ),
    Entry(
        "privilege-unknown",
        "dataverse",
        "The organisation knows no privilege with this id.",
        "Name the privilege instead of its id; the app or solution that brings it may be missing.",
        codes("0x80041408", "0x80048058", "0x800404ce", "0x800404cd", "0x8004024b"),
        details=((r"Invalid privilege:? (?P<privilege>[\w-]+)", "The privilege is {privilege}."),),
    ),
    Entry(
        "privilege-twice",
        "dataverse",
        "A privilege was sent twice for one role. The organisation says: {message}.",
        "Name each privilege once.",
        codes("0x8004140f"),
    ),
    Entry(
        "inherited-role",
        "dataverse",
        "Only the role in the root business unit can be changed or deleted; this is a copy.",
        "Change the root role.",
        codes("0x80044152", "0x8004140c"),
    ),
    Entry(
        "special-role",
        "dataverse",
        "System Administrator and the other roles of the system itself cannot be changed, deleted or handed out like this.",
        "Choose another role, or make one of your own.",
        codes(
            "0x80041d31",
            "0x80041d2e",
            "0x80041d4a",
            "0x80041d43",
            "0x80041d55",
            "0x80041d42",
            "0x80041d44",
            "0x80041d46",
            "0x80041d47",
            "0x80041d5a",
            "0x80041d45",
        ),
    ),
    Entry(
        "role-not-customizable",
        "dataverse",
        "The role's publisher does not allow changes to it.",
        "Put the privileges into a companion role beside it (crm_role_privilege can do so) and assign both.",
        codes("0x8004f032", "0x8004f026"),
    ),
    Entry(
        "role-name-taken",
        "dataverse",
        "The business unit has a role of this name already.",
        "Use the role that is there, or choose another name.",
        codes("0x80041403"),
        details=((r"Role id: (?P<role>[0-9a-f-]{36})", "Its id is {role}."),),
    ),
    Entry(
        "role-missing",
        "dataverse",
        "The role does not exist (any more), or its data is not complete.",
        "Check its name and business unit (crm_role_info lists the roles).",
        codes("0x80041402", "0x80041401", "0x80041400", "0x80041404", "0x80041405", "0x80041406", "0x80041407", "0x8004140a"),
    ),
    Entry(
        "role-in-other-business-unit",
        "dataverse",
        "The role belongs to another business unit than the user or team.",
        "Assign the copy of the role in the business unit of the user or team (crm_role_assignment finds it).",
        codes("0x80041409", "0x8004140d", "0x8004021d"),
        details=((r"business unit=(?P<unit>[0-9a-f-]{36})", "The business unit of the user or team is {unit}."),),
    ),
    Entry(
        "team-takes-no-role",
        "dataverse",
        "This kind of team cannot hold this role.",
        "Use an owner team, or a role whose privilege inheritance includes the direct access level.",
        codes("0x80048331", "0x80048350"),
    ),
    Entry(
        "business-unit-stays",
        "dataverse",
        "The business unit cannot be disabled or deleted. The organisation says: {message}.",
        "Take away what it names first.",
        codes("0x80041d59", "0x80041d60", "0x80041d61", "0x80041d62", "0x80041d63", "0x80041d1a"),
    ),
    Entry(
        "default-team",
        "dataverse",
        "The default team of a business unit stays as it is: its members are the users of the unit.",
        "Use a team of your own, or move the user to the business unit.",
        codes("0x8004830b", "0x8004830c", "0x80048307", "0x80048308", "0x8004830a"),
    ),
    Entry(
        "business-unit-invalid",
        "dataverse",
        "The business unit does not exist, or is disabled.",
        "Name an enabled business unit of the organisation.",
        codes("0x800404a7", "0x800404a8", "0x800404bc", "0x8004032c", "0x8004032d"),
    ),
)
