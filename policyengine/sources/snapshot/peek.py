"""What can be said of a line without parsing it: canonical lines are quick, others are parsed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from policyengine.sources.snapshot import files
from policyengine.sources.snapshot.lines import parse_line
from policyengine.sources.snapshot.problems import LineError

Key = tuple[bytes, ...]

_TYPED = re.compile(rb'\{ ?"type": ?"([A-Za-z0-9:]+)"')
_STRING = rb'"([^"\\]*)"'
_HEAD = re.compile(
    rb'\{"type":%s,"id":%s,(?:"arn":"[^"\\]*",)?"account":%s,"region":%s'
    % (_STRING, _STRING, _STRING, _STRING)
)


def line_filter(wanted: frozenset[str]) -> Callable[[bytes], bool]:
    """Return a test that is never False for a line whose type is wanted, or may have been meant to be.

    A canonical line begins with its type. Any other line is kept, and parsing decides: it may be a
    broken line of a wanted type, and then what the coverage says of that type no longer holds.
    """
    exact = frozenset(t.encode() for t in wanted)

    def keep(line: bytes) -> bool:
        found = _TYPED.match(line)
        return found is None or found[1] in exact

    return keep


def identity_key(line: bytes) -> Key | None:
    """Return the identity of a line's resource in UTF-8, which sorts like text; None for a bad line."""
    found = _HEAD.match(line)
    if found is not None and b'"location"' not in line:
        return found[3], found[4], found[1], found[2]
    try:
        return tuple(step.encode() for step in parse_line(line, True).identity)
    except LineError:
        return None


def keyed_lines(path: Path, too_long: Callable[[int], None]) -> Iterator[tuple[int, Key | None, bytes]]:
    """Yield (number, identity, line) of every line of a file that is not blank; the identity of a bad line is None.

    A line over the limit is left out and told by its number. Raises StreamError when the file cannot be read to its
    end.
    """
    for first, lines in files.cut_lines(files.expand(files.read_blocks(path)), too_long):
        for number, line in enumerate(lines, first):
            if line and not line.isspace():
                yield number, identity_key(line), line
