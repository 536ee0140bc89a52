# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The resource types: which properties they have, and which of them an answer shows by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..store import Document
from .errors import bad_request


@dataclass(frozen=True)
class ResourceType:
    """One entity type of the published metadata, trimmed to what the emulator knows."""

    name: str
    entity_set: str
    properties: Mapping[str, Any]
    """Every selectable property with the value that it has when a document does not hold it."""
    shown: tuple[str, ...] = ()
    """What an answer holds without ``$select``; empty means everything."""
    filterable: frozenset[str] | None = None
    """What ``$filter`` and ``$orderby`` accept; None means every property."""
    page_size: int = 100
    read_units: int = 1

    def check(self, names: tuple[str, ...]) -> None:
        """Refuse a name that is no property of the type."""
        for name in names:
            if self._declared(name) not in self.properties:
                message = f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type 'microsoft.graph.{self.name}'."
                raise bad_request(message, "BadRequest")

    def project(self, document: Document, select: tuple[str, ...]) -> Document:
        """The document as an answer shows it."""
        names = tuple(map(self._declared, select)) or self.shown or tuple(self.properties)
        return {name: document.get(name, self.properties[name]) for name in names}

    def _declared(self, name: str) -> str:
        """The property's own spelling: ``$select`` does not heed case (azure_rm_aduser asks for ``OnPremisesExtensionAttributes``)."""
        return name if name in self.properties else next((known for known in self.properties if known.lower() == name.lower()), name)


def _table(nulls: str, lists: str = "", **values: Any) -> dict[str, Any]:
    return {**dict.fromkeys(nulls.split()), **{name: [] for name in lists.split()}, **values}


USER_BASIC = frozenset({"id", "displayName", "givenName", "surname", "mail", "userPrincipalName"})
"""What User.ReadBasic.All may read."""

_USER_DEFAULT = ("businessPhones displayName givenName id jobTitle mail mobilePhone officeLocation preferredLanguage surname userPrincipalName").split()
USER = ResourceType(
    name="user",
    entity_set="users",
    properties=_table(
        "id deletedDateTime aboutMe accountEnabled ageGroup city companyName consentProvidedForMinor country createdDateTime creationType "
        "department displayName employeeHireDate employeeId employeeLeaveDateTime employeeOrgData employeeType externalUserState "
        "externalUserStateChangeDateTime faxNumber givenName isManagementRestricted isResourceAccount jobTitle lastPasswordChangeDateTime "
        "legalAgeGroupClassification mail mailNickname mobilePhone officeLocation onPremisesDistinguishedName onPremisesDomainName "
        "onPremisesImmutableId onPremisesLastSyncDateTime onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled "
        "onPremisesUserPrincipalName passwordPolicies passwordProfile postalCode preferredDataLocation preferredLanguage securityIdentifier "
        "showInAddressList signInSessionsValidFromDateTime state streetAddress surname usageLocation userPrincipalName",
        "assignedLicenses assignedPlans businessPhones identities imAddresses licenseAssignmentStates onPremisesProvisioningErrors otherMails "
        "provisionedPlans proxyAddresses serviceProvisioningErrors",
        userType="Member",
        onPremisesExtensionAttributes={f"extensionAttribute{number}": None for number in range(1, 16)},
    ),
    shown=tuple(_USER_DEFAULT),
    filterable=frozenset(
        "id accountEnabled assignedLicenses assignedPlans businessPhones city companyName country createdDateTime creationType department displayName "
        "employeeId employeeType externalUserState faxNumber givenName identities imAddresses jobTitle mail mailNickname mobilePhone officeLocation "
        "onPremisesImmutableId onPremisesSamAccountName onPremisesSyncEnabled onPremisesUserPrincipalName otherMails passwordPolicies postalCode "
        "preferredLanguage proxyAddresses state streetAddress surname usageLocation userPrincipalName userType deletedDateTime".split()
    ),
    read_units=2,
)
USER_WRITABLE = frozenset(
    "accountEnabled ageGroup businessPhones city companyName consentProvidedForMinor country department displayName employeeHireDate employeeId "
    "employeeOrgData employeeType faxNumber givenName jobTitle mail mailNickname mobilePhone officeLocation onPremisesExtensionAttributes "
    "onPremisesImmutableId otherMails passwordPolicies passwordProfile postalCode preferredDataLocation preferredLanguage showInAddressList state "
    "streetAddress surname usageLocation userPrincipalName userType".split()
)

