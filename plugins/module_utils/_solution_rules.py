# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a package makes of what is installed: one verb, or a refusal with its reason. Pure functions.

This file is private to the collection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from ._errors import InvalidOption, NotPossible
from ._solution_package import SolutionPackage
from ._solution_versions import compare_versions, version_parts
from ._solutions import InstalledSolution, Standing, kind

OPERATORS = ("==", ">=", "<=", "!=", "=", ">", "<")


class Action(Enum):
    """What brings the organisation to what is wanted."""

    NONE = "none"
    INSTALL = "install"
    UPDATE = "update"
    UPGRADE = "upgrade"
    STAGE = "stage"
    UNINSTALL = "uninstall"


class Pending(Enum):
    """What becomes first of an upgrade that is there half-way."""

    NONE = ""
    APPLY = "apply"
    DISCARD = "discard"
    FINISH = "finish"
    """It is the first half of what is wanted: the second half is applied."""
    FOLLOW = "follow"
    """It is being applied at this moment."""


@dataclass(frozen=True)
class Rules:
    """What the user allows and wants, beside the package."""

    mode: str = "auto"
    version: str = ""
    """A constraint such as ``>=1.2``; empty for none."""
    allow_downgrade: bool = False
    convert_to_managed: bool = False
    stranded_upgrade: str = "fail"


@dataclass(frozen=True)
class Route:
    """The way from what is installed to what is wanted: first the stranded upgrade, then the verb."""

    pending: Pending
    action: Action


def route(package: SolutionPackage, standing: Standing, rules: Rules, *, two_calls: bool = False) -> Route:
    """The whole way; raises NotPossible for what must not or cannot be done.

    ``two_calls``: an upgrade takes two calls in this organisation. A run that was killed between them left the first half, and
    nothing distinguishes that from a staged upgrade of the same version, which is half of what is wanted all the same.
    """
    holding = standing.holding
    if holding is None:
        return Route(Pending.NONE, decide(package, standing.installed, rules))
    if rules.mode == "stage" and not compare_versions(holding.version, package.version):
        return Route(Pending.NONE, Action.NONE)
    if rules.stranded_upgrade == "discard":
        return Route(Pending.DISCARD, decide(package, standing.installed, rules))
    if rules.stranded_upgrade == "apply":
        if compare_versions(holding.version, package.version) > 0:
            raise stranded(holding, standing.installed, f"It is higher than the package's {package.version}, so applying it would lead past the package.")
        return Route(Pending.APPLY, decide(package, holding.applied(standing.installed), rules))
    installed = standing.installed
    action = decide(package, installed, rules) if installed else None
    if action is Action.NONE:
        return Route(Pending.NONE, Action.NONE)  # the wanted version is there; the caller is warned
    if two_calls and action is Action.UPGRADE and not compare_versions(holding.version, package.version):
        return Route(Pending.FINISH, Action.NONE)
    raise stranded(holding, installed)


def decide(package: SolutionPackage, installed: InstalledSolution | None, rules: Rules = Rules()) -> Action:
    """What is to be done; raises NotPossible for what an import cannot or must not do."""
    doing = f"import the solution {package.unique_name}"
    if not package.managed and rules.mode in ("upgrade", "stage"):
        raise NotPossible(
            doing=doing,
            why=f"the package is unmanaged, and an unmanaged solution can only be updated; mode is {rules.mode}.",
            next_step="Set mode to auto or update, or give the managed package.",
        )
    if package.parent and rules.mode in ("upgrade", "stage"):
        raise NotPossible(
            doing=doing,
            why=f"the package is a patch of {package.parent}. A patch is added to its solution and upgrades nothing; mode is {rules.mode}.",
            next_step="Set mode to auto or update, or give the whole solution's package.",
        )
    if installed is None:
        return Action.INSTALL
    _same_kind(package, installed, rules, doing)
    converts = installed.managed != package.managed
    order = compare_versions(package.version, installed.version)
    if order < 0:
        if rules.version and satisfies(installed.version, rules.version):
            return Action.NONE
        return _downgrade(package, installed, rules, doing)
    if converts:
        return Action.UPDATE
    if not order:
        return Action.NONE
    if not package.managed or package.parent or rules.mode == "update":
        return Action.UPDATE
    return Action.STAGE if rules.mode == "stage" else Action.UPGRADE


