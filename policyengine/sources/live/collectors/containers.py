"""ECS, services with their task sets, and EKS.

Of a family of task definitions the newest active revision is collected, which is what a new service runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policyengine.aws.failures import CallFailure
from policyengine.model.resource import Resource
from policyengine.sources.live.context import Context
from policyengine.sources.live.declared import Run
from policyengine.sources.live.listings import listing
from policyengine.sources.live.spec import CodeCollector, Collector, Parent, Step
from policyengine.sources.live.templates import all_at

Json = dict[str, Any]
_SERVICE: Final = "AWS::ECS::Service"
_TASK_SET: Final = "AWS::ECS::TaskSet"
_EKS: Final = "AWS::EKS::Cluster"
_AT_ONCE: Final = 10
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html"""
_GONE: Final = ("ResourceNotFoundException",)
_DEFINED: Final = (
    "ContainerDefinitions", "Cpu", "EnableFaultInjection", "EphemeralStorage", "ExecutionRoleArn", "Family",
    "InferenceAccelerators", "IpcMode", "Memory", "NetworkMode", "PidMode", "PlacementConstraints",
    "ProxyConfiguration", "RequiresCompatibilities", "RuntimePlatform", "TaskDefinitionArn", "TaskRoleArn", "Volumes",
)  # fmt: skip


def _definition(item: Json) -> Json:
    """The tags stand beside the definition."""
    found = item.get("taskDefinition") or {}
    proxy = found.get("proxyConfiguration")
    if proxy:
        proxy = {**proxy, "ProxyConfigurationProperties": proxy.get("properties")}
    return {**item, **found, "proxyConfiguration": proxy}


def _services(context: Context) -> Iterator[Resource]:
    """A service's answer has its task sets too."""
    services, sets = Run(_SERVICES, context), Run(_TASK_SETS, context)
    for cluster in listing(_CLUSTER, context):
        try:
            described = list(_described(context, cluster["value"]))
        except CallFailure as failure:
            if failure.is_one_of(("ClusterNotFoundException",)):
                continue
            raise
        if _SERVICE in context.needs:
            yield from services.of(iter(described))
        if _TASK_SET in context.needs:
            yield from sets.of(s for service in described for s in service.get("taskSets") or ())


def _described(context: Context, cluster: str) -> Iterator[Json]:
    arns: list[str] = []
    for page in context.pages("ecs", "ListServices", {"cluster": cluster, "maxResults": 100}):
        arns += page.get("serviceArns", ())
    for at in range(0, len(arns), _AT_ONCE):
        asked = {"cluster": cluster, "services": arns[at : at + _AT_ONCE], "include": ["TAGS"]}
        yield from all_at(context.call("ecs", "DescribeServices", asked), "services")


def _service(item: Json) -> Json:
    """What only the deployment that is in force shows is taken from there.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html
    """
    newest: Json = next((d for d in item.get("deployments") or () if d.get("status") == "PRIMARY"), {})
    names = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")
    return {**item, **{name: newest.get(name) for name in names}, "Name": item["serviceName"]}


def _task(item: Json) -> Json:
    return {**item, "TaskRoleArn": (item.get("overrides") or {}).get("taskRoleArn")}


def _task_set(item: Json) -> Json:
    return {**item, "Cluster": item.get("clusterArn"), "Service": item.get("serviceArn")}


def _cluster(item: Json) -> Json:
    """https://docs.aws.amazon.com/eks/latest/APIReference/API_LogSetup.html"""
    network, logging = item.get("resourcesVpcConfig") or {}, item.get("logging")
    keys = [(each.get("provider") or {}).get("keyArn") for each in item.get("encryptionConfig") or ()]
    return {
        **item,
        "logging": {"ClusterLogging": {"EnabledTypes": _logged(logging)}} if logging else None,
        "ClusterSecurityGroupId": network.get("clusterSecurityGroupId"),
        "EncryptionConfigKeyArn": keys[0] if keys else None,
        "OpenIdConnectIssuerUrl": ((item.get("identity") or {}).get("oidc") or {}).get("issuer"),
        "certificateAuthority": None,
        "CertificateAuthorityData": (item.get("certificateAuthority") or {}).get("data"),
    }


def _logged(logging: Json) -> list[Json]:
    setups = logging.get("clusterLogging") or ()
    return [{"Type": type} for each in setups if each.get("enabled") for type in each.get("types") or ()]


