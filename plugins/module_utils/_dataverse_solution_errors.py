# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Dataverse answers about solutions.

This file is private to the collection.
"""

from __future__ import annotations

from ._error_entries import Entry, codes

DATAVERSE_SOLUTIONS: tuple[Entry, ...] = (
    Entry(
        "solution-lock",
        "dataverse",
        "Another import, publish or removal is running in the organisation.",
        "Wait until it is done (Solution history shows it) and run again.",
        codes("0x80071151", "0x8004f061", "0x8004f062", "0x8004f063", "0x8004f064", "0x8004f067", "0x8004ed47"),
        details=((r"(?:previous|another) \[(?P<running>\w+)\] running", "What runs is: {running}."),),
    ),
    Entry(
        "solution-import-timeout",
        "dataverse",
        "The organisation gave up after its own time limit; another import may be running.",
        "Look at Solution history, wait until nothing runs, then run again.",
        codes("0x80048543"),
    ),
    Entry(
        "import-id-in-use",
        "dataverse",
        "An import with this id was started before, so it was not started twice.",
        "Look at Solution history for that import; run again after it is done.",
        codes("0x80071152", "0x80071155"),
        details=((r"JobId \((?P<job>[0-9a-f-]{36})\)", "The id is {job}."),),
    ),
    Entry(
        "import-job-missing",
        "dataverse",
        "The organisation knows no such import (yet).",
        "Run again: the record of an import appears some seconds after its start.",
        codes("0x80044252"),
    ),
    Entry(
        "missing-dependencies",
        "dataverse",
        "The solution needs components that the organisation does not have.",
        "Install the solutions that bring them first. The lead tables come with a Dynamics 365 app such as Sales.",
        codes("0x8004801d", "0x80048034"),
        details=(
            (r"following solutions? before (?:installing|importing) this one[.:]* (?P<solutions>[^<]*[^<\s.])", "Missing solutions: {solutions}."),
            (r"cannot be imported: (?P<solution>\w+)", "The solution is {solution}."),
        ),
    ),
    Entry(
        "installed-unmanaged",
        "dataverse",
        "The solution is installed as unmanaged, and the package is managed.",
        "Remove the unmanaged solution from the organisation first (its components stay), then run again.",
        codes("0x80048040"),
    ),
    Entry(
        "installed-managed",
        "dataverse",
        "The solution is installed as managed, and the package is unmanaged.",
        "Use the managed package.",
        codes("0x80048041", "0x80048038"),
    ),
    Entry(
        "publisher-differs",
        "dataverse",
        "A solution of this name from another publisher is installed.",
        "Check that the package is the genuine one.",
        codes("0x8004801c"),
        details=((r"cannot be changed from (?P<installed>\S+) to (?P<given>[^\s.]+)", "The installed one is of {installed}, the package of {given}."),),
    ),
    Entry(
        "version-not-higher",
        "dataverse",
        "An upgrade needs a higher version than the installed one.",
        "Give a newer package, or leave the solution as it is.",
        codes("0x80048541"),
    ),
    Entry(
        "upgrade-pending",
        "dataverse",
        "An earlier upgrade left its holding solution behind.",
        "Apply or delete the pending upgrade in the organisation (Solutions, Apply upgrade), then run again.",
        pattern=r"Holding solution (?P<holding>\w+) already exists",
        details=((r"Holding solution (?P<holding>\w+) already exists", "It is called {holding}."),),
    ),
    Entry(
        "upgrade-not-finished",
        "dataverse",
        "The new version was imported beside the old one, which could then not be removed.",
        "Remove what still uses the old solution, then apply the pending upgrade in the organisation.",
        codes("0x8004f046"),
        details=(
            (r"DependentComponentObject details: Type: (?P<type>[^,]+), ObjectName: (?P<name>[^,]+)", "It is used by {name} ({type})."),
            (r"InnerException is: (?P<inner>.+?)\.?(?: DependencyCount|\s*$)", "The reason it gives: {inner}."),
        ),
    ),
    Entry(
        "upgrade-not-there",
        "dataverse",
        "There is no imported upgrade that could be applied.",
        "Run again: the task imports the solution anew.",
        codes("0x8004853b", "0x8004853c", "0x8004f083"),
    ),
    Entry(
        "solution-in-use",
        "dataverse",
        "Other components depend on the solution, so it cannot be removed.",
        "Remove what depends on it first; Show dependencies lists it in the organisation.",
        codes("0x8004f01d", "0x8004f01f", "0x8004f020"),
        details=(
            (r"DependencyCount ?: (?P<count>\d+)", "Number of dependencies: {count}."),
            (r"required by the '(?P<solution>[^']+)' solution", "It is required by the solution {solution}."),
            (r"RequiredComponentObject details: Type: (?P<type>[^,]+), ObjectName: (?P<name>[^,]+)", "In use is {name} ({type})."),
            (
                r"DependentComponentObject details: Type: (?P<type>[^,]+),(?: ObjectName: (?P<name>[^,]+),)? Id: (?P<id>[0-9a-f-]{36})",
                "It is used by a component of the type {type} with the id {id}.",
            ),
        ),
    ),
    Entry(
        "solution-patched",
        "dataverse",
        "The solution has patches, so it cannot be changed or removed itself.",
        "Remove its patches first.",
        codes("0x80048538"),
        details=((r"following patches: (?P<patches>.+?)\.?$", "Patches: {patches}."),),
    ),
    Entry(
        "unmanaged-in-the-way",
        "dataverse",
        "The organisation has a component of its own where the solution brings one of the same name.",
        "Remove or rename the organisation's own component, then run again.",
        codes("0x8004f016", "0x8004803b"),
        details=((r"overwrite the (?P<type>\w+) component (?P<name>\S+) with Id=(?P<id>[0-9a-f-]{36})", "It is {name} ({type}, id {id})."),),
    ),
    Entry(
        "import-privilege-missing",
        "dataverse",
        "The caller may not import a part of the solution.",
        "Give the caller's system user the role System Administrator; System Customizer is not enough for solutions with roles or plug-ins.",
        codes("0x8004802f", "0x80048018", "0x80048029"),
        details=((r"(?:The|includes the) (?P<privilege>prv\w+|[\w ]+) privilege", "The privilege is {privilege}."),),
    ),
    Entry(
        "import-role-failed",
        "dataverse",
        "A role of the solution cannot be updated, or the organisation has another role of its name.",
        "Rename or remove the organisation's own role, then run again.",
        codes("0x80048017"),
    ),
    Entry(
        "wrong-generation",
        "dataverse",
        "The package was made for another version or edition than this organisation's.",
        "Get the package for this version of Dynamics 365.",
        codes("0x80048066", "0x80048068", "0x8004806b"),
    ),
    Entry(
        "package-too-large",
        "dataverse",
        "The package is larger than the organisation takes.",
        "Check that the file is the right one; solution packages are small.",
        codes("0x80040375", "0x8004418a"),
    ),
    Entry(
        "bad-package",
        "dataverse",
        "The organisation does not accept the file as a solution.",
        "Download the package again and compare its checksum.",
        codes("0x80048060", "0x8004802c", "0x8004801a", "0x80048013", "0x8004f066", "0x80071153"),
    ),
    Entry(
        "solution-name-taken",
        "dataverse",
        "The unique name of the solution is taken, reserved, or not allowed.",
        "Use the package as its publisher made it.",
        codes("0x8004f022", "0x8004f023", "0x8004f002"),
        details=((r"unique name '(?P<name>[^']+)'", "The name is {name}."),),
    ),
    Entry(
        "solution-protected",
        "dataverse",
        "The solution belongs to the system or is managed, and cannot be changed or removed.",
        "Choose another solution.",
        codes("0x8004f005", "0x8004f007", "0x8004f008", "0x8004f009", "0x8004f00a", "0x8004f024", "0x8004f000", "0x8004f035"),
    ),
    Entry(
        "solution-import-failed",
        "dataverse",
        "The import of the solution failed. The organisation says: {message}.",
        "Correct what the organisation names; Solution history has the details.",
        codes("0x80048033", "0x8004801e", "0x80047019", "0x80050122"),
    ),
    Entry(
        "background-jobs-off",
        "dataverse",
        "The organisation does not run background jobs at the moment, which imports need.",
        "Wait some minutes after an organisation was created; else switch off administration mode or enable background operations.",
        pattern=r"Async operations are currently disabled",
    ),
)
