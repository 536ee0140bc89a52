# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Dataverse answers about records, queries and its limits.

This file is private to the collection.
"""

from __future__ import annotations

from ._error_entries import Entry, codes

DATAVERSE: tuple[Entry, ...] = (
    Entry(
        "app-missing",
        "dataverse",
        "The organisation has no table called {table}.",
        "Check that the Dynamics 365 app that brings it (Sales, for leads) is installed.",
        pattern=r"(?:not found for the segment|entity with a name =) '(?P<table>leads?)'",
    ),
    Entry(
        "table-missing",
        "dataverse",
        "The organisation knows no table or operation called {table}.",
        "Check its spelling, that the app that brings it is installed, and that api_version fits the organisation.",
        codes("0x80060888", "0x80041102"),
        r"(?:not found for the segment|entity with a name =) '(?P<table>[^']+)'",
    ),
    Entry(
        "query-refused",
        "dataverse",
        "The organisation does not understand the request. It says: {message}.",
        "Check that api_version fits the organisation; if it does, report this as a bug of the collection.",
        codes("0x80060888", "0x80048d19", "0x80041102", "0x80041103", "0x80040201", "0x80048544"),
    ),
    Entry(
        "record-missing",
        "dataverse",
        "The record does not exist (any more).",
        "Check the id or name that the task gives; what was created seconds ago may need a moment.",
        codes("0x80040217", "0x80060891", "0x8004f603"),
        details=(
            (r"(?:Entity '(?P<table>\w+)'|^(?P<name>\w+)) With Id = (?P<id>[0-9a-f-]{36})", "Looked for: {table}{name} {id}."),
            (r"key values does not exist in (?P<table>\w+)", "The table is {table}."),
        ),
    ),
    Entry(
        "record-exists",
        "dataverse",
        "A record with the same key is there already.",
        "Run again: another run may have made it meanwhile.",
        codes("0x80040237", "0x80060892"),
    ),
    Entry(
        "duplicate-rule",
        "dataverse",
        "A duplicate detection rule of the organisation found a similar record.",
        "Remove the similar record, or change the rule.",
        codes("0x80040333"),
    ),
    Entry(
        "changed-meanwhile",
        "dataverse",
        "Somebody changed the record while this task worked on it.",
        "Run again.",
        codes("0x80060882", "0x80060883", "0x80060893", "0x80044163"),
    ),
    Entry(
        "value-refused",
        "dataverse",
        "The organisation does not accept a value. It says: {message}.",
        "Correct the value that it names.",
        codes("0x80040203", "0x80044331"),
    ),
    Entry(
        "plugin-refused",
        "dataverse",
        "A plug-in or workflow of the organisation stopped the operation. It says: {message}.",
        "Ask who customised this organisation; Plug-in trace log has the details.",
        codes("0x80040265"),
    ),
    Entry(
        "job-not-finished",
        "dataverse",
        "A background job that is still running, or postponed, cannot be deleted or changed.",
        "Wait until it is done (System jobs shows it) and run again.",
        codes(
            "0x80040328",
            "0x80040339",
            "0x8004416a",
            "0x80060916",
            "0x80060917",
            "0x80044162",
            "0x80044165",
            "0x80044166",
            "0x80044167",
            "0x80044f00",
            "0x80044f01",
        ),
    ),
    Entry(
        "service-protection",
        "dataverse",
        "The caller sent more than the organisation's service protection limits allow.",
        "Run fewer tasks at once against this organisation, or raise retry_timeout.",
        codes("0x80072322", "0x80072321", "0x80072326", "0x8005f103", "0x80060714"),
        details=((r"exceeded (?:the )?limit of (?P<limit>[\d,]+)", "The limit is {limit}."),),
    ),
    Entry(
        "database-busy",
        "dataverse",
        "The organisation's database is too busy or timed out.",
        "Run again later; what is done already stays done.",
        codes("0x80044150", "0x80044151", "0x8004a001"),
    ),
    Entry(
        "plug-ins-restarting",
        "dataverse",
        "The organisation's plug-ins failed so often that it restarts them. It says: {message}.",
        "Run again in some minutes; if it stays, ask who customised this organisation.",
        codes("0x80081116"),
    ),
    Entry(
        "licences-used-up",
        "dataverse",
        "The organisation has not enough licences for the users that are to be enabled.",
        "Buy or free licences, or disable users that are not needed.",
        codes("0x80042f14"),
    ),
    Entry(
        "organization-expired",
        "dataverse",
        "The trial, registration or licence of the organisation is over, so nothing can be changed in it.",
        "Buy or renew the subscription, or use another environment.",
        codes("0x8004415c", "0x8004415d", "0x8004415f"),
    ),
    Entry(
        "licence-service-down",
        "dataverse",
        "The organisation could not find out about licences at the moment.",
        "Run again in some minutes.",
        codes("0x80072300", "0x8004d24a"),
    ),
    Entry(
        "unexpected",
        "dataverse",
        "The organisation failed without a reason that it knows. It says: {message}.",
        "Run again; if it stays, give the request id to Microsoft support.",
        codes("0x80040216", "0x80040224", "0x8006088a", "0x800404a0"),
    ),
)
