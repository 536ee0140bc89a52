# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's argument specs say what its defaults and the modules say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.leadops.dynamics365.plugins.module_utils._connection import CONNECTION_OPTIONS
from ansible_collections.leadops.dynamics365.plugins.modules import crm_role_privilege, o365_user

ROLE = Path(__file__).parents[3] / "roles/lead_management"
PREFIX = "lead_management_"
SPECS: dict[str, Any] = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
DEFAULTS: dict[str, Any] = yaml.safe_load((ROLE / "defaults/main.yml").read_text(encoding="utf-8"))

SAME_AS_MODULE = {
    **{f"{PREFIX}{name}": option for name, option in CONNECTION_OPTIONS.items() if name not in ("auth", "endpoints")},
    f"{PREFIX}endpoints": {"type": "dict"},
    f"{PREFIX}admin_roles": o365_user.SPEC.options["admin_roles"],
    f"{PREFIX}deleted_user": o365_user.SPEC.options["deleted_user"],
    f"{PREFIX}locked_role": crm_role_privilege.SPEC.options["locked_role"],
    f"{PREFIX}update_password": o365_user.SPEC.options["update_password"],
}


def leaves(options: dict[str, Any], path: str = "") -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, option in options.items():
        found.append((f"{path}{name}", option))
        found += leaves(option.get("options", {}), f"{path}{name}.")
    return found


@pytest.mark.parametrize("option", [pytest.param(option, id=path) for path, option in leaves(SPECS)])
def test_everything_is_documented_and_typed(option: dict[str, Any]):
    assert option["description"]
    assert option["type"]
    if option["type"] == "list":
        assert option["elements"]


def test_every_default_is_specified_and_the_same():
    optional = {name for name, option in SPECS.items() if not option.get("required")}
    assert set(DEFAULTS) == optional
    documented = {name: SPECS[name].get("default") for name in DEFAULTS}
    # This one is made of another variable
    assert {**DEFAULTS, f"{PREFIX}user_principal_name": None} == documented


@pytest.mark.parametrize("name", SAME_AS_MODULE)
def test_values_are_those_of_the_modules(name: str):
    ours, theirs = SPECS[name], SAME_AS_MODULE[name]
    assert ours["type"] == theirs["type"]
    assert ours.get("choices") == theirs.get("choices")
    if "default" in theirs:
        assert ours["default"] == theirs["default"]


def plain(options: dict[str, Any]) -> dict[str, Any]:
    """What must agree of some options."""
    return {name: (option["type"], option.get("elements"), option.get("choices"), bool(option.get("no_log"))) for name, option in options.items()}


def test_ways_to_sign_in_are_those_of_the_modules():
    theirs = plain(CONNECTION_OPTIONS["auth"]["options"])
    theirs.pop("tenant_id")
    assert plain(SPECS[f"{PREFIX}auth"]["options"]) == theirs


def test_endpoints_are_those_of_the_modules():
    assert plain(SPECS[f"{PREFIX}endpoints"]["options"]) == plain(CONNECTION_OPTIONS["endpoints"]["options"])


def test_privileges_are_those_of_the_module():
    ours = SPECS[f"{PREFIX}privileges"]["options"]["privileges"]["options"]
    assert plain(ours) == plain(crm_role_privilege.SPEC.options["privileges"]["options"])


def test_secrets_are_marked():
    secret = {path for path, option in leaves(SPECS) if option.get("no_log")}
    assert secret == {
        f"{PREFIX}auth.client_secret",
        f"{PREFIX}auth.certificate_password",
        f"{PREFIX}auth.password",
        f"{PREFIX}password",
        f"{PREFIX}vault_password",
    }
