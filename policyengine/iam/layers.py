"""Layers: what the statements of one kind of policy (of one level of an organisation) say to a request.

Each statement ends up as one that allows, one that denies, or one that did not apply, with the code why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeVar

from policyengine.iam.documents import Policy, Statement
from policyengine.iam.opaque import Opaque
from policyengine.iam.principals import Named
from policyengine.iam.request import Request
from policyengine.iam.statements import Compiled, Verdict, compiled

LayerName = Literal["identity", "resource", "boundary", "session", "scp", "rcp", "endpoint", "public_access"]

Item = TypeVar("Item")


class At:
    """A statement in its place; ``level`` counts from the organisation's root, for SCPs and RCPs only.

    ``text`` is what a writer keeps of it.
    """

    __slots__ = ("_skipped", "allow", "layer", "level", "matcher", "policy", "statement", "text")

    def __init__(self, layer: LayerName, level: int | None, policy: int, matcher: Compiled) -> None:
        self.layer = layer
        self.level = level
        self.policy = policy
        self.matcher = matcher
        self.statement: Statement = matcher.statement
        self.allow = matcher.allow
        self.text: str | None = None
        self._skipped: Skipped | None = None

    def skipped(self, code: str) -> Skipped:
        """Return the statement as one that did not apply; the same object as for the same code before."""
        found = self._skipped
        if found is None or found.code != code:
            found = self._skipped = Skipped(self, code)
        return found

    def step(self, action: str, resource: str) -> Step:
        """Return what the action and the resource settle of the statement."""
        matcher = self.matcher
        code = matcher.of_action(action)
        if code is not None:
            return self.skipped(code)
        if not matcher.plain:
            return Still(self, matcher.verdict)
        found = matcher.of_resource(resource)
        if isinstance(found, str):
            return self.skipped(found)
        if found is not None:
            return Still(self, matcher.verdict)
        return self if matcher.unconditional else Still(self, matcher.of_conditions)


class Skipped:
    """A statement that did not apply, and the code of REASONS."""

    __slots__ = ("at", "code", "text")

    def __init__(self, at: At, code: str) -> None:
        self.at = at
        self.code = code
        self.text: str | None = None


class Still:
    """A statement that more than the action and the resource of a request decides about."""

    __slots__ = ("at", "verdict")

    def __init__(self, at: At, verdict: Callable[[Request, bool], Verdict]) -> None:
        self.at = at
        self.verdict = verdict


Step = At | Skipped | Still
"""A statement about one action and one resource: it applies, it does not, or it is still open."""


class Layer:
    """What the statements of one layer (of one level) say to a request."""

    __slots__ = ("allows", "denies", "level", "maybe_allows", "maybe_denies", "name", "unknown")

    def __init__(self, name: LayerName, level: int | None = None) -> None:
        self.name = name
        self.level = level
        self.allows: list[At] = []
        self.denies: list[At] = []
        self.maybe_allows: Sequence[At] = ()
        self.maybe_denies: Sequence[At] = ()
        self.unknown: Sequence[Opaque] = ()

    def allowed(self, generous: bool) -> bool:
        """Say whether a statement allows the request; generously, one that may apply does."""
        return bool(self.allows or (generous and self.maybe_allows))

    def denied(self, generous: bool) -> bool:
        """Say whether a statement denies the request; generously, one that may apply does not."""
        return bool(self.denies or (not generous and self.maybe_denies))

    def add(self, at: At, verdict: Verdict, skipped: list[Skipped]) -> None:
        """Put a statement where its verdict belongs."""
        if verdict is None:
            (self.allows if at.allow else self.denies).append(at)
        elif isinstance(verdict, str):
            skipped.append(at.skipped(verdict))
        else:
            self.unknown = _with(self.unknown, verdict)
            if at.allow:
                self.maybe_allows = _with(self.maybe_allows, at)
                skipped.append(at.skipped("not_decided"))
            else:
                self.maybe_denies = _with(self.maybe_denies, at)


def _with(items: Sequence[Item], item: Item) -> list[Item]:
    """Return the items and one more; a list is kept, so that adding many takes no longer than it must."""
    found = items if isinstance(items, list) else [*items]
    found.append(item)
    return found


def placed(name: LayerName, level: int | None, policies: Iterable[Policy]) -> tuple[At, ...]:
    """Return every statement of a layer (of one level) in its place, in order."""
    return tuple(
        [
            statement_at(statement, name, level, index)
            for index, policy in enumerate(policies)
            for statement in policy.statements
        ]
    )


def statement_at(statement: Statement, name: LayerName, level: int | None, index: int) -> At:
    """Return the statement in its place; the same object as for the same place before."""
    matcher = compiled(statement)
    found: At | None = matcher.place
    if found is None or found.policy != index or found.level != level or found.layer != name:
        found = matcher.place = At(name, level, index, matcher)
    return found


def read_layer(
    layer: Layer,
    policies: Sequence[Policy],
    request: Request,
    skipped: list[Skipped],
    bounded: bool = False,
) -> Layer:
    """Put each statement where it belongs; ``bounded``: the caller has a permissions boundary."""
    for at in placed(layer.name, layer.level, policies):
        layer.add(at, at.matcher.verdict(request, bounded), skipped)
    return layer


def closest(layer: Layer, request: Request, generous: bool) -> Named:
    """Return how closely the Allow statements name the caller, the best of them."""
    best = Named.NOT
    for at in [*layer.allows, *(layer.maybe_allows if generous else ())]:
        named = compiled(at.statement).named(request)
        best = max(best, Named.DIRECT if isinstance(named, Opaque) else named)
    return best
