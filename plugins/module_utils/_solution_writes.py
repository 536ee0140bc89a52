# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests that change a solution, as writes of a plan. Pure functions.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ._errors import OutcomeUnknown
from ._plan import Json, Write
from ._solution_package import SolutionPackage
from ._solution_rules import Action
from ._solution_turns import JOB, LongWrite
from ._solutions import InstalledSolution, kind

IMPORT = "import"
"""The name of the handle that the start of an import yields."""


@dataclass(frozen=True)
class ImportSettings:
    """How a package is imported."""

    overwrite_unmanaged_customizations: bool = False
    publish_workflows: bool = True
    convert_to_managed: bool = False
    skip_product_update_dependencies: bool = False
    component_parameters: tuple[Json, ...] = ()
    """Connections and values that components of the package get, in the form of the service."""


def import_write(
    package: SolutionPackage,
    installed: InstalledSolution | None,
    action: Action,
    settings: ImportSettings,
    *,
    import_job_id: str = "",
    upload_id: str = "",
    id_from: Callable[[Json], str],
) -> Write:
    """The import as one write: asynchronous, or with ``import_job_id`` (our own) synchronous.

    ``upload_id`` names a package that is in the organisation already. Synchronously there is no upgrade in one call:
    the package comes in beside the old one, and ``apply_write`` is the second half.
    """
    beside = action is Action.STAGE or (action is Action.UPGRADE and bool(import_job_id))

    def body() -> Json:
        return {
            "OverwriteUnmanagedCustomizations": settings.overwrite_unmanaged_customizations,
            "PublishWorkflows": settings.publish_workflows,
            **({"SolutionParameters": {"StageSolutionUploadId": upload_id}} if upload_id else {"CustomizationFile": package.customization_file}),
            **({"ImportJobId": import_job_id} if import_job_id else {}),
            **({"HoldingSolution": True} if beside else {}),
            **({"ConvertToManaged": True} if settings.convert_to_managed else {}),
            **({"SkipProductUpdateDependencies": True} if settings.skip_product_update_dependencies else {}),
            **({"ComponentParameters": list(settings.component_parameters)} if settings.component_parameters else {}),
        }

    path = "ImportSolution" if import_job_id else "StageAndUpgradeAsync" if action is Action.UPGRADE else "ImportSolutionAsync"
    verb = {Action.UPGRADE: "stage the upgrade of" if beside else "upgrade", Action.STAGE: "stage the upgrade of"}.get(action, "update")
    described = (
        f"{verb} {package.unique_name} from {installed.version} to {package.version}" if installed else f"install {package.unique_name} {package.version}"
    )
    # An async import answers with new ids each time: a repeat would import twice
    return Write("dataverse", "POST", path, f"{described} ({kind(managed=package.managed)})", body=body, yields=IMPORT, repeatable=False, id_from=id_from)


def validate_write(package: SolutionPackage, id_from: Callable[[Json], str]) -> Write:
    """Have the organisation look at the package; it keeps the upload for the import."""
    return Write(
        "dataverse",
        "POST",
        "StageSolution",
        f"upload {package.unique_name} {package.version} for validation",
        body=lambda: {"CustomizationFile": package.customization_file},
        yields="upload",
        id_from=id_from,
    )


def apply_write(base_name: str, version: str, reached: Callable[[], bool] | None, *, asynchronous: bool) -> LongWrite:
    """The second half of an upgrade: the staged solution replaces the old one."""
    body: Json = {"UniqueName": base_name}
    write = Write("dataverse", "POST", "DeleteAndPromote", f"apply the staged upgrade of {base_name} to {version}", body, repeatable=False)
    return _long("DeleteAndPromoteAsync", write, body, base_name, reached, asynchronous=asynchronous)


def discard_write(holding: InstalledSolution, reached: Callable[[], bool] | None, *, asynchronous: bool) -> LongWrite:
    """Remove what was staged of an upgrade."""
    return _removal(holding, f"discard the staged upgrade of {holding.base_name} to {holding.version}", reached, asynchronous=asynchronous)


def remove_write(solution: InstalledSolution, reached: Callable[[], bool] | None, *, asynchronous: bool) -> LongWrite:
    """Uninstall. Components of a managed solution go with their data; those of an unmanaged one stay."""
    fate = "with its components and their data" if solution.managed else "its components stay"
    summary = f"uninstall {solution.unique_name} {solution.version} ({kind(managed=solution.managed)}; {fate})"
    return _removal(solution, summary, reached, asynchronous=asynchronous)


def publish_write(*, asynchronous: bool) -> LongWrite:
    """Make customizations visible. Twice does no harm, but one can take longer than a gateway waits."""
    write = Write("dataverse", "POST", "PublishAllXml", "publish all customizations", {}, repeatable=False)
    return _long("PublishAllXmlAsync", write, {}, "", None, asynchronous=asynchronous)


def upload_id(results: Json) -> str:
    """Take the id of an upload from the results of its validation."""
    found = str(results.get("StageSolutionUploadId") or "")
    if not found:
        raise OutcomeUnknown(why="the organisation's answer to the upload names no upload.", next_step="Run again, or without validate.")
    return found


def job_id(answer: Json) -> str:
    """The system job that an asynchronous action answers with; an answer without one is as good as none."""
    found = str(answer.get("AsyncOperationId") or "")
    if not found:
        raise OutcomeUnknown(why="the organisation's answer names no system job.", next_step="Run again.")
    return found


def _removal(solution: InstalledSolution, summary: str, reached: Callable[[], bool] | None, *, asynchronous: bool) -> LongWrite:
    write = Write("dataverse", "DELETE", f"solutions({solution.solution_id})", summary, repeatable=False)
    return _long("UninstallSolutionAsync", write, {"SolutionUniqueName": solution.unique_name}, solution.unique_name, reached, asynchronous=asynchronous)


def _long(action: str, synchronous: Write, body: Json, solution: str, reached: Callable[[], bool] | None, *, asynchronous: bool) -> LongWrite:
    """Both forms. The asynchronous actions are in Microsoft's reference; which organisations have them is not, so the other form is kept."""
    if not asynchronous:
        return LongWrite(synchronous, solution, None, reached)
    write = Write("dataverse", "POST", action, synchronous.summary, body, yields=JOB, repeatable=False, id_from=job_id)
    return LongWrite(write, solution, synchronous, reached)
