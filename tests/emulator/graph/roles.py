# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory roles that every tenant has, by display name; the id is the template and the definition alike."""

from __future__ import annotations

BUILT_IN: dict[str, str] = {
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "Privileged Role Administrator": "e8611ab8-c189-46e8-94e1-60213ab1f814",
    "Privileged Authentication Administrator": "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
    "User Administrator": "fe930be7-5e62-47db-91af-98c3a49a38b1",
    "Application Administrator": "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    "Cloud Application Administrator": "158c047a-c907-4556-b7ef-446551a6b5f7",
    "Helpdesk Administrator": "729827e3-9c14-49f7-bb1b-9608f156bbb8",
    "Password Administrator": "966707d0-3269-4727-9be2-8c3a10f19b9d",
    "Authentication Administrator": "c4e39bd9-1100-46d3-8c65-fb160da0071f",
    "Conditional Access Administrator": "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9",
    "Security Administrator": "194ae4cb-b126-40b2-bd5b-6091b380977d",
    "Directory Writers": "9360feb5-f418-4baa-8175-e2a00bac4301",
    "Domain Name Administrator": "8329153b-31d0-4727-b945-745eb3bc5f31",
    "Global Reader": "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
    "Hybrid Identity Administrator": "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2",
    "Intune Administrator": "3a2c62db-5318-420d-8d74-23affee5d9d5",
    "Application Developer": "cf1c38e5-3621-4004-a7cb-879624dced7c",
    "Security Operator": "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f",
    "Security Reader": "5d6b6bb7-de71-4623-b4af-96380a352509",
    "Billing Administrator": "b0f54661-2d74-4c50-afa3-1ec803f12efe",
    "License Administrator": "4d6ac14f-3453-41d0-bef9-a3e0c569773a",
    "Dynamics 365 Administrator": "44367163-eba1-44c3-98af-f5787879f96a",
    "Power Platform Administrator": "11648597-926c-4cf3-9c36-bcebb0ba8dcc",
    "Directory Readers": "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
    "Directory Synchronization Accounts": "d29b2b05-8046-44ba-8758-1e26182fcf32",
    "Partner Tier1 Support": "4ba39ca4-527c-499a-b93d-d9b492c50246",
    "Partner Tier2 Support": "e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8",
}
NAMES: dict[str, str] = {role_id: name for name, role_id in BUILT_IN.items()}

NOT_ADMINISTRATIVE = frozenset({BUILT_IN["Directory Readers"]})
"""Roles whose holders are ordinary users in the rules on protected targets."""
PROTECTED_TARGET_ADMINS = frozenset({BUILT_IN["Global Administrator"], BUILT_IN["Privileged Authentication Administrator"]})
"""Who may change the sensitive properties of an administrator."""
PASSWORD_ADMINS = PROTECTED_TARGET_ADMINS | {BUILT_IN["User Administrator"]}
"""Who may set the password of an ordinary user, application or person alike."""
LIMITED_PASSWORD_ADMINS = frozenset({BUILT_IN["Password Administrator"], BUILT_IN["Helpdesk Administrator"], BUILT_IN["Authentication Administrator"]})
"""Enough for a person; for an application it is unconfirmed (switch ``password_administrator_suffices``)."""
USER_ADMINS = frozenset({BUILT_IN["Global Administrator"], BUILT_IN["User Administrator"]})
"""Who may change users."""
LICENSE_ADMINS = frozenset({BUILT_IN["License Administrator"]})
"""Who may besides set a usage location."""
