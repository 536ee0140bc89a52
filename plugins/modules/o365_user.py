#!/usr/bin/python
# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user of the tenant's directory, such as a licensed service account."""

from __future__ import annotations

DOCUMENTATION = r"""
module: o365_user
short_description: Manage a user of Microsoft 365 (Entra ID) with password, country and licences
version_added: 0.1.0
author:
  - leadops.dynamics365 contributors (@leadops)
description:
  - Creates, changes, disables or deletes a user of the tenant's directory, and gives it licences.
  - The defaults are those of a service account. The password need not be changed at the first sign-in and does not expire, and the account
    must hold no admin role.
  - Everything that can be known beforehand is checked before the first write, that is names, domain, password rules, products, free seats and
    admin roles.
  - A new user is one request, and all licences are another. An option that is not given is left as it is.
  - Never changes guests or users that are synchronised from an on-premises directory, never takes away licences that come from a group,
    never gives roles, takes them away only if told so, and never restores a deleted user unasked.
  - Needs the Microsoft Graph permission C(User.ReadWrite.All). It covers reading, creating, changing, deleting and licensing users
    (C(LicenseAssignment.ReadWrite.All) is enough for the licences alone, C(User.DeleteRestore.All) for deleting and restoring alone).
    The options name what else they need. A person who signs in needs the Entra role User Administrator as well.
options:
  user_principal_name:
    description:
      - The name that the user signs in with. It is how the user is found; upper and lower case do not matter.
    type: str
    required: true
  display_name:
    description:
      - The name that people see. A new user gets the part of O(user_principal_name) before the C(@) if it is not given.
    type: str
  given_name:
    description:
      - The first name. An empty text clears it.
    type: str
  surname:
    description:
      - The last name. An empty text clears it.
    type: str
  mail_nickname:
    description:
      - The mail alias, which must be free in the tenant. A new user gets one that follows from O(user_principal_name) if it is not given.
    type: str
  password:
    description:
      - The password, which a new user must have, unless O(password_file) is given. It has 8 to 256 ASCII characters with at least three of lower
        case letters, upper case letters, digits and symbols.
      - What an existing user's password is cannot be read; see O(update_password).
    type: str
  password_file:
    description:
      - A file that holds the password in its only line. If there is no such file when a password is going to be set, one is made up and kept in
        it, readable by its owner alone. The directory is made if need be.
      - A made-up password is random, of all four kinds of characters, and without any part of the user's names. The file is complete before the
        password is sent, so no interruption can lose it, and a later run uses it again. The file is the only place where the password can be
        read; neither results nor logs show it.
      - Should the tenant's list of banned passwords refuse a password that this run has made up, others are tried and kept in its place. A
        password that was in the file before the run is never replaced.
      - For a user that exists, no file is made, unless O(update_password=always).
      - The file is on the machine where the module runs, which is the controller for the connection C(local); there, a relative path begins at the
        playbook's directory. Give each user a file of its own.
      - The file is not encrypted. To keep passwords with Ansible Vault, make them in a task of their own and give O(password), as the role
        P(leadops.dynamics365.lead_management#role) does. A file that is encrypted is refused.
    type: path
  password_length:
    description:
      - How many characters a made-up password has, 8 to 256.
    type: int
    default: 32
  update_password:
    description:
      - With V(on_create), the password is set on a new user only.
      - With V(always), it is set in each run, which is reported as a change each time. For an application this needs the Entra role User
        Administrator on its service principal, besides the permission.
      - The same goes for O(password_file). V(always) sets what the file holds; to have another password made up, name a new file, or move the old
        one away first. If setting it fails, the file stays, and the next run sets the same password.
    type: str
    default: on_create
    choices: [on_create, always]
  force_change_password:
    description:
      - Whether the user must choose another password at the next sign-in. It counts when the password is set.
    type: bool
    default: false
  password_never_expires:
    description:
      - Whether the password is exempt from the tenant's expiry.
    type: bool
    default: true
  usage_location:
    description:
      - The country in which the user uses the services, as two-letter ISO code. No licence can be assigned without one.
      - If it is not given, a user who has none gets the tenant's default usage location or, where that is not set, the tenant's country; a user
        who has one keeps it. It decides which services may be used, and cannot be taken away again; RV(usage_location_from) tells where it came
        from. Reading the tenant's needs C(Organization.Read.All) or C(User.Read.All).
    type: str
  account_enabled:
    description:
      - Whether the user can sign in.
    type: bool
    default: true
  job_title:
    description:
      - The position. An empty text clears it.
    type: str
  department:
    description:
      - The department. An empty text clears it.
    type: str
  company_name:
    description:
      - The company. An empty text clears it.
    type: str
  office_location:
    description:
      - The office. An empty text clears it.
    type: str
  mobile_phone:
    description:
      - The mobile number. An empty text clears it.
    type: str
  business_phones:
    description:
      - The telephone numbers at work, in any order. An empty list clears them.
      - Microsoft Graph is documented to take no more than one.
    type: list
    elements: str
  street_address:
    description:
      - Street and number. An empty text clears them.
    type: str
  city:
    description:
      - The city. An empty text clears it.
    type: str
  state_or_province:
    description:
      - The federal state, province or county. An empty text clears it.
    type: str
  postal_code:
    description:
      - The postal code. An empty text clears it.
    type: str
  country:
    description:
      - The country of the address, as text. It has nothing to do with O(usage_location). An empty text clears it.
    type: str
  preferred_language:
    description:
      - The language, such as V(de-AT). An empty text clears it.
    type: str
  other_mails:
    description:
      - Further mail addresses, in any order. An empty list clears them.
    type: list
    elements: str
  licenses:
    description:
      - Products that the user holds, by part number such as V(CRMPLAN2) or by id (GUID). Those that come through a group count as held.
      - Service plans of a product that the user holds already stay as they are, and of a new one all are switched on, unless O(disabled_plans) says otherwise.
      - Reading the tenant's products needs C(LicenseAssignment.Read.All) or C(Organization.Read.All).
    type: list
    elements: str
  license_mode:
    description:
      - With V(add), other licences of the user stay.
      - With V(exact), directly assigned products that are not in O(licenses) are taken away in the same call. Without O(licenses) nothing is.
      - What a group brings stays all the same; RV(kept_licenses) tells what and why.
      - What comes back with a restored user is taken away in the same run.
    type: str
    default: add
    choices: [add, exact]
  disabled_plans:
    description:
      - By product, the service plans that are off, as names or ids in any order. An empty list switches all on.
      - A product that is not named keeps its plans as they are. One that is named must be in O(licenses) or be held already.
      - All products and plans are changed in one call.
      - A plan that a group's licence switches on cannot be switched off here and is an error. One that the group's licence leaves off is
        switched on by a direct licence beside it, which takes no seat.
      - Which plans exclude or need each other can be read nowhere beforehand. If the service refuses for that reason, the error names the plans,
        the products that bring them, and what helps.
    type: dict
  admin_roles:
    description:
      - With V(forbid), the module fails before it writes anything if the user holds an admin role, whether directly, through a group, for a part
        of the directory, or as one that can be activated (PIM). A view that may not be read makes it fail as well, because then nothing is proved.
        It needs C(RoleManagement.Read.Directory) besides C(User.Read.All) or C(Directory.Read.All).
      - With V(remove), the roles that the user holds itself are taken away before anything else is written, both active ones and those that
        can be activated (PIM, eligible), for the whole tenant or a part of it. It needs C(RoleManagement.ReadWrite.Directory). One that comes
        through a group, active or eligible, is an error that names the group, because taking it would change others as well; nothing is written
        then.
      - The roles of the account that the automation signs in with, and those of the tenant's last Global Administrator, are never taken. That is
        an error before anything is written. Applications that hold the role Global Administrator do not count as another one.
      - With V(ignore), roles are not looked at.
      - The role Directory Readers does not count. A user that the module creates cannot hold any, so nothing is read.
      - Which roles come back with a restored user can be read only after it is restored. The run looks then, before it changes anything else, and
        fails, takes them away or goes on as told.
    type: str
    default: forbid
    choices: [forbid, remove, ignore]
  deleted_user:
    description:
      - What to do if the user does not exist but one of this name was deleted within the last 30 days.
      - V(fail) names the deleted user and the two other choices.
      - V(restore) brings it back with its id, group memberships, licences as far as seats are left, and old password. If there are several, it is
        the one that was deleted last. It is then looked at and made as described in the same run, like any other user.
      - Check mode tells what the restored user will hold as far as the directory shows that of deleted users, and warns that the rest is known
        only afterwards.
      - V(ignore) creates a new user and leaves the deleted one where it is.
    type: str
    default: fail
    choices: [fail, restore, ignore]
  state:
    description:
      - V(present) makes sure of a user as described.
      - V(disabled) stops the user from signing in and changes nothing else; the other options do not matter. A user that does not exist is not created.
      - V(absent) deletes the user. The directory keeps it restorable for 30 days, unless O(purge) is set.
    type: str
    default: present
    choices: [present, disabled, absent]
  purge:
    description:
      - With O(state=absent), delete the user for good, and with it all deleted users who had this name. None of them can be brought back.
    type: bool
    default: false
extends_documentation_fragment:
  - leadops.dynamics365._connection
  - leadops.dynamics365._attributes
  - leadops.dynamics365._attributes.full
  - leadops.dynamics365._attributes.api
attributes:
  idempotent:
    support: partial
    details: With O(update_password=always) and O(password) or O(password_file), each run sets the password.
notes:
  - The directory can take up to a minute until it shows what was written. The module waits until the user and its licences can be read.
  - When two runs create the same user at once, one creates it and the other goes on with it. That one warns, because the password is the first one's.
seealso:
  - module: leadops.dynamics365.crm_user
  - name: Product names and service plan identifiers
    description: Microsoft's list of part numbers.
    link: https://learn.microsoft.com/entra/identity/users/licensing-service-plan-reference
"""

