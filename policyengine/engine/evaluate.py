"""Every rule on every resource: the inner loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from policyengine.catalog import registry
from policyengine.config.settings import Settings
from policyengine.engine.branches import telling
from policyengine.engine.rule import BoundRule, predicate_names
from policyengine.engine.world import INDIRECT, World
from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, VERDICTS
from policyengine.model.resource import Resource
from policyengine.rules.pack import Pack
from policyengine.rules.predicates.api import Subject
from policyengine.rules.predicates.table import PREDICATES

_RANK: Final = {FAIL: 0, UNKNOWN: 1, PASS: 2, NOT_APPLICABLE: 3}
_ALL: Final = frozenset(VERDICTS)
_new = tuple.__new__


class Judgement(NamedTuple):
    """A rule's verdict on a resource, from which the finding can be built.

    ``subject`` is the one of the resource's world, shared by its judgements. ``crash`` names the error
    of a crashed rule. ``branches`` are the judgements of all branches where there are several.
    """

    rule: BoundRule
    verdict: str
    resource: Resource
    subject: Subject
    crash: str | None = None
    branches: tuple[Judgement, ...] = ()

    def finding(self) -> Finding:
        """Build the finding with its evidence.

        Raises policyengine.model.finding.IncompleteFindingError when a predicate gave no evidence.
        """
        rule, verdict, resource, subject, crash, branches = self
        subject.resource, subject.relations = resource, rule.relations
        found = rule.finding(verdict, resource, subject, crash)
        if found.branch is None:
            return found
        if verdict in (PASS, NOT_APPLICABLE):  # it holds in every branch, or a worse one had won
            return found._replace(branch=None)
        others = [(b.resource.branch, b.finding() if b.verdict == verdict else None) for b in branches]
        return found._replace(branch=telling(found, others))


def subject_in(world: World, now: datetime) -> Subject:
    """Return the Subject of a world, to be pointed at one resource and one rule after the other.

    Making a Subject costs more than most checks, and no check keeps the one it is given.
    """
    subject = Subject(
        Resource("", "", None, None, {}),
        now,
        lambda alias: world.related(subject.relations[alias], subject.resource),
        lambda type_: world.table(type_, subject.resource),
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
        self._by_type: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
        self._fixed: dict[str, list[BoundRule] | None] = {}
        self._world: World | None = None
        self._subject: Subject
        self._reached: dict[str | None, frozenset[str]] = {}
        self.crashes: Counter[str] = Counter()

    def _adjusted(self, form: dict[str, Any]) -> dict[str, Any]:
        severity = self.settings.severities.get(form["id"])
        return {**form, "severity": severity} if severity else form

    def applicable(self, type_: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Return (rule form, variant) of the rules about a type."""
        found = self._by_type.get(type_)
        if found is None:
            keys = {type_, "taggable"} if registry.taggable(type_) else {type_}
            found = [(f, v) for f in self.forms for v in f["variants"] if not keys.isdisjoint(v["types"])]
            self._by_type[type_] = found
        return found

    def reached_types(self, scope: str | None = None) -> frozenset[str]:
        """Return the types that relations and predicates of the rules reach.

        With a ``scope``: those that some relation reaches in that scope (predicates reach no farther
        than the account and region).
        """
        found = self._reached.get(scope)
        if found is None:
            found = self._reached[scope] = self._find_reached(scope)
        return found

    def _find_reached(self, scope: str | None) -> frozenset[str]:
        reached: set[str] = set()
        for form in self.forms:
            for variant in form["variants"]:
                relations = variant["with"].values()
                reached.update(r["to"] for r in relations if scope in (None, r["scope"]))
                if scope is None:
                    for tree in (variant["when"], variant["require"]):
                        for name in predicate_names(tree):
                            reached.update(PREDICATES[name].needs)
        reached.update(INDIRECT[type_][0] for type_ in reached & INDIRECT.keys())
        return frozenset(reached)

    def rules_for(self, resource: Resource) -> list[BoundRule]:
        """Return the rules about a resource with the parameters of its scope."""
        type_ = resource.type
        if type_ not in self._fixed:
            forms = self.applicable(type_)
            scoped = any(self.settings.is_scoped(form["id"]) for form, _ in forms)
            self._fixed[type_] = (
                None if scoped else [self._bind(f, v, self._values(f, resource)) for f, v in forms]
            )
        fixed = self._fixed[type_]
        if fixed is not None:
            return fixed
        return [self._bind(f, v, self._values(f, resource)) for f, v in self.applicable(type_)]

    def _values(self, form: Mapping[str, Any], resource: Resource) -> dict[str, Any]:
        defaults = {name: parameter["default"] for name, parameter in form["parameters"].items()}
        return {**defaults, **self.settings.parameters(form["id"], resource)}

    def _bind(self, form: dict[str, Any], variant: dict[str, Any], values: dict[str, Any]) -> BoundRule:
        key = (form["id"], id(variant), repr(sorted(values.items())))
        rule = self._bound.get(key)
        if rule is None:
            rule = self._bound[key] = BoundRule(form, variant, values)
        return rule

    def judge(self, resource: Resource, world: World, wanted: frozenset[str] = _ALL) -> list[Judgement]:
        """Decide every rule about a resource, the worst over its branches, and count the verdicts.

        Returns the judgements whose verdict is wanted; the counts are in each rule's ``tally``.
        """
        if world is not self._world:
            self._world, self._subject = world, subject_in(world, self.now)
        subject = self._subject
        if resource.variants:
            return self._judge_branches(resource, subject, wanted)
        subject.resource = resource
        judgements = []
        for rule in self._fixed.get(resource.type) or self.rules_for(resource):
            crash = None
            subject.relations = rule.relations
            try:
                verdict = rule.decide(resource, subject)
            except Exception as error:  # noqa: BLE001  # a crashing rule is UNKNOWN, never a lost run
                verdict, crash = UNKNOWN, self._crashed(rule, error)
            rule.tally[verdict] += 1
            if verdict in wanted:
                judgements.append(_new(Judgement, (rule, verdict, resource, subject, crash, ())))
        return judgements

    def _judge_branches(
        self, resource: Resource, subject: Subject, wanted: frozenset[str]
    ) -> list[Judgement]:
        judgements = []
        for rule in self.rules_for(resource):
            branches = tuple(
                self._judge_branch(rule, branch, subject) for branch in (resource, *resource.variants)
            )
            worst = min(branches, key=lambda judged: _RANK[judged.verdict])
            rule.tally[worst.verdict] += 1
            if worst.verdict in wanted:
                judgements.append(worst._replace(branches=branches))
        return judgements

    def _judge_branch(self, rule: BoundRule, branch: Resource, subject: Subject) -> Judgement:
        subject.resource, subject.relations = branch, rule.relations
        try:
            return Judgement(rule, rule.decide(branch, subject), branch, subject)
        except Exception as error:  # noqa: BLE001  # see judge
            return Judgement(rule, UNKNOWN, branch, subject, self._crashed(rule, error))

    def _crashed(self, rule: BoundRule, error: Exception) -> str:
        self.crashes[rule.id] += 1
        return crash_text(error)

    def unexplained(self, judgement: Judgement, error: Exception) -> Judgement:
        """Return the judgement of a rule that could not explain its verdict: a crash, counted as one."""
        rule = judgement.rule
        rule.tally[judgement.verdict] -= 1
        rule.tally[UNKNOWN] += 1
        return judgement._replace(verdict=UNKNOWN, crash=self._crashed(rule, error), branches=())

    def take_tallies(self) -> Counter[tuple[str, str]]:
        """Return the verdicts counted since the last call, by (rule, verdict)."""
        counted: Counter[tuple[str, str]] = Counter()
        for rule in self._bound.values():
            for verdict, number in rule.tally.items():
                if number:
                    counted[rule.id, verdict] += number
                    rule.tally[verdict] = 0
        return counted

    def judge_all(self, resources: Iterable[Resource], world: World) -> Iterator[Judgement]:
        """Yield the judgements of many resources, in order."""
        for resource in resources:
            yield from self.judge(resource, world)


def crash_text(error: Exception) -> str:
    """Return what went wrong and where; never the error's own words, which may quote a secret value."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return type(error).__name__
    return f"{type(error).__name__} in {last.tb_frame.f_globals.get('__name__', '?')}:{last.tb_lineno}"
