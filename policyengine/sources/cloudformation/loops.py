"""``Fn::ForEach``: one mapping with loops in it, as the mapping it stands for.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from policyengine.model.resource import Path
from policyengine.model.values import Unresolved
from policyengine.sources.cloudformation.template import Template, kind_of

PREFIX: Final = "Fn::ForEach::"
MAX_TURNS: Final = 20_000
"""How often all loops of one template may turn; a stack has at most 500 resources."""

Scope = dict[str, Any]
Member = tuple[str, Any, Path, Scope]
Collection = Callable[[Any, Path, Scope], list[str] | Unresolved]

_NOT_ALPHANUMERIC: Final = re.compile(r"[^A-Za-z0-9]")


def has_loop(mapping: dict[str, Any]) -> bool:
    """Say whether any key of a mapping is a loop."""
    return any(key.startswith(PREFIX) for key in mapping)


def substitute(text: str, scope: Scope) -> str:
    """Return text with the loop variables of ``scope`` put in; an unknown one stays as written."""
    for name, value in scope.items():
        if isinstance(value, str) and "{" in text:
            text = text.replace("${" + name + "}", value)
            text = text.replace("&{" + name + "}", _NOT_ALPHANUMERIC.sub("", value))
    return text


def expand(
    template: Template, mapping: dict[str, Any], path: Path, scope: Scope, collection: Collection
) -> Iterator[Member]:
    """Yield (key, value, place, loop variables) for every member, loops unrolled.

    A loop over a list that is not known gives its members once, the variable Unresolved. What goes
    beyond MAX_TURNS is an error of the template and left out.
    """
    for key, raw in mapping.items():
        here = (*path, key)
        if not key.startswith(PREFIX):
            yield (substitute(key, scope) if scope else key), raw, here, scope
            continue
        loop = _loop(template, raw, here)
        if loop is None:
            continue
        name, values, body = loop
        found = collection(values, (*here, 1), scope)
        if isinstance(found, Unresolved):
            template.more_ids = True
        for value in [found] if isinstance(found, Unresolved) else found:
            template.turns += 1
            if template.turns > MAX_TURNS:
                template.error(f"the loops of this template turn more than {MAX_TURNS:,} times", here)
                return
            yield from expand(template, body, (*here, 2), {**scope, name: value}, collection)


def _loop(template: Template, raw: Any, path: Path) -> tuple[str, Any, dict[str, Any]] | None:
    shape = "expected `[name, values, {key: body}]`"
    if not isinstance(raw, list) or len(raw) != 3:
        template.error(f"`{path[-1]}` is {kind_of(raw)}: {shape}", path)
    elif not isinstance(raw[0], str):
        template.error(f"the variable of `{path[-1]}` is {kind_of(raw[0])}: {shape}", (*path, 0))
    elif not isinstance(raw[2], dict):
        template.error(f"the body of `{path[-1]}` is {kind_of(raw[2])}: {shape}", (*path, 2))
    else:
        return raw[0], raw[1], raw[2]
    return None
