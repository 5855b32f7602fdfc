"""OpenSearch Service and OpenSearch Serverless."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policyengine.aws.failures import CallFailure
from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, Unresolved
from policyengine.sources.live.context import Context
from policyengine.sources.live.spec import CodeCollector, Collector, Step
from policyengine.sources.shaping import fit

Json = dict[str, Any]
_POLICY = "AWS::OpenSearchServerless::SecurityPolicy"


def _domain(item: Json) -> Json:
    """https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_DomainStatus.html"""
    software = item.get("ServiceSoftwareOptions") or {}
    return {
        **item,
        "AccessPolicies": item.get("AccessPolicies") or None,  # "" where there is none
        "DomainArn": item.get("ARN"),
        "DomainEndpoint": item.get("Endpoint"),
        "DomainEndpointV2": item.get("EndpointV2"),
        "DomainEndpoints": item.get("Endpoints"),
        "Id": item.get("DomainId"),
        "SoftwareUpdateAvailable": software.get("UpdateAvailable"),
    }


def _policies(context: Context) -> Iterator[Resource]:
    """A listing is told the kind of policy, and has no documents."""
    for kind in ("encryption", "network"):
        arguments = {"type": kind}
        for page in context.pages("opensearchserverless", "ListSecurityPolicies", arguments):
            for found in page.get("securityPolicySummaries", ()):
                resource = _policy(context, found["name"], kind)
                if resource is not None:
                    yield resource


def _policy(context: Context, name: str, kind: str) -> Resource | None:
    arguments = {"name": name, "type": kind}
    properties: Json
    try:
        answer = context.call("opensearchserverless", "GetSecurityPolicy", arguments)
        properties = fit(_POLICY, answer.get("securityPolicyDetail") or arguments)
    except CallFailure as failure:
        if failure.error == "ResourceNotFoundException":
            return None
        context.fail(failure)
        properties = OpenDict(fit(_POLICY, arguments), Unresolved(failure.reason, failure.detail))
    return Resource(
        type=_POLICY,
        id=name,
        account=context.account.id,
        region=context.place,
        properties=properties,
        collected_at=context.now,
    )


COLLECTORS = (
    Collector(
        "AWS::OpenSearchService::Domain",
        "opensearch",
        Step("ListDomainNames", "DomainNames"),
        # https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_DescribeDomains.html: five at a time
        describe=Step(
            "DescribeDomains",
            "DomainStatusList",
            {"DomainNames": "{DomainName}"},
            batch=5,
            key="DomainName",
        ),
        id="{DomainName}",
        arn="arn:{partition}:es:{region}:{account}:domain/{DomainName}",
        tags="",
        shape=_domain,
        gives=(
            "DomainArn",
            "DomainEndpoint",
            "DomainEndpointV2",
            "DomainEndpoints",
            "Id",
            "SoftwareUpdateAvailable",
        ),
        details=(
            Step(
                "ListTags",
                "TagList",
                {"ARN": "arn:{partition}:es:{region}:{account}:domain/{DomainName}"},
                gives=("tags",),
                gone=("ResourceNotFoundException",),
            ),
        ),
    ),
    CodeCollector(
        (_POLICY,),
        "opensearchserverless",
        _policies,
        ("opensearchserverless:ListSecurityPolicies", "opensearchserverless:GetSecurityPolicy"),
    ),
)
