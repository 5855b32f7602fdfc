"""What policies allow on anything: on resources that no statement names, and so on any.

A statement that names buckets, keys or roles says what is at stake. One that lets through a resource nobody
thought of lets through all of them, however its patterns are written. A condition on tags of the resource
names resources too: those that carry them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice, product
from typing import Final

from policyengine.iam.account_ids import account_of, is_account
from policyengine.iam.authorize import authorize
from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import Policy, Statement, read_policy
from policyengine.iam.exposure import own_policy
from policyengine.iam.glob import has_wildcard
from policyengine.iam.holding import (
    APART,
    GLOBAL_REGION,
    Holder,
    example,
    regardless,
    templates,
    unrestricted,
)
from policyengine.iam.reason import No, Unknown, Yes
from policyengine.iam.search import Witness
from policyengine.iam.ways import action_bits

UNNAMED: Final = "zz-any"
"""A name that no document has; a pattern that matches it was not written for it."""
MAX_ASKED: Final = 400
"""Actions one question looks at, those alike counted once."""
MAX_CLASSES: Final = 2_000
"""Parts of the actions that statements tell apart."""
MAX_PAIRS: Final = 100_000_000
"""Pairs of values of conditions that one question looks at, over all actions after the first: searching compares
all values of a key with one another, and a hundred million pairs take a few seconds. A list of 400 addresses in
a condition on every action stays below it."""
MAX_REGIONS: Final = 40
STRANGERS: Final = ("444455556666", "555566667777", "666677778888")
"""Accounts that stand for all others, the first that no policy names."""
MAX_ACCOUNTS: Final = 8
_OWNERS: Final = ("aws:resourceaccount", "s3:resourceaccount")
_ALIASES: Final = ("kms:resourcealiases", "kms:requestalias")
"""Keys that name a key: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html"""
_FOR_SERVICE: Final = "kms:grantisforawsresource"
"""True where a service of AWS makes the grant, for a resource it keeps for the caller: nobody else gets the key
(the same page)."""


@dataclass(frozen=True, slots=True)
class Broad:
    """Actions (bits of the catalogue) that are allowed on anything: one of them in a request, and the Allow
    statements that say so as (document, statement), both from 0."""

    bits: int = field(repr=False)
    witness: Witness
    statements: tuple[tuple[int, int], ...]

    def names(self, most: int) -> list[str]:
        """Return the first of the actions, in the order of the catalogue."""
        return [catalogue().names[at] for at in islice(each(self.bits), most)]


@dataclass(frozen=True, slots=True)
class Breadth:
    """What was found; ``why``: why there may be more, () where that is all."""

    found: tuple[Broad, ...]
    why: tuple[str, ...] = ()


def breadth(holder: Holder, actions: int, context: Mapping[str, str | None] | None = None) -> Breadth:
    """Return which of some actions (bits of the catalogue) a principal may do on anything.

    ``context``: keys of the request with their values, None for keys that are absent.
    """
    may = actions & holder.masks.may
    return _Breadth(holder, context or {}).of(may) if may else NOTHING


NOTHING: Final = Breadth(())


_Alike = tuple[tuple[int, ...], object, str]
"""(ids of the statements that are about an action, its ARN templates, its service)"""


class _Breadth:
    """One question; statements and their actions are looked up once."""

    def __init__(self, holder: Holder, context: Mapping[str, str | None]) -> None:
        self.holder = holder
        self.keys = {**dict.fromkeys(_naming_keys(holder)), **context}
        self.parts = [(at, s, action_bits(s, catalogue())) for at, s in _statements(holder.identity)]
        limits = [*holder.scps, (holder.boundary,)] if holder.boundary else holder.scps
        above = [s for level in limits for p in level for s in p.statements]
        self.above = [(s, action_bits(s, catalogue())) for s in above]
        self.values = {
            id(s): sum(len(c.values) for c in s.conditions) for s in (*(s for _, s, _ in self.parts), *above)
        }
        self.regions = _regions(self.parts)
        self.accounts = _accounts(holder)
        self.found: dict[tuple[tuple[int, int], ...], Broad] = {}

    def of(self, may: int) -> Breadth:
        sure = may & self.holder.masks.sure
        for at, statement, bits in self.parts:
            if sure & bits and statement.allow and unrestricted(statement):
                name = catalogue().names[(sure & bits & -(sure & bits)).bit_length() - 1]
                self._add((at,), sure & bits, self._request(name))
        why: dict[str, None] = {}
        left = MAX_PAIRS
        for (said, *_), bits in self._groups(may & ~sure, why).items():
            if left < 0:
                why["too_large"] = None
                break
            left -= sum(self.values[id_] for id_ in said) ** 2
            answer = self._ask(catalogue().names[next(each(bits))])
            if isinstance(answer, Unknown):
                why.update(dict.fromkeys(answer.why))
            elif isinstance(answer, Yes):
                self._add(self._deciding(answer.witness), bits, answer.witness)
        return Breadth(tuple(self.found.values()), tuple(why))

    def _groups(self, bits: int, why: dict[str, None]) -> dict[_Alike, int]:
        """Return the actions by what they have in common, as far as so many are looked at."""
        found: dict[_Alike, int] = {}
        for said, group in self._classes(bits, why):
            if all(map(regardless, said)):
                for service in APART:
                    mask = catalogue().service_mask(service)
                    if group & mask:
                        found[tuple(map(id, said)), None, service] = group & mask
                        group &= ~mask
                if group:
                    found[tuple(map(id, said)), None, ""] = group
                continue
            for bit in each(group):
                name = catalogue().names[bit]
                alike = tuple(map(id, said)), templates(catalogue(), name), name.partition(":")[0]
                found[alike] = found.get(alike, 0) | 1 << bit
        ordered = sorted(found.items(), key=lambda item: item[1] & -item[1])
        if len(ordered) > MAX_ASKED:
            why["too_large"] = None
        return dict(ordered[:MAX_ASKED])

    def _classes(self, bits: int, why: dict[str, None]) -> list[tuple[tuple[Statement, ...], int]]:
        """Return the actions in parts, each with the statements that are about all of it; no other is."""
        found: list[tuple[tuple[Statement, ...], int]] = [((), bits)]
        for statement, about in [*((s, b) for _, s, b in self.parts), *self.above]:
            split: list[tuple[tuple[Statement, ...], int]] = []
            for said, group in found:
                if group & about:
                    split.append(((*said, statement), group & about))
                if group & ~about:
                    split.append((said, group & ~about))
            if len(split) > MAX_CLASSES:
                why["too_large"] = None
                return []
            found = split
        return found

    def _add(self, statements: tuple[tuple[int, int], ...], bits: int, witness: Witness) -> None:
        known = self.found.get(statements)
        if known is not None:
            bits, witness = bits | known.bits, known.witness
        self.found[statements] = Broad(bits, witness, statements)

    def _deciding(self, witness: Witness) -> tuple[tuple[int, int], ...]:
        own = self._own(witness.action, account_of(witness.resource) or self.holder.account)
        decision = authorize(witness.request(), self.holder.policies(own))
        return tuple((at.policy, at.statement.index) for at in decision.deciding if at.layer == "identity")

    def _request(self, action: str) -> Witness:
        shape = next(iter(_shapes(action)), None)
        resource = "*" if shape is None else self._unnamed(shape, GLOBAL_REGION)
        keys = {k: v for k, v in self.keys.items() if v is not None}
        return Witness(self.holder.arn, action, resource, keys)

    def _unnamed(self, shape: str, region: str, account: str | None = None) -> str:
        local = shape.replace("${Partition}", self.holder.arn.split(":", 2)[1])
        return example(local, account or self.holder.account, UNNAMED, region)

    def _own(self, action: str, account: str) -> Policy | None:
        """Return the policy of a resource: of another account's, one that lets the holder's account in."""
        return (
            own_policy(action, self.holder.account)
            if account == self.holder.account
            else _shared(self.holder)
        )

    def _ask(self, action: str) -> Yes | No | Unknown:
        shapes = _shapes(action)
        if not shapes:
            return self.holder.asks(action, "*", self.keys, own_policy(action, self.holder.account), "*")
        why: dict[str, None] = {}
        for shape, account in product(shapes, self.accounts):
            if account != self.accounts[0] and "${Account}" not in shape:
                continue
            for region in self.regions if "${Region}" in shape else self.regions[:1]:
                resource = self._unnamed(shape, region, account)
                answer = self.holder.asks(action, resource, self.keys, self._own(action, account))
                if isinstance(answer, Yes):
                    return answer
                why.update(dict.fromkeys(answer.why if isinstance(answer, Unknown) else ()))
        return Unknown(tuple(why)) if why else No()


def _shapes(action: str) -> list[str]:
    """Return the ARN templates of an action, plain ones first."""
    return sorted(templates(catalogue(), action), key=len)


def _regions(parts: Iterable[tuple[object, Statement, int]]) -> list[str]:
    """Return a region nobody need name, and those that resources are named in."""
    found = {GLOBAL_REGION: None}
    for _, statement, _ in parts:
        for text in statement.resources or ():
            region = (*text.split(":", 4), "", "", "", "")[3]
            if region and not has_wildcard(region):
                found[region] = None
    return list(found)[:MAX_REGIONS]


def _accounts(holder: Holder) -> list[str]:
    """Return the accounts whose resources are looked at: the holder's, and where conditions ask whose they are,
    those that they name and one that nobody does."""
    policies = [*holder.identity, *([holder.boundary] if holder.boundary else [])]
    asked = [c for _, s in _statements(policies) for c in s.conditions if c.key.lower() in _OWNERS]
    if not asked:
        return [holder.account]
    named = [v for c in asked for v in c.values if is_account(v)][:MAX_ACCOUNTS]
    stranger = next((a for a in STRANGERS if a not in (*named, holder.account)), STRANGERS[0])
    return list(dict.fromkeys((holder.account, *named, stranger)))


@lru_cache(maxsize=1024)
def _open(account: str, partition: str) -> Policy:
    who = {"AWS": f"arn:{partition}:iam::{account}:root"}
    allow = {"Effect": "Allow", "Principal": who, "Action": "*", "Resource": "*"}
    return read_policy({"Version": "2012-10-17", "Statement": allow}, "resource")


def _shared(holder: Holder) -> Policy:
    """Return the policy of a resource of another account that lets the holder's account in."""
    return _open(holder.account, holder.arn.split(":", 2)[1])


def _statements(policies: Iterable[Policy]) -> Iterator[tuple[tuple[int, int], Statement]]:
    for number, policy in enumerate(policies):
        for statement in policy.statements:
            yield (number, statement.index), statement


def _naming_keys(holder: Holder) -> Iterator[str]:
    """Yield the keys by which statements say what is at stake without ARNs: tags, aliases, grants for services."""
    policies = [*holder.identity, *([holder.boundary] if holder.boundary else [])]
    for _, statement in _statements(policies):
        for condition in statement.conditions:
            key = condition.key.lower()
            if "resourcetag/" in key or "-tag/" in key or key in (*_ALIASES, _FOR_SERVICE):
                yield condition.key


def each(mask: int) -> Iterator[int]:
    """Yield the bits of a mask, the lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
