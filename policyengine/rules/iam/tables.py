"""Where the types of AWS resources hold policies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from policyengine.model.resource import Path, Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved

if TYPE_CHECKING:
    from policyengine.iam.grammar import Kind  # the table of predicates reads this module, and needs no more

Spot: TypeAlias = "tuple[str, Kind]"
"""A dotted path (``*``: each element of a list; ``related`` first: what the source folded in), a kind."""

_INLINE: Final[tuple[Spot, ...]] = (
    ("Policies.*.PolicyDocument", "identity"),
    ("related.policies.*.PolicyDocument", "identity"),
)
_FOLDED: Final[tuple[Spot, ...]] = (("related.policies.*.PolicyDocument", "resource"),)
_ALONE: Final[tuple[Spot, ...]] = (("PolicyDocument", "resource"),)
_SATELLITE: Final[tuple[Spot, ...]] = (("PolicyDocument", "identity"),)
_POLICY: Final[tuple[Spot, ...]] = (("Policy", "resource"),)
_RESOURCE_POLICY: Final[tuple[Spot, ...]] = (("ResourcePolicy", "resource"),)
_FOLDED_RESOURCE_POLICY: Final[tuple[Spot, ...]] = (("related.policies.*.ResourcePolicy", "resource"),)

SPOTS: Final[Mapping[str, tuple[Spot, ...]]] = {
    "AWS::IAM::Role": (("AssumeRolePolicyDocument", "trust"), *_INLINE),
    "AWS::IAM::User": _INLINE,
    "AWS::IAM::Group": _INLINE,
    "AWS::IAM::ManagedPolicy": _SATELLITE,
    # those below are folded into what they belong to, where that is in the same source
    "AWS::IAM::Policy": _SATELLITE,
    "AWS::IAM::RolePolicy": _SATELLITE,
    "AWS::IAM::UserPolicy": _SATELLITE,
    "AWS::IAM::GroupPolicy": _SATELLITE,
    "AWS::SSO::PermissionSet": (("InlinePolicy", "identity"),),
    "AWS::S3::Bucket": _FOLDED,
    "AWS::S3::BucketPolicy": _ALONE,
    "AWS::S3::AccessPoint": _POLICY,
    "AWS::S3::MultiRegionAccessPoint": (("related.policies.*.Policy", "resource"),),
    "AWS::S3::MultiRegionAccessPointPolicy": _POLICY,
    "AWS::S3ObjectLambda::AccessPointPolicy": _ALONE,
    "AWS::S3Express::DirectoryBucket": _FOLDED,
    "AWS::S3Express::BucketPolicy": _ALONE,
    "AWS::S3Express::AccessPoint": _POLICY,
    "AWS::S3Tables::TableBucket": _FOLDED_RESOURCE_POLICY,
    "AWS::S3Tables::TableBucketPolicy": _RESOURCE_POLICY,
    "AWS::S3Tables::TablePolicy": _RESOURCE_POLICY,
    "AWS::S3Vectors::VectorBucketPolicy": _POLICY,
    "AWS::KMS::Key": (("KeyPolicy", "key"),),
    "AWS::KMS::ReplicaKey": (("KeyPolicy", "key"),),
    "AWS::SQS::Queue": _FOLDED,
    "AWS::SQS::QueuePolicy": _ALONE,
    "AWS::SQS::QueueInlinePolicy": _ALONE,
    "AWS::SNS::Topic": _FOLDED,
    "AWS::SNS::TopicPolicy": _ALONE,
    "AWS::SNS::TopicInlinePolicy": _ALONE,
    "AWS::SecretsManager::Secret": _FOLDED_RESOURCE_POLICY,
    "AWS::SecretsManager::ResourcePolicy": _RESOURCE_POLICY,
    "AWS::Lambda::Function": _FOLDED,
    "AWS::Lambda::ResourcePolicy": _ALONE,
    "AWS::ECR::Repository": (("RepositoryPolicyText", "resource"),),
    "AWS::ECR::PublicRepository": (("RepositoryPolicyText", "resource"),),
    "AWS::Backup::BackupVault": (("AccessPolicy", "resource"),),
    "AWS::Backup::LogicallyAirGappedBackupVault": (("AccessPolicy", "resource"),),
    "AWS::EFS::FileSystem": (("FileSystemPolicy", "resource"),),
    "AWS::OpenSearchService::Domain": (("AccessPolicies", "resource"),),
    "AWS::Elasticsearch::Domain": (("AccessPolicies", "resource"),),
    "AWS::DynamoDB::Table": (
        ("ResourcePolicy.PolicyDocument", "resource"),
        ("StreamSpecification.ResourcePolicy.PolicyDocument", "resource"),
    ),
    "AWS::DynamoDB::GlobalTable": (
        ("Replicas.*.ResourcePolicy.PolicyDocument", "resource"),
        ("Replicas.*.ReplicaStreamSpecification.ResourcePolicy.PolicyDocument", "resource"),
    ),
    "AWS::Events::EventBus": _POLICY,
    "AWS::EventSchemas::RegistryPolicy": _POLICY,
    "AWS::Kinesis::Stream": _FOLDED_RESOURCE_POLICY,
    "AWS::Kinesis::ResourcePolicy": _RESOURCE_POLICY,
    "AWS::ApiGateway::RestApi": _POLICY,
    "AWS::Logs::LogGroup": (("ResourcePolicyDocument", "resource"),),
    "AWS::Logs::ResourcePolicy": _ALONE,
    "AWS::Logs::Destination": (("DestinationPolicy", "resource"),),
    "AWS::CodeArtifact::Domain": (("PermissionsPolicyDocument", "resource"),),
    "AWS::CodeArtifact::Repository": (("PermissionsPolicyDocument", "resource"),),
    "AWS::EC2::VPCEndpoint": (("PolicyDocument", "endpoint"),),
    "AWS::ECR::RegistryPolicy": (("PolicyText", "resource"),),
    "PolicyEngine::Account::Region": (("GlueResourcePolicy", "resource"),),
    "AWS::SES::EmailIdentity": (("Policies.*.Policy", "resource"),),
    "AWS::Glacier::Vault": _POLICY,
    "AWS::IoT::Policy": _SATELLITE,
    "AWS::APS::ResourcePolicy": _ALONE,
    "AWS::Bedrock::ResourcePolicy": _ALONE,
    "AWS::BedrockAgentCore::ResourcePolicy": _POLICY,
    "AWS::CloudTrail::ResourcePolicy": _RESOURCE_POLICY,
    "AWS::Lex::ResourcePolicy": _POLICY,
    "AWS::MSK::ClusterPolicy": _POLICY,
    "AWS::MediaStore::Container": _POLICY,
    "AWS::Oam::Sink": _POLICY,
    "AWS::SSM::ResourcePolicy": _POLICY,
    "AWS::VpcLattice::ResourcePolicy": _POLICY,
    "AWS::XRay::ResourcePolicy": _ALONE,
}

NAMES: Final = ("PolicyName", "ManagedPolicyName", "RoleName", "UserName", "GroupName", "Name")
"""Properties that name a policy, or what it belongs to."""


def spots(resource: Resource) -> Iterator[tuple[Path, Any, Kind]]:
    """Yield (path, value, kind) of each policy of a resource; an Unresolved value where it is not known.

    A list that may go on yields its Unresolved rest too, with the path of the list.
    """
    if resource.type in STATEMENTS:
        yield from STATEMENTS[resource.type](resource)
    for dotted, kind in SPOTS.get(resource.type, ()):
        steps = dotted.split(".")
        start: tuple[Path, Any] = ((), resource.properties)
        if steps[0] == "related":
            start, steps = (("related",), resource.related), steps[1:]
        found = False
        for path, value in _walk(*start, steps):
            forms = _SHORT.get(resource.type)
            yield path, value if forms is None else _spelled_out(value, *forms), kind
            found = True
        if not found and resource.type == "AWS::EC2::VPCEndpoint":
            yield (*steps,), _FULL_ACCESS, kind
        elif not found and resource.type.endswith(_THEMSELVES) and not resource.type.startswith("AWS::IAM::"):
            yield (*steps,), _MISSING, kind


def _spelled_out(value: Any, short: re.Pattern[str], long: str) -> Any:
    """Return a policy with what a service takes for an ARN as the ARN that is meant."""
    if isinstance(value, str):
        return short.sub(long, value)
    if isinstance(value, dict) and not isinstance(value, OpenDict):
        return {key: _spelled_out(item, short, long) for key, item in value.items()}
    if isinstance(value, list):
        items = [_spelled_out(item, short, long) for item in value]
        return OpenList(items, value.more) if isinstance(value, OpenList) else items
    return value


_OF_ALL_REGIONS: Final = (re.compile(r"(?<=:s3:):(?=[0-9*?])"), "*:")
_SHORT: Final = {
    "AWS::ApiGateway::RestApi": (
        re.compile(r'(?:(?<=")|^)execute-api:/'),
        "arn:aws:execute-api:*:*:*/",
    ),
    "AWS::S3::MultiRegionAccessPoint": _OF_ALL_REGIONS,
    "AWS::S3::MultiRegionAccessPointPolicy": _OF_ALL_REGIONS,
}
"""Types whose policies name resources in forms of their own: ``execute-api:/stage/GET/…``
(https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-examples.html),
an access point of no region, whose objects the service authorization reference does not list
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiRegionAccessPointPermissions.html)."""
_THEMSELVES: Final = ("Policy", "AWS::KMS::ReplicaKey")
"""How types end that are nothing but a policy, or never without: one that is not shown was not read."""
_FULL_ACCESS: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
}
"""The policy of an endpoint that is given none:
https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html"""
_MISSING: Final = Unresolved("not_collected", "the document is not given")


def _walk(path: Path, value: Any, steps: list[str]) -> Iterator[tuple[Path, Any]]:
    """Yield what stands at a path; a value of a wrong kind as it is, so that reading it says so."""
    if isinstance(value, Unresolved) or not steps:
        yield path, value
    elif steps[0] == "*" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk((*path, index), item, steps[1:])
        if isinstance(value, OpenList):
            yield path, value.more
    elif steps[0] != "*" and isinstance(value, dict):
        # an element of a list of policies has a document, any other property may be absent
        element = len(steps) == 1 and bool(path) and isinstance(path[-1], int)
        found = value.get(steps[0], _MISSING if element else None)
        if found is not None:
            yield from _walk((*path, steps[0]), found, steps[1:])
    else:
        yield path, value


def _permissions(resource: Resource) -> Iterator[tuple[Path, Any, Kind]]:
    """Yield the policy that AWS makes of a Lambda function's permissions,
    https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html, and of a layer's:
    https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html"""
    for path, value in _walk(("related",), resource.related, ["permissions", "*"]):
        made = value if isinstance(value, Unresolved) else [_permission(value)]
        yield (*path, *_doubtful(value)), {"Version": "2012-10-17", "Statement": made}, "resource"


def _doubtful(value: Any) -> tuple[str, ...]:
    """Return which part of a permission is not known, if one is."""
    found = value if isinstance(value, dict) else {}
    return next(((key,) for key in ("Principal", "Action", *_CONDITIONS) if _is_doubt(found.get(key))), ())


def _is_doubt(value: Any) -> bool:
    return isinstance(value, Unresolved)


def _permission_alone(resource: Resource) -> Iterator[tuple[Path, Any, Kind]]:
    """Yield the policy that a permission is, whose function or layer belongs to another source."""
    made = _permission(resource.properties)
    path = _doubtful(resource.properties) or ("Principal",)
    yield path, {"Version": "2012-10-17", "Statement": [made]}, "resource"


_CONDITIONS: Final = {
    "SourceArn": ("ArnLike", "aws:SourceArn"),
    "SourceAccount": ("StringEquals", "aws:SourceAccount"),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
    "OrganizationId": ("StringEquals", "aws:PrincipalOrgID"),
    "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
    "InvokedViaFunctionUrl": ("Bool", "lambda:InvokedViaFunctionUrl"),
}


def _permission(found: Any) -> dict[str, Any]:
    get = found.get if isinstance(found, dict) else {}.get
    principal = get("Principal")
    if isinstance(principal, str) and principal != "*":
        service = principal.endswith((".amazonaws.com", ".amazonaws.com.cn", ".amazon.com"))
        principal = {"Service" if service else "AWS": principal}
    statement = {"Effect": "Allow", "Action": get("Action"), "Principal": principal}
    condition: dict[str, dict[str, Any]] = {}
    for key, (operator, name) in _CONDITIONS.items():
        value = get(key)
        if value is not None:
            condition.setdefault(operator, {})[name] = value
    return {**statement, "Condition": condition} if condition else statement


def _bus_statements(resource: Resource) -> Iterator[tuple[Path, Any, Kind]]:
    """Yield the statements that are added to an event bus one by one, as policies: whole, or as the parts
    of https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html"""
    for path, value in _walk(("related",), resource.related, ["policies", "*"]):
        statement = value
        if isinstance(value, dict):
            statement = value.get("Statement")
            statement = _bus_permission(value) if statement is None else statement
        yield path, {"Version": "2012-10-17", "Statement": statement}, "resource"


def _bus_alone(resource: Resource) -> Iterator[tuple[Path, Any, Kind]]:
    """Yield the policy that a statement of an event bus of another source is."""
    value = resource.properties
    statement = value.get("Statement")
    made = _bus_permission(value) if statement is None else statement
    yield ("Statement",), {"Version": "2012-10-17", "Statement": made}, "resource"


def _bus_permission(found: dict[str, Any]) -> dict[str, Any]:
    principal, condition = found.get("Principal"), found.get("Condition")
    made: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": principal if principal == "*" else {"AWS": principal},
        "Action": found.get("Action", "events:PutEvents"),
    }
    if isinstance(condition, dict):
        values = [condition.get(key, _MISSING) for key in ("Type", "Key", "Value")]
        texts = all(isinstance(value, str) for value in values[:2])
        made["Condition"] = {values[0]: {values[1]: values[2]}} if texts else _MISSING
    elif condition is not None:
        made["Condition"] = condition
    return made


STATEMENTS: Final[Mapping[str, Callable[[Resource], Iterator[tuple[Path, Any, Kind]]]]] = {
    "AWS::Lambda::Function": _permissions,
    "AWS::Lambda::LayerVersion": _permissions,
    "AWS::Lambda::Permission": _permission_alone,
    "AWS::Lambda::LayerVersionPermission": _permission_alone,
    "AWS::Events::EventBus": _bus_statements,
    "AWS::Events::EventBusPolicy": _bus_alone,
}
"""Types whose policy AWS puts together of statements that are resources of their own."""

RESOURCE_TYPES: Final = frozenset(
    {
        *STATEMENTS,
        *(type_ for type_, places in SPOTS.items() if any(kind != "identity" for _, kind in places)),
    }
)
"""Types that can have a policy of their own, roles among them."""
