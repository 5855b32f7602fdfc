"""``policyengine scan`` from outside: exit codes, quietness, determinism, streams."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policyengine.store.rundir import read_findings
from tests.cli.conftest import BUCKET, Run

RULE = "rds-backup-retention"
TEMPLATE = """\
Resources:
  Db:
    Type: AWS::RDS::DBInstance
    Properties:
      BackupRetentionPeriod: {days}
"""
AS_OF = ("--as-of", "2026-01-01T00:00:00Z")


def template(tmp_path: Path, days: object, name: str = "template.yaml") -> str:
    (tmp_path / name).write_text(TEMPLATE.format(days=days))
    return name


@pytest.mark.parametrize(
    ("days", "options", "code"),
    [
        (7, [], 0),
        (3, [], 1),
        (3, ["--fail-on", "medium"], 1),
        (3, ["--fail-on", "high"], 0),
        (3, ["--fail-on", "never"], 0),
        ("!ImportValue Days", [], 0),
        ("!ImportValue Days", ["--strict"], 3),
        (3, ["--strict"], 1),
    ],
)
def test_exit_codes_follow_the_verdicts(
    run: Run, tmp_path: Path, days: object, options: list[str], code: int
) -> None:
    assert run("scan", template(tmp_path, days), "--rule", RULE, *options).code == code


def test_success_is_quiet(run: Run, tmp_path: Path) -> None:
    found = run("scan", template(tmp_path, 7), "--rule", RULE)
    assert len(found.out.splitlines()) == 1
    assert run("scan", template(tmp_path, 3), "--rule", RULE, "-q").out == ""


def test_a_finding_names_the_place_and_the_value(run: Run, tmp_path: Path) -> None:
    found = run("scan", template(tmp_path, 3), "--rule", RULE)
    assert "template.yaml:5:30" in found.out
    assert "backups are kept for 3 days; at least 7 are required" in found.out
    assert found.err == ""


POLICIES = """
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties: {BucketName: quiet-otter}
  BucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: quiet-otter
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: "*"
            Action: ["s3:Get*", "s3:PutObject"]
            Resource: "arn:aws:s3:::quiet-otter/*"
            Condition:
              StringLike: {"aws:UserAgent": [a*, "*b"]}
              IpAddress: {"aws:SourceIp": [0.0.0.0/1, 128.0.0.0/1]}
          - {Effect: Deny, Principal: "*", Action: "s3:Put*", Resource: "*",
             Condition: {Bool: {"aws:SecureTransport": "false"}}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: [lambda.amazonaws.com, ec2.amazonaws.com], AWS: "*"}
            Action: ["sts:TagSession", "sts:AssumeRole"]
            Condition:
              StringNotEquals: {"aws:PrincipalTag/team": [red, blue]}
              DateLessThan: {"aws:CurrentTime": "2030-01-01T00:00:00Z"}
  Wide:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - {Effect: Allow, Action: ["s3:*", "*"], Resource: "*"}
          - {Effect: Deny, Action: "iam:Delete*", Resource: "*",
             Condition: {BoolIfExists: {"aws:MultiFactorAuthPresent": "false"}}}
