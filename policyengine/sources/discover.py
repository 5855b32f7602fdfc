"""From what a user names to sources: files by their content, folders by walking them."""

from __future__ import annotations

import os
import stat
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from policyengine.documents import Document, load
from policyengine.documents.files import is_folder
from policyengine.model.errors import InputError, PolicyEngineError
from policyengine.model.location import Location
from policyengine.model.run_directory import is_run_directory
from policyengine.sources.base import Source, SourceOptions
from policyengine.sources.cloudformation import is_assembly, open_template, read_assembly
from policyengine.sources.cloudformation.cdk import MANIFEST as CDK_MANIFEST
from policyengine.sources.paths import STDIN, base_folder, common_folder, display_path
from policyengine.sources.recognize import ACCEPTED, HEAD, Verdict, recognize
from policyengine.sources.snapshot import open_lines, open_snapshot
from policyengine.sources.snapshot.files import reason_of
from policyengine.sources.snapshot.manifest import MANIFEST
from policyengine.sources.spool import opened, spool

SKIPPED_FOLDERS: Final = frozenset({"node_modules", "__pycache__", "venv", "site-packages"})
"""Folders of other people's files; hidden ones (``.git``, ``.venv``, ``.terraform``) are skipped too."""


@dataclass(slots=True)
class Discovery:
    """The sources of a run in the order of the targets, what went wrong, what was left out.

    ``skipped`` counts, by reason, files of walked folders that are not ours; ``errors`` are about
    targets that are not there or broken, and never keep the others from being evaluated.
    """

    sources: list[Source] = field(default_factory=list)
    errors: list[PolicyEngineError] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    walked: list[Source | PolicyEngineError] = field(default_factory=list)
    """Those of ``sources`` and ``errors`` that a walk found and nobody named."""

    def was_walked(self, item: Source | PolicyEngineError) -> bool:
        """Whether a walk found this source or error, so that nobody asked for it by name."""
        return any(item is other for other in self.walked)

    def replace(self, sources: Sequence[Source]) -> None:
        """Put other sources in the places of those there are, one for one."""
        others = {id(old): new for old, new in zip(self.sources, sources, strict=True)}
        self.walked = [others.get(id(item), item) for item in self.walked]
        self.sources = list(sources)


def open_targets(targets: Sequence[str], options: SourceOptions) -> Discovery:
    """Open every target: a file, a folder to walk, a snapshot folder, or ``-`` for standard input.

    Never raises for a target; each problem is an InputError in ``errors``. A file that is reached
    twice is read once. Files of different targets whose names would be the same are named from the
    folder above them all.
    """
    found = _open(targets, options)
    names = Counter(source.target for source in found.sources if source.kind in ("template", "plan"))
    if options.base is None and any(number > 1 for number in names.values()):
        above = common_folder(targets)
        if above is not None:
            return _open(targets, replace(options, base=above))
    return found


def _open(targets: Sequence[str], options: SourceOptions) -> Discovery:
    walk = _Opener()
    for target in targets:
        bound = options if options.base is not None else replace(options, base=base_folder(target))
        walk.target(target, bound)
    return walk.found


