"""Verdicts per control of a framework: what HTML, OSCAL, workbooks and the evidence bundle say of each.

A rule's verdict counts for every control the rule is mapped to, so the **population** of a control is the
(rule, resource) pairs of its rules that were asked, and its four verdicts add up to it. What may be said of a
control is one of :data:`STATUSES`, worst first; :data:`STATUS_WORDS` is how a report says it.

A control is **decided wholly** in a run only where a rule of the pack says that it decides the whole control,
*every* rule of the pack that says so was asked in this run (not left out by ``--rule``, ``--family``, a disabled
rule or a source that cannot decide it), at least one of them passed on something, and the run is complete. Rules
that decide a part never add up to the whole: nobody has recorded that the parts are all there is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, Protocol

from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, LETTERS, PASS, UNKNOWN, VERDICT_OF, VERDICTS
from policyengine.reports.base import Context, RunInfo
from policyengine.reports.extras import Extras, FrameworkInfo
from policyengine.reports.tally import is_accepted

Decides = Literal["whole", "part", "none"]
Status = Literal[
    "failed", "unknown", "accepted", "no_failure_found", "satisfied", "not_tested", "not_decided"
]

STATUSES: Final[tuple[Status, ...]] = (
    "failed", "unknown", "accepted", "no_failure_found", "satisfied", "not_tested", "not_decided",
)  # fmt: skip
"""Every status. The first three are by precedence: a FAIL nobody accepted, then an UNKNOWN, then an accepted FAIL."""

STATUS_WORDS: Final[Mapping[Status, tuple[str, str]]] = {
    "failed": ("failed", "at least one rule fails on a resource, and nobody has accepted it"),
    "unknown": ("unknown", "no rule is known to fail, but at least one verdict could not be determined"),
    "accepted": (
        "accepted, not satisfied",
        "every failure is accepted by a waiver; the control is not satisfied",
    ),
    "no_failure_found": (
        "no failure found",
        "nothing failed, but the rules that were asked do not decide the whole control, or the run is incomplete",
    ),
    "satisfied": (
        "satisfied",
        "rules that decide the whole control passed on every resource that was looked at and that they apply to",
    ),
    "not_tested": (
        "not tested",
        "there was nothing to judge: no rule was asked, or no resource it applies to",
    ),
    "not_decided": ("not decided by a rule", "no rule speaks of this control; people have to assess it"),
}
"""status -> (a label of a few words, a sentence without a full stop). Only ``satisfied`` may be shown green."""

_RANK: Final = {"F": 0, "U": 2, "P": 3, "N": 4}
_ACCEPTED: Final = 1
_NONE: Final = 5
MAX_VECTORS: Final = 50_000
"""Distinct verdict vectors kept before they are added up, so that memory does not grow with the population."""

Vector = tuple[tuple[str, ...], str, tuple[str, ...]]
"""Rules that were asked of one resource, a letter each, and those of them whose FAIL is waived."""


class MappedRule(Protocol):
    """What the counts need of a rule; :class:`~policyengine.reports.base.RuleInfo` is one."""

    @property
    def frameworks(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Framework id -> (control, whole or part)."""


class RuleCount(NamedTuple):
    """How often a rule came to each of the four verdicts, and how many of its FAILs are waived."""

    verdicts: Mapping[str, int]
    waived: int


@dataclass(frozen=True, slots=True)
class ControlResult:
    """What a run says of one control.

    ``decides`` is what the rules of the pack can decide of it, ``decided`` what those that were asked in this run
    did. ``rules`` are (rule id, ``whole`` or ``part``) of the pack, by id; ``unasked`` those of them that were not
    asked. ``verdicts`` has all four verdicts and counts (rule, resource) pairs; ``waived`` is counted in FAIL too.
    ``resources`` counts each resource once, by its worst verdict over the control's rules (FAIL, UNKNOWN, PASS,
    NOT_APPLICABLE); None where the tally was not given resources one by one.
    """

    framework: str
    control: str
    decides: Decides
    decided: Decides
    rules: tuple[tuple[str, str], ...]
    unasked: tuple[str, ...]
    verdicts: Mapping[str, int]
    waived: int
    by_rule: Mapping[str, RuleCount]
    """Of each rule that was asked what it adds to ``verdicts`` and ``waived``."""
    status: Status
    resources: Mapping[str, int] | None = None
    resources_waived: int | None = None
    """Of the resources that FAIL, those of which every FAIL is waived; None like ``resources``."""

    @property
    def population(self) -> int:
        """How many (rule, resource) pairs were judged: the sum of ``verdicts``."""
        return sum(self.verdicts.values())

    @property
    def label(self) -> str:
        """The status in a few words."""
        return STATUS_WORDS[self.status][0]

    @property
    def sentence(self) -> str:
        """Why the control has its status, as a sentence without a full stop."""
        if self.status == "not_tested" and self.rules and len(self.unasked) == len(self.rules):
            return "its rules were not asked in this run, or cannot be decided from its source"
        if self.status == "not_tested":
            return "no resource that its rules apply to was found" if not self.population else (
                "its rules apply to none of the resources that were found"
            )  # fmt: skip
        if self.status == "no_failure_found":
            return self._why_not_satisfied()
        return STATUS_WORDS[self.status][1]

    def _why_not_satisfied(self) -> str:
        if self.decides == "part":
            return "nothing failed, and the rules decide only a part of the control"
        if self.decided == "whole":
            return "nothing failed, but the run is incomplete: what could not be read or judged may fail"
        missing = ", ".join(
            rule for rule, decides in self.rules if decides == "whole" and rule in self.unasked
        )
        if missing:
            return f"nothing failed, but what decides the whole control was not asked: {missing}"
        return "nothing failed, but what decides the whole control had nothing to judge"


