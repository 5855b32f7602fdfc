"""Elastic Load Balancing: application, network and gateway load balancers, and classic ones."""

from __future__ import annotations

from typing import Any

from policyengine.sources.live.context import Context
from policyengine.sources.live.spec import Collector, Parent, Step

Json = dict[str, Any]
_V2 = "AWS::ElasticLoadBalancingV2"
_GONE = ("LoadBalancerNotFound",)


def _tags(service: str, argument: str, name: str, at_once: int = 20) -> Step:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html: twenty at a time."""
    key = "ResourceArn" if service == "elbv2" else "LoadBalancerName"
    return Step(
        "DescribeTags",
        "TagDescriptions",
        {argument: name},
        gives=("tags",),
        batch=at_once,
        key=key,
        shape=lambda result, _item: result.get("Tags", []),
    )


def _attributes(of: str, gone: str) -> Step:
    """The list, of which the map ``Attributes`` is made later."""
    return Step(
        f"Describe{of}Attributes",
        "Attributes",
        {f"{of}Arn": f"{{{of}Arn}}"},
        gives=(f"{of}Attributes", "Attributes"),
        gone=(gone,),
        shape=lambda result, _item: {f"{of}Attributes": result},
    )


def _full_name(arn: str) -> str:
    return arn.partition(":loadbalancer/")[2]


def _load_balancer(item: Json) -> Json:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancer.html"""
    found = {name: value for name, value in item.items() if name not in ("State", "IpamPools")}
    zones = item.get("AvailabilityZones", ())
    names = {
        "AllocationId": "AllocationId",
        "PrivateIPv4Address": "PrivateIPv4Address",
        "IPv6Address": "IPv6Address",
    }
    mappings = []
    for zone in zones:
        for address in zone.get("LoadBalancerAddresses") or [{}]:
            given = {own: address[name] for name, own in names.items() if address.get(name)}
            mappings.append({"SubnetId": zone.get("SubnetId"), **given})
    return {
        **found,
        "Name": item.get("LoadBalancerName"),
        "LoadBalancerFullName": _full_name(item["LoadBalancerArn"]),
        "Subnets": [zone["SubnetId"] for zone in zones if "SubnetId" in zone],
        "SubnetMappings": mappings,
        "Ipv4IpamPoolId": (item.get("IpamPools") or {}).get("Ipv4IpamPoolId"),
    }


def _web_acl(context: Context, item: Json) -> Json:
    """Only application load balancers can have a web ACL.

    https://docs.aws.amazon.com/waf/latest/APIReference/API_GetWebACLForResource.html
    """
    if item.get("Type") != "application":
        return {}
    return context.call("wafv2", "GetWebACLForResource", {"ResourceArn": item["LoadBalancerArn"]})


def _association(acl: Json, item: Json) -> Json:
    return {"ResourceArn": item["LoadBalancerArn"], "WebACLArn": acl["ARN"]}


_CONFIGS = ("AuthenticateCognitoConfig", "AuthenticateOidcConfig")


def _action(action: Json) -> Json:
    """Return an action of a listener: a session's length is a text there, and a number in those of rules."""
    found = dict(action)
    for name in _CONFIGS:
        if "SessionTimeout" in action.get(name, {}):
            found[name] = {**action[name], "SessionTimeout": str(action[name]["SessionTimeout"])}
    return found


def _listener(item: Json) -> Json:
    return {**item, "DefaultActions": [_action(action) for action in item.get("DefaultActions", ())]}


def _certificates(result: list[Json], item: Json) -> Json | None:
    """The further certificates; the default one stands in the listener itself."""
    more = [{"CertificateArn": each["CertificateArn"]} for each in result if not each.get("IsDefault")]
    return {"ListenerArn": item["ListenerArn"], "Certificates": more} if more else None


def _rule(item: Json) -> Json:
    found = {**item, "ListenerArn": item["parent"]["ListenerArn"]}
    return {**found, "Priority": int(item["Priority"])}


