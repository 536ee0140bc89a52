# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions and actions: which exist, what they are bound to, since which version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from .. import odata
from ..store import Document
from ..wire import Response
from . import role_rows
from .context import Context
from .errors import bad_query, no_such_row, no_such_segment, wrong_verb
from .import_results import import_result
from .organization import Organization
from .present import JSON_TYPE, check_query, list_response
from .resource import Segment, function_parameters, is_guid
from .roles import privilege_item, role_privilege_items
from .security import Access, Grant
from .solution_maintenance import delete_and_promote, publish_all, uninstall_dependencies, uninstall_solution_async
from .solution_operations import import_solution, import_solution_async
from .solution_staging import stage_solution
from .tables import TABLES
from .users import user_of_person

NAMESPACE = "Microsoft.Dynamics.CRM."


@dataclass(frozen=True)
class Operation:
    """A function (GET) or an action (POST)."""

    run: Callable[..., Response]
    action: bool = False
    bound_to: str = ""
    """Logical name of the table whose rows it is bound to."""
    since: tuple[int, ...] = ()


def _reply(context: Context, operation: str, **members: Any) -> Response:
    address = f"{context.api}/$metadata#{NAMESPACE}{operation}Response"
    return Response.of_json(200, {"@odata.context": address, **members}, JSON_TYPE)


def _who_am_i(context: Context, _unused: dict[str, Any]) -> Response:
    user = context.access.user
    return _reply(context, "WhoAmI", BusinessUnitId=user["_businessunitid_value"], UserId=user["systemuserid"], OrganizationId=context.org.id)


def _retrieve_version(context: Context, _unused: dict[str, Any]) -> Response:
    return _reply(context, "RetrieveVersion", Version=context.org.tenant.document["org_version"])


def _current_organization(context: Context, parameters: dict[str, Any]) -> Response:
    if parameters.get("AccessType") not in ("Default", "Internet", "Intranet"):
        raise bad_query("The parameter AccessType of RetrieveCurrentOrganization is missing or not a member of EndpointAccessType.")
    document = context.org.tenant.document
    host = f"https://{context.org.tenant.organization_host}"
    detail = {
        "OrganizationId": context.org.id,
        "FriendlyName": document.get("display_name", document["org_name"]),
        "OrganizationVersion": document["org_version"],
        "EnvironmentId": document["environment_id"],
        "DatacenterId": "00000000-0000-0000-0000-000000000000",
        "Geo": "EMEA",
        "TenantId": document["tenant_id"],
        "UrlName": document["org_name"],
        "UniqueName": f"unq{context.org.id.replace('-', '')[:20]}",
        "State": "Enabled",
        "OrganizationType": "Customer",
        "Endpoints": {
            "Count": 3,
            "IsReadOnly": False,
            "Keys": ["WebApplication", "OrganizationService", "OrganizationDataService"],
            "Values": [f"{host}/", f"{host}/XRMServices/2011/Organization.svc", f"{host}/XRMServices/2011/OrganizationData.svc"],
        },
    }
    return _reply(context, "RetrieveCurrentOrganization", Detail=detail)


def _role_privileges(context: Context, parameters: dict[str, Any]) -> Response:
    role_id = _guid(parameters, "RoleId")
    context.access.require("prvReadRole")
    role = context.org.row("role", role_id)
    if role is None:
        raise no_such_row("role", role_id)
    return _reply(context, "RetrieveRolePrivilegesRole", RolePrivileges=role_privilege_items(context.org, role))


def _guid(parameters: Mapping[str, Any], name: str) -> str:
    value = parameters.get(name)
    if not isinstance(value, str) or not is_guid(value):
        raise bad_query(f"The parameter {name} is missing or not a GUID.")
    return value.lower()


