# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what a solution package costs each tenant: ``make bench-packages ARGS="--tenants 50"``.

Machines differ, so the figures to quote are the ratios: reading a package against taking what an earlier tenant read, and the
memory of a worker that holds an import's body against one that streams it.
"""

from __future__ import annotations

import argparse
import base64
import json
import multiprocessing
import os
import resource
import ssl
import statistics
import sys
import tempfile
import threading
import time
import typing as t
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ansible_collections.leadops.dynamics365.plugins.module_utils._http import Call, Http, open_session, tls_context
from ansible_collections.leadops.dynamics365.plugins.module_utils._json_body import json_body
from ansible_collections.leadops.dynamics365.plugins.module_utils._measured_file import measure
from ansible_collections.leadops.dynamics365.plugins.module_utils._package_cache import load_package
from ansible_collections.leadops.dynamics365.plugins.module_utils._solution_package import read_package

from ..emulator import tls

MEGABYTE = 1024 * 1024
SIZES = {"50 kB": 50 * 1024, "5 MB": 5 * MEGABYTE, "60 MB": 60 * MEGABYTE}
XML_SHARE = 0.15
"""Of the packed size; the rest is what does not pack, such as pictures and assemblies."""
ATTRIBUTE = """<attribute PhysicalName="c_{name}"><Type>nvarchar</Type><Name>c_{name}</Name><LogicalName>c_{name}</LogicalName>
<RequiredLevel>none</RequiredLevel><DisplayMask>ValidForAdvancedFind|ValidForForm|ValidForGrid</DisplayMask><ImeMode>auto</ImeMode>
<displaynames><displayname description="Field {name}" languagecode="1033" /></displaynames></attribute>
"""
MANIFEST = """<ImportExportXml languagecode="1033"><SolutionManifest><UniqueName>Bench</UniqueName><Version>1.0</Version><Managed>1</Managed>
<Publisher><UniqueName>bench</UniqueName></Publisher></SolutionManifest></ImportExportXml>"""

Sample = tuple[float, float]
"""Seconds of CPU, and the most bytes that the process ever had in memory."""


def write_package(path: Path, size: int) -> None:
    """A package of about this size, whose customizations are many small elements, as real ones are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("solution.xml", MANIFEST)
        with archive.open("customizations.xml", "w") as file:
            file.write(b"<ImportExportXml><Entities>")
            while path.stat().st_size < size * XML_SHARE:
                file.write("".join(ATTRIBUTE.format(name=os.urandom(5).hex()) for _unused in range(20)).encode())
            file.write(b"</Entities><Roles/></ImportExportXml>")
        number = 0
        while (left := size - path.stat().st_size) > 1024:
            archive.writestr(f"WebResources/{number}", os.urandom(min(left, MEGABYTE)))
            number += 1


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark.packages", description=__doc__.splitlines()[0])
    parser.add_argument("--tenants", type=int, default=50, help="how many tenants get each package (default 50)")
    parser.add_argument("--only", choices=["reading", "sending"], help="measure only this")
    parser.add_argument("--forks", type=int, default=20, help="how many workers send at the same time (default 20)")
    parser.add_argument("--send", type=int, default=100, help="size in MB of the package that they send (default 100)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="leadops-bench-") as scratch:
        if options.only != "sending":
            _report_reading(Path(scratch), options.tenants)
        if options.only != "reading":
            _report_sending(Path(scratch), options.send, options.forks)
    return 0


def _report_reading(scratch: Path, tenants: int) -> None:
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, {tenants} tenants; CPU in seconds\n")
    print(f"{'package':<10}{'XML, MB':>9}{'one reading':>13}{'from the cache':>16}{'all, without':>14}{'all, with':>11}{'ratio':>8}")
    for title, size in SIZES.items():
        path, home = scratch / "package.zip", scratch / f"cache-{size}"
        home.mkdir(mode=0o700)
        write_package(path, size)
        xml = zipfile.ZipFile(path).getinfo("customizations.xml").file_size / MEGABYTE
        reading = statistics.median(_in_processes(_read, 3, 1, str(path), ""))
        first, *later = _in_processes(_read, tenants, 1, str(path), str(home))
        without, together = reading * tenants, first + sum(later)
        figures = f"{xml:>9.1f}{reading:>13.3f}{statistics.median(later):>16.4f}{without:>14.1f}{together:>11.2f}{without / together:>8.1f}"
        print(f"{title:<10}{figures}", flush=True)


def _report_sending(scratch: Path, megabytes: int, forks: int) -> None:
    path = scratch / "package.zip"
    write_package(path, megabytes * MEGABYTE)
    print(f"\n{f'sending {megabytes} MB, {forks} at a time':<34}{'wall':>8}{'CPU, each':>11}{'memory, each':>14}{'all together':>14}")
    with _sink(scratch) as (url, ca):
        for title, way, times in (("held in memory (one worker)", _send_held, 1), ("streamed", _send_streamed, forks)):
            begun = time.monotonic()
            samples = _samples(way, times, forks, str(path), url, ca)
            wall, memory = time.monotonic() - begun, [sample[1] / MEGABYTE for sample in samples]
            shown = f"{wall:>8.1f}{statistics.median(sample[0] for sample in samples):>11.2f}{max(memory):>11.1f} MB{sum(memory):>11.1f} MB"
            print(f"{title:<34}{shown}", flush=True)


def _read(path: str, home: str) -> None:
    if home:
        load_package(measure(path), "path", Path(home))
    else:
        read_package(path)


def _send_held(path: str, url: str, ca: str) -> None:
    """The plain way: the file, its base64 form and the document, all in memory."""
    document = {"CustomizationFile": base64.b64encode(Path(path).read_bytes()).decode(), "PublishWorkflows": True}
    _post(url, ca, json.dumps(document).encode())


def _send_streamed(path: str, url: str, ca: str) -> None:
    _post(url, ca, json_body({"CustomizationFile": measure(path), "PublishWorkflows": True}))


def _post(url: str, ca: str, body: t.Any) -> None:
    answer = Http(open_session(tls_context(ca, validate=True))).send(Call("POST", url, body=body))
    assert int(answer.body) == len(body)


def _in_processes(work: Callable[..., None], times: int, at_once: int, *arguments: str) -> list[float]:
    return [sample[0] for sample in _samples(work, times, at_once, *arguments)]


def _samples(work: Callable[..., None], times: int, at_once: int, *arguments: str) -> list[Sample]:
    """What each of so many processes used."""
    with multiprocessing.get_context("spawn").Pool(at_once, maxtasksperchild=1) as pool:
        return pool.starmap(_sample, [(work, arguments)] * times, chunksize=1)


def _sample(work: Callable[..., None], arguments: tuple[str, ...]) -> Sample:
    begun = time.process_time()
    work(*arguments)
    spent = time.process_time() - begun
    return spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


class _Sink(BaseHTTPRequestHandler):
    """Takes a body and answers its length."""

    def do_POST(self) -> None:
        """Read in pieces, so that this process stays small too."""
        size = left = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, MEGABYTE)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(size).encode())

    def log_message(self, *_unused: t.Any) -> None:
        """Be silent."""


@contextmanager
def _sink(scratch: Path) -> Iterator[tuple[str, str]]:
    files = tls.prepare(scratch)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.server)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}/", str(files.ca)
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    sys.exit(main())
