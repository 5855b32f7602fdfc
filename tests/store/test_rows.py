"""A row says of the findings of a resource what they say themselves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.model.errors import InputError
from policyengine.model.finding import Evidence, Finding, Witness, build_finding
from policyengine.model.reasons import FAIL
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, Unresolved
from policyengine.store.rows import Row, RuleFacts, findings_json, findings_of, read_row, row_line

RULE = "volumes-encrypted"
FACTS = {
    RULE: RuleFacts("Volumes are encrypted", "encryption", "high", {"soc2": ["CC6.7"]}, "encrypt-volume")
}
VOLUME = Resource(
    "AWS::EC2::Volume", "vol-1", "111122223333", "eu-west-1", {}, arn="arn:aws:ec2:::volume/vol-1"
)
FAILING = frozenset({FAIL})

names = st.sampled_from(["Tags", "a/b~c", "007", "12", "0", "²", "9" * 5000]) | st.text(max_size=8)
paths = st.lists(st.integers(0, 10**15) | names, max_size=4).map(tuple)
leaves = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8) | st.just(ABSENT)
unknowns = st.builds(Unresolved, st.just("access_denied"), st.sampled_from(["", "ec2:DescribeVolumes"]))
observed = st.recursive(
    leaves | unknowns, lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=5), some, max_size=3)
)  # fmt: skip
requests = st.builds(
    Witness, st.just("*"), st.just("s3:GetObject"), st.just("*"),
    st.dictionaries(st.sampled_from(["aws:b", "aws:a"]), st.text(max_size=3)),
)  # fmt: skip


@st.composite
def failing(draw: st.DrawFn) -> Finding:
    seen = st.builds(Evidence, paths, observed, st.just("true"), st.just("value_mismatch"), st.none())
    facts = FACTS[RULE]
    return build_finding(
        rule=RULE, title=facts.title, family=facts.family, severity=facts.severity, verdict=FAIL,
        reason="value_mismatch", message="the volume is not encrypted", resource=VOLUME,
        evidence=draw(st.lists(seen, min_size=1, max_size=2)), frameworks=facts.frameworks,
        branch=draw(st.none() | st.just({"Prod": True, "Blue": False})), witness=draw(st.none() | requests),
        remediation=facts.remediation, waiver=draw(st.none() | st.just({"id": "W-1", "until": "2026-01-01"})),
        cause=draw(st.none() | st.just("#/Encrypted")),
    )  # fmt: skip


def row_of(found: Finding) -> Row:
    line, _places = row_line(VOLUME, [(RULE, FAIL)], [found])
    return read_row(json.loads(line), None, "a run")


@given(found=failing())
def test_what_a_row_says_of_a_finding_is_what_it_said(found: Finding) -> None:
    (said,) = findings_json(row_of(found), [RULE], FACTS, FAILING)
    assert said == json.loads(json.dumps(found.to_json()))


@pytest.mark.parametrize(
    "detail",
    [
        {},
        {"rule": RULE, "evidence": 3},
        {"rule": RULE, "evidence": [{"path": "no pointer", "observed": 1, "expected": "", "reason": "", "provenance": None}]},
        {"rule": RULE, "evidence": [{"path": "/A"}]},
        {"rule": RULE, "witness": {"who": "everyone"}},
    ],
)  # fmt: skip
def test_a_row_whose_details_are_none_is_called_damaged(detail: dict[str, Any]) -> None:
    record = {
        "account": "111122223333",
        "id": "vol-1",
        "region": "eu-west-1",
        "type": VOLUME.type,
        "verdicts": "F",
    }
    row = read_row({**record, "details": [detail]}, None, "a run")
    for read in (findings_json, findings_of):
        with pytest.raises(InputError, match=r"`vol-1` .* is damaged"):
            list(read(row, [RULE], FACTS, FAILING))
