"""What each dimension of a request ranges over: the texts AWS could put there.

A key that is always part of a request is never absent here, a Boolean is true or false, a resource is
one that an action takes. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
says which keys are always there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from policyengine.iam.account_ids import account_of, is_account
from policyengine.iam.atoms import PRINCIPAL_KEYS, in_principal
from policyengine.iam.cells import (
    ACCOUNT,
    ANYTHING,
    PART,
    PART_RUN,
    SEGMENT,
    Pattern,
    Token,
    arn_glob,
    exact,
    glob,
    joined,
    matches,
)
from policyengine.iam.dimensions import Domain, boolean_texts
from policyengine.iam.glob import compile_glob, has_wildcard
from policyengine.iam.global_keys import global_key
from policyengine.iam.opaque import Opaque
from policyengine.iam.request_set import RequestSet, Values, resource_pattern

REGIONS: Final = ("us-east-1", "eu-west-1", "ap-southeast-2", "us-west-2", "eu-central-1", "sa-east-1")
"""Regions a reader knows; a witness names one of them where it can."""

_ACCOUNT_KEYS: Final = frozenset({"aws:resourceaccount", "aws:sourceaccount", "aws:sourceowner"})
_WITHOUT_COLONS: Final = frozenset({"iam", "sts"})
"""Services whose names and paths have no colon:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
_ID: Final = Pattern((Token(frozenset("/"), True, False), Token(frozenset("/"), True, True)))
"""Ids of models and profiles have colons and no slash."""
_CODE: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_REGION: Final = Pattern((Token(_CODE, False, False), Token(_CODE, False, True)))
"""Codes of regions, ``unspecified`` among them, are lower case:
https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html"""
_SERVICE_LINKED: Final = "role/aws-service-role/"
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z0-9_-]*)\}")
_KEY_ARNS: Final = {
    "bedrock:inferenceprofilearn": ("inference-profile/{}", "application-inference-profile/{}"),
    "bedrock:guardrailidentifier": ("guardrail/{}", "guardrail/{}:{}"),
}
"""Keys with one value, an ARN of Bedrock of these kinds:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html
https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions-id.html"""
_MODEL: Final = "anthropic.claude-sonnet-4-5-20250929-v1:0"
_KEY_EXAMPLES: Final = {
    "bedrock:inferenceprofilearn": (
        *(
            f"us-east-1:{{}}:inference-profile/{geography}.{_MODEL}"
            for geography in ("us", "eu", "global", "apac")
        ),
        "us-east-1:{}:application-inference-profile/abcdefghijkl",
    ),
    "bedrock:guardrailidentifier": ("us-east-1:{}:guardrail/abcdefghijkl:1",),
}


@dataclass(frozen=True)
class Callers:
    """Who may ask: ARNs that match a pattern, and single names (services, sessions, `*`)."""

    patterns: tuple[Pattern, ...]
    names: tuple[str, ...] = ()
    service_linked: bool = False
    likely: tuple[str, ...] = ()
    """Those a reader would rather see in a witness, where it makes no difference."""
    account: str | None = None
    """Whose they all are."""


@lru_cache(maxsize=4096)
def account_callers(account: str, partition: str = "aws") -> Callers:
    """Return every user and role of an account and its root user; service-linked roles are AWS's own."""
    head = f"arn:{partition}:iam::{account}:"
    likely = (head + "role/example", head + "user/example")
    return Callers(_principals(partition, exact(account)), likely=likely, account=account)


def entity_callers(account: str, partition: str = "aws") -> Callers:
    """Return every user and role of an account: whoever an identity policy may be attached to."""
    everybody = account_callers(account, partition)
    return Callers(everybody.patterns[:-1], likely=everybody.likely, account=account)


@lru_cache(maxsize=4096)
def any_entity(partition: str = "aws") -> Callers:
    """Return every user and role of any account: whoever a document may be attached to."""
    likely = entity_callers("111122223333", partition).likely
    return Callers(_principals(partition, ACCOUNT)[:-1], likely=likely)


@lru_cache(maxsize=4096)
def one_caller(principal: str) -> Callers:
    """Return the one principal that asks."""
    account = account_of(principal) or None
    if principal.startswith("arn:") and ":iam:" in principal:
        return Callers((exact(principal),), (), True, account=account)
    return Callers((), (principal,), True, account=account)


def any_caller(partition: str = "aws", names: Sequence[str] = ()) -> Callers:
    """Return everybody: the principals of any account, nobody in particular (`*`), and those named."""
    return Callers(_principals(partition, ACCOUNT), ("*", *names))


