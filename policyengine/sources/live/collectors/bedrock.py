"""Bedrock and AgentCore: what Cloud Control cannot list, and the policies of their resources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policyengine.sources.live.collectors.resource_policies import Held, listed, resource_policies
from policyengine.sources.live.context import Context
from policyengine.sources.live.spec import Collector, Parent, RegistryCollector, Step

Json = dict[str, Any]
_GONE: Final = ("ResourceNotFoundException",)
_NAMED: Final = {"modelArn": "", "modelName": ""}
_CONTROL: Final = "bedrock-agentcore-control"

_GUARDRAILS = listed("bedrock", "ListGuardrails", "guardrails")
_KNOWLEDGE_BASES = listed("bedrock-agent", "ListKnowledgeBases", "knowledgeBaseSummaries.knowledgeBaseId")
_RUNTIMES = listed(_CONTROL, "ListAgentRuntimes", "agentRuntimes")
_ENDPOINTS = listed(_CONTROL, "ListAgentRuntimeEndpoints", "runtimeEndpoints.agentRuntimeEndpointArn")
_GATEWAYS = listed(_CONTROL, "ListGateways", "items.gatewayId")
_MEMORIES = listed(_CONTROL, "ListMemories", "memories.arn")


def _guardrails(context: Context) -> Iterator[str]:
    """Guardrails, and the profiles by which they work across regions: both can have policies.

    https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-resource-based-policies.html
    """
    for guardrail in _GUARDRAILS(context):
        yield guardrail["arn"]
        profile = (guardrail.get("crossRegionDetails") or {}).get("guardrailProfileArn")
        if profile:
            yield profile


def _knowledge_bases(context: Context) -> Iterator[str]:
    for id in _KNOWLEDGE_BASES(context):
        yield "arn:{partition}:bedrock:{region}:{account}:knowledge-base/{id}".format(id=id, **context.names)


def _runtimes(context: Context) -> Iterator[str]:
    for runtime in _RUNTIMES(context):
        yield runtime["agentRuntimeArn"]
        yield from _ENDPOINTS(context, agentRuntimeId=runtime["agentRuntimeId"])


def _gateways(context: Context) -> Iterator[str]:
    for id in _GATEWAYS(context):
        yield "arn:{partition}:bedrock-agentcore:{region}:{account}:gateway/{id}".format(
            id=id, **context.names
        )


def _profile(item: Json) -> Json:
    """An application inference profile is told by its ARN where it is used."""
    return {**item, "InferenceProfileIdentifier": item.get("inferenceProfileArn")}


def _agentcore(arns: Any, *listings: str) -> Held:
    return Held(
        arns,
        tuple(f"{_CONTROL}:{name}" for name in listings),
        _CONTROL,
        "GetResourcePolicy",
        "policy",
        type="AWS::BedrockAgentCore::Runtime",
    )


COLLECTORS = (
    Collector(
        "AWS::Bedrock::CustomModel",
        "bedrock",
        Step("ListCustomModels", "modelSummaries", {"isOwned": True}),
        id="{modelName}",
        arn="{modelArn}",
        tags="",
        details=(
            Step(
                "GetCustomModel",
                "",
                {"modelIdentifier": "{modelArn}"},
                rename=_NAMED,
                gone=_GONE,
            ),
        ),
    ),
    Collector(
        "AWS::Bedrock::ImportedModel",
        "bedrock",
        Step("ListImportedModels", "modelSummaries"),
        id="{modelName}",
        arn="{modelArn}",
        tags="",
        details=(Step("GetImportedModel", "", {"modelIdentifier": "{modelArn}"}, rename=_NAMED, gone=_GONE),),
    ),
    Collector(
        "AWS::Bedrock::CustomModelDeployment",
        "bedrock",
        Step(
            "ListCustomModelDeployments",
            "modelDeploymentSummaries",
            rename={"customModelDeploymentName": "ModelDeploymentName"},
        ),
        id="{customModelDeploymentName}",
        arn="{customModelDeploymentArn}",
        tags="",
    ),
    Collector(
        "AWS::Bedrock::ProvisionedModelThroughput",
        "bedrock",
        Step("ListProvisionedModelThroughputs", "provisionedModelSummaries"),
        id="{provisionedModelName}",
        arn="{provisionedModelArn}",
        tags="",
    ),
    Collector(
        "AWS::Bedrock::MarketplaceModelEndpoint",
        "bedrock",
        Step("ListMarketplaceModelEndpoints", "marketplaceModelEndpoints"),
        id="{endpointArn}",
        arn="{endpointArn}",
        tags="",
        details=(
            Step(
                "GetMarketplaceModelEndpoint",
                "marketplaceModelEndpoint.endpointStatus",
                {"endpointArn": "{endpointArn}"},
                into="EndpointStatus",
                gone=_GONE,
                only_named=True,
            ),
        ),
    ),
    # Cloud Control may list the profiles of AWS too, which are nobody's own
    Collector(
        "AWS::Bedrock::ApplicationInferenceProfile",
        "bedrock",
        Step("ListInferenceProfiles", "inferenceProfileSummaries", {"typeEquals": "APPLICATION"}),
        id="{inferenceProfileId}",
        arn="{inferenceProfileArn}",
        tags="",
        shape=_profile,
        gives=("InferenceProfileIdentifier",),
        details=(
            Step(
                "ListTagsForResource",
                "tags",
                {"resourceARN": "{inferenceProfileArn}"},
                gives=("tags",),
                gone=_GONE,
            ),
        ),
    ),
    # routers of AWS's own are in every account
    Collector(
        "AWS::Bedrock::IntelligentPromptRouter",
        "bedrock",
        Step("ListPromptRouters", "promptRouterSummaries", {"type": "custom"}),
        id="{promptRouterName}",
        arn="{promptRouterArn}",
        tags="",
        details=(
            Step(
                "ListTagsForResource",
                "tags",
                {"resourceARN": "{promptRouterArn}"},
                gives=("tags",),
                gone=_GONE,
            ),
        ),
    ),
    RegistryCollector(
        "AWS::Bedrock::DataSource",
        parent=Parent("AWS::Bedrock::KnowledgeBase", {"KnowledgeBaseId": "{Identifier}"}),
    ),
    resource_policies(
        "AWS::Bedrock::ResourcePolicy",
        "bedrock",
        "PolicyDocument",
        (
            Held(_guardrails, ("bedrock:ListGuardrails",), "bedrock", "GetResourcePolicy", "resourcePolicy"),
            Held(
                _knowledge_bases,
                ("bedrock-agent:ListKnowledgeBases",),
                "bedrock-agent",
                "GetResourcePolicy",
                "policy",
                type="AWS::Bedrock::KnowledgeBase",
            ),
        ),
    ),
    # https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/resource-based-policies.html says which have them
    resource_policies(
        "AWS::BedrockAgentCore::ResourcePolicy",
        _CONTROL,
        "Policy",
        (
            _agentcore(_runtimes, "ListAgentRuntimes", "ListAgentRuntimeEndpoints"),
            _agentcore(_gateways, "ListGateways"),
            _agentcore(_MEMORIES, "ListMemories"),
        ),
    ),
)
