"""One step of an escalation: from what a principal may do now to whom it can act as next."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import Final

from policyengine.iam.account_ids import account_of
from policyengine.iam.atoms import Setting
from policyengine.iam.authorize import Policies
from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import Policy
from policyengine.iam.domains import one_caller
from policyengine.iam.escalating import BOUNDARY_KEY, context_of, open_paths
from policyengine.iam.escalation_paths import Need, Path
from policyengine.iam.escalation_world import Principal, State, Step, World, names_service
from policyengine.iam.holding import Holder, example, templates, trust_naming, trust_of
from policyengine.iam.likely import takes
from policyengine.iam.reason import EVERYTHING, Answer, No, Unknown, Yes, can
from policyengine.iam.request_set import RequestSet
from policyengine.iam.search import Witness

MAX_CHECKS: Final = 300_000
"""Most requests and targets one question may look at."""

_NOT_ATTACHED: Final = "which managed policies are attached is not known"
_NO_GROUPS: Final = "its groups are not known"
_NO_CARRIERS: Final = "such a resource runs with this role"
_NO_TRUST: Final = "the role's trust policy is not known"


def protected(arn: str) -> bool:
    """Say whether only AWS can change a role: service-linked ones, and those of IAM Identity Center.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html (UnmodifiableEntity),
    https://repost.aws/knowledge-center/identity-center-aws-reserved-sso
    """
    return ":role/aws-service-role/" in arn or ":role/aws-reserved/" in arn


def _changes(path: Path) -> bool:
    """Say whether a path changes the principal it leads to."""
    return path.open_trust or path.gives.endswith("anything")


class Edges:
    """The steps of one world; ``cut`` says that there was too much to look at all of it."""

    def __init__(self, world: World, checks: int = MAX_CHECKS) -> None:
        self.world = world
        self.begin(checks)
        self._seen: Container[State] = ()
        self._holders: dict[State, Holder] = {}
        self._open: dict[State, list[Path]] = {}
        self._trusting: dict[tuple[str, str], Answer] = {}
        self._ahead: dict[tuple[str, str], Sequence[Principal]] = {}
        self.consulted: set[str] = set()
        """Principals of which more was looked at than :attr:`others` says, since somebody emptied it."""
        self.others = False
        """Whether it was looked which principals there are, whom their trust policies name, whether and by which
        name they have a boundary, and what runs with roles."""

    def begin(self, checks: int) -> None:
        """Start another question that may look at so many requests and targets."""
        self._checks = self.left = checks
        self.cut = False

    @property
    def used(self) -> int:
        """Return how many requests and targets the question has looked at."""
        return min(self._checks, self._checks - self.left)

    def forget(self) -> None:
        """Let go of what was found out about principals."""
        self._holders.clear()
        self._open.clear()
        self._ahead.clear()

    def principal(self, state: State) -> Principal:
        """Return the principal of a state; a user that a path makes is under its account's SCPs."""
        self.consulted.add(state.arn)
        return self._of(state)

    def _of(self, state: State) -> Principal:
        """Return the principal of a state, of which no more is looked at than of every other."""
        found = self.world.principals.get(state.arn)
        if found is not None:
            return found
        self.others = True
        return Principal(state.arn, scps=self.world.scps(account_of(state.arn)), managed=(), groups=())

    def holder(self, state: State) -> Holder:
        """Return what a principal in a state holds."""
        self.consulted.add(state.arn)
        if state.group:
            self.consulted.add(state.group)
        if state not in self._holders:
            who = self.principal(state)
            identity = [*who.identity, *([EVERYTHING] if state.anything else [])]
            if state.group:
                identity += self.world.principals[state.group].identity
            boundary = None if state.unbounded else who.boundary
            self._holders[state] = Holder(
                state.arn, identity, boundary, who.scps, self.world.management_account, self.world.rcps
            )
        return self._holders[state]

    def steps(self, state: State, seen: Container[State] = ()) -> Iterator[Step]:
        """Yield every step from a state to others than those seen, which may grow meanwhile."""
        self._seen = seen
        holder = self.holder(state)
        if state not in self._open:
            self._open[state] = open_paths(holder, trusted=True)
        for path in self._open[state]:
            if self.cut:
                return
            if path.gives in ("anything", "no boundary", "group"):
                yield from self._itself(state, holder, path)
            elif path.gives == "new user":
                target = State(f"arn:aws:iam::{holder.account}:user/new-user", anything=True)
                self.others = True
                if target.arn not in self.world.principals:
                    yield from self._step(state, holder, path, target, target.arn)
            else:
                yield from self._others(state, holder, path)

    def _itself(self, state: State, holder: Holder, path: Path) -> Iterator[Step]:
        who, on = self.principal(state), path.needs[0].on
        if path.gives == "anything":
            if state.anything or (on == "self" and protected(state.arn)):
                return
            target = state._replace(anything=True)
            if on == "self":
                yield from self._step(state, holder, path, target, state.arn)
            else:
                known = who.managed if on == "own policy" else who.groups
                guess = f"arn:aws:iam::{holder.account}:{'policy' if on == 'own policy' else 'group'}/*"
                why = _NOT_ATTACHED if on == "own policy" else _NO_GROUPS
                for arn in known if known is not None else (guess,):
                    yield from self._step(
                        state, holder, path, target, arn, None if known is not None else why
                    )
        elif path.gives == "no boundary":
            if who.boundary is not None and not state.unbounded and not protected(state.arn):
                yield from self._step(state, holder, path, state._replace(unbounded=True), state.arn)
        elif state.group is None:
            self.others = True
            for group in self.world.of("group", holder.account):
                if group.arn not in (who.groups or ()):
                    yield from self._step(state, holder, path, state._replace(group=group.arn), group.arn)

    def _others(self, state: State, holder: Holder, path: Path) -> Iterator[Step]:
        """Yield the steps to users or roles of the world."""
        common = self._common(holder, path)
        if common is None:
            return
        self.others = True
        changed = path.gives.endswith("anything")
        assumed = path.needs[-1].action == "sts:AssumeRole" and len(path.needs) == 1
        for other in self._towards(path, state.arn if assumed else None, holder.account):
            if other.arn == state.arn:
                continue
            target = State(other.arn, anything=changed)
            if not self.spend():
                return
            if target in self._seen:
                continue
            for resource, why in self._through(path, other):
                yield from self._step(state, holder, path, target, resource, why, other.trust)

    def _towards(self, path: Path, assumer: str | None, account: str) -> Sequence[Principal]:
        """Return whom a path may lead to, by a quick look; ``assumer``: who assumes them.

        But for the assumer nothing depends on who goes the path, so it is looked at once for an account.
        """
        if assumer is not None:
            return [other for other in self.world.trusting(assumer) if self._may_lead(path, other)]
        key = (path.id, account)
        if key not in self._ahead:
            others = self.world.of(path.gives.partition(" ")[0], account)
            self._ahead[key] = [other for other in others if self._may_lead(path, other)]
        return self._ahead[key]

    def _may_lead(self, path: Path, other: Principal) -> bool:
        """Say whether ``_through`` may yield anything."""
        if _changes(path) and protected(other.arn):
            return False
        if path.service is None:
            return True
        if self.world.carriers is not None and any(n.on == "carrier" for n in path.needs):
            unlisted = (account_of(other.arn), path.service) in self.world.unlisted
            if not unlisted or (path.service, other.arn) in self.world.carried:
                return (path.service, other.arn) in self.world.carried
        return other.trust is None or names_service(other.trust, path.service)

    def _through(self, path: Path, other: Principal) -> Iterator[tuple[str, str | None]]:
        """Yield what the requests of a path to a principal are about, and what is not known of it."""
        if path.service is None:
            if other.kind == "role" and other.trust is None and not path.open_trust:
                yield other.arn, _NO_TRUST
            else:
                yield other.arn, None
            return
        carried = any(n.on == "carrier" for n in path.needs)
        if carried and self.world.carriers is not None:
            for carrier in self.world.carried.get((path.service, other.arn), ()):
                yield carrier.arn, None
            if (account_of(other.arn), path.service) not in self.world.unlisted:
                return
        trusting = self._trusts(other, path.service)
        if not isinstance(trusting, No):
            why = None if isinstance(trusting, Yes) else _NO_TRUST
            yield ("*", why or _NO_CARRIERS) if carried else (other.arn, why)

    def _trusts(self, role: Principal, service: str) -> Answer:
        """Say whether a role can be assumed by a service."""
        if role.trust is None:
            return Unknown((_NO_TRUST,))
        if not names_service(role.trust, service):
            return No()
        key = (role.arn, service)
        if key not in self._trusting:
            requests = RequestSet(("sts:AssumeRole",), (role.arn,))
            setting = Setting(account=account_of(role.arn))
            policies = Policies(resource=role.trust, rcps=self.world.rcps.get(account_of(role.arn), ()))
            self._trusting[key] = can(requests, policies, one_caller(service), setting)
        return self._trusting[key]

    def _common(self, holder: Holder, path: Path) -> list[Witness] | None:
        """Ask for the requests of a path that do not depend on its target; None: one is not allowed."""
        found: list[Witness] = []
        for need in path.needs:
            if need.on == "any":
                answer = self._about_anything(holder, need)
                if not isinstance(answer, Yes):
                    return None
                found.append(answer.witness)
        return found

    def _about_anything(self, holder: Holder, need: Need) -> Answer:
        shapes = templates(catalogue(), need.action, need.kind)
        likely = example(shapes[0], holder.account) if shapes else "*"
        pattern = example(shapes[0], holder.account, "*", "*") if need.kind and shapes else "*"
        return holder.asks(need.action, pattern, dict(need.context), None, likely)

    def _step(
        self,
        state: State,
        holder: Holder,
        path: Path,
        target: State,
        resource: str,
        why: str | None = None,
        trust: Policy | None = None,
    ) -> Iterator[Step]:
        """Yield the step if every request of it is allowed, or may be."""
        requests: list[Witness] = []
        for need in self._needs(path):
            if not self.spend():
                return
            if need.on == "any":
                answer = self._about_anything(holder, need)
            else:
                about = target.arn if need.on == "role" else resource
                if need.on == "carrier" and about != "*" and not takes(need.action, about):
                    return
                context = self._context(need, state if need.on.startswith(("self", "own")) else target)
                answer = holder.asks(
                    need.action, about, context, self._trust(path, need, holder, about, trust)
                )
            if isinstance(answer, No):
                return
            if isinstance(answer, Unknown):
                why = why or answer.why[0]
            else:
                requests.append(answer.witness)
        yield Step(path.id, state, target, tuple(requests), path.reference, why, path.only)

    def spend(self, checks: int = 1) -> bool:
        """Count what was looked at; False when that was too much."""
        self.left -= checks
        self.cut = self.cut or self.left < 0
        return not self.cut

    @staticmethod
    def _needs(path: Path) -> Sequence[Need]:
        """Return the requests of a path; who rewrites a trust policy then assumes the role."""
        return (*path.needs, Need("sts:AssumeRole", "role")) if path.open_trust else path.needs

    @staticmethod
    def _trust(path: Path, need: Need, holder: Holder, about: str, trust: Policy | None) -> Policy | None:
        if need.action != "sts:AssumeRole":
            return None
        if path.open_trust:
            return trust_naming(holder.arn)
        return trust if trust is not None else trust_of(account_of(about))

    def _context(self, need: Need, about: State) -> dict[str, str | None]:
        """Return the keys of a request about a principal: its boundary is in them."""
        who = self._of(about)
        context = context_of(need, None if about.unbounded else who.boundary_arn)
        unnamed = who.boundary is not None and who.boundary_arn is None and not about.unbounded
        if unnamed and BOUNDARY_KEY not in dict(need.context):
            context.pop(BOUNDARY_KEY, None)
        return context
