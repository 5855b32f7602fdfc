"""Is this equivalent to administrator, of everything or of a service?

By meaning: there is a context (who signed in how, from where, when) in which every action of the catalogue
is allowed on every resource it can be about, with whatever parameters. Keys of the session are looked for;
keys of the target (region, tags, parameters) must not matter, so nothing is fixed for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Final, NamedTuple

from policyengine.iam.account_ids import account_of
from policyengine.iam.atoms import PRINCIPAL, PRINCIPAL_KEYS, Atom, Setting, atoms_of
from policyengine.iam.catalogue import catalogue
from policyengine.iam.dimensions import key_dimension, text_dimension
from policyengine.iam.documents import Policy, Statement
from policyengine.iam.domains import Callers, any_entity, caller_domain, key_domain, one_caller
from policyengine.iam.glob import has_wildcard
from policyengine.iam.holding import GLOBAL_REGION, apart, example, masks, regardless, templates
from policyengine.iam.layers import Layer, read_layer
from policyengine.iam.likely import weight
from policyengine.iam.opaque import Opaque, negate
from policyengine.iam.reason import Answer, No, Unknown, Yes, extended, first, granted
from policyengine.iam.request import Request
from policyengine.iam.request_set import RequestSet
from policyengine.iam.search import Question, Way, Witness
from policyengine.iam.ways import action_bits, parts

Facts = Mapping[str, tuple[str, ...] | None]

MAX_CONTEXTS: Final = 64
MAX_SEARCHED: Final = 50_000
"""Heaviest documents (``likely.weight``) for which contexts are looked for; ten of AWS's longest policies have
61,440 characters, mostly actions, which do not count:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
MAX_SEARCHED_OF_ALL: Final = 200_000
SESSION_KEYS: Final = frozenset(
    {
        "aws:currenttime", "aws:epochtime", "aws:federatedprovider", "aws:multifactorauthage",
        "aws:multifactorauthpresent", "aws:principalorgid", "aws:principalorgpaths", "aws:referer",
        "aws:securetransport", "aws:sourceidentity", "aws:sourceip", "aws:sourcevpc", "aws:sourcevpcarn",
        "aws:sourcevpce", "aws:tokenissuetime", "aws:useragent", "aws:userid", "aws:vpcsourceip",
    }
)  # fmt: skip
"""Keys that say who asks, from where and when, and not what for:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html (properties of the
principal, of the role session and of the network); ``aws:PrincipalTag/…`` is another."""
_DIRECTLY: Final[Facts] = {
    "aws:viaawsservice": ("false",), "aws:calledvia": None, "aws:calledviafirst": None, "aws:calledvialast": None,
}  # fmt: skip
"""What the keys say of a request that no service makes on somebody's behalf."""
PLAUSIBLE: Final = "arn:aws:iam::123456789012:role/example"
_ACTION: Final = "iam:CreateUser"
_NOWHERE: Final = "zz-any-1"
_FREE: Final = Opaque("it may be anything")


@dataclass(frozen=True, slots=True)
class NotAdministrator(No):
    """No; ``missing`` is a request that is not allowed."""

    missing: Witness | None = None


class Administered(NamedTuple):
    """Services, and whether these are surely all."""

    services: list[str]
    complete: bool


def administrator(policies: Sequence[Policy], principal: str | None = None) -> Answer:
    """Say whether documents amount to administrator.

    Yes: every request is allowed in the witness's context. No: it names a request that is not allowed (in
    the first context looked at). ``principal``: who holds them; by default any user or role.
    """
    return _everything(policies, catalogue().all, "*", _ACTION, principal)


def service_administrators(policies: Sequence[Policy], principal: str | None = None) -> list[str]:
    """Return the services all of whose actions are allowed on everything, in some context of each; of
    documents that are too large to search, those that surely are (``administered`` says whether that is all).
    """
    return administered(policies, principal).services


