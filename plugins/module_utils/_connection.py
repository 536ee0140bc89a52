# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a task's connection options to clients of the services.

This file is private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from functools import cached_property

from ansible.module_utils.common.parameters import env_fallback

from ._api import Api
from ._clouds import CLOUDS
from ._credentials import ClientCertificate, ClientSecret, Credentials, ManagedIdentity, UserPassword, WorkloadIdentity
from ._dataverse import Dataverse, organization_url
from ._errors import InvalidOption
from ._graph import Graph
from ._http import Clock, Http, open_session, tls_context
from ._identity import Identity, TokenStore
from ._odata import is_guid
from ._plan import Sender
from ._power_platform import PowerPlatform

AnyApi = t.TypeVar("AnyApi", bound=Api)

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


def _from_environment(name: str, **more: t.Any) -> dict[str, t.Any]:
    return {"type": "str", "fallback": (env_fallback, [name]), **more}


CONNECTION_OPTIONS: dict[str, t.Any] = {
    "auth": {
        "type": "dict",
        "apply_defaults": True,
        "options": {
            "method": {
                "type": "str",
                "default": "auto",
                "choices": ["auto", "client_secret", "certificate", "workload_identity", "managed_identity", "username_password"],
            },
            "tenant_id": _from_environment("AZURE_TENANT_ID"),
            "client_id": _from_environment("AZURE_CLIENT_ID"),
            "client_secret": _from_environment("AZURE_CLIENT_SECRET", no_log=True),
            "certificate_path": _from_environment("AZURE_CLIENT_CERTIFICATE_PATH", type="path"),
            "certificate_password": _from_environment("AZURE_CLIENT_CERTIFICATE_PASSWORD", no_log=True),
            "federated_token_file": _from_environment("AZURE_FEDERATED_TOKEN_FILE", type="path", no_log=False),
            "username": _from_environment("AZURE_USERNAME"),
            "password": _from_environment("AZURE_PASSWORD", no_log=True),
        },
    },
    "cloud": {"type": "str", "default": "public", "choices": list(CLOUDS)},
    "endpoints": {
        "type": "dict",
        "options": {name: {"type": "str"} for name in ("authority", "graph", "power_platform", "partner_center")},
    },
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "timeout": {"type": "int", "default": 60},
    "retry_timeout": {"type": "int", "default": 300},
}
"""How to reach and sign in to the services: part of every module's options (doc fragment ``connection``)."""

ORGANIZATION_OPTIONS: dict[str, t.Any] = {
    "url": {"type": "str", "required": True},
    "api_version": {"type": "str", "default": "v9.2"},
}
"""Which organisation: part of the options of the ``crm_`` modules (doc fragment ``organization``)."""


class Connection:
    """The services of one task's tenant, each client built when it is first needed."""

    def __init__(
        self,
        params: Mapping[str, t.Any],
        *,
        store: TokenStore,
        clock: Clock,
        on_secret: Callable[[str], None] = lambda _value: None,
        read_only: bool = False,
    ) -> None:
        """``params`` are validated options; ``read_only`` forbids every request that is not a GET."""
        self._params = params
        self._store = store
        self._clock = clock
        self._on_secret = on_secret
        self._read_only = read_only
        self._cloud = CLOUDS[params["cloud"]].with_endpoints(params["endpoints"] or {})
        for name, url in (params["endpoints"] or {}).items():
            if url and not url.startswith("https://"):
                raise InvalidOption(f"endpoints.{name}", f"'{url}' is not an https URL.")
        self.url = organization_url(params["url"]) if params.get("url") else ""
        self._credentials = credentials(params["auth"])
        self.tenant_id = tenant_id(params["auth"])

    @cached_property
    def dataverse(self) -> Dataverse:
        """The organisation."""
        return self._guarded(Dataverse(self.url, self._identity, self._http, self._params["api_version"]))

    @cached_property
    def graph(self) -> Graph:
        """The directory."""
        return self._guarded(Graph(self._cloud, self._identity, self._http))

    @cached_property
    def power_platform(self) -> PowerPlatform:
        """The admin API."""
        return self._guarded(PowerPlatform(self._cloud, self._identity, self._http))

    def senders(self) -> Mapping[str, Sender]:
        """The services by the names that writes use."""
        return _Senders(self)

    @cached_property
    def _session(self) -> t.Any:
        path = self._params["ca_path"]
        try:
            return open_session(tls_context(path, validate=self._params["validate_certs"]))
        except OSError as error:  # ssl.SSLError is one too
            raise InvalidOption("ca_path", f"{path} holds no readable CA certificate ({error.strerror or error}).", "Give a PEM file.") from error

    @cached_property
    def _http(self) -> Http:
        return Http(self._session, clock=self._clock, timeout=self._params["timeout"], retry_timeout=self._params["retry_timeout"])

    @cached_property
    def _identity(self) -> Identity:
        return Identity(
            self._credentials,
            authority=self._cloud.authority,
            tenant_id=self.tenant_id,
            session=self._session,
            store=self._store,
            clock=self._clock,
            on_token=self._on_secret,
        )

    def _guarded(self, api: AnyApi) -> AnyApi:
        api.read_only = self._read_only
        return api


