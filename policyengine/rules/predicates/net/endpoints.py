"""``net.has_endpoints``: the VPC endpoints a VPC should have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject
from policyengine.rules.predicates.net.group_entries import names
from policyengine.rules.predicates.net.layers import (
    listed,
)
from policyengine.rules.predicates.net.named import VPC

ENDPOINT: Final = "AWS::EC2::VPCEndpoint"
_USABLE: Final = frozenset({"available", "pending", "pendingacceptance"})


def _has_endpoints(subject: Subject, services: Sequence[str]) -> Answer:
    vpc = subject.resource
    endpoints, missing = listed(subject, ENDPOINT)
    mine: list[str] = []
    unread: list[Unresolved] = []
    for endpoint in endpoints:
        doubt = _belongs(endpoint, vpc)
        state = endpoint.properties.get("State", "available")
        if doubt is False or (isinstance(state, str) and state.lower() not in _USABLE):
            continue
        name = endpoint.properties.get("ServiceName", ABSENT)
        if doubt is not True:
            unread.append(doubt)
        elif isinstance(state, Unresolved):
            unread.append(state)
        elif isinstance(name, str):
            mine.append(name)
        elif isinstance(name, Unresolved):
            unread.append(name)
    lacking = [wanted for wanted in services if not any(is_service(name, wanted) for name in mine)]
    shown = ", ".join(mine) or "no endpoint"
    if not lacking:
        return Answer(TRUE, (Evidence((), shown, _expected(services), "requirement_met"),))
    if missing is not None:
        unread.append(Unresolved(missing.reason if missing.reason != "wrong_type" else "unsupported"))
    if not unread:
        return Answer(FALSE, (Evidence((), shown, _expected(lacking), "none_satisfies"),))
    return Answer(UNKNOWN, tuple(Evidence((), u, _expected(lacking), u.reason) for u in unread))


def _belongs(endpoint: Resource, vpc: Resource) -> bool | Unresolved:
    value = endpoint.properties.get("VpcId", ABSENT)
    if names(value, vpc):
        return True
    return value if isinstance(value, Unresolved) and value.target is None else False


def is_service(name: str, wanted: str) -> bool:
    """Whether a service name (``com.amazonaws.eu-west-1.ecr.api``) is of a service (``ecr.api``).

    The names are ``com.amazonaws.REGION.SERVICE``, in China ``cn.com.amazonaws.REGION.SERVICE``:
    https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
    """
    rest = name.removeprefix("cn.").removeprefix("com.amazonaws.")
    return rest != name and rest.partition(".")[2] == wanted


def _expected(services: Sequence[str]) -> str:
    plural = "s" if len(services) > 1 else ""
    return f"{'' if plural else 'a '}VPC endpoint{plural} for {', '.join(services)}"


def _problem(arguments: Mapping[str, Any]) -> str | None:
    services = arguments.get("services")
    if isinstance(services, list | tuple):
        if not services:
            return "`services` names no service"
        long = next((s for s in services if str(s).startswith(("com.amazonaws", "cn.com"))), None)
        if long is not None:
            return f"`{long}`: write only what stands behind the region, such as `s3` or `ecr.api`"
    return None


PREDICATE: Final = Predicate(
    "net.has_endpoints",
    _has_endpoints,
    "The VPC has an endpoint for each of the services.",
    {"services": Arg("list:string", help="names behind the region: `s3`, `dynamodb`, `ecr.api`, `ssm`")},
    (VPC,),
    (ENDPOINT,),
    _problem,
)
