"""What statements of the head allow and those of the base do not, decided over all requests.

Only what differs is asked about: statements that both sides have and that are about none of the actions in question
cannot matter, so that a thousand roles with one changed policy are one question.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from policyengine.iam.catalogue import Catalogue, catalogue
from policyengine.iam.difference import Gain, layered_gains
from policyengine.iam.documents import Policy, Statement
from policyengine.iam.domains import Callers, account_callers, one_caller
from policyengine.iam.grammar import Kind
from policyengine.iam.reason import ALL, EVERYONE, EVERYTHING, WHY, Unknown, extended, granted
from policyengine.iam.request_set import RequestSet, Values
from policyengine.iam.search import Witness
from policyengine.iam.ways import action_bits, strange_actions
from policyengine.review.access_certain import Values as Supposed
from policyengine.review.access_certain import guesses, supposing
from policyengine.review.access_lines import Layer, Line, Pieces, layer, only, statement_key

_MOST_KEPT: Final = 4_096
_FEW: Final = 8
_EFFORT: Final = 10
"""A review has many questions, and says of one that would take long that it is not clear."""
_NAMING: Final = frozenset({"resource", "trust", "key", "rcp", "endpoint"})
"""Kinds of policies that name principals."""
Layers = Sequence[Layer]
_Sides = tuple[Layers, Layers]


@dataclass(frozen=True, slots=True)
class Found:
    """Actions newly allowed by one statement, ``cause``: of the head, or a Deny of the base that is gone (``freed``).

    ``was``: the statement of the other side in its place. ``why`` says what it depends on, where that is not known; without
    a witness nothing but that is known.
    """

    witness: Witness | None
    actions: tuple[str, ...] = ()
    cause: Line | None = None
    freed: bool = False
    why: tuple[str, ...] = ()
    was: Line | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which requests are in question. ``callers``: an ARN, ``anybody`` (nobody in particular, without credentials),
    the twelve digits of an account, or None for whoever the policies may be about; but none of ``exempt``."""

    kind: Kind
    resources: tuple[str, ...] = ("*",)
    actions: tuple[str, ...] = ("*",)
    callers: str | None = None
    exempt: tuple[str, ...] = ()
    principals: tuple[str, ...] = ("*",)
    claims: tuple[str, ...] = ()
    """Condition keys that requests carry though no list of AWS's says so: claims of tokens, ``issuer:sub``."""

    def requests(self, actions: tuple[str, ...] = ()) -> RequestSet:
        """Return the set of requests, of some actions only."""
        context = {claim.lower(): Values(("*",), absent=True) for claim in self.claims}
        spelled = {claim.lower(): claim for claim in self.claims}
        return RequestSet(
            actions or self.actions, self.resources, self.principals, context, spelled, self.exempt
        )

    def who(self) -> Callers | None:
        """Return who may ask."""
        if self.callers is None:
            return None
        if self.callers == "anybody":
            return Callers((), ("*",))
        return account_callers(self.callers) if self.callers.isdigit() else one_caller(self.callers)


def unlimited(kind: Kind) -> Layer:
    """Return the layer that allows everything: a principal without a permission boundary."""
    policy = EVERYONE if kind in _NAMING else EVERYTHING
    lines = [(s, ("unlimited", statement_key(s))) for s in policy.statements]
    return layer(Line(s, key, Pieces(frozenset((key,)))) for s, key in lines)


class Comparer:
    """Compares layers; asks each question once. ``free``: what stands for values nobody knows, and for what."""

    def __init__(self, free: Mapping[str, str]) -> None:
        self._free = free
        self._answers: dict[Hashable, list[Found]] = {}
        self._narrowed: dict[Hashable, tuple[Catalogue, Statement]] = {}

    def gained(self, old: Layers, new: Layers, asked: Asked) -> list[Found]:
        """Return what the new layers together allow and the old ones do not, a Found for each statement."""
        if all(a.keys() == b.keys() for a, b in zip(old, new, strict=True)):
            return []
        before, after = without_shared_doubts(old, new, asked.kind)
        removed, added = _differing(before, after)
        if not removed and not added:
            return []
        sides = self._reduced(before, after, [*removed, *added])
        key = (asked, *(tuple(frozenset(part) for part in side) for side in sides))
        found = self._answers.get(key)
        if found is None:
            if len(self._answers) >= _MOST_KEPT:
                self._answers.clear()
            found = self._answers[key] = self._found(sides, asked)
        return [_placed(one, before, after) for one in found]

    def _reduced(self, old: Layers, new: Layers, differing: Sequence[Line]) -> _Sides:
        """Return the statements about actions that some statement of only one side is about, as far as these go.

        Any other action is decided by the same statements on both sides.
        """
        policies = [policy_of((line for part in (*old, *new) for line in part.values()), "identity")]
        strange = any(strange_actions(line.statement) for line in differing)
        known = extended(policies, ALL) if strange else catalogue()
        wanted = sum_of(action_bits(line.statement, known) for line in differing)
        kept = {line.key for line in differing}
        before, after = (
            [
                {
                    key: found
                    for key, line in part.items()
                    if (found := self._narrow(line, wanted, known, kept))
                }
                for part in side
            ]
            for side in (old, new)
        )
        return before, after

    def _narrow(self, line: Line, wanted: int, known: Catalogue, kept: Collection[Hashable]) -> Line | None:
        """Return a statement of both sides as far as it is about some actions; None where it is not."""
        if line.key in kept:
            return line
        if not action_bits(line.statement, known) & wanted:
            return None
        if line.statement.not_action or len(line.statement.actions) <= _FEW:
            return line
        key = (line.key, wanted, id(known))
        if key not in self._narrowed:
            s = line.statement
            actions = tuple(action for action in s.actions if known.matching(action) & wanted)
            self._narrowed[key] = known, replace(s, actions=actions, compiled=[])
        return line._replace(statement=self._narrowed[key][1])

    def _found(self, sides: _Sides, asked: Asked) -> list[Found]:
        old, new = sides
        removed, added = _differing(old, new)
        supposed = guesses(removed, added, self._free)
        found: dict[Hashable, Found] = {}
        unknown: dict[str, None] = {}
        for answer in self._answered(old, new, asked):
            if isinstance(answer, Unknown):
                unknown.update(dict.fromkeys(WHY.get(code, code) for code in answer.why))
                continue
            why = self._depends(answer, sides, supposed, asked)
            cause, freed = _cause(answer.witness, added, removed)
            merged = (cause.key if cause else None, bool(why))
            before = found.get(merged)
            if before is not None:
                actions = tuple(dict.fromkeys((*before.actions, *answer.actions)))
                found[merged] = Found(before.witness, actions, before.cause, before.freed, before.why)
            else:
                found[merged] = Found(answer.witness, answer.actions, cause, freed, why)
        if unknown:
            found[None] = Found(None, (), next(iter((*added, *removed)), None), not added, tuple(unknown))
        return list(found.values())

    def _answered(
        self, old: Layers, new: Layers, asked: Asked, actions: tuple[str, ...] = ()
    ) -> Iterable[Gain | Unknown]:
        requests, kind, who = asked.requests(actions), asked.kind, asked.who()
        before, after = ([[policy_of(part.values(), kind)] for part in side] for side in (old, new))
        return layered_gains(before, after, requests, who, _EFFORT)

    def _depends(
        self, gain: Gain, sides: _Sides, supposed: Sequence[Supposed], asked: Asked
    ) -> tuple[str, ...]:
        """Return which unknown values, if they are what the other side says, make it no gain."""
        for values in supposed:
            old, new = ([layer(supposing(list(part.values()), values)) for part in side] for side in sides)
            if not any(isinstance(a, Gain) for a in self._answered(old, new, asked, (gain.witness.action,))):
                return tuple(f"{token} is {value}" for token, value in values.items())
        return ()


