# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tenants an emulator starts with: the default set, or a file."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

Spec = dict[str, Any]

KINDS = (
    "fresh",
    "done",
    "half_done",
    "org_8_2",
    "org_older",
    "no_seats",
    "other_business_unit",
    "role_not_customizable",
    "throttled",
    "wrong_tenant_id",
    "no_rights",
)
DEFAULT_TENANTS: list[Spec] = [
    {"name": "contoso", "kind": "fresh"},
    {"name": "fabrikam", "kind": "done"},
    {"name": "northwind", "kind": "half_done"},
    {"name": "tailspin", "kind": "org_8_2"},
    {"name": "litware", "kind": "org_older"},
    {"name": "woodgrove", "kind": "no_seats"},
    {"name": "adventureworks", "kind": "other_business_unit"},
    {"name": "wingtip", "kind": "role_not_customizable"},
    {"name": "proseware", "kind": "throttled"},
    {"name": "lucerne", "kind": "wrong_tenant_id"},
    {"name": "margies", "kind": "no_rights"},
]
MERGED = ("features", "timing", "behaviour")
OVERRIDES = (
    *MERGED,
    *("display_name", "country", "verified_domains", "region", "org_name", "org_version"),
    *("faults", "seats", "app_roles", "service_account", "security_group_id"),
)
_NAME = re.compile(r"[a-z][a-z0-9-]{0,49}")


class BadTenantsFileError(ValueError):
    """A tenants file that cannot be used."""


def load(path: Path) -> list[Spec]:
    """Read a YAML or JSON file with the members ``tenants`` and ``fleet``."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadTenantsFileError(f"The tenants file {path} cannot be read: {error}") from error
    document = _parsed(path, text)
    if not isinstance(document, dict) or not set(document) <= {"tenants", "fleet"} or not document:
        raise BadTenantsFileError(f"The tenants file {path} must be a mapping with 'tenants', 'fleet' or both.")
    listed = document.get("tenants") or []
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise BadTenantsFileError(f"'tenants' in {path} must be a list of mappings.")
    specs = [*listed, *_fleet(document.get("fleet"))]
    for spec in specs:
        _check(spec)
    for member in ("name", "org_name"):
        values = [spec.get(member, spec["name"]) for spec in specs]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise BadTenantsFileError(f"The tenants file {path} uses the {member} {', '.join(twice)} more than once.")
    if not specs:
        raise BadTenantsFileError(f"The tenants file {path} names no tenant.")
    return specs


def _parsed(path: Path, text: str) -> object:
    if path.suffix == ".json":
        try:
            return json.loads(text)
        except ValueError as error:
            raise BadTenantsFileError(f"The tenants file {path} is not valid JSON: {error}") from error
    try:
        # PyYAML is no requirement: JSON works without it.
        yaml = importlib.import_module("yaml")
    except ImportError as error:
        raise BadTenantsFileError(f"Reading {path} as YAML needs PyYAML. Install it, or name the file .json and write JSON.") from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadTenantsFileError(f"The tenants file {path} is not valid YAML: {error}") from error


def _fleet(fleet: object) -> list[Spec]:
    if fleet is None:
        return []
    if not isinstance(fleet, dict) or not isinstance(fleet.get("count"), int):
        raise BadTenantsFileError("'fleet' must be a mapping with a whole number 'count'.")
    common = {name: value for name, value in fleet.items() if name not in ("count", "prefix")}
    width = max(2, len(str(fleet["count"])))
    return [{**common, "name": f"{fleet.get('prefix', 'tenant')}{number:0{width}}"} for number in range(1, fleet["count"] + 1)]


def _check(spec: Spec) -> None:
    name = spec.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadTenantsFileError(f"A tenant needs a name of lower-case letters, digits and hyphens, not {name!r}.")
    if spec.get("kind", "fresh") not in KINDS:
        raise BadTenantsFileError(f"Tenant {name} has the unknown kind {spec['kind']!r}. Kinds are {', '.join(KINDS)}.")
    unknown = set(spec) - {"name", "kind", *OVERRIDES}
    if unknown:
        raise BadTenantsFileError(f"Tenant {name} has unknown members: {', '.join(sorted(unknown))}. Known are {', '.join(OVERRIDES)}.")
    for member in MERGED:
        if not isinstance(spec.get(member, {}), dict):
            raise BadTenantsFileError(f"'{member}' of tenant {name} must be a mapping.")
