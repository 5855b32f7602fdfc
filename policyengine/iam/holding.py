"""What one principal may do, and quick answers about single requests of it.

Most questions about a single request need no search: ``authorize`` decides it, or nothing a context could
change keeps it from being allowed. Only where conditions have a say does ``reason.can`` look for a context.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, NamedTuple

from policyengine.iam.account_ids import account_of, is_account
from policyengine.iam.atoms import Setting
from policyengine.iam.authorize import ROLE_ACTIONS, Decision, Policies, authorize
from policyengine.iam.catalogue import Catalogue, catalogue
from policyengine.iam.documents import Policy, Statement, read_policy
from policyengine.iam.domains import one_caller
from policyengine.iam.glob import has_wildcard
from policyengine.iam.global_keys import global_key
from policyengine.iam.likely import denies, statements, weight
from policyengine.iam.likely import requests as suggested
from policyengine.iam.reason import Answer, No, Unknown, Yes, can
from policyengine.iam.request import Request
from policyengine.iam.request_set import RequestSet, Values
from policyengine.iam.search import Witness
from policyengine.iam.ways import action_bits, strange_actions

GLOBAL_REGION: Final = "us-east-1"
"""The region of requests to IAM in the partition ``aws``:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requestedregion"""

MAX_SEARCHED: Final = 20_000
"""Heaviest statements (``likely.weight``) for which contexts are looked for; AWS's longest policy has 6,144
characters: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


class Masks(NamedTuple):
    """Actions as bits of the catalogue: ``may``: allowed on something in some context, as far as one can
    tell without looking; ``sure``: allowed on everything in every context."""

    may: int
    sure: int


class _Of(NamedTuple):
    allows: int
    allows_all: int
    denies: int
    denies_all: int


def unrestricted(statement: Statement) -> bool:
    """Say whether a statement holds for every resource, principal and context."""
    return statement.opaque is None and _about_all(statement)


def _about_all(statement: Statement) -> bool:
    return (
        (statement.resources is None or "*" in statement.resources)
        and not statement.not_resource
        and not statement.conditions
        and statement.principals is None
    )


def regardless(statement: Statement) -> bool:
    """Say whether a statement treats all actions it is about alike, whatever they take."""
    everything = statement.resources == ("*",) and not statement.not_resource
    return everything and all(_of_every_request(c.key) for c in statement.conditions)


def _of_every_request(key: str) -> bool:
    found = global_key(key)
    return found is not None and found.present in ("always", "signed")


APART: Final = ("iam", "kms", "sts")


def apart(action: str) -> str:
    """Return what sets the services apart whose requests are asked about in a way of their own."""
    service = action.partition(":")[0]
    return service if service in APART else ""


@lru_cache(maxsize=16_384)
def _of(policy: Policy) -> _Of:
    known = catalogue()
    found = [0, 0, 0, 0]
    for statement in policy.statements:
        bits = action_bits(statement, known)
        at = 0 if statement.allow else 2
        found[at] |= bits
        if unrestricted(statement):
            found[at + 1] |= bits
    return _Of(*found)


def masks(policies: Iterable[Policy]) -> Masks:
    """Return what one layer of documents may and surely does allow, of the actions AWS documents."""
    allows = allows_all = denies = denies_all = 0
    for policy in policies:
        one = _of(policy)
        allows |= one.allows
        allows_all |= one.allows_all
        denies |= one.denies
        denies_all |= one.denies_all
    return Masks(allows & ~denies_all, allows_all & ~denies)


def surely_not(policies: Sequence[Policy], patterns: tuple[str, ...]) -> bool:
    """Say whether documents surely allow none of the actions that patterns match, whatever the resource.

    False is no answer: of an action that AWS does not document nothing is said.
    """
    known = catalogue()
    if known.unmatched(patterns) or masks(policies).may & known.matching_any(patterns):
        return False
    return not any(strange_actions(s) for p in policies for s in p.statements if s.allow)


def denied_everywhere(policies: Iterable[Policy]) -> int:
    """Return the actions that documents deny whatever the resource and the context."""
    found = 0
    for policy in policies:
        found |= _of(policy).denies_all
    return found


def perhaps_denied(policies: Iterable[Policy]) -> int:
    """Return the actions that documents may deny whatever the resource and the context, for all one knows."""
    found = 0
    for policy in policies:
        for s in policy.statements:
            if s.opaque is not None and not s.allow and not s.conditional and _about_all(s):
                found |= action_bits(s, catalogue())
    return found


