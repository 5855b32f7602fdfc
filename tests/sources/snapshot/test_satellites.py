"""Satellites on lines of their own end where the collector would have put them."""

from __future__ import annotations

import pickle
from pathlib import Path

from policyengine.model.values import OpenList, Unresolved
from policyengine.sources.snapshot import open_snapshot

from .helpers import OPTIONS, line, read, write_file

BUCKET, POLICY = "AWS::S3::Bucket", "AWS::S3::BucketPolicy"
RULE = "AWS::EC2::SecurityGroupIngress"
DOCUMENT = {"Statement": []}


def lines(tmp_path: Path) -> Path:
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}
    found = [
        line(type=POLICY, id="p1", properties={"Bucket": "b1", "PolicyDocument": DOCUMENT}),
        line(type=BUCKET, id="b1", properties={"BucketName": "b1"}),
        line(type=BUCKET, id="b2", properties={"BucketName": "b2"}),
        line(type=POLICY, id="p9", properties={"Bucket": "elsewhere", "PolicyDocument": DOCUMENT}),
        line(id="sg-1", properties={"GroupId": "sg-1"}),
        line(id="sg-1", account="000000000000", properties={"GroupId": "sg-1"}),
        line(type=RULE, id="r1", properties={"GroupId": "sg-1", **ssh}),
    ]
    return write_file(tmp_path, found)


def test_a_satellite_is_folded_into_its_parent_and_is_no_resource(tmp_path: Path) -> None:
    found, source = read(lines(tmp_path))
    assert source.errors == []
    assert [(r.type, r.id) for r in found] == [
        (BUCKET, "b1"),
        (BUCKET, "b2"),
        (POLICY, "p9"),
        ("AWS::EC2::SecurityGroup", "sg-1"),
        ("AWS::EC2::SecurityGroup", "sg-1"),
    ]
    assert found[0].related == {"policies": [{"Bucket": "b1", "PolicyDocument": DOCUMENT}]}
    assert found[1].related == {}
    assert [e["FromPort"] for e in found[3].properties["SecurityGroupIngress"]] == [22]
    assert "SecurityGroupIngress" not in found[4].properties, "the same group id in another account"


def test_a_type_scan_and_a_shard_see_the_same_folded_resources(tmp_path: Path) -> None:
    source = open_snapshot(lines(tmp_path), OPTIONS)
    whole = {r.identity: (r.properties, r.related) for r in source.resources()}
    scanned = {r.identity: (r.properties, r.related) for r in source.scan_types([BUCKET, POLICY])}
    assert scanned == {k: v for k, v in whole.items() if k[2] in (BUCKET, POLICY)}
    copy = pickle.loads(pickle.dumps(source))
    sharded = {r.identity: (r.properties, r.related) for s in copy.shards() for r in copy.read_shard(s)}
    assert sharded == whole


def test_a_satellite_of_nobody_knows_whom_makes_every_parent_doubtful(tmp_path: Path) -> None:
    unknown = [{"path": "/Bucket", "reason": "access_denied"}]
    path = write_file(
        tmp_path,
        [
            line(type=BUCKET, id="b1", properties={"BucketName": "b1"}),
            line(type=POLICY, id="p1", properties={"PolicyDocument": DOCUMENT}, unknown=unknown),
        ],
    )
    [bucket, policy] = read(path)[0]
    policies = bucket.related["policies"]
    assert isinstance(policies, OpenList)
    assert isinstance(policies.more, Unresolved)
    assert policy.type == POLICY
