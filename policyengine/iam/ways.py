"""The ways in which all layers together may allow a request, as ``authorize`` decides it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html. Each way is
possible as far as the statements go; ``authorize`` decides about the request that comes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from policyengine.iam.account_ids import account_of
from policyengine.iam.atoms import NO, PRINCIPAL, RESOURCE, YES, Atom, Setting, Truth
from policyengine.iam.authorize import ROLE_ACTIONS, Policies
from policyengine.iam.catalogue import Catalogue, catalogue
from policyengine.iam.cells import ACCOUNT, ANY_RUN, PART, PART_RUN, arn_glob, exact, glob, joined, matches
from policyengine.iam.documents import Policy, Statement
from policyengine.iam.domains import Callers
from policyengine.iam.principals import Named
from policyengine.iam.request_set import RequestSet
from policyengine.iam.search import Part, Way
from policyengine.iam.statements import compiled

ENTITIES: Final = frozenset({"user", "role", "session", "federated_user"})
"""Callers that have policies of their own."""

_CLOSE: Final = frozenset((Named.DIRECT, Named.EVERYONE))
_ROLE: Final = frozenset((Named.ROLE,))
_KEY: Final = glob("*:key/*")
_SOME_ACCOUNT: Final = joined(
    exact("arn:"),
    PART_RUN,
    exact(":"),
    PART_RUN,
    exact(":"),
    PART_RUN,
    exact(":"),
    ACCOUNT,
    exact(":"),
    ANY_RUN,
)


def ways(
    policies: Policies, known: Catalogue, requests: RequestSet, setting: Setting, callers: Callers
) -> list[Way]:
    """Return the ways for one caller or many, in the resource's account or in others."""
    layers = _Layers(policies, known)
    asked = _Asked(setting, requests, callers)
    found = [Way(layers.account, layers.without_entity, (asked.root, *asked.here))]
    if policies.resource is None:
        found.append(Way(layers.side, layers.without, (asked.same_entity, *asked.here)))
        return found
    resource = layers.resource[True]
    found.extend(_without_strict(layers.side, layers.without, asked, known))
    found.append(Way([resource, *layers.side], layers.without, (asked.entity,)))
    close = _named(resource, _CLOSE)
    found.append(Way([close, *layers.account], layers.without, (asked.same_entity, *asked.here)))
    found.append(Way([close, *layers.everybody], layers.without_account, (asked.no_entity,)))
    within = [_named(resource, _ROLE), *layers.side[1:]]
    found.append(Way(within, layers.without, (asked.same_entity, *asked.here)))
    return found


class _Layers:
    """The statements of every layer, by whom they are about: an entity of IAM, a principal of an account
    (the root user too), everybody."""

    def __init__(self, policies: Policies, known: Catalogue) -> None:
        def read(found: Sequence[Policy | None]) -> dict[bool, list[Part]]:
            return parts([p for p in found if p is not None], known)

        self.resource = read([policies.resource])
        entity = [read(policies.identity)]
        entity.extend([read([policies.boundary])] if policies.boundary else [])
        entity.extend([read(policies.session)] if policies.session is not None else [])
        account = [read(level) for level in policies.scps]
        everybody = [read([policies.endpoint])] if policies.endpoint else []
        rcps = [read(level) for level in policies.rcps]
        self.everybody = [layer[True] for layer in everybody]
        self.account = [*(layer[True] for layer in account), *self.everybody]
        self.side = [*(layer[True] for layer in entity), *self.account]
        denies = [*everybody, *rcps, self.resource]
        self.without_account = [p for layer in denies for p in layer[False]]
        self.without_entity = [*(p for layer in account for p in layer[False]), *self.without_account]
        self.without = [*(p for layer in entity for p in layer[False]), *self.without_entity]