@lru_cache(maxsize=4096)
def _principals(partition: str, account: Pattern) -> tuple[Pattern, ...]:
    """Return the patterns of roles and users without and with a path, and of root users, which come last.

    A path may hold anything, a name has neither colon nor slash:
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
    """
    head = joined(exact(f"arn:{partition}:iam::"), account)
    named = [joined(head, exact(kind), SEGMENT) for kind in (":role/", ":user/")]
    below = [joined(head, exact(kind), ANYTHING, exact("/"), SEGMENT) for kind in (":role/", ":user/")]
    return (*named, *below, joined(head, exact(":root")))


def caller_domain(
    callers: Callers, requests: RequestSet, values_of: Callable[[str, str], tuple[str, ...] | Opaque | None]
) -> Domain:
    """Return the domain of the principal; ``values_of`` gives what a key that follows from who asks has."""
    asked = [(key, requests.context[key]) for key in PRINCIPAL_KEYS if key in requests.context]
    wanted = [compile_glob(p) for p in requests.principals]
    named = any(_SERVICE_LINKED in p for p in requests.principals)
    free = requests.principals == ("*",)
    exempt = tuple(arn_glob(p) for p in requests.exempt)

    def admits(value: str) -> bool:
        if _SERVICE_LINKED in value and not (named or callers.service_linked):
            return False
        if not (free or any(w(value) for w in wanted)):
            return False
        if any(matches(p, value) for p in exempt):
            return False
        return all(values.hold(values_of(value, key)) for key, values in asked)

    patterns = exempt if free else (*exempt, *(glob(p) for p in requests.principals))
    patterns += tuple(q for key, values in asked for p in values.patterns for q in in_principal(key, glob(p)))
    linked = () if callers.service_linked else (glob(f"arn:*:iam::*:{_SERVICE_LINKED}*"),)
    literal = () if free else tuple(p for p in requests.principals if not has_wildcard(p))
    extra = (*callers.names, *(p for p in literal if "*" in callers.names))
    nice = ("*",) if "*" in callers.names else callers.likely
    return Domain(callers.patterns, nice=nice, extra=extra, admits=admits, patterns=(*patterns, *linked))


def resource_domain(
    universe: tuple[Pattern, ...],
    starred: bool,
    requests: RequestSet,
    free_text: bool = False,
    account: str | None = None,
) -> Domain:
    """Return the domain of the resource; ``starred``: an action may be about no resource at all (`*`).

    ``account``: whose resources a reader would rather see.
    """
    extra: tuple[str, ...] = ("*",) if starred else ()
    if free_text:
        extra = tuple(r for r in requests.resources if not has_wildcard(r))
    if requests.resources == ("*",) and not requests.excluded:
        return Domain(universe, extra=extra, account=account)
    wanted = tuple(resource_pattern(p) for p in requests.resources)
    unwanted = tuple(resource_pattern(p) for p in requests.excluded)
    patterns = (*wanted, *unwanted)
    return Domain(
        universe,
        extra=extra,
        admits=lambda v: any(matches(w, v) for w in wanted) and not any(matches(u, v) for u in unwanted),
        patterns=patterns,
        account=account,
        wanted=wanted,
    )


def key_domain(key: str, wanted: Values | None, callers: Callers) -> Domain:
    """Return the domain of a condition key; ``wanted``: the values a question is about."""
    known = global_key(key)
    several = known.multivalued if known is not None else key not in _KEY_ARNS
    kind = "string" if known is None else known.kind
    boolean = kind == "bool"
    nice = REGIONS if key == "aws:requestedregion" else ("example", "Example", "*")
    arns = _key_arns(key, callers)
    if arns:
        return _arn_domain(key, wanted, callers, arns)
    if wanted is None:
        always = ("always",) if "*" in callers.names else ("always", "signed")
        absent = known is None or known.present not in always
        empty = ("",) if _universe(key, boolean) == (ANYTHING,) else ()
        rare = known is None
        return Domain(_universe(key, boolean), absent, several, boolean, rare, kind, nice, empty)
    patterns = tuple(glob(p) for p in wanted.patterns)
    universe = _universe(key, boolean) if wanted.negated else (patterns or (exact("\0"),))
    patterns += tuple(glob(p) for p in wanted.but)
    return Domain(
        universe,
        wanted.absent,
        several,
        boolean and wanted.negated,
        False,
        kind,
        nice,
        (),
        wanted.hold,
        (*wanted.patterns, *wanted.but),
        patterns=patterns,
    )