"""
WITNESSED = {
    "iam-role-trust-not-public",
    "iam-no-administrator-policy",
    "s3-bucket-policy-not-public",
    "s3-tls-only",
}


def test_same_input_same_bytes(run: Run, snapshot: Path, tmp_path: Path) -> None:
    """Whatever the hash seed and the time zone; the first run compiles the rules, the others find them."""
    (tmp_path / "policies.yaml").write_text(POLICIES)
    template(tmp_path, 3)
    cache = tmp_path / "cache"
    outputs = []
    for seed, zone in (("1", "UTC"), ("2", "Asia/Kolkata"), ("3", "America/New_York")):
        env = {"PYTHONHASHSEED": seed, "TZ": zone, "XDG_CACHE_HOME": str(cache)}
        sources = (snapshot.name, "template.yaml", "policies.yaml")
        outputs.append(run("scan", *sources, *AS_OF, "--format", "json", env=env).out)
        assert len(list((cache / "policyengine" / "packs").glob("*.json"))) == 1
    assert outputs == outputs[:1] * 3
    document = json.loads(outputs[0])
    assert document["run"]["started_at"] == "2026-01-01T00:00:00Z"
    assert {f["rule"] for f in document["findings"] if f["witness"]} >= WITNESSED


def test_the_clock_is_checked(run: Run, snapshot: Path) -> None:
    found = run("scan", snapshot.name, "--as-of", "yesterday")
    assert (found.code, found.err) == (
        2,
        "error: --as-of `yesterday` is no RFC 3339 time; expected e.g. 2026-01-01T00:00:00Z\n",
    )


def test_formats_go_to_files_and_one_to_standard_output(run: Run, tmp_path: Path) -> None:
    name = template(tmp_path, 3)
    found = run(
        "scan",
        name,
        "--rule",
        RULE,
        "--format",
        "json",
        "--format",
        "sarif=out.sarif",
        "--format",
        "csv=out.csv",
    )
    (finding,) = found.document["findings"]
    sarif = json.loads((tmp_path / "out.sarif").read_text())
    assert finding["id"] in json.dumps(sarif)
    assert finding["id"] in (tmp_path / "out.csv").read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format", "xml"], "unknown format `xml`"),
        (["--format", "json", "--format", "csv"], "two formats want standard output"),
        (["--rule", "rds-backup-retentio"], "did you mean `rds-backup-retention`?"),
        (["--family", "netwrk"], "unknown family `netwrk`"),
        (["--config", "none.yaml"], "cannot be read"),
        (["--rules", "nowhere"], "`nowhere` is not a folder"),
        (["--format", "json=no/such/folder/x.json"], "cannot be written"),
        (["-o", "one.ndjson"], "is no run directory"),
    ],
)
def test_usage_errors_say_what_to_do(run: Run, snapshot: Path, options: list[str], said: str) -> None:
    found = run("scan", snapshot.name, *options)
    assert found.code == 2
    assert said in found.err
    assert len(found.err.splitlines()) == 1


def test_an_output_file_appears_whole_or_not_at_all(run: Run, tmp_path: Path) -> None:
    (tmp_path / "kept.json").write_text("before")
    found = run(
        "scan",
        template(tmp_path, 3),
        "--rule",
        RULE,
        "--format",
        "json=kept.json",
        "--format",
        "csv=no/x.csv",
    )
    assert found.code == 2
    assert (tmp_path / "kept.json").read_text() == "before"
    assert list(tmp_path.glob(".kept*")) == []


def test_standard_input(run: Run, tmp_path: Path) -> None:
    found = run("scan", "-", "--rule", RULE, "--format", "json", stdin=TEMPLATE.format(days=3).encode())
    assert [f["verdict"] for f in found.document["findings"]] == ["FAIL"]


def test_the_configuration_above_the_target_counts(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "stacks"
    folder.mkdir()
    template(folder, 7)
    (tmp_path / "policyengine.yaml").write_text(
        f"parameters: {{{RULE}: {{days: 14}}}}\n"
        f"scopes: [{{account: '111122223333', parameters: {{{RULE}: {{days: 5}}}}}}]\n"
        f"severities: {{{RULE}: critical}}\n"
    )
    found = run("scan", "stacks", "--rule", RULE, "--format", "json")
    (finding,) = found.document["findings"]
    assert (finding["verdict"], finding["severity"]) == ("FAIL", "critical")
    bound = run("scan", "stacks", "--rule", RULE, "--account", "111122223333", "--format", "json")
    assert [f["verdict"] for f in bound.document["findings"]] == ["PASS"]


def test_template_parameters(run: Run, tmp_path: Path) -> None:
    text = "Parameters: {Days: {Type: Number}}\n" + TEMPLATE.format(days="!Ref Days")
    (tmp_path / "t.yaml").write_text(text)
    (tmp_path / "p.json").write_text('[{"ParameterKey": "Days", "ParameterValue": "3"}]')

    def verdicts(*options: str) -> list[str]:
        return [
            f["verdict"]
            for f in run("scan", "t.yaml", "--rule", RULE, "--format", "json", *options).document["findings"]
        ]

    assert verdicts() == ["UNKNOWN"]
    assert verdicts("--parameters", "p.json") == ["FAIL"]
    assert verdicts("--parameters", "Days=9") == ["PASS"]


def test_tags_of_the_stack_count(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("Resources:\n  Q: {Type: AWS::SQS::Queue}\n")
    tags = [f"--stack-tag={key}=x1" for key in ("CostCenter", "Project", "Owner", "Environment")]

    def verdict(*options: str) -> str:
        (finding,) = run("scan", "t.yaml", "--rule", "tags-mandatory", "--format", "json", *options).document[
            "findings"
        ]
        return str(finding["verdict"])

    assert verdict() == "FAIL"
    assert verdict(*tags) == "PASS"
    assert verdict(*tags[1:]) == "FAIL"
    assert run("scan", "t.yaml", "--stack-tag", "Owner").err == "error: --stack-tag `Owner` is no KEY=VALUE\n"


def test_the_same_finding_id_on_one_and_two_processes(run: Run, tmp_path: Path) -> None:
    lines = [{**BUCKET, "id": f"b{i}", "properties": {"BucketName": f"b{i}"}} for i in range(200)]
    (tmp_path / "many.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))
    one = run("scan", "many.ndjson", *AS_OF, "--format", "json")
    two = run("scan", "many.ndjson", *AS_OF, "--format", "json", "-j", "2")
    assert one.out == two.out


def test_two_resources_with_one_identity_are_an_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "twice.ndjson").write_text((json.dumps(BUCKET) + "\n") * 2)
    found = run("scan", "twice.ndjson", "--format", "json")
    assert found.code == 4
    assert any("two resources have one identity" in e["message"] for e in found.document["run"]["errors"])
    assert found.document["run"]["complete"] is False


def test_a_run_directory_holds_every_verdict(run: Run, snapshot: Path, tmp_path: Path) -> None:
    found = run("scan", snapshot.name, "-o", "runs/1", "--format", "json")
    stored = list(read_findings(tmp_path / "runs/1"))
    told = (
        "id",
        "rule",
        "family",
        "severity",
        "verdict",
        "resource",
        "location",
        "frameworks",
        "remediation",
    )
    for kept, finding in zip(stored, found.document["findings"], strict=True):
        if finding["verdict"] in ("FAIL", "UNKNOWN"):
            assert kept == finding
        else:
            assert [kept[name] for name in told] == [finding[name] for name in told]
    again = run("scan", snapshot.name, "-o", "runs/1", "-q")
    assert again.code == found.code


def test_a_crashing_rule_is_unknown_and_the_run_incomplete(run: Run, snapshot: Path, tmp_path: Path) -> None:
    hook = tmp_path / "sitecustomize.py"
    hook.write_text(
        "from policyengine.engine import operators\n"
        "def broken(value, kind):\n    raise RuntimeError('a bug')\n"
        "operators.coerce = broken\n"
        "original = operators.make_test\n"
        "def make_test(*args):\n    return lambda value: broken(value, None)\n"
        "import policyengine.engine.build as build\nbuild.make_test = make_test\n"
    )
    rules = tmp_path / "extra" / "s3"
    rules.mkdir(parents=True)
    (rules / "bucket-has-a-name.yaml").write_text(
        "id: bucket-has-a-name\ntitle: Buckets have the name x\nfamily: governance\npillar: security\nseverity: low\n"
        "applies_to: AWS::S3::Bucket\nwhy: It is only here to crash in a test.\nfix: Set BucketName.\n"
        "require: {field: BucketName, equals: x}\nmessage: the name is {BucketName}\nreferences: ['https://docs.aws.amazon.com/']\n"
    )
    found = run(
        "scan", snapshot.name, "--rules", "extra", "--rule", "bucket-has-a-name", "--format", "json",
        env={"PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    (finding,) = found.document["findings"]
    assert (finding["verdict"], finding["reason"]) == ("UNKNOWN", "internal_error")
    assert "RuntimeError in sitecustomize:3" in finding["message"]
    assert found.code == 4


def test_a_reader_that_goes_away_is_no_error_message(run: Run, snapshot: Path, tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    process = subprocess.Popen(
        [sys.executable, "-m", "policyengine", "scan", snapshot.name, "--format", "json"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ),
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    error = process.stderr.read().decode()
    process.stderr.close()
    process.wait(30)
    assert "Traceback" not in error and "BrokenPipe" not in error
