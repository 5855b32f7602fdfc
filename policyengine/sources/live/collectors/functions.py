"""AWS Lambda: functions, their addresses, event sources and invoke settings, layers, code signing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policyengine.aws.failures import CallFailure
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.sources.live.context import Context
from policyengine.sources.live.declared import Run
from policyengine.sources.live.spec import CodeCollector, Collector, Parent, Step
from policyengine.sources.shaping import document

Json = dict[str, Any]
_FUNCTION: Final = {"FunctionName": "{FunctionName}"}
_GONE: Final = ("ResourceNotFoundException",)
_LATER: Final = {"State": ""}
"""Not in the listing: https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html"""


def _function(item: Json) -> Json:
    """A function in no VPC has one without subnets: https://docs.aws.amazon.com/lambda/latest/api/API_VpcConfigResponse.html"""
    image = (item.get("ImageConfigResponse") or {}).get("ImageConfig")
    network = item.get("VpcConfig") or {}
    return {
        **item,
        "Arn": item["FunctionArn"],
        "Environment": _environment(item.get("Environment")),
        "ImageConfig": image,
        "Layers": [layer["Arn"] for layer in item.get("Layers") or []] or None,
        "VpcConfig": network if network.get("SubnetIds") else None,
    }


def _environment(given: Json | None) -> Any:
    """https://docs.aws.amazon.com/lambda/latest/api/API_EnvironmentResponse.html"""
    error = (given or {}).get("Error")
    if error:
        return {
            "Variables": Unresolved(
                "access_denied", f"lambda:ListFunctions: {error.get('ErrorCode') or error}"
            )
        }
    return given


def _policies(context: Context, item: Json) -> Json:
    """The function's own policy, and those of its aliases: each may let others call it.

    https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
    """
    found = [(item["FunctionArn"], None)]
    for page in context.pages("lambda", "ListAliases", {"FunctionName": item["FunctionName"]}):
        found += [(alias["AliasArn"], alias["Name"]) for alias in page.get("Aliases", ())]
    policies = []
    for arn, qualifier in found:
        arguments = {"FunctionName": item["FunctionName"], **({"Qualifier": qualifier} if qualifier else {})}
        try:
            policy = context.call("lambda", "GetPolicy", arguments)["Policy"]
        except CallFailure as failure:
            if not failure.is_one_of(_GONE):
                raise
        else:
            policies.append({"ResourceArn": arn, "PolicyDocument": policy})
    return {"Policy": policies}


def _signing(context: Context, item: Json) -> Json:
    """Code of container images is not signed this way:
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html
    """
    if item.get("PackageType") == "Image":
        return {}
    return context.call("lambda", "GetFunctionCodeSigningConfig", {"FunctionName": item["FunctionName"]})


def _mapping(item: Json) -> Json:
    """https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html"""
    start, cluster = item.get("StartingPositionTimestamp"), item.get("SelfManagedEventSource")
    servers = ((cluster or {}).get("Endpoints") or {}).get("KAFKA_BOOTSTRAP_SERVERS")
    return {
        **item,
        "Id": item["UUID"],
        "FunctionName": _name(item.get("FunctionArn")),
        "Enabled": _enabled(item.get("State")),
        "DestinationConfig": _destinations(item.get("DestinationConfig")),
        "StartingPositionTimestamp": start.timestamp() if start is not None else None,
        "SelfManagedEventSource": {"Endpoints": {"KafkaBootstrapServers": servers}} if cluster else None,
    }


def _enabled(state: str | None) -> Any:
    if state in ("Enabled", "Enabling"):
        return True
    if state in ("Disabled", "Disabling"):
        return False
    return Unresolved("not_collected", f"the mapping is {state}")


def _destinations(given: Json | None) -> Json | None:
    """None that is set is an empty object."""
    return {name: target for name, target in (given or {}).items() if target} or None


def _name(arn: str | None) -> str | None:
    """The name in ``arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]``."""
    parts = (arn or "").split(":")
    return parts[6] if len(parts) > 6 else None


def _qualifier(arn: str | None) -> str | None:
    parts = (arn or "").split(":")
    return parts[7] if len(parts) > 7 else None


def _url(item: Json) -> Json:
    return {
        **item,
        "TargetFunctionArn": item["parent"]["FunctionArn"],
        "Qualifier": _qualifier(item.get("FunctionArn")),
    }


def _invocation(item: Json) -> Json:
    return {
        **item,
        "FunctionName": item["parent"]["FunctionName"],
        "Qualifier": _qualifier(item.get("FunctionArn")) or "$LATEST",
        "DestinationConfig": _destinations(item.get("DestinationConfig")),
    }


def _layers(context: Context) -> Iterator[Resource]:
    """Every version of every layer: each is shared by itself."""
    yield from Run(_LAYER_VERSION, context).of(_layer_versions(context))


def _layer_versions(context: Context) -> Iterator[Json]:
    for page in context.pages("lambda", "ListLayers"):
        for layer in page.get("Layers", ()):
            name = layer["LayerName"]
            for versions in context.pages("lambda", "ListLayerVersions", {"LayerName": name}):
                for version in versions.get("LayerVersions", ()):
                    yield {**version, "LayerName": name}


_ORGANIZATION: Final = {"aws:principalorgid"}


def _shared(result: str, item: Json) -> list[Json]:
    """A layer's policy has nothing but what AddLayerVersionPermission puts there.

    https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html
    """
    policy = document(result)
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    return [_permission(s, item) for s in statements or ()]