EXAMPLES = r"""
- name: A service account
  leadops.dynamics365.o365_user:
    user_principal_name: marketplace-leads@contoso.com
    password: "{{ leads_password }}"
    licenses: [CRMPLAN2]
    auth:
      tenant_id: 11111111-2222-3333-4444-555555555555
      client_id: 66666666-7777-8888-9999-000000000000
      client_secret: "{{ automation_client_secret }}"

- name: A service account whose password is made up and kept in a file
  leadops.dynamics365.o365_user:
    user_principal_name: marketplace-leads@contoso.com
    password_file: "~/passwords/{{ inventory_hostname }}"
    licenses: [CRMPLAN2]

- name: A person in Austria with these two products and no others
  leadops.dynamics365.o365_user:
    user_principal_name: ada.huber@contoso.com
    display_name: Ada Huber
    given_name: Ada
    surname: Huber
    password: "{{ first_password }}"
    force_change_password: true
    password_never_expires: false
    usage_location: AT
    licenses:
      - DYN365_ENTERPRISE_SALES
      - f30db892-07e9-47e9-837c-80727f46fd3d
    license_mode: exact

- name: A salesperson without the workflow plan, whatever else the account holds
  leadops.dynamics365.o365_user:
    user_principal_name: ada.huber@contoso.com
    job_title: Account Manager
    department: Sales
    business_phones: ["+43 1 5550100"]
    licenses: [DYN365_ENTERPRISE_SALES]
    disabled_plans:
      DYN365_ENTERPRISE_SALES: [FLOW_DYN_APPS]

- name: An account that was an administrator once, and must not be any more
  leadops.dynamics365.o365_user:
    user_principal_name: marketplace-leads@contoso.com
    admin_roles: remove

- name: A new password for the service account
  leadops.dynamics365.o365_user:
    user_principal_name: marketplace-leads@contoso.com
    password: "{{ new_leads_password }}"
    update_password: always

- name: No more sign-ins
  leadops.dynamics365.o365_user:
    user_principal_name: marketplace-leads@contoso.com
    state: disabled

- name: Gone, and restorable for 30 days
  leadops.dynamics365.o365_user:
    user_principal_name: marketplace-leads@contoso.com
    state: absent

- name: Gone for good
  leadops.dynamics365.o365_user:
    user_principal_name: marketplace-leads@contoso.com
    state: absent
    purge: true
"""

