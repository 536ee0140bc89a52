# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables that the emulator plays."""

from __future__ import annotations

from collections.abc import Mapping

from .table import Navigation, Table


def _to(name: str, table: str, lookup: str = "") -> Navigation:
    return Navigation(name, table, lookup or f"_{name}_value")


def _children(name: str, table: str, lookup: str) -> Navigation:
    return Navigation(name, table, lookup, many=True)


def _related(name: str, table: str, association: str) -> Navigation:
    return Navigation(name, table, many=True, association=association)


_AUDIT = (_to("createdby", "systemuser"), _to("modifiedby", "systemuser"))
_OWNED = (
    *_AUDIT,
    _to("ownerid", "principal"),
    _to("owninguser", "systemuser"),
    _to("owningteam", "team"),
    _to("owningbusinessunit", "businessunit"),
)

_TABLES = (
    Table("account", "accounts", "accountid", "name", "Account", "user", 1, "Account", _OWNED, lengths={"name": 160}),
    Table("contact", "contacts", "contactid", "fullname", "Contact", "user", 2, "Contact", _OWNED, lengths={"firstname": 50, "lastname": 50}),
    Table(
        "lead",
        "leads",
        "leadid",
        "fullname",
        "Lead",
        "user",
        4,
        "Lead",
        _OWNED,
        feature="sales_app",
        lengths={
            "subject": 300,
            "firstname": 50,
            "lastname": 50,
            "companyname": 100,
            "emailaddress1": 100,
            "telephone1": 50,
            "jobtitle": 100,
            "description": 2000,
        },
    ),
    Table(
        "systemuser",
        "systemusers",
        "systemuserid",
        "fullname",
        "User",
        "business",
        8,
        "User",
        (
            *_AUDIT,
            _to("businessunitid", "businessunit"),
            _to("parentsystemuserid", "systemuser"),
            _related("systemuserroles_association", "role", "systemuserroles"),
            _related("teammembership_association", "team", "members"),
        ),
        alternate_keys=(("azureactivedirectoryobjectid",),),
        lengths={"firstname": 256, "lastname": 256, "internalemailaddress": 100, "domainname": 1024},
    ),
    Table(
        "team",
        "teams",
        "teamid",
        "name",
        "Team",
        "business",
        9,
        "Team",
        (
            *_AUDIT,
            _to("businessunitid", "businessunit"),
            _to("administratorid", "systemuser"),
            _related("teamroles_association", "role", "teamroles"),
            _related("teammembership_association", "systemuser", "members"),
        ),
        alternate_keys=(("azureactivedirectoryobjectid", "membershiptype"),),
        lengths={"name": 160},
    ),
    Table(
        "businessunit",
        "businessunits",
        "businessunitid",
        "name",
        "BusinessUnit",
        "business",
        10,
        "Business Unit",
        (
            *_AUDIT,
            _to("parentbusinessunitid", "businessunit"),
            _children("business_unit_parent_business_unit", "businessunit", "_parentbusinessunitid_value"),
            _children("business_unit_system_users", "systemuser", "_businessunitid_value"),
            _children("business_unit_teams", "team", "_businessunitid_value"),
            _children("business_unit_roles", "role", "_businessunitid_value"),
        ),
        lengths={"name": 160},
    ),
    Table("organization", "organizations", "organizationid", "name", "Organization", "none", 1019, "Organization", writable=True),
    Table(
        "role",
        "roles",
        "roleid",
        "name",
        "Role",
        "business",
        1036,
        "Security Role",
        (
            *_AUDIT,
            _to("businessunitid", "businessunit"),
            _to("parentroleid", "role"),
            _to("parentrootroleid", "role"),
            _children("role_parent_role", "role", "_parentroleid_value"),
            _children("role_parent_root_role", "role", "_parentrootroleid_value"),
            _related("systemuserroles_association", "systemuser", "systemuserroles"),
            _related("teamroles_association", "team", "teamroles"),
            _related("roleprivileges_association", "privilege", "roleprivileges"),
        ),
        lengths={"name": 100},
    ),
    Table(
        "privilege",
        "privileges",
        "privilegeid",
        "name",
        "",
        "none",
        1023,
        "Privilege",
        (_related("roleprivileges_association", "role", "roleprivileges"),),
        writable=False,
    ),
    Table("roleprivileges", "roleprivilegescollection", "roleprivilegeid", "", "", "none", 12, "Role Privilege", writable=False),
    Table("systemuserroles", "systemuserrolescollection", "systemuserroleid", "", "", "none", 15, "System User Roles", writable=False),
    Table(
        "solution",
        "solutions",
        "solutionid",
        "friendlyname",
        "Solution",
        "organization",
        7100,
        "Solution",
        (*_AUDIT, _to("publisherid", "publisher"), _to("parentsolutionid", "solution"), _to("organizationid", "organization")),
        lengths={"uniquename": 65, "friendlyname": 256},
    ),
    Table(
        "publisher",
        "publishers",
        "publisherid",
        "friendlyname",
        "Publisher",
        "organization",
        7101,
        "Publisher",
        (*_AUDIT, _children("publisher_solution", "solution", "_publisherid_value")),
    ),
    Table(
        "solutioncomponent",
        "solutioncomponents",
        "solutioncomponentid",
        "",
        "",
        "none",
        7103,
        "Solution Component",
        (_to("solutionid", "solution"),),
        writable=False,
    ),
    Table(
        "connectionreference",
        "connectionreferences",
        "connectionreferenceid",
        "connectionreferencedisplayname",
        "connectionreference",
        "user",
        10021,
        "Connection Reference",
        _OWNED,
        alternate_keys=(("connectionreferencelogicalname",),),
        lengths={"connectionreferencelogicalname": 100, "connectionid": 500},
    ),
    Table(
        "environmentvariabledefinition",
        "environmentvariabledefinitions",
        "environmentvariabledefinitionid",
        "displayname",
        "EnvironmentVariableDefinition",
        "user",
        10010,
        "Environment Variable Definition",
        (
            *_OWNED,
            _children("environmentvariabledefinition_environmentvariablevalue", "environmentvariablevalue", "_environmentvariabledefinitionid_value"),
        ),
        alternate_keys=(("schemaname",),),
        lengths={"schemaname": 100, "defaultvalue": 2000},
    ),
    # Its privileges are those of the definition.
    Table(
        "environmentvariablevalue",
        "environmentvariablevalues",
        "environmentvariablevalueid",
        "schemaname",
        "EnvironmentVariableDefinition",
        "user",
        10011,
        "Environment Variable Value",
        (*_OWNED, Navigation("EnvironmentVariableDefinitionId", "environmentvariabledefinition", "_environmentvariabledefinitionid_value")),
        lengths={"value": 2000},
    ),
    Table(
        "stagesolutionupload",
        "stagesolutionuploads",
        "stagesolutionuploadid",
        "name",
        "",
        "none",
        10050,
        "Stage Solution Upload",
    ),
    Table("importjob", "importjobs", "importjobid", "name", "ImportJob", "organization", 9107, "Import Job", _AUDIT),
    Table("asyncoperation", "asyncoperations", "asyncoperationid", "name", "AsyncOperation", "user", 4700, "System Job", _OWNED),
    Table(
        "msdyn_solutionhistory",
        "msdyn_solutionhistories",
        "msdyn_solutionhistoryid",
        "msdyn_name",
        "msdyn_solutionhistory",
        "organization",
        10006,
        "Solution History",
        writable=False,
    ),
)

TABLES: Mapping[str, Table] = {table.logical: table for table in _TABLES}
"""By logical name."""
SETS: Mapping[str, Table] = {table.entity_set: table for table in _TABLES}
"""By entity set name."""
