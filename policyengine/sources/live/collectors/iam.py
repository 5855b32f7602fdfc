"""IAM's roles, users, groups and the account's own managed policies: one listing gives all four.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.sources.live.collectors.iam_users import USER
from policyengine.sources.live.context import Context
from policyengine.sources.live.declared import Run
from policyengine.sources.live.last_accessed import last_accessed_step
from policyengine.sources.live.spec import CodeCollector, Collector, Step
from policyengine.sources.shaping import document as json_of

Json = dict[str, Any]
_ROLE: Final = "AWS::IAM::Role"
_USER: Final = "AWS::IAM::User"
_GROUP: Final = "AWS::IAM::Group"
_POLICY: Final = "AWS::IAM::ManagedPolicy"
_LISTING: Final = "GetAccountAuthorizationDetails"
_ENTITIES: Final = {
    _ROLE: ("Roles", "RoleName"),
    _USER: ("Users", "UserName"),
    _GROUP: ("Groups", "GroupName"),
}


def carried(inline: str, item: Json) -> Json:
    """Return the policies of a role, user or group in the registry's form; without any, without the property."""
    boundary = (item.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
    attached = [each["PolicyArn"] for each in item.get("AttachedManagedPolicies") or ()]
    return {
        **{name: value for name, value in item.items() if name != inline},
        "PermissionsBoundary": boundary,
        "Policies": item.get(inline) or None,
        "ManagedPolicyArns": attached or None,
        "Groups": item.get("GroupList") or None,
    }


def _policy(item: Json) -> Json:
    """The document is that of the default version."""
    versions = item.get("PolicyVersionList") or ()
    document = next((v.get("Document") for v in versions if v.get("IsDefaultVersion")), None)
    if isinstance(document, str):
        document = json_of(document)
    if document is None:
        document = Unresolved("read_error", f"iam:{_LISTING} gave no default version")
    name = item["Arn"].rpartition("/")[2]
    return {"PolicyName": name, **item, "PolicyDocument": document, "PolicyVersionList": None}


def _by_name(results: list[Json], _item: Json) -> Json:
    """A role that was made between the two listings is only in one of them."""
    if not results:
        unread = Unresolved("not_collected", "iam:ListRoles gave no such role")
        return dict.fromkeys(("MaxSessionDuration", "Description"), unread)
    return {name: results[0].get(name) for name in ("MaxSessionDuration", "Description")}


_HELD_INLINE: Final = {"AWS::IAM::Policy": "related.policies"}
"""Policies that CloudFormation holds apart are inline ones in an account, in ``Policies``."""
_CARRIED: Final = ("Policies", "ManagedPolicyArns", "PermissionsBoundary")
ROLE = Collector(
    _ROLE,
    "iam",
    Step(_LISTING, "RoleDetailList"),
    id="{RoleName}",
    arn="{Arn}",
    shape=partial(carried, "RolePolicyList"),
    gives=_CARRIED,
    also=_HELD_INLINE,
    details=(
        Step(
            "ListRoles",
            "Roles",
            {"MaxItems": 1000},
            gives=("MaxSessionDuration", "Description"),
            once="{RoleName}",
            key="RoleName",
            shape=_by_name,
        ),
        last_accessed_step(),
    ),
)
GROUP = Collector(
    _GROUP,
    "iam",
    Step(_LISTING, "GroupDetailList"),
    id="{GroupName}",
    arn="{Arn}",
    shape=partial(carried, "GroupPolicyList"),
    gives=("Policies", "ManagedPolicyArns"),
    tags="",
    also=_HELD_INLINE,
)
POLICY = Collector(
    _POLICY,
    "iam",
    Step(_LISTING, "Policies", rename={"PolicyName": "ManagedPolicyName", "Arn": "PolicyArn"}),
    id="{PolicyName}",
    arn="{Arn}",
    shape=_policy,
    gives=("PolicyDocument", "Roles", "Users", "Groups"),
    tags="",
)
_PARTS: Final = {_USER: USER._replace(shape=partial(carried, "UserPolicyList")), _GROUP: GROUP, _ROLE: ROLE}
_FILTERS: Final = {_USER: "User", _GROUP: "Group", _ROLE: "Role", _POLICY: "LocalManagedPolicy"}


def run(context: Context) -> Iterator[Resource]:
    """Yield the roles, users, groups and policies that rules need, in the order AWS lists them.

    Whom a policy is attached to is known when everything was read, so policies come last.
    Raises CallFailure.
    """
    needed = {type for type in _FILTERS if type in context.needs}
    attached = _Attached(context.wants(_POLICY, (name for name, _ in _ENTITIES.values())))
    asked = needed | (_ENTITIES.keys() if attached.wanted else set())
    runs = {type: Run(part, context) for type, part in _PARTS.items() if type in needed}
    policies: list[Json] = []
    arguments = {"Filter": sorted(_FILTERS[type] for type in asked), "MaxItems": 1000}
    for page in context.pages("iam", _LISTING, arguments):
        for type, part in _PARTS.items():
            items = page.get(part.list.result) or []
            attached.take(type, items)
            if type in runs:
                yield from runs[type].of(iter(items))
        if _POLICY in needed:
            policies += (_policy(item) for item in page.get("Policies") or ())
    last = Run(POLICY._replace(shape=attached.put), context)
    yield from last.of(iter(policies))


class _Attached:
    """Policy ARN -> whom it is attached to. ``wanted``: somebody reads that."""

    def __init__(self, wanted: bool) -> None:
        self.wanted = wanted
        self._names: dict[str, dict[str, list[str]]] = {}

    def take(self, type: str, items: list[Json]) -> None:
        property, name = _ENTITIES[type]
        for item in items if self.wanted else ():
            for policy in item.get("AttachedManagedPolicies") or ():
                held = self._names.setdefault(policy["PolicyArn"], {})
                held.setdefault(property, []).append(item[name])

    def put(self, item: Json) -> Json:
        """Return the policy with the names of its roles, users and groups."""
        if not self.wanted:
            unread = Unresolved("not_collected", f"iam:{_LISTING} was not asked for roles, users and groups")
            return {**item, **dict.fromkeys((name for name, _ in _ENTITIES.values()), unread)}
        return {**item, **self._names.get(item["Arn"], {})}


COLLECTORS = (
    CodeCollector(
        (_ROLE, _USER, _GROUP, _POLICY),
        "iam",
        run,
        (f"iam:{_LISTING}",),
        place="global",
        parts=(ROLE, _PARTS[_USER], GROUP, POLICY),
        also={
            "AWS::IAM::Policy": "Policies",
            "AWS::IAM::RolePolicy": "Policies",
            "AWS::IAM::UserPolicy": "Policies",
            "AWS::IAM::GroupPolicy": "Policies",
            "AWS::IAM::AccessKey": "related.access_keys",
            "AWS::IAM::UserToGroupAddition": "Groups",
        },
    ),
)
