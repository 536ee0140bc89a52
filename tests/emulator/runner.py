# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the parts together, announces them, and cleans up."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from . import scenarios
from .control import Control
from .engine import Engine
from .faults import BadFaultError, Faults, parse_spec
from .keys import KeyRing
from .proxy import Proxy
from .request_log import RequestLog
from .server import Server, listen
from .store import Store
from .tenants_file import DEFAULT_TENANTS, BadTenantsFileError, Spec, load
from .tls import TlsFiles, prepare
from .wire import Json
from .world import Tenant, World


@dataclass(frozen=True)
class Settings:
    """What the command line says."""

    tenants: Path | None
    state: Path | None
    port: int
    latency: float
    faults: str
    seed: int


def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; answers the exit status."""
    try:
        rules = parse_spec(settings.faults)
        named = load(settings.tenants) if settings.tenants else None
    except (BadFaultError, BadTenantsFileError) as error:
        return _refuse(str(error))
    with ExitStack() as stack:
        try:
            directory = settings.state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emulator-")))
            directory.mkdir(parents=True, exist_ok=True)
            sockets = listen(settings.port)
            proxy_socket = listen(0)[0]
        except OSError as error:
            return _refuse(f"The emulator cannot start: {error}")
        files, keys = prepare(directory.resolve()), KeyRing(directory.resolve())
        store = Store(directory / "state.sqlite")
        stack.callback(store.close)
        world = World(store, settings.seed)
        faults, log = Faults(world, settings.seed, rules), RequestLog(world)
        # Without a tenants file a kept state goes on with the tenants that it was begun with.
        specs: list[Spec] = named or store.collection("", "world").get("tenants", {"value": DEFAULT_TENANTS})["value"]
        _create_missing(world, keys, specs)
        port = sockets[0].getsockname()[1]
        about = _About(f"https://localhost:{port}", f"http://127.0.0.1:{proxy_socket.getsockname()[1]}", files, keys)

        def reset() -> None:
            store.clear()
            world.begin_again()
            faults.forget()
            _create_missing(world, keys, specs)

        def note_refusal(target: str) -> None:
            log.add({"service": "proxy", "tenant": "", "method": "CONNECT", "path": target, "status": 403, "fault": None, "effect": False})
            store.commit()

        engine = Engine(world, keys, faults, log)
        control = Control(world, keys, faults, log, reset=reset, describe=about.tenant)
        server = Server(engine, control, files, settings.latency)
        proxy = Proxy(world, port, note_refusal)

        async def serve() -> None:
            tunnels = await proxy.start(proxy_socket)
            await server.run(sockets, lambda: _announce(about.everything(world)))
            tunnels.close()
            proxy.close()

        asyncio.run(serve())
    return 0


@dataclass(frozen=True)
class _About:
    """What a client must know of this emulator."""

    root: str
    proxy: str
    files: TlsFiles
    keys: KeyRing

    def everything(self, world: World) -> Json:
        certificate = self.keys.client_certificate
        return {
            "ready": True,
            "authority": self.root,
            "graph": f"{self.root}/graph",
            "power_platform": f"{self.root}/powerplatform",
            "partner_center": f"{self.root}/partnercenter",
            "control": f"{self.root}/control",
            "managed_identity": f"{self.root}/msi/token",
            "ca": str(self.files.ca),
            "proxy": self.proxy,
            "client_certificate": {
                "pem": str(certificate.pem),
                "pfx": str(certificate.pfx),
                "pfx_passphrase": certificate.pfx_passphrase,
                "thumbprint": certificate.thumbprint,
            },
            "tenants": [self.tenant(tenant) for tenant in world.tenants()],
        }

    def tenant(self, tenant: Tenant) -> Json:
        document = tenant.document
        same = "name kind domain org_id org_version environment_id client_id client_secret admin_username admin_password public_client_id service_account"
        return {
            **{name: document[name] for name in same.split()},
            "tenant_id": document["announced_tenant_id"],
            "org_url": f"{self.root}/org/{document['org_name']}",
            "real_org_url": f"https://{tenant.organization_host}",
            "identity_header": document["identity_header"],
            "federated_subject": document["federated_subject"],
        }


def _create_missing(world: World, keys: KeyRing, specs: list[Spec]) -> None:
    world.store.collection("", "world")["tenants"] = {"value": specs}
    present = {tenant.name for tenant in world.tenants()}
    for spec in specs:
        if spec["name"] not in present:
            scenarios.create(world, keys, spec)
    world.store.commit()


def _announce(document: Json) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def _refuse(text: str) -> int:
    sys.stderr.write(f"emulator: {text}\n")
    return 2