RETURN = r"""
user:
  description: The user as it is, or in check mode would be, after the run. V(null) if there is none.
  returned: success
  type: dict
  contains:
    id:
      description: The object id. It is V(00000000-0000-0000-0000-000000000000) for a user that is only planned.
      type: str
      sample: 87d349ed-44d7-43e1-9a83-5f2406dee5bd
    user_principal_name:
      description: The name that the user signs in with.
      type: str
      sample: marketplace-leads@contoso.com
    display_name:
      description: The name that people see.
      type: str
      sample: marketplace-leads
    account_enabled:
      description: Whether the user can sign in.
      type: bool
      sample: true
    usage_location:
      description: The country's two-letter code, or V(null).
      type: str
      sample: DE
    password_policies:
      description: What the directory keeps about the password, or V(null).
      type: str
      sample: DisablePasswordExpiration
    licenses:
      description: The products that the user holds. One that comes directly and through a group is listed twice.
      type: list
      elements: dict
      contains:
        sku_id:
          description: The product's id.
          type: str
          sample: 906af65a-2970-46d5-9b58-4e9aa50f0657
        sku_part_number:
          description: The product's part number. V(null) if the tenant's products did not have to be read.
          type: str
          sample: CRMPLAN2
        source:
          description: V(direct), or V(group) for one that comes through a group.
          type: str
          sample: direct
        group_ids:
          description: The groups that bring it.
          returned: if it comes through a group
          type: list
          elements: str
          sample: [5d1f0e5c-0000-4000-8000-0000000000aa]
    disabled_plans:
      description:
        - The service plans that are off, by product, for products with any.
        - Products and plans are told by name where O(disabled_plans) made the module read them, else by id.
      type: dict
      sample: {CRMPLAN2: [FLOW_DYN_APPS]}
    admin_roles:
      description: The admin roles that the user holds, which is none where they are forbidden or removed. V(null) if they were not looked at, as
        those of a deleted user in check mode.
      type: list
      elements: dict
      sample: []
kept_licenses:
  description: What O(license_mode=exact) leaves in place although it is not in O(licenses).
  returned: success
  type: list
  elements: dict
  contains:
    sku_id:
      description: The product's id.
      type: str
      sample: 906af65a-2970-46d5-9b58-4e9aa50f0657
    sku_part_number:
      description: The product's part number. V(null) if the tenant's products did not have to be read.
      type: str
      sample: CRMPLAN2
    group_ids:
      description: The groups that bring it.
      type: list
      elements: str
      sample: [5d1f0e5c-0000-4000-8000-0000000000aa]
    why:
      description: Why it stays.
      type: str
      sample: It comes through a group, and can only be taken from the group, or the user out of it.
usage_location_from:
  description:
    - Where RV(user.usage_location) comes from, V(option) for O(usage_location), V(user) for what the user had, V(tenant_default) for the tenant's
      default usage location, V(tenant_country) for the tenant's country.
    - V(null) if there is none, or with another O(state) than V(present).
  returned: success
  type: str
  sample: tenant_country
created:
  description: Whether the user was, or in check mode would be, created.
  returned: success
  type: bool
  sample: true
planned:
  description: Whether the user does not exist yet, because check mode only plans it.
  returned: success
  type: bool
  sample: false
password_set:
  description: Whether the password was, or in check mode would be, set.
  returned: success
  type: bool
  sample: true
password_generated:
  description: Whether the password was, or in check mode would be, made up and kept in O(password_file).
  returned: success
  type: bool
  sample: false
"""