def check_parent(package: SolutionPackage, parent: InstalledSolution | None) -> None:
    """A patch needs the solution that it patches, in the version that it was made for."""
    if not package.parent:
        return
    doing = f"import the patch {package.unique_name}"
    if parent is None:
        raise NotPossible(
            doing=doing,
            why=f"the package is a patch of {package.parent}, which is not installed. A patch holds only what changed and cannot stand alone.",
            next_step=f"Install {package.parent} first.",
        )
    if version_parts(package.version)[:2] != version_parts(parent.version)[:2]:
        raise NotPossible(
            doing=doing,
            why=f"the package is a patch of {package.parent}, of which {parent.version} is installed; "
            f"a patch of version {package.version} belongs to a version with the same first two parts.",
            next_step="Give the patch that was made for the installed version.",
        )


def check_constraint(text: str, version: str) -> None:
    """Before any request: the constraint can be read, and the package fulfils it."""
    try:
        fulfilled = satisfies(version, text)
    except ValueError as error:
        raise InvalidOption("version", str(error), "Write a version such as 1.2.0.0, or a limit such as >=1.2 or >=1.2,<2.") from error
    if not fulfilled:
        raise InvalidOption("version", f"the package has version {version}, which is not {text}.", "Give the package that is meant, or correct version.")


def satisfies(version: str, constraint: str) -> bool:
    """Whether the version fulfils all parts of the constraint; raises ValueError for one that cannot be read."""
    answers: list[bool] = []
    for part in constraint.split(","):
        match = re.fullmatch(rf"\s*({'|'.join(OPERATORS)})?\s*(\S+)\s*", part)
        if match is None:
            raise ValueError(f"'{part.strip()}' is no version and no limit.")
        order = compare_versions(version, match[2])
        answers.append({">=": order >= 0, "<=": order <= 0, ">": order > 0, "<": order < 0, "!=": order != 0}.get(match[1] or "=", order == 0))
    return all(answers)


def stranded(holding: InstalledSolution, installed: InstalledSolution | None, more: str = "") -> NotPossible:
    """The refusal to go on beside an upgrade that was not finished."""
    base = f"beside version {installed.version}" if installed else "although its solution is not installed"
    return NotPossible(
        doing=f"change the solution {holding.base_name}",
        why=f"an upgrade of it to {holding.version} was staged and never applied: the solution {holding.unique_name} is there {base}, "
        f"and blocks every further import of it.{' ' + more if more else ''}",
        next_step="Set stranded_upgrade to apply to finish that upgrade, or to discard to remove what was staged.",
        facts={"pending_upgrade": holding.to_pending()},
    )


def _same_kind(package: SolutionPackage, installed: InstalledSolution, rules: Rules, doing: str) -> None:
    if installed.managed != package.managed and not (rules.convert_to_managed and package.managed):
        there, given = kind(managed=installed.managed), kind(managed=package.managed)
        remove = "Remove the unmanaged solution from the organisation first (its components stay), or set convert_to_managed, then run again."
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


def _downgrade(package: SolutionPackage, installed: InstalledSolution, rules: Rules, doing: str) -> Action:
    higher = f"version {installed.version} is installed, which is higher than the package's {package.version}"
    if not rules.allow_downgrade:
        raise NotPossible(
            doing=doing,
            why=f"{higher}; going back can lose data.",
            next_step=f"Give a package of version {installed.version} or higher, or set allow_downgrade.",
        )
    if rules.mode in ("upgrade", "stage"):
        raise NotPossible(doing=doing, why=f"{higher}, and an upgrade only goes up.", next_step="Set mode to auto or update to go back.")
    return Action.UPDATE
