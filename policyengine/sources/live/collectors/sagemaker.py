"""SageMaker."""

from __future__ import annotations

from typing import Final

from policyengine.sources.live.spec import Collector, Step
from policyengine.sources.shaping import NO_RENAMES, Renames

_GONE: Final = ("ResourceNotFound",)


def _tags(arn: str) -> Step:
    return Step("ListTags", "Tags", {"ResourceArn": arn}, gives=("tags",), paged=True)


def _tags_of_many(kind: str, arn: str) -> Step:
    """One listing for all: of these an account can have thousands."""
    return Step(
        "GetResources",
        "ResourceTagMappingList",
        {"ResourceTypeFilters": [f"sagemaker:{kind}"], "ResourcesPerPage": 100},
        gives=("tags",),
        service="resourcegroupstaggingapi",
        once=arn,
        key="ResourceARN",
        shape=lambda found, _item: [tag for each in found for tag in each.get("Tags") or ()],
    )


def _described(name: str, rename: Renames = NO_RENAMES) -> Step:
    """What only the call for one tells; its name and ARN the listing has told already."""
    return Step(
        f"Describe{name}",
        "",
        {f"{name}Name": f"{{{name}Name}}"},
        rename={f"{name}Name": "", f"{name}Arn": "", **rename},
    )


def _job_definition(kind: str) -> Collector:
    """A definition of what a monitor looks for."""
    name = "MonitoringJobDefinition"
    return Collector(
        f"AWS::SageMaker::{kind}JobDefinition",
        "sagemaker",
        Step(
            f"List{kind}JobDefinitions",
            "JobDefinitionSummaries",
            rename={f"{name}Name": "JobDefinitionName", f"{name}Arn": "JobDefinitionArn"},
        ),
        id=f"{{{name}Name}}",
        arn=f"{{{name}Arn}}",
        tags="",
        details=(
            Step(
                f"Describe{kind}JobDefinition",
                "",
                {"JobDefinitionName": f"{{{name}Name}}"},
                rename={
                    "JobDefinitionName": "",
                    "JobDefinitionArn": "",
                    # an empty object of the API, true or false in the registry
                    f"{kind}JobInput.BatchTransformInput.DatasetFormat.Parquet": "",
                },
                gone=_GONE,
            ),
            _tags(f"{{{name}Arn}}"),
        ),
    )


COLLECTORS = (
    Collector(
        "AWS::SageMaker::NotebookInstance",
        "sagemaker",
        Step(
            "ListNotebookInstances",
            "NotebookInstances",
            rename={"NotebookInstanceLifecycleConfigName": "LifecycleConfigName"},
        ),
        id="{NotebookInstanceName}",
        arn="{NotebookInstanceArn}",
        keep=lambda item, _names: item.get("NotebookInstanceStatus") != "Deleting",
        tags="",
        details=(
            _described(
                "NotebookInstance",
                {
                    "SecurityGroups": "SecurityGroupIds",
                    "NotebookInstanceLifecycleConfigName": "LifecycleConfigName",
                },
            ),
            _tags("{NotebookInstanceArn}"),
        ),
    ),
    Collector(
        "AWS::SageMaker::Model",
        "sagemaker",
        Step("ListModels", "Models"),
        id="{ModelName}",
        arn="{ModelArn}",
        tags="",
        details=(_described("Model"), _tags_of_many("model", "{ModelArn}")),
    ),
    Collector(
        "AWS::SageMaker::EndpointConfig",
        "sagemaker",
        Step("ListEndpointConfigs", "EndpointConfigs"),
        id="{EndpointConfigName}",
        arn="{EndpointConfigArn}",
        tags="",
        details=(_described("EndpointConfig"), _tags_of_many("endpoint-config", "{EndpointConfigArn}")),
    ),
    Collector(
        "AWS::SageMaker::Domain",
        "sagemaker",
        Step("ListDomains", "Domains"),
        id="{DomainId}",
        arn="{DomainArn}",
        tags="",
        details=(
            Step(
                "DescribeDomain",
                "",
                {"DomainId": "{DomainId}"},
                rename={"DomainId": "", "DomainArn": "", "DomainName": ""},
                gone=_GONE,
            ),
            _tags("{DomainArn}"),
        ),
    ),
    # jobs stay listed for ever: each is described only where a rule names what only that tells
    Collector(
        "AWS::SageMaker::ProcessingJob",
        "sagemaker",
        Step("ListProcessingJobs", "ProcessingJobSummaries"),
        id="{ProcessingJobName}",
        arn="{ProcessingJobArn}",
        tags="",
        details=(
            _described("ProcessingJob")._replace(gone=_GONE, only_named=True),
            _tags_of_many("processing-job", "{ProcessingJobArn}"),
        ),
    ),
    *(_job_definition(kind) for kind in ("DataQuality", "ModelBias", "ModelExplainability", "ModelQuality")),
)
