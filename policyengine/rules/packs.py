"""Loading packs: the compiled one of a wheel, or rule texts compiled into a private cache."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from policyengine import __version__
from policyengine.model.errors import RuleError
from policyengine.model.location import Location
from policyengine.rules.data import data_root
from policyengine.rules.pack import Pack, digest, parse_pack, rule_files
from policyengine.rules.recorded import FILE, version_of
from policyengine.rules.stamps import code_entries, rule_entries, stamps

MAX_RULE_BYTES = 256 * 1024
_KEPT: Final = 20
"""Files of a kind that the cache keeps."""


def load_packs(extra: Sequence[Path] = (), *, bundled: bool = True) -> Pack:
    """Return the bundled rules together with those of the folders in ``extra``.

    Raises RuleErrors naming every mistake; an id that exists twice is one, naming both places.
    """
    root = data_root()
    if bundled and not extra and root.compiled_rules is not None:
        return parse_pack(root.compiled_rules.read_bytes())
    folders = ([root.rules] if bundled else []) + list(extra)
    for folder in folders:
        if not folder.is_dir():
            message = f"`{folder}` is not a folder; expected a folder with rule files"
            raise RuleError(message, Location(str(folder)))
    stamp = _stamp(folders)
    if stamp is not None and (known := _read_cache(stamp, ".stamp")) is not None:
        cached = _cached_pack(known.decode())
        if cached is not None:
            return cached
    texts = _read(folders)
    key = digest(
        [_compiler(), _record(root.rules), *(part for f, t in texts for part in (str(f).encode(), t))]
    )
    cached = _cached_pack(key)
    if cached is None:
        from policyengine.rules.loader import compile_texts

        pack = compile_texts(texts)
        if bundled:
            own = {path.stem for path in rule_files(root.rules)}
            pack = replace(pack, version=version_of((f for f in pack.rules if f["id"] in own), root.rules))
        body = pack.to_bytes()
        _write_cache(key, ".json", body)
        cached = parse_pack(body)  # what a later run reads from the cache, to the order of keys
    if stamp is not None:
        _write_cache(stamp, ".stamp", key.encode())
    return cached


def _stamp(folders: Iterable[Path]) -> str | None:
    """Return what names the texts of folders without reading them; None where a file is too fresh for that.

    INVARIANT: it is taken before the texts are read, and of files that have been left alone for a while.
    """
    code = code_entries(Path(__file__).resolve().parent.parent)
    given = [
        entry for folder in folders for entry in (*rule_entries(folder.absolute()), *_record_entry(folder))
    ]
    marks = stamps([*code, *given])
    if marks is None:
        return None
    # the texts' own names, which messages repeat, are as the folders were given
    return digest([__version__.encode(), *(str(folder).encode() for folder in folders), *marks])


def _record(folder: Path) -> bytes:
    """The text that says which version the rules of a folder are of."""
    try:
        return (folder / FILE).read_bytes()
    except OSError:
        return b""


def _record_entry(folder: Path) -> list[tuple[str, os.stat_result]]:
    path = folder.absolute() / FILE
    try:
        return [(str(path), path.stat())]
    except OSError:
        return []


def _read(folders: Iterable[Path]) -> list[tuple[Path, bytes]]:
    return [(path, _text(path)) for folder in folders for path in rule_files(folder)]


def _text(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_RULE_BYTES:
            message = f"the file has {size:,} bytes; a rule has at most {MAX_RULE_BYTES:,}"
            raise RuleError(message, Location(str(path)))
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise RuleError(f"cannot be read: {reason}", Location(str(path))) from error


def _compiler() -> bytes:
    """Digest over what compiling depends on."""
    code = code_entries(Path(__file__).resolve().parent.parent)
    marks = [f"{path}:{about.st_mtime_ns}:{about.st_size}".encode() for path, about in code]
    return digest([__version__.encode(), *marks]).encode()


def _cache_folder() -> Path | None:
    """Return the private cache folder, None when there is nowhere safe to keep one."""
    base = os.environ.get("XDG_CACHE_HOME") or (Path.home() / ".cache" if os.environ.get("HOME") else None)
    if not base:
        return None
    folder = Path(base) / "policyengine" / "packs"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        about = folder.stat()
    except OSError:
        return None
    private = about.st_uid == os.geteuid() and not about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return folder if private else None


def _cached_pack(key: str) -> Pack | None:
    body = _read_cache(key, ".json")
    try:
        return None if body is None else parse_pack(body)
    except RuleError:
        return None


def _read_cache(key: str, suffix: str) -> bytes | None:
    """Return what was kept under a key if it is ours, private and whole."""
    folder = _cache_folder()
    if folder is None:
        return None
    try:
        with (folder / f"{key}{suffix}").open("rb") as file:
            about = os.fstat(file.fileno())
            if about.st_uid != os.geteuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return None
            check, _, body = file.read().partition(b"\n")
    except (OSError, ValueError):
        return None
    return body if hashlib.sha256(body).hexdigest().encode() == check else None


def _write_cache(key: str, suffix: str, body: bytes) -> None:
    import tempfile

    folder = _cache_folder()
    if folder is None:
        return
    try:
        for old in sorted(folder.glob(f"*{suffix}"), key=lambda p: p.stat().st_mtime)[:-_KEPT]:
            old.unlink(missing_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        Path(file.name).replace(folder / f"{key}{suffix}")
    except OSError:
        return
