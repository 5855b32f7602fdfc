"""Load balancers, their listeners and targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Merge, TypeMap

_HSTS = "routing.http.response.strict_transport_security.header_value"

_V2: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_lb": TypeMap(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        """
            name internal:scheme=Scheme load_balancer_type=Type ip_address_type
            security_groups* subnets*
            enforce_security_group_inbound_rules_on_private_link_traffic
            minimum_load_balancer_capacity { capacity_units } subnet_mapping*=SubnetMappings
            { subnet_id allocation_id ipv6_address=IPv6Address
            private_ipv4_address=PrivateIPv4Address }
        """,
        attributes=(
            "LoadBalancerAttributes",
            {
                "access_logs.enabled": "access_logs.s3.enabled",
                "access_logs.bucket": "access_logs.s3.bucket",
                "access_logs.prefix": "access_logs.s3.prefix",
                "connection_logs.enabled": "connection_logs.s3.enabled",
                "connection_logs.bucket": "connection_logs.s3.bucket",
                "connection_logs.prefix": "connection_logs.s3.prefix",
                "health_check_logs.enabled": "health_check_logs.s3.enabled",
                "health_check_logs.bucket": "health_check_logs.s3.bucket",
                "health_check_logs.prefix": "health_check_logs.s3.prefix",
                "client_keep_alive": "client_keep_alive.seconds",
                "desync_mitigation_mode": "routing.http.desync_mitigation_mode",
                "dns_record_client_routing_policy": "dns_record.client_routing_policy",
                "drop_invalid_header_fields": "routing.http.drop_invalid_header_fields.enabled",
                "enable_cross_zone_load_balancing": "load_balancing.cross_zone.enabled",
                "enable_deletion_protection": "deletion_protection.enabled",
                "enable_http2": "routing.http2.enabled",
                "enable_tls_version_and_cipher_suite_headers": "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
                "enable_waf_fail_open": "waf.fail_open.enabled",
                "enable_xff_client_port": "routing.http.xff_client_port.enabled",
                "enable_zonal_shift": "zonal_shift.config.enabled",
                "idle_timeout": "idle_timeout.timeout_seconds",
                "preserve_host_header": "routing.http.preserve_host_header.enabled",
                "xff_header_processing_mode": "routing.http.xff_header_processing.mode",
            },
        ),
        code="load_balancer",
    ),
    "aws_lb_listener": TypeMap(
        "AWS::ElasticLoadBalancingV2::Listener",
        """
            default_action*=DefaultActions { type order target_group_arn
            authenticate_cognito=AuthenticateCognitoConfig { user_pool_arn
            user_pool_client_id user_pool_domain } authenticate_oidc=AuthenticateOidcConfig
            { authorization_endpoint client_id issuer token_endpoint user_info_endpoint }
            fixed_response=FixedResponseConfig { content_type message_body status_code }
            forward=ForwardConfig { target_group*=TargetGroups { arn=TargetGroupArn weight }
            } redirect=RedirectConfig { status_code host path port protocol query } }
            certificate_arn*:certificates=Certificates alpn_policy*=AlpnPolicy
            load_balancer_arn mutual_authentication { mode advertise_trust_store_ca_names
            ignore_client_certificate_expiry trust_store_arn } port protocol ssl_policy
        """,
        attributes=(
            "ListenerAttributes",
            {
                "tcp_idle_timeout_seconds": "tcp.idle_timeout.seconds",
                "routing_http_response_server_enabled": "routing.http.response.server.enabled",
                "routing_http_response_strict_transport_security_header_value": _HSTS,
            },
        ),
    ),
    "aws_lb_listener_rule": TypeMap(
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        """
            listener_arn priority action*=Actions { type order target_group_arn
            authenticate_cognito=AuthenticateCognitoConfig { user_pool_arn
            user_pool_client_id user_pool_domain } authenticate_oidc=AuthenticateOidcConfig
            { authorization_endpoint client_id issuer token_endpoint user_info_endpoint }
            fixed_response=FixedResponseConfig { content_type message_body status_code }
            forward=ForwardConfig { target_group*=TargetGroups { arn=TargetGroupArn weight }
            } redirect=RedirectConfig { status_code host path port protocol query } }
            condition*=Conditions { host_header.values*=HostHeaderConfig.Values
            path_pattern.values*=PathPatternConfig.Values
            source_ip.values*=SourceIpConfig.Values
            http_request_method.values*=HttpRequestMethodConfig.Values }
        """,
    ),
    "aws_lb_target_group": TypeMap(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        """
            health_check.enabled=HealthCheckEnabled
            health_check.interval=HealthCheckIntervalSeconds
            health_check.path=HealthCheckPath health_check.port=HealthCheckPort
            health_check.protocol=HealthCheckProtocol
            health_check.timeout=HealthCheckTimeoutSeconds
            health_check.healthy_threshold=HealthyThresholdCount
            health_check.unhealthy_threshold=UnhealthyThresholdCount
            health_check.matcher=Matcher.HttpCode name ip_address_type port protocol
            protocol_version target_control_port target_type vpc_id
        """,
        attributes=(
            "TargetGroupAttributes",
            {
                "deregistration_delay": "deregistration_delay.timeout_seconds",
                "connection_termination": "deregistration_delay.connection_termination.enabled",
                "lambda_multi_value_headers_enabled": "lambda.multi_value_headers.enabled",
                "load_balancing_algorithm_type": "load_balancing.algorithm.type",
                "load_balancing_cross_zone_enabled": "load_balancing.cross_zone.enabled",
                "preserve_client_ip": "preserve_client_ip.enabled",
                "proxy_protocol_v2": "proxy_protocol_v2.enabled",
                "slow_start": "slow_start.duration_seconds",
                "stickiness.enabled": "stickiness.enabled",
                "stickiness.type": "stickiness.type",
            },
        ),
    ),
    "aws_lb_target_group_attachment": (
        Merge(
            "AWS::ElasticLoadBalancingV2::TargetGroup",
            "target_group_arn",
            "target_id=Targets.Id port=Targets.Port availability_zone=Targets.AvailabilityZone",
            append=("Targets",),
        ),
    ),
    "aws_lb_listener_certificate": TypeMap(
        "AWS::ElasticLoadBalancingV2::ListenerCertificate",
        "listener_arn certificate_arn*:certificates=Certificates",
        tags="",
    ),
}
"""``aws_lb`` and what belongs to it; the provider knows each as ``aws_alb`` too."""

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    **_V2,
    **{name.replace("aws_lb", "aws_alb", 1): mapped for name, mapped in _V2.items()},
    "aws_elb": TypeMap(
        "AWS::ElasticLoadBalancing::LoadBalancer",
        """
            name=LoadBalancerName internal:scheme=Scheme listener*=Listeners {
            instance_port:text instance_protocol:upper lb_port:text=LoadBalancerPort
            lb_protocol:upper=Protocol ssl_certificate_id=SSLCertificateId }
            access_logs=AccessLoggingPolicy { enabled bucket=S3BucketName
            bucket_prefix=S3BucketPrefix interval=EmitInterval }
            connection_draining=ConnectionDrainingPolicy.Enabled
            connection_draining_timeout=ConnectionDrainingPolicy.Timeout
            cross_zone_load_balancing=CrossZone idle_timeout=ConnectionSettings.IdleTimeout
            health_check { target interval:text timeout:text healthy_threshold:text
            unhealthy_threshold:text } availability_zones* instances* security_groups*
            subnets*
        """,
        code="classic_balancer",
        sets="Policies Attributes",
    ),
}
