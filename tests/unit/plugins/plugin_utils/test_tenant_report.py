# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.leadops.dynamics365.plugins.plugin_utils._tenant_report import WIDTH, Tenant, report, table

WRITE = {"service": "graph", "method": "POST", "path": "users", "summary": "create the user"}
ERROR = {
    "doing": "sign in",
    "why": "the secret has expired.",
    "next_step": "Make a new one.",
    "done": ["create the user"],
    "service": "entra",
    "code": "AADSTS7000222",
}


def changed(name: str) -> Tenant:
    tenant = Tenant(name)
    tenant.note("Create", {"changed": True, "writes": [WRITE]})
    return tenant


def failed(name: str) -> Tenant:
    tenant = Tenant(name)
    tenant.note_failure("Create", {"msg": "all of it", "error": ERROR})
    return tenant


def test_outcomes():
    assert changed("a").outcome(check_mode=False) == "done"
    assert changed("a").outcome(check_mode=True) == "would change"
    assert Tenant("a").outcome(check_mode=False) == "unchanged"
    assert failed("a").outcome(check_mode=True) == "failed"


def test_writes_of_a_task_that_only_looked_do_not_count():
    tenant = Tenant("a")
    tenant.note("Look", {"changed": False, "writes": [WRITE]})
    assert tenant.outcome(check_mode=False) == "unchanged"


def test_files_on_the_controller_do_not_count():
    tenant = Tenant("a")
    tenant.note("Write the sheet", {"changed": True, "path": "/somewhere"})
    assert tenant.outcome(check_mode=False) == "unchanged"


def test_table_tells_why_and_what_to_do_with_failures_last():
    lines = [line for _outcome, line in table([failed("b"), changed("c"), Tenant("a")], check_mode=False)]
    assert lines == [
        "a  unchanged",
        "c  done          create the user",
        "b  FAILED        Could not sign in: the secret has expired.",
        "                 What to do: Make a new one.",
        "                 Service: entra, code AADSTS7000222.",
        "                 Done before that: create the user.",
        "",
        "3 tenants: 1 unchanged, 1 done, 1 failed.",
    ]


def test_table_never_claims_a_write_in_check_mode():
    lines = [line for _outcome, line in table([failed("b")], check_mode=True)]
    assert "                 Would be done before that: create the user." in lines


def test_table_keeps_its_width():
    tenant = failed("t" * 60)
    tenant.changes = [{"step": "s", **WRITE, "summary": "give a long list of privileges " * 20}]
    assert max(len(line) for _outcome, line in table([tenant, Tenant("a")], check_mode=False)) <= WIDTH


def test_no_tenant_no_table():
    assert table([], check_mode=False) == []


def test_failure_of_another_collection_is_told_in_one_line():
    tenant = Tenant("a")
    tenant.note_failure("Read", {"msg": "Task failed: Action failed: first\n  second" + " more" * 500})
    assert tenant.failure is not None
    assert tenant.failure.why.startswith("first second more")
    assert len(tenant.failure.why) <= 600


def test_report_is_complete_and_sorted():
    document = report([failed("b"), changed("a")], check_mode=False)
    assert list(document["tenants"]) == ["a", "b"]
    assert document["tenants"]["a"] == {"outcome": "done", "changes": [{"step": "Create", **WRITE}], "failure": None}
    assert document["tenants"]["b"]["failure"]["error"]["code"] == "AADSTS7000222"
