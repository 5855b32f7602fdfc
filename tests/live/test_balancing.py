"""Load balancers and Auto Scaling from live calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from policyengine.aws.account import Account
from policyengine.model.resource import Resource
from tests.live.judging import verdict

REGION = "eu-north-1"
V2 = "AWS::ElasticLoadBalancingV2"


def _subnets(aws: Callable[..., Any]) -> list[str]:
    found = aws("ec2", REGION).describe_subnets()["Subnets"]
    return [subnet["SubnetId"] for subnet in found[:2]]


def _one(found: list[Resource], name: str) -> Resource:
    return next(each for each in found if name in (each.id, each.properties.get("Name")))


def test_a_load_balancer_has_attributes_and_listeners(
    aws: Callable[..., Any], account: Account, collect: Any
) -> None:
    client, subnets = aws("elbv2", REGION), _subnets(aws)
    arn = client.create_load_balancer(
        Name="front", Subnets=subnets, Scheme="internet-facing", Type="application",
        Tags=[{"Key": "Owner", "Value": "a"}],
    )["LoadBalancers"][0]["LoadBalancerArn"]  # fmt: skip
    client.modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}]
    )
    group = client.create_target_group(Name="plain", Protocol="HTTP", Port=80, VpcId=_vpc(aws))
    target = group["TargetGroups"][0]["TargetGroupArn"]
    listener = client.create_listener(
        LoadBalancerArn=arn, Protocol="HTTP", Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target}],
    )["Listeners"][0]["ListenerArn"]  # fmt: skip
    client.create_rule(
        ListenerArn=listener, Priority=7, Conditions=[{"Field": "path-pattern", "Values": ["/a"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": target}],
    )  # fmt: skip

    names = frozenset({"Attributes", "Subnets", "tags"})
    found = collect(account, f"{V2}::LoadBalancer", region=REGION, needs={f"{V2}::LoadBalancer": names})
    front = _one(found, "front")
    assert front.tags == {"Owner": "a"}
    assert sorted(front.properties["Subnets"]) == sorted(subnets)
    assert {"Key": "deletion_protection.enabled", "Value": "true"} in front.properties[
        "LoadBalancerAttributes"
    ]
    assert verdict("load-balancer-deletion-protection", front) == "PASS"
    assert verdict("alb-drops-invalid-headers", front) == "FAIL"

    heard = next(r for r in collect(account, f"{V2}::Listener", region=REGION) if r.id == listener)
    assert (heard.properties["Port"], heard.properties["LoadBalancerArn"]) == (80, arn)
    assert verdict("alb-https", heard, [front]) == "FAIL"
    (rule,) = collect(account, f"{V2}::ListenerRule", region=REGION)
    assert (rule.properties["Priority"], rule.properties["ListenerArn"]) == (7, listener)
    plain = _one(collect(account, f"{V2}::TargetGroup", region=REGION), "plain")
    assert (plain.properties["Protocol"], plain.properties["Port"]) == ("HTTP", 80)
    assert verdict("elb-targets-encrypted", plain) == "FAIL"


def _vpc(aws: Callable[..., Any]) -> str:
    return str(aws("ec2", REGION).describe_vpcs()["Vpcs"][0]["VpcId"])


def test_only_application_load_balancers_are_asked_for_their_web_acl(canned: Any, collect: Any) -> None:
    def balancer(name: str, kind: str) -> dict[str, Any]:
        arn = f"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/{name}/1"
        zone = {
            "ZoneName": "us-east-1a",
            "SubnetId": "subnet-1",
            "LoadBalancerAddresses": [{"AllocationId": "eipalloc-1"}] if kind == "network" else [],
        }
        return {
            "LoadBalancerArn": arn, "LoadBalancerName": name, "Type": kind, "Scheme": "internet-facing",
            "AvailabilityZones": [zone],
        }  # fmt: skip

    asked: list[str] = []

    def acl(arguments: dict[str, Any]) -> dict[str, Any]:
        asked.append(arguments["ResourceArn"])
        return {"WebACL": {"ARN": "arn:aws:wafv2:acl"}} if "app/a/" in asked[-1] else {}

    account = canned(
        {
            "elbv2:DescribeLoadBalancers": {
                "LoadBalancers": [
                    balancer("app/a", "application"),
                    balancer("app/b", "application"),
                    balancer("net/c", "network"),
                ]
            },
            "wafv2:GetWebACLForResource": acl,
        }
    )
    needs = {f"{V2}::LoadBalancer": frozenset({"related.web_acl_associations"})}
    a, b, c = collect(account, f"{V2}::LoadBalancer", needs=needs)
    assert len(asked) == 2
    assert a.related["web_acl_associations"] == [{"ResourceArn": a.id, "WebACLArn": "arn:aws:wafv2:acl"}]
    assert verdict("alb-behind-waf", a) == "PASS"
    assert verdict("alb-behind-waf", b) == "FAIL"
    assert c.properties["SubnetMappings"] == [{"SubnetId": "subnet-1", "AllocationId": "eipalloc-1"}]


def test_a_classic_load_balancer(aws: Callable[..., Any], account: Account, collect: Any) -> None:
    client = aws("elb", REGION)
    listener = {
        "Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTP", "InstancePort": 8080,
    }  # fmt: skip
    client.create_load_balancer(
        LoadBalancerName="old", Listeners=[listener], AvailabilityZones=[f"{REGION}a"],
        Tags=[{"Key": "Owner", "Value": "a"}],
    )  # fmt: skip
    client.modify_load_balancer_attributes(
        LoadBalancerName="old", LoadBalancerAttributes={"CrossZoneLoadBalancing": {"Enabled": True}}
    )
    old = _one(collect(account, "AWS::ElasticLoadBalancing::LoadBalancer", region=REGION), "old")
    assert old.tags == {"Owner": "a"}
    assert old.properties["Listeners"][0] == {
        "Protocol": "HTTP", "LoadBalancerPort": "80", "InstanceProtocol": "HTTP", "InstancePort": "8080",
        "PolicyNames": [],
    } | {k: v for k, v in old.properties["Listeners"][0].items() if k == "SSLCertificateId"}  # fmt: skip
    assert old.properties["CrossZone"] is True
    assert old.properties["AccessLoggingPolicy"]["Enabled"] is False
    assert verdict("classic-elb-tls", old) == "FAIL"
    assert verdict("classic-load-balancer-cross-zone", old) == "PASS"
    assert verdict("classic-load-balancer-access-logs", old) == "FAIL"


def test_only_policies_in_use_count(canned: Any, collect: Any) -> None:
    def policy(name: str, value: str) -> dict[str, Any]:
        attribute = {"AttributeName": "Reference-Security-Policy", "AttributeValue": value}
        return {
            "PolicyName": name,
            "PolicyTypeName": "SSLNegotiationPolicyType",
            "PolicyAttributeDescriptions": [attribute],
        }

    account = canned(
        {
            "elb:DescribeLoadBalancers": {
                "LoadBalancerDescriptions": [
                    {
                        "LoadBalancerName": "old",
                        "ListenerDescriptions": [
                            {
                                "Listener": {
                                    "Protocol": "HTTPS", "LoadBalancerPort": 443, "InstancePort": 80,
                                },
                                "PolicyNames": ["new"],
                            }
                        ],
                    }
                ]
            },
            "elb:DescribeLoadBalancerPolicies": {
                "PolicyDescriptions": [
                    policy("new", "ELBSecurityPolicy-TLS-1-2-2017-01"),
                    policy("left-over", "ELBSecurityPolicy-2015-05"),
                ]
            },
        }
    )  # fmt: skip
    type = "AWS::ElasticLoadBalancing::LoadBalancer"
    (old,) = collect(account, type, needs={type: frozenset({"Policies"})})
    assert [each["PolicyName"] for each in old.properties["Policies"]] == ["new"]
    assert old.properties["Policies"][0]["LoadBalancerPorts"] == ["443"]
    assert verdict("classic-elb-tls-policy", old) == "PASS"


def test_a_group_and_its_configuration(aws: Callable[..., Any], account: Account, collect: Any) -> None:
    client, subnets = aws("autoscaling", REGION), _subnets(aws)
    image = aws("ec2", REGION).describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    client.create_launch_configuration(
        LaunchConfigurationName="old", ImageId=image, InstanceType="t3.micro",
        InstanceMonitoring={"Enabled": False}, MetadataOptions={"HttpTokens": "required"},
        BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 8, "Encrypted": False}}],
    )  # fmt: skip
    client.create_auto_scaling_group(
        AutoScalingGroupName="workers", LaunchConfigurationName="old", MinSize=0, MaxSize=2,
        VPCZoneIdentifier=",".join(subnets),
        Tags=[{"Key": "Owner", "Value": "a", "PropagateAtLaunch": True}],
    )  # fmt: skip
    group = _one(collect(account, "AWS::AutoScaling::AutoScalingGroup", region=REGION), "workers")
    assert group.tags == {"Owner": "a"}
    assert group.properties["Tags"] == [{"Key": "Owner", "Value": "a", "PropagateAtLaunch": True}]
    assert sorted(group.properties["VPCZoneIdentifier"]) == sorted(subnets)
    assert (group.properties["MinSize"], group.properties["MaxSize"]) == ("0", "2")
    assert "LaunchTemplate" not in group.properties
    assert verdict("asg-uses-launch-template", group) == "FAIL"
    assert verdict("asg-tags-propagate", group) == "PASS"
    configuration = _one(collect(account, "AWS::AutoScaling::LaunchConfiguration", region=REGION), "old")
    assert configuration.properties["InstanceMonitoring"] is False
    assert "KeyName" not in configuration.properties  # the API says ""
    assert verdict("ec2-no-key-pair", configuration) == "PASS"
    assert verdict("block-devices-encrypted", configuration) == "FAIL"
