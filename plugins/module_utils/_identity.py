# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The access tokens that credentials buy.

Tokens come from msal. A token is kept in a store, so that one tenant, credential and audience cost one
sign-in per run; msal itself is only built when the store has nothing, because its constructor already
makes a request.

This file is private to the collection.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import time
import traceback
import typing as t
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ._credentials import Credentials, ManagedIdentity, UserPassword, client_credential
from ._error_catalogue import explain
from ._errors import NotReachable, SignInRefused
from ._http import Clock, pause

try:
    import msal
    import requests

    MSAL_ERROR: str | None = None
except ImportError:  # _task tells the user; until then the names only have to exist
    MSAL_ERROR = traceback.format_exc()

_MARGIN = 300
"""A token is replaced this many seconds before it ends."""
_TRANSIENT = frozenset({"AADSTS90033", "AADSTS90024", "AADSTS90055", "AADSTS90090", "AADSTS50033", "AADSTS50087", "AADSTS90006"})


@dataclass(frozen=True)
class Token:
    """A bearer token; ``expires`` in seconds since the epoch."""

    value: str = field(repr=False)
    expires: float

    def claims(self) -> dict[str, t.Any]:
        """What the token says, or nothing if it cannot be read. Only ever used for advice."""
        try:
            part = self.value.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        except (IndexError, ValueError):
            return {}
        return claims if isinstance(claims, dict) else {}


class TokenStore(t.Protocol):
    """Where tokens are kept during a run."""

    def locked(self, key: str) -> contextlib.AbstractContextManager[None]:
        """Hold the key alone, so that only one worker signs in."""

    def get(self, key: str) -> Token | None:
        """The token, if one is kept."""

    def put(self, key: str, token: Token) -> None:
        """Keep a token."""