def _target_group(item: Json) -> Json:
    name = item["TargetGroupArn"].rpartition(":")[2]
    return {**item, "Name": item.get("TargetGroupName"), "TargetGroupFullName": name}


def _targets(result: list[Json], _item: Json) -> list[Json]:
    return [each["Target"] for each in result if "Target" in each]


def _classic(item: Json) -> Json:
    """https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_LoadBalancerDescription.html"""
    found = {name: value for name, value in item.items() if name not in ("Policies", "Instances")}
    policies = item.get("Policies") or {}
    return {
        **found,
        "Instances": [each["InstanceId"] for each in item.get("Instances", ()) if "InstanceId" in each],
        "Listeners": [_classic_listener(each) for each in item.get("ListenerDescriptions", ())],
        "HealthCheck": _texts(item.get("HealthCheck") or {}),
        "AppCookieStickinessPolicy": policies.get("AppCookieStickinessPolicies", []),
        "LBCookieStickinessPolicy": [_texts(each) for each in policies.get("LBCookieStickinessPolicies", ())],
    }


def _texts(item: Json) -> Json:
    return {name: str(value) for name, value in item.items()}


def _classic_listener(item: Json) -> Json:
    return {**_texts(item.get("Listener") or {}), "PolicyNames": item.get("PolicyNames", [])}


def _classic_attributes(result: Json, _item: Json) -> Json:
    found: Json = {
        "AccessLoggingPolicy": result.get("AccessLog"),
        "ConnectionDrainingPolicy": result.get("ConnectionDraining"),
        "ConnectionSettings": result.get("ConnectionSettings"),
        "CrossZone": (result.get("CrossZoneLoadBalancing") or {}).get("Enabled"),
    }
    more = result.get("AdditionalAttributes")
    return {**found, "Attributes": {each["Key"]: each.get("Value") for each in more}} if more else found


def _classic_policies(result: list[Json], item: Json) -> list[Json]:
    """Return the policies that are in use; those of ports that were taken away are still listed."""
    ports: dict[str, list[str]] = {}
    for each in item.get("ListenerDescriptions", ()):
        for name in each.get("PolicyNames", ()):
            ports.setdefault(name, []).append(str(each.get("Listener", {}).get("LoadBalancerPort")))
    servers: dict[str, list[str]] = {}
    for each in item.get("BackendServerDescriptions", ()):
        for name in each.get("PolicyNames", ()):
            servers.setdefault(name, []).append(str(each.get("InstancePort")))
    return [
        {
            "PolicyName": policy["PolicyName"],
            "PolicyType": policy.get("PolicyTypeName"),
            "Attributes": [
                {"Name": each.get("AttributeName"), "Value": each.get("AttributeValue")}
                for each in policy.get("PolicyAttributeDescriptions", ())
            ],
            "LoadBalancerPorts": ports.get(policy["PolicyName"]),
            "InstancePorts": servers.get(policy["PolicyName"]),
        }
        for policy in result
        if policy["PolicyName"] in ports or policy["PolicyName"] in servers
    ]


