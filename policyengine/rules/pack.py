"""Compiled rule packs: what the engine loads, in milliseconds and without pydantic or PyYAML.

A pack is a JSON object ``{"format": 1, "engine": VERSION, "digest": "sha256:...", "rules": [...]}``.
A rule in it has ``id title family pillar severity applies_to why fix message parameters frameworks
remediation references source text_digest`` and ``variants``: for a group of types, the relations behind
``with``, the ``when`` tree and the ``require`` tree. Nodes have ``op`` (field, every, some, all,
any, none, predicate); a parameter stands as ``{"$": name}``.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policyengine import __version__
from policyengine.model.errors import RuleError
from policyengine.model.location import Location
from policyengine.rules.data import data_root

PACK_FORMAT = 1


@dataclass(frozen=True)
class Pack:
    """Compiled rules with the digest over their texts."""

    digest: str
    rules: tuple[dict[str, Any], ...]

    def rule(self, rule_id: str) -> dict[str, Any] | None:
        """Return the form of one rule."""
        return next((r for r in self.rules if r["id"] == rule_id), None)

    def to_bytes(self) -> bytes:
        """Return the pack as canonical JSON."""
        body = {"format": PACK_FORMAT, "engine": __version__, "digest": self.digest, "rules": self.rules}
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class RuleErrors(RuleError):
    """Everything that is wrong with a set of rules, found in one go."""

    def __init__(self, errors: Sequence[RuleError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(e) for e in errors))


def rule_files(root: Path) -> list[Path]:
    """Return the rule files below a folder, sorted; test files are not among them."""
    return sorted(p for p in root.rglob("*.yaml") if not p.name.endswith(".test.yaml"))


def load_packs(extra: Sequence[Path] = (), *, bundled: bool = True) -> Pack:
    """Return the bundled rules together with those of the folders in ``extra``.

    Raises RuleErrors naming every mistake; an id that exists twice is one, naming both places.
    """
    root = data_root()
    if bundled and not extra and root.compiled_rules is not None:
        return parse_pack(root.compiled_rules.read_bytes())
    folders = ([root.rules] if bundled else []) + list(extra)
    texts = _read(folders)
    key = _digest(
        [__version__.encode(), _engine_digest(), *(part for f, t in texts for part in (str(f).encode(), t))]
    )
    cached = _read_cache(key)
    if cached is not None:
        return cached
    from policyengine.rules.loader import compile_texts

    pack = compile_texts(texts)
    _write_cache(key, pack.to_bytes())
    return pack


def parse_pack(data: bytes) -> Pack:
    """Return the pack of :meth:`Pack.to_bytes`; raises RuleError for another format."""
    try:
        body = json.loads(data)
        if body["format"] != PACK_FORMAT:
            raise RuleError(
                f"compiled rule pack has format {body['format']}; this version reads {PACK_FORMAT}"
            )
        return Pack(body["digest"], tuple(body["rules"]))
    except (ValueError, KeyError, TypeError) as error:
        raise RuleError("the compiled rule pack is damaged; reinstall policyengine-aws") from error


def _read(folders: Iterable[Path]) -> list[tuple[Path, bytes]]:
    texts = []
    for folder in folders:
        if not folder.is_dir():
            raise RuleError(
                f"`{folder}` is not a folder; expected a folder with rule files", Location(str(folder))
            )
        texts += [(path, path.read_bytes()) for path in rule_files(folder)]
    return texts


def text_digest(texts: Iterable[bytes]) -> str:
    """Return ``sha256:...`` over the rule texts, independent of where they lie."""
    return "sha256:" + _digest(sorted(hashlib.sha256(t).digest() for t in texts))


def _digest(parts: Iterable[bytes]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return whole.hexdigest()


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
    return _digest(stamps).encode()


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
