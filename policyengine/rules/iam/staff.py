"""Who there is in an account, what each may effectively do, and as whom they can act.

Effectively: identity policies (those of groups among them) within the permissions boundary and the SCPs above
the account, together with the resource's own policy, of each principal and of the roles it may assume. What
a source does not show is not taken for granted: SCPs it does not show deny nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from policyengine.iam.account_ids import account_of
from policyengine.iam.documents import Policy, Statement
from policyengine.iam.domains import one_caller
from policyengine.iam.escalation_world import Principal, State, World, names_service
from policyengine.iam.glob import compile_glob
from policyengine.iam.holding import Holder
from policyengine.iam.questions import administrator
from policyengine.iam.reason import Answer, Unknown, Yes, grants
from policyengine.iam.request_set import RequestSet
from policyengine.iam.takeovers import Takeovers
from policyengine.model.values import Unresolved
from policyengine.rules.iam.held import remembered

_LONGEST_CHAIN: Final = 4
"""Roles one after another; AWS sets no limit, but nobody builds longer ones on purpose."""
_TAG_SESSION: Final = "sts:tagsession"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: about an ARN or a pattern of ARNs (``likely``: one of them). ``own``: the resource's own
    policy; ``tags``: the resource's, None where they are not known."""

    action: str
    resource: str
    context: tuple[tuple[str, str | None], ...] = ()
    own: Policy | None = None
    likely: str | None = None
    tags: Mapping[str, Any] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Member:
    """A user or role. ``group``: what it has in common with those whose answers are the same as its own.

    ``changed``: how somebody could make it another than it is; empty: as it is.
    """

    arn: str
    holder: Holder
    tags: Mapping[str, Any] | None
    trust: Policy | None
    group: object
    changed: str = ""