class _Opener:
    def __init__(self) -> None:
        self.found = Discovery()
        self._opened: set[str] = set()

    def target(self, target: str, options: SourceOptions) -> None:
        name = display_path(target, options, target)
        try:
            if target == STDIN:
                self._stream(sys.stdin.buffer.fileno(), name, options)
                return
            path = Path(target)
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode):
                self._folder(path, options)
            elif stat.S_ISREG(mode):
                self._file(path, name, options, asked=True)
            else:
                with opened(path) as file:
                    self._stream(file.fileno(), name, options)
        except InputError as problem:
            self.found.errors.append(problem)
        except OSError as problem:
            self._unreadable(name, problem)
        except ValueError:  # a zero byte in the name
            self._fail(name, "is no name of a file", "unreadable")

    def _fail(self, name: str, message: str, code: str) -> None:
        self.found.errors.append(InputError(message, Location(name), code=code))

    def _unreadable(self, name: str, problem: OSError) -> None:
        self._fail(name, f"cannot be read: {reason_of(problem)}", "unreadable")

    # -- folders ------------------------------------------------------------------------------------

    def _folder(self, folder: Path, options: SourceOptions, *, asked: bool = True) -> None:
        """Open a snapshot, or walk: files first, then folders, both in order of their names."""
        name = display_path(folder, options, folder)
        try:
            if _holds_snapshot(folder):
                self._snapshot(folder, options)
                return
            if is_assembly(folder):
                self._assembly(folder, options)
                return
            if is_run_directory(folder):
                if asked:
                    raise InputError(
                        f"`{name}` is a run directory, which `report`, `diff`, `explain` and `evidence export` take; what it "
                        f"judged is in `{name}/inputs`",
                        code="run_directory",
                    )
                self.found.skipped["run directory"] += 1  # it holds copies of what is judged here
                return
        except InputError as problem:
            self.found.errors.append(problem)
            return
        try:
            entries = sorted(os.scandir(folder), key=lambda e: e.name)
        except OSError as problem:
            self._unreadable(name, problem)
            if not asked:
                self.found.walked.append(self.found.errors[-1])
            return
        folders: list[Path] = []
        for entry in entries:
            # links to folders are not followed: they make loops and lead out of the target
            if entry.is_dir(follow_symlinks=False):
                folders.append(Path(entry.path))
            elif entry.is_symlink() and is_folder(entry.path):
                self.found.skipped["link to a folder"] += 1
            else:
                self._walked_file(Path(entry.path), options)
        for below in folders:
            if below.name.startswith(".") or below.name in SKIPPED_FOLDERS:
                self.found.skipped["hidden or foreign folder"] += 1
            else:
                self._folder(below, options, asked=False)

    def _walked_file(self, path: Path, options: SourceOptions) -> None:
        name = display_path(path, options, path)
        sources, errors = len(self.found.sources), len(self.found.errors)
        try:
            if path.is_symlink() and not path.exists():
                self.found.skipped["broken link"] += 1
            elif not path.is_file():
                self.found.skipped["no regular file"] += 1
            else:
                self._file(path, name, options, asked=False)
        except InputError as problem:
            self.found.errors.append(problem)
        except OSError as problem:
            self._unreadable(name, problem)
        self.found.walked += [*self.found.sources[sources:], *self.found.errors[errors:]]

    def _snapshot(self, folder: Path, options: SourceOptions) -> None:
        if self._is_new(folder):
            self.found.sources.append(open_snapshot(folder, options))

    def _assembly(self, folder: Path, options: SourceOptions) -> None:
        """The stacks of a CDK assembly, each bound to the account and region it goes to."""
        name = display_path(folder / CDK_MANIFEST, options, folder)
        for stack in read_assembly(folder, name):
            place = replace(
                options, account=options.account or stack.account, region=options.region or stack.region
            )
            file = display_path(stack.template, options, folder)
            try:
                if self._is_new(stack.template):
                    data = _whole(stack.template, file, options.max_bytes)
                    document = load(data, name=file, style="cloudformation", max_bytes=options.max_bytes)
                    source = open_template(
                        stack.template, place, document, stack_tags={**stack.tags, **options.stack_tags}
                    )
                    self._add(source, stack.template, file)
            except InputError as problem:
                self.found.errors.append(problem)
            except OSError as problem:
                self._unreadable(file, problem)

    def _add(self, source: Source, path: Path, name: str) -> None:
        source.target = name
        if not hasattr(source, "paths"):
            source.paths = [path]  # type: ignore[attr-defined]  # read by the run's id
        self.found.sources.append(source)

    # -- files --------------------------------------------------------------------------------------

    def _is_new(self, path: Path) -> bool:
        real = os.path.realpath(path)
        new = real not in self._opened
        self._opened.add(real)
        return new

    def _file(self, path: Path, name: str, options: SourceOptions, *, asked: bool) -> None:
        if not self._is_new(path):
            return
        with path.open("rb") as file:
            head = file.read(HEAD)
            size = os.fstat(file.fileno()).st_size
        whole = partial(_whole, path, name, options.max_bytes)
        if size > options.max_bytes and not asked and not _may_be_ours(head):
            self.found.skipped["too large, not ours"] += 1
            return
        verdict = recognize(head, whole, name, asked=asked, max_bytes=options.max_bytes)
        self._open(verdict, path, name, options, asked=asked)

    def _open(
        self,
        verdict: Verdict,
        path: Path,
        name: str,
        options: SourceOptions,
        *,
        asked: bool,
        bytes_at: Path | None = None,
    ) -> None:
        if verdict.error is not None:
            raise verdict.error
        if verdict.kind == "snapshot":
            self.found.sources.append(open_lines(path, name))
        elif verdict.kind == "config":
            self._config(bytes_at or path, name)
        elif verdict.kind == "manifest":
            self._manifest(path, options, asked=asked)
        elif verdict.kind in ("template", "plan"):
            assert verdict.document is not None
            source = _open_document(verdict.kind, path, options, verdict.document)
            self._add(source, bytes_at or path, name)
        elif asked:
            self._fail(name, f"is {verdict.reason}; {ACCEPTED}", "not_ours")
        else:
            self.found.skipped[_short(verdict.reason)] += 1

    def _config(self, path: Path, name: str) -> None:
        """All files of AWS Config are one source: the newest item of a resource may stand in any of them."""
        from policyengine.sources.config.source import ConfigSource, open_config

        opened = open_config(path, name)
        for source in self.found.sources:
            if isinstance(source, ConfigSource):
                source.files += opened.files
                return
        self.found.sources.append(opened)

    def _manifest(self, path: Path, options: SourceOptions, *, asked: bool) -> None:
        """A manifest that was named stands for its folder; a stray one is nothing."""
        if asked:
            self._snapshot(path.parent, options)
        else:
            self.found.skipped["manifest without resources"] += 1

    # -- streams ------------------------------------------------------------------------------------

    def _stream(self, descriptor: int, name: str, options: SourceOptions) -> None:
        """Standard input and pipes: kept in a private file, because a source is read more than once."""
        path = spool(descriptor, name, options.max_bytes)
        with path.open("rb") as file:
            head = file.read(HEAD)
        verdict = recognize(
            head,
            partial(_whole, path, name, options.max_bytes),
            name,
            asked=True,
            max_bytes=options.max_bytes,
        )
        if verdict.kind == "manifest":
            self._fail(name, "is the manifest of a snapshot; name its folder instead", "not_ours")
        elif verdict.kind in ("template", "plan"):
            self._open(verdict, Path(STDIN), name, options, asked=True, bytes_at=path)
        else:
            self._open(verdict, path, name, options, asked=True)


