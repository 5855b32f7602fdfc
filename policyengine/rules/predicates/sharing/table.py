"""The predicates about who a resource is shared with: what each is called and asked with. See ``iam``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from policyengine.model.resource import Path
from policyengine.rules.iam.tables import RESOURCE_TYPES
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject

_ORGANIZATION: Final = ("AWS::Organizations::Account", "AWS::Organizations::Organization")
_OWNERS: Final = tuple(sorted(RESOURCE_TYPES))


def inside(
    subject: Subject, *, principals: Path, trusted_accounts: Sequence[str], organization: bool
) -> Answer:
    """TRUE when every account and principal that is named is one's own, a member or trusted."""
    from policyengine.rules.predicates.sharing import names as sharing_names

    return sharing_names.inside(
        subject, principals=principals, trusted_accounts=trusted_accounts, organization=organization
    )


def service_for_anybody(
    subject: Subject, *, policy: Path | None, requests: Any, except_services: Sequence[str]
) -> Answer:
    """TRUE when the policy lets an AWS service in that may act for somebody else's account."""
    from policyengine.rules.predicates.sharing import services as sharing_services

    return sharing_services.service_for_anybody(
        subject, policy=policy, requests=requests, except_services=except_services
    )


def one_may_both(subject: Subject, *, policy: Path | None, one: Any, other: Any) -> Answer:
    """TRUE when one user or role that the policy names may do something of each of two sets."""
    from policyengine.rules.predicates.sharing import duties as sharing_duties

    return sharing_duties.one_may_both(subject, policy=policy, one=one, other=other)


def endpoint_open(subject: Subject) -> Answer:
    """TRUE when the endpoint lets anybody reach anybody's resources."""
    from policyengine.rules.predicates.sharing import endpoint as sharing_endpoint

    return sharing_endpoint.endpoint_open(subject)


def device_acts_for_others(subject: Subject) -> Answer:
    """TRUE when an IoT policy lets its device act for another one."""
    from policyengine.rules.predicates.sharing import devices as sharing_devices

    return sharing_devices.device_acts_for_others(subject)


def _requests_problem(arguments: Mapping[str, Any]) -> str | None:
    from policyengine.rules.predicates.iam import asking as iam_asking

    for name in ("requests", "one", "other"):
        if arguments.get(name) is not None:
            problem = iam_asking.argument_problem({"requests": arguments[name]})
            if problem is not None:
                return problem
    return None


_POLICY: Final = Arg("path", False, None, "the one document that is asked about")

PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "sharing.inside",
        inside,
        "Every account and principal that is named is of the own account, the organisation, or trusted.",
        {
            "principals": Arg("path", help="account ids, ARNs or ids of organisations: one, or a list"),
            "trusted_accounts": Arg(
                "list:string", False, (), "accounts and organisations that count as inside"
            ),
            "organization": Arg(
                "boolean", False, True, "whether the accounts of the organisation are inside"
            ),
        },
        wide=_ORGANIZATION,
    ),
    Predicate(
        "sharing.service_for_anybody",
        service_for_anybody,
        "The policy lets an AWS service in that may act for somebody else's account.",
        {
            "policy": _POLICY,
            "requests": Arg("json", False, None, "only access of this set of requests"),
            "except_services": Arg("list:string", False, (), "service principals that are not asked about"),
        },
        _OWNERS,
        problem=_requests_problem,
    ),
    Predicate(
        "sharing.one_may_both",
        one_may_both,
        "One user or role that the policy names may do something of each of two sets of requests.",
        {
            "one": Arg("json", help="a set of requests"),
            "other": Arg("json", help="another set of requests"),
            "policy": _POLICY,
        },
        _OWNERS,
        problem=_requests_problem,
    ),
    Predicate(
        "sharing.endpoint_open",
        endpoint_open,
        "The policy of the VPC endpoint lets anybody reach anybody's resources.",
        {},
        ("AWS::EC2::VPCEndpoint",),
    ),
    Predicate(
        "sharing.device_acts_for_others",
        device_acts_for_others,
        "The IoT policy lets its device act for another one.",
        {},
        ("AWS::IoT::Policy",),
    ),
)
