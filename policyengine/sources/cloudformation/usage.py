"""What a part of a template uses, without evaluating it: references, conditions, and its text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

SUB_VARIABLE: Final = re.compile(r"\$\{(!?)([^{}]*)\}")
"""``${Name}``, ``${Name.Attribute}`` and the literal ``${!Text}``."""

_NESTED: Final = (dict, list)
"""Exactly these are what documents are made of."""


@dataclass(slots=True)
class Usage:
    """Names a part uses; ``always`` are the references outside every ``Fn::If``."""

    references: set[str] = field(default_factory=set)
    always: set[str] = field(default_factory=set)
    conditions: set[str] = field(default_factory=set)


def usage_of(raw: Any) -> Usage:
    """Return the names of everything a part refers to, and the conditions that its ``Fn::If`` test."""
    found = Usage()
    waiting: list[tuple[Any, bool]] = [(raw, True)]
    while waiting:
        value, always = waiting.pop()
        kind = value.__class__
        if kind is list:
            waiting += [(item, always) for item in value if item.__class__ in _NESTED]
        elif kind is dict:
            if len(value) == 1:
                ((key, argument),) = value.items()
                if key == "Fn::If" and isinstance(argument, list) and argument:
                    if isinstance(argument[0], str):
                        found.conditions.add(argument[0])
                    always = False
                elif key == "Ref" or key.startswith("Fn::"):
                    names = _referred(key, argument)
                    found.references |= names
                    if always:
                        found.always |= names
            waiting += [(item, always) for item in value.values() if item.__class__ in _NESTED]
    return found


def _referred(key: str, argument: Any) -> set[str]:
    if key == "Ref":
        return {argument} if isinstance(argument, str) else set()
    if key == "Fn::GetAtt":
        head = argument[0] if isinstance(argument, list) and argument else argument
        return {head.split(".", 1)[0]} if isinstance(head, str) else set()
    if key == "Fn::Sub":
        text, own = (argument[0], argument[1]) if _is_sub_pair(argument) else (argument, {})
        if isinstance(text, str):
            names = {m[2].split(".", 1)[0] for m in SUB_VARIABLE.finditer(text) if not m[1]}
            return names - set(own)
    return set()


def _is_sub_pair(argument: Any) -> bool:
    return isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], dict)


def source_text(raw: Any) -> str:
    """Return one line that shows how a value is written, for messages: ``${Bucket.Arn}/*``."""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, dict) and len(raw) == 1:
        ((key, argument),) = raw.items()
        if key == "Ref" and isinstance(argument, str):
            return "${" + argument + "}"
        if key == "Fn::GetAtt":
            parts = argument if isinstance(argument, list) else [argument]
            return "${" + ".".join(str(p) for p in parts) + "}"
        if key == "Fn::Sub":
            text = argument[0] if isinstance(argument, list) and argument else argument
            return scalar_source(text)
        return "${" + str(key) + "}"
    return scalar_source(raw)


def scalar_source(raw: Any) -> str:
    """Return the text of a scalar; an ellipsis for anything that is none."""
    return str(raw) if isinstance(raw, str | int | float) else "${…}"
