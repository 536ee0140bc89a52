# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of privileges: which exist in an organisation, at which depths they can be held.

The ids of the privileges that public sources list are the real ones; the others are made from the name.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

DEPTHS = ("Basic", "Local", "Deep", "Global")
MASKS: Mapping[str, int] = MappingProxyType({"Basic": 1, "Local": 2, "Deep": 4, "Global": 8})
_LETTERS = MappingProxyType({"B": "Basic", "L": "Local", "D": "Deep", "G": "Global"})

ACCESS_RIGHTS: Mapping[str, int] = MappingProxyType(
    {"Create": 32, "Read": 1, "Write": 2, "Delete": 65536, "Append": 4, "AppendTo": 16, "Assign": 524288, "Share": 262144}
)
_NAMESPACE = uuid.UUID("5d3f9a0e-9a2e-4d0f-8c54-6c8a3f1f0c11")
_OWNED = "Create Read Write Delete Append AppendTo Assign Share"
_SHARED = "Create Read Write Delete Append AppendTo"

KNOWN_IDS: Mapping[str, str] = MappingProxyType(
    {
        "prvCreateUserEntityUISettings": "8d2aa266-8fee-43a4-85e7-2aa1aaab5259",
        "prvReadUserEntityUISettings": "8d2aa266-8fee-43a4-85e7-2aa1aaab525a",
        "prvWriteUserEntityUISettings": "8d2aa266-8fee-43a4-85e7-2aa1aaab525b",
        "prvReadAsyncOperation": "e84acc8f-0c61-43e3-a716-20964a483bdf",
        "prvWriteAsyncOperation": "4440769e-8d79-41fc-ae45-cd65480ffdba",
        "prvAppendToAsyncOperation": "a7c82854-36ce-4616-b7c2-84ec619d3378",
        "prvAppendAsyncOperation": "25523f7c-7b1d-4844-8d2d-50767d6faa94",
        "prvCreateLead": "a41f965b-2619-4c73-8625-da31945cccc7",
        "prvReadLead": "a8ecac53-09e8-4a13-b598-8d8c87bc3d33",
        "prvWriteLead": "cb4b339f-2b45-447e-bdd3-0bf4bbebc294",
        "prvReadSolution": "b64e92c8-5d2a-4052-a026-1b73eff9cebf",
        "prvCreateContact": "a8bff87f-0df0-41d4-babd-f093faf1e32c",
        "prvReadContact": "ba09ec92-12c4-4312-ba16-5715c2cbd6da",
        "prvWriteContact": "65c22075-4e09-4f39-baec-e4bc3a950686",
        "prvDeleteContact": "2ddded47-7488-4039-b9ff-81defe81fdd3",
        "prvAssignContact": "43c63782-c7c6-471c-bd9c-24f79bf8c2a1",
        "prvDeleteHierarchyRule": "0a620778-3e9f-46ec-9766-000624db57ba",
        "prvBypassCustomBusinessLogic": "0ea552b0-a491-4470-9a1b-82068deccf66",
        "prvBulkDelete": "b75a726f-e7aa-44ae-9282-f8776d913bbb",
    }
)


@dataclass(frozen=True)
class Entity:
    """A table as far as metadata and privileges are concerned."""

    logical: str
    schema: str
    entity_set: str
    stem: str
    object_type_code: int
    display: str
    rights: str
    depths: str
    """First letters of the depths that its privileges can be held at."""
    feature: str = ""

    @property
    def ownership(self) -> str:
        """The metadata's word for who owns rows."""
        return "UserOwned" if "B" in self.depths else "BusinessOwned" if "L" in self.depths else "OrganizationOwned"