class _Senders(Mapping[str, Sender]):
    """The services by name, so that a client is only built if a write needs it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __getitem__(self, name: str) -> Sender:
        return t.cast("Sender", getattr(self._connection, name))

    def __iter__(self) -> t.Iterator[str]:
        return iter(("dataverse", "graph", "power_platform"))

    def __len__(self) -> int:
        return 3


def tenant_id(auth: Mapping[str, t.Any]) -> str:
    """The tenant to sign in to: a GUID or a domain."""
    text = str(auth["tenant_id"] or "").strip()
    if not text:
        raise InvalidOption("auth.tenant_id", "is missing.", "Give the directory (tenant) id, or a verified domain of the tenant.")
    if not is_guid(text) and ("." not in text or "/" in text or " " in text):
        raise InvalidOption("auth.tenant_id", f"'{text}' is neither a GUID nor a domain.", "Copy the directory (tenant) id from Entra's overview page.")
    return text


def credentials(auth: Mapping[str, t.Any]) -> Credentials:
    """The credentials that the options describe; raises InvalidOption when they are incomplete or ambiguous."""
    method = auth["method"]
    if method == "auto":
        method = _only_method(auth)
    client_id = auth["client_id"]
    if not client_id and method not in ("managed_identity", "username_password"):
        raise InvalidOption("auth.client_id", f"is missing; the method {method} needs it.", "Give the application (client) id.")

    def needed(name: str) -> str:
        if not auth[name]:
            raise InvalidOption(f"auth.{name}", f"is missing; the method {method} needs it.")
        return str(auth[name])

    if method == "client_secret":
        return ClientSecret(client_id, needed("client_secret"))
    if method == "certificate":
        return ClientCertificate(client_id, needed("certificate_path"), auth["certificate_password"])
    if method == "workload_identity":
        return WorkloadIdentity(client_id, needed("federated_token_file"))
    if method == "managed_identity":
        return ManagedIdentity(client_id)
    # Microsoft's own command line client is a public client that every tenant knows
    return UserPassword(client_id or AZURE_CLI, needed("username"), needed("password"), auth["client_secret"] if auth["client_id"] else None)


def _only_method(auth: Mapping[str, t.Any]) -> str:
    given = {
        "certificate": auth["certificate_path"],
        "workload_identity": auth["federated_token_file"],
        "username_password": auth["password"],
        # With a user's password, the secret belongs to the application that the user signs in through
        "client_secret": auth["client_secret"] and not auth["password"],
    }
    methods = [name for name, value in given.items() if value]
    if len(methods) == 1:
        return methods[0]
    if methods:
        raise InvalidOption("auth", f"describes several ways to sign in ({', '.join(methods)}), some from AZURE_ variables.", "Choose with auth.method.")
    raise InvalidOption(
        "auth",
        "says no way to sign in.",
        "Give client_id with client_secret, certificate_path or federated_token_file; or username and password; or set method to managed_identity.",
    )
