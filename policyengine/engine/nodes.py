"""The check tree: every node decides fast and explains on demand.

``decide(scope, subject)`` returns a Truth and allocates nothing; ``explain(scope, subject, at,
wanted)`` returns the same Truth with the evidence for it. Both walk the same tests and getters,
and ``tests/engine/test_decide_equals_explain.py`` holds them against each other.

``wanted`` is the truth the rule needs of this node (False below ``none``): it chooses the words
of ``expected`` and which reason a piece of evidence carries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from policyengine.engine.access import PLAIN, Getter, Mistyped, Steps, walk
from policyengine.engine.operators import EQUALITY, NEGATIVE, Test, describe
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN, Truth, conjunction, disjunction, negate, truth_of
from policyengine.model.resource import Path, Resource
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.rules.predicates.api import Subject

Explanation = tuple[Truth, Sequence[Evidence]]
_new = tuple.__new__  # a third of the time of a named tuple's own constructor


class Node(Protocol):
    """One check of the tree."""

    decide: Callable[[Any, Subject], Truth]

    def explain(self, scope: Any, subject: Subject, at: Path, wanted: bool) -> Explanation:
        """Return the truth and the evidence for it; ``at`` is the path of ``scope``."""
        ...


class DefaultValue:
    """An AWS default that holds where ``steps[:length]`` is absent.

    ``deployed``, where it is not None, is what absence means on a resource that exists.
    """

    __slots__ = ("deployed", "length", "provenance", "unless", "value")

    def __init__(
        self, length: int, value: Any, unless: Sequence[str], provenance: str, deployed: Any = None
    ) -> None:
        self.length = length
        self.value = value
        self.unless = tuple(tuple(name.split(".")) for name in unless)
        self.provenance = provenance
        self.deployed = deployed


def apply_defaults(
    defaults: Sequence[DefaultValue], scope: Any, steps: Steps, *, exists: bool | None = None
) -> tuple[Any, str | None]:
    """Return (value, provenance) for a path that is absent; (ABSENT, None) without a default.

    ``scope`` is a resource, or an element of one; ``exists``: no code declares it, it runs. A resource says it.
    """
    if exists is None:
        exists = isinstance(scope, Resource) and scope.file is None
    tree = scope.properties if isinstance(scope, Resource) else scope
    for default in defaults:
        if walk(tree, steps[: default.length]) is not ABSENT:
            continue
        if any(walk(tree, name) is not ABSENT for name in default.unless):
            names = ", ".join(".".join(name) for name in default.unless)
            return Unresolved("default_depends", f"on {names}"), None
        there = exists and default.deployed is not None
        value = walk(default.deployed if there else default.value, steps[default.length :])
        if value is not ABSENT:
            return value, default.provenance
    return ABSENT, None


def default_of(
    defaults: Sequence[DefaultValue], root: str, steps: Steps, scope: Any, subject: Subject
) -> tuple[Any, str | None]:
    """Return the default for an absent path; below ``with`` that of the one related resource there is."""
    if root != "with":
        return apply_defaults(defaults, scope, steps, exists=subject.resource.file is None)
    found = subject.related(steps[0])
    if found.__class__ is list and len(found) == 1:
        return apply_defaults(defaults, found[0], steps[1:])
    return ABSENT, None


def _spell(root: str, steps: Steps) -> Path:
    return steps if root in ("properties", "element") else (root, *steps)


class FieldNode:
    """A comparison of the value at one path."""

    def __init__(
        self,
        *,
        root: str,
        steps: Steps,
        get: Getter,
        operator: str,
        expected: Any,
        test: Test,
        absent_passes: bool | None,
        defaults: Sequence[DefaultValue],
        secret: bool,
    ) -> None:
        self.root = root
        self.steps = steps
        self.path = _spell(root, steps)
        self.get = get
        self.operator = operator
        self.expected = expected
        self.test = test
        self.defaults = tuple(defaults)
        self.secret = secret
        self.absent_truth = self._when_absent(absent_passes)
        self.words = {wanted: describe(operator, expected, wanted=wanted) for wanted in (True, False)}
        self.decide = self._make_decide()

    def _when_absent(self, absent_passes: bool | None) -> Truth:
        if self.operator == "is":
            return truth_of(self.expected == "absent")
        if self.operator in NEGATIVE and absent_passes is not None:
            return truth_of(absent_passes)
        return FALSE

    def _make_decide(self) -> Callable[[Any, Subject], Truth]:
        get, absent_truth, defaults = self.get, self.absent_truth, self.defaults
        judge, test, plain = self._judge, self.test, self.operator != "is"

        def decide(scope: Any, subject: Subject) -> Truth:
            value = get(scope, subject)
            if value is ABSENT:
                if defaults:
                    value = default_of(defaults, self.root, self.steps, scope, subject)[0]
                    return absent_truth if value is ABSENT else judge(value)
                return absent_truth
            if plain and value.__class__ is not Unresolved and value.__class__ is not Mistyped:
                truth = test(value)
                return UNKNOWN if truth is None else truth
            return judge(value)

        return decide

    def _judge(self, value: Any) -> Truth:
        """Decide a value that is not ABSENT."""
        if value.__class__ in PLAIN:
            truth = self.test(value)
            return UNKNOWN if truth is None else truth
        if value.__class__ is Mistyped:
            return UNKNOWN
        if value.__class__ is Unresolved:
            if self.operator == "is" and value.present:
                return truth_of(self.expected == "present")
            if self.expected == "" and value.target is not None and self.operator in EQUALITY:
                return truth_of(self.operator == "not_equals")  # what refers to a resource is never empty
            return UNKNOWN
        if self.operator == "is":
            return truth_of(self.expected == "present")
        truth = self.test(value)
        return UNKNOWN if truth is None else truth

    def explain(self, scope: Any, subject: Subject, at: Path, wanted: bool) -> Explanation:
        """See :class:`Node`."""
        value, provenance = self.get(scope, subject), None
        if value is ABSENT and self.defaults:
            value, provenance = default_of(self.defaults, self.root, self.steps, scope, subject)
        truth = self.absent_truth if value is ABSENT else self._judge(value)
        observed = value.value if value.__class__ is Mistyped else value
        if self.secret and observed is not ABSENT and not isinstance(observed, Unresolved):
            observed = "(secret)"
        if provenance is None and truth is (TRUE if wanted else FALSE):
            reason = "requirement_met"
        else:
            reason = self._reason(value, truth, provenance, wanted)
        path = at + self.path if at else self.path
        return truth, [_new(Evidence, (path, observed, self.words[wanted], reason, provenance))]

    def _reason(self, value: Any, truth: Truth, provenance: str | None, wanted: bool) -> str:
        if truth is UNKNOWN:
            return value.reason if value.__class__ is Unresolved else "wrong_type"
        if provenance is not None:
            return "aws_default"
        if truth is truth_of(wanted):
            return "requirement_met"
        if value is ABSENT:
            return "missing"
        if self.operator == "is":
            return "forbidden_present"
        return "value_mismatch"


class QuantifierNode:
    """``every`` or ``some`` over a list; ``empty_passes`` only concerns ``every``."""

    def __init__(
        self,
        *,
        universal: bool,
        root: str,
        steps: Steps,
        get: Getter,
        inner: Node,
        empty_passes: bool,
        defaults: Sequence[DefaultValue],
    ) -> None:
        self.universal = universal
        self.root = root
        self.steps = steps
        self.path = _spell(root, steps)
        self.get = get
        self.inner = inner
        self.whole = isinstance(inner, FieldNode) and inner.root == "element" and inner.steps == ()
        """Whether the check is about the element itself: then one that is not known may still be present."""
        self.empty_truth = truth_of(universal and empty_passes)
        self.defaults = tuple(defaults)
        self.decide = self._make_decide()

    def _value(self, scope: Any, subject: Subject) -> tuple[Any, str | None]:
        value = self.get(scope, subject)
        if value is ABSENT and self.defaults:
            return default_of(self.defaults, self.root, self.steps, scope, subject)
        return value, None

    def _make_decide(self) -> Callable[[Any, Subject], Truth]:
        settles, otherwise = (FALSE, TRUE) if self.universal else (TRUE, FALSE)
        inner, empty_truth, read, whole = self.inner.decide, self.empty_truth, self._value, self.whole

        def decide(scope: Any, subject: Subject) -> Truth:
            value = read(scope, subject)[0]
            if value is ABSENT:
                return empty_truth
            if not isinstance(value, list):
                return UNKNOWN
            is_open = value.__class__ is OpenList
            if not value and not is_open:
                return empty_truth
            result: Truth = UNKNOWN if is_open else otherwise
            for element in value:
                opaque = element.__class__ is Unresolved and not whole
                truth = UNKNOWN if opaque else inner(element, subject)
                if truth is settles:
                    return settles
                if truth is UNKNOWN:
                    result = UNKNOWN
            return result

        return decide

    def explain(self, scope: Any, subject: Subject, at: Path, wanted: bool) -> Explanation:
        """See :class:`Node`."""
        truth = self.decide(scope, subject)
        value, provenance = self._value(scope, subject)
        place = at + self.path
        if not isinstance(value, list) or not value:
            return truth, [self._about_list(value, truth, provenance, place, wanted)]
        evidence: list[Evidence] = []
        for index, element in enumerate(value):
            step = element.id if isinstance(element, Resource) else index
            evidence += self._about_element(element, subject, (*place, step), truth, wanted)
        if provenance is not None and truth is not UNKNOWN:
            evidence = [e._replace(reason="aws_default", provenance=provenance) for e in evidence]
        if truth is UNKNOWN and value.__class__ is OpenList:
            evidence.append(Evidence((*place, "-"), value.more, "a known list", value.more.reason))
        if not evidence:
            reason = "requirement_met" if truth is truth_of(wanted) else "none_satisfies"
            evidence = [Evidence(place, f"{len(value)} elements", self._expected(wanted), reason, provenance)]
        return truth, evidence

    def _about_element(
        self, element: Any, subject: Subject, place: Path, truth: Truth, wanted: bool
    ) -> Sequence[Evidence]:
        """Return the evidence of an element whose truth is what decided the list's."""
        if element.__class__ is Unresolved and not self.whole:
            return [Evidence(place, element, "a known element", element.reason)] if truth is UNKNOWN else []
        found, evidence = self.inner.explain(element, subject, place, wanted)
        return evidence if found is truth else []

    def _about_list(
        self, value: Any, truth: Truth, provenance: str | None, place: Path, wanted: bool
    ) -> Evidence:
        if truth is UNKNOWN:
            unresolved = value if isinstance(value, Unresolved) else getattr(value, "more", None)
            reason = unresolved.reason if unresolved is not None else "wrong_type"
            observed = value.value if isinstance(value, Mistyped) else unresolved or value
            return Evidence(place, observed, "a list", reason)
        reason = "requirement_met" if truth is truth_of(wanted) else "empty"
        return Evidence(place, value, self._expected(wanted), reason, provenance)

    def _expected(self, wanted: bool) -> str:
        if self.universal:
            return "elements that all satisfy the requirement" if wanted else "an element that does not"
        return "an element that satisfies the requirement" if wanted else "no such element"


