"""The result as one JSON document, ``policyengine/shadow-ai/v1``; `schemas/shadow-ai-v1.schema.json` describes it.

The same input gives the same document: everything is sorted, and no clock is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from policyengine.shadow_ai import blindness
from policyengine.shadow_ai.calls import NOT_BY_DEFAULT, Calls
from policyengine.shadow_ai.catalogue import UNGOVERNED, Service
from policyengine.shadow_ai.flows import Flows
from policyengine.shadow_ai.tally import Tally

SCHEMA: Final = "policyengine/shadow-ai/v1"
SOURCES: Final = 1000
"""Sources listed of a service, those with most lookups first; the others are counted."""
DAYS: Final = 3700
VPCS: Final = 10_000
CALLS: Final = 10_000
_ORDER: Final = ("query", "blocked", "failed", "other")


class Vpc(NamedTuple):
    """A VPC that exists; ``logged`` is None where it is not known, ``why`` says what is known of it."""

    account: str
    region: str
    id: str
    logged: bool | None
    why: str


class Given(NamedTuple):
    """What was given besides the query logs; ``errors`` are of what was given with it."""

    vpcs: Sequence[Vpc] | None = None
    flows: Flows | None = None
    calls: Calls | None = None
    sources: int = SOURCES


def document(tally: Tally, given: Given) -> dict[str, Any]:
    """Return the document. To be called once everything was read."""
    tally.finish()
    services = list(_services(tally, given))
    services.sort(key=lambda s: (s["approved"], s["category"] not in UNGOVERNED, -s["queries"], s["id"]))
    parts = [part.problems for part in (tally, given.flows, given.calls) if part is not None]
    return {
        "schema": SCHEMA,
        "list": {"date": tally.catalogue.date, "services": len(tally.catalogue.services)},
        "period": {"from": tally.first, "to": tally.last},
        "coverage": _coverage(tally, given, services),
        "services": services,
        "bedrock": None if given.calls is None else list(_calls(given.calls)),
        "errors": [problem for part in parts for problem in part.shown],
        "errors_left_out": sum(part.left_out for part in parts),
    }


def unapproved(found: dict[str, Any]) -> list[str]:
    """Return the ids of services that were looked up and are neither approved nor AWS's own."""
    return [
        s["id"]
        for s in found["services"]
        if not s["approved"] and s["category"] in UNGOVERNED and s["queries"]
    ]


def _services(tally: Tally, given: Given) -> Iterator[dict[str, Any]]:
    for service in tally.catalogue.services:
        days, days_left = tally.days.latest((service.id,), DAYS)
        if days:
            yield _service(tally, given, service, days, days_left)


def _service(
    tally: Tally, given: Given, service: Service, days: list[tuple[Any, ...]], days_left: int
) -> dict[str, Any]:
    domains = list(tally.domains.rows(service.id))
    sums = {kind: sum(row[2 + n] for row in domains) for n, kind in enumerate(_ORDER)}
    rows, left = tally.sources.top((service.id,), given.sources)
    known = {domain.pattern: domain for domain in service.domains}
    return {
        "id": service.id,
        "name": service.name,
        "provider": service.provider,
        "category": service.category,
        "approved": service.approved,
        "queries": sums["query"],
        "blocked": sums["blocked"],
        "failed": sums["failed"],
        "other_types": sums["other"],
        "aliased": sum(row[6] for row in domains),
        "first_seen": min(row[-2] for row in domains),
        "last_seen": max(row[-1] for row in domains),
        "domains": [
            {
                "domain": row[1], "queries": row[2], "blocked": row[3], "failed": row[4], "other_types": row[5],
                "confidence": known[row[1]].confidence, "source": known[row[1]].source,
            }
            for row in domains
        ],
        "sources": [_source(row) for row in rows],
        "sources_left_out": left,
        "by_day": {row[1]: row[2] for row in days},
        "attempts_by_day": {row[1]: row[3] + row[4] for row in days if row[3] + row[4]},
        "days_left_out": days_left,
        "connected": None if given.flows is None else _connected(given.flows, service, given.sources),
    }  # fmt: skip


def _source(row: tuple[Any, ...]) -> dict[str, Any]:
    _, account, region, vpc, address, instance, endpoint, queries, blocked, failed, other, first, last = row
    return {
        "account": account or None, "region": region or None, "vpc": vpc or None, "address": address or None,
        "instance": instance or None, "endpoint": endpoint or None, "count": queries, "blocked": blocked,
        "failed": failed, "other_types": other, "first": first, "last": last,
    }  # fmt: skip


