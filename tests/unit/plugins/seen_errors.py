# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors as the services were seen to answer them or as Microsoft lists them, with the catalogue entry that explains each."""

from __future__ import annotations

ID = "1caf7dcd-7e83-4c3a-94f7-932a1299c844"
OTHER = "5dbe027f-2339-4123-9542-606e4d348a72"
CLAIMS = f'{{"access_token":{{"capolids":{{"essential":true,"values":["{ID}"]}}}}}}'


ENTRA = [
    ("tenant-not-found", "AADSTS90002", "AADSTS90002: Tenant 'no.example' not found. Check to make sure you have the correct tenant ID", "no.example"),
    (
        "application-not-in-tenant",
        "AADSTS700016",
        f"AADSTS700016: Application with identifier '{ID}' was not found in the directory 'Contoso'.",
        f"{ID} Contoso",
    ),
    ("application-disabled", "AADSTS7000112", "AADSTS7000112: Application is disabled.", ""),
    ("partner-not-consented", "AADSTS90099", "AADSTS90099: The application has not been authorized in the tenant", ""),
    ("partner-access-missing", "AADSTS50020", "AADSTS50020: User account from identity provider does not exist in tenant", ""),
    ("consent-missing", "AADSTS65001", "AADSTS65001: The user or administrator has not consented to use the application", ""),
    ("application-permission-not-registered", "AADSTS650057", "AADSTS650057: Invalid resource.", ""),
    (
        "resource-not-in-tenant",
        "AADSTS500011",
        "AADSTS500011: The resource principal named https://o.crm4.dynamics.com was not found in the tenant",
        "https://o.crm4.dynamics.com",
    ),
    (
        "client-secret-wrong",
        "AADSTS7000215",
        (
            f"AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, "
            f"for a secret added to app '{ID}'."
        ),
        ID,
    ),
    ("client-secret-expired", "AADSTS7000222", f"AADSTS7000222: The provided client secret keys for app '{ID}' are expired.", ID),
    ("certificate-not-registered", "AADSTS700027", "AADSTS700027: Client assertion failed. [Thumbprint of key used by client: 'AB12', Found]", "AB12"),
    ("assertion-outside-validity", "AADSTS700024", "AADSTS700024: Client assertion is not within its valid time range.", ""),
    ("assertion-malformed", "AADSTS50027", "AADSTS50027: JWT token is invalid or malformed.", ""),
    (
        "federated-credential-mismatch",
        "AADSTS70021",
        (
            "AADSTS70021: No matching federated identity record found for presented assertion. Assertion Issuer: 'https://i'. Assertion Subject: 'sub'. "
            "Assertion Audience: 'aud'."
        ),
        "https://i sub aud",
    ),
    ("not-a-public-client", "AADSTS7000218", "AADSTS7000218: The request body must contain client_assertion or client_secret.", ""),
    ("public-client-with-credential", "AADSTS700025", "AADSTS700025: Client is public so neither may be presented.", ""),
    ("user-not-found", "AADSTS50034", "AADSTS50034: The user account {EmailHidden} does not exist in the tid directory.", ""),
    ("user-password-wrong", "AADSTS50126", "AADSTS50126: Error validating credentials due to invalid username or password.", ""),
    ("user-without-password", "AADSTS50056", "AADSTS50056: Invalid or missing password: password does not exist in the directory for this user.", ""),
    ("user-locked", "AADSTS50053", "AADSTS50053: You've tried to sign in too many times with an incorrect user ID or password.", ""),
    ("user-password-expired", "AADSTS50055", "AADSTS50055: The password is expired.", ""),
    ("user-disabled", "AADSTS50057", "AADSTS50057: The user account is disabled.", ""),
    ("user-not-assigned", "AADSTS50105", "AADSTS50105: The signed in user is not assigned to a role for the application.", ""),
    ("sign-in-expired", "AADSTS50173", "AADSTS50173: The provided grant has expired due to it being revoked.", ""),
    ("interactive-only", "AADSTS50058", "AADSTS50058: A silent sign-in request was sent but no user is signed in.", ""),
    ("mfa-required", "AADSTS50076", "AADSTS50076: Due to a configuration change made by your administrator, you must use multi-factor authentication", ""),
    ("external-challenge", "AADSTS50158", "AADSTS50158: External security challenge not satisfied.", ""),
    ("security-defaults", "AADSTS530035", "AADSTS530035: Access has been blocked by security defaults.", ""),
    ("conditional-access", "AADSTS53003", f"AADSTS53003: Access has been blocked by Conditional Access policies. {CLAIMS}", ID),
    ("sign-in-loop", "AADSTS50196", "AADSTS50196: The server terminated an operation because it encountered a client request loop.", ""),
    ("sign-in-request-malformed", "AADSTS900144", "AADSTS900144: The request body must contain the following parameter: 'client_id'.", ""),
    ("authority-not-usable", "AADSTS9001023", "AADSTS9001023: The grant type is not supported over the /common or /consumers endpoints.", ""),
    ("entra-busy", "temporarily_unavailable", "the body was no JSON", ""),
]
PRINCIPAL = f"Principal user (Id={ID}, type=8, roleCount=6, privilegeCount=1491, accessMode='0 Read-Write', AADObjectId='{OTHER}')"
DATAVERSE = [
    ("not-a-member", "0x80072560", "The user is not a member of the organization.", ""),
    ("record-missing", "0x80040217", f"Entity 'importjob' With Id = {ID} Does Not Exist", f"importjob {ID}"),
    ("record-missing", "0x80040217", f"lead With Id = {ID} Does Not Exist", f"lead {ID}"),
    ("record-missing", "0x80060891", "A record with the specified key values does not exist in systemuser entity", "systemuser"),
    ("table-missing", "0x80041102", "The entity with a name = 'acount' with namemapping = 'Logical' was not found in the MetadataCache.", "acount"),
    ("query-refused", "0x80060888", "Skip Clause is not supported in CRM", "Skip Clause"),
    ("table-missing", "0x80060888", "Resource not found for the segment 'rolez'.", "rolez"),
    ("app-missing", "0x80060888", "Resource not found for the segment 'leads'.", "leads Sales"),
    ("app-missing", "0x80041102", "The entity with a name = 'lead' with namemapping = 'Logical' was not found in the MetadataCache.", "lead Sales"),
    ("query-refused", "0x80060888", "does not support operation", ""),
    ("query-refused", "0x80060888", "A supported MIME type could not be found that matches the acceptable MIME types for the request.", "MIME"),
    ("value-refused", "0x80040203", "Expected non-empty Guid.", "Guid"),
    (
        "privilege-missing",
        "0x80040220",
        (
            "Principal user (Id=c966c897-49a7-e711-80e5-3863bb35ff88, type=8, roleCount=2, privilegeCount=1255), is missing prvBulkDelete privilege "
            "(Id=b75a726f-e7aa-44ae-9282-f8776d913bbb) on OTC=0 for entity '' (LocalizedName=''). context.Caller=c966c897-49a7-e711-80e5-3863bb35ff88"
        ),
        "prvBulkDelete c966c897-49a7-e711-80e5-3863bb35ff88",
    ),
    (
        "privilege-missing",
        "0x80040220",
        f"{PRINCIPAL}, is missing 'prvCreateLead' privilege (Id={OTHER}) on OTC=4 for entity 'lead' (LocalizedName='Lead'). context...",
        f"prvCreateLead lead {ID} 6",
    ),
    ("privilege-missing", "0x80048306", f"Principal user (Id={ID}, type=8) is missing prvReadLead privilege", "prvReadLead"),
    ("no-role", "0x80042f09", f"The user with id {ID} has not been assigned any roles. They need a role with the prvReadUser privilege.", f"{ID} prvReadUser"),
    ("no-role", "", "SecLib::RetrievePrivilegeForUser failed - no roles are assigned to user.", ""),
    (
        "access-denied-to-record",
        "0x80040220",
        (
            f"SecLib::AccessCheckEx failed. Returned hr = -2147187962, ObjectID: {ID}, OwnerId: {OTHER},  OwnerIdType: 8 and CallingUser: {OTHER}. "
            f"ObjectTypeCode: 4, objectBusinessUnitId: {OTHER}, AccessRights: ReadAccess "
        ),
        f"ReadAccess {ID}",
    ),
    ("access-denied", "0x80040220", "The user does not hold the necessary privileges.", "necessary privileges"),
    ("column-security", "0x8004f502", "The user does not have create permissions to a secured field. The requested operation could not be completed.", ""),
    ("user-disabled-or-homeless", "0x80040225", "The specified user is either disabled or is not a member of any business unit.", ""),
    ("administration-mode", "0x8004A113", "User does not have required privileges (or role membership) to access the org when it is in Admin Only mode.", ""),
    ("access-mode-too-narrow", "0x80044502", "", ""),
    ("caller-not-administrator", "0x800608f8", "You must be a system administrator to execute this request.", ""),
    ("impersonation-denied", "0x8004a110", "User does not have the privilege to act on behalf another user.", "prvActOnBehalfOfAnotherUser"),
    ("token-refused", "0x80044302", "", ""),
    ("user-without-licence", "0x8004d24b", "The user has not been assigned any License", ""),
    ("user-without-licence", "0x8004d24c", "Cannot enable an unlicensed user", ""),
    ("owner-lacks-privilege", "0x80040231", "Target user or team does not hold required privileges.", ""),
    ("last-administrator", "0x80041d30", "A user cannot be removed from the System Administrator Role if they are the only user that has the role.", ""),
    (
        "tenant-administrator",
        "0x80041d64",
        (
            "Users who are granted the Microsoft Office 365 Global administrator or Service administrator role cannot be removed from the Dynamics 365 "
            "System Administrator security role. You must first remove the Microsoft Office 365 role, and then try again."
        ),
        "",
    ),
    ("special-user", "0x80041d33", "", ""),
    ("application-unknown", "0x80041d49", "", ""),
    ("application-user-fixed", "0x80041d48", "", ""),
    ("user-identity-fixed", "0x80041d4f", "", ""),
    ("user-deleted", "0x80048357", "", ""),
    ("user-not-disabled", "0x80048356", "", ""),
    ("user-owns-records", "0x80048610", "", ""),
    ("depth-not-allowed", "0x8004140b", "Invalid privilege depth.", ""),
    ("privilege-unknown", "0x80048058", f"Invalid privilege: {ID}", ID),
    ("privilege-unknown", "0x80041408", "The privilege ID was unexpectedly missing.", ""),
    ("inherited-role", "0x80044152", "Inherited roles cannot be modified.", ""),
    ("special-role", "0x80041d31", "The System Administrator Role cannot be modified.", ""),
    ("role-not-customizable", "0x8004f026", "", ""),
    ("role-name-taken", "0x80041403", f"A role with the specified name 'R' already exists on business unit B and Solution Id S. Role id: {ID}", ID),
    ("role-missing", "0x80041402", "The specified role does not exist.", ""),
    (
        "role-in-other-business-unit",
        "0x80041409",
        f"The user with id={OTHER} belongs to a different business unit={ID} than the role with roleId={OTHER} and rolebusinessUnit={OTHER}.",
        ID,
    ),
    ("role-in-other-business-unit", "0x8004140D", f"The team with id={OTHER} belongs to a different business unit={ID} than the role", ID),
    ("team-takes-no-role", "0x80048331", "Cannot assign roles or profiles to an access team.", ""),
    ("business-unit-invalid", "0x8004032c", "The specified business unit is disabled.", ""),
    ("service-protection", "0x80072322", "Number of requests exceeded the limit of 6000 over time window of 300 seconds.", "6000"),
    (
        "service-protection",
        "0x80072321",
        "Combined execution time of incoming requests exceeded limit of 1,200,000 milliseconds over time window of 300 seconds.",
        "1,200,000",
    ),
    ("service-protection", "0x80072326", "Number of concurrent requests exceeded the limit of 100.", "100"),
    ("record-exists", "0x80040237", "A record with matching key values already exists.", ""),
    ("duplicate-rule", "0x80040333", "", ""),
    ("changed-meanwhile", "0x80060882", "The version of the existing record doesn't match the RowVersion property provided.", ""),
    ("plugin-refused", "0x80040265", "Leads need {a budget}", "{a budget}"),
    ("job-not-finished", "0x80040339", "", ""),
    ("database-busy", "0x80044151", "SQL timeout", ""),
    ("unexpected", "0x80040216", "An unexpected error occurred.", "An unexpected error occurred"),
    ("plug-ins-restarting", "0x80081116", "Maximum processes allocated for plug-in business logic exceeded.", "Maximum processes"),
    ("service-protection", "0x8005f103", "Too many requests.", ""),
    ("licences-used-up", "0x80042f14", "There are not enough licenses available for the number of users being activated.", ""),
    ("organization-expired", "0x8004415c", "The trial installation has expired.", ""),
    ("licence-service-down", "0x80072300", "Unexpected error during retrieve user license information.", ""),
    ("privilege-twice", "0x8004140f", "Privilege prvReadLead is duplicated.", "prvReadLead"),
    ("business-unit-stays", "0x80041d63", "Root Business unit cannot be disabled.", "Root Business unit"),
    ("default-team", "0x8004830b", "Can't add members to the default business unit team.", ""),
    ("feature-off", "0x80072351", "Creation and editing of Canvas Apps is not enabled.", "Canvas Apps"),
    ("feature-off", "0x80081113", "Feature Bit for VirtualEntity not enabled.", "VirtualEntity"),
    ("rights-missing", "0x8005f20f", "You do not have sufficient permissions on the server.", "sufficient permissions"),
    ("rights-missing", "0x80041d0a", "The team administrator does not have privilege read team.", "read team"),
    ("licence-trouble", "0x8004d240", "Invalid license key (K).", "license key"),
]
SOLUTIONS = [
    (
        "solution-lock",
        "0x80071151",
        "Cannot start another [Import] because there is a previous [Import] running at this moment. Use Solution History for more details.",
        "Import",
    ),
    ("solution-import-timeout", "0x80048543", "The operation timed out.", ""),
    ("import-id-in-use", "0x80071152", "Parameter ImportJobId must be unique.", ""),
    ("import-id-in-use", "0x80071155", f"Cannot create the solution job using the supplied JobId ({ID}) as it is already in use.", ID),
    ("import-job-missing", "0x80044252", "The requested importjob does not exist.", ""),
    ("missing-dependencies", "0x8004801d", "The following solution cannot be imported: ContosoLeads. Some dependencies are missing.", "ContosoLeads"),
    (
        "missing-dependencies",
        "0x8004801D",
        'There are missing dependencies. Install the following solutions before installing this one: "msdyn_ProjectServiceCore (1.0.0.87)".',
        "msdyn_ProjectServiceCore (1.0.0.87)",
    ),
    (
        "missing-dependencies",
        "0x80048034",
        "A requires solutions that are not currently installed. Import the following solutions before Importing this one. B",
        "B",
    ),
    ("installed-unmanaged", "0x80048040", "The solution is already installed on this system as an unmanaged solution", ""),
    ("installed-managed", "0x80048041", "", ""),
    (
        "publisher-differs",
        "0x8004801c",
        "The following managed solution cannot be imported: ContosoLeads. The publisher name cannot be changed from contoso to fabrikam.",
        "contoso fabrikam",
    ),
    ("version-not-higher", "0x80048541", "The import solution must have a higher version than the existing solution it is upgrading.", ""),
    ("upgrade-pending", "0x80048539", "Solution manifest import: FAILURE: Holding solution Core_Upgrade already exists.", "Core_Upgrade"),
    (
        "upgrade-not-finished",
        "0x8004f046",
        (
            "Solution Upgrade action failed after import as holding. InnerException is: Solution dependencies exist. DependencyCount : 2 "
            f"RequiredComponentObject details: Type: connector, ObjectName: API, Id: {ID}, DependentComponentObject details: Type: Workflow, "
            f"ObjectName: [Child] Admin | Sync Logs, Id: {OTHER}"
        ),
        "Workflow Sync Logs",
    ),
    ("upgrade-not-there", "0x8004853b", '"The ContosoLeads solution doesn\u2019t have an upgrade that is ready to be applied."', ""),
    (
        "solution-in-use",
        "0x8004f01d",
        (
            "Solution dependencies exist, cannot uninstall. DependencyCount : 2\nRequiredComponentObject details: Type: PluginType, ObjectName: My.Plugin, "
            f"Id: {ID}\nDependentComponentObject details: Type: SdkMessageProcessingStep, Id: {OTHER}\nDependencyType: Published"
        ),
        "2 PluginType My.Plugin",
    ),
    (
        "solution-in-use",
        "0x8004f020",
        f"This solution cannot be uninstalled because the 'Entity' with id '{ID}'  is required by the 'ContosoBase' solution.",
        "ContosoBase",
    ),
    (
        "unmanaged-in-the-way",
        "0x8004f016",
        f"A managed solution cannot overwrite the Entity component contoso_a with Id={ID} which has an unmanaged base instance.",
        f"contoso_a {ID}",
    ),
    ("import-privilege-missing", "0x8004802f", "Role cannot be imported. The prvCreateRole privilege is required to import this component.", "prvCreateRole"),
    ("import-role-failed", "0x80048017", "", ""),
    ("wrong-generation", "0x80048068", "", ""),
    ("solution-patched", "0x80048538", "Cannot modify solution because it has the following patches: Core_Patch_1.", "Core_Patch_1"),
    ("package-too-large", "0x80040375", "", ""),
    ("bad-package", "0x80048060", "The solution file is invalid.", ""),
    ("solution-name-taken", "0x8004f023", "The solution unique name 'Contoso' is already being used and cannot be used again.", "Contoso"),
    ("solution-protected", "0x8004f024", "Cannot update solution 'A' because it is a managed solution.", ""),
    ("solution-import-failed", "0x80048033", "Something is wrong", "Something is wrong"),
    ("patch-does-not-fit", "0x80048540", "You can't import the patch (P) for the solution (S) because the solution isn't present.", "(P) (S)"),
    ("solutions-need-each-other", "0x80071157", "The solution operation failed due to a circular dependency with other solutions.", "circular"),
    ("package-component-wrong", "0x80048536", "Subcomponent A cannot be added to the solution because the root component B is missing.", "A B"),
    ("package-file-missing", "0x8004f11a", "The file for this Web resource does not exist in the solution file.", "Web resource"),
    ("component-locked-otherwise", "0x8004f031", "Cannot import component a_b because managed property c differs.", "a_b c"),
    ("process-not-activated", "0x80045016", "User does not have sufficient privileges to publish workflows.", "publish_workflows"),
    ("component-of-managed-solution", "0x80072457", "The process is part of a managed solution and cannot be individually deleted.", ""),
    ("system-solution", "0x80048046", "System solution cannot be imported.", ""),
    ("opt-in-needed", "0x80048069", "Some components in the solution package you are importing require opt in.", ""),
    ("import-remark", "0x80048043", "SiteMap was overwritten.", "SiteMap"),
    ("designer-access-denied", "0x80050100", "You do not have enough privileges to perform the requested operation.", ""),
    (
        "upgrade-not-finished",
        "0x8004f046",
        "Solution Upgrade action failed after import as holding. InnerException is: The lock was lost.",
        "The lock was lost.",
    ),
    (
        "solution-in-use",
        "0x8004f01d",
        f"Solution dependencies exist, cannot uninstall. DependentComponentObject details: Type: SdkMessageProcessingStep, Id: {OTHER}",
        f"SdkMessageProcessingStep {OTHER}.",
    ),
    ("background-jobs-off", "", "Async operations are currently disabled for this organization", ""),
]
BAD = "Request_BadRequest"
GRAPH = [
    (
        "graph-permission-named",
        "PermissionScopeNotGranted",
        "Authorization failed due to missing permission scope RoleManagement.Read.Directory.",
        "RoleManagement.Read.Directory",
    ),
    ("graph-permission", "Authorization_RequestDenied", "Insufficient privileges to complete the operation.", ""),
    ("graph-identity", "Authorization_IdentityNotFound", "The identity of the calling application could not be established.", ""),
    ("graph-token", "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.", "Invalid audience"),
    ("user-name-taken", BAD, "Another object with the same value for property userPrincipalName already exists.", "userPrincipalName"),
    (
        "domain-not-verified",
        BAD,
        "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.",
        "",
    ),
    ("password-too-weak", BAD, "The specified password does not comply with password complexity requirements. Please provide a different password.", ""),
    ("password-missing", BAD, "A password must be specified to create a new user.", ""),
    ("user-is-synchronised", BAD, "Unable to update the specified properties for on-premises mastered Directory Sync objects", ""),
    ("usage-location", BAD, "License assignment cannot be done for user with invalid usage location.", ""),
    ("usage-location-prohibited", BAD, "ProhibitedInUsageLocationViolation", ""),
    ("no-seats", BAD, f"Subscription with SKU {ID} does not have any available licenses.", ID),
    ("plans-exclusive", BAD, f"License assignment failed because service plans {ID}, {OTHER} are mutually exclusive.", f"{ID} {OTHER}"),
    ("plan-dependency", BAD, f"License assignment failed because service plan {ID} depends on the service plan(s) {OTHER}", f"{ID} {OTHER}"),
    ("licence-inherited", BAD, "User license is inherited from a group membership and it cannot be removed directly from the user.", ""),
    ("licence-not-held", BAD, "User does not have a corresponding license.", ""),
    ("licence-for-companies", BAD, f"License {ID} cannot be assigned to a user", ID),
    ("licence-not-in-tenant", BAD, f"License {ID} does not correspond to a valid company License.", ID),
    ("plan-not-in-product", BAD, f"Service plan {ID} is not part of the license {OTHER}.", ID),
    ("no-pim", "AadPremiumLicenseRequired", "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.", ""),
    ("role-not-held", "RoleAssignmentDoesNotExist", "The Role assignment does not exist.", ""),
    ("application-not-visible", BAD, f"The appId '{ID}' of the service principal does not reference a valid application object.", ""),
    (
        "application-not-visible",
        "Authorization_RequestDenied",
        "When using this permission, the backing application of the service principal being created",
        "",
    ),
    (
        "already-there",
        "Request_MultipleObjectsWithSameKeyValue",
        f"The service principal cannot be created, updated, or restored because the service principal name {ID} is already in use.",
        "",
    ),
    ("already-there", BAD, "Permission being assigned already exists on the object", ""),
    (
        "object-missing",
        "Request_ResourceNotFound",
        f"Resource '{ID}' does not exist or one of its queried reference-property objects are not present.",
        ID,
    ),
    ("value-refused-by-directory", BAD, "Invalid value specified for property 'usageLocation' of resource 'User'.", "usageLocation"),
    ("value-refused-by-directory", BAD, "One or more property values specified are invalid.", ""),
    ("query-not-supported", "Request_UnsupportedQuery", "Searches against this resource are not supported.", ""),
    ("directory-busy", "Directory_ConcurrencyViolation", "Error due to concurrent requests being made to the tenant. Please wait briefly and retry.", ""),
    ("directory-busy", "TooManyRequests", "Please retry again later.", ""),
]
POWER_PLATFORM = [
    ("not-a-management-application", "Forbidden", f"The service principal with id '{ID}' does not have permission to access the path '/providers'.", ""),
    ("user-not-licensed", "userNotLicensed", "", ""),
    ("user-not-licensed", "", "The user is refused: userNotLicensed", ""),
    ("user-not-in-security-group", "userNotInSecurityGroup", "", ""),
    ("user-not-enabled", "userNotEnabled", "", ""),
    ("user-not-known", "userNotFound", "", ""),
    ("environment-not-found", "EnvironmentNotFound", f"The environment '{ID}' could not be found in the tenant.", ID),
    (
        "environment-busy",
        "OperationNotStartable",
        f"TThis operation cannot be performed because there is an active lifecycle operation on the environment {ID}.",
        "",
    ),
    ("capacity-missing", "InsufficientCapacity_StorageDriven", "", ""),
    ("application-not-in-power-platform", "ApplicationNotFound", "", ""),
    (
        "connections-in-use",
        "CannotDeleteApiDueToExistingConnections",
        "The custom connector cat-5f cannot be deleted because there are connections associated with this api.",
        "cat-5f",
    ),
    ("admin-token-refused", "AuthenticationFailed", "", ""),
    ("admin-access-denied", "Forbidden", "No access", "No access"),
]
PARTNER_CENTER = [
    ("lead-sign-in-failed", "", "Could not save the lead to Dynamics CRM. Unable to sign in to Dynamics CRM", ""),
    ("lead-column-denied", "", "User does not have create permissions for the `leadsourcecode` attribute in the lead entity", "leadsourcecode prvCreateLead"),
    ("lead-no-role", "", "SecLib::RetrievePrivilegeForUser failed \u2013 no roles are assigned to user", ""),
    ("lead-tenant-unknown", "", f"AADSTS90002: Tenant '{ID}' not found. There may be no active subscriptions for the tenant", ""),
    ("lead-application-unknown", "", f"Application with identifier '{ID}' was not found in the directory", ""),
    ("lead-tenant-malformed", "", "Requested tenant identifier 'x' is not valid and not valid external domain format", ""),
    ("lead-secret-wrong", "", "Error validating credentials: Invalid client secret is provided", ""),
    ("lead-url-wrong", "", "The request channel timed out while waiting for a reply after 00:02:00", ""),
]
SEEN = [
    (service, *case)
    for service, cases in (
        ("entra", ENTRA),
        ("dataverse", DATAVERSE),
        ("dataverse", SOLUTIONS),
        ("graph", GRAPH),
        ("power_platform", POWER_PLATFORM),
        ("partner_center", PARTNER_CENTER),
    )
    for case in cases
]
"""Service, name of the entry, code, text, and the words that the explanation must have taken from the text."""
