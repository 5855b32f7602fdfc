"""App Runner, AWS Batch, Lightsail, Transfer Family and VPC Lattice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policyengine.aws.failures import CallFailure
from policyengine.model.resource import Resource
from policyengine.sources.live.context import Context
from policyengine.sources.live.declared import Run
from policyengine.sources.live.spec import CodeCollector, Collector, Step

Json = dict[str, Any]


def _zone(item: Json) -> Json:
    """https://docs.aws.amazon.com/lightsail/2016-11-28/api-reference/API_ResourceLocation.html"""
    zone = (item.get("location") or {}).get("availabilityZone")
    return {**item, "AvailabilityZone": zone} if zone else item


def _instance(item: Json) -> Json:
    found = _zone(item)
    # sizes are texts in the registry, and disks and add-ons have other names there
    return {name: value for name, value in found.items() if name not in ("hardware", "addOns")}


def _service(item: Json) -> Json:
    """Variables are a map here and a list of pairs in the registry.

    https://docs.aws.amazon.com/apprunner/latest/api/API_ImageConfiguration.html
    """
    source = dict(item.get("SourceConfiguration") or {})
    image, code = source.get("ImageRepository") or {}, source.get("CodeRepository") or {}
    if "ImageConfiguration" in image:
        source["ImageRepository"] = {**image, "ImageConfiguration": _paired(image["ImageConfiguration"])}
    configuration = code.get("CodeConfiguration") or {}
    if "CodeConfigurationValues" in configuration:
        values = _paired(configuration["CodeConfigurationValues"])
        changed = {**configuration, "CodeConfigurationValues": values}
        source["CodeRepository"] = {**code, "CodeConfiguration": changed}
    scaling = (item.get("AutoScalingConfigurationSummary") or {}).get("AutoScalingConfigurationArn")
    return {**item, "SourceConfiguration": source, "AutoScalingConfigurationArn": scaling}


def _paired(item: Json) -> Json:
    found = dict(item)
    for name in ("RuntimeEnvironmentVariables", "RuntimeEnvironmentSecrets"):
        if name in item:
            found[name] = [{"Name": key, "Value": value} for key, value in item[name].items()]
    return found


_LATTICE: Final = Collector(
    "AWS::VpcLattice::ResourcePolicy",
    "vpc-lattice",
    Step("GetResourcePolicy", "", {"resourceArn": "{value}"}),
    id="{value}",
    tags="",
    gives=("ResourceArn",),
)
_SHARED: Final = ("ListServices", "ListServiceNetworks", "ListResourceConfigurations")
"""What a policy can be put on: https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_PutResourcePolicy.html"""


def _policies(context: Context) -> Iterator[Resource]:
    """Yield the policies of the account's own services, networks and configurations."""
    arns: list[str] = []
    for operation in _SHARED:
        try:
            for page in context.pages("vpc-lattice", operation):
                arns += [item["arn"] for item in page.get("items") or ()]
        except CallFailure as failure:
            context.not_whole(_LATTICE.type, failure)
    own = [arn for arn in arns if f":{context.account.id}:" in arn]
    found = (each for each in context.map(lambda arn: _policy(context, arn), own) if each is not None)
    yield from Run(_LATTICE, context).of(found)


def _policy(context: Context, arn: str) -> Json | None:
    try:
        text = context.call("vpc-lattice", "GetResourcePolicy", {"resourceArn": arn}).get("policy")
    except CallFailure as failure:
        if not failure.is_one_of(("ResourceNotFoundException",)):
            context.not_whole(_LATTICE.type, failure)
        return None
    return {"value": arn, "ResourceArn": arn, "policy": text} if text else None


COLLECTORS = (
    Collector(
        "AWS::AppRunner::Service",
        "apprunner",
        Step("ListServices", "ServiceSummaryList"),
        id="{ServiceArn}",
        arn="{ServiceArn}",
        tags="",
        keep=lambda item, _names: item.get("Status") != "DELETED",
        describe=Step(
            "DescribeService",
            "Service",
            {"ServiceArn": "{ServiceArn}"},
            gone=("ResourceNotFoundException",),
        ),
        shape=_service,
        gives=("AutoScalingConfigurationArn",),
        details=(
            Step(
                "ListTagsForResource",
                "Tags",
                {"ResourceArn": "{ServiceArn}"},
                gives=("tags",),
                gone=("ResourceNotFoundException",),
            ),
        ),
    ),
    Collector(
        "AWS::Transfer::Server",
        "transfer",
        Step("ListServers", "Servers"),
        id="{ServerId}",
        arn="{Arn}",
        describe=Step(
            "DescribeServer", "Server", {"ServerId": "{ServerId}"}, gone=("ResourceNotFoundException",)
        ),
    ),
    Collector(
        "AWS::Batch::JobDefinition",
        "batch",
        # revisions that were taken back cannot be run
        Step("DescribeJobDefinitions", "jobDefinitions", {"status": "ACTIVE"}),
        id="{jobDefinitionArn}",
        arn="{jobDefinitionArn}",
        tags="tags",
    ),
    Collector(
        "AWS::Batch::ComputeEnvironment",
        "batch",
        Step("DescribeComputeEnvironments", "computeEnvironments"),
        id="{computeEnvironmentArn}",
        arn="{computeEnvironmentArn}",
        tags="tags",
    ),
    Collector(
        "AWS::Lightsail::Instance",
        "lightsail",
        Step("GetInstances", "instances"),
        id="{name}",
        arn="{arn}",
        tags="tags",
        rename={
            "name": "InstanceName",
            "arn": "InstanceArn",
            "hardware": "",
            "addOns": "",
            "networking.monthlyTransfer": "",
        },
        shape=_instance,
        gives=("AvailabilityZone",),
    ),
    Collector(
        "AWS::Lightsail::Database",
        "lightsail",
        Step("GetRelationalDatabases", "relationalDatabases"),
        id="{name}",
        arn="{arn}",
        tags="tags",
        rename={
            "name": "RelationalDatabaseName",
            "arn": "DatabaseArn",
            "backupRetentionEnabled": "BackupRetention",
        },
        shape=_zone,
        gives=("AvailabilityZone",),
    ),
    CodeCollector(
        (_LATTICE.type,),
        "vpc-lattice",
        _policies,
        (*(f"vpc-lattice:{operation}" for operation in _SHARED), "vpc-lattice:GetResourcePolicy"),
        parts=(_LATTICE,),
    ),
)
