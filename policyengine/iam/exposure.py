"""What policies expose: resources to others, credentials to their holder, more than they name by wildcards.

Each answer names the statements in their places. An exposure is an action that is allowed on some
resource in some context, Deny statements included in the reckoning; its witness is such a request.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Final, Literal

from policyengine.iam.catalogue import catalogue
from policyengine.iam.cells import cells, glob
from policyengine.iam.documents import Policy, Statement, read_policy
from policyengine.iam.domains import arn_pattern
from policyengine.iam.exposed_actions import credential_exposure, resource_exposure, writes
from policyengine.iam.glob import compile_glob, has_wildcard
from policyengine.iam.holding import Holder, account_named, denied_everywhere, example, templates, trust_of
from policyengine.iam.reason import No, Unknown, Yes
from policyengine.iam.search import Witness
from policyengine.iam.shapes import shapes
from policyengine.iam.ways import action_bits

_UNNAMED: Final = ("zz-any", "qq.Other_1")


@dataclass(frozen=True, slots=True)
class Place:
    """A statement: of which document, which one (both from 0), and what it says it is about."""

    policy: int
    statement: int
    sid: str | None
    line: int | None
    resources: tuple[str, ...]
    not_resource: bool
    conditions: tuple[str, ...]
    """The condition keys it asks for."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """An action that is allowed, by the statements at ``places``; ``unknown`` says why it is not sure."""

    kind: Literal["resource", "credentials"]
    action: str
    places: tuple[Place, ...]
    witness: Witness | None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wildcard:
    """A statement that allows changes by a wildcard: ``patterns`` of actions (or what NotAction leaves) or
    of resources (or what NotResource leaves) that stand for more than one."""

    kind: Literal["action", "resource"]
    place: Place
    patterns: tuple[str, ...]
    bits: int = field(repr=False)

    @property
    def actions(self) -> tuple[str, ...]:
        """Return the actions it allows so, in the order of the catalogue."""
        return tuple(_names(self.bits))

    def some(self, most: int) -> list[str]:
        """Return the first of the actions: there may be thousands."""
        return list(islice(_names(self.bits), most))


def exposures(policies: Sequence[Policy], principal: str | None = None) -> list[Exposure]:
    """Return the actions that expose resources or credentials, in the order of the catalogue.

    ``principal``: who holds the documents; by default some user.
    """
    holder = Holder(principal or f"arn:aws:iam::{account_named(policies)}:user/example", policies)
    found = [_exposure("resource", name, holder) for name in _names(resource_exposure() & holder.masks.may)]
    found += [
        _exposure("credentials", name, holder) for name in _names(credential_exposure() & holder.masks.may)
    ]
    return [e for e in found if e is not None]


def _exposure(kind: Literal["resource", "credentials"], action: str, holder: Holder) -> Exposure | None:
    known = catalogue()
    at = known.index(action) or 0
    shape = next(iter(templates(known, action)), None)
    likely = "*" if shape is None else example(shape, holder.account, "example")
    if holder.masks.sure >> at & 1:
        witness = Witness(holder.arn, action, likely, {})
        return Exposure(kind, action, tuple(_places(holder.identity, at)), witness)
    answer = holder.asks(action, "*", None, own_policy(action, holder.account), likely)
    if isinstance(answer, No):
        return None
    places = tuple(_places(holder.identity, at))
    if isinstance(answer, Unknown):
        return Exposure(kind, action, places, None, answer.why)
    assert isinstance(answer, Yes)
    return Exposure(kind, action, places, answer.witness)


def _places(policies: Sequence[Policy], at: int) -> Iterator[Place]:
    for number, policy in enumerate(policies):
        for statement in policy.statements:
            if statement.allow and action_bits(statement, catalogue()) >> at & 1:
                yield place_of(number, statement)


def place_of(policy: int, statement: Statement) -> Place:
    """Return where a statement stands."""
    keys = tuple(dict.fromkeys(c.key for c in statement.conditions))
    resources = statement.resources or ()
    return Place(
        policy, statement.index, statement.sid, statement.line, resources, statement.not_resource, keys
    )


def own_policy(action: str, account: str) -> Policy | None:
    """Return the policy that a role or a key always has, leaving all to the account's own policies."""
    if action.lower().startswith("kms:"):
        return _key_policy(account)
    return trust_of(account) if action.lower().startswith("sts:assumerole") else None