def administered(
    policies: Sequence[Policy], principal: str | None = None, only: Sequence[str] = ()
) -> Administered:
    """Return the same as ``service_administrators``, and whether others are ruled out.

    ``only``: the services that are asked about, all where there are none.
    """
    known = catalogue()
    held = masks(policies)
    found: list[str] = []
    complete = True
    services = sorted(only) if only else _named(policies)
    left, heavy = MAX_SEARCHED_OF_ALL, _weight(policies)
    if len(services) == len(known.services) and isinstance(administrator(policies, principal), Yes):
        return Administered(list(services), True)
    statements = [(s, action_bits(s, known)) for p in policies for s in p.statements]
    answers: dict[object, Answer] = {}
    for service in services:
        actions = known.service_mask(service)
        if not actions or actions & ~held.may:
            continue
        action = known.names[_lowest(actions)]
        alike = _alike(service, actions, statements)
        answer = answers.get(alike)
        if answer is None:
            if actions & ~held.sure:
                left -= heavy
                if left < 0:
                    complete = False
                    continue
            answer = _everything(policies, actions, f"{service}:*", action, principal)
            answers[alike] = answer
        complete = complete and not isinstance(answer, Unknown)
        if isinstance(answer, Yes):
            found.append(service)
    return Administered(found, complete)


def _alike(service: str, actions: int, statements: Sequence[tuple[Statement, int]]) -> object:
    """Return what services have in common whose answers are the same: the statements about all of their
    actions, where these treat all actions alike; else the service itself."""
    about = [(s, bits) for s, bits in statements if bits & actions]
    if all(not actions & ~bits and regardless(s) for s, bits in about):
        return (*(id(s) for s, _ in about), apart(f"{service}:"))
    return service


def _weight(policies: Sequence[Policy]) -> int:
    return weight([statement for policy in policies for statement in policy.statements])


def _named(policies: Sequence[Policy]) -> Sequence[str]:
    """Return the services of which the documents may allow all actions."""
    named: dict[str, None] = {}
    for policy in policies:
        for statement in policy.statements:
            if not statement.allow:
                continue
            services = [a.partition(":")[0].lower() for a in statement.actions]
            if statement.not_action or any(has_wildcard(s) for s in services):
                return catalogue().services
            named.update(dict.fromkeys(services))
    return sorted(named)


def _everything(
    policies: Sequence[Policy], actions: int, pattern: str, sample: str, principal: str | None
) -> Answer:
    held = masks(policies)
    if not actions & ~held.sure:
        return Yes(_request(sample, principal or PLAUSIBLE))
    if left := actions & ~held.may:
        return NotAdministrator(_request(catalogue().names[_lowest(left)], principal or PLAUSIBLE))
    probe = _probe(catalogue().names[_lowest(actions & ~held.sure)], principal or PLAUSIBLE)
    if not _possible(policies, probe):
        return NotAdministrator(probe)
    if _weight(policies) > MAX_SEARCHED:
        return Unknown(("too_large",))
    return _in_some_context(policies, pattern, sample, principal)


def _probe(action: str, principal: str) -> Witness:
    """Return a request about something that no document names, in a region that none does."""
    shapes = templates(catalogue(), action)
    resource = example(shapes[0], "000000000000", "zz-any", _NOWHERE) if shapes else "*"
    return Witness(principal, action, resource, {"aws:RequestedRegion": _NOWHERE})


def _possible(policies: Sequence[Policy], probe: Witness) -> bool:
    """Say whether some session makes a request possible; keys of the target are as in the probe."""
    keys = {c.key.lower() for p in policies for s in p.statements for c in s.conditions}
    free = {k: _FREE for k in (*PRINCIPAL_KEYS, *keys) if k in PRINCIPAL_KEYS or _of_the_session(k)}
    context: dict[str, str | Opaque] = {"aws:RequestedRegion": _NOWHERE, **free, "aws:ViaAWSService": "false"}
    request = Request(probe.principal, probe.action, probe.resource, context)
    layer = read_layer(Layer("identity"), policies, request, [])
    return layer.allowed(True) and not layer.denied(True)


