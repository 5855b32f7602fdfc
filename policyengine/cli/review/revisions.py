"""The two sides of a change in git: what differs, put into two folders and opened.

A change must not hide a file from the review: links are followed within the repository, a manifest beside templates does
not stand for them, and what was read and is not any more is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Final

from policyengine.cli.review.git import LINK, Repository, Touched
from policyengine.cli.review.sides import WORK_TREE, Both, Side, opened_side, put, shown
from policyengine.model.errors import InputError, UsageError
from policyengine.model.location import Location
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import SKIPPED_FOLDERS

TERRAFORM: Final = (".tf", ".tofu", ".tf.json", ".tofu.json")
_DOCUMENTS: Final = (".json", ".yaml", ".yml", ".template")
_NO_PLAN: Final = (
    "Terraform configuration is not judged by itself: what it becomes is in a plan; compare `terraform show -json` of both "
    "sides by --base FILE --head FILE"
)
_INNER: Final = "what another repository holds (a submodule) is not read: review it there"
_FOREIGN: Final = "it is in a hidden folder, or one of other people's files, now: no scan reads it"
_NOT_READ: Final = (
    "it was read before the change and is not any more: it is no template, plan, snapshot or policy"
)


def of_revisions(
    repository: Repository,
    commits: tuple[str, str | None],
    scope: Sequence[Path],
    options: tuple[SourceOptions, SourceOptions],
    stack: ExitStack,
) -> Both:
    """Return what differs between a commit and another, or the work tree (None). Files that are the same are not read, no
    rule looks from one template into another, unless the values of their parameters are others."""
    base, head = commits
    _check_scope(repository, commits, scope)
    touched = repository.touched(base, head, scope)
    if options[0].parameters != options[1].parameters:
        touched += repository.untouched(base, head, scope, touched)
    room = Path(stack.enter_context(TemporaryDirectory(prefix="policyengine-review-")))
    before, after = _Files(repository, base, options[0]), _Files(repository, head, options[1])
    for item in touched:
        if not item.is_inner:
            alone = item.old is None or item.new is None
            before.want(item.old, item.old_mode, item.old_blob, alone=alone)
            after.want(item.new, item.mode, item.blob, alone=alone)
    before.write(room / "base")
    after.write(room / "head")
    one = opened_side(base[:12], room / "base", options[0])
    read = one.files_read()
    named = {shown(t.new) for t in touched if t.new and t.old and shown(t.old) in read}
    other = opened_side(head[:12] if head is not None else WORK_TREE, room / "head", options[1], named)
    other.errors += after.errors
    files = {shown(t.new): shown(t.old) for t in touched if t.new and t.old and t.new != t.old}
    return Both(one, other, files, dict(_unread(touched, one, other)))


def _check_scope(repository: Repository, commits: tuple[str, str | None], scope: Sequence[Path]) -> None:
    base, head = commits
    for path in scope:
        below = repository.inside(path)
        if below is None:
            raise UsageError(
                f"`{path}` lies outside of `{repository.root}`; the scope names files or folders of the repository"
            )
        if (
            head is not None
            and below
            and not any(repository.files(each, below) for each in (base, head) if each is not None)
        ):
            raise UsageError(
                f"`{path}` is on neither side; the scope names files or folders of the repository"
            )


class _Files:
    """The files of one side that are to be compared: name -> blob, or its bytes in the work tree."""

    def __init__(self, repository: Repository, commit: str | None, options: SourceOptions) -> None:
        self._repository, self._commit, self._most = repository, commit, options.max_bytes
        self._blobs: dict[str, str] = {}
        self._paths: dict[str, Path] = {}
        self.errors: list[InputError] = []

    def want(self, name: str | None, mode: str, blob: str | None, *, alone: bool) -> None:
        """Take a file. ``alone``: the other side has none, so that a link to what is read by itself is nothing new."""
        if name is None or is_foreign(name):
            return
        if mode == LINK or (blob is None and (self._repository.root / name).is_symlink()):
            self._link(name, alone=alone)
        elif blob is not None:
            self._blobs[name] = blob
        else:
            self._paths[name] = self._repository.root / name

    def _link(self, name: str, *, alone: bool) -> None:
        root = self._repository.root
        if self._commit is not None:
            found = self._repository.linked(self._commit, name)
            if found is not None and not (alone and not is_foreign(found[0])):
                self._blobs[name] = found[1]
            missing = found is None
        else:
            real, top = (root / name).resolve(), root.resolve()
            missing = not real.is_file() or not real.is_relative_to(top) or ".git" in real.parts
            if not missing and not (alone and not is_foreign(real.relative_to(top).as_posix())):
                self._paths[name] = real
        if missing and not alone and name.endswith(_DOCUMENTS):
            message = (
                "is a symbolic link that leads out of the repository, or nowhere: put the file in its place"
            )
            self.errors.append(InputError(message, Location(shown(name)), code="link"))

    def write(self, folder: Path) -> None:
        """Put the files into a folder. Raises InputError for one that cannot be read."""
        folder.mkdir(exist_ok=True)
        names: dict[str, list[str]] = {}
        for name, blob in self._blobs.items():
            names.setdefault(blob, []).append(name)
        for blob, data in self._repository.blobs(names):
            for name in names.pop(blob, ()):
                put(folder, name, data)
        for name, path in self._paths.items():
            data_there = self._read(name, path)
            if data_there is not None:
                put(folder, name, data_there)
        for name in (name for several in names.values() for name in several):
            self._too_large(name)

    def _read(self, name: str, path: Path) -> bytes | None:
        """Return a file of the work tree; None where it is no regular one any more, or too large for a template."""
        try:
            if path.stat().st_size > self._most:
                self._too_large(name)
                return None
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"`{path}` cannot be read: {error.strerror}") from None

    def _too_large(self, name: str) -> None:
        if name.endswith(_DOCUMENTS):
            message = f"is larger than {self._most >> 20} MiB, the limit for one template or plan"
            self.errors.append(InputError(message, Location(shown(name)), code="too_large"))


def _unread(touched: Iterable[Touched], base: Side, head: Side) -> Iterator[tuple[str, str]]:
    """Yield (file, why) of what changed and was not compared."""
    before, after = base.files_read(), head.files_read()
    wrong = {error.location.file for error in head.errors if error.location is not None}
    wrong |= {error.location.file for error in head.discovery.errors if error.location is not None}
    for item in touched:
        name = shown(item.name)
        if item.is_inner:
            yield name, _INNER
        elif (
            item.new is None
            or name in wrong
            or (is_foreign(item.new) and (item.old is None or is_foreign(item.old)))
        ):
            continue
        elif item.new.endswith(TERRAFORM):
            yield name, _NO_PLAN
        elif item.old is not None and shown(item.old) in before and name not in after:
            yield name, _FOREIGN if is_foreign(item.new) else _NOT_READ


def is_foreign(path: str) -> bool:
    """Whether a walk of a folder would leave the file out."""
    return any(step.startswith(".") or step in SKIPPED_FOLDERS for step in PurePosixPath(path).parts[:-1])