def _held(access: Access, *, team_basic: bool) -> dict[str, tuple[str, Grant]]:
    """List what a user holds: the deepest grant of each privilege. ``team_basic`` shows a team's privileges at Basic only."""
    found: dict[str, tuple[str, Grant]] = {}
    for privilege in access.org.catalogue.privileges:
        deepest = access.deepest(privilege)
        for depth, grant in access.depths(privilege):
            if depth == deepest:
                through_team = grant.team is not None and team_basic and "Basic" in privilege.depths
                found[privilege.id] = ("Basic" if through_team else depth, grant)
    return found


def _items(org: Organization, held: Mapping[str, tuple[str, Grant]]) -> list[dict[str, Any]]:
    return [privilege_item(org, privilege_id, depth, grant.unit) for privilege_id, (depth, grant) in held.items()]


def _user_privileges(context: Context, _unused: dict[str, Any], user: Document) -> Response:
    context.access.require("prvReadUser")
    held = _held(Access(context.org, user), team_basic=True)
    return _reply(context, "RetrieveUserPrivileges", RolePrivileges=_items(context.org, held))


def _named_user_privileges(context: Context, parameters: dict[str, Any], user: Document) -> Response:
    context.access.require("prvReadUser")
    names = parameters.get("PrivilegeNames")
    if not isinstance(names, list):
        raise bad_query("The parameter PrivilegeNames must be a collection, passed through an alias.")
    wanted = {privilege.id for name in names if (privilege := context.org.catalogue.named(str(name))) is not None}
    held = _held(Access(context.org, user), team_basic=False)
    items = _items(context.org, {privilege_id: item for privilege_id, item in held.items() if privilege_id in wanted})
    return _reply(context, "RetrieveUserSetOfPrivilegesByNames", RolePrivileges=items)


def _access_of(context: Context, object_id: str) -> Access:
    """Tell what a directory user may do, also when they are not a system user yet (through the teams of their groups)."""
    row = user_of_person(context.org, object_id)
    nobody = {"systemuserid": "", "azureactivedirectoryobjectid": object_id, "_businessunitid_value": context.org.root_unit["businessunitid"]}
    return Access(context.org, nobody if row is None else row)


def _directory_user_roles(context: Context, parameters: dict[str, Any]) -> Response:
    context.access.require("prvReadRole")
    access = _access_of(context, _guid(parameters, "DirectoryObjectId"))
    query = odata.parse_query(context.query)
    check_query(TABLES["role"], query)
    roles = {grant.role_id: context.org.row("role", grant.role_id) for grant in access.grants}
    return list_response(context, TABLES["role"], [role for role in roles.values() if role is not None], query, f"{context.api}/{context.path.lstrip('/')}")


def _directory_user_privileges(context: Context, parameters: dict[str, Any]) -> Response:
    context.access.require("prvReadUser")
    held = _held(_access_of(context, _guid(parameters, "DirectoryObjectId")), team_basic=False)
    return _reply(context, "RetrieveAadUserPrivileges", RolePrivileges=_items(context.org, held))


def _on_role(change: Callable[[Context, Document, dict[str, Any]], None], name: str, context: Context, role: Document) -> Response:
    change(context, role, context.json(name))
    return Response(204)


def _role_action(change: Callable[[Context, Document, dict[str, Any]], None], name: str) -> Operation:
    return Operation(partial(_on_role, change, name), action=True, bound_to="role")


def _solution_action(run: Callable[[Context, str], Response], name: str, *since: int) -> Operation:
    return Operation(lambda context: run(context, name), action=True, since=since)


OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "WhoAmI": Operation(_who_am_i),
        "RetrieveVersion": Operation(_retrieve_version),
        "RetrieveCurrentOrganization": Operation(_current_organization),
        "RetrieveRolePrivilegesRole": Operation(_role_privileges),
        "RetrieveUserPrivileges": Operation(_user_privileges, bound_to="systemuser"),
        "RetrieveUserSetOfPrivilegesByNames": Operation(_named_user_privileges, bound_to="systemuser"),
        "RetrieveAadUserRoles": Operation(_directory_user_roles, since=(9,)),
        "RetrieveAadUserPrivileges": Operation(_directory_user_privileges, since=(9,)),
        "RetrieveDependenciesForUninstall": Operation(uninstall_dependencies),
        "RetrieveSolutionImportResult": Operation(import_result, since=(9, 2, 23034, 30)),
        "AddPrivilegesRole": _role_action(role_rows.add_privileges, "AddPrivilegesRole"),
        "ReplacePrivilegesRole": _role_action(role_rows.replace_privileges, "ReplacePrivilegesRole"),
        "RemovePrivilegeRole": _role_action(role_rows.remove_privilege, "RemovePrivilegeRole"),
        "StageSolution": _solution_action(stage_solution, "StageSolution", 9, 2, 21013, 131),
        "ImportSolution": _solution_action(import_solution, "ImportSolution"),
        "ImportSolutionAsync": _solution_action(import_solution_async, "ImportSolutionAsync", 9, 2, 21013, 131),
        "StageAndUpgradeAsync": _solution_action(import_solution_async, "StageAndUpgradeAsync", 9, 2, 21013, 131),
        "StageAndUpgrade": _solution_action(import_solution, "StageAndUpgrade", 9, 2, 21013, 131),
        "DeleteAndPromote": _solution_action(delete_and_promote, "DeleteAndPromote"),
        "DeleteAndPromoteAsync": _solution_action(delete_and_promote, "DeleteAndPromoteAsync", 9, 2, 21013, 131),
        "UninstallSolutionAsync": _solution_action(uninstall_solution_async, "UninstallSolutionAsync", 9, 2, 21013, 131),
        "PublishAllXmlAsync": _solution_action(publish_all, "PublishAllXmlAsync", 9, 2, 21013, 131),
        "PublishAllXml": _solution_action(publish_all, "PublishAllXml"),
        "PublishXml": _solution_action(publish_all, "PublishXml"),
    }
)

# The service has these, the emulator does not.
UNPLAYED = frozenset(
    "AddUserToRecordTeam CloneAsPatch CloneAsSolution DownloadSolutionExportData ExecuteWorkflow ExportSolution "
    "ExportSolutionAsync QualifyLead RetrieveAllEntities RetrieveMissingDependencies RetrievePrincipalAccess RetrievePrivilegeSet "
    "RetrieveRequiredComponents RetrieveTeamPrivileges RetrieveTotalRecordCount RetrieveMetadataChanges "
    "RetrieveProvisionedLanguages RetrieveFormattedImportJobResults RetrieveEntityChanges GrantAccess ModifyAccess RevokeAccess SetBusinessSystemUser "
    "CreateMultiple UpdateMultiple UpsertMultiple BulkDelete CreateEntities Merge Assign".split()
)


def is_operation(name: str) -> bool:
    """Whether a segment's name is, or could be, a function or an action."""
    return name.removeprefix(NAMESPACE) in OPERATIONS or name.removeprefix(NAMESPACE) in UNPLAYED or name.startswith(NAMESPACE)


def run_operation(context: Context, segment: Segment, table: str = "", row: Document | None = None) -> Response:
    """Call a function or an action, on a row or on none."""
    name = segment.name.removeprefix(NAMESPACE)
    if name in UNPLAYED:
        raise context.not_emulated(name)
    operation = OPERATIONS.get(name)
    # Bound ones need their full name and a row of their table; unbound ones exist without both.
    fits = operation is not None and operation.bound_to == table and (bool(table) is segment.name.startswith(NAMESPACE))
    # Whether some actions exist on the Web API at all is not confirmed.
    absent = name in context.org.switch("missing_actions", [])
    if operation is None or absent or not fits or context.org.version < operation.since:
        raise no_such_segment(segment.name)
    if context.method != ("POST" if operation.action else "GET"):
        raise wrong_verb(context.method, segment.name)
    bound = () if row is None else (row,)
    if operation.action:
        return operation.run(context, *bound)
    return operation.run(context, function_parameters(segment, context), *bound)
