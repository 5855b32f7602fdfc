"""Can a principal escalate to more than it has? The graph over the principals of a world.

A state is a principal, perhaps changed; a step is a known path (``escalation_paths.py``) whose every
request is allowed to the principal with all its layers. Each step is gone by one principal with what it may
do in that state: what two could only do together is not found. States are visited breadth first, so the
chain that is found is a shortest one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from policyengine.iam.administration import administrator
from policyengine.iam.escalation_edges import Edges
from policyengine.iam.escalation_gain import gains
from policyengine.iam.escalation_world import Carrier, Principal, State, Step, World, render
from policyengine.iam.holding import Holder
from policyengine.iam.reason import Answer, No, Unknown, Yes

MAX_STATES: Final = 5_000

Reached = Callable[[Holder, Step], Answer]


@dataclass(frozen=True, slots=True)
class Reaches(Yes):
    """Yes; the witness is a request that is allowed in the end and was not at first."""

    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return render(self.steps)


def escalates(world: World, principal: str) -> Answer:
    """Say whether a chain of known paths leads a principal to something it is not allowed.

    Yes: a :class:`Reaches` with a shortest chain, every request in it allowed. No: none of the known paths
    does. Unknown: what is not known stands in the way, or there was too much to look at (``too_large``).
    Raises KeyError for an ARN that is not in the world.
    """
    start = world.principals[principal]
    edges = Edges(world)
    before = edges.holder(State(principal))
    if not before.scps and is_administrator(before):
        return No()
    return search(edges, start, lambda after, step: gains(before, after, step.only))


def reaches_administrator(world: World, principal: str) -> Answer:
    """Say whether a chain leads to a principal whose identity policies amount to administrator, without a
    boundary that takes away from it; SCPs limit it all the same."""
    start = world.principals[principal]
    edges = Edges(world)
    if is_administrator(edges.holder(State(principal))):
        return No()
    return search(edges, start, lambda after, step: No() if step.only else administers(after))


def paths_to_admin(world: World, principal: str) -> list[Step]:
    """Return a shortest chain to administrator, each step certain; [] where none is known."""
    found = reaches_administrator(world, principal)
    return list(found.steps) if isinstance(found, Reaches) else []


def is_administrator(holder: Holder) -> bool:
    """Say whether a principal's documents amount to administrator, its boundary included."""
    return isinstance(administers(holder), Yes)


def administers(holder: Holder) -> Answer:
    """Say whether a principal's documents amount to administrator, its boundary included; SCPs are not."""
    found = administrator(holder.identity, holder.arn)
    if isinstance(found, Yes) and holder.boundary is not None:
        limit = administrator((holder.boundary,), holder.arn)
        return found if isinstance(limit, Yes) else limit
    return found


def search(edges: Edges, start: Principal, reached: Reached) -> Answer:
    """Look for a certain chain to what is reached; what is not certain is gone only once there is none."""
    why: dict[str, None] = {}
    passed: list[Step] = []
    found = _walk(edges, start, reached, why, passed)
    if found is not None:
        return found
    # where no step was passed over, going over all of them again finds the same
    unsure = _walk(edges, start, reached, why, None) if passed else None
    if unsure is not None:
        told = next(s.unsure for s in unsure.steps if s.unsure)
        return Unknown((f"{unsure.steps[-1].path}: if {told}",))
    if edges.cut:
        why["too_large"] = None
    why.update(dict.fromkeys(start.opaque))
    return Unknown(tuple(why)) if why else No()


def _walk(
    edges: Edges, start: Principal, reached: Reached, why: dict[str, None], passed: list[Step] | None
) -> Reaches | None:
    """Return the first chain; ``passed`` gets a step that is not certain, of which then none is gone."""
    first = State(start.arn)
    came: dict[State, Step | None] = {first: None}
    queue = deque([first])
    while queue:
        state = queue.popleft()
        for step in edges.steps(state, came):
            if step.target in came:
                continue
            if step.unsure is not None and passed is not None:
                passed[:] = [step]
                continue
            answer = reached(edges.holder(step.target), step)
            if isinstance(answer, Yes):
                return Reaches(answer.witness, (*_chain(came, state), step))
            if isinstance(answer, Unknown):
                why.update(dict.fromkeys(answer.why))
            if step.only:
                continue
            if len(came) >= MAX_STATES:
                edges.cut = True
                return None
            came[step.target] = step
            why.update(dict.fromkeys(edges.principal(step.target).opaque))
            queue.append(step.target)
    return None


def _chain(came: dict[State, Step | None], state: State) -> Iterator[Step]:
    steps = []
    step = came[state]
    while step is not None:
        steps.append(step)
        step = came[step.source]
    yield from reversed(steps)


__all__ = [
    "Carrier", "Principal", "Reaches", "State", "Step", "World", "escalates", "is_administrator",
    "paths_to_admin", "reaches_administrator", "render",
]  # fmt: skip
