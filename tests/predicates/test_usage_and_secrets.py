"""Conformance data of the predicates about use and about secrets in code, and what data alone cannot say."""

from __future__ import annotations

from typing import Any

from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.values import Unresolved
from policyengine.rules.predicates import usage
from policyengine.rules.predicates.pipeline import code_secrets

from .conformance import subject


def password(value: Any) -> Any:
    about = subject({"case": "password"})
    about.resource.properties["Password"] = value
    return code_secrets.by_reference(about, properties=["Password"]).truth


def test_a_parameter_without_default_keeps_its_value_out_of_the_code() -> None:
    assert password(Unresolved("unresolved_reference", "parameter `Secret` has no default")) is TRUE
    assert password(Unresolved("redacted", "parameter `Secret` is NoEcho", present=True)) is UNKNOWN


def test_a_reference_that_cloudformation_resolves_is_judged_by_where_it_leads() -> None:
    assert password(Unresolved("unresolved_reference", "{{resolve:secretsmanager:s:SecretString:p}}")) is TRUE
    assert password(Unresolved("unresolved_reference", "{{resolve:ssm-secure:p:1}}")) is TRUE
    assert password(Unresolved("unresolved_reference", "{{resolve:ssm:p:1}}")) is FALSE


def test_a_text_with_an_unknown_part_is_a_reference_when_it_begins_as_one() -> None:
    secret = Unresolved(
        "unresolved_reference", parts=("{{resolve:secretsmanager:", ":SecretString:password}}")
    )
    assert password(secret) is TRUE
    assert password(Unresolved("unresolved_reference", parts=("{{resolve:ssm:", "}}"))) is UNKNOWN
    assert password(Unresolved("unresolved_reference", target=("a", "Arn"), parts=("abc", ""))) is UNKNOWN


def services(count: int) -> Any:
    entries = [{"ServiceNamespace": f"s{index}"} for index in range(count)]
    properties = {
        "CreateDate": "2020-01-01",
        "ServiceLastAccessedDetails": {"ServicesLastAccessed": entries},
    }
    return subject({"case": "services", "properties": properties})


def test_a_long_list_of_unused_services_is_cut() -> None:
    shown = usage.services(services(200), days=90, only=()).evidence[0].observed
    assert shown.startswith("s0 (never), s1 (never)")
    assert shown.endswith("s7 (never) and 192 more")


def test_days_before_all_time_are_all_days() -> None:
    assert (
        usage.within(
            subject({"case": "old", "properties": {"Last": "1999-01-01"}}),
            field=("Last",),
            reported=("Report",),
            days=10**9,
        ).truth
        is TRUE
    )
