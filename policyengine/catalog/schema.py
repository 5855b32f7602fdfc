"""The property tree of one type: what a rule may name, and of which kind it is.

Paths are tuples of steps. An element of a list is the step ``*``: the port of a listener is
``("Listeners", "*", "Port")``. ``related`` and ``with`` never appear here except as the first step
``related``. A free-form value (a policy document) is ``json``, and so is everything below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

SCALARS = {"s": "string", "i": "integer", "n": "number", "b": "boolean", "j": "json"}
_CODES = {name: code for code, name in SCALARS.items()}

Node = Any
"""``"s" "i" "n" "b" "j"``, ``"#Definition"``, ``[element]``, ``{name: node}``; ``{"*": node}`` is a map."""


class Kind(NamedTuple):
    """``name`` is string, integer, number, boolean, json, list or object.

    ``element`` is the kind of a list's elements, or of the values of an object whose keys are free
    (a map); None for an object with declared properties.
    """

    name: str
    element: Kind | None = None

    def __str__(self) -> str:
        if self.element is None:
            return self.name
        return f"{'list' if self.name == 'list' else 'map'} of {self.element}"


JSON = Kind("json")


def parse_kind(text: str) -> Node:
    """Return the node for a declared kind: ``string``, ``list:<kind>``, ``map:<kind>``, ``object`` …

    Raises ValueError for any other word.
    """
    head, _, rest = text.partition(":")
    if head == "list" and rest:
        return [parse_kind(rest)]
    if head == "map" and rest:
        return {"*": parse_kind(rest)}
    if text == "object":
        return {}
    if text in _CODES:
        return _CODES[text]
    raise ValueError(f"`{text}` is no kind")


def split_path(text: str) -> tuple[str, ...]:
    """Return the steps of a dotted path; a step with dots is written in double quotes.

    ``Attributes."access_logs.s3.enabled"`` has two steps. Raises ValueError when a quote is not
    closed or a step is empty.
    """
    if '"' not in text:
        steps = text.split(".")
    else:
        steps = []
        rest = text
        while rest:
            if rest.startswith('"'):
                step, quote, rest = rest[1:].partition('"')
                if not quote or (rest and not rest.startswith(".")):
                    raise ValueError(f"`{text}` has a quote that is not closed")
                rest = rest[1:]
            else:
                step, _, rest = rest.partition(".")
            steps.append(step)
    if not all(steps):
        raise ValueError(f"`{text}` has an empty step")
    return tuple(steps)


def join_path(steps: tuple[str, ...]) -> str:
    """Return the dotted text of a path; the inverse of :func:`split_path`."""
    return ".".join(f'"{s}"' if "." in s else s for s in steps)


class Schema:
    """The properties of one type, registry schema and our own declarations together.

    ``primary`` are the registry's primary identifier properties, ``read_only`` the ones AWS fills
    in (no template has them), ``required`` the ones every template must have. All are top-level
    names except that ``read_only`` may hold dotted paths.
    """

    __slots__ = ("_definitions", "_root", "extra", "primary", "read_only", "required", "type")

    def __init__(self, type: str, data: Mapping[str, Any], extra: Mapping[str, Node]) -> None:
        self.type = type
        self._definitions: Mapping[str, Node] = data.get("d", {})
        self._root: dict[str, Node] = dict(data.get("p", {}))
        self.primary = tuple(data.get("id", ()))
        self.read_only = frozenset(data.get("ro", ()))
        self.required = frozenset(data.get("req", ()))
        self.extra = tuple(extra)
        for dotted, node in extra.items():
            self._add(split_path(dotted), node)

    def _add(self, steps: tuple[str, ...], node: Node) -> None:
        at = self._root
        for step in steps[:-1]:
            below = at.get(step)
            below = dict(self._resolve(below)) if isinstance(self._resolve(below), dict) else {}
            at[step] = below
            at = below
        known = at.get(steps[-1])
        at[steps[-1]] = {**known, **node} if isinstance(known, dict) and isinstance(node, dict) else node

    def _resolve(self, node: Node) -> Node:
        while isinstance(node, str) and node.startswith("#"):
            node = self._definitions[node[1:]]
        return node

    def _node(self, path: tuple[str, ...]) -> Node | None:
        node: Node = self._root
        for step in path:
            node = self._resolve(node)
            if node == "j":
                return "j"
            if isinstance(node, list):
                if step != "*":
                    return None
                node = node[0]
            elif isinstance(node, dict):
                if step in node:
                    node = node[step]
                elif "*" in node:
                    node = node["*"]
                else:
                    return None
            else:
                return None
        return self._resolve(node)

    def kind(self, path: tuple[str, ...]) -> Kind | None:
        """Return the kind of the property at ``path``; None when the type has no such property."""
        node = self._node(path)
        return None if node is None else self._kind(node)

    def _kind(self, node: Node) -> Kind:
        node = self._resolve(node)
        if isinstance(node, str):
            return Kind(SCALARS[node])
        if isinstance(node, list):
            return Kind("list", self._kind(node[0]))
        return Kind("object", self._kind(node["*"]) if "*" in node else None)

    def children(self, path: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return the sorted names a path may go on with (a list's are its elements'); () where none."""
        node = self._node(path)
        while isinstance(node, list):
            node = self._resolve(node[0])
        return tuple(sorted(k for k in node if k != "*")) if isinstance(node, dict) else ()
