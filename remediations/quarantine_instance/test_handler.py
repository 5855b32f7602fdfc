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
from policyengine.testing.remediations import Bench
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
             "DefaultCooldown": 300, "AvailabilityZones": ["a"], "HealthCheckType": "EC2",
             "CreatedTime": "2026-01-01T00:00:00Z"}  # fmt: skip
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


def without_block(bench: Bench) -> None:
    """moto lacks the two calls about VPC block public access, which is off:
    https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html."""
    options = {
        "AwsAccountId": bench.account,
        "AwsRegion": "us-east-1",
        "State": "default-state",
        "InternetGatewayBlockMode": "off",
    }
    bench.stub("ec2:DescribeVpcBlockPublicAccessOptions", {"VpcBlockPublicAccessOptions": options})
    bench.stub("ec2:DescribeVpcBlockPublicAccessExclusions", {"VpcBlockPublicAccessExclusions": []})


def exposed(bench: Bench) -> str:
    """An instance that the internet reaches on port 22, with two interfaces and a role, in an Auto Scaling group at its
    minimum and behind a load balancer; returns its id."""
    without_block(bench)
    ec2, iam = bench.client("ec2"), bench.client("iam")
    number = len(ec2.describe_vpcs()["Vpcs"])
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone="us-east-1a")["Subnet"][
        "SubnetId"
    ]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    main = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"][0][
        "RouteTableId"
    ]
    ec2.create_route(RouteTableId=main, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    ssh = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=ssh)
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}  # fmt: skip
    name = f"web-{number}"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    (amazon, *_others) = ec2.describe_images(Owners=["amazon"])["Images"]
    ec2.create_launch_template(
        LaunchTemplateName=name, LaunchTemplateData={"ImageId": amazon["ImageId"], "InstanceType": "t3.micro"}
    )
    targets = bench.client("elbv2").create_target_group(
        Name=name, Protocol="HTTP", Port=8080, VpcId=vpc, TargetType="instance"
    )["TargetGroups"][0]["TargetGroupArn"]
    # moto keeps groups that are named for the instance beside those of its interfaces, AWS has only the latter
    first, second = (
        ec2.create_network_interface(SubnetId=subnet, Groups=[group])["NetworkInterface"][
            "NetworkInterfaceId"
        ]
        for _ in range(2)
    )
    (instance,) = ec2.run_instances(
        ImageId=amazon["ImageId"], MinCount=1, MaxCount=1, IamInstanceProfile={"Name": name},
        NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": first}],
    )["Instances"]  # fmt: skip
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.associate_address(AllocationId=address, NetworkInterfaceId=first)
    id: str = instance["InstanceId"]
    ec2.attach_network_interface(NetworkInterfaceId=second, InstanceId=id, DeviceIndex=1)
    ec2.modify_instance_attribute(
        InstanceId=id, Attribute="instanceInitiatedShutdownBehavior", Value="terminate"
    )
    scaling = bench.client("autoscaling")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=name, LaunchTemplate={"LaunchTemplateName": name}, MinSize=0, MaxSize=3, DesiredCapacity=0,
        VPCZoneIdentifier=subnet,
    )  # fmt: skip
    scaling.attach_instances(AutoScalingGroupName=name, InstanceIds=[id])
    scaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=1)
    bench.client("elbv2").register_targets(TargetGroupArn=targets, Targets=[{"Id": id, "Port": 8080}])
    return id


PLACE = ("ec2-instance-sensitive-ports-unreachable", "AWS::EC2::Instance")


@pytest.mark.slow
def test_laws(bench: Bench) -> None:
    """Each of its calls fails in each way. Another instance is made only where the last is not as it was."""
    made = bench.setup(*PLACE, exposed(bench))
    at = [(made, made.image())]

    def again() -> str:
        last, before = at[0]
        if last.image() != before:
            last = bench.setup(*PLACE, exposed(bench))
            at[0] = (last, last.image())
        return last.subject.id

    applied = bench.laws(*PLACE, made.subject.id, again=again)
    assert applied.plan["approvals"] == 2


def test_released_it_is_as_it_was(bench: Bench) -> None:
    id = exposed(bench)
    made = bench.setup(*PLACE, id)
    action = bench.planned(made).action
    assert action is not None
    done = bench.apply(made, action).action
    assert done is not None and done.state == "verified" and made.verdict() == "PASS"
    snapshots = bench.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"]
    released = made.kernel.rollback(action.id, "somebody@example.com").action
    bench.note(made)
    assert released is not None and released.state == "rolled_back", released and released.reason
    assert made.image() == action.plan["before"] and made.verdict() == "FAIL"
    assert snapshots and bench.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"] == snapshots
