"""``sharing.endpoint_open``: does a VPC endpoint let anybody's credentials reach anybody's resources?

Whoever takes data out of a network brings credentials of an account of their own and writes to a bucket of
their own; a policy that holds the endpoint to known principals or to known resources stops that:
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_data-perimeters.html.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from policyengine.iam.catalogue import catalogue
from policyengine.iam.cells import ANYTHING, exact, joined
from policyengine.iam.domains import Callers
from policyengine.iam.reason import Answer as Reasoned
from policyengine.iam.reason import No, Yes, grants
from policyengine.iam.request_set import RequestSet, Values
from policyengine.model.resource import Path
from policyengine.model.values import Unresolved
from policyengine.rules.iam.held import Held, held, remembered
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import allowed, undecided, unwanted
from policyengine.rules.predicates.iam.circumstances import nowhere
from policyengine.rules.predicates.iam.outside import strangers

_SOMEBODYS: Final = "com.amazonaws.vpce."
"""Services that AWS does not run; endpoints to them take no policy."""
_EXPECTED: Final = "way for unknown principals to unknown resources"
_BUCKET: Final = "arn:aws:s3:::a-bucket-of-somebody-else-7c1f"
_OF_RESOURCE: Final = ("aws:resourceorgid", "aws:resourceorgpaths")
_NETWORK: Final = frozenset(
    {
        "aws:sourcevpc", "aws:sourcevpce", "aws:sourceip", "aws:sourcevpcarn", "aws:vpcsourceip",
        "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths",
    }
)  # fmt: skip
"""Keys that are the same for everybody who comes through the endpoint."""


def endpoint_open(subject: Subject) -> Answer:
    """TRUE when the endpoint lets anybody reach anybody's resources, with such a request."""
    found = held(subject)
    service = subject.resource.properties.get("ServiceName")
    if isinstance(service, str) and service.startswith(_SOMEBODYS):
        return allowed(found, No(), _EXPECTED)
    actions = _actions(service)
    question = ("endpoint_open", found.account, actions)
    answer = remembered(question, found.policies, lambda: _asked(found, actions))
    if isinstance(answer, Yes) and isinstance(service, Unresolved) and not _is_of_aws(service):
        doubt: tuple[Path, Unresolved] = (("ServiceName",), service)
        return undecided(replace(found, doubts=(doubt,)), (), unwanted(_EXPECTED))
    return allowed(found, answer, _EXPECTED, strangers(found))


def _actions(service: Any) -> tuple[str, ...]:
    """Return the actions that come through an endpoint: those of its service, where its name tells which."""
    name = service if isinstance(service, str) else (getattr(service, "parts", None) or ("",))[-1]
    region, _, last = name.removeprefix("com.amazonaws.").partition(".")
    prefix = last.partition(".")[0]
    known = bool(region or isinstance(service, Unresolved)) and catalogue().service_mask(prefix)
    return (f"{prefix}:*",) if known else ("*",)


def _is_of_aws(service: Unresolved) -> bool:
    """Whether the name of a service whose region is not known is one of AWS's: somebody's own have a name
    of their own after it."""
    parts = service.parts or ("",)
    return parts[0] == "com.amazonaws." and len(parts) == 2 and "vpce-svc" not in parts[1]


def _asked(found: Held, actions: tuple[str, ...]) -> Reasoned:
    stranger = strangers(found)[0]
    context = {key: values for key, values in nowhere(found.policies).items() if key not in _NETWORK}
    context["aws:resourceaccount"] = Values((stranger,))
    for key in _OF_RESOURCE:
        named = _values(found, key)
        if named:
            context[key] = Values(named, True, True)
    callers = Callers(
        (joined(exact(f"arn:aws:iam::{stranger}:role/"), ANYTHING),),
        likely=(f"arn:aws:iam::{stranger}:role/example",),
    )
    resources = (_BUCKET, f"{_BUCKET}/*", f"arn:aws:*:*:{stranger}:*")
    requests = RequestSet(resources=resources, context=context)
    if actions == ("s3:*",):
        answer = grants(found.policies, replace(requests, actions=("s3:PutObject",)), callers)
        if isinstance(answer, Yes):  # what a reader is most afraid of
            return answer
    return grants(found.policies, replace(requests, actions=actions), callers)


def _values(found: Held, key: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            value
            for policy in found.policies
            for statement in policy.statements
            for condition in statement.conditions
            if condition.key.lower() == key
            for value in condition.values
            if "${" not in value
        )
    )
