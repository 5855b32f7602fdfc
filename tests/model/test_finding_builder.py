"""The one builder makes the stable id and refuses what a reader could not act on."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from policyengine.model.finding import Evidence, IncompleteFindingError, build_finding
from policyengine.model.location import Location
from policyengine.model.resource import Resource

VOLUME = Resource("AWS::EC2::Volume", "vol-1", "111122223333", "eu-west-1", {})
IN_FILE = Resource("AWS::EC2::Volume", "Data", None, None, {}, file="template.yaml")
EVIDENCE = (Evidence(("Encrypted",), False, "true", "value_mismatch"),)
WHOLE: dict[str, Any] = {
    "rule": "encrypted", "title": "Volumes are encrypted", "family": "encryption", "severity": "high", "verdict": "FAIL",
    "reason": "value_mismatch", "message": "the volume is not encrypted", "resource": VOLUME, "evidence": EVIDENCE,
}  # fmt: skip


@pytest.mark.parametrize(
    ("resource", "identity"),
    [
        (VOLUME, ("111122223333", "eu-west-1", "AWS::EC2::Volume", "vol-1")),
        (IN_FILE, ("", "template.yaml", "", "Data")),
    ],
)
def test_the_id_is_a_hash_of_rule_and_identity(
    resource: Resource, identity: tuple[str, str, str, str]
) -> None:
    found = build_finding(**{**WHOLE, "resource": resource, "location": Location("template.yaml", 3, 1)})
    text = "\0".join(("encrypted", *identity)).encode()
    assert found.id == hashlib.sha256(text).hexdigest()[:32]
    assert found.identity == identity


def test_everything_given_is_in_the_finding() -> None:
    found = build_finding(
        **WHOLE, frameworks={"soc2": ["CC6.1"]}, remediation="volume", branch={"Prod": True}
    )
    for name in ("rule", "title", "family", "severity", "verdict", "reason", "message", "evidence"):
        assert getattr(found, name) == WHOLE[name]
    assert (found.resource_type, found.resource_id) == ("AWS::EC2::Volume", "vol-1")
    assert (found.account, found.region, found.arn, found.location) == (
        "111122223333",
        "eu-west-1",
        None,
        None,
    )
    assert (found.frameworks, found.remediation, found.branch) == (
        {"soc2": ["CC6.1"]},
        "volume",
        {"Prod": True},
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"verdict": "MAYBE"}, "`MAYBE` is no verdict"),
        ({"reason": "because"}, "reason `because` is not in the table"),
        ({"verdict": "PASS"}, "reason `value_mismatch` cannot explain PASS"),
        ({"message": " \n"}, "the message is empty"),
        ({"message": ""}, "the message is empty"),
        ({"evidence": ()}, "FAIL has no evidence"),
        ({"evidence": (), "verdict": "UNKNOWN", "reason": "wrong_type"}, "UNKNOWN has no evidence"),
        ({"severity": "dire"}, "`dire` is no severity"),
        ({"family": "other"}, "`other` is no family"),
        ({"resource": IN_FILE}, "`Data` has no place"),
    ],
)
def test_an_incomplete_finding_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(IncompleteFindingError) as refused:
        build_finding(**{**WHOLE, **change})
    assert str(refused.value) == f"encrypted: {said}"


@pytest.mark.parametrize(
    ("verdict", "reason"), [("PASS", "requirement_met"), ("NOT_APPLICABLE", "when_not_met")]
)
def test_what_complies_needs_no_evidence(verdict: str, reason: str) -> None:
    found = build_finding(**{**WHOLE, "verdict": verdict, "reason": reason, "evidence": ()})
    assert (found.verdict, found.evidence) == (verdict, ())
