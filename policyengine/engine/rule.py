"""A rule bound to its parameters: verdict fast, finding on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

from policyengine.catalog.secret_names import secret_names
from policyengine.engine.build import build
from policyengine.engine.nodes import ConnectiveNode, Node
from policyengine.engine.place import Named, named_in, place_of
from policyengine.engine.predicate_node import PredicateNode
from policyengine.engine.wording import Said, wording_of
from policyengine.model.finding import Evidence, Finding, FindingMaker, Witness
from policyengine.model.logic import FALSE, TRUE
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, VERDICTS, sentence
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT
from policyengine.rules.predicates.api import Answer, Subject

MAX_EVIDENCE = 50
_RESTS_ON_A_VALUE: Final = frozenset({FAIL, UNKNOWN})
"""Verdicts whose place is that of a value; the others' is that of the resource."""


class Words(NamedTuple):
    """What a rule's findings are made with."""

    say: Callable[[str, Resource, Subject], Said]
    named: Named
    asking: tuple[PredicateNode, ...]
    before: tuple[PredicateNode, ...]
    """Those of ``when`` alone."""
    make: Callable[..., Finding]


class BoundRule:
    """One rule for one group of types, with parameter values."""

    def __init__(
        self, form: Mapping[str, Any], variant: Mapping[str, Any], parameters: Mapping[str, Any]
    ) -> None:
        self.form = form
        self.id: str = form["id"]
        self.variant = variant
        self._types: Sequence[str] = variant["types"]
        self.about_tags = "taggable" in self._types
        self.relations: Mapping[str, Mapping[str, Any]] = variant["with"]
        self.parameters = parameters
        self.decide: Callable[[Resource, Subject], str] = self._decide_first
        self.tally = dict.fromkeys(VERDICTS, 0)
        self._words: Words | None = None

    @cached_property
    def _make(self) -> Callable[..., Finding]:
        form = self.form
        return FindingMaker(
            rule=self.id,
            title=form["title"],
            family=form["family"],
            severity=form["severity"],
            frameworks={name: [c for c, _ in controls] for name, controls in form["frameworks"].items()},
            remediation=form["remediation"],
        ).make

    def _worded(self) -> Words:
        """Return what findings are made with; most rules of a short run never make one."""
        form = self.form
        reached = (relation["to"] for relation in self.relations.values())
        secrets = secret_names((*self._types, *reached))
        say = wording_of(form, self.when, self.require, self.parameters, secrets).say
        before = tuple(_asked_of(self.when))
        asking = (*before, *_asked_of(self.require))
        self._words = words = Words(say, named_in(form["message"]), asking, before, self._make)
        return words

    @cached_property
    def when(self) -> Node | None:
        """Whom the rule is about; None: all. Built once it is asked for: of kept results few rules are."""
        return build(self.variant["when"], self.parameters) if self.variant["when"] else None

    @cached_property
    def require(self) -> Node:
        """What the rule asks."""
        return build(self.variant["require"], self.parameters)

    def _decide_first(self, resource: Resource, subject: Subject) -> str:
        self.decide = self._make_decide()
        return self.decide(resource, subject)

    def _make_decide(self) -> Callable[[Resource, Subject], str]:
        """Return ``decide(resource, subject) -> verdict`` for a resource without variants.

        Truths are compared by identity: hashing an Enum member runs Python code.
        """
        require = self.require.decide
        if self.when is None:

            def decide(resource: Resource, subject: Subject) -> str:
                holds = require(resource, subject)
                if holds is TRUE:
                    return PASS
                return FAIL if holds is FALSE else UNKNOWN

            return decide
        when = self.when.decide

        def decide_when(resource: Resource, subject: Subject) -> str:
            applies = when(resource, subject)
            if applies is not TRUE:
                return NOT_APPLICABLE if applies is FALSE else UNKNOWN
            holds = require(resource, subject)
            if holds is TRUE:
                return PASS
            return FAIL if holds is FALSE else UNKNOWN

        return decide_when

    def finding(
        self, verdict: str, resource: Resource, subject: Subject, crash: str | None = None
    ) -> Finding:
        """Build the finding of a verdict of this rule, with its evidence.

        Raises policyengine.model.finding.IncompleteFindingError when a predicate gave no evidence.
        """
        words = self._words or self._worded()
        if crash is None:
            reason, message, evidence = words.say(verdict, resource, subject)
        else:
            reason, message = "internal_error", f"not determined: {sentence('internal_error')} ({crash})"
            evidence = [Evidence((), ABSENT, "the rule to finish", reason, crash)]
        place = (
            place_of(evidence, resource, words.named if verdict == FAIL else ())
            if verdict in _RESTS_ON_A_VALUE
            else None
        )
        if len(evidence) > MAX_EVIDENCE:
            evidence = evidence[:MAX_EVIDENCE]
        witness = cause = None
        if words.asking and crash is None:
            applies = self._applies(verdict, resource, subject)
            witness, cause = _behind(words.asking if applies else words.before, evidence, subject)
        return words.make(
            verdict, reason, message, resource, evidence, place, resource.branch, witness,
            cause=cause if verdict == FAIL else None,
        )  # fmt: skip

    def _applies(self, verdict: str, resource: Resource, subject: Subject) -> bool:
        """Whether a verdict rests on ``require``: what another rule asked of it is not this rule's to tell."""
        if self.when is None or verdict in (PASS, FAIL):
            return True
        return verdict == UNKNOWN and self.when.decide(resource, subject) is TRUE

    def set_aside(self, resource: Resource, name: str, value: Any) -> Finding:
        """Return the finding of a rule about tags on a resource of AWS's own, which its property ``name`` says."""
        message = f"not applicable: `{name}` is `{value}`; AWS made the resource, and nobody else tags it"
        evidence = Evidence((name,), value, f"anything but `{value}`", "when_not_met")
        return self._make(NOT_APPLICABLE, "when_not_met", message, resource, [evidence])

    def told(
        self, verdict: str, reason: str, message: str, resource: Resource,
        evidence: Sequence[Evidence], witness: Witness | None, cause: str | None,
    ) -> Finding:  # fmt: skip
        """Return a finding of this rule that was made before, of a resource without places and branches.

        Raises policyengine.model.finding.IncompleteFindingError for one that never was.
        """
        found = self._make(verdict, reason, message, resource, evidence, None, None, witness)
        return found if cause is None else found._replace(cause=cause)


