"""One request against every layer of policies: what AWS would answer, and why.

The order and the exceptions are those of
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and, across
accounts, reference_policies_evaluation-logic-cross-account.html. Where it cannot be known whether a
statement applies, an Allow is taken not to and a Deny is taken to; ``unknown`` then says what was not
known, if knowing it could change the decision.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Final, Literal, NamedTuple

from policyengine.iam.coverage import rcp_exempt, scp_exempt
from policyengine.iam.layers import At, Layer, LayerName, Skipped, closest
from policyengine.iam.opaque import Opaque
from policyengine.iam.plan import Places, Plan, in_order
from policyengine.iam.plan import Policies as Policies
from policyengine.iam.principals import Named
from policyengine.iam.public_access import stops
from policyengine.iam.request import Request

ENTITIES: Final = frozenset({"user", "role", "session", "federated_user"})
"""Callers that have policies of their own."""

OWN: Final[tuple[LayerName, ...]] = ("identity", "boundary", "session")
"""Layers of the principal's own policies."""

Outcome = Literal["Allowed", "ImplicitlyDenied", "ExplicitlyDenied"]


class Block(NamedTuple):
    """A layer that stopped the request, and the code of BLOCKS."""

    layer: LayerName
    level: int | None
    code: str


@lru_cache(maxsize=256)
def _block(layer: LayerName, level: int | None, code: str) -> Block:
    return Block(layer, level, code)


@dataclass(slots=True)
class Decision:
    """What was decided. ``deciding``: the Deny statements, or the Allow statements of each layer;
    ``unknown``: what could change the decision if it were known, nothing when it is certain."""

    outcome: Outcome
    deciding: list[At]
    blocked: list[Block]
    skipped: list[Skipped]
    unknown: list[Opaque] = field(default_factory=list)


def authorize(request: Request, policies: Policies) -> Decision:
    """Decide a request."""
    return _Evaluation(request, policies, in_order(policies)).decision()


def decide(request: Request, plan: Plan) -> Decision:
    """Decide a request as ``authorize`` does, by policies that many requests are about."""
    return _Evaluation(request, plan.policies, plan.readings(request)).decision()


