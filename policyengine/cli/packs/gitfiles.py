"""Files of a git revision, read without a checkout."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from policyengine.model.errors import UsageError

MOST_FILES: Final = 20_000
_SECONDS: Final = 60


def is_revision(name: str) -> bool:
    """Whether git, asked in the current folder, knows a commit of this name."""
    return _commit(name) is not None


def commit_that(*arguments: str) -> str | None:
    """Return the newest commit that ``git log`` finds with these arguments; None where there is none or no git."""
    found = _git("log", "-1", "--format=%H", *arguments)
    return None if found is None else found.decode().strip() or None


def top_folder() -> Path:
    """Return the root of the repository around the current folder. Raises UsageError where there is none."""
    root = _git("rev-parse", "--show-toplevel")
    if root is None:
        raise UsageError("the current folder is in no git repository, or git is not installed")
    return Path(root.decode().rstrip("\n"))


def files_of(revision: str, folder: str) -> Iterator[tuple[Path, bytes]]:
    """Yield the files below ``folder`` (from the root of the repository) as they were in a revision, sorted by path.

    Raises UsageError where the revision has no such folder, or git cannot be asked.
    """
    commit, place = _commit(revision), str(top_folder())
    if commit is None:
        raise UsageError(f"`{revision}` is no revision of the git repository `{place}`")
    listed = _git("ls-tree", "-r", "-z", "--full-tree", commit, "--", folder, cwd=place)
    entries = [line.split(b"\t", 1) for line in (listed or b"").split(b"\0") if line]
    blobs = [(path, head.split()[2]) for head, path in entries if head.split()[1] == b"blob"]
    if not blobs:
        raise UsageError(f"`{revision}` has no folder `{folder}`; name it as `{revision}:FOLDER`")
    if len(blobs) > MOST_FILES:
        raise UsageError(f"`{revision}:{folder}` has {len(blobs):,} files; rules are at most {MOST_FILES:,}")
    asked = b"".join(name + b"\n" for _, name in blobs)
    answer = _git("cat-file", "--batch", cwd=place, given=asked)
    if answer is None:
        raise UsageError(f"git cannot read the files of `{revision}`; is the clone a partial one?")
    yield from _contents(answer, [path for path, _ in blobs])


def _contents(answer: bytes, paths: list[bytes]) -> Iterator[tuple[Path, bytes]]:
    """Take apart what ``git cat-file --batch`` says: a line with the size, the bytes, a line feed."""
    at = 0
    for path in paths:
        end = answer.index(b"\n", at)
        size = int(answer[at:end].split()[2])
        yield Path(path.decode("utf-8", "surrogateescape")), answer[end + 1 : end + 1 + size]
        at = end + 1 + size + 1


def _commit(name: str) -> str | None:
    if not name or name.startswith("-") or "\0" in name:
        return None
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return None if found is None else found.decode().strip()


def _git(*arguments: str, cwd: str | None = None, given: bytes | None = None) -> bytes | None:
    try:
        # the user's own git on the user's own repository: no shell, arguments that begin no option
        done = subprocess.run(
            ["git", *arguments], cwd=cwd, input=given, capture_output=True, check=False, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
