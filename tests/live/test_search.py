"""OpenSearch over HTTP, OpenSearch Serverless with answers as AWS documents them."""

from __future__ import annotations

import json
from typing import Any

from policyengine.model.values import Unresolved
from tests.live.conftest import failure
from tests.live.judging import verdict

REGION = "eu-west-1"


def test_domains_are_described_five_at_a_time(account: Any, aws: Any, collect: Any) -> None:
    client = aws("opensearch", REGION)
    policy = {"Version": "2012-10-17", "Statement": []}
    client.create_domain(
        DomainName="good", EngineVersion="OpenSearch_2.11", EncryptionAtRestOptions={"Enabled": True},
        NodeToNodeEncryptionOptions={"Enabled": True}, AccessPolicies=json.dumps(policy),
        DomainEndpointOptions={"EnforceHTTPS": True, "TLSSecurityPolicy": "Policy-Min-TLS-1-2-PFS-2023-10"},
        LogPublishingOptions={"AUDIT_LOGS": {"Enabled": True, "CloudWatchLogsLogGroupArn": "arn:aws:logs:eu-west-1:123456789012:log-group:l"}},
        TagList=[{"Key": "Owner", "Value": "me"}],
    )  # fmt: skip
    for number in range(6):
        client.create_domain(DomainName=f"plain{number}")
    found = {r.id: r for r in collect(account, "AWS::OpenSearchService::Domain", region=REGION)}
    assert len(found) == 7
    good, plain = found["good"], found["plain0"]
    p = good.properties
    assert good.tags == {"Owner": "me"}
    assert p["AccessPolicies"] == policy
    assert p["LogPublishingOptions"]["AUDIT_LOGS"] == {
        "Enabled": True,
        "CloudWatchLogsLogGroupArn": "arn:aws:logs:eu-west-1:123456789012:log-group:l",
    }
    assert p["DomainArn"] == good.arn
    calls = account.log.operations()
    assert "opensearch:DescribeDomains" in calls
    for rule in (
        "opensearch-encrypted", "opensearch-node-to-node-encrypted", "opensearch-https-required", "opensearch-audit-logs",
    ):  # fmt: skip
        assert (verdict(rule, good), verdict(rule, plain)) == ("PASS", "FAIL"), rule


def test_policies_of_serverless_collections(canned: Any, collect: Any) -> None:
    type = "AWS::OpenSearchServerless::SecurityPolicy"

    def listed(arguments: Any) -> Any:
        names = {"network": ["open"], "encryption": ["own-key"]}[arguments["type"]]
        return {"securityPolicySummaries": [{"name": name, "type": arguments["type"]} for name in names]}

    def got(arguments: Any) -> Any:
        if arguments["type"] == "encryption":
            return failure("opensearchserverless:GetSecurityPolicy", "AccessDeniedException")
        detail = {"name": "open", "type": "network", "policy": [{"AllowFromPublic": True, "Rules": []}]}
        return {"securityPolicyDetail": detail}

    account = canned({
        "opensearchserverless:ListSecurityPolicies": listed,
        "opensearchserverless:GetSecurityPolicy": got,
    })  # fmt: skip
    key, network = collect(account, type)
    assert network.properties["Policy"] == [{"AllowFromPublic": True, "Rules": []}]
    assert network.properties["Type"] == "network"
    assert key.properties["Type"] == "encryption"
    assert isinstance(key.properties.more, Unresolved)


def test_a_domain_without_a_policy_has_none(canned: Any, collect: Any) -> None:
    """AWS says so with an empty text."""
    account = canned({
        "opensearch:ListDomainNames": {"DomainNames": [{"DomainName": "plain", "EngineType": "OpenSearch"}]},
        "opensearch:DescribeDomains": {"DomainStatusList": [{"DomainName": "plain", "AccessPolicies": ""}]},
        "opensearch:ListTags": {"TagList": []},
    })  # fmt: skip
    (found,) = collect(account, "AWS::OpenSearchService::Domain")
    assert "AccessPolicies" not in found.properties
    assert verdict("opensearch-policy-not-public", found) == "PASS"
