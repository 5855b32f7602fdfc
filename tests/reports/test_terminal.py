"""What a person at a terminal sees."""

from __future__ import annotations

import io
import re

import pytest

from policyengine.model.finding import Evidence, Finding
from policyengine.model.location import Location
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT
from policyengine.reports.ansi import detect
from policyengine.reports.base import TerminalOptions
from policyengine.reports.frame import frame
from policyengine.reports.source_text import MAX_BYTES, FileText
from policyengine.reports.text import display_width, wrap

from . import sample
from .helpers import render


class Tty(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class AsciiTty(Tty):
    encoding = "ANSI_X3.4-1968"


def failures(count: int, rule: str = "tags-mandatory"):
    evidence = [Evidence(("tags", "Owner"), None, "present", "tag_missing")]
    return [
        sample.make(
            rule,
            sample.in_account("AWS::S3::Bucket", f"b{n:05}"),
            "FAIL",
            "tag_missing",
            "m",
            evidence=evidence,
        )
        for n in range(count)
    ]


def test_nothing_to_report_is_one_line() -> None:
    passed = [f for f in sample.findings(hostile=False) if f.verdict == "PASS"]
    assert render("terminal", passed) == "no violations: 1 check passed, 23 resources, 120 rules\n"


def test_nothing_checked_is_not_called_a_success() -> None:
    assert render("terminal", []) == "nothing was checked: no rule applied, 23 resources, 120 rules\n"


def test_rules_that_cannot_be_decided_are_counted_on_success_too() -> None:
    passed = [f for f in sample.findings(hostile=False) if f.verdict == "PASS"]
    text = render("terminal", passed, sample.run(undecidable=["iam-root-mfa"]))
    assert text.count("\n") == 1
    assert "1 not decidable from this source" in text


def test_incomplete_run_is_loud_even_without_findings() -> None:
    text = render("terminal", [], sample.run(complete=False))
    assert "INCOMPLETE RUN" in text
    assert "no violations" not in text


def test_summary_is_at_the_bottom_and_counts_everything() -> None:
    text = render("terminal", sample.findings(hostile=False), sample.broken_run())
    tail = text[text.index("\nchecks:") :]
    for part in (
        "5 failed · 2 not determined · 1 passed · 1 not applicable · 1 waived",
        "1 critical · 1 high · 2 medium · 1 low",
        "2 resilience · 1 network · 1 encryption · 1 tagging",
        "1 because the call that reads it was denied",
        "2 rules about accounts can't be decided from this source",
        "3 not an AWS template · 1 macro event",
        "Custom::Thing (3) · AWS::New::Service (1)",
        "snap.ndjson:12:3: line 12 is no JSON",
    ):
        assert part in tail


def test_worst_severity_comes_first_and_unknown_last() -> None:
    text = render("terminal", sample.findings(hostile=False))
    heads = re.findall(r"^(critical|high|medium|low|not determined) \S+ \[", text, re.MULTILINE)
    assert heads == ["critical", "high", "medium", "low", "not determined"]


def test_waived_findings_are_shown_only_when_asked() -> None:
    hidden = render("terminal", sample.findings(hostile=False))
    shown = render("terminal", sample.findings(hostile=False), terminal=TerminalOptions(show_waived=True))
    assert "approver ciso" not in hidden
    assert "approver ciso" in shown


def test_thousands_show_the_first_of_each_rule_and_say_how_to_see_the_rest() -> None:
    text = render("terminal", failures(5_000))
    assert text.count("  -->") == 10
    assert "... and 4,990 more of `tags-mandatory`: `--limit 0` shows all" in text
    assert "5,000 failed" in text


def many_rules(count: int) -> list[Finding]:
    return [f._replace(rule=f"rule-{n:03}") for n in range(count) for f in failures(3)]


def test_beyond_what_a_person_reads_each_rule_is_one_line() -> None:
    text = render("terminal", many_rules(70))
    assert text.count("  -->") == 40
    assert (
        "also failed: 150 more findings of 50 rules (`--rule ID` shows one in full, `--limit 0` all)" in text
    )
    rows = re.findall(r"^  low +rule-\d+ +3  111122223333/eu-west-1$", text, re.MULTILINE)
    assert len(rows) == 40
    assert "... and 10 more rules: `--format json` has all" in text


@pytest.mark.parametrize("width", [40, 80, 140])
def test_rows_of_rules_fit_the_width(width: int) -> None:
    text = render("terminal", many_rules(25), terminal=TerminalOptions(width=width))
    rows = [line for line in text.splitlines() if re.match(r"  low +rule-", line)]
    assert len(rows) == 5
    assert all(display_width(row) <= max(width, 55) for row in rows)
    assert all(display_width(line) <= width for line in text.splitlines() if "also failed" in line)


def test_several_missing_values_are_one_line() -> None:
    evidence = [
        Evidence(("tags", key), None, f"a tag `{key}`", "tag_missing") for key in ("Owner", "Project")
    ]
    evidence.append(Evidence(("Parts", 0), None, "present", "missing"))
    found = sample.make("tags-mandatory", sample.in_account("AWS::S3::Bucket", "b"), "FAIL", "tag_missing", "m",
                        evidence=[e._replace(observed=ABSENT) for e in evidence])  # fmt: skip
    text = render("terminal", [found])
    assert "    = missing: a tag `Owner`, a tag `Project`, Parts.0 (present)\n" in text
    assert "observed" not in text


@pytest.mark.parametrize("fmt", ["terminal", "json", "markdown", "sarif", "github", "gitlab", "junit"])
def test_the_construct_of_a_cdk_resource_is_named(fmt: str) -> None:
    made = sample.in_account("AWS::S3::Bucket", "Bucket83908E77")
    made.provenance = {"construct_path": "WebStack/Bucket/Resource"}
    evidence = [Evidence(("tags", "Owner"), ABSENT, "a tag", "tag_missing")]
    found = sample.make("tags-mandatory", made, "FAIL", "tag_missing", "m", evidence=evidence)
    assert "WebStack/Bucket/Resource" in render(fmt, [found]).replace("&#47;", "/")


def test_limit_zero_shows_every_rule_in_full() -> None:
    text = render("terminal", many_rules(70), terminal=TerminalOptions(limit=0))
    assert text.count("  -->") == 210
    assert "also failed" not in text


def test_limit_zero_shows_all() -> None:
    assert render("terminal", failures(1_500), terminal=TerminalOptions(limit=0)).count("  -->") == 1_500


def test_compact_is_one_line_a_finding_for_editors() -> None:
    lines = render(
        "terminal", sample.findings(hostile=False), terminal=TerminalOptions(compact=True)
    ).splitlines()
    place = re.compile(
        r"(infra/stack\.yaml:\d+:\d+|111122223333/[a-z0-9-]+): (critical|high|medium|low|unknown) [a-z0-9-]+ "
    )
    assert [bool(place.match(line)) for line in lines[:7]] == [True] * 7
    assert lines[7].startswith("checks:")


def test_branch_and_default_are_named() -> None:
    text = render("terminal", sample.findings(hostile=False))
    assert "= when: IsProd is false" in text
    assert "= observed: 1 (AWS default) at BackupRetentionPeriod" in text


@pytest.mark.parametrize("width", [40, 60, 100, 160])
def test_prose_fits_the_width(width: int) -> None:
    text = render(
        "terminal", sample.findings(hostile=False), sample.broken_run(), TerminalOptions(width=width)
    )
    rest = [line for line in text.splitlines() if not re.match(r"^\S.* \[\w+\] |^  --> ", line)]
    assert max(display_width(line) for line in rest) <= width


@pytest.mark.parametrize(
    ("env", "tty", "color"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"CLICOLOR_FORCE": "1"}, False, True),
        ({"CLICOLOR_FORCE": "0"}, False, False),
        ({"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, True, False),
        ({"CLICOLOR": "0"}, True, False),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_color_follows_the_conventions(env: dict[str, str], tty: bool, color: bool) -> None:
    assert detect(Tty() if tty else io.StringIO(), env).color is color


@pytest.mark.parametrize(
    ("env", "tty", "links"),
    [
        ({}, True, False),
        ({"TERM_PROGRAM": "vscode"}, True, True),
        ({"TERM_PROGRAM": "vscode"}, False, False),
        ({"TERM_PROGRAM": "Apple_Terminal"}, True, False),
        ({"VTE_VERSION": "7003"}, True, True),
        ({"VTE_VERSION": "4999"}, True, False),
        ({"VTE_VERSION": "7003", "TMUX": "/tmp/x"}, True, False),
        ({"WT_SESSION": "1", "CI": "true"}, True, False),
        ({"FORCE_HYPERLINK": "1"}, False, True),
        ({"FORCE_HYPERLINK": "0", "TERM_PROGRAM": "vscode"}, True, False),
    ],
)
def test_hyperlinks_only_where_supported(env: dict[str, str], tty: bool, links: bool) -> None:
    assert detect(Tty() if tty else io.StringIO(), env).hyperlinks is links


@pytest.mark.parametrize(
    ("columns", "width"), [("72", 72), ("9", 40), ("9999", 160), ("wide", 100), ("", 100)]
)
def test_width_is_taken_from_columns_within_reason(columns: str, width: int) -> None:
    assert detect(io.StringIO(), {"COLUMNS": columns}).width == width


def test_ascii_terminal_gets_ascii() -> None:
    options = detect(AsciiTty(), {"NO_COLOR": "1"})
    assert options.unicode is False
    assert render("terminal", sample.findings(), sample.broken_run(), options).isascii()


def caret_text(line: str, column: int, end: int | None, width: int = 60) -> str:
    shown, mark = frame([line], Location("f", 1, column, 1, end), width)
    assert display_width(shown.text) <= width
    start = len(mark.text) - len(mark.text.lstrip())
    cells = "".join(ch + "\0" * (display_width(ch) - 1) for ch in shown.text if display_width(ch))
    return cells[start : len(mark.text)].replace("\0", "")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("Key: value", "value"),
        ("          Key: value", "value"),
        ("\t\tKey:\tvalue", "value"),
        ("日本語: value", "value"),
        ("キー: 日本", "日本"),
        ("x" * 500 + " value " + "y" * 500, "value"),
        ("{" + '"a": 1, ' * 5_000 + '"Key": value}', "value"),
        ("e\u0301: value", "value"),
        ("日" * 300 + " value " + "本" * 300, "value"),
    ],
)
def test_caret_stands_under_the_value(line: str, text: str) -> None:
    column = line.index(text) + 1
    assert caret_text(line, column, column + len(text)) == text


@pytest.mark.parametrize(
    ("line", "column", "marked"),
    [
        ('Key: "a b", x', 6, '"a b"'),
        ("Key: a b", 6, "a"),
        ("Key: [a]", 7, "a"),
        ("Key:", 1, "Key:"),
        ("  Key", None, "Key"),
    ],
)
def test_caret_without_an_end_covers_the_token(line: str, column: int | None, marked: str) -> None:
    assert caret_text(line, column, None) == marked  # type: ignore[arg-type]


@pytest.mark.parametrize("line", [0, 7, -1, 10**9])
def test_place_outside_the_file_has_no_frame(line: int) -> None:
    assert frame(["only"], Location("f", line, 1), 60) == []


def test_long_spans_are_cut() -> None:
    found = frame([f"line {n}" for n in range(100)], Location("f", 11, 1, 90, 3), 60)
    assert [item.number for item in found] == [11, 12, 13, 14, 15, None]
    assert found[-1].text == "... 75 more lines"


@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        ("MasterUserPassword: hunter2", True),
        ('"MasterUserPassword": "hunter2",', True),
        ("SecretString = hunter2", True),
        ("{UserName: x, Password: hunter2}", True),
        ("MasterUserPassword: !Ref hunter2", False),
        ("MasterUserPassword: '{{resolve:ssm-secure:hunter2}}'", False),
        ("ManageMasterUserPassword: false # hunter2", False),
        ("MinimumPasswordLength: 8 # hunter2", False),
    ],
)
def test_secrets_in_source_lines_are_not_shown(line: str, hidden: bool) -> None:
    shown = frame([line], Location("f", 1, 1), 100)[0].text
    assert ("hunter2" not in shown) is hidden