def _holds_snapshot(folder: Path) -> bool:
    """A manifest with parts, or one that is broken beside files of lines."""
    try:
        with (folder / MANIFEST).open("rb") as file:
            head = file.read(HEAD)
        lines = any((folder / "resources").glob("*.ndjson*"))
    except OSError:
        return False
    return lines or (b'"parts"' in head and b'"version"' in head and (folder / "resources").is_dir())


def _may_be_ours(head: bytes) -> bool:
    return (
        b"AWS::" in head
        or b'"configurationItem' in head
        or b'"planned_values"' in head
        or b'"terraform_version"' in head
    )


def _whole(path: Path, name: str, limit: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        message = f"is larger than {limit >> 20} MiB, the limit for one template or plan"
        raise InputError(message, Location(name), code="too_large")
    return data


def _open_document(kind: str, path: Path, options: SourceOptions, document: Document) -> Source:
    if kind == "plan":
        from policyengine.sources.terraform.plan import open_plan

        return open_plan(path, options, document)
    return open_template(path, options, document, stack_tags=options.stack_tags)


def _short(reason: str) -> str:
    """Reasons are counted by what a file is, without what to do about it or its own keys."""
    head = reason.partition(" (")[0]
    return "no template, plan or snapshot" if head.startswith(("an object with", "a list", "plain")) else head
