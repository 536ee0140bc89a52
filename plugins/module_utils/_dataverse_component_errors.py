# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Dataverse answers about single components of a solution, and what it answers in words that many codes share.

This file is private to the collection.
"""

from __future__ import annotations

from ._error_entries import Entry, codes

_ASK_PUBLISHER = "Get the package again from its publisher, as it was exported; what is in it cannot be put right here."

DATAVERSE_COMPONENTS: tuple[Entry, ...] = (
    Entry(
        "patch-does-not-fit",
        "dataverse",
        "The package is a patch that does not fit what is installed. The organisation says: {message}.",
        "Install the solution that the patch belongs to in the right version first, or use the package of the whole solution.",
        codes("0x80048540", "0x8004f042", "0x80061771", "0x80048539"),
    ),
    Entry(
        "solutions-need-each-other",
        "dataverse",
        "Solutions depend on each other in a circle. The organisation says: {message}.",
        "Ask the publishers which of them to change first.",
        codes("0x80071157"),
    ),
    Entry(
        "package-component-wrong",
        "dataverse",
        "The package holds a component that cannot be imported, or does not declare one. The organisation says: {message}.",
        _ASK_PUBLISHER,
        codes(
            "0x8004803a",
            "0x80048536",
            "0x80048537",
            "0x8004f00c",
            "0x8004f015",
            "0x8004f018",
            "0x8004f021",
            "0x80048062",
            "0x80044366",
            "0x80060376",
            "0x80060440",
            "0x80040242",
            "0x80048505",
            "0x80044350",
            "0x80072000",
            "0x80072003",
            "0x80072500",
            "0x8004f01e",
            "0x8004701b",
            "0x8004701c",
            "0x8004701d",
            "0x80044251",
        ),
    ),
    Entry(
        "package-file-missing",
        "dataverse",
        "A file of the package is missing or cannot be used: a web resource, a canvas app or a control. The organisation says: {message}.",
        "Compare the package's checksum. If it is right, get the package again from its publisher, as it was exported.",
        codes("0x8004f11a", "0x8004f11b", "0x80072354", "0x80072356", "0x80160000"),
    ),
    Entry(
        "component-locked-otherwise",
        "dataverse",
        "A component is there already from another publisher, who locked it otherwise. The organisation says: {message}.",
        "Ask the package's publisher; the solution that brought the component first decides.",
        codes("0x8004f031", "0x8004f034"),
    ),
    Entry(
        "process-not-activated",
        "dataverse",
        "A process of the solution could not be activated. The organisation says: {message}.",
        "Give the caller's system user the role System Administrator, or set publish_workflows to false and activate the process by hand.",
        codes("0x80045015", "0x80045016", "0x80045041", "0x80045051"),
    ),
    Entry(
        "component-of-managed-solution",
        "dataverse",
        "The component belongs to a managed solution and cannot be removed alone.",
        "Uninstall the solution that it belongs to.",
        codes("0x80060383", "0x80072457"),
    ),
    Entry(
        "system-solution",
        "dataverse",
        "The package is the default solution or one of the system's own, which cannot be imported like this.",
        "Use the package of a solution with a publisher of its own.",
        codes("0x80048046", "0x80048049", "0x80048048"),
    ),
    Entry(
        "opt-in-needed",
        "dataverse",
        "The package needs features that the organisation has not opted in to.",
        "Have an administrator opt in, or get the package for this edition of Dynamics 365.",
        codes("0x80048069", "0x8004806a"),
    ),
    Entry(
        "import-remark",
        "dataverse",
        "The import replaced, adapted or left out something of the solution. The organisation says: {message}.",
        "See whether what it names is needed; the import itself is not at fault.",
        codes("0x80048042", "0x80048043", "0x80048044", "0x80048067", "0x80044818", "0x8004f655", "0x8004847a"),
    ),
    Entry(
        "designer-access-denied",
        "dataverse",
        "The caller may not customize this organisation.",
        "Give the caller's system user the role System Administrator or System Customizer.",
        codes("0x80050100"),
    ),
)

DATAVERSE_OTHERWISE: tuple[Entry, ...] = (
    # Last resorts: by the words, whatever the code
    Entry(
        "feature-off",
        "dataverse",
        "Something that this needs is switched off in the organisation. It says: {message}.",
        "Have it switched on (Power Platform admin centre, the environment's Features), or do without it.",
        pattern=r"(?:is|are) not (?:yet )?enabled|(?:feature|functionality)[^.]{0,40} (?:not (?:enabled|available|supported)|disabled)"
        r"|Feature Bit for|disabled for organi[sz]ation|not enabled\.",
    ),
    Entry(
        "rights-missing",
        "dataverse",
        "The caller, or the user that this is about, may not do this. The organisation says: {message}.",
        "Give that user a role that allows it; System Administrator holds all that this collection needs.",
        pattern=r"(?:insufficient|not enough|enough|sufficient|necessary|required|not hold|not have|n.t have|n.t been auth|missing|lacks?)\b.{0,60}"
        r"(?:privilege|permission|authori[sz]ed)|contact your (?:system )?administrator",
    ),
    Entry(
        "licence-trouble",
        "dataverse",
        "It is a matter of licences. The organisation says: {message}.",
        "See whether the user has a Dynamics 365 or Power Apps licence, and whether the tenant's subscription is paid (o365_license_info shows both).",
        pattern=r"\blicen[cs]",
    ),
)
