"""The questions about access: which resources are asked about, and what of them is told."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from policyengine.iam.grammar import Kind
from policyengine.model.resource import Resource
from policyengine.review.access_atoms import Atoms
from policyengine.review.access_compare import Comparer, unlimited
from policyengine.review.access_entries import Entries
from policyengine.review.access_lines import Layer
from policyengine.review.access_new import new_policy, new_principal
from policyengine.review.access_questions import Questions, Told
from policyengine.review.access_same import branches, counterparts, scope
from policyengine.review.access_sides import MANAGED, Allowed, Side
from policyengine.review.access_tokens import Names, Tokens
from policyengine.review.access_words import called
from policyengine.review.changes import Change
from policyengine.review.pairs import Pair, Pairing
from policyengine.rules.iam.principals import KINDS, TYPES
from policyengine.rules.iam.standins import ACCOUNT
from policyengine.rules.iam.values import account_id

_GROUP: Final = "AWS::IAM::Group"
_ROLE: Final = "AWS::IAM::Role"
_USER: Final = "AWS::IAM::User"
_USER_IN_GROUP: Final = "AWS::IAM::UserToGroupAddition"
_SATELLITES: Final = ("Policy", "Permission")
"""How types end that are policies of something else; to add one is to change that."""
_WITH_PARTS: Final = frozenset(
    {
        "dynamodb",
        "es",
        "execute-api",
        "kinesis",
        "lambda",
        "logs",
        "s3",
        "s3express",
        "s3-object-lambda",
        "s3tables",
    }
)
"""Services in which a resource's policy is about what is in it as well, under ARNs that begin with its own:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"""
_OTHER_CONDITIONS: Final = "conditions of the template decide, which are others than before"

T = TypeVar("T")
Ask = Callable[[Resource | None, Resource | None, bool], list[Told]]
"""Base, head (each in one branch, None where it is not there), and whether to ask for what is gone."""


