"""Is there a request? The search behind every question over all requests.

A :class:`Way` is one way in which a request may be allowed: of each level one statement holds, of the
others none does. Actions that the same statements name are one group; within a group the candidates
of the other dimensions stand for all values, and what remains of a box is turned into a request. A
request counts only when ``verify`` (which decides that single request) agrees; where it cannot, or
where there was too much to look at, the answer is Unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any, Final, NamedTuple

from policyengine.iam.account_ids import account_of, whose
from policyengine.iam.atoms import PRINCIPAL, PRINCIPAL_KEYS, RESOURCE, Atom, Setting, atoms_of
from policyengine.iam.boxes import Box, Budget, meet, remaining
from policyengine.iam.catalogue import Catalogue
from policyengine.iam.cells import Pattern
from policyengine.iam.dimensions import Dimension, key_dimension, text_dimension
from policyengine.iam.documents import Statement
from policyengine.iam.domains import (
    Callers,
    arn_pattern,
    caller_domain,
    free_resources,
    key_domain,
    literal_service,
    pinned,
    resource_domain,
)
from policyengine.iam.opaque import Opaque
from policyengine.iam.principals import Named
from policyengine.iam.request import Request
from policyengine.iam.request_set import RequestSet
from policyengine.iam.shapes import shapes
from policyengine.iam.ties import tied
from policyengine.iam.well_known import well_known

MAX_STEPS: Final = 200_000
"""Boxes that a question may look at."""
MAX_WORK: Final = 2_000_000
"""What making the dimensions of a question may cost, in answers of an atom: some seconds."""
MAX_CHOICES: Final = 4_096
MAX_TRIES: Final = 256
BATCH: Final = 40
"""ARN templates that are looked at together."""

Verify = Callable[[Request], bool | Opaque]


class Part(NamedTuple):
    """A statement in a way: its actions as bits, and how it must name the principal."""

    statement: Statement
    actions: int
    named: frozenset[Named] | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """``levels``: of each one part holds; ``without``: none of these does."""

    levels: Sequence[Sequence[Part]]
    without: Sequence[Part] = ()
    where: tuple[Atom, ...] = ()
    """What must hold besides."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A request that shows why a question was answered as it was."""

    principal: str
    action: str
    resource: str
    context: Mapping[str, str | tuple[str, ...]]

    def request(self, resource_account: str | None = None) -> Request:
        """Return it as a request to decide; ``resource_account``: of a resource whose ARN does not say."""
        return Request(self.principal, self.action, self.resource, dict(self.context), resource_account)


@dataclass(slots=True)
class Question:
    """What is asked: a set of requests, who may ask, what is fixed, and who decides a single request."""

    requests: RequestSet
    callers: Callers
    catalogue: Catalogue
    verify: Verify
    setting: Setting = field(default_factory=Setting)
    effort: int = 100
    """How much is looked at before the answer is Unknown, in percent of what is usual."""

    def actions(self) -> int:
        """Return the actions in question as bits."""
        return self.catalogue.matching_any(self.requests.actions)


