"""Every rule on every resource: the inner loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from policyengine.catalog import registry
from policyengine.config.settings import Settings
from policyengine.config.waivers import Waiver, Waiving
from policyengine.engine.branches import InBranch, finding_over, worst
from policyengine.engine.reach import Reach, reach_of
from policyengine.engine.references import ACROSS
from policyengine.engine.rule import BoundRule
from policyengine.engine.world import World
from policyengine.model.finding import Finding
from policyengine.model.reasons import NOT_APPLICABLE, UNKNOWN, VERDICTS
from policyengine.model.resource import Resource
from policyengine.model.suppression import SUPPRESSION
from policyengine.rules.pack import Pack
from policyengine.rules.predicates.api import Subject

if TYPE_CHECKING:
    from policyengine.engine.waiving import Accepting

_ALL: Final = frozenset(VERDICTS)

May = Callable[[str, str], bool]
"""Whether another finding of a rule and verdict is worth building."""


def subject_in(world: World, now: datetime) -> Subject:
    """Return the Subject of a world, to be pointed at one resource and one rule after the other.

    Making a Subject costs more than most checks, and no check keeps the one it is given.
    """
    subject = Subject(
        Resource("", "", None, None, {}),
        now,
        lambda alias: world.related(subject.relations[alias], subject.resource),
        lambda type_: world.table(type_, subject.resource),
        organization=lambda type_: world.table(type_, subject.resource, ACROSS),
    )
    return subject


class Evaluator:
    """Binds rules to types and scopes lazily, then decides."""

    def __init__(self, pack: Pack, *, now: datetime, settings: Settings | None = None) -> None:
        self.pack = pack
        self.now = now
        self.settings = settings or Settings()
        self.forms = [self._adjusted(form) for form in pack.rules if form["id"] not in self.settings.disabled]
        self._bound: dict[tuple[Any, ...], BoundRule] = {}
        self._asked: dict[str, list[BoundRule] | None] = {}
        """The rules of each type met since the tallies were taken; None where they depend on the resource."""
        self._variants = [(form, variant) for form in self.forms for variant in form["variants"]]
        self._about: dict[str, list[int]] = {}
        for number, (_form, variant) in enumerate(self._variants):
            for type_ in variant["types"]:
                self._about.setdefault(type_, []).append(number)
        self._by_type: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
        self._fixed: dict[str, list[BoundRule] | None] = {}
        self._untaggable: dict[str, tuple[str, Any]] = {}
        self._world: World | None = None
        self._subject: Subject
        self.crashes: Counter[str] = Counter()
        self.elsewhere: dict[tuple[str, str], str] = {}
        """Verdicts of compensating rules about other resources (``engine.elsewhere``)."""
        self.verdicts: list[tuple[str, str]] | None = None
        """Where it is a list: (rule, verdict) of every rule about the resource that :meth:`findings` was asked for last."""

    def about(self, types: Iterable[str]) -> Evaluator:
        """Return another one, of the rules about these types only: what only others reach is then not held."""
        return self.of_rules({form["id"] for type_ in types for form, _ in self.applicable(type_)})

    def of_rules(self, ids: Collection[str]) -> Evaluator:
        """Return another one, of these rules only."""
        rules = tuple(form for form in self.pack.rules if form["id"] in ids)
        return Evaluator(replace(self.pack, rules=rules), now=self.now, settings=self.settings)

    def judge_at(self, now: datetime) -> None:
        """Set the clock for what is judged from here on."""
        self.now, self._world = now, None

    def again(self) -> Evaluator:
        """Return another one of the same, for another process."""
        other = Evaluator(self.pack, now=self.now, settings=self.settings)
        other.elsewhere = self.elsewhere
        return other

    def beside(self, forms: Iterable[Mapping[str, Any]]) -> Evaluator:
        """Return another one of other rules, by the same settings, whose failures nothing accepts."""
        settings = replace(self.settings, waiving=Waiving())
        rules = tuple(dict(form) for form in forms)
        return Evaluator(replace(self.pack, rules=rules), now=self.now, settings=settings)

    def pause(self) -> None:
        """Let go of what other processes must not share: nothing."""

    def close(self) -> list[str]:
        """End the run; returns what its reader should know."""
        return []

    def _adjusted(self, form: dict[str, Any]) -> dict[str, Any]:
        severity = self.settings.severities.get(form["id"])
        return {**form, "severity": severity} if severity else form

    def applicable(self, type_: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Return (rule form, variant) of the rules about a type."""
        found = self._by_type.get(type_)
        if found is None:
            numbers = set(self._about.get(type_, ()))
            if registry.taggable(type_):
                numbers.update(self._about.get("taggable", ()))
            found = self._by_type[type_] = [self._variants[number] for number in sorted(numbers)]
        return found

    @cached_property
    def reach(self) -> Reach:
        """What the rules ask about other resources, and those that compensate what a waiver accepts."""
        return reach_of([*self.forms, *self.settings.waiving.rules.values()])

    @cached_property
    def waivers(self) -> Mapping[str, Waiver]:
        """The waivers by id: code may refer to many."""
        return {waiver.id: waiver for waiver in self.settings.waiving.waivers}

    @cached_property
    def accepting(self) -> Accepting | None:
        """What accepts failures; None where nothing does."""
        if not self.settings.waiving:
            return None
        from policyengine.engine.waiving import Accepting  # most runs have no waivers

        return Accepting(self)

    def judge(
        self, resource: Resource, world: World, wanted: frozenset[str] = _ALL, may: May | None = None
    ) -> list[Finding]:
        """Return the findings as :meth:`findings` does, failures with the waiver that accepts them."""
        accepting = self.accepting
        if accepting is None:
            return self.findings(resource, world, wanted, may)
        return accepting.judged(resource, world, wanted, may)

    def rules_for(self, resource: Resource) -> list[BoundRule]:
        """Return the rules about a resource with the parameters of its scope."""
        type_ = resource.type
        if type_ not in self._fixed:
            forms = self.applicable(type_)
            spec = registry.spec(type_)
            if spec is not None and spec.untaggable is not None:
                self._untaggable[type_] = spec.untaggable
            scoped = any(self.settings.is_scoped(form["id"]) for form, _ in forms)
            self._fixed[type_] = (
                None if scoped else [self._bind(f, v, self._values(f, resource)) for f, v in forms]
            )
        fixed = self._fixed[type_]
        if fixed is not None:
            return fixed
        return [self._bind(f, v, self._values(f, resource)) for f, v in self.applicable(type_)]

    def _rules_about(self, resource: Resource) -> list[BoundRule]:
        """Return the rules that a resource is judged by; those about tags are not about a resource of AWS's own."""
        rules = self._fixed.get(resource.type) or self.rules_for(resource)
        self._asked[resource.type] = self._fixed[resource.type]
        if self._is_aws_own(resource):
            return [rule for rule in rules if not rule.about_tags]
        return rules

    def _is_aws_own(self, resource: Resource) -> bool:
        mark = self._untaggable.get(resource.type)
        return mark is not None and bool(resource.properties.get(mark[0]) == mark[1])

    def _with_set_aside(
        self, found: list[Finding], resource: Resource, wanted: frozenset[str], may: May | None
    ) -> list[Finding]:
        """Return the findings with those of the rules about tags, where the resource is AWS's own: they do not apply."""
        if resource.type not in self._untaggable or not self._is_aws_own(resource):
            return found
        for rule in self.rules_for(resource):
            if rule.about_tags:
                self._count(rule, NOT_APPLICABLE)
                if NOT_APPLICABLE in wanted and (may is None or may(rule.id, NOT_APPLICABLE)):
                    found.append(rule.set_aside(resource, *self._untaggable[resource.type]))
        return sorted(found, key=attrgetter("rule"))

    def _count(self, rule: BoundRule, verdict: str) -> None:
        rule.tally[verdict] += 1
        if self.verdicts is not None:
            self.verdicts.append((rule.id, verdict))

    def _values(self, form: Mapping[str, Any], resource: Resource) -> dict[str, Any]:
        defaults = {name: parameter["default"] for name, parameter in form["parameters"].items()}
        return {**defaults, **self.settings.parameters(form["id"], resource)}

    def _bind(self, form: dict[str, Any], variant: dict[str, Any], values: dict[str, Any]) -> BoundRule:
        key = (form["id"], id(variant), repr(sorted(values.items())))
        rule = self._bound.get(key)
        if rule is None:
            rule = self._bound[key] = BoundRule(form, variant, values)
        return rule

    def findings(
        self, resource: Resource, world: World, wanted: frozenset[str] = _ALL, may: May | None = None
    ) -> list[Finding]:
        """Decide every rule about a resource, the worst over its branches, and count the verdicts.

        Returns the findings whose verdict is wanted; the counts are in each rule's ``tally``. A rule that
        crashes, or cannot explain its verdict, is UNKNOWN ``internal_error``, never a lost run.
        """
        if resource.type == SUPPRESSION:
            from policyengine.engine.suppressions import stated  # few templates have any

            resource = stated(resource, self)
        if self.verdicts is not None:
            self.verdicts.clear()
        if world is not self._world:
            self._world, self._subject = world, subject_in(world, self.now)
        subject = self._subject
        if resource.variants or resource.branch is not None:
            return self._over_branches(resource, subject, wanted, may)
        subject.resource = resource
        if subject.answers:
            subject.answers = {}
        found: list[Finding] = []
        verdicts = self.verdicts
        for rule in self._rules_about(resource):
            subject.relations = rule.relations
            try:
                verdict = rule.decide(resource, subject)
                if verdict in wanted and (may is None or may(rule.id, verdict)):
                    found.append(rule.finding(verdict, resource, subject))
            except Exception as error:  # noqa: BLE001  # whatever a rule raises, it is a crash of that rule
                verdict = UNKNOWN
                crash = self._crashed(rule, error)
                if verdict in wanted and (may is None or may(rule.id, verdict)):
                    found.append(rule.finding(verdict, resource, subject, crash))
            rule.tally[verdict] += 1
            if verdicts is not None:
                verdicts.append((rule.id, verdict))
        return self._with_set_aside(found, resource, wanted, may) if self._untaggable else found

    def _over_branches(
        self, resource: Resource, subject: Subject, wanted: frozenset[str], may: May | None
    ) -> list[Finding]:
        found = []
        each: list[tuple[Resource, dict[Any, Any]]] = [
            (branch, {}) for branch in (resource, *resource.variants)
        ]
        rules = self.rules_for(resource)
        self._asked[resource.type] = self._fixed[resource.type]
        for rule in rules:
            subject.relations = rule.relations
            branches = [self._in_branch(rule, branch, answers, subject) for branch, answers in each]
            verdict = worst(branches).verdict
            if verdict in wanted and (may is None or may(rule.id, verdict)):
                try:
                    found.append(finding_over(rule, branches, subject))
                except Exception as error:  # noqa: BLE001  # see findings
                    verdict = UNKNOWN
                    crash = self._crashed(rule, error)
                    found.append(rule.finding(verdict, resource, subject, crash)._replace(branch=None))
            self._count(rule, verdict)
        return found

    def _in_branch(
        self, rule: BoundRule, branch: Resource, answers: dict[Any, Any], subject: Subject
    ) -> InBranch:
        subject.resource, subject.answers = branch, answers
        try:
            return InBranch(branch, rule.decide(branch, subject), answers)
        except Exception as error:  # noqa: BLE001  # see findings
            return InBranch(branch, UNKNOWN, answers, self._crashed(rule, error))

    def _crashed(self, rule: BoundRule, error: Exception) -> str:
        self.crashes[rule.id] += 1
        return crash_text(error)

    def take_tallies(self) -> Counter[tuple[str, str]]:
        """Return the verdicts counted since the last call, by (rule, verdict)."""
        counted: Counter[tuple[str, str]] = Counter()
        if any(rules is None for rules in self._asked.values()):
            asked: Iterable[BoundRule] = self._bound.values()
        else:
            asked = {id(rule): rule for rules in self._asked.values() for rule in rules or ()}.values()
        self._asked.clear()
        for rule in asked:
            for verdict, number in rule.tally.items():
                if number:
                    counted[rule.id, verdict] += number
                    rule.tally[verdict] = 0
        return counted


def crash_text(error: Exception) -> str:
    """Return what went wrong and where; never the error's own words, which may quote a secret value."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return type(error).__name__
    return f"{type(error).__name__} in {last.tb_frame.f_globals.get('__name__', '?')}:{last.tb_lineno}"