import typing as t
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ..module_utils._connection import CONNECTION_OPTIONS
from ..module_utils._directory_roles import (
    HeldRole,
    check_role_removal,
    forbid_admin_roles,
    plan_role_removal,
    read_admin_roles,
    wait_until_without_roles,
)
from ..module_utils._directory_user_fields import FIELDS
from ..module_utils._directory_user_licensing import LicenseOptions, Licensing, plan_licensing, returning
from ..module_utils._directory_user_rules import check_display_name, check_mail_nickname, check_password, check_user_principal_name, country
from ..module_utils._directory_user_writes import UserWrites
from ..module_utils._directory_users import (
    NOT_SHOWN,
    WantedUser,
    check_domain,
    check_manageable,
    foreseen,
    plan_creation,
    plan_deletion,
    plan_restoration,
    plan_update,
    read_deleted_user,
    read_deleted_users,
    read_tenant_defaults,
    read_user,
)
from ..module_utils._errors import InvalidOption, NotPossible
from ..module_utils._graph import Graph
from ..module_utils._http import Clock
from ..module_utils._licenses import License, LicenseChange, Product, disabled_plans, held_licenses, names_of, read_products, shown_plans
from ..module_utils._odata import Row
from ..module_utils._password_files import PasswordFile, words_to_avoid
from ..module_utils._plan import Json, Plan
from ..module_utils._task import ModuleSpec, Outcome, Task, run_module
from ..module_utils._wait import until

