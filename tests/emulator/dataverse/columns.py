# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The columns of the tables, as the Web API names them, by type."""

from __future__ import annotations

from collections.abc import Mapping

from .component_columns import COMPONENT_COLUMNS

COLUMNS: Mapping[str, Mapping[str, str]] = {
    **COMPONENT_COLUMNS,
    "account": {
        "DateTimeOffset": "createdon modifiedon",
        "Decimal": "revenue",
        "Guid": (
            "_createdby_value _modifiedby_value _ownerid_value _owningbusinessunit_value _owningteam_value _owninguser_value _parentaccountid_value "
            "_primarycontactid_value accountid"
        ),
        "Int32": "industrycode numberofemployees statecode statuscode",
        "Int64": "versionnumber",
        "String": "accountnumber address1_city address1_country description emailaddress1 name telephone1 websiteurl",
    },
    "asyncoperation": {
        "Boolean": "iswaitingforevent retainjobhistory",
        "DateTimeOffset": "completedon correlationupdatedtime createdon expanderstarttime modifiedon postponeuntil recurrencestarttime startedon",
        "Double": "executiontimespan",
        "Guid": (
            "_createdby_value _createdonbehalfby_value _modifiedby_value _modifiedonbehalfby_value _ownerid_value _owningbusinessunit_value "
            "_owningextensionid_value _owningteam_value _owninguser_value _regardingobjectid_value _workflowactivationid_value asyncoperationid "
            "breadcrumbid correlationid datablobid parentpluginexecutionid requestid"
        ),
        "Int32": "depth errorcode operationtype retrycount statecode statuscode subtype timezoneruleversionnumber utcconversiontimezonecode",
        "Int64": "sequence",
        "String": (
            "callerorigin data datablobid_name dependencytoken friendlymessage hostid message messagename name primaryentitytype recurrencepattern "
            "rootexecutioncontext workflowstagename workload"
        ),
    },
    "businessunit": {
        "Boolean": "isdisabled workflowsuspended",
        "DateTimeOffset": "createdon modifiedon overriddencreatedon",
        "Decimal": "exchangerate",
        "Double": "address1_latitude address1_longitude address2_latitude address2_longitude creditlimit",
        "Guid": (
            "_calendarid_value _createdby_value _createdonbehalfby_value _modifiedby_value _modifiedonbehalfby_value _organizationid_value "
            "_parentbusinessunitid_value _transactioncurrencyid_value address1_addressid address2_addressid businessunitid"
        ),
        "Int32": (
            "address1_addresstypecode address1_shippingmethodcode address1_utcoffset address2_addresstypecode address2_shippingmethodcode "
            "address2_utcoffset importsequencenumber inheritancemask utcoffset"
        ),
        "Int64": "versionnumber",
        "String": (
            "address1_city address1_country address1_county address1_fax address1_line1 address1_line2 address1_line3 address1_name address1_postalcode "
            "address1_postofficebox address1_stateorprovince address1_telephone1 address1_telephone2 address1_telephone3 address1_upszone address2_city "
            "address2_country address2_county address2_fax address2_line1 address2_line2 address2_line3 address2_name address2_postalcode "
            "address2_postofficebox address2_stateorprovince address2_telephone1 address2_telephone2 address2_telephone3 address2_upszone costcenter "
            "description disabledreason divisionname emailaddress fileasname ftpsiteurl name picture stockexchange tickersymbol websiteurl"
        ),
    },
    "contact": {
        "DateTimeOffset": "createdon modifiedon",
        "Guid": (
            "_createdby_value _modifiedby_value _ownerid_value _owningbusinessunit_value _owningteam_value _owninguser_value _parentcustomerid_value contactid"
        ),
        "Int32": "statecode statuscode",
        "Int64": "versionnumber",
        "String": "address1_city address1_country description emailaddress1 firstname fullname jobtitle lastname mobilephone telephone1",
    },
    "importjob": {
        "DateTimeOffset": "completedon createdon modifiedon startedon",
        "Double": "progress",
        "Guid": "_createdby_value _createdonbehalfby_value _modifiedby_value _modifiedonbehalfby_value _organizationid_value importjobid solutionid",
        "Int32": "timezoneruleversionnumber utcconversiontimezonecode",
        "String": "data importcontext name operationcontext solutionname",
    },
    "lead": {
        "Binary": "entityimage",
        "Boolean": (
            "confirminterest decisionmaker donotbulkemail donotemail donotfax donotphone donotpostalmail donotsendmm evaluatefit followemail merged "
            "participatesinworkflow"
        ),
        "Date": "estimatedclosedate",
        "DateTimeOffset": "createdon lastonholdtime lastusedincampaign modifiedon overriddencreatedon schedulefollowup_prospect schedulefollowup_qualify",
        "Decimal": "budgetamount budgetamount_base estimatedamount estimatedamount_base exchangerate revenue revenue_base",
        "Double": "address1_latitude address1_longitude address2_latitude address2_longitude estimatedvalue",
        "Guid": (
            "_accountid_value _campaignid_value _contactid_value _createdby_value _createdonbehalfby_value _customerid_value _masterid_value "
            "_modifiedby_value _modifiedonbehalfby_value _originatingcaseid_value _ownerid_value _owningbusinessunit_value _owningteam_value "
            "_owninguser_value _parentaccountid_value _parentcontactid_value _qualifyingopportunityid_value _relatedobjectid_value _slaid_value "
            "_slainvokedid_value _transactioncurrencyid_value address1_addressid address2_addressid entityimageid leadid processid stageid"
        ),
        "Int32": (
            "address1_addresstypecode address1_shippingmethodcode address1_utcoffset address2_addresstypecode address2_shippingmethodcode "
            "address2_utcoffset budgetstatus importsequencenumber industrycode initialcommunication leadqualitycode leadsourcecode need numberofemployees "
            "onholdtime preferredcontactmethodcode prioritycode purchaseprocess purchasetimeframe salesstage salesstagecode statecode statuscode "
            "teamsfollowed timezoneruleversionnumber utcconversiontimezonecode"
        ),
        "Int64": "entityimage_timestamp versionnumber",
        "String": (
            "address1_city address1_composite address1_country address1_county address1_fax address1_line1 address1_line2 address1_line3 address1_name "
            "address1_postalcode address1_postofficebox address1_stateorprovince address1_telephone1 address1_telephone2 address1_telephone3 "
            "address1_upszone address2_city address2_composite address2_country address2_county address2_fax address2_line1 address2_line2 address2_line3 "
            "address2_name address2_postalcode address2_postofficebox address2_stateorprovince address2_telephone1 address2_telephone2 "
            "address2_telephone3 address2_upszone businesscard businesscardattributes companyname description emailaddress1 emailaddress2 emailaddress3 "
            "entityimage_url fax firstname fullname jobtitle lastname middlename mobilephone pager qualificationcomments salutation sic subject "
            "telephone1 telephone2 telephone3 timespentbymeonemailandmeetings traversedpath websiteurl yomicompanyname yomifirstname yomifullname "
            "yomilastname yomimiddlename"
        ),
    },
    "publisher": {
        "Binary": "entityimage",
        "Boolean": "isreadonly",
        "DateTimeOffset": "createdon modifiedon",
        "Double": "address1_latitude address1_longitude address2_latitude address2_longitude",
        "Guid": (
            "_createdby_value _createdonbehalfby_value _modifiedby_value _modifiedonbehalfby_value _organizationid_value address1_addressid "
            "address2_addressid entityimageid publisherid"
        ),
        "Int32": (
            "address1_addresstypecode address1_shippingmethodcode address1_utcoffset address2_addresstypecode address2_shippingmethodcode "
            "address2_utcoffset customizationoptionvalueprefix"
        ),
        "Int64": "entityimage_timestamp pinpointpublisherid versionnumber",
        "String": (
            "address1_city address1_country address1_county address1_fax address1_line1 address1_line2 address1_line3 address1_name address1_postalcode "
            "address1_postofficebox address1_stateorprovince address1_telephone1 address1_telephone2 address1_telephone3 address1_upszone address2_city "
            "address2_country address2_county address2_fax address2_line1 address2_line2 address2_line3 address2_name address2_postalcode "
            "address2_postofficebox address2_stateorprovince address2_telephone1 address2_telephone2 address2_telephone3 address2_upszone "
            "customizationprefix description emailaddress entityimage_url friendlyname pinpointpublisherdefaultlocale supportingwebsiteurl uniquename"
        ),
    },
    "role": {
        "Boolean": "ismanaged issytemgenerated",
        "BooleanManagedProperty": "canbedeleted iscustomizable",
        "DateTimeOffset": "createdon modifiedon overriddencreatedon overwritetime",
        "Guid": (
            "_businessunitid_value _createdby_value _createdonbehalfby_value _modifiedby_value _modifiedonbehalfby_value _parentroleid_value "
            "_parentrootroleid_value _roletemplateid_value applicationid organizationid roleid roleidunique solutionid"
        ),
        "Int32": "componentstate importsequencenumber isautoassigned isinherited",
        "Int64": "versionnumber",
        "String": "appliesto description name summaryofcoretablepermissions",
    },
    "solution": {
        "Boolean": "enabledforsourcecontrolintegration isapimanaged ismanaged isvisible",
        "DateTimeOffset": "createdon installedon modifiedon updatedon",
        "Guid": (
            "_configurationpageid_value _createdby_value _createdonbehalfby_value _modifiedby_value _modifiedonbehalfby_value _organizationid_value "
            "_parentsolutionid_value _publisherid_value solutionid"
        ),
        "Int32": "solutiontype sourcecontrolsyncstatus",
        "Int64": "pinpointpublisherid pinpointsolutionid versionnumber",
        "String": (
            "description friendlyname pinpointassetid pinpointsolutiondefaultlocale solutionpackageversion templatesuffix thumbprint uniquename "
            "upgradeinfo version"
        ),
    },
    "solutioncomponent": {
        "Boolean": "ismetadata",
        "DateTimeOffset": "createdon modifiedon",
        "Guid": (
            "_createdby_value _createdonbehalfby_value _modifiedby_value _modifiedonbehalfby_value _solutionid_value objectid rootsolutioncomponentid "
            "solutioncomponentid"
        ),
        "Int32": "componenttype rootcomponentbehavior",
        "Int64": "versionnumber",
    },
    "systemuser": {
        "Binary": "entityimage",
        "Boolean": (
            "defaultfilterspopulated displayinserviceviews isallowedbyipfirewall isdisabled isemailaddressapprovedbyo365admin isintegrationuser "
            "islicensed issyncwithdirectory setupuser"
        ),
        "DateTimeOffset": "azuredeletedon createdon modifiedon overriddencreatedon",
        "Decimal": "exchangerate",
        "Double": "address1_latitude address1_longitude address2_latitude address2_longitude",
        "Guid": (
            "_businessunitid_value _calendarid_value _createdby_value _createdonbehalfby_value _defaultmailbox_value _mobileofflineprofileid_value "
            "_modifiedby_value _modifiedonbehalfby_value _parentsystemuserid_value _positionid_value _queueid_value _territoryid_value "
            "_transactioncurrencyid_value address1_addressid address2_addressid applicationid azureactivedirectoryobjectid entityimageid organizationid "
            "ownerid processid stageid systemuserid"
        ),
        "Int32": (
            "accessmode address1_addresstypecode address1_shippingmethodcode address1_utcoffset address2_addresstypecode address2_shippingmethodcode "
            "address2_utcoffset azurestate caltype deletedstate emailrouteraccessapproval identityid importsequencenumber incomingemaildeliverymethod "
            "invitestatuscode outgoingemaildeliverymethod passporthi passportlo preferredaddresscode preferredemailcode preferredphonecode "
            "systemmanagedusertype timezoneruleversionnumber userlicensetype utcconversiontimezonecode"
        ),
        "Int64": "entityimage_timestamp versionnumber",
        "String": (
            "address1_city address1_composite address1_country address1_county address1_fax address1_line1 address1_line2 address1_line3 address1_name "
            "address1_postalcode address1_postofficebox address1_stateorprovince address1_telephone1 address1_telephone2 address1_telephone3 "
            "address1_upszone address2_city address2_composite address2_country address2_county address2_fax address2_line1 address2_line2 address2_line3 "
            "address2_name address2_postalcode address2_postofficebox address2_stateorprovince address2_telephone1 address2_telephone2 "
            "address2_telephone3 address2_upszone applicationiduri defaultodbfoldername disabledreason domainname employeeid entityimage_url firstname "
            "fullname governmentid homephone internalemailaddress jobtitle lastname middlename mobilealertemail mobilephone nickname personalemailaddress "
            "photourl salutation sharepointemailaddress skills title traversedpath userpuid windowsliveid yammeremailaddress yammeruserid yomifirstname "
            "yomifullname yomilastname yomimiddlename"
        ),
    },
    "msdyn_solutionhistory": {
        "Boolean": "msdyn_ismanaged msdyn_isoverwritecustomizations msdyn_ispatch msdyn_result",
        "DateTimeOffset": "msdyn_endtime msdyn_starttime",
        "Guid": "msdyn_activityid msdyn_solutionhistoryid msdyn_solutionid",
        "Int32": "msdyn_errorcode msdyn_operation msdyn_status msdyn_suboperation",
        "String": "msdyn_exceptionmessage msdyn_name msdyn_packagename msdyn_publishername msdyn_solutionversion",
    },
    "organization": {
        "Boolean": "isauditenabled isdisabled",
        "DateTimeOffset": "createdon modifiedon",
        "Guid": "_basecurrencyid_value organizationid systemuserid",
        "Int32": "languagecode localeid maxuploadfilesize",
        "Int64": "versionnumber",
        "String": "name orgdborgsettings schemanameprefix",
    },
    "privilege": {
        "Boolean": "canbebasic canbedeep canbeentityreference canbeglobal canbelocal canbeparententityreference canberecordfilter ismanaged",
        "Guid": "privilegeid privilegerowid solutionid",
        "Int32": "accessright componentstate",
        "Int64": "versionnumber",
        "String": "introducedversion name",
    },
    "roleprivileges": {
        "Guid": "privilegeid roleid roleprivilegeid",
        "Int32": "privilegedepthmask",
        "Int64": "versionnumber",
    },
    "systemuserroles": {
        "Guid": "roleid systemuserid systemuserroleid",
        "Int64": "versionnumber",
    },
    "team": {
        "Boolean": "isdefault systemmanaged",
        "DateTimeOffset": "createdon modifiedon",
        "Guid": (
            "_administratorid_value _businessunitid_value _createdby_value _modifiedby_value _queueid_value _transactioncurrencyid_value "
            "azureactivedirectoryobjectid organizationid ownerid teamid"
        ),
        "Int32": "importsequencenumber membershiptype teamtype",
        "Int64": "versionnumber",
        "String": "description emailaddress name yominame",
    },
}