class Search:
    """One question put to several ways; ``why`` collects what kept it from being decided."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.budget = Budget(MAX_STEPS * question.effort // 100)
        self.work = Budget(MAX_WORK * question.effort // 100)
        self.tries = MAX_TRIES
        self.why: dict[str, None] = {}
        self.spelled: dict[str, str] = {}
        self.possible = False
        self._atoms: dict[tuple[int, Any], list[Atom]] = {}
        self.catalogue = question.catalogue
        self.shapes = shapes()
        self.actions = question.actions()
        self.possibly = self._possible_actions()

    def witnesses(self, ways: Sequence[Way]) -> Iterator[Witness]:
        """Yield a verified request for each group of actions that has one."""
        self.spelled = _spellings(ways) | dict(self.question.requests.spelled)
        for free in (False, True):
            actions = self.actions if free else self.possibly
            for way in ways:
                for group in self._groups(way, actions):
                    if self.budget.spent or self.work.spent:
                        self.why["too_large"] = None
                        return
                    yield from islice(self._group(way, group, free), 1)
            if self.possible or self.question.requests.resources == ("*",):
                return

    def _possible_actions(self) -> int:
        """Return the actions that can be about a resource in question, as far as its service says."""
        found = self.actions & ~self.shapes.known
        for text in self.question.requests.resources:
            service = literal_service(text)
            if service is None:
                return self.actions
            found |= self.actions & self.shapes.of_service(service)
        return found

    def _groups(self, way: Way, actions: int) -> list[int]:
        """Return the actions, cut into groups that the same statements name."""
        reach = actions
        for level in way.levels:
            union = 0
            for part in level:
                union |= part.actions
            reach &= union
        for part in way.without:
            if not self.atoms(part):
                reach &= ~part.actions
        groups = [reach] if reach else []
        for mask in {p.actions for parts in (*way.levels, way.without) for p in parts}:
            groups = [g for group in groups for g in (group & mask, group & ~mask) if g]
        return groups

    def atoms(self, part: Part) -> list[Atom]:
        """Return the atoms of a part, taken apart once."""
        key = (id(part.statement), part.named)
        if key not in self._atoms:
            self._atoms[key] = atoms_of(part.statement, self.question.setting, part.named)
        return self._atoms[key]

    def _group(self, way: Way, group: int, free: bool) -> Iterator[Witness]:
        without = [self.atoms(p) for p in way.without if p.actions & group]
        levels = [self._choices(level, group) for level in way.levels]
        count = 1
        for choices in levels:
            count *= len(choices)
        if count > MAX_CHOICES:
            self.why["too_large"] = None
        for chosen in islice(product([list(way.where)], *levels), MAX_CHOICES):
            for universe, starred in self._universes(group, chosen, without, free):
                yield from self._solve(group, chosen, without, universe, starred, free)
                if self.budget.spent or self.work.spent:
                    self.why["too_large"] = None
                    return

    def _choices(self, level: Sequence[Part], group: int) -> list[list[Atom]]:
        """Return the atoms of each statement that may hold; one without any is enough."""
        found = [self.atoms(p) for p in level if p.actions & group]
        return [[]] if any(not atoms for atoms in found) else found

    def _universes(
        self, group: int, chosen: Sequence[list[Atom]], without: Sequence[list[Atom]], free: bool
    ) -> Iterator[tuple[tuple[Pattern, ...], bool]]:
        """Yield the ARNs the group's actions can be about, some templates at a time."""
        partition, owner = self.question.setting.partition, self.question.setting.resource_account
        starred = bool(self.shapes.starred(group))
        if free or group & ~self.shapes.known:
            yield free_resources(self.question.requests, partition), True
        if free:
            return
        shortest = self.shapes.shortest_first(group)
        arns = [arn for arn, _ in shortest]
        named = self._services(a for atoms in (*chosen, *without) for a in atoms)
        if named is not None:
            # AWS's services that nobody names are all alike: one stands for the others
            others = next(([arn] for arn, service in shortest if service not in named), [])
            arns = [*others, *(arn for arn, service in shortest if service in named)]
        batches = [arns[at : at + BATCH] for at in range(0, len(arns), BATCH)] or ([[]] if starred else [])
        for batch in batches:
            yield tuple(arn_pattern(arn, partition, owner) for arn in batch), starred

    def _services(self, atoms: Iterable[Atom]) -> set[str] | None:
        """Return the services that patterns and keys name; None where a pattern leaves them open."""
        named: set[str] = set()
        texts = [r for r in self.question.requests.resources if r != "*"]
        for atom in atoms:
            if atom.dimension == RESOURCE:
                texts.extend(v for v in atom.values if v != "*")
            elif atom.dimension != PRINCIPAL and not atom.dimension.startswith("aws:"):
                named.add(atom.dimension.partition(":")[0])
        for text in texts:
            service = literal_service(text)
            if service is None:
                return None
            named.add(service)
        return named

    def _solve(
        self,
        group: int,
        chosen: Sequence[list[Atom]],
        without: Sequence[list[Atom]],
        universe: tuple[Pattern, ...],
        starred: bool,
        free: bool,
    ) -> Iterator[Witness]:
        dimensions = self._dimensions(chosen, without, universe, starred, free)
        self.work.take(sum(d.cost for d in dimensions.values()))
        whole = {name: d.all for name, d in dimensions.items()}
        if whole[RESOURCE]:
            self.possible = True
        if not all(whole.values()):
            return
        if not all(d.complete for d in dimensions.values()):
            self.why["too_large"] = None
        box = _possible_box(whole, chosen, dimensions)
        if box is None:
            return
        taken = [t for atoms in without if (t := _certain(atoms, dimensions)) is not None]
        for left in remaining(box, taken, self.budget):
            yield from self._try(group, left, dimensions, chosen, without, free)
            if self.tries <= 0:
                self.why.setdefault("too_large", None)
                return

    def _dimensions(
        self,
        chosen: Sequence[list[Atom]],
        without: Sequence[list[Atom]],
        universe: tuple[Pattern, ...],
        starred: bool,
        free: bool,
    ) -> dict[str, Dimension]:
        requests = self.question.requests
        by: dict[str, list[Atom]] = {PRINCIPAL: [], RESOURCE: []}
        for atoms in (*chosen, *without):
            for atom in atoms:
                by.setdefault(atom.dimension, []).append(atom)
        for key in requests.context.keys() - PRINCIPAL_KEYS:
            by.setdefault(key, [])
        found = {
            key: key_dimension(atoms, key_domain(key, pinned(key, requests), self.question.callers))
            for key, atoms in by.items()
            if key not in (PRINCIPAL, RESOURCE)
        }
        found[PRINCIPAL] = text_dimension(
            by[PRINCIPAL], caller_domain(self.question.callers, requests, self._follows)
        )
        found[RESOURCE] = text_dimension(
            by[RESOURCE],
            resource_domain(universe, starred, requests, free, self.question.callers.account),
        )
        return found

    def _follows(self, principal: str, key: str) -> tuple[str, ...] | Opaque | None:
        return self.question.setting.request(principal).values(key)

    def _try(
        self,
        group: int,
        box: Mapping[str, int],
        dimensions: Mapping[str, Dimension],
        chosen: Sequence[list[Atom]],
        without: Sequence[list[Atom]],
        free: bool,
    ) -> Iterator[Witness]:
        """Yield the requests of a box that are verified: its first values, and others that tie them."""
        for made in self._assignments(box, dimensions, [*chosen, *without], len(chosen)):
            self.tries -= 1
            if self.tries < 0:
                return
            action = self._action(group, made, free)
            if action is None:
                made = {**made, RESOURCE: "*"}
                action = self._action(group, made, free)
            if action is None or not whose(made[RESOURCE], made):
                self.why["no_such_request"] = None
                continue
            witness = _witness(made, action, self.spelled)
            request = witness.request(self.question.setting.resource_account)
            if not self.question.requests.holds(request):
                continue
            verdict = self.question.verify(request)
            if verdict is True:
                yield witness
                return
            self.why[verdict.reason if isinstance(verdict, Opaque) else "policy_variable"] = None

    def _assignments(
        self,
        box: Mapping[str, int],
        dimensions: Mapping[str, Dimension],
        parts: Sequence[list[Atom]],
        wanted: int,
    ) -> Iterator[dict[str, Any]]:
        """Yield values from a box: first such that policy variables have values and do no harm.

        The first ``wanted`` of the parts are to hold, the others not to.
        """
        preferred = dict(box)
        for index, atoms in enumerate(parts):
            for atom in atoms:
                if atom.templates or atom.family in ("tie", "hint"):
                    may, must = dimensions[atom.dimension].masks(atom)
                    wish = ~may if atom.templates and index >= wanted else must
                    preferred[atom.dimension] = (preferred[atom.dimension] & wish) or preferred[
                        atom.dimension
                    ]
        for choice in (preferred, box) if preferred != box else (box,):
            values = {name: dimensions[name].candidates[_lowest(mask)] for name, mask in choice.items()}
            yield from tied(values, parts, self.question.setting)

    def _action(self, group: int, values: Mapping[str, Any], free: bool) -> str | None:
        """Return an action of the group that takes the resource and knows the keys."""
        partition = self.question.setting.partition
        resource = values[RESOURCE]
        fitting = group if free else self.shapes.about(group, resource, partition)
        keys = [k for k, v in values.items() if v is not None and k not in (PRINCIPAL, RESOURCE)]
        asked = self.question.requests.context
        for bits in (fitting & well_known(), fitting):
            left = bits
            while left:
                low = left & -left
                action = self.catalogue.at(low.bit_length() - 1)
                if all(k in asked or self.catalogue.may_carry(action, k) is not False for k in keys):
                    return action.name
                left ^= low
        return None


