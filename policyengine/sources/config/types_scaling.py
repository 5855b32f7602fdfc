"""Auto Scaling and load balancers, as AWS Config records them."""

from __future__ import annotations

from typing import Any, Final

from policyengine.sources.config.item import Item
from policyengine.sources.config.spec import ConfigType, Part, each, flag, objects, said, under

Json = dict[str, Any]


def _group(item: Item) -> Json:
    given = {name.casefold(): value for name, value in item.configuration.items()}
    subnets = given.get("vpczoneidentifier")
    return {
        **{name: value for name, value in given.items() if name not in ("vpczoneidentifier", "defaultcooldown",
                                                                        "enabledmetrics", "instances")},
        "VPCZoneIdentifier": [s for s in subnets.split(",") if s] if isinstance(subnets, str) else subnets,
        "Cooldown": given.get("defaultcooldown"),
    }  # fmt: skip


def _configuration(item: Item) -> Json:
    given = item.configuration
    monitoring = under(given, "instanceMonitoring", "enabled")
    return said(
        {**given, "InstanceMonitoring": monitoring}, given, {"InstanceMonitoring": "instanceMonitoring"}
    )


def _balancer(item: Item) -> Json:
    given = item.configuration
    zones = objects(given.get("availabilityZones"))
    made = {
        **{name: value for name, value in given.items() if name not in ("availabilityZones", "state")},
        "Name": given.get("loadBalancerName"),
        "Subnets": each(zones, "subnetId"),
        "SubnetMappings": [_mapping(zone) for zone in zones],
    }
    return said(made, given, {"Subnets": "availabilityZones", "SubnetMappings": "availabilityZones"})


def _mapping(zone: Json) -> Json:
    addresses = objects(zone.get("loadBalancerAddresses"))
    return {
        "SubnetId": zone.get("subnetId"),
        "AllocationId": next(iter(each(addresses, "allocationId")), None),
    }


def _classic(item: Item) -> Json:
    given = item.configuration
    listeners = []
    for described in objects(given.get("listenerDescriptions")):
        listener = {name.casefold(): value for name, value in (described.get("listener") or {}).items()}
        listeners.append(
            {
                "LoadBalancerPort": _text(listener.get("loadbalancerport")),
                "InstancePort": _text(listener.get("instanceport")),
                "Protocol": listener.get("protocol"),
                "InstanceProtocol": listener.get("instanceprotocol"),
                "SSLCertificateId": listener.get("sslcertificateid"),
                "PolicyNames": described.get("policyNames"),
            }
        )
    names = (
        "policies",
        "listenerDescriptions",
        "backendServerDescriptions",
        "instances",
        "sourceSecurityGroup",
    )
    made = {
        **{name: value for name, value in given.items() if name not in names},
        "Listeners": listeners,
        "Instances": each(given.get("instances"), "instanceId"),
        **_classic_attributes(item.supplement.get("LoadBalancerAttributes")),
    }
    return said(made, given, {"Listeners": "listenerDescriptions", "Instances": "instances"})


def _classic_attributes(value: Any) -> Json:
    if not isinstance(value, dict):
        return {}
    found: Json = {
        "CrossZone": flag(under(value, "crossZoneLoadBalancing", "enabled")),
        "AccessLoggingPolicy": value.get("accessLog"),
        "ConnectionDrainingPolicy": value.get("connectionDraining"),
        "ConnectionSettings": value.get("connectionSettings"),
    }
    more = value.get("additionalAttributes")
    if isinstance(more, list):
        found["Attributes"] = {str(a.get("key")): a.get("value") for a in objects(more)}
    return {name: below for name, below in found.items() if below is not None}


def _policies(value: Any, _item: Item) -> Any:
    return [
        {
            "PolicyName": p.get("policyName"),
            "PolicyType": p.get("policyTypeName"),
            "Attributes": [
                {"Name": a.get("attributeName"), "Value": a.get("attributeValue")}
                for a in objects(p.get("policyAttributeDescriptions"))
            ],
        }
        for p in objects(value)
    ]


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_OPTIONAL: Final = ("KeyName", "IamInstanceProfile", "SpotPrice", "UserData", "KernelId", "RamDiskId")
TYPES = (
    ConfigType(
        "AWS::AutoScaling::AutoScalingGroup",
        shape=_group,
        recorded=(
            "LaunchConfigurationName", "LaunchTemplate", "MixedInstancesPolicy", "PlacementGroup",
            "VPCZoneIdentifier", "MaxInstanceLifetime", "CapacityRebalance",
        ),
    ),
    ConfigType(
        "AWS::AutoScaling::LaunchConfiguration",
        shape=_configuration,
        recorded=(*_OPTIONAL, "AssociatePublicIpAddress", "MetadataOptions", "PlacementTenancy"),
    ),
    ConfigType(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        shape=_balancer,
        parts=(Part("LoadBalancerAttributes", "LoadBalancerAttributes"),),
        recorded=("SecurityGroups", "IpAddressType"),
    ),
    ConfigType("AWS::ElasticLoadBalancingV2::Listener", recorded=("Certificates", "SslPolicy", "AlpnPolicy")),
    ConfigType(
        "AWS::ElasticLoadBalancing::LoadBalancer",
        rename={"dnsname": "DNSName"},
        shape=_classic,
        parts=(Part("LoadBalancerPolicies", "Policies", shape=_policies),),
    ),
)  # fmt: skip
