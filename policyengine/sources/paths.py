"""How a file is named in identities and messages: the same on every machine and in every run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from policyengine.documents.files import exists, is_folder
from policyengine.sources.base import SourceOptions

STDIN = "-"
STDIN_NAME = "<stdin>"

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def display_path(path: str | Path, options: SourceOptions, target: str | Path) -> str:
    """Return the POSIX path that names ``path``, relative to the base of its target.

    The base is ``options.base``, else the nearest folder above the target that holds ``.git``,
    else the target itself (its folder when the target is a file). A path outside the base keeps
    its ``..`` steps. Symbolic links are not followed, so that a name is what the user sees.
    Bytes that are no UTF-8 and control characters are written as escapes: a file name must
    neither break an output format nor a terminal. Never raises for a path that does not exist.
    """
    if str(path) == STDIN or str(path) == STDIN_NAME:
        return STDIN_NAME
    base = options.base if options.base is not None else base_folder(target)
    return relative_name(path, base)


def relative_name(path: str | Path, base: str | Path) -> str:
    """Return ``path`` relative to ``base`` with forward slashes and escapes for odd characters."""
    full, folder = _absolute_text(path), _absolute_text(base)
    if full.startswith(folder + os.sep):
        relative = full[len(folder) + 1 :]
    else:
        try:
            relative = os.path.relpath(full, folder)
        except ValueError:  # another drive on Windows
            relative = full
    if relative == os.curdir:
        relative = full.rpartition(os.sep)[2]
    return printable(relative.replace(os.sep, "/"))


def printable(text: str) -> str:
    """Return ``text`` with undecodable bytes and control characters as ``\\xNN``."""
    try:
        clean = os.fsencode(text).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a surrogate pair that stands for no byte
        clean = text.encode("utf-8", "backslashreplace").decode()
    return _CONTROL.sub(lambda m: _spelt(m.group()), clean)


def _spelt(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def base_folder(target: str | Path) -> Path:
    """Return the repository root above ``target``, else the target's own folder."""
    full = _absolute(os.curdir if str(target) == STDIN else target)
    folder = full if is_folder(full) else full.parent
    return _repository_root(folder) or folder


def common_folder(targets: Iterable[str | Path]) -> Path | None:
    """Return the folder above the bases of all targets; None where they have one base or nothing in common.

    Files of different repositories or folders that have the same name are told apart by it.
    """
    bases = {str(base_folder(target)) for target in targets if str(target) != STDIN}
    if len(bases) < 2:
        return None
    try:
        return Path(os.path.commonpath(bases))
    except ValueError:  # different drives on Windows
        return None


def _absolute(path: str | Path) -> Path:
    return Path(_absolute_text(path))


def _absolute_text(path: str | Path) -> str:
    """Absolute and without ``..``, links left as they are."""
    return os.path.abspath(path)  # noqa: PTH100 - ``Path.resolve`` would follow links


@lru_cache(maxsize=4096)
def _repository_root(folder: Path) -> Path | None:
    if exists(folder / ".git"):
        return folder
    return None if folder.parent == folder else _repository_root(folder.parent)
