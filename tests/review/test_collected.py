"""Two snapshots of which one lacks something."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policyengine.cli.review import review
from policyengine.model.resource import Coverage, Resource
from policyengine.sources.snapshot.writer import write_snapshot

ACCOUNT, REGION, TYPE = "111122223333", "eu-west-1", "AWS::EC2::SecurityGroup"
OPEN = {
    "GroupId": "sg-1", "GroupDescription": "g", "VpcId": "vpc-1",
    "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}],
}  # fmt: skip
WHOLE: Coverage = frozenset({(ACCOUNT, REGION, "*")})
OTHER: Coverage = frozenset({(ACCOUNT, REGION, "AWS::S3::Bucket")})
NONE: Coverage = frozenset()


@pytest.mark.parametrize(
    ("before", "after", "base", "head", "effects"),
    [
        (False, True, WHOLE, WHOLE, {"worse"}),
        (False, True, OTHER, WHOLE, {"unclear"}),
        (True, False, WHOLE, WHOLE, {"better"}),
        (True, False, WHOLE, OTHER, {"unclear"}),
        (False, True, NONE, WHOLE, {"worse"}),
        (True, True, OTHER, OTHER, set()),
    ],
)
def test_what_was_not_collected_is_no_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], before: bool, after: bool, base: Coverage, head: Coverage,
    effects: set[str],
) -> None:  # fmt: skip
    for name, there, covered in (("old", before, base), ("new", after, head)):
        found = [Resource(TYPE, "sg-1", ACCOUNT, REGION, dict(OPEN))] if there else []
        write_snapshot(tmp_path / name, found, created="2026-06-01T00:00:00Z", coverage=covered)
    args = ["--base", str(tmp_path / "old"), "--head", str(tmp_path / "new"), "--format", "json"]
    rule = ["--rule", "security-group-admin-ports-closed"]
    code = review.main([*args, *rule], standalone_mode=False)
    document = json.loads(capsys.readouterr().out)
    told = {entry["effect"] for entry in document["entries"] if entry["effect"] != "new"}
    assert (told, code) == (effects, int("worse" in effects))
