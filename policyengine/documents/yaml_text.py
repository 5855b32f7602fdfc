"""YAML: one pass over libyaml's events that builds values and remembers places.

libyaml's event parser keeps its own stack on the heap; only composing recurses. Reading events and
stopping at the limit is therefore safe for any nesting, and no other pass over the text is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import yaml

from policyengine.documents.errors import (
    MAX_ALIASED_NODES,
    MAX_DEPTH,
    DocumentError,
    Span,
    Style,
    fail,
    shown,
)
from policyengine.documents.scalars import CONVERT, AmbiguousError
from policyengine.model.resource import Path

try:
    from yaml._yaml import CParser
except (
    ImportError
):  # PyYAML without libyaml, as in a function of Lambda: the same events, twenty times slower
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class CParser(Reader, Scanner, Parser):  # type: ignore[no-redef]  # one of the two is defined
        """PyYAML's own parser, put together as its loaders are; it does not recurse either."""

        def __init__(self, text: str) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)


SHORT_TAGS: Final = {
    "!Ref": "Ref",
    "!Condition": "Condition",
    **{
        f"!{name}": f"Fn::{name}"
        for name in (
            "And", "Base64", "Cidr", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "FindInMap",
            "ForEach", "GetAZs", "GetAtt", "If", "ImportValue", "Join", "Length", "Not", "Or", "RefAll",
            "Select", "Split", "Sub", "ToJsonString", "Transform", "ValueOf", "ValueOfAll",
        )
    },
}  # fmt: skip
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html and,
for the rule-specific ones, intrinsic-function-reference-rules.html."""

_CORE: Final = "tag:yaml.org,2002:"
_CORE_SHAPES: Final = {"str": "scalar", "int": "scalar", "float": "scalar", "bool": "scalar",
                       "null": "scalar", "seq": "list", "map": "map"}  # fmt: skip


class Node:
    """A value with its place. ``children`` is a list, a map key -> (key node, node), or None."""

    __slots__ = ("children", "end", "height", "size", "start", "value")

    def __init__(self, value: Any, start: Any, end: Any, children: Any = None) -> None:
        self.value = value
        self.start = start
        self.end = end
        self.children = children
        self.size = 1
        self.height = 1

    def grow(self, child: Node) -> None:
        """Count a child in."""
        self.size += child.size
        if child.height >= self.height:
            self.height = child.height + 1


class _Frame:
    """A list or map whose end has not come yet."""

    __slots__ = ("anchor", "is_map", "key", "merges", "node", "tag")

    def __init__(self, node: Node, is_map: bool, tag: str | None, anchor: str | None) -> None:
        self.node = node
        self.is_map = is_map
        self.tag = tag
        self.anchor = anchor
        self.key: Node | None = None
        self.merges: list[Node] | None = None


def parse(text: str, name: str, style: Style) -> tuple[Any, YamlPositions]:
    """Return the value of a YAML text and what finds places in it.

    Raises DocumentError: ``syntax``, ``duplicate_key``, ``too_deep``, ``too_many_aliases``,
    ``not_text`` (control characters), ``empty``.
    """
    builder = _Builder(name, style)
    try:
        root = builder.run(text)
    except yaml.reader.ReaderError as error:
        before = text.encode()[: error.position]
        span = Span(before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))
        message = (
            f"not text: character {error.character:#x} at offset {error.position} is not allowed in YAML"
        )
        raise fail(name, "not_text", message, span) from None
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, name, text) from None
    return root.value, YamlPositions(root)


def _syntax(error: yaml.MarkedYAMLError, name: str, text: str) -> DocumentError:
    mark = error.problem_mark or error.context_mark
    parts = [error.problem or "cannot be read"]
    if error.context:
        parts.append(error.context)
        if error.context_mark is not None:
            parts[-1] += f" that starts on line {error.context_mark.line + 1}"
    message = "not valid YAML: " + ", ".join(parts)
    if mark is None:
        return fail(name, "syntax", message)
    lines = text.splitlines() or [""]
    if mark.line >= len(lines):  # libyaml puts the end of the text on a line of its own
        return fail(name, "syntax", message, Span(len(lines), len(lines[-1]) + 1))
    return fail(name, "syntax", message, Span(mark.line + 1, mark.column + 1))


class _Builder:
    """Builds one document from events."""

    def __init__(self, name: str, style: Style) -> None:
        self.name = name
        self.style = style
        self.convert = CONVERT[style]
        self.frames: list[_Frame] = []
        self.anchors: dict[str, Node | None] = {}
        self.aliased = 0
        self.root: Node | None = None

    def run(self, text: str) -> Node:
        """Return the root of the only document in ``text``."""
        next_event: Callable[[], Any] = CParser(text).get_event
        frames = self.frames
        documents = 0
        while (event := next_event()) is not None:
            kind = event.__class__
            if kind is yaml.ScalarEvent:
                if event.tag is not None or event.anchor is not None:
                    self._add(self._scalar(event))
                elif frames and frames[-1].is_map and frames[-1].key is None:
                    frames[-1].key = Node(event.value, event.start_mark, event.end_mark)
                else:
                    self._add(Node(self._read(event), event.start_mark, event.end_mark))
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._open(event, is_map=kind is yaml.MappingStartEvent)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._close(event)
            elif kind is yaml.AliasEvent:
                self._add(self._alias(event))
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    raise self._error(event.start_mark, "a second YAML document starts here; expected one")
        if self.root is None:
            raise fail(self.name, "empty", "the file holds only comments: expected JSON or YAML")
        return self.root

    def _error(self, mark: Any, message: str, code: str = "syntax") -> DocumentError:
        return fail(self.name, code, message, Span(mark.line + 1, mark.column + 1))

    def _scalar(self, event: Any) -> Node:
        """Return a scalar with a tag or an anchor."""
        node = Node(event.value, event.start_mark, event.end_mark)
        tag = event.tag
        if tag is not None and tag != "!":
            node = self._tagged_scalar(event, tag, node)
        elif tag is None and not self._key_is_next():
            node.value = self._read(event)
        if event.anchor is not None:
            self._anchor(event, node)
        return node

    def _read(self, event: Any) -> Any:
        """Return what a word means; quoted words and block text are text as they stand."""
        if event.style:
            return event.value
        try:
            return self.convert(event.value)
        except AmbiguousError as error:
            raise self._error(event.start_mark, str(error)) from None

    def _key_is_next(self) -> bool:
        if not self.frames:
            return False
        top = self.frames[-1]
        return top.key is None and top.is_map

    def _tagged_scalar(self, event: Any, tag: str, node: Node) -> Node:
        if self.style == "strict":
            raise self._error(event.start_mark, f"tag {shown(tag)} is not allowed here")
        if tag.startswith(_CORE):
            kind = self._core(event, tag, "scalar")
            node.value = event.value if kind == "str" else CONVERT["data"](event.value)
            return node
        if self.style != "cloudformation":
            raise self._error(event.start_mark, f"tag {shown(tag)} is not known here")
        if tag == "!GetAtt":
            node.value = event.value.split(".", 1) if "." in event.value else event.value
        return self._wrap(tag, node)

    def _core(self, event: Any, tag: str, shape: str) -> str:
        kind = tag.removeprefix(_CORE)
        if _CORE_SHAPES.get(kind) != shape:
            raise self._error(event.start_mark, f"tag {shown('!!' + kind)} is not supported")
        return kind

    def _wrap(self, tag: str, node: Node) -> Node:
        """Return the long form of a short tag; an unknown tag keeps its ``!`` for the source to refuse."""
        key = SHORT_TAGS.get(tag, tag)
        keyed = Node(key, node.start, node.end)
        wrapped = Node({key: node.value}, node.start, node.end, {key: (keyed, node)})
        wrapped.grow(node)
        return wrapped

    def _anchor(self, event: Any, node: Node | None) -> None:
        if self.style == "strict":
            raise self._error(event.start_mark, f"anchor {shown('&' + event.anchor)} is not allowed here")
        self.anchors[event.anchor] = node

    def _alias(self, event: Any) -> Node:
        name = event.anchor
        if self.style == "strict":
            raise self._error(event.start_mark, f"alias {shown('*' + name)} is not allowed here")
        if name not in self.anchors:
            raise self._error(event.start_mark, f"alias {shown('*' + name)} refers to no anchor above it")
        target = self.anchors[name]
        if target is None:
            message = f"alias {shown('*' + name)} stands inside the value it refers to"
            raise self._error(event.start_mark, message, "too_many_aliases")
        self.aliased += target.size
        if self.aliased > MAX_ALIASED_NODES:
            message = f"aliases stand for more than {MAX_ALIASED_NODES:,} values"
            raise self._error(event.start_mark, message, "too_many_aliases")
        if len(self.frames) + target.height - 1 > MAX_DEPTH:
            raise self._too_deep(event)
        node = Node(target.value, event.start_mark, event.end_mark, target.children)
        node.size, node.height = target.size, target.height
        return node

    def _too_deep(self, event: Any) -> DocumentError:
        return self._error(event.start_mark, f"nested deeper than {MAX_DEPTH} levels", "too_deep")

    def _open(self, event: Any, *, is_map: bool) -> None:
        if len(self.frames) >= MAX_DEPTH:
            raise self._too_deep(event)
        if self._key_is_next():
            raise self._error(event.start_mark, "a key must be text, not a list or a map")
        tag = event.tag
        if tag == "!":
            tag = None
        elif tag is not None:
            if self.style == "strict":
                raise self._error(event.start_mark, f"tag {shown(tag)} is not allowed here")
            if tag.startswith(_CORE):
                self._core(event, tag, "map" if is_map else "list")
                tag = None
            elif self.style != "cloudformation":
                raise self._error(event.start_mark, f"tag {shown(tag)} is not known here")
        if event.anchor is not None:
            self._anchor(event, None)
        node = Node({}, event.start_mark, None, {}) if is_map else Node([], event.start_mark, None, [])
        if event.flow_style:
            node.end = event  # replaced by the end's mark; marks a flow container until then
        self.frames.append(_Frame(node, is_map, tag, event.anchor))

    def _close(self, event: Any) -> None:
        frame = self.frames.pop()
        node = frame.node
        if node.end is not None:
            node.end = event.end_mark
        if frame.merges:
            self._merge(node, frame.merges)
        if frame.tag is not None:
            node = self._wrap(frame.tag, node)
            if len(self.frames) + node.height > MAX_DEPTH + 1:
                raise self._too_deep(event)
        if frame.anchor is not None:
            self.anchors[frame.anchor] = node
        self._add(node)

    def _add(self, node: Node) -> None:
        """Put a finished value where it belongs."""
        if not self.frames:
            self.root = node
            return
        frame = self.frames[-1]
        into = frame.node
        key = frame.key
        if not frame.is_map:
            into.value.append(node.value)
            into.children.append(node)
        elif key is None:
            if node.value.__class__ is not str:
                raise self._error(node.start, "a key must be text")
            frame.key = node
            return
        else:
            frame.key = None
            text = key.value
            if text in into.children or text == "<<":
                self._put(frame, key, node)
            else:
                into.children[text] = (key, node)
                into.value[text] = node.value
        into.size += node.size
        if node.height >= into.height:
            into.height = node.height + 1

    def _put(self, frame: _Frame, key: Node, node: Node) -> None:
        """Put a member whose key is there already, or may be a merge key."""
        text = key.value
        children = frame.node.children
        if text in children:
            first = children[text][0].start.line + 1
            message = f"duplicate key {shown(text)}: it stands on line {first} already"
            raise self._error(key.start, message, "duplicate_key")
        # only the plain word is a merge key: a quoted `<<` is one character wider on each side
        if text == "<<" and key.end.column - key.start.column == 2:
            self._note_merge(frame, key, node)
            return
        children[text] = (key, node)
        frame.node.value[text] = node.value

    def _note_merge(self, frame: _Frame, key: Node, node: Node) -> None:
        if self.style == "strict":
            raise self._error(key.start, "merge key `<<` is not allowed here")
        parts = node.children if node.value.__class__ is list else [node]
        if frame.merges is not None:
            raise self._error(key.start, "duplicate key `<<`", "duplicate_key")
        if any(part.value.__class__ is not dict for part in parts):
            raise self._error(node.start, "merge key `<<` takes a map or a list of maps")
        frame.merges = parts

    def _merge(self, node: Node, parts: list[Node]) -> None:
        """Add the members of ``parts`` that are not there yet; the first part wins."""
        for part in parts:
            for text, member in part.children.items():
                if text not in node.children:
                    node.children[text] = member
                    node.value[text] = member[1].value
                    node.grow(member[1])


class YamlPositions:
    """Places in the tree the builder made."""

    def __init__(self, root: Node) -> None:
        self._root = root

    def find(self, path: Path, *, key: bool) -> Span | None:
        """Return the place of ``path``, of its longest known prefix where it is nowhere."""
        here, own_key = self._root, None
        found = 0
        for step in path:
            children = here.children
            if children.__class__ is dict and step in children:
                own_key, here = children[step]
            elif children.__class__ is list and isinstance(step, int) and 0 <= step < len(children):
                own_key, here = None, children[step]
            else:
                break
            found += 1
        if key and found == len(path) and own_key is not None:
            here = own_key
        return _span(here)

    def extents(self) -> Iterator[tuple[Path, int, int | None]]:
        """Yield (path, first line, last line or None) of every value, in the order of the document."""
        left: list[tuple[Path, Node, int]] = [((), self._root, self._root.start.line + 1)]
        while left:
            path, node, first = left.pop()
            end = node.end
            yield path, first, None if end is None else end.line + 1
            children = node.children
            if children.__class__ is dict:
                members = [((*path, name), n, k.start.line + 1) for name, (k, n) in children.items()]
                left.extend(reversed(members))
            elif children:
                items = [((*path, i), n, n.start.line + 1) for i, n in enumerate(children)]
                left.extend(reversed(items))


def _span(node: Node) -> Span:
    start, end = node.start, node.end
    if end is None or (isinstance(node.value, dict | list) and end.line != start.line):
        return Span(start.line + 1, start.column + 1)
    # the end of block text is the start of the line after it
    if end.column == 0 and end.line > start.line:
        return Span(start.line + 1, start.column + 1)
    return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1)
