"""What tells whether the rules and the engine are what they were: no result of another text or code is used."""

from __future__ import annotations

import marshal
import sys
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from policyengine import __version__
from policyengine.engine.kept.digests import SIZE
from policyengine.engine.rule import BoundRule
from policyengine.rules.stamps import package_entries, stamps

_FORMAT: Final = "1"


def engine_stamp() -> bytes | None:
    """Return what tells this engine from others: version, Python, and the stamps of its own files.

    None where a file was changed a moment ago: it may not be the one that runs.
    """
    marks = stamps(package_entries(Path(__file__).resolve().parents[2]))
    if marks is None:
        return None
    hasher = blake2b(digest_size=SIZE)
    for part in (_FORMAT, __version__, sys.version):
        hasher.update(part.encode() + b"\0")
    for mark in marks:
        hasher.update(mark + b"\0")
    return hasher.digest()


class RuleStamps:
    """Stamps of bound rules: of the text, the severity, the group of types and the parameters."""

    def __init__(self, engine: bytes) -> None:
        self._engine = engine
        self._forms: dict[int, tuple[Mapping[str, Any], blake2b]] = {}
        self._of: dict[int, tuple[BoundRule, bytes]] = {}
        self._lists: dict[int, tuple[Sequence[BoundRule], bytes, bytes]] = {}

    def of(self, rules: Sequence[BoundRule], *, fixed: bool) -> tuple[bytes, bytes]:
        """Return the digest of a list of rules, and their stamps one after the other.

        ``fixed``: the list lives as long as the evaluator.
        """
        known = self._lists.get(id(rules)) if fixed else None
        if known is None:
            each = b"".join(map(self._one, rules))
            known = (rules, blake2b(each, digest_size=SIZE).digest(), each)
            if fixed:
                self._lists[id(rules)] = known
        return known[1:]

    def _one(self, rule: BoundRule) -> bytes:
        """INVARIANT: an entry holds the rule whose identity is its key."""
        known = self._of.get(id(rule))
        if known is None:
            known = self._of[id(rule)] = (rule, self._made(rule))
        return known[1]

    def _of_form(self, form: Mapping[str, Any]) -> blake2b:
        """Return what is digested of a rule whatever the group of types; rules mostly have several groups."""
        known = self._forms.get(id(form))
        if known is None:
            hasher = blake2b(self._engine, digest_size=SIZE)
            hasher.update(marshal.dumps({key: value for key, value in form.items() if key != "variants"}, 2))
            known = self._forms[id(form)] = (form, hasher)
        return known[1]

    def _made(self, rule: BoundRule) -> bytes:
        hasher = self._of_form(rule.form).copy()
        # version 2: the bytes say what the values are, not which of them are one object
        hasher.update(marshal.dumps(dict(rule.variant), 2))
        hasher.update(repr(sorted(rule.parameters.items())).encode("utf-8", "surrogatepass"))
        return hasher.digest()
