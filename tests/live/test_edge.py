"""CloudFront, Route 53, WAF, Network Firewall and Global Accelerator from live calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from policyengine.aws.account import Account
from policyengine.sources.live.plan import make_plan
from tests.live.conftest import failure
from tests.live.judging import verdict

REGION = "us-east-1"
DISTRIBUTION = "AWS::CloudFront::Distribution"


def _distribution(reference: str, **more: Any) -> dict[str, Any]:
    return {
        "CallerReference": reference,
        "Comment": "",
        "Enabled": True,
        "Origins": {
            "Quantity": 1,
            "Items": [
                {
                    "Id": "web",
                    "DomainName": "web.example.com",
                    "CustomHeaders": {
                        "Quantity": 1,
                        "Items": [{"HeaderName": "X-Shared", "HeaderValue": "1"}],
                    },
                    "CustomOriginConfig": {
                        "HTTPPort": 80,
                        "HTTPSPort": 443,
                        "OriginProtocolPolicy": "https-only",
                        "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
                    },
                }
            ],
        },
        "DefaultCacheBehavior": {
            "TargetOriginId": "web",
            "ViewerProtocolPolicy": "allow-all",
            "AllowedMethods": {
                "Quantity": 2,
                "Items": ["GET", "HEAD"],
                "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]},
            },
            "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
            "MinTTL": 0,
        },
        **more,
    }


def test_a_distribution_from_the_server(aws: Callable[..., Any], account: Account, collect: Any) -> None:
    made = aws("cloudfront").create_distribution_with_tags(
        DistributionConfigWithTags={
            "DistributionConfig": _distribution("a"),
            "Tags": {"Items": [{"Key": "Owner", "Value": "a"}]},
        }
    )["Distribution"]
    needs = {DISTRIBUTION: frozenset({"DistributionConfig", "tags"})}
    (found,) = collect(account, DISTRIBUTION, place="global", needs=needs)
    config = found.properties["DistributionConfig"]
    assert (found.id, found.arn, found.tags) == (made["Id"], made["ARN"], {"Owner": "a"})
    assert config["Origins"][0]["OriginCustomHeaders"] == [{"HeaderName": "X-Shared", "HeaderValue": "1"}]
    assert config["Origins"][0]["CustomOriginConfig"]["OriginSSLProtocols"] == ["TLSv1.2"]
    assert config["DefaultCacheBehavior"]["AllowedMethods"] == ["GET", "HEAD"]
    assert config["DefaultCacheBehavior"]["CachedMethods"] == ["GET", "HEAD"]
    assert config["CacheBehaviors"] == []
    assert "Logging" not in config
    assert "WebACLId" not in config
    assert verdict("cloudfront-viewers-https", found) == "FAIL"
    assert verdict("cloudfront-origins-https", found) == "PASS"
    assert verdict("cloudfront-behind-waf", found) == "FAIL"
    assert verdict("cloudfront-origins-only-through-cloudfront", found) == "PASS"


def test_either_logging_counts(canned: Any, collect: Any) -> None:
    arns = {name: f"arn:aws:cloudfront::123456789012:distribution/{name}" for name in ("E1", "E2", "E3")}
    logging = {"Enabled": True, "Bucket": "logs.s3.amazonaws.com", "Prefix": "", "IncludeCookies": False}
    off = {"Enabled": False, "Bucket": "", "Prefix": "", "IncludeCookies": False}
    account = canned(
        {
            "cloudfront:ListDistributions": {
                "DistributionList": {"Items": [{"Id": name, "ARN": arn} for name, arn in arns.items()]}
            },
            "cloudfront:GetDistributionConfig": lambda arguments: {
                "DistributionConfig": _distribution(
                    "a",
                    Logging=logging if arguments["Id"] == "E1" else off,
                    WebACLId="",
                    DefaultRootObject="",
                    IsIPV6Enabled=True,
                    CustomErrorResponses={
                        "Quantity": 1,
                        "Items": [{"ErrorCode": 404, "ResponseCode": "200"}],
                    },
                )
            },
            "logs:DescribeDeliverySources": {
                "deliverySources": [{"resourceArns": [arns["E2"]], "logType": "ACCESS_LOGS"}]
            },
        }
    )
    needs = {DISTRIBUTION: frozenset({"DistributionConfig", "StandardLoggingV2Enabled"})}
    first, second, third = collect(account, DISTRIBUTION, place="global", needs=needs)
    verdicts = [verdict("cloudfront-access-logs", each) for each in (first, second, third)]
    assert verdicts == ["PASS", "PASS", "FAIL"]
    config = third.properties["DistributionConfig"]
    assert config["IPV6Enabled"] is True
    assert config["CustomErrorResponses"] == [{"ErrorCode": 404, "ResponseCode": 200}]
    assert "DefaultRootObject" not in config
    assert verdict("cloudfront-default-root-object", third) == "FAIL"


def test_zones_and_records(aws: Callable[..., Any], account: Account, collect: Any) -> None:
    client = aws("route53")
    vpc = aws("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    public = client.create_hosted_zone(Name="example.com", CallerReference="a")["HostedZone"]["Id"]
    private = client.create_hosted_zone(
        Name="example.internal",
        CallerReference="b",
        VPC={"VPCRegion": REGION, "VPCId": vpc},
        HostedZoneConfig={"Comment": "inside", "PrivateZone": True},
    )["HostedZone"]["Id"]
    client.change_tags_for_resource(
        ResourceType="hostedzone",
        ResourceId=public.rpartition("/")[2],
        AddTags=[{"Key": "Owner", "Value": "a"}],
    )
    record = {
        "Name": "www.example.com",
        "Type": "A",
        "TTL": 60,
        "SetIdentifier": "one",
        "Failover": "PRIMARY",
        "ResourceRecords": [{"Value": "192.0.2.1"}],
    }
    client.change_resource_record_sets(
        HostedZoneId=public, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    )
    needs = {"AWS::Route53::HostedZone": frozenset({"VPCs", "QueryLoggingConfig", "PrivateZone", "tags"})}
    zones = {
        zone.id: zone for zone in collect(account, "AWS::Route53::HostedZone", place="global", needs=needs)
    }
    outside, inside = zones[public.rpartition("/")[2]], zones[private.rpartition("/")[2]]
    assert (outside.tags, inside.tags) == ({"Owner": "a"}, {})
    assert (outside.properties["PrivateZone"], inside.properties["PrivateZone"]) == (False, True)
    assert inside.properties["VPCs"] == [{"VPCRegion": REGION, "VPCId": vpc}]
    assert "VPCs" not in outside.properties
    assert verdict("public-zone-queries-logged", outside) == "FAIL"
    records = collect(account, "AWS::Route53::RecordSet", place="global")
    (found,) = [each for each in records if each.properties["Type"] == "A"]
    assert found.id == f"{outside.id}|www.example.com.|A|one" or found.id.endswith("|A|one")
    assert found.properties["ResourceRecords"] == ["192.0.2.1"]
    assert (found.properties["TTL"], found.properties["HostedZoneId"]) == ("60", outside.id)
    assert verdict("failover-records-health-checked", found) == "FAIL"


def test_web_acls_of_both_scopes(aws: Callable[..., Any], account: Account, collect: Any) -> None:
    rule = {
        "Name": "log4j",
        "Priority": 1,
        "Statement": {
            "ByteMatchStatement": {
                "SearchString": b"jndi",
                "FieldToMatch": {"UriPath": {}},
                "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
                "PositionalConstraint": "CONTAINS",
            }
        },
        "Action": {"Block": {}},
        "VisibilityConfig": {
            "SampledRequestsEnabled": False,
            "CloudWatchMetricsEnabled": False,
            "MetricName": "log4j",
        },
    }
    client = aws("wafv2")
    for scope in ("REGIONAL", "CLOUDFRONT"):
        client.create_web_acl(
            Name=f"acl-{scope.lower()}",
            Scope=scope,
            DefaultAction={"Allow": {}},
            Rules=[rule],
            VisibilityConfig={**rule["VisibilityConfig"], "MetricName": "acl"},
            Tags=[{"Key": "Owner", "Value": "a"}],
        )
    found = collect(account, "AWS::WAFv2::WebACL")
    assert [acl.properties["Scope"] for acl in found] == ["REGIONAL", "CLOUDFRONT"]
    assert [acl.properties["Name"] for acl in found] == ["acl-regional", "acl-cloudfront"]
    (first, _) = found
    assert first.tags == {"Owner": "a"}
    statement = first.properties["Rules"][0]["Statement"]["ByteMatchStatement"]
    assert (statement["SearchString"], statement["FieldToMatch"]) == ("jndi", {"UriPath": {}})
    assert verdict("web-acl-logging", first) == "FAIL"
    assert verdict("web-acl-rules-have-metrics", first) == "FAIL"
    assert collect(account, "AWS::WAFv2::WebACL", region="eu-west-3") == []


def test_logging_of_a_web_acl(canned: Any, collect: Any) -> None:
    summary = {"Name": "a", "Id": "1", "ARN": "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/a/1"}
    account = canned(
        {
            "wafv2:ListWebACLs": {"WebACLs": [summary]},
            "wafv2:GetWebACL": {"WebACL": {**summary, "Rules": []}},
            "wafv2:GetLoggingConfiguration": {
                "LoggingConfiguration": {
                    "ResourceArn": summary["ARN"],
                    "LogDestinationConfigs": ["arn:aws:s3:::aws-waf-logs"],
                }
            },
            "wafv2:ListTagsForResource": {"TagInfoForResource": {"TagList": []}},
        }
    )
    (acl,) = collect(account, "AWS::WAFv2::WebACL", region="eu-west-1")
    assert acl.related["logging"][0]["LogDestinationConfigs"] == ["arn:aws:s3:::aws-waf-logs"]
    assert acl.tags == {}
    assert verdict("web-acl-logging", acl) == "PASS"
    account.answers = {
        **account.answers,
        "wafv2:GetLoggingConfiguration": failure("wafv2:GetLoggingConfiguration", "AccessDeniedException"),
    }
    (acl,) = collect(account, "AWS::WAFv2::WebACL", region="eu-west-1")
    assert verdict("web-acl-logging", acl) == "UNKNOWN"
    assert "AWS::WAFv2::LoggingConfiguration" not in collect.last.whole


def test_firewalls_and_accelerators(canned: Any, collect: Any) -> None:
    arn = "arn:aws:network-firewall:us-east-1:123456789012:firewall/edge"
    policy = "arn:aws:network-firewall:us-east-1:123456789012:firewall-policy/edge"
    accelerator = "arn:aws:globalaccelerator::123456789012:accelerator/1"
    account = canned(
        {
            "network-firewall:ListFirewalls": {"Firewalls": [{"FirewallName": "edge", "FirewallArn": arn}]},
            "network-firewall:DescribeFirewall": {
                "Firewall": {
                    "FirewallName": "edge",
                    "FirewallArn": arn,
                    "DeleteProtection": True,
                    "SubnetMappings": [{"SubnetId": "subnet-1"}],
                    "EncryptionConfiguration": {"Type": "AWS_OWNED_KMS_KEY"},
                    "Tags": [{"Key": "Owner", "Value": "a"}],
                }
            },
            "network-firewall:DescribeLoggingConfiguration": {"FirewallArn": arn},
            "network-firewall:ListFirewallPolicies": {"FirewallPolicies": [{"Name": "edge", "Arn": policy}]},
            "network-firewall:DescribeFirewallPolicy": {
                "FirewallPolicyResponse": {
                    "FirewallPolicyName": "edge",
                    "FirewallPolicyArn": policy,
                    "Tags": [{"Key": "Owner", "Value": "b"}],
                },
                "FirewallPolicy": {
                    "StatelessDefaultActions": ["aws:pass"],
                    "StatelessFragmentDefaultActions": ["aws:drop"],
                },
            },
            "globalaccelerator:ListAccelerators": {
                "Accelerators": [
                    {
                        "AcceleratorArn": accelerator,
                        "Name": "front",
                        "Enabled": True,
                        "IpSets": [{"IpAddresses": ["192.0.2.1"], "IpAddressFamily": "IPv4"}],
                    }
                ]
            },
            "globalaccelerator:DescribeAcceleratorAttributes": {
                "AcceleratorAttributes": {"FlowLogsEnabled": False}
            },
            "globalaccelerator:ListTagsForResource": {"Tags": [{"Key": "Owner", "Value": "c"}]},
        }
    )
    (firewall,) = collect(account, "AWS::NetworkFirewall::Firewall")
    assert firewall.tags == {"Owner": "a"}
    assert "logging" not in firewall.related
    assert verdict("network-firewall-deletion-protection", firewall) == "PASS"
    assert verdict("network-firewall-logging", firewall) == "FAIL"
    (found,) = collect(account, "AWS::NetworkFirewall::FirewallPolicy")
    assert (found.id, found.tags) == (policy, {"Owner": "b"})
    assert found.properties["FirewallPolicy"]["StatelessDefaultActions"] == ["aws:pass"]
    (front,) = collect(account, "AWS::GlobalAccelerator::Accelerator", region="us-west-2", place="global")
    assert front.properties["Ipv4Addresses"] == ["192.0.2.1"]
    assert front.properties["FlowLogsEnabled"] is False
    assert front.tags == {"Owner": "c"}


def test_global_services_are_asked_at_home() -> None:
    plan = make_plan({"AWS::GlobalAccelerator::Accelerator": frozenset(), DISTRIBUTION: frozenset()})
    tasks = plan.tasks("123456789012", "aws", ["eu-west-1", "eu-west-3"], organization=False)
    assert {(task.types[0].split("::")[1], task.region, task.place) for task in tasks} == {
        ("GlobalAccelerator", "us-west-2", "global"),
        ("CloudFront", "us-east-1", "global"),
    }
