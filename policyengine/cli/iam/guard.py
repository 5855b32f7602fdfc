"""``policyengine iam guard``: the smallest policy that closes what a set of requests finds open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from policyengine.cli.errors import EXIT_FAIL, EXIT_INCOMPLETE, EXIT_OK
from policyengine.cli.iam.answers import (
    FORMAT,
    HELP,
    json_line,
    plural,
    show,
    show_errors,
    some,
    why_texts,
    witness_json,
    witness_lines,
)
from policyengine.cli.iam.requests import read_requests, request_options
from policyengine.iam.breakage import Breakage, Broken, breakage
from policyengine.iam.covering import Coverage
from policyengine.iam.documents import read_policy
from policyengine.iam.guard import Guardrail, synthesize
from policyengine.iam.organization import ChainKind, Organization, Quotas
from policyengine.iam.reason import Unknown, Yes

MOST = 20
"""Principals and calls that are shown one by one."""


@click.command(context_settings=HELP)
@click.option("--in", "target", required=True, metavar="SNAPSHOT", help="what holds the organisation")
@request_options(required=True)
@click.option(
    "--kind",
    type=click.Choice(["scp", "rcp"]),
    default="scp",
    show_default=True,
    help="scp: what principals of the accounts ask for; rcp: what anyone asks of their resources",
)
@click.option(
    "--cloudtrail",
    type=click.Path(path_type=Path, exists=True),
    metavar="RECORDS",
    help="CloudTrail records of past use, a file or a folder: which calls it would have broken",
)
@FORMAT
@click.option("--per-node", type=click.IntRange(1), metavar="N", help="most policies a node takes")
@click.option("--characters", type=click.IntRange(1), metavar="N", help="most characters a policy has")
def guard(
    target: str,
    requests_file: Path,
    kind: ChainKind,
    cloudtrail: Path | None,
    format_: str,
    per_node: int | None,
    characters: int | None,
) -> int:
    """Make the policy that denies a set of requests wherever it is open.

    The policy is proved over all requests: with it, nothing of the set gets through in any account that
    was open, and it denies nothing else. It goes to the topmost nodes whose accounts are all open. Exit
    codes: 0 nothing is open or the policy is proved, 1 it is not or does not fit the quotas,
    4 the organisation could not be read whole.

    \b
      policyengine iam guard --in snapshot/ --requests bedrock-outside-eu.json --cloudtrail trail/
    """
    from policyengine.cli.iam.organizations import read_target

    requests = read_requests(requests_file)
    found = read_target(target)
    show_errors(found.errors)
    given = {f"{kind}s_per_node": per_node, f"{kind}_characters": characters}
    quotas = replace(Quotas(), **{name: most for name, most in given.items() if most is not None})
    rail = synthesize(found.organization, requests, kind, quotas)
    past = None if cloudtrail is None else _past(rail, found.organization, cloudtrail)
    if format_ == "json":
        json_line(as_json(rail, past))
    else:
        show(page(rail, past, requests_file.name))
    if found.errors:
        return EXIT_INCOMPLETE
    return EXIT_OK if not rail.open or (rail.proved and not rail.problems) else EXIT_FAIL


def _past(rail: Guardrail, organization: Organization, path: Path) -> Breakage:
    from policyengine.sources.trail import read_trail

    policies = [read_policy(document, rail.kind) for document in rail.policies]
    below = {c.account for c in rail.open}
    return breakage(read_trail(path), policies, rail.kind, below, organization.management_account)


# -- JSON -------------------------------------------------------------------------------------------------


def as_json(rail: Guardrail, past: Breakage | None) -> dict[str, Any]:
    """Return the JSON line."""
    found: dict[str, Any] = {
        "kind": rail.kind,
        "covered": rail.covered,
        "open": [c.account for c in rail.open],
        "policies": rail.policies,
        "attach": rail.nodes,
        "attach_once": rail.once,
        "proved": rail.proved,
        "closes": rail.closes,
        "left": [_left(c) for c in rail.left],
        "exact": rail.exact,
        "outside": None if rail.outside is None else witness_json(rail.outside),
        "characters": rail.characters,
        "limit": rail.limit,
        "nodes": [
            {
                "node": room.node,
                "policies": room.attached,
                "limit": room.limit,
                "fits": room.fits,
                "room_in": [{"policy": id_, "characters": left} for id_, left in room.roomy],
            }
            for room in rail.rooms
        ],
        "problems": rail.problems,
        "notes": rail.notes,
    }
    if past is not None:
        found["past_use"] = {
            "records": past.records,
            "judged": past.judged,
            "unread": past.unread,
            "broken": [_broken_json(b) for b in past.broken],
        }
    return found


def _left(result: Coverage) -> dict[str, Any]:
    answer = result.answer
    witness = witness_json(answer.witness) if isinstance(answer, Yes) else None
    reasons = why_texts(answer.why) if isinstance(answer, Unknown) else []
    return {"account": result.account, "witness": witness, "reasons": reasons}


def _broken_json(broken: Broken) -> dict[str, Any]:
    return {
        "principal": broken.principal,
        "action": broken.action,
        "sure": broken.sure,
        "why": broken.why,
        "calls": broken.calls,
        "first": broken.first,
        "last": broken.last,
        "regions": sorted(broken.regions),
        "resources": list(broken.resources)[:MOST],
    }


# -- text -------------------------------------------------------------------------------------------------


def page(rail: Guardrail, past: Breakage | None, requests: str) -> Iterator[str]:
    """Yield the lines a reader gets: the policy, where it goes, the proofs, past use."""
    name = rail.kind.upper()
    total = len(rail.open) + rail.covered
    if not rail.open:
        yield f"nothing to do: {name}s deny all of `{requests}` in {plural(total, 'member account')}"
        return
    yield f"`{requests}` is open in {len(rail.open):,} of {plural(total, 'member account')}"
    yield from (f"problem: {text}" for text in rail.problems)
    if rail.policies:
        for document in rail.policies:
            yield ""
            yield from json.dumps(document, indent=2, ensure_ascii=False).split("\n")
        yield ""
        yield f"attach to: {some(rail.nodes, 10)}"
        if len(rail.nodes) > 1 and rail.exact and rail.once is not None:
            yield f"or once to {rail.once}: where the set is denied already, the same is denied twice"
        yield from _proofs(rail, requests)
        yield from _quotas(rail, name)
    if past is not None:
        yield ""
        yield from _past_use(past)


def _proofs(rail: Guardrail, requests: str) -> Iterator[str]:
    if rail.closes:
        yield f"proved: nothing of `{requests}` gets through in any of {plural(len(rail.open), 'account')}"
    else:
        yield f"NOT CLOSED in {plural(len(rail.left), 'account')}: {some([c.account for c in rail.left])}"
        first = rail.left[0].answer
        if isinstance(first, Yes):
            yield from witness_lines(first.witness)
        elif isinstance(first, Unknown):
            yield from (f"  not decided: {text}" for text in why_texts(first.why))
    if rail.exact:
        yield f"proved: it denies nothing outside `{requests}`"
    elif rail.outside is not None:
        yield f"NOT EXACT: it also denies a request outside `{requests}`"
        yield from witness_lines(rail.outside)
    else:
        yield from (f"not proved: {note}" for note in rail.notes)


def _quotas(rail: Guardrail, name: str) -> Iterator[str]:
    sizes = ", ".join(f"{n:,}" for n in rail.characters)
    fit = "fits" if all(n <= rail.limit for n in rail.characters) else "TOO LONG"
    full = [room for room in rail.rooms if not room.fits]
    yield f"{fit}: {sizes} of {rail.limit:,} characters"
    for room in (full or rail.rooms)[:5]:
        word = "fits" if room.fits else "TOO MANY"
        yield f"{word}: {room.attached} of {room.limit} {name}s at {room.node}"
        for id_, left in room.roomy:
            yield f"  {id_} has room for the statement: {left:,} characters are left"
    if len(full) > 5:
        yield f"TOO MANY at {plural(len(full) - 5, 'more node')}"


def _past_use(past: Breakage) -> Iterator[str]:
    sure, perhaps = ([b for b in past.broken if b.sure is s] for s in (True, False))
    yield f"past use, {plural(past.judged, 'call')} in {plural(past.records, 'CloudTrail record')}:"
    if not past.broken:
        yield "  it would have denied none of them"
    for title, found in (("would have been denied", sure), ("may have been denied", perhaps)):
        if found:
            calls = sum(b.calls for b in found)
            yield f"  {plural(calls, 'call')} of {plural(len({b.principal for b in found}), 'principal')} {title}:"
            yield from (f"    {_broken(b)}" for b in found[:MOST])
            if len(found) > MOST:
                yield f"    and {len(found) - MOST:,} more"
    for why, number in sorted(past.unread.items(), key=lambda item: -item[1])[:5]:
        yield f"  not judged: {plural(number, 'record')}: {why}"


def _broken(broken: Broken) -> str:
    where = some(sorted(broken.regions), 3)
    when = (
        broken.first[:10]
        if broken.first[:10] == broken.last[:10]
        else f"{broken.first[:10]} to {broken.last[:10]}"
    )
    why = f" ({broken.why})" if broken.why else ""
    return f"{broken.principal}: {broken.action}, {plural(broken.calls, 'call')} in {where}, {when}{why}"
