"""Is one principal allowed something that another is not, all layers of both taken together?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from policyengine.iam.atoms import PRINCIPAL_KEYS, Setting
from policyengine.iam.authorize import authorize
from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import Policy, Statement
from policyengine.iam.domains import one_caller
from policyengine.iam.exposure import own_policy
from policyengine.iam.holding import Holder, at_home, example, templates
from policyengine.iam.opaque import Opaque
from policyengine.iam.reason import Answer, No, Unknown, Yes, first
from policyengine.iam.request import Request
from policyengine.iam.request_set import RequestSet
from policyengine.iam.search import Part, Question, Way
from policyengine.iam.ways import parts

QUICK: Final = 8
"""So many actions are tried before all requests are searched."""
_TELLING: Final = "iam:CreateUser"
"""The action that says most of what was gained."""
_WHO: Final = frozenset({"aws:userid", "aws:username", "aws:principaltype"})


def gains(before: Holder, after: Holder, only: Sequence[str] = ()) -> Answer:
    """Say whether a request is allowed to ``after`` that is not allowed to ``before``.

    ``only``: as far as these patterns of actions go. Resource policies are taken to leave all to the
    account. Yes is verified by ``authorize`` on both sides; the witness is a request of ``after``.
    """
    answer = plainly(before, after, only)
    return _searched(before, after, only or ("*",)) if answer is None else answer


def plainly(before: Holder, after: Holder, only: Sequence[str] = ()) -> Answer | None:
    """Return what ``gains`` answers where no search is needed, else None."""
    known = catalogue()
    asked = known.matching_any(only) if only else known.all
    if not after.masks.may & asked & ~before.masks.sure and not _beyond(after):
        return No()
    perhaps = _may_have_all(before)
    if perhaps is not None:
        return Unknown((perhaps,))
    new = after.masks.sure & asked & ~before.masks.may
    telling = 1 << (known.index(_TELLING) or 0)
    for _ in range(QUICK):
        if not new:
            break
        low = new & telling or new & -new
        answer = _one(after, known.names[low.bit_length() - 1])
        if isinstance(answer, Yes):
            return answer
        new ^= low
    return None


def _may_have_all(holder: Holder) -> str | None:
    """Return why a principal may be allowed everything already: a document of which nothing is known."""
    if holder.boundary is not None:
        return None
    for policy in holder.identity:
        for s in policy.statements:
            if s.allow and s.opaque is not None and s.actions == s.resources == ("*",) and not s.conditions:
                return s.opaque.reason
    return None


def _beyond(holder: Holder) -> bool:
    """Say whether documents name actions that the catalogue does not know."""
    known = catalogue()
    return any(not known.matching(a) for p in holder.identity for s in p.statements for a in s.actions)


def _one(holder: Holder, action: str) -> Answer:
    shapes = templates(catalogue(), action)
    resource = example(shapes[0], holder.account, "example") if shapes else "*"
    return holder.asks(action, resource, None, own_policy(action, holder.account))


def _layers(holder: Holder) -> list[Sequence[Policy]]:
    return [holder.identity, *([(holder.boundary,)] if holder.boundary else []), *holder.scps]


def _searched(before: Holder, after: Holder, actions: Sequence[str]) -> Answer:
    documents = [p for h in (before, after) for layer in _layers(h) for p in layer]
    known = catalogue().covering(
        [a for p in documents for s in p.statements for a in s.actions] + list(actions)
    )
    mine = [parts(layer, known) for layer in _layers(after)]
    levels = [layer[True] for layer in mine]
    without = [part for layer in mine for part in layer[False]]
    ways: list[Way] = []
    for layer in _layers(before):
        found = parts(layer, known)
        certain = [p for p in found[True] if not _about_who(p.statement)]
        ways.append(Way(levels, [*without, *certain]))
        ways.extend(Way([*levels, [_widest(deny)]], without) for deny in found[False])
    setting = Setting(account=after.account, partition=after.arn.split(":")[1])

    def verify(request: Request) -> bool | Opaque:
        own = own_policy(request.lower_action, after.account)
        gained = authorize(request, after.policies(own))
        context = {k: v for k, v in request.context.items() if k not in PRINCIPAL_KEYS and k not in _WHO}
        other = Request(before.arn, request.action, request.resource, context, request.account)
        had = authorize(other, before.policies(own_policy(request.lower_action, before.account)))
        if gained.unknown or had.unknown:
            return (gained.unknown or had.unknown)[0]
        return gained.outcome == "Allowed" and had.outcome != "Allowed"

    asked = RequestSet(tuple(actions), at_home(after.account))
    question = Question(asked, one_caller(after.arn), known, verify, setting)
    return first(question, ways)


def _about_who(statement: Statement) -> bool:
    """Say whether a statement means something else for another principal."""
    texts = [*(statement.resources or ()), *(v for c in statement.conditions for v in c.values)]
    keys = {c.key.lower() for c in statement.conditions}
    return (
        any("${" in t for t in texts)
        or bool(keys & (PRINCIPAL_KEYS | _WHO))
        or any(k.startswith("aws:principal") for k in keys)
    )


def _widest(part: Part) -> Part:
    """Return a Deny as far as it may reach: one about who asks holds for one principal and not another."""
    statement = part.statement
    if not _about_who(statement):
        return part
    wide = replace(statement, conditions=(), resources=("*",), not_resource=False, compiled=[])
    return part._replace(statement=wide)
