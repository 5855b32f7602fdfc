"""Can a principal with these policies get more than they give it? The documents alone.

Whose permissions there are to get is not known here, so a target is a user, a role, a group or a resource
that no document names: what is granted on those is granted on any. What is granted only on targets that
documents name is ``limited``: it depends on what they are. ``escalation.py`` asks about a whole account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from policyengine.iam.account_ids import account_of
from policyengine.iam.administration import administrator
from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.escalation_paths import PATHS, Need, Path
from policyengine.iam.holding import Holder, account_named, example, templates, trust_of
from policyengine.iam.reason import Answer, No, Unknown, Yes
from policyengine.iam.search import Witness

_HEAD: Final = "arn:aws:iam::"
_KINDS: Final = ("user", "role")
_WHO: Final = frozenset({"aws:userid", "aws:username"})
BOUNDARY_KEY: Final = "iam:PermissionsBoundary"
_NAMES: Final = {
    "own policy": "policy/own-policy", "own group": "group/own-group", "group": "group/other-group",
    "user": "user/other-user", "role": "role/other-role", "new user": "user/new-user",
}  # fmt: skip
_LOOSE: Final = {on: f"{name.partition('/')[0]}/*" for on, name in _NAMES.items()}


@dataclass(frozen=True, slots=True)
class Escalation:
    """A path that is open, and its requests; ``limited`` says why it may lead nowhere."""

    path: Path
    requests: tuple[Witness, ...]
    limited: str | None = None


@dataclass(frozen=True, slots=True)
class Escalates(Yes):
    """Yes; ``witness`` is the first request of ``escalation``."""

    escalation: Escalation


def escalates(policies: Sequence[Policy], principal: str | None = None) -> Answer:
    """Say whether a known path leads a principal with these documents to more than they allow.

    Yes: to any role, user, group or policy. Unknown: only as far as those the documents name have more.
    No: no known path, or the documents amount to administrator. ``principal``: the ARN of who holds them.
    """
    ways = list(_ways(policies, principal))
    for way in ways:
        found = way.generally()
        if found is not None:
            return Escalates(found.requests[0], found)
    for way in ways:
        found = way.found()
        if found is not None:
            return Unknown((f"{found.path.id}: {found.limited}",))
    return No()


def escalations(policies: Sequence[Policy], principal: str | None = None) -> list[Escalation]:
    """Return every known path that is open, the unlimited ones first; none for an administrator."""
    found: dict[str, Escalation] = {}
    for way in _ways(policies, principal):
        one = way.found()
        before = found.get(way.path.id)
        if one is not None and (before is None or (before.limited and not one.limited)):
            found[one.path.id] = one
    return sorted(found.values(), key=lambda e: e.limited is not None)


def _ways(policies: Sequence[Policy], principal: str | None) -> Iterator[_Along]:
    """Yield each path that the documents may open to a user or role, or to the one that is given."""
    if not any(open_paths(Holder(f"{_HEAD}123456789012:{kind}/x", policies)) for kind in _KINDS):
        return
    if isinstance(administrator(policies, principal), Yes):
        return
    account = account_of(principal) if principal else account_named(policies)
    holders = [principal] if principal else [f"{_HEAD}{account}:{kind}/this-{kind}" for kind in _KINDS]
    alike = principal is None and not _says_who(policies)
    for at, arn in enumerate(holders):
        holder = Holder(arn, policies)
        for path in open_paths(holder):
            if path.gives != "no boundary" and not (alike and at and path.holder is None and not _own(path)):
                yield _Along(holder, path, principal is not None)


def _own(path: Path) -> bool:
    return any(need.on == "self" for need in path.needs)


def _says_who(policies: Sequence[Policy]) -> bool:
    """Say whether documents tell users and roles apart."""
    statements = [s for p in policies for s in p.statements]
    texts = [
        t for s in statements for t in (*(s.resources or ()), *(v for c in s.conditions for v in c.values))
    ]
    keys = {c.key.lower() for s in statements for c in s.conditions}
    return any("${" in t for t in texts) or any(k in _WHO or k.startswith("aws:principal") for k in keys)


def open_paths(holder: Holder, trusted: bool = False) -> list[Path]:
    """Return the paths none of whose actions the documents rule out, for such a holder.

    ``trusted``: a role's trust policy may let it in whatever its own documents say.
    """
    kind = holder.arn.split(":", 5)[5].partition("/")[0]
    shut = ~holder.masks.may
    return [p for p, actions in _masked(trusted) if p.holder in (None, kind) and not actions & shut]


@lru_cache(maxsize=2)
def _masked(trusted: bool) -> tuple[tuple[Path, int], ...]:
    known = catalogue()
    left_out = {"sts:AssumeRole"} if trusted else set[str]()
    return tuple(
        (p, sum(1 << (known.index(a) or 0) for a in {n.action for n in p.needs} - left_out)) for p in PATHS
    )


def context_of(need: Need, boundary: str | None = None) -> dict[str, str | None]:
    """Return the keys AWS puts into a request of a path; ``boundary``: the target's."""
    context: dict[str, str | None] = dict(need.context)
    about = need.on != "any" and catalogue().may_carry(need.action, BOUNDARY_KEY)
    if about and BOUNDARY_KEY not in context:
        context[BOUNDARY_KEY] = boundary
    return context