ENTITIES: tuple[Entity, ...] = (
    Entity("account", "Account", "accounts", "Account", 1, "Account", _OWNED, "BLDG"),
    Entity("contact", "Contact", "contacts", "Contact", 2, "Contact", _OWNED, "BLDG"),
    Entity("lead", "Lead", "leads", "Lead", 4, "Lead", _OWNED, "BLDG", "sales_app"),
    Entity("opportunity", "Opportunity", "opportunities", "Opportunity", 3, "Opportunity", _OWNED, "BLDG", "sales_app"),
    Entity("competitor", "Competitor", "competitors", "Competitor", 123, "Competitor", _SHARED, "G", "sales_app"),
    Entity("quote", "Quote", "quotes", "Quote", 1084, "Quote", _OWNED, "BLDG", "sales_app"),
    Entity("salesorder", "SalesOrder", "salesorders", "Order", 1088, "Order", _OWNED, "BLDG", "sales_app"),
    Entity("invoice", "Invoice", "invoices", "Invoice", 1090, "Invoice", _OWNED, "BLDG", "sales_app"),
    Entity("campaign", "Campaign", "campaigns", "Campaign", 4400, "Campaign", _OWNED, "BLDG", "sales_app"),
    Entity("systemuser", "SystemUser", "systemusers", "User", 8, "User", "Create Read Write Append AppendTo", "BLDG"),
    Entity("team", "Team", "teams", "Team", 9, "Team", _SHARED, "BLDG"),
    Entity("businessunit", "BusinessUnit", "businessunits", "BusinessUnit", 10, "Business Unit", _SHARED, "BLDG"),
    Entity("organization", "Organization", "organizations", "Organization", 1019, "Organization", "Read Write", "G"),
    Entity("role", "Role", "roles", "Role", 1036, "Security Role", "Create Read Write Delete Assign Append AppendTo", "LDG"),
    Entity("solution", "Solution", "solutions", "Solution", 7100, "Solution", _SHARED, "G"),
    Entity("publisher", "Publisher", "publishers", "Publisher", 7101, "Publisher", _SHARED, "G"),
    Entity("importjob", "ImportJob", "importjobs", "ImportJob", 9107, "Import Job", "Create Read Write Delete", "G"),
    Entity("asyncoperation", "AsyncOperation", "asyncoperations", "AsyncOperation", 4700, "System Job", _OWNED, "BLDG"),
    Entity(
        "msdyn_solutionhistory",
        "msdyn_solutionhistory",
        "msdyn_solutionhistories",
        "msdyn_solutionhistory",
        10006,
        "Solution History",
        "Create Read Write Delete",
        "G",
    ),
    Entity(
        "userentityuisettings",
        "UserEntityUISettings",
        "userentityuisettingsset",
        "UserEntityUISettings",
        2500,
        "User Entity UI Settings",
        "Create Read Write Delete Share",
        "B",
    ),
    Entity("usersettings", "UserSettings", "usersettingscollection", "UserSettings", 150, "User Settings", "Read Write", "LDG"),
    Entity("queue", "Queue", "queues", "Queue", 2020, "Queue", _OWNED, "BLDG"),
    Entity("annotation", "Annotation", "annotations", "Note", 5, "Note", _OWNED, "BLDG"),
    Entity("activitypointer", "ActivityPointer", "activitypointers", "Activity", 4200, "Activity", _OWNED, "BLDG"),
    Entity("connection", "Connection", "connections", "Connection", 3234, "Connection", _OWNED, "BLDG"),
    Entity("mailbox", "Mailbox", "mailboxes", "Mailbox", 9606, "Mailbox", _OWNED, "BLDG"),
    Entity("workflow", "Workflow", "workflows", "Workflow", 4703, "Process", _OWNED, "BLDG"),
    Entity("processsession", "ProcessSession", "processsessions", "ProcessSession", 4710, "Process Session", _OWNED, "BLDG"),
    Entity("savedquery", "SavedQuery", "savedqueries", "Query", 1039, "View", "Create Read Write Delete", "G"),
    Entity("userquery", "UserQuery", "userqueries", "UserQuery", 4230, "Saved View", "Create Read Write Delete Assign Share", "BLDG"),
    Entity("systemform", "SystemForm", "systemforms", "SystemForm", 1030, "System Form", "Create Read Write Delete Append AppendTo", "G"),
    Entity("webresource", "WebResource", "webresourceset", "WebResource", 9333, "Web Resource", _SHARED, "G"),
    Entity("pluginassembly", "PluginAssembly", "pluginassemblies", "PluginAssembly", 4605, "Plug-in Assembly", "Create Read Write Delete", "G"),
    Entity("plugintype", "PluginType", "plugintypes", "PluginType", 4602, "Plug-in Type", "Create Read Write Delete", "G"),
    Entity(
        "sdkmessageprocessingstep",
        "SdkMessageProcessingStep",
        "sdkmessageprocessingsteps",
        "SdkMessageProcessingStep",
        4608,
        "Sdk Message Processing Step",
        "Create Read Write Delete Append",
        "G",
    ),
    Entity("sdkmessage", "SdkMessage", "sdkmessages", "SdkMessage", 4606, "Sdk Message", "Read", "G"),
    Entity("entity", "Entity", "entities", "Entity", 9800, "Entity", "Create Read Write Delete", "G"),
    Entity("attribute", "Attribute", "attributes", "Attribute", 9808, "Attribute", "Create Read Write Delete", "G"),
    Entity("transactioncurrency", "TransactionCurrency", "transactioncurrencies", "TransactionCurrency", 9105, "Currency", _SHARED, "G"),
    Entity("fieldsecurityprofile", "FieldSecurityProfile", "fieldsecurityprofiles", "FieldSecurityProfile", 1200, "Column Security Profile", _SHARED, "G"),
    Entity("hierarchyrule", "HierarchyRule", "hierarchyrules", "HierarchyRule", 8840, "Hierarchy Rule", "Create Read Write Delete Append AppendTo", "G"),
    Entity("appmodule", "AppModule", "appmodules", "AppModule", 9700, "Model-driven App", _SHARED, "G"),
    Entity("knowledgearticle", "KnowledgeArticle", "knowledgearticles", "KnowledgeArticle", 9953, "Knowledge Article", _OWNED, "BLDG"),
    Entity(
        "environmentvariabledefinition",
        "EnvironmentVariableDefinition",
        "environmentvariabledefinitions",
        "EnvironmentVariableDefinition",
        10010,
        "Environment Variable Definition",
        _OWNED,
        "BLDG",
    ),
    Entity("connectionreference", "connectionreference", "connectionreferences", "connectionreference", 10021, "Connection Reference", _OWNED, "BLDG"),
    Entity("duplicaterule", "DuplicateRule", "duplicaterules", "DuplicateRule", 4414, "Duplicate Detection Rule", _OWNED, "BLDG"),
)

