"""The node of a check tree that asks a predicate; what it answers about a resource is kept for other rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from policyengine.engine.nodes import Explanation
from policyengine.model.logic import Truth
from policyengine.model.resource import Path, Resource
from policyengine.rules.predicates.api import Answer, Predicate, Subject


def _by_relation(predicate: Predicate) -> bool:
    """Say whether an argument may name a relation, which means something else in another rule."""
    return "baseline" in predicate.args or any(arg.kind == "alias" for arg in predicate.args.values())


class PredicateNode:
    """A named predicate with its arguments bound."""

    def __init__(self, predicate: Predicate, arguments: dict[str, Any]) -> None:
        self.name = predicate.name
        self.check = predicate.check
        self.arguments = arguments
        self.key: object = self if _by_relation(predicate) else (predicate.name, repr(arguments))
        """What its answer about a resource is kept under; rules that ask the same share it."""
        self.short = None if predicate.short is None else predicate.short(**arguments)
        self.decide = self._make_decide()

    def _make_decide(self) -> Callable[[Any, Subject], Truth]:
        short, ask = self.short, self._ask
        if short is None:
            return lambda scope, subject: ask(scope, subject).truth

        def decide(scope: Any, subject: Subject) -> Truth:
            answer = short(scope) if scope is subject.resource else None
            if answer is None:
                return ask(scope, subject).truth
            subject.answers[self.key] = answer
            return answer.truth

        return decide

    def _ask(self, scope: Any, subject: Subject) -> Answer:
        if scope is subject.resource:
            answer: Answer | None = subject.answers.get(self.key)
            if answer is None:
                answer = subject.answers[self.key] = self.check(subject, **self.arguments)
            return answer
        is_resource = isinstance(scope, Resource)
        about = subject.about(scope, None) if is_resource else subject.about(subject.resource, scope)
        return self.check(about, **self.arguments)

    def explain(self, scope: Any, subject: Subject, at: Path, wanted: bool) -> Explanation:
        """See :class:`Node`; a predicate's reason codes for its FALSE hold when TRUE is wanted."""
        answer = self._ask(scope, subject)
        if not at:
            return answer.truth, answer.evidence
        return answer.truth, [e._replace(path=at + e.path) for e in answer.evidence]
