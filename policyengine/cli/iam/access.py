"""Who can do what in a target: its principals through all layers it shows, and who comes from outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from policyengine.cli.iam.world import World
from policyengine.iam.atoms import Setting
from policyengine.iam.authorize import ROLE_ACTIONS, Policies, authorize
from policyengine.iam.documents import Policy
from policyengine.iam.domains import Callers, account_callers, any_caller, one_caller
from policyengine.iam.errors import PolicyError
from policyengine.iam.glob import compile_glob
from policyengine.iam.principals import Named
from policyengine.iam.public_access import PublicAccessBlock
from policyengine.iam.reason import EVERYTHING, Answer, No, Unknown, Yes, can
from policyengine.iam.request import Request, read_caller
from policyengine.iam.request_set import RequestSet, Values
from policyengine.iam.statements import compiled
from policyengine.rules.iam.chains import Chains
from policyengine.rules.iam.principals import MADE_UP, PrincipalRecord, caller_arn


class Door(NamedTuple):
    """A resource with its policy; ``match``: the ARNs it answers for."""

    arn: str
    account: str | None
    place: str
    policy: Policy
    block: tuple[PublicAccessBlock, PublicAccessBlock] | None = None

    def holds(self, resource: str) -> bool:
        """Say whether a resource is this one or in it."""
        return resource == self.arn or resource.startswith(self.arn + "/")


@dataclass(frozen=True, slots=True)
class Access:
    """What was found of one principal. ``via``: the place of the resource policy it is about; ``note``:
    what a reader should know of the principal."""

    principal: str
    answer: Answer
    via: str | None = None
    outside: bool = False
    note: str | None = None


class Gate:
    """Asks one set of requests of a world."""

    def __init__(self, world: World, requests: RequestSet) -> None:
        self.world = world
        self.requests = requests
        self.chains = Chains(world.organization)
        self.doors = [d for d in _doors(world) if self._actions(d)]

    # -- principals of the target ---------------------------------------------------------------------

    def principal(self, record: PrincipalRecord) -> Access:
        """Return whether a user or role can make a request of the set."""
        arn, note = caller_arn(record)
        account = read_caller(arn).account or MADE_UP
        why: dict[str, None] = {}
        if not self._all_behind_doors(account):
            answer = self._elsewhere(record, arn, account)
            if isinstance(answer, Yes):
                return Access(arn, answer, note=note)
            why.update(dict.fromkeys(answer.why if isinstance(answer, Unknown) else ()))
        for door, requests in self._narrowed():
            if not _may_open(door, arn):
                continue
            policies = self._policies(record, account, door)
            setting = Setting(account=account, resource_account=door.account)
            answer = self._ask(requests, policies, one_caller(arn), setting, door)
            if isinstance(answer, Yes):
                return Access(arn, answer, door.place, note=note)
            why.update(dict.fromkeys(answer.why if isinstance(answer, Unknown) else ()))
        return Access(arn, Unknown(tuple(why)) if why else No(), note=note)

    def _elsewhere(self, record: PrincipalRecord, arn: str, account: str) -> Answer:
        """Return the answer about resources of the account that have no policy in the target."""
        owner = account if self.requests.resources == ("*",) else None
        policies = self._policies(record, account, None)
        setting = Setting(account=account, resource_account=owner)
        answer = can(self.requests, policies, one_caller(arn), setting)
        return self._past_doors(answer, policies) if isinstance(answer, Yes) else answer

    def _policies(self, record: PrincipalRecord, account: str, door: Door | None) -> Policies:
        owner = (door.account if door else None) or account
        return Policies(
            identity=record.policies,
            boundary=None if record.boundary is None else record.boundary.policy,
            resource=None if door is None else door.policy,
            scps=self.chains.of(account, "scp"),
            rcps=self.chains.of(owner, "rcp"),
            management_account=self.chains.management_account,
        )

    def _past_doors(self, answer: Yes, policies: Policies) -> Answer:
        """Return the answer where the resource of the witness has a policy of its own."""
        for door in self.doors:
            if door.holds(answer.witness.resource):
                decision = authorize(
                    answer.witness.request(door.account), replace(policies, resource=door.policy)
                )
                if decision.unknown or decision.outcome != "Allowed":
                    return Unknown((f"the policy of `{door.arn}` may decide otherwise",))
        return answer

    # -- from outside ---------------------------------------------------------------------------------

    def outside(self) -> Iterator[Access]:
        """Yield those whom resource policies and trust policies let in and who are not in the target."""
        known = {caller_arn(record)[0] for record in self.world.principals if record.kind != "group"}
        for door, requests in self._narrowed():
            for name in _named(door.policy):
                if name in known or _is_account(name, door.account):
                    continue
                callers, narrowed, account = _outsiders(name, door, requests)
                if callers is None:
                    continue
                policies = Policies(
                    identity=(EVERYTHING,),
                    resource=door.policy,
                    rcps=self.chains.of(door.account, "rcp") if door.account else (),
                )
                setting = Setting(account=account or MADE_UP, resource_account=door.account)
                answer = self._ask(narrowed, policies, callers, setting, door)
                if not isinstance(answer, No):
                    yield Access(_called(name), answer, door.place, outside=True)

    def _ask(
        self, requests: RequestSet, policies: Policies, callers: Callers, setting: Setting, door: Door
    ) -> Answer:
        """Return the answer behind a door; where Block Public Access is not known, both of its bounds."""
        if door.block is not None:
            policies = replace(policies, public_access=door.block[0])
        answer = can(requests, policies, callers, setting)
        if not isinstance(answer, Yes):
            return answer
        request = answer.witness.request(door.account)
        if not self.requests.holds(request):
            return Unknown((f"whether a request about `{door.arn}` is in the set",))
        if door.block is not None and door.block[0] != door.block[1]:
            decision = authorize(request, replace(policies, public_access=door.block[1]))
            if decision.unknown or decision.outcome != "Allowed":
                return Unknown(("whether Block Public Access stops it is not known",))
        return answer

    # -- which resources ------------------------------------------------------------------------------

    def _actions(self, door: Door) -> tuple[str, ...]:
        """Return the patterns of the set as far as they can be about the resource: its service's."""
        service = "sts" if door.policy.kind == "trust" else door.arn.split(":", 3)[2]
        parts = (("*", "*") if p == "*" else p.split(":", 1) for p in self.requests.actions)
        return tuple(f"{service}:{name}" for prefix, name in parts if compile_glob(prefix.lower())(service))

    def _narrowed(self) -> Iterator[tuple[Door, RequestSet]]:
        """Yield each resource with the requests that can be about it."""
        for door in self.doors:
            found: dict[str, None] = {}
            for pattern in self.requests.resources:
                matches = compile_glob(pattern)
                if matches(door.arn):
                    found[door.arn] = None
                if pattern.startswith(door.arn + "/"):
                    found[pattern] = None
                elif matches(door.arn + "/x"):
                    found[door.arn + "/*"] = None
            if found:
                yield door, replace(self.requests, actions=self._actions(door), resources=tuple(found))

    def _all_behind_doors(self, account: str) -> bool:
        """Say whether every resource in question has a policy in the target, so that there are no others:
        each that is named has, or only roles are in question and the coverage says that all are there."""
        if all(any(d.holds(pattern) for d in self.doors) for pattern in self.requests.resources):
            return True
        listed = any((account, "global", t) in self.world.coverage for t in ("AWS::IAM::Role", "*"))
        return listed and all(a.lower() in ROLE_ACTIONS for a in self.requests.actions)


