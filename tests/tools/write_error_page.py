# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/docsite/rst/error_catalogue.rst from the error catalogue: ``make error-page``.

Needs nothing but Python and the collection's tree in PYTHONPATH.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.leadops.dynamics365.plugins.module_utils._error_catalogue import CATALOGUE
from ansible_collections.leadops.dynamics365.plugins.module_utils._error_entries import Entry

PAGE = Path(__file__).resolve().parents[2] / "docs/docsite/rst/error_catalogue.rst"

_LABEL = "ansible_collections.leadops.dynamics365.docsite.error_catalogue"
_WIDTH = 120

_HEAD = f"""\
..
  Copyright (c) 2026, leadops.dynamics365 contributors
  GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later
  Written by tests/tools/write_error_page.py from the catalogue in plugins/module_utils: change it there, then run "make error-page".

.. _{_LABEL}:

What the services' errors mean
==============================

When a service refuses something, the modules of this collection look its error up in this catalogue. The failed task then
says what the error means and what to do about it; ``error.catalogue`` in its result holds the name of the entry, which is
the heading here, and ``error.code`` the service's own code.

An error is recognised by its code, by its text, or by both. Words in angle brackets are filled in from the text of the error,
such as the privilege that is missing. Texts are given as regular expressions, and compared without regard to case.

.. contents::
   :local:
   :depth: 1
"""

_SERVICES = {
    "entra": ("Entra ID", "Refused sign-ins. The codes are explained at https://learn.microsoft.com/entra/identity-platform/reference-error-codes."),
    "dataverse": (
        "Dataverse",
        "Refusals of an organisation. All codes: https://learn.microsoft.com/power-apps/developer/data-platform/reference/web-service-error-codes.",
    ),
    "graph": ("Microsoft Graph", "Refusals of the directory: users, licences, directory roles, applications."),
    "power_platform": ("Power Platform admin API", "Refusals about environments."),
    "partner_center": (
        "Partner Center",
        "What Partner Center shows when it checks or uses a lead destination. No module talks to it; the texts help to find what is missing.",
    ),
}


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(line for service in _SERVICES for line in _section(service))]).rstrip() + "\n"


def _section(service: str) -> Iterator[str]:
    title, about = _SERVICES[service]
    yield from ("", f".. _{_LABEL}.{service}:", "", title, "-" * len(title), "", *_wrapped(about))
    for entry in CATALOGUE:
        if entry.service == service:
            yield from ("", f".. _{_LABEL}.{service}.{entry.name}:", "", entry.name, "^" * len(entry.name), "", *_body(entry))


def _body(entry: Entry) -> Iterator[str]:
    if entry.codes:
        title = "Code" if len(entry.codes) == 1 else "Codes"
        yield from _item(title, ", ".join(f"``{code}``" for code in entry.codes))
    if entry.pattern:
        yield from _item("Text", f"``{_readable(entry.pattern)}``", wrap=False)
    yield from _item("Meaning", _plain(entry.meaning))
    if entry.details:
        yield from _item("Where the text tells it", _plain(" ".join(sentence for _pattern, sentence in entry.details)))
    yield from _item("What to do", _plain(entry.next_step))


def _item(title: str, text: str, *, wrap: bool = True) -> Iterator[str]:
    yield title
    yield from (f"  {line}" for line in (_wrapped(text) if wrap else [text]))


def _readable(pattern: str) -> str:
    """The pattern with <name> for each named group, which has no group inside it but nameless ones."""
    return re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"<\1>", pattern)


def _plain(sentence: str) -> str:
    """Without a meaning for reStructuredText; what is filled in stands in angle brackets."""
    return re.sub(r"\{(\w+)\}", r"<\1>", re.sub(r"([\\*`|]|_(?=\W|$))", r"\\\1", sentence))


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE.name}: {len(CATALOGUE)} entries.")
