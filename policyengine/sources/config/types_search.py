"""Elasticsearch and OpenSearch domains, as AWS Config records them."""

from __future__ import annotations

from policyengine.sources.config.spec import ConfigType

TYPES = (
    ConfigType(
        "AWS::Elasticsearch::Domain",
        id="DomainName",
        recorded=(
            "LogPublishingOptions",
            "VPCOptions",
            "EncryptionAtRestOptions",
            "NodeToNodeEncryptionOptions",
        ),
    ),
    ConfigType(
        "AWS::OpenSearchService::Domain",
        config="AWS::OpenSearch::Domain",
        id="DomainName",
        recorded=(
            "LogPublishingOptions",
            "VPCOptions",
            "EncryptionAtRestOptions",
            "NodeToNodeEncryptionOptions",
        ),
        unknown=("ClusterConfig.DedicatedMasterCount",),
    ),
)
