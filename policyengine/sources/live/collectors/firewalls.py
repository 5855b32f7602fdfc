"""AWS WAF, Network Firewall and Global Accelerator: what stands at the edge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policyengine.model.resource import Resource
from policyengine.sources.live.context import Context
from policyengine.sources.live.declared import Run
from policyengine.sources.live.spec import CodeCollector, Collector, Step

Json = dict[str, Any]
_WAF_HOME: Final = "us-east-1"
"""Web ACLs for CloudFront are asked for there: https://docs.aws.amazon.com/waf/latest/APIReference/API_ListWebACLs.html"""


def _texts(value: Any) -> Any:
    """Search strings are bytes here; the registry has text, and base64 under another name."""
    if isinstance(value, list):
        return [_texts(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {name: _texts(each) for name, each in value.items()}
    wanted = value.get("SearchString")
    if isinstance(wanted, bytes):
        try:
            found["SearchString"] = wanted.decode()
        except UnicodeDecodeError:
            del found["SearchString"]
            found["SearchStringBase64"] = wanted
    return found


_ACL: Final = Collector(
    "AWS::WAFv2::WebACL",
    "wafv2",
    Step("ListWebACLs", "WebACLs", {"Scope": "REGIONAL"}),
    id="{ARN}",
    arn="{ARN}",
    tags="",
    describe=Step(
        "GetWebACL",
        "WebACL",
        {"Id": "{Id}", "Name": "{Name}", "Scope": "{Scope}"},
        gone=("WAFNonexistentItemException",),
        shape=lambda result, _item: _texts(result),
    ),
    gives=("Scope",),
    details=(
        Step(
            "GetLoggingConfiguration",
            "LoggingConfiguration",
            {"ResourceArn": "{ARN}"},
            gives=("related.logging",),
            into="related.logging",
            none=("WAFNonexistentItemException",),
        ),
        Step(
            "ListTagsForResource",
            "TagInfoForResource.TagList",
            {"ResourceARN": "{ARN}"},
            gives=("tags",),
            gone=("WAFNonexistentItemException",),
        ),
    ),
    also={"AWS::WAFv2::LoggingConfiguration": "related.logging"},
)


def _acls(context: Context) -> Iterator[Resource]:
    run = Run(_ACL, context)
    for scope in ("REGIONAL", "CLOUDFRONT") if context.region == _WAF_HOME else ("REGIONAL",):
        yield from run.of(_listed(context, scope))


def _listed(context: Context, scope: str) -> Iterator[Json]:
    for page in context.pages("wafv2", "ListWebACLs", {"Scope": scope}):
        for item in page.get("WebACLs") or ():
            yield {**item, "Scope": scope}


def _accelerator(item: Json) -> Json:
    """https://docs.aws.amazon.com/global-accelerator/latest/api/API_IpSet.html"""
    by_family: dict[str, list[str]] = {"IPv4": [], "IPv6": []}
    for each in item.get("IpSets", ()):
        by_family.setdefault(each.get("IpAddressFamily", "IPv4"), []).extend(each.get("IpAddresses", ()))
    return {**item, "Ipv4Addresses": by_family["IPv4"], "Ipv6Addresses": by_family["IPv6"]}


def _logging(result: Json, item: Json) -> Json | None:
    """https://docs.aws.amazon.com/network-firewall/latest/APIReference/API_DescribeLoggingConfiguration.html"""
    config = result.get("LoggingConfiguration") or {}
    if not config.get("LogDestinationConfigs"):
        return None
    return {
        "FirewallArn": item["FirewallArn"],
        "FirewallName": item.get("FirewallName"),
        "LoggingConfiguration": config,
    }


def _policy(result: Json, _item: Json) -> Json:
    return {**result.get("FirewallPolicyResponse", {}), "FirewallPolicy": result.get("FirewallPolicy")}


_GONE: Final = ("ResourceNotFoundException",)

COLLECTORS = (
    CodeCollector(
        (_ACL.type,),
        "wafv2",
        _acls,
        (
            "wafv2:ListWebACLs",
            "wafv2:GetWebACL",
            "wafv2:GetLoggingConfiguration",
            "wafv2:ListTagsForResource",
        ),
        parts=(_ACL,),
        also=_ACL.also,
    ),
    Collector(
        "AWS::GlobalAccelerator::Accelerator",
        "globalaccelerator",
        Step("ListAccelerators", "Accelerators", {"MaxResults": 100}),
        id="{AcceleratorArn}",
        arn="{AcceleratorArn}",
        tags="",
        home={"aws": "us-west-2"},
        shape=_accelerator,
        gives=("Ipv4Addresses", "Ipv6Addresses"),
        details=(
            Step(
                "DescribeAcceleratorAttributes",
                "AcceleratorAttributes",
                {"AcceleratorArn": "{AcceleratorArn}"},
                gone=("AcceleratorNotFoundException",),
            ),
            Step(
                "ListTagsForResource",
                "Tags",
                {"ResourceArn": "{AcceleratorArn}"},
                gives=("tags",),
                gone=("AcceleratorNotFoundException",),
            ),
        ),
    ),
    Collector(
        "AWS::NetworkFirewall::Firewall",
        "network-firewall",
        Step("ListFirewalls", "Firewalls"),
        id="{FirewallArn}",
        arn="{FirewallArn}",
        describe=Step("DescribeFirewall", "Firewall", {"FirewallArn": "{FirewallArn}"}, gone=_GONE),
        details=(
            Step(
                "DescribeLoggingConfiguration",
                "",
                {"FirewallArn": "{FirewallArn}"},
                gives=("related.logging",),
                into="related.logging",
                gone=_GONE,
                shape=_logging,
            ),
        ),
        also={"AWS::NetworkFirewall::LoggingConfiguration": "related.logging"},
    ),
    Collector(
        "AWS::NetworkFirewall::FirewallPolicy",
        "network-firewall",
        Step("ListFirewallPolicies", "FirewallPolicies"),
        id="{Arn}",
        arn="{Arn}",
        keep=lambda item, names: f":{names['account']}:" in item.get("Arn", ""),
        describe=Step(
            "DescribeFirewallPolicy",
            "",
            {"FirewallPolicyArn": "{Arn}"},
            gone=_GONE,
            shape=_policy,
        ),
        gives=(
            "FirewallPolicyName",
            "FirewallPolicyArn",
            "FirewallPolicyId",
            "Description",
            "Tags",
            "EncryptionConfiguration",
        ),
    ),
)
