"""The property tree of one type: what a rule may name, and of which kind it is.

Paths are tuples of steps. Lists are stepped through without a step of their own: the port of a
classic load balancer's listener is ``("Listeners", "LoadBalancerPort")``; an element may also be
named, as the step ``*``. What a source folds in stands below the first step ``related``. A free-form
value (a policy document) is ``json``, and so is everything below it.
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
        self._definitions: dict[str, Node] = dict(data.get("d", {}))
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
            at = self._open(at, step)
        last = steps[-1]
        known = self.resolve(at.get(last))
        at[last] = {**known, **node} if isinstance(known, dict) and isinstance(node, dict) else node

    def _open(self, at: dict[str, Node], step: str) -> dict[str, Node]:
        """Return a private, writable copy of the object (or the list's elements) below a step."""
        below = self.resolve(at.get(step))
        if isinstance(below, list):
            element = self.resolve(below[0])
            copy = dict(element) if isinstance(element, dict) else {}
            at[step] = [copy]
        else:
            copy = dict(below) if isinstance(below, dict) else {}
            at[step] = copy
        return copy

    def resolve(self, node: Node) -> Node:
        """Return what a node that is a reference stands for; any other node as it is."""
        while isinstance(node, str) and node.startswith("#"):
            node = self._definitions[node[1:]]
        return node

    def find(self, path: tuple[str, ...]) -> Node | None:
        """Return the node at a path (the properties themselves at ``()``); None where the type has none."""
        node: Node = self._root
        for step in path:
            node = self.resolve(node)
            if step == "*" and isinstance(node, list):
                node = node[0]
                continue
            while isinstance(node, list):
                node = self.resolve(node[0])
            if node == "j":
                return "j"
            if not isinstance(node, dict):
                return None
            node = node.get(step, node.get("*"))
            if node is None:
                return None
        return self.resolve(node)

    def kind(self, path: tuple[str, ...]) -> Kind | None:
        """Return the kind of the property at ``path``; None when the type has no such property.

        A property inside a list's elements has the kind it has in one element.
        """
        node = self.find(path)
        return None if node is None else self._kind(node)

    def _kind(self, node: Node) -> Kind:
        node = self.resolve(node)
        if isinstance(node, str):
            return Kind(SCALARS[node])
        if isinstance(node, list):
            return Kind("list", self._kind(node[0]))
        return Kind("object", self._kind(node["*"]) if "*" in node else None)

    def add_related(self, name: str, node: Node, definitions: Mapping[str, Node]) -> None:
        """Declare what stands under ``related.<name>``: a list of ``node``, merged with what is there."""
        self._definitions.update(definitions)
        known = self.resolve(self._open(self._root, "related").get(name))
        element = known[0] if isinstance(known, list) else {}
        if isinstance(element, dict) and isinstance(node, dict):
            node = {**element, **node}
        self._root["related"][name] = [node]

    def children(self, path: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return the sorted names a path may go on with (a list's are its elements'); () where none."""
        node = self.find(path)
        while isinstance(node, list):
            node = self.resolve(node[0])
        return tuple(sorted(k for k in node if k != "*")) if isinstance(node, dict) else ()


def transplant(data: Mapping[str, Any], prefix: str) -> tuple[dict[str, Node], dict[str, Node]]:
    """Return (properties, definitions) of a type, its definitions renamed so that they fit in another."""
    definitions = {f"{prefix}/{name}": _rename(node, prefix) for name, node in data.get("d", {}).items()}
    return {name: _rename(node, prefix) for name, node in data.get("p", {}).items()}, definitions


def _rename(node: Node, prefix: str) -> Node:
    if isinstance(node, str):
        return f"#{prefix}/{node[1:]}" if node.startswith("#") else node
    if isinstance(node, list):
        return [_rename(node[0], prefix)]
    return {name: _rename(below, prefix) for name, below in node.items()}
