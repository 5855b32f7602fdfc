"""The conformance data of the namespace `net`: one case a line, each with what is expected."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.reasons import REASONS
from policyengine.model.resource import Resource, json_pointer
from policyengine.model.values import OpenList, Unresolved
from policyengine.rules.predicates.api import Subject
from policyengine.rules.predicates.net.table import PREDICATES

HERE = Path(__file__).parent
BY_NAME = {predicate.name: predicate for predicate in PREDICATES}
TRUTHS = {"TRUE": TRUE, "FALSE": FALSE, "UNKNOWN": UNKNOWN, True: TRUE, False: FALSE}
KEYS = {
    "case", "predicate", "type", "id", "args", "entries", "resource", "acl", "satellites", "tables", "file",
    "expect", "reason", "evidence",
}  # fmt: skip


def load(name: str) -> list[dict[str, Any]]:
    return yaml.safe_load((HERE / name).read_text())


def value_of(raw: Any, ids: frozenset[str]) -> Any:
    """`{Ref: X}` is a reference, `{Unknown: reason}` Unresolved, `{More: [..]}` a list with more."""
    if isinstance(raw, dict):
        if set(raw) == {"Ref"}:
            target = (raw["Ref"], "Ref") if raw["Ref"] in ids else None
            return Unresolved("unresolved_reference", f"Ref: {raw['Ref']}", target=target)
        if set(raw) == {"Unknown"}:
            return Unresolved(raw["Unknown"])
        if set(raw) == {"More"}:
            return OpenList(value_of(raw["More"], ids), Unresolved("access_denied"))
        return {key: value_of(item, ids) for key, item in raw.items()}
    return [value_of(item, ids) for item in raw] if isinstance(raw, list) else raw


def subject_of(case: dict[str, Any], world: dict[str, Any]) -> Subject:
    declared = {**world, **case.get("tables", {})}
    ids = frozenset(r["id"] for rows in declared.values() if isinstance(rows, list) for r in rows)
    file = "template.yaml" if case.get("file") else None

    def make(type_: str, raw: dict[str, Any]) -> Resource:
        return Resource(
            type_, raw["id"], "111122223333", "eu-west-1", value_of(raw["properties"], ids),
            tags=raw.get("tags"), related=value_of(raw.get("related", {}), ids), file=file,
        )  # fmt: skip

    def tables(type_: str) -> list[Resource] | Unresolved:
        rows = declared.get(type_, [])
        if isinstance(rows, dict):
            return value_of(rows, ids)
        found = [make(type_, row) for row in rows]
        return OpenList(found, Unresolved("not_collected", type_)) if file else found

    properties = dict(case.get("resource", {}))
    if "entries" in case:
        properties["SecurityGroupIngress"] = case["entries"]
    raw = {"id": case.get("id", "subject"), "properties": properties}
    if "acl" in case:
        raw["related"] = {"entries": case["acl"]}
    if "satellites" in case:
        raw["related"] = case["satellites"]
    resource = make(case.get("type", "AWS::EC2::SecurityGroup"), raw)
    return Subject(resource, datetime(2026, 1, 1, tzinfo=UTC), lambda _alias: [], tables)


GROUPS = load("groups.yaml")
ACLS = load("acls.yaml")
WORLD, *REACH = load("reach.yaml")
SUBNET_WORLD, *SUBNETS = load("subnets.yaml")


def check(case: dict[str, Any], predicate: str, world: dict[str, Any]) -> None:
    assert set(case) <= KEYS, f"unknown keys {set(case) - KEYS}"
    answer = BY_NAME[predicate].check(subject_of(case, world), **case["args"])
    assert answer.truth is TRUTHS[case["expect"]], answer
    assert answer.evidence
    assert {e.reason for e in answer.evidence} <= set(REASONS)
    if "evidence" in case:
        assert list(dict.fromkeys(json_pointer(e.path) for e in answer.evidence)) == case["evidence"]
    if "reason" in case:
        assert case["reason"] in {e.reason for e in answer.evidence}
    if answer.truth is UNKNOWN:
        assert all("UNKNOWN" in REASONS[e.reason][0] for e in answer.evidence)
    else:
        verdicts = {"PASS", "FAIL"} if answer.truth is TRUE else {"FAIL"}
        assert all(verdicts & REASONS[e.reason][0] for e in answer.evidence)


@pytest.mark.parametrize("case", [*GROUPS, *ACLS], ids=lambda case: case["case"])
def test_groups_and_acls(case: dict[str, Any]) -> None:
    check(case, case["predicate"], {})


@pytest.mark.parametrize("case", REACH, ids=lambda case: case["case"])
def test_reachability(case: dict[str, Any]) -> None:
    check(case, "net.reachable_from_internet", WORLD["world"])


@pytest.mark.parametrize("case", SUBNETS, ids=lambda case: case["case"])
def test_subnets_addresses_lists_and_endpoints(case: dict[str, Any]) -> None:
    check(case, case["predicate"], SUBNET_WORLD["world"])


def test_every_predicate_has_true_false_and_unknown_cases() -> None:
    seen: dict[str, set[Any]] = {name: set() for name in BY_NAME}
    for case in [*GROUPS, *ACLS, *SUBNETS]:
        seen[case["predicate"]].add(TRUTHS[case["expect"]])
    seen["net.reachable_from_internet"] = {TRUTHS[case["expect"]] for case in REACH}
    assert {name: truths for name, truths in seen.items() if truths != {TRUE, FALSE, UNKNOWN}} == {}


def test_cases_are_named_once() -> None:
    for cases in (GROUPS + ACLS, REACH, SUBNETS):
        named = [case["case"] for case in cases]
        assert len(named) == len(set(named))


def test_inside_a_quantifier_one_element_is_judged() -> None:
    case = {"entries": [], "expect": "TRUE"}
    subject = subject_of(case, {})
    subject.where = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}
    answer = BY_NAME["net.open_to_internet"].check(subject, ports=[22])
    assert answer.truth is TRUE
    assert [e.path for e in answer.evidence] == [("CidrIp",)]
