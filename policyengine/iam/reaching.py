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
from policyengine.iam.reason import Answer, No, can
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
    """Say whether some request of the service about the resource or its parts is allowed."""
    policy = what.policy or own_policy(f"{what.service}:Any", account_of(who.arn))
    if not _may(who, what, policy):
        return No()
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


def _may(who: Reacher, what: Reached, policy: Policy | None) -> bool:
    """Say whether a look at names leaves it open: most statements are about other resources."""
    if any(_allows_near(p, what) for p in who.identity):
        return True
    return (
        what.policy is not None
        and policy is not None
        and any(_names(s, who.arn) for s in policy.statements if s.allow)
    )


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
