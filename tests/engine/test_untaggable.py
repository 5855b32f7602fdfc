"""Rules about tags are not about what AWS owns in an account: nobody can tag it.

https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from policyengine.engine.evaluate import Evaluator
from policyengine.engine.world import World
from policyengine.model.resource import Resource
from policyengine.rules.pack import Pack
from policyengine.rules.packs import load_packs

RULES = tuple(form for form in load_packs().rules if form["id"] == "tags-mandatory")


@pytest.mark.parametrize(
    ("type", "properties", "expected"),
    [
        ("AWS::KMS::Key", {"KeyManager": "AWS"}, ["NOT_APPLICABLE"]),
        ("AWS::KMS::Key", {"KeyManager": "CUSTOMER"}, ["FAIL"]),
        ("AWS::KMS::Key", {}, ["FAIL"]),
        ("AWS::Organizations::Policy", {"AwsManaged": True}, ["NOT_APPLICABLE"]),
        ("AWS::Organizations::Policy", {"AwsManaged": False}, ["FAIL"]),
        ("AWS::EC2::PrefixList", {"OwnerId": "AWS"}, ["NOT_APPLICABLE"]),
    ],
)
def test_tags_of_what_aws_owns(type: str, properties: dict[str, Any], expected: list[str]) -> None:
    evaluator = Evaluator(Pack("sha256:test", RULES), now=datetime(2026, 11, 21, tzinfo=UTC))
    for _ in range(2):  # the second of a type takes another way
        resource = Resource(type, "x", "111122223333", "eu-west-1", properties, tags={})
        assert [str(f.verdict) for f in evaluator.findings(resource, World())] == expected
    counted = evaluator.take_tallies()
    assert sum(counted.values()) == 2
    assert counted["tags-mandatory", "NOT_APPLICABLE"] == (2 if expected == ["NOT_APPLICABLE"] else 0)
