"""Resource policies of Systems Manager: of parameters that are shared, and of OpsItems."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from policyengine.aws.failures import CallFailure
from policyengine.model.resource import Resource
from policyengine.sources.live.collectors.resource_policies import listed
from policyengine.sources.live.context import Context
from policyengine.sources.live.declared import Run
from policyengine.sources.live.spec import CodeCollector, Collector, Step

Json = dict[str, Any]
_PARAMETERS: Final = listed("ssm", "DescribeParameters", "Parameters")
_SHAREABLE: Final = [{"Key": "Tier", "Values": ["Advanced", "Intelligent-Tiering"]}]

POLICY: Final = Collector(
    "AWS::SSM::ResourcePolicy",
    "ssm",
    Step("GetResourcePolicies", "Policies", {"ResourceArn": ""}),
    id="{PolicyId}",
    tags="",
    shape=lambda item: {**item, "ResourceArn": item["value"]},
    gives=("ResourceArn",),
)


def _arns(context: Context) -> Iterator[str]:
    """Only parameters of the advanced tier can be shared, and the one group of OpsItems.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutResourcePolicy.html
    """
    base = "arn:{partition}:ssm:{region}:{account}:".format(**context.names)
    yield f"{base}opsitemgroup/default"
    for parameter in _PARAMETERS(context, ParameterFilters=_SHAREABLE, MaxResults=50):
        yield parameter.get("ARN") or f"{base}parameter/{parameter['Name'].removeprefix('/')}"


def _policies(context: Context) -> Iterator[Resource]:
    arns = _arns(context)
    found = context.map(partial(_of, context), arns)
    yield from Run(POLICY, context).of(item for items in found for item in items)


def _of(context: Context, arn: str) -> list[Json]:
    policies = listed("ssm", "GetResourcePolicies", "Policies")
    try:
        return [{**policy, "value": arn} for policy in policies(context, ResourceArn=arn)]
    except CallFailure as failure:
        if not failure.is_one_of(("ResourceNotFoundException",)):
            context.not_whole(POLICY.type, failure)
        return []


COLLECTORS = (
    CodeCollector(
        (POLICY.type,),
        "ssm",
        _policies,
        ("ssm:DescribeParameters", "ssm:GetResourcePolicies"),
        parts=(POLICY,),
    ),
)