class Staff:
    """The users and roles of one account, or of one file of code."""

    def __init__(
        self,
        world: World,
        tags: Mapping[str, Mapping[str, Any] | None],
        more: Unresolved | None,
        code: bool = False,
    ) -> None:
        self.more = more
        """Why there may be others."""
        self._world = world
        self._code = code
        self._reach: dict[str, tuple[tuple[Member, Answer], ...]] = {}
        self._administrators: dict[object, bool] = {}
        self._answers: dict[tuple[object, Ask], tuple[Ask, Answer]] = {}
        self._keys: dict[object, tuple[str, ...]] = {}
        self._guests: Mapping[str, tuple[Member, ...]] | None = None
        self._changed: dict[State, Member] = {}
        self.members: dict[str, Member] = {
            arn: self._member(principal, tags.get(arn))
            for arn, principal in world.principals.items()
            if principal.kind != "group" and ":role/aws-service-role/" not in arn
        }
        self.takeovers = Takeovers(world, {arn: member.holder for arn, member in self.members.items()})

    def _member(self, principal: Principal, tags: Mapping[str, Any] | None) -> Member:
        world = self._world
        holder = Holder(
            principal.arn,
            principal.identity,
            principal.boundary,
            principal.scps,
            world.management_account,
            world.rcps,
        )
        layers = [*principal.identity, *([principal.boundary] if principal.boundary else [])]
        layers += [policy for level in principal.scps for policy in level]
        shared = not any(_is_personal(s) for policy in layers for s in policy.statements)
        group: object = tuple(map(id, layers)) if shared else principal.arn
        return Member(principal.arn, holder, tags, principal.trust, (principal.kind, group))

    def changed(self, state: State) -> Member:
        """Return a principal as somebody could make it."""
        if state not in self._changed:
            holder = self.takeovers.holder(state)
            own = self.members.get(state.arn)
            tags, trust = (own.tags, own.trust) if own is not None else (None, None)
            self._changed[state] = Member(state.arn, holder, tags, trust, state, str(state))
        return self._changed[state]

    def asks(self, member: Member, ask: Ask) -> Answer:
        """Say whether a member, as itself, may make a request; asked once of members with the same policies."""
        personal = ask.own is not None or bool(member.tags)
        group: object = (member.arn, member.changed) if personal else member.group
        key = (group, ask)
        known = self._answers.get(key)
        if known is None:
            answer = member.holder.asks(
                ask.action, ask.resource, self._context(member, ask), ask.own, ask.likely
            )
            known = self._answers[key] = (ask, answer)
        answer = known[1]
        if isinstance(answer, Yes) and answer.witness.principal != member.arn:
            return Yes(replace(answer.witness, principal=member.arn))
        return answer

    def _context(self, member: Member, ask: Ask) -> dict[str, str | None]:
        """Return the keys of a request: those that are asked about, and tags that policies ask for."""
        found = dict(ask.context)
        if not self._mentioned(member):
            return found
        for prefix, tags in (("aws:resourcetag/", ask.tags), ("aws:principaltag/", self._own_tags(member))):
            if tags is None:
                continue
            lowered = {name.lower(): value for name, value in tags.items()}
            for key in self._mentioned(member):
                if key.lower().startswith(prefix):
                    value = lowered.get(key[len(prefix) :].lower())
                    if value is None or isinstance(value, str):
                        found[key] = value
        return found

    def _own_tags(self, member: Member) -> Mapping[str, Any] | None:
        """Return the tags of a member's sessions; None where whoever assumes it may bring others."""
        trust = member.trust
        for statement in trust.statements if trust is not None else ():
            brings = any(compile_glob(a.lower())(_TAG_SESSION) for a in statement.actions)
            if statement.allow and brings != statement.not_action:
                return None
        return member.tags

    def _mentioned(self, member: Member) -> tuple[str, ...]:
        if member.group not in self._keys:
            holder = member.holder
            layers = [*holder.identity, *([holder.boundary] if holder.boundary else [])]
            layers += [policy for level in holder.scps for policy in level]
            conditions = (c.key for p in layers for s in p.statements for c in s.conditions)
            self._keys[member.group] = tuple(dict.fromkeys(k for k in conditions if "tag/" in k.lower()))
        return self._keys[member.group]

    def administers(self, member: Member) -> bool:
        """Say whether identity policies and boundary amount to administrator."""
        holder = member.holder
        found = self._administrators.get(member.group)
        if found is None:
            layers: list[Sequence[Policy]] = [
                holder.identity,
                *([(holder.boundary,)] if holder.boundary else []),
            ]
            found = self._administrators[member.group] = all(
                isinstance(remembered(("admin",), layer, lambda of=layer: administrator(of)), Yes)  # type: ignore[misc]  # mypy can't infer a lambda's default
                for layer in layers
            )
        return found

    def reach(self, member: Member) -> tuple[tuple[Member, Answer], ...]:
        """Return the roles a member may assume, one after another, each with the answer for the last step.

        The witness of the answer is the request that assumes it; Unknown where it is not known whether it may.
        """
        known = self._reach.get(member.arn)
        if known is None:
            found: dict[str, tuple[Member, Answer]] = {}
            ends: list[tuple[Member, bool]] = [(member, True)]
            for _ in range(_LONGEST_CHAIN):
                ends = [end for who, sure in ends for end in self._assumed(who, sure, member, found)]
            known = self._reach[member.arn] = tuple(found.values())
        return known

    def _assumed(
        self, who: Member, sure: bool, first: Member, found: dict[str, tuple[Member, Answer]]
    ) -> Iterator[tuple[Member, bool]]:
        for role in self._world.trusting(who.arn):
            other = self.members.get(role.arn)
            if other is None or role.arn in (who.arn, first.arn):
                continue
            earlier = found.get(role.arn)
            if earlier is not None and isinstance(earlier[1], Yes):
                continue
            answer = self.asks(who, Ask("sts:AssumeRole", role.arn, (), role.trust))
            if isinstance(answer, Yes) and not sure:
                answer = Unknown((f"whether it may act as {who.arn}",))
            if isinstance(answer, Yes | Unknown) and (earlier is None or isinstance(answer, Yes)):
                found[role.arn] = (other, answer)
                yield other, isinstance(answer, Yes)

    def unseen_roles(self, member: Member) -> Unresolved | None:
        """Return why there may be roles a member can act as that are not shown; code is judged by what it shows,
        unless the member may assume roles it does not name."""
        if self.more is None or (self._code and not member.holder.may("sts:AssumeRole")):
            return None
        return self.more

    def guests(self) -> Mapping[str, tuple[Member, ...]]:
        """Return users, roles and sessions of other accounts with the roles whose trust policies let them in.

        Only those that are named by their ARNs: who else of an account may come is not known here.
        """
        if self._guests is None:
            found: dict[str, list[Member]] = {}
            for role in self.members.values():
                for name in _strangers(role):
                    found.setdefault(name, []).append(role)
            self._guests = {name: tuple(roles) for name, roles in sorted(found.items())}
        return self._guests

    def run_by(self, services: Sequence[str]) -> tuple[str, ...]:
        """Return the roles that only AWS services assume, one of these among them."""
        found = []
        for member in self.members.values():
            trust = member.trust
            if trust is None or not any(names_service(trust, service) for service in services):
                continue
            named = [s.principals for s in trust.statements if s.allow and not s.not_principal]
            if all(principals is not None and principals.keys() == {"Service"} for principals in named):
                found.append(member.arn)
        return tuple(found)

    def managed(self, arn: str) -> tuple[str, ...]:
        """Return the customer managed policies of a principal that are known by their ARNs."""
        principal = self._world.principals.get(arn)
        return () if principal is None else principal.managed or ()

    def elsewhere(self, member: Member, account: str) -> bool:
        """Say whether a member's own policies may let it assume roles of another account."""
        partition = member.arn.split(":")[1]
        roles = f"arn:{partition}:iam::{account}:role/"
        answer = self.asks(member, Ask("sts:AssumeRole", f"{roles}*", (), None, f"{roles}example"))
        return isinstance(answer, Yes | Unknown)


def _strangers(role: Member) -> Iterator[str]:
    """Yield principals of other accounts that a role's trust policy names by their ARNs and lets in."""
    trust = role.trust
    if trust is None:
        return
    named = (n for s in trust.statements if s.allow for n in (s.principals or {}).get("AWS", ()))
    for name in dict.fromkeys(named):
        account = account_of(name)
        if account in ("", role.holder.account) or not (
            ":role/" in name or ":user/" in name or ":sts:" in name
        ):
            continue
        asked = RequestSet(("sts:AssumeRole",), (role.arn,))
        if isinstance(grants((trust,), asked, one_caller(name)), Yes):
            yield name


def _is_personal(statement: Statement) -> bool:
    """Say whether what a statement says depends on who asks."""
    texts = (*(statement.resources or ()), *(v for c in statement.conditions for v in c.values))
    keys = (c.key.lower() for c in statement.conditions)
    return any("${" in text for text in texts) or any(
        k.startswith(("aws:principal", "aws:user")) for k in keys
    )
