# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign-in options, tokens and their stores."""

from __future__ import annotations

import base64
import json
import multiprocessing
import time
from pathlib import Path

import pytest

from ansible_collections.leadops.dynamics365.plugins.module_utils._connection import Connection, credentials, tenant_id
from ansible_collections.leadops.dynamics365.plugins.module_utils._credentials import (
    ClientCertificate,
    ClientSecret,
    ManagedIdentity,
    UserPassword,
    WorkloadIdentity,
)
from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import InvalidOption
from ansible_collections.leadops.dynamics365.plugins.module_utils._http import Clock
from ansible_collections.leadops.dynamics365.plugins.module_utils._identity import MemoryTokenStore, Token
from ansible_collections.leadops.dynamics365.plugins.plugin_utils._token_store import SharedTokenStore

NOTHING = dict.fromkeys(("tenant_id", "client_id", "client_secret", "certificate_path", "certificate_password", "federated_token_file", "username", "password"))


def auth(**given: str) -> dict[str, str | None]:
    return {**NOTHING, "method": "auto", **given}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"client_id": "c", "client_secret": "s"}, ClientSecret("c", "s")),
        ({"client_id": "c", "certificate_path": "/k.pem"}, ClientCertificate("c", "/k.pem", None)),
        ({"client_id": "c", "federated_token_file": "/t"}, WorkloadIdentity("c", "/t")),
        ({"client_id": "c", "username": "u", "password": "p"}, UserPassword("c", "u", "p", None)),
        ({"client_id": "c", "client_secret": "s", "username": "u", "password": "p"}, UserPassword("c", "u", "p", "s")),
        ({"method": "managed_identity"}, ManagedIdentity(None)),
        ({"method": "client_secret", "client_id": "c", "client_secret": "s", "certificate_path": "/k.pem"}, ClientSecret("c", "s")),
    ],
)
def test_the_method_follows_from_what_is_given(given: dict[str, str], wanted: object):
    assert credentials(auth(**given)) == wanted


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({}, "auth"),
        ({"client_secret": "s"}, "auth.client_id"),
        ({"client_id": "c", "client_secret": "s", "certificate_path": "/k.pem"}, "auth"),
        ({"method": "certificate", "client_id": "c"}, "auth.certificate_path"),
        ({"method": "username_password", "password": "p"}, "auth.username"),
    ],
)
def test_incomplete_or_ambiguous_sign_in_names_the_option(given: dict[str, str], option: str):
    with pytest.raises(InvalidOption) as caught:
        credentials(auth(**given))
    assert caught.value.why.startswith(f"{option}: ")


@pytest.mark.parametrize("text", ["", "contoso", "https://contoso.onmicrosoft.com", "con toso.com"])
def test_a_tenant_is_a_guid_or_a_domain(text: str):
    with pytest.raises(InvalidOption):
        tenant_id(auth(tenant_id=text))
    assert tenant_id(auth(tenant_id="contoso.onmicrosoft.com")) == "contoso.onmicrosoft.com"


def test_a_ca_that_cannot_be_read_names_the_option(tmp_path: Path):
    (tmp_path / "empty.pem").write_text("")
    params = {"cloud": "public", "endpoints": None, "auth": auth(tenant_id="contoso.com", client_id="c", client_secret="s"), "validate_certs": True}
    for path in ("/no/such/file.pem", str(tmp_path / "empty.pem")):
        connection = Connection({**params, "ca_path": path, "timeout": 1, "retry_timeout": 1}, store=MemoryTokenStore(), clock=Clock())
        with pytest.raises(InvalidOption, match=r"ca_path") as caught:
            connection.graph.get("me", doing="read")
        assert path in caught.value.why


def test_secrets_are_not_in_any_representation():
    for kept in (ClientSecret("c", "hush"), UserPassword("c", "u", "hush", "hush"), ClientCertificate("c", "/k", "hush"), Token("hush", 1)):
        assert "hush" not in repr(kept)


def test_claims_are_read_when_the_token_can_be_read():
    payload = base64.urlsafe_b64encode(json.dumps({"roles": ["User.Read.All"]}).encode()).decode().rstrip("=")
    assert Token(f"x.{payload}.y", 1).claims() == {"roles": ["User.Read.All"]}
    assert Token("opaque", 1).claims() == {}


def _sign_in(store: SharedTokenStore, key: str, sign_ins: multiprocessing.sharedctypes.Synchronized) -> None:
    with store.locked(key):
        if store.get(key) is None:
            with sign_ins.get_lock():
                sign_ins.value += 1
            time.sleep(0.05)  # a sign-in that takes its time, so that the others really meet the lock
            store.put(key, Token("made-up", 4_000_000_000))


def test_forked_workers_share_one_sign_in():
    fork = multiprocessing.get_context("fork")
    store = SharedTokenStore()
    sign_ins = fork.Value("i", 0)
    workers = [fork.Process(target=_sign_in, args=(store, "0a" * 32, sign_ins)) for _worker in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sign_ins.value == 1
    assert store.get("0a" * 32) == Token("made-up", 4_000_000_000)


def test_two_keys_in_one_slot_do_not_get_each_others_token():
    store = SharedTokenStore()
    store.put("0000000a" + "0" * 56, Token("first", 1))
    assert store.get("0000000a" + "1" * 56) is None