SPEC = ModuleSpec(
    options={
        **CONNECTION_OPTIONS,
        "user_principal_name": {"type": "str", "required": True},
        "display_name": {"type": "str"},
        "given_name": {"type": "str"},
        "surname": {"type": "str"},
        "mail_nickname": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "password_file": {"type": "path", "no_log": False},
        "password_length": {"type": "int", "default": 32, "no_log": False},
        "update_password": {"type": "str", "default": "on_create", "choices": ["on_create", "always"], "no_log": False},
        "force_change_password": {"type": "bool", "default": False, "no_log": False},
        "password_never_expires": {"type": "bool", "default": True, "no_log": False},
        "usage_location": {"type": "str"},
        "account_enabled": {"type": "bool", "default": True},
        **{
            name: {"type": "str"}
            for name in (
                "job_title",
                "department",
                "company_name",
                "office_location",
                "mobile_phone",
                "street_address",
                "city",
                "state_or_province",
                "postal_code",
                "country",
                "preferred_language",
            )
        },
        "business_phones": {"type": "list", "elements": "str"},
        "other_mails": {"type": "list", "elements": "str"},
        "licenses": {"type": "list", "elements": "str"},
        "disabled_plans": {"type": "dict"},
        "license_mode": {"type": "str", "default": "add", "choices": ["add", "exact"]},
        "admin_roles": {"type": "str", "default": "forbid", "choices": ["forbid", "remove", "ignore"]},
        "deleted_user": {"type": "str", "default": "fail", "choices": ["fail", "restore", "ignore"]},
        "state": {"type": "str", "default": "present", "choices": ["present", "disabled", "absent"]},
        "purge": {"type": "bool", "default": False},
    },
    mutually_exclusive=[["password", "password_file"]],
)
_RETURN_SECONDS = 30
"""How long licences that come back with a restored user are waited for, where they are to be taken away."""


def reconcile(task: Task) -> Outcome:
    """One user, in the wanted state."""
    wanted = wanted_user(task.params)
    licenses = LicenseOptions.of(task.params)
    kept = _password_file(task, wanted)
    user = read_user(task.connection.graph, wanted.user_principal_name)
    if user is not None:
        check_manageable(user)
    if task.params["state"] == "absent":
        return _delete(task, wanted, user)
    if task.params["state"] == "disabled":
        return _disable(task, wanted, user)
    if user is not None:
        return _update(task, wanted, licenses, kept, user)
    deleted = None if task.params["deleted_user"] == "ignore" else read_deleted_user(task.connection.graph, wanted.user_principal_name)
    return _create(task, wanted, licenses, kept) if deleted is None else _restore(task, wanted, licenses, kept, deleted)


def wanted_user(params: Mapping[str, t.Any]) -> WantedUser:
    """What the options say; raises InvalidOption for what cannot work anywhere."""
    name = params["user_principal_name"].strip()
    check_user_principal_name(name)
    for option, check in (("display_name", check_display_name), ("mail_nickname", check_mail_nickname), ("password", check_password)):
        if params[option] is not None:
            check(params[option])
    if params["purge"] and params["state"] != "absent":
        raise InvalidOption("purge", f"deletes for good, and state is {params['state']}.", "Say state=absent, or leave purge out.")
    values = {entry.option: params[entry.option] for entry in FIELDS if params[entry.option] is not None}
    if "usage_location" in values:
        values["usage_location"] = country(values["usage_location"])
    for option in ("business_phones", "other_mails"):
        if option in values:
            values[option] = sorted({text.strip() for text in values[option]} - {""})
    return WantedUser(name, values, params["password"], params["force_change_password"])


