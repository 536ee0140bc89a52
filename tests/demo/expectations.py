# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How each kind of tenant must end, so that the demo can tell whether all is well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Expectation:
    """The outcome of the first run, and a word of the reason where it must fail."""

    first: str
    about: str = ""
    means: str = ""

    @property
    def second(self) -> str:
        """The outcome of the second run."""
        return "failed" if self.first == "failed" else "unchanged"


BY_KIND = {
    "fresh": Expectation("done", means="nothing was there"),
    "done": Expectation("unchanged", means="already set up"),
    "half_done": Expectation("done", means="set up by half"),
    "org_8_2": Expectation("done", means="organisation of version 8.2"),
    "org_older": Expectation("done", means="organisation older than 8.2, which needs no extra privileges"),
    "no_seats": Expectation("failed", "seat", "no seat left of the product"),
    "other_business_unit": Expectation("done", means="user in another business unit"),
    "role_not_customizable": Expectation("failed", "customiz", "managed role that cannot be edited"),
    "throttled": Expectation("done", means="throttled by the services"),
    "wrong_tenant_id": Expectation("failed", "tenant", "wrong tenant id in the inventory"),
    "no_rights": Expectation("failed", "lacks", "automation without rights"),
}


def problems(kinds: dict[str, str], first: Json, second: Json) -> list[str]:
    """What is not as it must be, as sentences; ``first`` and ``second`` are the reports of the runs."""
    found = []
    for name, kind in kinds.items():
        expected = BY_KIND[kind]
        for run, report, outcome in (("first", first, expected.first), ("second", second, expected.second)):
            told = report["tenants"].get(name)
            if told is None:
                found.append(f"{name}: the {run} run says nothing about it.")
                continue
            if told["outcome"] != outcome:
                found.append(f"{name}: the {run} run ended '{told['outcome']}' instead of '{outcome}'.")
            elif told["failure"] and (expected.about not in told["failure"]["why"].lower() or not told["failure"]["next_step"]):
                found.append(f"{name}: the {run} run failed without naming '{expected.about}' as cause, or a next step.")
        if second["tenants"].get(name, {}).get("changes"):
            found.append(f"{name}: the second run changed something.")
    return found
