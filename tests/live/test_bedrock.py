"""Bedrock and AgentCore, with answers as AWS documents them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from tests.live.conftest import MOTO_ACCOUNT, failure
from tests.live.judging import verdict

MODEL = f"arn:aws:bedrock:us-east-1:{MOTO_ACCOUNT}:custom-model/amazon.titan:1/abc123def456"
PUBLIC = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "bedrock:ApplyGuardrail", "Resource": "*"}],
}
OWN = {
    **PUBLIC,
    "Statement": [{**PUBLIC["Statement"][0], "Principal": {"AWS": f"arn:aws:iam::{MOTO_ACCOUNT}:root"}}],
}  # type: ignore[dict-item]  # a list of one statement


def test_custom_models_and_their_keys(canned: Any, collect: Any) -> None:
    key = f"arn:aws:kms:us-east-1:{MOTO_ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
    got = {
        "modelArn": MODEL, "modelName": "own", "modelKmsKeyArn": key, "customizationType": "FINE_TUNING",
        "trainingDataConfig": {"s3Uri": "s3://train/x"}, "outputDataConfig": {"s3Uri": "s3://out/x"},
    }  # fmt: skip
    account = canned({
        "bedrock:ListCustomModels": {"modelSummaries": [{"modelArn": MODEL, "modelName": "own", "baseModelArn": "b"}]},
        "bedrock:GetCustomModel": got,
    })  # fmt: skip
    (found,) = collect(account, "AWS::Bedrock::CustomModel")
    assert (found.id, found.arn) == ("own", MODEL)
    assert found.properties["ModelKmsKeyArn"] == key
    assert found.properties["TrainingDataConfig"] == {"S3Uri": "s3://train/x"}
    assert found.properties["VpcConfig"].reason == "not_collected"
    own = Resource(
        "AWS::KMS::Key",
        key,
        account=MOTO_ACCOUNT,
        region="us-east-1",
        arn=key,
        properties={"KeyId": key, "Arn": key},
    )
    assert verdict("bedrock-custom-model-customer-managed-key", found, [own]) == "PASS"
    account.answers["bedrock:GetCustomModel"] = {k: v for k, v in got.items() if k != "modelKmsKeyArn"}
    assert verdict("bedrock-custom-model-customer-managed-key", collect(account, found.type)[0]) == "FAIL"
    account.answers["bedrock:GetCustomModel"] = failure("bedrock:GetCustomModel", "AccessDeniedException")
    assert collect(account, found.type)[0].properties["ModelName"] == "own"
    assert verdict("bedrock-custom-model-customer-managed-key", collect(account, found.type)[0]) == "UNKNOWN"


def test_throughput_deployments_endpoints_and_profiles(canned: Any, collect: Any) -> None:
    arn = f"arn:aws:bedrock:us-east-1:{MOTO_ACCOUNT}:"
    account = canned({
        "bedrock:ListProvisionedModelThroughputs": {"provisionedModelSummaries": [
            {"provisionedModelName": "p", "provisionedModelArn": arn + "provisioned-model/p", "modelArn": MODEL,
             "modelUnits": 2, "status": "InService"}]},
        "bedrock:ListCustomModelDeployments": {"modelDeploymentSummaries": [
            {"customModelDeploymentArn": arn + "custom-model-deployment/d", "customModelDeploymentName": "d",
             "modelArn": MODEL, "status": "Active"}]},
        "bedrock:ListMarketplaceModelEndpoints": {"marketplaceModelEndpoints": [
            {"endpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e", "modelSourceIdentifier": "m"}]},
        "bedrock:ListInferenceProfiles": {"inferenceProfileSummaries": [
            {"inferenceProfileId": "abc", "inferenceProfileArn": arn + "application-inference-profile/abc",
             "inferenceProfileName": "n", "models": [{"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/x"}],
             "status": "ACTIVE", "type": "APPLICATION"}]},
        "bedrock:ListTagsForResource": {"tags": [{"key": "Owner", "value": "me"}]},
    })  # fmt: skip
    (throughput,) = collect(account, "AWS::Bedrock::ProvisionedModelThroughput")
    assert throughput.properties["ModelUnits"] == 2
    assert "CommitmentDuration" not in throughput.properties
    (deployment,) = collect(account, "AWS::Bedrock::CustomModelDeployment")
    assert deployment.properties["ModelDeploymentName"] == deployment.id == "d"
    (endpoint,) = collect(account, "AWS::Bedrock::MarketplaceModelEndpoint")
    assert (
        endpoint.properties["EndpointStatus"].detail
        == "bedrock:GetMarketplaceModelEndpoint was not asked for"
    )
    (profile,) = collect(account, "AWS::Bedrock::ApplicationInferenceProfile")
    assert profile.tags == {"Owner": "me"}
    assert profile.properties["Models"] == [{"ModelArn": "arn:aws:bedrock:us-east-1::foundation-model/x"}]
    assert profile.properties["InferenceProfileIdentifier"] == profile.arn
    assert isinstance(profile.properties["ModelSource"], Unresolved)


def test_data_sources_of_each_knowledge_base(canned: Any, collect: Any) -> None:
    def listing(arguments: Any) -> Any:
        if arguments["TypeName"] == "AWS::Bedrock::KnowledgeBase":
            return {"ResourceDescriptions": [{"Identifier": "KB1"}, {"Identifier": "KB2"}]}
        base = json.loads(arguments["ResourceModel"])["KnowledgeBaseId"]
        return {"ResourceDescriptions": [{"Identifier": f"{base}|DS"}]}

    def read(arguments: Any) -> Any:
        base = arguments["Identifier"].partition("|")[0]
        properties = {"DataSourceId": f"DS-{base}", "KnowledgeBaseId": base, "Name": "n"}
        if base == "KB1":
            properties["ServerSideEncryptionConfiguration"] = {"KmsKeyArn": "arn:aws:kms:us-east-1:1:key/k"}  # type: ignore[assignment]  # an object among texts
        return {
            "ResourceDescription": {
                "Identifier": arguments["Identifier"],
                "Properties": json.dumps(properties),
            }
        }

    account = canned({"cloudcontrol:ListResources": listing, "cloudcontrol:GetResource": read})
    one, two = collect(account, "AWS::Bedrock::DataSource")
    assert (one.id, two.id) == ("DS-KB1", "DS-KB2")
    assert one.properties["ServerSideEncryptionConfiguration"] == {
        "KmsKeyArn": "arn:aws:kms:us-east-1:1:key/k"
    }
    assert "ServerSideEncryptionConfiguration" not in two.properties
    assert verdict("bedrock-customer-managed-key", two) == "FAIL"


def test_policies_of_guardrails_their_profiles_and_knowledge_bases(canned: Any, collect: Any) -> None:
    type = "AWS::Bedrock::ResourcePolicy"
    arn = f"arn:aws:bedrock:us-east-1:{MOTO_ACCOUNT}:"
    open_, plain, profile = (
        arn + "guardrail/a",
        arn + "guardrail/b",
        arn + "guardrail-profile/us.guardrail.v1:0",
    )
    policies = {open_: PUBLIC, profile: OWN}

    def policy(arguments: Any) -> Any:
        found = policies.get(arguments["resourceArn"])
        none = failure("bedrock:GetResourcePolicy", "ResourceNotFoundException", "read_error")
        return none if found is None else {"resourcePolicy": json.dumps(found)}

    account = canned({
        "bedrock:ListGuardrails": {"guardrails": [
            {"arn": open_, "crossRegionDetails": {"guardrailProfileArn": profile}},
            {"arn": plain, "crossRegionDetails": {"guardrailProfileArn": profile}}]},
        "bedrock:GetResourcePolicy": policy,
        "bedrock-agent:ListKnowledgeBases": {"knowledgeBaseSummaries": [{"knowledgeBaseId": "KB1"}]},
        "bedrock-agent:GetResourcePolicy": {"policy": json.dumps(PUBLIC)},
    })  # fmt: skip
    found = {r.id: r for r in collect(account, type)}
    assert list(found) == [open_, profile, arn + "knowledge-base/KB1"]
    assert collect.last.whole == (type,)
    assert found[open_].properties == {"ResourceArn": open_, "PolicyDocument": PUBLIC}
    rule = "resource-policy-not-public"
    assert [verdict(rule, r) for r in found.values()] == ["FAIL", "PASS", "FAIL"]

    denied = failure("bedrock-agent:GetResourcePolicy", "AccessDeniedException")
    account.answers["bedrock-agent:GetResourcePolicy"] = denied
    assert len(collect(account, type)) == 2
    assert collect.last.whole == ()
    account.answers["bedrock:ListGuardrails"] = failure("bedrock:ListGuardrails", "AccessDeniedException")
    account.answers["bedrock-agent:GetResourcePolicy"] = {"policy": json.dumps(PUBLIC)}
    assert [r.id for r in collect(account, type)] == [arn + "knowledge-base/KB1"]
    assert collect.last.whole == ()


def test_policies_of_agents_gateways_and_memories(canned: Any, collect: Any) -> None:
    type, prefix = (
        "AWS::BedrockAgentCore::ResourcePolicy",
        f"arn:aws:bedrock-agentcore:us-east-1:{MOTO_ACCOUNT}:",
    )
    document = {
        **PUBLIC,
        "Statement": [{**PUBLIC["Statement"][0], "Action": "bedrock-agentcore:InvokeAgentRuntime"}],
    }  # type: ignore[dict-item]  # a list of one statement
    asked = []

    def policy(arguments: Any) -> Any:
        asked.append(arguments["resourceArn"].removeprefix(prefix))
        return {"policy": json.dumps(document)} if asked[-1] == "runtime/r" else {}

    control = "bedrock-agentcore-control"
    account = canned({
        f"{control}:ListAgentRuntimes": {"agentRuntimes": [{"agentRuntimeArn": prefix + "runtime/r", "agentRuntimeId": "r"}]},
        f"{control}:ListAgentRuntimeEndpoints": {"runtimeEndpoints": [
            {"agentRuntimeEndpointArn": prefix + "runtime/r/runtime-endpoint/DEFAULT"}]},
        f"{control}:ListGateways": {"items": [{"gatewayId": "g"}]},
        f"{control}:ListMemories": {"memories": [{"arn": prefix + "memory/m"}]},
        f"{control}:GetResourcePolicy": policy,
    })  # fmt: skip
    (found,) = collect(account, type)
    assert asked == ["runtime/r", "runtime/r/runtime-endpoint/DEFAULT", "gateway/g", "memory/m"]
    assert found.properties["ResourceArn"] == found.id == prefix + "runtime/r"
    assert verdict("resource-policy-not-public", found) == "FAIL"


@pytest.mark.parametrize(
    ("said", "whole"),
    [("TypeNotFoundException", True), ("UnsupportedActionException", True), ("AccessDeniedException", False)],
)
def test_a_region_without_agentcore(canned: Any, collect: Any, said: str, whole: bool) -> None:
    """The endpoint is not there: the service is not, where the registry says so too."""
    type, control = "AWS::BedrockAgentCore::ResourcePolicy", "bedrock-agentcore-control"
    gone = failure(f"{control}:List", "EndpointConnectionError", "not_collected")
    account = canned({
        **{f"{control}:{name}": gone for name in ("ListAgentRuntimes", "ListGateways", "ListMemories")},
        "cloudcontrol:ListResources": failure("cloudcontrol:ListResources", said),
    })  # fmt: skip
    assert collect(account, type) == []
    assert (collect.last.whole == (type,)) is whole


def test_what_aws_has_in_every_account_is_nobodys_own(canned: Any, collect: Any) -> None:
    own = f"arn:aws:bedrock:us-east-1:{MOTO_ACCOUNT}:"
    model = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku"
    project = own + "data-automation-project/p"

    def routers(arguments: Any) -> Any:
        assert arguments == {"type": "custom"}
        router = {"promptRouterName": "r", "promptRouterArn": own + "prompt-router/r", "type": "custom",
                  "models": [{"modelArn": model}], "fallbackModel": {"modelArn": model},
                  "routingCriteria": {"responseQualityDifference": 5.0}}  # fmt: skip
        return {"promptRouterSummaries": [router]}

    account = canned({
        "bedrock:ListPromptRouters": routers,
        "bedrock:ListTagsForResource": {"tags": []},
        "cloudcontrol:ListResources": {"ResourceDescriptions": [
            {"Identifier": "arn:aws:bedrock:us-east-1:aws:data-automation-project/public-default"},
            {"Identifier": project}]},
        "cloudcontrol:GetResource": {"ResourceDescription": {"Identifier": project, "Properties": "{}"}},
    })  # fmt: skip
    (router,) = collect(account, "AWS::Bedrock::IntelligentPromptRouter")
    assert router.properties["FallbackModel"] == {"ModelArn": model}
    assert router.properties["RoutingCriteria"] == {"ResponseQualityDifference": 5.0}
    (found,) = collect(account, "AWS::Bedrock::DataAutomationProject")
    assert found.arn == project
