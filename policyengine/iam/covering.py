"""Is a set of requests denied in every member account of an organisation, by its SCPs (or RCPs) alone?

Most accounts get their answer from another one: only statements that name an action in question matter,
so chains that differ in others are one chain; and where policies and question name no account, an answer
for one account holds for every other with its id in the witness.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from policyengine.iam.account_ids import is_account, names_accounts
from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.catalogue import Catalogue
from policyengine.iam.documents import Policy, Statement
from policyengine.iam.opaque import Opaque
from policyengine.iam.organization import Attached, Chain, ChainKind, Level, Organization
from policyengine.iam.plain_requests import possible
from policyengine.iam.protecting import protected
from policyengine.iam.reason import EVERYONE, EVERYTHING, Answer, Unknown, Yes, covered, extended
from policyengine.iam.request_set import RequestSet, Values
from policyengine.iam.search import Witness
from policyengine.iam.statements import compiled
from policyengine.iam.ways import action_bits

ORGANIZATION_KEYS: Final = ("aws:principalorgid", "aws:principalorgpaths")
"""Keys whose value follows from the member account:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""

_STAND_INS: Final = range(123_456_789_012, 10**12)
"""Ids for the accounts of code, which have none yet."""
_ID: Final = re.compile(r"o-[a-z0-9]{10,32}")


class Denial(NamedTuple):
    """A Deny statement of a chain that names an action in question: where it is attached."""

    node: str
    attached: Attached
    statement: Statement


