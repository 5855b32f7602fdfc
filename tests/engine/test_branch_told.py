"""A finding names the conditions that matter to it and no others."""

from __future__ import annotations

import pytest

from policyengine.engine.branches import telling
from policyengine.model.finding import Evidence, build_finding
from policyengine.model.location import Location
from policyengine.model.resource import Resource


def failure(branch, observed="0.0.0.0/0"):
    resource = Resource("AWS::EC2::SecurityGroup", "Group", None, None, {}, file="t.yaml", branch=branch)
    return build_finding(
        rule="r", title="t", family="network", severity="low", verdict="FAIL", reason="open_to_internet",
        message="m", resource=resource, branch=branch, frameworks={}, remediation=None, waiver=None,
        evidence=[Evidence(("CidrIp",), observed, "e", "open_to_internet")], location=Location("t.yaml", 1, 1),
    )  # fmt: skip


def branches(decide):
    """The four branches of two conditions, each with what ``decide(a, b)`` says of it."""
    said = [({"A": a, "B": b}, decide(a, b)) for a in (True, False) for b in (True, False)]
    return [(branch, None if text is None else failure(branch, text)) for branch, text in said]


@pytest.mark.parametrize(
    ("decide", "told"),
    [
        (lambda a, b: "x", None),
        (lambda a, b: "x" if a else None, {"A": True}),
        (lambda a, b: "x" if b else None, {"B": True}),
        (lambda a, b: "x" if a and b else None, {"A": True, "B": True}),
        (lambda a, b: "x" if a else "y", {"A": True}),
        (lambda a, b: "x" if a or b else None, {"B": True}),
    ],
)
def test_conditions_without_which_the_finding_is_the_same_are_left_out(decide, told):
    found = failure({"A": True, "B": True}, "x")
    assert telling(found, branches(decide)) == told


def test_a_finding_without_a_branch_has_none():
    assert telling(failure(None), [(None, failure(None))]) is None