def _permission(statement: Json, item: Json) -> Json:
    principal = statement.get("Principal")
    if isinstance(principal, dict):
        principal = principal.get("AWS")
    if isinstance(principal, str) and principal.endswith(":root"):
        principal = principal.split(":")[4]
    return {
        "LayerVersionArn": item["LayerVersionArn"],
        "Action": statement.get("Action"),
        "Principal": principal,
        "OrganizationId": _organization(statement.get("Condition")),
    }


def _organization(condition: Any) -> Any:
    if not condition:
        return None
    found = condition.get("StringEquals") if isinstance(condition, dict) and len(condition) == 1 else None
    if isinstance(found, dict) and {name.casefold() for name in found} == _ORGANIZATION:
        return next(iter(found.values()))
    return Unresolved("read_error", "lambda:GetLayerVersionPolicy: a condition of an unknown kind")


_LAYER_VERSION: Final = Collector(
    "AWS::Lambda::LayerVersion",
    "lambda",
    Step("ListLayerVersions", "LayerVersions", {"LayerName": "{LayerName}"}),
    id="{LayerVersionArn}",
    arn="{LayerVersionArn}",
    tags="",
    gives=("LayerName",),
    details=(
        Step(
            "GetLayerVersionPolicy",
            "Policy",
            {"LayerName": "{LayerName}", "VersionNumber": "{Version}"},
            into="related.permissions",
            gives=("related.permissions",),
            none=_GONE,
            shape=_shared,
        ),
    ),
)

_FUNCTIONS: Final = Collector(
    "AWS::Lambda::Function",
    "lambda",
    Step("ListFunctions", "Functions", rename=_LATER),
    id="{FunctionName}",
    arn="{FunctionArn}",
    tags="",
    shape=_function,
    gives=("ImageConfig",),
    details=(
        Step(
            "ListTags",
            "Tags",
            {"Resource": "{FunctionArn}"},
            gives=("tags",),
            gone=_GONE,
        ),
        Step(
            "GetPolicy",
            "Policy",
            into="related.policies",
            gives=("related.policies",),
            gone=_GONE,
            ask=_policies,
            calls=("lambda:ListAliases",),
        ),
        Step(
            "GetFunctionConcurrency",
            "ReservedConcurrentExecutions",
            _FUNCTION,
            into="ReservedConcurrentExecutions",
            gone=_GONE,
        ),
        Step(
            "GetFunctionCodeSigningConfig",
            "CodeSigningConfigArn",
            into="CodeSigningConfigArn",
            none=("CodeSigningConfigNotFoundException",),
            gone=_GONE,
            ask=_signing,
        ),
        Step("GetFunctionConfiguration", "State", _FUNCTION, into="State", gone=_GONE, only_named=True),
        Step(
            "GetRuntimeManagementConfig",
            "",
            _FUNCTION,
            into="RuntimeManagementConfig",
            gone=_GONE,
            only_named=True,
        ),
        Step(
            "GetFunctionRecursionConfig",
            "RecursiveLoop",
            _FUNCTION,
            into="RecursiveLoop",
            gone=_GONE,
            only_named=True,
        ),
    ),
    also={
        "AWS::Lambda::Permission": "related.policies",
        "AWS::Lambda::ResourcePolicy": "related.policies",
    },
)

COLLECTORS = (
    _FUNCTIONS,
    Collector(
        "AWS::Lambda::Url",
        "lambda",
        Step("ListFunctionUrlConfigs", "FunctionUrlConfigs", gone=_GONE),
        id="{FunctionUrl}",
        tags="",
        parent=Parent("AWS::Lambda::Function", _FUNCTION),
        shape=_url,
        gives=("TargetFunctionArn", "Qualifier"),
    ),
    Collector(
        "AWS::Lambda::EventInvokeConfig",
        "lambda",
        Step("ListFunctionEventInvokeConfigs", "FunctionEventInvokeConfigs", gone=_GONE),
        id="{FunctionArn}",
        tags="",
        parent=Parent("AWS::Lambda::Function", _FUNCTION),
        shape=_invocation,
        gives=("FunctionName", "Qualifier"),
    ),
    Collector(
        "AWS::Lambda::EventSourceMapping",
        "lambda",
        Step("ListEventSourceMappings", "EventSourceMappings"),
        id="{UUID}",
        arn="{EventSourceMappingArn}",
        tags="",
        shape=_mapping,
        gives=("Id", "FunctionName", "Enabled"),
        details=(
            Step("ListTags", "Tags", {"Resource": "{EventSourceMappingArn}"}, gives=("tags",), gone=_GONE),
        ),
    ),
    Collector(
        "AWS::Lambda::CodeSigningConfig",
        "lambda",
        Step("ListCodeSigningConfigs", "CodeSigningConfigs"),
        id="{CodeSigningConfigArn}",
        arn="{CodeSigningConfigArn}",
        tags="",
        details=(
            Step("ListTags", "Tags", {"Resource": "{CodeSigningConfigArn}"}, gives=("tags",), gone=_GONE),
        ),
    ),
    CodeCollector(
        ("AWS::Lambda::LayerVersion",),
        "lambda",
        _layers,
        ("lambda:ListLayers", "lambda:ListLayerVersions", "lambda:GetLayerVersionPolicy"),
        parts=(_LAYER_VERSION,),
        also={"AWS::Lambda::LayerVersionPermission": "related.permissions"},
    ),
)
