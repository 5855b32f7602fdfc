"""One request against every layer of policies: what AWS would answer, and why.

The order and the exceptions are those of
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and, across
accounts, reference_policies_evaluation-logic-cross-account.html. Where it cannot be known whether a
statement applies, an Allow is taken not to and a Deny is taken to; ``unknown`` then says what was not
known, if knowing it could change the decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from policyengine.iam.coverage import rcp_exempt, scp_exempt
from policyengine.iam.documents import Policy
from policyengine.iam.layers import At, Layer, LayerName, Skipped, closest, read_layer, skip_layer
from policyengine.iam.opaque import Opaque
from policyengine.iam.principals import Named
from policyengine.iam.public_access import PublicAccessBlock, stops
from policyengine.iam.request import Request

Outcome = Literal["Allowed", "ImplicitlyDenied", "ExplicitlyDenied"]


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


class Block(NamedTuple):
    """A layer that stopped the request, and the code of BLOCKS."""

    layer: LayerName
    level: int | None
    code: str


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
    return _Evaluation(request, policies).decision()


class _Evaluation:
    """Every layer read against the request."""

    def __init__(self, request: Request, policies: Policies) -> None:
        self.request = request
        self.policies = policies
        self.skipped: list[Skipped] = []
        self.layers: list[Layer] = []
        self.scps: list[Layer] = []
        caller = request.caller
        entity = caller.kind in ("user", "role", "session", "federated_user")
        bounded = entity and policies.boundary is not None
        self.identity = self._read("identity", policies.identity, entity)
        self.boundary = self._read("boundary", (policies.boundary,), entity) if policies.boundary else None
        self.session = None if policies.session is None else self._read("session", policies.session, entity)
        self.resource = Layer("resource")
        if policies.resource is not None:
            self.layers.append(
                read_layer(self.resource, (policies.resource,), request, self.skipped, bounded)
            )
        self.endpoint = self._read("endpoint", (policies.endpoint,), True) if policies.endpoint else None
        self._organization()

    def _read(self, name: LayerName, policies: Sequence[Policy], entity: bool) -> Layer:
        layer = Layer(name)
        if entity:
            self.layers.append(read_layer(layer, policies, self.request, self.skipped))
        else:
            skip_layer(name, None, policies, "not_an_iam_entity", self.skipped)
        return layer

    def _organization(self) -> None:
        request, policies = self.request, self.policies
        if policies.scps:
            exempt = scp_exempt(request, policies.management_account)
            for level, chain in enumerate(policies.scps):
                if exempt is not None:
                    skip_layer("scp", level, chain, exempt, self.skipped)
                else:
                    self.scps.append(read_layer(Layer("scp", level), chain, request, self.skipped))
            self.layers.extend(self.scps)
        if policies.rcps:
            exempt = rcp_exempt(request, policies.management_account)
            for level, chain in enumerate(policies.rcps):
                if exempt is not None:
                    skip_layer("rcp", level, chain, exempt, self.skipped)
                else:
                    # RCPFullAWSAccess cannot be detached, so an RCP layer only ever denies
                    self.layers.append(read_layer(Layer("rcp", level), chain, request, self.skipped))

    def decision(self) -> Decision:
        """Decide strictly; where that leaves something open, see whether it matters."""
        denied = [layer for layer in self.layers if layer.denied(False)]
        blocked = [Block(layer.name, layer.level, "explicit_deny") for layer in denied]
        public: bool | Opaque = False
        unknown = [u for layer in self.layers for u in layer.unknown]
        missing = self._missing()
        if missing is not None:
            unknown.append(missing)
        if not denied:
            public = self._public()
            if isinstance(public, Opaque):
                unknown.append(public)
            blocked = self._blocks(False, public is not False)
        outcome: Outcome = "ExplicitlyDenied" if denied else "ImplicitlyDenied" if blocked else "Allowed"
        deciding = self._deciding(outcome)
        if unknown and outcome == self._generously():
            unknown = []
        return Decision(outcome, deciding, blocked, self.skipped, unknown)

    def _deciding(self, outcome: Outcome) -> list[At]:
        """Return the statements that decide; a Deny that may apply only where none surely does."""
        if outcome == "ImplicitlyDenied":
            return []
        if outcome == "Allowed":
            return [at for layer in self.layers for at in layer.allows]
        may = [at for layer in self.layers for at in layer.maybe_denies]
        sure = [at for layer in self.layers for at in layer.denies]
        if sure:
            self.skipped.extend(Skipped(at, "not_decided") for at in may)
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
        blocks = [Block("scp", s.level, "no_allow") for s in self.scps if not s.allowed(generous)]
        if self.endpoint is not None and not self.endpoint.allowed(generous):
            blocks.append(Block("endpoint", None, "no_allow"))
        if public:
            blocks.append(Block("public_access", None, "public_access_blocked"))
        blocks.extend(self._grant_blocks(generous))
        return blocks

    def _grant_blocks(self, generous: bool) -> list[Block]:
        """Return what keeps identity side and resource side from granting the request."""
        request, caller = self.request, self.request.caller
        named = closest(self.resource, request, generous)
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
        kind = self.request.caller.kind
        if kind not in ("user", "role", "session", "federated_user"):
            return []
        blocks = [] if self.identity.allowed(generous) else [Block("identity", None, "no_allow")]
        if self.boundary is not None and not self.boundary.allowed(generous):
            blocks.append(Block("boundary", None, "no_allow"))
        if self.session is not None and not self.session.allowed(generous):
            blocks.append(Block("session", None, "no_allow"))
        elif self.session is None and kind == "federated_user":
            blocks.append(Block("session", None, "no_allow"))
        return blocks

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
