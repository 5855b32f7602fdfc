"""Whatever text stands in whatever field, the format holds: read back with an independent parser."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from policyengine.model.finding import Evidence, Finding, Witness
from policyengine.model.location import Location
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, Unresolved
from policyengine.reports.base import RuleInfo, TerminalOptions
from policyengine.reports.causes import cause_of
from policyengine.reports.csv_report import COLUMNS
from policyengine.reports.github import escape_data, escape_property
from policyengine.reports.jsontext import cleaned_text
from policyengine.reports.markdown import TEXT_LIMIT, code, escape
from policyengine.reports.table import REPORTS
from policyengine.reports.text import cut, visible

from . import sample
from .helpers import render

NASTY = st.sampled_from(
    [*sample.HOSTILE, "", " ", "](1)", "{0}", "]]>", "&amp;", "`", "|", "\\|", "1. x", "- x", "=1", ";=1"]
)
TEXT = st.one_of(NASTY, st.text(max_size=40), st.text(st.characters(codec=None), max_size=20))
VALUE = st.recursive(
    st.one_of(
        TEXT,
        st.integers(),
        st.floats(),
        st.booleans(),
        st.just(ABSENT),
        st.builds(Unresolved, st.just("throttled"), TEXT),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def findings(draw) -> Finding:
    verdict, reason = draw(
        st.sampled_from(
            [
                ("FAIL", "tag_value"),
                ("UNKNOWN", "throttled"),
                ("PASS", "requirement_met"),
                ("NOT_APPLICABLE", "when_not_met"),
            ]
        )
    )
    file = draw(st.none() | TEXT)
    place = (
        None
        if file is None
        else Location(file, draw(st.none() | st.integers(1, 9)), draw(st.none() | st.integers(1, 9)))
    )
    resource = Resource(
        draw(TEXT), draw(TEXT), draw(st.none() | TEXT), draw(st.none() | TEXT), {}, arn=draw(st.none() | TEXT),
        file=file, locate=lambda _path: place,
    )  # fmt: skip
    evidence = st.builds(
        Evidence, st.tuples(TEXT | st.integers(0, 9)), VALUE, TEXT, st.just(reason), st.none() | TEXT
    )
    return sample.make(
        "tags-mandatory", resource, verdict, reason, draw(TEXT.filter(str.strip)),
        evidence=draw(st.lists(evidence, min_size=1, max_size=3)),
        branch=draw(st.none() | st.dictionaries(TEXT, st.booleans(), max_size=2)),
        witness=draw(st.none() | st.builds(Witness, TEXT, TEXT, TEXT, st.dictionaries(TEXT, TEXT, max_size=2))),
        remediation=draw(st.none() | TEXT),
        waiver=draw(st.none() | st.dictionaries(TEXT, TEXT, max_size=2)),
    )  # fmt: skip


@st.composite
def rules(draw) -> dict[str, RuleInfo]:
    text = [draw(TEXT) for _ in range(6)]
    rule = RuleInfo(
        "tags-mandatory",
        text[0],
        "tagging",
        "security",
        "low",
        text[1],
        text[2],
        [text[3]],
        {text[4]: [(text[5], "part")]},
    )
    return {rule.id: rule}


CASES = settings(max_examples=60, deadline=None)


@CASES
@given(st.lists(findings(), max_size=4), rules())
def test_json_formats_parse_and_say_the_same(found: list[Finding], known) -> None:
    document = json.loads(render("json", found, rules=known))
    assert [f["message"] for f in document["findings"]] == [cleaned_text(f.message) for f in found]
    assert [f["resource"]["id"] for f in document["findings"]] == [cleaned_text(f.resource_id) for f in found]
    stream = render("ndjson", found, rules=known)
    assert [json.loads(line)["finding"] for line in stream.splitlines()[1:-1]] == document["findings"]
    shown = [f for f in found if f.verdict == "UNKNOWN" or (f.verdict == "FAIL" and f.waiver is None)]
    results = json.loads(render("sarif", found, rules=known))["runs"][0]["results"]
    assert sorted(r["properties"]["finding"] for r in results) == sorted(f.id for f in shown)
    issues = json.loads(render("gitlab", found, rules=known))
    assert [issue["fingerprint"] for issue in issues] == [f.id for f in shown]


@CASES
@given(st.lists(findings(), max_size=4))
def test_csv_has_one_row_a_finding_and_no_formula(found: list[Finding]) -> None:
    text = render("csv", found)
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert rows[0] == list(COLUMNS)
    assert [row[0] for row in rows[1:]] == [f.id for f in found]
    assert {len(row) for row in rows} == {len(COLUMNS)}
    for cell in (cell for row in rows for cell in row):
        assert not re.match("[=+\\-@\t\r\n＝＋－＠]", cell)
        assert not re.search("; *[\"']*[=+@]", cell.replace(";'", ""))


@CASES
@given(st.lists(findings(), max_size=4), rules())
def test_junit_parses_and_counts(found: list[Finding], known) -> None:
    root = ET.fromstring(render("junit", found, rules=known).encode("utf-8"))
    cases = root.findall("./testsuite/testcase")
    assert [case.find("./properties/property").get("value") for case in cases] == [f.id for f in found]
    for suite in root.findall("testsuite"):
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(attribute)) == len(suite.findall(f"testcase/{tag}"))


def unescape(text: str) -> str:
    """The runner's side, as in actions/runner `ActionCommand`."""
    for escaped, plain in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(escaped, plain)
    return text


