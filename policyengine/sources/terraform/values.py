"""The planned value of one resource: ``after`` with its unknowns and secrets marked in the tree.

``after_unknown`` and ``after_sensitive`` mirror ``after`` with ``true`` where a value is unknown or
sensitive (https://developer.hashicorp.com/terraform/internals/json-format#change-representation).

A value that is unknown although the configuration says nothing about it is one the provider or AWS
will choose. CloudFormation says the same by leaving the property out, so it is left out here too and
AWS's default decides. Only an expression in the configuration makes a value ``known_after_apply``.

For a block that silence proves nothing: the plan's configuration shows neither ``dynamic`` blocks nor
blocks the provider reads as attributes (``ingress`` of a security group). A block that is wholly unknown
is therefore ``known_after_apply``, unless ``--terraform-source`` shows that no ``dynamic`` block writes it
(see ``scanner.py``).

A sensitive value never enters a resource: it becomes ``Unresolved("redacted", present=True)``, so no
report, message or run directory can show it whatever they do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from policyengine.model.values import OpenList, Unresolved

Target = tuple[str, str]
"""(address, attribute)."""


class Expression(NamedTuple):
    """What the configuration says an attribute refers to; never its value."""

    references: tuple[str, ...]


class Pending(NamedTuple):
    """A value known after apply; ``targets`` are the plan's resources it refers to."""

    targets: tuple[Target, ...]
    detail: str

    def scalar(self) -> Unresolved:
        """Return the value as a single one."""
        target = self.targets[0] if len(self.targets) == 1 else None
        return Unresolved("known_after_apply", self.detail, present=target is not None, target=target)

    def many(self) -> Any:
        """Return the value as a list: what is referred to is in it, and maybe more."""
        if not self.targets:
            return self.scalar()
        items = [Unresolved("known_after_apply", self.detail, present=True, target=t) for t in self.targets]
        return OpenList(items, Unresolved("known_after_apply", self.detail))


class _Lost:
    """The configuration of this place cannot be told."""


LOST: Final = _Lost()
HIDDEN: Final = _Lost()
"""The configuration does not show this block, which may be a ``dynamic`` one."""
MISSING: Final = object()
"""The configuration does not mention this place."""

Resolver = Callable[[Sequence[str]], tuple[Target, ...]]

_HIDDEN = "a plan does not show whether it is a `dynamic` block: `--terraform-source` does"

_ALWAYS_THERE = frozenset({"id", "arn"})