def test_masking_is_linear_in_the_line() -> None:
    import time

    started = time.process_time()
    for line in ("password:" + " " * 99_000, "password" * 12_000, "token:'" * 14_000):
        frame([line], Location("f", 1, 1), 100)
    assert time.process_time() - started < 2


def test_values_cannot_issue_commands_to_ci_logs() -> None:
    evil = [
        "::error::x",
        "##[set-env name=A]b",
        "##vso[task.setvariable variable=A]b",
        "a ::stop-commands::t",
    ]
    findings = []
    for text in evil:
        resource = sample.in_account("AWS::S3::Bucket", text)
        evidence = [Evidence((text,), text, text, "tag_value")]
        findings.append(sample.make("tags-mandatory", resource, "FAIL", "tag_value", text, evidence=evidence))
    for options in (TerminalOptions(width=40), TerminalOptions(compact=True)):
        for line in render("terminal", findings, terminal=options).splitlines():
            assert not line.lstrip().startswith("::")
            assert "##[" not in line
            assert "##vso[" not in line


def test_files_are_read_with_any_line_end_and_encoding(tmp_path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa\r\nb\x0cc\rd\n\xff")
    source = FileText(tmp_path)
    assert source.lines("a.yaml") == ["a", "b\x0cc", "d", "\ufffd"]
    assert source.absolute("a.yaml") == str(tmp_path / "a.yaml")


@pytest.mark.parametrize("name", ["missing.yaml", ".", "nul\0byte", "big.yaml"])
def test_files_that_cannot_be_read_have_no_text(tmp_path, name: str) -> None:
    with (tmp_path / "big.yaml").open("wb") as big:
        big.truncate(MAX_BYTES + 1)
    assert FileText(tmp_path).lines(name) is None


def test_finding_without_readable_file_still_shows_place_and_message() -> None:
    place = Location("gone.yaml", 3, 7)
    resource = Resource("AWS::S3::Bucket", "B", None, None, {}, file="gone.yaml", locate=lambda _path: place)
    found = sample.make(
        "tags-mandatory", resource, "FAIL", "missing", "no tags here", evidence=[sample._ports()]
    )
    text = render("terminal", [found])
    assert "--> gone.yaml:3:7" in text
    assert "no tags here" in text


def test_wrapping_keeps_every_word() -> None:
    text = "one two threefourfive 日本語日本語 " * 20
    lines = wrap(text, 10)
    assert max(display_width(line) for line in lines) <= 10
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
