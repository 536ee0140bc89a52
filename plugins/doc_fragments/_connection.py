# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of every module: how to sign in, and where.

This file is private to the collection.
"""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of ``_connection.CONNECTION_OPTIONS`` and ``ORGANIZATION_OPTIONS``."""

    DOCUMENTATION = r"""
requirements:
  - requests >= 2.32
  - msal >= 1.35
options:
  auth:
    description:
      - Who signs in, and to which tenant.
      - Set it once for all modules of the collection with C(module_defaults) and the action group
        C(group/leadops.dynamics365.api).
      - An application with a certificate or a federated credential is the safest choice. Secrets belong into Ansible Vault.
    type: dict
    suboptions:
      method:
        description:
          - How to sign in. With V(auto), the method follows from the options that have a value; several at once are an error.
          - V(managed_identity) must be asked for; it uses the identity of the Azure machine that the module runs on.
          - V(username_password) does not work for accounts that multi-factor authentication is demanded of.
        type: str
        default: auto
        choices: [auto, client_secret, certificate, workload_identity, managed_identity, username_password]
      tenant_id:
        description:
          - The customer's directory (tenant) id, or one of the tenant's verified domains.
          - Falls back to the environment variable E(AZURE_TENANT_ID).
        type: str
      client_id:
        description:
          - The application (client) id. With O(auth.method=managed_identity), the client id of a user-assigned identity.
          - With a user's password it may be left out; Microsoft's own command line client is used then.
          - Falls back to the environment variable E(AZURE_CLIENT_ID).
        type: str
      client_secret:
        description:
          - The value (not the id) of the application's client secret.
          - Falls back to the environment variable E(AZURE_CLIENT_SECRET).
        type: str
      certificate_path:
        description:
          - A PEM file that holds the application's private key and certificate, or a PFX file.
          - Falls back to the environment variable E(AZURE_CLIENT_CERTIFICATE_PATH).
        type: path
      certificate_password:
        description:
          - The password of the private key in O(auth.certificate_path), if it has one.
          - Falls back to the environment variable E(AZURE_CLIENT_CERTIFICATE_PASSWORD).
        type: str
      federated_token_file:
        description:
          - A file with a token of an issuer that the application trusts (workload identity federation). It is read at each sign-in.
          - Falls back to the environment variable E(AZURE_FEDERATED_TOKEN_FILE).
        type: path
      username:
        description:
          - The user principal name to sign in with.
          - Falls back to the environment variable E(AZURE_USERNAME).
        type: str
      password:
        description:
          - The password of O(auth.username).
          - Falls back to the environment variable E(AZURE_PASSWORD).
        type: str
  cloud:
    description:
      - Microsoft's cloud that the tenant lives in.
    type: str
    default: public
    choices: [public, gcc, gcc_high, dod, china]
  endpoints:
    description:
      - Other addresses for single services of the cloud, for a private gateway or an emulator. All must be C(https) URLs.
    type: dict
    suboptions:
      authority:
        description: Where to sign in, without the tenant.
        type: str
      graph:
        description: Microsoft Graph, without the version.
        type: str
      power_platform:
        description: The Power Platform admin API.
        type: str
      partner_center:
        description: The Partner Center API.
        type: str
  validate_certs:
    description:
      - Whether the services' TLS certificates must be valid. Switch it off for nothing but a test.
    type: bool
    default: true
  ca_path:
    description:
      - A PEM file with the CA certificates to trust in place of the system's.
    type: path
  timeout:
    description:
      - Seconds to wait for one answer.
    type: int
    default: 60
  retry_timeout:
    description:
      - Seconds that one request may take with all its repetitions, when a service throttles, is busy or cannot be reached.
      - A pause that a service asks for and that would go beyond this is not begun; the task fails and says so.
    type: int
    default: 300
notes:
  - The module runs inside Ansible's own worker process when it would run on the controller as the same user anyway, which costs
    a fraction of the CPU time of an ordinary module. Set the variable C(leadops_dynamics365_in_worker) to V(false) to switch that off.
"""

    ORGANIZATION = r"""
options:
  url:
    description:
      - The root of the organisation (environment), such as V(https://contoso.crm4.dynamics.com).
    type: str
    required: true
  api_version:
    description:
      - The version of the Dataverse Web API to speak.
      - Organisations before version 9 want their own, such as V(v8.2); M(leadops.dynamics365.crm_organization_info) returns the right one.
    type: str
    default: v9.2
"""