@dataclass(frozen=True)
class Holder:
    """A user or role with the layers that are about it; ``scps`` from the root to the account.

    ``rcps``: the levels of each account; they have a say on the roles that are assumed in it and on
    resources whose own policies are asked about.
    """

    arn: str
    identity: Sequence[Policy]
    boundary: Policy | None = None
    scps: Sequence[Sequence[Policy]] = ()
    management_account: str | None = None
    rcps: Mapping[str, Sequence[Sequence[Policy]]] = field(default_factory=dict)
    masks: Masks = field(init=False)
    _answers: dict[object, Answer] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        layers = [self.identity, *self.scps, *([(self.boundary,)] if self.boundary else [])]
        read = [masks(layer) for layer in layers]
        may, sure = read[0]
        for layer in read[1:]:
            sure &= layer.sure
        # not every principal is under its account's SCPs, so they narrow only what is sure
        for layer in read[len(self.scps) + 1 :]:
            may &= layer.may
        object.__setattr__(self, "masks", Masks(may, sure))

    @property
    def account(self) -> str:
        """Return the account it is in."""
        return account_of(self.arn)

    def policies(self, resource: Policy | None = None) -> Policies:
        """Return its layers as ``authorize`` takes them."""
        return Policies(
            identity=self.identity,
            boundary=self.boundary,
            scps=self.scps,
            resource=resource,
            management_account=self.management_account,
        )

    def may(self, action: str) -> bool:
        """Say whether its documents leave an action open at all; always, of one that AWS does not document."""
        bit = catalogue().index(action)
        return bit is None or bool(self.masks.may >> bit & 1)

    def asks(
        self,
        action: str,
        resource: str,
        context: Mapping[str, str | None] | None = None,
        own: Policy | None = None,
        likely: str | None = None,
    ) -> Answer:
        """Say whether it may do an action on a resource (an ARN or a pattern of ARNs).

        ``context``: keys with their values, None for keys that are absent; others are free. ``own``: the
        resource's own policy, of a role its trust policy; who asks then is in the resource's account, or
        the resource is a role. ``likely``: of a pattern, the ARN that is tried first.
        """
        if not self.may(action) and not _opens(own, action):
            return No()
        key = (action, resource, frozenset((context or {}).items()), id(own), likely)
        if key not in self._answers:
            self._answers[key] = self._asks(action, resource, context or {}, own, likely)
        return self._answers[key]

    def _asks(
        self,
        action: str,
        resource: str,
        context: Mapping[str, str | None],
        own: Policy | None,
        likely: str | None,
    ) -> Answer:
        wanted = {key.lower(): value for key, value in context.items()}
        if action.lower().startswith("iam:") and action.lower() != "iam:passrole":
            wanted.setdefault("aws:requestedregion", GLOBAL_REGION)
        able = statements(self.identity, action, resource, wanted, self.arn.split(":")[1])
        if not able and not _opens(own, action) and not _is_assuming(action):
            return No()
        policies = self.policies(own)
        home = account_of(resource) or self.account
        if self.rcps and (own is not None or _is_assuming(action)) and not has_wildcard(home):
            policies = replace(policies, rcps=self.rcps.get(home, ()))
        exact = None if has_wildcard(resource) else resource
        tried = likely or exact
        if tried is not None:
            answer = self._directly(action, tried, context, policies)
            if isinstance(answer, Yes) or (answer is not None and tried == exact):
                return answer
        for guess in suggested(able, action, resource, tried, self.account):
            left_out = {*wanted, *(["aws:resourceaccount"] if account_of(guess.resource) else [])}
            keys = {**{k: v for k, v in guess.context.items() if k.lower() not in left_out}, **context}
            answer = self._directly(action, guess.resource, keys, policies)
            if isinstance(answer, Yes):
                return answer
        if weight([*able, *denies(self.identity, action)]) > MAX_SEARCHED:
            return Unknown(("too_large",))
        about = at_home(self.account) if resource == "*" else (resource,)
        requests = RequestSet((action,), about, (self.arn,), _values(wanted), _spelled(context))
        told = account_of(resource)
        owner = None if own is None or own.kind == "trust" else told if is_account(told) else self.account
        setting = Setting(self._facts(), self.arn.split(":")[1], self.account, owner)
        return can(requests, policies, one_caller(self.arn), setting)

    def _facts(self) -> dict[str, tuple[str, ...] | None]:
        kind, _, name = self.arn.split(":", 5)[5].partition("/")
        return {"aws:username": (name.rpartition("/")[2],) if kind == "user" else None}

    def _directly(
        self,
        action: str,
        resource: str,
        context: Mapping[str, str | None],
        policies: Policies,
    ) -> Answer | None:
        """Return the answer where no context needs to be looked for."""
        shown = {k: v for k, v in context.items() if v is not None}
        if "aws:requestedregion" not in {key.lower() for key in shown}:
            shown["aws:RequestedRegion"] = GLOBAL_REGION
        request = Request(self.arn, action, resource, shown)
        decision = authorize(request, policies)
        if decision.unknown:
            return None
        if decision.outcome == "Allowed":
            return Yes(Witness(self.arn, action, resource, shown))
        return No() if _settled(decision) else None


