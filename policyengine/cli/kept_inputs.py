"""What a run judges, kept first: from then on nothing is judged that is not kept (decision 16)."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from policyengine.cli.live.redaction_key import redactor
from policyengine.engine.scan import CODE_KINDS
from policyengine.evidence.manifest import STATEMENT_FILE
from policyengine.model.errors import PolicyEngineError
from policyengine.model.resource import Coverage, Resource
from policyengine.model.withheld import Withholding
from policyengine.sources.base import SourceOptions
from policyengine.sources.snapshot.canonical import to_lines
from policyengine.sources.snapshot.lines import parse_line
from policyengine.sources.snapshot.manifest import CALLS, MANIFEST, CollectorError
from policyengine.sources.snapshot.source import open_snapshot
from policyengine.sources.snapshot.writer import write_snapshot


class Kept(NamedTuple):
    """One source of a run: what is judged from here on, and the files it is kept in, in order. ``created`` is when its data
    began to be collected, where it says that itself."""

    source: Any
    parts: list[Path]
    created: str | None = None


def keep_inputs(
    sources: Sequence[Any], folder: Path, created: str, withholding: Withholding | None = None
) -> list[Kept]:
    """Keep each source in a folder of its own, ``0001`` on, without secrets; ``created`` is the time of the run.

    What is withheld is kept, and not judged: what is said of it would show it.
    """
    kept = [
        _kept(source, folder / f"{number:04d}", created)._replace(created=getattr(source, "created", None))
        for number, source in enumerate(sources, 1)
    ]
    for each in kept:
        each.source.withholding = withholding
    return kept


def without_secrets(sources: Sequence[Any]) -> list[Any]:
    """Return sources as a kept run would judge them: waivers and baselines are pinned to values as they are there."""
    found = []
    for source in sources:
        if getattr(source, "redaction_key", None) is None:
            if source.kind not in CODE_KINDS:
                source.redact = redactor()
            elif not isinstance(source, AsKept):
                source = AsKept(source, redactor())
        found.append(source)
    return found


def _kept(source: Any, folder: Path, created: str) -> Kept:
    if getattr(source, "redaction_key", None) is not None:
        _copy(source, folder)
        return _opened(source, folder)
    redact = redactor()
    if source.kind in CODE_KINDS:
        kept: Any = source if isinstance(source, AsKept) else AsKept(source, redact)
        _write(kept, source, folder, created)
        return Kept(kept, _parts(folder, str(source.target)))
    _write(_Redacted(source, redact), source, folder, created)
    return _opened(source, folder)


def _opened(source: Any, folder: Path) -> Kept:
    """Return the kept snapshot in place of the source it was made of; what that met is still said."""
    kept = open_snapshot(folder, SourceOptions(), name=str(source.target))
    kept.kind = source.kind
    said = {str(error) for error in kept.errors}
    kept.errors += [error for error in source.errors if str(error) not in said]
    kept.skipped, kept.notes = source.skipped, source.notes
    return Kept(kept, [part.path for part in kept.parts])


def _copy(source: Any, folder: Path) -> None:
    """Copy a snapshot that our collectors wrote, byte by byte; parts that are missing are told when it is read."""
    (folder / "resources").mkdir(parents=True)
    shutil.copyfile(source.manifest, folder / MANIFEST)
    for name in (STATEMENT_FILE, CALLS):
        if (beside := source.manifest.parent / name).is_file():
            shutil.copyfile(beside, folder / name)
    for part in source.parts:
        if part.path.is_file():
            to = folder / part.path.relative_to(source.manifest.parent)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(part.path, to)


def _write(given: Any, source: Any, folder: Path, created: str) -> None:
    def errors() -> list[dict[str, Any]]:
        return [_error(error) for error in source.errors if isinstance(error, CollectorError)]

    write_snapshot(
        folder, given.resources(), created=created, coverage=lambda: source.coverage, errors=errors
    )


def _error(error: CollectorError) -> dict[str, Any]:
    named = {name: getattr(error, name) for name in ("code", "message", "account", "region", "operation")}
    types = {"types": list(error.types)} if error.types else {}
    return {**{name: value for name, value in named.items() if value is not None}, **types}


def _parts(folder: Path, name: str) -> list[Path]:
    return [part.path for part in open_snapshot(folder, SourceOptions(), name=name).parts]


class _Redacted:
    """The resources of a source without their secrets."""

    def __init__(self, source: Any, redact: Any) -> None:
        self._source = source
        self._redact = redact

    def resources(self) -> Iterator[Resource]:
        """Yield them, in the order of the source."""
        for resource in self._source.resources():
            for branch in (resource, *resource.variants):
                self._redact(branch)
            yield resource


class AsKept:
    """A source of code whose resources are as their lines say them, in that order, and are shown where they stand.

    Lines hold what rules see but for the order of keys and the places of values: whoever reads only the lines has to
    come to the same words.
    """

    def __init__(self, source: Any, redact: Any) -> None:
        self._source = source
        self._resources = _Redacted(source, redact)
        self.kind: str = source.kind
        self.target: str = source.target
        self.skipped: Counter[str] = source.skipped
        self.notes: list[str] = source.notes
        self.withholding: Withholding | None = None

    def __getattr__(self, name: str) -> Any:
        if name in ("file", "secret_text", "paths"):  # what is asked about the files themselves
            return getattr(self._source, name)
        raise AttributeError(name)

    @property
    def coverage(self) -> Coverage:
        """What the source covers."""
        covered: Coverage = self._source.coverage
        return covered

    @property
    def errors(self) -> list[PolicyEngineError]:
        """What the source met."""
        found: list[PolicyEngineError] = self._source.errors
        return found

    def resources(self) -> Iterator[Resource]:
        """Yield every resource, its branches as ``variants``."""
        for resource in sorted(self._resources.resources(), key=attrgetter("identity")):
            own, *others = (parse_line(self._shown(line), True) for line in to_lines(resource))
            own.places = resource.locate
            for branch, other in zip(resource.variants, others, strict=True):
                other.places = branch.locate
            own.variants = tuple(others)
            yield own

    def _shown(self, line: bytes) -> bytes:
        return line if self.withholding is None else self.withholding.committed(line)