def _without_strict(
    side: Sequence[Sequence[Part]], without: Sequence[Part], asked: _Asked, known: Catalogue
) -> list[Way]:
    """Return the ways by identity policies alone, which roles and KMS keys do not know."""
    roles, keys = known.matching_any(ROLE_ACTIONS), known.service_mask("kms")
    plain = [p._replace(actions=p.actions & ~(roles | keys)) for p in side[0]]
    other = [p._replace(actions=p.actions & keys) for p in side[0]]
    return [
        Way([plain, *side[1:]], without, (asked.same_entity, *asked.here)),
        Way([other, *side[1:]], without, (asked.same_entity, asked.no_key, *asked.here)),
    ]


class _Asked:
    """Who asks, seen from the account of the resource, as atoms."""

    def __init__(self, setting: Setting, requests: RequestSet, callers: Callers) -> None:
        self._setting = setting
        self._account = setting.resource_account or _account_in_question(requests)
        self.here = _owned_by(callers.account) if self._account is None else ()
        home = self._account
        self._patterns = (
            (joined(exact("arn:"), PART, exact(f":iam::{home}:"), ANY_RUN),) if home is not None else ()
        ) + (glob("arn:*:iam::*:root"),)
        self.root = self._atom(root=True, same=True)
        self.same_entity = self._atom(entity=True, same=True)
        self.entity = self._atom(entity=True)
        self.no_entity = Atom(PRINCIPAL, self._patterns, self._outside)
        self.no_key = Atom(RESOURCE, (_KEY,), lambda value: NO if matches(_KEY, value) else YES)

    def _atom(self, *, root: bool = False, entity: bool = False, same: bool = False) -> Atom:
        def test(value: str) -> Truth:
            caller = self._setting.request(value).caller
            if (root and caller.kind != "root") or (entity and caller.kind not in ENTITIES):
                return NO
            return YES if not same or self._account in (None, caller.account) else NO

        return Atom(PRINCIPAL, self._patterns, test)

    def _outside(self, value: str) -> Truth:
        caller = self._setting.request(value).caller
        return YES if caller.account is None or caller.kind == "federated" else NO


def _owned_by(account: str | None) -> tuple[Atom, ...]:
    """Return what says that a resource may be of an account: its ARN names it, or none."""
    if account is None:
        return ()

    def test(value: str) -> Truth:
        found = account_of(value)
        return NO if found.isdigit() and found != account else YES

    return (Atom(RESOURCE, (arn_glob(f"arn:*:*:*:{account}:*"), _SOME_ACCOUNT), test),)


def _account_in_question(requests: RequestSet) -> str | None:
    """Return the account that every resource in question names."""
    accounts = {account_of(text) for text in requests.resources}
    found = accounts.pop() if len(accounts) == 1 else ""
    return found if found.isdigit() else None


def parts(policies: Iterable[Policy], known: Catalogue) -> dict[bool, list[Part]]:
    """Return the statements that allow (True) and deny (False) with their actions as bits."""
    found: dict[bool, list[Part]] = {True: [], False: []}
    for policy in policies:
        for statement in policy.statements:
            actions = action_bits(statement, known)
            if actions:
                found[statement.allow].append(Part(statement, actions))
    return found


def action_bits(statement: Statement, known: Catalogue) -> int:
    """Return the actions a statement is about."""
    own = compiled(statement)
    if known is not catalogue():
        return _bits_of(statement, known)
    if own.bits is None:
        own.bits = _bits_of(statement, known)
    return own.bits


def _bits_of(statement: Statement, known: Catalogue) -> int:
    found = known.matching_any(statement.actions)
    return known.all & ~found if statement.not_action else found


def strange_actions(statement: Statement) -> tuple[str, ...]:
    """Return the patterns of a statement that match no action AWS documents."""
    own = compiled(statement)
    if own.strange is None:
        own.strange = catalogue().unmatched(statement.actions)
    return own.strange


def _named(found: Iterable[Part], named: frozenset[Named]) -> list[Part]:
    return [part._replace(named=named) for part in found]
