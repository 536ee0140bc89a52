# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user is licensed for, by every path, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..store import Document
from ..world import Tenant
from .call import Call
from .directory import direct_groups

_SERVICES = (("EXCHANGE", "exchange"), ("POWERAPPS", "PowerAppsService"), ("FLOW", "ProcessSimple"), ("CRM", "CRM"), ("DYN365", "CRM"), ("D365", "CRM"))
NO_ERROR = "None"


@dataclass(frozen=True)
class Path:
    """One way by which a user holds a SKU."""

    sku_id: str
    disabled_plans: tuple[str, ...]
    group_id: str | None = None
    state: str = "Active"
    error: str = NO_ERROR
    updated: str | None = None

    def document(self) -> Document:
        """As ``licenseAssignmentStates`` shows it."""
        return {
            "skuId": self.sku_id,
            "disabledPlans": list(self.disabled_plans),
            "assignedByGroup": self.group_id,
            "state": self.state,
            "error": self.error,
            "lastUpdatedDateTime": self.updated,
        }


def paths(tenant: Tenant, user: Document) -> list[Path]:
    """Every path, direct ones first. A group's licence counts for its direct members, even where nothing was noted on the user."""
    noted = [_path(state) for state in user.get("licenseAssignmentStates") or ()]
    found = [path for path in noted if path.group_id is None]
    for group in direct_groups(tenant, user["id"]):
        for entry in group.get("_licenses", ()):
            known = next((path for path in noted if path.group_id == group["id"] and path.sku_id == entry["skuId"]), None)
            state = (known.state, known.error, known.updated) if known else ("Active", NO_ERROR, user.get("createdDateTime"))
            found.append(Path(entry["skuId"], tuple(entry.get("disabledPlans", ())), group["id"], *state))
    covered = {path.sku_id for path in found}
    direct = (entry for entry in user.get("assignedLicenses") or () if entry["skuId"] not in covered)
    found.extend(Path(entry["skuId"], tuple(entry.get("disabledPlans", ())), updated=user.get("createdDateTime")) for entry in direct)
    return found


def _path(state: Document) -> Path:
    return Path(
        state["skuId"],
        tuple(state.get("disabledPlans") or ()),
        state.get("assignedByGroup"),
        state.get("state", "Active"),
        state.get("error", NO_ERROR),
        state.get("lastUpdatedDateTime"),
    )


def effective(found: Iterable[Path]) -> dict[str, tuple[str, ...]]:
    """SKU id to the plans that are off by every path."""
    result: dict[str, tuple[str, ...]] = {}
    for path in found:
        if path.state != "Active":
            continue
        before = result.get(path.sku_id)
        result[path.sku_id] = path.disabled_plans if before is None else tuple(plan for plan in before if plan in path.disabled_plans)
    return result


def _enabled(tenant: Tenant, held: dict[str, tuple[str, ...]]) -> dict[str, Document]:
    skus = tenant.collection("subscribedSkus")
    return {
        plan["servicePlanId"]: plan
        for sku_id, disabled in held.items()
        for plan in skus.get(sku_id, {}).get("servicePlans", ())
        if plan["servicePlanId"] not in disabled and plan.get("appliesTo", "User") == "User"
    }


def enabled_after(tenant: Tenant, found: Iterable[Path]) -> dict[str, Document]:
    """The service plans that these paths switch on."""
    return _enabled(tenant, effective(found))


def properties(call: Call, user: Document) -> Document:
    """The licence properties of a user."""
    found = paths(call.tenant, user)
    held = effective(found)
    plans = _enabled(call.tenant, held)
    since = found[0].updated if found else None
    return {
        "assignedLicenses": [{"disabledPlans": list(disabled), "skuId": sku_id} for sku_id, disabled in held.items()],
        "licenseAssignmentStates": [path.document() for path in found],
        "assignedPlans": [
            {"assignedDateTime": since, "capabilityStatus": "Enabled", "service": service_of(plan), "servicePlanId": plan_id} for plan_id, plan in plans.items()
        ],
        "provisionedPlans": [
            {"capabilityStatus": "Enabled", "provisioningStatus": provisioning_status(call, user), "service": service_of(plan)} for plan in plans.values()
        ],
    }


def service_of(plan: Document) -> str:
    """The service that a plan belongs to, guessed from its name."""
    name = str(plan["servicePlanName"]).upper()
    return next((service for start, service in _SERVICES if name.startswith(start)), str(plan["servicePlanName"]))


def provisioning_status(call: Call, user: Document) -> str:
    """Whether the services know of the latest change already."""
    changed = user.get("_licensed_at")
    waiting = changed is not None and call.world.now() < float(changed) + call.seconds("license_propagation")
    return "PendingProvisioning" if waiting else "Success"


def seats(call: Call, sku: Document) -> int:
    """How many more users the SKU can take."""
    if sku.get("capabilityStatus", "Enabled") not in ("Enabled", "Warning"):
        return 0
    units = sku["prepaidUnits"]
    # Whether units in warning can still be assigned is unconfirmed.
    usable = int(units.get("enabled", 0)) + (int(units.get("warning", 0)) if call.switch("warning_units_assignable", default=True) else 0)
    return usable - int(sku["consumedUnits"])


def consume(call: Call, sku_id: str, number: int) -> None:
    """Take seats of a SKU, or give them back with a negative number."""
    skus = call.collection("subscribedSkus")
    if sku_id in skus:
        skus.change(sku_id, consumedUnits=max(0, int(skus[sku_id]["consumedUnits"]) + number))


def release(call: Call, user: Document) -> None:
    """Give back every seat of a user who is being deleted."""
    for sku_id in effective(paths(call.tenant, user)):
        consume(call, sku_id, -1)


def reclaim(call: Call, user: Document) -> Document:
    """Take the seats of a restored user again; a licence without a free seat is lost."""
    kept: list[Path] = []
    for path in paths(call.tenant, user):
        sku = call.collection("subscribedSkus").get(path.sku_id)
        if any(path.sku_id == other.sku_id for other in kept):
            kept.append(path)
        elif sku is not None and seats(call, sku) > 0:
            consume(call, path.sku_id, 1)
            kept.append(path)
        elif path.group_id is not None:
            kept.append(Path(path.sku_id, path.disabled_plans, path.group_id, "Error", "CountViolation", call.time()))
    return {**user, **stored(kept), "_licensed_at": call.world.now()}


def stored(found: Iterable[Path]) -> dict[str, Any]:
    """What a user document keeps: in ``assignedLicenses`` the direct ones only, since groups are looked at anew each time."""
    listed = list(found)
    direct = effective(path for path in listed if path.group_id is None)
    return {
        "licenseAssignmentStates": [path.document() for path in listed],
        "assignedLicenses": [{"disabledPlans": list(disabled), "skuId": sku_id} for sku_id, disabled in direct.items()],
    }
