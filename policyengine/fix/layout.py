"""How a document is written: each value with where its text begins and ends, so that it can be edited in place."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from policyengine.documents import Document

Kind = Literal["map", "list", "scalar"]

_TOKEN: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},:]|[^\s\[\]{},:"]++', re.DOTALL)


@dataclass(slots=True, eq=False)
class Part:
    """One value in the text: ``text[start:end]``, offsets in characters.

    A collection in YAML's block style (``flow`` False) ends where its last element does. ``shared`` says why
    the text stands for more than one value; ``tagged`` that a short tag (``!Sub``) makes something else of it.
    ``lines`` marks block text (``|``), whose end is the beginning of a line.
    """

    kind: Kind
    start: int
    end: int
    flow: bool = True
    members: list[Member] = field(default_factory=list)
    shared: str | None = None
    tagged: bool = False
    lines: bool = False

    def member(self, key: str) -> Member | None:
        """Return the member of a map that is written in it, not merged in."""
        return next((member for member in self.members if member.key == key), None)


@dataclass(slots=True, eq=False)
class Member:
    """An element of a list (``key`` None), or a key with its value; ``key_start`` is where it begins."""

    key: str | None
    key_start: int
    key_end: int
    part: Part


def layout_of(document: Document) -> Part:
    """Return how a document that was read is written."""
    if document.syntax == "json":
        return _Json(document.text).value()
    return _Yaml(document.text).root()


class _Json:
    """INVARIANT: the text is valid JSON, nested no deeper than documents allow."""

    def __init__(self, text: str) -> None:
        self._tokens = [match.span() for match in _TOKEN.finditer(text)]
        self._text = text
        self._at = 0

    def value(self) -> Part:
        start, end = self._next()
        mark = self._text[start]
        if mark not in "{[":
            return Part("scalar", start, end)
        found = Part("map" if mark == "{" else "list", start, end)
        while True:
            first, last = self._next()
            if self._text[first] in "}]":
                found.end = last
                return found
            if self._text[first] == ",":
                continue
            if mark == "[":
                self._at -= 1
                part = self.value()
                found.members.append(Member(None, part.start, part.start, part))
            else:
                key = json.loads(self._text[first:last])
                self._next()  # the colon
                found.members.append(Member(key, first, last, self.value()))

    def _next(self) -> tuple[int, int]:
        self._at += 1
        return self._tokens[self._at - 1]


class _Yaml:
    """Reads libyaml's events: the same that made the document, so that nothing here can be new to it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._open: list[tuple[Part, Member | None]] = []
        """Collections whose end has not come, each with the key whose value has not."""
        self._anchors: dict[str, Part] = {}
        self._root: Part | None = None

    def root(self) -> Part:
        """Return the value of the document."""
        import yaml
        from yaml._yaml import CParser

        parser: Any = CParser(self._text)
        while (event := parser.get_event()) is not None:
            start, end = event.start_mark.index, event.end_mark.index
            if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                kind: Kind = "map" if isinstance(event, yaml.MappingStartEvent) else "list"
                part = Part(kind, start, end, flow=bool(event.flow_style), tagged=_is_tagged(event.tag))
                self._open.append((self._anchored(event, part), None))
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                part, _ = self._open.pop()
                if part.flow:
                    part.end = end
                self._put(part)
            elif isinstance(event, yaml.AliasEvent):
                self._put(self._alias(event, start, end))
            elif isinstance(event, yaml.ScalarEvent):
                lines = event.style in ("|", ">")
                part = Part("scalar", start, end, tagged=_is_tagged(event.tag), lines=lines)
                self._put(self._anchored(event, part), event.value)
        assert self._root is not None  # the document was read
        return self._root

    def _put(self, part: Part, key: str | None = None) -> None:
        """Put a finished value where it belongs; ``key`` is what it says where it is a key."""
        if not self._open:
            self._root = part
            return
        holder, waiting = self._open[-1]
        if holder.kind == "map" and waiting is None:
            self._open[-1] = holder, Member(key, part.start, part.end, part)
            return
        if waiting is None:
            waiting = Member(None, part.start, part.start, part)
        waiting.part = part
        holder.members.append(waiting)
        holder.end = max(holder.end, part.end)
        self._open[-1] = holder, None

    def _anchored(self, event: Any, part: Part) -> Part:
        if event.anchor is not None:
            self._anchors[event.anchor] = part
        return part

    def _alias(self, event: Any, start: int, end: int) -> Part:
        name = event.anchor
        if name in self._anchors:
            self._anchors[name].shared = f"the anchor `&{name}`, which is used in other places"
        return Part("scalar", start, end, shared=f"the alias `*{name}`")


def _is_tagged(tag: str | None) -> bool:
    return tag is not None and tag != "!"