def _password_file(task: Task, wanted: WantedUser) -> PasswordFile | None:
    """Where the password is kept, or will be, if it is not given."""
    if task.params["password_file"] is None or task.params["state"] != "present":
        return None
    names = [str(wanted.values[option]) for option in ("display_name", "given_name", "surname") if option in wanted.values]
    kept = PasswordFile(Path(task.params["password_file"]), task.params["password_length"], words_to_avoid(wanted.user_principal_name, *names), task.mask)
    kept.check()
    if kept.readable_by_others():
        task.warn(f"Other users of this machine can read {kept.path}, which holds a password.")
    return kept


def _with_password(task: Task, wanted: WantedUser, kept: PasswordFile | None) -> WantedUser:
    """With the password of the file, which is made now if it is not there. To be called when nothing but the writes is left to do."""
    if kept is None:
        return wanted
    if task.check_mode:
        kept.generated = not kept.exists()
        return replace(wanted, password=NOT_SHOWN)
    return replace(wanted, password=kept.password())


def _always(task: Task) -> bool:
    return bool(task.params["update_password"] == "always")  # noqa: S105


def _delete(task: Task, wanted: WantedUser, user: Row | None) -> Outcome:
    purged = None
    if task.params["purge"]:
        purged = read_deleted_users(task.connection.graph, wanted.user_principal_name, purpose="purge")
        for row in purged:
            check_manageable(row)
    plan = plan_deletion(user, purged)
    if not plan.changed:
        return Outcome(_facts(None), plan)
    writes = _writes(task, plan, wanted, user_id="" if user is None else user["id"])
    task.carry_out(plan, writes.resolve)
    if not task.check_mode:
        writes.wait_until_gone()
    return Outcome(_facts(None), plan)


def _disable(task: Task, wanted: WantedUser, user: Row | None) -> Outcome:
    if user is None:
        return Outcome(_facts(None), Plan({}, {}))
    disabled = WantedUser(wanted.user_principal_name, {"account_enabled": False})
    plan = plan_update(user, disabled, LicenseChange(), ())
    after = _carried_out(task, _writes(task, plan, disabled, user_id=user["id"]), user)
    return Outcome(_facts(_result(after, held_licenses(after), (), None)), plan)


def _update(
    task: Task, wanted: WantedUser, options: LicenseOptions, kept: PasswordFile | None, user: Row, restored: tuple[Product, ...] | None = None
) -> Outcome:
    """A user that is there. ``restored`` are the products that were read before this task restored it, or in check mode would have."""
    name = user["userPrincipalName"]
    roles = None if restored is not None and task.check_mode else _roles(task, user)
    removals = plan_role_removal(roles or (), user["id"], name)
    if removals:
        check_role_removal(task.connection.graph, roles or (), user["id"], name, task.params["auth"].get("username") or "")
    licensing = plan_licensing(task.connection.graph, options, user, name, task.warn, restored or ())
    wanted = _with_country(task, wanted, user, licensing)
    wanted = _with_password(task, wanted, kept) if _always(task) else replace(wanted, password=None)
    held = tuple(entry.sku_id for entry in licensing.held)
    plan = plan_update(user, wanted, licensing.change, licensing.products, held, disabled_plans(licensing.held))
    if removals:
        before, after = {"admin_roles": sorted(map(str, roles or ())), **plan.before}, {"admin_roles": [], **plan.after}
        # First, because an administrator's account can only be changed by a higher one
        plan = Plan(before, after, (*removals, *plan.writes))
    writes = _writes(task, plan, wanted, licensing.change, user_id=user["id"], fresh=restored is not None, kept=kept)
    row = _carried_out(task, writes, user)
    if removals and not task.check_mode:
        with writes.all_done():
            forbid_admin_roles(wait_until_without_roles(task.connection.graph, task.clock, user["id"], name), name)
    set_password = wanted.password is not None
    facts = _facts(
        _licensed(task, row, licensing, () if removals else roles),
        password_set=set_password,
        password_generated=set_password and kept is not None and kept.generated,
        kept_licenses=licensing.kept_result(),
        usage_location_from=_location_from(task, wanted, row),
    )
    return Outcome(facts, plan)


def _roles(task: Task, user: Row) -> tuple[HeldRole, ...] | None:
    """The admin roles of the user, unless they do not matter; any is an error unless it is to be removed."""
    return _proved(task, user) if task.params["admin_roles"] != "remove" else read_admin_roles(*_of(task, user))


