# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of ``asyncoperations`` for operations on solutions."""

from __future__ import annotations

from collections.abc import Mapping

from ..store import Document
from .organization import Organization, empty_row, time_text

_NAMES: Mapping[str, str] = {"Promote": "DeleteAndPromote", "Uninstall": "UninstallSolution", "PublishAll": "PublishAllXml"}
_OWN_TYPES: Mapping[str, int] = {"Import": 203, "Hold": 203, "PublishAll": 204, "Promote": 207, "Uninstall": 208, "Upgrade": 211}


def operation_row(org: Organization, job: Document, caller: Document) -> Document:
    """Make the row of a job that has just been queued."""
    system = next((row["systemuserid"] for row in org.rows("systemuser") if row.get("_special") == "SYSTEM"), None)
    created = time_text(job["started"])
    own = org.switch("operation_types", "execute") == "own"
    return empty_row(
        "asyncoperation",
        {
            "asyncoperationid": job["asyncoperationid"],
            "name": _NAMES.get(job["kind"], "ImportSolution"),
            "messagename": job["message"],
            "operationtype": _OWN_TYPES[job["kind"]] if own else 54,
            "subtype": 1,
            "depth": 1,
            "statecode": 0,
            "statuscode": 0,
            "createdon": created,
            "startedon": created,
            "expanderstarttime": created,
            "correlationupdatedtime": created,
            "correlationid": org.world.new_id(),
            "parentpluginexecutionid": "00000000-0000-0000-0000-000000000000",
            "iswaitingforevent": False,
            "retainjobhistory": False,
            "retrycount": 0,
            "timezoneruleversionnumber": 0,
            "sequence": org.next_version(),
            "hostid": "EMU001.MSCRMAsyncService",
            "dependencytoken": f"SolutionOperation_{{{org.id}}}",
            "_ownerid_value": caller["systemuserid"],
            "_owninguser_value": caller["systemuserid"],
            "_owningbusinessunit_value": caller["_businessunitid_value"],
            "_createdby_value": system,
            "_modifiedby_value": system,
            "_createdonbehalfby_value": caller["systemuserid"],
            "_modifiedonbehalfby_value": caller["systemuserid"],
        },
    )
