"""A rule bound to its parameters: verdict fast, finding on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from policyengine.engine.access import Mistyped, walk
from policyengine.engine.build import build
from policyengine.engine.nodes import Node
from policyengine.model.finding import Evidence, Finding, build_finding
from policyengine.model.location import Location
from policyengine.model.logic import FALSE, TRUE
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, REASONS, VERDICTS, sentence
from policyengine.model.reasons import UNKNOWN as UNKNOWN_VERDICT
from policyengine.model.resource import Resource, no_location
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.paths import parse_path
from policyengine.rules.predicates.api import Subject

_RANK = {FAIL: 0, UNKNOWN_VERDICT: 1, PASS: 2, NOT_APPLICABLE: 3}
MAX_EVIDENCE = 50


class Outcome(NamedTuple):
    """A verdict on one branch of a resource; ``crash`` names the error of a crashed rule."""

    verdict: str
    resource: Resource
    crash: str | None = None


class BoundRule:
    """One rule for one group of types, with parameter values."""

    def __init__(
        self, form: Mapping[str, Any], variant: Mapping[str, Any], parameters: Mapping[str, Any]
    ) -> None:
        self.form = form
        self.id: str = form["id"]
        self.relations: Mapping[str, Mapping[str, Any]] = variant["with"]
        self.parameters = parameters
        self.when: Node | None = build(variant["when"], parameters) if variant["when"] else None
        self.require: Node = build(variant["require"], parameters)
        self.decide = self._make_decide()
        self.asks_subject = bool(self.relations) or _asks(variant["when"]) or _asks(variant["require"])
        self.tally = dict.fromkeys(VERDICTS, 0)
        self.frameworks = {name: [c for c, _ in controls] for name, controls in form["frameworks"].items()}
        self.message = _template(form["message"])

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
                return FAIL if holds is FALSE else UNKNOWN_VERDICT

            return decide
        when = self.when.decide

        def decide_when(resource: Resource, subject: Subject) -> str:
            applies = when(resource, subject)
            if applies is not TRUE:
                return NOT_APPLICABLE if applies is FALSE else UNKNOWN_VERDICT
            holds = require(resource, subject)
            if holds is TRUE:
                return PASS
            return FAIL if holds is FALSE else UNKNOWN_VERDICT

        return decide_when

    def finding(self, outcome: Outcome, subject: Subject, waiver: Mapping[str, Any] | None = None) -> Finding:
        """Build the finding of an outcome of this rule, with its evidence.

        Raises policyengine.model.finding.IncompleteFindingError when a predicate gave no evidence.
        """
        verdict, resource, crash = outcome
        form = self.form
        if crash is not None:
            evidence = [Evidence((), ABSENT, "the rule to finish", "internal_error", crash)]
        else:
            evidence = self._evidence(verdict, resource, subject)
        reason = self._reason(verdict, evidence)
        return build_finding(
            rule=self.id,
            title=form["title"],
            family=form["family"],
            severity=form["severity"],
            verdict=verdict,
            reason=reason,
            message=self._message(verdict, reason, evidence, resource, crash),
            resource=resource,
            evidence=evidence[:MAX_EVIDENCE],
            location=place_of(evidence, resource) if verdict in (FAIL, UNKNOWN_VERDICT) else None,
            branch=resource.branch,
            frameworks=self.frameworks,
            remediation=form["remediation"],
            waiver=waiver,
        )

    def _evidence(self, verdict: str, resource: Resource, subject: Subject) -> list[Evidence]:
        if self.when is not None:
            applies, why = self.when.explain(resource, subject, (), True)
            if applies is not TRUE:
                return why
        return self.require.explain(resource, subject, (), True)[1]

    def _reason(self, verdict: str, evidence: Sequence[Evidence]) -> str:
        if verdict == FAIL and evidence and FAIL in REASONS[evidence[0].reason][0]:
            return evidence[0].reason
        if verdict == NOT_APPLICABLE:
            return "when_not_met"
        fitting = [e.reason for e in evidence if verdict in REASONS[e.reason][0]]
        if verdict == PASS:
            return (
                "aws_default" if fitting and all(r == "aws_default" for r in fitting) else "requirement_met"
            )
        if fitting:
            return fitting[0]
        return "value_mismatch" if verdict == FAIL else "wrong_type"

    def _message(
        self, verdict: str, reason: str, evidence: Sequence[Evidence], resource: Resource, crash: str | None
    ) -> str:
        title: str = self.form["title"]
        if crash is not None:
            return f"not determined: {sentence('internal_error')} ({crash})"
        if verdict == FAIL:
            return self._fill(resource, evidence)
        if verdict == UNKNOWN_VERDICT:
            return f"not determined: {_unknown_sentence(reason, evidence)}"
        if verdict == NOT_APPLICABLE:
            return f"does not apply: {_excluded_sentence(evidence)}"
        return f"met: {title}" + (" (by an AWS default)" if reason == "aws_default" else "")

    def _fill(self, resource: Resource, evidence: Sequence[Evidence]) -> str:
        return "".join(
            text if isinstance(text, str) else self._value_of(text[0], resource, evidence)
            for text in self.message
        )

    def _value_of(self, name: str, resource: Resource, evidence: Sequence[Evidence]) -> str:
        if name in self.parameters:
            return show(self.parameters[name])
        first = evidence[0] if evidence else None
        if name == "observed":
            return show(first.observed if first else ABSENT)
        if name == "expected":
            return first.expected if first else ""
        if name == "path":
            return ".".join(str(s) for s in first.path) if first else ""
        path = parse_path(name, in_resource=True)
        if path.root == "resource":
            return show(getattr(resource, path.steps[0]))
        tree = {"properties": resource.properties, "tags": resource.tags, "related": resource.related}
        value = walk(tree.get(path.root), path.steps) if tree.get(path.root) is not None else ABSENT
        if value is ABSENT:
            value = next((e.observed for e in evidence if e.path == path.steps), ABSENT)
        return show(value)


def _template(text: str) -> list[str | tuple[str]]:
    """Split a message into texts and the names (in tuples) whose values go between them."""
    parts: list[str | tuple[str]] = []
    while "{" in text:
        before, _, text = text.partition("{")
        name, _, text = text.partition("}")
        parts += [before, (name,)]
    return [*parts, text]


def _asks(form: Mapping[str, Any] | None) -> bool:
    """Whether a check tree needs more than the resource: only predicates do."""
    return any(True for _ in predicate_names(form))


def predicate_names(form: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the predicates a check tree names."""
    if form is None:
        return
    if form["op"] == "predicate":
        yield form["name"]
    for child in form.get("checks") or ([form["check"]] if form.get("check") else []):
        yield from predicate_names(child)