COLLECTORS = (
    Collector(
        f"{_V2}::LoadBalancer",
        "elbv2",
        Step("DescribeLoadBalancers", "LoadBalancers"),
        id="{LoadBalancerArn}",
        arn="{LoadBalancerArn}",
        tags="",
        shape=_load_balancer,
        gives=("Name", "LoadBalancerFullName", "Subnets", "SubnetMappings", "Ipv4IpamPoolId"),
        details=(
            _tags("elbv2", "ResourceArns", "{LoadBalancerArn}"),
            _attributes("LoadBalancer", "LoadBalancerNotFound"),
            Step(
                "GetWebACLForResource",
                "WebACL",
                {"ResourceArn": "{LoadBalancerArn}"},
                gives=("related.web_acl_associations",),
                into="related.web_acl_associations",
                ask=_web_acl,
                shape=_association,
                service="wafv2",
                only_named=True,
            ),
        ),
        also={"AWS::WAFv2::WebACLAssociation": "related.web_acl_associations"},
    ),
    Collector(
        f"{_V2}::Listener",
        "elbv2",
        Step("DescribeListeners", "Listeners", gone=_GONE),
        id="{ListenerArn}",
        arn="{ListenerArn}",
        tags="",
        parent=Parent(f"{_V2}::LoadBalancer", {"LoadBalancerArn": "{LoadBalancerArn}"}),
        shape=_listener,
        details=(
            _tags("elbv2", "ResourceArns", "{ListenerArn}"),
            _attributes("Listener", "ListenerNotFound")._replace(only_named=True),
            Step(
                "DescribeListenerCertificates",
                "Certificates",
                {"ListenerArn": "{ListenerArn}"},
                gives=("related.certificates",),
                into="related.certificates",
                gone=("ListenerNotFound",),
                paged=True,
                shape=_certificates,
                only_named=True,
            ),
        ),
        also={f"{_V2}::ListenerCertificate": "related.certificates"},
    ),
    Collector(
        f"{_V2}::ListenerRule",
        "elbv2",
        Step("DescribeRules", "Rules", gone=("ListenerNotFound",)),
        id="{RuleArn}",
        arn="{RuleArn}",
        tags="",
        parent=Parent(f"{_V2}::Listener", {"ListenerArn": "{ListenerArn}"}),
        # the last rule of every listener is its DefaultActions
        keep=lambda item, _names: str(item.get("Priority", "")).isdigit(),
        shape=_rule,
        gives=("ListenerArn",),
        details=(_tags("elbv2", "ResourceArns", "{RuleArn}"),),
    ),
    Collector(
        f"{_V2}::TargetGroup",
        "elbv2",
        Step("DescribeTargetGroups", "TargetGroups"),
        id="{TargetGroupArn}",
        arn="{TargetGroupArn}",
        tags="",
        shape=_target_group,
        gives=("Name", "TargetGroupFullName"),
        details=(
            _tags("elbv2", "ResourceArns", "{TargetGroupArn}"),
            _attributes("TargetGroup", "TargetGroupNotFound")._replace(only_named=True),
            Step(
                "DescribeTargetHealth",
                "TargetHealthDescriptions",
                {"TargetGroupArn": "{TargetGroupArn}"},
                into="Targets",
                gone=("TargetGroupNotFound",),
                shape=_targets,
                only_named=True,
            ),
        ),
    ),
    Collector(
        "AWS::ElasticLoadBalancing::LoadBalancer",
        "elb",
        Step("DescribeLoadBalancers", "LoadBalancerDescriptions"),
        id="{LoadBalancerName}",
        arn="arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/{LoadBalancerName}",
        tags="",
        rename={"Policies": "", "ListenerDescriptions": ""},
        shape=_classic,
        gives=("Listeners", "AppCookieStickinessPolicy", "LBCookieStickinessPolicy"),
        details=(
            _tags("elb", "LoadBalancerNames", "{LoadBalancerName}"),
            Step(
                "DescribeLoadBalancerAttributes",
                "LoadBalancerAttributes",
                {"LoadBalancerName": "{LoadBalancerName}"},
                gives=(
                    "AccessLoggingPolicy",
                    "ConnectionDrainingPolicy",
                    "ConnectionSettings",
                    "CrossZone",
                    "Attributes",
                ),
                gone=_GONE,
                shape=_classic_attributes,
            ),
            Step(
                "DescribeLoadBalancerPolicies",
                "PolicyDescriptions",
                {"LoadBalancerName": "{LoadBalancerName}"},
                into="Policies",
                gone=_GONE,
                shape=_classic_policies,
            ),
        ),
    ),
)
