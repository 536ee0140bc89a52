# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``subscribedSkus``, ``assignLicense``, ``licenseDetails`` and ``reprocessLicenseAssignment``."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..store import Document
from ..wire import Response
from . import users
from .call import Call
from .errors import GraphError, bad_request, not_found, unsupported_query
from .licenses import Path, consume, effective, enabled_after, paths, provisioning_status, seats, stored
from .objects import LICENSE_DETAILS, SUBSCRIBED_SKU, USER
from .permissions import ASSIGN_LICENSES, READ_LICENSE_DETAILS, READ_SKUS, REPROCESS_LICENSES, require
from .queries import many, one
from .replication import note_write

_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


@dataclass(frozen=True)
class _Wish:
    sku_id: str
    disabled_plans: tuple[str, ...]


def list_skus(call: Call) -> Response:
    """``GET /subscribedSkus``, which takes ``$select`` and nothing else."""
    require(call, READ_SKUS)
    query = call.query
    if query.filter or query.orderby or query.top is not None or query.others.get("$search"):
        raise unsupported_query("The specified query option is not supported on resource 'SubscribedSku'.")
    return many(call, SUBSCRIBED_SKU, [_sku(call, sku) for sku in call.collection("subscribedSkus").values()])


def read_sku(call: Call, sku_id: str) -> Response:
    """``GET /subscribedSkus/{tenant id}_{sku id}``."""
    require(call, READ_SKUS)
    found = next((sku for sku in (_sku(call, sku) for sku in call.collection("subscribedSkus").values()) if sku["id"] == sku_id), None)
    if found is None:
        raise not_found(sku_id)
    return one(call, SUBSCRIBED_SKU, found)


def _sku(call: Call, sku: Document) -> Document:
    return {
        **sku,
        "id": f"{call.tenant.id}_{sku['skuId']}",
        "accountId": sku.get("accountId") or call.tenant.id,
        "accountName": sku.get("accountName") or call.tenant.name,
        "servicePlans": [_plan(plan) for plan in sku["servicePlans"]],
    }


def _plan(plan: Document, status: str | None = None) -> Document:
    return {
        "servicePlanId": plan["servicePlanId"],
        "servicePlanName": plan["servicePlanName"],
        "provisioningStatus": status or plan.get("provisioningStatus", "Success"),
        "appliesTo": plan.get("appliesTo", "User"),
    }


def details(call: Call, reference: str) -> Response:
    """``GET /users/{id}/licenseDetails``."""
    require(call, READ_LICENSE_DETAILS, reference.lower())
    user = users.find(call, reference, reading=True)
    skus = call.collection("subscribedSkus")
    status = provisioning_status(call, user)
    found = []
    for sku_id, disabled in effective(paths(call.tenant, user)).items():
        sku = skus.get(sku_id, {"skuPartNumber": None, "servicePlans": []})
        plans = [_plan(plan, "Disabled" if plan["servicePlanId"] in disabled else status) for plan in sku["servicePlans"]]
        detail_id = uuid.uuid5(uuid.NAMESPACE_OID, user["id"] + sku_id).hex
        found.append({"id": detail_id, "skuId": sku_id, "skuPartNumber": sku["skuPartNumber"], "servicePlans": plans})
    return many(call, LICENSE_DETAILS, found, name=f"users('{user['id']}')/licenseDetails")


def assign(call: Call, reference: str) -> Response:
    """``POST /users/{id}/assignLicense``: all changes or none."""
    require(call, ASSIGN_LICENSES)
    user = users.find(call, reference, reading=False)
    add, remove = _read_body(call.body())
    before = paths(call.tenant, user)
    after = _removed(before, remove)
    for wish in add:
        _check_wish(call, wish)
        after = _added(call, after, wish)
    if add and not _is_located(call, user):
        raise bad_request("License assignment cannot be done for user with invalid usage location.")
    _check_plans(call, after)
    held, wanted = effective(before), effective(after)
    for sku_id in set(wanted) - set(held):
        if seats(call, call.collection("subscribedSkus")[sku_id]) < 1:
            raise bad_request(f"Subscription with SKU {sku_id} does not have any available licenses.")
    note_write(call, user["id"])
    if before != after:
        for sku_id in wanted.keys() - held.keys():
            consume(call, sku_id, 1)
        for sku_id in held.keys() - wanted.keys():
            consume(call, sku_id, -1)
        user = call.collection("users").change(user["id"], **stored(after), _licensed_at=call.world.now())
    return one(call, USER, users.present(call, user))


def _is_located(call: Call, user: Document) -> bool:
    """Whether licensing knows where the user is; a change of the location arrives late there."""
    known_from = float(user.get("_located_at") or 0.0) + call.seconds("usage_location_lag")
    return bool(user.get("usageLocation")) and call.world.now() >= known_from