GROUP = ResourceType(
    name="group",
    entity_set="groups",
    properties=_table(
        "id deletedDateTime classification createdDateTime description displayName expirationDateTime isAssignableToRole mail mailNickname membershipRule "
        "membershipRuleProcessingState onPremisesLastSyncDateTime onPremisesSamAccountName onPremisesSyncEnabled preferredLanguage renewedDateTime "
        "securityIdentifier theme visibility",
        "assignedLicenses creationOptions groupTypes proxyAddresses resourceBehaviorOptions resourceProvisioningOptions",
        mailEnabled=False,
        securityEnabled=True,
    ),
    read_units=1,
)

DIRECTORY_ROLE = ResourceType(
    name="directoryRole",
    entity_set="directoryRoles",
    properties=_table("id deletedDateTime description displayName roleTemplateId"),
    filterable=frozenset({"roleTemplateId", "displayName", "id"}),
)
DIRECTORY_ROLE_TEMPLATE = ResourceType(
    name="directoryRoleTemplate", entity_set="directoryRoleTemplates", properties=_table("id deletedDateTime description displayName")
)
DIRECTORY_OBJECT = ResourceType(name="directoryObject", entity_set="directoryObjects", properties=_table("id deletedDateTime"))

ROLE_ASSIGNMENT = ResourceType(
    name="unifiedRoleAssignment",
    entity_set="roleManagement/directory/roleAssignments",
    properties=_table("id principalId roleDefinitionId", resourceScope="/", directoryScopeId="/"),
    filterable=frozenset({"id", "principalId", "roleDefinitionId", "directoryScopeId"}),
)
ROLE_DEFINITION = ResourceType(
    name="unifiedRoleDefinition",
    entity_set="roleManagement/directory/roleDefinitions",
    properties=_table("id description displayName templateId version", "rolePermissions", isBuiltIn=True, isEnabled=True, resourceScopes=["/"]),
)
_SCHEDULE_INSTANCE = _table("id principalId roleDefinitionId appScopeId startDateTime endDateTime", directoryScopeId="/", memberType="Direct")
ELIGIBILITY_INSTANCE = ResourceType(
    name="unifiedRoleEligibilityScheduleInstance",
    entity_set="roleManagement/directory/roleEligibilityScheduleInstances",
    properties={**_SCHEDULE_INSTANCE, "roleEligibilityScheduleId": None},
)
ASSIGNMENT_INSTANCE = ResourceType(
    name="unifiedRoleAssignmentScheduleInstance",
    entity_set="roleManagement/directory/roleAssignmentScheduleInstances",
    properties={**_SCHEDULE_INSTANCE, "assignmentType": "Assigned", "roleAssignmentOriginId": None, "roleAssignmentScheduleId": None},
)

ORGANIZATION = ResourceType(
    name="organization",
    entity_set="organization",
    properties=_table(
        "id deletedDateTime city country countryLetterCode createdDateTime defaultUsageLocation displayName onPremisesLastSyncDateTime "
        "onPremisesSyncEnabled partnerTenantType postalCode preferredLanguage privacyProfile state street",
        "assignedPlans businessPhones marketingNotificationEmails provisionedPlans securityComplianceNotificationMails "
        "securityComplianceNotificationPhones technicalNotificationMails verifiedDomains",
        tenantType="AAD",
        mobileDeviceManagementAuthority="unknown",
    ),
)
DOMAIN = ResourceType(
    name="domain",
    entity_set="domains",
    properties=_table(
        "id availabilityStatus manufacturer model passwordNotificationWindowInDays passwordValidityPeriodInDays state",
        authenticationType="Managed",
        isAdminManaged=True,
        isDefault=False,
        isInitial=False,
        isRoot=True,
        isVerified=True,
        supportedServices=["Email", "OfficeCommunicationsOnline"],
    ),
)
SUBSCRIBED_SKU = ResourceType(
    name="subscribedSku",
    entity_set="subscribedSkus",
    properties=_table("accountName accountId appliesTo capabilityStatus consumedUnits id skuId skuPartNumber prepaidUnits", "servicePlans subscriptionIds"),
    read_units=3,
)
LICENSE_DETAILS = ResourceType(name="licenseDetails", entity_set="licenseDetails", properties=_table("id skuId skuPartNumber", "servicePlans"), read_units=2)