@lru_cache(maxsize=64)
def _key_policy(account: str) -> Policy:
    allow = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*"}
    return read_policy({"Version": "2012-10-17", "Statement": {**allow, "Resource": "*"}}, "key")


def wildcards(policies: Sequence[Policy]) -> list[Wildcard]:
    """Return the wildcards by which statements allow changes, by meaning.

    A wildcard of actions stands for two actions at least that change something. One of resources covers
    all resources of a type that such an action takes (of one account, where it names one); a ``*`` for
    actions that take no resource is none.
    """
    denied = denied_everywhere(policies)
    found: list[Wildcard] = []
    for number, policy in enumerate(policies):
        for statement in policy.statements:
            bits = action_bits(statement, catalogue()) & writes() & ~denied if statement.allow else 0
            if bits:
                place = place_of(number, statement)
                found.extend(_of_actions(place, statement, bits))
                found.extend(_of_resources(place, statement, bits))
    return found


def _of_actions(place: Place, statement: Statement, bits: int) -> Iterator[Wildcard]:
    if statement.not_action:
        yield Wildcard("action", place, statement.actions, bits)
        return
    patterns = []
    meant = 0
    for pattern in statement.actions:
        if has_wildcard(pattern):
            these = catalogue().matching(pattern) & bits if pattern != "*:*" else bits
            if these & (these - 1):
                patterns.append(pattern)
                meant |= these
    if patterns:
        yield Wildcard("action", place, tuple(patterns), meant)


def _of_resources(place: Place, statement: Statement, bits: int) -> Iterator[Wildcard]:
    resources = statement.resources or ("*",)
    if statement.not_resource:
        meant, patterns = _left(bits, resources), resources
    elif "*" in resources:
        meant, patterns = _typed(bits), ("*",)
    else:
        meant, used = 0, dict[str, None]()
        open_ = tuple(r for r in resources if has_wildcard(r) and not (statement.variables and "${" in r))
        for template, actions in shapes().templates(bits) if open_ else ():
            if by := _covering(template, open_):
                meant |= actions
                used.update(dict.fromkeys(by))
        patterns = tuple(used)
    if meant:
        yield Wildcard("resource", place, patterns, meant)


def _left(bits: int, excluded: Sequence[str]) -> int:
    """Return the actions that what is excluded leaves resources to which nobody named."""
    found = 0
    for template, actions in shapes().templates(bits):
        text = example(template, "098765432109", _UNNAMED[0], f"{_UNNAMED[0]}-1")
        if not any(compile_glob(pattern)(text) for pattern in excluded):
            found |= actions
    return found


@lru_cache(maxsize=65_536)
def _covering(template: str, patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the patterns that together match every ARN of a template; () where they leave some out."""
    accounts = {p.split(":", 5)[4] for p in patterns if p.count(":") > 4}
    account = next((a for a in accounts if a.isdigit()), None)
    texts = [example(template, account or "098765432109", name, f"{name}-1") for name in _UNNAMED]
    if not all(any(compile_glob(p)(t) for p in patterns) for t in texts):
        return ()
    used = tuple(p for p in patterns if any(compile_glob(p)(t) for t in texts))
    fixed = template.replace("${Account}", account) if account else template
    found = cells((arn_pattern(fixed, "aws"),), tuple(glob(p) for p in used))
    return used if found.complete and 0 not in found.texts else ()


@lru_cache(maxsize=4096)
def _typed(bits: int) -> int:
    """Return those of some actions that can be about a resource of some type."""
    found = 0
    for _, actions in shapes().templates(bits):
        found |= actions
    return found


def _names(bits: int) -> Iterator[str]:
    names = catalogue().names
    while bits:
        low = bits & -bits
        yield names[low.bit_length() - 1]
        bits ^= low
