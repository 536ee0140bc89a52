# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.emulator.package``: write the stand-in package, or a variant of it, to a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import UNIQUE_NAME, Variant, build


def main() -> None:
    """Build what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.emulator.package", description=__doc__)
    parser.add_argument("--output", type=Path, help="file to write (default: the published file's name, with the version)")
    parser.add_argument("--version", default="1.0.0.0", help="version of the solution")
    parser.add_argument("--unmanaged", action="store_true", help="make it an unmanaged solution")
    parser.add_argument("--publisher", default="leadopsstandin", help="unique name of the publisher")
    parser.add_argument("--unique-name", default=UNIQUE_NAME, help="unique name of the solution")
    parser.add_argument("--missing-dependency", metavar="SOLUTION", help="declare a dependency, such as 'ContosoBase (2.0.0.0)'")
    parser.add_argument("--extra-privilege", metavar="NAME", help="one more privilege in the role; an unknown one makes the import fail")
    parser.add_argument("--without", action="append", default=[], metavar="FILE", help="leave a file out, which spoils the package")
    given = parser.parse_args()
    variant = Variant(
        given.version,
        not given.unmanaged,
        given.publisher,
        given.unique_name,
        given.missing_dependency,
        given.extra_privilege,
        tuple(given.without),
    )
    kind = "unmanaged" if given.unmanaged else "managed"
    output: Path = given.output or Path(f"{given.unique_name}_{given.version.replace('.', '_')}_target_CRM_6.1_{kind}.zip")
    output.write_bytes(build(variant))
    print(output)


if __name__ == "__main__":
    main()