def _proved(task: Task, user: Row) -> tuple[HeldRole, ...] | None:
    """That the user holds no admin role, unless that does not matter."""
    if task.params["admin_roles"] == "ignore":
        return None
    roles = read_admin_roles(*_of(task, user))
    forbid_admin_roles(roles, user["userPrincipalName"])
    return roles


def _of(task: Task, user: Row) -> tuple[Graph, Clock, str, str]:
    return task.connection.graph, task.clock, user["id"], user["userPrincipalName"]


def _create(task: Task, wanted: WantedUser, options: LicenseOptions, kept: PasswordFile | None) -> Outcome:
    name = wanted.user_principal_name
    if wanted.password is None and kept is None:
        raise InvalidOption("password", f"is missing, and {name} must be created.", "Give the new user a password, or have one made with password_file.")
    tenant = read_tenant_defaults(task.connection.graph)
    check_domain(name, tenant)
    wanted = wanted.for_creation(tenant)
    licensing = plan_licensing(task.connection.graph, options, {}, name, task.warn)
    _check_country(wanted, licensing)
    wanted = _with_password(task, wanted, kept)
    plan = plan_creation(wanted, licensing.change, licensing.products)
    writes = _writes(task, plan, wanted, licensing.change, fresh=True, kept=kept)
    after = _carried_out(task, writes, {})
    ours = writes.found_instead is None
    if writes.found_instead is not None:
        plan = _remainder(plan, writes.found_instead, licensing)
        theirs = "" if kept is None else f" That is the one in {kept.path} only if the other run uses this file, too."
        task.warn(f"Another run created {name} at the same moment. Its password is the one that the other run set.{theirs}")
    generated = ours and kept is not None and kept.generated
    facts = _facts(
        _licensed(task, after, licensing, ()),
        created=ours,
        password_set=ours,
        password_generated=generated,
        planned=task.check_mode,
        usage_location_from=_location_from(task, wanted, after),
    )
    return Outcome(facts, plan, {"user_id": writes.user_id} if writes.user_id else {})


def _remainder(plan: Plan, found: Row, licensing: Licensing) -> Plan:
    """What this run changed of a user that another run created: the licences, unless the other run was faster there, too."""
    off = disabled_plans(held_licenses(found))
    if all(off.get(sku_id) == licensing.change.plans.get(sku_id, off.get(sku_id, "missing")) for sku_id in licensing.change.add):
        return Plan({}, {})
    return Plan({"licenses": names_of(off, licensing.products)}, {"licenses": plan.after["licenses"]}, plan.writes[1:])


def _restore(task: Task, wanted: WantedUser, options: LicenseOptions, kept: PasswordFile | None, deleted: Row) -> Outcome:
    """Back as it was, looked at, and then changed as any other user: what comes back with it is known only then."""
    graph, name = task.connection.graph, wanted.user_principal_name
    if task.params["deleted_user"] == "fail":
        raise NotPossible(
            doing=f"create the user {name}",
            why=f"a user of this name was deleted ({deleted.get('deletedDateTime')}) and can still be restored (id {deleted['id']}).",
            next_step="Choose deleted_user=restore to bring it back with its old password, or deleted_user=ignore to create a new user.",
        )
    check_manageable(deleted)
    products = read_products(graph, plans=bool(options.disabled)) if options else ()
    expected = returning(deleted, products)
    # Before the first write: what is known to be impossible
    licensing = plan_licensing(graph, options, expected, name, lambda _text: None, products)
    wanted = _with_country(task, wanted, expected, licensing)
    if not _always(task) or (wanted.password is None and kept is None):
        task.warn(f"{name} is a restored user and keeps its old password. Set another one with update_password=always.")
    plan = plan_restoration(deleted)
    if task.check_mode:
        task.warn(f"Which licences and admin roles come back with {name} is known only after it is restored. The real run looks then, and acts on it.")
        return _both(plan, _update(task, wanted, options, kept, expected, products))
    writes = _writes(task, plan, WantedUser(name, {}), user_id=deleted["id"], fresh=True)
    row = _carried_out(task, writes, deleted)
    with writes.all_done():
        if licensing.change.remove:
            row = _with_returned(task, row, {entry.sku_id for entry in held_licenses(expected)})
        return _both(plan, _update(task, wanted, options, kept, row, products))


