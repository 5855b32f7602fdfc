"""One layer of policies on one request: which statements apply, which do not and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from policyengine.iam.documents import Policy, Statement
from policyengine.iam.opaque import Opaque
from policyengine.iam.principals import Named
from policyengine.iam.request import Request
from policyengine.iam.statements import MAX_REMEMBERED, Compiled, compiled

LayerName = Literal["identity", "resource", "boundary", "session", "scp", "rcp", "endpoint", "public_access"]


class At(NamedTuple):
    """A statement in its place; ``level`` counts from the organisation's root, for SCPs and RCPs only."""

    layer: LayerName
    level: int | None
    policy: int
    statement: Statement


class Skipped(NamedTuple):
    """A statement that did not apply, and the code of REASONS."""

    at: At
    code: str


class Layer:
    """What the statements of one layer (of one level) say to a request."""

    __slots__ = ("allows", "denies", "level", "maybe_allows", "maybe_denies", "name", "unknown")

    def __init__(self, name: LayerName, level: int | None = None) -> None:
        self.name = name
        self.level = level
        self.allows: list[At] = []
        self.denies: list[At] = []
        self.maybe_allows: list[At] = []
        self.maybe_denies: list[At] = []
        self.unknown: list[Opaque] = []

    def allowed(self, generous: bool) -> bool:
        """Say whether a statement allows the request; generously, one that may apply does."""
        return bool(self.allows or (generous and self.maybe_allows))

    def denied(self, generous: bool) -> bool:
        """Say whether a statement denies the request; generously, one that may apply does not."""
        return bool(self.denies or (not generous and self.maybe_denies))


def read_layer(
    layer: Layer,
    policies: Sequence[Policy],
    request: Request,
    skipped: list[Skipped],
    bounded: bool = False,
) -> Layer:
    """Put each statement where it belongs; ``bounded``: the caller has a permissions boundary."""
    name, level = layer.name, layer.level
    for index, policy in enumerate(policies):
        for statement in policy.statements:
            matcher = statement.compiled[0] if statement.compiled else compiled(statement)
            verdict = matcher.verdict(request, bounded)
            if isinstance(verdict, str):
                key = (name, level, index, verdict)
                found = matcher.places.get(key)
                if found is None:
                    found = Skipped(_at(matcher, name, level, index), verdict)
                    matcher.places[key] = found
                skipped.append(found)
                continue
            at = matcher.places.get((name, level, index)) or _at(matcher, name, level, index)
            if verdict is None:
                (layer.allows if matcher.allow else layer.denies).append(at)
            else:
                layer.unknown.append(verdict)
                if matcher.allow:
                    layer.maybe_allows.append(at)
                    skipped.append(Skipped(at, "not_decided"))
                else:
                    layer.maybe_denies.append(at)
    return layer


def _at(matcher: Compiled, name: LayerName, level: int | None, index: int) -> At:
    """Return the statement in its place, the same object each time."""
    found = matcher.places.get((name, level, index))
    if found is None:
        if len(matcher.places) >= MAX_REMEMBERED:
            matcher.places.clear()
        found = matcher.places[name, level, index] = At(name, level, index, matcher.statement)
    at: At = found
    return at


def skip_layer(
    name: LayerName, level: int | None, policies: Sequence[Policy], code: str, skipped: list[Skipped]
) -> None:
    """Note that no statement of a layer is about the request."""
    for index, policy in enumerate(policies):
        skipped.extend(Skipped(At(name, level, index, s), code) for s in policy.statements)


def closest(layer: Layer, request: Request, generous: bool) -> Named:
    """Return how closely the Allow statements name the caller, the best of them."""
    best = Named.NOT
    for at in [*layer.allows, *(layer.maybe_allows if generous else ())]:
        named = compiled(at.statement).named(request)
        best = max(best, Named.DIRECT if isinstance(named, Opaque) else named)
    return best
