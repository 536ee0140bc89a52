# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which columns our readers ask for: the readers run against answers that are empty, and what they select is collected."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.leadops.dynamics365.plugins.module_utils import _business_units as units
from ansible_collections.leadops.dynamics365.plugins.module_utils import _directory_users as people
from ansible_collections.leadops.dynamics365.plugins.module_utils import _license_holders, _licenses, _privileges, _role_holders, _role_list, _roles
from ansible_collections.leadops.dynamics365.plugins.module_utils import _solution_listing as listing
from ansible_collections.leadops.dynamics365.plugins.module_utils import _solutions as solutions
from ansible_collections.leadops.dynamics365.plugins.module_utils import _system_users as users
from ansible_collections.leadops.dynamics365.plugins.module_utils._http import Call
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_imports import ImportJob, Imports
from ansible_collections.leadops.dynamics365.tests.unit.plugins.given_answers import Given, dataverse, graph
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import FakeClock

ID = "7c3de6a5-58c1-4a55-9a8e-5f0c1d2e3b4a"
_ROLE = {"roleid": ID, "name": "R", "_parentrootroleid_value": ID}


def dataverse_columns() -> dict[str, set[str]]:
    """By table."""
    api = dataverse(_empty)
    solution = solutions.InstalledSolution(ID, "A", "A", "1.0", managed=True)
    imports = Imports(api, FakeClock(), lambda _text: None, "A", 1)
    solutions.read_solutions(api, ["A"])
    solutions.read_patches(api, solution)
    listing.read_list(api, ["A"], managed=None, hidden=True)
    listing.read_history(api, "A")
    listing.read_components(api, ID)
    imports.look()
    imports.job(ImportJob(ID), with_data=True)
    users.find_system_user(api, "a@contoso.example")
    users.read_application_rows(api, ID)
    units.organization_setting(api, "A")
    _roles.read_root_role(api, "A")
    _role_list.find_roles(api, ["A"], None)
    _role_list.read_unit_names(api)
    _role_list.read_holding(api, _roles.role_from_row(_ROLE))
    _role_holders.read_users(api, [ID, "a@contoso.example"])
    _role_holders.read_teams(api, ["A"])
    _privileges.read_privileges(api, ["A"])
    return _asked(api)


def graph_columns() -> dict[str, set[str]]:
    """By type."""
    api = graph(_empty)
    people.read_deleted_users(api, "a@contoso.example", purpose="x")
    people.read_tenant_defaults(api)
    _license_holders.read_holders(api, ["a@contoso.example"])
    _licenses.read_products(api, plans=True)
    asked = _asked(api)
    names = {"directory/deletedItems/microsoft.graph.user": "user", "users": "user", "organization": "organization", "subscribedSkus": "subscribedSku"}
    found: dict[str, set[str]] = {}
    for path, columns in asked.items():
        found.setdefault(names[path], set()).update(columns)
    return found


def _asked(api: t.Any) -> dict[str, set[str]]:
    given = api._http
    assert isinstance(given, Given)
    return given.columns()


def _empty(call: Call) -> bytes:
    """A document where one is asked for, an empty list elsewhere."""
    return json.dumps({"importjobid": ID} if "importjobs(" in call.url else {"value": []}).encode()