APPLICATION = ResourceType(
    name="application",
    entity_set="applications",
    properties=_table(
        "id deletedDateTime appId applicationTemplateId disabledByMicrosoftStatus createdDateTime displayName description groupMembershipClaims "
        "isDeviceOnlyAuthSupported isFallbackPublicClient notes publisherDomain serviceManagementReference signInAudience tokenEncryptionKeyId "
        "uniqueName defaultRedirectUri certification optionalClaims samlMetadataUrl",
        "identifierUris tags addIns appRoles keyCredentials passwordCredentials requiredResourceAccess",
        api={
            "acceptMappedClaims": None,
            "knownClientApplications": [],
            "requestedAccessTokenVersion": None,
            "oauth2PermissionScopes": [],
            "preAuthorizedApplications": [],
        },
        info={"logoUrl": None, "marketingUrl": None, "privacyStatementUrl": None, "supportUrl": None, "termsOfServiceUrl": None},
        parentalControlSettings={"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
        publicClient={"redirectUris": []},
        verifiedPublisher={"displayName": None, "verifiedPublisherId": None, "addedDateTime": None},
        web={
            "homePageUrl": None,
            "logoutUrl": None,
            "redirectUris": [],
            "implicitGrantSettings": {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False},
        },
        spa={"redirectUris": []},
    ),
    read_units=2,
)
APPLICATION_WRITABLE = frozenset(
    "api appRoles addIns description displayName groupMembershipClaims identifierUris info isDeviceOnlyAuthSupported isFallbackPublicClient "
    "keyCredentials notes optionalClaims parentalControlSettings publicClient requiredResourceAccess serviceManagementReference signInAudience spa "
    "tags tokenEncryptionKeyId uniqueName web defaultRedirectUri".split()
)
SERVICE_PRINCIPAL = ResourceType(
    name="servicePrincipal",
    entity_set="servicePrincipals",
    properties=_table(
        "id deletedDateTime appDescription appDisplayName appId applicationTemplateId appOwnerOrganizationId createdDateTime description "
        "disabledByMicrosoftStatus displayName homepage loginUrl logoutUrl notes preferredSingleSignOnMode preferredTokenSigningKeyThumbprint "
        "samlSingleSignOnSettings signInAudience tokenEncryptionKeyId",
        "addIns alternativeNames appRoles keyCredentials notificationEmailAddresses oauth2PermissionScopes passwordCredentials replyUrls "
        "resourceSpecificApplicationPermissions servicePrincipalNames tags",
        accountEnabled=True,
        appRoleAssignmentRequired=False,
        servicePrincipalType="Application",
        info={"logoUrl": None, "marketingUrl": None, "privacyStatementUrl": None, "supportUrl": None, "termsOfServiceUrl": None},
        verifiedPublisher={"displayName": None, "verifiedPublisherId": None, "addedDateTime": None},
    ),
)
SERVICE_PRINCIPAL_WRITABLE = frozenset(
    "accountEnabled alternativeNames appRoleAssignmentRequired displayName homepage loginUrl notes notificationEmailAddresses preferredSingleSignOnMode "
    "replyUrls servicePrincipalNames tags tokenEncryptionKeyId appId description".split()
)
APP_ROLE_ASSIGNMENT = ResourceType(
    name="appRoleAssignment",
    entity_set="appRoleAssignments",
    properties=_table("id deletedDateTime appRoleId createdDateTime principalDisplayName principalId principalType resourceDisplayName resourceId"),
    read_units=2,
)
FEDERATED_CREDENTIAL = ResourceType(
    name="federatedIdentityCredential",
    entity_set="federatedIdentityCredentials",
    properties=_table("id name issuer subject description", "audiences"),
)
