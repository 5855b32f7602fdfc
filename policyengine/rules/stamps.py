"""Whether rule files and the code that compiles them are what they were: told by their stamps, unread.

As git's index does it: name, size, inode and both times of every file. A file that was touched a moment ago may
change again without another stamp, so fresh files have none.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

SETTLED: Final = 2.0
"""Seconds after which a change shows in a file's times, whatever the file system counts in."""
TESTS: Final = ".test.yaml"

_Entry = os.DirEntry[str]


def rule_entries(folder: str | Path) -> list[tuple[str, os.stat_result]]:
    """Return the path and status of each rule file below a folder, in the order of their parts."""
    return _sorted(folder, lambda name: name.endswith(".yaml") and not name.endswith(TESTS))


def code_entries(package: Path) -> list[tuple[str, os.stat_result]]:
    """Return the same of what compiling depends on: in a checkout the code and the catalog may change."""
    found = _sorted(package / "rules", lambda name: name.endswith(".py"))
    found += _sorted(package / "catalog", lambda name: name.endswith((".py", ".json")))
    return found


def package_entries(package: Path) -> list[tuple[str, os.stat_result]]:
    """Return the same of everything that running depends on: code and data, without what Python makes of it."""
    return _sorted(package, lambda name: not name.endswith((".pyc", ".tmp")))


def stamps(entries: Iterable[tuple[str, os.stat_result]]) -> list[bytes] | None:
    """Return a stamp for each file; None where one is too fresh for its stamp to be believed."""
    before = time.time() - SETTLED
    found = []
    for path, about in entries:
        if about.st_mtime > before or about.st_ctime > before:
            return None
        times = f"{about.st_mtime_ns}:{about.st_ctime_ns}"
        found.append(
            f"{path}:{about.st_size}:{about.st_dev}:{about.st_ino}:{times}".encode(errors="surrogateescape")
        )
    return found


def _sorted(folder: str | Path, wanted: Callable[[str], bool]) -> list[tuple[str, os.stat_result]]:
    found = [
        (entry.path, about) for entry in _walk(str(folder), wanted) if (about := _regular(entry)) is not None
    ]
    return sorted(found, key=lambda item: item[0].replace(os.sep, "\0"))  # as paths are sorted


def _walk(folder: str, wanted: Callable[[str], bool]) -> Iterator[_Entry]:
    """Yield the entries with such names; links to folders are not followed."""
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError:
        return
    for entry in found:
        if wanted(entry.name):
            yield entry
        try:
            below = entry.is_dir(follow_symlinks=False)
        except OSError:
            below = False
        if below:
            yield from _walk(entry.path, wanted)


def _regular(entry: _Entry) -> os.stat_result | None:
    try:
        about = entry.stat()
    except (OSError, ValueError):
        return None
    return about if stat.S_ISREG(about.st_mode) else None
