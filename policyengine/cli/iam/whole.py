"""What an identity policy amounts to as a whole: administrator, ways up, what it exposes, wildcards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policyengine.cli.iam.answers import some, why_texts
from policyengine.iam.documents import Policy
from policyengine.iam.questions import (
    Exposure,
    Place,
    administered,
    administrator,
    escalations,
    exposures,
    wildcards,
)
from policyengine.iam.reason import Unknown, Yes
from policyengine.iam.search import Witness

_MOST = 4


def whole(policy: Policy) -> Iterator[str]:
    """Yield a line or two for each thing there is to say; nothing for a policy that only denies."""
    if not any(statement.allow for statement in policy.statements):
        return
    policies = (policy,)
    answer = administrator(policies)
    if isinstance(answer, Yes):
        yield f"administrator: everything is allowed{_session(answer.witness)}"
        return
    if isinstance(answer, Unknown):
        yield f"whether it amounts to administrator was not decided: {_why(answer.why)}"
    services = administered(policies).services
    if services:
        yield f"administrator of {some(services, 8)}"
    yield from _ways(policies)
    yield from _exposed(policies)
    yield from _wide(policies)


def _session(witness: Witness) -> str:
    """Return under what circumstances, where there are any but the region of the request."""
    told = {k: v for k, v in witness.context.items() if k.lower() != "aws:requestedregion"}
    pairs = [f"{k} = {v if isinstance(v, str) else ', '.join(v)}" for k, v in told.items()]
    return f" where {'; '.join(pairs)}" if pairs else ""


def _why(why: Sequence[str]) -> str:
    return "; ".join(why_texts(why)[:_MOST])


def _ways(policies: Sequence[Policy]) -> Iterator[str]:
    found = escalations(policies)
    open_ = [way.path.id for way in found if way.limited is None]
    limited = [way for way in found if way.limited is not None]
    if open_:
        yield f"opens {'an escalation path' if len(open_) == 1 else 'escalation paths'}: {some(open_, _MOST)}"
    if limited:
        reason = limited[0].limited
        yield f"may open {some([way.path.id for way in limited], _MOST)}: {reason}"


def _exposed(policies: Sequence[Policy]) -> Iterator[str]:
    found = exposures(policies)
    kinds = (
        ("resource", "may change who uses resources"),
        ("credentials", "hands out credentials or secrets"),
    )
    for kind, words in kinds:
        sure = [e for e in found if e.kind == kind and e.witness is not None]
        if sure:
            yield f"{words}: {some([e.action for e in sure], _MOST)} ({_statements(_places(sure))})"
        unsure = [e for e in found if e.kind == kind and e.witness is None]
        if unsure:
            yield f"perhaps {words}: {some([e.action for e in unsure], _MOST)}: {_why(unsure[0].unknown)}"


def _wide(policies: Sequence[Policy]) -> Iterator[str]:
    found = wildcards(policies)
    for kind, words in (("action", "of actions"), ("resource", "of resources")):
        these = [w for w in found if w.kind == kind]
        if these:
            patterns = list(dict.fromkeys(p for w in these for p in w.patterns))
            where = _statements([w.place for w in these])
            yield f"changes by wildcards {words}: {some(patterns, _MOST)} ({where})"


def _places(found: Sequence[Exposure]) -> list[Place]:
    return [place for exposure in found for place in exposure.places]


def _statements(places: Sequence[Place]) -> str:
    """Return the numbers of statements, from 1 as the page has them."""
    numbers = sorted({place.statement + 1 for place in places})
    name = "statement" if len(numbers) == 1 else "statements"
    return f"{name} {some([str(n) for n in numbers], 8)}"
