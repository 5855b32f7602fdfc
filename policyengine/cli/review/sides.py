"""The two sides of a change, opened and judged by the same rules."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, Final

from policyengine.cli.review.bare import bare_policy
from policyengine.cli.review.git import Repository, Touched
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import Wanted
from policyengine.engine.scan import CODE_KINDS, Scan
from policyengine.model.errors import InputError, PolicyEngineError, UsageError
from policyengine.model.finding import Finding
from policyengine.model.reasons import VERDICTS
from policyengine.model.resource import Resource
from policyengine.review.pairs import Identity
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import SKIPPED_FOLDERS, Discovery, open_targets
from policyengine.sources.paths import relative_name

WORK_TREE: Final = "the work tree"
TERRAFORM: Final = (".tf", ".tofu", ".tf.json", ".tofu.json")


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

    ``files`` leads from files of the head to what they were called in the base. ``unread`` are files that changed and
    that nobody can judge from their text alone. ``gate`` is the folder with what judges: that of the base.
    """

    base: Side
    head: Side
    files: Mapping[str, str]
    unread: Sequence[str] = ()
    touched: Sequence[Touched] = ()
    repository: Repository | None = None
    commit: str | None = None


def of_revisions(
    repository: Repository,
    base: str,
    head: str | None,
    scope: Sequence[Path],
    options: SourceOptions,
    stack: ExitStack,
) -> Both:
    """Return what differs between a commit and another, or the work tree (None). Files that are the same are not read:
    no rule looks from one template into another."""
    touched = [t for t in repository.touched(base, head, scope) if not _is_foreign(t.new or t.old or "")]
    room = Path(stack.enter_context(TemporaryDirectory(prefix="policyengine-review-")))
    blobs = dict(repository.blobs(b for t in touched for b in (t.old_blob, t.blob) if b is not None))
    before, after = room / "base", room / "head"
    for item in touched:
        if item.old is not None and item.old_blob in blobs:
            _write(before, item.old, blobs[item.old_blob])
        if item.new is not None:
            data = (
                blobs.get(item.blob) if item.blob is not None else _read(repository.root / item.new, options)
            )
            if data is not None:
                _write(after, item.new, data)
    files = {_shown(t.new): _shown(t.old) for t in touched if t.new and t.old and t.new != t.old}
    return Both(
        _side(base[:12], before, options),
        _side(head[:12] if head is not None else WORK_TREE, after, options),
        files,
        [_shown(t.new) for t in touched if t.new and t.new.endswith(TERRAFORM)],
        touched,
        repository,
        base,
    )


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
    bare = _bare([path] if path.is_file() else _walk(path), folder)
    named = bare and path.is_file()
    discovery = Discovery() if named else open_targets([str(path)], bound)
    return Side(str(path), discovery, folder, bare)


def _only_name(side: Side) -> str:
    names = [s.target for s in side.discovery.sources] + [r.file or "" for r in side.bare]
    return names[0] if names else side.name


def _side(name: str, folder: Path, options: SourceOptions) -> Side:
    folder.mkdir(exist_ok=True)
    found = open_targets([str(folder)], replace(options, base=folder))
    return Side(name, found, folder, _bare(_walk(folder), folder))


def _bare(paths: Iterable[Path], folder: Path) -> list[Resource]:
    found = []
    for path in paths:
        if path.suffix.lower() in (".json", ".yaml", ".yml"):
            resource = bare_policy(path, relative_name(path, folder))
            if resource is not None:
                found.append(resource)
    return found


def _walk(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in SKIPPED_FOLDERS)
        yield from (Path(here) / name for name in sorted(names))


def _is_foreign(path: str) -> bool:
    """Whether a walk of a folder would leave the file out."""
    return any(step.startswith(".") or step in SKIPPED_FOLDERS for step in PurePosixPath(path).parts[:-1])


def _read(path: Path, options: SourceOptions) -> bytes | None:
    """Return a file of the work tree; None where it is no regular one any more, or too large for a template."""
    try:
        if path.is_symlink() or path.stat().st_size > options.max_bytes:
            return None
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"`{path}` cannot be read: {error.strerror}") from None


def _write(folder: Path, name: str, data: bytes) -> None:
    """Names come from git, which refuses those that lead out of a work tree; so does this."""
    path = folder / name
    if not Path(os.path.normpath(path)).is_relative_to(folder):
        raise InputError(f"`{name}` leads out of the repository")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _shown(name: str) -> str:
    """Return how findings name a file of the repository."""
    return relative_name(f"/{name}", "/")


def write_files(repository: Repository, commit: str, names: Mapping[str, str], folder: Path) -> None:
    """Put files of a commit into a folder: path from the root -> blob."""
    blobs: dict[str, Any] = dict(repository.blobs(names.values()))
    for name, blob in names.items():
        if blob in blobs:
            _write(folder, name, blobs[blob])