class Unnamed(NamedTuple):
    """Actions in question that every level allows and no Deny names: how many of how many, the services of
    which they are all that is in question, the names of the others."""

    actions: int
    asked: int
    services: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What holds for one member account. ``answer`` is No where every request is denied.

    ``denials``: the Deny statements above it that name an action in question; ``blocked``: the levels
    without any Allow that does; ``layer`` is False where there are no SCPs at all; ``unnamed``: the actions
    that no Deny above it is about.
    """

    account: str
    answer: Answer
    denials: tuple[Denial, ...] = ()
    blocked: tuple[str, ...] = ()
    layer: bool = True
    unnamed: Unnamed | None = None


class _Halves(NamedTuple):
    """A policy, kept so that its id stays its own, and what of it is about actions in question."""

    policy: Policy
    allow: Policy | None
    deny: Policy | None


@dataclass(slots=True)
class _Reduced:
    """A chain without what cannot matter; equal ``key``: the same answer."""

    levels: list[list[Policy]]
    denials: tuple[Denial, ...]
    blocked: tuple[str, ...]
    key: Hashable
    named: frozenset[str]
    """The accounts that its policies name, ``*`` for parts of ids."""
    asked: frozenset[str]
    """Those of ORGANIZATION_KEYS that its conditions are about."""
    unnamed: Unnamed | None = None


_NO_LAYER: Final = _Reduced([], (), (), (), frozenset(), frozenset())


def coverage(
    organization: Organization,
    requests: RequestSet,
    accounts: Iterable[str] | None = None,
    kind: ChainKind = "scp",
    extra: Mapping[str, Sequence[Attached]] | None = None,
) -> Iterator[Coverage]:
    """Yield what holds for each member account, in their order.

    SCPs: whatever principals of the account ask for. RCPs: whatever anyone asks of resources of the
    account. ``extra``: node → policies that are taken to be attached there as well.
    """
    chains = {a: organization.chain(a, kind) for a in (accounts or organization.accounts)}
    if extra:
        chains = {a: _with(chain, extra) for a, chain in chains.items()}
    asker = _Asker(organization, requests, kind, chains.values())
    for account, chain in chains.items():
        yield asker.ask(account, chain)


def _with(chain: Chain | Opaque | None, extra: Mapping[str, Sequence[Attached]]) -> Chain | Opaque | None:
    if not isinstance(chain, Chain) or not any(level.node in extra for level in chain.levels):
        return chain
    levels = tuple(Level(level.node, (*level.policies, *extra.get(level.node, ()))) for level in chain.levels)
    return Chain(chain.kind, levels, (chain.key, tuple(a.id for level in levels for a in level.policies)))


class _Asker:
    """One question to the chains of one organisation; keeps what it found out."""

    def __init__(
        self,
        organization: Organization,
        requests: RequestSet,
        kind: ChainKind,
        chains: Iterable[Chain | Opaque | None],
    ) -> None:
        self.organization = organization
        self.requests = requests
        self.kind = kind
        values = [p for v in requests.context.values() for p in v.patterns]
        values += [p for v in requests.context.values() for p in v.but]
        texts = [*requests.resources, *requests.excluded, *requests.principals, *requests.exempt, *values]
        self._named = names_accounts(texts)
        self._reduced: dict[Hashable, _Reduced] = {}
        self._answers: dict[Hashable, tuple[str, Answer]] = {}
        self._halves: dict[int, _Halves] = {}
        distinct = {c.key: c for c in chains if isinstance(c, Chain)}.values()
        policies: dict[int, Policy] = {}
        for c in distinct:
            policies.update((id(a.policy), a.policy) for level in c.levels for a in level.policies)
        self._known = extended(policies.values(), requests)
        self._wanted = self._known.matching_any(requests.actions)

    def ask(self, account: str, chain: Chain | Opaque | None) -> Coverage:
        """Return what holds for one account."""
        if isinstance(chain, Opaque):
            return Coverage(account, Unknown((chain.reason,)))
        if chain is None:
            return Coverage(account, self._answer(account, _NO_LAYER), layer=False)
        reduced = self._reduced.get(chain.key)
        if reduced is None:
            reduced = self._reduced[chain.key] = self._reduce(chain)
        answer = self._answer(account, reduced)
        return Coverage(account, answer, reduced.denials, reduced.blocked, unnamed=reduced.unnamed)

    # -- the same answer for many accounts ------------------------------------------------------------

    def _answer(self, account: str, chain: _Reduced) -> Answer:
        named = chain.named | self._named
        requests, facts = self._with_facts(account, chain.asked)
        if not is_account(account):
            account = next(a for a in map(str, _STAND_INS) if a not in named)
        key = (chain.key, account if "*" in named or account in named else None, facts)
        known = self._answers.get(key)
        if known is None:
            answer = self._decided(requests, chain.levels, account)
            self._answers[key] = (account, answer)
            return answer
        first, answer = known
        if not isinstance(answer, Yes) or first == account:
            return answer
        witness = _moved(answer.witness, first, account)
        if self._passes(witness, chain.levels, account):
            return Yes(witness)
        return self._decided(requests, chain.levels, account)

    def _decided(self, requests: RequestSet, levels: Sequence[Sequence[Policy]], account: str) -> Answer:
        if self.kind == "rcp":
            return protected(requests, levels, account)
        return possible(
            requests,
            lambda asked: covered(asked, levels, account),
            lambda witness: self._allowed(witness, levels, account),
        )

    def _passes(self, witness: Witness, levels: Sequence[Sequence[Policy]], account: str) -> bool:
        where = account if self.kind == "rcp" else None
        return self.requests.holds(witness.request(where)) and self._allowed(witness, levels, account)

    def _allowed(self, witness: Witness, levels: Sequence[Sequence[Policy]], account: str) -> bool:
        if self.kind == "scp":
            policies = Policies(identity=(EVERYTHING,), resource=EVERYONE, scps=levels)
            request = witness.request()
        else:
            policies = Policies(identity=(EVERYTHING,), resource=EVERYONE, rcps=levels)
            request = witness.request(account)
        decision = authorize(request, policies)
        return decision.outcome == "Allowed" and not decision.unknown

    def _with_facts(
        self, account: str, asked: frozenset[str]
    ) -> tuple[RequestSet, tuple[tuple[str, str], ...]]:
        """Return the requests with what is known of every principal of the account, if it is asked."""
        open_ = sorted(asked - self.requests.context.keys())
        facts = {key: value for key in open_ if (value := self._fact(key, account))}
        if not facts:
            return self.requests, ()
        context = {**self.requests.context, **{k: Values((v,)) for k, v in facts.items()}}
        return replace(self.requests, context=context), tuple(facts.items())

    def _fact(self, key: str, account: str) -> str | None:
        id_ = self.organization.id
        if id_ is None or _ID.fullmatch(id_) is None:
            return None
        if key == "aws:principalorgid":
            return id_
        steps: list[str] = []
        node = self.organization.nodes.get(account)
        while node is not None and node.kind != "root":
            if not isinstance(node.parent, str) or node.parent in steps:
                return None
            steps.append(node.parent)
            node = self.organization.nodes.get(node.parent)
        return None if node is None else "/".join([id_, *reversed(steps), ""])

    # -- less of a chain ------------------------------------------------------------------------------

    def _reduce(self, chain: Chain) -> _Reduced:
        """Return the chain with the statements that name an action in question: all that deny in one
        level, and each set of those that allow once."""
        denials: list[Denial] = []
        denying: dict[int, Policy] = {}
        levels: dict[Hashable, list[Policy]] = {}
        blocked: list[str] = []
        for level in chain.levels:
            halves = [self._half(attached.policy) for attached in level.policies]
            for attached, half in zip(level.policies, halves, strict=True):
                if half.deny is not None:
                    denying[id(half.deny)] = half.deny
                    denials.extend(Denial(level.node, attached, s) for s in half.deny.statements)
            allowing = [half.allow for half in halves if half.allow is not None]
            if not allowing and self.kind == "scp":
                blocked.append(level.node)
            levels.setdefault(frozenset(id(policy) for policy in allowing), allowing)
        key = (frozenset(levels), frozenset(denying))
        found = list(levels.values())
        found[0] = [*found[0], *denying.values()]
        statements = [s for level in found for policy in level for s in policy.statements]
        texts = [t for s in statements for t in s.resources or ()]
        texts += [t for s in statements for c in s.conditions for t in c.values]
        asked = {c.key.lower() for s in statements for c in s.conditions}.intersection(ORGANIZATION_KEYS)
        return _Reduced(
            found,
            tuple(denials),
            tuple(blocked),
            key,
            names_accounts(texts),
            frozenset(asked),
            self._unnamed(found),
        )

    def _unnamed(self, levels: Sequence[Sequence[Policy]]) -> Unnamed | None:
        """Return the actions that each level allows and that no Deny names."""
        open_ = self._wanted
        for level in levels:
            masks = {True: 0, False: 0}
            for policy in level:
                for statement in policy.statements:
                    masks[statement.allow] |= action_bits(statement, self._known)
            open_ &= ~masks[False]
            if self.kind == "scp":
                open_ &= masks[True]
        return _named(open_, self._wanted, self._known) if open_ else None

    def _half(self, policy: Policy) -> _Halves:
        """Return the statements that name an action in question; the same objects for each policy."""
        found = self._halves.get(id(policy))
        if found is None:
            kept = [s for s in policy.statements if action_bits(s, self._known) & self._wanted]
            allow, deny = (tuple(s for s in kept if s.allow is effect) for effect in (True, False))
            found = self._halves[id(policy)] = _Halves(
                policy,
                replace(policy, statements=allow) if allow else None,
                replace(policy, statements=deny) if deny else None,
            )
        return found


def _named(open_: int, wanted: int, known: Catalogue) -> Unnamed:
    """Return actions by name, whole services of the question by theirs."""
    services: list[str] = []
    names: list[str] = []
    rest = open_
    while rest:
        name = known.names[(rest & -rest).bit_length() - 1]
        service = name.partition(":")[0]
        mask = known.service_mask(service) or (rest & -rest)
        if not wanted & mask & ~open_ and (wanted & mask).bit_count() > 1:
            services.append(service)
            rest &= ~mask
        else:
            names.append(name)
            rest &= rest - 1
    return Unnamed(open_.bit_count(), wanted.bit_count(), tuple(services), tuple(names))


def _moved(witness: Witness, first: str, account: str) -> Witness:
    """Return the witness with the id of another account."""

    def change(text: str) -> str:
        return text.replace(first, account)

    context = {
        key: change(value) if isinstance(value, str) else tuple(change(v) for v in value)
        for key, value in witness.context.items()
    }
    return Witness(change(witness.principal), witness.action, change(witness.resource), context)


def passed_over(denials: Iterable[Denial], witness: Witness) -> Iterator[tuple[Denial, str]]:
    """Yield each Deny statement with the code of REASONS of why it does not stop the witness."""
    request = witness.request()
    for denial in denials:
        verdict = compiled(denial.statement).verdict(request, False)
        if isinstance(verdict, str) and verdict not in ("action_not_named", "action_excluded"):
            yield denial, verdict
