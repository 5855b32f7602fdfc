"""From what a rule requires to the changes that would meet it: the rule's own words say the value.

Only properties of :mod:`policyengine.fix.knowledge` are set. A requirement that leaves a choice nobody made for it,
asks about other resources, or says what must not be there, has no mechanical fix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from policyengine.engine.access import walk
from policyengine.engine.nodes import ConnectiveNode, FieldNode, Node, QuantifierNode
from policyengine.engine.predicate_node import PredicateNode
from policyengine.fix.changes import APPEND, Change, Put, put
from policyengine.fix.knowledge import Effect, Known, known
from policyengine.model.logic import FALSE, TRUE
from policyengine.model.resource import Path, Resource
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.predicates.api import Subject

MOST_CHANGES: Final = 500

_CHOICES: Final = {
    "kms.customer_managed": "which key it shall be is for you to say",
    "lifecycle.supported": "which version it shall be is for you to say",
    "secrets.none_written": "where the secret shall stand is for you to say",
    "tags.no_placeholders": "the value is for you to say",
}
"""Predicate -> what a person has to decide to meet it."""


class NotMechanicalError(Exception):
    """Why a requirement says nothing that could be written without asking somebody."""


Handler = Callable[[PredicateNode, Subject], list[Change]]


class Derivation:
    """What one resource needs for one requirement. ``handlers`` answer for predicates that they can meet."""

    def __init__(
        self, subject: Subject, handlers: Mapping[str, Handler], tag: Callable[[Resource, str], list[Change]]
    ) -> None:
        self.subject = subject
        self.resource: Resource = subject.resource
        self._handlers = handlers
        self._tag = tag

    def changes(self, node: Node) -> list[Change]:
        """Return the changes that would make a requirement true. Raises NotMechanicalError."""
        found = self._meet(node, self.resource, (), wanted=True)
        if len(found) > MOST_CHANGES:
            raise NotMechanicalError(f"it would take more than {MOST_CHANGES} changes")
        return found

    def _meet(self, node: Node, scope: Any, at: Path, *, wanted: bool) -> list[Change]:
        if node.decide(scope, self.subject) is (TRUE if wanted else FALSE):
            return []
        if isinstance(node, FieldNode):
            return self._field(node, scope, at, wanted=wanted)
        if isinstance(node, QuantifierNode):
            return self._quantifier(node, scope, at, wanted=wanted)
        if isinstance(node, ConnectiveNode):
            return self._connective(node, scope, at, wanted=wanted)
        if isinstance(node, PredicateNode):
            return self._predicate(node, scope, wanted=wanted)
        raise NotMechanicalError("the requirement is of a kind that no fix is known for")

    def _connective(self, node: ConnectiveNode, scope: Any, at: Path, *, wanted: bool) -> list[Change]:
        below = wanted if node.kind != "none" else not wanted
        if (node.kind != "any") is wanted:  # each of them has to become so
            return [c for child in node.children for c in self._meet(child, scope, at, wanted=below)]
        why: NotMechanicalError | None = None
        for child in node.children:
            try:
                return self._meet(child, scope, at, wanted=below)
            except NotMechanicalError as error:
                why = why or error
        raise why or NotMechanicalError("nothing would meet the requirement")

    def _quantifier(self, node: QuantifierNode, scope: Any, at: Path, *, wanted: bool) -> list[Change]:
        _own(node)
        value = node.get(scope, self.subject)
        place = (*at, *node.path)
        elements = value if isinstance(value, list) else []
        if value is not ABSENT and not isinstance(value, list):
            raise NotMechanicalError(_why_not(value, place))
        if node.universal is not wanted:
            # `some` that shall be true, `every` that shall be false: one element more
            if not wanted:
                raise NotMechanicalError(f"{_shown(place)} would need an element that breaks a requirement")
            return [self._new_element(node.inner, place)]
        if not elements and wanted:
            return [self._new_element(node.inner, place)]
        return [
            change
            for index, element in enumerate(elements)
            for change in self._meet(node.inner, element, (*place, index), wanted=wanted)
        ]

    def _new_element(self, inner: Node, place: Path) -> Change:
        """Return the change that adds an element that meets a requirement."""
        below = (*place, 0)
        element: Any = {}
        effects: dict[Effect, None] = {}
        for change in self._meet(inner, {}, below, wanted=True):
            about = known(self.resource.type, change.steps) if isinstance(change, Put) else None
            if not isinstance(change, Put) or about is None or not about.new:
                raise NotMechanicalError(f"{_shown(place)} needs an element of yours")
            rest = change.steps[len(below) :]
            effects |= dict.fromkeys(change.effects)
            if rest:
                put({}, element, rest, change.value)
            else:
                element = change.value
        if element == {}:
            raise NotMechanicalError(f"{_shown(place)} needs an element of yours")
        return Put(self.resource.id, (*place, APPEND), element, tuple(effects))

    def _field(self, node: FieldNode, scope: Any, at: Path, *, wanted: bool) -> list[Change]:
        if (
            node.root == "tags"
            and node.steps
            and wanted
            and node.operator == "is"
            and node.expected == "present"
        ):
            return self._tag(self.resource, node.steps[0])
        _own(node)
        place = (*at, *node.path)
        value = node.get(scope, self.subject)
        if isinstance(value, Unresolved):
            raise NotMechanicalError(_why_not(value, place))
        about = known(self.resource.type, place)
        if about is None:
            raise NotMechanicalError(f"what else goes with {_shown(place)} is for you to say")
        clash = next((name for name in about.not_with if name in self.resource.properties), None)
        if clash is not None:
            raise NotMechanicalError(f"{_shown(place)} does not go with `{clash}`")
        new = _value(node, about, wanted=wanted)
        if not about.takes(new):
            raise NotMechanicalError(f"{_shown(place)} is never set to {new!r}")
        steps = (*place, APPEND) if node.operator == "contains" and isinstance(value, list) else place
        effects = self._effects(about)
        return [Put(self.resource.id, steps, new, effects), *self._also(about, effects)]

    def _also(self, about: Known, effects: tuple[Effect, ...]) -> list[Change]:
        """Return what has to be set with a property and is not yet: what is there stays, but for a switch."""
        found: list[Change] = []
        for name, value in about.also.items():
            steps = tuple(name.split("."))
            now = walk(self.resource.properties, steps)
            if now is ABSENT or (isinstance(value, bool) and now != value):
                found.append(Put(self.resource.id, steps, value, effects))
        return found

    def _effects(self, about: Known) -> tuple[Effect, ...]:
        present = [*self.resource.properties, *self.resource.related]
        return about.effects_beside(present)

    def _predicate(self, node: PredicateNode, scope: Any, *, wanted: bool) -> list[Change]:
        name = node.name
        handler = self._handlers.get(name if wanted else f"not {name}")
        if handler is None or scope is not self.resource:
            raise NotMechanicalError(_CHOICES.get(name, f"`{name}` can be met in many ways"))
        return handler(node, self.subject)


def _own(node: FieldNode | QuantifierNode) -> None:
    """Raise NotMechanicalError unless a node reads the resource's own properties."""
    if node.root in ("with", "related"):
        raise NotMechanicalError(f"it depends on other resources (`{node.root}.{node.steps[0]}`)")
    if node.root not in ("properties", "element"):
        raise NotMechanicalError(f"{_shown(node.path)} is no property")


