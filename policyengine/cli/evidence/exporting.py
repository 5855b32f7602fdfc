"""A kept run put into a bundle: one pass over what was collected, one over the rows."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Final

from policyengine.cli.evidence import contents
from policyengine.cli.evidence.hiding import check_hidden
from policyengine.cli.kept_report import kept_context, run_info
from policyengine.cli.replaying import withholding_kept
from policyengine.cli.reportextras import known_extras
from policyengine.cli.withheld import shown_manifest
from policyengine.evidence.bundle_writer import CSV, JSON, NDJSON_GZ, BundleWriter
from policyengine.evidence.manifest import (
    JOURNAL,
    ROLE_POPULATION,
    ROLE_RESULTS,
    ROLE_STATEMENT,
    STATEMENT_FILE,
    Fields,
    Head,
)
from policyengine.evidence.signers import Signer
from policyengine.model.canonical_json import canonical
from policyengine.model.errors import InputError, UsageError
from policyengine.model.reasons import VERDICTS
from policyengine.reports.base import Context, Report, RunInfo
from policyengine.reports.extras import Extras
from policyengine.reports.population import PopulationWriter
from policyengine.reports.table import REPORTS
from policyengine.reports.tally import is_accepted
from policyengine.rules.data import data_root
from policyengine.sources.base import SourceOptions
from policyengine.sources.snapshot.source import open_snapshot
from policyengine.store.lines import readable_lines
from policyengine.store.rows import Row, findings_of
from policyengine.store.rundir import RunReader

YAML: Final = "application/yaml; charset=utf-8"
HTML: Final = "text/html; charset=utf-8"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MADE: Final[Mapping[str, tuple[str, str]]] = {
    "html": ("report.html", HTML),
    "xlsx": ("report.xlsx", XLSX),
    "oscal": ("oscal/assessment-results.json", JSON),
    "oscal-poam": ("oscal/poam.json", JSON),
    "well-architected": ("well-architected.json", JSON),
}
"""Format -> its member and media type."""
_ALL: Final = frozenset(VERDICTS)
_BATCH: Final = 4_096


@dataclass(frozen=True)
class Wish:
    """What else goes into a bundle. ``frameworks`` empty: all. ``formats`` are names of :data:`MADE`."""

    frameworks: Sequence[str] = ()
    formats: Sequence[str] = tuple(MADE)
    history: Path | None = None
    period: tuple[str | None, str | None] = (None, None)
    timelines: Sequence[Path] = ()
    journal: Sequence[bytes] | None = None
    shadow_ai: Mapping[str, Any] | None = None
    anchors: Sequence[Path] = ()
    previous: Head | None = None
    signer_id: str = ""
    redact: bool = False
    """Without what is withheld; it has the roots of the full one."""


def export(run: Path, target: Path, signer: Signer, wish: Wish) -> Head:
    """Write the bundle of a kept run to ``target`` and return its head.

    Raises InputError where the run is damaged, UsageError for a framework nobody knows or for ``redact`` where it would
    not hide what is withheld, BundleError where what the run keeps is not what its roots say.
    """
    reader = RunReader(run)
    withholding = withholding_kept(reader)
    if wish.redact:
        check_hidden(reader, withholding)
    wish = replace(wish, signer_id=signer.public.keyid)
    context = _context(reader, wish)
    roots = reader.about["roots"]
    with BundleWriter(target, withholding=withholding, disclose=not wish.redact) as bundle:
        _inputs(bundle, reader)
        _texts(bundle, reader, context.extras)
        _facts(bundle, reader, context, wish)
        _results(bundle, reader, context, wish.formats)
        return bundle.finish(
            _fields(reader, context),
            signer,
            previous=wish.previous,
            population_root=roots["population"]["root"].removeprefix("sha256:"),
            results_root=roots["results"]["root"].removeprefix("sha256:"),
        )


def _context(reader: RunReader, wish: Wish) -> Context:
    context = kept_context(reader, wish.formats or ("html",))
    extras = context.extras if context.extras.frameworks else known_extras()
    unknown = [name for name in wish.frameworks if name not in extras.frameworks]
    if unknown:
        raise UsageError(f"`{unknown[0]}` is no framework; known are {', '.join(extras.frameworks)}")
    kept = {
        name: info
        for name, info in extras.frameworks.items()
        if not wish.frameworks or name in wish.frameworks
    }
    proof = extras.proof and replace(extras.proof, signer=wish.signer_id, previous=_previous(wish))
    extras = replace(extras, frameworks=kept, proof=proof, shadow_ai=wish.shadow_ai, **_history(wish))
    return replace(context, extras=extras)


def _previous(wish: Wish) -> str | None:
    return None if wish.previous is None else f"sha256:{wish.previous.manifest_sha256}"


def _history(wish: Wish) -> dict[str, Any]:
    if wish.history is None:
        return {}
    from policyengine.history.summing import history_extras

    return history_extras(wish.history, *wish.period)


def _fields(reader: RunReader, context: Context) -> Fields:
    run = reader.run
    names = ("id", "started_at", "finished_at", "as_of", "complete", "scope")
    frameworks = [
        {"id": info.id, "version": info.version, "controls": len(info.controls)}
        for info in context.extras.frameworks.values()
    ]
    pack = {"digest": run["rule_pack"]["digest"], "rules": run["rule_pack"]["rules"]}
    return Fields({n: run[n] for n in names}, {"version": run["engine_version"]}, pack, frameworks)


def _inputs(bundle: BundleWriter, reader: RunReader) -> None:
    """What was collected, line by line as it was; gzip, which the standard library reads."""
    for number, folder in enumerate(reader.inputs(), 1):
        name = f"snapshot/{number:04d}"
        manifest = (folder / "manifest.json").read_bytes()
        shown = manifest if bundle.withholding is None else shown_manifest(manifest)
        bundle.add_bytes(f"{name}/manifest.json", shown, "snapshot-manifest", JSON)
        statement = folder / STATEMENT_FILE
        if statement.is_file():
            bundle.add_file(f"{name}/{STATEMENT_FILE}", statement, ROLE_STATEMENT, JSON)
        for part in open_snapshot(folder, SourceOptions(), name=str(folder)).parts:
            stem = part.path.relative_to(folder).as_posix().removesuffix(".zst").removesuffix(".gz")
            with bundle.lines(f"{name}/{stem}.gz", ROLE_POPULATION) as lines:
                for batch in _batches(readable_lines(part.path)):
                    lines.write_lines(batch)


def _batches(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for line in lines:
        batch.append(line)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _texts(bundle: BundleWriter, reader: RunReader, extras: Extras) -> None:
    """Rules, frameworks and configuration, as they were used."""
    folder = reader.path
    bundle.add_file("rules/pack.json", folder / "rules.json", "rules", JSON)
    for file in contents.text_files(folder / "rules", "*.yaml"):
        bundle.add_file(f"rules/{file.name}", file, "rule-text", YAML)
    bundle.add_file("config/settings.json", folder / "settings.json", "configuration", JSON)
    for file in contents.text_files(folder / "config", "*"):
        media = JSON if file.suffix == ".json" else YAML
        bundle.add_file(
            f"config/{file.relative_to(folder / 'config').as_posix()}", file, "configuration", media
        )
    for name in extras.frameworks:
        bundle.add_file(f"frameworks/{name}.yaml", data_root().frameworks / f"{name}.yaml", "framework", YAML)


def _facts(bundle: BundleWriter, reader: RunReader, context: Context, wish: Wish) -> None:
    collections = contents.collections_of(reader)
    bundle.add_file("run/run.json", reader.path / "run.json", "run", JSON)
    bundle.add_file("run/coverage.json", reader.path / "coverage.json", "run", JSON)
    bundle.add_bytes("run/scope.json", contents.pretty(contents.scope(reader, collections)), "scope", JSON)
    with bundle.add("run/collection.ndjson", "collection", "application/x-ndjson") as stream:
        for line in contents.collection_log(reader, collections):
            stream.write(line + b"\n")
    errors = b"".join(canonical(error) + b"\n" for error in reader.run["errors"])
    bundle.add_bytes("run/errors.ndjson", errors, "errors", "application/x-ndjson")
    excluded = list(contents.exclusions(reader, collections, context.extras.pack or context.rules))
    bundle.add_bytes("exclusions.csv", contents.exclusions_csv(excluded), "exclusions", CSV)
    waivers = {"waivers": reader.run.get("waivers", []), "baseline": reader.run.get("baseline")}
    bundle.add_bytes("waivers.json", contents.pretty(waivers), "waivers", JSON)
    _period(bundle, reader, wish)
    if wish.journal is not None:
        bundle.add_bytes(
            JOURNAL, b"".join(line + b"\n" for line in wish.journal), "journal", "application/x-ndjson"
        )
    if wish.shadow_ai is not None:
        bundle.add_bytes("shadow-ai/shadow-ai.json", contents.pretty(wish.shadow_ai), "shadow-ai", JSON)
    for anchor in wish.anchors:
        bundle.add_file(f"anchors/{anchor.name}", anchor, "anchor", "application/octet-stream")


def _period(bundle: BundleWriter, reader: RunReader, wish: Wish) -> None:
    start, end = wish.period
    about = {
        "from": start, "to": end, "history": wish.history is not None, "run": reader.run["as_of"],
        "says": "each run is an observation at its time; nothing is known of the time between runs but where "
        "control_summary.csv has continuous_seconds",
    }  # fmt: skip
    bundle.add_bytes("period/period.json", contents.pretty(about), "period", JSON)
    if wish.history is None:
        return
    from policyengine.history.period import control_rows, gaps_rows, runs_rows

    tables = {
        "runs": runs_rows(wish.history, start, end),
        "gaps": gaps_rows(wish.history, start, end, now=reader.run["as_of"]),
        "control_summary": control_rows(
            wish.history, start, end, now=reader.run["as_of"], timelines=wish.timelines
        ),
    }
    for name, rows in tables.items():
        bundle.add_bytes(f"period/{name}.csv", contents.table_csv(rows), "period", CSV)


def _results(bundle: BundleWriter, reader: RunReader, context: Context, formats: Sequence[str]) -> None:
    """One pass over the rows: results, places, populations and every report."""
    info = run_info(reader)
    with ExitStack() as stack:
        reports = [stack.enter_context(_report(bundle, name, context)) for name in formats]
        population = stack.enter_context(
            PopulationWriter(
                _controls(reader, context), lambda name: _member(bundle, name), _about(info, context)
            )
        )
        for report in reports:
            report.begin(replace(info, errors=(), waivers=(), baseline=None))
        for number, rows in enumerate(_files(reader), 1):
            with bundle.lines(f"results/{number:04d}.ndjson.gz", ROLE_RESULTS) as lines:
                for line, row in rows:
                    lines.write_line(line)
                    _tell(row, reader, population, reports)
        _places(bundle, reader)
        bundle.add_bytes("population/index.json", contents.pretty(population.end()), "population-index", JSON)
        for report in reports:
            report.end(info)


def _tell(row: Row, reader: RunReader, population: PopulationWriter, reports: Sequence[Report]) -> None:
    rules = reader.rules_of.get(row.type, ())
    accepted = [
        (d["rule"], str(d["waiver"].get("id", ""))) for d in row.details if is_accepted(d.get("waiver"))
    ]
    try:
        population.add_row(row.account, row.region, row.type, row.id, row.arn, rules, row.verdicts, accepted)
    except (ValueError, KeyError) as problem:
        raise InputError(f"the row of `{row.id}` in `{reader.path}` is damaged: {problem}") from None
    for finding in findings_of(row, rules, reader.facts, _ALL) if reports else ():
        for report in reports:
            report.add(finding)


@contextmanager
def _report(bundle: BundleWriter, name: str, context: Context) -> Iterator[Report]:
    path, media = MADE[name]
    role = "report" if name in ("html", "xlsx") else name
    if not REPORTS[name].binary:
        with (
            bundle.add(path, role, media) as stream,
            io.TextIOWrapper(io.BufferedWriter(stream), "utf-8", newline="") as text,
        ):
            yield REPORTS[name].make(text, context)
        return
    with tempfile.NamedTemporaryFile() as file:  # a workbook is a zip, whose writer goes back
        yield REPORTS[name].make(file, context)
        file.flush()
        bundle.add_file(path, Path(file.name), role, media)


@contextmanager
def _member(bundle: BundleWriter, name: str) -> Iterator[IO[bytes]]:
    with bundle.add(name, "population-csv", CSV) as stream, io.BufferedWriter(stream) as out:
        yield out


def _controls(reader: RunReader, context: Context) -> dict[tuple[str, str], list[str]]:
    """Every control of the frameworks with the rules of the run that speak of it."""
    frameworks = context.extras.frameworks.items()
    found: dict[tuple[str, str], list[str]] = {
        (name, c): [] for name, info in frameworks for c in info.controls
    }
    for rule, info in context.rules.items():
        for name, controls in info.frameworks.items():
            for control, _ in controls:
                if (name, control) in found:
                    found[name, control].append(rule)
    return found


def _about(info: RunInfo, context: Context) -> dict[str, str]:
    proof = context.extras.proof
    root = (
        {}
        if proof is None
        else {"population root": proof.population_root, "results root": proof.results_root}
    )
    return {"run": info.id, "as of": info.as_of, **root}


def _files(reader: RunReader) -> Iterator[Iterator[tuple[bytes, Row]]]:
    """Yield (line, row) of each file of rows."""
    places = reader.places()
    for file in reader.files():
        yield ((line, reader.row(line, places)) for line in reader.lines_of(file))


def _places(bundle: BundleWriter, reader: RunReader) -> None:
    for number, entry in enumerate(reader.about["places"], 1):
        with bundle.add(f"places/{number:04d}.ndjson.gz", "places", NDJSON_GZ) as stream:
            for line in reader.lines_of(reader.path / entry["path"]):
                stream.write(line + b"\n")
