# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Dataverse organisation as it is when a client first meets it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..package import build
from ..store import Document
from ..world import Tenant, World
from .organization import Organization, empty_row
from .principals import add_default_team, add_unit
from .privileges import MASKS
from .roles import ACTIVE_SOLUTION, SUPPORT_USER, SYSTEM_ADMINISTRATOR, SYSTEM_CUSTOMIZER, create_role
from .solutions import install, publisher_row, solution_row
from .users import add_application, add_person, advance_users, user_of_person, user_row

_DEFAULT_SOLUTION = "fd140aaf-4df4-11dd-bd17-0019b9312238"
_MICROSOFT = "d21aab71-79e7-11dd-8874-00188b01e34f"
_DYNAMICS = "9bb8ab98-18b3-4766-9a2e-243d39523107"

# Name, id of the template, id where it is the same everywhere, customizable, privilege inheritance. The facts are those of a recorded organisation.
_ROLES: tuple[tuple[str, str | None, str | None, bool, int], ...] = (
    ("System Administrator", SYSTEM_ADMINISTRATOR, None, True, 1),
    ("System Customizer", SYSTEM_CUSTOMIZER, None, True, 1),
    ("Basic User", "236750cd-45ae-4939-ab12-b24b920ced93", None, False, 1),
    ("Environment Maker", None, "d58407f2-48d5-e711-a82c-000d3a37c848", True, 1),
    ("Support User", SUPPORT_USER, None, True, 1),
    ("Delegate", "d892cc0b-28c7-4e88-bd92-72f2c366baed", None, True, 1),
    ("Knowledge Manager", "b4b40b17-cf37-4ea8-b2c5-b580f2f48654", None, True, 0),
    ("Export Customizations (Solution Checker)", None, "4931681d-8163-e811-a965-000d3a11fe32", True, 0),
    ("Solution Checker", None, "e05075eb-9d74-e811-a95c-000d3a1c53e4", False, 0),
    ("App Opener", None, "979144c2-989b-41a5-a146-6b3ea4130e8c", False, 1),
    ("Bot Author", None, "e0d2794e-82f3-e811-a951-000d3a1bcf17", False, 0),
    ("Service Reader", None, "494d392f-d3f4-42ba-af49-30c6f41e6093", False, 0),
)

_OWN_SETTINGS = "Basic: Create Read Write Delete Share UserEntityUISettings"
_BASIC_READS = "Global: Read User BusinessUnit Organization Role Team Entity Attribute SystemForm Query WebResource AppModule SdkMessage TransactionCurrency"
_PRIVILEGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "System Customizer": (
            _OWN_SETTINGS,
            _BASIC_READS,
            "Global: Create Read Write Delete Solution Publisher Entity Attribute Query SystemForm WebResource PluginAssembly PluginType ImportJob AppModule",
            "Global: Read msdyn_solutionhistory AsyncOperation",
            "Global: Write Create Append AppendTo Role",
            "Global: prvImportCustomization prvExportCustomization prvPublishCustomization",
            "Basic: Create Read Write Delete Append AppendTo Account Contact Lead",
        ),
        "Basic User": (
            _OWN_SETTINGS,
            _BASIC_READS,
            "Basic: Create Read Write Delete Append AppendTo Assign Share Account Contact Activity Note Connection Queue Workflow",
            "Basic: Create Read Write AsyncOperation",
            "Local: Read UserSettings",
        ),
        "Environment Maker": (
            "Basic: Create Read Write Delete UserEntityUISettings",
            _BASIC_READS,
            "Global: Create Read Write Solution Publisher",
            "Basic: Create Read Write Workflow connectionreference EnvironmentVariableDefinition",
        ),
        "Support User": ("Basic: Create Read Write UserEntityUISettings", _BASIC_READS, "Global: Read Account Contact Lead AsyncOperation Solution Publisher"),
        "Delegate": ("Global: prvActOnBehalfOfAnotherUser",),
        "Knowledge Manager": (_OWN_SETTINGS, "Global: Create Read Write Delete KnowledgeArticle"),
        "Export Customizations (Solution Checker)": ("Basic: Read UserEntityUISettings", "Global: Read Solution Publisher", "Global: prvExportCustomization"),
        "Solution Checker": ("Basic: Read UserEntityUISettings", "Global: Read Solution Publisher ImportJob"),
        "App Opener": (_OWN_SETTINGS, _BASIC_READS),
        "Bot Author": ("Basic: Create Read Write Delete UserEntityUISettings",),
        "Service Reader": ("Global: Read Account Contact Lead Solution Publisher User Role BusinessUnit",),
    }
)


def seed_organization(world: World, tenant: Tenant) -> None:
    """Put a new organisation in place: business units, roles, users and the first solutions."""
    org = Organization(world, tenant)
    root = _root_unit(org)
    _special_users(org)
    for name, template, role_id, customizable, inherited in _ROLES:
        create_role(
            org,
            name,
            root["businessunitid"],
            _privileges(org, _PRIVILEGES.get(name, ())),
            role_id=role_id,
            solution_id=ACTIVE_SOLUTION,
            managed=True,
            customizable=customizable,
            isinherited=inherited,
            _roletemplateid_value=template,
        )
    add_unit(org, "Sales EMEA", root["businessunitid"])
    _solutions(org)
    _administrators(org)
    advance_users(org)


