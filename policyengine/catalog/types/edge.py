"""CloudFront, Route 53 and WAF."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import (
    BUCKET,
    LOG_GROUP,
    VPC,
    cfn,
    into,
    is_,
    of,
    to,
)

_CONFIG = "DistributionConfig"
_VIEWER = cfn("properties-cloudfront-distribution-viewercertificate")
_ORIGIN = cfn("properties-cloudfront-distribution-customoriginconfig")

TYPES = (
    TypeSpec(
        "AWS::CloudFront::Distribution",
        names=("Id",),
        is_global=True,
        defaults=(
            is_(
                f"{_CONFIG}.ViewerCertificate.MinimumProtocolVersion",
                "TLSv1",
                _VIEWER,
                unless=(
                    f"{_CONFIG}.ViewerCertificate.AcmCertificateArn",
                    f"{_CONFIG}.ViewerCertificate.IamCertificateId",
                ),
            ),
            is_(f"{_CONFIG}.ViewerCertificate.CloudFrontDefaultCertificate", False, _VIEWER),
            is_(f"{_CONFIG}.Origins.CustomOriginConfig.OriginSSLProtocols", ["TLSv1", "SSLv3"], _ORIGIN),
            is_(
                f"{_CONFIG}.PriceClass",
                "PriceClass_All",
                cfn("properties-cloudfront-distribution-distributionconfig"),
            ),
            is_(
                f"{_CONFIG}.Logging.IncludeCookies", False, cfn("properties-cloudfront-distribution-logging")
            ),
            is_(
                f"{_CONFIG}.DefaultCacheBehavior.Compress",
                False,
                cfn("properties-cloudfront-distribution-defaultcachebehavior"),
            ),
        ),
        relations=(
            to("web_acl", "AWS::WAFv2::WebACL", f"{_CONFIG}.WebACLId", one=True, scope="account"),
            of("delivery_sources", "AWS::Logs::DeliverySource", "ResourceArn", scope="account"),
            to(
                "certificate",
                "AWS::CertificateManager::Certificate",
                f"{_CONFIG}.ViewerCertificate.AcmCertificateArn",
                one=True,
                scope="account",
            ),
            to(
                "origin_access_controls",
                "AWS::CloudFront::OriginAccessControl",
                f"{_CONFIG}.Origins.OriginAccessControlId",
                scope="account",
            ),
            to(
                "log_bucket", BUCKET, f"{_CONFIG}.Logging.Bucket", one=True, scope="account", key="DomainName"
            ),
            to(
                "origin_buckets",
                BUCKET,
                f"{_CONFIG}.Origins.DomainName",
                scope="account",
                key="RegionalDomainName",
            ),
            to(
                "origin_load_balancers",
                "AWS::ElasticLoadBalancingV2::LoadBalancer",
                f"{_CONFIG}.Origins.DomainName",
                scope="account",
                key="DNSName",
            ),
        ),
        extra=(("StandardLoggingV2Enabled", "boolean"), ("Status", "string")),
    ),
    TypeSpec("AWS::CloudFront::OriginAccessControl", names=("Id",), is_global=True),
    TypeSpec(
        "AWS::Route53::HostedZone",
        names=("Id",),
        is_global=True,
        relations=(
            of("record_sets", "AWS::Route53::RecordSet", "HostedZoneId", scope="account"),
            to("vpcs", VPC, "VPCs.VPCId", scope="account"),
            to(
                "query_log_group",
                LOG_GROUP,
                "QueryLoggingConfig.CloudWatchLogsLogGroupArn",
                one=True,
                scope="account",
            ),
        ),
        extra=(("PrivateZone", "boolean"), ("DnssecStatus", "string")),
    ),
    TypeSpec(
        "AWS::Route53::RecordSet",
        names=("Name",),
        is_global=True,
        defaults=(
            is_("AliasTarget.EvaluateTargetHealth", False, cfn("properties-route53-recordset-aliastarget")),
        ),
        relations=(
            to("hosted_zone", "AWS::Route53::HostedZone", "HostedZoneId", one=True, scope="account"),
            to("health_check", "AWS::Route53::HealthCheck", "HealthCheckId", one=True, scope="account"),
        ),
    ),
    TypeSpec("AWS::Route53::HealthCheck", names=("HealthCheckId",), is_global=True),
    TypeSpec(
        "AWS::Route53Resolver::ResolverQueryLoggingConfig",
        names=("Id", "Arn"),
        relations=(
            of(
                "associations",
                "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation",
                "ResolverQueryLogConfigId",
            ),
        ),
    ),
    TypeSpec(
        "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation",
        names=("Id",),
        relations=(
            to("vpc", VPC, "ResourceId", one=True),
            to(
                "config",
                "AWS::Route53Resolver::ResolverQueryLoggingConfig",
                "ResolverQueryLogConfigId",
                one=True,
            ),
        ),
    ),
    TypeSpec(
        "AWS::WAFv2::WebACL",
        names=("Arn", "Id", "Name"),
        satellites=(into("AWS::WAFv2::LoggingConfiguration", "ResourceArn", "logging"),),
        extra=(("AssociatedResourceArns", "list:string"),),
    ),
    TypeSpec(
        "AWS::WAFv2::WebACLAssociation",
        relations=(to("web_acl", "AWS::WAFv2::WebACL", "WebACLArn", one=True),),
    ),
)