def at_home(account: str) -> tuple[str, ...]:
    """Return patterns of the resources of an account, of those whose ARNs name none, and of ``*``.

    A request about another account's resource needs that account's leave, so it shows nothing.
    """
    return (f"arn:*:*:*:{account}:*", "arn:*:*:*::*", "?")


def account_named(policies: Iterable[Policy]) -> str:
    """Return the account that documents were written for, as far as their ARNs say."""
    found: str | None = None
    for policy in policies:
        for statement in policy.statements:
            for text in statement.resources or ():
                parts = text.split(":", 5)
                if len(parts) == 6 and len(parts[4]) == 12 and parts[4].isdigit():
                    if parts[2] in ("iam", "sts"):
                        return parts[4]
                    found = found or parts[4]
    return found or "123456789012"


def _is_assuming(action: str) -> bool:
    """Say whether a trust policy may allow an action all by itself."""
    return action.lower() in ROLE_ACTIONS


def _opens(own: Policy | None, action: str) -> bool:
    """Say whether a resource's own policy may allow an action, as far as its actions go."""
    if own is None:
        return False
    bit = catalogue().index(action)
    return _is_assuming(action) or bit is None or bool(_of(own).allows >> bit & 1)


def _settled(decision: Decision) -> bool:
    """Say whether a request is denied in every context."""
    if decision.outcome == "ExplicitlyDenied":
        return any(not at.statement.conditions and not _variable(at.statement) for at in decision.deciding)
    return not any(
        skipped.at.statement.allow
        and (
            skipped.code in ("condition_not_met", "not_decided")
            or (
                skipped.code in ("resource_not_named", "resource_excluded")
                and _variable(skipped.at.statement)
            )
        )
        for skipped in decision.skipped
    )


def _variable(statement: Statement) -> bool:
    return statement.variables and any("${" in text for text in statement.resources or ())


def _values(wanted: Mapping[str, str | None]) -> dict[str, Values]:
    return {k: Values((), False, True) if v is None else Values((v,)) for k, v in wanted.items()}


def _spelled(context: Mapping[str, str | None]) -> dict[str, str]:
    return {"aws:requestedregion": "aws:RequestedRegion", **{key.lower(): key for key in context}}


def trust_of(account: str, partition: str = "aws") -> Policy:
    """Return the trust policy that leaves it to the account who assumes a role."""
    return trust_naming(f"arn:{partition}:iam::{account}:root")


@lru_cache(maxsize=1024)
def trust_naming(principal: str) -> Policy:
    """Return the trust policy that lets one principal assume a role."""
    return read_policy(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"AWS": principal},
                "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
            },
        },
        "trust",
    )


def example(template: str, account: str, name: str = "any", region: str = GLOBAL_REGION) -> str:
    """Return an ARN of a template; each variable but partition, region and account is ``name``."""
    parts = template.split("${")
    found = [parts[0]]
    for part in parts[1:]:
        variable, _, rest = part.partition("}")
        fixed = {"Partition": "aws", "Region": region, "Account": account}
        found += [fixed.get(variable, name), rest]
    return "".join(found)


def templates(known: Catalogue, action: str, kind: str = "") -> tuple[str, ...]:
    """Return the ARN templates of an action, of one type of its resources if ``kind`` says which."""
    found = known.resource_type(action.partition(":")[0], kind) if kind else None
    return found.arns if found is not None else known.arn_templates(action) or ()
