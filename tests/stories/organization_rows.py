# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting states of users, teams and roles in an emulated organisation, and what they are in the end, read past the modules."""

from __future__ import annotations

from collections.abc import Mapping

from .fleet import Json
from .matrix import Bench

CHILD_UNIT = "Sales EMEA"
STRANGE = "O'Brien & Söhne / Rolle #1 100% [ü] + 東京"
"""A name with everything that addresses and filters can trip over."""
BASELINE = ("prvReadSharePointData", "prvWriteSharePointData", "prvCreateSharePointData", "prvReadSharePointDocument")
"""What every role holds."""


def unit(bench: Bench, name: str = "") -> str:
    """The id of a business unit; of the root without a name."""
    return str(bench.row("businessunits", name=name or bench.about["name"])["businessunitid"])


def upn(bench: Bench) -> str:
    """The name of the person who is in the organisation from the start."""
    return f"alex@{bench.about['domain']}"


def alex(bench: Bench) -> Json:
    """Their row in the organisation."""
    return bench.row("systemusers", azureactivedirectoryobjectid=alex_in_directory(bench)["id"])


def alex_in_directory(bench: Bench) -> Json:
    """Their account."""
    return bench.row("users", userPrincipalName=upn(bench))


def change_alex(bench: Bench, **columns: object) -> None:
    """Change columns of the row."""
    bench.store("systemusers", alex(bench)["systemuserid"], **columns)


def application(bench: Bench, **columns: object) -> Json:
    """An application as a user, made and then changed."""
    bind = {"businessunitid@odata.bind": f"/businessunits({unit(bench)})"}
    user_id = bench.post("systemusers", {"applicationid": bench.about["public_client_id"], **bind})
    if columns:
        bench.store("systemusers", user_id, **columns)
    return bench.row("systemusers", systemuserid=user_id)


def team(bench: Bench, name: str, in_unit: str = CHILD_UNIT, **columns: object) -> Json:
    """A new team."""
    bind = {"businessunitid@odata.bind": f"/businessunits({unit(bench, in_unit)})"}
    return bench.row("teams", teamid=bench.post("teams", {"name": name, **bind, **columns}))


def role(bench: Bench, name: str, in_unit: str = "", **columns: object) -> str:
    """A new role; answers its id."""
    bind = {"businessunitid@odata.bind": f"/businessunits({unit(bench, in_unit)})"}
    return bench.post("roles", {"name": name, **bind, **columns})


def copy_of(bench: Bench, name: str, unit_id: str) -> Json:
    """The role of this name in a business unit."""
    return bench.row("roles", name=name, _businessunitid_value=unit_id)


def give(bench: Bench, holder: Json, name: str, *, unit_id: str = "") -> None:
    """Let a user or team hold a role, past the services: the copy of its own business unit unless another is named."""
    kind, key = _association(holder)
    role_id = copy_of(bench, name, unit_id or holder["_businessunitid_value"])["roleid"]
    bench.put(kind, f"{holder[key]}:{role_id}", {key: holder[key], "roleid": role_id})


def held_names(bench: Bench, holder: Json) -> list[str]:
    """The names of the roles that a user or team holds, each as often as it does, with a mark on copies of another business unit."""
    kind, key = _association(holder)
    roles = {row["roleid"]: row for row in bench.rows("roles")}
    mine = [roles[link["roleid"]] for link in bench.rows(kind) if link[key] == holder[key]]
    return sorted(row["name"] + ("" if row["_businessunitid_value"] == holder["_businessunitid_value"] else "*") for row in mine)


def set_privileges(bench: Bench, role_id: str, depths: Mapping[str, str]) -> None:
    """Let a root role hold exactly these besides what every role holds."""
    ids = {row["name"]: row["privilegeid"] for row in _privileges(bench)}
    listed = [{"PrivilegeId": ids[name], "Depth": depth} for name, depth in depths.items()]
    bench.post(f"roles({role_id})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole", {"Privileges": listed})


def held_privileges(bench: Bench, role_id: str) -> dict[str, str]:
    """Depth by name, without what every role holds; from the stored document, not from the service."""
    names = {row["privilegeid"]: row["name"] for row in _privileges(bench)}
    held: Mapping[str, str] = bench.row("roles", roleid=role_id)["_privileges"]
    return {names[key]: depth for key, depth in held.items() if names[key] not in BASELINE}


_CATALOGUE: list[Json] = []


def _privileges(bench: Bench) -> list[Json]:
    """The privileges that exist; they are the same in all tenants."""
    if not _CATALOGUE:
        url = bench.about["org_url"]
        answer = bench.emulator.call("GET", f"{url}/api/data/v9.2/privileges?$select=name,privilegeid", bench.emulator.token(bench.tenant, url))
        _CATALOGUE.extend(answer.json()["value"])
    return _CATALOGUE


def _association(holder: Json) -> tuple[str, str]:
    return ("systemuserroles", "systemuserid") if "systemuserid" in holder else ("teamroles", "teamid")
