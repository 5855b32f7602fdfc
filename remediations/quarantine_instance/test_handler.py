"""Quarantine. Tracked connections "aren't shut down as a result of changing security groups", and a network ACL "will affect
every resource on the subnet": https://docs.aws.amazon.com/security-ir/latest/userguide/destination-containment.html. AWS's
runbook goes through "a temporary all access security group" too:
https://docs.aws.amazon.com/systems-manager-automation-runbooks/latest/userguide/automation-awssupport-containec2instance.html."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.documents import read_policy
from policyengine.iam.reason import No, Yes, denies
from policyengine.iam.request import Request
from policyengine.iam.request_set import read_request_set
from policyengine.remediate.api import FromAnswer, Proposal
from tests.remediate.canned import ACCOUNT, REGION, Answer, Failing, propose, refused, target

Json = dict[str, Any]
HANDLER = "quarantine_instance"
ID = "i-0a1b2c3d4e5f60718"
NAME = f"policyengine-quarantine-{ID}"
VPC = "vpc-1"
TARGETS = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/web/1"
PROFILE = f"arn:aws:iam::{ACCOUNT}:instance-profile/teams/web"


def interface(number: int, *groups: str, type: str = "interface") -> Json:
    named = [{"GroupId": each, "GroupName": NAME if each == "sg-q" else each} for each in groups]
    return {
        "NetworkInterfaceId": f"eni-{number}",
        "InterfaceType": type,
        "Groups": named,
        "PrivateIpAddress": f"10.0.0.{number}",
    }


def answers(
    *interfaces: Json, ipv6: bool = False, group: list[Json] | None = None, **instance: Any
) -> dict[str, Answer]:
    """A plain instance, in no Auto Scaling group, behind no load balancer, without a role."""
    found = {
        "InstanceId": ID, "VpcId": VPC, "State": {"Name": "running"},
        "NetworkInterfaces": list(interfaces or [interface(1, "sg-1", "sg-2")]),
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-1"}}], **instance,
    }  # fmt: skip
    blocks = (
        [{"Ipv6CidrBlock": "2001:db8::/56", "Ipv6CidrBlockState": {"State": "associated"}}] if ipv6 else []
    )

    def attribute(asked: Json) -> Json:
        if asked["Attribute"] == "disableApiTermination":
            return {"DisableApiTermination": {"Value": False}}
        return {"InstanceInitiatedShutdownBehavior": {"Value": "stop"}}

    return {
        "ec2:DescribeInstances": {"Reservations": [{"Instances": [found]}]},
        "ec2:DescribeVpcs": {"Vpcs": [{"VpcId": VPC, "Ipv6CidrBlockAssociationSet": blocks}]},
        "ec2:DescribeSecurityGroups": {"SecurityGroups": [] if group is None else [{"GroupId": "sg-q"}]},
        "ec2:DescribeSecurityGroupRules": {"SecurityGroupRules": group or []},
        "ec2:DescribeInstanceAttribute": attribute,
        "autoscaling:DescribeAutoScalingInstances": {"AutoScalingInstances": []},
        "elbv2:DescribeTargetGroups": {"TargetGroups": []},
    }


def scaled(least: int, wanted: int, state: str = "InService") -> dict[str, Answer]:
    member = {
        "InstanceId": ID, "AutoScalingGroupName": "web", "LifecycleState": state, "AvailabilityZone": "a",
        "HealthStatus": "HEALTHY", "ProtectedFromScaleIn": False,
    }  # fmt: skip
    group = {"AutoScalingGroupName": "web", "MinSize": least, "MaxSize": 9, "DesiredCapacity": wanted,
             "DefaultCooldown": 300, "AvailabilityZones": ["a"], "HealthCheckType": "EC2", "CreatedTime": "2026-01-01T00:00:00Z"}  # fmt: skip
    return {
        "autoscaling:DescribeAutoScalingInstances": {"AutoScalingInstances": [member]},
        "autoscaling:DescribeAutoScalingGroups": {"AutoScalingGroups": [group]},
    }


def with_role(denied: Json | None = None) -> dict[str, Answer]:
    role = {"Path": "/", "RoleName": "web", "RoleId": "AROAEXAMPLEID00000001", "Arn": f"arn:aws:iam::{ACCOUNT}:role/web",
            "CreateDate": "2026-01-01T00:00:00Z"}  # fmt: skip
    profile = {"Path": "/teams/", "InstanceProfileName": "web", "InstanceProfileId": "AIPAEXAMPLEID00000001", "Arn": PROFILE,
               "CreateDate": "2026-01-01T00:00:00Z", "Roles": [role]}  # fmt: skip

    def profile_named(asked: Json) -> Json:
        assert asked == {"InstanceProfileName": "web"}, "a name, without the path"
        return {"InstanceProfile": profile}

    policy: Answer = Failing("NoSuchEntity")
    if denied is not None:
        policy = {"RoleName": "web", "PolicyName": NAME, "PolicyDocument": json.dumps(denied)}
    return {"iam:GetInstanceProfile": profile_named, "iam:GetRolePolicy": policy}


def balanced(*targets: Json) -> dict[str, Answer]:
    def health(asked: Json) -> Json:
        found = targets if asked["TargetGroupArn"] == TARGETS else ()
        return {
            "TargetHealthDescriptions": [{"TargetHealth": {"State": "healthy"}, **each} for each in found]
        }

    groups: list[Any] = [
        {"TargetGroupArn": TARGETS, "VpcId": VPC, "TargetType": "instance"},
        {"TargetGroupArn": TARGETS + "2", "VpcId": "vpc-2", "TargetType": "instance"},
        {"TargetGroupArn": TARGETS + "3", "TargetType": "lambda"},
    ]
    return {"elbv2:DescribeTargetGroups": {"TargetGroups": groups}, "elbv2:DescribeTargetHealth": health}


def names(found: Proposal) -> list[str]:
    return [step.name for step in found.steps]


def test_the_way_through_an_untracked_group() -> None:
    found = propose(HANDLER, target(HANDLER, ID), answers())
    assert names(found) == [
        "snapshot",
        "protect",
        "create-group",
        "open-group",
        "move-1",
        "close-egress",
        "close-ingress",
    ]
    steps = {step.name: step for step in found.steps}
    everywhere = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    group = FromAnswer("create-group", "GroupId")
    for name in ("open-group", "close-egress", "close-ingress"):
        assert steps[name].call.arguments == {"GroupId": group, "IpPermissions": everywhere}
    assert steps["move-1"].call.arguments == {"NetworkInterfaceId": "eni-1", "Groups": [group]}
    assert steps["move-1"].undo[0].arguments == {"NetworkInterfaceId": "eni-1", "Groups": ["sg-1", "sg-2"]}
    assert found.after["group"] == {"rules": []}
    assert any("lets everything in and out" in each for each in found.concerns)


@given(
    groups=st.lists(
        st.lists(st.sampled_from(["sg-1", "sg-2", "sg-3"]), min_size=1, unique=True), min_size=1, max_size=6
    )
)
def test_every_interface_moves_and_comes_back(groups: list[list[str]]) -> None:
    told = answers(*(interface(n, *each) for n, each in enumerate(groups)))
    found = propose(HANDLER, target(HANDLER, ID), told)
    moves = [step for step in found.steps if step.name.startswith("move-")]
    assert {s.call.arguments["NetworkInterfaceId"]: s.undo[0].arguments["Groups"] for s in moves} == {
        f"eni-{n}": sorted(each) for n, each in enumerate(groups)
    }
    assert all(each["groups"] == [NAME] for each in found.after["interfaces"])
    order = names(found)
    assert order.index("open-group") < order.index("move-1")
    assert order[-2:] == ["close-egress", "close-ingress"], "nothing stands open when it is done"


def test_ipv6_where_the_vpc_has_it() -> None:
    found = propose(HANDLER, target(HANDLER, ID), answers(ipv6=True))
    (opened,) = [step for step in found.steps if step.name == "open-group"]
    assert {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]} in opened.call.arguments[
        "IpPermissions"
    ]


def test_sessions_of_this_instance_alone_are_denied_everything() -> None:
    """Decided over all requests; aws:userid of an instance's session is `role-id:instance-id`
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable)."""
    told = {**answers(IamInstanceProfile={"Arn": PROFILE}), **with_role()}
    found = propose(HANDLER, target(HANDLER, ID), told)
    (deny,) = [step for step in found.steps if step.name == "deny-sessions"]
    assert deny.undo[0].operation == "DeleteRolePolicy"
    policy = read_policy(deny.call.arguments["PolicyDocument"], "identity")
    mine = read_request_set({"action": ["*"], "context": {"aws:userid": [f"AROAEXAMPLEID00000001:{ID}"]}})
    others = read_request_set(
        {"action": ["*"], "context": {"aws:userid": ["AROAEXAMPLEID00000001:i-0ffffffffffffffff"]}}
    )
    assert isinstance(denies([policy], mine), No)
    assert isinstance(denies([policy], others), Yes)
    full = read_policy(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
        "identity",
    )
    for instance, outcome in ((ID, "ExplicitlyDenied"), ("i-0ffffffffffffffff", "Allowed")):
        session = f"arn:aws:sts::{ACCOUNT}:assumed-role/web/{instance}"
        request = Request(
            session,
            "s3:GetObject",
            "arn:aws:s3:::b/k",
            {"aws:userid": f"AROAEXAMPLEID00000001:{instance}"},
            ACCOUNT,
        )
        assert authorize(request, Policies(identity=[full, policy])).outcome == outcome
    assert found.after["role"]["denied"] == json.loads(deny.call.arguments["PolicyDocument"])


def test_auto_scaling_lets_go_before_the_load_balancer_does() -> None:
    told = {
        **answers(),
        **scaled(2, 2),
        **balanced({"Target": {"Id": ID, "Port": 8080}}, {"Target": {"Id": "i-other", "Port": 8080}}),
    }
    found = propose(HANDLER, target(HANDLER, ID), told)
    order = names(found)
    assert order.index("snapshot") == 0
    assert (
        order.index("lower-minimum")
        < order.index("detach")
        < order.index("deregister-1")
        < order.index("create-group")
    )
    steps = {step.name: step for step in found.steps}
    assert steps["lower-minimum"].call.arguments == {"AutoScalingGroupName": "web", "MinSize": 1}
    assert steps["lower-minimum"].undo[0].arguments == {"AutoScalingGroupName": "web", "MinSize": 2}
    assert steps["detach"].call.arguments["ShouldDecrementDesiredCapacity"] is True
    assert steps["detach"].undo[0].operation == "AttachInstances"
    assert steps["deregister-1"].call.arguments == {
        "TargetGroupArn": TARGETS,
        "Targets": [{"Id": ID, "Port": 8080}],
    }
    assert steps["deregister-1"].undo[0].arguments == steps["deregister-1"].call.arguments
    assert "deregister-2" not in steps
    assert any("minimum falls to 1" in each for each in found.concerns)


def test_a_group_above_its_minimum_keeps_it() -> None:
    found = propose(HANDLER, target(HANDLER, ID), {**answers(), **scaled(2, 3)})
    assert "lower-minimum" not in names(found)


def test_targets_are_known_by_address_too_and_what_drains_is_out() -> None:
    told = {**answers(), **balanced({"Target": {"Id": "10.0.0.1", "Port": 80, "AvailabilityZone": "a"}},
                                    {"Target": {"Id": ID, "Port": 81}, "TargetHealth": {"State": "draining"}})}  # fmt: skip
    found = propose(HANDLER, target(HANDLER, ID), told)
    (step,) = [step for step in found.steps if step.name.startswith("deregister")]
    assert step.call.arguments["Targets"] == [{"Id": "10.0.0.1", "Port": 80, "AvailabilityZone": "a"}]


def test_it_is_not_deleted_by_shutting_down() -> None:
    told = answers()

    def attribute(asked: Json) -> Json:
        if asked["Attribute"] == "disableApiTermination":
            return {"DisableApiTermination": {"Value": True}}
        return {"InstanceInitiatedShutdownBehavior": {"Value": "terminate"}}

    told["ec2:DescribeInstanceAttribute"] = attribute
    found = propose(HANDLER, target(HANDLER, ID), told)
    (keep,) = [step for step in found.steps if step.name == "keep-at-shutdown"]
    assert (keep.call.arguments["Value"], keep.undo[0].arguments["Value"]) == ("stop", "terminate")
    assert "protect" not in names(found)
    assert found.after["at_shutdown"] == "stop"


def test_what_cannot_be_kept_is_said() -> None:
    found = propose(HANDLER, target(HANDLER, ID), answers(InstanceLifecycle="spot", BlockDeviceMappings=[]))
    assert {"snapshot", "protect"}.isdisjoint(names(found))
    assert found.after["protected"] is False
    assert len(found.concerns) == 3


@pytest.mark.parametrize(
    ("told", "code", "words"),
    [
        (answers(State={"Name": "terminated"}), "unsupported", "terminated"),
        (answers(interface(1, "sg-1"), interface(2, "sg-1", type="trunk")), "unsupported", "containers"),
        (answers(group=[]), "unsupported", "begun before"),
        ({**answers(IamInstanceProfile={"Arn": PROFILE}), **with_role({"Version": "2012-10-17", "Statement": []})},
         "unsupported", "begun before"),
        ({**answers(), **scaled(1, 2, "Terminating:Wait")}, "unsafe", "terminating"),
        ({**answers(), "ec2:DescribeInstances": {"Reservations": []}}, "not_known", "0 instances"),
        ({**answers(IamInstanceProfile={"Arn": PROFILE}), **with_role(), "iam:GetRolePolicy": Failing("AccessDenied")},
         "not_known", "AccessDenied"),
        ({**answers(), "elbv2:DescribeTargetGroups": Failing("AccessDenied")}, "not_known", "AccessDenied"),
    ],
)  # fmt: skip
def test_refusals(told: dict[str, Answer], code: str, words: str) -> None:
    said = refused(HANDLER, target(HANDLER, ID), told)
    assert said.code == code and words in said.text