BASELINE = ("prvReadSharePointData", "prvWriteSharePointData", "prvCreateSharePointData", "prvReadSharePointDocument")
"""Every role holds these, and no request can take them away."""

_MISCELLANEOUS = (
    *BASELINE,
    "prvImportCustomization",
    "prvExportCustomization",
    "prvPublishCustomization",
    "prvActOnBehalfOfAnotherUser",
    "prvBypassCustomPlugins",
    "prvBypassCustomBusinessLogic",
    "prvBulkDelete",
    "prvDisableUser",
    "prvDisableBusinessUnit",
    "prvPublishDuplicateRule",
    "prvExportToExcel",
    "prvGoOffline",
    "prvPrint",
    "prvWorkflowExecution",
    "prvConfigureSharePoint",
    "prvISVExtensions",
    "prvLanguageSettings",
    "prvMerge",
    "prvReparentBusinessUnit",
    "prvReparentUser",
    "prvReparentTeam",
    "prvUseOfficeApps",
    "prvWebMailMerge",
    "prvSearchAvailability",
)


@dataclass(frozen=True)
class Privilege:
    """One privilege."""

    id: str
    name: str
    kind: str
    """The metadata's PrivilegeType: the right's name, or None for what belongs to no table."""
    access_right: int
    depths: tuple[str, ...]
    entity: Entity | None

    @property
    def highest(self) -> str:
        """The greatest depth at which it can be held."""
        return self.depths[-1]

    def row(self) -> dict[str, Any]:
        """The row of the ``privileges`` table."""
        return {
            "privilegeid": self.id,
            "privilegerowid": self.id,
            "name": self.name,
            "accessright": self.access_right,
            "canbebasic": "Basic" in self.depths,
            "canbelocal": "Local" in self.depths,
            "canbedeep": "Deep" in self.depths,
            "canbeglobal": "Global" in self.depths,
            "canbeentityreference": False,
            "canbeparententityreference": False,
            "canberecordfilter": False,
            "introducedversion": "5.0.0.0",
            "ismanaged": True,
            "componentstate": 0,
            "solutionid": "fd140aae-4df4-11dd-bd17-0019b9312238",
            "versionnumber": 1000 + self.access_right % 997,
        }

    def metadata(self) -> dict[str, Any]:
        """The item of a table's ``Privileges`` in the metadata."""
        return {
            "CanBeBasic": "Basic" in self.depths,
            "CanBeLocal": "Local" in self.depths,
            "CanBeDeep": "Deep" in self.depths,
            "CanBeGlobal": "Global" in self.depths,
            "CanBeEntityReference": False,
            "CanBeParentEntityReference": False,
            "CanBeRecordFilter": False,
            "Name": self.name,
            "PrivilegeId": self.id,
            "PrivilegeType": self.kind,
        }


def _id_of(name: str) -> str:
    return KNOWN_IDS.get(name) or str(uuid.uuid5(_NAMESPACE, name.lower()))


def _all() -> Iterator[Privilege]:
    for entity in ENTITIES:
        depths = tuple(_LETTERS[letter] for letter in entity.depths)
        for right in entity.rights.split():
            name = f"prv{right}{entity.stem}"
            yield Privilege(_id_of(name), name, right, ACCESS_RIGHTS[right], depths, entity)
    for name in _MISCELLANEOUS:
        yield Privilege(_id_of(name), name, "None", 0, ("Global",), None)


class Catalogue:
    """The privileges of an organisation with certain features."""

    def __init__(self, features: frozenset[str]) -> None:
        self.entities = {entity.logical: entity for entity in ENTITIES if not entity.feature or entity.feature in features}
        self.privileges = [found for found in _all() if found.entity is None or found.entity.logical in self.entities]
        self.by_id = {privilege.id: privilege for privilege in self.privileges}
        self.by_name = {privilege.name.lower(): privilege for privilege in self.privileges}

    def named(self, name: str) -> Privilege | None:
        """Find a privilege by its name, in any case."""
        return self.by_name.get(name.lower())

    def of_entity(self, logical: str) -> list[Privilege]:
        """List the privileges of one table."""
        return [privilege for privilege in self.privileges if privilege.entity is not None and privilege.entity.logical == logical]


@cache
def catalogue(features: frozenset[str]) -> Catalogue:
    """Build the catalogue of an organisation with these features."""
    return Catalogue(features)


def table_of_unknown(name: str) -> Entity | None:
    """Tell which table a privilege belongs to that some organisations have and this one lacks."""
    return next((privilege.entity for privilege in _all() if privilege.name.lower() == name.lower()), None)
