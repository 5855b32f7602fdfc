"""Compiled rule packs: what the engine loads, in milliseconds and without pydantic or PyYAML.

A pack is a JSON object ``{"format": 1, "engine": VERSION, "digest": "sha256:...", "rules": [...]}``.
A rule in it has ``id title family pillar severity applies_to why fix message parameters frameworks
remediation references source`` and ``variants``: for a group of types, the relations behind
``with``, the ``when`` tree and the ``require`` tree. Nodes have ``op`` (field, every, some, all,
any, none, predicate); a parameter stands as ``{"$": name}``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policyengine import __version__
from policyengine.model.errors import RuleError
from policyengine.model.formats import refused_number
from policyengine.rules.stamps import rule_entries

PACK_FORMAT = 1


@dataclass(frozen=True)
class Pack:
    """Compiled rules with the digest over their texts."""

    digest: str
    rules: tuple[dict[str, Any], ...]
    version: str | None = None
    """That of the bundled rules among them (``rules.recorded``); None where there are none."""

    def rule(self, rule_id: str) -> dict[str, Any] | None:
        """Return the form of one rule."""
        return next((r for r in self.rules if r["id"] == rule_id), None)

    def to_bytes(self) -> bytes:
        """Return the pack as JSON, in ASCII; keys keep the author's order, which reports repeat."""
        body = {"format": PACK_FORMAT, "engine": __version__, "digest": self.digest, "version": self.version,
                "rules": self.rules}  # fmt: skip
        return json.dumps(body, separators=(",", ":")).encode()


class RuleErrors(RuleError):
    """Everything that is wrong with a set of rules, found in one go."""

    def __init__(self, errors: Sequence[RuleError]) -> None:
        self.errors = tuple(errors)
        super().__init__("")
        self.message = "\n".join(str(e) for e in errors)


def rule_files(root: Path) -> list[Path]:
    """Return the rule files below a folder, sorted; test files are not among them."""
    return [Path(path) for path, _ in rule_entries(root)]


def parse_pack(data: bytes) -> Pack:
    """Return the pack of :meth:`Pack.to_bytes`; raises RuleError for another format."""
    try:
        body = json.loads(data)
        wrong = refused_number(body["format"], PACK_FORMAT, "a compiled rule pack")
        if wrong is not None:
            raise RuleError(wrong)
        return Pack(body["digest"], tuple(body["rules"]), body.get("version"))
    except (ValueError, KeyError, TypeError) as error:
        raise RuleError("the compiled rule pack is damaged; reinstall policyengine-aws") from error


def text_digest(texts: Iterable[bytes]) -> str:
    """Return ``sha256:...`` over the rule texts, independent of where they lie."""
    return "sha256:" + digest(sorted(hashlib.sha256(t).digest() for t in texts))


def digest(parts: Iterable[bytes]) -> str:
    """Return the SHA-256 over length-prefixed parts, in hex."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return whole.hexdigest()