def _read_body(body: Document) -> tuple[list[_Wish], list[str]]:
    missing = [name for name in ("addLicenses", "removeLicenses") if not isinstance(body.get(name), list)]
    if missing:
        raise bad_request(
            f"One or more parameters of the operation 'assignLicense' are missing from the request payload. The missing parameters are: {', '.join(missing)}."
        )
    unknown = [name for name in body if name not in ("addLicenses", "removeLicenses") and not name.startswith("@odata.")]
    if unknown:
        raise bad_request(f"The parameter '{unknown[0]}' in the request payload is not a valid parameter for the operation 'assignLicense'.")
    add = [_wish(entry) for entry in body["addLicenses"]]
    remove = [_guid(entry) for entry in body["removeLicenses"]]
    named = [wish.sku_id for wish in add] + remove
    twice = next((sku_id for sku_id in named if named.count(sku_id) > 1), None)
    if twice is not None:
        raise bad_request(f"License {twice} is specified more than once in the request.")
    return add, remove


def _wish(entry: Any) -> _Wish:
    if not isinstance(entry, dict) or "skuId" not in entry:
        raise bad_request("A value is required for property 'skuId' of resource 'AssignedLicense'.")
    return _Wish(_guid(entry["skuId"]), tuple(_guid(plan) for plan in entry.get("disabledPlans") or ()))


def _guid(value: Any) -> str:
    if not isinstance(value, str) or not _GUID.fullmatch(value.lower()):
        raise bad_request(f"Cannot convert the literal '{value}' to the expected type 'Edm.Guid'.")
    return value.lower()


def _removed(before: list[Path], remove: list[str]) -> list[Path]:
    for sku_id in remove:
        ways = [path for path in before if path.sku_id == sku_id]
        if not ways:
            raise bad_request("User does not have a corresponding license.")
        if all(path.group_id is not None for path in ways):
            raise bad_request("User license is inherited from a group membership and it cannot be removed directly from the user.")
    return [path for path in before if path.group_id is not None or path.sku_id not in remove]


def _added(call: Call, before: list[Path], wish: _Wish) -> list[Path]:
    held = next((path for path in before if path.sku_id == wish.sku_id and path.group_id is None), None)
    if held is not None and set(held.disabled_plans) == set(wish.disabled_plans) and held.state == "Active":
        return before
    fresh = Path(wish.sku_id, wish.disabled_plans, updated=call.time())
    if held is None:
        return [fresh, *before]
    return [fresh if path is held else path for path in before]


def _check_wish(call: Call, wish: _Wish) -> None:
    sku = call.collection("subscribedSkus").get(wish.sku_id)
    if sku is None:
        raise bad_request(f"License {wish.sku_id} does not correspond to a valid company License.")
    if sku.get("appliesTo") == "Company":
        raise bad_request(f"License {wish.sku_id} cannot be assigned to a user")
    known = {plan["servicePlanId"] for plan in sku["servicePlans"]}
    for plan in wish.disabled_plans:
        if plan not in known:
            raise bad_request(f"Service plan {plan} is not part of the license {wish.sku_id}.")


def _check_plans(call: Call, after: Iterable[Path]) -> None:
    problem = plan_problem(call, after)
    if problem is not None:
        raise problem


def plan_problem(call: Call, after: Iterable[Path]) -> GraphError | None:
    """What is wrong with this set of plans: two that exclude each other, or one whose base is missing."""
    plans = enabled_after(call.tenant, after)
    for plan_id, plan in plans.items():
        for other in plan.get("_excludes", ()):
            if other in plans:
                return bad_request(f"License assignment failed because service plans {plan_id}, {other} are mutually exclusive.")
    for plan_id, plan in plans.items():
        missing = [other for other in plan.get("_needs", ()) if other not in plans]
        if missing:
            return bad_request(f"License assignment failed because service plan {plan_id} depends on the service plan(s) {', '.join(missing)}")
    return None


def reprocess(call: Call, reference: str) -> Response:
    """``POST /users/{id}/reprocessLicenseAssignment``: try the group licences that failed once more."""
    require(call, REPROCESS_LICENSES)
    user = users.find(call, reference, reading=False)
    before = paths(call.tenant, user)
    held = set(effective(before))
    after = []
    for path in before:
        if path.state == "Active" or path.group_id is None:
            after.append(path)
            continue
        sku = call.collection("subscribedSkus").get(path.sku_id)
        healed = Path(path.sku_id, path.disabled_plans, path.group_id, updated=call.time())
        if path.sku_id not in held and (sku is None or seats(call, sku) < 1):
            after.append(path)
            continue
        problem = plan_problem(call, [*(other for other in before if other is not path), healed])
        if problem is not None:
            raise problem
        if path.sku_id not in held:
            consume(call, path.sku_id, 1)
            held.add(path.sku_id)
        after.append(healed)
    if before != after:
        user = call.collection("users").change(user["id"], **stored(after), _licensed_at=call.world.now())
    return one(call, USER, users.present(call, user))
