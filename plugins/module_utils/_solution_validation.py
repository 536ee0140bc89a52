# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the organisation thinks of a package before it is imported (``StageSolution``).

The package is uploaded for it, and the import then names the upload, so it travels once.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ._errors import NotPossible
from ._odata import Row
from ._plan import Json, Plan, Write
from ._rows import inner, listed, lower, text, value_of
from ._solution_import_results import hex_code
from ._solution_package import SolutionPackage
from ._solution_turns import CarryOut
from ._solution_writes import upload_id, validate_write

PASSED = "passed"


@dataclass
class Validation:
    """One package, validated at most once."""

    package: SolutionPackage
    tell: Callable[[str], None]
    results: Json = field(default_factory=dict)
    upload_id: str = ""
    writes: tuple[Write, ...] = ()

    def carry_out(self, send: CarryOut) -> None:
        """Upload; raises NotPossible for a package that would not get through."""

        def keep(answer: Json) -> str:
            self.results = inner(answer, "StageSolutionResults")
            return upload_id(self.results)

        write = validate_write(self.package, keep)
        self.upload_id = send(Plan({}, {}, (write,)))["upload"]
        self.writes = (write,)
        if problem := problems(self.results):
            raise NotPossible(
                doing=f"import the solution {self.package.unique_name} {self.package.version}",
                why=f"the organisation validated the package and refuses it: {problem}",
                next_step="Correct what the organisation names. Nothing was imported; the organisation clears the upload away itself.",
                done=[write.summary],
            )
        remarked = "".join(f"; it remarks: {remark}" for remark in remarks(self.results))
        self.tell(f"the organisation has validated {self.package.unique_name} {self.package.version}{remarked}")


def remarks(results: Json) -> list[str]:
    """What the organisation says besides, such as warnings."""
    return [_told(found) for found in listed(results, "SolutionValidationResults") if not _is_error(found)]


def _is_error(found: Row) -> bool:
    return (lower(found, "SolutionValidationResultType") or "error") == "error"


def _told(found: Row) -> str:
    """The message, what the organisation adds to it, and the code."""
    message, more = text(found, "Message") or "", text(found, "AdditionalInfo") or ""
    said = message if not more or more in message else f"{message} {more}".strip()
    return f"{said or 'no text'} ({hex_code(value_of(found, 'ErrorCode')) or text(found, 'SolutionValidationResultType') or 'no code'})"


def problems(results: Json) -> str:
    """What speaks against the import, as text; empty if nothing does."""
    told = [_told(found) for found in listed(results, "SolutionValidationResults") if _is_error(found)]
    for missing in listed(results, "MissingDependencies"):
        name = text(missing, "RequiredComponentDisplayName") or text(missing, "RequiredComponentSchemaName") or "a component"
        kind = text(missing, "RequiredComponentType") or "component"
        told.append(f"{kind} {name} of {text(missing, 'RequiredSolutionName') or 'another solution'} is missing")
    status = text(results, "StageSolutionStatus") or ""
    if status.lower() == PASSED:
        return ""
    return "; ".join(told) or f"its status is '{status or 'unknown'}', without a reason."