def _in_some_context(policies: Sequence[Policy], pattern: str, sample: str, principal: str | None) -> Answer:
    """Look for a context in which no request is left that is not allowed."""
    callers = one_caller(principal) if principal else any_entity()
    contexts, complete = _contexts(policies, callers)
    why: dict[str, None] = {} if complete else {"too_large": None}
    missing: Witness | None = None
    spelled = {c.key.lower(): c.key for p in policies for s in p.statements for c in s.conditions}
    for who, facts in contexts:
        left = _not_allowed(policies, pattern, who, facts)
        context = {spelled.get(k, k): v[0] if len(v) == 1 else v for k, v in facts.items() if v}
        if isinstance(left, No):
            return Yes(replace(_request(sample, who), context=context))
        if isinstance(left, Unknown):
            why.update(dict.fromkeys(left.why))
        elif missing is None:
            missing = replace(left.witness, context={**left.witness.context, **context})
    return Unknown(tuple(why)) if why else NotAdministrator(missing)


def _not_allowed(policies: Sequence[Policy], pattern: str, who: str, facts: Facts) -> Answer:
    """Say whether a request is not allowed: Allow statements count as far as they surely hold, Deny
    statements as far as they may."""
    known = extended(policies, RequestSet((pattern,)))
    fixed = {k: v for k, v in facts.items() if v is not None}

    def verify(request: Request) -> bool | Opaque:
        request.context.update(fixed)
        return negate(granted(policies, request))

    setting = Setting(facts, who.split(":")[1], account_of(who))
    question = Question(RequestSet((pattern,)), one_caller(who), known, verify, setting)
    found = parts(policies, known)
    ways = [Way([], found[True]), *(Way([[deny]]) for deny in found[False])]
    return first(question, ways)


def _contexts(policies: Sequence[Policy], callers: Callers) -> tuple[Iterator[tuple[str, Facts]], bool]:
    """Return principals and session keys that stand for all others, and whether they do."""
    setting = Setting()
    by: dict[str, list[Atom]] = {PRINCIPAL: []}
    mentioned = {c.key.lower() for p in policies for s in p.statements for c in s.conditions}
    fixed = {key: value for key, value in _DIRECTLY.items() if key in mentioned}
    for policy in policies:
        for statement in policy.statements:
            for atom in atoms_of(statement, setting):
                if atom.dimension == PRINCIPAL or _of_the_session(atom.dimension):
                    by.setdefault(atom.dimension, []).append(atom)
    domain = caller_domain(callers, RequestSet(), lambda who, key: setting.request(who).values(key))
    dimensions = {PRINCIPAL: text_dimension(by[PRINCIPAL], domain)}
    for key, atoms in by.items():
        if key != PRINCIPAL:
            dimensions[key] = key_dimension(atoms, key_domain(key, None, callers))
    size = 1
    for dimension in dimensions.values():
        size *= len(dimension.candidates)
    complete = size <= MAX_CONTEXTS and all(d.complete for d in dimensions.values())
    keys = [key for key in dimensions if key != PRINCIPAL]
    chosen = islice(product(*(d.candidates for d in dimensions.values())), MAX_CONTEXTS)
    return ((c[0], {**fixed, **dict(zip(keys, c[1:], strict=True))}) for c in chosen), complete


def _of_the_session(key: str) -> bool:
    return key in SESSION_KEYS or key.startswith("aws:principaltag/")


def _request(action: str, principal: str) -> Witness:
    shapes = templates(catalogue(), action)
    resource = example(shapes[0], account_of(principal), "example") if shapes else "*"
    return Witness(principal, action, resource, {"aws:RequestedRegion": GLOBAL_REGION})


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1
