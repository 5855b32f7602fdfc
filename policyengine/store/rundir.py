"""A run directory: what later commands take in place of a target (``docs/decisions/0016-evidence.md``).

``run_writer`` writes it. :class:`RunReader` gives its rows; :func:`read_findings` gives findings of a run directory, of an
ndjson report and of a findings document alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from policyengine.model.errors import InputError
from policyengine.model.finding import Finding
from policyengine.model.formats import refused, refused_number
from policyengine.model.reasons import VERDICTS
from policyengine.store.lines import StreamError, read_lines
from policyengine.store.rows import Row, RuleFacts, findings_json, findings_of, read_row

RUN_FORMAT: Final = 2
_FINDINGS: Final = "policyengine/findings/v1"
_STREAM: Final = "policyengine/findings-stream/v1"
_ALL: Final = frozenset(VERDICTS)
Json = dict[str, Any]


class RunReader:
    """A run directory, read. Raises InputError where a folder is none, is of another format or is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.about: Json = json.loads((path / "run.json").read_bytes())
            found = self.about["format"]
            self.run: Json = self.about.get("run", {})
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise _no_run(path) from error
        wrong = refused_number(found, RUN_FORMAT, "a run directory")
        if wrong is not None:
            raise InputError(f"`{path}`: {wrong} (`scan -o DIR`)")

    @cached_property
    def rules(self) -> list[Json]:
        """The compiled rules that were used."""
        try:
            rules = json.loads((self.path / "rules.json").read_bytes())["rules"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"`{self.path}/rules.json` is damaged; the run cannot be read") from error
        return list(rules)

    @cached_property
    def facts(self) -> Mapping[str, RuleFacts]:
        """What findings of each rule have in common, with the severities of the run."""
        severities = self.about.get("severities", {})
        return {
            form["id"]: RuleFacts(
                form["title"],
                form["family"],
                severities.get(form["id"], form["severity"]),
                {name: [c for c, _ in controls] for name, controls in form["frameworks"].items()},
                form["remediation"],
            )
            for form in self.rules
        }

    @property
    def rules_of(self) -> Mapping[str, list[str]]:
        """The rules about each type, in the order of a row's letters."""
        found: Mapping[str, list[str]] = self.about["rules_of"]
        return found

    def inputs(self) -> list[Path]:
        """What was judged: snapshots, one for each source, in the order of the run."""
        return [self.path / entry["path"] for entry in self.about["inputs"]]

    def files(self) -> list[Path]:
        """The files of rows, in order."""
        return [self.path / entry["path"] for entry in self.about["results"]]

    def lines(self) -> Iterator[bytes]:
        """Yield the rows as they are written, without line feeds."""
        for file in self.files():
            yield from self.lines_of(file)

    def places(self) -> Iterator[bytes]:
        """Yield the places of the rows that stand in files, as they are written."""
        for entry in self.about["places"]:
            yield from self.lines_of(self.path / entry["path"])

    def lines_of(self, file: Path) -> Iterator[bytes]:
        """Yield the lines of one of the run's files. Raises InputError where it is damaged."""
        try:
            yield from read_lines(file)
        except StreamError as error:
            raise InputError(f"`{file}` {error}; the run cannot be read") from error

    def rows(self) -> Iterator[Row]:
        """Yield the rows, one a resource, in the order of reports."""
        places = self.places()
        for line in self.lines():
            yield self.row(line, places)

    def row(self, line: bytes, places: Iterator[bytes]) -> Row:
        """Return the row of a line; ``places`` gives those of the rows that stand in files, in order."""
        try:
            record = json.loads(line)
            own = json.loads(next(places)) if "file" in record else None
        except (ValueError, TypeError, RecursionError, StopIteration) as error:
            raise InputError(
                f"`{self.path}` holds a row that is no JSON or no place for it; it is damaged"
            ) from error
        return read_row(record, own, str(self.path))

    def findings(self, wanted: frozenset[str] = _ALL) -> Iterator[Finding]:
        """Yield findings in the order of reports; those that pass or do not apply say nothing but their verdict."""
        for row in self.rows():
            yield from findings_of(row, self.rules_of.get(row.type, ()), self.facts, wanted)

    def findings_json(self, wanted: frozenset[str] = _ALL) -> Iterator[Json]:
        """Yield the same as the contract's objects."""
        for row in self.rows():
            yield from findings_json(row, self.rules_of.get(row.type, ()), self.facts, wanted)


def read_findings(path: Path, wanted: frozenset[str] = _ALL) -> Iterator[Json]:
    """Yield the finding objects of a run directory, an ndjson report or a findings document.

    Of a run directory those that pass say nothing but their verdict. Raises InputError when the file is none of these.
    """
    if path.is_dir():
        yield from RunReader(path).findings_json(wanted)
        return
    for found in _of_report(path):
        if wanted == _ALL or found.get("verdict") in wanted:  # what is no finding is its reader's to refuse
            yield found


def _of_report(path: Path) -> Iterator[Json]:
    try:
        with path.open(encoding="utf-8") as stream:
            whole = not _is_json_line(stream.readline())
            stream.seek(0)
            if whole:
                yield from _document(json.load(stream), path)
                return
            for line in stream:
                item = json.loads(line)
                _check_stream(item, path)
                found = item.get("finding") if isinstance(item, dict) else None
                if isinstance(found, dict) and "verdict" in found:
                    yield found
    except (OSError, ValueError, RecursionError) as error:
        raise _no_run(path) from error


def _check_stream(item: Any, path: Path) -> None:
    """The first line of a stream says what it is."""
    run = item.get("run") if isinstance(item, dict) else None
    if isinstance(run, dict) and "schema" in run and (wrong := refused(run["schema"], _STREAM)) is not None:
        raise InputError(f"`{path}` is no stream of findings that can be read: {wrong}")


def _no_run(path: Path) -> InputError:
    if path.is_dir() and (path / "manifest.json").is_file():
        return InputError(
            f"`{path}` is a snapshot and no run: `policyengine snapshot diff` compares snapshots, `scan -o DIR` makes a run"
        )
    return InputError(f"`{path}` is no run: expected a run directory, findings.json or an ndjson report")


def read_run(path: Path) -> Json:
    """Return the run object beside the findings; {} where a report does not hold it.

    Raises InputError when the file is no run.
    """
    if path.is_dir():
        return RunReader(path).run
    try:
        with path.open(encoding="utf-8") as stream:
            first = stream.readline()
            stream.seek(0)
            value = json.loads(first) if _is_json_line(first) else json.load(stream)
    except (OSError, ValueError, RecursionError) as error:
        raise _no_run(path) from error
    _check_stream(value, path)
    if isinstance(value, dict) and "findings" in value and (wrong := refused(value.get("schema"), _FINDINGS)):
        raise InputError(f"`{path}` is no findings document that can be read: {wrong}")
    run = value.get("run") if isinstance(value, dict) else None
    return run if isinstance(run, dict) else {}


def _is_json_line(line: str) -> bool:
    """A findings document is written over several lines: its first is no JSON by itself."""
    try:
        return "findings" not in json.loads(line)
    except (ValueError, TypeError):
        return False


def _document(value: Any, file: Path) -> Iterator[Json]:
    wrong = refused(value.get("schema") if isinstance(value, dict) else None, _FINDINGS)
    if wrong is not None or not isinstance(value, dict):
        raise InputError(f"`{file}` is no findings document that can be read: {wrong}")
    findings = value.get("findings")
    yield from (f for f in findings if isinstance(f, dict)) if isinstance(findings, list) else ()
