"""``-o DIR``: a run kept with what it judged, so that it can be judged again (decision 16)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from policyengine.cli.kept_inputs import Kept
from policyengine.config.compiled import write_settings
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import Row
from policyengine.model.errors import InputError
from policyengine.model.merkle import Merkle
from policyengine.model.withheld import Withholding
from policyengine.rules.data import data_root
from policyengine.store.coverage import FILE as COVERAGE
from policyengine.store.coverage import coverage_json
from policyengine.store.lines import readable_lines
from policyengine.store.run_writer import RunWriter, counted, root_text

SETTINGS = "settings.json"


@dataclass
class Keeper:
    """Keeps one run. ``texts`` are files to keep beside the configuration; ``rule_folders`` those given besides ours."""

    writer: RunWriter
    evaluator: Evaluator
    kept: Sequence[Kept]
    rule_folders: Sequence[Path] = ()
    texts: Mapping[str, bytes] = field(default_factory=dict)
    in_order: bool = True
    withholding: Withholding | None = None
    _lines_withheld: int = 0
    _tree: Merkle = field(default_factory=Merkle)
    _inputs: list[dict[str, Any]] = field(default_factory=list)
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

    def seal(self) -> list[str]:
        """Take the root over what was kept, once everything is; return what a reader has to know of what is withheld."""
        self._inputs = self._kept_inputs()
        if self.withholding is None:
            return []
        from policyengine.cli.withheld import unmet_notes

        return unmet_notes(self.withholding)

    def end(self, run: Mapping[str, Any], verdicts: Mapping[tuple[str, str], int]) -> None:
        """Write everything else. The inputs have to be sealed."""
        self._write(sorted(self._waiting))
        self._waiting.clear()
        self._files()
        self.writer.end(
            dict(run),
            inputs=self._inputs,
            rules_of={type_: self._rules_about(type_) for type_ in sorted(self._types)},
            severities=dict(self.evaluator.settings.severities),
            verdicts=counted(verdicts),
            roots={"population": {"root": root_text(self._tree), "size": self._tree.size}},
            **self._withheld(),
        )

    def _withheld(self) -> dict[str, Any]:
        """What ``run.json`` says of it: the secret lies in a private file beside it."""
        if self.withholding is None:
            return {}
        from policyengine.cli.withheld import write_private

        write_private(self.writer.temporary, self.withholding)
        return {"withheld": {"plan": self.withholding.plan.to_json(), "lines": self._lines_withheld}}

    def _rules_about(self, type_: str) -> list[str]:
        return sorted({form["id"] for form, _ in self.evaluator.applicable(type_)})

    def _files(self) -> None:
        settings = write_settings(self.evaluator.settings)  # in the order of the file, which messages repeat
        self.writer.file(SETTINGS, json.dumps(settings, indent=1).encode() + b"\n")
        self.writer.file("rules.json", self.evaluator.pack.to_bytes())
        coverage = coverage_json(frozenset().union(*(kept.source.coverage for kept in self.kept)))
        self.writer.file(COVERAGE, json.dumps(coverage, separators=(",", ":")).encode() + b"\n")
        for name, text in self.texts.items():
            self.writer.file(name, text)
        for form in self.evaluator.forms:
            found = rule_text(form["source"], self.rule_folders)
            if found is not None:
                self.writer.file(f"rules/{form['id']}.yaml", found)

    def _kept_inputs(self) -> list[dict[str, Any]]:
        found = []
        for number, kept in enumerate(self.kept, 1):
            before = self._tree.size
            for path in kept.parts:
                self._lines_withheld += add_lines(self._tree, path, self.withholding)
            about = {
                "kind": kept.source.kind,
                "target": str(kept.source.target),
                "path": f"inputs/{number:04d}",
            }
            if kept.created is not None:
                about["created"] = kept.created
            found.append({**about, "lines": self._tree.size - before})
        return found


def add_lines(tree: Merkle, path: Path, withholding: Withholding | None = None) -> int:
    """Add the lines of a part to a tree, as far as it can be read: what is damaged is an error of the run already.

    Return of how many lines something is withheld. Raises InputError for a line of which cannot be told what it has.
    """
    changed = 0

    def leaves() -> Iterator[bytes]:
        nonlocal changed
        for number, line in enumerate(readable_lines(path), 1):
            try:
                leaf = line if withholding is None else withholding.committed(line)
            except ValueError as problem:
                text = f"line {number}: {problem}; what it has cannot be withheld, and so the run is not kept"
                raise InputError(f"`{path.name}` {text}") from None
            changed += leaf is not line
            yield leaf

    tree.add_many(leaves())
    return changed


def rule_text(source: str, folders: Sequence[Path]) -> bytes | None:
    """Return the text of a rule by the name its compiled form has; None where it is not found any more."""
    for root in (data_root().rules, *folders):
        for path in (root / source, root.parent / source):  # the name is the last two parts of a path
            if path.is_file():
                return path.read_bytes()
    return None
