"""Reading a document: size, encoding and syntax first, then the parser that fits."""

from __future__ import annotations

import codecs
import gc
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from policyengine.documents import json_text
from policyengine.documents.errors import (
    MAX_BYTES,
    WIDE_BYTES,
    YAML_MAX_BYTES,
    DocumentError,
    Positions,
    Span,
    Style,
    Syntax,
    fail,
)
from policyengine.model.location import Location
from policyengine.model.resource import Path

_SPACE: Final = b" \t\r\n"
_YAML_BREAK: Final = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_PLAINLY_JSON: Final = re.compile(r'[{\[]\s*(?:["\[{}\]]|\Z)')
_FOUR_BYTES: Final = re.compile(rb"[\xf0-\xff]")
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Document:
    """A read document: ``value`` is plain data, ``text`` its text; places are worked out when asked for."""

    __slots__ = ("_lines", "_positions", "name", "syntax", "text", "value")

    def __init__(self, name: str, syntax: Syntax, value: Any, text: str, positions: Positions) -> None:
        self.name = name
        self.syntax = syntax
        self.value = value
        self.text = text
        self._positions = positions
        self._lines: list[str] | None = None

    def locate(self, path: Path, *, key: bool = False) -> Location | None:
        """Return where the value at ``path`` stands, or its key with ``key=True``.

        Where the path itself is nowhere, the place of the longest prefix that is somewhere.
        """
        span = self._positions.find(path, key=key)
        return Location(self.name, *span) if span else None

    def line(self, number: int) -> str:
        """Return line ``number`` (from 1) without its end; empty text when there is no such line."""
        lines = self.lines()
        return lines[number - 1] if 1 <= number <= len(lines) else ""

    def lines(self) -> Sequence[str]:
        """Return every line without its end."""
        if self._lines is None:
            if self.syntax == "yaml":
                self._lines = _YAML_BREAK.split(self.text)
            else:
                self._lines = [line.removesuffix("\r") for line in self.text.split("\n")]
        return self._lines

    def extents(self) -> Iterator[tuple[Path, int, int | None]]:
        """Yield (path, line on which it begins, line on which it ends) of every value of a YAML document, outermost first.

        A member begins where its key does; what an alias stands for is where it is written. The end is None where it is
        not known: a block ends where something else begins. Nothing is yielded of JSON.
        """
        yield from self._positions.extents()


def load(
    data: bytes,
    *,
    name: str,
    syntax: Syntax | None = None,
    style: Style = "data",
    max_bytes: int = MAX_BYTES,
) -> Document:
    """Read one JSON or YAML document.

    ``name`` stands in places and messages. ``syntax=None`` goes by content: what starts with
    ``{`` or ``[`` is JSON, or YAML in flow form where it is no JSON. ``style`` says how plain YAML
    words become values: ``data`` (true, false, null, decimal numbers), ``cloudformation`` (YAML 1.1
    as CloudFormation reads it, short tags in their long form) or ``strict`` (anything that YAML
    readers understand differently is an error). Keys are always text.

    Raises DocumentError with a code of :data:`~policyengine.documents.errors.CODES` and a place.
    """
    if len(data) > max_bytes:
        raise _too_large(name, len(data), max_bytes)
    _check_width(data, name, max_bytes)
    text = _decode(data, name)
    start = text.lstrip(" \t\r\n")
    if not start:
        raise fail(name, "empty", "the file is empty: expected JSON or YAML")
    if syntax == "json" or (syntax is None and start[0] in "{["):
        try:
            with _without_collector(len(data)):
                value, positions = json_text.parse(text, name)
            return Document(name, "json", value, text, positions)
        except DocumentError as error:
            if syntax == "json" or error.code != "syntax" or not _may_be_flow(start, name):
                raise
    return _load_yaml(text, name, style, len(data), max_bytes)


@contextmanager
def _without_collector(size: int) -> Iterator[None]:
    """Pause the cyclic collector on large texts: it walks all the new containers again and again."""
    if size < 256 * 1024 or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _may_be_flow(start: str, name: str) -> bool:
    return not name.endswith((".json", ".template")) and not _PLAINLY_JSON.match(start)


def _load_yaml(text: str, name: str, style: Style, size: int, max_bytes: int) -> Document:
    limit = min(max_bytes, YAML_MAX_BYTES)
    if size > limit:
        raise _too_large(name, size, limit, "YAML ")
    from policyengine.documents import yaml_text  # PyYAML is slow to load, and JSON needs none

    with _without_collector(size):
        value, positions = yaml_text.parse(text, name, style)
    return Document(name, "yaml", value, text, positions)


def _too_large(name: str, size: int, limit: int, what: str = "") -> DocumentError:
    return fail(
        name, "too_large", f"the {what}file has {size:,} bytes; at most {limit:,} are read from one file"
    )


def _check_width(data: bytes, name: str, limit: int) -> None:
    """Refuse large text with characters for which Python takes more bytes for every character of it."""
    if len(data) <= WIDE_BYTES or data.isascii():
        return
    width = 4 if _FOUR_BYTES.search(data) else 2
    if len(data) * width > limit:
        message = (
            f"the file has {len(data):,} bytes and is not ASCII; at most {limit // width:,} are read then"
        )
        raise fail(name, "too_large", message)


def _decode(data: bytes, name: str) -> str:
    """Return the text: UTF-8, or UTF-16 with a byte order mark."""
    if data.startswith(_UTF16) and not data.startswith(codecs.BOM_UTF32_LE):
        encoding, shown = "utf-16", "UTF-16"
    elif b"\0" in data[:8192]:
        raise _with_zero_bytes(data, name)
    else:
        encoding, shown = "utf-8-sig", "UTF-8"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        # `start` counts from after the mark that utf-8-sig removes
        before = data.removeprefix(codecs.BOM_UTF8)[: error.start]
        line = before.count(b"\n") + 1
        column = len(before) - (before.rfind(b"\n") + 1) + 1
        bad = f"byte 0x{error.object[error.start]:02x}"
        message = f"not {shown}: {bad} at offset {error.start}; save the file as UTF-8"
        raise fail(name, "encoding", message, Span(line, column)) from None


def _with_zero_bytes(data: bytes, name: str) -> DocumentError:
    head = data[:64]
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return fail(name, "encoding", "UTF-32 is not read; save the file as UTF-8", Span(1, 1))
    # ASCII text in UTF-16 has a zero in every other byte
    pairs = [head[i : i + 2] for i in range(0, len(head) - 1, 2)]
    if len(pairs) >= 2 and all(p.count(0) == 1 and p[0] in (0, pairs[0][0], *_ascii(p)) for p in pairs):
        return fail(name, "encoding", "UTF-16 without a byte order mark; save the file as UTF-8", Span(1, 1))
    offset = data.index(0)
    return fail(name, "not_text", f"binary, not text: a zero byte at offset {offset}; expected JSON or YAML")


def _ascii(pair: bytes) -> tuple[int, ...]:
    return tuple(b for b in pair if 8 < b < 127)
