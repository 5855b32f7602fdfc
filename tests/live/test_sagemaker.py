"""SageMaker over HTTP where moto has it, else with answers as AWS documents them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.conftest import MOTO_ACCOUNT, failure
from tests.live.judging import verdict

REGION = "eu-central-1"
ARN = f"arn:aws:sagemaker:us-east-1:{MOTO_ACCOUNT}:"
ROLE = f"arn:aws:iam::{MOTO_ACCOUNT}:role/r"
KEY = f"arn:aws:kms:us-east-1:{MOTO_ACCOUNT}:key/11111111-2222-3333-4444-555555555555"


def test_notebooks_over_http(account: Any, aws: Any, collect: Any) -> None:
    sagemaker = aws("sagemaker", REGION)
    sagemaker.create_notebook_instance(
        NotebookInstanceName="good", InstanceType="ml.t3.medium", RoleArn=ROLE, SubnetId="subnet-1",
        SecurityGroupIds=["sg-1"], DirectInternetAccess="Disabled", RootAccess="Disabled", KmsKeyId=KEY,
        LifecycleConfigName="l", Tags=[{"Key": "Owner", "Value": "me"}],
    )  # fmt: skip
    sagemaker.create_notebook_instance(
        NotebookInstanceName="plain", InstanceType="ml.t3.medium", RoleArn=ROLE
    )
    found = {r.id: r for r in collect(account, "AWS::SageMaker::NotebookInstance", region=REGION)}
    good, plain = found["good"], found["plain"]
    p = good.properties
    assert good.tags == {"Owner": "me"}
    assert (p["SecurityGroupIds"], p["LifecycleConfigName"]) == (["sg-1"], "l")
    assert (p["NotebookInstanceName"], p["NotebookInstanceArn"]) == ("good", good.arn)
    assert "SubnetId" not in plain.properties
    for rule in (
        "sagemaker-notebook-no-direct-internet",
        "sagemaker-notebook-without-root",
        "sagemaker-notebook-in-vpc",
    ):
        assert (verdict(rule, good), verdict(rule, plain)) == ("PASS", "FAIL"), rule


def test_a_notebook_that_cannot_be_described(canned: Any, collect: Any) -> None:
    arn = ARN + "notebook-instance/n"
    account = canned({
        "sagemaker:ListNotebookInstances": {"NotebookInstances": [
            {"NotebookInstanceName": "n", "NotebookInstanceArn": arn, "NotebookInstanceStatus": "InService"},
            {"NotebookInstanceName": "going", "NotebookInstanceArn": arn, "NotebookInstanceStatus": "Deleting"}]},
        "sagemaker:DescribeNotebookInstance": failure("sagemaker:DescribeNotebookInstance", "AccessDeniedException"),
        "sagemaker:ListTags": {"Tags": []},
    })  # fmt: skip
    (found,) = collect(account, "AWS::SageMaker::NotebookInstance")
    assert found.properties["NotebookInstanceName"] == "n"
    assert found.properties["RootAccess"].reason == "access_denied"
    assert verdict("sagemaker-notebook-without-root", found) == "UNKNOWN"


def test_models_and_endpoint_configurations(canned: Any, collect: Any) -> None:
    tagged = {"good": [{"Key": "Owner", "Value": "me"}]}

    def tags(arguments: Any) -> Any:
        kind = arguments["ResourceTypeFilters"][0].removeprefix("sagemaker:")
        found = [{"ResourceARN": f"{ARN}{kind}/{name}", "Tags": given} for name, given in tagged.items()]
        return {"ResourceTagMappingList": found}

    def model(arguments: Any) -> Any:
        name = arguments["ModelName"]
        return {"ModelName": name, "ModelArn": f"{ARN}model/{name}", "EnableNetworkIsolation": name == "good"}

    def configuration(arguments: Any) -> Any:
        name = arguments["EndpointConfigName"]
        variant = {"VariantName": "v", "InitialInstanceCount": 2 if name == "good" else 1}
        return {"EndpointConfigName": name, "EndpointConfigArn": f"{ARN}endpoint-config/{name}",
                "ProductionVariants": [variant]}  # fmt: skip

    names = ("good", "plain")
    account = canned({
        "sagemaker:ListModels": {"Models": [{"ModelName": n, "ModelArn": f"{ARN}model/{n}"} for n in names]},
        "sagemaker:DescribeModel": model,
        "sagemaker:ListEndpointConfigs": {"EndpointConfigs": [
            {"EndpointConfigName": n, "EndpointConfigArn": f"{ARN}endpoint-config/{n}"} for n in names]},
        "sagemaker:DescribeEndpointConfig": configuration,
        "resourcegroupstaggingapi:GetResources": tags,
    })  # fmt: skip
    good, plain = collect(account, "AWS::SageMaker::Model")
    assert (good.tags, plain.tags) == ({"Owner": "me"}, {})
    assert [verdict("sagemaker-model-isolated", r) for r in (good, plain)] == ["PASS", "FAIL"]
    good, plain = collect(account, "AWS::SageMaker::EndpointConfig")
    assert (good.tags, plain.tags) == ({"Owner": "me"}, {})
    assert [verdict("sagemaker-endpoint-two-instances", r) for r in (good, plain)] == ["PASS", "FAIL"]
    # who reads tags only is not told of each
    needs = {"AWS::SageMaker::Model": frozenset({"tags"})}
    account.answers.pop("sagemaker:DescribeModel")
    assert [m.tags for m in collect(account, "AWS::SageMaker::Model", needs=needs)] == [{"Owner": "me"}, {}]


def test_domains_and_jobs(canned: Any, collect: Any) -> None:
    account = canned({
        "sagemaker:ListDomains": {"Domains": [{"DomainId": "d-1", "DomainArn": ARN + "domain/d-1", "DomainName": "n"}]},
        "sagemaker:DescribeDomain": {"DomainId": "d-1", "AppNetworkAccessType": "VpcOnly", "AuthMode": "SSO"},
        "sagemaker:ListTags": {"Tags": [{"Key": "Owner", "Value": "me"}]},
        "sagemaker:ListProcessingJobs": {"ProcessingJobSummaries": [
            {"ProcessingJobName": "j", "ProcessingJobArn": ARN + "processing-job/j", "ProcessingJobStatus": "Completed"}]},
        "sagemaker:DescribeProcessingJob": {"AppSpecification": {"ImageUri": "1.dkr/sagemaker-clarify-processing:1.0"}},
        "resourcegroupstaggingapi:GetResources": {"ResourceTagMappingList": []},
    })  # fmt: skip
    (domain,) = collect(account, "AWS::SageMaker::Domain")
    assert (domain.id, domain.properties["DomainName"], domain.tags) == ("d-1", "n", {"Owner": "me"})
    assert domain.properties["AppNetworkAccessType"] == "VpcOnly"
    assert "KmsKeyId" not in domain.properties
    type = "AWS::SageMaker::ProcessingJob"
    (job,) = collect(account, type, needs={type: frozenset({"*", "AppSpecification"})})
    assert job.properties["AppSpecification"]["ImageUri"].startswith("1.dkr/sagemaker-clarify")
    (job,) = collect(account, type)
    assert job.properties["AppSpecification"].detail == "sagemaker:DescribeProcessingJob was not asked for"


@pytest.mark.parametrize("kind", ["DataQuality", "ModelBias", "ModelExplainability", "ModelQuality"])
def test_definitions_of_monitors(canned: Any, collect: Any, kind: str) -> None:
    arn = ARN + "data-quality-job-definition/q"
    account = canned({
        f"sagemaker:List{kind}JobDefinitions": {"JobDefinitionSummaries": [
            {"MonitoringJobDefinitionName": "q", "MonitoringJobDefinitionArn": arn, "EndpointName": "e"}]},
        f"sagemaker:Describe{kind}JobDefinition": {
            f"{kind}JobOutputConfig": {"KmsKeyId": KEY},
            "NetworkConfig": {"EnableInterContainerTrafficEncryption": False}},
        "sagemaker:ListTags": {"Tags": []},
    })  # fmt: skip
    (found,) = collect(account, f"AWS::SageMaker::{kind}JobDefinition")
    assert (found.properties["JobDefinitionName"], found.properties["JobDefinitionArn"]) == ("q", arn)
    assert found.properties[f"{kind}JobOutputConfig"] == {"KmsKeyId": KEY}
    assert found.tags == {}
    assert verdict("sagemaker-monitoring-traffic-encrypted", found) == "FAIL"
