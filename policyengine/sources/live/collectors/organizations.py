"""The organisation: its tree, its accounts and its policies, asked once, by an account that may see them all.

Only the management account and delegated administrators may:
https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListPolicies.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from policyengine.aws.failures import CallFailure
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.sources.live.collectors.account import organization
from policyengine.sources.live.context import Context
from policyengine.sources.live.declared import Run
from policyengine.sources.live.spec import CodeCollector, Collector, Step

Json = dict[str, Any]
_SERVICE: Final = "organizations"
_ORGANIZATION: Final = "AWS::Organizations::Organization"
_UNIT: Final = "AWS::Organizations::OrganizationalUnit"
_ACCOUNT: Final = "AWS::Organizations::Account"
_POLICY: Final = "AWS::Organizations::Policy"
_NO_ORGANIZATION: Final = ("AWSOrganizationsNotInUseException",)
_NO_FEATURES: Final = ("ServiceAccessNotEnabled", "ServiceAccessNotEnabledException",
                       "OrganizationNotInAllFeaturesMode", "OrganizationNotInAllFeaturesModeException")  # fmt: skip
"""IAM has no trusted access, so none of its features is on:
https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOrganizationsFeatures.html"""


def _roots(context: Context) -> list[Json]:
    """Return the roots, asked for once: there is one. Raises CallFailure."""

    def ask() -> list[Json]:
        return [root for page in context.pages(_SERVICE, "ListRoots") for root in page.get("Roots") or ()]

    return context.shared.once((_SERVICE, "ListRoots"), ask)


def _root_facts(context: Context, _item: Json) -> Json:
    """A type that is not listed is not enabled:
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_PolicyTypeSummary.html
    """
    (root, *_) = _roots(context) or [{}]
    if "Id" not in root:
        missing = Unresolved("read_error", "organizations:ListRoots gave no root")
        return {"RootId": missing, "PolicyTypes": missing}
    return {"RootId": root["Id"], "PolicyTypes": root.get("PolicyTypes") or []}


def _features(context: Context, _item: Json) -> Json:
    try:
        answer = context.call("iam", "ListOrganizationsFeatures")
    except CallFailure as failure:
        if not failure.is_one_of(_NO_FEATURES):
            raise
        return {"EnabledFeatures": []}
    return {"EnabledFeatures": answer.get("EnabledFeatures") or []}


def _delegated(context: Context, _item: Json) -> Json:
    pages = context.pages(_SERVICE, "ListDelegatedAdministrators")
    ids = [each["Id"] for page in pages for each in page.get("DelegatedAdministrators") or ()]
    return {
        "DelegatedAdministrators": [{"Id": id_, "DelegatedServices": _services(context, id_)} for id_ in ids]
    }


def _services(context: Context, account: str) -> Any:
    pages = context.pages(_SERVICE, "ListDelegatedServicesForAccount", {"AccountId": account})
    try:
        return [
            {"ServicePrincipal": each["ServicePrincipal"]}
            for page in pages
            for each in page.get("DelegatedServices") or ()
        ]
    except CallFailure as failure:
        context.fail(failure)
        return Unresolved(failure.reason, failure.detail)


def _tags(context: Context, item: Json) -> Json:
    """AWS's own policies have no tags, and cannot be asked for them."""
    if item.get("AwsManaged"):
        return {"Tags": []}
    pages = context.pages(_SERVICE, "ListTagsForResource", {"ResourceId": item["Id"]})
    return {"Tags": [tag for page in pages for tag in page.get("Tags") or ()]}


