"""What git knows of a change: which files, and what they held.

git is asked with fixed lists of arguments and without what a repository may run: no external diff, no text
conversion, no file-system monitor.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from policyengine.model.errors import UsageError

_SAFE: Final = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "-c", "diff.external=")
_FILES: Final = frozenset({"100644", "100755"})
MAX_BYTES: Final = 128 * 1024 * 1024
"""Larger files are no templates (``SourceOptions.max_bytes``)."""

_AT_ONCE: Final = 64 * 1024 * 1024
"""Bytes of files that are asked for, and held, together."""


class Touched(NamedTuple):
    """A file that is not the same on both sides, by its POSIX path from the root of the repository.

    ``old`` and ``new`` are None where it is not there (or is no regular file). ``blob`` is what the head holds,
    None for the work tree.
    """

    old: str | None
    old_blob: str | None
    new: str | None
    blob: str | None


class Repository:
    """A work tree and its history. Raises UsageError where ``folder`` is in none, or git is not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        top = self._ask("rev-parse", "--show-toplevel")
        if top is None:
            raise UsageError(
                f"`{folder}` is in no git work tree, so that --base can only be a folder or a file",
                code="no_repository",
            )
        self.root = Path(top.decode(errors="surrogateescape").rstrip("\n"))

    def commit(self, name: str, option: str) -> str:
        """Return the commit that a revision names. Raises UsageError."""
        found = self._ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if found is None:
            fetched = (
                " In CI, fetch it first: `git fetch origin BRANCH` (GitHub: `fetch-depth: 0`)."
                if self._is_shallow()
                else ""
            )
            raise UsageError(
                f"{option} `{name}` is neither a file, a folder nor a revision of `{self.root}`.{fetched}",
                code="no_revision",
            )
        return found.decode().strip()

    def is_revision(self, name: str) -> bool:
        """Whether a name is one of a commit."""
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return self._ask(*asked) is not None

    def fork_point(self, base: str, head: str) -> str:
        """Return the newest commit that both have: what others merged since is no part of the change.

        Raises UsageError where history is too shallow to tell.
        """
        found = self._ask("merge-base", base, head)
        if found is None:
            why = "the clone is shallow" if self._is_shallow() else "they have no history in common"
            raise UsageError(
                f"`{base[:12]}` and `{head[:12]}` have no common ancestor here ({why}). Fetch more of it "
                "(`git fetch --unshallow`; GitHub: `fetch-depth: 0`), or name the very base with --exact-base",
                code="no_fork_point",
            )
        return found.decode().strip()

    def touched(self, base: str, head: str | None, scope: Sequence[Path]) -> list[Touched]:
        """Return the files below ``scope`` that differ between a commit and another, or the work tree (None)."""
        paths = [str(path) for path in scope]
        asked = ["diff", "--raw", "-z", "--no-abbrev", "--find-renames", "--no-ext-diff", "--no-textconv"]
        asked += [base, *([head] if head is not None else []), "--", *paths]
        found = list(_touched(self._must(*asked), in_tree=head is None))
        if head is None:
            others = self._must(
                "ls-files", "-z", "--full-name", "--others", "--exclude-standard", "--", *paths
            )
            found += [Touched(None, None, name, None) for name in _names(others)]
        return found

    def files(self, commit: str, below: str) -> dict[str, str]:
        """Return path -> blob of the regular files of a commit at or below a path from the root."""
        listed = self._must("ls-tree", "-r", "-z", "--full-tree", commit, "--", *([below] if below else []))
        found = {}
        for entry in _names(listed):
            about, _, name = entry.partition("\t")
            mode, kind, blob = about.split(" ")
            if kind == "blob" and mode in _FILES:
                found[name] = blob
        return found

    def blobs(self, wanted: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield (blob, its bytes); those over the limit are left out."""
        names = list(dict.fromkeys(wanted))
        if not names:
            return
        asked: list[str] = []
        size = 0
        for line in self._must("cat-file", "--batch-check", given=_lines(names)).splitlines():
            name, kind, length = (*line.decode().split(" "), "", "")[:3]
            if kind != "blob" or int(length) > MAX_BYTES:
                continue
            if size + int(length) > _AT_ONCE and asked:
                yield from self._contents(asked)
                asked, size = [], 0
            asked.append(name)
            size += int(length)
        yield from self._contents(asked)

    def _contents(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Read ``git cat-file --batch``: a line with the length, the bytes and a line end for each."""
        data = self._must("cat-file", "--batch", given=_lines(names)) if names else b""
        start = 0
        while start < len(data):
            end = data.index(b"\n", start)
            name, _, length = data[start:end].decode().split(" ")
            start = end + 1 + int(length) + 1
            yield name, data[end + 1 : start - 1]

    def _is_shallow(self) -> bool:
        return (self._ask("rev-parse", "--is-shallow-repository") or b"").strip() == b"true"

    def _ask(self, *arguments: str, given: bytes | None = None) -> bytes | None:
        """Return what git prints, None where it fails."""
        try:
            done = subprocess.run(
                ["git", *_SAFE, *arguments], cwd=self._folder, input=given, capture_output=True, check=False
            )
        except FileNotFoundError:
            raise UsageError(
                "git is not installed; --base can be a folder or a file", code="no_git"
            ) from None
        return done.stdout if done.returncode == 0 else None

    def _must(self, *arguments: str, given: bytes | None = None) -> bytes:
        found = self._ask(*arguments, given=given)
        if found is None:
            raise UsageError(f"`git {' '.join(arguments[:2])}` failed in `{self.root}`", code="git_failed")
        return found


def _touched(listed: bytes, *, in_tree: bool) -> Iterator[Touched]:
    """Read ``git diff --raw -z`` (https://git-scm.com/docs/git-diff#_raw_output_format)."""
    fields = iter(_names(listed))
    for about in fields:
        old_mode, mode, old_blob, blob, status = about.removeprefix(":").split(" ")
        old = next(fields)
        new = next(fields) if status[0] in "RC" else old
        was, is_ = old_mode in _FILES, mode in _FILES
        if was or is_:
            yield Touched(
                old if was and status[0] != "C" else None,
                old_blob if was and status[0] != "C" else None,
                new if is_ else None,
                None if in_tree or not is_ else blob,
            )


def _lines(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()


def _names(listed: bytes) -> list[str]:
    return [name.decode(errors="surrogateescape") for name in listed.split(b"\0") if name]
