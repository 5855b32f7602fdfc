"""``policyengine history replay``: the time machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from policyengine.cli.errors import EXIT_INCOMPLETE, EXIT_OK
from policyengine.cli.history.options import format_option, period_options, print_json, table
from policyengine.cli.options import config_option, rules_option

_PATH = click.Path(path_type=Path)
_ERRORS = 20


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 replayed; 2 no history of AWS Config, or an option of no use; 4 something could not be read.",
)
@click.argument("targets", nargs=-1, required=True, metavar="CONFIG-HISTORY...")
@click.option("--trail", multiple=True, type=_PATH, metavar="FILE|DIR",
              help="CloudTrail records of the period: who did it, and when the recorder was stopped; may repeat")  # fmt: skip
@period_options
@rules_option()
@click.option("--rule", "rule_ids", multiple=True, metavar="ID", help="only this rule; may repeat")
@click.option(
    "--family", "families", multiple=True, metavar="NAME", help="only rules of this family; may repeat"
)
@config_option()
@click.option("--limit", type=click.IntRange(min=0), default=50, show_default=True, metavar="N",
              help="on the terminal show N failures; 0 shows all")  # fmt: skip
@format_option("terminal", "json")
def replay(targets: Sequence[str], form: str, limit: int, **options: Any) -> int:
    """Run today's rules over what AWS Config recorded: when did what fail, until when, why, and by whom?

    CONFIG-HISTORY are files of configuration history and snapshots as AWS Config delivers them to S3, answers of
    get-resource-config-history, or folders of them. Each item is judged as of the time it was captured, beside the newest
    items of other resources by then. Where nobody recorded there is a gap, and no verdict.
    """
    from policyengine.cli.history.replaying import replayed
    from policyengine.reports.text import visible, without_log_commands

    for path in options["trail"]:
        if not path.exists():
            raise click.UsageError(f"--trail `{path}` does not exist")
    found = replayed(targets, options)
    if form == "json":
        print_json(found.document)
    else:
        _terminal(found.document, limit)
    for error in found.errors[:_ERRORS]:
        print(without_log_commands(f"error: {visible(str(error))}"), file=sys.stderr)
    if len(found.errors) > _ERRORS:
        print(f"error: and {len(found.errors) - _ERRORS:,} more; --format json has all", file=sys.stderr)
    return EXIT_INCOMPLETE if found.errors else EXIT_OK


def _terminal(document: Mapping[str, Any], limit: int) -> None:
    from policyengine.history.moments import in_words

    rows = list(_failures(document))
    shown = rows[: limit or None]
    if shown:
        table(
            ("severity", "rule", "resource", "account", "from", "to", "lasted", "because", "by"),
            (row[1:] for row in shown),
        )
    if len(rows) > len(shown):
        print(f"and {len(rows) - len(shown):,} more: --limit 0 shows all, --format json tells more of each")
    period, summary = document["period"], document["summary"]
    gaps = [gap for resource in document["resources"] for gap in resource["gaps"]]
    for why in sorted({gap["why"] for gap in gaps}):
        number = sum(gap["why"] == why for gap in gaps)
        print(f"gap: {number:,} times nothing is known of a resource: {why}")
    if not document["places"]:
        print("nothing proves that the recorder was on all the time: --trail gives the records of CloudTrail")
    unknown = sum(each["unknown_seconds"] for each in summary["by_rule"].values())
    total = sum(each["fail_seconds"] for each in summary["by_rule"].values())
    print(
        f"{period['begin']} to {period['end']}: {summary['resources']:,} resources, {summary['failures']:,} failures lasted "
        f"{in_words(total)} together, {in_words(unknown)} not determined, {summary['gaps']:,} gaps"
    )


def _failures(document: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    from policyengine.history.moments import in_words
    from policyengine.history.timeline.document import by_severity

    rules = document["rules"]
    rows = []
    for resource in document["resources"]:
        for each in resource["intervals"]:
            if each["verdict"] == "FAIL":
                rule = rules[each["rule"]]
                open_ = each["ends"]["why"] == "period_end"
                rows.append(
                    ((by_severity(rule), each["rule"], each["begin"], resource["account"], resource["id"]), rule["severity"],
                     each["rule"], resource["id"], resource["account"], _begin(each), "still" if open_ else each["end"],
                     in_words(each["seconds"]), _because(each["begins"]), _by(each["begins"]))
                )  # fmt: skip
    yield from sorted(rows, key=lambda row: row[0])


def _begin(interval: Mapping[str, Any]) -> str:
    earlier = interval["begins"]["why"] in ("first_record", "after_gap", "period_start")
    return f"{interval['begin']} or earlier" if earlier else str(interval["begin"])


def _because(cause: Mapping[str, Any]) -> str:
    import json

    values = cause.get("values")
    if values:
        first = values[0]
        was, now = (json.dumps(first[side], ensure_ascii=False)[:30] for side in ("was", "now"))
        return f"{first['path']} was {was}, is {now}" + ("; …" if len(values) > 1 else "")
    related = cause.get("related")
    if related:
        return (
            f"{related[0].split('/')[2]} {related[0].split('/', 3)[3]}"
            if related[0].count("/") > 2
            else related[0]
        )
    return str(cause["why"].replace("_", " "))


def _by(cause: Mapping[str, Any]) -> str:
    actor = cause.get("actor")
    if actor is None:
        return ""
    others = f" (or {actor['other_events']} others)" if actor["other_events"] and not actor["certain"] else ""
    return f"{actor['arn']} {actor['event']} {actor['at']}{others}"
