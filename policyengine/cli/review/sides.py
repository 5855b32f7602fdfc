"""The two sides of a change, opened and judged by the same rules."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from policyengine.cli.review.bare import bare_policy
from policyengine.cli.review.git import Repository
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import Wanted
from policyengine.engine.scan import CODE_KINDS, Scan
from policyengine.model.errors import InputError, PolicyEngineError, UsageError
from policyengine.model.finding import Finding
from policyengine.model.reasons import VERDICTS
from policyengine.model.resource import Coverage, Resource
from policyengine.model.run_directory import RUN_FILE, is_run_directory
from policyengine.review.pairs import Identity
from policyengine.review.written import Written
from policyengine.sources.base import SourceOptions
from policyengine.sources.cloudformation.source import TemplateSource
from policyengine.sources.discover import SKIPPED_FOLDERS, Discovery, open_targets
from policyengine.sources.paths import relative_name
from policyengine.sources.snapshot.manifest import MANIFEST

WORK_TREE: Final = "the work tree"
_BESIDE: Final = (MANIFEST, RUN_FILE)
_DOCUMENTS: Final = (".json", ".yaml", ".yml", ".template")


@dataclass
class Side:
    """One side: what it is called, where its files lie and what was read of them."""

    name: str
    discovery: Discovery
    folder: Path
    bare: list[Resource] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)
    findings: dict[Identity, dict[str, Finding]] = field(default_factory=dict)
    errors: list[PolicyEngineError] = field(default_factory=list)
    incomplete: bool = False

    def files_read(self) -> set[str]:
        """Return the names of the files that hold something to judge."""
        return {source.target for source in self.discovery.sources} | {
            policy.file or "" for policy in self.bare
        }

    def coverage(self) -> Coverage:
        """Return what was collected whole, of everything."""
        return frozenset().union(*(source.coverage for source in self.discovery.sources))

    def templates(self) -> dict[str, Written]:
        """Return the templates as they are written, by the name of their file."""
        found = (source for source in self.discovery.sources if isinstance(source, TemplateSource))
        return {source.file: Written(source.document.value, source.document.locate) for source in found}

    @property
    def is_code(self) -> bool:
        """Whether all of it is templates and plans."""
        return all(source.kind in CODE_KINDS for source in self.discovery.sources)

    def judge(self, evaluator: Evaluator) -> None:
        """Read everything and ask every rule."""
        scan = Scan(evaluator, self.discovery.sources, Wanted(frozenset(VERDICTS)))
        for finding in scan.findings():
            self.findings.setdefault(finding.identity, {})[finding.rule] = finding
        self.resources = [r for source in self.discovery.sources for r in source.resources()]
        self.resources += self.bare
        broken = [e for s in self.discovery.sources if s.kind not in CODE_KINDS for e in s.errors]
        self.incomplete = bool(scan.errors or scan.counts.crashes or broken)
        self.errors += [*self.discovery.errors, *scan.errors, *scan.counts.crash_errors()]
        seen: dict[str, PolicyEngineError] = {}
        for source in self.discovery.sources:
            seen.update((str(error), error) for error in source.errors)
        self.errors += seen.values()


@dataclass
class Both:
    """Both sides of a change.

    ``files`` leads from files of the head to what they were called in the base. ``unread`` leads from files that changed and
    were not compared to why that is.
    """

    base: Side
    head: Side
    files: Mapping[str, str]
    unread: Mapping[str, str] = field(default_factory=dict)


def of_targets(base: Path, head: Path, options: SourceOptions) -> Both:
    """Return two files or two folders side by side."""
    if base.is_dir() != head.is_dir():
        raise UsageError(f"`{base}` and `{head}`: compare a file with a file, or a folder with a folder")
    sides = [_target(path, options) for path in (base, head)]
    files = {}
    if not base.is_dir():
        files = {_only_name(sides[1]): _only_name(sides[0])}
    return Both(sides[0], sides[1], files)


def _target(path: Path, options: SourceOptions) -> Side:
    folder = path if path.is_dir() else path.parent
    bound = replace(options, base=folder)
    bare = _bare([path] if path.is_file() else walked(path), folder)
    named = bare and path.is_file()
    discovery = Discovery() if named else open_targets([str(path)], bound)
    return Side(str(path), discovery, folder, bare)


def _only_name(side: Side) -> str:
    names = [s.target for s in side.discovery.sources] + [r.file or "" for r in side.bare]
    return names[0] if names else side.name


def opened_side(
    name: str, folder: Path, options: SourceOptions, before: Collection[str] = frozenset()
) -> Side:
    """Return what a folder of changed files holds.

    A folder with a manifest stands for what the manifest names; here a change may have added it, so that the documents
    beside it are read as well. ``before`` are files that were read before the change: they are read as if somebody had named
    them, so that no odd spelling lets them pass as somebody else's, and a broken one is an error.
    """
    bound = replace(options, base=folder)
    every = list(walked(folder))
    found = open_targets([str(folder)], bound)
    side = Side(name, found, folder, _bare(every, folder))
    beside = {path.parent for path in every if path.name in _BESIDE}
    known = side.files_read() | {error.location.file for error in found.errors if error.location is not None}
    for path in every:
        above = next((each for each in path.parents if each in beside), None)
        copy = above is not None and is_run_directory(above) and path.parent != above
        file = relative_name(path, folder)
        beside_one = above is not None and not copy and path.name not in _BESIDE
        if file in known or path.suffix.lower() not in _DOCUMENTS:
            continue
        if beside_one or (file in before and path.stat().st_size):
            more = open_targets([str(path)], bound)
            found.sources += more.sources
            found.errors += [error for error in more.errors if error.code != "not_ours"]
    return side


def _bare(paths: Iterable[Path], folder: Path) -> list[Resource]:
    found = []
    for path in paths:
        if path.suffix.lower() in (".json", ".yaml", ".yml"):
            resource = bare_policy(path, relative_name(path, folder))
            if resource is not None:
                found.append(resource)
    return found


def walked(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that a walk looks at."""
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in SKIPPED_FOLDERS)
        yield from (Path(here) / name for name in sorted(names))


def put(folder: Path, name: str, data: bytes) -> None:
    """Names come from git, which refuses those that lead out of a work tree; so does this."""
    path = folder / name
    if not Path(os.path.normpath(path)).is_relative_to(folder):
        raise InputError(f"`{name}` leads out of the repository")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def shown(name: str) -> str:
    """Return how findings name a file of the repository."""
    return relative_name(f"/{name}", "/")


def write_files(repository: Repository, names: Mapping[str, str], folder: Path) -> None:
    """Put files of a commit into a folder: path from the root -> blob."""
    blobs: dict[str, Any] = dict(repository.blobs(names.values()))
    for name, blob in names.items():
        if blob in blobs:
            put(folder, name, blobs[blob])
