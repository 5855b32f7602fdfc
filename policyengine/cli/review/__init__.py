"""``policyengine review``: what a change newly allows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from policyengine.cli.options import config_option, rules_option

_PATH = click.Path(path_type=Path)


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 nothing got worse; 1 something did, at or above --fail-on; 2 usage, or what changed cannot be "
    "read; 3 something could not be decided, under --strict; 4 a side could not be read whole.",
)
@click.argument("scope", nargs=-1, type=_PATH, metavar="[PATH]...")
@click.option(
    "--base", required=True, metavar="REF|DIR|FILE",
    help="what it was: a revision of git (from where the head forked off), a folder, or a file",
)  # fmt: skip
@click.option(
    "--head", metavar="REF|DIR|FILE",
    help="what it is to be (default: the work tree, with files git does not know yet)",
)  # fmt: skip
@click.option(
    "--exact-base", is_flag=True, help="compare with the very base, also with what others merged there since"
)
@click.option(
    "--format", "formats", multiple=True, metavar="FMT[=FILE]",
    help="terminal (the default), json, markdown (a pull-request comment), sarif, github, gitlab; may repeat, all but one "
    "with a file",
)  # fmt: skip
@click.option("--all", is_flag=True, help="on the terminal also list what is new and what got better")
@click.option("-q", "--quiet", is_flag=True, help="no terminal page; the exit code says it")
@rules_option("add a folder of rules, as the base has it")
@click.option("--rule", "rule_ids", multiple=True, metavar="ID", help="only this rule; may repeat")
@click.option(
    "--family", "families", multiple=True, metavar="NAME", help="only rules of this family; may repeat"
)
@config_option("policyengine.yaml to use, as the base has it, instead of the nearest")
@click.option(
    "--waivers",
    "waiver_files",
    multiple=True,
    type=_PATH,
    metavar="FILE",
    help="waivers to use, as the base has them; may repeat",
)
@click.option("--baseline", type=_PATH, metavar="FILE", help="baseline to use, as the base has it")
@click.option(
    "--parameters", multiple=True, metavar="FILE|KEY=VALUE", help="values of template parameters; may repeat"
)
@click.option(
    "--stack-tag",
    "stack_tags",
    multiple=True,
    metavar="KEY=VALUE",
    help="a tag the stack is deployed with; may repeat",
)
@click.option("--account", metavar="ID", help="the account that templates and plans are for")
@click.option("--region", metavar="NAME", help="the region that templates and plans are for")
@click.option(
    "--ou", "ous", multiple=True, metavar="ID", help="the OUs above that account, nearest first; may repeat"
)
@click.option("--as-of", metavar="TIME", help="the clock of the review (RFC 3339)")
@click.option(
    "--fail-on", type=click.Choice(["low", "medium", "high", "critical", "never"]), default="low", show_default=True,
    help="exit 1 when something of at least this severity got worse",
)  # fmt: skip
@click.option("--strict", is_flag=True, help="exit 3 when something could not be decided")
def review(scope: Sequence[Path], **options: Any) -> int:
    """Say what a change newly allows, and what it no longer protects.

    Both sides are judged by the configuration, waivers, baseline and rules of the base, so that a change cannot
    loosen its own gate. Resources are matched across renames and moves; what was wrong before is not told again.
    PATH limits the review of revisions to files or folders (default: the current folder).

    \b
      policyengine review --base origin/main
      policyengine review --base HEAD~1 --head HEAD --format markdown=comment.md
      policyengine review --base old-plan.json --head new-plan.json
      policyengine review --base snapshot-monday/ --head snapshot-tuesday/ --all
    """
    from policyengine.cli.review.command import run_review

    return run_review(scope, options)
