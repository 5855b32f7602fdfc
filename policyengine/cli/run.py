"""A run from the command line: rules, configuration, sources and reports put together."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from policyengine import __version__
from policyengine.cli.inputs import check_place, read_configuration, read_pairs, read_parameters
from policyengine.cli.keeping import evaluator_for
from policyengine.cli.outputs import named_formats, note, open_reports, refuse_binary_output, terminal_options
from policyengine.cli.progress import Progress
from policyengine.cli.ruleinfo import rule_info
from policyengine.cli.runid import run_id
from policyengine.cli.text import TargetText
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import Wanted
from policyengine.engine.scan import CODE_KINDS, Scan
from policyengine.model.errors import UsageError
from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, SEVERITIES, UNKNOWN, VERDICTS
from policyengine.reports.base import Context, Report, RunError, RunInfo
from policyengine.reports.extras import BaselineInfo, Extras, WaiverInfo
from policyengine.reports.json_report import run_json
from policyengine.reports.table import FRAMED, REPORTS
from policyengine.reports.text import without_log_commands
from policyengine.rules.pack import Pack
from policyengine.rules.packs import load_packs
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import Discovery, open_targets
from policyengine.sources.paths import printable

MANY_ERRORS = 20
"""Errors shown on standard error when no terminal report shows them."""
MANY = 200
"""Findings of one rule that one shard builds when only the terminal will show them."""


@dataclass(frozen=True)
class Result:
    """What the exit code depends on."""

    incomplete: bool
    input_errors: bool
    failures: Mapping[str, int]
    unknown: int

    def failed_at(self, fail_on: str) -> bool:
        """Whether an unwaived FAIL has at least this severity."""
        if fail_on == "never":
            return False
        return any(self.failures.get(s, 0) for s in SEVERITIES[SEVERITIES.index(fail_on) :])


@dataclass
class Run:
    """Everything a scan needs, checked; ``write`` does it."""

    options: Mapping[str, Any]
    evaluator: Evaluator
    discovery: Discovery
    scan: Scan
    info: RunInfo
    formats: Sequence[tuple[str, Path | None]]
    notes: list[str] = field(default_factory=list)
    texts: Mapping[str, bytes] = field(default_factory=dict)
    """Files that a kept run holds beside what it judged: the configuration as it was written."""

    def write(self, out: TextIO) -> Result:
        """Evaluate, feed every report, and return what the exit code depends on."""
        with ExitStack() as stack:
            context = Context(
                rules={form["id"]: rule_info(form) for form in self.evaluator.forms},
                source=TargetText(
                    self.info.targets, self.options["terraform_source"], self.discovery.sources
                ),
                terminal=terminal_options(self.options, out),
                extras=self._extras(),
            )
            reports = open_reports(self.formats, out, context, stack)
            progress = stack.enter_context(Progress(sys.stderr, quiet=bool(self.options["quiet"])))
            self.scan.progress = progress.update
            final = self._feed(reports, self._keeper(stack))
        self._say_errors(final)
        return self._result()

    def _extras(self) -> Extras:
        names = [name for name, _ in self.formats]
        if FRAMED.isdisjoint(names):
            return Extras()
        from policyengine.cli.kept_report import scan_extras

        folders = self.options["rule_folders"]
        return scan_extras(names, load_packs(folders).rules, folders, self.discovery.sources)

    def _say_errors(self, final: RunInfo) -> None:
        """A person sees the errors even where the only report is for programs."""
        if any(name == "terminal" and path is None for name, path in self.formats):
            return
        for error in final.errors[:MANY_ERRORS]:
            print(without_log_commands(f"error: {printable(str(error))}"), file=sys.stderr)
        if len(final.errors) > MANY_ERRORS:
            print(
                f"error: and {len(final.errors) - MANY_ERRORS:,} more; the reports have all", file=sys.stderr
            )

    def _keeper(self, stack: ExitStack) -> Any:
        if self.options["output"] is None:
            return None
        from policyengine.cli.keep import Keeper
        from policyengine.cli.kept_inputs import keep_inputs
        from policyengine.store.rows import row_line
        from policyengine.store.run_writer import RunWriter

        self.scan.wanted = replace(self.scan.wanted, row=row_line)
        writer = stack.enter_context(RunWriter(self.options["output"]))
        withholding = self._withholding()
        kept = keep_inputs(self.discovery.sources, writer.inputs, self.info.started_at, withholding)
        self.discovery.replace([each.source for each in kept])
        self.scan.sources = self.discovery.sources
        folders, in_order = self.options["rule_folders"], self._in_order()
        keeper = Keeper(
            writer, self.evaluator, kept, folders, self.texts, in_order=in_order, withholding=withholding
        )
        self.scan.keep_rows = keeper.take
        return keeper

    def _withholding(self) -> Any:
        """What this run keeps and does not judge; None where that is nothing."""
        from policyengine.cli.withheld import shown_id, withholding_of_run

        plan, key = self.evaluator.settings.withhold, self.options.get("redaction_key")
        found = withholding_of_run(plan, self.discovery.sources, self.info.id, key)
        if found is not None:
            self.info = replace(self.info, id=shown_id(self.info.id, found))
            self.notes.append(
                "values are withheld (`evidence.withhold`): this run is judged without them, and what a rule reads of "
                "them is UNKNOWN"
            )
        return found

    def _feed(self, reports: Sequence[Report], keeper: Any) -> RunInfo:
        for report in reports:
            report.begin(self.info)
        in_lines = self.scan.jobs > 1 and bool(reports) and all(hasattr(report, "line") for report in reports)
        if in_lines and self._in_order():
            lines: list[Any] = list(reports)
            self.scan.wanted = replace(self.scan.wanted, render=tuple(report.line for report in lines))
            for block in self.scan.blocks():
                for report, text in zip(lines, block.texts, strict=True):
                    report.add_block(text, block.verdicts)
        else:
            free = all(getattr(report, "any_order", False) for report in reports)
            for finding in self.scan.findings() if free else self._ordered():
                for report in reports:
                    report.add(finding)
        self.notes += self.evaluator.close()
        if keeper is not None:
            self._tell(keeper.seal())
        final = self._final()
        for report in reports:
            report.end(final)
        if keeper is not None:
            keeper.end(run_json(final), self.scan.counts.verdicts)
        return final

    def _tell(self, notes: Sequence[str]) -> None:
        """Notes that a person has to see, also where the only report is for programs."""
        self.notes += notes
        for text in notes:
            note(text)

    def _ordered(self) -> Iterator[Finding]:
        """Findings in report order; several sources are sorted together in memory.

        One snapshot is already in order (its contract says so) and is streamed.
        """
        findings = self.scan.findings()
        return findings if self._in_order() else iter(sorted(findings, key=lambda f: f.sort_key))

    def _in_order(self) -> bool:
        sources = self.discovery.sources
        return len(sources) == 1 and bool(getattr(sources[0], "sorted", False))

    def _final(self) -> RunInfo:
        counts = self.scan.counts
        errors = [*self.discovery.errors, *self.scan.errors]
        errors += [error for source in self.discovery.sources for error in source.errors]
        errors += counts.crash_errors()
        skipped: Counter[str] = Counter(self.discovery.skipped)
        for source in self.discovery.sources:
            skipped.update(source.skipped)
        if not counts.resources and not errors:
            errors.append(
                UsageError(
                    f"no resource in {', '.join(f'`{t}`' for t in self.info.targets)}: nothing was evaluated",
                    code="no_resource",
                )
            )
        waivers, baseline, notes = self._accepted()
        return replace(
            self.info,
            waivers=waivers,
            baseline=baseline,
            finished_at=self.info.as_of if self.options["as_of"] else now_text(),
            accounts=counts.accounts,
            regions=counts.regions,
            complete=not errors,
            errors=[RunError.of(e) for e in errors],
            skipped=dict(sorted(skipped.items())),
            notes=[note for source in self.discovery.sources for note in source.notes] + self.notes + notes,
            unknown_types=dict(sorted(counts.unknown_types.items())),
            undecidable=self.scan.undecidable(),
            resources=counts.resources,
            verdicts=dict(counts.verdicts),
        )

    def _accepted(self) -> tuple[list[WaiverInfo], BaselineInfo | None, list[str]]:
        """Return what became of the waivers and of the baseline, and what a reader has to know of that."""
        waiving, accepted = self.evaluator.settings.waiving, self.scan.counts.accepted
        if not waiving:
            return [], None, []
        from policyengine.reports.waiver_infos import baseline_info, waiver_infos, waiver_notes

        infos = waiver_infos(waiving, accepted, self.info.as_of)
        baseline = None if waiving.baseline is None else baseline_info(waiving.baseline, accepted)
        rules = {form["id"] for form in self.evaluator.forms}
        return infos, baseline, waiver_notes(infos, accepted, baseline, rules)

    def _result(self) -> Result:
        counts = self.scan.counts
        severities = {form["id"]: form["severity"] for form in self.evaluator.forms}
        failures: Counter[str] = Counter()
        for (rule, verdict), number in counts.verdicts.items():
            if verdict == FAIL:
                failures[severities[rule]] += number - counts.accepted.rules[rule]
        snapshot_errors, code_errors, walked_errors = self._source_errors()
        return Result(
            incomplete=bool(self.scan.errors or counts.crashes or snapshot_errors),
            input_errors=bool(
                code_errors or not counts.resources or (self.options["strict"] and walked_errors)
            ),
            failures=failures,
            unknown=sum(n for (_, verdict), n in counts.verdicts.items() if verdict == UNKNOWN),
        )

    def _source_errors(self) -> tuple[int, int, int]:
        """Count errors of snapshots, of code somebody named, and of code a walk found (decision 5)."""
        found = self.discovery
        walked = sum(found.was_walked(error) for error in found.errors)
        snapshot, code = 0, len(found.errors) - walked
        for source in found.sources:
            if source.kind not in CODE_KINDS:
                snapshot += len(source.errors)
            elif found.was_walked(source):
                walked += len(source.errors)
            else:
                code += len(source.errors)
        return snapshot, code, walked


def prepare_run(
    targets: Sequence[str], options: Mapping[str, Any], *, called: str | None = None, near: Sequence[str] = ()
) -> Run:
    """Load rules and configuration, open the targets.

    ``called`` is what reports call a target that is no file of the user's (a live account); ``near`` are
    places to look for the configuration from instead of the targets.

    Raises PolicyEngineError for what makes a run impossible: a broken rule or configuration,
    options that do not go together, an unknown format.
    """
    formats = parse_formats(options)
    as_of, now = clock(options["as_of"])
    check_place(options["account"], options["region"])
    every_rule = load_packs(options["rule_folders"])
    configured = read_configuration(options, near or targets, every_rule)
    settings = configured.settings
    pack = selected(every_rule, options)
    source_options = SourceOptions(
        parameters=read_parameters(options["parameters"]),
        terraform_source=options["terraform_source"],
        account=options["account"],
        region=options["region"],
        stack_tags=read_pairs("--stack-tag", options["stack_tags"]),
    )
    discovery = open_targets(targets, source_options)
    if called is not None:
        for source in discovery.sources:
            source.target = called
    identifier = run_id(pack, settings, configured.whole, discovery, source_options, as_of)
    if settings.waiving:
        from policyengine.cli.kept_inputs import without_secrets

        discovery.replace(without_secrets(discovery.sources))
    evaluator, notes = evaluator_for(pack, now, settings, discovery.sources, options)
    wanted = Wanted(frozenset(VERDICTS))
    if all(name == "terminal" for name, _ in formats):
        bounded = options["limit"] is None and options["output"] is None
        wanted = Wanted(frozenset((FAIL, UNKNOWN)), MANY if bounded else None)
    started = as_of or now_text()
    info = RunInfo(
        id=identifier,
        started_at=started,
        finished_at=started,
        engine_version=__version__,
        as_of=started,
        rule_pack_digest=pack.digest,
        rule_count=len(pack.rules),
        targets=list(targets) if called is None else [called],
        rule_pack_version=pack.version,
    )
    scan = Scan(evaluator, discovery.sources, wanted, jobs=options["jobs"])
    texts = {f"config/{name}": text for name, text in configured.texts.items()}
    return Run(options, evaluator, discovery, scan, info, formats, notes, texts)


def parse_formats(options: Mapping[str, Any]) -> list[tuple[str, Path | None]]:
    """Return (format, file or None) pairs; raises UsageError for an unknown or double one."""
    found = named_formats(options["formats"], REPORTS, quiet=options["quiet"])
    refuse_binary_output(found)
    return found


def clock(as_of: str | None) -> tuple[str | None, datetime]:
    """Return (canonical text or None, time); raises UsageError for a text that is no time."""
    if as_of is None:
        return None, datetime.now(UTC)
    try:
        time = datetime.fromisoformat(as_of)
    except ValueError:
        raise UsageError(
            f"--as-of `{as_of}` is no RFC 3339 time; expected e.g. 2026-01-01T00:00:00Z"
        ) from None
    try:
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError:
        raise UsageError(f"--as-of `{as_of}` lies outside the years 1 to 9999") from None
    return time.strftime("%Y-%m-%dT%H:%M:%SZ"), time


def now_text() -> str:
    """Return the present second in RFC 3339."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def selected(pack: Pack, options: Mapping[str, Any]) -> Pack:
    """Keep the rules that ``--rule`` and ``--family`` name."""
    ids, families = set(options["rule_ids"]), set(options["families"])
    if not ids and not families:
        return pack
    from policyengine.rules.names import unknown

    for name in sorted(ids - {r["id"] for r in pack.rules}):
        raise UsageError(unknown("rule", name, [r["id"] for r in pack.rules]))
    for name in sorted(families - {r["family"] for r in pack.rules}):
        raise UsageError(unknown("family", name, {r["family"] for r in pack.rules}))
    return replace(pack, rules=tuple(r for r in pack.rules if r["id"] in ids or r["family"] in families))
