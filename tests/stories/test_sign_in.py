# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way to sign in, through the modules' own options, with real msal; and what a refusal says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulator.launcher import RunningEmulator

from .fleet import Json
from .matrix import Bench


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with RunningEmulator() as emulator:
        yield Bench(emulator, "contoso")


def ways(bench: Bench, directory: Path) -> dict[str, Json]:
    """The ``auth`` option for each way."""
    about, certificate = bench.about, bench.emulator.client_certificate
    token_file = directory / "federated-token"
    token_file.write_text(bench.emulator.control("POST", "tenants/contoso/federated_token")["token"])
    application = {"tenant_id": about["tenant_id"], "client_id": about["client_id"]}
    return {
        "secret": {**application, "client_secret": about["client_secret"]},
        "secret by domain": {**application, "tenant_id": about["domain"], "client_secret": about["client_secret"]},
        "certificate in PEM": {**application, "certificate_path": certificate["pem"]},
        "certificate in PFX": {**application, "certificate_path": certificate["pfx"], "certificate_password": certificate["pfx_passphrase"]},
        "federated token": {**application, "federated_token_file": str(token_file)},
        "managed identity": {"tenant_id": about["tenant_id"], "method": "managed_identity"},
        "password": {
            "tenant_id": about["tenant_id"],
            "client_id": about["public_client_id"],
            "username": about["admin_username"],
            "password": about["admin_password"],
        },
    }


@pytest.mark.parametrize("way", ["secret", "secret by domain", "certificate in PEM", "certificate in PFX", "federated token", "managed identity", "password"])
def test_each_way_signs_in_for_all_services(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str):
    monkeypatch.setenv("IDENTITY_ENDPOINT", bench.emulator.managed_identity)
    monkeypatch.setenv("IDENTITY_HEADER", bench.about["identity_header"])
    auth = ways(bench, tmp_path)[way]
    organization = bench.run("crm_organization_info", auth=auth)
    assert not organization["failed"], organization["msg"]
    licenses = bench.run("o365_license_info", auth=auth)
    assert not licenses["failed"], licenses["msg"]


@pytest.mark.parametrize(
    ("change", "code", "advice"),
    [
        ({"client_secret": "made-up"}, "AADSTS7000215", "value, not its id"),
        ({"client_id": "66666666-7777-8888-9999-000000000000"}, "AADSTS700016", "consent"),
        ({"tenant_id": "66666666-7777-8888-9999-000000000000"}, "AADSTS90002", "tenant_id"),
    ],
)
def test_a_refusal_says_what_to_correct(bench: Bench, change: Json, code: str, advice: str):
    auth = {**{name: bench.about[name] for name in ("tenant_id", "client_id", "client_secret")}, **change}
    ended = bench.run("crm_organization_info", auth=auth)
    assert ended["failed"]
    assert ended["error"]["code"] == code
    assert ended["error"]["request_id"]
    assert advice in ended["error"]["next_step"]


def test_a_password_where_mfa_is_demanded(bench: Bench, tmp_path: Path):
    admin = bench.row("users", userPrincipalName=bench.about["admin_username"])
    bench.store("users", admin["id"], _mfa=True)
    newcomer = Bench(bench.emulator, "contoso")  # without the token of an earlier sign-in
    ended = newcomer.run("crm_organization_info", auth=ways(bench, tmp_path)["password"])
    assert ended["failed"]
    assert ended["error"]["code"] == "AADSTS50076"
    assert "application" in ended["error"]["next_step"]