def _behind(
    asking: Sequence[PredicateNode], evidence: Sequence[Evidence], subject: Subject
) -> tuple[Witness | None, str | None]:
    """Return the request that one of the answers behind the verdict rests on, and what they have as cause
    if it is one."""
    places = {item.path for item in evidence}
    seen = {(item.path, item.expected, item.reason) for item in evidence}
    witness, causes = None, set()
    for node in asking:
        answer: Answer | None = subject.answers.get(node.key)
        if answer is not None and any(e.path in places for e in answer.evidence):
            witness = witness or answer.witness
            if any((e.path, e.expected, e.reason) in seen for e in answer.evidence):
                causes.add(answer.cause)
    return witness, causes.pop() if len(causes) == 1 else None


def _asked_of(node: Node | None) -> Iterator[PredicateNode]:
    """Yield the predicates of a check that are asked about the resource itself."""
    if isinstance(node, PredicateNode):
        yield node
    elif isinstance(node, ConnectiveNode):
        for child in node.children:
            yield from _asked_of(child)


def predicate_names(form: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the predicates a check tree names."""
    if form is None:
        return
    if form["op"] == "predicate":
        yield form["name"]
    for child in form.get("checks") or ([form["check"]] if form.get("check") else []):
        yield from predicate_names(child)
