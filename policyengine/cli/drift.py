"""``policyengine drift``: what is declared against what runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from policyengine.cli.errors import EXIT_FAIL, EXIT_INCOMPLETE, EXIT_OK
from policyengine.cli.live import wish
from policyengine.cli.options import config_option, rules_option
from policyengine.model.errors import UsageError
from policyengine.sources.paths import printable

_PATH = click.Path(path_type=Path)
_ERRORS: Final = 20
"""Errors that are printed; scanning the snapshot tells all of them."""


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 nothing drifted; 1 something that runs fails and is declared otherwise; 2 input error; "
    "4 something could not be read.",
)
@click.argument("targets", nargs=-1, required=True, metavar="TEMPLATE|PLAN...")
@click.option("--against", type=_PATH, metavar="SNAPSHOT", help="the snapshot of what runs (or --live)")
@wish.options
@click.option("--stack", metavar="NAME", help="the stack the template is deployed as")
@click.option("--account", metavar="ID", help="the account it is deployed in")
@click.option("--region", metavar="NAME", help="the region it is deployed in")
@click.option(
    "--parameters", multiple=True, metavar="FILE|KEY=VALUE", help="values of template parameters; may repeat"
)
@click.option(
    "--trail", multiple=True, type=_PATH, metavar="FILE", help="CloudTrail logs: who changed it; may repeat"
)
@click.option(
    "--history",
    multiple=True,
    type=_PATH,
    metavar="FILE",
    help="history of AWS Config: since when; may repeat",
)
@click.option("--unmanaged", is_flag=True, help="list what runs and nothing declares")
@rules_option()
@click.option("--rule", "rule_ids", multiple=True, metavar="ID", help="only this rule; may repeat")
@click.option("--family", "families", multiple=True, metavar="NAME", help="only this family; may repeat")
@config_option()
@click.option("-q", "--quiet", is_flag=True, help="no progress")
def drift(targets: Sequence[str], **options: Any) -> int:
    """Say where what runs has other verdicts than the template or plan that declares it.

    Resources are joined by the tags of their stack and logical id, else by the properties that name them.

    \b
      policyengine drift template.yaml --against snapshot/ --stack payments
      policyengine drift plan.json --live --regions eu-west-1
    """
    with _snapshot(options) as snapshot:
        return _compared(targets, snapshot, options)


@contextmanager
def _snapshot(options: Mapping[str, Any]) -> Iterator[Path]:
    found = wish.wish_of(options)
    against: Path | None = options["against"]
    if (found is None) == (against is None):
        raise UsageError("what runs? give --against SNAPSHOT, or --live, or --org: one of them")
    if found is None:
        assert against is not None
        yield against
        return
    from policyengine.cli.live.scanning import collected_for

    with collected_for(found, options) as (target, _):
        yield target


def _compared(targets: Sequence[str], snapshot: Path, options: Mapping[str, Any]) -> int:
    from policyengine.cli.drifting import Sides
    from policyengine.review.drift import drifts

    sides = Sides(targets, snapshot, options)
    found = list(drifts(sides.join.joined, sides.declared, sides.live))
    drifted = [each for each in found if each.kind == "drifted"]
    acts = sides.acts({each.joined.live for each in drifted})
    since = sides.since(drifted)
    for each in found:
        _say(each, acts.get("/".join(each.joined.live)), since.get((each.joined.live, each.live.rule)))
    _say_lost(sides)
    if options["unmanaged"]:
        for identity in sides.join.strangers:
            print(f"in no code: {identity[0]}/{identity[1]}  {identity[2]} {printable(identity[3])}")
    kinds = Counter(each.kind for each in found)
    lost = Counter(each.why for each in sides.join.lost)
    print(
        f"{len(sides.join.joined):,} declared resources run; {kinds['drifted']:,} verdicts drifted, "
        f"{kinds['better']:,} are better than declared, {kinds['not_determined']:,} not determined; "
        f"{lost['missing']:,} resources never arrived, {lost['not_collected']:,} not collected, "
        f"{lost['ambiguous']:,} ambiguous; {len(sides.join.strangers):,} run in no code"
    )
    for error in sides.errors[:_ERRORS]:
        print(f"error: {printable(str(error))}")
    if len(sides.errors) > _ERRORS:
        print(f"error: and {len(sides.errors) - _ERRORS:,} more; `policyengine scan` of the snapshot has all")
    if not sides.join.joined and lost["not_collected"] + lost["ambiguous"]:
        print(
            "error: nothing was compared: no declared resource was found among those that run; do --stack, --account and "
            "--region name where it is deployed, and was that collected?"
        )
        return EXIT_INCOMPLETE
    if sides.errors:
        return EXIT_INCOMPLETE
    return EXIT_FAIL if kinds["drifted"] else EXIT_OK


def _say(each: Any, act: Any, since: Any) -> None:
    live, declared = each.live, each.declared
    place = (
        f"{declared.location.file}:{declared.location.line or 1}"
        if declared.location
        else declared.identity[1]
    )
    words = {"drifted": "drifted", "better": "better than declared", "not_determined": "not determined"}
    print(
        f"{words[each.kind]}: {live.severity} {live.rule}  {printable(place)} {printable(each.joined.declared[3])}: "
        f"{declared.verdict} declared, {live.verdict} in {live.account}/{live.region} ({printable(live.resource_id)}, "
        f"by {each.joined.how})"
    )
    print(f"    {printable(live.message)}")
    if since is not None:
        from policyengine.cli.drift_history import in_words

        print(f"    = {in_words(since)}")
    if act is not None:
        print(
            f"    = last changed {act.time} by {printable(act.actor)} ({printable(act.event)} from {printable(act.source)})"
        )


def _say_lost(sides: Any) -> None:
    words = {
        "missing": "never arrived", "not_collected": "not collected: the snapshot does not cover it",
        "ambiguous": "ambiguous: several running resources fit; --stack, --account and --region tell them apart",
    }  # fmt: skip
    for lost in sides.join.lost:
        if lost.why != "not_collected":
            type_ = sides.types.get(lost.declared, "")
            print(f"{words[lost.why]}: {type_} {printable(lost.declared[3])} ({printable(lost.declared[1])})")