class Review:
    """Compares principals and the policies of resources; ``changed`` are the pairs that do not say the same."""

    def __init__(self, pairing: Pairing, names: tuple[Names, Names], changed: Sequence[Pair]) -> None:
        tokens = Tokens()
        keys: dict[Hashable, Hashable] = {}
        self._base = Side(pairing.base, Atoms(tokens, names[0]), keys)
        self._head = Side(pairing.head, Atoms(tokens, names[1]), keys)
        self._ask = Questions(Comparer(tokens.free))
        self._changed = changed
        self._principals = [pair for pair in pairing.pairs if pair.either.type in KINDS]
        old = {p.head.identity: p.base for p in pairing.pairs if p.head is not None and p.base is not None}
        self._entries = Entries(tokens, old)
        self._told: set[tuple[str, ...]] = set()
        """Managed policies and groups that principals of both sides are judged with."""

    def changes(self) -> Iterator[Change]:
        """Yield what is newly allowed, no longer allowed, new, or not clear."""
        for pair in self._touched():
            if pair.either.type != _GROUP:
                self._principal(pair)
        for pair in self._changed:
            kind = pair.either.type
            if kind in (MANAGED, _GROUP):
                self._shared(pair)
            elif kind not in KINDS and kind != _USER_IN_GROUP:
                self._resource(pair)
        return self._entries.changes()

    def _touched(self) -> list[Pair]:
        """Return the users, roles and groups that changed, and all beside a managed policy or a group that did."""
        shared = [pair for pair in self._changed if pair.either.type in TYPES - {_ROLE, _USER}]
        where = {scope(r) for pair in shared for r in pair[:2] if r is not None}
        own = {id(pair) for pair in self._changed}
        return [
            pair
            for pair in self._principals
            if id(pair) in own or any(r is not None and scope(r) in where for r in pair[:2])
        ]

    # -- principals -------------------------------------------------------------------------------------

    def _principal(self, pair: Pair) -> None:
        base, head = pair.base, pair.head
        new = {id(b): self._head.allowed(b) for b in branches(head)}  # first: its names are shown
        old = {id(b): self._base.allowed(b) for b in branches(base)}
        if head is None or base is None:
            self._came_or_went(pair, *(found for found in (*new.values(), *old.values())))
            return
        told = [{one for found in side.values() for one in found.attached} for side in (old, new)]
        self._told |= told[0] | told[1]
        who = self._head.atoms.arn(head)

        def identity(before: Resource | None, after: Resource | None, gone: bool) -> list[Told]:
            sides = old[id(before)].layers, new[id(after)].layers
            return self._ask.identity(*_turned(sides, gone), who)

        def trust(before: Resource | None, after: Resource | None, gone: bool) -> list[Told]:
            sides = old[id(before)].trust, new[id(after)].trust
            return self._trust(*_turned(sides, gone), head)

        self._both_ways(base, head, identity, "identity", who)
        if head.type == _ROLE:
            self._both_ways(base, head, trust, "trust")

    def _came_or_went(self, pair: Pair, allowed: Allowed, *others: Allowed) -> None:
        resource = pair.either
        if pair.head is None:
            self._entries.put(
                Change("access", "better", "low", f"{called(resource)} is gone", resource, resource)
            )
            return
        admitted = self._trust({}, allowed.trust, resource) if allowed.trust else []
        self._entries.put(new_principal(resource, allowed, admitted))

    def _trust(self, old: Layer, new: Layer, role: Resource) -> list[Told]:
        arn = self._head.atoms.arn(role)
        return self._ask.resource(old, new, "trust", account_id(role) or ACCOUNT, (arn,) if arn else ("*",))

    # -- policies of their own, and of resources -----------------------------------------------------------

    def _shared(self, pair: Pair) -> None:
        """Compare a managed policy or a group by itself, unless principals were compared with it."""
        if all(r is None or (r.account or "", r.type, r.id) in self._told for r in pair[:2]):
            return
        if pair.base is None:
            identity = self._head.documents(pair.either).get("identity", {})
            self._entries.put(new_policy(pair.either, identity))
        elif pair.head is None:
            gone = f"{called(pair.either)} is gone"
            self._entries.put(Change("access", "better", "low", gone, pair.either, pair.either))
        else:
            self._resource(pair)

    def _resource(self, pair: Pair) -> None:
        base, head, type_ = pair.base, pair.head, pair.either.type
        satellite = type_.endswith(_SATELLITES) and type_ != MANAGED
        if head is None and not satellite:
            return
        if base is None and not satellite:
            self._new_resource(pair.either)
            return
        new = {id(b): self._head.documents(b) for b in branches(head)}
        old = {id(b): self._base.documents(b) for b in branches(base)}
        kinds = dict.fromkeys(kind for side in (old, new) for found in side.values() for kind in found)
        for kind in kinds:

            def ask(
                before: Resource | None, after: Resource | None, gone: bool, kind: Kind = kind
            ) -> list[Told]:
                sides = old.get(id(before), {}).get(kind, {}), new.get(id(after), {}).get(kind, {})
                return self._about(*_turned(sides, gone), kind, pair.either)

            self._both_ways(base, head, ask, kind)

    def _about(self, old: Layer, new: Layer, kind: Kind, resource: Resource) -> list[Told]:
        if kind == "identity":
            free = unlimited("boundary")
            return self._ask.identity((old, free), (new, free), None, alone=True)
        return self._ask.resource(old, new, kind, account_id(resource) or ACCOUNT, self._own(resource, kind))

    def _own(self, resource: Resource, kind: Kind) -> tuple[str, ...]:
        """Return patterns of what a resource's policy is about: the resource, and what is in it."""
        arn = (
            None
            if kind == "endpoint" or resource.type.endswith(_SATELLITES)
            else self._head.atoms.arn(resource)
        )
        if arn is None:
            return ("*",)
        return (arn, f"{arn}/*", f"{arn}:*") if arn.split(":", 3)[2] in _WITH_PARTS else (arn,)

    def _new_resource(self, resource: Resource) -> None:
        """Tell whom else than its own account the policy of a new resource lets in."""
        for kind, layer in self._head.documents(resource).items():
            if kind == "identity":
                continue
            for told in self._about({}, layer, kind, resource):
                if told.audience in ("anybody", "others") and told.found.witness is not None:
                    self._entries.add(resource, told, kind, new=True)

    # -- branches ---------------------------------------------------------------------------------------

    def _both_ways(
        self, base: Resource | None, head: Resource | None, ask: Ask, kind: Kind, who: str | None = None
    ) -> None:
        subject = head or base
        assert subject is not None
        more = self._over_branches(branches(head) or [None], branches(base) or [None], ask, gone=False)
        less = self._over_branches(branches(base) or [None], branches(head) or [None], ask, gone=True)
        for told in more:
            self._entries.add(subject, told, kind, who=who)
        for told in less:
            uncertain = told.found.witness is None or told.found.why
            if not uncertain or not (more or any(t.found.witness and not t.found.why for t in less)):
                self._entries.add(subject, told, kind, gone=True, who=who)

    def _over_branches(
        self, mine: Sequence[Resource | None], others: Sequence[Resource | None], ask: Ask, *, gone: bool
    ) -> list[Told]:
        """Ask for each branch; what only some of the other side's branches did not have is not clear."""
        result: list[Told] = []
        for branch in mine:
            facing = others if branch is None else counterparts(branch, [o for o in others if o]) or others
            found = [ask(*_turned((other, branch), gone), gone) for other in facing]
            if all(found):
                result.extend(found[0])
            else:
                result.extend(_doubtful(told) for some in found for told in some)
        return result


def _doubtful(told: Told) -> Told:
    return told._replace(found=replace(told.found, why=(*told.found.why, _OTHER_CONDITIONS)))


def _turned(sides: tuple[T, T], gone: bool) -> tuple[T, T]:
    return (sides[1], sides[0]) if gone else sides
