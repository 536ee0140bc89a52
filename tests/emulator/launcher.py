# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts an emulator as a process of its own, for tests and benchmarks, and speaks with its control API."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

_ROOT = Path(__file__).resolve().parents[2]


class RunningEmulator:
    """One started emulator; a context manager that ends it."""

    def __init__(self, *arguments: str, python: str = sys.executable) -> None:
        """Start it with command line arguments and wait for its ready line."""
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (lives as long as the process)
        command: Sequence[str] = [python, "-m", "tests.emulator", *arguments]
        self.process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=self._errors, text=True, encoding="utf-8")
        if self.process.stdout is None:
            raise RuntimeError("The emulator has no standard output.")
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise RuntimeError(f"The emulator did not start: {self.errors()}")
        self.ready: dict[str, Any] = json.loads(line)
        self.authority: str = self.ready["authority"]
        self.graph: str = self.ready["graph"]
        self.power_platform: str = self.ready["power_platform"]
        self.partner_center: str = self.ready["partner_center"]
        self.control_url: str = self.ready["control"]
        self.managed_identity: str = self.ready["managed_identity"]
        self.ca: str = self.ready["ca"]
        self.proxy: str = self.ready["proxy"]
        self.client_certificate: dict[str, str] = self.ready["client_certificate"]
        self.tenants: list[dict[str, Any]] = self.ready["tenants"]
        self.session = requests.Session()
        # The environment may name another CA bundle, which requests would prefer.
        self.session.trust_env = False
        self.session.verify = self.ca
        self._tokens: dict[tuple[str, str], tuple[str, float]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> int:
        """End it as an operator would; answers its exit status."""
        self.session.close()
        if self.process.poll() is None:
            self.process.terminate()
        status = self.process.wait(timeout=20)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status

    def kill(self) -> None:
        """End it without a chance to clean up."""
        self.process.kill()
        self.process.wait()

    def errors(self) -> str:
        """What it wrote to standard error so far."""
        self._errors.seek(0)
        return self._errors.read()

    def tenant(self, name: str) -> dict[str, Any]:
        """What the ready line says about a tenant."""
        return next(tenant for tenant in self.tenants if tenant["name"] == name)

    def control(self, method: str, path: str, body: object = None, **query: str | int) -> Any:
        """Call the control API (``path`` without ``/control``); answers the document, or None for an empty answer."""
        response = self.session.request(method, f"{self.control_url}/{path.lstrip('/')}", params=query, json=body, timeout=30)
        if not response.ok:
            raise RuntimeError(f"{method} {path}: {response.status_code} {response.text}")
        return response.json() if response.content else None

    def documents(self, tenant: str, kind: str) -> list[dict[str, Any]]:
        """The stored documents of one kind, read past the services."""
        found: list[dict[str, Any]] = self.control("GET", f"tenants/{tenant}/{kind}")["value"]
        return found

    def request_log(self, **query: str | int) -> list[dict[str, Any]]:
        """Records of the request log: ``tenant=``, ``service=``, ``writes=1``, ``since=``."""
        found: list[dict[str, Any]] = self.control("GET", "requests", **query)["value"]
        return found

    def token(self, tenant: str, resource: str) -> str:
        """An access token of the tenant's automation app, for ``self.graph``, an ``org_url`` or another resource URI."""
        token, until = self._tokens.get((tenant, resource), ("", 0.0))
        if until > time.monotonic():
            return token
        about = self.tenant(tenant)
        tenant_id = self.control("GET", f"tenants/{tenant}")["tenant_id"]
        form = {"grant_type": "client_credentials", "client_id": about["client_id"], "client_secret": about["client_secret"], "scope": f"{resource}/.default"}
        response = self.session.post(f"{self.authority}/{tenant_id}/oauth2/v2.0/token", data=form, timeout=30)
        response.raise_for_status()
        token = str(response.json()["access_token"])
        self._tokens[tenant, resource] = (token, time.monotonic() + 600)
        return token

    def user_token(self, tenant: str, resource: str, username: str | None = None, password: str | None = None) -> str:
        """An access token of a person (the administrator unless another is named)."""
        about = self.tenant(tenant)
        form = {
            "grant_type": "password",
            "client_id": about["public_client_id"],
            "username": username or about["admin_username"],
            "password": password or about["admin_password"],
            "scope": f"{resource}/.default",
        }
        response = self.session.post(f"{self.authority}/{about['domain']}/oauth2/v2.0/token", data=form, timeout=30)
        response.raise_for_status()
        return str(response.json()["access_token"])

    def call(self, method: str, url: str, token: str, **options: Any) -> requests.Response:
        """Send a request with a bearer token."""
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        return self.session.request(method, url, headers=headers, timeout=60, **options)
