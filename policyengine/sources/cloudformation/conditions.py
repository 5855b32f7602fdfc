"""Conditions: which are decided, and which combinations of the others can occur.

A condition is undecided when it depends on a parameter without value or on a pseudo parameter that
is not given. Such inputs take, one after the other, the values they are compared with, their
``AllowedValues``, and one value that is none of these; what still cannot be compared is taken both ways.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from policyengine.model.resource import Path
from policyengine.model.values import Unresolved
from policyengine.sources.cloudformation.inputs import PSEUDO, Inputs, scalar_text
from policyengine.sources.cloudformation.loops import Scope, expand
from policyengine.sources.cloudformation.resolver import Resolver
from policyengine.sources.cloudformation.template import Template, kind_of, quoted
from policyengine.sources.cloudformation.usage import usage_of

MAX_BRANCHES: Final = 64
_MAX_TRIALS: Final = 4096
"""How many assignments are tried for one set of conditions."""
_ALL_TRIALS: Final = 50_000
"""How many for one template, so that odd templates end; what comes after them has too many branches."""
OTHER: Final = Unresolved("unresolved_reference", "a value that no condition compares with")

Branch = dict[str, bool]


class _Choice(Exception):
    """Evaluation needs the value of ``key``, which may be any of ``options``."""

    def __init__(self, key: str, options: tuple[Any, ...]) -> None:
        super().__init__(key)
        self.key = key
        self.options = options


class Conditions:
    """The conditions of one template, evaluated as far as its inputs are known."""

    def __init__(self, template: Template, inputs: Inputs) -> None:
        self.template = template
        self.inputs = inputs
        resolver = Resolver(template, inputs)
        members = expand(template, template.conditions, ("Conditions",), {}, resolver.collection)
        self._declared: dict[str, tuple[Any, Path, Scope]] = {n: (raw, p, s) for n, raw, p, s in members}
        self._operands: dict[str, tuple[Any, ...]] | None = None
        self._branches: dict[frozenset[str], list[Branch] | None] = {}
        self._trials_left = _ALL_TRIALS
        self._hidden = {n: p.value for n, p in inputs.parameters.items() if p.value is not p.shown}
        self._active: list[str] = []
        self._in_circles: set[str] = set()
        self.decided: Branch = {}
        self.undecided: set[str] = set()
        for name in self._declared:
            try:
                self.decided[name] = self._named(name, {}, ("Conditions", name))
            except _Choice:
                self.undecided.add(name)
        # `Fn::If` looks names up here; a loop's conditions exist under their unrolled names only
        template.conditions = {**template.conditions, **dict.fromkeys(self._declared)}

    def branches(self, names: frozenset[str]) -> list[Branch] | None:
        """Return the combinations of some undecided conditions that can occur, at most 64; None beyond.

        The order is fixed: by name, true before false.
        """
        if names not in self._branches:
            self._branches[names] = self._enumerate(sorted(names))
        return self._branches[names]

    def _enumerate(self, names: list[str]) -> list[Branch] | None:
        found: set[tuple[bool, ...]] = set()
        waiting: list[dict[str, Any]] = [{}]
        trials = 0
        while waiting:
            given = waiting.pop()
            trials += 1
            self._trials_left -= 1
            if trials > _MAX_TRIALS or self._trials_left < 0:
                return None
            try:
                found.add(tuple(self._named(name, given, ("Conditions", name)) for name in names))
            except _Choice as choice:
                waiting.extend({**given, choice.key: option} for option in choice.options)
            if len(found) > MAX_BRANCHES:
                return None
        return [dict(zip(names, values, strict=True)) for values in sorted(found, reverse=True)]

    def _named(self, name: str, given: Mapping[str, Any], place: Path) -> bool:
        if name in self.decided:
            return self.decided[name]
        if name in self._active:
            circle = [*self._active[self._active.index(name) :], name]
            if not self._in_circles.issuperset(circle):
                message = f"conditions refer to each other in a circle: {' → '.join(circle)}"
                self.template.error(message, place)
            self._in_circles.update(circle)
            return self._either(f"condition:{name}", given)
        declared = self._declared.get(name)
        if declared is None:
            if not self.template.more_ids:
                self.template.error(f"{quoted(name)} is no condition of this template", place)
            return self._either(f"condition:{name}", given)
        raw, path, scope = declared
        self._active.append(name)
        try:
            return self._test(raw, given, path, scope)
        finally:
            self._active.pop()

    def _either(self, key: str, given: Mapping[str, Any]) -> bool:
        """Return what was chosen for something that cannot be evaluated."""
        if key not in given:
            raise _Choice(key, (True, False))
        return bool(given[key])

    def _test(self, raw: Any, given: Mapping[str, Any], path: Path, scope: Scope) -> bool:
        if isinstance(raw, dict) and len(raw) == 1 and len(path) < 100:
            ((key, argument),) = raw.items()
            here = (*path, key)
            if key == "Condition" and isinstance(argument, str):
                return self._named(argument, given, here)
            if key == "Fn::Not" and isinstance(argument, list) and len(argument) == 1:
                return not self._test(argument[0], given, (*here, 0), scope)
            if key in ("Fn::And", "Fn::Or") and isinstance(argument, list) and argument:
                return self._connect(argument, given, here, scope, settles=key == "Fn::Or")
            if key == "Fn::Equals" and isinstance(argument, list) and len(argument) == 2:
                return self._equals(argument[0], argument[1], given, here, scope)
            if key == "Fn::Transform":
                return self._either(f"macro:{path}", given)
        shape = "expected `Fn::Equals`, `Fn::And`, `Fn::Or`, `Fn::Not` or `Condition`"
        self.template.error(f"a condition is {kind_of(raw)} that cannot be evaluated: {shape}", path)
        return self._either(f"error:{path}", given)

    def _connect(
        self, parts: list[Any], given: Mapping[str, Any], path: Path, scope: Scope, *, settles: bool
    ) -> bool:
        """Evaluate And or Or: any part that is ``settles`` decides, whatever the others wait for."""
        choice: _Choice | None = None
        for index, part in enumerate(parts):
            try:
                if self._test(part, given, (*path, index), scope) is settles:
                    return settles
            except _Choice as waiting:
                choice = choice or waiting
        if choice is not None:
            raise choice
        return not settles

    def _equals(self, left: Any, right: Any, given: Mapping[str, Any], path: Path, scope: Scope) -> bool:
        if left == right:
            return True
        values = [self._operand(raw, given, (*path, i), scope) for i, raw in enumerate((left, right))]
        if not any(_holds_unknown(v) for v in values):
            return bool(_comparable(values[0]) == _comparable(values[1]))
        # OTHER is by construction none of the literals its input is compared with
        if (values[0] is OTHER and isinstance(right, str)) or (values[1] is OTHER and isinstance(left, str)):
            return False
        shown = sorted(json.dumps(raw, sort_keys=True, default=repr) for raw in (left, right))
        chosen = sorted((k, repr(v)) for k, v in given.items() if not k.startswith("equals:"))
        inputs = usage_of([left, right]).references
        about = [pair for pair in chosen if pair[0] in inputs]
        return self._either(f"equals:{shown}:{about}:{sorted(scope)}", given)

    def _operand(self, raw: Any, given: Mapping[str, Any], path: Path, scope: Scope) -> Any:
        """Return a side of ``Fn::Equals``; raise _Choice for the first input that must be chosen."""
        if isinstance(raw, str) and "{{" not in raw:  # most sides; only a dynamic reference is no literal
            return raw
        for name in sorted(usage_of(raw).references):
            if name not in given and name not in scope and self._is_open(name, given):
                raise _Choice(name, self._options(name))
        resolver = Resolver(self.template, self.inputs, {}, scope, {**self._hidden, **given})
        return resolver.value(raw, (), path)

    def _is_open(self, name: str, given: Mapping[str, Any]) -> bool:
        parameter = self.inputs.parameters.get(name)
        if parameter is not None:
            return isinstance(parameter.value, Unresolved)
        region = given.get("AWS::Region")
        known = self.inputs.pseudo(name, region if isinstance(region, str) else None)
        return name in PSEUDO and isinstance(known, Unresolved)

    def _options(self, name: str) -> tuple[Any, ...]:
        """Return the values an input may take, as far as conditions tell them apart."""
        if self._operands is None:
            self._operands = _operands([raw for raw, _, _ in self._declared.values()])
        compared = self._operands.get(name, ())
        parameter = self.inputs.parameters.get(name)
        declared: Mapping[str, Any] = parameter.declared if parameter else {}
        allowed = declared.get("AllowedValues")
        if isinstance(allowed, list) and allowed:
            texts = list(dict.fromkeys(scalar_text(v) for v in allowed if not isinstance(v, dict | list)))
            if _COMPOUND in compared:
                return tuple(texts[:_MAX_TRIALS])
            others = [t for t in texts if t not in compared][:1]
            return tuple([t for t in texts if t in compared] + others)
        never_empty = _never_empty(declared)
        return (*(v for v in compared if v is not _COMPOUND and (v or not never_empty)), OTHER)


_COMPOUND: Final = object()
"""Stands among an input's operands when a function of it is compared, not the input itself."""


