"""Who may change the tags that conditions trust: its own, or those of the resources it is kept to by tags.

A condition on ``aws:ResourceTag/X`` that lets a principal in limits it only as long as it can not set that
tag; one that keeps it out, as long as it can not remove it. The same holds for its own tags:
https://docs.aws.amazon.com/IAM/latest/UserGuide/introduction_attribute-based-access-control.html
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from operator import or_
from typing import Final, Literal

from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.bounded import granted_within
from policyengine.iam.breadth import each
from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import Condition, Policy, Statement
from policyengine.iam.domains import one_caller
from policyengine.iam.exposed_actions import writes
from policyengine.iam.glob import has_wildcard
from policyengine.iam.holding import masks
from policyengine.iam.reason import Answer, No, Unknown, Yes, grants
from policyengine.iam.request_set import RequestSet, Values
from policyengine.iam.shapes import shapes
from policyengine.iam.ways import action_bits

_TAGS: Final = ("tag", "tags", "tagging")
_REMOVE: Final = ("untag", "delete", "remove")
_OTHERS: Final = ("tagsession", "get", "list", "describe")
"""What actions that change tags are called, in services whose actions AWS does not all call ``Tagging``."""
_TAG_KEYS: Final = "aws:tagkeys"
_OTHER: Final = "zz-any"
"""A tag that no condition trusts."""
_SPELLED: Final = {_TAG_KEYS: "aws:TagKeys"}
_OF: Final[dict[str, Literal["resource", "principal"]]] = {
    "resourcetag": "resource", "principaltag": "principal",
}  # fmt: skip
_OWN: Final = {"role": ("iam:TagRole", "iam:UntagRole"), "user": ("iam:TagUser", "iam:UntagUser")}
MANY: Final = 2_000
MANY_SHAPES: Final = 60
"""A statement about more actions or kinds of resources is about everything."""
_MORE_COLONS: Final = "*:*:*:*:*:*:*"
"""ARNs whose names hold a colon; a pattern for another kind of resource may match such a name."""
_VARIABLE: Final = re.compile(r"\$\{[^}]*\}")
MAX_TAGS: Final = 50
"""Tags one question looks at; AWS takes as many on one resource:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


