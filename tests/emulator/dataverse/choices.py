# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The choices of choice columns, by table and column.

Where public sources give only the values, the labels are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

_CHOICES: Mapping[str, Mapping[str, str]] = {
    "account": {
        "industrycode": "1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|18|19|20|21|22|23|24|25|26|27|28|29|30|31|32|33",
        "statecode": "0 Active|1 Inactive",
        "statuscode": "1 Active|2 Inactive",
    },
    "asyncoperation": {
        "statecode": "0 Ready|1 Suspended|2 Locked|3 Completed",
        "statuscode": "0 Waiting For Resources|10 Waiting|20 In Progress|21 Pausing|22 Canceling|30 Succeeded|31 Failed|32 Canceled",
    },
    "businessunit": {
        "address1_addresstypecode": "1",
        "address1_shippingmethodcode": "1",
        "address2_addresstypecode": "1",
        "address2_shippingmethodcode": "1",
    },
    "contact": {
        "statecode": "0 Active|1 Inactive",
        "statuscode": "1 Active|2 Inactive",
    },
    "lead": {
        "address1_addresstypecode": "1 Default Value",
        "address1_shippingmethodcode": "1 Default Value",
        "address2_addresstypecode": "1 Default Value",
        "address2_shippingmethodcode": "1 Default Value",
        "budgetstatus": "0 No Committed Budget|1 May Buy|2 Can Buy|3 Will Buy",
        "industrycode": (
            "34 Agriculture, hunting, forestry and fishing|35 Energy and water|"
            "36 Mining and processing of non-energy minerals and by-products; chemicals industry|"
            "37 Metal-processing industry, precision engineering|38 Other manufacturing industries|39 Building and civil engineering|"
            "40 Retail, food and lodging, repairs|41 Transport and communications|"
            "42 Credit institutions, insurance, services to corporations, rentals|43 Other services"
        ),
        "initialcommunication": "0 Contacted|1 Not Contacted",
        "leadqualitycode": "1 Hot|2 Warm|3 Cold",
        "leadsourcecode": (
            "1 Advertisement|2 Employee Referral|3 External Referral|4 Partner|5 Public Relations|6 Seminar|7 Trade Show|8 Web|9 Word of Mouth|10 Other"
        ),
        "need": "0 Must have|1 Should have|2 Good to have|3 No need",
        "preferredcontactmethodcode": "1 Any|2 Email|3 Phone|4 Fax|5 Mail",
        "prioritycode": "1 Major|2 High|3 Medium|4 Low",
        "purchaseprocess": "0 Individual|1 Committee|2 Unknown",
        "purchasetimeframe": "0 Immediate|1 This Quarter|2 Next Quarter|3 This Year|4 Unknown",
        "salesstage": "0 Qualify",
        "salesstagecode": "1 Default Value",
        "statecode": "0 Open|1 Qualified|2 Disqualified",
        "statuscode": "1 New|4 Lost|2 Contacted|3 Qualified|5 Cannot Contact|6 No Longer Interested|7 Canceled",
    },
    "publisher": {
        "address1_addresstypecode": "1",
        "address1_shippingmethodcode": "1",
        "address2_addresstypecode": "1",
        "address2_shippingmethodcode": "1",
    },
    "role": {
        "componentstate": "0|1|2|3",
        "isautoassigned": "0|1",
        "isinherited": "0 Team privileges only|1 Direct User (Basic) access level and Team privileges",
    },
    "solution": {
        "solutiontype": "0 None|1 Snapshot|2 Internal",
        "sourcecontrolsyncstatus": "0 Not started|1 Initial sync in progress|2 Errors in initial sync|3 Pending changes to be committed|4 Committed",
    },
    "solutioncomponent": {
        "rootcomponentbehavior": "0|1|2",
    },
    "systemuser": {
        "accessmode": "0 Read-Write|1 Administrative|2 Read|3 Support User|4 Non-interactive|5 Delegated Admin",
        "address1_addresstypecode": "1",
        "address1_shippingmethodcode": "1",
        "address2_addresstypecode": "1",
        "address2_shippingmethodcode": "1",
        "azurestate": "0|1|2",
        "caltype": "0|1|2|3|4|5|6|7|8|9|10|11|12",
        "deletedstate": "0|1",
        "emailrouteraccessapproval": "0|1|2|3",
        "incomingemaildeliverymethod": "0|1|2|3",
        "invitestatuscode": "0|1|2|3|4|5|6",
        "outgoingemaildeliverymethod": "0|1|2",
        "preferredaddresscode": "1|2",
        "preferredemailcode": "1",
        "preferredphonecode": "1|2|3|4",
        "systemmanagedusertype": "0|1|2",
    },
}


@cache
def choices(table: str, column: str) -> Mapping[int, str]:
    """List a choice column's labels by value; empty for other columns."""
    pairs = (item.partition(" ") for item in _CHOICES.get(table, {}).get(column, "").split("|") if item)
    return {int(value): label for value, _unused, label in pairs}