def pinned(key: str, requests: RequestSet) -> Values | None:
    """Return which values of a key a question is about, None for any: the account of a resource is the one its ARN
    names, where all in question name one.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceaccount
    """
    wanted = requests.context.get(key)
    if wanted is not None or key != "aws:resourceaccount":
        return wanted
    named = {account_of(resource) for resource in requests.resources}
    return Values(tuple(sorted(named)), absent=True) if all(map(is_account, named)) else None


def _arn_domain(key: str, wanted: Values | None, callers: Callers, arns: tuple[Pattern, ...]) -> Domain:
    account = callers.account or "111122223333"
    nice = tuple(f"arn:{_partition(callers)}:bedrock:{form.format(account)}" for form in _KEY_EXAMPLES[key])
    if wanted is None:
        return Domain(arns, True, rare=True, nice=nice, account=callers.account)
    patterns = tuple(glob(p) for p in (*wanted.patterns, *wanted.but))
    return Domain(
        arns,
        wanted.absent,
        rare=wanted.absent,
        nice=nice,
        admits=wanted.hold,
        patterns=patterns,
        account=callers.account,
    )


def _key_arns(key: str, callers: Callers) -> tuple[Pattern, ...]:
    """Return the patterns of the ARNs a key holds; none where it may hold any text."""
    account = ACCOUNT if callers.account is None else exact(callers.account)
    if key == "bedrock:guardrailidentifier":
        account = ACCOUNT  # an organisation's guardrail is its management account's
    found: list[Pattern] = []
    for form in _KEY_ARNS.get(key, ()):
        head, *rest = form.split("{}")
        name = joined(*(part for text in rest for part in (_ID if len(rest) == 1 else SEGMENT, exact(text))))
        found.append(
            joined(
                exact(f"arn:{_partition(callers)}:bedrock:"),
                _REGION,
                exact(":"),
                account,
                exact(f":{head}"),
                name,
            )
        )
    return tuple(found)


def _partition(callers: Callers) -> str:
    return callers.likely[0].split(":", 2)[1] if callers.likely else "aws"


def _universe(key: str, boolean: bool) -> tuple[Pattern, ...]:
    if boolean:
        return boolean_texts()
    if key in _ACCOUNT_KEYS:
        return (ACCOUNT,)
    if key == "aws:requestedregion":
        return (_REGION,)
    return (ANYTHING,)


@lru_cache(maxsize=8192)
def arn_pattern(arn: str, partition: str, account: str | None = None) -> Pattern:
    """Return the pattern of an ARN template of the Service Authorization Reference, of one account or any.

    Regions and accounts are not empty, a variable inside has no colon, the last one may hold anything
    (but the name of a bucket, which has no slash).
    """
    found: list[Pattern] = []
    end, service = 0, arn.split(":", 3)[2]
    for match in _VARIABLE.finditer(arn):
        found.append(exact(arn[end : match.start()]))
        end = match.end()
        found.append(_variable(match.group(1), end == len(arn), partition, service, account))
    found.append(exact(arn[end:]) if "*" not in arn[end:] else glob(arn[end:]))
    return joined(*found)


def _variable(name: str, last: bool, partition: str, service: str, account: str | None) -> Pattern:
    if name == "Partition":
        return exact(partition)
    if name == "Account":
        return ACCOUNT if account is None else exact(account)
    if name == "BucketName":
        return SEGMENT
    if name == "Region":
        return _REGION
    if last and service == "bedrock":
        return _ID
    return ANYTHING if last and service not in _WITHOUT_COLONS else PART


def free_resources(requests: RequestSet, partition: str) -> tuple[Pattern, ...]:
    """Return the patterns of any ARN, for actions nobody knows."""
    if requests.resources == ("*",):
        head = exact(f"arn:{partition}:")
        return (joined(head, PART, exact(":"), PART_RUN, exact(":"), PART_RUN, exact(":"), ANYTHING),)
    here = f"arn:{partition}:"
    return tuple(resource_pattern(r.replace("arn:*:", here, 1)) for r in requests.resources)


def literal_service(pattern: str) -> str | None:
    """Return the service of every ARN a pattern matches, None where it leaves that open."""
    parts = pattern.split(":", 3)
    if len(parts) < 4 or has_wildcard(parts[0]) or has_wildcard(parts[2]) or "${" in parts[2]:
        return None
    return parts[2]


def service_of(arn: str) -> str:
    """Return the service of an ARN."""
    return arn.split(":", 3)[2]