def policy_of(lines: Iterable[Line], kind: Kind) -> Policy:
    """Return statements as one policy."""
    return Policy(kind, "2012-10-17", None, tuple(line.statement for line in lines))


def without_shared_doubts(old: Layers, new: Layers, kind: Kind) -> tuple[list[Layer], list[Layer]]:
    """Return layers without the statements of both that are not known whole: what they do, both do.

    A layer that only limits (a boundary, a level of SCPs) then limits no more than what is known of it.
    """
    before: list[Layer] = []
    after: list[Layer] = []
    for number, (a, b) in enumerate(zip(old, new, strict=True)):
        doubts = [
            {t for line in side.values() if line.statement.opaque is not None for t in line.pieces.about}
            for side in (a, b)
        ]
        both = doubts[0] & doubts[1]
        limits = number > 0 or kind in ("scp", "rcp")
        shared = [line for line in a.values() if _doubtful(line, both)]
        rest = unlimited(kind) if limits and any(line.statement.allow for line in shared) else {}
        before.append({**{key: line for key, line in a.items() if not _doubtful(line, both)}, **rest})
        after.append({**{key: line for key, line in b.items() if not _doubtful(line, both)}, **rest})
    return before, after


def _doubtful(line: Line, doubts: set[Hashable]) -> bool:
    return line.statement.opaque is not None and line.pieces.about <= doubts


def _differing(old: Layers, new: Layers) -> tuple[list[Line], list[Line]]:
    """Return the statements of only the base, and of only the head."""
    pairs = list(zip(old, new, strict=True))
    return [line for a, b in pairs for line in only(a, b)], [line for a, b in pairs for line in only(b, a)]


def sum_of(masks: Iterable[int]) -> int:
    """Return the union of sets of actions."""
    found = 0
    for mask in masks:
        found |= mask
    return found


def _cause(witness: Witness, added: Sequence[Line], removed: Sequence[Line]) -> tuple[Line | None, bool]:
    """Return the statement that brought a request, and whether it is a Deny that is gone."""
    allows = [line for line in added if line.statement.allow and _applies(line.statement, witness)]
    denies = [line for line in removed if not line.statement.allow and _applies(line.statement, witness)]
    written = [line for line in allows if line.document is not None]
    if written:
        return written[0], False
    if denies:
        return denies[0], True
    if allows:  # a limit that is there no more
        return allows[0], False
    return (added[0], False) if added else (removed[0] if removed else None, True)


def _applies(statement: Statement, witness: Witness) -> bool:
    alone = Policy("identity", "2012-10-17", None, (replace(statement, allow=True, compiled=[]),))
    return granted([alone], witness.request()) is True


def _placed(found: Found, old: Layers, new: Layers) -> Found:
    """Return an answer that other layers may have got too, with the statements of these."""
    if found.cause is None:
        return found
    mine, other = (old, new) if found.freed else (new, old)
    cause = next((part[found.cause.key] for part in mine if found.cause.key in part), found.cause)
    return replace(found, cause=cause, was=_other(cause, mine, other))


def _other(line: Line, mine: Layers, others: Layers) -> Line | None:
    """Return the statement of the other side in a statement's place: of the same Sid, else of the same place."""
    gone = [b[key] for a, b in zip(mine, others, strict=True) for key in b if key not in a]
    gone = [one for one in gone if one.statement.allow == line.statement.allow]
    sid, place = line.statement.sid, (line.document and line.document.path, line.statement.index)
    for one in gone:
        if sid and one.statement.sid == sid:
            return one
    return next(
        (one for one in gone if (one.document and one.document.path, one.statement.index) == place), None
    )
