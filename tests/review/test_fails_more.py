"""What failed and fails: more of it is worse in every family, unless it is compared by what it allows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.review.helpers import reviewed

TASK = """\
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - {Name: a, Image: a, Privileged: true}
        - {Name: b, Image: b, Privileged: false}
"""
PORTS = """\
Resources:
  Box:
    Type: AWS::Lightsail::Instance
    Properties:
      InstanceName: box
      BlueprintId: ubuntu
      BundleId: small
      Networking:
        Ports:
          - {Protocol: tcp, FromPort: 22, ToPort: 22, AccessDirection: inbound, Cidrs: [0.0.0.0/0]}
          - {Protocol: tcp, FromPort: 3389, ToPort: 3389, AccessDirection: inbound, Cidrs: [10.0.0.0/8]}
"""
ROLE = """\
Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]
      Policies:
        - PolicyName: p
          PolicyDocument:
            Statement:
              - {Effect: Allow, NotAction: "iam:*", Resource: "*"}
"""
SPLIT = ROLE + '              - {Effect: Allow, NotAction: "iam:*", Resource: "arn:aws:s3:::b"}\n'


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        (TASK, TASK.replace("Privileged: false", "Privileged: true"), "ecs-containers-not-privileged"),
        (PORTS, PORTS.replace("10.0.0.0/8", "0.0.0.0/0"), "lightsail-instance-ports-closed"),
        (TASK, TASK.replace("Image: b", "Image: c"), None),
        (ROLE, SPLIT, None),
    ],
    ids=["container", "port", "other", "policy"],
)
def test_more_fails(tmp_path: Path, before: str, after: str, rule: str | None) -> None:
    found = [c for c in reviewed(tmp_path, before, after) if c.effect == "worse"]
    assert [r.rule for c in found for r in c.rules] == ([rule] if rule else [])
