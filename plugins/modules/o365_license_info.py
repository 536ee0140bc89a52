#!/usr/bin/python
# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The products of a tenant with their seats, and who holds them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: o365_license_info
short_description: Read the products of a Microsoft 365 tenant with their seats, and the licences of users
version_added: 0.1.0
author:
  - leadops.dynamics365 contributors (@leadops)
description:
  - Tells which products the tenant has, how many seats of each are bought, in use and left, and on request their service plans.
  - Tells for named users which products they hold, and whether directly or through a group, with what went wrong.
  - Needs the Microsoft Graph permission C(LicenseAssignment.Read.All) or C(Organization.Read.All), and C(User.Read.All) for O(users).
  - Never writes anything.
options:
  products:
    description:
      - Only these products, by part number such as V(CRMPLAN2) or by id. One that the tenant does not have is an error that names those it has.
      - Without it, all products are told.
    type: list
    elements: str
  service_plans:
    description:
      - Whether the service plans of each product are told as well. They make the answer long.
    type: bool
    default: false
  users:
    description:
      - Users whose licences are told, by user principal name or object id.
      - One that does not exist is told as not found.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - leadops.dynamics365._connection
  - leadops.dynamics365._attributes
  - leadops.dynamics365._attributes.info
  - leadops.dynamics365._attributes.api
seealso:
  - module: leadops.dynamics365.o365_user
"""

EXAMPLES = r"""
- name: See the tenant's products and seats
  leadops.dynamics365.o365_license_info:
    auth:
      tenant_id: 11111111-2222-3333-4444-555555555555
      client_id: 66666666-7777-8888-9999-000000000000
      client_secret: "{{ automation_client_secret }}"

- name: See what a product consists of, and who of these two holds it
  leadops.dynamics365.o365_license_info:
    products: [DYN365_ENTERPRISE_SALES]
    service_plans: true
    users:
      - ada.huber@contoso.com
      - 87d349ed-44d7-43e1-9a83-5f2406dee5bd
  register: sales

- name: Stop where no seat is left
  ansible.builtin.assert:
    that: sales.products[0].available > 0
"""

RETURN = r"""
products:
  description: The products, by part number.
  returned: success
  type: list
  elements: dict
  contains:
    sku_id:
      description: The product's id.
      type: str
      sample: 906af65a-2970-46d5-9b58-4e9aa50f0657
    sku_part_number:
      description: The part number, which O(leadops.dynamics365.o365_user#module:licenses) takes.
      type: str
      sample: CRMPLAN2
    applies_to:
      description: V(user), or V(company) for one that no user can hold.
      type: str
      sample: user
    status:
      description: The state of the subscription, V(Enabled), V(Warning), V(Suspended), V(Deleted) or V(LockedOut).
      type: str
      sample: Enabled
    enabled:
      description: Seats that are paid for.
      type: int
      sample: 25
    warning:
      description: Seats in the grace period after a subscription expired. They can still be used.
      type: int
      sample: 0
    suspended:
      description: Seats that can no longer be used.
      type: int
      sample: 0
    locked_out:
      description: Seats of a subscription that was cut off.
      type: int
      sample: 0
    consumed:
      description: Seats in use.
      type: int
      sample: 14
    available:
      description: To how many users more the product can be assigned. None for a product that no user can hold.
      type: int
      sample: 11
    service_plans:
      description: What the product consists of.
      returned: if O(service_plans) is true
      type: list
      elements: dict
      contains:
        id:
          description: The plan's id.
          type: str
          sample: 7e6d7d78-73de-46ba-83b1-6d25117334ba
        name:
          description: The plan's name, which O(leadops.dynamics365.o365_user#module:disabled_plans) takes.
          type: str
          sample: FLOW_DYN_APPS
        applies_to:
          description: V(user) or V(company).
          type: str
          sample: user
        status:
          description: Whether the plan works in this tenant.
          type: str
          sample: Success
users:
  description: The users of O(users), in their order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The entry of O(users).
      type: str
      sample: ada.huber@contoso.com
    found:
      description: Whether there is such a user. If not, the rest is V(null) or empty.
      type: bool
      sample: true
    id:
      description: The object id.
      type: str
      sample: 87d349ed-44d7-43e1-9a83-5f2406dee5bd
    user_principal_name:
      description: The name that the user signs in with.
      type: str
      sample: ada.huber@contoso.com
    display_name:
      description: The name that people see.
      type: str
      sample: Ada Huber
    account_enabled:
      description: Whether the user can sign in.
      type: bool
      sample: true
    usage_location:
      description: The country's two-letter code, without which no licence can be assigned.
      type: str
      sample: AT
    licenses:
      description: One entry for each way in which the user holds, or was to hold, a product.
      type: list
      elements: dict
      contains:
        sku_id:
          description: The product's id.
          type: str
          sample: 906af65a-2970-46d5-9b58-4e9aa50f0657
        sku_part_number:
          description: The part number. V(null) if the tenant has the product no more.
          type: str
          sample: CRMPLAN2
        source:
          description: V(direct) or V(group).
          type: str
          sample: group
        group_id:
          description: The group, or V(null).
          type: str
          sample: 5d1f0e5c-0000-4000-8000-0000000000aa
        state:
          description: V(Active), V(ActiveWithError), V(Disabled) or V(Error).
          type: str
          sample: Active
        error:
          description: What the service could not do, such as V(CountViolation) where no seat was left, or V(null).
          type: str
          sample: CountViolation
        disabled_plans:
          description: The service plans that are off in this way. They are told by name if O(service_plans) is true, else by id.
          type: list
          elements: str
          sample: [FLOW_DYN_APPS]
"""

from ..module_utils._connection import CONNECTION_OPTIONS
from ..module_utils._errors import InvalidOption
from ..module_utils._license_holders import holder_report, product_report, read_holders
from ..module_utils._licenses import read_products, resolve_products
from ..module_utils._plan import Plan
from ..module_utils._task import ModuleSpec, Outcome, Task, run_module

SPEC = ModuleSpec(
    options={
        **CONNECTION_OPTIONS,
        "products": {"type": "list", "elements": "str"},
        "service_plans": {"type": "bool", "default": False},
        "users": {"type": "list", "elements": "str", "default": []},
    },
)


def reconcile(task: Task) -> Outcome:
    """Products and holders, as they are."""
    for option in ("products", "users"):
        for number, reference in enumerate(task.params[option] or ()):
            if not reference.strip():
                raise InvalidOption(f"{option}[{number}]", "is empty.", "Leave it out.")
    plans = task.params["service_plans"]
    tenant = read_products(task.connection.graph, plans=plans)
    named = task.params["products"]
    shown = tenant if named is None else resolve_products(named, tenant, option="products")
    holders = read_holders(task.connection.graph, task.params["users"])
    facts = {
        "products": [product_report(product, plans=plans) for product in sorted(shown, key=lambda product: product.part_number)],
        "users": [holder_report(name, row, tenant) for name, row in holders.items()],
    }
    return Outcome(facts, Plan({}, {}))


def main() -> None:
    """Run as an ordinary module."""
    run_module(SPEC, reconcile)


if __name__ == "__main__":
    main()
