"""What can be said of a line without parsing it: canonical lines are quick, others are parsed."""

from __future__ import annotations

import re
from collections.abc import Callable

from policyengine.sources.snapshot.lines import parse_line
from policyengine.sources.snapshot.problems import LineError

_CANONICAL = b'{"type":"'
_STRING = rb'"([^"\\]*)"'
_HEAD = re.compile(
    rb'\{"type":%s,"id":%s,(?:"arn":"[^"\\]*",)?"account":%s,"region":%s'
    % (_STRING, _STRING, _STRING, _STRING)
)


def line_filter(wanted: frozenset[str]) -> Callable[[bytes], bool]:
    """Return a test that is never False for a line whose type is wanted.

    A canonical line begins with its type. In any other line the type stands somewhere between
    quotes, unless one of its characters is written as an escape, for which JSON has only
    ``\\u``: such a line is kept, and parsing decides.
    """
    exact = frozenset(t.encode() for t in wanted)
    quoted = tuple(b'"%s"' % t for t in sorted(exact))
    begin = len(_CANONICAL)

    def keep(line: bytes) -> bool:
        if line.startswith(_CANONICAL):
            name = line[begin : line.find(b'"', begin)]
            if b"\\" not in name:
                return name in exact
        return b"\\u" in line or any(q in line for q in quoted)

    return keep


def identity_key(line: bytes) -> tuple[bytes, ...] | None:
    """Return the identity of a line's resource in UTF-8, which sorts like text; None for a bad line."""
    found = _HEAD.match(line)
    if found is not None and b'"location"' not in line:
        return found[3], found[4], found[1], found[2]
    try:
        return tuple(step.encode() for step in parse_line(line, True).identity)
    except LineError:
        return None
