"""Load balancers: application, network and gateway (v2), and classic."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import VPC, cfn, depends, doc, groups, into, is_, of, off, subnets, to

_LB = cfn("resource-elasticloadbalancingv2-loadbalancer")
_LB_ATTRIBUTES = cfn("properties-elasticloadbalancingv2-loadbalancer-loadbalancerattribute")
_TG_ATTRIBUTES = cfn("properties-elasticloadbalancingv2-targetgroup-targetgroupattribute")
_CLASSIC = cfn("resource-elasticloadbalancing-loadbalancer")

_BOOLEAN = (
    "deletion_protection.enabled",
    "access_logs.s3.enabled",
    "connection_logs.s3.enabled",
    "load_balancing.cross_zone.enabled",
    "routing.http.drop_invalid_header_fields.enabled",
    "routing.http.preserve_host_header.enabled",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
    "routing.http.xff_client_port.enabled",
    "routing.http2.enabled",
    "waf.fail_open.enabled",
    "zonal_shift.config.enabled",
    "health_check_logs.s3.enabled",
)
_TEXT = (
    "access_logs.s3.bucket",
    "access_logs.s3.prefix",
    "connection_logs.s3.bucket",
    "routing.http.desync_mitigation_mode",
    "routing.http.xff_header_processing.mode",
    "dns_record.client_routing_policy",
    "ipv6.deny_all_igw_traffic",
)


def _attribute(key: str) -> str:
    return f'Attributes."{key}"'


TYPES = (
    TypeSpec(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        names=("LoadBalancerArn", "Name", "LoadBalancerName"),
        defaults=(
            is_("Scheme", "internet-facing", _LB),
            is_("Type", "application", _LB),
            is_("IpAddressType", "ipv4", _LB),
            *off(
                _LB_ATTRIBUTES,
                *(
                    _attribute(key)
                    for key in (
                        "deletion_protection.enabled",
                        "access_logs.s3.enabled",
                        "connection_logs.s3.enabled",
                        "routing.http.drop_invalid_header_fields.enabled",
                        "waf.fail_open.enabled",
                    )
                ),
            ),
            is_(_attribute("routing.http.desync_mitigation_mode"), "defensive", _LB_ATTRIBUTES),
            is_(_attribute("routing.http2.enabled"), True, _LB_ATTRIBUTES),
            depends(
                _attribute("load_balancing.cross_zone.enabled"),
                _LB_ATTRIBUTES,
                "true for application load balancers, false for network and gateway load balancers",
            ),
        ),
        satellites=(into("AWS::WAFv2::WebACLAssociation", "ResourceArn", "web_acl_associations"),),
        relations=(
            groups("SecurityGroups"),
            subnets("Subnets"),
            subnets("SubnetMappings.SubnetId", "mapped_subnets"),
            of("listeners", "AWS::ElasticLoadBalancingV2::Listener", "LoadBalancerArn"),
            to("web_acls", "AWS::WAFv2::WebACL", "related.web_acl_associations.WebACLArn"),
            of("target_groups", "AWS::ElasticLoadBalancingV2::TargetGroup", "LoadBalancerArns"),
        ),
        extra=(
            ("Attributes", "map:string"),
            *((_attribute(key), "boolean") for key in _BOOLEAN),
            *((_attribute(key), "string") for key in _TEXT),
            (_attribute("idle_timeout.timeout_seconds"), "integer"),
            (_attribute("client_keep_alive.seconds"), "integer"),
            ("VpcId", "string"),
            ("CreatedTime", "string"),
        ),
    ),
    TypeSpec(
        "AWS::ElasticLoadBalancingV2::Listener",
        names=("ListenerArn",),
        defaults=(
            is_(
                "SslPolicy",
                "ELBSecurityPolicy-2016-08",
                doc("elasticloadbalancing/latest/application/describe-ssl-policies"),
            ),
            is_(
                "MutualAuthentication.Mode",
                "off",
                cfn("properties-elasticloadbalancingv2-listener-mutualauthentication"),
            ),
        ),
        satellites=(into("AWS::ElasticLoadBalancingV2::ListenerCertificate", "ListenerArn", "certificates"),),
        relations=(
            to("load_balancer", "AWS::ElasticLoadBalancingV2::LoadBalancer", "LoadBalancerArn", one=True),
            to("certificates", "AWS::CertificateManager::Certificate", "Certificates.CertificateArn"),
            to("target_groups", "AWS::ElasticLoadBalancingV2::TargetGroup", "DefaultActions.TargetGroupArn"),
            of("rules", "AWS::ElasticLoadBalancingV2::ListenerRule", "ListenerArn"),
        ),
        extra=(("Attributes", "map:string"),),
        secrets=("ClientSecret",),
    ),
    TypeSpec(
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        names=("RuleArn",),
        relations=(
            to("listener", "AWS::ElasticLoadBalancingV2::Listener", "ListenerArn", one=True),
            to("target_groups", "AWS::ElasticLoadBalancingV2::TargetGroup", "Actions.TargetGroupArn"),
        ),
        secrets=("ClientSecret",),
    ),
    TypeSpec(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        names=("TargetGroupArn", "Name", "TargetGroupName"),
        defaults=(
            is_("TargetType", "instance", cfn("resource-elasticloadbalancingv2-targetgroup")),
            is_(_attribute("deregistration_delay.timeout_seconds"), 300, _TG_ATTRIBUTES),
            *off(_TG_ATTRIBUTES, _attribute("stickiness.enabled")),
        ),
        relations=(
            to("vpc", VPC, "VpcId", one=True),
            to("load_balancers", "AWS::ElasticLoadBalancingV2::LoadBalancer", "LoadBalancerArns"),
            to("instances", "AWS::EC2::Instance", "Targets.Id"),
        ),
        extra=(
            ("Attributes", "map:string"),
            (_attribute("deregistration_delay.timeout_seconds"), "integer"),
            (_attribute("stickiness.enabled"), "boolean"),
            (_attribute("preserve_client_ip.enabled"), "boolean"),
            (_attribute("proxy_protocol_v2.enabled"), "boolean"),
        ),
    ),
    TypeSpec(
        "AWS::ElasticLoadBalancing::LoadBalancer",
        names=("LoadBalancerName",),
        defaults=(
            is_("Scheme", "internet-facing", _CLASSIC),
            is_("CrossZone", False, _CLASSIC),
            is_("AccessLoggingPolicy.Enabled", False, _CLASSIC),
            is_("ConnectionDrainingPolicy.Enabled", False, _CLASSIC),
            is_(
                _attribute("elb.http.desyncmitigationmode"),
                "defensive",
                doc("elasticloadbalancing/latest/classic/config-desync-mitigation-mode"),
            ),
        ),
        relations=(
            groups("SecurityGroups"),
            subnets("Subnets"),
            to("instances", "AWS::EC2::Instance", "Instances"),
            to("certificates", "AWS::CertificateManager::Certificate", "Listeners.SSLCertificateId"),
        ),
        extra=(
            ("Attributes", "map:string"),
            (_attribute("elb.http.desyncmitigationmode"), "string"),
        ),
    ),
)