class _Evaluation:
    """Every layer read against the request."""

    __slots__ = ("entity", "layers", "policies", "request", "skipped")

    def __init__(self, request: Request, policies: Policies, layers: Iterable[Places]) -> None:
        self.request = request
        self.policies = policies
        self.skipped: list[Skipped] = []
        self.layers: list[Layer] = []
        self.entity = request.caller.kind in ENTITIES
        bounded = self.entity and policies.boundary is not None
        own = None if self.entity else "not_an_iam_entity"
        scp = scp_exempt(request, policies.management_account) if policies.scps else None
        rcp = rcp_exempt(request, policies.management_account) if policies.rcps else None
        for places in layers:
            name = places.name
            code = own if name in OWN else scp if name == "scp" else rcp if name == "rcp" else None
            if code is None:
                self.layers.append(places.read(request, self.skipped, bounded and name == "resource"))
            else:
                self._skip(places.statements, code)

    def _skip(self, places: Iterable[At], code: str) -> None:
        self.skipped.extend([at.skipped(code) for at in places])

    def _layer(self, name: LayerName) -> Layer | None:
        for layer in self.layers:
            if layer.name == name:
                return layer
        return None

    def decision(self) -> Decision:
        """Decide strictly; where that leaves something open, see whether it matters."""
        denied: list[Layer] = []
        unknown: list[Opaque] = []
        for layer in self.layers:
            if layer.denies or layer.maybe_denies:
                denied.append(layer)
            if layer.unknown:
                unknown += layer.unknown
        missing = self._missing()
        if missing is not None:
            unknown.append(missing)
        if denied:
            outcome: Outcome = "ExplicitlyDenied"
            blocked = [_block(layer.name, layer.level, "explicit_deny") for layer in denied]
        else:
            public = self._public()
            if isinstance(public, Opaque):
                unknown.append(public)
            blocked = self._blocks(False, public is not False)
            outcome = "ImplicitlyDenied" if blocked else "Allowed"
        deciding = self._deciding(outcome)
        if unknown and outcome == self._generously():
            unknown = []
        return Decision(outcome, deciding, blocked, self.skipped, unknown)

    def _deciding(self, outcome: Outcome) -> list[At]:
        """Return the statements that decide; a Deny that may apply only where none surely does."""
        if outcome == "ImplicitlyDenied":
            return []
        if outcome == "Allowed":
            return list(chain.from_iterable([layer.allows for layer in self.layers]))
        sure: list[At] = []
        may: list[At] = []
        for layer in self.layers:
            sure += layer.denies
            may += layer.maybe_denies
        if sure:
            self._skip(may, "not_decided")
        return sure or may

    def _generously(self) -> Outcome:
        """Return the decision if everything not known turned out in favour of the request."""
        if any(layer.denied(True) for layer in self.layers):
            return "ExplicitlyDenied"
        return "ImplicitlyDenied" if self._blocks(True, self._public() is True) else "Allowed"

    def _public(self) -> bool | Opaque:
        settings = self.policies.public_access
        return False if settings is None else stops(settings, self.request, self.policies.resource)

    def _blocks(self, generous: bool, public: bool) -> list[Block]:
        """Return the layers that stop a request nobody denies explicitly."""
        # RCPFullAWSAccess cannot be detached, so an RCP layer only ever denies
        blocks = [
            _block("scp", layer.level, "no_allow")
            for layer in self.layers
            if layer.name == "scp" and not layer.allowed(generous)
        ]
        if self._lacks("endpoint", generous):
            blocks.append(Block("endpoint", None, "no_allow"))
        if public:
            blocks.append(Block("public_access", None, "public_access_blocked"))
        blocks.extend(self._grant_blocks(generous))
        return blocks

    def _grant_blocks(self, generous: bool) -> list[Block]:
        """Return what keeps identity side and resource side from granting the request."""
        request, caller = self.request, self.request.caller
        resource = self._layer("resource")
        named = Named.NOT if resource is None else closest(resource, request, generous)
        if generous and self._missing() is not None:
            named = Named.DIRECT
        same = caller.account is not None and caller.account == request.account
        if caller.kind == "root" and request.lower_action == "sts:assumerole":
            return [Block("identity", None, "root_cannot_assume")]
        if not same or caller.kind == "federated":
            granted = named is not Named.NOT
            return [*self._side(generous), *([] if granted else [Block("resource", None, "no_allow")])]
        if named in (Named.DIRECT, Named.EVERYONE):
            return []
        if named is Named.ROLE:
            return [b for b in self._side(generous) if b.layer != "identity"]
        if named is Named.NOT and self._strict():
            return [Block("resource", None, "no_allow")]
        side = self._side(generous)
        if side and named is Named.NOT and self.policies.resource is not None:
            side.append(Block("resource", None, "no_allow"))
        return side

    def _side(self, generous: bool) -> list[Block]:
        """Return what the principal's own policies lack."""
        if not self.entity:
            return []
        blocks = [Block(name, None, "no_allow") for name in OWN if self._lacks(name, generous)]
        if self.policies.session is None and self.request.caller.kind == "federated_user":
            blocks.append(Block("session", None, "no_allow"))
        return blocks

    def _lacks(self, name: LayerName, generous: bool) -> bool:
        """Say whether there is such a layer and nothing in it allows the request."""
        layer = self._layer(name)
        return layer is not None and not layer.allowed(generous)

    def _strict(self) -> bool:
        """Say whether only the resource's own policy lets principals in: roles and KMS keys."""
        request = self.request
        if request.service == "kms":
            return ":key/" in request.resource
        return request.lower_action in ROLE_ACTIONS and ":role/" in request.resource

    def _missing(self) -> Opaque | None:
        """Return what is not known where a role or a key, which always have a policy, come without."""
        if self.policies.resource is None and self._strict():
            return Opaque("the policy of the role or key is not given")
        return None


ROLE_ACTIONS = frozenset(
    {
        "sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity", "sts:setsourceidentity",
        "sts:tagsession",
    }
)  # fmt: skip
"""Actions a role's trust policy decides."""