class MemoryTokenStore:
    """A store for one process: the ordinary module path, and tests."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}

    @contextlib.contextmanager
    def locked(self, _key: str) -> Iterator[None]:
        """Nothing to wait for in one process."""
        yield

    def get(self, key: str) -> Token | None:
        """The token, if one is kept."""
        return self._tokens.get(key)

    def put(self, key: str, token: Token) -> None:
        """Keep a token."""
        self._tokens[key] = token


class _MsalHttp:
    """The HTTP client that msal uses: ours, with time-outs, and with msal's lost port put back.

    msal 1.39 builds the user-realm URL of password sign-in without the authority's port.
    """

    def __init__(self, session: requests.Session, authority: str) -> None:
        self._session = session
        parts = urlsplit(authority)
        self._without_port = f"{parts.scheme}://{parts.hostname}/"
        self._with_port = f"{parts.scheme}://{parts.netloc}/"

    def get(self, url: str, params: t.Any = None, headers: t.Any = None, **kwargs: t.Any) -> requests.Response:
        if self._with_port != self._without_port and url.startswith(self._without_port):
            url = self._with_port + url[len(self._without_port) :]
        return self._session.get(url, params=params, headers=headers, timeout=(10, 60), **kwargs)

    def post(self, url: str, params: t.Any = None, data: t.Any = None, headers: t.Any = None, **kwargs: t.Any) -> requests.Response:
        return self._session.post(url, params=params, data=data, headers=headers, timeout=(10, 60), **kwargs)

    def close(self) -> None:
        """The session belongs to the caller."""


class Identity:
    """One set of credentials in one tenant: gives tokens for any audience."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        authority: str,
        tenant_id: str,
        session: requests.Session,
        store: TokenStore,
        clock: Clock | None = None,
        on_token: Callable[[str], None] = lambda _value: None,
    ) -> None:
        """``authority`` is the cloud's login host; ``on_token`` hears each token, so that it can be masked."""
        self._credentials = credentials
        self._authority = f"{authority}/{tenant_id}"
        self._session = session
        self._store = store
        self._clock = clock or Clock()
        self._on_token = on_token
        self.tenant_id = tenant_id

    def token(self, audience: str, *, refused: str | None = None) -> Token:
        """A token for ``audience`` (a URL without trailing slash). ``refused`` is the token that a service has just turned down."""
        key = self._key(audience)
        with self._store.locked(key):
            token = self._store.get(key)
            if token is None or token.value == refused or token.expires - _MARGIN < self._clock.now():
                token = self._sign_in(audience)
                self._store.put(key, token)
        self._on_token(token.value)
        return token

    def _key(self, audience: str) -> str:
        """Names tenant, credential and audience without giving the credential away."""
        return hashlib.sha256(repr((self._authority, audience, vars(self._credentials))).encode()).hexdigest()

    def _sign_in(self, audience: str) -> Token:
        for attempt in range(5):
            result = self._ask(audience)
            if "access_token" in result:
                return Token(result["access_token"], time.time() + float(result.get("expires_in", 600)))
            code = _aadsts(result)
            if code not in _TRANSIENT and result.get("error") != "temporarily_unavailable":
                break
            self._clock.sleep(pause(attempt, None, 1.0))
        raise _refusal(result, audience)

    def _ask(self, audience: str) -> dict[str, t.Any]:
        """One attempt, with a fresh msal object: an old one would replay its last refusal for a minute."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # msal discourages passwords; so does our documentation
                return self._ask_msal(audience)
        except requests.RequestException as error:
            raise NotReachable(
                doing="sign in",
                why=f"the sign-in service at {self._authority} could not be reached ({type(error).__name__}).",
                next_step="Check the network, the proxy settings and, with a private CA, ca_path.",
                service="entra",
            ) from error
        except (msal.exceptions.MsalServiceError, json.JSONDecodeError) as error:
            return {"error": "temporarily_unavailable", "error_description": str(error)}
        except ValueError as error:
            # msal's constructor asks for the tenant's configuration, and tells a refusal only in the chain of errors
            text = f"{error} {error.__context__ or ''}"
            found = re.search(r"AADSTS\d+[^\"\\]*", text)
            return {"error": "invalid_tenant", "error_description": found.group(0) if found else str(error)}

    def _ask_msal(self, audience: str) -> dict[str, t.Any]:
        credentials = self._credentials
        client = _MsalHttp(self._session, self._authority)
        if isinstance(credentials, ManagedIdentity):
            chosen = msal.UserAssignedManagedIdentity(client_id=credentials.client_id) if credentials.client_id else msal.SystemAssignedManagedIdentity()
            return t.cast("dict[str, t.Any]", msal.ManagedIdentityClient(chosen, http_client=client).acquire_token_for_client(resource=audience))
        common = {"authority": self._authority, "http_client": client, "instance_discovery": False, "azure_region": False}
        if isinstance(credentials, UserPassword):
            if credentials.client_secret:
                application = msal.ConfidentialClientApplication(credentials.client_id, client_credential=credentials.client_secret, **common)
            else:
                common.pop("azure_region")
                application = msal.PublicClientApplication(credentials.client_id, **common)
            return t.cast(
                "dict[str, t.Any]",
                application.acquire_token_by_username_password(credentials.username, credentials.password, [f"{audience}/.default"]),
            )
        application = msal.ConfidentialClientApplication(credentials.client_id, client_credential=client_credential(credentials), **common)
        return t.cast("dict[str, t.Any]", application.acquire_token_for_client([f"{audience}/.default"]))


def _aadsts(result: dict[str, t.Any]) -> str:
    found = re.search(r"AADSTS\d+", str(result.get("error_description", "")))
    return found.group(0) if found else str(result.get("error", ""))


def _trace_id(result: dict[str, t.Any]) -> str:
    """The id in the text: the only place where a refused tenant has one."""
    found = re.search(r"Trace ID: ([0-9a-f-]{36})", str(result.get("error_description", "")))
    return found.group(1) if found else ""


def _refusal(result: dict[str, t.Any], audience: str) -> SignInRefused:
    code = _aadsts(result)
    text = re.split(r"\s*(?:Trace ID|\r\n)", str(result.get("error_description", "")))[0]
    # The claims name the Conditional Access policy
    known = explain("entra", code, f"{text} {result.get('claims') or ''}")
    return SignInRefused(
        doing=f"sign in for {audience}",
        why=known.meaning if known else f"Entra ID refused the sign-in. {text}",
        next_step=known.next_step if known else "Look the code up in Microsoft's list of AADSTS error codes.",
        service="entra",
        code=code,
        request_id=str(result.get("trace_id") or _trace_id(result) or result.get("correlation_id") or ""),
        catalogue=known.name if known else "",
    )
