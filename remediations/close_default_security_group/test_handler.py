"""Default groups. "Each VPC has a default security group", with inbound traffic from its own members and all outbound:
https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.remediate.api import Call, Target
from policyengine.testing.remediations import Bench
from tests.remediate.canned import ACCOUNT, Answer, Failing, propose, refused, target
from tests.remediate.judged import judged

Json = dict[str, Any]
HANDLER = "close_default_security_group"
GROUP = "sg-0d"
ITSELF: Json = {
    "SecurityGroupRuleId": "sgr-1", "GroupId": GROUP, "GroupOwnerId": ACCOUNT, "IsEgress": False, "IpProtocol": "-1",
    "FromPort": -1, "ToPort": -1, "ReferencedGroupInfo": {"GroupId": GROUP, "UserId": ACCOUNT},
}  # fmt: skip
OUT: Json = {
    "SecurityGroupRuleId": "sgr-2", "GroupId": GROUP, "GroupOwnerId": ACCOUNT, "IsEgress": True, "IpProtocol": "-1",
    "FromPort": -1, "ToPort": -1, "CidrIpv4": "0.0.0.0/0",
}  # fmt: skip


def answers(rules: list[Json], *interfaces: Json) -> dict[str, Answer]:
    return {
        "ec2:DescribeSecurityGroupRules": {"SecurityGroupRules": rules},
        "ec2:DescribeNetworkInterfaces": {"NetworkInterfaces": list(interfaces)},
    }


def about(name: str = "default") -> Target:
    egress = [{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}]
    found = judged(target(HANDLER, GROUP), "default-security-group-closed",
                   {"GroupName": name, "SecurityGroupIngress": [], "SecurityGroupEgress": egress})  # fmt: skip
    assert name != "default" or found.finding.verdict == "FAIL"
    return found


def test_both_rules_of_a_new_group_go_and_come_back() -> None:
    found = propose(HANDLER, about(), answers([ITSELF, OUT]))
    assert found.after["rules"] == []
    ingress, egress = sorted(found.steps, key=lambda step: step.call.operation, reverse=True)
    assert ingress.call == Call(
        "ec2", "RevokeSecurityGroupIngress",
        {"GroupId": GROUP, "IpPermissions": [
            {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": GROUP, "UserId": ACCOUNT}]}]},
    )  # fmt: skip
    assert [call.operation for call in ingress.undo] == ["AuthorizeSecurityGroupIngress"]
    assert [call.operation for call in egress.undo] == ["AuthorizeSecurityGroupEgress"]
    assert egress.undo[0].arguments == egress.call.arguments


def test_incident_virtual_waiting_room_267_a_group_in_use_stays() -> None:
    """A Config remediation took the rules of default groups away, and what was in them could not be reached."""
    used = {"NetworkInterfaceId": "eni-1", "Attachment": {"InstanceId": "i-1"}}
    many = [{"NetworkInterfaceId": f"eni-{n}", "Description": "ELB app/x"} for n in range(2, 9)]
    said = refused(HANDLER, about(), answers([ITSELF, OUT], used, *many))
    assert said.code == "unsafe"
    assert "8 network interfaces" in said.text and "eni-1 (i-1)" in said.text and "3 more" in said.text


def test_interfaces_that_cannot_be_listed_are_not_none() -> None:
    denied = {**answers([ITSELF]), "ec2:DescribeNetworkInterfaces": Failing("UnauthorizedOperation")}
    assert refused(HANDLER, about(), denied).code == "not_known"


@pytest.mark.parametrize("name", ["web", "Default"])
def test_no_other_group_is_emptied(name: str) -> None:
    assert refused(HANDLER, about(name), answers([OUT])).code == "unsupported"


def test_an_empty_group_needs_nothing() -> None:
    found = propose(HANDLER, about(), answers([]))
    assert not found.steps


def test_laws(bench: Bench) -> None:
    ec2 = bench.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    (group,) = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    itself = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group["GroupId"]}]}]
    if not group["IpPermissions"]:  # AWS puts it there, moto does not
        ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=itself)
    rule, type = "default-security-group-closed", "AWS::EC2::SecurityGroup"
    applied = bench.laws(rule, type, group["GroupId"])
    assert len(applied.plan["steps"]) == 2
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    ec2.create_network_interface(SubnetId=subnet, Groups=[group["GroupId"]])
    assert "1 network interfaces" in bench.refuses("unsafe", rule, type, group["GroupId"])
