# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers with members missing, null or of another type: a reader tells the right value or fails as this collection fails.

A bare KeyError, TypeError, AttributeError or the like is never the end of it.
"""

from __future__ import annotations

import contextlib
import copy
import typing as t
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils import (
    _directory_roles,
    _license_holders,
    _licenses,
    _organizations,
    _role_holders,
    _role_list,
    _roles,
    _service_plans,
    _solution_blockers,
    _solution_listing,
    _solution_validation,
    _solutions,
    _system_users,
)
from ansible_collections.leadops.dynamics365.plugins.module_utils._business_units import find_unit, organization_setting, root_unit
from ansible_collections.leadops.dynamics365.plugins.module_utils._directory_users import read_deleted_users, read_tenant_defaults, read_user
from ansible_collections.leadops.dynamics365.plugins.module_utils._entry_obstacles import environment_from, find_directory_user
from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import TaskError
from ansible_collections.leadops.dynamics365.plugins.module_utils._privileges import read_held, read_privileges, read_table_privileges
from ansible_collections.leadops.dynamics365.plugins.module_utils._rows import decimal, flag, inner, listed, lower, needed, number, text, texts
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_import_reports import read_report
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_import_results import hex_code, judge_import, read_import_data
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_imports import ImportJob, Imports
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_settings import read_found
from ansible_collections.leadops.dynamics365.tests.unit.plugins import recorded_shapes as shapes
from ansible_collections.leadops.dynamics365.tests.unit.plugins.given_answers import dataverse, graph
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import FakeClock

A, B = shapes.A, shapes.B
UPN = "lea@northwind.example"
Json = dict[str, t.Any]

UNIT = {"businessunitid": A, "name": "Root", "_parentbusinessunitid_value": None}
TEAM = {"teamid": A, "name": "T", "teamtype": 0, "_businessunitid_value": B, "teamroles_association": [shapes.ROLE]}
IMPORT_JOB = {"importjobid": A, "solutionname": "N", "progress": 80.0, "createdon": "2027-01-15T08:00:00Z", "completedon": None, "data": shapes.BAD_PART}
RUNNING = {"asyncoperationid": B, "statecode": 2, "statuscode": 20, "createdon": "2027-01-15T07:59:59Z", "msdyn_name": "N", "msdyn_status": 0}
STATE = {
    "skuId": A,
    "assignedByGroup": B,
    "state": "Error",
    "error": "DependencyViolation",
    "disabledPlans": [B],
    "lastUpdatedDateTime": "2026-01-01T00:00:00Z",
}
PERSON: Json = {
    "id": A,
    "userPrincipalName": UPN,
    "accountEnabled": True,
    "assignedLicenses": [{"skuId": A, "disabledPlans": [B]}],
    "licenseAssignmentStates": [STATE, {**STATE, "assignedByGroup": None, "state": "Active", "error": "None"}],
}
PRODUCT: Json = {
    "skuId": A,
    "skuPartNumber": "CRMPLAN2",
    "appliesTo": "User",
    "capabilityStatus": "Enabled",
    "consumedUnits": 1,
    "prepaidUnits": {"enabled": 3, "suspended": 0, "warning": 0, "lockedOut": 0},
    "servicePlans": [{"servicePlanId": B, "servicePlanName": "CRM", "appliesTo": "User", "provisioningStatus": "Success"}],
}
HISTORY = {"msdyn_name": "N", "msdyn_status": 1, "msdyn_operation": 0, "msdyn_result": True, "msdyn_starttime": "2026-01-01T00:00:00Z", "msdyn_endtime": None}
DEPENDENCY = {"dependentcomponentobjectid": A, "dependentcomponenttype": 29, "requiredcomponentobjectid": B}
SETTING = {
    "connectionreferenceid": A,
    "connectionreferencelogicalname": "c",
    "connectorid": None,
    "connectionid": None,
    "environmentvariabledefinitionid": A,
    "schemaname": "v",
    "_environmentvariabledefinitionid_value": A,
}
MEMBERSHIP = {"@odata.type": "#microsoft.graph.directoryRole", "id": A, "roleTemplateId": B, "displayName": None, "roleDefinitionId": A, "principalId": A}
DETAIL = {"Detail": {"FriendlyName": "N", "UniqueName": "n", "TenantId": A, "EnvironmentId": B, "OrganizationVersion": "9.2"}, "value": [UNIT]}
TABLE = {"Privileges": [{"PrivilegeId": A, "Name": "prvReadLead", "PrivilegeType": "Read", "CanBeBasic": True}]}
TENANT = {"countryLetterCode": "AT", "defaultUsageLocation": None, "verifiedDomains": [{"name": "northwind.example", "type": "Managed"}]}
PRODUCTS = (_licenses.Product(A, "CRMPLAN2", for_users=True, status="Enabled", units=1, consumed=0),)
SOLUTION = _solutions.InstalledSolution(A, "N", "N", "1.0", managed=True)


def _list(row: t.Any) -> Json:
    return {"value": [row]}


def _imports(row: t.Any) -> Imports:
    return Imports(dataverse({**row, "value": [row]} if isinstance(row, dict) else _list(row)), FakeClock(), lambda _text: None, "N", 1)


def _blockers(row: t.Any) -> t.Any:
    return _solution_blockers.read_blockers(dataverse(_list(row)), SOLUTION)


def _holders_of_roles(row: t.Any) -> t.Any:
    living, _deleted = _role_holders.read_users(dataverse(_list(row)), [UPN])
    return [_role_holders.principal(dataverse(_list({})), user) for user in living]


def _teams(row: t.Any) -> t.Any:
    return [_role_holders.team_principal(dataverse(_list({})), team) for team in _role_holders.read_teams(dataverse(_list(row)), ["T"])]


def _units(row: t.Any) -> t.Any:
    return _role_list.read_unit_names(dataverse(_list(row))), root_unit(dataverse(_list(row))), find_unit(dataverse(_list(row)), "Root", "o")


def _missing(row: t.Any) -> t.Any:
    return _organizations.missing_privileges(dataverse(row), _organizations.Caller(A, B), ["prvA"])


def _holders(row: t.Any) -> t.Any:
    return _role_list.read_holding(dataverse(_list(row)), _roles.role_from_row(shapes.ROLE))


def _products(row: t.Any) -> t.Any:
    return [_license_holders.product_report(product, plans=True) for product in _licenses.read_products(graph(_list(row)), plans=True)]


def _admin_roles(row: t.Any) -> t.Any:
    return _directory_roles.read_admin_roles(graph({**row, "value": [row]}), FakeClock(), A, UPN)


READERS: list[tuple[str, t.Any, Callable[[t.Any], t.Any]]] = [
    ("solutions", shapes.SOLUTION, lambda row: _solutions.read_standing(dataverse(_list(row)), "N")),
    ("listing", shapes.SOLUTION, lambda row: _solution_listing.describe(_solution_listing.read_list(dataverse(_list(row)), [], managed=None, hidden=True))),
    ("history", HISTORY, lambda row: _solution_listing.read_history(dataverse(_list(row)), "N")),
    ("components", {"objectid": A, "componenttype": 1}, lambda row: _solution_listing.read_components(dataverse(_list(row)), A)),
    ("dependents", DEPENDENCY, lambda row: _solution_blockers.read_dependents(dataverse(_list(row)), "N")),
    ("blockers", {**DEPENDENCY, **shapes.SOLUTION, "objectid": A, "_solutionid_value": A}, _blockers),
    ("settings", SETTING, lambda row: read_found(dataverse(_list(row)), ["c"], ["v"])),
    ("running imports", {**RUNNING, **IMPORT_JOB}, lambda row: _imports(row).look()),
    ("import job", {**RUNNING, **IMPORT_JOB}, lambda row: _imports(row).job(ImportJob(A), with_data=True)),
    ("progress", IMPORT_JOB, lambda row: _imports(row)._progress(ImportJob(A))),
    ("import start", shapes.START, ImportJob.from_answer),
    ("system job", shapes.SYSTEM_JOB, lambda row: judge_import(row, None)),
    ("ended import", IMPORT_JOB, lambda row: judge_import(None, row)),
    ("import result", shapes.IMPORT_RESULT, lambda row: read_report(dataverse(row), A)),
    ("validation", shapes.STAGE_FAILED["StageSolutionResults"], _solution_validation.problems),
    ("remarks", shapes.STAGE_FAILED["StageSolutionResults"], _solution_validation.remarks),
    ("caller", shapes.CALLER, lambda row: _organizations.who_am_i(dataverse(row))),
    ("organisation", DETAIL, lambda row: _organizations.read_organization(dataverse(row), A)),
    ("missing privileges", shapes.ROLE_PRIVILEGES, _missing),
    ("system user", shapes.USER, lambda row: _system_users.find_system_user(dataverse(_list(row)), UPN)),
    ("application users", shapes.USER, lambda row: _system_users.read_application_rows(dataverse(_list(row)), A)),
    ("role holders", shapes.USER, _holders_of_roles),
    ("teams", TEAM, _teams),
    ("held roles", {**shapes.USER, "systemuserroles_association@odata.nextLink": None}, lambda row: _role_holders.principal(dataverse({}), row)),
    ("role", shapes.ROLE, lambda row: _roles.read_root_role(dataverse(_list(row)), "Auditor (locked)")),
    ("copies", shapes.ROLE, lambda row: _roles.read_copies(dataverse(_list(row)), ["Auditor (locked)"], [A], roots=True)),
    ("roles", shapes.ROLE, lambda row: _role_list.find_roles(dataverse(_list(row)), ["Auditor*"], None)),
    ("holders", {**shapes.USER, "teamid": A, "name": "T"}, _holders),
    ("units", UNIT, _units),
    ("settings of the organisation", {"orgdborgsettings": "<A>true</A>"}, lambda row: organization_setting(dataverse(_list(row)), "A")),
    ("held privileges", shapes.ROLE_PRIVILEGES, lambda row: read_held(dataverse(row), A)),
    ("privileges", shapes.PRIVILEGE, lambda row: read_privileges(dataverse(_list(row)), ["prvReadLead"])),
    ("table", TABLE, lambda row: read_table_privileges(dataverse(row), "lead", "o")),
    ("environment", shapes.ENVIRONMENT, lambda row: environment_from(A, row)),
    ("person", PERSON, lambda row: find_directory_user(graph(row), UPN)),
    ("account", PERSON, lambda row: read_user(graph(row), UPN)),
    ("deleted account", {**PERSON, "userPrincipalName": A.replace("-", "") + UPN}, lambda row: read_deleted_users(graph(_list(row)), UPN, purpose="x")),
    ("tenant", TENANT, lambda row: read_tenant_defaults(graph(_list(row)))),
    ("products", PRODUCT, _products),
    ("licences", PERSON, _licenses.held_licenses),
    ("ways", PERSON, lambda row: _license_holders.holder_report(UPN, row, PRODUCTS)),
    ("licence holders", PERSON, lambda row: _license_holders.read_holders(graph(_list(row)), [UPN])),
    ("licence warnings", PERSON, lambda row: _licenses.warnings_about(PRODUCTS, row, [A], UPN)),
    ("noted problems", PERSON, lambda row: _service_plans.check_noted_problems(row, _licenses.LicenseChange((A,)), PRODUCTS, UPN)),
    ("admin roles", {**MEMBERSHIP, "roleDefinition": {"displayName": "Admin"}, "directoryScopeId": "/"}, _admin_roles),
]  # fmt: skip


@pytest.mark.parametrize(("document", "read"), [reader[1:] for reader in READERS], ids=[reader[0] for reader in READERS])
def test_the_whole_answer_is_read(document: t.Any, read: Callable[[t.Any], t.Any]):
    with contextlib.suppress(_service_plans.NotPossible):  # which is what is to be told here
        read(copy.deepcopy(document))


_ODD = st.sampled_from([None, "", "text", "7", 7, -1, 0.5, True, False, [], {}, [None], ["x"], [{}], {"Value": None}, {"x": 1}])


@st.composite
def _damaged(draw: st.DrawFn, value: t.Any) -> t.Any:
    """The same with members taken away, made null, or replaced by something of another type, at any depth."""
    if isinstance(value, dict):
        kept = {name: member for name, member in value.items() if draw(st.integers(0, 9)) > 0}
        return {name: draw(_damaged(member)) for name, member in kept.items()}
    if isinstance(value, list):
        return [draw(_damaged(item)) for item in value]
    return draw(_ODD) if draw(st.integers(0, 14)) == 0 else value


@pytest.mark.parametrize(("document", "read"), [reader[1:] for reader in READERS], ids=[reader[0] for reader in READERS])
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_damage_ends_in_a_value_or_in_an_error_of_ours(document: t.Any, read: Callable[[t.Any], t.Any], data: st.DataObject):
    damaged = data.draw(_damaged(document))
    with contextlib.suppress(TaskError):
        read(damaged)


@pytest.mark.parametrize(("document", "read"), [reader[1:] for reader in READERS], ids=[reader[0] for reader in READERS])
def test_each_member_may_be_missing_null_or_odd(document: t.Any, read: Callable[[t.Any], t.Any]):
    for name in document:
        for change in ({}, {name: None}, {name: {"x": 1}}, {name: [1]}, {name: 7}, {name: "x"}, {name: ""}):
            with contextlib.suppress(TaskError):
                read({**{key: value for key, value in document.items() if key != name}, **change})


@settings(deadline=None)
@given(
    data=st.text() | st.text(alphabet="<>/=\"' resulteco&;x!?[]-:", max_size=80) | st.integers(0, len(shapes.BAD_PART)).map(lambda end: shapes.BAD_PART[:end])
)
def test_any_report_of_an_import_is_survived(data: str):
    components, manifest = read_import_data(data)
    assert manifest is None or manifest.result == "failure"
    assert all(item.result in ("failure", "warning") for item in components)


@settings(deadline=None)
@given(value=_ODD | st.integers() | st.text() | st.floats())
def test_values_are_read_or_refused(value: t.Any):
    row = {"Name": value}
    for read in (text, needed, lower, number, decimal, flag, inner, listed):
        with contextlib.suppress(TaskError):
            read(row, "name")
    with contextlib.suppress(TaskError):
        list(texts(row, "name"))
    assert isinstance(hex_code(value), str)


def test_what_is_refused_names_the_member_and_no_values():
    with pytest.raises(TaskError, match="there is no 'solutionid' in a row with uniquename, version") as caught:
        needed({"@odata.etag": "x", "uniquename": "Secret", "version": "1"}, "solutionid")
    assert "Secret" not in str(caught.value)
