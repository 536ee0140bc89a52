# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.emulator.package``: write the stand-in package, or a variant of it, to a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import UNIQUE_NAME, Variant, build


def _pair(text: str) -> tuple[str, str]:
    name, _unused, value = text.partition("=")
    return name, value


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
    parser.add_argument("--no-role", action="store_true", help="leave the role out")
    parser.add_argument("--locked-role", action="store_true", help="let no organisation change the role")
    parser.add_argument("--role", action="append", default=[], metavar="NAME", help="one more role")
    parser.add_argument("--table", action="append", default=[], metavar="SCHEMA_NAME", help="one more table")
    parser.add_argument("--needs", action="append", default=[], type=_pair, metavar="TABLE=SOLUTION", help="depend on a table of 'Solution (1.0.0.0)'")
    parser.add_argument("--connection-reference", action="append", default=[], type=_pair, metavar="NAME=CONNECTOR", help="a connection reference")
    parser.add_argument("--environment-variable", action="append", default=[], metavar="NAME[=DEFAULT]", help="an environment variable")
    parser.add_argument("--environment-value", action="append", default=[], type=_pair, metavar="NAME=VALUE", help="a value that the package brings")
    parser.add_argument("--parent", metavar="SOLUTION", help="make it a patch of this solution")
    given = parser.parse_args()
    variant = Variant(
        version=given.version,
        managed=not given.unmanaged,
        publisher=given.publisher,
        unique_name=given.unique_name,
        missing_dependency=given.missing_dependency,
        extra_privilege=given.extra_privilege,
        without=tuple(given.without),
        role=not given.no_role,
        locked_role=given.locked_role,
        more_roles=tuple(given.role),
        tables=tuple(given.table),
        needs=tuple(given.needs),
        connection_references=tuple(given.connection_reference),
        environment_variables=tuple((name, value if equals else None) for name, equals, value in (text.partition("=") for text in given.environment_variable)),
        environment_values=tuple(given.environment_value),
        parent=given.parent,
    )
    kind = "unmanaged" if given.unmanaged else "managed"
    output: Path = given.output or Path(f"{given.unique_name}_{given.version.replace('.', '_')}_target_CRM_6.1_{kind}.zip")
    output.write_bytes(build(variant))
    print(output)


if __name__ == "__main__":
    main()
