# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.emulator``: start the local cloud, say where it is, serve until told to stop."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

_NEEDED = {
    "starlette": "starlette",
    "uvicorn": "uvicorn",
    "trustme": "trustme",
    "jwt": "pyjwt[crypto]",
    "cryptography": "pyjwt[crypto]",
    "odata_query": "odata-query",
}


def main() -> int:
    """Run the program; answers its exit status."""
    description = "A local cloud: Entra ID, Graph, Dataverse, Power Platform admin, Partner Center."
    parser = argparse.ArgumentParser(prog="python -m tests.emulator", description=description)
    parser.add_argument("--tenants", type=Path, metavar="FILE", help="YAML or JSON file that names the tenants (default: the demo tenants)")
    parser.add_argument("--state", type=Path, metavar="DIR", help="directory that keeps everything over restarts (default: nothing is kept)")
    parser.add_argument("--port", type=int, default=0, metavar="N", help="port on localhost (default: a free one)")
    parser.add_argument("--latency", type=float, default=0.0, metavar="MS", help="delay of every answer in milliseconds")
    parser.add_argument("--faults", default="", metavar="SPEC", help="kind:probability[:name=value…],… or JSON, see the README")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="decides which requests faults hit")
    options = parser.parse_args()
    missing = sorted({package for module, package in _NEEDED.items() if importlib.util.find_spec(module) is None})
    if missing:
        requirements = Path(__file__).with_name("requirements.txt")
        sys.stderr.write(f"emulator: these packages are missing: {', '.join(missing)}. Install them: {sys.executable} -m pip install -r {requirements}\n")
        return 2
    from .runner import Settings, run  # noqa: PLC0415 (needs the packages that were just looked for)

    return run(Settings(options.tenants, options.state, options.port, options.latency / 1000, options.faults, options.seed))


if __name__ == "__main__":
    sys.exit(main())
