"""What a rule says about a verdict: its reason, its message and the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from policyengine.engine.message import excluded_sentence, fill, split, unknown_sentence
from policyengine.engine.named import Named, named
from policyengine.engine.nodes import FieldNode, Node
from policyengine.engine.secrets import hide_in
from policyengine.model.finding import Evidence
from policyengine.model.logic import TRUE
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, REASONS, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import Absent
from policyengine.rules.paths import RulePath
from policyengine.rules.predicates.api import Subject

MOST_REMEMBERED: Final = 256
LONGEST_REMEMBERED: Final = 64


Said = tuple[str, str, Sequence[Evidence]]
"""Reason, message and evidence of a verdict."""


class Wording:
    """The words of one rule: of its two checks, its title and message, with its parameters."""

    def __init__(
        self, form: Mapping[str, Any], when: Node | None, require: Node,
        parameters: Mapping[str, Any], secrets: frozenset[str],
    ) -> None:  # fmt: skip
        self._when = when
        self._require = require
        self._parts = split(form["message"])
        self._parameters = parameters
        self._secrets = secrets
        self._named: dict[str, Named] = {}
        met = f"met: {form['title']}"
        self._met = {"requirement_met": met, "aws_default": f"{met} (by an AWS default)"}

    def say(self, verdict: str, resource: Resource, subject: Subject) -> Said:
        """Explain a verdict that the rule's checks gave."""
        evidence = hide_in(self._evidence(resource, subject), self._secrets)
        if verdict == PASS:
            reason = _reason_of_pass(evidence)
            return reason, self._met[reason], evidence
        reason = _reason(verdict, evidence)
        return reason, self._message(verdict, reason, evidence, resource), evidence

    def _evidence(self, resource: Resource, subject: Subject) -> Sequence[Evidence]:
        if self._when is not None:
            applies, why = self._when.explain(resource, subject, (), True)
            if applies is not TRUE:
                return why
        return self._require.explain(resource, subject, (), True)[1]

    def _message(self, verdict: str, reason: str, evidence: Sequence[Evidence], resource: Resource) -> str:
        if verdict == FAIL:
            return fill(self._parts, lambda name: self._value_of(name)(resource, evidence))
        if verdict == UNKNOWN:
            return f"not determined: {unknown_sentence(reason, evidence)}"
        return f"does not apply: {excluded_sentence(evidence)}"

    def _value_of(self, name: str) -> Named:
        found = self._named.get(name)
        if found is None:
            found = self._named[name] = named(name, self._parameters, self._secrets)
        return found


class WordingOfOneCheck(Wording):
    """The words of a rule that is one check of one value, which remembers what it said of a value.

    Nearly all resources have one of a few values there (true, false, nothing), and everything said
    follows from the value. Only short texts are remembered, and only so many, so it stays small.
    """

    def __init__(
        self, form: Mapping[str, Any], field: FieldNode,
        parameters: Mapping[str, Any], secrets: frozenset[str],
    ) -> None:  # fmt: skip
        super().__init__(form, None, field, parameters, secrets)
        self._get = field.get
        self._said: dict[tuple[str, type, Any], Said] = {}
        own = RulePath(field.root, field.steps).text if field.root in ("properties", "tags") else "observed"
        known = {"observed", "expected", "path", "paths", own, *parameters}
        names = {part[0] for part in self._parts if not isinstance(part, str)}
        self._repeats = frozenset({PASS, FAIL} if names <= known else {PASS})
        """INVARIANT: the words of these verdicts depend on nothing but the value."""
        self._few = frozenset({bool, int} if field.defaults else {bool, int, Absent})

    def say(self, verdict: str, resource: Resource, subject: Subject) -> Said:
        """See :class:`Wording`."""
        value = self._get(resource, subject)
        kind = value.__class__
        if verdict not in self._repeats or not (
            kind in self._few or (kind is str and len(value) <= LONGEST_REMEMBERED)
        ):
            return super().say(verdict, resource, subject)
        key = (verdict, kind, value)
        said = self._said.get(key)
        if said is None:
            said = super().say(verdict, resource, subject)
            if len(self._said) < MOST_REMEMBERED:
                self._said[key] = said
        return said


def wording_of(
    form: Mapping[str, Any], when: Node | None, require: Node,
    parameters: Mapping[str, Any], secrets: frozenset[str],
) -> Wording:  # fmt: skip
    """Return the words of a rule; where the value may be a secret, nothing is remembered."""
    if when is None and isinstance(require, FieldNode) and _is_public(require, secrets):
        return WordingOfOneCheck(form, require, parameters, secrets)
    return Wording(form, when, require, parameters, secrets)


def _is_public(field: FieldNode, secrets: frozenset[str]) -> bool:
    return not field.secret and secrets.isdisjoint(field.path)


def _reason_of_pass(evidence: Sequence[Evidence]) -> str:
    """A resource complies by AWS's default only where nothing it says itself has made it comply."""
    reason = "requirement_met"
    for item in evidence:
        if item.reason == "requirement_met":
            return item.reason
        if item.reason == "aws_default":
            reason = item.reason
    return reason


def _reason(verdict: str, evidence: Sequence[Evidence]) -> str:
    """Return the first reason of the evidence that can explain a verdict other than PASS."""
    if verdict == NOT_APPLICABLE:
        return "when_not_met"
    for item in evidence:
        if verdict in REASONS[item.reason][0]:
            return item.reason
    return "value_mismatch" if verdict == FAIL else "wrong_type"
