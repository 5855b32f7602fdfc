"""Who of a world can get more than it has, and how: every principal asked, steps looked at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from policyengine.iam.escalation import Reaches, administers, search
from policyengine.iam.escalation_edges import MAX_CHECKS, Edges
from policyengine.iam.escalation_gain import gains, plainly
from policyengine.iam.escalation_world import State, Step, World
from policyengine.iam.holding import Holder
from policyengine.iam.reason import Answer, No, Unknown, Yes

MAX_CHECKS_OF_ALL: Final = 500_000
"""Requests and targets that all questions of a survey may look at; those asked after that get ``LEAST``."""
LEAST: Final = 100
SHARE: Final = 5_000
"""Requests and targets that one question may look at however many others there are."""
GAIN: Final = 250
"""What a search counts that compares all requests of two principals; it takes as long as so many."""
MAX_KEPT: Final = 100_000
"""Requests whose answers are kept for the next principal."""


_TOO_LARGE: Final = Unknown(("too_large",))


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of a principal.

    ``administrator``: Yes, No or Unknown of its documents and boundary. ``escalates``: a :class:`Reaches`
    whose last step leads to an administrator where ``to_administrator`` is one too. Both are No for an
    administrator. ``consulted``: the principals of which all was looked at, itself among them; ``others``: whether it
    was looked who else there is, as :attr:`Edges.others` says.
    """

    arn: str
    administrator: Answer
    escalates: Answer
    to_administrator: Answer
    consulted: frozenset[str] = frozenset()
    others: bool = False


class Survey:
    """The questions of one world; answers do not depend on the order in which principals are asked,
    unless there is too much to look at.

    With ``each`` they never do: so many requests and targets are looked at for every question, whatever the others
    took.
    """

    def __init__(self, world: World, checks: int = MAX_CHECKS_OF_ALL, each: int | None = None) -> None:
        self.world = world
        self._edges = Edges(world)
        self._each = each
        self._left = checks
        self._most = min(MAX_CHECKS, max(SHARE, checks // max(1, len(world.principals))))
        self._since = 0
        self._administers: dict[State, Answer] = {}

    def of(self, arn: str, *, only_administrator: bool = False) -> Found:
        """Ask about one principal; raises KeyError for an ARN that is not in the world.

        ``only_administrator``: ``escalates`` is the same as ``to_administrator``.
        """
        start = self.world.principals[arn]
        self._edges.consulted, self._edges.others = {arn}, False
        before = self._edges.holder(State(arn))
        administrator = self._administrator(State(arn), before)
        if isinstance(administrator, Yes):
            return self._found(arn, administrator, No(), No())
        self._begin()
        top = search(self._edges, start, lambda after, step: self._top(before, after, step))
        escalates = top
        if not isinstance(top, Yes) and not only_administrator:
            self._begin()
            escalates = search(self._edges, start, lambda after, step: self._gains(before, after, step))
        self._end()
        return self._found(arn, administrator, escalates, top)

    def _found(self, arn: str, administrator: Answer, escalates: Answer, top: Answer) -> Found:
        edges = self._edges
        return Found(arn, administrator, escalates, top, frozenset(edges.consulted), edges.others)

    def _begin(self) -> None:
        self._end()
        self._edges.begin(min(self._most, max(LEAST, self._left)) if self._each is None else self._each)

    def _end(self) -> None:
        used = self._edges.used
        self._left -= used
        self._since += used
        self._edges.begin(0)
        if self._since > MAX_KEPT:
            self._since = 0
            self._edges.forget()
            self._administers.clear()

    def _administrator(self, state: State, holder: Holder) -> Answer:
        if state not in self._administers:
            self._administers[state] = administers(holder)
        return self._administers[state]

    def _top(self, before: Holder, after: Holder, step: Step) -> Answer:
        """Say whether a step leads to an administrator who may do more: SCPs may leave it no more."""
        if step.only:
            return No()
        answer = self._administrator(step.target, after)
        if not isinstance(answer, Yes):
            return answer
        return self._gains(before, after, step)

    def _gains(self, before: Holder, after: Holder, step: Step) -> Answer:
        answer = plainly(before, after, step.only) if self._edges.spend() else _TOO_LARGE
        if answer is None:
            answer = gains(before, after, step.only) if self._edges.spend(GAIN) else _TOO_LARGE
        return answer


def last(found: Found) -> State | None:
    """Return where the chain of a principal ends."""
    return found.escalates.steps[-1].target if isinstance(found.escalates, Reaches) else None
