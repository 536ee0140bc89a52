# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""o365_user on a scripted wire: whose admin roles are never taken, and which of those that are eligible or come through groups."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.leadops.dynamics365.plugins.module_utils._directory_roles import GLOBAL_ADMINISTRATOR, HeldRole, plan_role_removal
from ansible_collections.leadops.dynamics365.plugins.module_utils._errors import NotPossible
from ansible_collections.leadops.dynamics365.plugins.module_utils._graph import Graph
from ansible_collections.leadops.dynamics365.plugins.modules import o365_user as module
from ansible_collections.leadops.dynamics365.tests.unit.plugins.directory_user_wire import (
    ARGS,
    DENIED,
    ID,
    ROW,
    UPN,
    assigned,
    by_id,
    by_name,
    eligible,
    error,
    memberships,
    no_pim,
    no_roles,
    why,
)
from ansible_collections.leadops.dynamics365.tests.unit.plugins.wire import AUTH, GRAPH, Expected, run

REMOVE = {**ARGS, "admin_roles": "remove"}
ROLES = f"{GRAPH}/roleManagement/directory"
GLOBAL = {"id": "Z2E-1", "roleDefinitionId": GLOBAL_ADMINISTRATOR, "directoryScopeId": "/", "roleDefinition": {"displayName": "Global Administrator"}}
LESSER = {"id": "Zm9v-1", "roleDefinitionId": "d2", "directoryScopeId": "/", "roleDefinition": {"displayName": "User Administrator"}}
REMOVAL = Expected("DELETE", f"{ROLES}/roleAssignments/Z2E-1", 204)


def global_administrators(*holders: tuple[str, str | None], scope: str = "/", status: int = 200) -> Expected:
    rows = [
        {"principalId": holder, "directoryScopeId": scope, "principal": kind and {"@odata.type": f"#microsoft.graph.{kind}", "id": holder}}
        for holder, kind in ((ID, "user"), *holders)
    ]
    url = f"{ROLES}/roleAssignments?$filter=roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}'&$expand=principal"
    return Expected("GET", url, status, {"value": rows} if status == 200 else DENIED)


@pytest.mark.parametrize("kind", ["user", "group"])
def test_a_global_administrator_among_others_loses_the_role(kind: str):
    script = (memberships(), assigned(GLOBAL), no_pim(), global_administrators(("u2", kind)))
    ended = run(module, REMOVE, by_name(ROW), *script, REMOVAL, by_id(ROW), *no_roles())
    assert (ended.failed, ended.result["user"]["admin_roles"]) == (False, [])
    assert run(module, REMOVE, by_name(ROW), *script, check=True).result["writes"] == ended.result["writes"]


@pytest.mark.parametrize("others", [(), (("app", "servicePrincipal"),), (("unknown", None),)])
@pytest.mark.parametrize("check", [True, False])
def test_the_last_global_administrator_keeps_all_roles(others: tuple[tuple[str, str | None], ...], check: bool):  # noqa: FBT001
    script = (memberships(), assigned(LESSER, GLOBAL), no_pim(), global_administrators(*others))
    assert "only Global Administrator" in why(run(module, REMOVE, by_name(ROW), *script, check=check))


def test_a_global_administrator_of_a_part_of_the_directory_is_no_other_one():
    script = (memberships(), assigned(GLOBAL), no_pim(), global_administrators(("u2", "user"), scope="/administrativeUnits/a1"))
    assert "only Global Administrator" in why(run(module, REMOVE, by_name(ROW), *script))


def test_one_who_may_only_become_global_administrator_needs_no_other_one():
    role = {"roleDefinitionId": GLOBAL_ADMINISTRATOR, "directoryScopeId": "/"}
    name = Expected("GET", f"{ROLES}/roleDefinitions/{GLOBAL_ADMINISTRATOR}?$select=id,displayName", answer={"displayName": "Global Administrator"})
    ended = run(module, REMOVE, by_name(ROW), memberships(), assigned(), eligible(role), name, check=True)
    assert [write["path"] for write in ended.result["writes"]] == ["roleManagement/directory/roleEligibilityScheduleRequests"]


