"""What reports are given of a run: of one that was kept, and what belongs to it beside its findings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from policyengine.cli.keep import rule_text
from policyengine.cli.reportextras import known_extras, rules_asked
from policyengine.model.errors import InputError
from policyengine.model.location import Location
from policyengine.reports.base import Context, RunError, RunInfo
from policyengine.reports.extras import BaselineInfo, Extras, PlaceLooked, Proof, WaiverInfo
from policyengine.reports.table import FRAMED
from policyengine.store.rundir import RunReader

Json = Mapping[str, Any]


def run_info(reader: RunReader) -> RunInfo:
    """Return the run of a run directory. Raises InputError where what it says of itself is damaged."""
    run, about = reader.run, reader.about
    try:
        counts = {(r, v): n for r, each in about["verdicts"].items() for v, n in each.items()}
        baseline = run.get("baseline")
        return RunInfo(
            id=run["id"], started_at=run["started_at"], finished_at=run["finished_at"],
            engine_version=run["engine_version"], as_of=run["as_of"],
            rule_pack_digest=run["rule_pack"]["digest"], rule_count=run["rule_pack"]["rules"],
            targets=run["scope"]["targets"], accounts=run["scope"]["accounts"], regions=run["scope"]["regions"],
            complete=run["complete"], errors=[_error(error) for error in run["errors"]],
            skipped=run.get("skipped", {}), notes=run.get("notes", ()),
            unknown_types=run.get("unknown_types", {}), undecidable=run.get("undecidable", ()),
            resources=about["roots"]["results"]["size"], verdicts=counts,
            waivers=[WaiverInfo(**each) for each in run.get("waivers", ())],
            baseline=None if baseline is None else BaselineInfo(**baseline),
            rule_pack_version=run["rule_pack"].get("version"),
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(
            f"`{reader.path}/run.json` is damaged: {type(error).__name__} in what it says"
        ) from error


def _error(error: Json) -> RunError:
    place = error.get("location")
    where = None if place is None else Location(place["file"], place["line"], place["column"])
    named = {name: error.get(name) for name in ("target", "account", "region", "operation")}
    return RunError(
        error["code"], error["message"], location=where, types=tuple(error.get("types") or ()), **named
    )


def kept_context(reader: RunReader, formats: Iterable[str]) -> Context:
    """Return what reports in these formats are given of a kept run."""
    wanted = frozenset(formats) & FRAMED
    extras = known_extras() if wanted else Extras()
    roots = reader.about["roots"]
    population, results = roots["population"], roots["results"]
    extras = replace(
        extras,
        looked=[place for folder in reader.inputs() for place in looked_at(folder / "manifest.json")],
        rule_texts=_texts(reader) if "html" in wanted else {},
        proof=Proof(population["root"], population["size"], results["root"], results["size"]),
    )
    return Context(rules=rules_asked(reader), extras=extras)


def _texts(reader: RunReader) -> dict[str, str]:
    """Return the texts of rules as the run kept them."""
    files = sorted((reader.path / "rules").glob("*.yaml"))
    return {file.stem: file.read_text(encoding="utf-8", errors="replace") for file in files}


def scan_extras(
    formats: Iterable[str], forms: Sequence[Json], folders: Sequence[Path], sources: Iterable[Any]
) -> Extras:
    """Return what reports of a scan in these formats are given beside it; ``forms`` are all rules of the pack."""
    wanted = frozenset(formats) & FRAMED
    if not wanted:
        return Extras()
    manifests = (getattr(source, "manifest", None) for source in sources)
    looked = [place for manifest in manifests if manifest is not None for place in looked_at(manifest)]
    texts = {form["id"]: rule_text(form["source"], folders) for form in forms} if "html" in wanted else {}
    said = {rule: text.decode("utf-8", "replace") for rule, text in texts.items() if text is not None}
    return replace(known_extras(forms), looked=looked, rule_texts=said)


def looked_at(manifest: Path) -> Iterator[PlaceLooked]:
    """Yield what was expected and collected by account and region, where the snapshot's manifest says it."""
    try:
        collection = json.loads(manifest.read_bytes()).get("collection") or {}
        for place in collection.get("places", ()):
            missing = sorted(place["missing"].items())
            yield PlaceLooked(place["account"], place["region"], place["types"], place["whole"], missing)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"`{manifest}` does not say what was collected in a form that is known") from error
