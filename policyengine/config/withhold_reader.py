"""The section ``evidence`` of ``policyengine.yaml``: what an auditor may not see (decision 16)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from policyengine.config.reading import Mistakes, Place, unknown
from policyengine.documents.errors import shown
from policyengine.model.withheld import ANY_TYPE, RELATED, Plan, steps

TopNames = Callable[[str], Collection[str]]
"""type -> names of its properties; empty for a type that nobody knows."""
_TYPE: Final = re.compile(r"[A-Za-z0-9]+::[A-Za-z0-9]+::[A-Za-z0-9]+(::[A-Za-z0-9]+)?")


def read_evidence(
    reader: Mistakes, value: Any, deciding_tags: Iterable[str], top_names: TopNames | None
) -> Plan | None:
    """Return what is withheld; None where that is nothing.

    ``deciding_tags`` decide which settings hold for a resource: withholding one would change verdicts without a word, so
    that is a mistake. A name that nobody knows is one too: nothing would be withheld by it.
    """
    section = reader.mapping(value, ("evidence",))
    reader.known_keys(section, ("withhold",), ("evidence",))
    place: Place = ("evidence", "withhold")
    withhold = reader.mapping(section.get("withhold", {}), place)
    reader.known_keys(withhold, ("properties", "tags"), place)
    properties = _properties(reader, withhold.get("properties", {}), (*place, "properties"), top_names)
    tags = _tags(reader, withhold.get("tags", []), (*place, "tags"), frozenset(deciding_tags))
    return Plan(properties, tags) if properties or tags else None


def _properties(
    reader: Mistakes, value: Any, place: Place, top_names: TopNames | None
) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for type_, given in reader.mapping(value, place).items():
        where = (*place, type_)
        if type_ != ANY_TYPE and not _TYPE.fullmatch(type_):
            reader.wrong(
                where, f"{shown(type_)} is no type; expected e.g. `AWS::Lambda::Function` or `*`", key=True
            )
            continue
        known = () if type_ == ANY_TYPE or top_names is None else top_names(type_)
        if top_names is not None and type_ != ANY_TYPE and not known:
            text = f"{shown(type_)} is no type that is covered; a pointer under `*` reaches every type"
            reader.wrong(where, text, key=True)
        pointers = []
        for index, pointer in enumerate(reader.items(given, where, "JSON Pointers")):
            problem = _wrong_with(pointer, known)
            if problem:
                reader.wrong((*where, index), problem)
            else:
                pointers.append(pointer)
        if pointers:
            found[type_] = tuple(dict.fromkeys(pointers))
    return found


def _wrong_with(pointer: Any, known: Collection[str]) -> str | None:
    if not isinstance(pointer, str):
        return f"{shown(str(pointer))} is no JSON Pointer; expected e.g. `/Environment/Variables/*`"
    try:
        first = steps(pointer)[0]
    except ValueError as problem:
        return str(problem)
    if known and first not in known and first not in ("*", RELATED):
        return unknown("property", first, known)
    return None


def _tags(reader: Mistakes, value: Any, place: Place, deciding: Collection[str]) -> tuple[str, ...]:
    found = []
    for index, key in enumerate(reader.items(value, place, "keys of tags")):
        if not isinstance(key, str) or not key:
            reader.wrong((*place, index), f"{shown(str(key))} is no key of a tag; quote it")
        elif key in deciding:
            text = "decides which settings hold for a resource, and cannot be withheld"
            reader.wrong((*place, index), f"the tag {shown(key)} {text}")
        else:
            found.append(key)
    return tuple(dict.fromkeys(found))