_CLUSTER: Final = Collector(
    "AWS::ECS::Cluster",
    "ecs",
    Step("ListClusters", "clusterArns"),
    id="{clusterName}",
    arn="{value}",
    tags="tags",
    shape=lambda item: {**item, "clusterName": item["value"].rpartition("/")[2], "Arn": item["value"]},
    gives=("Arn", "Settings"),
    describe=Step(
        "DescribeClusters",
        "clusters",
        {"clusters": "{value}", "include": ["CONFIGURATIONS", "SETTINGS", "TAGS"]},
        batch=100,
        key="clusterArn",
        rename={"settings": "ClusterSettings"},
    ),
)

_SERVICES: Final = Collector(
    _SERVICE,
    "ecs",
    Step(
        "DescribeServices",
        "services",
        {"services": ["{serviceArn}"]},
        rename={"clusterArn": "Cluster", "roleArn": "Role", "placementStrategy": "PlacementStrategies"},
    ),
    id="{serviceArn}",
    arn="{serviceArn}",
    tags="tags",
    parent=Parent("AWS::ECS::Cluster", {"cluster": "{value}"}),
    shape=_service,
    gives=("Name", "ServiceConnectConfiguration", "VolumeConfigurations", "VpcLatticeConfigurations"),
)

_TASK_SETS: Final = Collector(
    _TASK_SET,
    "ecs",
    Step(
        "DescribeTaskSets",
        "taskSets",
        {"cluster": "{clusterArn}", "service": "{serviceArn}"},
    ),
    id="{taskSetArn}",
    arn="{taskSetArn}",
    tags="tags",
    shape=_task_set,
    gives=("Cluster", "Service"),
)

COLLECTORS = (
    _CLUSTER,
    CodeCollector(
        (_SERVICE, _TASK_SET),
        "ecs",
        _services,
        ("ecs:ListClusters", "ecs:ListServices", "ecs:DescribeServices"),
        parts=(_SERVICES, _TASK_SETS),
    ),
    Collector(
        "AWS::ECS::Task",
        "ecs",
        Step("ListTasks", "taskArns", gone=("ClusterNotFoundException",)),
        id="{value}",
        arn="{value}",
        tags="",
        parent=Parent("AWS::ECS::Cluster", {"cluster": "{value}"}),
        describe=Step(
            "DescribeTasks", "tasks", {"tasks": "{value}", "cluster": "{parent.value}"}, batch=100, key="taskArn"
        ),
        shape=_task,
        gives=("TaskRoleArn",),
    ),
    Collector(
        "AWS::ECS::TaskDefinition",
        "ecs",
        Step("ListTaskDefinitionFamilies", "families", {"status": "ACTIVE"}),
        id="{value}",
        arn="{taskDefinition.taskDefinitionArn}",
        tags="tags",
        # a family's name alone is its newest active revision
        describe=Step("DescribeTaskDefinition", "", {"taskDefinition": "{value}", "include": ["TAGS"]}),
        shape=_definition,
        gives=_DEFINED,
    ),
    Collector(
        _EKS,
        "eks",
        Step("ListClusters", "clusters"),
        id="{value}",
        arn="arn:{partition}:eks:{region}:{account}:cluster/{value}",
        tags="tags",
        describe=Step("DescribeCluster", "cluster", {"name": "{value}"}, gone=_GONE),
        shape=_cluster,
        gives=(
            "CertificateAuthorityData", "ClusterSecurityGroupId", "EncryptionConfigKeyArn", "OpenIdConnectIssuerUrl",
        ),
    ),
    Collector(
        "AWS::EKS::Nodegroup",
        "eks",
        Step("ListNodegroups", "nodegroups", gone=_GONE),
        id="{parent.value}/{value}",
        arn="{nodegroupArn}",
        tags="tags",
        parent=Parent(_EKS, {"clusterName": "{value}"}),
        describe=Step(
            "DescribeNodegroup",
            "nodegroup",
            {"clusterName": "{parent.value}", "nodegroupName": "{value}"},
            gone=_GONE,
            rename={"nodegroupArn": "Arn"},
        ),
        shape=lambda item: {**item, "Id": f"{item['parent']['value']}/{item['value']}"},
        gives=("Id",),
    ),
    Collector(
        "AWS::EKS::FargateProfile",
        "eks",
        Step("ListFargateProfiles", "fargateProfileNames", gone=_GONE),
        id="{parent.value}|{value}",
        arn="{fargateProfileArn}",
        tags="tags",
        parent=Parent(_EKS, {"clusterName": "{value}"}),
        describe=Step(
            "DescribeFargateProfile",
            "fargateProfile",
            {"clusterName": "{parent.value}", "fargateProfileName": "{value}"},
            gone=_GONE,
            rename={"fargateProfileArn": "Arn"},
        ),
    ),
)  # fmt: skip