def _value(node: FieldNode, about: Known, *, wanted: bool) -> Any:
    """Return the value that meets one comparison."""
    expected, operator = node.expected, node.operator
    if about.values and wanted and operator in ("at_least", "at_most"):
        fitting = [v for v in about.values if (v >= expected if operator == "at_least" else v <= expected)]
        if fitting:
            return min(fitting) if operator == "at_least" else max(fitting)
    if operator in ("equals", "at_least", "at_most", "contains") and wanted:
        return expected
    if operator in ("equals", "not_equals") and isinstance(expected, bool):
        return not expected
    if operator == "in" and wanted:
        if about.choose in expected:
            return about.choose
        if len(expected) == 1:
            return expected[0]
    if about.choose is not None and operator != "is":
        return about.choose
    if operator == "is" and wanted and expected == "present" and about.choose is not None:
        return about.choose
    if operator == "is":
        present = (expected == "present") is wanted
        raise NotMechanicalError(
            f"{_shown(node.path)} needs a value of yours"
            if present
            else f"{_shown(node.path)} would have to go"
        )
    raise NotMechanicalError(f"{_shown(node.path)} may have one of several values")


def _why_not(value: Any, place: Path) -> str:
    if isinstance(value, Unresolved):
        return f"{_shown(place)} is not written in the template: {value.describe()}"
    return f"{_shown(place)} has another type"


def _shown(path: Path) -> str:
    return "`" + ".".join(str(step) for step in path) + "`"
