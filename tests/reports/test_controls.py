"""Verdicts per control: they add up, and nothing that was accepted, unknown or not asked is ever satisfied."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.cli.frameworkinfo import framework_infos, pack_mapping
from policyengine.model.finding import Evidence, Finding, build_finding
from policyengine.model.reasons import FAIL, LETTERS, NOT_APPLICABLE, PASS, UNKNOWN, VERDICTS
from policyengine.model.resource import Resource
from policyengine.reports import controls
from policyengine.reports.base import Context, RuleInfo, RunInfo
from policyengine.reports.controls import (
    STATUS_WORDS,
    STATUSES,
    ControlResult,
    ControlTally,
    by_framework,
    control_tally,
)
from policyengine.reports.extras import Extras, FrameworkInfo
from policyengine.rules.packs import load_packs
from tests.reports import sample

REASON = {PASS: "requirement_met", FAIL: "missing", UNKNOWN: "access_denied", NOT_APPLICABLE: "when_not_met"}
MAPPED = {
    "a": {"f": [("1", "whole"), ("2", "part"), ("4", "whole")]},
    "b": {"f": [("2", "part"), ("3", "part"), ("4", "whole")], "g": [("x", "whole")]},
    "c": {"f": [("1", "part")]},
    "d": {},
}
FRAMEWORKS = {
    name: FrameworkInfo(name, name.upper(), "1", "https://example.com", "", ids)
    for name, ids in {"g": ("y", "x"), "f": ("4", "3", "2", "1", "0")}.items()
}
RULES = {
    rule: RuleInfo(rule, rule, "iam", "security", "low", "why", "fix", frameworks=mapped)
    for rule, mapped in MAPPED.items()
}
WAIVER = {"id": "w", "owner": "o", "approver": "p", "reason": "r", "kind": "waiver"}


def finding(
    rule: str, verdict: str, resource: str = "r", *, waived: bool = False, mapped: Any = None
) -> Finding:
    known = mapped or {f: [c for c, _ in ids] for f, ids in MAPPED.get(rule, {}).items()}
    return build_finding(
        rule=rule, title="title", family="iam", severity="low", verdict=verdict, reason=REASON[verdict],
        message="message", resource=Resource("AWS::S3::Bucket", resource, "1", "eu-west-1", {}),
        evidence=[Evidence(("A",), 1, "2", REASON[verdict])], waiver=WAIVER if waived else None,
        frameworks=known,
    )  # fmt: skip


def tally(*found: Finding, asked: Any = None, rules: Any = RULES) -> ControlTally:
    made = ControlTally(FRAMEWORKS, rules, asked)
    for item in found:
        made.add(item)
    return made


def one(results: list[ControlResult], control: str, framework: str = "f") -> ControlResult:
    (found,) = [r for r in results if (r.framework, r.control) == (framework, control)]
    return found


@dataclass(frozen=True)
class Case:
    what: str
    findings: list[Finding]
    control: str
    status: str
    says: str = ""
    asked: frozenset[str] | None = None
    results: dict[str, Any] = field(default_factory=dict)


CASES = [
    Case("whole, all pass", [finding("a", PASS), finding("c", PASS)], "1", "satisfied"),
    Case("no rule", [finding("a", PASS)], "0", "not_decided", "people"),
    Case("parts never add up", [finding("a", PASS), finding("b", PASS)], "2", "no_failure_found", "part"),
    Case("empty population", [finding("b", PASS)], "1", "not_tested", "no resource"),
    Case("wholly not applicable", [finding("a", NOT_APPLICABLE)], "1", "not_tested", "none of the resources"),
    Case("one FAIL", [finding("a", PASS), finding("c", FAIL)], "1", "failed"),
    Case("FAIL before UNKNOWN", [finding("a", UNKNOWN), finding("c", FAIL)], "1", "failed"),
    Case("UNKNOWN of a part", [finding("a", PASS), finding("c", UNKNOWN)], "1", "unknown"),
    Case("waived", [finding("a", FAIL, waived=True), finding("c", PASS)], "1", "accepted", "not satisfied"),
    Case("waived and not", [finding("a", FAIL, waived=True), finding("c", FAIL)], "1", "failed"),
    Case("waived and UNKNOWN", [finding("a", FAIL, waived=True), finding("c", UNKNOWN)], "1", "unknown"),
    Case("the whole one had nothing", [finding("a", NOT_APPLICABLE), finding("c", PASS)], "1",
         "no_failure_found", "nothing to judge"),
    Case("two whole rules for two types", [finding("a", PASS), finding("b", NOT_APPLICABLE)], "4", "satisfied"),
    Case("one of two whole rules left out", [finding("a", PASS)], "4", "no_failure_found", "not asked: b",
         frozenset("acd")),
    Case("no rule was asked", [finding("b", PASS)], "1", "not_tested", "not asked", frozenset("b")),
    Case("undecidable from this source", [finding("a", PASS)], "4", "no_failure_found", "not asked: b",
         results={"undecidable": ["b"]}),
    Case("incomplete run", [finding("a", PASS)], "1", "no_failure_found", "incomplete", results={"complete": False}),
    Case("incomplete run that fails", [finding("a", FAIL)], "1", "failed", results={"complete": False}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.what)
def test_what_is_said_of_a_control(case: Case) -> None:
    found = one(tally(*case.findings, asked=case.asked).results(**case.results), case.control)
    assert found.status == case.status
    assert case.says in found.sentence


def test_order_is_that_of_the_files_and_every_control_is_there() -> None:
    found = [(r.framework, r.control) for r in tally().results()]
    assert found == [("g", "y"), ("g", "x"), ("f", "4"), ("f", "3"), ("f", "2"), ("f", "1"), ("f", "0")]


def test_what_an_unknown_rule_is_mapped_to_counts_and_is_a_part() -> None:
    more = {"f": ["0", "9"]}
    found = tally(finding("new", PASS, mapped=more), finding("new", FAIL, "s", mapped=more)).results()
    assert (one(found, "0").status, one(found, "0").rules) == ("failed", (("new", "part"),))
    assert found[-1].control == "9"
    assert found[-1].status == "failed"
    assert one(tally(finding("new", PASS, mapped=more)).results(), "0").status == "no_failure_found"


def test_waived_more_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be waived"):
        tally().add_verdicts("a", FAIL, 1, 2)
    with pytest.raises(ValueError, match="cannot be waived"):
        tally().add_verdicts("a", PASS, 2, 1)


def test_exact_counts_of_the_run_win_over_what_was_shown() -> None:
    run = RunInfo("i", "t", "t", "1", "t", "d", 4, verdicts={("a", PASS): 9, ("a", FAIL): 3})
    made = tally(finding("a", FAIL), finding("a", FAIL, "s", waived=True))
    found = one(made.results_of(run), "1")
    assert (found.verdicts[PASS], found.verdicts[FAIL], found.waived) == (9, 3, 1)
    assert found.resources is None
    same = RunInfo("i", "t", "t", "1", "t", "d", 4, verdicts={("a", FAIL): 1, ("a", PASS): 0})
    assert one(tally(finding("a", FAIL)).results_of(same), "1").resources == {
        **dict.fromkeys(VERDICTS, 0),
        FAIL: 1,
    }


def test_findings_out_of_order_count_no_resources() -> None:
    ordered = tally(finding("a", PASS, "r"), finding("a", PASS, "s")).results()
    assert one(ordered, "1").resources == {**dict.fromkeys(VERDICTS, 0), PASS: 2}
    other = one(
        tally(finding("a", PASS, "s"), finding("a", PASS, "r"), finding("c", FAIL, "s")).results(), "1"
    )
    assert other.resources is None
    assert other.verdicts == {PASS: 2, FAIL: 1, UNKNOWN: 0, NOT_APPLICABLE: 0}


def test_the_tally_of_a_report_knows_rules_that_were_not_asked() -> None:
    extras = Extras(frameworks=FRAMEWORKS, pack=MAPPED)
    made = control_tally(Context(rules={"a": RULES["a"]}, extras=extras))
    made.add(finding("a", PASS))
    assert one(made.results(), "4").status == "no_failure_found"
    assert one(made.results(), "1").status == "satisfied"
    assert one(made.results(), "1").unasked == ("c",)


VERDICT_LETTERS = st.sampled_from("PFUN-")


@st.composite
def populations(draw: st.DrawFn) -> list[tuple[str, list[str]]]:
    """Per resource a letter a rule and which FAILs are waived."""
    rules = list(MAPPED)
    rows = draw(st.lists(st.tuples(*[VERDICT_LETTERS] * len(rules)), max_size=8))
    return [
        (
            "".join(row),
            [r for r, letter in zip(rules, row, strict=True) if letter == "F" and draw(st.booleans())],
        )
        for row in rows
    ]


def as_findings(rows: list[tuple[str, list[str]]]) -> list[Finding]:
    names = {letter: verdict for verdict, letter in LETTERS.items()}
    return [
        finding(rule, names[letter], f"r{n}", waived=rule in waived)
        for n, (letters, waived) in enumerate(rows)
        for rule, letter in zip(MAPPED, letters, strict=True)
        if letter != "-"
    ]


def check_laws(found: ControlResult, rows: list[tuple[str, list[str]]]) -> None:
    mine = {rule for rule, _ in found.rules}
    column = {rule: n for n, rule in enumerate(MAPPED)}
    pairs = Counter(letters[column[rule]] for letters, _ in rows for rule in mine)
    assert found.verdicts == {v: pairs[letter] for v, letter in LETTERS.items()}
    assert found.population == sum(n for letter, n in pairs.items() if letter != "-")
    assert found.waived == sum(rule in waived for _, waived in rows for rule in mine) <= found.verdicts[FAIL]
    assert found.resources is not None
    reached = [row for row in rows if any(row[0][column[rule]] != "-" for rule in mine)]
    assert sum(found.resources.values()) == len(reached)
    failing = [waived for letters, waived in rows if any(letters[column[rule]] == "F" for rule in mine)]
    assert found.resources[FAIL] == len(failing)
    if found.status == "satisfied":
        assert found.verdicts[FAIL] == found.verdicts[UNKNOWN] == found.waived == 0
        assert found.verdicts[PASS] > 0
        assert found.decided == "whole"
    assert (found.status == "failed") == (found.verdicts[FAIL] > found.waived)
    assert found.status in STATUSES
    assert found.sentence


@settings(max_examples=150, deadline=None)
@given(populations(), st.booleans(), st.booleans())
def test_verdicts_add_up_to_the_population(
    rows: list[tuple[str, list[str]]], complete: bool, small: bool
) -> None:
    by_rows = ControlTally(FRAMEWORKS, RULES)
    kept = controls.MAX_VECTORS
    controls.MAX_VECTORS = 1 if small else kept  # type: ignore[misc]  # how much is kept changes nothing
    try:
        for letters, waived in rows:
            by_rows.add_row(list(MAPPED), letters, waived)
        by_finding = tally(*as_findings(rows))
        results = by_rows.results(complete=complete)
        for found in results:
            check_laws(found, rows)
            assert complete or found.status != "satisfied"
        assert results == by_finding.results(complete=complete)
    finally:
        controls.MAX_VECTORS = kept  # type: ignore[misc]
    by_counts = ControlTally(FRAMEWORKS, RULES)
    counts: Counter[tuple[str, str]] = Counter()
    waived_of: Counter[str] = Counter()
    for item in as_findings(rows):
        counts[item.rule, item.verdict] += 1
        waived_of[item.rule] += item.waiver is not None
    for (rule, verdict), number in counts.items():
        by_counts.add_verdicts(rule, verdict, number, waived_of[rule] if verdict == FAIL else 0)
    plain = [(r.control, r.status, r.verdicts, r.waived) for r in results]
    assert plain == [
        (r.control, r.status, r.verdicts, r.waived) for r in by_counts.results(complete=complete)
    ]


def test_every_status_has_words() -> None:
    assert set(STATUS_WORDS) == set(STATUSES)
    assert [s for s, (label, _) in STATUS_WORDS.items() if label.startswith("satisfied")] == ["satisfied"]


def test_the_bundled_frameworks_and_pack() -> None:
    frameworks, pack = framework_infos(), load_packs()
    made = control_tally(Context(extras=Extras(frameworks=frameworks, pack=pack_mapping(pack.rules))))
    results = made.results()
    assert [(r.framework, r.control) for r in results] == [
        (name, control) for name, info in frameworks.items() for control in info.controls
    ]
    assert {r.status for r in results} == {"not_tested", "not_decided"}
    counted = dict(by_framework(results))
    assert sum(counted["soc2"].values()) == len(frameworks["soc2"].controls)


def test_what_is_only_in_the_baseline_was_accepted_by_nobody() -> None:
    [finding] = [f for f in sample.findings(hostile=False) if f.verdict == "FAIL" and f.waiver is not None][
        :1
    ]
    statuses = {}
    for kind in ("waiver", "baseline"):
        info = FrameworkInfo("soc2", "SOC 2", "2017", "", "", ["CC6.1"])
        tally = ControlTally({"soc2": info}, {})
        tally.add(
            finding._replace(frameworks={"soc2": ["CC6.1"]}, waiver={**(finding.waiver or {}), "kind": kind})
        )
        statuses[kind] = [result.status for result in tally.results()]
    assert statuses == {"waiver": ["accepted"], "baseline": ["failed"]}
