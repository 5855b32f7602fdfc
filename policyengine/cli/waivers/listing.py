"""``policyengine waivers list``."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from policyengine.cli.outputs import say
from policyengine.cli.waivers.common import options, today, used
from policyengine.cli.waivers.looking import none_found, with_nearest

if TYPE_CHECKING:
    from policyengine.config.waivers import Waiver


@click.command(name="list", context_settings={"help_option_names": ["-h", "--help"]})
@options
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def list_waivers(form: str, **given: Any) -> int:
    """List the waivers in use: what they are about, who owns and approved them, until when they hold."""
    given = dict(with_nearest(given, None))
    waiving, day = used(given).waiving, today(given["as_of"])
    if form == "json":
        found = [
            {**each.signed(), "state": _state(each, day), "signed": each.signature is not None}
            for each in waiving.waivers
        ]
        print(json.dumps({"waivers": found}, indent=1))
        return 0
    if not waiving.waivers:
        say(none_found(given, None))
        return 0
    rows = [("ID", "STATE", "RULE", "SCOPE", "OWNER", "APPROVER", "EXPIRES")]
    rows += [
        (each.id, _state(each, day), ", ".join(each.rules), each.scope, each.owner, each.approver, each.expires)
        for each in waiving.waivers
    ]  # fmt: skip
    from policyengine.reports.text import cut, visible

    shown = [[visible(cut(text, 60)) for text in row] for row in rows]
    widths = [max(len(row[at]) for row in shown) for at in range(len(rows[0]))]
    for row in shown:
        say("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _state(waiver: Waiver, day: str) -> str:
    if ended := waiver.ended(day):
        return ended[0].replace("_", " ")
    left = (date.fromisoformat(waiver.expires) - date.fromisoformat(day)).days
    return f"{left} days left"
