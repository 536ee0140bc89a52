# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An operator's inventory of emulated tenants."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

Json = dict[str, Any]


def hosts(ready: Json) -> dict[str, Json]:
    """The facts of each tenant, from the emulator's ready line."""
    return {
        tenant["name"]: {
            "lead_management_tenant_id": tenant["tenant_id"],
            "lead_management_url": tenant["org_url"],
            "lead_management_user_principal_name": tenant["service_account"],
            "lead_management_auth": {"client_id": tenant["client_id"], "client_secret": tenant["client_secret"]},
        }
        for tenant in ready["tenants"]
    }


def common(ready: Json, package: Path, vault_password_file: Path) -> Json:
    """What holds for all tenants. Only an emulator needs the last two."""
    return {
        "lead_management_solution_path": str(package),
        "lead_management_vault_password_file": str(vault_password_file),
        "lead_management_endpoints": {name: ready[name] for name in ("authority", "graph", "power_platform", "partner_center")},
        "lead_management_ca_path": ready["ca"],
    }


def write(path: Path, ready: Json, package: Path, vault_password_file: Path, **more: object) -> None:
    """Write the inventory: JSON as it is, YAML as an operator would keep it, with the secrets vaulted."""
    inventory = {"all": {"vars": {**common(ready, package, vault_password_file), **more}, "hosts": hosts(ready)}}
    if path.suffix == ".json":
        path.write_text(json.dumps(inventory, indent=1), encoding="utf-8")
        return
    vault = VaultLib([("default", VaultSecret(vault_password_file.read_bytes().strip()))])
    for host in inventory["all"]["hosts"].values():
        auth = host["lead_management_auth"]
        auth["client_secret"] = _Vaulted(vault.encrypt(auth["client_secret"]).decode())
    path.write_text(yaml.dump(inventory, Dumper=_Dumper, sort_keys=False, width=160), encoding="utf-8")


def decrypt(text: str, password: str) -> str:
    """The content of a vaulted file."""
    return str(VaultLib([("default", VaultSecret(password.encode()))]).decrypt(text).decode())


class _Vaulted(str):
    """Ciphertext, to be written with the tag ``!vault``."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(_Vaulted, lambda dumper, text: dumper.represent_scalar("!vault", str(text), style="|"))
