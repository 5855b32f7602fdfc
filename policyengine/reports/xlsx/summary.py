"""The first sheet: whether the run is whole, what it says, and what it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from policyengine.model.reasons import sentence
from policyengine.reports.base import RunInfo
from policyengine.reports.controls import STATUS_WORDS, STATUSES, ControlResult, by_framework
from policyengine.reports.extras import BaselineInfo, Extras
from policyengine.reports.tally import Tally
from policyengine.reports.xlsx.sheets import Value

Row = tuple[list[Value], str | None]
MANY = 50


def summary_rows(
    run: RunInfo, tally: Tally, extras: Extras, results: Sequence[ControlResult], left_out: Mapping[str, int]
) -> Iterator[Row]:
    """Yield the rows with their tones, completeness first."""
    yield from _completeness(run, tally, extras, left_out)
    yield from _verdicts(tally, run.baseline)
    yield from _controls(results)
    yield from _run(run, extras)


def _completeness(run: RunInfo, tally: Tally, extras: Extras, left_out: Mapping[str, int]) -> Iterator[Row]:
    meaning = "everything was read and evaluated" if run.complete else "what is missing here is not a PASS"
    yield ["Run complete", "yes" if run.complete else "NO", meaning], "plain" if run.complete else "bad"
    unknown = tally.verdicts["UNKNOWN"]
    yield (
        ["Not determined", unknown, "verdicts that could not be determined; never a PASS"],
        "unsure" if unknown else "plain",
    )
    for reason, count in tally.by_reason():
        yield [f"Not determined: {reason}", count, sentence(reason)], None
    yield ["Errors", len(run.errors), "see sheet Errors"], "bad" if run.errors else "plain"
    yield (
        [
            "Rules not decidable",
            len(run.undecidable),
            "this kind of source cannot decide them; see sheet Exclusions",
        ],
        None,
    )
    yield ["Skipped", sum(run.skipped.values()), "left out on purpose; see sheet Exclusions"], None
    unread = sum(run.unknown_types.values())
    yield ["Resources of other types", unread, "no rule looks at them; see sheet Exclusions"], None
    looked = (
        f"{len(extras.looked):,} places; see sheet Scope" if extras.looked else "not known to this report"
    )
    yield ["Where the run looked", looked, None], None
    for name, count in left_out.items():
        yield (
            [f"Rows left out of {name}", count, "they do not fit into a sheet; the JSON report has all"],
            "bad",
        )


def _verdicts(tally: Tally, baseline: BaselineInfo | None) -> Iterator[Row]:
    counts = tally.summary()
    yield ["FAIL", counts["FAIL"], "a rule fails on a resource"], "bad" if tally.open else "plain"
    yield (
        [
            "of them accepted by a waiver",
            tally.waived - tally.debt,
            "still failing; no control is satisfied by a waiver",
        ],
        None,
    )
    yield ["of them in the baseline", tally.debt, "still failing; debt that nobody accepted"], None
    if baseline is not None:
        of = f"Baseline {baseline.name} of {baseline.written[:10]}"
        yield [f"{of}: changed", baseline.changed, "fail with other values; not accepted"], None
        yield [f"{of}: fixed", baseline.fixed, "pass now; can be removed"], None
        yield [f"{of}: not applicable", baseline.not_applicable, "no longer apply; can be removed"], None
        yield [f"{of}: not determined", baseline.unknown, "could not be determined"], None
        yield [f"{of}: not seen", baseline.unseen, "not looked at, or the resource is gone"], None
    for name, count in tally.by_severity():
        yield [f"FAIL neither waived nor in the baseline, {name}", count, None], None
    yield ["PASS", counts["PASS"], "counted by rule in sheet Rules, not listed"], None
    yield ["NOT_APPLICABLE", counts["NOT_APPLICABLE"], "counted by rule in sheet Rules, not listed"], None


def _controls(results: Sequence[ControlResult]) -> Iterator[Row]:
    for framework, counts in by_framework(results):
        for status in STATUSES:
            if counts[status]:
                label, meaning = STATUS_WORDS[status]
                yield [f"{framework}: {label}", counts[status], f"controls: {meaning}"], None


def _run(run: RunInfo, extras: Extras) -> Iterator[Row]:
    proof = extras.proof
    about: dict[str, Value] = {
        "Run": run.id,
        "Started": run.started_at,
        "Finished": run.finished_at,
        "Clock of the run": run.as_of,
        "policyengine": run.engine_version,
        "Rules": run.rule_count,
        "Rule pack": run.rule_pack_digest,
        "Resources": run.resources,
        "Targets": _listed(run.targets),
        "Accounts": _listed(run.accounts),
        "Regions": _listed(run.regions),
        "Population root": proof.population_root if proof else "not signed or not given",
        "Results root": proof.results_root if proof else "not signed or not given",
        "Signer": proof.signer or "nobody signed" if proof else None,
    }
    for name, value in about.items():
        if value is not None:
            yield [name, value, None], None


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MANY
    return ", ".join(names[:MANY]) + (f" and {more:,} more" if more > 0 else "")