@dataclass(frozen=True, slots=True)
class Trusted:
    """A tag that a statement trusts: of the ``resource`` or of the ``principal``, and whether its ``values``
    let in (Allow if equal, Deny unless) or keep out. ``actions``: of the statement, as bits of the catalogue.
    ``unsure``: why it is not known whether the statement does; None where it does."""

    of: Literal["resource", "principal"]
    tag: str
    key: str
    values: tuple[str, ...]
    lets_in: bool
    actions: int
    resources: tuple[str, ...]
    place: tuple[int, int]
    unsure: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A tag that the principal may change, with the request, or ``unknown`` why that is not sure."""

    trusted: Trusted
    answer: Yes | Unknown


def changes(
    policies: Sequence[Policy], boundary: Policy | None, principal: str, passed_over: Collection[int] = ()
) -> list[Change]:
    """Return the tags that statements about a principal trust and that it may change itself.

    ``passed_over``: documents whose trust is not asked about; what they allow counts.
    """
    found: dict[tuple[str, str, bool], Change] = {}
    for trusted in _trusted([*policies, *([boundary] if boundary else [])]):
        if trusted.place[0] in passed_over:
            continue
        name = (trusted.of, trusted.tag.lower(), trusted.lets_in)
        known = found.get(name)
        if len(found) >= MAX_TAGS or (
            known and (isinstance(known.answer, Yes) or trusted.unsure is not None)
        ):
            continue
        answer = _may_change(trusted, policies, boundary, principal)
        if isinstance(answer, Yes) and trusted.unsure is not None:
            answer = Unknown((trusted.unsure,))
        if not isinstance(answer, No) and (known is None or isinstance(answer, Yes)):
            found[name] = Change(trusted, answer)
    return list(found.values())


def _trusted(policies: Sequence[Policy]) -> Iterator[Trusted]:
    """Yield each tag that a condition compares with values; whether a tag is there at all is no comparison."""
    for number, policy in enumerate(policies):
        for statement in policy.statements:
            for condition in statement.conditions:
                kind, _, tag = condition.key.partition("/")
                of = _OF.get(kind.lower().partition(":")[2])
                operator = condition.operator.lower()
                if not tag or of is None or operator.startswith("null") or not _limits(condition):
                    continue
                lets_in = statement.allow != ("not" in operator)
                bits, place = action_bits(statement, catalogue()), (number, statement.index)
                about = _resources(statement, bits)
                unsure = None if statement.opaque is None else statement.opaque.reason
                yield Trusted(of, tag, condition.key, condition.values, lets_in, bits, about, place, unsure)


def _resources(statement: Statement, bits: int) -> tuple[str, ...]:
    """Return patterns of what a statement is about: its own, or those of what its actions take."""
    own = statement.resources or ("*",)
    if statement.not_resource or any("${" in text for text in own):
        own = ("*",)
    if "*" not in own:
        return own
    templates = [template for template, _ in shapes().templates(bits)] if bits.bit_count() < MANY else []
    found = tuple(dict.fromkeys(_VARIABLE.sub("*", template) for template in templates))
    return found if 0 < len(found) <= MANY_SHAPES else ("*",)


def _limits(condition: Condition) -> bool:
    return any(value.strip("*") for value in condition.values)


def _may_change(
    trusted: Trusted, policies: Sequence[Policy], boundary: Policy | None, principal: str
) -> Answer:
    layers = [*policies, *([boundary] if boundary else [])]
    requests = _own(trusted, principal) if trusted.of == "principal" else _of_resources(trusted, layers)
    if requests is None:
        return No()
    requests = replace(requests, context={**requests.context, **_given(trusted, layers)})
    answer = _asked(policies, boundary, requests, principal)
    if isinstance(answer, No) and any(map(_about_all_keys, layers)):
        return _with_another(trusted, policies, boundary, requests, principal) or answer
    return answer


def _asked(
    policies: Sequence[Policy], boundary: Policy | None, requests: RequestSet, principal: str
) -> Answer:
    callers = one_caller(principal)
    if boundary is None:
        return grants(policies, requests, callers)
    return granted_within(policies, boundary, requests, callers)


@lru_cache(maxsize=8192)
def _about_all_keys(policy: Policy) -> bool:
    """Say whether a Deny is about requests all of whose tags are of a list: one tag more escapes it."""
    return any(
        c.key.lower() == _TAG_KEYS and c.operator.lower().startswith("forallvalues:")
        for s in policy.statements
        if not s.allow
        for c in s.conditions
    )


def _with_another(
    trusted: Trusted,
    policies: Sequence[Policy],
    boundary: Policy | None,
    requests: RequestSet,
    principal: str,
) -> Yes | None:
    """Return the request that changes another tag as well, where that is allowed."""
    other = replace(requests, context={**requests.context, _TAG_KEYS: Values((_OTHER,))})
    answer = _asked(policies, boundary, other, principal)
    if not isinstance(answer, Yes):
        return None
    found = answer.witness
    keys = {k: v for k, v in found.context.items() if k.lower() != _TAG_KEYS}
    both = replace(found, context={**keys, _SPELLED[_TAG_KEYS]: (trusted.tag, _OTHER)})
    decision = authorize(both.request(), Policies(identity=policies, boundary=boundary))
    return Yes(both) if decision.outcome == "Allowed" and not decision.unknown else None


def _own(trusted: Trusted, principal: str) -> RequestSet | None:
    kind = principal.split(":", 5)[5].partition("/")[0]
    return RequestSet(_OWN[kind], (principal,), spelled=_SPELLED) if kind in _OWN else None


def _given(trusted: Trusted, policies: Sequence[Policy]) -> dict[str, Values]:
    """Return what is known of the request: it names the tag, and gives it the value that lets in."""
    given = {_TAG_KEYS: Values((trusted.tag,))}
    asked = f"aws:requesttag/{trusted.tag.lower()}"
    mentioned = any(c.key.lower() == asked for p in policies for s in p.statements for c in s.conditions)
    if mentioned and trusted.lets_in and not any("${" in value for value in trusted.values):
        given[asked] = Values(trusted.values)
    return given


def _of_resources(trusted: Trusted, policies: Sequence[Policy]) -> RequestSet | None:
    """Return the requests that set a tag on resources without it, or change one that is there."""
    bits = _tagging(trusted.lets_in) & _same_services(trusted.actions) & masks(policies).may
    if trusted.actions.bit_count() < MANY:
        about = {template for template, _ in shapes().templates(trusted.actions)}
        bits = reduce(or_, (b for template, b in shapes().templates(bits) if template in about), 0)
    if not bits:
        return None
    key, fixed = trusted.key.lower(), not any("${" in value for value in trusted.values)
    there = Values((), False, True) if trusted.lets_in else Values(trusted.values if fixed else ("*",))
    context = {key: there, f"aws:resourcetag/{trusted.tag.lower()}": there}
    context["ec2:createaction"] = Values((), False, True)
    names = tuple(catalogue().names[at] for at in _standing_for(bits, policies))
    spelled = {**_SPELLED, key: trusted.key}
    plain = all(text.count(":") == 5 for text in trusted.resources)
    excluded = (_MORE_COLONS,) if plain else ()
    return RequestSet(names, trusted.resources, context=context, spelled=spelled, excluded=excluded)


def _standing_for(bits: int, policies: Sequence[Policy]) -> Iterator[int]:
    """Yield actions that stand for all: of those that the same statements on everything are about, one."""
    about = [(s, action_bits(s, catalogue())) for p in policies for s in p.statements]
    seen: set[tuple[int, ...]] = set()
    for at in each(bits):
        statements = [s for s, actions in about if actions >> at & 1]
        alike = tuple(map(id, statements))
        if alike in seen and all(s.resources in (None, ("*",)) and not s.not_resource for s in statements):
            continue
        seen.add(alike)
        yield at


@lru_cache(maxsize=2)
def _tagging(setting: bool) -> int:
    """Return the actions that set tags; with ``setting`` false those that remove them too."""
    known, sets, removes, others = catalogue(), 0, 0, 0
    for at, name in enumerate(known.names):
        verb = name.partition(":")[2].lower()
        if verb.startswith(_REMOVE) and "tag" in verb:
            removes |= 1 << at
        elif verb.startswith(_OTHERS):
            others |= 1 << at
        elif verb.startswith("tag") or verb.endswith(_TAGS):
            sets |= 1 << at
    sets = (sets & writes()) | (known.access_level_mask("Tagging") & ~removes & ~others)
    return sets if setting else sets | (removes & writes())


def _same_services(actions: int) -> int:
    known, found = catalogue(), 0
    while actions & known.all:
        service = known.at(((actions & known.all) & -(actions & known.all)).bit_length() - 1).service
        mask = known.service_mask(service)
        found |= mask
        actions &= ~mask
        if not mask:
            break
    return found


def names_tags(policies: Sequence[Policy]) -> bool:
    """Say whether any condition is about a tag of a resource or of the principal."""
    return any(_about_tags(policy) for policy in policies)


@lru_cache(maxsize=8192)
def _about_tags(policy: Policy) -> bool:
    statements: Sequence[Statement] = policy.statements
    return any(
        ":resourcetag/" in c.key.lower() or ":principaltag/" in c.key.lower()
        for s in statements
        for c in s.conditions
        if not has_wildcard(c.key)
    )
