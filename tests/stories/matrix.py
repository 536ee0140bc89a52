# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One tenant of an emulator: its stored documents, read and arranged past the services, and a module's real code run on it without Ansible."""

from __future__ import annotations

import importlib
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.leadops.dynamics365.plugins.module_utils._identity import MemoryTokenStore
from ansible_collections.leadops.dynamics365.plugins.module_utils._task import perform
from tests.emulator.launcher import RunningEmulator

from .fleet import Json


class Bench:
    """One tenant of an emulator, and the modules that work on it."""

    def __init__(self, emulator: RunningEmulator, tenant: str) -> None:
        self.emulator = emulator
        self.tenant = tenant
        self.about = emulator.tenant(tenant)
        self._store = MemoryTokenStore()

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
