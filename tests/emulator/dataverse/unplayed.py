# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of the service that the emulator does not play."""

from __future__ import annotations

# The service has these, the emulator does not: asking for one is a gap in the emulator, not a wrong address.
UNPLAYED_SETS = frozenset(
    "activitypointers annotations appmodules appointments businessprocessflowinstances calendars campaigns competitors connections "
    "customapis duplicaterules emails fieldpermissions fieldsecurityprofiles incidents invoices "
    "knowledgearticles mailboxes opportunities pluginassemblies plugintypes positions postfollows privilegeobjecttypecodesset processsessions products "
    "queueitems queues quotes roletemplates salesorders savedqueries sdkmessageprocessingsteps sdkmessages sitemaps subjects "
    "systemforms tasks teamrolescollection teamtemplates territories transactioncurrencies userentityuisettingsset userqueries usersettingscollection "
    "webresourceset workflows GlobalOptionSetDefinitions RelationshipDefinitions ManagedPropertyDefinitions EntityKeyDefinitions".split()
)
