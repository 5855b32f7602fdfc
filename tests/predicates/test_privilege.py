"""Conformance data of the predicates about privileges and tenants, and what they share."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.rules.predicates.api import Predicate
from policyengine.rules.predicates.privilege import table as privilege
from policyengine.rules.predicates.privilege.shared import ROLES
from policyengine.rules.predicates.tenants import table as tenants
from policyengine.rules.predicates.tenants.names import in_name

PREDICATES: dict[str, Predicate] = {p.name: p for p in (*privilege.PREDICATES, *tenants.PREDICATES)}


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("privilege.exposes", {"kind": "secrets"}, "`kind: secrets`"),
        ("privilege.wildcards", {"of": "principal"}, "`of: principal`"),
        ("privilege.negated", {"element": "principal"}, "`element: principal`"),
        ("privilege.on_any", {"actions": ["s3:*"], "documents": "mine"}, "`documents: mine`"),
        ("privilege.allows", {"requests": {"actions": []}}, "`actions`"),
        ("tenant.named", {"name": "app-*-{tenant}"}, "no wildcard before it"),
        ("tenant.named", {"name": "app-*"}, "needs `{tenant}` once"),
    ],
)
def test_constant_arguments_that_make_no_sense_are_refused(
    name: str, arguments: dict[str, Any], told: str
) -> None:
    problem = PREDICATES[name].problem
    assert problem is not None
    assert told in (problem(arguments) or "")


def test_what_runs_with_a_role_is_declared() -> None:
    assert set(PREDICATES["privilege.shared_role"].needs) == set(ROLES)


@pytest.mark.parametrize(
    ("name", "pattern", "tenant"),
    [
        ("app-acme-api", "app-{tenant}-*", "acme"),
        ("app-acme", "app-{tenant}*", "acme"),
        ("acme", "{tenant}", "acme"),
        ("acme-data", "{tenant}-data", "acme"),
        ("app--api", "app-{tenant}-*", None),
        ("web-acme-api", "app-{tenant}-*", None),
        ("app-acme", "app-{tenant}-*", None),
        ("app-acme_2-api", "app-{tenant}-*", None),
        ("", "{tenant}", None),
    ],
)
def test_the_tenant_in_a_name(name: str, pattern: str, tenant: str | None) -> None:
    assert in_name(name, pattern) == tenant


def test_names_cost_time_in_proportion_to_their_length() -> None:
    assert in_name("a" * 1_000_000, "{tenant}" + "*a" * 20 + "b") is None
