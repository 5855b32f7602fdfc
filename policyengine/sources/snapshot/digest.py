"""What tells a resource from what it was in another run: its line, but for the time of the collection."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from policyengine.model.resource import Resource
from policyengine.sources.snapshot.canonical import to_line

SIZE: Final = 16
_TIME: Final = b'"collected_at":"%s"'


def line_digest(line: bytes, resource: Resource, later_minor: bool) -> bytes:
    """Return the digest of a resource as its line says it.

    Every collection has another time, which no rule sees. It is left out where it certainly is that of the line:
    where the text stands once and nothing of the line is spelled otherwise than it reads. Else a line is another
    one, which costs time and nothing else.
    """
    time = resource.collected_at
    if time is not None and b"\\" not in line and line.count(b'"collected_at"') == 1:
        line = line.replace(_TIME % time.encode(), b"")
    return _digest(b"n" if later_minor else b"l", line)


def folded_digest(resource: Resource) -> bytes:
    """Return the digest of a resource that is not as its line was; empty where no line can say it."""
    try:
        return _digest(b"f", to_line(resource))
    except (ValueError, TypeError):
        return b""


def _digest(kind: bytes, text: bytes) -> bytes:
    return blake2b(text, digest_size=SIZE, person=kind).digest()
