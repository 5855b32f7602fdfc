"""Network Firewall and Route 53."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Merge, TypeMap

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_networkfirewall_firewall": TypeMap(
        "AWS::NetworkFirewall::Firewall",
        """
            name=FirewallName firewall_policy_arn availability_zone_change_protection
            availability_zone_mapping*=AvailabilityZoneMappings {} delete_protection
            description enabled_analysis_types* firewall_policy_change_protection
            subnet_change_protection subnet_mapping*=SubnetMappings { subnet_id
            ip_address_type=IPAddressType } transit_gateway_id vpc_id
        """,
    ),
    "aws_networkfirewall_firewall_policy": TypeMap(
        "AWS::NetworkFirewall::FirewallPolicy",
        """
            name=FirewallPolicyName firewall_policy { stateless_default_actions*
            stateless_fragment_default_actions* policy_variables {}
            stateful_default_actions* stateful_engine_options { flow_timeouts {
            tcp_idle_timeout_seconds } rule_order stream_exception_policy }
            stateful_rule_group_reference*=StatefulRuleGroupReferences { resource_arn
            deep_threat_inspection override { action } priority }
            stateless_custom_action*=StatelessCustomActions { action_definition {
            publish_metric_action { dimension*=Dimensions { value } } } action_name }
            stateless_rule_group_reference*=StatelessRuleGroupReferences { priority
            resource_arn } tls_inspection_configuration_arn=TLSInspectionConfigurationArn }
            description
        """,
    ),
    "aws_networkfirewall_logging_configuration": TypeMap(
        "AWS::NetworkFirewall::LoggingConfiguration",
        """
            firewall_arn logging_configuration {
            log_destination_config*=LogDestinationConfigs { log_destination
            log_destination_type log_type } } enable_monitoring_dashboard
        """,
    ),
    "aws_route53_zone": TypeMap(
        "AWS::Route53::HostedZone",
        """
            comment=HostedZoneConfig.Comment name delegation_set_id vpc*=VPCs { vpc_id=VPCId
            vpc_region=VPCRegion }
        """,
    ),
    "aws_route53_record": TypeMap(
        "AWS::Route53::RecordSet",
        """
            zone_id=HostedZoneId alias=AliasTarget { evaluate_target_health name=DNSName
            zone_id=HostedZoneId } records*=ResourceRecords
            failover_routing_policy.type=Failover latency_routing_policy.region=Region
            weighted_routing_policy.weight=Weight
            multivalue_answer_routing_policy=MultiValueAnswer ttl:text=TTL name type
            health_check_id set_identifier
        """,
        tags="",
    ),
    "aws_route53_health_check": TypeMap(
        "AWS::Route53::HealthCheck",
        """
            type=HealthCheckConfig.Type fqdn=HealthCheckConfig.FullyQualifiedDomainName
            ip_address=HealthCheckConfig.IPAddress port=HealthCheckConfig.Port
            resource_path=HealthCheckConfig.ResourcePath
            failure_threshold=HealthCheckConfig.FailureThreshold
            request_interval=HealthCheckConfig.RequestInterval
            measure_latency=HealthCheckConfig.MeasureLatency
            regions*=HealthCheckConfig.Regions enable_sni=HealthCheckConfig.EnableSNI
            search_string=HealthCheckConfig.SearchString
            invert_healthcheck=HealthCheckConfig.Inverted
            child_healthchecks*=HealthCheckConfig.ChildHealthChecks
            child_health_threshold=HealthCheckConfig.HealthThreshold
        """,
    ),
    "aws_route53_query_log": Merge(
        "AWS::Route53::HostedZone",
        "zone_id",
        "cloudwatch_log_group_arn=QueryLoggingConfig.CloudWatchLogsLogGroupArn",
    ),
    "aws_route53_resolver_query_log_config": TypeMap(
        "AWS::Route53Resolver::ResolverQueryLoggingConfig",
        "destination_arn name",
    ),
    "aws_route53_resolver_query_log_config_association": TypeMap(
        "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation",
        "resolver_query_log_config_id resource_id",
    ),
}