def _unknown_sentence(reason: str, evidence: Sequence[Evidence]) -> str:
    about = next((e for e in evidence if e.reason == reason), None)
    if about is None:
        return sentence(reason)
    name = ".".join(str(s) for s in about.path) or "the resource"
    if isinstance(about.observed, Unresolved):
        return f"`{name}` is not known: {about.observed.describe()}"
    return f"`{name}` is {show(about.observed)}, where {about.expected} was expected: {sentence(reason)}"


def _excluded_sentence(evidence: Sequence[Evidence]) -> str:
    if not evidence:
        return "the rule's `when` excludes this resource"
    first = evidence[0]
    return f"`{'.'.join(str(s) for s in first.path)}` is {show(first.observed)}; the rule is about {first.expected}"


def place_of(evidence: Sequence[Evidence], resource: Resource) -> Location | None:
    """Return the place of the value the verdict rests on: a given one before a missing one."""
    decisive = [e for e in evidence if e.path and e.path[0] != "with" and e.reason != "requirement_met"]
    given = [e for e in decisive if e.observed is not ABSENT]
    first = next(iter(given or decisive), None)
    return resource.locate(first.path if first is not None else ())


def show(value: Any, limit: int = 80) -> str:
    """Return a value as messages show it."""
    if value is ABSENT or value is None:
        return "(not set)"
    if isinstance(value, Unresolved):
        return "(not known)"
    if isinstance(value, Mistyped):
        return show(value.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        text = ", ".join(show(v, limit) for v in value) or "(empty)"
    elif isinstance(value, dict):
        text = "{" + ", ".join(f"{k}: {show(v, limit)}" for k, v in value.items()) + "}"
    else:
        text = str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the outcome that decides over branches: FAIL, UNKNOWN, PASS, NOT_APPLICABLE."""
    return min(outcomes, key=lambda o: _RANK[o.verdict])
