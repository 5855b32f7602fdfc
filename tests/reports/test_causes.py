"""Findings of one cause: told once to people, all of them to programs."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from policyengine.model.finding import Evidence, Finding
from policyengine.model.values import Unresolved
from policyengine.reports.base import TerminalOptions
from policyengine.reports.causes import MOST_NAMED, Causes, cause_of
from policyengine.reports.explain import explain_finding

from . import sample
from .helpers import render

SCPS = "bedrock under SCPs p-base"
STATEMENT = "#/Policies/0/PolicyDocument/Statement/0"
SSH, KMS, BACKUP, TAGS = "ec2-ssh-not-open", "s3-kms-encryption", "rds-backup-retention", "tags-mandatory"


def failure(rule: str, name: str, cause: str | None) -> Finding:
    evidence = [Evidence(("Field",), 1, "2", "value_mismatch")]
    resource = sample.in_account("AWS::S3::Bucket", name)
    return sample.make(
        rule, resource, "FAIL", "value_mismatch", f"{rule} fails", evidence=evidence, cause=cause
    )


def unknown(rule: str, name: str, path: tuple[str, ...], detail: str) -> Finding:
    evidence = [Evidence(path, Unresolved("access_denied", detail), "known", "access_denied")]
    resource = sample.in_account("AWS::S3::Bucket", name)
    return sample.make(
        rule, resource, "UNKNOWN", "access_denied", "not determined: denied", evidence=evidence
    )


def of_one_cause(names: Sequence[str] = ("a", "b", "c"), cause: str = SCPS) -> list[Finding]:
    found = [failure(rule, name, cause) for name in names for rule in (SSH, KMS, BACKUP)]
    return sorted(found, key=lambda f: f.sort_key)


def test_one_entry_names_the_other_rules_and_resources() -> None:
    text = " ".join(render("terminal", of_one_cause()).split())
    assert text.count("-->") == 1
    assert f"= cause: {SCPS} = the same for: b, c = same cause: {KMS} (high, 3), {BACKUP} (medium, 3)" in text
    assert f"critical {SSH} [network] 3 resources" in text
    assert "more of" not in text
    assert "also failed" not in text
    assert "9 failed" in text


def test_the_order_of_findings_does_not_matter() -> None:
    found = of_one_cause()
    assert render("terminal", found[::-1]) == render("terminal", found)


def test_places_are_of_their_resource() -> None:
    """The same statement number of two roles is not one statement."""
    found = [failure(rule, name, STATEMENT) for name in ("a", "b") for rule in (SSH, KMS)]
    assert {f.cause for f in found} == {
        f"111122223333/eu-west-1/AWS::S3::Bucket/{name}{STATEMENT}" for name in ("a", "b")
    }
    assert render("terminal", found).count(f"same cause: {KMS} (high)") == 2


def test_a_rule_alone_still_fails() -> None:
    """Which findings are told with others is the reports' matter: no verdict depends on what else is asked."""
    text = render("terminal", [failure(KMS, "a", SCPS)])
    assert KMS in text
    assert "same" not in text


def test_findings_without_a_cause_stay_by_themselves() -> None:
    text = render("terminal", [failure(rule, "a", None) for rule in (SSH, KMS)])
    assert text.count("-->") == 2


def test_limit_0_shows_everything_in_full() -> None:
    text = render("terminal", of_one_cause(), terminal=TerminalOptions(limit=0))
    assert text.count("-->") == 9
    assert "same cause" not in text


def test_compact_shows_every_finding() -> None:
    text = render("terminal", of_one_cause(), terminal=TerminalOptions(compact=True))
    assert text.count(" fails") == 9


@pytest.mark.parametrize("fmt", ["json", "ndjson", "sarif", "junit", "gitlab", "csv"])
def test_programs_get_every_finding(fmt: str) -> None:
    found = of_one_cause()
    text = render(fmt, found)
    assert all(finding.id in text for finding in found)


def test_json_says_the_cause_where_there_is_one() -> None:
    found = json.loads(render("json", [failure(SSH, "a", SCPS), failure(SSH, "b", None)]))["findings"]
    assert found[0]["cause"] == SCPS
    assert "cause" not in found[1]


def test_the_page_of_a_finding_says_its_cause() -> None:
    assert f"cause        {SCPS}" in explain_finding(failure(SSH, "a", SCPS))
    assert "cause        " not in explain_finding(failure(SSH, "a", None))


def test_the_id_does_not_depend_on_the_cause() -> None:
    assert failure(SSH, "a", SCPS).id == failure(SSH, "a", None).id


def test_findings_that_were_not_built_are_told_under_their_own_rule() -> None:
    """A run builds only some findings of a rule; what the others have as cause nobody knows."""
    counts = {(rule, "FAIL"): 5 for rule in (SSH, KMS, BACKUP)}
    text = render("terminal", of_one_cause(), sample.run(verdicts=counts))
    assert f"critical {SSH} [network] 5 resources" in text
    assert f"2 more of `{SSH}`" in text
    assert f"high {KMS} [encryption] 2 resources" in text


def test_markdown_has_one_row() -> None:
    text = render("markdown", of_one_cause())
    assert text.count("<sub>") == 1
    assert f"same cause: {KMS} \\(high, 3\\), {BACKUP} \\(medium, 3\\)" in text.replace("\\-", "-")
    assert "left out" not in text


def test_markdown_counts_all_that_it_leaves_out() -> None:
    found = [f for n in range(400) for f in of_one_cause((f"a{n}", f"b{n}"), f"{SCPS}{n}")]
    text = render("markdown", found, markdown_chars=5_000)
    rows = text.count("<sub>")
    assert f"{(400 - rows) * 6:,} more findings left out" in text


def test_github_annotates_a_cause_once() -> None:
    text = render("github", of_one_cause())
    assert text.count("::error ") == 1
    assert "::warning" not in text
    assert "not annotated" not in text


def test_github_counts_what_is_not_annotated() -> None:
    found = [f for n in range(11) for f in of_one_cause((f"a{n}", f"b{n}"), f"{SCPS}{n}")]
    text = render("github", found)
    assert text.count("::error ") == 10
    assert "4 more errors, 2 more warnings not annotated" in text


def test_what_is_not_known_is_one_cause() -> None:
    found = [unknown(rule, "a", ("BucketPolicy",), "s3:GetBucketPolicy") for rule in (SSH, KMS)]
    found.append(unknown(BACKUP, "a", ("Other",), "s3:GetOther"))
    text = render("terminal", found)
    assert f"= same cause: {KMS}\n" in text
    assert text.count("-->") == 2


def test_a_value_of_another_resource_is_another_cause() -> None:
    assert cause_of(unknown(SSH, "a", ("P",), "d")) != cause_of(unknown(SSH, "b", ("P",), "d"))
    assert cause_of(unknown(SSH, "a", (), "d")) is None


def test_memory_is_bounded() -> None:
    causes = Causes(most=2)
    taken = [causes.add(failure(SSH, f"a{n}", f"cause {n}")) for n in range(4)]
    assert taken == [True, True, False, False]
    assert causes.add(failure(KMS, "a0", "cause 0"))
    assert [cause.total for cause in causes.together()] == [2, 1]


def test_many_resources_are_counted() -> None:
    text = " ".join(render("terminal", of_one_cause([f"n{n:02}" for n in range(40)])).split())
    assert f"n{MOST_NAMED:02} and {39 - MOST_NAMED} more" in text


def test_hostile_names_are_made_visible() -> None:
    assert "\x1b" not in render("terminal", of_one_cause(("a", "b\x1b[2J")))
