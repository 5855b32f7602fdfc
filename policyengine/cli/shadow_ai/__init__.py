"""``policyengine shadow-ai``: which AI services are looked up, from where."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from policyengine.cli.errors import EXIT_FAIL, EXIT_INCOMPLETE, EXIT_OK
from policyengine.model.errors import InputError, UsageError
from policyengine.sources.paths import printable

if TYPE_CHECKING:
    from policyengine.cli.shadow_ai.targets import Log
    from policyengine.shadow_ai.catalogue import Catalogue
    from policyengine.shadow_ai.document import Given
    from policyengine.shadow_ai.problems import Problems
    from policyengine.shadow_ai.tally import Tally


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0; 1 with --fail-on-unapproved when a service is looked up that is not approved; 2 usage or input "
    "error; 4 something could not be read.",
)
@click.argument("logs", nargs=-1, metavar="QUERY-LOGS...")
@click.option(
    "--flow-logs",
    multiple=True,
    metavar="LOGS",
    help="join VPC flow logs (text, plain or gzip): which lookups were followed by a connection; may repeat",
)
@click.option(
    "--flow-format", metavar="FORMAT", help="the custom format of flow logs without a line of field names"
)
@click.option(
    "--window",
    type=click.IntRange(60, 86_400),
    default=3600,
    show_default=True,
    metavar="SECONDS",
    help="how long after a lookup a connection is taken for the service's",
)
@click.option(
    "--trail", multiple=True, metavar="LOGS", help="count calls to models in CloudTrail records; may repeat"
)
@click.option(
    "--vpcs",
    type=click.Path(path_type=Path),
    metavar="SNAPSHOT",
    help="a snapshot that says which VPCs exist and which of them log queries",
)
@click.option(
    "--services",
    "service_files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="add or replace services, and except domains; YAML or JSON; may repeat",
)
@click.option(
    "--approved",
    multiple=True,
    metavar="ID|DOMAIN",
    help="a service, or a domain of one, that is approved; may repeat",
)
@click.option(
    "--max-sources",
    type=click.IntRange(1, 100_000),
    default=1000,
    show_default=True,
    metavar="N",
    help="list at most N sources of a service and count the others",
)
@click.option(
    "--format", "form", type=click.Choice(["terminal", "json", "csv"]), default="terminal", show_default=True
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="write to FILE")
@click.option(
    "--fail-on-unapproved", is_flag=True, help="exit 1 when a service is looked up that is not approved"
)
@click.option("--profile", metavar="NAME", help="profile of the AWS configuration for s3://")
@click.option(
    "--list", "list_services", is_flag=True, help="print the list of services and domains, and read nothing"
)
def shadow_ai(logs: tuple[str, ...], **options: Any) -> int:
    """Say which AI services are looked up in Route 53 Resolver query logs, from which addresses, VPCs and accounts.

    QUERY-LOGS are files or folders as Resolver, CloudWatch Logs or Firehose deliver them (plain or gzip), `-` for standard
    input, or s3://BUCKET/PREFIX.

    \b
      policyengine shadow-ai s3://logs/AWSLogs/111122223333/vpcdnsquerylogs/ --vpcs snapshot/
      policyengine shadow-ai logs/ --approved openai --fail-on-unapproved
      policyengine shadow-ai logs/ --flow-logs flows/ --trail trail/ --format json -o shadow-ai.json
    """  # fmt: skip
    from policyengine.cli.shadow_ai import targets

    catalogue = _catalogue(options)
    if options["list_services"]:
        from policyengine.cli.shadow_ai.printing import print_list

        print_list(catalogue)
        return EXIT_OK
    if not logs:
        raise click.UsageError("missing argument QUERY-LOGS: files, folders, `-` or s3://BUCKET/PREFIX")
    targets.check([*logs, *options["flow_logs"], *options["trail"]])
    return _run(logs, catalogue, options)


def _run(logs: tuple[str, ...], catalogue: Catalogue, options: dict[str, Any]) -> int:
    from policyengine.cli.shadow_ai.printing import tell_errors, write
    from policyengine.shadow_ai.document import document, unapproved
    from policyengine.shadow_ai.flows import read_format
    from policyengine.shadow_ai.tally import Tally

    layout = None if options["flow_format"] is None else read_format(options["flow_format"])
    tally = Tally(catalogue, want_answers=bool(options["flow_logs"]), window=options["window"])
    vpcs = None
    if options["vpcs"] is not None:  # first, because a log may take an hour
        from policyengine.cli.shadow_ai.vpcs import read_vpcs

        vpcs = read_vpcs(options["vpcs"], tally.problems)
    _read(logs, options["profile"], tally, tally.problems)
    given = _given(tally, layout, options)._replace(vpcs=vpcs)
    found = document(tally, given)
    write(found, options["form"], options["output"], sys.stdout)
    if options["form"] != "terminal" or options["output"] is not None:
        tell_errors(found)
    incomplete = bool(found["errors"])
    for part in (tally, given.flows, given.calls):
        if part is not None:
            part.close()
    if incomplete:
        return EXIT_INCOMPLETE
    return EXIT_FAIL if options["fail_on_unapproved"] and unapproved(found) else EXIT_OK


def _catalogue(options: dict[str, Any]) -> Catalogue:
    from policyengine.shadow_ai.catalogue import MAX_FILE, approve, shipped, with_file

    catalogue = shipped()
    for path in options["service_files"]:
        try:
            with path.open("rb") as file:
                data = file.read(MAX_FILE + 1)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f"--services `{printable(str(path))}` cannot be read: {reason}") from None
        catalogue = with_file(catalogue, data, printable(str(path)))
    return approve(catalogue, options["approved"])


def _given(tally: Tally, layout: Any, options: dict[str, Any]) -> Given:
    from policyengine.shadow_ai.calls import Calls
    from policyengine.shadow_ai.document import Given
    from policyengine.shadow_ai.flows import Flows

    flows = calls = None
    if options["flow_logs"]:
        assert tally.answers is not None
        flows = Flows(tally.answers, tally.window, layout)
        _read(options["flow_logs"], options["profile"], flows, flows.problems)
    if options["trail"]:
        calls = Calls()
        _read(options["trail"], options["profile"], calls, calls.problems)
    return Given(None, flows, calls, options["max_sources"])


def _read(given: tuple[str, ...], profile: str | None, reader: Any, problems: Problems) -> None:
    """Read the logs one after another; one that cannot be read is an error, and the others are still read."""
    from policyengine.cli.shadow_ai.targets import find

    for log in find(given, profile):
        _read_log(log, reader, problems)


def _read_log(log: Log, reader: Any, problems: Problems) -> None:
    from policyengine.shadow_ai.reading import read_problem

    try:
        with log.open() as stream:
            reader.read(stream, log.name)
    except InputError as error:
        problems.add_error(error)
    except OSError as error:
        problems.add_error(read_problem(error, log.name))
