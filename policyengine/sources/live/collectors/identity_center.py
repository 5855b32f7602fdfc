"""IAM Identity Center: instances, permission sets and who has them where.

An instance of the organisation is seen by member accounts too; its permission sets are shown to the management
account and the delegated administrator alone:
https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ListInstances.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from policyengine.aws.failures import CallFailure
from policyengine.model.resource import Resource
from policyengine.sources.live.context import Context
from policyengine.sources.live.declared import Run
from policyengine.sources.live.spec import CodeCollector, Collector, Step

Json = dict[str, Any]
_SERVICE: Final = "sso-admin"
_INSTANCE: Final = "AWS::SSO::Instance"
_SET: Final = "AWS::SSO::PermissionSet"
_ASSIGNMENT: Final = "AWS::SSO::Assignment"
_OF_SET: Final = {"InstanceArn": "{InstanceArn}", "PermissionSetArn": "{PermissionSetArn}"}
_GONE: Final = ("ResourceNotFoundException",)


def _primary(item: Json, names: Mapping[str, str]) -> bool:
    """An instance may be replicated to further regions; it belongs to one."""
    return bool(item.get("PrimaryRegion", names["region"]) == names["region"])


def _own(item: Json, names: Mapping[str, str]) -> bool:
    return _primary(item, names) and item.get("OwnerAccountId", names["account"]) == names["account"]


def _detail(operation: str, result: str, into: str, **more: Any) -> Step:
    return Step(operation, result, _OF_SET, into=into, gone=_GONE, **more)


INSTANCE = Collector(
    _INSTANCE,
    _SERVICE,
    Step("ListInstances", "Instances"),
    id="{InstanceArn}",
    arn="{InstanceArn}",
    keep=_own,
    tags="",
    details=(
        Step(
            "ListTagsForResource",
            "Tags",
            {"InstanceArn": "{InstanceArn}", "ResourceArn": "{InstanceArn}"},
            gives=("tags",),
            gone=_GONE,
            paged=True,
        ),
    ),
)
SET = Collector(
    _SET,
    _SERVICE,
    Step("ListPermissionSets", "PermissionSets", {"InstanceArn": ""}),
    id="{PermissionSetArn}",
    arn="{PermissionSetArn}",
    describe=Step(
        "DescribePermissionSet", "PermissionSet", _OF_SET, gone=_GONE, rename={"RelayState": "RelayStateType"}
    ),
    gives=("PermissionSetArn", "InstanceArn"),
    tags="",
    details=(
        _detail(
            "GetInlinePolicyForPermissionSet",
            "InlinePolicy",
            "InlinePolicy",
            shape=lambda text, _item: text or None,
        ),
        _detail(
            "ListManagedPoliciesInPermissionSet",
            "AttachedManagedPolicies",
            "ManagedPolicies",
            paged=True,
            shape=lambda found, _item: [policy["Arn"] for policy in found],
        ),
        _detail(
            "ListCustomerManagedPolicyReferencesInPermissionSet",
            "CustomerManagedPolicyReferences",
            "CustomerManagedPolicyReferences",
            paged=True,
        ),
        # a permission set without a boundary is told from one that has gone by its description, asked before
        Step(
            "GetPermissionsBoundaryForPermissionSet",
            "PermissionsBoundary",
            _OF_SET,
            into="PermissionsBoundary",
            none=_GONE,
        ),
        Step(
            "ListTagsForResource",
            "Tags",
            {"InstanceArn": "{InstanceArn}", "ResourceArn": "{PermissionSetArn}"},
            gives=("tags",),
            gone=_GONE,
            paged=True,
        ),
    ),
)
ASSIGNMENT = Collector(
    _ASSIGNMENT,
    _SERVICE,
    Step(
        "ListAccountAssignments",
        "AccountAssignments",
        {"InstanceArn": "", "AccountId": "", "PermissionSetArn": ""},
        rename={"AccountId": "TargetId"},
    ),
    id="{InstanceArn}|{AccountId}|AWS_ACCOUNT|{PermissionSetArn}|{PrincipalType}|{PrincipalId}",
    gives=("InstanceArn", "TargetType"),
    tags="",
)


def run(context: Context) -> Iterator[Resource]:
    """Yield instances, permission sets and assignments. Raises CallFailure when no instance can be listed."""
    instances = [item for page in context.pages(_SERVICE, "ListInstances") for item in page["Instances"]]
    if _INSTANCE in context.needs:
        yield from Run(INSTANCE, context).of(iter(instances))
    if _SET not in context.needs and _ASSIGNMENT not in context.needs:
        return
    for instance in instances:
        if _primary(instance, context.names):
            yield from _of_instance(context, instance)


def _of_instance(context: Context, instance: Json) -> Iterator[Resource]:
    try:
        sets = list(
            _items(context, "ListPermissionSets", "PermissionSets", InstanceArn=instance["InstanceArn"])
        )
    except CallFailure as failure:
        shared = instance.get("OwnerAccountId") not in (None, context.account.id)
        if not shared or failure.reason != "access_denied":
            _not_whole(context, failure)
        return
    named = [{"InstanceArn": instance["InstanceArn"], "PermissionSetArn": arn} for arn in sets]
    if _SET in context.needs:
        yield from Run(SET, context).of(iter(named))
    if _ASSIGNMENT in context.needs:
        lists = context.map(lambda each: _assignments(context, each), named)
        yield from Run(ASSIGNMENT, context).of(each for found in lists for each in found)


def _assignments(context: Context, named: Json) -> list[Json]:
    """A permission set is assigned in the accounts it is provisioned to."""
    fixed = {"InstanceArn": named["InstanceArn"], "TargetType": "AWS_ACCOUNT"}
    found: list[Json] = []
    try:
        accounts = _items(context, "ListAccountsForProvisionedPermissionSet", "AccountIds", **named)
        for account in accounts:
            listed = _items(
                context, "ListAccountAssignments", "AccountAssignments", AccountId=account, **named
            )
            found += ({**each, **fixed} for each in listed)
    except CallFailure as failure:
        if not failure.is_one_of(_GONE):
            context.not_whole(_ASSIGNMENT, failure)
    return found


def _items(context: Context, operation: str, result: str, **arguments: str) -> Iterable[Any]:
    for page in context.pages(_SERVICE, operation, arguments):
        yield from page.get(result) or ()


def _not_whole(context: Context, failure: CallFailure) -> None:
    for type in (_SET, _ASSIGNMENT):
        if type in context.needs:
            context.not_whole(type, failure)


COLLECTORS = (
    CodeCollector(
        (_INSTANCE, _SET, _ASSIGNMENT),
        _SERVICE,
        run,
        ("sso-admin:ListAccountsForProvisionedPermissionSet",),
        parts=(INSTANCE, SET, ASSIGNMENT),
    ),
)
