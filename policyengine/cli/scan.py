"""``policyengine scan``: targets in, reports out, an exit code that tells the truth."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from policyengine.cli.errors import EXIT_FAIL, EXIT_INCOMPLETE, EXIT_OK, EXIT_UNKNOWN, EXIT_USAGE
from policyengine.cli.live import wish
from policyengine.cli.options import config_option, jobs_option, rules_option

_PATH = click.Path(path_type=Path)


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 nothing to do; 1 a FAIL at or above --fail-on; 2 usage or input error; 3 UNKNOWN "
    "under --strict; 4 the run is incomplete.",
)
@click.argument("targets", nargs=-1, metavar="TARGET...")
@wish.options
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="FMT[=FILE]",
    help="terminal (the default), json, ndjson, sarif, junit, github, gitlab, markdown, csv, html, xlsx, oscal, oscal-full, "
    "oscal-poam, ocsf, asff, well-architected; may repeat, all but one with a file",
)
@click.option(
    "-o",
    "--output",
    type=_PATH,
    metavar="DIR",
    help="write a run directory, which `explain --run` reads",
)
@click.option("--compact", is_flag=True, help="on the terminal one line per finding")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help="on the terminal N findings per rule; 0 shows everything in full",
)
@click.option(
    "--show-waived", is_flag=True, help="on the terminal also list the failures that a waiver accepts"
)
@click.option("-q", "--quiet", is_flag=True, help="no terminal report; the exit code says it")
@rules_option()
@click.option("--rule", "rule_ids", multiple=True, metavar="ID", help="only this rule; may repeat")
@click.option(
    "--family", "families", multiple=True, metavar="NAME", help="only rules of this family; may repeat"
)
@config_option("policyengine.yaml to use instead of the nearest above the target")
@click.option(
    "--waivers", "waiver_files", multiple=True, type=_PATH, metavar="FILE",
    help="failures that somebody accepted, instead of the files policyengine.yaml names; may repeat",
)  # fmt: skip
@click.option(
    "--baseline", type=_PATH, metavar="FILE",
    help="failures the project began with, as `baseline write` wrote them: only others fail",
)  # fmt: skip
@click.option(
    "--parameters",
    multiple=True,
    metavar="FILE|KEY=VALUE",
    help="values of template parameters, as the AWS CLI or CodePipeline takes them; may repeat",
)
@click.option(
    "--stack-tag",
    "stack_tags",
    multiple=True,
    metavar="KEY=VALUE",
    help="a tag the stack is deployed with; may repeat",
)
@click.option(
    "--terraform-source",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="the configuration behind the plan, so that findings name its files and lines",
)
@click.option("--account", metavar="ID", help="the account that templates and plans are for")
@click.option("--region", metavar="NAME", help="the region that templates and plans are for")
@click.option(
    "--ou", "ous", multiple=True, metavar="ID", help="the OUs above that account, nearest first; may repeat"
)
@click.option(
    "--as-of", metavar="TIME", help="the clock of the run (RFC 3339); same input and time, same bytes"
)
@click.option(
    "--fail-on",
    type=click.Choice(["low", "medium", "high", "critical", "never"]),
    default="low",
    show_default=True,
    help="exit 1 on a FAIL at or above this severity",
)
@click.option(
    "--config-aggregator",
    metavar="NAME",
    help="evaluate what this AWS Config aggregator holds (--profile says whose)",
)
@click.option("--strict", is_flag=True, help="exit 3 when a verdict is UNKNOWN")
@jobs_option("processes for large snapshots (default 1)")
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="keep results in this private folder: the next run judges again only what has changed (snapshots and "
    "--live)",
)
@click.option("--no-cache", is_flag=True, help="keep no results, whatever --cache says (the default)")
def scan(targets: Sequence[str], **options: Any) -> int:
    """Evaluate rules on templates, plans, snapshots, files of AWS Config and live accounts.

    TARGET is a CloudFormation or SAM template, a CDK assembly (cdk.out), a Terraform plan as JSON, a
    snapshot, a snapshot, history or event of AWS Config, or a folder with any of these; each file is
    recognised by its content. `-` reads standard input.

    \b
      policyengine scan template.yaml --parameters Environment=prod
      policyengine scan cdk.out --format sarif=findings.sarif --format terminal
      policyengine scan plan.json --terraform-source . --fail-on high
      policyengine scan snapshot/ -j 2 --format json=findings.json
      policyengine scan config-snapshot.json.gz
      policyengine scan --live --regions eu-west-1,eu-central-1
    """
    import atexit
    import gc

    # resources and findings are trees without cycles: looking for cycles every 700 objects costs a fifth,
    # and every 100,000 still a tenth
    gc.set_threshold(1_000_000, 20, 50)
    atexit.register(gc.freeze)  # the process ends: nothing is worth looking for any more

    if options["no_cache"]:
        options["cache"] = None
    if options["config_aggregator"] is not None:
        return _aggregated(targets, options)
    found = wish.wish_of(options)
    if found is None:
        if not targets:
            raise click.UsageError(
                "what is to be scanned? name a template, plan or snapshot, or give --live or --org"
            )
        from policyengine.cli.run import prepare_run

        return _finish(prepare_run(targets, options), options)
    if targets:
        raise click.UsageError(f"`{targets[0]}` and --live or --org: scan them one after the other")
    from policyengine.cli.live.scanning import collected_run

    with collected_run(found, options) as run:
        return _finish(run, options)


def _aggregated(targets: Sequence[str], options: Mapping[str, Any]) -> int:
    if targets or options["live"] or options["org"]:
        raise click.UsageError("--config-aggregator goes alone, without targets, --live and --org")
    from policyengine.cli.live.aggregated import aggregated_run

    with aggregated_run(options["config_aggregator"], options) as run:
        return _finish(run, options)


def _finish(run: Any, options: Mapping[str, Any]) -> int:
    return exit_code(run.write(sys.stdout), fail_on=options["fail_on"], strict=options["strict"])


def quiet_options(**given: Any) -> dict[str, Any]:
    """Return the options of a scan that nobody sees the report of; each that is not ``given`` is as it is left out."""
    options = scan.make_context("scan", ["--quiet", "."]).params
    del options["targets"]
    if unknown := given.keys() - options.keys():
        raise TypeError(f"`scan` has no option {', '.join(sorted(unknown))}")
    return {**options, **given}


def exit_code(result: Any, *, fail_on: str, strict: bool) -> int:
    """Return the exit code of DESIGN section 6, by precedence 4, 2, 1, 3, 0."""
    if result.incomplete:
        return EXIT_INCOMPLETE
    if result.input_errors:
        return EXIT_USAGE
    if result.failed_at(fail_on):
        return EXIT_FAIL
    return EXIT_UNKNOWN if strict and result.unknown else EXIT_OK
