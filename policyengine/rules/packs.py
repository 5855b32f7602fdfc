"""Loading packs: the compiled one of a wheel, or rule texts compiled into a private cache."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from policyengine import __version__
from policyengine.model.errors import RuleError
from policyengine.model.location import Location
from policyengine.rules.data import data_root
from policyengine.rules.pack import Pack, digest, parse_pack, rule_files

MAX_RULE_BYTES = 256 * 1024


def load_packs(extra: Sequence[Path] = (), *, bundled: bool = True) -> Pack:
    """Return the bundled rules together with those of the folders in ``extra``.

    Raises RuleErrors naming every mistake; an id that exists twice is one, naming both places.
    """
    root = data_root()
    if bundled and not extra and root.compiled_rules is not None:
        return parse_pack(root.compiled_rules.read_bytes())
    folders = ([root.rules] if bundled else []) + list(extra)
    texts = _read(folders)
    key = digest(
        [__version__.encode(), _engine_digest(), *(part for f, t in texts for part in (str(f).encode(), t))]
    )
    cached = _read_cache(key)
    if cached is not None:
        return cached
    from policyengine.rules.loader import compile_texts

    body = compile_texts(texts).to_bytes()
    _write_cache(key, body)
    return parse_pack(body)  # what a later run reads from the cache, to the order of keys


def _read(folders: Iterable[Path]) -> list[tuple[Path, bytes]]:
    texts = []
    for folder in folders:
        if not folder.is_dir():
            raise RuleError(
                f"`{folder}` is not a folder; expected a folder with rule files", Location(str(folder))
            )
        texts += [(path, _text(path)) for path in rule_files(folder)]
    return texts


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


def _engine_digest() -> bytes:
    """Digest over what compiling depends on: in a checkout the code and catalog may change."""
    package = Path(__file__).resolve().parent.parent
    parts = sorted(
        [
            *package.glob("rules/**/*.py"),
            *package.glob("catalog/**/*.py"),
            *package.glob("catalog/data/*.json"),
        ]
    )
    stamps = [f"{p}:{p.stat().st_mtime_ns}:{p.stat().st_size}".encode() for p in parts]
    return digest(stamps).encode()


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


def _read_cache(key: str) -> Pack | None:
    """Return the cached pack if it is ours, private and whole."""
    folder = _cache_folder()
    if folder is None:
        return None
    path = folder / f"{key}.json"
    try:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            if about.st_uid != os.geteuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return None
            check, _, body = file.read().partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != check:
            return None
        return parse_pack(body)
    except (OSError, RuleError):
        return None


def _write_cache(key: str, body: bytes) -> None:
    folder = _cache_folder()
    if folder is None:
        return
    try:
        for old in sorted(folder.glob("*.json"), key=lambda p: p.stat().st_mtime)[:-20]:
            old.unlink(missing_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        Path(file.name).replace(folder / f"{key}.json")
    except OSError:
        return
