# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connections and values of one run: what the package needs, what was asked for, and what is therefore written.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ._dataverse import Dataverse
from ._errors import ServiceRefused
from ._plan import Json
from ._solution_package import SolutionPackage
from ._solution_settings import Found, SettingsPlan, Wanted, names_of, needs_values, plan_settings, read_found


@dataclass
class Values:
    """Read as often as it may have changed: before an import, and after it."""

    api: Dataverse
    package: SolutionPackage
    wanted: Wanted
    warn: Callable[[str], None]
    needs: Json | None = None
    """What has no value yet; None if that was not read."""
    plan: SettingsPlan = field(default_factory=SettingsPlan)

    def read(self, *, importing: bool, tolerate_unknown: bool = False) -> None:
        """Nothing is read unless the package or the options have connection references or environment variables."""
        connections, variables = names_of(self.package, self.wanted)
        if not connections and not variables:
            return
        try:
            found = read_found(self.api, connections, variables)
        except ServiceRefused as error:
            if self.wanted:
                raise
            self.warn(f"Which connection references and environment variables have values could not be read: {error.message or error.why}")
            return
        self.needs = needs_values(self.package, self.wanted, found)
        missing = [*self.needs["connection_references"], *self.needs["environment_variables"]]
        if missing and importing:
            self.warn(f"The solution {self.package.unique_name} needs values for {', '.join(missing)}; see connection_references and environment_variables.")
        unknown = tolerate_unknown and not _all_known(self.wanted, found)
        self.plan = SettingsPlan() if unknown else plan_settings(self.package, self.wanted, found, importing=importing)


def _all_known(wanted: Wanted, found: Found) -> bool:
    return all(item.logical_name.lower() in found.connections for item in wanted.connections) and all(
        name.lower() in found.definitions for name, _value in wanted.variables
    )
