"""Lambda, ECS, EKS and ECR, as AWS Config records them: all but Lambda in the registry's own names."""

from __future__ import annotations

from typing import Any, Final

from policyengine.model.values import ABSENT
from policyengine.sources.config.item import Item
from policyengine.sources.config.spec import ConfigType, Part, each, under

Json = dict[str, Any]


_ELSEWHERE: Final = ("version", "state", "stateReason", "vpcConfig", "layers")


def _function(item: Item) -> Json:
    given = item.configuration
    network, state = given.get("vpcConfig"), given.get("state")
    found = {
        **{name: value for name, value in given.items() if name not in _ELSEWHERE},
        "Arn": given.get("functionArn") or item.arn,
        "Layers": each(given.get("layers"), "arn") or ABSENT,
        "VpcConfig": network if under(network, "subnetIds") else ABSENT,
    }
    if isinstance(state, str):
        found["State"] = state
    return found


def _policy(value: Any, item: Item) -> Any:
    """The document that ``lambda:AddPermission`` builds up; AWS Config encodes it twice."""
    inner = under(value, "policy") if isinstance(value, dict) and "policy" in value else value
    return [{"ResourceArn": item.arn, "PolicyDocument": inner}] if inner else []


def _no_permissions(item: Item) -> Json:
    """Statements that code adds one by one (AWS::Lambda::Permission) are all in the one policy."""
    found = _function(item)
    if "Policy" in item.supplement:
        found["related.permissions"] = []
    return found


TYPES = (
    ConfigType(
        "AWS::Lambda::Function",
        rename={"codeSize": "", "codeSha256": ""},
        shape=_no_permissions,
        parts=(
            Part("Policy", "related.policies", shape=_policy),
            Part("Concurrency", "ReservedConcurrentExecutions",
                 shape=lambda value, _: under(value, "reservedConcurrentExecutions")),
        ),
        recorded=("Layers", "VpcConfig", "DeadLetterConfig", "KmsKeyArn", "Runtime", "Handler", "FileSystemConfigs",
                  "Description"),
    ),
    ConfigType(
        "AWS::ECS::TaskDefinition",
        recorded=("ContainerDefinitions", "ExecutionRoleArn", "TaskRoleArn", "IpcMode", "PidMode", "NetworkMode",
                  "Volumes", "ProxyConfiguration", "Cpu", "Memory"),
    ),
    ConfigType(
        "AWS::ECS::Service",
        recorded=("NetworkConfiguration", "LaunchType", "PlatformVersion", "PropagateTags", "LoadBalancers",
                  "CapacityProviderStrategy", "DeploymentController", "HealthCheckGracePeriodSeconds", "Role"),
        unknown=("DeploymentConfiguration.DeploymentCircuitBreaker",),
    ),
    ConfigType("AWS::ECS::Cluster", recorded=("Configuration", "CapacityProviders",
                                              "DefaultCapacityProviderStrategy")),
    ConfigType(
        "AWS::EKS::Cluster",
        recorded=("EncryptionConfig", "EncryptionConfigKeyArn", "Logging"),
        unknown=("ResourcesVpcConfig.EndpointPublicAccess", "ResourcesVpcConfig.EndpointPrivateAccess",
                 "ResourcesVpcConfig.PublicAccessCidrs"),
    ),
    ConfigType("AWS::ECR::Repository", recorded=("LifecyclePolicy",)),
)  # fmt: skip
