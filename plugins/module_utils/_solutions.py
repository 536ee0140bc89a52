# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Solutions of an organisation: what is installed, and whether it is enough for a package.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ._dataverse import Dataverse
from ._errors import NotPossible, ServiceRefused
from ._odata import Row, any_of, literal, query
from ._plan import Json
from ._rows import flag, inner, lower, needed, needed_id, text
from ._solution_activity import moment_of
from ._solution_missing import to_result, told, unmet
from ._solution_package import SolutionPackage
from ._solution_versions import version_parts

FIRST_READ = 25
"""So many solutions fit into the filter of one URL."""

COLUMNS = "solutionid,uniquename,friendlyname,version,ismanaged,modifiedon"

HOLDING = "_Upgrade"
"""What an organisation appends to the name of a solution whose upgrade is staged."""

ASYNC_IMPORT_SINCE = "9.2.21013.131"
"""Before, an organisation offers only the import that answers when it is done."""


@dataclass(frozen=True)
class InstalledSolution:
    """A row of the table ``solutions``."""

    solution_id: str
    unique_name: str
    friendly_name: str
    version: str
    managed: bool
    publisher: str = ""
    changed: datetime | None = field(default=None, compare=False)
    """When the row was last written; None if that is not told."""

    @classmethod
    def from_row(cls, row: Row) -> InstalledSolution:
        """Read a row with its publisher expanded."""
        return cls(
            solution_id=needed(row, "solutionid"),
            unique_name=needed(row, "uniquename"),
            friendly_name=text(row, "friendlyname") or "",
            version=needed(row, "version"),
            managed=flag(row, "ismanaged"),
            publisher=text(inner(row, "publisherid"), "uniquename") or "",
            changed=moment_of(row, "modifiedon"),
        )

    @property
    def base_name(self) -> str:
        """Of a staged upgrade: the name of the solution that it is going to replace."""
        return self.unique_name[: -len(HOLDING)] if self.unique_name.lower().endswith(HOLDING.lower()) else self.unique_name

    def applied(self, base: InstalledSolution | None) -> InstalledSolution:
        """What this staged upgrade becomes when it is applied."""
        return replace(self, unique_name=self.base_name, publisher=self.publisher or (base.publisher if base else ""))

    def to_pending(self) -> Json:
        """The form in a module's result of an upgrade that waits to be applied."""
        return {"unique_name": self.unique_name, "version": self.version, "solution_id": self.solution_id}

    def state(self) -> Json:
        """What a diff shows."""
        return {"unique_name": self.unique_name, "version": self.version, "managed": self.managed}


@dataclass(frozen=True)
class Standing:
    """What of one solution is installed."""

    installed: InstalledSolution | None = None
    holding: InstalledSolution | None = None
    """The other row, ``<name>_Upgrade``, of an upgrade that was staged and not applied."""

    @classmethod
    def of(cls, name: str, solutions: Mapping[str, InstalledSolution]) -> Standing:
        """Pick the two rows of a solution."""
        return cls(solutions.get(name.lower()), solutions.get(f"{name}{HOLDING}".lower()))


Solutions = dict[str, InstalledSolution]
"""By unique name in lower case."""


def read_solutions(api: Dataverse, names: list[str]) -> Solutions:
    """The installed ones of the named solutions."""
    found: Solutions = {}
    for first in range(0, len(names), FIRST_READ):
        path = "solutions" + query(
            select=COLUMNS,
            filter=any_of("uniquename", [literal(name) for name in names[first : first + FIRST_READ]]),
            expand="publisherid($select=uniquename)",
        )
        for row in api.rows(path, doing="read the installed solutions"):
            solution = InstalledSolution.from_row(row)
            found[solution.unique_name.lower()] = solution
    return found


def read_standing(api: Dataverse, name: str) -> Standing:
    """The solution, and its staged upgrade."""
    return Standing.of(name, read_solutions(api, [name, f"{name}{HOLDING}"]))


def read_patches(api: Dataverse, solution: InstalledSolution) -> list[InstalledSolution]:
    """The installed patches of a solution."""
    path = "solutions" + query(select=COLUMNS, filter=f"_parentsolutionid_value eq {solution.solution_id}")
    return [InstalledSolution.from_row(row) for row in api.rows(path, doing=f"read the patches of {solution.unique_name}")]


def check_dependencies(package: SolutionPackage, installed: Solutions) -> None:
    """Raises NotPossible that names every solution that is missing or too old.

    The fourth part of a version drifts between organisations, so only the first three are compared.
    """
    versions = {name: there.version for name, there in installed.items()}
    missing = unmet(package.dependencies, versions)
    if missing:
        raise NotPossible(
            doing=f"import the solution {package.unique_name}",
            why=f"the package needs {'; '.join(told(missing, versions))}.",
            next_step="Install these solutions first. The lead tables come with a Dynamics 365 app such as Sales.",
            facts={"missing_dependencies": to_result(missing, versions)},
        )


def imports_asynchronously(api: Dataverse, api_version: str, organization_version: str | None) -> bool:
    """Whether the organisation offers ``ImportSolutionAsync``. Reads its version unless it is told."""
    if _major(api_version) < 9:
        return False
    try:
        version = organization_version or (text(api.get("RetrieveVersion", doing="read the organisation's version"), "Version") or "")
        return version_parts(version) >= version_parts(ASYNC_IMPORT_SINCE)
    except (ServiceRefused, ValueError):  # no version told: today's organisations have it, and the start finds out
        return True


def state(package: SolutionPackage) -> Json:
    """What a diff shows when the package is installed."""
    return {"unique_name": package.unique_name, "version": package.version, "managed": package.managed}


def role_ids(api: Dataverse, package: SolutionPackage) -> Mapping[str, str]:
    """The ids of the package's roles that are there, in the root business unit, by the id that the package gives them."""
    found: dict[str, str] = {}
    for first in range(0, len(package.roles), FIRST_READ):
        wanted = package.roles[first : first + FIRST_READ]
        names = any_of("name", [literal(role.name) for role in wanted])
        path = "roles" + query(select="roleid,name", filter=f"_parentroleid_value eq null and ({names})")
        rows = list(api.rows(path, doing="read the roles that the solution brings"))
        for role in wanted:
            same = [row for row in rows if (lower(row, "name") or "") == role.name.lower()]
            same.sort(key=lambda row: needed_id(row, "roleid") != role.id)
            if same:
                found[role.id] = needed(same[0], "roleid")
    return found


def kind(*, managed: bool) -> str:
    """The word for it."""
    return "managed" if managed else "unmanaged"


def _major(api_version: str) -> int:
    digits = api_version.lstrip("vV").split(".")[0]
    return int(digits) if digits.isdigit() else 9
