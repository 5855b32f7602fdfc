"""The page as a file: what it says without a script, and what it can never do."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.model.finding import Finding
from policyengine.reports.base import RunInfo
from policyengine.reports.controls import STATUS_WORDS
from policyengine.reports.extras import PlaceLooked
from policyengine.reports.html.counts import Counts
from policyengine.reports.html.summary import bar

from .. import sample
from ..helpers import render
from ..test_hostile import findings, rules
from .full import LOOKED, TREND, page, shadow_ai
from .reading import Page

ROOT = Path(__file__).resolve().parents[3]
PASSING = [f for f in sample.findings(hostile=False) if f.verdict == "PASS"]


@pytest.fixture(scope="module")
def whole() -> Page:
    return Page(page(run=sample.broken_run()))


def banner_of(text: str) -> str:
    return re.search(r'<div class="banner (\w+)">', text)[1]


# ---- never green while anything is not known


def test_all_known_and_all_passing_is_the_only_green() -> None:
    assert banner_of(page(PASSING, looked=[])) == "good"
    assert banner_of(page(PASSING, looked=LOOKED[1:2])) == "good"


@pytest.mark.parametrize(
    ("found", "run", "looked"),
    [
        (PASSING, sample.run(complete=False), []),
        (PASSING, sample.run(undecidable=["iam-root-mfa"]), []),
        (PASSING, sample.run(), LOOKED),
        (PASSING, sample.run(), [PlaceLooked("1", "r", 3, 2)]),
        (PASSING, sample.run(), [PlaceLooked("1", "r", 3, 3, [("T", "access_denied")])]),
        ([], sample.run(), []),
        ([f for f in sample.findings(hostile=False) if f.verdict in ("PASS", "UNKNOWN")], sample.run(), []),
        ([f for f in sample.findings(hostile=False) if f.waiver or f.verdict == "PASS"], sample.run(), []),
        ([f for f in sample.findings(hostile=False) if f.verdict == "NOT_APPLICABLE"], sample.run(), []),
    ],
    ids=["incomplete", "undecidable", "missing", "fewer", "denied", "nothing", "unknown", "accepted", "not applicable"],
)  # fmt: skip
def test_what_is_not_known_is_not_green(
    found: list[Finding], run: RunInfo, looked: list[PlaceLooked]
) -> None:
    text = page(found, run, looked=looked)
    assert banner_of(text) == "open"
    assert "No violations" not in text


def test_an_open_failure_is_told_first_and_gaps_with_it(whole: Page) -> None:
    assert "open violations" in whole.text
    assert "The run is incomplete (2 errors): it says nothing about the rest." in whole.text
    assert "Something expected was not collected in 2 of 3 places" in whole.text


def test_completeness_comes_before_every_verdict(whole: Page) -> None:
    order = [i for i in whole.ids() if i in
             ("completeness", "summary", "controls", "findings", "heat", "trend", "waivers", "well-architected", "shadow-ai",
              "proof", "rules")]  # fmt: skip
    assert order == ["completeness", "summary", "controls", "findings", "heat", "trend", "waivers", "well-architected",
                     "shadow-ai", "proof", "rules"]  # fmt: skip


def test_completeness_says_everything_the_run_says(whole: Page) -> None:
    for said in (
        "36 expected and 22 collected in 2 accounts and 2 regions", "AWS::KMS::Key", "line 12 is no JSON: found `}`",
        "ec2:DescribeVpcs", "4 resources of types that no rule looks at", "skipped: 3 not an AWS template",
        "cloudtrail-multi-region, iam-root-mfa", "is not honoured: use a waiver", "2 checks could not be determined",
    ):  # fmt: skip
        assert said in whole.text


def test_shadow_ai_says_what_its_document_says(whole: Page) -> None:
    schema = json.loads((ROOT / "policyengine/shadow_ai/schemas/shadow-ai-v1.schema.json").read_text())
    jsonschema.validate(shadow_ai(), schema)
    for said in (
        "connected 12 records, 1,500 bytes sent, 9,000 received, 1 rejected, 2 ambiguous", "no connection", "not asked",
        "as alice@example.com", "a.log:3 : no JSON", "and 4 more.", "listed", "documented",
    ):  # fmt: skip
        assert said in " ".join(whole.text.split()), said
    assert "{'file'" not in whole.text


def test_long_lists_of_names_are_whole_and_long_texts_say_that_they_were_cut() -> None:
    names = [f"rule-with-a-name-of-some-length-{number:03} <b>" for number in range(300)]
    text = Page(page([], sample.run(undecidable=names, notes=["x" * 10_000]))).text
    assert all(name in text for name in names)
    assert "… (10,000 characters)" in text


def test_nothing_given_is_said_and_not_taken_for_nothing_there() -> None:
    text = Page(render("html")).text
    for said in (
        "not given a list of what was expected", "not given a framework", "not given a history", "given no waiver",
        "Nobody looked", "not part of an evidence bundle",
    ):  # fmt: skip
        assert said in text


# ---- numbers


def rows_of(text: str, caption: str) -> list[list[str]]:
    table = next(t for t in re.findall(r"<table.*?</table>", text, re.DOTALL) if caption in t)
    lines = re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.DOTALL)
    return [
        [re.sub(r"<[^>]+>", "", c).strip() for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line, re.DOTALL)]
        for line in lines
    ]


@settings(max_examples=10, deadline=None)
@given(st.lists(findings(), max_size=6))
def test_the_verdicts_of_each_control_add_up_to_its_population(found: list[Finding]) -> None:
    for row in rows_of(page(found), "add up to its population")[1:]:
        *_, fail, unknown, accepted, passed, excluded, population = row
        numbers = [int(text.replace(",", "")) for text in (fail, unknown, accepted, passed, excluded)]
        assert sum(numbers) == int(population.replace(",", ""))


def test_counts_of_the_summary_are_those_of_the_findings() -> None:
    text = page()
    expected = Counter(row["status"] for row in Page(text).findings())
    big = re.findall(r'class="big f\dt">([\d,]+)<', text)
    assert [int(number) for number in big] == [
        expected[s] for s in ("FAIL", "UNKNOWN", "accepted", "PASS", "N/A")
    ]
    for line in rows_of(text, ">Severity<")[1:]:
        assert sum(int(cell) for cell in line[1:6]) == int(line[6])


def test_exact_counts_are_shown_where_only_some_findings_were_given() -> None:
    found = [f for f in sample.findings(hostile=False) if f.verdict != "PASS"]
    exact = Counter((f.rule, f.verdict) for f in sample.findings(hostile=False)) + Counter(
        {("tags-mandatory", "PASS"): 5000}
    )
    text = Page(page(found, sample.run(verdicts=exact))).text
    assert "Of 5,010 findings this page was given 9" in text
    assert "5,001" in text


def test_control_statuses_are_those_of_the_tally_and_an_accepted_one_is_not_satisfied() -> None:
    rows = {
        row[0]: row[1]
        for row in rows_of(page(sample.findings(hostile=False)), "add up to its population")[1:]
    }
    assert rows["EC2.13"] == STATUS_WORDS["failed"][0]
    accepted = [f for f in sample.findings(hostile=False) if f.waiver]
    rows = {row[0]: row[1] for row in rows_of(page(accepted), "add up to its population")[1:]}
    assert rows["EC2.13"] == STATUS_WORDS["accepted"][0]
    assert rows["RDS.11"] == STATUS_WORDS["not_tested"][0]


def test_a_control_page_has_rules_population_what_remains_and_links(whole: Page) -> None:
    ids = set(whole.ids())
    assert {"control-aws-fsbp-EC2.13", "control-cis-aws-7.0-5.3", "rule-ec2-ssh-not-open"} <= ids
    assert (
        "What remains (people, a rule that is not written yet): somebody has to look at the ports"
        in whole.text
    )
    assert "somebody has to own the key" not in whole.text, "rules decide the whole of it"
    assert "1 control that no rule speaks of" in whole.text
    assert "title: text of ec2-ssh-not-open" in whole.text


def test_every_link_within_the_page_leads_somewhere(whole: Page) -> None:
    ids = whole.ids()
    assert len(ids) == len(set(ids))
    inner = [e.attributes["href"] for e in whole.elements if (e.attributes.get("href") or "").startswith("#")]
    assert inner
    for href in inner:
        assert href.startswith("#findings?") or href[1:] in ids, href


def test_rules_of_a_control_beyond_the_worst_are_added_up() -> None:
    known, found = {}, []
    group = sample.in_account("AWS::EC2::SecurityGroup", "sg-1")
    for number in range(9):
        info = replace(sample.RULES["ec2-ssh-not-open"], id=f"rule-{number}")
        known[info.id] = info
        verdict = ("FAIL", "open_to_internet") if number % 2 else ("PASS", "requirement_met")
        made = sample.make("ec2-ssh-not-open", group, *verdict, "said", evidence=[sample._ports()])
        found.append(made._replace(rule=info.id))
    text = page(found, rules=known)
    rows = rows_of(text, ">Decides<")
    assert [row[0] for row in rows[1:]] == ["rule-1", "rule-3", "rule-5", "rule-7", "rule-0", "rule-2", "3 more rules together",
                                            "Population 9"]  # fmt: skip
    for column in range(2, 7):
        assert sum(int(row[column]) for row in rows[1:-1]) == int(rows[-1][column])


def test_rules_beyond_those_with_pages_are_lines_with_the_same_anchor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("policyengine.reports.html.controls.STATIC_RULES", 1)
    made = Page(page())
    assert {"rule-ec2-ssh-not-open", "rule-tags-mandatory"} <= set(made.ids())
    assert "3 rules with nothing to act on, or after the worst 1" in made.text
    assert "title: text of tags-mandatory" not in made.text


def test_the_heat_map_says_what_it_leaves_out() -> None:
    found = []
    for number in range(40):
        resource = sample.in_account("AWS::EC2::SecurityGroup", f"sg-{number:02}")
        resource = sample.Resource(resource.type, resource.id, f"{number:012}", "eu-west-1", {})
        found.append(
            sample.make(
                "ec2-ssh-not-open", resource, "FAIL", "open_to_internet", "open", evidence=[sample._ports()]
            )
        )
    text = page(sorted(found, key=lambda f: f.sort_key), frameworks={})
    assert "The worst 25 of 40 accounts" in Page(text).text
    assert "Left out: 15 accounts with 15 open failures" in Page(text).text
    assert len(rows_of(text, "open failures by account and rule")) == 26


def test_a_gap_in_the_history_is_drawn_as_a_gap_and_an_incomplete_run_is_at_least() -> None:
    text = page()
    assert text.count('class="gap"') == 1
    assert text.count("≥ 7") == 1
    assert "Gap: no run for longer than agreed" in text
    assert page(trend=[t for t in TREND if not t.gap_before]).count('class="gap"') == 0
    assert not re.search(r"<(path|polyline|polygon)", text), "nothing joins two runs"


def test_waivers_come_expired_first_and_say_why_they_lapsed(whole: Page) -> None:
    text = whole.text
    assert text.index("W-2") < text.index("W-3") < text.index("W-1")
    assert "Lapsed: the tags have changed" in text
    assert "expires in 14 days" in text


def test_what_is_in_the_baseline_fails_and_is_counted_as_debt() -> None:
    found = [
        f._replace(waiver={"kind": "baseline", "id": "b"})
        for f in sample.findings(hostile=False)
        if f.verdict == "FAIL"
    ]
    text = page(found)
    assert banner_of(text) == "bad"
    assert f"{len(found)} of them are in the baseline" in Page(text).text
    assert f"{len(found)} together. They fail, and are owed." in Page(text).text
    assert {row["status"] for row in Page(text).findings()} == {"FAIL"}
    rows = {row[0]: row for row in rows_of(text, "add up to its population")[1:]}
    assert rows["EC2.13"][1] == STATUS_WORDS["failed"][0]
    for control in re.findall(r'<article class="control".*?</article>', text, re.DOTALL):
        lines = rows_of(control, ">Decides<")
        for column in range(2, 7):
            assert sum(int(line[column]) for line in lines[1:-1]) == int(lines[-1][column])


def test_a_pillar_that_no_rule_applied_to_is_not_assessed(whole: Page) -> None:
    assert "not assessed: no rule of this pillar applied to anything" in whole.text


def test_bars_fill_their_line_and_show_what_is_rare() -> None:
    for counts in ([1, 0, 0, 100_000, 3], [0, 0, 0, 7, 0], [1, 1, 1, 1, 1]):
        pieces = bar(counts)
        assert [status for status, _, _ in pieces] == [s for s, n in enumerate(counts) if n]
        assert abs(sum(width for _, _, width in pieces) - 100) < 0.1
        assert all(width > 0.4 for _, _, width in pieces)
    assert bar([0] * 5) == []


def test_counts_without_findings_are_zero() -> None:
    assert Counts().totals == [0] * 5


def test_source_lines_stand_on_lines_of_their_own(whole: Page) -> None:
    frames = re.findall(r'<pre class="frame">(.*?)</pre>', page(), re.DOTALL)
    plain = [re.sub(r"<[^>]+>", "", frame) for frame in frames]
    assert any(re.search(r"^19\s+Type: AWS::RDS::DBInstance\n20\s+Properties:\n", frame) for frame in plain)
    assert any(re.search(r"AES256\n\s+\^+\n", frame) for frame in plain)


# ---- what the file can do


def test_the_policy_allows_one_script_and_one_style_by_their_hashes(whole: Page) -> None:
    policy = next(e.attributes["content"] for e in whole.elements if e.attributes.get("http-equiv"))
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["default-src"] == parts["base-uri"] == parts["form-action"] == "'none'"
    for kind in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(whole.raw[kind].encode()).digest()).decode()
        assert parts[f"{kind}-src"] == f"'sha256-{digest}'"
    assert parts["img-src"] == "data:"


def no_foreign_things(found: Page) -> None:
    assert found.unbalanced == []
    assert found.open == []
    scripts = [e for e in found.elements if e.tag == "script"]
    assert [
        e.attributes.get("type") for e in scripts if e.attributes.get("type") != "application/octet-stream"
    ] == [None]
    assert sum(e.tag == "style" for e in found.elements) == 1
    for element in found.elements:
        assert element.tag in ALLOWED, element
        for name, value in element.attributes.items():
            assert not name.startswith("on") and name not in (
                "style",
                "src",
                "srcset",
                "action",
                "formaction",
            ), element
            if name == "href":
                assert re.match(r"(#|https://|data:,$)", value or ""), element


ALLOWED = {
    "html", "head", "meta", "link", "title", "style", "body", "a", "div", "nav", "p", "ol", "li", "ul", "span", "main", "header",
    "h1", "h2", "h3", "h4", "dl", "dt", "dd", "code", "time", "noscript", "section", "strong", "em", "table", "caption", "thead",
    "tbody", "tfoot", "tr", "th", "td", "details", "summary", "article", "svg", "rect", "line", "text", "defs", "pattern", "pre",
    "br", "button", "footer", "script",
}  # fmt: skip


def test_a_page_full_of_hostile_text_has_no_element_of_its_own(whole: Page) -> None:
    no_foreign_things(whole)
    assert "\u202e" not in "".join(whole.texts)
    assert not [c for c in "".join(whole.texts) if not c.isprintable() and c != "\n"]


@settings(max_examples=10, deadline=None)
@given(st.lists(findings(), max_size=4), rules())
def test_no_text_in_any_field_makes_an_element(found: list[Finding], known: dict) -> None:
    made = Page(render("html", found, rules=known))
    no_foreign_things(made)
    assert not [c for c in "".join(made.texts) if not c.isprintable() and c != "\n"]


def test_two_pages_of_one_run_have_the_same_bytes_with_another_seed_zone_and_locale() -> None:
    code = "import sys; from tests.reports.html.full import page; sys.stdout.buffer.write(page().encode())"
    made = []
    for seed, zone, locale in (("1", "UTC", "C"), ("2", "Asia/Tokyo", "C.UTF-8")):
        env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale, "PYTHONPATH": str(ROOT)}
        made.append(
            subprocess.run(
                [sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, check=True
            ).stdout
        )
    assert made[0] == made[1] == page().encode()


def test_the_wheel_carries_template_style_and_script() -> None:
    folder = ROOT / "policyengine" / "reports" / "html"
    sizes = {
        name: (folder / name).stat().st_size
        for name in ("report.js", "report.css", "report.html.j2", "shadow_ai.html.j2")
    }
    assert sum(sizes.values()) < 150_000
    text = (ROOT / "pyproject.toml").read_text()
    assert 'packages = ["policyengine"]' in text, "hatchling then takes every file of the package"