class ControlTally:
    """Counts verdicts and says what they mean for every control of every framework.

    ``frameworks``: what ``cli.frameworkinfo.framework_infos`` returns; results come in its order and in the order of
    each framework's file. ``rules`` are **all** rules of the pack, also those that this run did not ask, and
    ``asked`` the ids of those it did (None: all of ``rules``). A rule that findings name and ``rules`` lacks is taken
    to decide a part.
    """

    def __init__(
        self,
        frameworks: Mapping[str, FrameworkInfo],
        rules: Mapping[str, MappedRule],
        asked: Collection[str] | None = None,
    ) -> None:
        self._frameworks = frameworks
        self._mapping: dict[str, dict[str, dict[str, str]]] = {}
        self._places: dict[str, list[tuple[str, str]]] = {}
        self._asked = set(rules if asked is None else asked)
        for rule, info in rules.items():
            self._map(rule, info.frameworks)
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._waived: Counter[str] = Counter()
        self._resources = _Resources(self._places)
        self._vectors: Counter[Vector] = Counter()
        self._identity: tuple[str, ...] = ()
        self._open: tuple[list[str], list[str], list[str]] = ([], [], [])

    def _map(self, rule: str, frameworks: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        places = self._places.setdefault(rule, [])
        for framework, controls in frameworks.items():
            for control, decides in controls:
                places.append((framework, control))
                self._mapping.setdefault(framework, {}).setdefault(control, {})[rule] = decides

    def add(self, finding: Finding) -> None:
        """Count one finding. Resources are counted too as long as findings come in report order."""
        rule, verdict = finding.rule, finding.verdict
        if rule not in self._places:
            # what it decides is not known, so it decides a part
            self._map(rule, {f: [(c, "part") for c in ids] for f, ids in finding.frameworks.items()})
        waived = verdict == FAIL and is_accepted(finding.waiver)
        if finding.identity != self._identity:
            self._end_resource()
            if finding.identity < self._identity:
                self._forget_resources()
            self._identity = finding.identity
        rules, letters, accepted = self._open
        rules.append(rule)
        letters.append(LETTERS[verdict])
        if waived:
            accepted.append(rule)

    def add_row(self, rules: Sequence[str], letters: str, waived: Collection[str] = ()) -> None:
        """Count one resource as a run directory keeps it: a letter for each of ``rules``, ``-`` for one not asked.

        ``waived`` are the ids of the rules whose FAIL somebody accepted. Each resource must be given once. A rule that
        ``rules`` of the tally lacks counts for no control: a row does not say to which it is mapped.
        """
        self._vectors[tuple(rules), letters, tuple(waived)] += 1
        if len(self._vectors) > MAX_VECTORS:
            self._add_up()

    def add_verdicts(self, rule: str, verdict: str, number: int, waived: int = 0) -> None:
        """Count ``number`` findings of a rule at once, of which ``waived`` are FAILs that carry a waiver.

        Which resources they were is not known, so resources are no longer counted.
        """
        if not 0 <= waived <= (number if verdict == FAIL else 0):
            raise ValueError(f"{rule}: {waived} of {number} {verdict} cannot be waived")
        self._pairs[rule, verdict] += number
        self._waived[rule] += waived
        self._forget_resources()

    def correct(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Take exact counts by (rule, verdict), for a report that was given only some of the findings.

        Waived FAILs are always given, so they stay as counted.
        """
        self._add_up()
        if +self._pairs != +Counter(counts):
            self._pairs = Counter(counts)
            self._forget_resources()

    def results(self, *, complete: bool = True, undecidable: Collection[str] = ()) -> list[ControlResult]:
        """Return every control of every framework; ``undecidable`` are rules that the source could not decide."""
        self._add_up()
        asked = (self._asked - set(undecidable)) | {rule for (rule, _), n in self._pairs.items() if n}
        found: list[ControlResult] = []
        for framework, info in self._frameworks.items():
            mapped = self._mapping.get(framework, {})
            # a rule may name what another edition of the list lacks; it is not dropped
            beyond = sorted(mapped.keys() - set(info.controls))
            found += [
                self._result(framework, control, mapped.get(control, {}), asked, complete)
                for control in (*info.controls, *beyond)
            ]
        return found

    def results_of(self, run: RunInfo) -> list[ControlResult]:
        """Return the results, with what the final run says: exact counts, whether it is complete, what it asked."""
        if run.verdicts is not None:
            self.correct(run.verdicts)
        return self.results(complete=run.complete, undecidable=run.undecidable)

    def _result(
        self, framework: str, control: str, mapped: Mapping[str, str], asked: Collection[str], complete: bool
    ) -> ControlResult:
        verdicts = {v: sum(self._pairs[rule, v] for rule in mapped) for v in VERDICTS}
        waived = sum(self._waived[rule] for rule in mapped)
        whole = [rule for rule, decides in mapped.items() if decides == "whole"]
        decided: Decides = "part" if any(rule in asked for rule in mapped) else "none"
        if whole and all(rule in asked for rule in whole) and any(self._pairs[rule, PASS] for rule in whole):
            decided = "whole"
        return ControlResult(
            framework=framework,
            control=control,
            decides="whole" if whole else "part" if mapped else "none",
            decided=decided,
            rules=tuple(sorted(mapped.items())),
            unasked=tuple(sorted(rule for rule in mapped if rule not in asked)),
            verdicts=verdicts,
            waived=waived,
            by_rule={
                rule: RuleCount({v: self._pairs[rule, v] for v in VERDICTS}, self._waived[rule])
                for rule in sorted(mapped)
                if rule in asked
            },
            status=_status(decided if mapped else None, verdicts, waived, complete),
            resources=self._resources.verdicts(framework, control),
            resources_waived=self._resources.waived(framework, control),
        )

    def _end_resource(self) -> None:
        rules, letters, waived = self._open
        if rules:
            self._open = ([], [], [])
            self.add_row(rules, "".join(letters), waived)

    def _add_up(self) -> None:
        """Take the kept vectors into the counts."""
        self._end_resource()
        for (rules, letters, waived), number in self._vectors.items():
            for rule, letter in zip(rules, letters, strict=True):
                if letter != "-":
                    self._pairs[rule, VERDICT_OF[letter]] += number
            for rule in waived:
                self._waived[rule] += number
            self._resources.add((rules, letters, waived), number)
        self._vectors.clear()

    def _forget_resources(self) -> None:
        self._resources.forget()


class _Resources:
    """Each resource once per control, by its worst verdict there."""

    def __init__(self, places: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        self._places = places
        self._counts: Counter[tuple[str, str, int]] | None = Counter()

    def add(self, vector: Vector, number: int) -> None:
        """Count ``number`` resources that have the same verdicts."""
        if self._counts is None:
            return
        rules, letters, waived = vector
        worst: dict[tuple[str, str], int] = {}
        for rule, letter in zip(rules, letters, strict=True):
            rank = _ACCEPTED if rule in waived else _RANK.get(letter, _NONE)
            for place in self._places.get(rule, ()):
                worst[place] = min(rank, worst.get(place, _NONE))
        for (framework, control), rank in worst.items():
            self._counts[framework, control, rank] += number

    def forget(self) -> None:
        """Stop: which resources the verdicts belong to is not known."""
        self._counts = None

    def verdicts(self, framework: str, control: str) -> dict[str, int] | None:
        """Return how many resources have each worst verdict."""
        if self._counts is None:
            return None
        found = {v: self._counts[framework, control, _RANK[LETTERS[v]]] for v in VERDICTS}
        found[FAIL] += self._counts[framework, control, _ACCEPTED]
        return found

    def waived(self, framework: str, control: str) -> int | None:
        """Return how many of those that FAIL have no FAIL without a waiver."""
        return None if self._counts is None else self._counts[framework, control, _ACCEPTED]


def _status(decided: Decides | None, verdicts: Mapping[str, int], waived: int, complete: bool) -> Status:
    """Return the status; ``decided`` is None where the pack has no rule."""
    if decided is None:
        return "not_decided"
    if verdicts[FAIL] > waived:
        return "failed"
    if verdicts[UNKNOWN]:
        return "unknown"
    if waived:
        return "accepted"
    if not verdicts[PASS]:
        return "not_tested"
    return "satisfied" if decided == "whole" and complete else "no_failure_found"


def control_tally(context: Context) -> ControlTally:
    """Return the tally of a report; without ``extras.pack`` only the rules that were asked are known."""
    return ControlTally(
        context.extras.frameworks, all_rules(context.rules, context.extras), asked=context.rules
    )


def all_rules(asked: Mapping[str, MappedRule], extras: Extras) -> dict[str, MappedRule]:
    """Return the rules of the pack, those that were asked among them."""
    return {**{rule: _Mapped(frameworks) for rule, frameworks in extras.pack.items()}, **asked}


@dataclass(frozen=True, slots=True)
class _Mapped:
    frameworks: Mapping[str, Sequence[tuple[str, str]]]


def by_framework(results: Iterable[ControlResult]) -> Iterator[tuple[str, Counter[str]]]:
    """Yield (framework, how many controls have each status), in the order of the results."""
    counts: dict[str, Counter[str]] = {}
    for result in results:
        counts.setdefault(result.framework, Counter())[result.status] += 1
    yield from counts.items()
