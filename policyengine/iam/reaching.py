"""Can a principal reach a resource at all, by its own policies or by the resource's?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from policyengine.iam.account_ids import account_of
from policyengine.iam.atoms import Setting
from policyengine.iam.authorize import Policies
from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import Policy, Statement
from policyengine.iam.domains import one_caller
from policyengine.iam.exposure import own_policy
from policyengine.iam.reason import Answer, can
from policyengine.iam.request_set import RequestSet, Values
from policyengine.iam.ways import action_bits

_VARIABLE: Final = re.compile(r"\$\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Reacher:
    """A user or role with its policies; ``tags``: its own, by their names as written."""

    arn: str
    identity: Sequence[Policy]
    boundary: Policy | None
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reached:
    """A resource of the same account: its ARN and those of its parts, its service, its policy, its tags."""

    arn: str
    parts: tuple[str, ...]
    service: str
    policy: Policy | None
    tags: Mapping[str, str]


def reaches(who: Reacher, what: Reached) -> Answer:
    """Say whether some request of the service about the resource or its parts is allowed.

    Worth asking only where ``may_reach``: otherwise there is none.
    """
    policy = what.policy or own_policy(f"{what.service}:Any", account_of(who.arn))
    tags = tuple(sorted(who.tags.items()))
    identity = tuple(_told(p, tags) for p in who.identity)
    boundary = None if who.boundary is None else _told(who.boundary, tags)
    who = replace(who, identity=identity, boundary=boundary)
    layers = [*who.identity, *([who.boundary] if who.boundary else []), *([policy] if policy else [])]
    account = account_of(who.arn)
    requests = RequestSet(
        (f"{what.service}:*",),
        (what.arn, *what.parts),
        (who.arn,),
        _tags(layers, who.tags, what.tags),
    )
    policies = Policies(identity=who.identity, boundary=who.boundary, resource=policy)
    setting = Setting({}, who.arn.split(":")[1], account, account)
    return can(requests, policies, one_caller(who.arn), setting)


@lru_cache(maxsize=8192)
def _told(policy: Policy, tags: tuple[tuple[str, str], ...]) -> Policy:
    """Return a document with the principal's tags in place of the variables for them."""
    known = {f"aws:principaltag/{key.lower()}": value for key, value in tags}

    def filled(text: str) -> str:
        return _VARIABLE.sub(lambda found: known.get(found.group(1).strip().lower(), found.group()), text)

    statements = []
    for statement in policy.statements:
        texts = [*(statement.resources or ()), *(v for c in statement.conditions for v in c.values)]
        if not statement.variables or not any("${" in text for text in texts):
            statements.append(statement)
            continue
        conditions = tuple(replace(c, values=tuple(map(filled, c.values))) for c in statement.conditions)
        resources = None if statement.resources is None else tuple(map(filled, statement.resources))
        statements.append(replace(statement, resources=resources, conditions=conditions, compiled=[]))
    return Policy(policy.kind, policy.version, policy.id, tuple(statements))


def _tags(
    policies: Iterable[Policy], principal: Mapping[str, str], resource: Mapping[str, str]
) -> dict[str, Values]:
    """Return what the tags that conditions ask for are; a session may bring others, which are not reckoned with."""
    own = {key.lower(): value for key, value in principal.items()}
    its = {key.lower(): value for key, value in resource.items()}
    found: dict[str, Values] = {}
    for key in {c.key.lower() for p in policies for s in p.statements for c in s.conditions}:
        kind, _, tag = key.partition("/")
        tags = own if kind == "aws:principaltag" else its if kind.endswith(":resourcetag") else None
        if tags is not None and tag:
            found[key] = Values((tags[tag],)) if tag in tags else Values((), False, True)
    return found


def may_reach(who: Reacher, what: Reached) -> bool:
    """Say whether a look at names leaves it open: most statements are about other resources."""
    if any(_allows_near(p, what) for p in who.identity):
        return True
    return what.policy is not None and any(_names(s, who.arn) for s in what.policy.statements if s.allow)


def together(resources: Sequence[Reached]) -> Reached:
    """Return resources as one, of which any may be reached: same service and tags, no policy of their own."""
    first = resources[0]
    others = (text for one in resources[1:] for text in (one.arn, *one.parts))
    return replace(first, parts=(*first.parts, *others))


def told_apart(policies: Iterable[Policy], what: Reached) -> tuple[int, ...] | None:
    """Return how statements about a service see the name of a resource; those seen alike are as one.

    None where a pattern is too odd to say so at a glance: with a wildcard inside, or what it leaves out.
    """
    found = []
    for policy in policies:
        for statement in policy.statements:
            prefixes = {a.partition(":")[0].lower() for a in statement.actions}
            if (
                statement.not_action
                or any("*" in p or "?" in p for p in prefixes)
                or what.service in prefixes
            ):
                if statement.not_resource:
                    return None
                for text in statement.resources or ():
                    seen = _seen(text, what.arn)
                    if seen is None:
                        return None
                    found.append(seen)
    return tuple(found)


def _seen(pattern: str, arn: str) -> int | None:
    """Return 0 where a pattern matches neither an ARN nor what begins with it, 1 where all of it, 2 else."""
    if pattern == "*":
        return 1
    wanted, named = pattern.split(":", 5), arn.split(":", 5)
    if len(wanted) < 6 or len(named) < 6 or any("*" in part and part != "*" for part in wanted[:5]):
        return None
    if any(w not in ("*", n) for w, n in zip(wanted[:5], named[:5], strict=True)):
        return 0
    head, star, rest = wanted[5].partition("*")
    if rest or "?" in pattern or "$" in pattern:
        return None
    if star and named[5].startswith(head):
        return 1
    return 2 if head.startswith(named[5]) else 0


def tags_asked(policies: Iterable[Policy]) -> frozenset[str]:
    """Return the tags, in lower case, that conditions ask for."""
    keys = (c.key.lower().partition("/") for p in policies for s in p.statements for c in s.conditions)
    return frozenset(tag for kind, _, tag in keys if kind.endswith("tag"))


def _allows_near(policy: Policy, what: Reached) -> bool:
    for statement, services in _services(policy):
        if services is not None and what.service not in services:
            continue
        own = statement.resources
        if own is None or statement.not_resource or any(_near(text, what.arn) for text in own):
            return True
    return False


@lru_cache(maxsize=8192)
def _services(policy: Policy) -> tuple[tuple[Statement, frozenset[str] | None], ...]:
    """Return the Allow statements with the services of their actions; None: of any."""
    known = catalogue()
    found = []
    for statement in policy.statements:
        if not statement.allow:
            continue
        prefixes = frozenset(a.partition(":")[0].lower() for a in statement.actions)
        open_ = statement.not_action or any("*" in p or "?" in p for p in prefixes)
        if open_ or action_bits(statement, known) or statement.actions:
            found.append((statement, None if open_ else prefixes))
    return tuple(found)


def _near(pattern: str, arn: str) -> bool:
    """Say whether a pattern may match an ARN or one that begins with it."""
    head = pattern
    for character in "*?$":
        head = head.partition(character)[0]
    return arn.startswith(head) or head.startswith(arn)


def _names(statement: Statement, arn: str) -> bool:
    named = statement.principals
    if named is None or statement.not_principal or statement.opaque is not None or "*" in named:
        return True
    account = account_of(arn)
    return any(
        text == "*" or text == account or account in text or not text.startswith("arn:")
        for text in named.get("AWS", ())
    )