def _may_open(door: Door, arn: str) -> bool:
    """Say whether the policy of a role or key, which alone can open it, names a principal at all."""
    if door.policy.kind not in ("trust", "key"):
        return True
    request = Request(arn, "sts:AssumeRole", door.arn)
    allows = [compiled(s).named(request) for s in door.policy.statements if s.allow]
    return any(named is not Named.NOT for named in allows)


def _doors(world: World) -> Iterator[Door]:
    for resource in world.resources:
        policy = resource.policy
        if policy is not None and isinstance(resource.arn, str) and policy.kind != "endpoint":
            yield Door(resource.arn, resource.account, resource.place, policy, resource.public_access)
    for record in world.principals:
        if record.trust is not None:
            arn = caller_arn(record)[0]
            account = record.account or read_caller(arn).account
            yield Door(arn, account, record.trust.place, record.trust.policy)


def _named(policy: Policy) -> list[str]:
    """Return the principals that Allow statements name; ``*`` too where they leave some out."""
    found: dict[str, None] = {}
    for statement in policy.statements:
        if statement.allow and statement.principals is not None:
            if statement.not_principal:
                found["*"] = None
            else:
                found.update((name, None) for names in statement.principals.values() for name in names)
    return list(found)


def _is_account(name: str, account: str | None) -> bool:
    """Say whether a name is the account itself: its principals are asked one by one."""
    return account is not None and (name == account or name.endswith(f"::{account}:root"))


def _called(name: str) -> str:
    if name == "*":
        return "anyone"
    account = name if name.isdigit() else name.split(":")[4] if name.endswith(":root") else None
    return name if account is None else f"anyone in account {account}"


def _outsiders(name: str, door: Door, requests: RequestSet) -> tuple[Callers | None, RequestSet, str | None]:
    """Return the callers a name stands for, the requests they may make, and their account."""
    if name == "*":
        if door.account is None:
            return any_caller(), requests, None
        context = {**requests.context}
        context.setdefault("aws:principalaccount", Values((door.account,), True, True))
        return any_caller(), replace(requests, context=context), None
    if name.isdigit() or name.endswith(":root"):
        account = name if name.isdigit() else name.split(":")[4]
        return account_callers(account), requests, account
    try:
        return one_caller(name), requests, read_caller(name).account
    except PolicyError:
        return None, requests, None


def chosen(world: World, wanted: Sequence[str]) -> list[PrincipalRecord]:
    """Return the users and roles that are called so: by ARN, name or logical id."""
    return [
        record
        for record in world.principals
        if record.kind != "group"
        and any(w in (record.arn, record.id) or _ends(caller_arn(record)[0], w) for w in wanted)
    ]


def _ends(arn: str, name: str) -> bool:
    return arn == name or arn.rpartition("/")[2] == name
