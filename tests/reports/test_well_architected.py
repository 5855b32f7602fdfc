"""The Well-Architected report: risks add up, a waiver or an UNKNOWN never makes one go away, the plan is in order."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.cli.frameworkinfo import framework_infos
from policyengine.model.errors import InputError
from policyengine.model.finding import Evidence, Finding, build_finding
from policyengine.model.reasons import (
    FAIL,
    NOT_APPLICABLE,
    PASS,
    PILLARS,
    SEVERITIES,
    UNKNOWN,
    VERDICT_OF,
    VERDICTS,
)
from policyengine.model.resource import Resource
from policyengine.reports import well_architected_risks as risks
from policyengine.reports.base import Context, RuleInfo, RunInfo, TerminalOptions
from policyengine.reports.extras import Extras
from policyengine.reports.well_architected import SCHEMA, WellArchitectedReport
from policyengine.reports.well_architected_compare import change_of, checked, compare
from policyengine.reports.well_architected_page import comparison_page, page
from policyengine.reports.well_architected_risks import RISKS, Means, RiskTally, effort
from policyengine.store.rows import RuleFacts

from .sample import HOSTILE

REASON = {PASS: "requirement_met", FAIL: "missing", UNKNOWN: "access_denied", NOT_APPLICABLE: "when_not_met"}
# by severity and pillar: r-critical-security, ...
RULES = {
    f"r-{severity}-{pillar}": RuleInfo(
        f"r-{severity}-{pillar}", f"{severity} of {pillar}", "iam", pillar, severity, "why", "fix",
        frameworks={"well-architected-security": [("SEC05-BP01", "part")]} if pillar == "security" else {},
    )
    for severity in SEVERITIES
    for pillar in ("security", "reliability")
}  # fmt: skip
RUN = RunInfo("run-1", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "1", "2026-01-01T00:00:00Z", "sha256:0", 8,
              targets=["t"], accounts=["1", "2"], regions=["eu-west-1"])  # fmt: skip
WAIVER = {"id": "w", "owner": "o", "approver": "p", "reason": "r", "kind": "waiver"}


def finding(
    rule: str,
    verdict: str,
    account: str | None = "1",
    resource: str = "r",
    *,
    waived: bool = False,
    **more: Any,
) -> Finding:
    known = RULES.get(rule)
    return build_finding(
        rule=rule, title="title", family="iam", severity=known.severity if known else "low", verdict=verdict,
        reason=REASON[verdict], message="message", waiver=WAIVER if waived else None,
        resource=Resource("AWS::S3::Bucket", resource, account, "eu-west-1", {}),
        evidence=[Evidence(("A",), 1, "2", REASON[verdict])], **more,
    )  # fmt: skip


def written(found: list[Finding], extras: Extras | None = None, **run: Any) -> dict[str, Any]:
    out = io.StringIO()
    report = WellArchitectedReport(out, Context(rules=RULES, extras=extras or Extras()))
    info = RunInfo(**{**{f: getattr(RUN, f) for f in RUN.__dataclass_fields__}, **run})
    report.begin(info)
    for item in found:
        report.add(item)
    report.end(info)
    document: dict[str, Any] = json.loads(out.getvalue())
    return document


def pillar(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(p for p in document["pillars"] if p["pillar"] == name)
    return found


@pytest.mark.parametrize(
    ("severity", "risk"), [("critical", "high"), ("high", "high"), ("medium", "medium"), ("low", "low")]
)
def test_severity_gives_the_risk(severity: str, risk: str) -> None:
    document = written([finding(f"r-{severity}-security", FAIL)])
    assert pillar(document, "security")["risks"][risk]["issues"] == 1
    assert sum(c["issues"] for c in document["totals"].values()) == 1


def test_every_pillar_is_there_and_what_nothing_was_asked_of_is_not_assessed() -> None:
    document = written([finding("r-low-security", PASS), finding("r-low-reliability", NOT_APPLICABLE)])
    assert [p["pillar"] for p in document["pillars"]] == list(PILLARS)
    assert {p["pillar"]: p["assessed"] for p in document["pillars"] if p["assessed"] != "not_assessed"} == {
        "security": "in_part"
    }


def test_a_waived_failure_is_accepted_and_an_unknown_is_unknown() -> None:
    document = written(
        [finding("r-high-security", FAIL, waived=True), finding("r-low-security", UNKNOWN, resource="s")]
    )
    assert document["totals"]["high"] == {"issues": 0, "findings": 0, "accepted": 1, "unknown": 0}
    assert document["totals"]["low"] == {"issues": 0, "findings": 0, "accepted": 0, "unknown": 1}
    assert document["plan"] == []
    (practice,) = document["best_practices"]
    assert practice["status"] == "unknown"
    shown = "\n".join(page(document, TerminalOptions()))
    assert "1 accepted, 1 unknown" in shown
    assert "what is unknown above may still fail" in shown


def test_best_practices_are_those_of_the_framework() -> None:
    frameworks = framework_infos()
    document = written([finding("r-high-security", FAIL)], Extras(frameworks=frameworks))
    assert [p["id"] for p in document["best_practices"]] == list(
        frameworks["well-architected-security"].controls
    )
    by_id = {p["id"]: p for p in document["best_practices"]}
    assert by_id["SEC05-BP01"]["issues"] == {"high": 1, "medium": 0, "low": 0}
    assert by_id["SEC05-BP01"]["status"] == "failed"
    assert by_id["SEC10-BP02"]["status"] == "not_decided"


# docs/well-architected.md has the formula and these numbers
@pytest.mark.parametrize(
    ("means", "changes", "accounts", "points", "level"),
    [
        ("hand", 1, 1, 2, "small"),
        ("hand", 4, 1, 5, "small"),
        ("hand", 5, 1, 6, "medium"),
        ("hand", 40, 10, 50, "medium"),
        ("hand", 41, 10, 51, "large"),
        ("plan", 10, 1, 6, "medium"),
        ("approval", 10, 1, 2, "small"),
        ("remediation", 10, 1, 2, "small"),
        ("automatic", 10, 1, 1, "small"),
        ("automatic", 1000, 20, 55, "large"),
    ],
)
def test_effort(means: Means, changes: int, accounts: int, points: int, level: str) -> None:
    found = effort(means, changes, accounts)
    assert (found.points, found.level) == (points, level)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10_000), st.integers(1, 500), st.integers(0, 100))
def test_effort_grows_with_the_work_and_a_remediation_never_makes_it_more(
    changes: int, accounts: int, more: int
) -> None:
    order: tuple[Means, ...] = ("automatic", "approval", "plan", "hand")
    points = [effort(means, changes, accounts).points for means in order]
    assert points == sorted(points)
    for means in order:
        assert effort(means, changes + more, accounts).points >= effort(means, changes, accounts).points
        assert effort(means, changes, accounts + more).points >= effort(means, changes, accounts).points


def test_what_has_one_cause_is_one_change() -> None:
    found = [finding("r-high-security", FAIL, resource=f"r{n}", cause="one statement") for n in range(5)]
    found += [finding("r-low-security", FAIL, resource=f"r{n}") for n in range(5)]
    plan = written(found)["plan"]
    assert [(item["findings"], item["effort"]["changes"]) for item in plan] == [(5, 1), (5, 5)]


def test_causes_beyond_the_bound_count_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(risks, "MAX_CAUSES", 1)
    found = [finding("r-high-security", FAIL, resource=f"r{n}", cause=f"c{n % 2}") for n in range(6)]
    assert written(found)["plan"][0]["effort"]["changes"] == 4  # c0 once, c1 three times


@pytest.mark.parametrize(
    ("mode", "means"),
    [("automatic", "automatic"), ("approval", "approval"), ("plan", "plan"), (None, "remediation")],
)
def test_how_a_remediation_runs_is_told(mode: str | None, means: str) -> None:
    extras = Extras(remediations={"fix_it": mode} if mode else {})
    (item,) = written([finding("r-high-security", FAIL, remediation="fix_it")], extras)["plan"]
    assert (item["effort"]["means"], item["remediation"]) == (means, "fix_it")
    (by_hand,) = written([finding("r-high-security", FAIL)], extras)["plan"]
    assert by_hand["effort"]["means"] == "hand"


CELLS = st.tuples(
    st.sampled_from([*RULES, "r-unheard-of"]), st.sampled_from(VERDICTS), st.sampled_from(["1", "2", None]), st.booleans(),
)  # fmt: skip


def as_findings(cells: list[Any]) -> list[Finding]:
    return [
        finding(rule, verdict, account, f"r{n}", waived=waived and verdict == FAIL)
        for n, (rule, verdict, account, waived) in enumerate(cells)
    ]


@settings(max_examples=100, deadline=None)
@given(st.lists(CELLS, max_size=25), st.randoms(use_true_random=False))
def test_numbers_add_up_in_every_direction(cells: list[Any], random: Any) -> None:
    found = as_findings(cells)
    document = written(found)
    failing = [f for f in found if f.verdict == FAIL and f.waiver is None]
    for rows in (document["pillars"], document["accounts"]):
        for risk in RISKS:
            for key in ("findings", "accepted", "unknown"):
                assert sum(r["risks"][risk][key] for r in rows) == document["totals"][risk][key]
        for verdict in VERDICTS:
            assert sum(r["verdicts"][verdict] for r in rows) == sum(f.verdict == verdict for f in found)
    assert sum(c["findings"] for c in document["totals"].values()) == len(failing)
    assert sum(c["issues"] for c in document["totals"].values()) == len({f.rule for f in failing})
    assert sum(c["unknown"] for c in document["totals"].values()) == sum(f.verdict == UNKNOWN for f in found)
    check_plan(document["plan"], failing)
    random.shuffle(found)
    assert written(found) == document
    assert checked(document, "x") == document


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text("PFUN-", min_size=len(RULES), max_size=len(RULES)), st.sampled_from(["1", None]),
            st.sampled_from([None, "c1", "c2"]), st.booleans(),
        ),
        max_size=8,
    ),
    st.booleans(),
)  # fmt: skip
def test_rows_of_a_run_say_the_same_as_findings(rows: list[Any], small: bool) -> None:
    facts = {
        rule: RuleFacts(
            info.title, info.family, info.severity, {}, "fix_it" if info.severity == "high" else None
        )
        for rule, info in RULES.items()
    }
    by_row, by_finding = RiskTally(RULES), RiskTally(RULES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(risks, "MAX_ROWS", 1 if small else risks.MAX_ROWS)
        for letters, account, cause, waived in rows:
            details = []
            for rule, letter in zip(RULES, letters, strict=True):
                waiver = {"id": "w"} if waived and letter == "F" else None
                if letter in "FU":
                    details.append(
                        {"rule": rule, "waiver": waiver, "cause": cause if letter == "F" else None}
                    )
                if letter != "-":
                    by_finding.count(
                        rule, RULES[rule].severity, VERDICT_OF[letter], account, waived=waiver is not None,
                        cause=cause if letter == "F" else None, remediation=facts[rule].remediation,
                    )  # fmt: skip
            by_row.add_row(account, list(RULES), letters, details, facts)
        assert by_row.results() == by_finding.results()


def check_plan(plan: list[Any], failing: list[Finding]) -> None:
    assert sorted(item["rule"] for item in plan) == sorted({f.rule for f in failing})
    assert [item["rank"] for item in plan] == list(range(1, len(plan) + 1))
    keys = [
        (
            RISKS.index(i["risk"]),
            -SEVERITIES.index(i["severity"]),
            i["effort"]["points"],
            -i["findings"],
            i["rule"],
        )
        for i in plan
    ]
    assert keys == sorted(keys)
    for item in plan:
        assert item["quick_win"] == (item["risk"] == "high" and item["effort"]["level"] == "small")
        assert item["findings"] == sum(f.rule == item["rule"] for f in failing)


def row(fails: int = 0, passes: int = 0, unknown: int = 0, na: int = 0, waived: int = 0) -> dict[str, Any]:
    return {
        "verdicts": {PASS: passes, FAIL: fails, UNKNOWN: unknown, NOT_APPLICABLE: na},
        "waived": waived,
    }


@pytest.mark.parametrize(
    ("before", "after", "everywhere", "change"),
    [
        (row(2), row(passes=2), True, "resolved"),
        (row(2), row(passes=2), False, "passes_where_looked"),
        (row(2), row(passes=1, unknown=1), True, "not_determined"),
        (row(2), row(2, waived=2), True, "accepted"),
        (row(2), row(na=2), True, "nothing_left"),
        (row(2), row(), True, "not_asked"),
        (row(2), None, True, "not_asked"),
        (row(2), row(1, passes=1), True, "fewer"),
        (row(2), row(3), True, "more"),
        (row(2), row(3, waived=1), True, "same"),
        (row(passes=2), row(1), True, "new"),
        (None, row(1), True, "new"),
        (row(2, waived=2), row(2, waived=1), True, "new"),
    ],
)
def test_only_what_passes_everywhere_is_resolved(
    before: dict[str, Any] | None, after: dict[str, Any] | None, everywhere: bool, change: str
) -> None:
    assert change_of(before, after, everywhere=everywhere) == change


@settings(max_examples=60, deadline=None)
@given(st.lists(CELLS, max_size=15), st.lists(CELLS, max_size=15))
def test_comparing_is_fair(first: list[Any], then: list[Any]) -> None:
    before, after = written(as_findings(first)), written(as_findings(then))
    found, back = compare(before, after), compare(after, before)
    for one, other in zip(found["pillars"], back["pillars"], strict=False):
        if one["pillar"] != other["pillar"]:
            continue
        for risk in RISKS:
            assert one["risks"][risk]["issues"]["delta"] == -other["risks"][risk]["issues"]["delta"]
    assert sum(found["changes"].values()) == len(found["rules"])
    for rule in found["rules"]:
        if rule["change"] == "resolved":
            left = [f for f in as_findings(then) if f.rule == rule["rule"]]
            assert {f.verdict for f in left} <= {PASS, NOT_APPLICABLE}
    same = compare(before, before)
    assert {rule["change"] for rule in same["rules"]} <= {"same"}
    assert same["caveats"] == []


def test_what_makes_two_runs_differ_is_told() -> None:
    found = [finding("r-high-security", FAIL)]
    passing = [finding("r-high-security", PASS)]
    found_in = written(found, accounts=["1", "3"])
    narrower = compare(
        found_in, written(passing, accounts=["1"], complete=False, rule_pack_digest="sha256:1")
    )
    assert narrower["rules"][0]["change"] == "passes_where_looked"
    assert narrower["caveats"] == [
        "accounts only in the earlier run: 3", "the later run is incomplete", "the rules are not the same",
    ]  # fmt: skip
    shown = "\n".join(comparison_page(narrower, TerminalOptions()))
    assert "careful: accounts only in the earlier run: 3" in shown
    assert "passes wherever the later run looked, which was not everywhere (1 to 0)" in shown
    assert compare(found_in, written(passing, accounts=["1", "3"]))["rules"][0]["change"] == "resolved"


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d.update(schema="other"),
        lambda d: d.pop("pillars"),
        lambda d: d["pillars"][0]["risks"].pop("high"),
        lambda d: d["rules"][0].pop("verdicts"),
        lambda d: d["rules"].append("text"),
        lambda d: d.pop("run"),
    ],
)
def test_a_damaged_milestone_is_refused(damage: Any) -> None:
    document = written([finding("r-high-security", FAIL)])
    damage(document)
    with pytest.raises(InputError, match=r"milestone\.json"):
        checked(document, "milestone.json")


def test_hostile_text_is_spelt_out() -> None:
    title, account = "\x1b[2J\u202e##vso[task]", HOSTILE[4]
    rules = {"r-low-security": RuleInfo("r-low-security", title, "iam", title, "low", "why", title)}
    tally = RiskTally(rules)
    tally.count("r-low-security", "low", FAIL, account)
    out = io.StringIO()
    report = WellArchitectedReport(out, Context(rules=rules))
    report.add(finding("r-low-security", FAIL, account))
    report.end(RUN)
    assert out.getvalue().isascii()
    assert "##vso[" not in out.getvalue()
    document = json.loads(out.getvalue())
    assert document["schema"] == SCHEMA
    assert document["accounts"][0]["account"] == account
    for line in page(document, TerminalOptions(), every=True):
        assert line.isprintable()


def test_an_incomplete_run_says_so() -> None:
    document = written([finding("r-low-security", PASS)], complete=False)
    assert "INCOMPLETE RUN" in "\n".join(page(document, TerminalOptions()))
    assert "INCOMPLETE RUN" not in "\n".join(page(written([]), TerminalOptions()))
