"""One port is one entry, whatever else fails because of it."""

from __future__ import annotations

from pathlib import Path

from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.review.changes import Broken, Change
from policyengine.review.consequences import with_consequences
from policyengine.review.pairs import Pair, Pairing
from tests.review.helpers import reviewed


def resource(name: str, *refers: str, changed: bool = False) -> tuple[Resource, Pair]:
    said = {"To": [Unresolved("unresolved_reference", target=(each, "Arn")) for each in refers]}
    head = Resource("AWS::SQS::Queue", name, None, None, said, file="t.yaml")
    base = Resource("AWS::SQS::Queue", name, None, None, {"Other": 1} if changed else said, file="t.yaml")
    return head, Pair(base, head, "the same place")


def worse(of: Resource, rule: str = "") -> Change:
    rules = (Broken(rule, "t", "high", "PASS", "FAIL", "m", "f", None),) if rule else ()
    return Change("network", "worse", "high", f"about {of.id}", of, of, rules=rules)


def test_it_follows_from_the_one_change_it_is_linked_to() -> None:
    group, one = resource("Group", changed=True)
    instance, two = resource("Instance", "Group")
    pairing = Pairing([one, two], head=[group, instance])
    found = with_consequences([worse(group), worse(instance, "exposed")], pairing)
    assert [c.title for c in found] == ["about Group"]
    assert found[0].details == (
        "AWS::SQS::Queue `Instance`, which is unchanged, fails because of it: about Instance (exposed)",
    )


def test_it_stands_by_itself_where_nobody_can_say_from_which() -> None:
    first, one = resource("First", changed=True)
    second, two = resource("Second", changed=True)
    other, three = resource("Other", "First", "Second")
    alone, four = resource("Alone")
    pairing = Pairing([one, two, three, four], head=[first, second, other, alone])
    assert len(with_consequences([worse(first), worse(second), worse(other), worse(alone)], pairing)) == 4


TEMPLATE = """\
Resources:
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: g
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/8}
  Host:
    Type: AWS::EC2::Instance
    Properties:
      ImageId: ami-12345678
      NetworkInterfaces:
        - {DeviceIndex: "0", AssociatePublicIpAddress: true, GroupSet: [!GetAtt Group.GroupId]}
"""


def test_of_a_real_template(tmp_path: Path) -> None:
    found = reviewed(tmp_path, TEMPLATE, TEMPLATE.replace("10.0.0.0/8", "0.0.0.0/0").replace("443", "22"))
    worse_ones = [c for c in found if c.effect == "worse"]
    assert [(c.kind, c.resource.id if c.resource else None) for c in worse_ones] == [("network", "Group")]
