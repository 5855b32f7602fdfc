"""Whether ``run/run.json`` says of a run what follows from judging it again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from policyengine.cli.replaying import Again
from policyengine.evidence.manifest import Manifest
from policyengine.reports.extras import waiver_json
from policyengine.store.run_writer import counted

Json = Mapping[str, Any]
_MOST: Final = 80
_PLACES: Final = "idle_places"
"""Where code stands that refers to waivers: lines of resources do not say it."""
_NOTHING: Final = "nothing"


def contradictions(run: Again, manifest: Manifest, waivers: Json) -> Iterator[str]:
    """Yield what a bundle says of its run in two ways, whatever engine made it; ``waivers`` is ``waivers.json``."""
    about, said = run.reader.about, run.reader.run
    whole = {name: said.get(name) for name in manifest.fields.run}
    roots = {
        name: {"root": f"sha256:{root.root}", "size": root.count}
        for name, root in (("population", manifest.population.root), ("results", manifest.results.root))
    }
    pack = said.get("rule_pack", {})
    for where, one, other in (
        ("run", manifest.fields.run, whole),
        ("engine", manifest.fields.engine, {"version": said.get("engine_version")}),
        ("rule_pack", manifest.fields.rule_pack, {name: pack.get(name) for name in ("digest", "rules")}),
        ("roots", roots, about.get("roots")),
    ):
        if found := _difference(where, one, other):
            yield f"{found[0]}: the manifest says {found[1]}, run/run.json {found[2]}"
    told = {"waivers": said.get("waivers", []), "baseline": said.get("baseline")}
    if found := _difference("waivers.json", waivers, told):
        yield f"{found[0]} says {found[1]}, run/run.json {found[2]}"
    if said.get("complete") is not (not said.get("errors")):
        yield "run/run.json says that the run was complete and lists errors, or that it was not and lists none"
    if not said.get("as_of") == said.get("started_at") <= said.get("finished_at", ""):
        yield "run/run.json says that the run began at another time than its clock, or ended before it began"


def differing(run: Again, types: Collection[str]) -> Iterator[str]:
    """Yield what ``run.json`` says that does not follow from what was judged again, whose rows are of these types.

    Not made again is what is not in a bundle: the id, over the files as they were given; their names; what a walk
    skipped; errors in files that could not be read; and notes. Of errors that are met again the run cannot have been
    complete.
    """
    about, said = run.reader.about, run.reader.run
    for where, kept in _made(run, types).items():
        of = said if where in _OF_RUN else about
        if found := _difference(where, of.get(where, _EMPTY.get(where)), kept):
            yield f"{found[0]} is {found[1]} in run/run.json, and made again {found[2]}"
    scope, counts = said.get("scope", {}), run.scan.counts
    for name, places in (("accounts", counts.accounts), ("regions", counts.regions)):
        if scope.get(name) != list(places):
            yield f"scope: {name} are {_short(scope.get(name))} in run/run.json, and made again {_short(list(places))}"
    errors = [
        *run.scan.errors,
        *(error for source in run.sources for error in source.errors),
        *counts.crash_errors(),
    ]
    if errors and said.get("complete"):
        yield f"run/run.json says that the run was complete; judged again it has errors, the first is: {errors[0]}"


_OF_RUN: Final = frozenset({"rule_pack", "unknown_types", "undecidable", "waivers", "baseline"})
_EMPTY: Final[Json] = {"waivers": []}


def _made(run: Again, types: Collection[str]) -> dict[str, Any]:
    """Return the members of ``run.json`` that follow from rules, settings, clock and resources."""
    evaluator, counts = run.scan.evaluator, run.scan.counts
    said = run.reader.run.get("rule_pack", {})
    waivers, baseline = _accepted(run)
    return {
        "rules_of": {
            each: sorted({form["id"] for form, _ in evaluator.applicable(each)}) for each in sorted(types)
        },
        "severities": dict(evaluator.settings.severities),
        "verdicts": counted(counts.verdicts),
        "rule_pack": {**said, "digest": evaluator.pack.digest, "rules": len(evaluator.pack.rules)},
        "unknown_types": dict(sorted(counts.unknown_types.items())),
        "undecidable": sorted(run.scan.undecidable()),
        "waivers": waivers,
        "baseline": baseline,
    }


def _accepted(run: Again) -> tuple[list[Any], Any]:
    """Return what became of waivers and baseline at the clock of the run."""
    waiving, accepted = run.scan.evaluator.settings.waiving, run.scan.counts.accepted
    if not waiving:
        return [], None
    from policyengine.reports.waiver_infos import baseline_info, waiver_infos

    infos = waiver_infos(waiving, accepted, run.reader.run["as_of"])
    baseline = None if waiving.baseline is None else asdict(baseline_info(waiving.baseline, accepted))
    return [waiver_json(each) for each in infos], baseline


def _difference(where: str, one: Any, other: Any) -> tuple[str, str, str] | None:
    """Return the first place where two values differ, and both; None where they do not."""
    if one == other:
        return None
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in sorted({*one, *other} - {_PLACES}, key=str):
            if found := _difference(f"{where}.{name}", one.get(name, _NOTHING), other.get(name, _NOTHING)):
                return found
        return None
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return next(filter(None, (_difference(f"{where}[{n}]", a, b) for n, (a, b) in pairs)), None)
    return where, _short(one), _short(other)


def _short(value: Any) -> str:
    text = str(value)
    return f"`{text}`" if len(text) <= _MOST else f"`{text[:_MOST]}…`"