def _root_unit(org: Organization) -> Document:
    fixed = {
        "businessunitid": org.world.new_id(),
        "name": org.tenant.document["org_name"],
        "_organizationid_value": org.id,
        "isdisabled": False,
        "inheritancemask": 1023,
        "workflowsuspended": False,
    }
    unit = org.put("businessunit", empty_row("businessunit", fixed))
    add_default_team(org, unit)
    return unit


def _special_users(org: Organization) -> None:
    for name, access_mode, integration in (("SYSTEM", 3, False), ("INTEGRATION", 3, True)):
        names = {"firstname": None, "lastname": name, "domainname": None, "internalemailaddress": None, "windowsliveid": None}
        flags = {"isdisabled": True, "accessmode": access_mode, "isintegrationuser": integration, "setupuser": name == "SYSTEM", "islicensed": False}
        org.put("systemuser", user_row(org, **names, **flags, issyncwithdirectory=False, _special=name))


def _privileges(org: Organization, lines: tuple[str, ...]) -> dict[str, str]:
    """Read lines such as ``Basic: Create Read Account Contact`` or ``Global: prvImportCustomization``."""
    found: dict[str, str] = {}
    for line in lines:
        depth, _unused, words = line.partition(": ")
        rights = [word for word in words.split() if word in ("Create", "Read", "Write", "Delete", "Append", "AppendTo", "Assign", "Share")]
        for word in words.split():
            names = [word] if word.startswith("prv") else [f"prv{right}{word}" for right in rights] if word not in rights else []
            for name in names:
                privilege = org.catalogue.named(name)
                if privilege is None:
                    continue
                held = depth if depth in privilege.depths else privilege.depths[0]
                if MASKS[held] > MASKS.get(found.get(privilege.id, ""), 0):
                    found[privilege.id] = held
    return found


def _solutions(org: Organization) -> None:
    org.put(
        "publisher",
        publisher_row(
            org,
            publisherid=_MICROSOFT,
            uniquename="MicrosoftCorporation",
            friendlyname="MicrosoftCorporation",
            description="Microsoft Corporation",
            customizationprefix="",
            customizationoptionvalueprefix=0,
            isreadonly=True,
        ),
    )
    org.put(
        "publisher",
        publisher_row(
            org,
            publisherid=_DYNAMICS,
            uniquename="microsoftdynamics",
            friendlyname="microsoftdynamics",
            description="Dynamics 365",
            customizationprefix="msdyn",
            customizationoptionvalueprefix=19235,
            supportingwebsiteurl="http://crm.dynamics.com",
            isreadonly=True,
        ),
    )
    default = org.put(
        "publisher",
        publisher_row(
            org,
            uniquename=f"DefaultPublisher{org.tenant.document['org_name']}",
            friendlyname=f"Default Publisher for {org.tenant.document['org_name']}",
            customizationprefix="new",
            customizationoptionvalueprefix=10000,
        ),
    )
    first_party = [("ProductivityToolsAnchor", "ProductivityTools", "9.2.1.1020"), ("msdyn_ContextualHelpAnchor", "Contextual Help", "1.0.0.22")]
    if org.tenant.features.get("sales_app"):
        first_party += [("msdynce_Sales", "Sales", "9.0.23113.10014"), ("msdynce_LeadManagement", "Lead Management", "9.0.23113.10014")]
    now = org.now_text()
    managed = {"ismanaged": True, "_publisherid_value": _DYNAMICS}
    rows: list[dict[str, object]] = [
        {"solutionid": ACTIVE_SOLUTION, "uniquename": "Active", "friendlyname": "Active Solution", "isvisible": False, "_publisherid_value": _MICROSOFT},
        {"solutionid": _DEFAULT_SOLUTION, "uniquename": "Default", "friendlyname": "Default Solution", "_publisherid_value": default["publisherid"]},
        *({**managed, "uniquename": name, "friendlyname": title, "version": version} for name, title, version in first_party),
    ]
    for row in rows:
        org.put("solution", solution_row(org, **{"version": "1.0", "ismanaged": False, "installedon": now, **row}))


def _administrators(org: Organization) -> None:
    """Let the human administrator and the automation in; a tenant may name other roles for the automation."""
    document = org.tenant.document
    people, principals = org.tenant.collection("users").values(), org.tenant.collection("servicePrincipals").values()
    wanted = document.get("admin_object_id")
    admin = next((item for item in people if item["id"] == wanted or item["userPrincipalName"] == document.get("admin_username")), None)
    if admin is not None:
        _give(org, add_person(org, admin, _admin=True, islicensed=True), ["System Administrator"])
    app = next((item for item in principals if item["appId"] == document["client_id"]), None)
    if app is not None:
        user = user_of_person(org, app["id"]) or add_application(org, app)
        _give(org, user, document.get("app_roles", ["System Administrator"]))


def _give(org: Organization, user: Document, names: list[str]) -> None:
    for name in names:
        role = next(row for row in org.rows("role") if row["name"] == name and row["_businessunitid_value"] == user["_businessunitid_value"])
        link = {"systemuserid": user["systemuserid"], "roleid": role["roleid"]}
        org.tenant.collection("systemuserroles")[f"{link['systemuserid']}:{link['roleid']}"] = link


def install_stand_in(world: World, tenant: Tenant) -> None:
    """Leave the organisation as after a finished import of the stand-in package."""
    org = Organization(world, tenant)
    system = next(row for row in org.rows("systemuser") if row.get("_special") == "SYSTEM")
    install(org, build(), system["systemuserid"])