@CASES
@given(st.lists(findings(), max_size=4), rules())
def test_github_lines_are_our_commands_and_nothing_else(found: list[Finding], known) -> None:
    lines = render("github", found, rules=known).split("\n")
    command = re.compile(r"::(error|warning|notice) ((?:[A-Za-z]+=[^,:\r\n]*,?)+)::[^\r\n]*")
    assert all(command.fullmatch(line) for line in lines[:-2])
    assert lines[-2].startswith("policyengine: ")
    shown = [f for f in found if f.verdict == "UNKNOWN" or (f.verdict == "FAIL" and f.waiver is None)]
    assert len(lines) - 2 == len(shown)


@given(TEXT)
def test_github_escapes_round_trip(text: str) -> None:
    assert unescape(escape_property(text)) == text
    assert not set(escape_data(text)) & set("\r\n")


def only_our_markup(tokens) -> None:
    ours = re.compile(r"</?(details|summary|b|code|sub)>|<br>")
    for token in tokens:
        for child in [token, *(token.children or ())]:
            assert child.type not in ("link_open", "image", "autolink"), child.content
            if child.type in ("html_block", "html_inline"):
                rest = ours.sub("", child.content)
                assert "<" not in rest, child.content


@CASES
@given(st.lists(findings(), min_size=1, max_size=4), rules())
def test_markdown_holds_no_markup_but_ours(found: list[Finding], known) -> None:
    text = render("markdown", found, rules=known)
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    only_our_markup(tokens)
    shown = [f for f in found if f.verdict == "UNKNOWN" or (f.verdict == "FAIL" and f.waiver is None)]
    rows = [t for t in tokens if t.type == "tr_open"]
    groups = len({f.verdict for f in shown})
    told = len({cause_of(f) or number for number, f in enumerate(shown)})  # one row a cause
    waived = sum(f.verdict == "FAIL" and f.waiver is not None for f in found)
    assert len(rows) == 2 + groups + told + (waived + 1 if waived else 0)
    cells = [t for t in tokens if t.type in ("td_open", "th_open")]
    assert len(cells) == 10 + 3 * (groups + told) + (4 * (waived + 1) if waived else 0)
    assert not re.search(
        r"(?<!`)(?<!\w)[@#](?=\w)",
        re.sub(r"\\[!-~]|`[^`]*`|<code>.*?</code>|&#\d+;", "", text).replace("###", ""),
    )


def cell_text(markdown: str) -> str:
    """What a reader sees of a one-cell table's only cell."""
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(f"| h |\n|---|\n| {markdown} |\n")
    only_our_markup(tokens)
    children = [token for token in tokens if token.type == "inline"][1].children
    return "".join("" if child.type == "html_inline" else child.content for child in children)


@settings(max_examples=200, deadline=None)
@given(TEXT)
@example("a`b")
@example("`a`")
@example("a|b")
@example("\\|x")
@example("ends with \\")
@example("*a* _b_ ~~c~~ [d](e) ![f](g) <h>")
def test_markdown_shows_text_as_it_is(text: str) -> None:
    seen = visible(cleaned_text(cut(text, TEXT_LIMIT)))
    assert cell_text(escape(text)).replace("\u200b", "") == seen.strip()
    assert cell_text(code(text)).strip() == seen.strip()


@CASES
@given(st.lists(findings(), max_size=4), rules(), st.booleans(), st.integers(40, 120))
def test_terminal_prints_no_control_characters(
    found: list[Finding], known, compact: bool, width: int
) -> None:
    text = render("terminal", found, rules=known, terminal=TerminalOptions(compact=compact, width=width))
    assert all(line.isprintable() for line in text.split("\n"))


@CASES
@given(st.lists(findings(), max_size=2), rules(), st.integers(40, 160))
def test_color_and_links_add_only_whole_sequences(found: list[Finding], known, width: int) -> None:
    options = TerminalOptions(color=True, hyperlinks=True, width=width)
    text = render("terminal", found, rules=known, terminal=options)
    bare = re.sub(r"\x1b\[[0-9;]*m|\x1b\]8;;[!-~]*\x1b\\", "", text)
    assert "\x1b" not in bare
    assert bare == render("terminal", found, rules=known, terminal=TerminalOptions(width=width))


@pytest.mark.parametrize("fmt", REPORTS)
def test_ten_thousand_characters_do_not_fill_the_report(fmt: str) -> None:
    name = "long " + "x" * 10_000
    resource = sample.in_account("Custom::Thing", name)
    found = sample.make("tags-mandatory", resource, "FAIL", "tag_value", name, evidence=[sample._ports()])
    limit = 3_000 if fmt in ("terminal", "markdown", "github", "gitlab") else 40_000
    assert len(render(fmt, [found])) - len(render(fmt, [])) < limit
