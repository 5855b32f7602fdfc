"""The small members of a bundle: what was looked at, what was left out and why, waivers, errors, the collection."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from policyengine.model.canonical_json import canonical
from policyengine.model.errors import InputError
from policyengine.reports.csv_report import cell
from policyengine.sources.snapshot.manifest import CALLS
from policyengine.store.lines import StreamError, read_lines
from policyengine.store.rundir import RunReader

Json = dict[str, Any]
EXCLUSION_COLUMNS: Final = ("what", "which", "why", "until")


def pretty(value: Any) -> bytes:
    """Return JSON for people and programs: sorted, indented, ASCII."""
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()


def collections_of(reader: RunReader) -> list[Json]:
    """Return, for each input, what its manifest says of how it was collected; {} where that is nothing."""
    found = []
    for folder in reader.inputs():
        try:
            manifest = json.loads((folder / "manifest.json").read_bytes())
            collection = manifest.get("collection") or {}
            found.append(collection if isinstance(collection, dict) else {})
        except (OSError, ValueError, AttributeError) as error:
            raise InputError(f"`{folder}/manifest.json` cannot be read: {error}") from error
    return found


def scope(reader: RunReader, collections: Sequence[Json]) -> Json:
    """Return what was to be looked at and what was, adding up: expected = collected + missing, in types by place."""
    places = [place for collection in collections for place in collection.get("places", ())]
    expected, whole = sum(p["types"] for p in places), sum(p["whole"] for p in places)
    missing = [
        {"account": p["account"], "region": p["region"], "type": type_, "why": why}
        for p in places for type_, why in sorted(p["missing"].items())
    ]  # fmt: skip
    return {
        "run": reader.run["scope"],
        "inputs": reader.about["inputs"],
        "reconciled": bool(places),
        "places": places,
        "types_by_place": {"expected": expected, "collected": whole, "missing": expected - whole},
        "missing": missing,
        "accounts_not_read": [a for c in collections for a in c.get("accounts_not_read", ())],
        "regions": [
            {"account": a, "regions": r} for c in collections for a, r in sorted(c.get("regions", {}).items())
        ],
        "skipped": [s for c in collections for s in c.get("skipped", ())],
    }


def collection_log(reader: RunReader, collections: Sequence[Json]) -> Iterator[bytes]:
    """Yield one line for each operation of each input: how often it was called; what was throttled. Then one for each call,
    as they were kept when the input was collected. Raises InputError where they are not what they were then."""
    for number, (folder, collection) in enumerate(zip(reader.inputs(), collections, strict=True), 1):
        about = {
            name: collection[name]
            for name in ("engine", "rules", "started", "throttles")
            if name in collection
        }
        log = collection.get("call_log")
        path = folder / CALLS
        here = isinstance(log, dict) and path.is_file()
        yield canonical({"input": number, "collected": bool(collection), "calls_listed": here, **about})
        for operation, calls in sorted(collection.get("calls", {}).items()):
            yield canonical({"input": number, "operation": operation, "calls": calls})
        if isinstance(log, dict) and here:
            for line in _calls_of(path, log):
                yield canonical({"input": number, **line})


def _calls_of(path: Path, log: Json) -> Iterator[Json]:
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != log.get("sha256"):
            raise InputError(
                f"`{path}` is not the list of calls that its manifest names: it was changed, or cut off"
            )
    try:
        yield from map(json.loads, read_lines(path))
    except (StreamError, ValueError) as problem:
        raise InputError(f"`{path}` cannot be read: {problem}") from None


def exclusions(
    reader: RunReader, collections: Sequence[Json], rules: Iterable[str]
) -> Iterator[tuple[str, ...]]:
    """Yield (what, which, why, until) for everything that was left out on purpose; ``rules`` are all there are."""
    settings = _settings(reader)
    asked = {form["id"] for form in reader.rules}
    for rule, why in sorted(settings["disabled"].items()):
        yield "rule disabled in the configuration", rule, why, ""
    for rule in sorted(frozenset(rules) - asked):
        yield "rule not asked", rule, "the run was of other rules", ""
    for rule in reader.run.get("undecidable", ()):
        yield "rule not decidable", rule, "what was judged has no account to ask it of", ""
    for why, number in sorted(reader.run.get("skipped", {}).items()):
        yield "files or resources skipped", f"{number:,}", why, ""
    for collection in collections:
        for skipped in collection.get("skipped", ()):
            which = "/".join(
                str(skipped[name]) for name in ("account", "region", "place") if skipped.get(name)
            )
            yield "place not looked at", which, str(skipped.get("why") or skipped.get("reason") or ""), ""
    for waiver in reader.run.get("waivers", ()):
        which = f"{waiver['rule']} on {waiver['scope']}"
        what = (
            "FAIL accepted by a waiver"
            if waiver["state"] == "active"
            else f"waiver that is {waiver['state']}"
        )
        yield what, which, waiver["reason"], waiver["expires"]


def _settings(reader: RunReader) -> Json:
    try:
        found: Json = json.loads((reader.path / "settings.json").read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"`{reader.path}/settings.json` cannot be read: {error}") from error
    return found


def exclusions_csv(rows: Sequence[tuple[str, ...]]) -> bytes:
    """Return the table with its count in front: no exclusions is stated, not left to be concluded."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("exclusions", str(len(rows))))
    writer.writerow(())
    writer.writerow(EXCLUSION_COLUMNS)
    writer.writerows([cell(text) for text in row] for row in rows)
    return out.getvalue().encode("utf-8", "backslashreplace")


def table_csv(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return rows of named cells as CSV; nothing at all where there is no row."""
    out = io.StringIO()
    writer: Any = None
    for row in rows:
        if writer is None:
            writer = csv.writer(out, lineterminator="\r\n")
            writer.writerow(list(row))
        writer.writerow([cell(str(value)) for value in row.values()])
    return out.getvalue().encode("utf-8", "backslashreplace")


def text_files(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield the files of a folder, sorted."""
    yield from (path for path in sorted(folder.rglob(pattern)) if path.is_file())
