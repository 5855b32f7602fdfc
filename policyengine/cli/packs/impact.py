"""``policyengine rules impact``: whom a change of rules would hit, on what was collected before."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from policyengine.cli.errors import EXIT_FAIL, EXIT_INCOMPLETE, EXIT_OK
from policyengine.cli.options import config_option

if TYPE_CHECKING:
    from policyengine.cli.packs.comparing import Changed
    from policyengine.cli.packs.judging import Hit, Totals

_SHOWN: Final = 10
_MOST_ERRORS: Final = 20


@click.command(
    epilog="Exit codes: 0; 1 with --fail-on-new when something fails that did not; 2 usage or input error; 4 a snapshot "
    "could not be read whole.",
)
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.argument("targets", nargs=-1, required=True, metavar="SNAPSHOT...")
@click.option("--rule", "rule_ids", multiple=True, metavar="ID", help="only this rule; may repeat")
@config_option("policyengine.yaml to use instead of the nearest above the snapshot")
@click.option("--as-of", metavar="TIME", help="the clock, instead of the snapshot's own time (RFC 3339)")
@click.option("--account", metavar="ID", help="the account that templates and plans are for")
@click.option("--region", metavar="NAME", help="the region that templates and plans are for")
@click.option(
    "--limit", type=click.IntRange(min=0), default=_SHOWN, show_default=True, help="resources shown per rule"
)
@click.option("--all", "whole", is_flag=True, help="show every resource")
@click.option(
    "--format", "form", type=click.Choice(["terminal", "ndjson"]), default="terminal", show_default=True
)
@click.option("--fail-on-new", is_flag=True, help="exit 1 when something fails that did not")
def impact(old: str, new: str, targets: Sequence[str], **options: Any) -> int:
    """Say whom a change of rules would hit: judge snapshots by the rules that changed, before and after.

    OLD and NEW are a folder of rules, a rule file, a wheel, a compiled pack, a kept run, or a git revision
    (`main`, `main:policies`). SNAPSHOT is a snapshot, judged at the time it was made; a kept run (`scan -o DIR`), judged
    with its own settings and time; or anything else that can be scanned.

    \b
      policyengine rules impact main rules snapshots/2026-11-01
    """
    from policyengine.cli.packs.comparing import changed_rules
    from policyengine.cli.packs.judging import Totals, hits
    from policyengine.cli.packs.sides import open_side
    from policyengine.cli.run import clock

    clock(options["as_of"])  # refuses what is no time
    one, other = open_side(old), open_side(new)
    changes = _chosen(changed_rules(one, other), options["rule_ids"], one.ids | other.ids)
    totals = Totals()
    found: Iterable[Hit] = ()
    if changes:
        packs = (_pack(c.old for c in changes), _pack(c.new for c in changes))
        every = _every(changes, one.ids | other.ids)
        found = (hit for target in targets for hit in hits(target, packs, every, options, totals))
    if options["form"] == "ndjson":
        _ndjson(found, changes, totals)
    else:
        _terminal(list(found), changes, totals, None if options["whole"] else options["limit"])
    if totals.incomplete:
        return EXIT_INCOMPLETE
    return EXIT_FAIL if options["fail_on_new"] and totals.newly_failing() else EXIT_OK


def _chosen(changes: list[Changed], wanted: Sequence[str], known: frozenset[str]) -> list[Changed]:
    from policyengine.model.errors import UsageError
    from policyengine.rules.names import unknown

    for name in wanted:
        if name not in known:
            raise UsageError(unknown("rule", name, known))
    return [c for c in changes if c.kind != "says" and (not wanted or c.rule in wanted)]


def _pack(forms: Iterable[dict[str, Any] | None]) -> Any:
    from policyengine.rules.pack import Pack

    return Pack("", tuple(form for form in forms if form is not None))


def _every(changes: Sequence[Changed], ids: frozenset[str]) -> Any:
    """All rules a configuration may name: the changed ones as they are now, the bundled ones, and the names of others."""
    from policyengine.rules.packs import load_packs

    forms: dict[str, dict[str, Any]] = {rule: {"id": rule, "parameters": {}} for rule in ids}
    forms |= {form["id"]: form for form in load_packs().rules}
    forms |= {c.rule: c.new or c.old or {} for c in changes}
    return _pack(forms.values())


def _ndjson(found: Iterable[Hit], changes: Sequence[Changed], totals: Totals) -> None:
    kinds = {c.rule: c.kind for c in changes}
    for hit in found:
        print(json.dumps({"change": kinds[hit.rule], **hit._asdict()}, separators=(",", ":")))
    rules = {
        c.rule: {
            "change": c.kind, "asked": totals.asked[c.rule],
            "turned": [[was, now, n] for (was, now), n in sorted(totals.turned.get(c.rule, {}).items())],
        }
        for c in changes
    }  # fmt: skip
    end = {"schema": "policyengine/rule-impact/v1", "rules": rules, "resources": totals.resources,
           "complete": not totals.incomplete, "errors": [str(error) for error in totals.errors]}  # fmt: skip
    print(json.dumps({"end": end}, separators=(",", ":")))


def _terminal(found: Sequence[Hit], changes: Sequence[Changed], totals: Totals, limit: int | None) -> None:
    from policyengine.cli.outputs import say

    for change in changes:
        turned: Mapping[tuple[str, str], int] = totals.turned.get(change.rule, {})
        asked = totals.asked[change.rule]
        said = ", ".join(
            f"{n:,} {_turn(was, now)}" for (was, now), n in sorted(turned.items(), key=_worst_first)
        )
        say(f"{change.rule} ({_KINDS[change.kind]}): {said or 'no verdict changes'}; asked of {asked:,}")
        own = sorted(
            (hit for hit in found if hit.rule == change.rule),
            key=lambda hit: _worst_first(((hit.was, hit.now), 0)),
        )
        for hit in own if limit is None else own[:limit]:
            say(f"  {_turn(hit.was, hit.now)}  {_where(hit)}" + (f"  {hit.message}" if hit.message else ""))
        if limit is not None and len(own) > limit:
            click.echo(f"  and {len(own) - limit:,} more (--all, or --format ndjson)")
    for error in totals.errors[:_MOST_ERRORS]:
        say(f"error: {error}")
    if len(totals.errors) > _MOST_ERRORS:
        click.echo(f"error: and {len(totals.errors) - _MOST_ERRORS:,} more")
    click.echo(
        f"{len(changes):,} changed rules on {totals.resources:,} resources: {totals.newly_failing():,} verdicts become FAIL"
        if changes
        else "the two sets of rules decide the same"
    )


_KINDS: Final = {"new": "new", "removed": "gone", "decides": "changed"}
_ORDER: Final = ("FAIL", "UNKNOWN", "PASS", "NOT_APPLICABLE", "-")


def _turn(was: str, now: str) -> str:
    return f"{'not asked' if was == '-' else was} -> {'not asked' if now == '-' else now}"


def _worst_first(turn: tuple[tuple[str, str], int]) -> tuple[int, int]:
    (was, now), _ = turn
    return _ORDER.index(now), _ORDER.index(was)


def _where(hit: Hit) -> str:
    from policyengine.sources.paths import printable

    about = hit.resource
    place = (
        f"{about['file']}:{about['line'] or 1}"
        if "file" in about
        else f"{about['account'] or ''}/{about['region'] or ''}"
    )
    return f"{printable(place)}  {about['type']} {printable(about['id'])}"
