"""``remediate plan``: what would be changed, exactly, and nothing else."""

from __future__ import annotations

import json
import os
import shlex
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click

from policyengine.cli.errors import EXIT_FAIL, EXIT_OK
from policyengine.cli.remediate.completing import repaired_rules
from policyengine.cli.remediate.session import Live, account_options, open_live, who
from policyengine.cli.remediate.show import show_plan
from policyengine.cli.remediate.told import Turned, contents, same_changes, show_same, show_turned
from policyengine.cli.remediate.words import line, say
from policyengine.model.errors import InputError, UsageError
from policyengine.model.reasons import FAIL
from policyengine.remediate.api import Refused
from policyengine.remediate.ports import Subject
from policyengine.store.actions import APPROVED, PLANNED, Action

SCHEMA: Final = "policyengine/remediation-plans/v1"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("target", type=click.Path(path_type=Path, exists=True), required=False)
@click.option("--finding", "finding_ids", multiple=True, metavar="ID", help="only this finding; may repeat")
@click.option(
    "--rule",
    "rule_ids",
    multiple=True,
    metavar="ID",
    help="only findings of this rule; may repeat",
    shell_complete=repaired_rules,
)
@click.option(
    "--type", "type_", metavar="AWS::…", help="without TARGET: the type of the resource, with --rule and --id"
)
@click.option("--id", "resource_id", metavar="ID", help="without TARGET: its id or ARN")
@click.option(
    "--account", metavar="ID", help="without TARGET: its account (default: that of the credentials)"
)
@click.option("--region", metavar="NAME", help="without TARGET: its region, or global")
@click.option("--as", "asker", metavar="WHO", help="who asks for it (default: your user name)")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="write the plans here, for `apply`",
)
@click.option(
    "--format", "form", type=click.Choice(["terminal", "json"]), default="terminal", show_default=True,
    help="json: the plans as -o writes them, and what was refused",
)  # fmt: skip
@account_options
def plan(target: Path | None, **options: Any) -> int:
    """Plan repairs of the failures in TARGET: findings.json, an ndjson report, a run directory or a snapshot.

    Every resource is read again before anything is planned; a failure that is no longer one, or cannot be decided
    now, is refused. Nothing is changed. Exit code 1 where everything was refused.

    \b
      policyengine remediate plan run/ -o plan.json
      policyengine remediate plan --rule kms-key-rotation --type AWS::KMS::Key --id 1234abcd-… --region eu-west-1
    """
    live = open_live(options)
    asker = who(options["asker"])
    run = f"plan-{uuid.uuid4().hex[:12]}"
    found = list(_subjects(target, options, live))
    planned: list[Action] = []
    turned: list[Turned] = []
    for subject in found:
        outcome = live.kernel.plan(subject, requested_by=asker, run=run)
        if outcome.action is not None and outcome.action.state not in (PLANNED, APPROVED):
            turned.append(Turned(subject, _answered(outcome.action, live.kernel.settings.repeat_seconds)))
        elif outcome.action is not None:
            planned.append(outcome.action)
        elif outcome.refusal is not None:
            turned.append(Turned(subject, outcome.refusal))
    kept, others = same_changes(planned)
    body = plans_file(run, kept)
    if options["form"] == "json":
        also = {first: [{"id": a.id, "rule": a.rule} for a in same] for first, same in others.items()}
        told = {**body, "same": also, "refused": [each.to_json() for each in turned]}
        click.echo(json.dumps(told, indent=1))
    else:
        _tell(kept, others, turned, live.kernel.settings.limits.run)
    if options["output"] is not None:
        write_plans(options["output"], body, quiet=options["form"] == "json")
        if options["form"] != "json" and kept:
            line(f"next, by somebody else: {_command(options)} --approve-as NAME")
    return EXIT_OK if planned or not turned else EXIT_FAIL


def _answered(action: Action, seconds: float) -> Refused:
    """Say that the same change was asked for lately; a kernel answers the same request with the same action."""
    return Refused(
        "busy",
        f"{action.id} was for the same change and is {action.state}{f' ({action.reason})' if action.reason else ''}; the "
        f"same request gets the same answer for {seconds:g} s (`remediation.repeat_seconds`)",
    )


def _tell(kept: list[Action], others: dict[str, list[Action]], turned: list[Turned], most: int) -> None:
    for action in kept:
        show_plan(action.id, action.state, action.plan)
    show_turned(turned)
    if len(kept) > 1:
        contents(kept)
    show_same(others)
    if len(kept) > most:
        text = f"these are more than one run may change (`remediation.limits.run` is {most}): choose some with --action ID"
        say(text, "note: ")
    refused = Counter(each.refusal.code for each in turned)
    told = ", ".join(f"{times} refused ({code})" for code, times in sorted(refused.items()))
    click.echo(f"{len(kept)} planned{', ' if told else ''}{told}; nothing was changed")


def plans_file(run: str, actions: Iterable[Action]) -> dict[str, Any]:
    """Return the file of plans that ``apply`` reads."""
    found = [{"id": a.id, "hash": a.plan_hash, "plan": a.plan} for a in actions]
    return {"schema": SCHEMA, "run": run, "actions": found}


