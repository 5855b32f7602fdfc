"""What templates say besides properties
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html)."""

from __future__ import annotations

from pathlib import Path

import pytest

from policyengine.documents import load
from policyengine.review.changes import Change
from policyengine.review.matching import paired_resources
from policyengine.review.written import Written, written_changes
from tests.review.helpers import resources

DB = """\
Parameters: {Stage: {Type: String}, Given: {Type: String, Default: prod}}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  Decided: !Equals [!Ref Given, prod]
  Both: !And [{Condition: IsProd}, {Condition: Decided}]
Resources:
  Db:
    Type: AWS::RDS::DBInstance
    DeletionPolicy: Snapshot
    UpdateReplacePolicy: Retain
    Properties: {Engine: mysql, DBInstanceClass: db.t3.micro}
  Tail:
    Type: AWS::RDS::DBInstance
    Properties: {DBClusterIdentifier: c, DBInstanceClass: db.t3.micro, StorageEncrypted: !If [Both, true, false]}
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties: {IsLogging: true, S3BucketName: b}
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: ./child.yaml, Parameters: {Cidr: 10.0.0.0/8}}
"""


def changed(tmp_path: Path, *edits: tuple[str, str]) -> list[Change]:
    after = DB
    for old, new in edits:
        assert old in after
        after = after.replace(old, new)
    return compared_texts(tmp_path, DB, after)


def compared_texts(tmp_path: Path, before: str, after: str) -> list[Change]:
    pairing = paired_resources(resources(tmp_path / "a", before), resources(tmp_path / "b", after))
    written = []
    for text in (before, after):
        document = load(text.encode(), name="template.yaml", style="cloudformation")
        written.append({"template.yaml": Written(document.value, document.locate)})
    return list(written_changes(pairing, *written))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("DeletionPolicy: Snapshot", "DeletionPolicy: Delete", [("backup", "worse", 9)]),
        ("    DeletionPolicy: Snapshot\n", "", []),
        ("DeletionPolicy: Snapshot", "DeletionPolicy: Retain", []),
        ("DeletionPolicy: Snapshot", "DeletionPolicy: !Ref Stage", [("backup", "unclear", 9)]),
        ("    UpdateReplacePolicy: Retain\n", "", [("backup", "worse", 8)]),
        ("    Properties: {DBClusterIdentifier", "    DeletionPolicy: Delete\n    Properties: {DBClusterIdentifier", []),
        ("    Properties: {IsLogging", "    Condition: IsProd\n    Properties: {IsLogging", [("logging", "unclear", 17)]),
        ("    Properties: {IsLogging", "    Condition: Decided\n    Properties: {IsLogging", []),
        ("!Equals [!Ref Stage, prod]", "!Equals [!Ref Stage, dev]", [("unreadable", "unclear", 5)]),
        ("!And [{Condition: IsProd}", "!Or [{Condition: IsProd}", []),
        ("!Equals [!Ref Given, prod]", '!Equals [!Ref Given, "prod"]', []),
        ("10.0.0.0/8", "0.0.0.0/0", [("unreadable", "unclear", 20)]),
    ],
)  # fmt: skip
def test_what_is_written(tmp_path: Path, old: str, new: str, told: list[tuple[str, str, int]]) -> None:
    found = changed(tmp_path, (old, new))
    places = [(c, c.place()) for c in found]
    assert [(c.kind, c.effect, at.line if at else None) for c, at in places] == told


DEEP = """\
Parameters: {A: {Type: String}, B: {Type: String}}
Resources:
  Web:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: web
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: !Select [0, !Split [",", !Ref A]]}
  Queue:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Select [0, !Split ["-", !GetAtt Web.GroupId]]}
"""


def test_what_differs_deep_within_functions_is_not_decided(tmp_path: Path) -> None:
    found = compared_texts(tmp_path, DEEP, DEEP.replace("!Ref A", "!Ref B"))
    assert [(c.kind, c.effect, c.path[-1]) for c in found] == [("unreadable", "unclear", "CidrIp")]
    assert not compared_texts(tmp_path, DEEP, DEEP)
    assert not compared_texts(tmp_path, DEEP, DEEP.replace("Web", "Front"))
    assert not compared_texts(tmp_path, DEEP, DEEP.replace("FromPort: 22", "FromPort: 21"))


def test_nothing_changed_is_nothing(tmp_path: Path) -> None:
    assert not changed(tmp_path)
    assert not changed(tmp_path, ("  Db:\n", "  Data:\n"))
