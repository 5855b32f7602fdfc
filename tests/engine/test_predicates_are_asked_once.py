"""A predicate is asked once to decide and explain, and again for every resource, branch and run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from policyengine.engine.evaluate import Evaluator
from policyengine.engine.predicate_node import PredicateNode
from policyengine.engine.world import World
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE
from policyengine.model.resource import Resource
from policyengine.rules.packs import load_packs
from policyengine.rules.predicates.api import Answer, Predicate, Subject
from tests.engine.test_nodes_laws import resource, subject

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OPEN = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}]
CLOSED = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "10.0.0.0/8"}]


@pytest.mark.parametrize("short", [True, False])
def test_deciding_and_explaining_ask_once(short: bool) -> None:
    asked: list[str] = []

    def check(about: Subject) -> Answer:
        asked.append(about.resource.id)
        return Answer(FALSE, (Evidence(("A",), 1, "2", "value_mismatch"),))

    predicate = Predicate(
        "test.p", check, "", short=(lambda: lambda of: check(subject(of))) if short else None
    )
    node = PredicateNode(predicate, {})
    of = resource({})
    about = subject(of)
    assert node.decide(of, about) is FALSE
    assert node.explain(of, about, (), True) == (FALSE, check(about).evidence)
    assert asked == ["x", "x"]  # the second is this test's own


def test_a_short_form_that_does_not_know_has_the_check_asked() -> None:
    answer = Answer(TRUE, ())
    node = PredicateNode(Predicate("test.p", lambda _about: answer, "", short=lambda: lambda _of: None), {})
    of = resource({})
    assert node.decide(of, subject(of)) is TRUE


def group(ingress: list[Any], **more: Any) -> Resource:
    properties = {"GroupDescription": "x", "SecurityGroupIngress": ingress}
    return Resource(
        "AWS::EC2::SecurityGroup", "sg-1", "111122223333", "eu-west-1", properties, tags={}, **more
    )


def test_nothing_is_remembered_from_one_resource_to_the_next() -> None:
    evaluator = Evaluator(load_packs(), now=NOW)
    world = World()
    of = group(OPEN)
    rules = {f.rule for f in evaluator.findings(of, world) if f.verdict == "FAIL" and f.family == "network"}
    assert rules
    of.properties["SecurityGroupIngress"] = CLOSED
    assert not {f.rule for f in evaluator.findings(of, world) if f.verdict == "FAIL"} >= rules


def test_nothing_is_remembered_from_one_branch_to_the_next() -> None:
    evaluator = Evaluator(load_packs(), now=NOW)
    closed = group(CLOSED, branch={"Open": False})
    both = replace(closed, variants=(group(OPEN, branch={"Open": True}),))
    alone = {f.rule for f in evaluator.findings(group(OPEN), World()) if f.verdict == "FAIL"}
    found = {f.rule: f for f in evaluator.findings(both, World())}
    differing = alone - {f.rule for f in evaluator.findings(group(CLOSED), World()) if f.verdict == "FAIL"}
    assert differing
    for rule in differing:
        assert (found[rule].verdict, found[rule].branch) == ("FAIL", {"Open": True})
        assert found[rule].evidence[0].observed == "0.0.0.0/0"
