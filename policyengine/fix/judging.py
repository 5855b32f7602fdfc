"""Judging the text of one template: every verdict, and of failures what is needed to say how they go away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from policyengine.documents import Document
from policyengine.engine.evaluate import Evaluator, subject_in
from policyengine.engine.piece import prepare
from policyengine.engine.rule import BoundRule
from policyengine.engine.tables import Tables
from policyengine.engine.world import World
from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL
from policyengine.model.resource import Resource
from policyengine.rules.predicates.api import Subject
from policyengine.sources.base import SourceOptions
from policyengine.sources.cloudformation import TemplateSource

_FAILURES: Final = frozenset((FAIL,))

Verdicts = Mapping[tuple[str, str], str]
"""(rule, logical id) -> verdict."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a template is read with, beside its text."""

    target: str
    file: str
    options: SourceOptions
    stack_tags: Mapping[str, str] = field(default_factory=dict)

    def source(self, document: Document) -> TemplateSource:
        """Return the template as a source."""
        return TemplateSource(self.target, self.options, document, self.stack_tags, self.file)


@dataclass(frozen=True, slots=True)
class Failure:
    """One failing rule about one resource."""

    finding: Finding
    resource: Resource
    rule: BoundRule
    world: World

    @property
    def key(self) -> tuple[str, str]:
        """The rule and the logical id."""
        return self.finding.rule, self.finding.resource_id

    def subjects(self, evaluator: Evaluator) -> Iterator[Subject]:
        """Yield what the rule looks at, for each branch of the resource in which it fails."""
        for branch in (self.resource, *self.resource.variants):
            subject = subject_in(self.world, evaluator.now)
            subject.resource, subject.relations = branch, self.rule.relations
            if self.rule.decide(branch, subject) == FAIL:
                yield subject


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdicts of one text, and its errors: what could not be read."""

    verdicts: Verdicts
    failures: list[Failure]
    errors: frozenset[str]


def judge(evaluator: Evaluator, place: Place, document: Document) -> Judged:
    """Judge one text. Raises InputError where nothing of it can be read."""
    source = place.source(document)
    verdicts: dict[tuple[str, str], str] = {}
    failures: list[Failure] = []
    seen: list[tuple[str, str]] = []
    evaluator.verdicts = seen
    world = Tables(evaluator, source).whole()
    for resource in source.resources():
        prepare(resource)
        found = evaluator.judge(resource, world, _FAILURES)
        verdicts.update({(rule, resource.id): verdict for rule, verdict in seen})
        if found:
            rules = {rule.id: rule for rule in evaluator.rules_for(resource)}
            failures += [Failure(f, resource, rules[f.rule], world) for f in found]
    evaluator.verdicts = None
    evaluator.take_tallies()
    return Judged(verdicts, failures, frozenset(error.message for error in source.errors))
