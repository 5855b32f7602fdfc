"""The arguments of a predicate in a rule: checked against what it declares, and written into the form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from policyengine.rules import schema as s
from policyengine.rules.names import unknown
from policyengine.rules.parameters import check_value
from policyengine.rules.predicates.api import Arg, Predicate
from policyengine.rules.predicates.table import PREDICATES

DocPath = tuple[str | int, ...]
Report = Callable[[DocPath, str], None]
"""Called with the place in the rule document and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What arguments may name where a predicate stands: ``path`` and ``parameter`` check a name, report what is
    wrong with it and return what the form has for it."""

    report: Report
    type: str | None
    relations: Mapping[str, Any]
    path: Callable[[str, DocPath], list[str] | None]
    parameter: Callable[[str, DocPath], Any]

    def form(self, node: s.PredicateCheck, at: DocPath) -> dict[str, Any] | None:
        """Return the form of a predicate; None where there is none of that name."""
        name, arguments = next(iter(node.root.items()))
        predicate = PREDICATES.get(name)
        if predicate is None:
            self.report(at, unknown("predicate", name, PREDICATES))
            return None
        if predicate.types and self.type not in predicate.types:
            self.report(at, f"`{name}` is about {', '.join(predicate.types)}, not {self.type}")
        for key in arguments:
            if key not in predicate.args:
                self.report((*at, name, key), unknown(f"argument of {name}", key, predicate.args))
        bound = {}
        for key, arg in predicate.args.items():
            if key in arguments:
                bound[key] = self._argument(arg, arguments[key], (*at, name, key))
            elif arg.required:
                self.report(at, f"`{name}` needs the argument `{key}` ({arg.help or arg.kind})")
        if predicate.problem is not None and _may_be_asked(predicate, bound):
            problem = predicate.problem(bound)
            if problem is not None:
                self.report((*at, name), problem)
        return {"op": "predicate", "name": name, "args": bound}

    def _argument(self, arg: Arg, value: Any, place: DocPath) -> Any:
        if isinstance(value, str) and value.startswith("$"):
            return self.parameter(value, place)
        if arg.kind == "path":
            steps = self.path(value, place) if isinstance(value, str) else None
            return None if steps is None else {"path": steps}
        if arg.kind == "alias":
            if value not in self.relations:
                self.report(place, unknown("alias of `with`", str(value), self.relations))
            return value
        problem = check_value({"type": arg.kind}, value)
        if problem:
            self.report(place, problem)
        return self._inside(value, place) if arg.kind == "json" else value

    def _inside(self, value: Any, place: DocPath) -> Any:
        """Return a JSON argument with the parameters inside marked; ``${...}`` is a policy variable."""
        if isinstance(value, str) and value.startswith("$") and not value.startswith("${"):
            return self.parameter(value, place)
        if isinstance(value, dict):
            return {key: self._inside(item, (*place, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._inside(item, (*place, index)) for index, item in enumerate(value)]
        return value


def _may_be_asked(predicate: Predicate, bound: Mapping[str, Any]) -> bool:
    """Whether ``problem`` can be asked: every argument is constant and of its kind; what is not is told already."""
    for name, value in bound.items():
        kind = predicate.args[name].kind
        if value is None or _is_open(value):
            return False
        if kind not in ("path", "alias") and check_value({"type": kind}, value) is not None:
            return False
    return True


def _is_open(value: Any) -> bool:
    """Whether an argument depends on parameters."""
    if isinstance(value, dict):
        return "$" in value or any(_is_open(item) for item in value.values())
    return isinstance(value, list) and any(_is_open(item) for item in value)