def _possible_box(
    whole: Box, chosen: Sequence[list[Atom]], dimensions: Mapping[str, Dimension]
) -> Box | None:
    """Return the box in which all chosen atoms may hold; None where they nowhere do."""
    box = whole
    for atom in (atom for atoms in chosen for atom in atoms):
        narrower = meet(box, {atom.dimension: dimensions[atom.dimension].masks(atom)[0]})
        if narrower is None:
            return None
        box = narrower
    return box


def _certain(atoms: Sequence[Atom], dimensions: Mapping[str, Dimension]) -> dict[str, int] | None:
    """Return the box in which a statement surely holds; None where it nowhere does."""
    box: dict[str, int] = {}
    for atom in atoms:
        if atom.family == "hint":
            continue
        dimension = dimensions[atom.dimension]
        mask = dimension.masks(atom)[1] & box.get(atom.dimension, dimension.all)
        if not mask:
            return None
        box[atom.dimension] = mask
    return box


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


def _spellings(ways: Sequence[Way]) -> dict[str, str]:
    """Return each condition key as the statements spell it."""
    parts = (p for way in ways for parts in (*way.levels, way.without) for p in parts)
    return {c.key.lower(): c.key for part in parts for c in part.statement.conditions}


def _witness(values: Mapping[str, Any], action: str, spelled: Mapping[str, str]) -> Witness:
    context = {
        spelled.get(key, key): value[0] if len(value) == 1 else tuple(value)
        for key, value in sorted(values.items())
        if value is not None and key not in (PRINCIPAL, RESOURCE)
        if key != "aws:resourceaccount" or value != (account_of(values[RESOURCE]),)
    }
    return Witness(values[PRINCIPAL], action, values[RESOURCE], context)
