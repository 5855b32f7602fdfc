"""``policyengine rules`` and ``explain`` from outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

RULE = "rds-backup-retention"


def test_list_and_show(run: Run) -> None:
    listed = run("rules", "list", "--family", "resilience")
    assert RULE in listed.out
    page = run("rules", "show", RULE)
    assert page.code == 0
    for part in (
        "Why",
        "Requires",
        "BackupRetentionPeriod is at least $days",
        "Parameters",
        "Examples",
        "References",
    ):
        assert part in page.out


def test_list_as_json_names_what_a_program_needs(run: Run) -> None:
    found = json.loads(run("rules", "list", "--type", "AWS::RDS::DBInstance", "--format", "json").out)
    assert RULE in {rule["id"] for rule in found}
    assert all({"AWS::RDS::DBInstance", "taggable"} & set(rule["applies_to"]) for rule in found)
    assert "tags-mandatory" in {rule["id"] for rule in found}, "rules about everything that has tags count"


def test_list_refuses_names_that_nothing_has(run: Run) -> None:
    assert "did you mean `AWS::S3::Bucket`?" in run("rules", "list", "--type", "AWS::S3::Buckett").err
    assert "unknown family `foo`; known are bedrock" in run("rules", "list", "--family", "foo").err


def test_an_unknown_rule_is_suggested(run: Run) -> None:
    found = run("rules", "show", "rds-backup-retentionn")
    assert (found.code, found.err) == (
        2,
        "error: unknown rule `rds-backup-retentionn`; did you mean `rds-backup-retention`?\n",
    )


def test_new_writes_a_rule_that_loads_and_never_overwrites(run: Run, tmp_path: Path) -> None:
    made = run("rules", "new", "queue-is-good", "--type", "AWS::SQS::Queue", "--folder", "mine")
    assert made.code == 0
    rule = tmp_path / "mine" / "sqs" / "queue-is-good.yaml"
    assert rule.is_file() and rule.with_name("queue-is-good.test.yaml").is_file()
    assert "queue-is-good" in run("rules", "list", "--rules", "mine").out
    tested = run("rules", "test", "queue-is-good", "--rules", "mine")
    assert "1 rule, 3 cases: all well" in tested.out
    assert run("rules", "test", "--rules", "mine").out == tested.out, "only the folder that was named"
    again = run("rules", "new", "queue-is-good", "--type", "AWS::SQS::Queue", "--folder", "mine")
    assert again.code == 2 and "exists; choose another id" in again.err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("Queue_Bad", "--type", "AWS::SQS::Queue"), "is no rule id"),
        (("queue-bad", "--type", "AWS::SQS::Quue"), "did you mean `AWS::SQS::Queue`?"),
    ],
)
def test_new_refuses_bad_names(run: Run, args: tuple[str, ...], said: str) -> None:
    found = run("rules", "new", *args, "--folder", "mine")
    assert found.code == 2 and said in found.err


WEAK = """\
id: queue-weak
title: Queues wait for their messages
family: resilience
pillar: reliability
severity: low
applies_to: AWS::SQS::Queue
why: It is only here to show a rule whose tests are too weak.
fix: Set ReceiveMessageWaitTimeSeconds.
require: {field: ReceiveMessageWaitTimeSeconds, at_least: 10}
message: "it waits {ReceiveMessageWaitTimeSeconds} seconds"
references: ["https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html"]
"""
CASES = """\
- {case: long, resource: {ReceiveMessageWaitTimeSeconds: 20}, expect: PASS}
- {case: none, resource: {}, expect: FAIL}
- {case: not resolved, resource: {ReceiveMessageWaitTimeSeconds: {Ref: S}}, expect: UNKNOWN}
"""


def weak(tmp_path: Path, cases: str = CASES) -> None:
    folder = tmp_path / "mine" / "sqs"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "queue-weak.yaml").write_text(WEAK)
    (folder / "queue-weak.test.yaml").write_text(cases)


def test_a_mutant_that_no_case_notices_fails(run: Run, tmp_path: Path) -> None:
    weak(tmp_path)
    assert run("rules", "test", "queue-weak", "--rules", "mine").code == 0
    mutated = run("rules", "test", "queue-weak", "--rules", "mine", "--mutate")
    assert mutated.code == 1
    assert "no case notices the mutant `shift+1@require`" in mutated.out
    weak(
        tmp_path,
        CASES
        + "- {case: ten, resource: {ReceiveMessageWaitTimeSeconds: 10}, expect: PASS}\n- {case: nine, resource: {ReceiveMessageWaitTimeSeconds: 9}, expect: FAIL}\n",
    )
    assert run("rules", "test", "queue-weak", "--rules", "mine", "--mutate").code == 0


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        ("- {case: long, resource: {}}\n", "lacks the key `expect`"),
        ("- {case: long, expect: PASS}\n", "a case has `resource` or `resources`"),
        (CASES.replace("expect: PASS", "expect: FAIL"), "case `long`: expected FAIL, got PASS"),
        (CASES.replace("expect: FAIL", "expect: FAIL, reason: nonsense"), "expected the reason `nonsense`"),
        (CASES.replace("{Ref: S}", "5").replace("UNKNOWN", "FAIL"), "there is no case that expects UNKNOWN"),
        (CASES.replace("case: none", "case: long"), "two cases are called `long`"),
        (
            CASES + "- {equivalent_mutants: [{mutant: negate@require, reason: it is the same thing}]}\n",
            "is listed as an equivalent mutant",
        ),
        ("{}", "expected a list of cases"),
    ],
)
def test_mistakes_in_tests_are_named(run: Run, tmp_path: Path, cases: str, said: str) -> None:
    weak(tmp_path, cases)
    found = run("rules", "test", "queue-weak", "--rules", "mine", "--mutate")
    assert found.code == 1
    assert said in found.out


def test_a_rule_without_tests_fails(run: Run, tmp_path: Path) -> None:
    weak(tmp_path)
    (tmp_path / "mine" / "sqs" / "queue-weak.test.yaml").unlink()
    found = run("rules", "test", "queue-weak", "--rules", "mine")
    assert found.code == 1 and "every rule has its test file" in found.out


@pytest.mark.slow
def test_the_editor_schemas_accept_the_shipped_rules(run: Run) -> None:
    import jsonschema

    from policyengine.documents import load
    from policyengine.rules.data import data_root
    from policyengine.rules.pack import rule_files

    rules = jsonschema.Draft7Validator(json.loads(run("rules", "schema").out))
    cases = jsonschema.Draft7Validator(json.loads(run("rules", "schema", "--tests").out))
    for path in rule_files(data_root().rules):
        errors = [
            e.message
            for e in rules.iter_errors(load(path.read_bytes(), name=path.name, style="strict").value)
        ]
        assert errors == [], path
        tests = path.with_name(path.stem + ".test.yaml")
        errors = [
            e.message
            for e in cases.iter_errors(load(tests.read_bytes(), name=tests.name, style="strict").value)
        ]
        assert errors == [], tests
    assert list(rules.iter_errors({"id": "x"}))
    assert list(cases.iter_errors([{"case": "no expectation", "resource": {}}]))


def test_explain_a_finding_of_a_run(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(
        "Resources:\n  Db:\n    Type: AWS::RDS::DBInstance\n    Properties: {BackupRetentionPeriod: 3}\n"
    )
    run("scan", "t.yaml", "--rule", RULE, "--format", "json=findings.json", "-o", "run")
    finding = json.loads((tmp_path / "findings.json").read_text())["findings"][0]["id"]
    for where in ([], ["--run", "findings.json"], ["--run", "run"]):
        page = run("explain", finding[:12], *where)
        assert page.code == 0, page.err
        assert "at least 7" in page.out and "t.yaml" in page.out
    missing = run("explain", "0" * 32, "--run", "run")
    assert missing.code == 2 and "has no finding" in missing.err
    assert run("explain", RULE).out == run("rules", "show", RULE).out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(run: Run, shell: str) -> None:
    assert "policyengine" in run("completion", shell).out


def test_completion_completes(run: Run) -> None:
    environment = {
        "_POLICYENGINE_COMPLETE": "bash_complete",
        "COMP_WORDS": "policyengine sc",
        "COMP_CWORD": "1",
    }
    assert "scan" in run(env=environment).out


def test_predicates_are_listed(run: Run) -> None:
    assert "net.open_to_internet" in run("rules", "predicates").out