def _connected(flows: Flows, service: Service, limit: int) -> dict[str, Any]:
    rows, left = flows.found.top((service.id,), limit)
    sums, first, last = [0] * 5, None, None
    for row in flows.found.rows(service.id):
        sums = [total + number for total, number in zip(sums, row[7:12], strict=True)]
        first = row[12] if first is None else min(first, row[12])
        last = row[13] if last is None else max(last, row[13])
    return {
        "state": _state(*sums[:4]),
        **_numbers(sums),
        "first": _moment(first),
        "last": _moment(last),
        "sources": [
            {
                "account": row[1] or None, "vpc": row[2] or None, "address": row[3] or None,
                "interface": row[4] or None, "instance": row[5] or None, "remote": row[6],
                **_numbers(row[7:12]), "first": _moment(row[12]), "last": _moment(row[13]),
            }
            for row in rows
        ],
        "sources_left_out": left,
    }  # fmt: skip


def _state(accepted: int, rejected: int, _sent: int, received: int) -> str:
    """Say what the records show: ``connected`` needs bytes that came back."""
    if received:
        return "connected"
    return "sent" if accepted else "rejected" if rejected else "none"


def _numbers(sums: Sequence[int]) -> dict[str, int]:
    names = ("flows", "rejected", "bytes_sent", "bytes_received", "ambiguous")
    return dict(zip(names, sums, strict=True))


def _moment(at: int | None) -> str | None:
    if at is None or at >= 1 << 33:
        return None
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _coverage(tally: Tally, given: Given, services: list[dict[str, Any]]) -> dict[str, Any]:
    seen, left = tally.vpcs.top((), VPCS)
    seen.sort()
    unlogged = None if given.vpcs is None else _unlogged(tally, given.vpcs)
    return {
        "records": tally.records,
        "vpcs_seen": [
            {"account": row[0] or None, "region": row[1] or None, "vpc": row[2] or None, "records": row[3],
             "first": row[4], "last": row[5]}
            for row in seen
        ],
        "vpcs_seen_left_out": left,
        "vpcs_known": None if given.vpcs is None else len(given.vpcs),
        "vpcs_unlogged": unlogged,
        "flow_records": None if given.flows is None else given.flows.records,
        "flow_window_seconds": None if given.flows is None else tally.window,
        "trail_records": None if given.calls is None else given.calls.records,
        "calls_left_out": None if given.calls is None else given.calls.found.top((), CALLS)[1],
        "blind_spots": list(_blind_spots(tally, given, services, unlogged)),
    }  # fmt: skip


def _unlogged(tally: Tally, vpcs: Sequence[Vpc]) -> list[dict[str, Any]]:
    """A VPC that logged something is covered, however it is associated (a Route 53 Profile may be what does it)."""
    found = []
    for vpc in sorted(vpcs):
        if next(tally.vpcs.rows(vpc.account, vpc.region, vpc.id), None) is None:
            why = vpc.why if not vpc.logged else f"{vpc.why}, and these logs hold no query of it"
            found.append({"account": vpc.account, "region": vpc.region, "vpc": vpc.id, "why": why})
    return found


def _blind_spots(
    tally: Tally, given: Given, services: list[dict[str, Any]], unlogged: list[dict[str, Any]] | None
) -> Iterator[str]:
    if unlogged is None:
        yield blindness.NO_VPCS
    elif unlogged:
        yield blindness.unlogged(len(unlogged))
    names = [s["name"] for s in services if s["category"] == "resolver" and s["queries"]]
    if names:
        yield blindness.resolvers(sorted(names))
    if given.flows is None:
        yield blindness.NO_FLOWS
    else:
        yield blindness.FLOWS.format(window=tally.window)
        if given.flows.without_vpc:
            yield blindness.NO_VPC_ID
        if given.flows.skipped:
            yield blindness.SKIPPED.format(count=given.flows.skipped)
    yield blindness.NO_TRAIL if given.calls is None else NOT_BY_DEFAULT
    if any(source["endpoint"] for service in services for source in service["sources"]):
        yield blindness.ENDPOINTS
    yield from blindness.ALWAYS


def _calls(calls: Calls) -> Iterator[dict[str, Any]]:
    rows, _ = calls.found.top((), CALLS)
    for row in sorted(rows):
        source, event, account, region, principal, session, model, made, denied, failed, first, last = row
        yield {
            "service": source.removesuffix(".amazonaws.com"), "event": event, "account": account or None,
            "region": region or None, "principal": principal or None, "session": session or None,
            "model": model or None, "calls": made, "denied": denied, "failed": failed, "first": first, "last": last,
            "by_day": {day[7]: day[8] for day in calls.days.latest(row[:7], DAYS)[0]},
        }  # fmt: skip
