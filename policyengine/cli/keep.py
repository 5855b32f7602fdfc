"""``-o DIR``: a run kept with what it judged, so that it can be judged again (decision 16)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from policyengine.config.compiled import write_settings
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import Row
from policyengine.model.merkle import Merkle
from policyengine.model.resource import Resource
from policyengine.rules.data import data_root
from policyengine.sources.snapshot.manifest import MANIFEST
from policyengine.store.coverage import FILE as COVERAGE
from policyengine.store.coverage import coverage_json
from policyengine.store.lines import StreamError, read_lines
from policyengine.store.run_writer import RunWriter, counted, root_text

SETTINGS = "settings.json"
CONFIGURATION = "config/policyengine.yaml"


@dataclass
class Keeper:
    """Keeps one run. ``texts`` are files to keep beside the configuration; ``rule_folders`` those given besides ours."""

    writer: RunWriter
    evaluator: Evaluator
    rule_folders: Sequence[Path] = ()
    texts: Mapping[str, bytes] = field(default_factory=dict)
    in_order: bool = True
    waived: int = 0
    _waiting: list[Row] = field(default_factory=list)
    _types: set[str] = field(default_factory=set)

    def take(self, rows: Iterable[Row]) -> None:
        """Take the rows of a piece; those of several sources wait for each other."""
        if self.in_order:
            self._write(rows)
        else:
            self._waiting += rows

    def _write(self, rows: Iterable[Row]) -> None:
        for _identity, type_, line, places in rows:
            self._types.add(type_)
            self.writer.add_row(line, places)

    def end(
        self, run: Mapping[str, Any], sources: Sequence[Any], verdicts: Mapping[tuple[str, str], int]
    ) -> None:
        """Write everything else."""
        self._write(sorted(self._waiting))
        self._waiting.clear()
        tree = Merkle()
        inputs = [
            self._input(number, source, run["started_at"], tree) for number, source in enumerate(sources, 1)
        ]
        self._files(sources)
        self.writer.end(
            dict(run),
            inputs=inputs,
            rules_of={type_: self._rules_about(type_) for type_ in sorted(self._types)},
            severities=dict(self.evaluator.settings.severities),
            verdicts=counted(verdicts),
            roots={"population": {"root": root_text(tree), "size": tree.size}},
        )

    def _rules_about(self, type_: str) -> list[str]:
        return sorted({form["id"] for form, _ in self.evaluator.applicable(type_)})

    def _files(self, sources: Sequence[Any]) -> None:
        settings = write_settings(self.evaluator.settings)
        self.writer.file(SETTINGS, json.dumps(settings, indent=1, sort_keys=True).encode() + b"\n")
        self.writer.file("rules.json", self.evaluator.pack.to_bytes())
        coverage = coverage_json(frozenset().union(*(source.coverage for source in sources)))
        self.writer.file(COVERAGE, json.dumps(coverage, separators=(",", ":")).encode() + b"\n")
        for name, text in self.texts.items():
            self.writer.file(name, text)
        for form in self.evaluator.forms:
            found = rule_text(form["source"], self.rule_folders)
            if found is not None:
                self.writer.file(f"rules/{form['id']}.yaml", found)

    def _input(self, number: int, source: Any, created: str, tree: Merkle) -> dict[str, Any]:
        name = f"inputs/{number:04d}"
        folder = self.writer.temporary / name
        before = tree.size
        ours = getattr(source, "redaction_key", None) is not None
        kept = _copied(source, folder) if ours else _written(source, folder, created)
        for path in kept:
            add_lines(tree, path)
        return {
            "kind": source.kind,
            "target": str(source.target),
            "path": name,
            "lines": tree.size - before,
        }


def add_lines(tree: Merkle, path: Path) -> None:
    """Add the lines of a part to a tree, as far as it can be read: what is damaged is an error of the run already."""
    try:
        tree.add_many(read_lines(path))
    except StreamError:
        return


def _copied(source: Any, folder: Path) -> list[Path]:
    """Copy a snapshot that our collectors wrote, byte by byte; returns those of its parts that are there."""
    (folder / "resources").mkdir(parents=True)
    shutil.copyfile(source.manifest, folder / MANIFEST)
    kept = []
    for part in source.parts:
        if part.path.is_file():
            kept.append(folder / part.path.relative_to(source.manifest.parent))
            kept[-1].parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(part.path, kept[-1])
    return kept


def _written(source: Any, folder: Path, created: str) -> list[Path]:
    """Write what a source gave as a snapshot, without its secrets."""
    from policyengine.cli.live.redaction_key import redaction_key
    from policyengine.rules.predicates.pipeline.plain_secrets import looked_at
    from policyengine.sources.redaction import Redactor
    from policyengine.sources.snapshot.manifest import CollectorError, read_manifest
    from policyengine.sources.snapshot.writer import write_snapshot

    redact = Redactor(redaction_key(), looked_at)
    found = (_redacted(resource, redact) for resource in source.resources())
    errors = [_error(error) for error in source.errors if isinstance(error, CollectorError)]
    write_snapshot(folder, found, created=created, coverage=source.coverage, errors=errors)
    return [part.path for part in read_manifest(folder, str(source.target)).parts]


def _error(error: Any) -> dict[str, Any]:
    named = {name: getattr(error, name) for name in ("code", "message", "account", "region", "operation")}
    types = {"types": list(error.types)} if error.types else {}
    return {**{name: value for name, value in named.items() if value is not None}, **types}


def _redacted(resource: Resource, redact: Any) -> Resource:
    for branch in (resource, *resource.variants):
        redact(branch)
    return resource


def rule_text(source: str, folders: Sequence[Path]) -> bytes | None:
    """Return the text of a rule by the name its compiled form has; None where it is not found any more."""
    for root in (data_root().rules, *folders):
        for path in (root / source, root.parent / source):  # the name is the last two parts of a path
            if path.is_file():
                return path.read_bytes()
    return None
