"""The error of this package, its limits, and the small types its modules share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, Protocol

from policyengine.model.errors import InputError
from policyengine.model.location import Location
from policyengine.model.resource import Path

Syntax = Literal["json", "yaml"]
Style = Literal["data", "cloudformation", "strict"]

MAX_DEPTH: Final = 200
"""Deepest nesting that is read. Parsers and every walk after them may recurse, up to three frames a
level, and Python allows a thousand."""

MAX_VALUES: Final = 2_000_000
"""How many commas and opening brackets a JSON document may have: each can stand for a value, and a value
takes up to 200 bytes in memory, so that a file of 100 MB may otherwise need ten gigabytes."""

MAX_BYTES: Final = 64 * 1024 * 1024
"""Largest JSON document unless the caller says otherwise."""

WIDE_BYTES: Final = 16 * 1024 * 1024
"""Above this, text that Python keeps in two or four bytes a character counts as that much."""

YAML_MAX_BYTES: Final = 4 * 1024 * 1024
"""Largest YAML document: YAML is read thirty times slower than JSON, and a CloudFormation template has
at most 1 MB (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html)."""

MAX_ALIASED_NODES: Final = 100_000
"""How many values the aliases of one document may stand for."""

CODES: Final = (
    "empty", "too_large", "not_text", "encoding", "syntax", "duplicate_key", "too_deep", "too_many_aliases",
    "too_many_values",
)  # fmt: skip


class DocumentError(InputError):
    """A document that cannot be read; ``code`` is one of :data:`CODES`."""

    code = "syntax"


class Span(NamedTuple):
    """Where something stands: 1-based, the end exclusive; no end where it would be of no use."""

    line: int
    column: int
    end_line: int | None = None
    end_column: int | None = None


class Positions(Protocol):
    """Finds the place of a path in one text."""

    def find(self, path: Path, *, key: bool) -> Span | None:
        """Return the place of ``path``, of its longest known prefix where it is nowhere."""
        ...

    def extents(self) -> Iterator[tuple[Path, int, int | None]]:
        """Yield what :meth:`Document.extents` does."""
        ...


def fail(name: str, code: str, message: str, span: Span | None = None) -> DocumentError:
    """Return the error for ``name``, to be raised by the caller."""
    place = Location(name, *span) if span else Location(name)
    return DocumentError(message, place, code=code)


def shown(text: str, limit: int = 60) -> str:
    """Return user text for a one-line message: escaped, in backticks, cut when long."""
    clean = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: limit + 1])
    return f"`{clean[:limit]}…`" if len(clean) > limit else f"`{clean}`"
