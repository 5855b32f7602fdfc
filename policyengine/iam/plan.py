"""Policies made ready to be asked about many requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policyengine.iam.documents import Policy
from policyengine.iam.layers import At, Layer, LayerName, Skipped, Step, Still, placed
from policyengine.iam.public_access import PublicAccessBlock
from policyengine.iam.request import Request
from policyengine.iam.statements import MAX_REMEMBERED


@dataclass(frozen=True, slots=True)
class Policies:
    """All that may have a say. None: there is no such layer (a boundary nobody set, session policies
    nobody passed, an endpoint nobody uses). ``scps`` and ``rcps`` have one list for the root, for each
    OU on the way and for the account; no list: no organisation, or the policy type is not enabled.
    """

    identity: Sequence[Policy] = ()
    resource: Policy | None = None
    boundary: Policy | None = None
    session: Sequence[Policy] | None = None
    scps: Sequence[Sequence[Policy]] = ()
    rcps: Sequence[Sequence[Policy]] = ()
    endpoint: Policy | None = None
    public_access: PublicAccessBlock | None = None
    management_account: str | None = None


class Places:
    """The statements of one layer (of one level), each in its place."""

    __slots__ = ("level", "name", "statements")

    def __init__(self, name: LayerName, level: int | None, statements: tuple[At, ...]) -> None:
        self.name = name
        self.level = level
        self.statements = statements

    def read(self, request: Request, skipped: list[Skipped], bounded: bool) -> Layer:
        """Return what the layer says of a request; ``bounded``: the caller has a permissions boundary."""
        layer = Layer(self.name, self.level)
        for at in self.statements:
            verdict = at.matcher.verdict(request, bounded)
            if verdict is None:
                (layer.allows if at.allow else layer.denies).append(at)
            else:
                layer.add(at, verdict, skipped)
        return layer


class Reading(Places):
    """A layer of which an action and a resource have settled what they can."""

    __slots__ = ("_open", "_settled", "_skipped")

    def __init__(self, places: Places, action: str, resource: str) -> None:
        super().__init__(places.name, places.level, places.statements)
        self._open: list[Step] = []
        self._skipped: list[Skipped] = []
        self._settled: Layer | None = None
        steps = [at.step(action, resource) for at in places.statements]
        if Still in map(type, steps):
            self._open = steps
            return
        self._settled = Layer(places.name, places.level)
        for step in steps:
            if isinstance(step, Skipped):
                self._skipped.append(step)
            elif isinstance(step, At):
                (self._settled.allows if step.allow else self._settled.denies).append(step)

    def read(self, request: Request, skipped: list[Skipped], bounded: bool) -> Layer:
        """Return what the layer says of a request with this action and resource."""
        if self._settled is not None:
            skipped += self._skipped
            return self._settled
        layer = Layer(self.name, self.level)
        for step in self._open:
            if isinstance(step, Still):
                verdict = step.verdict(request, bounded)
                if isinstance(verdict, str):
                    skipped.append(step.at.skipped(verdict))
                else:
                    layer.add(step.at, verdict, skipped)
            elif isinstance(step, Skipped):
                skipped.append(step)
            else:
                (layer.allows if step.allow else layer.denies).append(step)
        return layer


def in_order(policies: Policies) -> list[Places]:
    """Return the layers in the order they are read."""
    layers = [_places("identity", None, policies.identity)]
    if policies.boundary is not None:
        layers.append(_places("boundary", None, (policies.boundary,)))
    if policies.session is not None:
        layers.append(_places("session", None, policies.session))
    if policies.resource is not None:
        layers.append(_places("resource", None, (policies.resource,)))
    if policies.endpoint is not None:
        layers.append(_places("endpoint", None, (policies.endpoint,)))
    layers += [_places("scp", level, chain) for level, chain in enumerate(policies.scps)]
    layers += [_places("rcp", level, chain) for level, chain in enumerate(policies.rcps)]
    return layers


def _places(name: LayerName, level: int | None, policies: Sequence[Policy]) -> Places:
    return Places(name, level, placed(name, level, policies))


class Plan:
    """Policies to be asked about many requests: what each statement says of an action and a resource is
    remembered. Principals and conditions are asked anew for each request, and nothing that was decided
    is kept.
    """

    __slots__ = ("_places", "_readings", "policies")

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self._places = in_order(policies)
        self._readings: dict[tuple[str, str], list[Reading]] = {}

    def readings(self, request: Request) -> Sequence[Places]:
        """Return the layers for the action and the resource of a request, in the order they are read."""
        key = (request.lower_action, request.resource)
        found = self._readings.get(key)
        if found is None:
            found = [Reading(places, *key) for places in self._places]
            if len(self._readings) >= MAX_REMEMBERED:
                self._readings.clear()
            self._readings[key] = found
        return found