class ConnectiveNode:
    """``all``, ``any`` or ``none``."""

    def __init__(self, kind: str, children: Sequence[Node]) -> None:
        self.kind = kind
        self.children = tuple(children)
        self.decide = self._make_decide()

    def _make_decide(self) -> Callable[[Any, Subject], Truth]:
        """INVARIANT: ``settles`` ends the loop, as in strong Kleene logic."""
        decides = tuple(child.decide for child in self.children)
        settles, result_if_settled, otherwise = {
            "all": (FALSE, FALSE, TRUE),
            "any": (TRUE, TRUE, FALSE),
            "none": (TRUE, FALSE, TRUE),
        }[self.kind]

        if len(decides) == 1:
            return decides[0] if self.kind != "none" else _negated(decides[0])

        def decide(scope: Any, subject: Subject) -> Truth:
            result: Truth = otherwise
            for child in decides:
                truth = child(scope, subject)
                if truth is settles:
                    return result_if_settled
                if truth is UNKNOWN:
                    result = UNKNOWN
            return result

        return decide

    def explain(self, scope: Any, subject: Subject, at: Path, wanted: bool) -> Explanation:
        """See :class:`Node`."""
        below = wanted if self.kind != "none" else not wanted
        if len(self.children) == 1:
            truth, told = self.children[0].explain(scope, subject, at, below)
            return (negate(truth) if self.kind == "none" else truth), told
        explained = [child.explain(scope, subject, at, below) for child in self.children]
        truths = (found for found, _ in explained)
        decisive = conjunction(truths) if self.kind == "all" else disjunction(truths)
        truth = negate(decisive) if self.kind == "none" else decisive
        evidence = [e for found, items in explained if found is decisive for e in items]
        return truth, evidence


def _negated(child: Callable[[Any, Subject], Truth]) -> Callable[[Any, Subject], Truth]:
    def decide(scope: Any, subject: Subject) -> Truth:
        truth = child(scope, subject)
        if truth is TRUE:
            return FALSE
        return TRUE if truth is FALSE else UNKNOWN

    return decide
