"""Which recorded calls a new guardrail would have denied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from policyengine.iam.cloudtrail import Call, read_call, with_unrecorded
from policyengine.iam.coverage import rcp_exempt, scp_exempt
from policyengine.iam.documents import Policy, Statement
from policyengine.iam.opaque import Opaque
from policyengine.iam.organization import ChainKind
from policyengine.iam.request import Request
from policyengine.iam.statements import compiled


@dataclass(slots=True)
class Broken:
    """Calls of one principal and action that would have been denied, or may have been (``sure`` False)."""

    principal: str
    action: str
    sure: bool
    calls: int = 0
    first: str = ""
    last: str = ""
    regions: set[str] = field(default_factory=set)
    resources: dict[str, None] = field(default_factory=dict)
    why: str | None = None


@dataclass(slots=True)
class Breakage:
    """What past use says of a guardrail. ``unread``: why records could not be judged → how many."""

    broken: list[Broken]
    records: int
    judged: int
    unread: dict[str, int]


def breakage(
    records: Iterable[Any],
    policies: Sequence[Policy],
    kind: ChainKind,
    accounts: set[str],
    manager: str | None,
) -> Breakage:
    """Return which calls policies attached above ``accounts`` would have denied.

    SCPs are about principals of these accounts, RCPs about calls these accounts received. Calls that were
    refused, and those of AWS's services, are passed over.
    """
    statements = [s for policy in policies for s in policy.statements if not s.allow]
    found: dict[tuple[str, str, bool], Broken] = {}
    unread: dict[str, int] = {}
    total = judged = 0
    for record in records:
        total += 1
        call = read_call(record)
        if isinstance(call, str):
            unread[call] = unread.get(call, 0) + 1
        elif call is not None:
            judged += 1
            owner = call.account if kind == "scp" else call.recipient
            if owner in accounts:
                _judge(call, statements, kind, manager, found)
    broken = sorted(found.values(), key=lambda b: (not b.sure, -b.calls, b.principal, b.action))
    return Breakage(broken, total, judged, unread)


def _judge(
    call: Call,
    statements: Sequence[Statement],
    kind: ChainKind,
    manager: str | None,
    found: dict[tuple[str, str, bool], Broken],
) -> None:
    verdicts = [_denied(request, call, s, kind, manager) for request in call.requests for s in statements]
    sure = any(v is True for v in verdicts)
    perhaps = next((v for v in verdicts if isinstance(v, Opaque)), None)
    if not sure and perhaps is None:
        return
    action = call.requests[0].action
    entry = found.setdefault((call.principal, action, sure), Broken(call.principal, action, sure))
    entry.calls += 1
    entry.first = min(filter(None, (entry.first, call.time)), default="")
    entry.last = max(entry.last, call.time)
    entry.regions.add(call.region)
    if call.about:
        entry.resources.update(dict.fromkeys(r.resource for r in call.requests))
    if not sure and perhaps is not None:
        entry.why = perhaps.reason


def _denied(
    request: Request, call: Call, statement: Statement, kind: ChainKind, manager: str | None
) -> bool | Opaque:
    exempt = scp_exempt(request, manager) if kind == "scp" else rcp_exempt(request, manager)
    if exempt is not None:
        return False
    with_unrecorded(request, [c.key for c in statement.conditions if _is_open(c.key)])
    verdict = compiled(statement).verdict(request, False)
    if verdict == "resource_not_named" and not call.about:
        return Opaque("the record does not name the resource")
    return verdict if isinstance(verdict, Opaque) else verdict is None


def _is_open(key: str) -> bool:
    """Say whether a record without the key leaves it open: some keys are known to be absent then."""
    return key.lower() not in ("aws:sourcevpce", "aws:username")
