"""Changing ``waivers.yaml`` where a person wrote it: everything else stays, byte for byte.

Lines are put in where a block list of block mappings has them. What comes out is read again, and is only given where it
says what was there before and what was to be added.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from policyengine.config.waivers import Waiver
from policyengine.documents import Document, DocumentError, load
from policyengine.documents.errors import shown
from policyengine.model.errors import ConfigError
from policyengine.model.location import Location

Json = dict[str, Any]
_PLAIN: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+")
"""Ids of rules, which no reader of YAML takes for anything else."""
_EMPTY_LIST: Final = re.compile(r"(\[\s*\])")
_NO_CONTENT: Final = re.compile(r"\s*(?:#.*)?\r?\n?")


def entry_of(waiver: Waiver) -> Json:
    """Return a waiver as a file has it."""
    scope: Json = {}
    for name, values in (("resource", waiver.resources), ("account", waiver.accounts), ("ou", waiver.ous)):
        if values:
            scope[name] = values[0] if len(values) == 1 else list(values)
    if waiver.tags:
        scope["tag"] = dict(waiver.tags)
    if waiver.in_place:
        scope["in_place"] = True
    entry: Json = {
        "id": waiver.id, "rule": waiver.rules[0] if len(waiver.rules) == 1 else list(waiver.rules),
        **({"scope": scope} if scope else {}), "owner": waiver.owner, "approver": waiver.approver,
        "reason": waiver.reason, "ticket": waiver.ticket, "granted": waiver.granted, "expires": waiver.expires,
    }  # fmt: skip
    if waiver.pins is not None:
        entry["pin"] = {finding: dict(pin) for finding, pin in waiver.pins.items()}
    elif waiver.resources or waiver.in_place:
        entry["pin"] = False
    comp = waiver.compensating
    if comp is not None:
        entry["compensating"] = (
            comp.rule if comp.resource is None else {"rule": comp.rule, "resource": comp.resource}
        )
    return entry


def with_entry(data: bytes, name: str, entry: Mapping[str, Any]) -> bytes:
    """Return a file with an entry more, at its end. Raises ConfigError where it is written in another form."""
    text = _decoded(data, name)
    end = _line_end(text)
    document = _parsed(data, name)
    before = _entries(document, name)
    if document is None or document.value is None:
        start, dash = f"{_ended(text, end)}waivers:{end}", 2
    elif not before:
        start, dash = _ended(_without_brackets(text, document, name), end), 2
    else:
        start, dash = _ended(text, end), _dash(document, name)
    lines = _block(entry, dash + 2)
    lines[0] = f"{' ' * dash}- {lines[0].lstrip()}"
    return _checked(start + "".join(line + end for line in lines), name, [*before, dict(entry)])


def with_key(data: bytes, name: str, id_: str, key: str, value: Any) -> bytes:
    """Return a file in which the entry of an id says something of a key, in place of what it said. Raises ConfigError."""
    text = _decoded(data, name)
    document = _parsed(data, name)
    before = _entries(document, name)
    index = next(
        (i for i, each in enumerate(before) if isinstance(each, dict) and each.get("id") == id_), None
    )
    if document is None or index is None:
        raise ConfigError(f"there is no waiver {shown(id_)}", Location(name))
    end = _line_end(text)
    lines = text.splitlines(keepends=True)
    first, last = _extent(document, index, len(before), lines, name)
    indent = _column(document, ("waivers", index), name) - 1
    if key in before[index]:
        own_first, own_last = _extent_of_key(document, index, key, last, lines, name)
        if own_first == first:
            raise _unwritable(name, document, index)
        del lines[own_first:own_last]
        last -= own_last - own_first
    if last and not lines[last - 1].endswith(("\n", "\r")):
        lines[last - 1] += end
    added = [line + end for line in _block({key: value}, indent)]
    lines[last:last] = added
    after = [dict(each) for each in before]
    after[index][key] = value
    return _checked("".join(lines), name, after)


def quoted(text: str) -> str:
    """Return a text as a double-quoted scalar that every reader of YAML takes for it (YAML 1.2.2 section 5.7)."""
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char.isprintable():
        return char
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _block(value: Mapping[str, Any], indent: int) -> list[str]:
    """Return a mapping as lines in block style."""
    lines = []
    for key, item in value.items():
        head = " " * indent + (key if key.isidentifier() else quoted(key))
        if isinstance(item, Mapping) and item:
            lines += [f"{head}:", *_block(item, indent + 2)]
        elif isinstance(item, list):
            lines.append(f"{head}: [{', '.join(_scalar(each) for each in item)}]")
        else:
            lines.append(f"{head}: {_scalar(item)}")
    return lines


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{}"
    text = str(value)
    return text if _PLAIN.fullmatch(text) else quoted(text)


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError("is no UTF-8, so nothing is written to it", Location(name)) from None


def _line_end(text: str) -> str:
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"


def _ended(text: str, end: str) -> str:
    return text if not text or text.endswith("\n") else text + end


def _parsed(data: bytes, name: str) -> Document | None:
    try:
        return load(data, name=name, syntax="yaml", style="strict")
    except DocumentError as error:
        if error.code == "empty":
            return None
        raise ConfigError(error.message, error.location) from error


def _entries(document: Document | None, name: str) -> list[Any]:
    value = None if document is None else document.value
    if value is None:
        return []
    found = value.get("waivers") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(found, list | None):
        raise ConfigError("is no file of waivers: expected a list under `waivers`", Location(name))
    return list(found or ())


def _without_brackets(text: str, document: Document, name: str) -> str:
    """Return the text without the `[]` of an empty list."""
    at = document.locate(("waivers",))
    if document.value.get("waivers") is None or at is None or at.line is None or at.column is None:
        return text
    lines = text.splitlines(keepends=True)
    line = lines[at.line - 1]
    if not _EMPTY_LIST.match(line, at.column - 1):
        raise ConfigError("`waivers` is empty in a form that cannot be changed: delete it", Location(name))
    lines[at.line - 1] = line[: at.column - 1].rstrip() + _EMPTY_LIST.sub("", line[at.column - 1 :], count=1)
    return "".join(lines)


def _column(document: Document, path: tuple[str | int, ...], name: str) -> int:
    at = document.locate(path)
    if at is None or at.column is None:
        raise ConfigError("cannot be changed: it is written in a form without places", Location(name))
    return at.column


def _line(document: Document, path: tuple[str | int, ...], name: str, *, key: bool = False) -> int:
    at = document.locate(path, key=key)
    if at is None or at.line is None:
        raise ConfigError("cannot be changed: it is written in a form without places", Location(name))
    return at.line


def _dash(document: Document, name: str) -> int:
    """Return how many spaces stand before the dashes of the list."""
    column = _column(document, ("waivers", 0), name) - 1
    before = document.line(_line(document, ("waivers", 0), name))[:column]
    return before.rindex("-") if "-" in before else max(column - 2, 0)


def _extent(document: Document, index: int, count: int, lines: Sequence[str], name: str) -> tuple[int, int]:
    """Return the first line of an entry and the one after its last, from 0; comments after it are not its."""
    first = _line(document, ("waivers", index), name) - 1
    stop = _line(document, ("waivers", index + 1), name) - 1 if index + 1 < count else len(lines)
    return first, _trimmed(lines, first, stop)


def _extent_of_key(
    document: Document, index: int, key: str, last: int, lines: Sequence[str], name: str
) -> tuple[int, int]:
    entry = document.value["waivers"][index]
    starts = sorted(_line(document, ("waivers", index, each), name, key=True) - 1 for each in entry)
    first = _line(document, ("waivers", index, key), name, key=True) - 1
    stop = next((start for start in starts if start > first), last)
    return first, _trimmed(lines, first, stop)


def _trimmed(lines: Sequence[str], first: int, stop: int) -> int:
    while stop > first + 1 and _NO_CONTENT.fullmatch(lines[stop - 1]):
        stop -= 1
    return stop


def _checked(text: str, name: str, expected: list[Any]) -> bytes:
    data = text.encode("utf-8")
    try:
        found = load(data, name=name, syntax="yaml", style="strict").value
    except DocumentError:
        found = None
    if not isinstance(found, dict) or found.get("waivers") != expected:
        raise ConfigError(
            "is written in a form that nothing can be added to: give each waiver lines of its own, `- id: …` first",
            Location(name),
        )
    return data


def _unwritable(name: str, document: Document, index: int) -> ConfigError:
    return ConfigError(
        "the waiver begins with what is to be replaced: write `id` first", document.locate(("waivers", index))
    )