def test_what_may_not_be_read_is_no_proof_that_there_are_others():
    script = (memberships(), assigned(GLOBAL), no_pim(), global_administrators(status=403))
    assert "RoleManagement.Read.Directory" in why(run(module, REMOVE, by_name(ROW), *script))


@pytest.mark.parametrize("check", [True, False])
def test_the_caller_keeps_its_roles(monkeypatch: pytest.MonkeyPatch, check: bool):  # noqa: FBT001
    found = (by_name(ROW), memberships(), assigned(LESSER), no_pim())
    monkeypatch.setattr(Graph, "token_claims", lambda _self: {"oid": ID})
    assert "lock itself out" in why(run(module, REMOVE, *found, check=check))
    monkeypatch.setattr(Graph, "token_claims", lambda _self: {})
    auth = {"tenant_id": AUTH["tenant_id"], "username": UPN.upper(), "password": "not-a-real-secret"}
    monkeypatch.setattr("msal.PublicClientApplication.acquire_token_by_username_password", sign_in)
    assert "lock itself out" in why(run(module, {**REMOVE, "auth": auth}, *found, check=check))
    monkeypatch.setattr(Graph, "token_claims", lambda _self: {"oid": ID})
    assert not run(module, REMOVE, by_name(ROW), *no_roles()).failed, "who has no roles has none to lose"


def sign_in(*_args: t.Any, **_options: t.Any) -> dict[str, t.Any]:
    return {"token_type": "Bearer", "expires_in": 3599, "access_token": "made-up.token.value"}


def test_a_service_that_protects_a_role_is_believed():
    refused = error("Request_BadRequest", "Removing self from Global Administrator built-in role is not allowed")
    script = (memberships(), assigned(GLOBAL), no_pim(), global_administrators(("u2", "user")))
    text = why(run(module, REMOVE, by_name(ROW), *script, Expected("DELETE", REMOVAL.url, 400, refused)))
    assert "Removing self" in text


def test_an_eligible_role_through_a_group_is_the_groups():
    holder = {"@odata.type": "#microsoft.graph.group", "id": "g1", "displayName": "Operators", "isAssignableToRole": True}
    name = Expected("GET", f"{ROLES}/roleDefinitions/d3?$select=id,displayName", answer={"displayName": "Helpdesk Administrator"})
    through = eligible({"roleDefinitionId": "d3", "directoryScopeId": "/"}, principal="g1")
    text = why(run(module, REMOVE, by_name(ROW), memberships(holder), assigned(), assigned(principal="g1"), eligible(), through, name))
    assert "Helpdesk Administrator (eligible, can be activated) through the group Operators" in text


HELD = st.lists(
    st.builds(
        HeldRole,
        id=st.sampled_from(["r1", "r2", GLOBAL_ADMINISTRATOR]),
        name=st.just("Role"),
        how=st.sampled_from(["assigned", "eligible"]),
        group=st.sampled_from([None, None, None, "", "Operators"]),
        scope=st.sampled_from(["/", "/administrativeUnits/a1"]),
        assignment_id=st.sampled_from(["a1", "a2", ""]),
    ),
    max_size=6,
).map(tuple)


@given(HELD)
def test_a_removal_takes_each_role_once_the_active_ones_first_or_nothing(roles: tuple[HeldRole, ...]):
    theirs = [role for role in roles if role.group is not None or (role.how == "assigned" and not role.assignment_id)]
    if theirs:
        with pytest.raises(NotPossible, match="does not hold all of them itself"):
            plan_role_removal(roles, ID, UPN)
        return
    writes = plan_role_removal(roles, ID, UPN)
    methods = [write.method for write in writes]
    assert (methods.count("DELETE"), methods.count("POST")) == tuple([role.how for role in roles].count(how) for how in ("assigned", "eligible"))
    assert methods == sorted(methods), "an eligible role went first"
    assert plan_role_removal((), ID, UPN) == ()
