# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers in the shapes that real services were recorded with; all names, ids and values are made up."""

from __future__ import annotations

import typing as t

A, B, C, D = (f"0f8e7d6c-5b4a-4392-8170-6f5e4d3c2b{last:02x}" for last in range(4))
UPPER = A.upper()

SOLUTION: dict[str, t.Any] = {
    "@odata.etag": 'W/"4711"',
    "installedon": "2026-03-04T05:06:07Z",
    "solutionpackageversion": "9.2",
    "_configurationpageid_value": None,
    "solutionid": UPPER,
    "modifiedon": "2026-03-04T05:07:08.1234567Z",
    "uniquename": "NorthwindLeads",
    "isapimanaged": False,
    "_publisherid_value": B,
    "ismanaged": True,
    "isvisible": True,
    "thumbprint": None,
    "version": "2.0.246",
    "_parentsolutionid_value": None,
    "friendlyname": "Northwind Leads",
    "versionnumber": 4711,
    "upgradeinfo": None,
    "updatedon": None,
    "description": None,
    "solutiontype": None,
    "publisherid": {
        "@odata.etag": 'W/"4712"',
        "uniquename": "northwind",
        "publisherid": B,
        "customizationoptionvalueprefix": 12345,
        "friendlyname": "Northwind Traders",
        "customizationprefix": "nw",
        "supportingwebsiteurl": None,
        "entityimage": None,
    },
}
USER: dict[str, t.Any] = {
    "@odata.etag": 'W/"815"',
    "ownerid": C,
    "accessmode": 4,
    "azureactivedirectoryobjectid": UPPER,
    "applicationid": None,
    "isdisabled": False,
    "fullname": "# Lea Writer",
    "islicensed": True,
    "_businessunitid_value": B,
    "deletedstate": 0,
    "systemuserid": C,
    "domainname": "lea@northwind.example",
    "nickname": None,
    "systemuserroles_association": [
        {"@odata.etag": 'W/"1"', "roleid": A, "name": "Reader", "ismanaged": True, "_businessunitid_value": B},
        {"@odata.etag": 'W/"2"', "roleid": D, "name": 'Writer (Ünïcode, "quoted")', "ismanaged": False, "_businessunitid_value": B},
    ],
    "systemuserroles_association@odata.nextLink": "https://contoso.crm4.dynamics.com/api/data/v9.2/systemusers/systemuserroles_association",
}
ROLE: dict[str, t.Any] = {
    "@odata.etag": 'W/"99"',
    "overwritetime": "1900-01-01T00:00:00Z",
    "isinherited": 1,
    "roleidunique": D,
    "ismanaged": True,
    "roleid": UPPER,
    "componentstate": 0,
    "_parentrootroleid_value": B,
    "_businessunitid_value": C,
    "name": "Auditor (locked)",
    "_parentroleid_value": None,
    "_roletemplateid_value": None,
    "iscustomizable": {"Value": False, "CanBeChanged": True, "ManagedPropertyLogicalName": "iscustomizableanddeletable"},
    "canbedeleted": {"Value": True, "CanBeChanged": True, "ManagedPropertyLogicalName": "canbedeleted"},
}
SYSTEM_JOB: dict[str, t.Any] = {
    "@odata.context": "https://contoso.crm4.dynamics.com/api/data/v9.0/$metadata#asyncoperations/$entity",
    "statecode": 3,
    "asyncoperationid": A,
    "createdon": "2026-10-11T12:13:14Z",
    "completedon": "2026-10-11T12:15:16Z",
    "messagename": "ImportSolutionAsync",
    "statuscode": 30,
    "operationtype": 54,
    "executiontimespan": 118.33699999999999,
    "friendlymessage": None,
    "errorcode": None,
    "message": None,
}
ENVIRONMENT: dict[str, t.Any] = {
    "id": f"/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments/{A}",
    "type": "Microsoft.BusinessAppPlatform/scopes/environments",
    "location": "europe",
    "name": A,
    "properties": {
        "displayName": "Northwind",
        "createdTime": "2026-02-15T08:02:36.1799125Z",
        "billingPolicy": {"id": ""},
        "environmentSku": "Sandbox",
        "capacity": [{"capacityType": "Database", "actualConsumption": 885.0391, "ratedConsumption": 1024.0}],
        "linkedEnvironmentMetadata": {"resourceId": B, "securityGroupId": C, "instanceState": "Provisioning", "baseLanguage": 1033},
        "states": {"management": {"id": "Ready"}, "runtime": {"runtimeReasonCode": "NotSpecified", "id": "AdminMode"}},
    },
}
NO_DATABASE = {**ENVIRONMENT, "properties": {**ENVIRONMENT["properties"], "linkedEnvironmentMetadata": None}}
CALLER = {
    "@odata.context": "https://x/api/data/v9.2/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse",
    "BusinessUnitId": B,
    "UserId": UPPER,
    "OrganizationId": C,
}
START = {"@odata.context": "https://x/$metadata#Microsoft.Dynamics.CRM.ImportSolutionAsyncResponse", "ImportJobKey": A, "AsyncOperationId": B}
STAGED: dict[str, t.Any] = {
    "StageSolutionResults": {
        "StageSolutionUploadId": A,
        "StageSolutionStatus": "Passed",
        "SolutionComponentsDetails": [
            {
                "ComponentName": "Thing",
                "ComponentTypeName": "entity",
                "IsPresentInOrg": "False",
                "Attributes": {"Count": 1, "Keys": ["name"], "Values": ["nw_thing"]},
            }
        ],
        "SolutionDetails": {"SolutionUniqueName": "NorthwindLeads", "PreviousSolutionUniqueName": None, "IsManaged": True, "PreviousPatchSolutionsNames": []},
        "MissingDependencies": [],
        "SolutionValidationResults": [],
    }
}
STAGE_FAILED: dict[str, t.Any] = {
    "StageSolutionResults": {
        **STAGED["StageSolutionResults"],
        "StageSolutionStatus": "Failed",
        "MissingDependencies": [{"RequiredComponentSchemaName": "nw_base", "RequiredSolutionName": "NorthwindBase", "RequiredComponentType": "entity"}],
        "SolutionValidationResults": [
            {"SolutionValidationResultType": "Error", "Message": "A part is broken.", "ErrorCode": -2147188707, "AdditionalInfo": "It is part 7."},
            {"SolutionValidationResultType": "Warning", "Message": "A part is old.", "ErrorCode": 0, "AdditionalInfo": None},
        ],
    }
}
_CELLS = "".join(
    f'<Cell ss:StyleID="s137" name="{name}"><Data ss:Type="String">{{{name}}}</Data></Cell>' for name in ("ItemType", "Name", "LocalizedName", "Status")
)
_ROW = (
    f'<Row ss:AutoFitHeight="0">{_CELLS}<Cell name="ErrorCode"><Data>{{ErrorCode}}</Data></Cell><Cell name="ErrorText"><Data>{{ErrorText}}</Data></Cell></Row>'
)
_SHEET = (
    '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
    'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="Components"><Table>'
    + _ROW.format(ItemType="Entity", Name="nw_thing", LocalizedName="Thing", Status="Processed", ErrorCode="", ErrorText="")
    + _ROW.format(ItemType="Workflow", Name="w", LocalizedName="Flow", Status="Failure", ErrorCode="0x80045016", ErrorText="May not publish.")
    + "</Table></Worksheet></Workbook>"
)
IMPORT_RESULT: dict[str, t.Any] = {
    "SolutionOperationResult": {
        "FormattedResults": _SHEET,
        "Type": "Import",
        "Status": "Passed",
        "WarningMessages": ["One thing was skipped."],
        "ErrorMessages": [],
        "ActionLink": {"Label": None, "Target": None},
    }
}
ROLE_PRIVILEGES: dict[str, t.Any] = {
    "RolePrivileges": [
        {"Depth": "Global", "PrivilegeId": UPPER, "BusinessUnitId": B, "PrivilegeName": "prvReadLead", "RecordFilterId": D, "RecordFilterUniqueName": ""},
        {"Depth": "Basic", "PrivilegeId": C, "BusinessUnitId": B},
    ]
}
PRIVILEGE = {"name": "prvReadLead", "accessright": 1, "canbebasic": True, "canbelocal": True, "canbedeep": False, "canbeglobal": True, "privilegeid": UPPER}
GOOD_DATA = (
    '<importexportxml start="1" stop="2" progress="80" processed="true"><solutionManifests><solutionManifest languagecode="1033" id="NorthwindLeads" '
    'LocalizedName="Northwind Leads" processed="true"><UniqueName>NorthwindLeads</UniqueName><Version>1.0</Version><Managed>1</Managed><results />'
    '<result result="success" errorcode="0" errortext="" datetime="20:49:12.08" datetimeticks="634224269520845122" /></solutionManifest></solutionManifests>'
    "<entities /></importexportxml>"
)
BAD_PART = (
    '<importexportxml progress="100" processed="true"><solutionManifests><solutionManifest LocalizedName="Northwind Leads" processed="true">'
    '<UniqueName>NorthwindLeads</UniqueName><result result="success" errorcode="0" errortext="" /></solutionManifest></solutionManifests><entities>'
    '<entity LocalizedName="Account" id="account" processed="true"><result result="failure" errorcode="0x80044182" errortext="A column is missing." />'
    '<result result="warning" errorcode="0" errortext="A view is old." /></entity></entities></importexportxml>'
)
"""The import job's ``data``: a success that stops at 80 percent, and a good manifest above a failed component."""
