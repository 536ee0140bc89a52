# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Solutions of an organisation: what is installed, and what a package makes of it.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from ._dataverse import Dataverse
from ._errors import NotPossible, ServiceRefused
from ._odata import Row, any_of, literal, query
from ._plan import Json, Plan, Write
from ._solution_package import SolutionPackage
from ._solution_versions import compare_versions, version_parts

FIRST_READ = 25
"""So many solutions fit into the filter of one URL."""

ASYNC_IMPORT_SINCE = "9.2.21013.131"
"""Before, an organisation offers only the import that answers when it is done."""


class Action(Enum):
    """What brings the organisation to the package's version."""

    NONE = "none"
    INSTALL = "install"
    UPDATE = "update"


@dataclass(frozen=True)
class InstalledSolution:
    """A row of the table ``solutions``."""

    solution_id: str
    unique_name: str
    friendly_name: str
    version: str
    managed: bool
    publisher: str = ""

    @classmethod
    def from_row(cls, row: Row) -> InstalledSolution:
        """Read a row with its publisher expanded."""
        return cls(
            solution_id=str(row["solutionid"]),
            unique_name=str(row["uniquename"]),
            friendly_name=str(row.get("friendlyname") or ""),
            version=str(row["version"]),
            managed=bool(row["ismanaged"]),
            publisher=str((row.get("publisherid") or {}).get("uniquename") or ""),
        )

    def state(self) -> Json:
        """What a diff shows."""
        return {"unique_name": self.unique_name, "version": self.version, "managed": self.managed}


Solutions = dict[str, InstalledSolution]
"""By unique name in lower case."""


@dataclass(frozen=True)
class ImportSettings:
    """How a package is imported."""

    overwrite_unmanaged_customizations: bool = False
    publish_workflows: bool = True


def read_solutions(api: Dataverse, names: list[str]) -> Solutions:
    """The installed ones of the named solutions."""
    found: Solutions = {}
    for first in range(0, len(names), FIRST_READ):
        path = "solutions" + query(
            select="solutionid,uniquename,friendlyname,version,ismanaged",
            filter=any_of("uniquename", [literal(name) for name in names[first : first + FIRST_READ]]),
            expand="publisherid($select=uniquename)",
        )
        for row in api.rows(path, doing="read the installed solutions"):
            solution = InstalledSolution.from_row(row)
            found[solution.unique_name.lower()] = solution
    return found


def decide(package: SolutionPackage, installed: InstalledSolution | None) -> Action:
    """What is to be done; raises NotPossible for what an import cannot or must not do."""
    if installed is None:
        return Action.INSTALL
    order = compare_versions(package.version, installed.version)
    doing = f"import the solution {package.unique_name}"
    if installed.managed != package.managed:
        there, given = _kind(managed=installed.managed), _kind(managed=package.managed)
        remove = "Remove the unmanaged solution from the organisation first (its components stay), then run again."
        raise NotPossible(
            doing=doing,
            why=f"version {installed.version} is installed as {there}, and the package is {given}; an import cannot turn one into the other.",
            next_step=remove if package.managed else "Give the managed package.",
        )
    if installed.publisher and package.publisher and installed.publisher.lower() != package.publisher.lower():
        raise NotPossible(
            doing=doing,
            why=f"the installed solution of this name is from the publisher {installed.publisher}, and the package is from {package.publisher}.",
            next_step="Check that the package is the genuine one.",
        )
    if order < 0:
        raise NotPossible(
            doing=doing,
            why=f"version {installed.version} is installed, which is higher than the package's {package.version}; going back can lose data.",
            next_step=f"Give a package of version {installed.version} or higher.",
        )
    return Action.UPDATE if order else Action.NONE


def check_dependencies(package: SolutionPackage, installed: Solutions) -> None:
    """Raises NotPossible that names every solution that is missing or too old.

    The fourth part of a version drifts between organisations, so only the first three are compared.
    """
    missing: list[str] = []
    for dependency in package.dependencies:
        there = installed.get(dependency.solution.lower())
        if there is None:
            missing.append(f"{dependency}, which is not installed")
        elif dependency.version and compare_versions(there.version, dependency.version, 3) < 0:
            missing.append(f"{dependency}, of which {there.version} is installed")
    if missing:
        raise NotPossible(
            doing=f"import the solution {package.unique_name}",
            why=f"the package needs {'; '.join(missing)}.",
            next_step="Install these solutions first. The lead tables come with a Dynamics 365 app such as Sales.",
        )


def imports_asynchronously(api: Dataverse, api_version: str, organization_version: str | None) -> bool:
    """Whether the organisation offers ``ImportSolutionAsync``. Reads its version unless it is told."""
    if _major(api_version) < 9:
        return False
    try:
        version = organization_version or str(api.get("RetrieveVersion", doing="read the organisation's version").get("Version") or "")
        return version_parts(version) >= version_parts(ASYNC_IMPORT_SINCE)
    except (ServiceRefused, ValueError):  # no version told: today's organisations have it, and the start finds out
        return True


def plan_import(
    package: SolutionPackage, installed: InstalledSolution | None, settings: ImportSettings, *, import_job_id: str, id_from: Callable[[Json], str]
) -> Plan:
    """The import as one write: asynchronous, or with ``import_job_id`` (our own) synchronous."""

    def body() -> Json:
        return {
            "OverwriteUnmanagedCustomizations": settings.overwrite_unmanaged_customizations,
            "PublishWorkflows": settings.publish_workflows,
            "CustomizationFile": package.customization_file,
            **({"ImportJobId": import_job_id} if import_job_id else {}),
        }

    verb = f"update {package.unique_name} from {installed.version} to {package.version}" if installed else f"install {package.unique_name} {package.version}"
    return Plan(
        before=installed.state() if installed else {},
        after=state(package),
        writes=(
            Write(
                "dataverse",
                "POST",
                "ImportSolution" if import_job_id else "ImportSolutionAsync",
                f"{verb} ({_kind(managed=package.managed)})",
                body=body,
                yields="import",
                # An async import answers with new ids each time: a repeat would import twice
                repeatable=False,
                id_from=id_from,
            ),
        ),
    )


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
            same = [row for row in rows if str(row["name"]).lower() == role.name.lower()]
            same.sort(key=lambda row: str(row["roleid"]).lower() != role.id)
            if same:
                found[role.id] = str(same[0]["roleid"])
    return found


def _kind(*, managed: bool) -> str:
    return "managed" if managed else "unmanaged"


def _major(api_version: str) -> int:
    digits = api_version.lstrip("vV").split(".")[0]
    return int(digits) if digits.isdigit() else 9