@lru_cache(maxsize=64)
def _not_on(arn: str) -> Policy:
    """Return a policy that keeps a principal's hands off itself: others are what is asked about."""
    deny = {"Effect": "Deny", "Action": "*", "Resource": arn}
    return read_policy({"Version": "2012-10-17", "Statement": deny}, "identity")


def _tag_keys(policies: Sequence[Policy]) -> list[str]:
    """Return the keys by which documents name targets by their tags."""
    keys = {c.key.lower(): c.key for p in policies for s in p.statements for c in s.conditions}
    return [written for key, written in keys.items() if ":resourcetag/" in key]


class _Along:
    """One holder on one path, to targets that nobody names."""

    def __init__(self, holder: Holder, path: Path, fixed: bool) -> None:
        self.holder = holder
        self.path = path
        self.fixed = fixed
        self.trust = trust_of(holder.account)
        self.tags = _tag_keys(holder.identity)
        self.others = replace(holder, identity=(*holder.identity, _not_on(holder.arn)))

    def generally(self) -> Escalation | None:
        """Return the path if it leads to targets that no document names."""
        requests: list[Witness] = []
        for need in self.path.needs:
            answer = self._generally(need)
            if not isinstance(answer, Yes):
                return None
            requests.append(answer.witness)
        return Escalation(self.path, tuple(requests))

    def found(self) -> Escalation | None:
        """Return the path with its requests; None where it is closed."""
        requests: list[Witness] = []
        limits: dict[str, None] = {}
        for need in self.path.needs:
            answer = self._generally(need)
            if not isinstance(answer, Yes):
                why = "" if isinstance(answer, No) else answer.why[0]
                if not self._leaves_none(need):
                    answer = self._anywhere(need)
                if isinstance(answer, No):
                    return None
                limits[why or _limit(need, answer)] = None
            if isinstance(answer, Yes):
                requests.append(answer.witness)
        return Escalation(self.path, tuple(requests), "; ".join(limits) or None)

    def _generally(self, need: Need) -> Answer:
        """Ask about a target that no document names."""
        on, head = need.on, f"{_HEAD}{self.holder.account}:"
        if on == "any":
            return self._any(need)
        if on == "carrier":
            return self._carrier(need)
        if on == "new user" and isinstance(found := self._new_user(need), Yes):
            return found
        target = self.holder.arn if on == "self" else head + _NAMES[on]
        return self._ask(need, target, self._plain(need))

    def _plain(self, need: Need) -> dict[str, str | None]:
        """Return the keys of a request about a target without tags: those that have some are named."""
        return {**dict.fromkeys(self.tags), **context_of(need)}

    def _new_user(self, need: Need) -> Answer:
        """Ask about a user whose name can be chosen: one that every request of the path may be about."""
        for other in self.path.needs:
            if self._leaves_none(other):
                continue
            chosen = self._anywhere(other)
            if isinstance(chosen, Yes):
                target = chosen.witness.resource
                found = [self._ask(n, target, context_of(n)) for n in self.path.needs]
                if all(isinstance(a, Yes) for a in found):
                    return found[self.path.needs.index(need)]
        return No()

    def _any(self, need: Need) -> Answer:
        shapes = templates(catalogue(), need.action, need.kind)
        likely = example(shapes[0], self.holder.account) if shapes else "*"
        pattern = example(shapes[0], self.holder.account, "*", "*") if need.kind and shapes else "*"
        return self.holder.asks(need.action, pattern, context_of(need), self.trust, likely)

    def _carrier(self, need: Need) -> Answer:
        answer: Answer = No()
        for shape in templates(catalogue(), need.action, need.kind):
            likely = example(shape, self.holder.account)
            pattern = example(shape, self.holder.account, "any", "*")
            answer = self.holder.asks(need.action, pattern, self._plain(need), self.trust, likely)
            if isinstance(answer, Yes):
                break
        return answer

    def _leaves_none(self, need: Need) -> bool:
        """Say whether asking about any target has asked about all that there are."""
        return need.on == "any" or (need.on == "self" and self.fixed)

    def _anywhere(self, need: Need) -> Answer:
        """Ask about targets that documents may name, with any context."""
        told = {k: v for k, v in need.context if k == "iam:PassedToService"}
        if need.on == "carrier":
            return self._ask(need, "*", told)
        loose = f"arn:aws:iam::{self.holder.account}:{self._kind(need)}"
        holder = self.holder if need.on == "self" else self.others
        return holder.asks(need.action, loose, told, self.trust)

    def _kind(self, need: Need) -> str:
        kind = self.holder.arn.split(":", 5)[5].partition("/")[0]
        return f"{kind}/*" if need.on == "self" else _LOOSE[need.on]

    def _ask(self, need: Need, target: str, context: Mapping[str, str | None]) -> Answer:
        return self.holder.asks(need.action, target, context, self.trust)


def _limit(need: Need, answer: Answer) -> str:
    if isinstance(answer, Unknown):
        return answer.why[0]
    told = f", such as `{answer.witness.resource}`" if isinstance(answer, Yes) else ""
    return f"`{need.action}` is allowed only on some targets or with some parameters{told}"