def write_plans(file: Path, body: dict[str, Any], *, quiet: bool) -> None:
    """Write a file of plans. It quotes policies and settings as they are in the account, so it is its owner's alone.

    Raises InputError.
    """
    text = json.dumps(body, indent=1, ensure_ascii=False) + "\n"
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(text.encode("utf-8", "surrogatepass"))
    except OSError as problem:
        raise InputError(
            f"`{file}` cannot be written: {problem.strerror or problem}", code="unwritable"
        ) from None
    if not quiet:
        click.echo(f"wrote {file}")


def _command(options: Mapping[str, Any]) -> str:
    """Return the command that applies what was planned, with the same store and settings."""
    given = ["policyengine", "remediate", "apply", str(options["output"])]
    for name, value in (
        ("--store", options["where"]),
        ("--config", options["config"]),
        ("--profile", options["profile"]),
    ):
        given += [name, str(value)] if value else []
    return shlex.join(given)


def _subjects(target: Path | None, options: Mapping[str, Any], live: Live) -> Iterator[Subject]:
    if target is None:
        yield _named(options, live)
        return
    if any(options[name] for name in ("type_", "resource_id", "account", "region")):
        raise UsageError(
            "--type, --id, --account and --region are for one resource, without TARGET; they narrow nothing"
        )
    seen = set()
    wanted, rules = set(options["finding_ids"]), set(options["rule_ids"])
    for name in rules - set(live.kernel.planner.rules):
        raise UsageError(_no_repair(name, live))
    code = other = 0
    for finding in _findings(target, live):
        if finding["id"] in wanted:
            wanted.discard(finding["id"])
        elif options["finding_ids"]:
            continue
        if finding["verdict"] != FAIL or _is_accepted(finding) or (rules and finding["rule"] not in rules):
            continue
        place = finding["resource"]
        if not _repairable(finding["rule"], place["type"], live):
            other += 1
            continue
        if not place.get("account") or not place.get("region"):
            code += 1
            continue
        subject = Subject(finding["rule"], place["type"], place["id"], place["account"], place["region"])
        if subject not in seen:
            seen.add(subject)
            yield subject
    if wanted:
        raise InputError(f"`{target}` holds no finding `{min(wanted)}`")
    if code:
        click.echo(
            f"{code} {'failures are' if code > 1 else 'failure is'} about code, which is changed where it is written, not here",
            err=True,
        )
    if other:
        text = f"{other} more {'failures have' if other > 1 else 'failure has'} no remediation"
        say(f"{text}; `policyengine explain FINDING` says what to do by hand", err=True)


def _is_accepted(finding: Mapping[str, Any]) -> bool:
    """Whether a person accepts a failure; the baseline is debt, which may be paid."""
    waiver = finding.get("waiver")
    return waiver is not None and waiver.get("kind") != "baseline"


def _repairable(rule: str, type: str, live: Live) -> bool:
    """Whether there is a remediation of a rule for a type: one of tags is not for every type that has tags."""
    planner = live.kernel.planner
    known = planner.rules.get(rule)
    found = planner.remediations.get(known[0]) if known is not None else None
    return found is not None and type in found.declaration.types


def _no_repair(rule: str, live: Live) -> str:
    """Say why findings of a rule cannot be planned for."""
    known = [form["id"] for form in live.pack.rules]
    if rule in known:
        return f"no remediation repairs `{rule}`; `policyengine explain {rule}` says how to do it by hand"
    from policyengine.rules.names import unknown

    return unknown("rule", rule, known)


def _named(options: Mapping[str, Any], live: Live) -> Subject:
    rules = options["rule_ids"]
    if len(rules) != 1 or not options["type_"] or not options["resource_id"] or not options["region"]:
        raise UsageError("give a TARGET, or --rule, --type, --id and --region of one resource")
    account = options["account"] or live.account
    return Subject(rules[0], options["type_"], options["resource_id"], account, options["region"])


def _findings(target: Path, live: Live) -> Iterator[dict[str, Any]]:
    """Read findings; judge a snapshot that holds none."""
    from policyengine.store.rundir import read_findings

    if (target.is_dir() and (target / "manifest.json").is_file()) or _is_snapshot_file(target):
        yield from _judged(target, live)
        return
    yield from read_findings(target)


def _is_snapshot_file(target: Path) -> bool:
    if not target.is_file() or not target.name.endswith((".ndjson", ".ndjson.zst")):
        return False
    with target.open("rb") as stream:
        return b'"verdict"' not in stream.read(4096)


def _judged(target: Path, live: Live) -> Iterator[dict[str, Any]]:
    from datetime import UTC, datetime

    from policyengine.engine.evaluate import Evaluator
    from policyengine.engine.piece import Wanted
    from policyengine.engine.scan import Scan, learn_organization
    from policyengine.sources.base import SourceOptions
    from policyengine.sources.discover import open_targets

    discovery = open_targets([str(target)], SourceOptions())
    evaluator = Evaluator(live.pack, now=datetime.now(UTC), settings=live.settings)
    for source in discovery.sources:
        learn_organization(evaluator, source)
    for finding in Scan(evaluator, discovery.sources, Wanted(frozenset((FAIL,)))).findings():
        yield finding.to_json()
