"""What reading a file of another tool gives: rules that can be written, and what was left with the reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from policyengine.migrate.expressions import Expression

LONGEST_TITLE: Final = 120
FAMILIES: Final[tuple[tuple[str, str], ...]] = (
    ("encrypt|kms|sse|tls|ssl|cmk", "encryption"),
    ("public|cidr|ingress|egress|subnet|vpc|securitygroup|internet|endpoint", "network"),
    ("backup|multiaz|deletionprotection|retention|snapshot|replica|versioning", "resilience"),
    ("log|trail|monitor|audit|tracing", "logging"),
    ("tag", "tagging"),
    ("iam|role|policy|principal|password|authentic", "iam"),
)
"""Words of a name or property, and the family a rule that has them belongs to; the first that fits."""
PILLARS: Final = {
    "resilience": "reliability",
    "tagging": "operational-excellence",
    "governance": "operational-excellence",
}


class Unlike(Exception):
    """Something of another tool that nothing here means the same as; the text says why."""


class NotConverted(Exception):
    """A construct that has no counterpart: what it is, why, and the line it stands at."""

    def __init__(self, construct: str, why: str, line: int | None) -> None:
        super().__init__(f"{construct}: {why}")
        self.construct, self.why, self.line = construct, why, line


@dataclass(frozen=True)
class Left:
    """A rule of the other tool that was not converted. ``line`` is that of the construct; ``name`` is the rule's."""

    name: str
    file: str
    line: int | None
    construct: str
    why: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line or 1}: {self.construct}: {self.why}"


@dataclass(frozen=True)
class Draft:
    """A rule that can be written. ``when`` and ``require`` say what must be true, in the other tool's meaning.

    ``notes`` are where ours differs; ``effective``: the other tool sees the values in force, AWS defaults among them.
    """

    name: str
    id: str
    file: str
    line: int | None
    tool: str
    type: str
    require: Expression
    when: Expression | None = None
    title: str = ""
    why: str = ""
    fix: str = ""
    message: str = ""
    severity: str = "medium"
    reference: str = ""
    notes: Sequence[str] = ()
    effective: bool = False

    def noted(self, *notes: str) -> Draft:
        """Return it with more notes."""
        return replace(self, notes=(*self.notes, *notes))


def rule_id(name: str) -> str:
    """Return a name as a rule id: kebab-case."""
    parts = re.findall(r"[a-z0-9]+", name.lower())
    return "-".join(parts)[:100] or "imported"


def family_of(words: str) -> str:
    """Return the family that the words of a rule suggest."""
    text = words.lower()
    return next((family for pattern, family in FAMILIES if re.search(pattern, text)), "governance")


def sentence(text: str, longest: int) -> str:
    """Return a text as one line of at most so many characters, without what our messages would fill in."""
    line = " ".join(text.split()).replace("{", "(").replace("}", ")")
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"
