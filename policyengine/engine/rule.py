"""A rule bound to its parameters: verdict fast, finding on demand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from policyengine.engine.access import walk
from policyengine.engine.build import build
from policyengine.engine.message import (
    all_paths,
    dotted,
    excluded_sentence,
    fill,
    show,
    split,
    unknown_sentence,
)
from policyengine.engine.nodes import Node
from policyengine.engine.secrets import hide, hide_in, secret_names
from policyengine.model.finding import Evidence, Finding, FindingMaker
from policyengine.model.location import Location
from policyengine.model.logic import FALSE, TRUE
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, REASONS, sentence
from policyengine.model.reasons import UNKNOWN as UNKNOWN_VERDICT
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT
from policyengine.rules.paths import RulePath, parse_path
from policyengine.rules.predicates.api import Subject

_RANK = {FAIL: 0, UNKNOWN_VERDICT: 1, PASS: 2, NOT_APPLICABLE: 3}
MAX_EVIDENCE = 50


class Outcome(NamedTuple):
    """A verdict on one branch of a resource; ``crash`` names the error of a crashed rule.

    ``branches`` are the outcomes of all branches, this one included, where there are several.
    """

    verdict: str
    resource: Resource
    crash: str | None = None
    branches: tuple[Outcome, ...] = ()


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
        self.tally: Counter[str] = Counter()
        self.frameworks = {name: [c for c, _ in controls] for name, controls in form["frameworks"].items()}
        self.message = split(form["message"])
        reached = (relation["to"] for relation in self.relations.values())
        self.secrets = secret_names((*variant["types"], *reached))
        self._maker = FindingMaker(
            rule=self.id,
            title=form["title"],
            family=form["family"],
            severity=form["severity"],
            frameworks=self.frameworks,
            remediation=form["remediation"],
        )

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
        verdict, resource, crash, _ = outcome
        if crash is not None:
            evidence: Sequence[Evidence] = [
                Evidence((), ABSENT, "the rule to finish", "internal_error", crash)
            ]
        else:
            evidence = hide_in(self._evidence(verdict, resource, subject), self.secrets)
        reason = self._reason(verdict, evidence)
        return self._maker.make(
            verdict,
            reason,
            self._message(verdict, reason, evidence, resource, crash),
            resource,
            evidence[:MAX_EVIDENCE],
            place_of(evidence, resource) if verdict in (FAIL, UNKNOWN_VERDICT) else None,
            resource.branch,
            None,
            waiver,
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
            return fill(self.message, lambda name: self._value_of(name, resource, evidence))
        if verdict == UNKNOWN_VERDICT:
            return f"not determined: {unknown_sentence(reason, evidence)}"
        if verdict == NOT_APPLICABLE:
            return f"does not apply: {excluded_sentence(evidence)}"
        return f"met: {title}" + (" (by an AWS default)" if reason == "aws_default" else "")

    def _value_of(self, name: str, resource: Resource, evidence: Sequence[Evidence]) -> str:
        if name in self.parameters:
            return show(self.parameters[name])
        first = evidence[0] if evidence else None
        if name == "observed":
            if first is not None and first.observed is ABSENT and first.provenance:
                return first.provenance
            return show(first.observed if first else ABSENT)
        if name == "expected":
            return first.expected if first else ""
        if name == "path":
            return dotted(first.path) if first else ""
        if name == "paths":
            return all_paths(evidence)
        path = _named_path(name)
        if path.root == "resource":
            return show(getattr(resource, path.steps[0]))
        tree = {"properties": resource.properties, "tags": resource.tags, "related": resource.related}
        value = walk(tree.get(path.root), path.steps) if tree.get(path.root) is not None else ABSENT
        if value is ABSENT:
            value = next((e.observed for e in evidence if e.path == path.steps), ABSENT)
        return show(hide((path.root, *path.steps), value, self.secrets))


@lru_cache(maxsize=4096)
def _named_path(name: str) -> RulePath:
    return parse_path(name, in_resource=True)


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


def place_of(evidence: Sequence[Evidence], resource: Resource) -> Location | None:
    """Return the place of the value the verdict rests on: a given one before a missing one."""
    decisive = [e for e in evidence if e.path and e.path[0] != "with" and e.reason != "requirement_met"]
    given = [e for e in decisive if e.observed is not ABSENT]
    first = next(iter(given or decisive), None)
    return resource.locate(first.path if first is not None else ())


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the outcome that decides over branches: FAIL, UNKNOWN, PASS, NOT_APPLICABLE."""
    return min(outcomes, key=lambda o: _RANK[o.verdict])
