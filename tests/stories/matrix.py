# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives a module's real code against an emulator: predicted, applied, and applied again, with a proof of each from the request log."""

from __future__ import annotations

import importlib
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.leadops.dynamics365.plugins.module_utils._identity import MemoryTokenStore
from ansible_collections.leadops.dynamics365.plugins.module_utils._task import perform
from tests.emulator.launcher import RunningEmulator

from .fleet import Json, normal


class Bench:
    """One tenant of an emulator, and the modules that work on it."""

    def __init__(self, emulator: RunningEmulator, tenant: str) -> None:
        self.emulator = emulator
        self.tenant = tenant
        self.about = emulator.tenant(tenant)
        self._store = MemoryTokenStore()

    def begin(self, **changes: Json) -> None:
        """Forget what earlier cases did, and change members of the tenant document."""
        self.emulator.control("POST", "reset")
        self.emulator.control("PATCH", f"tenants/{self.tenant}", changes)

    def rows(self, kind: str) -> list[Json]:
        """The stored documents, read past the services."""
        return self.emulator.documents(self.tenant, kind)

    def row(self, kind: str, **columns: object) -> Json:
        """The one that has these values."""
        return next(row for row in self.rows(kind) if all(row.get(name) == value for name, value in columns.items()))

    def store(self, kind: str, key: str, **changes: object) -> None:
        """Change a stored document past the services."""
        self.emulator.control("PATCH", f"tenants/{self.tenant}/documents/{kind}/{key}", changes)

    def put(self, kind: str, key: str, document: Json) -> None:
        """Store a document past the services."""
        self.emulator.control("PUT", f"tenants/{self.tenant}/documents/{kind}/{key}", document)

    def post(self, path: str, body: Json) -> str:
        """Create a row as the automation; answers its id."""
        url = self.about["org_url"]
        answer = self.emulator.call("POST", f"{url}/api/data/v9.2/{path}", self.emulator.token(self.tenant, url), json=body)
        answer.raise_for_status()
        return answer.headers.get("odata-entityid", "(").rpartition("(")[2].rstrip(")")

    def run(self, module: str, *, check: bool = False, **args: object) -> Json:
        """Run a module once."""
        code: Any = importlib.import_module(f"ansible_collections.leadops.dynamics365.plugins.modules.{module}")
        about = self.about
        connection = {
            "auth": {name: about[name] for name in ("tenant_id", "client_id", "client_secret")},
            "endpoints": {name: getattr(self.emulator, name) for name in ("authority", "graph", "power_platform")},
            "ca_path": self.emulator.ca,
            **({"url": about["org_url"]} if "url" in code.SPEC.options else {}),
        }
        validated = ArgumentSpecValidator(code.SPEC.options, **code.SPEC.rules()).validate({**connection, **args})
        assert not validated.error_messages, validated.error_messages
        ended = perform(code.reconcile, validated.validated_parameters, check_mode=check, diff_mode=True, store=self._store, on_secret=lambda _value: None)
        return {**ended.result, "failed": ended.failed}

    def converge(self, module: str, **args: object) -> Json:
        """Predict, apply and apply again: exactly the predicted writes are sent, and the second run sends none. Answers the first run's result."""
        start = self._last()
        predicted = self.run(module, check=True, **args)
        assert self._writes(start) == [], "check mode wrote"
        real = self.run(module, **args)
        assert predicted["failed"] is real["failed"], (predicted.get("msg"), real.get("msg"))
        if real["failed"]:
            assert self._writes(start) == [], "a refused task wrote"
            assert predicted["msg"] == real["msg"]
            return real
        assert [normal(write) for write in predicted["writes"]] == self._writes(start)
        assert [normal(write) for write in real["writes"]] == self._writes(start)
        assert predicted["changed"] is real["changed"] is bool(real["writes"])
        if real["changed"]:
            assert set(predicted["diff"]["after"]) == set(real["diff"]["after"])
            assert real["diff"]["before"] != real["diff"]["after"]
        start = self._last()
        again = self.run(module, **args)
        assert not again["failed"], again["msg"]
        assert not again["changed"], again["writes"]
        assert self._writes(start) == []
        return real

    def _last(self) -> int:
        return max((record["seq"] for record in self.emulator.request_log()), default=0)

    def _writes(self, since: int) -> list[tuple[str, str, str]]:
        log = self.emulator.request_log(writes=1, since=since, tenant=self.tenant)
        return [normal(record) for record in log if record["effect"] and record["service"] != "entra"]