_TAGS: Final = Step(
    "ListTagsForResource", "Tags", gives=("tags",), ask=_tags, gone=("TargetNotFoundException",)
)
ORGANIZATION = Collector(
    _ORGANIZATION,
    _SERVICE,
    Step(
        "DescribeOrganization",
        "Organization",
        rename={
            "MasterAccountId": "ManagementAccountId",
            "MasterAccountArn": "ManagementAccountArn",
            "MasterAccountEmail": "ManagementAccountEmail",
        },
    ),
    id="{Id}",
    arn="{Arn}",
    tags="",
    details=(
        Step("ListRoots", gives=("RootId", "PolicyTypes"), ask=_root_facts),
        Step("ListOrganizationsFeatures", gives=("EnabledFeatures",), service="iam", ask=_features),
        Step(
            "ListDelegatedAdministrators",
            gives=("DelegatedAdministrators",),
            ask=_delegated,
            calls=("organizations:ListDelegatedServicesForAccount",),
        ),
    ),
)
UNIT = Collector(
    _UNIT,
    _SERVICE,
    Step("ListOrganizationalUnitsForParent", "OrganizationalUnits", {"ParentId": ""}),
    id="{Id}",
    arn="{Arn}",
    gives=("ParentId",),
    tags="",
    details=(_TAGS,),
)
ACCOUNT = Collector(
    _ACCOUNT,
    _SERVICE,
    Step(
        "ListAccountsForParent",
        "Accounts",
        {"ParentId": ""},
        rename={"Id": "AccountId", "Name": "AccountName"},
    ),
    id="{Id}",
    arn="{Arn}",
    gives=("ParentIds",),
    tags="",
    details=(_TAGS,),
)
POLICY = Collector(
    _POLICY,
    _SERVICE,
    Step("ListPolicies", "Policies", {"Filter": ""}),
    id="{Id}",
    arn="{Arn}",
    tags="",
    details=(
        Step(
            "DescribePolicy",
            "Policy.Content",
            {"PolicyId": "{Id}"},
            into="Content",
            gone=("PolicyNotFoundException",),
        ),
        Step(
            "ListTargetsForPolicy",
            "Targets",
            {"PolicyId": "{Id}"},
            into="TargetIds",
            gone=("PolicyNotFoundException",),
            paged=True,
            shape=lambda targets, _item: [target["TargetId"] for target in targets],
        ),
        _TAGS,
    ),
)
_PARTS: Final = (ORGANIZATION, UNIT, ACCOUNT, POLICY)


def run(context: Context) -> Iterator[Resource]:
    """Yield what the organisation is made of; nothing where there is none.

    Who may not see the tree learns of the organisation alone. Raises CallFailure.
    """
    try:
        found = organization(context)
    except CallFailure as failure:
        if failure.is_one_of(_NO_ORGANIZATION):
            return
        raise
    if _ORGANIZATION in context.needs:
        yield from Run(ORGANIZATION, context).of(iter([found]))
    below = [type for type in (_UNIT, _ACCOUNT, _POLICY) if type in context.needs]
    if not below:
        return
    try:
        roots = _roots(context)
    except CallFailure as failure:
        for type in below:
            context.not_whole(type, failure)
        return
    if _UNIT in below or _ACCOUNT in below:
        yield from _tree(context, roots)
    if _POLICY in below:
        yield from Run(POLICY, context).of(_policies(context, roots))


def _tree(context: Context, roots: Iterable[Json]) -> Iterator[Resource]:
    """Level by level, what is below each root and unit: two listings for each."""
    units, accounts = Run(UNIT, context), Run(ACCOUNT, context)
    level = [root["Id"] for root in roots]
    while level:
        below: list[str] = []
        for parent, found, members in context.map(lambda parent: _children(context, parent), level):
            below += (unit["Id"] for unit in found)
            if _UNIT in context.needs:
                yield from units.of({**unit, "ParentId": parent} for unit in found)
            yield from accounts.of({**member, "ParentIds": [parent]} for member in members)
        level = below


def _children(context: Context, parent: str) -> tuple[str, list[Json], list[Json]]:
    units = _listed(context, UNIT, (_UNIT, _ACCOUNT), parent)
    accounts = _listed(context, ACCOUNT, (_ACCOUNT,), parent) if _ACCOUNT in context.needs else []
    return parent, units, accounts


def _listed(context: Context, part: Collector, types: tuple[str, ...], parent: str) -> list[Json]:
    """Units that are not known hide the accounts in them too."""
    step = part.list
    try:
        pages = context.pages(_SERVICE, step.operation, {"ParentId": parent})
        return [item for page in pages for item in page.get(step.result) or ()]
    except CallFailure as failure:
        if not failure.is_one_of(("ParentNotFoundException",)):
            for type in types:
                if type in context.needs:
                    context.not_whole(type, failure)
        return []


def _policies(context: Context, roots: Iterable[Json]) -> Iterator[Json]:
    """Policies of a type that is not enabled are attached to nothing, so only enabled types are listed."""
    enabled = sorted({type["Type"] for root in roots for type in root.get("PolicyTypes") or ()})
    for type in enabled:
        try:
            for page in context.pages(_SERVICE, "ListPolicies", {"Filter": type}):
                yield from page.get("Policies") or ()
        except CallFailure as failure:
            context.not_whole(_POLICY, failure)


COLLECTORS = (
    CodeCollector(
        tuple(part.type for part in _PARTS),
        _SERVICE,
        run,
        ("organizations:ListRoots",),
        place="organization",
        parts=_PARTS,
    ),
)
