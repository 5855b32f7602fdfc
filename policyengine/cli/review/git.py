"""What git knows of a change: which files, and what they held.

git is asked with fixed lists of arguments and without what a repository may run: no external diff, no text
conversion, no file-system monitor. Paths are paths, never patterns. What a hook's environment says of places holds for
the folder the hook runs in, not for a folder below it, so that git is to look for itself
(https://git-scm.com/docs/githooks: GIT_DIR and others are exported).
"""

from __future__ import annotations

import os
import posixpath
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from policyengine.model.errors import UsageError

_SAFE: Final = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "-c", "diff.external=")
_FILES: Final = frozenset({"100644", "100755"})
LINK: Final = "120000"
INNER: Final = "160000"
"""Modes of git's trees: a symbolic link, and another repository (a submodule)."""
_NONE: Final = "000000"
_ANY_WORD: Final = frozenset("0123456789abcdef")
_MOST_LINKS: Final = 8
_OTHERS: Final = frozenset(
    {
        "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS",
        "GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS",
    }
)  # fmt: skip
"""Variables of a hook or a user that would let git answer another question."""
MAX_BYTES: Final = 128 * 1024 * 1024
"""Larger files are no templates (``SourceOptions.max_bytes``)."""

_AT_ONCE: Final = 64 * 1024 * 1024
"""Bytes of files that are asked for, and held, together."""


class Touched(NamedTuple):
    """Something that is not the same on both sides, by its POSIX path from the root of the repository.

    ``old`` and ``new`` are None where it is not there. ``mode`` says what it is: a file, a LINK or INNER, another
    repository. ``blob`` is what the head holds, None for the work tree.
    """

    old: str | None
    old_mode: str
    old_blob: str | None
    new: str | None
    mode: str
    blob: str | None

    @property
    def name(self) -> str:
        """Return what it is called, or was."""
        return self.new or self.old or ""

    @property
    def is_inner(self) -> bool:
        """Whether either side is another repository."""
        return INNER in (self.old_mode, self.mode)


class Repository:
    """A work tree and its history. Raises UsageError where ``folder`` is in none, or git is not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        done = self._run("rev-parse", "--show-toplevel")
        if done.returncode != 0:
            why = done.stderr.decode(errors="replace").partition("\n")[0].removeprefix("fatal: ").strip()
            raise UsageError(
                f"`{folder}` is in no git work tree that git reads ({why}), so that --base can only be a folder or a file",
                code="no_repository",
            )
        top = done.stdout
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
        text = found.decode().strip()
        if not _ANY_WORD.issuperset(text):  # `^main` is the commits that are not in main
            raise UsageError(f"{option} `{name}` is no revision but a set of them", code="no_revision")
        return text

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
        asked += ["--no-relative", "--ignore-submodules=dirty"]
        asked += [base, *([head] if head is not None else []), "--", *paths]
        found = list(_touched(self._must(*asked), in_tree=head is None))
        if head is None:
            found += [_unknown(name) for name in self._in_tree(paths, "--others", "--exclude-standard")]
        return found

    def untouched(
        self, base: str, head: str | None, scope: Sequence[Path], touched: Iterable[Touched]
    ) -> list[Touched]:
        """Return the files below ``scope`` that both sides have and that do not differ."""
        known = {name for item in touched for name in (item.old, item.new)}
        found = []
        for path in scope:
            below = self.inside(path)
            before = self.files(base, below) if below is not None else {}
            for name, blob in before.items():
                if name not in known:
                    known.add(name)
                    found.append(Touched(name, "100644", blob, name, "100644", blob))
        return found

    def inside(self, path: Path) -> str | None:
        """Return the POSIX path from the root of the repository, empty for the root, None for what lies outside."""
        full = Path(os.path.normpath(Path.cwd() / path))
        for candidate in (full, full.parent.resolve() / full.name):
            if candidate.is_relative_to(self.root):
                text = candidate.relative_to(self.root).as_posix()
                return "" if text == "." else text
        return None

    def linked(self, commit: str, name: str) -> tuple[str, str] | None:
        """Return (path, blob) of the regular file a symbolic link of a commit leads to; None where it leads out or nowhere."""
        for _ in range(_MOST_LINKS):
            mode, blob = self._entry(commit, name)
            if mode in _FILES:
                return name, blob
            if mode != LINK:
                return None
            text = next((data for _, data in self.blobs([blob])), b"").decode(errors="surrogateescape")
            name = posixpath.normpath(posixpath.join(posixpath.dirname(name), text))
            if name.startswith(("..", "/")) or not text or "\0" in text:
                return None
        return None

    def _entry(self, commit: str, name: str) -> tuple[str, str]:
        listed = _names(self._must("ls-tree", "-z", "--full-tree", commit, "--", name))
        mode, _, blob = listed[0].partition("\t")[0].split(" ") if listed else (_NONE, "", "")
        return mode, blob

    def _in_tree(self, paths: Sequence[str], *asked: str) -> list[str]:
        return _names(self._must("ls-files", "-z", "--full-name", *asked, "--", *paths))

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
        """Yield (blob, its bytes); those over the limit are left out. Raises UsageError for one that is not there."""
        names = list(dict.fromkeys(wanted))
        if not names:
            return
        asked: list[str] = []
        size = 0
        for line in self._must("cat-file", "--batch-check", given=_lines(names)).splitlines():
            name, kind, length = (*line.decode().split(" "), "", "")[:3]
            if kind == "missing":
                raise UsageError(
                    f"git does not have all of what changed (`{name[:12]}` is missing: a partial clone?): fetch it "
                    "(`git fetch --refetch --no-filter`)",
                    code="no_object",
                )
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
        done = self._run(*arguments, given=given)
        return done.stdout if done.returncode == 0 else None

    def _run(self, *arguments: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                ["git", *_SAFE, *arguments], cwd=self._folder, input=given, capture_output=True, check=False,
                env=_environment(),
            )  # fmt: skip
        except FileNotFoundError:
            raise UsageError(
                "git is not installed; --base can be a folder or a file", code="no_git"
            ) from None

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
        was, is_ = old_mode != _NONE and status[0] != "C", mode != _NONE
        yield Touched(
            old if was else None, old_mode if was else _NONE, old_blob if was else None,
            new if is_ else None, mode, None if in_tree or not is_ else blob,
        )  # fmt: skip


def _unknown(name: str) -> Touched:
    """Return what git does not know yet; a folder it does not look into is another repository."""
    mode = INNER if name.endswith("/") else "100644"
    return Touched(None, _NONE, None, name.rstrip("/"), mode, None)


def _environment() -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if name not in _OTHERS}
    if "GIT_WORK_TREE" not in given:
        for name in ("GIT_DIR", "GIT_COMMON_DIR"):
            given.pop(name, None)
    return {**given, "GIT_LITERAL_PATHSPECS": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_REPLACE_OBJECTS": "1"}


def _lines(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()


def _names(listed: bytes) -> list[str]:
    return [name.decode(errors="surrogateescape") for name in listed.split(b"\0") if name]