class Builder:
    """Builds the tree of one resource. ``hidden`` names blocks the configuration may hide."""

    def __init__(self, resolve: Resolver, hidden: frozenset[str] = frozenset()) -> None:
        self._resolve = resolve
        self._hidden = hidden

    def tree(self, change: Mapping[str, Any], expressions: Any) -> dict[str, Any]:
        """Return the attributes that have a value: JSON, Pending or Unresolved leaves, no nulls.

        Raises TypeError when the plan says that the resource as a whole is unknown or sensitive.
        """
        after = change.get("after")
        config = expressions if isinstance(expressions, dict) else LOST
        unknown, sensitive = change.get("after_unknown"), change.get("after_sensitive")
        built = self._build(after, unknown, sensitive, config)
        if not isinstance(built, dict):
            raise TypeError("the planned value is no object")
        return built

    def _build(self, after: Any, unknown: Any, sensitive: Any, config: Any) -> Any:
        if unknown is True:
            return self._pending(config)
        if sensitive is True:
            if after is None or after in ("", [], {}):
                return after
            return Unresolved("redacted", "Terraform marks it as sensitive", present=True)
        if isinstance(after, dict) or (after is None and isinstance(unknown, dict) and unknown):
            return self._object(after or {}, unknown, sensitive, config)
        if isinstance(after, list) or (after is None and isinstance(unknown, list) and unknown):
            return self._list(after or [], unknown, sensitive, config)
        return after

    def _object(self, after: dict[str, Any], unknown: Any, sensitive: Any, config: Any) -> dict[str, Any]:
        unknown = unknown if isinstance(unknown, dict) else {}
        hidden = sensitive if isinstance(sensitive, dict) else {}
        if not unknown and not hidden and not _has_nested(after):
            return {k: v for k, v in after.items() if v is not None}
        found: dict[str, Any] = {}
        for key in [*after, *(k for k in unknown if k not in after)]:
            below = _below(config, key)
            if unknown.get(key) is True and below is MISSING:
                if key not in _ALWAYS_THERE and key not in self._hidden:
                    continue
                below = HIDDEN if key in self._hidden else LOST
            value = self._build(after.get(key), unknown.get(key), hidden.get(key), below)
            if value is not None:
                found[key] = value
        return found

    def _list(self, after: list[Any], unknown: Any, sensitive: Any, config: Any) -> list[Any]:
        marks = unknown if isinstance(unknown, list) else []
        hidden = sensitive if isinstance(sensitive, list) else []
        length = max(len(after), len(marks))
        pending = sum(1 for mark in marks if mark is True)
        targets: tuple[Target, ...] = ()
        if pending and isinstance(config, Expression):
            targets = self._resolve(config.references)
        each = iter(targets) if len(targets) == pending else None
        found = []
        for at in range(length):
            value = after[at] if at < len(after) else None
            mark = marks[at] if at < len(marks) else None
            if mark is True:
                found.append(self._element(each, config))
                continue
            built = self._build(
                value, mark, hidden[at] if at < len(hidden) else None, _body(config, at, value, length)
            )
            if built is not None:
                found.append(built)
        return found

    def _element(self, each: Any, config: Any) -> Pending:
        target = next(each, None) if each is not None else None
        if target is not None:
            return Pending((target,), f"{target[0]}.{target[1]}")
        known = self._pending(config)
        return Pending((), known.detail)

    def _pending(self, config: Any) -> Pending:
        if not isinstance(config, Expression):
            return Pending((), _HIDDEN if config is HIDDEN else "")
        targets = self._resolve(config.references)
        detail = config.references[0] if config.references else ""
        if len(targets) == 1:
            detail = f"{targets[0][0]}.{targets[0][1]}"
        return Pending(targets, detail)


def _has_nested(after: dict[str, Any]) -> bool:
    return any(v.__class__ is dict or v.__class__ is list for v in after.values())


def expression(node: Any) -> Expression | None:
    """Return the expression a configuration node stands for; None when it is a block."""
    if not isinstance(node, dict):
        return None
    references = node.get("references")
    if isinstance(references, list):
        return Expression(tuple(r for r in references if isinstance(r, str)))
    return Expression(()) if not node or "constant_value" in node else None


def _below(config: Any, key: str) -> Any:
    """Step from a block of the configuration to one of its attributes or blocks."""
    if isinstance(config, _Lost | Expression):
        return config
    if not isinstance(config, dict):
        return LOST
    if key not in config:
        return MISSING
    node = config[key]
    return expression(node) or node


def _body(config: Any, at: int, value: Any, length: int) -> Any:
    """Find the block of the configuration that made element ``at``.

    Sets lose the order of their blocks, so with several blocks the one whose constants agree with
    the element is taken, if there is exactly one.
    """
    if isinstance(config, Expression):
        return config
    if isinstance(config, dict):
        return config
    if not isinstance(config, list):
        return LOST
    if len(config) == 1 and length == 1:
        return config[0]
    agreeing = [body for body in config if _agrees(body, value)]
    return agreeing[0] if len(agreeing) == 1 else LOST


def _agrees(body: Any, value: Any) -> bool:
    if not isinstance(body, dict) or not isinstance(value, dict):
        return False
    constants = {
        k: v["constant_value"] for k, v in body.items() if isinstance(v, dict) and "constant_value" in v
    }
    return all(_same(value.get(k), v) for k, v in constants.items())


def _same(planned: Any, constant: Any) -> bool:
    if isinstance(planned, list) and isinstance(constant, list):
        return sorted(map(str, planned)) == sorted(map(str, constant))
    return planned == constant or str(planned) == str(constant)