def _with_returned(task: Task, user: Row, sku_ids: set[str]) -> Row:
    """The row once the licences are back, so that those that are too many can be taken away; if they never come, there is nothing to take."""
    latest = user

    def are_back() -> bool:
        return sku_ids <= disabled_plans(held_licenses(latest)).keys()

    def look() -> bool | None:
        nonlocal latest
        latest = read_user(task.connection.graph, user["id"]) or latest
        return are_back() or None

    if not are_back():
        until(task.clock, look, seconds=_RETURN_SECONDS)
    return latest


def _both(plan: Plan, rest: Outcome) -> Outcome:
    """A restoration and what comes after it."""
    return replace(rest, plan=Plan({**plan.before, **rest.plan.before}, {**plan.after, **rest.plan.after}, (*plan.writes, *rest.plan.writes)))


def _with_country(task: Task, wanted: WantedUser, user: Row, licensing: Licensing) -> WantedUser:
    """A user without a country gets the tenant's before a licence."""
    if licensing.change.add and not user.get("usageLocation") and "usage_location" not in wanted.values:
        wanted = wanted.with_country(read_tenant_defaults(task.connection.graph))
        _check_country(wanted, licensing)
    return wanted


def _location_from(task: Task, wanted: WantedUser, after: Row) -> str | None:
    """Where the usage location comes from, so that nobody wonders why a service may not be used."""
    if task.params["usage_location"] is not None:
        return "option"
    return wanted.country_from or ("user" if after.get("usageLocation") else None)


def _check_country(wanted: WantedUser, licensing: Licensing) -> None:
    if licensing.change.add and "usage_location" not in wanted.values:
        raise InvalidOption("usage_location", "is missing: a licence needs a country, and the tenant names none.", "Give the two-letter code.")


def _writes(
    task: Task,
    plan: Plan,
    wanted: WantedUser,
    licenses: LicenseChange | None = None,
    *,
    user_id: str = "",
    fresh: bool = False,
    kept: PasswordFile | None = None,
) -> UserWrites:
    def check_found(user: Row) -> None:
        check_manageable(user)
        _proved(task, user)

    return UserWrites(task.connection.graph, task.clock, plan, wanted, licenses or LicenseChange(), check_found, user_id, fresh, kept)


def _carried_out(task: Task, writes: UserWrites, user: Row) -> Row:
    """The user's row after the plan: read back, or in check mode foreseen."""
    known = task.carry_out(writes.plan, writes.resolve)
    if not writes.plan.changed:
        return user
    if task.check_mode:
        return foreseen(user, writes.wanted)
    return writes.read_back(known.get("user_id", ""))


def _licensed(task: Task, after: Row, licensing: Licensing, roles: tuple[HeldRole, ...] | None) -> Json:
    licenses = licensing.change.applied(licensing.held) if task.check_mode else held_licenses(after)
    return _result(after, licenses, licensing.products, roles)


def _result(user: Row, licenses: tuple[License, ...], products: tuple[Product, ...], roles: tuple[HeldRole, ...] | None) -> Json:
    return {
        "id": user["id"],
        "user_principal_name": user["userPrincipalName"],
        "display_name": user.get("displayName"),
        "account_enabled": user.get("accountEnabled"),
        "usage_location": user.get("usageLocation"),
        "password_policies": user.get("passwordPolicies"),
        "licenses": [entry.to_result(products) for entry in sorted(licenses, key=lambda entry: (entry.sku_id, entry.source))],
        "disabled_plans": shown_plans({sku_id: plans for sku_id, plans in disabled_plans(licenses).items() if plans}, products),
        "admin_roles": None if roles is None else [role.to_result() for role in roles],
    }


def _facts(user: Json | None, **facts: t.Any) -> Json:
    nothing = {"created": False, "planned": False, "password_set": False, "password_generated": False, "kept_licenses": [], "usage_location_from": None}
    return {"user": user, **nothing, **facts}


def main() -> None:
    """Run as an ordinary module."""
    run_module(SPEC, reconcile)


if __name__ == "__main__":
    main()
