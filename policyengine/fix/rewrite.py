"""From the value a document has to the value it shall have: the fewest insertions and replacements in its text.

Whatever is not touched keeps every character. The new text is read again, and anything but exactly the wanted
value is refused: an odd layout can keep a fix from being made, never make another one of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from policyengine.documents import Document, DocumentError, load
from policyengine.fix.layout import Member, Part, layout_of
from policyengine.fix.style import (
    Style,
    block_element,
    block_member,
    column,
    in_line,
    indentation,
    scalar,
    spread,
    style_of,
)
from policyengine.model.resource import Path, json_pointer

_SCALARS: Final = (str, bool, int, float)


class CannotEditError(Exception):
    """Why a place of a document is not edited; the message goes behind "not mechanical here: "."""


class Edit(NamedTuple):
    """Replace ``text[start:end]``; an insertion where both are equal."""

    start: int
    end: int
    text: str


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with the edits made; those of one place stay in their order. Raises ValueError for overlaps."""
    pieces: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda e: (e.start, e.end)):
        if edit.start < at:
            raise ValueError(f"edits overlap at offset {edit.start}")
        pieces += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*pieces, text[at:]])


def unshared(value: Any) -> Any:
    """Return a deep copy in which nothing is the same object twice, as what aliases stand for is."""
    if isinstance(value, dict):
        return {key: unshared(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [unshared(inner) for inner in value]
    return value


class Rewriter:
    """One document, to be edited again and again from its first text."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._layout = layout_of(document)
        self._style = style_of(document.text, self._layout, is_json=document.syntax == "json")

    def edits(self, wanted: Any, *, check: bool = True) -> list[Edit]:
        """Return the edits that make the document's value ``wanted``, in the order of the text.

        Raises CannotEditError where the layout does not allow it, or something is to be removed. Without ``check``
        the new text is not read again: for whoever reads it later.
        """
        found = _Difference(self.document.text, self._style)
        found.compare(self._layout, self.document.value, wanted, ())
        edits = sorted(found.edits, key=lambda e: (e.start, e.end))
        if check:
            self._check(apply_edits(self.document.text, edits), wanted)
        return edits

    def _check(self, text: str, wanted: Any) -> None:
        try:
            again = load(text.encode(), name="edited", syntax=self.document.syntax, style="cloudformation")
        except DocumentError as error:
            raise CannotEditError(f"the edited text cannot be read ({error.message})") from None
        if again.value != wanted or repr(again.value) != repr(unshared_like(again.value, wanted)):
            raise CannotEditError("the layout here does not take the new value")


def unshared_like(value: Any, wanted: Any) -> Any:
    """Return ``wanted`` with its keys in the order of ``value``: equal values differ in their text only by types
    (``True`` and ``1``)."""
    if isinstance(value, dict) and isinstance(wanted, dict):
        return {key: unshared_like(inner, wanted[key]) for key, inner in value.items()}
    if isinstance(value, list) and isinstance(wanted, list):
        return [unshared_like(a, b) for a, b in zip(value, wanted, strict=True)]
    return str(wanted) if isinstance(wanted, str) else wanted


class _Difference:
    def __init__(self, text: str, style: Style) -> None:
        self.text = text
        self.style = style
        self.edits: list[Edit] = []

    def compare(self, part: Part, old: Any, new: Any, path: Path) -> None:
        """Add the edits that make ``new`` of what stands at ``part``."""
        if old is new or (old == new and (isinstance(old, dict | list) or type(old) is type(new))):
            return
        where = f"`{json_pointer(path)}`"
        if part.shared:
            raise CannotEditError(f"{where} is {part.shared}: an edit would change those too")
        if part.tagged:
            raise CannotEditError(f"{where} is made by a function")
        if isinstance(old, dict) and isinstance(new, dict) and part.kind == "map":
            self._map(part, old, new, path)
        elif isinstance(old, list) and isinstance(new, list) and part.kind == "list":
            self._list(part, old, new, path)
        elif part.kind == "scalar" and isinstance(new, _SCALARS) and not part.lines:
            self._scalar(part, new)
        elif part.kind == "scalar" and self.style.json:
            text = spread(new, self.style, indentation(self.text, part.start))
            self.edits.append(Edit(part.start, part.end, text))
        else:
            raise CannotEditError(f"{where} would have to be written in another form")

    def _scalar(self, part: Part, new: Any) -> None:
        old = self.text[part.start : part.end]
        quote = old[0] if old and old[0] in "\"'" and isinstance(new, str) else ""
        self.edits.append(Edit(part.start, part.end, scalar(new, self.style, quote=quote)))

    def _map(self, part: Part, old: dict[str, Any], new: dict[str, Any], path: Path) -> None:
        gone = [key for key in old if key not in new]
        if gone:
            raise CannotEditError(f"`{json_pointer((*path, gone[0]))}` would have to be removed")
        for key in old:
            member = part.member(key)
            if member is not None:
                self.compare(member.part, old[key], new[key], (*path, key))
            elif old[key] != new[key]:
                raise CannotEditError(f"`{json_pointer((*path, key))}` comes from a merge (`<<`)")
        added = [(key, value) for key, value in new.items() if key not in old]
        if added:
            self._add(part, added)

    def _list(self, part: Part, old: list[Any], new: list[Any], path: Path) -> None:
        if len(new) < len(old):
            raise CannotEditError(f"an element of `{json_pointer(path)}` would have to be removed")
        for index, member in enumerate(part.members):
            self.compare(member.part, old[index], new[index], (*path, index))
        if len(new) > len(old):
            self._add(part, [(None, value) for value in new[len(old) :]])

    def _add(self, part: Part, added: Sequence[tuple[str | None, Any]]) -> None:
        if part.flow:
            self._add_in_flow(part, added)
        elif not part.members:
            raise CannotEditError("the layout here does not take a new value")
        else:
            self._add_in_block(part, added)

    def _add_in_block(self, part: Part, added: Sequence[tuple[str | None, Any]]) -> None:
        text, style = self.text, self.style
        if part.kind == "map":
            indent = _blank(text, part.members[0].key_start)
            gap = [""] if _spaced(text, part) else []
            lines = [x for key, v in added for x in (*gap, *block_member(str(key), v, style, indent))]
        else:
            if text[part.start] != "-":
                raise CannotEditError("the layout here does not take a new element")
            indent = _blank(text, part.start)
            lines = [line for _, v in added for line in block_element(v, style, indent)]
        last = _last(part)
        body = style.newline.join(lines)
        if last.lines and column(text, last.end) == 0 and last.end > last.start:
            self.edits.append(Edit(last.end, last.end, body + style.newline))
            return
        at = text.find("\n", last.end)
        at = len(text) if at < 0 else at
        if at > 0 and text[at - 1] == "\r":
            at -= 1
        self.edits.append(Edit(at, at, style.newline + body))

    def _add_in_flow(self, part: Part, added: Sequence[tuple[str | None, Any]]) -> None:
        text, style = self.text, self.style
        if not part.members:
            self._fill(part, added)
            return
        first, last = part.members[0], part.members[-1]
        over_lines = "\n" in text[part.start : _begin(first)]
        indent = indentation(text, _begin(first))
        colon = self._colon(part)
        items = []
        for key, value in added:
            shown = spread(value, style, indent) if style.json and over_lines else in_line(value, style)
            items.append(shown if key is None else f"{scalar(key, style)}{colon}{shown}")
        if not over_lines:
            comma = self._comma(part)
            self.edits.append(Edit(last.part.end, last.part.end, "".join(f",{comma}{i}" for i in items)))
            return
        body = ",".join(f"{style.newline}{indent}{item}" for item in items)
        line_end = text.find("\n", last.part.end, part.end)
        rest = text[last.part.end : line_end] if line_end >= 0 else ""
        if "#" not in rest:
            self.edits.append(Edit(last.part.end, last.part.end, "," + body))
            return
        at = line_end - 1 if text[line_end - 1] == "\r" else line_end
        self.edits += [Edit(last.part.end, last.part.end, ","), Edit(at, at, body)]

    def _fill(self, part: Part, added: Sequence[tuple[str | None, Any]]) -> None:
        value: Any = dict(added) if part.kind == "map" else [v for _, v in added]
        if "#" in self.text[part.start : part.end]:
            raise CannotEditError("a comment stands where the new value would go")
        indent = indentation(self.text, part.start)
        text = spread(value, self.style, indent) if self.style.json else in_line(value, self.style)
        self.edits.append(Edit(part.start, part.end, text))

    def _colon(self, part: Part) -> str:
        for member in reversed(part.members):
            between = self.text[member.key_end : member.part.start]
            if member.key is not None and between.strip() == ":" and "\n" not in between:
                return between
        return self.style.colon

    def _comma(self, part: Part) -> str:
        if len(part.members) > 1:
            between = self.text[part.members[-2].part.end : _begin(part.members[-1])]
            if between.lstrip()[:1] == "," and "\n" not in between and "#" not in between:
                return between.lstrip()[1:]
        return self.style.comma


def _begin(member: Member) -> int:
    return member.part.start if member.key is None else member.key_start


def _last(part: Part) -> Part:
    """Return the value whose text ends a collection."""
    while not part.flow and part.members:
        part = part.members[-1].part
    return part


def _spaced(text: str, part: Part) -> bool:
    """Say whether an empty line stands between the members of a map, as often between resources."""
    if len(part.members) < 2:
        return False
    before, after = part.members[-2:]
    between = text[_last(before.part).end : after.key_start]
    return any(not line.strip() for line in between.split("\n")[1:-1])


def _blank(text: str, at: int) -> str:
    """Return white space as wide as what stands before an offset in its line."""
    return " " * column(text, at)
