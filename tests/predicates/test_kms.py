"""Conformance data of the KMS predicates, and how the engine finds the keys they ask about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policyengine.engine.world import World
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.rules.predicates import kms
from policyengine.rules.predicates.api import Predicate

from .conformance import cases, check

PREDICATES: dict[str, Predicate] = {p.name: p for p in kms.PREDICATES}
CASES = [(name, case) for name in PREDICATES for case in cases(name)]
ROOT = Path(__file__).resolve().parents[2]
HERE = ("111122223333", "eu-west-1")
RELATION = {"to": "AWS::KMS::Key", "scope": "account-region", "via": "KmsKeyId", "by": None, "key": None}
ARN = "arn:aws:kms:{}:{}:key/k1"


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{n}: {c['case']}" for n, c in CASES])
def test_conformance(name: str, case: dict[str, Any]) -> None:
    check(PREDICATES[name], case)


@pytest.mark.parametrize("name", PREDICATES)
def test_every_predicate_is_documented_and_shown_in_all_three_truths(name: str) -> None:
    page = (ROOT / "docs" / "predicates" / "kms.md").read_text(encoding="utf-8")
    assert f"## `{name}`" in page
    assert PREDICATES[name].summary in page
    assert {case["expect"] for n, case in CASES if n == name} >= ({"TRUE", "FALSE", "UNKNOWN"})


def _resource(kind: str, name: str, **properties: Any) -> Resource:
    return Resource(kind, name, *HERE, properties)


def _found(value: Any, *others: Resource, covered: bool = True, many: bool = False) -> Any:
    world = World(frozenset({(*HERE, "*")}) if covered else frozenset())
    subject = _resource("AWS::EC2::Volume", "vol-1", KmsKeyId=value)
    for one in (subject, *others):
        world.add(one)
    return world.related({**RELATION, "many": many}, subject)


KEY = _resource("AWS::KMS::Key", "k1", KeyId="k1")


@pytest.mark.parametrize("value", ["k1", ARN.format(HERE[1], HERE[0])])
def test_a_key_is_found_by_id_and_arn(value: str) -> None:
    assert _found(value, KEY) == [KEY]


@pytest.mark.parametrize("target", ["k1", ARN.format(HERE[1], HERE[0])])
@pytest.mark.parametrize("value", ["alias/data", f"arn:aws:kms:{HERE[1]}:{HERE[0]}:alias/data"])
def test_a_key_is_found_behind_its_alias(value: str, target: str) -> None:
    alias = _resource("AWS::KMS::Alias", "alias/data", AliasName="alias/data", TargetKeyId=target)
    assert _found(value, KEY, alias) == [KEY]


def test_an_alias_in_the_same_source_leads_to_the_key_it_refers_to() -> None:
    target = Unresolved("unresolved_reference", present=True, target=("k1", "KeyId"))
    alias = _resource("AWS::KMS::Alias", "Alias", AliasName="alias/data", TargetKeyId=target)
    value = Unresolved("unresolved_reference", present=True, target=("Alias", "Ref"))
    assert _found(value, KEY, alias) == [KEY]


@pytest.mark.parametrize(
    "value",
    [
        "alias/unknown",
        ARN.format(HERE[1], "999999999999"),
        ARN.format("us-east-1", HERE[0]),
    ],
)
def test_what_lies_elsewhere_is_not_said_to_be_gone(value: str) -> None:
    found = _found(value, KEY)
    assert isinstance(found, Unresolved) and found.reason == "not_collected"


def test_a_key_that_is_not_among_the_accounts_keys_is_gone() -> None:
    assert _found("k2", KEY) == []
    assert isinstance(_found("k2", KEY, covered=False), Unresolved)