def _operands(conditions: list[Any]) -> dict[str, tuple[Any, ...]]:
    """Return input -> the literals it is compared with, and _COMPOUND."""
    found: dict[str, dict[Any, None]] = {}
    waiting: list[Any] = list(conditions)
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            waiting.extend(value.values())
            sides = value.get("Fn::Equals")
            if isinstance(sides, list) and len(sides) == 2:
                for side, other in ((sides[0], sides[1]), (sides[1], sides[0])):
                    _note_operand(found, side, other)
    return {name: tuple(values) for name, values in found.items()}


def _note_operand(found: dict[str, dict[Any, None]], side: Any, other: Any) -> None:
    if isinstance(side, dict) and set(side) == {"Ref"} and isinstance(side["Ref"], str):
        if isinstance(other, str | int | float):
            found.setdefault(side["Ref"], {})[scalar_text(other)] = None
        return
    for name in usage_of(side).references:
        found.setdefault(name, {})[_COMPOUND] = None


def _never_empty(declared: Mapping[str, Any]) -> bool:
    """A value is demanded by ``MinLength``, or by a type that names something that exists."""
    least = declared.get("MinLength")
    if isinstance(least, str | int) and str(least).isdigit() and int(str(least)[:9]) > 0:
        return True
    return str(declared.get("Type")).startswith(("AWS::EC2::", "AWS::Route53::"))


def _holds_unknown(value: Any) -> bool:
    if isinstance(value, list):
        return any(_holds_unknown(v) for v in value)
    return isinstance(value, Unresolved) or not isinstance(value, str | int | float)


def _comparable(value: Any) -> Any:
    return [scalar_text(v) for v in value] if isinstance(value, list) else scalar_text(value)
