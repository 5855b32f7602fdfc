"""``policyengine publish``: a run into Security Hub, a bundle of evidence under S3 Object Lock, a review into a comment."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from policyengine.cli.errors import EXIT_INCOMPLETE, EXIT_OK
from policyengine.model.errors import InputError, UsageError
from policyengine.sources.paths import printable

if TYPE_CHECKING:
    from policyengine.publish.existing import HubPlace
    from policyengine.publish.object_lock import Lock
    from policyengine.publish.security_hub import Change, Outcome

ROLE_NAME: Final = "PolicyEnginePublisher"
_AHEAD: Final = timedelta(minutes=15)
_WORDS: Final = {
    "create": "new", "update": "changed", "refresh": "refreshed", "resolve": "repaired and archived",
    "archive": "gone and archived",
}  # fmt: skip


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 everything is where it belongs; 2 usage or input error; 4 something was not published.",
)
@click.argument("target", type=click.Path(path_type=Path, exists=True), required=False)
@click.option("--security-hub", is_flag=True, help="import the findings of the run TARGET into Security Hub")
@click.option(
    "--s3", "url", metavar="s3://BUCKET/PREFIX", help="write the file TARGET there, under Object Lock"
)
@click.option(
    "--pull-request", is_flag=True,
    help="put the Markdown of the file TARGET into the one comment of the GitHub pull request this job is about",
)  # fmt: skip
@click.option(
    "--comment-name", metavar="NAME", help="keep a comment of its own under this name, for several reviews"
)
@click.option("--update-only", is_flag=True, help="change the comment there is; make none")
@click.option("--dry-run", is_flag=True, help="say what would be done; nothing is changed")
@click.option("--permissions", is_flag=True, help="print the IAM policies that this needs, and nothing else")
@click.option("--profile", metavar="NAME", help="profile of the AWS configuration files")
@click.option(
    "--role-name", "--account-role", metavar="NAME",
    help="role assumed in accounts other than that of the credentials: Security Hub takes findings from their account only",
)  # fmt: skip
@click.option(
    "--external-id", metavar="ID", envvar="POLICYENGINE_EXTERNAL_ID", show_envvar=True,
    help="external id the role asks for",
)  # fmt: skip
@click.option("--accounts", multiple=True, metavar="ID,…", help="only findings of these accounts")
@click.option("--regions", multiple=True, metavar="NAME,…", help="only Security Hub of these regions")
@click.option("--mode", type=click.Choice(["GOVERNANCE", "COMPLIANCE"]), default="GOVERNANCE", show_default=True,
              help="of Object Lock; COMPLIANCE can be undone by nobody, not even by AWS")  # fmt: skip
@click.option("--retain-days", type=click.IntRange(1, 36_500), metavar="N", help="lock for so many days")
@click.option("--retain-until", metavar="DATE", help="lock until this day or time (RFC 3339)")
@click.option("--kms-key", metavar="ARN", help="encrypt with this KMS key (default: as the bucket does)")
@click.option("--bucket-owner", metavar="ID", help="refuse a bucket of any other account")
@click.option(
    "--region", metavar="NAME", help="region of the bucket (default: that of the AWS configuration)"
)
def publish(**options: Any) -> int:
    """Publish a run, a bundle of evidence or a review.

    \b
      policyengine publish RUN --security-hub --role-name PolicyEnginePublisher
      policyengine publish bundle.zip --s3 s3://evidence/soc2 --retain-days 2555
      policyengine publish review.md --pull-request

    Publishing the same twice changes nothing. A run that could not read something leaves alone what it did not see.
    """
    if options["pull_request"]:
        return _to_comment(options)
    for name in ("comment_name", "update_only"):
        if options[name]:
            raise UsageError(f"--{name.replace('_', '-')} goes with --pull-request")
    if bool(options["security_hub"]) == bool(options["url"]):
        raise UsageError(
            "say where to: --security-hub for a run, --s3 s3://BUCKET/PREFIX for a file, or --pull-request for a review"
        )
    if options["permissions"]:
        return _say_permissions(options)
    if options["target"] is None:
        raise UsageError("name what to publish: a run directory, or a file with --s3")
    return _to_hub(options) if options["security_hub"] else _to_bucket(options)


def _to_comment(options: Mapping[str, Any]) -> int:
    from policyengine.cli.pull_request import comment

    if options["security_hub"] or options["url"] or options["permissions"]:
        raise UsageError("--pull-request goes without --security-hub, --s3 and --permissions")
    if options["target"] is None or not options["target"].is_file():
        raise UsageError("name the file to put into the comment, as `--format markdown=FILE` writes it")
    return comment(options)


def _say_permissions(options: Mapping[str, Any]) -> int:
    from policyengine.publish import permissions

    if options["security_hub"]:
        role = options["role_name"] or ROLE_NAME
        documents = {
            f"role {role} in each account": permissions.security_hub(),
            "who runs the command": permissions.assume(role),
        }
    else:
        bucket, prefix = _bucket_of(options["url"])
        documents = {
            "who runs the command": permissions.object_lock(bucket, prefix, kms_key=options["kms_key"])
        }
    print(json.dumps(documents, indent=2))
    return EXIT_OK


def _to_hub(options: Mapping[str, Any]) -> int:
    from policyengine.cli.publishing import Accounts, LiveHub, Way
    from policyengine.publish.security_hub import Publisher

    for name in ("retain_days", "retain_until", "kms_key", "region", "bucket_owner"):
        if options[name] is not None:
            raise UsageError(f"--{name.replace('_', '-')} goes with --s3")
    run = _read(options["target"])
    wanted = _wanted(_parts(options["accounts"]), _parts(options["regions"]))
    accounts = Accounts(Way(options["profile"], options["role_name"], options["external_id"]))
    publisher = Publisher(
        LiveHub(accounts), run.stamp, run.rules, run.looking, partition=accounts.own.partition, wanted=wanted,
        dry_run=options["dry_run"], told=_would if options["dry_run"] else lambda change: None,
    )  # fmt: skip
    outcome = publisher.publish(run.findings())
    _say(outcome, dry_run=options["dry_run"])
    return EXIT_INCOMPLETE if outcome.problems else EXIT_OK


class _Run(NamedTuple):
    """A run as it is published. ``stamp``, ``rules`` and ``looking`` are what :class:`Publisher` takes."""

    stamp: Any
    rules: Mapping[str, Any]
    looking: Any
    findings: Callable[[], Iterator[dict[str, Any]]]


def _read(path: Path) -> _Run:
    """Read what a run says of itself. Raises InputError; UsageError for a clock that is ahead."""
    from policyengine.cli.ruleinfo import rule_info
    from policyengine.publish.looking import Looking
    from policyengine.reports.asff import Stamp
    from policyengine.store.coverage import read_coverage
    from policyengine.store.rundir import read_run

    about = read_run(path)
    try:
        time = datetime.fromisoformat(str(about["as_of"]))
        time = (time if time.tzinfo is not None else time.replace(tzinfo=UTC)).astimezone(UTC)
        stamp = Stamp(time.strftime("%Y-%m-%dT%H:%M:%SZ"), str(about["id"]))
    except (KeyError, ValueError) as error:
        raise InputError(
            f"`{path}` does not say which run it is of, and when; expected what `scan -o DIR` makes"
        ) from error
    if time > datetime.now(UTC) + _AHEAD:
        raise UsageError(
            f"`{path}` is of {stamp.at}, which is to come: Security Hub would take nothing later until then"
        )
    forms = _forms(path)
    looking = Looking(
        read_coverage(path),
        (form["id"] for form in forms),
        undecidable=about.get("undecidable") or (),
        errors=[error for error in about.get("errors") or () if isinstance(error, dict)],
    )
    return _Run(stamp, {form["id"]: rule_info(form) for form in forms}, looking, lambda: _findings(path))


def _forms(path: Path) -> list[dict[str, Any]]:
    """The rules of a run directory; a report does not hold them, and nothing is archived then."""
    file = path / "rules.json"
    if not file.is_file():
        return []
    try:
        rules: list[dict[str, Any]] = json.loads(file.read_bytes())["rules"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"`{file}` is damaged; the run cannot be read") from error
    return rules


def _findings(path: Path) -> Iterator[dict[str, Any]]:
    """The findings in the order of runs; reports that somebody put in another order are sorted."""
    from policyengine.history.compare import in_order, key_of
    from policyengine.store.rundir import read_findings

    if path.is_dir() or in_order(read_findings(path)):
        return read_findings(path)
    return iter(sorted(read_findings(path), key=key_of))


def _wanted(accounts: frozenset[str], regions: frozenset[str]) -> Callable[[HubPlace], bool]:
    return lambda place: (
        (not accounts or place.account in accounts) and (not regions or place.hub_region in regions)
    )


def _parts(given: tuple[str, ...]) -> frozenset[str]:
    return frozenset(part.strip() for text in given for part in text.split(",") if part.strip())


def _would(change: Change) -> None:
    finding = change.finding
    resource = finding["Resources"][0]
    print(
        f"would send {_WORDS[change.kind]}: {finding['Compliance']['Status']} {finding['GeneratorId']}  "
        f"{finding['AwsAccountId']}  {printable(resource['Id'])}"
    )


def _say(outcome: Outcome, *, dry_run: bool) -> None:
    sent = [f"{number:,} {_WORDS[kind]}" for kind in _WORDS if (number := outcome.sent[kind])]
    told = "would be sent" if dry_run else "sent"
    print(f"{', '.join(sent) or 'nothing'} {told}; {outcome.unchanged:,} unchanged")
    for counts, words in ((outcome.kept, "left as they are"), (outcome.not_sent, "not sent")):
        for why, number in sorted(counts.items()):
            print(f"{number:,} {words}: {printable(why)}")
    for problem in outcome.problems:
        about = f": {problem.finding}" if problem.finding else ""
        print(
            f"error: {problem.account}/{problem.region}{printable(about)}: {printable(problem.text)}",
            file=sys.stderr,
        )
    if outcome.unpublished:
        print(f"error: {outcome.unpublished:,} findings are not published", file=sys.stderr)


def _to_bucket(options: Mapping[str, Any]) -> int:
    from policyengine.cli.publishing import Accounts, LiveBucket, Way
    from policyengine.publish.anchor import anchor, preview
    from policyengine.publish.ports import CallFailed

    for name in ("accounts", "regions", "role_name", "external_id"):
        if options[name]:
            raise UsageError(f"--{name.replace('_', '-')} goes with --security-hub")
    path: Path = options["target"]
    if not path.is_file():
        raise UsageError(
            f"`{path}` is no file; --s3 takes one: `policyengine evidence export` makes a bundle"
        )
    bucket, prefix = _bucket_of(options["url"])
    lock = _lock(options, datetime.now(UTC))
    accounts = Accounts(Way(options["profile"], None, None))
    region = options["region"] or accounts.region
    try:
        store = LiveBucket(accounts.open(accounts.own.account), bucket, region, options["bucket_owner"])
        if options["dry_run"]:
            print(printable(preview(store, path, bucket, prefix)))
            return EXIT_OK
        done = anchor(store, path, bucket, region, prefix, lock)
    except CallFailed as failure:
        print(
            f"error: s3://{printable(bucket)}: {printable(str(failure))}; see --permissions", file=sys.stderr
        )
        return EXIT_INCOMPLETE
    _say_locked(done, bucket)
    return EXIT_OK


def _say_locked(done: Any, bucket: str) -> None:
    file = done.file
    how = "written" if file.made else "there already, the same"
    place = printable(f"s3://{bucket}/{file.key}")
    print(f"{place}: {how}; version {file.version}, {file.mode} until {file.until}")
    if done.head is not None:
        print(
            f"{printable(f's3://{bucket}/{done.head.key}')}: the head of the chain; version {done.head.version}"
        )
    if done.note:
        print(f"note: {printable(done.note)}")
    print(f"receipt: {printable(str(done.receipt))}")


def _bucket_of(url: str) -> tuple[str, str]:
    """Return the bucket and the prefix, which is empty or ends with a slash. Raises UsageError."""
    scheme, _, rest = url.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not bucket or not prefix.isprintable() or any(c in bucket for c in ":*? "):
        raise UsageError(f"`{url}` is no place in S3; expected s3://BUCKET or s3://BUCKET/PREFIX")
    prefix = prefix.strip("/")
    return bucket, f"{prefix}/" if prefix else ""


def _lock(options: Mapping[str, Any], now: datetime) -> Lock:
    """Return how long what is written is locked. Raises UsageError."""
    from policyengine.publish.object_lock import Lock

    if (options["retain_days"] is None) == (options["retain_until"] is None):
        raise UsageError("say how long to keep it: --retain-days N, or --retain-until DATE")
    if options["retain_days"] is not None:
        until = now + timedelta(days=options["retain_days"])
    else:
        try:
            until = datetime.fromisoformat(options["retain_until"])
        except ValueError:
            raise UsageError(
                f"--retain-until `{options['retain_until']}` is no date; expected e.g. 2033-12-31"
            ) from None
        until = (until if until.tzinfo is not None else until.replace(tzinfo=UTC)).astimezone(UTC)
        if until <= now:
            raise UsageError(f"--retain-until {options['retain_until']} has passed")
    return Lock(options["mode"], until.replace(microsecond=0), options["kms_key"])
