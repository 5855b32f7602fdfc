"""Can one principal make itself, or another of its account, do something? Single steps of the escalation graph.

Where ``escalation`` looks for chains to more than somebody has, here it is known whom a step must lead to,
so each pair is looked at once, and only along paths that may lead from the one to the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from policyengine.iam.catalogue import catalogue
from policyengine.iam.duties import ANY
from policyengine.iam.escalating import open_paths
from policyengine.iam.escalation_edges import Edges
from policyengine.iam.escalation_paths import PATHS, Need, Path
from policyengine.iam.escalation_world import Principal, State, Step, World
from policyengine.iam.glob import compile_glob, has_wildcard
from policyengine.iam.holding import Holder
from policyengine.iam.reason import Answer
from policyengine.iam.ways import action_bits

LEAST: Final = 20_000
MOST: Final = 100
"""Requests that are looked at for each principal of an account, those of the others left over."""
MOST_OF_ONE: Final = 3_000
CHANGES: Final = 64
"""So many principals that one can change are looked at; ``more`` names those who can change others too."""
_ITSELF: Final = frozenset({"anything", "no boundary", "group", "new user"})
_ASSUMING: Final = "sts:AssumeRole"
_STARTS: Final = frozenset({"codebuild:StartBuild", "codebuild:StartBuildBatch"})
_BUILDSPEC: Final = "codebuild:source.buildspec"


def _changing(path: Path) -> bool:
    return path.gives in _ITSELF or path.gives.endswith("anything")


_LEADING: Final = tuple(path for path in PATHS if not _changing(path) and path.id != _ASSUMING)


class Takeovers(Edges):
    """Answers about one world, each once. ``spent``: there was too much to look at all of it."""

    def __init__(self, world: World, holders: Mapping[str, Holder]) -> None:
        super().__init__(world)
        self._holders.update((State(arn), holder) for arn, holder in holders.items())
        self._budget = max(LEAST, MOST * len(world.principals))
        self.spent = False
        self.more: set[str] = set()
        """Principals that can change more of the others than were looked at."""
        self._only: Principal | None = None
        self._source = ""
        self._ways: dict[tuple[str, int], tuple[list[Path], list[Path]]] = {}
        self._may: dict[str, bool] = {}
        self._to: dict[str, frozenset[str]] = {}
        self._found: dict[tuple[str, str], Step | None] = {}
        self._changes: dict[str, tuple[Step, ...]] = {}
        self._anything: dict[tuple[str, Need], Answer] = {}
        self._about: dict[tuple[str, str], Callable[[str], object]] = {}

    def open(self, arn: str) -> bool:
        """Say whether any path but assuming roles is open to a principal, as far as its documents name actions."""
        known = self._may.get(arn)
        if known is None:
            known = self._may[arn] = any(self._open_to(arn))
        return known

    def changes(self, arn: str) -> Sequence[Step]:
        """Return steps that give a principal of the account, itself first, what it has not now."""
        if arn not in self._changes:
            found: dict[State, Step] = {}
            for step in self._steps(arn, self._open_to(arn)[0], None):
                if step.target not in found and len(found) >= CHANGES:
                    self.more.add(arn)
                    break
                if step.target not in found or found[step.target].unsure is not None:
                    found[step.target] = step
            self._changes[arn] = tuple(found.values())
        return self._changes[arn]

    def step(self, arn: str, target: str) -> Step | None:
        """Return a step from one principal to another as it is, a certain one if there is one."""
        key = (arn, target)
        if key not in self._found:
            to = self._leading_to(target)
            paths = [p for p in self._open_to(arn)[1] if p.id in to and self._may_be_about(arn, p, target)]
            best: Step | None = None
            for step in self._steps(arn, paths, self.world.principals[target]) if paths else ():
                if best is None or (step.unsure is None and not step.only):
                    best = step
                if best.unsure is None and not best.only:
                    break
            self._found[key] = best
        return self._found[key]

    def _steps(self, arn: str, paths: list[Path], only: Principal | None) -> Sequence[Step]:
        if self._budget <= 0:
            self.spent = True
            return ()
        state = State(arn)
        self._open[state], self._only, self._source = paths, only, arn
        self.begin(min(MOST_OF_ONE, self._budget))
        found = []
        for step in self.steps(state):
            found.append(step)
            if only is not None and step.unsure is None and not step.only:
                break
            if len(found) >= 4 * CHANGES:
                if only is None:
                    self.more.add(arn)
                break
        self._budget -= self.used
        self.spent = self.spent or self.cut
        return found

    def _open_to(self, arn: str) -> tuple[list[Path], list[Path]]:
        """Return the paths open to a principal that change somebody, and those that lead to another."""
        holder = self.holder(State(arn))
        key = (arn.split(":", 5)[5].partition("/")[0], holder.masks.may)
        if key not in self._ways:
            found = [path for path in open_paths(holder, trusted=True) if path.id != _ASSUMING]
            self._ways[key] = (
                [path for path in found if _changing(path)],
                [path for path in found if not _changing(path)],
            )
        return self._ways[key]

    def _leading_to(self, target: str) -> frozenset[str]:
        if target not in self._to:
            other = self.world.principals[target]
            self._to[target] = frozenset(
                path.id for path in _LEADING if path.gives == other.kind and self._may_lead(path, other)
            )
        return self._to[target]

    def _towards(self, path: Path, assumer: str | None, account: str) -> Sequence[Principal]:
        if self._only is not None:
            return (self._only,)
        found = super()._towards(path, assumer, account)
        return [other for other in found if self._may_be_about(self._source, path, other.arn)]

    def _may_be_about(self, arn: str, path: Path, target: str) -> bool:
        """Say whether statements of a principal name the target of a path, which only they can let it go.

        Of paths that begin with a request about the target: their actions are of IAM, whose users and roles
        have no policies that allow such requests.
        """
        need = path.needs[0]
        if need.on not in ("role", "user") or not need.action.startswith("iam:"):
            return True
        key = (arn, need.action)
        if key not in self._about:
            self._about[key] = _named(self.holder(State(arn)), need.action)
        return bool(self._about[key](target))

    def _about_anything(self, holder: Holder, need: Need) -> Answer:
        """Ask once: only principals as they are go steps here, so an ARN says who asks."""
        key = (holder.arn, need)
        if key not in self._anything:
            self._anything[key] = super()._about_anything(holder, need)
        return self._anything[key]

    def _context(self, need: Need, about: State) -> dict[str, str | None]:
        """Return the keys of a request; a build does what somebody wants with a buildspec of theirs."""
        context = super()._context(need, about)
        return {**context, _BUILDSPEC: ANY} if need.action in _STARTS else context


def _named(holder: Holder, action: str) -> Callable[[str], object]:
    """Return what matches the ARNs about which statements may allow an action."""
    known = catalogue()
    bit = 1 << (known.index(action) or 0)
    patterns: dict[str, None] = {}
    for statement in (s for policy in holder.identity for s in policy.statements if s.allow):
        if not action_bits(statement, known) & bit:
            continue
        texts = statement.resources
        if texts is None or statement.not_resource or statement.opaque is not None:
            return _any
        patterns.update(dict.fromkeys(texts))
    if any(text == "*" or "${" in text for text in patterns):
        return _any
    exact = {text for text in patterns if not has_wildcard(text)}
    matches = [compile_glob(text) for text in patterns if text not in exact]
    return lambda arn: arn in exact or any(match(arn) for match in matches)


def _any(arn: str) -> bool:
    return True
